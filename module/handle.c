// SPDX-License-Identifier: GPL-2.0
/*
 * Handles: open files on objects, which carry rights.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "block.h"
#include "box.h"
#include "compat.h"
#include "locking.h"
#include "object.h"

/**
 * ipcbox_handle_attach_locked() - put a handle on an object
 * @handle: from ipcbox_handle_create(), on no object yet
 * @object: the object; its box's lock is held
 *
 * Return: 0; -EBUSY when a mailbox has its receive handle.
 */
int ipcbox_handle_attach_locked(struct ipcbox_handle *handle,
				struct ipcbox_object *object)
{
	struct ipcbox_box *box = object->box;
	int error;

	lockdep_assert_held(&box->lock);
	handle->object = object;
	handle->id = atomic64_inc_return(&box->last_handle);
	error = object->ops->attach(handle);
	if (error) {
		handle->object = NULL;
		return error;
	}
	WRITE_ONCE(object->handles, object->handles + 1);
	ipcbox_box_get(box);
	return 0;
}

/**
 * ipcbox_handle_rights() - what may be done with a handle now
 * @handle: the handle, attached
 *
 * Return: IPCBOX_RIGHT_* bits: those of the handle; on a revocable object what
 * its mode leaves of them to the caller.
 */
u32 ipcbox_handle_rights(const struct ipcbox_handle *handle)
{
	const struct ipcbox_object *object = handle->object;
	u32 rights = handle->rights;
	u32 right;

	if (likely(!(READ_ONCE(object->state) & IPCBOX_STATE_REVOCABLE)))
		return rights;
	for (right = 1; right <= rights; right <<= 1)
		if (rights & right && !ipcbox_object_permits(object, right))
			rights &= ~right;
	return rights;
}

/**
 * ipcbox_handle_check() - may a handle be used so now?
 * @handle: the handle, attached
 * @rights: IPCBOX_RIGHT_* bits, of which one is enough
 *
 * Return: 0; -EACCES without the right; -ENOENT when the object is revocable
 * and was unlinked.
 */
int ipcbox_handle_check(const struct ipcbox_handle *handle, u32 rights)
{
	const u32 revoked = IPCBOX_STATE_REVOCABLE | IPCBOX_STATE_UNLINKED;
	const struct ipcbox_object *object = handle->object;
	u32 state = READ_ONCE(object->state);

	rights &= handle->rights;
	if (!rights)
		return -EACCES;
	if (likely(!(state & IPCBOX_STATE_REVOCABLE)))
		return 0;
	if ((state & revoked) == revoked)
		return -ENOENT;
	return ipcbox_object_permits(object, rights) ? 0 : -EACCES;
}

static int handle_release(struct inode *inode, struct file *file)
{
	struct ipcbox_handle *handle = file->private_data;
	struct ipcbox_object *object = handle->object;
	struct ipcbox_box *box;

	if (object) {
		box = object->box;
		object->ops->detach(handle);
		/* Before its user's share can go with the object. */
		ipcbox_block_end(handle->block);
		mutex_lock(&box->lock);
		WRITE_ONCE(object->handles, object->handles - 1);
		ipcbox_object_unlock_box(object);
		ipcbox_box_put(box);
	}
	kfree(handle);
	return 0;
}

static ssize_t handle_read(struct file *file, char __user *buffer, size_t size,
			   loff_t *position)
{
	struct ipcbox_handle *handle = file->private_data;
	int error;

	if (!(handle->rights & IPCBOX_RIGHT_RECEIVE))
		return -EBADF;
	error = ipcbox_handle_check(handle, IPCBOX_RIGHT_RECEIVE);
	if (error)
		return error;
	/* Of read(2) there is no position: see stream_open(). */
	if (!handle->object->ops->read || (position && *position))
		return -EINVAL;
	return handle->object->ops->read(handle, buffer, size,
					 !(file->f_flags & O_NONBLOCK),
					 position);
}

static ssize_t handle_write(struct file *file, const char __user *buffer,
			    size_t size, loff_t *position)
{
	struct ipcbox_handle *handle = file->private_data;
	int error;

	if (!(handle->rights & IPCBOX_RIGHT_SEND))
		return -EBADF;
	error = ipcbox_handle_check(handle, IPCBOX_RIGHT_SEND);
	if (error)
		return error;
	if (!handle->object->ops->write ||
	    (position && *position > IPCBOX_PRIORITY_MAX))
		return -EINVAL;
	return handle->object->ops->write(handle, buffer, size,
					  !(file->f_flags & O_NONBLOCK),
					  position ? *position : 0);
}

static __poll_t handle_poll(struct file *file, poll_table *table)
{
	struct ipcbox_handle *handle = file->private_data;

	return handle->object->ops->poll(handle, file, table);
}

static int handle_async(int descriptor, struct file *file, int on)
{
	struct ipcbox_handle *handle = file->private_data;

	if (!handle->object->ops->async)
		return -EOPNOTSUPP;
	return handle->object->ops->async(handle, descriptor, file, on);
}

static int handle_mmap(struct file *file, struct vm_area_struct *area)
{
	struct ipcbox_handle *handle = file->private_data;

	if (!handle->object->ops->mmap)
		return -ENODEV;
	return handle->object->ops->mmap(handle, area);
}

static int handle_flush(struct file *file, fl_owner_t owner)
{
	struct ipcbox_handle *handle = file->private_data;

	if (handle->object && handle->object->ops->flush)
		handle->object->ops->flush(handle);
	return 0;
}

