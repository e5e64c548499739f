savedcmd_/tmp/kbd/module/tests/ipcbox-kunit.o := ld -m elf_x86_64 -z noexecstack --no-warn-rwx-segments   -r -o /tmp/kbd/module/tests/ipcbox-kunit.o @/tmp/kbd/module/tests/ipcbox-kunit.mod 
