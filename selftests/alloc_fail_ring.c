// SPDX-License-Identifier: GPL-2.0
/*
 * What alloc_fail shows of messages, for channels and receive pools, and handles in
 * messages: each operation with its first, second, third, ... allocation or copy
 * to or from user memory failing, until it gets through. Every failure is a clean
 * errno and changes nothing.
 */
#include <signal.h>

#include "kselftest_harness.h"
#include "channel_end.h"
#include "pool.h"
#include "region.h"

#define RW		(PROT_READ | PROT_WRITE)
#define LONG		2000	/* bytes: not copied under the lock */

FIXTURE(fault)
{
	int dev;
	int fd;			/* what is operated on */
	__u64 id;		/* of the channel */
	int other;
	pid_t peer;
	size_t page;
	char fresh[BOX_NAME_SIZE];
	/* What to map. */
	int mapped;
	size_t first;
	size_t pages;
	int protection;
	void *memory;
	struct end end;
	struct pool pool;
	unsigned char data[LONG];
	unsigned char *absent;	/* a page that may go */
	__u32 got[2];
	struct ipcbox_incoming in;
};

#include "fault.h"

FIXTURE_SETUP(fault)
{
	if (!fault_begin())
		SKIP(return, "no failslab under debugfs");
	self->page = sysconf(_SC_PAGESIZE);
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	box_name(self->fresh, "fresh");
	box_fill(self->data, LONG, 1);
	self->fd = -1;
}

FIXTURE_TEARDOWN(fault)
{
	if (self->peer) {
		kill(self->peer, SIGKILL);
		EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(self->peer));
	}
	close(self->fd);
	close(self->dev);
	fault_end();
}

static bool undo_nothing(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 0;
}

/* A new object, and nothing of it stays. */
static bool undo_handle(FIXTURE_DATA(fault) * self, int ret)
{
	struct ipcbox_stat stat;

	if (box_stat(ret, &stat) || !stat.handles || stat.mappings)
		return false;
	box_unlink_name(self->dev, self->fresh);
	return close(ret) == 0 &&
	       box_open_name(self->dev, self->fresh, M) == -ENOENT;
}

static int create_fresh(FIXTURE_DATA(fault) * self, __u32 kind, __u32 rights,
			__u32 flags)
{
	struct ipcbox_create create = {
		.kind = kind,
		.flags = IPCBOX_CREATE_EXCLUSIVE | flags,
		.mode = 0600,
		.rights = rights,
		.name = (uintptr_t)self->fresh,
		.name_length = strlen(self->fresh),
		.mapped_bytes = 4 * self->page,
	};

	return box_create(self->dev, &create);
}

static int op_map(FIXTURE_DATA(fault) * self)
{
	self->memory = mmap(NULL, self->pages * self->page, self->protection,
			    MAP_SHARED, self->mapped,
			    self->first * self->page);
	return self->memory == MAP_FAILED ? -errno : 0;
}

/* All of it can be read, and goes again. */
static bool undo_map(FIXTURE_DATA(fault) * self, int ret)
{
	struct ipcbox_stat stat;
	size_t i;

	if (ret || box_stat(self->fd, &stat) || !stat.mappings)
		return false;
	for (i = 0; i < self->pages; i++)
		__atomic_load_n((__u32 *)((char *)self->memory +
					  i * self->page), __ATOMIC_RELAXED);
	return munmap(self->memory, self->pages * self->page) == 0;
}

/*
 * Channels
 */

/* Both of its ends are free. */
static void be_channel(struct __test_metadata *_metadata,
		       FIXTURE_DATA(fault) * self)
{
	self->fd = end_make(self->dev, M, 2 * self->page);
	ASSERT_LE(0, self->fd);
	self->id = box_id(self->fd);
}

static int op_create_channel(FIXTURE_DATA(fault) * self)
{
	return end_make(self->dev, W, 4 * self->page);
}

TEST_F(fault, create_channel)
{
	sweep(_metadata, self, op_create_channel, undo_handle);
}

static int op_create_persistent_channel(FIXTURE_DATA(fault) * self)
{
	return create_fresh(self, IPCBOX_CHANNEL, R, IPCBOX_CREATE_PERSISTENT);
}

TEST_F(fault, create_persistent_channel)
{
	sweep(_metadata, self, op_create_persistent_channel, undo_handle);
}

