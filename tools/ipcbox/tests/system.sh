# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
# shellcheck shell=sh disable=SC2154,SC2034
# Tests of the command: signals, permissions, limits, watch, doctor, help. Read by command.test.

# Signals and lost readers

test_ctrl_c_in_send_says_what_was_sent() {
	ipcbox create q --max-messages 2 -q
	kill_when INT q senders_waiting 1 &
	killable ipcbox send q one two three four
	fails_with 130 "interrupted: 2 messages (6 B) were sent"
	wait $!
	field_is q messages 2
	field_is q send_handles 0
	run ipcbox recv q --all
	out_is "one
two"
}

test_ctrl_c_in_a_file_leaves_no_half_file() {
	ipcbox create q --max-messages 3 --max-message 1K -q
	random 10000 "$dir/file"
	kill_when INT q senders_waiting 1 &
	killable ipcbox send q --file "$dir/file"
	fails_with 130 "interrupted: 0 whole files and 3 KiB of '$dir/file' were sent"
	wait $!
	run ipcbox recv q --file "$dir/x"
	fails_with 8 "went away after 3072 bytes"
	! left_over 'x*' || complain "it left: $(ls "$dir")"
	field_is q messages 0
}

test_ctrl_c_tells_the_receiver_where_there_is_room() {
	ipcbox create q --max-message 1K -q
	mkfifo "$dir/fifo"
	exec 8<>"$dir/fifo"
	head -c 1024 /dev/zero >&8
	kill_when INT q messages 1 &
	killable ipcbox send q --file "$dir/fifo"
	exec 8>&-
	status_is 130
	wait $!
	run ipcbox recv q --file "$dir/x"
	fails_with 8 "gave up after 1024 bytes"
}

test_ctrl_c_in_recv_says_what_was_received() {
	ipcbox create q -q
	ipcbox send q one two
	{
		wait_field q received 2
		kill_when INT q receivers_waiting 1
	} &
	killable ipcbox recv q --follow
	fails_with 130 "interrupted: 2 messages (6 B) were received"
	out_is "one
two"
	wait $!
	field_is q receive_handles 0
}

test_ctrl_c_in_recv_file_removes_what_was_begun() {
	ipcbox create q -q
	mkfifo "$dir/fifo"
	ipcbox send q --file "$dir/fifo" &
	sender=$!
	exec 8>"$dir/fifo"
	random 70000 "$dir/random"
	cat "$dir/random" >&8
	{
		wait_field q received 1
		kill_when INT q receivers_waiting 1
	} &
	killable ipcbox recv q --file "$dir/x"
	fails_with 130 "0 of 1 file was received, and the 64 KiB of an unfinished one given up"
	! left_over 'x*' || complain "it left: $(ls "$dir")"
	exec 8>&-
	wait $sender
}

test_sigterm_ends_as_ctrl_c_does() {
	ipcbox create q -q
	kill_when TERM q receivers_waiting 1 &
	killable ipcbox recv q
	fails_with 143 "interrupted: 0 messages"
	wait $!
}

test_recv_takes_nothing_when_its_reader_has_left() {
	ipcbox create q -q
	ipcbox send q one
	run sh -c 'ipcbox recv q --follow | head -n 1'
	out_is one
	err_empty
	ipcbox send q two
	field_is q messages 1
}

test_output_that_cannot_be_written_is_a_failure() {
	[ -e /dev/full ] || skip "there is no /dev/full" || return
	run sh -c 'ipcbox limits >/dev/full'
	fails_with 1 "cannot write the output"
	ipcbox create q -q
	ipcbox send q one
	run sh -c 'ipcbox recv q >/dev/full'
	fails_with 1 "may be lost"
}

# Permissions

test_other_users_have_the_rights_of_the_mode() {
	device_mode=$(stat -c %a /dev/ipcbox)
	chmod 666 /dev/ipcbox
	ipcbox create private -q
	ipcbox create drop --kind mailbox --mode 0622 -q
	as_alice "ipcbox send private hello"
	fails_with 5 "'private' has a mode"
	as_alice "ipcbox stat private"
	fails_with 5 "private"
	as_alice "ipcbox ls"
	out_has drop
	! grep -q private "$dir/out" || complain "ls shows what is hidden"
	as_alice "ipcbox send drop hello"
	status_is 0
	as_alice "ipcbox recv drop"
	fails_with 5 "mode"
	as_alice "ipcbox rm drop"
	fails_with 5 "drop"
	as_alice "ipcbox create drop --kind mailbox"
	fails_with 5 "another user's"
	as_alice "ipcbox limits --set user_bytes=1M"
	fails_with 5 "sudo ipcbox limits --set user_bytes=1048576"
	run ipcbox recv drop --verbose
	out_has "uid $(id -u alice) "
}

