// SPDX-License-Identifier: GPL-2.0
/*
 * Every cap is in force: of an object, of a user, of a box; no user keeps the
 * first message of another out; and root changes the caps.
 */
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "kselftest_harness.h"
#include "box.h"

#define KIB		1024ull
#define MIB		(1024 * KIB)

/* Users that nobody else is. */
#define ALICE		52001
#define BOB		52002

/* Each message counts as its payload and this. */
#define OVERHEAD	128

static const struct {
	const char *name;
	size_t field;
	__u64 initial;		/* 0: not promised */
} caps[] = {
#define CAP(name, initial) \
	{ #name, offsetof(struct ipcbox_info, name), initial }
	CAP(object_messages, 1024),
	CAP(object_bytes, 8 * MIB),
	CAP(message_bytes, 64 * KIB),
	CAP(object_messages_max, 0),
	CAP(object_bytes_max, 0),
	CAP(message_bytes_max, 16 * MIB),
	CAP(user_bytes, 64 * MIB),
	CAP(user_objects, 1024),
	CAP(user_share, 0),
	CAP(box_objects, 0),
	CAP(batch_messages, 0),
	CAP(user_mapped_bytes, 256 * MIB),
	CAP(pool_message_bytes, MIB / 4),
	CAP(user_spare_bytes, MIB),
};

FIXTURE(limit)
{
	int dev;
	bool root;
	bool saved;
	__u64 old[ARRAY_SIZE(caps)];
	struct ipcbox_info info;
};

FIXTURE_SETUP(limit)
{
	unsigned int i;

	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, box_info(self->dev, &self->info));
	self->root = !geteuid();
	for (i = 0; i < ARRAY_SIZE(caps); i++)
		if (box_parameter_get(caps[i].name, &self->old[i]))
			return;
	self->saved = true;
}

FIXTURE_TEARDOWN(limit)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(caps) && self->saved && self->root; i++) {
		EXPECT_EQ(0, box_parameter_set(caps[i].name, self->old[i]))
			TH_LOG("%s", caps[i].name);
	}
	close(self->dev);
}

static bool may_change(struct __test_metadata *_metadata,
		       FIXTURE_DATA(limit) * self)
{
	if (!self->root || !self->saved)
		SKIP(return false,
		     "needs root and /sys/module/ipcbox/parameters");
	return true;
}

static __u64 cap(const struct ipcbox_info *info, unsigned int i)
{
	__u64 value;

	memcpy(&value, (const char *)info + caps[i].field, sizeof(value));
	return value;
}

/* Another user for the rest of a child's life. */
static void be(uid_t uid)
{
	CHECK_EQ(0, box_become(uid, uid));
}

TEST_F(limit, info_shows_what_is_in_force)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(caps); i++) {
		EXPECT_LT(0, cap(&self->info, i))
			TH_LOG("%s", caps[i].name);
		if (caps[i].initial) {
			EXPECT_EQ(caps[i].initial, cap(&self->info, i))
				TH_LOG("%s is not as it is delivered",
				       caps[i].name);
		}
		if (self->saved) {
			EXPECT_EQ(self->old[i], cap(&self->info, i))
				TH_LOG("%s", caps[i].name);
		}
	}
	EXPECT_LE(self->info.user_share, 100);
	EXPECT_LE(self->info.object_messages, self->info.object_messages_max);
	EXPECT_LE(self->info.object_bytes, self->info.object_bytes_max);
	EXPECT_LE(self->info.message_bytes, self->info.message_bytes_max);
}

TEST_F(limit, an_object_has_the_defaults)
{
	struct ipcbox_stat stat;
	int fd;

	fd = box_make(self->dev, IPCBOX_QUEUE, R);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, box_stat(fd, &stat));
	EXPECT_EQ(self->info.object_messages, stat.max_messages);
	EXPECT_EQ(self->info.object_bytes, stat.max_bytes);
	EXPECT_EQ(self->info.message_bytes, stat.max_message_bytes);
	close(fd);

	/* The largest payload is no more than the object holds. */
	fd = box_make_sized(self->dev, IPCBOX_QUEUE, R, 0, 1000, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, box_stat(fd, &stat));
	EXPECT_EQ(1000, stat.max_bytes);
	EXPECT_EQ(1000, stat.max_message_bytes);
	close(fd);
}

