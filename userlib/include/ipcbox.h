/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libipcbox: mailboxes and message queues kept by the Linux kernel.
 *
 *	struct ipcbox *box;
 *	struct ipcbox_handle *queue;
 *	int error;
 *
 *	error = ipcbox_box_open(&box);
 *	if (!error)
 *		error = ipcbox_queue_create(box, "jobs", 0600, &queue);
 *	if (!error)
 *		error = ipcbox_send(queue, "hello", 5, NULL);
 *
 * A *box* is the registry of objects of a network namespace. An *object* is a
 * mailbox (many senders, one receive handle) or a queue (many senders, many
 * receivers, each message to exactly one of them). A *handle* is an open
 * descriptor on an object and carries rights. See ipcbox(7) for what is
 * promised, and libipcbox(3) for a page on each function.
 *
 * What holds for every function
 * -----------------------------
 * Results. A function that returns int or ssize_t returns zero or a positive
 * number when it succeeded, and a negative errno (-ENOENT) when it failed.
 * errno itself is neither used nor changed. A call that failed had no effect,
 * and leaves what its output arguments point at as it was, unless said
 * otherwise. ipcbox_explain() turns an error into a sentence.
 *
 * Threads. Every function may be called by several threads at once, on the
 * same box or handle too. Only the functions that end something
 * (ipcbox_box_close, ipcbox_close, ipcbox_list_end) must not run while another
 * thread uses what they end, and a listing belongs to one thread at a time. No
 * function takes a lock. The functions that move messages are one system call
 * each and allocate no memory.
 *
 * Signals. Functions that wait return -EINTR when a signal handler ran first,
 * unless it was installed with SA_RESTART; ipcbox_call() returns -EINTR in
 * either case. No message is lost or doubled. No function raises SIGPIPE.
 *
 * Deadlines. A uint64_t deadline is an absolute time of CLOCK_MONOTONIC in
 * nanoseconds. IPCBOX_FOREVER, and 0 as well, waits without end; other values
 * above 2^63 - 1 are -EINVAL. A deadline that has passed does not fail a call
 * that can be served at once. The functions ipcbox_deadline_...() compute
 * deadlines; the flag IPCBOX_NOWAIT says not to wait at all.
 *
 * fork and exec. Descriptors are close-on-exec. After fork the child shares
 * each handle with its parent: the object counts it once, and it stays open
 * until both have closed it.
 *
 * Objects that are given in structures (struct ipcbox_info, ipcbox_stat,
 * ipcbox_set, ipcbox_outgoing, ipcbox_incoming) are those of <linux/ipcbox.h>,
 * and documented there field by field. Their size fields are filled in by the
 * library. When a structure grows, the functions that take it get a new symbol
 * version, so that programs built before keep working.
 *
 * Errors that any function which calls the kernel may return, besides those
 * listed with it:
 *
 *	-EFAULT	a pointer does not lead to accessible memory
 *	-EINVAL	an argument is out of range, or a flag unknown to the module
 *	-ENOMEM	the process, its memory cgroup or the kernel has no memory
 *	-ENOTTY	the module is older than the library and lacks the operation
 *	-E2BIG	a structure has a non-zero field that the module does not know
 *
 * C++: functions and structures share names (ipcbox_stat), so write "struct
 * ipcbox_stat state;" as in C.
 */
#ifndef IPCBOX_H
#define IPCBOX_H

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

/* An open box. */
struct ipcbox;

/* An open handle on an object. */
struct ipcbox_handle;

/* A walk over the objects of a box. */
struct ipcbox_listing;

/*
 * The box
 */

/* The device that ipcbox_box_open opens. */
#define IPCBOX_DEVICE	"/dev/ipcbox"

/**
 * ipcbox_box_open - open the box of the caller's network namespace
 * @box: where to put it; ipcbox_box_close() ends it
 *
 * Does not block. Returns 0, or
 *
 *	-ENOENT	there is no /dev/ipcbox: the module is not loaded
 *	-EACCES	the caller may not open the device for reading and writing
 *	-ENXIO, -ENODEV	the device node is there but the module is not
 *	-ENOTTY	/dev/ipcbox is not the device of the module
 *	-EPROTONOSUPPORT	the module speaks another ABI than this library
 *	-EMFILE, -ENFILE	no descriptor, or no file, is left
 */
int ipcbox_box_open(struct ipcbox **box);

/**
 * ipcbox_box_open_path - open the box through a device node of another path
 * @path: path of the node, zero-terminated
 * @box: where to put it
 *
 * For containers and chroots that have the node elsewhere. Returns as
 * ipcbox_box_open(), or what open(2) says of the path (-ENOTDIR, -ELOOP,
 * -ENAMETOOLONG).
 */
