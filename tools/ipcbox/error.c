/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Complaints: one plain line on stderr, or with --json one line of JSON there.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum status status_of_error(int error)
{
	switch (abs(error)) {
	case EAGAIN:
	case ETIMEDOUT:
		return STATUS_TIMEOUT;
	case ENOENT:
		return STATUS_NO_OBJECT;
	case EACCES:
	case EPERM:
		return STATUS_PERMISSION;
	case ENXIO:
	case ENODEV:
	case ENOTTY:
	case EPROTONOSUPPORT:
		return STATUS_NO_MODULE;
	case EDQUOT:
	case ENOSPC:
		return STATUS_LIMIT;
	case EPIPE:
	case EOWNERDEAD:
		return STATUS_PEER_GONE;
	case EBUSY:
	case EEXIST:
		return STATUS_BUSY;
	default:
		return STATUS_FAILED;
	}
}

static void complain(const char *key, int status, int error,
		     const char *format, va_list arguments)
{
	const char *name = cli.command ? cli.command->name : NULL;
	char *message;

	progress_end();
	fflush(stdout);
	if (vasprintf(&message, format, arguments) < 0)
		message = NULL;

	if (cli.json) {
		const char *code = strerrorname_np(abs(error));
		json_t *body = json_pack("{s:s?, s:s?}", "command", name,
					 "message", message);

		if (status >= 0)
			json_object_set_new(body, "exit", json_integer(status));
		if (error && code)
			json_object_set_new(body, "errno", json_string(code));
		print_json(stderr, json_pack("{s:o}", key, body), false);
	} else {
		fprintf(stderr, "ipcbox: %s%s%s\n", name ? name : "",
			name ? ": " : "", message ? message : "out of memory");
	}
	free(message);
}

void report_error(int status, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	complain("error", status, error, format, arguments);
	va_end(arguments);
}

void fail(enum status status, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	complain("error", (int)status, error, format, arguments);
	va_end(arguments);
	exit((int)status);
}

void usage_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	complain("error", STATUS_USAGE, 0, format, arguments);
	va_end(arguments);
	exit(STATUS_USAGE);
}

void warn(const char *format, ...)
{
	va_list arguments;

	if (cli.quiet)
		return;
	va_start(arguments, format);
	complain("warning", -1, 0, format, arguments);
	va_end(arguments);
}

void fail_memory(void)
{
	fail(STATUS_FAILED, ENOMEM, "out of memory");
}

/* Output that did not arrive is a failure, but no news when the reader left. */
void finish_output(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return;
	if (errno == EPIPE) {
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	fail(STATUS_FAILED, errno, "cannot write the output: %s",
	     strerror(errno));
}
