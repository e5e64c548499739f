// SPDX-License-Identifier: GPL-2.0
/*
 * Semaphores of a region as programs use them: waiting, undoing, polling,
 * looking and setting. What they do is in sem.c.
 */
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "locking.h"
#include "region.h"

/**
 * struct semaphore_waiter - a thread that waits, on its own stack
 * @request: what it wants done; its result is the waiter's
 * @waiter: the thread
 */
struct semaphore_waiter {
	struct ipcbox_sem_request request;
	struct ipcbox_waiter waiter;
};

/**
 * struct ipcbox_sem_watch - what a handle's poll waits for
 * @count: operations
 * @operations: the operations, without IPCBOX_SEM_UNDO
 */
struct ipcbox_sem_watch {
	u32 count;
	struct ipcbox_sem_operation operations[];
};

/* What poll waits for unless it was told: semaphore 0 to be there. */
static const struct ipcbox_sem_operation semaphore_watched = { .change = -1 };

/*
 * Locking, and waking
 */

static void semaphore_lock(struct ipcbox_region *region,
			   struct ipcbox_wakes *wakes)
	__acquires(RCU) __acquires(&region->lock)
{
	wakes->count = 0;
	rcu_read_lock();
	spin_lock(&region->lock);
}

/* Who operated last on the semaphores of a request that was done. */
static void semaphore_note_locked(struct ipcbox_region *region,
				  const struct ipcbox_sem_request *request,
				  struct pid *pid)
{
	struct pid **last;
	u32 i;

	lockdep_assert_held(&region->lock);
	for (i = 0; i < request->count; i++) {
		last = &region->pids[request->operations[i].semaphore];
		if (*last == pid)
			continue;
		put_pid(*last);
		*last = get_pid(pid);
	}
}

static void semaphore_finish_locked(struct ipcbox_region *region,
				    struct semaphore_waiter *waiter, int result,
				    struct ipcbox_wakes *wakes)
{
	lockdep_assert_held(&region->lock);
	region->waiting--;
	if (!result || result == -EOWNERDEAD)
		semaphore_note_locked(region, &waiter->request,
				      task_tgid(waiter->waiter.task));
	ipcbox_waiter_finish_locked(&waiter->waiter, result, wakes);
}

/* Whatever has changed: those go on who can. */
static void semaphore_settle_locked(struct ipcbox_region *region,
				    struct ipcbox_wakes *wakes)
{
	struct semaphore_waiter *waiter, *next;
	LIST_HEAD(done);

	lockdep_assert_held(&region->lock);
	ipcbox_sem_settle(&region->set, &done);
	list_for_each_entry_safe(waiter, next, &done, request.node)
		semaphore_finish_locked(region, waiter, waiter->request.result,
					wakes);
}

static void semaphore_unlock(struct ipcbox_region *region,
			     struct ipcbox_wakes *wakes, __poll_t events)
	__releases(&region->lock) __releases(RCU)
{
	unsigned int i;

	/* Pollers look under the lock as well: see "poll" in locking.h. */
	if (!waitqueue_active(&region->changed))
		events = 0;
	spin_unlock(&region->lock);
	for (i = 0; i < wakes->count; i++)
		wake_up_process(wakes->tasks[i]);
	rcu_read_unlock();
	if (events)
		wake_up_interruptible_poll(&region->changed, events);
}

/*
 * Life
 */

/**
 * ipcbox_semaphore_init() - give a new region its semaphores
 * @region: the region
 * @count: how many, 0 to IPCBOX_SEMAPHORES_MAX
 *
 * Return: 0, or -ENOMEM.
 */
int ipcbox_semaphore_init(struct ipcbox_region *region, u32 count)
{
	struct ipcbox_sem *sems = NULL;

	spin_lock_init(&region->lock);
	init_waitqueue_head(&region->changed);
	if (count) {
		sems = kvcalloc(count, sizeof(*sems), GFP_KERNEL_ACCOUNT);
		region->pids = kvcalloc(count, sizeof(*region->pids),
					GFP_KERNEL_ACCOUNT);
		if (!sems || !region->pids) {
			kvfree(region->pids);
			kvfree(sems);
			return -ENOMEM;
		}
	}
	ipcbox_sem_init(&region->set, sems, count);
	return 0;
}

