// SPDX-License-Identifier: GPL-2.0
/*
 * A synchronous send ends in one of two ways: the message was taken, or where it
 * is held acknowledged; or the sender has an error, and nobody ever gets the
 * message or may acknowledge it.
 */
#include <signal.h>
#include <stdio.h>

#include "kselftest_harness.h"
#include "box.h"

#define SECOND	1000000000ull

FIXTURE(sync)
{
	int dev;
	int fd;
};

FIXTURE_VARIANT(sync)
{
	__u32 kind;
};

FIXTURE_VARIANT_ADD(sync, queue)
{
	.kind = IPCBOX_QUEUE,
};

FIXTURE_VARIANT_ADD(sync, mailbox)
{
	.kind = IPCBOX_MAILBOX,
};

static void ignore_signal(int sig)
{
}

FIXTURE_SETUP(sync)
{
	struct sigaction action = { .sa_handler = ignore_signal };

	sigaction(SIGUSR1, &action, NULL);
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	/* Room for two. */
	self->fd = box_make_sized(self->dev, variant->kind, RWM, 2, 0, 0);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(sync)
{
	struct ipcbox_stat stat;
	struct ipcbox_info info;

	if (self->fd >= 0) {
		EXPECT_TRUE(box_adds_up(self->fd));
		EXPECT_EQ(0, box_stat(self->fd, &stat));
		EXPECT_EQ(0, stat.senders_waiting);
		EXPECT_EQ(0, stat.receivers_waiting);
		EXPECT_EQ(0, stat.held);
		close(self->fd);
	}
	/* Nothing stays charged to who has sent. */
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(0, info.user_bytes_used);
	close(self->dev);
}

/* Its status is the errno, or 0. */
static pid_t fork_sender(int fd, __u32 number, __u64 deadline)
{
	pid_t child = box_fork();
	int ret;

	if (!child) {
		ret = box_put_sync(fd, number, deadline);
		CHECK(ret == 1 || ret < 0);
		_exit(ret < 0 ? -ret : 0);
	}
	return child;
}

static void expect_empty(struct __test_metadata *_metadata, int fd)
{
	__u32 number;

	EXPECT_EQ(-EAGAIN, box_get(fd, &number));
}

TEST_F(sync, returns_when_it_is_taken)
{
	pid_t child = fork_sender(self->fd, 7, IPCBOX_FOREVER);
	struct ipcbox_stat stat;
	__u32 number;

	EXPECT_EQ(0, box_await_messages(self->fd, 1));
	EXPECT_TRUE(box_is_running(child));
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(7, number);
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(1, stat.sent);
	EXPECT_EQ(1, stat.received);
	EXPECT_EQ(0, stat.withdrawn);
	EXPECT_EQ(0, stat.refused);
}

TEST_F(sync, returns_when_a_waiting_receiver_takes_it)
{
	pid_t child = box_fork();
	__u32 number;

	if (!child) {
		CHECK_EQ(1, box_get_wait(self->fd, &number));
		_exit(number);
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(1, box_put_sync(self->fd, 9, box_in_ms(100000)));
	EXPECT_EQ(9, box_wait(child));
}

TEST_F(sync, returns_when_read_takes_it)
{
	pid_t child = fork_sender(self->fd, 7, IPCBOX_FOREVER);
	__u32 number;

	EXPECT_EQ(0, box_await_messages(self->fd, 1));
	EXPECT_EQ(4, read(self->fd, &number, 4));
	EXPECT_EQ(7, number);
	EXPECT_EQ(0, box_wait(child));
}

/* Not by looking at it, and not by a receive that fails. */
TEST_F(sync, does_not_return_before_it_is_taken)
{
	pid_t child = fork_sender(self->fd, 7, IPCBOX_FOREVER);
	struct ipcbox_receive peek = { .flags = IPCBOX_PEEK };
	struct ipcbox_incoming in = { };
	__u32 number;

	EXPECT_EQ(0, box_await_messages(self->fd, 1));
	EXPECT_EQ(1, box_select(self->fd, &peek, &in, 1));
	EXPECT_EQ(-EMSGSIZE, box_receive(self->fd, &in, &number, 3,
					 IPCBOX_NOWAIT, 0));
	EXPECT_EQ(-EFAULT, box_receive(self->fd, &in, (void *)8, 4,
				       IPCBOX_NOWAIT, 0));
	EXPECT_TRUE(box_is_running(child));
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(sync, returns_when_it_is_acknowledged)
{
	pid_t child = fork_sender(self->fd, 7, IPCBOX_FOREVER);
	struct ipcbox_incoming in;
	struct ipcbox_stat stat;
	__u32 number;

	EXPECT_EQ(0, box_await_messages(self->fd, 1));
	EXPECT_EQ(1, box_hold(self->fd, &in, &number));
	EXPECT_EQ(7, number);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(1, stat.held);
	EXPECT_EQ(0, stat.received);
	EXPECT_TRUE(box_is_running(child));
	EXPECT_EQ(0, box_settle(self->fd, in.token, IPCBOX_ACK));
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(1, stat.received);
}

TEST_F(sync, giving_it_back_does_not_end_the_wait)
{
	pid_t child = fork_sender(self->fd, 7, IPCBOX_FOREVER);
	struct ipcbox_incoming in;
	__u32 number, i;

	EXPECT_EQ(0, box_await_messages(self->fd, 1));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(1, box_hold(self->fd, &in, &number));
		EXPECT_EQ(i, in.deliveries);
		EXPECT_EQ(0, box_settle(self->fd, in.token, IPCBOX_NACK));
		EXPECT_TRUE(box_is_running(child));
	}
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(sync, the_deadline_withdraws_it_from_the_object)
{
	struct ipcbox_stat stat;
	__u64 deadline;
	__u32 number;

	EXPECT_EQ(1, box_put(self->fd, 1));
	deadline = box_in_ms(30);
	EXPECT_EQ(-ETIMEDOUT, box_put_sync(self->fd, 7, deadline));
	EXPECT_LE(deadline, box_now());
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(2, stat.sent);
	EXPECT_EQ(1, stat.messages);
	EXPECT_EQ(4, stat.bytes);
	EXPECT_EQ(1, stat.withdrawn);
	EXPECT_EQ(1, stat.refused);
	EXPECT_TRUE(box_adds_up(self->fd));
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(1, number);
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(2, number);
	expect_empty(_metadata, self->fd);
}

TEST_F(sync, a_deadline_in_the_past_serves_who_waits)
{
	pid_t child = box_fork();
	__u32 number;

	if (!child) {
		CHECK_EQ(1, box_get_wait(self->fd, &number));
		_exit(number);
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	/* It is with the receiver at once, but it has to be taken as well. */
	if (box_put_sync(self->fd, 5, 0) == 1) {
		EXPECT_EQ(5, box_wait(child));
	} else {
		/* Then the receiver goes on waiting. */
		EXPECT_EQ(1, box_put(self->fd, 6));
		EXPECT_EQ(6, box_wait(child));
	}
	EXPECT_EQ(-ETIMEDOUT, box_put_sync(self->fd, 7, 0));
	expect_empty(_metadata, self->fd);
}

TEST_F(sync, the_deadline_withdraws_it_while_it_waits_for_room)
{
	struct ipcbox_stat stat;
	__u32 number;

	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(-ETIMEDOUT, box_put_sync(self->fd, 7, box_in_ms(30)));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(2, stat.sent);
	EXPECT_EQ(0, stat.withdrawn);
	EXPECT_EQ(1, stat.refused);
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(2, number);
	expect_empty(_metadata, self->fd);
}

TEST_F(sync, waiting_for_room_and_then_for_the_receiver)
{
	struct ipcbox_stat stat;
	__u32 number;
	pid_t child;

	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(1, box_put(self->fd, 2));
	child = fork_sender(self->fd, 3, IPCBOX_FOREVER);
	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	EXPECT_EQ(1, box_get(self->fd, &number));
	/* It is in, but nobody has it. */
	EXPECT_EQ(0, box_await_senders(self->fd, 0));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(3, stat.sent);
	EXPECT_TRUE(box_is_running(child));
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(2, number);
	EXPECT_TRUE(box_is_running(child));
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(3, number);
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(sync, not_waiting_concerns_room_only)
{
	struct ipcbox_stat stat;
	__u32 number, i = 8;
	pid_t child;

	child = box_fork();
	if (!child) {
		CHECK_EQ(1, box_send(self->fd, &i, 4, 0, 0,
				     IPCBOX_SYNC | IPCBOX_NOWAIT,
				     IPCBOX_FOREVER));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_messages(self->fd, 1));
	EXPECT_TRUE(box_is_running(child));
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(-EAGAIN, box_send(self->fd, &i, 4, 0, 0,
				    IPCBOX_SYNC | IPCBOX_NOWAIT,
				    IPCBOX_FOREVER));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(2, stat.sent);
	EXPECT_EQ(0, stat.senders_waiting);
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(8, number);
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(1, box_get(self->fd, &number));
}

TEST_F(sync, withdrawing_makes_room_for_who_waits)
{
	__u32 number;
	pid_t child, other;

	EXPECT_EQ(1, box_put(self->fd, 1));
	child = fork_sender(self->fd, 2, IPCBOX_FOREVER);
	EXPECT_EQ(0, box_await_messages(self->fd, 2));
	other = box_fork();
	if (!other) {
		CHECK_EQ(1, box_put_wait(self->fd, 3));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	kill(child, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child));
	EXPECT_EQ(0, box_wait(other));
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(1, number);
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(3, number);
	expect_empty(_metadata, self->fd);
}

TEST_F(sync, the_deadline_withdraws_it_while_it_is_held)
{
	pid_t child = fork_sender(self->fd, 7, box_in_ms(300));
	struct ipcbox_incoming in;
	struct ipcbox_stat stat;
	__u32 number;
	int held;

	EXPECT_EQ(0, box_await_sent(self->fd, 1));
	held = box_hold(self->fd, &in, &number);
	EXPECT_EQ(ETIMEDOUT, box_wait(child));
	/* A slow machine may have let it end before. */
	if (held == 1) {
		EXPECT_EQ(-EPIPE, box_settle(self->fd, in.token, IPCBOX_ACK));
		EXPECT_EQ(-ENOENT, box_settle(self->fd, in.token, IPCBOX_ACK));
	} else {
		EXPECT_EQ(-EAGAIN, held);
	}
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.received);
	EXPECT_EQ(0, stat.held);
	EXPECT_EQ(1, stat.withdrawn);
	expect_empty(_metadata, self->fd);
}

/* A signal ends the wait at each place; the message is withdrawn from there. */
TEST_F(sync, a_signal_withdraws_it)
{
	struct ipcbox_incoming in;
	struct ipcbox_stat stat;
	__u32 number;
	pid_t child;

	/* In the object. */
	child = fork_sender(self->fd, 1, IPCBOX_FOREVER);
	EXPECT_EQ(0, box_await_messages(self->fd, 1));
	kill(child, SIGUSR1);
	EXPECT_EQ(EINTR, box_wait(child));
	expect_empty(_metadata, self->fd);

	/* Held, and then acknowledged or given back. */
	child = fork_sender(self->fd, 2, IPCBOX_FOREVER);
	EXPECT_EQ(0, box_await_messages(self->fd, 1));
	EXPECT_EQ(1, box_hold(self->fd, &in, &number));
	kill(child, SIGUSR1);
	EXPECT_EQ(EINTR, box_wait(child));
	EXPECT_EQ(-EPIPE, box_settle(self->fd, in.token, IPCBOX_ACK));
	child = fork_sender(self->fd, 3, IPCBOX_FOREVER);
	EXPECT_EQ(0, box_await_messages(self->fd, 1));
	EXPECT_EQ(1, box_hold(self->fd, &in, &number));
	kill(child, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child));
	EXPECT_EQ(-EPIPE, box_settle(self->fd, in.token, IPCBOX_NACK));
	EXPECT_EQ(-ENOENT, box_settle(self->fd, in.token, IPCBOX_NACK));
	expect_empty(_metadata, self->fd);

	/* Given back before, so in the object again. */
	child = fork_sender(self->fd, 4, IPCBOX_FOREVER);
	EXPECT_EQ(0, box_await_messages(self->fd, 1));
	EXPECT_EQ(1, box_hold(self->fd, &in, &number));
	EXPECT_EQ(0, box_settle(self->fd, in.token, IPCBOX_NACK));
	kill(child, SIGUSR1);
	EXPECT_EQ(EINTR, box_wait(child));
	expect_empty(_metadata, self->fd);

	/* Waiting for room. */
	EXPECT_EQ(1, box_put(self->fd, 5));
	EXPECT_EQ(1, box_put(self->fd, 6));
	child = fork_sender(self->fd, 7, IPCBOX_FOREVER);
	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	kill(child, SIGUSR1);
	EXPECT_EQ(EINTR, box_wait(child));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.senders_waiting);
	EXPECT_EQ(6, stat.sent);
	EXPECT_EQ(4, stat.withdrawn);
	EXPECT_EQ(0, stat.received);
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(1, box_get(self->fd, &number));
	expect_empty(_metadata, self->fd);
}

static long do_receive(int fd, char *trap)
{
	struct ipcbox_incoming in;

	return box_receive(fd, &in, trap, 4, 0, IPCBOX_FOREVER);
}

static long do_hold(int fd, char *trap)
{
	struct ipcbox_incoming in;

	return box_receive(fd, &in, trap, 4, IPCBOX_HOLD, IPCBOX_FOREVER);
}

static bool hang(struct __test_metadata *_metadata, int fd,
		 long (*deed)(int fd, char *trap), struct box_trapped *trapped)
{
	int ret = box_trap(trapped, deed, fd);

	if (ret == KSFT_SKIP)
		SKIP(return false, "no userfaultfd for faults of the kernel");
	EXPECT_EQ(0, ret);
	return ret == 0;
}

/* A receiver copies, and is stalled: it is not yet taken. */
static void withdraw_from_copy(struct __test_metadata *_metadata, int fd,
			       long (*deed)(int fd, char *trap))
{
	pid_t child = fork_sender(fd, 7, IPCBOX_FOREVER);
	struct box_trapped trapped;
	struct ipcbox_stat stat;

	EXPECT_EQ(0, box_await_messages(fd, 1));
	if (!hang(_metadata, fd, deed, &trapped)) {
		kill(child, SIGKILL);
		box_wait(child);
		return;
	}
	EXPECT_TRUE(box_is_running(child));
	/* The sender does not wait for the receiver to go on. */
	kill(child, SIGUSR1);
	EXPECT_EQ(EINTR, box_wait(child));
	EXPECT_TRUE(box_adds_up(fd));
	/* And the receiver, when it goes on, gets the next one instead. */
	EXPECT_EQ(1, box_put(fd, 8));
	box_release(&trapped, BOX_HEAL);
	EXPECT_EQ(0, box_wait(trapped.pid));
	EXPECT_EQ(1, *trapped.result);
	EXPECT_EQ(0, box_stat(fd, &stat));
	EXPECT_EQ(2, stat.sent);
	EXPECT_EQ(1, stat.withdrawn);
	EXPECT_TRUE(box_adds_up(fd));
}

TEST_F(sync, is_withdrawn_from_a_copy_that_hangs)
{
	struct ipcbox_stat stat;

	withdraw_from_copy(_metadata, self->fd, do_receive);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.messages);
}

TEST_F(sync, is_withdrawn_from_a_copy_of_a_holder)
{
	struct ipcbox_incoming in;
	__u32 number;

	withdraw_from_copy(_metadata, self->fd, do_hold);
	/* This process has the handle open: it can settle. */
	EXPECT_EQ(-EAGAIN, box_hold(self->fd, &in, &number));
	close(self->fd);
	self->fd = -1;
}

TEST_F(sync, the_deadline_withdraws_it_from_a_copy_that_hangs)
{
	unsigned int ms = 100, tries = 0;
	struct box_trapped trapped;
	struct ipcbox_stat stat;
	__u32 number;

	box_trap_begin(&trapped, do_receive, self->fd);
	do {
		EXPECT_EQ(0, box_stat(self->fd, &stat));
	} while (!stat.receivers_waiting && box_is_running(trapped.pid));
	if (!box_is_running(trapped.pid)) {
		EXPECT_EQ(KSFT_SKIP, box_wait(trapped.pid));
		SKIP(return, "no userfaultfd for faults of the kernel");
	}
	/* A slow receiver may not have begun to copy; then another one. */
	do {
		EXPECT_EQ(ETIMEDOUT, box_wait(fork_sender(self->fd, 7,
							  box_in_ms(ms))));
		tries++;
		ms *= 2;
	} while (!box_hangs(&trapped));
	box_release(&trapped, BOX_HEAL);
	/* There is nothing for it, so it waits. */
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(1, box_put(self->fd, 8));
	EXPECT_EQ(0, box_wait(trapped.pid));
	EXPECT_EQ(1, *trapped.result);
	EXPECT_EQ(-EAGAIN, box_get(self->fd, &number));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(tries, stat.withdrawn);
	EXPECT_EQ(1, stat.received);
}

TEST_F(sync, a_copy_that_fails_does_not_end_the_wait)
{
	pid_t child = fork_sender(self->fd, 7, IPCBOX_FOREVER);
	struct box_trapped trapped;
	__u32 number;

	EXPECT_EQ(0, box_await_messages(self->fd, 1));
	if (!hang(_metadata, self->fd, do_receive, &trapped)) {
		kill(child, SIGKILL);
		box_wait(child);
		return;
	}
	box_release(&trapped, BOX_TAKE_AWAY);
	EXPECT_EQ(0, box_wait(trapped.pid));
	EXPECT_EQ(-EFAULT, *trapped.result);
	EXPECT_TRUE(box_is_running(child));
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(7, number);
	EXPECT_EQ(0, box_wait(child));
}

/* Withdrawn during a copy that fails: it does not come back. */
TEST_F(sync, does_not_come_back_when_it_was_withdrawn)
{
	pid_t child = fork_sender(self->fd, 7, IPCBOX_FOREVER);
	struct box_trapped trapped;
	struct ipcbox_stat stat;

	EXPECT_EQ(0, box_await_messages(self->fd, 1));
	if (!hang(_metadata, self->fd, do_receive, &trapped)) {
		kill(child, SIGKILL);
		box_wait(child);
		return;
	}
	kill(child, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child));
	kill(trapped.pid, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(trapped.pid));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.messages);
	EXPECT_EQ(1, stat.withdrawn);
	EXPECT_EQ(0, stat.received);
}

