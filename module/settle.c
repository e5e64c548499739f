// SPDX-License-Identifier: GPL-2.0
/*
 * SETTLE and ANSWER: what becomes of held messages.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "delivery.h"
#include "exchange.h"
#include "locking.h"
#include "message.h"
#include "select.h"

/**
 * struct settlement - a token and what shall become of it
 * @token: the token
 * @action: IPCBOX_ACK, IPCBOX_NACK or IPCBOX_REPLY
 * @reply: what the sender sent, for IPCBOX_REPLY
 */
struct settlement {
	u64 token;
	u32 action;
	struct ipcbox_outgoing reply;
};

static bool settlement_valid(const struct settlement *settlement)
{
	const struct ipcbox_outgoing *reply = &settlement->reply;

	switch (settlement->action) {
	case IPCBOX_ACK:
	case IPCBOX_NACK:
		return !reply->data && !reply->length && !reply->tag &&
		       !reply->descriptor_count;
	case IPCBOX_REPLY:
		return reply->descriptor_count <= IPCBOX_DESCRIPTORS_MAX;
	default:
		return false;
	}
}

/* The message has come to its end, as its receiver says. */
static void settle_end_locked(struct ipcbox_exchange *exchange,
			      struct ipcbox_delivery *delivery,
			      struct ipcbox_wakes *wakes)
{
	struct ipcbox_message *message = delivery->message;

	exchange->received++;
	exchange->bytes_received += message->entry.length;
	ipcbox_message_uncharge(message);
	if (delivery->waiter)
		ipcbox_delivery_finish_locked(delivery, 0, wakes);
	ipcbox_message_free(message);
}

static int settle_found_locked(struct ipcbox_exchange *exchange,
			       struct ipcbox_handle *handle,
			       struct ipcbox_delivery *delivery, u32 action,
			       struct ipcbox_message *reply,
			       struct ipcbox_wakes *wakes)
{
	lockdep_assert_held(&exchange->lock);
	if (action == (delivery->call ? IPCBOX_ACK : IPCBOX_REPLY))
		return -EINVAL;
	if (reply && !delivery->withdrawn &&
	    (reply->entry.length > delivery->reply_capacity ||
	     ipcbox_delivery_descriptors(reply) > delivery->reply_descriptors))
		return -EMSGSIZE;
	ipcbox_delivery_release_locked(exchange, handle, delivery);
	if (delivery->withdrawn) {
		ipcbox_delivery_return_locked(exchange, delivery->message,
					      wakes);
		return -EPIPE;
	}
	if (action == IPCBOX_NACK) {
		delivery->deliveries++;
		ipcbox_delivery_return_locked(exchange, delivery->message,
					      wakes);
		return 0;
	}
	if (reply) {
		reply->entry.sequence = delivery->message->entry.sequence;
		delivery->waiter->message = reply;
	}
	settle_end_locked(exchange, delivery, wakes);
	return 0;
}

/* Its room was charged to the caller when it called. */
static struct ipcbox_message *settle_make(struct ipcbox_handle *handle,
					  const struct ipcbox_outgoing *outgoing)
{
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(handle->object);
	struct ipcbox_message *reply;
	int error;

	if (outgoing->length > READ_ONCE(exchange->max_message_bytes))
		return ERR_PTR(-EMSGSIZE);
	reply = ipcbox_message_create(NULL, handle->id, outgoing, NULL);
	if (likely(!outgoing->descriptor_count) || IS_ERR(reply))
		return reply;
	error = ipcbox_delivery_add_files(reply, outgoing);
	if (!error)
		return reply;
	ipcbox_message_free(reply);
	return ERR_PTR(error);
}

