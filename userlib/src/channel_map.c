/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Ends of channels: made, opened, mapped, paired, closed. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "channel.h"

/* A new channel without a name that somebody else has opened is left to him. */
#define PAIR_TRIES	16

static void *map(int fd, size_t first, size_t page, size_t length, int writable)
{
	int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;

	return mmap(NULL, length, protection, MAP_SHARED, fd,
		    (off_t)(first * page));
}

static size_t producers_length(const struct ipcbox_channel *end)
{
	return end->page + 2 * end->size;
}

static void unmap(const struct ipcbox_channel *end)
{
	if (end->consumers != MAP_FAILED)
		munmap(end->consumers, end->page);
	if (end->producers != MAP_FAILED)
		munmap(end->producers, producers_length(end));
}

/* Whoever may write the producer's part is the producer. Returns 0 or an errno. */
static int map_parts(struct ipcbox_channel *end, int fd, int *producer)
{
	size_t length = producers_length(end);

	end->consumers = MAP_FAILED;
	*producer = 1;
	end->producers = map(fd, IPCBOX_CHANNEL_PRODUCER_PAGE, end->page,
			     length, 1);
	if (end->producers == MAP_FAILED && errno == EACCES) {
		*producer = 0;
		end->producers = map(fd, IPCBOX_CHANNEL_PRODUCER_PAGE,
				     end->page, length, 0);
	}
	if (end->producers == MAP_FAILED)
		return -errno;
	end->consumers = map(fd, IPCBOX_CHANNEL_CONSUMER_PAGE, end->page,
			     end->page, !*producer);
	return end->consumers == MAP_FAILED ? -errno : 0;
}

/*
 * Where the heavy barrier cannot be had the other end must fence, and is given a
 * while in which it finishes what it began before it knew.
 */
static void set_barriers(struct ipcbox_channel *end)
{
	const struct timespec while_ = { .tv_nsec = 1000000 };

	end->barrier = !ipcbox_channel_register_barrier();
	if (end->barrier)
		return;
	__atomic_fetch_or(&end->ring->own->attention, IPCBOX_CHANNEL_FENCE,
			  __ATOMIC_SEQ_CST);
	nanosleep(&while_, NULL);
	end->polled = 1;
	end->ring->fence = IPCBOX_CHANNEL_FENCE;
}

static int begin(struct ipcbox_channel *end, int producer)
{
	void *own = producer ? end->producers : end->consumers;
	void *other = producer ? end->consumers : end->producers;

	end->ring = producer ? &end->sending : &end->receiving;
	return ipcbox_ring_init(end->ring, own, other,
				(char *)end->producers + end->page,
				(uint32_t)end->size, producer, 0);
}

static int map_end(struct ipcbox_handle *handle, struct ipcbox_channel *end)
{
	struct ipcbox_stat state;
	int producer;
	int error;

	error = ipcbox_stat(handle, &state);
	if (error)
		return error;
	if (state.kind != IPCBOX_CHANNEL)
		return -EINVAL;
	end->page = (size_t)sysconf(_SC_PAGESIZE);
	end->size = (size_t)state.mapped_bytes;
	end->handle = handle;
	end->spin = IPCBOX_CHANNEL_SPIN;
	end->average = IPCBOX_CHANNEL_SPIN / 2;
	end->nowait = (fcntl(handle->fd, F_GETFL) & O_NONBLOCK) != 0;
	error = map_parts(end, handle->fd, &producer);
	if (!error)
		error = begin(end, producer);
	if (error)
		unmap(end);
	else
		set_barriers(end);
	return error;
}

static struct ipcbox_channel *allocate(void)
{
	struct ipcbox_channel *end = aligned_alloc(CACHE_LINE, sizeof(*end));

	if (!end)
		return NULL;
	memset(end, 0, sizeof(*end));
	ipcbox_ring_close(&end->sending);
	ipcbox_ring_close(&end->receiving);
	return end;
}

int ipcbox_channel_map(struct ipcbox_handle *handle,
		       struct ipcbox_channel **channel)
{
	int saved = errno;
	struct ipcbox_channel *made = allocate();
	int error;

	if (!made) {
		errno = saved;
		return -ENOMEM;
	}
	error = map_end(handle, made);
	errno = saved;
	if (error) {
		free(made);
		return error;
	}
	*channel = made;
	return 0;
}

