// SPDX-License-Identifier: GPL-2.0
/*
 * Batches: what goes with many messages is as with one at a time, into a queue and
 * into a receive pool; a batch that cannot go on is what went before.
 */
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "box.h"
#include "notice.h"
#include "pool.h"

#define ROOM	100
#define RING	262144
#define COUNT	37

/* Some are copied at once, some with care, some are empty. */
static const __u32 lengths[] = {
	8, 64, 0, 63, 65, 8, 8, 8, 256, 257, 1, 4000, 255, 7, 8, 8, 100,
};

FIXTURE(batch)
{
	int dev;
	int fd;
	long page;
	char *edge;
	struct pool pool;
};

FIXTURE_VARIANT(batch)
{
	__u64 ring;
};

FIXTURE_VARIANT_ADD(batch, mailbox)
{
	.ring = 0,
};

FIXTURE_VARIANT_ADD(batch, pool)
{
	.ring = RING,
};

FIXTURE_SETUP(batch)
{
	self->page = sysconf(_SC_PAGESIZE);
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = pool_create(self->dev, RWM, variant->ring, ROOM, 5000);
	ASSERT_LE(0, self->fd);
	if (variant->ring)
		ASSERT_EQ(0, pool_map(self->fd, &self->pool));
	/* Memory that ends here. */
	self->edge = mmap(NULL, 3 * self->page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->edge);
	ASSERT_EQ(0, mprotect(self->edge + 2 * self->page, self->page,
			      PROT_NONE));
	self->edge += 2 * self->page;
}

FIXTURE_TEARDOWN(batch)
{
	if (self->pool.ring)
		pool_unmap(&self->pool);
	EXPECT_TRUE(box_adds_up(self->fd));
	munmap(self->edge - 2 * self->page, 3 * self->page);
	close(self->fd);
	close(self->dev);
}

/* What message number @i says, @length bytes of it. */
static void fill(unsigned char *data, __u32 length, __u32 i)
{
	__u32 at;

	for (at = 0; at < length; at++)
		data[at] = i * 31 + at;
}

static __u32 length_of(__u32 i)
{
	return lengths[i % ARRAY_SIZE(lengths)];
}

static void describe(struct ipcbox_outgoing *out, unsigned char (*data)[4096],
		     __u32 count)
{
	__u32 i;

	for (i = 0; i < count; i++) {
		fill(data[i], length_of(i), i);
		out[i] = (struct ipcbox_outgoing){
			.data = (uintptr_t)data[i],
			.length = length_of(i),
			.tag = 1000 + i,
		};
	}
}

static unsigned char payload[ROOM][4096];

/* Message number @i comes next, and all that is told of it is right. */
static void expect_message(struct __test_metadata *_metadata,
			   FIXTURE_DATA(batch) * self, __u32 i)
{
	static unsigned char expected[4096], data[4096];
	const struct ipcbox_pool_record *record;
	struct ipcbox_incoming in;

	fill(expected, length_of(i), i);
	if (!self->pool.ring) {
		ASSERT_EQ(1, box_receive(self->fd, &in, data, sizeof(data),
					 IPCBOX_NOWAIT, 0));
		EXPECT_EQ(length_of(i), in.length);
		EXPECT_EQ(0, memcmp(data, expected, in.length));
		EXPECT_EQ(1000 + i, in.tag);
		EXPECT_EQ(getpid(), in.pid);
		return;
	}
	record = pool_look(&self->pool);
	ASSERT_NE(NULL, record);
	EXPECT_EQ(length_of(i), record->length);
	EXPECT_EQ(0, memcmp(record + 1, expected, record->length));
	EXPECT_EQ(1000 + i, record->tag);
	EXPECT_EQ(getpid(), record->pid);
	pool_take(&self->pool);
	pool_release(&self->pool);
}

static void expect_messages(struct __test_metadata *_metadata,
			    FIXTURE_DATA(batch) * self, __u32 count)
{
	struct ipcbox_stat stat;
	__u32 i;

	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(count, stat.messages);
	EXPECT_EQ(count, stat.sent);
	for (i = 0; i < count; i++)
		expect_message(_metadata, self, i);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.messages);
	EXPECT_EQ(count, stat.received);
}

static int send_sized(int fd, const void *messages, __u32 count, __u32 size)
{
	struct ipcbox_send send = {
		.size = sizeof(send),
		.flags = IPCBOX_NOWAIT,
		.messages = (uintptr_t)messages,
		.count = count,
		.message_size = size,
		.deadline = IPCBOX_FOREVER,
	};
	int ret = ioctl(fd, IPCBOX_IOC_SEND, &send);

	return ret < 0 ? -errno : ret;
}

TEST_F(batch, each_message_is_itself)
{
	struct ipcbox_outgoing out[COUNT];

	describe(out, payload, COUNT);
	EXPECT_EQ(COUNT, box_send_many(self->fd, out, COUNT, 0, 0));
	expect_messages(_metadata, self, COUNT);
}

