/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* libipcbox: shared memory and semaphores. Programs include <ipcbox.h>. */
#ifndef IPCBOX_REGION_H
#define IPCBOX_REGION_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/ipcbox.h>

#include <ipcbox/message.h>
#include <ipcbox/object.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)
#pragma GCC diagnostic push
/* A function may share its name with a structure: C++ warns of this. */
#pragma GCC diagnostic ignored "-Wshadow"

/*
 * Shared memory
 */

/**
 * ipcbox_region_create - make or open a region
 * @box: the box
 * @name: its name, or NULL for none
 * @mode: permissions as in struct ipcbox_create_options: r maps it, rw maps it
 *	for writing
 * @size: bytes of memory, rounded up to whole pages, which are zero; 0 for none
 * @semaphores: how many, 0 to IPCBOX_SEMAPHORES_MAX, of value 0
 * @handle: where to put the handle, which has IPCBOX_RIGHT_RECEIVE and
 *	IPCBOX_RIGHT_SEND, and when the region is new IPCBOX_RIGHT_MANAGE
 *
 * For more, as IPCBOX_CREATE_HUGE, call ipcbox_create() with IPCBOX_REGION, and
 * mapped_bytes. An existing region of the name is opened as it is. A region
 * lives until its last handle is closed and its last mapping is gone. Does not
 * block. Returns as ipcbox_create(), and
 *
 *	-EINVAL	also: both @size and @semaphores are 0
 *	-EDQUOT	also: the user's objects have as much memory as they may
 */
int ipcbox_region_create(struct ipcbox *box, const char *name,
			 unsigned int mode, uint64_t size,
			 unsigned int semaphores,
			 struct ipcbox_handle **handle);

/* How ipcbox_region_map maps. */
#define IPCBOX_MAP_READ		0x0	/* to read */
#define IPCBOX_MAP_WRITE	0x1	/* to read and write */
#define IPCBOX_MAP_PRIVATE	0x2	/* what is written is a copy */
#define IPCBOX_MAP_POPULATE	0x4	/* touch all of it at once */

/**
 * ipcbox_region_map - map a region
 * @handle: a handle with IPCBOX_RIGHT_RECEIVE, and to write with
 *	IPCBOX_RIGHT_SEND
 * @flags: IPCBOX_MAP_* bits
 * @memory: where to put its address; ipcbox_region_unmap() ends it
 * @size: where to put its size, or NULL
 *
 * The whole of it is mapped; mmap(2) on ipcbox_handle_fd() maps parts. A mapping
 * outlives the handle, and is inherited over fork(2). Reading memory for which
 * its creator's memory cgroup has no room raises SIGBUS. Does not block.
 * Returns 0, or
 *
 *	-EACCES	the handle lacks a right
 *	-EPERM	IPCBOX_MAP_WRITE, and the region is sealed
 *	-EINVAL	a flag is unknown, or the object is no region or has no memory
 *	-ENOMEM	the process has no room for it
 */
int ipcbox_region_map(struct ipcbox_handle *handle, unsigned int flags,
		      void **memory, size_t *size);

/**
 * ipcbox_region_unmap - end a mapping
 * @memory: from ipcbox_region_map(), or NULL, which does nothing
 * @size: from ipcbox_region_map()
 *
 * Leaves errno alone.
 */
void ipcbox_region_unmap(void *memory, size_t size);

/**
 * ipcbox_region_seal - make the content of a region final
 * @handle: a handle with IPCBOX_RIGHT_SEND
 *
 * From then on nobody can write to it, for ever, and who finds it sealed
 * (ipcbox_region_sealed()) may rely on that. Every shared mapping made through a
 * handle with IPCBOX_RIGHT_SEND must be gone, those of ipcbox_region_map() without
 * IPCBOX_MAP_WRITE too. A sealed region is left as it is. Takes time in
 * proportion to the memory in use. Returns 0, or
 *
 *	-EACCES	the handle has no IPCBOX_RIGHT_SEND
 *	-EBUSY	it is mapped for writing, or a device uses a huge page of it
 *	-EINVAL	it has no memory
 *	-ENOTTY	the object is no region
 *	-EINTR	a signal came first
 */
