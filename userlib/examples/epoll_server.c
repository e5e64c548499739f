/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A server with one epoll loop: it turns the text of each request into
 * capitals and answers into the client's own mailbox.
 *
 * Shows: handles in epoll(7) beside a descriptor of another kind (a signalfd
 * that tells of clients that ended), non-blocking receiving until nothing is
 * there, a tag that says where to answer, and what a server must mind: it
 * answers only into a mailbox of the user that asked, never waits for a client
 * that does not fetch its answers, and takes no request that it has no room for.
 *
 *	./epoll_server [CLIENTS [REQUESTS]]
 *
 * The clients are children of the server. Prints what was served, and exits
 * with 0 if each client got the right answer to each request.
 */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ipcbox.h>

#define TEXT_MAX	128

static int report(const char *what, enum ipcbox_operation operation,
		  ssize_t error)
{
	fprintf(stderr, "%s: %s\n", what,
		ipcbox_explain(operation, (int)error));
	return EXIT_FAILURE;
}

static int ask(struct ipcbox_handle *server, struct ipcbox_handle *mine,
	       unsigned long number)
{
	struct ipcbox_send_options options = {
		.tag = ipcbox_handle_id(mine),
		.deadline = ipcbox_deadline_after_ms(60000),
	};
	char text[TEXT_MAX], expected[TEXT_MAX];
	ssize_t length;
	int error;

	snprintf(text, sizeof(text), "request %lu of %d", number, getpid());
	snprintf(expected, sizeof(expected), "REQUEST %lu OF %d", number,
		 getpid());
	error = ipcbox_send(server, text, strlen(text), &options);
	if (error)
		return report("client", IPCBOX_OPERATION_SEND, error);
	length = ipcbox_receive(mine, text, sizeof(text), NULL, 0,
				options.deadline);
	if (length < 0)
		return report("client", IPCBOX_OPERATION_RECEIVE, length);
	if ((size_t)length != strlen(expected) ||
	    memcmp(text, expected, strlen(expected)) != 0) {
		fprintf(stderr, "client: wrong answer '%.*s'\n", (int)length,
			text);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

static int client(const char *name, unsigned long requests)
{
	struct ipcbox_handle *server;
	struct ipcbox_handle *mine;
	int status = EXIT_SUCCESS;
	struct ipcbox *box;
	unsigned long i;
	int error;

	error = ipcbox_box_open(&box);
	if (error)
		return report("client", IPCBOX_OPERATION_BOX_OPEN, error);
	error = ipcbox_open_name(box, name, IPCBOX_RIGHT_SEND, 0, &server);
	if (error)
		return report("client", IPCBOX_OPERATION_OPEN, error);
	error = ipcbox_mailbox_create(box, NULL, 0600, &mine);
	if (error)
		return report("client", IPCBOX_OPERATION_CREATE, error);
	for (i = 0; i < requests && status == EXIT_SUCCESS; i++)
		status = ask(server, mine, i);
	ipcbox_close(mine);
	ipcbox_close(server);
	ipcbox_box_close(box);
	return status;
}

/*
 * The server may open more than its clients may: without the look at the
 * owner, a client could have it write into another user's mailbox. A client
 * that is gone, or fetches nothing, loses its answer and delays no one.
 */
static void answer(struct ipcbox *box, const struct ipcbox_incoming *header,
		   const char *text, size_t length)
{
	struct ipcbox_send_options options = { .flags = IPCBOX_NOWAIT };
	struct ipcbox_handle *mailbox;
	struct ipcbox_stat state;
	int error;

	error = ipcbox_open_id(box, header->tag, IPCBOX_RIGHT_SEND, 0,
			       &mailbox);
	if (error) {
		report("answer", IPCBOX_OPERATION_OPEN, error);
		return;
	}
	error = ipcbox_stat(mailbox, &state);
	if (!error && state.uid != header->uid)
		error = -EACCES;
	if (!error)
		error = ipcbox_send(mailbox, text, length, &options);
	if (error)
		report("answer", IPCBOX_OPERATION_SEND, error);
	ipcbox_close(mailbox);
}

/* Serves all that is there. Returns the number of requests, or an error. */
static long serve(struct ipcbox *box, struct ipcbox_handle *requests)
{
	struct ipcbox_incoming header;
	char text[TEXT_MAX];
	ssize_t length;
	long served = 0;
	ssize_t i;

	for (;;) {
		length = ipcbox_receive(requests, text, sizeof(text), &header,
					IPCBOX_NOWAIT, 0);
		if (length == -EAGAIN)
			return served;
		if (length < 0)
			return length;
		for (i = 0; i < length; i++)
			text[i] = (char)toupper((unsigned char)text[i]);
		answer(box, &header, text, (size_t)length);
		served++;
	}
}

static int watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) {
		perror("epoll_ctl");
		return -1;
	}
	return 0;
}

