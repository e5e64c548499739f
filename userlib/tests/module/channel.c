/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Channels as the library offers them. */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#define SIZE	4096

struct ends {
	struct ipcbox *box;
	struct ipcbox_channel *out;
	struct ipcbox_channel *in;
};

static struct ends open_ends(void)
{
	struct ends ends = { .box = open_box() };

	require(!ipcbox_channel_create(ends.box, "ring", 0600, SIZE, SEND,
				       &ends.out));
	require(!ipcbox_channel_open(ends.box, "ring", RECEIVE, &ends.in));
	return ends;
}

static void close_ends(struct ends *ends)
{
	ipcbox_channel_close(ends->out);
	ipcbox_channel_close(ends->in);
	ipcbox_box_close(ends->box);
}

static int put(struct ipcbox_channel *channel, int number, unsigned int flags)
{
	return ipcbox_channel_send(channel, &number, sizeof(number),
				   flags | IPCBOX_NOWAIT, 0);
}

/* The number, or an error. */
static int get(struct ipcbox_channel *channel)
{
	int number = 0;
	ssize_t length = ipcbox_channel_receive(channel, &number,
						sizeof(number), IPCBOX_NOWAIT,
						0);

	return length < 0 ? (int)length : number;
}

static void messages_pass_in_order(void)
{
	struct ends ends = open_ends();
	int round;
	int i;

	for (round = 0; round < 100; round++) {
		for (i = 0; i < 50; i++)
			equal(put(ends.out, i + 1, 0), 0);
		for (i = 0; i < 50; i++)
			equal(get(ends.in), i + 1);
		equal(get(ends.in), -EAGAIN);
	}
	close_ends(&ends);
}

static void the_ends_are_what_they_are(void)
{
	struct ends ends = open_ends();
	struct ipcbox_channel *other;
	struct ipcbox_handle *queue = create(ends.box, .name = "queue");
	const void *message;
	void *place;

	equal(put(ends.in, 1, 0), -EACCES);
	equal(get(ends.out), -EACCES);
	equal(ipcbox_channel_peek(ends.out, &message, 0, 0), -EACCES);
	equal(ipcbox_channel_reserve(ends.in, 1, 0, 0, &place), -EACCES);
	equal(ipcbox_channel_release(ends.out, 0), -EINVAL);
	equal(ipcbox_channel_open(ends.box, "ring", SEND, &other), -EBUSY);
	equal(ipcbox_channel_open(ends.box, "ring", RECEIVE, &other), -EBUSY);
	equal(ipcbox_channel_open(ends.box, "ring", MANAGE, &other), -EACCES);
	equal(ipcbox_channel_open(ends.box, "none", SEND, &other), -ENOENT);
	equal(ipcbox_channel_open(ends.box, "queue", SEND, &other), -EINVAL);
	equal(ipcbox_channel_create(ends.box, NULL, 0600, 3 * SIZE, SEND,
				    &other), -EINVAL);
	equal(ipcbox_channel_map(queue, &other), -EINVAL);
	equal(ipcbox_handle_kind(ipcbox_channel_handle(ends.in)),
	      IPCBOX_CHANNEL);
	equal(ipcbox_channel_longest(ends.in), SIZE - 8);
	ipcbox_close(queue);
	ipcbox_channel_close(NULL);
	close_ends(&ends);
}

