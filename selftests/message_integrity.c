// SPDX-License-Identifier: GPL-2.0
/*
 * A message arrives whole, once, with the stamp of its sender; a receive that
 * fails leaves it in its place; a send that fails has no effect.
 */
#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "box.h"

#define MEBIBYTE	(1024 * 1024)

FIXTURE(message)
{
	int dev;
	int fd;
	struct box_snapshot before;
};

FIXTURE_VARIANT(message)
{
	__u32 kind;
};

FIXTURE_VARIANT_ADD(message, queue)
{
	.kind = IPCBOX_QUEUE,
};

FIXTURE_VARIANT_ADD(message, mailbox)
{
	.kind = IPCBOX_MAILBOX,
};

FIXTURE_SETUP(message)
{
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = box_make(self->dev, variant->kind, RWM);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(message)
{
	struct ipcbox_stat stat;

	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(stat.sent, stat.received + stat.messages);
	EXPECT_EQ(stat.bytes_sent, stat.bytes_received + stat.bytes);
	close(self->fd);
	close(self->dev);
}

/* There and back, both from odd addresses, with a guard behind the payload. */
static bool round_trip(int fd, char *out, char *back, size_t size)
{
	struct ipcbox_incoming in;

	box_fill(out + 1, size, size);
	memset(back, 0xa5, size + 16);
	if (box_send(fd, out + 1, size, 3, ~size, IPCBOX_NOWAIT, 0) != 1)
		return false;
	/* What the sender does to its buffer from now on is its own business. */
	memset(out, 0x5a, size + 16);
	if (box_receive(fd, &in, back + 1, size, IPCBOX_NOWAIT, 0) != 1)
		return false;
	return in.length == size && in.tag == (__u64)~size &&
	       in.priority == 3 && box_filled(back + 1, size, size) &&
	       back[0] == (char)0xa5 && back[size + 1] == (char)0xa5;
}

TEST_F(message, every_size_arrives_whole)
{
	static const size_t sizes[] = {
		0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 63, 64, 65, 100, 127, 128, 129,
		255, 256, 511, 1000, 1024, 2047, 2048, 3900, 3968, 4000, 4032,
		4047, 4048, 4049, 4064, 4088, 4095, 4096, 4097, 4103, 4104, 4105,
		4112, 4120, 5000, 8000,
		8191, 8192, 8193, 12345, 16384, 32767, 40000, 65535, 65536,
	};
	char *out = malloc(65536 + 16), *back = malloc(65536 + 16);
	struct ipcbox_stat stat;
	unsigned int i;
	__u64 sum = 0;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		EXPECT_TRUE(round_trip(self->fd, out, back, sizes[i]))
			TH_LOG("%zu bytes", sizes[i]);
		sum += sizes[i];
	}
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(i, stat.sent);
	EXPECT_EQ(i, stat.received);
	EXPECT_EQ(sum, stat.bytes_sent);
	EXPECT_EQ(sum, stat.bytes_received);
	EXPECT_EQ(65536, stat.bytes_peak);
	EXPECT_EQ(1, stat.messages_peak);
	free(out);
	free(back);
}

TEST_F(message, large_messages_arrive_whole)
{
	static const size_t sizes[] = {
		65537, MEBIBYTE - 1, MEBIBYTE, 3 * MEBIBYTE + 17,
	};
	struct ipcbox_info info;
	char *out, *back;
	unsigned int i;
	size_t largest;
	int fd;

	ASSERT_EQ(0, box_info(self->dev, &info));
	largest = info.message_bytes_max;
	if (info.object_bytes_max < largest)
		largest = info.object_bytes_max;
	fd = box_make_sized(self->dev, variant->kind, RWM, 0, largest, largest);
	ASSERT_LE(0, fd);
	out = malloc(largest + 16);
	back = malloc(largest + 16);
	ASSERT_TRUE(out && back);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (sizes[i] > largest)
			continue;
		EXPECT_TRUE(round_trip(fd, out, back, sizes[i]))
			TH_LOG("%zu bytes", sizes[i]);
	}
	EXPECT_TRUE(round_trip(fd, out, back, largest))
		TH_LOG("%zu bytes, the largest", largest);
	EXPECT_EQ(-EMSGSIZE, box_send(fd, out, largest + 1, 0, 0,
				      IPCBOX_NOWAIT, 0));
	free(out);
	free(back);
	close(fd);
}