TEST_F(limit, an_object_has_no_more_than_the_maxima)
{
	const struct ipcbox_info *info = &self->info;
	const __u64 messages = info->object_messages_max;
	const __u64 bytes = info->object_bytes_max;
	const __u64 message = info->message_bytes_max;
	struct box_snapshot before;
	struct ipcbox_stat stat;
	int fd;

	box_snapshot(self->dev, -1, &before);
	EXPECT_EQ(-EINVAL, box_make_sized(self->dev, IPCBOX_QUEUE, R,
					  messages + 1, 0, 0));
	EXPECT_EQ(-EINVAL, box_make_sized(self->dev, IPCBOX_QUEUE, R, 0,
					  bytes + 1, 0));
	EXPECT_EQ(-EINVAL, box_make_sized(self->dev, IPCBOX_QUEUE, R, 0, bytes,
					  message + 1));
	EXPECT_TRUE(box_unchanged(self->dev, -1, &before));
	fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, messages, bytes,
			    message);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, box_stat(fd, &stat));
	EXPECT_EQ(messages, stat.max_messages);
	EXPECT_EQ(bytes, stat.max_bytes);
	EXPECT_EQ(message, stat.max_message_bytes);
	close(fd);
}

TEST_F(limit, set_has_the_same_bounds)
{
	const struct ipcbox_info *info = &self->info;
	struct ipcbox_set set;
	struct box_snapshot before;
	struct ipcbox_stat stat;
	int fd;

	fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, 0, 1000, 0);
	ASSERT_LE(0, fd);
	box_snapshot(self->dev, fd, &before);
	set.mask = IPCBOX_SET_MAX_MESSAGES;
	set.flags = 0;
	set.max_messages = info->object_messages_max + 1;
	EXPECT_EQ(-EINVAL, box_set(fd, &set));
	set.mask = IPCBOX_SET_MAX_BYTES;
	set.max_bytes = info->object_bytes_max + 1;
	EXPECT_EQ(-EINVAL, box_set(fd, &set));
	/* Below the largest payload, which stays. */
	set.max_bytes = 999;
	EXPECT_EQ(-EINVAL, box_set(fd, &set));
	set.mask = IPCBOX_SET_MAX_MESSAGE_BYTES;
	set.max_message_bytes = 1001;
	EXPECT_EQ(-EINVAL, box_set(fd, &set));
	EXPECT_TRUE(box_unchanged(self->dev, fd, &before));

	/* Both in one call: what counts is what stands after it. */
	set.mask = IPCBOX_SET_MAX_BYTES | IPCBOX_SET_MAX_MESSAGE_BYTES;
	set.max_bytes = 2000;
	set.max_message_bytes = 2000;
	EXPECT_EQ(0, box_set(fd, &set));
	set.max_bytes = 10;
	set.max_message_bytes = 1;
	EXPECT_EQ(0, box_set(fd, &set));
	EXPECT_EQ(0, box_stat(fd, &stat));
	EXPECT_EQ(10, stat.max_bytes);
	EXPECT_EQ(1, stat.max_message_bytes);
	set.mask |= IPCBOX_SET_MAX_MESSAGES;
	set.max_messages = info->object_messages_max;
	set.max_bytes = info->object_bytes_max;
	set.max_message_bytes = info->message_bytes_max;
	EXPECT_EQ(0, box_set(fd, &set));
	close(fd);
}

