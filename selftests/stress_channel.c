// SPDX-License-Identifier: GPL-2.0
/*
 * Many bytes through a channel, in messages of all lengths, from one process to
 * another: what arrives is what was sent.
 *
 * usage: stress_channel [MEBIBYTES [SEED]]
 */
#include <stdio.h>

#include "box.h"
#include "channel_end.h"

#define RING		0x100000
#define LONGEST		(64 << 10)

/* Depends on each byte and its place; sums of eight bytes at a time. */
static __u64 checksum(__u64 sum, const void *data, __u32 length)
{
	const unsigned char *bytes = data;
	__u64 word;
	__u32 n;

	for (; length; length -= n, bytes += n) {
		n = length < sizeof(word) ? length : sizeof(word);
		word = n;
		memcpy(&word, bytes, n);
		sum = (sum ^ word) * 0x9e3779b97f4a7c15ull;
		sum ^= sum >> 29;
	}
	return sum;
}

static __u32 length_of(__u64 *state)
{
	__u64 random = box_random(state);

	/* Short ones as often as long ones. */
	return random % (((random >> 32) & 1) ? LONGEST + 1 : 129);
}

/* What was sent, for the parent. */
struct sent {
	__u64 bytes;
	__u64 messages;
	__u64 sum;
};

static void produce(struct end *end, __u64 bytes, __u64 seed, struct sent *sent)
{
	unsigned char *data = malloc(2 * LONGEST);
	__u64 state = seed;

	CHECK(data);
	box_fill(data, 2 * LONGEST, seed);
	while (sent->bytes < bytes) {
		__u32 length = length_of(&state);
		/* Another part each time. */
		unsigned char *from = data + box_random(&state) % LONGEST;

		CHECK_EQ(0, end_send(end, from, length, IPCBOX_FOREVER));
		sent->sum = checksum(sent->sum, from, length);
		sent->bytes += length;
		sent->messages++;
	}
	free(data);
}

static int consume(struct end *end, __u64 seed, struct sent *seen)
{
	unsigned char *data = malloc(LONGEST);
	__u64 state = seed;
	int ret;

	while ((ret = end_receive(end, data, LONGEST, IPCBOX_FOREVER)) >= 0) {
		if ((__u32)ret != length_of(&state)) {
			fprintf(stderr, "# message %llu has %d bytes\n",
				seen->messages, ret);
			return -1;
		}
		box_random(&state);
		seen->sum = checksum(seen->sum, data, ret);
		seen->bytes += ret;
		seen->messages++;
	}
	free(data);
	return ret == -EPIPE ? 0 : ret;
}

int main(int argc, char **argv)
{
	__u64 bytes = (argc > 1 ? strtoull(argv[1], NULL, 0) : 64) << 20;
	__u64 seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	struct end producer, consumer;
	struct sent seen = { };
	struct sent *sent;
	bool good;
	pid_t pid;
	int dev;
	int fd;

	printf("TAP version 13\n1..1\n");
	dev = box_device();
	fd = end_make(dev, W, RING);
	if (fd < 0 || end_map(&producer, fd, 1) ||
	    end_map(&consumer, box_open_id(dev, box_id(fd), R), 0)) {
		printf("not ok 1 no channel\n");
		return 1;
	}
	sent = box_shared(sizeof(*sent));
	pid = box_fork();
	if (!pid) {
		end_close(&consumer);
		produce(&producer, bytes, seed, sent);
		_exit(0);
	}
	end_close(&producer);
	good = !consume(&consumer, seed, &seen);
	good = !box_wait(pid) && good && seen.bytes == sent->bytes &&
	       seen.messages == sent->messages && seen.sum == sent->sum;
	printf("# sent %llu bytes in %llu messages, sum %016llx\n",
	       sent->bytes, sent->messages, sent->sum);
	printf("# seen %llu bytes in %llu messages, sum %016llx\n", seen.bytes,
	       seen.messages, seen.sum);
	printf("%s 1 what arrives is what was sent\n", good ? "ok" : "not ok");
	end_close(&consumer);
	close(dev);
	return !good;
}
