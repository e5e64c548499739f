/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Putting files together again from their pieces (see frame.h). A message
 * that is no piece is a whole file of its own, so nothing that was taken has
 * nowhere to go. Files appear under their names only when they are complete.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "frame.h"
#include "receiver.h"

/* How often to look whether the sender of an unfinished file still lives. */
#define SENDER_CHECK	250000000

/* A file that is to be received. */
struct sink {
	const char *path;
	char *temporary;	/* name until it is complete; NULL: none */
	int file;
	bool open;
	uint64_t sender;	/* the handle that its pieces come from */
	int pid;
	uint64_t offset;
	double began;
};

struct gathering {
	const struct file_request *request;
	struct sink *sinks;
	size_t begun;
	size_t finished;
	uint64_t strays;	/* bytes of files whose beginning is missing */
	uint64_t unplaced;	/* files that no path was left for */
};

/* For the handler at exit, which gets no argument. */
static struct gathering *current;

static void remove_unfinished(void)
{
	size_t i;

	for (i = 0; current && i < current->begun; i++)
		if (current->sinks[i].open && current->sinks[i].temporary)
			unlink(current->sinks[i].temporary);
}

static char *describe(const struct gathering *gathering)
{
	uint64_t bytes = 0;
	char size[SHORT_TEXT];
	size_t i;

	for (i = 0; i < gathering->begun; i++)
		if (gathering->sinks[i].open)
			bytes += gathering->sinks[i].offset;
	if (!bytes)
		return format_text("%zu of %zu %s received",
				   gathering->finished,
				   gathering->request->count,
				   plural(gathering->request->count,
					  "file was", "files were"));
	return format_text("%zu of %zu %s received, and the %s of an unfinished one given up",
			   gathering->finished, gathering->request->count,
			   plural(gathering->request->count, "file was",
				  "files were"), text_size(size, bytes));
}

/* A signal ends the program without its handlers at exit. */
static char *stop(const void *context)
{
	remove_unfinished();
	return describe(context);
}

static _Noreturn void fail_sink(const struct sink *sink, int error)
{
	fail(STATUS_FAILED, error,
	     "cannot write %s: %s; what was received of it is lost",
	     sink->path, strerror(error));
}

static void open_sink(struct sink *sink)
{
	struct stat status;
	mode_t mask;

	if (!strcmp(sink->path, "-")) {
		sink->file = STDOUT_FILENO;
		return;
	}
	/* Devices and pipes are written to; files are replaced. */
	if (!stat(sink->path, &status) && !S_ISREG(status.st_mode)) {
		sink->file = open(sink->path, O_WRONLY | O_CLOEXEC);
		if (sink->file < 0)
			fail_sink(sink, errno);
		return;
	}
	sink->temporary = format_text("%s.XXXXXX", sink->path);
	sink->file = mkostemp(sink->temporary, O_CLOEXEC);
	if (sink->file < 0)
		fail_sink(sink, errno);
	mask = umask(0);
	umask(mask);
	fchmod(sink->file, 0666 & ~mask);
}

/* The sink for a file that begins, or NULL when no path is left for it. */
static struct sink *begin_sink(struct gathering *gathering,
			       const struct ipcbox_incoming *message)
{
	struct sink *sink;

	if (gathering->begun == gathering->request->count) {
		gathering->unplaced++;
		return NULL;
	}
	sink = &gathering->sinks[gathering->begun];
	*sink = (struct sink){
		.path = gathering->request->paths[gathering->begun],
		.sender = message->handle, .pid = message->pid,
		.began = now_seconds(),
	};
	open_sink(sink);
	sink->open = true;
	gathering->begun++;
	progress_begin(sink->path, 0);
	return sink;
}

static void write_sink(struct sink *sink, const char *data, size_t length)
{
	while (length) {
		ssize_t written = write(sink->file, data, length);

		if (written < 0 && errno == EINTR && !interrupt_pending())
			continue;
		if (written < 0)
			fail_sink(sink, errno);
		sink->offset += (size_t)written;
		data += written;
		length -= (size_t)written;
	}
	progress_update(sink->offset);
}

static void report_file(const struct sink *sink, bool verbose)
{
	double seconds = now_seconds() - sink->began;
	double rate = seconds > 0 ? (double)sink->offset / seconds : 0;
	char size[SHORT_TEXT], speed[SHORT_TEXT], span[SHORT_TEXT];

	if (cli.json) {
		print_json(stdout, json_pack("{s:s, s:I, s:i, s:f, s:f}",
					     "file", sink->path,
					     "bytes", (json_int_t)sink->offset,
					     "pid", sink->pid,
					     "seconds", seconds,
					     "bytes_per_second", rate), false);
		return;
	}
	if (cli.quiet || !(verbose || isatty(STDERR_FILENO)))
		return;
	fprintf(stderr, "%s: %s from process %d in %s, %s\n", sink->path,
		text_size(size, sink->offset), sink->pid,
		text_duration(span, (int64_t)(seconds * 1e9)),
		text_rate(speed, rate));
}

