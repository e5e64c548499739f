// SPDX-License-Identifier: GPL-2.0
/*
 * A mailbox has exactly one receive handle; a persistent one keeps its messages
 * for the next; and the end of the other side is noticed: EPIPE, EPOLLHUP, and
 * those who wait wake at once.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "kselftest_harness.h"
#include "box.h"

FIXTURE(mailbox)
{
	int dev;
	int fd;			/* its one receive handle */
	__u64 id;
	char name[BOX_NAME_SIZE];
};

FIXTURE_SETUP(mailbox)
{
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	box_name(self->name, "mailbox");
	self->fd = box_make_named(self->dev, IPCBOX_MAILBOX, RWM, 0,
				  self->name);
	ASSERT_LE(0, self->fd);
	self->id = box_id(self->fd);
}

FIXTURE_TEARDOWN(mailbox)
{
	close(self->fd);
	close(self->dev);
}

TEST_F(mailbox, has_one_receive_handle)
{
	struct box_snapshot before;
	int sender, other;

	sender = box_open_id(self->dev, self->id, W | M);
	ASSERT_LE(0, sender);
	box_snapshot(self->dev, sender, &before);
	EXPECT_EQ(1, before.stat.receive_handles);
	EXPECT_EQ(-EBUSY, box_open_id(self->dev, self->id, R));
	EXPECT_EQ(-EBUSY, box_open_id(self->dev, self->id, RWM));
	EXPECT_EQ(-EBUSY, box_open_name(self->dev, self->name, R));
	EXPECT_EQ(-EBUSY, box_make_named(self->dev, IPCBOX_MAILBOX, R, 0,
					 self->name));
	EXPECT_TRUE(box_unchanged(self->dev, sender, &before));

	close(self->fd);
	self->fd = box_open_id(self->dev, self->id, R);
	EXPECT_LE(0, self->fd);
	EXPECT_EQ(-EBUSY, box_open_id(self->dev, self->id, R));

	/* Several senders are no matter. */
	other = box_open_id(self->dev, self->id, W);
	EXPECT_LE(0, other);
	close(other);
	close(sender);
}

TEST_F(mailbox, created_without_a_receiver_takes_the_first)
{
	int fd, first;

	fd = box_make(self->dev, IPCBOX_MAILBOX, W);
	ASSERT_LE(0, fd);
	first = box_open_id(self->dev, box_id(fd), R);
	EXPECT_LE(0, first);
	EXPECT_EQ(-EBUSY, box_open_id(self->dev, box_id(fd), R));
	close(first);
	close(fd);
}

TEST_F(mailbox, copies_of_the_descriptor_are_the_one_handle)
{
	int sender, copy;

	sender = box_open_id(self->dev, self->id, W);
	copy = dup(self->fd);
	close(self->fd);
	EXPECT_EQ(-EBUSY, box_open_id(self->dev, self->id, R));
	close(copy);
	self->fd = box_open_id(self->dev, self->id, R);
	EXPECT_LE(0, self->fd);
	close(sender);
}

TEST_F(mailbox, a_child_shares_the_handle)
{
	__u32 *flag = box_shared(4096);
	int sender;
	pid_t child;

	sender = box_open_id(self->dev, self->id, W);
	EXPECT_EQ(1, box_put(sender, 31));
	child = box_fork();
	if (!child) {
		__u32 number;

		box_await_flag(flag, 1);
		CHECK_EQ(1, box_get(self->fd, &number));
		CHECK_EQ(31, number);
		_exit(0);
	}
	close(self->fd);
	EXPECT_EQ(-EBUSY, box_open_id(self->dev, self->id, R));
	__atomic_store_n(flag, 1, __ATOMIC_RELEASE);
	EXPECT_EQ(0, box_wait(child));
	self->fd = box_open_id(self->dev, self->id, R);
	EXPECT_LE(0, self->fd);
	close(sender);
}

/* What follows holds for queues too, but for the number of receive handles. */
FIXTURE(peer)
{
	int dev;
	int fd;			/* neither sends nor receives */
	__u64 id;
};

FIXTURE_VARIANT(peer)
{
	__u32 kind;
	__u32 flags;
};

FIXTURE_VARIANT_ADD(peer, mailbox)
{
	.kind = IPCBOX_MAILBOX,
};

FIXTURE_VARIANT_ADD(peer, queue)
{
	.kind = IPCBOX_QUEUE,
};

FIXTURE_VARIANT_ADD(peer, persistent_mailbox)
{
	.kind = IPCBOX_MAILBOX,
	.flags = IPCBOX_CREATE_PERSISTENT,
};

