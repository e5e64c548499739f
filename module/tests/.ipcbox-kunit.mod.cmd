savedcmd_/tmp/kxd/module/tests/ipcbox-kunit.mod := printf '%s\n'   queue_test.o | awk '!x[$$0]++ { print("/tmp/kxd/module/tests/"$$0) }' > /tmp/kxd/module/tests/ipcbox-kunit.mod
