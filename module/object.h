/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What objects of every kind share: life, rights, handles.
 */
#ifndef IPCBOX_OBJECT_H
#define IPCBOX_OBJECT_H

#include <linux/poll.h>
#include <linux/rbtree.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable-types.h>
#include <linux/types.h>
#include <linux/uidgid.h>

#include <linux/ipcbox.h>

#include "box.h"
#include "ioctl.h"

#define IPCBOX_RIGHTS_ALL \
	(IPCBOX_RIGHT_RECEIVE | IPCBOX_RIGHT_SEND | IPCBOX_RIGHT_MANAGE | \
	 IPCBOX_RIGHT_LOOK)

struct ipcbox_block;
struct ipcbox_handle;
struct ipcbox_notice;
struct ipcbox_object;
struct ipcbox_pool_sender;
struct ipcbox_process;
struct ipcbox_sem_undo;
struct ipcbox_sem_watch;
struct vm_area_struct;

/**
 * struct ipcbox_kind - what is particular to one kind of object
 * @name: as people know it
 * @ioctls: the operations on its handles
 * @ioctl_count: how many
 * @create: makes an object as asked, or returns an ERR_PTR; may sleep
 * @registered: it has its id: 0, or an errno, and it is destroyed; box->lock is
 *	held; may sleep for memory; may be NULL
 * @destroy: frees it, when nobody refers to it; box->lock is not held
 * @attach: a handle is about to be added: 0, or -EBUSY; box->lock is held
 * @detach: a handle is gone; box->lock is not held
 * @unlinked: no one new can come; box->lock is held
 * @stat: fills the fields that object.c does not know
 * @set_check: may the limits in a request be set? 0 or an errno; box->lock is
 *	held until @set, if any
 * @set: sets them, and takes notice of a new owner; cannot fail; may be NULL
 * @revoke: a revocable object was unlinked: empties it; no lock is held
 * @read: as read(2), or with @exact as pread(2), which tells an end from an
 *	empty message; the handle's right was checked; NULL: -EINVAL
 * @write: as write(2), or as pwrite(2), which gives a priority; the handle's
 *	right was checked; NULL: -EINVAL
 * @poll: as poll(2)
 * @async: O_ASYNC is set or cleared; as the file operation fasync; NULL:
 *	-EOPNOTSUPP
 * @flush: a process closes a descriptor of the handle, of which it may have more;
 *	NULL: nothing to do
 * @mmap: as mmap(2); the handle's rights were not checked; NULL: -ENODEV
 * @get_area: as the file operation get_unmapped_area; may be NULL
 * @travels: handles may be sent in messages, as they never hold a message
 * @maps_both: @mmap alone says what its handles map for reading and writing;
 *	otherwise nothing that their rights do not allow gets there
 */
struct ipcbox_kind {
	const char *name;
	const struct ipcbox_ioctl *ioctls;
	size_t ioctl_count;
	struct ipcbox_object *(*create)(const struct ipcbox_create *request);
	int (*registered)(struct ipcbox_object *object);
	void (*destroy)(struct ipcbox_object *object);
	int (*attach)(struct ipcbox_handle *handle);
	void (*detach)(struct ipcbox_handle *handle);
	void (*unlinked)(struct ipcbox_object *object);
	void (*stat)(struct ipcbox_object *object, struct ipcbox_stat *stat);
	int (*set_check)(struct ipcbox_object *object,
			 const struct ipcbox_set *request);
	void (*set)(struct ipcbox_object *object,
		    const struct ipcbox_set *request);
	void (*revoke)(struct ipcbox_object *object);
	ssize_t (*read)(struct ipcbox_handle *handle, char __user *buffer,
			size_t size, bool wait, bool exact);
	ssize_t (*write)(struct ipcbox_handle *handle,
			 const char __user *buffer, size_t size, bool wait,
			 u32 priority);
	__poll_t (*poll)(struct ipcbox_handle *handle, struct file *file,
			 poll_table *table);
	int (*async)(struct ipcbox_handle *handle, int descriptor,
		     struct file *file, int on);
	void (*flush)(struct ipcbox_handle *handle);
	int (*mmap)(struct ipcbox_handle *handle, struct vm_area_struct *area);
	unsigned long (*get_area)(struct ipcbox_handle *handle,
				  unsigned long address, unsigned long length,
				  unsigned long page, unsigned long flags);
	bool travels;
	bool maps_both;
};

