// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting for room and for messages: in turn, to a deadline or not at all, ended
 * by signals as signal(7) says, and without effect when it ends in vain.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "kselftest_harness.h"
#include "box.h"

FIXTURE(block)
{
	int dev;
	int fd;
};

FIXTURE_SETUP(block)
{
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	/* Room for two. */
	self->fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, 2, 0, 0);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(block)
{
	struct ipcbox_stat stat;

	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.senders_waiting);
	EXPECT_EQ(0, stat.receivers_waiting);
	EXPECT_EQ(stat.sent, stat.received + stat.messages);
	close(self->fd);
	close(self->dev);
}

static void fill(struct __test_metadata *_metadata, int fd)
{
	ASSERT_EQ(1, box_put(fd, 1));
	ASSERT_EQ(1, box_put(fd, 2));
}

/* The next message is this one. */
static void expect_next(struct __test_metadata *_metadata, int fd,
			__u32 expected)
{
	__u32 number = 0;

	EXPECT_EQ(1, box_get(fd, &number));
	EXPECT_EQ(expected, number);
}

static void expect_empty(struct __test_metadata *_metadata, int fd)
{
	__u32 number;

	EXPECT_EQ(-EAGAIN, box_get(fd, &number));
}

/* A child that receives one number, waiting for ever. Its status is the number. */
static pid_t fork_receiver(int fd)
{
	pid_t child = box_fork();
	__u32 number;

	if (!child) {
		CHECK_EQ(1, box_get_wait(fd, &number));
		_exit(number);
	}
	return child;
}

TEST_F(block, a_full_object_refuses_who_may_not_wait)
{
	struct ipcbox_stat stat;

	fill(_metadata, self->fd);
	EXPECT_EQ(-EAGAIN, box_put(self->fd, 3));
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, box_put_wait(self->fd, 3));
	EXPECT_EQ(-1, write(self->fd, "x", 1));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(2, stat.messages);
	EXPECT_EQ(2, stat.messages_peak);
	EXPECT_EQ(3, stat.refused);
	expect_next(_metadata, self->fd, 1);
	expect_next(_metadata, self->fd, 2);
	expect_empty(_metadata, self->fd);
}

TEST_F(block, an_empty_object_refuses_who_may_not_wait)
{
	__u32 number = 77;

	EXPECT_EQ(-EAGAIN, box_get(self->fd, &number));
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, box_get_wait(self->fd, &number));
	EXPECT_EQ(-1, read(self->fd, &number, sizeof(number)));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(77, number);
}

TEST_F(block, a_sender_waits_for_room)
{
	struct ipcbox_stat stat;
	pid_t child;

	fill(_metadata, self->fd);
	child = box_fork_sender(self->fd, 3);
	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(2, stat.sent);
	expect_next(_metadata, self->fd, 1);
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(3, stat.sent);
	EXPECT_EQ(2, stat.messages);
	EXPECT_EQ(0, stat.refused);
	expect_next(_metadata, self->fd, 2);
	expect_next(_metadata, self->fd, 3);
}

