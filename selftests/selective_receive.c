// SPDX-License-Identifier: GPL-2.0
/*
 * Receivers that choose: by tag, sender and number; what they do not choose stays
 * in its place for others. And PEEK, which takes nothing.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>

#include "kselftest_harness.h"
#include "box.h"

FIXTURE(select)
{
	int dev;
	int fd;			/* a queue of eight messages, 0 to 7 */
};

FIXTURE_SETUP(select)
{
	__u32 i;

	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, 8, 0, 0);
	ASSERT_LE(0, self->fd);
	/* Tag and payload are the number, the sequence is one more. */
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(1, box_put(self->fd, i));
	}
}

FIXTURE_TEARDOWN(select)
{
	struct ipcbox_stat stat;

	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.receivers_waiting);
	EXPECT_EQ(0, stat.senders_waiting);
	EXPECT_TRUE(box_adds_up(self->fd));
	close(self->fd);
	close(self->dev);
}

/* One message; returns its number, or an errno. */
static int select_one(int fd, struct ipcbox_receive *receive)
{
	__u32 number = 0;
	struct ipcbox_incoming in = {
		.data = (uintptr_t)&number,
		.capacity = sizeof(number),
	};
	int ret = box_select(fd, receive, &in, 1);

	return ret == 1 ? (int)number : ret;
}

static int by_tag(int fd, __u64 tag, __u64 mask, __u32 flags)
{
	struct ipcbox_receive receive = {
		.flags = IPCBOX_SELECT_TAG | flags,
		.deadline = IPCBOX_FOREVER,
		.tag = tag,
		.tag_mask = mask,
	};

	return select_one(fd, &receive);
}

static int by_pid(int fd, pid_t pid, __u32 flags)
{
	struct ipcbox_receive receive = {
		.flags = IPCBOX_SELECT_PID | flags,
		.deadline = IPCBOX_FOREVER,
		.pid = pid,
	};

	return select_one(fd, &receive);
}

static int by_sequence(int fd, __u64 sequence, __u32 flags)
{
	struct ipcbox_receive receive = {
		.flags = IPCBOX_SELECT_SEQUENCE | flags,
		.deadline = IPCBOX_FOREVER,
		.sequence = sequence,
	};

	return select_one(fd, &receive);
}

static void expect_rest(struct __test_metadata *_metadata, int fd,
			const char *rest)
{
	__u32 number;

	for (; *rest; rest++) {
		EXPECT_EQ(1, box_get(fd, &number));
		EXPECT_EQ(*rest - '0', number);
	}
	EXPECT_EQ(-EAGAIN, box_get(fd, &number));
}

TEST_F(select, by_tag_in_order)
{
	const __u64 all = -1;

	EXPECT_EQ(5, by_tag(self->fd, 5, all, 0));
	EXPECT_EQ(-EAGAIN, by_tag(self->fd, 5, all, IPCBOX_NOWAIT));
	/* The oldest of those that match; bits out of the mask do not count. */
	EXPECT_EQ(1, by_tag(self->fd, 1, 1, 0));
	EXPECT_EQ(3, by_tag(self->fd, 0xff01, 1, 0));
	EXPECT_EQ(7, by_tag(self->fd, 1, 1, 0));
	EXPECT_EQ(-EAGAIN, by_tag(self->fd, 1, 1, IPCBOX_NOWAIT));
	/* No bit counts: any. */
	EXPECT_EQ(0, by_tag(self->fd, 77, 0, 0));
	EXPECT_EQ(-EAGAIN, by_tag(self->fd, 1ull << 63, 1ull << 63,
				  IPCBOX_NOWAIT));
	expect_rest(_metadata, self->fd, "246");
}

