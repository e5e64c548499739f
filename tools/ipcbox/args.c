/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * The options that every subcommand has. argp's own complaints are switched
 * off (ARGP_NO_ERRS): they take two lines and do not say what to do.
 */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum { KEY_JSON = 0x1000, KEY_HELP };

static const struct argp_option common_options[] = {
	{ "json", KEY_JSON, NULL, 0, "Print JSON, errors as well", 0 },
	{ "quiet", 'q', NULL, 0, "Print results and errors only", 0 },
	{ "help", KEY_HELP, NULL, 0, "Print this help", 0 },
	{ 0 }
};

/* How many of @argp's long options, its children's too, begin with @text. */
static size_t count_matches(const struct argp *argp, const char *text,
			    size_t length, const struct argp_option **match)
{
	const struct argp_option *option;
	const struct argp_child *child;
	size_t matches = 0;

	for (option = argp->options; option && option->name; option++) {
		if (strncmp(option->name, text, length))
			continue;
		*match = option;
		if (strlen(option->name) == length)
			return 1;
		matches++;
	}
	for (child = argp->children; child && child->argp; child++)
		matches += count_matches(child->argp, text, length, match);
	return matches;
}

/* Say which option argp could not take; it only leaves its place behind. */
static _Noreturn void report_bad_option(const struct argp_state *state)
{
	const struct argp_option *match = NULL;
	const char *word = state->argv[state->next - 1];
	const char *name;
	size_t length;

	if (word[0] != '-' && state->next < state->argc)
		word = state->argv[state->next];
	if (strncmp(word, "--", 2)) {
		if (word[0] == '-' && word[1] && !word[2] &&
		    state->next == state->argc)
			usage_error("option '%s' is unknown, or lacks its value; see 'ipcbox %s --help'",
				    word, cli.command->name);
		usage_error("unknown option in '%s'; a message that begins with '-' goes after '--'",
			    word);
	}

	name = word + 2;
	length = strcspn(name, "=");
	switch (count_matches(state->root_argp, name, length, &match)) {
	case 0:
		usage_error("unknown option '--%.*s'; see 'ipcbox %s --help'",
			    (int)length, name, cli.command->name);
	case 1:
		if (match->arg)
			usage_error("option '--%s' needs a value: --%s %s",
				    match->name, match->name, match->arg);
		usage_error("option '--%s' takes no value", match->name);
	default:
		usage_error("option '--%.*s' may mean several; type it out",
			    (int)length, name);
	}
}

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	switch (key) {
	case KEY_JSON:
		cli.json = true;
		return 0;
	case 'q':
		cli.quiet = true;
		return 0;
	case KEY_HELP:
		print_command_help(cli.command, stdout);
		finish_output();
		exit(STATUS_OK);
	case ARGP_KEY_ERROR:
		report_bad_option(state);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp common_argp = {
	.options = common_options, .parser = parse_common,
};

const struct argp_child common_children[] = {
	{ &common_argp, 0, "Options of every command:", 100 },
	{ 0 }
};

void parse_arguments(int argc, char **argv, void *input)
{
	argp_parse(cli.command->argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_HELP,
		   NULL, input);
}

void parse_in_order(int argc, char **argv, void *input)
{
	argp_parse(cli.command->argp, argc, argv,
		   ARGP_NO_ERRS | ARGP_NO_HELP | ARGP_IN_ORDER, NULL, input);
}

void print_command_help(const struct command *command, FILE *stream)
{
	char *name = format_text("ipcbox %s", command->name);

	argp_help(command->argp, stream,
		  ARGP_HELP_SHORT_USAGE | ARGP_HELP_DOC | ARGP_HELP_LONG, name);
	free(name);
}
