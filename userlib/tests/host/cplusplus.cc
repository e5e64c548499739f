/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* C++ programs compile and link, where functions and structures share names. */
#include <cerrno>

#include <ipcbox.h>

#include "tap.h"

/* Not called, as there may be no module: each function with its types. */
int every_function(const char *name);
int every_function(const char *name)
{
	struct ipcbox *box = nullptr;
	struct ipcbox_handle *handle = nullptr;
	struct ipcbox_listing *listing = nullptr;
	struct ipcbox_create_options create = {};
	struct ipcbox_send_options options = {};
	struct ipcbox_settlement settlement = {};
	struct ipcbox_selection selection = {};
	struct ipcbox_info info = {};
	struct ipcbox_stat state = {};
	struct ipcbox_set set = {};
	struct ipcbox_outgoing outgoing = {};
	struct ipcbox_incoming incoming = {};
	char text[] = "text";
	long sum = 0;

	create.name = name;
	outgoing.data = ipcbox_address(text);
	incoming.data = ipcbox_address(text);
	sum += ipcbox_box_open(&box);
	sum += ipcbox_box_open_path(IPCBOX_DEVICE, &box);
	sum += ipcbox_box_from_fd(ipcbox_box_fd(box), &box);
	sum += ipcbox_info(box, &info);
	sum += ipcbox_create(box, &create, &handle);
	sum += ipcbox_mailbox_create(box, name, 0600, &handle);
	sum += ipcbox_queue_create(box, name, 0600, &handle);
	sum += ipcbox_open_name(box, name, IPCBOX_RIGHT_SEND, 0, &handle);
	sum += ipcbox_open_id(box, ipcbox_handle_id(handle), IPCBOX_RIGHT_SEND,
			      0, &handle);
	sum += ipcbox_open_process(box, 1, IPCBOX_RIGHT_SEND, 0, &handle);
	sum += ipcbox_open_pidfd(box, 0, IPCBOX_RIGHT_SEND, 0, &handle);
	sum += ipcbox_handle_from_fd(ipcbox_handle_fd(handle), &handle);
	sum += static_cast<long>(ipcbox_handle_kind(handle));
	sum += ipcbox_handle_created(handle);
	sum += ipcbox_stat(handle, &state);
	sum += ipcbox_set(handle, &set);
	sum += ipcbox_send(handle, text, sizeof(text), &options);
	sum += ipcbox_send_batch(handle, &outgoing, 1, 0, IPCBOX_FOREVER);
	sum += ipcbox_receive(handle, text, sizeof(text), &incoming, 0,
			      ipcbox_deadline_after_ms(1));
	sum += ipcbox_receive_batch(handle, &incoming, 1, IPCBOX_NOWAIT,
				    ipcbox_deadline_at(1, 1));
	sum += ipcbox_receive_selected(handle, &selection, text, sizeof(text),
				       &incoming, IPCBOX_NOWAIT, 0);
	sum += ipcbox_receive_selected_batch(handle, &selection, &incoming, 1,
					     IPCBOX_NOWAIT, 0);
	sum += ipcbox_peek(handle, &selection, 0, &incoming, 1);
	sum += ipcbox_notify_eventfd(handle, 0, IPCBOX_NOTIFY_EVERY);
	sum += ipcbox_notify_signal(handle, 0, ipcbox_address(text));
	sum += ipcbox_notify_none(handle);
	sum += ipcbox_call(handle, text, sizeof(text), text, sizeof(text),
			   &options, &incoming);
	sum += ipcbox_ack(handle, incoming.token);
	sum += ipcbox_nack(handle, incoming.token);
	sum += ipcbox_reply(handle, incoming.token, text, sizeof(text), 1);
	sum += ipcbox_answer(handle, &settlement, text, sizeof(text),
			     &incoming, IPCBOX_HOLD, IPCBOX_FOREVER);
	sum += ipcbox_list_begin(box, &listing);
	sum += ipcbox_list_next(listing, &state);
	ipcbox_list_end(listing);
	sum += ipcbox_unlink_name(box, name);
	sum += ipcbox_unlink_id(box, 1);
	ipcbox_close(handle);
	ipcbox_box_close(box);
	return static_cast<int>(sum);
}

static void functions_can_be_called()
{
	struct ipcbox *box = nullptr;

	check(&every_function != nullptr);
	equal(ipcbox_box_open_path("/dev/null", &box), -ENOTTY);
	check(box == nullptr);
	check(ipcbox_version()[0] != '\0');
	check(ipcbox_explain(IPCBOX_OPERATION_SEND, -EPIPE)[0] != '\0');
	equal(ipcbox_deadline_left_ms(ipcbox_deadline_after_ns(-1)), -1);
}

TAP_MAIN(nullptr, TAP_TEST(functions_can_be_called))
