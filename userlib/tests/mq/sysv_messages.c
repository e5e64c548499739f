/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* msgsnd and msgrcv: msgop(2). */
#include <limits.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "queues.h"

/* An msgqid that no queue had. */
#define NO_QUEUE	0x7ffffff0

static void in_order(void)
{
	int queue = make_msg(0600);

	put_msg(queue, 3, "first");
	put_msg(queue, 1, "");
	put_msg(queue, 2, "third");
	expect_msg(queue, 0, 0, 3, "first");
	expect_msg(queue, 0, 0, 1, "");
	expect_msg(queue, 0, 0, 2, "third");
	fails(msgrcv(queue, &(struct text_message){ 0 }, 64, 0, IPC_NOWAIT),
	      ENOMSG);
}

static void fill_types(int queue)
{
	static const struct { long type; const char *text; } messages[] = {
		{ 5, "a" }, { 3, "b" }, { 7, "c" }, { 3, "d" }, { 5, "e" },
		{ LONG_MAX, "f" },
	};
	unsigned int i;

	for (i = 0; i < sizeof(messages) / sizeof(*messages); i++)
		put_msg(queue, messages[i].type, messages[i].text);
}

static void a_positive_type_is_that_type(void)
{
	int queue = make_msg(0600);

	fill_types(queue);
	expect_msg(queue, 3, 0, 3, "b");
	expect_msg(queue, 5, 0, 5, "a");
	expect_msg(queue, 3, 0, 3, "d");
	fails(msgrcv(queue, &(struct text_message){ 0 }, 64, 3, IPC_NOWAIT),
	      ENOMSG);
	fails(msgrcv(queue, &(struct text_message){ 0 }, 64, 4, IPC_NOWAIT),
	      ENOMSG);
	expect_msg(queue, LONG_MAX, 0, LONG_MAX, "f");
	expect_msg(queue, 0, 0, 7, "c");
	expect_msg(queue, 0, 0, 5, "e");
}

static void a_negative_type_is_the_lowest(void)
{
	int queue = make_msg(0600);

	fill_types(queue);
	fails(msgrcv(queue, &(struct text_message){ 0 }, 64, -2, IPC_NOWAIT),
	      ENOMSG);
	expect_msg(queue, -6, 0, 3, "b");
	expect_msg(queue, -6, 0, 3, "d");
	expect_msg(queue, -6, 0, 5, "a");
	expect_msg(queue, -100, 0, 5, "e");
	expect_msg(queue, -100, 0, 7, "c");
	fails(msgrcv(queue, &(struct text_message){ 0 }, 64, -100, IPC_NOWAIT),
	      ENOMSG);
	put_msg(queue, 1, "g");
	expect_msg(queue, LONG_MIN, 0, 1, "g");
	expect_msg(queue, LONG_MIN, 0, LONG_MAX, "f");
}

static void msg_except_is_any_other(void)
{
	int queue = make_msg(0600);

	fill_types(queue);
	expect_msg(queue, 5, MSG_EXCEPT, 3, "b");
	expect_msg(queue, 5, MSG_EXCEPT, 7, "c");
	expect_msg(queue, 3, MSG_EXCEPT, 5, "a");
	/* It means nothing with these. */
	expect_msg(queue, 0, MSG_EXCEPT, 3, "d");
	expect_msg(queue, -5, MSG_EXCEPT, 5, "e");
	fails(msgrcv(queue, &(struct text_message){ 0 }, 64, LONG_MAX,
		     IPC_NOWAIT | MSG_EXCEPT), ENOMSG);
}

static void too_long_is_e2big_or_cut(void)
{
	int queue = make_msg(0600);
	struct text_message message = { .text = "........" };

	put_msg(queue, 1, "longer");
	put_msg(queue, 2, "next");
	fails(msgrcv(queue, &message, 5, 0, IPC_NOWAIT), E2BIG);
	fails(msgrcv(queue, &message, 0, 0, 0), E2BIG);
	equal(state_of(queue).msg_qnum, 2);
	equal(msgrcv(queue, &message, 3, 0, MSG_NOERROR), 3);
	equal(message.type, 1);
	check(!memcmp(message.text, "lon.....", 8));
	equal(msgrcv(queue, &message, 0, 0, MSG_NOERROR), 0);
	equal(message.type, 2);
	equal(state_of(queue).msg_qnum, 0);
}

