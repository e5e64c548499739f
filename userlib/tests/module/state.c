/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* ipcbox_stat counts what happened; ipcbox_set changes all or nothing. */
#include <string.h>

#include "support.h"

#define ALL	(RECEIVE | SEND | MANAGE)

static void an_untouched_object_counts_nothing(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .name = "fresh");
	struct ipcbox_stat state = state_of(queue);

	check(strcmp((const char *)state.name, "fresh") == 0);
	equal(state.name_length, 5);
	equal(state.messages, 0);
	equal(state.bytes, 0);
	equal(state.messages_peak, 0);
	equal(state.bytes_peak, 0);
	equal(state.sent, 0);
	equal(state.received, 0);
	equal(state.bytes_sent, 0);
	equal(state.bytes_received, 0);
	equal(state.refused, 0);
	equal(state.handles, 1);
	equal(state.receivers_waiting, 0);
	equal(state.senders_waiting, 0);
	equal(state.pad, 0);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void messages_are_counted(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .max_messages = 3,
					     .max_message_bytes = 10);
	struct ipcbox_stat state;

	equal(send_text(queue, "1"), 0);
	equal(send_text(queue, "22"), 0);
	equal(send_text(queue, "333"), 0);
	equal(send_text(queue, "4444"), -EAGAIN);
	equal(send_text(queue, "more than ten"), -EMSGSIZE);
	expect_text(queue, "1");
	expect_text(queue, "22");
	state = state_of(queue);
	equal(state.messages, 1);
	equal(state.bytes, 3);
	equal(state.messages_peak, 3);
	equal(state.bytes_peak, 6);
	equal(state.sent, 3);
	equal(state.bytes_sent, 6);
	equal(state.received, 2);
	equal(state.bytes_received, 3);
	equal(state.refused, 2);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void handles_are_counted_by_right(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .rights = ALL);
	struct ipcbox_handle *sender = reopen(box, queue, SEND);
	struct ipcbox_handle *manager = reopen(box, queue, MANAGE);
	struct ipcbox_stat state = state_of(manager);

	equal(state.handles, 3);
	equal(state.receive_handles, 1);
	equal(state.send_handles, 2);
	ipcbox_close(sender);
	state = state_of(manager);
	equal(state.handles, 2);
	equal(state.send_handles, 1);
	ipcbox_close(manager);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void each_field_is_set_by_its_bit(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .rights = ALL);
	struct ipcbox_set set = {
		.mode = 0444, .uid = OTHER_USER, .gid = OTHER_GROUP,
		.max_messages = 11, .max_bytes = 1000, .max_message_bytes = 99,
	};
	struct ipcbox_stat before = state_of(queue);
	struct ipcbox_stat after;

	set.mask = IPCBOX_SET_MODE;
	equal(ipcbox_set(queue, &set), 0);
	after = state_of(queue);
	equal(after.mode, 0444);
	equal(after.uid, 0);
	equal(after.max_messages, before.max_messages);

	set.mask = IPCBOX_SET_MAX_MESSAGES;
	equal(ipcbox_set(queue, &set), 0);
	after = state_of(queue);
	equal(after.max_messages, 11);
	equal(after.max_bytes, before.max_bytes);
	equal(after.max_message_bytes, before.max_message_bytes);

	set.mask = IPCBOX_SET_MAX_MESSAGE_BYTES;
	equal(ipcbox_set(queue, &set), 0);
	after = state_of(queue);
	equal(after.max_message_bytes, 99);
	equal(after.max_bytes, before.max_bytes);

	set.mask = IPCBOX_SET_MAX_BYTES;
	equal(ipcbox_set(queue, &set), 0);
	equal(state_of(queue).max_bytes, 1000);

	set.mask = IPCBOX_SET_GID;
	equal(ipcbox_set(queue, &set), 0);
	after = state_of(queue);
	equal(after.gid, OTHER_GROUP);
	equal(after.uid, 0);

	set.mask = IPCBOX_SET_UID;
	equal(ipcbox_set(queue, &set), 0);
	equal(state_of(queue).uid, OTHER_USER);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void the_size_is_the_librarys(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .rights = ALL);
	struct ipcbox_set set = {
		.size = 1, .mask = IPCBOX_SET_MODE, .mode = 0,
	};

	equal(ipcbox_set(queue, &set), 0);
	equal(set.size, 1);
	equal(state_of(queue).mode, 0);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static int try_set(struct ipcbox_handle *queue, struct ipcbox_set set)
{
	return ipcbox_set(queue, &set);
}

static void values_out_of_range_are_einval(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .rights = ALL);
	struct ipcbox_stat before = state_of(queue);
	struct ipcbox_stat after;
	struct ipcbox_info info;

	require(ipcbox_info(box, &info) == 0);
