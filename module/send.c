// SPDX-License-Identifier: GPL-2.0
/*
 * SEND and write: messages into an exchange.
 */
#include <linux/limits.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include "block.h"
#include "delivery.h"
#include "exchange.h"
#include "limits.h"
#include "locking.h"
#include "message.h"
#include "pool.h"
#include "stream.h"
#include "trace.h"
#include "usercopy.h"

/*
 * Messages are made and then accepted in chunks: many under one hold of the
 * lock, few enough not to hold much memory while they wait.
 */
#define SEND_CHUNK		16
#define SEND_CHUNK_BYTES	SZ_64K

/**
 * struct sending - a chunk of messages on their way in
 * @handle: by which they are sent
 * @exchange: where they go
 * @share: whose they are
 * @block: the handle's block, while messages are made
 * @patience: how long to wait for room
 * @outgoing: what the user asks
 * @messages: the messages, ours until accepted
 * @made: how many there are
 * @accepted: how many of them were accepted
 */
struct sending {
	struct ipcbox_handle *handle;
	struct ipcbox_exchange *exchange;
	struct ipcbox_share *share;
	struct ipcbox_block *block;
	struct ipcbox_patience patience;
	struct ipcbox_outgoing outgoing[SEND_CHUNK];
	struct ipcbox_message *messages[SEND_CHUNK];
	u32 made;
	u32 accepted;
};

static int sending_begin(struct sending *sending, struct ipcbox_handle *handle,
			 const struct ipcbox_patience *patience)
{
	sending->handle = handle;
	sending->exchange = ipcbox_exchange_of(handle->object);
	sending->share = ipcbox_exchange_share(handle);
	sending->patience = *patience;
	sending->made = 0;
	sending->accepted = 0;
	return sending->share ? 0 : -ENOMEM;
}

static int send_check_descriptors(const struct ipcbox_exchange *exchange,
				  const struct ipcbox_outgoing *outgoing)
{
	u32 most = READ_ONCE(exchange->max_descriptors);

	if (outgoing->descriptor_count > IPCBOX_DESCRIPTORS_MAX)
		return -EINVAL;
	if (!most)
		return -EOPNOTSUPP;
	return outgoing->descriptor_count > most ? -EMSGSIZE : 0;
}

/* More is kept of a message that may expire or carries files. */
static int send_track(struct ipcbox_message *message,
		      const struct ipcbox_outgoing *outgoing)
{
	struct ipcbox_delivery *delivery = ipcbox_delivery_track(message);

	if (!delivery)
		return -ENOMEM;
	delivery->lifetime.length = outgoing->lifetime;
	if (!outgoing->descriptor_count)
		return 0;
	return ipcbox_delivery_add_files(message, outgoing);
}

static __always_inline struct ipcbox_message *
send_make(struct ipcbox_handle *handle, struct ipcbox_share *share,
	  const struct ipcbox_outgoing *outgoing, struct ipcbox_block **block,
	  u32 extra)
{
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(handle->object);
	struct ipcbox_message *message;
	int error;

	if (outgoing->priority > IPCBOX_PRIORITY_MAX ||
	    outgoing->lifetime > KTIME_MAX || outgoing->pad)
		return ERR_PTR(-EINVAL);
	if (outgoing->length > READ_ONCE(exchange->max_message_bytes))
		return ERR_PTR(-EMSGSIZE);
	if (unlikely(outgoing->descriptor_count)) {
		error = send_check_descriptors(exchange, outgoing);
		if (error)
			return ERR_PTR(error);
	}
	message = ipcbox_message_create(share, handle->id, outgoing, block,
					extra);
	if (likely(!outgoing->lifetime && !outgoing->descriptor_count) ||
	    IS_ERR(message))
		return message;
	error = send_track(message, outgoing);
	if (!error)
		return message;
	ipcbox_message_free(message);
	return ERR_PTR(error);
}

/* One message, of the handle's block. */
static __always_inline struct ipcbox_message *
send_make_one(struct ipcbox_handle *handle, struct ipcbox_share *share,
	      const struct ipcbox_outgoing *outgoing, u32 extra)
{
	struct ipcbox_block *block = ipcbox_block_take(&handle->block,
						       share->user);
	struct ipcbox_message *message;

	message = send_make(handle, share, outgoing, &block, extra);
	ipcbox_block_put(&handle->block, block);
	return message;
}

