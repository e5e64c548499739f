// SPDX-License-Identifier: GPL-2.0
/*
 * A stream is a queue with the semantics of a pipe: bytes in order, reads in
 * part, small writes in one piece, EPIPE and SIGPIPE, an end that is noticed.
 */
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "kselftest.h"
#include "kselftest_harness.h"
#include "box.h"

#define IN	(POLLIN | POLLRDNORM)
#define OUT	(POLLOUT | POLLWRNORM)

/* A small one: the bytes of four pieces, each of PIPE_BUF bytes. */
#define PIECE	PIPE_BUF
#define PIECES	4

static int make(int dev, __u32 rights, __u32 flags, const char *name)
{
	struct ipcbox_create create = {
		.flags = IPCBOX_CREATE_STREAM | flags,
		.kind = IPCBOX_QUEUE,
		.mode = 0600,
		.rights = rights,
		.name = (uintptr_t)name,
		.name_length = name ? strlen(name) : 0,
		.max_messages = 100,
		.max_bytes = PIECES * PIECE,
		.max_message_bytes = PIECE,
	};

	return box_create(dev, &create);
}

FIXTURE(stream)
{
	int dev;
	int r;
	int w;
	__u64 id;
};

FIXTURE_SETUP(stream)
{
	signal(SIGPIPE, SIG_IGN);
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->w = make(self->dev, W, 0, NULL);
	ASSERT_LE(0, self->w);
	self->id = box_id(self->w);
	self->r = box_open_id(self->dev, self->id, R);
	ASSERT_LE(0, self->r);
}

FIXTURE_TEARDOWN(stream)
{
	close(self->r);
	close(self->w);
	close(self->dev);
}

