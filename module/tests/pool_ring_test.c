// SPDX-License-Identifier: GPL-2.0
/*
 * The ring of a receive pool: where records go, when they are seen, what is given
 * out anew, and what a receiver that tells nonsense can make of it.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/vmalloc.h>

#include "pool_ring.h"

#define RING	PAGE_SIZE
#define LONGEST	((u32)(RING - IPCBOX_POOL_OVERHEAD))
#define HEADER	sizeof(struct ipcbox_pool_record)

struct fixture {
	struct ipcbox_pool_ring ring;
	struct ipcbox_pool_page page;
	struct page *pages[2];
	u8 *data;
};

static int ring_test_init(struct kunit *test)
{
	struct fixture *fixture = kunit_kzalloc(test, sizeof(*fixture),
						GFP_KERNEL);

	if (!fixture)
		return -ENOMEM;
	test->priv = fixture;
	fixture->pages[0] = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!fixture->pages[0])
		return -ENOMEM;
	fixture->pages[1] = fixture->pages[0];
	fixture->data = vmap(fixture->pages, 2, VM_MAP, PAGE_KERNEL);
	if (!fixture->data)
		return -ENOMEM;
	ipcbox_pool_ring_init(&fixture->ring, &fixture->page, fixture->data,
			      RING);
	return 0;
}

static void ring_test_exit(struct kunit *test)
{
	struct fixture *fixture = test->priv;

	if (!fixture)
		return;
	vunmap(fixture->data);
	if (fixture->pages[0])
		__free_page(fixture->pages[0]);
}

/* As if so much had gone through it already. */
static void ring_move(struct ipcbox_pool_ring *ring, u64 position)
{
	ring->head = position;
	ring->tail = position;
	ipcbox_pool_ring_show(ring);
}

static void payload_fill(struct ipcbox_pool_record *record, u8 value)
{
	memset(record + 1, value, record->length);
}

static bool payload_is(const struct ipcbox_pool_record *record, u8 value)
{
	return !memchr_inv(record + 1, value, record->length);
}

/* A record that is being written; NULL without room. */
static struct ipcbox_pool_record *begin(struct ipcbox_pool_ring *ring,
					u32 length)
{
	struct ipcbox_pool_record *record = ipcbox_pool_ring_place(ring, length);

	if (!record)
		return NULL;
	ipcbox_pool_ring_reserve(ring, record, length);
	ipcbox_pool_ring_show(ring);
	return record;
}

/* One that is written. */
static struct ipcbox_pool_record *put(struct ipcbox_pool_ring *ring, u32 length,
				      u8 value)
{
	struct ipcbox_pool_record *record = begin(ring, length);

	if (!record)
		return NULL;
	payload_fill(record, value);
	ipcbox_pool_ring_finish(record, IPCBOX_POOL_READY);
	return record;
}

static void a_new_ring_is_empty(struct kunit *test)
{
	struct fixture *fixture = test->priv;
	struct ipcbox_pool_ring *ring = &fixture->ring;

	KUNIT_EXPECT_EQ(test, fixture->page.head, 0);
	KUNIT_EXPECT_EQ(test, fixture->page.size, RING);
	KUNIT_EXPECT_EQ(test, fixture->page.wake_at, IPCBOX_POOL_NEVER);
	KUNIT_EXPECT_FALSE(test, ipcbox_pool_ring_readable(ring, 0));
	KUNIT_EXPECT_FALSE(test, ipcbox_pool_ring_releasable(ring, 0));
	KUNIT_EXPECT_NULL(test, ipcbox_pool_ring_release(ring, 0));
	KUNIT_EXPECT_PTR_EQ(test, (u8 *)ipcbox_pool_ring_place(ring, 0),
			    fixture->data);
	KUNIT_EXPECT_NOT_NULL(test, ipcbox_pool_ring_place(ring, LONGEST));
	KUNIT_EXPECT_NULL(test, ipcbox_pool_ring_place(ring, RING));
	KUNIT_EXPECT_NULL(test, ipcbox_pool_ring_place(ring, U32_MAX));
}

static void a_record_takes_what_is_said(struct kunit *test)
{
	u32 length;

	for (length = 0; length < 200; length++) {
		u64 bytes = ipcbox_pool_ring_bytes(length);

		KUNIT_EXPECT_EQ(test, bytes % IPCBOX_POOL_ALIGN, 0);
		KUNIT_EXPECT_GE(test, bytes, HEADER + length);
		KUNIT_EXPECT_LT(test, bytes, HEADER + length +
				IPCBOX_POOL_ALIGN);
		KUNIT_EXPECT_LE(test, bytes, length + IPCBOX_POOL_OVERHEAD);
	}
	KUNIT_EXPECT_GT(test, ipcbox_pool_ring_bytes(U32_MAX), U32_MAX);
}

