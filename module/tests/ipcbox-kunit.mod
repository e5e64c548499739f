/tmp/kxd/module/tests/queue_test.o
