/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * ipcbox regions, sealed: a message carries the handle, and the receiver maps
 * what it got, reads a word of it, and lets it go. The sender has the region
 * ready, as one who sends a file or a frame to several has it.
 *
 * Two more ways to use them: the receiver keeps what it has mapped, and knows the
 * region when it comes again, as one does who is asked about the same data many
 * times ("kept"); and the sender makes and fills a region for each message
 * ("fresh"). And huge pages may be asked for ("huge").
 */
#include <stdlib.h>

#include "box.h"
#include "transports.h"

/* Less is better sent in the message itself. */
#define SIZE_LEAST 4096

static bool is_fresh(const struct link *link)
{
	return link->transport == &transport_region_fresh ||
	       link->transport == &transport_region_huge_fresh;
}

static bool is_huge(const struct link *link)
{
	return link->transport == &transport_region_huge ||
	       link->transport == &transport_region_huge_fresh;
}

struct delivery {
	struct ipcbox_handle *mailbox;
	struct ipcbox_handle *region;
	uint64_t kept_id;	/* the receiver's: what it has mapped */
	const volatile uint64_t *kept;
};

static void region_close(struct link *link)
{
	struct delivery *delivery = link->state;

	ipcbox_close(delivery->region);
	ipcbox_close(delivery->mailbox);
	free(delivery);
}

/* A sealed region of @size bytes that are there, by a handle that reads it. */
static int region_new(size_t size, bool huge, struct ipcbox_handle **reader)
{
	struct ipcbox_create_options options = {
		.kind = IPCBOX_REGION,
		.flags = huge ? IPCBOX_CREATE_HUGE : 0,
		.mapped_bytes = size,
	};
	struct ipcbox_handle *region;
	void *memory;
	size_t mapped;
	int error = ipcbox_create(box_here(), &options, &region);

	if (error)
		return error;
	error = ipcbox_region_map(region, IPCBOX_MAP_WRITE, &memory, &mapped);
	if (!error) {
		memset(memory, 1, mapped);
		ipcbox_region_unmap(memory, mapped);
		error = ipcbox_region_seal(region);
	}
	if (!error)
		error = ipcbox_open_id(box_here(), ipcbox_handle_id(region),
				       IPCBOX_RIGHT_RECEIVE, 0, reader);
	ipcbox_close(region);
	return error;
}

static int region_open(struct link *link)
{
	const struct shape *shape = &link->shape;
	struct ipcbox_create_options options = {
		.kind = IPCBOX_MAILBOX,
		.max_messages = shape->depth,
		.max_descriptors = 1,
	};
	struct delivery *delivery;
	int error;

	if (shape->size < SIZE_LEAST)
		return -EOPNOTSUPP;
	if (!box_here())
		return failure();
	delivery = calloc(1, sizeof(*delivery));
	if (!delivery)
		return -ENOMEM;
	link->state = delivery;
	error = ipcbox_create(box_here(), &options, &delivery->mailbox);
	if (!error)
		error = region_new(shape->size, is_huge(link),
				   &delivery->region);
	if (error)
		region_close(link);
	return error;
}

static int send_fresh(const struct link *link, size_t size, uint64_t number)
{
	struct delivery *delivery = link->state;
	struct ipcbox_handle *region;
	int error = region_new(size, is_huge(link), &region);

	if (error)
		return error;
	error = ipcbox_send_region(delivery->mailbox, region, &number,
				   sizeof(number), NULL);
	ipcbox_close(region);
	return error;
}

static int region_send(struct link *link, const struct burst *burst)
{
	bool fresh = is_fresh(link);
	struct delivery *delivery = link->state;
	uint64_t number = 0;
	int error = 0;

	for (unsigned long i = 0; !error && i < burst->count; i++) {
		burst_stamp(burst, &number, i);
		error = fresh ?
			send_fresh(link, burst->size, number) :
			ipcbox_send_region(delivery->mailbox, delivery->region,
					   &number, sizeof(number), NULL);
	}
	return error;
}

/* Map it, read a word, and unmap it. */
static int look_into(struct ipcbox_handle *region, size_t size)
{
	void *memory;
	size_t mapped;
	int error = ipcbox_region_map(region, IPCBOX_MAP_READ, &memory,
				      &mapped);

	if (error)
		return error;
	if (mapped != size || !*(volatile uint64_t *)memory)
		error = -EBADMSG;
	ipcbox_region_unmap(memory, mapped);
	return error;
}

/* Read a word where it is mapped already, or map it for good. */
static int look_again(struct delivery *delivery, struct ipcbox_handle *region)
{
	void *memory;
	int error = 0;

	if (!delivery->kept || delivery->kept_id != ipcbox_handle_id(region)) {
		error = ipcbox_region_map(region, IPCBOX_MAP_READ, &memory,
					  NULL);
		if (error)
			return error;
		delivery->kept = memory;
		delivery->kept_id = ipcbox_handle_id(region);
	}
	return *delivery->kept ? 0 : -EBADMSG;
}

static int region_receive(struct link *link, const struct burst *burst)
{
	bool keep = link->transport == &transport_region_kept;
	struct delivery *delivery = link->state;
	struct ipcbox_handle *region;
	uint64_t number;
	ssize_t length;
	int error = 0;

	for (unsigned long i = 0; !error && i < burst->count; i++) {
		length = ipcbox_receive_region(delivery->mailbox, &number,
					       sizeof(number),
					       IPCBOX_EXPECT_SEALED, &region,
					       NULL, 0);
		if (length < 0)
			return (int)length;
		error = keep ? look_again(delivery, region) :
			       look_into(region, burst->size);
		ipcbox_close(region);
		if (!error && !burst_is(burst, &number, i, burst->size))
			error = -EBADMSG;
	}
	return error;
}

#define REGION_TRANSPORT(text) {	\
	.name = (text),			\
	.family = FAMILY_MEMORY,	\
	.ours = true,			\
	.available = box_available,	\
	.open = region_open,		\
	.send = region_send,		\
	.receive = region_receive,	\
	.close = region_close,		\
}

const struct transport transport_region =
	REGION_TRANSPORT("ipcbox-region");
const struct transport transport_region_kept =
	REGION_TRANSPORT("ipcbox-region-kept");
const struct transport transport_region_fresh =
	REGION_TRANSPORT("ipcbox-region-fresh");
const struct transport transport_region_huge =
	REGION_TRANSPORT("ipcbox-region-huge");
const struct transport transport_region_huge_fresh =
	REGION_TRANSPORT("ipcbox-region-huge-fresh");
