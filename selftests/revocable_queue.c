// SPDX-License-Identifier: GPL-2.0
/*
 * Revocable queues: rights are those of the caller at each use, and the end comes
 * at once to all who have handles; as msgop(2) and msgctl(2) have it.
 */
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "box.h"

#define ALICE	1000
#define BOB	1001

FIXTURE(revocable)
{
	int dev;
	int fd;			/* two messages, mode 0600 */
	__u64 id;
};

static int make(int dev, __u32 mode)
{
	struct ipcbox_create create = {
		.flags = IPCBOX_CREATE_PLAIN | IPCBOX_CREATE_REVOCABLE |
			 IPCBOX_CREATE_PERSISTENT,
		.kind = IPCBOX_QUEUE,
		.mode = mode,
		.rights = RWM,
		.max_messages = 2,
	};

	return box_create(dev, &create);
}

FIXTURE_SETUP(revocable)
{
	if (geteuid())
		SKIP(return, "needs root, to act as several users");
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = make(self->dev, 0600);
	ASSERT_LE(0, self->fd);
	self->id = box_id(self->fd);
}

FIXTURE_TEARDOWN(revocable)
{
	box_unlink_id(self->dev, self->id);
	close(self->fd);
	close(self->dev);
}

static int reopen(int dev, __u64 id, __u32 rights)
{
	struct ipcbox_open open = {
		.flags = IPCBOX_OPEN_REVOCABLE,
		.by = IPCBOX_BY_ID,
		.rights = rights,
		.object = id,
	};

	return box_open(dev, &open);
}

TEST_F(revocable, the_mode_is_as_given)
{
	const mode_t mask = umask(077);
	struct ipcbox_stat stat;
	int fd;

	fd = make(self->dev, 0757);
	umask(mask);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, box_stat(fd, &stat));
	EXPECT_EQ(0757, stat.mode);
	EXPECT_EQ(0, box_set_mode(fd, 0711));
	EXPECT_EQ(0, box_stat(fd, &stat));
	EXPECT_EQ(0711, stat.mode);
	EXPECT_EQ(0, box_unlink_id(self->dev, box_id(fd)));
	close(fd);
}

TEST_F(revocable, a_handle_serves_whom_the_mode_lets)
{
	__u32 number = 1;
	pid_t child;

	ASSERT_EQ(1, box_put(self->fd, 1));
	child = box_fork();
	if (!child) {
		CHECK_EQ(0, box_become(ALICE, ALICE));
		CHECK_EQ(-EACCES, box_put(self->fd, 2));
		CHECK_EQ(-EACCES, box_get(self->fd, &number));
		CHECK_EQ(-EACCES, box_set_mode(self->fd, 0666));
		CHECK_EQ(0, box_poll(self->fd));
		CHECK_EQ(-1, read(self->fd, &number, sizeof(number)));
		CHECK_EQ(EACCES, errno);
		CHECK_EQ(-1, write(self->fd, &number, sizeof(number)));
		CHECK_EQ(EACCES, errno);
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, box_await_messages(self->fd, 1));

	ASSERT_EQ(0, box_set_mode(self->fd, 0602));
	child = box_fork();
	if (!child) {
		CHECK_EQ(0, box_become(ALICE, ALICE));
		CHECK_EQ(1, box_put(self->fd, 2));
		CHECK_EQ(-EACCES, box_get(self->fd, &number));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, box_await_messages(self->fd, 2));
}

