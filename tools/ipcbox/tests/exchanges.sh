# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# Tests of the command: send --sync, lifetimes, choosing, peek, set, dlq. Read by command.test.

# send --sync, --lifetime

test_sync_waits_until_it_is_taken() {
	ipcbox create q -q
	ipcbox send q --sync one two &
	sender=$!
	wait_field q messages 1
	kill -0 $sender 2>/dev/null || complain "it did not wait"
	run ipcbox recv q --count 2
	out_is "one
two"
	wait $sender || complain "send --sync failed"
	field_is q withdrawn 0
}

test_sync_withdraws_what_nobody_takes() {
	ipcbox create q -q
	run ipcbox send q --sync --timeout 30ms one
	fails_with 3 "nobody took the message from queue 'q' within 30 ms, so it was withdrawn; 0 messages (0 B) were taken"
	field_is q messages 0
	field_is q withdrawn 1
	run ipcbox send q --sync --lifetime 20ms one
	fails_with 3 "within 20 ms"
	field_is q messages 0
	run ipcbox send q --sync --batch 2 one
	fails_with 2 "--batch"
}

test_sync_waits_for_the_acknowledgement() {
	ipcbox create q --max-deliveries 2 -q
	ipcbox send q --sync job &
	sender=$!
	run ipcbox work q --count 1 -- sh -c 'test "$(cat)" = job'
	status_is 0
	wait $sender || complain "send --sync failed though it was acknowledged"
	ipcbox send q --sync job 2>"$dir/complaint" &
	sender=$!
	run ipcbox work q --count 2 -- false
	status_is 1
	wait $sender
	status=$?
	cp "$dir/complaint" "$dir/err"
	command="send --sync of what is given back"
	fails_with 8 "gave the message back as often as they may"
}

test_ctrl_c_in_sync_withdraws() {
	ipcbox create q -q
	kill_when INT q messages 1 &
	killable ipcbox send q --sync one
	fails_with 130 "interrupted: 0 messages (0 B) were taken"
	wait $!
	field_is q messages 0
	field_is q withdrawn 1
}

test_a_lifetime_ends() {
	ipcbox create q -q
	ipcbox send q --lifetime 20ms short
	ipcbox send q --lifetime 1h long
	wait_field q expired 1
	run ipcbox recv q --all
	out_is long
	field_is q buried 0
	run ipcbox send q --lifetime 0 x
	fails_with 2 "--lifetime"
}

# recv --tag, --from, --sequence

test_recv_chooses_by_tag_sender_and_sequence() {
	ipcbox create q -q
	ipcbox send q --tag 0x11 a
	ipcbox send q --tag 0x22 b
	ipcbox send q --tag 0x12 c
	ipcbox send q --tag 0 d
	run ipcbox recv q --tag 0x10/0xf0 --all
	out_is "a
c"
	run ipcbox recv q --tag 0
	out_is d
	run ipcbox recv q --tag 5 --nowait
	fails_with 3 "has no such message"
	run ipcbox recv q --tag 5 --timeout 20ms
	fails_with 3 "nothing of that kind came"
	ipcbox send q e
	run ipcbox recv q --sequence 5
	out_is e
	field_is q messages 1
	run ipcbox recv q --from "$$" --nowait
	fails_with 3 "has no such message"
	run ipcbox recv q --from 4000000
	fails_with 4 "no process 4000000"
}

test_recv_chooses_what_comes_later() {
	ipcbox create q -q
	ipcbox recv q --tag 7 | cat >"$dir/received" &
	receiver=$!
	wait_field q receivers_waiting 1
	ipcbox send q --tag 1 no
	ipcbox send q --tag 7 yes
	wait $receiver
	[ "$(cat "$dir/received")" = yes ] || complain "received $(cat "$dir/received")"
	field_is q messages 1
}

test_recv_from_a_living_process() {
	ipcbox create q -q
	mkfifo "$dir/fifo"
	ipcbox send q <"$dir/fifo" &
	sender=$!
	exec 8>"$dir/fifo"
	ipcbox send q other
	echo mine >&8
	wait_field q messages 2
	run ipcbox recv q --from $sender
	out_is mine
	exec 8>&-
	wait $sender
}

test_bad_choices() {
	ipcbox create q -q
	for arguments in "recv q --tag x" "recv q --tag 1/" "recv q --tag 1/0" \
		"recv q --tag 1/2/3" "recv q --sequence 0" "recv q --tag 1 --file x" \
		"recv q --from 0" "peek q --skip 65536" "peek q --tag -1" \
		"peek" "peek q r" "peek q --raw --null" "set q" "set" "set q --mode 0777" \
		"set q --max-messages 0" "dlq" "dlq q r" "dlq q --timeout 1s"; do
		# shellcheck disable=SC2086
		run ipcbox $arguments
		fails_with 2 "ipcbox: "
	done
}

