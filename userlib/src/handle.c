/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Handles: the descriptor, and what is asked of an object through it. */
#include <stdlib.h>

#include "internal.h"

/* The sizes of the structures are part of the symbols' version. */
_Static_assert(sizeof(struct ipcbox_stat) == 336, "IPCBOX_0.1");
_Static_assert(sizeof(struct ipcbox_set) == 64, "IPCBOX_0.1");

static int read_state(int fd, struct ipcbox_stat *state)
{
	struct ipcbox_stat answer = { .size = sizeof(answer) };
	int result = ipcbox_ioctl(fd, IPCBOX_IOC_STAT, &answer);

	if (!result)
		*state = answer;
	return result;
}

int ipcbox_handle_from_fd(int fd, struct ipcbox_handle **handle)
{
	struct ipcbox_handle *made;
	struct ipcbox_stat state;
	int result;

	result = read_state(fd, &state);
	if (result)
		return result;
	made = ipcbox_allocate(sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->fd = fd;
	made->kind = state.kind;
	made->sealed = !!(state.state & IPCBOX_STATE_SEALED);
	made->id = state.id;
	made->mapped_bytes = state.mapped_bytes;
	*handle = made;
	return 0;
}

int ipcbox_handle_fd(const struct ipcbox_handle *handle)
{
	return handle->fd;
}

uint64_t ipcbox_handle_id(const struct ipcbox_handle *handle)
{
	return handle->id;
}

unsigned int ipcbox_handle_kind(const struct ipcbox_handle *handle)
{
	return handle->kind;
}

int ipcbox_handle_created(const struct ipcbox_handle *handle)
{
	return handle->created;
}

void ipcbox_close(struct ipcbox_handle *handle)
{
	if (!handle)
		return;
	ipcbox_close_fd(handle->fd);
	free(handle);
}

int ipcbox_stat(struct ipcbox_handle *handle, struct ipcbox_stat *state)
{
	return read_state(handle->fd, state);
}

int ipcbox_set(struct ipcbox_handle *handle, const struct ipcbox_set *changes)
{
	struct ipcbox_set request = *changes;

	request.size = sizeof(request);
	return ipcbox_ioctl(handle->fd, IPCBOX_IOC_SET, &request);
}

int ipcbox_spin(struct ipcbox_handle *handle, uint64_t time)
{
	struct ipcbox_spin request = {
		.size = sizeof(request),
		.time = time,
	};

	return ipcbox_ioctl(handle->fd, IPCBOX_IOC_SPIN, &request);
}
