/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* A process's own mailbox, found by a descriptor of the process. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

/* Reads what /proc tells of a descriptor into text. Returns 0 or an error. */
static int read_fdinfo(int fd, char *text, size_t size)
{
	char path[48];
	ssize_t length;
	int file;

	/* A thread may have a table of descriptors of its own. */
	snprintf(path, sizeof(path), "/proc/thread-self/fdinfo/%d", fd);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return -errno;
	length = read(file, text, size - 1);
	if (length < 0)
		length = -errno;
	ipcbox_close_fd(file);
	if (length < 0)
		return (int)length;
	text[length] = '\0';
	return 0;
}

/* The number of the process of a pidfd; -ENOENT when it is gone. */
static int number_of(int pidfd)
{
	char text[1024];
	const char *line;
	int number;
	int error;

	error = read_fdinfo(pidfd, text, sizeof(text));
	if (error)
		return error;
	line = strstr(text, "\nPid:");
	if (!line)
		return -EBADF;
	number = atoi(line + strlen("\nPid:"));
	return number > 0 ? number : -ENOENT;
}

/*
 * A process that lives keeps its number. So if, after the mailbox of the number
 * was opened, the pidfd's process has that number still, it had it all the time.
 * The number must also mean the same to /proc and to the caller, who may be in
 * different pid namespaces: a pidfd made of it must lead to the same process.
 */
static int check_number(int pidfd, int number)
{
	int same = (int)syscall(SYS_pidfd_open, number, 0);
	int result = -ENOENT;

	if (same < 0)
		return errno == ESRCH ? -ENOENT : -errno;
	if (number_of(pidfd) == number && number_of(same) == number)
		result = 0;
	ipcbox_close_fd(same);
	return result;
}

static int open_pidfd(struct ipcbox *box, int pidfd, unsigned int rights,
		      unsigned int flags, struct ipcbox_handle **handle)
{
	struct ipcbox_handle *made;
	int number = number_of(pidfd);
	int result;

	if (number < 0)
		return number;
	result = ipcbox_open_process(box, number, rights, flags, &made);
	if (result)
		return result;
	result = check_number(pidfd, number);
	if (result) {
		ipcbox_close(made);
		return result;
	}
	*handle = made;
	return 0;
}

int ipcbox_open_pidfd(struct ipcbox *box, int pidfd, unsigned int rights,
		      unsigned int flags, struct ipcbox_handle **handle)
{
	int saved = errno;
	int result;

	if (fcntl(pidfd, F_GETFD) < 0)
		result = -EBADF;
	else
		result = open_pidfd(box, pidfd, rights, flags, handle);
	errno = saved;
	return result;
}
