/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A file through a channel: in pieces, one message each, and an empty one for its
 * end, so that a sender that dies on the way is not taken for one that is done.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

enum { KEY_SIZE = 0x100, KEY_MODE };

struct channel_request {
	struct target target;
	const char *path;
	bool action_given;
	bool sends;
	uint64_t bytes;
	unsigned int mode;
};

/* What was moved. */
struct channel_count {
	uint64_t bytes;
	uint64_t messages;
};

static const struct argp_option options[] = {
	{ "size", KEY_SIZE, "SIZE", 0,
	  "Make the ring of this size, a power of two. Default: 256K", 0 },
	{ "mode", KEY_MODE, "MODE", 0,
	  "Make it with these permissions, in octal. Default: 600", 0 },
	{ 0 }
};

static error_t parse_word(struct channel_request *request, char *arg)
{
	if (!request->action_given) {
		if (strcmp(arg, "send") && strcmp(arg, "recv"))
			usage_error("say 'channel send' or 'channel recv', not '%s'",
				    arg);
		request->action_given = true;
		request->sends = !strcmp(arg, "send");
	} else if (!request->target.label[0]) {
		parse_target(&request->target, arg);
		if (!request->target.name)
			usage_error("a channel is opened by its name here, not by an id");
	} else if (!request->path) {
		request->path = arg;
	} else {
		usage_error("unexpected argument '%s'; one file goes through at a time",
			    arg);
	}
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct channel_request *request = state->input;

	switch (key) {
	case KEY_SIZE:
		request->bytes = positive_size("--size", arg);
		return 0;
	case KEY_MODE:
		if (!parse_mode(arg, &request->mode))
			usage_error("--mode '%s' is not octal permissions, as in 0640",
				    arg);
		return 0;
	case ARGP_KEY_ARG:
		return parse_word(request, arg);
	case ARGP_KEY_END:
		if (!request->target.label[0])
			usage_error("give 'send' or 'recv' and the NAME of a channel");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp channel_argp = {
	.options = options, .parser = parse, .args_doc = "send|recv NAME [FILE]",
	.children = common_children,
	.doc = "Pass a file from one process to another through memory that both map, without "
	       "a system call for each message.\v"
	       "Without FILE, or with -, it is standard input or output. Whoever comes first "
	       "makes the channel and waits for the other; it goes with them. The status is 8 "
	       "if the other ends too early. Example:\n\n"
	       "  ipcbox channel recv pictures all.tar &\n"
	       "  tar c *.png | ipcbox channel send pictures",
};

static _Noreturn void fail_channel(const struct channel_request *request,
				   int error)
{
	fail(status_of_error(error), -error, "%s: %s", request->target.label,
	     ipcbox_explain(IPCBOX_OPERATION_CHANNEL, error));
}

static int open_file(const struct channel_request *request)
{
	int fd;

	if (!request->path || !strcmp(request->path, "-"))
		return request->sends ? STDIN_FILENO : STDOUT_FILENO;
	fd = request->sends ? open(request->path, O_RDONLY | O_CLOEXEC) :
			      open(request->path, O_WRONLY | O_CREAT |
				   O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		fail(STATUS_FAILED, errno, "cannot open '%s': %s",
		     request->path, strerror(errno));
	return fd;
}

/*
 * Room for the longest message is there when everything was received. The
 * receiver may be gone by then, which is well if nothing is left.
 */
static void await_receiver(const struct channel_request *request,
			   struct ipcbox_channel *channel)
{
	struct ipcbox_stat state;
	void *place;
	int error;

	error = ipcbox_channel_reserve(channel, ipcbox_channel_longest(channel),
				       0, 0, &place);
	if (error == -EPIPE) {
		handle_state(ipcbox_channel_handle(channel), &request->target,
			     &state);
		if (!state.bytes)
			return;
	}
	if (error)
		fail_channel(request, error);
}

static void send_file(const struct channel_request *request,
		      struct ipcbox_channel *channel, int fd,
		      struct channel_count *count)
{
	/* So that sender and receiver work at the same time. */
	size_t piece = (ipcbox_channel_longest(channel) + 8) / 4 - 8;
	ssize_t length;
	void *place;
	int error;

	do {
		error = ipcbox_channel_reserve(channel, piece, 0, 0, &place);
		if (error)
			fail_channel(request, error);
		do
			length = read(fd, place, piece);
		while (length < 0 && errno == EINTR);
		if (length < 0)
			fail(STATUS_FAILED, errno, "cannot read: %s",
			     strerror(errno));
		ipcbox_channel_commit(channel, (size_t)length, 0);
		count->bytes += (uint64_t)length;
		count->messages++;
	} while (length);
	await_receiver(request, channel);
}

static void write_all(int fd, const char *data, size_t length)
{
	while (length) {
		ssize_t written = write(fd, data, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			fail(STATUS_FAILED, errno, "cannot write: %s",
			     strerror(errno));
		data += written;
		length -= (size_t)written;
	}
}

/*
 * From the ring straight to the file. What a hostile sender changes meanwhile is
 * in the file as it was then; nothing here depends on it.
 */
static void receive_file(const struct channel_request *request,
			 struct ipcbox_channel *channel, int fd,
			 struct channel_count *count)
{
	const void *message;
	ssize_t length;

	do {
		length = ipcbox_channel_peek(channel, &message, 0, 0);
		if (length == -EPIPE)
			fail(STATUS_PEER_GONE, EPIPE,
			     "the sender ended before the file did, after %llu bytes",
			     (unsigned long long)count->bytes);
		if (length < 0)
			fail_channel(request, (int)length);
		write_all(fd, message, (size_t)length);
		ipcbox_channel_release(channel, 0);
		count->bytes += (uint64_t)length;
		count->messages++;
	} while (length);
}

static void report(const struct channel_request *request,
		   const struct channel_count *count)
{
	char bytes[SHORT_TEXT];

	if (cli.json)
		/* Standard output may be the file. */
		print_json(!request->sends && !request->path ? stderr : stdout,
			   json_pack("{s:I, s:I}", "bytes",
				     (json_int_t)count->bytes, "messages",
				     (json_int_t)count->messages), false);
	else if (!cli.quiet)
		fprintf(stderr, "%s %s %s in %llu messages\n",
			request->target.label,
			request->sends ? "took" : "gave",
			text_size(bytes, count->bytes),
			(unsigned long long)count->messages);
}

int channel_run(int argc, char **argv)
{
	struct channel_request request = { .mode = 0600 };
	struct channel_count count = { 0 };
	struct ipcbox_channel *channel;
	struct ipcbox *box;
	int error;
	int fd;

	parse_arguments(argc, argv, &request);
	fd = open_file(&request);
	box = open_box();
	error = ipcbox_channel_create(box, request.target.name, request.mode,
				      (size_t)request.bytes,
				      request.sends ? IPCBOX_RIGHT_SEND :
						      IPCBOX_RIGHT_RECEIVE,
				      &channel);
	if (error)
		fail_target(&request.target, error == -EBUSY ?
			    IPCBOX_OPERATION_CHANNEL : IPCBOX_OPERATION_CREATE,
			    error);
	describe_target(&request.target, IPCBOX_CHANNEL);
	if (request.sends)
		send_file(&request, channel, fd, &count);
	else
		receive_file(&request, channel, fd, &count);
	if (fd != STDIN_FILENO && fd != STDOUT_FILENO && close(fd))
		fail(STATUS_FAILED, errno, "cannot write: %s",
		     strerror(errno));
	report(&request, &count);
	ipcbox_channel_close(channel);
	ipcbox_box_close(box);
	return STATUS_OK;
}