TEST_F(block, a_sender_waits_for_bytes)
{
	char data[100];
	pid_t child;
	int fd;

	fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, 0, 100, 0);
	ASSERT_LE(0, fd);
	memset(data, 1, sizeof(data));
	EXPECT_EQ(1, box_send(fd, data, 60, 0, 0, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(-EAGAIN, box_send(fd, data, 41, 0, 0, IPCBOX_NOWAIT, 0));
	child = box_fork();
	if (!child) {
		CHECK_EQ(1, box_send(fd, data, 41, 0, 41, 0, IPCBOX_FOREVER));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_senders(fd, 1));
	EXPECT_EQ(60, read(fd, data, sizeof(data)));
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(41, read(fd, data, sizeof(data)));
	/* To the byte. */
	EXPECT_EQ(1, box_send(fd, data, 60, 0, 0, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(1, box_send(fd, data, 40, 0, 0, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(-EAGAIN, box_send(fd, data, 1, 0, 0, IPCBOX_NOWAIT, 0));
	close(fd);
}

TEST_F(block, a_write_waits_for_room)
{
	pid_t child;

	fill(_metadata, self->fd);
	child = box_fork();
	if (!child) {
		CHECK_EQ(3, write(self->fd, "abc", 3));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	expect_next(_metadata, self->fd, 1);
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(block, a_receiver_waits_for_a_message)
{
	pid_t child = fork_receiver(self->fd);
	struct ipcbox_stat stat;

	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(1, box_put(self->fd, 42));
	EXPECT_EQ(42, box_wait(child));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(1, stat.sent);
	EXPECT_EQ(1, stat.received);

	child = box_fork();
	if (!child) {
		__u32 number;

		CHECK_EQ(4, read(self->fd, &number, sizeof(number)));
		_exit(number);
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(1, box_put(self->fd, 43));
	EXPECT_EQ(43, box_wait(child));
}

TEST_F(block, a_deadline_ends_a_send_without_effect)
{
	struct ipcbox_stat stat;
	__u64 deadline;

	fill(_metadata, self->fd);
	deadline = box_in_ms(30);
	EXPECT_EQ(-ETIMEDOUT, box_send(self->fd, "x", 1, 9, 0, 0, deadline));
	EXPECT_LE(deadline, box_now());
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(2, stat.sent);
	EXPECT_EQ(1, stat.refused);
	/* Nor does it come later, when there is room. */
	expect_next(_metadata, self->fd, 1);
	expect_next(_metadata, self->fd, 2);
	expect_empty(_metadata, self->fd);
}

TEST_F(block, a_deadline_ends_a_receive_without_effect)
{
	struct ipcbox_incoming in;
	struct ipcbox_stat stat;
	__u64 deadline;
	__u32 number = 77;

	deadline = box_in_ms(30);
	EXPECT_EQ(-ETIMEDOUT, box_receive(self->fd, &in, &number,
					  sizeof(number), 0, deadline));
	EXPECT_LE(deadline, box_now());
	/* What comes later is not given to the one that has gone. */
	EXPECT_EQ(1, box_put(self->fd, 5));
	EXPECT_EQ(77, number);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(1, stat.messages);
	expect_next(_metadata, self->fd, 5);
}

TEST_F(block, a_deadline_in_the_past_fails_nothing_that_can_be_served)
{
	static const __u64 past[] = { 0, 1, 1000000 };
	struct ipcbox_incoming in;
	__u32 number;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(past); i++) {
		EXPECT_EQ(-ETIMEDOUT, box_receive(self->fd, &in, &number, 4,
						  0, past[i]));
		EXPECT_EQ(1, box_send(self->fd, &i, 4, 0, 0, 0, past[i]));
		EXPECT_EQ(1, box_send(self->fd, &i, 4, 0, 0, 0, past[i]));
		EXPECT_EQ(-ETIMEDOUT, box_send(self->fd, &i, 4, 0, 0, 0,
					       past[i]));
		EXPECT_EQ(1, box_receive(self->fd, &in, &number, 4, 0,
					 past[i]));
		EXPECT_EQ(1, box_receive(self->fd, &in, &number, 4, 0,
					 past[i]));
		EXPECT_EQ(i, number);
	}
}

TEST_F(block, a_deadline_does_not_end_a_wait_before)
{
	struct ipcbox_incoming in;
	pid_t child = box_fork();
	__u32 number;

	/* The last that the clock has, and others far away. */
	if (!child) {
		CHECK_EQ(1, box_receive(self->fd, &in, &number, 4, 0,
					(1ull << 63) - 1));
		CHECK_EQ(1, box_receive(self->fd, &in, &number, 4, 0,
					1ull << 62));
		CHECK_EQ(1, box_receive(self->fd, &in, &number, 4, 0,
					box_in_ms(1000000000)));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(0, box_await_messages(self->fd, 0));
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(0, box_await_messages(self->fd, 0));
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(1, box_put(self->fd, 3));
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(block, a_deadline_that_the_clock_does_not_have_is_refused)
{
	static const __u64 beyond[] = {
		1ull << 63, (1ull << 63) + 1, IPCBOX_FOREVER - 1,
	};
	struct ipcbox_incoming in;
	unsigned int i;
	__u32 number;

	/* Even where there is nothing to wait for. */
	EXPECT_EQ(1, box_put(self->fd, 1));
	for (i = 0; i < ARRAY_SIZE(beyond); i++) {
		EXPECT_EQ(-EINVAL, box_receive(self->fd, &in, &number, 4, 0,
					       beyond[i]));
		EXPECT_EQ(-EINVAL, box_send(self->fd, &i, 4, 0, 0, 0,
					    beyond[i]));
	}
	expect_next(_metadata, self->fd, 1);
	expect_empty(_metadata, self->fd);
}

#define WAITERS	5

TEST_F(block, waiting_senders_are_admitted_in_turn)
{
	pid_t child[WAITERS];
	__u32 i;

	fill(_metadata, self->fd);
	for (i = 0; i < WAITERS; i++) {
		child[i] = box_fork_sender(self->fd, 3 + i);
		EXPECT_EQ(0, box_await_senders(self->fd, i + 1));
	}
	for (i = 0; i < WAITERS; i++) {
		expect_next(_metadata, self->fd, 1 + i);
		EXPECT_EQ(0, box_wait(child[i]));
	}
	expect_next(_metadata, self->fd, WAITERS + 1);
	expect_next(_metadata, self->fd, WAITERS + 2);
	expect_empty(_metadata, self->fd);
}

TEST_F(block, one_that_leaves_does_not_hold_up_those_behind)
{
	pid_t child[WAITERS];
	__u32 i;

	fill(_metadata, self->fd);
	for (i = 0; i < WAITERS; i++) {
		child[i] = box_fork_sender(self->fd, 3 + i);
		EXPECT_EQ(0, box_await_senders(self->fd, i + 1));
	}
	/* The first, one in the middle, and the last. */
	for (i = 0; i < WAITERS; i += 2) {
		kill(child[i], SIGKILL);
		EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child[i]));
	}
	EXPECT_EQ(0, box_await_senders(self->fd, WAITERS / 2));
	expect_next(_metadata, self->fd, 1);
	expect_next(_metadata, self->fd, 2);
	for (i = 1; i < WAITERS; i += 2) {
		EXPECT_EQ(0, box_wait(child[i]));
		expect_next(_metadata, self->fd, 3 + i);
	}
	expect_empty(_metadata, self->fd);
}

TEST_F(block, a_small_message_does_not_overtake_a_waiting_large_one)
{
	char data[100] = { };
	pid_t large, small;
	int fd;

	fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, 0, 100, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, box_send(fd, data, 50, 0, 0, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(1, box_send(fd, data, 40, 0, 0, IPCBOX_NOWAIT, 0));
	large = box_fork();
	if (!large) {
		CHECK_EQ(1, box_send(fd, data, 90, 0, 0, 0, IPCBOX_FOREVER));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_senders(fd, 1));
	/* There is room for it, but not yet its turn. */
	small = box_fork();
	if (!small) {
		CHECK_EQ(1, box_send(fd, data, 5, 0, 0, 0, IPCBOX_FOREVER));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_senders(fd, 2));
	EXPECT_EQ(50, read(fd, data, sizeof(data)));
	EXPECT_EQ(40, read(fd, data, sizeof(data)));
	EXPECT_EQ(0, box_wait(large));
	EXPECT_EQ(0, box_wait(small));
	EXPECT_EQ(90, read(fd, data, sizeof(data)));
	EXPECT_EQ(5, read(fd, data, sizeof(data)));
	close(fd);
}

TEST_F(block, waiting_receivers_are_served_in_turn)
{
	pid_t child[WAITERS];
	__u32 i;

	for (i = 0; i < WAITERS; i++) {
		child[i] = fork_receiver(self->fd);
		EXPECT_EQ(0, box_await_receivers(self->fd, i + 1));
	}
	for (i = 0; i < WAITERS; i++) {
		EXPECT_EQ(1, box_put(self->fd, 10 + i));
		EXPECT_EQ(10 + i, box_wait(child[i]));
	}
}

/* How a call that waits is made. */
enum way { BY_IOCTL, BY_READ_WRITE };

static int send_by(enum way way, int fd, __u32 number)
{
	int ret;

	if (way == BY_IOCTL)
		return box_put_wait(fd, number);
	ret = write(fd, &number, sizeof(number));
	return ret == sizeof(number) ? 1 : ret < 0 ? -errno : -EBADMSG;
}

static int receive_by(enum way way, int fd, __u32 *number)
{
	int ret;

	if (way == BY_IOCTL)
		return box_get_wait(fd, number);
	ret = read(fd, number, sizeof(*number));
	return ret == sizeof(*number) ? 1 : ret < 0 ? -errno : -EBADMSG;
}

/* A real-time process gives its processor to no other, while it runs. */
static int become(int policy)
{
	const struct sched_param param = {
		.sched_priority = policy == SCHED_FIFO,
	};

	return sched_setscheduler(0, policy, &param) ? -errno : 0;
}

/* The caller, and the children that it makes from now on. */
static void stay_on_this_processor(struct __test_metadata *_metadata)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(set), &set));
}

static pid_t fork_victim(enum way way, int fd)
{
	pid_t child = box_fork();
	__u32 number;

	if (!child) {
		receive_by(way, fd, &number);
		_exit(0);
	}
	return child;
}

/*
 * Sends @count numbers, of which a receiver that waits is given the first, and
 * kills it before it can run.
 */
static void put_and_kill(struct __test_metadata *_metadata, int fd,
			 __u32 number, __u32 count, pid_t receiver)
{
	ASSERT_EQ(0, become(SCHED_FIFO));
	while (count--) {
		EXPECT_EQ(1, box_put(fd, number++));
	}
	kill(receiver, SIGKILL);
	ASSERT_EQ(0, become(SCHED_OTHER));
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(receiver));
}

static void kill_with_a_message(struct __test_metadata *_metadata, int fd,
				enum way way)
{
	struct ipcbox_stat stat;
	pid_t child, other;

	/* It goes to its place, which is before a later one. */
	child = fork_victim(way, fd);
	EXPECT_EQ(0, box_await_receivers(fd, 1));
	put_and_kill(_metadata, fd, 31, 2, child);
	ASSERT_EQ(0, box_stat(fd, &stat));
	ASSERT_EQ(2, stat.messages);
	expect_next(_metadata, fd, 31);
	expect_next(_metadata, fd, 32);

	/* Or to another who waits. */
	child = fork_victim(way, fd);
	EXPECT_EQ(0, box_await_receivers(fd, 1));
	other = fork_receiver(fd);
	EXPECT_EQ(0, box_await_receivers(fd, 2));
	put_and_kill(_metadata, fd, 33, 1, child);
	EXPECT_EQ(33, box_wait(other));
	expect_empty(_metadata, fd);
}

TEST_F(block, a_killed_receiver_takes_no_message)
{
	pid_t child[3];
	int i;

	for (i = 0; i < 3; i++) {
		child[i] = fork_receiver(self->fd);
		EXPECT_EQ(0, box_await_receivers(self->fd, i + 1));
	}
	kill(child[0], SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child[0]));
	EXPECT_EQ(0, box_await_receivers(self->fd, 2));
	EXPECT_EQ(1, box_put(self->fd, 21));
	EXPECT_EQ(21, box_wait(child[1]));
	kill(child[2], SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child[2]));
	EXPECT_EQ(0, box_await_receivers(self->fd, 0));
	EXPECT_EQ(1, box_put(self->fd, 22));
	expect_next(_metadata, self->fd, 22);

	/* Nor does one that was given a message, but did not get to it. */
	stay_on_this_processor(_metadata);
	if (become(SCHED_FIFO)) {
		TH_LOG("no real-time process without CAP_SYS_NICE");
		return;
	}
	ASSERT_EQ(0, become(SCHED_OTHER));
	for (i = 0; i < 3; i++) {
		kill_with_a_message(_metadata, self->fd, BY_IOCTL);
		kill_with_a_message(_metadata, self->fd, BY_READ_WRITE);
	}
}

TEST_F(block, a_killed_sender_leaves_nothing)
{
	struct box_snapshot before;
	pid_t child;

	fill(_metadata, self->fd);
	box_snapshot(self->dev, self->fd, &before);
	child = box_fork_sender(self->fd, 3);
	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	kill(child, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child));
	EXPECT_EQ(0, box_await_senders(self->fd, 0));
	/* The killing signal came first: one refused. */
	before.stat.refused++;
	EXPECT_TRUE(box_unchanged(self->dev, self->fd, &before));
	expect_next(_metadata, self->fd, 1);
	expect_next(_metadata, self->fd, 2);
	expect_empty(_metadata, self->fd);
}

static __u32 *signals;

static void count_signal(int sig)
{
	__atomic_add_fetch(signals, 1, __ATOMIC_RELEASE);
}

static void catch_signal(int flags)
{
	struct sigaction action = {
		.sa_handler = count_signal,
		.sa_flags = flags,
	};

	CHECK_EQ(0, sigaction(SIGUSR1, &action, NULL));
}

FIXTURE(interrupted)
{
	int dev;
	int fd;
};

FIXTURE_VARIANT(interrupted)
{
	enum way way;
};

FIXTURE_VARIANT_ADD(interrupted, ioctl)
{
	.way = BY_IOCTL,
};

FIXTURE_VARIANT_ADD(interrupted, read_write)
{
	.way = BY_READ_WRITE,
};

FIXTURE_SETUP(interrupted)
{
	signals = box_shared(4096);
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, 2, 0, 0);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(interrupted)
{
	close(self->fd);
	close(self->dev);
}

TEST_F(interrupted, a_handler_ends_the_send_with_eintr)
{
	struct ipcbox_stat stat;
	pid_t child;

	fill(_metadata, self->fd);
	child = box_fork();
	if (!child) {
		catch_signal(0);
		CHECK_EQ(-EINTR, send_by(variant->way, self->fd, 3));
		CHECK_EQ(1, *signals);
		_exit(0);
	}
	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	kill(child, SIGUSR1);
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(2, stat.sent);
	EXPECT_EQ(0, stat.senders_waiting);
	EXPECT_EQ(1, stat.refused);
	expect_next(_metadata, self->fd, 1);
	expect_next(_metadata, self->fd, 2);
	expect_empty(_metadata, self->fd);
}

TEST_F(interrupted, a_handler_ends_the_receive_with_eintr)
{
	pid_t child = box_fork();

	if (!child) {
		__u32 number = 77;

		catch_signal(0);
		CHECK_EQ(-EINTR, receive_by(variant->way, self->fd, &number));
		CHECK_EQ(77, number);
		_exit(0);
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	kill(child, SIGUSR1);
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, box_await_receivers(self->fd, 0));
	EXPECT_EQ(1, box_put(self->fd, 5));
	expect_next(_metadata, self->fd, 5);
}

TEST_F(interrupted, with_sa_restart_the_send_goes_on)
{
	pid_t child;
	__u32 i;

	fill(_metadata, self->fd);
	child = box_fork();
	if (!child) {
		catch_signal(SA_RESTART);
		CHECK_EQ(1, send_by(variant->way, self->fd, 3));
		CHECK_EQ(3, *signals);
		_exit(0);
	}
	for (i = 1; i <= 3; i++) {
		EXPECT_EQ(0, box_await_senders(self->fd, 1));
		kill(child, SIGUSR1);
		box_await_flag(signals, i);
	}
	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	expect_next(_metadata, self->fd, 1);
	EXPECT_EQ(0, box_wait(child));
	expect_next(_metadata, self->fd, 2);
	expect_next(_metadata, self->fd, 3);
	expect_empty(_metadata, self->fd);
}

TEST_F(interrupted, with_sa_restart_the_receive_goes_on)
{
	pid_t child = box_fork();
	__u32 i;

	if (!child) {
		__u32 number;

		catch_signal(SA_RESTART);
		CHECK_EQ(1, receive_by(variant->way, self->fd, &number));
		CHECK_EQ(3, *signals);
		_exit(number);
	}
	for (i = 1; i <= 3; i++) {
		EXPECT_EQ(0, box_await_receivers(self->fd, 1));
		kill(child, SIGUSR1);
		box_await_flag(signals, i);
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(1, box_put(self->fd, 33));
	EXPECT_EQ(33, box_wait(child));
}

#define TOO_LATE	1

/* Its status is TOO_LATE when no signal came before the deadline. */
static int receive_interrupted(struct __test_metadata *_metadata, int fd,
			       unsigned int ms)
{
	struct ipcbox_stat stat;
	pid_t child;

	*signals = 0;
	child = box_fork();
	if (!child) {
		__u64 deadline = box_in_ms(ms);
		struct ipcbox_incoming in;

		catch_signal(SA_RESTART);
		CHECK_EQ(-ETIMEDOUT, box_receive(fd, &in, NULL, 0, 0,
						 deadline));
		CHECK(box_now() >= deadline);
		_exit(*signals ? 0 : TOO_LATE);
	}
	do {
		EXPECT_EQ(0, box_stat(fd, &stat));
	} while (!stat.receivers_waiting && box_is_running(child));
	kill(child, SIGUSR1);
	return box_wait(child);
}

TEST_F(block, a_restarted_call_keeps_its_deadline)
{
	unsigned int ms = 100;
	int status;

	signals = box_shared(4096);
	do {
		status = receive_interrupted(_metadata, self->fd, ms);
		ms *= 2;
	} while (status == TOO_LATE);
	EXPECT_EQ(0, status);
}

/* A batch of four where two have room. */
static int send_four(int fd, __u64 deadline)
{
	static const __u32 number[4] = { 1, 2, 3, 4 };
	struct ipcbox_outgoing out[4] = { };
	int i;

	for (i = 0; i < 4; i++) {
		out[i].data = (uintptr_t)&number[i];
		out[i].length = sizeof(number[i]);
		out[i].tag = number[i];
	}
	return box_send_many(fd, out, 4, 0, deadline);
}

FIXTURE(batch)
{
	int dev;
	int fd;
};

FIXTURE_VARIANT(batch)
{
	int flags;
};

FIXTURE_VARIANT_ADD(batch, without_restart)
{
	.flags = 0,
};

FIXTURE_VARIANT_ADD(batch, with_restart)
{
	.flags = SA_RESTART,
};

FIXTURE_SETUP(batch)
{
	signals = box_shared(4096);
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, 2, 0, 0);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(batch)
{
	close(self->fd);
	close(self->dev);
}

TEST_F(batch, a_signal_ends_it_with_what_was_accepted)
{
	struct ipcbox_stat stat;
	pid_t child = box_fork();

	if (!child) {
		catch_signal(variant->flags);
		CHECK_EQ(2, send_four(self->fd, IPCBOX_FOREVER));
		CHECK_EQ(1, *signals);
		_exit(0);
	}
	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(2, stat.messages);
	kill(child, SIGUSR1);
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(2, stat.sent);
	EXPECT_EQ(0, stat.senders_waiting);
	expect_next(_metadata, self->fd, 1);
	expect_next(_metadata, self->fd, 2);
	expect_empty(_metadata, self->fd);
}

TEST_F(block, a_deadline_ends_a_batch_with_what_was_accepted)
{
	__u64 deadline = box_in_ms(30);
	struct ipcbox_stat stat;

	EXPECT_EQ(2, send_four(self->fd, deadline));
	EXPECT_LE(deadline, box_now());
	EXPECT_EQ(-ETIMEDOUT, send_four(self->fd, 0));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(2, stat.sent);
}

TEST_F(block, a_batch_waits_for_the_rest)
{
	pid_t child = box_fork();

	if (!child) {
		CHECK_EQ(4, send_four(self->fd, IPCBOX_FOREVER));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	expect_next(_metadata, self->fd, 1);
	EXPECT_EQ(0, box_await_messages(self->fd, 2));
	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	expect_next(_metadata, self->fd, 2);
	EXPECT_EQ(0, box_wait(child));
	expect_next(_metadata, self->fd, 3);
	expect_next(_metadata, self->fd, 4);
	expect_empty(_metadata, self->fd);
}

TEST_F(block, a_raised_limit_admits_at_once)
{
	struct ipcbox_set set = {
		.mask = IPCBOX_SET_MAX_BYTES | IPCBOX_SET_MAX_MESSAGE_BYTES,
		.max_bytes = 8,
		.max_message_bytes = 8,
	};
	struct ipcbox_stat stat;
	pid_t child[2];

	fill(_metadata, self->fd);
	child[0] = box_fork_sender(self->fd, 3);
	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	child[1] = box_fork_sender(self->fd, 4);
	EXPECT_EQ(0, box_await_senders(self->fd, 2));
	EXPECT_EQ(0, box_set_max_messages(self->fd, 3));
	EXPECT_EQ(0, box_wait(child[0]));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(3, stat.messages);
	EXPECT_EQ(1, stat.senders_waiting);
	EXPECT_EQ(0, box_set_max_messages(self->fd, 10));
	EXPECT_EQ(0, box_wait(child[1]));
	expect_next(_metadata, self->fd, 1);
	expect_next(_metadata, self->fd, 2);

	/* By bytes, of which the two that are left have eight. */
	EXPECT_EQ(0, box_set(self->fd, &set));
	child[0] = box_fork_sender(self->fd, 5);
	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	set.max_bytes = 12;
	EXPECT_EQ(0, box_set(self->fd, &set));
	EXPECT_EQ(0, box_wait(child[0]));
	expect_next(_metadata, self->fd, 3);
	expect_next(_metadata, self->fd, 4);
	expect_next(_metadata, self->fd, 5);
}

TEST_F(block, a_lowered_limit_takes_nothing_away)
{
	struct ipcbox_stat stat;

	fill(_metadata, self->fd);
	EXPECT_EQ(0, box_set_max_messages(self->fd, 1));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(2, stat.messages);
	EXPECT_EQ(1, stat.max_messages);
	EXPECT_EQ(-EAGAIN, box_put(self->fd, 3));
	expect_next(_metadata, self->fd, 1);
	/* As much as it may hold, still. */
	EXPECT_EQ(-EAGAIN, box_put(self->fd, 3));
	expect_next(_metadata, self->fd, 2);
	EXPECT_EQ(1, box_put(self->fd, 3));
	expect_next(_metadata, self->fd, 3);
}

TEST_F(block, a_sender_that_waits_gets_an_error_that_comes_meanwhile)
{
	struct ipcbox_set set = {
		.mask = IPCBOX_SET_MAX_MESSAGE_BYTES,
		.max_message_bytes = 3,
	};
	pid_t child;

	/* A message that waits is by now longer than the object takes. */
	fill(_metadata, self->fd);
	child = box_fork();
	if (!child) {
		int ret = box_put_wait(self->fd, 3);

		/* It was good when it came; either is an answer. */
		CHECK(ret == 1 || ret == -EMSGSIZE);
		_exit(ret == 1);
	}
	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	EXPECT_EQ(0, box_set(self->fd, &set));
	expect_next(_metadata, self->fd, 1);
	expect_next(_metadata, self->fd, 2);
	if (box_wait(child) == 1)
		expect_next(_metadata, self->fd, 3);
	expect_empty(_metadata, self->fd);
}

struct waiter {
	int fd;
	int ret;
	__u32 number;
};

static void *receive_in_thread(void *arg)
{
	struct waiter *waiter = arg;

	waiter->ret = box_get_wait(waiter->fd, &waiter->number);
	return NULL;
}

static void *send_in_thread(void *arg)
{
	struct waiter *waiter = arg;

	waiter->ret = box_put_wait(waiter->fd, waiter->number);
	return NULL;
}

TEST_F(block, closing_a_descriptor_does_not_end_a_wait_on_it)
{
	struct waiter waiter = { .fd = dup(self->fd) };
	struct ipcbox_stat stat;
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, receive_in_thread,
				    &waiter));
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	close(waiter.fd);
	EXPECT_EQ(1, box_put(self->fd, 51));
	pthread_join(thread, NULL);
	EXPECT_EQ(1, waiter.ret);
	EXPECT_EQ(51, waiter.number);

	/* The last descriptor of its handle: the call keeps the handle. */
	waiter.fd = box_open_id(self->dev, box_id(self->fd), W);
	waiter.number = 52;
	fill(_metadata, self->fd);
	ASSERT_EQ(0, pthread_create(&thread, NULL, send_in_thread, &waiter));
	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	close(waiter.fd);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(2, stat.handles);
	EXPECT_EQ(1, stat.senders_waiting);
	expect_next(_metadata, self->fd, 1);
	pthread_join(thread, NULL);
	EXPECT_EQ(1, waiter.ret);
	EXPECT_EQ(0, box_await_handles(self->fd, 1));
	expect_next(_metadata, self->fd, 2);
	expect_next(_metadata, self->fd, 52);
}

TEST_F(block, a_killed_process_leaves_no_waiter_of_its_threads)
{
	pid_t child;
	int i;

	child = box_fork();
	if (!child) {
		struct waiter waiter[3];
		pthread_t thread;

		for (i = 0; i < 3; i++) {
			waiter[i].fd = self->fd;
			pthread_create(&thread, NULL, receive_in_thread,
				       &waiter[i]);
		}
		for (;;)
			pause();
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, 3));
	kill(child, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child));
	EXPECT_EQ(0, box_await_receivers(self->fd, 0));
	EXPECT_EQ(1, box_put(self->fd, 1));
	expect_next(_metadata, self->fd, 1);
}

TEST_HARNESS_MAIN
