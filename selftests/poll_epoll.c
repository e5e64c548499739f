// SPDX-License-Identifier: GPL-2.0
/*
 * poll(2), epoll(7), read(2) and write(2) on handles are what they are on other
 * files: a message there, room for the largest message, the other side gone.
 * pread(2) and pwrite(2) have priorities and ends besides.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "box.h"

#define IN	(POLLIN | POLLRDNORM)
#define OUT	(POLLOUT | POLLWRNORM)

FIXTURE(ready)
{
	int dev;
	int fd;			/* manages */
	int r;
	int w;
	int epoll;
};

FIXTURE_SETUP(ready)
{
	signal(SIGPIPE, SIG_IGN);
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	/* Room for two messages, and for 100 bytes, by messages of 60. */
	self->fd = box_make_sized(self->dev, IPCBOX_QUEUE, M, 2, 100, 60);
	ASSERT_LE(0, self->fd);
	self->r = box_open_id(self->dev, box_id(self->fd), R);
	self->w = box_open_id(self->dev, box_id(self->fd), W);
	ASSERT_LE(0, self->r);
	ASSERT_LE(0, self->w);
	self->epoll = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_LE(0, self->epoll);
}

FIXTURE_TEARDOWN(ready)
{
	close(self->epoll);
	close(self->r);
	close(self->w);
	close(self->fd);
	close(self->dev);
}

