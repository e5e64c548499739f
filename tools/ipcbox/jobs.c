/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Running a command for each message, several at once where asked: what work
 * and serve have in common. Each message is held while its command runs, so
 * that it is not lost with this program: the kernel then gives it to another.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "jobs.h"
#include "reply.h"

/*
 * After a message was given back, none is taken for so long: it may be the
 * next one to come, and fail again and again.
 */
#define PAUSE	200000000

struct job {
	struct running running;
	struct ipcbox_incoming message;
};

struct jobs {
	const struct jobs_request *request;
	struct target target;
	struct ipcbox_handle *handle;
	char *buffer;
	size_t room;
	struct job *running;
	unsigned int count;	/* of them */
	bool stopping;
	bool no_sender;		/* at the last look; none may come but ours */
	uint64_t resume;	/* deadline of the pause; 0: none */

	uint64_t started;
	uint64_t done;		/* acknowledged, or replied to */
	uint64_t failed;	/* of these replies, failures; else given back */
	uint64_t withdrawn;	/* by senders that gave up meanwhile */
};

/* Takes an argument that is no option: the name, or a word of the command. */
static void jobs_argument(struct jobs_request *request, char *arg)
{
	if (!request->target.label[0])
		parse_target(&request->target, arg);
	else
		request->command[request->words++] = arg;
}

static void check_jobs(const struct jobs_request *request)
{
	if (!request->target.label[0])
		usage_error("give the NAME of a queue or mailbox (shells take an unquoted #5 for a comment: type id:5)");
	if (!request->words)
		usage_error("give the command to run: ipcbox %s NAME -- COMMAND [ARGUMENT...]",
			    cli.command->name);
	if (request->listen && !request->target.name)
		usage_error("--listen needs a name, not an id");
}

