// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the bounded priority queue, against what queue.c promises.
 */
#include <kunit/test.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "compat.h"
#include "queue.h"

#define MESSAGES	8
#define BYTES		1000

/**
 * struct world - a queue with two users
 * @queue: it holds MESSAGES and BYTES
 * @owner: not concerned by the share limit
 * @guest: may fill one half
 */
struct world {
	struct ipcbox_queue queue;
	struct ipcbox_queue_share owner;
	struct ipcbox_queue_share guest;
};

static int world_init(struct kunit *test)
{
	const struct ipcbox_queue_limits limits = {
		.messages = MESSAGES,
		.bytes = BYTES,
		.share_percent = 50,
	};
	struct world *world = kunit_kzalloc(test, sizeof(*world), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, world);
	ipcbox_queue_init(&world->queue, &limits);
	ipcbox_queue_share_init(&world->owner, true);
	ipcbox_queue_share_init(&world->guest, false);
	test->priv = world;
	return 0;
}

static struct ipcbox_queue_entry *make(struct kunit *test,
				       struct ipcbox_queue_share *share,
				       u16 priority, u32 length)
{
	struct ipcbox_queue_entry *entry;

	entry = kunit_kzalloc(test, sizeof(*entry), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, entry);
	entry->share = share;
	entry->priority = priority;
	entry->length = length;
	return entry;
}

static struct ipcbox_queue_entry *put(struct kunit *test,
				      struct ipcbox_queue_share *share,
				      u16 priority, u32 length)
{
	struct world *world = test->priv;
	struct ipcbox_queue_entry *entry = make(test, share, priority, length);

	ipcbox_queue_number(&world->queue, entry);
	ipcbox_queue_insert(&world->queue, entry);
	return entry;
}

static struct ipcbox_queue_entry *park(struct kunit *test,
				       struct ipcbox_queue_share *share,
				       u32 length)
{
	struct world *world = test->priv;
	struct ipcbox_queue_entry *entry = make(test, share, 0, length);

	KUNIT_ASSERT_FALSE(test, ipcbox_queue_admits(&world->queue, share,
						     length));
	ipcbox_queue_park(&world->queue, entry);
	return entry;
}

static struct ipcbox_queue_entry *take(struct kunit *test)
{
	struct world *world = test->priv;
	struct ipcbox_queue_entry *entry = ipcbox_queue_first(&world->queue);

	KUNIT_ASSERT_NOT_NULL(test, entry);
	ipcbox_queue_remove(&world->queue, entry);
	return entry;
}

/* Let the next parked entry in, as a caller does, and say which it was. */
static struct ipcbox_queue_entry *admit(struct kunit *test,
					struct ipcbox_queue_share *freed)
{
	struct world *world = test->priv;
	struct ipcbox_queue_entry *entry;

	entry = ipcbox_queue_unpark_next(&world->queue, freed);
	if (entry) {
		ipcbox_queue_number(&world->queue, entry);
		ipcbox_queue_insert(&world->queue, entry);
	}
	return entry;
}

static void queue_empty(struct kunit *test)
{
	struct world *world = test->priv;

	KUNIT_EXPECT_NULL(test, ipcbox_queue_first(&world->queue));
	KUNIT_EXPECT_EQ(test, world->queue.messages, 0);
	KUNIT_EXPECT_EQ(test, world->queue.bytes, 0);
	KUNIT_EXPECT_NULL(test, ipcbox_queue_unpark_next(&world->queue, NULL));
}

static void queue_is_fifo_within_a_priority(struct kunit *test)
{
	struct world *world = test->priv;
	struct ipcbox_queue_entry *entries[4];
	int i;

	for (i = 0; i < 4; i++)
		entries[i] = put(test, &world->owner, 5, 10);
	KUNIT_EXPECT_EQ(test, world->queue.messages, 4);
	KUNIT_EXPECT_EQ(test, world->queue.bytes, 40);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, entries[i]->sequence, i + 1);
		KUNIT_EXPECT_PTR_EQ(test, take(test), entries[i]);
	}
	queue_empty(test);
}

