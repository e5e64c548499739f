savedcmd_/tmp/kxd/module/tests/modules.order := {   echo /tmp/kxd/module/tests/ipcbox-kunit.o; :; } > /tmp/kxd/module/tests/modules.order
