// SPDX-License-Identifier: GPL-2.0
/*
 * RECEIVE and read: messages out of an exchange.
 */
#include <linux/limits.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "box.h"
#include "delivery.h"
#include "exchange.h"
#include "files.h"
#include "limits.h"
#include "locking.h"
#include "message.h"
#include "pool.h"
#include "select.h"
#include "stream.h"
#include "trace.h"
#include "usercopy.h"

/* Messages that are taken under one hold of the lock. */
#define RECEIVE_CHUNK	8

/**
 * struct receiving - a chunk of messages on their way out
 * @handle: by which they are received
 * @exchange: where they come from
 * @flags: IPCBOX_HOLD: they get tokens; IPCBOX_TRUNCATE, IPCBOX_LARGEST: what
 *	their buffers must have room for
 * @selection: which ones are wanted; NULL for any
 * @walk: where the search for them is
 * @patience: how long to wait for the first
 * @incoming: what the user asked, and what it is told
 * @messages: what was taken
 * @asked: how many may be taken
 * @taken: how many were
 * @given: how many of them the user has got
 */
struct receiving {
	struct ipcbox_handle *handle;
	struct ipcbox_exchange *exchange;
	u32 flags;
	const struct ipcbox_selection *selection;
	struct ipcbox_walk walk;
	struct ipcbox_patience patience;
	struct ipcbox_incoming incoming[RECEIVE_CHUNK];
	struct ipcbox_message *messages[RECEIVE_CHUNK];
	u32 asked;
	u32 taken;
	u32 given;
};

/* The longest message that a buffer takes. */
static u32 receive_room(const struct receiving *receiving,
			const struct ipcbox_incoming *incoming)
{
	return receiving->flags & IPCBOX_TRUNCATE ? U32_MAX :
						    incoming->capacity;
}

/*
 * Finds the message to go next, past those whose time has come. -EAGAIN: there
 * is none; -EINPROGRESS: there may be one, but the lock was held long enough.
 */
static int receive_next_locked(struct receiving *receiving,
			       struct ipcbox_queue_entry **entry,
			       struct ipcbox_wakes *wakes)
{
	struct ipcbox_exchange *exchange = receiving->exchange;
	struct ipcbox_delivery *delivery;
	unsigned int n;

	if (unlikely(receiving->selection)) {
		*entry = ipcbox_walk_first_locked(exchange, &receiving->walk);
		if (*entry)
			return 0;
		return ipcbox_walk_goes_on_locked(exchange, &receiving->walk) ?
			       -EINPROGRESS : -EAGAIN;
	}
	for (n = 0; n < IPCBOX_DELIVERY_CHUNK; n++) {
		*entry = ipcbox_queue_first(&exchange->queue);
		if (!*entry)
			return -EAGAIN;
		if (likely(!(*entry)->tracked))
			return 0;
		delivery = ipcbox_message_of(*entry)->delivery;
		if (!ipcbox_delivery_is_over(delivery))
			return 0;
		ipcbox_delivery_expire_locked(exchange, delivery, wakes);
	}
	return -EINPROGRESS;
}

static bool receive_fits(const struct receiving *receiving,
			 const struct ipcbox_incoming *incoming,
			 const struct ipcbox_message *message)
{
	return message->entry.length <= receive_room(receiving, incoming) &&
	       ipcbox_delivery_descriptors(message) <=
		       incoming->descriptor_capacity;
}

/* Takes what is there; an error says why it is not more. */
static int receive_take_locked(struct receiving *receiving,
			       struct ipcbox_wakes *wakes)
{
	struct ipcbox_exchange *exchange = receiving->exchange;
	struct ipcbox_queue_entry *entry;
	struct ipcbox_message *message;
	int error;

