// SPDX-License-Identifier: GPL-2.0
/*
 * Selective receive.
 *
 * A receiver that selects walks the queue, and pays for what it passes over.
 * Receivers that wait with selections stand in a tree, ordered by the class of
 * their selection (what is looked at: flags and mask), then by the values that
 * they want, then by when they came. For a message there is one look-up a
 * class, so a thousand receivers that wait for a thousand tags cost a sender
 * hardly more than one.
 */
#include <linux/ktime.h>
#include <linux/pid.h>
#include <linux/rbtree.h>

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

	if (!(flags & IPCBOX_SELECT_TAG) && (request->tag || request->tag_mask))
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

/* The values of a message that a class of selections looks at. */
static void selection_of_message(struct ipcbox_selection *selection,
				 const struct ipcbox_selection *class,
				 const struct ipcbox_message *message)
{
	u32 flags = class->flags;

	selection->flags = flags;
	selection->mask = class->mask;
	selection->tag = message->tag & class->mask;
	selection->pid = flags & IPCBOX_SELECT_PID ? message->pid : NULL;
	selection->sequence = flags & IPCBOX_SELECT_SEQUENCE ?
				      message->entry.sequence : 0;
}

static int compare(u64 a, u64 b)
{
	return a < b ? -1 : a > b;
}

static int selection_compare_class(const struct ipcbox_selection *a,
				   const struct ipcbox_selection *b)
{
	return compare(a->flags, b->flags) ?: compare(a->mask, b->mask);
}

static int selection_compare(const struct ipcbox_selection *a,
			     const struct ipcbox_selection *b)
{
	return selection_compare_class(a, b) ?: compare(a->tag, b->tag) ?:
	       compare((uintptr_t)a->pid, (uintptr_t)b->pid) ?:
	       compare(a->sequence, b->sequence);
}

static bool selection_wants(const struct ipcbox_selection *selection,
			    const struct ipcbox_message *message)
{
	const struct ipcbox_delivery *delivery =
		ipcbox_message_delivery(message);
	struct ipcbox_selection values;

	if (delivery && delivery->lifetime &&
	    delivery->state == IPCBOX_DELIVERY_QUEUED &&
	    !ktime_after(delivery->expiry.expires, ktime_get()))
		return false;
	selection_of_message(&values, selection, message);
	return !selection_compare(&values, selection);
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

static struct ipcbox_waiter *selector(struct rb_node *node)
{
	return rb_entry(node, struct ipcbox_waiter, selector);
}

static bool selector_less(struct rb_node *a, const struct rb_node *b)
{
	const struct ipcbox_waiter *other =
		rb_entry(b, struct ipcbox_waiter, selector);
	int order = selection_compare(selector(a)->selection,
				      other->selection);

	return order ? order < 0 : selector(a)->ticket < other->ticket;
}

/**
 * ipcbox_selector_add_locked() - a receiver waits with a selection
 * @exchange: the exchange, locked
 * @waiter: the receiver, with its selection and ticket
 */
void ipcbox_selector_add_locked(struct ipcbox_exchange *exchange,
				struct ipcbox_waiter *waiter)
{
	lockdep_assert_held(&exchange->lock);
	rb_add(&waiter->selector, &exchange->selectors, selector_less);
}

/**
 * ipcbox_selector_remove_locked() - it waits no more
 * @exchange: the exchange, locked
 * @waiter: the receiver
 */
void ipcbox_selector_remove_locked(struct ipcbox_exchange *exchange,
				   struct ipcbox_waiter *waiter)
{
	lockdep_assert_held(&exchange->lock);
	rb_erase(&waiter->selector, &exchange->selectors);
}

/* The first that is not before @values, or in a later class than it. */
static struct ipcbox_waiter *
selector_bound(struct ipcbox_exchange *exchange,
	       const struct ipcbox_selection *values, bool later_class)
{
	struct rb_node *node = exchange->selectors.rb_node;
	struct ipcbox_waiter *bound = NULL;

	while (node) {
		const struct ipcbox_selection *at = selector(node)->selection;
		bool before = later_class ?
				selection_compare_class(at, values) <= 0 :
				selection_compare(at, values) < 0;

		if (before) {
			node = node->rb_right;
		} else {
			bound = selector(node);
			node = node->rb_left;
		}
	}
	return bound;
}

/**
 * ipcbox_selector_find_locked() - who waits for a message?
 * @exchange: the exchange, locked
 * @message: a message with its number
 *
 * Return: of the receivers whose selections want it, the one that came first;
 * NULL if there is none.
 */
struct ipcbox_waiter *
ipcbox_selector_find_locked(struct ipcbox_exchange *exchange,
			    const struct ipcbox_message *message)
{
	struct rb_node *first = rb_first(&exchange->selectors);
	struct ipcbox_waiter *class = first ? selector(first) : NULL;
	struct ipcbox_waiter *found, *best = NULL;
	struct ipcbox_selection values;

	lockdep_assert_held(&exchange->lock);
	while (class) {
		selection_of_message(&values, class->selection, message);
		found = selector_bound(exchange, &values, false);
		if (found && !selection_compare(found->selection, &values) &&
		    (!best || found->ticket < best->ticket))
			best = found;
		class = selector_bound(exchange, &values, true);
	}
	return best;
}
