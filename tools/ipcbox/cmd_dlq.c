/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * ipcbox dlq: the dead letters in a mailbox, and sending them again.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "cli.h"
#include "glance.h"

enum { KEY_REQUEUE = 0x100, KEY_SEQUENCE_ONLY };

struct dlq_request {
	struct target target;
	struct ipcbox_selection selection;
	bool requeue;
	int64_t timeout;	/* of each wait for room; negative: do not wait */
};

/* The mailbox, what is in it, and the objects that there are. */
struct dlq {
	const struct dlq_request *request;
	struct target target;
	struct ipcbox *box;
	struct ipcbox_handle *handle;
	struct ipcbox_incoming *letters;
	size_t count;
	struct ipcbox_stat *objects;
	size_t objects_count;
	size_t requeued;
	size_t left;
};

static const struct argp_option options[] = {
	{ "requeue", KEY_REQUEUE, NULL, 0,
	  "Send the dead letters to the objects where they died; each is taken from here when it is accepted there",
	  0 },
	{ "sequence", KEY_SEQUENCE_ONLY, "N", 0,
	  "Only the dead letter of this number", 0 },
	{ "timeout", 't', "DURATION", 0,
	  "With --requeue: wait at most so long for room, each time. Default: do not wait",
	  0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct dlq_request *request = state->input;

	switch (key) {
	case KEY_REQUEUE:
		request->requeue = true;
		return 0;
	case KEY_SEQUENCE_ONLY:
		request->selection.sequence = number_argument("--sequence", arg,
							      1, UINT64_MAX);
		return 0;
	case 't':
		request->timeout = duration_argument("--timeout", arg);
		return 0;
	case ARGP_KEY_ARG:
		if (request->target.label[0])
			usage_error("unexpected argument '%s'; one mailbox is shown at a time",
				    arg);
		parse_target(&request->target, arg);
		return 0;
	case ARGP_KEY_END:
		if (!request->target.label[0])
			usage_error("give the NAME of the mailbox or queue that gets dead letters");
		if (request->timeout >= 0 && !request->requeue)
			usage_error("--timeout goes with --requeue");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp dlq_argp = {
	.options = options, .parser = parse, .args_doc = "NAME",
	.children = common_children,
	.doc = "Show the dead letters in NAME, which has them from objects that were made or set "
	       "with --dead-letter NAME.\v"
	       "REASON is expired, exhausted (given back too often) or destroyed (with its object). "
	       "MESSAGE is its number in the object where it died, LATER how many messages were "
	       "accepted there since. Examples:\n\n"
	       "  ipcbox dlq lost\n"
	       "  ipcbox dlq lost --requeue",
};

static const char *const headings[] = {
	">SEQUENCE", "REASON", "ORIGIN", ">MESSAGE", ">LATER", ">PRIORITY",
	">TAG", ">PID", "USER", ">BYTES",
};

/* How many messages came to the origin after it, or -1 if that is gone. */
static int64_t later(const struct dlq *dlq,
		     const struct ipcbox_incoming *letter)
{
	const struct ipcbox_stat *origin =
		find_object(dlq->objects, dlq->objects_count, letter->origin);

	return origin ? (int64_t)(origin->sent - letter->origin_sequence) : -1;
}

static void add_row(struct table *table, const struct dlq *dlq,
		    const struct ipcbox_incoming *letter)
{
	int64_t since = later(dlq, letter);
	char text[SHORT_TEXT];

	table_cell(table, format_text("%" PRIu64, (uint64_t)letter->sequence));
	table_cell(table, format_text("%s", dead_reason(letter->dead)));
	table_cell(table, object_name(dlq->objects, dlq->objects_count,
				      letter->origin));
	table_cell(table, format_text("%" PRIu64,
				      (uint64_t)letter->origin_sequence));
	table_cell(table, since < 0 ? format_text("gone") :
				      format_text("%" PRId64, since));
	table_cell(table, format_text("%u", letter->priority));
	table_cell(table, format_text("%" PRIu64, (uint64_t)letter->tag));
	table_cell(table, format_text("%d", letter->pid));
	table_cell(table, format_text("%s", text_user(text, letter->uid)));
	table_cell(table, format_text("%u", letter->length));
}

static void list_letters(const struct dlq *dlq)
{
	struct table *table;
	size_t i;

	if (!dlq->count) {
		if (!cli.quiet)
			fprintf(stderr, "there are no dead letters in %s\n",
				dlq->target.label);
		return;
	}
	table = table_new(headings, sizeof(headings) / sizeof(headings[0]));
	for (i = 0; i < dlq->count; i++)
		add_row(table, dlq, &dlq->letters[i]);
	table_print(table, stdout);
	table_free(table);
}

static void list_letters_json(const struct dlq *dlq)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < dlq->count; i++) {
		const struct ipcbox_incoming *letter = &dlq->letters[i];
		json_t *value = json_of_message(letter, NULL);
		const struct ipcbox_stat *origin =
			find_object(dlq->objects, dlq->objects_count,
				    letter->origin);
		int64_t since = later(dlq, letter);

		json_object_set_new(value, "origin_name",
				    origin && origin->name_length ?
				    json_string((const char *)origin->name) :
				    json_null());
		json_object_set_new(value, "later", since < 0 ? json_null() :
				    json_integer(since));
		json_array_append_new(list, value);
	}
	print_json(stdout, json_pack("{s:o}", "letters", list), true);
}

static void find_letters(struct dlq *dlq)
{
	struct glance *glance = glance_new(dlq->box, dlq->handle, &dlq->target,
					   &dlq->request->selection, 0, false);
	const struct ipcbox_incoming *message;
	const char *data;
	size_t room = 0;

	while ((message = glance_next(glance, UINT64_MAX, &data))) {
		/* Others may send to this mailbox too. */
		if (!message->dead)
			continue;
		if (dlq->count == room) {
			room = room ? 2 * room : 64;
			dlq->letters = reallocarray(dlq->letters, room,
						    sizeof(*dlq->letters));
			if (!dlq->letters)
				fail_memory();
		}
		dlq->letters[dlq->count++] = *message;
	}
	glance_free(glance);
}

/* Send @letter to where it died. Returns 0, or why it cannot go there. */
static int send_again(struct dlq *dlq, const struct ipcbox_incoming *letter,
		      const char *data)
{
	struct ipcbox_send_options how = {
		.priority = letter->priority, .tag = letter->tag,
		.flags = dlq->request->timeout < 0 ? IPCBOX_NOWAIT : 0,
		.deadline = ipcbox_deadline_after_ns(dlq->request->timeout),
	};
	struct ipcbox_handle *origin;
	int error = ipcbox_open_id(dlq->box, letter->origin,
				   IPCBOX_RIGHT_SEND, 0, &origin);

	if (error)
		return error;
	error = ipcbox_send(origin, data, letter->length, &how);
	ipcbox_close(origin);
	return error;
}

static _Noreturn void stop_interrupted(const struct dlq *dlq)
{
	interrupt_die(format_text("%zu %s sent again", dlq->requeued,
				  plural(dlq->requeued, "dead letter was",
					 "dead letters were")));
}

/*
 * Held until its origin has it: if this program dies in between it is there
 * twice rather than nowhere. Returns 0, 1 when it is not here any more, or why
 * it cannot go.
 */
static int requeue_letter(struct dlq *dlq, const struct ipcbox_incoming *letter)
{
	struct ipcbox_selection this_one = { .sequence = letter->sequence };
	char *data = allocate(letter->length);
	struct ipcbox_incoming held;
	ssize_t length;
	int error;

	length = ipcbox_receive_selected(dlq->handle, &this_one, data,
					 letter->length, &held,
					 IPCBOX_HOLD | IPCBOX_NOWAIT, 0);
	if (length < 0) {
		free(data);
		/* Another took it meanwhile. */
		return length == -EAGAIN ? 1 : (int)length;
	}
	error = send_again(dlq, letter, data);
	free(data);
	if (error) {
		int lost = ipcbox_nack(dlq->handle, held.token);

		if (lost && lost != -EPIPE)
			fail_target(&dlq->target, IPCBOX_OPERATION_SETTLE,
				    lost);
		return error;
	}
	error = ipcbox_ack(dlq->handle, held.token);
	if (error)
		fail_target(&dlq->target, IPCBOX_OPERATION_SETTLE, error);
	return 0;
}

/* Why a letter stays, as in: "message 3 of 'jobs' stays: ..." */
static void complain(const struct dlq *dlq,
		     const struct ipcbox_incoming *letter, int error)
{
	char *origin = object_name(dlq->objects, dlq->objects_count,
				   letter->origin);
	const char *reason = error == -ENOENT ? "it is not there any more" :
			     error == -EAGAIN || error == -ETIMEDOUT ?
			     "it is full" :
			     error == -EACCES ? "you may not send to it" :
			     ipcbox_explain(IPCBOX_OPERATION_SEND, error);

	warn("dead letter %" PRIu64 " stays, as %s cannot have it: %s",
	     (uint64_t)letter->sequence, origin, reason);
	free(origin);
}

/*
 * After one letter could not go to its origin, no other goes there: they would
 * overtake it. Origins are looked up in what was looked at before.
 */
static bool is_blocked(const uint64_t *blocked, size_t count, uint64_t origin)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (blocked[i] == origin)
			return true;
	return false;
}

