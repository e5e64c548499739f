/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* libipcbox: sending and receiving. Programs include <ipcbox.h>. */
#ifndef IPCBOX_MESSAGE_H
#define IPCBOX_MESSAGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/ipcbox.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)
#pragma GCC diagnostic push
/* A function may share its name with a structure: C++ warns of this. */
#pragma GCC diagnostic ignored "-Wshadow"

struct ipcbox_handle;

/*
 * Messages
 */

/**
 * ipcbox_address - a pointer, as the structures of messages carry it
 * @pointer: the pointer
 *
 *	struct ipcbox_outgoing message = {
 *		.data = ipcbox_address(text), .length = 5,
 *	};
 */
static inline uint64_t ipcbox_address(const void *pointer)
{
#ifdef __cplusplus
	return reinterpret_cast<uintptr_t>(pointer);
#else
	return (uintptr_t)pointer;
#endif
}

/**
 * struct ipcbox_send_options - how to send; a zero field is a default
 * @priority: 0, the lowest, to IPCBOX_PRIORITY_MAX
 * @flags: IPCBOX_NOWAIT: do not wait for room; IPCBOX_SYNC: ipcbox_send()
 *	returns when the message is taken
 * @tag: any value, for the receiver
 * @deadline: when to give up waiting; 0 for IPCBOX_FOREVER
 * @lifetime: nanoseconds from acceptance after which nobody receives the
 *	message any more, at most 2^63 - 1; 0 for ever. It does not end while
 *	the message is held
 */
struct ipcbox_send_options {
	unsigned int priority;
	unsigned int flags;
	uint64_t tag;
	uint64_t deadline;
	uint64_t lifetime;
};

/**
 * ipcbox_send - send a message
 * @handle: a handle with IPCBOX_RIGHT_SEND
 * @data: the payload; may be NULL when @length is 0
 * @length: its bytes, 0 to the object's max_message_bytes
 * @options: how, or NULL: priority 0, tag 0, waiting without end
 *
 * Waits while the object has no room, unless IPCBOX_NOWAIT or O_NONBLOCK says
 * not to. When it returns 0 the message is in the object, until it is received,
 * its lifetime or its deliveries are used up, or the object ends; when it fails
 * nothing was sent, a passed deadline and a signal included.
 *
 * With IPCBOX_SYNC it waits, once there was room, until the message is taken.
 * What the sender sees when the other side
 *
 *	receives it	0
 *	holds it	nothing yet; and when that receiver then
 *	  acknowledges		0
 *	  returns it (NACK)	nothing: it is for the next receiver;
 *				-EOWNERDEAD when its deliveries are used up
 *	  is killed, or closes	the same as when it is returned
 *	is late		-ETIMEDOUT: the message is withdrawn
 *	never comes	-EPIPE at once when no receiver can come any more,
 *			-ETIMEDOUT at the deadline or the end of the lifetime
 *
 * There is no third outcome: after 0 the message was received, after an error
 * no one can receive it any more, and who holds it is told -EPIPE on settling
 * it. So too when a signal ends the wait (-EINTR) or the sender is killed.
 *
 * Returns 0, or
 *
 *	-EACCES	the handle has no IPCBOX_RIGHT_SEND
 *	-EINVAL	the priority, deadline or lifetime is out of range, or a flag
 *		unknown
 *	-EMSGSIZE	@length is more than the object's max_message_bytes
 *	-EAGAIN	there is no room, and the call may not wait
 *	-ETIMEDOUT	there was no room up to the deadline; with IPCBOX_SYNC
 *		also: nobody took the message up to it, or within its lifetime
 *	-EINTR	a signal came first
 *	-EDQUOT	the user's budget of bytes in flight is used up, until messages
 *		that the user sent are received
 *	-EPIPE	no receiver will come: there is no receive handle, and the
 *		object is unlinked, or it had one and is not persistent
 *	-EOWNERDEAD	with IPCBOX_SYNC: the message was held max_deliveries
 *		times in vain
 */
int ipcbox_send(struct ipcbox_handle *handle, const void *data, size_t length,
		const struct ipcbox_send_options *options);

