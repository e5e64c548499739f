/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * SIGINT, SIGTERM and SIGHUP let a command say how far it came.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"

static volatile sig_atomic_t pending;

/*
 * A signal may arrive after the command has looked for one and before it
 * waits in the kernel, where nothing would end the waiting. So the handler
 * asks for a further signal, and that for another, until the program ends.
 */
static void wake_again(int signal_number)
{
	(void)signal_number;
	alarm(1);
}

static void note_signal(int signal_number)
{
	if (pending) {
		/* Asked twice: the user is out of patience. */
		signal(signal_number, SIG_DFL);
		raise(signal_number);
		return;
	}
	pending = signal_number;
	alarm(1);
}

void interrupt_catch(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = note_signal };
	struct sigaction old;
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		/* What nohup(1) and shells had us ignore stays ignored. */
		sigaction(numbers[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
	}
	action.sa_handler = wake_again;
	sigaction(SIGALRM, &action, NULL);
}

int interrupt_pending(void)
{
	return pending;
}

/* End as the signal would have ended us, so that shells see why. */
void interrupt_die(const char *done)
{
	int signal_number = pending;

	fflush(stdout);
	if (done)
		report_error(128 + signal_number, EINTR, "interrupted: %s",
			     done);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
	exit(128 + signal_number);
}