static void requeue_letters(struct dlq *dlq)
{
	uint64_t *blocked = allocate(dlq->count * sizeof(*blocked));
	size_t blocks = 0;
	size_t i;

	for (i = 0; i < dlq->count; i++) {
		const struct ipcbox_incoming *letter = &dlq->letters[i];
		int error;

		if (interrupt_pending())
			stop_interrupted(dlq);
		if (is_blocked(blocked, blocks, letter->origin)) {
			dlq->left++;
			continue;
		}
		error = requeue_letter(dlq, letter);
		if (error == -EINTR && interrupt_pending())
			stop_interrupted(dlq);
		if (error < 0) {
			complain(dlq, letter, error);
			blocked[blocks++] = letter->origin;
			dlq->left++;
			continue;
		}
		dlq->requeued += !error;
	}
	free(blocked);
}

static int report(const struct dlq *dlq)
{
	if (cli.json)
		print_json(stdout,
			   json_pack("{s:I, s:I}", "requeued",
				     (json_int_t)dlq->requeued, "left",
				     (json_int_t)dlq->left), false);
	else if (!cli.quiet)
		printf("%zu %s sent again\n", dlq->requeued,
		       plural(dlq->requeued, "dead letter was",
			      "dead letters were"));
	if (dlq->left)
		fail(STATUS_FAILED, 0, "%zu %s in %s", dlq->left,
		     plural(dlq->left, "dead letter stays",
			    "dead letters stay"), dlq->target.label);
	return STATUS_OK;
}

int dlq_run(int argc, char **argv)
{
	struct dlq_request request = { .timeout = -1 };
	struct dlq dlq = { .request = &request };
	int status = STATUS_OK;

	parse_arguments(argc, argv, &request);
	dlq.target = request.target;
	dlq.box = open_box();
	interrupt_catch();
	dlq.handle = open_target(dlq.box, &dlq.target, request.requeue ?
				 IPCBOX_RIGHT_RECEIVE : IPCBOX_RIGHT_LOOK);
	dlq.objects = list_objects(dlq.box, &dlq.objects_count);
	find_letters(&dlq);
	if (request.selection.sequence && !dlq.count)
		fail(STATUS_TIMEOUT, EAGAIN, "%s has no such dead letter",
		     dlq.target.label);
	if (request.requeue) {
		requeue_letters(&dlq);
		status = report(&dlq);
	} else if (cli.json) {
		list_letters_json(&dlq);
	} else {
		list_letters(&dlq);
	}
	free(dlq.letters);
	free(dlq.objects);
	ipcbox_close(dlq.handle);
	ipcbox_box_close(dlq.box);
	return status;
}
