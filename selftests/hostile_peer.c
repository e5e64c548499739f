// SPDX-License-Identifier: GPL-2.0
/*
 * No peer is trusted: one that holds up the kernel's copy of its own memory, by
 * userfaultfd(2), holds up nobody else, and loses nothing when it is killed or
 * its memory goes away under the copy.
 */
#include <signal.h>
#include <stdio.h>

#include "kselftest_harness.h"
#include "box.h"

FIXTURE(hostile)
{
	int dev;
	int fd;
};

FIXTURE_VARIANT(hostile)
{
	__u32 kind;
};

FIXTURE_VARIANT_ADD(hostile, queue)
{
	.kind = IPCBOX_QUEUE,
};

FIXTURE_VARIANT_ADD(hostile, mailbox)
{
	.kind = IPCBOX_MAILBOX,
};

FIXTURE_SETUP(hostile)
{
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = box_make_sized(self->dev, variant->kind, RWM, 4, 0, 0);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(hostile)
{
	struct ipcbox_stat stat;

	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(stat.sent, stat.received + stat.messages);
	EXPECT_EQ(0, stat.senders_waiting);
	EXPECT_EQ(0, stat.receivers_waiting);
	close(self->fd);
	close(self->dev);
}

static long do_send(int fd, char *trap)
{
	return box_send(fd, trap, 100, 0, 0, 0, IPCBOX_FOREVER);
}

static long do_receive(int fd, char *trap)
{
	struct ipcbox_incoming in;

	return box_receive(fd, &in, trap, 100, 0, IPCBOX_FOREVER);
}

static bool hang(struct __test_metadata *_metadata,
		 FIXTURE_DATA(hostile) * self, long (*deed)(int fd, char *trap),
		 struct box_trapped *trapped)
{
	int ret = box_trap(trapped, deed, self->fd);

	if (ret == KSFT_SKIP)
		SKIP(return false, "no userfaultfd for faults of the kernel");
	EXPECT_EQ(0, ret);
	return ret == 0;
}

TEST_F(hostile, a_sender_that_hangs_holds_up_nobody)
{
	struct box_trapped trapped;
	struct ipcbox_stat stat;
	__u32 number, i;

	if (!hang(_metadata, self, do_send, &trapped))
		return;
	/* It has taken no room, either. */
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.sent);
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(1, box_put(self->fd, i));
	}
	EXPECT_EQ(-EAGAIN, box_put(self->fd, i));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(1, box_get(self->fd, &number));
		EXPECT_EQ(i, number);
	}
	/* Its message comes when its memory does. */
	box_release(&trapped, BOX_HEAL);
	EXPECT_EQ(0, box_wait(trapped.pid));
	EXPECT_EQ(1, *trapped.result);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(1, stat.messages);
	EXPECT_EQ(100, stat.bytes);
}

TEST_F(hostile, a_sender_whose_memory_goes_has_sent_nothing)
{
	struct box_trapped trapped;
	struct ipcbox_stat stat;

	if (!hang(_metadata, self, do_send, &trapped))
		return;
	box_release(&trapped, BOX_TAKE_AWAY);
	EXPECT_EQ(0, box_wait(trapped.pid));
	EXPECT_EQ(-EFAULT, *trapped.result);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.sent);
}

TEST_F(hostile, a_sender_killed_while_it_hangs_has_sent_nothing)
{
	struct box_snapshot before;
	struct box_trapped trapped;

	box_snapshot(self->dev, self->fd, &before);
	if (!hang(_metadata, self, do_send, &trapped))
		return;
	kill(trapped.pid, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(trapped.pid));
	/* Counted or not, as the signal or the memory came first. */
	before.stat.refused = ({
		struct ipcbox_stat stat;

		box_stat(self->fd, &stat);
		stat.refused;
	});
	EXPECT_TRUE(box_unchanged(self->dev, self->fd, &before));
}

TEST_F(hostile, a_receiver_that_hangs_holds_up_nobody)
{
	struct box_trapped trapped;
	struct ipcbox_stat stat;
	__u32 number, i;

	EXPECT_EQ(1, box_put(self->fd, 100));
	if (!hang(_metadata, self, do_receive, &trapped))
		return;
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(1, box_put(self->fd, i));
		EXPECT_EQ(1, box_get(self->fd, &number));
		EXPECT_EQ(i, number);
	}
	box_release(&trapped, BOX_HEAL);
	EXPECT_EQ(0, box_wait(trapped.pid));
	EXPECT_EQ(1, *trapped.result);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(11, stat.sent);
	EXPECT_EQ(11, stat.received);
}

