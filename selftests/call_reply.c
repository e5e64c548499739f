// SPDX-License-Identifier: GPL-2.0
/*
 * Calls: a reply goes to its caller only, and once; and each end is told at once
 * when the other does not come to it.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "kselftest_harness.h"
#include "box.h"

FIXTURE(call)
{
	int dev;
	int fd;			/* a queue, of which this process has all */
	int server;		/* another handle, to receive by */
};

static void ignore_signal(int sig)
{
}

FIXTURE_SETUP(call)
{
	struct sigaction action = {
		.sa_handler = ignore_signal,
		.sa_flags = SA_RESTART,
	};

	/* A call is not restarted even then. */
	sigaction(SIGUSR1, &action, NULL);
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = box_make(self->dev, IPCBOX_QUEUE, RWM);
	ASSERT_LE(0, self->fd);
	self->server = box_open_id(self->dev, box_id(self->fd), R);
	ASSERT_LE(0, self->server);
}

FIXTURE_TEARDOWN(call)
{
	struct ipcbox_info info;

	EXPECT_TRUE(box_adds_up(self->fd));
	if (self->server >= 0)
		close(self->server);
	close(self->fd);
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(0, info.user_bytes_used);
	close(self->dev);
}

/* Calls with @number. Its status is the errno, or 0 if the reply is 1 more. */
static pid_t fork_caller(FIXTURE_DATA(call) * self, __u32 number)
{
	pid_t child = box_fork();
	__u32 reply = 0;
	int ret;

	if (!child) {
		close(self->server);
		ret = box_ask(self->fd, number, &reply);
		if (!ret)
			CHECK_EQ(number + 1, reply);
		_exit(-ret);
	}
	return child;
}

/* The next call; returns its token. */
static __u64 take(struct __test_metadata *_metadata, int fd, __u32 *number)
{
	struct ipcbox_incoming in;

	EXPECT_EQ(1, box_receive(fd, &in, number, 4, 0, box_in_ms(60000)));
	EXPECT_EQ(IPCBOX_INCOMING_CALL, in.flags);
	EXPECT_NE(0, in.token);
	return in.token;
}

static int reply_number(int fd, __u64 token, __u32 number)
{
	return box_reply(fd, token, &number, sizeof(number), 0);
}

/* Answers until it is given a 0. */
static int serve(int fd)
{
	struct ipcbox_answer answer = { };
	struct ipcbox_incoming in;
	__u32 number, reply;
	int served = 0;

	answer.deadline = IPCBOX_FOREVER;
	answer.message = (uintptr_t)&in;
	for (;; served++) {
		memset(&in, 0, sizeof(in));
		in.data = (uintptr_t)&number;
		in.capacity = sizeof(number);
		CHECK_EQ(1, box_answer(fd, &answer));
		CHECK_EQ(IPCBOX_INCOMING_CALL, in.flags);
		if (!number)
			break;
		reply = number + 1;
		answer.token = in.token;
		answer.action = IPCBOX_REPLY;
		answer.data = (uintptr_t)&reply;
		answer.length = sizeof(reply);
	}
	CHECK_EQ(0, reply_number(fd, in.token, 1));
	return served;
}

TEST_F(call, a_server_answers_call_by_call)
{
	pid_t child = box_fork();
	struct ipcbox_stat stat;
	__u32 reply, i;

	if (!child) {
		CHECK_EQ(200, serve(self->server));
		_exit(0);
	}
	for (i = 1; i <= 200; i++) {
		EXPECT_EQ(0, box_ask(self->fd, i, &reply));
		EXPECT_EQ(i + 1, reply);
	}
	EXPECT_EQ(0, box_ask(self->fd, 0, &reply));
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(201, stat.sent);
	EXPECT_EQ(201, stat.received);
	EXPECT_EQ(0, stat.held);
}

