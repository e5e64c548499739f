// SPDX-License-Identifier: GPL-2.0
/*
 * Held messages: each has a token, is settled once, and by nobody but the handle
 * that received it; what is not settled returns to its place when that handle
 * ends, as often as the object allows.
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>

#include "kselftest_harness.h"
#include "box.h"

FIXTURE(held)
{
	int dev;
	int fd;			/* a queue of four messages, 1 to 4 */
	int other;		/* another handle on it */
};

FIXTURE_SETUP(held)
{
	__u32 i;

	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, 4, 0, 0);
	ASSERT_LE(0, self->fd);
	self->other = box_open_id(self->dev, box_id(self->fd), R | W);
	ASSERT_LE(0, self->other);
	for (i = 1; i <= 4; i++) {
		ASSERT_EQ(1, box_put(self->fd, i));
	}
}

FIXTURE_TEARDOWN(held)
{
	struct ipcbox_info info;

	EXPECT_TRUE(box_adds_up(self->fd));
	if (self->other >= 0)
		close(self->other);
	close(self->fd);
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(0, info.user_bytes_used);
	close(self->dev);
}

/* Held by @fd: this number, this often held before. Returns the token. */
static __u64 expect_hold(struct __test_metadata *_metadata, int fd,
			 __u32 expected, __u32 deliveries)
{
	struct ipcbox_incoming in;
	__u32 number = 0;

	EXPECT_EQ(1, box_hold(fd, &in, &number));
	EXPECT_EQ(expected, number);
	EXPECT_EQ(expected, in.sequence);
	EXPECT_EQ(deliveries, in.deliveries);
	EXPECT_EQ(0, in.flags);
	EXPECT_NE(0, in.token);
	return in.token;
}

static void expect_rest(struct __test_metadata *_metadata, int fd, __u32 from)
{
	__u32 number;

	for (; from <= 4; from++) {
		EXPECT_EQ(1, box_get(fd, &number));
		EXPECT_EQ(from, number);
	}
	EXPECT_EQ(-EAGAIN, box_get(fd, &number));
}

TEST_F(held, a_token_is_given_and_ack_ends_it)
{
	struct ipcbox_info before, info;
	struct ipcbox_stat stat;
	__u64 token;

	EXPECT_EQ(0, box_info(self->dev, &before));
	token = expect_hold(_metadata, self->fd, 1, 0);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(1, stat.held);
	EXPECT_EQ(3, stat.messages);
	EXPECT_EQ(12, stat.bytes);
	EXPECT_EQ(0, stat.received);
	EXPECT_EQ(0, stat.bytes_received);
	/* Its sender is charged for it still. */
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(before.user_bytes_used, info.user_bytes_used);
	EXPECT_EQ(0, box_settle(self->fd, token, IPCBOX_ACK));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.held);
	EXPECT_EQ(1, stat.received);
	EXPECT_EQ(4, stat.bytes_received);
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(before.user_bytes_used - 132, info.user_bytes_used);
	expect_rest(_metadata, self->fd, 2);
}

TEST_F(held, plain_receive_gives_no_token)
{
	struct ipcbox_incoming in;
	__u32 number;

	EXPECT_EQ(1, box_receive(self->fd, &in, &number, 4, 0, 0));
	EXPECT_EQ(0, in.token);
	EXPECT_EQ(0, in.deliveries);
}

TEST_F(held, a_token_is_settled_once)
{
	__u64 token[3];
	int i;

	for (i = 0; i < 3; i++)
		token[i] = expect_hold(_metadata, self->fd, 1 + i, 0);
	EXPECT_NE(token[0], token[1]);
	EXPECT_NE(token[1], token[2]);
	/* In any order. */
	EXPECT_EQ(0, box_settle(self->fd, token[1], IPCBOX_ACK));
	EXPECT_EQ(0, box_settle(self->fd, token[2], IPCBOX_NACK));
	EXPECT_EQ(0, box_settle(self->fd, token[0], IPCBOX_ACK));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(-ENOENT, box_settle(self->fd, token[i], IPCBOX_ACK));
		EXPECT_EQ(-ENOENT, box_settle(self->fd, token[i],
					      IPCBOX_NACK));
	}
	expect_rest(_metadata, self->fd, 3);
}

