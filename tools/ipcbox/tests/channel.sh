# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
# shellcheck shell=sh disable=SC2154,SC2034
# Tests of the command: channel. Read by command.test.

test_files_pass_through_a_channel() {
	for size in 0 1 4095 65536 300001; do
		random $size "$dir/file"
		ipcbox channel send ring "$dir/file" --quiet &
		sender=$!
		run ipcbox channel recv ring "$dir/received" --quiet
		status_is 0
		wait $sender || complain "channel send failed"
		same_file "$dir/file" "$dir/received"
	done
	run ipcbox ls --json
	! grep -q ring "$dir/out" || complain "the channel is left"
}

test_a_channel_between_pipes() {
	random 200000 "$dir/file"
	ipcbox channel recv ring --size 16K --quiet >"$dir/received" &
	receiver=$!
	ipcbox channel send ring --size 16K --quiet <"$dir/file"
	wait $receiver || complain "channel recv failed"
	same_file "$dir/file" "$dir/received"
}

test_a_sender_that_dies_is_noticed() {
	# It waits for more to come.
	sleep 1000 | ipcbox channel send ring &
	sender=$!
	until ipcbox stat ring >/dev/null 2>&1; do :; done
	ipcbox channel recv ring "$dir/received" 2>"$dir/err" &
	receiver=$!
	until ipcbox stat ring --json | grep -q '"receive_handles": 1'; do :; done
	kill -KILL $sender
	wait $receiver
	status=$?
	status_is 8
}

test_channel_says_what_is_wrong() {
	run ipcbox channel push ring
	status_is 2
	run ipcbox channel send
	status_is 2
	run ipcbox channel send ring --size 3000
	status_is 1
	ipcbox create q -q
	run ipcbox channel send q
	status_is 9
}
