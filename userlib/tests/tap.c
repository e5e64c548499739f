/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#include "tap.h"

#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* For an emulated processor under sanitizers. */
#define TIME_LIMIT_SECONDS	120

/* Threads of a test may fail too. */
static atomic_int failures;

void tap_fail(const char *file, int line, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	/* One write, so that lines of several processes do not mix. */
	printf("# %s:%d: %s\n", file, line, text);
	fflush(stdout);
	atomic_fetch_add(&failures, 1);
}

void tap_equal(const char *file, int line, const char *what, long long seen,
	       long long expected)
{
	if (seen != expected)
		tap_fail(file, line, "%s is %lld, not %lld", what, seen,
			 expected);
}

void tap_exit(void)
{
	/* Through exit, where the leak checker looks. */
	exit(atomic_load(&failures) ? EXIT_FAILURE : EXIT_SUCCESS);
}

pid_t tap_spawn(void (*run)(void *), void *argument)
{
	pid_t child;

	fflush(stdout);
	child = fork();
	require(child >= 0);
	if (child == 0) {
		atomic_store(&failures, 0);
		alarm(TIME_LIMIT_SECONDS);
		run(argument);
		tap_exit();
	}
	return child;
}

void tap_join(pid_t child, const char *file, int line)
{
	int status;

	if (waitpid(child, &status, 0) != child)
		tap_fail(file, line, "process %d cannot be waited for", child);
	else if (WIFSIGNALED(status))
		tap_fail(file, line, "process %d was ended by %s", child,
			 strsignal(WTERMSIG(status)));
	else if (status != 0)
		tap_fail(file, line, "process %d failed", child);
}

int tap_run(const struct tap_test *tests, size_t count, void (*prepare)(void))
{
	size_t failed = 0;
	size_t i;

	printf("TAP version 13\n1..%zu\n", count);
	for (i = 0; i < count; i++) {
		int status = 0;
		pid_t child;

		fflush(stdout);
		child = fork();
		if (child == 0) {
			alarm(TIME_LIMIT_SECONDS);
			if (prepare)
				prepare();
			tests[i].run();
			tap_exit();
		}
		if (child < 0 || waitpid(child, &status, 0) != child) {
			printf("Bail out! no process for a test\n");
			return EXIT_FAILURE;
		}
		if (WIFSIGNALED(status))
			printf("# ended by %s\n", strsignal(WTERMSIG(status)));
		if (status != 0)
			failed++;
		printf("%s %zu - %s\n", status ? "not ok" : "ok", i + 1,
		       tests[i].name);
	}
	fflush(stdout);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