FIXTURE_VARIANT_ADD(peer, persistent_queue)
{
	.kind = IPCBOX_QUEUE,
	.flags = IPCBOX_CREATE_PERSISTENT,
};

FIXTURE_SETUP(peer)
{
	struct ipcbox_create create = {
		.flags = variant->flags,
		.kind = variant->kind,
		.mode = 0600,
		.rights = M,
		.max_messages = 2,
	};

	signal(SIGPIPE, SIG_IGN);
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = box_create(self->dev, &create);
	ASSERT_LE(0, self->fd);
	self->id = create.id;
}

FIXTURE_TEARDOWN(peer)
{
	struct ipcbox_stat stat;

	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.senders_waiting);
	EXPECT_EQ(0, stat.receivers_waiting);
	box_unlink_id(self->dev, self->id);
	close(self->fd);
	close(self->dev);
}

#define PERSISTENT	(variant->flags & IPCBOX_CREATE_PERSISTENT)

static int opened(FIXTURE_DATA(peer) * self, __u32 rights)
{
	return box_open_id(self->dev, self->id, rights);
}

TEST_F(peer, before_the_first_receiver_messages_are_accepted)
{
	int w = opened(self, W), r;
	__u32 number;

	EXPECT_EQ(0, box_poll(w) & POLLHUP);
	EXPECT_EQ(1, box_put(w, 1));
	EXPECT_EQ(1, box_put(w, 2));
	EXPECT_EQ(-EAGAIN, box_put(w, 3));
	r = opened(self, R);
	EXPECT_EQ(1, box_get(r, &number));
	EXPECT_EQ(1, number);
	close(r);
	close(w);
}

TEST_F(peer, when_the_last_receiver_has_gone)
{
	int w = opened(self, W), r = opened(self, R), copy;
	struct ipcbox_stat before, stat;
	__u32 number;

	EXPECT_EQ(1, box_put(w, 1));
	copy = dup(r);
	close(r);
	EXPECT_EQ(0, box_poll(w) & POLLHUP);
	close(copy);
	EXPECT_EQ(0, box_stat(self->fd, &before));
	EXPECT_EQ(0, before.receive_handles);
	if (PERSISTENT) {
		/* Messages are kept for the next. */
		EXPECT_EQ(0, box_poll(w) & POLLHUP);
		EXPECT_EQ(1, box_put(w, 2));
		EXPECT_EQ(-EAGAIN, box_put(w, 3));
	} else {
		EXPECT_EQ(POLLHUP, box_poll(w) & POLLHUP);
		EXPECT_EQ(-EPIPE, box_put(w, 2));
		EXPECT_EQ(-EPIPE, box_put_wait(w, 2));
		EXPECT_EQ(-1, write(w, "x", 1));
		EXPECT_EQ(EPIPE, errno);
		EXPECT_EQ(0, box_stat(self->fd, &stat));
		EXPECT_EQ(before.refused + 3, stat.refused);
		EXPECT_EQ(before.sent, stat.sent);
		EXPECT_EQ(1, stat.messages);
	}

	/* The next receiver ends that, and finds what was accepted. */
	r = opened(self, R);
	ASSERT_LE(0, r);
	EXPECT_EQ(0, box_poll(w) & POLLHUP);
	EXPECT_EQ(1, box_get(r, &number));
	EXPECT_EQ(1, number);
	if (PERSISTENT) {
		EXPECT_EQ(1, box_get(r, &number));
		EXPECT_EQ(2, number);
	}
	EXPECT_EQ(1, box_put(w, 4));
	EXPECT_EQ(1, box_get(r, &number));
	EXPECT_EQ(4, number);
	close(r);
	close(w);
}

TEST_F(peer, messages_are_kept_in_order_for_the_next_receiver)
{
	int w = opened(self, W), r = opened(self, R);
	__u32 number;

	/* Persistent or not: what was accepted stays as long as the object. */
	EXPECT_EQ(1, box_put_priority(w, 1, 1));
	EXPECT_EQ(1, box_put_priority(w, 2, 2));
	close(r);
	close(w);
	r = opened(self, R);
	EXPECT_EQ(1, box_get(r, &number));
	EXPECT_EQ(2, number);
	close(r);
	r = opened(self, R);
	EXPECT_EQ(1, box_get(r, &number));
	EXPECT_EQ(1, number);
	EXPECT_EQ(-EAGAIN, box_get(r, &number));
	close(r);
}

