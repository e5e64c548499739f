// SPDX-License-Identifier: GPL-2.0
/*
 * An end of a channel is safe from the other: whatever that writes into what it
 * can write, while it is looked at or before, this one neither crashes, nor reads
 * or writes outside the ring, nor goes on for ever.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>

#include "kselftest_harness.h"
#include "box.h"
#include "channel_end.h"

#define ROUNDS	3000

FIXTURE(hostile)
{
	int dev;
	struct end consumer;
	struct end producer;
};

FIXTURE_SETUP(hostile)
{
	size_t page = sysconf(_SC_PAGESIZE);
	int r, w;

	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	w = end_make(self->dev, W, page);
	ASSERT_LE(0, w);
	r = box_open_id(self->dev, box_id(w), R);
	ASSERT_LE(0, r);
	ASSERT_EQ(0, end_map(&self->producer, w, 1));
	ASSERT_EQ(0, end_map(&self->consumer, r, 0));
}

FIXTURE_TEARDOWN(hostile)
{
	end_close(&self->producer);
	end_close(&self->consumer);
	close(self->dev);
}

/* Mostly numbers at which something might be wrong. */
static __u32 evil(__u64 *state)
{
	static const __u32 numbers[] = {
		0, 1, 4, 7, 8, 9, 12, 15, 16, 24, 4080, 4088, 4089, 4095, 4096,
		4097, 4104, 8184, 8192, 0x3fffffff, 0x40000000, 0x7ffffff8,
		0x7fffffff, 0x80000000, 0x80000008, 0xfffff000, 0xfffffff0,
		0xfffffff7, 0xfffffff8, 0xfffffffc, 0xffffffff,
	};
	__u64 random = box_random(state);

	if (random % 4 == 0)
		return random >> 32;
	return numbers[(random >> 8) % ARRAY_SIZE(numbers)];
}

/* Writes into its page, and the producer into the data, until it is killed. */
static void rage(struct end *end, bool producer, __u64 seed)
{
	__u32 *data = (__u32 *)end->data;
	__u64 state = seed;

	for (;;) {
		__u32 number = evil(&state);

		switch (box_random(&state) % 8) {
		case 0:
		case 1:
			__atomic_store_n(&end->own->position, number,
					 __ATOMIC_RELAXED);
			break;
		case 2:
			/* What is allowed, too, or nothing would go further. */
			__atomic_store_n(&end->own->position,
					 end->other->position + (number & 8) * 2,
					 __ATOMIC_RELAXED);
			break;
		case 3:
			__atomic_store_n(&end->own->attention, number,
					 __ATOMIC_RELAXED);
			break;
		case 4:
			__atomic_store_n(&end->own->wanted, number,
					 __ATOMIC_RELAXED);
			break;
		case 5:
			end_wake(end->fd);
			break;
		default:
			if (producer)
				__atomic_store_n(data + box_random(&state) %
						 (end->size / 4), number,
						 __ATOMIC_RELAXED);
			break;
		}
	}
}

static pid_t let_rage(struct end *end, bool producer, __u64 seed)
{
	pid_t pid = box_fork();

	if (!pid)
		rage(end, producer, seed);
	return pid;
}

/* Reads each byte, for a sanitizer or the processor to object. */
static unsigned int read_all(const unsigned char *bytes, __u32 length)
{
	unsigned int sum = 0;
	__u32 i;

	for (i = 0; i < length; i++)
		sum += __atomic_load_n(bytes + i, __ATOMIC_RELAXED);
	return sum;
}

static void check_inside(const struct end *end, const void *place,
			 __u32 length)
{
	const unsigned char *first = place;

	CHECK(first >= end->data + 8);
	CHECK(first < end->data + end->size + 8);
	CHECK(length <= end->size - 8);
	CHECK(first + length <= end->data + 2 * end->size);
}

/* What a consumer does, and begins anew when the ring is broken. */
static void consume(struct end *end)
{
	struct ipcbox_stat stat;
	const void *place;
	__u32 length;
	int round;
	int error;

	for (round = 0; round < ROUNDS; round++) {
		error = ipcbox_ring_peek(&end->ring, &place, &length);
		if (!error) {
			check_inside(end, place, length);
			read_all(place, length);
			CHECK_EQ(0, ipcbox_ring_release(&end->ring));
			CHECK_EQ(0, end_publish(end));
		} else if (error == -EAGAIN) {
			error = end_sleep(end, 8, box_now() + 1000);
			CHECK(!error || error == -ETIMEDOUT || error == -EIO);
		} else {
			CHECK(error == -EIO || error == -EPIPE);
		}
		if (error == -EIO) {
			CHECK_EQ(-EINVAL, ipcbox_ring_release(&end->ring));
			ipcbox_ring_init(&end->ring, end->own, end->other,
					 end->data, end->size, 0, 0);
		}
		CHECK_EQ(0, box_poll(end->fd) & POLLNVAL);
		CHECK_EQ(0, box_stat(end->fd, &stat));
		CHECK(stat.bytes <= end->size);
	}
	_exit(0);
}

