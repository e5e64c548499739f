/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Many processes report what they measure; one collects it in a receive pool,
 * where it reads each report in place.
 *
 * Shows: a mailbox with a receive pool, of which its senders know nothing;
 * messages that are used where they are and released afterwards; the stamp that
 * tells who sent what; and the end of all senders.
 *
 *	./receive_pool [SENDERS [REPORTS]]
 *
 * Prints what was collected, and exits with 0 if it is all that was sent.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ipcbox.h>

#define POOL_BYTES	(256 * 1024)
#define SAMPLES_MAX	200

struct report {
	unsigned long number;
	unsigned int samples;
	unsigned int sample[SAMPLES_MAX];
};

static int report(const char *what, enum ipcbox_operation operation, int error)
{
	fprintf(stderr, "%s: %s\n", what, ipcbox_explain(operation, error));
	return EXIT_FAILURE;
}

/* Each report says so often which number it is. */
static int send_reports(struct ipcbox_handle *mailbox, unsigned long count)
{
	struct report sent;
	unsigned long i;
	unsigned int j;
	size_t length;
	int error;

	for (i = 0; i < count; i++) {
		sent.number = i;
		sent.samples = (unsigned int)(i % SAMPLES_MAX) + 1;
		for (j = 0; j < sent.samples; j++)
			sent.sample[j] = (unsigned int)i;
		length = offsetof(struct report, sample) +
			 sent.samples * sizeof(sent.sample[0]);
		error = ipcbox_send(mailbox, &sent, length, NULL);
		if (error)
			return report("sender", IPCBOX_OPERATION_SEND, error);
	}
	return EXIT_SUCCESS;
}

/* Nobody changes a message while it is looked at, so one look is enough. */
static int is_whole(const struct ipcbox_pool_record *message)
{
	const struct report *got = ipcbox_pool_payload(message);
	unsigned int i;

	if (message->length < offsetof(struct report, sample) ||
	    got->samples > SAMPLES_MAX ||
	    message->length != offsetof(struct report, sample) +
				       got->samples * sizeof(got->sample[0]))
		return 0;
	for (i = 0; i < got->samples; i++)
		if (got->sample[i] != (unsigned int)got->number)
			return 0;
	return 1;
}

static int collect(struct ipcbox_pool *pool, unsigned long expected)
{
	const struct ipcbox_pool_record *message = NULL;
	unsigned long count = 0;
	unsigned long broken = 0;
	pid_t last = 0;
	int error;

	for (;;) {
		error = ipcbox_pool_next(pool, &message, 0, IPCBOX_FOREVER);
		if (error == -EINTR)
			continue;
		if (error)
			break;
		count++;
		broken += !is_whole(message);
		last = message->pid;
	}
	if (error != -EPIPE)
		return report("next", IPCBOX_OPERATION_POOL, error);
	printf("%lu reports of %lu, the last by process %d, %lu broken\n", count,
	       expected, last, broken);
	return count == expected && !broken ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int begin_senders(struct ipcbox_handle *mailbox, unsigned long senders,
			 unsigned long reports)
{
	unsigned long i;
	pid_t child;

	for (i = 0; i < senders; i++) {
		child = fork();
		if (child < 0) {
			perror("fork");
			return EXIT_FAILURE;
		}
		if (child == 0)
			_exit(send_reports(mailbox, reports));
	}
	return EXIT_SUCCESS;
}

static int end_senders(void)
{
	int result = EXIT_SUCCESS;
	int status;

	while (wait(&status) > 0)
		if (status != 0)
			result = EXIT_FAILURE;
	return result;
}

int main(int argc, char **argv)
{
	unsigned long senders = argc > 1 ? strtoul(argv[1], NULL, 0) : 4;
	unsigned long reports = argc > 2 ? strtoul(argv[2], NULL, 0) : 2000;
	struct ipcbox_create_options options = {
		.kind = IPCBOX_MAILBOX,
		.rights = IPCBOX_RIGHT_RECEIVE,
		.mapped_bytes = POOL_BYTES,
	};
	struct ipcbox_handle *receiver;
	struct ipcbox_handle *sender;
	struct ipcbox_pool *pool;
	struct ipcbox *box;
	int status;
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
	/* So that the end of the senders is the end of the mailbox. */
	error = ipcbox_unlink_id(box, ipcbox_handle_id(receiver));
	if (error)
		return report("unlink", IPCBOX_OPERATION_UNLINK, error);
	status = begin_senders(sender, senders, reports);
	ipcbox_close(sender);

	error = ipcbox_pool_map(receiver, &pool);
	if (error)
		return report("map", IPCBOX_OPERATION_POOL, error);
	if (collect(pool, senders * reports) != EXIT_SUCCESS)
		status = EXIT_FAILURE;
	ipcbox_pool_unmap(pool);
	ipcbox_close(receiver);
	ipcbox_box_close(box);
	if (end_senders() != EXIT_SUCCESS)
		status = EXIT_FAILURE;
	puts(status == EXIT_SUCCESS ? "passed" : "failed");
	return status;
}
