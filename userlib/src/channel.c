/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Channels: sending and receiving, in memory as long as nobody waits. */
#include <string.h>

#include "channel.h"

#define unlikely(condition)	__builtin_expect(!!(condition), 0)

/* Deadlines are numbers of 63 bits, or IPCBOX_FOREVER, which is -1. */
static inline int is_bad(unsigned int flags, unsigned int known,
			 uint64_t deadline)
{
	return (flags & ~known) || (int64_t)deadline < -1;
}

__attribute__((noinline))
static int reserve(struct ipcbox_channel *end, size_t length,
		   unsigned int flags, uint64_t deadline, void **place)
{
	uint32_t bytes = (uint32_t)length;
	int error;

	if (unlikely(!ipcbox_channel_is_producer(end)))
		return -EACCES;
	if (unlikely(length > ipcbox_ring_longest(&end->ring)))
		return -EMSGSIZE;
	while (unlikely(error = ipcbox_ring_reserve(&end->ring, bytes,
						    place))) {
		if (error != -EAGAIN)
			return error;
		error = ipcbox_channel_wait(end, ipcbox_ring_record(bytes),
					    flags, deadline);
		if (error)
			return error;
	}
	return 0;
}

int ipcbox_channel_reserve(struct ipcbox_channel *channel, size_t length,
			   unsigned int flags, uint64_t deadline,
			   void **place)
{
	if (is_bad(flags, IPCBOX_NOWAIT, deadline))
		return -EINVAL;
	return reserve(channel, length, flags, deadline, place);
}

int ipcbox_channel_commit(struct ipcbox_channel *channel, size_t length,
			  unsigned int flags)
{
	int error;

	if (flags & ~(unsigned int)IPCBOX_MORE || length > UINT32_MAX)
		return -EINVAL;
	error = ipcbox_ring_commit(&channel->ring, (uint32_t)length);
	if (!error && !(flags & IPCBOX_MORE))
		ipcbox_channel_publish_inline(channel);
	return error;
}

void ipcbox_channel_abort(struct ipcbox_channel *channel)
{
	if (ipcbox_channel_is_producer(channel))
		channel->ring.held = 0;
}

/*
 * What is committed is the producer's until it is published, so the payload may
 * be put in its place afterwards: the ring need not be looked at again.
 */
int ipcbox_channel_send(struct ipcbox_channel *channel, const void *data,
			size_t length, unsigned int flags, uint64_t deadline)
{
	void *place;
	int error;

	if (unlikely(is_bad(flags, IPCBOX_NOWAIT | IPCBOX_MORE, deadline)))
		return -EINVAL;
	if (unlikely(!ipcbox_channel_is_producer(channel) ||
		     length > ipcbox_ring_longest(&channel->ring) ||
		     ipcbox_ring_reserve(&channel->ring, (uint32_t)length,
					 &place))) {
		error = reserve(channel, length, flags, deadline, &place);
		if (error)
			return error;
	}
	ipcbox_ring_commit(&channel->ring, (uint32_t)length);
	if (length)
		memcpy(place, data, length);
	if (!(flags & IPCBOX_MORE))
		ipcbox_channel_publish_inline(channel);
	return 0;
}

void ipcbox_channel_publish(struct ipcbox_channel *channel)
{
	if (!ipcbox_ring_published(&channel->ring))
		ipcbox_channel_publish_inline(channel);
}

__attribute__((noinline))
static int peek(struct ipcbox_channel *end, const void **message,
		uint32_t *length, unsigned int flags, uint64_t deadline)
{
	int error;

	if (unlikely(ipcbox_channel_is_producer(end)))
		return -EACCES;
	while (unlikely(error = ipcbox_ring_peek(&end->ring, message,
						 length))) {
		if (error != -EAGAIN)
			return error;
		error = ipcbox_channel_wait(end, IPCBOX_RING_HEADER, flags,
					    deadline);
		if (error)
			return error;
	}
	return 0;
}

ssize_t ipcbox_channel_peek(struct ipcbox_channel *channel,
			    const void **message, unsigned int flags,
			    uint64_t deadline)
{
	uint32_t length;
	int error;

	if (is_bad(flags, IPCBOX_NOWAIT, deadline))
		return -EINVAL;
	error = peek(channel, message, &length, flags, deadline);
	return error ? error : (ssize_t)length;
}

int ipcbox_channel_release(struct ipcbox_channel *channel, unsigned int flags)
{
	int error;

	if (flags & ~(unsigned int)IPCBOX_MORE ||
	    ipcbox_channel_is_producer(channel))
		return -EINVAL;
	error = ipcbox_ring_release(&channel->ring);
	if (!error && !(flags & IPCBOX_MORE))
		ipcbox_channel_publish_inline(channel);
	return error;
}

/* Likewise, what is released is there until that is published. */
ssize_t ipcbox_channel_receive(struct ipcbox_channel *channel, void *buffer,
			       size_t capacity, unsigned int flags,
			       uint64_t deadline)
{
	const void *message;
	uint32_t length;
	int error;

	if (unlikely(is_bad(flags, IPCBOX_NOWAIT | IPCBOX_MORE, deadline)))
		return -EINVAL;
	if (unlikely(ipcbox_channel_is_producer(channel) ||
		     ipcbox_ring_peek(&channel->ring, &message, &length))) {
		error = peek(channel, &message, &length, flags, deadline);
		if (error)
			return error;
	}
	if (unlikely(length > capacity))
		return -EMSGSIZE;
	ipcbox_ring_release(&channel->ring);
	if (length)
		memcpy(buffer, message, length);
	if (!(flags & IPCBOX_MORE))
		ipcbox_channel_publish_inline(channel);
	return (ssize_t)length;
}
