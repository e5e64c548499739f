/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Calls, and what becomes of held messages. As in message.c, each function is
 * one system call; nothing is allocated or locked.
 */
#include "internal.h"

ssize_t ipcbox_call_descriptors(struct ipcbox_handle *handle,
				const void *request, size_t length, void *reply,
				size_t capacity, int *descriptors,
				unsigned int descriptor_capacity,
				const struct ipcbox_send_options *options,
				struct ipcbox_incoming *header)
{
	const struct ipcbox_send_options *how =
		options ? options : &ipcbox_send_defaults;
	struct ipcbox_outgoing message =
		ipcbox_outgoing_of(request, length, how);
	struct ipcbox_call call = {
		.size = sizeof(call),
		.flags = how->flags,
		.request = ipcbox_address(&message),
		.reply = ipcbox_address(header),
		.request_size = sizeof(message),
		.reply_size = sizeof(*header),
		.deadline = ipcbox_deadline_or_forever(how->deadline),
	};
	int result;

	/* What does not fit the field is longer than any object's limit. */
	if (length > UINT32_MAX)
		return -EMSGSIZE;
	*header = ipcbox_incoming_of(reply, capacity);
	header->descriptors = ipcbox_address(descriptors);
	header->descriptor_capacity = descriptor_capacity;
	result = ipcbox_ioctl(handle->fd, IPCBOX_IOC_CALL, &call);
	return result < 0 ? result : (ssize_t)header->length;
}

ssize_t ipcbox_call(struct ipcbox_handle *handle, const void *request,
		    size_t length, void *reply, size_t capacity,
		    const struct ipcbox_send_options *options,
		    struct ipcbox_incoming *header)
{
	struct ipcbox_incoming unwanted;

	return ipcbox_call_descriptors(handle, request, length, reply, capacity,
				       NULL, 0, options,
				       header ? header : &unwanted);
}

int ipcbox_settle(struct ipcbox_handle *handle,
		  const struct ipcbox_settlement *settlement)
{
	struct ipcbox_settle request = {
		.size = sizeof(request),
		.token = settlement->token,
		.data = ipcbox_address(settlement->data),
		.length = (uint32_t)settlement->length,
		.action = settlement->action,
		.tag = settlement->tag,
		.descriptors = ipcbox_address(settlement->descriptors),
		.descriptor_count = settlement->descriptor_count,
	};

	if (settlement->length > UINT32_MAX)
		return -EMSGSIZE;
	return ipcbox_ioctl(handle->fd, IPCBOX_IOC_SETTLE, &request);
}

int ipcbox_ack(struct ipcbox_handle *handle, uint64_t token)
{
	return ipcbox_settle(handle, &(struct ipcbox_settlement){
					     .token = token,
					     .action = IPCBOX_ACK,
				     });
}

int ipcbox_nack(struct ipcbox_handle *handle, uint64_t token)
{
	return ipcbox_settle(handle, &(struct ipcbox_settlement){
					     .token = token,
					     .action = IPCBOX_NACK,
				     });
}

int ipcbox_reply(struct ipcbox_handle *handle, uint64_t token,
		 const void *data, size_t length, uint64_t tag)
{
	return ipcbox_settle(handle, &(struct ipcbox_settlement){
					     .token = token,
					     .action = IPCBOX_REPLY,
					     .data = data,
					     .length = length,
					     .tag = tag,
				     });
}

int ipcbox_answer(struct ipcbox_handle *handle,
		  const struct ipcbox_settlement *settlement, void *buffer,
		  size_t capacity, struct ipcbox_incoming *header,
		  unsigned int flags, uint64_t deadline)
{
	struct ipcbox_answer request = {
		.size = sizeof(request),
		.flags = flags,
		.message = ipcbox_address(header),
		.message_size = sizeof(*header),
		.deadline = ipcbox_deadline_or_forever(deadline),
	};

	if (settlement) {
		if (settlement->length > UINT32_MAX)
			return -EMSGSIZE;
		request.token = settlement->token;
		request.data = ipcbox_address(settlement->data);
		request.length = (uint32_t)settlement->length;
		request.action = settlement->action;
		request.tag = settlement->tag;
		request.descriptors = ipcbox_address(settlement->descriptors);
		request.descriptor_count = settlement->descriptor_count;
	}
	/* Also the token: a loop that settles it after a 0 settles nothing. */
	*header = ipcbox_incoming_of(buffer, capacity);
	return ipcbox_ioctl(handle->fd, IPCBOX_IOC_ANSWER, &request);
}
