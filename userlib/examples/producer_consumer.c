/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * One process produces, another consumes, through a queue without a name: as
 * with a pipe(2), but in whole messages and with priorities.
 *
 * Shows: a handle for each direction, unlinking at once so that the queue goes
 * with its handles and the end of the producer is noticed, waiting for room
 * (the queue holds 16 messages only), and a message of high priority that
 * overtakes the others.
 *
 *	./producer_consumer [MESSAGES]
 *
 * Prints what came, and exits with 0 if all of it came in order.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ipcbox.h>

#define URGENT	10

static int report(const char *what, enum ipcbox_operation operation,
		  ssize_t error)
{
	fprintf(stderr, "%s: %s\n", what,
		ipcbox_explain(operation, (int)error));
	return EXIT_FAILURE;
}

static int produce(struct ipcbox_handle *queue, unsigned long count)
{
	struct ipcbox_send_options urgent = { .priority = URGENT };
	unsigned long i;
	int error;

	for (i = 0; i < count; i++) {
		error = ipcbox_send(queue, &i, sizeof(i), NULL);
		if (error)
			return report("producer", IPCBOX_OPERATION_SEND, error);
	}
	/* Waits for room like the others, and is received before them. */
	error = ipcbox_send(queue, "last words", 10, &urgent);
	if (error)
		return report("producer", IPCBOX_OPERATION_SEND, error);
	return EXIT_SUCCESS;
}

static int consume(struct ipcbox_handle *queue, unsigned long count)
{
	struct ipcbox_incoming header;
	unsigned long expected = 0;
	unsigned long urgent = 0;
	union {
		unsigned long number;
		char text[64];
	} data;
	ssize_t length;

	for (;;) {
		length = ipcbox_receive(queue, &data, sizeof(data), &header, 0,
					IPCBOX_FOREVER);
		if (length == -EINTR)
			continue;
		if (length == -EPIPE)	/* empty, and the producer is gone */
			break;
		if (length < 0)
			return report("consumer", IPCBOX_OPERATION_RECEIVE,
				      length);
		if (header.priority == URGENT) {
			printf("after %lu messages, from process %d: %.*s\n",
			       expected, header.pid, (int)length, data.text);
			urgent++;
		} else if (length == sizeof(data.number) &&
			   data.number == expected) {
			expected++;
		} else {
			fprintf(stderr, "consumer: message %lu is not %lu\n",
				data.number, expected);
			return EXIT_FAILURE;
		}
	}
	printf("received %lu of %lu messages in order\n", expected, count);
	return expected == count && urgent == 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 0) : 10000;
	struct ipcbox_create_options options = {
		.kind = IPCBOX_QUEUE,
		.rights = IPCBOX_RIGHT_RECEIVE,
		.max_messages = 16,
	};
	struct ipcbox_handle *receiver;
	struct ipcbox_handle *sender;
	struct ipcbox *box;
	int status, child_status;
	pid_t child;
	int error;

	error = ipcbox_box_open(&box);
	if (error)
		return report("box", IPCBOX_OPERATION_BOX_OPEN, error);
	error = ipcbox_create(box, &options, &receiver);
	if (error)
		return report("create", IPCBOX_OPERATION_CREATE, error);
	error = ipcbox_open_id(box, ipcbox_handle_id(receiver),
			       IPCBOX_RIGHT_SEND, 0, &sender);
	if (error)
		return report("open", IPCBOX_OPERATION_OPEN, error);
	/* No one else can come by a handle: the two here are all there is. */
	error = ipcbox_unlink_id(box, ipcbox_handle_id(receiver));
	if (error)
		return report("unlink", IPCBOX_OPERATION_UNLINK, error);
	ipcbox_box_close(box);

	child = fork();
	if (child < 0) {
		perror("fork");
		return EXIT_FAILURE;
	}
	if (child == 0) {
		ipcbox_close(receiver);
		status = produce(sender, count);
		ipcbox_close(sender);
		exit(status);
	}
	/* The producer's handle is the only one to send, as with a pipe. */
	ipcbox_close(sender);
	status = consume(receiver, count);
	/* Closed before waiting: a producer that waits for room gets EPIPE. */
	ipcbox_close(receiver);
	if (waitpid(child, &child_status, 0) != child || child_status != 0)
		status = EXIT_FAILURE;
	puts(status == EXIT_SUCCESS ? "passed" : "failed");
	return status;
}
