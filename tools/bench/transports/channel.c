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

/* What is not the last of its batch is published with what follows. */
static unsigned int more(const struct burst *burst, unsigned long index)
{
	return burst->batch > 1 && (index + 1) % burst->batch ? IPCBOX_MORE : 0;
}

static int channel_send(struct link *link, const struct burst *burst)
{
	struct ends *ends = link->state;
	int error = 0;

	for (unsigned long i = 0; !error && i < burst->count; i++) {
		burst_stamp(burst, burst->buffer, i);
		error = ipcbox_channel_send(ends->producer, burst->buffer,
					    burst->size, more(burst, i), 0);
	}
	return error;
}

static int channel_receive(struct link *link, const struct burst *burst)
{
	struct ends *ends = link->state;
	ssize_t length;

	for (unsigned long i = 0; i < burst->count; i++) {
		length = ipcbox_channel_receive(ends->consumer, burst->buffer,
						burst->size, more(burst, i),
						0);
		if (length < 0)
			return (int)length;
		if (!burst_is(burst, burst->buffer, i, (size_t)length))
			return -EBADMSG;
	}
	return 0;
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