static int watch(int epoll, int fd, unsigned int events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/* The events of the one descriptor that has some, or 0. */
static unsigned int happened(int epoll, int timeout)
{
	struct epoll_event event[4];
	int n = epoll_wait(epoll, event, 4, timeout);

	return n == 1 ? event[0].events : n ? -1 : 0;
}

TEST_F(ready, in_is_a_message)
{
	__u32 number;

	EXPECT_EQ(0, box_poll(self->r));
	EXPECT_EQ(1, box_put(self->w, 1));
	EXPECT_EQ(IN, box_poll(self->r));
	EXPECT_EQ(1, box_put(self->w, 2));
	EXPECT_EQ(IN, box_poll(self->r));
	EXPECT_EQ(1, box_get(self->r, &number));
	EXPECT_EQ(IN, box_poll(self->r));
	EXPECT_EQ(1, box_get(self->r, &number));
	EXPECT_EQ(0, box_poll(self->r));
	/* An empty one is one. */
	EXPECT_EQ(1, box_send(self->w, NULL, 0, 0, 0, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(IN, box_poll(self->r));
}

TEST_F(ready, out_is_room_for_the_largest)
{
	char data[60] = { };
	__u32 bytes;

	EXPECT_EQ(OUT, box_poll(self->w));
	for (bytes = 38; bytes <= 43; bytes++) {
		EXPECT_EQ(1, box_send(self->w, data, bytes, 0, 0,
				      IPCBOX_NOWAIT, 0));
		EXPECT_EQ(bytes <= 40 ? OUT : 0, box_poll(self->w))
			TH_LOG("%u bytes of 100 are in use", bytes);
		if (bytes <= 40) {
			/* The promise is kept. */
			EXPECT_EQ(1, box_send(self->w, data, 60, 0, 0,
					      IPCBOX_NOWAIT, 0))
				TH_LOG("%u bytes of 100 are in use", bytes);
			EXPECT_EQ(bytes, read(self->r, data, sizeof(data)));
		}
		EXPECT_LT(0, read(self->r, data, sizeof(data)));
		EXPECT_EQ(OUT, box_poll(self->w));
	}
	/* By messages. */
	EXPECT_EQ(1, box_put(self->w, 1));
	EXPECT_EQ(OUT, box_poll(self->w));
	EXPECT_EQ(1, box_put(self->w, 2));
	EXPECT_EQ(0, box_poll(self->w));
}

TEST_F(ready, a_handle_reports_what_it_may_do)
{
	int both = box_open_id(self->dev, box_id(self->fd), R | W);

	ASSERT_LE(0, both);
	EXPECT_EQ(OUT, box_poll(both));
	EXPECT_EQ(0, box_poll(self->fd));
	EXPECT_EQ(1, box_put(both, 1));
	EXPECT_EQ(IN | OUT, box_poll(both));
	EXPECT_EQ(0, box_poll(self->fd));
	EXPECT_EQ(IN, box_poll(self->r));
	EXPECT_EQ(OUT, box_poll(self->w));
	EXPECT_EQ(1, box_put(both, 2));
	EXPECT_EQ(IN, box_poll(both));
	close(both);
}

TEST_F(ready, epoll_is_level_triggered)
{
	__u32 number;

	EXPECT_EQ(0, watch(self->epoll, self->r, EPOLLIN));
	EXPECT_EQ(0, happened(self->epoll, 0));
	EXPECT_EQ(1, box_put(self->w, 1));
	EXPECT_EQ(EPOLLIN, happened(self->epoll, -1));
	EXPECT_EQ(EPOLLIN, happened(self->epoll, 0));
	EXPECT_EQ(1, box_put(self->w, 2));
	EXPECT_EQ(1, box_get(self->r, &number));
	EXPECT_EQ(EPOLLIN, happened(self->epoll, 0));
	EXPECT_EQ(1, box_get(self->r, &number));
	EXPECT_EQ(0, happened(self->epoll, 0));
}

TEST_F(ready, epoll_is_edge_triggered_for_in)
{
	__u32 number;

	EXPECT_EQ(0, watch(self->epoll, self->r, EPOLLIN | EPOLLET));
	EXPECT_EQ(0, happened(self->epoll, 0));
	EXPECT_EQ(1, box_put(self->w, 1));
	EXPECT_EQ(EPOLLIN, happened(self->epoll, -1));
	EXPECT_EQ(0, happened(self->epoll, 0));
	/* Another is another event, drained or not. */
	EXPECT_EQ(1, box_put(self->w, 2));
	EXPECT_EQ(EPOLLIN, happened(self->epoll, -1));
	EXPECT_EQ(0, happened(self->epoll, 0));
	EXPECT_EQ(1, box_get(self->r, &number));
	EXPECT_EQ(1, box_get(self->r, &number));
	EXPECT_EQ(-EAGAIN, box_get(self->r, &number));
	EXPECT_EQ(1, box_put(self->w, 3));
	EXPECT_EQ(EPOLLIN, happened(self->epoll, -1));
}

TEST_F(ready, epoll_is_edge_triggered_for_out)
{
	__u32 number;

	EXPECT_EQ(0, watch(self->epoll, self->w, EPOLLOUT | EPOLLET));
	EXPECT_EQ(EPOLLOUT, happened(self->epoll, 0));
	EXPECT_EQ(0, happened(self->epoll, 0));
	EXPECT_EQ(1, box_put(self->w, 1));
	EXPECT_EQ(1, box_put(self->w, 2));
	EXPECT_EQ(-EAGAIN, box_put(self->w, 3));
	EXPECT_EQ(0, happened(self->epoll, 0));
	EXPECT_EQ(1, box_get(self->r, &number));
	EXPECT_EQ(EPOLLOUT, happened(self->epoll, -1));
	EXPECT_EQ(0, happened(self->epoll, 0));
}

/* What was written before may be read from now on, or no more be in vain. */
TEST_F(ready, the_coming_of_the_first_receiver_is_an_edge_for_out)
{
	int w = box_make(self->dev, IPCBOX_QUEUE, W);
	int first, second;

	ASSERT_LE(0, w);
	EXPECT_EQ(0, watch(self->epoll, w, EPOLLOUT | EPOLLET));
	EXPECT_EQ(EPOLLOUT, happened(self->epoll, 0));
	EXPECT_EQ(0, happened(self->epoll, 0));
	first = box_open_id(self->dev, box_id(w), R);
	ASSERT_LE(0, first);
	EXPECT_EQ(EPOLLOUT, happened(self->epoll, -1));
	second = box_open_id(self->dev, box_id(w), R);
	ASSERT_LE(0, second);
	EXPECT_EQ(0, happened(self->epoll, 0));
	close(first);
	EXPECT_EQ(0, happened(self->epoll, 0));
	close(second);
	EXPECT_EQ(EPOLLHUP, happened(self->epoll, -1));
	first = box_open_id(self->dev, box_id(w), R);
	ASSERT_LE(0, first);
	EXPECT_EQ(EPOLLOUT, happened(self->epoll, -1));
	close(first);
	close(w);
}

/* The wake-up, not only the state: the poller sleeps when it comes. */
struct poller {
	int fd;
	short events;
	short seen;
	pid_t tid;
	pthread_t thread;
};

static void *poll_in_thread(void *arg)
{
	struct poller *poller = arg;
	struct pollfd pollfd = { .fd = poller->fd, .events = poller->events };

	__atomic_store_n(&poller->tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	poll(&pollfd, 1, -1);
	poller->seen = pollfd.revents;
	return NULL;
}

static void start(struct poller *poller)
{
	poller->tid = 0;
	if (pthread_create(&poller->thread, NULL, poll_in_thread, poller))
		abort();
}

static int start_and_await(struct poller *poller)
{
	pid_t tid;

	start(poller);
	while (!(tid = __atomic_load_n(&poller->tid, __ATOMIC_ACQUIRE)))
		sched_yield();
	return box_await_asleep(tid, SYS_poll);
}

static short end(struct poller *poller)
{
	pthread_join(poller->thread, NULL);
	return poller->seen;
}

TEST_F(ready, a_poller_wakes_for_a_message)
{
	struct poller poller = { .fd = self->r, .events = POLLIN };
	__u32 number;
	int i;

	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, start_and_await(&poller));
		EXPECT_EQ(1, box_put(self->w, 1));
		EXPECT_EQ(POLLIN, end(&poller));
		EXPECT_EQ(1, box_get(self->r, &number));
	}
	/* Nor is it missed by one that is about to sleep. */
	for (i = 0; i < 50; i++) {
		start(&poller);
		if (i & 1)
			sched_yield();
		EXPECT_EQ(1, box_put(self->w, 1));
		EXPECT_EQ(POLLIN, end(&poller));
		EXPECT_EQ(1, box_get(self->r, &number));
	}
}

TEST_F(ready, a_poller_wakes_for_room)
{
	struct poller poller = { .fd = self->w, .events = POLLOUT };
	__u32 number;
	int i;

	EXPECT_EQ(1, box_put(self->w, 1));
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(1, box_put(self->w, 2));
		ASSERT_EQ(0, start_and_await(&poller));
		EXPECT_EQ(1, box_get(self->r, &number));
		EXPECT_EQ(POLLOUT, end(&poller));
	}
	/* Nor is it missed by one that is about to sleep. */
	for (i = 0; i < 50; i++) {
		EXPECT_EQ(1, box_put(self->w, 2));
		start(&poller);
		if (i & 1)
			sched_yield();
		EXPECT_EQ(1, box_get(self->r, &number));
		EXPECT_EQ(POLLOUT, end(&poller));
	}
	/* Room that SET makes is room. */
	EXPECT_EQ(1, box_put(self->w, 2));
	ASSERT_EQ(0, start_and_await(&poller));
	EXPECT_EQ(0, box_set_max_messages(self->fd, 3));
	EXPECT_EQ(POLLOUT, end(&poller));
}

TEST_F(ready, a_poller_of_a_sender_wakes_when_the_receiver_goes)
{
	struct poller poller = { .fd = self->w, .events = 0 };

	EXPECT_EQ(0, box_poll(self->w) & POLLHUP);
	EXPECT_EQ(0, watch(self->epoll, self->w, EPOLLET));
	EXPECT_EQ(0, happened(self->epoll, 0));
	ASSERT_EQ(0, start_and_await(&poller));
	close(self->r);
	EXPECT_EQ(POLLHUP, end(&poller));
	EXPECT_EQ(EPOLLHUP, happened(self->epoll, 0));
	EXPECT_EQ(0, happened(self->epoll, 0));
	self->r = -1;
}

TEST_F(ready, a_poller_of_a_receiver_wakes_when_no_sender_can_come)
{
	struct poller poller = { .fd = self->r, .events = POLLIN };
	__u32 number;

	EXPECT_EQ(0, watch(self->epoll, self->r, EPOLLIN));
	ASSERT_EQ(0, start_and_await(&poller));
	EXPECT_EQ(0, box_unlink_id(self->dev, box_id(self->fd)));
	EXPECT_EQ(0, happened(self->epoll, 0));
	EXPECT_EQ(0, box_poll(self->r));
	close(self->w);
	self->w = -1;
	EXPECT_EQ(POLLHUP, end(&poller) & POLLHUP);
	EXPECT_EQ(EPOLLHUP, happened(self->epoll, 0) & EPOLLHUP);
	EXPECT_EQ(-EPIPE, box_get(self->r, &number));
	EXPECT_EQ(0, read(self->r, &number, sizeof(number)));
}

TEST_F(ready, unlink_ends_a_senders_hope_for_a_receiver)
{
	struct poller poller = { .fd = self->w, .events = POLLOUT };
	struct ipcbox_create create = {
		.flags = IPCBOX_CREATE_PERSISTENT,
		.kind = IPCBOX_QUEUE,
		.rights = W | M,
		.max_messages = 1,
	};
	int fd;

	fd = box_create(self->dev, &create);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, box_put(fd, 1));
	EXPECT_EQ(0, box_poll(fd));
	poller.fd = fd;
	ASSERT_EQ(0, start_and_await(&poller));
	EXPECT_EQ(0, box_unlink_id(self->dev, create.id));
	EXPECT_EQ(POLLHUP, end(&poller) & POLLHUP);
	close(fd);
}