static void bad_arguments_have_no_effect(void)
{
	struct ends ends = open_ends();
	char data[SIZE] = { 0 };
	uint64_t bad = (uint64_t)INT64_MAX + 1;
	const void *message;
	void *place;

	equal(ipcbox_channel_send(ends.out, data, 1, 0x40, 0), -EINVAL);
	equal(ipcbox_channel_send(ends.out, data, 1, 0, bad), -EINVAL);
	equal(ipcbox_channel_send(ends.out, data, SIZE - 7, 0, 0), -EMSGSIZE);
	equal(ipcbox_channel_send(ends.out, data, (size_t)-1, 0, 0),
	      -EMSGSIZE);
	equal(ipcbox_channel_receive(ends.in, data, 1, 0x40, 0), -EINVAL);
	equal(ipcbox_channel_peek(ends.in, &message, IPCBOX_MORE, 0), -EINVAL);
	equal(ipcbox_channel_reserve(ends.out, 1, IPCBOX_MORE, 0, &place),
	      -EINVAL);
	equal(ipcbox_channel_commit(ends.out, 0, 0), -EINVAL);
	equal(ipcbox_channel_release(ends.in, 0), -EINVAL);
	equal(ipcbox_channel_reserve(ends.out, 10, 0, 0, &place), 0);
	equal(ipcbox_channel_commit(ends.out, 17, 0), -EINVAL);
	equal(ipcbox_channel_commit(ends.out, 1, IPCBOX_NOWAIT), -EINVAL);
	equal(get(ends.in), -EAGAIN);
	close_ends(&ends);
}

static void more_is_published_together(void)
{
	struct ends ends = open_ends();
	int i;

	for (i = 1; i <= 3; i++)
		equal(put(ends.out, i, IPCBOX_MORE), 0);
	equal(get(ends.in), -EAGAIN);
	equal(put(ends.out, 4, 0), 0);
	for (i = 1; i <= 4; i++)
		equal(get(ends.in), i);
	equal(put(ends.out, 5, IPCBOX_MORE), 0);
	ipcbox_channel_publish(ends.out);
	equal(get(ends.in), 5);
	/* Who waits publishes: the other could never make room otherwise. */
	for (i = 0; !put(ends.out, i, IPCBOX_MORE); i++)
		;
	equal(i, SIZE / 16);
	equal(get(ends.in), 0);
	/* So does who closes. */
	equal(put(ends.out, 1000, IPCBOX_MORE), 0);
	ipcbox_channel_close(ends.out);
	for (i = 1; i < SIZE / 16; i++)
		equal(get(ends.in), i);
	equal(get(ends.in), 1000);
	equal(get(ends.in), -EPIPE);
	ends.out = NULL;
	close_ends(&ends);
}

static void room_is_given_back_together(void)
{
	struct ends ends = open_ends();
	const void *message;
	int i;

	for (i = 0; !put(ends.out, i, 0); i++)
		;
	for (i = 0; i < 10; i++) {
		equal(ipcbox_channel_peek(ends.in, &message, 0, 0), 4);
		equal(*(const int *)message, i);
		equal(ipcbox_channel_release(ends.in, IPCBOX_MORE), 0);
		equal(put(ends.out, 0, 0), -EAGAIN);
	}
	ipcbox_channel_publish(ends.in);
	for (i = 0; i < 10; i++)
		equal(put(ends.out, 0, 0), 0);
	equal(put(ends.out, 0, 0), -EAGAIN);
	close_ends(&ends);
}

static void messages_are_built_and_read_in_place(void)
{
	struct ends ends = open_ends();
	const void *message;
	const void *again;
	void *place;

	equal(ipcbox_channel_reserve(ends.out, 1000, 0, 0, &place), 0);
	equal((uintptr_t)place % 8, 0);
	ipcbox_channel_abort(ends.out);
	equal(ipcbox_channel_commit(ends.out, 1, 0), -EINVAL);
	equal(ipcbox_channel_reserve(ends.out, 1000, 0, 0, &place), 0);
	memcpy(place, "hello", 5);
	equal(get(ends.in), -EAGAIN);
	equal(ipcbox_channel_commit(ends.out, 5, 0), 0);
	equal(ipcbox_channel_peek(ends.in, &message, 0, 0), 5);
	check(!memcmp(message, "hello", 5));
	equal(ipcbox_channel_peek(ends.in, &again, 0, 0), 5);
	check(message == again);
	equal(ipcbox_channel_release(ends.in, 0), 0);
	equal(ipcbox_channel_release(ends.in, 0), -EINVAL);
	equal(get(ends.in), -EAGAIN);
	/* Nothing at all is a message. */
	equal(ipcbox_channel_send(ends.out, NULL, 0, 0, 0), 0);
	equal(ipcbox_channel_receive(ends.in, NULL, 0, 0, 0), 0);
	equal(get(ends.in), -EAGAIN);
	close_ends(&ends);
}

