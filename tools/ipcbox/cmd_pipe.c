/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * ipcbox pipe: an end of a stream, or a stream between input and output. It is
 * to a stream what cat(1) is to a FIFO: it waits for the other side, ends with
 * its input, and by SIGPIPE when nobody reads its output any more.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"

/* What is moved by one system call. */
#define CHUNK	(256U << 10)

enum way { WAY_THROUGH, WAY_INTO, WAY_FROM };

struct pipe_request {
	enum way way;
	bool way_given;
	struct target target;
	struct ipcbox_create_options create;
	bool mode_given;
	int64_t timeout;	/* negative: none */
	bool verbose;
};

/* Bytes on their way from one descriptor to another. */
struct flow {
	struct ipcbox *box;
	int input;
	int output;
	FILE *report;		/* where the summary goes */
	pid_t reader;		/* the process that reads the output, or 0 */
	uint64_t bytes;
	double began;
	bool budget_noted;
};

static const struct argp_option options[] = {
	{ "buffer", 'b', "SIZE", 0,
	  "If the stream is made: hold at most SIZE bytes: 64K, 64M. Default: 8M, or the module's limit",
	  0 },
	{ "mode", 'm', "MODE", 0,
	  "If the stream is made: permissions in octal, exactly so: r reads, w writes. Default: 0600, less the umask",
	  0 },
	{ "timeout", 't', "DURATION", 0,
	  "Wait at most so long for the other side, a reader or the first byte: 500ms, 2s. Default: without end",
	  0 },
	{ "verbose", 'v', NULL, 0,
	  "Say how much went through, and on a terminal how it goes", 0 },
	{ 0 }
};

static void check_request(const struct pipe_request *request)
{
	bool makes = request->create.max_bytes || request->mode_given;

	if (request->way_given && !request->target.label[0])
		usage_error("give the NAME of the stream: ipcbox pipe %s NAME",
			    request->way == WAY_INTO ? "into" : "from");
	if (!request->way_given && request->timeout >= 0)
		usage_error("--timeout is of waiting for the other side: it goes with 'into' or 'from'");
	if (!request->way_given && request->mode_given)
		usage_error("--mode is of a stream with a name: it goes with 'into' or 'from'");
	if (request->way_given && !request->target.name && makes)
		usage_error("--buffer and --mode are of a stream that is made: give a name, not an id");
}