static void set_nonblock(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static long put(int fd, const void *data, size_t size)
{
	long ret = write(fd, data, size);

	return ret < 0 ? -errno : ret;
}

static long get(int fd, void *data, size_t size)
{
	long ret = read(fd, data, size);

	return ret < 0 ? -errno : ret;
}

static long get_nowait(int fd, void *data, size_t size)
{
	int flags = fcntl(fd, F_GETFL);
	long ret;

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	ret = get(fd, data, size);
	fcntl(fd, F_SETFL, flags);
	return ret;
}

/* All that there is room for, a piece at a time. */
static int fill(int fd)
{
	char piece[PIECE];
	int pieces;

	for (pieces = 0; pieces < PIECES; pieces++) {
		box_fill(piece, PIECE, pieces);
		if (put(fd, piece, PIECE) != PIECE)
			return -1;
	}
	return 0;
}

TEST_F(stream, is_a_queue_that_says_so)
{
	struct ipcbox_info info;
	struct ipcbox_stat stat;

	ASSERT_EQ(0, box_info(self->dev, &info));
	EXPECT_TRUE(info.features & IPCBOX_FEATURE_STREAM);
	ASSERT_EQ(0, box_stat(self->r, &stat));
	EXPECT_EQ(IPCBOX_QUEUE, stat.kind);
	EXPECT_EQ(IPCBOX_STATE_STREAM, stat.state);
}

TEST_F(stream, must_be_a_queue_of_pieces_of_pipe_buf)
{
	struct ipcbox_create create = {
		.flags = IPCBOX_CREATE_STREAM,
		.kind = IPCBOX_MAILBOX,
		.rights = R | M,
	};
	struct ipcbox_set set = {
		.mask = IPCBOX_SET_MAX_MESSAGE_BYTES,
		.max_messages = 3,
		.max_message_bytes = PIPE_BUF - 1,
	};
	struct box_snapshot before;
	struct ipcbox_stat stat;
	int fd;

	box_snapshot(self->dev, -1, &before);
	EXPECT_EQ(-EINVAL, box_create(self->dev, &create));
	create.kind = IPCBOX_QUEUE;
	create.max_message_bytes = PIPE_BUF - 1;
	EXPECT_EQ(-EINVAL, box_create(self->dev, &create));
	create.max_message_bytes = 0;
	create.max_bytes = PIPE_BUF - 1;
	EXPECT_EQ(-EINVAL, box_create(self->dev, &create));
	EXPECT_TRUE(box_unchanged(self->dev, -1, &before));
	create.max_bytes = PIPE_BUF;
	fd = box_create(self->dev, &create);
	EXPECT_LE(0, fd);
	/* Nor can it be set so later. */
	EXPECT_EQ(-EINVAL, box_set(fd, &set));
	set.mask |= IPCBOX_SET_MAX_MESSAGES;
	EXPECT_EQ(-EINVAL, box_set(fd, &set));
	EXPECT_EQ(0, box_stat(fd, &stat));
	EXPECT_EQ(PIPE_BUF, stat.max_message_bytes);
	EXPECT_NE(3, stat.max_messages);
	set.max_message_bytes = PIPE_BUF;
	EXPECT_EQ(0, box_set(fd, &set));
	close(fd);
}

TEST_F(stream, a_name_is_of_a_stream_or_of_none)
{
	char name[BOX_NAME_SIZE], other[BOX_NAME_SIZE];
	int stream, queue, again;

	box_name(name, "stream");
	box_name(other, "none");
	stream = make(self->dev, R, 0, name);
	ASSERT_LE(0, stream);
	queue = box_make_named(self->dev, IPCBOX_QUEUE, R, 0, other);
	ASSERT_LE(0, queue);
	EXPECT_EQ(-EEXIST, box_make_named(self->dev, IPCBOX_QUEUE, R, 0, name));
	EXPECT_EQ(-EEXIST, make(self->dev, R, 0, other));
	EXPECT_EQ(-EEXIST, make(self->dev, R, IPCBOX_CREATE_EXCLUSIVE, name));
	again = make(self->dev, W, 0, name);
	EXPECT_EQ(box_id(stream), box_id(again));
	close(again);
	close(queue);
	close(stream);
}

TEST_F(stream, bytes_come_in_order_in_whatever_pieces)
{
	char data[12] = { };

	EXPECT_EQ(3, put(self->w, "abc", 3));
	EXPECT_EQ(2, put(self->w, "de", 2));
	EXPECT_EQ(5, put(self->w, "fghij", 5));
	/* The rest of a piece is for the next. */
	EXPECT_EQ(1, get(self->r, data, 1));
	EXPECT_STREQ("a", data);
	EXPECT_EQ(3, get(self->r, data, 3));
	EXPECT_STREQ("bcd", data);
	/* What is there, and does not wait for the rest. */
	EXPECT_EQ(6, get(self->r, data, sizeof(data) - 1));
	EXPECT_STREQ("efghij", data);
	EXPECT_EQ(-EAGAIN, get_nowait(self->r, data, 1));
}

TEST_F(stream, nothing_is_written_or_read_by_zero_bytes)
{
	struct box_snapshot before;
	char byte;

	box_snapshot(self->dev, self->r, &before);
	EXPECT_EQ(0, put(self->w, NULL, 0));
	EXPECT_EQ(0, get(self->r, NULL, 0));
	EXPECT_EQ(-EAGAIN, get_nowait(self->r, &byte, 1));
	EXPECT_EQ(1, put(self->w, "x", 1));
	EXPECT_EQ(0, get(self->r, NULL, 0));
	EXPECT_EQ(1, get(self->r, &byte, 1));
	EXPECT_EQ('x', byte);
	EXPECT_EQ(0, box_poll(self->r));
}

TEST_F(stream, each_buffer_of_writev_is_a_write)
{
	char data[8] = { };
	struct iovec out[2] = { { "ab", 2 }, { "cd", 2 } };
	struct iovec in[2] = { { data, 1 }, { data + 1, 3 } };
	struct ipcbox_stat stat;

	EXPECT_EQ(4, writev(self->w, out, 2));
	ASSERT_EQ(0, box_stat(self->r, &stat));
	EXPECT_EQ(2, stat.messages);
	EXPECT_EQ(4, readv(self->r, in, 2));
	EXPECT_STREQ("abcd", data);
}

/* What one of several writers writes in one piece. */
struct record {
	__u32 writer;
	__u32 number;
	__u32 length;
	char data[PIPE_BUF - 12];
};

#define WRITERS	4
#define RECORDS	100

static __u64 seed_of(const struct record *record)
{
	return (__u64)record->writer << 32 | record->number;
}

static void write_records(int fd, __u32 writer)
{
	struct record record = { .writer = writer };
	__u64 state = writer + 1;
	size_t size;

	for (record.number = 0; record.number < RECORDS; record.number++) {
		record.length = record.number % 7 ?
			box_random(&state) % (sizeof(record.data) + 1) :
			sizeof(record.data);
		box_fill(record.data, record.length, seed_of(&record));
		size = offsetof(struct record, data) + record.length;
		CHECK_EQ(size, put(fd, &record, size));
	}
}

/* Reads just so many bytes, in odd parts. */
static bool get_all(int fd, void *to, size_t size, __u64 *state)
{
	size_t done = 0;
	long ret;

	while (done < size) {
		size_t part = 1 + box_random(state) % 1500;

		if (part > size - done)
			part = size - done;
		ret = get(fd, (char *)to + done, part);
		if (ret <= 0)
			return false;
		done += ret;
	}
	return true;
}

TEST_F(stream, up_to_pipe_buf_bytes_stay_together)
{
	__u32 next[WRITERS] = { };
	struct record record;
	pid_t child[WRITERS];
	__u64 state = 99;
	int i;

	for (i = 0; i < WRITERS; i++) {
		child[i] = box_fork();
		if (!child[i]) {
			close(self->r);
			write_records(self->w, i);
			_exit(0);
		}
	}
	close(self->w);
	self->w = -1;
	for (i = 0; i < WRITERS * RECORDS; i++) {
		ASSERT_TRUE(get_all(self->r, &record,
				    offsetof(struct record, data), &state));
		ASSERT_GT(WRITERS, record.writer);
		/* Each one's own stay in order. */
		ASSERT_EQ(next[record.writer], record.number);
		next[record.writer]++;
		ASSERT_GE(sizeof(record.data), record.length);
		ASSERT_TRUE(get_all(self->r, record.data, record.length,
				    &state));
		ASSERT_TRUE(box_filled(record.data, record.length,
				       seed_of(&record)));
	}
	EXPECT_EQ(0, get(self->r, &record, sizeof(record)));
	for (i = 0; i < WRITERS; i++) {
		EXPECT_EQ(0, box_wait(child[i]));
	}
}

/* Not one byte of it is written without room for all. */
TEST_F(stream, a_small_write_without_room_writes_nothing)
{
	struct box_snapshot before;
	char piece[PIECE];

	ASSERT_EQ(0, fill(self->w));
	/* Now there is room for all of it but a byte. */
	ASSERT_EQ(PIECE, get(self->r, piece, PIECE));
	ASSERT_EQ(1, put(self->w, "x", 1));
	set_nonblock(self->w);
	box_snapshot(self->dev, self->r, &before);
	EXPECT_EQ(-EAGAIN, put(self->w, piece, PIECE));
	before.stat.refused++;
	EXPECT_TRUE(box_unchanged(self->dev, self->r, &before));
	EXPECT_EQ(PIECE - 1, put(self->w, piece, PIECE - 1));
}

TEST_F(stream, a_large_write_may_be_accepted_in_part)
{
	static char data[(PIECES + 2) * PIECE], seen[sizeof(data)];

	box_fill(data, sizeof(data), 5);
	set_nonblock(self->w);
	EXPECT_EQ(PIECES * PIECE, put(self->w, data, sizeof(data)));
	EXPECT_EQ(-EAGAIN, put(self->w, data, sizeof(data)));
	EXPECT_EQ(PIECES * PIECE, get(self->r, seen, sizeof(seen)));
	EXPECT_EQ(0, memcmp(data, seen, PIECES * PIECE));
	EXPECT_EQ(-EAGAIN, get_nowait(self->r, seen, 1));
}

#define MUCH	(8 << 20)

TEST_F(stream, a_large_write_waits_until_all_is_accepted)
{
	char *data = malloc(MUCH);
	__u64 state = 3;
	pid_t child;

	ASSERT_TRUE(!!data);
	child = box_fork();
	if (!child) {
		close(self->r);
		box_fill(data, MUCH, 77);
		CHECK_EQ(MUCH, put(self->w, data, MUCH));
		_exit(0);
	}
	close(self->w);
	self->w = -1;
	EXPECT_TRUE(get_all(self->r, data, 100000, &state));
	EXPECT_EQ(MUCH - 100000, ({
		long done = 0, part = 1;

		while (part > 0 && done < MUCH - 100000) {
			part = get(self->r, data + 100000 + done,
				   MUCH - 100000 - done);
			done += part;
		}
		done;
	}));
	EXPECT_TRUE(box_filled(data, MUCH, 77));
	EXPECT_EQ(0, get(self->r, data, 1));
	EXPECT_EQ(0, box_wait(child));
	free(data);
}

TEST_F(stream, each_byte_is_for_one_reader)
{
	__u64 *sum = box_shared(4096);
	unsigned char byte = 1;
	pid_t child[3];
	int i;

	for (i = 0; i < 3; i++) {
		child[i] = box_fork();
		if (!child[i]) {
			unsigned char seen[7];
			long got, at;

			close(self->w);
			while ((got = get(self->r, seen, sizeof(seen))) > 0)
				for (at = 0; at < got; at++)
					sum[i] += seen[at];
			CHECK_EQ(0, got);
			_exit(0);
		}
	}
	for (i = 0; i < 3000; i++) {
		ASSERT_EQ(1, put(self->w, &byte, 1));
	}
	close(self->w);
	self->w = -1;
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, box_wait(child[i]));
	}
	EXPECT_EQ(3000, sum[0] + sum[1] + sum[2]);
}