/* The receiver that is killed returns it, and another one may take it. */
TEST_F(sync, a_killed_holder_does_not_end_the_wait)
{
	struct ipcbox_incoming in;
	__u32 number;
	int sender;
	pid_t child, holder;
	__u64 id = box_id(self->fd);

	sender = box_open_id(self->dev, id, W);
	ASSERT_LE(0, sender);
	/* Persistent, in effect: this one may open it again. */
	close(self->fd);
	self->fd = box_open_id(self->dev, id, M);
	ASSERT_LE(0, self->fd);
	holder = box_fork();
	if (!holder) {
		int fd = box_open_id(self->dev, id, R);

		CHECK(fd >= 0);
		CHECK_EQ(1, box_receive(fd, &in, &number, 4, IPCBOX_HOLD,
					IPCBOX_FOREVER));
		pause();
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	close(self->fd);
	self->fd = box_open_id(self->dev, id, variant->kind == IPCBOX_QUEUE ?
			       R | M : M);
	ASSERT_LE(0, self->fd);
	child = fork_sender(sender, 7, IPCBOX_FOREVER);
	EXPECT_EQ(0, box_await_held(self->fd, 1));
	kill(holder, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(holder));
	if (variant->kind == IPCBOX_MAILBOX) {
		/* No one else may receive: it is abandoned. */
		EXPECT_EQ(EPIPE, box_wait(child));
	} else {
		EXPECT_EQ(0, box_await_messages(self->fd, 1));
		EXPECT_TRUE(box_is_running(child));
		EXPECT_EQ(1, box_hold(self->fd, &in, &number));
		EXPECT_EQ(7, number);
		EXPECT_EQ(1, in.deliveries);
		EXPECT_EQ(0, box_settle(self->fd, in.token, IPCBOX_ACK));
		EXPECT_EQ(0, box_wait(child));
	}
	close(sender);
}

TEST_F(sync, persistent_objects_keep_it_for_the_next_receiver)
{
	struct ipcbox_create create = {
		.flags = IPCBOX_CREATE_PERSISTENT,
		.kind = variant->kind,
		.mode = 0600,
		.rights = R,
	};
	int receiver = box_create(self->dev, &create);
	struct ipcbox_incoming in;
	struct ipcbox_stat stat;
	__u32 number;
	pid_t child;
	int sender;

	ASSERT_LE(0, receiver);
	sender = box_open_id(self->dev, create.id, W);
	ASSERT_LE(0, sender);
	child = box_fork();
	if (!child) {
		close(receiver);
		_exit(-box_put_sync(sender, 7, IPCBOX_FOREVER));
	}
	EXPECT_EQ(0, box_await_messages(sender, 1));
	EXPECT_EQ(1, box_hold(receiver, &in, &number));
	close(receiver);
	EXPECT_EQ(0, box_await_messages(sender, 1));
	EXPECT_TRUE(box_is_running(child));
	receiver = box_open_id(self->dev, create.id, R);
	ASSERT_LE(0, receiver);
	EXPECT_EQ(1, box_hold(receiver, &in, &number));
	EXPECT_EQ(1, in.deliveries);
	close(receiver);
	EXPECT_TRUE(box_is_running(child));
	/* Unlinked, it has no receiver any more. */
	EXPECT_EQ(0, box_unlink_id(self->dev, create.id));
	EXPECT_EQ(EPIPE, box_wait(child));
	EXPECT_EQ(0, box_stat(sender, &stat));
	EXPECT_EQ(1, stat.withdrawn);
	EXPECT_TRUE(box_adds_up(sender));
	close(sender);
}

/* Its last receiver goes: in the object, waiting for room, and held. */
TEST_F(sync, no_receiver_any_more_is_epipe)
{
	struct ipcbox_incoming in;
	struct ipcbox_stat stat;
	pid_t child[3];
	__u32 number;
	int sender, i;

	sender = box_open_id(self->dev, box_id(self->fd), W);
	ASSERT_LE(0, sender);
	for (i = 0; i < 3; i++) {
		/* Only in the parent is there a receive handle. */
		child[i] = box_fork();
		if (!child[i]) {
			int ret;

			close(self->fd);
			ret = box_put_sync(sender, i, IPCBOX_FOREVER);
			_exit(ret < 0 ? -ret : 0);
		}
		if (!i) {
			EXPECT_EQ(0, box_await_messages(sender, 1));
			EXPECT_EQ(1, box_hold(self->fd, &in, &number));
			EXPECT_EQ(1, box_put(sender, 9));
		}
	}
	EXPECT_EQ(0, box_await_messages(sender, 2));
	EXPECT_EQ(0, box_await_senders(sender, 1));
	close(self->fd);
	self->fd = -1;
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(EPIPE, box_wait(child[i]))
			TH_LOG("sender %d", i);
	}
	EXPECT_EQ(-EPIPE, box_put_sync(sender, 1, IPCBOX_FOREVER));
	EXPECT_EQ(0, box_stat(sender, &stat));
	/* What nobody waited for is still there. */
	EXPECT_EQ(1, stat.messages);
	EXPECT_EQ(3, stat.sent);
	EXPECT_EQ(2, stat.withdrawn);
	EXPECT_TRUE(box_adds_up(sender));
	close(sender);
}

