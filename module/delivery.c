// SPDX-License-Identifier: GPL-2.0
/*
 * Deliveries: messages that are waited for, held, returned and withdrawn.
 *
 * A tracked message goes from its sender into the queue (or straight to a
 * receiver), into a receiver's hands while it copies, and then either to its
 * end or into what the receiver's handle holds, from where it is settled or
 * returns to the queue. Its sender may give up at any time:
 *
 *   where it is         what withdrawing does
 *   -----------         ---------------------
 *   new, queued         takes it out; it is the sender's again
 *   transit             marks it; the receiver drops it instead of ending its
 *                       receive with it
 *   held                marks it; the receiver finds out when it settles
 *
 * So the sender never waits for a receiver that is slow, and the receiver's
 * commit, under the lock, decides between taken and withdrawn.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "box.h"
#include "dead_letter.h"
#include "delivery.h"
#include "exchange.h"
#include "files.h"
#include "locking.h"
#include "message.h"

static void delivery_init(struct ipcbox_delivery *delivery)
{
	*delivery = (struct ipcbox_delivery){
		.references = REFCOUNT_INIT(1),
	};
	INIT_LIST_HEAD(&delivery->awaited);
	ipcbox_lifetime_init(&delivery->lifetime);
}

/**
 * ipcbox_delivery_create() - make a delivery
 *
 * May sleep for memory.
 *
 * Return: the delivery, for ipcbox_delivery_attach() or kfree(); NULL without
 * memory.
 */
struct ipcbox_delivery *ipcbox_delivery_create(void)
{
	struct ipcbox_delivery *delivery;

	delivery = kmalloc(sizeof(*delivery), GFP_KERNEL_ACCOUNT);
	if (delivery)
		delivery_init(delivery);
	return delivery;
}

/**
 * ipcbox_delivery_attach() - track a message from now on
 * @delivery: a new delivery, which then goes with the message
 * @message: one that is not tracked, that only the caller has or that is in
 *	the queue, whose lock is held
 */
void ipcbox_delivery_attach(struct ipcbox_delivery *delivery,
			    struct ipcbox_message *message)
{
	delivery->message = message;
	message->delivery = delivery;
	message->entry.tracked = true;
}

/**
 * ipcbox_delivery_track() - track a message from now on, if it is not yet
 * @message: a message that only the caller has
 *
 * May sleep for memory.
 *
 * Return: the delivery, which goes with the message; NULL without memory.
 */
struct ipcbox_delivery *ipcbox_delivery_track(struct ipcbox_message *message)
{
	struct ipcbox_delivery *delivery = ipcbox_message_delivery(message);

	if (delivery)
		return delivery;
	delivery = ipcbox_delivery_create();
	if (delivery)
		ipcbox_delivery_attach(delivery, message);
	return delivery;
}

/**
 * ipcbox_delivery_track_inside() - track a message, without memory of its own
 * @message: a message that only the caller has and that is not tracked
 * @memory: for the delivery, at the end of the message's
 */
void ipcbox_delivery_track_inside(struct ipcbox_message *message, void *memory)
{
	struct ipcbox_delivery *delivery = memory;

	delivery_init(delivery);
	delivery->inside = true;
	ipcbox_delivery_attach(delivery, message);
}

static int delivery_reserve(struct ipcbox_delivery *delivery, u64 bytes)
{
	struct ipcbox_queue_share *share = delivery->message->entry.share;
	int error;

	/* A reply's room was charged to its caller. */
	if (!share)
		return 0;
	error = ipcbox_user_charge(ipcbox_share_of(share)->user, bytes);
	if (!error)
		delivery->reserved += bytes;
	return error;
}

/**
 * ipcbox_delivery_add_files() - a message shall carry open files
 * @message: a message that only the caller has
 * @outgoing: names their descriptors, at least one
 *
 * Charges the sender for them. Sleeps. When it fails the message is as good as
 * before, without files.
 *
 * Return: 0; -ENOMEM, -EDQUOT, or as ipcbox_files_get() has it.
 */
int ipcbox_delivery_add_files(struct ipcbox_message *message,
			      const struct ipcbox_outgoing *outgoing)
{
	struct ipcbox_delivery *delivery = ipcbox_delivery_track(message);
	struct ipcbox_files *files;
	int error;

	if (!delivery)
		return -ENOMEM;
	files = ipcbox_files_get(u64_to_user_ptr(outgoing->descriptors),
				 outgoing->descriptor_count);
	if (IS_ERR(files))
		return PTR_ERR(files);
	error = delivery_reserve(delivery, files->count * IPCBOX_FILES_COST);
	if (error)
		ipcbox_files_free(files);
	else
		delivery->files = files;
	return error;
}

/**
 * ipcbox_delivery_close_files() - a dead letter goes on without its files
 * @delivery: of a message that only the caller has, with files
 */
