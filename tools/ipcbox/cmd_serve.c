/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#include "cli.h"
#include "jobs.h"

enum { KEY_LISTEN = 0x100 };

static const struct argp_option options[] = {
	{ "count", 'n', "N", 0,
	  "End after N requests. Default: go on until Ctrl-C", 0 },
	{ "workers", 'w', "N", 0,
	  "Run up to N commands at once. Default: 1", 0 },
	{ "listen", KEY_LISTEN, NULL, 0,
	  "Make a mailbox NAME for as long as this command runs", 0 },
	{ "verbose", 'v', NULL, 0, "Say of each request that it is done", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct jobs_request *request = state->input;

	switch (key) {
	case KEY_LISTEN:
		request->listen = true;
		return 0;
	default:
		return jobs_option(key, arg, request);
	}
}

const struct argp serve_argp = {
	.options = options, .parser = parse,
	.args_doc = "NAME -- COMMAND [ARGUMENT...]", .children = common_children,
	.doc = "Run COMMAND for each request of 'ipcbox call', with the request as its input. What "
	       "it prints is the reply; if it fails, the caller is told at once.\v"
	       "IPCBOX_PID, IPCBOX_UID, IPCBOX_TAG and more in the environment tell of the request "
	       "and who sent it. Messages that are no calls are treated as 'ipcbox work' does. "
	       "Examples:\n\n"
	       "  ipcbox serve clock --listen -- date\n"
	       "  ipcbox serve sums --workers 4 -- bc",
};

int serve_run(int argc, char **argv)
{
	struct jobs_request request = {
		.workers = 1, .timeout = -1, .serve = true,
	};

	return jobs_run(argc, argv, &request);
}
