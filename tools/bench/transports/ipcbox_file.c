/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* ipcbox by write(2) and read(2), a message each. */
#include <unistd.h>

#include "box.h"
#include "transports.h"

static int file_send(struct link *link, const struct burst *burst)
{
	for (unsigned long i = 0; i < burst->count; i++) {
		burst_stamp(burst, burst->buffer, i);
		if (write(link->fd[SENDER], burst->buffer, burst->size) < 0)
			return failure();
	}
	return 0;
}

static int file_receive(struct link *link, const struct burst *burst)
{
	ssize_t length;

	for (unsigned long i = 0; i < burst->count; i++) {
		length = read(link->fd[RECEIVER], burst->buffer, burst->size);
		if (length < 0)
			return failure();
		if (!burst_is(burst, burst->buffer, i, (size_t)length))
			return -EBADMSG;
	}
	return 0;
}

const struct transport transport_ipcbox_file = {
	.name = "ipcbox-file",
	.family = FAMILY_KERNEL,
	.ours = true,
	.can = CAN_MANY_SENDERS | CAN_MANY_RECEIVERS | CAN_HOLD_BACKLOG,
	.available = box_available,
	.open = box_open,
	.send = file_send,
	.receive = file_receive,
	.close = box_close,
};
