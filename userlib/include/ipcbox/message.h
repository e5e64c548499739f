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
 * @descriptors: descriptors that the receiver shall get, or NULL. It gets its
 *	own on the same open files, so the sender may close these at once, as with
 *	SCM_RIGHTS of unix(7)
 * @descriptor_count: how many, 0 to the object's max_descriptors
 */
struct ipcbox_send_options {
	unsigned int priority;
	unsigned int flags;
	uint64_t tag;
	uint64_t deadline;
	uint64_t lifetime;
	const int *descriptors;
	unsigned int descriptor_count;
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
 *	-EINVAL	the priority, deadline, lifetime or number of descriptors is out
 *		of range, or a flag unknown
 *	-EMSGSIZE	@length is more than the object's max_message_bytes, or
 *		there are more descriptors than its max_descriptors
 *	-EOPNOTSUPP	the object takes no descriptors, or one is of a file
 *		that cannot travel: a UNIX socket, io_uring, /dev/ipcbox, or a
 *		handle on a mailbox or queue
 *	-EBADF	a descriptor is not open
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
 * leaves the message in its place, though other receivers of a queue may have
 * newer ones by then.
 *
 * With IPCBOX_HOLD the message is in the receiver's hands, and not yet
 * received: @header->token names it until ipcbox_ack(), ipcbox_nack() or
 * ipcbox_answer() settles it by this handle. It stays charged to its sender,
 * and returns to its place when the handle is closed for the last time, be it
 * by the death of its processes; @header->deliveries counts these returns.
 *
 * A message of ipcbox_call() has IPCBOX_INCOMING_CALL in @header->flags and a
 * token in any case: its sender waits for ipcbox_reply(). Without a @header
 * nobody could reply, and the caller is told -EOPNOTSUPP: where calls may come,
 * give one.
 *
 * Returns the bytes of the payload, 0 or more and always the whole message, or
 *
 *	-EACCES	the handle has no IPCBOX_RIGHT_RECEIVE
 *	-EINVAL	the deadline is out of range, a flag unknown, or IPCBOX_HOLD
 *		given without a @header
 *	-EMSGSIZE	the message is longer than @capacity: @header->length
 *		has its length, so that the call can be repeated with a buffer
 *		that is large enough. Another receiver of a queue may have
 *		taken it by then. Or it carries descriptors, as
 *		@header->descriptor_count tells, for
 *		ipcbox_receive_descriptors()
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
 * ipcbox_receive_descriptors - receive a message that may carry descriptors
 * @handle: a handle with IPCBOX_RIGHT_RECEIVE
 * @buffer: as with ipcbox_receive()
 * @capacity: as with ipcbox_receive()
 * @descriptors: where to put the numbers of the descriptors that come with the
 *	message; they are the caller's to close, and are closed on exec
 * @descriptor_capacity: room there; IPCBOX_DESCRIPTORS_MAX is always enough
 * @header: as with ipcbox_receive(), but not NULL: its descriptor_count tells
 *	how many there are
 * @flags: as with ipcbox_receive(). A message that is held and comes back gives
 *	descriptors to each of its receivers
 * @deadline: as with ipcbox_receive()
 *
 * Returns as ipcbox_receive(), and
 *
 *	-EMSGSIZE	also: there are more descriptors than
 *		@descriptor_capacity; @header->descriptor_count tells how many
 *	-EMFILE, -ENFILE	a descriptor cannot be installed: none is, and
 *		the message stays in its place
 */
ssize_t ipcbox_receive_descriptors(struct ipcbox_handle *handle, void *buffer,
				   size_t capacity, int *descriptors,
				   unsigned int descriptor_capacity,
				   struct ipcbox_incoming *header,
				   unsigned int flags, uint64_t deadline);

/**
 * ipcbox_receive_batch - receive messages in one system call
 * @handle: a handle with IPCBOX_RIGHT_RECEIVE
 * @messages: array of messages: data, capacity, descriptors and
 *	descriptor_capacity are set by the caller, the rest is filled in for the
 *	messages received
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

/*
 * Choosing and looking
 */

/**
 * struct ipcbox_selection - which messages; zero fields select nothing
 * @tag: with @tag_mask: messages whose tag has these bits where @tag_mask has
 *	ones
 * @tag_mask: the bits of the tag that count, UINT64_MAX for all; 0 for
 *	messages of any tag, with @tag 0
 * @sequence: the message of this number, which are counted from 1; 0 for any
 * @pid: messages sent by this process, named as in the caller's pid namespace;
 *	0 for any. Once the process is gone and its parent has waited for it, its
 *	messages can be chosen by their other marks only
 *
 * A message is chosen when it is all that is asked. The flag
 * IPCBOX_SELECT_TAG_NOT of a receive turns the choice by tag round; with
 * IPCBOX_SELECT_TAG_LOWEST the messages of this tag or a lower one are chosen, the
 * lowest tag first.
 */
struct ipcbox_selection {
	uint64_t tag;
	uint64_t tag_mask;
	uint64_t sequence;
	pid_t pid;
};

/**
 * ipcbox_receive_selected - receive a message of one's choice
 * @handle: a handle with IPCBOX_RIGHT_RECEIVE
 * @selection: which; NULL for any
 * @buffer: as with ipcbox_receive()
 * @capacity: as with ipcbox_receive()
 * @header: as with ipcbox_receive()
 * @flags: as with ipcbox_receive()
 * @deadline: as with ipcbox_receive()
 *
 * As ipcbox_receive(), but that messages which are not chosen are not seen:
 * they stay in their places, and the call waits past them. It costs time in
 * proportion to the messages that are passed over; other receivers, and
 * senders, do not pay for it. A message that a waiting receiver has chosen goes
 * to it even when the object has no room. Returns as ipcbox_receive(), and
 *
 *	-EINVAL	a tag is given without a mask
 *	-ENOENT	there is no process of that @pid
 */
ssize_t ipcbox_receive_selected(struct ipcbox_handle *handle,
				const struct ipcbox_selection *selection,
				void *buffer, size_t capacity,
				struct ipcbox_incoming *header,
				unsigned int flags, uint64_t deadline);

/**
 * ipcbox_receive_selected_batch - receive messages of one's choice
 * @handle: a handle with IPCBOX_RIGHT_RECEIVE
 * @selection: which; NULL for any
 * @messages: as with ipcbox_receive_batch()
 * @count: as with ipcbox_receive_batch()
 * @flags: as with ipcbox_receive_batch()
 * @deadline: as with ipcbox_receive_batch()
 *
 * Returns as ipcbox_receive_batch(), and the errors of
 * ipcbox_receive_selected().
 */
int ipcbox_receive_selected_batch(struct ipcbox_handle *handle,
				  const struct ipcbox_selection *selection,
				  struct ipcbox_incoming *messages,
				  unsigned int count, unsigned int flags,
				  uint64_t deadline);

/**
 * ipcbox_peek - look at messages without taking them
 * @handle: a handle with IPCBOX_RIGHT_LOOK or IPCBOX_RIGHT_RECEIVE
 * @selection: which; NULL for any
 * @skip: how many of those that would be received first to pass over, at most
 *	IPCBOX_SKIP_MAX
 * @messages: array of messages: data and capacity are set by the caller, the
 *	rest is filled in for the messages that were looked at
 * @count: messages in the array, 1 to batch_messages of struct ipcbox_info
 *
 * Gives the messages in the order in which they would be received. They stay
 * where they are, uncounted and without tokens. A buffer that is too small gets
 * what it has room for, and length tells the whole: with a capacity of 0 only
 * the headers are had. Another receiver may take a message at any time, during
 * a call for many too. Does not wait. Returns the number of messages looked at,
 * at least 1, or
 *
 *	-EACCES	the handle has neither right
 *	-EINVAL	@count or @skip is out of range, or a tag is given without a
 *		mask
 *	-ENOENT	there is no process of that pid
 *	-EAGAIN	there is no such message
 */
int ipcbox_peek(struct ipcbox_handle *handle,
		const struct ipcbox_selection *selection, unsigned int skip,
		struct ipcbox_incoming *messages, unsigned int count);

/*
 * Notice of arrival
 *
 * Notice is given when a message arrives in an object that is empty, so who
 * gets it receives until nothing is there (-EAGAIN); or, if asked, when any
 * message arrives. No notice is given of a message that goes to a receiver that
 * waits for it. A handle has one registration; a new one takes the place of the
 * old one, and closing the handle ends it. For the signals of O_ASYNC, and for
 * poll(2), see ipcbox_handle_fd().
 */

/**
 * ipcbox_notify_eventfd - have arrivals counted by an eventfd
 * @handle: a handle with IPCBOX_RIGHT_RECEIVE
 * @fd: the eventfd, see eventfd(2), which the caller may close afterwards
 * @flags: IPCBOX_NOTIFY_EVERY for notice of every arrival, or 0
 *
 * Each notice adds 1. Does not block. Returns 0, or
 *
 *	-EACCES	the handle has no IPCBOX_RIGHT_RECEIVE
 *	-EBADF	@fd is not an open descriptor
 *	-EINVAL	@fd is no eventfd, or a flag is unknown
 */
int ipcbox_notify_eventfd(struct ipcbox_handle *handle, int fd,
			  unsigned int flags);

/**
 * ipcbox_notify_signal - have one signal sent at the next arrival
 * @handle: a handle with IPCBOX_RIGHT_RECEIVE
 * @signal: the signal's number
 * @value: goes with it, as sival_ptr of si_value; ipcbox_address() makes it of
 *	a pointer. Where pointers have 32 bits the lower ones go
 *
 * The signal is sent once, to the calling process, with si_code SI_MESGQ and
 * si_pid and si_uid of the sender; this ends the registration, as with
 * mq_notify(3). It is not sent if the process has executed another program by
 * then. To miss nothing, register again before receiving what is there. Does
 * not block. Returns 0, or
 *
 *	-EACCES	the handle has no IPCBOX_RIGHT_RECEIVE
 *	-EINVAL	there is no such signal
 */
int ipcbox_notify_signal(struct ipcbox_handle *handle, int signal,
			 uint64_t value);

/**
 * ipcbox_notify_none - end the registration of a handle
 * @handle: a handle with IPCBOX_RIGHT_RECEIVE
 *
 * Does nothing if there is none. Does not block. Returns 0, or -EACCES as
 * above.
 */
int ipcbox_notify_none(struct ipcbox_handle *handle);

#pragma GCC diagnostic pop
#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* IPCBOX_MESSAGE_H */