static void finish_sink(struct gathering *gathering, struct sink *sink)
{
	if (sink->file != STDOUT_FILENO && close(sink->file))
		fail_sink(sink, errno);
	if (sink->temporary && rename(sink->temporary, sink->path))
		fail_sink(sink, errno);
	sink->open = false;
	free(sink->temporary);
	sink->temporary = NULL;
	gathering->finished++;
	progress_end();
	report_file(sink, gathering->request->verbose);
}

static struct sink *find_sink(struct gathering *gathering, uint64_t sender)
{
	size_t i;

	for (i = 0; i < gathering->begun; i++)
		if (gathering->sinks[i].open &&
		    gathering->sinks[i].sender == sender)
			return &gathering->sinks[i];
	return NULL;
}

/* A piece of a file whose beginning did not come here. */
static void skip_stray(struct gathering *gathering,
		       const struct ipcbox_incoming *message)
{
	if (!gathering->strays && !gathering->unplaced)
		warn("skipping the rest of a file of process %d, whose beginning was received by another",
		     message->pid);
	gathering->strays += message->length;
}

static void check_offset(const struct sink *sink, uint64_t value)
{
	if (sink->offset != value)
		fail(STATUS_FAILED, EIO,
		     "pieces of %s are missing: %" PRIu64 " bytes came where the sender is at %" PRIu64
		     "; does another receiver take from here?",
		     sink->path, sink->offset, value);
}

static void take_message(struct gathering *gathering,
			 const struct ipcbox_incoming *message,
			 const char *data)
{
	struct sink *sink = find_sink(gathering, message->handle);
	enum frame_type type;
	uint64_t value;

	if (!frame_parse(message->tag, message->length, &type, &value)) {
		sink = begin_sink(gathering, message);
		if (sink) {
			write_sink(sink, data, message->length);
			finish_sink(gathering, sink);
		}
		return;
	}
	if (type == FRAME_ABANDONED) {
		if (sink)
			fail(STATUS_PEER_GONE, EPIPE,
			     "the sender of %s, process %d, gave up after %" PRIu64 " bytes; nothing was stored",
			     sink->path, sink->pid, value);
		return;
	}
	if (!sink && value) {
		skip_stray(gathering, message);
		return;
	}
	if (!sink)
		sink = begin_sink(gathering, message);
	if (!sink)
		return;
	check_offset(sink, value);
	write_sink(sink, data, message->length);
	if (type == FRAME_END)
		finish_sink(gathering, sink);
}

static const struct sink *unfinished_sink(const struct gathering *gathering)
{
	size_t i;

	for (i = 0; i < gathering->begun; i++)
		if (gathering->sinks[i].open)
			return &gathering->sinks[i];
	return NULL;
}

/*
 * Wait for the next message. In the middle of a file the sender's death is
 * watched for, which the kernel cannot report while others may send: a named
 * object may find a new sender at any time.
 */
static void await_message(struct receiver *receiver,
			  const struct gathering *gathering)
{
	const struct file_request *request = gathering->request;
	const struct sink *sink = unfinished_sink(gathering);
	uint64_t deadline = ipcbox_deadline_after_ns(request->timeout);
	uint64_t check;
	int result;

	do {
		check = sink ? ipcbox_deadline_after_ns(SENDER_CHECK) : deadline;
		if (check > deadline)
			check = deadline;
		result = receive_some(receiver, 1, request->nowait, check);
		if (result > 0)
			return;
		if (sink && senders_gone(receiver))
			fail(STATUS_PEER_GONE, EPIPE,
			     "the sender of %s, process %d, went away after %" PRIu64 " bytes; nothing was stored",
			     sink->path, sink->pid, sink->offset);
	} while (result == -ETIMEDOUT && check != deadline);
	fail_receive(receiver, result, request->timeout,
		     request->count > 1 || sink ? describe(gathering) : NULL);
}

int receive_files(struct receiver *receiver, const struct file_request *request)
{
	struct gathering gathering = { .request = request };
	char size[SHORT_TEXT];

	gathering.sinks = calloc(request->count, sizeof(*gathering.sinks));
	if (!gathering.sinks)
		fail_memory();
	current = &gathering;
	atexit(remove_unfinished);
	receiver_on_interrupt(receiver, stop, &gathering);

	while (gathering.finished < request->count) {
		await_message(receiver, &gathering);
		take_message(&gathering, received(receiver, 0),
			     received_data(receiver, 0));
	}
	if (gathering.unplaced)
		fail(STATUS_FAILED, 0,
		     "%" PRIu64 " more %s came in between, and what came of %s is lost: give a --file for each",
		     gathering.unplaced,
		     plural(gathering.unplaced, "file", "files"),
		     plural(gathering.unplaced, "it", "them"));
	if (gathering.strays)
		warn("skipped %s of files whose beginning was received by another",
		     text_size(size, gathering.strays));
	/* The handler at exit is not to look at what is gone by then. */
	current = NULL;
	free(gathering.sinks);
	return STATUS_OK;
}
