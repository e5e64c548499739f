# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
# shellcheck shell=sh disable=SC2154,SC2034
# Tests of the command: send and recv: files. Read by command.test.

transfer() {
	ipcbox send q --file "$1" &
	sender=$!
	run ipcbox recv q --file "$dir/received"
	status_is 0
	wait $sender || complain "send --file $1 failed"
	same_file "$1" "$dir/received"
	field_is q messages 0
	rm "$dir/received"
}

test_files_of_all_sizes_arrive_whole() {
	ipcbox create q --max-message 4096 --max-messages 8 -q
	for size in 0 1 4095 4096 4097 40960 300001; do
		random $size "$dir/file"
		transfer "$dir/file"
	done
}

test_a_file_of_several_megabytes_arrives_whole() {
	ipcbox create q -q
	random 7340033 "$dir/file"
	transfer "$dir/file"
}

test_pieces_of_a_megabyte_and_more() {
	ipcbox create q --max-message 4M -q
	random 3145729 "$dir/file"
	transfer "$dir/file"
}

test_several_files_go_by_one_command() {
	ipcbox create q -q
	random 100 "$dir/a"
	: >"$dir/b"
	random 200000 "$dir/c"
	run ipcbox send q --json --file "$dir/a" "$dir/b" "$dir/c"
	status_is 0
	is_json "$dir/out"
	out_has '"bytes": 200100, "files": 3'
	run ipcbox recv q --json --file "$dir/A" --file "$dir/B" "$dir/C"
	status_is 0
	is_json "$dir/out"
	for file in a b c; do
		same_file "$dir/$file" "$dir/$(echo $file | tr abc ABC)"
	done
	! left_over '[ABC].*' || complain "temporary files are left"
}

test_files_through_pipes() {
	ipcbox create q -q
	random 150000 "$dir/file"
	dd if="$dir/file" bs=1000 2>/dev/null | ipcbox send q --file -
	ipcbox recv q --file - >"$dir/received"
	same_file "$dir/file" "$dir/received"
}

test_files_of_two_senders_at_once() {
	ipcbox create q --max-messages 4 --max-message 1024 -q
	random 100000 "$dir/a"
	random 120000 "$dir/b"
	ipcbox send q --file "$dir/a" &
	first=$!
	ipcbox send q --file "$dir/b" &
	second=$!
	wait_field q senders_waiting 2
	run ipcbox recv q --file "$dir/x" --file "$dir/y"
	status_is 0
	wait $first
	wait $second
	if [ "$(wc -c <"$dir/x")" -eq 100000 ]; then
		same_file "$dir/a" "$dir/x"
		same_file "$dir/b" "$dir/y"
	else
		same_file "$dir/b" "$dir/x"
		same_file "$dir/a" "$dir/y"
	fi
}

test_a_file_that_no_path_is_given_for_is_reported() {
	ipcbox create q --max-messages 1 --max-message 1024 -q
	mkfifo "$dir/fifo"
	ipcbox send q --file "$dir/fifo" &
	sender=$!
	exec 8>"$dir/fifo"
	ipcbox recv q --file "$dir/x" 2>"$dir/complaint" 8>&- &
	receiver=$!
	head -c 1024 /dev/zero >&8
	wait_field q received 1
	printf whole | ipcbox send q --file -
	exec 8>&-
	wait $sender
	wait $receiver
	status=$?
	cp "$dir/complaint" "$dir/err"
	command="recv of one file while another comes"
	fails_with 1 "1 more file came in between"
	[ "$(wc -c <"$dir/x")" -eq 1024 ] || complain "the file itself is not whole"
}

test_a_message_is_received_as_a_file() {
	ipcbox create q -q
	ipcbox send q 'no file'
	run ipcbox recv q --file "$dir/x"
	status_is 0
	[ "$(cat "$dir/x")" = "no file" ] || complain "got $(cat "$dir/x")"
}

test_missing_pieces_are_noticed() {
	ipcbox create q --max-message 1024 -q
	mkfifo "$dir/fifo"
	ipcbox send q --file "$dir/fifo" &
	sender=$!
	exec 8>"$dir/fifo"
	head -c 1024 /dev/zero >&8
	wait_field q messages 1
	ipcbox recv q --file "$dir/missing" 2>"$dir/complaint" 8>&- &
	receiver=$!
	wait_field q received 1
	kill -STOP $receiver
	# A waiting receiver may be handed the next piece although it is stopped.
	head -c 2048 /dev/zero >&8
	wait_field q sent 3
	ipcbox recv q --raw >/dev/null
	exec 8>&-
	wait $sender
	kill -CONT $receiver
	wait $receiver
	status=$?
	cp "$dir/complaint" "$dir/err"
	command="recv with a piece missing"
	fails_with 1 "pieces of $dir/missing are missing"
	[ ! -e "$dir/missing" ] || complain "a damaged file was stored"
}

test_the_rest_of_a_file_is_skipped() {
	ipcbox create q --max-message 1024 -q
	random 3000 "$dir/a"
	random 2000 "$dir/b"
	ipcbox send q --file "$dir/a" "$dir/b"
	ipcbox recv q --raw >/dev/null
	run ipcbox recv q --file "$dir/received"
	status_is 0
	same_file "$dir/b" "$dir/received"
	grep -q "skipped 1.9 KiB of files" "$dir/err" || complain "it was not said: $(cat "$dir/err")"
}

test_a_sender_that_dies_leaves_no_file() {
	ipcbox create q --max-message 1024 -q
	mkfifo "$dir/fifo"
	ipcbox send q --file "$dir/fifo" &
	sender=$!
	exec 8>"$dir/fifo"
	head -c 1024 /dev/zero >&8
	ipcbox recv q --file "$dir/x" 2>"$dir/complaint" 8>&- &
	receiver=$!
	wait_field q received 1
	kill -9 $sender
	exec 8>&-
	wait $sender 2>/dev/null
	wait $receiver
	status=$?
	cp "$dir/complaint" "$dir/err"
	command="recv whose sender died"
	fails_with 8 "went away after 1024 bytes"
	! left_over 'x*' || complain "it left: $(ls "$dir")"
}

test_files_that_cannot_be_read_or_written() {
	ipcbox create q -q
	random 10 "$dir/a"
	run ipcbox send q --file "$dir/a" --file "$dir/missing-file"
	fails_with 1 "missing-file"
	run ipcbox send q --file "$dir"
	fails_with 1 "is a directory"
	field_is q sent 0
	ipcbox send q --file "$dir/a"
	run ipcbox recv q --file "$dir/no/such/place"
	fails_with 1 "cannot write"
}

test_recv_file_gives_up_in_time() {
	ipcbox create q -q
	run ipcbox recv q --file "$dir/x" --timeout 30ms
	fails_with 3 "within 30 ms"
	run ipcbox recv q --file "$dir/x" --nowait
	fails_with 3 "empty"
	[ ! -e "$dir/x" ] || complain "a file was made"
}