/*
 * The end of the other side
 */

static __u32 pipe_signals;

static void count_pipe(int number)
{
	__atomic_add_fetch(&pipe_signals, 1, __ATOMIC_RELEASE);
}

TEST_F(stream, a_write_without_receiver_is_epipe_and_sigpipe)
{
	close(self->r);
	self->r = -1;
	EXPECT_EQ(-EPIPE, put(self->w, "x", 1));
	signal(SIGPIPE, count_pipe);
	EXPECT_EQ(-EPIPE, put(self->w, "x", 1));
	EXPECT_EQ(1, pipe_signals);
	/* It is of the writer: no SEND raises it, and no message's write. */
	EXPECT_EQ(-EOPNOTSUPP, box_put(self->w, 1));
	EXPECT_EQ(1, pipe_signals);
}

TEST_F(stream, sigpipe_kills_who_does_not_expect_it)
{
	pid_t child;

	ASSERT_EQ(0, fill(self->w));
	child = box_fork();
	if (!child) {
		signal(SIGPIPE, SIG_DFL);
		close(self->r);
		put(self->w, "x", 1);
		_exit(0);
	}
	ASSERT_EQ(0, box_await_senders(self->w, 1));
	close(self->r);
	self->r = -1;
	EXPECT_EQ(BOX_KILLED(SIGPIPE), box_wait(child));
}

