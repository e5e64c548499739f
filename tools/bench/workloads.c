/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* The list of workloads, in the order of the table. */
#include "bench.h"
#include "workloads/workloads.h"

const struct workload *const workloads[] = {
	&workload_roundtrip,
	&workload_oneway,
	&workload_batch,
	&workload_depth,
	&workload_priorities,
	&workload_senders,
	&workload_crowd,
	&workload_pairs,
	&workload_selective,
	&workload_memory,
	&workload_object_memory,
	&workload_objects,
	&workload_lookup,
	&workload_idle,
	NULL,
};
