/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Many senders to one receiver, and many to many: all run freely, and wait where
 * the link is full or empty.
 */
#include "workloads.h"

static const unsigned long senders[] = { 1, 2, 8, 64, POINTS_END };
static const unsigned long pairs[] = { 1, 2, 8, POINTS_END };

#define SIZE	64
#define DEPTH	1000

/* How many messages a process moves before it counts them. */
#define CHUNK	50

/* Budgets in a window: the link fills and empties more than once. */
#define WINDOW	4

static struct burst burst_new(void)
{
	return (struct burst){
		.buffer = buffer_new(SIZE, 1),
		.size = SIZE,
		.count = CHUNK,
		.batch = 1,
		.levels = 1,
	};
}

/* What was used before does not count. */
static void start(struct arena *arena)
{
	gate_wait(arena);
	atomic_fetch_add(&arena->cpu, cpu_used());
}

/* Sends until it is killed. */
static int sender(struct arena *arena, unsigned int number, void *argument)
{
	struct link *link = argument;
	struct burst burst = burst_new();
	int error = burst.buffer ? link_attach(link, SENDER) : -ENOMEM;

	(void)number;
	if (!error)
		start(arena);
	while (!error)
		error = link->transport->send(link, &burst);
	return error;
}

static int receiver(struct arena *arena, unsigned int number, void *argument)
{
	struct link *link = argument;
	struct burst burst = burst_new();
	int error = burst.buffer ? link_attach(link, RECEIVER) : -ENOMEM;

	(void)number;
	if (!error)
		start(arena);
	while (!error) {
		error = link->transport->receive(link, &burst);
		atomic_fetch_add(&arena->count, CHUNK);
	}
	return error;
}

/*
 * The first receiver also measures: how long a message took in each window of
 * time, by what all receivers counted. The first window is not full yet.
 */
static int measurer(struct arena *arena, unsigned int number, void *argument)
{
	struct figures *figures = &arena->figures;
	struct link *link = argument;
	struct burst burst = burst_new();
	int error = burst.buffer ? link_attach(link, RECEIVER) : -ENOMEM;
	uint64_t begun, before, passed, counted;
	unsigned int windows = 0;

	(void)number;
	if (error)
		return error;
	start(arena);
	begun = now();
	before = 0;
	while (!error && windows <= settings.repeats) {
		error = link->transport->receive(link, &burst);
		counted = atomic_fetch_add(&arena->count, CHUNK) + CHUNK;
		passed = now() - begun;
		if (passed < WINDOW * settings.budget)
			continue;
		if (windows)
			figures->samples[windows - 1] =
				(double)passed / (double)(counted - before);
		figures->repeats = windows++;
		begun += passed;
		before = counted;
	}
	return error ? error : 1;
}

/* The gate opens when all have come. */
static int opener(struct arena *arena, unsigned int number, void *argument)
{
	(void)argument;
	gate_open(arena, number);
	return 0;
}

static int add_all(struct team *team, struct link *link)
{
	const struct shape *shape = &link->shape;
	int error = team_add(team, measurer, link);

	for (unsigned int i = 1; !error && i < shape->receivers; i++)
		error = team_add(team, receiver, link);
	for (unsigned int i = 0; !error && i < shape->senders; i++)
		error = team_add(team, sender, link);
	return error ? error : team_add(team, opener, link);
}

static int crowd_run(const struct transport *transport, unsigned long sends,
		     unsigned long receives, struct figures *figures)
{
	const struct shape shape = {
		.size = SIZE,
		.depth = DEPTH,
		.levels = 1,
		.batch = 1,
		.senders = (unsigned int)sends,
		.receivers = (unsigned int)receives,
	};
	struct link link;
	struct team team;
	int error = link_open(&link, transport, &shape);

	if (error)
		return error;
	error = team_begin(&team);
	if (!error) {
		error = team_wait(&team, add_all(&team, &link));
		*figures = team.arena->figures;
		figures->cpu = (double)(team.cpu - team.arena->cpu) /
			       (double)team.arena->count;
		team_free(&team);
	}
	link_close(&link);
	return error < 0 ? error : 0;
}

static int many_to_one(const struct transport *transport, unsigned long count,
		       struct figures *figures)
{
	return crowd_run(transport, count, 1, figures);
}

static int many_to_many(const struct transport *transport, unsigned long count,
			struct figures *figures)
{
	return crowd_run(transport, count, count, figures);
}

static bool has_send(const struct transport *transport)
{
	return transport->send;
}

const struct workload workload_crowd = {
	.name = "crowd",
	.what = "senders to one receiver, all running freely",
	.unit = "ns",
	.points = senders,
	.run = many_to_one,
	.wants = has_send,
};

const struct workload workload_pairs = {
	.name = "pairs",
	.what = "senders and as many receivers of one link",
	.unit = "ns",
	.points = pairs,
	.needs = CAN_MANY_SENDERS | CAN_MANY_RECEIVERS,
	.run = many_to_many,
};
