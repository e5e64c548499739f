/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define PARAMETERS	"/sys/module/ipcbox/parameters"

struct change {
	const struct limit *limit;
	uint64_t value;
};

struct limits_request {
	size_t count;
	struct change *changes;
};

static const struct argp_option options[] = {
	{ "set", 's', "NAME=VALUE", 0,
	  "Change a limit, as root; sizes may be typed 64K or 8M. May be repeated",
	  0 },
	{ 0 }
};

static void parse_change(struct change *change, const char *text)
{
	const char *equals = strchr(text, '=');
	size_t i, length;

	if (!equals)
		usage_error("--set '%s' is not of the form NAME=VALUE", text);
	length = (size_t)(equals - text);
	for (i = 0; i < limits_count; i++)
		if (strlen(limits[i].name) == length &&
		    !strncmp(limits[i].name, text, length))
			break;
	if (i == limits_count)
		usage_error("there is no limit '%.*s'; 'ipcbox limits' lists them",
			    (int)length, text);
	change->limit = &limits[i];
	change->value = limits[i].unit == UNIT_BYTES ?
			size_argument(limits[i].name, equals + 1) :
			number_argument(limits[i].name, equals + 1, 0,
					UINT64_MAX);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct limits_request *request = state->input;

	switch (key) {
	case 's':
		parse_change(&request->changes[request->count++], arg);
		return 0;
	case ARGP_KEY_ARG:
		usage_error("unexpected argument '%s'; to change a limit: --set NAME=VALUE",
			    arg);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp limits_argp = {
	.options = options, .parser = parse, .args_doc = "",
	.children = common_children,
	.doc = "Show the limits in force and what you have used of them, or change them.\v"
	       "A change holds until the module is unloaded; a line 'options ipcbox NAME=VALUE' "
	       "in /etc/modprobe.d/ipcbox.conf makes it last. It concerns what is made and sent "
	       "afterwards. Example:\n\n  ipcbox limits --set user_bytes=256M",
};

static void apply(const struct change *change)
{
	char *path = format_text("%s/%s", PARAMETERS, change->limit->name);
	char *value = format_text("%llu", (unsigned long long)change->value);
	int file = open(path, O_WRONLY | O_CLOEXEC);

	if (file < 0) {
		int error = errno;

		if (error == EACCES || error == EROFS)
			fail(STATUS_PERMISSION, error,
			     "only root may change limits: try 'sudo ipcbox limits --set %s=%s'",
			     change->limit->name, value);
		if (error == ENOENT && access(PARAMETERS, F_OK))
			fail(STATUS_NO_MODULE, error,
			     "%s is not there: the module is not loaded; ask 'ipcbox doctor'",
			     PARAMETERS);
		fail(STATUS_FAILED, error, "cannot open %s: %s", path,
		     strerror(error));
	}
	if (write(file, value, strlen(value)) < 0) {
		if (errno == EINVAL || errno == ERANGE)
			fail(STATUS_FAILED, errno,
			     "the module does not accept %s for %s: it is out of range",
			     value, change->limit->name);
		fail(status_of_error(errno), errno, "cannot write %s: %s", path,
		     strerror(errno));
	}
	close(file);
	free(value);
	free(path);
}

static const char *unit_name(enum limit_unit unit)
{
	switch (unit) {
	case UNIT_BYTES:
		return "bytes";
	case UNIT_MESSAGES:
		return "messages";
	case UNIT_OBJECTS:
		return "objects";
	default:
		return "percent";
	}
}

static char *text_of(const struct limit *limit, uint64_t value)
{
	char size[SHORT_TEXT];

	if (limit->unit == UNIT_BYTES)
		return format_text("%s", text_size(size, value));
	return format_text("%llu%s", (unsigned long long)value,
			   limit->unit == UNIT_PERCENT ? " %" : "");
}

static void print_table(const struct ipcbox_info *info)
{
	static const char *const headings[] = {
		"LIMIT", ">VALUE", ">IN USE", "MEANING",
	};
	struct table *table = table_new(headings, 4);
	size_t i;

	for (i = 0; i < limits_count; i++) {
		const struct limit *limit = &limits[i];

		table_cell(table, format_text("%s", limit->name));
		table_cell(table,
			   text_of(limit, limit_value(info, limit->value)));
		table_cell(table, limit->used ?
			   text_of(limit, limit_value(info, limit->used)) :
			   format_text("-"));
		table_cell(table, format_text("%s", limit->meaning));
	}
	table_print(table, stdout);
	table_free(table);
	printf("\nDiscarded so far, because their object was destroyed: %llu %s.\n",
	       (unsigned long long)info->discarded,
	       plural(info->discarded, "message", "messages"));
}

static void print_limits_json(const struct ipcbox_info *info)
{
	json_t *all = json_object();
	size_t i;

	for (i = 0; i < limits_count; i++) {
		const struct limit *limit = &limits[i];
		uint64_t value = limit_value(info, limit->value);
		json_t *used = limit->used ?
			json_integer((json_int_t)limit_value(info,
							     limit->used)) :
			json_null();

		json_object_set_new(all, limit->name,
				    json_pack("{s:I, s:o, s:s}",
					      "value", (json_int_t)value,
					      "used", used,
					      "unit", unit_name(limit->unit)));
	}
	print_json(stdout, json_pack("{s:i, s:o, s:I}", "abi", (int)info->abi,
				     "limits", all, "discarded",
				     (json_int_t)info->discarded), true);
}

int limits_run(int argc, char **argv)
{
	struct limits_request request = { .count = 0 };
	struct ipcbox_info info;
	const char *fault;
	struct ipcbox *box;
	size_t i;
	int error;

	request.changes = allocate((size_t)argc * sizeof(*request.changes));
	parse_arguments(argc, argv, &request);
	for (i = 0; i < request.count; i++)
		apply(&request.changes[i]);

	box = open_box();
	error = ipcbox_info(box, &info);
	if (error)
		fail(status_of_error(error), error,
		     "cannot read the limits: %s",
		     ipcbox_explain(IPCBOX_OPERATION_INFO, error));
	fault = request.count ? limits_fault(&info) : NULL;
	if (fault)
		warn("the limits do not fit together: %s", fault);
	if (cli.json)
		print_limits_json(&info);
	else if (!request.count || !cli.quiet)
		print_table(&info);
	free(request.changes);
	ipcbox_box_close(box);
	return STATUS_OK;
}