int ipcbox_box_open_path(const char *path, struct ipcbox **box);

/**
 * ipcbox_box_from_fd - make a box of a descriptor of the device
 * @fd: open descriptor, inherited or received over a UNIX socket; it stands
 *	for the box of the network namespace in which it was opened
 * @box: where to put the box, which owns @fd from then on
 *
 * Does not block. Returns 0, or a failure that leaves @fd with the caller:
 *
 *	-EBADF	@fd is not an open descriptor
 *	-ENOTTY	@fd is not one of the device
 *	-EPROTONOSUPPORT	the module speaks another ABI than this library
 */
int ipcbox_box_from_fd(int fd, struct ipcbox **box);

/**
 * ipcbox_box_fd - the descriptor of a box
 * @box: the box, which goes on owning the descriptor
 *
 * For passing it on. Never fails.
 */
int ipcbox_box_fd(const struct ipcbox *box);

/**
 * ipcbox_box_close - close a box
 * @box: the box, or NULL, which does nothing
 *
 * Handles and objects are not concerned: they live on. Leaves errno alone.
 */
void ipcbox_box_close(struct ipcbox *box);

/**
 * ipcbox_info - what the module offers and the limits in force
 * @box: the box
 * @info: filled in
 *
 * Does not block. Returns 0, or one of the errors of every function.
 */
int ipcbox_info(struct ipcbox *box, struct ipcbox_info *info);

/*
 * Objects
 */

/**
 * struct ipcbox_create_options - what to make; a zero field is a default
 * @name: 1 to IPCBOX_NAME_MAX bytes from '!' to '~' without '/', zero-
 *	terminated; NULL for an object without a name
 * @kind: IPCBOX_MAILBOX or IPCBOX_QUEUE; 0 for IPCBOX_QUEUE
 * @mode: permissions, 0 to 0666, from which the umask is taken off; 0 for
 *	0600. (ipcbox_set() can take every permission away.)
 * @rights: IPCBOX_RIGHT_* bits that the handle shall carry; 0 for
 *	IPCBOX_RIGHT_RECEIVE | IPCBOX_RIGHT_SEND
 * @flags: IPCBOX_CREATE_EXCLUSIVE, IPCBOX_CREATE_PERSISTENT,
 *	IPCBOX_CREATE_NONBLOCK
 * @max_messages: messages that the object holds; 0 for the module's default
 * @max_bytes: payload bytes that the object holds; 0 for the module's default
 * @max_message_bytes: largest payload that it takes; 0 for the module's
 *	default, or for @max_bytes when that is less
 *
 * Use it with designated initialisers:
 *
 *	struct ipcbox_create_options options = {
 *		.name = "jobs", .kind = IPCBOX_QUEUE, .max_messages = 16,
 *	};
 */
struct ipcbox_create_options {
	const char *name;
	unsigned int kind;
	unsigned int mode;
	unsigned int rights;
	unsigned int flags;
	uint64_t max_messages;
	uint64_t max_bytes;
	uint64_t max_message_bytes;
};

/**
 * ipcbox_create - make an object, or open it where it exists
 * @box: the box
 * @options: what to make, or NULL for a queue without a name
 * @handle: where to put the handle; ipcbox_close() ends it
 *
 * Without IPCBOX_CREATE_EXCLUSIVE an existing object of the name and kind is
 * opened, with its own mode and limits; ipcbox_handle_created() tells which it
 * was. The object lives until its last handle is closed; with
 * IPCBOX_CREATE_PERSISTENT until it is unlinked, and then until its last
 * handle is closed.
 *
 * Does not block. Returns 0, or
 *
 *	-EINVAL	the name, kind, mode, rights, a flag or a limit is out of range
 *	-EEXIST	the name exists, and IPCBOX_CREATE_EXCLUSIVE was given or the
 *		object is of another kind
 *	-EACCES	it exists, and its mode refuses a right, or
 *		IPCBOX_RIGHT_MANAGE is asked by another than the owner
 *	-EBUSY	it is an existing mailbox that has its receive handle, and
 *		IPCBOX_RIGHT_RECEIVE is asked
 *	-EDQUOT	the user has as many objects as one user may have
 *	-ENOSPC	the box has as many objects as it may hold
 *	-EMFILE, -ENFILE	no descriptor, or no file, is left
 */
int ipcbox_create(struct ipcbox *box,
		  const struct ipcbox_create_options *options,
		  struct ipcbox_handle **handle);