TEST_F(held, a_token_is_of_one_handle)
{
	__u64 token = expect_hold(_metadata, self->fd, 1, 0);

	EXPECT_EQ(-ENOENT, box_settle(self->other, token, IPCBOX_ACK));
	EXPECT_EQ(-ENOENT, box_settle(self->other, token, IPCBOX_NACK));
	EXPECT_EQ(0, box_settle(self->fd, token, IPCBOX_ACK));
}

TEST_F(held, nack_returns_it_to_its_place)
{
	__u64 token[3];
	__u32 i;

	for (i = 0; i < 3; i++)
		token[i] = expect_hold(_metadata, self->fd, 1 + i, 0);
	/* The object is full when they come back, and takes them. */
	for (i = 5; box_put(self->fd, i) == 1;)
		i++;
	EXPECT_EQ(8, i);
	EXPECT_EQ(0, box_settle(self->fd, token[2], IPCBOX_NACK));
	EXPECT_EQ(0, box_settle(self->fd, token[0], IPCBOX_NACK));
	EXPECT_EQ(0, box_settle(self->fd, token[1], IPCBOX_NACK));
	for (i = 1; i <= 3; i++) {
		token[0] = expect_hold(_metadata, self->fd, i, 1);
		EXPECT_EQ(0, box_settle(self->fd, token[0], IPCBOX_ACK));
	}
	for (; i <= 7; i++) {
		token[0] = expect_hold(_metadata, self->fd, i, 0);
		EXPECT_EQ(0, box_settle(self->fd, token[0], IPCBOX_ACK));
	}
}

TEST_F(held, nack_keeps_the_priority)
{
	struct ipcbox_incoming in;
	__u32 number;

	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(1, box_put_priority(self->fd, 5, 9));
	EXPECT_EQ(1, box_hold(self->fd, &in, &number));
	EXPECT_EQ(5, number);
	EXPECT_EQ(9, in.priority);
	EXPECT_EQ(0, box_settle(self->fd, in.token, IPCBOX_NACK));
	EXPECT_EQ(1, box_hold(self->fd, &in, &number));
	EXPECT_EQ(5, number);
	EXPECT_EQ(9, in.priority);
	EXPECT_EQ(5, in.tag);
	EXPECT_EQ(getpid(), in.pid);
	EXPECT_EQ(1, in.deliveries);
	EXPECT_EQ(0, box_settle(self->fd, in.token, IPCBOX_ACK));
	expect_rest(_metadata, self->fd, 2);
}

TEST_F(held, nack_goes_to_one_who_waits)
{
	__u64 token[4];
	pid_t child;
	int i;

	for (i = 0; i < 4; i++)
		token[i] = expect_hold(_metadata, self->fd, 1 + i, 0);
	child = box_fork();
	if (!child) {
		struct ipcbox_incoming in;
		__u32 number;

		CHECK_EQ(1, box_receive(self->other, &in, &number, 4, 0,
					IPCBOX_FOREVER));
		CHECK_EQ(1, in.deliveries);
		_exit(number);
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(0, box_settle(self->fd, token[2], IPCBOX_NACK));
	EXPECT_EQ(3, box_wait(child));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(i == 2 ? -ENOENT : 0,
			  box_settle(self->fd, token[i], IPCBOX_ACK));
	}
}

TEST_F(held, a_batch_is_held_each_by_itself)
{
	struct ipcbox_incoming in[4] = { };
	__u32 number[4];
	int i;

	for (i = 0; i < 4; i++) {
		in[i].data = (uintptr_t)&number[i];
		in[i].capacity = 4;
	}
	EXPECT_EQ(4, box_receive_many(self->fd, in, 4,
				      IPCBOX_HOLD | IPCBOX_NOWAIT, 0));
	EXPECT_EQ(0, box_await_held(self->fd, 4));
	for (i = 3; i >= 0; i--) {
		EXPECT_EQ(0, box_settle(self->fd, in[i].token, IPCBOX_NACK));
	}
	expect_rest(_metadata, self->fd, 1);
}

TEST_F(held, what_is_held_takes_no_room_in_the_object)
{
	__u64 token = expect_hold(_metadata, self->fd, 1, 0);

	EXPECT_EQ(1, box_put(self->fd, 5));
	EXPECT_EQ(-EAGAIN, box_put(self->fd, 6));
	EXPECT_EQ(0, box_settle(self->fd, token, IPCBOX_ACK));
	EXPECT_EQ(-EAGAIN, box_put(self->fd, 6));
}

