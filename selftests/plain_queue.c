// SPDX-License-Identifier: GPL-2.0
/*
 * Plain queues: room for whoever comes first, no notice of ends, and what STAT
 * says of who used an object last; as mq_overview(7) and sysvipc(7) have it.
 */
#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>

#include "kselftest_harness.h"
#include "box.h"

#define ALICE	1000

FIXTURE(plain)
{
	int dev;
	int fd;			/* takes four messages and 16 bytes */
};

static int make(int dev, __u32 rights, __u64 messages, __u64 bytes,
		__u64 message_bytes)
{
	struct ipcbox_create create = {
		.flags = IPCBOX_CREATE_PLAIN,
		.kind = IPCBOX_QUEUE,
		.mode = 0666,
		.rights = rights,
		.max_messages = messages,
		.max_bytes = bytes,
		.max_message_bytes = message_bytes,
	};

	return box_create(dev, &create);
}

FIXTURE_SETUP(plain)
{
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = make(self->dev, RWM, 4, 16, 16);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(plain)
{
	struct ipcbox_stat stat;

	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.senders_waiting);
	EXPECT_EQ(0, stat.receivers_waiting);
	EXPECT_TRUE(box_adds_up(self->fd));
	close(self->fd);
	close(self->dev);
}

static int put_bytes(int fd, __u32 length, __u32 flags)
{
	static const char zeroes[32];

	return box_send(fd, zeroes, length, 0, length, flags, IPCBOX_FOREVER);
}

static int get_length(int fd)
{
	struct ipcbox_incoming in;
	char data[32];
	int ret;

	ret = box_receive(fd, &in, data, sizeof(data), IPCBOX_NOWAIT, 0);
	return ret == 1 ? (int)in.length : ret;
}

TEST_F(plain, a_user_may_fill_it_and_another_finds_no_room)
{
	pid_t child;
	int i;

	if (geteuid())
		SKIP(return, "needs root, to act as several users");
	child = box_fork();
	if (!child) {
		CHECK_EQ(0, box_become(ALICE, ALICE));
		for (i = 0; i < 4; i++)
			CHECK_EQ(1, box_put(self->fd, i));
		CHECK_EQ(-EAGAIN, box_put(self->fd, i));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	/* Not even the owner's first message goes in. */
	EXPECT_EQ(-EAGAIN, box_put(self->fd, 9));
	EXPECT_EQ(0, box_await_messages(self->fd, 4));
}

TEST_F(plain, what_fits_passes_what_waits)
{
	pid_t child;

	ASSERT_EQ(1, put_bytes(self->fd, 12, 0));
	child = box_fork();
	if (!child) {
		CHECK_EQ(1, put_bytes(self->fd, 10, 0));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_senders(self->fd, 1));
	EXPECT_EQ(1, put_bytes(self->fd, 4, IPCBOX_NOWAIT));
	EXPECT_EQ(-EAGAIN, put_bytes(self->fd, 1, IPCBOX_NOWAIT));
	EXPECT_EQ(12, get_length(self->fd));
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(4, get_length(self->fd));
	EXPECT_EQ(10, get_length(self->fd));
}

TEST_F(plain, who_waits_and_fits_passes_who_does_not)
{
	pid_t large, small;

	ASSERT_EQ(1, put_bytes(self->fd, 8, 0));
	ASSERT_EQ(1, put_bytes(self->fd, 8, 0));
	large = box_fork();
	if (!large) {
		CHECK_EQ(1, put_bytes(self->fd, 12, 0));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_senders(self->fd, 1));
	small = box_fork();
	if (!small) {
		CHECK_EQ(1, put_bytes(self->fd, 6, 0));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_senders(self->fd, 2));
	EXPECT_EQ(8, get_length(self->fd));
	EXPECT_EQ(0, box_wait(small));
	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	EXPECT_EQ(8, get_length(self->fd));
	EXPECT_EQ(6, get_length(self->fd));
	EXPECT_EQ(0, box_wait(large));
	EXPECT_EQ(12, get_length(self->fd));
}

TEST_F(plain, a_message_larger_than_it_waits_until_it_grows)
{
	struct ipcbox_set set = {
		.mask = IPCBOX_SET_MAX_BYTES,
		.max_bytes = 8,
	};
	pid_t child;

	ASSERT_EQ(0, box_set(self->fd, &set));
	EXPECT_EQ(-EAGAIN, put_bytes(self->fd, 9, IPCBOX_NOWAIT));
	child = box_fork();
	if (!child) {
		CHECK_EQ(1, put_bytes(self->fd, 9, 0));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_senders(self->fd, 1));
	set.max_bytes = 9;
	EXPECT_EQ(0, box_set(self->fd, &set));
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(9, get_length(self->fd));
}

TEST_F(plain, nobody_is_told_of_ends)
{
	struct ipcbox_incoming in;
	__u32 number = 0;
	int fd;

	ASSERT_EQ(0, box_unlink_id(self->dev, box_id(self->fd)));
	EXPECT_EQ(-EAGAIN, box_get(self->fd, &number));

	/* No one could send to this one, nor receive from that one. */
	fd = make(self->dev, R, 4, 16, 16);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, box_unlink_id(self->dev, box_id(fd)));
	EXPECT_EQ(-EAGAIN, box_get(fd, &number));
	EXPECT_EQ(-ETIMEDOUT, box_receive(fd, &in, &number, 4, 0, 1));
	EXPECT_EQ(POLLOUT, box_poll(fd) & (POLLIN | POLLOUT | POLLHUP));
	close(fd);
	fd = make(self->dev, W, 4, 16, 4);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, box_unlink_id(self->dev, box_id(fd)));
	EXPECT_EQ(1, box_put(fd, 1));
	EXPECT_EQ(POLLIN | POLLOUT,
		  box_poll(fd) & (POLLIN | POLLOUT | POLLHUP));
	close(fd);
}

