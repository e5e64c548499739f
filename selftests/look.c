// SPDX-License-Identifier: GPL-2.0
/*
 * The right to look: it shows messages and gives none, needs r in the mode, and
 * whoever has it is no receiver: not for a mailbox that takes one, nor for
 * those who wait for a receiver, nor for the end of the other side.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "box.h"

#define ALICE	1000
#define BOB	1001

FIXTURE(look)
{
	int dev;
	int fd;			/* its one receive handle, and manages */
	int w;
	int l;
	__u64 id;
	char name[BOX_NAME_SIZE];
};

FIXTURE_SETUP(look)
{
	signal(SIGPIPE, SIG_IGN);
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	box_name(self->name, "look");
	self->fd = box_make_named(self->dev, IPCBOX_MAILBOX, R | M, 0,
				  self->name);
	ASSERT_LE(0, self->fd);
	self->id = box_id(self->fd);
	self->w = box_open_id(self->dev, self->id, W);
	ASSERT_LE(0, self->w);
	self->l = box_open_name(self->dev, self->name, L);
	ASSERT_LE(0, self->l);
}

FIXTURE_TEARDOWN(look)
{
	close(self->l);
	close(self->w);
	close(self->fd);
	close(self->dev);
}

/* The number @skip messages away from the first. */
static int look_at(int fd, __u32 skip, __u32 *number)
{
	struct ipcbox_receive peek = { .flags = IPCBOX_PEEK, .skip = skip };
	struct ipcbox_incoming in = {
		.data = (uintptr_t)number,
		.capacity = sizeof(*number),
	};
	int ret = box_select(fd, &peek, &in, 1);

	if (ret == 1 && (in.length != sizeof(*number) || in.token))
		return -EBADMSG;
	return ret;
}

TEST_F(look, info_tells_of_it)
{
	struct ipcbox_info info;

	ASSERT_EQ(0, box_info(self->dev, &info));
	EXPECT_TRUE(info.features & IPCBOX_FEATURE_LOOK);
}

TEST_F(look, sees_a_mailbox_that_has_its_receiver)
{
	struct box_snapshot before;
	__u32 number, i;

	EXPECT_EQ(-EBUSY, box_open_id(self->dev, self->id, R));
	EXPECT_EQ(-EBUSY, box_open_id(self->dev, self->id, R | L));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(1, box_put(self->w, i));
	}
	box_snapshot(self->dev, self->fd, &before);
	EXPECT_EQ(3, before.stat.handles);
	EXPECT_EQ(1, before.stat.receive_handles);
	EXPECT_EQ(1, before.stat.send_handles);
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(1, look_at(self->l, i, &number));
		EXPECT_EQ(i, number);
	}
	EXPECT_EQ(-EAGAIN, look_at(self->l, 20, &number));
	EXPECT_TRUE(box_unchanged(self->dev, self->fd, &before));
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(1, box_get(self->fd, &number));
		EXPECT_EQ(i, number);
	}
	EXPECT_EQ(-EAGAIN, look_at(self->l, 0, &number));
}

TEST_F(look, several_look_at_once)
{
	int other = box_open_id(self->dev, self->id, L);
	__u32 number;

	ASSERT_LE(0, other);
	ASSERT_EQ(1, box_put(self->w, 7));
	EXPECT_EQ(1, look_at(other, 0, &number));
	EXPECT_EQ(7, number);
	EXPECT_EQ(1, look_at(self->l, 0, &number));
	EXPECT_EQ(7, number);
	close(other);
}

TEST_F(look, takes_sends_and_changes_nothing)
{
	struct ipcbox_answer answer = { .flags = IPCBOX_NOWAIT };
	struct ipcbox_receive select = { };
	struct ipcbox_outgoing out = { };
	struct ipcbox_incoming in, got = { };
	struct ipcbox_notify notify = {
		.size = sizeof(notify),
		.how = IPCBOX_NOTIFY_EVENTFD,
	};
	struct box_snapshot before;
	__u32 number;

	ASSERT_EQ(1, box_put(self->w, 1));
	ASSERT_EQ(1, box_put(self->w, 2));
	ASSERT_EQ(1, box_hold(self->fd, &in, &number));
	notify.descriptor = eventfd(0, EFD_CLOEXEC);
	ASSERT_LE(0, notify.descriptor);
	box_snapshot(self->dev, self->fd, &before);

	EXPECT_EQ(-EACCES, box_get(self->l, &number));
	EXPECT_EQ(-EACCES, box_get_wait(self->l, &number));
	EXPECT_EQ(-EACCES, box_hold(self->l, &got, &number));
	select.flags = IPCBOX_SELECT_SEQUENCE | IPCBOX_NOWAIT;
	select.sequence = 2;
	EXPECT_EQ(-EACCES, box_select(self->l, &select, &got, 1));
	EXPECT_EQ(-1, read(self->l, &number, sizeof(number)));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-EACCES, box_settle(self->l, in.token, IPCBOX_ACK));
	answer.message = (uintptr_t)&got;
	EXPECT_EQ(-EACCES, box_answer(self->l, &answer));
	EXPECT_EQ(-1, ioctl(self->l, IPCBOX_IOC_NOTIFY, &notify));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-EACCES, box_put(self->l, 3));
	EXPECT_EQ(-EACCES, box_put_sync(self->l, 3, 0));
	EXPECT_EQ(-EACCES, box_call(self->l, &out, &got, 0, 0));
	EXPECT_EQ(-1, write(self->l, &number, sizeof(number)));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-EACCES, box_set_mode(self->l, 0666));

	EXPECT_TRUE(box_unchanged(self->dev, self->fd, &before));
	EXPECT_EQ(0, box_settle(self->fd, in.token, IPCBOX_ACK));
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(2, number);
	close(notify.descriptor);
}