TEST_F(call, the_header_of_a_reply_tells_who_and_to_what)
{
	struct ipcbox_outgoing out = { .priority = 7, .tag = 70 };
	struct ipcbox_incoming in = { };
	char data[10] = "";
	pid_t child;

	EXPECT_EQ(1, box_put(self->fd, 1));
	child = box_fork();
	if (!child) {
		CHECK_EQ(1, box_receive(self->server, &in, data, 4, 0,
					IPCBOX_FOREVER));
		while (!in.flags)
			CHECK_EQ(1, box_receive(self->server, &in, data, 4, 0,
						IPCBOX_FOREVER));
		CHECK_EQ(7, in.priority);
		CHECK_EQ(70, in.tag);
		CHECK_EQ(getppid(), in.pid);
		CHECK_EQ(0, box_reply(self->server, in.token, "hello", 5, 99));
		_exit(0);
	}
	in.data = (uintptr_t)data;
	in.capacity = sizeof(data);
	EXPECT_EQ(0, box_call(self->fd, &out, &in, 0, IPCBOX_FOREVER));
	EXPECT_EQ(5, in.length);
	EXPECT_STREQ("hello", data);
	EXPECT_EQ(99, in.tag);
	EXPECT_EQ(2, in.sequence);
	EXPECT_EQ(0, in.priority);
	EXPECT_EQ(child, in.pid);
	EXPECT_EQ(0, in.token);
	EXPECT_EQ(0, in.flags);
	EXPECT_NE(0, in.handle);
	EXPECT_EQ(0, box_wait(child));
}

#define LONGEST	300

/* Replies with twice the request's content, as long as it says; ends with 0. */
static void serve_lengths(int server)
{
	struct ipcbox_incoming in;
	char request[LONGEST], reply[LONGEST];
	__u32 length;

	do {
		CHECK_EQ(1, box_receive(server, &in, request, LONGEST, 0,
					IPCBOX_FOREVER));
		length = in.tag;
		CHECK(box_filled(request, in.length, length + 1));
		box_fill(reply, length, length + 2);
		CHECK_EQ(0, box_reply(server, in.token, reply, length, ~in.tag));
	} while (length);
	_exit(0);
}

/* Short ones and long ones, shorter and longer than the request. */
TEST_F(call, a_reply_of_every_length_comes_whole)
{
	static const __u32 lengths[] = { 0, 1, 16, 17, 100, 128, 129, LONGEST };
	char request[LONGEST], reply[LONGEST + 1];
	struct ipcbox_outgoing out = { .data = (uintptr_t)request };
	struct ipcbox_incoming in = { .data = (uintptr_t)reply };
	pid_t child = box_fork();
	__u32 i, j;

	if (!child)
		serve_lengths(self->server);
	for (i = ARRAY_SIZE(lengths); i--;) {
		for (j = 0; j < ARRAY_SIZE(lengths); j++) {
			if (!lengths[i] && j)
				break;
			out.length = lengths[j];
			out.tag = lengths[i];
			in.capacity = j % 2 ? LONGEST : lengths[i];
			box_fill(request, lengths[j], lengths[i] + 1);
			memset(reply, 0x5a, sizeof(reply));
			EXPECT_EQ(0, box_call(self->fd, &out, &in, 0,
					      IPCBOX_FOREVER));
			EXPECT_EQ(lengths[i], in.length);
			EXPECT_EQ(~(__u64)lengths[i], in.tag);
			EXPECT_EQ(child, in.pid);
			EXPECT_TRUE(box_filled(reply, lengths[i],
					       lengths[i] + 2))
				TH_LOG("%u for %u", lengths[i], lengths[j]);
			EXPECT_EQ(0x5a, reply[lengths[i]]);
		}
	}
	EXPECT_EQ(0, box_wait(child));
}

static long do_look(int fd, char *trap)
{
	struct ipcbox_incoming in;
	int ret = box_receive(fd, &in, trap, sizeof(__u32),
			      IPCBOX_PEEK | IPCBOX_NOWAIT, IPCBOX_FOREVER);

	return ret == 1 ? *(__u32 *)trap : ret;
}

/* All bytes of the reply are others. */
#define REQUEST	0x00ffffff

