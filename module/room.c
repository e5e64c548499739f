// SPDX-License-Identifier: GPL-2.0
/*
 * Senders that wait for room: let in, told so, or told that it is in vain.
 *
 * A message is let in as soon as there is room for it. Its sender learns so at once
 * while the receiver has little to do, and otherwise a little later: when half of the
 * queue is free, or after a jiffy. Were it woken for each message that a busy receiver
 * takes, it would find room for one more and fall asleep again, and the processor would
 * do little else. Nobody loses by that: what the sender has sent is in, and the receiver
 * has enough to do.
 */
#include <linux/workqueue.h>

#include "delivery.h"
#include "exchange.h"
#include "locking.h"
#include "message.h"

/* With fewer messages than this a receiver is never busy. */
#define ROOM_BUSY_FROM	16

/* Who waits for room only; who waits for the outcome goes on waiting. */
static struct ipcbox_waiter *room_unpark_waiter(struct ipcbox_message *message)
{
	struct ipcbox_delivery *delivery = ipcbox_message_delivery(message);
	struct ipcbox_waiter *waiter;

	if (!delivery)
		return message->waiter;
	if (!list_empty(&delivery->awaited))
		return NULL;
	waiter = delivery->waiter;
	delivery->waiter = NULL;
	return waiter;
}

/* From a pool its receiver takes without our knowing. */
static bool room_is_scarce(const struct ipcbox_exchange *exchange)
{
	const struct ipcbox_queue *queue = &exchange->queue;

	return queue->messages >= ROOM_BUSY_FROM && !exchange->pool &&
	       (queue->messages > queue->limits.messages / 2 ||
		queue->bytes > queue->limits.bytes / 2);
}

static void room_tell_locked(struct ipcbox_exchange *exchange,
			     struct ipcbox_wakes *wakes)
{
	struct ipcbox_waiter *waiter, *next;

	list_for_each_entry_safe(waiter, next, &exchange->admitted, node) {
		list_del(&waiter->node);
		ipcbox_waiter_finish_locked(waiter, 0, wakes);
	}
}

/**
 * ipcbox_room_work() - tell senders that their messages are in
 * @work: an exchange's tell_admitted
 */
void ipcbox_room_work(struct work_struct *work)
{
	struct ipcbox_exchange *exchange =
		container_of(to_delayed_work(work), struct ipcbox_exchange,
			     tell_admitted);
	struct ipcbox_wakes wakes __uninitialized;

	ipcbox_exchange_lock(exchange, &wakes);
	room_tell_locked(exchange, &wakes);
	ipcbox_exchange_unlock(exchange, &wakes);
}

/**
 * ipcbox_room_unpark_locked() - a message that waited for room goes in
 * @exchange: the exchange, locked
 * @message: the message, parked no more; it may be received and freed before
 *	this returns
 * @wakes: whom to wake
 */
void ipcbox_room_unpark_locked(struct ipcbox_exchange *exchange,
			       struct ipcbox_message *message,
			       struct ipcbox_wakes *wakes)
{
	struct ipcbox_waiter *waiter = room_unpark_waiter(message);

	lockdep_assert_held(&exchange->lock);
	exchange->senders_waiting--;
	ipcbox_exchange_accept_locked(exchange, message, wakes);
	if (!waiter)
		return;
	if (!room_is_scarce(exchange)) {
		ipcbox_waiter_finish_locked(waiter, 0, wakes);
		return;
	}
	waiter->admitted = true;
	list_add_tail(&waiter->node, &exchange->admitted);
	queue_delayed_work(system_wq, &exchange->tell_admitted, 1);
}

/**
 * ipcbox_room_admit_waiting_locked() - ipcbox_room_admit_locked(), if any waits
 * @exchange: the exchange, locked
 * @freed: the share that has just lost an entry, or NULL
 * @wakes: whom to wake
 */
void ipcbox_room_admit_waiting_locked(struct ipcbox_exchange *exchange,
				      struct ipcbox_share *freed,
				      struct ipcbox_wakes *wakes)
{
	struct ipcbox_queue_share *share = freed ? &freed->share : NULL;
	struct ipcbox_queue_entry *entry;

	lockdep_assert_held(&exchange->lock);
	if (!room_is_scarce(exchange))
		room_tell_locked(exchange, wakes);
	if (!exchange->senders_waiting)
		return;
	while ((entry = ipcbox_queue_unpark_next(&exchange->queue, share)))
		ipcbox_room_unpark_locked(exchange, ipcbox_message_of(entry),
					  wakes);
}

/**
 * ipcbox_room_withdraw_locked() - a sender gives up waiting for room
 * @exchange: the exchange, locked
 * @message: its message; not looked at once it was let in
 * @waiter: the sender, which has no result
 *
 * Return: true if the message is the sender's again; false if it was let in.
 */
bool ipcbox_room_withdraw_locked(struct ipcbox_exchange *exchange,
				 struct ipcbox_message *message,
				 struct ipcbox_waiter *waiter)
{
	lockdep_assert_held(&exchange->lock);
	if (waiter->admitted) {
		list_del(&waiter->node);
		return false;
	}
	ipcbox_queue_unpark(&exchange->queue, &message->entry);
	exchange->senders_waiting--;
	return true;
}

/**
 * ipcbox_room_fail_locked() - no room will come
 * @exchange: the exchange, locked
 * @error: what tells so
 * @wakes: whom to wake
 *
 * Whoever waits for room gets the error, and its message back. Those who wait for
 * the outcome are not concerned, nor those whose messages are in.
 */
void ipcbox_room_fail_locked(struct ipcbox_exchange *exchange, int error,
			     struct ipcbox_wakes *wakes)
{
	struct ipcbox_queue_entry *entry, *next;
	struct ipcbox_share *share;

	lockdep_assert_held(&exchange->lock);
	hlist_for_each_entry(share, &exchange->shares, node) {
		list_for_each_entry_safe(entry, next, &share->share.parked,
					 list) {
			struct ipcbox_waiter *waiter =
				room_unpark_waiter(ipcbox_message_of(entry));

			if (!waiter)
				continue;
			ipcbox_queue_unpark(&exchange->queue, entry);
			exchange->senders_waiting--;
			ipcbox_waiter_finish_locked(waiter, error, wakes);
		}
	}
}
