/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* libipcbox: calls and held messages. Programs include <ipcbox.h>. */
#ifndef IPCBOX_EXCHANGE_H
#define IPCBOX_EXCHANGE_H

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
struct ipcbox_send_options;

/*
 * Calls and held messages
 *
 * What a caller sees when the server
 *
 *	replies		the reply
 *	refuses (NACK)	nothing: the request is for the next receiver, or the
 *			same; -EOWNERDEAD when its deliveries are used up
 *	is late		-ETIMEDOUT at the deadline
 *	is killed, or closes its handle, with the request in its hands
 *			-EOWNERDEAD at once
 *	the same, with the request still in the object
 *			-EPIPE at once when no receiver can come any more, else
 *			the request waits for the next one
 *	never comes	-EPIPE at once when no receiver can come any more,
 *			-ETIMEDOUT at the deadline, or at the end of the
 *			lifetime that was given to the request
 *	reads the request with read(2), which cannot reply
 *			-EOPNOTSUPP at once
 *
 * What a receiver sees that settles a token when the sender of the message
 *
 *	did not wait for it, or still waits	0
 *	gave up, by its deadline or a signal, was killed, or was told otherwise
 *			-EPIPE: what was asked is wanted no more
 *
 * Settling a token a second time, or by another handle than the one that
 * received the message, is -ENOENT and has no effect.
 */

/**
 * ipcbox_call - send a request and wait for its reply
 * @handle: a handle with IPCBOX_RIGHT_SEND
 * @request: the payload; may be NULL when @length is 0
 * @length: its bytes, 0 to the object's max_message_bytes
 * @reply: where to put the reply's payload; may be NULL when @capacity is 0
 * @capacity: bytes in @reply; the server's reply fails when it is longer
 * @options: how to send, or NULL: without IPCBOX_SYNC. The deadline is for all
 *	of it, the lifetime for the time until a server receives the request
 * @header: where to put who replied, and the reply's tag, or NULL; its inputs
 *	need not be set
 *
 * One system call. The reply comes from the handle that received the request,
 * and once. Request and @capacity are charged to the caller's budget, so that
 * the reply cannot fail for want of it. When the call fails the request is
 * withdrawn: no one receives it any more, and a reply to it fails with -EPIPE.
 * But whether a server that had received it acted on it is not known. Not
 * restarted after a signal, whatever SA_RESTART says.
 *
 * Returns the bytes of the reply, 0 or more, or
 *
 *	-EACCES	the handle has no IPCBOX_RIGHT_SEND
 *	-EINVAL	the priority, deadline or lifetime is out of range, or a flag is
 *		another than IPCBOX_NOWAIT
 *	-EMSGSIZE, -EBADF	as with ipcbox_send()
 *	-EAGAIN	there is no room, and the call may not wait for it
 *	-ETIMEDOUT	no reply came up to the deadline, or nobody received the
 *		request within its lifetime
 *	-EINTR	a signal came first
 *	-EDQUOT	the user's budget of bytes in flight is used up
 *	-EPIPE	no receiver will come, as with ipcbox_send()
 *	-EOWNERDEAD	the server that had the request died, or closed its
 *		handle, without replying; or the request was given back
 *		max_deliveries times
 *	-EOPNOTSUPP	the request was taken by read(2), which cannot reply, or
 *		as with ipcbox_send()
 */
ssize_t ipcbox_call(struct ipcbox_handle *handle, const void *request,
		    size_t length, void *reply, size_t capacity,
		    const struct ipcbox_send_options *options,
		    struct ipcbox_incoming *header);

/**
 * ipcbox_call_descriptors - send a request, and take descriptors with the reply
 * @handle: as with ipcbox_call()
 * @request: as with ipcbox_call()
 * @length: as with ipcbox_call()
 * @reply: as with ipcbox_call()
 * @capacity: as with ipcbox_call()
 * @descriptors: where to put the numbers of the descriptors that come with the
 *	reply; they are the caller's to close, and are closed on exec
 * @descriptor_capacity: room there; the server's reply fails when it has more
 * @options: as with ipcbox_call(); the request may carry descriptors, too
 * @header: as with ipcbox_call(), but not NULL: its descriptor_count tells how
 *	many came
 *
 * Returns as ipcbox_call(), and
 *
 *	-EMFILE, -ENFILE	a descriptor cannot be installed: none is, and
 *		the reply is lost
 */
ssize_t ipcbox_call_descriptors(struct ipcbox_handle *handle,
				const void *request, size_t length, void *reply,
				size_t capacity, int *descriptors,
				unsigned int descriptor_capacity,
				const struct ipcbox_send_options *options,
				struct ipcbox_incoming *header);

/**
 * ipcbox_ack - acknowledge a held message: it is received
 * @handle: the handle that received it with IPCBOX_HOLD
 * @token: token of struct ipcbox_incoming
 *
 * Does not block. Returns 0, or
 *
 *	-EACCES	the handle has no IPCBOX_RIGHT_RECEIVE
 *	-EINVAL	the message is a call, to be settled by ipcbox_reply() or
 *		ipcbox_nack()
 *	-ENOENT	the handle holds no such token
 *	-EPIPE	the sender, who waited for this, has withdrawn the message; the
 *		token is gone
 */
