/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

struct watch_request {
	int64_t interval;
	uint64_t count;		/* 0: without end */
};

/* What was there at one moment. */
struct sample {
	struct ipcbox_stat *objects;
	size_t count;
	double at;
};

static const struct argp_option options[] = {
	{ "interval", 'i', "DURATION", 0,
	  "Time between two tables: 500ms, 2s. Default: 1s", 0 },
	{ "count", 'n', "N", 0,
	  "Stop after N tables. Default: go on until Ctrl-C", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct watch_request *request = state->input;

	switch (key) {
	case 'i':
		request->interval = duration_argument("--interval", arg);
		if (request->interval < 10000000)
			usage_error("--interval must be at least 10ms");
		return 0;
	case 'n':
		request->count = number_argument("--count", arg, 1, UINT64_MAX);
		return 0;
	case ARGP_KEY_ARG:
		usage_error("unexpected argument '%s'", arg);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp watch_argp = {
	.options = options, .parser = parse, .args_doc = "",
	.children = common_children,
	.doc = "Show the objects and how fast messages go in and out, again and again.\v"
	       "On a terminal the table is redrawn in place, until Ctrl-C; elsewhere one table "
	       "follows the other, and with --json one line of JSON each. HELD messages are received "
	       "and not yet settled; DEAD ones expired or were given back too often.",
};

static const char *const headings[] = {
	">ID", "NAME", "KIND", ">MESSAGES", ">BYTES", ">IN/s", ">OUT/s",
	">IN", ">OUT", ">HELD", ">DEAD", ">REFUSED", "WAITING",
};

struct rates {
	double sent, received, bytes_sent, bytes_received;
};

/* An object that was not there before began from zero in between. */
static struct rates find_rates(const struct sample *before,
			       const struct sample *now,
			       const struct ipcbox_stat *state)
{
	static const struct ipcbox_stat nothing;
	const struct ipcbox_stat *old = NULL;
	double span = now->at - before->at;

	if (!before->objects || span <= 0)
		return (struct rates){ 0, 0, 0, 0 };
	old = find_object(before->objects, before->count, state->id);
	if (!old)
		old = &nothing;
	return (struct rates){
		.sent = (double)(state->sent - old->sent) / span,
		.received = (double)(state->received - old->received) / span,
		.bytes_sent = (double)(state->bytes_sent - old->bytes_sent) /
			      span,
		.bytes_received = (double)(state->bytes_received -
					   old->bytes_received) / span,
	};
}

static char *waiting(const struct ipcbox_stat *state)
{
	if (state->senders_waiting)
		return format_text("%u to send", state->senders_waiting);
	if (state->receivers_waiting)
		return format_text("%u to receive", state->receivers_waiting);
	return format_text("-");
}

static void add_row(struct table *table, const struct ipcbox_stat *state,
		    const struct rates *rates)
{
	char text[SHORT_TEXT];

	table_cell(table, format_text("%llu", (unsigned long long)state->id));
	table_cell(table, format_text("%s", state->name_length ?
				      (const char *)state->name : "-"));
	table_cell(table, format_text("%s", object_kind(state)));
	table_cell(table, format_text("%llu of %llu",
				      (unsigned long long)state->messages,
				      (unsigned long long)state->max_messages));
	table_cell(table, format_text("%s", text_size(text, state->bytes)));
	table_cell(table, format_text("%.0f", rates->sent));
	table_cell(table, format_text("%.0f", rates->received));
	table_cell(table, format_text("%s", text_rate(text, rates->bytes_sent)));
	table_cell(table, format_text("%s",
				      text_rate(text, rates->bytes_received)));
	table_cell(table, format_text("%llu", (unsigned long long)state->held));
	table_cell(table, format_text("%llu",
				      (unsigned long long)(state->expired +
							   state->exhausted)));
	table_cell(table, format_text("%llu",
				      (unsigned long long)state->refused));
	table_cell(table, waiting(state));
}

static void print_tables(const struct sample *before, const struct sample *now,
			 FILE *stream)
{
	struct table *table = table_new(headings,
					sizeof(headings) / sizeof(headings[0]));
	size_t i;

	for (i = 0; i < now->count; i++) {
		struct rates rates = find_rates(before, now, &now->objects[i]);

		add_row(table, &now->objects[i], &rates);
	}
	table_print(table, stream);
	table_free(table);
}

static void print_line_json(const struct sample *before,
			    const struct sample *now)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < now->count; i++) {
		struct rates rates = find_rates(before, now, &now->objects[i]);
		json_t *object = json_of_object(&now->objects[i]);

		json_object_set_new(object, "sent_per_second",
				    json_real(rates.sent));
		json_object_set_new(object, "received_per_second",
				    json_real(rates.received));
		json_object_set_new(object, "bytes_sent_per_second",
				    json_real(rates.bytes_sent));
		json_object_set_new(object, "bytes_received_per_second",
				    json_real(rates.bytes_received));
		json_array_append_new(list, object);
	}
	print_json(stdout, json_pack("{s:o}", "objects", list), false);
}

static bool on_terminal;

/* Leave the screen that was drawn on, show the cursor. */
static void restore_terminal(void)
{
	if (!on_terminal)
		return;
	on_terminal = false;
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
}

static void take_terminal(void)
{
	on_terminal = true;
	fputs("\033[?1049h\033[?25l", stdout);
	/* A failure ends the program from anywhere. */
	atexit(restore_terminal);
}

/* Draw as much of the table as the terminal has room for. */
static void draw_screen(const struct sample *before, const struct sample *now)
{
	struct winsize window = { .ws_row = 24, .ws_col = 80 };
	size_t length = 0, i;
	unsigned int row, column;
	char *text = NULL;
	FILE *stream = open_memstream(&text, &length);

	if (!stream)
		fail_memory();
	fprintf(stream, "ipcbox: %zu %s; Ctrl-C ends\n\n", now->count,
		plural(now->count, "object", "objects"));
	print_tables(before, now, stream);
	fclose(stream);

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &window);
	fputs("\033[H", stdout);
	for (i = 0, row = 1, column = 0; i < length; i++) {
		if (text[i] == '\n') {
			fputs("\033[K", stdout);
			if (window.ws_row && row == window.ws_row)
				break;
			fputs("\r\n", stdout);
			row++;
			column = 0;
		} else if (!window.ws_col || column++ < window.ws_col) {
			fputc(text[i], stdout);
		}
	}
	fputs("\033[J", stdout);
	free(text);
}