# peek

test_peek_takes_nothing() {
	ipcbox create q -q
	run ipcbox peek q
	fails_with 3 "queue 'q' is empty"
	ipcbox send q --tag 3 one two
	ipcbox send q --tag 4 --priority 9 urgent
	run ipcbox peek q
	status_is 0
	err_empty
	out_is "urgent
one
two"
	run ipcbox peek q --count 1 --skip 1
	out_is one
	run ipcbox peek q --skip 3
	fails_with 3 "no such message"
	run ipcbox peek q --tag 3 --skip 1
	out_is two
	run ipcbox peek q --sequence 3
	out_is urgent
	run ipcbox peek q --headers --count 1
	grep -Eq '^# message 3 from pid [0-9]+ uid 0 gid 0 handle [0-9]+ priority 9 tag 4 length 6$' "$dir/out" ||
		complain "the header is $(cat "$dir/out")"
	[ "$(wc -l <"$dir/out")" -eq 1 ] || complain "more than a header: $(cat "$dir/out")"
	run ipcbox peek q --json
	is_json "$dir/out"
	[ "$(wc -l <"$dir/out")" -eq 3 ] || complain "not one line a message"
	out_has '"data": "two"'
	run ipcbox peek q --json --headers
	is_json "$dir/out"
	! grep -q '"data"' "$dir/out" || complain "payloads with --headers"
	field_is q messages 3
	field_is q received 0
	field_is q held 0
}

test_peek_sees_many_and_large_messages() {
	ipcbox create q --max-message 300000 -q
	seq 1000 >"$dir/lines"
	ipcbox send q <"$dir/lines"
	ipcbox peek q >"$dir/seen"
	same_file "$dir/lines" "$dir/seen"
	ipcbox peek q --skip 990 --count 5 >"$dir/seen"
	[ "$(tr '\n' ' ' <"$dir/seen")" = "991 992 993 994 995 " ] ||
		complain "saw $(cat "$dir/seen")"
	ipcbox recv q --all >/dev/null
	random 300000 "$dir/large"
	ipcbox send q --file "$dir/large"
	ipcbox peek q --count 1 --raw >"$dir/seen"
	same_file "$dir/large" "$dir/seen"
}

test_peek_and_dlq_look_into_a_mailbox_with_its_receiver() {
	ipcbox recv box --listen --count 2 --quiet >"$dir/received" &
	until ipcbox stat box --quiet >/dev/null 2>&1; do :; done
	run ipcbox peek box
	fails_with 3 "mailbox 'box' is empty"
	ipcbox send box first
	run ipcbox dlq box
	status_is 0
	run ipcbox dlq box --requeue
	fails_with 9 "has its one receiver"
	ipcbox send box second
	wait
	[ "$(tr '\n' ' ' <"$dir/received")" = "first second " ] ||
		complain "received $(cat "$dir/received")"
	ipcbox create lost --kind mailbox -q
	ipcbox create q --dead-letter lost -q
	ipcbox send q orphan
	ipcbox rm q
	ipcbox work lost -q -- sleep 100 2>/dev/null &
	wait_field lost held 1
	ipcbox create q --dead-letter lost -q
	ipcbox send q second
	ipcbox rm q
	run ipcbox peek lost
	status_is 0
	out_is second
	run ipcbox dlq lost
	status_is 0
	out_has destroyed
	kill $!
	wait
}

# set

test_set_changes_what_is_asked() {
	ipcbox create q --max-messages 3 -q
	ipcbox create lost --kind mailbox -q
	run ipcbox set q --mode 0622 --max-messages 9 --max-bytes 64K --max-message 1K
	status_is 0
	out_is ""
	field_is q mode 0622
	field_is q max_messages 9
	field_is q max_bytes 65536
	field_is q max_message_bytes 1024
	field_is q dead_letter null
	run ipcbox set q --dead-letter lost --max-deliveries 3 --json
	status_is 0
	is_json "$dir/out"
	field_is q dead_letter "$(field lost id)"
	field_is q max_deliveries 3
	run ipcbox stat q
	out_has "dead letters     to mailbox 'lost'"
	out_has "deliveries       3 at most"
	run ipcbox ls
	grep -q " yes   *lost$" "$dir/out" || complain "ls does not show where dead letters go"
	run ipcbox set q --dead-letter none --max-deliveries 0
	field_is q dead_letter null
	run ipcbox stat q
	out_has "dead letters     are only counted"
	out_has "deliveries       without end"
}

test_set_admits_those_who_wait() {
	ipcbox create q --max-messages 1 -q
	ipcbox send q one two &
	sender=$!
	wait_field q senders_waiting 1
	ipcbox set q --max-messages 2
	wait $sender || complain "the sender was not admitted"
	field_is q messages 2
}

