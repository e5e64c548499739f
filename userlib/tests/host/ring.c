/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * The ring of a channel between two threads, without the module: what the kernel
 * does for it is done by a lock and a condition here. Meant for ThreadSanitizer,
 * too. And what a hostile end may write, number by number.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/ipcbox_ring.h>

#include "tap.h"

#define SIZE		4096u
#define MESSAGES	20000u
#define BARRIER		2	/* MEMBARRIER_CMD_GLOBAL_EXPEDITED */
#define REGISTER	4	/* ..._REGISTER_GLOBAL_EXPEDITED */

enum { CONSUMER, PRODUCER };

struct channel {
	struct ipcbox_channel_page pages[2];
	unsigned char *data;
	pthread_mutex_t lock;
	pthread_cond_t woken[2];
	int fenced;
	unsigned long sleeps[2];
};

struct end {
	struct channel *channel;
	int side;
	struct ipcbox_ring ring;
};

/* The ring's memory, twice in a row. */
static unsigned char *map_twice(void)
{
	int fd = memfd_create("ring", MFD_CLOEXEC);
	unsigned char *data;

	require(fd >= 0 && !ftruncate(fd, SIZE));
	data = mmap(NULL, (size_t)2 * SIZE, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	require(data != MAP_FAILED);
	require(mmap(data, SIZE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_FIXED, fd, 0) == data);
	require(mmap(data + SIZE, SIZE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_FIXED, fd, 0) == data + SIZE);
	close(fd);
	return data;
}

static void open_channel(struct channel *channel)
{
	memset(channel, 0, sizeof(*channel));
	channel->data = map_twice();
	pthread_mutex_init(&channel->lock, NULL);
	pthread_cond_init(&channel->woken[CONSUMER], NULL);
	pthread_cond_init(&channel->woken[PRODUCER], NULL);
	channel->fenced = syscall(SYS_membarrier, REGISTER, 0, 0) != 0;
}

static int open_end(struct end *end, struct channel *channel, int side)
{
	end->channel = channel;
	end->side = side;
	if (channel->fenced)
		channel->pages[side].attention = IPCBOX_CHANNEL_FENCE;
	return ipcbox_ring_init(&end->ring, &channel->pages[side],
				&channel->pages[!side], channel->data, SIZE,
				side == PRODUCER, 0);
}

static void close_channel(struct channel *channel)
{
	munmap(channel->data, (size_t)2 * SIZE);
}

/* As IPCBOX_IOC_CHANNEL_WAKE and _WAIT, but that WAIT looks at SLEEPS only. */
static void publish(struct end *end)
{
	struct channel *channel = end->channel;

	if (!ipcbox_ring_publish(&end->ring))
		return;
	pthread_mutex_lock(&channel->lock);
	__atomic_fetch_and(&channel->pages[!end->side].attention,
			   ~(uint32_t)IPCBOX_CHANNEL_SLEEPS, __ATOMIC_SEQ_CST);
	pthread_cond_signal(&channel->woken[!end->side]);
	pthread_mutex_unlock(&channel->lock);
}

static void sleep_until(struct end *end, uint32_t room)
{
	struct channel *channel = end->channel;

	if (!ipcbox_ring_published(&end->ring))
		publish(end);
	ipcbox_ring_sleep(&end->ring, ipcbox_ring_wanted(&end->ring, room));
	if (channel->fenced)
		ipcbox_ring_fence();
	else
		syscall(SYS_membarrier, BARRIER, 0, 0);
	require(!ipcbox_ring_look(&end->ring));
	if (ipcbox_ring_room(&end->ring) < room) {
		channel->sleeps[end->side]++;
		pthread_mutex_lock(&channel->lock);
		while (__atomic_load_n(&end->ring.own->attention,
				       __ATOMIC_SEQ_CST) &
		       IPCBOX_CHANNEL_SLEEPS)
			pthread_cond_wait(&channel->woken[end->side],
					  &channel->lock);
		pthread_mutex_unlock(&channel->lock);
	}
	ipcbox_ring_awake(&end->ring);
}

/* Lengths that are known to both: short ones, and now and then a long one. */
static uint32_t length_of(uint32_t number)
{
	uint32_t mixed = number * 2654435761u >> 8;

	return mixed % 64 ? 4 + mixed % 200 : 4 + mixed % 3000;
}

static void write_message(void *place, uint32_t number, uint32_t length)
{
	memset(place, (int)(number & 0xff), length);
	memcpy(place, &number, sizeof(number));
}

static void check_message(const unsigned char *bytes, uint32_t number,
			  uint32_t length)
{
	uint32_t seen;
	uint32_t i;

	require(length == length_of(number));
	memcpy(&seen, bytes, sizeof(seen));
	require(seen == number);
	for (i = 4; i < length; i++)
		require(bytes[i] == (number & 0xff));
}

/* In batches of different sizes. */
static void publish_some(struct end *end, uint32_t number, uint32_t of,
			 uint32_t some)
{
	if (number % of < some || number == MESSAGES - 1)
		publish(end);
}

static void *produce(void *argument)
{
	struct end *end = argument;
	uint32_t number;

	for (number = 0; number < MESSAGES; number++) {
		uint32_t length = length_of(number);
		void *place;
		int error;

		/* One half goes the short way, where that is possible. */
		if (number % 2 && ipcbox_ring_append(&end->ring, length,
						     &place)) {
			write_message(place, number, length);
			publish_some(end, number, 7, 3);
			continue;
		}
		while ((error = ipcbox_ring_reserve(&end->ring, length,
						    &place))) {
			require(error == -EAGAIN);
			sleep_until(end, ipcbox_ring_record(length));
		}
		write_message(place, number, length);
		require(!ipcbox_ring_commit(&end->ring, length));
		publish_some(end, number, 7, 3);
	}
	return NULL;
}

static void *consume(void *argument)
{
	struct end *end = argument;
	uint32_t number;

	for (number = 0; number < MESSAGES; number++) {
		unsigned long taken;
		const void *place;
		uint32_t length;
		int error;

		if (number % 3 && ipcbox_ring_take(&end->ring, SIZE, &place,
						   &taken)) {
			check_message(place, number, (uint32_t)taken);
			publish_some(end, number, 5, 2);
			continue;
		}
		while ((error = ipcbox_ring_peek(&end->ring, &place,
						 &length))) {
			require(error == -EAGAIN);
			sleep_until(end, IPCBOX_RING_HEADER);
		}
		check_message(place, number, length);
		require(!ipcbox_ring_release(&end->ring));
		publish_some(end, number, 5, 2);
	}
	return NULL;
}

static void pass_messages(int fenced)
{
	struct channel channel;
	struct end ends[2];
	pthread_t producer;

	open_channel(&channel);
	channel.fenced |= fenced;
	require(!open_end(&ends[PRODUCER], &channel, PRODUCER));
	require(!open_end(&ends[CONSUMER], &channel, CONSUMER));
	require(!pthread_create(&producer, NULL, produce, &ends[PRODUCER]));
	consume(&ends[CONSUMER]);
	pthread_join(producer, NULL);
	equal(ipcbox_ring_room(&ends[CONSUMER].ring), 0);
	equal(channel.pages[CONSUMER].position,
	      channel.pages[PRODUCER].position);
	close_channel(&channel);
}

static void two_threads_pass_messages(void)
{
	pass_messages(0);
}

static void two_threads_that_fence_pass_messages(void)
{
	pass_messages(1);
}

/* Every number near one that matters, and many of the others, of 32 bits. */
static uint64_t next_number(uint64_t number, uint32_t matters)
{
	uint32_t distance = (uint32_t)number - matters + 4 * SIZE;

	return number + (distance < 8 * SIZE ? 1 : 997);
}

/* A position is taken if it is further, by whole records, and fits. */
static void only_possible_positions_are_taken(void)
{
	struct channel channel;
	uint32_t used;

	open_channel(&channel);
	for (used = 0; used <= SIZE; used += SIZE / 4) {
		const uint32_t start = 0x7ffffff8;
		uint64_t n;

		for (n = 0; n <= UINT32_MAX; n = next_number(n, start)) {
			uint32_t number = (uint32_t)n;
			struct ipcbox_ring ring = {
				.own = &channel.pages[CONSUMER],
				.other = &channel.pages[PRODUCER],
				.size = SIZE,
				.position = start,
				.bound = start + used - IPCBOX_RING_HEADER,
			};
			uint32_t ahead = number - start;
			int good = ahead >= used && ahead <= SIZE &&
				   ahead % 8 == 0;
			int error = ipcbox_ring_note(&ring, number);

			if (error != (good ? 0 : -EIO) ||
			    ipcbox_ring_room(&ring) != (good ? ahead : 0)) {
				equal(number, -1);
				break;
			}
			if (!good) {
				/* For good. */
				require(ipcbox_ring_note(&ring, start + used) ==
					-EIO);
			}
		}
	}
	close_channel(&channel);
}

/* No length takes the consumer out of what is published. */
static void only_possible_lengths_are_taken(void)
{
	struct channel channel;
	struct end end;
	uint64_t n;

	open_channel(&channel);
	channel.pages[PRODUCER].position = 256;
	for (n = 0; n <= UINT32_MAX; n = next_number(n, 0)) {
		uint32_t number = (uint32_t)n;
		const void *place = NULL;
		unsigned long taken = 0;
		uint32_t length;
		int error;

		require(!open_end(&end, &channel, CONSUMER));
		memcpy(channel.data, &number, sizeof(number));
		if (ipcbox_ring_take(&end.ring, SIZE, &place, &taken) !=
		    (number <= 248)) {
			equal(number, -1);
			break;
		}
		if (place) {
			require(taken == number && place == channel.data + 8);
			require(ipcbox_ring_room(&end.ring) ==
				256 - ipcbox_ring_record(number));
			require(!open_end(&end, &channel, CONSUMER));
		}
		error = ipcbox_ring_peek(&end.ring, &place, &length);
		if (error != (number <= 248 ? 0 : -EIO)) {
			equal(number, -1);
			break;
		}
		if (error) {
			require(ipcbox_ring_release(&end.ring) == -EINVAL);
			require(ipcbox_ring_peek(&end.ring, &place, &length) ==
				-EIO);
		}
	}
	close_channel(&channel);
}

/* The short ways do what is sure, and otherwise nothing. */
static void short_ways_are_taken_only_where_sure(void)
{
	static const unsigned long too_long[] = {
		SIZE - 7, SIZE, UINT32_MAX - 7, UINT32_MAX, LONG_MAX,
		ULONG_MAX - 15, ULONG_MAX - 8, ULONG_MAX - 7, ULONG_MAX,
#if ULONG_MAX > UINT32_MAX
		ULONG_MAX - UINT32_MAX,
#endif
	};
	struct channel channel;
	struct end producer;
	struct end consumer;
	unsigned long length = 0;
	uint32_t peeked = 0;
	const void *message = NULL;
	void *place = NULL;

	open_channel(&channel);
	require(!open_end(&producer, &channel, PRODUCER));
	require(!open_end(&consumer, &channel, CONSUMER));
	/* The other end is not looked at. */
	equal(ipcbox_ring_take(&consumer.ring, SIZE, &message, &length), 0);
	for (size_t i = 0; i < sizeof(too_long) / sizeof(too_long[0]); i++)
		equal(ipcbox_ring_append(&producer.ring, too_long[i], &place),
		      0);
	equal(ipcbox_ring_room(&producer.ring), SIZE);
	/* What was reserved is not any more. */
	equal(ipcbox_ring_reserve(&producer.ring, 100, &place), 0);
	equal(ipcbox_ring_append(&producer.ring, SIZE - 16, &place), 1);
	require(place == channel.data + 8);
	equal(ipcbox_ring_commit(&producer.ring, 100), -EINVAL);
	equal(ipcbox_ring_append(&producer.ring, 1, &place), 0);
	equal(ipcbox_ring_append(&producer.ring, 0, &place), 1);
	equal(ipcbox_ring_append(&producer.ring, 0, &place), 0);
	/* Nothing is there before it is published, nor what is too long. */
	equal(ipcbox_ring_take(&consumer.ring, SIZE, &message, &length), 0);
	equal(ipcbox_ring_publish(&producer.ring), 0);
	equal(ipcbox_ring_look(&consumer.ring), 0);
	equal(ipcbox_ring_take(&consumer.ring, SIZE - 17, &message, &length),
	      0);
	equal(ipcbox_ring_room(&consumer.ring), SIZE);
	equal(ipcbox_ring_take(&consumer.ring, SIZE - 16, &message, &length),
	      1);
	require(message == channel.data + 8);
	equal(length, SIZE - 16);
	equal(ipcbox_ring_release(&consumer.ring), -EINVAL);
	/* Nor was it looked at any more. */
	equal(ipcbox_ring_peek(&consumer.ring, &message, &peeked), 0);
	equal(ipcbox_ring_take(&consumer.ring, 0, &message, &length), 1);
	equal(ipcbox_ring_release(&consumer.ring), -EINVAL);
	/* To an end that will not come back nothing is sent. */
	equal(ipcbox_ring_publish(&consumer.ring), 0);
	equal(ipcbox_ring_look(&producer.ring), 0);
	channel.pages[CONSUMER].attention |= IPCBOX_CHANNEL_ENDED;
	equal(ipcbox_ring_append(&producer.ring, 0, &place), 0);
	equal(ipcbox_ring_reserve(&producer.ring, 0, &place), -EPIPE);
	channel.pages[CONSUMER].attention = 0;
	equal(ipcbox_ring_append(&producer.ring, 0, &place), 1);
	/* By an end that is closed nothing goes. */
	ipcbox_ring_close(&producer.ring);
	ipcbox_ring_close(&consumer.ring);
	equal(ipcbox_ring_append(&producer.ring, 0, &place), 0);
	equal(ipcbox_ring_commit(&producer.ring, 0), -EINVAL);
	equal(ipcbox_ring_take(&consumer.ring, SIZE, &message, &length), 0);
	equal(ipcbox_ring_release(&consumer.ring), -EINVAL);
	close_channel(&channel);
}

/* Who has to fence each time is told to, whatever the other end asks for. */
static void a_publisher_that_must_fence_does(void)
{
	struct channel channel;
	struct ipcbox_ring ring;

	open_channel(&channel);
	for (int fence = 0; fence < 2; fence++) {
		require(!ipcbox_ring_init(&ring, &channel.pages[PRODUCER],
					  &channel.pages[CONSUMER],
					  channel.data, SIZE, 1, fence));
		equal(ipcbox_ring_announce(&ring, ring.other, ring.position),
		      fence ? IPCBOX_CHANNEL_FENCE : 0);
		equal(ipcbox_ring_publish(&ring), 0);
	}
	/* And looks again then. */
	channel.pages[CONSUMER].attention = IPCBOX_CHANNEL_SLEEPS;
	equal(ipcbox_ring_must_wake(&ring, IPCBOX_CHANNEL_FENCE), 1);
	equal(ipcbox_ring_publish(&ring), 1);
	close_channel(&channel);
}

/* A message looked at twice, and changed in between for the worse. */
static void a_change_after_the_first_look_is_seen(void)
{
	struct channel channel;
	struct end end;
	const void *place;
	uint32_t length = 100;

	open_channel(&channel);
	channel.pages[PRODUCER].position = 112;
	require(!open_end(&end, &channel, CONSUMER));
	memcpy(channel.data, &length, sizeof(length));
	equal(ipcbox_ring_peek(&end.ring, &place, &length), 0);
	equal(length, 100);
	length = UINT32_MAX;
	memcpy(channel.data, &length, sizeof(length));
	equal(ipcbox_ring_peek(&end.ring, &place, &length), -EIO);
	equal(ipcbox_ring_release(&end.ring), -EINVAL);
	equal(ipcbox_ring_peek(&end.ring, &place, &length), -EIO);
	equal(ipcbox_ring_room(&end.ring), 0);
	close_channel(&channel);
}

TAP_MAIN(NULL,
	 TAP_TEST(two_threads_pass_messages),
	 TAP_TEST(two_threads_that_fence_pass_messages),
	 TAP_TEST(only_possible_positions_are_taken),
	 TAP_TEST(only_possible_lengths_are_taken),
	 TAP_TEST(short_ways_are_taken_only_where_sure),
	 TAP_TEST(a_publisher_that_must_fence_does),
	 TAP_TEST(a_change_after_the_first_look_is_seen))
