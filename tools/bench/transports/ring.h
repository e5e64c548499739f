/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A bare ring in shared memory, for one sender and one receiver who trust each
 * other: what programs put beside an eventfd or a futex. Nothing is checked.
 *
 * Positions only grow. The sender publishes @head by a release after the
 * payload, and the receiver reads it by an acquire before; for @tail and the
 * room it is the other way round.
 */
#ifndef RING_H
#define RING_H

#include "../bench.h"

/**
 * struct ring - the memory that both ends map
 * @head: messages sent
 * @sender_waits: set while the sender may sleep for want of room
 * @tail: messages received
 * @receiver_waits: set while the receiver may sleep for want of a message
 * @slots: a power of two
 * @stride: bytes of a slot: the length and the payload
 */
struct ring {
	_Alignas(64) _Atomic uint32_t head;
	_Atomic uint32_t sender_waits;
	_Alignas(64) _Atomic uint32_t tail;
	_Atomic uint32_t receiver_waits;
	_Alignas(64) uint32_t slots;
	size_t stride;
	_Alignas(64) char data[];
};

struct ring *ring_new(const struct shape *shape);
void ring_free(struct ring *ring);

static inline bool ring_is_full(struct ring *ring)
{
	return atomic_load_explicit(&ring->head, memory_order_relaxed) -
	       atomic_load_explicit(&ring->tail, memory_order_acquire) ==
	       ring->slots;
}

static inline bool ring_is_empty(struct ring *ring)
{
	return atomic_load_explicit(&ring->head, memory_order_acquire) ==
	       atomic_load_explicit(&ring->tail, memory_order_relaxed);
}

static inline char *ring_slot(struct ring *ring, uint32_t position)
{
	return ring->data + (position & (ring->slots - 1)) * ring->stride;
}

static inline void ring_put(struct ring *ring, const void *data, size_t length)
{
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	char *slot = ring_slot(ring, head);

	memcpy(slot, &length, sizeof(length));
	memcpy(slot + sizeof(length), data, length);
	atomic_store_explicit(&ring->head, head + 1, memory_order_release);
}

static inline size_t ring_take(struct ring *ring, void *data)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	const char *slot = ring_slot(ring, tail);
	size_t length;

	memcpy(&length, slot, sizeof(length));
	memcpy(data, slot + sizeof(length), length);
	atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
	return length;
}

#endif /* RING_H */
