/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * ipcbox by ipcbox_call and ipcbox_answer: a request is one call each side. Those
 * who wait may spin before they sleep.
 */
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

#ifdef IPCBOX_FEATURE_SPIN

/* Longer than an answer takes on an emulated processor. */
#define SPIN_NS 200000

static int open_and_spin(struct link *link)
{
	int error = box_open(link);

	if (error)
		return error;
	error = ipcbox_spin(link->state, SPIN_NS);
	if (error)
		box_close(link);
	return error;
}

const struct transport transport_ipcbox_call_spin = {
	.name = "ipcbox-call-spin",
	.family = FAMILY_KERNEL,
	.ours = true,
	.available = box_available,
	.open = open_and_spin,
	.call = call,
	.serve = serve,
	.close = box_close,
};

#endif
