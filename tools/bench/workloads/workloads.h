/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Every workload, and what several of them share. */
#ifndef WORKLOADS_H
#define WORKLOADS_H

#include "../bench.h"
#include "../team.h"

extern const struct workload workload_roundtrip;
extern const struct workload workload_oneway;
extern const struct workload workload_batch;
extern const struct workload workload_depth;
extern const struct workload workload_priorities;
extern const struct workload workload_memory;

/* How many messages of @size bytes to have in a link at once, at most 1,000. */
unsigned long burst_messages(size_t size);

/**
 * turns_run - what messages cost when both ends act in turn
 * @transport: which to measure
 * @shape: of the link; its depth is that of @backlog and a burst
 * @burst: messages in a burst
 * @backlog: messages that stay in the link all the time
 * @figures: takes nanoseconds a message, both sides together
 *
 * The sender sends a burst, and then the receiver receives it, so that neither
 * finds the other waiting: as when both are busy. Handing over is measured in
 * the same way, with bursts of nothing, and taken off.
 */
int turns_run(const struct transport *transport, const struct shape *shape,
	      unsigned long burst, unsigned long backlog,
	      struct figures *figures);

#endif /* WORKLOADS_H */