TEST_F(stream, a_waiting_writer_is_told_how_much_was_accepted)
{
	static char data[(PIECES + 2) * PIECE];
	pid_t child;

	child = box_fork();
	if (!child) {
		signal(SIGPIPE, count_pipe);
		close(self->r);
		CHECK_EQ((PIECES + 1) * PIECE,
			 put(self->w, data, sizeof(data)));
		CHECK_EQ(1, pipe_signals);
		_exit(0);
	}
	ASSERT_EQ(0, box_await_senders(self->w, 1));
	ASSERT_EQ(PIECE, get(self->r, data, PIECE));
	ASSERT_EQ(0, box_await_sent(self->w, PIECES + 1));
	ASSERT_EQ(0, box_await_senders(self->w, 1));
	close(self->r);
	self->r = -1;
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(stream, the_end_comes_when_the_last_writer_closes)
{
	int other = box_open_id(self->dev, self->id, W);
	char data[4] = { };

	ASSERT_LE(0, other);
	EXPECT_EQ(2, put(self->w, "ab", 2));
	close(self->w);
	EXPECT_EQ(1, get(self->r, data, 1));
	EXPECT_EQ(1, get(self->r, data, 1));
	EXPECT_EQ(-EAGAIN, get_nowait(self->r, data, 1));
	EXPECT_EQ(3, put(other, "cde", 3));
	close(other);
	/* What was written comes first. */
	EXPECT_EQ(2, get(self->r, data, 2));
	EXPECT_EQ(1, get(self->r, data, 2));
	EXPECT_EQ('e', data[0]);
	EXPECT_EQ(0, get(self->r, data, 1));
	EXPECT_EQ(0, get(self->r, data, 1));
	/* A writer that comes is no end any more. */
	self->w = box_open_id(self->dev, self->id, W);
	ASSERT_LE(0, self->w);
	EXPECT_EQ(-EAGAIN, get_nowait(self->r, data, 1));
	EXPECT_EQ(1, put(self->w, "f", 1));
	EXPECT_EQ(1, get(self->r, data, 1));
	EXPECT_EQ('f', data[0]);
}

TEST_F(stream, a_waiting_reader_is_told_of_the_end)
{
	pid_t child = box_fork();

	if (!child) {
		char byte;

		close(self->w);
		CHECK_EQ(0, get(self->r, &byte, 1));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_receivers(self->r, 1));
	close(self->w);
	self->w = -1;
	EXPECT_EQ(0, box_wait(child));
}

/* As a FIFO's: it is for the first writer to come. */
TEST_F(stream, a_reader_waits_for_the_first_writer)
{
	int r = make(self->dev, R, 0, NULL);
	pid_t child;
	char byte;
	int w;

	ASSERT_LE(0, r);
	EXPECT_EQ(-EAGAIN, get_nowait(r, &byte, 1));
	EXPECT_EQ(0, box_poll(r));
	child = box_fork();
	if (!child) {
		CHECK_EQ(1, get(r, &byte, 1));
		CHECK_EQ('x', byte);
		CHECK_EQ(0, get(r, &byte, 1));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_receivers(r, 1));
	w = box_open_id(self->dev, box_id(r), W);
	ASSERT_LE(0, w);
	EXPECT_EQ(1, put(w, "x", 1));
	close(w);
	EXPECT_EQ(0, box_wait(child));
	close(r);
}

TEST_F(stream, a_writer_before_the_first_reader_fills_it_and_waits)
{
	int w = make(self->dev, W, 0, NULL);
	char data[PIECE];
	pid_t child;
	int r;

	ASSERT_LE(0, w);
	EXPECT_EQ(0, fill(w));
	child = box_fork();
	if (!child) {
		CHECK_EQ(1, put(w, "x", 1));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_senders(w, 1));
	r = box_open_id(self->dev, box_id(w), R);
	ASSERT_LE(0, r);
	EXPECT_EQ(PIECE, get(r, data, PIECE));
	EXPECT_TRUE(box_filled(data, PIECE, 0));
	EXPECT_EQ(0, box_wait(child));
	close(r);
	close(w);
}

TEST_F(stream, ends_that_a_child_has_count)
{
	pid_t writer, reader;
	char byte;

	writer = box_fork();
	if (!writer) {
		close(self->r);
		for (;;)
			pause();
	}
	reader = box_fork();
	if (!reader) {
		close(self->w);
		for (;;)
			pause();
	}
	close(self->w);
	EXPECT_EQ(-EAGAIN, get_nowait(self->r, &byte, 1));
	kill(writer, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(writer));
	EXPECT_EQ(0, get(self->r, &byte, 1));

	self->w = box_open_id(self->dev, self->id, W);
	ASSERT_LE(0, self->w);
	close(self->r);
	EXPECT_EQ(1, put(self->w, "x", 1));
	kill(reader, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(reader));
	EXPECT_EQ(-EPIPE, put(self->w, "x", 1));
	self->r = -1;
}

TEST_F(stream, one_handle_may_be_both_ends)
{
	int both = make(self->dev, R | W, 0, NULL);
	char byte;

	ASSERT_LE(0, both);
	EXPECT_EQ(-EAGAIN, get_nowait(both, &byte, 1));
	EXPECT_EQ(1, put(both, "x", 1));
	EXPECT_EQ(1, get(both, &byte, 1));
	EXPECT_EQ(-EAGAIN, get_nowait(both, &byte, 1));
	close(both);
}

TEST_F(stream, the_wrong_end_is_ebadf)
{
	char byte;

	EXPECT_EQ(-EBADF, put(self->r, "x", 1));
	EXPECT_EQ(-EBADF, get(self->w, &byte, 1));
}

/*
 * Life
 */

TEST_F(stream, unlinked_it_goes_on_for_who_has_it)
{
	char name[BOX_NAME_SIZE];
	int r, w, other;
	char byte;

	box_name(name, "unlinked");
	w = make(self->dev, W | M, 0, name);
	ASSERT_LE(0, w);
	r = box_open_name(self->dev, name, R);
	ASSERT_LE(0, r);
	EXPECT_EQ(1, put(w, "a", 1));
	EXPECT_EQ(0, box_unlink_name(self->dev, name));
	/* The name is free for another. */
	other = make(self->dev, R, IPCBOX_CREATE_EXCLUSIVE, name);
	EXPECT_LE(0, other);
	EXPECT_NE(box_id(w), box_id(other));
	EXPECT_EQ(1, put(w, "b", 1));
	EXPECT_EQ(1, get(r, &byte, 1));
	EXPECT_EQ('a', byte);
	EXPECT_EQ(1, get(r, &byte, 1));
	EXPECT_EQ(-EAGAIN, get_nowait(r, &byte, 1));
	close(w);
	EXPECT_EQ(0, get(r, &byte, 1));
	EXPECT_EQ(-EAGAIN, get_nowait(other, &byte, 1));
	close(other);
	close(r);
}

TEST_F(stream, goes_with_its_last_handle)
{
	struct ipcbox_info before, full, after;
	char byte;

	ASSERT_EQ(0, box_info(self->dev, &before));
	ASSERT_EQ(0, fill(self->w));
	ASSERT_EQ(1, get(self->r, &byte, 1));
	ASSERT_EQ(0, box_info(self->dev, &full));
	EXPECT_LT(before.user_bytes_used + PIECES * PIECE,
		  full.user_bytes_used);
	close(self->w);
	close(self->r);
	EXPECT_EQ(-ENOENT, box_open_id(self->dev, self->id, R));
	/* What was read in part is not charged any more, either. */
	ASSERT_EQ(0, box_info(self->dev, &after));
	EXPECT_EQ(before.box_objects_used - 1, after.box_objects_used);
	EXPECT_EQ(before.user_bytes_used, after.user_bytes_used);
	self->w = -1;
	self->r = -1;
}

TEST_F(stream, persistent_it_keeps_bytes_and_has_no_end)
{
	char name[BOX_NAME_SIZE];
	char data[8] = { };
	int fd;

	box_name(name, "persistent");
	fd = make(self->dev, R | W, IPCBOX_CREATE_PERSISTENT, name);
	ASSERT_LE(0, fd);
	EXPECT_EQ(6, put(fd, "abcdef", 6));
	EXPECT_EQ(2, get(fd, data, 2));
	close(fd);
	/* No receiver is there, and one may come. */
	fd = box_open_name(self->dev, name, W);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, put(fd, "g", 1));
	close(fd);
	fd = box_open_name(self->dev, name, R);
	ASSERT_LE(0, fd);
	EXPECT_EQ(5, get(fd, data, sizeof(data)));
	EXPECT_EQ(0, memcmp("cdefg", data, 5));
	EXPECT_EQ(-EAGAIN, get_nowait(fd, data, 1));
	EXPECT_EQ(0, box_poll(fd));
	EXPECT_EQ(0, box_unlink_name(self->dev, name));
	EXPECT_EQ(0, get(fd, data, 1));
	EXPECT_EQ(POLLHUP, box_poll(fd));
	close(fd);
}

