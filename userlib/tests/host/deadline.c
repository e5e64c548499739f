/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Deadlines are absolute, saturate, and never turn into "for ever" by chance. */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <time.h>

#include <ipcbox.h>

#include "tap.h"

#define SECOND	1000000000ull
#define MS	1000000ull

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

static void after_is_from_now(void)
{
	uint64_t before = now();
	uint64_t ns = ipcbox_deadline_after_ns(5);
	uint64_t ms = ipcbox_deadline_after_ms(7000);
	uint64_t after = now();

	check(ns >= before + 5 && ns <= after + 5);
	check(ms >= before + 7 * SECOND && ms <= after + 7 * SECOND);
}

static void after_zero_is_now(void)
{
	uint64_t before = now();
	uint64_t ns = ipcbox_deadline_after_ns(0);
	uint64_t ms = ipcbox_deadline_after_ms(0);
	uint64_t after = now();

	check(ns >= before && ns <= after);
	check(ms >= before && ms <= after);
	check(ns != 0 && ms != 0);
}

static void after_negative_is_for_ever(void)
{
	check(ipcbox_deadline_after_ns(-1) == IPCBOX_FOREVER);
	check(ipcbox_deadline_after_ns(INT64_MIN) == IPCBOX_FOREVER);
	check(ipcbox_deadline_after_ms(-1) == IPCBOX_FOREVER);
	check(ipcbox_deadline_after_ms(INT64_MIN) == IPCBOX_FOREVER);
}

static void after_saturates(void)
{
	check(ipcbox_deadline_after_ns(INT64_MAX) == IPCBOX_FOREVER);
	check(ipcbox_deadline_after_ms(INT64_MAX) == IPCBOX_FOREVER);
	check(ipcbox_deadline_after_ms(INT64_MAX / 1000000) == IPCBOX_FOREVER);
	/* A hundred years are not for ever. */
	check(ipcbox_deadline_after_ms(100ll * 365 * 86400 * 1000) <
	      (uint64_t)INT64_MAX);
}

static void at_is_absolute(void)
{
	check(ipcbox_deadline_at(3, 4) == 3 * SECOND + 4);
	check(ipcbox_deadline_at(0, 1) == 1);
	check(ipcbox_deadline_at(1, INT32_MAX) == SECOND + INT32_MAX);
}

static void at_the_past_has_passed(void)
{
	/* 0 would mean for ever. */
	check(ipcbox_deadline_at(0, 0) == 1);
	check(ipcbox_deadline_at(-1, 999999999) == 1);
	check(ipcbox_deadline_at(5, -1) == 1);
	check(ipcbox_deadline_at(INT64_MIN, 0) == 1);
	equal(ipcbox_deadline_left_ms(ipcbox_deadline_at(0, 0)), 0);
}

static void at_saturates(void)
{
	check(ipcbox_deadline_at(INT64_MAX, 0) == IPCBOX_FOREVER);
	check(ipcbox_deadline_at(INT64_MAX, INT64_MAX) == IPCBOX_FOREVER);
	check(ipcbox_deadline_at(0, INT64_MAX) == IPCBOX_FOREVER);
	check(ipcbox_deadline_at(INT64_MAX / 1000000000, 0) == IPCBOX_FOREVER);
	check(ipcbox_deadline_at(INT64_MAX / 1000000000 - 1, 0) <
	      (uint64_t)INT64_MAX);
}

static void left_is_rounded_up(void)
{
	/* What passes between the two calls is less than the second more. */
	int left = ipcbox_deadline_left_ms(now() + 2 * SECOND + 1);

	check(left <= 2001 && left >= 1);
	equal(ipcbox_deadline_left_ms(now() + 3600 * SECOND) / 1000 >= 3590, 1);
	/* A part of a millisecond is one, unless it has passed. */
	left = ipcbox_deadline_left_ms(now() + MS / 2);
	check(left == 1 || left == 0);
}

static void left_without_deadline_is_for_ever(void)
{
	equal(ipcbox_deadline_left_ms(0), -1);
	equal(ipcbox_deadline_left_ms(IPCBOX_FOREVER), -1);
}

static void left_is_in_range(void)
{
	equal(ipcbox_deadline_left_ms(1), 0);
	equal(ipcbox_deadline_left_ms(now()), 0);
	equal(ipcbox_deadline_left_ms(INT64_MAX), INT_MAX);
	equal(ipcbox_deadline_left_ms(IPCBOX_FOREVER - 1), INT_MAX);
}

static void errno_is_left_alone(void)
{
	errno = ECHILD;
	ipcbox_deadline_after_ms(1);
	ipcbox_deadline_at(-1, -1);
	ipcbox_deadline_left_ms(1);
	equal(errno, ECHILD);
}

TAP_MAIN(NULL, TAP_TEST(after_is_from_now), TAP_TEST(after_zero_is_now),
	 TAP_TEST(after_negative_is_for_ever), TAP_TEST(after_saturates),
	 TAP_TEST(at_is_absolute), TAP_TEST(at_the_past_has_passed),
	 TAP_TEST(at_saturates), TAP_TEST(left_is_rounded_up),
	 TAP_TEST(left_without_deadline_is_for_ever),
	 TAP_TEST(left_is_in_range), TAP_TEST(errno_is_left_alone))