	lockdep_assert_held(&exchange->lock);
	while (receiving->taken < receiving->asked) {
		struct ipcbox_incoming *incoming =
			&receiving->incoming[receiving->taken];

		error = receive_next_locked(receiving, &entry, wakes);
		/* Ordinarily one look tells that there is a sender. */
		if (error == -EAGAIN &&
		    unlikely(!exchange->send_handles ||
			     exchange->queue.limits.plain) &&
		    ipcbox_exchange_no_sender_locked(exchange))
			error = ipcbox_exchange_end_error(exchange);
		if (error)
			return error;
		message = ipcbox_message_of(entry);
		if (!receive_fits(receiving, incoming, message)) {
			incoming->length = entry->length;
			incoming->descriptor_count =
				ipcbox_delivery_descriptors(message);
			return -EMSGSIZE;
		}
		if (likely(!entry->tracked)) {
			ipcbox_queue_remove(&exchange->queue, entry);
		} else {
			ipcbox_exchange_dequeue_locked(exchange, entry);
			message->delivery->state = IPCBOX_DELIVERY_TRANSIT;
		}
		exchange->received++;
		exchange->bytes_received += entry->length;
		receiving->messages[receiving->taken++] = message;
		ipcbox_room_admit_locked(exchange,
					 ipcbox_share_of(entry->share), wakes);
		wakes->writable |= EPOLLOUT | EPOLLWRNORM;
	}
	return 0;
}

/* Goes on, after the lock was held long enough. */
static int receive_take_on_locked(struct receiving *receiving,
				  struct ipcbox_wakes *wakes)
	__must_hold(&receiving->exchange->lock)
{
	ipcbox_exchange_unlock(receiving->exchange, wakes);
	cond_resched();
	ipcbox_exchange_lock(receiving->exchange, wakes);
	return signal_pending(current) ? -ERESTARTSYS :
					 receive_take_locked(receiving, wakes);
}

/* Takes what is wanted; releases the lock on the way, when there is much to look at. */
static int receive_select_locked(struct receiving *receiving,
				 struct ipcbox_wakes *wakes)
	__must_hold(&receiving->exchange->lock)
{
	struct ipcbox_exchange *exchange = receiving->exchange;
	int error;

	ipcbox_walk_begin(&receiving->walk, receiving->selection);
	list_add(&receiving->walk.node, &exchange->walks);
	error = receive_take_locked(receiving, wakes);
	while (error == -EINPROGRESS)
		error = receive_take_on_locked(receiving, wakes);
	list_del(&receiving->walk.node);
	return error;
}

static __always_inline int receive_search_locked(struct receiving *receiving,
						 struct ipcbox_wakes *wakes)
	__must_hold(&receiving->exchange->lock)
{
	int error;

	if (unlikely(receiving->selection))
		return receive_select_locked(receiving, wakes);
	error = receive_take_locked(receiving, wakes);
	while (unlikely(error == -EINPROGRESS))
		error = receive_take_on_locked(receiving, wakes);
	return error;
}

static void receive_park_locked(struct receiving *receiving,
				struct ipcbox_waiter *waiter)
{
	struct ipcbox_exchange *exchange = receiving->exchange;

	lockdep_assert_held(&exchange->lock);
	ipcbox_waiter_init(waiter);
	waiter->spin = READ_ONCE(receiving->handle->spin);
	waiter->peer = &exchange->sender_processor;
	waiter->capacity = receive_room(receiving, &receiving->incoming[0]);
	waiter->descriptor_capacity =
		receiving->incoming[0].descriptor_capacity;
	waiter->selector.selection = receiving->selection;
	ipcbox_exchange_add_receiver_locked(exchange, waiter);
	trace_ipcbox_block(&exchange->object, IPCBOX_RIGHT_RECEIVE);
}

/* What is wanted may be at hand, but waiting for room: let it in. */
static void receive_pull_locked(struct receiving *receiving,
				struct ipcbox_wakes *wakes)
{
	struct ipcbox_exchange *exchange = receiving->exchange;
	struct ipcbox_queue_entry *entry;
	struct ipcbox_share *share;

	entry = ipcbox_selection_parked_locked(exchange, receiving->selection);
	if (!entry ||
	    !receive_fits(receiving, &receiving->incoming[0],
			  ipcbox_message_of(entry)))
		return;
	share = ipcbox_share_of(entry->share);
	ipcbox_queue_unpark(&exchange->queue, entry);
	ipcbox_room_unpark_locked(exchange, ipcbox_message_of(entry), wakes);
	/* It may have stood in the way of others. */
	ipcbox_room_admit_locked(exchange, share, wakes);
}