test_a_device_without_rights_on_it() {
	device_mode=$(stat -c %a /dev/ipcbox)
	chmod 600 /dev/ipcbox
	as_alice "ipcbox ls"
	fails_with 5 "/dev/ipcbox"
	as_alice "ipcbox doctor"
	status_is 1
	grep -q "^PROBLEM *your rights" "$dir/out" || complain "doctor does not see it"
	out_has "usermod -aG"
}

test_no_device() {
	mv /dev/ipcbox /dev/ipcbox.hidden
	for arguments in "ls" "create q" "send q m" "recv q" "stat q" "rm q" "limits" "watch" \
		"peek q" "pipe" "pipe into q" "pipe from q" "work q true" "call q" "serve q true" "set q -m 0" "dlq q"; do
		# shellcheck disable=SC2086
		run ipcbox $arguments
		fails_with 6 "/dev/ipcbox is not there"
	done
	run ipcbox doctor
	status_is 1
	grep -q "^PROBLEM *device" "$dir/out" || complain "doctor does not see it"
	remedy=$(sed -n 's/.*-> sudo //p' "$dir/out")
	$remedy
	run ipcbox ls
	status_is 0
	mv /dev/ipcbox.hidden /dev/ipcbox
}

# limits, watch, doctor, help

test_limits_are_shown_and_set() {
	ipcbox create q -q
	run ipcbox limits
	status_is 0
	grep -Eq '^user_bytes +64 MiB +0 B ' "$dir/out" || complain "user_bytes is not shown"
	grep -Eq '^user_objects +1024 +1 ' "$dir/out" || complain "user_objects is not shown"
	run ipcbox limits --json
	is_json "$dir/out"
	set -- "$(cat /sys/module/ipcbox/parameters/object_messages)"
	run ipcbox limits --set object_messages=10 --set object_bytes=1M
	status_is 0
	grep -Eq '^object_messages +10 ' "$dir/out" || complain "the change is not shown"
	ipcbox create small -q
	field_is small max_messages 10
	field_is small max_bytes 1048576
	ipcbox limits --set "object_messages=$1" --set object_bytes=8M -q
	field_is q max_messages "$1"
}

test_limits_refuses_nonsense() {
	run ipcbox limits --set nonsense=1
	fails_with 2 "no limit 'nonsense'"
	run ipcbox limits --set user_bytes
	fails_with 2 "NAME=VALUE"
	run ipcbox limits --set user_objects=many
	fails_with 2 "user_objects"
	run ipcbox limits extra
	fails_with 2 "extra"
}

test_watch_prints_tables() {
	ipcbox create q -q
	ipcbox send q hello
	run ipcbox watch --count 2 --interval 20ms
	status_is 0
	[ "$(grep -c '^ *[0-9]* *q ' "$dir/out")" -eq 2 ] || complain "not two tables: $(cat "$dir/out")"
	! grep -q "$(printf '\033')" "$dir/out" || complain "escape sequences without a terminal"
	run ipcbox watch --count 2 --interval 20ms --json
	is_json "$dir/out"
	[ "$(wc -l <"$dir/out")" -eq 2 ] || complain "not a line for each table"
	out_has '"sent_per_second": '
	run ipcbox watch --interval 0
	fails_with 2 "10ms"
}

test_watch_shows_rates() {
	ipcbox create q -q
	mkfifo "$dir/fifo"
	ipcbox watch --json --interval 10ms >"$dir/fifo" &
	exec 8<"$dir/fifo"
	read -r line <&8
	seq 100 | ipcbox send q
	tries=0
	until case $line in *'"sent_per_second": '[1-9]*) true ;; *) false ;; esac do
		tries=$((tries + 1))
		[ $tries -lt 1000 ] || break
		read -r line <&8 || break
	done
	[ $tries -lt 1000 ] || complain "no rate was seen"
	# Its reader leaves, and so does it.
	exec 8<&-
	wait $!
}

test_watch_restores_the_terminal() {
	command -v script >/dev/null || skip "there is no script(1) to make a terminal" || return
	ipcbox create q -q
	run script -qec "ipcbox watch --count 2 --interval 20ms" "$dir/screen"
	status_is 0
	off=$(printf '\033[?25h\033[?1049l')
	grep -qF "$off" "$dir/screen" || complain "the terminal was left as it was drawn on"

	{
		until grep -qs "Ctrl-C ends" "$dir/live"; do
			usleep 10000
		done
		kill -INT "$(cat "$dir/pid")"
	} &
	# shellcheck disable=SC2016
	pid=$dir/pid run script -qfec 'echo $$ >$pid; exec ipcbox watch' "$dir/live"
	status_is 130
	wait $!
	grep -qF "$off" "$dir/live" || complain "Ctrl-C left the terminal as it was drawn on"
}

