// SPDX-License-Identifier: GPL-2.0
/*
 * Streams: a queue whose messages are read as bytes.
 *
 * What is written in one piece is one message, so it stays in one piece among
 * what others write. A reader takes a message out of the queue and reads it to
 * its end before the next; what it leaves is for the next read.
 */
#include <linux/sched/signal.h>

#include "exchange.h"
#include "locking.h"
#include "message.h"
#include "stream.h"

/**
 * ipcbox_stream_init() - nothing was read yet
 * @stream: the stream
 */
void ipcbox_stream_init(struct ipcbox_stream *stream)
{
	mutex_init(&stream->lock);
	stream->head = NULL;
}

/**
 * ipcbox_stream_destroy() - nobody will read any more
 * @stream: the stream
 */
void ipcbox_stream_destroy(struct ipcbox_stream *stream)
{
	if (stream->head)
		ipcbox_message_free(stream->head);
}

static ssize_t stream_copy(struct ipcbox_stream *stream, char __user *to,
			   size_t size)
{
	struct ipcbox_message *head = stream->head;
	u32 part = min_t(size_t, size, head->entry.length - stream->offset);

	if (ipcbox_message_copy_out(head, to, stream->offset, part))
		return -EFAULT;
	stream->offset += part;
	if (stream->offset == head->entry.length) {
		WRITE_ONCE(stream->head, NULL);
		ipcbox_message_free(head);
	}
	return part;
}

static ssize_t stream_read_locked(struct ipcbox_handle *handle,
				  char __user *buffer, size_t size, bool wait)
{
	struct ipcbox_stream *stream =
		&ipcbox_exchange_of(handle->object)->stream;
	struct ipcbox_message *next;
	ssize_t copied = 0;
	ssize_t part;

	lockdep_assert_held(&stream->lock);
	while (copied < size) {
		if (!stream->head) {
			next = ipcbox_receive_next(handle, wait && !copied);
			if (IS_ERR(next))
				return copied ?: PTR_ERR(next);
			stream->offset = 0;
			WRITE_ONCE(stream->head, next);
		}
		part = stream_copy(stream, buffer + copied, size - copied);
		if (part < 0)
			return copied ?: part;
		copied += part;
	}
	return copied;
}

/**
 * ipcbox_stream_read() - read(2) on a stream
 * @handle: a handle that may receive
 * @buffer: room for bytes
 * @size: how much
 * @wait: wait for the first byte
 *
 * Return: how many bytes were read; 0 when no sender will come; an errno when
 * there was none, as pipe(7) has it.
 */
ssize_t ipcbox_stream_read(struct ipcbox_handle *handle, char __user *buffer,
			   size_t size, bool wait)
{
	struct ipcbox_stream *stream =
		&ipcbox_exchange_of(handle->object)->stream;
	ssize_t result;

	if (!wait) {
		if (!mutex_trylock(&stream->lock))
			return -EAGAIN;
	} else if (mutex_lock_interruptible(&stream->lock)) {
		return -ERESTARTSYS;
	}
	result = stream_read_locked(handle, buffer,
				    min_t(size_t, size, MAX_RW_COUNT), wait);
	mutex_unlock(&stream->lock);
	return result == -EPIPE ? 0 : result;
}

/**
 * ipcbox_stream_write() - write(2) on a stream
 * @handle: a handle that may send
 * @buffer: the bytes
 * @size: how many
 * @wait: wait for room
 *
 * Up to PIPE_BUF bytes go in one piece or not at all; more may be mixed with
 * what others write, and may be accepted in part.
 *
 * Return: how many bytes were accepted, or an errno when none was. With -EPIPE
 * the caller gets SIGPIPE, as with a pipe.
 */
ssize_t ipcbox_stream_write(struct ipcbox_handle *handle,
			    const char __user *buffer, size_t size, bool wait)
{
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(handle->object);
	size_t longest = READ_ONCE(exchange->max_message_bytes);
	size_t written = 0;
	ssize_t part;

	size = min_t(size_t, size, MAX_RW_COUNT);
	while (written < size) {
		part = ipcbox_exchange_write_message(handle, buffer + written,
						     min(size - written,
							 longest), wait, 0);
		if (part == -EPIPE)
			send_sig(SIGPIPE, current, 0);
		if (part < 0)
			return written ?: part;
		written += part;
	}
	return written;
}