/*
 * poll
 */

TEST_F(stream, poll_says_when_there_are_bytes)
{
	char data[3];

	EXPECT_EQ(0, box_poll(self->r));
	EXPECT_EQ(3, put(self->w, "abc", 3));
	EXPECT_EQ(IN, box_poll(self->r));
	/* The rest of a piece, which is in no queue any more. */
	EXPECT_EQ(2, get(self->r, data, 2));
	EXPECT_EQ(IN, box_poll(self->r));
	EXPECT_EQ(1, get(self->r, data, 3));
	EXPECT_EQ(0, box_poll(self->r));
	EXPECT_EQ(2, put(self->w, "de", 2));
	close(self->w);
	self->w = -1;
	EXPECT_EQ(IN | POLLHUP, box_poll(self->r));
	EXPECT_EQ(1, get(self->r, data, 1));
	EXPECT_EQ(IN | POLLHUP, box_poll(self->r));
	EXPECT_EQ(1, get(self->r, data, 1));
	EXPECT_EQ(POLLHUP, box_poll(self->r));
}

TEST_F(stream, poll_says_when_there_is_room)
{
	char piece[PIECE];

	EXPECT_EQ(OUT, box_poll(self->w));
	ASSERT_EQ(0, fill(self->w));
	EXPECT_EQ(0, box_poll(self->w));
	ASSERT_EQ(PIECE, get(self->r, piece, PIECE));
	EXPECT_EQ(OUT, box_poll(self->w));
	/* The promise is kept. */
	set_nonblock(self->w);
	EXPECT_EQ(PIECE, put(self->w, piece, PIECE));
	EXPECT_EQ(0, box_poll(self->w));
	close(self->r);
	self->r = -1;
	EXPECT_EQ(POLLHUP, box_poll(self->w));
}