static int op_open_producer(FIXTURE_DATA(fault) * self)
{
	return box_open_id(self->dev, self->id, W);
}

TEST_F(fault, open_producer)
{
	be_channel(_metadata, self);
	sweep(_metadata, self, op_open_producer, undo_handle);
}

static int op_open_consumer(FIXTURE_DATA(fault) * self)
{
	return box_open_id(self->dev, self->id, R);
}

TEST_F(fault, open_consumer)
{
	be_channel(_metadata, self);
	sweep(_metadata, self, op_open_consumer, undo_handle);
}

/* Each end maps its own part for writing, and the other's for reading. */
TEST_F(fault, map_channel)
{
	bool producer, part;

	be_channel(_metadata, self);
	for (producer = false;; producer = true) {
		self->mapped = producer ? op_open_producer(self) :
					  op_open_consumer(self);
		ASSERT_LE(0, self->mapped);
		for (part = false;; part = true) {
			self->first = part ? IPCBOX_CHANNEL_PRODUCER_PAGE :
					     IPCBOX_CHANNEL_CONSUMER_PAGE;
			self->pages = part ? 5 : 1;
			self->protection = part == producer ? RW : PROT_READ;
			sweep(_metadata, self, op_map, undo_map);
			if (part)
				break;
		}
		close(self->mapped);
		if (producer)
			break;
	}
}

static void be_consumer(struct __test_metadata *_metadata,
			FIXTURE_DATA(fault) * self)
{
	be_channel(_metadata, self);
	self->other = op_open_producer(self);
	ASSERT_LE(0, self->other);
	ASSERT_EQ(0, end_map(&self->end, op_open_consumer(self), 0));
}

static int op_channel_wait(FIXTURE_DATA(fault) * self)
{
	__u32 position;

	return end_wait(self->end.fd, 0, &position, IPCBOX_FOREVER);
}

TEST_F(fault, channel_wait)
{
	be_consumer(_metadata, self);
	sweep(_metadata, self, op_channel_wait, undo_nothing);
	end_close(&self->end);
}

static int op_channel_sleep(FIXTURE_DATA(fault) * self)
{
	__u32 position = 99;
	int ret = end_await(&self->end, 8, &position, IPCBOX_FOREVER);

	return position == (ret ? 99 : 0) ? ret : -EBADMSG;
}

TEST_F(fault, channel_sleep)
{
	be_consumer(_metadata, self);
	self->peer = box_fork();
	while (!self->peer) {
		CHECK_EQ(0, box_await_receivers(self->fd, 1));
		CHECK_EQ(0, end_wake(self->other));
	}
	sweep(_metadata, self, op_channel_sleep, undo_nothing);
	end_close(&self->end);
}

/* As long as it fails the sleeper's wish is there. */
static int op_channel_wake(FIXTURE_DATA(fault) * self)
{
	int ret;

	ipcbox_ring_sleep(&self->end.ring, 8);
	ret = end_wake(self->other);
	return !!(self->end.own->attention & IPCBOX_CHANNEL_SLEEPS) == !!ret ?
		       ret : -EBADMSG;
}

TEST_F(fault, channel_wake)
{
	be_consumer(_metadata, self);
	sweep(_metadata, self, op_channel_wake, undo_nothing);
	end_close(&self->end);
}

/*
 * Handles in a message
 */

static int op_send_handles(FIXTURE_DATA(fault) * self)
{
	int files[2] = { self->mapped, self->other };
	struct ipcbox_outgoing out = {
		.descriptors = (uintptr_t)files,
		.descriptor_count = 2,
	};

	return box_send_many(self->fd, &out, 1, IPCBOX_NOWAIT, 0);
}

static int op_receive_handles(FIXTURE_DATA(fault) * self)
{
	self->in = (struct ipcbox_incoming){
		.descriptors = (uintptr_t)self->got,
		.descriptor_capacity = 2,
	};
	return box_receive_many(self->fd, &self->in, 1, IPCBOX_NOWAIT, 0);
}

/* They are what was sent, by their ids, and work. */
static bool take_handles(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 1 && self->in.descriptor_count == 2 &&
	       box_id(self->got[0]) == box_id(self->mapped) &&
	       box_id(self->got[1]) == box_id(self->other) &&
	       sem_value(self->got[0], 0) == 5 &&
	       end_wake(self->got[1]) == 0 && !close(self->got[0]) &&
	       !close(self->got[1]);
}

