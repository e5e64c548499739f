// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors in messages: the receiver gets its own on the same open files, all
 * or none; and a message that ends in any other way leaves no file open.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <linux/io_uring.h>

#include "kselftest_harness.h"
#include "box.h"
#include "channel_end.h"
#include "region.h"

#define MOST	IPCBOX_DESCRIPTORS_MAX
#define COST	4096	/* of one in flight, to its sender's budget */

FIXTURE(descriptors)
{
	int dev;
	int fd;			/* a queue that takes them */
	int watch;		/* the reading end of a pipe */
	int sent;		/* its writing end */
};

static int make_taking(int dev, __u32 most)
{
	struct ipcbox_create create = {
		.kind = IPCBOX_QUEUE,
		.mode = 0600,
		.rights = RWM,
		.max_descriptors = most,
	};

	return box_create(dev, &create);
}

FIXTURE_SETUP(descriptors)
{
	int ends[2];

	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = make_taking(self->dev, MOST);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, pipe(ends));
	self->watch = ends[0];
	self->sent = ends[1];
}

FIXTURE_TEARDOWN(descriptors)
{
	struct ipcbox_info info;

	EXPECT_TRUE(box_adds_up(self->fd));
	close(self->fd);
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(0, info.user_bytes_used);
	close(self->dev);
	close(self->watch);
}

static int send_some(int fd, const int *descriptors, __u32 count, __u32 flags,
		     __u64 lifetime)
{
	__u32 number = 7;
	struct ipcbox_outgoing out = {
		.data = (uintptr_t)&number,
		.length = sizeof(number),
		.lifetime = lifetime,
		.descriptors = (uintptr_t)descriptors,
		.descriptor_count = count,
	};

	return box_send_many(fd, &out, 1, flags, box_in_ms(20));
}

static int send_one(int fd, int descriptor)
{
	return send_some(fd, &descriptor, 1, IPCBOX_NOWAIT, 0);
}

static int receive_some(int fd, struct ipcbox_incoming *in, int *descriptors,
			__u32 capacity, __u32 flags)
{
	static __u32 number;

	memset(in, 0, sizeof(*in));
	in->data = (uintptr_t)&number;
	in->capacity = sizeof(number);
	in->descriptors = (uintptr_t)descriptors;
	in->descriptor_capacity = capacity;
	return box_receive_many(fd, in, 1, flags | IPCBOX_NOWAIT, 0);
}

/* The writing end goes with the message; afterwards only that has it. */
static int send_away(FIXTURE_DATA(descriptors) * self, __u32 flags,
		     __u64 lifetime)
{
	int result = send_some(self->fd, &self->sent, 1, flags, lifetime);

	close(self->sent);
	return result;
}

static bool open_somewhere(int watch)
{
	struct pollfd poll_fd = { .fd = watch };

	return !poll(&poll_fd, 1, 0);
}

/* Until no descriptor and no message has the writing end. */
static void await_closed(int watch)
{
	struct pollfd poll_fd = { .fd = watch };

	while (poll(&poll_fd, 1, -1) != 1 || !(poll_fd.revents & POLLHUP))
		;
}

TEST_F(descriptors, the_receiver_gets_its_own_on_the_same_open_file)
{
	int got[MOST] = { -1, -1 };
	struct ipcbox_incoming in;
	char text[8] = "";
	int file;

	file = memfd_create("file", 0);
	ASSERT_LE(0, file);
	EXPECT_EQ(5, write(file, "hello", 5));
	EXPECT_EQ(1, lseek(file, 1, SEEK_SET));
	EXPECT_EQ(1, send_one(self->fd, file));
	EXPECT_EQ(1, receive_some(self->fd, &in, got, MOST, 0));
	EXPECT_EQ(1, in.descriptor_count);
	EXPECT_EQ(4, in.length);
	EXPECT_EQ(-1, got[1]);
	EXPECT_NE(file, got[0]);
	EXPECT_EQ(FD_CLOEXEC, fcntl(got[0], F_GETFD));
	/* The position is shared: it is the same open file description. */
	EXPECT_EQ(4, read(got[0], text, sizeof(text)));
	EXPECT_STREQ("ello", text);
	EXPECT_EQ(5, lseek(file, 0, SEEK_CUR));
	close(got[0]);
	close(file);
	close(self->sent);
}

