/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * The device. It is opened for each operation on it, and closed again: programs
 * that close all descriptors, or count on their numbers, are not disturbed.
 */
#include <fcntl.h>
#include <unistd.h>

#include "mq.h"

/* Descriptors that stay go above what programs choose and close by number. */
#define HIGH_DESCRIPTOR	700

int mq_device(void)
{
	int saved = errno;
	int fd = open(IPCBOX_DEVICE, O_RDWR | O_CLOEXEC | O_NOCTTY);
	int error = errno;

	errno = saved;
	if (fd >= 0)
		return fd;
	/* As on a kernel that was built without such queues. */
	if (error == ENOENT || error == ENXIO || error == ENODEV)
		return -ENOSYS;
	return -error;
}

static int duplicate(int fd, int lowest)
{
	int saved = errno;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, lowest);

	errno = saved;
	return copy;
}

/* Does what makes no descriptor. */
int mq_device_ioctl(unsigned long command, void *request)
{
	int device = mq_device();
	int result;

	if (device < 0)
		return device;
	result = ipcbox_ioctl(device, command, request);
	ipcbox_close_fd(device);
	return result;
}

/* Does what makes a descriptor: with @low, the lowest that is free. */
int mq_device_open(unsigned long command, void *request, bool low)
{
	int device = mq_device();
	int fd, copy;

	if (device < 0)
		return device;
	fd = ipcbox_ioctl(device, command, request);
	ipcbox_close_fd(device);
	if (!low || fd < device)
		return fd;
	copy = duplicate(fd, 0);
	if (copy < 0 || copy > fd) {
		if (copy >= 0)
			ipcbox_close_fd(copy);
		return fd;
	}
	ipcbox_close_fd(fd);
	return copy;
}

int mq_device_info(struct ipcbox_info *info)
{
	*info = (struct ipcbox_info){ .size = sizeof(*info) };
	return mq_device_ioctl(IPCBOX_IOC_INFO, info);
}

/* Moves a descriptor that stays open out of the way, where there is room. */
int mq_keep_high(int fd)
{
	int copy = duplicate(fd, HIGH_DESCRIPTOR);

	if (copy < 0)
		return fd;
	ipcbox_close_fd(fd);
	return copy;
}
