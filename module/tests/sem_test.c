// SPDX-License-Identifier: GPL-2.0
/*
 * The state of semaphores: what is done, what waits where, who goes on, and in
 * which order.
 */
#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "sem.h"

#define SEMS	4

struct fixture {
	struct ipcbox_sem_set set;
	struct ipcbox_sem sems[SEMS];
	struct list_head done;
};

/* A request of up to three operations, and what its handle will undo. */
struct want {
	struct ipcbox_sem_request request;
	struct ipcbox_sem_operation operations[3];
	struct ipcbox_sem_undo undo[SEMS];
	bool waits;
};

static int sem_test_init(struct kunit *test)
{
	struct fixture *fixture = kunit_kzalloc(test, sizeof(*fixture),
						GFP_KERNEL);

	if (!fixture)
		return -ENOMEM;
	ipcbox_sem_init(&fixture->set, fixture->sems, SEMS);
	INIT_LIST_HEAD(&fixture->done);
	test->priv = fixture;
	return 0;
}

static struct want *want_new(struct kunit *test)
{
	struct want *want = kunit_kzalloc(test, sizeof(*want), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, want);
	want->request.operations = want->operations;
	want->request.undo = want->undo;
	want->request.ticket = U64_MAX;
	return want;
}

static void want_add(struct want *want, u32 semaphore, s32 change, u32 flags)
{
	want->operations[want->request.count++] = (struct ipcbox_sem_operation){
		.semaphore = semaphore, .change = change, .flags = flags,
	};
}

/* Tries, and waits where it has to. */
static int want_do(struct fixture *fixture, struct want *want)
{
	int result = ipcbox_sem_try(&fixture->set, &want->request);

	if (result == -EAGAIN) {
		ipcbox_sem_wait(&fixture->set, &want->request);
		want->waits = true;
	}
	ipcbox_sem_settle(&fixture->set, &fixture->done);
	return result;
}

static struct want *want_one(struct kunit *test, u32 semaphore, s32 change)
{
	struct want *want = want_new(test);

	want_add(want, semaphore, change, 0);
	return want;
}

static int add(struct kunit *test, u32 semaphore, s32 change)
{
	struct want *want = want_one(test, semaphore, change);
	int result = ipcbox_sem_try(&((struct fixture *)test->priv)->set,
				    &want->request);

	ipcbox_sem_settle(&((struct fixture *)test->priv)->set,
			  &((struct fixture *)test->priv)->done);
	return result;
}

/* The next one that was done while it waited, or NULL. */
static struct want *next_done(struct fixture *fixture)
{
	struct ipcbox_sem_request *request =
		list_first_entry_or_null(&fixture->done,
					 struct ipcbox_sem_request, node);

	if (!request)
		return NULL;
	list_del(&request->node);
	return container_of(request, struct want, request);
}

static void together_or_not_at_all(struct kunit *test)
{
	struct fixture *fixture = test->priv;
	struct want *want = want_new(test);

	want_add(want, 0, 2, 0);
	want_add(want, 1, -1, 0);
	KUNIT_EXPECT_FALSE(test, ipcbox_sem_possible(&fixture->set,
						     &want->request));
	KUNIT_EXPECT_EQ(test, ipcbox_sem_try(&fixture->set, &want->request),
			-EAGAIN);
	KUNIT_EXPECT_EQ(test, fixture->sems[0].value, 0);
	KUNIT_EXPECT_PTR_EQ(test, want->request.sem, &fixture->sems[1]);
	KUNIT_EXPECT_EQ(test, add(test, 1, 1), 0);
	KUNIT_EXPECT_TRUE(test, ipcbox_sem_possible(&fixture->set,
						    &want->request));
	KUNIT_EXPECT_EQ(test, fixture->sems[1].value, 1);
	KUNIT_EXPECT_EQ(test, ipcbox_sem_try(&fixture->set, &want->request), 0);
	KUNIT_EXPECT_EQ(test, fixture->sems[0].value, 2);
	KUNIT_EXPECT_EQ(test, fixture->sems[1].value, 0);
}

