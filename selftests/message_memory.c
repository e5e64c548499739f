// SPDX-License-Identifier: GPL-2.0
/*
 * Messages that share memory do not share anything else: each stays whole while
 * others come and go, whoever sends by the same handle.
 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "box.h"

#define SLOTS		200
#define LONGEST		600

FIXTURE(memory)
{
	int dev;
	int fd;
	char *buffer;
};

FIXTURE_SETUP(memory)
{
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, 4096, 0, 0);
	ASSERT_LE(0, self->fd);
	self->buffer = malloc(LONGEST);
}

FIXTURE_TEARDOWN(memory)
{
	struct ipcbox_info info;

	EXPECT_TRUE(box_adds_up(self->fd));
	free(self->buffer);
	close(self->fd);
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(0, info.user_bytes_used);
	close(self->dev);
}

static bool send_filled(int fd, char *buffer, __u32 length, __u64 tag)
{
	box_fill(buffer, length, tag);
	return box_send(fd, buffer, length, 0, tag, IPCBOX_NOWAIT, 0) == 1;
}

static bool receive_filled(int fd, char *buffer, __u32 length, __u64 tag)
{
	struct ipcbox_incoming in = {
		.data = (uintptr_t)buffer,
		.capacity = LONGEST,
	};
	struct ipcbox_receive receive = {
		.flags = IPCBOX_NOWAIT | IPCBOX_SELECT_TAG,
		.deadline = IPCBOX_FOREVER,
		.tag = tag,
		.tag_mask = ~0ull,
	};

	return box_select(fd, &receive, &in, 1) == 1 &&
	       in.length == length && in.tag == tag &&
	       in.pid == (__u32)getpid() && box_filled(buffer, length, tag);
}

/* In an order that leaves some of every neighbourhood behind. */
TEST_F(memory, what_stays_is_whole_when_others_go)
{
	__u32 lengths[SLOTS] = { }, seed = 12345;
	__u64 tags[SLOTS] = { }, last = 0;
	int step;

	for (step = 0; step < 20000; step++) {
		__u32 slot;

		seed = seed * 1664525 + 1013904223;
		slot = seed >> 8 & 0xffff;
		slot %= SLOTS;
		if (tags[slot]) {
			ASSERT_TRUE(receive_filled(self->fd, self->buffer,
						   lengths[slot], tags[slot]));
			tags[slot] = 0;
			continue;
		}
		lengths[slot] = seed >> 4 & 3 ? (seed >> 12) % 160 :
						(seed >> 12) % LONGEST;
		tags[slot] = ++last;
		ASSERT_TRUE(send_filled(self->fd, self->buffer, lengths[slot],
					tags[slot]));
	}
	for (step = 0; step < SLOTS; step++)
		if (tags[step])
			EXPECT_TRUE(receive_filled(self->fd, self->buffer,
						   lengths[step], tags[step]));
}

/**
 * struct sender - a thread
 * @fd: by which all send
 * @number: which it is
 * @failed: what went wrong
 */
struct sender {
	int fd;
	__u32 number;
	int failed;
};

#define SENDERS	4
#define EACH	3000

static void *send_many(void *argument)
{
	struct sender *sender = argument;
	__u32 i, words[10];

	for (i = 0; i < EACH && !sender->failed; i++) {
		__u32 length = sizeof(words) - i % 5;
		int ret;

		words[0] = sender->number;
		words[1] = i;
		box_fill((char *)(words + 2), length - 8, i);
		ret = box_send(sender->fd, words, length, 0, 0, 0,
			       IPCBOX_FOREVER);
		if (ret != 1)
			sender->failed = ret;
	}
	return NULL;
}

static void receive_many(struct __test_metadata *_metadata, int fd)
{
	__u32 next[SENDERS] = { }, words[10], i;

	for (i = 0; i < SENDERS * EACH; i++) {
		struct ipcbox_incoming in;
		__u32 length;

		ASSERT_EQ(1, box_receive(fd, &in, words, sizeof(words), 0,
					 IPCBOX_FOREVER));
		ASSERT_GT(SENDERS, words[0]);
		ASSERT_EQ(next[words[0]]++, words[1]);
		length = sizeof(words) - words[1] % 5;
		ASSERT_EQ(length, in.length);
		ASSERT_TRUE(box_filled((char *)(words + 2), length - 8,
				       words[1]));
	}
}

TEST_F(memory, threads_that_send_by_one_handle_do_not_mix)
{
	struct sender senders[SENDERS];
	pthread_t threads[SENDERS];
	int i;

	for (i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender){ .fd = self->fd, .number = i };
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, send_many,
					    &senders[i]));
	}
	receive_many(_metadata, self->fd);
	for (i = 0; i < SENDERS; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_EQ(0, senders[i].failed);
	}
}

TEST_F(memory, processes_that_send_by_one_handle_do_not_mix)
{
	pid_t children[SENDERS];
	int i;

	for (i = 0; i < SENDERS; i++) {
		struct sender sender = { .fd = self->fd, .number = i };

		children[i] = box_fork();
		if (!children[i]) {
			send_many(&sender);
			_exit(sender.failed);
		}
	}
	receive_many(_metadata, self->fd);
	for (i = 0; i < SENDERS; i++)
		EXPECT_EQ(0, box_wait(children[i]));
}

/* It is of the handle's, which goes first. */
TEST_F(memory, a_message_outlives_the_handle_that_sent_it)
{
	int sender = box_open_id(self->dev, box_id(self->fd), W);

	ASSERT_LE(0, sender);
	EXPECT_TRUE(send_filled(sender, self->buffer, 33, 1));
	EXPECT_TRUE(send_filled(sender, self->buffer, 44, 2));
	close(sender);
	EXPECT_TRUE(receive_filled(self->fd, self->buffer, 44, 2));
	EXPECT_TRUE(receive_filled(self->fd, self->buffer, 33, 1));
}

/* Another memory, the same messages. */
TEST_F(memory, it_works_without_memory_to_spare)
{
	__u64 before;
	int i;

	if (geteuid())
		SKIP(return, "needs root, to change a limit");
	ASSERT_EQ(0, box_parameter_get("user_spare_bytes", &before));
	ASSERT_EQ(0, box_parameter_set("user_spare_bytes", 0));
	for (i = 1; i <= 100; i++)
		EXPECT_TRUE(send_filled(self->fd, self->buffer, i * 5, i));
	ASSERT_EQ(0, box_parameter_set("user_spare_bytes", before));
	for (i = 100; i >= 1; i--)
		EXPECT_TRUE(receive_filled(self->fd, self->buffer, i * 5, i));
}

TEST_HARNESS_MAIN