static int settle(struct ipcbox_handle *handle,
		  const struct settlement *settlement)
{
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(handle->object);
	struct ipcbox_wakes wakes __uninitialized;
	struct ipcbox_message *reply = NULL;
	struct ipcbox_delivery *delivery;
	int error = -ENOENT;

	if (settlement->action == IPCBOX_REPLY) {
		reply = settle_make(handle, &settlement->reply);
		if (IS_ERR(reply))
			return PTR_ERR(reply);
	}
	ipcbox_exchange_lock(exchange, &wakes);
	delivery = ipcbox_delivery_find_locked(exchange, handle,
					       settlement->token);
	if (delivery)
		error = settle_found_locked(exchange, handle, delivery,
					    settlement->action, reply, &wakes);
	ipcbox_exchange_unlock(exchange, &wakes);
	if (error && reply)
		ipcbox_message_free(reply);
	return error;
}

/**
 * ipcbox_exchange_settle() - serve IPCBOX_IOC_SETTLE
 * @call: a call on a handle, with a struct ipcbox_settle
 *
 * Return: 0, or an errno as <linux/ipcbox.h> says.
 */
long ipcbox_exchange_settle(struct ipcbox_invocation *call)
{
	struct ipcbox_handle *handle = ipcbox_handle_of(call);
	const struct ipcbox_settle *request = call->request;
	const struct settlement settlement = {
		.token = request->token,
		.action = request->action,
		.reply.data = request->data,
		.reply.length = request->length,
		.reply.tag = request->tag,
		.reply.descriptors = request->descriptors,
		.reply.descriptor_count = request->descriptor_count,
	};

	if (request->flags || request->pad || !settlement_valid(&settlement))
		return -EINVAL;
	return ipcbox_handle_check(handle, IPCBOX_RIGHT_RECEIVE) ?:
	       ipcbox_exchange_check_tokens(handle) ?:
	       settle(handle, &settlement);
}

static int answer_check(const struct ipcbox_answer *request,
			const struct settlement *settlement)
{
	const struct ipcbox_outgoing *reply = &settlement->reply;

	if (request->flags & ~(IPCBOX_NOWAIT | IPCBOX_HOLD) ||
	    !ipcbox_deadline_valid(request->deadline))
		return -EINVAL;
	if (request->message_size < offsetofend(struct ipcbox_incoming, pad))
		return -EINVAL;
	if (request->message_size > PAGE_SIZE)
		return -E2BIG;
	if (settlement->token)
		return settlement_valid(settlement) ? 0 : -EINVAL;
	return settlement->action || reply->data || reply->length ||
	       reply->tag || reply->descriptor_count ? -EINVAL : 0;
}

/**
 * ipcbox_exchange_answer() - serve IPCBOX_IOC_ANSWER
 * @call: a call on a handle, with a struct ipcbox_answer
 *
 * Return: 1, 0, or an errno as <linux/ipcbox.h> says.
 */
long ipcbox_exchange_answer(struct ipcbox_invocation *call)
{
	struct ipcbox_handle *handle = ipcbox_handle_of(call);
	const struct ipcbox_answer *request = call->request;
	const struct settlement settlement = {
		.token = request->token,
		.action = request->action,
		.reply.data = request->data,
		.reply.length = request->length,
		.reply.tag = request->tag,
		.reply.descriptors = request->descriptors,
		.reply.descriptor_count = request->descriptor_count,
	};
	const struct ipcbox_receive receive = {
		.flags = request->flags,
		.messages = request->message,
		.count = 1,
		.message_size = request->message_size,
		.deadline = request->deadline,
	};
	long received;
	int error;

	error = answer_check(request, &settlement);
	if (error)
		return error;
	error = ipcbox_handle_check(handle, IPCBOX_RIGHT_RECEIVE);
	if (!error)
		error = ipcbox_exchange_check_tokens(handle);
	if (error)
		return error;
	if (settlement.token) {
		error = settle(handle, &settlement);
		if (error && error != -EPIPE)
			return error;
	}
	received = ipcbox_receive_messages(handle, &receive, NULL,
					   call->file->f_flags & O_NONBLOCK);
	return settlement.token ? max(received, 0L) : received;
}