/**
 * ipcbox_semaphore_destroy() - a region goes, with its semaphores
 * @region: the region, to which nobody refers
 */
void ipcbox_semaphore_destroy(struct ipcbox_region *region)
{
	u32 i;

	for (i = 0; i < region->set.count; i++)
		put_pid(region->pids[i]);
	kvfree(region->pids);
	kvfree(region->set.sems);
}

/**
 * ipcbox_semaphore_detach() - a handle is closed: what it did is undone
 * @handle: the handle
 */
void ipcbox_semaphore_detach(struct ipcbox_handle *handle)
{
	struct ipcbox_region *region = ipcbox_region_of(handle->object);
	struct ipcbox_wakes wakes;

	if (handle->undo) {
		semaphore_lock(region, &wakes);
		ipcbox_sem_revert(&region->set, handle->undo);
		semaphore_settle_locked(region, &wakes);
		semaphore_unlock(region, &wakes, EPOLLIN | EPOLLRDNORM);
		kvfree(handle->undo);
	}
	kfree(handle->watch);
}

static bool semaphore_ended(const struct ipcbox_region *region)
{
	return READ_ONCE(region->object.state) & IPCBOX_STATE_UNLINKED;
}

static void semaphore_fail_all_locked(struct ipcbox_region *region,
				      struct list_head *queue,
				      struct ipcbox_wakes *wakes)
{
	struct semaphore_waiter *waiter, *next;

	list_for_each_entry_safe(waiter, next, queue, request.node) {
		ipcbox_sem_cancel(&region->set, &waiter->request);
		semaphore_finish_locked(region, waiter, -EPIPE, wakes);
	}
}

/**
 * ipcbox_semaphore_unlinked() - a region was unlinked: nobody waits any more
 * @region: the region, marked so
 */
void ipcbox_semaphore_unlinked(struct ipcbox_region *region)
{
	struct ipcbox_wakes wakes;
	u32 i;

	semaphore_lock(region, &wakes);
	for (i = 0; i < region->set.count && region->waiting; i++) {
		semaphore_fail_all_locked(region, &region->set.sems[i].rising,
					  &wakes);
		semaphore_fail_all_locked(region, &region->set.sems[i].falling,
					  &wakes);
	}
	semaphore_settle_locked(region, &wakes);
	semaphore_unlock(region, &wakes, EPOLLIN | EPOLLRDNORM | EPOLLHUP);
}

/**
 * ipcbox_semaphore_poll() - poll(2) on a region
 * @handle: the handle
 * @file: its file
 * @table: where the caller waits, or nothing
 *
 * Return: events as <linux/ipcbox.h> says.
 */
__poll_t ipcbox_semaphore_poll(struct ipcbox_handle *handle, struct file *file,
			       poll_table *table)
{
	struct ipcbox_region *region = ipcbox_region_of(handle->object);
	struct ipcbox_sem_request request = {
		.operations = &semaphore_watched,
		.count = 1,
		.ticket = U64_MAX,
	};
	__poll_t events = 0;

	poll_wait(file, &region->changed, table);
	spin_lock(&region->lock);
	if (handle->watch) {
		request.operations = handle->watch->operations;
		request.count = handle->watch->count;
	}
	if (region->set.count && ipcbox_sem_possible(&region->set, &request))
		events |= EPOLLIN | EPOLLRDNORM;
	if (semaphore_ended(region))
		events |= EPOLLHUP;
	spin_unlock(&region->lock);
	return events;
}

/*
 * Requests
 */

