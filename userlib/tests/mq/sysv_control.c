/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* msgget(2), msgctl(2), ftok(3), permissions: sysvipc(7). */
#include <grp.h>
#include <limits.h>

#include "queues.h"

#define KEY		((key_t)0x1badcafe)
#define NO_QUEUE	0x7ffffff0

static void a_key_names_one_queue(void)
{
	int queue, other;

	fails(msgget(KEY, 0600), ENOENT);
	fails(msgget(KEY, IPC_EXCL | 0600), ENOENT);
	queue = works(msgget(KEY, IPC_CREAT | IPC_EXCL | 0600));
	fails(msgget(KEY, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	equal(msgget(KEY, IPC_CREAT | 0600), queue);
	equal(msgget(KEY, 0), queue);
	equal(msgget(KEY, IPC_EXCL), queue);
	other = works(msgget(-KEY, IPC_CREAT | 0600));
	check(other != queue);
	equal(state_of(queue).msg_perm.__key, KEY);
	equal(state_of(other).msg_perm.__key, -KEY);
	works(msgctl(queue, IPC_RMID, NULL));
	fails(msgget(KEY, 0), ENOENT);
	check(works(msgget(KEY, IPC_CREAT | 0600)) != queue);
}

static void private_queues_are_all_new(void)
{
	int first = works(msgget(IPC_PRIVATE, 0600));
	int second = works(msgget(IPC_PRIVATE, IPC_CREAT | IPC_EXCL | 0600));

	check(first != second);
	equal(state_of(first).msg_perm.__key, IPC_PRIVATE);
}

static void ftok_makes_keys(void)
{
	key_t key = ftok("/proc", 7);
	int queue = works(msgget(key, IPC_CREAT | 0600));

	equal(msgget(ftok("/proc", 7), 0), queue);
	fails(msgget(ftok("/proc", 8), 0), ENOENT);
}

static void a_new_queue_is_so(void)
{
	time_t now = time(NULL);
	int queue = works(msgget(KEY, IPC_CREAT | 01757));
	struct msqid_ds state = state_of(queue);
	struct msginfo info;

	equal(state.msg_perm.mode, 0757);
	equal(state.msg_perm.uid, geteuid());
	equal(state.msg_perm.cuid, geteuid());
	equal(state.msg_perm.gid, getegid());
	equal(state.msg_perm.cgid, getegid());
	equal(state.msg_qnum, 0);
	equal(state.msg_cbytes, 0);
	equal(state.msg_lspid, 0);
	equal(state.msg_lrpid, 0);
	equal(state.msg_stime, 0);
	equal(state.msg_rtime, 0);
	check(state.msg_ctime >= now - 1 && state.msg_ctime <= now + 60);
	works(msgctl(0, IPC_INFO, (struct msqid_ds *)(void *)&info));
	equal(state.msg_qbytes, info.msgmnb);
}

static void the_umask_is_not_taken_off(void *argument)
{
	(void)argument;
	equal(state_of(works(msgget(KEY, IPC_CREAT | 0666))).msg_perm.mode,
	      0666);
}

static void sends_from_a_child(void *argument)
{
	put_msg(*(int *)argument, 1, "abc");
	put_msg(*(int *)argument, 1, "defg");
}

static void state_follows_use(void)
{
	int queue = make_msg(0600);
	time_t now = time(NULL);
	struct msqid_ds state;
	pid_t child;

	join(tap_spawn(the_umask_is_not_taken_off, NULL));
	child = tap_spawn(sends_from_a_child, &queue);
	join(child);
	state = state_of(queue);
	equal(state.msg_qnum, 2);
	equal(state.msg_cbytes, 7);
	equal(state.msg_lspid, child);
	check(state.msg_stime >= now - 1);
	equal(state.msg_rtime, 0);
	expect_msg(queue, 0, 0, 1, "abc");
	state = state_of(queue);
	equal(state.msg_qnum, 1);
	equal(state.msg_cbytes, 4);
	equal(state.msg_lrpid, getpid());
	check(state.msg_rtime >= state.msg_stime);
}

static void gets_by_key(void *argument)
{
	int queue = *(int *)argument;
	struct msqid_ds state;

	become(ALICE);
	fails(msgget(KEY, 0600), EACCES);
	fails(msgget(KEY, 0200), EACCES);
	fails(msgget(KEY, 0002), EACCES);
	fails(msgget(KEY, IPC_CREAT | 0600), EACCES);
	fails(msgget(KEY, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	equal(msgget(KEY, 0400), queue);
	equal(msgget(KEY, 0), queue);
	works(msgctl(queue, IPC_STAT, &state));
	fails(msgctl(queue, IPC_SET, &state), EPERM);
	fails(msgctl(queue, IPC_RMID, NULL), EPERM);
	fails(msgctl(works(msgget(KEY + 1, 0)), IPC_STAT, &state), EACCES);
}

static void permissions_are_checked(void)
{
	int queue = works(msgget(KEY, IPC_CREAT | 0604));

	works(msgget(KEY + 1, IPC_CREAT | 0602));
	join(tap_spawn(gets_by_key, &queue));
}

static void gives_it_away(void *argument)
{
	int queue = *(int *)argument;
	struct msqid_ds state;

	become(ALICE);
	works(msgctl(queue, IPC_STAT, &state));
	state.msg_perm.uid = BOB;
	state.msg_perm.gid = BOB;
	state.msg_perm.mode = 0620;
	works(msgctl(queue, IPC_SET, &state));
}

static void bobs(void *argument)
{
	int queue = *(int *)argument;
	struct text_message message = { .type = 1 };
	struct msqid_ds state;

	become(BOB);
	state = state_of(queue);
	equal(state.msg_perm.uid, BOB);
	equal(state.msg_perm.gid, BOB);
	equal(state.msg_perm.cuid, ALICE);
	equal(state.msg_perm.cgid, ALICE);
	equal(state.msg_perm.mode, 0620);
	works(msgsnd(queue, &message, 1, IPC_NOWAIT));
	works(msgctl(queue, IPC_SET, &state));
}

static void alice_stays_like_an_owner(void *argument)
{
	int queue = *(int *)argument;
	struct text_message message = { .type = 1 };

	become(ALICE);
	works(msgsnd(queue, &message, 1, IPC_NOWAIT));
	works(msgctl(queue, IPC_RMID, NULL));
}

static void made_by_alice(void *argument)
{
	become(ALICE);
	*(int *)argument = works(msgget(KEY, IPC_CREAT | 0600));
}

static void owner_and_creator(void)
{
	int queue;

	join(tap_spawn(made_by_alice, &queue));
	queue = works(msgget(KEY, 0));
	join(tap_spawn(gives_it_away, &queue));
	join(tap_spawn(bobs, &queue));
	join(tap_spawn(alice_stays_like_an_owner, &queue));
	fails(msgget(KEY, 0), ENOENT);
}

static void of_the_group(void *argument)
{
	int queue = *(int *)argument;
	gid_t group = ALICE;
	struct text_message message = { .type = 1 };

	require(setgroups(1, &group) == 0);
	require(setresgid(BOB, BOB, BOB) == 0);
	require(setresuid(BOB, BOB, BOB) == 0);
	works(msgsnd(queue, &message, 1, IPC_NOWAIT));
	fails(msgrcv(queue, &message, 1, 0, IPC_NOWAIT), EACCES);
}

static void the_group_has_its_bits(void)
{
	int queue = make_msg(0620);
	struct msqid_ds state = state_of(queue);

	state.msg_perm.gid = ALICE;
	works(msgctl(queue, IPC_SET, &state));
	join(tap_spawn(of_the_group, &queue));
}

static void raises(void *argument)
{
	int queue = *(int *)argument;
	struct msqid_ds state;
	struct msginfo info;

	become(ALICE);
	works(msgctl(0, IPC_INFO, (struct msqid_ds *)(void *)&info));
	queue = make_msg(0600);
	state = state_of(queue);
	state.msg_qbytes = (msglen_t)info.msgmnb + 1;
	fails(msgctl(queue, IPC_SET, &state), EPERM);
	state.msg_qbytes = (msglen_t)info.msgmnb - 1;
	works(msgctl(queue, IPC_SET, &state));
	equal(state_of(queue).msg_qbytes, info.msgmnb - 1);
	state.msg_perm.uid = (uid_t)-1;
	fails(msgctl(queue, IPC_SET, &state), EINVAL);
}

static void set_changes_what_it_may(void)
{
	int queue = make_msg(0600);
	struct msqid_ds state = state_of(queue);
	struct msginfo info;

	works(msgctl(0, IPC_INFO, (struct msqid_ds *)(void *)&info));
	join(tap_spawn(raises, &queue));
	/* Only these fields count. */
	state.msg_qbytes = (msglen_t)info.msgmnb * 2;
	state.msg_perm.mode = 07640;
	state.msg_perm.cuid = 77;
	state.msg_qnum = 77;
	state.msg_lspid = 77;
	works(msgctl(queue, IPC_SET, &state));
	state = state_of(queue);
	equal(state.msg_qbytes, info.msgmnb * 2);
	equal(state.msg_perm.mode, 0640);
	equal(state.msg_perm.cuid, 0);
	equal(state.msg_qnum, 0);
	equal(state.msg_lspid, 0);
}

static void times_are_of_the_wall_clock(void)
{
	int queue = make_msg(0600);
	struct msqid_ds state = state_of(queue), later;

	shift_clock(1000);
	works(msgctl(queue, IPC_SET, &state));
	put_msg(queue, 1, "x");
	expect_msg(queue, 0, 0, 1, "x");
	later = state_of(queue);
	shift_clock(-1000);
	check(later.msg_ctime >= state.msg_ctime + 1000);
	check(later.msg_stime >= state.msg_ctime + 1000);
	check(later.msg_rtime >= later.msg_stime);
}

static void wrong_commands(void)
{
	int queue = make_msg(0600);
	struct msqid_ds state;

	fails(msgctl(queue, 77, &state), EINVAL);
	fails(msgctl(queue, -1, &state), EINVAL);
	fails(msgctl(-1, IPC_STAT, &state), EINVAL);
	fails(msgctl(NO_QUEUE, IPC_STAT, &state), EINVAL);
	fails(msgctl(NO_QUEUE, IPC_SET, &state), EINVAL);
	fails(msgctl(NO_QUEUE, IPC_RMID, NULL), EINVAL);
	fails(msgctl(queue, IPC_INFO, (void *)8), EFAULT);
	/* The C library converts it for 32 bits, and would fault there itself. */
	if (sizeof(long) == sizeof(int))
		return;
	fails(msgctl(queue, IPC_STAT, (void *)8), EFAULT);
	fails(msgctl(queue, IPC_SET, (void *)8), EFAULT);
}

static void all_are_found_by_their_place(void)
{
	struct msginfo info;
	struct msqid_ds state;
	int queues[3], found[3] = { 0 };
	int i, j, id, last;

	works(msgctl(0, MSG_INFO, (struct msqid_ds *)(void *)&info));
	equal(info.msgpool, 0);
	for (i = 0; i < 3; i++) {
		queues[i] = works(msgget(KEY + i, IPC_CREAT | 0600));
		put_msg(queues[i], 1, "12345");
	}
	last = works(msgctl(0, MSG_INFO, (struct msqid_ds *)(void *)&info));
	equal(info.msgpool, 3);
	equal(info.msgmap, 3);
	equal(info.msgtql, 15);
	equal(last, 2);
	equal(msgctl(0, IPC_INFO, (struct msqid_ds *)(void *)&info), 2);
	for (i = 0; i <= last; i++) {
		id = works(msgctl(i, i ? MSG_STAT : MSG_STAT_ANY, &state));
		for (j = 0; j < 3; j++)
			found[j] += id == queues[j] &&
				    state.msg_perm.__key == KEY + j;
	}
	for (j = 0; j < 3; j++)
		equal(found[j], 1);
	fails(msgctl(last + 1, MSG_STAT, &state), EINVAL);
}

/*
 * The end
 */

static void receives(void *argument)
{
	struct text_message message;

	about_to_block();
	fails(msgrcv(*(int *)argument, &message, 64, 7, 0), EIDRM);
	fails(msgrcv(*(int *)argument, &message, 64, 7, 0), EINVAL);
}

static void sends(void *argument)
{
	struct text_message message = { .type = 1 };

	about_to_block();
	fails(msgsnd(*(int *)argument, &message, 10, 0), EIDRM);
}

static void removing_it_wakes_all(void)
{
	int queue = make_msg(0600);
	struct msqid_ds state = state_of(queue);
	struct text_message message = { .type = 1 };
	struct blocked receivers[3], sender;
	int i;

	state.msg_qbytes = 10;
	works(msgctl(queue, IPC_SET, &state));
	works(msgsnd(queue, &message, 5, 0));
	for (i = 0; i < 3; i++)
		receivers[i] = begin_blocked(receives, &queue);
	for (i = 0; i < 3; i++)
		await_blocked(&receivers[i]);
	sender = begin_blocked(sends, &queue);
	await_blocked(&sender);
	works(msgctl(queue, IPC_RMID, NULL));
	for (i = 0; i < 3; i++)
		join(receivers[i].pid);
	join(sender.pid);
	fails(msgsnd(queue, &message, 1, IPC_NOWAIT), EINVAL);
	fails(msgrcv(queue, &message, 1, 0, IPC_NOWAIT), EINVAL);
	fails(msgctl(queue, IPC_STAT, &state), EINVAL);
	fails(msgctl(queue, IPC_RMID, NULL), EINVAL);
}

static void is_excluded(void *argument)
{
	struct text_message message;

	become(ALICE);
	about_to_block();
	fails(msgrcv(*(int *)argument, &message, 64, 0, 0), EACCES);
}

static void is_not_excluded(void *argument)
{
	struct text_message message;

	about_to_block();
	equal(msgrcv(*(int *)argument, &message, 64, 0, 0), 2);
}

static void new_permissions_are_for_who_waits_too(void)
{
	int queue = make_msg(0644);
	struct msqid_ds state = state_of(queue);
	struct blocked alice = begin_blocked(is_excluded, &queue), root;

	await_blocked(&alice);
	root = begin_blocked(is_not_excluded, &queue);
	await_blocked(&root);
	state.msg_perm.mode = 0600;
	works(msgctl(queue, IPC_SET, &state));
	join(alice.pid);
	await_sleeping(root.pid);
	put_msg(queue, 1, "on");
	join(root.pid);
}

TAP_MAIN(own_queues,
	 TAP_TEST(a_key_names_one_queue),
	 TAP_TEST(private_queues_are_all_new),
	 TAP_TEST(ftok_makes_keys),
	 TAP_TEST(a_new_queue_is_so),
	 TAP_TEST(state_follows_use),
	 TAP_TEST(permissions_are_checked),
	 TAP_TEST(owner_and_creator),
	 TAP_TEST(the_group_has_its_bits),
	 TAP_TEST(set_changes_what_it_may),
	 TAP_TEST(times_are_of_the_wall_clock),
	 TAP_TEST(wrong_commands),
	 TAP_TEST(all_are_found_by_their_place),
	 TAP_TEST(removing_it_wakes_all),
	 TAP_TEST(new_permissions_are_for_who_waits_too))
