/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Whether messages cost more among many others, priorities and senders. */
#include "workloads.h"

static const unsigned long depths[] = { 1, 100, 10000, 100000, POINTS_END };
static const unsigned long senders[] = { 1, 2, 8, 64, 512, POINTS_END };
static const unsigned long levels[] = { 1, 10, 100, 1000, POINTS_END };

#define BURST 100

static int depth_run(const struct transport *transport, unsigned long depth,
		     struct figures *figures)
{
	const struct shape shape = {
		.size = 64,
		.depth = depth + BURST,
		.levels = 1,
		.batch = 1,
		.senders = 1,
		.receivers = 1,
	};

	return turns_run(transport, &shape, BURST, depth, figures);
}

static int priorities_run(const struct transport *transport,
			  unsigned long count, struct figures *figures)
{
	const struct shape shape = {
		.size = 64,
		.depth = 1000,
		.levels = (unsigned int)count,
		.batch = 1,
		.senders = 1,
		.receivers = 1,
	};

	return turns_run(transport, &shape, shape.depth, 0, figures);
}

static int senders_run(const struct transport *transport, unsigned long count,
		       struct figures *figures)
{
	const struct shape shape = {
		.size = 64,
		.depth = 1024,
		.levels = 1,
		.batch = 1,
		.senders = (unsigned int)count,
		.receivers = 1,
	};

	return turns_run(transport, &shape, shape.depth, 0, figures);
}

static bool sends(const struct transport *transport)
{
	return transport->send;
}

const struct workload workload_depth = {
	.name = "depth",
	.what = "messages that wait all the time",
	.unit = "ns",
	.points = depths,
	.needs = CAN_HOLD_BACKLOG,
	.run = depth_run,
};

const struct workload workload_priorities = {
	.name = "priorities",
	.what = "priorities in use, 1,000 messages deep",
	.unit = "ns",
	.points = levels,
	.needs = CAN_PRIORITIES,
	.run = priorities_run,
};

const struct workload workload_senders = {
	.name = "senders",
	.what = "senders to one receiver, in turn",
	.unit = "ns",
	.points = senders,
	.run = senders_run,
	.wants = sends,
};