/* UNLINK alone does not end it, while there is a receive handle. */
TEST_F(sync, an_unlinked_object_with_a_receiver_serves_it)
{
	pid_t child = fork_sender(self->fd, 7, IPCBOX_FOREVER);
	__u32 number;

	EXPECT_EQ(0, box_await_messages(self->fd, 1));
	EXPECT_EQ(0, box_unlink_id(self->dev, box_id(self->fd)));
	EXPECT_TRUE(box_is_running(child));
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(sync, exhausted_deliveries_end_it)
{
	pid_t child;
	struct ipcbox_incoming in;
	struct ipcbox_stat stat;
	__u32 number;
	int i;

	EXPECT_EQ(0, box_set_dead_letter(self->fd, 0, 2));
	child = fork_sender(self->fd, 7, IPCBOX_FOREVER);
	EXPECT_EQ(0, box_await_messages(self->fd, 1));
	for (i = 0; i < 2; i++) {
		EXPECT_TRUE(box_is_running(child));
		EXPECT_EQ(1, box_hold(self->fd, &in, &number));
		EXPECT_EQ(0, box_settle(self->fd, in.token, IPCBOX_NACK));
	}
	EXPECT_EQ(EOWNERDEAD, box_wait(child));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.messages);
	EXPECT_EQ(1, stat.exhausted + stat.withdrawn);
}