TEST_F(descriptors, the_sender_may_close_its_own_and_die)
{
	int got = -1, status;
	struct ipcbox_incoming in;
	pid_t child = box_fork();

	if (!child)
		_exit(send_one(self->fd, self->sent));
	status = box_wait(child);
	EXPECT_EQ(1, status);
	close(self->sent);
	EXPECT_TRUE(open_somewhere(self->watch));
	EXPECT_EQ(1, receive_some(self->fd, &in, &got, 1, 0));
	EXPECT_EQ(child, in.pid);
	EXPECT_EQ(1, write(got, "x", 1));
	close(got);
	await_closed(self->watch);
}

TEST_F(descriptors, sixteen_come_in_their_order)
{
	int files[MOST], got[MOST];
	struct ipcbox_incoming in;
	struct ipcbox_info info;
	__u64 value;
	int i;

	for (i = 0; i < MOST; i++) {
		files[i] = eventfd(i + 1, EFD_NONBLOCK);
		ASSERT_LE(0, files[i]);
	}
	EXPECT_EQ(1, send_some(self->fd, files, MOST, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(4 + 128 + MOST * COST, info.user_bytes_used);
	EXPECT_EQ(1, receive_some(self->fd, &in, got, MOST, 0));
	EXPECT_EQ(MOST, in.descriptor_count);
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(0, info.user_bytes_used);
	for (i = 0; i < MOST; i++) {
		EXPECT_EQ(8, read(got[i], &value, 8));
		EXPECT_EQ(i + 1, value);
		close(got[i]);
		close(files[i]);
	}
	close(self->sent);
}

TEST_F(descriptors, a_batch_gives_each_message_its_own)
{
	struct ipcbox_incoming in[3] = { };
	__u32 number[3];
	int got[3] = { -1, -1, -1 };
	int i;

	EXPECT_EQ(1, send_one(self->fd, self->sent));
	EXPECT_EQ(1, box_put(self->fd, 8));
	EXPECT_EQ(1, send_one(self->fd, self->watch));
	for (i = 0; i < 3; i++) {
		in[i].data = (uintptr_t)&number[i];
		in[i].capacity = 4;
		in[i].descriptors = (uintptr_t)&got[i];
		in[i].descriptor_capacity = 1;
	}
	EXPECT_EQ(3, box_receive_many(self->fd, in, 3, 0, 0));
	EXPECT_EQ(1, in[0].descriptor_count);
	EXPECT_EQ(0, in[1].descriptor_count);
	EXPECT_EQ(1, in[2].descriptor_count);
	EXPECT_EQ(-1, got[1]);
	EXPECT_EQ(1, write(got[0], "x", 1));
	EXPECT_EQ(1, read(got[2], &number, 1));
	close(got[0]);
	close(got[2]);
	close(self->sent);
}

/* Refused with @error, and nothing has changed. */
static void expect_refused(struct __test_metadata *_metadata,
			   FIXTURE_DATA(descriptors) * self, int error,
			   int descriptor)
{
	int pair[2] = { self->sent, descriptor };
	struct box_snapshot before;

	EXPECT_LE(0, descriptor);
	box_snapshot(self->dev, self->fd, &before);
	EXPECT_EQ(error, send_one(self->fd, descriptor));
	EXPECT_EQ(error, send_some(self->fd, pair, 2, IPCBOX_NOWAIT, 0));
	EXPECT_TRUE(box_unchanged(self->dev, self->fd, &before));
	close(descriptor);
}

TEST_F(descriptors, files_that_can_hold_files_are_refused)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	struct io_uring_params params = { };
	int pair[2];
	size_t i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, socketpair(AF_UNIX, types[i], 0, pair));
		expect_refused(_metadata, self, -EOPNOTSUPP, pair[0]);
		close(pair[1]);
	}
	expect_refused(_metadata, self, -EOPNOTSUPP, dup(self->dev));
	expect_refused(_metadata, self, -EOPNOTSUPP, dup(self->fd));
	expect_refused(_metadata, self, -EOPNOTSUPP,
		       box_make(self->dev, IPCBOX_MAILBOX, RWM));
	expect_refused(_metadata, self, -EOPNOTSUPP,
		       syscall(__NR_io_uring_setup, 1, &params));
	close(self->sent);
	await_closed(self->watch);
}

