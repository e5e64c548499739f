/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ring of a receive pool: pure state.
 *
 * It knows nothing of users, tasks, files or user memory, never sleeps and takes
 * no lock: whoever owns the ring serialises every call, but for
 * ipcbox_pool_ring_finish(). KUnit tests it alone. What the pages hold, and who
 * writes what, is said in <linux/ipcbox.h>.
 *
 * The ring trusts its records: nobody but the kernel can write them. It trusts
 * no position that comes from the receiver, see ipcbox_pool_ring_claim().
 */
#ifndef IPCBOX_POOL_RING_H
#define IPCBOX_POOL_RING_H

#include <asm/barrier.h>

#include <linux/align.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/string.h>
#include <linux/types.h>

#include <linux/ipcbox.h>

static_assert(sizeof(struct ipcbox_pool_record) == 48);
static_assert(IPCBOX_POOL_OVERHEAD ==
	      sizeof(struct ipcbox_pool_record) + IPCBOX_POOL_ALIGN);

/**
 * struct ipcbox_pool_ring - the records of a pool, and the room between them
 * @data: the records, mapped twice in a row; zero before the first use
 * @page: what the kernel tells the receiver
 * @size: bytes of @data, a power of two
 * @head: where the next record goes
 * @tail: where the oldest record is; @head when there is none
 */
struct ipcbox_pool_ring {
	void *data;
	struct ipcbox_pool_page *page;
	u64 size;
	u64 head;
	u64 tail;
};

/**
 * ipcbox_pool_ring_init() - make an empty ring
 * @ring: the ring
 * @page: a page that only the kernel writes
 * @data: memory, mapped twice in a row, that only the kernel writes
 * @size: its bytes, a power of two
 */
static inline void ipcbox_pool_ring_init(struct ipcbox_pool_ring *ring,
					 struct ipcbox_pool_page *page,
					 void *data, u64 size)
{
	*ring = (struct ipcbox_pool_ring){
		.data = data,
		.page = page,
		.size = size,
	};
	page->size = size;
	page->wake_at = IPCBOX_POOL_NEVER;
}

/**
 * ipcbox_pool_ring_bytes() - what a record takes of the ring
 * @length: bytes of its payload
 *
 * Return: bytes, header and padding with it; at most IPCBOX_POOL_OVERHEAD more
 * than @length.
 */
static inline u64 ipcbox_pool_ring_bytes(u32 length)
{
	return ALIGN(sizeof(struct ipcbox_pool_record) + (u64)length,
		     IPCBOX_POOL_ALIGN);
}

/**
 * ipcbox_pool_ring_at() - the record at a position
 * @ring: the ring
 * @position: any value; what is found there is inside the ring's memory, and a
 *	record only if one begins there
 *
 * Return: the record; its payload follows it.
 */
static inline struct ipcbox_pool_record *
ipcbox_pool_ring_at(const struct ipcbox_pool_ring *ring, u64 position)
{
	return ring->data +
	       (position & (ring->size - 1) & ~(u64)(IPCBOX_POOL_ALIGN - 1));
}

/**
 * ipcbox_pool_ring_place() - where would a record go?
 * @ring: the ring
 * @length: bytes of its payload
 *
 * Return: the place, for ipcbox_pool_ring_reserve(); its payload may be written
 * at once. NULL when there is no room.
 */
static inline struct ipcbox_pool_record *
ipcbox_pool_ring_place(const struct ipcbox_pool_ring *ring, u32 length)
{
	if (ipcbox_pool_ring_bytes(length) >
	    ring->size - (ring->head - ring->tail))
		return NULL;
	return ipcbox_pool_ring_at(ring, ring->head);
}

/**
 * ipcbox_pool_ring_reserve() - put a record there
 * @ring: the ring
 * @record: from ipcbox_pool_ring_place()
 * @length: as there
 *
 * The receiver sees the record after ipcbox_pool_ring_show(), and its payload
 * after ipcbox_pool_ring_finish().
 */
