/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* ipcbox by ipcbox_call and ipcbox_answer: a request is one call each side. */
#include "box.h"
#include "transports.h"

static int call(struct link *link, const struct burst *burst)
{
	ssize_t length;

	for (unsigned long i = 0; i < burst->count; i++) {
		burst_stamp(burst, burst->buffer, i);
		length = ipcbox_call(link->state, burst->buffer, burst->size,
				     burst->buffer, burst->size, NULL, NULL);
		if (length < 0)
			return (int)length;
		if (!burst_is(burst, burst->buffer, i, (size_t)length))
			return -EBADMSG;
	}
	return 0;
}

static int serve(struct link *link, const struct burst *burst)
{
	struct ipcbox_settlement settlement = {
		.action = IPCBOX_REPLY,
		.data = burst->buffer,
		.length = burst->size,
	};
	struct ipcbox_incoming header;
	int result;

	for (unsigned long i = 0; i < burst->count; i++) {
		result = ipcbox_answer(link->state, i ? &settlement : NULL,
				       burst->buffer, burst->size, &header, 0,
				       0);
		if (result != 1)
			return result < 0 ? result : -EPROTO;
		if (!burst_is(burst, burst->buffer, i, header.length))
			return -EBADMSG;
		settlement.token = header.token;
	}
	return ipcbox_reply(link->state, settlement.token, burst->buffer,
			    burst->size, 0);
}

const struct transport transport_ipcbox_call = {
	.name = "ipcbox-call",
	.family = FAMILY_KERNEL,
	.ours = true,
	.available = box_available,
	.open = box_open,
	.call = call,
	.serve = serve,
	.close = box_close,
};