TEST_F(ready, select_works_too)
{
	struct timeval now = { };
	fd_set in, out;
	int max = self->r > self->w ? self->r : self->w;

	EXPECT_EQ(1, box_put(self->w, 1));
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(self->r, &in);
	FD_SET(self->w, &out);
	EXPECT_EQ(2, select(max + 1, &in, &out, NULL, &now));
	EXPECT_TRUE(FD_ISSET(self->r, &in));
	EXPECT_TRUE(FD_ISSET(self->w, &out));
}

TEST_F(ready, a_closed_handle_leaves_the_epoll_set)
{
	EXPECT_EQ(0, watch(self->epoll, self->r, EPOLLIN));
	EXPECT_EQ(1, box_put(self->w, 1));
	EXPECT_EQ(EPOLLIN, happened(self->epoll, 0));
	close(self->r);
	self->r = -1;
	EXPECT_EQ(0, happened(self->epoll, 0));
}

TEST_F(ready, read_and_write_move_one_message_each)
{
	struct ipcbox_incoming in;
	char data[60];

	EXPECT_EQ(5, write(self->w, "first", 5));
	EXPECT_EQ(6, write(self->w, "second", 6));
	EXPECT_EQ(5, read(self->r, data, sizeof(data)));
	EXPECT_EQ(0, memcmp(data, "first", 5));
	EXPECT_EQ(1, box_receive(self->r, &in, data, sizeof(data),
				 IPCBOX_NOWAIT, 0));
	EXPECT_EQ(6, in.length);
	EXPECT_EQ(0, in.priority);
	EXPECT_EQ(0, in.tag);
	EXPECT_EQ(getpid(), in.pid);
	EXPECT_EQ(0, memcmp(data, "second", 6));
}