static void msg_copy_looks_at_a_place(void)
{
	int queue = make_msg(0600);
	struct text_message message = { 0 };
	ssize_t length;

	fill_types(queue);
	length = msgrcv(queue, &message, 64, 0, MSG_COPY | IPC_NOWAIT);
	if (length < 0 && errno == ENOSYS)
		return;		/* this kernel has it not */
	equal(length, 1);
	expect_msg(queue, 2, MSG_COPY, 7, "c");
	expect_msg(queue, 0, MSG_COPY, 5, "a");
	expect_msg(queue, 5, MSG_COPY, LONG_MAX, "f");
	equal(state_of(queue).msg_qnum, 6);
	equal(state_of(queue).msg_lrpid, 0);
	fails(msgrcv(queue, &message, 64, 6, MSG_COPY | IPC_NOWAIT), ENOMSG);
	fails(msgrcv(queue, &message, 64, -1, MSG_COPY | IPC_NOWAIT), ENOMSG);
	fails(msgrcv(queue, &message, 64, 0, MSG_COPY), EINVAL);
	fails(msgrcv(queue, &message, 64, 0,
		     MSG_COPY | MSG_EXCEPT | IPC_NOWAIT), EINVAL);
	fails(msgrcv(queue, &message, 0, 0, MSG_COPY | IPC_NOWAIT), E2BIG);
	fails(msgrcv(queue, &message, 0, 0,
		     MSG_COPY | MSG_NOERROR | IPC_NOWAIT), EINVAL);
	expect_msg(queue, 0, 0, 5, "a");
	expect_msg(queue, 0, MSG_COPY, 3, "b");
}

static void wrong_arguments_are_einval(void)
{
	int queue = make_msg(0600);
	struct text_message message = { .type = 1 };
	struct msginfo info;
	char *large;

	works(msgctl(0, IPC_INFO, (struct msqid_ds *)(void *)&info));
	large = calloc(1, (size_t)info.msgmax + 64);
	*(long *)(void *)large = 1;
	fails(msgsnd(queue, large, (size_t)info.msgmax + 1, IPC_NOWAIT), EINVAL);
	works(msgsnd(queue, large, (size_t)info.msgmax, IPC_NOWAIT));
	equal(msgrcv(queue, large, (size_t)info.msgmax, 0, 0), info.msgmax);
	free(large);

	message.type = 0;
	fails(msgsnd(queue, &message, 1, IPC_NOWAIT), EINVAL);
	message.type = -1;
	fails(msgsnd(queue, &message, 1, IPC_NOWAIT), EINVAL);
	message.type = 1;
	fails(msgsnd(queue, &message, (size_t)-1, IPC_NOWAIT), EINVAL);
	fails(msgsnd(-1, &message, 1, IPC_NOWAIT), EINVAL);
	fails(msgsnd(NO_QUEUE, &message, 1, IPC_NOWAIT), EINVAL);
	fails(msgrcv(queue, &message, (size_t)-1, 0, IPC_NOWAIT), EINVAL);
	fails(msgrcv(-1, &message, 1, 0, IPC_NOWAIT), EINVAL);
	fails(msgrcv(NO_QUEUE, &message, 1, 0, IPC_NOWAIT), EINVAL);
	equal(state_of(queue).msg_qnum, 0);
}

static void bad_memory_is_efault(void)
{
	int queue = make_msg(0600);
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct text_message *edge;

	require(page != MAP_FAILED && !munmap(page + 4096, 4096));
	edge = (void *)(page + 4096 - sizeof(long));
	fails(msgsnd(queue, (void *)8, 1, IPC_NOWAIT), EFAULT);
	fails(msgsnd(queue, page + 4096, 0, IPC_NOWAIT), EFAULT);
	edge->type = 1;
	works(msgsnd(queue, edge, 0, IPC_NOWAIT));
	fails(msgsnd(queue, edge, 1, IPC_NOWAIT), EFAULT);
	equal(state_of(queue).msg_qnum, 1);
	/* Nothing is looked at before there is a message. */
	fails(msgrcv(queue, (void *)8, 1, 2, IPC_NOWAIT), ENOMSG);
	fails(msgrcv(queue, (void *)8, 1, 0, IPC_NOWAIT), EFAULT);
	put_msg(queue, 1, "x");
	fails(msgrcv(queue, edge, 1, 0, IPC_NOWAIT), EFAULT);
}

static void only_alice(void *argument)
{
	int *queues = argument;
	struct text_message message = { .type = 1 };

	become(ALICE);
	fails(msgsnd(queues[0], &message, 1, IPC_NOWAIT), EACCES);
	fails(msgrcv(queues[0], &message, 1, 0, IPC_NOWAIT), EACCES);
	works(msgsnd(queues[1], &message, 1, IPC_NOWAIT));
	fails(msgrcv(queues[1], &message, 1, 0, IPC_NOWAIT), EACCES);
	fails(msgsnd(queues[2], &message, 1, IPC_NOWAIT), EACCES);
	fails(msgrcv(queues[2], &message, 1, 0, IPC_NOWAIT), ENOMSG);
}

