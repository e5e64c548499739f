// SPDX-License-Identifier: GPL-2.0
/*
 * Owner, group and mode are checked as for a file: who may get which right, see
 * an object in LIST, change it and remove it.
 */
#include <grp.h>
#include <stdio.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <linux/capability.h>

#include "kselftest_harness.h"
#include "box.h"

#define OWNER	1000
#define GROUP	1000
#define OTHER	1002

FIXTURE(access)
{
	int dev;
	int fd;			/* all rights on the object */
	__u64 id;
	char name[BOX_NAME_SIZE];
};

FIXTURE_SETUP(access)
{
	struct ipcbox_set set = {
		.mask = IPCBOX_SET_UID | IPCBOX_SET_GID,
		.uid = OWNER,
		.gid = GROUP,
	};

	if (geteuid())
		SKIP(return, "needs root, to act as several users");
	umask(0);
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	box_name(self->name, "access");
	self->fd = box_make_named(self->dev, IPCBOX_QUEUE, RWM, 0, self->name);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, box_set(self->fd, &set));
	self->id = box_id(self->fd);
}

FIXTURE_TEARDOWN(access)
{
	struct ipcbox_stat stat;

	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(1, stat.handles);
	close(self->fd);
	close(self->dev);
}

/* Keeps the capabilities of @mask only. */
static int capabilities(__u64 mask)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {
		{ .effective = mask, .permitted = mask },
		{ .effective = mask >> 32, .permitted = mask >> 32 },
	};

	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