static void queue_goes_by_priority(struct kunit *test)
{
	struct world *world = test->priv;
	struct ipcbox_queue_entry *low = put(test, &world->owner, 0, 1);
	struct ipcbox_queue_entry *high = put(test, &world->owner, 32767, 1);
	struct ipcbox_queue_entry *middle = put(test, &world->owner, 7, 1);
	struct ipcbox_queue_entry *high2 = put(test, &world->owner, 32767, 1);

	KUNIT_EXPECT_PTR_EQ(test, take(test), high);
	KUNIT_EXPECT_PTR_EQ(test, take(test), high2);
	KUNIT_EXPECT_PTR_EQ(test, take(test), middle);
	KUNIT_EXPECT_PTR_EQ(test, take(test), low);
	queue_empty(test);
}

static void queue_is_walked_in_order(struct kunit *test)
{
	struct world *world = test->priv;
	struct ipcbox_queue_entry *entries[5], *at;
	int i;

	entries[3] = put(test, &world->owner, 1, 1);
	entries[0] = put(test, &world->owner, 9, 1);
	entries[4] = put(test, &world->owner, 1, 1);
	entries[2] = put(test, &world->owner, 5, 1);
	entries[1] = put(test, &world->owner, 9, 1);
	at = ipcbox_queue_first(&world->queue);
	for (i = 0; i < 5; i++) {
		KUNIT_EXPECT_PTR_EQ(test, at, entries[i]);
		at = ipcbox_queue_next(&world->queue, at);
	}
	KUNIT_EXPECT_NULL(test, at);
}

static void queue_returns_to_its_place(struct kunit *test)
{
	struct world *world = test->priv;
	struct ipcbox_queue_entry *entries[5];
	int i;

	for (i = 0; i < 5; i++)
		entries[i] = put(test, &world->owner, 3, 1);
	for (i = 0; i < 3; i++)
		take(test);
	/* 0, 1 and 2 come back in an order that is not theirs. */
	ipcbox_queue_insert(&world->queue, entries[1]);
	ipcbox_queue_insert(&world->queue, entries[2]);
	ipcbox_queue_insert(&world->queue, entries[0]);
	KUNIT_EXPECT_EQ(test, world->queue.messages, 5);
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_PTR_EQ(test, take(test), entries[i]);
	queue_empty(test);
}

static struct ipcbox_queue_entry **make_table(struct kunit *test, int count)
{
	struct ipcbox_queue_entry **table;

	table = kunit_kcalloc(test, count, sizeof(*table), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, table);
	return table;
}

/* As when a worker that holds much ends, or selects and gives back. */
static void queue_returns_many_in_any_order(struct kunit *test)
{
	enum { COUNT = 1000 };
	struct world *world = test->priv;
	struct ipcbox_queue_entry **entries;
	int i;

	entries = make_table(test, COUNT);
	for (i = 0; i < COUNT; i++)
		entries[i] = put(test, &world->owner, 9 - i / 100, 1);
	for (i = 0; i < COUNT; i += 2)
		ipcbox_queue_remove(&world->queue, entries[i * 37 % COUNT]);
	put(test, &world->owner, 0, 1);
	for (i = 0; i < COUNT; i += 2)
		ipcbox_queue_insert(&world->queue, entries[i * 77 % COUNT]);
	for (i = 0; i < COUNT; i++)
		KUNIT_ASSERT_PTR_EQ(test, take(test), entries[i]);
	KUNIT_EXPECT_EQ(test, take(test)->sequence, COUNT + 1);
	queue_empty(test);
}

static void queue_is_walked_from_any_place(struct kunit *test)
{
	struct world *world = test->priv;
	const struct ipcbox_queue_place begin = { .priority = U16_MAX };
	struct ipcbox_queue_place place;
	struct ipcbox_queue_entry *entries[4];
	int i;

	KUNIT_EXPECT_NULL(test, ipcbox_queue_after(&world->queue, &begin));
	entries[1] = put(test, &world->owner, 5, 1);
	entries[3] = put(test, &world->owner, 2, 1);
	entries[0] = put(test, &world->owner, 32767, 1);
	entries[2] = put(test, &world->owner, 5, 1);
	place = begin;
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_PTR_EQ(test,
				    ipcbox_queue_after(&world->queue, &place),
				    entries[i]);
		place = ipcbox_queue_place_of(entries[i]);
	}
	KUNIT_EXPECT_NULL(test, ipcbox_queue_after(&world->queue, &place));
	/* From where one was that has gone. */
	place = ipcbox_queue_place_of(entries[1]);
	ipcbox_queue_remove(&world->queue, entries[1]);
	KUNIT_EXPECT_PTR_EQ(test, ipcbox_queue_after(&world->queue, &place),
			    entries[2]);
	place.sequence--;
	KUNIT_EXPECT_PTR_EQ(test, ipcbox_queue_after(&world->queue, &place),
			    entries[2]);
}

