/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the subcommands of ipcbox share.
 *
 * A subcommand is one file, cmd_NAME.c, with an argp parser and a function;
 * main.c has the table of them. Failures end the program on the spot through
 * fail(): a command has nothing to undo that the kernel would not undo when
 * its descriptors close, except what interrupt.c and its callers deal with.
 */
#ifndef IPCBOX_CLI_H
#define IPCBOX_CLI_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include <ipcbox.h>

/* Exit statuses; the manual page has the same list. */
enum status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_TIMEOUT = 3,	/* timed out, or would have had to wait */
	STATUS_NO_OBJECT = 4,
	STATUS_PERMISSION = 5,
	STATUS_NO_MODULE = 6,	/* module, device or its ABI */
	STATUS_LIMIT = 7,	/* a limit of ipcbox was reached */
	STATUS_PEER_GONE = 8,
	STATUS_BUSY = 9,	/* the name is taken, or the mailbox has a receiver */
	STATUS_REFUSED = 10,	/* the server's command failed */
};

struct command {
	const char *name;
	const char *synopsis;
	const char *summary;
	const struct argp *argp;
	int (*run)(int argc, char **argv);
};

/* What is being run, and the options that every subcommand has. */
struct cli {
	const struct command *command;
	bool json;
	bool quiet;
};

extern struct cli cli;

/* args.c: options every subcommand has, and reports of bad ones */
extern const struct argp_child common_children[];

void parse_arguments(int argc, char **argv, void *input);
/* What follows the first argument is not ours. */
void parse_in_order(int argc, char **argv, void *input);
void print_command_help(const struct command *command, FILE *stream);

/* error.c: the one way to complain */
__attribute__((format(printf, 3, 4)))
void report_error(int status, int error, const char *format, ...);
__attribute__((format(printf, 3, 4)))
_Noreturn void fail(enum status status, int error, const char *format, ...);
__attribute__((format(printf, 1, 2)))
_Noreturn void usage_error(const char *format, ...);
__attribute__((format(printf, 1, 2)))
void warn(const char *format, ...);
enum status status_of_error(int error);
_Noreturn void fail_memory(void);
void finish_output(void);

/* parse.c: what users type */
bool parse_number(const char *text, uint64_t *number);
bool parse_mode(const char *text, unsigned int *mode);
bool parse_kind(const char *text, unsigned int *kind);
uint64_t size_argument(const char *option, const char *text);
uint64_t number_argument(const char *option, const char *text, uint64_t least,
			 uint64_t most);
int64_t duration_argument(const char *option, const char *text);
uint64_t lifetime_argument(const char *text);
uint64_t positive_size(const char *option, const char *text);
uint64_t tag_argument(const char **text);
uint64_t whole_tag_argument(const char *text);

/* text.c: what users read */
#define SHORT_TEXT	32

