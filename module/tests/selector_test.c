// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: selections and the index of those who wait with one, against what
 * selector.c promises.
 */
#include <kunit/test.h>
#include <linux/ipcbox.h>
#include <linux/random.h>

#include "compat.h"
#include "selector.h"

/* Selections compare the addresses of senders and look no further. */
static struct pid *sender(unsigned int number)
{
	return (struct pid *)(uintptr_t)(0x1000 * (number + 1));
}

/* One who waits, and what for. */
struct waiting {
	struct ipcbox_selector selector;
	struct ipcbox_selection selection;
	bool in;
};

/**
 * struct world - an index
 * @index: the index
 * @tickets: the ticket last given
 */
struct world {
	struct rb_root index;
	u64 tickets;
};

static int world_init(struct kunit *test)
{
	struct world *world = kunit_kzalloc(test, sizeof(*world), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, world);
	world->index = RB_ROOT;
	test->priv = world;
	return 0;
}

static void enter(struct kunit *test, struct waiting *waiting,
		  const struct ipcbox_selection *selection)
{
	struct world *world = test->priv;

	waiting->selection = *selection;
	waiting->selector.selection = &waiting->selection;
	waiting->selector.ticket = ++world->tickets;
	waiting->in = true;
	ipcbox_selector_add(&world->index, &waiting->selector);
}

static void leave(struct kunit *test, struct waiting *waiting)
{
	struct world *world = test->priv;

	ipcbox_selector_remove(&world->index, &waiting->selector);
	waiting->in = false;
}

static struct waiting *find(struct kunit *test,
			    const struct ipcbox_traits *traits)
{
	struct world *world = test->priv;
	struct ipcbox_selector *selector;

	selector = ipcbox_selector_find(&world->index, traits);
	return selector ? container_of(selector, struct waiting, selector) :
			  NULL;
}

static struct ipcbox_selection select_tag(u64 tag, u64 mask)
{
	return (struct ipcbox_selection){
		.flags = IPCBOX_SELECT_TAG,
		.mask = mask,
		.tag = tag & mask,
	};
}

static struct ipcbox_selection select_pid(unsigned int number)
{
	return (struct ipcbox_selection){
		.flags = IPCBOX_SELECT_PID,
		.pid = sender(number),
	};
}

static struct ipcbox_selection select_sequence(u64 sequence)
{
	return (struct ipcbox_selection){
		.flags = IPCBOX_SELECT_SEQUENCE,
		.sequence = sequence,
	};
}

static void selection_of_nothing_wants_all(struct kunit *test)
{
	const struct ipcbox_selection any = {};
	const struct ipcbox_traits traits = {
		.tag = U64_MAX, .pid = sender(3), .sequence = 7,
	};

	KUNIT_EXPECT_TRUE(test, ipcbox_selection_wants(&any, &traits));
}

static void selection_looks_at_masked_bits(struct kunit *test)
{
	const struct ipcbox_selection high = select_tag(0xab00, 0xff00);
	const struct ipcbox_selection top = select_tag(1ULL << 63, 1ULL << 63);
	const struct ipcbox_selection none = select_tag(5, 0);
	const struct ipcbox_traits yes = { .tag = 0xffffab12 };
	const struct ipcbox_traits no = { .tag = 0xaa12 };
	const struct ipcbox_traits negative = { .tag = U64_MAX };

	KUNIT_EXPECT_TRUE(test, ipcbox_selection_wants(&high, &yes));
	KUNIT_EXPECT_FALSE(test, ipcbox_selection_wants(&high, &no));
	KUNIT_EXPECT_TRUE(test, ipcbox_selection_wants(&top, &negative));
	KUNIT_EXPECT_FALSE(test, ipcbox_selection_wants(&top, &yes));
	KUNIT_EXPECT_TRUE(test, ipcbox_selection_wants(&none, &no));
}

static void selection_wants_all_that_it_asks(struct kunit *test)
{
	const struct ipcbox_selection all = {
		.flags = IPCBOX_SELECT_TAG | IPCBOX_SELECT_PID |
			 IPCBOX_SELECT_SEQUENCE,
		.mask = U64_MAX,
		.tag = 9,
		.pid = sender(1),
		.sequence = 4,
	};
	struct ipcbox_traits traits = {
		.tag = 9, .pid = sender(1), .sequence = 4,
	};

	KUNIT_EXPECT_TRUE(test, ipcbox_selection_wants(&all, &traits));
	traits.tag = 8;
	KUNIT_EXPECT_FALSE(test, ipcbox_selection_wants(&all, &traits));
	traits.tag = 9;
	traits.pid = sender(2);
	KUNIT_EXPECT_FALSE(test, ipcbox_selection_wants(&all, &traits));
	traits.pid = sender(1);
	traits.sequence = 5;
	KUNIT_EXPECT_FALSE(test, ipcbox_selection_wants(&all, &traits));
}