static bool undo_send_handles(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 1 && take_handles(self, op_receive_handles(self));
}

static bool undo_receive_handles(FIXTURE_DATA(fault) * self, int ret)
{
	return take_handles(self, ret) && op_send_handles(self) == 1;
}

/* A queue that takes them, of a region and a channel. */
static void be_queue(struct __test_metadata *_metadata,
		     FIXTURE_DATA(fault) * self)
{
	struct ipcbox_set set = {
		.mask = IPCBOX_SET_MAX_DESCRIPTORS,
		.max_descriptors = 2,
	};

	self->mapped = region_make(self->dev, NULL, RWM, self->page, 1);
	ASSERT_EQ(0, sem_now(self->mapped, 0, 5, 0));
	self->other = end_make(self->dev, W, self->page);
	ASSERT_LE(0, self->other);
	self->fd = box_make(self->dev, IPCBOX_QUEUE, RWM);
	ASSERT_EQ(0, box_set(self->fd, &set));
}

TEST_F(fault, send_handles)
{
	be_queue(_metadata, self);
	sweep(_metadata, self, op_send_handles, undo_send_handles);
}

TEST_F(fault, receive_handles)
{
	be_queue(_metadata, self);
	ASSERT_EQ(1, op_send_handles(self));
	sweep(_metadata, self, op_receive_handles, undo_receive_handles);
}

/*
 * Receive pools
 */

static void be_pool(struct __test_metadata *_metadata,
		    FIXTURE_DATA(fault) * self, bool map)
{
	self->fd = pool_create(self->dev, RWM, self->page, 0, LONG);
	ASSERT_LE(0, self->fd);
	if (map) {
		ASSERT_EQ(0, pool_map(self->fd, &self->pool));
	}
	self->mapped = self->fd;
}

static int op_create_pool(FIXTURE_DATA(fault) * self)
{
	return pool_create(self->dev, R, 4 * self->page, 0, 0);
}

TEST_F(fault, create_pool)
{
	sweep(_metadata, self, op_create_pool, undo_handle);
}

static int op_create_persistent_pool(FIXTURE_DATA(fault) * self)
{
	return create_fresh(self, IPCBOX_MAILBOX, R, IPCBOX_CREATE_PERSISTENT);
}

TEST_F(fault, create_persistent_pool)
{
	sweep(_metadata, self, op_create_persistent_pool, undo_handle);
}

TEST_F(fault, map_pool)
{
	be_pool(_metadata, self, false);
	self->pages = 1;
	self->protection = RW;
	sweep(_metadata, self, op_map, undo_map);
	self->first = 1;
	self->pages = 3;
	self->protection = PROT_READ;
	sweep(_metadata, self, op_map, undo_map);
	/* It is nobody's receiver: reading goes without. */
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(1, box_get(self->fd, &self->got[0]));
}

/* The one message that is in the pool. */
static bool took(FIXTURE_DATA(fault) * self, const void *data, __u32 length)
{
	const struct ipcbox_pool_record *record = pool_look(&self->pool);
	bool good = record && record->length == length &&
		    !memcmp(record + 1, data, length);

	if (!record)
		return false;
	pool_take(&self->pool);
	good &= !pool_look(&self->pool);
	pool_release(&self->pool);
	return good && box_adds_up(self->fd);
}

static int op_pool_send(FIXTURE_DATA(fault) * self)
{
	return box_send(self->fd, self->data, 16, 0, 0, IPCBOX_NOWAIT, 0);
}

static bool undo_pool_send(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 1 && took(self, self->data, 16);
}

TEST_F(fault, pool_send)
{
	be_pool(_metadata, self, true);
	ASSERT_EQ(1, op_pool_send(self));
	ASSERT_TRUE(took(self, self->data, 16));
	sweep(_metadata, self, op_pool_send, undo_pool_send);
	pool_unmap(&self->pool);
}

static int op_pool_send_long(FIXTURE_DATA(fault) * self)
{
	return box_send(self->fd, self->data, LONG, 0, 0, IPCBOX_NOWAIT, 0);
}

static bool undo_pool_send_long(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 1 && took(self, self->data, LONG);
}