TEST_F(select, by_any_tag_but_one)
{
	const __u64 all = -1;

	EXPECT_EQ(1, by_tag(self->fd, 0, all, IPCBOX_SELECT_TAG_NOT));
	EXPECT_EQ(2, by_tag(self->fd, 0, all, IPCBOX_SELECT_TAG_NOT));
	EXPECT_EQ(0, by_tag(self->fd, 1, 1, IPCBOX_SELECT_TAG_NOT));
	EXPECT_EQ(4, by_tag(self->fd, 1, 1, IPCBOX_SELECT_TAG_NOT));
	EXPECT_EQ(6, by_tag(self->fd, 0xff01, 1, IPCBOX_SELECT_TAG_NOT));
	EXPECT_EQ(-EAGAIN, by_tag(self->fd, 1, 1, IPCBOX_SELECT_TAG_NOT |
						  IPCBOX_NOWAIT));
	/* All are equal where no bit counts. */
	EXPECT_EQ(-EAGAIN, by_tag(self->fd, 0, 0, IPCBOX_SELECT_TAG_NOT |
						  IPCBOX_NOWAIT));
	expect_rest(_metadata, self->fd, "357");
}

TEST_F(select, by_the_lowest_tag)
{
	const __u32 lowest = IPCBOX_SELECT_TAG_LOWEST | IPCBOX_NOWAIT;
	const __u64 all = -1;
	const char *text = "53153";
	__u32 number;

	while (box_get(self->fd, &number) == 1)
		;
	for (; *text; text++)
		ASSERT_EQ(1, box_put(self->fd, *text - '0'));
	EXPECT_EQ(-EAGAIN, by_tag(self->fd, 0, all, lowest));
	EXPECT_EQ(1, by_tag(self->fd, 3, all, lowest));
	EXPECT_EQ(3, by_tag(self->fd, 4, all, lowest));
	EXPECT_EQ(-EAGAIN, by_tag(self->fd, 2, all, lowest));
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(2, by_tag(self->fd, all, all, lowest));
	/* The oldest of the lowest, but the highest priority goes before. */
	EXPECT_EQ(1, box_put_priority(self->fd, 3, 1));
	EXPECT_EQ(1, box_put_priority(self->fd, 5, 1));
	EXPECT_EQ(3, by_tag(self->fd, 5, all, lowest));
	expect_rest(_metadata, self->fd, "5553");
}

TEST_F(select, by_tag_the_highest_priority_first)
{
	__u32 number;

	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(1, box_put_priority(self->fd, 9, 5));
	EXPECT_EQ(9, by_tag(self->fd, 1, 1, 0));
	EXPECT_EQ(1, by_tag(self->fd, 1, 1, 0));
	expect_rest(_metadata, self->fd, "234567");
}

TEST_F(select, by_sequence)
{
	EXPECT_EQ(4, by_sequence(self->fd, 5, 0));
	EXPECT_EQ(-EAGAIN, by_sequence(self->fd, 5, IPCBOX_NOWAIT));
	EXPECT_EQ(-EAGAIN, by_sequence(self->fd, 0, IPCBOX_NOWAIT));
	EXPECT_EQ(-EAGAIN, by_sequence(self->fd, 9, IPCBOX_NOWAIT));
	expect_rest(_metadata, self->fd, "0123567");
}

TEST_F(select, by_pid)
{
	pid_t child;
	__u32 number;

	EXPECT_EQ(1, box_get(self->fd, &number));
	child = box_fork();
	if (!child) {
		CHECK_EQ(1, box_put(self->fd, 9));
		pause();
	}
	EXPECT_EQ(0, box_await_messages(self->fd, 8));
	EXPECT_EQ(9, by_pid(self->fd, child, 0));
	EXPECT_EQ(-EAGAIN, by_pid(self->fd, child, IPCBOX_NOWAIT));
	EXPECT_EQ(1, by_pid(self->fd, getpid(), 0));
	EXPECT_EQ(2, by_pid(self->fd, getpid(), 0));
	kill(child, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child));
	EXPECT_EQ(-ENOENT, by_pid(self->fd, child, IPCBOX_NOWAIT));
	expect_rest(_metadata, self->fd, "34567");
}

