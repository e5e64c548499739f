/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#include <unistd.h>

#include "box.h"

bool box_available(void)
{
	return access("/dev/ipcbox", R_OK | W_OK) == 0;
}

struct ipcbox *box_here(void)
{
	static struct ipcbox *box;
	int error;

	if (!box) {
		error = ipcbox_box_open(&box);
		if (error)
			errno = -error;
	}
	return box;
}

int box_make(struct link *link, const struct ipcbox_create_options *options)
{
	struct ipcbox_handle *handle;
	int error;

	if (!box_here())
		return failure();
	error = ipcbox_create(box_here(), options, &handle);
	if (error)
		return error;
	link->state = handle;
	link->fd[SENDER] = ipcbox_handle_fd(handle);
	link->fd[RECEIVER] = link->fd[SENDER];
	return 0;
}

int box_open(struct link *link)
{
	const struct shape *shape = &link->shape;
	struct ipcbox_create_options options = {
		.kind = shape->receivers > 1 ? IPCBOX_QUEUE : IPCBOX_MAILBOX,
		.max_messages = shape->depth,
		.max_bytes = shape->depth * shape->size,
		.max_message_bytes = shape->size,
	};

	if (options.max_bytes < 4096)
		options.max_bytes = 4096;
	if (!options.max_message_bytes)
		options.max_message_bytes = 1;
	return box_make(link, &options);
}

void box_close(struct link *link)
{
	ipcbox_close(link->state);
}
