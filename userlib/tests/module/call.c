/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Calls: the reply, or exactly why there is none; and a server's loop. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

#define CALLERS	6

/* Receives a call, which must be this text, and returns its header. */
static struct ipcbox_incoming receive_call(struct ipcbox_handle *server,
					   const char *text)
{
	struct ipcbox_incoming header = { .token = 0 };
	char buffer[64] = "";

	equal(ipcbox_receive(server, buffer, sizeof(buffer) - 1, &header, 0, 0),
	      strlen(text));
	check(strcmp(buffer, text) == 0);
	equal(header.flags, IPCBOX_INCOMING_CALL);
	check(header.token != 0);
	return header;
}

static void the_reply_reaches_its_caller(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_incoming header;
	struct exchange caller;

	equal(send_text(queue, "before"), 0);
	expect_text(queue, "before");
	begin_call(&caller, queue, "question", 0);
	header = receive_call(queue, "question");
	equal(header.pid, getpid());
	check(!has_ended(&caller));
	equal(ipcbox_reply(queue, header.token, "answer", 6, 42), 0);
	equal(end_exchange(&caller), 6);
	check(strcmp(caller.reply, "answer") == 0);
	equal(caller.header.length, 6);
	equal(caller.header.tag, 42);
	equal(caller.header.sequence, 2);
	equal(caller.header.priority, 0);
	equal(caller.header.pid, getpid());
	equal(caller.header.token, 0);
	/* Once. */
	equal(ipcbox_reply(queue, header.token, "again", 5, 0), -ENOENT);
	equal(state_of(queue).received, 2);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void serve_as_other(void *argument)
{
	struct ipcbox_incoming header;

	become_other_user();
	header = receive_call(argument, "who");
	equal(ipcbox_reply(argument, header.token, NULL, 0, 0), 0);
}

static void the_caller_knows_who_replied(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_incoming header;
	pid_t child = tap_spawn(serve_as_other, queue);

	memset(&header, 0xff, sizeof(header));
	equal(ipcbox_call(queue, "who", 3, NULL, 0, NULL, &header), 0);
	equal(header.length, 0);
	equal(header.pid, child);
	equal(header.uid, OTHER_USER);
	equal(header.gid, OTHER_GROUP);
	join(child);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void replies_may_come_in_any_order(void)
{
	static const char *const texts[CALLERS] = {
		"a", "bb", "ccc", "dddd", "eeeee", "ffffff",
	};
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_incoming headers[CALLERS];
	struct exchange callers[CALLERS];
	char buffers[CALLERS][8];
	int i;

	for (i = 0; i < CALLERS; i++)
		begin_call(&callers[i], queue, texts[i], 0);
	for (i = 0; i < CALLERS; i++)
		check(ipcbox_receive(queue, buffers[i], 8, &headers[i], 0,
				     0) > 0);
	for (i = CALLERS - 1; i >= 0; i--)
		equal(ipcbox_reply(queue, headers[i].token, buffers[i],
				   headers[i].length, 0), 0);
	for (i = 0; i < CALLERS; i++) {
		equal(end_exchange(&callers[i]), i + 1);
		check(strcmp(callers[i].reply, texts[i]) == 0);
	}
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void a_loop_answers_one_call_after_the_other(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_settlement last = { .token = 0 };
	struct ipcbox_incoming request;
	struct exchange callers[CALLERS];
	char text[64];
	int i;

	for (i = 0; i < CALLERS; i++)
		begin_call(&callers[i], queue, "echo", 0);
	for (i = 0; i < CALLERS; i++) {
		equal(ipcbox_answer(queue, &last, text, sizeof(text), &request,
				    0, 0), 1);
		equal(request.length, 4);
		last = (struct ipcbox_settlement){
			.token = request.token, .action = IPCBOX_REPLY,
			.data = text, .length = request.length, .tag = 5,
		};
	}
	/* The last one is replied to, though nothing more comes. */
	equal(ipcbox_answer(queue, &last, text, sizeof(text), &request, 0,
			    ipcbox_deadline_after_ms(10)), 0);
	check(request.token == 0);
	equal(ipcbox_answer(queue, NULL, text, sizeof(text), &request, 0,
			    ipcbox_deadline_after_ms(10)), -ETIMEDOUT);
	equal(ipcbox_answer(queue, &last, text, sizeof(text), &request,
			    IPCBOX_NOWAIT, 0), -ENOENT);
	equal(ipcbox_answer(queue, NULL, text, sizeof(text), &request,
			    IPCBOX_NOWAIT, 0), -EAGAIN);
	for (i = 0; i < CALLERS; i++) {
		equal(end_exchange(&callers[i]), 4);
		check(strcmp(callers[i].reply, "echo") == 0);
		equal(callers[i].header.tag, 5);
	}
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void answering_settles_held_messages_too(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_settlement last = { .token = 0 };
	struct ipcbox_incoming job;
	char text[8];

	equal(send_text(queue, "one"), 0);
	equal(send_text(queue, "two"), 0);
	equal(ipcbox_answer(queue, NULL, text, sizeof(text), &job, IPCBOX_HOLD,
			    0), 1);
	last.token = job.token;
	last.action = IPCBOX_NACK;
	equal(ipcbox_answer(queue, &last, text, sizeof(text), &job, IPCBOX_HOLD,
			    0), 1);
	equal(job.sequence, 1);
	equal(job.deliveries, 1);
	last.token = job.token;
	last.action = IPCBOX_ACK;
	equal(ipcbox_answer(queue, &last, text, sizeof(text), &job, IPCBOX_HOLD,
			    0), 1);
	equal(job.sequence, 2);
	equal(state_of(queue).received, 1);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void an_answer_that_cannot_be_is_refused(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_settlement last = { .action = IPCBOX_ACK };
	struct ipcbox_incoming job;
	char text[8];

	equal(send_text(queue, "one"), 0);
	equal(send_text(queue, "longer"), 0);
	/* An action for nothing. */
	equal(ipcbox_answer(queue, &last, text, sizeof(text), &job, 0, 0),
	      -EINVAL);
	equal(ipcbox_answer(queue, NULL, text, sizeof(text), &job, IPCBOX_HOLD,
			    0), 1);
	last = (struct ipcbox_settlement){ .token = job.token };
	equal(ipcbox_answer(queue, &last, text, sizeof(text), &job, 0, 0),
	      -EINVAL);
	last.action = IPCBOX_REPLY;
	equal(ipcbox_answer(queue, &last, text, sizeof(text), &job, 0, 0),
	      -EINVAL);
	last.action = IPCBOX_ACK;
	last.tag = 1;
	equal(ipcbox_answer(queue, &last, text, sizeof(text), &job, 0, 0),
	      -EINVAL);
	last.tag = 0;
	equal(state_of(queue).held, 1);
	/* Settled; what follows is too long, which the next call tells. */
	equal(ipcbox_answer(queue, &last, text, 2, &job, 0, 0), 0);
	equal(state_of(queue).held, 0);
	equal(ipcbox_answer(queue, NULL, text, 2, &job, 0, 0), -EMSGSIZE);
	equal(job.length, 6);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void what_is_given_back_is_for_the_next_server(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_handle *other = reopen(box, queue, RECEIVE);
	struct ipcbox_incoming header;
	struct exchange caller;

	begin_call(&caller, queue, "question", 0);
	header = receive_call(queue, "question");
	/* A call is not acknowledged. */
	equal(ipcbox_ack(queue, header.token), -EINVAL);
	equal(ipcbox_nack(queue, header.token), 0);
	check(!has_ended(&caller));
	header = receive_call(other, "question");
	equal(header.deliveries, 1);
	equal(ipcbox_reply(queue, header.token, "no", 2, 0), -ENOENT);
	equal(ipcbox_reply(other, header.token, "yes", 3, 0), 0);
	equal(end_exchange(&caller), 3);
	ipcbox_close(other);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void given_back_too_often_it_is_eownerdead(void)
{
	struct ipcbox_set changes = {
		.mask = IPCBOX_SET_MAX_DELIVERIES, .max_deliveries = 2,
	};
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue =
		create(box, .rights = RECEIVE | SEND | MANAGE);
	struct exchange caller;

	equal(ipcbox_set(queue, &changes), 0);
	begin_call(&caller, queue, "bad", 0);
	equal(ipcbox_nack(queue, receive_call(queue, "bad").token), 0);
	equal(ipcbox_nack(queue, receive_call(queue, "bad").token), 0);
	equal(end_exchange(&caller), -EOWNERDEAD);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

/* Received before its deadline, however slow the machine. */
static struct ipcbox_incoming receive_in_time(struct exchange *caller,
					      struct ipcbox_handle *queue,
					      const char *question)
{
	struct ipcbox_incoming header;
	unsigned int ms = 100;
	uint64_t deadline;
	char text[8];

	for (;; ms *= 2) {
		deadline = ipcbox_deadline_after_ms(ms);
		begin_call(caller, queue, question, deadline);
		if (ipcbox_receive(queue, text, sizeof(text), &header, 0,
				   deadline) == (ssize_t)strlen(question))
			return header;
		equal(end_exchange(caller), -ETIMEDOUT);
	}
}

static void a_late_server_is_etimedout(void)
{
	struct ipcbox_settlement late = { .action = IPCBOX_REPLY };
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_incoming first, second;
	struct exchange callers[2];
	char text[8];

	first = receive_in_time(&callers[0], queue, "one");
	second = receive_in_time(&callers[1], queue, "two");
	equal(end_exchange(&callers[0]), -ETIMEDOUT);
	equal(end_exchange(&callers[1]), -ETIMEDOUT);
	equal(ipcbox_reply(queue, first.token, "late", 4, 0), -EPIPE);
	equal(ipcbox_reply(queue, first.token, "late", 4, 0), -ENOENT);
	/* In a loop, that is no hindrance. */
	equal(send_text(queue, "next"), 0);
	late.token = second.token;
	equal(ipcbox_answer(queue, &late, text, sizeof(text), &first, 0, 0), 1);
	equal(first.length, 4);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void no_server_is_etimedout_and_leaves_nothing(void)
{
	struct ipcbox_send_options options = { .tag = 1 };
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);

	options.deadline = ipcbox_deadline_after_ms(20);
	equal(ipcbox_call(queue, "x", 1, NULL, 0, &options, NULL), -ETIMEDOUT);
	equal(state_of(queue).messages, 0);
	/* A lifetime is for being received. */
	options.deadline = 0;
	options.lifetime = 20000000;
	equal(ipcbox_call(queue, "x", 1, NULL, 0, &options, NULL), -ETIMEDOUT);
	equal(state_of(queue).expired, 1);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

struct server {
	struct ipcbox *box;
	struct ipcbox_handle *queue;
};

/* By a handle of its own, which its death closes. */
static void take_and_stay(void *argument)
{
	struct server *server = argument;

	receive_call(reopen(server->box, server->queue, RECEIVE), "question");
	for (;;)
		pause();
}

static void a_killed_server_is_eownerdead(void)
{
	struct server server = { .box = open_box() };
	struct exchange caller;
	pid_t child;

	server.queue = create(server.box, .kind = IPCBOX_QUEUE);
	child = tap_spawn(take_and_stay, &server);
	begin_call(&caller, server.queue, "question", 0);
	await_held(server.queue, 1);
	kill_child(child);
	equal(end_exchange(&caller), -EOWNERDEAD);
	/* It is not for another: the caller knows that one had it. */
	equal(state_of(server.queue).messages, 0);
	ipcbox_close(server.queue);
	ipcbox_box_close(server.box);
}

static void a_server_that_closes_ends_its_calls(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *server = create(box, .kind = IPCBOX_MAILBOX,
					      .rights = RECEIVE);
	struct ipcbox_handle *client = reopen(box, server, SEND);
	struct exchange taken, waiting;

	begin_call(&taken, client, "taken", 0);
	receive_call(server, "taken");
	begin_call(&waiting, client, "waiting", 0);
	await_messages(client, 1);
	ipcbox_close(server);
	equal(end_exchange(&taken), -EOWNERDEAD);
	equal(end_exchange(&waiting), -EPIPE);
	equal(ipcbox_call(client, "x", 1, NULL, 0, NULL, NULL), -EPIPE);
	ipcbox_close(client);
	ipcbox_box_close(box);
}

static void call_for_ever(void *argument)
{
	ipcbox_call(argument, "question", 8, NULL, 0, NULL, NULL);
}

static void a_killed_caller_is_epipe(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_incoming header;
	struct ipcbox_info info;
	pid_t child = tap_spawn(call_for_ever, queue);

	header = receive_call(queue, "question");
	kill_child(child);
	equal(ipcbox_reply(queue, header.token, "answer", 6, 0), -EPIPE);
	equal(ipcbox_info(box, &info), 0);
	equal(info.user_bytes_used, 0);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void read_cannot_reply(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct exchange caller;
	char text[16];

	begin_call(&caller, queue, "question", 0);
	equal(read(ipcbox_handle_fd(queue), text, sizeof(text)), 8);
	equal(end_exchange(&caller), -EOPNOTSUPP);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void note(int number)
{
	(void)number;
}

static void a_signal_ends_a_call(void)
{
	/* A call is never restarted. */
	struct sigaction action = { .sa_handler = note,
				    .sa_flags = SA_RESTART };
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_incoming header;
	struct exchange caller;

	require(sigaction(SIGUSR1, &action, NULL) == 0);
	begin_call(&caller, queue, "question", 0);
	header = receive_call(queue, "question");
	pthread_kill(caller.thread, SIGUSR1);
	equal(end_exchange(&caller), -EINTR);
	equal(ipcbox_reply(queue, header.token, "answer", 6, 0), -EPIPE);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void a_long_reply_can_be_shortened(void)
{
	struct ipcbox_settlement settlement = { .action = IPCBOX_REPLY };
	char large[128] = "";
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .max_message_bytes = 100);
	struct ipcbox_incoming header, next;
	struct exchange caller;

	begin_call(&caller, queue, "question", 0);
	header = receive_call(queue, "question");
	/* More than the caller has room for, than the object takes, than is. */
	equal(ipcbox_reply(queue, header.token, large, 64, 0), -EMSGSIZE);
	equal(ipcbox_reply(queue, header.token, large, 101, 0), -EMSGSIZE);
	settlement.token = header.token;
	settlement.data = large;
	settlement.length = 64;
	equal(ipcbox_answer(queue, &settlement, NULL, 0, &next, IPCBOX_NOWAIT,
			    0), -EMSGSIZE);
#if SIZE_MAX > UINT32_MAX
	settlement.length = (1ull << 32) + 1;
	equal(ipcbox_reply(queue, header.token, large, settlement.length, 0),
	      -EMSGSIZE);
	equal(ipcbox_answer(queue, &settlement, NULL, 0, &next, IPCBOX_NOWAIT,
			    0), -EMSGSIZE);
#endif
	check(!has_ended(&caller));
	equal(ipcbox_reply(queue, header.token, large, 63, 0), 0);
	equal(end_exchange(&caller), 63);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void bad_arguments_are_refused(void)
{
	struct ipcbox_send_options options = { .flags = IPCBOX_SYNC };
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .max_message_bytes = 4);
	struct ipcbox_handle *receiver = reopen(box, queue, RECEIVE);

	equal(ipcbox_call(queue, "x", 1, NULL, 0, &options, NULL), -EINVAL);
	options = (struct ipcbox_send_options){
		.priority = IPCBOX_PRIORITY_MAX + 1,
	};
	equal(ipcbox_call(queue, "x", 1, NULL, 0, &options, NULL), -EINVAL);
	options = (struct ipcbox_send_options){ .deadline = 1ull << 63 };
	equal(ipcbox_call(queue, "x", 1, NULL, 0, &options, NULL), -EINVAL);
	equal(ipcbox_call(queue, "fives", 5, NULL, 0, NULL, NULL), -EMSGSIZE);
#if SIZE_MAX > UINT32_MAX
	equal(ipcbox_call(queue, "four", (1ull << 32) + 4, NULL, 0, NULL, NULL),
	      -EMSGSIZE);
#endif
	equal(ipcbox_call(queue, (void *)16, 1, NULL, 0, NULL, NULL), -EFAULT);
	equal(ipcbox_call(receiver, "x", 1, NULL, 0, NULL, NULL), -EACCES);
	equal(state_of(queue).sent, 0);
	ipcbox_close(receiver);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void a_full_object_is_eagain(void)
{
	struct ipcbox_send_options options = { .flags = IPCBOX_NOWAIT };
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .max_messages = 1);

	equal(send_text(queue, "full"), 0);
	equal(ipcbox_call(queue, "x", 1, NULL, 0, &options, NULL), -EAGAIN);
	equal(state_of(queue).sent, 1);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void room_for_the_reply_is_charged_to_the_caller(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_incoming header;
	struct exchange caller;
	struct ipcbox_info info;

	begin_call(&caller, queue, "question", 0);
	header = receive_call(queue, "question");
	equal(ipcbox_info(box, &info), 0);
	check(info.user_bytes_used >= 8 + sizeof(caller.reply) - 1);
	equal(ipcbox_reply(queue, header.token, "answer", 6, 0), 0);
	equal(end_exchange(&caller), 6);
	equal(ipcbox_info(box, &info), 0);
	equal(info.user_bytes_used, 0);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void errno_is_left_alone(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_send_options options = { .deadline = 1 };
	struct ipcbox_incoming header;

	errno = ECHILD;
	ipcbox_call(queue, "x", 1, NULL, 0, &options, NULL);
	ipcbox_ack(queue, 1);
	ipcbox_nack(queue, 1);
	ipcbox_reply(queue, 1, NULL, 0, 0);
	ipcbox_answer(queue, NULL, NULL, 0, &header, IPCBOX_NOWAIT, 0);
	equal(errno, ECHILD);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

TAP_MAIN(own_box, TAP_TEST(the_reply_reaches_its_caller),
	 TAP_TEST(the_caller_knows_who_replied),
	 TAP_TEST(replies_may_come_in_any_order),
	 TAP_TEST(a_loop_answers_one_call_after_the_other),
	 TAP_TEST(answering_settles_held_messages_too),
	 TAP_TEST(an_answer_that_cannot_be_is_refused),
	 TAP_TEST(what_is_given_back_is_for_the_next_server),
	 TAP_TEST(given_back_too_often_it_is_eownerdead),
	 TAP_TEST(a_late_server_is_etimedout),
	 TAP_TEST(no_server_is_etimedout_and_leaves_nothing),
	 TAP_TEST(a_killed_server_is_eownerdead),
	 TAP_TEST(a_server_that_closes_ends_its_calls),
	 TAP_TEST(a_killed_caller_is_epipe), TAP_TEST(read_cannot_reply),
	 TAP_TEST(a_signal_ends_a_call),
	 TAP_TEST(a_long_reply_can_be_shortened),
	 TAP_TEST(bad_arguments_are_refused), TAP_TEST(a_full_object_is_eagain),
	 TAP_TEST(room_for_the_reply_is_charged_to_the_caller),
	 TAP_TEST(errno_is_left_alone))