test_control_characters_do_not_reach_terminals() {
	command -v script >/dev/null || skip "there is no script(1) to make a terminal" || return
	ipcbox create q -q
	printf 'a\033[31mb\302\233\303\251\377' | ipcbox send q --null
	run script -qec "ipcbox recv q" "$dir/screen"
	out_has '\x1b[31mb\xc2\x9b'"$(printf '\303\251')"'\xff'
}

test_a_progress_bar_on_terminals() {
	command -v script >/dev/null || skip "there is no script(1) to make a terminal" || return
	ipcbox create q -q
	mkfifo "$dir/fifo"
	script -qec "ipcbox send q --file $dir/fifo" "$dir/screen" >/dev/null &
	exec 8>"$dir/fifo"
	for size in 70000 70000 70000; do
		sent=$(field q sent)
		head -c $size /dev/zero >&8
		wait_field q sent $((sent + 1))
		usleep 120000
	done
	exec 8>&-
	wait $!
	grep -q "fifo  .* KiB  .*/s" "$dir/screen" || complain "no progress: $(cat "$dir/screen")"
	grep -q "1 file sent, 205.1 KiB in" "$dir/screen" || complain "no summary: $(cat "$dir/screen")"
}

test_doctor_finds_nothing() {
	run ipcbox doctor
	status_is 0
	out_has "ipcbox works here."
	[ "$(grep -c '^ok ' "$dir/out")" -eq 8 ] || complain "not all is ok: $(cat "$dir/out")"
	run ipcbox doctor --json
	status_is 0
	is_json "$dir/out"
	out_has '"ok": true'
}

test_doctor_finds_senseless_limits() {
	set -- "$(cat /sys/module/ipcbox/parameters/user_bytes)"
	ipcbox limits --set user_bytes=4K -q 2>/dev/null
	run ipcbox doctor
	status_is 1
	grep -q "^PROBLEM *limits" "$dir/out" || complain "doctor does not see it"
	ipcbox limits --set "user_bytes=$1" -q
}

test_run_refuses_what_it_cannot_serve() {
	run ipcbox run
	fails_with 2 "PROGRAM"
	# Options behind -- are not ours.
	run ipcbox run -- no-such-program --help
	fails_with 1 "no-such-program"
	run ipcbox run -- /bin/busybox true
	fails_with 1 "statically"
	cp /usr/bin/script "$dir/other"
	chown alice "$dir/other"
	chmod 4755 "$dir/other"
	run ipcbox run -- "$dir/other" -c true
	fails_with 1 "other rights than yours"
	chown root:alice "$dir/other"
	chmod 2755 "$dir/other"
	run ipcbox run -- "$dir/other" -c true
	fails_with 1 "other rights than yours"
	cp /usr/bin/ipcbox "$dir/ipcbox"
	mv /usr/lib/libipcbox-mq.so "$dir"
	run "$dir/ipcbox" run -- /usr/bin/script --version
	mv "$dir/libipcbox-mq.so" /usr/lib
	fails_with 1 "cannot find libipcbox-mq.so"
	mv /dev/ipcbox /dev/ipcbox.hidden
	run ipcbox run -- "$dir/script"
	mv /dev/ipcbox.hidden /dev/ipcbox
	fails_with 6 "modprobe ipcbox"
}

test_run_loads_the_library_before_others() {
	# shellcheck disable=SC2016 # the script's own
	printf '%s\n' '#!/bin/sh' 'echo "$LD_PRELOAD" "$@"; exit 7' >"$dir/script"
	chmod +x "$dir/script"
	run env LD_PRELOAD=other.so ipcbox run -- "$dir/script" --json a
	status_is 7
	out_has "libipcbox-mq.so:other.so --json a"
	# Also without --: what follows the program is its own.
	run ipcbox run --quiet "$dir/script" --json -l a
	status_is 7
	out_has "libipcbox-mq.so --json -l a"
}

test_help_and_version() {
	run ipcbox --help
	status_is 0
	out_has "Usage: ipcbox COMMAND"
	run ipcbox help
	status_is 0
	for name in create send recv peek work call serve pipe run ls stat watch \
		set dlq rm limits doctor; do
		run ipcbox help $name
		status_is 0
		out_has "Usage: ipcbox $name"
		cp "$dir/out" "$dir/help"
		run ipcbox $name --help
		status_is 0
		same_file "$dir/help" "$dir/out"
	done
	run ipcbox --version
	status_is 0
	out_has "ipcbox "
	run ipcbox
	fails_with 2 "ipcbox help"
	run ipcbox dance
	fails_with 2 "'dance'"
	run ipcbox help dance
	fails_with 2 "'dance'"
}