/**
 * ipcbox_send_make_tracked() - make a message whose sender will wait
 * @handle: a handle that may send
 * @outgoing: what the user asks
 * @reply: the longest reply, in bytes; if it is short there is room for it where the
 *	payload is
 *
 * Sleeps for memory and for the user's pages.
 *
 * Return: the message, tracked, or an ERR_PTR: -EINVAL, -EMSGSIZE, or as
 * ipcbox_message_create() has it.
 */
struct ipcbox_message *
ipcbox_send_make_tracked(struct ipcbox_handle *handle,
			 const struct ipcbox_outgoing *outgoing, u32 reply)
{
	u32 length = round_up((u64)outgoing->length, sizeof(u64));
	u32 room = max(length, round_up(min_t(u32, reply, IPCBOX_REPLY_SHORT),
					sizeof(u64)));
	struct ipcbox_share *share = ipcbox_exchange_share(handle);
	struct ipcbox_message *message;

	if (!share)
		return ERR_PTR(-ENOMEM);
	message = send_make_one(handle, share, outgoing, room - length +
				sizeof(struct ipcbox_delivery));
	if (IS_ERR(message) || message->entry.tracked)
		return message;
	if (likely(message->entry.block)) {
		ipcbox_delivery_track_inside(message, message->data + room);
		return message;
	}
	if (ipcbox_delivery_track(message))
		return message;
	ipcbox_message_free(message);
	return ERR_PTR(-ENOMEM);
}

/* Makes one more message. */
static int sending_make(struct sending *sending,
			const struct ipcbox_outgoing *outgoing)
{
	struct ipcbox_message *message;

	message = send_make(sending->handle, sending->share, outgoing,
			    &sending->block, 0);
	if (IS_ERR(message))
		return PTR_ERR(message);
	sending->messages[sending->made++] = message;
	return 0;
}

/* Whatever was not accepted has no effect. */
static void sending_end(struct sending *sending)
{
	while (sending->made > sending->accepted)
		ipcbox_message_free(sending->messages[--sending->made]);
	sending->made = 0;
	sending->accepted = 0;
}

static __always_inline int
send_offer_locked(struct ipcbox_exchange *exchange,
		  struct ipcbox_message *message, struct ipcbox_wakes *wakes)
{
	lockdep_assert_held(&exchange->lock);
	WRITE_ONCE(exchange->sender_processor, raw_smp_processor_id());
	exchange->queue.limits.share_percent = ipcbox_limit(user_share);
	/* Ordinarily one look tells that there is a receiver. */
	if (unlikely(!exchange->receive_handles ||
		     exchange->queue.limits.plain) &&
	    ipcbox_exchange_no_receiver_locked(exchange))
		return ipcbox_exchange_end_error(exchange);
	if (!ipcbox_queue_admits(&exchange->queue, message->entry.share,
				 message->entry.length) &&
	    !ipcbox_exchange_is_awaited_locked(exchange, message))
		return -EAGAIN;
	ipcbox_exchange_accept_locked(exchange, message, wakes);
	return 0;
}

/**
 * ipcbox_send_offer_locked() - have a message accepted now
 * @exchange: the exchange, locked
 * @message: a new message
 * @wakes: whom to wake
 *
 * Return: 0, after which it may be received and freed; -EAGAIN without room;
 * -EPIPE when no receiver will come.
 */
int ipcbox_send_offer_locked(struct ipcbox_exchange *exchange,
			     struct ipcbox_message *message,
			     struct ipcbox_wakes *wakes)
{
	return send_offer_locked(exchange, message, wakes);
}

/**
 * ipcbox_send_park_locked() - let a message wait for room
 * @exchange: the exchange, locked
 * @message: a message for which there was none
 */
void ipcbox_send_park_locked(struct ipcbox_exchange *exchange,
			     struct ipcbox_message *message)
{
	lockdep_assert_held(&exchange->lock);
	ipcbox_queue_park(&exchange->queue, &message->entry);
	exchange->senders_waiting++;
	trace_ipcbox_block(&exchange->object, IPCBOX_RIGHT_SEND);
}

/*
 * Waits for the parked message to be accepted. When the deadline or a signal
 * comes first it is withdrawn, unless it was accepted in the meantime.
 */
