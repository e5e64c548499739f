/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* One way, both ends busy: by size, and by how many messages a call moves. */
#include "workloads.h"

static const unsigned long sizes[] = {
	64, 0, 16, 256, 1024, 4096, 16384, 65536, 1 << 20, 8 << 20, 16 << 20,
	POINTS_END
};
static const unsigned long batches[] = {
	1, 2, 4, 8, 16, 32, 64, 128, 256, POINTS_END
};

static int oneway_run(const struct transport *transport, unsigned long size,
		      struct figures *figures)
{
	const struct shape shape = {
		.size = size,
		.depth = burst_messages(transport, size),
		.levels = 1,
		.batch = 1,
		.senders = 1,
		.receivers = 1,
	};

	return turns_run(transport, &shape, shape.depth, 0, figures);
}

static int batch_run(const struct transport *transport, unsigned long batch,
		     struct figures *figures)
{
	const struct shape shape = {
		.size = 64,
		.depth = 1024,
		.levels = 1,
		.batch = (unsigned int)batch,
		.senders = 1,
		.receivers = 1,
	};

	/* Elsewhere a batch costs what its messages do. */
	if (batch > 1 && !(transport->can & CAN_BATCH))
		return -EOPNOTSUPP;
	return turns_run(transport, &shape, shape.depth, 0, figures);
}

static bool sends(const struct transport *transport)
{
	return transport->send;
}

/* Those without batches are there for what their single messages cost. */
static bool compares_batches(const struct transport *transport)
{
	return transport->send && (transport->can & CAN_BATCH ||
				   transport->family == FAMILY_KERNEL);
}

const struct workload workload_oneway = {
	.name = "oneway",
	.what = "bytes, one way",
	.unit = "ns",
	.points = sizes,
	.run = oneway_run,
	.wants = sends,
};

const struct workload workload_batch = {
	.name = "batch",
	.what = "messages of 64 bytes in one call",
	.unit = "ns",
	.points = batches,
	.run = batch_run,
	.wants = compares_batches,
};
