/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Running a command for a message. Its input is a file in memory, so that it
 * may read as little of it as it likes and never keeps this program waiting.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jobs.h"

static void set_number(const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	setenv(name, text, 1);
}

/* All of them, always: nothing is to be taken over from a command around. */
static void set_environment(const struct jobs_request *request,
			    const struct ipcbox_incoming *message)
{
	bool dead = message->dead;

	setenv("IPCBOX_OBJECT", request->target.name ? request->target.name : "",
	       1);
	set_number("IPCBOX_SEQUENCE", message->sequence);
	set_number("IPCBOX_PRIORITY", message->priority);
	set_number("IPCBOX_TAG", message->tag);
	set_number("IPCBOX_LENGTH", message->length);
	set_number("IPCBOX_PID", (uint64_t)message->pid);
	set_number("IPCBOX_UID", message->uid);
	set_number("IPCBOX_GID", message->gid);
	set_number("IPCBOX_DELIVERIES", message->deliveries);
	set_number("IPCBOX_CALL", !!(message->flags & IPCBOX_INCOMING_CALL));
	setenv("IPCBOX_DEAD", dead ? dead_reason(message->dead) : "", 1);
	set_number("IPCBOX_ORIGIN", message->origin);
	set_number("IPCBOX_ORIGIN_SEQUENCE", message->origin_sequence);
}

static int make_input(const char *payload, size_t length)
{
	int file = memfd_create("ipcbox message", MFD_CLOEXEC);
	size_t done = 0;

	while (file >= 0 && done < length) {
		ssize_t written = pwrite(file, payload + done, length - done,
					 (off_t)done);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0) {
			int error = errno;

			close(file);
			errno = error;
			return -1;
		}
		done += (size_t)written;
	}
	return file;
}

static void reset_signals(const sigset_t *mask)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action;
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		sigaction(numbers[i], NULL, &action);
		if (action.sa_handler != SIG_IGN)
			signal(numbers[i], SIG_DFL);
	}
	signal(SIGALRM, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
}

/* What became of starting it comes through @news: nothing, or an errno. */
static _Noreturn void become_command(const struct jobs_request *request,
				     const struct ipcbox_incoming *message,
				     int parent, const sigset_t *mask,
				     int input, int output, int news)
{
	int error;

	/*
	 * When this program is killed its messages go to others: no command
	 * is to go on with them then.
	 */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	set_environment(request, message);
	if (dup2(input, STDIN_FILENO) >= 0 &&
	    (output < 0 || dup2(output, STDOUT_FILENO) >= 0)) {
		reset_signals(mask);
		execvp(request->command[0], request->command);
	}
	error = errno;
	if (write(news, &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

/* The errno of a command that could not be started, or 0. */
static int read_news(int news)
{
	int error;
	ssize_t length;

	do
		length = read(news, &error, sizeof(error));
	while (length < 0 && errno == EINTR);
	return length == (ssize_t)sizeof(error) ? error : 0;
}

struct ends {
	int input;
	int output[2];
	int news[2];
};

static void close_ends(struct ends *ends)
{
	int *files = (int[]){ ends->input, ends->output[0], ends->output[1],
			      ends->news[0], ends->news[1] };
	size_t i;

	for (i = 0; i < 5; i++)
		if (files[i] >= 0)
			close(files[i]);
}

static int run(struct running *running, const struct jobs_request *request,
	       const struct ipcbox_incoming *message, struct ends *ends)
{
	int parent = getpid();
	sigset_t all, mask;
	int error;

	/* A signal between fork and exec must not be lost in our handlers. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &mask);
	fflush(NULL);
	running->pid = fork();
	if (!running->pid)
		become_command(request, message, parent, &mask, ends->input,
			       ends->output[1], ends->news[1]);
	error = errno;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	if (running->pid < 0)
		return error;
	close(ends->news[1]);
	ends->news[1] = -1;
	error = read_news(ends->news[0]);
	if (!error) {
		running->process = pidfd_open(running->pid, 0);
		if (running->process >= 0)
			return 0;
		error = errno;
		kill(running->pid, SIGKILL);
	}
	waitpid(running->pid, NULL, 0);
	return error;
}

int start_command(struct running *running, const struct jobs_request *request,
		  const struct ipcbox_incoming *message, const char *payload,
		  bool gather, size_t most)
{
	struct ends ends = {
		.input = make_input(payload, message->length),
		.output = { -1, -1 }, .news = { -1, -1 },
	};
	int error = 0;

	*running = (struct running){
		.process = -1, .output = -1, .most = most,
	};
	if (ends.input < 0 || pipe2(ends.news, O_CLOEXEC) ||
	    (gather && pipe2(ends.output, O_CLOEXEC)))
		error = errno;
	if (!error)
		error = run(running, request, message, &ends);
	if (!error && gather) {
		fcntl(ends.output[0], F_SETFL, O_NONBLOCK);
		running->output = ends.output[0];
		ends.output[0] = -1;
		running->text = allocate(most + 1);
	}
	close_ends(&ends);
	return -error;
}

static void stop_gathering(struct running *running)
{
	close(running->output);
	running->output = -1;
}

void gather_output(struct running *running)
{
	while (running->output >= 0) {
		/* One byte more than fits shows that it does not. */
		ssize_t length = read(running->output,
				      running->text + running->length,
				      running->most + 1 - running->length);

		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0 && errno == EAGAIN)
			return;
		if (length <= 0) {
			stop_gathering(running);
			return;
		}
		running->length += (size_t)length;
		if (running->length > running->most) {
			running->too_long = true;
			stop_gathering(running);
		}
	}
}

int end_command(struct running *running)
{
	int status = 0;

	while (waitpid(running->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	/* What else may hold its output open is not waited for. */
	gather_output(running);
	return status;
}

void free_command(struct running *running)
{
	if (running->output >= 0)
		close(running->output);
	close(running->process);
	free(running->text);
}
