# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
# shellcheck shell=sh disable=SC2154,SC2034
# Tests of the command: region. Read by command.test.

test_region_create_makes_a_region_that_outlives_the_command() {
	run ipcbox region create r 10000 --semaphores 2 --mode 0640
	status_is 0
	err_empty
	out_has "region 'r' (id:"
	field_is r kind region
	field_is r mapped_bytes 12288
	field_is r semaphores 2
	field_is r mode 0640
	field_is r handles 0
	field_is r sealed false
	run ipcbox region create r 1
	status_is 0
	out_has already
	run ipcbox region create r 1 --exclusive
	fails_with 9 "'r' is there already"
	run ipcbox region create big 100T
	fails_with 7 "as much memory"
	run ipcbox ls
	out_has region
	run ipcbox stat r
	out_has "memory           12 KiB"
	out_has "semaphores       2"
	ipcbox rm r
}

test_region_holds_what_is_written() {
	random 300000 "$dir/in"
	ipcbox region create r 300000 --quiet
	run sh -c "ipcbox region write r <$dir/in"
	status_is 0
	run ipcbox region read r --length 300000
	status_is 0
	cp "$dir/out" "$dir/got"
	same_file "$dir/in" "$dir/got"
	run sh -c 'printf abc | ipcbox region write r --offset 4K; ipcbox region read r --offset 4K --length 3'
	out_is abc
	run sh -c 'head -c 400000 /dev/zero | ipcbox region write r'
	fails_with 7 "the input is longer"
	run ipcbox region read r --offset 1G
	fails_with 2 "beyond the end"
}

test_region_seal_is_for_ever() {
	ipcbox region create r 4096 --quiet
	echo first | ipcbox region write r
	run ipcbox region seal r
	status_is 0
	field_is r sealed true
	run sh -c 'echo second | ipcbox region write r'
	fails_with 5 "is sealed"
	run ipcbox region read r --length 6
	out_is first
	run ipcbox stat r
	out_has ", sealed"
}

test_region_semaphores_are_taken_and_given() {
	ipcbox region create r 0 --semaphores 2 --quiet
	run ipcbox region set r 0=3 1=1/1
	status_is 0
	run ipcbox region take r 0 --count 2
	status_is 0
	run ipcbox region take r 0 --count 2 --timeout 0
	fails_with 3 ""
	run ipcbox region give r 1
	fails_with 1 "maximum"
	run ipcbox region semaphores r --json
	is_json "$dir/out"
	run ipcbox region semaphores r
	status_is 0
	out_has "  0      1  1073741823"
	out_has "  1      1           1"
	run ipcbox region take r 7
	fails_with 1 "no such semaphore"
}

test_region_stat_shows_who_maps_it() {
	ipcbox region create r 4096 --quiet
	mkfifo "$dir/fifo"
	ipcbox region write r <"$dir/fifo" &
	writer=$!
	exec 9>"$dir/fifo"
	wait_field r mappings 1
	run ipcbox stat r
	out_has "used by          process $writer (ipcbox), 1 descriptor (rw--), 1 mapping"
	run ipcbox region seal r
	fails_with 9 "is mapped for writing"
	exec 9>&-
	wait $writer
	run ipcbox region seal r
	status_is 0
}

test_region_refuses_bad_arguments() {
	ipcbox create q --quiet
	for arguments in "" "create" "create r" "create r x" "create r 0" "nonsense r" \
		"read" "set r" "set r 0" "set r 0=x" "set r 0=2/1" "take r" "take r x" \
		"create id:5 4096" "create r 4096 more"; do
		# shellcheck disable=SC2086
		run ipcbox region $arguments
		fails_with 2 "region: "
	done
	run ipcbox region read q
	fails_with 1 "is no region"
	run ipcbox region read none
	fails_with 4 "there is no object"
}