error_t jobs_option(int key, char *arg, struct jobs_request *request)
{
	switch (key) {
	case 'n':
		request->count = number_argument("--count", arg, 1, UINT64_MAX);
		return 0;
	case 'w':
		request->workers = (unsigned int)number_argument("--workers",
								 arg, 1,
								 WORKERS_MAX);
		return 0;
	case 'v':
		request->verbose = true;
		return 0;
	case ARGP_KEY_ARG:
		jobs_argument(request, arg);
		return 0;
	case ARGP_KEY_END:
		check_jobs(request);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static char *describe(const struct jobs *jobs)
{
	if (jobs->request->serve)
		return format_text("%llu %s answered, %llu of them with a failure",
				   (unsigned long long)jobs->done,
				   plural(jobs->done, "message was",
					  "messages were"),
				   (unsigned long long)jobs->failed);
	return format_text("%llu %s done, and %llu given back",
			   (unsigned long long)jobs->done,
			   plural(jobs->done, "message was", "messages were"),
			   (unsigned long long)jobs->failed);
}

/* How a command ended, in words; NULL when all was well. */
static char *how_it_failed(const struct job *job, int status)
{
	if (job->running.too_long)
		return format_text("printed more than a message may have");
	if (WIFSIGNALED(status))
		return format_text("was killed by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status))
		return format_text("failed with status %d",
				   WEXITSTATUS(status));
	return NULL;
}

static uint64_t failure_tag(const struct job *job, int status)
{
	if (job->running.too_long)
		return reply_tag(REPLY_TOO_LONG, 0);
	if (WIFSIGNALED(status))
		return reply_tag(REPLY_KILLED, (unsigned int)WTERMSIG(status));
	return reply_tag(REPLY_EXITED, (unsigned int)WEXITSTATUS(status));
}

/* The reply to a call: all that the command printed, and how it ended. */
static int reply(struct jobs *jobs, struct job *job, int status, bool failed)
{
	struct running *running = &job->running;
	uint64_t token = job->message.token;
	uint64_t tag = failed ? failure_tag(job, status) : 0;
	size_t length = running->too_long ? 0 : running->length;
	int error = ipcbox_reply(jobs->handle, token, running->text, length,
				 tag);

	if (error != -EMSGSIZE)
		return error;
	warn("the reply to process %d is too long for it: %zu bytes",
	     job->message.pid, length);
	if (!failed)
		jobs->failed++;
	return ipcbox_reply(jobs->handle, token, NULL, 0,
			    reply_tag(REPLY_TOO_LONG, 0));
}

static int give_back(struct jobs *jobs, const struct job *job)
{
	jobs->resume = ipcbox_deadline_after_ns(PAUSE);
	return ipcbox_nack(jobs->handle, job->message.token);
}

static int settle(struct jobs *jobs, struct job *job, int status, bool failed)
{
	bool call = job->message.flags & IPCBOX_INCOMING_CALL;

	if (call && jobs->request->serve)
		return reply(jobs, job, status, failed);
	if (failed)
		return give_back(jobs, job);
	if (call)
		return ipcbox_reply(jobs->handle, job->message.token, NULL, 0,
				    0);
	return ipcbox_ack(jobs->handle, job->message.token);
}

static void tell(const struct jobs *jobs, const struct job *job,
		 const char *failure, int error)
{
	bool replied = jobs->request->serve &&
		       job->message.flags & IPCBOX_INCOMING_CALL;
	const char *outcome = failure ? replied ? ", and its caller was told" :
						  ", and it was given back" : "";

	if (error == -EPIPE)
		outcome = ", and its sender waits no more";
	if (failure)
		warn("message %llu: the command %s%s",
		     (unsigned long long)job->message.sequence, failure,
		     outcome);
	else if (error == -EPIPE)
		warn("message %llu is done%s",
		     (unsigned long long)job->message.sequence, outcome);
	else if (jobs->request->verbose && !cli.json)
		fprintf(stderr, "message %llu from process %d is done\n",
			(unsigned long long)job->message.sequence,
			job->message.pid);
}

static void finish_job(struct jobs *jobs, unsigned int i)
{
	struct job *job = &jobs->running[i];
	bool call = job->message.flags & IPCBOX_INCOMING_CALL;
	int status = end_command(&job->running);
	char *failure = how_it_failed(job, status);
	int error = settle(jobs, job, status, failure);

	if (error && error != -EPIPE)
		fail_target(&jobs->target, IPCBOX_OPERATION_SETTLE, error);
	tell(jobs, job, failure, error);
	if (error)
		jobs->withdrawn++;
	else if (!failure || (call && jobs->request->serve))
		jobs->done++;
	if (failure)
		jobs->failed++;
	free(failure);
	free_command(&job->running);
	*job = jobs->running[--jobs->count];
}

static void start_job(struct jobs *jobs, const struct ipcbox_incoming *message)
{
	struct job *job = &jobs->running[jobs->count];
	bool gather = jobs->request->serve &&
		      message->flags & IPCBOX_INCOMING_CALL;
	int error = start_command(&job->running, jobs->request, message,
				  jobs->buffer, gather, jobs->room);

	if (error) {
		/* Untouched, it is for another worker. */
		ipcbox_nack(jobs->handle, message->token);
		fail(STATUS_FAILED, error, "cannot run '%s': %s; message %llu was given back",
		     jobs->request->command[0], strerror(-error),
		     (unsigned long long)message->sequence);
	}
	job->message = *message;
	jobs->count++;
	jobs->started++;
}

static void make_buffer(struct jobs *jobs, size_t size)
{
	free(jobs->buffer);
	jobs->room = size;
	jobs->buffer = allocate(size);
}

static _Noreturn void fail_wait(const struct jobs *jobs, int error)
{
	const char *label = jobs->target.label;
	char span[SHORT_TEXT];
	char *done = describe(jobs);

	if (error == -ETIMEDOUT)
		fail(STATUS_TIMEOUT, error,
		     "nothing came to %s within %s; %s", label,
		     text_duration(span, jobs->request->timeout), done);
	if (error == -EPIPE)
		fail(STATUS_PEER_GONE, error,
		     "%s is removed and empty, and no sender is left; %s",
		     label, done);
	fail_target(&jobs->target, IPCBOX_OPERATION_RECEIVE, error);
}

/* Take a message and run the command for it; waits only if none runs. */
static bool take_message(struct jobs *jobs)
{
	unsigned int flags = IPCBOX_HOLD | (jobs->count ? IPCBOX_NOWAIT : 0);
	uint64_t deadline = ipcbox_deadline_after_ns(jobs->request->timeout);
	struct ipcbox_incoming message;
	ssize_t result = ipcbox_receive(jobs->handle, jobs->buffer, jobs->room,
					&message, flags, deadline);

	jobs->no_sender = result == -EPIPE;
	if (result >= 0) {
		start_job(jobs, &message);
		return true;
	}
	switch (result) {
	case -EINTR:
		return false;
	case -EMSGSIZE:
		fail_descriptors(&jobs->target, &message);
		/* The limit was raised since the buffer was made. */
		make_buffer(jobs, message.length);
		return true;
	case -EAGAIN:
	case -EPIPE:
		if (jobs->count)
			return false;
	}
	fail_wait(jobs, (int)result);
}

/* Wait until a command ends or prints, or a message may be taken. */
static void wait_for_events(struct jobs *jobs, bool for_message)
{
	unsigned int running = jobs->count;
	struct pollfd *files = allocate((2 * running + 1) * sizeof(*files));
	unsigned int i;

	for (i = 0; i < running; i++) {
		files[2 * i] = (struct pollfd){
			.fd = jobs->running[i].running.process,
			.events = POLLIN,
		};
		files[2 * i + 1] = (struct pollfd){
			.fd = jobs->running[i].running.output,
			.events = POLLIN,
		};
	}
	files[2 * running] = (struct pollfd){
		.fd = for_message ? ipcbox_handle_fd(jobs->handle) : -1,
		.events = POLLIN,
	};
	if (poll(files, 2 * running + 1,
		 ipcbox_deadline_left_ms(jobs->resume)) > 0) {
		/* The last first: one that ends is replaced by the last. */
		for (i = running; i-- > 0;) {
			if (files[2 * i + 1].revents)
				gather_output(&jobs->running[i].running);
			if (files[2 * i].revents)
				finish_job(jobs, i);
		}
	}
	free(files);
}

/* Asked to stop: the commands are asked too, and what they had settled. */
static void stop_jobs(struct jobs *jobs)
{
	unsigned int i;

	jobs->stopping = true;
	for (i = 0; i < jobs->count; i++)
		kill(jobs->running[i].running.pid, SIGTERM);
}

static void do_jobs(struct jobs *jobs)
{
	const struct jobs_request *request = jobs->request;

	for (;;) {
		bool wanted, free_hand;

		if (interrupt_pending() && !jobs->stopping)
			stop_jobs(jobs);
		wanted = !jobs->stopping &&
			 (!request->count || jobs->started < request->count);
		if (!wanted && !jobs->count)
			return;
		if (jobs->resume && !ipcbox_deadline_left_ms(jobs->resume))
			jobs->resume = 0;
		free_hand = wanted && jobs->count < request->workers &&
			    !jobs->resume;
		if (free_hand && (take_message(jobs) || !jobs->count))
			continue;
		wait_for_events(jobs, free_hand && !jobs->no_sender);
	}
}

static int report(const struct jobs *jobs)
{
	if (cli.json)
		print_json(stdout,
			   json_pack("{s:I, s:I, s:I}",
				     "done", (json_int_t)jobs->done,
				     "failed", (json_int_t)jobs->failed,
				     "withdrawn", (json_int_t)jobs->withdrawn),
			   false);
	if (jobs->failed && !jobs->request->serve)
		fail(STATUS_FAILED, 0,
		     "the command failed for %llu of %llu %s",
		     (unsigned long long)jobs->failed,
		     (unsigned long long)jobs->started,
		     plural(jobs->started, "message", "messages"));
	return STATUS_OK;
}

static int run_jobs(const struct jobs_request *request)
{
	struct jobs jobs = { .request = request, .target = request->target };
	struct ipcbox_stat state;
	struct ipcbox *box = open_box();
	int status;

	interrupt_catch();
	jobs.handle = request->listen ? listen_mailbox(box, &jobs.target) :
		      open_target(box, &jobs.target, IPCBOX_RIGHT_RECEIVE);
	handle_state(jobs.handle, &jobs.target, &state);
	make_buffer(&jobs, (size_t)state.max_message_bytes);
	jobs.running = allocate(request->workers * sizeof(*jobs.running));

	do_jobs(&jobs);
	/* What is still held, and there is nothing, would return here. */
	ipcbox_close(jobs.handle);
	ipcbox_box_close(box);
	if (interrupt_pending())
		interrupt_die(describe(&jobs));
	status = report(&jobs);
	free(jobs.running);
	free(jobs.buffer);
	return status;
}

int jobs_run(int argc, char **argv, struct jobs_request *request)
{
	int status;

	request->command = calloc((size_t)argc + 1, sizeof(char *));
	if (!request->command)
		fail_memory();
	parse_arguments(argc, argv, request);
	status = run_jobs(request);
	free(request->command);
	return status;
}
