/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Receivers that wait on one object, each for messages of its own tag: what one
 * of them costs that gets a message, and answers, while the others wait.
 */
#include "workloads.h"

static const unsigned long counts[] = { 1, 10, 100, 1000, POINTS_END };

#define SIZE	16

/* Goes through the receivers in an order that is not theirs; no factor of 10. */
#define STRIDE	7

struct selective {
	struct link ask;
	struct link answer;
	unsigned long receivers;
};

static struct burst burst_new(unsigned long tag)
{
	return (struct burst){
		.buffer = buffer_new(SIZE, 1),
		.size = SIZE,
		.count = 1,
		.batch = 1,
		.levels = 1,
		.tag = tag,
	};
}

/* Members are numbered from 0, and tags from 1. */
static int receiver(struct arena *arena, unsigned int number, void *argument)
{
	struct selective *selective = argument;
	const struct transport *transport = selective->ask.transport;
	struct burst burst = burst_new(number + 1);
	int error = burst.buffer ? link_attach(&selective->ask, RECEIVER) :
				   -ENOMEM;

	if (!error)
		error = link_attach(&selective->answer, SENDER);
	while (!error) {
		error = transport->receive(&selective->ask, &burst);
		if (error || atomic_load(&arena->gate))
			break;
		error = transport->send(&selective->answer, &burst);
	}
	return error;
}

static int ask_some(struct selective *selective, struct burst *burst,
		    unsigned long *next, unsigned long count)
{
	const struct transport *transport = selective->ask.transport;
	int error = 0;

	for (unsigned long i = 0; !error && i < count; i++) {
		burst->tag = *next + 1;
		*next = (*next + STRIDE) % selective->receivers;
		error = transport->send(&selective->ask, burst);
		if (!error)
			error = transport->receive(&selective->answer, burst);
	}
	return error;
}

/* A last message to each, which finds the gate open. */
static int stop_all(struct arena *arena, struct selective *selective,
		    struct burst *burst)
{
	int error = 0;

	atomic_store(&arena->gate, 1);
	for (unsigned long i = 0; !error && i < selective->receivers; i++) {
		burst->tag = i + 1;
		error = selective->ask.transport->send(&selective->ask, burst);
	}
	return error;
}

static int asker(struct arena *arena, unsigned int number, void *argument)
{
	struct selective *selective = argument;
	struct figures *figures = &arena->figures;
	struct burst burst = burst_new(0);
	unsigned long next = 0;
	unsigned long count = settings.budget / 20000 + 16;
	uint64_t begun;
	int error = burst.buffer ? link_attach(&selective->ask, SENDER) :
				   -ENOMEM;

	(void)number;
	if (!error)
		error = link_attach(&selective->answer, RECEIVER);
	/* Once all round, so that all wait; and again, for they came at once. */
	if (!error)
		error = ask_some(selective, &burst, &next,
				 2 * selective->receivers);
	for (unsigned int i = 0; !error && i < settings.repeats; i++) {
		begun = now();
		error = ask_some(selective, &burst, &next, count);
		figures->samples[i] = (double)(now() - begun) / (double)count;
		figures->repeats = i + 1;
	}
	return error ? error : stop_all(arena, selective, &burst);
}

static int add_all(struct team *team, struct selective *selective)
{
	int error = 0;

	for (unsigned long i = 0; !error && i < selective->receivers; i++)
		error = team_add(team, receiver, selective);
	return error ? error : team_add(team, asker, selective);
}

static int selective_run(const struct transport *transport, unsigned long count,
			 struct figures *figures)
{
	struct selective selective = { .receivers = count };
	struct shape shape = {
		.size = SIZE,
		.depth = count,
		.levels = 1,
		.batch = 1,
		.senders = 1,
		.receivers = (unsigned int)count,
		.tags = true,
	};
	struct team team;
	int error = link_open(&selective.ask, transport, &shape);

	if (error)
		return error;
	shape.senders = (unsigned int)count;
	shape.receivers = 1;
	shape.tags = false;
	error = link_open(&selective.answer, transport, &shape);
	if (error)
		goto close_ask;
	error = team_begin(&team);
	if (!error)
		error = team_end(&team, add_all(&team, &selective), figures);
	link_close(&selective.answer);
close_ask:
	link_close(&selective.ask);
	return error;
}

const struct workload workload_selective = {
	.name = "selective",
	.what = "receivers waiting for a tag each; there and back, 16 bytes",
	.unit = "ns",
	.points = counts,
	.needs = CAN_SELECT | CAN_MANY_SENDERS | CAN_MANY_RECEIVERS,
	.run = selective_run,
};
