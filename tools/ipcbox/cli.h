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
void print_json(FILE *stream, json_t *value, bool indent);

/* object.c: objects as users name them */
struct target {
	const char *name;	/* NULL: by id */
	uint64_t id;
	char label[SHORT_TEXT + IPCBOX_NAME_MAX];
};

const char *kind_name(unsigned int kind);
void object_label(char label[SHORT_TEXT + IPCBOX_NAME_MAX],
		  const struct ipcbox_stat *state);
void parse_target(struct target *target, const char *text);
bool name_is_plain(const char *name);
struct ipcbox *open_box(void);
struct ipcbox_handle *open_target(struct ipcbox *box, struct target *target,
				  unsigned int rights);
void describe_target(struct target *target, unsigned int kind);
void find_target(struct ipcbox *box, struct target *target,
		 struct ipcbox_stat *state);
struct ipcbox_stat *list_objects(struct ipcbox *box, size_t *count);
void handle_state(struct ipcbox_handle *handle, const struct target *target,
		  struct ipcbox_stat *state);
_Noreturn void fail_box(int error);
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

/* interrupt.c: signals that ask to stop */
void interrupt_catch(void);
int interrupt_pending(void);
/* Says that it was interrupted and that @done was done, and ends. */
_Noreturn void interrupt_die(const char *done);

/* progress.c: the line on the terminal while a file moves */
void progress_begin(const char *label, uint64_t total);
void progress_update(uint64_t bytes);
void progress_end(void);

/* The subcommands */
extern const struct argp create_argp, doctor_argp, limits_argp, ls_argp,
			 recv_argp, rm_argp, send_argp, stat_argp, watch_argp;

int create_run(int argc, char **argv);
int doctor_run(int argc, char **argv);
int limits_run(int argc, char **argv);
int ls_run(int argc, char **argv);
int recv_run(int argc, char **argv);
int rm_run(int argc, char **argv);
int send_run(int argc, char **argv);
int stat_run(int argc, char **argv);
int watch_run(int argc, char **argv);

#endif
