/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A ring in shared memory with futex(2): a system call is made only to sleep, and
 * to wake an end that says that it sleeps.
 */
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ring.h"
#include "transports.h"

static int futex_open(struct link *link)
{
	link->state = ring_new(&link->shape);
	return link->state ? 0 : -ENOMEM;
}

static void sleep_while(_Atomic uint32_t *position, uint32_t value)
{
	syscall(SYS_futex, position, FUTEX_WAIT, value, NULL, NULL, 0);
}

/* Wake the other end if it may sleep for @position to change. */
static void wake(_Atomic uint32_t *position, _Atomic uint32_t *waits)
{
	/* Its store comes before our load, or it sees the new position. */
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(waits, memory_order_relaxed))
		syscall(SYS_futex, position, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void wait_for_room(struct ring *ring)
{
	uint32_t tail;

	while (ring_is_full(ring)) {
		tail = atomic_load(&ring->tail);
		atomic_store(&ring->sender_waits, 1);
		if (ring_is_full(ring))
			sleep_while(&ring->tail, tail);
		atomic_store(&ring->sender_waits, 0);
	}
}

static void wait_for_message(struct ring *ring)
{
	uint32_t head;

	while (ring_is_empty(ring)) {
		head = atomic_load(&ring->head);
		atomic_store(&ring->receiver_waits, 1);
		if (ring_is_empty(ring))
			sleep_while(&ring->head, head);
		atomic_store(&ring->receiver_waits, 0);
	}
}

static int futex_send(struct link *link, const struct burst *burst)
{
	struct ring *ring = link->state;

	for (unsigned long i = 0; i < burst->count; i++) {
		burst_stamp(burst, burst->buffer, i);
		wait_for_room(ring);
		ring_put(ring, burst->buffer, burst->size);
		wake(&ring->head, &ring->receiver_waits);
	}
	return 0;
}

static int futex_receive(struct link *link, const struct burst *burst)
{
	struct ring *ring = link->state;

	for (unsigned long i = 0; i < burst->count; i++) {
		wait_for_message(ring);
		if (!burst_is(burst, burst->buffer, i,
			      ring_take(ring, burst->buffer)))
			return -EBADMSG;
		wake(&ring->tail, &ring->sender_waits);
	}
	return 0;
}

static void futex_close(struct link *link)
{
	ring_free(link->state);
}

const struct transport transport_futex = {
	.name = "futex+shm",
	.family = FAMILY_SHARED,
	.can = CAN_HOLD_BACKLOG,
	.open = futex_open,
	.send = futex_send,
	.receive = futex_receive,
	.close = futex_close,
};