static void bounds_are_kept(struct kunit *test)
{
	struct fixture *fixture = test->priv;
	struct want *want = want_new(test);

	KUNIT_EXPECT_EQ(test, add(test, 0, IPCBOX_SEM_VALUE_MAX), 0);
	KUNIT_EXPECT_EQ(test, add(test, 0, 1), -ERANGE);
	want_add(want, 0, -1, 0);
	want_add(want, 0, 2, 0);
	KUNIT_EXPECT_EQ(test, want_do(fixture, want), -ERANGE);
	KUNIT_EXPECT_EQ(test, fixture->sems[0].value, IPCBOX_SEM_VALUE_MAX);
	want = want_new(test);
	want->undo[1].adjust = -IPCBOX_SEM_VALUE_MAX;
	want_add(want, 1, 1, IPCBOX_SEM_UNDO);
	KUNIT_EXPECT_EQ(test, want_do(fixture, want), -ERANGE);
	KUNIT_EXPECT_EQ(test, fixture->sems[1].value, 0);
	KUNIT_EXPECT_EQ(test, want->undo[1].adjust, -IPCBOX_SEM_VALUE_MAX);
}

static void the_oldest_goes_first(struct kunit *test)
{
	struct fixture *fixture = test->priv;
	struct want *more = want_one(test, 0, -3);
	struct want *less = want_one(test, 0, -1);
	struct want *late = want_one(test, 0, -1);

	KUNIT_EXPECT_EQ(test, want_do(fixture, more), -EAGAIN);
	KUNIT_EXPECT_EQ(test, want_do(fixture, less), -EAGAIN);
	KUNIT_EXPECT_EQ(test, add(test, 0, 2), 0);
	KUNIT_EXPECT_NULL(test, next_done(fixture));
	KUNIT_EXPECT_EQ(test, want_do(fixture, late), -EAGAIN);
	KUNIT_EXPECT_EQ(test, fixture->sems[0].rising_count, 3);
	KUNIT_EXPECT_EQ(test, add(test, 0, 3), 0);
	KUNIT_EXPECT_PTR_EQ(test, next_done(fixture), more);
	KUNIT_EXPECT_PTR_EQ(test, next_done(fixture), less);
	KUNIT_EXPECT_PTR_EQ(test, next_done(fixture), late);
	KUNIT_EXPECT_EQ(test, fixture->sems[0].value, 0);
	KUNIT_EXPECT_EQ(test, fixture->sems[0].rising_count, 0);
}

static void who_gives_up_is_not_in_the_way(struct kunit *test)
{
	struct fixture *fixture = test->priv;
	struct want *more = want_one(test, 0, -3);
	struct want *less = want_one(test, 0, -1);

	want_do(fixture, more);
	want_do(fixture, less);
	add(test, 0, 1);
	KUNIT_EXPECT_NULL(test, next_done(fixture));
	ipcbox_sem_cancel(&fixture->set, &more->request);
	ipcbox_sem_settle(&fixture->set, &fixture->done);
	KUNIT_EXPECT_PTR_EQ(test, next_done(fixture), less);
	KUNIT_EXPECT_EQ(test, fixture->sems[0].value, 0);
}

/* A request keeps its age when it moves on to wait elsewhere. */
static void age_counts_everywhere(struct kunit *test)
{
	struct fixture *fixture = test->priv;
	struct want *old = want_new(test);
	struct want *young = want_one(test, 1, -1);

	want_add(old, 0, -1, 0);
	want_add(old, 1, -1, 0);
	KUNIT_EXPECT_EQ(test, want_do(fixture, old), -EAGAIN);
	KUNIT_EXPECT_PTR_EQ(test, old->request.sem, &fixture->sems[0]);
	KUNIT_EXPECT_EQ(test, want_do(fixture, young), -EAGAIN);
	add(test, 0, 1);
	KUNIT_EXPECT_PTR_EQ(test, old->request.sem, &fixture->sems[1]);
	KUNIT_EXPECT_EQ(test, fixture->sems[0].value, 1);
	add(test, 1, 1);
	KUNIT_EXPECT_PTR_EQ(test, next_done(fixture), old);
	KUNIT_EXPECT_NULL(test, next_done(fixture));
	add(test, 1, 1);
	KUNIT_EXPECT_PTR_EQ(test, next_done(fixture), young);
}

