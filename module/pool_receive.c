// SPDX-License-Identifier: GPL-2.0
/*
 * WAIT for those who map a receive pool, and RECEIVE and read for those who do
 * not.
 */
#include <linux/hrtimer.h>
#include <linux/limits.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>
#include <linux/wait.h>

#include "exchange.h"
#include "locking.h"
#include "pool.h"
#include "select.h"
#include "trace.h"

/**
 * struct pool_reading - a message on its way to a reader without a mapping
 * @exchange: the mailbox
 * @patience: how long to wait for it
 * @capacity: room for its payload
 * @cut: it may be longer than that
 * @record: a copy of its header
 * @position: where it is
 */
struct pool_reading {
	struct ipcbox_exchange *exchange;
	struct ipcbox_patience patience;
	u32 capacity;
	bool cut;
	struct ipcbox_pool_record record;
	u64 position;
};

/*
 * Begins to read the oldest message; what is void before it goes. Readers come
 * one after the other, and none while somebody maps the ring.
 */
static int pool_begin_reading_locked(struct pool_reading *reading,
				     struct ipcbox_wakes *wakes)
{
	struct ipcbox_exchange *exchange = reading->exchange;
	struct ipcbox_pool *pool = exchange->pool;
	struct ipcbox_pool_ring *ring = &pool->ring;
	const struct ipcbox_pool_record *record;

	lockdep_assert_held(&exchange->lock);
	if (pool->mappings)
		return -EBUSY;
	if (pool->busy)
		return -EAGAIN;
	while (ipcbox_pool_ring_readable(ring, ring->tail)) {
		record = ipcbox_pool_ring_at(ring, ring->tail);
		reading->record = *record;
		reading->position = ring->tail;
		if (record->state == IPCBOX_POOL_READY) {
			if (record->length > reading->capacity && !reading->cut)
				return -EMSGSIZE;
			pool->busy = true;
			return 0;
		}
		ipcbox_pool_release_locked(exchange, ring->tail +
					   ipcbox_pool_ring_bytes(record->length),
					   wakes);
	}
	return -EAGAIN;
}

/* Ends it: the message was received, or stays. */
static void pool_end_reading(struct pool_reading *reading, bool received)
{
	struct ipcbox_exchange *exchange = reading->exchange;
	struct ipcbox_wakes wakes;
	bool others;

	ipcbox_exchange_lock(exchange, &wakes);
	exchange->pool->busy = false;
	others = exchange->receivers_waiting;
	if (received)
		ipcbox_pool_release_locked(exchange, reading->position +
					   ipcbox_pool_ring_bytes(reading->record.length),
					   &wakes);
	ipcbox_exchange_unlock(exchange, &wakes);
	if (others)
		wake_up_interruptible(&exchange->readable);
	ipcbox_pool_fill(exchange);
}

/*
 * Is there something to read? 0; -EAGAIN not yet; -EPIPE there never will be.
 * For a reader without a mapping it has been begun, or other errors say why not.
 */
static int pool_look(struct ipcbox_exchange *exchange,
		     struct pool_reading *reading)
{
	struct ipcbox_wakes wakes;
	int result = -EAGAIN;

	ipcbox_exchange_lock(exchange, &wakes);
	if (reading)
		result = pool_begin_reading_locked(reading, &wakes);
	else if (ipcbox_pool_readable_locked(exchange))
		result = 0;
	if (result == -EAGAIN && ipcbox_pool_is_empty_locked(exchange) &&
	    !ipcbox_queue_first(&exchange->queue) &&
	    ipcbox_exchange_no_sender_locked(exchange))
		result = -EPIPE;
	ipcbox_exchange_unlock(exchange, &wakes);
	return result;
}

/* Sleeps until the deadline, or until woken; -ETIMEDOUT, -ERESTARTSYS or 0. */
static int pool_sleep(const struct ipcbox_patience *patience)
{
	ktime_t expires = ns_to_ktime(patience->deadline);
	bool forever = patience->deadline == IPCBOX_FOREVER;

	if (signal_pending(current))
		return -ERESTARTSYS;
	return schedule_hrtimeout_range_clock(forever ? NULL : &expires,
					      current->timer_slack_ns,
					      HRTIMER_MODE_ABS,
					      patience->clock) ? 0 : -ETIMEDOUT;
}