TEST_F(call, who_looks_at_a_request_does_not_see_its_reply)
{
	int looker = box_open_id(self->dev, box_id(self->fd), R | L);
	struct box_trapped trapped;
	__u32 number;
	__u64 token;
	pid_t child;
	int ret;

	ASSERT_LE(0, looker);
	child = fork_caller(self, REQUEST);
	EXPECT_EQ(0, box_await_messages(self->fd, 1));
	ret = box_trap(&trapped, do_look, looker);
	/* While it looks, it is answered. */
	token = take(_metadata, self->server, &number);
	EXPECT_EQ(REQUEST, number);
	EXPECT_EQ(0, reply_number(self->server, token, REQUEST + 1));
	EXPECT_EQ(0, box_wait(child));
	close(looker);
	if (ret == KSFT_SKIP)
		SKIP(return, "no userfaultfd for faults of the kernel");
	ASSERT_EQ(0, ret);
	box_release(&trapped, BOX_HEAL);
	EXPECT_EQ(0, box_wait(trapped.pid));
	EXPECT_EQ(REQUEST, *trapped.result);
}

#define CALLERS	16

TEST_F(call, replies_go_to_their_callers_in_any_order)
{
	__u32 number[CALLERS], i;
	__u64 token[CALLERS];
	pid_t child[CALLERS];

	for (i = 0; i < CALLERS; i++)
		child[i] = fork_caller(self, 100 * i);
	for (i = 0; i < CALLERS; i++)
		token[i] = take(_metadata, self->server, &number[i]);
	EXPECT_EQ(0, box_await_held(self->fd, CALLERS));
	for (i = 0; i < CALLERS; i++) {
		__u32 j = (i * 7 + 3) % CALLERS;

		EXPECT_EQ(0, reply_number(self->server, token[j],
					  number[j] + 1));
		/* Once. */
		EXPECT_EQ(-ENOENT, reply_number(self->server, token[j], 0));
	}
	for (i = 0; i < CALLERS; i++) {
		EXPECT_EQ(0, box_wait(child[i]));
	}
}

static void *serve_thread(void *arg)
{
	return (void *)(long)serve(*(int *)arg);
}

TEST_F(call, a_server_has_many_threads)
{
	pid_t server = box_fork(), child[8];
	__u32 reply, i, j;

	if (!server) {
		pthread_t thread[4];
		void *ret;
		int served = 0;

		for (i = 0; i < 4; i++)
			CHECK(!pthread_create(&thread[i], NULL, serve_thread,
					      &self->server));
		for (i = 0; i < 4; i++) {
			pthread_join(thread[i], &ret);
			served += (long)ret;
		}
		CHECK_EQ(8 * 100, served);
		_exit(0);
	}
	for (i = 0; i < 8; i++) {
		child[i] = box_fork();
		if (child[i])
			continue;
		for (j = 1; j <= 100; j++) {
			CHECK_EQ(0, box_ask(self->fd, 1000 * i + j, &reply));
			CHECK_EQ(1000 * i + j + 1, reply);
		}
		_exit(0);
	}
	for (i = 0; i < 8; i++) {
		EXPECT_EQ(0, box_wait(child[i]));
	}
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(0, box_ask(self->fd, 0, &reply));
	}
	EXPECT_EQ(0, box_wait(server));
}

