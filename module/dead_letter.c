// SPDX-License-Identifier: GPL-2.0
/*
 * Dead letters: messages that end otherwise than by being received, and the
 * mailbox that takes them.
 *
 * The dead-letter mailbox is named by id and looked up for each letter, so no
 * object holds another. A letter never waits for room: it would be the death
 * of a message that holds up the living.
 */
#include <linux/sched.h>

#include "box.h"
#include "dead_letter.h"
#include "delivery.h"
#include "exchange.h"
#include "locking.h"
#include "message.h"
#include "trace.h"

/**
 * ipcbox_dead_letter_add() - a message has died
 * @wakes: where it is noted, to be buried when the lock is released
 * @message: the message, in no queue; gone after this
 * @reason: IPCBOX_DEAD_*
 */
void ipcbox_dead_letter_add(struct ipcbox_wakes *wakes,
			    struct ipcbox_message *message, u32 reason)
{
	message->delivery->dead = reason;
	list_add_tail(&message->entry.list, &wakes->dead);
}

/* Makes the message one of @target: its user there, its fate in its header. */
static int dead_letter_address(struct ipcbox_exchange *exchange,
			       struct ipcbox_exchange *target,
			       struct ipcbox_message *message)
{
	struct ipcbox_delivery *delivery = message->delivery;
	struct ipcbox_share *share;

	share = ipcbox_exchange_share_of(target,
					 ipcbox_share_of(message->entry.share)
						 ->user);
	if (!share)
		return -ENOMEM;
	message->entry.share = &share->share;
	delivery->origin = exchange->object.id;
	delivery->origin_sequence = message->entry.sequence;
	delivery->lifetime.length = 0;
	delivery->deliveries = 0;
	delivery->state = IPCBOX_DELIVERY_NEW;
	if (ipcbox_delivery_descriptors(message) >
	    READ_ONCE(target->max_descriptors))
		ipcbox_delivery_close_files(delivery);
	return 0;
}

static int dead_letter_send(struct ipcbox_exchange *exchange,
			    struct ipcbox_exchange *target,
			    struct ipcbox_message *message)
{
	struct ipcbox_wakes wakes __uninitialized;
	int error;

	error = dead_letter_address(exchange, target, message);
	if (error)
		return error;
	ipcbox_exchange_lock(target, &wakes);
	error = ipcbox_send_offer_locked(target, message, &wakes);
	ipcbox_exchange_unlock(target, &wakes);
	return error;
}

static void dead_letter_discard(struct ipcbox_exchange *exchange,
				struct ipcbox_message *message)
{
	trace_ipcbox_drop(&exchange->object, &message->entry);
	atomic64_inc(&exchange->object.box->discarded);
	ipcbox_message_free(message);
}

static void dead_letter_count(struct ipcbox_exchange *exchange)
{
	struct ipcbox_wakes wakes __uninitialized;

	ipcbox_exchange_lock(exchange, &wakes);
	exchange->buried++;
	ipcbox_exchange_unlock(exchange, &wakes);
}

/**
 * ipcbox_dead_letter_bury() - send dead letters to the dead-letter mailbox
 * @exchange: where they died, not locked
 * @letters: tracked messages, through their entries' list; empty afterwards
 *
 * Sleeps. What the mailbox does not take is discarded and counted.
 */
void ipcbox_dead_letter_bury(struct ipcbox_exchange *exchange,
			     struct list_head *letters)
{
	struct ipcbox_queue_entry *entry, *next;
	struct ipcbox_object *object = NULL;
	struct ipcbox_exchange *target;
	u64 id = READ_ONCE(exchange->dead_letter);

	if (id)
		object = ipcbox_object_pin(exchange->object.box, id);
	target = object ? ipcbox_exchange_of(object) : NULL;
	list_for_each_entry_safe(entry, next, letters, list) {
		struct ipcbox_message *message = ipcbox_message_of(entry);

		list_del(&entry->list);
		if (target && !dead_letter_send(exchange, target, message))
			dead_letter_count(exchange);
		else
			dead_letter_discard(exchange, message);
		cond_resched();
	}
	if (object)
		ipcbox_object_unpin(object);
}

/**
 * ipcbox_dead_letter_end() - a message ends, not received
 * @exchange: where it was, not locked
 * @message: the message, in no queue; gone after this
 * @reason: IPCBOX_DEAD_*
 *
 * Sleeps.
 */
void ipcbox_dead_letter_end(struct ipcbox_exchange *exchange,
			    struct ipcbox_message *message, u32 reason)
{
	struct ipcbox_delivery *delivery;
	LIST_HEAD(letters);

	/* Without a mailbox for it, no memory is spent on its header. */
	delivery = READ_ONCE(exchange->dead_letter) ?
			   ipcbox_delivery_track(message) : NULL;
	if (!delivery) {
		dead_letter_discard(exchange, message);
		return;
	}
	delivery->dead = reason;
	list_add(&message->entry.list, &letters);
	ipcbox_dead_letter_bury(exchange, &letters);
}
