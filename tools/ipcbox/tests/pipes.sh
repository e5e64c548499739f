# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
# shellcheck shell=sh disable=SC2154,SC2034
# Tests of the command: pipe. Read by command.test.

stream_is_gone() {
	run ipcbox stat s
	status_is 4
}

test_pipe_bytes_arrive_whole_whoever_comes_first() {
	for size in 0 1 4096 4097 65537 1000001; do
		random $size "$dir/file"
		ipcbox pipe into s <"$dir/file" &
		wait_field s send_handles 1
		field_is s messages 0
		run ipcbox pipe from s
		status_is 0
		err_empty
		wait $! || complain "the writer that came first failed"
		same_file "$dir/file" "$dir/out"
		stream_is_gone

		ipcbox pipe from s >"$dir/received" &
		wait_field s receive_handles 1
		run ipcbox pipe into s <"$dir/file"
		status_is 0
		err_empty
		out_is ""
		wait $! || complain "the reader that came first failed"
		same_file "$dir/file" "$dir/received"
		stream_is_gone
	done
}

test_pipe_100_megabytes_arrive_whole() {
	random 26214400 "$dir/quarter"
	for part in 1 2 3 4; do
		echo $part
		cat "$dir/quarter"
	done >"$dir/file"
	ipcbox pipe into s <"$dir/file" &
	seen=$(ipcbox pipe from s | sha256sum)
	wait $! || complain "the writer failed"
	[ "$seen" = "$(sha256sum <"$dir/file")" ] || complain "something else came out"
	stream_is_gone
}

test_pipe_joins_pipelines() {
	seq 50000 >"$dir/lines"
	gzip -c "$dir/lines" | ipcbox pipe into s &
	ipcbox pipe from s | gunzip >"$dir/seen"
	wait $!
	same_file "$dir/lines" "$dir/seen"
}

test_pipe_has_many_writers_and_readers() {
	for writer in 1 2 3 4; do
		seq "${writer}001" "${writer}500" >"$dir/lines$writer"
		ipcbox pipe into s <"$dir/lines$writer" &
	done
	wait_field s send_handles 4
	ipcbox pipe from s >"$dir/seen"
	wait
	sort "$dir/seen" >"$dir/sorted"
	cat "$dir"/lines? | cmp - "$dir/sorted" || complain "lines are mixed, or missing"

	for reader in 1 2 3; do
		ipcbox pipe from s >"$dir/part$reader" &
	done
	wait_field s receive_handles 3
	ipcbox pipe into s <"$dir/seen"
	wait
	[ "$(cat "$dir"/part? | wc -c)" -eq "$(wc -c <"$dir/seen")" ] ||
		complain "the readers have $(cat "$dir"/part? | wc -c) bytes in all"
}

# The status of the last command of the pipeline $*.
status_of() {
	sh -c "$*; echo \$? >'$dir/status'" >"$dir/out" 2>"$dir/err"
	command=$*
	status=$(cat "$dir/status")
}

test_pipe_ends_as_cat_does_when_the_reader_goes() {
	status_of "yes | ipcbox pipe into s" &
	ipcbox pipe from s | head -c 5 >"$dir/seen"
	wait
	[ "$(cat "$dir/status")" -eq 141 ] || complain "the writer ended with $(cat "$dir/status")"
	err_empty
	stream_is_gone

	# Though nothing is written, on both ends.
	mkfifo "$dir/fifo"
	status_of "ipcbox pipe into s <>'$dir/fifo'" &
	ipcbox pipe from s | sh -c "until [ -e '$dir/enough' ]; do :; done" &
	wait_field s receive_handles 1
	wait_field s send_handles 1
	: >"$dir/enough"
	wait
	[ "$(cat "$dir/status")" -eq 141 ] || complain "the idle writer ended with $(cat "$dir/status")"

	status_of "trap '' PIPE; ipcbox pipe into s <>'$dir/fifo'" &
	wait_field s send_handles 1
	ipcbox pipe from s --timeout 10ms 2>/dev/null
	wait
	[ "$(cat "$dir/status")" -eq 8 ] || complain "status $(cat "$dir/status") without SIGPIPE"
	err_has "nobody reads the output any more; 0 B went through"
}

test_pipe_ends_with_a_killed_writer() {
	mkfifo "$dir/fifo"
	ipcbox pipe into s <>"$dir/fifo" &
	writer=$!
	ipcbox pipe from s >"$dir/seen" &
	wait_field s receive_handles 1
	echo hello >"$dir/fifo"
	wait_field s received 1
	kill -9 $writer
	wait $writer 2>/dev/null
	wait $! || complain "the reader failed"
	[ "$(cat "$dir/seen")" = hello ] || complain "received $(cat "$dir/seen")"
	stream_is_gone
}

test_pipe_does_not_wait_for_ever_for_the_other_side() {
	run ipcbox pipe into s --timeout 20ms </dev/null
	fails_with 3 "nobody came to read from stream 's' within 20 ms"
	run ipcbox pipe from s --timeout 20ms
	fails_with 3 "nobody wrote anything within 20 ms"
	stream_is_gone
	ipcbox pipe into s </dev/null 2>"$dir/news" &
	wait_field s send_handles 1
	ipcbox rm s
	wait $!
	[ $? -eq 8 ] || complain "the writer of a removed stream did not end with status 8"
	grep -q "was removed before anyone read" "$dir/news" || complain "it said $(cat "$dir/news")"
}