static void produce(struct end *end)
{
	__u64 state = 5;
	void *place;
	int round;
	int error;

	for (round = 0; round < ROUNDS; round++) {
		__u32 length = box_random(&state) % (end->size - 7);

		error = ipcbox_ring_reserve(&end->ring, length, &place);
		if (!error) {
			check_inside(end, place, length);
			memset(place, 1, length);
			CHECK_EQ(0, ipcbox_ring_commit(&end->ring, length));
			CHECK_EQ(0, end_publish(end));
		} else if (error == -EAGAIN) {
			error = end_sleep(end, ipcbox_ring_record(length),
					  box_now() + 1000);
			CHECK(!error || error == -ETIMEDOUT || error == -EIO);
		} else {
			CHECK(error == -EIO || error == -EPIPE);
		}
		if (error == -EIO)
			ipcbox_ring_init(&end->ring, end->own, end->other,
					 end->data, end->size, 1, 0);
		CHECK_EQ(0, box_poll(end->fd) & POLLNVAL);
	}
	_exit(0);
}

TEST_F(hostile, a_consumer_survives_a_producer)
{
	pid_t hostile = let_rage(&self->producer, true, 1);
	pid_t victim = box_fork();

	if (!victim)
		consume(&self->consumer);
	EXPECT_EQ(0, box_wait(victim));
	kill(hostile, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(hostile));
}

TEST_F(hostile, a_producer_survives_a_consumer)
{
	pid_t hostile = let_rage(&self->consumer, false, 2);
	pid_t victim = box_fork();

	if (!victim)
		produce(&self->producer);
	EXPECT_EQ(0, box_wait(victim));
	kill(hostile, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(hostile));
}

/* Each number that matters in each word, quietly, and then one look. */
TEST_F(hostile, every_position_is_taken_or_refused)
{
	struct end *end = &self->consumer;
	__u32 size = end->size;
	const void *place;
	__u32 length;
	__u32 number;
	int error;

	/* Records of nothing: every multiple of eight is a good end. */
	for (number = -4 * size; number != 4 * size; number++) {
		self->producer.own->position = number;
		end->own->position = 0;
		error = ipcbox_ring_init(&end->ring, end->own, end->other,
					 end->data, size, 0, 0);
		if (number <= size && number % 8 == 0) {
			ASSERT_EQ(0, error)
				TH_LOG("position %u", number);
			ASSERT_EQ(number ? 0 : -EAGAIN,
				  ipcbox_ring_peek(&end->ring, &place,
						   &length));
		} else {
			ASSERT_EQ(-EIO, error)
				TH_LOG("position %u", number);
			ASSERT_EQ(-EIO, ipcbox_ring_peek(&end->ring, &place,
							 &length));
		}
	}
}

TEST_F(hostile, every_length_is_taken_or_refused)
{
	struct end *end = &self->consumer;
	__u32 size = end->size;
	const void *place;
	__u32 length;
	__u32 number;

	self->producer.own->position = 512;
	for (number = -2 * size; number != 2 * size; number++) {
		*(__u32 *)self->producer.data = number;
		ASSERT_EQ(0, ipcbox_ring_init(&end->ring, end->own, end->other,
					      end->data, size, 0, 0));
		ASSERT_EQ(number <= 504 ? 0 : -EIO,
			  ipcbox_ring_peek(&end->ring, &place, &length))
			TH_LOG("length %u", number);
	}
}

/* A producer that goes back and forth cannot keep a consumer beyond its time. */
TEST_F(hostile, a_wait_keeps_its_deadline)
{
	pid_t hostile = box_fork();
	__u32 position;
	__u64 deadline;
	int ret;

	if (!hostile)
		for (;;)
			end_wake(self->producer.fd);
	deadline = box_in_ms(50);
	do {
		ret = end_await(&self->consumer, 8, &position, deadline);
	} while (!ret);
	EXPECT_EQ(-ETIMEDOUT, ret);
	EXPECT_LE(deadline, box_now());
	kill(hostile, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(hostile));
}

/* Else it could write what a later end has there, or read it. */
TEST_F(hostile, no_page_can_be_kept_beyond_the_mapping)
{
	EXPECT_EQ(0, box_pin(&self->dev));
	EXPECT_EQ(-EFAULT, box_pin(self->producer.own));
	EXPECT_EQ(-EFAULT, box_pin(self->producer.other));
	EXPECT_EQ(-EFAULT, box_pin(self->producer.data));
	EXPECT_EQ(-EFAULT, box_pin(self->consumer.data));
}

TEST_HARNESS_MAIN
