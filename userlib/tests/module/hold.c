/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Held messages: acknowledged, given back, left behind; and dead letters. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

#define MILLISECOND	1000000

static struct ipcbox_handle *create_managed(struct ipcbox *box)
{
	return create(box, .rights = RECEIVE | SEND | MANAGE);
}

static int set_deliveries(struct ipcbox_handle *queue, unsigned int most)
{
	struct ipcbox_set changes = {
		.mask = IPCBOX_SET_MAX_DELIVERIES, .max_deliveries = most,
	};

	return ipcbox_set(queue, &changes);
}

static int set_dead_letter(struct ipcbox_handle *queue, uint64_t id)
{
	struct ipcbox_set changes = {
		.mask = IPCBOX_SET_DEAD_LETTER, .dead_letter = id,
	};

	return ipcbox_set(queue, &changes);
}

static int send_briefly(struct ipcbox_handle *queue, const char *text,
			uint64_t lifetime)
{
	struct ipcbox_send_options options = {
		.flags = IPCBOX_NOWAIT, .lifetime = lifetime,
	};

	return ipcbox_send(queue, text, strlen(text), &options);
}

static void pause_ms(long milliseconds)
{
	struct timespec time = { .tv_nsec = milliseconds * MILLISECOND };

	nanosleep(&time, NULL);
}

