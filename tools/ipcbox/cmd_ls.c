/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#include <stdlib.h>

#include "cli.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
	(void)state;
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	usage_error("unexpected argument '%s'; 'ipcbox stat %s' shows one object",
		    arg, arg);
}

const struct argp ls_argp = {
	.parser = parse, .args_doc = "", .children = common_children,
	.doc = "List the objects of this network namespace on which you could get a right.\v"
	       "MODE is in octal: 4 receives and 2 sends, for owner, group and others. "
	       "SENDERS and RECEIVERS are open handles; in brackets, how many wait. "
	       "HELD messages are received and not yet settled. "
	       "An object that is not KEPT goes with its last handle. DEAD LETTERS says where "
	       "messages go that expire or are given back too often.",
};

static const char *const headings[] = {
	">ID", "NAME", "KIND", "OWNER", "MODE", ">MESSAGES", ">BYTES",
	">HELD", "SENDERS", "RECEIVERS", "KEPT", "DEAD LETTERS",
};

static char *ends(unsigned int handles, unsigned int waiting)
{
	if (waiting)
		return format_text("%u (%u waiting)", handles, waiting);
	return format_text("%u", handles);
}

static void add_row(struct table *table, const struct ipcbox_stat *objects,
		    size_t count, size_t row)
{
	const struct ipcbox_stat *state = &objects[row];
	char text[SHORT_TEXT], limit[SHORT_TEXT];

	table_cell(table, format_text("%llu", (unsigned long long)state->id));
	table_cell(table, format_text("%s", state->name_length ?
				      (const char *)state->name : "-"));
	table_cell(table, format_text("%s", object_kind(state)));
	table_cell(table, format_text("%s", text_user(text, state->uid)));
	table_cell(table, format_text("%04o", state->mode));
	if (state->max_messages) {
		table_cell(table,
			   format_text("%llu of %llu",
				       (unsigned long long)state->messages,
				       (unsigned long long)state->max_messages));
		table_cell(table,
			   format_text("%s of %s",
				       text_size(text, state->bytes),
				       text_size(limit, state->max_bytes)));
	} else {
		/* It has memory, which is mapped, in place of messages. */
		table_cell(table, format_text("-"));
		table_cell(table, format_text("%s",
					      text_size(text,
							state->mapped_bytes)));
	}
	table_cell(table, format_text("%llu", (unsigned long long)state->held));
	table_cell(table, ends(state->send_handles, state->senders_waiting));
	table_cell(table, ends(state->receive_handles,
			       state->receivers_waiting));
	table_cell(table, format_text("%s", state->state &
				      IPCBOX_STATE_PERSISTENT ? "yes" : "no"));
	table_cell(table, state->dead_letter ?
		   object_name(objects, count, state->dead_letter) :
		   format_text("-"));
}

int ls_run(int argc, char **argv)
{
	struct ipcbox_stat *objects;
	struct ipcbox *box;
	size_t count, i;

	parse_arguments(argc, argv, NULL);
	box = open_box();
	objects = list_objects(box, &count);

	if (cli.json) {
		json_t *list = json_array();

		for (i = 0; i < count; i++)
			json_array_append_new(list, json_of_object(&objects[i]));
		print_json(stdout, json_pack("{s:o}", "objects", list), true);
	} else if (count) {
		struct table *table = table_new(headings, sizeof(headings) /
							  sizeof(headings[0]));

		for (i = 0; i < count; i++)
			add_row(table, objects, count, i);
		table_print(table, stdout);
		table_free(table);
	} else if (!cli.quiet) {
		fprintf(stderr, "there are no objects; 'ipcbox create NAME' makes one\n");
	}
	free(objects);
	ipcbox_box_close(box);
	return STATUS_OK;
}
