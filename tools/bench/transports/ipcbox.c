/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* ipcbox by its library: ipcbox_send and ipcbox_receive, alone and in batches. */
#include <stdio.h>
#include <stdlib.h>

#include "box.h"
#include "transports.h"

static int send_singly(struct link *link, const struct burst *burst)
{
	struct ipcbox_send_options options = { .tag = burst->tag };
	const struct ipcbox_send_options *how =
		burst->levels > 1 || burst->tag ? &options : NULL;
	int error;

	for (unsigned long i = 0; i < burst->count; i++) {
		burst_stamp(burst, burst->buffer, i);
		if (burst->levels > 1)
			options.priority = (unsigned int)(i % burst->levels);
		error = ipcbox_send(link->state, burst->buffer, burst->size,
				    how);
		if (error)
			return error;
	}
	return 0;
}

static int send_batches(struct link *link, const struct burst *burst)
{
	struct ipcbox_outgoing *messages =
		calloc(burst->batch, sizeof(*messages));
	unsigned long i = 0;
	int result = 0;

	if (!messages)
		return -ENOMEM;
	for (unsigned int j = 0; j < burst->batch; j++)
		messages[j] = (struct ipcbox_outgoing){
			.data = ipcbox_address(burst_payload(burst, j)),
			.length = (uint32_t)burst->size,
		};
	while (result >= 0 && i < burst->count) {
		for (unsigned int j = 0; j < burst->batch; j++)
			burst_stamp(burst, burst_payload(burst, j), i++);
		for (unsigned int sent = 0; sent < burst->batch;
		     sent += (unsigned int)result) {
			result = ipcbox_send_batch(link->state, messages + sent,
						   burst->batch - sent, 0, 0);
			if (result < 0)
				break;
		}
	}
	free(messages);
	return result < 0 ? result : 0;
}

int box_send(struct link *link, const struct burst *burst)
{
	return burst->batch > 1 ? send_batches(link, burst) :
				  send_singly(link, burst);
}

static int receive_singly(struct link *link, const struct burst *burst)
{
	struct ipcbox_selection selection = {
		.tag = burst->tag,
		.tag_mask = UINT64_MAX,
	};
	const struct ipcbox_selection *selected =
		link->shape.tags ? &selection : NULL;
	ssize_t length;

	for (unsigned long i = 0; i < burst->count; i++) {
		length = ipcbox_receive_selected(link->state, selected,
						 burst->buffer, burst->size,
						 NULL, 0, 0);
		if (length < 0)
			return (int)length;
		if (!burst_is(burst, burst->buffer, i, (size_t)length))
			return -EBADMSG;
	}
	return 0;
}

static int receive_batches(struct link *link, const struct burst *burst)
{
	struct ipcbox_incoming *messages =
		calloc(burst->batch, sizeof(*messages));
	unsigned long i = 0;
	int result = 0;

	if (!messages)
		return -ENOMEM;
	for (unsigned int j = 0; j < burst->batch; j++)
		messages[j] = (struct ipcbox_incoming){
			.data = ipcbox_address(burst_payload(burst, j)),
			.capacity = (uint32_t)burst->size,
		};
	while (result >= 0 && i < burst->count) {
		unsigned long left = burst->count - i;

		result = ipcbox_receive_batch(link->state, messages,
					      left < burst->batch ?
						      (unsigned int)left :
						      burst->batch,
					      0, 0);
		for (int j = 0; j < result; j++)
			if (!burst_is(burst,
				      burst_payload(burst, (unsigned int)j),
				      i++, messages[j].length))
				result = -EBADMSG;
	}
	free(messages);
	return result < 0 ? result : 0;
}

static int box_receive(struct link *link, const struct burst *burst)
{
	return burst->batch > 1 ? receive_batches(link, burst) :
				  receive_singly(link, burst);
}

static void object_name(char *name, size_t size, unsigned long which)
{
	snprintf(name, size, "ipcbox-bench-%lu", which);
}

static void box_depopulate(unsigned long first, unsigned long last)
{
	char name[IPCBOX_NAME_MAX + 1];

	for (unsigned long i = first; i < last; i++) {
		object_name(name, sizeof(name), i);
		ipcbox_unlink_name(box_here(), name);
	}
}

static int box_populate(unsigned long first, unsigned long last)
{
	char name[IPCBOX_NAME_MAX + 1];
	struct ipcbox_create_options options = {
		.name = name,
		.kind = IPCBOX_MAILBOX,
		.flags = IPCBOX_CREATE_PERSISTENT | IPCBOX_CREATE_EXCLUSIVE,
	};
	struct ipcbox_handle *handle;
	int error;

	if (!box_here())
		return failure();
	for (unsigned long i = first; i < last; i++) {
		object_name(name, sizeof(name), i);
		error = ipcbox_create(box_here(), &options, &handle);
		if (error) {
			box_depopulate(first, i);
			return error;
		}
		ipcbox_close(handle);
	}
	return 0;
}

static int box_look_up(unsigned long which)
{
	char name[IPCBOX_NAME_MAX + 1];
	struct ipcbox_handle *handle;
	int error;

	object_name(name, sizeof(name), which);
	error = ipcbox_open_name(box_here(), name, IPCBOX_RIGHT_SEND, 0,
				 &handle);
	if (!error)
		ipcbox_close(handle);
	return error;
}

const struct transport transport_ipcbox = {
	.name = "ipcbox",
	.family = FAMILY_KERNEL,
	.ours = true,
	.can = CAN_BATCH | CAN_PRIORITIES | CAN_MANY_SENDERS |
	       CAN_MANY_RECEIVERS | CAN_SELECT | CAN_HOLD_BACKLOG,
	.available = box_available,
	.open = box_open,
	.send = box_send,
	.receive = box_receive,
	.close = box_close,
	.populate = box_populate,
	.look_up = box_look_up,
	.depopulate = box_depopulate,
};
