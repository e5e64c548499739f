/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A server with a pool of threads that calls are made to, and its clients.
 *
 * Shows: calls, whose tag says what is asked, and replies, whose tag says what
 * became of it; a loop of one system call a request, run by several threads on
 * one handle; what a server must mind: it checks what it is sent, and tells a
 * caller that offers too little room so; and how it ends: it takes the name
 * away, serves those clients that there are, and finds that no other will come.
 *
 *	./rpc_server			serve clients of its own, and end
 *	./rpc_server NAME [THREADS]	serve until SIGINT or SIGTERM comes
 *	./rpc_server --client NAME [CALLS]
 *
 * A server prints what each thread has served. The exit status is 0 if all
 * went well: for a client, if each call had the right reply.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ipcbox.h>

#define MOST_THREADS	64
#define OWN_CLIENTS	4
#define TEXT_MAX	256
#define PATIENCE_MS	60000

/* What is asked: the tag of a request. */
#define ASK_SUM		1	/* of the request's numbers */
#define ASK_REVERSE	2	/* of the request's text */

/* The tag of a reply is 0, or an error as errno has it. */
union data {
	uint64_t numbers[TEXT_MAX / sizeof(uint64_t)];
	char text[TEXT_MAX];
};

struct worker {
	pthread_t thread;
	struct ipcbox_handle *mailbox;
	unsigned long served;
	int result;
};

static int report(const char *what, enum ipcbox_operation operation,
		  ssize_t error)
{
	fprintf(stderr, "%s: %s\n", what,
		ipcbox_explain(operation, (int)error));
	return EXIT_FAILURE;
}

/* Makes the reply where the request is. Returns its length, or an error. */
static int perform(uint64_t function, union data *data, uint32_t length)
{
	uint64_t sum = 0;
	uint32_t i;
	char swap;

	switch (function) {
	case ASK_SUM:
		if (length % sizeof(uint64_t))
			return -EINVAL;
		for (i = 0; i < length / sizeof(uint64_t); i++)
			sum += data->numbers[i];
		data->numbers[0] = sum;
		return sizeof(sum);
	case ASK_REVERSE:
		for (i = 0; i < length / 2; i++) {
			swap = data->text[i];
			data->text[i] = data->text[length - 1 - i];
			data->text[length - 1 - i] = swap;
		}
		return (int)length;
	default:
		return -ENOSYS;
	}
}

static struct ipcbox_settlement serve(const struct ipcbox_incoming *request,
				      union data *data)
{
	struct ipcbox_settlement reply = {
		.token = request->token,
		.action = IPCBOX_REPLY,
	};
	int length = perform(request->tag, data, request->length);

	if (length < 0) {
		reply.tag = (uint64_t)-length;
	} else {
		reply.data = data;
		reply.length = (size_t)length;
	}
	return reply;
}

static void *work(void *argument)
{
	static const struct ipcbox_settlement nothing;
	struct ipcbox_settlement last = nothing;
	struct worker *worker = argument;
	struct ipcbox_incoming request;
	union data data;
	int got;

	for (;;) {
		got = ipcbox_answer(worker->mailbox, &last, &data, sizeof(data),
				    &request, 0, IPCBOX_FOREVER);
		if (got == -EMSGSIZE && last.length) {
			/* The caller has no room for it: it is told so. */
			last.data = NULL;
			last.length = 0;
			last.tag = EMSGSIZE;
			continue;
		}
		last = nothing;
		if (got == 0 || got == -EINTR)
			continue;
		if (got < 0)
			break;
		/* What is no call is received, and no one waits for a reply. */
		if (request.flags & IPCBOX_INCOMING_CALL) {
			last = serve(&request, &data);
			worker->served++;
		}
	}
	worker->result = got;
	return NULL;
}

/* Calls, and checks that the reply is the one expected. */
static int ask(struct ipcbox_handle *server, uint64_t function,
	       const void *request, size_t length, const void *expected,
	       size_t expected_length, uint64_t expected_tag)
{
	struct ipcbox_send_options options = {
		.tag = function,
		.deadline = ipcbox_deadline_after_ms(PATIENCE_MS),
	};
	struct ipcbox_incoming header;
	char reply[TEXT_MAX];
	ssize_t got;

	got = ipcbox_call(server, request, length, reply, expected_length,
			  &options, &header);
	if (got < 0)
		return report("client", IPCBOX_OPERATION_CALL, got);
	if ((size_t)got == expected_length && header.tag == expected_tag &&
	    (got == 0 || memcmp(reply, expected, expected_length) == 0))
		return EXIT_SUCCESS;
	fprintf(stderr, "client: a wrong reply to %" PRIu64 "\n", function);
	return EXIT_FAILURE;
}

