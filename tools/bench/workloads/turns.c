/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#include "workloads.h"

/* The most rounds of a repeat. */
#define ROUNDS_MAX 64

/* What sender and receiver know before they begin. */
struct turns {
	struct link link;
	unsigned long burst;
	unsigned long backlog;
};

/* The receiver's numbers and those of the sender, for the baton. */
enum { SENDS, RECEIVES };

/* What the sender tells the receiver before it passes the baton. */
enum { GO_ON, STOP };

static struct burst burst_of(const struct turns *turns, void *buffer)
{
	const struct shape *shape = &turns->link.shape;

	return (struct burst){
		.buffer = buffer,
		.size = shape->size,
		.batch = shape->batch,
		.levels = shape->levels,
		.stamped = shape->size >= sizeof(uint64_t) &&
			   shape->levels == 1,
	};
}

/*
 * One turn of both: a burst of @count messages. Adds to @sum what it took, to
 * figures->send and ->receive the part of each.
 */
static int turn(struct arena *arena, struct turns *turns, struct burst *burst,
		unsigned long count, uint64_t *sum)
{
	struct figures *figures = &arena->figures;
	uint64_t begun, passed;
	int error = 0;

	burst->count = count;
	begun = now();
	if (count)
		error = turns->link.transport->send(&turns->link, burst);
	if (error)
		return error;
	burst->first += count;
	passed = now();
	arena->begun = count;
	baton_pass(arena, RECEIVES);
	baton_wait(arena, SENDS);
	*sum = arena->ended - begun;
	figures->send += (double)(passed - begun);
	figures->receive += (double)(arena->ended - arena->begun);
	return 0;
}

/* The mean of @rounds turns, in nanoseconds a turn. */
static int turns_mean(struct arena *arena, struct turns *turns,
		      struct burst *burst, unsigned long count,
		      unsigned int rounds, double *mean)
{
	uint64_t total = 0;
	uint64_t one;
	int error;

	for (unsigned int i = 0; i < rounds; i++) {
		error = turn(arena, turns, burst, count, &one);
		if (error)
			return error;
		total += one;
	}
	*mean = (double)total / rounds;
	return 0;
}

/* Warm up, and find how many rounds fill the budget of a repeat. */
static int rounds_for(struct arena *arena, struct turns *turns,
		      struct burst *burst, unsigned int *rounds)
{
	double mean;
	double wanted;
	int error = turns_mean(arena, turns, burst, turns->burst, 1, &mean);

	if (!error)
		error = turns_mean(arena, turns, burst, turns->burst, 1, &mean);
	if (error)
		return error;
	wanted = (double)settings.budget / mean;
	*rounds = wanted < 1 ? 1 :
		  wanted > ROUNDS_MAX ? ROUNDS_MAX : (unsigned int)wanted;
	return 0;
}

static int measure(struct arena *arena, struct turns *turns,
		   struct burst *burst)
{
	struct figures *figures = &arena->figures;
	double messages = (double)turns->burst;
	unsigned int rounds = 1;
	double empty, mean;
	int error;

	error = rounds_for(arena, turns, burst, &rounds);
	if (!error)
		error = turns_mean(arena, turns, burst, 0, ROUNDS_MAX, &empty);
	figures->send = 0;
	figures->receive = 0;
	for (unsigned int i = 0; !error && i < settings.repeats; i++) {
		error = turns_mean(arena, turns, burst, turns->burst, rounds,
				   &mean);
		figures->samples[i] = (mean - empty) / messages;
		figures->repeats = i + 1;
	}
	messages *= rounds * settings.repeats;
	figures->send /= messages;
	figures->receive /= messages;
	return error;
}

static int sender(struct arena *arena, unsigned int number, void *argument)
{
	struct turns *turns = argument;
	const struct shape *shape = &turns->link.shape;
	struct burst burst =
		burst_of(turns, buffer_new(shape->size, shape->batch));
	int error = burst.buffer ? link_attach(&turns->link, SENDER) : -ENOMEM;

	(void)number;
	burst.count = turns->backlog;
	if (!error && burst.count)
		error = turns->link.transport->send(&turns->link, &burst);
	burst.first += turns->backlog;
	if (!error)
		error = measure(arena, turns, &burst);
	arena->gate = STOP;
	baton_pass(arena, RECEIVES);
	return error;
}

static int receiver(struct arena *arena, unsigned int number, void *argument)
{
	struct turns *turns = argument;
	const struct shape *shape = &turns->link.shape;
	struct burst burst =
		burst_of(turns, buffer_new(shape->size, shape->batch));
	int error = burst.buffer ? link_attach(&turns->link, RECEIVER) :
				   -ENOMEM;

	while (!error) {
		baton_wait(arena, number);
		if (arena->gate == STOP)
			break;
		burst.count = arena->begun;
		arena->begun = now();
		if (burst.count)
			error = turns->link.transport->receive(&turns->link,
							       &burst);
		burst.first += burst.count;
		arena->ended = now();
		baton_pass(arena, SENDS);
	}
	return error;
}

int turns_run(const struct transport *transport, const struct shape *shape,
	      unsigned long burst, unsigned long backlog,
	      struct figures *figures)
{
	struct turns turns = { .burst = burst, .backlog = backlog };
	struct team team;
	int error = link_open(&turns.link, transport, shape);

	if (error)
		return error;
	error = team_begin(&team);
	if (!error) {
		error = team_add(&team, sender, &turns);
		if (!error)
			error = team_add(&team, receiver, &turns);
		error = team_end(&team, error, figures);
	}
	link_close(&turns.link);
	return error;
}

unsigned long burst_messages(size_t size)
{
	unsigned long messages = size ? (2 << 20) / size : 1000;

	return messages > 1000 ? 1000 : messages < 2 ? 2 : messages;
}
