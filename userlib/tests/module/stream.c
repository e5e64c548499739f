/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Streams, made by the library: bytes through the descriptor. */
#include <string.h>
#include <unistd.h>

#include "support.h"

static void bytes_go_through_the_descriptor(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *receiver = create(box, .rights = RECEIVE,
						.flags = IPCBOX_CREATE_STREAM);
	struct ipcbox_handle *sender = reopen(box, receiver, SEND);
	char text[8] = "";

	check(state_of(receiver).state & IPCBOX_STATE_STREAM);
	equal(write(ipcbox_handle_fd(sender), "one", 3), 3);
	equal(write(ipcbox_handle_fd(sender), "two", 3), 3);
	equal(read(ipcbox_handle_fd(receiver), text, 4), 4);
	check(memcmp(text, "onet", 4) == 0);
	equal(read(ipcbox_handle_fd(receiver), text, 4), 2);
	check(memcmp(text, "wo", 2) == 0);
	ipcbox_close(sender);
	equal(read(ipcbox_handle_fd(receiver), text, 4), 0);
	ipcbox_close(receiver);
	ipcbox_box_close(box);
}

static void messages_do_not(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *stream =
		create(box, .flags = IPCBOX_CREATE_STREAM);
	struct ipcbox_incoming header = { .capacity = 0 };
	char text[8];

	equal(ipcbox_send(stream, "x", 1, NULL), -EOPNOTSUPP);
	equal(ipcbox_receive(stream, text, sizeof(text), NULL, 0, 0),
	      -EOPNOTSUPP);
	equal(ipcbox_peek(stream, NULL, 0, &header, 1), -EOPNOTSUPP);
	equal(ipcbox_call(stream, "x", 1, NULL, 0, NULL, NULL), -EOPNOTSUPP);
	equal(ipcbox_answer(stream, NULL, text, sizeof(text), &header, 0, 0),
	      -EOPNOTSUPP);
	equal(try_create(box, .kind = IPCBOX_MAILBOX,
			 .flags = IPCBOX_CREATE_STREAM), -EINVAL);
	ipcbox_close(stream);
	ipcbox_box_close(box);
}

TAP_MAIN(own_box, TAP_TEST(bytes_go_through_the_descriptor),
	 TAP_TEST(messages_do_not))
