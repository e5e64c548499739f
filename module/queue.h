/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bounded priority queue: pure state.
 *
 * It knows nothing of files, users, tasks or user memory, never sleeps and
 * takes no lock: whoever owns the queue serialises every call. KUnit tests it
 * alone.
 */
#ifndef IPCBOX_QUEUE_H
#define IPCBOX_QUEUE_H

#include <linux/list.h>
#include <linux/compiler.h>
#include <linux/rbtree.h>
#include <linux/types.h>

/**
 * struct ipcbox_queue_share - what one user has in one queue
 * @messages: entries of the user that are in the queue
 * @bytes: what they take of the limits' bytes
 * @unlimited: the queue's owner: exempt from the share limit
 * @parked: the user's entries that wait for room, oldest first
 * @turn: place in the queue's round of shares that wait for room; empty while
 *	nothing is parked, or while the share limit itself is what parks it
 */
struct ipcbox_queue_share {
	u32 messages;
	u64 bytes;
	bool unlimited;
	struct list_head parked;
	struct list_head turn;
};

/**
 * struct ipcbox_queue_place - where in the order something stands
 * @priority: higher goes first
 * @sequence: lower goes first within a priority
 */
struct ipcbox_queue_place {
	u16 priority;
	u64 sequence;
};

/**
 * struct ipcbox_queue_entry - a message in a queue
 * @node: place among the queue's runs, for the one entry of a run that stands
 *	for it; else empty
 * @list: place in the queue, or among the share's parked; the owner's when it
 *	is in neither
 * @sequence: number in order of acceptance, from 1; zero before
 * @share: whose entry this is
 * @length: payload bytes
 * @priority: higher goes first
 * @tracked: not looked at: the owner's, in what would be padding
 * @block: likewise: of the block that it is a piece of, or 0
 */
struct ipcbox_queue_entry {
	struct rb_node node;
	struct list_head list;
	u64 sequence;
	struct ipcbox_queue_share *share;
	u32 length;
	u16 priority;
	bool tracked;
	u8 block;
};

/**
 * struct ipcbox_queue_limits - how much a queue holds
 * @messages: entries, at least 1
 * @bytes: bytes: payload, and @overhead
 * @overhead: what an entry takes of @bytes besides its payload
 * @share_percent: how much of both one share that is not unlimited may fill
 * @plain: shares do not count: what finds room goes in
 */
struct ipcbox_queue_limits {
	u32 messages;
	u64 bytes;
	u32 overhead;
	u32 share_percent;
	bool plain;
};

/**
 * struct ipcbox_queue - entries by priority, then by sequence
 * @entries: the entries, in the order in which they go
 * @runs: of each run of entries one, in the same order; see queue.c
 * @limits: how much it holds
 * @messages: entries in it
 * @bytes: what they take of the limits' bytes
 * @messages_peak: most entries there ever were
 * @bytes_peak: most bytes there ever were
 * @sequence: the number last given
 * @turns: shares with parked entries, in the order of their turns
 */
struct ipcbox_queue {
	struct list_head entries;
	struct rb_root_cached runs;
	struct ipcbox_queue_limits limits;
	u32 messages;
	u64 bytes;
	u32 messages_peak;
	u64 bytes_peak;
	u64 sequence;
	struct list_head turns;
};

static inline struct ipcbox_queue_place
ipcbox_queue_place_of(const struct ipcbox_queue_entry *entry)
{
	return (struct ipcbox_queue_place){
		.priority = entry->priority,
		.sequence = entry->sequence,
	};
}

/* So many entries make a run, at most: 2 to the power of this. See queue.c. */
#define IPCBOX_QUEUE_RUN_BITS	5

static inline struct ipcbox_queue_entry *
ipcbox_queue_entry_of(struct list_head *list)
{
	return list_entry(list, struct ipcbox_queue_entry, list);
}

