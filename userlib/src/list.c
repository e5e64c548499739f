/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* The walk over the objects of a box. */
#include <stdlib.h>

#include "internal.h"

/* Enough that a system call for a page costs little for each object. */
#define PAGE_ENTRIES	32

struct ipcbox_listing {
	const struct ipcbox *box;
	uint64_t cursor;
	unsigned int filled;
	unsigned int taken;
	int at_end;
	struct ipcbox_stat page[PAGE_ENTRIES];
};

int ipcbox_list_begin(struct ipcbox *box, struct ipcbox_listing **listing)
{
	struct ipcbox_listing *made = ipcbox_allocate(sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->box = box;
	*listing = made;
	return 0;
}

static int fetch_page(struct ipcbox_listing *listing)
{
	struct ipcbox_list request = {
		.size = sizeof(request),
		.cursor = listing->cursor,
		.entries = ipcbox_address(listing->page),
		.count = PAGE_ENTRIES,
		.entry_size = sizeof(listing->page[0]),
	};
	int result = ipcbox_ioctl(listing->box->fd, IPCBOX_IOC_LIST, &request);

	if (result)
		return result;
	listing->cursor = request.next;
	listing->filled = request.returned;
	listing->taken = 0;
	listing->at_end = request.returned == 0;
	return 0;
}

int ipcbox_list_next(struct ipcbox_listing *listing, struct ipcbox_stat *state)
{
	int result;

	if (listing->taken == listing->filled && !listing->at_end) {
		result = fetch_page(listing);
		if (result)
			return result;
	}
	if (listing->at_end)
		return 0;
	*state = listing->page[listing->taken++];
	return 1;
}

void ipcbox_list_end(struct ipcbox_listing *listing)
{
	free(listing);
}
