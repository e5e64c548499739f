/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Tests that report in TAP. Each runs in a process of its own with a time
 * limit, so that one that crashes, hangs or gives up leaves the others alone.
 */
#ifndef TAP_H
#define TAP_H

#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tap_test {
	const char *name;
	void (*run)(void);
};

/*
 * Runs the tests, each after prepare if that is not NULL. Returns the exit
 * status for main: 0 if all passed.
 */
int tap_run(const struct tap_test *tests, size_t count, void (*prepare)(void));

/* Notes a failure; the test goes on. */
void tap_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Ends the test's process with what was noted. */
void tap_exit(void) __attribute__((noreturn));

/* Runs a function in a child of the test. */
pid_t tap_spawn(void (*run)(void *), void *argument);

/* Waits for the child; what failed in it is a failure of the test. */
void tap_join(pid_t child, const char *file, int line);
#define join(child)	tap_join(child, __FILE__, __LINE__)

#define check(condition)						\
	((condition) ? (void)0						\
		     : tap_fail(__FILE__, __LINE__, "not so: %s", #condition))

/* As check, and ends the test when it fails. */
#define require(condition)						\
	do {								\
		if (!(condition)) {					\
			tap_fail(__FILE__, __LINE__, "not so: %s",	\
				 #condition);				\
			tap_exit();					\
		}							\
	} while (0)

/* Numbers that must be equal, shown when they are not. */
#define equal(seen, expected)						\
	tap_equal(__FILE__, __LINE__, #seen, (long long)(seen),	\
		  (long long)(expected))
void tap_equal(const char *file, int line, const char *what, long long seen,
	       long long expected);

#define TAP_TEST(function)	{ #function, function }
#define TAP_MAIN(prepare, ...)						\
	int main(void)							\
	{								\
		static const struct tap_test tests[] = { __VA_ARGS__ };	\
									\
		return tap_run(tests, sizeof(tests) / sizeof(tests[0]),	\
			       prepare);				\
	}

#ifdef __cplusplus
}
#endif

#endif /* TAP_H */
