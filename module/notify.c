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
#include "pool.h"

/*
 * Room for the longest message, so that who was told of room never finds too
 * little. A user who has nothing here has room in any case; one whose share
 * this handle has not met yet counts as such.
 */
static bool notify_has_room_locked(struct ipcbox_exchange *exchange,
				   const struct ipcbox_share *share)
{
	lockdep_assert_held(&exchange->lock);
	if (!share && !exchange->queue.limits.plain)
		return true;
	return ipcbox_queue_admits(&exchange->queue,
				   share ? &share->share : NULL,
				   exchange->max_message_bytes);
}

static bool notify_is_readable_locked(struct ipcbox_exchange *exchange)
{
	if (exchange->pool)
		return ipcbox_pool_readable_locked(exchange);
	return ipcbox_queue_first(&exchange->queue) ||
	       READ_ONCE(exchange->stream.head);
}

static __poll_t notify_events_locked(struct ipcbox_exchange *exchange,
				     const struct ipcbox_share *share,
				     u32 rights)
{
	__poll_t events = 0;

	lockdep_assert_held(&exchange->lock);
	if (rights & IPCBOX_RIGHT_RECEIVE) {
		if (notify_is_readable_locked(exchange))
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

/* A plain queue says all to everyone, as the kernel's own; a revoked one none. */
static u32 notify_rights(const struct ipcbox_handle *handle)
{
	const u32 both = IPCBOX_RIGHT_RECEIVE | IPCBOX_RIGHT_SEND;
	u32 state = READ_ONCE(handle->object->state);

	if (state & IPCBOX_STATE_PLAIN && !(state & IPCBOX_STATE_REVOCABLE) &&
	    handle->rights & both)
		return both;
	return ipcbox_handle_rights(handle);
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
	u32 rights = notify_rights(handle);
	struct ipcbox_wakes wakes;
	__poll_t events;

	if (rights & IPCBOX_RIGHT_RECEIVE)
		poll_wait(file, &exchange->readable, table);
	if (rights & IPCBOX_RIGHT_SEND)
		poll_wait(file, &exchange->writable, table);
	if (handle->rights & IPCBOX_RIGHT_SEND)
		share = ipcbox_exchange_share(handle);
	if (exchange->pool)
		ipcbox_pool_fill(exchange);
	ipcbox_exchange_lock(exchange, &wakes);
	events = notify_events_locked(exchange, share, rights);
	ipcbox_exchange_unlock(exchange, &wakes);
	if (exchange->pool && handle->rights & IPCBOX_RIGHT_SEND &&
	    !(events & (EPOLLOUT | EPOLLHUP)))
		ipcbox_pool_update(exchange, true);
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
 * @exclusive: the process's, and the only one of its sort: ends when it fires, or
 *	when the process closes a descriptor of the object
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
	bool exclusive;
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

/*
 * A signal goes to one thread, while one for a process would be taken by any:
 * choose one that takes it now, the main thread if it does.
 */
static struct task_struct *notice_thread(struct task_struct *leader, int signal)
{
	struct task_struct *thread;

	for_each_thread(leader, thread)
		if (!sigismember(&thread->blocked, signal) &&
		    !(READ_ONCE(thread->flags) & PF_EXITING))
			return thread;
	return leader;
}

static void notice_send_signal(const struct ipcbox_notice *notice,
			       struct pid *pid, kuid_t uid)
{
	struct kernel_siginfo info;
	struct task_struct *task;

	clear_siginfo(&info);
	info.si_signo = notice->signal;
	info.si_code = SI_MESGQ;
	info.si_value.sival_ptr = u64_to_user_ptr(notice->value);
	info.si_pid = pid_nr_ns(pid, ns_of_pid(notice->pid));
	info.si_uid = from_kuid_munged(notice->ns, uid);
	rcu_read_lock();
	task = pid_task(notice->pid, PIDTYPE_TGID);
	if (task && READ_ONCE(task->self_exec_id) == notice->program)
		send_sig_info(notice->signal, &info,
			      notice_thread(task, notice->signal));
	rcu_read_unlock();
}

static void notice_end_registrant_locked(struct ipcbox_exchange *exchange)
{
	struct ipcbox_notice *notice = exchange->registrant;

	lockdep_assert_held(&exchange->lock);
	list_del(&notice->node);
	WRITE_ONCE(exchange->registrant, NULL);
	notice_free(notice);
}

/**
 * ipcbox_notify_arrival_locked() - a message was put into the queue or the pool
 * @exchange: the exchange, locked
 * @was_empty: there was none before it
 * @pid: the process that sent it
 * @uid: its effective uid
 */
void ipcbox_notify_arrival_locked(struct ipcbox_exchange *exchange,
				  bool was_empty, struct pid *pid, kuid_t uid)
{
	struct ipcbox_notice *notice, *next;

	lockdep_assert_held(&exchange->lock);
	list_for_each_entry_safe(notice, next, &exchange->notices, node) {
		if (!was_empty && !notice->every)
			continue;
		if (notice->eventfd)
			ipcbox_eventfd_signal(notice->eventfd);
		if (notice->signal)
			notice_send_signal(notice, pid, uid);
		/* Once; it is freed when the handle registers or is closed. */
		notice->signal = 0;
		if (notice->exclusive)
			notice_end_registrant_locked(exchange);
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
	notice->exclusive = request->flags & IPCBOX_NOTIFY_EXCLUSIVE;
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

/* Ends the exclusive registration, if it is the caller's. */
static void notice_withdraw(struct ipcbox_exchange *exchange)
{
	struct ipcbox_wakes wakes;

	ipcbox_exchange_lock(exchange, &wakes);
	if (exchange->registrant &&
	    exchange->registrant->pid == task_tgid(current))
		notice_end_registrant_locked(exchange);
	ipcbox_exchange_unlock(exchange, &wakes);
}

/* Makes an exclusive registration, or, without a notice, ends the caller's. */
static int notice_register(struct ipcbox_exchange *exchange,
			   struct ipcbox_notice *notice)
{
	struct ipcbox_wakes wakes;
	int error = -EBUSY;

	if (!notice) {
		notice_withdraw(exchange);
		return 0;
	}
	ipcbox_exchange_lock(exchange, &wakes);
	if (!exchange->registrant) {
		WRITE_ONCE(exchange->registrant, notice);
		list_add_tail(&notice->node, &exchange->notices);
		error = 0;
	}
	ipcbox_exchange_unlock(exchange, &wakes);
	if (error)
		notice_free(notice);
	return error;
}

/**
 * ipcbox_notify_flush() - a process closes a descriptor of a handle
 * @handle: the handle
 */
void ipcbox_notify_flush(struct ipcbox_handle *handle)
{
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(handle->object);

	/* A registration of this process's own making is seen: see locking.h. */
	if (READ_ONCE(exchange->registrant))
		notice_withdraw(exchange);
}

/**
 * ipcbox_notify_destroy() - end a registration with its object
 * @exchange: an exchange to which nothing refers
 */
void ipcbox_notify_destroy(struct ipcbox_exchange *exchange)
{
	notice_free(exchange->registrant);
}

static bool notify_valid(const struct ipcbox_notify *request)
{
	u32 exclusive = request->flags & IPCBOX_NOTIFY_EXCLUSIVE;

	if (request->pad ||
	    request->flags & ~(IPCBOX_NOTIFY_EVERY | IPCBOX_NOTIFY_EXCLUSIVE))
		return false;
	if (exclusive && request->flags & IPCBOX_NOTIFY_EVERY)
		return false;
	switch (request->how) {
	case IPCBOX_NOTIFY_NONE:
		return !(request->flags & IPCBOX_NOTIFY_EVERY) &&
		       !request->descriptor && !request->signal &&
		       !request->value;
	case IPCBOX_NOTIFY_EVENTFD:
		return !request->signal && !request->value;
	case IPCBOX_NOTIFY_SIGNAL:
		return !(request->flags & IPCBOX_NOTIFY_EVERY) &&
		       !request->descriptor && valid_signal(request->signal) &&
		       (request->signal || exclusive);
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
	bool exclusive = request->flags & IPCBOX_NOTIFY_EXCLUSIVE;
	struct ipcbox_notice *notice;
	int error;

	if (!notify_valid(request))
		return -EINVAL;
	if (!exclusive) {
		error = ipcbox_handle_check(handle, IPCBOX_RIGHT_RECEIVE);
		if (error)
			return error;
	}
	notice = notice_create(request);
	if (IS_ERR(notice))
		return PTR_ERR(notice);
	if (exclusive)
		return notice_register(ipcbox_exchange_of(handle->object),
				       notice);
	notice_replace(handle, notice);
	return 0;
}