void ipcbox_delivery_close_files(struct ipcbox_delivery *delivery)
{
	struct ipcbox_queue_share *share = delivery->message->entry.share;
	u64 bytes = delivery->files->count * IPCBOX_FILES_COST;

	ipcbox_user_uncharge(ipcbox_share_of(share)->user, bytes);
	delivery->reserved -= bytes;
	ipcbox_files_free(delivery->files);
	delivery->files = NULL;
	delivery->closed = true;
}

/**
 * ipcbox_delivery_hold_locked() - a handle holds a message from now on
 * @exchange: the exchange, locked
 * @handle: the handle
 * @delivery: of a message in transit, with its token
 */
void ipcbox_delivery_hold_locked(struct ipcbox_exchange *exchange,
				 struct ipcbox_handle *handle,
				 struct ipcbox_delivery *delivery)
{
	lockdep_assert_held(&exchange->lock);
	ipcbox_token_add(&handle->held, &delivery->token);
	delivery->state = IPCBOX_DELIVERY_HELD;
	exchange->held++;
	exchange->received--;
	exchange->bytes_received -= delivery->message->entry.length;
}

/**
 * ipcbox_delivery_find_locked() - look a token up
 * @exchange: the exchange, locked
 * @handle: a handle on it
 * @token: the token
 *
 * Return: the delivery, or NULL if the handle does not hold it.
 */
struct ipcbox_delivery *
ipcbox_delivery_find_locked(struct ipcbox_exchange *exchange,
			    struct ipcbox_handle *handle, u64 token)
{
	struct ipcbox_token *found;

	lockdep_assert_held(&exchange->lock);
	found = ipcbox_token_find(&handle->held, token);
	return found ? ipcbox_delivery_of_token(found) : NULL;
}

/**
 * ipcbox_delivery_release_locked() - a handle holds a message no more
 * @exchange: the exchange, locked
 * @handle: the handle
 * @delivery: of a message that it holds; where it goes is for the caller
 */
void ipcbox_delivery_release_locked(struct ipcbox_exchange *exchange,
				    struct ipcbox_handle *handle,
				    struct ipcbox_delivery *delivery)
{
	lockdep_assert_held(&exchange->lock);
	ipcbox_token_remove(&handle->held, &delivery->token);
	exchange->held--;
}

/**
 * ipcbox_delivery_finish_locked() - tell the waiting sender the outcome
 * @delivery: of a message that is waited for; the exchange is locked
 * @result: 0, after which the message is not the sender's; or an errno, after
 *	which it is, and must be in no queue and not held
 * @wakes: whom to wake
 */
void ipcbox_delivery_finish_locked(struct ipcbox_delivery *delivery,
				   int result, struct ipcbox_wakes *wakes)
{
	struct ipcbox_waiter *waiter = delivery->waiter;

	delivery->waiter = NULL;
	list_del_init(&delivery->awaited);
	ipcbox_waiter_finish_locked(waiter, result, wakes);
}

static void delivery_unqueue_locked(struct ipcbox_exchange *exchange,
				    struct ipcbox_delivery *delivery)
{
	struct ipcbox_queue_entry *entry = &delivery->message->entry;

	if (delivery->state == IPCBOX_DELIVERY_QUEUED) {
		ipcbox_exchange_dequeue_locked(exchange, entry);
		exchange->withdrawn++;
	} else {
		ipcbox_queue_unpark(&exchange->queue, entry);
		exchange->senders_waiting--;
	}
	delivery->state = IPCBOX_DELIVERY_NEW;
}

/**
 * ipcbox_delivery_withdraw_locked() - the waiting sender gives up
 * @exchange: the exchange, locked
 * @delivery: of a message that is still waited for
 * @wakes: whom to wake
 *
 * Return: true if the message is the sender's again; false if a receiver has
 * it, and will end it.
 */
bool ipcbox_delivery_withdraw_locked(struct ipcbox_exchange *exchange,
				     struct ipcbox_delivery *delivery,
				     struct ipcbox_wakes *wakes)
{
	struct ipcbox_share *share =
		ipcbox_share_of(delivery->message->entry.share);

	lockdep_assert_held(&exchange->lock);
	delivery->waiter = NULL;
	list_del_init(&delivery->awaited);
	if (delivery->state == IPCBOX_DELIVERY_TRANSIT ||
	    delivery->state == IPCBOX_DELIVERY_HELD) {
		delivery->withdrawn = true;
		return false;
	}
	delivery_unqueue_locked(exchange, delivery);
	ipcbox_room_admit_locked(exchange, share, wakes);
	wakes->writable |= EPOLLOUT | EPOLLWRNORM;
	return true;
}

static bool delivery_exhausted(const struct ipcbox_exchange *exchange,
			       const struct ipcbox_delivery *delivery)
{
	return exchange->max_deliveries &&
	       delivery->deliveries >= exchange->max_deliveries;
}

/* In no queue any more: a sender that waits learns so; else it is a letter. */
static void delivery_expire(struct ipcbox_exchange *exchange,
			    struct ipcbox_delivery *delivery,
			    struct ipcbox_wakes *wakes)
{
	exchange->expired++;
	delivery->state = IPCBOX_DELIVERY_NEW;
	if (delivery->waiter)
		ipcbox_delivery_finish_locked(delivery, -ETIMEDOUT, wakes);
	else
		ipcbox_dead_letter_add(wakes, delivery->message,
				       IPCBOX_DEAD_EXPIRED);
}