static void what_is_held_is_not_yet_received(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_incoming header;
	struct ipcbox_stat state;
	struct ipcbox_info info;

	equal(send_text(queue, "held"), 0);
	header = hold_text(queue, "held");
	equal(header.deliveries, 0);
	equal(header.flags, 0);
	equal(header.dead, 0);
	state = state_of(queue);
	equal(state.messages, 0);
	equal(state.held, 1);
	equal(state.received, 0);
	equal(ipcbox_info(box, &info), 0);
	check(info.user_bytes_used >= 4);
	equal(ipcbox_ack(queue, header.token), 0);
	state = state_of(queue);
	equal(state.held, 0);
	equal(state.received, 1);
	equal(ipcbox_info(box, &info), 0);
	equal(info.user_bytes_used, 0);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void a_plain_message_has_no_token(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_incoming header;
	char text[8];

	memset(&header, 0xff, sizeof(header));
	equal(send_text(queue, "plain"), 0);
	equal(ipcbox_receive(queue, text, sizeof(text), &header, 0, 0), 5);
	check(header.token == 0);
	equal(header.deliveries, 0);
	equal(header.flags, 0);
	equal(header.origin, 0);
	equal(header.origin_sequence, 0);
	equal(header.dead, 0);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void what_is_given_back_is_in_its_place(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_incoming first, second;

	equal(send_text(queue, "one"), 0);
	equal(send_text(queue, "two"), 0);
	equal(send_text(queue, "three"), 0);
	first = hold_text(queue, "one");
	second = hold_text(queue, "two");
	equal(ipcbox_nack(queue, second.token), 0);
	equal(ipcbox_nack(queue, first.token), 0);
	second = hold_text(queue, "one");
	equal(second.deliveries, 1);
	equal(second.sequence, 1);
	check(second.token != first.token);
	expect_text(queue, "two");
	expect_text(queue, "three");
	equal(ipcbox_nack(queue, second.token), 0);
	equal(hold_text(queue, "one").deliveries, 2);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void a_token_serves_once_and_one_handle(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_handle *other = reopen(box, queue, RECEIVE);
	struct ipcbox_handle *sender = reopen(box, queue, SEND);
	struct ipcbox_incoming header;

	equal(send_text(queue, "held"), 0);
	header = hold_text(queue, "held");
	equal(ipcbox_ack(other, header.token), -ENOENT);
	equal(ipcbox_nack(other, header.token), -ENOENT);
	equal(ipcbox_ack(sender, header.token), -EACCES);
	equal(ipcbox_ack(queue, header.token + 1), -ENOENT);
	equal(ipcbox_ack(queue, 0), -ENOENT);
	/* It is no call. */
	equal(ipcbox_reply(queue, header.token, "x", 1, 0), -EINVAL);
	equal(ipcbox_ack(queue, header.token), 0);
	equal(ipcbox_ack(queue, header.token), -ENOENT);
	equal(ipcbox_nack(queue, header.token), -ENOENT);
	ipcbox_close(sender);
	ipcbox_close(other);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void holding_needs_a_header(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	char text[8];

	equal(send_text(queue, "here"), 0);
	equal(ipcbox_receive(queue, text, sizeof(text), NULL, IPCBOX_HOLD, 0),
	      -EINVAL);
	expect_text(queue, "here");
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void closing_returns_what_is_held(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_handle *other = reopen(box, queue, RECEIVE);

	equal(send_text(queue, "one"), 0);
	equal(send_text(queue, "two"), 0);
	equal(send_text(queue, "three"), 0);
	hold_text(other, "one");
	hold_text(other, "two");
	equal(state_of(queue).held, 2);
	ipcbox_close(other);
	equal(state_of(queue).held, 0);
	equal(hold_text(queue, "one").deliveries, 1);
	equal(hold_text(queue, "two").deliveries, 1);
	equal(hold_text(queue, "three").deliveries, 0);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

struct worker {
	struct ipcbox *box;
	struct ipcbox_handle *queue;
};

static void hold_and_stay(void *argument)
{
	struct worker *worker = argument;
	struct ipcbox_handle *own = reopen(worker->box, worker->queue, RECEIVE);

	hold_text(own, "one");
	hold_text(own, "two");
	for (;;)
		pause();
}

static void death_returns_what_is_held(void)
{
	struct worker worker = { .box = open_box() };
	struct ipcbox_handle *queue;
	pid_t child;

	queue = create(worker.box, .kind = IPCBOX_QUEUE);
	worker.queue = queue;
	equal(send_text(queue, "one"), 0);
	equal(send_text(queue, "two"), 0);
	equal(send_text(queue, "three"), 0);
	child = tap_spawn(hold_and_stay, &worker);
	await_held(queue, 2);
	kill_child(child);
	await_messages(queue, 3);
	equal(hold_text(queue, "one").deliveries, 1);
	equal(hold_text(queue, "two").deliveries, 1);
	equal(hold_text(queue, "three").deliveries, 0);
	ipcbox_close(queue);
	ipcbox_box_close(worker.box);
}

static void a_batch_is_held_one_by_one(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_incoming messages[4];
	char letters[4];
	int i;

	memset(messages, 0, sizeof(messages));
	for (i = 0; i < 4; i++) {
		equal(ipcbox_send(queue, &"abcd"[i], 1, NULL), 0);
		messages[i].data = ipcbox_address(&letters[i]);
		messages[i].capacity = 1;
	}
	equal(ipcbox_receive_batch(queue, messages, 4, IPCBOX_HOLD, 0), 4);
	equal(state_of(queue).held, 4);
	/* In any order. */
	equal(ipcbox_ack(queue, messages[2].token), 0);
	equal(ipcbox_nack(queue, messages[1].token), 0);
	equal(ipcbox_ack(queue, messages[0].token), 0);
	equal(ipcbox_nack(queue, messages[3].token), 0);
	expect_text(queue, "b");
	expect_text(queue, "d");
	equal(state_of(queue).received, 4);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void held_in_vain_too_often_it_is_a_dead_letter(void)
{
	struct ipcbox_send_options options = { .priority = 7, .tag = 99 };
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create_managed(box);
	struct ipcbox_handle *dead = create(box, .kind = IPCBOX_MAILBOX);
	struct ipcbox_incoming header;
	struct ipcbox_stat state;
	char text[8] = "";

	equal(set_deliveries(queue, 2), 0);
	equal(set_dead_letter(queue, ipcbox_handle_id(dead)), 0);
	equal(state_of(queue).max_deliveries, 2);
	equal(state_of(queue).dead_letter, ipcbox_handle_id(dead));
	equal(send_text(queue, "first"), 0);
	expect_text(queue, "first");
	equal(ipcbox_send(queue, "bad", 3, &options), 0);
	equal(ipcbox_nack(queue, hold_text(queue, "bad").token), 0);
	equal(ipcbox_nack(queue, hold_text(queue, "bad").token), 0);
	equal(ipcbox_receive(dead, text, sizeof(text), &header, 0, 0), 3);
	check(strcmp(text, "bad") == 0);
	equal(header.dead, IPCBOX_DEAD_EXHAUSTED);
	equal(header.origin, ipcbox_handle_id(queue));
	equal(header.origin_sequence, 2);
	equal(header.sequence, 1);
	equal(header.priority, 7);
	equal(header.tag, 99);
	equal(header.pid, getpid());
	equal(header.deliveries, 0);
	state = state_of(queue);
	equal(state.exhausted, 1);
	equal(state.buried, 1);
	equal(state.messages, 0);
	ipcbox_close(dead);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void what_outlives_its_time_is_a_dead_letter(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create_managed(box);
	struct ipcbox_handle *dead = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_incoming header;
	char text[8];

	equal(set_dead_letter(queue, ipcbox_handle_id(dead)), 0);
	equal(send_briefly(queue, "brief", 10 * MILLISECOND), 0);
	equal(send_briefly(queue, "long", IPCBOX_FOREVER / 2), 0);
	/* Though nobody looks at the queue. */
	equal(ipcbox_receive(dead, text, sizeof(text), &header, 0, 0), 5);
	equal(header.dead, IPCBOX_DEAD_EXPIRED);
	equal(header.origin_sequence, 1);
	equal(state_of(queue).expired, 1);
	expect_text(queue, "long");
	ipcbox_close(dead);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

struct holding {
	struct ipcbox_handle *queue;
	struct ipcbox_incoming header;
};

static void *hold_next(void *argument)
{
	struct holding *holding = argument;
	char text[8];

	check(ipcbox_receive(holding->queue, text, sizeof(text),
			     &holding->header, IPCBOX_HOLD, 0) > 0);
	return NULL;
}

/* Who waits gets it in time, were it for a nanosecond. */
static struct ipcbox_incoming hold_dying(struct ipcbox_handle *queue,
					 const char *text)
{
	struct holding holding = { .queue = queue };
	pthread_t thread;

	require(pthread_create(&thread, NULL, hold_next, &holding) == 0);
	await_receivers(queue, 1);
	equal(send_briefly(queue, text, 1), 0);
	require(pthread_join(thread, NULL) == 0);
	return holding.header;
}

static void while_it_is_held_its_time_does_not_end(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_incoming done = hold_dying(queue, "done");
	struct ipcbox_incoming undone = hold_dying(queue, "undone");

	pause_ms(1);
	equal(ipcbox_ack(queue, done.token), 0);
	equal(state_of(queue).received, 1);
	/* Given back, it is as old as it is. */
	equal(ipcbox_nack(queue, undone.token), 0);
	while (state_of(queue).expired != 1)
		pause_ms(1);
	equal(state_of(queue).messages, 0);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void what_is_left_in_a_destroyed_object_is_a_dead_letter(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create_managed(box);
	struct ipcbox_handle *dead = create(box, .kind = IPCBOX_QUEUE);
	uint64_t id = ipcbox_handle_id(queue);
	struct ipcbox_incoming header;
	char text[8];

	equal(set_dead_letter(queue, ipcbox_handle_id(dead)), 0);
	equal(send_text(queue, "one"), 0);
	equal(send_text(queue, "two"), 0);
	hold_text(queue, "one");
	ipcbox_close(queue);
	await_messages(dead, 2);
	equal(ipcbox_receive(dead, text, sizeof(text), &header, 0, 0), 3);
	equal(header.dead, IPCBOX_DEAD_DESTROYED);
	equal(header.origin, id);
	equal(header.origin_sequence, 1);
	expect_text(dead, "two");
	ipcbox_close(dead);
	ipcbox_box_close(box);
}

static void without_a_mailbox_for_it_a_death_is_counted(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create_managed(box);
	struct ipcbox_stat state;
	struct ipcbox_info info;

	equal(set_deliveries(queue, 1), 0);
	equal(send_text(queue, "bad"), 0);
	equal(ipcbox_nack(queue, hold_text(queue, "bad").token), 0);
	state = state_of(queue);
	equal(state.exhausted, 1);
	equal(state.buried, 0);
	equal(ipcbox_info(box, &info), 0);
	equal(info.discarded, 1);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void a_dead_letter_mailbox_is_another(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create_managed(box);
	struct ipcbox_handle *dead = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_handle *plain = reopen(box, queue, SEND);
	uint64_t id = ipcbox_handle_id(dead);

	equal(set_dead_letter(queue, id + 1000), -ENOENT);
	check(set_dead_letter(queue, ipcbox_handle_id(queue)) < 0);
	equal(set_dead_letter(plain, id), -EACCES);
	equal(state_of(queue).dead_letter, 0);
	equal(set_dead_letter(queue, id), 0);
	equal(set_dead_letter(queue, 0), 0);
	equal(state_of(queue).dead_letter, 0);
	ipcbox_close(plain);
	ipcbox_close(dead);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void a_lifetime_has_a_range(void)
{
	struct ipcbox_outgoing message = { .lifetime = 1ull << 63 };
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);

	equal(send_briefly(queue, "x", 1ull << 63), -EINVAL);
	equal(ipcbox_send_batch(queue, &message, 1, 0, 0), -EINVAL);
	message.lifetime--;
	equal(ipcbox_send_batch(queue, &message, 1, 0, 0), 1);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void every_message_is_accounted_for(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create_managed(box);
	struct exchange sender;
	struct ipcbox_stat state;

	equal(set_deliveries(queue, 1), 0);
	equal(send_text(queue, "received"), 0);
	equal(send_text(queue, "exhausted"), 0);
	equal(send_text(queue, "held"), 0);
	equal(send_briefly(queue, "expired", MILLISECOND), 0);
	expect_text(queue, "received");
	equal(ipcbox_nack(queue, hold_text(queue, "exhausted").token), 0);
	hold_text(queue, "held");
	while (state_of(queue).expired != 1)
		pause_ms(1);
	begin_send(&sender, queue, "withdrawn",
		   ipcbox_deadline_after_ms(10));
	equal(end_exchange(&sender), -ETIMEDOUT);
	equal(send_text(queue, "waiting"), 0);
	state = state_of(queue);
	equal(state.sent, 6);
	equal(state.received, 1);
	equal(state.exhausted, 1);
	equal(state.held, 1);
	equal(state.expired, 1);
	equal(state.withdrawn, 1);
	equal(state.messages, 1);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

TAP_MAIN(own_box, TAP_TEST(what_is_held_is_not_yet_received),
	 TAP_TEST(a_plain_message_has_no_token),
	 TAP_TEST(what_is_given_back_is_in_its_place),
	 TAP_TEST(a_token_serves_once_and_one_handle),
	 TAP_TEST(holding_needs_a_header),
	 TAP_TEST(closing_returns_what_is_held),
	 TAP_TEST(death_returns_what_is_held),
	 TAP_TEST(a_batch_is_held_one_by_one),
	 TAP_TEST(held_in_vain_too_often_it_is_a_dead_letter),
	 TAP_TEST(what_outlives_its_time_is_a_dead_letter),
	 TAP_TEST(while_it_is_held_its_time_does_not_end),
	 TAP_TEST(what_is_left_in_a_destroyed_object_is_a_dead_letter),
	 TAP_TEST(without_a_mailbox_for_it_a_death_is_counted),
	 TAP_TEST(a_dead_letter_mailbox_is_another),
	 TAP_TEST(a_lifetime_has_a_range),
	 TAP_TEST(every_message_is_accounted_for))
