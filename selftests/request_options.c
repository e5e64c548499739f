// SPDX-License-Identifier: GPL-2.0
/*
 * What a single request may ask for: a deadline of the wall clock, an end by any
 * signal, a message cut to its buffer, room for the largest, and to be served by
 * one object only.
 */
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>

#include "kselftest_harness.h"
#include "box.h"

#define HOUR	3600
#define SECOND	1000000000ull

FIXTURE(options)
{
	int dev;
	int fd;			/* takes two messages of up to 64 bytes */
};

FIXTURE_SETUP(options)
{
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, 2, 0, 64);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(options)
{
	struct ipcbox_stat stat;

	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.senders_waiting);
	EXPECT_EQ(0, stat.receivers_waiting);
	EXPECT_TRUE(box_adds_up(self->fd));
	close(self->fd);
	close(self->dev);
}

static const char text[] = "0123456789";

static int receive(int fd, struct ipcbox_incoming *in, void *data,
		   __u32 capacity, __u32 flags)
{
	return box_receive(fd, in, data, capacity, flags, IPCBOX_FOREVER);
}

static int put_text(int fd)
{
	return box_send(fd, text, sizeof(text), 0, 7, 0, IPCBOX_FOREVER);
}

static __u64 wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

static int shift_wall_clock(int seconds)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += seconds;
	return clock_settime(CLOCK_REALTIME, &now) ? -errno : 0;
}

static void on_signal(int signal)
{
}

static void restart_after_signals(void)
{
	struct sigaction action = {
		.sa_handler = on_signal,
		.sa_flags = SA_RESTART,
	};

	CHECK_EQ(0, sigaction(SIGUSR1, &action, NULL));
}

TEST_F(options, truncate_cuts_the_message_and_takes_it_whole)
{
	struct ipcbox_incoming in;
	char data[8] = "........";

	ASSERT_EQ(1, put_text(self->fd));
	ASSERT_EQ(1, box_put(self->fd, 5));
	EXPECT_EQ(1, receive(self->fd, &in, data, 4, IPCBOX_TRUNCATE));
	EXPECT_EQ(sizeof(text), in.length);
	EXPECT_EQ(7, in.tag);
	EXPECT_EQ(0, memcmp(data, "0123....", sizeof(data)));
	/* What was cut off is gone with it. */
	EXPECT_EQ(1, receive(self->fd, &in, data, sizeof(data),
			     IPCBOX_TRUNCATE | IPCBOX_NOWAIT));
	EXPECT_EQ(sizeof(__u32), in.length);
	EXPECT_EQ(5, in.tag);
	EXPECT_EQ(-EAGAIN, receive(self->fd, &in, data, sizeof(data),
				   IPCBOX_TRUNCATE | IPCBOX_NOWAIT));
}