static int send_wait(struct ipcbox_exchange *exchange,
		     struct ipcbox_message *message,
		     struct ipcbox_share *share, struct ipcbox_waiter *waiter,
		     const struct ipcbox_patience *patience)
{
	struct ipcbox_wakes wakes __uninitialized;
	int error;

	error = ipcbox_waiter_wait(waiter, patience);
	if (!error)
		return waiter->result;
	ipcbox_exchange_lock(exchange, &wakes);
	if (waiter->result != IPCBOX_WAITING)
		error = waiter->result;
	else if (ipcbox_room_withdraw_locked(exchange, message, waiter))
		ipcbox_room_admit_locked(exchange, share, &wakes);
	else
		error = 0;
	ipcbox_exchange_unlock(exchange, &wakes);
	return error;
}

/* Has a message accepted, waiting for room where it may. */
static __always_inline int send_accept(struct ipcbox_exchange *exchange,
				       struct ipcbox_message *message,
				       const struct ipcbox_patience *patience)
{
	/* Once it is accepted, or parked, the message may go at any time. */
	struct ipcbox_share *share = ipcbox_share_of(message->entry.share);
	struct ipcbox_waiter waiter __uninitialized;
	struct ipcbox_wakes wakes __uninitialized;
	int error;

	ipcbox_exchange_lock(exchange, &wakes);
	error = send_offer_locked(exchange, message, &wakes);
	if (likely(error != -EAGAIN) || !patience->wait) {
		ipcbox_exchange_unlock(exchange, &wakes);
		if (unlikely(exchange->pool))
			ipcbox_pool_update(exchange, error == -EAGAIN);
		return error;
	}
	ipcbox_waiter_init(&waiter);
	if (message->entry.tracked)
		message->delivery->waiter = &waiter;
	else
		message->waiter = &waiter;
	ipcbox_send_park_locked(exchange, message);
	ipcbox_exchange_unlock(exchange, &wakes);
	if (unlikely(exchange->pool))
		ipcbox_pool_update(exchange, false);
	return send_wait(exchange, message, share, &waiter, patience);
}

/* Has the made messages accepted, in order, waiting for room where it may. */
static int sending_accept(struct sending *sending)
{
	struct ipcbox_exchange *exchange = sending->exchange;
	struct ipcbox_wakes wakes __uninitialized;
	struct ipcbox_message *message = NULL;
	int error = 0;

	ipcbox_exchange_lock(exchange, &wakes);
	while (sending->accepted < sending->made) {
		message = sending->messages[sending->accepted];
		error = send_offer_locked(exchange, message, &wakes);
		if (error)
			break;
		sending->accepted++;
	}
	ipcbox_exchange_unlock(exchange, &wakes);
	if (error != -EAGAIN || !sending->patience.wait)
		return error;
	error = send_accept(exchange, message, &sending->patience);
	if (!error)
		sending->accepted++;
	return error;
}

static int sending_accept_all(struct sending *sending)
{
	int error = 0;

	while (!error && sending->accepted < sending->made)
		error = sending_accept(sending);
	return error;
}

/**
 * ipcbox_send_count_refusal() - count a call that got nothing in
 * @exchange: the exchange
 * @error: why; counted if it was the object that refused
 */
void ipcbox_send_count_refusal(struct ipcbox_exchange *exchange, int error)
{
	struct ipcbox_wakes wakes;

	switch (error) {
	case -EAGAIN:
	case -EDQUOT:
	case -EMSGSIZE:
	case -EPIPE:
	case -ERESTARTSYS:
	case -ETIMEDOUT:
		ipcbox_exchange_lock(exchange, &wakes);
		exchange->refused++;
		ipcbox_exchange_unlock(exchange, &wakes);
	}
}

/**
 * ipcbox_send_read() - read what a sender asks
 * @outgoing: where to
 * @from: the user's
 * @stride: the size of each, as the user knows it
 * @count: how many; then how many could be read before an error
 *
 * Sleeps for the user's pages.
 *
 * Return: 0, or an errno as ipcbox_copy_struct_in() has it.
 */