TEST_F(call, only_who_received_it_replies)
{
	pid_t child = fork_caller(self, 5);
	__u32 number;
	__u64 token = take(_metadata, self->server, &number);

	EXPECT_EQ(-ENOENT, reply_number(self->fd, token, 6));
	EXPECT_EQ(-EINVAL, box_settle(self->server, token, IPCBOX_ACK));
	EXPECT_EQ(0, reply_number(self->server, token, 6));
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(call, the_server_closes_or_dies)
{
	pid_t child = fork_caller(self, 5), server;
	__u64 id = box_id(self->fd);
	struct ipcbox_stat stat;
	__u32 number;

	take(_metadata, self->server, &number);
	close(self->server);
	self->server = -1;
	EXPECT_EQ(EOWNERDEAD, box_wait(child));

	server = box_fork();
	if (!server) {
		int fd = box_open_id(self->dev, id, R);
		struct ipcbox_incoming in;

		CHECK_EQ(1, box_receive(fd, &in, &number, 4, 0,
					IPCBOX_FOREVER));
		pause();
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	child = fork_caller(self, 6);
	EXPECT_EQ(0, box_await_held(self->fd, 1));
	kill(server, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(server));
	EXPECT_EQ(EOWNERDEAD, box_wait(child));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.messages);
	EXPECT_EQ(2, stat.withdrawn);
	EXPECT_EQ(0, stat.received);
}

TEST_F(call, no_server_any_more_is_epipe)
{
	int sender = box_open_id(self->dev, box_id(self->fd), W | M);
	pid_t child = box_fork();
	__u32 reply;

	ASSERT_LE(0, sender);
	if (!child) {
		close(self->fd);
		close(self->server);
		_exit(-box_ask(sender, 1, &reply));
	}
	EXPECT_EQ(0, box_await_messages(sender, 1));
	close(self->server);
	self->server = -1;
	close(self->fd);
	self->fd = sender;
	EXPECT_EQ(EPIPE, box_wait(child));
	EXPECT_EQ(-EPIPE, box_ask(sender, 1, &reply));
}

TEST_F(call, the_caller_is_gone_when_the_reply_comes)
{
	struct ipcbox_outgoing out = { };
	struct ipcbox_incoming in = { };
	struct ipcbox_stat stat;
	__u32 number;
	__u64 token;
	pid_t child;

	child = fork_caller(self, 1);
	token = take(_metadata, self->server, &number);
	kill(child, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child));
	EXPECT_EQ(-EPIPE, reply_number(self->server, token, 2));
	EXPECT_EQ(-ENOENT, reply_number(self->server, token, 2));

	child = fork_caller(self, 2);
	token = take(_metadata, self->server, &number);
	kill(child, SIGUSR1);
	EXPECT_EQ(EINTR, box_wait(child));
	EXPECT_EQ(-EPIPE, reply_number(self->server, token, 3));

	child = fork_caller(self, 3);
	token = take(_metadata, self->server, &number);
	kill(child, SIGUSR1);
	EXPECT_EQ(EINTR, box_wait(child));
	EXPECT_EQ(-EPIPE, box_settle(self->server, token, IPCBOX_NACK));

	/* In the object, where nobody has it yet. */
	EXPECT_EQ(-ETIMEDOUT, box_call(self->fd, &out, &in, 0, box_in_ms(20)));
	EXPECT_EQ(-EAGAIN, box_get(self->server, &number));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(4, stat.sent);
	EXPECT_EQ(4, stat.withdrawn);
	EXPECT_EQ(0, stat.held);
}

TEST_F(call, the_deadline_ends_it_though_a_server_has_it)
{
	__u32 *flag = box_shared(4096);
	struct ipcbox_outgoing out = { };
	struct ipcbox_incoming in = { };
	struct ipcbox_stat stat;
	unsigned int ms = 100;
	pid_t server;

	server = box_fork();
	if (!server) {
		__u32 number;

		CHECK_EQ(1, box_receive(self->server, &in, &number, 4, 0,
					IPCBOX_FOREVER));
		box_await_flag(flag, 1);
		CHECK_EQ(-EPIPE, box_reply(self->server, in.token, "x", 1, 0));
		_exit(0);
	}
	/* A slow server may not have come to take it; then another call. */
	do {
		EXPECT_EQ(-ETIMEDOUT, box_call(self->fd, &out, &in, 0,
					       box_in_ms(ms)));
		EXPECT_EQ(0, box_stat(self->fd, &stat));
		ms *= 2;
	} while (!stat.held);
	__atomic_store_n(flag, 1, __ATOMIC_RELEASE);
	EXPECT_EQ(0, box_wait(server));
}