TEST_F(select, by_all_that_is_asked)
{
	struct ipcbox_receive receive = {
		.flags = IPCBOX_SELECT_TAG | IPCBOX_SELECT_PID |
			 IPCBOX_SELECT_SEQUENCE | IPCBOX_NOWAIT,
		.tag = 1,
		.tag_mask = 1,
		.sequence = 4,
		.pid = getpid(),
	};

	receive.sequence = 5;
	EXPECT_EQ(-EAGAIN, select_one(self->fd, &receive));
	receive.sequence = 4;
	receive.tag = 0;
	EXPECT_EQ(-EAGAIN, select_one(self->fd, &receive));
	receive.tag = 1;
	receive.pid = getppid();
	EXPECT_EQ(-EAGAIN, select_one(self->fd, &receive));
	receive.pid = getpid();
	EXPECT_EQ(3, select_one(self->fd, &receive));
	expect_rest(_metadata, self->fd, "0124567");
}

TEST_F(select, pids_are_those_of_the_caller)
{
	pid_t child = box_fork();
	__u32 number;

	if (!child) {
		pid_t inner;

		CHECK_EQ(0, unshare(CLONE_NEWPID));
		inner = box_fork();
		if (!inner) {
			CHECK_EQ(1, getpid());
			CHECK_EQ(1, box_get(self->fd, &number));
			CHECK_EQ(1, box_put(self->fd, 9));
			/* Here it is 1; the others cannot be named. */
			CHECK_EQ(9, by_pid(self->fd, 1, IPCBOX_NOWAIT));
			CHECK_EQ(-ENOENT, by_pid(self->fd, 12345,
						 IPCBOX_NOWAIT));
			CHECK_EQ(1, box_put(self->fd, 10));
			pause();
		}
		CHECK_EQ(0, box_await_sent(self->fd, 10));
		/* And here it is not 1. */
		CHECK_EQ(10, by_pid(self->fd, inner, IPCBOX_NOWAIT));
		kill(inner, SIGKILL);
		box_wait(inner);
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	expect_rest(_metadata, self->fd, "1234567");
}

TEST_F(select, a_batch_and_tokens)
{
	struct ipcbox_receive receive = {
		.flags = IPCBOX_SELECT_TAG | IPCBOX_HOLD,
		.deadline = IPCBOX_FOREVER,
		.tag = 1,
		.tag_mask = 1,
	};
	struct ipcbox_incoming in[8] = { };
	__u32 number[8];
	int i;

	for (i = 0; i < 8; i++) {
		in[i].data = (uintptr_t)&number[i];
		in[i].capacity = 4;
	}
	EXPECT_EQ(4, box_select(self->fd, &receive, in, 8));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(2 * i + 1, number[i]);
		EXPECT_EQ(0, box_settle(self->fd, in[i].token, i % 2 ?
					IPCBOX_NACK : IPCBOX_ACK));
	}
	expect_rest(_metadata, self->fd, "023467");
}

TEST_F(select, one_that_does_not_fit_stays)
{
	struct ipcbox_receive receive = {
		.flags = IPCBOX_SELECT_TAG | IPCBOX_NOWAIT,
		.tag = 5,
		.tag_mask = -1,
	};
	struct ipcbox_incoming in = { };

	EXPECT_EQ(-EMSGSIZE, box_select(self->fd, &receive, &in, 1));
	EXPECT_EQ(4, in.length);
	expect_rest(_metadata, self->fd, "01234567");
}

static pid_t fork_by_tag(int fd, __u64 tag, __u64 mask)
{
	pid_t child = box_fork();

	if (!child)
		_exit(by_tag(fd, tag, mask, 0));
	return child;
}