/**
 * ipcbox_mailbox_create - make or open a mailbox, to receive from it
 * @box: the box
 * @name: its name, or NULL for none
 * @mode: permissions as in struct ipcbox_create_options; 0622 lets everyone
 *	send
 * @handle: where to put the handle, which has IPCBOX_RIGHT_RECEIVE only: the
 *	caller becomes the mailbox's one receiver. Without a name it has
 *	IPCBOX_RIGHT_SEND too, as no one else could come by one
 *
 * The rest is as with ipcbox_create(), without flags and with the module's
 * default limits. Returns as ipcbox_create().
 */
int ipcbox_mailbox_create(struct ipcbox *box, const char *name,
			  unsigned int mode, struct ipcbox_handle **handle);

/**
 * ipcbox_queue_create - make or open a queue, to send and receive
 * @box: the box
 * @name: its name, or NULL for none
 * @mode: permissions as in struct ipcbox_create_options
 * @handle: where to put the handle, which has IPCBOX_RIGHT_RECEIVE and
 *	IPCBOX_RIGHT_SEND
 *
 * The rest is as with ipcbox_create(), without flags and with the module's
 * default limits. Returns as ipcbox_create().
 */
int ipcbox_queue_create(struct ipcbox *box, const char *name,
			unsigned int mode, struct ipcbox_handle **handle);

/**
 * ipcbox_open_name - open an existing object by its name
 * @box: the box
 * @name: its name, zero-terminated
 * @rights: IPCBOX_RIGHT_* bits wanted, at least one; all are given or none
 * @flags: IPCBOX_OPEN_NONBLOCK or 0
 * @handle: where to put the handle; ipcbox_close() ends it
 *
 * Does not block. Returns 0, or
 *
 *	-EINVAL	the name or rights are out of range, or a flag unknown
 *	-ENOENT	the box has no object of that name
 *	-EACCES	its mode refuses a right, or IPCBOX_RIGHT_MANAGE is asked by
 *		another than the owner
 *	-EBUSY	IPCBOX_RIGHT_RECEIVE is asked on a mailbox that has its
 *		receive handle
 *	-EMFILE, -ENFILE	no descriptor, or no file, is left
 */
int ipcbox_open_name(struct ipcbox *box, const char *name, unsigned int rights,
		     unsigned int flags, struct ipcbox_handle **handle);

/**
 * ipcbox_open_id - open an existing object by its id
 * @box: the box
 * @id: the object's id; ids are never used again
 * @rights: as with ipcbox_open_name()
 * @flags: as with ipcbox_open_name()
 * @handle: where to put the handle
 *
 * Returns as ipcbox_open_name(). The way to open an object without a name.
 */
int ipcbox_open_id(struct ipcbox *box, uint64_t id, unsigned int rights,
		   unsigned int flags, struct ipcbox_handle **handle);

/**
 * ipcbox_unlink_name - remove an object's name and id
 * @box: the box
 * @name: the name, zero-terminated
 *
 * The object is found no more, its name is free, and it goes with its last
 * handle; messages that are then still in it are discarded and counted (see
 * discarded in struct ipcbox_info). A sender finds -EPIPE once no receive
 * handle is left, a receiver once no send handle is left and nothing is there;
 * those that wait are woken at once.
 *
 * Does not block. Returns 0, or
 *
 *	-EINVAL	the name is out of range
 *	-ENOENT	the box has no such object
 *	-EPERM	the caller is neither its owner nor has CAP_IPC_OWNER
 */
int ipcbox_unlink_name(struct ipcbox *box, const char *name);

/**
 * ipcbox_unlink_id - remove an object's name and id
 * @box: the box
 * @id: the id
 *
 * As ipcbox_unlink_name().
 */
int ipcbox_unlink_id(struct ipcbox *box, uint64_t id);

/*
 * Handles
 */

/**
 * ipcbox_handle_from_fd - make a handle of a descriptor
 * @fd: open descriptor of an object, inherited or received over a UNIX
 *	socket, with the rights that it was opened with
 * @handle: where to put the handle, which owns @fd from then on
 *
 * The flags of the descriptor (close-on-exec, O_NONBLOCK) stay as they are.
 * Does not block. Returns 0, or a failure that leaves @fd with the caller:
 *
 *	-EBADF	@fd is not an open descriptor
 *	-ENOTTY	@fd is not a descriptor of an object
 */
int ipcbox_handle_from_fd(int fd, struct ipcbox_handle **handle);