static void pool_count_waiting(struct ipcbox_exchange *exchange, int change)
{
	struct ipcbox_wakes wakes;

	ipcbox_exchange_lock(exchange, &wakes);
	exchange->receivers_waiting += change;
	ipcbox_exchange_unlock(exchange, &wakes);
}

static int pool_await(struct ipcbox_exchange *exchange,
		      struct pool_reading *reading,
		      const struct ipcbox_patience *patience)
{
	DEFINE_WAIT(wait);
	int result;
	int end = 0;

	trace_ipcbox_block(&exchange->object, IPCBOX_RIGHT_RECEIVE);
	pool_count_waiting(exchange, 1);
	for (;;) {
		ipcbox_pool_fill(exchange);
		prepare_to_wait(&exchange->readable, &wait, TASK_INTERRUPTIBLE);
		result = pool_look(exchange, reading);
		if (result != -EAGAIN)
			break;
		result = end;
		if (end)
			break;
		end = pool_sleep(patience);
	}
	finish_wait(&exchange->readable, &wait);
	pool_count_waiting(exchange, -1);
	return result;
}

/* The same as pool_look(), but waits if it may. */
static int pool_look_or_await(struct ipcbox_exchange *exchange,
			      struct pool_reading *reading,
			      const struct ipcbox_patience *patience)
{
	int result;

	ipcbox_pool_fill(exchange);
	result = pool_look(exchange, reading);
	if (result == -EAGAIN && patience->wait)
		result = pool_await(exchange, reading, patience);
	return result;
}

/**
 * ipcbox_pool_wait() - serve IPCBOX_IOC_POOL_WAIT
 * @call: a call on a handle, with a struct ipcbox_pool_wait
 *
 * Return: 0, or an errno as <linux/ipcbox.h> says.
 */
long ipcbox_pool_wait(struct ipcbox_invocation *call)
{
	const u32 flags = IPCBOX_NOWAIT | IPCBOX_REALTIME | IPCBOX_NORESTART;
	struct ipcbox_handle *handle = ipcbox_handle_of(call);
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(handle->object);
	const struct ipcbox_pool_wait *request = call->request;
	const struct ipcbox_patience patience = {
		.wait = !(request->flags & IPCBOX_NOWAIT) &&
			!(call->file->f_flags & O_NONBLOCK),
		.clock = ipcbox_patience_clock(request->flags),
		.deadline = request->deadline,
	};

	if (request->flags & ~flags ||
	    !ipcbox_deadline_valid(request->deadline))
		return -EINVAL;
	if (!(handle->rights & IPCBOX_RIGHT_RECEIVE))
		return -EACCES;
	if (!exchange->pool)
		return -EOPNOTSUPP;
	return ipcbox_request_restarts(pool_look_or_await(exchange, NULL,
							  &patience),
				       request->flags);
}

static int pool_read_begin(struct pool_reading *reading)
{
	return pool_look_or_await(reading->exchange, reading,
				  &reading->patience);
}

static int pool_copy_payload(const struct pool_reading *reading,
			     void __user *to)
{
	const struct ipcbox_pool_ring *ring = &reading->exchange->pool->ring;

	if (fatal_signal_pending(current))
		return -EINTR;
	return copy_to_user(to, ipcbox_pool_ring_at(ring, reading->position) + 1,
			    min(reading->record.length, reading->capacity)) ?
		       -EFAULT : 0;
}

static void pool_describe(const struct pool_reading *reading,
			  struct ipcbox_incoming *incoming)
{
	const struct ipcbox_pool_names names = {
		.pid_ns = task_active_pid_ns(current),
		.user_ns = current_user_ns(),
	};
	struct ipcbox_pool_record record = reading->record;

