# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# Tests of the command: work, call and serve. Read by command.test.

# work

test_work_runs_a_command_for_each_message() {
	ipcbox create q -q
	ipcbox send q --priority 2 --tag 9 one
	ipcbox send q 'two
lines' ''
	run ipcbox work q --count 3 -- sh -c \
		'echo "$IPCBOX_OBJECT $IPCBOX_SEQUENCE $IPCBOX_PRIORITY $IPCBOX_TAG $IPCBOX_UID $IPCBOX_LENGTH $IPCBOX_DELIVERIES $IPCBOX_CALL,$IPCBOX_DEAD: $(cat)"'
	status_is 0
	err_empty
	out_is "q 1 2 9 0 3 0 0,: one
q 2 0 0 0 9 0 0,: two
lines
q 3 0 0 0 0 0 0,: "
	field_is q received 3
	field_is q held 0
}

test_work_gives_back_what_fails() {
	ipcbox create q -q
	ipcbox send q job
	run ipcbox work q --count 1 --quiet -- sh -c 'exit 3'
	fails_with 1 "the command failed for 1 of 1 message"
	field_is q messages 1
	field_is q received 0
	run ipcbox work q --count 1 -- sh -c 'kill -9 $$'
	status_is 1
	grep -qF "ipcbox: work: message 1: the command was killed by signal 9, and it was given back" "$dir/err" ||
		complain "it was not said: $(cat "$dir/err")"
	run ipcbox work q --count 2 --quiet -- sh -c 'test $IPCBOX_DELIVERIES -gt 2'
	status_is 1
	field_is q received 1
	field_is q messages 0
}

test_work_without_its_command() {
	ipcbox create q -q
	ipcbox send q job
	run ipcbox work q -- /no/such/command
	fails_with 1 "cannot run '/no/such/command'"
	field_is q messages 1
	for arguments in "work q" "work" "work q --workers 0 -- true" \
		"work q --workers 257 -- true" "work q --count 0 -- true" \
		"serve q" "serve" "serve id:1 --listen -- true" "call" "call q a b" \
		"call q a --file /dev/null" "call q --max-reply 0"; do
		# shellcheck disable=SC2086
		run ipcbox $arguments
		fails_with 2 "ipcbox: "
	done
	run ipcbox work nothing -- true
	fails_with 4 "nothing"
}

test_work_gives_up_in_time() {
	ipcbox create q -q
	ipcbox send q a b
	run ipcbox work q --timeout 30ms -- cat
	fails_with 3 "nothing came to queue 'q' within 30 ms; 2 messages were done, and 0 given back"
	out_is ab
}

test_work_runs_several_at_once() {
	ipcbox create q -q
	ipcbox send q a b c d
	ipcbox work q --workers 3 --count 4 -- sh -c 'until [ -e "$0" ]; do usleep 10000; done' "$dir/gate" &
	worker=$!
	wait_field q held 3
	field_is q messages 1
	: >"$dir/gate"
	wait $worker || complain "work failed"
	field_is q held 0
	field_is q received 4
}

test_a_killed_workers_job_is_done_by_another() {
	ipcbox create q -q
	ipcbox send q job
	ipcbox work q -- sh -c 'echo $$ >"$0/child"; exec sleep 1000' "$dir" &
	first=$!
	wait_field q held 1
	until [ -s "$dir/child" ]; do
		usleep 10000
	done
	ipcbox work q --count 1 -- sh -c 'echo "$(cat) after $IPCBOX_DELIVERIES"' >"$dir/done" &
	second=$!
	wait_field q receivers_waiting 1
	kill -9 $first
	wait $first 2>/dev/null
	wait $second || complain "the other worker failed"
	[ "$(cat "$dir/done")" = "job after 1" ] || complain "it did: $(cat "$dir/done")"
	tries=0
	while kill -0 "$(cat "$dir/child")" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 500 ] || {
			complain "the killed worker's command goes on"
			break
		}
		usleep 10000
	done
}

