/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Objects: making, opening and unlinking them. */
#include <stdlib.h>

#include "internal.h"

#define DEFAULT_KIND	IPCBOX_QUEUE
#define DEFAULT_MODE	0600
#define DEFAULT_RIGHTS	(IPCBOX_RIGHT_RECEIVE | IPCBOX_RIGHT_SEND)

int ipcbox_create(struct ipcbox *box,
		  const struct ipcbox_create_options *options,
		  struct ipcbox_handle **handle)
{
	static const struct ipcbox_create_options defaults;
	struct ipcbox_create request = { .size = sizeof(request) };
	struct ipcbox_handle *made;
	int result;

	if (!options)
		options = &defaults;
	if (options->name) {
		result = ipcbox_name_length(options->name);
		if (result < 0)
			return result;
		request.name = ipcbox_address(options->name);
		request.name_length = (uint32_t)result;
	}
	request.flags = options->flags;
	request.kind = options->kind ? options->kind : DEFAULT_KIND;
	request.mode = options->mode ? options->mode : DEFAULT_MODE;
	request.rights = options->rights ? options->rights : DEFAULT_RIGHTS;
	request.max_messages = options->max_messages;
	request.max_bytes = options->max_bytes;
	request.max_message_bytes = options->max_message_bytes;
	request.max_descriptors = options->max_descriptors;
	request.mapped_bytes = options->mapped_bytes;
	request.semaphores = options->semaphores;

	/* Allocate first: a call that fails leaves no object behind. */
	made = ipcbox_allocate(sizeof(*made));
	if (!made)
		return -ENOMEM;
	result = ipcbox_ioctl(box->fd, IPCBOX_IOC_CREATE, &request);
	if (result < 0) {
		free(made);
		return result;
	}
	made->fd = result;
	made->kind = request.kind;
	made->created = request.created != 0;
	made->id = request.id;
	*handle = made;
	return 0;
}

int ipcbox_mailbox_create(struct ipcbox *box, const char *name,
			  unsigned int mode, struct ipcbox_handle **handle)
{
	struct ipcbox_create_options options = {
		.name = name,
		.kind = IPCBOX_MAILBOX,
		.mode = mode,
		.rights = IPCBOX_RIGHT_RECEIVE,
	};

	if (!name)
		options.rights |= IPCBOX_RIGHT_SEND;
	return ipcbox_create(box, &options, handle);
}

int ipcbox_queue_create(struct ipcbox *box, const char *name,
			unsigned int mode, struct ipcbox_handle **handle)
{
	struct ipcbox_create_options options = {
		.name = name,
		.kind = IPCBOX_QUEUE,
		.mode = mode,
		.rights = IPCBOX_RIGHT_RECEIVE | IPCBOX_RIGHT_SEND,
	};

	return ipcbox_create(box, &options, handle);
}

static int open_object(struct ipcbox *box, struct ipcbox_open *request,
		       struct ipcbox_handle **handle)
{
	struct ipcbox_handle *made;
	int result;

	made = ipcbox_allocate(sizeof(*made));
	if (!made)
		return -ENOMEM;
	result = ipcbox_ioctl(box->fd, IPCBOX_IOC_OPEN, request);
	if (result < 0) {
		free(made);
		return result;
	}
	made->fd = result;
	made->kind = request->kind;
	made->id = request->id;
	*handle = made;
	return 0;
}

int ipcbox_open_name(struct ipcbox *box, const char *name, unsigned int rights,
		     unsigned int flags, struct ipcbox_handle **handle)
{
	struct ipcbox_open request = {
		.size = sizeof(request),
		.flags = flags,
		.by = IPCBOX_BY_NAME,
		.rights = rights,
		.name = ipcbox_address(name),
	};
	int length = ipcbox_name_length(name);

	if (length < 0)
		return length;
	request.name_length = (uint32_t)length;
	return open_object(box, &request, handle);
}

int ipcbox_open_id(struct ipcbox *box, uint64_t id, unsigned int rights,
		   unsigned int flags, struct ipcbox_handle **handle)
{
	struct ipcbox_open request = {
		.size = sizeof(request),
		.flags = flags,
		.by = IPCBOX_BY_ID,
		.rights = rights,
		.object = id,
	};

	return open_object(box, &request, handle);
}

int ipcbox_open_process(struct ipcbox *box, pid_t pid, unsigned int rights,
			unsigned int flags, struct ipcbox_handle **handle)
{
	struct ipcbox_open request = {
		.size = sizeof(request),
		.flags = flags,
		.by = IPCBOX_BY_PROCESS,
		.rights = rights,
		.object = (unsigned int)pid,
	};

	/* No number of a process: not to be taken for a large one. */
	if (pid <= 0)
		return -EINVAL;
	return open_object(box, &request, handle);
}

int ipcbox_unlink_name(struct ipcbox *box, const char *name)
{
	struct ipcbox_unlink request = {
		.size = sizeof(request),
		.by = IPCBOX_BY_NAME,
		.name = ipcbox_address(name),
	};
	int length = ipcbox_name_length(name);

	if (length < 0)
		return length;
	request.name_length = (uint32_t)length;
	return ipcbox_ioctl(box->fd, IPCBOX_IOC_UNLINK, &request);
}

int ipcbox_unlink_id(struct ipcbox *box, uint64_t id)
{
	struct ipcbox_unlink request = {
		.size = sizeof(request),
		.by = IPCBOX_BY_ID,
		.object = id,
	};

	return ipcbox_ioctl(box->fd, IPCBOX_IOC_UNLINK, &request);
}
