/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#include <stdlib.h>

#include "cli.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct target *target = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (target->label[0])
			usage_error("unexpected argument '%s'; one object is shown at a time",
				    arg);
		parse_target(target, arg);
		return 0;
	case ARGP_KEY_END:
		if (!target->label[0])
			usage_error("give the NAME of an object (shells take an unquoted #5 for a comment: type id:5)");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp stat_argp = {
	.parser = parse, .args_doc = "NAME", .children = common_children,
	.doc = "Show all about one object: its limits, what is in it, what went through it, "
	       "who has it open and who waits.",
};

static void print_count(const char *what, uint64_t count, const char *meaning)
{
	printf("  %-15s  %llu %s%s%s\n", what, (unsigned long long)count,
	       plural(count, "message", "messages"), *meaning ? ", " : "",
	       meaning);
}

/* @dead is the object of the dead letters, if it can be seen. */
static void print_dead(const struct ipcbox_stat *state,
		       const struct ipcbox_stat *dead)
{
	char label[SHORT_TEXT + IPCBOX_NAME_MAX];

	if (dead) {
		object_label(label, dead);
		printf("  dead letters     to %s\n", label);
	} else if (state->dead_letter) {
		printf("  dead letters     to #%llu\n",
		       (unsigned long long)state->dead_letter);
	} else {
		printf("  dead letters     are only counted\n");
	}
	if (state->max_deliveries)
		printf("  deliveries       %u at most\n", state->max_deliveries);
	else
		printf("  deliveries       without end\n");
	if (state->max_descriptors)
		printf("  descriptors      %u a message at most\n",
		       state->max_descriptors);
}

static void print_mapped(const struct ipcbox_stat *state)
{
	char size[SHORT_TEXT];

	printf("  memory           %s%s\n", text_size(size, state->mapped_bytes),
	       state->state & IPCBOX_STATE_SEALED ? ", sealed" : "");
	printf("  mappings         %u\n", state->mappings);
	if (state->semaphores)
		printf("  semaphores       %u\n", state->semaphores);
}

static void print_user(const struct object_user *user, void *context)
{
	(void)context;
	printf("  used by          process %d (%s)", user->pid, user->command);
	if (user->handles)
		printf(", %u %s (%s)", user->handles,
		       plural(user->handles, "descriptor", "descriptors"),
		       user->rights);
	if (user->mappings)
		printf(", %u %s", user->mappings,
		       plural(user->mappings, "mapping", "mappings"));
	putchar('\n');
}

static void print_messages(const struct ipcbox_stat *state,
			   const struct ipcbox_stat *dead)
{
	char a[SHORT_TEXT], b[SHORT_TEXT], c[SHORT_TEXT];

	printf("  messages         %llu of %llu (at most %llu so far)\n",
	       (unsigned long long)state->messages,
	       (unsigned long long)state->max_messages,
	       (unsigned long long)state->messages_peak);
	printf("  bytes            %s of %s (at most %s so far)\n",
	       text_size(a, state->bytes), text_size(b, state->max_bytes),
	       text_size(c, state->bytes_peak));
	printf("  largest message  %s\n",
	       text_size(a, state->max_message_bytes));
	if (state->state & IPCBOX_STATE_POOL)
		printf("  receive pool     %s, %s\n",
		       text_size(a, state->mapped_bytes),
		       state->mappings ? "mapped by its receiver" :
					 "not mapped");
	printf("  sent             %llu %s, %s\n",
	       (unsigned long long)state->sent,
	       plural(state->sent, "message", "messages"),
	       text_size(a, state->bytes_sent));
	printf("  received         %llu %s, %s\n",
	       (unsigned long long)state->received,
	       plural(state->received, "message", "messages"),
	       text_size(a, state->bytes_received));
	print_count("refused", state->refused, "");
	print_count("held", state->held, "received and not yet settled");
	print_count("withdrawn", state->withdrawn, "by senders that gave up");
	print_count("expired", state->expired, "whose lifetime ended");
	print_count("exhausted", state->exhausted, "given back too often");
	print_count("buried", state->buried, "of these two, became dead letters");
	print_dead(state, dead);
}

static void print_state(const struct ipcbox_stat *state,
			const struct ipcbox_stat *dead)
{
	char a[SHORT_TEXT], b[SHORT_TEXT];
	char label[SHORT_TEXT + IPCBOX_NAME_MAX];

	object_label(label, state);
	printf("%s\n", label);
	printf("  id               %llu\n", (unsigned long long)state->id);
	printf("  owner            %s, group %s, mode %04o\n",
	       text_user(a, state->uid), text_group(b, state->gid),
	       state->mode);
	printf("  lives            %s\n",
	       state->state & IPCBOX_STATE_UNLINKED ?
	       "until its last handle is closed (it was removed)" :
	       state->state & IPCBOX_STATE_PERSISTENT ?
	       "until it is removed" : "until its last handle is closed");
	if (state->max_messages)
		print_messages(state, dead);
	if (state->mapped_bytes || state->semaphores)
		print_mapped(state);
	printf("  open handles     %u: %u may send, %u may receive\n",
	       state->handles, state->send_handles, state->receive_handles);
	printf("  waiting          %u %s, %u %s\n", state->senders_waiting,
	       plural(state->senders_waiting, "sender", "senders"),
	       state->receivers_waiting,
	       plural(state->receivers_waiting, "receiver", "receivers"));
	each_user(state->id, print_user, NULL);
}

int stat_run(int argc, char **argv)
{
	struct target target = { .name = NULL };
	struct ipcbox_stat state;
	struct ipcbox_stat *objects;
	struct ipcbox *box;
	size_t count;

	parse_arguments(argc, argv, &target);
	box = open_box();
	find_target(box, &target, &state);
	if (cli.json) {
		print_json(stdout, json_of_object(&state), true);
	} else {
		objects = list_objects(box, &count);
		print_state(&state, find_object(objects, count,
						state.dead_letter));
		free(objects);
	}
	ipcbox_box_close(box);
	return STATUS_OK;
}