/**
 * ipcbox_send_batch - send messages in one system call
 * @handle: a handle with IPCBOX_RIGHT_SEND
 * @messages: array of messages, sent in their order; only read
 * @count: messages in the array, 1 to batch_messages of struct ipcbox_info;
 *	with IPCBOX_SYNC 1
 * @flags: IPCBOX_NOWAIT, IPCBOX_SYNC
 * @deadline: when to give up waiting for room for the next message; 0 or
 *	IPCBOX_FOREVER waits without end
 *
 * Returns the number of messages accepted, the first ones of the array, at
 * least 1. Fewer than @count means that the next one met an error, which a call
 * with the remaining messages reports; messages not accepted had no effect.
 * When none was accepted it returns an error as ipcbox_send() does, and -EINVAL
 * also when @count is out of range.
 */
int ipcbox_send_batch(struct ipcbox_handle *handle,
		      const struct ipcbox_outgoing *messages,
		      unsigned int count, unsigned int flags,
		      uint64_t deadline);

/**
 * ipcbox_receive - receive a message
 * @handle: a handle with IPCBOX_RIGHT_RECEIVE
 * @buffer: where to put the payload; may be NULL when @capacity is 0
 * @capacity: bytes in @buffer
 * @header: where to put what struct ipcbox_incoming tells of the message:
 *	priority, tag, sequence, sender, token, where it died if it is a dead
 *	letter; or NULL. Its inputs need not be set
 * @flags: IPCBOX_NOWAIT, IPCBOX_HOLD
 * @deadline: when to give up waiting; 0 or IPCBOX_FOREVER waits without end
 *
 * Takes the oldest message of the highest priority. Waits while nothing is
 * there, unless IPCBOX_NOWAIT or O_NONBLOCK says not to. A call that fails
 * leaves the message in its place.
 *
 * With IPCBOX_HOLD the message is in the receiver's hands, and not yet
 * received: @header->token names it until ipcbox_ack(), ipcbox_nack() or
 * ipcbox_answer() settles it by this handle. It stays charged to its sender,
 * and returns to its place when the handle is closed for the last time, be it
 * by the death of its processes; @header->deliveries counts these returns.
 *
 * A message of ipcbox_call() has IPCBOX_INCOMING_CALL in @header->flags and a
 * token in any case: its sender waits for ipcbox_reply(). Without a @header
 * the token is lost, and the caller kept waiting: where calls may come, give
 * one.
 *
 * Returns the bytes of the payload, 0 or more and always the whole message, or
 *
 *	-EACCES	the handle has no IPCBOX_RIGHT_RECEIVE
 *	-EINVAL	the deadline is out of range, a flag unknown, or IPCBOX_HOLD
 *		given without a @header
 *	-EMSGSIZE	the message is longer than @capacity: @header->length
 *		has its length, so that the call can be repeated with a buffer
 *		that is large enough. Another receiver of a queue may have
 *		taken it by then
 *	-EAGAIN	nothing is there, and the call may not wait
 *	-ETIMEDOUT	nothing came up to the deadline
 *	-EINTR	a signal came first
 *	-EPIPE	nothing is there and no sender will come: the object is
 *		unlinked and has no send handle
 *
 * What is in @header after a failure is not defined, but for the length with
 * -EMSGSIZE.
 */
ssize_t ipcbox_receive(struct ipcbox_handle *handle, void *buffer,
		       size_t capacity, struct ipcbox_incoming *header,
		       unsigned int flags, uint64_t deadline);

/**
 * ipcbox_receive_batch - receive messages in one system call
 * @handle: a handle with IPCBOX_RIGHT_RECEIVE
 * @messages: array of messages: data and capacity are set by the caller, the
 *	rest is filled in for the messages received
 * @count: messages in the array, 1 to batch_messages of struct ipcbox_info
 * @flags: IPCBOX_NOWAIT, IPCBOX_HOLD
 * @deadline: when to give up waiting for the first message; 0 or
 *	IPCBOX_FOREVER waits without end
 *
 * Waits for the first message only, and takes of the others what is there.
 * Returns the number of messages received, at least 1. When none was received
 * it returns an error as ipcbox_receive() does, with -EMSGSIZE the length in
 * the first structure, and -EINVAL also when @count is out of range.
 */
int ipcbox_receive_batch(struct ipcbox_handle *handle,
			 struct ipcbox_incoming *messages, unsigned int count,
			 unsigned int flags, uint64_t deadline);

#pragma GCC diagnostic pop
#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* IPCBOX_MESSAGE_H */
