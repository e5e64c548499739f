// SPDX-License-Identifier: GPL-2.0
/*
 * Selective receive.
 *
 * A receiver that selects walks the queue, and pays for what it passes over. As
 * that may be very much, the lock is released now and then on the way. One that
 * then waits stands in an index; see selector.c.
 */
#include <linux/pid.h>

#include "delivery.h"
#include "exchange.h"
#include "locking.h"
#include "message.h"
#include "select.h"

/* Messages that a walk looks at under one hold of the lock. */
#define WALK_LOOKS	512

/**
 * ipcbox_selection_begin() - read what a receiver wants
 * @selection: the result, to be given to ipcbox_selection_end()
 * @request: the user's request
 *
 * Return: 0; -EINVAL when a field is set that no flag names; -ENOENT when
 * there is no such process.
 */
int ipcbox_selection_begin(struct ipcbox_selection *selection,
			   const struct ipcbox_receive *request)
{
	u32 flags = request->flags & IPCBOX_SELECT_ALL;

	const u32 wide = IPCBOX_SELECT_TAG_NOT | IPCBOX_SELECT_TAG_LOWEST;

	if (!(flags & IPCBOX_SELECT_TAG) &&
	    (request->tag || request->tag_mask || flags & wide))
		return -EINVAL;
	if ((flags & wide) == wide)
		return -EINVAL;
	if (!(flags & IPCBOX_SELECT_SEQUENCE) && request->sequence)
		return -EINVAL;
	if (!(flags & IPCBOX_SELECT_PID) && request->pid)
		return -EINVAL;
	selection->flags = flags;
	selection->mask = request->tag_mask;
	selection->tag = request->tag & request->tag_mask;
	selection->sequence = request->sequence;
	selection->pid = NULL;
	if (!(flags & IPCBOX_SELECT_PID))
		return 0;
	selection->pid = find_get_pid(request->pid);
	return selection->pid ? 0 : -ENOENT;
}

/**
 * ipcbox_selection_end() - let go of a selection
 * @selection: from ipcbox_selection_begin()
 */
void ipcbox_selection_end(struct ipcbox_selection *selection)
{
	put_pid(selection->pid);
}

static void message_traits(struct ipcbox_traits *traits,
			   const struct ipcbox_message *message)
{
	traits->tag = message->tag;
	traits->pid = message->pid;
	traits->sequence = message->entry.sequence;
}

static bool selection_wants(const struct ipcbox_selection *selection,
			    const struct ipcbox_message *message)
{
	const struct ipcbox_delivery *delivery =
		ipcbox_message_delivery(message);
	struct ipcbox_traits traits;

	message_traits(&traits, message);
	if (!ipcbox_selection_wants(selection, &traits))
		return false;
	return !delivery || delivery->state != IPCBOX_DELIVERY_QUEUED ||
	       !ipcbox_delivery_is_over(delivery);
}

static void walk_restart(struct ipcbox_walk *walk)
{
	walk->place.priority = U16_MAX;
	walk->place.sequence = 0;
	walk->found = false;
}

/**
 * ipcbox_walk_begin() - walk a queue from its first message on
 * @walk: the walk
 * @selection: what is wanted
 *
 * One that must not miss what is put into the queue behind it goes into the
 * exchange's walks, until it ends.
 */
void ipcbox_walk_begin(struct ipcbox_walk *walk,
		       const struct ipcbox_selection *selection)
{
	walk->selection = selection;
	walk_restart(walk);
	walk->looks = WALK_LOOKS;
}

/**
 * ipcbox_walk_next_locked() - go on to the next message that is wanted
 * @exchange: the exchange, locked
 * @walk: the walk, which is then there
 *
 * Return: its entry, in the order of delivery; NULL when there is none, or when
 * ipcbox_walk_goes_on_locked().
 */
struct ipcbox_queue_entry *
ipcbox_walk_next_locked(struct ipcbox_exchange *exchange,
			struct ipcbox_walk *walk)
{
	struct ipcbox_queue_entry *entry;

	lockdep_assert_held(&exchange->lock);
	entry = ipcbox_queue_after(&exchange->queue, &walk->place);
	for (; entry && walk->looks;
	     entry = ipcbox_queue_next(&exchange->queue, entry)) {
		walk->looks--;
		walk->place = ipcbox_queue_place_of(entry);
		if (selection_wants(walk->selection, ipcbox_message_of(entry)))
			return entry;
	}
	return NULL;
}

static void walk_compare(struct ipcbox_walk *walk,
			 const struct ipcbox_queue_entry *entry,
			 const struct ipcbox_message *message)
{
	struct ipcbox_traits traits;

	message_traits(&traits, message);
	if (!ipcbox_selection_prefers(walk->selection, &traits,
				      walk->found ? &walk->of_best : NULL))
		return;
	walk->found = true;
	walk->best = ipcbox_queue_place_of(entry);
	walk->of_best = traits;
}

