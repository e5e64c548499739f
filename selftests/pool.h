/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A receiver that maps its pool, for the selftests: as plain as the protocol of
 * <linux/ipcbox.h> allows. Messages are released as soon as the next is asked.
 */
#ifndef _POOL_H
#define _POOL_H

#include <sys/ioctl.h>
#include <sys/mman.h>

#include "box.h"

struct pool {
	int fd;
	size_t page_size;
	size_t size;
	struct ipcbox_pool_receiver *receiver;
	const struct ipcbox_pool_page *page;
	const unsigned char *ring;
};

static inline int pool_create(int dev, __u32 rights, __u64 size,
			      __u64 messages, __u64 message_bytes)
{
	struct ipcbox_create create = {
		.kind = IPCBOX_MAILBOX,
		.mode = 0600,
		.rights = rights,
		.max_messages = messages,
		.max_message_bytes = message_bytes,
		.mapped_bytes = size,
	};

	return box_create(dev, &create);
}

static inline void *pool_mmap(int fd, size_t length, int protection,
			      int flags, off_t offset)
{
	void *memory = mmap(NULL, length, protection, flags, fd, offset);

	return memory == MAP_FAILED ? NULL : memory;
}

static inline int pool_map(int fd, struct pool *pool)
{
	struct ipcbox_stat stat;
	const unsigned char *pages;
	int ret = box_stat(fd, &stat);

	if (ret)
		return ret;
	pool->fd = fd;
	pool->page_size = sysconf(_SC_PAGESIZE);
	pool->size = stat.mapped_bytes;
	pool->receiver = pool_mmap(fd, pool->page_size, PROT_READ | PROT_WRITE,
				   MAP_SHARED, 0);
	if (!pool->receiver)
		return -errno;
	pages = pool_mmap(fd, pool->page_size + 2 * pool->size, PROT_READ,
			  MAP_SHARED, pool->page_size);
	if (!pages) {
		ret = -errno;
		munmap(pool->receiver, pool->page_size);
		return ret;
	}
	pool->page = (const void *)pages;
	pool->ring = pages + pool->page_size;
	return 0;
}

static inline void pool_unmap(struct pool *pool)
{
	munmap((void *)(uintptr_t)pool->page, pool->page_size + 2 * pool->size);
	munmap(pool->receiver, pool->page_size);
}

static inline int pool_wait(int fd, __u32 flags, __u64 deadline)
{
	struct ipcbox_pool_wait wait = {
		.size = sizeof(wait),
		.flags = flags,
		.deadline = deadline,
	};
	int ret = ioctl(fd, IPCBOX_IOC_POOL_WAIT, &wait);

	return ret < 0 ? -errno : ret;
}

static inline __u64 pool_load(const __u64 *from)
{
	return __atomic_load_n(from, __ATOMIC_ACQUIRE);
}

static inline const struct ipcbox_pool_record *pool_at(const struct pool *pool,
						       __u64 position)
{
	return (const void *)(pool->ring + (position & (pool->size - 1)));
}

static inline __u64 pool_behind(const struct pool *pool, __u64 position)
{
	__u64 bytes = sizeof(struct ipcbox_pool_record) +
		      (__u64)pool_at(pool, position)->length;

	return position + ((bytes + IPCBOX_POOL_ALIGN - 1) &
			   ~(__u64)(IPCBOX_POOL_ALIGN - 1));
}

/* The next message that is there, or NULL, without a system call. */
static inline const struct ipcbox_pool_record *pool_look(struct pool *pool)
{
	const struct ipcbox_pool_record *record;
	__u64 next = pool_load(&pool->receiver->next);

	while (next != pool_load(&pool->page->head)) {
		record = pool_at(pool, next);
		switch (__atomic_load_n(&record->state, __ATOMIC_ACQUIRE)) {
		case IPCBOX_POOL_WRITING:
			return NULL;
		case IPCBOX_POOL_READY:
			return record;
		}
		next = pool_behind(pool, next);
		__atomic_store_n(&pool->receiver->next, next, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Moves over the message that pool_look returned. */
static inline void pool_take(struct pool *pool)
{
	__u64 next = pool_load(&pool->receiver->next);

	__atomic_store_n(&pool->receiver->next, pool_behind(pool, next),
			 __ATOMIC_RELAXED);
}

/* Releases all that was taken. */
static inline void pool_release(struct pool *pool)
{
	__u64 next = pool_load(&pool->receiver->next);

	__atomic_store_n(&pool->receiver->tail, next, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (next >= pool_load(&pool->page->wake_at))
		pool_wait(pool->fd, IPCBOX_NOWAIT, IPCBOX_FOREVER);
}

/* The next message, waited for up to the deadline; NULL with *error without. */
static inline const struct ipcbox_pool_record *
pool_receive(struct pool *pool, __u64 deadline, int *error)
{
	const struct ipcbox_pool_record *record;

	while (!(record = pool_look(pool))) {
		*error = pool_wait(pool->fd, 0, deadline);
		if (*error)
			return NULL;
	}
	return record;
}

#endif /* _POOL_H */
