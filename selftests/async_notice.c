// SPDX-License-Identifier: GPL-2.0
/*
 * O_ASYNC: a signal when a message comes or room does, with what F_SETSIG and
 * F_SETOWN say; and none once it is cleared.
 */
#include <sys/socket.h>

#include "kselftest_harness.h"
#include "notice.h"

FIXTURE(async)
{
	int references;
	int dev;
	int fd;			/* sends and manages */
	int r;			/* receives */
};

FIXTURE_VARIANT(async)
{
	__u32 kind;
};

FIXTURE_VARIANT_ADD(async, mailbox)
{
	.kind = IPCBOX_MAILBOX,
};

FIXTURE_VARIANT_ADD(async, queue)
{
	.kind = IPCBOX_QUEUE,
};

FIXTURE_SETUP(async)
{
	self->references = box_references();
	block_signals();
	signal(SIGPIPE, SIG_IGN);
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	/* Room for four. */
	self->fd = box_make_sized(self->dev, variant->kind, W | M, 4, 0, 0);
	ASSERT_LE(0, self->fd);
	self->r = box_open_id(self->dev, box_id(self->fd), R);
	ASSERT_LE(0, self->r);
}

FIXTURE_TEARDOWN(async)
{
	EXPECT_EQ(0, pending());
	close(self->r);
	close(self->fd);
	close(self->dev);
	/* What was asked for does not keep the module. */
	EXPECT_EQ(self->references, box_references());
}

TEST_F(async, sigio_when_a_message_comes)
{
	siginfo_t info;
	__u32 number;

	EXPECT_EQ(0, async(self->r, getpid(), 0));
	EXPECT_EQ(0, pending());
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(SIGIO, took(&info));
	EXPECT_EQ(0, pending());
	/* Receiving, which makes room, is not news for a receiver. */
	EXPECT_EQ(1, box_get(self->r, &number));
	EXPECT_EQ(0, pending());
	/* Not once only. */
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(SIGIO, pending());
}

TEST_F(async, sigio_when_room_comes)
{
	siginfo_t info;
	__u32 number;
	int i;

	EXPECT_EQ(0, async(self->fd, getpid(), 0));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(1, box_put(self->fd, i));
	}
	/* A message is not news for a sender. */
	EXPECT_EQ(0, pending());
	EXPECT_EQ(0, box_poll(self->fd) & POLLOUT);
	EXPECT_EQ(1, box_get(self->r, &number));
	EXPECT_EQ(POLLOUT, box_poll(self->fd) & POLLOUT);
	EXPECT_EQ(SIGIO, took(&info));
	EXPECT_EQ(0, pending());
}

TEST_F(async, setsig_says_which_descriptor_and_what)
{
	siginfo_t info;
	__u32 number;
	int i;

	EXPECT_EQ(0, async(self->r, getpid(), SIGRTMIN));
	EXPECT_EQ(0, async(self->fd, getpid(), SIGRTMIN));
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(SIGRTMIN, took(&info));
	EXPECT_EQ(POLL_IN, info.si_code);
	EXPECT_EQ(self->r, info.si_fd);
	EXPECT_EQ(POLLIN | POLLRDNORM, info.si_band);
	EXPECT_EQ(0, pending());

	EXPECT_EQ(0, not_async(self->r));
	for (i = 1; i < 4; i++) {
		EXPECT_EQ(1, box_put(self->fd, i));
	}
	EXPECT_EQ(0, pending());
	EXPECT_EQ(1, box_get(self->r, &number));
	EXPECT_EQ(SIGRTMIN, took(&info));
	EXPECT_EQ(POLL_OUT, info.si_code);
	EXPECT_EQ(self->fd, info.si_fd);
	EXPECT_EQ(POLLOUT, info.si_band & (POLLOUT | POLLIN));
	EXPECT_EQ(0, pending());
}

TEST_F(async, one_handle_may_hear_of_both)
{
	siginfo_t info;
	__u32 number;
	int both, i;

	close(self->r);
	both = box_open_id(self->dev, box_id(self->fd), R | W);
	ASSERT_LE(0, both);
	EXPECT_EQ(0, async(both, getpid(), SIGRTMIN));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(1, box_put(both, i));
		EXPECT_EQ(SIGRTMIN, took(&info));
		EXPECT_EQ(POLL_IN, info.si_code);
		EXPECT_EQ(0, pending());
	}
	EXPECT_EQ(1, box_get(both, &number));
	EXPECT_EQ(SIGRTMIN, took(&info));
	EXPECT_EQ(POLL_OUT, info.si_code);
	EXPECT_EQ(0, pending());
	EXPECT_EQ(0, not_async(both));
	EXPECT_EQ(1, box_get(both, &number));
	EXPECT_EQ(1, box_put(both, i));
	EXPECT_EQ(0, pending());
	close(both);
	self->r = box_open_id(self->dev, box_id(self->fd), R);
}

TEST_F(async, setown_may_name_another_process)
{
	int pair[2];
	pid_t child;
	char byte;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	child = box_fork();
	if (!child) {
		close(pair[0]);
		CHECK_EQ(1, read(pair[1], &byte, 1));
		CHECK_EQ(SIGIO, pending());
		CHECK_EQ(0, pending());
		_exit(0);
	}
	close(pair[1]);
	EXPECT_EQ(0, async(self->r, child, 0));
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(1, write(pair[0], "g", 1));
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, pending());
	/* It has died: nobody is told. */
	empty(self->r);
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(0, pending());
	close(pair[0]);
}

TEST_F(async, no_sigio_after_o_async_is_cleared)
{
	__u32 number;
	int i;

	EXPECT_EQ(0, async(self->r, getpid(), 0));
	EXPECT_EQ(0, async(self->fd, getpid(), 0));
	EXPECT_EQ(0, not_async(self->r));
	EXPECT_EQ(0, not_async(self->fd));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(1, box_put(self->fd, i));
	}
	EXPECT_EQ(1, box_get(self->r, &number));
	EXPECT_EQ(0, pending());
	/* And back. */
	EXPECT_EQ(0, async(self->r, getpid(), 0));
	empty(self->r);
	EXPECT_EQ(1, box_put(self->fd, 5));
	EXPECT_EQ(SIGIO, pending());
}

TEST_F(async, no_sigio_after_the_handle_is_closed)
{
	int copy = dup(self->r);

	EXPECT_EQ(0, async(self->r, getpid(), 0));
	close(self->r);
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(SIGIO, pending());
	empty(copy);
	close(copy);
	self->r = box_open_id(self->dev, box_id(self->fd), R);
	ASSERT_LE(0, self->r);
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(0, pending());
}

TEST_HARNESS_MAIN
