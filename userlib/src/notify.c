/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Notice of arrival. */
#include "internal.h"

int ipcbox_notify_eventfd(struct ipcbox_handle *handle, int fd,
			  unsigned int flags)
{
	struct ipcbox_notify request = {
		.size = sizeof(request),
		.flags = flags,
		.how = IPCBOX_NOTIFY_EVENTFD,
		.descriptor = fd,
	};

	return ipcbox_ioctl(handle->fd, IPCBOX_IOC_NOTIFY, &request);
}

int ipcbox_notify_signal(struct ipcbox_handle *handle, int signal,
			 union sigval value)
{
	struct ipcbox_notify request = {
		.size = sizeof(request),
		.how = IPCBOX_NOTIFY_SIGNAL,
		.signal = (uint32_t)signal,
		/* The pointer is as wide as the union: all of it goes. */
		.value = ipcbox_address(value.sival_ptr),
	};

	return ipcbox_ioctl(handle->fd, IPCBOX_IOC_NOTIFY, &request);
}

int ipcbox_notify_none(struct ipcbox_handle *handle)
{
	struct ipcbox_notify request = {
		.size = sizeof(request),
		.how = IPCBOX_NOTIFY_NONE,
	};

	return ipcbox_ioctl(handle->fd, IPCBOX_IOC_NOTIFY, &request);
}