TEST_F(held, close_returns_them_in_order)
{
	struct ipcbox_stat stat;

	expect_hold(_metadata, self->other, 1, 0);
	expect_hold(_metadata, self->fd, 2, 0);
	expect_hold(_metadata, self->other, 3, 0);
	close(self->other);
	self->other = -1;
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(1, stat.held);
	EXPECT_EQ(3, stat.messages);
	expect_hold(_metadata, self->fd, 1, 1);
	expect_hold(_metadata, self->fd, 3, 1);
	expect_hold(_metadata, self->fd, 4, 0);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(4, stat.held);
}

TEST_F(held, a_killed_holder_returns_them_in_order)
{
	__u32 *flag = box_shared(4096);
	__u64 id = box_id(self->fd);
	pid_t child = box_fork();
	int i;

	if (!child) {
		int fd = box_open_id(self->dev, id, R);
		struct ipcbox_incoming in;
		__u32 number;

		for (i = 0; i < 3; i++)
			CHECK_EQ(1, box_hold(fd, &in, &number));
		/* This one is settled. */
		CHECK_EQ(0, box_settle(fd, in.token, IPCBOX_ACK));
		__atomic_store_n(flag, 1, __ATOMIC_RELEASE);
		pause();
	}
	/* Not by the counters: what is on its way out counts as received. */
	box_await_flag(flag, 1);
	kill(child, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child));
	expect_hold(_metadata, self->fd, 1, 1);
	expect_hold(_metadata, self->fd, 2, 1);
	expect_hold(_metadata, self->fd, 4, 0);
}

/* A receiver whose copy fails has not held it. */
TEST_F(held, a_failed_copy_raises_nothing)
{
	struct ipcbox_incoming in;
	struct ipcbox_stat stat;

	EXPECT_EQ(-EFAULT, box_receive(self->fd, &in, (void *)8, 4,
				       IPCBOX_HOLD | IPCBOX_NOWAIT, 0));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.held);
	EXPECT_EQ(4, stat.messages);
	expect_hold(_metadata, self->fd, 1, 0);
}

TEST_F(held, a_handle_shared_over_fork_is_one_holder)
{
	__u64 *token = box_shared(4096);
	struct ipcbox_stat stat;
	pid_t child;

	token[0] = expect_hold(_metadata, self->fd, 1, 0);
	child = box_fork();
	if (!child) {
		struct ipcbox_incoming in;
		__u32 number;

		/* It settles what its parent received. */
		CHECK_EQ(0, box_settle(self->fd, token[0], IPCBOX_ACK));
		CHECK_EQ(1, box_hold(self->fd, &in, &number));
		token[1] = in.token;
		CHECK_EQ(1, box_hold(self->fd, &in, &number));
		token[2] = in.token;
		raise(SIGKILL);
	}
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child));
	/* The handle lives, and holds. */
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(2, stat.held);
	EXPECT_EQ(-ENOENT, box_settle(self->fd, token[0], IPCBOX_ACK));
	EXPECT_EQ(0, box_settle(self->fd, token[1], IPCBOX_ACK));
	EXPECT_EQ(0, box_settle(self->fd, token[2], IPCBOX_NACK));
	expect_hold(_metadata, self->fd, 3, 1);
}

TEST_F(held, deliveries_are_limited)
{
	struct ipcbox_info before, info;
	struct ipcbox_stat stat;
	__u64 token;
	__u32 i;

	EXPECT_EQ(0, box_info(self->dev, &before));
	EXPECT_EQ(0, box_set_dead_letter(self->fd, 0, 3));
	for (i = 0; i < 3; i++) {
		token = expect_hold(_metadata, self->fd, 1, i);
		EXPECT_EQ(0, box_settle(self->fd, token, IPCBOX_NACK));
	}
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(3, stat.max_deliveries);
	EXPECT_EQ(1, stat.exhausted);
	EXPECT_EQ(0, stat.buried);
	EXPECT_EQ(3, stat.messages);
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(before.discarded + 1, info.discarded);
	expect_rest(_metadata, self->fd, 2);
}

