// SPDX-License-Identifier: GPL-2.0
/*
 * A box belongs to a network namespace: names and ids are seen only inside it,
 * handles work everywhere. The sender's stamp is told in the words of the
 * receiver's pid and user namespaces.
 */
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "box.h"

FIXTURE(space)
{
	int dev;
	int fd;
	char name[BOX_NAME_SIZE];
};

FIXTURE_SETUP(space)
{
	if (geteuid())
		SKIP(return, "needs root, to make namespaces");
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	box_name(self->name, "space");
	self->fd = box_make_named(self->dev, IPCBOX_QUEUE, RWM, 0, self->name);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(space)
{
	close(self->fd);
	close(self->dev);
}

/* What a child says when the kernel makes no such namespace. */
#define NO_NAMESPACE	KSFT_SKIP

/* Whether there was one; then the child has done what it should. */
static bool child_did(struct __test_metadata *_metadata, pid_t child,
		      const char *what)
{
	int status = box_wait(child);

	if (status == NO_NAMESPACE)
		SKIP(return false, "this kernel makes no %s namespaces", what);
	EXPECT_EQ(0, status);
	return true;
}

TEST_F(space, a_new_network_namespace_starts_empty)
{
	pid_t child = box_fork();

	if (!child) {
		struct ipcbox_stat entry;
		struct ipcbox_list list = {
			.entries = (uintptr_t)&entry,
			.entry_size = sizeof(entry),
			.count = 1,
		};
		struct ipcbox_info info;
		int dev;

		if (unshare(CLONE_NEWNET))
			_exit(NO_NAMESPACE);
		dev = box_device();
		CHECK(dev >= 0);
		CHECK_EQ(0, box_info(dev, &info));
		CHECK_EQ(0, info.box_objects_used);
		CHECK_EQ(0, info.user_objects_used);
		CHECK_EQ(0, info.user_bytes_used);
		CHECK_EQ(0, info.discarded);
		CHECK_EQ(0, box_list(dev, &list));
		CHECK_EQ(0, list.returned);
		CHECK_EQ(-ENOENT, box_open_name(dev, self->name, R));
		CHECK_EQ(-ENOENT, box_unlink_name(dev, self->name));
		_exit(0);
	}
	child_did(_metadata, child, "network");
}

TEST_F(space, a_name_in_two_namespaces_is_two_objects)
{
	pid_t child = box_fork();
	struct ipcbox_stat stat;
	__u32 number;

	if (!child) {
		int dev, fd;

		if (unshare(CLONE_NEWNET))
			_exit(NO_NAMESPACE);
		dev = box_device();
		fd = box_make_named(dev, IPCBOX_QUEUE, RWM,
				    IPCBOX_CREATE_EXCLUSIVE |
				    IPCBOX_CREATE_PERSISTENT, self->name);
		CHECK(fd >= 0);
		CHECK_EQ(1, box_put(fd, 1));
		CHECK_EQ(0, box_unlink_name(dev, self->name));
		CHECK_EQ(1, box_get(fd, &number));
		_exit(0);
	}
	if (!child_did(_metadata, child, "network"))
		return;
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.sent);
	EXPECT_EQ(0, stat.state);
	EXPECT_EQ(-EAGAIN, box_get(self->fd, &number));
}

TEST_F(space, a_handle_carried_across_works)
{
	struct ipcbox_incoming in;
	pid_t child = box_fork();
	__u32 number;

	if (!child) {
		if (unshare(CLONE_NEWNET))
			_exit(NO_NAMESPACE);
		CHECK_EQ(1, box_put(self->fd, 11));
		_exit(0);
	}
	if (!child_did(_metadata, child, "network"))
		return;
	EXPECT_EQ(1, box_receive(self->fd, &in, &number, sizeof(number),
				 IPCBOX_NOWAIT, 0));
	EXPECT_EQ(11, number);
	EXPECT_EQ(child, in.pid);
}

