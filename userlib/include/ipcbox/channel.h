/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* libipcbox: channels. Programs include <ipcbox.h>. */
#ifndef IPCBOX_CHANNEL_H
#define IPCBOX_CHANNEL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/ipcbox.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct ipcbox;
struct ipcbox_handle;

/*
 * Channels
 *
 * A channel passes messages from one producer to one consumer through memory
 * that both map, without a system call as long as neither has to wait. The
 * kernel decides who can write what, so that neither end can damage what the
 * other keeps there; it puts to sleep and wakes, and notices when an end dies.
 *
 * A struct ipcbox_channel is one end. Unlike a handle it belongs to one thread
 * at a time; the two ends are independent of each other. It stays usable over
 * fork(2) in one of the two processes, if everything was published before: an
 * end is gone when each of them has closed it, or ended. An end can be handed over as the descriptor of its handle
 * (over a UNIX socket, or in a message), mapped there, and closed here.
 *
 * Neither end trusts the other: whatever it finds in memory is checked each time
 * before it is used. What breaks the rules is -EIO, and then for good.
 *
 * Waiting spins for a while before it sleeps, as far as that has proved to be
 * worth it lately, and never where there is one CPU only; see
 * ipcbox_channel_set_spin().
 */

/** struct ipcbox_channel - one end of a channel, mapped */
struct ipcbox_channel;

/* A flag of functions that publish: not yet, more is to come. */
#define IPCBOX_MORE		0x10000

/* How long, in nanoseconds, an end spins at most, unless asked otherwise. */
#define IPCBOX_CHANNEL_SPIN	20000

/**
 * ipcbox_channel_create - make a channel, or open it where it exists
 * @box: the box
 * @name: its name, or NULL for none
 * @mode: permissions, 0 to 0666; r is needed to consume, w to produce
 * @bytes: size of its ring, a power of two, from a page to 1 GiB; 0 for 256 KiB.
 *	The longest message is eight bytes shorter. An existing channel keeps
 *	its size
 * @right: IPCBOX_RIGHT_SEND for the producer's end, IPCBOX_RIGHT_RECEIVE for the
 *	consumer's
 * @channel: where to put the end; ipcbox_channel_close() ends it
 *
 * The channel lives until both ends are closed. Does not block. Returns as
 * ipcbox_create(), -EBUSY when the channel has that end, and -EIO when the ends
 * before left it in a state that cannot be.
 */
int ipcbox_channel_create(struct ipcbox *box, const char *name,
			  unsigned int mode, size_t bytes, unsigned int right,
			  struct ipcbox_channel **channel);

/**
 * ipcbox_channel_open - open an end of an existing channel
 * @box: the box
 * @name: its name
 * @right: as with ipcbox_channel_create()
 * @channel: where to put the end
 *
 * Goes on where an end before stopped. Does not block. Returns as
 * ipcbox_open_name(), -EBUSY when the channel has that end, -EINVAL when the
 * object is no channel, and -EIO as ipcbox_channel_create().
 */
int ipcbox_channel_open(struct ipcbox *box, const char *name,
			unsigned int right, struct ipcbox_channel **channel);

/**
 * ipcbox_channel_map - make an end of a handle
 * @handle: a handle on a channel, with IPCBOX_RIGHT_SEND or
 *	IPCBOX_RIGHT_RECEIVE, which belongs to the end from then on
 * @channel: where to put the end
 *
 * For handles that were made with flags of their own, or received. When the
 * handle has O_NONBLOCK now, the end never waits. Does not block. Returns 0, or a
 * failure that leaves the handle with the caller:
 *
 *	-EINVAL	it is not on a channel
 *	-EACCES	it may only manage
 *	-EIO	the ends before left the channel in a state that cannot be
 */
int ipcbox_channel_map(struct ipcbox_handle *handle,
		       struct ipcbox_channel **channel);

/**
 * ipcbox_channel_close - close an end
 * @channel: the end, or NULL, which does nothing
 *
 * Publishes what was sent with IPCBOX_MORE. The other end can receive what was
 * published, and is told then. Leaves errno alone.
 */
