// SPDX-License-Identifier: GPL-2.0
/*
 * The index of receivers that wait with a selection.
 *
 * They stand in a tree, ordered by the class of their selection (what is looked
 * at: flags and mask), then by the values that they want, then by when they
 * came. For a message there is one look-up a class, so a thousand receivers
 * that wait for a thousand tags cost a sender hardly more than one. Only where
 * each of a class wants many tags are all of it looked at.
 */
#include <linux/ipcbox.h>

#include "compat.h"
#include "selector.h"

/* The values of a message that a class of selections looks at. */
static void selection_of(struct ipcbox_selection *values,
			 const struct ipcbox_selection *class,
			 const struct ipcbox_traits *traits)
{
	u32 flags = class->flags;

	values->flags = flags;
	values->mask = class->mask;
	values->tag = traits->tag & class->mask;
	values->pid = flags & IPCBOX_SELECT_PID ? traits->pid : NULL;
	values->sequence = flags & IPCBOX_SELECT_SEQUENCE ? traits->sequence :
							    0;
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

/* Does it want many tags? */
static bool selection_is_wide(const struct ipcbox_selection *selection)
{
	return selection->flags &
	       (IPCBOX_SELECT_TAG_NOT | IPCBOX_SELECT_TAG_LOWEST);
}

static bool selection_wants_tag(const struct ipcbox_selection *selection,
				u64 tag)
{
	return selection->flags & IPCBOX_SELECT_TAG_NOT ?
		       tag != selection->tag : tag <= selection->tag;
}

/**
 * ipcbox_selection_wants() - does a selection want a message?
 * @selection: the selection
 * @traits: the message's
 *
 * Return: true if all that is asked is so.
 */
bool ipcbox_selection_wants(const struct ipcbox_selection *selection,
			    const struct ipcbox_traits *traits)
{
	struct ipcbox_selection values;

	selection_of(&values, selection, traits);
	if (unlikely(selection_is_wide(selection))) {
		if (!selection_wants_tag(selection, values.tag))
			return false;
		values.tag = selection->tag;
	}
	return !selection_compare(&values, selection);
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_selection_wants);

/**
 * ipcbox_selection_prefers() - does a selection want a message before another?
 * @selection: the selection
 * @traits: the message's, which it wants
 * @best: another's that it wants, which goes first in the order of delivery;
 *	or NULL
 *
 * Return: true if it does.
 */
bool ipcbox_selection_prefers(const struct ipcbox_selection *selection,
			      const struct ipcbox_traits *traits,
			      const struct ipcbox_traits *best)
{
	if (!best)
		return true;
	return selection->flags & IPCBOX_SELECT_TAG_LOWEST &&
	       (traits->tag & selection->mask) < (best->tag & selection->mask);
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_selection_prefers);

static struct ipcbox_selector *selector_of(struct rb_node *node)
{
	return rb_entry(node, struct ipcbox_selector, node);
}

static bool selector_less(struct rb_node *a, const struct rb_node *b)
{
	const struct ipcbox_selector *selector = selector_of(a);
	const struct ipcbox_selector *other =
		rb_entry(b, struct ipcbox_selector, node);
	int order = selection_compare(selector->selection, other->selection);

	return order ? order < 0 : selector->ticket < other->ticket;
}

/**
 * ipcbox_selector_add() - a receiver waits with a selection
 * @index: the index
 * @selector: its place, with its selection and ticket
 */
void ipcbox_selector_add(struct rb_root *index,
			 struct ipcbox_selector *selector)
{
	rb_add(&selector->node, index, selector_less);
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_selector_add);

/**
 * ipcbox_selector_remove() - it waits no more
 * @index: the index
 * @selector: its place there
 */
void ipcbox_selector_remove(struct rb_root *index,
			    struct ipcbox_selector *selector)
{
	rb_erase(&selector->node, index);
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_selector_remove);

/* The first that is not before @values, or in a later class than it. */
static struct ipcbox_selector *
selector_bound(const struct rb_root *index,
	       const struct ipcbox_selection *values, bool later_class)
{
	struct rb_node *node = index->rb_node;
	struct ipcbox_selector *bound = NULL;

	while (node) {
		const struct ipcbox_selection *at =
			selector_of(node)->selection;
		bool before = later_class ?
				selection_compare_class(at, values) <= 0 :
				selection_compare(at, values) < 0;

		if (before) {
			node = node->rb_right;
		} else {
			bound = selector_of(node);
			node = node->rb_left;
		}
	}
	return bound;
}

/* Of a class that wants many tags, the first to come that wants a message. */
static struct ipcbox_selector *
selector_find_wide(struct ipcbox_selector *class,
		   const struct ipcbox_traits *traits)
{
	struct rb_node *node = &class->node;
	struct ipcbox_selector *best = NULL;

	do {
		struct ipcbox_selector *at = selector_of(node);

		if (selection_compare_class(at->selection, class->selection))
			break;
		if (ipcbox_selection_wants(at->selection, traits) &&
		    (!best || at->ticket < best->ticket))
			best = at;
		node = rb_next(node);
	} while (node);
	return best;
}

/* Of any other, there is one look-up. */
static struct ipcbox_selector *
selector_find_narrow(const struct rb_root *index,
		     const struct ipcbox_selection *values)
{
	struct ipcbox_selector *found = selector_bound(index, values, false);

	return found && !selection_compare(found->selection, values) ? found :
								       NULL;
}

/**
 * ipcbox_selector_find() - who waits for a message?
 * @index: the index
 * @traits: the message's
 *
 * Return: of those whose selections want it, the one that came first; NULL if
 * there is none.
 */
struct ipcbox_selector *
ipcbox_selector_find(const struct rb_root *index,
		     const struct ipcbox_traits *traits)
{
	struct ipcbox_selector *class = ipcbox_selector_first(index);
	struct ipcbox_selector *found, *best = NULL;
	struct ipcbox_selection values;

	while (class) {
		selection_of(&values, class->selection, traits);
		if (unlikely(selection_is_wide(class->selection)))
			found = selector_find_wide(class, traits);
		else
			found = selector_find_narrow(index, &values);
		if (found && (!best || found->ticket < best->ticket))
			best = found;
		class = selector_bound(index, &values, true);
	}
	return best;
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_selector_find);
