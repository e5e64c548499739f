// SPDX-License-Identifier: GPL-2.0
/*
 * Reading, serving and answering ioctls, the same for all of them.
 */
#include <linux/file.h>
#include <linux/uaccess.h>

#include "ioctl.h"
#include "usercopy.h"

/*
 * Room for any structure, so that none needs an allocation. A row's whole size
 * is always written, so it is left uninitialised until then: kernels that
 * initialise stack variables would spend more on that than on the call.
 */
union ipcbox_request {
	struct ipcbox_info info;
	struct ipcbox_create create;
	struct ipcbox_open open;
	struct ipcbox_unlink unlink;
	struct ipcbox_list list;
	struct ipcbox_stat stat;
	struct ipcbox_set set;
	struct ipcbox_send send;
	struct ipcbox_receive receive;
	struct ipcbox_call call;
	struct ipcbox_settle settle;
	struct ipcbox_answer answer;
	struct ipcbox_notify notify;
	struct ipcbox_spin spin;
	struct ipcbox_channel_wait channel_wait;
	struct ipcbox_channel_wake channel_wake;
	struct ipcbox_sem_operate sem_operate;
	struct ipcbox_sem_get sem_get;
	struct ipcbox_sem_assign sem_assign;
	struct ipcbox_seal seal;
	struct ipcbox_pool_wait pool_wait;
};

static const struct ipcbox_ioctl *ioctl_find(const struct ipcbox_ioctl *table,
					     size_t rows, unsigned int command)
{
	const struct ipcbox_ioctl *row;

	for (row = table; row < table + rows; row++)
		if (row->command == command)
			return row;
	return NULL;
}

/* The caller gets no more of the answer than it has room for. */
static bool ioctl_answer(const struct ipcbox_ioctl *row, void *request,
			 u32 size, void __user *argument)
{
	return !row->answers ||
	       !ipcbox_copy_out(argument, request,
				min_t(u32, size, row->size));
}

static long ioctl_abandon(struct ipcbox_invocation *call, int descriptor)
{
	if (call->opened) {
		if (call->undo)
			call->undo(call);
		fput(call->opened);
	}
	if (descriptor >= 0)
		put_unused_fd(descriptor);
	return -EFAULT;
}

/**
 * ipcbox_ioctl_serve() - serve one ioctl from a table
 * @file: the descriptor's file
 * @table: the rows
 * @rows: how many
 * @command: the command
 * @argument: the user's structure
 *
 * A new descriptor is reserved before the operation, and is the last thing
 * that becomes visible, after the answer has been written: no failure leaves
 * a descriptor behind that the caller does not know of.
 *
 * Return: what the operation returns; -ENOTTY for a command not in the table;
 * -EFAULT, -EINVAL or -E2BIG for a structure that cannot be read, or when the
 * answer cannot be written; -EMFILE when no descriptor is left.
 */
long ipcbox_ioctl_serve(struct file *file, const struct ipcbox_ioctl *table,
			size_t rows, unsigned int command,
			void __user *argument)
{
	const struct ipcbox_ioctl *row = ioctl_find(table, rows, command);
	union ipcbox_request request __uninitialized;
	struct ipcbox_invocation call = { .file = file, .request = &request };
	int descriptor = -1;
	long result;
	u32 size;

	if (!row)
		return -ENOTTY;
	if (get_user(size, (u32 __user *)argument))
		return -EFAULT;
	if (size < row->min_size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	result = ipcbox_copy_struct_in(&request, row->size, argument, size);
	if (result)
		return result;
	/* The user may have written another size since. */
	*(u32 *)&request = size;

	if (row->opens) {
		descriptor = get_unused_fd_flags(O_CLOEXEC);
		if (descriptor < 0)
			return descriptor;
	}
	result = row->function(&call);
	if (result < 0) {
		if (descriptor >= 0)
			put_unused_fd(descriptor);
		return result;
	}
	if (!ioctl_answer(row, &request, size, argument))
		return ioctl_abandon(&call, descriptor);
	if (row->opens) {
		fd_install(descriptor, call.opened);
		return descriptor;
	}
	return result;
}