TEST_F(stream, epoll_wakes_who_waits)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	__u32 *flag = box_shared(4096);
	pid_t child;

	ASSERT_LE(0, epoll);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->r, &event));
	child = box_fork();
	if (!child) {
		char byte;

		close(self->w);
		CHECK_EQ(0, epoll_wait(epoll, &event, 1, 0));
		CHECK_EQ(1, epoll_wait(epoll, &event, 1, -1));
		CHECK_EQ(EPOLLIN, event.events);
		CHECK_EQ(1, get(self->r, &byte, 1));
		__atomic_store_n(flag, 1, __ATOMIC_RELEASE);
		CHECK_EQ(1, epoll_wait(epoll, &event, 1, -1));
		CHECK_EQ(EPOLLHUP, event.events);
		_exit(0);
	}
	ASSERT_EQ(0, box_await_asleep(child, SYS_epoll_wait));
	EXPECT_EQ(1, put(self->w, "x", 1));
	box_await_flag(flag, 1);
	ASSERT_EQ(0, box_await_asleep(child, SYS_epoll_wait));
	close(self->w);
	self->w = -1;
	EXPECT_EQ(0, box_wait(child));
	close(epoll);
}

TEST_F(stream, notice_is_given_of_bytes)
{
	struct ipcbox_notify notify = {
		.size = sizeof(notify),
		.how = IPCBOX_NOTIFY_EVENTFD,
		.descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	__u64 count;

	ASSERT_LE(0, notify.descriptor);
	ASSERT_EQ(0, ioctl(self->r, IPCBOX_IOC_NOTIFY, &notify));
	EXPECT_EQ(-EAGAIN, get(notify.descriptor, &count, sizeof(count)));
	EXPECT_EQ(1, put(self->w, "x", 1));
	EXPECT_EQ(8, get(notify.descriptor, &count, sizeof(count)));
	EXPECT_EQ(1, count);
	close(notify.descriptor);
}

/*
 * Signals, and who is killed
 */

static __u32 *signals;

static void count_signal(int number)
{
	__atomic_add_fetch(signals, 1, __ATOMIC_RELEASE);
}

static void catch_signal(int flags)
{
	struct sigaction action = {
		.sa_handler = count_signal,
		.sa_flags = flags,
	};

	sigaction(SIGUSR1, &action, NULL);
}

TEST_F(stream, a_signal_ends_a_read_without_effect)
{
	pid_t child;
	char byte;

	signals = box_shared(4096);
	child = box_fork();
	if (!child) {
		catch_signal(0);
		CHECK_EQ(-EINTR, get(self->r, &byte, 1));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_receivers(self->r, 1));
	kill(child, SIGUSR1);
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(1, put(self->w, "x", 1));
	EXPECT_EQ(1, get(self->r, &byte, 1));
}

TEST_F(stream, with_sa_restart_a_read_goes_on)
{
	pid_t child;
	char byte;

	signals = box_shared(4096);
	child = box_fork();
	if (!child) {
		catch_signal(SA_RESTART);
		CHECK_EQ(1, get(self->r, &byte, 1));
		CHECK_EQ(1, *signals);
		_exit(0);
	}
	ASSERT_EQ(0, box_await_receivers(self->r, 1));
	kill(child, SIGUSR1);
	box_await_flag(signals, 1);
	EXPECT_EQ(1, put(self->w, "x", 1));
	EXPECT_EQ(0, box_wait(child));
}

/* Who waits for another reader to end its read does so interruptibly. */
TEST_F(stream, a_signal_ends_a_read_behind_another)
{
	pid_t first, second;
	char byte;

	signals = box_shared(4096);
	first = box_fork();
	if (!first) {
		CHECK_EQ(1, get(self->r, &byte, 1));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_receivers(self->r, 1));
	/* Who may not wait is told so at once. */
	EXPECT_EQ(-EAGAIN, get_nowait(self->r, &byte, 1));
	catch_signal(0);
	second = box_fork();
	if (!second) {
		CHECK_EQ(-EINTR, get(self->r, &byte, 1));
		_exit(0);
	}
	/* It is behind the other's lock, where nothing counts it. */
	ASSERT_EQ(0, box_await_asleep(second, SYS_read));
	kill(second, SIGUSR1);
	EXPECT_EQ(0, box_wait(second));
	EXPECT_EQ(1, put(self->w, "x", 1));
	EXPECT_EQ(0, box_wait(first));
}

TEST_F(stream, a_signal_ends_a_write_with_what_was_accepted)
{
	static char data[(PIECES + 2) * PIECE];
	pid_t child;

	signals = box_shared(4096);
	child = box_fork();
	if (!child) {
		catch_signal(0);
		CHECK_EQ(PIECES * PIECE, put(self->w, data, sizeof(data)));
		CHECK_EQ(-EINTR, put(self->w, data, 1));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_senders(self->w, 1));
	kill(child, SIGUSR1);
	box_await_flag(signals, 1);
	/* The second write waits; the first did not leave anything behind. */
	ASSERT_EQ(0, box_await_senders(self->w, 1));
	kill(child, SIGUSR1);
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(PIECES * PIECE, get(self->r, data, sizeof(data)));
	EXPECT_EQ(-EAGAIN, get_nowait(self->r, data, 1));
}

TEST_F(stream, a_killed_reader_takes_no_bytes)
{
	char data[4] = { };
	pid_t child = box_fork();

	if (!child) {
		get(self->r, data, 1);
		_exit(0);
	}
	ASSERT_EQ(0, box_await_receivers(self->r, 1));
	kill(child, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child));
	ASSERT_EQ(0, box_await_receivers(self->r, 0));
	EXPECT_EQ(3, put(self->w, "abc", 3));
	EXPECT_EQ(3, get(self->r, data, sizeof(data)));
	EXPECT_STREQ("abc", data);
}

