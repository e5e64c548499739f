// SPDX-License-Identifier: GPL-2.0
/*
 * Channels: one producer and one consumer; each can write its own part of the
 * memory and nothing else; messages pass; who sleeps is woken; the end of one side
 * is noticed by the other when it has read what was published.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "box.h"
#include "channel_end.h"

#define IN	(POLLIN | POLLRDNORM)
#define OUT	(POLLOUT | POLLWRNORM)

FIXTURE(channel)
{
	int dev;
	size_t page;
	size_t size;		/* of the ring: two pages */
	int r;			/* the consumer's handle */
	int w;			/* the producer's */
	__u64 id;
	struct end consumer;
	struct end producer;
};

FIXTURE_SETUP(channel)
{
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->page = sysconf(_SC_PAGESIZE);
	self->size = 2 * self->page;
	self->w = end_make(self->dev, W, self->size);
	ASSERT_LE(0, self->w);
	self->id = box_id(self->w);
	self->r = box_open_id(self->dev, self->id, R);
	ASSERT_LE(0, self->r);
	ASSERT_EQ(0, end_map(&self->producer, self->w, 1));
	ASSERT_EQ(0, end_map(&self->consumer, self->r, 0));
}

FIXTURE_TEARDOWN(channel)
{
	if (self->producer.fd >= 0)
		end_close(&self->producer);
	if (self->consumer.fd >= 0)
		end_close(&self->consumer);
	close(self->dev);
}

static void leave(struct end *end)
{
	end_close(end);
	end->fd = -1;
}

static int put(struct end *end, __u32 number)
{
	return end_send(end, &number, sizeof(number), 0);
}

static int get(struct end *end, __u32 *number)
{
	return end_receive(end, number, sizeof(*number), 0);
}

/*
 * Ends
 */

TEST_F(channel, each_end_has_one_handle)
{
	int m;

	EXPECT_EQ(-EBUSY, box_open_id(self->dev, self->id, R));
	EXPECT_EQ(-EBUSY, box_open_id(self->dev, self->id, W));
	EXPECT_EQ(-EINVAL, box_open_id(self->dev, self->id, R | W));
	EXPECT_EQ(-EINVAL, end_make(self->dev, R | W, 0));
	m = box_open_id(self->dev, self->id, M);
	EXPECT_LE(0, m);
	close(m);
	/* A descriptor is not all of it. */
	close(self->r);
	EXPECT_EQ(-EBUSY, box_open_id(self->dev, self->id, R));
	end_unmap(&self->consumer);
	self->r = box_open_id(self->dev, self->id, R);
	ASSERT_LE(0, self->r);
	ASSERT_EQ(0, end_map(&self->consumer, self->r, 0));
	EXPECT_EQ(0, put(&self->producer, 7));
}

TEST_F(channel, a_size_is_a_power_of_two)
{
	static const __u64 bad[] = {
		1, 8, 2048, 3 * 4096, 4096 + 1, 1ull << 31, 1ull << 32,
		1ull << 63, (1ull << 32) + 4096, -4096ull,
	};
	struct ipcbox_info before, now;
	struct ipcbox_stat stat;
	unsigned int i;
	int fd;

	ASSERT_EQ(0, box_info(self->dev, &before));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		fd = end_make(self->dev, W, bad[i]);
		EXPECT_EQ(bad[i] > before.user_mapped_bytes ? -EDQUOT : -EINVAL,
			  fd)
			TH_LOG("size %llu", bad[i]);
	}
	fd = end_make(self->dev, W, self->page);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, box_stat(fd, &stat));
	EXPECT_EQ(self->page, stat.mapped_bytes);
	EXPECT_EQ(self->page - 8, stat.max_message_bytes);
	close(fd);
	fd = end_make(self->dev, W, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, box_stat(fd, &stat));
	EXPECT_EQ(256 * 1024, stat.mapped_bytes);
	close(fd);
	ASSERT_EQ(0, box_info(self->dev, &now));
	EXPECT_EQ(before.user_mapped_bytes_used, now.user_mapped_bytes_used);
}

TEST_F(channel, nothing_else_can_be_asked_of_one)
{
	struct ipcbox_create create;
	unsigned int i;

	for (i = 0; i < 6; i++) {
		memset(&create, 0, sizeof(create));
		create.kind = IPCBOX_CHANNEL;
		create.mode = 0600;
		create.rights = W;
		switch (i) {
		case 0:
			create.max_messages = 1;
			break;
		case 1:
			create.max_bytes = 4096;
			break;
		case 2:
			create.max_message_bytes = 1;
			break;
		case 3:
			create.semaphores = 1;
			break;
		case 4:
			create.max_descriptors = 1;
			break;
		case 5:
			create.flags = IPCBOX_CREATE_STREAM;
			break;
		}
		EXPECT_EQ(-EINVAL, box_create(self->dev, &create))
			TH_LOG("case %u", i);
	}
}