test_ctrl_c_in_work_gives_back() {
	ipcbox create q -q
	ipcbox send q job
	kill_when INT q held 1 &
	killable ipcbox work q --quiet -- sleep 1000
	fails_with 130 "interrupted: 0 messages were done, and 1 given back"
	wait $!
	field_is q messages 1
	field_is q held 0
	kill_when TERM q receivers_waiting 1 &
	ipcbox recv q -q >/dev/null
	killable ipcbox work q -- true
	fails_with 143 "0 messages were done, and 0 given back"
	wait $!
}

test_work_is_told_that_the_sender_gave_up() {
	ipcbox create q -q
	ipcbox work q --count 1 --json -- sh -c 'until [ -e "$0" ]; do usleep 10000; done' "$dir/gate" >"$dir/out" 2>"$dir/err" &
	worker=$!
	wait_field q receivers_waiting 1
	ipcbox send q --sync --timeout 2s job 2>/dev/null
	field_is q held 1
	: >"$dir/gate"
	wait $worker || complain "work failed"
	command="work for a sender that gave up"
	is_json "$dir/err"
	is_json "$dir/out"
	out_is '{"done": 0, "failed": 0, "withdrawn": 1}'
	field_is q withdrawn 1
}

# call, serve

# Starts a server, and waits for it to be there.
start_server() {
	ipcbox serve m --listen "$@" 2>"$dir/server" &
	server=$!
	wait_field m receivers_waiting 1
}

end_server() {
	kill "$server"
	wait "$server" 2>/dev/null
}

test_a_call_is_replied_to() {
	start_server -- tr a-z A-Z
	run ipcbox call m 'hello
there'
	status_is 0
	err_empty
	out_is "HELLO
THERE"
	printf 'from a file' >"$dir/file"
	run ipcbox call m --file "$dir/file"
	out_is "FROM A FILE"
	run sh -c 'printf piped | ipcbox call m --file -'
	out_is PIPED
	run ipcbox call m
	status_is 0
	out_is ""
	run ipcbox call m --json x
	is_json "$dir/out"
	out_has '"data": "X"'
	end_server
}

test_a_server_knows_its_caller() {
	start_server -- sh -c 'echo "$IPCBOX_UID $IPCBOX_TAG $IPCBOX_PRIORITY $IPCBOX_CALL $IPCBOX_LENGTH"'
	run ipcbox call m --tag 0x20 --priority 3 four
	out_is "0 32 3 1 4"
	end_server
}

test_large_requests_and_replies() {
	ipcbox create m --kind mailbox --max-message 1M -q
	ipcbox serve m -- cat 2>/dev/null &
	server=$!
	wait_field m receivers_waiting 1
	random 1048576 "$dir/large"
	ipcbox call m --file "$dir/large" >"$dir/reply" || complain "call failed"
	same_file "$dir/large" "$dir/reply"
	run sh -c 'head -c 1048577 /dev/zero | ipcbox call m --file -'
	fails_with 1 "takes 1 MiB at most"
	end_server
}

test_a_failing_command_ends_the_call() {
	start_server --quiet -- sh -c 'echo sorry; exit 7'
	run ipcbox call m x
	fails_with 10 "the command that serves mailbox 'm' failed with status 7"
	out_is sorry
	field_is m messages 0
	end_server
	start_server --quiet -- sh -c 'kill -9 $$'
	run ipcbox call m x
	fails_with 10 "was killed by signal 9"
	end_server
}

test_a_reply_that_is_too_long_ends_the_call() {
	start_server --quiet -- head -c 1000 /dev/zero
	run ipcbox call m --max-reply 999
	fails_with 10 "too long"
	run ipcbox call m --max-reply 1000
	status_is 0
	end_server
	start_server --quiet -- yes
	run ipcbox call m
	fails_with 10 "too long"
	end_server
}

