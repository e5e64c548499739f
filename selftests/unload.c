// SPDX-License-Identifier: GPL-2.0
/*
 * The module stays while anything of it is in use: a descriptor on the device, a
 * handle, a persistent object. Without, it goes, and comes back.
 */
#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "kselftest_harness.h"
#include "box.h"

/* As rmmod does: without waiting. */
static int unload(void)
{
	return syscall(SYS_delete_module, "ipcbox", O_NONBLOCK) ? -errno : 0;
}

static int open_module(void)
{
	static const char * const places[] = {
		"/lib/modules/%s/updates/dkms/ipcbox.ko",
		"/lib/modules/%s/updates/ipcbox.ko",
		"/lib/modules/%s/extra/ipcbox.ko",
		"/opt/ipcbox/modules/ipcbox.ko",
		"/opt/ipcbox/ipcbox.ko",
	};
	const char *given = getenv("IPCBOX_KO");
	struct utsname name;
	char path[256];
	unsigned int i;
	int fd;

	if (given)
		return open(given, O_RDONLY | O_CLOEXEC);
	uname(&name);
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(path, sizeof(path), places[i], name.release);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
	}
	return -1;
}

static int load(int ko)
{
	return syscall(SYS_finit_module, ko, "", 0) ? -errno : 0;
}

static bool is_module(void)
{
	return !access("/sys/module/ipcbox/refcnt", F_OK);
}

static bool is_held(void)
{
	DIR *holders = opendir("/sys/module/ipcbox/holders");
	struct dirent *entry;
	bool held = false;

	if (!holders)
		return true;
	while ((entry = readdir(holders)))
		if (entry->d_name[0] != '.')
			held = true;
	closedir(holders);
	return held;
}

FIXTURE(module)
{
	int ko;
};

FIXTURE_SETUP(module)
{
	struct ipcbox_info info;
	int dev;

	self->ko = -1;
	if (geteuid())
		SKIP(return, "needs root, to unload a module");
	if (!is_module())
		SKIP(return, "ipcbox is not a module that can be unloaded");
	if (is_held())
		SKIP(return, "another module uses ipcbox");
	dev = box_device();
	ASSERT_LE(0, dev);
	ASSERT_EQ(0, box_info(dev, &info));
	close(dev);
	if (info.box_objects_used)
		SKIP(return, "the box has %llu objects of others",
		     info.box_objects_used);
	self->ko = open_module();
	if (self->ko < 0)
		SKIP(return, "no ipcbox.ko to load again; set IPCBOX_KO");
}

FIXTURE_TEARDOWN(module)
{
	/* Whatever happened: later tests find it loaded. */
	if (self->ko >= 0 && access(BOX_DEVICE, F_OK))
		load(self->ko);
	close(self->ko);
}

TEST_F(module, an_open_device_keeps_it)
{
	struct ipcbox_info info;
	int dev = box_device();

	ASSERT_LE(0, dev);
	EXPECT_EQ(-EWOULDBLOCK, unload());
	EXPECT_EQ(0, box_info(dev, &info));
	close(dev);
}

TEST_F(module, a_handle_keeps_it)
{
	int dev = box_device(), fd;
	__u32 number;

	fd = box_make(dev, IPCBOX_QUEUE, R | W);
	ASSERT_LE(0, fd);
	close(dev);
	EXPECT_EQ(-EWOULDBLOCK, unload());
	EXPECT_EQ(1, box_put(fd, 1));
	EXPECT_EQ(-EWOULDBLOCK, unload());
	EXPECT_EQ(1, box_get(fd, &number));
	close(fd);
}

TEST_F(module, a_persistent_object_keeps_it)
{
	char name[BOX_NAME_SIZE];
	int dev = box_device(), fd;
	__u32 number;

	box_name(name, "unload");
	fd = box_make_named(dev, IPCBOX_QUEUE, RWM, IPCBOX_CREATE_PERSISTENT,
			    name);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, box_put(fd, 77));
	close(fd);
	close(dev);
	EXPECT_EQ(-EWOULDBLOCK, unload());
	dev = box_device();
	fd = box_open_name(dev, name, R);
	EXPECT_EQ(1, box_get(fd, &number));
	EXPECT_EQ(77, number);
	close(fd);
	EXPECT_EQ(0, box_unlink_name(dev, name));
	close(dev);
	EXPECT_EQ(0, unload());
	EXPECT_EQ(0, load(self->ko));
}

TEST_F(module, unused_it_goes_and_comes_back)
{
	struct ipcbox_info info;
	struct stat before, after;
	int dev, fd, i;
	__u32 number;

	ASSERT_EQ(0, stat(BOX_DEVICE, &before));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, unload());
		EXPECT_EQ(-1, open(BOX_DEVICE, O_RDWR));
		EXPECT_EQ(ENOENT, errno);
		EXPECT_EQ(0, load(self->ko));
		dev = box_device();
		ASSERT_LE(0, dev);
		EXPECT_EQ(0, box_info(dev, &info));
		EXPECT_EQ(0, info.box_objects_used);
		fd = box_make(dev, IPCBOX_QUEUE, R | W);
		EXPECT_EQ(1, box_put(fd, i));
		EXPECT_EQ(1, box_get(fd, &number));
		EXPECT_EQ(1, box_put(fd, i));
		close(dev);
		close(fd);
	}
	ASSERT_EQ(0, stat(BOX_DEVICE, &after));
	EXPECT_EQ(0660, after.st_mode & 0777);
}

/* Objects of a network namespace that has ended must not keep it for ever. */
TEST_F(module, the_objects_of_a_namespace_go_with_it)
{
	pid_t child = box_fork();

	if (!child) {
		int dev, fd;

		if (unshare(CLONE_NEWNET))
			_exit(KSFT_SKIP);
		dev = box_device();
		fd = box_make_named(dev, IPCBOX_QUEUE, R | W,
				    IPCBOX_CREATE_PERSISTENT, "test.left");
		CHECK_EQ(1, box_put(fd, 1));
		_exit(0);
	}
	switch (box_wait(child)) {
	case 0:
		break;
	case KSFT_SKIP:
		SKIP(return, "this kernel makes no network namespaces");
	default:
		ASSERT_TRUE(false);
	}
	/* Namespaces end in the background. */
	while (unload() == -EWOULDBLOCK)
		sched_yield();
	EXPECT_NE(0, access(BOX_DEVICE, F_OK));
	EXPECT_EQ(0, load(self->ko));
}

TEST_HARNESS_MAIN