static void selection_ignores_what_it_does_not_ask(struct kunit *test)
{
	const struct ipcbox_selection pid = select_pid(1);
	const struct ipcbox_selection sequence = select_sequence(4);
	const struct ipcbox_traits traits = {
		.tag = 77, .pid = sender(1), .sequence = 4,
	};

	KUNIT_EXPECT_TRUE(test, ipcbox_selection_wants(&pid, &traits));
	KUNIT_EXPECT_TRUE(test, ipcbox_selection_wants(&sequence, &traits));
}

static void selection_of_the_lowest_prefers_it(struct kunit *test)
{
	struct ipcbox_selection selection = select_tag(5, U64_MAX);
	const struct ipcbox_traits four = { .tag = 4 };
	const struct ipcbox_traits three = { .tag = 3 };

	KUNIT_EXPECT_TRUE(test, ipcbox_selection_prefers(&selection, &four,
							 NULL));
	KUNIT_EXPECT_FALSE(test, ipcbox_selection_prefers(&selection, &three,
							  &four));
	selection.flags |= IPCBOX_SELECT_TAG_LOWEST;
	KUNIT_EXPECT_TRUE(test, ipcbox_selection_prefers(&selection, &three,
							 &four));
	/* Of equal ones, the first stays so. */
	KUNIT_EXPECT_FALSE(test, ipcbox_selection_prefers(&selection, &four,
							  &four));
}

static void index_empty(struct kunit *test)
{
	struct world *world = test->priv;
	const struct ipcbox_traits traits = { .tag = 1, .pid = sender(1) };

	KUNIT_EXPECT_NULL(test, find(test, &traits));
	KUNIT_EXPECT_NULL(test, ipcbox_selector_first(&world->index));
}

static void index_finds_each_of_many_tags(struct kunit *test)
{
	enum { COUNT = 1000 };
	struct waiting *waiting;
	struct ipcbox_traits traits = { .pid = sender(1) };
	struct ipcbox_selection selection;
	int i;

	waiting = kunit_kcalloc(test, COUNT, sizeof(*waiting), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, waiting);
	for (i = 0; i < COUNT; i++) {
		/* Not in the order of the tags. */
		selection = select_tag(i * 7 % COUNT, U64_MAX);
		enter(test, &waiting[i], &selection);
	}
	for (i = 0; i < COUNT; i++) {
		traits.tag = i * 7 % COUNT;
		KUNIT_ASSERT_PTR_EQ(test, find(test, &traits), &waiting[i]);
	}
	traits.tag = COUNT;
	KUNIT_EXPECT_NULL(test, find(test, &traits));
}

static void index_serves_who_came_first(struct kunit *test)
{
	const struct ipcbox_selection tag = select_tag(5, U64_MAX);
	const struct ipcbox_traits traits = { .tag = 5 };
	struct waiting waiting[3];
	int i;

	for (i = 0; i < 3; i++)
		enter(test, &waiting[i], &tag);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_PTR_EQ(test, find(test, &traits), &waiting[i]);
		leave(test, &waiting[i]);
	}
	KUNIT_EXPECT_NULL(test, find(test, &traits));
}

/* Whatever the class, and in whatever order the classes stand in the tree. */
static void index_serves_who_came_first_of_all_classes(struct kunit *test)
{
	const struct ipcbox_selection selections[] = {
		select_sequence(3),
		select_tag(5, U64_MAX),
		select_pid(1),
		select_tag(1, 1),
		select_tag(0, 0),
	};
	const struct ipcbox_traits traits = {
		.tag = 5, .pid = sender(1), .sequence = 3,
	};
	struct waiting waiting[ARRAY_SIZE(selections)];
	int first, i;

	for (first = 0; first < ARRAY_SIZE(selections); first++) {
		for (i = 0; i < ARRAY_SIZE(selections); i++)
			enter(test, &waiting[i],
			      &selections[(first + i) %
					  ARRAY_SIZE(selections)]);
		for (i = 0; i < ARRAY_SIZE(selections); i++) {
			KUNIT_EXPECT_PTR_EQ(test, find(test, &traits),
					    &waiting[i]);
			leave(test, &waiting[i]);
		}
	}
}

static void index_keeps_who_wants_another(struct kunit *test)
{
	const struct ipcbox_selection five = select_tag(5, U64_MAX);
	const struct ipcbox_selection six = select_tag(6, U64_MAX);
	struct ipcbox_traits traits = { .tag = 6 };
	struct waiting waiting[2];

	enter(test, &waiting[0], &five);
	enter(test, &waiting[1], &six);
	KUNIT_EXPECT_PTR_EQ(test, find(test, &traits), &waiting[1]);
	leave(test, &waiting[1]);
	KUNIT_EXPECT_NULL(test, find(test, &traits));
	traits.tag = 5;
	KUNIT_EXPECT_PTR_EQ(test, find(test, &traits), &waiting[0]);
}