static void a_record_is_seen_step_by_step(struct kunit *test)
{
	struct fixture *fixture = test->priv;
	struct ipcbox_pool_ring *ring = &fixture->ring;
	struct ipcbox_pool_record *record = ipcbox_pool_ring_place(ring, 5);

	KUNIT_ASSERT_NOT_NULL(test, record);
	KUNIT_EXPECT_EQ(test, ring->head, 0);
	ipcbox_pool_ring_reserve(ring, record, 5);
	KUNIT_EXPECT_EQ(test, ring->head, 64);
	KUNIT_EXPECT_EQ(test, fixture->page.head, 0);
	ipcbox_pool_ring_show(ring);
	KUNIT_EXPECT_EQ(test, fixture->page.head, 64);
	KUNIT_EXPECT_EQ(test, record->state, IPCBOX_POOL_WRITING);
	KUNIT_EXPECT_EQ(test, record->length, 5);
	KUNIT_EXPECT_FALSE(test, ipcbox_pool_ring_readable(ring, 0));
	KUNIT_EXPECT_FALSE(test, ipcbox_pool_ring_releasable(ring, 64));
	ipcbox_pool_ring_finish(record, IPCBOX_POOL_READY);
	KUNIT_EXPECT_TRUE(test, ipcbox_pool_ring_readable(ring, 0));
	KUNIT_EXPECT_FALSE(test, ipcbox_pool_ring_readable(ring, 64));
	KUNIT_EXPECT_FALSE(test, ipcbox_pool_ring_releasable(ring, 0));
	KUNIT_EXPECT_TRUE(test, ipcbox_pool_ring_releasable(ring, 64));
	KUNIT_EXPECT_PTR_EQ(test, ipcbox_pool_ring_release(ring, 64),
			    (const struct ipcbox_pool_record *)record);
	KUNIT_EXPECT_EQ(test, ring->tail, 64);
	KUNIT_EXPECT_NULL(test, ipcbox_pool_ring_release(ring, 64));
}

static void what_is_left_of_an_old_record_is_none(struct kunit *test)
{
	struct fixture *fixture = test->priv;
	struct ipcbox_pool_ring *ring = &fixture->ring;
	const struct ipcbox_pool_record *record = put(ring, 10, 1);

	KUNIT_ASSERT_NOT_NULL(test, record);
	KUNIT_EXPECT_NOT_NULL(test, ipcbox_pool_ring_release(ring, ring->head));
	/* A lap later. */
	ring_move(ring, RING);
	KUNIT_EXPECT_EQ(test, record->state, IPCBOX_POOL_READY);
	KUNIT_EXPECT_FALSE(test, ipcbox_pool_ring_readable(ring, RING));
	KUNIT_EXPECT_FALSE(test, ipcbox_pool_ring_releasable(ring, RING));
	KUNIT_EXPECT_PTR_EQ(test, begin(ring, 10),
			    (struct ipcbox_pool_record *)record);
	KUNIT_EXPECT_FALSE(test, ipcbox_pool_ring_readable(ring, RING));
}

/* What others have read there is seen by nobody. */
static void padding_is_clean(struct kunit *test)
{
	struct fixture *fixture = test->priv;
	const struct ipcbox_pool_record *record;
	u32 length, end;

	for (length = 0; length < 40; length++) {
		memset(fixture->data, 0xff, RING);
		ring_move(&fixture->ring, 0);
		record = put(&fixture->ring, length, 0x11);
		KUNIT_ASSERT_NOT_NULL(test, record);
		KUNIT_EXPECT_TRUE(test, payload_is(record, 0x11));
		end = fixture->ring.head;
		KUNIT_EXPECT_NULL(test, memchr_inv(fixture->data + HEADER +
						   length, 0, end - HEADER -
						   length));
		/* And what lies behind is not touched. */
		KUNIT_EXPECT_NULL(test, memchr_inv(fixture->data + end, 0xff,
						   RING - end));
	}
}