/* The handle is the end's, or closed. */
static int map_or_close(struct ipcbox_handle *handle,
			struct ipcbox_channel **channel)
{
	int error = ipcbox_channel_map(handle, channel);

	if (error)
		ipcbox_close(handle);
	return error;
}

int ipcbox_channel_create(struct ipcbox *box, const char *name,
			  unsigned int mode, size_t bytes, unsigned int right,
			  struct ipcbox_channel **channel)
{
	const struct ipcbox_create_options options = {
		.name = name,
		.kind = IPCBOX_CHANNEL,
		.mode = mode,
		.rights = right,
		.mapped_bytes = bytes,
	};
	struct ipcbox_handle *handle;
	int error;

	error = ipcbox_create(box, &options, &handle);
	return error ? error : map_or_close(handle, channel);
}

int ipcbox_channel_open(struct ipcbox *box, const char *name,
			unsigned int right, struct ipcbox_channel **channel)
{
	struct ipcbox_handle *handle;
	int error;

	error = ipcbox_open_name(box, name, right, 0, &handle);
	return error ? error : map_or_close(handle, channel);
}

void ipcbox_channel_close(struct ipcbox_channel *channel)
{
	if (!channel)
		return;
	ipcbox_channel_publish(channel);
	unmap(channel);
	ipcbox_close(channel->handle);
	free(channel);
}

struct ipcbox_handle *
ipcbox_channel_handle(const struct ipcbox_channel *channel)
{
	return channel->handle;
}

int ipcbox_channel_poll_fd(struct ipcbox_channel *channel)
{
	if (!channel->polled) {
		__atomic_fetch_or(&channel->ring->own->attention,
				  IPCBOX_CHANNEL_FENCE, __ATOMIC_SEQ_CST);
		ipcbox_channel_barrier();
		channel->polled = 1;
	}
	return channel->handle->fd;
}

void ipcbox_channel_set_spin(struct ipcbox_channel *channel,
			     uint64_t nanoseconds)
{
	/* Far from where sums would not fit. */
	channel->spin = nanoseconds < INT64_MAX / 4 ? nanoseconds :
						      INT64_MAX / 4;
	channel->average = channel->spin / 2;
	channel->waits = 0;
}

size_t ipcbox_channel_longest(const struct ipcbox_channel *channel)
{
	return ipcbox_ring_longest(channel->ring);
}

/*
 * A channel of which both ends are ours, and that nobody can open any more.
 * -EBUSY when somebody of the same user was faster.
 */
static int make_private(struct ipcbox *box, size_t bytes,
			struct ipcbox_channel **producer,
			struct ipcbox_channel **consumer)
{
	struct ipcbox_handle *handle;
	uint64_t id;
	int error;

	error = ipcbox_channel_create(box, NULL, 0600, bytes,
				      IPCBOX_RIGHT_SEND, producer);
	if (error)
		return error;
	id = ipcbox_handle_id((*producer)->handle);
	error = ipcbox_open_id(box, id, IPCBOX_RIGHT_RECEIVE, 0, &handle);
	if (!error)
		error = map_or_close(handle, consumer);
	if (error)
		goto close_producer;
	error = ipcbox_unlink_id(box, id);
	if (error)
		goto close_consumer;
	return 0;

close_consumer:
	ipcbox_channel_close(*consumer);
close_producer:
	ipcbox_channel_close(*producer);
	return error;
}

static int make_way(struct ipcbox *box, size_t bytes,
		    struct ipcbox_channel **producer,
		    struct ipcbox_channel **consumer)
{
	int tries = PAIR_TRIES;
	int error;

	do
		error = make_private(box, bytes, producer, consumer);
	while (error == -EBUSY && --tries);
	return error;
}

int ipcbox_pair(struct ipcbox *box, size_t bytes, struct ipcbox_duplex ends[2])
{
	struct ipcbox_duplex made[2];
	int error;

	error = make_way(box, bytes, &made[0].send, &made[1].receive);
	if (error)
		return error;
	error = make_way(box, bytes, &made[1].send, &made[0].receive);
	if (error) {
		ipcbox_channel_close(made[0].send);
		ipcbox_channel_close(made[1].receive);
		return error;
	}
	ends[0] = made[0];
	ends[1] = made[1];
	return 0;
}

void ipcbox_duplex_close(struct ipcbox_duplex *end)
{
	ipcbox_channel_close(end->send);
	ipcbox_channel_close(end->receive);
}