TEST_F(batch, one_of_another_version_is_understood)
{
	struct {
		struct ipcbox_outgoing known;
		__u64 unknown;
	} out[COUNT] = { };
	struct ipcbox_outgoing known[COUNT];
	__u32 i;

	describe(known, payload, COUNT);
	for (i = 0; i < COUNT; i++)
		out[i].known = known[i];
	out[20].unknown = 1;
	EXPECT_EQ(20, send_sized(self->fd, out, COUNT, sizeof(out[0])));
	EXPECT_EQ(-E2BIG, send_sized(self->fd, out + 20, COUNT - 20,
				     sizeof(out[0])));
	out[20].unknown = 0;
	EXPECT_EQ(COUNT - 20, send_sized(self->fd, out + 20, COUNT - 20,
					 sizeof(out[0])));
	expect_messages(_metadata, self, COUNT);
}

TEST_F(batch, a_full_one_takes_what_it_has_room_for)
{
	struct ipcbox_outgoing out[ROOM + 5];
	__u32 i;

	describe(out, payload, 12);
	for (i = 12; i < ROOM + 5; i++)
		out[i] = out[i % 12];
	EXPECT_EQ(ROOM, box_send_many(self->fd, out, ROOM + 5, IPCBOX_NOWAIT,
				      0));
	EXPECT_EQ(-EAGAIN, box_send_many(self->fd, out + ROOM, 5,
					 IPCBOX_NOWAIT, 0));
	for (i = 0; i < ROOM; i++)
		expect_message(_metadata, self, i % 12);
}

TEST_F(batch, one_that_is_wrong_ends_it)
{
	struct ipcbox_outgoing out[COUNT];
	__u32 at;

	for (at = 1; at < COUNT; at += 7) {
		describe(out, payload, COUNT);
		out[at].pad = 1;
		EXPECT_EQ(at, box_send_many(self->fd, out, COUNT, 0, 0));
		EXPECT_EQ(-EINVAL, box_send_many(self->fd, out + at, COUNT - at,
						 0, 0));
		out[at].pad = 0;
		out[at].length = 5001;
		EXPECT_EQ(-EMSGSIZE, box_send_many(self->fd, out + at,
						   COUNT - at, 0, 0));
		for (__u32 i = 0; i < at; i++)
			expect_message(_metadata, self, i);
	}
}

TEST_F(batch, a_payload_that_cannot_be_read_ends_it)
{
	struct ipcbox_outgoing out[COUNT];
	__u32 at, i;

	for (at = 1; at < COUNT; at += 5) {
		describe(out, payload, COUNT);
		out[at].data = (uintptr_t)self->edge - 4;
		out[at].length = 8;
		EXPECT_EQ(at, box_send_many(self->fd, out, COUNT, 0, 0));
		EXPECT_EQ(-EFAULT, box_send_many(self->fd, out + at, COUNT - at,
						 0, 0));
		for (i = 0; i < at; i++)
			expect_message(_metadata, self, i);
	}
}

TEST_F(batch, descriptions_that_cannot_be_read_end_it)
{
	struct ipcbox_outgoing out[COUNT], *last;
	__u32 whole, i;

	describe(out, payload, COUNT);
	for (whole = 0; whole < COUNT; whole += 3) {
		/* Of one more there is a half. */
		last = (void *)(self->edge - whole * sizeof(*last) -
				sizeof(*last) / 2);
		memcpy(last, out, self->edge - (char *)last);
		EXPECT_EQ(whole ?: -EFAULT,
			  box_send_many(self->fd, last, COUNT, 0, 0));
		for (i = 0; i < whole; i++)
			expect_message(_metadata, self, i);
	}
}

TEST_F(batch, a_receiver_gets_those_that_it_described)
{
	struct ipcbox_outgoing out[COUNT];
	struct ipcbox_incoming in[COUNT], *last;
	static unsigned char data[COUNT][4096];
	__u32 whole, i;

	if (variant->ring)
		pool_unmap(&self->pool);
	self->pool.ring = NULL;
	for (i = 0; i < COUNT; i++)
		in[i] = (struct ipcbox_incoming){
			.data = (uintptr_t)data[i],
			.capacity = sizeof(data[i]),
		};
	describe(out, payload, COUNT);
	for (whole = 0; whole < COUNT; whole += 3) {
		EXPECT_EQ(COUNT, box_send_many(self->fd, out, COUNT, 0, 0));
		last = (void *)(self->edge - whole * sizeof(*last) -
				sizeof(*last) / 2);
		memcpy(last, in, self->edge - (char *)last);
		EXPECT_EQ(whole ?: -EFAULT,
			  box_receive_many(self->fd, last, COUNT, 0, 0));
		for (i = 0; i < whole; i++) {
			EXPECT_EQ(length_of(i), last[i].length);
			EXPECT_EQ(1000 + i, last[i].tag);
			EXPECT_EQ(0, memcmp(data[i], payload[i], length_of(i)));
		}
		for (i = whole; i < COUNT; i++)
			expect_message(_metadata, self, i);
	}
}

TEST_F(batch, notice_is_given_of_each)
{
	struct ipcbox_outgoing out[COUNT];
	int event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	__u64 told = 0;

	describe(out, payload, COUNT);
	ASSERT_EQ(0, notify_eventfd(self->fd, event, IPCBOX_NOTIFY_EVERY));
	EXPECT_EQ(COUNT, box_send_many(self->fd, out, COUNT, 0, 0));
	EXPECT_EQ(sizeof(told), read(event, &told, sizeof(told)));
	EXPECT_EQ(COUNT, told);
	expect_messages(_metadata, self, COUNT);
	close(event);
}

TEST_HARNESS_MAIN