static void a_discarded_record_goes_as_others_do(struct kunit *test)
{
	struct fixture *fixture = test->priv;
	struct ipcbox_pool_ring *ring = &fixture->ring;
	struct ipcbox_pool_record *record = begin(ring, 100);
	const struct ipcbox_pool_record *released;

	KUNIT_ASSERT_NOT_NULL(test, record);
	KUNIT_ASSERT_NOT_NULL(test, put(ring, 1, 1));
	ipcbox_pool_ring_finish(record, IPCBOX_POOL_VOID);
	KUNIT_EXPECT_TRUE(test, ipcbox_pool_ring_readable(ring, 0));
	released = ipcbox_pool_ring_release(ring, ring->head);
	KUNIT_ASSERT_PTR_EQ(test, released,
			    (const struct ipcbox_pool_record *)record);
	KUNIT_EXPECT_EQ(test, released->state, IPCBOX_POOL_VOID);
	released = ipcbox_pool_ring_release(ring, ring->head);
	KUNIT_ASSERT_NOT_NULL(test, released);
	KUNIT_EXPECT_EQ(test, released->state, IPCBOX_POOL_READY);
	KUNIT_EXPECT_EQ(test, ring->tail, ring->head);
}

static void the_oldest_that_is_written_stops_the_release(struct kunit *test)
{
	struct fixture *fixture = test->priv;
	struct ipcbox_pool_ring *ring = &fixture->ring;
	struct ipcbox_pool_record *records[3];
	int i;

	for (i = 0; i < 3; i++) {
		records[i] = begin(ring, 10);
		KUNIT_ASSERT_NOT_NULL(test, records[i]);
	}
	ipcbox_pool_ring_finish(records[2], IPCBOX_POOL_READY);
	ipcbox_pool_ring_finish(records[1], IPCBOX_POOL_READY);
	KUNIT_EXPECT_FALSE(test, ipcbox_pool_ring_readable(ring, 0));
	KUNIT_EXPECT_TRUE(test, ipcbox_pool_ring_readable(ring, 64));
	/* Whatever the receiver tells. */
	KUNIT_EXPECT_NULL(test, ipcbox_pool_ring_release(ring, ring->head));
	ipcbox_pool_ring_finish(records[0], IPCBOX_POOL_READY);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_PTR_EQ(test,
				    ipcbox_pool_ring_release(ring, ring->head),
				    (const struct ipcbox_pool_record *)
				    records[i]);
}

static void only_whole_records_are_released(struct kunit *test)
{
	struct fixture *fixture = test->priv;
	struct ipcbox_pool_ring *ring = &fixture->ring;
	u64 end, first, second;

	put(ring, 100, 1);
	first = ring->head;
	put(ring, 30, 2);
	second = ring->head;
	for (end = 0; end < first; end++)
		KUNIT_EXPECT_NULL(test, ipcbox_pool_ring_release(ring, end));
	KUNIT_EXPECT_NOT_NULL(test, ipcbox_pool_ring_release(ring, second - 1));
	KUNIT_EXPECT_EQ(test, ring->tail, first);
	for (end = first; end < second; end++)
		KUNIT_EXPECT_NULL(test, ipcbox_pool_ring_release(ring, end));
	KUNIT_EXPECT_NOT_NULL(test, ipcbox_pool_ring_release(ring, second));
	KUNIT_EXPECT_EQ(test, ring->tail, second);
}

/* To the last byte, and wherever the ring begins. */
static void a_full_ring_gives_out_nothing(struct kunit *test)
{
	struct fixture *fixture = test->priv;
	struct ipcbox_pool_ring *ring = &fixture->ring;
	const struct ipcbox_pool_record *record;
	u64 start;
	u32 count;

	for (start = 0; start < 2 * RING; start += IPCBOX_POOL_ALIGN) {
		ring_move(ring, start);
		record = put(ring, RING - HEADER, start / IPCBOX_POOL_ALIGN);
		KUNIT_ASSERT_NOT_NULL(test, record);
		KUNIT_EXPECT_EQ(test, ring->head - ring->tail, RING);
		KUNIT_EXPECT_NULL(test, ipcbox_pool_ring_place(ring, 0));
		KUNIT_EXPECT_TRUE(test, payload_is(record,
						   start / IPCBOX_POOL_ALIGN));
		KUNIT_EXPECT_NOT_NULL(test, ipcbox_pool_ring_release(ring,
								     ring->head));
		for (count = 0; put(ring, 0, 0); count++)
			;
		KUNIT_EXPECT_EQ(test, count, RING / HEADER);
		KUNIT_EXPECT_LT(test, RING - (ring->head - ring->tail), HEADER);
		KUNIT_EXPECT_NOT_NULL(test, ipcbox_pool_ring_release(ring,
								     ring->head));
		KUNIT_EXPECT_NOT_NULL(test, ipcbox_pool_ring_place(ring, 0));
	}
}