static int call_all(struct ipcbox_handle *server, unsigned long count)
{
	int status = EXIT_SUCCESS;
	uint64_t numbers[2], sum;
	unsigned long i;

	for (i = 0; i < count && status == EXIT_SUCCESS; i++) {
		numbers[0] = i;
		numbers[1] = (uint64_t)getpid();
		sum = numbers[0] + numbers[1];
		status = ask(server, ASK_SUM, numbers, sizeof(numbers), &sum,
			     sizeof(sum), 0);
	}
	if (status == EXIT_SUCCESS)
		status = ask(server, ASK_REVERSE, "stressed", 8, "desserts", 8,
			     0);
	/* What the server refuses, it says. */
	if (status == EXIT_SUCCESS)
		status = ask(server, ASK_REVERSE, "long", 4, NULL, 0, EMSGSIZE);
	if (status == EXIT_SUCCESS)
		status = ask(server, ASK_SUM, "odd", 3, NULL, 0, EINVAL);
	if (status == EXIT_SUCCESS)
		status = ask(server, 99, NULL, 0, NULL, 0, ENOSYS);
	return status;
}

/* Needs nothing of the server but its name. */
static int be_client(const char *name, unsigned long count)
{
	struct ipcbox_handle *server;
	struct ipcbox *box;
	int status;
	int error;

	error = ipcbox_box_open(&box);
	if (error)
		return report("client", IPCBOX_OPERATION_BOX_OPEN, error);
	error = ipcbox_open_name(box, name, IPCBOX_RIGHT_SEND, 0, &server);
	ipcbox_box_close(box);
	if (error)
		return report("client", IPCBOX_OPERATION_OPEN, error);
	status = call_all(server, count);
	ipcbox_close(server);
	return status;
}

static int run_own_clients(const char *name)
{
	int status = EXIT_SUCCESS;
	pid_t clients[OWN_CLIENTS];
	int started, ended;
	int child_status;

	for (started = 0; started < OWN_CLIENTS; started++) {
		clients[started] = fork();
		if (clients[started] < 0) {
			perror("fork");
			status = EXIT_FAILURE;
			break;
		}
		/*
		 * The child has the server's end too. Its calls are bounded by
		 * their deadlines, should the server die.
		 */
		if (clients[started] == 0)
			_exit(be_client(name, 500));
	}
	for (ended = 0; ended < started; ended++)
		if (waitpid(clients[ended], &child_status, 0) < 0 ||
		    child_status != 0)
			status = EXIT_FAILURE;
	return status;
}

static int wait_for_signal(const char *name, const sigset_t *signals)
{
	int signal;

	printf("serving %s\n", name);
	fflush(stdout);
	return sigwait(signals, &signal) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Ends the pool once no client is left. */
static int end_pool(struct ipcbox *box, struct worker *workers,
		    unsigned int count)
{
	int status = EXIT_SUCCESS;
	unsigned int i;
	int error;

	error = ipcbox_unlink_id(box, ipcbox_handle_id(workers[0].mailbox));
	if (error)
		return report("server", IPCBOX_OPERATION_UNLINK, error);
	for (i = 0; i < count; i++) {
		pthread_join(workers[i].thread, NULL);
		printf("thread %u: %lu calls\n", i, workers[i].served);
		if (workers[i].result != -EPIPE)
			status = report("server", IPCBOX_OPERATION_ANSWER,
					workers[i].result);
	}
	return status;
}

static int be_server(const char *name, unsigned int count)
{
	struct ipcbox_create_options options = {
		.name = name,
		.kind = IPCBOX_MAILBOX,
		.rights = IPCBOX_RIGHT_RECEIVE,
		.flags = IPCBOX_CREATE_EXCLUSIVE,
		/* No request is longer than a thread's buffer. */
		.max_message_bytes = sizeof(union data),
	};
	struct worker workers[MOST_THREADS] = { 0 };
	struct ipcbox_handle *mailbox;
	char own_name[32];
	struct ipcbox *box;
	sigset_t signals;
	unsigned int i;
	int status;
	int error;

	/* For sigwait; the threads of the pool inherit this. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	if (name)
		pthread_sigmask(SIG_BLOCK, &signals, NULL);

	snprintf(own_name, sizeof(own_name), "rpc-server-%d", getpid());
	if (!name)
		options.name = own_name;
	error = ipcbox_box_open(&box);
	if (error)
		return report("server", IPCBOX_OPERATION_BOX_OPEN, error);
	error = ipcbox_create(box, &options, &mailbox);
	if (error)
		return report("server", IPCBOX_OPERATION_CREATE, error);
	for (i = 0; i < count; i++) {
		workers[i].mailbox = mailbox;
		if (pthread_create(&workers[i].thread, NULL, work,
				   &workers[i])) {
			fputs("server: no thread\n", stderr);
			return EXIT_FAILURE;
		}
	}
	status = name ? wait_for_signal(name, &signals)
		      : run_own_clients(own_name);
	if (end_pool(box, workers, count) != EXIT_SUCCESS)
		status = EXIT_FAILURE;
	ipcbox_close(mailbox);
	ipcbox_box_close(box);
	puts(status == EXIT_SUCCESS ? "passed" : "failed");
	return status;
}

int main(int argc, char **argv)
{
	unsigned long threads = argc > 2 ? strtoul(argv[2], NULL, 0) : 4;

	if (argc > 2 && strcmp(argv[1], "--client") == 0)
		return be_client(argv[2],
				 argc > 3 ? strtoul(argv[3], NULL, 0) : 1000);
	if (threads < 1 || threads > MOST_THREADS) {
		fprintf(stderr, "1 to %d threads\n", MOST_THREADS);
		return EXIT_FAILURE;
	}
	return be_server(argc > 1 ? argv[1] : NULL, (unsigned int)threads);
}
