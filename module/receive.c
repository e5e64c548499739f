// SPDX-License-Identifier: GPL-2.0
/*
 * RECEIVE and read: messages out of an exchange.
 */
#include <linux/limits.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "exchange.h"
#include "limits.h"
#include "locking.h"
#include "message.h"
#include "trace.h"

/* Messages that are taken under one hold of the lock. */
#define RECEIVE_CHUNK	16

/**
 * struct receiving - a chunk of messages on their way out
 * @exchange: where they come from
 * @patience: how long to wait for the first
 * @incoming: what the user asked, and what it is told
 * @messages: what was taken
 * @asked: how many may be taken
 * @taken: how many were
 */
struct receiving {
	struct ipcbox_exchange *exchange;
	struct ipcbox_patience patience;
	struct ipcbox_incoming incoming[RECEIVE_CHUNK];
	struct ipcbox_message *messages[RECEIVE_CHUNK];
	u32 asked;
	u32 taken;
};

/* Takes what is there; an error says why it is not more. */
static int receive_take_locked(struct receiving *receiving,
			       struct ipcbox_wakes *wakes)
{
	struct ipcbox_exchange *exchange = receiving->exchange;
	struct ipcbox_queue_entry *entry;

	lockdep_assert_held(&exchange->lock);
	while (receiving->taken < receiving->asked) {
		struct ipcbox_incoming *incoming =
			&receiving->incoming[receiving->taken];

		entry = ipcbox_queue_first(&exchange->queue);
		if (!entry)
			return ipcbox_exchange_no_sender_locked(exchange) ?
				       -EPIPE : -EAGAIN;
		if (entry->length > incoming->capacity) {
			incoming->length = entry->length;
			return -EMSGSIZE;
		}
		ipcbox_queue_remove(&exchange->queue, entry);
		exchange->received++;
		exchange->bytes_received += entry->length;
		receiving->messages[receiving->taken++] =
			ipcbox_message_of(entry);
		ipcbox_exchange_admit_locked(exchange,
					     ipcbox_share_of(entry->share),
					     wakes);
		wakes->writable |= EPOLLOUT | EPOLLWRNORM;
	}
	return 0;
}

static void receive_park_locked(struct receiving *receiving,
				struct ipcbox_waiter *waiter)
{
	struct ipcbox_exchange *exchange = receiving->exchange;

	lockdep_assert_held(&exchange->lock);
	ipcbox_waiter_init(waiter);
	waiter->capacity = receiving->incoming[0].capacity;
	list_add_tail(&waiter->node, &exchange->receivers);
	exchange->receivers_waiting++;
	trace_ipcbox_block(&exchange->object, IPCBOX_RIGHT_RECEIVE);
}

/*
 * Waits to be given a message. When the deadline or a signal comes first the
 * wait is over, unless a message came in the meantime.
 */
static int receive_wait(struct receiving *receiving,
			struct ipcbox_waiter *waiter)
{
	struct ipcbox_exchange *exchange = receiving->exchange;
	struct ipcbox_wakes wakes;
	int error;

	error = ipcbox_waiter_wait(waiter, receiving->patience.deadline);
	if (error) {
		ipcbox_exchange_lock(exchange, &wakes);
		if (waiter->result == IPCBOX_WAITING) {
			list_del(&waiter->node);
			exchange->receivers_waiting--;
		} else {
			error = 0;
		}
		ipcbox_exchange_unlock(exchange, &wakes);
		if (error)
			return error;
	}
	if (waiter->result == -EMSGSIZE)
		receiving->incoming[0].length = waiter->length;
	if (waiter->result)
		return waiter->result;
	receiving->messages[0] = waiter->message;
	receiving->taken = 1;
	return 0;
}

static int receive_take(struct receiving *receiving)
{
	struct ipcbox_exchange *exchange = receiving->exchange;
	struct ipcbox_waiter waiter __uninitialized;
	struct ipcbox_wakes wakes __uninitialized;
	bool parked = false;
	int error;

	receiving->taken = 0;
	ipcbox_exchange_lock(exchange, &wakes);
	error = receive_take_locked(receiving, &wakes);
	if (error == -EAGAIN && !receiving->taken &&
	    receiving->patience.wait) {
		receive_park_locked(receiving, &waiter);
		parked = true;
	}
	ipcbox_exchange_unlock(exchange, &wakes);
	return parked ? receive_wait(receiving, &waiter) : error;
}

/* What could not be copied out returns to its place, as if never taken. */
static void receive_return(struct receiving *receiving, u32 from)
{
	struct ipcbox_exchange *exchange = receiving->exchange;
	struct ipcbox_wakes wakes;
	u32 i;

	ipcbox_exchange_lock(exchange, &wakes);
	for (i = from; i < receiving->taken; i++) {
		struct ipcbox_message *message = receiving->messages[i];

		exchange->received--;
		exchange->bytes_received -= message->entry.length;
		ipcbox_exchange_deliver_locked(exchange, message, &wakes);
	}
	ipcbox_exchange_unlock(exchange, &wakes);
	receiving->taken = from;
}

/* The message is received: nothing that follows can fail. */
static void receive_commit(struct receiving *receiving, u32 i)
{
	struct ipcbox_message *message = receiving->messages[i];

	trace_ipcbox_receive(&receiving->exchange->object, &message->entry);
	ipcbox_message_free(message);
}

