/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An end of a channel, as the selftests use it: mapped, and with the ring's code
 * of <linux/ipcbox_ring.h>.
 *
 * Functions that make a system call return what it returned, or minus errno.
 */
#ifndef _CHANNEL_END_H
#define _CHANNEL_END_H

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <linux/ipcbox_ring.h>

#include "box.h"

/* From <linux/membarrier.h>, which may be older. */
#define END_MEMBARRIER		2	/* GLOBAL_EXPEDITED */
#define END_MEMBARRIER_REGISTER	4	/* REGISTER_GLOBAL_EXPEDITED */

struct end {
	int fd;
	size_t size;
	struct ipcbox_channel_page *own;
	struct ipcbox_channel_page *other;
	unsigned char *data;
	struct ipcbox_ring ring;
};

static inline int end_make(int dev, __u32 rights, __u64 size)
{
	struct ipcbox_create create = {
		.kind = IPCBOX_CHANNEL,
		.mode = 0600,
		.rights = rights,
		.mapped_bytes = size,
	};

	return box_create(dev, &create);
}

static inline int end_wait(int fd, __u32 wanted, __u32 *position,
			   __u64 deadline)
{
	struct ipcbox_channel_wait wait = {
		.size = sizeof(wait),
		.wanted = wanted,
		.deadline = deadline,
	};

	if (ioctl(fd, IPCBOX_IOC_CHANNEL_WAIT, &wait))
		return -errno;
	*position = wait.position;
	return 0;
}

/* With the wish that makes it sleep. */
static inline int end_await(struct end *end, __u32 wanted, __u32 *position,
			    __u64 deadline)
{
	int error;

	ipcbox_ring_sleep(&end->ring, wanted);
	error = end_wait(end->fd, wanted, position, deadline);
	ipcbox_ring_awake(&end->ring);
	return error;
}

static inline int end_wake(int fd)
{
	struct ipcbox_channel_wake wake = { .size = sizeof(wake) };

	return ioctl(fd, IPCBOX_IOC_CHANNEL_WAKE, &wake) ? -errno : 0;
}

static inline void *end_area(int fd, size_t page, size_t length, int prot)
{
	return mmap(NULL, length, prot, MAP_SHARED, fd,
		    page * sysconf(_SC_PAGESIZE));
}

/* Maps all of it, as the end's side may. */
static inline int end_map(struct end *end, int fd, int producer)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct ipcbox_stat stat;
	char *consumers, *producers;
	int error;

	error = box_stat(fd, &stat);
	if (error)
		return error;
	memset(end, 0, sizeof(*end));
	end->fd = fd;
	end->size = stat.mapped_bytes;
	consumers = end_area(fd, IPCBOX_CHANNEL_CONSUMER_PAGE, page,
			     producer ? PROT_READ : PROT_READ | PROT_WRITE);
	if (consumers == MAP_FAILED)
		return -errno;
	producers = end_area(fd, IPCBOX_CHANNEL_PRODUCER_PAGE,
			     page + 2 * end->size,
			     producer ? PROT_READ | PROT_WRITE : PROT_READ);
	if (producers == MAP_FAILED)
		return -errno;
	end->own = (void *)(producer ? producers : consumers);
	end->other = (void *)(producer ? consumers : producers);
	end->data = (void *)(producers + page);
	if (syscall(SYS_membarrier, END_MEMBARRIER_REGISTER, 0, 0))
		return -errno;
	return ipcbox_ring_init(&end->ring, end->own, end->other, end->data,
				end->size, producer, 0);
}

static inline void end_unmap(struct end *end)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *consumers = end->ring.bias ? end->other : end->own;

	munmap(consumers, page);
	munmap(end->data - page, page + 2 * end->size);
}

static inline void end_close(struct end *end)
{
	end_unmap(end);
	close(end->fd);
}

static inline int end_publish(struct end *end)
{
	return ipcbox_ring_publish(&end->ring) ? end_wake(end->fd) : 0;
}

/* Sleeps until there may be that much room; the protocol of the header. */
static inline int end_sleep(struct end *end, __u32 room, __u64 deadline)
{
	__u32 wanted = ipcbox_ring_wanted(&end->ring, room);
	__u32 position = 0;
	int error;

	if (!ipcbox_ring_published(&end->ring)) {
		error = end_publish(end);
		if (error)
			return error;
	}
	ipcbox_ring_sleep(&end->ring, wanted);
	if (syscall(SYS_membarrier, END_MEMBARRIER, 0, 0))
		return -errno;
	error = end_wait(end->fd, wanted, &position, deadline);
	ipcbox_ring_awake(&end->ring);
	if (error)
		return error == -EPIPE ? 0 : error;
	return ipcbox_ring_note(&end->ring, position);
}

/* Without waiting when the deadline is 0. */
static inline int end_send(struct end *end, const void *data, __u32 length,
			   __u64 deadline)
{
	void *place;
	int error;

	while ((error = ipcbox_ring_reserve(&end->ring, length, &place))) {
		if (error != -EAGAIN || !deadline)
			return error;
		error = end_sleep(end, ipcbox_ring_record(length), deadline);
		if (error)
			return error;
	}
	memcpy(place, data, length);
	error = ipcbox_ring_commit(&end->ring, length);
	return error ? error : end_publish(end);
}

/* Bytes of the message. */
static inline int end_receive(struct end *end, void *data, __u32 capacity,
			      __u64 deadline)
{
	const void *place;
	__u32 length;
	int error;

	while ((error = ipcbox_ring_peek(&end->ring, &place, &length))) {
		if (error != -EAGAIN || !deadline)
			return error;
		error = end_sleep(end, IPCBOX_RING_HEADER, deadline);
		if (error)
			return error;
	}
	if (length > capacity)
		return -EMSGSIZE;
	memcpy(data, place, length);
	error = ipcbox_ring_release(&end->ring);
	if (error)
		return error;
	error = end_publish(end);
	return error ? error : (int)length;
}

#endif /* _CHANNEL_END_H */