int ipcbox_send_read(struct ipcbox_outgoing *outgoing, const void __user *from,
		     u32 stride, u32 *count)
{
	int error;
	u32 i;

	if (likely(stride == sizeof(*outgoing)) &&
	    !ipcbox_copy_in_whole(outgoing, from, *count * sizeof(*outgoing)))
		return 0;
	for (i = 0; i < *count; i++, from += stride) {
		error = ipcbox_copy_struct_in(&outgoing[i], sizeof(*outgoing),
					      from, stride);
		if (error) {
			*count = i;
			return error;
		}
	}
	return 0;
}

/*
 * Reads the next descriptions and makes their messages: no more of them than do not
 * take much memory together.
 */
static int send_make_chunk(struct sending *sending, const void __user *from,
			   u32 stride, u32 count)
{
	const struct ipcbox_outgoing *outgoing = sending->outgoing;
	u64 bytes = 0;
	int error = 0;
	int unread;

	unread = ipcbox_send_read(sending->outgoing, from, stride, &count);
	sending->block = ipcbox_block_take(&sending->handle->block,
					   sending->share->user);
	while (!error && sending->made < count && bytes < SEND_CHUNK_BYTES) {
		error = sending_make(sending, outgoing);
		bytes += outgoing->length;
		outgoing++;
	}
	ipcbox_block_put(&sending->handle->block, sending->block);
	return error || sending->made < count ? error : unread;
}

static int send_check(const struct ipcbox_handle *handle,
		      const struct ipcbox_send *request)
{
	const u32 flags = IPCBOX_NOWAIT | IPCBOX_SYNC | IPCBOX_REALTIME |
			  IPCBOX_NORESTART;

	if (request->flags & ~flags ||
	    !ipcbox_deadline_valid(request->deadline))
		return -EINVAL;
	if (!request->count || request->count > ipcbox_limit(batch_messages))
		return -EINVAL;
	if (request->flags & IPCBOX_SYNC && request->count != 1)
		return -EINVAL;
	if (request->message_size < offsetofend(struct ipcbox_outgoing, pad))
		return -EINVAL;
	if (request->message_size > PAGE_SIZE)
		return -E2BIG;
	return ipcbox_request_check_object(handle, request->object) ?:
	       ipcbox_handle_check(handle, IPCBOX_RIGHT_SEND);
}

static __always_inline int
send_uncounted(struct ipcbox_handle *handle,
	       const struct ipcbox_outgoing *outgoing,
	       const struct ipcbox_patience *patience)
{
	struct ipcbox_share *share = ipcbox_exchange_share(handle);
	struct ipcbox_message *message;
	int error;

	if (unlikely(!share))
		return -ENOMEM;
	message = send_make_one(handle, share, outgoing, 0);
	if (IS_ERR(message))
		return PTR_ERR(message);
	error = send_accept(ipcbox_exchange_of(handle->object), message,
			    patience);
	if (unlikely(error))
		ipcbox_message_free(message);
	return error;
}

/**
 * ipcbox_send_one() - send one message
 * @handle: a handle that may send
 * @outgoing: what the user asks
 * @patience: how long to wait for room
 *
 * Return: 0, or an errno as SEND has it, which the caller counts.
 */
int ipcbox_send_one(struct ipcbox_handle *handle,
		    const struct ipcbox_outgoing *outgoing,
		    const struct ipcbox_patience *patience)
{
	return send_uncounted(handle, outgoing, patience);
}

/* An error has no effect, but is counted. */
static __always_inline int send_one(struct ipcbox_handle *handle,
				    const struct ipcbox_outgoing *outgoing,
				    const struct ipcbox_patience *patience)
{
	int error = send_uncounted(handle, outgoing, patience);

	if (unlikely(error))
		ipcbox_send_count_refusal(ipcbox_exchange_of(handle->object),
					  error);
	return error;
}

static long send_messages(struct ipcbox_handle *handle,
			  const struct ipcbox_send *request,
			  const struct ipcbox_patience *patience)
{
	u32 stride = request->message_size;
	struct sending sending __uninitialized;
	u32 total = 0;
	int error, made;

	error = sending_begin(&sending, handle, patience);
	if (error)
		return error;
	while (!error && total < request->count) {
		made = send_make_chunk(&sending,
				       u64_to_user_ptr(request->messages) +
				       (u64)total * stride, stride,
				       min_t(u32, request->count - total,
					     SEND_CHUNK));
		error = sending_accept_all(&sending) ?: made;
		total += sending.accepted;
		sending_end(&sending);
		cond_resched();
	}
	if (total)
		return total;
	ipcbox_send_count_refusal(sending.exchange, error);
	return error;
}