/* Ends a walk; returns the best that it found, unless that has gone. */
static struct ipcbox_queue_entry *
walk_best(struct ipcbox_exchange *exchange, struct ipcbox_walk *walk)
{
	struct ipcbox_queue_place before = walk->best;
	struct ipcbox_queue_entry *entry;

	walk_restart(walk);
	before.sequence--;
	entry = ipcbox_queue_after(&exchange->queue, &before);
	if (!entry || entry->priority != walk->best.priority ||
	    entry->sequence != walk->best.sequence ||
	    !selection_wants(walk->selection, ipcbox_message_of(entry)))
		return NULL;
	return entry;
}

/**
 * ipcbox_walk_first_locked() - go on to the message that is wanted first
 * @exchange: the exchange, locked
 * @walk: the walk
 *
 * As ipcbox_walk_next_locked(), but with IPCBOX_SELECT_TAG_LOWEST all that are
 * wanted are compared.
 *
 * Return: its entry; NULL when there is none, or when
 * ipcbox_walk_goes_on_locked().
 */
struct ipcbox_queue_entry *
ipcbox_walk_first_locked(struct ipcbox_exchange *exchange,
			 struct ipcbox_walk *walk)
{
	struct ipcbox_queue_entry *entry;

	lockdep_assert_held(&exchange->lock);
	if (likely(!(walk->selection->flags & IPCBOX_SELECT_TAG_LOWEST)))
		return ipcbox_walk_next_locked(exchange, walk);
	do {
		while ((entry = ipcbox_walk_next_locked(exchange, walk)))
			walk_compare(walk, entry, ipcbox_message_of(entry));
		if (!walk->looks || !walk->found)
			return NULL;
		entry = walk_best(exchange, walk);
	} while (!entry);
	return entry;
}

/**
 * ipcbox_walk_goes_on_locked() - is there more to look at, but not now?
 * @exchange: the exchange, locked
 * @walk: a walk that has come to no message
 *
 * Return: true if the lock must be released before the walk goes on.
 */
bool ipcbox_walk_goes_on_locked(struct ipcbox_exchange *exchange,
				struct ipcbox_walk *walk)
{
	lockdep_assert_held(&exchange->lock);
	if (walk->looks)
		return false;
	walk->looks = WALK_LOOKS;
	return true;
}

/**
 * ipcbox_walk_arrival_locked() - tell the exchange's walks of a message
 * @exchange: the exchange, locked
 * @message: a message that is put into the queue
 *
 * One that wants it, and was past its place, goes back; one that compares begins
 * anew.
 */
void ipcbox_walk_arrival_locked(struct ipcbox_exchange *exchange,
				const struct ipcbox_message *message)
{
	struct ipcbox_queue_place place;
	struct ipcbox_walk *walk;

	lockdep_assert_held(&exchange->lock);
	/* The place just before the message, as numbers begin with 1. */
	place = ipcbox_queue_place_of(&message->entry);
	place.sequence--;
	list_for_each_entry(walk, &exchange->walks, node)
		if (ipcbox_queue_place_before(&place, &walk->place) &&
		    selection_wants(walk->selection, message)) {
			walk->place = place;
			if (walk->found)
				walk_restart(walk);
		}
}

/**
 * ipcbox_selection_parked_locked() - look among the messages that wait for room
 * @exchange: the exchange, locked
 * @selection: what is wanted
 *
 * A full object must not keep a receiver from the message that it waits for.
 *
 * Return: a parked entry that is wanted, or NULL.
 */
struct ipcbox_queue_entry *
ipcbox_selection_parked_locked(struct ipcbox_exchange *exchange,
			       const struct ipcbox_selection *selection)
{
	struct ipcbox_queue_entry *entry;
	struct ipcbox_share *share;

	lockdep_assert_held(&exchange->lock);
	if (selection->flags & IPCBOX_SELECT_SEQUENCE)
		return NULL;
	hlist_for_each_entry(share, &exchange->shares, node)
		list_for_each_entry(entry, &share->share.parked, list)
			if (selection_wants(selection,
					    ipcbox_message_of(entry)))
				return entry;
	return NULL;
}

/**
 * ipcbox_selection_waiter_locked() - who waits for a message with a selection?
 * @exchange: the exchange, locked
 * @message: a message with its number
 *
 * Return: of the receivers whose selections want it, the one that came first;
 * NULL if there is none.
 */
struct ipcbox_waiter *
ipcbox_selection_waiter_locked(struct ipcbox_exchange *exchange,
			       const struct ipcbox_message *message)
{
	struct ipcbox_selector *selector;
	struct ipcbox_traits traits;

	lockdep_assert_held(&exchange->lock);
	message_traits(&traits, message);
	selector = ipcbox_selector_find(&exchange->selectors, &traits);
	return selector ? ipcbox_waiter_of(selector) : NULL;
}
