/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * ipcbox send: what to send and how. sender.c does the sending.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"
#include "sender.h"

enum { KEY_LINES = 0x100, KEY_NOWAIT, KEY_BATCH, KEY_SYNC, KEY_LIFETIME };

struct send_request {
	struct target target;
	struct send_how how;
	bool lines;
	bool null;
	bool verbose;
	bool create;
	bool tagged;
	size_t files;		/* of them given with --file */
	size_t count;
	char **arguments;	/* messages, or all the files */
};

static const struct argp_option options[] = {
	{ "lines", KEY_LINES, NULL, 0,
	  "Send each line of standard input as a message; the default where no MESSAGE is given",
	  0 },
	{ "null", '0', NULL, 0,
	  "As --lines, but a NUL byte ends each message, which may have several lines",
	  0 },
	{ "file", 'f', "PATH", 0,
	  "Send a whole file of any size, for 'recv --file'; - is standard input. May be repeated, and further arguments are files too",
	  0 },
	{ "priority", 'p', "N", 0,
	  "0, the lowest and the default, to 32767", 0 },
	{ "tag", 'g', "N", 0,
	  "A number for the receiver, 0x... in hexadecimal. Default: 0", 0 },
	{ "timeout", 't', "DURATION", 0,
	  "Wait at most so long for room, or with --sync for each message: 500ms, 2s. Default: without end",
	  0 },
	{ "nowait", KEY_NOWAIT, NULL, 0, "Do not wait for room", 0 },
	{ "sync", KEY_SYNC, NULL, 0,
	  "Wait until each message is taken, or acknowledged by who holds it; one that is not is withdrawn",
	  0 },
	{ "lifetime", KEY_LIFETIME, "DURATION", 0,
	  "After so long nobody receives the message any more. Default: without end",
	  0 },
	{ "batch", KEY_BATCH, "N", 0,
	  "Send up to N messages by one call. Default: 64, or the module's limit",
	  0 },
	{ "create", 'c', NULL, 0,
	  "Make a queue NAME first if it is missing, as 'ipcbox create' does", 0 },
	{ "verbose", 'v', NULL, 0, "Say how much was sent", 0 },
	{ 0 }
};

static void add_argument(struct send_request *request, char *arg)
{
	request->arguments[request->count++] = arg;
}

/* Contradictions are better refused than resolved by guessing. */
static void check_request(const struct send_request *request)
{
	bool lines = request->lines || request->null;

	if (!request->target.label[0])
		usage_error("give the NAME of a queue or mailbox (shells take an unquoted #5 for a comment: type id:5)");
	if (request->files && lines)
		usage_error("choose --file or --lines");
	if (request->files && request->tagged)
		usage_error("--tag cannot be with --file, which tags the pieces of files itself");
	if (lines && request->count)
		usage_error("messages come from standard input with --lines, so '%s' is too much",
			    request->arguments[0]);
	if (request->how.sync && request->how.batch > 1)
		usage_error("--sync sends one message at a time: leave out --batch");
	if (request->create && !request->target.name)
		usage_error("--create needs a name, not an id");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct send_request *request = state->input;

	switch (key) {
	case KEY_LINES:
		request->lines = true;
		return 0;
	case '0':
		request->null = true;
		return 0;
	case 'f':
		request->files++;
		add_argument(request, arg);
		return 0;
	case 'p':
		request->how.priority =
			(unsigned int)number_argument("--priority", arg, 0,
						      IPCBOX_PRIORITY_MAX);
		return 0;
	case 'g':
		request->tagged = true;
		request->how.tag = whole_tag_argument(arg);
		return 0;
	case 't':
		request->how.timeout = duration_argument("--timeout", arg);
		return 0;
	case KEY_NOWAIT:
		request->how.nowait = true;
		return 0;
	case KEY_SYNC:
		request->how.sync = true;
		return 0;
	case KEY_LIFETIME:
		request->how.lifetime = lifetime_argument(arg);
		return 0;
	case KEY_BATCH:
		request->how.batch =
			(unsigned int)number_argument("--batch", arg, 1, 1 << 20);
		return 0;
	case 'c':
		request->create = true;
		return 0;
	case 'v':
		request->verbose = true;
		return 0;
	case ARGP_KEY_ARG:
		if (!request->target.label[0])
			parse_target(&request->target, arg);
		else
			add_argument(request, arg);
		return 0;
	case ARGP_KEY_END:
		check_request(request);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp send_argp = {
	.options = options, .parser = parse,
	.args_doc = "NAME [MESSAGE...]", .children = common_children,
	.doc = "Send messages: the arguments, or the lines of standard input, or whole files.\v"
	       "It waits while there is no room, and returns when all is in the object, or with --sync "
	       "when all was taken. Examples:\n\n"
	       "  ipcbox send jobs 'first job' 'second job'\n"
	       "  ls | ipcbox send jobs\n"
	       "  ipcbox send jobs --priority 9 urgent\n"
	       "  ipcbox send jobs --file backup.tar\n\n"
	       "A message that begins with '-' goes after '--'.",
};

static struct ipcbox_handle *open_or_create(struct ipcbox *box,
					    struct send_request *request)
{
	struct ipcbox_create_options create = {
		.name = request->target.name, .kind = IPCBOX_QUEUE,
		.rights = IPCBOX_RIGHT_SEND, .flags = IPCBOX_CREATE_PERSISTENT,
	};
	struct ipcbox_handle *handle;
	int error;

	if (!request->create)
		return open_target(box, &request->target, IPCBOX_RIGHT_SEND);
	error = ipcbox_create(box, &create, &handle);
	/* It may be there as a mailbox, and that will do. */
	if (error == -EEXIST)
		return open_target(box, &request->target, IPCBOX_RIGHT_SEND);
	if (error)
		fail_target(&request->target, IPCBOX_OPERATION_CREATE, error);
	describe_target(&request->target, IPCBOX_QUEUE);
	return handle;
}

int send_run(int argc, char **argv)
{
	struct send_request request = { .how = { .timeout = -1 } };
	struct sender *sender;
	struct ipcbox *box;
	size_t i;

	request.arguments = allocate((size_t)argc * sizeof(char *));
	parse_arguments(argc, argv, &request);
	if (request.files)
		for (i = 0; i < request.count; i++)
			check_file(request.arguments[i]);

	box = open_box();
	interrupt_catch();
	sender = sender_new(box, open_or_create(box, &request),
			    &request.target, &request.how);
	if (request.files) {
		for (i = 0; i < request.count; i++)
			send_file(sender, request.arguments[i]);
	} else if (request.count) {
		send_texts(sender, request.arguments, request.count);
	} else {
		if (isatty(STDIN_FILENO) && !cli.quiet && !cli.json)
			fprintf(stderr, "each line that you type is sent; Ctrl-D ends\n");
		send_lines(sender, request.null ? '\0' : '\n');
	}
	sender_report(sender, request.verbose);
	sender_free(sender);
	free(request.arguments);
	ipcbox_box_close(box);
	return STATUS_OK;
}