/**
 * ipcbox_handle_fd - the descriptor of a handle
 * @handle: the handle, which goes on owning the descriptor
 *
 * For poll(2) and epoll(7), for fcntl(2) with O_NONBLOCK, for passing it on,
 * and for read(2) and write(2), which move one message each. Poll reports
 * EPOLLIN when a message is there, EPOLLOUT when there is room for a message
 * of the largest size, and EPOLLHUP when the other side is gone. Never fails.
 */
int ipcbox_handle_fd(const struct ipcbox_handle *handle);

/**
 * ipcbox_handle_id - the id of the object of a handle
 * @handle: the handle
 *
 * Makes no system call and never fails.
 */
uint64_t ipcbox_handle_id(const struct ipcbox_handle *handle);

/**
 * ipcbox_handle_kind - the kind of the object of a handle
 * @handle: the handle
 *
 * Returns IPCBOX_MAILBOX or IPCBOX_QUEUE. Makes no system call and never
 * fails.
 */
unsigned int ipcbox_handle_kind(const struct ipcbox_handle *handle);

/**
 * ipcbox_handle_created - whether the call that gave the handle made the object
 * @handle: the handle
 *
 * Returns 1 if ipcbox_create(), ipcbox_mailbox_create() or
 * ipcbox_queue_create() made the object, and 0 if the object existed and was
 * opened. Makes no system call and never fails.
 */
int ipcbox_handle_created(const struct ipcbox_handle *handle);

/**
 * ipcbox_close - close a handle
 * @handle: the handle, or NULL, which does nothing
 *
 * An object that is not persistent, or is unlinked, goes with its last
 * handle. A thread that waits on the handle must have returned before. Leaves
 * errno alone.
 */
void ipcbox_close(struct ipcbox_handle *handle);

/**
 * ipcbox_stat - the state of an object
 * @handle: any handle on it
 * @state: filled in; the figures are of one moment
 *
 * Does not block. Returns 0, or one of the errors of every function.
 */
int ipcbox_stat(struct ipcbox_handle *handle, struct ipcbox_stat *state);

/**
 * ipcbox_set - change an object's permissions, owner, limits or dead letters
 * @handle: a handle with IPCBOX_RIGHT_MANAGE
 * @changes: @changes->mask has the IPCBOX_SET_* bits, at least one, of the
 *	fields to change; the other fields are ignored, size as well
 *
 * All is changed or nothing. A limit below what is in the object loses
 * nothing: senders wait until there is room. Does not block. Returns 0, or
 *
 *	-EINVAL	the mask is empty or has unknown bits, or a value is out of
 *		range: mode 0 to 0666, max_messages from 1, max_message_bytes
 *		from 1 to max_bytes, none above the limits of ipcbox_info()
 *	-EACCES	the handle has no IPCBOX_RIGHT_MANAGE
 *	-EPERM	the caller may not change the owner or group so
 *	-ENOENT	dead_letter is not the id of another mailbox or queue of the
 *		box to which the caller may send
 */
int ipcbox_set(struct ipcbox_handle *handle, const struct ipcbox_set *changes);

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
 *	-EMSGSIZE	@length is more than the object's max_message_bytes
 *	-EAGAIN	there is no room, and the call may not wait for it
 *	-ETIMEDOUT	no reply came up to the deadline, or nobody received the
 *		request within its lifetime
 *	-EINTR	a signal came first
 *	-EDQUOT	the user's budget of bytes in flight is used up
 *	-EPIPE	no receiver will come, as with ipcbox_send()
 *	-EOWNERDEAD	the server that had the request died, or closed its
 *		handle, without replying; or the request was given back
 *		max_deliveries times
 *	-EOPNOTSUPP	the request was taken by read(2), which cannot reply
 */
