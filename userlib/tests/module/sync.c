/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Synchronous send: taken, or withdrawn; whatever the other side does. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

static void it_waits_until_it_is_received(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct exchange sender;

	begin_send(&sender, queue, "sync", 0);
	await_messages(queue, 1);
	check(!has_ended(&sender));
	expect_text(queue, "sync");
	equal(end_exchange(&sender), 0);
	equal(state_of(queue).received, 1);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void receive_waiting(void *argument)
{
	char text[8];

	equal(ipcbox_receive(argument, text, sizeof(text), NULL, 0, 0), 4);
}

static void a_receiver_that_waits_takes_it_at_once(void)
{
	struct ipcbox_send_options options = { .flags = IPCBOX_SYNC };
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	pid_t child = tap_spawn(receive_waiting, queue);

	await_receivers(queue, 1);
	equal(ipcbox_send(queue, "sync", 4, &options), 0);
	join(child);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void it_waits_until_it_is_acknowledged(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_incoming header;
	struct exchange sender;

	begin_send(&sender, queue, "sync", 0);
	await_messages(queue, 1);
	header = hold_text(queue, "sync");
	check(!has_ended(&sender));
	equal(state_of(queue).received, 0);
	equal(ipcbox_ack(queue, header.token), 0);
	equal(end_exchange(&sender), 0);
	equal(state_of(queue).received, 1);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void what_is_given_back_is_for_the_next(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct exchange sender;

	begin_send(&sender, queue, "sync", 0);
	await_messages(queue, 1);
	equal(ipcbox_nack(queue, hold_text(queue, "sync").token), 0);
	check(!has_ended(&sender));
	equal(state_of(queue).messages, 1);
	expect_text(queue, "sync");
	equal(end_exchange(&sender), 0);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

struct holder {
	struct ipcbox *box;
	struct ipcbox_handle *queue;
};

/* By a handle of its own, which its death closes. */
static void hold_for_ever(void *argument)
{
	struct holder *holder = argument;
	struct ipcbox_handle *own = reopen(holder->box, holder->queue, RECEIVE);

	hold_text(own, "sync");
	for (;;)
		pause();
}

static void a_killed_holder_leaves_it_to_the_next(void)
{
	struct holder holder = { .box = open_box() };
	struct ipcbox_incoming header;
	struct exchange sender;
	pid_t child;

	holder.queue = create(holder.box, .kind = IPCBOX_QUEUE);
	begin_send(&sender, holder.queue, "sync", 0);
	await_messages(holder.queue, 1);
	child = tap_spawn(hold_for_ever, &holder);
	await_held(holder.queue, 1);
	kill_child(child);
	await_messages(holder.queue, 1);
	check(!has_ended(&sender));
	header = hold_text(holder.queue, "sync");
	equal(header.deliveries, 1);
	equal(ipcbox_ack(holder.queue, header.token), 0);
	equal(end_exchange(&sender), 0);
	ipcbox_close(holder.queue);
	ipcbox_box_close(holder.box);
}

static void at_its_deadline_it_is_withdrawn(void)
{
	struct ipcbox_send_options options = { .flags = IPCBOX_SYNC };
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_stat state;
	char text[8];

	options.deadline = ipcbox_deadline_after_ms(20);
	equal(ipcbox_send(queue, "late", 4, &options), -ETIMEDOUT);
	equal(ipcbox_deadline_left_ms(options.deadline), 0);
	equal(ipcbox_receive(queue, text, sizeof(text), NULL, IPCBOX_NOWAIT, 0),
	      -EAGAIN);
	state = state_of(queue);
	equal(state.sent, 1);
	equal(state.withdrawn, 1);
	equal(state.messages, 0);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

/* Held before its deadline, however slow the machine; and after how many tries. */
static struct ipcbox_incoming hold_in_time(struct exchange *sender,
					   struct ipcbox_handle *queue,
					   unsigned int *tries)
{
	struct ipcbox_incoming header;
	unsigned int ms = 100;
	uint64_t deadline;
	char text[8];

	for (;; ms *= 2) {
		deadline = ipcbox_deadline_after_ms(ms);
		(*tries)++;
		begin_send(sender, queue, "late", deadline);
		if (ipcbox_receive(queue, text, sizeof(text), &header,
				   IPCBOX_HOLD, deadline) == 4)
			return header;
		equal(end_exchange(sender), -ETIMEDOUT);
	}
}

static void who_holds_it_too_long_gets_epipe(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_incoming first, second;
	struct exchange senders[2];
	unsigned int tries = 0;

	first = hold_in_time(&senders[0], queue, &tries);
	second = hold_in_time(&senders[1], queue, &tries);
	equal(end_exchange(&senders[0]), -ETIMEDOUT);
	equal(end_exchange(&senders[1]), -ETIMEDOUT);
	equal(ipcbox_ack(queue, first.token), -EPIPE);
	equal(ipcbox_nack(queue, second.token), -EPIPE);
	/* Neither came back, and the tokens are gone. */
	equal(ipcbox_ack(queue, first.token), -ENOENT);
	equal(ipcbox_nack(queue, second.token), -ENOENT);
	equal(state_of(queue).messages, 0);
	equal(state_of(queue).withdrawn, tries);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void send_for_ever(void *argument)
{
	struct ipcbox_send_options options = { .flags = IPCBOX_SYNC };

	ipcbox_send(argument, "sync", 4, &options);
}

static void a_killed_sender_takes_it_along(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_incoming header;
	pid_t child;

	child = tap_spawn(send_for_ever, queue);
	await_messages(queue, 1);
	kill_child(child);
	equal(state_of(queue).messages, 0);

	child = tap_spawn(send_for_ever, queue);
	await_messages(queue, 1);
	header = hold_text(queue, "sync");
	kill_child(child);
	equal(ipcbox_ack(queue, header.token), -EPIPE);
	equal(state_of(queue).withdrawn, 2);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void note(int number)
{
	(void)number;
}

static void a_signal_withdraws_it(void)
{
	struct sigaction action = { .sa_handler = note };
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct exchange sender;

	require(sigaction(SIGUSR1, &action, NULL) == 0);
	begin_send(&sender, queue, "sync", 0);
	await_messages(queue, 1);
	pthread_kill(sender.thread, SIGUSR1);
	equal(end_exchange(&sender), -EINTR);
	equal(state_of(queue).messages, 0);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void without_a_receiver_to_come_it_ends(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *receiver = create(box, .rights = RECEIVE);
	struct ipcbox_handle *queue = reopen(box, receiver, SEND);
	struct exchange queued, held;

	begin_send(&held, queue, "held", 0);
	await_messages(queue, 1);
	hold_text(receiver, "held");
	begin_send(&queued, queue, "queued", 0);
	await_messages(queue, 1);
	ipcbox_close(receiver);
	equal(end_exchange(&queued), -EPIPE);
	equal(end_exchange(&held), -EPIPE);
	equal(state_of(queue).messages, 0);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void held_in_vain_too_often_it_ends(void)
{
	struct ipcbox_set changes = {
		.mask = IPCBOX_SET_MAX_DELIVERIES, .max_deliveries = 2,
	};
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue =
		create(box, .rights = RECEIVE | SEND | MANAGE);
	struct exchange sender;

	equal(ipcbox_set(queue, &changes), 0);
	begin_send(&sender, queue, "sync", 0);
	await_messages(queue, 1);
	equal(ipcbox_nack(queue, hold_text(queue, "sync").token), 0);
	equal(ipcbox_nack(queue, hold_text(queue, "sync").token), 0);
	equal(end_exchange(&sender), -EOWNERDEAD);
	equal(state_of(queue).exhausted, 1);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void at_the_end_of_its_lifetime_it_ends(void)
{
	struct ipcbox_send_options options = {
		.flags = IPCBOX_SYNC, .lifetime = 20000000,
	};
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);

	equal(ipcbox_send(queue, "brief", 5, &options), -ETIMEDOUT);
	equal(state_of(queue).expired, 1);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void it_waits_for_room_unless_told_not_to(void)
{
	struct ipcbox_send_options options = {
		.flags = IPCBOX_SYNC | IPCBOX_NOWAIT,
	};
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .max_messages = 1);
	struct exchange sender;

	equal(send_text(queue, "full"), 0);
	equal(ipcbox_send(queue, "sync", 4, &options), -EAGAIN);
	begin_send(&sender, queue, "sync", 0);
	await_senders(queue, 1);
	expect_text(queue, "full");
	await_messages(queue, 1);
	check(!has_ended(&sender));
	expect_text(queue, "sync");
	equal(end_exchange(&sender), 0);
	/* With room, it waits to be taken all the same. */
	options.deadline = ipcbox_deadline_after_ms(20);
	equal(ipcbox_send(queue, "sync", 4, &options), -ETIMEDOUT);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void a_batch_is_of_one(void)
{
	struct ipcbox_outgoing messages[2] = {
		{ .data = ipcbox_address("a"), .length = 1 },
		{ .data = ipcbox_address("b"), .length = 1 },
	};
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	pid_t child;

	equal(ipcbox_send_batch(queue, messages, 2, IPCBOX_SYNC, 0), -EINVAL);
	equal(state_of(queue).sent, 0);
	messages[0].length = 4;
	messages[0].data = ipcbox_address("sync");
	child = tap_spawn(receive_waiting, queue);
	equal(ipcbox_send_batch(queue, messages, 1, IPCBOX_SYNC, 0), 1);
	join(child);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

TAP_MAIN(own_box, TAP_TEST(it_waits_until_it_is_received),
	 TAP_TEST(a_receiver_that_waits_takes_it_at_once),
	 TAP_TEST(it_waits_until_it_is_acknowledged),
	 TAP_TEST(what_is_given_back_is_for_the_next),
	 TAP_TEST(a_killed_holder_leaves_it_to_the_next),
	 TAP_TEST(at_its_deadline_it_is_withdrawn),
	 TAP_TEST(who_holds_it_too_long_gets_epipe),
	 TAP_TEST(a_killed_sender_takes_it_along),
	 TAP_TEST(a_signal_withdraws_it),
	 TAP_TEST(without_a_receiver_to_come_it_ends),
	 TAP_TEST(held_in_vain_too_often_it_ends),
	 TAP_TEST(at_the_end_of_its_lifetime_it_ends),
	 TAP_TEST(it_waits_for_room_unless_told_not_to),
	 TAP_TEST(a_batch_is_of_one))