TEST_F(stream, a_killed_writer_leaves_whole_pieces_and_the_end)
{
	static char data[(PIECES + 2) * PIECE], seen[sizeof(data)];
	pid_t child;

	box_fill(data, sizeof(data), 8);
	child = box_fork();
	if (!child) {
		put(self->w, data, sizeof(data));
		_exit(0);
	}
	close(self->w);
	self->w = -1;
	ASSERT_EQ(0, box_await_senders(self->r, 1));
	kill(child, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child));
	EXPECT_EQ(PIECES * PIECE, get(self->r, seen, sizeof(seen)));
	EXPECT_EQ(0, memcmp(data, seen, PIECES * PIECE));
	EXPECT_EQ(0, get(self->r, seen, 1));
}

/*
 * Bad memory
 */

TEST_F(stream, a_bad_buffer_leaves_the_bytes)
{
	char data[8] = { };
	char *edge = box_edge(2);

	EXPECT_EQ(4, put(self->w, "abcd", 4));
	EXPECT_EQ(-EFAULT, get(self->r, box_edge(0), 4));
	EXPECT_EQ(-EFAULT, get(self->r, edge, 4));
	EXPECT_EQ(4, get(self->r, data, sizeof(data)));
	EXPECT_STREQ("abcd", data);
	/* What was copied is read. */
	EXPECT_EQ(2, put(self->w, "ab", 2));
	EXPECT_EQ(2, put(self->w, "cd", 2));
	EXPECT_EQ(2, get(self->r, edge, 4));
	EXPECT_EQ(0, memcmp("ab", edge, 2));
	EXPECT_EQ(2, get(self->r, data, sizeof(data)));
	EXPECT_EQ(0, memcmp("cd", data, 2));
}

