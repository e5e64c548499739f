// SPDX-License-Identifier: GPL-2.0
/*
 * Notice of what happens on an exchange: poll, O_ASYNC, eventfd, one signal.
 */
#include <linux/cred.h>
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "compat.h"
#include "exchange.h"
#include "locking.h"
#include "message.h"

/*
 * Room for the longest message, so that who was told of room never finds too
 * little. A user who has nothing here has room in any case; one whose share
 * this handle has not met yet counts as such.
 */
static bool notify_has_room_locked(struct ipcbox_exchange *exchange,
				   const struct ipcbox_share *share)
{
	lockdep_assert_held(&exchange->lock);
	return !share || ipcbox_queue_admits(&exchange->queue, &share->share,
					     exchange->max_message_bytes);
}

static __poll_t notify_events_locked(struct ipcbox_exchange *exchange,
				     const struct ipcbox_share *share,
				     u32 rights)
{
	__poll_t events = 0;

	lockdep_assert_held(&exchange->lock);
	if (rights & IPCBOX_RIGHT_RECEIVE) {
		if (ipcbox_queue_first(&exchange->queue) ||
		    READ_ONCE(exchange->stream.head))
			events |= EPOLLIN | EPOLLRDNORM;
		if (ipcbox_exchange_no_sender_locked(exchange))
			events |= EPOLLHUP;
	}
	if (rights & IPCBOX_RIGHT_SEND) {
		if (ipcbox_exchange_no_receiver_locked(exchange))
			events |= EPOLLHUP;
		else if (notify_has_room_locked(exchange, share))
			events |= EPOLLOUT | EPOLLWRNORM;
	}
	return events;
}

/**
 * ipcbox_notify_poll() - poll(2) on a mailbox or queue
 * @handle: the handle
 * @file: its file
 * @table: where the caller waits, or nothing
 *
 * Return: events as <linux/ipcbox.h> says.
 */
__poll_t ipcbox_notify_poll(struct ipcbox_handle *handle, struct file *file,
			    poll_table *table)
{
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(handle->object);
	const struct ipcbox_share *share = NULL;
	struct ipcbox_wakes wakes;
	__poll_t events;

	if (handle->rights & IPCBOX_RIGHT_RECEIVE)
		poll_wait(file, &exchange->readable, table);
	if (handle->rights & IPCBOX_RIGHT_SEND) {
		poll_wait(file, &exchange->writable, table);
		share = ipcbox_exchange_share(handle);
	}
	ipcbox_exchange_lock(exchange, &wakes);
	events = notify_events_locked(exchange, share, handle->rights);
	ipcbox_exchange_unlock(exchange, &wakes);
	return events;
}

/**
 * ipcbox_notify_async() - O_ASYNC is set or cleared on a handle
 * @handle: the handle
 * @descriptor: the descriptor
 * @file: its file
 * @on: set or clear
 *
 * Return: as fasync_helper().
 */
int ipcbox_notify_async(struct ipcbox_handle *handle, int descriptor,
			struct file *file, int on)
{
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(handle->object);
	int result = 0;

	if (handle->rights & IPCBOX_RIGHT_RECEIVE)
		result = fasync_helper(descriptor, file, on,
				       &exchange->async_readable);
	if (result < 0 || !(handle->rights & IPCBOX_RIGHT_SEND))
		return result;
	result = fasync_helper(descriptor, file, on, &exchange->async_writable);
	if (result < 0 && handle->rights & IPCBOX_RIGHT_RECEIVE)
		fasync_helper(descriptor, file, 0, &exchange->async_readable);
	return result;
}

/*
 * NOTIFY
 */

/**
 * struct ipcbox_notice - a registration for notice
 * @node: place among the exchange's
 * @every: of every arrival, not only into an empty object
 * @eventfd: what to add to, or NULL
 * @signal: what to send, or 0
 * @value: what to send with it
 * @pid: to whom
 * @program: the number of the program that it executes, see self_exec_id
 * @ns: its user namespace
 */
struct ipcbox_notice {
	struct list_head node;
	bool every;
	struct eventfd_ctx *eventfd;
	int signal;
	u64 value;
	struct pid *pid;
	u64 program;
	struct user_namespace *ns;
};

static void notice_free(struct ipcbox_notice *notice)
{
	if (!notice)
		return;
	if (notice->eventfd)
		eventfd_ctx_put(notice->eventfd);
	put_pid(notice->pid);
	put_user_ns(notice->ns);
	kfree(notice);
}