/* Returns true if the waiter is to be waited for, or has its message. */
static bool receive_await_locked(struct receiving *receiving,
				 struct ipcbox_waiter *waiter,
				 struct ipcbox_wakes *wakes)
{
	struct ipcbox_exchange *exchange = receiving->exchange;
	bool pull = receiving->selection && exchange->senders_waiting &&
		    !exchange->queue.limits.plain;

	if (!receiving->patience.wait && !pull)
		return false;
	receive_park_locked(receiving, waiter);
	if (pull)
		receive_pull_locked(receiving, wakes);
	if (receiving->patience.wait || waiter->result != IPCBOX_WAITING)
		return true;
	ipcbox_exchange_remove_receiver_locked(exchange, waiter);
	return false;
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

	error = ipcbox_waiter_wait(waiter, &receiving->patience);
	if (error) {
		ipcbox_exchange_lock(exchange, &wakes);
		if (waiter->result == IPCBOX_WAITING) {
			ipcbox_exchange_remove_receiver_locked(exchange,
							       waiter);
		} else {
			error = 0;
		}
		ipcbox_exchange_unlock(exchange, &wakes);
		if (error)
			return error;
	}
	if (waiter->result == -EMSGSIZE) {
		receiving->incoming[0].length = waiter->length;
		receiving->incoming[0].descriptor_count = waiter->descriptors;
	}
	if (waiter->result)
		return waiter->result;
	receiving->messages[0] = waiter->message;
	receiving->taken = 1;
	return 0;
}

static __always_inline int receive_take(struct receiving *receiving)
{
	struct ipcbox_exchange *exchange = receiving->exchange;
	struct ipcbox_waiter waiter __uninitialized;
	struct ipcbox_wakes wakes __uninitialized;
	bool parked = false;
	int error;

	receiving->taken = 0;
	receiving->given = 0;
	ipcbox_exchange_lock(exchange, &wakes);
	WRITE_ONCE(exchange->receiver_processor, raw_smp_processor_id());
	error = receive_search_locked(receiving, &wakes);
	if (receiving->taken)
		ipcbox_exchange_note_receiver_locked(exchange,
						     task_tgid(current));
	if (error == -EAGAIN && !receiving->taken)
		parked = receive_await_locked(receiving, &waiter, &wakes);
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
		ipcbox_delivery_return_locked(exchange, message, &wakes);
	}
	ipcbox_exchange_unlock(exchange, &wakes);
	receiving->taken = from;
}

/* What is tracked may have been withdrawn, or is held from now on. */
static bool receive_commit_tracked(struct receiving *receiving,
				   struct ipcbox_message *message)
{
	struct ipcbox_delivery *delivery = message->delivery;
	struct ipcbox_exchange *exchange = receiving->exchange;
	struct ipcbox_wakes wakes __uninitialized;
	bool held = delivery->token.number;
	bool ours = !held;
	bool withdrawn;

	ipcbox_exchange_lock(exchange, &wakes);
	withdrawn = delivery->withdrawn;
	if (withdrawn) {
		exchange->received--;
		exchange->bytes_received -= message->entry.length;
		exchange->withdrawn++;
		ours = true;
	} else if (held) {
		ipcbox_delivery_hold_locked(exchange, receiving->handle,
					    delivery);
	} else if (delivery->call) {
		/* Taken by read(2), which cannot reply. */
		ipcbox_delivery_finish_locked(delivery, -EOPNOTSUPP, &wakes);
		ours = false;
	} else if (delivery->waiter) {
		ipcbox_message_uncharge(message);
		ipcbox_delivery_finish_locked(delivery, 0, &wakes);
	}
	ipcbox_exchange_unlock(exchange, &wakes);
	if (ours)
		ipcbox_message_free(message);
	return !withdrawn;
}

/*
 * The message is received: nothing that follows can fail. Returns false if its
 * sender was faster in taking it back.
 */
static bool receive_commit(struct receiving *receiving,
			   struct ipcbox_message *message)
{
	trace_ipcbox_receive(&receiving->exchange->object, &message->entry);
	if (message->entry.tracked)
		return receive_commit_tracked(receiving, message);
	ipcbox_message_free(message);
	return true;
}

