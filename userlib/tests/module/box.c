/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* The box: opening, passing on, what it tells, and whom it shows its objects. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

static void a_box_opens_by_both_ways(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox *same = NULL;

	equal(fcntl(ipcbox_box_fd(box), F_GETFD), FD_CLOEXEC);
	equal(ipcbox_box_open_path(IPCBOX_DEVICE, &same), 0);
	require(same);
	check(ipcbox_box_fd(same) != ipcbox_box_fd(box));
	ipcbox_box_close(same);
	ipcbox_box_close(box);
}

static void a_node_of_another_path_serves(void)
{
	struct ipcbox *box = NULL;
	char path[64];
	struct stat node;

	snprintf(path, sizeof(path), "/tmp/ipcbox-test-%d", getpid());
	require(stat(IPCBOX_DEVICE, &node) == 0);
	require(mknod(path, S_IFCHR | 0600, node.st_rdev) == 0);
	equal(ipcbox_box_open_path(path, &box), 0);
	ipcbox_box_close(box);
	unlink(path);
}

static void who_may_not_open_the_device_is_told(void *unused)
{
	struct ipcbox *box = NULL;

	(void)unused;
	become_other_user();
	equal(ipcbox_box_open(&box), -EACCES);
	check(!box);
}

static void the_device_is_guarded(void)
{
	struct stat node;

	require(stat(IPCBOX_DEVICE, &node) == 0);
	equal(node.st_mode & 0777, 0660);
	join(tap_spawn(who_may_not_open_the_device_is_told, NULL));
}

static void a_descriptor_makes_a_box(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox *adopted = NULL;
	struct ipcbox_info info;
	int fd = fcntl(ipcbox_box_fd(box), F_DUPFD_CLOEXEC, 0);

	require(fd >= 0);
	ipcbox_box_close(box);
	equal(ipcbox_box_from_fd(fd, &adopted), 0);
	require(adopted);
	equal(ipcbox_box_fd(adopted), fd);
	equal(ipcbox_info(adopted, &info), 0);
	ipcbox_box_close(adopted);
	/* The box owned it. */
	equal(fcntl(fd, F_GETFD), -1);
}

static void a_handle_is_no_box(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *handle = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox *wrong = NULL;

	equal(ipcbox_box_from_fd(ipcbox_handle_fd(handle), &wrong), -ENOTTY);
	check(!wrong);
	check(fcntl(ipcbox_handle_fd(handle), F_GETFD) >= 0);
	ipcbox_close(handle);
	ipcbox_box_close(box);
}

static void handles_outlive_the_box(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *handle = create(box, .name = "outlives");

	ipcbox_box_close(box);
	equal(send_text(handle, "still here"), 0);
	expect_text(handle, "still here");
	ipcbox_close(handle);
}

static void info_tells_the_limits(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_info info;

	memset(&info, 0xff, sizeof(info));
	equal(ipcbox_info(box, &info), 0);
	equal(info.abi, IPCBOX_ABI);
	check(info.features & IPCBOX_FEATURE_MESSAGES);
	check(info.object_messages >= 1);
	check(info.object_messages_max >= info.object_messages);
	check(info.object_bytes_max >= info.object_bytes);
	check(info.message_bytes_max >= info.message_bytes);
	check(info.object_bytes >= info.message_bytes);
	check(info.user_bytes > 0);
	check(info.user_objects > 0);
	check(info.box_objects >= info.user_objects);
	check(info.user_share > 0 && info.user_share <= 100);
	check(info.batch_messages >= 1);
	equal(info.box_objects_used, 0);
	equal(info.user_objects_used, 0);
	equal(info.user_bytes_used, 0);
	equal(info.discarded, 0);
	ipcbox_box_close(box);
}

static void info_tells_what_is_used(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *handle = create(box, .name = "used");
	struct ipcbox_info info;

	equal(send_text(handle, "12345"), 0);
	equal(ipcbox_info(box, &info), 0);
	equal(info.box_objects_used, 1);
	equal(info.user_objects_used, 1);
	equal(info.user_bytes_used, 5 + 128);
	expect_text(handle, "12345");
	equal(ipcbox_info(box, &info), 0);
	equal(info.user_bytes_used, 0);
	equal(info.discarded, 0);

	equal(send_text(handle, "lost"), 0);
	ipcbox_close(handle);
	equal(ipcbox_info(box, &info), 0);
	equal(info.box_objects_used, 0);
	equal(info.user_objects_used, 0);
	equal(info.user_bytes_used, 0);
	equal(info.discarded, 1);
	ipcbox_box_close(box);
}

static void a_network_namespace_has_a_box_of_its_own(void)
{
	struct ipcbox *here = open_box();
	struct ipcbox_handle *handle = create(here, .name = "local");
	struct ipcbox_handle *there_handle;
	struct ipcbox *there;

	require(unshare(CLONE_NEWNET) == 0);
	there = open_box();
	equal(try_open(there, "local", RECEIVE), -ENOENT);
	equal(try_create(there, .name = "local",
			 .flags = IPCBOX_CREATE_EXCLUSIVE), 0);
	/* The old descriptor goes on standing for the old box. */
	equal(try_open(here, "local", RECEIVE), 0);
	/* A handle is a handle wherever its holder is. */
	equal(send_text(handle, "across"), 0);
	there_handle = reopen(here, handle, RECEIVE);
	expect_text(there_handle, "across");
	ipcbox_close(there_handle);
	ipcbox_close(handle);
	ipcbox_box_close(there);
	ipcbox_box_close(here);
}

static void errno_is_left_alone(void)
{
	struct ipcbox_info info;
	struct ipcbox *box;

	errno = ECHILD;
	box = open_box();
	ipcbox_info(box, &info);
	try_open(box, "nothing", RECEIVE);
	ipcbox_box_close(box);
	equal(errno, ECHILD);
}

TAP_MAIN(own_box, TAP_TEST(a_box_opens_by_both_ways),
	 TAP_TEST(a_node_of_another_path_serves),
	 TAP_TEST(the_device_is_guarded), TAP_TEST(a_descriptor_makes_a_box),
	 TAP_TEST(a_handle_is_no_box), TAP_TEST(handles_outlive_the_box),
	 TAP_TEST(info_tells_the_limits), TAP_TEST(info_tells_what_is_used),
	 TAP_TEST(a_network_namespace_has_a_box_of_its_own),
	 TAP_TEST(errno_is_left_alone))
