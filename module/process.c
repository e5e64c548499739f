// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that have the device open, and their own mailboxes.
 *
 * A process is known by its struct pid, which is held, so a number that is used
 * again never leads to another's mailbox. It is forgotten when the last file
 * goes that it opened on the device: there is no exit hook.
 */
#include <linux/cred.h>
#include <linux/hash.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "box.h"
#include "locking.h"
#include "object.h"
#include "process.h"

static u32 process_hash(const struct pid *pid)
{
	return hash_ptr(pid, 32);
}

static struct ipcbox_process *process_find_locked(struct ipcbox_box *box,
						  const struct pid *pid)
{
	struct ipcbox_process *process;

	lockdep_assert_held(&box->lock);
	hash_for_each_possible(box->processes, process, node,
			       process_hash(pid))
		if (process->pid == pid)
			return process;
	return NULL;
}

static struct ipcbox_process *process_create_locked(struct ipcbox_box *box)
{
	struct ipcbox_process *process;

	process = kzalloc(sizeof(*process), GFP_KERNEL_ACCOUNT);
	if (!process)
		return NULL;
	process->box = box;
	process->pid = get_pid(task_tgid(current));
	hash_add(box->processes, &process->node, process_hash(process->pid));
	return process;
}

/**
 * ipcbox_process_attach() - the caller opens the device
 * @box: the box, which the process then holds
 *
 * Return: the caller's process, until ipcbox_process_detach(); NULL without
 * memory.
 */
struct ipcbox_process *ipcbox_process_attach(struct ipcbox_box *box)
{
	struct ipcbox_process *process;

	mutex_lock(&box->lock);
	process = process_find_locked(box, task_tgid(current));
	if (!process)
		process = process_create_locked(box);
	if (process)
		process->devices++;
	mutex_unlock(&box->lock);
	return process;
}

/**
 * ipcbox_process_detach() - a file on the device is closed
 * @process: whose it was
 */
void ipcbox_process_detach(struct ipcbox_process *process)
{
	struct ipcbox_box *box = process->box;
	struct ipcbox_object *mailbox;
	bool done = false;

	mutex_lock(&box->lock);
	if (--process->devices) {
		mutex_unlock(&box->lock);
		return;
	}
	hash_del(&process->node);
	mailbox = process->mailbox;
	if (mailbox)
		done = ipcbox_object_remove_locked(mailbox);
	mutex_unlock(&box->lock);
	if (done)
		ipcbox_object_destroy(mailbox);
	put_pid(process->pid);
	kfree(process);
}

/**
 * ipcbox_process_mailbox_locked() - a process's own mailbox
 * @box: the box; its lock is held
 * @pid: the process
 * @rights: what the caller wants to do with it: IPCBOX_RIGHT_* bits
 *
 * Makes it when it is first asked for by somebody who may. May sleep for memory.
 *
 * Return: the mailbox, alive while the lock is held; whether it grants @rights
 * is the caller's to check. ERR_PTR: -ENOENT when the process does not have the
 * device open, or as ipcbox_object_create_for_locked() has it.
 */
struct ipcbox_object *ipcbox_process_mailbox_locked(struct ipcbox_box *box,
						    struct pid *pid, u32 rights)
{
	struct ipcbox_process *process = process_find_locked(box, pid);

	lockdep_assert_held(&box->lock);
	if (!process)
		return ERR_PTR(-ENOENT);
	if (process->mailbox)
		return process->mailbox;
	return ipcbox_object_create_for_locked(process, rights);
}

/**
 * ipcbox_process_cred() - the credentials that a process has now
 * @process: the process
 *
 * Return: the credentials, until put_cred(); NULL when the process has died.
 */
const struct cred *ipcbox_process_cred(const struct ipcbox_process *process)
{
	struct task_struct *task = get_pid_task(process->pid, PIDTYPE_TGID);
	const struct cred *cred;

	if (!task)
		return NULL;
	cred = get_task_cred(task);
	put_task_struct(task);
	return cred;
}

/**
 * ipcbox_process_is_current() - does the caller belong to a process?
 * @process: the process
 *
 * Return: true if it does.
 */
bool ipcbox_process_is_current(const struct ipcbox_process *process)
{
	return process->pid == task_tgid(current);
}

/**
 * ipcbox_process_may_signal() - might the caller send a process a signal?
 * @process: the process
 *
 * As kill(2) without a capability: the caller's real or effective uid is the
 * real or saved one of the process.
 *
 * Return: true if it might; false when the process has died.
 */
bool ipcbox_process_may_signal(const struct ipcbox_process *process)
{
	const struct cred *target = ipcbox_process_cred(process);
	const struct cred *cred = current_cred();
	bool may;

	if (!target)
		return false;
	may = uid_eq(cred->euid, target->suid) ||
	      uid_eq(cred->euid, target->uid) ||
	      uid_eq(cred->uid, target->suid) ||
	      uid_eq(cred->uid, target->uid);
	put_cred(target);
	return may;
}