/* Deadlines and receivers at the same time: each message has one end. */
TEST_F(sync, there_is_no_third_outcome)
{
	__u32 *taken = box_shared(4096 * sizeof(__u32));
	__u64 end = box_now() + SECOND;
	struct ipcbox_incoming in;
	__u32 number, sent = 0, i;
	__u64 random = 1;
	pid_t child;
	int ret;

	child = box_fork();
	if (!child) {
		for (;;) {
			bool hold = box_random(&random) % 2;

			ret = box_receive(self->fd, &in, &number, 4,
					  hold ? IPCBOX_HOLD : 0,
					  IPCBOX_FOREVER);
			CHECK_EQ(1, ret);
			CHECK(number < 4096);
			if (number == 0)
				break;
			if (hold) {
				ret = box_settle(self->fd, in.token,
						 IPCBOX_ACK);
				CHECK(ret == 0 || ret == -EPIPE);
			}
			if (!hold || ret == 0)
				__atomic_fetch_add(&taken[number], 1,
						   __ATOMIC_RELAXED);
		}
		if (in.token)
			CHECK_EQ(0, box_settle(self->fd, in.token,
					       IPCBOX_ACK));
		_exit(0);
	}
	for (i = 1; i < 4096 && box_now() < end; i++) {
		ret = box_put_sync(self->fd, i, box_now() +
				   box_random(&random) % 100000);
		EXPECT_TRUE(ret == 1 || ret == -ETIMEDOUT);
		if (ret == 1)
			sent++;
		__atomic_fetch_add(&taken[i], ret == 1 ? 100 : 200,
				   __ATOMIC_RELAXED);
	}
	EXPECT_EQ(1, box_put_sync(self->fd, 0, IPCBOX_FOREVER));
	EXPECT_EQ(0, box_wait(child));
	while (--i) {
		EXPECT_TRUE(taken[i] == 101 || taken[i] == 200)
			TH_LOG("message %u: %u", i, taken[i]);
	}
	TH_LOG("%u taken", sent);
}

TEST_HARNESS_MAIN