TEST_F(call, a_reply_that_is_too_long_leaves_the_token)
{
	pid_t child = fork_caller(self, 5);
	char *large = calloc(1, 70000);
	__u32 number;
	__u64 token = take(_metadata, self->server, &number);

	EXPECT_EQ(-EMSGSIZE, box_reply(self->server, token, large, 5, 0));
	EXPECT_EQ(-EMSGSIZE, box_reply(self->server, token, large, 65537, 0));
	EXPECT_EQ(0, reply_number(self->server, token, 6));
	EXPECT_EQ(0, box_wait(child));
	free(large);
}

TEST_F(call, the_caller_pays_for_both_ways)
{
	struct ipcbox_info info;
	pid_t child = box_fork(), other;
	__u32 number;
	__u64 token, limit;

	if (!child) {
		struct ipcbox_outgoing out = {
			.data = (uintptr_t)&number,
			.length = 4,
		};
		struct ipcbox_incoming in = { .capacity = 1000 };
		char data[1000];

		in.data = (uintptr_t)data;
		CHECK_EQ(0, box_become(1000, 1000));
		CHECK_EQ(0, box_call(self->fd, &out, &in, 0, IPCBOX_FOREVER));
		CHECK_EQ(0, box_info(self->dev, &info));
		CHECK_EQ(0, info.user_bytes_used);
		CHECK_EQ(0, in.length);
		/* Without room for the reply it is not sent at all. */
		CHECK_EQ(0, box_info(self->dev, &info));
		in.capacity = 60000;
		CHECK_EQ(-EDQUOT, box_call(self->fd, &out, &in, 0,
					   IPCBOX_FOREVER));
		CHECK_EQ(0, box_info(self->dev, &info));
		CHECK_EQ(0, info.user_bytes_used);
		_exit(0);
	}
	token = take(_metadata, self->server, &number);
	/* Neither to this user, who serves, ... */
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(0, info.user_bytes_used);
	/* ... as another process of the caller's sees. */
	other = box_fork();
	if (!other) {
		CHECK_EQ(0, box_become(1000, 1000));
		CHECK_EQ(0, box_info(self->dev, &info));
		CHECK_EQ(4 + 128 + 1000 + 128, info.user_bytes_used);
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(other));
	EXPECT_EQ(0, box_parameter_get("user_bytes", &limit));
	EXPECT_EQ(0, box_parameter_set("user_bytes", 50000));
	EXPECT_EQ(0, box_reply(self->server, token, NULL, 0, 0));
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, box_parameter_set("user_bytes", limit));
	EXPECT_EQ(-EAGAIN, box_get(self->server, &number));
}

TEST_F(call, read_cannot_reply)
{
	pid_t child = fork_caller(self, 5);
	__u32 number;

	EXPECT_EQ(0, box_await_messages(self->fd, 1));
	EXPECT_EQ(4, read(self->server, &number, 4));
	EXPECT_EQ(5, number);
	EXPECT_EQ(EOPNOTSUPP, box_wait(child));
}

TEST_F(call, given_back_it_goes_to_another_server)
{
	pid_t child = fork_caller(self, 5);
	struct ipcbox_incoming in;
	__u32 number;
	__u64 token = take(_metadata, self->server, &number);

	EXPECT_EQ(0, box_settle(self->server, token, IPCBOX_NACK));
	EXPECT_EQ(1, box_hold(self->fd, &in, &number));
	EXPECT_EQ(1, in.deliveries);
	EXPECT_EQ(-ENOENT, reply_number(self->server, in.token, 6));
	EXPECT_EQ(0, reply_number(self->fd, in.token, 6));
	EXPECT_EQ(0, box_wait(child));

	/* But not for ever. */
	EXPECT_EQ(0, box_set_dead_letter(self->fd, 0, 1));
	child = fork_caller(self, 7);
	token = take(_metadata, self->server, &number);
	EXPECT_EQ(0, box_settle(self->server, token, IPCBOX_NACK));
	EXPECT_EQ(EOWNERDEAD, box_wait(child));
}

