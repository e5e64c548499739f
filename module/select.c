// SPDX-License-Identifier: GPL-2.0
/*
 * Selective receive.
 *
 * A receiver that selects walks the queue, and pays for what it passes over.
 * One that then waits stands in an index; see selector.c.
 */
#include <linux/pid.h>

#include "delivery.h"
#include "exchange.h"
#include "locking.h"
#include "message.h"
#include "select.h"

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

	if (delivery && delivery->state == IPCBOX_DELIVERY_QUEUED &&
	    ipcbox_delivery_is_over(delivery))
		return false;
	message_traits(&traits, message);
	return ipcbox_selection_wants(selection, &traits);
}

/**
 * ipcbox_selection_next_locked() - walk the queue for what is wanted
 * @exchange: the exchange, locked
 * @selection: what is wanted
 * @entry: where the walk was, or NULL to begin
 *
 * Return: the next entry that is wanted, in the order of delivery, or NULL.
 */
struct ipcbox_queue_entry *
ipcbox_selection_next_locked(struct ipcbox_exchange *exchange,
			     const struct ipcbox_selection *selection,
			     struct ipcbox_queue_entry *entry)
{
	lockdep_assert_held(&exchange->lock);
	do {
		entry = entry ? ipcbox_queue_next(entry) :
				ipcbox_queue_first(&exchange->queue);
	} while (entry && !selection_wants(selection, ipcbox_message_of(entry)));
	return entry;
}

/**
 * ipcbox_selection_first_locked() - the message that is wanted first
 * @exchange: the exchange, locked
 * @selection: what is wanted
 *
 * Return: its entry, or NULL.
 */
struct ipcbox_queue_entry *
ipcbox_selection_first_locked(struct ipcbox_exchange *exchange,
			      const struct ipcbox_selection *selection)
{
	struct ipcbox_queue_entry *entry, *best = NULL;
	struct ipcbox_traits traits, of_best;

	lockdep_assert_held(&exchange->lock);
	entry = ipcbox_selection_next_locked(exchange, selection, NULL);
	if (likely(!(selection->flags & IPCBOX_SELECT_TAG_LOWEST)))
		return entry;
	while (entry) {
		message_traits(&traits, ipcbox_message_of(entry));
		if (ipcbox_selection_prefers(selection, &traits,
					     best ? &of_best : NULL)) {
			best = entry;
			of_best = traits;
		}
		entry = ipcbox_selection_next_locked(exchange, selection,
						     entry);
	}
	return best;
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