static void permissions_are_those_of_the_caller(void)
{
	int queues[] = { make_msg(0600), make_msg(0602), make_msg(0604) };
	int i;

	/* This process has used them all: that gives a child nothing. */
	for (i = 0; i < 3; i++) {
		put_msg(queues[i], 1, "x");
		expect_msg(queues[i], 0, 0, 1, "x");
	}
	join(tap_spawn(only_alice, queues));
}

/*
 * Waiting
 */

static void receives_type_two(void *argument)
{
	struct text_message message;

	about_to_block();
	equal(msgrcv(*(int *)argument, &message, 64, 2, 0), 3);
	equal(message.type, 2);
	check(!memcmp(message.text, "two", 3));
}

static void a_receiver_waits_for_its_type(void)
{
	int queue = make_msg(0600);
	struct blocked child = begin_blocked(receives_type_two, &queue);

	await_blocked(&child);
	put_msg(queue, 1, "one");
	put_msg(queue, 2, "two");
	join(child.pid);
	expect_msg(queue, 0, 0, 1, "one");
	equal(state_of(queue).msg_lrpid, getpid());
}

static void receives_low(void *argument)
{
	struct text_message message;

	about_to_block();
	equal(msgrcv(*(int *)argument, &message, 64, -3, 0), 1);
	equal(message.type, 3);
}

static void receives_other(void *argument)
{
	struct text_message message;

	about_to_block();
	equal(msgrcv(*(int *)argument, &message, 64, 9, MSG_EXCEPT), 1);
	equal(message.type, 4);
}

static void receivers_wait_for_ranges(void)
{
	int queue = make_msg(0600);
	struct blocked low = begin_blocked(receives_low, &queue), other;

	await_blocked(&low);
	put_msg(queue, 4, "-");
	put_msg(queue, 3, "+");
	join(low.pid);
	expect_msg(queue, 0, 0, 4, "-");
	other = begin_blocked(receives_other, &queue);
	await_blocked(&other);
	put_msg(queue, 9, "-");
	put_msg(queue, 4, "+");
	join(other.pid);
	expect_msg(queue, 0, 0, 9, "-");
}

static void receives_little(void *argument)
{
	struct text_message message;

	about_to_block();
	fails(msgrcv(*(int *)argument, &message, 2, 0, 0), E2BIG);
}

static void receives_cut(void *argument)
{
	struct text_message message;

	about_to_block();
	equal(msgrcv(*(int *)argument, &message, 2, 0, MSG_NOERROR), 2);
}

static void who_waits_with_little_room(void)
{
	int queue = make_msg(0600);
	struct blocked child = begin_blocked(receives_little, &queue);

	await_blocked(&child);
	put_msg(queue, 1, "long");
	join(child.pid);
	expect_msg(queue, 0, 0, 1, "long");
	child = begin_blocked(receives_cut, &queue);
	await_blocked(&child);
	put_msg(queue, 1, "long");
	join(child.pid);
	equal(state_of(queue).msg_qnum, 0);
}

/* A queue of 100 bytes. */
static int small_queue(void)
{
	int queue = make_msg(0600);
	struct msqid_ds state = state_of(queue);

	state.msg_qbytes = 100;
	works(msgctl(queue, IPC_SET, &state));
	return queue;
}

static void sends_ninety(void *argument)
{
	char data[sizeof(long) + 90] = { 1 };

	about_to_block();
	works(msgsnd(*(int *)argument, data, 90, 0));
}

static void send_bytes(int queue, size_t length)
{
	char data[sizeof(long) + 128] = { 1 };

	works(msgsnd(queue, data, length, IPC_NOWAIT));
}

static void a_sender_waits_and_what_fits_passes(void)
{
	int queue = small_queue();
	struct text_message message = { .type = 1 };
	struct blocked child;

	send_bytes(queue, 60);
	fails(msgsnd(queue, &message, 41, IPC_NOWAIT), EAGAIN);
	child = begin_blocked(sends_ninety, &queue);
	await_blocked(&child);
	send_bytes(queue, 40);
	fails(msgsnd(queue, &message, 1, IPC_NOWAIT), EAGAIN);
	equal(msgrcv(queue, &message, 64, 0, 0), 60);
	equal(msgrcv(queue, &message, 64, 0, 0), 40);
	join(child.pid);
	equal(state_of(queue).msg_cbytes, 90);
}

static void empty_messages_count_too(void)
{
	int queue = small_queue();
	struct text_message message = { .type = 1 };
	int i;

	for (i = 0; i < 100; i++)
		works(msgsnd(queue, &message, 0, IPC_NOWAIT));
	fails(msgsnd(queue, &message, 0, IPC_NOWAIT), EAGAIN);
	equal(state_of(queue).msg_qnum, 100);
	equal(state_of(queue).msg_cbytes, 0);
}

