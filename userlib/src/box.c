/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* The box: the open device. */
#include <fcntl.h>
#include <stdlib.h>

#include "internal.h"

/* The size of the structure is part of the symbol's version. */
_Static_assert(sizeof(struct ipcbox_info) == 176, "IPCBOX_0.1");

static int read_info(int fd, struct ipcbox_info *info)
{
	struct ipcbox_info answer = { .size = sizeof(answer) };
	int result = ipcbox_ioctl(fd, IPCBOX_IOC_INFO, &answer);

	if (!result)
		*info = answer;
	return result;
}

int ipcbox_box_from_fd(int fd, struct ipcbox **box)
{
	struct ipcbox_info info;
	struct ipcbox *made;
	int result;

	result = read_info(fd, &info);
	if (result)
		return result;
	if (info.abi != IPCBOX_ABI)
		return -EPROTONOSUPPORT;

	made = ipcbox_allocate(sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->fd = fd;
	*box = made;
	return 0;
}

int ipcbox_box_open_path(const char *path, struct ipcbox **box)
{
	int saved = errno;
	int result;
	int fd;

	fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		result = -errno;
		errno = saved;
		return result;
	}
	result = ipcbox_box_from_fd(fd, box);
	if (result)
		ipcbox_close_fd(fd);
	return result;
}

int ipcbox_box_open(struct ipcbox **box)
{
	return ipcbox_box_open_path(IPCBOX_DEVICE, box);
}

int ipcbox_box_fd(const struct ipcbox *box)
{
	return box->fd;
}

void ipcbox_box_close(struct ipcbox *box)
{
	if (!box)
		return;
	ipcbox_close_fd(box->fd);
	free(box);
}

int ipcbox_info(struct ipcbox *box, struct ipcbox_info *info)
{
	return read_info(box->fd, info);
}
