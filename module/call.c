// SPDX-License-Identifier: GPL-2.0
/*
 * Senders that wait for the outcome: SEND with IPCBOX_SYNC, and CALL.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "box.h"
#include "delivery.h"
#include "exchange.h"
#include "limits.h"
#include "locking.h"
#include "message.h"
#include "usercopy.h"

/* The room for the reply is charged beforehand, to the caller. */
static int call_reserve(const struct ipcbox_exchange *exchange,
			struct ipcbox_message *message,
			const struct ipcbox_incoming *reply)
{
	struct ipcbox_share *share = ipcbox_share_of(message->entry.share);
	struct ipcbox_delivery *delivery = message->delivery;
	u64 reserved;
	int error;

	delivery->reply_capacity =
		min_t(u64, reply->capacity,
		      READ_ONCE(exchange->max_message_bytes));
	delivery->reply_descriptors = min_t(u32, reply->descriptor_capacity,
					    IPCBOX_DESCRIPTORS_MAX);
	reserved = delivery->reply_capacity + IPCBOX_MESSAGE_OVERHEAD +
		   (u64)delivery->reply_descriptors * IPCBOX_FILES_COST;
	error = ipcbox_user_charge(share->user, reserved);
	if (error)
		return error;
	delivery->reserved += reserved;
	delivery->call = true;
	return 0;
}

/* Offers the message, or parks it. An error leaves it with the caller. */
static int call_begin(struct ipcbox_exchange *exchange,
		      struct ipcbox_message *message,
		      struct ipcbox_waiter *waiter,
		      const struct ipcbox_patience *patience)
{
	struct ipcbox_delivery *delivery = message->delivery;
	struct ipcbox_wakes wakes __uninitialized;
	int error;

	ipcbox_exchange_lock(exchange, &wakes);
	delivery->waiter = waiter;
	list_add_tail(&delivery->awaited, &exchange->awaited);
	error = ipcbox_send_offer_locked(exchange, message, &wakes);
	if (error == -EAGAIN && patience->wait) {
		ipcbox_send_park_locked(exchange, message);
		error = 0;
	} else if (error) {
		list_del_init(&delivery->awaited);
	}
	ipcbox_exchange_unlock(exchange, &wakes);
	return error;
}

/*
 * Waits for the outcome. When the deadline or a signal comes first the message
 * is withdrawn, unless there was an outcome in the meantime. Sets *ours when an
 * error leaves the message with the caller.
 */
static int call_wait(struct ipcbox_exchange *exchange,
		     struct ipcbox_message *message,
		     struct ipcbox_waiter *waiter,
		     const struct ipcbox_patience *patience, bool *ours)
{
	struct ipcbox_wakes wakes __uninitialized;
	int error;

	*ours = true;
	error = ipcbox_waiter_wait(waiter, patience);
	if (!error)
		return waiter->result;
	ipcbox_exchange_lock(exchange, &wakes);
	if (waiter->result == IPCBOX_WAITING)
		*ours = ipcbox_delivery_withdraw_locked(exchange,
							message->delivery,
							&wakes);
	else
		error = waiter->result;
	ipcbox_exchange_unlock(exchange, &wakes);
	return error;
}

/*
 * Sends the message and waits for the outcome. The message is gone in any case.
 * Afterwards waiter->message is the reply, if there was one.
 */
static int call_await(struct ipcbox_exchange *exchange,
		      struct ipcbox_message *message,
		      struct ipcbox_waiter *waiter,
		      const struct ipcbox_patience *patience)
{
	bool ours = true;
	int error;

	error = call_begin(exchange, message, waiter, patience);
	if (!error)
		error = call_wait(exchange, message, waiter, patience, &ours);
	if (error && ours)
		ipcbox_message_free(message);
	return error;
}

/**
 * ipcbox_exchange_send_sync() - send one message and wait until it is taken
 * @handle: the handle
 * @outgoing: the message
 * @patience: how long to wait; without waiting, for room
 *
 * Return: 0, or an errno as SEND with IPCBOX_SYNC has it.
 */
int ipcbox_exchange_send_sync(struct ipcbox_handle *handle,
			      const struct ipcbox_outgoing *outgoing,
			      const struct ipcbox_patience *patience)
{
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(handle->object);
	struct ipcbox_waiter waiter __uninitialized;
	struct ipcbox_message *message;

	message = ipcbox_send_make_tracked(handle, outgoing, 0);
	if (IS_ERR(message))
		return PTR_ERR(message);
	ipcbox_waiter_init(&waiter);
	return call_await(exchange, message, &waiter, patience);
}

static int call_read(const struct ipcbox_call *request,
		     struct ipcbox_outgoing *outgoing,
		     struct ipcbox_incoming *incoming)
{
	int error;

	if (request->flags & ~IPCBOX_NOWAIT ||
	    !ipcbox_deadline_valid(request->deadline))
		return -EINVAL;
	if (request->request_size < offsetofend(struct ipcbox_outgoing, pad) ||
	    request->reply_size < offsetofend(struct ipcbox_incoming, pad))
		return -EINVAL;
	if (request->request_size > PAGE_SIZE ||
	    request->reply_size > PAGE_SIZE)
		return -E2BIG;
	error = ipcbox_copy_struct_in(outgoing, sizeof(*outgoing),
				      u64_to_user_ptr(request->request),
				      request->request_size);
	if (error)
		return error;
	return ipcbox_message_ask(incoming, u64_to_user_ptr(request->reply),
				  request->reply_size);
}

/**
 * ipcbox_exchange_call() - serve IPCBOX_IOC_CALL
 * @call: a call on a handle, with a struct ipcbox_call
 *
 * Return: 0, or an errno as <linux/ipcbox.h> says.
 */
long ipcbox_exchange_call(struct ipcbox_invocation *call)
{
	struct ipcbox_handle *handle = ipcbox_handle_of(call);
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(handle->object);
	const struct ipcbox_call *request = call->request;
	const struct ipcbox_patience patience = {
		.wait = !(request->flags & IPCBOX_NOWAIT) &&
			!(call->file->f_flags & O_NONBLOCK),
		.clock = CLOCK_MONOTONIC,
		.deadline = request->deadline,
	};
	struct ipcbox_outgoing outgoing __uninitialized;
	struct ipcbox_incoming incoming __uninitialized;
	struct ipcbox_waiter waiter __uninitialized;
	struct ipcbox_message *message;
	int error;

	error = call_read(request, &outgoing, &incoming);
	if (error)
		return error;
	error = ipcbox_handle_check(handle, IPCBOX_RIGHT_SEND);
	if (!error)
		error = ipcbox_exchange_check_tokens(handle);
	if (error)
		return error;
	message = ipcbox_send_make_tracked(handle, &outgoing,
					   incoming.capacity);
	if (IS_ERR(message)) {
		error = PTR_ERR(message);
		goto refused;
	}
	error = call_reserve(exchange, message, &incoming);
	if (error) {
		ipcbox_message_free(message);
		goto refused;
	}
	ipcbox_waiter_init(&waiter);
	waiter.spin = READ_ONCE(handle->spin);
	waiter.peer = &exchange->receiver_processor;
	error = call_await(exchange, message, &waiter, &patience);
	if (error)
		goto refused;
	error = ipcbox_receive_reply(waiter.message, &incoming,
				     u64_to_user_ptr(request->reply));
	ipcbox_message_free(waiter.message);
	return error;

refused:
	ipcbox_send_count_refusal(exchange, error);
	/* To call again is for the caller to decide, not for the signal. */
	return error == -ERESTARTSYS ? -EINTR : error;
}
