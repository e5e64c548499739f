/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#include <errno.h>

#include "cli.h"

enum {
	KEY_MAX_MESSAGES = 0x100, KEY_MAX_BYTES, KEY_MAX_MESSAGE,
	KEY_DEAD_LETTER, KEY_MAX_DELIVERIES,
};

struct set_request {
	struct target target;
	struct ipcbox_set changes;
	struct dead_settings dead;
};

static const struct argp_option options[] = {
	{ "mode", 'm', "MODE", 0,
	  "Permissions in octal: r receives, w sends. Concerns who opens it from now on",
	  0 },
	{ "max-messages", KEY_MAX_MESSAGES, "N", 0,
	  "Hold at most N messages", 0 },
	{ "max-bytes", KEY_MAX_BYTES, "SIZE", 0,
	  "Hold at most SIZE bytes: 4096, 64K, 8M", 0 },
	{ "max-message", KEY_MAX_MESSAGE, "SIZE", 0,
	  "Take messages of at most SIZE bytes", 0 },
	DEAD_OPTIONS(KEY_DEAD_LETTER, KEY_MAX_DELIVERIES),
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct set_request *request = state->input;
	struct ipcbox_set *changes = &request->changes;
	unsigned int mode;

	switch (key) {
	case 'm':
		if (!parse_mode(arg, &mode))
			usage_error("--mode '%s' is not an octal mode of r and w bits, like 0622",
				    arg);
		changes->mode = mode;
		changes->mask |= IPCBOX_SET_MODE;
		return 0;
	case KEY_MAX_MESSAGES:
		changes->max_messages = number_argument("--max-messages", arg,
							1, UINT64_MAX);
		changes->mask |= IPCBOX_SET_MAX_MESSAGES;
		return 0;
	case KEY_MAX_BYTES:
		changes->max_bytes = positive_size("--max-bytes", arg);
		changes->mask |= IPCBOX_SET_MAX_BYTES;
		return 0;
	case KEY_MAX_MESSAGE:
		changes->max_message_bytes = positive_size("--max-message", arg);
		changes->mask |= IPCBOX_SET_MAX_MESSAGE_BYTES;
		return 0;
	case KEY_DEAD_LETTER:
		dead_letter_argument(&request->dead, arg);
		return 0;
	case KEY_MAX_DELIVERIES:
		max_deliveries_argument(&request->dead, arg);
		return 0;
	case ARGP_KEY_ARG:
		if (request->target.label[0])
			usage_error("unexpected argument '%s'; one object is changed at a time",
				    arg);
		parse_target(&request->target, arg);
		return 0;
	case ARGP_KEY_END:
		if (!request->target.label[0])
			usage_error("give the NAME of an object (shells take an unquoted #5 for a comment: type id:5)");
		if (!changes->mask && !request->dead.letters &&
		    !request->dead.deliveries_given)
			usage_error("say what to change; see 'ipcbox set --help'");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp set_argp = {
	.options = options, .parser = parse, .args_doc = "NAME",
	.children = common_children,
	.doc = "Change an object, as its owner or root: all that is asked, or nothing.\v"
	       "A limit below what is in the object loses nothing: senders wait. Examples:\n\n"
	       "  ipcbox set jobs --max-messages 5000\n"
	       "  ipcbox set jobs --dead-letter lost --max-deliveries 3",
};

static _Noreturn void fail_set(struct ipcbox *box,
			       const struct set_request *request,
			       const struct ipcbox_stat *state, int error)
{
	const struct ipcbox_set *changes = &request->changes;
	struct object_limits wanted = {
		.max_messages = changes->max_messages,
		.max_bytes = changes->max_bytes,
		.max_message_bytes = changes->max_message_bytes,
	};
	char size[SHORT_TEXT];

	if (error == -EINVAL) {
		check_object_limits(box, &wanted, state->max_bytes);
		if (changes->max_bytes && !changes->max_message_bytes &&
		    changes->max_bytes < state->max_message_bytes)
			fail(STATUS_LIMIT, error,
			     "--max-bytes may not be less than the %s of one message; lower --max-message too",
			     text_size(size, state->max_message_bytes));
	}
	if ((error == -ENOENT || error == -EINVAL) && request->dead.letters)
		fail(STATUS_NO_OBJECT, error,
		     "'%s' cannot have the dead letters of %s: it must be another object, to which you may send",
		     request->dead.letters, request->target.label);
	fail_target(&request->target, IPCBOX_OPERATION_SET, error);
}

int set_run(int argc, char **argv)
{
	struct set_request request = { .target = { .name = NULL } };
	struct ipcbox_handle *handle;
	struct ipcbox_stat state;
	struct ipcbox *box;
	int error;

	parse_arguments(argc, argv, &request);
	box = open_box();
	dead_changes(box, &request.dead, &request.changes);
	handle = open_target(box, &request.target, IPCBOX_RIGHT_MANAGE);
	handle_state(handle, &request.target, &state);
	error = ipcbox_set(handle, &request.changes);
	if (error)
		fail_set(box, &request, &state, error);
	if (cli.json) {
		handle_state(handle, &request.target, &state);
		print_json(stdout, json_of_object(&state), true);
	}
	ipcbox_close(handle);
	ipcbox_box_close(box);
	return STATUS_OK;
}
