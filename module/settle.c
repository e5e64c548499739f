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
#include "usercopy.h"

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

/**
 * struct reply - what a settlement has for the caller
 * @message: a message, ours until it is given; or NULL
 * @outgoing: of one that shall go where the request was: its header; or NULL
 * @data: and its payload
 */
struct reply {
	struct ipcbox_message *message;
	const struct ipcbox_outgoing *outgoing;
	const void *data;
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

static void settle_count_locked(struct ipcbox_exchange *exchange,
				struct ipcbox_message *message)
{
	exchange->received++;
	exchange->bytes_received += message->entry.length;
	ipcbox_message_uncharge(message);
}

/* The message has come to its end, as its receiver says. */
static void settle_end_locked(struct ipcbox_exchange *exchange,
			      struct ipcbox_delivery *delivery,
			      struct ipcbox_wakes *wakes)
{
	struct ipcbox_message *message = delivery->message;

	settle_count_locked(exchange, message);
	if (delivery->waiter)
		ipcbox_delivery_finish_locked(delivery, 0, wakes);
	ipcbox_message_free(message);
}

/*
 * A short reply goes where the request was, unless somebody still looks at that: it
 * needs no memory of its own. Where the delivery lies inside, there is room for the
 * longest that the caller takes, up to IPCBOX_REPLY_SHORT.
 */
static bool settle_is_in_place(const struct ipcbox_delivery *delivery)
{
	return delivery->inside && !delivery->files &&
	       refcount_read(&delivery->references) == 1;
}

/* Makes the request, which is at its end, the reply. */
static void settle_turn_locked(struct ipcbox_exchange *exchange,
			       struct ipcbox_handle *handle,
			       struct ipcbox_delivery *delivery,
			       const struct reply *reply,
			       struct ipcbox_wakes *wakes)
{
	struct ipcbox_message *message = delivery->message;

	settle_count_locked(exchange, message);
	message->entry.tracked = false;
	ipcbox_message_rewrite(message, handle->id, reply->outgoing,
			       reply->data);
	delivery->waiter->message = message;
	ipcbox_delivery_finish_locked(delivery, 0, wakes);
}

static int settle_check_locked(const struct ipcbox_delivery *delivery,
			       const struct settlement *settlement)
{
	if (settlement->action == (delivery->call ? IPCBOX_ACK : IPCBOX_REPLY))
		return -EINVAL;
	if (settlement->action == IPCBOX_REPLY && !delivery->withdrawn &&
	    (settlement->reply.length > delivery->reply_capacity ||
	     settlement->reply.descriptor_count > delivery->reply_descriptors))
		return -EMSGSIZE;
	return 0;
}

static int settle_found_locked(struct ipcbox_exchange *exchange,
			       struct ipcbox_handle *handle,
			       struct ipcbox_delivery *delivery,
			       const struct settlement *settlement,
			       const struct reply *reply,
			       struct ipcbox_wakes *wakes)
{
	int error = settle_check_locked(delivery, settlement);

	lockdep_assert_held(&exchange->lock);
	if (error)
		return error;
	if (reply->outgoing && !delivery->withdrawn &&
	    !settle_is_in_place(delivery))
		return -EXFULL;
	ipcbox_delivery_release_locked(exchange, handle, delivery);
	if (delivery->withdrawn) {
		ipcbox_delivery_return_locked(exchange, delivery->message,
					      wakes);
		return -EPIPE;
	}
	if (settlement->action == IPCBOX_NACK) {
		delivery->deliveries++;
		ipcbox_delivery_return_locked(exchange, delivery->message,
					      wakes);
		return 0;
	}
	if (reply->outgoing) {
		settle_turn_locked(exchange, handle, delivery, reply, wakes);
		return 0;
	}
	if (reply->message) {
		reply->message->entry.sequence =
			delivery->message->entry.sequence;
		delivery->waiter->message = reply->message;
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
	reply = ipcbox_message_create(NULL, handle->id, outgoing, NULL, 0);
	if (likely(!outgoing->descriptor_count) || IS_ERR(reply))
		return reply;
	error = ipcbox_delivery_add_files(reply, outgoing);
	if (!error)
		return reply;
	ipcbox_message_free(reply);
	return ERR_PTR(error);
}

static int settle_with(struct ipcbox_handle *handle,
		       const struct settlement *settlement,
		       const struct reply *reply)
{
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(handle->object);
	struct ipcbox_wakes wakes __uninitialized;
	struct ipcbox_delivery *delivery;
	int error = -ENOENT;

	ipcbox_exchange_lock(exchange, &wakes);
	delivery = ipcbox_delivery_find_locked(exchange, handle,
					       settlement->token);
	if (delivery)
		error = settle_found_locked(exchange, handle, delivery,
					    settlement, reply, &wakes);
	ipcbox_exchange_unlock(exchange, &wakes);
	return error;
}

/* With a short reply, if it can go where the request was; else -EXFULL. */
static int settle_in_place(struct ipcbox_handle *handle,
			   const struct settlement *settlement)
{
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(handle->object);
	const struct ipcbox_outgoing *outgoing = &settlement->reply;
	u64 data[IPCBOX_REPLY_SHORT / sizeof(u64)] __uninitialized;
	const struct reply reply = { .outgoing = outgoing, .data = data };

	if (outgoing->length > sizeof(data) || outgoing->descriptor_count)
		return -EXFULL;
	if (outgoing->length > READ_ONCE(exchange->max_message_bytes))
		return -EMSGSIZE;
	if (ipcbox_copy_in(data, u64_to_user_ptr(outgoing->data),
			   outgoing->length))
		return -EFAULT;
	return settle_with(handle, settlement, &reply);
}

static int settle(struct ipcbox_handle *handle,
		  const struct settlement *settlement)
{
	struct reply reply = {};
	int error;

	if (settlement->action != IPCBOX_REPLY)
		return settle_with(handle, settlement, &reply);
	error = settle_in_place(handle, settlement);
	if (likely(error != -EXFULL))
		return error;
	reply.message = settle_make(handle, &settlement->reply);
	if (IS_ERR(reply.message))
		return PTR_ERR(reply.message);
	error = settle_with(handle, settlement, &reply);
	if (error)
		ipcbox_message_free(reply.message);
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