test_a_call_without_a_server() {
	ipcbox create q -q
	run ipcbox call q x --timeout 20ms
	fails_with 3 "there was no reply from queue 'q' within 20 ms"
	field_is q messages 0
	run ipcbox call q x --lifetime 20ms
	fails_with 3 "20 ms"
	run ipcbox call nothing x
	fails_with 4 "nothing"
	ipcbox call q x 2>"$dir/complaint" &
	caller=$!
	wait_field q messages 1
	ipcbox rm q
	wait $caller
	status=$?
	cp "$dir/complaint" "$dir/err"
	command="call of what is removed"
	fails_with 8 "no receiver"
}

test_a_server_that_dies_ends_its_calls() {
	start_server --workers 2 -- sleep 1000
	ipcbox call m one 2>"$dir/complaint" &
	first=$!
	ipcbox call m two 2>/dev/null &
	second=$!
	wait_field m held 2
	kill -9 $server
	wait $server 2>/dev/null
	wait $first
	status=$?
	cp "$dir/complaint" "$dir/err"
	command="call whose server died"
	fails_with 8 "ended without a reply"
	wait $second
	[ $? -eq 8 ] || complain "the other call did not end so"
}

test_ctrl_c_in_call_withdraws() {
	ipcbox create q -q
	kill_when INT q messages 1 &
	killable ipcbox call q x
	fails_with 130 "the request was withdrawn"
	wait $!
	field_is q messages 0
}

test_many_calls_at_once() {
	start_server --workers 4 -- sed 's/$/!/'
	for i in $(seq 12); do
		ipcbox call m "call $i" >"$dir/reply-$i" &
		callers="$callers $!"
	done
	for caller in $callers; do
		wait "$caller" || complain "a call failed"
	done
	for i in $(seq 12); do
		[ "$(cat "$dir/reply-$i")" = "call $i!" ] ||
			complain "call $i got $(cat "$dir/reply-$i")"
	done
	end_server
}

test_serve_ends_after_its_count() {
	ipcbox create m --kind mailbox -q
	ipcbox serve m --count 2 -- cat >"$dir/printed" &
	server=$!
	run ipcbox call m one
	out_is one
	ipcbox send m plain
	wait $server || complain "serve failed"
	[ "$(cat "$dir/printed")" = plain ] || complain "it printed $(cat "$dir/printed")"
	field_is m messages 0
	field_is m received 2
}

test_serve_does_not_wait_for_what_its_command_left() {
	start_server -- sh -c 'sleep 1000 & echo $! >"$0/left"; echo reply' "$dir"
	run ipcbox call m --timeout 20s
	out_is reply
	kill "$(cat "$dir/left")"
	end_server
}

test_ctrl_c_in_serve_says_what_was_done() {
	ipcbox create m --kind mailbox -q
	{
		wait_field m receivers_waiting 1
		ipcbox call m x >/dev/null
		kill_when INT m receivers_waiting 1
	} &
	killable ipcbox serve m -- cat
	fails_with 130 "interrupted: 1 message was answered, 0 of them with a failure"
	wait $!
}

test_a_caller_of_recv_is_told() {
	ipcbox create q -q
	ipcbox call q request 2>"$dir/complaint" &
	caller=$!
	wait_field q messages 1
	run ipcbox recv q
	status_is 0
	out_is request
	err_has "waits for a reply"
	wait $caller
	status=$?
	cp "$dir/complaint" "$dir/err"
	command="call taken by recv"
	fails_with 8 "without a reply"
}

test_a_caller_of_work_gets_an_empty_reply() {
	ipcbox create q -q
	ipcbox call q request >"$dir/reply" &
	caller=$!
	run ipcbox work q --count 1 -- cat
	status_is 0
	out_is request
	wait $caller || complain "call failed"
	[ ! -s "$dir/reply" ] || complain "it got $(cat "$dir/reply")"
}
