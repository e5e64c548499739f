// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: lifetimes and the order in which they end, against what lifetime.c
 * promises.
 */
#include <kunit/test.h>
#include <linux/random.h>

#include "compat.h"
#include "lifetime.h"

#define COUNT	64

/**
 * struct world - an order
 * @order: the order
 * @lifetimes: lifetimes without end, not in it
 */
struct world {
	struct timerqueue_head order;
	struct ipcbox_lifetime lifetimes[COUNT];
};

static int world_init(struct kunit *test)
{
	struct world *world = kunit_kzalloc(test, sizeof(*world), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, world);
	timerqueue_init_head(&world->order);
	for (i = 0; i < COUNT; i++)
		ipcbox_lifetime_init(&world->lifetimes[i]);
	test->priv = world;
	return 0;
}

/* Begin at @now and go into the order; says if it is the next to end. */
static bool begin(struct kunit *test, int i, ktime_t now, u64 length)
{
	struct world *world = test->priv;
	struct ipcbox_lifetime *lifetime = &world->lifetimes[i];

	lifetime->length = length;
	ipcbox_lifetime_begin(lifetime, now);
	return ipcbox_lifetime_add(&world->order, lifetime);
}

/* Take the first that is over out of the order; -1 if none is. */
static int end(struct kunit *test, ktime_t now)
{
	struct world *world = test->priv;
	struct ipcbox_lifetime *over;

	over = ipcbox_lifetime_next_over(&world->order, now);
	if (!over)
		return -1;
	ipcbox_lifetime_remove(&world->order, over);
	return over - world->lifetimes;
}

static u64 remaining(struct kunit *test, ktime_t now)
{
	struct world *world = test->priv;

	return ipcbox_lifetime_remaining(&world->order, now);
}

static void order_empty(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, end(test, 0), -1);
	KUNIT_EXPECT_EQ(test, end(test, KTIME_MAX), -1);
	KUNIT_EXPECT_EQ(test, remaining(test, 0), IPCBOX_LIFETIME_NONE);
}

static void lifetime_without_end_is_never_over(struct kunit *test)
{
	struct world *world = test->priv;

	KUNIT_EXPECT_FALSE(test, ipcbox_lifetime_is_over(&world->lifetimes[0],
							 KTIME_MAX));
}

static void lifetime_ends_to_the_nanosecond(struct kunit *test)
{
	struct world *world = test->priv;
	const struct ipcbox_lifetime *lifetime = &world->lifetimes[0];

	begin(test, 0, 1000, 5);
	KUNIT_EXPECT_FALSE(test, ipcbox_lifetime_is_over(lifetime, 1004));
	KUNIT_EXPECT_EQ(test, remaining(test, 1004), 1);
	KUNIT_EXPECT_EQ(test, end(test, 1004), -1);
	KUNIT_EXPECT_TRUE(test, ipcbox_lifetime_is_over(lifetime, 1005));
	KUNIT_EXPECT_EQ(test, remaining(test, 1005), 0);
	KUNIT_EXPECT_EQ(test, remaining(test, 1006), 0);
	KUNIT_EXPECT_EQ(test, end(test, 1005), 0);
	order_empty(test);
}

static void lifetime_may_be_the_longest(struct kunit *test)
{
	struct world *world = test->priv;
	const struct ipcbox_lifetime *lifetime = &world->lifetimes[0];

	begin(test, 0, 1000, KTIME_MAX);
	KUNIT_EXPECT_FALSE(test, ipcbox_lifetime_is_over(lifetime, 1001));
	KUNIT_EXPECT_FALSE(test, ipcbox_lifetime_is_over(lifetime,
							 KTIME_MAX - 1));
	KUNIT_EXPECT_EQ(test, end(test, KTIME_MAX - 1), -1);
	KUNIT_EXPECT_EQ(test, remaining(test, 1000), KTIME_MAX - 1000);
	/* It does not stand before shorter ones. */
	KUNIT_EXPECT_TRUE(test, begin(test, 1, 1000, 1));
}

static void order_tells_of_a_new_next_one(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, begin(test, 0, 0, 50));
	KUNIT_EXPECT_FALSE(test, begin(test, 1, 0, 60));
	KUNIT_EXPECT_EQ(test, remaining(test, 10), 40);
	KUNIT_EXPECT_TRUE(test, begin(test, 2, 0, 40));
	KUNIT_EXPECT_EQ(test, remaining(test, 10), 30);
	/* Not before that of the same time. */
	KUNIT_EXPECT_FALSE(test, begin(test, 3, 0, 40));
}

