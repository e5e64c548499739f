// SPDX-License-Identifier: GPL-2.0
/*
 * A receive pool trusts neither its senders' memory nor its receiver: a sender
 * that hangs in its own memory, or loses it in the middle of the copy, holds up
 * nobody, and its message comes whole or not at all; a receiver that tells
 * nonsense about where it is gets nothing released that it has not read, and
 * harms itself alone.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "box.h"
#include "fuse_trap.h"
#include "pool.h"

#define RING	65536
#define LONGEST	(RING / 4)

static int pages_map(struct pool *pool, int fd)
{
	return fd < 0 ? fd : pool_map(fd, pool);
}

/* What was accepted is somewhere. */
static bool adds_up(int fd)
{
	struct ipcbox_stat stat;

	return !box_stat(fd, &stat) && !stat.senders_waiting &&
	       stat.sent == stat.received + stat.messages + stat.withdrawn;
}

/* The next message, which must be a number, taken and released. */
static int take_number(struct pool *pool, __u32 *number)
{
	const struct ipcbox_pool_record *record = pool_look(pool);

	if (!record)
		return -EAGAIN;
	if (record->length != sizeof(*number))
		return -EBADMSG;
	memcpy(number, record + 1, sizeof(*number));
	pool_take(pool);
	pool_release(pool);
	return 0;
}

static bool is_zero(const unsigned char *data, size_t length)
{
	while (length)
		if (data[--length])
			return false;
	return true;
}

/*
 * Senders that hang
 */

#define SEED		7u
#define STUCK_TAG	0x10000000000

static long send_part(int fd, char *trap, __u32 before, __u32 inside)
{
	box_fill(trap - before, before, SEED);
	return box_send(fd, trap - before, before + inside, 0, STUCK_TAG, 0,
			IPCBOX_FOREVER);
}

static long send_short(int fd, char *trap)
{
	return send_part(fd, trap, 0, 100);
}

static long send_short_across(int fd, char *trap)
{
	return send_part(fd, trap, 50, 50);
}

static long send_page(int fd, char *trap)
{
	return send_part(fd, trap, 0, 4096);
}

static long send_across(int fd, char *trap)
{
	return send_part(fd, trap, 3000, 2500);
}

FIXTURE(stuck)
{
	int dev;
	int fd;
	struct pool pool;
	struct box_trapped trapped;
	bool hangs;
	__u64 used;
};

FIXTURE_VARIANT(stuck)
{
	void (*begin)(struct box_trapped *trapped,
		      long (*deed)(int fd, char *trap), int fd);
	long (*deed)(int fd, char *trap);
	__u32 before;
	__u32 inside;
	const char *without;
};

FIXTURE_VARIANT_ADD(stuck, fault_short)
{
	.begin = box_trap_begin,
	.deed = send_short,
	.inside = 100,
	.without = "no userfaultfd",
};

FIXTURE_VARIANT_ADD(stuck, fault_short_across)
{
	.begin = box_trap_begin,
	.deed = send_short_across,
	.before = 50,
	.inside = 50,
	.without = "no userfaultfd",
};

FIXTURE_VARIANT_ADD(stuck, fault_page)
{
	.begin = box_trap_begin,
	.deed = send_page,
	.inside = 4096,
	.without = "no userfaultfd",
};

FIXTURE_VARIANT_ADD(stuck, fault_across)
{
	.begin = box_trap_begin,
	.deed = send_across,
	.before = 3000,
	.inside = 2500,
	.without = "no userfaultfd",
};

FIXTURE_VARIANT_ADD(stuck, file_short)
{
	.begin = fuse_trap_begin,
	.deed = send_short,
	.inside = 100,
	.without = "no FUSE",
};

FIXTURE_VARIANT_ADD(stuck, file_page)
{
	.begin = fuse_trap_begin,
	.deed = send_page,
	.inside = 4096,
	.without = "no FUSE",
};

FIXTURE_VARIANT_ADD(stuck, file_across)
{
	.begin = fuse_trap_begin,
	.deed = send_across,
	.before = 3000,
	.inside = 2500,
	.without = "no FUSE",
};

