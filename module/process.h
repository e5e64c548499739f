/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes that have the device open, and their own mailboxes.
 */
#ifndef IPCBOX_PROCESS_H
#define IPCBOX_PROCESS_H

#include <linux/fs.h>
#include <linux/types.h>

struct cred;
struct ipcbox_box;
struct ipcbox_object;
struct pid;

/**
 * struct ipcbox_process - a process that opened the device
 * @node: place among the box's processes
 * @box: the box, held
 * @pid: the process, held; never that of another that has got its number
 * @devices: its open files on the device; under box->lock
 * @mailbox: its own mailbox, or NULL; under box->lock
 */
struct ipcbox_process {
	struct hlist_node node;
	struct ipcbox_box *box;
	struct pid *pid;
	u32 devices;
	struct ipcbox_object *mailbox;
};

struct ipcbox_process *ipcbox_process_attach(struct ipcbox_box *box);
void ipcbox_process_detach(struct ipcbox_process *process);
struct ipcbox_object *ipcbox_process_mailbox_locked(struct ipcbox_box *box,
						    struct pid *pid, u32 rights);
const struct cred *ipcbox_process_cred(const struct ipcbox_process *process);
bool ipcbox_process_is_current(const struct ipcbox_process *process);
bool ipcbox_process_may_signal(const struct ipcbox_process *process);

/**
 * ipcbox_process_box() - the box behind a file on the device
 * @device: the file
 *
 * Return: the box.
 */
static inline struct ipcbox_box *ipcbox_process_box(const struct file *device)
{
	const struct ipcbox_process *process = device->private_data;

	return process->box;
}

#endif /* IPCBOX_PROCESS_H */