TEST_F(stream, bad_data_is_not_written)
{
	struct box_snapshot before;
	char *edge = box_edge(2);
	char piece[PIECE];
	long page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_TRUE(pages != MAP_FAILED);
	ASSERT_EQ(0, munmap(pages + 2 * page, page));
	box_snapshot(self->dev, self->r, &before);
	EXPECT_EQ(-EFAULT, put(self->w, box_edge(0), 4));
	EXPECT_EQ(-EFAULT, put(self->w, edge, 4));
	EXPECT_TRUE(box_unchanged(self->dev, self->r, &before));
	/* In whole pieces. */
	EXPECT_EQ(PIECE, put(self->w, pages + 2 * page - PIECE - 10,
			     PIECE + 11));
	EXPECT_EQ(PIECE, get(self->r, piece, PIECE));
	EXPECT_EQ(-EAGAIN, get_nowait(self->r, piece, 1));
}

static long read_trap(int fd, char *trap)
{
	return get(fd, trap, 3);
}

TEST_F(stream, a_reader_that_hangs_does_not_hold_up_writers)
{
	struct box_trapped trapped;
	char data[8] = { };
	int ret;

	EXPECT_EQ(3, put(self->w, "abc", 3));
	ret = box_trap(&trapped, read_trap, self->r);
	if (ret == KSFT_SKIP)
		SKIP(return, "no userfaultfd for faults of the kernel");
	ASSERT_EQ(0, ret);
	EXPECT_EQ(3, put(self->w, "def", 3));
	EXPECT_EQ(OUT, box_poll(self->w));
	/* Readers wait for it, if they may. */
	EXPECT_EQ(-EAGAIN, get_nowait(self->r, data, 1));
	box_release(&trapped, BOX_TAKE_AWAY);
	EXPECT_EQ(0, box_wait(trapped.pid));
	EXPECT_EQ(-EFAULT, *trapped.result);
	EXPECT_EQ(6, get(self->r, data, sizeof(data)));
	EXPECT_STREQ("abcdef", data);
}

/*
 * What is of messages
 */

TEST_F(stream, operations_on_messages_are_refused)
{
	struct ipcbox_receive peek = { .flags = IPCBOX_PEEK };
	struct ipcbox_answer answer = { .flags = IPCBOX_NOWAIT };
	struct ipcbox_incoming in = { };
	struct ipcbox_outgoing out = { };
	struct box_snapshot before;
	__u32 number;
	char data[4] = { };

	EXPECT_EQ(3, put(self->w, "abc", 3));
	box_snapshot(self->dev, self->r, &before);
	EXPECT_EQ(-EOPNOTSUPP, box_put(self->w, 1));
	EXPECT_EQ(-EOPNOTSUPP, box_put_sync(self->w, 1, 0));
	EXPECT_EQ(-EOPNOTSUPP, box_call(self->w, &out, &in, 0, 0));
	EXPECT_EQ(-EOPNOTSUPP, box_get(self->r, &number));
	EXPECT_EQ(-EOPNOTSUPP, box_hold(self->r, &in, &number));
	EXPECT_EQ(-EOPNOTSUPP, box_select(self->r, &peek, &in, 1));
	EXPECT_EQ(-EOPNOTSUPP, box_settle(self->r, 1, IPCBOX_ACK));
	answer.message = (uintptr_t)&in;
	EXPECT_EQ(-EOPNOTSUPP, box_answer(self->r, &answer));
	EXPECT_TRUE(box_unchanged(self->dev, self->r, &before));
	EXPECT_EQ(3, get(self->r, data, sizeof(data)));
	EXPECT_STREQ("abc", data);
}

TEST_F(stream, limits_can_be_set)
{
	int fd = box_open_id(self->dev, self->id, M);
	char data[10];

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, box_set_max_messages(fd, 1));
	set_nonblock(self->w);
	EXPECT_EQ(1, put(self->w, "a", 1));
	EXPECT_EQ(-EAGAIN, put(self->w, "b", 1));
	ASSERT_EQ(0, box_set_max_messages(fd, 2));
	EXPECT_EQ(1, put(self->w, "b", 1));
	EXPECT_EQ(2, get(self->r, data, sizeof(data)));
	close(fd);
}

TEST_HARNESS_MAIN
