/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* What the sources of the library share. */
#ifndef IPCBOX_INTERNAL_H
#define IPCBOX_INTERNAL_H

#include <errno.h>
#include <sys/ioctl.h>

#include <ipcbox.h>

struct ipcbox {
	int fd;
};

struct ipcbox_handle {
	int fd;
	unsigned int kind;
	int created;
	uint64_t id;
};

/*
 * One system call, with the error in the result and errno as it was: the hot
 * path of sending and receiving, so that it is inline and does nothing else.
 */
static inline int ipcbox_ioctl(int fd, unsigned long command, void *argument)
{
	int saved = errno;
	int result = ioctl(fd, command, argument);

	if (result < 0) {
		result = -errno;
		errno = saved;
	}
	return result;
}

/* The library lets 0 stand for IPCBOX_FOREVER, for the sake of initialisers. */
static inline uint64_t ipcbox_deadline_or_forever(uint64_t deadline)
{
	return deadline ? deadline : IPCBOX_FOREVER;
}

/* calloc and close that leave errno alone. */
void *ipcbox_allocate(size_t size);
void ipcbox_close_fd(int fd);

/* Bytes of a name, or -EINVAL when it cannot be one. */
int ipcbox_name_length(const char *name);

#endif /* IPCBOX_INTERNAL_H */