ssize_t ipcbox_call(struct ipcbox_handle *handle, const void *request,
		    size_t length, void *reply, size_t capacity,
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
 */
struct ipcbox_settlement {
	uint64_t token;
	unsigned int action;
	const void *data;
	size_t length;
	uint64_t tag;
};

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
 *
 * and, without a token, those of ipcbox_receive().
 */
int ipcbox_answer(struct ipcbox_handle *handle,
		  const struct ipcbox_settlement *settlement, void *buffer,
		  size_t capacity, struct ipcbox_incoming *header,
		  unsigned int flags, uint64_t deadline);

/*
 * Listing
 */

/**
 * ipcbox_list_begin - begin a walk over the objects of a box
 * @box: the box, which must stay open until ipcbox_list_end()
 * @listing: where to put the walk
 *
 * Does not block. Returns 0, or -ENOMEM.
 */
int ipcbox_list_begin(struct ipcbox *box, struct ipcbox_listing **listing);

/**
 * ipcbox_list_next - the next object of a walk
 * @listing: the walk
 * @state: filled in with the object's state
 *
 * Gives the objects on which the caller could get a right, in the order of
 * their ids, fetching a page of them at a time. An object made or removed
 * during the walk may be seen or missed; every other one is seen exactly once.
 * Does not block. Returns 1 with an object, 0 at the end, which it goes on
 * doing, or one of the errors of every function; a further call then tries the
 * same page again.
 */
int ipcbox_list_next(struct ipcbox_listing *listing,
		     struct ipcbox_stat *state);

/**
 * ipcbox_list_end - end a walk
 * @listing: the walk, at its end or not, or NULL, which does nothing
 */
void ipcbox_list_end(struct ipcbox_listing *listing);

/*
 * Deadlines: these functions never fail and leave errno alone
 */

/**
 * ipcbox_deadline_after_ns - the deadline that is so many nanoseconds away
 * @nanoseconds: 0 for now; negative for IPCBOX_FOREVER, as with poll(2)
 *
 * A time beyond the clock's end is IPCBOX_FOREVER.
 */
uint64_t ipcbox_deadline_after_ns(int64_t nanoseconds);

/**
 * ipcbox_deadline_after_ms - the deadline that is so many milliseconds away
 * @milliseconds: 0 for now; negative for IPCBOX_FOREVER, as with poll(2)
 *
 * A time beyond the clock's end is IPCBOX_FOREVER.
 */
uint64_t ipcbox_deadline_after_ms(int64_t milliseconds);

/**
 * ipcbox_deadline_at - the deadline at a time of CLOCK_MONOTONIC
 * @seconds: seconds of the clock, tv_sec of a struct timespec
 * @nanoseconds: nanoseconds in addition, tv_nsec of it
 *
 * A time before the clock began has passed, and one beyond the clock's end is
 * IPCBOX_FOREVER. (Two numbers in place of a struct timespec, whose layout
 * depends on how a 32-bit program is built.)
 */
uint64_t ipcbox_deadline_at(int64_t seconds, int64_t nanoseconds);

/**
 * ipcbox_deadline_left_ms - the timeout for poll(2) up to a deadline
 * @deadline: the deadline; 0 or IPCBOX_FOREVER for none
 *
 * Returns the milliseconds left, rounded up, INT_MAX at most; 0 when the
 * deadline has passed, -1 when there is none.
 */
int ipcbox_deadline_left_ms(uint64_t deadline);

/*
 * Help
 */

/* What failed, for ipcbox_explain. */
enum ipcbox_operation {
	IPCBOX_OPERATION_BOX_OPEN,	/* ipcbox_box_open, _path, _from_fd */
	IPCBOX_OPERATION_INFO,		/* ipcbox_info */
	IPCBOX_OPERATION_CREATE,	/* ipcbox_create and its short forms */
	IPCBOX_OPERATION_OPEN,		/* ipcbox_open_name, ipcbox_open_id */
	IPCBOX_OPERATION_UNLINK,	/* ipcbox_unlink_name, _id */
	IPCBOX_OPERATION_LIST,		/* ipcbox_list_begin, _next */
	IPCBOX_OPERATION_ADOPT,		/* ipcbox_handle_from_fd */
	IPCBOX_OPERATION_STAT,		/* ipcbox_stat */
	IPCBOX_OPERATION_SET,		/* ipcbox_set */
	IPCBOX_OPERATION_SEND,		/* ipcbox_send, ipcbox_send_batch */
	IPCBOX_OPERATION_RECEIVE,	/* ipcbox_receive, _batch */
	IPCBOX_OPERATION_CALL,		/* ipcbox_call */
	IPCBOX_OPERATION_SETTLE,	/* ipcbox_ack, ipcbox_nack, _reply */
	IPCBOX_OPERATION_ANSWER		/* ipcbox_answer */
};

/**
 * ipcbox_explain - what went wrong and what to do about it
 * @operation: what failed
 * @error: the error, as the library returned it or as errno has it
 *
 * Returns one plain English sentence or two, without a line feed, that is
 * never NULL and must not be freed. Makes no system call.
 */
const char *ipcbox_explain(enum ipcbox_operation operation, int error);

/**
 * ipcbox_version - the version of the library, as in "0.1.0"
 *
 * Must not be freed. The version of the interface with the module is
 * IPCBOX_ABI.
 */
const char *ipcbox_version(void);

#pragma GCC diagnostic pop
#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* IPCBOX_H */
