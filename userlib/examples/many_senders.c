/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Many processes send to one mailbox; its receiver tells them apart by the
 * stamp that the kernel puts on every message, and not by what they say.
 *
 * Shows: a mailbox found by its name, senders with only the right to send,
 * receiving in batches, a deadline against hanging, and that each sender's
 * messages keep their order.
 *
 *	./many_senders [SENDERS [MESSAGES]]
 *
 * Prints a line for each sender, and exits with 0 if each message of each
 * sender came once and in order.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ipcbox.h>

#define BATCH	32
#define MOST	64

struct sender {
	pid_t pid;
	unsigned long received;
};

static int report(const char *what, enum ipcbox_operation operation, int error)
{
	fprintf(stderr, "%s: %s\n", what, ipcbox_explain(operation, error));
	return EXIT_FAILURE;
}

/* A process of its own: it knows the mailbox by its name only. */
static int send_all(const char *name, unsigned long count)
{
	struct ipcbox_handle *mailbox;
	struct ipcbox *box;
	unsigned long i;
	int error;

	error = ipcbox_box_open(&box);
	if (error)
		return report("sender", IPCBOX_OPERATION_BOX_OPEN, error);
	error = ipcbox_open_name(box, name, IPCBOX_RIGHT_SEND, 0, &mailbox);
	if (error)
		return report("sender", IPCBOX_OPERATION_OPEN, error);
	for (i = 0; i < count && !error; i++)
		error = ipcbox_send(mailbox, &i, sizeof(i), NULL);
	ipcbox_close(mailbox);
	ipcbox_box_close(box);
	if (error)
		return report("sender", IPCBOX_OPERATION_SEND, error);
	return EXIT_SUCCESS;
}

static struct sender *find(struct sender *senders, unsigned int count,
			   pid_t pid)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (senders[i].pid == pid)
			return &senders[i];
	return NULL;
}

static int receive_all(struct ipcbox_handle *mailbox, struct sender *senders,
		       unsigned int sender_count, unsigned long total)
{
	struct ipcbox_incoming messages[BATCH];
	unsigned long numbers[BATCH];
	struct sender *sender;
	int received;
	int i;

	while (total > 0) {
		for (i = 0; i < BATCH; i++)
			messages[i] = (struct ipcbox_incoming){
				.data = ipcbox_address(&numbers[i]),
				.capacity = sizeof(numbers[i]),
			};
		received = ipcbox_receive_batch(mailbox, messages, BATCH, 0,
						ipcbox_deadline_after_ms(60000));
		if (received == -EINTR)
			continue;
		if (received < 0)
			return report("receiver", IPCBOX_OPERATION_RECEIVE,
				      received);
		for (i = 0; i < received; i++) {
			sender = find(senders, sender_count, messages[i].pid);
			if (!sender || numbers[i] != sender->received) {
				fprintf(stderr,
					"receiver: process %d sent %lu out of order\n",
					messages[i].pid, numbers[i]);
				return EXIT_FAILURE;
			}
			sender->received++;
		}
		total -= (unsigned long)received;
	}
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	unsigned long asked = argc > 1 ? strtoul(argv[1], NULL, 0) : 8;
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 0) : 1000;
	struct sender senders[MOST] = { 0 };
	struct ipcbox_handle *mailbox;
	unsigned int i, started;
	struct ipcbox *box;
	int status, child;
	char name[32];
	int error;

	if (asked < 1 || asked > MOST) {
		fprintf(stderr, "1 to %d senders\n", MOST);
		return EXIT_FAILURE;
	}
	snprintf(name, sizeof(name), "many-senders-%d", getpid());
	error = ipcbox_box_open(&box);
	if (error)
		return report("box", IPCBOX_OPERATION_BOX_OPEN, error);
	error = ipcbox_mailbox_create(box, name, 0600, &mailbox);
	if (error)
		return report("create", IPCBOX_OPERATION_CREATE, error);

	status = EXIT_SUCCESS;
	for (started = 0; started < asked; started++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("fork");
			status = EXIT_FAILURE;
			break;
		}
		if (pid == 0) {
			/* The child has no business with the receiver's end. */
			ipcbox_close(mailbox);
			ipcbox_box_close(box);
			exit(send_all(name, count));
		}
		senders[started].pid = pid;
	}
	if (status == EXIT_SUCCESS)
		status = receive_all(mailbox, senders, started,
				     started * count);
	/* The mailbox goes with its handle; senders that wait get EPIPE. */
	ipcbox_close(mailbox);
	ipcbox_box_close(box);
	for (i = 0; i < started; i++) {
		printf("sender %u, process %d: %lu messages in order\n", i,
		       senders[i].pid, senders[i].received);
		if (waitpid(senders[i].pid, &child, 0) < 0 || child != 0)
			status = EXIT_FAILURE;
	}
	puts(status == EXIT_SUCCESS ? "passed" : "failed");
	return status;
}
