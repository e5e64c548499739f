/work/main/build/module-6.12.117-ipcbox-debug/module/tests/queue_test.o