#define TRY(...) try_set(queue, (struct ipcbox_set){ __VA_ARGS__ })
	equal(TRY(.mask = 0), -EINVAL);
	equal(TRY(.mask = 0x80000000), -EINVAL);
	equal(TRY(.mask = IPCBOX_SET_MODE, .flags = 1), -EINVAL);
	equal(TRY(.mask = IPCBOX_SET_MODE, .mode = 0700), -EINVAL);
	equal(TRY(.mask = IPCBOX_SET_MAX_MESSAGES, .max_messages = 0),
	      -EINVAL);
	equal(TRY(.mask = IPCBOX_SET_MAX_MESSAGES,
		  .max_messages = info.object_messages_max + 1), -EINVAL);
	equal(TRY(.mask = IPCBOX_SET_MAX_BYTES,
		  .max_bytes = info.object_bytes_max + 1), -EINVAL);
	equal(TRY(.mask = IPCBOX_SET_MAX_MESSAGE_BYTES,
		  .max_message_bytes = 0), -EINVAL);
	equal(TRY(.mask = IPCBOX_SET_MAX_MESSAGE_BYTES,
		  .max_message_bytes = info.message_bytes_max + 1), -EINVAL);
	/* The mode is good, the limit is not: neither is set. */
	equal(TRY(.mask = IPCBOX_SET_MODE | IPCBOX_SET_MAX_MESSAGES,
		  .mode = 0666, .max_messages = 0), -EINVAL);
	/* A message cannot be larger than all of the object. */
	equal(TRY(.mask = IPCBOX_SET_MAX_BYTES,
		  .max_bytes = before.max_message_bytes - 1), -EINVAL);
#undef TRY
	after = state_of(queue);
	check(memcmp(&before, &after, sizeof(before)) == 0);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void give_away_as_other(void *argument)
{
	struct ipcbox *box = argument;
	struct ipcbox_set set = { .mask = IPCBOX_SET_UID, .uid = 0 };
	struct ipcbox_handle *queue;

	become_other_user();
	queue = create(box, .rights = ALL);
	equal(ipcbox_set(queue, &set), -EPERM);
	set = (struct ipcbox_set){ .mask = IPCBOX_SET_GID, .gid = 0 };
	equal(ipcbox_set(queue, &set), -EPERM);
	/* To itself it may. */
	set = (struct ipcbox_set){
		.mask = IPCBOX_SET_UID | IPCBOX_SET_GID,
		.uid = OTHER_USER, .gid = OTHER_GROUP,
	};
	equal(ipcbox_set(queue, &set), 0);
	equal(state_of(queue).uid, OTHER_USER);
	ipcbox_close(queue);
}

static void only_root_gives_objects_away(void)
{
	struct ipcbox *box = open_box();

	join(tap_spawn(give_away_as_other, box));
	ipcbox_box_close(box);
}

static void a_lower_limit_loses_nothing(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .rights = ALL);
	struct ipcbox_set set = {
		.mask = IPCBOX_SET_MAX_MESSAGES, .max_messages = 1,
	};

	equal(send_text(queue, "first"), 0);
	equal(send_text(queue, "second"), 0);
	equal(ipcbox_set(queue, &set), 0);
	equal(send_text(queue, "third"), -EAGAIN);
	expect_text(queue, "first");
	equal(send_text(queue, "third"), -EAGAIN);
	expect_text(queue, "second");
	equal(send_text(queue, "third"), 0);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void send_waiting(void *argument)
{
	equal(ipcbox_send(argument, "waited", 6, NULL), 0);
}

static void a_higher_limit_admits_those_who_wait(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .rights = ALL,
					     .max_messages = 1);
	struct ipcbox_set set = {
		.mask = IPCBOX_SET_MAX_MESSAGES, .max_messages = 2,
	};
	pid_t child;

	equal(send_text(queue, "full"), 0);
	child = tap_spawn(send_waiting, queue);
	await_senders(queue, 1);
	equal(ipcbox_set(queue, &set), 0);
	join(child);
	expect_text(queue, "full");
	expect_text(queue, "waited");
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

TAP_MAIN(own_box, TAP_TEST(an_untouched_object_counts_nothing),
	 TAP_TEST(messages_are_counted), TAP_TEST(handles_are_counted_by_right),
	 TAP_TEST(each_field_is_set_by_its_bit),
	 TAP_TEST(the_size_is_the_librarys),
	 TAP_TEST(values_out_of_range_are_einval),
	 TAP_TEST(only_root_gives_objects_away),
	 TAP_TEST(a_lower_limit_loses_nothing),
	 TAP_TEST(a_higher_limit_admits_those_who_wait))