/* Another user who keeps the capabilities of @mask. */
static int become_with(uid_t uid, gid_t gid, __u64 mask)
{
	if (prctl(PR_SET_KEEPCAPS, 1) || setgroups(0, NULL) ||
	    setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
		return -errno;
	return capabilities(mask);
}

#define CAP(name)	(1ull << CAP_##name)

/* Who asks, and the bits of the mode that count for him. */
struct subject {
	const char *what;
	uid_t uid;
	gid_t gid;
	gid_t also;
	int shift;
};

static const struct subject subjects[] = {
	{ "owner", OWNER, GROUP, 0, 6 },
	{ "owner outside of the group", OWNER, 3000, 0, 6 },
	{ "group", OTHER, GROUP, 0, 3 },
	{ "one more group", OTHER, 3000, GROUP, 3 },
	{ "other", OTHER, 3000, 0, 0 },
	{ "other of more groups", OTHER, 3000, 3001, 0 },
};

static int open_and_close(int dev, __u64 id, __u32 rights)
{
	int fd = box_open_id(dev, id, rights);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	return fd;
}

static bool listed(int dev, __u64 id)
{
	struct ipcbox_stat entry;
	struct ipcbox_list list = {
		.cursor = id - 1,
		.entries = (uintptr_t)&entry,
		.entry_size = sizeof(entry),
		.count = 1,
	};

	CHECK_EQ(0, box_list(dev, &list));
	return list.returned == 1 && entry.id == id;
}

TEST_F(access, the_class_of_the_caller_decides)
{
	static const __u32 modes[] = {
		0, 0400, 0200, 0600, 040, 020, 060, 04, 02, 06, 0666, 066, 0606,
		0660, 0420, 0246, 0642, 0604, 0640,
	};
	const struct subject *subject;
	unsigned int s, m, rights;
	pid_t child;

	for (s = 0; s < ARRAY_SIZE(subjects); s++) {
		subject = &subjects[s];
		child = box_fork();
		if (!child) {
			CHECK_EQ(0, setgroups(!!subject->also, &subject->also));
			CHECK_EQ(0, setresgid(subject->gid, subject->gid,
					      subject->gid));
			CHECK_EQ(0, setresuid(subject->uid, subject->uid,
					      subject->uid));
			for (m = 0; m < ARRAY_SIZE(modes); m++) {
				__u32 bits = modes[m] >> subject->shift;
				__u32 may = bits & 4 ? R : 0;

				if (bits & 2)
					may |= W;
				if (subject->uid == OWNER)
					may |= M;
				/* The inherited handle has the right to. */
				CHECK_EQ(0, box_set_mode(self->fd, modes[m]));
				for (rights = 1; rights <= RWM; rights++)
					CHECK_EQ(rights & ~may ? -EACCES : 0,
						 open_and_close(self->dev,
								self->id,
								rights));
				CHECK_EQ(may != 0,
					 listed(self->dev, self->id));
			}
			_exit(0);
		}
		EXPECT_EQ(0, box_wait(child))
			TH_LOG("%s", subject->what);
	}
}

TEST_F(access, create_of_what_exists_is_checked_as_open)
{
	pid_t child = box_fork();

	if (!child) {
		int fd;

		CHECK_EQ(0, box_become(OTHER, OTHER));
		CHECK_EQ(-EACCES, box_make_named(self->dev, IPCBOX_QUEUE, R, 0,
						 self->name));
		CHECK_EQ(0, box_set_mode(self->fd, 0604));
		fd = box_make_named(self->dev, IPCBOX_QUEUE, R, 0, self->name);
		CHECK(fd >= 0);
		close(fd);
		CHECK_EQ(-EACCES, box_make_named(self->dev, IPCBOX_QUEUE, R | W,
						 0, self->name));
		CHECK_EQ(-EACCES, box_make_named(self->dev, IPCBOX_QUEUE, R | M,
						 0, self->name));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(access, the_capability_passes_every_check)
{
	pid_t child = box_fork();

	if (!child) {
		CHECK_EQ(0, box_set_mode(self->fd, 0));
		CHECK_EQ(0, become_with(OTHER, OTHER, CAP(IPC_OWNER)));
		CHECK_EQ(0, open_and_close(self->dev, self->id, R));
		CHECK_EQ(0, open_and_close(self->dev, self->id, W));
		CHECK_EQ(0, open_and_close(self->dev, self->id, RWM));
		CHECK(listed(self->dev, self->id));
		CHECK_EQ(0, box_unlink_id(self->dev, self->id));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(access, root_without_the_capability_is_another)
{
	pid_t child = box_fork();

	if (!child) {
		CHECK_EQ(0, box_set_mode(self->fd, 0660));
		CHECK_EQ(0, setgroups(0, NULL));
		/* Neither DAC nor administration stands for it. */
		CHECK_EQ(0, capabilities(CAP(SYS_ADMIN) | CAP(DAC_OVERRIDE) |
					 CAP(CHOWN) | CAP(FOWNER)));
		CHECK_EQ(-EACCES, open_and_close(self->dev, self->id, R));
		CHECK_EQ(-EACCES, open_and_close(self->dev, self->id, M));
		CHECK_EQ(-EPERM, box_unlink_id(self->dev, self->id));
		CHECK(!listed(self->dev, self->id));
		CHECK_EQ(0, box_set_mode(self->fd, 0662));
		CHECK_EQ(0, open_and_close(self->dev, self->id, W));
		CHECK_EQ(-EACCES, open_and_close(self->dev, self->id, R | W));
		CHECK(listed(self->dev, self->id));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(access, the_capability_of_another_user_namespace_is_none)
{
	pid_t child = box_fork();

	if (!child) {
		CHECK_EQ(0, box_set_mode(self->fd, 0660));
		CHECK_EQ(0, box_become(OTHER, OTHER));
		/* All capabilities, but not where the box belongs. */
		if (unshare(CLONE_NEWUSER))
			_exit(KSFT_SKIP);
		CHECK_EQ(-EACCES, open_and_close(self->dev, self->id, R));
		CHECK_EQ(-EACCES, open_and_close(self->dev, self->id, M));
		CHECK_EQ(-EPERM, box_unlink_id(self->dev, self->id));
		CHECK(!listed(self->dev, self->id));
		_exit(0);
	}
	switch (box_wait(child)) {
	case 0:
		break;
	case KSFT_SKIP:
		SKIP(return, "this kernel makes no user namespaces");
	default:
		EXPECT_TRUE(false);
	}
}

TEST_F(access, the_file_system_ids_count)
{
	pid_t child = box_fork();

	if (!child) {
		struct ipcbox_stat stat;
		int fd;

		CHECK_EQ(0, box_set_mode(self->fd, 0600));
		CHECK_EQ(0, setgroups(0, NULL));
		setfsgid(GROUP + 7);
		setfsuid(OWNER);
		/* Root still, as far as other ids go, but this is dropped. */
		CHECK_EQ(0, capabilities(0));
		CHECK_EQ(0, open_and_close(self->dev, self->id, RWM));
		fd = box_make(self->dev, IPCBOX_QUEUE, R);
		CHECK(fd >= 0);
		CHECK_EQ(0, box_stat(fd, &stat));
		CHECK_EQ(OWNER, stat.uid);
		CHECK_EQ(GROUP + 7, stat.gid);
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(access, the_creator_gets_its_rights_whatever_the_mode)
{
	pid_t child = box_fork();

	if (!child) {
		struct ipcbox_create create = {
			.kind = IPCBOX_MAILBOX,
			.mode = 0,
			.rights = RWM,
		};
		struct ipcbox_stat stat;
		__u32 number;
		int fd;

		CHECK_EQ(0, box_become(OWNER, GROUP));
		fd = box_create(self->dev, &create);
		CHECK(fd >= 0);
		CHECK_EQ(1, box_put(fd, 4));
		CHECK_EQ(1, box_get(fd, &number));
		CHECK_EQ(0, box_set_max_messages(fd, 3));
		CHECK_EQ(0, box_stat(fd, &stat));
		CHECK_EQ(0, stat.mode);
		CHECK_EQ(OWNER, stat.uid);
		CHECK_EQ(GROUP, stat.gid);
		CHECK_EQ(-EACCES, open_and_close(self->dev, create.id, W));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(access, the_umask_is_taken_off)
{
	static const struct {
		mode_t mode, umask, is;
	} cases[] = {
		{ 0666, 022, 0644 }, { 0666, 077, 0600 }, { 0666, 0, 0666 },
		{ 0640, 0777, 0 }, { 0606, 02, 0604 },
	};
	struct ipcbox_create create;
	struct ipcbox_stat stat;
	unsigned int i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		create = (struct ipcbox_create) {
			.kind = IPCBOX_QUEUE,
			.mode = cases[i].mode,
			.rights = R,
		};
		umask(cases[i].umask);
		fd = box_create(self->dev, &create);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, box_stat(fd, &stat));
		EXPECT_EQ(cases[i].is, stat.mode);
		close(fd);
	}
	/* SET is chmod(2), which does not look at it. */
	umask(077);
	EXPECT_EQ(0, box_set_mode(self->fd, 0666));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0666, stat.mode);
}

TEST_F(access, a_changed_mode_leaves_handles_as_they_are)
{
	pid_t child;
	int fd;

	EXPECT_EQ(0, box_set_mode(self->fd, 0666));
	fd = box_open_id(self->dev, self->id, R | W);
	ASSERT_LE(0, fd);
	child = box_fork();
	if (!child) {
		__u32 number;

		CHECK_EQ(0, box_become(OTHER, OTHER));
		CHECK_EQ(0, box_set_mode(self->fd, 0));
		CHECK_EQ(-EACCES, open_and_close(self->dev, self->id, R));
		CHECK_EQ(1, box_put(fd, 8));
		CHECK_EQ(1, box_get(fd, &number));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	close(fd);
}

TEST_F(access, only_the_owner_unlinks)
{
	struct box_snapshot before;
	pid_t child;

	EXPECT_EQ(0, box_set_mode(self->fd, 0666));
	box_snapshot(self->dev, self->fd, &before);
	child = box_fork();
	if (!child) {
		CHECK_EQ(0, box_become(OTHER, GROUP));
		CHECK_EQ(-EPERM, box_unlink_id(self->dev, self->id));
		CHECK_EQ(-EPERM, box_unlink_name(self->dev, self->name));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_TRUE(box_unchanged(self->dev, self->fd, &before));

	child = box_fork();
	if (!child) {
		CHECK_EQ(0, box_become(OWNER, OTHER));
		CHECK_EQ(0, box_set_mode(self->fd, 0));
		CHECK_EQ(0, box_unlink_name(self->dev, self->name));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(-ENOENT, box_open_id(self->dev, self->id, R));
}

TEST_F(access, a_new_owner_needs_the_capability)
{
	struct ipcbox_set set = {
		.mask = IPCBOX_SET_UID | IPCBOX_SET_MODE |
			IPCBOX_SET_MAX_MESSAGES,
		.uid = OTHER,
		.mode = 0644,
		.max_messages = 3,
	};
	struct box_snapshot before;
	struct ipcbox_stat stat;
	pid_t child;

	box_snapshot(self->dev, self->fd, &before);
	child = box_fork();
	if (!child) {
		CHECK_EQ(0, box_become(OWNER, GROUP));
		CHECK_EQ(-EPERM, box_set(self->fd, &set));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	/* Nothing of it was done. */
	EXPECT_TRUE(box_unchanged(self->dev, self->fd, &before));

	child = box_fork();
	if (!child) {
		/* The present one is no change. */
		CHECK_EQ(0, box_become(OWNER, GROUP));
		set.uid = OWNER;
		set.mode = 0600;
		CHECK_EQ(0, box_set(self->fd, &set));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));

	child = box_fork();
	if (!child) {
		CHECK_EQ(0, become_with(OWNER, GROUP, CAP(CHOWN)));
		CHECK_EQ(0, box_set(self->fd, &set));
		/* From now on it is another's. */
		CHECK_EQ(0, capabilities(0));
		CHECK_EQ(-EACCES, open_and_close(self->dev, self->id, M));
		CHECK_EQ(-EPERM, box_unlink_id(self->dev, self->id));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(OTHER, stat.uid);
	EXPECT_EQ(GROUP, stat.gid);
	EXPECT_EQ(3, stat.max_messages);
}

TEST_F(access, a_new_group_is_one_of_the_callers)
{
	struct ipcbox_set set = { .mask = IPCBOX_SET_GID };
	struct ipcbox_stat stat;
	gid_t also = 3001;
	pid_t child;

	child = box_fork();
	if (!child) {
		CHECK_EQ(0, setgroups(1, &also));
		CHECK_EQ(0, setresgid(3000, 3000, 3000));
		CHECK_EQ(0, setresuid(OWNER, OWNER, OWNER));
		set.gid = 3002;
		CHECK_EQ(-EPERM, box_set(self->fd, &set));
		set.gid = 0;
		CHECK_EQ(-EPERM, box_set(self->fd, &set));
		CHECK_EQ(0, box_stat(self->fd, &stat));
		CHECK_EQ(GROUP, stat.gid);
		set.gid = 3001;
		CHECK_EQ(0, box_set(self->fd, &set));
		CHECK_EQ(0, box_stat(self->fd, &stat));
		CHECK_EQ(3001, stat.gid);
		set.gid = 3000;
		CHECK_EQ(0, box_set(self->fd, &set));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(3000, stat.gid);

	child = box_fork();
	if (!child) {
		CHECK_EQ(0, become_with(OWNER, GROUP, CAP(CHOWN)));
		set.gid = 3002;
		CHECK_EQ(0, box_set(self->fd, &set));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(3002, stat.gid);
}

TEST_HARNESS_MAIN
