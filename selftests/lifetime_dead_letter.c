// SPDX-License-Identifier: GPL-2.0
/*
 * Messages that end otherwise than by being received: after their lifetime, held
 * in vain too often, or left in an object that was destroyed. They go to the
 * dead-letter mailbox with their story, or are counted.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>

#include "kselftest_harness.h"
#include "box.h"

#define MS	1000000ull
#define LONG	(3600 * 1000 * MS)

FIXTURE(dead)
{
	int dev;
	int fd;			/* a queue */
	int grave;		/* its dead-letter mailbox */
	struct ipcbox_info before;
};

FIXTURE_SETUP(dead)
{
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = box_make(self->dev, IPCBOX_QUEUE, RWM);
	ASSERT_LE(0, self->fd);
	self->grave = box_make_sized(self->dev, IPCBOX_MAILBOX, RWM, 4, 0, 0);
	ASSERT_LE(0, self->grave);
	ASSERT_EQ(0, box_set_dead_letter(self->fd, box_id(self->grave), 0));
	ASSERT_EQ(0, box_info(self->dev, &self->before));
}

FIXTURE_TEARDOWN(dead)
{
	struct ipcbox_info info;

	if (self->fd >= 0) {
		EXPECT_TRUE(box_adds_up(self->fd));
		close(self->fd);
	}
	if (self->grave >= 0) {
		EXPECT_TRUE(box_adds_up(self->grave));
		close(self->grave);
	}
	/* A mailbox that is closed while it gets a letter goes a little later. */
	do {
		EXPECT_EQ(0, box_info(self->dev, &info));
	} while (info.box_objects_used > self->before.box_objects_used - 2);
	EXPECT_EQ(0, info.user_bytes_used);
	close(self->dev);
}

static __u64 discarded(FIXTURE_DATA(dead) * self)
{
	struct ipcbox_info info;

	box_info(self->dev, &info);
	return info.discarded - self->before.discarded;
}

/* Until the clock has moved on, as coarse as it may be. */
static void pass_time(void)
{
	__u64 now = box_now();

	while (box_now() <= now)
		;
}

/* The next message of @fd is a dead letter of @origin with this number. */
static void expect_letter(struct __test_metadata *_metadata, int fd,
			  __u32 number, __u32 reason, __u64 origin)
{
	struct ipcbox_incoming in;
	__u32 seen = 0;

	EXPECT_EQ(1, box_receive(fd, &in, &seen, 4, 0, box_in_ms(60000)));
	EXPECT_EQ(number, seen);
	EXPECT_EQ(number, in.tag);
	EXPECT_EQ(reason, in.dead);
	EXPECT_EQ(origin, in.origin);
	EXPECT_NE(0, in.origin_sequence);
	EXPECT_EQ(0, in.deliveries);
	EXPECT_EQ(getpid(), in.pid);
}

TEST_F(dead, expires_without_receivers)
{
	struct ipcbox_stat stat;
	__u32 number;

	EXPECT_EQ(1, box_put_living(self->fd, 1, 20 * MS));
	EXPECT_EQ(0, box_await_expired(self->fd, 1));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.messages);
	EXPECT_EQ(0, stat.bytes);
	EXPECT_EQ(1, stat.sent);
	EXPECT_EQ(0, stat.received);
	expect_letter(_metadata, self->grave, 1, IPCBOX_DEAD_EXPIRED,
		      box_id(self->fd));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(1, stat.buried);
	EXPECT_EQ(0, discarded(self));
	EXPECT_EQ(-EAGAIN, box_get(self->fd, &number));
}

TEST_F(dead, is_never_received_after_its_time)
{
	struct ipcbox_receive select = { .flags = IPCBOX_NOWAIT };
	struct ipcbox_incoming in = { };
	__u32 number, i;
	__u64 end;

	for (i = 0; i < 20; i++) {
		EXPECT_EQ(1, box_put_living(self->fd, i, 1));
		/* A nanosecond has passed; whether anyone has looked or not. */
		pass_time();
		switch (i % 4) {
		case 0:
			EXPECT_EQ(-EAGAIN, box_get(self->fd, &number));
			break;
		case 1:
			EXPECT_EQ(-EAGAIN, box_hold(self->fd, &in, &number));
			break;
		case 2:
			select.flags = IPCBOX_NOWAIT | IPCBOX_SELECT_TAG;
			EXPECT_EQ(-EAGAIN, box_select(self->fd, &select, &in,
						      1));
			break;
		case 3:
			select.flags = IPCBOX_PEEK;
			EXPECT_EQ(-EAGAIN, box_select(self->fd, &select, &in,
						      1));
			break;
		}
	}
	EXPECT_EQ(0, box_await_expired(self->fd, 20));

	/* Nor is one taken before its time lost. */
	end = box_now() + LONG;
	EXPECT_EQ(1, box_put_living(self->fd, 99, LONG));
	EXPECT_LT(box_now(), end);
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(99, number);
}