static void parse_argument(struct pipe_request *request, char *arg)
{
	if (request->way_given) {
		if (request->target.label[0])
			usage_error("unexpected argument '%s'; a stream is one",
				    arg);
		parse_target(&request->target, arg);
		return;
	}
	if (!strcmp(arg, "into"))
		request->way = WAY_INTO;
	else if (!strcmp(arg, "from"))
		request->way = WAY_FROM;
	else
		usage_error("say which end this is: '... | ipcbox pipe into %s' writes, 'ipcbox pipe from %s | ...' reads",
			    arg, arg);
	request->way_given = true;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct pipe_request *request = state->input;

	switch (key) {
	case 'b':
		request->create.max_bytes = positive_size("--buffer", arg);
		if (request->create.max_bytes < PIPE_BUF)
			usage_error("--buffer must be at least %u", PIPE_BUF);
		return 0;
	case 'm':
		if (!parse_mode(arg, &request->create.mode))
			usage_error("--mode '%s' is not an octal mode of r and w bits, like 0622",
				    arg);
		request->mode_given = true;
		return 0;
	case 't':
		request->timeout = duration_argument("--timeout", arg);
		return 0;
	case 'v':
		request->verbose = true;
		return 0;
	case ARGP_KEY_ARG:
		parse_argument(request, arg);
		return 0;
	case ARGP_KEY_END:
		check_request(request);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp pipe_argp = {
	.options = options, .parser = parse,
	.args_doc = "into NAME\nfrom NAME\n", .children = common_children,
	.doc = "Write standard input into the stream NAME; write what is in the stream NAME to "
	       "standard output; or, without NAME, be a buffer between the two.\v"
	       "Whichever side comes first makes the stream and waits for the other; it is removed "
	       "when both are done. Several may write, and several read: each byte goes to one of "
	       "them. Examples:\n\n"
	       "  tar c directory | ipcbox pipe into backup\n"
	       "  ipcbox pipe from backup | tar x\n"
	       "  produce | ipcbox pipe --buffer 64M | consume",
};

static char *went_through(const struct flow *flow)
{
	char size[SHORT_TEXT];

	return format_text("%s went through", text_size(size, flow->bytes));
}

/* As SIGPIPE would end it, which says nothing; unless that is ignored. */
static _Noreturn void end_without_reader(const struct flow *flow)
{
	int status;

	progress_end();
	raise(SIGPIPE);
	/* That process has said why it ended. */
	if (flow->reader && waitpid(flow->reader, &status, 0) >= 0 &&
	    WIFEXITED(status) && WEXITSTATUS(status))
		exit(WEXITSTATUS(status));
	fail(STATUS_PEER_GONE, EPIPE, "nobody reads the output any more; %s",
	     went_through(flow));
}

/*
 * Wait for input; and for the reader of the output to go, which need not be
 * found out by a byte that is lost with it.
 */
static void await_input(const struct flow *flow, int64_t timeout)
{
	uint64_t deadline = ipcbox_deadline_after_ns(timeout);
	struct pollfd files[] = {
		{ .fd = flow->input, .events = POLLIN },
		{ .fd = flow->output, .events = 0 },
	};
	char span[SHORT_TEXT];
	int ready;

	do {
		ready = poll(files, 2, ipcbox_deadline_left_ms(deadline));
		if (ready > 0 && files[1].revents & (POLLERR | POLLHUP))
			end_without_reader(flow);
	} while (ready < 0 && errno == EINTR);
	if (!ready)
		fail(STATUS_TIMEOUT, ETIMEDOUT,
		     "nobody wrote anything within %s",
		     text_duration(span, timeout));
}

/* Returns when it is to be tried again. */
static void handle_failure(struct flow *flow, size_t length)
{
	struct pollfd output = { .fd = flow->output, .events = POLLOUT };
	int error = errno;

	switch (error) {
	case EINTR:
		return;
	case EAGAIN:
		/* Another made it so that shares it. */
		poll(&output, 1, -1);
		return;
	case EPIPE:
		end_without_reader(flow);
	case EDQUOT:
		if (length > PIPE_BUF)
			length = PIPE_BUF;
		if (wait_for_budget(flow->box, length, IPCBOX_FOREVER,
				    &flow->budget_noted))
			return;
		fail(STATUS_LIMIT, error,
		     "your budget of messages in flight is used up: receive some, or have root raise user_bytes ('ipcbox limits'); %s",
		     went_through(flow));
	}
	fail(STATUS_FAILED, error, "cannot write the output: %s; %s",
	     strerror(error), went_through(flow));
}

static void write_all(struct flow *flow, const char *data, size_t length)
{
	while (length) {
		/* Small pieces find room where large ones do not. */
		size_t part = flow->budget_noted && length > PIPE_BUF ?
			      PIPE_BUF : length;
		ssize_t written = write(flow->output, data, part);

		if (written < 0) {
			handle_failure(flow, part);
			continue;
		}
		flow->bytes += (uint64_t)written;
		data += written;
		length -= (size_t)written;
		progress_update(flow->bytes);
	}
}

/* All that comes, to the end of the input. */
static void copy(struct flow *flow)
{
	char *buffer = allocate(CHUNK);
	ssize_t length;

	do {
		await_input(flow, -1);
		length = read(flow->input, buffer, CHUNK);
		if (length > 0)
			write_all(flow, buffer, (size_t)length);
		else if (length < 0 && errno != EINTR && errno != EAGAIN)
			fail(STATUS_FAILED, errno,
			     "cannot read the input: %s; %s", strerror(errno),
			     went_through(flow));
	} while (length);
	free(buffer);
}

static void begin(struct flow *flow, const struct pipe_request *request)
{
	struct stat status;
	bool known = !fstat(flow->input, &status) && S_ISREG(status.st_mode);

	flow->began = now_seconds();
	if (request->verbose)
		progress_begin(request->way_given ? request->target.label :
						    "buffer",
			       known ? (uint64_t)status.st_size : 0);
}

static void report(const struct flow *flow, const struct pipe_request *request)
{
	double seconds = now_seconds() - flow->began;
	double rate = seconds > 0 ? (double)flow->bytes / seconds : 0;
	char size[SHORT_TEXT], speed[SHORT_TEXT], span[SHORT_TEXT];

	progress_end();
	if (cli.json)
		print_json(flow->report,
			   json_pack("{s:I, s:f, s:f}",
				     "bytes", (json_int_t)flow->bytes,
				     "seconds", seconds,
				     "bytes_per_second", rate), false);
	else if (request->verbose && !cli.quiet)
		fprintf(stderr, "%s went through in %s, %s\n",
			text_size(size, flow->bytes),
			text_duration(span, (int64_t)(seconds * 1e9)),
			text_rate(speed, rate));
}

static _Noreturn void fail_create(const struct pipe_request *request,
				  int error)
{
	if (error == -EEXIST)
		fail(STATUS_BUSY, error,
		     "'%s' is there already and is no stream; choose another name, or remove it with 'ipcbox rm %s'",
		     request->target.name, request->target.name);
	fail_target(&request->target, IPCBOX_OPERATION_CREATE, error);
}

/* Room for the bytes, though they come in small pieces. */
static uint64_t pieces(struct ipcbox *box, uint64_t bytes)
{
	struct ipcbox_info info;
	char most[SHORT_TEXT];
	uint64_t count;
	int error = ipcbox_info(box, &info);

	if (error)
		fail_box(error);
	if (bytes > info.object_bytes_max)
		fail(STATUS_LIMIT, EINVAL,
		     "--buffer may be %s at most; 'ipcbox limits' shows the limits",
		     text_size(most, info.object_bytes_max));
	count = (bytes ? bytes : info.object_bytes) / PIPE_BUF;
	if (count < info.object_messages)
		count = info.object_messages;
	return count < info.object_messages_max ? count :
						  info.object_messages_max;
}

/* The stream, made if it is missing; and if it is given by its id, checked. */
static struct ipcbox_handle *open_stream(struct ipcbox *box,
					 struct pipe_request *request,
					 unsigned int rights)
{
	struct ipcbox_create_options *create = &request->create;
	struct target *target = &request->target;
	struct ipcbox_handle *handle;
	struct ipcbox_stat state;
	int error;

	if (request->way_given && !target->name) {
		handle = open_target(box, target, rights);
		handle_state(handle, target, &state);
		if (!(state.state & IPCBOX_STATE_STREAM))
			fail(STATUS_FAILED, 0,
			     "%s is no stream: use 'ipcbox send' and 'ipcbox recv'",
			     target->label);
		return handle;
	}
	create->name = target->name;
	create->kind = IPCBOX_QUEUE;
	create->rights = rights;
	create->flags = IPCBOX_CREATE_STREAM;
	create->max_messages = pieces(box, create->max_bytes);
	error = ipcbox_create(box, create, &handle);
	if (error)
		fail_create(request, error);
	return handle;
}

/*
 * A write would be accepted before anyone reads, and be lost if nobody ever
 * does. The coming of a reader is an edge of EPOLLOUT.
 */
static void await_reader(struct ipcbox_handle *handle,
			 const struct pipe_request *request)
{
	struct epoll_event event = { .events = EPOLLOUT | EPOLLET };
	uint64_t deadline = ipcbox_deadline_after_ns(request->timeout);
	const char *label = request->target.label;
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct ipcbox_stat state;
	char span[SHORT_TEXT];
	int ready = 1;

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD,
				   ipcbox_handle_fd(handle), &event))
		fail(STATUS_FAILED, errno, "cannot wait: %s", strerror(errno));
	for (;;) {
		handle_state(handle, &request->target, &state);
		if (state.receive_handles)
			break;
		if (state.state & IPCBOX_STATE_UNLINKED)
			fail(STATUS_PEER_GONE, EPIPE,
			     "%s was removed before anyone read from it",
			     label);
		if (!ready)
			fail(STATUS_TIMEOUT, ETIMEDOUT,
			     "nobody came to read from %s within %s", label,
			     text_duration(span, request->timeout));
		ready = epoll_wait(epoll, &event, 1,
				   ipcbox_deadline_left_ms(deadline));
	}
	close(epoll);
}

