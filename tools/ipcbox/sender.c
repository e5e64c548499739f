/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Sending arguments, lines and files, and saying how far it came when it
 * could not be finished.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "frame.h"
#include "sender.h"

#define DEFAULT_BATCH	64

/* Pieces of files need not be larger than this to move at full speed. */
#define PIECE_MAX	(1U << 20)

/* How long a sender that gives up may take to tell the receiver so. */
#define FAREWELL_WAIT	200000000

struct sender {
	struct ipcbox *box;
	struct ipcbox_handle *handle;
	struct target target;
	struct send_how how;
	uint64_t message_max;
	bool budget_noted;

	uint64_t messages;
	uint64_t bytes;
	uint64_t files;		/* whole ones */
	double began;

	/* The file that is on its way, if any. */
	const char *path;
	uint64_t offset;
};

static const char *file_label(const char *path)
{
	return strcmp(path, "-") ? path : "standard input";
}

struct sender *sender_new(struct ipcbox *box, struct ipcbox_handle *handle,
			  const struct target *target,
			  const struct send_how *how)
{
	struct sender *sender = allocate(sizeof(*sender));
	struct ipcbox_stat state;
	struct ipcbox_info info;
	int error;

	handle_state(handle, target, &state);
	refuse_stream(&state);
	error = ipcbox_info(box, &info);
	if (error)
		fail_box(error);
	*sender = (struct sender){
		.box = box, .handle = handle, .target = *target, .how = *how,
		.message_max = state.max_message_bytes, .began = now_seconds(),
	};
	if (how->batch > info.batch_messages)
		usage_error("--batch may be %llu at most",
			    (unsigned long long)info.batch_messages);
	if (how->sync)
		sender->how.batch = 1;
	if (!sender->how.batch)
		sender->how.batch = info.batch_messages < DEFAULT_BATCH ?
				    (unsigned int)info.batch_messages :
				    DEFAULT_BATCH;
	return sender;
}

void sender_free(struct sender *sender)
{
	ipcbox_close(sender->handle);
	free(sender);
}

/* What was sent: the part of each message that the user cannot see. */
static char *progress_text(const struct sender *sender)
{
	char size[SHORT_TEXT];

	if (sender->path)
		return format_text("%llu whole %s and %s of '%s' were sent",
				   (unsigned long long)sender->files,
				   plural(sender->files, "file", "files"),
				   text_size(size, sender->offset),
				   file_label(sender->path));
	return format_text("%llu %s (%s) %s %s",
			   (unsigned long long)sender->messages,
			   plural(sender->messages, "message", "messages"),
			   text_size(size, sender->bytes),
			   plural(sender->messages, "was", "were"),
			   sender->how.sync ? "taken" : "sent");
}

/*
 * Tell the receiver of an unfinished file that the rest will not come. Where
 * there is no room for it, the receiver finds out when it sees no sender.
 */
static void abandon_file(struct sender *sender)
{
	struct ipcbox_send_options options = {
		.priority = sender->how.priority,
		.tag = frame_tag(FRAME_ABANDONED, sender->offset),
		.lifetime = sender->how.lifetime,
		.deadline = ipcbox_deadline_after_ns(FAREWELL_WAIT),
	};

	if (sender->path && sender->offset)
		ipcbox_send(sender->handle, NULL, 0, &options);
}

static _Noreturn void stop_interrupted(struct sender *sender)
{
	char *sent = progress_text(sender);

	abandon_file(sender);
	interrupt_die(sent);
}

/* How long a message waits to be taken. */
static int64_t patience(const struct sender *sender)
{
	int64_t lifetime = (int64_t)sender->how.lifetime;

	if (sender->how.timeout < 0)
		return lifetime;
	return lifetime && lifetime < sender->how.timeout ?
	       lifetime : sender->how.timeout;
}