TEST_F(descriptors, other_files_travel)
{
	int files[] = {
		memfd_create("[io_uring]", 0), epoll_create1(0), eventfd(0, 0),
		open("/", O_PATH), open("/dev/null", O_RDWR),
		open("/proc/self/status", O_RDONLY),
		syscall(__NR_pidfd_open, getpid(), 0),
	};
	int got[7];
	struct ipcbox_incoming in;
	int i;

	for (i = 0; i < 7; i++)
		EXPECT_LE(0, files[i]);
	EXPECT_EQ(1, send_some(self->fd, files, 7, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(1, receive_some(self->fd, &in, got, 7, 0));
	for (i = 0; i < 7; i++) {
		EXPECT_EQ(0, close(got[i]));
		close(files[i]);
	}
	close(self->sent);
}

/* What is mapped holds no files: its handles may go, with their rights. */
TEST_F(descriptors, handles_on_regions_and_channels_travel)
{
	size_t page = sysconf(_SC_PAGESIZE);
	int region = region_make(self->dev, NULL, RWM, page, 1);
	int files[2], got[2];
	struct ipcbox_incoming in;
	__u32 position, *memory;
	struct end consumer;
	__u64 id;

	files[0] = box_open_id(self->dev, box_id(region), R);
	files[1] = end_make(self->dev, W, page);
	ASSERT_LE(0, files[1]);
	id = box_id(files[1]);
	ASSERT_EQ(0, end_map(&consumer, box_open_id(self->dev, id, R), 0));
	EXPECT_EQ(1, send_some(self->fd, files, 2, IPCBOX_NOWAIT, 0));
	close(files[0]);
	close(files[1]);
	/* In the message it is there as in a process. */
	EXPECT_EQ(-EBUSY, box_open_id(self->dev, id, W));
	EXPECT_EQ(0, box_poll(consumer.fd));
	EXPECT_EQ(1, receive_some(self->fd, &in, got, 2, 0));
	ASSERT_EQ(2, in.descriptor_count);
	memory = region_map(got[0], page, PROT_READ);
	ASSERT_NE(NULL, memory);
	EXPECT_EQ(EACCES, region_map_error(got[0], page, PROT_READ | PROT_WRITE,
					   MAP_SHARED, 0));
	EXPECT_EQ(0, sem_now(region, 0, 1, 0));
	EXPECT_EQ(1, sem_value(got[0], 0));
	EXPECT_EQ(0, end_wake(got[1]));

	/* It goes with the last of them, and the other end is told. */
	EXPECT_EQ(1, send_some(self->fd, &got[1], 1, IPCBOX_NOWAIT, 0));
	close(got[1]);
	EXPECT_EQ(-ETIMEDOUT, end_await(&consumer, 8, &position, 1));
	close(self->fd);
	EXPECT_EQ(-EPIPE, end_await(&consumer, 8, &position, IPCBOX_FOREVER));
	self->fd = make_taking(self->dev, MOST);
	end_close(&consumer);
	munmap(memory, page);
	close(got[0]);
	close(region);
	close(self->sent);
}

TEST_F(descriptors, bad_requests_have_no_effect)
{
	int many[MOST + 1], i;
	struct box_snapshot before;
	struct ipcbox_outgoing out = {
		.descriptors = (uintptr_t)many,
		.descriptor_count = 1,
		.pad = 1,
	};
	int closed = dup(self->sent);

	close(closed);
	for (i = 0; i <= MOST; i++)
		many[i] = self->sent;
	box_snapshot(self->dev, self->fd, &before);
	EXPECT_EQ(-EBADF, send_one(self->fd, closed));
	EXPECT_EQ(-EBADF, send_one(self->fd, -1));
	EXPECT_EQ(-EINVAL,
		  send_some(self->fd, many, MOST + 1, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(-EFAULT, send_some(self->fd, box_edge(0), 1, 0, 0));
	EXPECT_EQ(-EFAULT, send_some(self->fd, box_edge(4), 2, 0, 0));
	EXPECT_EQ(-EINVAL, box_send_many(self->fd, &out, 1, 0, 0));
	/* What is refused counts as such only where the object refuses. */
	EXPECT_TRUE(box_unchanged(self->dev, self->fd, &before));
	close(self->sent);
	await_closed(self->watch);
}

TEST_F(descriptors, the_object_says_how_many_it_takes)
{
	struct ipcbox_set set = { .mask = IPCBOX_SET_MAX_DESCRIPTORS };
	struct ipcbox_create stream = {
		.kind = IPCBOX_QUEUE,
		.flags = IPCBOX_CREATE_STREAM,
		.rights = RWM,
		.max_descriptors = 1,
	};
	int three[3] = { self->sent, self->sent, self->sent };
	int none = box_make(self->dev, IPCBOX_QUEUE, RWM);
	struct ipcbox_stat stat;

	EXPECT_EQ(0, box_stat(none, &stat));
	EXPECT_EQ(0, stat.max_descriptors);
	EXPECT_EQ(-EOPNOTSUPP, send_one(none, self->sent));
	set.max_descriptors = 2;
	EXPECT_EQ(0, box_set(none, &set));
	EXPECT_EQ(0, box_stat(none, &stat));
	EXPECT_EQ(2, stat.max_descriptors);
	EXPECT_EQ(-EMSGSIZE, send_some(none, three, 3, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(1, send_some(none, three, 2, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(0, box_stat(none, &stat));
	EXPECT_EQ(1, stat.messages);
	set.max_descriptors = MOST + 1;
	EXPECT_EQ(-EINVAL, box_set(none, &set));
	EXPECT_EQ(-EINVAL, make_taking(self->dev, MOST + 1));
	EXPECT_EQ(-EINVAL, box_create(self->dev, &stream));
	/* A file may hold the namespace that holds the object: a circle. */
	stream.flags = IPCBOX_CREATE_PERSISTENT;
	EXPECT_EQ(-EINVAL, box_create(self->dev, &stream));
	stream.max_descriptors = 0;
	close(none);
	none = box_create(self->dev, &stream);
	EXPECT_LE(0, none);
	set.max_descriptors = 1;
	EXPECT_EQ(-EINVAL, box_set(none, &set));
	EXPECT_EQ(0, box_unlink_id(self->dev, box_id(none)));
	stream.flags = IPCBOX_CREATE_STREAM;
	close(none);
	none = box_create(self->dev, &stream);
	EXPECT_LE(0, none);
	set.max_descriptors = 1;
	EXPECT_EQ(-EINVAL, box_set(none, &set));
	close(none);
	close(self->sent);
	await_closed(self->watch);
}

TEST_F(descriptors, too_little_room_leaves_the_message_in_place)
{
	int two[2] = { self->sent, self->watch };
	int got[2] = { -1, -1 };
	struct ipcbox_incoming in;
	struct ipcbox_stat stat;
	char byte[4];
	int before = box_descriptors();

	EXPECT_EQ(1, send_some(self->fd, two, 2, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(-EMSGSIZE, receive_some(self->fd, &in, got, 1, 0));
	EXPECT_EQ(2, in.descriptor_count);
	EXPECT_EQ(4, in.length);
	EXPECT_EQ(-EMSGSIZE, receive_some(self->fd, &in, got, 0, 0));
	EXPECT_EQ(-1, read(self->fd, byte, sizeof(byte)));
	EXPECT_EQ(EMSGSIZE, errno);
	EXPECT_EQ(before, box_descriptors());
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(1, stat.messages);
	EXPECT_EQ(0, stat.received);
	EXPECT_EQ(1, receive_some(self->fd, &in, got, 2, 0));
	EXPECT_EQ(before + 2, box_descriptors());
	close(got[0]);
	close(got[1]);
	close(self->sent);
}

/* Waits with room for @capacity; its status is the error. */
static pid_t fork_receiver(FIXTURE_DATA(descriptors) * self, __u32 capacity)
{
	struct ipcbox_incoming in = { };
	pid_t child = box_fork();
	int got[2], ret;

	if (child)
		return child;
	in.descriptors = (uintptr_t)got;
	in.descriptor_capacity = capacity;
	in.data = (uintptr_t)&ret;
	in.capacity = sizeof(ret);
	ret = box_receive_many(self->fd, &in, 1, 0, IPCBOX_FOREVER);
	CHECK_EQ(2, in.descriptor_count);
	_exit(ret == 1 ? 0 : -ret);
}

TEST_F(descriptors, a_waiting_receiver_without_room_is_told_and_the_next_is_served)
{
	int two[2] = { self->sent, self->sent };
	pid_t narrow, wide;

	narrow = fork_receiver(self, 1);
	ASSERT_EQ(0, box_await_receivers(self->fd, 1));
	wide = fork_receiver(self, 2);
	ASSERT_EQ(0, box_await_receivers(self->fd, 2));
	EXPECT_EQ(1, send_some(self->fd, two, 2, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(EMSGSIZE, box_wait(narrow));
	EXPECT_EQ(0, box_wait(wide));
	close(self->sent);
	await_closed(self->watch);
}

TEST_F(descriptors, at_the_limit_of_descriptors_none_is_installed)
{
	int three[3] = { self->sent, self->sent, self->sent };
	struct rlimit limit, tight;
	struct ipcbox_incoming in;
	struct ipcbox_stat stat;
	int got[3], before;

	EXPECT_EQ(1, send_some(self->fd, three, 3, IPCBOX_NOWAIT, 0));
	before = box_descriptors();
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	tight = limit;
	tight.rlim_cur = dup(0) + 2;
	close(tight.rlim_cur - 2);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &tight));
	EXPECT_EQ(-EMFILE, receive_some(self->fd, &in, got, 3, 0));
	EXPECT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(before, box_descriptors());
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(1, stat.messages);
	EXPECT_EQ(0, stat.received);
	EXPECT_EQ(1, receive_some(self->fd, &in, got, 3, 0));
	EXPECT_EQ(before + 3, box_descriptors());
	close(got[0]);
	close(got[1]);
	close(got[2]);
	close(self->sent);
	await_closed(self->watch);
}

TEST_F(descriptors, a_copy_that_fails_installs_none)
{
	int two[2] = { self->sent, self->sent };
	struct ipcbox_incoming *unwritable;
	int got[2], before;
	struct ipcbox_incoming in = { };
	struct ipcbox_stat stat;

	EXPECT_EQ(1, send_some(self->fd, two, 2, IPCBOX_NOWAIT, 0));
	before = box_descriptors();
	EXPECT_EQ(-EFAULT,
		  receive_some(self->fd, &in, box_edge(4), 2, 0));
	EXPECT_EQ(before, box_descriptors());
	unwritable = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(unwritable != MAP_FAILED);
	unwritable->data = (uintptr_t)&stat;
	unwritable->capacity = sizeof(stat);
	unwritable->descriptors = (uintptr_t)got;
	unwritable->descriptor_capacity = 2;
	EXPECT_EQ(0, mprotect(unwritable, 4096, PROT_READ));
	EXPECT_EQ(-EFAULT, box_receive_many(self->fd, unwritable, 1,
					    IPCBOX_NOWAIT, 0));
	EXPECT_EQ(before, box_descriptors());
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(1, stat.messages);
	close(self->sent);
	EXPECT_EQ(1, receive_some(self->fd, &in, got, 2, 0));
	close(got[0]);
	close(got[1]);
	await_closed(self->watch);
}

TEST_F(descriptors, a_peek_counts_them_and_gives_none)
{
	int got = -1, before = box_descriptors();
	struct ipcbox_incoming in;

	EXPECT_EQ(1, send_one(self->fd, self->sent));
	EXPECT_EQ(1, receive_some(self->fd, &in, &got, 1, IPCBOX_PEEK));
	EXPECT_EQ(1, in.descriptor_count);
	EXPECT_EQ(-1, got);
	EXPECT_EQ(before, box_descriptors());
	close(self->sent);
}

TEST_F(descriptors, a_held_message_gives_them_again_when_it_comes_back)
{
	struct ipcbox_incoming in;
	int got = -1, again = -1;

	EXPECT_EQ(1, send_away(self, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(1, receive_some(self->fd, &in, &got, 1, IPCBOX_HOLD));
	close(got);
	EXPECT_TRUE(open_somewhere(self->watch));
	EXPECT_EQ(0, box_settle(self->fd, in.token, IPCBOX_NACK));
	EXPECT_EQ(1, receive_some(self->fd, &in, &again, 1, IPCBOX_HOLD));
	EXPECT_EQ(1, in.deliveries);
	EXPECT_EQ(1, write(again, "x", 1));
	EXPECT_EQ(1, read(self->watch, &got, 1));
	close(again);
	EXPECT_TRUE(open_somewhere(self->watch));
	EXPECT_EQ(0, box_settle(self->fd, in.token, IPCBOX_ACK));
	await_closed(self->watch);
}

TEST_F(descriptors, a_receiver_that_is_killed_leaves_none_open)
{
	struct ipcbox_incoming in;
	int got = -1;
	pid_t child;

	EXPECT_EQ(1, send_away(self, IPCBOX_NOWAIT, 0));
	child = box_fork();
	if (!child) {
		int own = box_open_id(self->dev, box_id(self->fd), R);

		CHECK_EQ(1, receive_some(own, &in, &got, 1, IPCBOX_HOLD));
		pause();
	}
	ASSERT_EQ(0, box_await_held(self->fd, 1));
	kill(child, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child));
	ASSERT_EQ(0, box_await_messages(self->fd, 1));
	EXPECT_TRUE(open_somewhere(self->watch));
	EXPECT_EQ(1, receive_some(self->fd, &in, &got, 1, 0));
	close(got);
	await_closed(self->watch);
}

TEST_F(descriptors, a_message_that_expires_closes_them)
{
	EXPECT_EQ(1, send_away(self, IPCBOX_NOWAIT, 1000000));
	await_closed(self->watch);
	EXPECT_EQ(0, box_await_expired(self->fd, 1));
}

TEST_F(descriptors, a_message_that_is_withdrawn_closes_them)
{
	EXPECT_EQ(-ETIMEDOUT, send_away(self, IPCBOX_SYNC, 0));
	await_closed(self->watch);
}

/* Receives one message into the trap; an error if it leaves more open. */
static long receive_trapped(int fd, char *trap)
{
	int before = box_descriptors(), got = -1, ret;
	struct ipcbox_incoming in = {
		.data = (uintptr_t)trap,
		.capacity = sizeof(__u32),
		.descriptors = (uintptr_t)&got,
		.descriptor_capacity = 1,
	};

	ret = box_receive_many(fd, &in, 1, 0, IPCBOX_FOREVER);
	return box_descriptors() == before ? ret : -EBADMSG;
}

TEST_F(descriptors, a_message_that_is_withdrawn_from_a_copy_leaves_none)
{
	struct box_trapped trapped;
	pid_t child = box_fork();
	__u32 number = 7;
	int ret;

	if (!child) {
		struct ipcbox_outgoing out = {
			.data = (uintptr_t)&number,
			.length = sizeof(number),
			.descriptors = (uintptr_t)&self->sent,
			.descriptor_count = 1,
		};

		box_send_many(self->fd, &out, 1, IPCBOX_SYNC, IPCBOX_FOREVER);
		_exit(1);
	}
	close(self->sent);
	ASSERT_EQ(0, box_await_messages(self->fd, 1));
	ret = box_trap(&trapped, receive_trapped, self->fd);
	kill(child, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child));
	if (ret == KSFT_SKIP)
		SKIP(return, "no userfaultfd for faults of the kernel");
	ASSERT_EQ(0, ret);
	/* When it goes on it gets this one, without any. */
	EXPECT_EQ(1, box_put(self->fd, 8));
	box_release(&trapped, BOX_HEAL);
	EXPECT_EQ(0, box_wait(trapped.pid));
	EXPECT_EQ(1, *trapped.result);
	await_closed(self->watch);
}

TEST_F(descriptors, an_object_that_goes_closes_them)
{
	int other = make_taking(self->dev, 1);

	EXPECT_EQ(1, send_one(other, self->sent));
	close(self->sent);
	EXPECT_TRUE(open_somewhere(self->watch));
	close(other);
	await_closed(self->watch);
}

TEST_F(descriptors, a_sender_that_waits_for_room_and_is_killed_closes_them)
{
	struct ipcbox_stat stat;
	pid_t child;

	EXPECT_EQ(0, box_set_max_messages(self->fd, 1));
	EXPECT_EQ(1, box_put(self->fd, 1));
	child = box_fork();
	if (!child) {
		struct ipcbox_outgoing out = {
			.descriptors = (uintptr_t)&self->sent,
			.descriptor_count = 1,
		};

		box_send_many(self->fd, &out, 1, 0, IPCBOX_FOREVER);
		_exit(1);
	}
	close(self->sent);
	ASSERT_EQ(0, box_await_senders(self->fd, 1));
	EXPECT_TRUE(open_somewhere(self->watch));
	kill(child, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child));
	await_closed(self->watch);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(1, stat.messages);
}

TEST_F(descriptors, a_dead_letter_keeps_them_where_they_are_taken)
{
	int graveyard = make_taking(self->dev, 1), got = -1;
	struct ipcbox_incoming in;

	EXPECT_EQ(0, box_set_dead_letter(self->fd, box_id(graveyard), 0));
	EXPECT_EQ(1, send_away(self, IPCBOX_NOWAIT, 1000000));
	ASSERT_EQ(0, box_await_messages(graveyard, 1));
	EXPECT_TRUE(open_somewhere(self->watch));
	EXPECT_EQ(1, receive_some(graveyard, &in, &got, 1, 0));
	EXPECT_EQ(IPCBOX_DEAD_EXPIRED, in.dead);
	EXPECT_EQ(0, in.flags);
	EXPECT_EQ(1, in.descriptor_count);
	close(got);
	await_closed(self->watch);
	close(graveyard);
}

TEST_F(descriptors, a_dead_letter_comes_without_them_where_they_are_not)
{
	int graveyard = box_make(self->dev, IPCBOX_QUEUE, RWM);
	struct ipcbox_incoming in;
	struct ipcbox_info info;

	EXPECT_EQ(0, box_set_dead_letter(self->fd, box_id(graveyard), 0));
	EXPECT_EQ(1, send_away(self, IPCBOX_NOWAIT, 1000000));
	await_closed(self->watch);
	ASSERT_EQ(0, box_await_messages(graveyard, 1));
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(4 + 128, info.user_bytes_used);
	EXPECT_EQ(1, receive_some(graveyard, &in, NULL, 0, 0));
	EXPECT_EQ(IPCBOX_INCOMING_CLOSED, in.flags);
	EXPECT_EQ(0, in.descriptor_count);
	close(graveyard);
}

TEST_F(descriptors, each_counts_against_the_budget)
{
	int sixteen[MOST];
	struct ipcbox_info info;
	__u64 budget;
	int i, ret;

	for (i = 0; i < MOST; i++)
		sixteen[i] = self->sent;
	ASSERT_EQ(0, box_parameter_get("user_bytes", &budget));
	ASSERT_EQ(0, box_parameter_set("user_bytes", 3 * MOST * COST));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(1, send_some(self->fd, sixteen, MOST, IPCBOX_NOWAIT,
				       0));
	ret = send_some(self->fd, sixteen, MOST, IPCBOX_NOWAIT, 0);
	EXPECT_EQ(0, box_parameter_set("user_bytes", budget));
	EXPECT_EQ(-EDQUOT, ret);
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(2 * (4 + 128 + MOST * COST), info.user_bytes_used);
	close(self->sent);
}

static int reply_with(int fd, __u64 token, const int *descriptors, __u32 count)
{
	struct ipcbox_settle settle = {
		.size = sizeof(settle),
		.token = token,
		.action = IPCBOX_REPLY,
		.descriptors = (uintptr_t)descriptors,
		.descriptor_count = count,
	};

	return ioctl(fd, IPCBOX_IOC_SETTLE, &settle) ? -errno : 0;
}

/* Calls with room for @capacity; writes a byte to what it gets. */
static pid_t fork_caller(FIXTURE_DATA(descriptors) * self, __u32 capacity,
			 __u64 deadline)
{
	pid_t child = box_fork();
	int got[MOST], ret;
	struct ipcbox_outgoing out = { };
	struct ipcbox_incoming in = {
		.descriptors = (uintptr_t)got,
		.descriptor_capacity = capacity,
	};

	if (child)
		return child;
	close(self->sent);
	ret = box_call(self->fd, &out, &in, 0, deadline);
	if (!ret) {
		CHECK_EQ(1, in.descriptor_count);
		CHECK_EQ(1, write(got[0], "x", 1));
	}
	_exit(-ret);
}

TEST_F(descriptors, a_reply_carries_them_as_far_as_the_caller_has_room)
{
	int two[2] = { self->sent, self->sent };
	pid_t child = fork_caller(self, 1, IPCBOX_FOREVER);
	struct ipcbox_set set = { .mask = IPCBOX_SET_MAX_DESCRIPTORS };
	struct ipcbox_incoming in;
	char byte;

	/* What requests may carry is another matter. */
	EXPECT_EQ(0, box_set(self->fd, &set));
	ASSERT_EQ(0, box_await_messages(self->fd, 1));
	EXPECT_EQ(1, receive_some(self->fd, &in, NULL, 0, 0));
	EXPECT_EQ(-EMSGSIZE, reply_with(self->fd, in.token, two, 2));
	EXPECT_EQ(-EINVAL, reply_with(self->fd, in.token, two, MOST + 1));
	EXPECT_EQ(-EOPNOTSUPP, reply_with(self->fd, in.token, &self->fd, 1));
	EXPECT_EQ(0, reply_with(self->fd, in.token, two, 1));
	EXPECT_EQ(0, box_wait(child));
	close(self->sent);
	EXPECT_EQ(1, read(self->watch, &byte, 1));
	await_closed(self->watch);
}

TEST_F(descriptors, a_reply_that_comes_too_late_closes_them)
{
	pid_t child = fork_caller(self, 1, box_in_ms(1));
	struct ipcbox_incoming in;
	int ret;

	do {
		ret = receive_some(self->fd, &in, NULL, 0, 0);
	} while (ret == -EAGAIN && waitpid(child, NULL, WNOHANG) == 0);
	if (ret == 1) {
		waitpid(child, NULL, 0);
		EXPECT_EQ(-EPIPE, reply_with(self->fd, in.token, &self->sent, 1));
	}
	close(self->sent);
	await_closed(self->watch);
}

TEST_HARNESS_MAIN
