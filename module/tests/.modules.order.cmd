savedcmd_/tmp/kbd/module/tests/modules.order := {   echo /tmp/kbd/module/tests/ipcbox-kunit.o; :; } > /tmp/kbd/module/tests/modules.order
