/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Shared memory: made, read, written and sealed; and its semaphores. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

enum {
	KEY_SEMAPHORES = 0x100, KEY_HUGE, KEY_EXCLUSIVE, KEY_OFFSET,
	KEY_LENGTH, KEY_COUNT, KEY_TIMEOUT,
};

#define WORDS_MAX	(IPCBOX_SEMAPHORES_MAX + 2)

struct region_request {
	size_t words;
	const char *word[WORDS_MAX];
	struct target target;
	struct ipcbox_create_options create;
	bool mode_given;
	uint64_t offset;
	bool length_given;
	uint64_t length;
	uint32_t count;
	bool timeout_given;
	int64_t timeout;
};

static const struct argp_option options[] = {
	{ "mode", 'm', "MODE", 0,
	  "create: permissions in octal, exactly so: r maps to read, w to write. Default: 0600, less the umask",
	  0 },
	{ "semaphores", KEY_SEMAPHORES, "N", 0,
	  "create: with N semaphores, of value 0", 0 },
	{ "huge", KEY_HUGE, NULL, 0,
	  "create: of huge pages, where the kernel has any", 0 },
	{ "exclusive", KEY_EXCLUSIVE, NULL, 0,
	  "create: fail if the name is taken", 0 },
	{ "offset", KEY_OFFSET, "SIZE", 0,
	  "read, write: begin here: 4096, 64K, 8M", 0 },
	{ "length", KEY_LENGTH, "SIZE", 0,
	  "read: no more than this", 0 },
	{ "count", KEY_COUNT, "N", 0,
	  "take, give: so many at once; 1 unless given", 0 },
	{ "timeout", KEY_TIMEOUT, "TIME", 0,
	  "take: give up after TIME: 500ms, 2s; 0 for at once", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct region_request *request = state->input;

	switch (key) {
	case 'm':
		if (!parse_mode(arg, &request->create.mode))
			usage_error("--mode '%s' is not an octal mode of r and w bits, like 0640",
				    arg);
		request->mode_given = true;
		return 0;
	case KEY_SEMAPHORES:
		request->create.semaphores =
			(unsigned int)number_argument("--semaphores", arg, 1,
						      IPCBOX_SEMAPHORES_MAX);
		return 0;
	case KEY_HUGE:
		request->create.flags |= IPCBOX_CREATE_HUGE;
		return 0;
	case KEY_EXCLUSIVE:
		request->create.flags |= IPCBOX_CREATE_EXCLUSIVE;
		return 0;
	case KEY_OFFSET:
		request->offset = size_argument("--offset", arg);
		return 0;
	case KEY_LENGTH:
		request->length = size_argument("--length", arg);
		request->length_given = true;
		return 0;
	case KEY_COUNT:
		request->count = (uint32_t)number_argument("--count", arg, 1,
							   IPCBOX_SEM_VALUE_MAX);
		return 0;
	case KEY_TIMEOUT:
		request->timeout = duration_argument("--timeout", arg);
		request->timeout_given = true;
		return 0;
	case ARGP_KEY_ARG:
		if (request->words == WORDS_MAX)
			usage_error("too many arguments");
		request->word[request->words++] = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp region_argp = {
	.options = options, .parser = parse,
	.args_doc = "create NAME SIZE\nread NAME\nwrite NAME\nseal NAME\n"
		    "semaphores NAME\nset NAME N=VALUE[/MAXIMUM]...\n"
		    "take NAME N\ngive NAME N",
	.children = common_children,
	.doc = "Make and use shared memory, and semaphores.\v"
	       "create makes a region that lives until 'ipcbox rm'; SIZE may be 0 when it has "
	       "semaphores. read writes what is in it to the standard output, write takes its "
	       "content from the standard input. seal makes its content final, for ever. "
	       "semaphores shows them, set gives them values, take and give change them by 1, or "
	       "by --count. Examples:\n\n"
	       "  ipcbox region create image 8M --semaphores 2\n"
	       "  ipcbox region write image <photo.raw && ipcbox region seal image\n"
	       "  ipcbox region read image --length 1M >part\n"
	       "  ipcbox region set image 0=1/1\n"
	       "  ipcbox region take image 0 --timeout 2s",
};

static _Noreturn void fail_region(const struct region_request *request,
				  enum ipcbox_operation operation, int error)
{
	const char *label = request->target.label;
	enum status status = status_of_error(error);

	if (error == -EBUSY)
		fail(STATUS_BUSY, error,
		     "%s is mapped for writing; 'ipcbox stat' shows by whom",
		     label);
	if (error == -ENOTTY)
		fail(STATUS_FAILED, error, "%s is no region", label);
	if (error == -EPIPE)
		fail(STATUS_PEER_GONE, error, "%s was removed", label);
	if (error == -EPERM && operation == IPCBOX_OPERATION_MAP)
		fail(STATUS_PERMISSION, error,
		     "%s is sealed: its content is final", label);
	if (operation == IPCBOX_OPERATION_SEM || error == -EINVAL)
		fail(status, error, "%s: %s", label,
		     ipcbox_explain(operation, error));
	fail_target(&request->target, operation, error);
}

static struct ipcbox_handle *open_region(struct ipcbox *box,
					 struct region_request *request,
					 unsigned int rights)
{
	struct ipcbox_handle *handle = open_target(box, &request->target,
						   rights);

	if (ipcbox_handle_kind(handle) != IPCBOX_REGION)
		fail(STATUS_FAILED, EINVAL, "%s is no region",
		     request->target.label);
	return handle;
}

static void want_words(const struct region_request *request, size_t count,
		       const char *what)
{
	if (request->words < count)
		usage_error("give %s", what);
	if (request->words > count)
		usage_error("unexpected argument '%s'", request->word[count]);
}

static unsigned int semaphore_argument(const char *text)
{
	return (unsigned int)number_argument("semaphore", text, 0,
					     IPCBOX_SEMAPHORES_MAX - 1);
}

/*
 * Actions
 */

static void create_action(struct ipcbox *box, struct region_request *request)
{
	struct ipcbox_create_options *create = &request->create;
	struct ipcbox_handle *handle;
	struct ipcbox_stat state;
	char size[SHORT_TEXT];
	bool created;
	int error;

	want_words(request, 3, "the NAME of what to make, and its SIZE");
	if (!name_is_plain(request->word[1]))
		usage_error("'%s' would be taken for an id; choose another name",
			    request->word[1]);
	create->name = request->target.name;
	create->mapped_bytes = size_argument("SIZE", request->word[2]);
	if (!create->mapped_bytes && !create->semaphores)
		usage_error("a SIZE of 0 needs --semaphores");
	create->kind = IPCBOX_REGION;
	create->rights = IPCBOX_RIGHT_MANAGE;
	create->flags |= IPCBOX_CREATE_PERSISTENT;
	if (request->mode_given)
		umask(0);
	error = ipcbox_create(box, create, &handle);
	if (error == -EEXIST)
		fail(STATUS_BUSY, error,
		     "'%s' is there already; remove it with 'ipcbox rm %s', or choose another name",
		     create->name, create->name);
	if (error == -EDQUOT)
		fail(STATUS_LIMIT, error,
		     "you have as many objects, or as much memory, as one user may have; remove some, or have root raise user_objects or user_mapped_bytes ('ipcbox limits --help')");
	if (error)
		fail_region(request, IPCBOX_OPERATION_CREATE, error);
	created = ipcbox_handle_created(handle);
	handle_state(handle, &request->target, &state);
	if (cli.json) {
		json_t *object = json_of_object(&state);

		json_object_set_new(object, "created", json_boolean(created));
		print_json(stdout, object, true);
	} else if (!cli.quiet) {
		printf("region '%s' (id:%llu) %s: mode %04o, %s, %u %s\n",
		       create->name, (unsigned long long)state.id,
		       created ? "made" : "was there already, and is unchanged",
		       state.mode, text_size(size, state.mapped_bytes),
		       state.semaphores,
		       plural(state.semaphores, "semaphore", "semaphores"));
	}
	ipcbox_close(handle);
}

static void *map(struct region_request *request, struct ipcbox_handle *handle,
		 unsigned int flags, size_t *size)
{
	void *memory;
	int error = ipcbox_region_map(handle, flags, &memory, size);

	if (error)
		fail_region(request, IPCBOX_OPERATION_MAP, error);
	if (request->offset > *size)
		fail(STATUS_USAGE, EINVAL,
		     "--offset is beyond the end of %s, which has %zu bytes",
		     request->target.label, *size);
	return memory;
}

static void read_action(struct ipcbox *box, struct region_request *request)
{
	struct ipcbox_handle *handle;
	size_t size, length;
	char *memory;

	want_words(request, 2, "the NAME of a region");
	handle = open_region(box, request, IPCBOX_RIGHT_RECEIVE);
	memory = map(request, handle, IPCBOX_MAP_READ, &size);
	length = size - (size_t)request->offset;
	if (request->length_given && request->length < length)
		length = (size_t)request->length;
	if (fwrite(memory + request->offset, 1, length, stdout) != length)
		fail(STATUS_FAILED, errno, "cannot write: %s",
		     strerror(errno));
	ipcbox_region_unmap(memory, size);
	ipcbox_close(handle);
}

static void write_action(struct ipcbox *box, struct region_request *request)
{
	struct ipcbox_handle *handle;
	size_t size, length = 0;
	char *memory, more;
	ssize_t got;

	want_words(request, 2, "the NAME of a region");
	handle = open_region(box, request,
			     IPCBOX_RIGHT_RECEIVE | IPCBOX_RIGHT_SEND);
	memory = map(request, handle, IPCBOX_MAP_WRITE, &size);
	memory += request->offset;
	size -= (size_t)request->offset;
	do {
		got = length < size ? read(STDIN_FILENO, memory + length,
					   size - length) :
				      read(STDIN_FILENO, &more, 1);
		if (got > 0 && length == size)
			fail(STATUS_LIMIT, EMSGSIZE,
			     "the input is longer than the %zu bytes there are in %s; they are written",
			     size, request->target.label);
		if (got > 0)
			length += (size_t)got;
	} while (got > 0 || (got < 0 && errno == EINTR));
	if (got < 0)
		fail(STATUS_FAILED, errno, "cannot read: %s", strerror(errno));
	if (cli.json)
		print_json(stdout, json_pack("{s:I}", "written",
					     (json_int_t)length), true);
	ipcbox_close(handle);
}

static void seal_action(struct ipcbox *box, struct region_request *request)
{
	struct ipcbox_handle *handle;
	int error;

	want_words(request, 2, "the NAME of a region");
	handle = open_region(box, request, IPCBOX_RIGHT_SEND);
	error = ipcbox_region_seal(handle);
	if (error)
		fail_region(request, IPCBOX_OPERATION_SEAL, error);
	if (cli.json)
		print_json(stdout, json_pack("{s:b}", "sealed", 1), true);
	ipcbox_close(handle);
}

static void print_semaphores(const struct ipcbox_sem_state *states,
			     unsigned int count)
{
	static const char *const headings[] = {
		">NUMBER", ">VALUE", ">MAXIMUM", ">WAITING", ">WAITING FOR 0",
		">LAST USED BY", "HOLDER",
	};
	struct table *table = table_new(headings, 7);
	unsigned int i;

	for (i = 0; i < count; i++) {
		table_cell(table, format_text("%u", i));
		table_cell(table, format_text("%u", states[i].value));
		table_cell(table, format_text("%u", states[i].maximum));
		table_cell(table, format_text("%u", states[i].rising));
		table_cell(table, format_text("%u", states[i].falling));
		table_cell(table, states[i].pid ?
			   format_text("%d", states[i].pid) :
			   format_text("-"));
		table_cell(table, format_text("%s", states[i].flags &
					      IPCBOX_SEM_DEAD ? "died" : "-"));
	}
	table_print(table, stdout);
	table_free(table);
}

static json_t *json_of_semaphores(const struct ipcbox_sem_state *states,
				  unsigned int count)
{
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < count; i++)
		json_array_append_new(list, json_pack(
			"{s:i, s:i, s:i, s:i, s:i, s:b}",
			"value", (int)states[i].value,
			"maximum", (int)states[i].maximum,
			"waiting", (int)states[i].rising,
			"waiting_for_zero", (int)states[i].falling,
			"pid", (int)states[i].pid,
			"holder_died", !!(states[i].flags & IPCBOX_SEM_DEAD)));
	return json_pack("{s:o}", "semaphores", list);
}

static void semaphores_action(struct ipcbox *box,
			      struct region_request *request)
{
	struct ipcbox_sem_state *states;
	struct ipcbox_handle *handle;
	struct ipcbox_stat state;
	int error;

	want_words(request, 2, "the NAME of a region");
	handle = open_region(box, request, IPCBOX_RIGHT_LOOK);
	handle_state(handle, &request->target, &state);
	states = allocate((state.semaphores + 1) * sizeof(*states));
	error = state.semaphores ?
		ipcbox_sem_get(handle, 0, states, state.semaphores) : 0;
	if (error)
		fail_region(request, IPCBOX_OPERATION_SEM, error);
	if (cli.json)
		print_json(stdout,
			   json_of_semaphores(states, state.semaphores), true);
	else
		print_semaphores(states, state.semaphores);
	free(states);
	ipcbox_close(handle);
}

/* N=VALUE or N=VALUE/MAXIMUM */
static struct ipcbox_sem_value parse_value(const char *word)
{
	struct ipcbox_sem_value value = { .maximum = IPCBOX_SEM_VALUE_MAX };
	char *text = format_text("%s", word);
	char *equals = strchr(text, '=');
	char *slash = equals ? strchr(equals, '/') : NULL;

	if (!equals)
		usage_error("'%s' is not of the form N=VALUE or N=VALUE/MAXIMUM",
			    word);
	*equals++ = 0;
	if (slash) {
		*slash++ = 0;
		value.maximum = (uint32_t)number_argument("MAXIMUM", slash, 1,
							  IPCBOX_SEM_VALUE_MAX);
	}
	value.semaphore = semaphore_argument(text);
	value.value = (uint32_t)number_argument("VALUE", equals, 0,
						value.maximum);
	free(text);
	return value;
}

static void set_action(struct ipcbox *box, struct region_request *request)
{
	struct ipcbox_sem_value *values;
	struct ipcbox_handle *handle;
	size_t i, count = request->words - 2;
	int error;

	if (request->words < 3)
		usage_error("give the NAME of a region, and N=VALUE");
	values = allocate(count * sizeof(*values));
	for (i = 0; i < count; i++)
		values[i] = parse_value(request->word[i + 2]);
	handle = open_region(box, request, IPCBOX_RIGHT_MANAGE);
	error = ipcbox_sem_set(handle, values, (unsigned int)count);
	if (error)
		fail_region(request, IPCBOX_OPERATION_SEM, error);
	free(values);
	ipcbox_close(handle);
}

static void change_action(struct ipcbox *box, struct region_request *request,
			  int sign)
{
	struct ipcbox_sem_operation operation = {
		.change = sign * (int32_t)request->count,
	};
	uint64_t deadline = IPCBOX_FOREVER;
	struct ipcbox_handle *handle;
	int error;

	want_words(request, 3, "the NAME of a region and the number of a semaphore");
	operation.semaphore = semaphore_argument(request->word[2]);
	handle = open_region(box, request, IPCBOX_RIGHT_SEND);
	if (request->timeout_given)
		deadline = ipcbox_deadline_after_ns(request->timeout);
	interrupt_catch();
	do {
		error = ipcbox_sem_operate(handle, &operation, 1, 0, deadline);
	} while (error == -EINTR && !interrupt_pending());
	if (error == -EINTR)
		interrupt_die("nothing was taken");
	if (error == -EOWNERDEAD)
		warn("who held semaphore %u of %s has died; you have it now",
		     operation.semaphore, request->target.label);
	else if (error)
		fail_region(request, IPCBOX_OPERATION_SEM, error);
	ipcbox_close(handle);
}

static void take_action(struct ipcbox *box, struct region_request *request)
{
	change_action(box, request, -1);
}

static void give_action(struct ipcbox *box, struct region_request *request)
{
	change_action(box, request, 1);
}

static const struct action {
	const char *name;
	void (*run)(struct ipcbox *box, struct region_request *request);
} actions[] = {
	{ "create", create_action },
	{ "read", read_action },
	{ "write", write_action },
	{ "seal", seal_action },
	{ "semaphores", semaphores_action },
	{ "set", set_action },
	{ "take", take_action },
	{ "give", give_action },
};

int region_run(int argc, char **argv)
{
	static struct region_request request = { .count = 1 };
	const struct action *action = NULL;
	struct ipcbox *box;
	size_t i;

	parse_arguments(argc, argv, &request);
	for (i = 0; request.words && i < sizeof(actions) / sizeof(actions[0]);
	     i++)
		if (!strcmp(actions[i].name, request.word[0]))
			action = &actions[i];
	if (!action)
		usage_error("say what to do: create, read, write, seal, semaphores, set, take or give");
	if (request.words < 2)
		usage_error("give the NAME of a region (shells take an unquoted #5 for a comment: type id:5)");
	parse_target(&request.target, request.word[1]);
	box = open_box();
	action->run(box, &request);
	ipcbox_box_close(box);
	return STATUS_OK;
}
