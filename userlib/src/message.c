/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Messages: sending and receiving them. Each function is one system call on
 * structures of the caller or of the stack, if it succeeds; nothing is allocated
 * or locked.
 */
#include "internal.h"

/* The sizes of the structures are part of the symbols' version. */
_Static_assert(sizeof(struct ipcbox_outgoing) == 48, "IPCBOX_0.1");
_Static_assert(sizeof(struct ipcbox_incoming) == 112, "IPCBOX_0.1");

int ipcbox_send_batch(struct ipcbox_handle *handle,
		      const struct ipcbox_outgoing *messages,
		      unsigned int count, unsigned int flags,
		      uint64_t deadline)
{
	struct ipcbox_send request = {
		.size = sizeof(request),
		.flags = flags,
		.messages = ipcbox_address(messages),
		.count = count,
		.message_size = sizeof(*messages),
		.deadline = ipcbox_deadline_or_forever(deadline),
	};

	return ipcbox_ioctl(handle->fd, IPCBOX_IOC_SEND, &request);
}

/* Does a write with a priority say all of it? */
static int is_plain(const struct ipcbox_send_options *how)
{
	return !(how->flags | how->descriptor_count) &&
	       !(how->tag | how->deadline | how->lifetime);
}

int ipcbox_send(struct ipcbox_handle *handle, const void *data, size_t length,
		const struct ipcbox_send_options *options)
{
	const struct ipcbox_send_options *how =
		options ? options : &ipcbox_send_defaults;
	struct ipcbox_outgoing message;
	ssize_t result;

	if (!options || is_plain(options)) {
		result = ipcbox_transfer(SYS_pwrite64, handle->fd, data, length,
					 options ? options->priority : 0);
		if (!ipcbox_transfer_cannot(result))
			return result < 0 ? (int)result : 0;
	}
	/* What does not fit the field is longer than any object's limit. */
	if (length > UINT32_MAX)
		return -EMSGSIZE;
	message = ipcbox_outgoing_of(data, length, how);
	result = ipcbox_send_batch(handle, &message, 1, how->flags,
				   how->deadline);
	return result < 0 ? (int)result : 0;
}

static void select_by(struct ipcbox_receive *request,
		      const struct ipcbox_selection *selection)
{
	request->tag = selection->tag;
	request->tag_mask = selection->tag_mask;
	request->sequence = selection->sequence;
	request->pid = selection->pid;
	if (selection->tag_mask)
		request->flags |= IPCBOX_SELECT_TAG;
	if (selection->sequence)
		request->flags |= IPCBOX_SELECT_SEQUENCE;
	if (selection->pid)
		request->flags |= IPCBOX_SELECT_PID;
}

int ipcbox_receive_selected_batch(struct ipcbox_handle *handle,
				  const struct ipcbox_selection *selection,
				  struct ipcbox_incoming *messages,
				  unsigned int count, unsigned int flags,
				  uint64_t deadline)
{
	struct ipcbox_receive request = {
		.size = sizeof(request),
		.flags = flags,
		.messages = ipcbox_address(messages),
		.count = count,
		.message_size = sizeof(*messages),
		.deadline = ipcbox_deadline_or_forever(deadline),
	};

	/* What is looked at may be longer than its buffer: see ipcbox_peek. */
	if (flags & IPCBOX_PEEK)
		return -EINVAL;
	if (selection)
		select_by(&request, selection);
	return ipcbox_ioctl(handle->fd, IPCBOX_IOC_RECEIVE, &request);
}

int ipcbox_receive_batch(struct ipcbox_handle *handle,
			 struct ipcbox_incoming *messages, unsigned int count,
			 unsigned int flags, uint64_t deadline)
{
	return ipcbox_receive_selected_batch(handle, NULL, messages, count,
					     flags, deadline);
}

int ipcbox_peek(struct ipcbox_handle *handle,
		const struct ipcbox_selection *selection, unsigned int skip,
		struct ipcbox_incoming *messages, unsigned int count)
{
	struct ipcbox_receive request = {
		.size = sizeof(request),
		.flags = IPCBOX_PEEK,
		.messages = ipcbox_address(messages),
		.count = count,
		.message_size = sizeof(*messages),
		.deadline = IPCBOX_FOREVER,
		.skip = skip,
	};

	if (selection)
		select_by(&request, selection);
	return ipcbox_ioctl(handle->fd, IPCBOX_IOC_RECEIVE, &request);
}

ssize_t ipcbox_receive_selected(struct ipcbox_handle *handle,
				const struct ipcbox_selection *selection,
				void *buffer, size_t capacity,
				struct ipcbox_incoming *header,
				unsigned int flags, uint64_t deadline)
{
	struct ipcbox_incoming unwanted;
	ssize_t result;

	if (!header && !selection && !flags &&
	    ipcbox_deadline_or_forever(deadline) == IPCBOX_FOREVER) {
		result = ipcbox_transfer(SYS_pread64, handle->fd, buffer,
					 capacity, 0);
		if (!ipcbox_transfer_cannot(result))
			return result;
	}
	if (!header) {
		/* Who does not learn the token could never settle it. */
		if (flags & IPCBOX_HOLD)
			return -EINVAL;
		header = &unwanted;
	}
	*header = ipcbox_incoming_of(buffer, capacity);
	result = ipcbox_receive_selected_batch(handle, selection, header, 1,
					       flags, deadline);
	return result < 0 ? result : (ssize_t)header->length;
}

ssize_t ipcbox_receive_descriptors(struct ipcbox_handle *handle, void *buffer,
				   size_t capacity, int *descriptors,
				   unsigned int descriptor_capacity,
				   struct ipcbox_incoming *header,
				   unsigned int flags, uint64_t deadline)
{
	int result;

	*header = ipcbox_incoming_of(buffer, capacity);
	header->descriptors = ipcbox_address(descriptors);
	header->descriptor_capacity = descriptor_capacity;
	result = ipcbox_receive_batch(handle, header, 1, flags, deadline);
	return result < 0 ? result : (ssize_t)header->length;
}

ssize_t ipcbox_receive(struct ipcbox_handle *handle, void *buffer,
		       size_t capacity, struct ipcbox_incoming *header,
		       unsigned int flags, uint64_t deadline)
{
	return ipcbox_receive_selected(handle, NULL, buffer, capacity, header,
				       flags, deadline);
}