/* A child that has no handles but those that it opens from now on. */
static pid_t fork_without_handles(int dev)
{
	pid_t child = box_fork();

	if (!child) {
		close_range(3, dev - 1, 0);
		close_range(dev + 1, -1, 0);
	}
	return child;
}

/* A child that waits to send into the full object, and what it is told. */
static pid_t waiting_sender(FIXTURE_DATA(peer) * self, int expected)
{
	pid_t child;
	int w;

	child = fork_without_handles(self->dev);
	if (!child) {
		w = opened(self, W);
		CHECK_EQ(expected, box_put_wait(w, 100));
		_exit(0);
	}
	return child;
}

static pid_t waiting_receiver(FIXTURE_DATA(peer) * self, int expected)
{
	__u32 number;
	pid_t child;
	int r;

	child = fork_without_handles(self->dev);
	if (!child) {
		r = opened(self, R);
		CHECK_EQ(expected, box_get_wait(r, &number));
		_exit(0);
	}
	return child;
}

TEST_F(peer, a_waiting_sender_wakes_when_the_last_receiver_closes)
{
	int w = opened(self, W), r = opened(self, R);
	struct ipcbox_stat stat;
	pid_t child;
	__u32 number;

	EXPECT_EQ(1, box_put(w, 1));
	EXPECT_EQ(1, box_put(w, 2));
	child = waiting_sender(self, PERSISTENT ? 1 : -EPIPE);
	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	close(r);
	if (PERSISTENT) {
		/* It goes on waiting, for the next receiver. */
		EXPECT_EQ(0, box_stat(self->fd, &stat));
		EXPECT_EQ(1, stat.senders_waiting);
		r = opened(self, R);
		EXPECT_EQ(1, box_get(r, &number));
		close(r);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(PERSISTENT ? 3 : 2, stat.sent);
	close(w);
}

TEST_F(peer, a_waiting_sender_wakes_when_the_receiver_is_killed)
{
	int w = opened(self, W), r;
	pid_t child, receiver;
	__u32 number;

	receiver = fork_without_handles(self->dev);
	if (!receiver) {
		opened(self, R);
		for (;;)
			pause();
	}
	EXPECT_EQ(0, box_await_handles(self->fd, 3));
	EXPECT_EQ(1, box_put(w, 1));
	EXPECT_EQ(1, box_put(w, 2));
	child = waiting_sender(self, PERSISTENT ? 1 : -EPIPE);
	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	EXPECT_EQ(0, kill(receiver, SIGKILL));
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(receiver));
	if (PERSISTENT) {
		/* Not for this: another receiver may come, and does. */
		EXPECT_EQ(0, box_poll(w) & POLLHUP);
		r = opened(self, R);
		EXPECT_EQ(1, box_get(r, &number));
		EXPECT_EQ(1, number);
		close(r);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(PERSISTENT ? 0 : POLLHUP, box_poll(w) & POLLHUP);
	close(w);
}

TEST_F(peer, a_waiting_sender_wakes_when_the_object_is_unlinked)
{
	int w = opened(self, W);
	struct ipcbox_stat stat;
	pid_t child;

	EXPECT_EQ(1, box_put(w, 1));
	EXPECT_EQ(1, box_put(w, 2));
	child = waiting_sender(self, -EPIPE);
	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	EXPECT_EQ(0, box_unlink_id(self->dev, self->id));
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(-EPIPE, box_put(w, 3));
	EXPECT_EQ(POLLHUP, box_poll(w) & POLLHUP);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(2, stat.sent);
	EXPECT_EQ(2, stat.refused);
	close(w);
}

TEST_F(peer, an_unlinked_object_with_a_receiver_works_on)
{
	int w = opened(self, W), r = opened(self, R);
	__u32 number;

	EXPECT_EQ(0, box_unlink_id(self->dev, self->id));
	EXPECT_EQ(0, box_poll(w) & POLLHUP);
	EXPECT_EQ(0, box_poll(r) & POLLHUP);
	EXPECT_EQ(1, box_put(w, 1));
	EXPECT_EQ(1, box_get(r, &number));
	EXPECT_EQ(-EAGAIN, box_get(r, &number));
	/* Once the receiver has gone, none will come. */
	close(r);
	EXPECT_EQ(-EPIPE, box_put(w, 2));
	EXPECT_EQ(POLLHUP, box_poll(w) & POLLHUP);
	close(w);
}

TEST_F(peer, a_receiver_waits_as_long_as_a_sender_may_come)
{
	int w = opened(self, W), r = opened(self, R);
	__u32 number;

	close(w);
	EXPECT_EQ(0, box_poll(r) & POLLHUP);
	EXPECT_EQ(-EAGAIN, box_get(r, &number));
	w = opened(self, W);
	EXPECT_EQ(1, box_put(w, 5));
	EXPECT_EQ(1, box_get(r, &number));
	close(w);
	close(r);
}

TEST_F(peer, a_receiver_gets_what_is_there_and_then_epipe)
{
	int w = opened(self, W), r = opened(self, R);
	__u32 number;

	EXPECT_EQ(1, box_put(w, 1));
	EXPECT_EQ(1, box_put(w, 2));
	EXPECT_EQ(0, box_unlink_id(self->dev, self->id));
	EXPECT_EQ(0, box_poll(r) & POLLHUP);
	close(w);
	EXPECT_EQ(POLLIN | POLLRDNORM | POLLHUP, box_poll(r));
	EXPECT_EQ(1, box_get(r, &number));
	EXPECT_EQ(1, number);
	EXPECT_EQ(4, read(r, &number, 4));
	EXPECT_EQ(2, number);
	EXPECT_EQ(-EPIPE, box_get(r, &number));
	EXPECT_EQ(-EPIPE, box_get_wait(r, &number));
	EXPECT_EQ(0, read(r, &number, 4));
	EXPECT_EQ(POLLHUP, box_poll(r));
	close(r);
}

TEST_F(peer, a_waiting_receiver_wakes_when_the_object_is_unlinked)
{
	pid_t child = waiting_receiver(self, -EPIPE);

	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(0, box_unlink_id(self->dev, self->id));
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(peer, a_waiting_receiver_wakes_when_the_last_sender_closes)
{
	int w = opened(self, W), copy = dup(w);
	struct ipcbox_stat stat;
	pid_t child;

	child = box_fork();
	if (!child) {
		__u32 number;
		int r = opened(self, R);

		close(w);
		close(copy);
		CHECK_EQ(0, read(r, &number, 4));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(0, box_unlink_id(self->dev, self->id));
	close(copy);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(1, stat.receivers_waiting);
	EXPECT_EQ(1, stat.send_handles);
	close(w);
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(peer, a_waiting_receiver_wakes_when_the_sender_is_killed)
{
	pid_t child, sender;

	sender = fork_without_handles(self->dev);
	if (!sender) {
		opened(self, W);
		for (;;)
			pause();
	}
	EXPECT_EQ(0, box_await_handles(self->fd, 2));
	child = waiting_receiver(self, -EPIPE);
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(0, box_unlink_id(self->dev, self->id));
	EXPECT_EQ(0, kill(sender, SIGKILL));
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(sender));
}

TEST_F(peer, a_handle_with_both_rights_is_its_own_peer)
{
	int both = opened(self, R | W);
	__u32 number;

	EXPECT_EQ(0, box_unlink_id(self->dev, self->id));
	EXPECT_EQ(0, box_poll(both) & POLLHUP);
	EXPECT_EQ(1, box_put(both, 6));
	EXPECT_EQ(1, box_get(both, &number));
	EXPECT_EQ(-EAGAIN, box_get(both, &number));
	close(both);
}

TEST_F(peer, each_of_those_who_wait_wakes)
{
	int r = opened(self, R);
	pid_t child[3];
	int i;

	/* By one handle, as a mailbox has no more. */
	for (i = 0; i < 3; i++) {
		child[i] = box_fork();
		if (!child[i]) {
			CHECK_EQ(-EPIPE, box_get_wait(r, &(__u32){ 0 }));
			_exit(0);
		}
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, 3));
	EXPECT_EQ(0, box_unlink_id(self->dev, self->id));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, box_wait(child[i]));
	}
	close(r);
}

TEST_F(peer, a_message_received_by_one_that_dies_is_received)
{
	int w = opened(self, W);
	struct ipcbox_stat stat;
	pid_t child;
	__u32 number;

	EXPECT_EQ(1, box_put(w, 1));
	EXPECT_EQ(1, box_put(w, 2));
	child = box_fork();
	if (!child) {
		CHECK_EQ(1, box_get(opened(self, R), &number));
		raise(SIGKILL);
	}
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(1, stat.received);
	EXPECT_EQ(1, stat.messages);
	EXPECT_EQ(0, stat.receive_handles);
	EXPECT_EQ(1, box_get(opened(self, R), &number));
	EXPECT_EQ(2, number);
	close(w);
}

TEST_HARNESS_MAIN
