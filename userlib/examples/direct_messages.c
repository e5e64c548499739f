/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Processes that talk to each other by their numbers: no name is agreed upon.
 *
 * Shows: a process's own mailbox; receiving from anyone, and from one process
 * only; answering to the sender of a message, through a pidfd, so that the
 * answer never reaches a later process of the same number; and what is left of
 * a process that has ended.
 *
 *	./direct_messages [CHILDREN [ROUNDS]]
 *
 * Each child sends its parent numbers, and gets each back doubled. Exits with 0
 * if all of it was so.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ipcbox.h>

#define MOST		64
#define PATIENCE_MS	60000

struct child {
	pid_t pid;
	int pidfd;
	struct ipcbox_handle *handle;
};

static int report(const char *what, enum ipcbox_operation operation,
		  ssize_t error)
{
	fprintf(stderr, "%s: %s\n", what,
		ipcbox_explain(operation, (int)error));
	return EXIT_FAILURE;
}

static int talk(struct ipcbox_handle *mine, struct ipcbox_handle *parent,
		unsigned long rounds)
{
	struct ipcbox_selection from_parent = { .pid = getppid() };
	unsigned long i, doubled;
	ssize_t result;

	for (i = 0; i < rounds; i++) {
		result = ipcbox_send(parent, &i, sizeof(i), NULL);
		if (result)
			return report("child", IPCBOX_OPERATION_SEND, result);
		/* Whatever others may send here meanwhile. */
		result = ipcbox_receive_selected(mine, &from_parent, &doubled,
						 sizeof(doubled), NULL, 0,
						 ipcbox_deadline_after_ms(
							 PATIENCE_MS));
		if (result < 0)
			return report("child", IPCBOX_OPERATION_RECEIVE,
				      result);
		if (result != sizeof(doubled) || doubled != 2 * i)
			return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

static int be_child(unsigned long rounds)
{
	struct ipcbox_handle *parent;
	struct ipcbox_handle *mine;
	struct ipcbox *box;
	int status;
	int error;

	/* One's own mailbox needs a box that one has opened oneself. */
	error = ipcbox_box_open(&box);
	if (error)
		return report("child", IPCBOX_OPERATION_BOX_OPEN, error);
	error = ipcbox_open_process(box, getpid(), IPCBOX_RIGHT_RECEIVE, 0,
				    &mine);
	/* A parent that has ended would have given place to another. */
	if (!error)
		error = ipcbox_open_process(box, getppid(), IPCBOX_RIGHT_SEND,
					    0, &parent);
	if (error)
		return report("child", IPCBOX_OPERATION_OPEN, error);
	status = talk(mine, parent, rounds);
	ipcbox_close(parent);
	ipcbox_close(mine);
	ipcbox_box_close(box);
	return status;
}

/* Who sent this. Opened when it speaks first: then it has its mailbox. */
static struct child *sender_of(struct ipcbox *box, struct child *children,
			       unsigned int count, pid_t pid)
{
	unsigned int i;
	int error;

	for (i = 0; i < count && children[i].pid != pid; i++)
		;
	if (i == count)
		return NULL;
	if (!children[i].handle) {
		error = ipcbox_open_pidfd(box, children[i].pidfd,
					  IPCBOX_RIGHT_SEND, 0,
					  &children[i].handle);
		if (error) {
			report("parent", IPCBOX_OPERATION_OPEN, error);
			return NULL;
		}
	}
	return &children[i];
}

static int answer_all(struct ipcbox *box, struct ipcbox_handle *mine,
		      struct child *children, unsigned int count,
		      unsigned long total)
{
	struct ipcbox_incoming header;
	struct child *child;
	unsigned long number;
	ssize_t result;

	while (total > 0) {
		result = ipcbox_receive(mine, &number, sizeof(number), &header,
					0, ipcbox_deadline_after_ms(
						   PATIENCE_MS));
		if (result == -EINTR)
			continue;
		if (result < 0)
			return report("parent", IPCBOX_OPERATION_RECEIVE,
				      result);
		child = sender_of(box, children, count, header.pid);
		if (!child || result != sizeof(number))
			return EXIT_FAILURE;
		number *= 2;
		result = ipcbox_send(child->handle, &number, sizeof(number),
				     NULL);
		if (result)
			return report("parent", IPCBOX_OPERATION_SEND, result);
		total--;
	}
	return EXIT_SUCCESS;
}

/* A child that has ended is reached no more, in either way. */
static int check_gone(struct ipcbox *box, struct child *child)
{
	struct ipcbox_handle *again;
	int error;

	error = ipcbox_open_pidfd(box, child->pidfd, IPCBOX_RIGHT_SEND, 0,
				  &again);
	if (!error)
		ipcbox_close(again);
	if (error != -ENOENT)
		return EXIT_FAILURE;
	if (!child->handle)
		return EXIT_SUCCESS;
	error = ipcbox_send(child->handle, "late", 4, NULL);
	ipcbox_close(child->handle);
	return error == -EPIPE ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	unsigned long asked = argc > 1 ? strtoul(argv[1], NULL, 0) : 4;
	unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 0) : 500;
	struct child children[MOST] = { 0 };
	struct ipcbox_handle *mine;
	unsigned int i, started;
	struct ipcbox *box;
	int status, ended;
	int error;

	if (asked < 1 || asked > MOST) {
		fprintf(stderr, "1 to %d children\n", MOST);
		return EXIT_FAILURE;
	}
	error = ipcbox_box_open(&box);
	if (error)
		return report("box", IPCBOX_OPERATION_BOX_OPEN, error);
	error = ipcbox_open_process(box, getpid(), IPCBOX_RIGHT_RECEIVE, 0,
				    &mine);
	if (error)
		return report("open", IPCBOX_OPERATION_OPEN, error);

	status = EXIT_SUCCESS;
	for (started = 0; started < asked; started++) {
		struct child *child = &children[started];

		child->pid = fork();
		if (child->pid == 0) {
			ipcbox_close(mine);
			ipcbox_box_close(box);
			_exit(be_child(rounds));
		}
		/* The child is ours to wait for: its number is its own. */
		if (child->pid > 0)
			child->pidfd = (int)syscall(SYS_pidfd_open, child->pid,
						    0);
		if (child->pid < 0 || child->pidfd < 0) {
			perror("a child");
			status = EXIT_FAILURE;
			break;
		}
	}
	if (status == EXIT_SUCCESS)
		status = answer_all(box, mine, children, started,
				    started * rounds);
	/* Children that wait for an answer do so up to their deadline. */
	for (i = 0; i < started; i++) {
		if (waitpid(children[i].pid, &ended, 0) < 0 || ended != 0 ||
		    check_gone(box, &children[i]) != EXIT_SUCCESS)
			status = EXIT_FAILURE;
		close(children[i].pidfd);
	}
	printf("%u children sent %lu numbers each\n", started, rounds);
	ipcbox_close(mine);
	ipcbox_box_close(box);
	puts(status == EXIT_SUCCESS ? "passed" : "failed");
	return status;
}