static inline bool ipcbox_queue_same_run(const struct ipcbox_queue_entry *a,
					 const struct ipcbox_queue_entry *b)
{
	return a->priority == b->priority &&
	       !((a->sequence ^ b->sequence) >> IPCBOX_QUEUE_RUN_BITS);
}

/**
 * ipcbox_queue_place_before() - which of two places comes first?
 * @a: a place
 * @b: another
 *
 * Return: true if what stands at @a goes before what stands at @b.
 */
static inline bool ipcbox_queue_place_before(const struct ipcbox_queue_place *a,
					     const struct ipcbox_queue_place *b)
{
	return a->priority > b->priority ||
	       (a->priority == b->priority && a->sequence < b->sequence);
}

void ipcbox_queue_init(struct ipcbox_queue *queue,
		       const struct ipcbox_queue_limits *limits);
void ipcbox_queue_share_init(struct ipcbox_queue_share *share, bool unlimited);
void ipcbox_queue_link(struct ipcbox_queue *queue,
		       struct ipcbox_queue_entry *entry);
void ipcbox_queue_leave_run(struct ipcbox_queue *queue,
			    struct ipcbox_queue_entry *entry);
void ipcbox_queue_park(struct ipcbox_queue *queue,
		       struct ipcbox_queue_entry *entry);
void ipcbox_queue_unpark(struct ipcbox_queue *queue,
			 struct ipcbox_queue_entry *entry);
struct ipcbox_queue_entry *
ipcbox_queue_unpark_next(struct ipcbox_queue *queue,
			 struct ipcbox_queue_share *freed);
void ipcbox_queue_reshare(struct ipcbox_queue *queue,
			  struct ipcbox_queue_share *share);

struct ipcbox_queue_entry *
ipcbox_queue_next(const struct ipcbox_queue *queue,
		  const struct ipcbox_queue_entry *entry);
struct ipcbox_queue_entry *
ipcbox_queue_after(const struct ipcbox_queue *queue,
		   const struct ipcbox_queue_place *place);

/**
 * ipcbox_queue_first() - the entry to go next
 * @queue: the queue
 *
 * Return: the oldest entry of the highest priority, or NULL when empty.
 */
static inline struct ipcbox_queue_entry *
ipcbox_queue_first(const struct ipcbox_queue *queue)
{
	if (list_empty(&queue->entries))
		return NULL;
	return list_first_entry(&queue->entries, struct ipcbox_queue_entry,
				list);
}

/**
 * ipcbox_queue_number() - accept an entry: give it the next number
 * @queue: the queue
 * @entry: an entry that was admitted
 *
 * It then goes into the queue, or straight to a receiver.
 */
static inline void ipcbox_queue_number(struct ipcbox_queue *queue,
				       struct ipcbox_queue_entry *entry)
{
	entry->sequence = ++queue->sequence;
}

/**
 * ipcbox_queue_share_has_room() - does a share keep within its limit?
 * @queue: the queue
 * @share: the share
 * @length: payload bytes of one entry more
 *
 * Return: true if it would.
 */
static inline bool
ipcbox_queue_share_has_room(const struct ipcbox_queue *queue,
			    const struct ipcbox_queue_share *share, u32 length)
{
	const struct ipcbox_queue_limits *limits = &queue->limits;

	if (share->unlimited || limits->plain)
		return true;
	return (u64)(share->messages + 1) * 100 <=
		       (u64)limits->messages * limits->share_percent &&
	       (share->bytes + length + limits->overhead) * 100 <=
		       limits->bytes * limits->share_percent;
}

/**
 * ipcbox_queue_has_room() - does the queue keep within its limits?
 * @queue: the queue
 * @length: payload bytes of one entry more
 *
 * Return: true if it would.
 */
static inline bool ipcbox_queue_has_room(const struct ipcbox_queue *queue,
					 u32 length)
{
	return queue->messages < queue->limits.messages &&
	       queue->bytes + length + queue->limits.overhead <=
		       queue->limits.bytes;
}

