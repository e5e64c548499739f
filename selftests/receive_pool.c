// SPDX-License-Identifier: GPL-2.0
/*
 * Receive pools: messages in memory that the receiver maps and nobody but the
 * kernel writes; what senders and receivers see of them.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "box.h"
#include "notice.h"
#include "pool.h"

#define RING	65536
#define OTHER	65533	/* a user that owns nothing here */

FIXTURE(pool)
{
	int dev;
	int fd;
	struct pool pool;
	struct ipcbox_info before;
};

FIXTURE_SETUP(pool)
{
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, box_info(self->dev, &self->before));
	self->fd = pool_create(self->dev, RWM, RING, 0, RING / 4);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, pool_map(self->fd, &self->pool));
}

FIXTURE_TEARDOWN(pool)
{
	struct ipcbox_info after;
	struct ipcbox_stat stat;

	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(stat.sent, stat.received + stat.messages + stat.withdrawn);
	EXPECT_EQ(0, stat.senders_waiting);
	EXPECT_EQ(0, stat.receivers_waiting);
	pool_unmap(&self->pool);
	close(self->fd);
	/* Nothing stays charged. */
	EXPECT_EQ(0, box_info(self->dev, &after));
	EXPECT_EQ(self->before.user_bytes_used, after.user_bytes_used);
	EXPECT_EQ(self->before.user_mapped_bytes_used,
		  after.user_mapped_bytes_used);
	close(self->dev);
}

/* Takes one message, which must be there, and checks it. */
#define EXPECT_NEXT(number) do {					\
	const struct ipcbox_pool_record *record_ = pool_look(&self->pool); \
	__u32 expected_ = (number);					\
									\
	ASSERT_NE(NULL, record_);					\
	EXPECT_EQ(sizeof(expected_), record_->length);			\
	EXPECT_EQ(0, memcmp(record_ + 1, &expected_, sizeof(expected_))); \
	pool_take(&self->pool);						\
	pool_release(&self->pool);					\
} while (0)

TEST_F(pool, a_record_tells_all_about_its_message)
{
	const struct ipcbox_pool_record *record;
	int w = box_open_id(self->dev, box_id(self->fd), W);
	int i;

	ASSERT_LE(0, w);
	for (i = 1; i <= 3; i++)
		EXPECT_EQ(1, box_send(w, "abcdefgh", i, 0, 40 + i,
				      IPCBOX_NOWAIT, 0));
	for (i = 1; i <= 3; i++) {
		record = pool_look(&self->pool);
		ASSERT_NE(NULL, record);
		EXPECT_EQ(IPCBOX_POOL_READY, record->state);
		EXPECT_EQ(i, record->length);
		EXPECT_EQ(i, record->sequence);
		EXPECT_EQ(40 + i, record->tag);
		EXPECT_EQ(getpid(), record->pid);
		EXPECT_EQ(geteuid(), record->uid);
		EXPECT_EQ(getegid(), record->gid);
		EXPECT_NE(0, record->handle);
		EXPECT_EQ(0, memcmp(record + 1, "abcdefgh", i));
		EXPECT_EQ(0, (uintptr_t)record % IPCBOX_POOL_ALIGN);
		pool_take(&self->pool);
	}
	EXPECT_EQ(NULL, pool_look(&self->pool));
	pool_release(&self->pool);
	close(w);
}

