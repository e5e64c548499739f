/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tokens, and those that a handle holds: pure state.
 *
 * It knows nothing of handles, messages or users, never sleeps and takes no
 * lock: whoever owns the set serialises every call. KUnit tests it alone.
 */
#ifndef IPCBOX_TOKEN_H
#define IPCBOX_TOKEN_H

#include <linux/rbtree.h>
#include <linux/types.h>

/**
 * struct ipcbox_token - what names a message until it is settled
 * @node: place among the tokens that a handle holds
 * @number: as users know it; no two in one set are alike
 */
struct ipcbox_token {
	struct rb_node node;
	u64 number;
};

void ipcbox_token_add(struct rb_root *held, struct ipcbox_token *token);
struct ipcbox_token *ipcbox_token_find(const struct rb_root *held, u64 number);
void ipcbox_token_remove(struct rb_root *held, struct ipcbox_token *token);

/**
 * ipcbox_token_first() - step through a set
 * @held: the set
 *
 * Return: the token of the lowest number, or NULL when there is none.
 */
static inline struct ipcbox_token *
ipcbox_token_first(const struct rb_root *held)
{
	return rb_entry_safe(rb_first(held), struct ipcbox_token, node);
}

#endif /* IPCBOX_TOKEN_H */