static inline void ipcbox_pool_ring_reserve(struct ipcbox_pool_ring *ring,
					    struct ipcbox_pool_record *record,
					    u32 length)
{
	u64 bytes = ipcbox_pool_ring_bytes(length);
	u32 padding = bytes - sizeof(*record) - length;

	record->state = IPCBOX_POOL_WRITING;
	record->length = length;
	/* Padding may hold what another receiver has read. */
	if (padding)
		memset((void *)(record + 1) + length, 0, padding);
	ring->head += bytes;
}

/**
 * ipcbox_pool_ring_show() - show the receiver the records that were reserved
 * @ring: the ring
 */
static inline void ipcbox_pool_ring_show(struct ipcbox_pool_ring *ring)
{
	/* Pairs with the receiver's acquire: who sees a record sees its header. */
	smp_store_release(&ring->page->head, ring->head);
}

/**
 * ipcbox_pool_ring_finish() - a record's payload is written, or never will be
 * @record: a reserved record; the caller's no more
 * @state: IPCBOX_POOL_READY or IPCBOX_POOL_VOID
 *
 * Needs no lock.
 */
static inline void ipcbox_pool_ring_finish(struct ipcbox_pool_record *record,
					   u32 state)
{
	/* Pairs with the receiver's acquire: who sees it sees the payload. */
	smp_store_release(&record->state, state);
}

/**
 * ipcbox_pool_ring_claim() - what a position that the receiver tells can mean
 * @ring: the ring
 * @position: as the receiver wrote it: any value
 *
 * Return: @position when it lies between tail and head, else tail: a receiver
 * that tells nonsense has not moved.
 */
static inline u64 ipcbox_pool_ring_claim(const struct ipcbox_pool_ring *ring,
					 u64 position)
{
	return position - ring->tail <= ring->head - ring->tail ? position :
								  ring->tail;
}

/**
 * ipcbox_pool_ring_releasable() - is the receiver done with the oldest record?
 * @ring: the ring
 * @end: the receiver is done with what lies before this; from
 *	ipcbox_pool_ring_claim()
 *
 * Return: true unless there is no record, or it is being written, or @end cuts
 * through it: then the receiver cannot have read it, whatever it tells.
 */
static inline bool
ipcbox_pool_ring_releasable(const struct ipcbox_pool_ring *ring, u64 end)
{
	const struct ipcbox_pool_record *record;

	if (ring->tail == ring->head)
		return false;
	record = ipcbox_pool_ring_at(ring, ring->tail);
	return READ_ONCE(record->state) != IPCBOX_POOL_WRITING &&
	       end - ring->tail >= ipcbox_pool_ring_bytes(record->length);
}

/**
 * ipcbox_pool_ring_release() - release the oldest record
 * @ring: the ring
 * @end: as for ipcbox_pool_ring_releasable()
 *
 * Return: the record, whose memory is given out anew by the next
 * ipcbox_pool_ring_reserve(); NULL when there is nothing to release.
 */
static inline const struct ipcbox_pool_record *
ipcbox_pool_ring_release(struct ipcbox_pool_ring *ring, u64 end)
{
	const struct ipcbox_pool_record *record;

	if (!ipcbox_pool_ring_releasable(ring, end))
		return NULL;
	record = ipcbox_pool_ring_at(ring, ring->tail);
	ring->tail += ipcbox_pool_ring_bytes(record->length);
	return record;
}

/**
 * ipcbox_pool_ring_readable() - is there something to read at a position?
 * @ring: the ring
 * @position: from ipcbox_pool_ring_claim()
 *
 * Return: true unless the receiver is at the end or at a record that is being
 * written. A position inside a record, which only a receiver that harms itself
 * can tell, gives either answer.
 */
static inline bool
ipcbox_pool_ring_readable(const struct ipcbox_pool_ring *ring, u64 position)
{
	const struct ipcbox_pool_record *record =
		ipcbox_pool_ring_at(ring, position);

	if (position == ring->head)
		return false;
	/* Pairs with ipcbox_pool_ring_finish(). */
	return smp_load_acquire(&record->state) != IPCBOX_POOL_WRITING;
}

#endif /* IPCBOX_POOL_RING_H */