FIXTURE_SETUP(stuck)
{
	struct ipcbox_info info;
	int status;

	if (geteuid())
		SKIP(return, "needs root");
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, box_info(self->dev, &info));
	self->used = info.user_bytes_used;
	self->fd = pool_create(self->dev, RWM, RING, 0, LONGEST);
	ASSERT_EQ(0, pages_map(&self->pool, self->fd));
	variant->begin(&self->trapped, variant->deed, self->fd);
	while (!box_hangs(&self->trapped)) {
		if (box_is_running(self->trapped.pid)) {
			sched_yield();
			continue;
		}
		status = box_wait(self->trapped.pid);
		if (status == KSFT_SKIP)
			SKIP(return, "%s", variant->without);
		/* It has not hung: something is wrong with the trap. */
		ASSERT_EQ(KSFT_SKIP, status);
	}
	self->hangs = true;
}

FIXTURE_TEARDOWN(stuck)
{
	struct ipcbox_info info;

	if (!self->hangs)
		return;
	EXPECT_TRUE(adds_up(self->fd));
	pool_unmap(&self->pool);
	close(self->fd);
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(self->used, info.user_bytes_used);
	close(self->dev);
}

/* Children that send numbers, waiting for room, and short and long together. */
static pid_t send_numbers(int fd, __u32 from, __u32 count)
{
	pid_t child = box_fork();
	__u32 i;

	if (child)
		return child;
	for (i = from; i < from + count; i++)
		CHECK_EQ(1, box_put_wait(fd, i));
	_exit(0);
}

/* Others send and receive as if it were not there; its message is not. */
#define EXPECT_UNHINDERED(first) do {					\
	pid_t children_[2] = { send_numbers(self->fd, 0, 300),		\
			       send_numbers(self->fd, 1000, 300) };	\
	const struct ipcbox_pool_record *record_;			\
	__u32 next_[2] = { 0, 1000 };					\
	int i_, error_;							\
									\
	for (i_ = 0; i_ < 600; i_++) {					\
		__u32 number_;						\
									\
		record_ = pool_receive(&self->pool, IPCBOX_FOREVER,	\
				       &error_);			\
		ASSERT_NE(NULL, record_);				\
		EXPECT_EQ((first) + i_, record_->sequence);		\
		EXPECT_NE(STUCK_TAG, record_->tag);			\
		ASSERT_EQ(0, take_number(&self->pool, &number_));	\
		EXPECT_EQ(next_[number_ >= 1000]++, number_);		\
	}								\
	EXPECT_EQ(0, box_wait(children_[0]));				\
	EXPECT_EQ(0, box_wait(children_[1]));				\
	EXPECT_EQ(NULL, pool_look(&self->pool));			\
} while (0)

TEST_F(stuck, its_message_comes_whole_when_its_memory_does)
{
	const struct ipcbox_pool_record *record;
	const unsigned char *data;
	struct ipcbox_stat stat;
	int error;

	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.sent);
	EXPECT_UNHINDERED(1);
	box_release(&self->trapped, BOX_HEAL);
	record = pool_receive(&self->pool, IPCBOX_FOREVER, &error);
	ASSERT_NE(NULL, record);
	EXPECT_EQ(601, record->sequence);
	EXPECT_EQ(STUCK_TAG, record->tag);
	EXPECT_EQ(self->trapped.pid, record->pid);
	EXPECT_EQ(variant->before + variant->inside, record->length);
	data = (const unsigned char *)(record + 1);
	EXPECT_TRUE(box_filled(data, variant->before, SEED));
	EXPECT_TRUE(is_zero(data + variant->before, variant->inside));
	pool_take(&self->pool);
	pool_release(&self->pool);
	EXPECT_EQ(0, box_wait(self->trapped.pid));
	EXPECT_EQ(1, *self->trapped.result);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(601, stat.received);
	EXPECT_EQ(0, stat.withdrawn);
}

TEST_F(stuck, its_message_does_not_come_when_its_memory_goes)
{
	struct ipcbox_stat stat;

	box_release(&self->trapped, BOX_TAKE_AWAY);
	EXPECT_EQ(0, box_wait(self->trapped.pid));
	EXPECT_EQ(-EFAULT, *self->trapped.result);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.sent);
	EXPECT_EQ(0, stat.messages);
	EXPECT_UNHINDERED(1);
}

TEST_F(stuck, killed_it_leaves_no_hole)
{
	struct ipcbox_stat stat;
	__u32 number;

	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(0, take_number(&self->pool, &number));
	EXPECT_EQ(0, kill(self->trapped.pid, SIGKILL));
	/* It may hang on until its file system lets go of it. */
	EXPECT_UNHINDERED(2);
	box_release(&self->trapped, BOX_TAKE_AWAY);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(self->trapped.pid));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(601, stat.sent);
	EXPECT_EQ(601, stat.received);
	EXPECT_EQ(0, stat.withdrawn);
}

