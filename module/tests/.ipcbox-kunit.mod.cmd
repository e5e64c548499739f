savedcmd_/tmp/kbd/module/tests/ipcbox-kunit.mod := printf '%s\n'   queue_test.o | awk '!x[$$0]++ { print("/tmp/kbd/module/tests/"$$0) }' > /tmp/kbd/module/tests/ipcbox-kunit.mod
