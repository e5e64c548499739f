/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Receiving messages of one's choice, and looking at them. */
#include <string.h>
#include <unistd.h>

#include "support.h"

static int send_tagged(struct ipcbox_handle *queue, const char *text,
		       uint64_t tag)
{
	struct ipcbox_send_options options = {
		.flags = IPCBOX_NOWAIT, .tag = tag,
	};

	return ipcbox_send(queue, text, strlen(text), &options);
}

/* Receives, and must get this text; or NULL, and nothing may be there. */
static void expect_chosen(struct ipcbox_handle *queue,
			  const struct ipcbox_selection *selection,
			  const char *text)
{
	char buffer[64] = "";
	ssize_t length;

	length = ipcbox_receive_selected(queue, selection, buffer,
					 sizeof(buffer) - 1, NULL,
					 IPCBOX_NOWAIT, 0);
	equal(length, text ? (ssize_t)strlen(text) : -EAGAIN);
	check(strcmp(buffer, text ? text : "") == 0);
}

static void tags_are_compared_under_a_mask(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);

	equal(send_tagged(queue, "one", 0x101), 0);
	equal(send_tagged(queue, "two", 0x202), 0);
	equal(send_tagged(queue, "three", 0x103), 0);
	equal(send_tagged(queue, "none", 0), 0);
	expect_chosen(queue, &(struct ipcbox_selection){
			      .tag = 0x202, .tag_mask = UINT64_MAX }, "two");
	expect_chosen(queue, &(struct ipcbox_selection){
			      .tag = 0x202, .tag_mask = UINT64_MAX }, NULL);
	expect_chosen(queue, &(struct ipcbox_selection){
			      .tag = 0x100, .tag_mask = 0xf00 }, "one");
	expect_chosen(queue, &(struct ipcbox_selection){
			      .tag = 0, .tag_mask = UINT64_MAX }, "none");
	/* What was not chosen is in its place. */
	expect_chosen(queue, NULL, "three");
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void a_number_is_one_message(void)
{
	struct ipcbox_selection second = { .sequence = 2 };
	struct ipcbox_selection both = { .sequence = 1, .tag = 8,
					 .tag_mask = UINT64_MAX };
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);

	equal(send_tagged(queue, "one", 7), 0);
	equal(send_tagged(queue, "two", 8), 0);
	/* All that is asked. */
	expect_chosen(queue, &both, NULL);
	expect_chosen(queue, &second, "two");
	expect_chosen(queue, &second, NULL);
	expect_text(queue, "one");
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void send_and_stay(void *argument)
{
	equal(send_text(argument, "child"), 0);
	for (;;)
		pause();
}