/* A looker that is not the owner; only with a mode that has r. */
static int may_look(int dev, __u64 id)
{
	int fd = box_open_id(dev, id, L);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

TEST_F(look, needs_r_in_the_mode)
{
	const struct {
		__u32 mode;
		int alice;	/* of no group of it */
		int bob;	/* of its group */
	} cases[] = {
		{ 0600, -EACCES, -EACCES },
		{ 0622, -EACCES, -EACCES },
		{ 0604, 0, -EACCES },
		{ 0640, -EACCES, 0 },
		{ 0666, 0, 0 },
	};
	struct ipcbox_set set = { .mask = IPCBOX_SET_GID, .gid = BOB };
	unsigned int i;
	pid_t child;

	if (geteuid())
		SKIP(return, "needs root");
	ASSERT_EQ(0, box_set(self->fd, &set));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ASSERT_EQ(0, box_set_mode(self->fd, cases[i].mode));
		child = box_fork();
		if (!child) {
			CHECK_EQ(0, box_become(ALICE, ALICE));
			CHECK_EQ(cases[i].alice, may_look(self->dev, self->id));
			_exit(0);
		}
		EXPECT_EQ(0, box_wait(child))
			TH_LOG("mode %o", cases[i].mode);
		child = box_fork();
		if (!child) {
			CHECK_EQ(0, box_become(BOB, BOB));
			CHECK_EQ(cases[i].bob, may_look(self->dev, self->id));
			_exit(0);
		}
		EXPECT_EQ(0, box_wait(child))
			TH_LOG("mode %o", cases[i].mode);
	}
}

TEST_F(look, is_not_the_receiver)
{
	int fd = box_make(self->dev, IPCBOX_MAILBOX, M);
	int l, r;

	ASSERT_LE(0, fd);
	l = box_open_id(self->dev, box_id(fd), L);
	ASSERT_LE(0, l);
	r = box_open_id(self->dev, box_id(fd), R);
	EXPECT_LE(0, r);
	EXPECT_EQ(-EBUSY, box_open_id(self->dev, box_id(fd), R));
	close(l);
	EXPECT_EQ(-EBUSY, box_open_id(self->dev, box_id(fd), R));
	close(r);
	close(fd);
}

TEST_F(look, does_not_keep_the_receivers_end_from_senders)
{
	__u32 number;
	pid_t child;

	ASSERT_EQ(0, box_set_max_messages(self->fd, 1));
	ASSERT_EQ(1, box_put(self->w, 1));
	child = box_fork();
	if (!child) {
		close(self->fd);
		CHECK_EQ(-EPIPE, box_put_wait(self->w, 2));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_senders(self->l, 1));
	EXPECT_EQ(1, look_at(self->l, 0, &number));
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(-EPIPE, box_put(self->w, 3));
	EXPECT_EQ(POLLHUP, box_poll(self->w));
	/* What was accepted can still be seen. */
	EXPECT_EQ(1, look_at(self->l, 0, &number));
	EXPECT_EQ(1, number);
}

TEST_F(look, does_not_keep_the_senders_end_from_receivers)
{
	__u32 number;
	pid_t child;

	child = box_fork();
	if (!child) {
		close(self->w);
		CHECK_EQ(-EPIPE, box_get_wait(self->fd, &number));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_receivers(self->l, 1));
	ASSERT_EQ(0, box_unlink_id(self->dev, self->id));
	close(self->w);
	self->w = -1;
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(-EPIPE, box_get_wait(self->fd, &number));
	EXPECT_EQ(-EAGAIN, look_at(self->l, 0, &number));
}

