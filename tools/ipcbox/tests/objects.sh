# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
# shellcheck shell=sh disable=SC2154,SC2034
# Tests of the command: create, ls, stat, rm. Read by command.test.

# create

test_create_makes_a_queue_that_outlives_the_command() {
	run ipcbox create q
	status_is 0
	err_empty
	out_has "queue 'q' (id:"
	field_is q kind queue
	field_is q mode 0600
	field_is q persistent true
	field_is q handles 0
}

test_create_makes_a_mailbox_with_limits() {
	run ipcbox create m --kind mailbox --max-messages 7 --max-bytes 64K --max-message 1.5K
	status_is 0
	field_is m kind mailbox
	field_is m max_messages 7
	field_is m max_bytes 65536
	field_is m max_message_bytes 1536
}

test_create_makes_a_mailbox_with_a_receive_pool() {
	run ipcbox create m --kind mailbox --pool 64K
	status_is 0
	field_is m mapped_bytes 65536
	run ipcbox stat m
	out_has "receive pool     64 KiB, not mapped"
	printf one | ipcbox send m -q
	run ipcbox recv m
	status_is 0
	out_has one
	run ipcbox create q --pool 64K
	fails_with 2 "--pool is for mailboxes"
	run ipcbox create n --kind mailbox --pool 65K
	fails_with 2 "not a power of two"
	run ipcbox create m --kind mailbox
	fails_with 9 "receive pool"
}

test_create_takes_the_mode_exactly() {
	run sh -c 'umask 077; ipcbox create a -m 0622; ipcbox create b -m 666; ipcbox create c -m 0'
	status_is 0
	field_is a mode 0622
	field_is b mode 0666
	field_is c mode 0000
}

test_create_applies_the_umask_to_the_default_mode() {
	run sh -c 'umask 0277; ipcbox create q'
	field_is q mode 0400
}

test_create_leaves_an_existing_object_alone() {
	ipcbox create q --max-messages 3 -q
	run ipcbox create q --max-messages 9
	status_is 0
	out_has "already"
	field_is q max_messages 3
	run ipcbox create q --exclusive
	fails_with 9 "'q' is there already"
	run ipcbox create q --kind mailbox
	fails_with 9 "is no mailbox"
}

test_create_refuses_bad_arguments() {
	for arguments in "" "a b" "a/b" "#5" "id:5" "q --kind stack" "q --mode 888" \
		"q --mode 0777" "q --max-messages 0" "q --max-messages x" \
		"q --max-bytes 0" "q --max-bytes 1Q" "q --max-message -1" \
		"q r" "q --nonsense"; do
		# shellcheck disable=SC2086
		run ipcbox create $arguments
		fails_with 2 "create: "
	done
	run ipcbox create "$(printf 'a%.0s' $(seq 64))"
	fails_with 2 "63 bytes"
	run ipcbox create ""
	fails_with 2 "empty"
	run ipcbox ls --quiet
	out_is ""
}

test_create_names_the_limit_that_is_too_large() {
	run ipcbox create q --max-messages 99999999999
	fails_with 7 "--max-messages"
	run ipcbox create q --max-bytes 4T
	fails_with 7 "--max-bytes"
	run ipcbox create q --max-message 1G
	fails_with 7 "--max-message"
	run ipcbox create q --max-bytes 1K --max-message 2K
	fails_with 7 "--max-message"
}

test_create_takes_a_name_of_63_bytes() {
	name=$(printf 'n%.0s' $(seq 63))
	run ipcbox create "$name"
	status_is 0
	field_is "$name" name "$name"
}

# ls, stat, rm

test_ls_shows_what_is_there() {
	run ipcbox ls
	status_is 0
	out_is ""
	ipcbox create one -q
	ipcbox create two --kind mailbox -q
	ipcbox send two hello
	run ipcbox ls
	status_is 0
	err_empty
	[ "$(wc -l <"$dir/out")" -eq 3 ] || complain "ls printed $(wc -l <"$dir/out") lines"
	grep -Eq "^ *[0-9]+ +two +mailbox +root +0600 +1 of 1024 +5 B of 8 MiB +0 +0 +0 +yes +-\$" "$dir/out" ||
		complain "ls does not show the mailbox: $(cat "$dir/out")"
	run ipcbox ls --json
	status_is 0
	is_json "$dir/out"
	out_has '"name": "two"'
}

test_ls_columns_are_aligned() {
	ipcbox create a -q
	ipcbox create a-rather-long-name --max-messages 100000 -q
	run ipcbox ls
	columns=$(sed 's/KIND.*//' "$dir/out" | head -n 1 | wc -c)
	[ "$(cut -c "$columns-" "$dir/out" | cut -d ' ' -f 1 | tr '\n' ' ')" = "KIND queue queue " ] ||
		complain "columns are not aligned: $(cat "$dir/out")"
}

test_stat_shows_one_object() {
	ipcbox create q -q
	ipcbox send q abc de
	run ipcbox stat q
	status_is 0
	out_has "queue 'q'"
	out_has "messages         2 of 1024"
	out_has "sent             2 messages, 5 B"
	run ipcbox stat q --json
	is_json "$dir/out"
	field_is q bytes 5
	field_is q sent 2
}

test_stat_takes_an_id() {
	ipcbox create q -q
	id=$(field q id)
	run ipcbox stat "#$id"
	status_is 0
	out_has "queue 'q'"
	run ipcbox stat "id:$id"
	status_is 0
	run ipcbox stat id:999999
	fails_with 4 "#999999"
	run ipcbox stat "$id"
	fails_with 4 "type id:$id"
}

test_stat_of_nothing_fails() {
	run ipcbox stat nothing
	fails_with 4 "no object 'nothing'"
	run ipcbox stat
	fails_with 2 "NAME"
	run ipcbox stat nothing --json
	status_is 4
	out_is ""
	is_json "$dir/err"
	grep -q '^{"error": {.*"exit": 4, "errno": "ENOENT"}}$' "$dir/err" ||
		complain "the error is $(cat "$dir/err")"
}

test_rm_removes() {
	ipcbox create a -q
	ipcbox create b -q
	ipcbox create c -q
	run ipcbox rm a "id:$(field b id)"
	status_is 0
	out_is ""
	run ipcbox ls --quiet
	[ "$(wc -l <"$dir/out")" -eq 2 ] || complain "rm left: $(cat "$dir/out")"
	run ipcbox rm a
	fails_with 4 "no object 'a'"
	run ipcbox rm -f a c --json
	status_is 0
	out_is '{"removed": ["c"]}'
	run ipcbox rm
	fails_with 2 "NAME"
}