static void queue_returns_the_only_one(struct kunit *test)
{
	struct world *world = test->priv;
	struct ipcbox_queue_entry *first = put(test, &world->owner, 3, 1);
	struct ipcbox_queue_entry *later;

	take(test);
	later = put(test, &world->owner, 3, 1);
	ipcbox_queue_insert(&world->queue, first);
	KUNIT_EXPECT_PTR_EQ(test, take(test), first);
	KUNIT_EXPECT_PTR_EQ(test, take(test), later);
}

static void queue_removes_from_the_middle(struct kunit *test)
{
	struct world *world = test->priv;
	struct ipcbox_queue_entry *entries[3];
	int i;

	for (i = 0; i < 3; i++)
		entries[i] = put(test, &world->owner, 3, 1);
	ipcbox_queue_remove(&world->queue, entries[1]);
	KUNIT_EXPECT_PTR_EQ(test, take(test), entries[0]);
	KUNIT_EXPECT_PTR_EQ(test, take(test), entries[2]);
	queue_empty(test);
}

/* Thousands of random operations, against a plain search of an array. */
static struct ipcbox_queue_entry *model_first(struct ipcbox_queue_entry **model,
					      int count, int *at)
{
	int i, best = 0;

	for (i = 1; i < count; i++)
		if (model[i]->priority > model[best]->priority ||
		    (model[i]->priority == model[best]->priority &&
		     model[i]->sequence < model[best]->sequence))
			best = i;
	*at = best;
	return model[best];
}

static struct ipcbox_queue_entry *
model_after(struct ipcbox_queue_entry **model, int count,
	    const struct ipcbox_queue_place *place)
{
	struct ipcbox_queue_entry *after = NULL;
	int i;

	for (i = 0; i < count; i++) {
		struct ipcbox_queue_place at = ipcbox_queue_place_of(model[i]);

		if (ipcbox_queue_place_before(place, &at) &&
		    (!after || model[i]->priority > after->priority ||
		     (model[i]->priority == after->priority &&
		      model[i]->sequence < after->sequence)))
			after = model[i];
	}
	return after;
}

/* Also of a place where none is. */
static void expect_after(struct kunit *test, struct ipcbox_queue_entry **model,
			 int count, u32 dice)
{
	struct world *world = test->priv;
	struct ipcbox_queue_place place = {
		.priority = count ? model[dice % count]->priority : 0,
		.sequence = (dice >> 8) % (world->queue.sequence + 2),
	};

	KUNIT_ASSERT_PTR_EQ(test, ipcbox_queue_after(&world->queue, &place),
			    model_after(model, count, &place));
}

