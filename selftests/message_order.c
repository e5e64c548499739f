// SPDX-License-Identifier: GPL-2.0
/*
 * The highest priority comes first; within a priority the order of acceptance;
 * so each sender's messages keep their order, at each of several receivers too.
 */
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "box.h"

FIXTURE(order)
{
	int dev;
	int fd;
};

FIXTURE_SETUP(order)
{
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = box_make(self->dev, IPCBOX_QUEUE, RWM);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(order)
{
	close(self->fd);
	close(self->dev);
}

TEST_F(order, the_highest_priority_comes_first)
{
	static const __u32 priorities[] = {
		5, 0, 32767, 1, 32766, 16384, 63, 64, 65, 0, 32767, 5, 1023,
		1024, 31, 32,
	};
	static const __u32 sorted[] = {
		2, 10, 4, 5, 13, 12, 8, 7, 6, 15, 14, 0, 11, 3, 1, 9,
	};
	struct ipcbox_incoming in;
	__u32 number, i;

	for (i = 0; i < ARRAY_SIZE(priorities); i++) {
		EXPECT_EQ(1, box_put_priority(self->fd, i, priorities[i]));
	}
	for (i = 0; i < ARRAY_SIZE(priorities); i++) {
		EXPECT_EQ(1, box_receive(self->fd, &in, &number,
					 sizeof(number), IPCBOX_NOWAIT, 0));
		EXPECT_EQ(sorted[i], number);
		EXPECT_EQ(priorities[sorted[i]], in.priority);
		EXPECT_EQ(sorted[i] + 1, in.sequence);
	}
}

TEST_F(order, a_priority_out_of_range_is_refused)
{
	struct box_snapshot before;

	box_snapshot(self->dev, self->fd, &before);
	EXPECT_EQ(-EINVAL, box_put_priority(self->fd, 1, 32768));
	EXPECT_EQ(-EINVAL, box_put_priority(self->fd, 1, 1u << 31));
	EXPECT_EQ(-EINVAL, box_put_priority(self->fd, 1, -1));
	EXPECT_TRUE(box_unchanged(self->dev, self->fd, &before));
	EXPECT_EQ(1, box_put_priority(self->fd, 1, 32767));
}

TEST_F(order, within_a_priority_the_oldest_comes_first)
{
	__u32 number, i;

	for (i = 0; i < 300; i++) {
		EXPECT_EQ(1, box_put_priority(self->fd, i, i % 3));
	}
	/* 2, 5, 8, ... then 1, 4, 7, ... then 0, 3, 6, ... */
	for (i = 0; i < 300; i++) {
		EXPECT_EQ(1, box_get(self->fd, &number));
		EXPECT_EQ(i % 100 * 3 + 2 - i / 100, number);
	}
}

/* What a queue is, in the plainest words. */
#define MODEL_MAX	200

struct model {
	struct {
		__u32 priority;
		__u64 sequence;
		__u64 tag;
	} message[MODEL_MAX];
	unsigned int count;
	__u64 sequence;
};

static void model_send(struct model *model, __u32 priority, __u64 tag)
{
	model->message[model->count].priority = priority;
	model->message[model->count].sequence = ++model->sequence;
	model->message[model->count].tag = tag;
	model->count++;
}

static unsigned int model_next(const struct model *model)
{
	unsigned int i, next = 0;

	for (i = 1; i < model->count; i++)
		if (model->message[i].priority > model->message[next].priority)
			next = i;
	return next;
}

static void model_take(struct model *model, unsigned int at)
{
	model->count--;
	memmove(&model->message[at], &model->message[at + 1],
		(model->count - at) * sizeof(model->message[0]));
}

FIXTURE(random)
{
	int dev;
	int fd;
};

FIXTURE_VARIANT(random)
{
	__u32 levels;
};

FIXTURE_VARIANT_ADD(random, one_level)
{
	.levels = 1,
};

FIXTURE_VARIANT_ADD(random, few_levels)
{
	.levels = 5,
};

FIXTURE_VARIANT_ADD(random, many_levels)
{
	.levels = 300,
};

FIXTURE_VARIANT_ADD(random, all_levels)
{
	.levels = IPCBOX_PRIORITY_MAX + 1,
};

FIXTURE_SETUP(random)
{
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, MODEL_MAX, 0,
				  0);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(random)
{
	close(self->fd);
	close(self->dev);
}

TEST_F(random, thousands_of_messages_come_as_the_model_says)
{
	const __u64 seed = box_now();
	struct ipcbox_outgoing out[8];
	struct ipcbox_incoming in[8];
	struct model model = { };
	__u64 state = seed;
	struct ipcbox_stat stat;
	unsigned int round, i, n, next;
	int ret;

	TH_LOG("seed %llu", (unsigned long long)seed);
	for (round = 0; round < 2500; round++) {
		n = 1 + box_random(&state) % 8;
		if (box_random(&state) % 100 < (round / 250 % 2 ? 40 : 60)) {
			memset(out, 0, sizeof(out));
			for (i = 0; i < n; i++) {
				out[i].priority = box_random(&state) %
						  variant->levels;
				/* Some at the very ends. */
				if (box_random(&state) % 16 == 0)
					out[i].priority = variant->levels - 1;
				out[i].tag = box_random(&state);
			}
			ret = box_send_many(self->fd, out, n, IPCBOX_NOWAIT, 0);
			if (model.count == MODEL_MAX) {
				ASSERT_EQ(-EAGAIN, ret);
				continue;
			}
			if (n > MODEL_MAX - model.count)
				n = MODEL_MAX - model.count;
			ASSERT_EQ(n, ret);
			for (i = 0; i < n; i++)
				model_send(&model, out[i].priority, out[i].tag);
		} else {
			memset(in, 0, sizeof(in));
			ret = box_receive_many(self->fd, in, n, IPCBOX_NOWAIT,
					       0);
			if (!model.count) {
				ASSERT_EQ(-EAGAIN, ret);
				continue;
			}
			if (n > model.count)
				n = model.count;
			ASSERT_EQ(n, ret);
			for (i = 0; i < n; i++) {
				next = model_next(&model);
				ASSERT_EQ(model.message[next].sequence,
					  in[i].sequence);
				ASSERT_EQ(model.message[next].priority,
					  in[i].priority);
				ASSERT_EQ(model.message[next].tag, in[i].tag);
				model_take(&model, next);
			}
		}
	}
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(model.count, stat.messages);
	EXPECT_EQ(model.sequence, stat.sent);
	EXPECT_EQ(model.sequence - model.count, stat.received);
	EXPECT_LT(1000, stat.received);
}

/* Eight senders, whose messages say who and which; several receivers. */
#define SENDERS		8
#define EACH		150

struct note {
	__u32 sender;
	__u32 count;
};

FIXTURE(many)
{
	int dev;
	int fd;			/* neither sends nor receives */
	__u64 id;
	__u32 *received;
};

FIXTURE_VARIANT(many)
{
	__u32 kind;
	unsigned int receivers;
	__u64 room;
	unsigned int batch;
};

FIXTURE_VARIANT_ADD(many, one_mailbox)
{
	.kind = IPCBOX_MAILBOX,
	.receivers = 1,
	.room = 5,
	.batch = 1,
};

FIXTURE_VARIANT_ADD(many, queue_of_one)
{
	.kind = IPCBOX_QUEUE,
	.receivers = 3,
	.room = 1,
	.batch = 1,
};

FIXTURE_VARIANT_ADD(many, queue_by_batches)
{
	.kind = IPCBOX_QUEUE,
	.receivers = 3,
	.room = 7,
	.batch = 5,
};

FIXTURE_VARIANT_ADD(many, queue_with_room)
{
	.kind = IPCBOX_QUEUE,
	.receivers = 4,
	.room = 1000,
	.batch = 3,
};

FIXTURE_SETUP(many)
{
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = box_make_sized(self->dev, variant->kind, M, variant->room,
				  0, 0);
	ASSERT_LE(0, self->fd);
	self->id = box_id(self->fd);
	self->received = box_shared(4096);
}

FIXTURE_TEARDOWN(many)
{
	close(self->fd);
	close(self->dev);
}

static int sender(int dev, __u64 id, __u32 number, unsigned int batch)
{
	struct note notes[8];
	struct ipcbox_outgoing out[8] = { };
	int fd = box_open_id(dev, id, W);
	unsigned int i;
	__u32 count = 0;
	int ret;

	CHECK(fd >= 0);
	while (count < EACH) {
		for (i = 0; i < batch && count + i < EACH; i++) {
			notes[i].sender = number;
			notes[i].count = count + i;
			out[i].data = (uintptr_t)&notes[i];
			out[i].length = sizeof(notes[i]);
			out[i].priority = 7;
		}
		ret = box_send_many(fd, out, i, 0, IPCBOX_FOREVER);
		CHECK(ret >= 1 && ret <= (int)i);
		count += ret;
	}
	return 0;
}

static int receiver(int dev, __u64 id, unsigned int batch, __u32 *received)
{
	struct ipcbox_incoming in[8] = { };
	int fd = box_open_id(dev, id, R);
	__u32 next[SENDERS] = { };
	struct note notes[8];
	__u64 last = 0;
	unsigned int i;
	int ret;

	CHECK(fd >= 0);
	for (i = 0; i < batch; i++) {
		in[i].data = (uintptr_t)&notes[i];
		in[i].capacity = sizeof(notes[i]);
	}
	for (;;) {
		ret = box_receive_many(fd, in, batch, 0, IPCBOX_FOREVER);
		if (ret == -EPIPE)
			return 0;
		CHECK(ret >= 1 && ret <= (int)batch);
		for (i = 0; i < (unsigned int)ret; i++) {
			CHECK_EQ(sizeof(notes[i]), in[i].length);
			CHECK(notes[i].sender < SENDERS);
			/* Each sender's order, with gaps for the others. */
			CHECK(notes[i].count >= next[notes[i].sender]);
			next[notes[i].sender] = notes[i].count + 1;
			/* And the order of acceptance on the whole. */
			CHECK(in[i].sequence > last);
			last = in[i].sequence;
			__atomic_add_fetch(received, 1, __ATOMIC_RELAXED);
		}
	}
}

TEST_F(many, each_senders_order_is_kept_at_each_receiver)
{
	pid_t senders[SENDERS], receivers[8];
	struct ipcbox_stat stat;
	unsigned int i;

	for (i = 0; i < variant->receivers; i++) {
		receivers[i] = box_fork();
		if (!receivers[i])
			_exit(receiver(self->dev, self->id, variant->batch,
				       self->received));
	}
	EXPECT_EQ(0, box_await_handles(self->fd, 1 + variant->receivers));
	for (i = 0; i < SENDERS; i++) {
		senders[i] = box_fork();
		if (!senders[i])
			_exit(sender(self->dev, self->id, i, variant->batch));
	}
	for (i = 0; i < SENDERS; i++) {
		EXPECT_EQ(0, box_wait(senders[i]));
	}
	/* No sender will come any more: the receivers end by EPIPE. */
	EXPECT_EQ(0, box_unlink_id(self->dev, self->id));
	for (i = 0; i < variant->receivers; i++) {
		EXPECT_EQ(0, box_wait(receivers[i]));
	}
	EXPECT_EQ(SENDERS * EACH, *self->received);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(SENDERS * EACH, stat.sent);
	EXPECT_EQ(SENDERS * EACH, stat.received);
	EXPECT_EQ(0, stat.messages);
	EXPECT_LE(stat.messages_peak, variant->room + SENDERS);
}

/* A receiver that waits is handed the message; that changes no order. */
static int wait_for_one(int fd, void *buffer, __u32 capacity)
{
	struct ipcbox_incoming in;

	return box_receive(fd, &in, buffer, capacity, 0, IPCBOX_FOREVER);
}

TEST_F(order, a_waiting_receiver_gets_the_first)
{
	pid_t child = box_fork();
	struct ipcbox_stat stat;
	__u32 number;

	if (!child) {
		CHECK_EQ(1, wait_for_one(self->fd, &number, 4));
		_exit(number);
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(1, box_put_priority(self->fd, 1, 0));
	EXPECT_EQ(1, box_put_priority(self->fd, 2, 9));
	EXPECT_EQ(1, box_put_priority(self->fd, 3, 0));
	EXPECT_EQ(0, box_await_messages(self->fd, 2));
	ASSERT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(3, stat.sent);
	EXPECT_EQ(1, stat.received);
	/* Either was handed the first, or came to run when all were there. */
	number = box_wait(child);
	EXPECT_TRUE(number == 1 || number == 2);
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(3, number);
}

TEST_F(order, a_waiting_receiver_that_fails_leaves_the_message_in_place)
{
	pid_t child = box_fork();
	__u32 number, i;

	if (!child) {
		CHECK_EQ(-EFAULT, wait_for_one(self->fd, (void *)8, 4));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	for (i = 1; i <= 3; i++) {
		EXPECT_EQ(1, box_put(self->fd, i));
	}
	EXPECT_EQ(0, box_wait(child));
	for (i = 1; i <= 3; i++) {
		EXPECT_EQ(1, box_get(self->fd, &number));
		EXPECT_EQ(i, number);
	}

	/* The same for one with too little room. */
	child = box_fork();
	if (!child) {
		CHECK_EQ(-EMSGSIZE, wait_for_one(self->fd, &number, 3));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	for (i = 1; i <= 3; i++) {
		EXPECT_EQ(1, box_put(self->fd, i));
	}
	EXPECT_EQ(0, box_wait(child));
	for (i = 1; i <= 3; i++) {
		EXPECT_EQ(1, box_get(self->fd, &number));
		EXPECT_EQ(i, number);
	}
}

TEST_F(order, the_next_receiver_gets_what_a_failing_one_left)
{
	struct ipcbox_stat stat;
	pid_t bad, good;
	__u32 number;

	bad = box_fork();
	if (!bad) {
		CHECK_EQ(-EFAULT, wait_for_one(self->fd, (void *)8, 4));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	good = box_fork();
	if (!good) {
		CHECK_EQ(1, wait_for_one(self->fd, &number, 4));
		_exit(number);
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, 2));
	EXPECT_EQ(1, box_put(self->fd, 77));
	EXPECT_EQ(0, box_wait(bad));
	EXPECT_EQ(77, box_wait(good));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(1, stat.sent);
	EXPECT_EQ(1, stat.received);
	EXPECT_EQ(0, stat.receivers_waiting);
}

TEST_HARNESS_MAIN