static _Noreturn void fail_send(struct sender *sender, int error,
				uint64_t length)
{
	const char *label = sender->target.label;
	char *sent = progress_text(sender);
	char size[SHORT_TEXT], most[SHORT_TEXT], span[SHORT_TEXT];

	abandon_file(sender);
	switch (-error) {
	case EAGAIN:
		fail(STATUS_TIMEOUT, error, "%s is full; %s", label, sent);
	case ETIMEDOUT:
		if (sender->how.sync)
			fail(STATUS_TIMEOUT, error,
			     "nobody took the message from %s within %s, so it was withdrawn; %s",
			     label, text_duration(span, patience(sender)),
			     sent);
		fail(STATUS_TIMEOUT, error,
		     "%s was full and had no room within %s; %s", label,
		     text_duration(span, sender->how.timeout), sent);
	case EMSGSIZE:
		fail(STATUS_FAILED, error,
		     "a message of %s is too long for %s, which takes %s at most (files of any size go with --file); %s",
		     text_size(size, length), label,
		     text_size(most, sender->message_max), sent);
	case EDQUOT:
		fail(STATUS_LIMIT, error,
		     "your budget of messages in flight is used up: receive some, or have root raise user_bytes ('ipcbox limits'); %s",
		     sent);
	case EOWNERDEAD:
		fail(STATUS_PEER_GONE, error,
		     "the receivers of %s gave the message back as often as they may; %s",
		     label, sent);
	case EPIPE:
		fail(STATUS_PEER_GONE, error,
		     "%s has no receiver, and none will come; %s", label, sent);
	default:
		fail(status_of_error(error), error, "%s: %s; %s", label,
		     ipcbox_explain(IPCBOX_OPERATION_SEND, error), sent);
	}
}

static uint64_t next_deadline(const struct sender *sender)
{
	return ipcbox_deadline_after_ns(sender->how.timeout);
}

static void send_messages(struct sender *sender,
			  const struct ipcbox_outgoing *messages,
			  unsigned int count)
{
	uint64_t deadline = next_deadline(sender);
	unsigned int flags = (sender->how.nowait ? IPCBOX_NOWAIT : 0) |
			     (sender->how.sync ? IPCBOX_SYNC : 0);

	while (count) {
		int result;
		int i;

		if (interrupt_pending())
			stop_interrupted(sender);
		result = ipcbox_send_batch(sender->handle, messages, count,
					   flags, deadline);
		if (result == -EINTR)
			continue;
		if (result == -EDQUOT && !sender->how.nowait &&
		    wait_for_budget(sender->box, messages->length, deadline,
				    &sender->budget_noted))
			continue;
		if (result < 0)
			fail_send(sender, result, messages->length);
		for (i = 0; i < result; i++)
			sender->bytes += messages[i].length;
		sender->messages += (unsigned int)result;
		messages += result;
		count -= (unsigned int)result;
		deadline = next_deadline(sender);
	}
}

static struct ipcbox_outgoing make_message(struct sender *sender,
					   const char *data, size_t length)
{
	/* Beyond what the field can hold it is too long for any object. */
	if (length > UINT32_MAX)
		fail_send(sender, -EMSGSIZE, length);
	return (struct ipcbox_outgoing){
		.data = ipcbox_address(data), .length = (uint32_t)length,
		.priority = sender->how.priority, .tag = sender->how.tag,
		.lifetime = sender->how.lifetime,
	};
}

void send_texts(struct sender *sender, char **texts, size_t count)
{
	unsigned int batch = sender->how.batch;
	struct ipcbox_outgoing *messages = allocate(batch * sizeof(*messages));
	unsigned int filled = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		messages[filled++] = make_message(sender, texts[i],
						  strlen(texts[i]));
		if (filled == batch || i == count - 1) {
			send_messages(sender, messages, filled);
			filled = 0;
		}
	}
	free(messages);
}

/* Like read(2), but a signal that is no wish to stop does not end it. */
static size_t read_input(struct sender *sender, int file, const char *path,
			 char *buffer, size_t room)
{
	for (;;) {
		ssize_t length;

		if (interrupt_pending())
			stop_interrupted(sender);
		length = read(file, buffer, room);
		if (length >= 0)
			return (size_t)length;
		if (errno != EINTR) {
			int error = errno;
			char *sent = progress_text(sender);

			abandon_file(sender);
			fail(STATUS_FAILED, error, "cannot read %s: %s; %s",
			     file_label(path), strerror(error), sent);
		}
	}
}

/* Send the complete messages of @text; returns how many bytes they were. */
static size_t send_complete(struct sender *sender, const char *text,
			    size_t length, char delimiter,
			    struct ipcbox_outgoing *messages)
{
	const char *begin = text;
	const char *end;
	unsigned int filled = 0;

	while ((end = memchr(begin, delimiter,
			     length - (size_t)(begin - text)))) {
		messages[filled++] = make_message(sender, begin,
						  (size_t)(end - begin));
		begin = end + 1;
		if (filled == sender->how.batch) {
			send_messages(sender, messages, filled);
			filled = 0;
		}
	}
	if (filled)
		send_messages(sender, messages, filled);
	return (size_t)(begin - text);
}

/*
 * Each line goes as soon as it is there, so that a terminal or a slow pipe is
 * followed at its pace; lines that come together go together.
 */