TEST_F(limit, a_payload_is_no_longer_than_the_object_takes)
{
	struct ipcbox_stat stat;
	char data[11] = { };
	int fd;

	fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, 0, 1000, 10);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, box_send(fd, data, 10, 0, 0, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(-EMSGSIZE, box_send(fd, data, 11, 0, 0, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(-EMSGSIZE, box_send(fd, data, 11, 0, 0, 0, IPCBOX_FOREVER));
	EXPECT_EQ(0, box_stat(fd, &stat));
	EXPECT_EQ(1, stat.messages);
	EXPECT_EQ(2, stat.refused);
	close(fd);
}

TEST_F(limit, messages_and_bytes_are_counted_to_the_last)
{
	char data[100] = { };
	struct ipcbox_stat stat;
	int fd, i;

	fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, 5, 1000, 100);
	ASSERT_LE(0, fd);
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(1, box_put(fd, i));
	}
	EXPECT_EQ(-EAGAIN, box_send(fd, NULL, 0, 0, 0, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(0, box_set_max_messages(fd, 100));
	for (i = 0; i < 9; i++) {
		EXPECT_EQ(1, box_send(fd, data, 100, 0, 0, IPCBOX_NOWAIT, 0));
	}
	EXPECT_EQ(-EAGAIN, box_send(fd, data, 81, 0, 0, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(1, box_send(fd, data, 80, 0, 0, IPCBOX_NOWAIT, 0));
	/* No payload needs no bytes. */
	EXPECT_EQ(1, box_send(fd, data, 0, 0, 0, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(-EAGAIN, box_send(fd, data, 1, 0, 0, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(0, box_stat(fd, &stat));
	EXPECT_EQ(1000, stat.bytes);
	EXPECT_EQ(1000, stat.bytes_peak);
	EXPECT_EQ(16, stat.messages);
	EXPECT_EQ(16, stat.messages_peak);
	close(fd);
}

static __u64 used_bytes(int dev)
{
	struct ipcbox_info info;

	CHECK_EQ(0, box_info(dev, &info));
	return info.user_bytes_used;
}

TEST_F(limit, a_user_has_a_budget_of_bytes)
{
	const __u64 each = 1000 + OVERHEAD, budget = 60 * each + 600;
	char data[1000] = { };
	struct ipcbox_stat stat;
	__u64 fits = budget / each, i;
	pid_t child;

	if (!may_change(_metadata, self))
		return;
	ASSERT_EQ(0, box_parameter_set("user_bytes", budget));
	child = box_fork();
	if (!child) {
		int fd, other, third;

		be(ALICE);
		fd = box_make(self->dev, IPCBOX_QUEUE, RWM);
		other = box_make(self->dev, IPCBOX_MAILBOX, RWM);
		CHECK(fd >= 0 && other >= 0);
		CHECK_EQ(0, used_bytes(self->dev));
		for (i = 0; i < fits; i++) {
			CHECK_EQ(1, box_send(i & 1 ? fd : other, data, 1000, 0,
					     0, IPCBOX_NOWAIT, 0));
			CHECK_EQ((i + 1) * each, used_bytes(self->dev));
		}
		/* It does not wait for room that only the user can make. */
		CHECK_EQ(-EDQUOT, box_send(fd, data, 1000, 0, 0, 0,
					   IPCBOX_FOREVER));
		CHECK_EQ(-EDQUOT, box_send(other, data, 1000, 0, 0,
					   IPCBOX_NOWAIT, 0));
		CHECK_EQ(-1, write(fd, data, 1000));
		CHECK_EQ(EDQUOT, errno);
		CHECK_EQ(fits * each, used_bytes(self->dev));
		CHECK_EQ(0, box_stat(fd, &stat));
		CHECK_EQ(2, stat.refused);
		CHECK_EQ(fits / 2, stat.messages);
		/* What there is left of the budget can be used. */
		CHECK_EQ(1, box_send(fd, data, budget - fits * each - OVERHEAD,
				     0, 0, IPCBOX_NOWAIT, 0));
		CHECK_EQ(budget, used_bytes(self->dev));
		CHECK_EQ(-EDQUOT, box_send(fd, data, 0, 0, 0, IPCBOX_NOWAIT,
					   0));

		/* Receiving frees it, by whomever. */
		CHECK_EQ(1000, read(other, data, 1000));
		CHECK_EQ(budget - each, used_bytes(self->dev));
		CHECK_EQ(1, box_send(fd, data, 1000, 0, 0, IPCBOX_NOWAIT, 0));
		CHECK_EQ(-EDQUOT, box_send(fd, data, 1, 0, 0, IPCBOX_NOWAIT,
					   0));

		/* The end of an object frees what is in it. */
		close(other);
		CHECK_EQ(1, box_send(fd, data, 1000, 0, 0, IPCBOX_NOWAIT, 0));
		third = box_make(self->dev, IPCBOX_QUEUE, W);
		CHECK_EQ(1, box_send(third, data, 8, 0, 0, IPCBOX_NOWAIT, 0));
		close(fd);
		CHECK_EQ(8 + OVERHEAD, used_bytes(self->dev));
		close(third);
		CHECK_EQ(0, used_bytes(self->dev));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(limit, a_budget_is_the_senders)
{
	__u64 mine = used_bytes(self->dev);
	pid_t child;
	int fd;

	if (!may_change(_metadata, self))
		return;
	fd = box_make(self->dev, IPCBOX_QUEUE, RWM);
	ASSERT_LE(0, fd);
	child = box_fork();
	if (!child) {
		be(ALICE);
		CHECK_EQ(1, box_put(fd, 1));
		CHECK_EQ(4 + OVERHEAD, used_bytes(self->dev));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(mine, used_bytes(self->dev));
	/* It is Alice's as long as the message is there, whoever receives it. */
	EXPECT_EQ(1, box_get(fd, &(__u32){ 0 }));
	child = box_fork();
	if (!child) {
		be(ALICE);
		CHECK_EQ(0, used_bytes(self->dev));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	close(fd);
}

TEST_F(limit, a_user_has_so_many_objects)
{
	pid_t child;

	if (!may_change(_metadata, self))
		return;
	ASSERT_EQ(0, box_parameter_set("user_objects", 4));
	child = box_fork();
	if (!child) {
		struct box_snapshot before;
		struct ipcbox_info info;
		char name[BOX_NAME_SIZE];
		int fd[4], i;
		__u64 id;

		be(ALICE);
		box_name(name, "quota");
		fd[0] = box_make_named(self->dev, IPCBOX_QUEUE, R,
				       IPCBOX_CREATE_PERSISTENT, name);
		for (i = 1; i < 4; i++)
			fd[i] = box_make(self->dev, IPCBOX_QUEUE, R);
		CHECK(fd[0] >= 0 && fd[3] >= 0);
		box_snapshot(self->dev, fd[0], &before);
		CHECK_EQ(4, before.info.user_objects_used);
		CHECK_EQ(-EDQUOT, box_make(self->dev, IPCBOX_QUEUE, R));
		CHECK_EQ(-EDQUOT, box_make_named(self->dev, IPCBOX_MAILBOX, R,
						 IPCBOX_CREATE_PERSISTENT,
						 "quota.5"));
		CHECK(box_unchanged(self->dev, fd[0], &before));
		/* To open is not to make. */
		CHECK(box_open_name(self->dev, name, W) >= 0);
		CHECK(box_make_named(self->dev, IPCBOX_QUEUE, W, 0, name) >= 0);
		/* Each that goes leaves its place. */
		for (i = 1; i < 4; i++) {
			close(fd[i]);
			fd[i] = box_make(self->dev, IPCBOX_QUEUE, R);
			CHECK(fd[i] >= 0);
		}
		id = box_id(fd[0]);
		CHECK_EQ(0, close_range(fd[0], -1, 0));
		CHECK_EQ(0, box_info(self->dev, &info));
		CHECK_EQ(1, info.user_objects_used);
		CHECK_EQ(0, box_unlink_id(self->dev, id));
		CHECK_EQ(0, box_info(self->dev, &info));
		CHECK_EQ(0, info.user_objects_used);
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));

	/* Another user has his own. */
	child = box_fork();
	if (!child) {
		be(BOB);
		CHECK(box_make(self->dev, IPCBOX_QUEUE, R) >= 0);
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(limit, a_box_has_so_many_objects)
{
	struct box_snapshot before;
	struct ipcbox_info info;
	int fd[3];

	if (!may_change(_metadata, self))
		return;
	ASSERT_EQ(0, box_info(self->dev, &info));
	ASSERT_EQ(0, box_parameter_set("box_objects",
				       info.box_objects_used + 2));
	fd[0] = box_make(self->dev, IPCBOX_QUEUE, R);
	fd[1] = box_make(self->dev, IPCBOX_MAILBOX, R);
	ASSERT_LE(0, fd[0]);
	ASSERT_LE(0, fd[1]);
	box_snapshot(self->dev, fd[0], &before);
	EXPECT_EQ(-ENOSPC, box_make(self->dev, IPCBOX_QUEUE, R));
	EXPECT_EQ(-ENOSPC, box_make_named(self->dev, IPCBOX_QUEUE, R, 0,
					  "test.nospace"));
	EXPECT_TRUE(box_unchanged(self->dev, fd[0], &before));
	close(fd[0]);
	fd[0] = box_make(self->dev, IPCBOX_QUEUE, R);
	EXPECT_LE(0, fd[0]);
	EXPECT_EQ(-ENOSPC, box_make(self->dev, IPCBOX_QUEUE, R));
	/* A limit that is lowered takes nothing away. */
	ASSERT_EQ(0, box_parameter_set("box_objects", 1));
	EXPECT_EQ(1, box_id(fd[0]) != 0);
	ASSERT_EQ(0, box_parameter_set("box_objects",
				       info.box_objects_used + 3));
	fd[2] = box_make(self->dev, IPCBOX_QUEUE, R);
	EXPECT_LE(0, fd[2]);
	close(fd[0]);
	close(fd[1]);
	close(fd[2]);
}

TEST_F(limit, a_changed_default_concerns_later_objects)
{
	struct ipcbox_stat stat;
	struct ipcbox_info info;
	int old, fresh;

	if (!may_change(_metadata, self))
		return;
	old = box_make(self->dev, IPCBOX_QUEUE, R);
	ASSERT_EQ(0, box_parameter_set("object_messages", 17));
	ASSERT_EQ(0, box_parameter_set("message_bytes", 1717));
	ASSERT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(17, info.object_messages);
	EXPECT_EQ(1717, info.message_bytes);
	fresh = box_make(self->dev, IPCBOX_QUEUE, R);
	EXPECT_EQ(0, box_stat(old, &stat));
	EXPECT_EQ(self->info.object_messages, stat.max_messages);
	EXPECT_EQ(self->info.message_bytes, stat.max_message_bytes);
	EXPECT_EQ(0, box_stat(fresh, &stat));
	EXPECT_EQ(17, stat.max_messages);
	EXPECT_EQ(1717, stat.max_message_bytes);
	close(old);
	close(fresh);
}

TEST_F(limit, a_changed_batch_is_in_force)
{
	struct ipcbox_outgoing out[3] = { };
	int fd;

	if (!may_change(_metadata, self))
		return;
	fd = box_make(self->dev, IPCBOX_QUEUE, RWM);
	EXPECT_EQ(3, box_send_many(fd, out, 3, IPCBOX_NOWAIT, 0));
	ASSERT_EQ(0, box_parameter_set("batch_messages", 2));
	EXPECT_EQ(-EINVAL, box_send_many(fd, out, 3, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(2, box_send_many(fd, out, 2, IPCBOX_NOWAIT, 0));
	close(fd);
}

TEST_F(limit, senseless_parameters_are_refused)
{
	__u64 value;

	if (!may_change(_metadata, self))
		return;
	EXPECT_NE(0, box_parameter_set("user_share", 101));
	EXPECT_NE(0, box_parameter_set("user_share", 0));
	EXPECT_NE(0, box_parameter_set("object_messages", 0));
	EXPECT_NE(0, box_parameter_set("batch_messages", -1ull));
	EXPECT_NE(0, box_write_file("/sys/module/ipcbox/parameters/user_bytes",
				    "many"));
	EXPECT_EQ(0, box_parameter_get("user_share", &value));
	EXPECT_EQ(self->info.user_share, value);
	EXPECT_EQ(0, box_parameter_get("user_bytes", &value));
	EXPECT_EQ(self->info.user_bytes, value);
}

/* What follows is about several users of one object. */

TEST_F(limit, a_full_object_takes_another_users_first_message)
{
	struct ipcbox_stat stat;
	char data[100] = { };
	uid_t uid;
	pid_t child;
	int fd;

	if (!may_change(_metadata, self))
		return;
	fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, 3, 100, 100);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, box_send(fd, data, 98, 0, 0, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(1, box_send(fd, data, 1, 0, 0, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(1, box_send(fd, data, 1, 0, 0, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(-EAGAIN, box_send(fd, data, 0, 0, 0, IPCBOX_NOWAIT, 0));
	for (uid = ALICE; uid < ALICE + 3; uid++) {
		child = box_fork();
		if (!child) {
			be(uid);
			/* Of any size that the object takes. */
			CHECK_EQ(1, box_send(fd, data, 100, 1, uid,
					     IPCBOX_NOWAIT, 0));
			CHECK_EQ(-EAGAIN, box_send(fd, data, 0, 0, 0,
						   IPCBOX_NOWAIT, 0));
			CHECK_EQ(-ETIMEDOUT, box_send(fd, data, 1, 0, 0, 0,
						      box_in_ms(5)));
			_exit(0);
		}
		EXPECT_EQ(0, box_wait(child));
	}
	EXPECT_EQ(0, box_stat(fd, &stat));
	EXPECT_EQ(6, stat.messages);
	EXPECT_EQ(400, stat.bytes);
	/* His first was received, so he may put another. */
	for (uid = ALICE; uid < ALICE + 3; uid++) {
		struct ipcbox_incoming in;

		EXPECT_EQ(1, box_receive(fd, &in, data, sizeof(data),
					 IPCBOX_NOWAIT, 0));
		EXPECT_EQ(uid, in.tag);
		EXPECT_EQ(uid, in.uid);
		child = box_fork();
		if (!child) {
			be(uid);
			CHECK_EQ(1, box_send(fd, data, 100, 0, 0,
					     IPCBOX_NOWAIT, 0));
			CHECK_EQ(-EAGAIN, box_send(fd, data, 100, 0, 0,
						   IPCBOX_NOWAIT, 0));
			_exit(0);
		}
		EXPECT_EQ(0, box_wait(child));
	}
	close(fd);
}

TEST_F(limit, another_user_need_not_wait_behind_those_who_wait)
{
	pid_t waiting, child;
	__u32 number;
	int fd;

	if (!may_change(_metadata, self))
		return;
	fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, 2, 0, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, box_put(fd, 1));
	EXPECT_EQ(1, box_put(fd, 2));
	waiting = box_fork();
	if (!waiting) {
		CHECK_EQ(1, box_put_wait(fd, 3));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_senders(fd, 1));
	child = box_fork();
	if (!child) {
		be(ALICE);
		CHECK_EQ(1, box_put(fd, 4));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	/* 1, 2, 4; the one who waits comes after them. */
	EXPECT_EQ(1, box_get(fd, &number));
	EXPECT_EQ(1, box_get(fd, &number));
	EXPECT_EQ(2, number);
	EXPECT_EQ(0, box_wait(waiting));
	EXPECT_EQ(1, box_get(fd, &number));
	EXPECT_EQ(4, number);
	EXPECT_EQ(1, box_get(fd, &number));
	EXPECT_EQ(3, number);
	close(fd);
}

TEST_F(limit, users_who_wait_are_admitted_round_robin)
{
	/* One of Alice's, one of Bob's; and what Alice has left. */
	static const __u32 in_turn[6] = { 0, 4, 1, 5, 2, 3 };
	pid_t child[6], first;
	__u32 number, i, seen[6] = { };
	int fd;

	if (!may_change(_metadata, self))
		return;
	ASSERT_EQ(0, box_parameter_set("user_share", 100));
	/* Full with one of the owner's and one of each other user's. */
	fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, 3, 0, 0);
	ASSERT_LE(0, fd);
	for (i = 0; i < 3; i++) {
		first = box_fork();
		if (!first) {
			if (i)
				be(i == 1 ? ALICE : BOB);
			CHECK_EQ(1, box_put(fd, 100 + i));
			_exit(0);
		}
		EXPECT_EQ(0, box_wait(first));
	}
	/* Alice comes with four, Bob after her with two. */
	for (i = 0; i < 6; i++) {
		child[i] = box_fork();
		if (!child[i]) {
			be(i < 4 ? ALICE : BOB);
			CHECK_EQ(1, box_put_wait(fd, i));
			_exit(0);
		}
		EXPECT_EQ(0, box_await_senders(fd, i + 1));
	}
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(1, box_get(fd, &number));
		EXPECT_EQ(100 + i, number);
		EXPECT_EQ(0, box_await_messages(fd, 3));
	}
	for (i = 0; i < 6; i++) {
		EXPECT_EQ(0, box_await_messages(fd, i < 3 ? 3 : 6 - i));
		EXPECT_EQ(1, box_get(fd, &seen[i]));
	}
	for (i = 0; i < 6; i++) {
		EXPECT_EQ(0, box_wait(child[i]));
	}
	for (i = 0; i < 6; i++) {
		EXPECT_EQ(in_turn[i], seen[i])
			TH_LOG("%u %u %u %u %u %u", seen[0], seen[1], seen[2],
			       seen[3], seen[4], seen[5]);
	}
	close(fd);
}

TEST_F(limit, another_than_the_owner_fills_his_share_only)
{
	char data[10] = { };
	pid_t child;
	int fd;

	if (!may_change(_metadata, self))
		return;
	ASSERT_EQ(0, box_parameter_set("user_share", 30));
	/* By messages. */
	fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, 20, 10000, 0);
	ASSERT_LE(0, fd);
	child = box_fork();
	if (!child) {
		int i;

		be(ALICE);
		for (i = 0; i < 6; i++)
			CHECK_EQ(1, box_put(fd, i));
		CHECK_EQ(-EAGAIN, box_put(fd, 6));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	/* Another has his own, and the owner has what is left. */
	child = box_fork();
	if (!child) {
		int i;

		be(BOB);
		for (i = 0; i < 6; i++)
			CHECK_EQ(1, box_put(fd, i));
		CHECK_EQ(-EAGAIN, box_put(fd, 6));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	for (child = 0; child < 8; child++) {
		EXPECT_EQ(1, box_put(fd, child));
	}
	EXPECT_EQ(-EAGAIN, box_put(fd, child));
	close(fd);

	/* By bytes. */
	fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, 1000, 100, 0);
	ASSERT_LE(0, fd);
	child = box_fork();
	if (!child) {
		be(ALICE);
		CHECK_EQ(1, box_send(fd, data, 10, 0, 0, IPCBOX_NOWAIT, 0));
		CHECK_EQ(1, box_send(fd, data, 10, 0, 0, IPCBOX_NOWAIT, 0));
		CHECK_EQ(1, box_send(fd, data, 10, 0, 0, IPCBOX_NOWAIT, 0));
		CHECK_EQ(-EAGAIN, box_send(fd, data, 1, 0, 0, IPCBOX_NOWAIT,
					   0));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	for (child = 0; child < 7; child++) {
		EXPECT_EQ(1, box_send(fd, data, 10, 0, 0, IPCBOX_NOWAIT, 0));
	}
	EXPECT_EQ(-EAGAIN, box_send(fd, data, 1, 0, 0, IPCBOX_NOWAIT, 0));
	close(fd);
}

TEST_F(limit, one_at_his_share_does_not_hold_up_others)
{
	pid_t waiting, child;
	int fd;

	if (!may_change(_metadata, self))
		return;
	ASSERT_EQ(0, box_parameter_set("user_share", 50));
	fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, 4, 0, 0);
	ASSERT_LE(0, fd);
	waiting = box_fork();
	if (!waiting) {
		be(ALICE);
		CHECK_EQ(1, box_put(fd, 1));
		CHECK_EQ(1, box_put(fd, 2));
		CHECK_EQ(1, box_put_wait(fd, 3));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_senders(fd, 1));
	/* There is room, and it is for others than the one who waits. */
	child = box_fork();
	if (!child) {
		be(BOB);
		CHECK_EQ(1, box_put(fd, 4));
		CHECK_EQ(1, box_put(fd, 5));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	/* Now it is full; the owner's first is taken all the same. */
	EXPECT_EQ(1, box_put(fd, 6));
	EXPECT_EQ(-EAGAIN, box_put(fd, 7));
	EXPECT_EQ(1, box_get(fd, &(__u32){ 0 }));
	EXPECT_EQ(1, box_get(fd, &(__u32){ 0 }));
	EXPECT_EQ(0, box_wait(waiting));
	close(fd);
}

/* A uid of a user namespace is charged to the namespace's outermost owner. */
TEST_F(limit, subordinate_ids_are_no_further_budget)
{
	__u32 *flag = box_shared(4096);
	char path[64];
	pid_t inner, outer;
	int fd;

	if (!may_change(_metadata, self))
		return;
	ASSERT_EQ(0, box_parameter_set("user_objects", 2));
	fd = box_make(self->dev, IPCBOX_QUEUE, RWM);
	ASSERT_LE(0, fd);
	inner = box_fork();
	if (!inner) {
		be(ALICE);
		if (unshare(CLONE_NEWUSER))
			_exit(KSFT_SKIP);
		__atomic_store_n(flag, 1, __ATOMIC_RELEASE);
		box_await_flag(flag, 2);
		CHECK_EQ(0, setresuid(5, 5, 5));
		CHECK(box_make(self->dev, IPCBOX_QUEUE, R) >= 0);
		CHECK_EQ(1, box_put(fd, 1));
		CHECK_EQ(4 + OVERHEAD, used_bytes(self->dev));
		__atomic_store_n(flag, 3, __ATOMIC_RELEASE);
		box_await_flag(flag, 4);
		CHECK_EQ(-EDQUOT, box_make(self->dev, IPCBOX_QUEUE, R));
		_exit(0);
	}
	for (;;) {
		siginfo_t ended = { };

		if (__atomic_load_n(flag, __ATOMIC_ACQUIRE) == 1)
			break;
		waitid(P_PID, inner, &ended, WEXITED | WNOHANG | WNOWAIT);
		if (ended.si_pid == inner)
			SKIP(return, "this kernel makes no user namespaces");
		sched_yield();
	}
	snprintf(path, sizeof(path), "/proc/%d/uid_map", inner);
	ASSERT_EQ(0, box_write_file(path, "0 52001 1\n1 700000 100\n"));
	__atomic_store_n(flag, 2, __ATOMIC_RELEASE);
	outer = box_fork();
	if (!outer) {
		struct ipcbox_info info;

		be(ALICE);
		box_await_flag(flag, 3);
		CHECK_EQ(0, box_info(self->dev, &info));
		CHECK_EQ(1, info.user_objects_used);
		CHECK_EQ(4 + OVERHEAD, info.user_bytes_used);
		/* The second of two, and there is no third. */
		CHECK(box_make(self->dev, IPCBOX_QUEUE, R) >= 0);
		CHECK_EQ(-EDQUOT, box_make(self->dev, IPCBOX_QUEUE, R));
		__atomic_store_n(flag, 4, __ATOMIC_RELEASE);
		for (;;)
			pause();
	}
	EXPECT_EQ(0, box_wait(inner));
	kill(outer, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(outer));
	close(fd);
}

TEST_F(limit, what_is_destroyed_is_counted)
{
	struct ipcbox_info before, after;
	int fd, i;

	fd = box_make(self->dev, IPCBOX_QUEUE, RWM);
	ASSERT_LE(0, fd);
	for (i = 0; i < 7; i++) {
		EXPECT_EQ(1, box_put(fd, i));
	}
	EXPECT_EQ(1, box_get(fd, &(__u32){ 0 }));
	ASSERT_EQ(0, box_info(self->dev, &before));
	close(fd);
	ASSERT_EQ(0, box_info(self->dev, &after));
	EXPECT_EQ(before.discarded + 6, after.discarded);
	EXPECT_EQ(before.user_bytes_used - 6 * (4 + OVERHEAD),
		  after.user_bytes_used);
}

TEST_HARNESS_MAIN