/* A record that begins near the end goes on at the beginning, header or payload. */
static void no_record_wraps(struct kunit *test)
{
	struct fixture *fixture = test->priv;
	struct ipcbox_pool_ring *ring = &fixture->ring;
	struct ipcbox_pool_record *record;
	u32 before;

	for (before = IPCBOX_POOL_ALIGN; before <= 128;
	     before += IPCBOX_POOL_ALIGN) {
		memset(fixture->data, 0, RING);
		ring_move(ring, 7 * RING - before);
		record = put(ring, 200, 0x77);
		KUNIT_ASSERT_PTR_EQ(test, (u8 *)record,
				    fixture->data + RING - before);
		KUNIT_EXPECT_EQ(test, record->length, 200);
		KUNIT_EXPECT_TRUE(test, payload_is(record, 0x77));
		KUNIT_EXPECT_EQ(test, fixture->data[HEADER + 200 - before - 1],
				0x77);
		KUNIT_EXPECT_EQ(test, fixture->data[HEADER + 200 - before], 0);
		KUNIT_EXPECT_PTR_EQ(test, ipcbox_pool_ring_release(ring,
								   ring->head),
				    (const struct ipcbox_pool_record *)record);
	}
}

static void what_is_found_lies_inside(struct kunit *test)
{
	struct fixture *fixture = test->priv;
	struct rnd_state random;
	int i;

	prandom_seed_state(&random, 4711);
	for (i = 0; i < 10000; i++) {
		u64 position = (u64)prandom_u32_state(&random) << 32 |
			       prandom_u32_state(&random);
		u8 *at = (u8 *)ipcbox_pool_ring_at(&fixture->ring, position);

		KUNIT_EXPECT_GE(test, (uintptr_t)at, (uintptr_t)fixture->data);
		KUNIT_EXPECT_LE(test, (uintptr_t)at, (uintptr_t)fixture->data +
				RING - IPCBOX_POOL_ALIGN);
		KUNIT_EXPECT_EQ(test, (uintptr_t)at % IPCBOX_POOL_ALIGN, 0);
		/* Any answer will do, if nothing outside is looked at. */
		ipcbox_pool_ring_readable(&fixture->ring, position);
	}
}

/* Positions of which a receiver might expect something, around @position. */
static void claims_around(struct kunit *test, u64 position)
{
	struct fixture *fixture = test->priv;
	const struct ipcbox_pool_ring *ring = &fixture->ring;
	u64 told, claimed;
	int bit, sign;

	for (bit = -1; bit < 64; bit++) {
		for (sign = -1; sign <= 1; sign += 2) {
			told = position + (bit < 0 ? 0 : sign * (1ULL << bit));
			claimed = ipcbox_pool_ring_claim(ring, told);
			KUNIT_EXPECT_LE(test, claimed - ring->tail,
					ring->head - ring->tail);
			if (told - ring->tail <= ring->head - ring->tail)
				KUNIT_EXPECT_EQ(test, claimed, told);
			else
				KUNIT_EXPECT_EQ(test, claimed, ring->tail);
		}
	}
}

static void nonsense_moves_nothing(struct kunit *test)
{
	/* The last: positions that pass the greatest number. */
	const u64 starts[] = { 0, RING, 5 * RING + 16, 1ULL << 63,
			       -(u64)RING, -(u64)48 };
	struct fixture *fixture = test->priv;
	struct ipcbox_pool_ring *ring = &fixture->ring;
	u64 tail;
	int i, n;

	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		ring_move(ring, starts[i]);
		for (n = 0; n < 5; n++)
			KUNIT_ASSERT_NOT_NULL(test, put(ring, 100 * n, n));
		tail = ring->tail;
		claims_around(test, 0);
		claims_around(test, ring->tail);
		claims_around(test, ring->head);
		claims_around(test, tail + RING);
		KUNIT_EXPECT_EQ(test, ring->tail, tail);
		for (n = 0; n < 5; n++) {
			const struct ipcbox_pool_record *record =
				ipcbox_pool_ring_release(ring, ring->head);

			KUNIT_ASSERT_NOT_NULL(test, record);
			KUNIT_EXPECT_EQ(test, record->length, 100 * n);
			KUNIT_EXPECT_TRUE(test, payload_is(record, n));
		}
		KUNIT_EXPECT_EQ(test, ring->tail, ring->head);
	}
}

/* What the ring should hold, the oldest first. */
struct model {
	struct {
		struct ipcbox_pool_record *record;
		u64 position;
		u32 length;
		u8 value;
		bool finished;
	} records[RING / HEADER];
	u32 first;
	u32 count;
};

static u32 model_slot(const struct model *model, u32 i)
{
	return (model->first + i) % ARRAY_SIZE(model->records);
}

