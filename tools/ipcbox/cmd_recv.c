/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * ipcbox recv: what to receive, and printing it. receiver.c takes the
 * messages, receive_files.c puts files together.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "receiver.h"

enum { KEY_NOWAIT = 0x100, KEY_RAW, KEY_BATCH, KEY_LISTEN };

struct recv_request {
	struct target target;
	uint64_t count;		/* 0: the default */
	bool follow;
	bool all;
	bool null;
	bool raw;
	bool listen;
	unsigned int batch;
	struct ipcbox_selection selection;
	struct file_request files;
};

/* Messages on their way to standard output. */
struct printing {
	const struct recv_request *request;
	uint64_t messages;
	uint64_t bytes;
	uint64_t calls;
	bool escape;
};

static const struct argp_option options[] = {
	{ "count", 'n', "N", 0, "Receive N messages. Default: 1", 0 },
	{ "follow", 'f', NULL, 0, "Receive until Ctrl-C", 0 },
	{ "all", 'a', NULL, 0,
	  "Receive all that is there and do not wait; it is no failure if nothing is",
	  0 },
	{ "timeout", 't', "DURATION", 0,
	  "Wait at most so long for each message: 500ms, 2s. Default: without end",
	  0 },
	{ "nowait", KEY_NOWAIT, NULL, 0, "Do not wait", 0 },
	{ "file", 'o', "PATH", 0,
	  "Receive a whole file that 'send --file' sent, and store it; - is standard output. May be repeated, and further arguments are files too",
	  0 },
	SELECTION_OPTIONS,
	{ "null", '0', NULL, 0,
	  "End each message with a NUL byte instead of a line feed", 0 },
	{ "raw", KEY_RAW, NULL, 0,
	  "Print payloads as they are, with nothing between them", 0 },
	{ "verbose", 'v', NULL, 0,
	  "Before each message, print a line that says who sent it, and how", 0 },
	{ "batch", KEY_BATCH, "N", 0,
	  "Take up to N messages by one call: faster, but other receivers get none of them. Default: 1",
	  0 },
	{ "listen", KEY_LISTEN, NULL, 0,
	  "Make a mailbox NAME for as long as this command runs", 0 },
	{ 0 }
};