static void a_small_buffer_leaves_the_message(void)
{
	struct ends ends = open_ends();
	char small[3];
	char text[6];

	equal(ipcbox_channel_send(ends.out, "hello", 6, 0, 0), 0);
	equal(ipcbox_channel_receive(ends.in, small, sizeof(small), 0, 0),
	      -EMSGSIZE);
	equal(ipcbox_channel_receive(ends.in, text, sizeof(text), 0, 0), 6);
	check(!strcmp(text, "hello"));
	close_ends(&ends);
}

static void deadlines_end_waits(void)
{
	struct ends ends = open_ends();
	int number;

	equal(ipcbox_channel_receive(ends.in, &number, sizeof(number), 0, 1),
	      -ETIMEDOUT);
	equal(ipcbox_channel_receive(ends.in, &number, sizeof(number), 0,
				     ipcbox_deadline_after_ms(20)),
	      -ETIMEDOUT);
	while (!put(ends.out, 7, 0))
		;
	equal(ipcbox_channel_send(ends.out, &number, sizeof(number), 0,
				  ipcbox_deadline_after_ms(20)), -ETIMEDOUT);
	/* What can be had at once is. */
	equal(ipcbox_channel_receive(ends.in, &number, sizeof(number), 0, 1),
	      4);
	equal(ipcbox_channel_send(ends.out, &number, sizeof(number), 0, 1), 0);
	close_ends(&ends);
}

static void a_handle_that_never_waits(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *handle = create(box, .kind = IPCBOX_CHANNEL,
					      .rights = RECEIVE,
					      .flags = IPCBOX_CREATE_NONBLOCK);
	struct ipcbox_channel *in;
	int number;

	require(!ipcbox_channel_map(handle, &in));
	equal(ipcbox_channel_receive(in, &number, sizeof(number), 0, 0),
	      -EAGAIN);
	ipcbox_channel_close(in);
	ipcbox_box_close(box);
}

/* Echoes until the other end is gone. */
static void echo(struct ipcbox_duplex *end)
{
	char buffer[SIZE];
	ssize_t length;

	for (;;) {
		length = ipcbox_channel_receive(end->receive, buffer,
						sizeof(buffer), 0, 0);
		if (length == -EPIPE)
			return;
		require(length >= 0);
		require(!ipcbox_channel_send(end->send, buffer, (size_t)length,
					     0, 0));
	}
}

static void a_pair_is_duplex(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_duplex ends[2];
	char seen[100];
	char text[100];
	pid_t child;
	int status;
	int i;

	require(!ipcbox_pair(box, SIZE, ends));
	child = fork();
	if (!child) {
		ipcbox_duplex_close(&ends[0]);
		echo(&ends[1]);
		_exit(0);
	}
	ipcbox_duplex_close(&ends[1]);
	for (i = 0; i < 1000; i++) {
		memset(text, i, sizeof(text));
		equal(ipcbox_channel_send(ends[0].send, text,
					  (size_t)(i % 100), 0, 0), 0);
		equal(ipcbox_channel_receive(ends[0].receive, seen,
					     sizeof(seen), 0, 0), i % 100);
		check(!memcmp(seen, text, (size_t)(i % 100)));
	}
	ipcbox_duplex_close(&ends[0]);
	require(waitpid(child, &status, 0) == child);
	equal(status, 0);
	ipcbox_box_close(box);
}