TEST_F(channel, it_is_no_queue)
{
	struct ipcbox_set set = {
		.mask = IPCBOX_SET_MAX_BYTES,
		.max_bytes = 4096,
	};
	char byte = 0;
	int m;

	EXPECT_EQ(-ENOTTY, box_put(self->w, 1));
	EXPECT_GT(0, write(self->w, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_GT(0, read(self->r, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_GT(0, fcntl(self->r, F_SETFL, O_ASYNC));
	EXPECT_EQ(EOPNOTSUPP, errno);
	m = box_open_id(self->dev, self->id, M);
	ASSERT_LE(0, m);
	EXPECT_EQ(-EOPNOTSUPP, box_set(m, &set));
	EXPECT_EQ(0, box_set_mode(m, 0640));
	EXPECT_EQ(0, box_poll(m));
	close(m);
}

TEST_F(channel, memory_is_charged_and_given_back)
{
	struct ipcbox_info before, with, after;
	int fd;

	ASSERT_EQ(0, box_info(self->dev, &before));
	fd = end_make(self->dev, R, 1 << 20);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, box_info(self->dev, &with));
	EXPECT_EQ(before.user_mapped_bytes_used + (1 << 20),
		  with.user_mapped_bytes_used);
	close(fd);
	ASSERT_EQ(0, box_info(self->dev, &after));
	EXPECT_EQ(before.user_mapped_bytes_used, after.user_mapped_bytes_used);
	EXPECT_EQ(before.user_objects_used, after.user_objects_used);
}

/*
 * Who may write what
 */

static int try_map(int fd, size_t page, size_t length, int prot, int flags)
{
	void *area = mmap(NULL, length, prot, flags, fd,
			  page * sysconf(_SC_PAGESIZE));

	if (area == MAP_FAILED)
		return -errno;
	munmap(area, length);
	return 0;
}

TEST_F(channel, an_end_maps_the_others_part_for_reading_only)
{
	const int rw = PROT_READ | PROT_WRITE;
	size_t page = self->page;

	EXPECT_EQ(0, try_map(self->r, 0, page, rw, MAP_SHARED));
	EXPECT_EQ(0, try_map(self->w, 1, page, rw, MAP_SHARED));
	EXPECT_EQ(0, try_map(self->w, 2, 4 * page, rw, MAP_SHARED));
	EXPECT_EQ(0, try_map(self->w, 1, 5 * page, rw, MAP_SHARED));
	EXPECT_EQ(0, try_map(self->w, 3, page, PROT_WRITE, MAP_SHARED));
	EXPECT_EQ(0, try_map(self->w, 0, page, PROT_READ, MAP_SHARED));
	EXPECT_EQ(0, try_map(self->r, 1, 5 * page, PROT_READ, MAP_SHARED));
	EXPECT_EQ(0, try_map(self->r, 5, page, PROT_READ, MAP_SHARED));

	EXPECT_EQ(-EACCES, try_map(self->w, 0, page, rw, MAP_SHARED));
	EXPECT_EQ(-EACCES, try_map(self->w, 0, page, PROT_WRITE, MAP_SHARED));
	EXPECT_EQ(-EACCES, try_map(self->r, 1, page, rw, MAP_SHARED));
	EXPECT_EQ(-EACCES, try_map(self->r, 2, page, rw, MAP_SHARED));
	EXPECT_EQ(-EACCES, try_map(self->r, 1, 5 * page, rw, MAP_SHARED));
	EXPECT_EQ(-EACCES, try_map(self->r, 0, page, rw | PROT_EXEC,
				   MAP_SHARED));
}

TEST_F(channel, what_is_not_there_is_not_mapped)
{
	size_t page = self->page;
	int m = box_open_id(self->dev, self->id, M);

	ASSERT_LE(0, m);
	EXPECT_EQ(-EACCES, try_map(m, 0, page, PROT_READ, MAP_SHARED));
	close(m);
	/* Both sides at once. */
	EXPECT_EQ(-EINVAL, try_map(self->r, 0, 2 * page, PROT_READ,
				   MAP_SHARED));
	EXPECT_EQ(-EINVAL, try_map(self->w, 0, 6 * page, PROT_READ,
				   MAP_SHARED));
	/* Beyond the end. */
	EXPECT_EQ(-EINVAL, try_map(self->r, 6, page, PROT_READ, MAP_SHARED));
	EXPECT_EQ(-EINVAL, try_map(self->r, 5, 2 * page, PROT_READ,
				   MAP_SHARED));
	EXPECT_EQ(-EINVAL, try_map(self->w, 1, 6 * page, PROT_READ,
				   MAP_SHARED));
	EXPECT_EQ(-EINVAL, try_map(self->w, 1000000, page, PROT_READ,
				   MAP_SHARED));
	/* A copy would not be the channel. */
	EXPECT_EQ(-EINVAL, try_map(self->r, 0, page, PROT_READ, MAP_PRIVATE));
	EXPECT_EQ(-EINVAL, try_map(self->r, 2, page, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE));
}

/* Every way that comes to mind from a mapping for reading to a change. */
static int change(void *area, size_t page)
{
	static char byte = 0x55;
	struct iovec local = { .iov_base = &byte, .iov_len = 1 };
	struct iovec remote = { .iov_base = area, .iov_len = 1 };
	void *more;
	int pipes[2];
	int memory;

	if (!mprotect(area, page, PROT_READ | PROT_WRITE))
		return 1;
	if (errno != EACCES)
		return 2;
	if (!mprotect(area, page, PROT_READ | PROT_EXEC))
		return 3;
	/* A second view of the same, moved, and tried again. */
	more = mremap(area, 0, page, MREMAP_MAYMOVE);
	if (more != MAP_FAILED) {
		if (!mprotect(more, page, PROT_READ | PROT_WRITE))
			return 4;
		munmap(more, page);
	}
	/* Further than it goes. */
	more = mremap(area, page, 64 * page, MREMAP_MAYMOVE);
	if (more != MAP_FAILED)
		return 5;
	memory = open("/proc/self/mem", O_RDWR);
	if (memory < 0)
		return 6;
	if (pwrite(memory, &byte, 1, (uintptr_t)area) == 1)
		return 7;
	close(memory);
	if (process_vm_writev(getpid(), &local, 1, &remote, 1, 0) == 1)
		return 8;
	/* The kernel does not write there for us. */
	if (pipe(pipes) || write(pipes[1], &byte, 1) != 1)
		return 9;
	if (read(pipes[0], area, 1) == 1 || errno != EFAULT)
		return 10;
	close(pipes[0]);
	close(pipes[1]);
	return 0;
}

TEST_F(channel, a_mapping_for_reading_never_becomes_writable)
{
	unsigned char *areas[] = {
		(void *)self->consumer.other, self->consumer.data,
		self->consumer.data + self->size, (void *)self->producer.other,
	};
	unsigned int i;
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(areas); i++) {
		void *area = (void *)areas[i];

		EXPECT_EQ(0, change(area, self->page))
			TH_LOG("area %u", i);
		pid = box_fork();
		if (!pid)
			_exit(change(area, self->page));
		EXPECT_EQ(0, box_wait(pid))
			TH_LOG("area %u, in a child", i);
		EXPECT_EQ(0, *areas[i]);
		/* The direct way ends the process. */
		pid = box_fork();
		if (!pid) {
			signal(SIGSEGV, SIG_DFL);
			__atomic_store_n(areas[i], 1, __ATOMIC_RELAXED);
			_exit(0);
		}
		EXPECT_EQ(BOX_KILLED(SIGSEGV), box_wait(pid));
	}
}

TEST_F(channel, pages_cannot_be_exchanged)
{
	pid_t pid = box_fork();

	/*
	 * The old way to map another part of the file in the same place; what
	 * was there is gone, even when that fails.
	 */
	if (!pid) {
		CHECK_EQ(-1, syscall(SYS_remap_file_pages, self->consumer.own,
				     self->page, 0,
				     IPCBOX_CHANNEL_PRODUCER_PAGE, 0));
		CHECK_EQ(-1, syscall(SYS_remap_file_pages, self->producer.own,
				     self->page, 0,
				     IPCBOX_CHANNEL_CONSUMER_PAGE, 0));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(pid));
	EXPECT_EQ(0, put(&self->producer, 1));
	EXPECT_EQ(16, self->producer.own->position);
	EXPECT_EQ(0, self->producer.other->position);
}

TEST_F(channel, the_data_is_there_twice_in_a_row)
{
	unsigned char *to = self->producer.data;
	unsigned char *from = self->consumer.data;
	size_t i;

	for (i = 0; i < 2 * self->size; i++) {
		to[i] = i + 1;
		EXPECT_EQ(to[i], to[(i + self->size) % (2 * self->size)]);
		EXPECT_EQ(to[i], from[i]);
		EXPECT_EQ(to[i], from[(i + self->size) % (2 * self->size)]);
	}
}

TEST_F(channel, mappings_are_counted)
{
	struct ipcbox_stat stat;
	pid_t pid;

	ASSERT_EQ(0, box_stat(self->w, &stat));
	EXPECT_EQ(4, stat.mappings);
	pid = box_fork();
	if (!pid) {
		CHECK_EQ(0, box_stat(self->w, &stat));
		CHECK_EQ(8, stat.mappings);
		/* In two. */
		munmap(self->producer.data, self->page);
		CHECK_EQ(0, box_stat(self->w, &stat));
		CHECK_EQ(9, stat.mappings);
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(pid));
	ASSERT_EQ(0, box_stat(self->w, &stat));
	EXPECT_EQ(4, stat.mappings);
	leave(&self->consumer);
	ASSERT_EQ(0, box_stat(self->w, &stat));
	EXPECT_EQ(2, stat.mappings);
	EXPECT_EQ(0, stat.receive_handles);
	EXPECT_EQ(1, stat.send_handles);
}

/*
 * Messages
 */

TEST_F(channel, messages_of_every_length_arrive_whole)
{
	__u32 longest = self->size - 8;
	unsigned char *sent = malloc(longest);
	unsigned char *seen = malloc(longest);
	__u32 length;

	ASSERT_TRUE(sent && seen);
	for (length = 0; length <= longest; length += length < 300 ? 1 : 97) {
		box_fill(sent, length, length);
		ASSERT_EQ(0, end_send(&self->producer, sent, length, 0));
		ASSERT_EQ(length, end_receive(&self->consumer, seen, longest,
					      0));
		ASSERT_TRUE(box_filled(seen, length, length))
			TH_LOG("length %u", length);
	}
	box_fill(sent, longest, 1);
	EXPECT_EQ(0, end_send(&self->producer, sent, longest, 0));
	EXPECT_EQ(-EAGAIN, put(&self->producer, 1));
	EXPECT_EQ(longest, end_receive(&self->consumer, seen, longest, 0));
	EXPECT_TRUE(box_filled(seen, longest, 1));
	EXPECT_EQ(-EAGAIN, end_receive(&self->consumer, seen, longest, 0));
	EXPECT_EQ(-EMSGSIZE, end_send(&self->producer, sent, longest + 1, 0));
	EXPECT_EQ(-EMSGSIZE, end_send(&self->producer, sent, -1, 0));
	free(sent);
	free(seen);
}

TEST_F(channel, positions_wrap)
{
	__u32 start = -4096u;
	__u32 number;
	__u32 i;

	/* As if nearly four gigabytes had passed. */
	self->producer.own->position = start;
	self->consumer.own->position = start;
	ASSERT_EQ(0, ipcbox_ring_init(&self->producer.ring, self->producer.own,
				      self->producer.other, self->producer.data,
				      self->size, 1, 0));
	ASSERT_EQ(0, ipcbox_ring_init(&self->consumer.ring, self->consumer.own,
				      self->consumer.other, self->consumer.data,
				      self->size, 0, 0));
	for (i = 0; i < 1000; i++) {
		ASSERT_EQ(0, put(&self->producer, i));
		ASSERT_EQ(0, put(&self->producer, ~i));
		EXPECT_EQ(IN, box_poll(self->r));
		ASSERT_EQ(4, get(&self->consumer, &number));
		ASSERT_EQ(i, number);
		ASSERT_EQ(4, get(&self->consumer, &number));
		ASSERT_EQ(~i, number);
		EXPECT_EQ(0, box_poll(self->r));
		EXPECT_EQ(OUT, box_poll(self->w));
	}
	EXPECT_LT(self->producer.own->position, start);
}

TEST_F(channel, stat_tells_what_is_there)
{
	struct ipcbox_stat stat;

	ASSERT_EQ(0, put(&self->producer, 1));
	ASSERT_EQ(0, put(&self->producer, 2));
	ASSERT_EQ(0, box_stat(self->r, &stat));
	EXPECT_EQ(IPCBOX_CHANNEL, stat.kind);
	EXPECT_EQ(32, stat.bytes);
	EXPECT_EQ(self->size, stat.max_bytes);
	EXPECT_EQ(self->size, stat.mapped_bytes);
	/* Nonsense is not passed on. */
	self->producer.own->position = 0x7fffffff;
	ASSERT_EQ(0, box_stat(self->r, &stat));
	EXPECT_EQ(0, stat.bytes);
}

/*
 * Sleeping
 */

TEST_F(channel, wait_ends_as_it_says)
{
	__u32 position = 99;
	int m = box_open_id(self->dev, self->id, M);

	ASSERT_LE(0, m);
	EXPECT_EQ(-EACCES, end_wait(m, 0, &position, IPCBOX_FOREVER));
	EXPECT_EQ(-EACCES, end_wake(m));
	close(m);
	EXPECT_EQ(-EINVAL, end_await(&self->consumer, 0, &position,
				     (1ull << 63) + 1));
	EXPECT_EQ(-ETIMEDOUT, end_await(&self->consumer, 8, &position, 1));
	EXPECT_EQ(-ETIMEDOUT, end_await(&self->consumer, 8, &position,
					box_in_ms(20)));
	EXPECT_EQ(99, position);
	/* Reached already: half the numbers are before zero. */
	EXPECT_EQ(0, end_await(&self->consumer, 0, &position, 1));
	EXPECT_EQ(0, position);
	EXPECT_EQ(0, end_await(&self->consumer, -8, &position, 1));
	EXPECT_EQ(-ETIMEDOUT, end_await(&self->consumer, 0x7ffffff8, &position, 1));
	ASSERT_EQ(0, put(&self->producer, 1));
	EXPECT_EQ(0, end_await(&self->consumer, 8, &position, 1));
	EXPECT_EQ(16, position);
	EXPECT_EQ(0, fcntl(self->r, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, end_await(&self->consumer, 24, &position, IPCBOX_FOREVER));
	EXPECT_EQ(0, end_await(&self->consumer, 16, &position, IPCBOX_FOREVER));
}

static void nothing(int signal)
{
}

TEST_F(channel, a_signal_ends_a_wait)
{
	struct sigaction action = { .sa_handler = nothing };
	__u32 position;
	pid_t pid;

	pid = box_fork();
	if (!pid) {
		sigaction(SIGUSR1, &action, NULL);
		CHECK_EQ(-EINTR, end_await(&self->consumer, 8, &position,
					   IPCBOX_FOREVER));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_receivers(self->w, 1));
	kill(pid, SIGUSR1);
	EXPECT_EQ(0, box_wait(pid));
	EXPECT_EQ(0, box_await_receivers(self->w, 0));
}

TEST_F(channel, a_consumer_that_sleeps_is_woken)
{
	__u32 number;
	pid_t pid;

	pid = box_fork();
	if (!pid) {
		CHECK_EQ(4, end_receive(&self->consumer, &number,
					sizeof(number), IPCBOX_FOREVER));
		CHECK_EQ(42, number);
		_exit(0);
	}
	ASSERT_EQ(0, box_await_receivers(self->w, 1));
	EXPECT_EQ(0, put(&self->producer, 42));
	EXPECT_EQ(0, box_wait(pid));
	/* Once. */
	EXPECT_EQ(0, self->producer.other->attention & IPCBOX_CHANNEL_SLEEPS);
}

TEST_F(channel, a_producer_that_sleeps_is_woken_when_there_is_room)
{
	char *data = calloc(1, self->size);
	__u32 number;
	__u32 sent;
	pid_t pid;

	for (sent = 0; !put(&self->producer, sent); sent++)
		;
	EXPECT_EQ(self->size / 16, sent);
	pid = box_fork();
	if (!pid) {
		/* Room of a quarter. */
		CHECK_EQ(0, end_send(&self->producer, data, self->size / 4 - 8,
				     IPCBOX_FOREVER));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_senders(self->r, 1));
	for (number = 0; number < self->size / 4 / 16 - 1; number++) {
		EXPECT_EQ(4, get(&self->consumer, &sent));
		EXPECT_EQ(number, sent);
	}
	EXPECT_NE(0, self->consumer.other->attention & IPCBOX_CHANNEL_SLEEPS);
	EXPECT_EQ(0, box_await_senders(self->r, 1));
	EXPECT_EQ(4, get(&self->consumer, &sent));
	EXPECT_EQ(0, box_wait(pid));
	free(data);
}

TEST_F(channel, a_wake_ends_a_wait_whatever_the_position)
{
	__u32 position = 0;
	pid_t pid;

	pid = box_fork();
	if (!pid) {
		CHECK_EQ(0, end_await(&self->consumer, 1000, &position,
				      IPCBOX_FOREVER));
		CHECK_EQ(0, position);
		_exit(0);
	}
	ASSERT_EQ(0, box_await_receivers(self->w, 1));
	EXPECT_EQ(0, end_wake(self->w));
	EXPECT_EQ(0, box_wait(pid));
	/* One that came too early counts. */
	ipcbox_ring_sleep(&self->consumer.ring, 1000);
	EXPECT_EQ(0, end_wake(self->w));
	EXPECT_EQ(0, end_wait(self->r, 1000, &position, IPCBOX_FOREVER));
	EXPECT_EQ(0, position);
}

TEST_F(channel, two_processes_pass_many_messages)
{
	const __u32 count = 20000;
	__u32 number[64];
	__u32 i;
	pid_t pid;

	pid = box_fork();
	if (!pid) {
		for (i = 0; i < count; i++) {
			memset(number, 0, sizeof(number));
			number[0] = i;
			CHECK_EQ(0, end_send(&self->producer, number,
					     4 + i % 253, IPCBOX_FOREVER));
		}
		_exit(0);
	}
	for (i = 0; i < count; i++) {
		ASSERT_EQ(4 + i % 253, end_receive(&self->consumer, number,
						   sizeof(number),
						   IPCBOX_FOREVER));
		ASSERT_EQ(i, number[0]);
	}
	EXPECT_EQ(0, box_wait(pid));
}

/*
 * The end of an end
 */

TEST_F(channel, an_end_that_closes_wakes_the_other_at_once)
{
	__u32 number;
	pid_t pid;

	pid = box_fork();
	if (!pid) {
		end_close(&self->producer);
		CHECK_EQ(-EPIPE, end_receive(&self->consumer, &number,
					     sizeof(number), IPCBOX_FOREVER));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_receivers(self->w, 1));
	leave(&self->producer);
	EXPECT_EQ(0, box_wait(pid));
	EXPECT_EQ(-EPIPE, get(&self->consumer, &number));
}

TEST_F(channel, a_mapping_keeps_an_end)
{
	__u32 position;
	__u32 number;

	close(self->w);
	EXPECT_EQ(0, put(&self->producer, 5));
	EXPECT_EQ(4, get(&self->consumer, &number));
	EXPECT_EQ(-ETIMEDOUT, end_await(&self->consumer, 1000, &position, 1));
	EXPECT_EQ(0, box_poll(self->r));
	end_unmap(&self->producer);
	self->producer.fd = -1;
	EXPECT_EQ(-EPIPE, end_await(&self->consumer, 1000, &position, 1));
	EXPECT_EQ(POLLHUP, box_poll(self->r));
	EXPECT_EQ(-EPIPE, get(&self->consumer, &number));
}

TEST_F(channel, what_was_published_is_read_before_the_end)
{
	__u32 number;
	__u32 i;
	pid_t pid;

	pid = box_fork();
	if (!pid) {
		for (i = 0; i < 10; i++)
			CHECK_EQ(0, put(&self->producer, i));
		/* Not published: it never was. */
		memset(self->producer.data + 160, 0xff, 64);
		kill(getpid(), SIGKILL);
	}
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(pid));
	leave(&self->producer);
	EXPECT_EQ(IN | POLLHUP, box_poll(self->r));
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(4, get(&self->consumer, &number));
		EXPECT_EQ(i, number);
	}
	EXPECT_EQ(-EPIPE, get(&self->consumer, &number));
	EXPECT_EQ(POLLHUP, box_poll(self->r));
}

TEST_F(channel, a_producer_learns_of_the_consumers_end)
{
	struct ipcbox_stat stat;
	pid_t pid;

	while (!put(&self->producer, 1))
		;
	pid = box_fork();
	if (!pid) {
		end_close(&self->consumer);
		CHECK_EQ(-EPIPE, end_send(&self->producer, "x", 1,
					  IPCBOX_FOREVER));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_senders(self->r, 1));
	leave(&self->consumer);
	EXPECT_EQ(0, box_wait(pid));
	EXPECT_EQ(-EPIPE, put(&self->producer, 1));
	EXPECT_EQ(POLLHUP, box_poll(self->w));
	ASSERT_EQ(0, box_stat(self->w, &stat));
	EXPECT_EQ(0, stat.receive_handles);
}

TEST_F(channel, an_end_that_was_not_there_yet_is_awaited)
{
	__u32 position;
	int w = end_make(self->dev, W, self->page);
	struct end end;
	int r, m;

	ASSERT_LE(0, w);
	ASSERT_EQ(0, end_map(&end, w, 1));
	EXPECT_EQ(0, put(&end, 1));
	EXPECT_EQ(OUT, box_poll(w));
	EXPECT_EQ(-ETIMEDOUT, end_await(&end, 8, &position, 1));
	/* Unless none can come any more. */
	EXPECT_EQ(0, box_unlink_id(self->dev, box_id(w)));
	EXPECT_EQ(-EPIPE, put(&end, 1));
	EXPECT_EQ(-EPIPE, end_await(&end, 8, &position, 1));
	EXPECT_EQ(POLLHUP, box_poll(w));
	end_close(&end);

	/* Others that came and went do not change that. */
	m = end_make(self->dev, M, self->page);
	ASSERT_LE(0, m);
	close(box_open_id(self->dev, box_id(m), W));
	w = box_open_id(self->dev, box_id(m), W);
	ASSERT_EQ(0, end_map(&end, w, 1));
	EXPECT_EQ(-ETIMEDOUT, end_await(&end, 8, &position, 1));
	EXPECT_EQ(OUT, box_poll(w));
	end_close(&end);
	close(m);

	r = end_make(self->dev, R, self->page);
	ASSERT_LE(0, r);
	ASSERT_EQ(0, end_map(&end, r, 0));
	EXPECT_EQ(-ETIMEDOUT, end_await(&end, 8, &position, 1));
	EXPECT_EQ(0, box_unlink_id(self->dev, box_id(r)));
	EXPECT_EQ(-EPIPE, end_await(&end, 8, &position, 1));
	end_close(&end);
}

TEST_F(channel, unlinking_does_not_part_the_ends)
{
	__u32 number;

	EXPECT_EQ(0, box_unlink_id(self->dev, self->id));
	EXPECT_EQ(0, put(&self->producer, 3));
	EXPECT_EQ(4, get(&self->consumer, &number));
	EXPECT_EQ(-EAGAIN, get(&self->consumer, &number));
	leave(&self->producer);
	EXPECT_EQ(-EPIPE, get(&self->consumer, &number));
}

TEST_F(channel, another_end_may_come_and_goes_on)
{
	__u32 number;

	EXPECT_EQ(0, put(&self->producer, 1));
	leave(&self->producer);
	EXPECT_EQ(4, get(&self->consumer, &number));
	EXPECT_EQ(-EPIPE, get(&self->consumer, &number));
	self->w = box_open_id(self->dev, self->id, W);
	ASSERT_LE(0, self->w);
	ASSERT_EQ(0, end_map(&self->producer, self->w, 1));
	EXPECT_EQ(0, self->consumer.other->attention);
	EXPECT_EQ(-EAGAIN, get(&self->consumer, &number));
	EXPECT_EQ(0, put(&self->producer, 2));
	EXPECT_EQ(4, get(&self->consumer, &number));
	EXPECT_EQ(2, number);
	EXPECT_EQ(32, self->producer.own->position);
}

TEST_F(channel, a_persistent_one_keeps_messages_for_the_next_end)
{
	char name[BOX_NAME_SIZE];
	__u32 position;
	__u32 number;
	struct end end;
	int fd;

	box_name(name, "kept");
	fd = box_make_named(self->dev, IPCBOX_CHANNEL, W,
			    IPCBOX_CREATE_PERSISTENT, name);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, end_map(&end, fd, 1));
	EXPECT_EQ(0, put(&end, 11));
	EXPECT_EQ(0, put(&end, 12));
	end_close(&end);

	fd = box_open_name(self->dev, name, R);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, end_map(&end, fd, 0));
	EXPECT_EQ(4, get(&end, &number));
	EXPECT_EQ(11, number);
	end_close(&end);

	fd = box_open_name(self->dev, name, R);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, end_map(&end, fd, 0));
	EXPECT_EQ(4, get(&end, &number));
	EXPECT_EQ(12, number);
	/* The producer may come back. */
	EXPECT_EQ(-EAGAIN, get(&end, &number));
	EXPECT_EQ(-ETIMEDOUT, end_await(&end, 1000, &position, 1));
	EXPECT_EQ(0, box_unlink_name(self->dev, name));
	EXPECT_EQ(-EPIPE, get(&end, &number));
	end_close(&end);
}

