/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* libipcbox: receive pools. Programs include <ipcbox.h>. */
#ifndef IPCBOX_POOL_H
#define IPCBOX_POOL_H

#include <stdint.h>

#include <linux/ipcbox.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct ipcbox_handle;

/*
 * Receive pools
 *
 * A mailbox that was created with mapped_bytes has a receive pool: the kernel
 * copies a message once, from its sender's memory into a ring that the receiver
 * maps, and the receiver reads it there. While messages wait, to receive makes
 * no system call. Senders send as to any mailbox, and know nothing of it.
 *
 *	struct ipcbox_create_options options = {
 *		.kind = IPCBOX_MAILBOX, .name = "frames", .mapped_bytes = 1 << 20,
 *		.rights = IPCBOX_RIGHT_RECEIVE,
 *	};
 *	const struct ipcbox_pool_record *message = NULL;
 *
 *	ipcbox_create(box, &options, &mailbox);
 *	ipcbox_pool_map(mailbox, &pool);
 *	while (!ipcbox_pool_next(pool, &message, 0, 0))
 *		use(ipcbox_pool_payload(message), message->length);
 *
 * A message stays in the ring, and its sender is charged for it, until it is
 * released. Messages may be released in any order, but room is made in the
 * order in which they came: one that is kept keeps all after it. Nobody can
 * write the ring but the kernel, so what was checked in a message stays so.
 *
 * The mailbox is first-in first-out: no priorities, lifetimes, selection, tokens
 * or calls. Without a mapping, ipcbox_receive() and read(2) work as on any
 * mailbox, by a copy; with one they are -EBUSY.
 *
 * Threads. One thread at a time may receive from a pool; messages may be
 * released by any thread, and by several at once. A pool that was mapped before
 * fork(2) is for one of the two processes to use.
 */

/* A mapped receive pool. */
struct ipcbox_pool;

/**
 * ipcbox_pool_map - map a mailbox's receive pool
 * @mailbox: the mailbox's handle with IPCBOX_RIGHT_RECEIVE, which must stay
 *	until the pool is unmapped
 * @pool: where to put the pool; ipcbox_pool_unmap() ends it
 *
 * Messages that are in the mailbox, and were not released by a receiver before,
 * come first. Their pid, uid and gid, and those of messages that come later, are
 * as this process's namespaces have them. Does not block but for memory. Returns
 * 0, or
 *
 *	-EOPNOTSUPP	the object has no receive pool
 *	-EACCES	the handle has no IPCBOX_RIGHT_RECEIVE
 *	-EBUSY	another thread is receiving by the handle
 *	-ENOMEM	also: the address space has no room for two times the ring
 */
int ipcbox_pool_map(struct ipcbox_handle *mailbox, struct ipcbox_pool **pool);

/**
 * ipcbox_pool_unmap - end a mapping
 * @pool: the pool, or NULL
 *
 * What was not released, or was released after a message that was not, is for
 * the next receiver, who gets it as if nobody had read it. No message of the
 * pool may be used any more.
 */
void ipcbox_pool_unmap(struct ipcbox_pool *pool);

/**
 * ipcbox_pool_receive - receive the next message, where it is
 * @pool: the pool
 * @message: where to put the message, which stays until it is released
 * @flags: IPCBOX_NOWAIT, IPCBOX_REALTIME, IPCBOX_NORESTART, or 0
 * @deadline: when to give up waiting; see <ipcbox.h>. O_NONBLOCK of the
 *	descriptor is honoured
 *
 * Makes a system call only when no message is there. To wait for other things
 * as well, poll the mailbox's descriptor for POLLIN, and receive with
 * IPCBOX_NOWAIT until it is -EAGAIN. Returns 0, or
 *
 *	-EINVAL	a flag is not one of these, or the deadline is out of range
 *	-EAGAIN	no message is there, and the call may not wait
 *	-ETIMEDOUT	no message came up to the deadline
 *	-EINTR	a signal came first
 *	-EPIPE	no message is there and no sender will come: the mailbox is
 *		unlinked and has no send handle
 */
int ipcbox_pool_receive(struct ipcbox_pool *pool,
			const struct ipcbox_pool_record **message,
			unsigned int flags, uint64_t deadline);

/**
 * ipcbox_pool_release - be done with a message
 * @pool: the pool
 * @message: from ipcbox_pool_receive() or ipcbox_pool_next(), not released yet
 *
 * Makes a system call only when senders wait for the room that this makes.
 * Does not block. Returns 0, or
 *
 *	-EINVAL	this is no message of the pool that was received and not
 *		released. Not every mistake is found
 */
int ipcbox_pool_release(struct ipcbox_pool *pool,
			const struct ipcbox_pool_record *message);

/**
 * ipcbox_pool_next - be done with a message, and receive the next one
 * @pool: the pool
 * @message: the message to release, or NULL; then the one received, or NULL when
 *	there is none
 * @flags: as for ipcbox_pool_receive()
 * @deadline: likewise
 *
 * As ipcbox_pool_release() and then ipcbox_pool_receive(), for who looks at one
 * message after the other, and costs less than the two. The message is released
 * before the next one is waited for. Returns 0, or as ipcbox_pool_receive(), or
 *
 *	-EINVAL	also: what is to be released is no message of the pool that was
 *		received and not released. Then, and when it is for a flag,
 *		@message is as it was
 */
int ipcbox_pool_next(struct ipcbox_pool *pool,
		     const struct ipcbox_pool_record **message,
		     unsigned int flags, uint64_t deadline);

/**
 * ipcbox_pool_payload - the payload of a message in a pool
 * @message: from ipcbox_pool_receive() or ipcbox_pool_next()
 *
 * Returns a pointer to message->length bytes, aligned to IPCBOX_POOL_ALIGN.
 */
static inline const void *
ipcbox_pool_payload(const struct ipcbox_pool_record *message)
{
	return message + 1;
}

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* IPCBOX_POOL_H */
