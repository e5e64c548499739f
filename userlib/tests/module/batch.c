/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Several messages in one call: what is accepted, what is left, and where. */
#include <stdlib.h>
#include <string.h>

#include "support.h"

#define COUNT	8

static void prepare_outgoing(struct ipcbox_outgoing *messages,
			     const char *letters)
{
	int i;

	memset(messages, 0, COUNT * sizeof(*messages));
	for (i = 0; i < COUNT; i++) {
		messages[i].data = ipcbox_address(&letters[i]);
		messages[i].length = 1;
		messages[i].tag = (unsigned int)i;
	}
}

static void prepare_incoming(struct ipcbox_incoming *messages, char *letters,
			     unsigned int capacity)
{
	int i;

	memset(messages, 0, COUNT * sizeof(*messages));
	memset(letters, '.', COUNT);
	for (i = 0; i < COUNT; i++) {
		messages[i].data = ipcbox_address(&letters[i]);
		messages[i].capacity = capacity;
	}
}

static void all_go_and_come_in_order(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_outgoing outgoing[COUNT];
	struct ipcbox_incoming incoming[COUNT];
	char letters[COUNT];
	unsigned int i;

	prepare_outgoing(outgoing, "abcdefgh");
	equal(ipcbox_send_batch(queue, outgoing, COUNT, 0, 0), COUNT);
	prepare_incoming(incoming, letters, 1);
	equal(ipcbox_receive_batch(queue, incoming, COUNT, 0, 0), COUNT);
	check(memcmp(letters, "abcdefgh", COUNT) == 0);
	for (i = 0; i < COUNT; i++) {
		equal(incoming[i].tag, i);
		equal(incoming[i].length, 1);
		equal(incoming[i].sequence, i + 1);
	}
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void priorities_order_a_batch(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_outgoing outgoing[COUNT];
	struct ipcbox_incoming incoming[COUNT];
	char letters[COUNT];
	unsigned int i;

	prepare_outgoing(outgoing, "abcdefgh");
	for (i = 0; i < COUNT; i++)
		outgoing[i].priority = i % 2;
	equal(ipcbox_send_batch(queue, outgoing, COUNT, 0, 0), COUNT);
	prepare_incoming(incoming, letters, 1);
	equal(ipcbox_receive_batch(queue, incoming, COUNT, 0, 0), COUNT);
	check(memcmp(letters, "bdfhaceg", COUNT) == 0);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void as_many_go_as_there_is_room_for(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .max_messages = 3);
	struct ipcbox_outgoing outgoing[COUNT];

	prepare_outgoing(outgoing, "abcdefgh");
	equal(ipcbox_send_batch(queue, outgoing, COUNT, IPCBOX_NOWAIT, 0), 3);
	equal(ipcbox_send_batch(queue, outgoing + 3, COUNT - 3, IPCBOX_NOWAIT,
				0), -EAGAIN);
	equal(ipcbox_send_batch(queue, outgoing + 3, COUNT - 3, 0, 1),
	      -ETIMEDOUT);
	expect_text(queue, "a");
	expect_text(queue, "b");
	equal(ipcbox_send_batch(queue, outgoing + 3, COUNT - 3, 0, 1), 2);
	expect_text(queue, "c");
	expect_text(queue, "d");
	expect_text(queue, "e");
	equal(state_of(queue).messages, 0);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void send_all_waiting(void *argument)
{
	struct ipcbox_outgoing outgoing[COUNT];

	prepare_outgoing(outgoing, "abcdefgh");
	equal(ipcbox_send_batch(argument, outgoing, COUNT, 0, 0), COUNT);
}

static void a_batch_waits_for_room(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .max_messages = 3);
	pid_t child = tap_spawn(send_all_waiting, queue);
	char letter = 0;
	int i;

	for (i = 0; i < COUNT; i++) {
		equal(ipcbox_receive(queue, &letter, 1, NULL, 0, 0), 1);
		equal(letter, "abcdefgh"[i]);
	}
	join(child);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void a_bad_message_stops_those_after_it(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .max_message_bytes = 4);
	struct ipcbox_outgoing outgoing[COUNT];

	prepare_outgoing(outgoing, "abcdefgh");
	outgoing[2].length = 5;
	equal(ipcbox_send_batch(queue, outgoing, COUNT, 0, 0), 2);
	equal(ipcbox_send_batch(queue, outgoing + 2, COUNT - 2, 0, 0),
	      -EMSGSIZE);
	outgoing[2].length = 1;
	outgoing[4].priority = IPCBOX_PRIORITY_MAX + 1;
	outgoing[5].data = 16;
	equal(ipcbox_send_batch(queue, outgoing + 2, COUNT - 2, 0, 0), 2);
	equal(ipcbox_send_batch(queue, outgoing + 4, COUNT - 4, 0, 0),
	      -EINVAL);
	equal(ipcbox_send_batch(queue, outgoing + 5, COUNT - 5, 0, 0),
	      -EFAULT);
	equal(ipcbox_send_batch(queue, outgoing + 6, COUNT - 6, 0, 0), 2);
	expect_text(queue, "a");
	expect_text(queue, "b");
	expect_text(queue, "c");
	expect_text(queue, "d");
	expect_text(queue, "g");
	expect_text(queue, "h");
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void receiving_takes_what_is_there(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_incoming incoming[COUNT];
	char letters[COUNT];

	prepare_incoming(incoming, letters, 1);
	equal(ipcbox_receive_batch(queue, incoming, COUNT, IPCBOX_NOWAIT, 0),
	      -EAGAIN);
	equal(ipcbox_receive_batch(queue, incoming, COUNT, 0, 1), -ETIMEDOUT);
	equal(send_text(queue, "a"), 0);
	equal(send_text(queue, "b"), 0);
	/* It does not wait for more than the first. */
	equal(ipcbox_receive_batch(queue, incoming, COUNT, 0, 0), 2);
	check(memcmp(letters, "ab......", COUNT) == 0);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void a_long_message_stops_those_after_it(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_incoming incoming[COUNT];
	char letters[COUNT];

	equal(send_text(queue, "a"), 0);
	equal(send_text(queue, "long"), 0);
	equal(send_text(queue, "c"), 0);
	prepare_incoming(incoming, letters, 1);
	equal(ipcbox_receive_batch(queue, incoming, COUNT, 0, 0), 1);
	equal(ipcbox_receive_batch(queue, incoming, COUNT, 0, 0), -EMSGSIZE);
	equal(incoming[0].length, 4);
	expect_text(queue, "long");
	equal(ipcbox_receive_batch(queue, incoming, COUNT, 0, 0), 1);
	equal(letters[0], 'c');
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void the_count_has_a_range(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_outgoing *outgoing;
	struct ipcbox_incoming *incoming;
	struct ipcbox_info info;
	unsigned int most, i;

	require(ipcbox_info(box, &info) == 0);
	most = (unsigned int)info.batch_messages;
	outgoing = calloc(most + 1, sizeof(*outgoing));
	incoming = calloc(most + 1, sizeof(*incoming));
	require(outgoing && incoming);
	equal(ipcbox_send_batch(queue, outgoing, 0, 0, 0), -EINVAL);
	equal(ipcbox_send_batch(queue, outgoing, most + 1, 0, 0), -EINVAL);
	equal(ipcbox_receive_batch(queue, incoming, 0, 0, 0), -EINVAL);
	equal(ipcbox_receive_batch(queue, incoming, most + 1, 0, 0), -EINVAL);
	equal(state_of(queue).sent, 0);
	equal(ipcbox_send_batch(queue, outgoing, most, 0, 0), most);
	equal(ipcbox_receive_batch(queue, incoming, most, 0, 0), most);
	for (i = 0; i < most; i++)
		equal(incoming[i].sequence, i + 1);
	free(outgoing);
	free(incoming);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

TAP_MAIN(own_box, TAP_TEST(all_go_and_come_in_order),
	 TAP_TEST(priorities_order_a_batch),
	 TAP_TEST(as_many_go_as_there_is_room_for),
	 TAP_TEST(a_batch_waits_for_room),
	 TAP_TEST(a_bad_message_stops_those_after_it),
	 TAP_TEST(receiving_takes_what_is_there),
	 TAP_TEST(a_long_message_stops_those_after_it),
	 TAP_TEST(the_count_has_a_range))
