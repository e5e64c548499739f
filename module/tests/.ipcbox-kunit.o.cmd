savedcmd_/tmp/kxd/module/tests/ipcbox-kunit.o := ld -m elf_x86_64 -z noexecstack --no-warn-rwx-segments   -r -o /tmp/kxd/module/tests/ipcbox-kunit.o @/tmp/kxd/module/tests/ipcbox-kunit.mod 