TEST_F(select, the_first_that_matches_gets_it)
{
	pid_t child[5];
	__u32 number;
	int i;

	while (box_get(self->fd, &number) == 1)
		;
	child[0] = fork_by_tag(self->fd, 9, -1);
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	child[1] = fork_by_tag(self->fd, 1, 1);
	EXPECT_EQ(0, box_await_receivers(self->fd, 2));
	child[2] = fork_by_tag(self->fd, 9, -1);
	EXPECT_EQ(0, box_await_receivers(self->fd, 3));
	child[3] = box_fork();
	if (!child[3]) {
		CHECK_EQ(1, box_get_wait(self->fd, &number));
		_exit(number);
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, 4));
	child[4] = fork_by_tag(self->fd, 0, 1);
	EXPECT_EQ(0, box_await_receivers(self->fd, 5));

	for (i = 0; i < 3; i++) {
		EXPECT_EQ(1, box_put(self->fd, 9));
		EXPECT_EQ(9, box_wait(child[i]));
		EXPECT_EQ(0, box_await_receivers(self->fd, 4 - i));
	}
	/* The plain one came before the last one. */
	EXPECT_TRUE(box_is_running(child[3]));
	EXPECT_EQ(1, box_put(self->fd, 8));
	EXPECT_EQ(8, box_wait(child[3]));
	/* What the last one does not want stays, and does not wake it. */
	EXPECT_EQ(1, box_put(self->fd, 7));
	EXPECT_EQ(0, box_await_messages(self->fd, 1));
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(1, box_put(self->fd, 6));
	EXPECT_EQ(6, box_wait(child[4]));
	expect_rest(_metadata, self->fd, "7");
}

static pid_t fork_wide(int fd, __u64 tag, __u32 flag)
{
	pid_t child = box_fork();

	if (!child)
		_exit(by_tag(fd, tag, -1, flag));
	return child;
}

TEST_F(select, those_who_want_many_tags_wait_for_one)
{
	pid_t lowest, not, tag;
	__u32 number;

	while (box_get(self->fd, &number) == 1)
		;
	lowest = fork_wide(self->fd, 3, IPCBOX_SELECT_TAG_LOWEST);
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	not = fork_wide(self->fd, 4, IPCBOX_SELECT_TAG_NOT);
	EXPECT_EQ(0, box_await_receivers(self->fd, 2));
	tag = fork_wide(self->fd, 3, 0);
	EXPECT_EQ(0, box_await_receivers(self->fd, 3));

	EXPECT_EQ(1, box_put(self->fd, 4));
	EXPECT_EQ(0, box_await_messages(self->fd, 1));
	EXPECT_EQ(0, box_await_receivers(self->fd, 3));
	/* All three want this one: who came first gets it, and so on. */
	EXPECT_EQ(1, box_put(self->fd, 3));
	EXPECT_EQ(3, box_wait(lowest));
	EXPECT_EQ(1, box_put(self->fd, 3));
	EXPECT_EQ(3, box_wait(not));
	EXPECT_EQ(1, box_put(self->fd, 3));
	EXPECT_EQ(3, box_wait(tag));
	expect_rest(_metadata, self->fd, "4");
}

