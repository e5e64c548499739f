/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Channels: sending and receiving, in memory as long as nobody waits. */
#include <string.h>

#include "channel.h"
#include "copy.h"

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
	if (unlikely(length > ipcbox_ring_longest(&end->sending)))
		return -EMSGSIZE;
	while (unlikely(error = ipcbox_ring_reserve(&end->sending, bytes,
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
	error = ipcbox_ring_commit(&channel->sending, (uint32_t)length);
	if (!error && !(flags & IPCBOX_MORE))
		ipcbox_channel_publish_inline(channel);
	return error;
}

void ipcbox_channel_abort(struct ipcbox_channel *channel)
{
	channel->sending.held = 0;
}

/*
 * What is committed is the producer's until it is published, so the payload may
 * be put in its place afterwards: the ring need not be looked at again.
 *
 * The ordinary case calls nothing that returns to it, and so saves no registers:
 * all else is a function of its own, which is jumped to.
 */

static __attribute__((noinline, cold)) int
wake_after_send(struct ipcbox_channel *end, uint32_t attention)
{
	if (ipcbox_ring_must_wake(&end->sending, attention))
		ipcbox_channel_wake_other(end);
	return 0;
}

static inline int sent(struct ipcbox_channel *end, unsigned int flags,
		       const struct ipcbox_channel_page *other,
		       uint32_t position)
{
	uint32_t attention;

	if (flags & IPCBOX_MORE)
		return 0;
	attention = ipcbox_ring_announce(&end->sending, other, position);
	return unlikely(attention) ? wake_after_send(end, attention) : 0;
}

static __attribute__((noinline)) int
send_long(struct ipcbox_channel *end, void *place, const void *data,
	  size_t length, unsigned int flags)
{
	memcpy(place, data, length);
	return sent(end, flags, end->sending.other, end->sending.position);
}

static __attribute__((noinline)) int
send_slowly(struct ipcbox_channel *end, const void *data, size_t length,
	    unsigned int flags, uint64_t deadline)
{
	void *place;
	int error = reserve(end, length, flags, deadline, &place);

	if (error)
		return error;
	ipcbox_ring_commit(&end->sending, (uint32_t)length);
	if (length)
		memcpy(place, data, length);
	return sent(end, flags, end->sending.other, end->sending.position);
}

static inline __attribute__((always_inline)) int
send(struct ipcbox_channel *end, const void *data, size_t length,
     unsigned int flags, uint64_t deadline)
{
	/* In registers: a copy may write anywhere, as far as the compiler knows. */
	const struct ipcbox_channel_page *other = end->sending.other;
	uint32_t position;
	void *place;

	if (unlikely(!ipcbox_ring_append(&end->sending, length, &place)))
		return send_slowly(end, data, length, flags, deadline);
	position = end->sending.position;
	if (!ipcbox_copy_short(place, data, length))
		return send_long(end, place, data, length, flags);
	return sent(end, flags, other, position);
}

static __attribute__((noinline)) int
send_unlike_most(struct ipcbox_channel *end, const void *data, size_t length,
		unsigned int flags, uint64_t deadline)
{
	if (is_bad(flags, IPCBOX_NOWAIT | IPCBOX_MORE, deadline))
		return -EINVAL;
	return send(end, data, length, flags, deadline);
}

int ipcbox_channel_send(struct ipcbox_channel *channel, const void *data,
			size_t length, unsigned int flags, uint64_t deadline)
{
	if (unlikely(is_bad(flags, 0, deadline)))
		return send_unlike_most(channel, data, length, flags, deadline);
	return send(channel, data, length, 0, deadline);
}

void ipcbox_channel_publish(struct ipcbox_channel *channel)
{
	if (!ipcbox_ring_published(channel->ring))
		ipcbox_channel_publish_inline(channel);
}

__attribute__((noinline))
static int peek(struct ipcbox_channel *end, const void **message,
		uint32_t *length, unsigned int flags, uint64_t deadline)
{
	int error;

	if (unlikely(ipcbox_channel_is_producer(end)))
		return -EACCES;
	while (unlikely(error = ipcbox_ring_peek(&end->receiving, message,
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

	if (flags & ~(unsigned int)IPCBOX_MORE)
		return -EINVAL;
	error = ipcbox_ring_release(&channel->receiving);
	if (!error && !(flags & IPCBOX_MORE))
		ipcbox_channel_publish_inline(channel);
	return error;
}

/* Likewise, what is released is there until that is published. */

static __attribute__((noinline, cold)) ssize_t
wake_after_receive(struct ipcbox_channel *end, uint32_t attention,
		   ssize_t length)
{
	if (ipcbox_ring_must_wake(&end->receiving, attention))
		ipcbox_channel_wake_other(end);
	return length;
}

static inline ssize_t received(struct ipcbox_channel *end, size_t length,
			       unsigned int flags, uint32_t position)
{
	const struct ipcbox_channel_page *other = end->receiving.other;
	uint32_t attention;

	if (flags & IPCBOX_MORE)
		return (ssize_t)length;
	attention = ipcbox_ring_announce(&end->receiving, other, position);
	if (unlikely(attention))
		return wake_after_receive(end, attention, (ssize_t)length);
	return (ssize_t)length;
}

static __attribute__((noinline)) ssize_t
receive_long(struct ipcbox_channel *end, void *buffer, const void *message,
	     size_t length, unsigned int flags)
{
	memcpy(buffer, message, length);
	return received(end, length, flags, end->receiving.position);
}

static __attribute__((noinline)) ssize_t
receive_slowly(struct ipcbox_channel *end, void *buffer, size_t capacity,
	       unsigned int flags, uint64_t deadline)
{
	const void *message;
	uint32_t length;
	int error = peek(end, &message, &length, flags, deadline);

	if (error)
		return error;
	if (length > capacity)
		return -EMSGSIZE;
	ipcbox_ring_release(&end->receiving);
	if (length)
		memcpy(buffer, message, length);
	return received(end, length, flags, end->receiving.position);
}

static inline __attribute__((always_inline)) ssize_t
receive(struct ipcbox_channel *end, void *buffer, size_t capacity,
	unsigned int flags, uint64_t deadline)
{
	const void *message;
	unsigned long length;
	uint32_t position;

	if (unlikely(!ipcbox_ring_take(&end->receiving, capacity, &message,
				       &length)))
		return receive_slowly(end, buffer, capacity, flags, deadline);
	position = end->receiving.position;
	if (!ipcbox_copy_short(buffer, message, length))
		return receive_long(end, buffer, message, length, flags);
	return received(end, length, flags, position);
}

static __attribute__((noinline)) ssize_t
receive_unlike_most(struct ipcbox_channel *end, void *buffer, size_t capacity,
		   unsigned int flags, uint64_t deadline)
{
	if (is_bad(flags, IPCBOX_NOWAIT | IPCBOX_MORE, deadline))
		return -EINVAL;
	return receive(end, buffer, capacity, flags, deadline);
}

ssize_t ipcbox_channel_receive(struct ipcbox_channel *channel, void *buffer,
			       size_t capacity, unsigned int flags,
			       uint64_t deadline)
{
	if (unlikely(is_bad(flags, 0, deadline)))
		return receive_unlike_most(channel, buffer, capacity, flags,
					  deadline);
	return receive(channel, buffer, capacity, 0, deadline);
}