void ipcbox_channel_close(struct ipcbox_channel *channel);

/**
 * ipcbox_channel_handle - the handle of an end
 * @channel: the end, which goes on owning the handle
 *
 * For ipcbox_stat(), and to pass the end on. Never fails.
 */
struct ipcbox_handle *ipcbox_channel_handle(
		const struct ipcbox_channel *channel);

/**
 * ipcbox_channel_poll_fd - the descriptor of an end, to be polled
 * @channel: the end, which goes on owning the descriptor
 *
 * For poll(2) and epoll(7): EPOLLIN tells the consumer that a message is there,
 * EPOLLOUT the producer that half the ring is free, EPOLLHUP either that the
 * other end is gone. Edges (EPOLLET) come after a call with IPCBOX_NOWAIT has
 * returned -EAGAIN. What was sent or released with IPCBOX_MORE must be published
 * before polling. From now on the other end pays for a fence with each message,
 * as long as this end exists. Never fails.
 */
int ipcbox_channel_poll_fd(struct ipcbox_channel *channel);

/**
 * ipcbox_channel_set_spin - how long to spin before sleeping
 * @channel: the end
 * @nanoseconds: at most so long; 0 never. It is IPCBOX_CHANNEL_SPIN otherwise
 *
 * An end learns how long it has to wait as a rule, and spins twice that long; not
 * at all when that is more than the cap; but now and then up to the cap, to see
 * whether it has become worth it. It never spins where there is one CPU only, or
 * the process may use one only. Never fails.
 */
void ipcbox_channel_set_spin(struct ipcbox_channel *channel,
			     uint64_t nanoseconds);

/**
 * ipcbox_channel_longest - the longest message that a channel takes
 * @channel: an end
 *
 * Returns bytes. Never fails.
 */
size_t ipcbox_channel_longest(const struct ipcbox_channel *channel);

/**
 * ipcbox_channel_send - send a message, copying it
 * @channel: the producer's end
 * @data: the message; may be NULL when @length is 0
 * @length: its bytes, 0 to ipcbox_channel_longest()
 * @flags: IPCBOX_NOWAIT: never wait; IPCBOX_MORE: do not publish it yet. What
 *	was not published is, in order, with the next message without the flag,
 *	by ipcbox_channel_publish(), and before the end waits
 * @deadline: when to give up waiting for room; 0 or IPCBOX_FOREVER for never
 *
 * A failure has no effect. Returns 0, or
 *
 *	-EACCES	this is the consumer's end
 *	-EINVAL	a flag is unknown, or the deadline out of range
 *	-EMSGSIZE	the message is too long for the channel
 *	-EAGAIN	there is no room, and the call may not wait
 *	-ETIMEDOUT	there was no room up to the deadline
 *	-EINTR	a signal came first
 *	-EPIPE	the consumer is gone
 *	-EIO	the consumer broke the rules
 */
int ipcbox_channel_send(struct ipcbox_channel *channel, const void *data,
			size_t length, unsigned int flags, uint64_t deadline);

/**
 * ipcbox_channel_reserve - a place to build a message in
 * @channel: the producer's end
 * @length: bytes that the message may have
 * @flags: IPCBOX_NOWAIT
 * @deadline: as with ipcbox_channel_send()
 * @place: where to put the place, aligned to eight bytes, which is the caller's
 *	until ipcbox_channel_commit() or ipcbox_channel_abort()
 *
 * Reserving again takes the place of what was reserved. Returns as
 * ipcbox_channel_send().
 */
int ipcbox_channel_reserve(struct ipcbox_channel *channel, size_t length,
			   unsigned int flags, uint64_t deadline,
			   void **place);

/**
 * ipcbox_channel_commit - send the message that was built
 * @channel: the producer's end
 * @length: its bytes, not more than were reserved
 * @flags: IPCBOX_MORE, as with ipcbox_channel_send()
 *
 * Does not block. Returns 0, or -EINVAL: a flag is unknown, or nothing, or less,
 * was reserved.
 */