TEST_F(select, a_full_object_does_not_keep_it_away)
{
	pid_t child, sender;

	EXPECT_EQ(-EAGAIN, box_put(self->fd, 9));
	/* Nobody else may come in, but this one is waited for. */
	child = fork_by_tag(self->fd, 9, -1);
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(-EAGAIN, box_put(self->fd, 10));
	EXPECT_EQ(1, box_put(self->fd, 9));
	EXPECT_EQ(9, box_wait(child));

	/* The other way round: the sender waits first. */
	sender = box_fork();
	if (!sender) {
		CHECK_EQ(1, box_put_wait(self->fd, 11));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	EXPECT_EQ(-EAGAIN, by_tag(self->fd, 12, -1, IPCBOX_NOWAIT));
	EXPECT_EQ(11, by_tag(self->fd, 11, -1, 0));
	EXPECT_EQ(0, box_wait(sender));
	sender = box_fork();
	if (!sender) {
		CHECK_EQ(1, box_put_wait(self->fd, 13));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	EXPECT_EQ(13, by_tag(self->fd, 13, -1, IPCBOX_NOWAIT));
	EXPECT_EQ(0, box_wait(sender));
	expect_rest(_metadata, self->fd, "01234567");
}

/* Fork one who sends that many bytes with a tag, and waits for room. */
static pid_t fork_sender(int fd, __u32 length, __u64 tag)
{
	static const char data[100];
	pid_t child = box_fork();

	if (!child) {
		CHECK_EQ(1, box_send(fd, data, length, 0, tag, 0,
				     IPCBOX_FOREVER));
		_exit(0);
	}
	return child;
}

TEST_F(select, what_is_taken_from_the_waiting_lets_in_who_stood_behind)
{
	int fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, 8, 100, 100);
	struct ipcbox_receive receive = {
		.flags = IPCBOX_SELECT_TAG | IPCBOX_NOWAIT,
		.tag = 2,
		.tag_mask = -1,
	};
	char data[100];
	struct ipcbox_incoming in = {
		.data = (uintptr_t)data,
		.capacity = sizeof(data),
	};
	pid_t large, small;

	ASSERT_LE(0, fd);
	EXPECT_EQ(1, box_send(fd, data, 50, 0, 1, IPCBOX_NOWAIT, 0));
	large = fork_sender(fd, 80, 2);
	EXPECT_EQ(0, box_await_senders(fd, 1));
	small = fork_sender(fd, 10, 3);
	EXPECT_EQ(0, box_await_senders(fd, 2));
	EXPECT_EQ(1, box_select(fd, &receive, &in, 1));
	EXPECT_EQ(80, in.length);
	EXPECT_EQ(0, box_wait(large));
	/* There is room for this one now. */
	EXPECT_EQ(0, box_wait(small));
	EXPECT_EQ(0, box_await_messages(fd, 2));
	close(fd);
}

TEST_F(select, waits_to_its_deadline_only)
{
	struct ipcbox_receive receive = {
		.flags = IPCBOX_SELECT_TAG,
		.tag = 9,
		.tag_mask = -1,
	};
	pid_t child;

	receive.deadline = box_in_ms(20);
	EXPECT_EQ(-ETIMEDOUT, select_one(self->fd, &receive));
	EXPECT_LE(receive.deadline, box_now());
	child = fork_by_tag(self->fd, 9, -1);
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	kill(child, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child));
	EXPECT_EQ(0, box_await_receivers(self->fd, 0));
	EXPECT_EQ(-EAGAIN, box_put(self->fd, 9));
	expect_rest(_metadata, self->fd, "01234567");
}

TEST_F(select, no_sender_any_more_is_epipe)
{
	int fd = box_open_id(self->dev, box_id(self->fd), R);
	pid_t child;

	ASSERT_LE(0, fd);
	child = box_fork();
	if (!child) {
		close(self->fd);
		_exit(-by_tag(fd, 9, -1, 0));
	}
	EXPECT_EQ(0, box_await_receivers(fd, 1));
	close(self->fd);
	self->fd = fd;
	EXPECT_EQ(0, box_unlink_id(self->dev, box_id(fd)));
	EXPECT_EQ(EPIPE, box_wait(child));
	EXPECT_EQ(3, by_tag(fd, 3, -1, 0));
}

TEST_F(select, peek_by_position)
{
	struct ipcbox_receive receive = { .flags = IPCBOX_PEEK };
	struct box_snapshot before;
	__u32 i;

	box_snapshot(self->dev, self->fd, &before);
	for (i = 0; i < 8; i++) {
		receive.skip = i;
		EXPECT_EQ(i, select_one(self->fd, &receive));
	}
	receive.skip = 8;
	EXPECT_EQ(-EAGAIN, select_one(self->fd, &receive));
	/* Among those that are selected. */
	receive.skip = 2;
	receive.flags = IPCBOX_PEEK | IPCBOX_SELECT_TAG;
	receive.tag = 1;
	receive.tag_mask = 1;
	EXPECT_EQ(5, select_one(self->fd, &receive));
	EXPECT_EQ(6, by_sequence(self->fd, 7, IPCBOX_PEEK));
	EXPECT_EQ(-EAGAIN, by_sequence(self->fd, 9, IPCBOX_PEEK));
	EXPECT_EQ(0, by_pid(self->fd, getpid(), IPCBOX_PEEK));
	EXPECT_TRUE(box_unchanged(self->dev, self->fd, &before));
	expect_rest(_metadata, self->fd, "01234567");
}