/*
 * Senders whose memory goes in the middle of the copy
 */

#define PAGE		4096
#define VANISHING	(3 * PAGE)
#define OTHERS		2000
#define ENOUGH		10	/* times that the memory went in the copy, */
#define AT_MOST		5000	/* or messages, where it hardly ever does */

/*
 * A page at hand, and behind it others that go and come back, with the same in
 * them: how often the sender has lost one is the receiver's to see.
 */
struct vanishing {
	int file;
	char *pages;
	bool whole;	/* there are moments without them */
	__u32 end;
};

static void *vanish(void *arg)
{
	struct vanishing *memory = arg;
	char *from = memory->pages + PAGE;

	while (!__atomic_load_n(&memory->end, __ATOMIC_ACQUIRE)) {
		if (!memory->whole) {
			madvise(from + PAGE, VANISHING - PAGE, MADV_DONTNEED);
			continue;
		}
		CHECK_EQ(0, munmap(from + PAGE, VANISHING - PAGE));
		sched_yield();
		CHECK(mmap(from + PAGE, VANISHING - PAGE, PROT_READ,
			   MAP_SHARED | MAP_FIXED, memory->file, PAGE) !=
		      MAP_FAILED);
		sched_yield();
	}
	return NULL;
}

static void vanishing_make(struct vanishing *memory)
{
	static unsigned char content[VANISHING];

	box_fill(content, sizeof(content), SEED);
	memory->file = memfd_create("vanishing", MFD_CLOEXEC);
	CHECK_EQ(VANISHING, write(memory->file, content, VANISHING));
	memory->pages = mmap(NULL, PAGE + VANISHING, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory->pages != MAP_FAILED);
	CHECK(mmap(memory->pages + PAGE, VANISHING, PROT_READ,
		   MAP_SHARED | MAP_FIXED, memory->file, 0) != MAP_FAILED);
}

/* A child that sends until it is told to stop; the numbers stand before the pages. */
static pid_t send_vanishing(int fd, bool whole, const __u32 *stop)
{
	struct vanishing memory = { .whole = whole };
	__u32 number = 0;
	pthread_t thread;
	pid_t child;
	char *from;
	int ret;

	child = box_fork();
	if (child)
		return child;
	vanishing_make(&memory);
	from = memory.pages + PAGE - sizeof(number);
	CHECK(!pthread_create(&thread, NULL, vanish, &memory));
	while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE)) {
		memcpy(from, &number, sizeof(number));
		ret = box_send(fd, from, sizeof(number) + VANISHING, 0,
			       STUCK_TAG, 0, IPCBOX_FOREVER);
		CHECK(ret == 1 || (whole && ret == -EFAULT));
		/* What failed has had no effect. */
		number += ret == 1;
	}
	__atomic_store_n(&memory.end, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	_exit(0);
}

FIXTURE(vanishing)
{
	int dev;
	int fd;
	struct pool pool;
};

FIXTURE_VARIANT(vanishing)
{
	bool whole;
};

FIXTURE_VARIANT_ADD(vanishing, page_that_must_be_found_again)
{
	.whole = false,
};

FIXTURE_VARIANT_ADD(vanishing, mapping)
{
	.whole = true,
};

FIXTURE_SETUP(vanishing)
{
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = pool_create(self->dev, RWM, RING, 0, LONGEST);
	ASSERT_EQ(0, pages_map(&self->pool, self->fd));
}

FIXTURE_TEARDOWN(vanishing)
{
	EXPECT_TRUE(adds_up(self->fd));
	pool_unmap(&self->pool);
	close(self->fd);
	close(self->dev);
}