int ipcbox_channel_commit(struct ipcbox_channel *channel, size_t length,
			  unsigned int flags);

/**
 * ipcbox_channel_abort - do not send what was reserved
 * @channel: the producer's end
 *
 * Never fails.
 */
void ipcbox_channel_abort(struct ipcbox_channel *channel);

/**
 * ipcbox_channel_publish - publish what was sent, or released, with IPCBOX_MORE
 * @channel: either end
 *
 * Does not block and never fails.
 */
void ipcbox_channel_publish(struct ipcbox_channel *channel);

/**
 * ipcbox_channel_receive - receive a message, copying it
 * @channel: the consumer's end
 * @buffer: where to put it; may be NULL when @capacity is 0
 * @capacity: bytes in @buffer
 * @flags: IPCBOX_NOWAIT: never wait; IPCBOX_MORE: do not give its room back yet,
 *	which may let the producer work in larger steps
 * @deadline: when to give up waiting; 0 or IPCBOX_FOREVER for never
 *
 * A failure leaves the message where it is. Returns its bytes, 0 or more, or
 *
 *	-EACCES	this is the producer's end
 *	-EINVAL	a flag is unknown, or the deadline out of range
 *	-EMSGSIZE	it is longer than @capacity; ipcbox_channel_peek() tells
 *	-EAGAIN	there is none, and the call may not wait
 *	-ETIMEDOUT	none came up to the deadline
 *	-EINTR	a signal came first
 *	-EPIPE	there is none and the producer is gone
 *	-EIO	the producer broke the rules
 */
ssize_t ipcbox_channel_receive(struct ipcbox_channel *channel, void *buffer,
			       size_t capacity, unsigned int flags,
			       uint64_t deadline);

/**
 * ipcbox_channel_peek - the next message, in its place
 * @channel: the consumer's end
 * @message: where to put its place, aligned to eight bytes, which can be read
 *	until ipcbox_channel_release()
 * @flags: IPCBOX_NOWAIT
 * @deadline: as with ipcbox_channel_receive()
 *
 * The same message until it is released. A hostile producer can change it while
 * it is read: who checks something there must copy it first, or use
 * ipcbox_channel_receive(). Returns its bytes, or as ipcbox_channel_receive()
 * without -EMSGSIZE.
 */
ssize_t ipcbox_channel_peek(struct ipcbox_channel *channel,
			    const void **message, unsigned int flags,
			    uint64_t deadline);

/**
 * ipcbox_channel_release - the message that was looked at is done with
 * @channel: the consumer's end
 * @flags: IPCBOX_MORE, as with ipcbox_channel_receive()
 *
 * Does not block. Returns 0, or -EINVAL: a flag is unknown, or no message was
 * looked at.
 */
int ipcbox_channel_release(struct ipcbox_channel *channel,
			   unsigned int flags);

/**
 * struct ipcbox_duplex - one end of a pair of channels
 * @send: what is sent here is received at the other end
 * @receive: what was sent there is received here
 */
struct ipcbox_duplex {
	struct ipcbox_channel *send;
	struct ipcbox_channel *receive;
};

/**
 * ipcbox_pair - two channels, one each way
 * @box: the box
 * @bytes: size of each ring, as with ipcbox_channel_create()
 * @ends: the two ends; each is for one process
 *
 * The channels have no names and nobody else can open them. Before fork(2), or
 * with the descriptors of the handles handed over; each process closes the end
 * that is not its own. Does not block. Returns as ipcbox_channel_create().
 */
int ipcbox_pair(struct ipcbox *box, size_t bytes,
		struct ipcbox_duplex ends[2]);

/**
 * ipcbox_duplex_close - close both channels of an end
 * @end: the end; channels that are NULL are left out
 */
void ipcbox_duplex_close(struct ipcbox_duplex *end);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* IPCBOX_CHANNEL_H */