static void agree_with_a_model(struct kunit *test, u32 levels)
{
	enum { SIZE = 128, STEPS = 4000 };
	struct world *world = test->priv;
	struct ipcbox_queue_entry **model, *pool, *entry;
	int count = 0, step, at;

	model = make_table(test, SIZE);
	pool = kunit_kcalloc(test, STEPS, sizeof(*pool), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pool);
	for (step = 0; step < STEPS; step++) {
		u32 dice = get_random_u32();

		expect_after(test, model, count, dice);
		/* What is urgent goes where the tree's first one is known to be. */
		KUNIT_ASSERT_PTR_EQ(test, rb_first_cached(&world->queue.runs),
				    rb_first(&world->queue.runs.rb_root));
		if (!count || (count < SIZE && dice % 5 < 3)) {
			entry = &pool[step];
			entry->share = &world->owner;
			entry->priority = (dice >> 8) % levels * 1638;
			entry->length = (dice >> 16) % 100;
			ipcbox_queue_number(&world->queue, entry);
			ipcbox_queue_insert(&world->queue, entry);
			model[count++] = entry;
			continue;
		}
		entry = model_first(model, count, &at);
		KUNIT_ASSERT_PTR_EQ(test, ipcbox_queue_first(&world->queue),
				    entry);
		if (dice % 7 < 3) {
			at = (dice >> 8) % count;
			entry = model[at];
		}
		ipcbox_queue_remove(&world->queue, entry);
		if (dice % 3 == 0)
			ipcbox_queue_insert(&world->queue, entry);
		else
			model[at] = model[--count];
		KUNIT_ASSERT_EQ(test, world->queue.messages, count);
	}
	while (count) {
		entry = model_first(model, count, &at);
		KUNIT_ASSERT_PTR_EQ(test, take(test), entry);
		model[at] = model[--count];
	}
	queue_empty(test);
}

static void queue_agrees_with_a_model(struct kunit *test)
{
	agree_with_a_model(test, 20);
}

static void queue_of_one_priority_agrees_with_a_model(struct kunit *test)
{
	agree_with_a_model(test, 1);
}

static int runs_of(struct kunit *test)
{
	struct world *world = test->priv;
	struct rb_node *node;
	int runs = 0;

	for (node = rb_first_cached(&world->queue.runs); node;
	     node = rb_next(node))
		runs++;
	return runs;
}

/* What makes a place cheap to find, in whatever order entries come and go. */
static void queue_keeps_its_tree_small(struct kunit *test)
{
	enum { COUNT = 1000, RUN = 32, RUNS = COUNT / RUN + 1 };
	struct world *world = test->priv;
	struct ipcbox_queue_entry **entries;
	int i;

	entries = make_table(test, COUNT);
	for (i = 0; i < COUNT; i++)
		entries[i] = put(test, &world->owner, 0, 1);
	KUNIT_EXPECT_EQ(test, runs_of(test), RUNS);
	for (i = 0; i < COUNT; i += 3)
		ipcbox_queue_remove(&world->queue, entries[i]);
	for (i = COUNT - 1; i >= 0; i--)
		if (i % 3 == 0)
			ipcbox_queue_insert(&world->queue, entries[i]);
	KUNIT_EXPECT_EQ(test, runs_of(test), RUNS);
	for (i = 0; i < COUNT; i++)
		KUNIT_ASSERT_PTR_EQ(test, take(test), entries[i]);
	KUNIT_EXPECT_EQ(test, runs_of(test), 0);
	queue_empty(test);
}

static void queue_is_bounded_by_messages(struct kunit *test)
{
	struct world *world = test->priv;
	int i;

	for (i = 0; i < MESSAGES; i++) {
		KUNIT_EXPECT_TRUE(test, ipcbox_queue_admits(&world->queue,
							    &world->owner, 0));
		put(test, &world->owner, 0, 0);
	}
	KUNIT_EXPECT_FALSE(test, ipcbox_queue_admits(&world->queue,
						     &world->owner, 0));
	take(test);
	KUNIT_EXPECT_TRUE(test, ipcbox_queue_admits(&world->queue,
						    &world->owner, 0));
	KUNIT_EXPECT_EQ(test, world->queue.messages_peak, MESSAGES);
}

static void queue_is_bounded_by_bytes(struct kunit *test)
{
	struct world *world = test->priv;

	put(test, &world->owner, 0, BYTES - 10);
	KUNIT_EXPECT_TRUE(test, ipcbox_queue_admits(&world->queue,
						    &world->owner, 10));
	KUNIT_EXPECT_FALSE(test, ipcbox_queue_admits(&world->queue,
						     &world->owner, 11));
	KUNIT_EXPECT_EQ(test, world->queue.bytes_peak, BYTES - 10);
}

static void share_is_bounded(struct kunit *test)
{
	struct world *world = test->priv;
	int i;

	for (i = 0; i < MESSAGES / 2; i++) {
		KUNIT_EXPECT_TRUE(test, ipcbox_queue_admits(&world->queue,
							    &world->guest, 1));
		put(test, &world->guest, 0, 1);
	}
	KUNIT_EXPECT_FALSE(test, ipcbox_queue_admits(&world->queue,
						     &world->guest, 1));
	KUNIT_EXPECT_TRUE(test, ipcbox_queue_admits(&world->queue,
						    &world->owner, 1));
}