static void zero_is_waited_for(struct kunit *test)
{
	struct fixture *fixture = test->priv;
	struct want *plain = want_one(test, 0, 0);
	struct want *after = want_new(test);

	add(test, 0, 3);
	/* Zero once one was taken. */
	want_add(after, 0, -1, 0);
	want_add(after, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, want_do(fixture, plain), -EAGAIN);
	KUNIT_EXPECT_EQ(test, want_do(fixture, after), -EAGAIN);
	KUNIT_EXPECT_EQ(test, fixture->sems[0].falling_count, 2);
	add(test, 0, -1);
	KUNIT_EXPECT_NULL(test, next_done(fixture));
	add(test, 0, -1);
	KUNIT_EXPECT_PTR_EQ(test, next_done(fixture), after);
	KUNIT_EXPECT_PTR_EQ(test, next_done(fixture), plain);
	KUNIT_EXPECT_EQ(test, fixture->sems[0].value, 0);
	KUNIT_EXPECT_EQ(test, fixture->sems[0].falling_count, 0);
}

/* What one does lets the next go, and so on. */
static void one_leads_to_another(struct kunit *test)
{
	struct fixture *fixture = test->priv;
	struct want *chain[SEMS - 1];
	int i;

	for (i = SEMS - 2; i >= 0; i--) {
		chain[i] = want_new(test);
		want_add(chain[i], i, -1, 0);
		want_add(chain[i], i + 1, 1, 0);
		KUNIT_EXPECT_EQ(test, want_do(fixture, chain[i]), -EAGAIN);
	}
	add(test, 0, 1);
	for (i = 0; i < SEMS - 1; i++)
		KUNIT_EXPECT_PTR_EQ(test, next_done(fixture), chain[i]);
	KUNIT_EXPECT_EQ(test, fixture->sems[SEMS - 1].value, 1);
}

static void undo_reverts_and_tells(struct kunit *test)
{
	struct fixture *fixture = test->priv;
	struct want *holder = want_new(test);
	struct want *waiter = want_one(test, 0, -1);

	ipcbox_sem_assign(&fixture->set, 0, 1, 1);
	ipcbox_sem_assign(&fixture->set, 1, 5, 10);
	want_add(holder, 0, -1, IPCBOX_SEM_UNDO);
	want_add(holder, 1, -2, IPCBOX_SEM_UNDO);
	want_add(holder, 2, 4, IPCBOX_SEM_UNDO);
	KUNIT_EXPECT_EQ(test, want_do(fixture, holder), 0);
	KUNIT_EXPECT_EQ(test, holder->undo[0].adjust, 1);
	KUNIT_EXPECT_EQ(test, add(test, 2, -3), 0);
	KUNIT_EXPECT_EQ(test, want_do(fixture, waiter), -EAGAIN);
	ipcbox_sem_revert(&fixture->set, holder->undo);
	KUNIT_EXPECT_TRUE(test, fixture->sems[0].dead);
	KUNIT_EXPECT_FALSE(test, fixture->sems[1].dead);
	ipcbox_sem_settle(&fixture->set, &fixture->done);
	KUNIT_EXPECT_PTR_EQ(test, next_done(fixture), waiter);
	KUNIT_EXPECT_EQ(test, waiter->request.result, -EOWNERDEAD);
	KUNIT_EXPECT_FALSE(test, fixture->sems[0].dead);
	KUNIT_EXPECT_EQ(test, fixture->sems[0].value, 0);
	KUNIT_EXPECT_EQ(test, fixture->sems[1].value, 5);
	KUNIT_EXPECT_EQ(test, fixture->sems[2].value, 0);
}

static void assigning_begins_anew(struct kunit *test)
{
	struct fixture *fixture = test->priv;
	struct want *holder = want_new(test);
	struct want *waiter = want_one(test, 1, -7);

	ipcbox_sem_assign(&fixture->set, 0, 1, 1);
	want_add(holder, 0, -1, IPCBOX_SEM_UNDO);
	want_do(fixture, holder);
	want_do(fixture, waiter);
	ipcbox_sem_assign(&fixture->set, 0, 0, 1);
	ipcbox_sem_assign(&fixture->set, 1, 8, 8);
	ipcbox_sem_settle(&fixture->set, &fixture->done);
	KUNIT_EXPECT_PTR_EQ(test, next_done(fixture), waiter);
	KUNIT_EXPECT_EQ(test, fixture->sems[1].value, 1);
	ipcbox_sem_revert(&fixture->set, holder->undo);
	KUNIT_EXPECT_EQ(test, fixture->sems[0].value, 0);
	KUNIT_EXPECT_FALSE(test, fixture->sems[0].dead);
}

