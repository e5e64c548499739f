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
			 uint64_t value)
{
	struct ipcbox_notify request = {
		.size = sizeof(request),
		.how = IPCBOX_NOTIFY_SIGNAL,
		.signal = (uint32_t)signal,
		.value = value,
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