TEST_F(call, answer_tells_what_it_did)
{
	struct ipcbox_incoming in = { };
	struct ipcbox_answer answer = {
		.flags = IPCBOX_NOWAIT,
		.message = (uintptr_t)&in,
	};
	__u32 number, reply = 6;
	pid_t child;

	in.data = (uintptr_t)&number;
	in.capacity = sizeof(number);
	/* Without token as RECEIVE. */
	EXPECT_EQ(-EAGAIN, box_answer(self->server, &answer));
	answer.flags = 0;
	answer.deadline = box_in_ms(10);
	EXPECT_EQ(-ETIMEDOUT, box_answer(self->server, &answer));
	child = fork_caller(self, 5);
	answer.deadline = IPCBOX_FOREVER;
	EXPECT_EQ(1, box_answer(self->server, &answer));
	/* A token that is none: nothing is received. */
	EXPECT_EQ(1, box_put(self->fd, 50));
	answer.token = in.token + 1;
	answer.action = IPCBOX_REPLY;
	answer.data = (uintptr_t)&reply;
	answer.length = sizeof(reply);
	EXPECT_EQ(-ENOENT, box_answer(self->server, &answer));
	answer.token = in.token;
	answer.length = 5;
	EXPECT_EQ(-EMSGSIZE, box_answer(self->server, &answer));
	EXPECT_EQ(0, box_await_messages(self->fd, 1));
	answer.length = sizeof(reply);
	EXPECT_EQ(1, box_answer(self->server, &answer));
	EXPECT_EQ(50, number);
	EXPECT_EQ(0, in.token);
	EXPECT_EQ(0, box_wait(child));

	/* Settled, and nothing there: 0. */
	child = fork_caller(self, 5);
	answer.token = take(_metadata, self->server, &number);
	answer.flags = IPCBOX_NOWAIT;
	EXPECT_EQ(0, box_answer(self->server, &answer));
	EXPECT_EQ(0, box_wait(child));
	/* Withdrawn, and nothing there: 0; else the next message. */
	child = fork_caller(self, 5);
	answer.token = take(_metadata, self->server, &number);
	kill(child, SIGKILL);
	box_wait(child);
	EXPECT_EQ(0, box_answer(self->server, &answer));
	EXPECT_EQ(-ENOENT, box_answer(self->server, &answer));
	child = fork_caller(self, 5);
	answer.token = take(_metadata, self->server, &number);
	kill(child, SIGKILL);
	box_wait(child);
	EXPECT_EQ(1, box_put(self->fd, 51));
	answer.flags = IPCBOX_HOLD;
	EXPECT_EQ(1, box_answer(self->server, &answer));
	EXPECT_EQ(51, number);
	EXPECT_NE(0, in.token);
	EXPECT_EQ(0, box_settle(self->server, in.token, IPCBOX_ACK));
}

TEST_F(call, a_reply_that_the_caller_cannot_store_is_efault)
{
	struct ipcbox_outgoing out = { };
	struct ipcbox_incoming in = { .data = 8, .capacity = 4 };
	pid_t child = box_fork();
	__u32 number;
	__u64 token;

	if (!child) {
		CHECK_EQ(-EFAULT, box_call(self->fd, &out, &in, 0,
					   IPCBOX_FOREVER));
		_exit(0);
	}
	token = take(_metadata, self->server, &number);
	EXPECT_EQ(0, reply_number(self->server, token, 1));
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(call, not_waiting_concerns_room_only)
{
	struct ipcbox_outgoing out = { };
	struct ipcbox_incoming in = { };
	__u32 number;

	EXPECT_EQ(0, box_set_max_messages(self->fd, 1));
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(-EAGAIN, box_call(self->fd, &out, &in, IPCBOX_NOWAIT,
				    IPCBOX_FOREVER));
	EXPECT_EQ(-ETIMEDOUT, box_call(self->fd, &out, &in, 0, box_in_ms(20)));
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(-ETIMEDOUT, box_call(self->fd, &out, &in, IPCBOX_NOWAIT,
				       box_in_ms(20)));
	/* Nor is there any room for it, or for its reply, taken. */
	EXPECT_EQ(-EAGAIN, box_get(self->fd, &number));
}

TEST_HARNESS_MAIN
