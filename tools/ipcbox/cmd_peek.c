/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#include <errno.h>
#include <unistd.h>

#include "cli.h"
#include "glance.h"

enum { KEY_SKIP = 0x100, KEY_HEADERS, KEY_RAW };

struct peek_request {
	struct target target;
	struct ipcbox_selection selection;
	uint64_t count;
	unsigned int skip;
	bool verbose;
	bool headers;
	bool null;
	bool raw;
};

static const struct argp_option options[] = {
	{ "count", 'n', "N", 0, "Show at most N messages. Default: all", 0 },
	{ "skip", KEY_SKIP, "N", 0,
	  "Pass over the N that would be received first, 65535 at most", 0 },
	SELECTION_OPTIONS,
	{ "headers", KEY_HEADERS, NULL, 0,
	  "Show no payloads, only a line about each message", 0 },
	{ "verbose", 'v', NULL, 0,
	  "Before each message, print a line that says who sent it, and how", 0 },
	{ "null", '0', NULL, 0,
	  "End each message with a NUL byte instead of a line feed", 0 },
	{ "raw", KEY_RAW, NULL, 0,
	  "Print payloads as they are, with nothing between them", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct peek_request *request = state->input;

	if (parse_selection(key, arg, &request->selection))
		return 0;
	switch (key) {
	case 'n':
		request->count = number_argument("--count", arg, 1, UINT64_MAX);
		return 0;
	case KEY_SKIP:
		request->skip = (unsigned int)number_argument("--skip", arg, 0,
							      IPCBOX_SKIP_MAX);
		return 0;
	case KEY_HEADERS:
		request->headers = true;
		return 0;
	case 'v':
		request->verbose = true;
		return 0;
	case '0':
		request->null = true;
		return 0;
	case KEY_RAW:
		request->raw = true;
		return 0;
	case ARGP_KEY_ARG:
		if (request->target.label[0])
			usage_error("unexpected argument '%s'; one object is looked at at a time",
				    arg);
		parse_target(&request->target, arg);
		return 0;
	case ARGP_KEY_END:
		if (!request->target.label[0])
			usage_error("give the NAME of a queue or mailbox (shells take an unquoted #5 for a comment: type id:5)");
		if (request->null + request->raw + (request->headers || cli.json) > 1)
			usage_error("choose one of --null, --raw, and --headers or --json");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp peek_argp = {
	.options = options, .parser = parse, .args_doc = "NAME",
	.children = common_children,
	.doc = "Print messages in the order in which they would be received, and leave them "
	       "where they are.\v"
	       "It does not wait; the status is 3 if nothing is there. A mailbox that has its "
	       "receiver can be looked into, too. Examples:\n\n"
	       "  ipcbox peek jobs --headers\n"
	       "  ipcbox peek jobs --count 1 --skip 3",
};

static void show(const struct peek_request *request,
		 const struct ipcbox_incoming *message, const char *data)
{
	if (cli.json) {
		print_json(stdout, json_of_message(message, data), false);
		return;
	}
	if (request->verbose || request->headers)
		print_header(message);
	if (!data)
		return;
	if (!request->raw && isatty(STDOUT_FILENO))
		print_escaped(stdout, data, message->length);
	else
		fwrite(data, 1, message->length, stdout);
	if (!request->raw)
		putchar(request->null ? '\0' : '\n');
}

int peek_run(int argc, char **argv)
{
	struct peek_request request = { .count = UINT64_MAX };
	struct ipcbox_handle *handle;
	struct glance *glance;
	struct ipcbox *box;
	uint64_t shown;
	const char *data;

	parse_arguments(argc, argv, &request);
	box = open_box();
	handle = open_target(box, &request.target, IPCBOX_RIGHT_LOOK);
	glance = glance_new(box, handle, &request.target, &request.selection,
			    request.skip, !request.headers);
	for (shown = 0; shown < request.count; shown++) {
		const struct ipcbox_incoming *message =
			glance_next(glance, request.count - shown, &data);

		if (!message)
			break;
		show(&request, message, data);
	}
	glance_free(glance);
	ipcbox_close(handle);
	ipcbox_box_close(box);
	if (!shown)
		fail(STATUS_TIMEOUT, EAGAIN,
		     request.skip || selects(&request.selection) ?
		     "%s has no such message" : "%s is empty",
		     request.target.label);
	return STATUS_OK;
}
