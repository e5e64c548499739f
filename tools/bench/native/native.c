/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the ring of a channel costs by itself: the code of <linux/ipcbox_ring.h>
 * over anonymous memory, without the module, beside a ring that checks nothing
 * and beside memcpy. Writes lines of JSON as the bench does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/ipcbox_ring.h>

#include "../transports/ring.h"

#define RING_BYTES	(1 << 20)
/*
 * Many short repeats, of which some meet nothing else that the host does: the
 * least of them is what counts.
 */
#define REPEATS		200
#define REPEAT_BYTES	(2 << 20)
#define REPEAT_MOST	8192

/* How many messages go in before they come out. */
#define BURST		8

struct contender {
	const char *name;
	int (*begin)(size_t size);
	int (*put)(const void *data, size_t size);
	int (*take)(void *data, size_t size);
	void (*end)(void);
};

static void *shared_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/*
 * The channel's ring
 */

static struct {
	struct ipcbox_channel_page *pages;
	char *data;
	struct ipcbox_ring producer;
	struct ipcbox_ring consumer;
} channel;

/* The data twice in a row, as the kernel maps it. */
static char *map_twice(size_t size)
{
	int fd = memfd_create("ring", MFD_CLOEXEC);
	char *memory = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (!ftruncate(fd, (off_t)size))
		memory = mmap(NULL, 2 * size, PROT_NONE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 2 && memory != MAP_FAILED; i++)
		if (mmap(memory + (size_t)i * size, size,
			 PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd,
			 0) == MAP_FAILED)
			memory = MAP_FAILED;
	close(fd);
	return memory == MAP_FAILED ? NULL : memory;
}

static int channel_begin(size_t size)
{
	(void)size;
	channel.pages = shared_memory(2 * sizeof(*channel.pages));
	channel.data = map_twice(RING_BYTES);
	if (!channel.pages || !channel.data)
		return -ENOMEM;
	ipcbox_ring_init(&channel.producer, &channel.pages[0],
			 &channel.pages[1], channel.data, RING_BYTES, 1, 0);
	return ipcbox_ring_init(&channel.consumer, &channel.pages[1],
				&channel.pages[0], channel.data, RING_BYTES, 0,
				0);
}

/* As libipcbox does it: the short way, and the long one where that is not to be had. */
static int channel_put(const void *data, size_t size)
{
	void *place;
	int error;

	if (!ipcbox_ring_append(&channel.producer, size, &place)) {
		error = ipcbox_ring_reserve(&channel.producer, (__u32)size,
					    &place);
		if (!error)
			error = ipcbox_ring_commit(&channel.producer,
						   (__u32)size);
		if (error)
			return error;
	}
	memcpy(place, data, size);
	ipcbox_ring_publish(&channel.producer);
	return 0;
}

static int channel_take(void *data, size_t size)
{
	unsigned long taken;
	const void *place;
	__u32 length;
	int error;

	if (!ipcbox_ring_take(&channel.consumer, size, &place, &taken)) {
		error = ipcbox_ring_peek(&channel.consumer, &place, &length);
		if (!error)
			error = length > size ? -EMSGSIZE :
				ipcbox_ring_release(&channel.consumer);
		if (error)
			return error;
		taken = length;
	}
	memcpy(data, place, taken);
	ipcbox_ring_publish(&channel.consumer);
	return 0;
}

static void channel_end(void)
{
	munmap(channel.pages, 2 * sizeof(*channel.pages));
	munmap(channel.data, 2 * (size_t)RING_BYTES);
}

/*
 * A ring that checks nothing
 */

static struct ring *bare;

static int bare_begin(size_t size)
{
	const struct shape shape = {
		.size = size,
		.depth = RING_BYTES / (size + sizeof(size_t)),
	};

	bare = ring_new(&shape);
	return bare ? 0 : -ENOMEM;
}

static int bare_put(const void *data, size_t size)
{
	if (ring_is_full(bare))
		return -EAGAIN;
	ring_put(bare, data, size);
	return 0;
}

static int bare_take(void *data, size_t size)
{
	(void)size;
	if (ring_is_empty(bare))
		return -EAGAIN;
	ring_take(bare, data);
	return 0;
}

static void bare_end(void)
{
	ring_free(bare);
}

/*
 * The same two copies, from and to memory as large as a ring, and no ring
 */

static struct {
	char *memory;
	size_t in;
	size_t out;
} copies;

static int copies_begin(size_t size)
{
	(void)size;
	copies.memory = shared_memory(RING_BYTES);
	copies.in = 0;
	copies.out = 0;
	return copies.memory ? 0 : -ENOMEM;
}