TEST_F(channel, what_hostile_ends_left_is_made_good_when_both_are_gone)
{
	char name[BOX_NAME_SIZE];
	struct end end;
	int fd;

	box_name(name, "left");
	fd = box_make_named(self->dev, IPCBOX_CHANNEL, R,
			    IPCBOX_CREATE_PERSISTENT, name);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, end_map(&end, fd, 0));
	end.own->position = 12345;
	end.own->attention = -1;
	end.own->wanted = 77;
	end_close(&end);
	fd = box_open_name(self->dev, name, R);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, end_map(&end, fd, 0));
	EXPECT_EQ(0, end.own->position);
	EXPECT_EQ(0, end.own->attention);
	EXPECT_EQ(0, end.own->wanted);
	end_close(&end);
	EXPECT_EQ(0, box_unlink_name(self->dev, name));
}

/*
 * poll
 */

TEST_F(channel, poll_tells_of_messages_and_room)
{
	char *data = calloc(1, self->size);
	__u32 number;

	EXPECT_EQ(0, box_poll(self->r));
	EXPECT_EQ(OUT, box_poll(self->w));
	EXPECT_EQ(0, put(&self->producer, 1));
	EXPECT_EQ(IN, box_poll(self->r));
	EXPECT_EQ(OUT, box_poll(self->w));
	EXPECT_EQ(4, get(&self->consumer, &number));
	EXPECT_EQ(0, box_poll(self->r));
	/* Half of it, exactly, and eight bytes more. */
	EXPECT_EQ(0, end_send(&self->producer, data, self->size / 2 - 8, 0));
	EXPECT_EQ(OUT, box_poll(self->w));
	EXPECT_EQ(0, end_send(&self->producer, data, 0, 0));
	EXPECT_EQ(0, box_poll(self->w));
	EXPECT_EQ(self->size / 2 - 8, end_receive(&self->consumer, data,
						  self->size, 0));
	EXPECT_EQ(OUT, box_poll(self->w));
	EXPECT_EQ(IN, box_poll(self->r));
	free(data);
}

