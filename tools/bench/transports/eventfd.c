/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A ring in shared memory with an eventfd(2) that counts its messages, as
 * programs have it that wait by epoll: each message is a write, and a receiver
 * that finds messages in the ring makes no system call.
 */
#include <sys/eventfd.h>
#include <unistd.h>

#include "bytes.h"
#include "ring.h"
#include "transports.h"

static int eventfd_open(struct link *link)
{
	link->state = ring_new(&link->shape);
	if (!link->state)
		return -ENOMEM;
	/* One tells of messages, the other of room. */
	link->fd[RECEIVER] = eventfd(0, EFD_CLOEXEC);
	link->fd[SENDER] = eventfd(0, EFD_CLOEXEC);
	return link->fd[RECEIVER] < 0 || link->fd[SENDER] < 0 ? failure() : 0;
}

/* Sleep until the other end adds to the counter. */
static int sleep_on(int fd)
{
	uint64_t count;

	return read(fd, &count, sizeof(count)) < 0 ? failure() : 0;
}

static int wake(int fd)
{
	uint64_t one = 1;

	return write(fd, &one, sizeof(one)) < 0 ? failure() : 0;
}

static int wait_for_room(struct link *link, struct ring *ring)
{
	int error = 0;

	while (!error && ring_is_full(ring)) {
		atomic_store(&ring->sender_waits, 1);
		if (ring_is_full(ring))
			error = sleep_on(link->fd[SENDER]);
		atomic_store(&ring->sender_waits, 0);
	}
	return error;
}

static int eventfd_send(struct link *link, const struct burst *burst)
{
	struct ring *ring = link->state;
	int error = 0;

	for (unsigned long i = 0; !error && i < burst->count; i++) {
		burst_stamp(burst, burst->buffer, i);
		error = wait_for_room(link, ring);
		if (!error) {
			ring_put(ring, burst->buffer, burst->size);
			error = wake(link->fd[RECEIVER]);
		}
	}
	return error;
}

static int eventfd_receive(struct link *link, const struct burst *burst)
{
	struct ring *ring = link->state;
	int error;

	for (unsigned long i = 0; i < burst->count; i++) {
		while (ring_is_empty(ring)) {
			error = sleep_on(link->fd[RECEIVER]);
			if (error)
				return error;
		}
		if (!burst_is(burst, burst->buffer, i,
			      ring_take(ring, burst->buffer)))
			return -EBADMSG;
		/* Its store comes before our load, and ours before its. */
		atomic_thread_fence(memory_order_seq_cst);
		if (atomic_load(&ring->sender_waits))
			wake(link->fd[SENDER]);
	}
	return 0;
}

static void eventfd_close(struct link *link)
{
	descriptors_close(link);
	ring_free(link->state);
}

const struct transport transport_eventfd = {
	.name = "eventfd+shm",
	.family = FAMILY_SHARED,
	.can = CAN_HOLD_BACKLOG,
	.open = eventfd_open,
	.send = eventfd_send,
	.receive = eventfd_receive,
	.close = eventfd_close,
};