void send_lines(struct sender *sender, char delimiter)
{
	struct ipcbox_outgoing *messages =
		allocate(sender->how.batch * sizeof(*messages));
	/* One more byte than fits into a message shows that it is too long. */
	size_t room = (size_t)sender->message_max + 2;
	size_t filled = 0;
	char *buffer;

	if (room < 65536)
		room = 65536;
	buffer = allocate(room);
	for (;;) {
		size_t length = read_input(sender, STDIN_FILENO, "-",
					   buffer + filled, room - filled);
		size_t done;

		if (!length)
			break;
		filled += length;
		done = send_complete(sender, buffer, filled, delimiter,
				     messages);
		filled -= done;
		memmove(buffer, buffer + done, filled);
		if (filled > sender->message_max)
			fail_send(sender, -EMSGSIZE, filled);
	}
	if (filled) {
		messages[0] = make_message(sender, buffer, filled);
		send_messages(sender, messages, 1);
	}
	free(buffer);
	free(messages);
}

/* Before anything is sent: a missing file shall not leave half a job. */
void check_file(const char *path)
{
	struct stat status;

	if (!strcmp(path, "-"))
		return;
	if (stat(path, &status) || access(path, R_OK))
		fail(STATUS_FAILED, errno, "cannot read %s: %s", path,
		     strerror(errno));
	if (S_ISDIR(status.st_mode))
		fail(STATUS_FAILED, EISDIR,
		     "%s is a directory; send it as an archive: tar c %s | ipcbox send NAME --file -",
		     path, path);
}

static int open_file(struct sender *sender, const char *path, uint64_t *size)
{
	struct stat status;
	int file = STDIN_FILENO;

	if (strcmp(path, "-"))
		file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0 || fstat(file, &status)) {
		int error = errno;
		char *sent = progress_text(sender);

		fail(STATUS_FAILED, error, "cannot read %s: %s; %s", path,
		     strerror(error), sent);
	}
	*size = S_ISREG(status.st_mode) ? (uint64_t)status.st_size : 0;
	return file;
}

static void send_piece(struct sender *sender, const char *data, size_t length,
		       enum frame_type type)
{
	struct ipcbox_outgoing message = make_message(sender, data, length);

	message.tag = frame_tag(type, sender->offset);
	send_messages(sender, &message, 1);
	sender->offset += length;
}

void send_file(struct sender *sender, const char *path)
{
	size_t piece = sender->message_max < PIECE_MAX ?
		       (size_t)sender->message_max : PIECE_MAX;
	char *buffer = allocate(piece);
	size_t filled, length;
	uint64_t size;
	int file = open_file(sender, path, &size);

	sender->path = path;
	sender->offset = 0;
	progress_begin(file_label(path), size);
	do {
		/* Full pieces, even where a pipe gives its bytes in drops. */
		for (filled = 0; filled < piece; filled += length) {
			length = read_input(sender, file, path, buffer + filled,
					    piece - filled);
			if (!length)
				break;
		}
		if (filled)
			send_piece(sender, buffer, filled, FRAME_DATA);
		progress_update(sender->offset);
	} while (filled == piece);
	send_piece(sender, NULL, 0, FRAME_END);
	progress_end();

	sender->files++;
	sender->path = NULL;
	if (file != STDIN_FILENO)
		close(file);
	free(buffer);
}

void sender_report(const struct sender *sender, bool verbose)
{
	double seconds = now_seconds() - sender->began;
	double rate = seconds > 0 ? (double)sender->bytes / seconds : 0;
	char size[SHORT_TEXT], speed[SHORT_TEXT], span[SHORT_TEXT];

	if (cli.json) {
		print_json(stdout,
			   json_pack("{s:I, s:I, s:I, s:f, s:f}",
				     "messages", (json_int_t)sender->messages,
				     "bytes", (json_int_t)sender->bytes,
				     "files", (json_int_t)sender->files,
				     "seconds", seconds,
				     "bytes_per_second", rate), false);
		return;
	}
	/* People who watch a file go want to know that it went. */
	if (cli.quiet || !(verbose ||
			   (sender->files && isatty(STDERR_FILENO))))
		return;
	text_size(size, sender->bytes);
	text_rate(speed, rate);
	if (sender->files)
		fprintf(stderr, "%llu %s sent, %s in %s, %s\n",
			(unsigned long long)sender->files,
			plural(sender->files, "file", "files"), size,
			text_duration(span, (int64_t)(seconds * 1e9)), speed);
	else
		fprintf(stderr, "%llu %s sent, %s\n",
			(unsigned long long)sender->messages,
			plural(sender->messages, "message", "messages"), size);
}