/* A message that shall be held, and every call, gets its token. */
static int receive_prepare(struct receiving *receiving,
			   struct ipcbox_message *message)
{
	struct ipcbox_delivery *delivery = ipcbox_message_delivery(message);
	struct ipcbox_box *box = receiving->exchange->object.box;

	if (!(receiving->flags & IPCBOX_HOLD) &&
	    !(delivery && delivery->call)) {
		if (delivery)
			delivery->token.number = 0;
		return 0;
	}
	if (!delivery) {
		delivery = ipcbox_delivery_track(message);
		if (!delivery)
			return -ENOMEM;
		delivery->state = IPCBOX_DELIVERY_TRANSIT;
	}
	delivery->token.number = atomic64_inc_return(&box->last_token);
	return 0;
}

/* No descriptors are installed but for a message that has some. */
static int receive_install(const struct ipcbox_message *message,
			   const struct ipcbox_incoming *incoming,
			   struct ipcbox_installed *installed)
{
	installed->count = 0;
	if (likely(!ipcbox_delivery_descriptors(message)))
		return 0;
	return ipcbox_files_install(message->delivery->files,
				    u64_to_user_ptr(incoming->descriptors),
				    installed);
}

/*
 * Payload first, header last: who sees a header has a whole message. A process
 * that is being killed will see nothing any more: the message is for another.
 * Descriptors are installed when all but the header is done.
 */
static __always_inline int
receive_copy_out(struct ipcbox_message *message,
		 struct ipcbox_incoming *incoming,
		 struct ipcbox_incoming __user *to,
		 struct ipcbox_installed *installed)
{
	const size_t answer = offsetof(struct ipcbox_incoming, length);
	int error;

	if (fatal_signal_pending(current))
		return -EINTR;
	error = ipcbox_message_copy_out(message,
					u64_to_user_ptr(incoming->data), 0,
					incoming->capacity);
	if (error)
		return error;
	error = receive_install(message, incoming, installed);
	if (error)
		return error;
	ipcbox_message_describe(message, incoming);
	if (ipcbox_copy_out(&to->length, &incoming->length,
			    sizeof(*incoming) - answer)) {
		ipcbox_files_uninstall(installed);
		return -EFAULT;
	}
	return 0;
}

/*
 * Gives the user what was taken, and returns the rest. As withdrawn messages
 * leave no gap, a message may get another buffer than it was measured by.
 */
static int receive_give(struct receiving *receiving, void __user *to,
			u32 stride)
{
	struct ipcbox_installed installed __uninitialized;
	int error = 0;
	u32 i;

	for (i = 0; i < receiving->taken; i++) {
		struct ipcbox_message *message = receiving->messages[i];
		struct ipcbox_incoming *incoming =
			&receiving->incoming[receiving->given];

		if (!receive_fits(receiving, incoming, message))
			break;
		error = receive_prepare(receiving, message);
		if (!error)
			error = receive_copy_out(message, incoming, to,
						 &installed);
		if (error)
			break;
		if (receive_commit(receiving, message)) {
			receiving->given++;
			to += stride;
		} else {
			ipcbox_files_uninstall(&installed);
		}
	}
	if (i < receiving->taken)
		receive_return(receiving, i);
	return error;
}

/**
 * ipcbox_receive_reply() - give a caller its reply
 * @message: the reply, which stays the caller's
 * @incoming: the caller's buffer
 * @to: where it is described
 *
 * Return: 0; -EFAULT, -EINTR when the caller is being killed, or as
 * ipcbox_files_install() has it.
 */
int ipcbox_receive_reply(struct ipcbox_message *message,
			 struct ipcbox_incoming *incoming,
			 struct ipcbox_incoming __user *to)
{
	struct ipcbox_installed installed __uninitialized;

	return receive_copy_out(message, incoming, to, &installed);
}

/* With IPCBOX_LARGEST: is there room for whatever may come? */
static int receive_check_room(const struct receiving *receiving,
			      struct ipcbox_incoming *incoming)
{
	u32 largest = READ_ONCE(receiving->exchange->max_message_bytes);

	if (!(receiving->flags & IPCBOX_LARGEST) ||
	    incoming->capacity >= largest)
		return 0;
	incoming->length = largest;
	incoming->descriptor_count = 0;
	return -EMSGSIZE;
}