/* An array of structures, each as long as the caller has it. */
static int semaphore_read_array(void *to, size_t size, size_t least, u64 from,
				u32 count, u32 stride)
{
	const char __user *next = u64_to_user_ptr(from);
	int error;
	u32 i;

	if (stride < least)
		return -EINVAL;
	if (stride > PAGE_SIZE)
		return -E2BIG;
	for (i = 0; i < count; i++) {
		error = copy_struct_from_user(to, size, next, stride);
		if (error)
			return error;
		to += size;
		next += stride;
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/* What is to be done, and whether the handle may. */
static int semaphore_read_operations(const struct ipcbox_handle *handle,
				     const struct ipcbox_sem_operate *request,
				     struct ipcbox_sem_operation *operations)
{
	const struct ipcbox_region *region = ipcbox_region_of(handle->object);
	struct ipcbox_sem_operation *operation;
	int error;

	error = semaphore_read_array(operations, sizeof(*operations),
				     sizeof(*operations), request->operations,
				     request->count, request->operation_size);
	if (error)
		return error;
	for (operation = operations; operation < operations + request->count;
	     operation++) {
		if (operation->semaphore >= region->set.count ||
		    operation->change > IPCBOX_SEM_VALUE_MAX ||
		    operation->change < -IPCBOX_SEM_VALUE_MAX ||
		    operation->flags & ~IPCBOX_SEM_UNDO || operation->pad)
			return -EINVAL;
		if (!(handle->rights & (operation->change ?
					IPCBOX_RIGHT_SEND :
					IPCBOX_RIGHT_RECEIVE)))
			return -EACCES;
	}
	return 0;
}

static bool semaphore_has_undo(const struct ipcbox_sem_operation *operations,
			       u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (operations[i].flags & IPCBOX_SEM_UNDO)
			return true;
	return false;
}

/* What a handle needs before its first operation with IPCBOX_SEM_UNDO. */
static int semaphore_prepare_undo(struct ipcbox_handle *handle)
{
	struct ipcbox_region *region = ipcbox_region_of(handle->object);
	struct ipcbox_sem_undo *undo;

	if (READ_ONCE(handle->undo))
		return 0;
	undo = kvcalloc(region->set.count, sizeof(*undo), GFP_KERNEL_ACCOUNT);
	if (!undo)
		return -ENOMEM;
	spin_lock(&region->lock);
	if (!handle->undo) {
		WRITE_ONCE(handle->undo, undo);
		undo = NULL;
	}
	spin_unlock(&region->lock);
	kvfree(undo);
	return 0;
}

/* Puts what poll shall wait for in the place of what it did. */
static int semaphore_watch(struct ipcbox_handle *handle,
			   const struct ipcbox_sem_operation *operations,
			   u32 count)
{
	struct ipcbox_region *region = ipcbox_region_of(handle->object);
	struct ipcbox_sem_watch *watch, *previous;
	struct ipcbox_wakes wakes;

	watch = kmalloc(struct_size(watch, operations, count),
			GFP_KERNEL_ACCOUNT);
	if (!watch)
		return -ENOMEM;
	watch->count = count;
	memcpy(watch->operations, operations, count * sizeof(*operations));
	semaphore_lock(region, &wakes);
	previous = handle->watch;
	handle->watch = watch;
	/* Those who poll already look again. */
	semaphore_unlock(region, &wakes, EPOLLIN | EPOLLRDNORM);
	kfree(previous);
	return 0;
}

/* Until it was done by who made it possible, or was given up. */
static int semaphore_wait(struct ipcbox_region *region,
			  struct semaphore_waiter *waiter,
			  const struct ipcbox_patience *patience)
{
	struct ipcbox_wakes wakes;
	int error;

	error = ipcbox_waiter_wait(&waiter->waiter, patience);
	if (!error)
		return waiter->waiter.result;
	semaphore_lock(region, &wakes);
	if (waiter->waiter.result != IPCBOX_WAITING) {
		error = waiter->waiter.result;
	} else {
		region->waiting--;
		ipcbox_sem_cancel(&region->set, &waiter->request);
		semaphore_settle_locked(region, &wakes);
	}
	semaphore_unlock(region, &wakes, EPOLLIN | EPOLLRDNORM);
	return error;
}

static int semaphore_do(struct ipcbox_handle *handle,
			const struct ipcbox_sem_operation *operations,
			u32 count, const struct ipcbox_patience *patience)
{
	struct ipcbox_region *region = ipcbox_region_of(handle->object);
	struct semaphore_waiter waiter = {
		.request = {
			.operations = operations,
			.count = count,
			.ticket = U64_MAX,
		},
	};
	struct ipcbox_wakes wakes;
	bool waits = false;
	int result;

	ipcbox_waiter_init(&waiter.waiter);
	semaphore_lock(region, &wakes);
	waiter.request.undo = handle->undo;
	result = ipcbox_sem_try(&region->set, &waiter.request);
	if (!result || result == -EOWNERDEAD) {
		semaphore_note_locked(region, &waiter.request,
				      task_tgid(current));
		semaphore_settle_locked(region, &wakes);
	} else if (result == -EAGAIN && semaphore_ended(region)) {
		result = -EPIPE;
	} else if (result == -EAGAIN && patience->wait) {
		ipcbox_sem_wait(&region->set, &waiter.request);
		region->waiting++;
		waits = true;
	}
	semaphore_unlock(region, &wakes, EPOLLIN | EPOLLRDNORM);
	return waits ? semaphore_wait(region, &waiter, patience) : result;
}

/**
 * ipcbox_semaphore_operate() - serve IPCBOX_IOC_SEM
 * @call: a call on a handle, with a struct ipcbox_sem_operate
 *
 * Return: 0, or an errno as <linux/ipcbox.h> says.
 */
long ipcbox_semaphore_operate(struct ipcbox_invocation *call)
{
	struct ipcbox_sem_operation operations[IPCBOX_SEM_OPERATIONS_MAX];
	struct ipcbox_handle *handle = ipcbox_handle_of(call);
	const struct ipcbox_sem_operate *request = call->request;
	const u32 flags = IPCBOX_NOWAIT | IPCBOX_SEM_WATCH |
			  IPCBOX_REALTIME | IPCBOX_NORESTART;
	const struct ipcbox_patience patience = {
		.wait = !(request->flags & IPCBOX_NOWAIT ||
			  call->file->f_flags & O_NONBLOCK),
		.clock = ipcbox_patience_clock(request->flags),
		.deadline = request->deadline,
	};
	long result;
	bool undo;
	int error;

	if (request->flags & ~flags || !request->count ||
	    request->count > IPCBOX_SEM_OPERATIONS_MAX ||
	    !ipcbox_deadline_valid(request->deadline))
		return -EINVAL;
	error = semaphore_read_operations(handle, request, operations);
	if (error)
		return error;
	undo = semaphore_has_undo(operations, request->count);
	if (request->flags & IPCBOX_SEM_WATCH)
		return undo ? -EINVAL : semaphore_watch(handle, operations,
							request->count);
	if (undo) {
		error = semaphore_prepare_undo(handle);
		if (error)
			return error;
	}
	result = semaphore_do(handle, operations, request->count, &patience);
	return ipcbox_request_restarts(result, request->flags);
}

static void semaphore_fill_locked(struct ipcbox_region *region, u32 index,
				  struct ipcbox_sem_state *state)
{
	const struct ipcbox_sem *sem = &region->set.sems[index];

	lockdep_assert_held(&region->lock);
	*state = (struct ipcbox_sem_state){
		.value = sem->value,
		.maximum = sem->maximum,
		.rising = sem->rising_count,
		.falling = sem->falling_count,
		.pid = pid_vnr(region->pids[index]),
		.flags = sem->dead ? IPCBOX_SEM_DEAD : 0,
	};
}

/* An entry larger than the kernel's gets its rest filled with zeroes. */
static int semaphore_copy_states(u64 to, u32 stride, u32 count,
				 const struct ipcbox_sem_state *states)
{
	char __user *next = u64_to_user_ptr(to);
	u32 size = min_t(u32, stride, sizeof(*states));
	u32 i;

	for (i = 0; i < count; i++) {
		if (copy_to_user(next, &states[i], size) ||
		    clear_user(next + size, stride - size))
			return -EFAULT;
		next += stride;
	}
	return 0;
}

/**
 * ipcbox_semaphore_get() - serve IPCBOX_IOC_SEM_GET
 * @call: a call on a handle, with a struct ipcbox_sem_get
 *
 * Return: 0, or an errno as <linux/ipcbox.h> says.
 */
long ipcbox_semaphore_get(struct ipcbox_invocation *call)
{
	struct ipcbox_handle *handle = ipcbox_handle_of(call);
	struct ipcbox_region *region = ipcbox_region_of(handle->object);
	const struct ipcbox_sem_get *request = call->request;
	struct ipcbox_sem_state *states;
	u32 i;
	int error;

	if (request->flags || request->pad || !request->count ||
	    request->state_size < sizeof(*states) ||
	    request->first >= region->set.count ||
	    request->count > region->set.count - request->first)
		return -EINVAL;
	if (request->state_size > PAGE_SIZE)
		return -E2BIG;
	if (!(handle->rights & (IPCBOX_RIGHT_RECEIVE | IPCBOX_RIGHT_LOOK)))
		return -EACCES;
	states = kvmalloc_array(request->count, sizeof(*states),
				GFP_KERNEL_ACCOUNT);
	if (!states)
		return -ENOMEM;
	spin_lock(&region->lock);
	for (i = 0; i < request->count; i++)
		semaphore_fill_locked(region, request->first + i, &states[i]);
	spin_unlock(&region->lock);
	error = semaphore_copy_states(request->states, request->state_size,
				      request->count, states);
	kvfree(states);
	return error;
}

static bool semaphore_value_valid(const struct ipcbox_region *region,
				  const struct ipcbox_sem_value *value)
{
	return value->semaphore < region->set.count && !value->pad &&
	       value->maximum && value->maximum <= IPCBOX_SEM_VALUE_MAX &&
	       value->value <= value->maximum;
}

static void semaphore_assign_locked(struct ipcbox_region *region,
				    const struct ipcbox_sem_value *value)
{
	struct pid **last = &region->pids[value->semaphore];

	lockdep_assert_held(&region->lock);
	ipcbox_sem_assign(&region->set, value->semaphore, value->value,
			  value->maximum);
	put_pid(*last);
	*last = get_pid(task_tgid(current));
}

/**
 * ipcbox_semaphore_assign() - serve IPCBOX_IOC_SEM_SET
 * @call: a call on a handle, with a struct ipcbox_sem_assign
 *
 * Return: 0, or an errno as <linux/ipcbox.h> says.
 */
long ipcbox_semaphore_assign(struct ipcbox_invocation *call)
{
	struct ipcbox_handle *handle = ipcbox_handle_of(call);
	struct ipcbox_region *region = ipcbox_region_of(handle->object);
	const struct ipcbox_sem_assign *request = call->request;
	struct ipcbox_sem_value *values;
	struct ipcbox_wakes wakes;
	int error;
	u32 i;

	if (request->flags || !request->count ||
	    request->count > region->set.count)
		return -EINVAL;
	if (!(handle->rights & IPCBOX_RIGHT_MANAGE))
		return -EACCES;
	values = kvmalloc_array(request->count, sizeof(*values),
				GFP_KERNEL_ACCOUNT);
	if (!values)
		return -ENOMEM;
	error = semaphore_read_array(values, sizeof(*values), sizeof(*values),
				     request->values, request->count,
				     request->value_size);
	for (i = 0; i < request->count && !error; i++)
		if (!semaphore_value_valid(region, &values[i]))
			error = -EINVAL;
	if (!error) {
		semaphore_lock(region, &wakes);
		for (i = 0; i < request->count; i++)
			semaphore_assign_locked(region, &values[i]);
		semaphore_settle_locked(region, &wakes);
		semaphore_unlock(region, &wakes, EPOLLIN | EPOLLRDNORM);
	}
	kvfree(values);
	return error;
}
