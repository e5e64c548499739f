// SPDX-License-Identifier: GPL-2.0
/*
 * PEEK: messages are looked at and stay where they are.
 *
 * While a message is copied to the user it may be received by another, so a
 * peeker holds a reference to its memory. Only tracked messages count
 * references; one that is not yet is tracked by a delivery made beforehand.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "delivery.h"
#include "exchange.h"
#include "locking.h"
#include "message.h"
#include "select.h"

#define PEEK_CHUNK	8

/**
 * struct peeking - a chunk of messages that are looked at
 * @walk: where the search for them is
 * @skip: how many more to pass over
 * @messages: the messages, held
 * @spares: deliveries for those that are not tracked
 * @incoming: what the user asked, and what it is told
 * @count: how many
 */
struct peeking {
	struct ipcbox_walk walk;
	u32 skip;
	struct ipcbox_message *messages[PEEK_CHUNK];
	struct ipcbox_delivery *spares[PEEK_CHUNK];
	struct ipcbox_incoming incoming[PEEK_CHUNK];
	u32 count;
};

static int peek_prepare(struct peeking *peeking, const void __user *from,
			u32 stride, u32 count)
{
	int error;
	u32 i;

	memset(peeking->spares, 0, sizeof(peeking->spares));
	for (i = 0; i < count; i++) {
		error = copy_struct_from_user(&peeking->incoming[i],
					      sizeof(peeking->incoming[i]),
					      from + (u64)i * stride, stride);
		if (error)
			return error;
		peeking->spares[i] = ipcbox_delivery_create();
		if (!peeking->spares[i])
			return -ENOMEM;
	}
	return 0;
}

static void peek_end(struct peeking *peeking, u32 count)
{
	u32 i;

	for (i = 0; i < peeking->count; i++)
		ipcbox_message_put(peeking->messages[i]);
	for (i = 0; i < count; i++)
		kfree(peeking->spares[i]);
}

static void peek_hold_locked(struct peeking *peeking,
			     struct ipcbox_message *message)
{
	u32 i = peeking->count++;

	if (!message->entry.tracked) {
		ipcbox_delivery_attach(peeking->spares[i], message);
		message->delivery->state = IPCBOX_DELIVERY_QUEUED;
		peeking->spares[i] = NULL;
	}
	ipcbox_message_get(message);
	peeking->messages[i] = message;
	ipcbox_message_describe(message, &peeking->incoming[i]);
	/* Only who receives it may settle it. */
	peeking->incoming[i].token = 0;
}

/* Returns true if there is more to look at, but not under this hold. */
static bool peek_look(struct ipcbox_exchange *exchange,
		      struct peeking *peeking, u32 count)
{
	struct ipcbox_queue_entry *entry;
	struct ipcbox_wakes wakes;
	bool more;

	ipcbox_exchange_lock(exchange, &wakes);
	while (peeking->count < count) {
		entry = ipcbox_walk_next_locked(exchange, &peeking->walk);
		if (!entry)
			break;
		if (peeking->skip)
			peeking->skip--;
		else
			peek_hold_locked(peeking, ipcbox_message_of(entry));
	}
	more = peeking->count < count &&
	       ipcbox_walk_goes_on_locked(exchange, &peeking->walk);
	ipcbox_exchange_unlock(exchange, &wakes);
	return more;
}

static void peek_find(struct ipcbox_exchange *exchange,
		      struct peeking *peeking, u32 count)
{
	while (peek_look(exchange, peeking, count) &&
	       !fatal_signal_pending(current))
		cond_resched();
}

static int peek_copy(struct peeking *peeking, void __user *to, u32 stride)
{
	const size_t answer = offsetof(struct ipcbox_incoming, length);
	u32 i;

	for (i = 0; i < peeking->count; i++) {
		struct ipcbox_incoming *incoming = &peeking->incoming[i];

		if (ipcbox_message_copy_out(peeking->messages[i],
					    u64_to_user_ptr(incoming->data), 0,
					    incoming->capacity) ||
		    copy_to_user(to + (u64)i * stride + answer,
				 &incoming->length, sizeof(*incoming) - answer))
			return -EFAULT;
	}
	return 0;
}

static int peek_chunk(struct ipcbox_exchange *exchange,
		      struct peeking *peeking, void __user *to, u32 stride,
		      u32 count)
{
	int error;

	peeking->count = 0;
	error = peek_prepare(peeking, to, stride, count);
	if (!error) {
		peek_find(exchange, peeking, count);
		error = peek_copy(peeking, to, stride) ?: peeking->count;
	}
	peek_end(peeking, count);
	return error;
}

static long peek_messages(struct ipcbox_exchange *exchange,
			  struct peeking *peeking,
			  const struct ipcbox_receive *request)
{
	void __user *to = u64_to_user_ptr(request->messages);
	u32 total = 0;
	int count;

	while (total < request->count) {
		count = peek_chunk(exchange, peeking, to, request->message_size,
				   min_t(u32, request->count - total,
					 PEEK_CHUNK));
		if (count <= 0)
			return total ?: (count ?: -EAGAIN);
		total += count;
		to += (u64)count * request->message_size;
		if (fatal_signal_pending(current))
			break;
		cond_resched();
	}
	return total;
}

/**
 * ipcbox_exchange_peek() - RECEIVE with IPCBOX_PEEK
 * @exchange: the exchange
 * @request: what is asked, checked
 * @selection: what is wanted
 *
 * Return: how many messages were copied out, or an errno as <linux/ipcbox.h>
 * says.
 */
long ipcbox_exchange_peek(struct ipcbox_exchange *exchange,
			  const struct ipcbox_receive *request,
			  const struct ipcbox_selection *selection)
{
	struct peeking *peeking;
	long result;

	peeking = kmalloc(sizeof(*peeking), GFP_KERNEL);
	if (!peeking)
		return -ENOMEM;
	ipcbox_walk_begin(&peeking->walk, selection);
	peeking->skip = request->skip;
	result = peek_messages(exchange, peeking, request);
	kfree(peeking);
	return result;
}