TEST_F(options, truncate_cuts_for_who_waits)
{
	struct ipcbox_incoming in;
	char data[4];
	pid_t child;

	child = box_fork();
	if (!child) {
		CHECK_EQ(1, receive(self->fd, &in, data, sizeof(data),
				    IPCBOX_TRUNCATE));
		CHECK_EQ(sizeof(text), in.length);
		CHECK(!memcmp(data, text, sizeof(data)));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(1, put_text(self->fd));
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(options, truncate_leaves_a_held_message_whole)
{
	struct ipcbox_incoming in;
	char data[sizeof(text)];

	ASSERT_EQ(1, put_text(self->fd));
	ASSERT_EQ(1, receive(self->fd, &in, data, 2,
			     IPCBOX_TRUNCATE | IPCBOX_HOLD));
	EXPECT_EQ(0, box_settle(self->fd, in.token, IPCBOX_NACK));
	EXPECT_EQ(1, receive(self->fd, &in, data, sizeof(data), 0));
	EXPECT_EQ(0, memcmp(data, text, sizeof(text)));
}

TEST_F(options, largest_refuses_a_small_buffer_whatever_comes)
{
	struct ipcbox_incoming in;
	char data[64];

	/* Nothing is there, and the call would wait. */
	EXPECT_EQ(-EMSGSIZE, receive(self->fd, &in, data, 63, IPCBOX_LARGEST));
	EXPECT_EQ(64, in.length);
	ASSERT_EQ(1, box_put(self->fd, 5));
	EXPECT_EQ(-EMSGSIZE, receive(self->fd, &in, data, 63, IPCBOX_LARGEST));
	EXPECT_EQ(0, box_await_messages(self->fd, 1));
	EXPECT_EQ(1, receive(self->fd, &in, data, 64, IPCBOX_LARGEST));
	EXPECT_EQ(sizeof(__u32), in.length);
}

TEST_F(options, a_deadline_of_the_wall_clock_passes)
{
	struct ipcbox_incoming in;
	__u32 number = 1;

	EXPECT_EQ(-ETIMEDOUT, box_receive(self->fd, &in, &number, 4,
					  IPCBOX_REALTIME, wall_clock()));
	/* It is long past on this clock, but not on the other. */
	EXPECT_EQ(-ETIMEDOUT, box_receive(self->fd, &in, &number, 4,
					  IPCBOX_REALTIME,
					  box_in_ms(HOUR * 1000)));
	ASSERT_EQ(1, box_put(self->fd, 1));
	ASSERT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(-ETIMEDOUT, box_send(self->fd, &number, 4, 0, 0,
				       IPCBOX_REALTIME,
				       wall_clock() + SECOND / 100));
	EXPECT_EQ(0, box_await_messages(self->fd, 2));
}

TEST_F(options, who_waits_follows_the_wall_clock_when_it_is_set)
{
	struct ipcbox_incoming in;
	pid_t receiver, sender;
	__u32 number = 1;
	int other;

	if (shift_wall_clock(0))
		SKIP(return, "the clock cannot be set here");
	other = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, 1, 0, 64);
	ASSERT_LE(0, other);
	ASSERT_EQ(1, box_put(other, 1));
	receiver = box_fork();
	if (!receiver) {
		CHECK_EQ(-ETIMEDOUT, box_receive(self->fd, &in, &number, 4,
						 IPCBOX_REALTIME,
						 wall_clock() +
						 HOUR * SECOND));
		_exit(0);
	}
	sender = box_fork();
	if (!sender) {
		CHECK_EQ(-ETIMEDOUT, box_send(other, &number, 4, 0, 0,
					      IPCBOX_REALTIME,
					      wall_clock() + HOUR * SECOND));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_receivers(self->fd, 1));
	ASSERT_EQ(0, box_await_senders(other, 1));
	ASSERT_EQ(0, shift_wall_clock(2 * HOUR));
	EXPECT_EQ(0, box_wait(receiver));
	EXPECT_EQ(0, box_wait(sender));
	EXPECT_EQ(0, shift_wall_clock(-2 * HOUR));
	close(other);
}

TEST_F(options, norestart_ends_with_any_handler)
{
	struct ipcbox_incoming in;
	__u32 number = 3;
	pid_t child;

	child = box_fork();
	if (!child) {
		restart_after_signals();
		CHECK_EQ(-EINTR, receive(self->fd, &in, &number, 4,
					 IPCBOX_NORESTART));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_receivers(self->fd, 1));
	kill(child, SIGUSR1);
	EXPECT_EQ(0, box_wait(child));

	ASSERT_EQ(1, box_put(self->fd, 1));
	ASSERT_EQ(1, box_put(self->fd, 2));
	child = box_fork();
	if (!child) {
		restart_after_signals();
		CHECK_EQ(-EINTR, box_send(self->fd, &number, 4, 0, 0,
					  IPCBOX_NORESTART, IPCBOX_FOREVER));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_senders(self->fd, 1));
	kill(child, SIGUSR1);
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, box_await_messages(self->fd, 2));
}

TEST_F(options, norestart_goes_on_after_a_stop)
{
	struct ipcbox_incoming in;
	__u32 number = 0;
	pid_t child;

	child = box_fork();
	if (!child) {
		CHECK_EQ(1, receive(self->fd, &in, &number, 4,
				    IPCBOX_NORESTART));
		CHECK_EQ(9, number);
		_exit(0);
	}
	ASSERT_EQ(0, box_await_receivers(self->fd, 1));
	kill(child, SIGSTOP);
	ASSERT_EQ(0, box_await_receivers(self->fd, 0));
	kill(child, SIGCONT);
	ASSERT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(1, box_put(self->fd, 9));
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(options, only_the_object_that_is_meant_serves)
{
	__u32 number = 4;
	struct ipcbox_outgoing out = {
		.data = (uintptr_t)&number,
		.length = sizeof(number),
	};
	struct ipcbox_incoming in = {
		.data = (uintptr_t)&number,
		.capacity = sizeof(number),
	};
	struct ipcbox_send send = {
		.size = sizeof(send),
		.messages = (uintptr_t)&out,
		.count = 1,
		.message_size = sizeof(out),
		.object = box_id(self->fd) + 1,
	};
	struct ipcbox_receive request = {
		.flags = IPCBOX_NOWAIT,
		.object = box_id(self->fd) + 1,
	};

	EXPECT_EQ(-1, ioctl(self->fd, IPCBOX_IOC_SEND, &send));
	EXPECT_EQ(ESTALE, errno);
	EXPECT_EQ(0, box_await_messages(self->fd, 0));
	send.object--;
	EXPECT_EQ(1, ioctl(self->fd, IPCBOX_IOC_SEND, &send));
	EXPECT_EQ(-ESTALE, box_select(self->fd, &request, &in, 1));
	EXPECT_EQ(0, box_await_messages(self->fd, 1));
	request.object--;
	EXPECT_EQ(1, box_select(self->fd, &request, &in, 1));
}

TEST_HARNESS_MAIN