TEST_F(fault, pool_send_long)
{
	be_pool(_metadata, self, true);
	ASSERT_EQ(1, op_pool_send_long(self));
	ASSERT_TRUE(took(self, self->data, LONG));
	sweep(_metadata, self, op_pool_send_long, undo_pool_send_long);
	pool_unmap(&self->pool);
}

/* By a handle that nobody has sent by: who sends must be noted first. */
static int op_pool_send_first(FIXTURE_DATA(fault) * self)
{
	return box_send(self->other, self->data, 16, 0, 0, IPCBOX_NOWAIT, 0);
}

static bool undo_pool_send_first(FIXTURE_DATA(fault) * self, int ret)
{
	if (!undo_pool_send(self, ret))
		return false;
	close(self->other);
	self->other = box_open_id(self->dev, box_id(self->fd), W);
	return self->other >= 0;
}

TEST_F(fault, pool_send_first)
{
	be_pool(_metadata, self, true);
	self->other = box_open_id(self->dev, box_id(self->fd), W);
	ASSERT_LE(0, self->other);
	sweep(_metadata, self, op_pool_send_first, undo_pool_send_first);
	close(self->other);
	pool_unmap(&self->pool);
}

/*
 * Payload that is not at hand, as it is not in memory: it is made a message, which
 * is queued and then put into the ring.
 */
static int send_absent(FIXTURE_DATA(fault) * self, size_t length)
{
	if (madvise(self->absent, self->page, MADV_DONTNEED))
		return -EBADMSG;
	return box_send(self->fd, self->absent, length, 0, 0, IPCBOX_NOWAIT, 0);
}

static int op_pool_send_absent(FIXTURE_DATA(fault) * self)
{
	return send_absent(self, 16);
}

static bool undo_pool_send_absent(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 1 && took(self, self->absent, 16);
}