TEST_F(space, an_open_device_keeps_its_box)
{
	pid_t child = box_fork();
	__u32 number;

	if (!child) {
		struct ipcbox_info info;
		int fd;

		if (unshare(CLONE_NEWNET))
			_exit(NO_NAMESPACE);
		CHECK_EQ(0, box_info(self->dev, &info));
		CHECK(info.box_objects_used >= 1);
		fd = box_open_name(self->dev, self->name, W);
		CHECK(fd >= 0);
		CHECK_EQ(1, box_put(fd, 12));
		CHECK_EQ(-EEXIST, box_make_named(self->dev, IPCBOX_QUEUE, R,
						 IPCBOX_CREATE_EXCLUSIVE,
						 self->name));
		_exit(0);
	}
	if (!child_did(_metadata, child, "network"))
		return;
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(12, number);
}

TEST_F(space, a_sender_in_a_child_pid_namespace_is_seen_from_outside)
{
	struct ipcbox_incoming in;
	__u32 number;
	pid_t child;

	if (unshare(CLONE_NEWPID))
		SKIP(return, "this kernel makes no pid namespaces");
	child = box_fork();
	if (!child) {
		CHECK_EQ(1, getpid());
		CHECK_EQ(1, box_put(self->fd, 1));
		CHECK_EQ(1, box_put(self->fd, 2));
		/* Its own, as it sees it itself. */
		CHECK_EQ(1, box_receive(self->fd, &in, &number, sizeof(number),
					IPCBOX_NOWAIT, 0));
		CHECK_EQ(1, in.pid);
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(1, box_receive(self->fd, &in, &number, sizeof(number),
				 IPCBOX_NOWAIT, 0));
	EXPECT_EQ(2, number);
	EXPECT_EQ(child, in.pid);
}

TEST_F(space, a_sender_outside_the_pid_namespace_reads_as_0)
{
	pid_t child;

	EXPECT_EQ(1, box_put(self->fd, 1));
	if (unshare(CLONE_NEWPID))
		SKIP(return, "this kernel makes no pid namespaces");
	child = box_fork();
	if (!child) {
		struct ipcbox_incoming in;
		__u32 number;

		in.pid = -1;
		CHECK_EQ(1, box_receive(self->fd, &in, &number, sizeof(number),
					IPCBOX_NOWAIT, 0));
		CHECK_EQ(1, number);
		CHECK_EQ(0, in.pid);
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
}

static __u32 overflow_id(const char *which)
{
	__u32 id = 65534;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/kernel/overflow%s", which);
	file = fopen(path, "re");
	if (file) {
		if (fscanf(file, "%u", &id) != 1)
			id = 65534;
		fclose(file);
	}
	return id;
}

/* A child in a user namespace where 1000 outside is 7 inside, and no more. */
static pid_t child_in_user_namespace(int (*run)(int fd, void *arg), int fd,
				     void *arg)
{
	__u32 *flag = box_shared(4096);
	char path[64];
	pid_t child;

	child = box_fork();
	if (!child) {
		CHECK_EQ(0, box_become(1000, 1001));
		if (unshare(CLONE_NEWUSER))
			_exit(NO_NAMESPACE);
		__atomic_store_n(flag, 1, __ATOMIC_RELEASE);
		box_await_flag(flag, 2);
		_exit(run(fd, arg));
	}
	for (;;) {
		siginfo_t ended = { };

		if (__atomic_load_n(flag, __ATOMIC_ACQUIRE) == 1)
			break;
		/* Left to box_wait to report. */
		waitid(P_PID, child, &ended, WEXITED | WNOHANG | WNOWAIT);
		if (ended.si_pid == child)
			return child;
		sched_yield();
	}
	snprintf(path, sizeof(path), "/proc/%d/uid_map", child);
	CHECK_EQ(0, box_write_file(path, "7 1000 1"));
	snprintf(path, sizeof(path), "/proc/%d/gid_map", child);
	CHECK_EQ(0, box_write_file(path, "8 1001 1"));
	__atomic_store_n(flag, 2, __ATOMIC_RELEASE);
	return child;
}

static int send_and_look(int fd, void *arg)
{
	struct ipcbox_incoming in;
	struct ipcbox_stat stat;
	__u32 number;

	/* What root outside sent, whom this namespace does not map. */
	CHECK_EQ(1, box_receive(fd, &in, &number, sizeof(number),
				IPCBOX_NOWAIT, 0));
	CHECK_EQ(1, number);
	CHECK_EQ(overflow_id("uid"), in.uid);
	CHECK_EQ(overflow_id("gid"), in.gid);
	CHECK_EQ(0, box_stat(fd, &stat));
	CHECK_EQ(overflow_id("uid"), stat.uid);
	CHECK_EQ(overflow_id("gid"), stat.gid);

	/* Its own, as it sees it itself, and as it is seen from outside. */
	CHECK_EQ(7, geteuid());
	CHECK_EQ(1, box_put(fd, 2));
	CHECK_EQ(1, box_receive(fd, &in, &number, sizeof(number),
				IPCBOX_NOWAIT, 0));
	CHECK_EQ(2, number);
	CHECK_EQ(7, in.uid);
	CHECK_EQ(8, in.gid);
	CHECK_EQ(1, box_put(fd, 3));
	return 0;
}

TEST_F(space, a_sender_is_told_in_the_receivers_user_namespace)
{
	struct ipcbox_incoming in;
	__u32 number;
	pid_t child;

	EXPECT_EQ(1, box_put(self->fd, 1));
	child = child_in_user_namespace(send_and_look, self->fd, NULL);
	if (!child_did(_metadata, child, "user"))
		return;
	EXPECT_EQ(1, box_receive(self->fd, &in, &number, sizeof(number),
				 IPCBOX_NOWAIT, 0));
	EXPECT_EQ(3, number);
	EXPECT_EQ(1000, in.uid);
	EXPECT_EQ(1001, in.gid);
	EXPECT_EQ(child, in.pid);
}

static int create_inside(int fd, void *arg)
{
	int *dev = arg, own;
	struct ipcbox_stat stat;
	struct ipcbox_set set = {
		.mask = IPCBOX_SET_UID | IPCBOX_SET_GID,
	};

	own = box_make(*dev, IPCBOX_QUEUE, RWM);
	CHECK(own >= 0);
	CHECK_EQ(0, box_stat(own, &stat));
	CHECK_EQ(7, stat.uid);
	CHECK_EQ(8, stat.gid);
	/* An id that the namespace does not have is no id. */
	set.uid = 7;
	set.gid = 9;
	CHECK_EQ(-EINVAL, box_set(own, &set));
	set.gid = 8;
	CHECK_EQ(0, box_set(own, &set));
	/* What the capability there is worth: nothing. */
	set.mask = IPCBOX_SET_UID;
	set.uid = 0;
	CHECK_EQ(-EINVAL, box_set(own, &set));
	CHECK_EQ(1, box_put(fd, box_id(own)));
	return 0;
}

TEST_F(space, an_owner_is_told_in_the_callers_user_namespace)
{
	pid_t child;

	child = child_in_user_namespace(create_inside, self->fd, &self->dev);
	child_did(_metadata, child, "user");
}

/* The box of a user namespace's own network: there its root is root. */
static int own_network(int fd, void *arg)
{
	int dev, own;

	if (unshare(CLONE_NEWNET))
		return NO_NAMESPACE;
	dev = box_device();
	CHECK(dev >= 0);
	own = box_make(dev, IPCBOX_QUEUE, RWM);
	CHECK(own >= 0);
	CHECK_EQ(0, box_set_mode(own, 0));
	/* The mode refuses the owner; the capability does not ask it. */
	CHECK(box_open_id(dev, box_id(own), R) >= 0);
	/* For the box outside it is worth nothing. */
	CHECK_EQ(0, box_set_mode(fd, 0660));
	CHECK_EQ(-EACCES, box_open_id(*(int *)arg, box_id(fd), R));
	CHECK_EQ(-EPERM, box_unlink_id(*(int *)arg, box_id(fd)));
	return 0;
}

TEST_F(space, the_capability_counts_where_the_network_belongs)
{
	struct stat device;
	pid_t child;
	int status;

	ASSERT_EQ(0, stat(BOX_DEVICE, &device));
	if (chmod(BOX_DEVICE, 0666))
		SKIP(return, "the mode of %s cannot be changed", BOX_DEVICE);
	child = child_in_user_namespace(own_network, self->fd, &self->dev);
	status = box_wait(child);
	chmod(BOX_DEVICE, device.st_mode & 07777);
	if (status == NO_NAMESPACE)
		SKIP(return, "this kernel makes no user namespaces");
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
