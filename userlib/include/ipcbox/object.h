/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* libipcbox: boxes, objects, handles, listings. Programs include <ipcbox.h>. */
#ifndef IPCBOX_OBJECT_H
#define IPCBOX_OBJECT_H

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
 *	IPCBOX_CREATE_NONBLOCK; IPCBOX_CREATE_STREAM for a queue of bytes, with
 *	the semantics of a pipe: read(2) and write(2) on ipcbox_handle_fd() move
 *	them, as <linux/ipcbox.h> says at struct ipcbox_create, and the functions
 *	that move messages are -EOPNOTSUPP
 * @max_messages: messages that the object holds; 0 for the module's default
 * @max_bytes: payload bytes that the object holds; 0 for the module's default
 * @max_message_bytes: largest payload that it takes; 0 for the module's
 *	default, or for @max_bytes when that is less
 * @max_descriptors: most descriptors that a message may carry, 0 to
 *	IPCBOX_DESCRIPTORS_MAX. More than 0 is for receivers that expect some
 * @mapped_bytes: memory for mapping, for kinds that are mapped; of a mailbox its
 *	receive pool, a power of two, or 0 for none; else 0
 * @semaphores: semaphores of a region; else 0
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
	unsigned int max_descriptors;
	uint64_t mapped_bytes;
	unsigned int semaphores;
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
 *		object is of another kind, or a stream where none was asked for,
 *		or none where one was
 *	-EACCES	it exists, and its mode refuses a right, or
 *		IPCBOX_RIGHT_MANAGE is asked by another than the owner
 *	-EBUSY	it is an existing mailbox that has its receive handle, and
 *		IPCBOX_RIGHT_RECEIVE is asked
 *	-EDQUOT	the user has as many objects, or as much memory for mapping, as
 *		one user may have
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
 * IPCBOX_RIGHT_LOOK is the right to ipcbox_peek(), and no more: a mailbox that
 * has its receiver gives it, and who waits for a receiver, or for the last one
 * to go, does not notice it. Does not block. Returns 0, or
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
 * ipcbox_open_process - open a process's own mailbox
 * @box: the box
 * @pid: the process, as the caller's pid namespace numbers it
 * @rights: as with ipcbox_open_name(): a process opens its own mailbox with
 *	IPCBOX_RIGHT_RECEIVE, another one's with IPCBOX_RIGHT_SEND
 * @flags: as with ipcbox_open_name()
 * @handle: where to put the handle
 *
 * Every process that has opened /dev/ipcbox itself, by ipcbox_box_open(), has a
 * mailbox without a name, which is made when it is first asked for, with the
 * default limits, and goes when the process closes its last box or ends. The
 * process itself gets every right. Who may send it a signal may send to it;
 * others if the process has allowed it by the mode, with ipcbox_set(). To
 * receive from one process only, see ipcbox_receive_selected().
 *
 * A sender whose receiver has ended gets -EPIPE, whatever process has its number
 * by then: a handle leads to one process for ever. But the number itself may
 * have been given to another process before it was opened, which
 * ipcbox_open_pidfd() excludes. Does not block. Returns 0, or
 *
 *	-EINVAL	the number or the rights are out of range, or a flag unknown
 *	-ENOENT	there is no such process, or it does not have the device open
 *	-EACCES	the caller may not send the process a signal, and the mode
 *		refuses a right
 *	-EBUSY	IPCBOX_RIGHT_RECEIVE is asked, and a handle has it already
 *	-EDQUOT, -ENOSPC	the mailbox could not be made, as with
 *		ipcbox_create()
 *	-EMFILE, -ENFILE	no descriptor, or no file, is left
 */
int ipcbox_open_process(struct ipcbox *box, pid_t pid, unsigned int rights,
			unsigned int flags, struct ipcbox_handle **handle);

/**
 * ipcbox_open_pidfd - open the own mailbox of the process of a pidfd
 * @box: the box
 * @pidfd: descriptor of a process, see pidfd_open(2), which stays the caller's
 * @rights: as with ipcbox_open_process()
 * @flags: as with ipcbox_open_process()
 * @handle: where to put the handle
 *
 * As ipcbox_open_process(), but that the handle leads to the process of @pidfd
 * for certain, even when numbers are used again. Needs /proc, of the caller's
 * pid namespace. Returns as ipcbox_open_process(), and
 *
 *	-EBADF	@pidfd is not a descriptor of a process
 *	-ENOENT	the process is gone, or not seen in /proc
 */
int ipcbox_open_pidfd(struct ipcbox *box, int pidfd, unsigned int rights,
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
 * Returns IPCBOX_MAILBOX, IPCBOX_QUEUE, IPCBOX_REGION or IPCBOX_CHANNEL. Makes no
 * system call and never fails.
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

/**
 * ipcbox_spin - let the waits of a handle stay awake for a while
 * @handle: a handle on a mailbox or queue
 * @time: nanoseconds, 0 to IPCBOX_SPIN_MAX (a millisecond); 0 for none, as it
 *	is at first
 *
 * A call that waits for a message or for a reply spins for so long before it
 * sleeps, if the other side was last seen on another processor and nothing else
 * wants this one. Quicker where both sides run at once; elsewhere a waste. Does
 * not block. Returns 0, or
 *
 *	-EACCES	the handle may neither receive nor send
 *	-EINVAL	@time is out of range
 */
int ipcbox_spin(struct ipcbox_handle *handle, uint64_t time);

#pragma GCC diagnostic pop
#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* IPCBOX_OBJECT_H */