TEST_F(ready, read_takes_the_highest_priority_first)
{
	char byte;

	EXPECT_EQ(1, write(self->w, "a", 1));
	EXPECT_EQ(1, box_send(self->w, "b", 1, 1, 0, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(1, read(self->r, &byte, 1));
	EXPECT_EQ('b', byte);
	EXPECT_EQ(1, read(self->r, &byte, 1));
	EXPECT_EQ('a', byte);
}

TEST_F(ready, read_and_write_need_their_right)
{
	struct box_snapshot before;
	char byte = 0;

	EXPECT_EQ(1, box_put(self->w, 1));
	box_snapshot(self->dev, self->fd, &before);
	EXPECT_EQ(-1, read(self->w, &byte, 1));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, read(self->fd, &byte, 1));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, write(self->r, &byte, 1));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, write(self->fd, &byte, 1));
	EXPECT_EQ(EBADF, errno);
	EXPECT_TRUE(box_unchanged(self->dev, self->fd, &before));
}

TEST_F(ready, read_and_write_fail_as_the_header_says)
{
	char data[61] = { };

	EXPECT_EQ(-1, write(self->w, data, 61));
	EXPECT_EQ(EMSGSIZE, errno);
	EXPECT_EQ(60, write(self->w, data, 60));
	EXPECT_EQ(-1, read(self->r, data, 59));
	EXPECT_EQ(EMSGSIZE, errno);
	ASSERT_EQ(0, fcntl(self->w, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-1, write(self->w, data, 41));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(60, read(self->r, data, 60));
	ASSERT_EQ(0, fcntl(self->r, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-1, read(self->r, data, 60));
	EXPECT_EQ(EAGAIN, errno);
	close(self->r);
	self->r = -1;
	EXPECT_EQ(-1, write(self->w, data, 1));
	EXPECT_EQ(EPIPE, errno);
}

TEST_F(ready, there_is_no_position_to_seek)
{
	char byte;

	EXPECT_EQ(1, write(self->w, "a", 1));
	EXPECT_EQ(-1, lseek(self->r, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, pread(self->r, &byte, 1, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(IN, box_poll(self->r));
	EXPECT_EQ(1, pread(self->r, &byte, 1, 0));
	EXPECT_EQ('a', byte);
}

TEST_F(ready, the_position_of_pwrite_is_the_priority)
{
	struct ipcbox_incoming in;
	struct box_snapshot before;
	char byte;

	EXPECT_EQ(1, pwrite(self->w, "a", 1, 0));
	EXPECT_EQ(1, pwrite(self->w, "b", 1, IPCBOX_PRIORITY_MAX));
	EXPECT_EQ(1, box_receive(self->r, &in, &byte, 1, IPCBOX_NOWAIT, 0));
	EXPECT_EQ('b', byte);
	EXPECT_EQ(IPCBOX_PRIORITY_MAX, in.priority);
	EXPECT_EQ(0, in.tag);
	box_snapshot(self->dev, self->fd, &before);
	EXPECT_EQ(-1, pwrite(self->w, "c", 1, IPCBOX_PRIORITY_MAX + 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, pwrite(self->w, "c", 1, -1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, pwrite(self->r, "c", 1, 0));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, pread(self->w, &byte, 1, 0));
	EXPECT_EQ(EBADF, errno);
	EXPECT_TRUE(box_unchanged(self->dev, self->fd, &before));
	EXPECT_EQ(1, pread(self->r, &byte, 1, 0));
	EXPECT_EQ('a', byte);
}

TEST_F(ready, pread_tells_an_end_from_an_empty_message)
{
	char byte;

	EXPECT_EQ(0, write(self->w, NULL, 0));
	EXPECT_EQ(1, write(self->w, "a", 1));
	EXPECT_EQ(0, box_unlink_id(self->dev, box_id(self->fd)));
	close(self->w);
	self->w = -1;
	EXPECT_EQ(0, pread(self->r, &byte, 1, 0));
	EXPECT_EQ(1, pread(self->r, &byte, 1, 0));
	EXPECT_EQ('a', byte);
	EXPECT_EQ(-1, pread(self->r, &byte, 1, 0));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(0, read(self->r, &byte, 1));
}

TEST_F(ready, a_stream_and_a_pool_have_no_priorities)
{
	struct ipcbox_create stream = {
		.kind = IPCBOX_QUEUE,
		.mode = 0600,
		.rights = R | W,
		.flags = IPCBOX_CREATE_STREAM,
	};
	struct ipcbox_create pool = {
		.kind = IPCBOX_MAILBOX,
		.mode = 0600,
		.rights = R | W,
		.mapped_bytes = 4096,
	};
	char byte;
	int fd;

	fd = box_create(self->dev, &stream);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, pwrite(fd, "a", 1, 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(1, write(fd, "a", 1));
	EXPECT_EQ(-1, pread(fd, &byte, 1, 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(1, read(fd, &byte, 1));
	close(fd);

	fd = box_create(self->dev, &pool);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, pwrite(fd, "a", 1, 1));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(1, pwrite(fd, "b", 1, 0));
	EXPECT_EQ(1, pread(fd, &byte, 1, 0));
	EXPECT_EQ('b', byte);
	close(fd);
}

TEST_HARNESS_MAIN
