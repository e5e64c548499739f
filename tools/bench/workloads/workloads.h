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
extern const struct workload workload_senders;
extern const struct workload workload_crowd;
extern const struct workload workload_pairs;
extern const struct workload workload_selective;
extern const struct workload workload_memory;
extern const struct workload workload_object_memory;
extern const struct workload workload_objects;
extern const struct workload workload_lookup;
extern const struct workload workload_idle;

/* Remove the objects with which workloads have populated the host. */
void objects_remove(void);

/*
 * Bytes of the host's memory that nothing uses, those that the processors keep
 * at hand included, or a negative error. For root.
 */
int64_t memory_free(void);

/*
 * How many messages of @size bytes to have in a link at once: 1,000, or fewer of
 * long ones, and of libraries, which take as many instructions for far fewer.
 */
unsigned long burst_messages(const struct transport *transport, size_t size);

/**
 * turns_run - what messages cost when the ends act in turn
 * @transport: which to measure
 * @shape: of the link; its depth is that of @backlog and a burst
 * @burst: messages in a burst, a multiple of the shape's senders
 * @backlog: messages that stay in the link all the time
 * @figures: takes nanoseconds a message, both sides together
 *
 * The senders send a burst, and then the receiver receives it, so that neither
 * finds the other waiting: as when all are busy. Handing over is measured in
 * the same way, with bursts of nothing, and taken off.
 */
int turns_run(const struct transport *transport, const struct shape *shape,
	      unsigned long burst, unsigned long backlog,
	      struct figures *figures);

#endif /* WORKLOADS_H */
