/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef IPCBOX_RECEIVER_H
#define IPCBOX_RECEIVER_H

#include "cli.h"

struct receiver;

/*
 * Takes @handle over; takes up to @batch messages by one call, those of
 * @selection only.
 */
struct receiver *receiver_new(struct ipcbox *box, struct ipcbox_handle *handle,
			      const struct target *target, unsigned int batch,
			      const struct ipcbox_selection *selection);

/*
 * Have waiting end when the reader of standard output leaves: no message is
 * to be taken that cannot be delivered.
 */
void receiver_follow_output(struct receiver *receiver);

/*
 * Takes up to @count messages, waiting for the first one to the deadline, or
 * not at all for @nowait. Returns their number, or -EAGAIN, -ETIMEDOUT or
 * -EPIPE; other failures end the program. So does a signal: then @stop undoes
 * what is half done, and says what was done.
 */
int receive_some(struct receiver *receiver, uint64_t count, bool nowait,
		 uint64_t deadline);
void receiver_on_interrupt(struct receiver *receiver,
			   char *(*stop)(const void *context),
			   const void *context);

/* The message @i of those taken last, and its payload. */
const struct ipcbox_incoming *received(const struct receiver *receiver, int i);
const char *received_data(const struct receiver *receiver, int i);

/* Nothing is there, and nothing can come from those who sent so far. */
bool senders_gone(struct receiver *receiver);

void receiver_free(struct receiver *receiver);

/*
 * Why no further message came, in words and as an exit status, and what was
 * done before, unless @done is NULL.
 */
_Noreturn void fail_receive(const struct receiver *receiver, int error,
			    int64_t timeout, const char *done);

/* receive_files.c */
struct file_request {
	char **paths;
	size_t count;
	int64_t timeout;	/* of each wait for a piece; negative: none */
	bool nowait;
	bool verbose;
};

int receive_files(struct receiver *receiver, const struct file_request *request);

#endif