/* Several at once, where it is known that they can be read. */
static bool receive_ask_all(struct receiving *receiving,
			    const void __user *from, u32 stride, u32 count)
{
	const size_t size = sizeof(*receiving->incoming);

	return count > 1 && stride == size &&
	       !ipcbox_copy_in_whole(receiving->incoming, from, count * size);
}

static int receive_ask(struct receiving *receiving, const void __user *from,
		       u32 stride, u32 count)
{
	bool asked = receive_ask_all(receiving, from, stride, count);
	struct ipcbox_incoming *incoming = receiving->incoming;
	int error = 0;

	for (receiving->asked = 0; receiving->asked < count; incoming++) {
		if (!asked)
			error = ipcbox_message_ask(incoming, from, stride);
		if (!error)
			error = receive_check_room(receiving, incoming);
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
	const u32 flags = IPCBOX_NOWAIT | IPCBOX_HOLD | IPCBOX_PEEK |
			  IPCBOX_SELECT_ALL | IPCBOX_REALTIME |
			  IPCBOX_NORESTART | IPCBOX_TRUNCATE | IPCBOX_LARGEST;
	const u32 not_peek = IPCBOX_HOLD | IPCBOX_TRUNCATE | IPCBOX_LARGEST |
			     IPCBOX_SELECT_TAG_LOWEST;
	u32 rights = IPCBOX_RIGHT_RECEIVE;

	if (request->flags & ~flags ||
	    !ipcbox_deadline_valid(request->deadline))
		return -EINVAL;
	if (request->flags & IPCBOX_PEEK ?
		    request->flags & not_peek ||
			    request->skip > IPCBOX_SKIP_MAX :
		    request->skip)
		return -EINVAL;
	if (!request->count || request->count > ipcbox_limit(batch_messages))
		return -EINVAL;
	if (request->message_size <
	    offsetofend(struct ipcbox_incoming, pad))
		return -EINVAL;
	if (request->message_size > PAGE_SIZE)
		return -E2BIG;
	if (request->flags & IPCBOX_PEEK)
		rights |= IPCBOX_RIGHT_LOOK;
	return ipcbox_request_check_object(handle, request->object) ?:
	       ipcbox_handle_check(handle, rights);
}

/* Takes and gives a chunk; nothing given and no error: try again. */
static int receive_chunk(struct receiving *receiving, void __user *to,
			 u32 stride, u32 count)
{
	int taking, giving;

	giving = receive_ask(receiving, to, stride, count);
	if (giving)
		return giving;
	taking = receive_take(receiving);
	giving = receive_give(receiving, to, stride);
	if (receiving->taken && !receiving->given)
		return giving;
	return giving ?: taking;
}

/**
 * ipcbox_receive_messages() - receive, as RECEIVE does
 * @handle: a handle that may receive
 * @request: what is asked, checked
 * @selection: which messages are wanted; NULL for any
 * @nonblock: do not wait
 *
 * Return: the number of messages received, or an errno as <linux/ipcbox.h>
 * says.
 */
long ipcbox_receive_messages(struct ipcbox_handle *handle,
			     const struct ipcbox_receive *request,
			     const struct ipcbox_selection *selection,
			     bool nonblock)
{
	const size_t lengths = offsetofend(struct ipcbox_incoming,
					   descriptor_count) -
			       offsetof(struct ipcbox_incoming, length);
	u32 stride = request->message_size;
	struct ipcbox_incoming __user *first;
	struct receiving receiving __uninitialized;
	u32 total = 0;
	int error = 0;

	first = u64_to_user_ptr(request->messages);
	receiving.handle = handle;
	receiving.flags = request->flags;
	receiving.selection = selection;
	receiving.exchange = ipcbox_exchange_of(handle->object);
	receiving.patience.clock = ipcbox_patience_clock(request->flags);
	receiving.patience.deadline = request->deadline;
	while (!error && total < request->count) {
		void __user *to = (void __user *)first + (u64)total * stride;

		receiving.patience.wait = !total &&
			!(request->flags & IPCBOX_NOWAIT) && !nonblock;
		receiving.given = 0;
		error = receive_chunk(&receiving, to, stride,
				      min_t(u32, request->count - total,
					    RECEIVE_CHUNK));
		total += receiving.given;
		if (total < request->count)
			cond_resched();
	}
	if (total)
		return total;
	if (error == -EMSGSIZE &&
	    copy_to_user(&first->length, &receiving.incoming[0].length,
			 lengths))
		return -EFAULT;
	return error;
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
	struct ipcbox_selection selection __uninitialized;
	long result;

	result = receive_check(handle, request);
	if (!result)
		result = ipcbox_exchange_check_messages(handle);
	if (result)
		return result;
	if (ipcbox_exchange_of(handle->object)->pool) {
		result = ipcbox_pool_receive(handle, request,
					     call->file->f_flags & O_NONBLOCK);
		return ipcbox_request_restarts(result, request->flags);
	}
	result = ipcbox_selection_begin(&selection, request);
	if (result)
		return result;
	if (request->flags & IPCBOX_PEEK)
		result = ipcbox_exchange_peek(ipcbox_exchange_of(handle->object),
					      request, &selection);
	else
		result = ipcbox_receive_messages(handle, request,
						 selection.flags ? &selection :
								   NULL,
						 call->file->f_flags &
							 O_NONBLOCK);
	ipcbox_selection_end(&selection);
	return ipcbox_request_restarts(result, request->flags);
}

/**
 * ipcbox_receive_next() - take one plain message, whatever its length
 * @handle: a handle that may receive
 * @wait: wait for it
 *
 * Return: the message, received, which is the caller's; or an ERR_PTR as
 * RECEIVE has it.
 */
struct ipcbox_message *ipcbox_receive_next(struct ipcbox_handle *handle,
					   bool wait)
{
	struct receiving receiving __uninitialized;
	int error;

	receiving.handle = handle;
	receiving.exchange = ipcbox_exchange_of(handle->object);
	receiving.patience = ipcbox_patience_plain(wait);
	receiving.flags = 0;
	receiving.selection = NULL;
	receiving.incoming[0].capacity = U32_MAX;
	receiving.incoming[0].descriptor_capacity = 0;
	receiving.asked = 1;
	error = receive_take(&receiving);
	if (error)
		return ERR_PTR(error);
	trace_ipcbox_receive(handle->object, &receiving.messages[0]->entry);
	return receiving.messages[0];
}

/**
 * ipcbox_exchange_read() - read(2) and pread(2) on a mailbox or queue
 * @handle: a handle that may receive
 * @buffer: room for the payload
 * @size: how much
 * @wait: wait for a message
 * @exact: that no sender will come is an error, and not 0; false for a stream
 *
 * Return: the payload's length, 0 when no sender will come, or an errno as
 * RECEIVE has it.
 */
ssize_t ipcbox_exchange_read(struct ipcbox_handle *handle, char __user *buffer,
			     size_t size, bool wait, bool exact)
{
	struct receiving receiving __uninitialized;
	struct ipcbox_message *message;
	u32 length;
	int error;

	if (handle->object->state & IPCBOX_STATE_STREAM)
		return ipcbox_stream_read(handle, buffer, size, wait);
	if (ipcbox_exchange_of(handle->object)->pool)
		return ipcbox_pool_read(handle, buffer, size, wait, exact);
	receiving.handle = handle;
	receiving.exchange = ipcbox_exchange_of(handle->object);
	receiving.patience = ipcbox_patience_plain(wait);
	receiving.flags = 0;
	receiving.selection = NULL;
	receiving.incoming[0].capacity = min_t(size_t, size, U32_MAX);
	receiving.incoming[0].descriptor_capacity = 0;
	receiving.asked = 1;
	do {
		error = receive_take(&receiving);
		if (error)
			return error == -EPIPE && !exact ? 0 : error;
		message = receiving.messages[0];
		length = message->entry.length;
		if (message->entry.tracked)
			message->delivery->token.number = 0;
		if (fatal_signal_pending(current) ||
		    ipcbox_message_copy_out(message, buffer, 0, length)) {
			receive_return(&receiving, 0);
			return -EFAULT;
		}
	} while (!receive_commit(&receiving, message));
	return length;
}
