/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* One message at a time: payload, header, order, and every way to fail. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

static ssize_t receive_now(struct ipcbox_handle *handle, void *buffer,
			   size_t capacity, struct ipcbox_incoming *header)
{
	return ipcbox_receive(handle, buffer, capacity, header, IPCBOX_NOWAIT,
			      0);
}

static int send_with(struct ipcbox_handle *handle, unsigned int priority,
		     const char *text)
{
	struct ipcbox_send_options options = {
		.priority = priority, .flags = IPCBOX_NOWAIT,
	};

	return ipcbox_send(handle, text, strlen(text), &options);
}

static void a_message_arrives_whole(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	static const size_t sizes[] = { 0, 1, 15, 128, 4095, 4097, 65536 };
	unsigned char *sent = malloc(65536);
	unsigned char *received = malloc(65536 + 1);
	size_t i, j;

	require(sent && received);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (j = 0; j < sizes[i]; j++)
			sent[j] = (unsigned char)(j * 7 + i);
		memset(received, 0xee, 65537);
		equal(ipcbox_send(queue, sent, sizes[i], NULL), 0);
		equal(ipcbox_receive(queue, received, 65537, NULL, 0, 0),
		      sizes[i]);
		check(memcmp(sent, received, sizes[i]) == 0);
		/* Not a byte more is written. */
		equal(received[sizes[i]], 0xee);
	}
	free(received);
	free(sent);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void nothing_can_be_sent(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_incoming header;

	equal(ipcbox_send(queue, NULL, 0, NULL), 0);
	equal(state_of(queue).messages, 1);
	equal(receive_now(queue, NULL, 0, &header), 0);
	equal(header.length, 0);
	equal(receive_now(queue, NULL, 0, NULL), -EAGAIN);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void the_header_tells_of_message_and_sender(void)
{
	struct ipcbox_send_options options = {
		.priority = IPCBOX_PRIORITY_MAX, .tag = UINT64_MAX - 5,
	};
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_handle *other = reopen(box, queue, SEND);
	struct ipcbox_incoming first, second;
	char text[8];

	memset(&first, 0xff, sizeof(first));
	memset(&second, 0xff, sizeof(second));
	equal(ipcbox_send(queue, "one", 3, &options), 0);
	equal(send_text(other, "two!"), 0);
	equal(receive_now(queue, text, sizeof(text), &first), 3);
	equal(receive_now(queue, text, sizeof(text), &second), 4);
	equal(first.length, 3);
	equal(first.priority, IPCBOX_PRIORITY_MAX);
	check(first.tag == UINT64_MAX - 5);
	equal(first.pid, getpid());
	equal(first.uid, 0);
	equal(first.gid, 0);
	equal(first.sequence, 1);
	equal(second.length, 4);
	equal(second.priority, 0);
	check(second.tag == 0);
	equal(second.sequence, 2);
	check(first.handle != 0 && second.handle != 0);
	check(first.handle != second.handle);
	ipcbox_close(other);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void send_as_other(void *argument)
{
	become_other_user();
	equal(send_text(argument, "from another"), 0);
}

static void the_stamp_is_of_the_sender(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_incoming header;
	char text[16];
	pid_t child = tap_spawn(send_as_other, queue);

	equal(ipcbox_receive(queue, text, sizeof(text), &header, 0, 0), 12);
	equal(header.pid, child);
	equal(header.uid, OTHER_USER);
	equal(header.gid, OTHER_GROUP);
	join(child);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void higher_priorities_come_first(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);

	equal(send_with(queue, 1, "low one"), 0);
	equal(send_with(queue, IPCBOX_PRIORITY_MAX, "top"), 0);
	equal(send_with(queue, 0, "lowest"), 0);
	equal(send_with(queue, 1, "low two"), 0);
	equal(send_with(queue, 700, "middle"), 0);
	expect_text(queue, "top");
	expect_text(queue, "middle");
	expect_text(queue, "low one");
	expect_text(queue, "low two");
	expect_text(queue, "lowest");
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void bad_values_are_einval(void)
{
	struct ipcbox_send_options options = { .flags = 0x80000000 };
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	char text[8];

	equal(ipcbox_send(queue, "x", 1, &options), -EINVAL);
	equal(send_with(queue, IPCBOX_PRIORITY_MAX + 1, "x"), -EINVAL);
	equal(ipcbox_receive(queue, text, sizeof(text), NULL, 0x80000000, 0),
	      -EINVAL);
	equal(ipcbox_receive(queue, text, sizeof(text), NULL, 0,
			     IPCBOX_FOREVER - 1), -EINVAL);
	options = (struct ipcbox_send_options){ .deadline = 1ull << 63 };
	equal(ipcbox_send(queue, "x", 1, &options), -EINVAL);
	options.deadline--;
	equal(state_of(queue).sent, 0);
	equal(ipcbox_send(queue, "x", 1, &options), 0);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void bad_memory_is_efault_and_has_no_effect(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	/* No process has memory in the first page. */
	void *bad = (void *)16;

	equal(ipcbox_send(queue, bad, 8, NULL), -EFAULT);
	equal(state_of(queue).sent, 0);
	equal(send_text(queue, "safe"), 0);
	equal(receive_now(queue, bad, 8, NULL), -EFAULT);
	equal(state_of(queue).received, 0);
	expect_text(queue, "safe");
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void a_long_message_waits_for_a_long_buffer(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_incoming header;
	char text[8];

	equal(send_text(queue, "seven.."), 0);
	equal(send_text(queue, "next"), 0);
	equal(receive_now(queue, text, 6, &header), -EMSGSIZE);
	equal(header.length, 7);
	equal(receive_now(queue, NULL, 0, NULL), -EMSGSIZE);
	equal(receive_now(queue, text, header.length, &header), 7);
	expect_text(queue, "next");
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void a_message_above_the_limit_is_emsgsize(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .max_message_bytes = 4);

	equal(send_text(queue, "four"), 0);
	equal(send_text(queue, "fives"), -EMSGSIZE);
#if SIZE_MAX > UINT32_MAX
	/* Not a message of four bytes. */
	equal(ipcbox_send(queue, "four", (1ull << 32) + 4, NULL), -EMSGSIZE);
#endif
	equal(state_of(queue).messages, 1);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void a_capacity_of_any_size_serves(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	char text[8] = "";

	equal(send_text(queue, "four"), 0);
	equal(receive_now(queue, text, SIZE_MAX, NULL), 4);
	check(strcmp(text, "four") == 0);
#if SIZE_MAX > UINT32_MAX
	/* Not a capacity of one byte. */
	equal(send_text(queue, "four"), 0);
	equal(receive_now(queue, text, (1ull << 32) + 1, NULL), 4);
#endif
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void without_waiting_is_eagain(void)
{
	struct ipcbox_send_options options = { .flags = IPCBOX_NOWAIT };
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .max_messages = 1);
	char text[8];

	equal(receive_now(queue, text, sizeof(text), NULL), -EAGAIN);
	equal(ipcbox_send(queue, "x", 1, &options), 0);
	equal(ipcbox_send(queue, "y", 1, &options), -EAGAIN);
	/* The descriptor's flag does the same. */
	require(fcntl(ipcbox_handle_fd(queue), F_SETFL, O_NONBLOCK) == 0);
	equal(ipcbox_send(queue, "y", 1, NULL), -EAGAIN);
	expect_text(queue, "x");
	equal(ipcbox_receive(queue, text, sizeof(text), NULL, 0,
			     IPCBOX_FOREVER), -EAGAIN);
	equal(state_of(queue).sent, 1);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void a_passed_deadline_is_etimedout(void)
{
	struct ipcbox_send_options options = { .deadline = 1 };
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .max_messages = 1);
	char text[8];

	equal(ipcbox_receive(queue, text, sizeof(text), NULL, 0,
			     ipcbox_deadline_after_ms(10)), -ETIMEDOUT);
	equal(ipcbox_receive(queue, text, sizeof(text), NULL, 0, 1),
	      -ETIMEDOUT);
	/* What can be served at once is. */
	equal(ipcbox_send(queue, "in time", 7, &options), 0);
	equal(ipcbox_send(queue, "late", 4, &options), -ETIMEDOUT);
	options.deadline = ipcbox_deadline_after_ms(10);
	equal(ipcbox_send(queue, "late", 4, &options), -ETIMEDOUT);
	equal(ipcbox_deadline_left_ms(options.deadline), 0);
	equal(state_of(queue).sent, 1);
	equal(ipcbox_receive(queue, text, sizeof(text), NULL, 0, 1), 7);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void receive_waiting(void *argument)
{
	char text[8];

	/* A deadline of 0 does not pass. */
	equal(ipcbox_receive(argument, text, sizeof(text), NULL, 0, 0), 5);
}

static void a_receiver_waits_for_a_message(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	pid_t child = tap_spawn(receive_waiting, queue);

	await_receivers(queue, 1);
	equal(send_text(queue, "there"), 0);
	join(child);
	equal(state_of(queue).receivers_waiting, 0);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void send_waiting(void *argument)
{
	struct ipcbox_send_options options = { .tag = 3 };

	equal(ipcbox_send(argument, "second", 6, &options), 0);
}

static void a_sender_waits_for_room(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .max_messages = 1);
	pid_t child;

	equal(send_text(queue, "first"), 0);
	child = tap_spawn(send_waiting, queue);
	await_senders(queue, 1);
	equal(state_of(queue).messages, 1);
	expect_text(queue, "first");
	join(child);
	expect_text(queue, "second");
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void send_to_no_one(void *argument)
{
	equal(ipcbox_send(argument, "x", 1, NULL), -EPIPE);
}

static void a_sender_learns_that_the_receiver_is_gone(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *receiver, *sender;
	pid_t child;
	int ready[2];
	char byte;

	receiver = create(box, .rights = RECEIVE, .max_messages = 1);
	sender = reopen(box, receiver, SEND);
	equal(send_text(sender, "full"), 0);
	require(pipe(ready) == 0);
	/*
	 * The child must not hold the receiver's end, or it would never be
	 * gone; the pipe tells when it has let go.
	 */
	child = fork();
	require(child >= 0);
	if (child == 0) {
		ipcbox_close(receiver);
		close(ready[0]);
		close(ready[1]);
		send_to_no_one(sender);
		ipcbox_close(sender);
		ipcbox_box_close(box);
		tap_exit();
	}
	close(ready[1]);
	equal(read(ready[0], &byte, 1), 0);
	close(ready[0]);
	await_senders(receiver, 1);
	ipcbox_close(receiver);
	join(child);
	equal(send_text(sender, "x"), -EPIPE);
	ipcbox_close(sender);
	ipcbox_box_close(box);
}

static void a_receiver_learns_that_no_sender_will_come(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *receiver = create(box, .rights = RECEIVE);
	struct ipcbox_handle *sender = reopen(box, receiver, SEND);
	char text[8];

	equal(send_text(sender, "last"), 0);
	equal(ipcbox_unlink_id(box, ipcbox_handle_id(receiver)), 0);
	ipcbox_close(sender);
	/* What is there comes first. */
	equal(ipcbox_receive(receiver, text, sizeof(text), NULL, 0, 0), 4);
	equal(ipcbox_receive(receiver, text, sizeof(text), NULL, 0, 0),
	      -EPIPE);
	ipcbox_close(receiver);
	ipcbox_box_close(box);
}

static void fill_budget(void *argument)
{
	struct ipcbox *box = argument;
	struct ipcbox_send_options options = { .flags = IPCBOX_NOWAIT };
	struct ipcbox_handle *queues[32];
	struct ipcbox_info info;
	uint64_t used = 0;
	size_t length;
	void *payload;
	int result = 0;
	int count;
	int i;

	become_other_user();
	require(ipcbox_info(box, &info) == 0);
	length = (size_t)info.message_bytes;
	payload = calloc(1, length);
	require(payload);
	/* Queue by queue: each holds less than the budget. */
	for (count = 0; count < 32 && result != -EDQUOT; count++) {
		queues[count] = create(box, .kind = IPCBOX_QUEUE);
		do {
			result = ipcbox_send(queues[count], payload, length,
					     &options);
			if (!result)
				used += length + 128;
		} while (!result);
	}
	equal(result, -EDQUOT);
	check(used <= info.user_bytes);
	check(used + length + 128 > info.user_bytes);
	require(ipcbox_info(box, &info) == 0);
	equal(info.user_bytes_used, used);
	/* Waiting would not help, so that it is not done. */
	equal(ipcbox_send(queues[count - 1], payload, length, NULL), -EDQUOT);
	equal(receive_now(queues[0], payload, length, NULL), length);
	equal(ipcbox_send(queues[count - 1], payload, length, NULL), 0);
	for (i = 0; i < count; i++)
		ipcbox_close(queues[i]);
	free(payload);
}

static void a_users_bytes_in_flight_are_limited(void)
{
	struct ipcbox *box = open_box();

	join(tap_spawn(fill_budget, box));
	ipcbox_box_close(box);
}

static void errno_is_left_alone(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .max_messages = 1);
	char text[8];

	errno = ECHILD;
	receive_now(queue, text, sizeof(text), NULL);
	send_text(queue, "x");
	send_text(queue, "x");
	equal(errno, ECHILD);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

TAP_MAIN(own_box, TAP_TEST(a_message_arrives_whole),
	 TAP_TEST(nothing_can_be_sent),
	 TAP_TEST(the_header_tells_of_message_and_sender),
	 TAP_TEST(the_stamp_is_of_the_sender),
	 TAP_TEST(higher_priorities_come_first),
	 TAP_TEST(bad_values_are_einval),
	 TAP_TEST(bad_memory_is_efault_and_has_no_effect),
	 TAP_TEST(a_long_message_waits_for_a_long_buffer),
	 TAP_TEST(a_message_above_the_limit_is_emsgsize),
	 TAP_TEST(a_capacity_of_any_size_serves),
	 TAP_TEST(without_waiting_is_eagain),
	 TAP_TEST(a_passed_deadline_is_etimedout),
	 TAP_TEST(a_receiver_waits_for_a_message),
	 TAP_TEST(a_sender_waits_for_room),
	 TAP_TEST(a_sender_learns_that_the_receiver_is_gone),
	 TAP_TEST(a_receiver_learns_that_no_sender_will_come),
	 TAP_TEST(a_users_bytes_in_flight_are_limited),
	 TAP_TEST(errno_is_left_alone))