TEST_F(held, closing_counts_as_a_delivery)
{
	int grave = box_make(self->dev, IPCBOX_MAILBOX, R | W);
	struct ipcbox_incoming in;
	struct ipcbox_stat stat;
	__u32 number, i;

	ASSERT_LE(0, grave);
	EXPECT_EQ(0, box_set_dead_letter(self->fd, box_id(grave), 2));
	for (i = 0; i < 2; i++) {
		expect_hold(_metadata, self->other, 1, i);
		close(self->other);
		self->other = box_open_id(self->dev, box_id(self->fd), R);
		ASSERT_LE(0, self->other);
	}
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(1, stat.exhausted);
	EXPECT_EQ(1, stat.buried);
	EXPECT_EQ(box_id(grave), stat.dead_letter);
	EXPECT_EQ(1, box_receive(grave, &in, &number, 4, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(1, number);
	EXPECT_EQ(IPCBOX_DEAD_EXHAUSTED, in.dead);
	EXPECT_EQ(box_id(self->fd), in.origin);
	EXPECT_EQ(1, in.origin_sequence);
	EXPECT_EQ(0, in.deliveries);
	expect_rest(_metadata, self->fd, 2);
	close(grave);
}

TEST_F(held, without_a_limit_it_comes_back_for_ever)
{
	__u64 token;
	__u32 i;

	for (i = 0; i < 100; i++) {
		token = expect_hold(_metadata, self->fd, 1, i);
		EXPECT_EQ(0, box_settle(self->fd, token, IPCBOX_NACK));
	}
	/* A limit concerns what comes back from now on. */
	EXPECT_EQ(0, box_set_dead_letter(self->fd, 0, 5));
	token = expect_hold(_metadata, self->fd, 1, 100);
	EXPECT_EQ(0, box_settle(self->fd, token, IPCBOX_NACK));
	expect_hold(_metadata, self->fd, 2, 0);
}

/* The limit of the object applies to them; what one holds needs no receiver. */
/* In batches of a thousand. */
#define VERY_MANY	30000
#define BATCH		1000

static void hold_very_many(struct __test_metadata *_metadata, int fd)
{
	static struct ipcbox_outgoing out[BATCH];
	static struct ipcbox_incoming in[BATCH];
	int i;

	for (i = 0; i < VERY_MANY; i += BATCH) {
		ASSERT_EQ(BATCH, box_send_many(fd, out, BATCH, 0,
					       IPCBOX_FOREVER));
		ASSERT_EQ(BATCH, box_receive_many(fd, in, BATCH, IPCBOX_HOLD,
						  IPCBOX_FOREVER));
	}
	EXPECT_EQ(0, box_await_held(fd, VERY_MANY));
}

/* It takes less than to send and receive them: none has to look for its place. */
TEST_F(held, close_returns_very_many)
{
	int fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, VERY_MANY, 0, 0);
	struct ipcbox_incoming in;
	__u64 begun, filled;
	__u32 number, i;
	int other;

	ASSERT_LE(0, fd);
	other = box_open_id(self->dev, box_id(fd), R | W);
	ASSERT_LE(0, other);
	begun = box_now();
	hold_very_many(_metadata, fd);
	filled = box_now();
	close(fd);
	EXPECT_LT(box_now() - filled, 3 * (filled - begun));
	EXPECT_EQ(0, box_await_messages(other, VERY_MANY));
	EXPECT_EQ(0, box_await_held(other, 0));
	for (i = 1; i <= 100; i++) {
		EXPECT_EQ(1, box_hold(other, &in, &number));
		EXPECT_EQ(i, in.sequence);
		EXPECT_EQ(1, in.deliveries);
	}
	close(other);
}

TEST_F(held, settles_after_unlink)
{
	__u64 token = expect_hold(_metadata, self->fd, 1, 0);

	EXPECT_EQ(0, box_unlink_id(self->dev, box_id(self->fd)));
	EXPECT_EQ(0, box_settle(self->fd, token, IPCBOX_ACK));
	token = expect_hold(_metadata, self->fd, 2, 0);
	EXPECT_EQ(0, box_settle(self->fd, token, IPCBOX_NACK));
	expect_hold(_metadata, self->fd, 2, 1);
}

TEST_F(held, a_batch_with_a_bad_buffer_holds_those_before)
{
	struct ipcbox_incoming in[3] = { };
	struct ipcbox_stat stat;
	__u32 number[3];
	int i;

	for (i = 0; i < 3; i++) {
		in[i].data = i == 1 ? 8 : (uintptr_t)&number[i];
		in[i].capacity = 4;
	}
	EXPECT_EQ(1, box_receive_many(self->fd, in, 3,
				      IPCBOX_HOLD | IPCBOX_NOWAIT, 0));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(1, stat.held);
	EXPECT_EQ(3, stat.messages);
	EXPECT_EQ(0, box_settle(self->fd, in[0].token, IPCBOX_ACK));
	expect_rest(_metadata, self->fd, 2);
}

TEST_HARNESS_MAIN
