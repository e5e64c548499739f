# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
# shellcheck shell=sh disable=SC2154,SC2034
# Tests of the command: send and recv: messages, full objects, ends. Read by command.test.

test_messages_go_in_order() {
	ipcbox create q -q
	run ipcbox send q one 'two words' '' -- -four
	status_is 0
	out_is ""
	err_empty
	run ipcbox recv q --count 4
	status_is 0
	out_is "one
two words

-four"
	field_is q messages 0
	field_is q received 4
}

test_priorities_go_first() {
	ipcbox create q -q
	ipcbox send q low
	ipcbox send q -p 5 middle
	ipcbox send q --priority 32767 high
	run ipcbox recv q --all
	out_is "high
middle
low"
	run ipcbox send q -p 32768 x
	fails_with 2 "--priority"
}

test_lines_of_input_are_messages() {
	ipcbox create q -q
	printf 'a\n\nlast without end' | ipcbox send q
	field_is q messages 3
	run ipcbox recv q --all --null
	status_is 0
	[ "$(tr '\0' '|' <"$dir/out")" = "a||last without end|" ] ||
		complain "got $(tr '\0' '|' <"$dir/out")"
	printf 'x\n' | ipcbox send q --lines
	run ipcbox recv q
	out_is x
}

test_null_ends_messages_of_several_lines() {
	ipcbox create q -q
	printf 'one\ntwo\0three\0' | ipcbox send q --null
	field_is q messages 2
	run ipcbox recv q --raw --all
	out_is "one
twothree"
}

test_many_lines_keep_their_order() {
	ipcbox create q --max-messages 50 -q
	seq 3000 >"$dir/lines"
	ipcbox recv q --count 3000 >"$dir/received" &
	run ipcbox send q <"$dir/lines"
	status_is 0
	wait $!
	same_file "$dir/lines" "$dir/received"
	field_is q sent 3000
}

test_batches_carry_the_same() {
	ipcbox create q -q
	seq 500 >"$dir/lines"
	run ipcbox send q --batch 7 <"$dir/lines"
	status_is 0
	ipcbox recv q --count 500 --batch 100 >"$dir/received"
	same_file "$dir/lines" "$dir/received"
	run ipcbox send q --batch 1000000 x
	fails_with 2 "--batch may be"
}

test_lines_are_sent_as_they_come() {
	ipcbox create q -q
	mkfifo "$dir/fifo"
	ipcbox send q <"$dir/fifo" &
	exec 8>"$dir/fifo"
	echo first >&8
	wait_field q messages 1
	echo second >&8
	wait_field q messages 2
	exec 8>&-
	wait $!
}

test_a_message_of_the_largest_size_goes() {
	ipcbox create q --max-message 100000 -q
	random 100000 "$dir/large"
	tr '\n' ' ' <"$dir/large" | tr '\0' ' ' >"$dir/line"
	run ipcbox send q <"$dir/line"
	status_is 0
	ipcbox recv q --raw >"$dir/received"
	same_file "$dir/line" "$dir/received"
}

test_a_message_that_is_too_long_is_refused() {
	ipcbox create q --max-message 10 -q
	run ipcbox send q short '12345678901' never
	fails_with 1 "1 message (5 B) was sent"
	err_has "10 B at most"
	field_is q messages 1
	run sh -c 'printf "short\n%70000d" 1 | ipcbox send q'
	fails_with 1 "1 message (5 B) was sent"
}

test_recv_verbose_names_the_sender() {
	ipcbox create q -q
	ipcbox send q --priority 3 --tag 0xff hello
	run ipcbox recv q --verbose
	grep -Eq '^# message 1 from pid [1-9][0-9]* uid 0 gid 0 handle [0-9]+ priority 3 tag 255 length 5$' "$dir/out" ||
		complain "the header is $(head -n 1 "$dir/out")"
	[ "$(tail -n 1 "$dir/out")" = hello ] || complain "the message is missing"
}

test_recv_json_is_valid_for_all_bytes() {
	ipcbox create q -q
	printf 'plain "quoted" \\ \303\251\0' | ipcbox send q --null --tag 18446744073709551615
	random 1000 "$dir/bytes"
	ipcbox send q --file "$dir/bytes"
	run ipcbox recv q --json --count 3
	status_is 0
	is_json "$dir/out"
	[ "$(wc -l <"$dir/out")" -eq 3 ] || complain "not one line a message"
	out_has '"encoding": "utf-8"'
	out_has '"tag": "18446744073709551615"'
	sed -n 's/.*"encoding": "base64", "data": "\([^"]*\)"}/\1/p' "$dir/out" |
		base64 -d >"$dir/decoded"
	same_file "$dir/bytes" "$dir/decoded"
}

test_send_json_counts() {
	ipcbox create q -q
	run ipcbox send q --json abc de
	status_is 0
	is_json "$dir/out"
	out_has '{"messages": 2, "bytes": 5, "files": 0, '
}

test_recv_of_nothing() {
	ipcbox create q -q
	run ipcbox recv q --nowait
	fails_with 3 "queue 'q' is empty"
	run ipcbox recv q --timeout 20ms
	fails_with 3 "within 20 ms"
	run ipcbox recv q --all
	status_is 0
	err_empty
	ipcbox send q one
	run ipcbox recv q --count 3 --nowait
	fails_with 3 "1 message (3 B) was received"
	out_is one
	run ipcbox recv nothing
	fails_with 4 "no object 'nothing'"
}

