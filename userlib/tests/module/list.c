/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* The walk over a box shows each object once, to those who may know of it. */
#include <stdio.h>
#include <string.h>

#include "support.h"

/* More than fits a page of the walk. */
#define MANY	100

static struct ipcbox_listing *begin(struct ipcbox *box)
{
	struct ipcbox_listing *listing = NULL;

	equal(ipcbox_list_begin(box, &listing), 0);
	require(listing);
	return listing;
}

static unsigned int count(struct ipcbox *box)
{
	struct ipcbox_listing *listing = begin(box);
	struct ipcbox_stat state;
	unsigned int found = 0;
	int result;

	while ((result = ipcbox_list_next(listing, &state)) == 1)
		found++;
	equal(result, 0);
	ipcbox_list_end(listing);
	return found;
}

static void an_empty_box_lists_nothing(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_listing *listing = begin(box);
	struct ipcbox_stat state;
	struct ipcbox_stat before;

	memset(&state, 0x5a, sizeof(state));
	before = state;
	equal(ipcbox_list_next(listing, &state), 0);
	equal(ipcbox_list_next(listing, &state), 0);
	check(memcmp(&state, &before, sizeof(state)) == 0);
	ipcbox_list_end(listing);
	ipcbox_box_close(box);
}

static void an_entry_is_the_objects_state(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .name = "entry",
					     .max_messages = 9);
	struct ipcbox_listing *listing = begin(box);
	struct ipcbox_stat entry, state;

	equal(send_text(queue, "x"), 0);
	equal(ipcbox_list_next(listing, &entry), 1);
	state = state_of(queue);
	/* Each says the size that the caller gave. */
	entry.size = state.size;
	check(memcmp(&entry, &state, sizeof(state)) == 0);
	equal(ipcbox_list_next(listing, &entry), 0);
	/* The end stays the end. */
	ipcbox_close(create(box, .flags = IPCBOX_CREATE_PERSISTENT));
	equal(ipcbox_list_next(listing, &entry), 0);
	ipcbox_list_end(listing);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void many_objects_come_in_order_of_id(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *handles[MANY];
	struct ipcbox_listing *listing;
	struct ipcbox_stat state;
	char name[16];
	int i;

	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "object-%d", i);
		handles[i] = create(box, .name = name);
	}
	listing = begin(box);
	for (i = 0; i < MANY; i++) {
		equal(ipcbox_list_next(listing, &state), 1);
		check(state.id == ipcbox_handle_id(handles[i]));
		snprintf(name, sizeof(name), "object-%d", i);
		check(strcmp((const char *)state.name, name) == 0);
	}
	equal(ipcbox_list_next(listing, &state), 0);
	ipcbox_list_end(listing);
	for (i = 0; i < MANY; i++)
		ipcbox_close(handles[i]);
	equal(count(box), 0);
	ipcbox_box_close(box);
}

/* Removing what was seen, as a program that cleans up does. */
static void removing_during_the_walk_misses_nothing(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_listing *listing;
	struct ipcbox_stat state;
	int seen = 0;
	int i;

	for (i = 0; i < MANY; i++)
		ipcbox_close(create(box, .flags = IPCBOX_CREATE_PERSISTENT));
	listing = begin(box);
	while (ipcbox_list_next(listing, &state) == 1) {
		equal(ipcbox_unlink_id(box, state.id), 0);
		seen++;
	}
	ipcbox_list_end(listing);
	equal(seen, MANY);
	equal(count(box), 0);
	ipcbox_box_close(box);
}

static void a_walk_can_be_left(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_listing *listing = begin(box);
	struct ipcbox_stat state;

	equal(ipcbox_list_next(listing, &state), 1);
	ipcbox_list_end(listing);
	ipcbox_list_end(begin(box));
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void count_as_other(void *box)
{
	struct ipcbox_handle *mine;

	become_other_user();
	equal(count(box), 2);
	mine = create(box, .mode = 0600);
	equal(count(box), 3);
	ipcbox_close(mine);
}

static void users_see_what_they_could_open(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *closed = create(box, .mode = 0600);
	struct ipcbox_handle *readable = create(box, .mode = 0604);
	struct ipcbox_handle *writable = create(box, .mode = 0600,
						.rights = RECEIVE | SEND |
							  MANAGE);
	struct ipcbox_set set = { .mask = IPCBOX_SET_MODE, .mode = 0602 };

	equal(ipcbox_set(writable, &set), 0);
	join(tap_spawn(count_as_other, box));
	equal(count(box), 3);
	ipcbox_close(closed);
	ipcbox_close(readable);
	ipcbox_close(writable);
	ipcbox_box_close(box);
}

static void unlinked_objects_are_not_listed(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .name = "unlinked");

	equal(ipcbox_unlink_name(box, "unlinked"), 0);
	equal(count(box), 0);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

TAP_MAIN(own_box, TAP_TEST(an_empty_box_lists_nothing),
	 TAP_TEST(an_entry_is_the_objects_state),
	 TAP_TEST(many_objects_come_in_order_of_id),
	 TAP_TEST(removing_during_the_walk_misses_nothing),
	 TAP_TEST(a_walk_can_be_left), TAP_TEST(users_see_what_they_could_open),
	 TAP_TEST(unlinked_objects_are_not_listed))
