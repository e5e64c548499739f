// SPDX-License-Identifier: GPL-2.0
/*
 * Senders that wait for room in a long queue, where they are told a little later
 * than their messages go in: each is told, whatever the receiver does, and what
 * went in is not undone.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "kselftest_harness.h"
#include "box.h"

/* So many that a receiver of all of them is busy. */
#define ROOM	64
#define SENDERS	8

FIXTURE(full)
{
	int dev;
	int fd;
};

static void ignore_signal(int sig)
{
}

FIXTURE_SETUP(full)
{
	struct sigaction action = { .sa_handler = ignore_signal };
	__u32 i;

	sigaction(SIGUSR1, &action, NULL);
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, ROOM, 0, 0);
	ASSERT_LE(0, self->fd);
	for (i = 0; i < ROOM; i++)
		ASSERT_EQ(1, box_put(self->fd, i));
}

FIXTURE_TEARDOWN(full)
{
	EXPECT_TRUE(box_adds_up(self->fd));
	close(self->fd);
	close(self->dev);
}

static void expect_next(struct __test_metadata *_metadata, int fd,
			__u32 expected)
{
	__u32 number = 0;

	EXPECT_EQ(1, box_get(fd, &number));
	EXPECT_EQ(expected, number);
}

TEST_F(full, a_sender_is_told_though_the_receiver_stops)
{
	struct ipcbox_stat stat;
	pid_t child = box_fork_sender(self->fd, ROOM);

	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	expect_next(_metadata, self->fd, 0);
	/* It is in at once. */
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(ROOM + 1, stat.sent);
	EXPECT_EQ(ROOM, stat.messages);
	EXPECT_EQ(0, stat.senders_waiting);
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(full, a_sender_is_told_though_the_receiver_goes)
{
	int sender = box_open_id(self->dev, box_id(self->fd), W);
	pid_t child;

	ASSERT_LE(0, sender);
	child = box_fork();
	if (!child) {
		close(self->fd);
		CHECK_EQ(1, box_put_wait(sender, ROOM));
		CHECK_EQ(-EPIPE, box_put_wait(sender, ROOM));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	expect_next(_metadata, self->fd, 0);
	/* The next that it sends may wait for room still, or not any more. */
	close(self->fd);
	EXPECT_EQ(0, box_wait(child));
	self->fd = sender;
}

/* Told or not yet, and mostly not: success. */
TEST_F(full, a_signal_does_not_undo_what_is_in)
{
	enum { ROUNDS = 100 };
	__u32 i;

	for (i = 0; i < ROUNDS; i++) {
		pid_t child = box_fork_sender(self->fd, ROOM + i);

		EXPECT_EQ(0, box_await_senders(self->fd, 1));
		expect_next(_metadata, self->fd, i);
		kill(child, SIGUSR1);
		ASSERT_EQ(0, box_wait(child));
	}
	for (; i < ROUNDS + ROOM; i++)
		expect_next(_metadata, self->fd, i);
	EXPECT_EQ(-EAGAIN, box_get(self->fd, &i));
}

TEST_F(full, a_killed_sender_leaves_what_is_in)
{
	pid_t child = box_fork_sender(self->fd, ROOM);
	__u32 i;

	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	expect_next(_metadata, self->fd, 0);
	kill(child, SIGKILL);
	box_wait(child);
	for (i = 1; i <= ROOM; i++)
		expect_next(_metadata, self->fd, i);
	EXPECT_EQ(-EAGAIN, box_get(self->fd, &i));
}

TEST_F(full, senders_go_in_in_turn_and_all_are_told)
{
	pid_t children[SENDERS];
	__u32 i;

	for (i = 0; i < SENDERS; i++) {
		children[i] = box_fork_sender(self->fd, ROOM + i);
		EXPECT_EQ(0, box_await_senders(self->fd, i + 1));
	}
	for (i = 0; i < ROOM + SENDERS; i++)
		expect_next(_metadata, self->fd, i);
	EXPECT_EQ(-EAGAIN, box_get(self->fd, &i));
	for (i = 0; i < SENDERS; i++)
		EXPECT_EQ(0, box_wait(children[i]));
}

/* Each sends by itself as fast as there is room; the receiver sleeps now and then. */
TEST_F(full, nothing_is_lost_where_many_wait)
{
	enum { EACH = 500 };
	__u32 next[SENDERS] = { }, number, i, j;
	pid_t children[SENDERS];

	for (i = 0; i < SENDERS; i++) {
		children[i] = box_fork();
		if (children[i])
			continue;
		for (j = 0; j < EACH; j++)
			CHECK_EQ(1, box_put_wait(self->fd, i << 16 | j));
		_exit(0);
	}
	for (i = 0; i < ROOM; i++)
		expect_next(_metadata, self->fd, i);
	for (i = 0; i < SENDERS * EACH; i++) {
		ASSERT_EQ(1, box_get_wait(self->fd, &number));
		ASSERT_GT(SENDERS, number >> 16);
		ASSERT_EQ(next[number >> 16]++, number & 0xffff);
		/* As many wait as there are: then none is let in meanwhile. */
		if (i % 1000 == 0)
			box_await_messages(self->fd, ROOM);
	}
	EXPECT_EQ(-EAGAIN, box_get(self->fd, &number));
	for (i = 0; i < SENDERS; i++)
		EXPECT_EQ(0, box_wait(children[i]));
}

TEST_HARNESS_MAIN
