// SPDX-License-Identifier: GPL-2.0
/*
 * Many bytes through a receive pool, in messages of all lengths, from several
 * senders that are killed at random and started again: each message that was
 * accepted arrives once, whole, and in its sender's order.
 *
 *	stress_pool [mebibytes [seed]]
 *
 * How the receiver knows. A tag says whose message it is and which; both sides
 * make length and content from that. A sender says in shared memory which messages
 * it is about to send, and afterwards which were accepted. Those between the two
 * when it was killed are in doubt: they are not sent again, and may have arrived,
 * the first ones before the last ones.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>

#include "box.h"
#include "pool.h"

#define RING		0x100000
#define LONGEST		(64 << 10)
#define SENDERS		6
#define BATCH		4
#define KEPT		32	/* messages read and not released, at most */
#define DOUBTS		64	/* kills that the receiver has not come to yet */
#define STALLED_MS	180000

/* What went through, without what was ever in doubt. */
struct total {
	__u64 bytes;
	__u64 sum;
};

/*
 * What a sender says of itself; messages are numbered from 0. The total for an
 * even number of accepted messages stands in another place than for an odd one,
 * so that it is true whenever the sender is killed.
 */
struct told {
	__u64 trying;		/* up to this, exclusive */
	__u64 accepted;		/* up to this, exclusive */
	struct total total[2];
	__u32 done;
};

/* Messages in doubt, from the first up to the last, exclusive. */
struct doubt {
	__u64 from;
	__u64 to;
};

struct sender {
	struct told *told;
	pid_t pid;
	__u64 next;		/* what shall arrive */
	struct total total;
	struct doubt doubts[DOUBTS];
	unsigned int doubt_count;
};

static struct {
	int dev;
	__u64 id;
	__u64 seed;		/* of what is sent */
	__u64 random;		/* for what is done */
	__u64 quota;		/* bytes of each sender */
	unsigned char *data;
	struct sender senders[SENDERS];
	__u64 messages, kills, doubts, arrived_in_doubt;
	bool failed;
} s;

#define COMPLAIN(fmt, ...) do { \
	printf("# " fmt "\n", ##__VA_ARGS__); \
	s.failed = true; \
} while (0)

/* What the message of a sender is: its length, and where in the data it begins. */
static const unsigned char *content_of(unsigned int sender, __u64 number,
				       __u32 *length)
{
	__u64 state = s.seed ^ ((__u64)sender << 56) ^ number;
	__u64 random = box_random(&state);

	/* Short ones as often as long ones. */
	*length = random % (random >> 63 ? LONGEST + 1 : 257);
	return s.data + box_random(&state) % LONGEST;
}