/* A reader may bring more room than there is message. */
TEST_F(message, the_rest_of_the_buffer_is_left_alone)
{
	struct ipcbox_incoming in;
	char buffer[64];
	int i;

	memset(buffer, 0x77, sizeof(buffer));
	EXPECT_EQ(1, box_send(self->fd, "abc", 3, 0, 0, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(1, box_receive(self->fd, &in, buffer, sizeof(buffer),
				 IPCBOX_NOWAIT, 0));
	EXPECT_EQ(3, in.length);
	EXPECT_EQ(0, memcmp(buffer, "abc", 3));
	for (i = 3; i < 64; i++) {
		EXPECT_EQ(0x77, buffer[i])
			TH_LOG("byte %d", i);
	}
}

TEST_F(message, no_payload_needs_no_pointer)
{
	struct ipcbox_incoming in;

	EXPECT_EQ(1, box_send(self->fd, NULL, 0, 1, 5, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(1, box_receive(self->fd, &in, NULL, 0, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(0, in.length);
	EXPECT_EQ(5, in.tag);
	EXPECT_EQ(1, in.priority);
}

TEST_F(message, tags_are_any_value)
{
	static const __u64 tags[] = {
		0, 1, 0x7fffffff, 0x80000000, 1ull << 63, -1ull,
		0x0123456789abcdefull,
	};
	struct ipcbox_incoming in;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tags); i++) {
		EXPECT_EQ(1, box_send(self->fd, "", 1, 0, tags[i],
				      IPCBOX_NOWAIT, 0));
	}
	for (i = 0; i < ARRAY_SIZE(tags); i++) {
		EXPECT_EQ(1, box_receive(self->fd, &in, &(char){ 0 }, 1,
					 IPCBOX_NOWAIT, 0));
		EXPECT_EQ(tags[i], in.tag);
	}
}

static void put_three(struct __test_metadata *_metadata, int fd)
{
	/* In the order in which they are to be received. */
	ASSERT_EQ(1, box_put_priority(fd, 1, 5));
	ASSERT_EQ(1, box_put_priority(fd, 2, 5));
	ASSERT_EQ(1, box_put_priority(fd, 3, 0));
}

static void get_three(struct __test_metadata *_metadata, int fd)
{
	struct ipcbox_incoming in;
	__u32 i, number;

	for (i = 1; i <= 3; i++) {
		EXPECT_EQ(1, box_receive(fd, &in, &number, sizeof(number),
					 IPCBOX_NOWAIT, 0));
		EXPECT_EQ(i, number);
		EXPECT_EQ(i, in.sequence);
	}
	EXPECT_EQ(-EAGAIN, box_get(fd, &number));
}

/* They are there, in order. Without taking them out, which could hide a change. */
static bool three_in_order(int fd)
{
	struct ipcbox_incoming in[3] = { };
	__u32 number[3] = { }, i;

	for (i = 0; i < 3; i++) {
		in[i].data = (uintptr_t)&number[i];
		in[i].capacity = sizeof(number[i]);
	}
	if (box_receive_many(fd, in, 3, IPCBOX_NOWAIT | IPCBOX_PEEK, 0) != 3)
		return false;
	for (i = 0; i < 3; i++) {
		if (number[i] != i + 1 || in[i].sequence != i + 1)
			return false;
	}
	return true;
}

TEST_F(message, a_bad_buffer_leaves_the_message_in_its_place)
{
	struct ipcbox_incoming in;
	char *edge = box_edge(2);
	int i;

	put_three(_metadata, self->fd);
	box_snapshot(self->dev, self->fd, &self->before);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(-EFAULT, box_receive(self->fd, &in, NULL, 4,
					       IPCBOX_NOWAIT, 0));
		EXPECT_TRUE(three_in_order(self->fd));
		EXPECT_EQ(-EFAULT, box_receive(self->fd, &in, (void *)-4096L,
					       4, IPCBOX_NOWAIT, 0));
		EXPECT_TRUE(three_in_order(self->fd));
		/* It goes on in a page that is not there. */
		EXPECT_EQ(-EFAULT, box_receive(self->fd, &in, edge, 4,
					       IPCBOX_NOWAIT, 0));
		EXPECT_TRUE(three_in_order(self->fd));
		EXPECT_EQ(-1, read(self->fd, edge, 4));
		EXPECT_EQ(EFAULT, errno);
		EXPECT_TRUE(three_in_order(self->fd));
	}
	EXPECT_TRUE(box_unchanged(self->dev, self->fd, &self->before));
	get_three(_metadata, self->fd);
}

TEST_F(message, a_header_that_cannot_be_written_leaves_the_message)
{
	long page = sysconf(_SC_PAGESIZE);
	struct ipcbox_incoming *in;
	__u32 number;
	int i;

	in = mmap(NULL, page, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(in != MAP_FAILED);
	in->data = (uintptr_t)&number;
	in->capacity = sizeof(number);
	ASSERT_EQ(0, mprotect(in, page, PROT_READ));

	put_three(_metadata, self->fd);
	box_snapshot(self->dev, self->fd, &self->before);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(-EFAULT, box_receive_many(self->fd, in, 1,
						    IPCBOX_NOWAIT, 0));
		EXPECT_TRUE(three_in_order(self->fd));
	}
	EXPECT_TRUE(box_unchanged(self->dev, self->fd, &self->before));
	get_three(_metadata, self->fd);
}

TEST_F(message, a_small_buffer_is_emsgsize_and_leaves_the_message)
{
	struct ipcbox_incoming in;
	char buffer[4] = { 9, 9, 9, 9 };
	__u32 capacity;

	put_three(_metadata, self->fd);
	box_snapshot(self->dev, self->fd, &self->before);
	for (capacity = 0; capacity < 4; capacity++) {
		EXPECT_EQ(-EMSGSIZE, box_receive(self->fd, &in, buffer,
						 capacity, IPCBOX_NOWAIT, 0));
		EXPECT_EQ(4, in.length);
		EXPECT_EQ(0, in.sequence);
		EXPECT_EQ(9, buffer[0]);
		errno = 0;
		EXPECT_EQ(-1, read(self->fd, buffer, capacity));
		EXPECT_EQ(EMSGSIZE, errno);
	}
	/* With a deadline it is no different: the message is there. */
	EXPECT_EQ(-EMSGSIZE, box_receive(self->fd, &in, buffer, 3, 0,
					 IPCBOX_FOREVER));
	EXPECT_TRUE(box_unchanged(self->dev, self->fd, &self->before));
	get_three(_metadata, self->fd);
}

TEST_F(message, a_batch_takes_what_is_there)
{
	struct ipcbox_incoming in[5] = { };
	__u32 number[5], i;

	put_three(_metadata, self->fd);
	for (i = 0; i < 5; i++) {
		in[i].data = (uintptr_t)&number[i];
		in[i].capacity = sizeof(number[i]);
	}
	EXPECT_EQ(3, box_receive_many(self->fd, in, 5, 0, IPCBOX_FOREVER));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(i + 1, number[i]);
		EXPECT_EQ(i + 1, in[i].sequence);
		EXPECT_EQ(4, in[i].length);
	}
	EXPECT_EQ(0, in[3].sequence);
	EXPECT_EQ(0, in[3].length);
	EXPECT_EQ(-EAGAIN, box_receive_many(self->fd, in, 5, IPCBOX_NOWAIT, 0));
}

TEST_F(message, a_batch_received_ends_before_the_first_error)
{
	struct ipcbox_incoming in[3] = { };
	__u32 number[3] = { }, i;
	struct ipcbox_stat stat;

	for (i = 0; i < 3; i++) {
		in[i].data = (uintptr_t)&number[i];
		in[i].capacity = sizeof(number[i]);
	}
	/* A buffer that is too small. */
	for (i = 1; i <= 3; i++)
		box_put(self->fd, i);
	in[1].capacity = 3;
	EXPECT_EQ(1, box_receive_many(self->fd, in, 3, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(1, number[0]);
	EXPECT_EQ(0, number[1]);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(2, stat.messages);
	EXPECT_EQ(1, stat.received);
	in[1].length = 0;
	EXPECT_EQ(-EMSGSIZE, box_receive_many(self->fd, in + 1, 2,
					      IPCBOX_NOWAIT, 0));
	EXPECT_EQ(4, in[1].length);
	in[1].capacity = 4;

	/* One that is not there. */
	box_put(self->fd, 4);
	in[1].data = 8;
	EXPECT_EQ(1, box_receive_many(self->fd, in, 3, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(2, number[0]);
	EXPECT_EQ(-EFAULT, box_receive_many(self->fd, in + 1, 2, IPCBOX_NOWAIT,
					    0));
	EXPECT_EQ(1, box_get(self->fd, &number[0]));
	EXPECT_EQ(3, number[0]);
	EXPECT_EQ(1, box_get(self->fd, &number[0]));
	EXPECT_EQ(4, number[0]);
}

/* The array itself ends: what was received before that is not lost. */
TEST_F(message, an_array_that_ends_too_early_loses_nothing)
{
	struct ipcbox_incoming *in = box_edge(sizeof(*in));
	struct ipcbox_outgoing *out = box_edge(sizeof(*out));
	struct ipcbox_stat stat;
	__u32 number = 0, sent = 1;
	int ret;

	out->data = (uintptr_t)&sent;
	out->length = sizeof(sent);
	ret = box_send_many(self->fd, out, 2, IPCBOX_NOWAIT, 0);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	/* All at once, or one by one: the count tells which. */
	if (ret == -EFAULT) {
		EXPECT_EQ(0, stat.sent);
		EXPECT_EQ(1, box_put(self->fd, 1));
	} else {
		EXPECT_EQ(1, ret);
		EXPECT_EQ(1, stat.sent);
	}
	EXPECT_EQ(1, box_put(self->fd, 2));

	memset(in, 0, sizeof(*in));
	in->data = (uintptr_t)&number;
	in->capacity = sizeof(number);
	ret = box_receive_many(self->fd, in, 2, IPCBOX_NOWAIT, 0);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	if (ret == -EFAULT) {
		EXPECT_EQ(2, stat.messages);
		EXPECT_EQ(1, box_get(self->fd, &number));
	} else {
		EXPECT_EQ(1, ret);
		EXPECT_EQ(1, stat.messages);
	}
	EXPECT_EQ(1, number);
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(2, number);
}

TEST_F(message, a_send_that_fails_has_no_effect)
{
	struct ipcbox_stat stat;
	struct ipcbox_outgoing out = { };
	char *edge = box_edge(6000), *large;

	put_three(_metadata, self->fd);
	box_snapshot(self->dev, self->fd, &self->before);
	/* The payload goes on in a page that is not there. */
	EXPECT_EQ(-EFAULT, box_send(self->fd, edge, 6001, 0, 0, IPCBOX_NOWAIT,
				    0));
	EXPECT_EQ(-EFAULT, box_send(self->fd, edge, 65536, 9, 0, IPCBOX_NOWAIT,
				    0));
	EXPECT_EQ(-1, write(self->fd, edge, 6001));
	EXPECT_EQ(EFAULT, errno);
	out.data = (uintptr_t)edge;
	out.length = 1;
	out.priority = IPCBOX_PRIORITY_MAX + 1;
	EXPECT_EQ(-EINVAL, box_send_many(self->fd, &out, 1, IPCBOX_NOWAIT, 0));
	EXPECT_TRUE(box_unchanged(self->dev, self->fd, &self->before));

	/* Too long: counted, and not otherwise noticed. */
	large = calloc(1, 65537);
	EXPECT_EQ(-EMSGSIZE, box_send(self->fd, large, 65537, 0, 0,
				      IPCBOX_NOWAIT, 0));
	EXPECT_EQ(-EMSGSIZE, box_send(self->fd, large, -1, 0, 0,
				      IPCBOX_NOWAIT, 0));
	EXPECT_EQ(-1, write(self->fd, large, 65537));
	EXPECT_EQ(EMSGSIZE, errno);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(self->before.stat.refused + 3, stat.refused);
	self->before.stat.refused += 3;
	EXPECT_TRUE(box_unchanged(self->dev, self->fd, &self->before));
	free(large);
	get_three(_metadata, self->fd);
}

TEST_F(message, a_batch_sent_ends_before_the_first_error)
{
	struct ipcbox_outgoing good, out[3];
	__u32 number = 1, seen, round;
	struct ipcbox_stat stat;
	int error = 0;

	good = (struct ipcbox_outgoing) {
		.data = (uintptr_t)&number,
		.length = sizeof(number),
		.tag = 1,
	};
	for (round = 0; round < 3; round++) {
		out[0] = good;
		out[1] = good;
		out[2] = good;
		switch (round) {
		case 0:
			out[1].priority = IPCBOX_PRIORITY_MAX + 1;
			error = -EINVAL;
			break;
		case 1:
			out[1].data = 8;
			error = -EFAULT;
			break;
		case 2:
			out[1].length = 65537;
			error = -EMSGSIZE;
			break;
		}
		EXPECT_EQ(1, box_send_many(self->fd, out, 3, IPCBOX_NOWAIT, 0));
		EXPECT_EQ(0, box_stat(self->fd, &stat));
		EXPECT_EQ(1, stat.messages);
		EXPECT_EQ(round + 1, stat.sent);
		EXPECT_EQ(error, box_send_many(self->fd, out + 1, 2,
					       IPCBOX_NOWAIT, 0));
		EXPECT_EQ(0, box_stat(self->fd, &stat));
		EXPECT_EQ(1, stat.messages);
		EXPECT_EQ(1, box_get(self->fd, &seen));
	}
}

TEST_F(message, a_batch_is_as_large_as_info_says)
{
	struct ipcbox_outgoing *out;
	struct ipcbox_incoming *in;
	struct ipcbox_info info;
	__u32 *number, i;
	int fd;

	ASSERT_EQ(0, box_info(self->dev, &info));
	fd = box_make_sized(self->dev, variant->kind, RWM, info.batch_messages,
			    0, 0);
	ASSERT_LE(0, fd);
	out = calloc(info.batch_messages, sizeof(*out));
	in = calloc(info.batch_messages, sizeof(*in));
	number = calloc(info.batch_messages, sizeof(*number));
	for (i = 0; i < info.batch_messages; i++) {
		number[i] = i;
		out[i].data = (uintptr_t)&number[i];
		out[i].length = sizeof(*number);
		out[i].tag = i;
		in[i].data = (uintptr_t)&number[i];
		in[i].capacity = sizeof(*number);
	}
	EXPECT_EQ(info.batch_messages,
		  box_send_many(fd, out, info.batch_messages, 0, 0));
	memset(number, 0xff, info.batch_messages * sizeof(*number));
	EXPECT_EQ(info.batch_messages,
		  box_receive_many(fd, in, info.batch_messages, 0, 0));
	for (i = 0; i < info.batch_messages; i++) {
		if (number[i] == i && in[i].tag == i &&
		    in[i].sequence == i + 1 && in[i].length == sizeof(*number))
			continue;
		EXPECT_EQ(i, number[i]);
		break;
	}
	free(out);
	free(in);
	free(number);
	close(fd);
}

TEST_F(message, sequence_numbers_count_what_was_accepted)
{
	struct ipcbox_incoming in;
	__u32 number, i;

	/* Accepted in the order 1 to 4, received by priority. */
	for (i = 1; i <= 4; i++) {
		EXPECT_EQ(1, box_put_priority(self->fd, i, i));
		/* A refused one leaves no gap. */
		EXPECT_EQ(-EINVAL, box_put_priority(self->fd, i, 40000));
		EXPECT_EQ(-EFAULT, box_send(self->fd, NULL, 1, 0, 0,
					    IPCBOX_NOWAIT, 0));
	}
	for (i = 4; i >= 1; i--) {
		EXPECT_EQ(1, box_receive(self->fd, &in, &number,
					 sizeof(number), IPCBOX_NOWAIT, 0));
		EXPECT_EQ(i, number);
		EXPECT_EQ(i, in.sequence);
	}
	/* Another object counts for itself. */
	i = box_make(self->dev, variant->kind, R | W);
	EXPECT_EQ(1, box_put(i, 1));
	EXPECT_EQ(1, box_receive(i, &in, &number, sizeof(number),
				 IPCBOX_NOWAIT, 0));
	EXPECT_EQ(1, in.sequence);
	close(i);
}

static void *send_from_thread(void *fd)
{
	box_put(*(int *)fd, 3);
	return NULL;
}

TEST_F(message, the_stamp_is_the_senders)
{
	struct ipcbox_incoming in;
	int second, copy;
	pthread_t thread;
	__u64 handle;
	__u32 number;
	pid_t child;

	EXPECT_EQ(1, box_put(self->fd, 1));
	/* What is in the structure before is not what comes out. */
	memset(&in, 0x33, sizeof(in));
	in.data = (uintptr_t)&number;
	in.capacity = sizeof(number);
	EXPECT_EQ(1, box_receive_many(self->fd, &in, 1, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(getpid(), in.pid);
	EXPECT_EQ(geteuid(), in.uid);
	EXPECT_EQ(getegid(), in.gid);
	handle = in.handle;

	/* A copy of the descriptor is the same handle; another handle is not. */
	copy = dup(self->fd);
	second = box_open_id(self->dev, box_id(self->fd), W);
	ASSERT_LE(0, second);
	EXPECT_EQ(1, box_put(copy, 1));
	EXPECT_EQ(1, box_put(second, 2));
	EXPECT_EQ(1, box_receive(self->fd, &in, &number, sizeof(number),
				 IPCBOX_NOWAIT, 0));
	EXPECT_EQ(handle, in.handle);
	EXPECT_EQ(1, box_receive(self->fd, &in, &number, sizeof(number),
				 IPCBOX_NOWAIT, 0));
	EXPECT_NE(handle, in.handle);
	close(copy);
	close(second);

	/* A thread is of its process. */
	ASSERT_EQ(0, pthread_create(&thread, NULL, send_from_thread,
				    &self->fd));
	pthread_join(thread, NULL);
	EXPECT_EQ(1, box_receive(self->fd, &in, &number, sizeof(number),
				 IPCBOX_NOWAIT, 0));
	EXPECT_EQ(getpid(), in.pid);

	/* A child has its own, with the handle that it inherited. */
	child = box_fork();
	if (!child) {
		CHECK_EQ(1, box_put(self->fd, 4));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(1, box_receive(self->fd, &in, &number, sizeof(number),
				 IPCBOX_NOWAIT, 0));
	/* It has ended since; the stamp is of when the message was sent. */
	EXPECT_EQ(child, in.pid);
	EXPECT_EQ(handle, in.handle);

	/* write(2) stamps as SEND does. */
	EXPECT_EQ(4, write(self->fd, "text", 4));
	EXPECT_EQ(1, box_receive(self->fd, &in, &number, sizeof(number),
				 IPCBOX_NOWAIT, 0));
	EXPECT_EQ(getpid(), in.pid);
	EXPECT_EQ(handle, in.handle);
	EXPECT_EQ(0, in.priority);
	EXPECT_EQ(0, in.tag);
}

TEST_F(message, the_stamp_has_the_effective_ids)
{
	struct ipcbox_incoming in;
	__u32 number;
	pid_t child;

	if (geteuid())
		SKIP(return, "needs root, to act as several users");
	child = box_fork();
	if (!child) {
		CHECK_EQ(0, setresgid(0, 1234, 0));
		CHECK_EQ(0, setresuid(0, 1233, 0));
		CHECK_EQ(1, box_put(self->fd, 1));
		CHECK_EQ(0, setresuid(-1, 0, -1));
		CHECK_EQ(1, box_put(self->fd, 2));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(1, box_receive(self->fd, &in, &number, sizeof(number),
				 IPCBOX_NOWAIT, 0));
	EXPECT_EQ(1233, in.uid);
	EXPECT_EQ(1234, in.gid);
	EXPECT_EQ(1, box_receive(self->fd, &in, &number, sizeof(number),
				 IPCBOX_NOWAIT, 0));
	EXPECT_EQ(0, in.uid);
	EXPECT_EQ(1234, in.gid);
}

TEST_HARNESS_MAIN