static struct ipcbox_selection random_selection(void)
{
	static const u64 masks[] = { 0, 1, 6, 0xff, U64_MAX };
	static const u32 wide[] = {
		0, IPCBOX_SELECT_TAG_NOT, IPCBOX_SELECT_TAG_LOWEST,
	};
	u32 dice = get_random_u32();
	struct ipcbox_selection selection = {
		.flags = dice & (IPCBOX_SELECT_TAG | IPCBOX_SELECT_PID |
				 IPCBOX_SELECT_SEQUENCE),
	};

	if (selection.flags & IPCBOX_SELECT_TAG) {
		selection.mask = masks[(dice >> 8) % ARRAY_SIZE(masks)];
		selection.tag = (dice >> 12) % 8 & selection.mask;
		selection.flags |= wide[(dice >> 24) % ARRAY_SIZE(wide)];
	}
	if (selection.flags & IPCBOX_SELECT_PID)
		selection.pid = sender((dice >> 16) % 4);
	if (selection.flags & IPCBOX_SELECT_SEQUENCE)
		selection.sequence = (dice >> 20) % 4;
	return selection;
}

/* Said anew, and as the header says it. */
static bool model_wants_tag(const struct ipcbox_selection *selection, u64 tag)
{
	tag &= selection->mask;
	if (selection->flags & IPCBOX_SELECT_TAG_LOWEST)
		return tag <= selection->tag;
	return (tag == selection->tag) !=
	       !!(selection->flags & IPCBOX_SELECT_TAG_NOT);
}

static bool model_wants(const struct ipcbox_selection *selection,
			const struct ipcbox_traits *traits)
{
	if (selection->flags & IPCBOX_SELECT_TAG &&
	    !model_wants_tag(selection, traits->tag))
		return false;
	if (selection->flags & IPCBOX_SELECT_PID &&
	    selection->pid != traits->pid)
		return false;
	return !(selection->flags & IPCBOX_SELECT_SEQUENCE) ||
	       selection->sequence == traits->sequence;
}

static struct waiting *model_find(struct waiting *waiting, int count,
				  const struct ipcbox_traits *traits)
{
	struct waiting *best = NULL;
	int i;

	for (i = 0; i < count; i++)
		if (waiting[i].in &&
		    model_wants(&waiting[i].selection, traits) &&
		    (!best ||
		     waiting[i].selector.ticket < best->selector.ticket))
			best = &waiting[i];
	return best;
}

static void index_agrees_with_a_model(struct kunit *test)
{
	enum { SIZE = 64, STEPS = 4000 };
	struct ipcbox_selection selection;
	struct waiting *waiting, *found;
	int step, found_some = 0;

	waiting = kunit_kcalloc(test, SIZE, sizeof(*waiting), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, waiting);
	for (step = 0; step < STEPS; step++) {
		u32 dice = get_random_u32();
		struct waiting *one = &waiting[dice % SIZE];
		const struct ipcbox_traits traits = {
			.tag = (dice >> 8) % 8,
			.pid = sender((dice >> 12) % 4),
			.sequence = (dice >> 16) % 4,
		};

		if (one->in) {
			leave(test, one);
		} else {
			selection = random_selection();
			enter(test, one, &selection);
		}
		found = find(test, &traits);
		KUNIT_ASSERT_PTR_EQ(test, found,
				    model_find(waiting, SIZE, &traits));
		if (found) {
			found_some++;
			KUNIT_ASSERT_TRUE(test, ipcbox_selection_wants(&found->selection,
								       &traits));
			leave(test, found);
		}
	}
	KUNIT_EXPECT_GT(test, found_some, 0);
}

static struct kunit_case selector_cases[] = {
	KUNIT_CASE(selection_of_nothing_wants_all),
	KUNIT_CASE(selection_looks_at_masked_bits),
	KUNIT_CASE(selection_wants_all_that_it_asks),
	KUNIT_CASE(selection_ignores_what_it_does_not_ask),
	KUNIT_CASE(selection_of_the_lowest_prefers_it),
	KUNIT_CASE(index_empty),
	KUNIT_CASE(index_finds_each_of_many_tags),
	KUNIT_CASE(index_serves_who_came_first),
	KUNIT_CASE(index_serves_who_came_first_of_all_classes),
	KUNIT_CASE(index_keeps_who_wants_another),
	KUNIT_CASE(index_agrees_with_a_model),
	{}
};

static struct kunit_suite selector_suite = {
	.name = "ipcbox_selector",
	.init = world_init,
	.test_cases = selector_cases,
};

kunit_test_suite(selector_suite);