TEST_F(look, is_woken_by_nothing)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_LE(0, epoll);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->l, &event));
	EXPECT_EQ(0, box_poll(self->l));
	ASSERT_EQ(1, box_put(self->w, 1));
	EXPECT_EQ(0, box_poll(self->l));
	close(self->fd);
	close(self->w);
	EXPECT_EQ(0, box_poll(self->l));
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	close(epoll);
	self->fd = -1;
	self->w = -1;
}

TEST_F(look, does_not_end_a_synchronous_send)
{
	__u32 number;
	pid_t child;

	child = box_fork();
	if (!child) {
		CHECK_EQ(1, box_put_sync(self->w, 5, IPCBOX_FOREVER));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_messages(self->l, 1));
	EXPECT_EQ(1, look_at(self->l, 0, &number));
	EXPECT_EQ(5, number);
	/* It is still there, and its sender waits. */
	EXPECT_EQ(0, box_await_messages(self->l, 1));
	EXPECT_EQ(0, waitpid(child, NULL, WNOHANG));
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(look, keeps_the_object_as_any_handle)
{
	__u32 number;

	ASSERT_EQ(1, box_put(self->w, 9));
	close(self->fd);
	close(self->w);
	self->fd = -1;
	self->w = box_open_id(self->dev, self->id, W);
	EXPECT_LE(0, self->w);
	EXPECT_EQ(-EPIPE, box_put(self->w, 1));
	/* A new receiver finds what the other left. */
	self->fd = box_open_id(self->dev, self->id, R);
	EXPECT_LE(0, self->fd);
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(9, number);
	close(self->l);
	close(self->fd);
	close(self->w);
	EXPECT_EQ(-ENOENT, box_open_id(self->dev, self->id, L));
	self->fd = -1;
	self->w = -1;
	self->l = -1;
}

/* The mailbox of a process that has died has no receiver, whoever looks. */
TEST_F(look, does_not_keep_a_dead_process_alive)
{
	struct ipcbox_open open = { .by = IPCBOX_BY_PROCESS, .rights = L };
	__u32 *flag = box_shared(4096);
	__u32 number;
	pid_t child;
	int l, w;

	if (geteuid())
		SKIP(return, "needs root");
	child = box_fork();
	if (!child) {
		int dev = box_device();

		CHECK(dev >= 0);
		open.object = getpid();
		open.rights = R;
		CHECK(box_open(dev, &open) >= 0);
		__atomic_store_n(flag, 1, __ATOMIC_RELEASE);
		for (;;)
			pause();
	}
	box_await_flag(flag, 1);
	open.object = child;
	l = box_open(self->dev, &open);
	ASSERT_LE(0, l);
	open.rights = W;
	w = box_open(self->dev, &open);
	ASSERT_LE(0, w);
	ASSERT_EQ(1, box_put(w, 11));
	EXPECT_EQ(1, look_at(l, 0, &number));
	EXPECT_EQ(11, number);
	kill(child, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child));
	EXPECT_EQ(-EPIPE, box_put(w, 12));
	EXPECT_EQ(-EPIPE, box_put_wait(w, 12));
	EXPECT_EQ(POLLHUP, box_poll(w));
	EXPECT_EQ(1, look_at(l, 0, &number));
	EXPECT_EQ(11, number);
	open.rights = L;
	EXPECT_EQ(-ENOENT, box_open(self->dev, &open));
	close(l);
	close(w);
}

/* Only the process itself and who could receive may see what it is sent. */
TEST_F(look, into_a_process_is_not_for_its_senders)
{
	struct ipcbox_open open = { .by = IPCBOX_BY_PROCESS };
	__u32 *flag = box_shared(4096);
	pid_t process, peer;

	if (geteuid())
		SKIP(return, "needs root");
	process = box_fork();
	if (!process) {
		int dev = box_device();

		CHECK(dev >= 0);
		CHECK_EQ(0, box_become(ALICE, ALICE));
		open.object = getpid();
		open.rights = R | L;
		CHECK(box_open(dev, &open) >= 0);
		__atomic_store_n(flag, 1, __ATOMIC_RELEASE);
		for (;;)
			pause();
	}
	box_await_flag(flag, 1);
	peer = box_fork();
	if (!peer) {
		CHECK_EQ(0, box_become(ALICE, ALICE));
		open.object = process;
		open.rights = W;
		CHECK(box_open(self->dev, &open) >= 0);
		open.rights = L;
		CHECK_EQ(-EACCES, box_open(self->dev, &open));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(peer));
	kill(process, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(process));
}

TEST_HARNESS_MAIN
