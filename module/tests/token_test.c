// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the tokens that a handle holds, against what token.c promises.
 */
#include <kunit/test.h>
#include <linux/random.h>

#include "compat.h"
#include "token.h"

#define COUNT	100

/**
 * struct world - a handle's tokens, and another's
 * @held: the handle's
 * @others: the other's
 * @tokens: tokens, numbered by their places, in no set
 */
struct world {
	struct rb_root held;
	struct rb_root others;
	struct ipcbox_token tokens[COUNT];
};

static int world_init(struct kunit *test)
{
	struct world *world = kunit_kzalloc(test, sizeof(*world), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, world);
	world->held = RB_ROOT;
	world->others = RB_ROOT;
	for (i = 0; i < COUNT; i++)
		world->tokens[i].number = i;
	test->priv = world;
	return 0;
}

static void tokens_empty(struct kunit *test)
{
	struct world *world = test->priv;

	KUNIT_EXPECT_NULL(test, ipcbox_token_first(&world->held));
	KUNIT_EXPECT_NULL(test, ipcbox_token_find(&world->held, 0));
	KUNIT_EXPECT_NULL(test, ipcbox_token_find(&world->held, U64_MAX));
}

static void token_is_found_until_removed(struct kunit *test)
{
	struct world *world = test->priv;
	struct ipcbox_token *token = &world->tokens[7];

	ipcbox_token_add(&world->held, token);
	KUNIT_EXPECT_PTR_EQ(test, ipcbox_token_find(&world->held, 7), token);
	KUNIT_EXPECT_NULL(test, ipcbox_token_find(&world->held, 6));
	KUNIT_EXPECT_NULL(test, ipcbox_token_find(&world->held, 8));
	ipcbox_token_remove(&world->held, token);
	KUNIT_EXPECT_NULL(test, ipcbox_token_find(&world->held, 7));
	KUNIT_EXPECT_NULL(test, ipcbox_token_first(&world->held));
}

static void token_is_not_found_by_another(struct kunit *test)
{
	struct world *world = test->priv;

	ipcbox_token_add(&world->held, &world->tokens[7]);
	ipcbox_token_add(&world->others, &world->tokens[8]);
	KUNIT_EXPECT_NULL(test, ipcbox_token_find(&world->others, 7));
	KUNIT_EXPECT_NULL(test, ipcbox_token_find(&world->held, 8));
}

static void tokens_tell_the_greatest_numbers_apart(struct kunit *test)
{
	struct world *world = test->priv;
	struct ipcbox_token *tokens = world->tokens;

	tokens[0].number = U64_MAX;
	tokens[1].number = U64_MAX - 1;
	tokens[2].number = 1ULL << 63;
	tokens[3].number = (1ULL << 63) - 1;
	tokens[4].number = 1ULL << 32;
	tokens[5].number = 1;
	for (int i = 0; i < 6; i++)
		ipcbox_token_add(&world->held, &tokens[i]);
	for (int i = 0; i < 6; i++)
		KUNIT_EXPECT_PTR_EQ(test,
				    ipcbox_token_find(&world->held,
						      tokens[i].number),
				    &tokens[i]);
	KUNIT_EXPECT_PTR_EQ(test, ipcbox_token_first(&world->held),
			    &tokens[5]);
}

static void tokens_go_by_number(struct kunit *test)
{
	struct world *world = test->priv;
	int i;

	for (i = 0; i < COUNT; i++)
		ipcbox_token_add(&world->held,
				 &world->tokens[i * 37 % COUNT]);
	for (i = 0; i < COUNT; i++) {
		struct ipcbox_token *token = ipcbox_token_first(&world->held);

		KUNIT_ASSERT_PTR_EQ(test, token, &world->tokens[i]);
		ipcbox_token_remove(&world->held, token);
	}
	tokens_empty(test);
}

static void tokens_agree_with_a_model(struct kunit *test)
{
	enum { STEPS = 4000 };
	struct world *world = test->priv;
	bool in[COUNT] = {};
	int step, i;

	for (step = 0; step < STEPS; step++) {
		u32 number = get_random_u32() % COUNT;
		struct ipcbox_token *token = &world->tokens[number];

		KUNIT_ASSERT_PTR_EQ(test,
				    ipcbox_token_find(&world->held, number),
				    in[number] ? token : NULL);
		if (in[number])
			ipcbox_token_remove(&world->held, token);
		else
			ipcbox_token_add(&world->held, token);
		in[number] = !in[number];
		for (i = 0; i < COUNT && !in[i]; i++)
			;
		KUNIT_ASSERT_PTR_EQ(test, ipcbox_token_first(&world->held),
				    i < COUNT ? &world->tokens[i] : NULL);
	}
}

static struct kunit_case token_cases[] = {
	KUNIT_CASE(tokens_empty),
	KUNIT_CASE(token_is_found_until_removed),
	KUNIT_CASE(token_is_not_found_by_another),
	KUNIT_CASE(tokens_tell_the_greatest_numbers_apart),
	KUNIT_CASE(tokens_go_by_number),
	KUNIT_CASE(tokens_agree_with_a_model),
	{}
};

static struct kunit_suite token_suite = {
	.name = "ipcbox_token",
	.init = world_init,
	.test_cases = token_cases,
};

kunit_test_suite(token_suite);