static void a_process_is_told_from_another(void)
{
	struct ipcbox_selection selection = { .pid = getpid() };
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	pid_t child = tap_spawn(send_and_stay, queue);
	char text[8];

	await_messages(queue, 1);
	expect_chosen(queue, &selection, NULL);
	equal(send_text(queue, "self"), 0);
	expect_chosen(queue, &selection, "self");
	selection.pid = child;
	expect_chosen(queue, &selection, "child");
	kill_child(child);
	equal(ipcbox_receive_selected(queue, &selection, text, sizeof(text),
				      NULL, IPCBOX_NOWAIT, 0), -ENOENT);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void receive_seven(void *argument)
{
	struct ipcbox_selection selection = {
		.tag = 7, .tag_mask = UINT64_MAX,
	};
	struct ipcbox_incoming header;
	char text[8];

	equal(ipcbox_receive_selected(argument, &selection, text, sizeof(text),
				      &header, 0, 0), 5);
	equal(header.tag, 7);
	check(memcmp(text, "seven", 5) == 0);
}

static void who_waits_gets_what_it_chose(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .max_messages = 1);
	pid_t child = tap_spawn(receive_seven, queue);

	await_receivers(queue, 1);
	equal(send_tagged(queue, "six", 6), 0);
	equal(state_of(queue).receivers_waiting, 1);
	/* Even when the object is full. */
	equal(send_tagged(queue, "eight", 8), -EAGAIN);
	equal(send_tagged(queue, "seven", 7), 0);
	join(child);
	expect_text(queue, "six");
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void a_batch_is_of_those_chosen(void)
{
	struct ipcbox_selection selection = { .tag = 1, .tag_mask = 1 };
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_incoming messages[4];
	char letters[4] = "....";
	unsigned int i;

	memset(messages, 0, sizeof(messages));
	for (i = 0; i < 4; i++) {
		equal(ipcbox_send(queue, &"abcd"[i], 1,
				  &(struct ipcbox_send_options){ .tag = i }),
		      0);
		messages[i].data = ipcbox_address(&letters[i]);
		messages[i].capacity = 1;
	}
	equal(ipcbox_receive_selected_batch(queue, &selection, messages, 4,
					    IPCBOX_HOLD, 0), 2);
	check(memcmp(letters, "bd..", 4) == 0);
	equal(ipcbox_ack(queue, messages[0].token), 0);
	equal(ipcbox_nack(queue, messages[1].token), 0);
	equal(ipcbox_receive_selected_batch(queue, NULL, messages, 4, 0, 0), 3);
	check(memcmp(letters, "acd.", 4) == 0);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void bad_selections_are_refused(void)
{
	struct ipcbox_selection selection = { .tag = 1 };
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_handle *sender = reopen(box, queue, SEND);
	struct ipcbox_incoming header = { .capacity = 0 };
	char text[8];

	equal(send_text(queue, "here"), 0);
	equal(ipcbox_receive_selected(queue, &selection, text, sizeof(text),
				      NULL, 0, 0), -EINVAL);
	equal(ipcbox_peek(queue, &selection, 0, &header, 1), -EINVAL);
	equal(ipcbox_peek(queue, NULL, IPCBOX_SKIP_MAX + 1, &header, 1),
	      -EINVAL);
	equal(ipcbox_peek(queue, NULL, 0, &header, 0), -EINVAL);
	equal(ipcbox_peek(sender, NULL, 0, &header, 1), -EACCES);
	/* Looking is not receiving. */
	equal(ipcbox_receive(queue, text, 1, NULL, IPCBOX_PEEK, 0), -EINVAL);
	selection = (struct ipcbox_selection){ .pid = -1 };
	equal(ipcbox_peek(queue, &selection, 0, &header, 1), -ENOENT);
	expect_text(queue, "here");
	ipcbox_close(sender);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void looking_takes_nothing(void)
{
	struct ipcbox_selection selection = { .tag = 2, .tag_mask = 2 };
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_incoming headers[20];
	char texts[20][4];
	unsigned int i;

	memset(headers, 0, sizeof(headers));
	memset(texts, 0, sizeof(texts));
	equal(ipcbox_peek(queue, NULL, 0, headers, 20), -EAGAIN);
	for (i = 0; i < 12; i++)
		equal(send_tagged(queue, "letter", i), 0);
	for (i = 0; i < 20; i++) {
		headers[i].data = ipcbox_address(texts[i]);
		headers[i].capacity = 3;
	}
	equal(ipcbox_peek(queue, NULL, 0, headers, 20), 12);
	for (i = 0; i < 12; i++) {
		equal(headers[i].sequence, i + 1);
		equal(headers[i].length, 6);
		equal(headers[i].pid, getpid());
		check(headers[i].token == 0);
		/* As much as there is room for. */
		check(strcmp(texts[i], "let") == 0);
	}
	equal(ipcbox_peek(queue, NULL, 10, headers, 20), 2);
	equal(headers[0].sequence, 11);
	equal(ipcbox_peek(queue, NULL, 12, headers, 20), -EAGAIN);
	equal(ipcbox_peek(queue, &selection, 1, headers, 2), 2);
	equal(headers[0].tag, 3);
	equal(headers[1].tag, 6);
	equal(state_of(queue).messages, 12);
	equal(state_of(queue).received, 0);
	for (i = 0; i < 12; i++)
		expect_text(queue, "letter");
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void a_mailbox_with_its_receiver_can_be_looked_into(void)
{
	struct ipcbox_incoming header = { .capacity = 0 };
	struct ipcbox *box = open_box();
	struct ipcbox_handle *mailbox =
		create(box, .name = "watched", .kind = IPCBOX_MAILBOX);
	struct ipcbox_handle *looker = NULL;
	char byte;

	equal(send_tagged(mailbox, "letter", 5), 0);
	equal(ipcbox_open_name(box, "watched", IPCBOX_RIGHT_RECEIVE, 0,
			       &looker), -EBUSY);
	equal(ipcbox_open_name(box, "watched", IPCBOX_RIGHT_LOOK, 0, &looker),
	      0);
	equal(ipcbox_peek(looker, NULL, 0, &header, 1), 1);
	equal(header.tag, 5);
	equal(ipcbox_receive(looker, &byte, 1, NULL, IPCBOX_NOWAIT, 0),
	      -EACCES);
	equal(state_of(looker).receive_handles, 1);
	expect_text(mailbox, "letter");
	ipcbox_close(looker);
	ipcbox_close(mailbox);
	ipcbox_box_close(box);
}

TAP_MAIN(own_box, TAP_TEST(tags_are_compared_under_a_mask),
	 TAP_TEST(a_number_is_one_message),
	 TAP_TEST(a_process_is_told_from_another),
	 TAP_TEST(who_waits_gets_what_it_chose),
	 TAP_TEST(a_batch_is_of_those_chosen),
	 TAP_TEST(bad_selections_are_refused), TAP_TEST(looking_takes_nothing),
	 TAP_TEST(a_mailbox_with_its_receiver_can_be_looked_into))
