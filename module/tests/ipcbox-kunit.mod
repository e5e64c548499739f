/tmp/kbd/module/tests/queue_test.o
