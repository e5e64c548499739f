/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Streams: a queue whose messages are read as bytes, as a pipe's.
 */
#ifndef IPCBOX_STREAM_H
#define IPCBOX_STREAM_H

#include <linux/mutex.h>
#include <linux/types.h>

struct ipcbox_handle;
struct ipcbox_message;

/**
 * struct ipcbox_stream - where the readers of a stream are
 * @lock: number 0 in locking.h: readers read one after the other
 * @head: the message that is being read, or NULL; READ_ONCE() without @lock
 * @offset: how much of it was read
 */
struct ipcbox_stream {
	struct mutex lock;	/* number 0 in locking.h */
	struct ipcbox_message *head;
	u32 offset;
};

void ipcbox_stream_init(struct ipcbox_stream *stream);
void ipcbox_stream_destroy(struct ipcbox_stream *stream);
ssize_t ipcbox_stream_read(struct ipcbox_handle *handle, char __user *buffer,
			   size_t size, bool wait);
ssize_t ipcbox_stream_write(struct ipcbox_handle *handle,
			    const char __user *buffer, size_t size, bool wait);

#endif /* IPCBOX_STREAM_H */