int ipcbox_ack(struct ipcbox_handle *handle, uint64_t token);

/**
 * ipcbox_nack - give a held message or a call back
 * @handle: the handle that received it
 * @token: token of struct ipcbox_incoming
 *
 * It returns to its place, or to a receiver that waits, with deliveries raised.
 * When they reach the object's max_deliveries it ends: as a dead letter, or
 * with -EOWNERDEAD for the sender that waits for it. Does not block. Returns 0,
 * or -EACCES, -ENOENT or -EPIPE as ipcbox_ack() does.
 */
int ipcbox_nack(struct ipcbox_handle *handle, uint64_t token);

/**
 * ipcbox_reply - reply to a call
 * @handle: the handle that received the call
 * @token: token of struct ipcbox_incoming
 * @data: the reply's payload; may be NULL when @length is 0
 * @length: its bytes
 * @tag: any value, for the caller
 *
 * Several calls may be replied to in any order, by any thread. Does not block.
 * Returns 0, or
 *
 *	-EACCES	the handle has no IPCBOX_RIGHT_RECEIVE
 *	-EINVAL	the message is not a call
 *	-ENOENT	the handle holds no such token
 *	-EMSGSIZE	the reply is longer than the caller has room for, or
 *		than the object's max_message_bytes; the token stays
 *	-EPIPE	the caller waits no more; the token is gone
 */
int ipcbox_reply(struct ipcbox_handle *handle, uint64_t token,
		 const void *data, size_t length, uint64_t tag);

/**
 * struct ipcbox_settlement - what becomes of a message; for ipcbox_answer()
 * @token: token of struct ipcbox_incoming; 0 for none, with the rest zero
 * @action: IPCBOX_ACK, IPCBOX_NACK or IPCBOX_REPLY
 * @data: the reply's payload, for IPCBOX_REPLY; else NULL
 * @length: its bytes; else 0
 * @tag: the reply's tag; else 0
 * @descriptors: descriptors that the caller shall get, for IPCBOX_REPLY, or
 *	NULL; the server may close its own at once
 * @descriptor_count: how many, 0 to IPCBOX_DESCRIPTORS_MAX
 */
struct ipcbox_settlement {
	uint64_t token;
	unsigned int action;
	const void *data;
	size_t length;
	uint64_t tag;
	const int *descriptors;
	unsigned int descriptor_count;
};

/**
 * ipcbox_settle - settle a message in whatever way
 * @handle: the handle that received it
 * @settlement: what becomes of it
 *
 * As ipcbox_ack(), ipcbox_nack() or ipcbox_reply(), and the one way to reply
 * with descriptors without receiving the next message. Does not block. Returns
 * 0, their errors, or
 *
 *	-EINVAL	also: there are too many descriptors, or some and no reply
 *	-EMSGSIZE	also: the caller has no room for the descriptors; the
 *		token stays
 *	-EBADF, -EOPNOTSUPP	a descriptor is not open, or cannot travel, as
 *		with ipcbox_send(); the token stays
 */
int ipcbox_settle(struct ipcbox_handle *handle,
		  const struct ipcbox_settlement *settlement);

/**
 * ipcbox_answer - settle a message and receive the next: a server's loop
 * @handle: a handle with IPCBOX_RIGHT_RECEIVE
 * @settlement: what becomes of the last message, or NULL for the first time
 * @buffer: where to put the next message's payload. It may be that of the
 *	reply, which is sent before
 * @capacity: bytes in @buffer
 * @header: where to put what is told of the next message, its token and length
 *	among it; its inputs need not be set
 * @flags: IPCBOX_NOWAIT, IPCBOX_HOLD: for the next message
 * @deadline: when to give up waiting for it; 0 or IPCBOX_FOREVER waits without
 *	end
 *
 * As ipcbox_ack(), ipcbox_nack() or ipcbox_reply() and then ipcbox_receive(),
 * in one system call. A sender that waits no more does not keep the server from
 * its next message.
 *
 * Returns 1 with a message. Returns 0 when the token is settled, or its sender
 * waits no more, but no message was received, for whatever reason: the next
 * call, without a token, tells it. A negative error means that nothing was
 * received and, if there is a token, that nothing was settled:
 *
 *	-EINVAL	the action is unknown or not one for this message, its payload
 *		or tag is not for this action, or the deadline or a flag is out
 *		of range
 *	-ENOENT	the handle holds no such token
 *	-EMSGSIZE	with a token, the reply is too long, as with
 *		ipcbox_reply(); without, the message is, as with
 *		ipcbox_receive()
 *	-EBADF, -EOPNOTSUPP	as with ipcbox_settle()
 *
 * and, without a token, those of ipcbox_receive().
 */
int ipcbox_answer(struct ipcbox_handle *handle,
		  const struct ipcbox_settlement *settlement, void *buffer,
		  size_t capacity, struct ipcbox_incoming *header,
		  unsigned int flags, uint64_t deadline);

#pragma GCC diagnostic pop
#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* IPCBOX_EXCHANGE_H */