static void the_death_of_either_end_is_noticed(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_duplex ends[2];
	int number;
	pid_t child;

	require(!ipcbox_pair(box, SIZE, ends));
	child = fork();
	if (!child) {
		ipcbox_duplex_close(&ends[0]);
		put(ends[1].send, 1, 0);
		for (;;)
			pause();
	}
	ipcbox_duplex_close(&ends[1]);
	equal(ipcbox_channel_receive(ends[0].receive, &number, sizeof(number),
				     0, 0), 4);
	kill_child(child);
	equal(ipcbox_channel_receive(ends[0].receive, &number, sizeof(number),
				     0, 0), -EPIPE);
	equal(put(ends[0].send, 1, 0), -EPIPE);
	ipcbox_duplex_close(&ends[0]);
	ipcbox_box_close(box);
}

static void epoll_tells_of_each_edge(void)
{
	struct ends ends = open_ends();
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int i;

	require(epoll >= 0);
	require(!epoll_ctl(epoll, EPOLL_CTL_ADD,
			   ipcbox_channel_poll_fd(ends.in), &event));
	equal(epoll_wait(epoll, &event, 1, 0), 0);
	for (i = 1; i < 100; i++) {
		equal(put(ends.out, i, 0), 0);
		equal(put(ends.out, -1, 0), 0);
		equal(epoll_wait(epoll, &event, 1, 0), 1);
		equal(epoll_wait(epoll, &event, 1, 0), 0);
		equal(get(ends.in), i);
		equal(get(ends.in), -1);
		equal(get(ends.in), -EAGAIN);
	}
	close(epoll);
	close_ends(&ends);
}

static void a_hostile_end_is_eio_for_good(void)
{
	struct ends ends = open_ends();
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = ipcbox_handle_fd(ipcbox_channel_handle(ends.out));
	struct ipcbox_channel_page *own;

	own = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   (off_t)page);
	require(own != MAP_FAILED);
	own->position = 2 * SIZE;
	equal(get(ends.in), -EIO);
	own->position = 0;
	equal(get(ends.in), -EIO);
	equal(put(ends.out, 1, 0), 0);
	equal(get(ends.in), -EIO);
	munmap(own, page);
	close_ends(&ends);
}

/* Whatever the cap, nothing is lost and nobody hangs. */
static void spinning_changes_nothing(void)
{
	static const uint64_t caps[] = { 0, 1, 1000, 1000000, UINT64_MAX };
	struct ipcbox *box = open_box();
	struct ipcbox_duplex ends[2];
	size_t i;
	int n;

	for (i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		int status;
		pid_t child;

		require(!ipcbox_pair(box, SIZE, ends));
		child = fork();
		if (!child) {
			ipcbox_duplex_close(&ends[0]);
			ipcbox_channel_set_spin(ends[1].receive, caps[i]);
			echo(&ends[1]);
			_exit(0);
		}
		ipcbox_duplex_close(&ends[1]);
		ipcbox_channel_set_spin(ends[0].receive, caps[i]);
		for (n = 0; n < 100; n++) {
			int seen = -1;

			equal(put(ends[0].send, n, 0), 0);
			equal(ipcbox_channel_receive(ends[0].receive, &seen,
						     sizeof(seen), 0, 0), 4);
			equal(seen, n);
		}
		ipcbox_duplex_close(&ends[0]);
		require(waitpid(child, &status, 0) == child);
		equal(status, 0);
	}
	ipcbox_box_close(box);
}

TAP_MAIN(own_box,
	 TAP_TEST(messages_pass_in_order),
	 TAP_TEST(the_ends_are_what_they_are),
	 TAP_TEST(bad_arguments_have_no_effect),
	 TAP_TEST(more_is_published_together),
	 TAP_TEST(room_is_given_back_together),
	 TAP_TEST(messages_are_built_and_read_in_place),
	 TAP_TEST(a_small_buffer_leaves_the_message),
	 TAP_TEST(deadlines_end_waits),
	 TAP_TEST(a_handle_that_never_waits),
	 TAP_TEST(a_pair_is_duplex),
	 TAP_TEST(the_death_of_either_end_is_noticed),
	 TAP_TEST(epoll_tells_of_each_edge),
	 TAP_TEST(a_hostile_end_is_eio_for_good),
	 TAP_TEST(spinning_changes_nothing))
