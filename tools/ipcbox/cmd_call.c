/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "reply.h"

enum { KEY_NOWAIT = 0x100, KEY_LIFETIME, KEY_MAX_REPLY };

struct call_request {
	struct target target;
	struct ipcbox_send_options options;
	int64_t timeout;	/* negative: none */
	uint64_t max_reply;	/* 0: as large as the object's messages */
	const char *file;
	char *data;
	size_t length;
};

static const struct argp_option options[] = {
	{ "file", 'f', "PATH", 0,
	  "The request is what is in this file; - is standard input", 0 },
	{ "priority", 'p', "N", 0,
	  "0, the lowest and the default, to 32767", 0 },
	{ "tag", 'g', "N", 0,
	  "A number for the server, 0x... in hexadecimal. Default: 0", 0 },
	{ "timeout", 't', "DURATION", 0,
	  "Wait at most so long for the reply: 500ms, 2s. Default: without end",
	  0 },
	{ "nowait", KEY_NOWAIT, NULL, 0,
	  "Do not wait for room for the request", 0 },
	{ "lifetime", KEY_LIFETIME, "DURATION", 0,
	  "Give up if no server has received the request after so long", 0 },
	{ "max-reply", KEY_MAX_REPLY, "SIZE", 0,
	  "Have room for a reply of SIZE bytes, which counts as in flight. Default: the largest message of NAME",
	  0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct call_request *request = state->input;

	switch (key) {
	case 'f':
		request->file = arg;
		return 0;
	case 'p':
		request->options.priority =
			(unsigned int)number_argument("--priority", arg, 0,
						      IPCBOX_PRIORITY_MAX);
		return 0;
	case 'g':
		request->options.tag = whole_tag_argument(arg);
		return 0;
	case 't':
		request->timeout = duration_argument("--timeout", arg);
		return 0;
	case KEY_NOWAIT:
		request->options.flags = IPCBOX_NOWAIT;
		return 0;
	case KEY_LIFETIME:
		request->options.lifetime = lifetime_argument(arg);
		return 0;
	case KEY_MAX_REPLY:
		request->max_reply = positive_size("--max-reply", arg);
		return 0;
	case ARGP_KEY_ARG:
		if (!request->target.label[0]) {
			parse_target(&request->target, arg);
		} else if (!request->data) {
			request->data = arg;
			request->length = strlen(arg);
		} else {
			usage_error("unexpected argument '%s'; a request is one message",
				    arg);
		}
		return 0;
	case ARGP_KEY_END:
		if (!request->target.label[0])
			usage_error("give the NAME of a queue or mailbox (shells take an unquoted #5 for a comment: type id:5)");
		if (request->file && request->data)
			usage_error("choose a MESSAGE or --file");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp call_argp = {
	.options = options, .parser = parse, .args_doc = "NAME [MESSAGE]",
	.children = common_children,
	.doc = "Send a request, wait for the reply, and print it as it is.\v"
	       "Without MESSAGE the request is empty. The status is 8 if the server dies with the "
	       "request in its hands, and 10 if it is 'ipcbox serve' and its command fails. "
	       "Examples:\n\n"
	       "  ipcbox call clock\n"
	       "  ipcbox call sums '17 + 4' --timeout 2s\n"
	       "  ipcbox call shrink --file picture.png >small.png",
};

/* One byte more than fits shows that it does not. */
static void read_request(struct call_request *request, uint64_t most)
{
	int file = STDIN_FILENO;
	ssize_t length = 0;

	if (strcmp(request->file, "-") != 0)
		file = open(request->file, O_RDONLY | O_CLOEXEC);
	request->data = allocate((size_t)most + 1);
	while (file >= 0 && request->length <= most) {
		length = read(file, request->data + request->length,
			      (size_t)most + 1 - request->length);
		if (length < 0 && errno == EINTR && !interrupt_pending())
			continue;
		if (length <= 0)
			break;
		request->length += (size_t)length;
	}
	if (interrupt_pending())
		interrupt_die("nothing was sent");
	if (file < 0 || length < 0)
		fail(STATUS_FAILED, errno, "cannot read %s: %s", request->file,
		     strerror(errno));
	if (file != STDIN_FILENO)
		close(file);
}

static _Noreturn void fail_call(const struct call_request *request, int error,
				uint64_t most)
{
	const char *label = request->target.label;
	uint64_t lifetime = request->options.lifetime;
	char size[SHORT_TEXT], span[SHORT_TEXT];

	switch (-error) {
	case EAGAIN:
		fail(STATUS_TIMEOUT, error, "%s is full; nothing was sent",
		     label);
	case ETIMEDOUT:
		if (lifetime && (request->timeout < 0 ||
				 lifetime < (uint64_t)request->timeout))
			fail(STATUS_TIMEOUT, error,
			     "no server of %s received the request within %s, or it did not reply in time",
			     label, text_duration(span, (int64_t)lifetime));
		fail(STATUS_TIMEOUT, error,
		     "there was no reply from %s within %s; the request was withdrawn",
		     label, text_duration(span, request->timeout));
	case EMSGSIZE:
		fail(STATUS_FAILED, error,
		     "the request is too long for %s, which takes %s at most",
		     label, text_size(size, most));
	case EDQUOT:
		fail(STATUS_LIMIT, error,
		     "your budget of messages in flight has no room for the request and its reply: try a smaller --max-reply, or have root raise user_bytes ('ipcbox limits')");
	case EOWNERDEAD:
		fail(STATUS_PEER_GONE, error,
		     "the server of %s ended without a reply, or gave the request back too often",
		     label);
	case EOPNOTSUPP:
		fail(STATUS_FAILED, error,
		     "the request was taken from %s by a program that reads it as a file and cannot reply",
		     label);
	case EINTR:
		/* Asking again might have a server act twice. */
		fail(STATUS_FAILED, error,
		     "a signal ended the call of %s; the request was withdrawn, and whether a server acted on it is not known",
		     label);
	default:
		fail_target(&request->target, IPCBOX_OPERATION_CALL, error);
	}
}

static _Noreturn void fail_reply(const struct call_request *request,
				 enum reply_failure failure, unsigned int value)
{
	const char *label = request->target.label;

	switch (failure) {
	case REPLY_EXITED:
		fail(STATUS_REFUSED, 0,
		     "the command that serves %s failed with status %u", label,
		     value);
	case REPLY_KILLED:
		fail(STATUS_REFUSED, 0,
		     "the command that serves %s was killed by signal %u", label,
		     value);
	default:
		fail(STATUS_REFUSED, EMSGSIZE,
		     "the reply from %s is too long: have room with --max-reply, or raise the object's largest message with 'ipcbox set %s --max-message'",
		     label, request->target.name ? request->target.name : "id:N");
	}
}

static void print_reply(const struct ipcbox_incoming *header, const char *reply)
{
	if (cli.json) {
		print_json(stdout, json_of_message(header, reply), false);
	} else if (isatty(STDOUT_FILENO)) {
		print_escaped(stdout, reply, header->length);
		if (header->length && reply[header->length - 1] != '\n')
			putchar('\n');
	} else {
		fwrite(reply, 1, header->length, stdout);
	}
}

int call_run(int argc, char **argv)
{
	struct call_request request = { .timeout = -1 };
	struct ipcbox_incoming header;
	struct ipcbox_handle *handle;
	enum reply_failure failure;
	struct ipcbox_stat state;
	struct ipcbox *box;
	unsigned int value;
	ssize_t result;
	char *reply;

	parse_arguments(argc, argv, &request);
	box = open_box();
	interrupt_catch();
	handle = open_target(box, &request.target, IPCBOX_RIGHT_SEND);
	handle_state(handle, &request.target, &state);
	if (request.file)
		read_request(&request, state.max_message_bytes);
	if (!request.max_reply || request.max_reply > state.max_message_bytes)
		request.max_reply = state.max_message_bytes;
	reply = allocate((size_t)request.max_reply);

	request.options.deadline = ipcbox_deadline_after_ns(request.timeout);
	if (interrupt_pending())
		interrupt_die("nothing was sent");
	result = ipcbox_call(handle, request.data, request.length, reply,
			     (size_t)request.max_reply, &request.options,
			     &header);
	if (result == -EINTR && interrupt_pending())
		interrupt_die("the request was withdrawn; whether a server acted on it is not known");
	if (result < 0)
		fail_call(&request, (int)result, state.max_message_bytes);
	print_reply(&header, reply);
	if (reply_parse(header.tag, &failure, &value))
		fail_reply(&request, failure, value);
	if (request.file)
		free(request.data);
	free(reply);
	ipcbox_close(handle);
	ipcbox_box_close(box);
	return STATUS_OK;
}
