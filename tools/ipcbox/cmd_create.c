/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#include <errno.h>
#include <sys/stat.h>

#include "cli.h"

enum {
	KEY_EXCLUSIVE = 0x100, KEY_MAX_MESSAGES, KEY_MAX_BYTES, KEY_MAX_MESSAGE,
	KEY_DEAD_LETTER, KEY_MAX_DELIVERIES, KEY_POOL,
};

struct create_request {
	struct ipcbox_create_options options;
	bool mode_given;
	struct dead_settings dead;
};

static const struct argp_option options[] = {
	{ "kind", 'k', "KIND", 0,
	  "queue (the default): many receivers, each message to one of them; mailbox: one receiver",
	  0 },
	{ "mode", 'm', "MODE", 0,
	  "Permissions in octal, exactly so: r receives, w sends; 0622 lets everyone send. Default: 0600, less the umask",
	  0 },
	{ "exclusive", KEY_EXCLUSIVE, NULL, 0,
	  "Fail if the name is taken", 0 },
	{ "max-messages", KEY_MAX_MESSAGES, "N", 0,
	  "Hold at most N messages", 0 },
	{ "max-bytes", KEY_MAX_BYTES, "SIZE", 0,
	  "Hold at most SIZE bytes: 4096, 64K, 8M", 0 },
	{ "max-message", KEY_MAX_MESSAGE, "SIZE", 0,
	  "Take messages of at most SIZE bytes", 0 },
	{ "pool", KEY_POOL, "SIZE", 0,
	  "A mailbox whose receiver can map its messages, in SIZE bytes of memory, a power of two: 64K, 1M",
	  0 },
	DEAD_OPTIONS(KEY_DEAD_LETTER, KEY_MAX_DELIVERIES),
	{ 0 }
};

