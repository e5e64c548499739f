/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * One process echoes what another sends, through a pair of channels: messages
 * pass in memory, with no system call while both are busy.
 *
 * Shows: ipcbox_pair over fork(2), messages built in their place and published in
 * batches, messages read in their place, and the end of the other side.
 *
 *	./duplex_echo [MESSAGES]
 *
 * Prints how many came back, and exits with 0 if all did, in order.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ipcbox.h>

#define BATCH	16

static int report(const char *what, ssize_t error)
{
	fprintf(stderr, "%s: %s\n", what,
		ipcbox_explain(IPCBOX_OPERATION_CHANNEL, (int)error));
	return EXIT_FAILURE;
}

/* Until the other side is gone; what it sent before that is echoed. */
static int echo(struct ipcbox_duplex *end)
{
	const void *message;
	ssize_t length;
	int error;

	for (;;) {
		length = ipcbox_channel_peek(end->receive, &message, 0, 0);
		if (length == -EPIPE)
			return EXIT_SUCCESS;
		if (length < 0)
			return report("echo", length);
		error = ipcbox_channel_send(end->send, message, (size_t)length,
					    0, 0);
		if (error)
			return report("echo", error);
		ipcbox_channel_release(end->receive, 0);
	}
}

static int send_batch(struct ipcbox_channel *channel, unsigned long first,
		      unsigned long count)
{
	unsigned long i;
	void *place;
	int error;

	for (i = 0; i < count; i++) {
		error = ipcbox_channel_reserve(channel, sizeof(i), 0, 0,
					       &place);
		if (error)
			return error;
		*(unsigned long *)place = first + i;
		ipcbox_channel_commit(channel, sizeof(i), IPCBOX_MORE);
	}
	ipcbox_channel_publish(channel);
	return 0;
}

static int ask(struct ipcbox_duplex *end, unsigned long count)
{
	unsigned long done;
	unsigned long i;

	for (done = 0; done < count; done += BATCH) {
		unsigned long batch = count - done < BATCH ? count - done
							   : BATCH;
		int error = send_batch(end->send, done, batch);

		if (error)
			return report("ask", error);
		for (i = 0; i < batch; i++) {
			unsigned long seen = 0;
			ssize_t length =
				ipcbox_channel_receive(end->receive, &seen,
						       sizeof(seen), 0, 0);

			if (length < 0)
				return report("ask", length);
			if (seen != done + i) {
				fprintf(stderr, "ask: %lu is not %lu\n", seen,
					done + i);
				return EXIT_FAILURE;
			}
		}
	}
	printf("%lu messages came back\n", count);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
	struct ipcbox_duplex ends[2];
	struct ipcbox *box;
	pid_t child;
	int status;
	int result;

	result = ipcbox_box_open(&box);
	if (result) {
		fprintf(stderr, "%s\n",
			ipcbox_explain(IPCBOX_OPERATION_BOX_OPEN, result));
		return EXIT_FAILURE;
	}
	result = ipcbox_pair(box, 0, ends);
	if (result)
		return report("pair", result);
	child = fork();
	if (child < 0) {
		perror("fork");
		return EXIT_FAILURE;
	}
	/* Each closes what is not its own, to notice the other's end. */
	if (!child) {
		ipcbox_duplex_close(&ends[0]);
		return echo(&ends[1]);
	}
	ipcbox_duplex_close(&ends[1]);
	result = ask(&ends[0], count);
	ipcbox_duplex_close(&ends[0]);
	ipcbox_box_close(box);
	if (waitpid(child, &status, 0) != child || status)
		return EXIT_FAILURE;
	return result;
}