static void share_is_bounded_by_bytes(struct kunit *test)
{
	struct world *world = test->priv;

	put(test, &world->guest, 0, BYTES / 2 - 1);
	KUNIT_EXPECT_TRUE(test, ipcbox_queue_admits(&world->queue,
						    &world->guest, 1));
	KUNIT_EXPECT_FALSE(test, ipcbox_queue_admits(&world->queue,
						     &world->guest, 2));
}

static void share_always_gets_its_first(struct kunit *test)
{
	struct world *world = test->priv;
	int i;

	for (i = 0; i < MESSAGES; i++)
		put(test, &world->owner, 0, BYTES / MESSAGES);
	park(test, &world->owner, 1);
	KUNIT_EXPECT_TRUE(test, ipcbox_queue_admits(&world->queue,
						    &world->guest, BYTES));
	put(test, &world->guest, 0, BYTES);
	KUNIT_EXPECT_FALSE(test, ipcbox_queue_admits(&world->queue,
						     &world->guest, 0));
}

static void share_gets_its_first_again(struct kunit *test)
{
	struct world *world = test->priv;
	struct ipcbox_queue_entry *parked;
	int i;

	put(test, &world->guest, 9, 1);
	for (i = 0; i < MESSAGES; i++)
		put(test, &world->owner, 0, 1);
	parked = park(test, &world->guest, 1);
	/* The queue is still full, but the guest has nothing in it now. */
	KUNIT_EXPECT_PTR_EQ(test, take(test)->share, &world->guest);
	KUNIT_EXPECT_PTR_EQ(test, admit(test, &world->guest), parked);
	KUNIT_EXPECT_NULL(test, admit(test, &world->guest));
	KUNIT_EXPECT_EQ(test, world->queue.messages, MESSAGES + 1);
}

static void parked_are_admitted_in_order(struct kunit *test)
{
	struct world *world = test->priv;
	struct ipcbox_queue_entry *parked[3];
	int i;

	for (i = 0; i < MESSAGES; i++)
		put(test, &world->owner, 0, 1);
	for (i = 0; i < 3; i++)
		parked[i] = park(test, &world->owner, 1);
	KUNIT_EXPECT_NULL(test, admit(test, NULL));
	for (i = 0; i < 3; i++) {
		take(test);
		KUNIT_EXPECT_PTR_EQ(test, admit(test, &world->owner),
				    parked[i]);
		KUNIT_EXPECT_NULL(test, admit(test, &world->owner));
	}
}

static void parked_shares_take_turns(struct kunit *test)
{
	struct world *world = test->priv;
	struct ipcbox_queue_entry *own[2], *others[2];
	int i;

	put(test, &world->guest, 0, 1);
	for (i = 1; i < MESSAGES; i++)
		put(test, &world->owner, 9, 1);
	own[0] = park(test, &world->owner, 1);
	own[1] = park(test, &world->owner, 1);
	others[0] = park(test, &world->guest, 1);
	others[1] = park(test, &world->guest, 1);
	for (i = 0; i < 2; i++) {
		take(test);
		KUNIT_EXPECT_PTR_EQ(test, admit(test, &world->owner), own[i]);
		take(test);
		KUNIT_EXPECT_PTR_EQ(test, admit(test, &world->owner),
				    others[i]);
	}
	KUNIT_EXPECT_NULL(test, admit(test, NULL));
}

static void parked_by_share_lets_others_pass(struct kunit *test)
{
	struct world *world = test->priv;
	struct ipcbox_queue_entry *parked;
	int i;

	for (i = 0; i < MESSAGES / 2; i++)
		put(test, &world->guest, 0, 1);
	parked = park(test, &world->guest, 1);
	KUNIT_EXPECT_TRUE(test, ipcbox_queue_admits(&world->queue,
						    &world->owner, 1));
	KUNIT_EXPECT_NULL(test, admit(test, NULL));
	take(test);
	KUNIT_EXPECT_PTR_EQ(test, admit(test, &world->guest), parked);
}

