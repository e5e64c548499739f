// SPDX-License-Identifier: GPL-2.0
/*
 * The tokens that a handle holds.
 */
#include "compat.h"
#include "token.h"

static struct ipcbox_token *token_of(struct rb_node *node)
{
	return rb_entry(node, struct ipcbox_token, node);
}

static bool token_less(struct rb_node *a, const struct rb_node *b)
{
	return token_of(a)->number <
	       rb_entry(b, struct ipcbox_token, node)->number;
}

/**
 * ipcbox_token_add() - a token is held from now on
 * @held: the set
 * @token: a token that is in no set, with a number that @held does not have
 */
void ipcbox_token_add(struct rb_root *held, struct ipcbox_token *token)
{
	rb_add(&token->node, held, token_less);
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_token_add);

/**
 * ipcbox_token_find() - look a number up
 * @held: the set
 * @number: whatever a user says
 *
 * Return: the token, or NULL if it is not held here.
 */
struct ipcbox_token *ipcbox_token_find(const struct rb_root *held, u64 number)
{
	struct rb_node *node = held->rb_node;

	while (node) {
		struct ipcbox_token *token = token_of(node);

		if (number == token->number)
			return token;
		node = number < token->number ? node->rb_left : node->rb_right;
	}
	return NULL;
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_token_find);

/**
 * ipcbox_token_remove() - a token is held no more
 * @held: the set
 * @token: a token that is in it
 */
void ipcbox_token_remove(struct rb_root *held, struct ipcbox_token *token)
{
	rb_erase(&token->node, held);
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_token_remove);
