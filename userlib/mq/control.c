/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* What msgctl does, without the C library's structures. */
#include <limits.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mq.h"

/* May the caller receive? Looks at the header of a message, if there is one. */
static int check_receive(int id)
{
	struct ipcbox_incoming message = { .capacity = 0 };
	struct ipcbox_receive request = {
		.size = sizeof(request),
		.flags = IPCBOX_PEEK,
		.messages = ipcbox_address(&message),
		.count = 1,
		.message_size = sizeof(message),
		.deadline = IPCBOX_FOREVER,
	};
	int result = mq_queue_ioctl(id, IPCBOX_IOC_RECEIVE, &request,
				    &request.flags, &request.object);

	return result == -EAGAIN || result >= 0 ? 0 : result;
}

int mq_control_stat(int id, bool check, struct ipcbox_stat *state)
{
	int result = check ? check_receive(id) : 0;

	return result ? result : mq_queue_stat(id, state);
}

/*
 * Steps through the queues: *cursor is 0 at first. Returns 1, 0 at the end, or an
 * error.
 */
static int next_queue(int device, uint64_t *cursor, struct ipcbox_stat *state)
{
	struct ipcbox_list request = {
		.size = sizeof(request),
		.entries = ipcbox_address(state),
		.count = 1,
		.entry_size = sizeof(*state),
	};
	int result;

	do {
		request.cursor = *cursor;
		result = ipcbox_ioctl(device, IPCBOX_IOC_LIST, &request);
		if (result)
			return result;
		*cursor = request.next;
	} while (request.returned &&
		 !(state->state & IPCBOX_STATE_REVOCABLE &&
		   state->id <= INT_MAX));
	return (int)request.returned;
}

/* The queue in this place among those that the caller may see. Returns its id. */
int mq_control_at(int position, struct ipcbox_stat *state)
{
	int device = mq_device();
	uint64_t cursor = 0;
	int result;

	if (device < 0)
		return device;
	do {
		result = next_queue(device, &cursor, state);
	} while (result > 0 && position--);
	ipcbox_close_fd(device);
	if (result <= 0)
		return result ? result : -EINVAL;
	return (int)state->id;
}

int mq_control_totals(struct mq_totals *totals)
{
	struct ipcbox_stat state;
	uint64_t cursor = 0;
	int device, result;

	*totals = (struct mq_totals){ .queues = 0 };
	result = mq_device_info(&totals->limits);
	if (result)
		return result;
	device = mq_device();
	if (device < 0)
		return device;
	while ((result = next_queue(device, &cursor, &state)) > 0) {
		totals->queues++;
		totals->messages += state.messages;
		totals->bytes += state.bytes;
	}
	ipcbox_close_fd(device);
	if (totals->queues)
		totals->last = (int)totals->queues - 1;
	return result;
}

static bool may_exceed_limits(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	int saved = errno;
	bool may;

	may = !syscall(SYS_capget, &header, data) &&
	      data[0].effective & 1u << CAP_SYS_RESOURCE;
	errno = saved;
	return may;
}

static int check_bytes(unsigned long bytes)
{
	struct ipcbox_info info;
	int error = mq_device_info(&info);

	if (error)
		return error;
	if (bytes > info.object_bytes && !may_exceed_limits())
		return -EPERM;
	return 0;
}

/* A handle of its own, with which the request meets no other object. */
static int set(int id, struct ipcbox_set *request)
{
	struct ipcbox_open open = {
		.size = sizeof(open),
		.flags = IPCBOX_OPEN_REVOCABLE,
		.by = IPCBOX_BY_ID,
		.rights = IPCBOX_RIGHT_MANAGE,
		.object = (unsigned int)id,
	};
	int fd = mq_device_open(IPCBOX_IOC_OPEN, &open, false);
	int result;

	if (fd < 0)
		return fd;
	result = ipcbox_ioctl(fd, IPCBOX_IOC_SET, request);
	ipcbox_close_fd(fd);
	return result;
}

int mq_control_set(int id, const struct mq_change *change)
{
	struct ipcbox_set request = {
		.size = sizeof(request),
		.mask = IPCBOX_SET_MODE | IPCBOX_SET_UID | IPCBOX_SET_GID |
			IPCBOX_SET_MAX_BYTES | IPCBOX_SET_MAX_MESSAGES,
		.mode = change->mode & 0777,
		.uid = change->uid,
		.gid = change->gid,
		.max_bytes = change->bytes,
	};
	struct ipcbox_info info;
	struct ipcbox_stat state;
	int result = mq_queue_stat(id, &state);

	if (!result)
		result = mq_device_info(&info);
	if (!result)
		result = check_bytes(change->bytes);
	if (result)
		return result;
	request.max_messages = change->bytes < info.object_messages_max ?
			       change->bytes : info.object_messages_max;
	result = set(id, &request);
	if (result == -ENOENT)
		return -EINVAL;
	return result == -EACCES ? -EPERM : result;
}

int mq_control_remove(int id)
{
	struct ipcbox_unlink request = {
		.size = sizeof(request),
		.by = IPCBOX_BY_ID,
		.object = (unsigned int)id,
	};
	struct ipcbox_stat state;
	/* Any other object by this id is none of ours. */
	int result = mq_queue_stat(id, &state);

	if (result)
		return result;
	result = mq_device_ioctl(IPCBOX_IOC_UNLINK, &request);
	if (!result)
		mq_queue_forget(id);
	return result == -ENOENT ? -EINVAL : result;
}