static void order_is_that_of_the_ends(struct kunit *test)
{
	begin(test, 0, 0, 30);
	begin(test, 1, 5, 10);
	begin(test, 2, 10, 1);
	begin(test, 3, 20, 20);
	KUNIT_EXPECT_EQ(test, end(test, 100), 2);
	KUNIT_EXPECT_EQ(test, end(test, 100), 1);
	KUNIT_EXPECT_EQ(test, end(test, 100), 0);
	KUNIT_EXPECT_EQ(test, end(test, 100), 3);
	order_empty(test);
}

static void order_is_first_in_first_out_at_one_time(struct kunit *test)
{
	int i;

	for (i = 0; i < COUNT; i++)
		begin(test, i, i, 100 - i);
	KUNIT_EXPECT_EQ(test, end(test, 99), -1);
	for (i = 0; i < COUNT; i++)
		KUNIT_ASSERT_EQ(test, end(test, 100), i);
	order_empty(test);
}

static void order_ends_only_what_is_over(struct kunit *test)
{
	begin(test, 0, 0, 10);
	begin(test, 1, 0, 20);
	KUNIT_EXPECT_EQ(test, end(test, 15), 0);
	KUNIT_EXPECT_EQ(test, end(test, 15), -1);
	KUNIT_EXPECT_EQ(test, remaining(test, 15), 5);
	KUNIT_EXPECT_EQ(test, end(test, 20), 1);
}

static void order_lets_any_one_leave(struct kunit *test)
{
	struct world *world = test->priv;
	int i;

	for (i = 0; i < 3; i++)
		begin(test, i, 0, 10 * (i + 1));
	ipcbox_lifetime_remove(&world->order, &world->lifetimes[1]);
	KUNIT_EXPECT_EQ(test, remaining(test, 0), 10);
	ipcbox_lifetime_remove(&world->order, &world->lifetimes[0]);
	KUNIT_EXPECT_EQ(test, remaining(test, 0), 30);
	/* As a message that returns to the queue. */
	ipcbox_lifetime_add(&world->order, &world->lifetimes[0]);
	KUNIT_EXPECT_EQ(test, end(test, 30), 0);
	KUNIT_EXPECT_EQ(test, end(test, 30), 2);
	order_empty(test);
}

static int model_next(const struct world *world, const u64 *added)
{
	int best = -1;
	int i;

	for (i = 0; i < COUNT; i++) {
		s64 expires = world->lifetimes[i].node.expires;

		if (!added[i])
			continue;
		if (best < 0 || expires < world->lifetimes[best].node.expires ||
		    (expires == world->lifetimes[best].node.expires &&
		     added[i] < added[best]))
			best = i;
	}
	return best;
}

static void order_agrees_with_a_model(struct kunit *test)
{
	enum { STEPS = 4000 };
	struct world *world = test->priv;
	u64 added[COUNT] = {};	/* when, counted in steps; 0: not there */
	ktime_t now = 0;
	int ended = 0;
	int step, next;

	for (step = 1; step <= STEPS; step++) {
		u32 dice = get_random_u32();
		int i = dice % COUNT;

		if (added[i] && dice >> 8 & 1) {
			ipcbox_lifetime_remove(&world->order,
					       &world->lifetimes[i]);
			added[i] = 0;
		} else if (!added[i]) {
			begin(test, i, now, 1 + (dice >> 9) % 32);
			added[i] = step;
		}
		now += (dice >> 16) % 4;
		next = model_next(world, added);
		if (next < 0) {
			KUNIT_ASSERT_EQ(test, remaining(test, now),
					IPCBOX_LIFETIME_NONE);
		} else if (world->lifetimes[next].node.expires > now) {
			KUNIT_ASSERT_EQ(test, remaining(test, now),
					world->lifetimes[next].node.expires -
						now);
			KUNIT_ASSERT_EQ(test, end(test, now), -1);
		} else {
			KUNIT_ASSERT_EQ(test, remaining(test, now), 0);
			KUNIT_ASSERT_EQ(test, end(test, now), next);
			added[next] = 0;
			ended++;
		}
	}
	KUNIT_EXPECT_GT(test, ended, 0);
}

static struct kunit_case lifetime_cases[] = {
	KUNIT_CASE(order_empty),
	KUNIT_CASE(lifetime_without_end_is_never_over),
	KUNIT_CASE(lifetime_ends_to_the_nanosecond),
	KUNIT_CASE(lifetime_may_be_the_longest),
	KUNIT_CASE(order_tells_of_a_new_next_one),
	KUNIT_CASE(order_is_that_of_the_ends),
	KUNIT_CASE(order_is_first_in_first_out_at_one_time),
	KUNIT_CASE(order_ends_only_what_is_over),
	KUNIT_CASE(order_lets_any_one_leave),
	KUNIT_CASE(order_agrees_with_a_model),
	{}
};

static struct kunit_suite lifetime_suite = {
	.name = "ipcbox_lifetime",
	.init = world_init,
	.test_cases = lifetime_cases,
};

kunit_test_suite(lifetime_suite);
