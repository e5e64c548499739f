/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#include "cli.h"
#include "jobs.h"

static const struct argp_option options[] = {
	{ "count", 'n', "N", 0,
	  "End after N messages. Default: go on until Ctrl-C", 0 },
	{ "workers", 'w', "N", 0,
	  "Run up to N commands at once. Default: 1", 0 },
	{ "timeout", 't', "DURATION", 0,
	  "End, with status 3, when nothing came for so long: 500ms, 2s", 0 },
	{ "verbose", 'v', NULL, 0, "Say of each message that it is done", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct jobs_request *request = state->input;

	switch (key) {
	case 't':
		request->timeout = duration_argument("--timeout", arg);
		return 0;
	default:
		return jobs_option(key, arg, request);
	}
}

const struct argp work_argp = {
	.options = options, .parser = parse,
	.args_doc = "NAME -- COMMAND [ARGUMENT...]", .children = common_children,
	.doc = "Run COMMAND for each message, with the payload as its input. If it ends with status "
	       "0 the message is acknowledged and gone, else it is given back to its place; if this "
	       "program dies, another worker gets it.\v"
	       "What a message that is given back again and again comes to is set with 'ipcbox set "
	       "NAME --max-deliveries'. IPCBOX_SEQUENCE, IPCBOX_DELIVERIES and more in the "
	       "environment tell of the message. Examples:\n\n"
	       "  ipcbox work jobs -- sh build.sh\n"
	       "  ipcbox work jobs --workers 4 --timeout 10s -- ./import",
};

int work_run(int argc, char **argv)
{
	struct jobs_request request = { .workers = 1, .timeout = -1 };

	return jobs_run(argc, argv, &request);
}