/**
 * struct ipcbox_object - what every kind begins with
 * @kind: IPCBOX_MAILBOX or IPCBOX_QUEUE
 * @ops: the kind's functions
 * @box: where it is
 * @id: its id
 * @name_node: its place among the box's names
 * @name: its name, zero-padded; all zero when it has none
 * @name_length: the name's bytes
 * @handles: how many are attached; under box->lock
 * @pins: what else keeps it alive; under box->lock
 * @ended: place among those that the box shall destroy; under box->lock
 * @owner: whose budget it and its memory are charged to; under box->lock
 * @uid: owner
 * @gid: group
 * @creator_uid: who made it; never changes
 * @creator_gid: likewise
 * @mode: permissions
 * @state: IPCBOX_STATE_* bits
 * @changed_at: when it was made, or changed by SET: seconds of CLOCK_REALTIME
 * @mapped_bytes: memory that it has for mapping; never changes
 * @process: whose own mailbox it is, which pins it until it is removed; or
 *	NULL; under box->lock
 * @rcu: the box's tables look at names under RCU
 */
struct ipcbox_object {
	u32 kind;
	const struct ipcbox_kind *ops;
	struct ipcbox_box *box;
	u64 id;
	struct rhash_head name_node;
	char name[IPCBOX_NAME_MAX + 1];
	u32 name_length;
	u32 handles;
	u32 pins;
	struct list_head ended;
	struct ipcbox_user *owner;
	kuid_t uid;
	kgid_t gid;
	kuid_t creator_uid;
	kgid_t creator_gid;
	u32 mode;
	u32 state;
	time64_t changed_at;
	u64 mapped_bytes;
	struct ipcbox_process *process;
	struct rcu_head rcu;
};

/**
 * struct ipcbox_handle - an open file on an object
 * @object: the object; NULL until attached
 * @id: the handle's number in its box
 * @rights: IPCBOX_RIGHT_* bits; never change
 * @share: the share that the last sender by this handle had; see locking.h
 * @block: from which messages sent by it are carved; see locking.h
 * @sender: who sent last by this handle into a receive pool, or NULL; under the
 *	exchange's lock
 * @held: deliveries that it holds, by token; under the exchange's lock
 * @spin: nanoseconds to spin before a wait sleeps
 * @notice: what it registered by NOTIFY, or NULL; under the exchange's lock
 * @undo: what its closing undoes at a region's semaphores, or NULL; under the
 *	region's lock
 * @watch: what its poll waits for there, or NULL; under the region's lock
 */
struct ipcbox_handle {
	struct ipcbox_object *object;
	u64 id;
	u32 rights;
	struct ipcbox_share *share;
	struct ipcbox_block *block;
	struct ipcbox_pool_sender *sender;
	struct rb_root held;
	u32 spin;
	struct ipcbox_notice *notice;
	struct ipcbox_sem_undo *undo;
	struct ipcbox_sem_watch *watch;
};

long ipcbox_object_create(struct ipcbox_invocation *call);
long ipcbox_object_open(struct ipcbox_invocation *call);
long ipcbox_object_unlink(struct ipcbox_invocation *call);
long ipcbox_object_list(struct ipcbox_invocation *call);
long ipcbox_object_stat(struct ipcbox_invocation *call);
long ipcbox_object_set(struct ipcbox_invocation *call);
bool ipcbox_object_remove_locked(struct ipcbox_object *object);
void ipcbox_object_destroy(struct ipcbox_object *object);
void ipcbox_object_reap(struct work_struct *work);
void ipcbox_object_fill_stat(struct ipcbox_object *object,
			     struct ipcbox_stat *stat);
void ipcbox_object_unlock_box(struct ipcbox_object *object);
bool ipcbox_object_grants(const struct ipcbox_object *object, u32 rights);
bool ipcbox_object_permits(const struct ipcbox_object *object, u32 rights);
struct ipcbox_object *ipcbox_object_pin(struct ipcbox_box *box, u64 id);
void ipcbox_object_unpin(struct ipcbox_object *object);
void ipcbox_object_pin_mapped(struct ipcbox_object *object);
void ipcbox_object_unpin_mapped(struct ipcbox_object *object);
struct ipcbox_object *
ipcbox_object_create_for_locked(struct ipcbox_process *process, u32 rights);

/* handle.c */
struct file *ipcbox_handle_create(u32 rights, bool nonblock);
bool ipcbox_handle_travels(const struct file *file);
int ipcbox_handle_attach_locked(struct ipcbox_handle *handle,
				struct ipcbox_object *object);
int ipcbox_handle_check(const struct ipcbox_handle *handle, u32 rights);
u32 ipcbox_handle_rights(const struct ipcbox_handle *handle);
void ipcbox_handle_finish(struct file *file);

/**
 * ipcbox_handle_of() - the handle behind an ioctl on one
 * @call: the ioctl
 *
 * Return: the handle, attached.
 */
static inline struct ipcbox_handle *
ipcbox_handle_of(const struct ipcbox_invocation *call)
{
	return call->file->private_data;
}

#endif /* IPCBOX_OBJECT_H */