static uint64_t pool_size(const char *option, const char *arg)
{
	uint64_t size = positive_size(option, arg);

	if (size & (size - 1) || size < 4096 || size > 1 << 30)
		usage_error("%s '%s' is not a power of two from 4K to 1G",
			    option, arg);
	return size;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct create_request *request = state->input;
	struct ipcbox_create_options *create = &request->options;
	struct target target;

	switch (key) {
	case 'k':
		if (!parse_kind(arg, &create->kind))
			usage_error("--kind '%s' is neither queue nor mailbox",
				    arg);
		return 0;
	case 'm':
		if (!parse_mode(arg, &create->mode))
			usage_error("--mode '%s' is not an octal mode of r and w bits, like 0622",
				    arg);
		request->mode_given = true;
		return 0;
	case KEY_EXCLUSIVE:
		create->flags |= IPCBOX_CREATE_EXCLUSIVE;
		return 0;
	case KEY_MAX_MESSAGES:
		create->max_messages = number_argument("--max-messages", arg, 1,
						       UINT64_MAX);
		return 0;
	case KEY_MAX_BYTES:
		create->max_bytes = positive_size("--max-bytes", arg);
		return 0;
	case KEY_MAX_MESSAGE:
		create->max_message_bytes = positive_size("--max-message", arg);
		return 0;
	case KEY_POOL:
		create->mapped_bytes = pool_size("--pool", arg);
		return 0;
	case KEY_DEAD_LETTER:
		dead_letter_argument(&request->dead, arg);
		return 0;
	case KEY_MAX_DELIVERIES:
		max_deliveries_argument(&request->dead, arg);
		return 0;
	case ARGP_KEY_ARG:
		if (create->name)
			usage_error("unexpected argument '%s'; one object is made at a time",
				    arg);
		if (!name_is_plain(arg))
			usage_error("'%s' would be taken for an id; choose another name",
				    arg);
		parse_target(&target, arg);
		create->name = arg;
		return 0;
	case ARGP_KEY_END:
		if (!create->name)
			usage_error("give the NAME of what to make");
		if (create->mapped_bytes && create->kind == IPCBOX_QUEUE)
			usage_error("--pool is for mailboxes: add --kind mailbox");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp create_argp = {
	.options = options, .parser = parse, .args_doc = "NAME",
	.children = common_children,
	.doc = "Make a queue, or a mailbox. It lives until 'ipcbox rm'.\v"
	       "If NAME exists and is of the same kind, nothing is changed and the status is 0; "
	       "with --exclusive it is 9.",
};

static _Noreturn void fail_create(struct ipcbox *box,
				  const struct ipcbox_create_options *create,
				  int error)
{
	struct object_limits wanted = {
		.max_messages = create->max_messages,
		.max_bytes = create->max_bytes,
		.max_message_bytes = create->max_message_bytes,
	};

	/* The kernel cannot say which of the limits is out of range. */
	if (error == -EINVAL)
		check_object_limits(box, &wanted, 0);
	switch (-error) {
	case EEXIST:
		fail(STATUS_BUSY, error,
		     "'%s' is there already%s; remove it with 'ipcbox rm %s', or choose another name",
		     create->name,
		     create->flags & IPCBOX_CREATE_EXCLUSIVE ? "" :
		     create->mapped_bytes ? " and has no receive pool" :
		     create->kind == IPCBOX_MAILBOX ? " and is no mailbox, or has a receive pool" :
						      " and is no queue",
		     create->name);
	case EACCES:
		fail(STATUS_PERMISSION, error,
		     "'%s' is there already and is another user's; choose another name",
		     create->name);
	case EDQUOT:
		fail(STATUS_LIMIT, error,
		     "you have as many objects as one user may have; remove some, or have root raise user_objects ('ipcbox limits --help')");
	case ENOSPC:
		fail(STATUS_LIMIT, error,
		     "there are as many objects as there may be; have root raise box_objects ('ipcbox limits --help')");
	default:
		fail(status_of_error(error), error, "cannot make '%s': %s",
		     create->name,
		     ipcbox_explain(IPCBOX_OPERATION_CREATE, error));
	}
}

static void report(const struct ipcbox_stat *state, bool created)
{
	char bytes[SHORT_TEXT], message[SHORT_TEXT];
	char label[SHORT_TEXT + IPCBOX_NAME_MAX];
	json_t *object;

	if (cli.json) {
		object = json_of_object(state);
		json_object_set_new(object, "created", json_boolean(created));
		print_json(stdout, object, true);
		return;
	}
	if (cli.quiet)
		return;
	object_label(label, state);
	printf("%s (id:%llu) %s: mode %04o, holds %llu %s or %s, each of %s at most\n",
	       label, (unsigned long long)state->id,
	       created ? "made" : "was there already, and is unchanged",
	       state->mode, (unsigned long long)state->max_messages,
	       plural(state->max_messages, "message", "messages"),
	       text_size(bytes, state->max_bytes),
	       text_size(message, state->max_message_bytes));
}

int create_run(int argc, char **argv)
{
	struct create_request request = {
		.options = {
			.kind = IPCBOX_QUEUE,
			.rights = IPCBOX_RIGHT_MANAGE,
			/* A name made by a command must outlive the command. */
			.flags = IPCBOX_CREATE_PERSISTENT,
		},
	};
	struct target target = { .name = NULL };
	struct ipcbox_set changes = { .mask = 0 };
	struct ipcbox_handle *handle;
	struct ipcbox_stat state;
	struct ipcbox *box;
	bool created;
	int error;

	parse_arguments(argc, argv, &request);
	if (request.mode_given)
		umask(0);

	box = open_box();
	dead_changes(box, &request.dead, &changes);
	/* A mode of 0 is the library's default, and so is set afterwards. */
	if (request.mode_given && !request.options.mode)
		changes.mask |= IPCBOX_SET_MODE;
	error = ipcbox_create(box, &request.options, &handle);
	if (error)
		fail_create(box, &request.options, error);
	created = ipcbox_handle_created(handle);
	target.name = request.options.name;
	describe_target(&target, request.options.kind);

	if (created && changes.mask) {
		error = ipcbox_set(handle, &changes);
		if (error) {
			/* Not what was asked for: leave nothing behind. */
			ipcbox_unlink_id(box, ipcbox_handle_id(handle));
			fail_target(&target, IPCBOX_OPERATION_SET, error);
		}
	}
	handle_state(handle, &target, &state);
	report(&state, created);
	ipcbox_close(handle);
	ipcbox_box_close(box);
	return STATUS_OK;
}