test_pipe_is_of_streams() {
	ipcbox create q -q
	run ipcbox pipe from q
	fails_with 9 "'q' is there already and is no stream"
	run ipcbox pipe into "id:$(field q id)"
	fails_with 1 "is no stream: use 'ipcbox send'"
	ipcbox pipe from s >"$dir/seen" &
	wait_field s receive_handles 1
	field_is s stream true
	field_is q stream false
	run ipcbox ls
	grep -Eq ' s +stream ' "$dir/out" || complain "ls does not show a stream"
	run ipcbox recv s
	fails_with 1 "use 'ipcbox pipe'"
	run ipcbox peek s
	fails_with 1 "use 'ipcbox pipe'"
	echo by id | ipcbox pipe into "id:$(field s id)"
	wait $!
	[ "$(cat "$dir/seen")" = "by id" ] || complain "received $(cat "$dir/seen")"
	ipcbox pipe into s </dev/null 2>/dev/null &
	wait_field s send_handles 1
	run ipcbox send s message
	fails_with 1 "stream 's' is no queue of messages: use 'ipcbox pipe'"
	ipcbox rm s
	wait
	for arguments in "s" "into" "from s t" "into s --buffer 100" "into id:5 --mode 0666" \
		"--timeout 1s" "--mode 0600" "from s --timeout never" "into a/b"; do
		# shellcheck disable=SC2086
		run ipcbox pipe $arguments </dev/null
		fails_with 2 "ipcbox: pipe: "
	done
	run ipcbox pipe into s --buffer 1T </dev/null
	fails_with 7 "--buffer may be 1 GiB at most"
}

test_pipe_mode_is_of_files() {
	device_mode=$(stat -c %a /dev/ipcbox)
	chmod 666 /dev/ipcbox
	ipcbox pipe from s --mode 0622 --timeout 60s >"$dir/seen" &
	wait_field s mode 0622
	as_alice "echo mine | ipcbox pipe into s"
	status_is 0
	wait $!
	[ "$(cat "$dir/seen")" = mine ] || complain "received $(cat "$dir/seen")"
	ipcbox pipe from s --timeout 60s >"$dir/seen" &
	wait_field s mode 0600
	as_alice "echo mine | ipcbox pipe into s"
	fails_with 5 "has a mode"
	: | ipcbox pipe into s
	wait $!
}

test_pipe_without_name_is_a_buffer() {
	random 1000001 "$dir/file"
	status_of "ipcbox pipe --buffer 64K <'$dir/file' | cat >'$dir/seen'"
	status_is 0
	same_file "$dir/file" "$dir/seen"
	# The producer ends before the consumer begins.
	sh -c "cat '$dir/file'; echo done >'$dir/done'" | ipcbox pipe --buffer 2M |
		sh -c "until [ -s '$dir/done' ]; do :; done; cat" >"$dir/seen"
	same_file "$dir/file" "$dir/seen"
	# shellcheck disable=SC2216
	status_of "yes | sh -c 'ipcbox pipe; echo \$? >&2' | head -c 5"
	[ "$(cat "$dir/err")" = 141 ] || complain "the buffer ended with $(cat "$dir/err")"
	[ "$(ipcbox ls --quiet)" = "" ] || complain "left $(ipcbox ls)"
}

test_pipe_says_how_much_it_was() {
	random 300000 "$dir/file"
	ipcbox pipe from s --json >"$dir/seen" 2>"$dir/news" &
	run ipcbox pipe into s --json <"$dir/file"
	status_is 0
	is_json "$dir/out"
	out_has '"bytes": 300000'
	wait $!
	same_file "$dir/file" "$dir/seen"
	is_json "$dir/news"
	grep -q '"bytes": 300000' "$dir/news" || complain "the reader said $(cat "$dir/news")"
	run ipcbox pipe --verbose <"$dir/file"
	same_file "$dir/file" "$dir/out"
	grep -Eq '^293.0 KiB went through in [0-9.]+ .*/s$' "$dir/err" ||
		complain "--verbose said $(cat "$dir/err")"
}

test_pipe_waits_for_the_budget() {
	budget=$(cat /sys/module/ipcbox/parameters/user_bytes)
	random 300000 "$dir/file"
	ipcbox limits --set user_bytes=20000 -q 2>/dev/null
	ipcbox pipe from s >"$dir/seen" &
	run ipcbox pipe into s <"$dir/file"
	status_is 0
	err_has "your budget"
	wait $!
	same_file "$dir/file" "$dir/seen"
	ipcbox limits --set user_bytes=4K -q 2>/dev/null
	ipcbox pipe from s >/dev/null &
	run ipcbox pipe into s <"$dir/file"
	fails_with 7 "budget"
	wait
	ipcbox limits --set "user_bytes=$budget" -q
}