static void write_into(struct ipcbox *box, struct pipe_request *request)
{
	struct flow flow = {
		.box = box, .input = STDIN_FILENO, .report = stdout,
	};
	struct ipcbox_handle *handle = open_stream(box, request,
						   IPCBOX_RIGHT_SEND);

	flow.output = ipcbox_handle_fd(handle);
	await_reader(handle, request);
	if (isatty(STDIN_FILENO) && !cli.quiet && !cli.json)
		fprintf(stderr, "what you type is written, line by line; Ctrl-D ends\n");
	begin(&flow, request);
	copy(&flow);
	ipcbox_close(handle);
	report(&flow, request);
}

static void read_from(struct ipcbox *box, struct pipe_request *request)
{
	struct flow flow = {
		.box = box, .output = STDOUT_FILENO, .report = stderr,
	};
	struct ipcbox_handle *handle = open_stream(box, request,
						   IPCBOX_RIGHT_RECEIVE);

	flow.input = ipcbox_handle_fd(handle);
	await_input(&flow, request->timeout);
	begin(&flow, request);
	copy(&flow);
	/*
	 * Who comes to write now must not take this reader, which is about to
	 * leave, for his: the name goes first, if it is ours. Who was faster
	 * has a reader.
	 */
	ipcbox_unlink_id(box, ipcbox_handle_id(handle));
	copy(&flow);
	ipcbox_close(handle);
	report(&flow, request);
}