static void what_never_fits_waits_until_it_does(void)
{
	int queue = small_queue();
	struct msqid_ds state = state_of(queue);
	struct blocked child;
	struct text_message message = { .type = 1 };

	state.msg_qbytes = 10;
	works(msgctl(queue, IPC_SET, &state));
	fails(msgsnd(queue, &message, 11, IPC_NOWAIT), EAGAIN);
	child = begin_blocked(sends_ninety, &queue);
	await_blocked(&child);
	state.msg_qbytes = 90;
	works(msgctl(queue, IPC_SET, &state));
	join(child.pid);
	equal(state_of(queue).msg_cbytes, 90);
	state.msg_qbytes = 0;
	works(msgctl(queue, IPC_SET, &state));
	fails(msgsnd(queue, &message, 0, IPC_NOWAIT), EAGAIN);
	equal(state_of(queue).msg_qbytes, 0);
}

static void is_interrupted(void *argument)
{
	struct text_message message = { .type = 1 };
	int *queue = argument;

	count_signals(SIGUSR1, SA_RESTART);
	about_to_block();
	if (queue[1])
		fails(msgsnd(queue[0], &message, 50, 0), EINTR);
	else
		fails(msgrcv(queue[0], &message, 64, 0, 0), EINTR);
	equal(handled, 1);
}

/* Whatever SA_RESTART says. */
static void a_handler_interrupts(void)
{
	int queue[2] = { small_queue(), 0 };
	struct blocked child = begin_blocked(is_interrupted, queue);

	await_blocked(&child);
	kill(child.pid, SIGUSR1);
	join(child.pid);
	send_bytes(queue[0], 60);
	queue[1] = 1;
	child = begin_blocked(is_interrupted, queue);
	await_blocked(&child);
	kill(child.pid, SIGUSR1);
	join(child.pid);
	equal(state_of(queue[0]).msg_qnum, 1);
}

static void stopped_and_continued_it_waits_on(void)
{
	int queue = make_msg(0600);
	struct blocked child = begin_blocked(receives_type_two, &queue);
	int status;

	await_blocked(&child);
	kill(child.pid, SIGSTOP);
	check(waitpid(child.pid, &status, WUNTRACED) == child.pid);
	kill(child.pid, SIGCONT);
	check(waitpid(child.pid, &status, WCONTINUED) == child.pid);
	await_sleeping(child.pid);
	put_msg(queue, 2, "two");
	join(child.pid);
}

/* One more bytes than the descriptors that a program may close. */
static void a_program_that_closes_all_descriptors(void)
{
	int queue = make_msg(0600);
	int other = make_msg(0600);
	int pipes[2], fd, copies = 0;
	mqd_t posix;

	put_msg(queue, 1, "before");
	require(!close_range(3, ~0U, 0));
	/* All numbers are the program's now, also those that were not. */
	require(!pipe(pipes));
	posix = works(mq_open(NAME, O_CREAT | O_RDWR, 0600, NULL));
	for (fd = 0; fd < 1000; fd++, copies++)
		if (dup(fd % 2 ? pipes[1] : posix) < 0)
			break;
	check(copies > 500);
	for (fd = 900; fd < 1010; fd++)
		close(fd);
	put_msg(queue, 2, "after");
	put_msg(other, 3, "other");
	expect_empty(posix);
	expect_msg(other, 0, 0, 3, "other");
	expect_msg(queue, 0, 0, 1, "before");
	expect_msg(queue, 0, 0, 2, "after");
}

TAP_MAIN(own_queues,
	 TAP_TEST(in_order),
	 TAP_TEST(a_positive_type_is_that_type),
	 TAP_TEST(a_negative_type_is_the_lowest),
	 TAP_TEST(msg_except_is_any_other),
	 TAP_TEST(too_long_is_e2big_or_cut),
	 TAP_TEST(msg_copy_looks_at_a_place),
	 TAP_TEST(wrong_arguments_are_einval),
	 TAP_TEST(bad_memory_is_efault),
	 TAP_TEST(permissions_are_those_of_the_caller),
	 TAP_TEST(a_receiver_waits_for_its_type),
	 TAP_TEST(receivers_wait_for_ranges),
	 TAP_TEST(who_waits_with_little_room),
	 TAP_TEST(a_sender_waits_and_what_fits_passes),
	 TAP_TEST(empty_messages_count_too),
	 TAP_TEST(what_never_fits_waits_until_it_does),
	 TAP_TEST(a_handler_interrupts),
	 TAP_TEST(stopped_and_continued_it_waits_on),
	 TAP_TEST(a_program_that_closes_all_descriptors))