/**
 * ipcbox_queue_count() - something takes room
 * @queue: the queue
 * @share: whose it is
 * @length: its payload bytes
 *
 * For an entry, by ipcbox_queue_insert(); or for what is kept elsewhere, as in
 * a receive pool, and counts as if it were in the queue.
 */
static inline void ipcbox_queue_count(struct ipcbox_queue *queue,
				      struct ipcbox_queue_share *share,
				      u32 length)
{
	u64 bytes = (u64)length + queue->limits.overhead;

	queue->messages++;
	queue->bytes += bytes;
	share->messages++;
	share->bytes += bytes;
	if (unlikely(queue->messages > queue->messages_peak))
		queue->messages_peak = queue->messages;
	if (unlikely(queue->bytes > queue->bytes_peak))
		queue->bytes_peak = queue->bytes;
}

/**
 * ipcbox_queue_uncount() - undo ipcbox_queue_count()
 * @queue: the queue
 * @share: whose they are
 * @messages: how many
 * @length: their payload bytes together
 */
static inline void ipcbox_queue_uncount(struct ipcbox_queue *queue,
					struct ipcbox_queue_share *share,
					u32 messages, u64 length)
{
	u64 bytes = length + (u64)messages * queue->limits.overhead;

	queue->messages -= messages;
	queue->bytes -= bytes;
	share->messages -= messages;
	share->bytes -= bytes;
}

/**
 * ipcbox_queue_admits() - may an entry go in now?
 * @queue: the queue
 * @share: whose entry it would be
 * @length: its payload bytes
 *
 * A share with nothing in the queue and nothing parked is always admitted: no
 * set of users can keep another's first message out. Any other is admitted
 * when queue and share have room and nobody has been waiting for it. In a plain
 * queue whatever finds room is admitted, and nothing else.
 *
 * Return: true if ipcbox_queue_insert() may follow, false if the entry must be
 * refused or parked.
 */
static inline bool ipcbox_queue_admits(const struct ipcbox_queue *queue,
				       const struct ipcbox_queue_share *share,
				       u32 length)
{
	if (queue->limits.plain)
		return ipcbox_queue_has_room(queue, length);
	if (!list_empty(&share->parked))
		return false;
	if (!share->messages)
		return true;
	return list_empty(&queue->turns) &&
	       ipcbox_queue_has_room(queue, length) &&
	       ipcbox_queue_share_has_room(queue, share, length);
}

/**
 * ipcbox_queue_insert() - put an entry into its place
 * @queue: the queue
 * @entry: an entry that has its number, is in no queue and not parked
 *
 * Its number decides its place in its priority, so an entry that was taken out
 * and comes back is again where it was. Limits are not looked at: that is
 * ipcbox_queue_admits(), and what returns is never refused.
 */
static inline void ipcbox_queue_insert(struct ipcbox_queue *queue,
				       struct ipcbox_queue_entry *entry)
{
	struct list_head *end = queue->entries.prev;

	RB_CLEAR_NODE(&entry->node);
	if (likely(end != &queue->entries &&
		   ipcbox_queue_same_run(ipcbox_queue_entry_of(end), entry) &&
		   ipcbox_queue_entry_of(end)->sequence < entry->sequence))
		list_add_tail(&entry->list, &queue->entries);
	else
		ipcbox_queue_link(queue, entry);
	ipcbox_queue_count(queue, entry->share, entry->length);
}

/**
 * ipcbox_queue_remove() - take an entry out
 * @queue: the queue
 * @entry: an entry that is in it
 *
 * Afterwards ipcbox_queue_unpark_next() tells who may come in instead.
 */
static inline void ipcbox_queue_remove(struct ipcbox_queue *queue,
				       struct ipcbox_queue_entry *entry)
{
	if (unlikely(!RB_EMPTY_NODE(&entry->node)))
		ipcbox_queue_leave_run(queue, entry);
	list_del(&entry->list);
	ipcbox_queue_uncount(queue, entry->share, 1, entry->length);
}

#endif /* IPCBOX_QUEUE_H */