static int copies_put(const void *data, size_t size)
{
	memcpy(copies.memory + copies.in % RING_BYTES, data, size);
	copies.in += size;
	return 0;
}

static int copies_take(void *data, size_t size)
{
	memcpy(data, copies.memory + copies.out % RING_BYTES, size);
	copies.out += size;
	return 0;
}

static void copies_end(void)
{
	munmap(copies.memory, RING_BYTES);
}

static const struct contender contenders[] = {
	{ "channel-ring", channel_begin, channel_put, channel_take,
	  channel_end },
	{ "bare-ring", bare_begin, bare_put, bare_take, bare_end },
	{ "memcpy", copies_begin, copies_put, copies_take, copies_end },
};

#define CONTENDERS (sizeof(contenders) / sizeof(contenders[0]))

static const size_t sizes[] = { 64, 4096, 65536 };

#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

/*
 * Puts and takes a burst. Inlined with what each contender does, as programs
 * have it: nobody calls a ring through a pointer.
 */
static inline __attribute__((always_inline)) int
burst(const struct contender *contender, char *from, char *to, size_t size)
{
	int error = 0;

	for (int i = 0; i < BURST; i++)
		error |= contender->put(from, size);
	for (int i = 0; i < BURST; i++)
		error |= contender->take(to, size);
	return error;
}

static inline __attribute__((always_inline)) int
repeat_of(const struct contender *contender, char *from, char *to, size_t size,
	  unsigned long bursts)
{
	int error = 0;

	for (unsigned long i = 0; i < bursts; i++)
		error |= burst(contender, from, to, size);
	return error;
}

static int repeat(unsigned int which, char *from, char *to, size_t size,
		  unsigned long bursts)
{
	switch (which) {
	case 0:
		return repeat_of(&contenders[0], from, to, size, bursts);
	case 1:
		return repeat_of(&contenders[1], from, to, size, bursts);
	default:
		return repeat_of(&contenders[2], from, to, size, bursts);
	}
}

/*
 * All of them by turns in each repeat, so that what else the host does meets
 * them alike.
 */
static int measure(size_t size, double samples[CONTENDERS][REPEATS])
{
	unsigned long messages = REPEAT_BYTES / size < REPEAT_MOST ?
					 REPEAT_BYTES / size : REPEAT_MOST;
	unsigned long bursts = messages / BURST;
	char *from = shared_memory(size);
	char *to = shared_memory(size);
	int error = from && to ? 0 : -ENOMEM;

	for (unsigned int c = 0; !error && c < CONTENDERS; c++)
		error = contenders[c].begin(size);
	for (unsigned int r = 0; !error && r <= REPEATS; r++) {
		for (unsigned int c = 0; !error && c < CONTENDERS; c++) {
			uint64_t begun = now();

			error = repeat(c, from, to, size, bursts);
			/* The first one warms up. */
			if (r)
				samples[c][r - 1] =
					(double)(now() - begun) /
					(double)(bursts * BURST);
		}
	}
	for (unsigned int c = 0; c < CONTENDERS; c++)
		contenders[c].end();
	munmap(from, size);
	munmap(to, size);
	return error;
}

static void print_header(void)
{
	printf("{\"bench\":1,\"kernel\":\"none\",\"rows\":%zu,\"repeats\":%d,",
	       SIZES * CONTENDERS, REPEATS);
	printf("\"processors\":%ld,\"transports\":[",
	       sysconf(_SC_NPROCESSORS_ONLN));
	for (unsigned int c = 0; c < CONTENDERS; c++)
		printf("%s{\"name\":\"%s\",\"family\":\"shared\",\"ours\":%s}",
		       c ? "," : "", contenders[c].name, c ? "false" : "true");
	printf("],\"workloads\":[{\"name\":\"ring\",\"what\":\"bytes, in and "
	       "out by one thread\",\"unit\":\"ns\"}]}\n");
}

int main(void)
{
	static double samples[CONTENDERS][REPEATS];
	int error;

	print_header();
	for (unsigned int s = 0; s < SIZES; s++) {
		error = measure(sizes[s], samples);
		if (error) {
			fprintf(stderr, "native: %s\n", strerror(-error));
			return EXIT_FAILURE;
		}
		for (unsigned int c = 0; c < CONTENDERS; c++) {
			printf("{\"workload\":\"ring\",\"point\":%zu,"
			       "\"transport\":\"%s\",\"samples\":[", sizes[s],
			       contenders[c].name);
			for (unsigned int r = 0; r < REPEATS; r++)
				printf("%s%.2f", r ? "," : "", samples[c][r]);
			printf("]}\n");
		}
	}
	return EXIT_SUCCESS;
}