TEST_F(plain, poll_tells_of_room_when_no_one_sent)
{
	int r = box_open_id(self->dev, box_id(self->fd), R);
	int i;

	ASSERT_LE(0, r);
	EXPECT_EQ(POLLOUT, box_poll(r) & (POLLIN | POLLOUT));
	for (i = 0; i < 4; i++)
		ASSERT_EQ(1, box_put(self->fd, i));
	EXPECT_EQ(POLLIN, box_poll(r) & (POLLIN | POLLOUT));
	close(r);
}

TEST_F(plain, only_queues_of_messages_are_plain)
{
	struct ipcbox_create create;
	char name[BOX_NAME_SIZE];
	const struct {
		__u32 kind, flags, mode;
		int result;
	} cases[] = {
		{ IPCBOX_MAILBOX, IPCBOX_CREATE_PLAIN, 0600, -EINVAL },
		{ IPCBOX_QUEUE, IPCBOX_CREATE_PLAIN | IPCBOX_CREATE_STREAM,
		  0600, -EINVAL },
		{ IPCBOX_QUEUE, IPCBOX_CREATE_REVOCABLE, 0600, -EINVAL },
		{ IPCBOX_QUEUE, IPCBOX_CREATE_PLAIN, 0700, -EINVAL },
		{ IPCBOX_QUEUE, IPCBOX_CREATE_PLAIN, 0600, 0 },
		/* It is of another sort now. */
		{ IPCBOX_QUEUE, 0, 0600, -EEXIST },
		{ IPCBOX_QUEUE, IPCBOX_CREATE_PLAIN | IPCBOX_CREATE_REVOCABLE,
		  0600, -EEXIST },
	};
	int first = -1;
	unsigned int i;
	int fd, opened;

	box_name(name, "plain");
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		create = (struct ipcbox_create) {
			.flags = cases[i].flags,
			.kind = cases[i].kind,
			.mode = cases[i].mode,
			.rights = RWM,
			.name = (uintptr_t)name,
			.name_length = strlen(name),
		};
		fd = box_create(self->dev, &create);
		opened = fd < 0 ? fd : 0;
		EXPECT_EQ(cases[i].result, opened)
			TH_LOG("case %u", i);
		if (fd >= 0)
			first = fd;
	}
	close(first);
}

TEST_F(plain, stat_tells_who_used_it_last_and_when)
{
	const time_t begun = time(NULL);
	struct ipcbox_stat stat;
	pid_t sender, receiver;
	__u32 number;

	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.last_sender);
	EXPECT_EQ(0, stat.last_receiver);
	EXPECT_EQ(0, stat.sent_at);
	EXPECT_EQ(0, stat.received_at);
	EXPECT_LE(begun - 1, stat.changed_at);
	EXPECT_EQ(geteuid(), stat.creator_uid);
	EXPECT_EQ(getegid(), stat.creator_gid);
	EXPECT_TRUE(stat.state & IPCBOX_STATE_PLAIN);

	sender = box_fork();
	if (!sender) {
		CHECK_EQ(1, box_put(self->fd, 1));
		CHECK_EQ(1, box_put(self->fd, 2));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(sender));
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(sender, stat.last_sender);
	EXPECT_EQ(getpid(), stat.last_receiver);
	EXPECT_LE(begun - 1, stat.sent_at);
	EXPECT_LE(stat.sent_at, stat.received_at);

	/* Handed over, it never was in the queue. */
	EXPECT_EQ(1, box_get(self->fd, &number));
	receiver = box_fork();
	if (!receiver) {
		CHECK_EQ(1, box_get_wait(self->fd, &number));
		CHECK_EQ(0, box_stat(self->fd, &stat));
		CHECK_EQ(getpid(), stat.last_receiver);
		CHECK_EQ(getppid(), stat.last_sender);
		_exit(0);
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(1, box_put(self->fd, 3));
	EXPECT_EQ(0, box_wait(receiver));
}

TEST_HARNESS_MAIN