TEST_F(vanishing, messages_come_whole_and_in_order_or_not_at_all)
{
	__u32 *stop = box_shared(4096);
	pid_t sender = send_vanishing(self->fd, variant->whole, stop);
	pid_t other = send_numbers(self->fd, 0, OTHERS);
	__u32 next = 0, others = 0, number;
	__u64 sequence = 0, holes = 0;
	const struct ipcbox_pool_record *record;
	struct ipcbox_stat stat;
	bool ended;

	for (;;) {
		if (others == OTHERS && (holes >= ENOUGH || next >= AT_MOST))
			__atomic_store_n(stop, 1, __ATOMIC_RELEASE);
		ended = !box_is_running(sender) && !box_is_running(other);
		record = pool_look(&self->pool);
		if (!record) {
			pool_release(&self->pool);
			if (ended)
				break;
			pool_wait(self->fd, 0, box_in_ms(20));
			continue;
		}
		ASSERT_LT(sequence, record->sequence);
		holes += record->sequence - sequence - 1;
		sequence = record->sequence;
		memcpy(&number, record + 1, sizeof(number));
		if (record->tag == STUCK_TAG) {
			ASSERT_EQ(sizeof(number) + VANISHING, record->length);
			ASSERT_EQ(next, number);
			ASSERT_TRUE(box_filled((const char *)(record + 1) +
					       sizeof(number), VANISHING,
					       SEED));
			next++;
		} else {
			ASSERT_EQ(others, number);
			others++;
		}
		pool_take(&self->pool);
		pool_release(&self->pool);
	}
	EXPECT_EQ(OTHERS, others);
	EXPECT_EQ(0, box_wait(other));
	EXPECT_EQ(0, box_wait(sender));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	holes += stat.sent - sequence;
	TH_LOG("%llu holes, %u messages around them", holes, next);
	EXPECT_EQ(holes, stat.withdrawn);
	EXPECT_EQ(next + others, stat.received);
	EXPECT_EQ(0, stat.messages);
}

/*
 * A receiver that tells nonsense
 */

#define FILLER	0xa5
#define BODY	100
#define MOST	1000

FIXTURE(liar)
{
	int dev;
	int fd;
	struct pool pool;
	/* Another mailbox, whose messages must stay as they are. */
	int witness;
	struct pool other;
	unsigned char *copy;
	struct ipcbox_stat stat;
};

static int fill_witness(int fd)
{
	unsigned char out[3000];
	__u32 i;

	for (i = 0; i < 10; i++) {
		box_fill(out, sizeof(out), i);
		if (box_send(fd, out, sizeof(out), 0, i, IPCBOX_NOWAIT, 0) != 1)
			return -EAGAIN;
	}
	return 0;
}

FIXTURE_SETUP(liar)
{
	/* More than the ring can hold: the rest waits in the kernel. */
	struct ipcbox_set set = {
		.mask = IPCBOX_SET_MAX_BYTES,
		.max_bytes = 4 * RING,
	};

	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = pool_create(self->dev, RWM, RING, MOST, LONGEST);
	ASSERT_EQ(0, pages_map(&self->pool, self->fd));
	ASSERT_EQ(0, box_set(self->fd, &set));
	self->witness = pool_create(self->dev, RWM, RING, 0, LONGEST);
	ASSERT_EQ(0, pages_map(&self->other, self->witness));
	ASSERT_EQ(0, fill_witness(self->witness));
	ASSERT_EQ(0, box_stat(self->witness, &self->stat));
	self->copy = malloc(RING);
	memcpy(self->copy, self->other.ring, RING);
}

FIXTURE_TEARDOWN(liar)
{
	struct ipcbox_stat stat;

	EXPECT_EQ(0, box_stat(self->witness, &stat));
	EXPECT_EQ(0, memcmp(&stat, &self->stat, sizeof(stat)));
	EXPECT_EQ(0, memcmp(self->copy, self->other.ring, RING));
	EXPECT_EQ(0, self->other.receiver->tail);
	EXPECT_TRUE(adds_up(self->fd));
	free(self->copy);
	pool_unmap(&self->pool);
	pool_unmap(&self->other);
	close(self->fd);
	close(self->witness);
	close(self->dev);
}

/* Values in which somebody could have believed, by number; false after the last. */
static bool nonsense(unsigned int n, __u64 tail, __u64 head, __u64 *value)
{
	const __u64 near[] = { 0, tail, head, tail + RING, head + RING };
	const unsigned int each = 2 * 64 + 1;

	if (n >= each * 5)
		return false;
	*value = near[n / each];
	n %= each;
	if (n)
		*value += n & 1 ? 1ull << (n / 2) : -(1ull << (n / 2 - 1));
	return true;
}

static bool is_told(__u64 value, __u64 tail, __u64 head)
{
	return value - tail <= head - tail;
}

/* Up to there whole records are released, if the receiver said @value. */
static __u64 releasable(const struct pool *pool, __u64 value, __u64 tail,
			__u64 head)
{
	__u64 behind;

	if (!is_told(value, tail, head))
		return tail;
	while (tail != head) {
		behind = pool_behind(pool, tail);
		if (behind - tail > value - tail)
			break;
		tail = behind;
	}
	return tail;
}

