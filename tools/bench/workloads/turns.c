/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#include "workloads.h"

/* The most rounds of a repeat. */
#define ROUNDS_MAX 64

/*
 * What all know before they begin. The senders are the team's first members,
 * from 0, and the receiver is the last: the baton goes round in that order.
 * Sender 0 measures.
 */
struct turns {
	struct link link;
	unsigned long burst;
	unsigned long backlog;
};

static struct burst burst_of(const struct turns *turns, void *buffer)
{
	const struct shape *shape = &turns->link.shape;

	return (struct burst){
		.buffer = buffer,
		.size = shape->size,
		.batch = shape->batch,
		.levels = shape->levels,
		.stamped = shape->size >= sizeof(uint64_t) &&
			   shape->levels == 1 && shape->senders == 1,
	};
}

/* A sender's share of @count messages. */
static int send_share(struct turns *turns, struct burst *burst,
		      unsigned long count)
{
	int error = 0;

	burst->count = count / turns->link.shape.senders;
	if (burst->count)
		error = turns->link.transport->send(&turns->link, burst);
	burst->first += burst->count;
	return error;
}

/*
 * One turn of all: a burst of @count messages. Says in @time what it took, and
 * adds to the figures the part of senders and receiver.
 */
static int turn(struct arena *arena, struct turns *turns, struct burst *burst,
		unsigned long count, uint64_t *time)
{
	struct figures *figures = &arena->figures;
	uint64_t begun = now();
	int error = send_share(turns, burst, count);

	if (error)
		return error;
	arena->messages = count;
	baton_pass(arena, 1);
	baton_wait(arena, 0);
	*time = arena->ended - begun;
	figures->receive += (double)(arena->ended - arena->begun);
	figures->send += (double)(arena->begun - begun);
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
	double empty = 0;
	double mean;
	int error;

	error = rounds_for(arena, turns, burst, &rounds);
	if (!error)
		error = turns_mean(arena, turns, burst, 0,
				   ROUNDS_MAX / turns->link.shape.senders + 4,
				   &empty);
	figures->send = 0;
	figures->receive = 0;
	for (unsigned int i = 0; !error && i < settings.repeats; i++) {
		error = turns_mean(arena, turns, burst, turns->burst, rounds,
				   &mean);
		figures->samples[i] = (mean - empty) / messages;
		figures->repeats = i + 1;
	}
	messages *= rounds * settings.repeats;
	/* Each part is with half of what handing over takes. */
	empty *= rounds * settings.repeats / 2.0;
	figures->send = (figures->send - empty) / messages;
	figures->receive = (figures->receive - empty) / messages;
	return error;
}

/* Sender 0: sends its own share, and measures. */
static int measurer(struct arena *arena, unsigned int number, void *argument)
{
	struct turns *turns = argument;
	const struct shape *shape = &turns->link.shape;
	struct burst burst =
		burst_of(turns, buffer_new(shape->size, shape->batch));
	int error = burst.buffer ? link_attach(&turns->link, SENDER) : -ENOMEM;

	burst.count = turns->backlog;
	if (!error && burst.count)
		error = turns->link.transport->send(&turns->link, &burst);
	burst.first += turns->backlog;
	if (!error)
		error = measure(arena, turns, &burst);
	atomic_store(&arena->stopped, true);
	baton_pass(arena, number + 1);
	return error;
}

static int other_sender(struct arena *arena, unsigned int number,
			void *argument)
{
	struct turns *turns = argument;
	const struct shape *shape = &turns->link.shape;
	struct burst burst =
		burst_of(turns, buffer_new(shape->size, shape->batch));
	int error = burst.buffer ? link_attach(&turns->link, SENDER) : -ENOMEM;
	bool stopped = false;

	while (!error && !stopped) {
		baton_wait(arena, number);
		/* Once passed on, the baton may be round before we look. */
		stopped = atomic_load(&arena->stopped);
		if (!stopped)
			error = send_share(turns, &burst, arena->messages);
		baton_pass(arena, number + 1);
	}
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
		if (atomic_load(&arena->stopped))
			break;
		arena->begun = now();
		burst.count = arena->messages;
		if (burst.count)
			error = turns->link.transport->receive(&turns->link,
							       &burst);
		burst.first += burst.count;
		arena->ended = now();
		baton_pass(arena, 0);
	}
	return error;
}

static int add_all(struct team *team, struct turns *turns)
{
	int error = team_add(team, measurer, turns);

	for (unsigned int i = 1; !error && i < turns->link.shape.senders; i++)
		error = team_add(team, other_sender, turns);
	return error ? error : team_add(team, receiver, turns);
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
	if (!error)
		error = team_end(&team, add_all(&team, &turns), figures);
	link_close(&turns.link);
	return error;
}

unsigned long burst_messages(const struct transport *transport, size_t size)
{
	unsigned long most = transport->family == FAMILY_LIBRARY ? 200 : 1000;
	unsigned long messages = size ? (2 << 20) / size : most;

	return messages > most ? most : messages < 1 ? 1 : messages;
}
