/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* What can be said without the module: wrong devices, descriptors, nothing. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <ipcbox.h>

#include "tap.h"

/* Never written to: where a failure would leave its mark. */
#define MARK	((void *)&errno)

static void a_missing_device_is_enoent(void)
{
	struct ipcbox *box = MARK;

	equal(ipcbox_box_open_path("/nonexistent/ipcbox", &box), -ENOENT);
	check(box == MARK);
}

static void another_device_is_enotty(void)
{
	struct ipcbox *box = MARK;

	equal(ipcbox_box_open_path("/dev/null", &box), -ENOTTY);
	check(box == MARK);
}

static void paths_fail_as_open_does(void)
{
	struct ipcbox *box = MARK;
	char path[8192];

	equal(ipcbox_box_open_path("/dev/null/ipcbox", &box), -ENOTDIR);
	equal(ipcbox_box_open_path("/", &box), -EISDIR);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	equal(ipcbox_box_open_path(path, &box), -ENAMETOOLONG);
	check(box == MARK);
}

/* A descriptor leaked would be the next that open returns. */
static void failing_leaks_no_descriptor(void)
{
	int before = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct ipcbox *box;
	int after;

	close(before);
	equal(ipcbox_box_open_path("/dev/null", &box), -ENOTTY);
	after = open("/dev/null", O_RDONLY | O_CLOEXEC);
	equal(after, before);
	close(after);
}

static void a_box_needs_a_descriptor_of_the_device(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct ipcbox *box = MARK;

	require(fd >= 0);
	equal(ipcbox_box_from_fd(-1, &box), -EBADF);
	equal(ipcbox_box_from_fd(fd, &box), -ENOTTY);
	check(box == MARK);
	/* The descriptor is still the caller's. */
	equal(close(fd), 0);
}

static void a_handle_needs_a_descriptor_of_an_object(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct ipcbox_handle *handle = MARK;

	require(fd >= 0);
	equal(ipcbox_handle_from_fd(-1, &handle), -EBADF);
	equal(ipcbox_handle_from_fd(fd, &handle), -ENOTTY);
	check(handle == MARK);
	equal(close(fd), 0);
}

static void ending_nothing_does_nothing(void)
{
	ipcbox_box_close(NULL);
	ipcbox_close(NULL);
	ipcbox_list_end(NULL);
}

static void errno_is_left_alone(void)
{
	struct ipcbox_handle *handle;
	struct ipcbox *box;

	errno = ECHILD;
	ipcbox_box_open_path("/nonexistent/ipcbox", &box);
	ipcbox_box_open_path("/dev/null", &box);
	ipcbox_box_from_fd(-1, &box);
	ipcbox_handle_from_fd(-1, &handle);
	ipcbox_box_close(NULL);
	ipcbox_close(NULL);
	equal(errno, ECHILD);
}

static void the_version_is_that_of_the_build(void)
{
	check(strcmp(ipcbox_version(), IPCBOX_VERSION) == 0);
}

static void an_address_is_that_of_the_pointer(void)
{
	int here;

	check(ipcbox_address(NULL) == 0);
	check(ipcbox_address(&here) == (uintptr_t)&here);
}

TAP_MAIN(NULL, TAP_TEST(a_missing_device_is_enoent),
	 TAP_TEST(another_device_is_enotty), TAP_TEST(paths_fail_as_open_does),
	 TAP_TEST(failing_leaks_no_descriptor),
	 TAP_TEST(a_box_needs_a_descriptor_of_the_device),
	 TAP_TEST(a_handle_needs_a_descriptor_of_an_object),
	 TAP_TEST(ending_nothing_does_nothing), TAP_TEST(errno_is_left_alone),
	 TAP_TEST(the_version_is_that_of_the_build),
	 TAP_TEST(an_address_is_that_of_the_pointer))
