/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* What many objects cost: messages of another, finding one, and memory. */
#include "../settle.h"
#include "workloads.h"

/* Making them takes a while: these go up, and those of look-ups down. */
static const unsigned long rising[] = { 1, 1000, 30000, 100000, POINTS_END };
static const unsigned long falling[] = { 100000, 30000, 1000, 1, POINTS_END };
static const unsigned long few_bytes[] = { 64, POINTS_END };

/*
 * How many the memory of an object is the mean of, in each repeat, and how many
 * come before. Memory that is given back is free only later, so that none is.
 */
#define FEW	500
#define MORE	1000

/* A prime that divides none of the points. */
#define STRIDE	7919

/* How many objects each transport has. */
static unsigned long population[32];

static unsigned int number_of(const struct transport *transport)
{
	unsigned int number = 0;

	while (transports[number] != transport)
		number++;
	return number;
}

static int populate(const struct transport *transport, unsigned long wanted)
{
	unsigned long *there = &population[number_of(transport)];
	int error = 0;

	if (wanted > *there)
		error = transport->populate(*there, wanted);
	else
		transport->depopulate(wanted, *there);
	if (!error)
		*there = wanted;
	return error;
}

/* The kernel goes on for a while with what many of them have left to it. */
static int populate_and_rest(const struct transport *transport,
			     unsigned long wanted)
{
	bool same = population[number_of(transport)] == wanted;
	int error = populate(transport, wanted);

	if (!error && !same)
		settle();
	return error;
}

void objects_remove(void)
{
	for (unsigned int t = 0; transports[t]; t++)
		if (population[t])
			populate(transports[t], 0);
}

static int objects_run(const struct transport *transport, unsigned long count,
		       struct figures *figures)
{
	const struct shape shape = {
		.size = 64,
		.depth = 1000,
		.levels = 1,
		.batch = 1,
		.senders = 1,
		.receivers = 1,
	};
	int error = populate_and_rest(transport, count);

	return error ? error : turns_run(transport, &shape, shape.depth, 0,
					 figures);
}

struct lookups {
	const struct transport *transport;
	unsigned long objects;
};

static int look_up_some(const struct lookups *lookups, unsigned long *next,
			unsigned long count)
{
	int error = 0;

	for (unsigned long i = 0; !error && i < count; i++) {
		error = lookups->transport->look_up(*next);
		*next = (*next + STRIDE) % lookups->objects;
	}
	return error;
}

static int seeker(struct arena *arena, unsigned int number, void *argument)
{
	struct figures *figures = &arena->figures;
	unsigned long next = 0;
	unsigned long count = settings.budget / 10000 + 8;
	uint64_t begun;
	int error = look_up_some(argument, &next, count);

	(void)number;
	for (unsigned int i = 0; !error && i < settings.repeats; i++) {
		begun = now();
		error = look_up_some(argument, &next, count);
		figures->samples[i] = (double)(now() - begun) / (double)count;
		figures->repeats = i + 1;
	}
	return error;
}

static int lookup_run(const struct transport *transport, unsigned long count,
		      struct figures *figures)
{
	struct lookups lookups = { .transport = transport, .objects = count };
	struct team team;
	int error = populate_and_rest(transport, count);

	if (!error)
		error = team_begin(&team);
	if (error)
		return error;
	return team_end(&team, team_add(&team, seeker, &lookups), figures);
}

static int object_memory_run(const struct transport *transport,
			     unsigned long size, struct figures *figures)
{
	unsigned long count = FEW;
	int64_t before, after;
	int error = populate(transport, count);

	(void)size;
	for (unsigned int i = 0; !error && i < settings.repeats; i++) {
		before = memory_free();
		count += MORE;
		error = populate(transport, count);
		after = memory_free();
		if (!error && (before < 0 || after < 0))
			error = -EIO;
		figures->samples[i] = (double)(before - after) / MORE;
		figures->repeats = i + 1;
	}
	return error;
}

static bool populates(const struct transport *transport)
{
	return transport->populate;
}

const struct workload workload_object_memory = {
	.name = "object-memory",
	.what = "an empty object whose messages have so many bytes",
	.unit = "bytes",
	.points = few_bytes,
	.run = object_memory_run,
	.wants = populates,
};

const struct workload workload_objects = {
	.name = "objects",
	.what = "other objects; one way, 64 bytes",
	.unit = "ns",
	.points = rising,
	.run = objects_run,
	.wants = populates,
};

const struct workload workload_lookup = {
	.name = "lookup",
	.what = "objects; opening one by its name and closing it",
	.unit = "ns",
	.points = falling,
	.run = lookup_run,
	.wants = populates,
};
