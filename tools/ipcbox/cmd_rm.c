/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#include <errno.h>
#include <stdlib.h>

#include "cli.h"

struct rm_request {
	bool force;
	int count;
	struct target *targets;
};

static const struct argp_option options[] = {
	{ "force", 'f', NULL, 0, "Do not complain of what is not there", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct rm_request *request = state->input;

	switch (key) {
	case 'f':
		request->force = true;
		return 0;
	case ARGP_KEY_ARG:
		parse_target(&request->targets[request->count++], arg);
		return 0;
	case ARGP_KEY_END:
		if (!request->count && !request->force)
			usage_error("give the NAME of what to remove (shells take an unquoted #5 for a comment: type id:5)");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp rm_argp = {
	.options = options, .parser = parse, .args_doc = "NAME...",
	.children = common_children,
	.doc = "Remove objects: their names and ids are free at once.\v"
	       "Processes that have an object open go on using it; its messages are discarded "
	       "when the last of them closes it.",
};

int rm_run(int argc, char **argv)
{
	struct rm_request request = { .force = false };
	json_t *removed = json_array();
	struct ipcbox *box;
	int i;

	request.targets = allocate((size_t)argc * sizeof(*request.targets));
	parse_arguments(argc, argv, &request);

	box = open_box();
	for (i = 0; i < request.count; i++) {
		struct target *target = &request.targets[i];
		int error = target->name ?
			    ipcbox_unlink_name(box, target->name) :
			    ipcbox_unlink_id(box, target->id);

		if (error == -ENOENT && request.force)
			continue;
		if (error)
			fail_target(target, IPCBOX_OPERATION_UNLINK, error);
		json_array_append_new(removed, target->name ?
				      json_string(target->name) :
				      json_integer((json_int_t)target->id));
	}
	if (cli.json)
		print_json(stdout, json_pack("{s:O}", "removed", removed), false);
	json_decref(removed);
	free(request.targets);
	ipcbox_box_close(box);
	return STATUS_OK;
}