static void model_reserve(struct kunit *test, struct model *model,
			  struct ipcbox_pool_ring *ring, u32 length, u8 value)
{
	u64 used = ring->head - ring->tail;
	u64 position = ring->head;
	struct ipcbox_pool_record *record = begin(ring, length);
	u32 slot = model_slot(model, model->count);

	KUNIT_EXPECT_EQ(test, !!record,
			used + ipcbox_pool_ring_bytes(length) <= RING);
	if (!record)
		return;
	payload_fill(record, value);
	model->records[slot].record = record;
	model->records[slot].position = position;
	model->records[slot].length = length;
	model->records[slot].value = value;
	model->records[slot].finished = false;
	model->count++;
}

static void model_release(struct kunit *test, struct model *model,
			  struct ipcbox_pool_ring *ring, u64 told)
{
	u64 end = ipcbox_pool_ring_claim(ring, told);
	const struct ipcbox_pool_record *record;
	u64 position;
	u32 slot;

	while ((record = ipcbox_pool_ring_release(ring, end))) {
		slot = model_slot(model, 0);
		KUNIT_ASSERT_GT(test, model->count, 0);
		KUNIT_EXPECT_PTR_EQ(test, record,
				    (const struct ipcbox_pool_record *)
				    model->records[slot].record);
		KUNIT_EXPECT_TRUE(test, model->records[slot].finished);
		KUNIT_EXPECT_EQ(test, record->length,
				model->records[slot].length);
		KUNIT_EXPECT_TRUE(test, payload_is(record,
						   model->records[slot].value));
		position = model->records[slot].position;
		KUNIT_EXPECT_EQ(test, ring->tail - position,
				ipcbox_pool_ring_bytes(record->length));
		KUNIT_EXPECT_LE(test, ring->tail - position, end - position);
		model->first = model_slot(model, 1);
		model->count--;
	}
}

/*
 * Writers that finish in any order, and a receiver that tells what is so, or
 * anything: no record is given out anew, or changed, before it is released.
 */
static void records_are_kept_until_released(struct kunit *test)
{
	struct fixture *fixture = test->priv;
	struct ipcbox_pool_ring *ring = &fixture->ring;
	struct model *model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);
	struct rnd_state random;
	u32 round, slot, what;
	u64 told;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, model);
	prandom_seed_state(&random, 815);
	/* Positions pass the greatest number on the way. */
	ring_move(ring, -(u64)(100 * RING));
	for (round = 0; round < 20000; round++) {
		what = prandom_u32_state(&random);
		switch (what % 4) {
		case 0:
		case 1:
			model_reserve(test, model, ring,
				      what >> 8 & 1 ? (what >> 16) % 100 :
						      (what >> 16) % (LONGEST + 64),
				      round);
			break;
		case 2:
			if (!model->count)
				break;
			slot = model_slot(model, (what >> 8) % model->count);
			if (model->records[slot].finished)
				break;
			model->records[slot].finished = true;
			ipcbox_pool_ring_finish(model->records[slot].record,
						what >> 30 ? IPCBOX_POOL_READY :
							     IPCBOX_POOL_VOID);
			break;
		case 3:
			told = prandom_u32_state(&random);
			if (what >> 30 == 0)
				told |= (u64)prandom_u32_state(&random) << 32;
			else if (what >> 30 == 1)
				told = ring->head;
			else
				told = ring->tail + told % (2 * RING);
			model_release(test, model, ring, told);
			break;
		}
		KUNIT_ASSERT_LE(test, ring->head - ring->tail, RING);
		KUNIT_ASSERT_EQ(test, ring->tail == ring->head, !model->count);
	}
}

static struct kunit_case ring_cases[] = {
	KUNIT_CASE(a_new_ring_is_empty),
	KUNIT_CASE(a_record_takes_what_is_said),
	KUNIT_CASE(a_record_is_seen_step_by_step),
	KUNIT_CASE(what_is_left_of_an_old_record_is_none),
	KUNIT_CASE(padding_is_clean),
	KUNIT_CASE(a_discarded_record_goes_as_others_do),
	KUNIT_CASE(the_oldest_that_is_written_stops_the_release),
	KUNIT_CASE(only_whole_records_are_released),
	KUNIT_CASE(a_full_ring_gives_out_nothing),
	KUNIT_CASE(no_record_wraps),
	KUNIT_CASE(what_is_found_lies_inside),
	KUNIT_CASE(nonsense_moves_nothing),
	KUNIT_CASE(records_are_kept_until_released),
	{ }
};

static struct kunit_suite ring_suite = {
	.name = "ipcbox_pool_ring",
	.init = ring_test_init,
	.exit = ring_test_exit,
	.test_cases = ring_cases,
};

kunit_test_suite(ring_suite);
