/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What receivers select, and the index of those that wait with a selection:
 * pure state.
 *
 * It knows nothing of threads, messages or user memory, never sleeps and takes
 * no lock: whoever owns the index serialises every call. KUnit tests it alone.
 */
#ifndef IPCBOX_SELECTOR_H
#define IPCBOX_SELECTOR_H

#include <linux/rbtree.h>
#include <linux/types.h>

struct pid;

/**
 * struct ipcbox_selection - what a receiver wants
 * @flags: IPCBOX_SELECT_* bits; 0 wants every message
 * @mask: the bits of the tag that count
 * @tag: what they are
 * @pid: the sender; only its address is looked at
 * @sequence: the number
 *
 * Fields that @flags does not name are zero, and @tag has no bit outside @mask.
 * With IPCBOX_SELECT_TAG_NOT or IPCBOX_SELECT_TAG_LOWEST many tags are wanted.
 */
struct ipcbox_selection {
	u32 flags;
	u64 mask;
	u64 tag;
	struct pid *pid;
	u64 sequence;
};

/**
 * struct ipcbox_traits - what selections look at in a message
 * @tag: its tag
 * @pid: its sender
 * @sequence: its number
 */
struct ipcbox_traits {
	u64 tag;
	struct pid *pid;
	u64 sequence;
};

/**
 * struct ipcbox_selector - a place in the index
 * @node: place in the tree
 * @selection: what is wanted; not changed while it is there
 * @ticket: who has the lower one came first
 */
struct ipcbox_selector {
	struct rb_node node;
	const struct ipcbox_selection *selection;
	u64 ticket;
};

bool ipcbox_selection_wants(const struct ipcbox_selection *selection,
			    const struct ipcbox_traits *traits);
bool ipcbox_selection_prefers(const struct ipcbox_selection *selection,
			      const struct ipcbox_traits *traits,
			      const struct ipcbox_traits *best);
void ipcbox_selector_add(struct rb_root *index,
			 struct ipcbox_selector *selector);
void ipcbox_selector_remove(struct rb_root *index,
			    struct ipcbox_selector *selector);
struct ipcbox_selector *
ipcbox_selector_find(const struct rb_root *index,
		     const struct ipcbox_traits *traits);

/**
 * ipcbox_selector_first() - step through an index
 * @index: the index
 *
 * Return: a selector that is in it, or NULL when it is empty.
 */
static inline struct ipcbox_selector *
ipcbox_selector_first(const struct rb_root *index)
{
	return rb_entry_safe(rb_first(index), struct ipcbox_selector, node);
}

#endif /* IPCBOX_SELECTOR_H */
