/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * ipcbox mailboxes with a receive pool: who sends does so as to any mailbox, and
 * the receiver reads each message in its place, and releases it.
 */
#include "box.h"
#include "transports.h"

#define RING_LEAST	4096
#define RING_MOST	(1UL << 30)

static int pool_open(struct link *link)
{
	const struct shape *shape = &link->shape;
	struct ipcbox_create_options options = {
		.kind = IPCBOX_MAILBOX,
		.max_messages = shape->depth,
		.max_bytes = shape->depth * (shape->size + IPCBOX_POOL_OVERHEAD),
		.max_message_bytes = shape->size ? shape->size : 1,
		.mapped_bytes = RING_LEAST,
	};

	while (options.mapped_bytes < options.max_bytes &&
	       options.mapped_bytes <= RING_MOST)
		options.mapped_bytes *= 2;
	if (options.mapped_bytes > RING_MOST)
		return -EOPNOTSUPP;
	return box_make(link, &options);
}

/* The receiver's link has the pool for its state, as it sends nothing. */
static int pool_attach(struct link *link, enum side side)
{
	struct ipcbox_pool *pool;
	int error;

	if (side == SENDER)
		return 0;
	error = ipcbox_pool_map(link->state, &pool);
	if (!error)
		link->state = pool;
	return error;
}

static int pool_receive(struct link *link, const struct burst *burst)
{
	const struct ipcbox_pool_record *message = NULL;
	struct ipcbox_pool *pool = link->state;
	int error;

	for (unsigned long i = 0; i < burst->count; i++) {
		error = ipcbox_pool_next(pool, &message, 0, 0);
		if (error)
			return error;
		if (!burst_is(burst, ipcbox_pool_payload(message), i,
			      message->length))
			return -EBADMSG;
	}
	return message ? ipcbox_pool_release(pool, message) : 0;
}

const struct transport transport_pool = {
	.name = "ipcbox-pool",
	.family = FAMILY_KERNEL,
	.ours = true,
	.can = CAN_BATCH | CAN_MANY_SENDERS | CAN_HOLD_BACKLOG | HAS_ITS_MEMORY,
	.available = box_available,
	.open = pool_open,
	.attach = pool_attach,
	.send = box_send,
	.receive = pool_receive,
	.close = box_close,
};