test_recv_waits_for_a_message() {
	ipcbox create q -q
	ipcbox recv q >"$dir/received" &
	wait_field q receivers_waiting 1
	ipcbox send q hello
	wait $! || complain "recv failed"
	[ "$(cat "$dir/received")" = hello ] || complain "received $(cat "$dir/received")"
}

test_workers_share_a_queue() {
	ipcbox create q -q
	ipcbox recv q --count 2 >"$dir/one" &
	first=$!
	ipcbox recv q --count 2 >"$dir/two" &
	second=$!
	wait_field q receivers_waiting 2
	ipcbox send q a b c d
	wait $first
	wait $second
	[ "$(cat "$dir/one" "$dir/two" | sort | tr -d '\n')" = abcd ] ||
		complain "got $(cat "$dir/one" "$dir/two")"
}

test_bad_arguments_of_send_and_recv() {
	ipcbox create q -q
	for arguments in "send" "send q --tag x m" "send q --tag 1 --file /dev/null" \
		"send q --lines m" "send q --lines --file /dev/null" \
		"send q --timeout soon m" "send q --priority" "send id:1 --create m" \
		"recv" "recv q r" "recv q --count 0" "recv q --count 1 --all" \
		"recv q --follow --all" "recv q --follow --nowait" \
		"recv q --null --raw" "recv q --file x --raw" "recv q -n" \
		"recv q --batch 0" "recv id:1 --listen"; do
		# shellcheck disable=SC2086
		run ipcbox $arguments </dev/null
		fails_with 2 "ipcbox: "
	done
	field_is q sent 0
}

# send: full objects

test_a_full_queue_makes_senders_wait() {
	ipcbox create q --max-messages 2 -q
	ipcbox send q one two three &
	wait_field q senders_waiting 1
	field_is q messages 2
	run ipcbox recv q
	out_is one
	wait $! || complain "send failed"
	field_is q messages 2
}

test_a_full_queue_refuses_those_who_do_not_wait() {
	ipcbox create q --max-messages 2 -q
	run ipcbox send q --nowait one two three
	fails_with 3 "full; 2 messages (6 B) were sent"
	run ipcbox send q --timeout 20ms four
	fails_with 3 "within 20 ms; 0 messages"
	run ipcbox send q --nowait five --json
	status_is 3
	is_json "$dir/err"
	field_is q messages 2
	run ipcbox recv q --all
	out_is "one
two"
}

test_send_creates_what_is_missing() {
	run ipcbox send q hello
	fails_with 4 "no object 'q'"
	run ipcbox send q --create hello
	status_is 0
	field_is q mode 0600
	field_is q persistent true
	run ipcbox send q --create again
	status_is 0
	run ipcbox recv q --all
	out_is "hello
again"
	ipcbox create m --kind mailbox -q
	run ipcbox send m --create hello
	status_is 0
}

test_a_used_up_budget_is_waited_for() {
	ipcbox create q -q
	set -- "$(cat /sys/module/ipcbox/parameters/user_bytes)"
	ipcbox limits --set user_bytes=4K -q
	random 3000 "$dir/large"
	run ipcbox send q --file "$dir/large"
	run ipcbox send q --nowait --file "$dir/large"
	fails_with 7 "budget"
	run ipcbox send q --timeout 50ms --file "$dir/large" -q
	fails_with 7 "budget"
	ipcbox send q --file "$dir/large" --quiet &
	run ipcbox recv q --file "$dir/received"
	wait $! || complain "send failed when there was room again"
	run ipcbox recv q --file "$dir/again"
	same_file "$dir/large" "$dir/again"
	ipcbox limits --set "user_bytes=$1" -q
}

test_a_mailbox_has_one_receiver() {
	ipcbox create m --kind mailbox -q
	ipcbox recv m >"$dir/received" &
	wait_field m receivers_waiting 1
	run ipcbox recv m
	fails_with 9 "'m' has its one receiver"
	ipcbox send m hello
	wait $!
}

test_a_sender_learns_that_its_receiver_died() {
	ipcbox recv m --listen --follow >/dev/null &
	receiver=$!
	wait_field m receivers_waiting 1
	field_is m persistent false
	mkfifo "$dir/fifo"
	ipcbox send m <"$dir/fifo" 2>"$dir/err" &
	sender=$!
	exec 8>"$dir/fifo"
	echo hello >&8
	wait_field m received 1
	kill -9 $receiver
	wait $receiver 2>/dev/null
	wait_field m receive_handles 0
	echo again >&8
	wait $sender
	status=$?
	command="send whose receiver died"
	fails_with 8 "no receiver, and none will come; 1 message (5 B) was sent"
	exec 8>&-
	run ipcbox stat m
	status_is 4
}

test_a_receiver_learns_that_its_object_is_removed() {
	ipcbox create q -q
	ipcbox recv q >/dev/null 2>"$dir/received" &
	wait_field q receivers_waiting 1
	ipcbox rm q
	wait $!
	status=$?
	cp "$dir/received" "$dir/err"
	command="recv of what is removed"
	fails_with 8 "is removed and empty"
}

test_listen_refuses_a_taken_name() {
	ipcbox create m --kind mailbox -q
	run ipcbox recv m --listen
	fails_with 9 "'m' is there already"
}
