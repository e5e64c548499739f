/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Round trips: a request from one process and an answer from another, each
 * waiting for the other. Transports without calls answer by a link of their own.
 */
#include "workloads.h"

static const unsigned long sizes[] = { 16, 1024, 65536, POINTS_END };

#define WARM_UP 32

struct trips {
	struct link ask;
	struct link answer;
	size_t size;
};

enum { ASKS, ANSWERS };

static struct burst burst_of(const struct trips *trips, void *buffer,
			     unsigned long count)
{
	return (struct burst){
		.buffer = buffer,
		.size = trips->size,
		.count = count,
		.batch = 1,
		.levels = 1,
		.stamped = trips->size >= sizeof(uint64_t),
	};
}

static int ask(struct trips *trips, const struct burst *burst)
{
	const struct transport *transport = trips->ask.transport;
	struct burst one = *burst;
	int error = 0;

	if (transport->call)
		return transport->call(&trips->ask, burst);
	one.count = 1;
	for (unsigned long i = 0; !error && i < burst->count; i++) {
		error = transport->send(&trips->ask, &one);
		if (!error)
			error = transport->receive(&trips->answer, &one);
		one.first++;
	}
	return error;
}

static int answer(struct trips *trips, const struct burst *burst)
{
	const struct transport *transport = trips->ask.transport;
	struct burst one = *burst;
	int error = 0;

	if (transport->serve)
		return transport->serve(&trips->ask, burst);
	one.count = 1;
	for (unsigned long i = 0; !error && i < burst->count; i++) {
		error = transport->receive(&trips->ask, &one);
		if (!error)
			error = transport->send(&trips->answer, &one);
		one.first++;
	}
	return error;
}

/* The bucket of a time: 16 to a power of two, and single below 32. */
static unsigned int bucket_of(uint64_t time)
{
	unsigned int power = 0;

	while (time >> power >= 2 * HISTOGRAM_STEPS)
		power++;
	return power * HISTOGRAM_STEPS + (unsigned int)(time >> power);
}

/* Each trip for itself. */
static int ask_and_note(struct trips *trips, const struct burst *burst,
			uint64_t *histogram)
{
	struct burst one = *burst;
	unsigned int bucket;
	uint64_t begun;
	int error = 0;

	one.count = 1;
	for (unsigned long i = 0; !error && i < burst->count; i++) {
		begun = now();
		error = ask(trips, &one);
		bucket = bucket_of(now() - begun);
		if (bucket < HISTOGRAM_BUCKETS)
			histogram[bucket]++;
		one.first++;
	}
	return error;
}

static int measure(struct arena *arena, struct trips *trips,
		   struct burst *burst)
{
	struct figures *figures = &arena->figures;
	unsigned int repeats = settings.repeats;
	uint64_t begun = now();
	int error = ask(trips, burst);
	uint64_t trip = (now() - begun) / burst->count;
	unsigned long count = settings.budget / (trip ? trip : 1);

	if (error)
		return error;
	if (count < 8)
		count = 8;
	/* As the other end numbers them, which serves them all in one burst. */
	arena->messages = count * repeats;
	baton_pass(arena, ANSWERS);
	burst->first = 0;
	burst->count = count;
	for (unsigned int i = 0; !error && i < repeats; i++) {
		begun = now();
		if (settings.histogram)
			error = ask_and_note(trips, burst, figures->histogram);
		else
			error = ask(trips, burst);
		figures->samples[i] = (double)(now() - begun) / (double)count;
		figures->repeats = i + 1;
		burst->first += count;
	}
	return error;
}

static int asker(struct arena *arena, unsigned int number, void *argument)
{
	struct trips *trips = argument;
	struct burst burst =
		burst_of(trips, buffer_new(trips->size, 1), WARM_UP);
	int error = burst.buffer ? link_attach(&trips->ask, SENDER) : -ENOMEM;

	(void)number;
	if (!error && trips->answer.transport)
		error = link_attach(&trips->answer, RECEIVER);
	return error ? error : measure(arena, trips, &burst);
}

static int answerer(struct arena *arena, unsigned int number, void *argument)
{
	struct trips *trips = argument;
	struct burst burst =
		burst_of(trips, buffer_new(trips->size, 1), WARM_UP);
	int error = burst.buffer ? link_attach(&trips->ask, RECEIVER) : -ENOMEM;

	if (!error && trips->answer.transport)
		error = link_attach(&trips->answer, SENDER);
	if (!error)
		error = answer(trips, &burst);
	if (error)
		return error;
	baton_wait(arena, number);
	burst.count = arena->messages;
	return answer(trips, &burst);
}

static int roundtrip_run(const struct transport *transport, unsigned long size,
			 struct figures *figures)
{
	const struct shape shape = {
		.size = size,
		.depth = 1,
		.levels = 1,
		.batch = 1,
		.senders = 1,
		.receivers = 1,
	};
	struct trips trips = { .size = size };
	struct team team;
	int error = link_open(&trips.ask, transport, &shape);

	if (error)
		return error;
	if (!transport->call) {
		error = link_open(&trips.answer, transport, &shape);
		if (error)
			goto close_ask;
	}
	error = team_begin(&team);
	if (!error) {
		error = team_add(&team, asker, &trips);
		if (!error)
			error = team_add(&team, answerer, &trips);
		error = team_end(&team, error, figures);
	}
	if (!transport->call)
		link_close(&trips.answer);
close_ask:
	link_close(&trips.ask);
	return error;
}

const struct workload workload_roundtrip = {
	.name = "roundtrip",
	.what = "bytes, there and back",
	.unit = "ns",
	.points = sizes,
	.histogram = true,
	.run = roundtrip_run,
};