static void *make_absent(size_t page)
{
	return mmap(NULL, page, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

TEST_F(fault, pool_send_absent)
{
	be_pool(_metadata, self, true);
	self->absent = make_absent(self->page);
	sweep(_metadata, self, op_pool_send_absent, undo_pool_send_absent);
	pool_unmap(&self->pool);
}

static int op_pool_send_absent_long(FIXTURE_DATA(fault) * self)
{
	return send_absent(self, LONG);
}

static bool undo_pool_send_absent_long(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 1 && took(self, self->absent, LONG);
}

TEST_F(fault, pool_send_absent_long)
{
	be_pool(_metadata, self, true);
	self->absent = make_absent(self->page);
	sweep(_metadata, self, op_pool_send_absent_long,
	      undo_pool_send_absent_long);
	pool_unmap(&self->pool);
}

/* As many as it said, the first of them. */
static int op_pool_send_batch(FIXTURE_DATA(fault) * self)
{
	struct ipcbox_outgoing out[3] = { };
	int i;

	for (i = 0; i < 3; i++) {
		out[i].data = (uintptr_t)&self->data[4 * i];
		out[i].length = 4;
	}
	return box_send_many(self->fd, out, 3, IPCBOX_NOWAIT, 0);
}

static bool undo_pool_send_batch(FIXTURE_DATA(fault) * self, int ret)
{
	const struct ipcbox_pool_record *record;
	int i;

	for (i = 0; i < ret; i++) {
		record = pool_look(&self->pool);
		if (!record || memcmp(record + 1, &self->data[4 * i], 4))
			return false;
		pool_take(&self->pool);
	}
	pool_release(&self->pool);
	return ret >= 1 && ret <= 3 && !pool_look(&self->pool);
}

TEST_F(fault, pool_send_batch)
{
	be_pool(_metadata, self, true);
	sweep(_metadata, self, op_pool_send_batch, undo_pool_send_batch);
	pool_unmap(&self->pool);
}

static int op_pool_write(FIXTURE_DATA(fault) * self)
{
	ssize_t ret = write(self->other, self->data, 16);

	return ret < 0 ? -errno : ret;
}

static bool undo_pool_write(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 16 && undo_pool_send_first(self, 1);
}

TEST_F(fault, pool_write)
{
	be_pool(_metadata, self, true);
	self->other = box_open_id(self->dev, box_id(self->fd), W);
	ASSERT_LE(0, self->other);
	sweep(_metadata, self, op_pool_write, undo_pool_write);
	close(self->other);
	pool_unmap(&self->pool);
}

/* The pool is full, and a receiver makes room when it is waited for. */
static int op_pool_send_waiting(FIXTURE_DATA(fault) * self)
{
	return box_send(self->fd, self->data, LONG, 0, 0, 0, IPCBOX_FOREVER);
}

static bool undo_pool_send_waiting(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 1 && box_await_messages(self->fd, 1) == 0 &&
	       box_adds_up(self->fd);
}

TEST_F(fault, pool_send_waiting)
{
	be_pool(_metadata, self, true);
	ASSERT_EQ(0, box_set_max_messages(self->fd, 1));
	ASSERT_EQ(1, op_pool_send_long(self));
	ASSERT_EQ(-EAGAIN, op_pool_send_long(self));
	self->peer = box_fork();
	while (!self->peer) {
		const struct ipcbox_pool_record *record;

		CHECK_EQ(0, box_await_senders(self->fd, 1));
		record = pool_look(&self->pool);
		CHECK(record && record->length == LONG);
		CHECK(!memcmp(record + 1, self->data, LONG));
		pool_take(&self->pool);
		pool_release(&self->pool);
	}
	sweep(_metadata, self, op_pool_send_waiting, undo_pool_send_waiting);
	pool_unmap(&self->pool);
}

static int op_pool_wait(FIXTURE_DATA(fault) * self)
{
	return pool_wait(self->fd, 0, IPCBOX_FOREVER);
}

static bool undo_pool_wait(FIXTURE_DATA(fault) * self, int ret)
{
	__u32 one = 1;

	return ret == 0 && took(self, &one, sizeof(one));
}

TEST_F(fault, pool_wait)
{
	be_pool(_metadata, self, true);
	self->peer = box_fork();
	while (!self->peer) {
		CHECK_EQ(0, box_await_messages(self->fd, 0));
		CHECK_EQ(0, box_await_receivers(self->fd, 1));
		CHECK_EQ(1, box_put(self->fd, 1));
	}
	sweep(_metadata, self, op_pool_wait, undo_pool_wait);
	pool_unmap(&self->pool);
}

/* Without a mapping. */
static int op_pool_receive(FIXTURE_DATA(fault) * self)
{
	return box_receive(self->fd, &self->in, self->absent, LONG,
			   IPCBOX_NOWAIT, 0);
}

static bool undo_pool_receive(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 1 && self->in.length == LONG &&
	       box_filled(self->absent, LONG, 1) &&
	       op_pool_send_long(self) == 1 && box_adds_up(self->fd);
}

TEST_F(fault, pool_receive)
{
	be_pool(_metadata, self, false);
	self->absent = make_absent(self->page);
	ASSERT_EQ(1, op_pool_send_long(self));
	sweep(_metadata, self, op_pool_receive, undo_pool_receive);
}

static int op_pool_read(FIXTURE_DATA(fault) * self)
{
	ssize_t ret = read(self->fd, self->absent, LONG);

	return ret < 0 ? -errno : ret;
}

static bool undo_pool_read(FIXTURE_DATA(fault) * self, int ret)
{
	self->in.length = ret;
	return undo_pool_receive(self, 1);
}

TEST_F(fault, pool_read)
{
	be_pool(_metadata, self, false);
	self->absent = make_absent(self->page);
	ASSERT_EQ(1, op_pool_send_long(self));
	sweep(_metadata, self, op_pool_read, undo_pool_read);
}

static int op_pool_set(FIXTURE_DATA(fault) * self)
{
	struct ipcbox_set set = {
		.mask = IPCBOX_SET_MAX_MESSAGES | IPCBOX_SET_MODE,
		.max_messages = 9,
		.mode = 0640,
	};

	return box_set(self->fd, &set);
}

static bool undo_pool_set(FIXTURE_DATA(fault) * self, int ret)
{
	struct ipcbox_stat stat;

	return ret == 0 && !box_stat(self->fd, &stat) &&
	       stat.max_messages == 9 && stat.mode == 0640 &&
	       !box_set_max_messages(self->fd, 50) &&
	       !box_set_mode(self->fd, 0600);
}

TEST_F(fault, pool_set)
{
	be_pool(_metadata, self, false);
	sweep(_metadata, self, op_pool_set, undo_pool_set);
}

int main(int argc, char **argv)
{
	return fault_main(argc, argv);
}