static void parked_long_is_not_passed_over(struct kunit *test)
{
	struct world *world = test->priv;
	struct ipcbox_queue_entry *parked;

	put(test, &world->owner, 0, BYTES / 2);
	put(test, &world->owner, 0, 10);
	parked = park(test, &world->owner, BYTES - 10);
	/* A short one would fit, but the long one came first. */
	KUNIT_EXPECT_FALSE(test, ipcbox_queue_admits(&world->queue,
						     &world->owner, 1));
	KUNIT_EXPECT_NULL(test, admit(test, NULL));
	take(test);
	KUNIT_EXPECT_PTR_EQ(test, admit(test, &world->owner), parked);
}

static void parked_may_withdraw(struct kunit *test)
{
	struct world *world = test->priv;
	struct ipcbox_queue_entry *parked, *behind;

	put(test, &world->owner, 0, BYTES / 2);
	parked = park(test, &world->owner, BYTES);
	behind = park(test, &world->owner, 1);
	ipcbox_queue_unpark(&world->queue, parked);
	KUNIT_EXPECT_EQ(test, parked->sequence, 0);
	KUNIT_EXPECT_PTR_EQ(test, admit(test, &world->owner), behind);
	KUNIT_EXPECT_EQ(test, behind->sequence, 2);
	KUNIT_EXPECT_TRUE(test, ipcbox_queue_admits(&world->queue,
						    &world->owner, 1));
}

static void limits_may_change(struct kunit *test)
{
	struct world *world = test->priv;
	struct ipcbox_queue_entry *parked;
	int i;

	for (i = 0; i < MESSAGES / 2; i++)
		put(test, &world->guest, 0, 1);
	parked = park(test, &world->guest, 1);
	world->queue.limits.messages = MESSAGES * 2;
	ipcbox_queue_reshare(&world->queue, &world->guest);
	KUNIT_EXPECT_PTR_EQ(test, admit(test, NULL), parked);
	/* Below what is in: nothing is lost, nothing more comes in. */
	world->queue.limits.messages = 1;
	KUNIT_EXPECT_FALSE(test, ipcbox_queue_admits(&world->queue,
						     &world->guest, 1));
	KUNIT_EXPECT_EQ(test, world->queue.messages, MESSAGES / 2 + 1);
}

static struct kunit_case queue_cases[] = {
	KUNIT_CASE(queue_empty),
	KUNIT_CASE(queue_is_fifo_within_a_priority),
	KUNIT_CASE(queue_goes_by_priority),
	KUNIT_CASE(queue_is_walked_in_order),
	KUNIT_CASE(queue_returns_to_its_place),
	KUNIT_CASE(queue_returns_many_in_any_order),
	KUNIT_CASE(queue_is_walked_from_any_place),
	KUNIT_CASE(queue_returns_the_only_one),
	KUNIT_CASE(queue_removes_from_the_middle),
	KUNIT_CASE(queue_agrees_with_a_model),
	KUNIT_CASE(queue_of_one_priority_agrees_with_a_model),
	KUNIT_CASE(queue_keeps_its_tree_small),
	KUNIT_CASE(queue_is_bounded_by_messages),
	KUNIT_CASE(queue_is_bounded_by_bytes),
	KUNIT_CASE(share_is_bounded),
	KUNIT_CASE(share_is_bounded_by_bytes),
	KUNIT_CASE(share_always_gets_its_first),
	KUNIT_CASE(share_gets_its_first_again),
	KUNIT_CASE(parked_are_admitted_in_order),
	KUNIT_CASE(parked_shares_take_turns),
	KUNIT_CASE(parked_by_share_lets_others_pass),
	KUNIT_CASE(parked_long_is_not_passed_over),
	KUNIT_CASE(parked_may_withdraw),
	KUNIT_CASE(limits_may_change),
	{}
};

static struct kunit_suite queue_suite = {
	.name = "ipcbox_queue",
	.init = world_init,
	.test_cases = queue_cases,
};

kunit_test_suite(queue_suite);

MODULE_DESCRIPTION("KUnit suites of ipcbox");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