test_set_refuses_what_cannot_be() {
	ipcbox create q -q
	run ipcbox set q --max-messages 99999999999
	fails_with 7 "--max-messages"
	run ipcbox set q --max-message 9M
	fails_with 7 "--max-message"
	run ipcbox set q --max-bytes 1K
	fails_with 7 "--max-bytes may not be less"
	run ipcbox set q --dead-letter nothing
	fails_with 4 "no object 'nothing'"
	run ipcbox set q --dead-letter q
	fails_with 4 "another object"
	run ipcbox set nothing --mode 0600
	fails_with 4 "no object 'nothing'"
	device_mode=$(stat -c %a /dev/ipcbox)
	chmod 666 /dev/ipcbox
	ipcbox set q --mode 0666
	as_alice "ipcbox set q --mode 0600"
	fails_with 5 "mode"
	field_is q mode 0666
}

test_create_with_dead_letters() {
	run ipcbox create q --dead-letter lost
	fails_with 4 "no object 'lost'"
	run ipcbox stat q
	status_is 4
	ipcbox create lost -q
	run ipcbox create q --dead-letter lost --max-deliveries 2 --mode 0
	status_is 0
	field_is q dead_letter "$(field lost id)"
	field_is q max_deliveries 2
	field_is q mode 0000
	run ipcbox create q --max-deliveries 5
	status_is 0
	field_is q max_deliveries 2
}

# dlq

test_dead_letters_are_listed_and_sent_again() {
	ipcbox create lost --kind mailbox -q
	ipcbox create q --dead-letter lost --max-deliveries 1 -q
	run ipcbox dlq lost
	status_is 0
	out_is ""
	ipcbox send q first
	ipcbox send q --lifetime 10ms --priority 4 --tag 77 late
	wait_field q buried 1
	run ipcbox work q --count 1 -q -- false
	status_is 1
	field_is q buried 2
	field_is q exhausted 1
	ipcbox send lost 'no dead letter'
	run ipcbox dlq lost
	status_is 0
	[ "$(wc -l <"$dir/out")" -eq 3 ] || complain "not two letters: $(cat "$dir/out")"
	grep -Eq '^ +1 +expired +q +2 +0 +4 +77 +[0-9]+ +root +4$' "$dir/out" ||
		complain "the expired one is missing: $(cat "$dir/out")"
	grep -Eq '^ +2 +exhausted +q +1 +1 +0 +0 +[0-9]+ +root +5$' "$dir/out" ||
		complain "the exhausted one is missing: $(cat "$dir/out")"
	run ipcbox dlq lost --json
	is_json "$dir/out"
	out_has '"dead": "expired"'
	out_has '"origin_name": "q"'
	run ipcbox peek lost --headers --sequence 1
	out_has "length 4 expired in #$(field q id) as message 2"
	run ipcbox dlq lost --requeue
	status_is 0
	out_is "2 dead letters were sent again"
	run ipcbox recv q --all --verbose
	grep -q "priority 4 tag 77 length 4" "$dir/out" || complain "priority and tag are lost"
	[ "$(grep -v '^#' "$dir/out" | tr '\n' ' ')" = "late first " ] ||
		complain "got $(cat "$dir/out")"
	run ipcbox recv lost --all
	out_is "no dead letter"
}

test_dead_letters_stay_that_cannot_go() {
	ipcbox create lost -q
	ipcbox create q --dead-letter lost --max-messages 2 -q
	ipcbox send q --lifetime 10ms a b
	wait_field q buried 2
	ipcbox set q --max-messages 1
	run ipcbox dlq lost --requeue --quiet
	fails_with 1 "1 dead letter stays in queue 'lost'"
	field_is q messages 1
	field_is lost messages 1
	run ipcbox dlq lost --requeue --timeout 20ms --json
	status_is 1
	is_json "$dir/out"
	is_json "$dir/err"
	out_is '{"requeued": 0, "left": 1}'
	ipcbox recv q >/dev/null
	ipcbox rm q
	run ipcbox dlq lost
	out_has gone
	run ipcbox dlq lost --requeue --quiet
	fails_with 1 "stays"
	field_is lost messages 1
	field_is lost held 0
	run ipcbox dlq lost --sequence 99
	fails_with 3 "no such dead letter"
	run ipcbox recv lost
	out_is b
}

test_what_a_destroyed_object_had_is_a_dead_letter() {
	ipcbox create lost -q
	ipcbox create q --dead-letter lost -q
	ipcbox send q orphan
	ipcbox rm q
	run ipcbox dlq lost
	out_has destroyed
	run ipcbox recv lost --verbose
	out_has "destroyed in #"
}
