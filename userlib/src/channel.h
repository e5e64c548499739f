/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* What the sources of channels share. */
#ifndef IPCBOX_SRC_CHANNEL_H
#define IPCBOX_SRC_CHANNEL_H

#include <linux/ipcbox_ring.h>

#include "internal.h"

/* What is together is fetched together. */
#define CACHE_LINE	64

/*
 * One end. What each message needs comes first, in one cache line: the ring is
 * sending for the producer's end, and receiving for the consumer's. By the other
 * one nothing goes, which so needs no check of its own.
 *
 * barrier: the process may call membarrier(2). polled: the other end executes a
 * fence each time, see IPCBOX_CHANNEL_FENCE. The rest is what channel_wait.c has
 * learnt.
 */
struct ipcbox_channel {
	_Alignas(CACHE_LINE) struct ipcbox_ring sending;
	_Alignas(CACHE_LINE) struct ipcbox_ring receiving;
	struct ipcbox_ring *ring;
	int nowait;
	int barrier;
	int polled;
	int cpus;
	unsigned int waits;
	uint64_t spin;
	uint64_t average;
	struct ipcbox_handle *handle;
	void *consumers;
	void *producers;
	size_t page;
	size_t size;
};

_Static_assert(sizeof(struct ipcbox_ring) <= CACHE_LINE,
	       "what each message needs is in one cache line");

static inline int ipcbox_channel_is_producer(const struct ipcbox_channel *end)
{
	return end->ring == &end->sending;
}

/* Wakes the other end, which does not fail on an end that is mapped. */
void ipcbox_channel_wake_other(struct ipcbox_channel *end);

static inline void ipcbox_channel_publish_inline(struct ipcbox_channel *end)
{
	if (!ipcbox_ring_likely(!ipcbox_ring_publish(end->ring)))
		ipcbox_channel_wake_other(end);
}

/* The heavy barrier, once; -ENOSYS or -EPERM where it cannot be had. */
int ipcbox_channel_barrier(void);
int ipcbox_channel_register_barrier(void);

/* Waits until the ring may have so much room: 0, or why not. */
int ipcbox_channel_wait(struct ipcbox_channel *end, uint32_t room,
			unsigned int flags, uint64_t deadline);

#endif /* IPCBOX_SRC_CHANNEL_H */