TEST_F(dead, a_waiting_receiver_gets_it_in_time)
{
	pid_t child = box_fork();
	__u32 number;

	if (!child) {
		CHECK_EQ(1, box_get_wait(self->fd, &number));
		_exit(number);
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(1, box_put_living(self->fd, 7, 1));
	/* It was handed over as it was accepted. */
	EXPECT_EQ(7, box_wait(child));
}

TEST_F(dead, expired_ones_do_not_hide_the_living)
{
	__u32 number;

	EXPECT_EQ(1, box_put_living(self->fd, 1, 1));
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(1, box_put_living(self->fd, 3, 1));
	EXPECT_EQ(1, box_put_living(self->fd, 4, LONG));
	pass_time();
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(2, number);
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(4, number);
	expect_letter(_metadata, self->grave, 1, IPCBOX_DEAD_EXPIRED,
		      box_id(self->fd));
	expect_letter(_metadata, self->grave, 3, IPCBOX_DEAD_EXPIRED,
		      box_id(self->fd));
}

TEST_F(dead, expire_in_the_order_of_their_ends)
{
	static const __u64 lifetime[] = { 1000 * MS, LONG, 100 * MS };
	struct ipcbox_outgoing out[3] = { };
	__u32 number[3], i;

	/* In one call, so that all of them begin together. */
	for (i = 0; i < 3; i++) {
		number[i] = 1 + i;
		out[i].data = (uintptr_t)&number[i];
		out[i].length = sizeof(number[i]);
		out[i].tag = number[i];
		out[i].lifetime = lifetime[i];
	}
	EXPECT_EQ(3, box_send_many(self->fd, out, 3, IPCBOX_NOWAIT, 0));
	expect_letter(_metadata, self->grave, 3, IPCBOX_DEAD_EXPIRED,
		      box_id(self->fd));
	expect_letter(_metadata, self->grave, 1, IPCBOX_DEAD_EXPIRED,
		      box_id(self->fd));
	EXPECT_EQ(0, box_await_messages(self->fd, 1));
}

TEST_F(dead, an_expired_one_makes_room)
{
	pid_t child;

	EXPECT_EQ(0, box_set_max_messages(self->fd, 1));
	EXPECT_EQ(1, box_put_living(self->fd, 1, 200 * MS));
	child = box_fork();
	if (!child) {
		CHECK_EQ(1, box_put_wait(self->fd, 2));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	expect_letter(_metadata, self->grave, 1, IPCBOX_DEAD_EXPIRED,
		      box_id(self->fd));
}

/* The lifetime begins with acceptance. */
TEST_F(dead, waiting_for_room_costs_no_lifetime)
{
	__u32 number = 2;
	struct ipcbox_outgoing out = {
		.data = (uintptr_t)&number,
		.length = 4,
		.lifetime = LONG,
	};
	pid_t child;

	EXPECT_EQ(0, box_set_max_messages(self->fd, 1));
	EXPECT_EQ(1, box_put(self->fd, 1));
	child = box_fork();
	if (!child) {
		out.lifetime = 1;
		CHECK_EQ(1, box_send_many(self->fd, &out, 1, 0,
					  IPCBOX_FOREVER));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(1, number);
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, box_await_expired(self->fd, 1));
	EXPECT_EQ(0, box_await_sent(self->fd, 2));
}

/*
 * A message that lives for a nanosecond only: one who waits gets it in time, and
 * the handle, which is this process's too, holds it. Returns the token.
 */
static __u64 hold_dying(struct __test_metadata *_metadata, int fd,
			__u32 number)
{
	__u64 *token = box_shared(4096);
	pid_t child = box_fork();

	if (!child) {
		struct ipcbox_incoming in;
		__u32 seen;

		CHECK_EQ(1, box_receive(fd, &in, &seen, 4, IPCBOX_HOLD,
					IPCBOX_FOREVER));
		CHECK_EQ(number, seen);
		*token = in.token;
		_exit(0);
	}
	EXPECT_EQ(0, box_await_receivers(fd, 1));
	EXPECT_EQ(1, box_put_living(fd, number, 1));
	EXPECT_EQ(0, box_wait(child));
	return *token;
}

TEST_F(dead, held_it_does_not_expire)
{
	struct ipcbox_stat stat;
	__u32 number;
	__u64 token;

	token = hold_dying(_metadata, self->fd, 1);
	EXPECT_EQ(1, box_put_living(self->fd, 2, 1));
	/* When the second has ended, the first one's time is over, too. */
	EXPECT_EQ(0, box_await_expired(self->fd, 1));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(1, stat.held);
	EXPECT_EQ(0, box_settle(self->fd, token, IPCBOX_ACK));
	expect_letter(_metadata, self->grave, 2, IPCBOX_DEAD_EXPIRED,
		      box_id(self->fd));

	/* What is given back too late ends. */
	token = hold_dying(_metadata, self->fd, 3);
	EXPECT_EQ(1, box_put_living(self->fd, 4, 1));
	EXPECT_EQ(0, box_await_expired(self->fd, 2));
	EXPECT_EQ(0, box_settle(self->fd, token, IPCBOX_NACK));
	EXPECT_EQ(-EAGAIN, box_get(self->fd, &number));
	EXPECT_EQ(0, box_await_expired(self->fd, 3));
	expect_letter(_metadata, self->grave, 4, IPCBOX_DEAD_EXPIRED,
		      box_id(self->fd));
	expect_letter(_metadata, self->grave, 3, IPCBOX_DEAD_EXPIRED,
		      box_id(self->fd));
}

TEST_F(dead, given_back_too_late_nobody_receives_it)
{
	struct ipcbox_incoming in;
	struct ipcbox_stat stat;
	__u32 number;
	pid_t child;

	EXPECT_EQ(1, box_put_living(self->fd, 1, 1000 * MS));
	EXPECT_EQ(1, box_hold(self->fd, &in, &number));
	EXPECT_EQ(1, box_put_living(self->fd, 2, 1010 * MS));
	/* When the second has ended, the first one's time is over, too. */
	EXPECT_EQ(0, box_await_expired(self->fd, 1));
	child = box_fork();
	if (!child) {
		CHECK_EQ(1, box_get_wait(self->fd, &number));
		_exit(number);
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(0, box_settle(self->fd, in.token, IPCBOX_NACK));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(2, stat.expired);
	EXPECT_EQ(1, stat.receivers_waiting);
	EXPECT_EQ(1, box_put(self->fd, 3));
	EXPECT_EQ(3, box_wait(child));
	expect_letter(_metadata, self->grave, 2, IPCBOX_DEAD_EXPIRED,
		      box_id(self->fd));
	expect_letter(_metadata, self->grave, 1, IPCBOX_DEAD_EXPIRED,
		      box_id(self->fd));
}

/* More than end under one hold of the lock. */
#define CROWD	500

static int put_crowd(int fd)
{
	struct ipcbox_outgoing out[CROWD];
	int i;

	memset(out, 0, sizeof(out));
	for (i = 0; i < CROWD; i++)
		out[i].lifetime = 1;
	return box_send_many(fd, out, CROWD, IPCBOX_NOWAIT, 0);
}

TEST_F(dead, a_crowd_of_expired_ones_does_not_hide_the_living)
{
	__u32 number;
	int i;

	EXPECT_EQ(0, box_set_dead_letter(self->fd, 0, 0));
	for (i = 1; i <= 5; i++) {
		EXPECT_EQ(CROWD, put_crowd(self->fd));
		EXPECT_EQ(1, box_put(self->fd, i));
		pass_time();
		EXPECT_EQ(1, box_get(self->fd, &number));
		EXPECT_EQ(i, number);
		EXPECT_EQ(0, box_await_expired(self->fd, i * CROWD));
	}
}

/* In the midst of the burials. */
TEST_F(dead, a_mailbox_may_go_while_it_gets_letters)
{
	struct ipcbox_stat stat;
	int grave, i;

	for (i = 1; i <= 10; i++) {
		grave = box_make(self->dev, IPCBOX_MAILBOX, RWM);
		ASSERT_LE(0, grave);
		ASSERT_EQ(0, box_set_dead_letter(self->fd, box_id(grave), 0));
		EXPECT_EQ(CROWD, put_crowd(self->fd));
		do {
			ASSERT_EQ(0, box_stat(grave, &stat));
		} while (!stat.messages);
		close(grave);
		EXPECT_EQ(0, box_await_expired(self->fd, i * CROWD));
	}
	/* What went down with its mailbox had no further one to go to. */
	while (discarded(self) != i * CROWD - CROWD)
		;
	EXPECT_EQ(0, box_set_dead_letter(self->fd, 0, 0));
}

/* Each may hold the other's last breath; neither waits for the other. */
TEST_F(dead, two_that_bury_in_each_other_may_go_at_once)
{
	struct ipcbox_info info;
	struct ipcbox_stat stat;
	int one, two, i;

	for (i = 0; i < 10; i++) {
		one = box_make(self->dev, IPCBOX_QUEUE, RWM);
		two = box_make(self->dev, IPCBOX_QUEUE, RWM);
		ASSERT_LE(0, one);
		ASSERT_LE(0, two);
		ASSERT_EQ(0, box_set_dead_letter(one, box_id(two), 0));
		ASSERT_EQ(0, box_set_dead_letter(two, box_id(one), 0));
		EXPECT_EQ(CROWD, put_crowd(one));
		EXPECT_EQ(CROWD, put_crowd(two));
		do {
			ASSERT_EQ(0, box_stat(one, &stat));
		} while (!stat.expired);
		close(two);
		close(one);
	}
	/* Letters under way are the last to go: after the objects. */
	do {
		ASSERT_EQ(0, box_info(self->dev, &info));
	} while (info.box_objects_used > self->before.box_objects_used ||
		 info.user_bytes_used);
}

/* Persistent objects go with their namespace, letters under way or not. */
TEST_F(dead, a_namespace_may_go_while_letters_are_under_way)
{
	struct ipcbox_create create = {
		.kind = IPCBOX_QUEUE,
		.flags = IPCBOX_CREATE_PERSISTENT,
		.rights = RWM,
		.max_messages = 100 * CROWD,
	};
	struct ipcbox_stat stat;
	int dev, grave, fd, i;
	pid_t child;

	if (geteuid())
		SKIP(return, "needs root");
	for (i = 0; i < 5; i++) {
		child = box_fork();
		if (!child) {
			CHECK_EQ(0, unshare(CLONE_NEWNET));
			dev = box_device();
			CHECK(dev >= 0);
			grave = box_create(dev, &create);
			CHECK(grave >= 0);
			create.id = 0;
			create.created = 0;
			fd = box_create(dev, &create);
			CHECK(fd >= 0);
			CHECK_EQ(0, box_set_dead_letter(fd, create.id - 1, 0));
			for (i = 0; i < 4; i++)
				CHECK_EQ(CROWD, put_crowd(fd));
			do
				CHECK_EQ(0, box_stat(grave, &stat));
			while (!stat.messages);
			_exit(0);
		}
		EXPECT_EQ(0, box_wait(child));
	}
}

TEST_F(dead, a_letter_keeps_what_it_was)
{
	__u32 number = 5;
	struct ipcbox_outgoing out = {
		.data = (uintptr_t)&number,
		.length = 4,
		.priority = 321,
		.tag = 654,
		.lifetime = 1,
	};
	struct ipcbox_info info;
	struct ipcbox_incoming in;

	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(1, box_get(self->fd, &number));
	number = 5;
	EXPECT_EQ(1, box_send_many(self->fd, &out, 1, 0, 0));
	EXPECT_EQ(0, box_await_messages(self->grave, 1));
	EXPECT_EQ(0, box_info(self->dev, &info));
	/* Its sender pays for it still. */
	EXPECT_EQ(132, info.user_bytes_used);
	number = 0;
	EXPECT_EQ(1, box_receive(self->grave, &in, &number, 4, 0, 0));
	EXPECT_EQ(5, number);
	EXPECT_EQ(4, in.length);
	EXPECT_EQ(321, in.priority);
	EXPECT_EQ(654, in.tag);
	EXPECT_EQ(1, in.sequence);
	EXPECT_EQ(2, in.origin_sequence);
	EXPECT_EQ(box_id(self->fd), in.origin);
	EXPECT_EQ(getpid(), in.pid);
	EXPECT_EQ(geteuid(), in.uid);
	EXPECT_EQ(getegid(), in.gid);
	EXPECT_NE(0, in.handle);
	EXPECT_EQ(IPCBOX_DEAD_EXPIRED, in.dead);
	EXPECT_EQ(0, in.pad);
	EXPECT_EQ(0, in.token);
	EXPECT_EQ(0, in.flags);
}

TEST_F(dead, an_ordinary_message_is_no_letter)
{
	struct ipcbox_incoming in;
	__u32 number;

	EXPECT_EQ(1, box_put(self->grave, 1));
	EXPECT_EQ(1, box_receive(self->grave, &in, &number, 4, 0, 0));
	EXPECT_EQ(0, in.dead);
	EXPECT_EQ(0, in.origin);
	EXPECT_EQ(0, in.origin_sequence);
}

TEST_F(dead, an_exhausted_one_is_a_letter)
{
	struct ipcbox_incoming in;
	__u32 number;

	EXPECT_EQ(0, box_set_dead_letter(self->fd, box_id(self->grave), 1));
	EXPECT_EQ(1, box_put(self->fd, 8));
	EXPECT_EQ(1, box_hold(self->fd, &in, &number));
	EXPECT_EQ(0, box_settle(self->fd, in.token, IPCBOX_NACK));
	expect_letter(_metadata, self->grave, 8, IPCBOX_DEAD_EXHAUSTED,
		      box_id(self->fd));
}

TEST_F(dead, what_is_left_in_a_destroyed_object_is_letters)
{
	__u64 id = box_id(self->fd);
	struct ipcbox_incoming in;
	__u32 number, i;

	for (i = 1; i <= 3; i++) {
		EXPECT_EQ(1, box_put(self->fd, i));
	}
	/* Held, and returned as the handle goes, and the object with it. */
	EXPECT_EQ(1, box_hold(self->fd, &in, &number));
	close(self->fd);
	self->fd = -1;
	for (i = 1; i <= 3; i++) {
		expect_letter(_metadata, self->grave, i, IPCBOX_DEAD_DESTROYED,
			      id);
	}
	EXPECT_EQ(0, discarded(self));
}

TEST_F(dead, without_a_mailbox_they_are_counted)
{
	struct ipcbox_incoming in;
	struct ipcbox_stat stat;
	__u32 number;

	EXPECT_EQ(0, box_set_dead_letter(self->fd, 0, 1));
	EXPECT_EQ(1, box_put_living(self->fd, 1, 1));
	EXPECT_EQ(0, box_await_expired(self->fd, 1));
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(1, box_hold(self->fd, &in, &number));
	EXPECT_EQ(0, box_settle(self->fd, in.token, IPCBOX_NACK));
	EXPECT_EQ(1, box_put(self->fd, 3));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(1, stat.expired);
	EXPECT_EQ(1, stat.exhausted);
	EXPECT_EQ(0, stat.buried);
	while (discarded(self) != 2)
		;
	close(self->fd);
	self->fd = -1;
	while (discarded(self) != 3)
		;
	EXPECT_EQ(0, box_await_messages(self->grave, 0));
}

TEST_F(dead, a_mailbox_without_room_takes_no_more)
{
	struct ipcbox_stat stat;
	__u32 i;

	/* One more than it holds. */
	for (i = 1; i <= 5; i++) {
		EXPECT_EQ(1, box_put_living(self->fd, i, 1));
		EXPECT_EQ(0, box_await_expired(self->fd, i));
		if (i <= 4) {
			EXPECT_EQ(0, box_await_messages(self->grave, i));
		}
	}
	while (discarded(self) != 1)
		;
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(5, stat.expired);
	EXPECT_EQ(4, stat.buried);
	for (i = 1; i <= 4; i++) {
		expect_letter(_metadata, self->grave, i, IPCBOX_DEAD_EXPIRED,
			      box_id(self->fd));
	}
}

TEST_F(dead, a_mailbox_that_is_removed_takes_none)
{
	struct ipcbox_stat stat;

	EXPECT_EQ(0, box_unlink_id(self->dev, box_id(self->grave)));
	EXPECT_EQ(1, box_put_living(self->fd, 1, 1));
	while (discarded(self) != 1)
		;
	close(self->grave);
	self->grave = -1;
	EXPECT_EQ(1, box_put_living(self->fd, 2, 1));
	while (discarded(self) != 2)
		;
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(2, stat.expired);
	EXPECT_EQ(0, stat.buried);
}

/* A mailbox that nobody receives from any more takes none, either. */
TEST_F(dead, an_abandoned_mailbox_takes_none)
{
	int sender = box_open_id(self->dev, box_id(self->grave), W);

	ASSERT_LE(0, sender);
	close(self->grave);
	self->grave = sender;
	EXPECT_EQ(1, box_put_living(self->fd, 1, 1));
	while (discarded(self) != 1)
		;
}

/* What dies among the dead letters goes on to the next mailbox. */
TEST_F(dead, mailboxes_form_a_chain)
{
	int last = box_make(self->dev, IPCBOX_QUEUE, R | W);
	struct ipcbox_incoming in;
	__u32 number;

	ASSERT_LE(0, last);
	EXPECT_EQ(0, box_set_dead_letter(self->grave, box_id(last), 1));
	EXPECT_EQ(1, box_put_living(self->fd, 6, 1));
	EXPECT_EQ(0, box_await_messages(self->grave, 1));
	EXPECT_EQ(1, box_hold(self->grave, &in, &number));
	EXPECT_EQ(IPCBOX_DEAD_EXPIRED, in.dead);
	EXPECT_EQ(0, box_settle(self->grave, in.token, IPCBOX_NACK));
	expect_letter(_metadata, last, 6, IPCBOX_DEAD_EXHAUSTED,
		      box_id(self->grave));
	close(last);
}

/* Two that name each other: each letter moves once for each of its deaths. */
TEST_F(dead, a_circle_ends)
{
	struct ipcbox_incoming in;
	__u32 number, i;
	int on = self->fd;

	EXPECT_EQ(0, box_set_dead_letter(self->fd, box_id(self->grave), 1));
	EXPECT_EQ(0, box_set_dead_letter(self->grave, box_id(self->fd), 1));
	EXPECT_EQ(1, box_put(self->fd, 1));
	for (i = 0; i < 6; i++) {
		EXPECT_EQ(1, box_hold(on, &in, &number));
		EXPECT_EQ(i ? IPCBOX_DEAD_EXHAUSTED : 0, in.dead);
		EXPECT_EQ(0, box_settle(on, in.token, IPCBOX_NACK));
		on = on == self->fd ? self->grave : self->fd;
	}
	EXPECT_EQ(1, box_get(on, &number));
}

TEST_F(dead, only_who_may_send_there_may_name_it)
{
	pid_t child = box_fork();
	__u64 closed = box_id(self->grave);
	int open = box_make(self->dev, IPCBOX_QUEUE, RWM);

	if (!child) {
		int fd;

		close(self->fd);
		CHECK_EQ(0, box_set_mode(open, 0622));
		CHECK_EQ(0, box_become(1000, 1000));
		fd = box_make(self->dev, IPCBOX_QUEUE, RWM);
		CHECK(fd >= 0);
		CHECK_EQ(-EACCES, box_set_dead_letter(fd, closed, 1));
		CHECK_EQ(0, box_set_dead_letter(fd, box_id(open), 1));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	close(open);
}

TEST_F(dead, a_synchronous_sender_is_told_instead)
{
	__u32 number = 1;
	struct ipcbox_outgoing out = {
		.data = (uintptr_t)&number,
		.length = 4,
		.lifetime = 20 * MS,
	};
	struct ipcbox_incoming in = { };
	struct ipcbox_stat stat;

	EXPECT_EQ(-ETIMEDOUT, box_send_many(self->fd, &out, 1, IPCBOX_SYNC,
					    IPCBOX_FOREVER));
	EXPECT_EQ(-ETIMEDOUT, box_call(self->fd, &out, &in, 0,
				       IPCBOX_FOREVER));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(2, stat.expired + stat.withdrawn);
	EXPECT_EQ(0, stat.messages);
	/* It had no other end than this. */
	EXPECT_EQ(0, stat.buried);
	EXPECT_EQ(0, discarded(self));
	EXPECT_EQ(-EAGAIN, box_get(self->grave, &number));
}

TEST_HARNESS_MAIN