TEST_F(select, peek_headers_only)
{
	struct ipcbox_receive receive = { .flags = IPCBOX_PEEK };
	struct ipcbox_incoming in[12] = { };
	char little[2] = "--";
	int i;

	EXPECT_EQ(8, box_select(self->fd, &receive, in, 12));
	for (i = 0; i < 8; i++) {
		EXPECT_EQ(4, in[i].length);
		EXPECT_EQ(i, in[i].tag);
		EXPECT_EQ(i + 1, in[i].sequence);
		EXPECT_EQ(getpid(), in[i].pid);
		EXPECT_EQ(0, in[i].token);
	}
	EXPECT_EQ(0, in[8].sequence);
	/* As much as there is room for. */
	memset(in, 0, sizeof(in[0]));
	in[0].data = (uintptr_t)little;
	in[0].capacity = 1;
	receive.skip = 7;
	EXPECT_EQ(1, box_select(self->fd, &receive, in, 1));
	EXPECT_EQ(4, in[0].length);
	EXPECT_EQ(7, little[0]);
	EXPECT_EQ('-', little[1]);
	expect_rest(_metadata, self->fd, "01234567");
}

TEST_F(select, peek_does_not_wait)
{
	struct ipcbox_receive receive = {
		.flags = IPCBOX_PEEK,
		.deadline = IPCBOX_FOREVER,
	};
	__u32 number;

	while (box_get(self->fd, &number) == 1)
		;
	EXPECT_EQ(-EAGAIN, select_one(self->fd, &receive));
}

TEST_F(select, peek_sees_how_often_it_came_back)
{
	struct ipcbox_receive receive = { .flags = IPCBOX_PEEK };
	struct ipcbox_incoming in;
	__u32 number;

	EXPECT_EQ(1, box_hold(self->fd, &in, &number));
	/* What is held is not there. */
	EXPECT_EQ(1, select_one(self->fd, &receive));
	EXPECT_EQ(0, box_settle(self->fd, in.token, IPCBOX_NACK));
	memset(&in, 0, sizeof(in));
	EXPECT_EQ(1, box_select(self->fd, &receive, &in, 1));
	EXPECT_EQ(1, in.deliveries);
	EXPECT_EQ(0, in.tag);
	EXPECT_EQ(0, in.token);
}

#define ROUNDS	3000

TEST_F(select, peek_while_others_receive)
{
	struct ipcbox_receive receive = { .flags = IPCBOX_PEEK };
	struct ipcbox_incoming in[8];
	__u32 number[8], i, last = 8;
	pid_t child = box_fork();
	int ret, j;

	if (!child) {
		for (i = 0; i < ROUNDS; i++) {
			__u32 seen;

			CHECK_EQ(1, box_get(self->fd, &seen));
			CHECK_EQ(i, seen);
			CHECK_EQ(1, box_put(self->fd, i + 8));
		}
		_exit(0);
	}
	while (box_is_running(child)) {
		memset(in, 0, sizeof(in));
		for (j = 0; j < 8; j++) {
			in[j].data = (uintptr_t)&number[j];
			in[j].capacity = 4;
		}
		ret = box_select(self->fd, &receive, in, 8);
		EXPECT_LE(7, ret);
		for (j = 0; j < ret; j++) {
			EXPECT_EQ(in[j].tag, number[j]);
			if (j) {
				EXPECT_LT(in[j - 1].tag, in[j].tag);
			}
			EXPECT_EQ(in[j].tag + 1, in[j].sequence);
		}
		EXPECT_LE(last, in[0].tag + 8);
		last = in[0].tag + 8;
	}
	EXPECT_EQ(0, box_wait(child));
}

#define MANY	1000

struct chooser {
	pthread_t thread;
	int fd;
	__u32 tag;
	int result;
};

static void *choose(void *arg)
{
	struct chooser *me = arg;

	me->result = by_tag(me->fd, me->tag, -1, 0);
	return NULL;
}

/* More than is looked at under one hold of the lock, many times. */
#define FAR	20000

