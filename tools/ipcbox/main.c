/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * ipcbox: mailboxes and queues of the kernel, from the shell.
 */
#include <string.h>

#include "cli.h"

static int help_run(int argc, char **argv);

static const struct command commands[] = {
	{ "create", "NAME", "make a queue or a mailbox",
	  &create_argp, create_run },
	{ "send", "NAME [MESSAGE...]", "send arguments, lines of input or files",
	  &send_argp, send_run },
	{ "recv", "NAME", "receive messages or files",
	  &recv_argp, recv_run },
	{ "peek", "NAME", "look at messages without taking them",
	  &peek_argp, peek_run },
	{ "work", "NAME -- COMMAND...", "run a command for each message",
	  &work_argp, work_run },
	{ "call", "NAME [MESSAGE]", "send a request and print its reply",
	  &call_argp, call_run },
	{ "serve", "NAME -- COMMAND...", "have a command reply to each request",
	  &serve_argp, serve_run },
	{ "pipe", "[into|from NAME]", "join pipelines by a stream of bytes",
	  &pipe_argp, pipe_run },
	{ "run", "-- PROGRAM...", "keep a program's POSIX and System V queues",
	  &run_argp, run_run },
	{ "region", "ACTION NAME", "make and use shared memory and semaphores",
	  &region_argp, region_run },
	{ "channel", "send|recv NAME [FILE]", "pass a file through memory",
	  &channel_argp, channel_run },
	{ "ls", "", "list the objects that you may see",
	  &ls_argp, ls_run },
	{ "stat", "NAME", "show all about one object",
	  &stat_argp, stat_run },
	{ "watch", "", "show the objects and their traffic, again and again",
	  &watch_argp, watch_run },
	{ "set", "NAME", "change an object",
	  &set_argp, set_run },
	{ "dlq", "NAME", "show dead letters, or send them again",
	  &dlq_argp, dlq_run },
	{ "rm", "NAME...", "remove objects",
	  &rm_argp, rm_run },
	{ "limits", "", "show the limits in force, or change them",
	  &limits_argp, limits_run },
	{ "doctor", "", "find out why ipcbox does not work here",
	  &doctor_argp, doctor_run },
	{ "help", "[COMMAND]", "explain a command",
	  NULL, help_run },
};

#define COMMANDS	(sizeof(commands) / sizeof(commands[0]))

struct cli cli;

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static void print_help(void)
{
	size_t i;

	printf("Usage: ipcbox COMMAND [ARGUMENT...]\n"
	       "Mailboxes and message queues kept by the kernel.\n"
	       "\n");
	for (i = 0; i < COMMANDS; i++) {
		char call[64];

		snprintf(call, sizeof(call), "%s %s", commands[i].name,
			 commands[i].synopsis);
		printf("  %-25s %s\n", call, commands[i].summary);
	}
	printf("\n"
	       "Every command takes --help, --json and --quiet. NAME may also be an id,\n"
	       "typed id:5 or '#5'.\n"
	       "\n"
	       "  ipcbox create jobs             make a queue\n"
	       "  ipcbox send jobs 'first job'   put a message into it\n"
	       "  ipcbox recv jobs               take it out\n"
	       "\n"
	       "If something does not work: ipcbox doctor\n");
}

static int help_run(int argc, char **argv)
{
	const struct command *command;

	if (argc > 2)
		usage_error("give one command");
	if (argc == 1 || !strcmp(argv[1], "--help")) {
		print_help();
		return STATUS_OK;
	}
	command = find_command(argv[1]);
	if (!command || !command->argp)
		usage_error("there is no command '%s'; 'ipcbox help' lists them",
			    argv[1]);
	print_command_help(command, stdout);
	return STATUS_OK;
}

/*
 * Errors are to be JSON from the first one on, that of a bad option too, so
 * this option is looked for before the others are parsed.
 */
static bool wants_json(int argc, char **argv)
{
	int i;

	for (i = 2; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--json"))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	int status;

	if (argc < 2)
		usage_error("say what to do; 'ipcbox help' lists the commands");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-?") ||
	    !strcmp(argv[1], "-h")) {
		print_help();
		finish_output();
		return STATUS_OK;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("ipcbox %s (libipcbox %s)\n", VERSION, ipcbox_version());
		finish_output();
		return STATUS_OK;
	}

	cli.json = wants_json(argc, argv);
	cli.command = find_command(argv[1]);
	if (!cli.command)
		usage_error("there is no command '%s'; 'ipcbox help' lists them",
			    argv[1]);
	status = cli.command->run(argc - 1, argv + 1);
	finish_output();
	return status;
}