/* The ring, and the mailbox. */
static void fill_ring(int fd)
{
	unsigned char out[BODY];

	memset(out, FILLER, sizeof(out));
	while (box_send(fd, out, sizeof(out), 0, 0, IPCBOX_NOWAIT, 0) == 1)
		;
}

/* From @position on, every record is one of fill_ring(). */
static bool is_intact(const struct pool *pool, __u64 position, __u64 head)
{
	const struct ipcbox_pool_record *record;
	__u64 sequence = 0;
	__u32 i;

	while (position != head) {
		record = pool_at(pool, position);
		if (record->state != IPCBOX_POOL_READY ||
		    record->length != BODY || record->pid != getpid() ||
		    (sequence && record->sequence != sequence + 1))
			return false;
		for (i = 0; i < BODY; i++)
			if (((const unsigned char *)(record + 1))[i] != FILLER)
				return false;
		sequence = record->sequence;
		position = pool_behind(pool, position);
	}
	return true;
}

TEST_F(liar, only_whole_records_it_can_have_read_are_released)
{
	const __u64 bytes = (sizeof(struct ipcbox_pool_record) + BODY + 15) /
			    16 * 16;
	__u64 tail = 0, head, value, released;
	struct ipcbox_stat stat;
	unsigned int n;

	for (n = 0; ; n++) {
		fill_ring(self->fd);
		head = pool_load(&self->pool.page->head);
		ASSERT_GE(RING, head - tail);
		ASSERT_LT(RING, head - tail + bytes);
		if (!nonsense(n, tail, head, &value))
			break;
		released = releasable(&self->pool, value, tail, head);
		__atomic_store_n(&self->pool.receiver->tail, value,
				 __ATOMIC_RELEASE);
		ASSERT_EQ(0, box_stat(self->fd, &stat));
		ASSERT_EQ(MOST - (released - tail) / bytes, stat.messages);
		ASSERT_EQ(released / bytes, stat.received);
		/* What comes now, or has waited, takes no more than that. */
		fill_ring(self->fd);
		ASSERT_TRUE(is_intact(&self->pool, released,
				      pool_load(&self->pool.page->head)));
		tail = released;
	}
}

TEST_F(liar, whatever_it_says_to_have_read_room_stays_as_it_is)
{
	__u64 value, head;
	struct ipcbox_stat stat;
	unsigned int n;

	fill_ring(self->fd);
	head = pool_load(&self->pool.page->head);
	for (n = 0; nonsense(n, 0, head, &value); n++) {
		int ret;

		__atomic_store_n(&self->pool.receiver->next, value,
				 __ATOMIC_RELAXED);
		ret = pool_wait(self->fd, IPCBOX_NOWAIT, 0);
		/* What it calls the end is one; where it cannot be it is not. */
		if (value == head)
			ASSERT_EQ(-EAGAIN, ret);
		if (!is_told(value, 0, head))
			ASSERT_EQ(0, ret);
		ASSERT_EQ(!ret, !!(box_poll(self->fd) & POLLIN));
		ASSERT_EQ(-EAGAIN, box_put(self->fd, 1));
	}
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.received);
	EXPECT_TRUE(is_intact(&self->pool, 0, head));
}

/* A child that sends all lengths in all ways, and accepts what they may return. */
static pid_t send_anything(int fd, __u64 seed, const __u32 *stop)
{
	static unsigned char out[LONGEST];
	pid_t child = box_fork();
	int ret;

	if (child)
		return child;
	memset(out, FILLER, sizeof(out));
	while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE)) {
		__u64 random = box_random(&seed);
		__u32 length = random % (random >> 63 ? LONGEST + 1 : 257);
		bool wait = random >> 62 & 1;

		ret = box_send(fd, out, length, 0, 0, wait ? 0 : IPCBOX_NOWAIT,
			       box_now() + (random >> 32) % 1000000);
		CHECK(ret == 1 || ret == (wait ? -ETIMEDOUT : -EAGAIN));
	}
	_exit(0);
}

/* What any part of the kernel's memory would show: addresses of it. */
static bool has_addresses(const unsigned char *memory, size_t length)
{
	__u64 word;
	size_t i;

	for (i = 0; i + sizeof(word) <= length; i += sizeof(word)) {
		memcpy(&word, memory + i, sizeof(word));
		if (word >> 47 == 0x1ffff)
			return true;
	}
	return false;
}

