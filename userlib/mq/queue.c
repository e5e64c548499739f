/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * System V queues by their identifiers.
 *
 * An identifier is the id of a revocable object, good in any process. A process
 * opens it at first use, which checks no rights, as they are checked at each use;
 * and keeps the handle, one of a few, under a high number. The program may close
 * that descriptor, unknowing, and open others by its number: so each request names
 * the object that it is for.
 *
 * There is no lock here and no memory is allocated, so signal handlers, threads
 * and children find all in order: a kept handle is one word, and who takes it out
 * of its place closes it.
 */
#include <stdatomic.h>

#include "mq.h"

#define PLACES	64

/* The id above, the descriptor and one more below; 0 for none. */
static _Atomic uint64_t places[PLACES];

static _Atomic uint64_t *place_of(int id)
{
	return &places[(unsigned int)id % PLACES];
}

static uint64_t word_of(int id, int fd)
{
	return (uint64_t)(unsigned int)id << 32 | (uint32_t)(fd + 1);
}

static int kept(int id)
{
	uint64_t word = atomic_load(place_of(id));

	return word >> 32 == (unsigned int)id ? (int)(uint32_t)word - 1 : -1;
}

/* Keeps a handle; another one that was in its place is closed. */
void mq_queue_keep(int id, int fd)
{
	uint64_t old = atomic_exchange(place_of(id), word_of(id, fd));

	if ((uint32_t)old)
		ipcbox_close_fd((int)(uint32_t)old - 1);
}

/* What is kept there is no handle any more: the descriptor is not ours. */
static void lost(int id, int fd)
{
	uint64_t word = word_of(id, fd);

	atomic_compare_exchange_strong(place_of(id), &word, 0);
}

void mq_queue_forget(int id)
{
	int fd = kept(id);
	uint64_t word = word_of(id, fd);

	if (fd >= 0 && atomic_compare_exchange_strong(place_of(id), &word, 0))
		ipcbox_close_fd(fd);
}

static int open_queue(int id)
{
	struct ipcbox_open request = {
		.size = sizeof(request),
		.flags = IPCBOX_OPEN_REVOCABLE,
		.by = IPCBOX_BY_ID,
		.rights = IPCBOX_RIGHT_RECEIVE | IPCBOX_RIGHT_SEND |
			  IPCBOX_RIGHT_MANAGE,
		.object = (unsigned int)id,
	};
	int fd = mq_device_open(IPCBOX_IOC_OPEN, &request, false);

	if (fd < 0)
		return fd == -ENOENT ? -EINVAL : fd;
	fd = mq_keep_high(fd);
	mq_queue_keep(id, fd);
	return fd;
}

static bool is_lost(int result)
{
	return result == -EBADF || result == -ENOTTY || result == -ESTALE;
}

/*
 * Does a request on a queue. @flags and @object are fields of the request: by the
 * flags the call may block, and the object is the one that it is for. Returns as
 * ipcbox_ioctl(), with -EINVAL when there is no such queue.
 */
int mq_queue_ioctl(int id, unsigned long command, void *request,
		   __u32 *flags, __u64 *object)
{
	int result = -EBADF;
	int fd;

	if (id < 0)
		return -EINVAL;
	*object = (unsigned int)id;
	do {
		fd = kept(id);
		if (fd < 0)
			fd = open_queue(id);
		if (fd < 0)
			return fd;
		result = mq_wait_ioctl(fd, command, request, flags);
		if (is_lost(result))
			lost(id, fd);
	} while (is_lost(result));
	if (result == -ENOENT) {
		mq_queue_forget(id);
		return -EINVAL;
	}
	return result;
}

/* By a handle of its own, as STAT and SET do not say which object they are for. */
int mq_queue_stat(int id, struct ipcbox_stat *state)
{
	struct ipcbox_open request = {
		.size = sizeof(request),
		.flags = IPCBOX_OPEN_REVOCABLE,
		.by = IPCBOX_BY_ID,
		.rights = IPCBOX_RIGHT_RECEIVE,
		.object = (unsigned int)id,
	};
	int fd, result;

	if (id < 0)
		return -EINVAL;
	fd = mq_device_open(IPCBOX_IOC_OPEN, &request, false);
	if (fd < 0)
		return fd == -ENOENT ? -EINVAL : fd;
	*state = (struct ipcbox_stat){ .size = sizeof(*state) };
	result = ipcbox_ioctl(fd, IPCBOX_IOC_STAT, state);
	ipcbox_close_fd(fd);
	return result;
}