/* A queue with FAR messages of tag 0, and behind them one of tag 1. */
static int make_far(int dev)
{
	static struct ipcbox_outgoing out[1000];
	int fd = box_make_sized(dev, IPCBOX_QUEUE, RWM, 2 * FAR, 0, 0);
	__u32 i;

	for (i = 0; fd >= 0 && i < FAR / 1000; i++)
		if (box_send_many(fd, out, 1000, IPCBOX_NOWAIT, 0) != 1000)
			abort();
	if (fd >= 0 && box_put(fd, 1) != 1)
		abort();
	return fd;
}

TEST_F(select, from_far_behind)
{
	struct ipcbox_incoming in[3] = { };
	struct ipcbox_receive peek = {
		.flags = IPCBOX_PEEK,
		.skip = FAR - 2,
	};
	int fd = make_far(self->dev);

	ASSERT_LE(0, fd);
	EXPECT_EQ(3, box_select(fd, &peek, in, 3));
	EXPECT_EQ(FAR - 1, in[0].sequence);
	EXPECT_EQ(FAR + 1, in[2].sequence);
	EXPECT_EQ(1, in[2].tag);
	peek.skip = FAR + 1;
	EXPECT_EQ(-EAGAIN, box_select(fd, &peek, in, 1));
	EXPECT_EQ(1, by_tag(fd, 1, -1, IPCBOX_NOWAIT));
	EXPECT_EQ(-EAGAIN, by_tag(fd, 1, -1, IPCBOX_NOWAIT));
	EXPECT_EQ(0, box_await_messages(fd, FAR));
	close(fd);
}

/*
 * A receiver looks through the queue while what it wants, which stood before all
 * others, is held by another, and comes back. Whether it has passed the place by
 * then or not, it gets it. They share a processor that the holder takes whenever
 * it likes, so it comes in the midst of the search.
 */
TEST_F(select, misses_nothing_that_comes_back_behind_it)
{
	const struct sched_param urgent = { .sched_priority = 1 };
	const struct timespec moment = { .tv_nsec = 50000 };
	int fd = make_far(self->dev);
	struct ipcbox_incoming in;
	__u32 *begun = box_shared(sizeof(*begun));
	cpu_set_t processor;
	__u32 number, i;
	pid_t child;

	ASSERT_LE(0, fd);
	CPU_ZERO(&processor);
	CPU_SET(0, &processor);
	sched_setaffinity(0, sizeof(processor), &processor);
	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &urgent);
	EXPECT_EQ(1, by_tag(fd, 1, -1, IPCBOX_NOWAIT));
	for (i = 1; i <= 20; i++) {
		EXPECT_EQ(1, box_put_priority(fd, 7, 9));
		EXPECT_EQ(1, box_hold(fd, &in, &number));
		child = box_fork();
		if (!child) {
			__atomic_store_n(begun, i, __ATOMIC_RELEASE);
			_exit(by_tag(fd, 7, -1, 0));
		}
		do {
			nanosleep(&moment, NULL);
		} while (__atomic_load_n(begun, __ATOMIC_ACQUIRE) != i);
		EXPECT_EQ(0, box_settle(fd, in.token, IPCBOX_NACK));
		EXPECT_EQ(7, box_wait(child));
	}
	EXPECT_EQ(0, box_await_messages(fd, FAR));
	close(fd);
}

TEST_F(select, a_thousand_wait_each_for_its_own)
{
	struct chooser *chooser = calloc(MANY, sizeof(*chooser));
	pthread_attr_t attr;
	__u32 i;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (i = 0; i < MANY; i++) {
		chooser[i].fd = self->fd;
		chooser[i].tag = 1000 + i;
		ASSERT_EQ(0, pthread_create(&chooser[i].thread, &attr, choose,
					    &chooser[i]));
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, MANY));
	/* The object is full all the time. */
	EXPECT_EQ(-EAGAIN, box_put(self->fd, 999));
	for (i = 0; i < MANY; i++) {
		EXPECT_EQ(1, box_put(self->fd, 1000 + (i * 7 + 1) % MANY));
	}
	for (i = 0; i < MANY; i++) {
		pthread_join(chooser[i].thread, NULL);
		EXPECT_EQ(1000 + i, chooser[i].result);
	}
	free(chooser);
	expect_rest(_metadata, self->fd, "01234567");
}

TEST_HARNESS_MAIN