TEST_F(hostile, a_receiver_whose_memory_goes_leaves_the_message)
{
	struct box_trapped trapped;
	__u32 number;

	EXPECT_EQ(1, box_put(self->fd, 1));
	if (!hang(_metadata, self, do_receive, &trapped))
		return;
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(1, box_put(self->fd, 3));
	box_release(&trapped, BOX_TAKE_AWAY);
	EXPECT_EQ(0, box_wait(trapped.pid));
	EXPECT_EQ(-EFAULT, *trapped.result);
	/* In its place: before those that came after it. */
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(1, number);
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(2, number);
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(3, number);
}

TEST_F(hostile, a_receiver_killed_while_it_hangs_leaves_the_message)
{
	struct box_trapped trapped;
	__u32 number;

	EXPECT_EQ(1, box_put(self->fd, 1));
	if (!hang(_metadata, self, do_receive, &trapped))
		return;
	EXPECT_EQ(1, box_put(self->fd, 2));
	kill(trapped.pid, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(trapped.pid));
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(1, number);
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(2, number);
	EXPECT_EQ(-EAGAIN, box_get(self->fd, &number));
}

/* It goes to its place, and those who wait for room wait the longer. */
TEST_F(hostile, what_comes_back_does_so_even_into_a_full_object)
{
	struct box_trapped trapped;
	struct ipcbox_stat stat;
	__u32 number, i;

	for (i = 0; i < 4; i++) {
		EXPECT_EQ(1, box_put(self->fd, i));
	}
	if (!hang(_metadata, self, do_receive, &trapped))
		return;
	/* The room that it left is given away. */
	EXPECT_EQ(1, box_put(self->fd, 4));
	EXPECT_EQ(-EAGAIN, box_put(self->fd, 5));
	box_release(&trapped, BOX_TAKE_AWAY);
	EXPECT_EQ(0, box_wait(trapped.pid));
	EXPECT_EQ(-EFAULT, *trapped.result);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(5, stat.messages);
	EXPECT_EQ(5, stat.sent);
	EXPECT_EQ(0, stat.received);
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(0, number);
	/* Four are left: it is full. */
	EXPECT_EQ(-EAGAIN, box_put(self->fd, 5));
	for (i = 1; i < 5; i++) {
		EXPECT_EQ(1, box_get(self->fd, &number));
		EXPECT_EQ(i, number);
	}
	EXPECT_EQ(-EAGAIN, box_get(self->fd, &number));
}

/* Other receivers did not wait for it: they have newer ones by then. */
TEST_F(hostile, what_comes_back_is_late_for_others)
{
	struct box_trapped trapped;
	struct ipcbox_incoming in;
	__u32 number, i;

	for (i = 0; i < 3; i++) {
		EXPECT_EQ(1, box_put(self->fd, i));
	}
	if (!hang(_metadata, self, do_receive, &trapped))
		return;
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(1, number);
	box_release(&trapped, BOX_TAKE_AWAY);
	EXPECT_EQ(0, box_wait(trapped.pid));
	EXPECT_EQ(1, box_receive(self->fd, &in, &number, 4, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(0, number);
	EXPECT_EQ(1, in.sequence);
	/* It was received in vain, but never held. */
	EXPECT_EQ(0, in.deliveries);
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(2, number);
}

/* One who waits is not told that none will come while one may come back. */
TEST_F(hostile, what_comes_back_goes_to_one_who_waits)
{
	struct box_trapped trapped;
	pid_t child;

	EXPECT_EQ(1, box_put(self->fd, 7));
	if (!hang(_metadata, self, do_receive, &trapped))
		return;
	child = box_fork();
	if (!child) {
		__u32 number;

		CHECK_EQ(1, box_get_wait(self->fd, &number));
		_exit(number);
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	box_release(&trapped, BOX_TAKE_AWAY);
	EXPECT_EQ(0, box_wait(trapped.pid));
	EXPECT_EQ(7, box_wait(child));
}

TEST_HARNESS_MAIN