static void notice_send_signal(const struct ipcbox_notice *notice,
			       const struct ipcbox_message *message)
{
	struct kernel_siginfo info;
	struct task_struct *task;

	clear_siginfo(&info);
	info.si_signo = notice->signal;
	info.si_code = SI_MESGQ;
	info.si_value.sival_ptr = u64_to_user_ptr(notice->value);
	info.si_pid = pid_nr_ns(message->pid, ns_of_pid(notice->pid));
	info.si_uid = from_kuid_munged(notice->ns, message->uid);
	rcu_read_lock();
	task = pid_task(notice->pid, PIDTYPE_TGID);
	if (task && READ_ONCE(task->self_exec_id) == notice->program)
		send_sig_info(notice->signal, &info, task);
	rcu_read_unlock();
}

/**
 * ipcbox_notify_arrival_locked() - a message was put into the queue
 * @exchange: the exchange, locked
 * @message: the message
 */
void ipcbox_notify_arrival_locked(struct ipcbox_exchange *exchange,
				  const struct ipcbox_message *message)
{
	bool was_empty = exchange->queue.messages == 1;
	struct ipcbox_notice *notice, *next;

	lockdep_assert_held(&exchange->lock);
	list_for_each_entry_safe(notice, next, &exchange->notices, node) {
		if (!was_empty && !notice->every)
			continue;
		if (notice->eventfd) {
			ipcbox_eventfd_signal(notice->eventfd);
			continue;
		}
		if (!notice->signal)
			continue;
		notice_send_signal(notice, message);
		/* Once; it is freed when the handle registers or is closed. */
		notice->signal = 0;
	}
}

static struct ipcbox_notice *notice_create(const struct ipcbox_notify *request)
{
	struct ipcbox_notice *notice;
	struct eventfd_ctx *eventfd = NULL;

	if (request->how == IPCBOX_NOTIFY_NONE)
		return NULL;
	if (request->how == IPCBOX_NOTIFY_EVENTFD) {
		eventfd = eventfd_ctx_fdget(request->descriptor);
		if (IS_ERR(eventfd))
			return ERR_CAST(eventfd);
	}
	notice = kzalloc(sizeof(*notice), GFP_KERNEL_ACCOUNT);
	if (!notice) {
		if (eventfd)
			eventfd_ctx_put(eventfd);
		return ERR_PTR(-ENOMEM);
	}
	notice->every = request->flags & IPCBOX_NOTIFY_EVERY;
	notice->eventfd = eventfd;
	notice->signal = request->signal;
	notice->value = request->value;
	notice->pid = get_pid(task_tgid(current));
	notice->program = READ_ONCE(current->group_leader->self_exec_id);
	notice->ns = get_user_ns(current_user_ns());
	return notice;
}

/* Puts a registration, or none, in the place of the handle's. */
static void notice_replace(struct ipcbox_handle *handle,
			   struct ipcbox_notice *notice)
{
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(handle->object);
	struct ipcbox_notice *old;
	struct ipcbox_wakes wakes;

	ipcbox_exchange_lock(exchange, &wakes);
	old = handle->notice;
	handle->notice = notice;
	if (old)
		list_del(&old->node);
	if (notice)
		list_add_tail(&notice->node, &exchange->notices);
	ipcbox_exchange_unlock(exchange, &wakes);
	notice_free(old);
}

/**
 * ipcbox_notify_detach() - a handle is closed
 * @handle: the handle
 */
void ipcbox_notify_detach(struct ipcbox_handle *handle)
{
	notice_replace(handle, NULL);
}

static bool notify_valid(const struct ipcbox_notify *request)
{
	if (request->pad || request->flags & ~IPCBOX_NOTIFY_EVERY)
		return false;
	switch (request->how) {
	case IPCBOX_NOTIFY_NONE:
		return !request->flags && !request->descriptor &&
		       !request->signal && !request->value;
	case IPCBOX_NOTIFY_EVENTFD:
		return !request->signal && !request->value;
	case IPCBOX_NOTIFY_SIGNAL:
		return !request->flags && !request->descriptor &&
		       request->signal && valid_signal(request->signal);
	default:
		return false;
	}
}

/**
 * ipcbox_notify_set() - serve IPCBOX_IOC_NOTIFY
 * @call: a call on a handle, with a struct ipcbox_notify
 *
 * Return: 0, or an errno as <linux/ipcbox.h> says.
 */
long ipcbox_notify_set(struct ipcbox_invocation *call)
{
	struct ipcbox_handle *handle = ipcbox_handle_of(call);
	const struct ipcbox_notify *request = call->request;
	struct ipcbox_notice *notice;

	if (!notify_valid(request))
		return -EINVAL;
	if (!(handle->rights & IPCBOX_RIGHT_RECEIVE))
		return -EACCES;
	notice = notice_create(request);
	if (IS_ERR(notice))
		return PTR_ERR(notice);
	notice_replace(handle, notice);
	return 0;
}