TEST_F(liar, at_random_it_harms_itself_alone)
{
	struct ipcbox_pool_receiver *receiver = self->pool.receiver;
	__u32 *stop = box_shared(4096);
	__u64 random = 4711, value, head, tail = 0;
	struct ipcbox_stat stat;
	pid_t children[3];
	unsigned int round, i;
	__u32 number;

	for (i = 0; i < 3; i++)
		children[i] = send_anything(self->fd, i + 1, stop);
	for (round = 0; round < 30000; round++) {
		head = pool_load(&self->pool.page->head);
		value = box_random(&random);
		if (value % 3 == 0)
			nonsense((value >> 8) % (5 * 129), tail, head, &value);
		else if (value % 3 == 1)
			value = head - (value >> 8) % RING;
		__atomic_store_n(&receiver->tail, value, __ATOMIC_RELEASE);
		tail = value;
		__atomic_store_n(&receiver->next, box_random(&random) % 2 ?
				 head - (value >> 8) % RING : value,
				 __ATOMIC_RELAXED);
		if (round % 16 == 0) {
			int ret = pool_wait(self->fd, IPCBOX_NOWAIT, 0);

			ASSERT_TRUE(ret == 0 || ret == -EAGAIN);
			box_poll(self->fd);
		}
		if (round % 1024 == 0)
			ASSERT_FALSE(has_addresses(self->pool.ring, RING));
	}
	__atomic_store_n(stop, 1, __ATOMIC_RELEASE);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, box_wait(children[i]));
	EXPECT_FALSE(has_addresses(self->pool.ring, RING));
	/* Once it tells the truth again all is well: what waited comes, too. */
	do {
		head = pool_load(&self->pool.page->head);
		__atomic_store_n(&receiver->next, head, __ATOMIC_RELAXED);
		__atomic_store_n(&receiver->tail, head, __ATOMIC_RELEASE);
		EXPECT_EQ(0, box_stat(self->fd, &stat));
		pool_wait(self->fd, IPCBOX_NOWAIT, 0);
	} while (head != pool_load(&self->pool.page->head));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.messages);
	EXPECT_EQ(0, stat.bytes);
	EXPECT_EQ(1, box_put(self->fd, 77));
	EXPECT_EQ(0, take_number(&self->pool, &number));
	EXPECT_EQ(77, number);
}

/*
 * A receiver that wants to keep what it has
 */

/* Else a page that it kept would show it what a later receiver gets. */
TEST_F(liar, no_page_can_be_kept_beyond_the_mapping)
{
	EXPECT_EQ(0, box_pin(self->copy));
	EXPECT_EQ(-EFAULT, box_pin(self->pool.ring));
	EXPECT_EQ(-EFAULT, box_pin(self->pool.page));
	EXPECT_EQ(-EFAULT, box_pin(self->pool.receiver));
}

#define MANY	15000

/* By another user namespace, in which all senders are nobody. */
static pid_t map_elsewhere(int fd, const __u32 *stop)
{
	struct pool pool = { };
	pid_t child = box_fork();

	if (child)
		return child;
	if (unshare(CLONE_NEWUSER))
		_exit(KSFT_SKIP);
	CHECK_EQ(0, pool_map(fd, &pool));
	box_await_flag(stop, 1);
	_exit(0);
}

/*
 * Who maps while another process makes the first mapping could release records
 * that are being looked at: it finds them all done.
 */
TEST_F(liar, records_are_translated_before_anybody_can_release_them)
{
	int fd = pool_create(self->dev, RWM, 1 << 20, 0, 4096);
	const struct ipcbox_pool_record *record = NULL;
	__u32 *stop = box_shared(4096);
	struct pool pool = { };
	struct ipcbox_stat stat;
	__u64 position;
	pid_t child;
	__u32 i;

	ASSERT_LE(0, fd);
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(1, box_put(fd, i));
	child = map_elsewhere(fd, stop);
	do {
		ASSERT_EQ(0, box_stat(fd, &stat));
	} while (!stat.mappings && box_is_running(child));
	if (stat.mappings) {
		ASSERT_EQ(0, pool_map(fd, &pool));
		position = pool_load(&pool.receiver->tail);
		for (i = 0; i < MANY; i++) {
			record = pool_at(&pool, position);
			position = pool_behind(&pool, position);
		}
		EXPECT_EQ(65534, record->uid);
		EXPECT_EQ(pool_load(&pool.page->head), position);
		pool_unmap(&pool);
	}
	__atomic_store_n(stop, 1, __ATOMIC_RELEASE);
	i = box_wait(child);
	close(fd);
	if (i == KSFT_SKIP)
		SKIP(return, "no user namespaces");
	EXPECT_EQ(0, i);
}

TEST_HARNESS_MAIN
