/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* What it costs to wait while nothing comes. */
#include <time.h>

#include "workloads.h"

static const unsigned long seconds[] = { 1, POINTS_END };

#define SIZE 64

static struct burst burst_new(void)
{
	return (struct burst){
		.buffer = buffer_new(SIZE, 1),
		.size = SIZE,
		.count = 1,
		.batch = 1,
		.levels = 1,
	};
}

/* Both ends: what a library does by itself may be at either. */
static int sender(struct arena *arena, unsigned int number, void *argument)
{
	const struct timespec rest = { .tv_sec = 1 };
	struct link *link = argument;
	struct burst burst = burst_new();
	int error = burst.buffer ? link_attach(link, SENDER) : -ENOMEM;
	uint64_t before;

	(void)number;
	/* The first one says that both are there. */
	if (!error)
		error = link->transport->send(link, &burst);
	for (unsigned int i = 0; !error && i < settings.repeats; i++) {
		before = cpu_used();
		nanosleep(&rest, NULL);
		atomic_fetch_add(&arena->cpu, cpu_used() - before);
		error = link->transport->send(link, &burst);
	}
	return error;
}

static int receiver(struct arena *arena, unsigned int number, void *argument)
{
	struct link *link = argument;
	struct figures *figures = &arena->figures;
	struct burst burst = burst_new();
	int error = burst.buffer ? link_attach(link, RECEIVER) : -ENOMEM;
	uint64_t before;

	(void)number;
	if (!error)
		error = link->transport->receive(link, &burst);
	for (unsigned int i = 0; !error && i < settings.repeats; i++) {
		before = cpu_used();
		error = link->transport->receive(link, &burst);
		figures->samples[i] = (double)(cpu_used() - before);
		figures->samples[i] += (double)atomic_exchange(&arena->cpu, 0);
		figures->repeats = i + 1;
	}
	return error;
}

static int idle_run(const struct transport *transport, unsigned long point,
		    struct figures *figures)
{
	const struct shape shape = {
		.size = SIZE,
		.depth = 1,
		.levels = 1,
		.batch = 1,
		.senders = 1,
		.receivers = 1,
	};
	struct link link;
	struct team team;
	int error = link_open(&link, transport, &shape);

	(void)point;
	if (error)
		return error;
	error = team_begin(&team);
	if (!error) {
		error = team_add(&team, receiver, &link);
		if (!error)
			error = team_add(&team, sender, &link);
		error = team_end(&team, error, figures);
	}
	link_close(&link);
	return error;
}

static bool sends(const struct transport *transport)
{
	return transport->send;
}

const struct workload workload_idle = {
	.name = "idle",
	.what = "seconds of waiting for a message, both ends' processor time",
	.unit = "ns",
	.points = seconds,
	.run = idle_run,
	.wants = sends,
};