static struct sample take_sample(struct ipcbox *box)
{
	struct sample sample;

	sample.objects = list_objects(box, &sample.count);
	sample.at = now_seconds();
	return sample;
}

/* Sleep for the interval, or until a signal or the end of the output. */
static void wait_interval(int64_t interval)
{
	struct timespec span = {
		.tv_sec = interval / 1000000000, .tv_nsec = interval % 1000000000,
	};
	struct pollfd output = { .fd = STDOUT_FILENO, .events = 0 };

	if (ppoll(&output, 1, &span, NULL) > 0) {
		/* The reader of a pipe has gone: nothing more to do. */
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
}

int watch_run(int argc, char **argv)
{
	struct watch_request request = { .interval = 1000000000 };
	struct sample before = { .objects = NULL }, now = { .objects = NULL };
	bool terminal;
	struct ipcbox *box;
	uint64_t shown = 0;

	parse_arguments(argc, argv, &request);
	terminal = !cli.json && isatty(STDOUT_FILENO);
	box = open_box();
	interrupt_catch();
	if (terminal)
		take_terminal();

	while (!interrupt_pending()) {
		free(before.objects);
		before = now;
		now = take_sample(box);
		if (cli.json) {
			print_line_json(&before, &now);
		} else if (terminal) {
			draw_screen(&before, &now);
		} else {
			if (shown)
				putchar('\n');
			print_tables(&before, &now, stdout);
		}
		finish_output();
		if (++shown == request.count)
			break;
		wait_interval(request.interval);
	}

	/* What was seen last stays on the screen. */
	restore_terminal();
	if (terminal && !interrupt_pending())
		print_tables(&before, &now, stdout);
	free(before.objects);
	free(now.objects);
	ipcbox_box_close(box);
	if (interrupt_pending())
		interrupt_die(NULL);
	return STATUS_OK;
}