	ipcbox_pool_translate(&record, &reading->exchange->pool->names, &names);
	*incoming = (struct ipcbox_incoming){
		.data = incoming->data,
		.capacity = incoming->capacity,
		.length = record.length,
		.tag = record.tag,
		.sequence = record.sequence,
		.handle = record.handle,
		.pid = record.pid,
		.uid = record.uid,
		.gid = record.gid,
	};
}

static int pool_give(struct pool_reading *reading,
		     struct ipcbox_incoming *incoming,
		     struct ipcbox_incoming __user *to)
{
	const size_t answer = offsetof(struct ipcbox_incoming, length);
	int error;

	error = pool_copy_payload(reading, u64_to_user_ptr(incoming->data));
	if (error)
		return error;
	pool_describe(reading, incoming);
	return copy_to_user(&to->length, &incoming->length,
			    sizeof(*incoming) - answer) ? -EFAULT : 0;
}

static int pool_receive_one(struct pool_reading *reading,
			    const struct ipcbox_receive *request,
			    struct ipcbox_incoming __user *to)
{
	u32 largest = READ_ONCE(reading->exchange->max_message_bytes);
	struct ipcbox_incoming incoming;
	int error;

	error = copy_struct_from_user(&incoming, sizeof(incoming), to,
				      request->message_size);
	if (error)
		return error;
	reading->capacity = incoming.capacity;
	if (request->flags & IPCBOX_LARGEST && incoming.capacity < largest) {
		reading->record.length = largest;
		return -EMSGSIZE;
	}
	error = pool_read_begin(reading);
	if (error)
		return error;
	error = pool_give(reading, &incoming, to);
	pool_end_reading(reading, !error);
	return error;
}

/**
 * ipcbox_pool_receive() - RECEIVE on a mailbox with a pool that nobody maps
 * @handle: a handle that may receive
 * @request: what is asked, checked
 * @nonblock: do not wait
 *
 * Return: the number of messages received, or an errno as <linux/ipcbox.h>
 * says.
 */
long ipcbox_pool_receive(struct ipcbox_handle *handle,
			 const struct ipcbox_receive *request, bool nonblock)
{
	struct pool_reading reading = {
		.exchange = ipcbox_exchange_of(handle->object),
		.patience = {
			.wait = !(request->flags & IPCBOX_NOWAIT) && !nonblock,
			.clock = ipcbox_patience_clock(request->flags),
			.deadline = request->deadline,
		},
		.cut = request->flags & IPCBOX_TRUNCATE,
	};
	struct ipcbox_incoming __user *first;
	u32 total = 0;
	int error = 0;

	if (request->flags & (IPCBOX_HOLD | IPCBOX_PEEK | IPCBOX_SELECT_ALL))
		return -EOPNOTSUPP;
	first = u64_to_user_ptr(request->messages);
	while (!error && total < request->count) {
		error = pool_receive_one(&reading, request, (void __user *)first +
					 (u64)total * request->message_size);
		if (!error)
			total++;
		reading.patience.wait = false;
		cond_resched();
	}
	if (total)
		return total;
	if (error == -EMSGSIZE && put_user(reading.record.length, &first->length))
		return -EFAULT;
	return error;
}

/**
 * ipcbox_pool_read() - read(2) on a mailbox with a pool that nobody maps
 * @handle: a handle that may receive
 * @buffer: room for the payload
 * @size: how much
 * @wait: wait for a message
 * @exact: that no sender will come is an error, and not 0
 *
 * Return: the payload's length, 0 when no sender will come, or an errno as
 * RECEIVE has it.
 */
ssize_t ipcbox_pool_read(struct ipcbox_handle *handle, char __user *buffer,
			 size_t size, bool wait, bool exact)
{
	struct pool_reading reading = {
		.exchange = ipcbox_exchange_of(handle->object),
		.patience = {
			.wait = wait,
			.clock = CLOCK_MONOTONIC,
			.deadline = IPCBOX_FOREVER,
		},
		.capacity = min_t(size_t, size, U32_MAX),
	};
	int error;

	error = pool_read_begin(&reading);
	if (error)
		return error == -EPIPE && !exact ? 0 : error;
	error = pool_copy_payload(&reading, buffer);
	pool_end_reading(&reading, !error);
	return error ?: reading.record.length;
}