TEST_F(channel, poll_is_woken)
{
	struct pollfd pollfd = { .fd = self->r, .events = POLLIN };
	__u32 *flag = box_shared(4096);
	__u32 number;
	__u32 i;
	pid_t pid;

	pid = box_fork();
	if (!pid) {
		for (i = 0; i < 200; i++) {
			pollfd.revents = 0;
			CHECK_EQ(1, poll(&pollfd, 1, -1));
			CHECK_EQ(POLLIN, pollfd.revents);
			CHECK_EQ(4, get(&self->consumer, &number));
			CHECK_EQ(i, number);
			__atomic_store_n(flag, i + 1, __ATOMIC_RELEASE);
		}
		_exit(0);
	}
	for (i = 0; i < 200; i++) {
		/* It sleeps when it has said so. */
		while (!(__atomic_load_n(&self->producer.other->attention,
					 __ATOMIC_ACQUIRE) &
			 IPCBOX_CHANNEL_SLEEPS))
			sched_yield();
		EXPECT_EQ(0, put(&self->producer, i));
		box_await_flag(flag, i + 1);
	}
	EXPECT_EQ(0, box_wait(pid));
	EXPECT_NE(0, self->producer.other->attention & IPCBOX_CHANNEL_FENCE);
}

TEST_F(channel, poll_of_a_producer_is_woken)
{
	struct pollfd pollfd = { .fd = self->w, .events = POLLOUT };
	__u32 number;
	pid_t pid;

	while (!put(&self->producer, 1))
		;
	pid = box_fork();
	if (!pid) {
		CHECK_EQ(1, poll(&pollfd, 1, -1));
		CHECK_EQ(POLLOUT, pollfd.revents);
		_exit(0);
	}
	while (!(__atomic_load_n(&self->consumer.other->attention,
				 __ATOMIC_ACQUIRE) & IPCBOX_CHANNEL_SLEEPS))
		sched_yield();
	while (get(&self->consumer, &number) == 4)
		;
	EXPECT_EQ(0, box_wait(pid));
}