/* What must hold when all is settled. */
static void check_state(struct kunit *test, const s64 *expected)
{
	struct fixture *fixture = test->priv;
	struct ipcbox_sem_request *request;
	struct ipcbox_sem *sem;
	u64 ticket;
	u32 count;

	KUNIT_EXPECT_TRUE(test, list_empty(&fixture->set.stale));
	for (sem = fixture->sems; sem < fixture->sems + SEMS; sem++) {
		KUNIT_EXPECT_EQ(test, sem->value,
				expected[sem - fixture->sems]);
		KUNIT_EXPECT_GE(test, sem->value, 0);
		ticket = 0;
		count = 0;
		list_for_each_entry(request, &sem->rising, node) {
			KUNIT_EXPECT_PTR_EQ(test, request->sem, sem);
			KUNIT_EXPECT_LT(test, ticket, request->ticket);
			/* The first waits for the value. */
			if (!count++)
				KUNIT_EXPECT_LT(test, sem->value,
						request->need);
			ticket = request->ticket;
		}
		KUNIT_EXPECT_EQ(test, count, sem->rising_count);
		ticket = 0;
		count = 0;
		list_for_each_entry(request, &sem->falling, node) {
			KUNIT_EXPECT_LT(test, ticket, request->ticket);
			KUNIT_EXPECT_NE(test, (s64)sem->value, request->need);
			ticket = request->ticket;
			count++;
		}
		KUNIT_EXPECT_EQ(test, count, sem->falling_count);
	}
}

static void account(const struct want *want, s64 *expected)
{
	u32 i;

	for (i = 0; i < want->request.count; i++)
		expected[want->operations[i].semaphore] +=
			want->operations[i].change;
}

/* Random requests, some given up: values are what was done adds up to. */
static void values_add_up(struct kunit *test)
{
	struct fixture *fixture = test->priv;
	struct want *wants = kunit_kcalloc(test, 64, sizeof(*wants),
					   GFP_KERNEL);
	s64 expected[SEMS] = { };
	struct rnd_state random;
	struct want *want;
	int round, i, result;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, wants);
	prandom_seed_state(&random, 4711);
	for (round = 0; round < 20000; round++) {
		want = &wants[prandom_u32_state(&random) % 64];
		if (want->waits) {
			ipcbox_sem_cancel(&fixture->set, &want->request);
			want->waits = false;
			ipcbox_sem_settle(&fixture->set, &fixture->done);
		} else {
			memset(want, 0, sizeof(*want));
			want->request.operations = want->operations;
			want->request.undo = want->undo;
			want->request.ticket = U64_MAX;
			for (i = prandom_u32_state(&random) % 3; i >= 0; i--)
				want_add(want, prandom_u32_state(&random) % SEMS,
					 (s32)(prandom_u32_state(&random) % 7) -
						 3, 0);
			result = ipcbox_sem_try(&fixture->set, &want->request);
			if (!result)
				account(want, expected);
			if (result == -EAGAIN) {
				ipcbox_sem_wait(&fixture->set, &want->request);
				want->waits = true;
			}
			ipcbox_sem_settle(&fixture->set, &fixture->done);
		}
		while ((want = next_done(fixture))) {
			KUNIT_EXPECT_TRUE(test, want->waits);
			want->waits = false;
			KUNIT_EXPECT_EQ(test, want->request.result, 0);
			account(want, expected);
		}
		check_state(test, expected);
	}
}

static struct kunit_case sem_cases[] = {
	KUNIT_CASE(together_or_not_at_all),
	KUNIT_CASE(bounds_are_kept),
	KUNIT_CASE(the_oldest_goes_first),
	KUNIT_CASE(who_gives_up_is_not_in_the_way),
	KUNIT_CASE(age_counts_everywhere),
	KUNIT_CASE(zero_is_waited_for),
	KUNIT_CASE(one_leads_to_another),
	KUNIT_CASE(undo_reverts_and_tells),
	KUNIT_CASE(assigning_begins_anew),
	KUNIT_CASE(values_add_up),
	{ }
};

static struct kunit_suite sem_suite = {
	.name = "ipcbox_sem",
	.init = sem_test_init,
	.test_cases = sem_cases,
};

kunit_test_suite(sem_suite);