int ipcbox_region_seal(struct ipcbox_handle *handle);

/**
 * ipcbox_region_sealed - is the content of a region final?
 * @handle: any handle on it
 *
 * Does not block. Returns 1 if it is sealed, 0 if not, -EINVAL if the object is
 * no region, or one of the errors of every function.
 */
int ipcbox_region_sealed(struct ipcbox_handle *handle);

/**
 * ipcbox_send_region - send a region in a message
 * @to: a handle with IPCBOX_RIGHT_SEND on a mailbox or queue that takes
 *	descriptors
 * @region: a handle on a region, which stays the caller's
 * @data: the payload that goes with it
 * @length: bytes of it
 * @options: as with ipcbox_send(), without descriptors; or NULL
 *
 * The receiver gets the handle itself, with its rights: no byte of the region is
 * copied. Send a handle with IPCBOX_RIGHT_RECEIVE alone on a sealed region where
 * the receiver is to rely on its content. Blocks and returns as ipcbox_send(),
 * and
 *
 *	-EINVAL	also: @region is no handle on a region, or @options has
 *		descriptors
 */
int ipcbox_send_region(struct ipcbox_handle *to, struct ipcbox_handle *region,
		       const void *data, size_t length,
		       const struct ipcbox_send_options *options);

/* What a region that is received must be. */
#define IPCBOX_EXPECT_SEALED	0x1	/* sealed, or else -EPERM */

/**
 * ipcbox_receive_region - receive a region in a message
 * @from: a handle with IPCBOX_RIGHT_RECEIVE on a mailbox or queue
 * @buffer: where to put the payload that goes with it
 * @capacity: bytes of room there
 * @flags: IPCBOX_EXPECT_SEALED, or 0
 * @region: where to put the handle; ipcbox_close() ends it
 * @header: as with ipcbox_receive(), or NULL
 * @deadline: when to give up waiting; 0 or IPCBOX_FOREVER for never
 *
 * Blocks as ipcbox_receive(). Returns the length of the payload, or as
 * ipcbox_receive_descriptors(), and
 *
 *	-EINVAL	a flag is unknown
 *	-ENOMSG	the message carried no region, or something beside one; it is
 *		received, and what it carried is closed
 *	-EPERM	the region is not sealed, and IPCBOX_EXPECT_SEALED was given; the
 *		message is received, and the handle closed
 */
ssize_t ipcbox_receive_region(struct ipcbox_handle *from, void *buffer,
			      size_t capacity, unsigned int flags,
			      struct ipcbox_handle **region,
			      struct ipcbox_incoming *header,
			      uint64_t deadline);

/*
 * Semaphores
 */

/**
 * ipcbox_sem_operate - use several semaphores at once
 * @handle: a handle on a region, with IPCBOX_RIGHT_SEND to change values, and
 *	IPCBOX_RIGHT_RECEIVE to wait for zero
 * @operations: what to do, in this order: see struct ipcbox_sem_operation in
 *	<linux/ipcbox.h>
 * @count: how many, 1 to IPCBOX_SEM_OPERATIONS_MAX
 * @flags: IPCBOX_NOWAIT or 0
 * @deadline: when to give up waiting; 0 or IPCBOX_FOREVER for never
 *
 * All is done at one moment, or nothing. Waits until all can be done; those who
 * wait are served in the order in which they came. What is done with
 * IPCBOX_SEM_UNDO is undone when the last descriptor of the handle is closed, as
 * by the death of its processes. Returns 0, or
 *
 *	-EOWNERDEAD	it was done, and a binary semaphore that it took was
 *		held by somebody who died: what it guards may be half done
 *	-EAGAIN	it would have to wait, and IPCBOX_NOWAIT or O_NONBLOCK is set
 *	-ETIMEDOUT	it could not be done by then
 *	-EINTR	a signal came first
 *	-ERANGE	a value would exceed its maximum
 *	-EPIPE	it would have to wait, and the region was unlinked
 *	-EACCES	the handle lacks a right
 *	-EINVAL	a semaphore is not there, or a value out of range
 *	-ENOTTY	the object is no region
 */