static void check_request(const struct recv_request *request)
{
	bool files = request->files.count;

	if (!request->target.label[0])
		usage_error("give the NAME of a queue or mailbox (shells take an unquoted #5 for a comment: type id:5)");
	if (!!request->count + request->follow + request->all + files > 1)
		usage_error("choose one of --count, --follow, --all and --file");
	if (request->follow && request->files.nowait)
		usage_error("--follow waits and --nowait does not; --all receives all that is there");
	if (request->null + request->raw + cli.json > 1)
		usage_error("choose one of --null, --raw and --json");
	if (files && (request->null || request->raw))
		usage_error("--null and --raw are of messages, not of files");
	if (files && (request->selection.tag_mask || request->selection.sequence))
		usage_error("--tag and --sequence are of messages, not of files, whose pieces have tags of their own");
	if (request->listen && !request->target.name)
		usage_error("--listen needs a name, not an id");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct recv_request *request = state->input;
	struct file_request *files = &request->files;

	if (parse_selection(key, arg, &request->selection))
		return 0;
	switch (key) {
	case 'n':
		request->count = number_argument("--count", arg, 1, UINT64_MAX);
		return 0;
	case 'f':
		request->follow = true;
		return 0;
	case 'a':
		request->all = true;
		return 0;
	case 't':
		files->timeout = duration_argument("--timeout", arg);
		return 0;
	case KEY_NOWAIT:
		files->nowait = true;
		return 0;
	case 'o':
		files->paths[files->count++] = arg;
		return 0;
	case '0':
		request->null = true;
		return 0;
	case KEY_RAW:
		request->raw = true;
		return 0;
	case 'v':
		files->verbose = true;
		return 0;
	case KEY_BATCH:
		request->batch = (unsigned int)number_argument("--batch", arg,
							       1, 1 << 20);
		return 0;
	case KEY_LISTEN:
		request->listen = true;
		return 0;
	case ARGP_KEY_ARG:
		if (!request->target.label[0])
			parse_target(&request->target, arg);
		else if (files->count)
			files->paths[files->count++] = arg;
		else
			usage_error("unexpected argument '%s'; to store a file: --file %s",
				    arg, arg);
		return 0;
	case ARGP_KEY_END:
		check_request(request);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp recv_argp = {
	.options = options, .parser = parse, .args_doc = "NAME",
	.children = common_children,
	.doc = "Receive messages, the highest priority first, and print each on a line; or receive "
	       "files.\v"
	       "It waits while nothing is there. On a terminal, control characters are printed as "
	       "\\x1b, unless --raw is given. Examples:\n\n"
	       "  ipcbox recv jobs\n"
	       "  ipcbox recv jobs --follow --verbose\n"
	       "  ipcbox recv jobs --count 10 --timeout 2s\n"
	       "  ipcbox recv jobs --tag 0x10/0xf0\n"
	       "  ipcbox recv jobs --file backup.tar",
};

static void print_message(const struct printing *printing,
			  const struct ipcbox_incoming *message,
			  const char *data)
{
	const struct recv_request *request = printing->request;

	if (cli.json) {
		print_json(stdout, json_of_message(message, data), false);
		return;
	}
	if (request->files.verbose)
		print_header(message);
	if (printing->escape)
		print_escaped(stdout, data, message->length);
	else
		fwrite(data, 1, message->length, stdout);
	if (!request->raw)
		putchar(request->null ? '\0' : '\n');
}

static char *describe(const void *context)
{
	const struct printing *printing = context;
	char size[SHORT_TEXT];

	return format_text("%" PRIu64 " %s (%s) %s received",
			   printing->messages,
			   plural(printing->messages, "message", "messages"),
			   text_size(size, printing->bytes),
			   plural(printing->messages, "was", "were"));
}

/* These messages are nowhere else any more, so a failure must not be quiet. */
static void deliver(struct receiver *receiver, struct printing *printing,
		    int count)
{
	int i;

	for (i = 0; i < count; i++) {
		const struct ipcbox_incoming *message = received(receiver, i);

		print_message(printing, message, received_data(receiver, i));
		printing->bytes += message->length;
		if (message->flags & IPCBOX_INCOMING_CALL && !printing->calls++)
			warn("process %d waits for a reply, which 'ipcbox serve' would give; it is told so when this command ends",
			     message->pid);
	}
	printing->messages += (unsigned int)count;
	if (fflush(stdout) || ferror(stdout)) {
		int error = errno;

		/* Whatever is left in the buffer cannot be written either. */
		freopen("/dev/null", "w", stdout);
		fail(error == EPIPE ? STATUS_PEER_GONE : STATUS_FAILED, error,
		     "cannot write the output: %s; up to %d %s received last may be lost",
		     strerror(error), count,
		     plural((uint64_t)count, "message", "messages"));
	}
}

static int receive_messages(struct receiver *receiver,
			    const struct recv_request *request)
{
	struct printing printing = {
		.request = request,
		.escape = !request->raw && isatty(STDOUT_FILENO),
	};
	bool nowait = request->files.nowait || request->all;
	uint64_t left = request->follow || request->all ? UINT64_MAX :
			request->count ? request->count : 1;

	receiver_on_interrupt(receiver, describe, &printing);
	receiver_follow_output(receiver);
	while (left) {
		uint64_t deadline =
			ipcbox_deadline_after_ns(request->files.timeout);
		int result = receive_some(receiver, left, nowait, deadline);

		if (request->all && (result == -EAGAIN || result == -EPIPE))
			return STATUS_OK;
		if (result < 0)
			fail_receive(receiver, result, request->files.timeout,
				     left > 1 || printing.messages ?
				     describe(&printing) : NULL);
		deliver(receiver, &printing, result);
		if (!request->follow && !request->all)
			left -= (unsigned int)result;
	}
	return STATUS_OK;
}

int recv_run(int argc, char **argv)
{
	struct recv_request request = {
		/* Workers that share a queue are to share its messages. */
		.batch = 1, .files = { .timeout = -1 },
	};
	struct ipcbox_handle *handle;
	struct receiver *receiver;
	struct ipcbox *box;
	int status;

	request.files.paths = allocate((size_t)argc * sizeof(char *));
	parse_arguments(argc, argv, &request);

	box = open_box();
	interrupt_catch();
	/* An output that nobody reads is to be reported, not to kill. */
	signal(SIGPIPE, SIG_IGN);
	handle = request.listen ? listen_mailbox(box, &request.target) :
		 open_target(box, &request.target, IPCBOX_RIGHT_RECEIVE);
	receiver = receiver_new(box, handle, &request.target, request.batch,
				&request.selection);
	if (request.files.count)
		status = receive_files(receiver, &request.files);
	else
		status = receive_messages(receiver, &request);
	receiver_free(receiver);
	free(request.files.paths);
	ipcbox_box_close(box);
	return status;
}
