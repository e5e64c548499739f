/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef IPCBOX_JOBS_H
#define IPCBOX_JOBS_H

#include "cli.h"

/* More commands at once than this help nobody. */
#define WORKERS_MAX	256

struct jobs_request {
	struct target target;
	char **command;		/* ends with NULL */
	size_t words;
	uint64_t count;		/* of messages; 0: without end */
	unsigned int workers;
	int64_t timeout;	/* of each wait for a message; negative: none */
	bool listen;
	bool verbose;
	bool serve;		/* replies are what the command prints */
};

/* Takes the options and arguments that work and serve have in common. */
error_t jobs_option(int key, char *arg, struct jobs_request *request);

/* Reads the arguments and runs the command for messages as they come. */
int jobs_run(int argc, char **argv, struct jobs_request *request);

/* command.c: a command that runs */
struct running {
	int pid;
	int process;	/* a pidfd, which is readable when it has ended */
	int output;	/* what it prints; -1: goes where ours goes, or all read */
	char *text;
	size_t length;
	size_t most;
	bool too_long;
};

/*
 * Runs @request's command with @payload as its input; its output is gathered
 * into @most bytes at most if @gather. Returns 0, or a negative errno.
 */
int start_command(struct running *running, const struct jobs_request *request,
		  const struct ipcbox_incoming *message, const char *payload,
		  bool gather, size_t most);
/* Reads what is there of the output, without waiting. */
void gather_output(struct running *running);
/* After it has ended: returns the status as waitpid(2) has it. */
int end_command(struct running *running);
void free_command(struct running *running);

#endif