TEST_F(revocable, opening_it_unchecked_gives_no_right)
{
	int other = box_make(self->dev, IPCBOX_QUEUE, RWM);
	__u32 number;
	pid_t child;
	int fd;

	ASSERT_LE(0, other);
	EXPECT_EQ(-ENOENT, reopen(self->dev, box_id(other), RWM));
	child = box_fork();
	if (!child) {
		CHECK_EQ(0, box_become(ALICE, ALICE));
		CHECK_EQ(-EACCES, box_open_id(self->dev, self->id, R));
		fd = reopen(self->dev, self->id, RWM);
		CHECK(fd >= 0);
		CHECK_EQ(-EACCES, box_put(fd, 1));
		CHECK_EQ(-EACCES, box_get(fd, &number));
		CHECK_EQ(-EACCES, box_set_mode(fd, 0666));
		CHECK_EQ(-EPERM, box_unlink_id(self->dev, self->id));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	close(other);
}

TEST_F(revocable, who_waits_looks_again_when_rights_change)
{
	pid_t receiver, sender;
	__u32 number;

	ASSERT_EQ(0, box_set_mode(self->fd, 0666));
	receiver = box_fork();
	if (!receiver) {
		CHECK_EQ(0, box_become(ALICE, ALICE));
		CHECK_EQ(-EAGAIN, box_get_wait(self->fd, &number));
		CHECK_EQ(-EACCES, box_get_wait(self->fd, &number));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(0, box_set_mode(self->fd, 0622));
	EXPECT_EQ(0, box_wait(receiver));

	ASSERT_EQ(1, box_put(self->fd, 1));
	ASSERT_EQ(1, box_put(self->fd, 2));
	sender = box_fork();
	if (!sender) {
		CHECK_EQ(0, box_become(ALICE, ALICE));
		CHECK_EQ(-EAGAIN, box_put_wait(self->fd, 3));
		CHECK_EQ(-EACCES, box_put_wait(self->fd, 3));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_senders(self->fd, 1));
	EXPECT_EQ(0, box_set_mode(self->fd, 0600));
	EXPECT_EQ(0, box_wait(sender));
	EXPECT_EQ(0, box_await_messages(self->fd, 2));
	EXPECT_TRUE(box_adds_up(self->fd));
}

TEST_F(revocable, unlinking_ends_it_for_all_at_once)
{
	struct ipcbox_receive by_tag = {
		.flags = IPCBOX_SELECT_TAG,
		.deadline = IPCBOX_FOREVER,
		.tag = 77,
		.tag_mask = -1,
	};
	__u32 number = 0;
	struct ipcbox_incoming in = {
		.data = (uintptr_t)&number,
		.capacity = sizeof(number),
	};
	struct ipcbox_info before, after;
	pid_t selecting, sender;
	int fd;

	fd = reopen(self->dev, self->id, RWM);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, box_info(self->dev, &before));
	ASSERT_EQ(1, box_put(self->fd, 1));
	ASSERT_EQ(1, box_put(self->fd, 2));
	selecting = box_fork();
	if (!selecting) {
		CHECK_EQ(-EIDRM, box_select(fd, &by_tag, &in, 1));
		CHECK_EQ(-ENOENT, box_get(fd, &number));
		_exit(0);
	}
	sender = box_fork();
	if (!sender) {
		CHECK_EQ(-EIDRM, box_put_wait(self->fd, 3));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_receivers(self->fd, 1));
	ASSERT_EQ(0, box_await_senders(self->fd, 1));
	EXPECT_EQ(0, box_unlink_id(self->dev, self->id));
	EXPECT_EQ(0, box_wait(selecting));
	EXPECT_EQ(0, box_wait(sender));

	EXPECT_EQ(-ENOENT, box_put(fd, 4));
	EXPECT_EQ(-ENOENT, box_get(self->fd, &number));
	EXPECT_EQ(-ENOENT, box_set_mode(fd, 0600));
	EXPECT_EQ(-ENOENT, reopen(self->dev, self->id, R));
	/* Its messages are gone, whoever still has handles. */
	EXPECT_EQ(0, box_await_messages(fd, 0));
	ASSERT_EQ(0, box_info(self->dev, &after));
	EXPECT_EQ(before.user_bytes_used, after.user_bytes_used);
	EXPECT_EQ(before.discarded + 2, after.discarded);
	close(fd);
}

TEST_F(revocable, a_plain_receiver_that_waits_is_told_too)
{
	__u32 number;
	pid_t child;

	child = box_fork();
	if (!child) {
		CHECK_EQ(-EIDRM, box_get_wait(self->fd, &number));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(0, box_unlink_id(self->dev, self->id));
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(revocable, the_creator_may_give_it_away_and_stays_like_an_owner)
{
	struct ipcbox_set set = {
		.mask = IPCBOX_SET_UID | IPCBOX_SET_GID,
		.uid = BOB,
		.gid = BOB,
	};
	struct ipcbox_info before, after;
	struct ipcbox_stat stat;
	pid_t child;
	int fd;

	child = box_fork();
	if (!child) {
		CHECK_EQ(0, box_become(ALICE, ALICE));
		fd = make(self->dev, 0600);
		CHECK(fd >= 0);
		CHECK_EQ(0, box_info(self->dev, &before));
		CHECK_EQ(0, box_set(fd, &set));
		CHECK_EQ(0, box_stat(fd, &stat));
		CHECK_EQ(BOB, stat.uid);
		CHECK_EQ(ALICE, stat.creator_uid);
		CHECK_EQ(ALICE, stat.creator_gid);
		CHECK_EQ(1, box_put(fd, 1));
		/* Bob does not pay for what he did not make. */
		CHECK_EQ(0, box_info(self->dev, &after));
		CHECK_EQ(before.user_objects_used, after.user_objects_used);
		child = box_fork();
		if (!child) {
			CHECK_EQ(-EPERM, setuid(0) ? -errno : 0);
			CHECK_EQ(0, box_set_mode(fd, 0644));
			CHECK_EQ(0, box_unlink_id(self->dev, box_id(fd)));
			_exit(0);
		}
		CHECK_EQ(0, box_wait(child));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));

	ASSERT_EQ(0, box_set(self->fd, &set));
	child = box_fork();
	if (!child) {
		__u32 number;

		CHECK_EQ(0, box_become(BOB, BOB));
		CHECK_EQ(1, box_put(self->fd, 1));
		CHECK_EQ(1, box_get(self->fd, &number));
		CHECK_EQ(0, box_set_mode(self->fd, 0400));
		CHECK_EQ(-EACCES, box_put(self->fd, 1));
		CHECK_EQ(0, box_unlink_id(self->dev, self->id));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
}

TEST_HARNESS_MAIN