/*
 * Payload first, header last: who sees a header has a whole message. A process
 * that is being killed will see nothing any more: the message is for another.
 */
static int receive_copy_out(struct receiving *receiving, u32 i,
			    struct ipcbox_incoming __user *to)
{
	const size_t answer = offsetof(struct ipcbox_incoming, length);
	struct ipcbox_incoming *incoming = &receiving->incoming[i];
	struct ipcbox_message *message = receiving->messages[i];
	int error;

	if (fatal_signal_pending(current))
		return -EINTR;
	error = ipcbox_message_copy_out(message,
					u64_to_user_ptr(incoming->data));
	if (error)
		return error;
	ipcbox_message_describe(message, incoming);
	if (copy_to_user(&to->length, &incoming->length,
			 sizeof(*incoming) - answer))
		return -EFAULT;
	return 0;
}

static int receive_give(struct receiving *receiving, void __user *to,
			u32 stride)
{
	int error;
	u32 i;

	for (i = 0; i < receiving->taken; i++) {
		error = receive_copy_out(receiving, i, to + (u64)i * stride);
		if (error) {
			receive_return(receiving, i);
			return error;
		}
		receive_commit(receiving, i);
	}
	return 0;
}

static int receive_ask(struct receiving *receiving, const void __user *from,
		       u32 stride, u32 count)
{
	struct ipcbox_incoming *incoming = receiving->incoming;
	int error = 0;

	for (receiving->asked = 0; receiving->asked < count; incoming++) {
		error = copy_struct_from_user(incoming, sizeof(*incoming), from,
					      stride);
		if (error)
			break;
		from += stride;
		receiving->asked++;
	}
	return receiving->asked ? 0 : error;
}

static int receive_check(const struct ipcbox_handle *handle,
			 const struct ipcbox_receive *request)
{
	if (request->flags & ~IPCBOX_NOWAIT ||
	    !ipcbox_deadline_valid(request->deadline))
		return -EINVAL;
	if (!request->count || request->count > ipcbox_limit(batch_messages))
		return -EINVAL;
	if (request->message_size <
	    offsetofend(struct ipcbox_incoming, priority))
		return -EINVAL;
	if (request->message_size > PAGE_SIZE)
		return -E2BIG;
	return handle->rights & IPCBOX_RIGHT_RECEIVE ? 0 : -EACCES;
}

/**
 * ipcbox_exchange_receive() - serve IPCBOX_IOC_RECEIVE
 * @call: a call on a handle, with a struct ipcbox_receive
 *
 * Return: the number of messages received, or an errno as <linux/ipcbox.h>
 * says.
 */
long ipcbox_exchange_receive(struct ipcbox_invocation *call)
{
	struct ipcbox_handle *handle = ipcbox_handle_of(call);
	const struct ipcbox_receive *request = call->request;
	u32 stride = request->message_size;
	struct ipcbox_incoming __user *first;
	struct receiving receiving __uninitialized;
	u32 total = 0;
	int error;

	error = receive_check(handle, request);
	if (error)
		return error;
	first = u64_to_user_ptr(request->messages);
	receiving.exchange = ipcbox_exchange_of(handle->object);
	receiving.patience.deadline = request->deadline;
	while (!error && total < request->count) {
		void __user *to = (void __user *)first + (u64)total * stride;

		receiving.patience.wait = !total &&
			!(request->flags & IPCBOX_NOWAIT) &&
			!(call->file->f_flags & O_NONBLOCK);
		error = receive_ask(&receiving, to, stride,
				    min_t(u32, request->count - total,
					  RECEIVE_CHUNK));
		if (error)
			break;
		error = receive_take(&receiving);
		error = receive_give(&receiving, to, stride) ?: error;
		total += receiving.taken;
		cond_resched();
	}
	if (total)
		return total;
	if (error == -EMSGSIZE &&
	    put_user(receiving.incoming[0].length, &first->length))
		return -EFAULT;
	return error;
}

/**
 * ipcbox_exchange_read() - read(2) on a mailbox or queue
 * @handle: a handle that may receive
 * @buffer: room for the payload
 * @size: how much
 * @wait: wait for a message
 *
 * Return: the payload's length, 0 when no sender will come, or an errno as
 * RECEIVE has it.
 */
ssize_t ipcbox_exchange_read(struct ipcbox_handle *handle, char __user *buffer,
			     size_t size, bool wait)
{
	struct receiving receiving __uninitialized;
	u32 length;
	int error;

	receiving.exchange = ipcbox_exchange_of(handle->object);
	receiving.patience.wait = wait;
	receiving.patience.deadline = IPCBOX_FOREVER;
	receiving.incoming[0].capacity = min_t(size_t, size, U32_MAX);
	receiving.asked = 1;
	error = receive_take(&receiving);
	if (error)
		return error == -EPIPE ? 0 : error;
	if (ipcbox_message_copy_out(receiving.messages[0], buffer)) {
		receive_return(&receiving, 0);
		return -EFAULT;
	}
	length = receiving.messages[0]->entry.length;
	receive_commit(&receiving, 0);
	return length;
}