/**
 * ipcbox_delivery_return_locked() - a message was received in vain
 * @exchange: the exchange, locked
 * @message: a message that was in transit or held; gone after this
 * @wakes: whom to wake
 *
 * It goes to its place, or to a receiver that waits; but when its sender has
 * withdrawn it, or its deliveries are used up or its lifetime is over, it ends.
 */
void ipcbox_delivery_return_locked(struct ipcbox_exchange *exchange,
				   struct ipcbox_message *message,
				   struct ipcbox_wakes *wakes)
{
	struct ipcbox_delivery *delivery = ipcbox_message_delivery(message);

	lockdep_assert_held(&exchange->lock);
	if (delivery && delivery->withdrawn) {
		exchange->withdrawn++;
		ipcbox_message_free(message);
		return;
	}
	if (delivery && delivery_exhausted(exchange, delivery)) {
		exchange->exhausted++;
		if (delivery->waiter)
			ipcbox_delivery_finish_locked(delivery, -EOWNERDEAD,
						      wakes);
		else
			ipcbox_dead_letter_add(wakes, message,
					       IPCBOX_DEAD_EXHAUSTED);
		return;
	}
	if (delivery && ipcbox_delivery_is_over(delivery))
		delivery_expire(exchange, delivery, wakes);
	else
		ipcbox_exchange_deliver_locked(exchange, message, wakes);
}

static void delivery_abandon_one_locked(struct ipcbox_exchange *exchange,
					struct ipcbox_delivery *delivery,
					struct ipcbox_wakes *wakes)
{
	delivery->deliveries++;
	if (delivery->call && delivery->waiter) {
		exchange->withdrawn++;
		ipcbox_delivery_finish_locked(delivery, -EOWNERDEAD, wakes);
	} else {
		ipcbox_delivery_return_locked(exchange, delivery->message,
					      wakes);
	}
}

/**
 * ipcbox_delivery_abandon_locked() - a handle ends with what it holds
 * @exchange: the exchange, locked
 * @handle: the handle
 * @wakes: whom to wake
 *
 * Messages return to their places; callers are told that the server died. As
 * there may be very many, only some are dealt with under one hold of the lock.
 *
 * Return: true if there are more.
 */
bool ipcbox_delivery_abandon_locked(struct ipcbox_exchange *exchange,
				    struct ipcbox_handle *handle,
				    struct ipcbox_wakes *wakes)
{
	struct ipcbox_delivery *delivery;
	struct ipcbox_token *token;
	unsigned int n;

	lockdep_assert_held(&exchange->lock);
	for (n = 0; n < IPCBOX_DELIVERY_CHUNK; n++) {
		token = ipcbox_token_first(&handle->held);
		if (!token)
			return false;
		delivery = ipcbox_delivery_of_token(token);
		ipcbox_delivery_release_locked(exchange, handle, delivery);
		delivery_abandon_one_locked(exchange, delivery, wakes);
	}
	return true;
}

/**
 * ipcbox_delivery_fail_queued_locked() - no receiver will come
 * @exchange: the exchange, locked
 * @error: what tells so
 * @wakes: whom to wake
 *
 * Whoever waits for a message that no receiver has gets the error.
 */
void ipcbox_delivery_fail_queued_locked(struct ipcbox_exchange *exchange,
					int error,
					struct ipcbox_wakes *wakes)
{
	struct ipcbox_delivery *delivery, *next;

	lockdep_assert_held(&exchange->lock);
	list_for_each_entry_safe(delivery, next, &exchange->awaited, awaited) {
		if (delivery->state == IPCBOX_DELIVERY_TRANSIT ||
		    delivery->state == IPCBOX_DELIVERY_HELD)
			continue;
		delivery_unqueue_locked(exchange, delivery);
		ipcbox_delivery_finish_locked(delivery, error, wakes);
	}
}

/**
 * ipcbox_delivery_expire_locked() - the lifetime of a queued message is over
 * @exchange: the exchange, locked
 * @delivery: of the message, which leaves the queue
 * @wakes: whom to wake
 *
 * A sender that waits for it learns so; else it is a dead letter.
 */
void ipcbox_delivery_expire_locked(struct ipcbox_exchange *exchange,
				   struct ipcbox_delivery *delivery,
				   struct ipcbox_wakes *wakes)
{
	struct ipcbox_queue_entry *entry = &delivery->message->entry;
	struct ipcbox_share *share = ipcbox_share_of(entry->share);

	lockdep_assert_held(&exchange->lock);
	ipcbox_exchange_dequeue_locked(exchange, entry);
	delivery_expire(exchange, delivery, wakes);
	ipcbox_room_admit_locked(exchange, share, wakes);
	wakes->writable |= EPOLLOUT | EPOLLWRNORM;
}