TEST_F(channel, poll_of_either_is_woken_by_the_end)
{
	struct pollfd pollfd = { .fd = self->r, .events = POLLIN };
	pid_t pid;

	pid = box_fork();
	if (!pid) {
		end_close(&self->producer);
		CHECK_EQ(1, poll(&pollfd, 1, -1));
		CHECK_EQ(POLLHUP, pollfd.revents);
		_exit(0);
	}
	while (!(__atomic_load_n(&self->producer.other->attention,
				 __ATOMIC_ACQUIRE) & IPCBOX_CHANNEL_SLEEPS))
		sched_yield();
	leave(&self->producer);
	EXPECT_EQ(0, box_wait(pid));
}

TEST_F(channel, epoll_sees_each_edge)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	__u32 number;
	__u32 i;

	ASSERT_LE(0, epoll);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->r, &event));
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(0, put(&self->producer, i));
		EXPECT_EQ(1, epoll_wait(epoll, &event, 1, 0));
		EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
		EXPECT_EQ(4, get(&self->consumer, &number));
		EXPECT_EQ(-EAGAIN, get(&self->consumer, &number));
		/* Who finds it empty asks to be told of the next. */
		ipcbox_ring_sleep(&self->consumer.ring,
				  ipcbox_ring_wanted(&self->consumer.ring, 8));
	}
	leave(&self->producer);
	EXPECT_EQ(1, epoll_wait(epoll, &event, 1, 0));
	EXPECT_NE(0, event.events & EPOLLHUP);
	close(epoll);
}

