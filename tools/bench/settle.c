/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "settle.h"

#define CLOCK "/sys/devices/system/clocksource/clocksource0/current_clocksource"

/* The length of a look at the host, and how many must find it quiet at once. */
#define LOOK_MS		200
#define LOOKS_QUIET	3
#define LOOKS_MAX	300

static bool clock_is_final(void)
{
	FILE *file = fopen(CLOCK, "re");
	char name[32] = "";

	if (!file)
		return true;
	if (!fgets(name, sizeof(name), file))
		name[0] = '\0';
	fclose(file);
	return strcmp(name, "tsc-early\n") && strcmp(name, "jiffies\n") &&
	       strcmp(name, "refined-jiffies\n");
}

/* Milliseconds that the processors were idle, together. */
static unsigned long idle_ms(void)
{
	FILE *file = fopen("/proc/stat", "re");
	unsigned long ticks = 0;

	if (!file)
		return 0;
	if (fscanf(file, "cpu %*u %*u %*u %lu", &ticks) != 1)
		ticks = 0;
	fclose(file);
	return ticks * 1000 / (unsigned long)sysconf(_SC_CLK_TCK);
}

/* A tenth of the time is for what we do ourselves, and for rounding. */
static bool is_quiet(void)
{
	const struct timespec look = { .tv_nsec = LOOK_MS * 1000000L };
	unsigned long processors =
		(unsigned long)sysconf(_SC_NPROCESSORS_ONLN);
	unsigned long before = idle_ms();

	nanosleep(&look, NULL);
	return (idle_ms() - before) * 10 >= LOOK_MS * processors * 9;
}

int settle(void)
{
	int quiet = 0;

	for (int i = 0; i < LOOKS_MAX && quiet < LOOKS_QUIET; i++)
		quiet = is_quiet() && clock_is_final() ? quiet + 1 : 0;
	return quiet == LOOKS_QUIET ? 0 : -ETIMEDOUT;
}