/* Reaps the children that ended. Returns how many, and notes a failure. */
static unsigned int reap(int signals, int *status)
{
	struct signalfd_siginfo info;
	unsigned int ended = 0;
	int child;

	/* One signal may stand for several children. */
	if (read(signals, &info, sizeof(info)) < 0)
		return 0;
	while (waitpid(-1, &child, WNOHANG) > 0) {
		ended++;
		if (child != 0)
			*status = EXIT_FAILURE;
	}
	return ended;
}

static int loop(struct ipcbox *box, struct ipcbox_handle *requests,
		int signals, unsigned int clients, long *served)
{
	int fd = ipcbox_handle_fd(requests);
	int status = EXIT_SUCCESS;
	struct epoll_event event;
	int epoll;
	long done;

	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0 || watch(epoll, fd) || watch(epoll, signals))
		return EXIT_FAILURE;
	while (clients > 0) {
		if (epoll_wait(epoll, &event, 1, -1) < 1)
			continue;
		if (event.data.fd == fd) {
			done = serve(box, requests);
			if (done < 0) {
				status = report("server",
						IPCBOX_OPERATION_RECEIVE, done);
				break;
			}
			*served += done;
		} else {
			clients -= reap(signals, &status);
		}
	}
	close(epoll);
	return status;
}

int main(int argc, char **argv)
{
	unsigned int clients = argc > 1 ? (unsigned int)atoi(argv[1]) : 4;
	unsigned long requests = argc > 2 ? strtoul(argv[2], NULL, 0) : 250;
	char name[32];
	/*
	 * A longer request than the server's buffer could never be taken and
	 * would bar the way for all others: the mailbox refuses it.
	 */
	struct ipcbox_create_options options = {
		.name = name,
		.kind = IPCBOX_MAILBOX,
		.rights = IPCBOX_RIGHT_RECEIVE,
		.flags = IPCBOX_CREATE_EXCLUSIVE,
		.max_message_bytes = TEXT_MAX,
	};
	struct ipcbox_handle *mailbox;
	struct ipcbox *box;
	unsigned int i;
	sigset_t set;
	long served = 0;
	int signals;
	int status;
	int error;

	snprintf(name, sizeof(name), "epoll-server-%d", getpid());
	error = ipcbox_box_open(&box);
	if (error)
		return report("box", IPCBOX_OPERATION_BOX_OPEN, error);
	error = ipcbox_create(box, &options, &mailbox);
	if (error)
		return report("create", IPCBOX_OPERATION_CREATE, error);

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0) {
		perror("signalfd");
		return EXIT_FAILURE;
	}
	for (i = 0; i < clients; i++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("fork");
			return EXIT_FAILURE;
		}
		if (pid == 0) {
			ipcbox_close(mailbox);
			ipcbox_box_close(box);
			exit(client(name, requests));
		}
	}
	status = loop(box, mailbox, signals, clients, &served);
	ipcbox_close(mailbox);
	ipcbox_box_close(box);
	printf("served %ld of %lu requests of %u clients\n", served,
	       requests * clients, clients);
	if ((unsigned long)served != requests * clients)
		status = EXIT_FAILURE;
	puts(status == EXIT_SUCCESS ? "passed" : "failed");
	return status;
}