/*
 * Handing over
 */

static void give(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = { };
	char byte = 0;
	struct iovec iovec = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iovec,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	if (sendmsg(socket, &message, 0) != 1)
		abort();
}

static int take(int socket)
{
	char control[CMSG_SPACE(sizeof(int))] = { };
	char byte;
	struct iovec iovec = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iovec,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	if (recvmsg(socket, &message, 0) != 1 || !CMSG_FIRSTHDR(&message))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

TEST_F(channel, an_end_travels_over_a_unix_socket)
{
	int sockets[2];
	__u32 number;
	struct end end;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	pid = box_fork();
	if (!pid) {
		end_close(&self->producer);
		end_close(&self->consumer);
		CHECK_EQ(0, end_map(&end, take(sockets[1]), 1));
		CHECK_EQ(0, put(&end, 8));
		_exit(0);
	}
	give(sockets[0], self->w);
	leave(&self->producer);
	EXPECT_EQ(4, end_receive(&self->consumer, &number, sizeof(number),
				 IPCBOX_FOREVER));
	EXPECT_EQ(8, number);
	EXPECT_EQ(-EPIPE, end_receive(&self->consumer, &number, sizeof(number),
				      IPCBOX_FOREVER));
	EXPECT_EQ(0, box_wait(pid));
	close(sockets[0]);
	close(sockets[1]);
}

TEST_HARNESS_MAIN