static unsigned long handle_get_area(struct file *file, unsigned long address,
				     unsigned long length, unsigned long page,
				     unsigned long flags)
{
	struct ipcbox_handle *handle = file->private_data;

	if (!handle->object->ops->get_area)
		return ipcbox_get_unmapped_area(address, length, page, flags);
	return handle->object->ops->get_area(handle, address, length, page,
					     flags);
}

static long handle_ioctl(struct file *file, unsigned int command,
			 unsigned long argument)
{
	struct ipcbox_handle *handle = file->private_data;
	const struct ipcbox_kind *ops = handle->object->ops;

	return ipcbox_ioctl_serve(file, ops->ioctls, ops->ioctl_count, command,
				  (void __user *)argument);
}

static void handle_show_fdinfo(struct seq_file *out, struct file *file)
{
	struct ipcbox_handle *handle = file->private_data;
	struct ipcbox_object *object = handle->object;
	struct ipcbox_stat stat;

	ipcbox_object_fill_stat(object, &stat);
	seq_printf(out, "ipcbox-id:\t%llu\n", stat.id);
	seq_printf(out, "ipcbox-kind:\t%s\n", object->ops->name);
	seq_printf(out, "ipcbox-name:\t%s\n", object->name);
	seq_printf(out, "ipcbox-handle:\t%llu\n", handle->id);
	seq_printf(out, "ipcbox-rights:\t%s%s%s%s\n",
		   handle->rights & IPCBOX_RIGHT_RECEIVE ? "r" : "-",
		   handle->rights & IPCBOX_RIGHT_SEND ? "w" : "-",
		   handle->rights & IPCBOX_RIGHT_MANAGE ? "m" : "-",
		   handle->rights & IPCBOX_RIGHT_LOOK ? "l" : "-");
	seq_printf(out, "ipcbox-state:\t%s%s%s\n",
		   stat.state & IPCBOX_STATE_PERSISTENT ? "persistent" :
							  "handle-bound",
		   stat.state & IPCBOX_STATE_UNLINKED ? " unlinked" : "",
		   stat.state & IPCBOX_STATE_SEALED ? " sealed" : "");
	if (stat.mapped_bytes)
		seq_printf(out, "ipcbox-mapped:\t%llu bytes, %u mappings\n",
			   stat.mapped_bytes, stat.mappings);
	if (stat.semaphores)
		seq_printf(out, "ipcbox-semaphores:\t%u\n", stat.semaphores);
	if (!stat.max_messages)
		return;
	seq_printf(out, "ipcbox-messages:\t%llu/%llu\n", stat.messages,
		   stat.max_messages);
	seq_printf(out, "ipcbox-bytes:\t%llu/%llu\n", stat.bytes,
		   stat.max_bytes);
}

static const struct file_operations handle_operations = {
	.owner = THIS_MODULE,
	.flush = handle_flush,
	.release = handle_release,
	.read = handle_read,
	.write = handle_write,
	.poll = handle_poll,
	.fasync = handle_async,
	.mmap = handle_mmap,
	.get_unmapped_area = handle_get_area,
	.unlocked_ioctl = handle_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = handle_show_fdinfo,
};

/**
 * ipcbox_handle_travels() - may a file be sent in a message?
 * @file: a file of this module
 *
 * Return: true for a handle on an object of a kind that may.
 */
bool ipcbox_handle_travels(const struct file *file)
{
	const struct ipcbox_handle *handle = file->private_data;

	return file->f_op == &handle_operations && handle->object->ops->travels;
}

/**
 * ipcbox_handle_finish() - a handle is on its object, and about to be used
 * @file: the handle's file, which nobody else has yet
 */
void ipcbox_handle_finish(struct file *file)
{
	const fmode_t both = FMODE_READ | FMODE_WRITE;
	struct ipcbox_handle *handle = file->private_data;
	struct ipcbox_object *object = handle->object;

	/* What takes messages takes them by pread(2) and pwrite(2), too. */
	if (!(object->state & IPCBOX_STATE_STREAM))
		file->f_mode |= FMODE_PREAD | FMODE_PWRITE;
	if (!object->ops->maps_both || !object->mapped_bytes ||
	    (file->f_mode & both) == both)
		return;
	/* A file that is only read is counted, and would be uncounted no more. */
	if ((file->f_mode & both) == FMODE_READ)
		i_readcount_dec(file_inode(file));
	/* What read(2) and write(2) may do goes by the handle's rights. */
	file->f_mode |= both | FMODE_CAN_READ | FMODE_CAN_WRITE;
}

/**
 * ipcbox_handle_create() - make a handle, on no object yet
 * @rights: IPCBOX_RIGHT_* bits
 * @nonblock: set O_NONBLOCK
 *
 * Made first, as it may fail, and attached when nothing else can. May sleep for
 * memory.
 *
 * Return: the handle's file, to be given to a descriptor or fput(); ERR_PTR:
 * -ENOMEM, -ENFILE.
 */
struct file *ipcbox_handle_create(u32 rights, bool nonblock)
{
	struct ipcbox_handle *handle;
	struct file *file;
	int flags = O_RDONLY;

	handle = kzalloc(sizeof(*handle), GFP_KERNEL_ACCOUNT);
	if (!handle)
		return ERR_PTR(-ENOMEM);
	handle->rights = rights;
	if (rights & IPCBOX_RIGHT_SEND)
		flags = rights & IPCBOX_RIGHT_RECEIVE ? O_RDWR : O_WRONLY;
	if (nonblock)
		flags |= O_NONBLOCK;
	file = anon_inode_getfile("[ipcbox]", &handle_operations, handle,
				  flags);
	if (IS_ERR(file))
		kfree(handle);
	else
		/* There is no position, and no time shall be spent on one. */
		stream_open(file_inode(file), file);
	return file;
}