int ipcbox_sem_operate(struct ipcbox_handle *handle,
		       const struct ipcbox_sem_operation *operations,
		       unsigned int count, unsigned int flags,
		       uint64_t deadline);

/**
 * ipcbox_sem_take - take 1 from a semaphore
 * @handle: as with ipcbox_sem_operate()
 * @semaphore: its number, from 0
 * @flags: IPCBOX_SEM_UNDO, to give it back when the handle is closed; or 0
 * @deadline: when to give up waiting; 0 or IPCBOX_FOREVER for never
 *
 * Waits until it is above 0. Returns as ipcbox_sem_operate().
 */
int ipcbox_sem_take(struct ipcbox_handle *handle, unsigned int semaphore,
		    unsigned int flags, uint64_t deadline);

/**
 * ipcbox_sem_give - add 1 to a semaphore
 * @handle: as with ipcbox_sem_operate()
 * @semaphore: its number, from 0
 * @flags: those with which it was taken
 *
 * Does not block. Returns as ipcbox_sem_operate().
 */
int ipcbox_sem_give(struct ipcbox_handle *handle, unsigned int semaphore,
		    unsigned int flags);

/**
 * ipcbox_sem_watch - say what poll(2) shall wait for
 * @handle: as with ipcbox_sem_operate()
 * @operations: operations, without IPCBOX_SEM_UNDO
 * @count: how many, 1 to IPCBOX_SEM_OPERATIONS_MAX
 *
 * From now on poll(2) on ipcbox_handle_fd() reports POLLIN when these need not
 * wait; before, when 1 can be taken from semaphore 0. They are not done. Does
 * not block. Returns as ipcbox_sem_operate().
 */
int ipcbox_sem_watch(struct ipcbox_handle *handle,
		     const struct ipcbox_sem_operation *operations,
		     unsigned int count);

/**
 * ipcbox_sem_set - give semaphores values
 * @handle: a handle with IPCBOX_RIGHT_MANAGE
 * @values: what they shall be; a maximum of 1 makes a binary semaphore
 * @count: how many, 1 to the region's semaphores
 *
 * All at one moment, or none. Who can go on does so; nothing is undone any more
 * that was done at them before. Does not block. Returns 0, or
 *
 *	-EACCES	the handle has no IPCBOX_RIGHT_MANAGE
 *	-EINVAL	a semaphore is not there, a maximum is not 1 to
 *		IPCBOX_SEM_VALUE_MAX, or a value is above it
 *	-ENOTTY	the object is no region
 */
int ipcbox_sem_set(struct ipcbox_handle *handle,
		   const struct ipcbox_sem_value *values, unsigned int count);

/**
 * ipcbox_sem_get - look at semaphores
 * @handle: a handle with IPCBOX_RIGHT_RECEIVE or IPCBOX_RIGHT_LOOK
 * @first: the first of them
 * @states: filled in, as they are at one moment
 * @count: how many, at least 1
 *
 * Does not block. Returns 0, or
 *
 *	-EACCES	the handle lacks the right
 *	-EINVAL	there are not so many
 *	-ENOTTY	the object is no region
 */
int ipcbox_sem_get(struct ipcbox_handle *handle, unsigned int first,
		   struct ipcbox_sem_state *states, unsigned int count);

#pragma GCC diagnostic pop
#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* IPCBOX_REGION_H */
