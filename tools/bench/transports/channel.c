/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * ipcbox channels, by copying: a batch is published with its last message. The
 * receiver gives room back with each message, or batch, as well.
 */
#include <stdlib.h>

#include "box.h"
#include "transports.h"

#define RING_LEAST	4096
#define RING_MOST	(1UL << 30)

/* What a message takes in the ring besides its payload. */
#define HEADER		8

struct ends {
	struct ipcbox_channel *producer;
	struct ipcbox_channel *consumer;
};

static void channel_close(struct link *link)
{
	struct ends *ends = link->state;

	ipcbox_channel_close(ends->producer);
	ipcbox_channel_close(ends->consumer);
	free(ends);
}

static int channel_open(struct link *link)
{
	size_t message = (link->shape.size + HEADER - 1) / HEADER * HEADER +
			 HEADER;
	size_t wanted = link->shape.depth * message;
	size_t bytes = RING_LEAST;
	struct ends *ends;
	int error;

	while (bytes < wanted && bytes <= RING_MOST)
		bytes *= 2;
	if (bytes > RING_MOST)
		return -EOPNOTSUPP;
	if (!box_here())
		return failure();
	ends = calloc(1, sizeof(*ends));
	if (!ends)
		return -ENOMEM;
	link->state = ends;
	error = ipcbox_channel_create(box_here(), link->name, 0600, bytes,
				      IPCBOX_RIGHT_SEND, &ends->producer);
	if (!error)
		error = ipcbox_channel_open(box_here(), link->name,
					    IPCBOX_RIGHT_RECEIVE,
					    &ends->consumer);
	if (error)
		channel_close(link);
	return error;
}

static int send_some(struct ipcbox_channel *producer, const struct burst *burst,
		     unsigned long first, unsigned long until, unsigned int flags)
{
	void *message = burst->buffer;
	int error = 0;

	for (unsigned long i = first; !error && i < until; i++) {
		burst_stamp(burst, message, i);
		error = ipcbox_channel_send(producer, message, burst->size,
					    flags, 0);
	}
	return error;
}

static int receive_some(struct ipcbox_channel *consumer,
			const struct burst *burst, unsigned long first,
			unsigned long until, unsigned int flags)
{
	void *message = burst->buffer;
	ssize_t length;

	for (unsigned long i = first; i < until; i++) {
		length = ipcbox_channel_receive(consumer, message, burst->size,
						flags, 0);
		if (!burst_is(burst, message, i, (size_t)length))
			return length < 0 ? (int)length : -EBADMSG;
	}
	return 0;
}

typedef int (*some_function)(struct ipcbox_channel *end,
			     const struct burst *burst, unsigned long first,
			     unsigned long until, unsigned int flags);

/* What is not the last of its batch is published with what follows. */
static inline int in_batches(struct ipcbox_channel *end,
			     const struct burst *burst, some_function some)
{
	int error = 0;

	if (burst->batch == 1)
		return some(end, burst, 0, burst->count, 0);
	for (unsigned long i = 0; !error && i < burst->count;
	     i += burst->batch) {
		unsigned long last = i + burst->batch - 1;

		error = some(end, burst, i, last, IPCBOX_MORE);
		if (!error)
			error = some(end, burst, last, last + 1, 0);
	}
	return error;
}

static int channel_send(struct link *link, const struct burst *burst)
{
	struct ends *ends = link->state;

	return in_batches(ends->producer, burst, send_some);
}

static int channel_receive(struct link *link, const struct burst *burst)
{
	struct ends *ends = link->state;

	return in_batches(ends->consumer, burst, receive_some);
}

const struct transport transport_channel = {
	.name = "ipcbox-channel",
	.family = FAMILY_SHARED,
	.ours = true,
	.can = CAN_BATCH | CAN_HOLD_BACKLOG,
	.available = box_available,
	.open = channel_open,
	.send = channel_send,
	.receive = channel_receive,
	.close = channel_close,
};
