/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* The kernel's memory for a message that waits. */
#include <stdio.h>
#include <unistd.h>

#include "workloads.h"

static const unsigned long sizes[] = { 16, 64, 1024, POINTS_END };

/*
 * What the first messages take may have been there: the memory is that of those
 * from FEW to MANY.
 */
#define FEW	4000
#define MANY	36000

int64_t memory_free(void)
{
	FILE *refresh = fopen("/proc/sys/vm/stat_refresh", "we");
	FILE *zones;
	int64_t total = 0;
	int64_t pages;
	char line[128];

	/* Each processor's counts go into those of the zones. */
	if (!refresh)
		return failure();
	fputs("1", refresh);
	fclose(refresh);
	zones = fopen("/proc/zoneinfo", "re");
	if (!zones)
		return failure();
	while (fgets(line, sizeof(line), zones))
		if (sscanf(line, " nr_free_pages %ld", &pages) == 1 ||
		    sscanf(line, " count: %ld", &pages) == 1)
			total += pages;
	fclose(zones);
	return total * sysconf(_SC_PAGESIZE);
}

static int fill(struct arena *arena, unsigned int number, void *argument)
{
	struct link *link = argument;
	struct figures *figures = &arena->figures;
	struct burst burst = {
		.buffer = buffer_new(link->shape.size, 1),
		.size = link->shape.size,
		.count = FEW,
		.batch = 1,
		.levels = 1,
	};
	int error = burst.buffer ? link_attach(link, SENDER) : -ENOMEM;
	int64_t before, after;

	(void)number;
	if (!error)
		error = link->transport->send(link, &burst);
	before = memory_free();
	burst.count = MANY - FEW;
	if (!error)
		error = link->transport->send(link, &burst);
	after = memory_free();
	if (!error && (before < 0 || after < 0))
		error = -EIO;
	figures->samples[figures->repeats++] =
		(double)(before - after) / (MANY - FEW);
	return error;
}

static int memory_run(const struct transport *transport, unsigned long size,
		      struct figures *figures)
{
	const struct shape shape = {
		.size = size,
		.depth = MANY,
		.levels = 1,
		.batch = 1,
		.senders = 1,
		.receivers = 1,
	};
	double samples[REPEATS_MAX];
	struct link link;
	struct team team;
	int error = 0;

	for (unsigned int i = 0; !error && i < settings.repeats; i++) {
		error = link_open(&link, transport, &shape);
		if (error)
			break;
		error = team_begin(&team);
		if (!error) {
			error = team_add(&team, fill, &link);
			error = team_end(&team, error, figures);
		}
		link_close(&link);
		samples[i] = figures->samples[0];
	}
	memcpy(figures->samples, samples, sizeof(samples));
	figures->repeats = settings.repeats;
	return error;
}

static bool in_kernel(const struct transport *transport)
{
	return transport->family <= FAMILY_BYTES &&
	       !(transport->can & HAS_ITS_MEMORY);
}

const struct workload workload_memory = {
	.name = "memory",
	.what = "bytes, kernel memory of a message that waits",
	.unit = "bytes",
	.points = sizes,
	.needs = CAN_HOLD_BACKLOG,
	.run = memory_run,
	.wants = in_kernel,
};
