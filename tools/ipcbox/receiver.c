/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Taking messages out of an object: buffers, waiting, and what can go wrong.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"
#include "receiver.h"

/* What the buffers of a batch may take in all. */
#define BUFFERS_MAX	(8U << 20)

/* How often one who waits for a message of his choice looks at his output. */
#define OUTPUT_CHECK	250000000

struct receiver {
	struct ipcbox_handle *handle;
	struct target target;
	struct ipcbox_selection selection;
	bool follow_output;

	struct ipcbox_incoming *messages;
	char *buffers;
	size_t buffer_size;	/* of each message */
	unsigned int batch_wanted;
	unsigned int batch;	/* how many buffers there are */

	char *(*stop)(const void *context);
	const void *context;
};

/* Buffers for messages of @size bytes, fewer of them when they are large. */
static void make_buffers(struct receiver *receiver, size_t size)
{
	size_t fit;

	if (!size)
		size = 1;
	fit = BUFFERS_MAX / size;
	receiver->batch = !fit ? 1 : fit < receiver->batch_wanted ?
			  (unsigned int)fit : receiver->batch_wanted;
	receiver->buffer_size = size;
	free(receiver->buffers);
	free(receiver->messages);
	receiver->buffers = allocate(size * receiver->batch);
	receiver->messages = allocate(receiver->batch *
				      sizeof(*receiver->messages));
}

struct receiver *receiver_new(struct ipcbox *box, struct ipcbox_handle *handle,
			      const struct target *target, unsigned int batch,
			      const struct ipcbox_selection *selection)
{
	struct receiver *receiver = allocate(sizeof(*receiver));
	struct ipcbox_stat state;
	struct ipcbox_info info;
	int error;

	error = ipcbox_info(box, &info);
	if (error)
		fail_box(error);
	if (batch > info.batch_messages)
		usage_error("--batch may be %llu at most",
			    (unsigned long long)info.batch_messages);
	handle_state(handle, target, &state);
	refuse_stream(&state);
	*receiver = (struct receiver){
		.handle = handle, .target = *target, .batch_wanted = batch,
		.selection = *selection,
	};
	make_buffers(receiver, (size_t)state.max_message_bytes);
	return receiver;
}

void receiver_free(struct receiver *receiver)
{
	ipcbox_close(receiver->handle);
	free(receiver->buffers);
	free(receiver->messages);
	free(receiver);
}

void receiver_follow_output(struct receiver *receiver)
{
	struct pollfd output = { .fd = STDOUT_FILENO, .events = 0 };

	/* A file takes what it gets; poll need not be asked about it. */
	receiver->follow_output = poll(&output, 1, 0) >= 0 &&
				  lseek(STDOUT_FILENO, 0, SEEK_CUR) < 0 &&
				  !isatty(STDOUT_FILENO);
}

void receiver_on_interrupt(struct receiver *receiver,
			   char *(*stop)(const void *context),
			   const void *context)
{
	receiver->stop = stop;
	receiver->context = context;
}

const struct ipcbox_incoming *received(const struct receiver *receiver, int i)
{
	return &receiver->messages[i];
}

const char *received_data(const struct receiver *receiver, int i)
{
	return receiver->buffers + (size_t)i * receiver->buffer_size;
}

static _Noreturn void end_without_reader(void)
{
	/* The end of 'recv --follow | head': as SIGPIPE would end it. */
	signal(SIGPIPE, SIG_DFL);
	raise(SIGPIPE);
	exit(STATUS_PEER_GONE);
}

/*
 * Wait until a message is there, the deadline comes, or a signal. What is there
 * may not be what was chosen, so with a choice the waiting is left to the call,
 * which is made again and again; returns to when.
 */
static uint64_t wait_for_message(struct receiver *receiver, uint64_t deadline)
{
	struct pollfd files[] = {
		{ .fd = STDOUT_FILENO, .events = 0 },
		{ .fd = ipcbox_handle_fd(receiver->handle), .events = POLLIN },
	};
	bool chooses = selects(&receiver->selection);
	uint64_t check = ipcbox_deadline_after_ns(OUTPUT_CHECK);

	poll(files, chooses ? 1 : 2,
	     chooses ? 0 : ipcbox_deadline_left_ms(deadline));
	if (files[0].revents & (POLLERR | POLLHUP))
		end_without_reader();
	return chooses && check < deadline ? check : deadline;
}

static int receive_batch(struct receiver *receiver, unsigned int count,
			 unsigned int flags, uint64_t deadline)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		receiver->messages[i] = (struct ipcbox_incoming){
			.data = ipcbox_address(received_data(receiver, (int)i)),
			.capacity = (uint32_t)receiver->buffer_size,
		};
	return ipcbox_receive_selected_batch(receiver->handle,
					     &receiver->selection,
					     receiver->messages, count, flags,
					     deadline);
}

int receive_some(struct receiver *receiver, uint64_t count, bool nowait,
		 uint64_t deadline)
{
	bool poll_first = receiver->follow_output && !nowait;
	bool chooses = selects(&receiver->selection);
	unsigned int flags = nowait || (poll_first && !chooses) ?
			     IPCBOX_NOWAIT : 0;

	for (;;) {
		unsigned int room = count < receiver->batch ?
				    (unsigned int)count : receiver->batch;
		uint64_t until = deadline;
		int result;

		if (interrupt_pending())
			interrupt_die(receiver->stop(receiver->context));
		if (poll_first)
			until = wait_for_message(receiver, deadline);
		result = receive_batch(receiver, room, flags, until);
		switch (result) {
		case -EINTR:
			continue;
		case -EMSGSIZE:
			fail_descriptors(&receiver->target,
					 &receiver->messages[0]);
			/* The limit was raised since the buffers were made. */
			make_buffers(receiver, receiver->messages[0].length);
			continue;
		case -EAGAIN:
		case -ETIMEDOUT:
			if (!poll_first)
				return result;
			/* Another receiver was faster, or time is up. */
			if (!ipcbox_deadline_left_ms(deadline))
				return -ETIMEDOUT;
			continue;
		case -EPIPE:
			return result;
		case -ENOENT:
			fail(STATUS_NO_OBJECT, result,
			     "there is no process %d (any more)",
			     (int)receiver->selection.pid);
		}
		if (result < 0)
			fail_target(&receiver->target,
				    IPCBOX_OPERATION_RECEIVE, result);
		return result;
	}
}

bool senders_gone(struct receiver *receiver)
{
	struct ipcbox_stat state;

	handle_state(receiver->handle, &receiver->target, &state);
	return !state.messages && !state.send_handles;
}

void fail_receive(const struct receiver *receiver, int error, int64_t timeout,
		  const char *done)
{
	const char *label = receiver->target.label;
	const char *link = done ? "; " : "";
	char span[SHORT_TEXT];

	if (!done)
		done = "";
	switch (-error) {
	case EAGAIN:
		if (selects(&receiver->selection))
			fail(STATUS_TIMEOUT, error,
			     "%s has no such message%s%s", label, link, done);
		fail(STATUS_TIMEOUT, error, "%s is empty%s%s", label, link,
		     done);
	case ETIMEDOUT:
		fail(STATUS_TIMEOUT, error, "nothing%s came to %s within %s%s%s",
		     selects(&receiver->selection) ? " of that kind" : "",
		     label, text_duration(span, timeout), link, done);
	default:
		fail(STATUS_PEER_GONE, error,
		     "%s is removed and empty, and no sender is left%s%s",
		     label, link, done);
	}
}