const char *text_size(char buffer[SHORT_TEXT], uint64_t bytes);
const char *text_rate(char buffer[SHORT_TEXT], double bytes_per_second);
const char *text_duration(char buffer[SHORT_TEXT], int64_t nanoseconds);
const char *text_user(char buffer[SHORT_TEXT], unsigned int uid);
const char *text_group(char buffer[SHORT_TEXT], unsigned int gid);
const char *plural(uint64_t number, const char *one, const char *many);
void print_escaped(FILE *stream, const char *data, size_t length);
double now_seconds(void);
void *allocate(size_t size);
char *format_text(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* table.c: aligned columns */
struct table;

/* Headings; one that begins with '>' is of a column aligned to the right. */
struct table *table_new(const char *const *headings, size_t columns);
/* Takes over @text, which free() must be able to free. */
void table_cell(struct table *table, char *text);
void table_print(const struct table *table, FILE *stream);
void table_free(struct table *table);

/* json.c */
json_t *json_of_object(const struct ipcbox_stat *state);
json_t *json_of_bytes(const char *data, size_t length, const char **encoding);
json_t *json_of_message(const struct ipcbox_incoming *message,
			const char *data);
void print_json(FILE *stream, json_t *value, bool indent);

/* object.c: objects as users name them */
struct target {
	const char *name;	/* NULL: by id */
	uint64_t id;
	char label[SHORT_TEXT + IPCBOX_NAME_MAX];
};

const char *kind_name(unsigned int kind);
const char *object_kind(const struct ipcbox_stat *state);
/* Ends the program if it is a stream, which has no messages. */
void refuse_stream(const struct ipcbox_stat *state);
void object_label(char label[SHORT_TEXT + IPCBOX_NAME_MAX],
		  const struct ipcbox_stat *state);
void parse_target(struct target *target, const char *text);
bool name_is_plain(const char *name);
struct ipcbox *open_box(void);
struct ipcbox_handle *open_target(struct ipcbox *box, struct target *target,
				  unsigned int rights);
struct ipcbox_handle *listen_mailbox(struct ipcbox *box, struct target *target);
void describe_target(struct target *target, unsigned int kind);
void find_target(struct ipcbox *box, struct target *target,
		 struct ipcbox_stat *state);
struct ipcbox_stat *list_objects(struct ipcbox *box, size_t *count);
const struct ipcbox_stat *find_object(const struct ipcbox_stat *objects,
				      size_t count, uint64_t id);
char *object_name(const struct ipcbox_stat *objects, size_t count, uint64_t id);
void handle_state(struct ipcbox_handle *handle, const struct target *target,
		  struct ipcbox_stat *state);
_Noreturn void fail_box(int error);
/* Ends the program if it is for want of room for descriptors. */
void fail_descriptors(const struct target *target,
		      const struct ipcbox_incoming *message);
_Noreturn void fail_target(const struct target *target,
			   enum ipcbox_operation operation, int error);

/* limits.c: the limits of the box as a table */
enum limit_unit { UNIT_BYTES, UNIT_MESSAGES, UNIT_OBJECTS, UNIT_PERCENT };

struct limit {
	const char *name;
	enum limit_unit unit;
	size_t value;		/* offset in struct ipcbox_info */
	size_t used;		/* likewise; 0: is not used up */
	const char *meaning;
};

extern const struct limit limits[];
extern const size_t limits_count;

uint64_t limit_value(const struct ipcbox_info *info, size_t offset);
/* NULL when they make sense together, else what is wrong. */
const char *limits_fault(const struct ipcbox_info *info);

/* Ends the program if one of @wanted, which are zero where nothing is asked, is
 * more than may be; @holds is how many bytes the object holds otherwise. */
struct object_limits {
	uint64_t max_messages;
	uint64_t max_bytes;
	uint64_t max_message_bytes;
};

void check_object_limits(struct ipcbox *box, const struct object_limits *wanted,
			 uint64_t holds);

/* dead.c: what becomes of messages that end without being received */
struct dead_settings {
	const char *letters;	/* as typed: NAME or none; NULL: not asked */
	bool deliveries_given;
	uint32_t max_deliveries;
};

#define DEAD_OPTIONS(letters, deliveries)				\
	{ "dead-letter", letters, "NAME", 0,				\
	  "Messages that expire, or are given back too often, go to NAME; none: they are only counted", \
	  0 },								\
	{ "max-deliveries", deliveries, "N", 0,				\
	  "A message that was given back N times ends; 0: it comes back for ever", 0 }

void dead_letter_argument(struct dead_settings *settings, const char *text);
void max_deliveries_argument(struct dead_settings *settings, const char *text);
void dead_changes(struct ipcbox *box, const struct dead_settings *settings,
		  struct ipcbox_set *changes);
const char *dead_reason(unsigned int dead);

/* selection.c: which messages */
enum { KEY_FROM = 0x200, KEY_SEQUENCE };

#define SELECTION_OPTIONS						\
	{ "tag", 'g', "VALUE[/MASK]", 0,				\
	  "Only messages of this tag, or whose tag has these bits where MASK has ones; 0x... in hexadecimal", \
	  0 },								\
	{ "from", KEY_FROM, "PID", 0,					\
	  "Only messages that this process sent", 0 },			\
	{ "sequence", KEY_SEQUENCE, "N", 0,				\
	  "Only the message of this number", 0 }

bool parse_selection(int key, const char *arg,
		     struct ipcbox_selection *selection);
bool selects(const struct ipcbox_selection *selection);

/* interrupt.c: signals that ask to stop */
void interrupt_catch(void);
int interrupt_pending(void);
/* Says that it was interrupted and that @done was done, and ends. */
_Noreturn void interrupt_die(const char *done);

/* users.c: who uses an object, as far as the caller may see it */
struct object_user {
	int pid;
	char command[20];
	unsigned int handles;	/* descriptors */
	char rights[8];		/* of one of them */
	unsigned int mappings;	/* of a region */
};

void each_user(uint64_t id, void (*found)(const struct object_user *user,
					  void *context), void *context);

/* progress.c: the line on the terminal while a file moves */
void progress_begin(const char *label, uint64_t total);
void progress_update(uint64_t bytes);
void progress_end(void);

/*
 * budget.c: after -EDQUOT, wait a moment. Returns false where that would not
 * help: @length bytes are more than the budget, or @deadline has come. The
 * first time, where @noted is false, it says why it waits.
 */
bool wait_for_budget(struct ipcbox *box, uint64_t length, uint64_t deadline,
		     bool *noted);

/* message.c: messages as people read them */
void print_header(const struct ipcbox_incoming *message);

/* The subcommands */
extern const struct argp call_argp, channel_argp, create_argp, dlq_argp,
			 doctor_argp,
			 limits_argp, ls_argp, peek_argp, pipe_argp,
			 recv_argp, region_argp, rm_argp, run_argp,
			 send_argp, serve_argp, set_argp, stat_argp,
			 watch_argp, work_argp;

int call_run(int argc, char **argv);
int channel_run(int argc, char **argv);
int create_run(int argc, char **argv);
int dlq_run(int argc, char **argv);
int doctor_run(int argc, char **argv);
int limits_run(int argc, char **argv);
int ls_run(int argc, char **argv);
int peek_run(int argc, char **argv);
int pipe_run(int argc, char **argv);
int recv_run(int argc, char **argv);
int region_run(int argc, char **argv);
int rm_run(int argc, char **argv);
int run_run(int argc, char **argv);
int send_run(int argc, char **argv);
int serve_run(int argc, char **argv);
int set_run(int argc, char **argv);
int stat_run(int argc, char **argv);
int watch_run(int argc, char **argv);
int work_run(int argc, char **argv);

#endif