/* Depends on each byte and its place. */
static __u64 checksum(__u64 sum, const unsigned char *bytes, __u32 length)
{
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

/*
 * Senders
 */

static int send_some(int fd, unsigned int sender, __u64 first, __u32 count,
		     __u64 *random)
{
	struct ipcbox_outgoing out[BATCH] = { };
	__u64 choice = box_random(random);
	__u32 i;

	for (i = 0; i < count; i++) {
		out[i].data = (uintptr_t)content_of(sender, first + i,
						    &out[i].length);
		out[i].tag = (__u64)sender << 56 | (first + i);
	}
	switch (choice % 4) {
	case 0:
		return box_send_many(fd, out, count, IPCBOX_NOWAIT, 0);
	case 1:
		return box_send_many(fd, out, count, 0,
				     box_now() + (choice >> 8) % 2000000);
	}
	return box_send_many(fd, out, count, 0, IPCBOX_FOREVER);
}

static void add(struct total *total, const unsigned char *content, __u32 length)
{
	total->sum = checksum(total->sum, content, length);
	total->bytes += length;
}

static void note_accepted(struct told *told, unsigned int sender)
{
	struct total total = told->total[told->accepted % 2];
	const unsigned char *content;
	__u32 length;

	content = content_of(sender, told->accepted, &length);
	add(&total, content, length);
	told->total[(told->accepted + 1) % 2] = total;
	__atomic_store_n(&told->accepted, told->accepted + 1, __ATOMIC_SEQ_CST);
}

static void run_sender(unsigned int number, __u64 random)
{
	struct told *told = s.senders[number].told;
	int fd = box_open_id(s.dev, s.id, W);
	__u32 count;
	int ret;

	CHECK(fd >= 0);
	while (told->total[told->accepted % 2].bytes < s.quota) {
		count = 1 + box_random(&random) % BATCH;
		__atomic_store_n(&told->trying, told->accepted + count,
				 __ATOMIC_SEQ_CST);
		ret = send_some(fd, number, told->accepted, count, &random);
		CHECK(ret > 0 || ret == -EAGAIN || ret == -ETIMEDOUT);
		if (ret == -EAGAIN)
			sched_yield();
		for (; ret > 0; ret--)
			note_accepted(told, number);
		/* The rest had no effect: it is tried again. */
		__atomic_store_n(&told->trying, told->accepted,
				 __ATOMIC_SEQ_CST);
	}
	__atomic_store_n(&told->done, 1, __ATOMIC_SEQ_CST);
}

static void start(unsigned int number)
{
	__u64 random = box_random(&s.random);
	pid_t pid = box_fork();

	if (!pid) {
		run_sender(number, random);
		_exit(0);
	}
	s.senders[number].pid = pid;
}

/* What was being sent, and has not come yet, is in doubt, and not sent again. */
static void doubt(struct sender *sender, unsigned int number)
{
	struct told *told = sender->told;
	struct doubt *last = &sender->doubts[sender->doubt_count];

	while (told->accepted < sender->next)
		note_accepted(told, number);
	told->total[told->trying % 2] = told->total[told->accepted % 2];
	if (sender->doubt_count && last[-1].to == told->accepted) {
		last[-1].to = told->trying;
	} else if (sender->doubt_count == DOUBTS) {
		COMPLAIN("too many kills at once");
	} else if (told->trying != told->accepted) {
		last->from = told->accepted;
		last->to = told->trying;
		sender->doubt_count++;
	}
	s.doubts += told->trying - told->accepted;
	told->accepted = told->trying;
}

static void kill_one(unsigned int number)
{
	struct sender *sender = &s.senders[number];
	int status;

	if (!sender->pid)
		return;
	kill(sender->pid, SIGKILL);
	status = box_wait(sender->pid);
	sender->pid = 0;
	if (status && status != BOX_KILLED(SIGKILL))
		COMPLAIN("sender %u ended with %d", number, status);
	if (sender->told->done)
		return;
	s.kills++;
	doubt(sender, number);
	start(number);
}

/*
 * The receiver
 */

/* Only what is in doubt may be missing before message @count. */
static bool is_in_order(const struct sender *sender, __u64 count)
{
	const struct doubt *doubt = sender->doubts;

	return count == sender->next ||
	       (sender->doubt_count && sender->next >= doubt->from &&
		count > sender->next && count <= doubt->to);
}

static void account(struct sender *sender, unsigned int number, __u64 count,
		    const unsigned char *content, __u32 length)
{
	const struct doubt *doubt = sender->doubts;

	if (!is_in_order(sender, count))
		COMPLAIN("sender %u: message %llu instead of %llu", number,
			 count, sender->next);
	sender->next = count + 1;
	if (!sender->doubt_count || count < doubt->from)
		add(&sender->total, content, length);
	else if (count < doubt->to)
		s.arrived_in_doubt++;
	else
		add(&sender->total, content, length);
	if (sender->doubt_count && sender->next > doubt->to) {
		sender->doubt_count--;
		memmove(sender->doubts, sender->doubts + 1,
			sender->doubt_count * sizeof(*doubt));
	}
}

static void look_at(const struct ipcbox_pool_record *record)
{
	const unsigned char *seen = (const unsigned char *)(record + 1);
	__u64 count = record->tag & ~(0xffull << 56);
	unsigned int number = record->tag >> 56;
	const unsigned char *content;
	__u32 length;

	s.messages++;
	if (number >= SENDERS) {
		COMPLAIN("tag %llx is nobody's", record->tag);
		return;
	}
	content = content_of(number, count, &length);
	if (record->length != length || memcmp(seen, content, length))
		COMPLAIN("sender %u: message %llu came with %u bytes, or others",
			 number, count, record->length);
	account(&s.senders[number], number, count, seen, record->length);
}

static bool all_done(void)
{
	unsigned int i;

	for (i = 0; i < SENDERS; i++)
		if (!__atomic_load_n(&s.senders[i].told->done,
				     __ATOMIC_SEQ_CST))
			return false;
	return true;
}

static void look_for_failed(void)
{
	unsigned int i;

	/* It says that it is done before it ends. */
	for (i = 0; i < SENDERS; i++)
		if (s.senders[i].pid && !box_is_running(s.senders[i].pid) &&
		    !__atomic_load_n(&s.senders[i].told->done,
				     __ATOMIC_SEQ_CST))
			COMPLAIN("sender %u has failed", i);
}

static void receive_all(struct pool *pool, __u64 random)
{
	__u64 bytes = 0, kill_at = 1 << 20, kept = 0, progress = box_now();
	const struct ipcbox_pool_record *record;
	bool done;

	while (!s.failed) {
		done = all_done();
		record = pool_look(pool);
		if (record) {
			look_at(record);
			bytes += record->length;
			pool_take(pool);
			if (++kept > box_random(&random) % KEPT) {
				pool_release(pool);
				kept = 0;
			}
			progress = box_now();
		} else {
			pool_release(pool);
			kept = 0;
			if (pool_wait(pool->fd, done ? IPCBOX_NOWAIT : 0,
				      box_in_ms(100)) && done)
				return;
			look_for_failed();
			if (box_now() - progress > STALLED_MS * 1000000ull)
				COMPLAIN("nothing comes");
		}
		if (bytes >= kill_at) {
			kill_at += box_random(&random) % (2 << 20);
			kill_one(box_random(&random) % SENDERS);
		}
	}
}

static void check_sender(unsigned int number)
{
	struct sender *sender = &s.senders[number];
	const struct told *told = sender->told;
	const struct total *total = &told->total[told->accepted % 2];

	if (sender->pid && box_wait(sender->pid))
		COMPLAIN("sender %u has failed", number);
	if (!is_in_order(sender, told->accepted))
		COMPLAIN("sender %u: %llu messages accepted, %llu came", number,
			 told->accepted, sender->next);
	if (sender->total.bytes != total->bytes ||
	    sender->total.sum != total->sum)
		COMPLAIN("sender %u: sent %llu bytes, sum %016llx; %llu came, %016llx",
			 number, total->bytes, total->sum, sender->total.bytes,
			 sender->total.sum);
}

static void check_all(int fd)
{
	struct ipcbox_stat stat;
	unsigned int i;
	__u64 bytes = 0;

	for (i = 0; i < SENDERS; i++) {
		check_sender(i);
		bytes += s.senders[i].total.bytes;
	}
	if (box_stat(fd, &stat) || stat.messages || stat.bytes ||
	    stat.received != s.messages ||
	    stat.sent != stat.received + stat.withdrawn)
		COMPLAIN("%llu sent, %llu received, %llu withdrawn, %llu there; seen %llu",
			 stat.sent, stat.received, stat.withdrawn,
			 stat.messages, s.messages);
	printf("# %llu messages, %llu bytes; %llu void\n", s.messages, bytes,
	       stat.withdrawn);
	printf("# %llu senders killed, %llu messages in doubt, %llu of them came\n",
	       s.kills, s.doubts, s.arrived_in_doubt);
}

int main(int argc, char **argv)
{
	__u64 bytes = (argc > 1 ? strtoull(argv[1], NULL, 0) : 64) << 20;
	struct pool pool = { };
	struct told *told;
	unsigned int i;
	int fd;

	s.seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	s.random = s.seed;
	s.quota = bytes / SENDERS;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..1\n");
	s.dev = box_device();
	fd = pool_create(s.dev, R | M, RING, 0, LONGEST);
	if (fd < 0 || pool_map(fd, &pool)) {
		printf("not ok 1 no pool\n");
		return 1;
	}
	s.id = box_id(fd);
	s.data = malloc(2 * LONGEST);
	box_fill(s.data, 2 * LONGEST, s.seed);
	told = box_shared(SENDERS * sizeof(*told));
	for (i = 0; i < SENDERS; i++)
		s.senders[i].told = &told[i];
	for (i = 0; i < SENDERS; i++)
		start(i);
	receive_all(&pool, s.seed);
	if (!s.failed)
		check_all(fd);
	printf("%s 1 what was accepted arrives once, whole and in order\n",
	       s.failed ? "not ok" : "ok");
	pool_unmap(&pool);
	close(fd);
	close(s.dev);
	return s.failed;
}