/* Without an array: one message, waited for or not. */
static long send_single(struct ipcbox_handle *handle,
			const struct ipcbox_send *request,
			const struct ipcbox_patience *patience)
{
	struct ipcbox_outgoing outgoing __uninitialized;
	int error;

	error = ipcbox_copy_struct_in(&outgoing, sizeof(outgoing),
				      u64_to_user_ptr(request->messages),
				      request->message_size);
	if (error)
		return error;
	if (likely(!(request->flags & IPCBOX_SYNC)))
		return send_one(handle, &outgoing, patience) ?: 1;
	error = ipcbox_exchange_send_sync(handle, &outgoing, patience);
	if (!error)
		return 1;
	ipcbox_send_count_refusal(ipcbox_exchange_of(handle->object), error);
	return error;
}

/**
 * ipcbox_exchange_send() - serve IPCBOX_IOC_SEND
 * @call: a call on a handle, with a struct ipcbox_send
 *
 * Return: the number of messages accepted, or an errno as <linux/ipcbox.h>
 * says.
 */
long ipcbox_exchange_send(struct ipcbox_invocation *call)
{
	struct ipcbox_handle *handle = ipcbox_handle_of(call);
	const struct ipcbox_send *request = call->request;
	const struct ipcbox_patience patience = {
		.wait = !(request->flags & IPCBOX_NOWAIT) &&
			!(call->file->f_flags & O_NONBLOCK),
		.clock = ipcbox_patience_clock(request->flags),
		.deadline = request->deadline,
	};
	long result;

	result = send_check(handle, request);
	if (!result)
		result = ipcbox_exchange_check_messages(handle);
	if (result)
		return result;
	if (ipcbox_exchange_of(handle->object)->pool)
		result = ipcbox_pool_send(handle, request, &patience);
	else if (request->count == 1)
		result = send_single(handle, request, &patience);
	else
		result = send_messages(handle, request, &patience);
	return ipcbox_request_restarts(result, request->flags);
}

static __always_inline ssize_t
send_write(struct ipcbox_handle *handle, const char __user *buffer, size_t size,
	   bool wait, u32 priority)
{
	const struct ipcbox_patience patience = ipcbox_patience_plain(wait);
	const struct ipcbox_outgoing outgoing = {
		.data = (uintptr_t)buffer,
		.length = min_t(size_t, size, U32_MAX),
		.priority = priority,
	};

	return send_one(handle, &outgoing, &patience) ?: (ssize_t)size;
}

/**
 * ipcbox_exchange_write_message() - send one plain message
 * @handle: a handle that may send
 * @buffer: the payload
 * @size: its length
 * @wait: wait for room
 * @priority: 0 to IPCBOX_PRIORITY_MAX
 *
 * Return: @size, or an errno as SEND has it.
 */
ssize_t ipcbox_exchange_write_message(struct ipcbox_handle *handle,
				      const char __user *buffer, size_t size,
				      bool wait, u32 priority)
{
	return send_write(handle, buffer, size, wait, priority);
}

/**
 * ipcbox_exchange_write() - write(2) and pwrite(2) on a mailbox or queue
 * @handle: a handle that may send
 * @buffer: the payload, or a stream's bytes
 * @size: its length
 * @wait: wait for room
 * @priority: 0 to IPCBOX_PRIORITY_MAX; 0 for a stream
 *
 * Return: @size, or an errno as SEND has it; for a stream as
 * ipcbox_stream_write() has it.
 */
ssize_t ipcbox_exchange_write(struct ipcbox_handle *handle,
			      const char __user *buffer, size_t size,
			      bool wait, u32 priority)
{
	if (handle->object->state & IPCBOX_STATE_STREAM)
		return ipcbox_stream_write(handle, buffer, size, wait);
	if (ipcbox_exchange_of(handle->object)->pool)
		return priority ? -EOPNOTSUPP :
				  ipcbox_pool_write(handle, buffer, size, wait);
	return send_write(handle, buffer, size, wait, priority);
}
