/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Deadlines: absolute nanoseconds of CLOCK_MONOTONIC. */
#include <limits.h>
#include <time.h>

#include "internal.h"

#define NS_PER_SECOND	1000000000
#define NS_PER_MS	1000000

/*
 * The kernel's clock counts in 63 bits: what lies beyond never comes. A
 * deadline is never 0, which would mean IPCBOX_FOREVER.
 */
#define CLOCK_END	((uint64_t)INT64_MAX)
#define LONG_PAST	1

static uint64_t now(void)
{
	struct timespec time;

	/* Cannot fail: the clock exists and the pointer is valid. */
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * NS_PER_SECOND + (uint64_t)time.tv_nsec;
}

static uint64_t after(uint64_t nanoseconds)
{
	uint64_t start = now();

	if (nanoseconds >= CLOCK_END - start)
		return IPCBOX_FOREVER;
	return start + nanoseconds;
}

uint64_t ipcbox_deadline_after_ns(int64_t nanoseconds)
{
	return nanoseconds < 0 ? IPCBOX_FOREVER : after((uint64_t)nanoseconds);
}

uint64_t ipcbox_deadline_after_ms(int64_t milliseconds)
{
	if (milliseconds < 0 || milliseconds > INT64_MAX / NS_PER_MS)
		return IPCBOX_FOREVER;
	return after((uint64_t)milliseconds * NS_PER_MS);
}

uint64_t ipcbox_deadline_at(int64_t seconds, int64_t nanoseconds)
{
	uint64_t part = (uint64_t)nanoseconds;
	uint64_t deadline;

	if (seconds < 0 || nanoseconds < 0)
		return LONG_PAST;
	if ((uint64_t)seconds >= (CLOCK_END - part) / NS_PER_SECOND)
		return IPCBOX_FOREVER;
	deadline = (uint64_t)seconds * NS_PER_SECOND + part;
	return deadline ? deadline : LONG_PAST;
}

int ipcbox_deadline_left_ms(uint64_t deadline)
{
	uint64_t start;
	uint64_t left;

	if (ipcbox_deadline_or_forever(deadline) == IPCBOX_FOREVER)
		return -1;
	start = now();
	if (deadline <= start)
		return 0;
	/* Rounded up: poll must not return before the deadline. */
	left = (deadline - start - 1) / NS_PER_MS + 1;
	return left < INT_MAX ? (int)left : INT_MAX;
}