/* In a process of its own, so that neither end waits for the other. */
static pid_t fork_reader(struct ipcbox *box, struct ipcbox_handle *receiver,
			 struct ipcbox_handle *sender)
{
	struct flow flow = {
		.box = box, .input = ipcbox_handle_fd(receiver),
		.output = STDOUT_FILENO,
	};
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		fail(STATUS_FAILED, errno, "cannot fork: %s", strerror(errno));
	if (pid)
		return pid;
	ipcbox_close(sender);
	close(STDIN_FILENO);
	copy(&flow);
	_exit(STATUS_OK);
}

static void pass_through(struct ipcbox *box, struct pipe_request *request)
{
	struct flow flow = {
		.box = box, .input = STDIN_FILENO, .report = stderr,
	};
	struct ipcbox_handle *sender = open_stream(box, request,
						   IPCBOX_RIGHT_SEND);
	struct ipcbox_handle *receiver;
	int status;
	int error = ipcbox_open_id(box, ipcbox_handle_id(sender),
				   IPCBOX_RIGHT_RECEIVE, 0, &receiver);

	if (error)
		fail_target(&request->target, IPCBOX_OPERATION_OPEN, error);
	flow.reader = fork_reader(box, receiver, sender);
	ipcbox_close(receiver);
	flow.output = ipcbox_handle_fd(sender);
	begin(&flow, request);
	copy(&flow);
	ipcbox_close(sender);
	while (waitpid(flow.reader, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFSIGNALED(status))
		raise(WTERMSIG(status));
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		exit(WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_FAILED);
	report(&flow, request);
}

int pipe_run(int argc, char **argv)
{
	struct pipe_request request = { .timeout = -1 };
	struct ipcbox *box;

	parse_arguments(argc, argv, &request);
	if (request.mode_given)
		umask(0);
	if (request.target.name)
		snprintf(request.target.label, sizeof(request.target.label),
			 "stream '%s'", request.target.name);
	box = open_box();
	switch (request.way) {
	case WAY_INTO:
		write_into(box, &request);
		break;
	case WAY_FROM:
		read_from(box, &request);
		break;
	case WAY_THROUGH:
		pass_through(box, &request);
	}
	ipcbox_box_close(box);
	return STATUS_OK;
}