/* By the handle that it has sent by before. */
TEST_F(pool, a_sender_that_becomes_another_is_named_anew)
{
	const struct ipcbox_pool_record *record;
	pid_t child;
	int i;

	if (geteuid())
		SKIP(return, "needs root, to become another user");
	child = box_fork();
	if (!child) {
		CHECK_EQ(1, box_put(self->fd, 0));
		CHECK_EQ(0, box_become(OTHER, OTHER));
		CHECK_EQ(1, box_put(self->fd, 1));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(1, box_put(self->fd, 2));
	for (i = 0; i < 3; i++) {
		record = pool_look(&self->pool);
		ASSERT_NE(NULL, record);
		EXPECT_EQ(i == 1 ? OTHER : 0, record->uid);
		EXPECT_EQ(i == 1 ? OTHER : 0, record->gid);
		EXPECT_EQ(i == 2 ? getpid() : child, record->pid);
		pool_take(&self->pool);
	}
	pool_release(&self->pool);
}

static void check_laps(struct pool *pool, int fd, unsigned int messages)
{
	__u64 state = 1, length;
	unsigned char out[RING / 4];
	const struct ipcbox_pool_record *record;
	unsigned int i;

	for (i = 0; i < messages; i++) {
		length = i % 3 ? box_random(&state) % 600 :
				 box_random(&state) % (sizeof(out) + 1);
		box_fill(out, length, i);
		CHECK_EQ(length, write(fd, out, length));
		record = pool_look(pool);
		CHECK(record);
		CHECK_EQ(length, record->length);
		CHECK_EQ(i + 1, record->sequence);
		CHECK(box_filled(record + 1, length, i));
		pool_take(pool);
		pool_release(pool);
	}
}

TEST_F(pool, messages_of_every_length_go_round_and_round)
{
	pid_t child = box_fork();

	if (!child) {
		check_laps(&self->pool, self->fd, 3000);
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(pool, figures_are_those_of_a_mailbox)
{
	struct ipcbox_stat stat;

	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(IPCBOX_STATE_POOL, stat.state);
	EXPECT_EQ(RING, stat.mapped_bytes);
	EXPECT_EQ(2, stat.mappings);
	EXPECT_EQ(RING, stat.max_bytes);
	EXPECT_EQ(2, stat.messages);
	EXPECT_EQ(2 * (4 + IPCBOX_POOL_OVERHEAD), stat.bytes);
	EXPECT_EQ(2, stat.sent);
	EXPECT_EQ(8, stat.bytes_sent);
	EXPECT_EQ(getpid(), stat.last_sender);
	EXPECT_EQ(0, stat.received);
	/* Read and not released is not received. */
	EXPECT_NE(NULL, pool_look(&self->pool));
	pool_take(&self->pool);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.received);
	pool_release(&self->pool);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(1, stat.received);
	EXPECT_EQ(4, stat.bytes_received);
	EXPECT_EQ(1, stat.messages);
	EXPECT_EQ(2, stat.messages_peak);
	EXPECT_EQ(getpid(), stat.last_receiver);
}

/*
 * Who may map what
 */

static int map_error(int fd, size_t length, int protection, int flags,
		     off_t offset)
{
	void *memory = pool_mmap(fd, length, protection, flags, offset);

	if (!memory)
		return -errno;
	munmap(memory, length);
	return 0;
}

TEST_F(pool, only_its_own_page_is_the_receivers_to_write)
{
	const int rw = PROT_READ | PROT_WRITE;
	size_t page = self->pool.page_size;
	int fd = self->fd;

	EXPECT_EQ(0, map_error(fd, page, rw, MAP_SHARED, 0));
	EXPECT_EQ(-EACCES, map_error(fd, page, rw, MAP_SHARED, page));
	EXPECT_EQ(-EACCES, map_error(fd, page, rw, MAP_SHARED, 2 * page));
	EXPECT_EQ(-EACCES, map_error(fd, page, PROT_WRITE, MAP_SHARED,
				     2 * page));
	EXPECT_EQ(-EINVAL, map_error(fd, 2 * page, rw, MAP_SHARED, 0));
	EXPECT_EQ(-EINVAL, map_error(fd, 2 * page, PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(-EINVAL, map_error(fd, page, PROT_READ, MAP_PRIVATE, page));
	EXPECT_EQ(-EINVAL, map_error(fd, page, rw, MAP_PRIVATE, 2 * page));
	EXPECT_EQ(-EACCES, map_error(fd, page, PROT_READ | PROT_EXEC,
				     MAP_SHARED, page));
	EXPECT_EQ(0, map_error(fd, page, PROT_READ, MAP_SHARED,
			       page * (2 + 2 * RING / page - 1)));
	EXPECT_EQ(-EINVAL, map_error(fd, page, PROT_READ, MAP_SHARED,
				     page * (2 + 2 * RING / page)));
	EXPECT_EQ(-EINVAL, map_error(fd, 2 * page, PROT_READ, MAP_SHARED,
				     page * (2 + 2 * RING / page - 1)));
}

/* What is not refused here goes through a page that must stay as it was. */
static int write_by_process_memory(void *to)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	char x = 'x';
	int ret = pwrite(fd, &x, 1, (uintptr_t)to);

	close(fd);
	return ret;
}

static int write_by_call(void *to)
{
	char x = 'x';
	struct iovec from = { .iov_base = &x, .iov_len = 1 };
	struct iovec target = { .iov_base = to, .iov_len = 1 };

	return process_vm_writev(getpid(), &from, 1, &target, 1, 0);
}

static int read_into(void *to)
{
	int fds[2], ret;

	if (pipe(fds) || write(fds[1], "x", 1) != 1)
		return 1;
	ret = read(fds[0], to, 1);
	close(fds[0]);
	close(fds[1]);
	return ret;
}

TEST_F(pool, the_ring_cannot_be_made_writable)
{
	size_t page = self->pool.page_size;
	unsigned char *ring = (unsigned char *)(uintptr_t)self->pool.ring;
	unsigned char was = ring[7];
	void *moved;

	EXPECT_EQ(-1, mprotect(ring, page, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, mprotect(ring, page, PROT_READ | PROT_EXEC));
	EXPECT_GE(0, write_by_process_memory(ring + 7));
	EXPECT_GE(0, write_by_call(ring + 7));
	EXPECT_GE(0, read_into(ring + 7));
	EXPECT_EQ(was, ring[7]);
	/* Nor does a mapping grow beyond what it was made for. */
	moved = mremap(self->pool.receiver, page, 2 * page, MREMAP_MAYMOVE);
	EXPECT_EQ(MAP_FAILED, moved);
	moved = mremap(ring + RING, RING, RING + page, MREMAP_MAYMOVE);
	EXPECT_EQ(MAP_FAILED, moved);
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_NEXT(1);
}

TEST_F(pool, only_the_receive_handle_maps)
{
	size_t page = self->pool.page_size;
	int w = box_open_id(self->dev, box_id(self->fd), W);
	int l = box_open_id(self->dev, box_id(self->fd), IPCBOX_RIGHT_LOOK);
	int plain = box_make(self->dev, IPCBOX_MAILBOX, RWM);
	char c;

	EXPECT_EQ(-EACCES, map_error(w, page, PROT_READ, MAP_SHARED, page));
	EXPECT_EQ(-EACCES, map_error(w, page, PROT_READ | PROT_WRITE,
				     MAP_SHARED, 0));
	EXPECT_EQ(-EACCES, map_error(l, page, PROT_READ, MAP_SHARED, page));
	EXPECT_EQ(-ENODEV, map_error(plain, page, PROT_READ, MAP_SHARED, page));
	EXPECT_EQ(-EACCES, pool_wait(w, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(-EOPNOTSUPP, pool_wait(plain, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(-1, read(w, &c, 1));
	EXPECT_EQ(EBADF, errno);
	close(w);
	close(l);
	close(plain);
}

TEST_F(pool, a_receive_handle_alone_maps_and_does_not_write)
{
	int r = pool_create(self->dev, R, RING, 0, 0);
	struct pool pool = { };

	ASSERT_LE(0, r);
	EXPECT_EQ(0, pool_map(r, &pool));
	EXPECT_EQ(-1, write(r, "x", 1));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(O_RDONLY, fcntl(r, F_GETFL) & O_ACCMODE);
	pool_unmap(&pool);
	close(r);
}

TEST_F(pool, a_child_shares_the_mapping)
{
	struct ipcbox_stat stat;
	pid_t child = box_fork();

	if (!child) {
		CHECK_EQ(1, box_put(self->fd, 5));
		CHECK(pool_look(&self->pool));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(2, stat.mappings);
	EXPECT_NEXT(5);
}

/*
 * What is refused
 */

TEST_F(pool, create_checks_the_pool)
{
	struct ipcbox_create create = {
		.kind = IPCBOX_QUEUE, .mode = 0600, .rights = RWM,
		.mapped_bytes = RING,
	};
	char name[BOX_NAME_SIZE];
	int fd;

	EXPECT_EQ(-EINVAL, box_create(self->dev, &create));
	create.kind = IPCBOX_MAILBOX;
	create.mapped_bytes = RING + 4096;
	EXPECT_EQ(-EINVAL, box_create(self->dev, &create));
	create.mapped_bytes = 2048;
	EXPECT_EQ(-EINVAL, box_create(self->dev, &create));
	create.mapped_bytes = RING;
	create.max_message_bytes = RING - IPCBOX_POOL_OVERHEAD + 1;
	EXPECT_EQ(-EINVAL, box_create(self->dev, &create));
	create.max_message_bytes = RING - IPCBOX_POOL_OVERHEAD;
	fd = box_create(self->dev, &create);
	EXPECT_LE(0, fd);
	close(fd);
	create.mapped_bytes = 1 << 24;
	create.max_message_bytes = self->before.pool_message_bytes + 1;
	EXPECT_EQ(-EINVAL, box_create(self->dev, &create));
	create.max_message_bytes = 0;
	create.max_descriptors = 1;
	EXPECT_EQ(-EINVAL, box_create(self->dev, &create));

	/* With a pool and without are different sorts. */
	fd = box_make_named(self->dev, IPCBOX_MAILBOX, RWM, 0,
			    box_name(name, "pool"));
	EXPECT_LE(0, fd);
	create.max_descriptors = 0;
	create.name = (uintptr_t)name;
	create.name_length = strlen(name);
	EXPECT_EQ(-EEXIST, box_create(self->dev, &create));
	close(fd);
}

TEST_F(pool, only_plain_messages_go_in)
{
	struct ipcbox_outgoing out = { .data = (uintptr_t)"x", .length = 1 };
	struct ipcbox_incoming in = { };
	struct ipcbox_answer answer = { };
	struct box_snapshot before;
	int fd = self->fd;

	box_snapshot(self->dev, fd, &before);
	out.priority = 1;
	EXPECT_EQ(-EOPNOTSUPP, box_send_many(fd, &out, 1, 0, 0));
	out.priority = IPCBOX_PRIORITY_MAX + 1;
	EXPECT_EQ(-EINVAL, box_send_many(fd, &out, 1, 0, 0));
	out.priority = 0;
	out.lifetime = 1000;
	EXPECT_EQ(-EOPNOTSUPP, box_send_many(fd, &out, 1, 0, 0));
	out.lifetime = 0;
	out.descriptor_count = 1;
	EXPECT_EQ(-EOPNOTSUPP, box_send_many(fd, &out, 1, 0, 0));
	out.descriptor_count = 0;
	EXPECT_EQ(-EOPNOTSUPP, box_send_many(fd, &out, 1, IPCBOX_SYNC, 0));
	EXPECT_EQ(-EOPNOTSUPP, box_call(fd, &out, &in, 0, 0));
	EXPECT_EQ(-EOPNOTSUPP, box_settle(fd, 1, IPCBOX_ACK));
	EXPECT_EQ(-EOPNOTSUPP, box_answer(fd, &answer));
	EXPECT_EQ(-EOPNOTSUPP, box_receive_many(fd, &in, 1, IPCBOX_HOLD, 0));
	EXPECT_EQ(-EOPNOTSUPP, box_receive_many(fd, &in, 1, IPCBOX_PEEK, 0));
	EXPECT_TRUE(box_unchanged(self->dev, fd, &before));
}

TEST_F(pool, dead_letters_neither_leave_nor_come)
{
	int plain = box_make(self->dev, IPCBOX_MAILBOX, RWM);

	EXPECT_EQ(-EOPNOTSUPP, box_set_dead_letter(self->fd, box_id(plain), 0));
	EXPECT_EQ(-EOPNOTSUPP, box_set_dead_letter(self->fd, 0, 1));
	EXPECT_EQ(0, box_set_dead_letter(self->fd, 0, 0));
	EXPECT_EQ(-EOPNOTSUPP, box_set_dead_letter(plain, box_id(self->fd), 0));
	close(plain);
}

/*
 * Room
 */

/* Fills the mailbox; returns with how many. */
static unsigned int fill(int fd, const void *data, size_t length)
{
	unsigned int n = 0;

	while (box_send(fd, data, length, 0, 0, IPCBOX_NOWAIT, 0) == 1)
		n++;
	return n;
}

TEST_F(pool, a_full_pool_refuses_and_loses_nothing)
{
	unsigned char out[4000];
	unsigned int n, i;
	struct ipcbox_stat stat;

	box_fill(out, sizeof(out), 1);
	n = fill(self->fd, out, sizeof(out));
	EXPECT_EQ(RING / (sizeof(out) + IPCBOX_POOL_OVERHEAD), n);
	EXPECT_EQ(-EAGAIN, box_send(self->fd, out, sizeof(out), 0, 0,
				    IPCBOX_NOWAIT, 0));
	EXPECT_EQ(-ETIMEDOUT, box_send(self->fd, out, sizeof(out), 0, 0, 0,
				       box_in_ms(1)));
	EXPECT_EQ(0, box_poll(self->fd) & POLLOUT);
	for (i = 0; i < n; i++) {
		const struct ipcbox_pool_record *record = pool_look(&self->pool);

		ASSERT_NE(NULL, record);
		EXPECT_TRUE(box_filled(record + 1, sizeof(out), 1));
		pool_take(&self->pool);
	}
	EXPECT_EQ(NULL, pool_look(&self->pool));
	/* What is read is not released yet. */
	EXPECT_EQ(-EAGAIN, box_send(self->fd, out, sizeof(out), 0, 0,
				    IPCBOX_NOWAIT, 0));
	pool_release(&self->pool);
	EXPECT_EQ(n, fill(self->fd, out, sizeof(out)));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(n, stat.messages);
	EXPECT_EQ(5, stat.refused);
}

/* What waits in the kernel takes as much of max_bytes as what is in the ring. */
TEST_F(pool, no_way_in_leads_beyond_the_limits)
{
	const __u64 each = 200 + IPCBOX_POOL_OVERHEAD;
	struct ipcbox_set set = {
		.mask = IPCBOX_SET_MAX_BYTES | IPCBOX_SET_MAX_MESSAGE_BYTES,
		.max_bytes = 3 * each,
		.max_message_bytes = 2 * each,
	};
	unsigned char out[200] = { };
	struct ipcbox_stat stat;
	unsigned int i;

	ASSERT_EQ(0, box_set(self->fd, &set));
	EXPECT_EQ(3, fill(self->fd, out, sizeof(out)));
	EXPECT_EQ(-EAGAIN, box_send(self->fd, out, 0, 0, 0, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(3 * each, stat.bytes);
	/* Room for one with its overhead, and for two without. */
	ASSERT_NE(NULL, pool_look(&self->pool));
	pool_take(&self->pool);
	pool_release(&self->pool);
	EXPECT_EQ(1, fill(self->fd, out, sizeof(out) - IPCBOX_POOL_OVERHEAD));
	EXPECT_EQ(0, fill(self->fd, out, 1));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(3 * each - IPCBOX_POOL_OVERHEAD, stat.bytes);
	EXPECT_EQ(3 * each, stat.bytes_peak);
	for (i = 0; i < 3; i++) {
		ASSERT_NE(NULL, pool_look(&self->pool));
		pool_take(&self->pool);
	}
	pool_release(&self->pool);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.messages);
	EXPECT_EQ(0, stat.bytes);
}

TEST_F(pool, what_moves_into_the_ring_counts_once)
{
	unsigned char out[4000] = { };
	struct ipcbox_stat stat;
	unsigned int n, i;
	pid_t child;

	/* All that the limits allow, and another user's first message. */
	n = fill(self->fd, out, sizeof(out));
	child = box_fork();
	if (!child) {
		CHECK_EQ(0, box_become(OTHER, OTHER));
		CHECK_EQ(1, box_send(self->fd, out, sizeof(out), 0, 0,
				     IPCBOX_NOWAIT, 0));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	for (i = 0; i <= n; i++) {
		ASSERT_NE(NULL, pool_look(&self->pool));
		pool_take(&self->pool);
		pool_release(&self->pool);
		EXPECT_GE(0, pool_wait(self->fd, IPCBOX_NOWAIT, 0));
	}
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(n + 1, stat.messages_peak);
	EXPECT_EQ((n + 1) * (sizeof(out) + IPCBOX_POOL_OVERHEAD),
		  stat.bytes_peak);
	EXPECT_EQ(0, stat.bytes);
}

/* A child sends number after number, waiting for room. */
static pid_t send_numbers(int fd, __u32 from, __u32 count)
{
	static unsigned char out[8000];
	pid_t child = box_fork();
	__u32 i;

	if (child)
		return child;
	for (i = from; i < from + count; i++) {
		memcpy(out, &i, sizeof(i));
		CHECK_EQ(sizeof(out), write(fd, out, sizeof(out)));
	}
	_exit(0);
}

TEST_F(pool, a_sender_that_waits_goes_on_when_there_is_room)
{
	const struct ipcbox_pool_record *record;
	pid_t child = send_numbers(self->fd, 0, 200);
	__u32 i, seen;
	int error;

	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	for (i = 0; i < 200; i++) {
		record = pool_receive(&self->pool, IPCBOX_FOREVER, &error);
		ASSERT_NE(NULL, record);
		memcpy(&seen, record + 1, sizeof(seen));
		EXPECT_EQ(i, seen);
		EXPECT_EQ(i + 1, record->sequence);
		pool_take(&self->pool);
		pool_release(&self->pool);
	}
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(pool, senders_that_wait_are_let_in_when_the_receiver_never_waits)
{
	const struct ipcbox_pool_record *record;
	pid_t child = send_numbers(self->fd, 0, 100);
	__u32 i, seen;

	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	/* It only looks at the memory, and tells when it is asked to. */
	for (i = 0; i < 100; i++) {
		while (!(record = pool_look(&self->pool)))
			sched_yield();
		memcpy(&seen, record + 1, sizeof(seen));
		EXPECT_EQ(i, seen);
		pool_take(&self->pool);
		pool_release(&self->pool);
	}
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(pool, nobody_keeps_anothers_first_message_out)
{
	unsigned char out[4000] = { };
	const struct ipcbox_pool_record *record;
	unsigned int n, i;
	struct ipcbox_stat stat;
	pid_t child;

	n = fill(self->fd, out, sizeof(out));
	n += fill(self->fd, out, 1);
	child = box_fork();
	if (!child) {
		CHECK_EQ(0, box_become(OTHER, OTHER));
		CHECK_EQ(1, box_put(self->fd, 77));
		CHECK_EQ(-EAGAIN, box_put(self->fd, 78));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	/* It is accepted, in its turn, though the ring has no room for it. */
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(n + 1, stat.messages);
	for (i = 0; i < n; i++) {
		ASSERT_NE(NULL, pool_look(&self->pool));
		pool_take(&self->pool);
	}
	pool_release(&self->pool);
	record = pool_look(&self->pool);
	ASSERT_NE(NULL, record);
	EXPECT_EQ(OTHER, record->uid);
	EXPECT_EQ(child, record->pid);
	EXPECT_NEXT(77);
	EXPECT_EQ(NULL, pool_look(&self->pool));
}

TEST_F(pool, another_user_fills_its_share_and_no_more)
{
	unsigned char out[4000] = { };
	unsigned int most = RING / (sizeof(out) + IPCBOX_POOL_OVERHEAD);
	pid_t child = box_fork();
	unsigned int n;

	if (!child) {
		CHECK_EQ(0, box_become(OTHER, OTHER));
		n = fill(self->fd, out, sizeof(out));
		CHECK(n >= 1);
		CHECK(n <= most * self->before.user_share / 100);
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_LE(most - most * self->before.user_share / 100,
		  fill(self->fd, out, sizeof(out)));
}

TEST_F(pool, a_message_is_charged_until_it_is_released)
{
	struct ipcbox_info info;
	__u64 used;

	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(0, box_info(self->dev, &info));
	used = info.user_bytes_used - self->before.user_bytes_used;
	EXPECT_EQ(4 + 128, used);
	EXPECT_NEXT(1);
	EXPECT_EQ(-EAGAIN, pool_wait(self->fd, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(self->before.user_bytes_used, info.user_bytes_used);
}

TEST_F(pool, a_batch_goes_in_whole)
{
	struct ipcbox_outgoing out[40];
	__u32 numbers[40], i;

	for (i = 0; i < 40; i++) {
		numbers[i] = i;
		out[i] = (struct ipcbox_outgoing){
			.data = (uintptr_t)&numbers[i],
			.length = sizeof(numbers[i]),
		};
	}
	out[39].length = RING;
	EXPECT_EQ(39, box_send_many(self->fd, out, 40, 0, 0));
	for (i = 0; i < 39; i++)
		EXPECT_NEXT(i);
	EXPECT_EQ(-EMSGSIZE, box_send_many(self->fd, &out[39], 1, 0, 0));
}

TEST_F(pool, a_limit_may_be_changed)
{
	struct ipcbox_set set = {
		.mask = IPCBOX_SET_MAX_MESSAGES,
		.max_messages = 2,
	};

	EXPECT_EQ(0, box_set(self->fd, &set));
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(-EAGAIN, box_put(self->fd, 3));
	EXPECT_NEXT(1);
	EXPECT_EQ(1, box_put(self->fd, 3));
	set.mask = IPCBOX_SET_MAX_MESSAGE_BYTES;
	set.max_message_bytes = RING;
	EXPECT_EQ(-EINVAL, box_set(self->fd, &set));
}

/*
 * Waiting
 */

TEST_F(pool, wait_returns_at_once_or_at_the_deadline)
{
	EXPECT_EQ(-EAGAIN, pool_wait(self->fd, IPCBOX_NOWAIT, IPCBOX_FOREVER));
	EXPECT_EQ(-ETIMEDOUT, pool_wait(self->fd, 0, box_in_ms(1)));
	EXPECT_EQ(-EINVAL, pool_wait(self->fd, 0x80000000, IPCBOX_FOREVER));
	EXPECT_EQ(-EINVAL, pool_wait(self->fd, 0, 1ull << 63));
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(0, pool_wait(self->fd, 0, IPCBOX_FOREVER));
	EXPECT_EQ(0, pool_wait(self->fd, 0, 0));
	EXPECT_NEXT(1);
}

TEST_F(pool, a_receiver_that_waits_is_woken)
{
	pid_t child = box_fork();
	__u32 i;

	if (!child) {
		for (i = 0; i < 20; i++) {
			CHECK_EQ(0, box_await_receivers(self->fd, 1));
			CHECK_EQ(1, box_put(self->fd, i));
			CHECK_EQ(0, box_await_messages(self->fd, 0));
		}
		_exit(0);
	}
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(0, pool_wait(self->fd, 0, IPCBOX_FOREVER));
		EXPECT_NEXT(i);
	}
	EXPECT_EQ(0, box_wait(child));
}

static void on_signal(int sig)
{
}

static pid_t interrupt_when_waiting(int fd)
{
	pid_t parent = getpid();
	pid_t child = box_fork();

	if (child)
		return child;
	CHECK_EQ(0, box_await_receivers(fd, 1));
	kill(parent, SIGUSR1);
	_exit(0);
}

TEST_F(pool, a_signal_ends_the_wait)
{
	struct sigaction action = { .sa_handler = on_signal };
	pid_t child;

	sigaction(SIGUSR1, &action, NULL);
	child = interrupt_when_waiting(self->fd);
	EXPECT_EQ(-EINTR, pool_wait(self->fd, 0, IPCBOX_FOREVER));
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(pool, the_end_of_all_senders_is_noticed)
{
	int r = pool_create(self->dev, R | M, RING, 0, 0);
	__u64 id = box_id(r);
	int w = box_open_id(self->dev, id, W);
	struct pool pool = { };
	pid_t child;

	ASSERT_LE(0, w);
	ASSERT_EQ(0, pool_map(r, &pool));
	EXPECT_EQ(1, box_put(w, 9));
	EXPECT_EQ(0, box_unlink_id(self->dev, id));
	child = box_fork();
	if (!child) {
		CHECK_EQ(0, box_await_receivers(r, 1));
		/* The last send handle goes with this process. */
		_exit(0);
	}
	close(w);
	EXPECT_EQ(0, pool_wait(r, 0, IPCBOX_FOREVER));
	EXPECT_NE(NULL, pool_look(&pool));
	pool_take(&pool);
	pool_release(&pool);
	EXPECT_EQ(-EPIPE, pool_wait(r, 0, IPCBOX_FOREVER));
	EXPECT_EQ(POLLHUP, box_poll(r));
	EXPECT_EQ(0, box_wait(child));
	pool_unmap(&pool);
	close(r);
}

TEST_F(pool, poll_tells_what_the_receiver_has_not_read)
{
	int w = box_open_id(self->dev, box_id(self->fd), W);

	EXPECT_EQ(POLLOUT | POLLWRNORM, box_poll(self->fd));
	EXPECT_EQ(1, box_put(w, 1));
	EXPECT_TRUE(box_poll(self->fd) & POLLIN);
	EXPECT_NE(NULL, pool_look(&self->pool));
	/* Read, not released: there is nothing more to read. */
	pool_take(&self->pool);
	EXPECT_FALSE(box_poll(self->fd) & POLLIN);
	pool_release(&self->pool);
	EXPECT_FALSE(box_poll(self->fd) & POLLIN);
	close(w);
}

TEST_F(pool, poll_wakes_both_sides)
{
	struct pollfd out = { .events = POLLOUT };
	struct pollfd in = { .fd = self->fd, .events = POLLIN };
	unsigned char full[RING / 4] = { };
	int w = box_open_id(self->dev, box_id(self->fd), W);
	unsigned int n;
	pid_t child;

	out.fd = w;
	n = fill(w, full, sizeof(full));
	child = box_fork();
	if (!child) {
		CHECK_EQ(1, poll(&out, 1, -1));
		CHECK_EQ(POLLOUT, out.revents);
		CHECK_EQ(1, box_put(w, 123));
		_exit(0);
	}
	/* The child may or may not be polling by now: either way it learns. */
	while (n--) {
		EXPECT_NE(NULL, pool_look(&self->pool));
		pool_take(&self->pool);
		pool_release(&self->pool);
	}
	EXPECT_EQ(1, poll(&in, 1, -1));
	EXPECT_NEXT(123);
	EXPECT_EQ(0, box_wait(child));
	close(w);
}

static __u64 noticed(int descriptor)
{
	__u64 count = 0;

	return read(descriptor, &count, sizeof(count)) < 0 ? 0 : count;
}

TEST_F(pool, notice_is_given_of_arrivals)
{
	unsigned char big[2000] = { };
	int event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	ASSERT_EQ(0, notify_eventfd(self->fd, event, 0));
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(1, noticed(event));
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(0, noticed(event));
	EXPECT_NEXT(1);
	EXPECT_NEXT(2);
	EXPECT_EQ(sizeof(big), write(self->fd, big, sizeof(big)));
	EXPECT_EQ(1, noticed(event));
	ASSERT_EQ(0, notify_eventfd(self->fd, event, IPCBOX_NOTIFY_EVERY));
	EXPECT_EQ(1, box_put(self->fd, 3));
	EXPECT_EQ(sizeof(big), write(self->fd, big, sizeof(big)));
	EXPECT_EQ(2, noticed(event));
	close(event);
}

/*
 * Without a mapping
 */

TEST_F(pool, read_and_receive_work_without_a_mapping)
{
	struct ipcbox_incoming in[3] = { };
	__u32 numbers[3], number;
	char buffer[8];
	int fd = pool_create(self->dev, RWM, RING, 0, 0);
	struct pool pool = { };
	int i;

	ASSERT_LE(0, fd);
	for (i = 0; i < 5; i++)
		EXPECT_EQ(1, box_put(fd, i));
	EXPECT_EQ(4, read(fd, buffer, sizeof(buffer)));
	memcpy(&number, buffer, 4);
	EXPECT_EQ(0, number);
	/* A buffer that is too short leaves the message in its place. */
	EXPECT_EQ(-1, read(fd, buffer, 3));
	EXPECT_EQ(EMSGSIZE, errno);
	EXPECT_EQ(-EMSGSIZE, box_receive(fd, in, buffer, 3, 0, 0));
	EXPECT_EQ(4, in->length);
	EXPECT_EQ(-EFAULT, box_receive(fd, in, (void *)8, 4, 0, 0));
	for (i = 0; i < 3; i++) {
		in[i].data = (uintptr_t)&numbers[i];
		in[i].capacity = 4;
	}
	EXPECT_EQ(3, box_receive_many(fd, in, 3, 0, 0));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(i + 1, numbers[i]);
		EXPECT_EQ(i + 2, in[i].sequence);
		EXPECT_EQ(getpid(), in[i].pid);
		EXPECT_EQ(geteuid(), in[i].uid);
		EXPECT_EQ(0, in[i].priority);
		EXPECT_EQ(0, in[i].token);
	}
	/* With one they do not. */
	ASSERT_EQ(0, pool_map(fd, &pool));
	EXPECT_EQ(-1, read(fd, buffer, sizeof(buffer)));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(-EBUSY, box_get(fd, &number));
	EXPECT_NE(NULL, pool_look(&pool));
	pool_unmap(&pool);
	EXPECT_EQ(1, box_get(fd, &number));
	EXPECT_EQ(4, number);
	EXPECT_EQ(-EAGAIN, box_get(fd, &number));
	EXPECT_EQ(-ETIMEDOUT, box_receive(fd, in, buffer, 8, 0, box_in_ms(1)));
	EXPECT_TRUE(box_adds_up(fd));
	close(fd);
}

TEST_F(pool, readers_without_a_mapping_wait_and_are_woken)
{
	int fd = pool_create(self->dev, RWM, RING, 0, 0);
	__u32 number = 0, i;
	pid_t child;

	child = box_fork();
	if (!child) {
		for (i = 0; i < 20; i++) {
			CHECK_EQ(1, box_get_wait(fd, &number));
			CHECK_EQ(i, number);
		}
		_exit(0);
	}
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(0, box_await_receivers(fd, 1));
		EXPECT_EQ(1, box_put(fd, i));
		EXPECT_EQ(0, box_await_messages(fd, 0));
	}
	EXPECT_EQ(0, box_wait(child));
	close(fd);
}

TEST_F(pool, a_wait_ends_when_somebody_maps)
{
	int fd = pool_create(self->dev, RWM, RING, 0, 0);
	struct pool pool = { };
	__u32 number;
	pid_t child;

	child = box_fork();
	if (!child) {
		CHECK_EQ(-EBUSY, box_get_wait(fd, &number));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_receivers(fd, 1));
	ASSERT_EQ(0, pool_map(fd, &pool));
	EXPECT_EQ(0, box_wait(child));
	pool_unmap(&pool);
	close(fd);
}

/*
 * Ends
 */

TEST_F(pool, what_was_not_released_is_for_the_next_receiver)
{
	struct ipcbox_create create = {
		.flags = IPCBOX_CREATE_PERSISTENT,
		.kind = IPCBOX_MAILBOX, .mode = 0600, .rights = R | M,
		.mapped_bytes = RING,
	};
	const struct ipcbox_pool_record *record;
	unsigned char secret[3000];
	struct ipcbox_stat stat;
	struct pool pool = { };
	__u64 id, released;
	int r, w, i;

	r = box_create(self->dev, &create);
	ASSERT_LE(0, r);
	id = create.id;
	w = box_open_id(self->dev, id, W);
	ASSERT_EQ(0, pool_map(r, &pool));
	memset(secret, 0x5e, sizeof(secret));
	EXPECT_EQ(sizeof(secret), write(w, secret, sizeof(secret)));
	for (i = 1; i < 5; i++)
		EXPECT_EQ(1, box_put(w, i));
	for (i = 0; i < 2; i++) {
		EXPECT_NE(NULL, pool_look(&pool));
		pool_take(&pool);
	}
	released = pool.receiver->next;
	/* Read and not released. */
	EXPECT_NE(NULL, pool_look(&pool));
	pool_take(&pool);
	/* The last that it does counts. */
	munmap((void *)(uintptr_t)pool.page, pool.page_size + 2 * pool.size);
	__atomic_store_n(&pool.receiver->tail, released, __ATOMIC_RELEASE);
	munmap(pool.receiver, pool.page_size);
	close(r);
	/* Nobody is there, and the mailbox stays. */
	EXPECT_EQ(1, box_put(w, 5));
	EXPECT_EQ(0, box_stat(w, &stat));
	EXPECT_EQ(4, stat.messages);
	EXPECT_EQ(2, stat.received);

	r = box_open_id(self->dev, id, R);
	ASSERT_LE(0, r);
	ASSERT_EQ(0, pool_map(r, &pool));
	/* Nothing of what the first one has received is left in the ring. */
	for (i = 0; i < RING; i++)
		if (pool.ring[i] == 0x5e)
			break;
	EXPECT_EQ(RING, i);
	for (i = 2; i < 6; i++) {
		record = pool_look(&pool);
		ASSERT_NE(NULL, record);
		EXPECT_EQ(i + 1, record->sequence);
		pool_take(&pool);
	}
	pool_release(&pool);
	pool_unmap(&pool);
	EXPECT_TRUE(box_adds_up(r));
	close(r);
	EXPECT_EQ(0, box_unlink_id(self->dev, id));
	EXPECT_EQ(-EPIPE, box_put(w, 1));
	close(w);
}

TEST_F(pool, a_killed_receiver_ends_a_mailbox_that_is_not_persistent)
{
	struct ipcbox_create create = {
		.kind = IPCBOX_MAILBOX, .mode = 0600, .rights = W,
		.mapped_bytes = RING,
	};
	struct ipcbox_info info;
	unsigned char out[4000] = { };
	struct pool pool = { };
	__u64 discarded;
	pid_t child;
	int w, r;

	w = box_create(self->dev, &create);
	ASSERT_LE(0, w);
	child = box_fork();
	if (!child) {
		r = box_open_id(self->dev, create.id, R);
		CHECK_EQ(0, pool_map(r, &pool));
		fill(w, out, sizeof(out));
		close(w);
		kill(getpid(), SIGKILL);
	}
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child));
	EXPECT_EQ(-EPIPE, box_put(w, 1));
	EXPECT_EQ(POLLHUP, box_poll(w));
	EXPECT_EQ(0, box_info(self->dev, &info));
	discarded = info.discarded;
	close(w);
	/* What it left is discarded, counted, and not charged any more. */
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(RING / (sizeof(out) + IPCBOX_POOL_OVERHEAD),
		  info.discarded - discarded);
	EXPECT_EQ(self->before.user_bytes_used, info.user_bytes_used);
}

TEST_F(pool, a_sender_that_waits_learns_of_the_end)
{
	unsigned char out[RING / 4] = { };
	int r = pool_create(self->dev, R, RING, 0, RING / 4);
	int w = box_open_id(self->dev, box_id(r), W);
	pid_t child;

	fill(w, out, sizeof(out));
	child = box_fork();
	if (!child) {
		close(r);
		CHECK_EQ(-EPIPE, box_send(w, out, sizeof(out), 0, 0, 0,
					  IPCBOX_FOREVER));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_senders(w, 1));
	close(r);
	EXPECT_EQ(0, box_wait(child));
	close(w);
}

TEST_F(pool, a_mapping_keeps_the_receiver)
{
	int r = pool_create(self->dev, R, RING, 0, 0);
	int w = box_open_id(self->dev, box_id(r), W);
	struct pool pool = { };

	ASSERT_EQ(0, pool_map(r, &pool));
	close(r);
	EXPECT_EQ(1, box_put(w, 1));
	EXPECT_NE(NULL, pool_look(&pool));
	pool_unmap(&pool);
	EXPECT_EQ(-EPIPE, box_put(w, 1));
	close(w);
}

/*
 * Namespaces
 */

TEST_F(pool, senders_are_named_as_the_receiver_knows_them)
{
	int fd = pool_create(self->dev, RWM, RING, 0, 0);
	const struct ipcbox_pool_record *record;
	struct pool pool = { };
	pid_t child;

	ASSERT_LE(0, fd);
	EXPECT_EQ(1, box_put(fd, 1));
	child = box_fork();
	if (!child) {
		if (unshare(CLONE_NEWPID | CLONE_NEWUSER))
			_exit(KSFT_SKIP);
		child = box_fork();
		if (!child) {
			/* Number 1 here; the first sender cannot be seen. */
			CHECK_EQ(0, pool_map(fd, &pool));
			CHECK_EQ(1, box_put(fd, 2));
			record = pool_look(&pool);
			CHECK(record);
			CHECK_EQ(0, record->pid);
			CHECK_EQ(65534, record->uid);
			CHECK_EQ(65534, record->gid);
			pool_take(&pool);
			record = pool_look(&pool);
			CHECK(record);
			CHECK_EQ(1, record->pid);
			CHECK_EQ(65534, record->uid);
			_exit(0);
		}
		_exit(box_wait(child));
	}
	EXPECT_EQ(0, box_wait(child));
	close(fd);
}

TEST_HARNESS_MAIN
