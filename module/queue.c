// SPDX-License-Identifier: GPL-2.0
/*
 * The bounded priority queue.
 *
 * Entries stand in a list, in the order in which they go. Entries of one priority
 * whose numbers differ in the last bits only are a run; of each run one entry, any,
 * stands in a tree besides. So a place is found among the runs, and then by a few
 * steps in the list. Nothing is allocated, so nothing here can fail. To put an entry
 * last in its run, as with one priority in use, or before all others, as what is
 * urgent, and to take the first one out cost the same however many there are; any
 * other place costs the logarithm of their number, so entries may come back in any
 * order.
 *
 * Room is given out in turns. Entries that find none are parked with their
 * share, in order; shares with parked entries take turns. So one user's flood
 * delays another user by one entry, not by the flood.
 */
#include "compat.h"
#include "queue.h"

static struct ipcbox_queue_entry *entry_of(struct rb_node *node)
{
	return rb_entry(node, struct ipcbox_queue_entry, node);
}

/**
 * ipcbox_queue_init() - make an empty queue
 * @queue: the queue
 * @limits: how much it shall hold
 */
void ipcbox_queue_init(struct ipcbox_queue *queue,
		       const struct ipcbox_queue_limits *limits)
{
	*queue = (struct ipcbox_queue){
		.runs = RB_ROOT_CACHED,
		.limits = *limits,
	};
	INIT_LIST_HEAD(&queue->entries);
	INIT_LIST_HEAD(&queue->turns);
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_queue_init);

/**
 * ipcbox_queue_share_init() - make a share with nothing in it
 * @share: the share
 * @unlimited: the share limit does not concern it
 */
void ipcbox_queue_share_init(struct ipcbox_queue_share *share, bool unlimited)
{
	*share = (struct ipcbox_queue_share){ .unlimited = unlimited };
	INIT_LIST_HEAD(&share->parked);
	INIT_LIST_HEAD(&share->turn);
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_queue_share_init);

static bool goes_before(const struct ipcbox_queue_place *place,
			const struct ipcbox_queue_entry *entry)
{
	struct ipcbox_queue_place at = ipcbox_queue_place_of(entry);

	return ipcbox_queue_place_before(place, &at);
}

/* Is one of the entry's neighbours of its run, which then is in the tree? */
static bool run_exists(const struct ipcbox_queue *queue,
		       const struct ipcbox_queue_entry *entry)
{
	return (entry->list.prev != &queue->entries &&
		ipcbox_queue_same_run(entry, ipcbox_queue_entry_of(entry->list.prev))) ||
	       (entry->list.next != &queue->entries &&
		ipcbox_queue_same_run(entry, ipcbox_queue_entry_of(entry->list.next)));
}

/* The first entry that goes after a place; the list's head when there is none. */
static struct list_head *queue_after(const struct ipcbox_queue *queue,
				     const struct ipcbox_queue_entry *bound,
				     const struct ipcbox_queue_place *place)
{
	const struct list_head *head = &queue->entries;
	const struct list_head *after = bound ? &bound->list : head;

	while (after->prev != head &&
	       goes_before(place, ipcbox_queue_entry_of(after->prev)))
		after = after->prev;
	return (struct list_head *)after;
}

/*
 * Looks a place up in the tree. Returns the entry there that goes next after it, or
 * NULL; a new one hangs below @parent: to the left, if that is the same, or to the right.
 */
static struct ipcbox_queue_entry *
queue_find(const struct ipcbox_queue *queue,
	   const struct ipcbox_queue_place *place, struct rb_node **parent)
{
	struct rb_node *node = queue->runs.rb_root.rb_node;
	struct ipcbox_queue_entry *bound = NULL;

	*parent = NULL;
	while (node) {
		*parent = node;
		if (goes_before(place, entry_of(node))) {
			bound = entry_of(node);
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return bound;
}

/* The entry, which is in the list, is the first of its run. */
static void queue_add_run(struct ipcbox_queue *queue,
			  struct ipcbox_queue_entry *entry,
			  struct rb_node *parent, bool left)
{
	struct rb_node **link = &queue->runs.rb_root.rb_node;

	if (parent)
		link = left ? &parent->rb_left : &parent->rb_right;
	rb_link_node(&entry->node, parent, link);
	rb_insert_color_cached(&entry->node, &queue->runs,
			       list_is_first(&entry->list, &queue->entries));
}

/**
 * ipcbox_queue_link() - put an entry wherever it belongs
 * @queue: the queue
 * @entry: as ipcbox_queue_insert() has it, for which this finds the place
 */
void ipcbox_queue_link(struct ipcbox_queue *queue,
		       struct ipcbox_queue_entry *entry)
{
	struct ipcbox_queue_place place = ipcbox_queue_place_of(entry);
	struct ipcbox_queue_entry *bound = ipcbox_queue_first(queue);
	struct rb_node *parent = rb_first_cached(&queue->runs);
	bool left = true;

	if (bound && goes_before(&place, bound)) {
		list_add(&entry->list, &queue->entries);
	} else {
		bound = queue_find(queue, &place, &parent);
		list_add_tail(&entry->list, queue_after(queue, bound, &place));
		left = bound && parent == &bound->node;
	}
	if (!run_exists(queue, entry))
		queue_add_run(queue, entry, parent, left);
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_queue_link);

/**
 * ipcbox_queue_leave_run() - an entry stands for its run no more
 * @queue: the queue
 * @entry: an entry that is about to leave it, and is in the tree
 *
 * The last of its run takes its place, for entries are mostly taken out from the
 * first on, so it will stay there longest.
 */
void ipcbox_queue_leave_run(struct ipcbox_queue *queue,
			    struct ipcbox_queue_entry *entry)
{
	struct list_head *heir = &entry->list;

	while (heir->next != &queue->entries &&
	       ipcbox_queue_same_run(entry, ipcbox_queue_entry_of(heir->next)))
		heir = heir->next;
	if (heir == &entry->list)
		heir = heir->prev;
	if (heir != &queue->entries && ipcbox_queue_same_run(entry, ipcbox_queue_entry_of(heir)))
		rb_replace_node_cached(&entry->node,
				       &ipcbox_queue_entry_of(heir)->node,
				       &queue->runs);
	else
		rb_erase_cached(&entry->node, &queue->runs);
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_queue_leave_run);

/**
 * ipcbox_queue_next() - walk the queue
 * @queue: the queue
 * @entry: an entry that is in it
 *
 * Return: the entry that goes after it, or NULL.
 */
struct ipcbox_queue_entry *
ipcbox_queue_next(const struct ipcbox_queue *queue,
		  const struct ipcbox_queue_entry *entry)
{
	return list_is_last(&entry->list, &queue->entries) ?
		       NULL : ipcbox_queue_entry_of(entry->list.next);
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_queue_next);

/**
 * ipcbox_queue_after() - take a walk up again
 * @queue: the queue
 * @place: where it was; there need be no entry any more
 *
 * Return: the first entry that goes after @place, or NULL.
 */
struct ipcbox_queue_entry *
ipcbox_queue_after(const struct ipcbox_queue *queue,
		   const struct ipcbox_queue_place *place)
{
	struct list_head *after;
	struct rb_node *parent;

	after = queue_after(queue, queue_find(queue, place, &parent), place);
	return after == &queue->entries ? NULL : ipcbox_queue_entry_of(after);
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_queue_after);

static struct ipcbox_queue_entry *
parked_first(struct ipcbox_queue_share *share)
{
	return list_first_entry_or_null(&share->parked,
					struct ipcbox_queue_entry, list);
}

/* Bring the share's place in the round in line with what it has parked. */
static void share_update_turn(struct ipcbox_queue *queue,
			      struct ipcbox_queue_share *share)
{
	const struct ipcbox_queue_entry *next = parked_first(share);

	if (!next || !ipcbox_queue_share_has_room(queue, share, next->length))
		list_del_init(&share->turn);
	else if (list_empty(&share->turn))
		list_add_tail(&share->turn, &queue->turns);
}

/**
 * ipcbox_queue_park() - let an entry wait for room
 * @queue: the queue
 * @entry: an entry that is in no queue, which was not admitted
 */
void ipcbox_queue_park(struct ipcbox_queue *queue,
		       struct ipcbox_queue_entry *entry)
{
	list_add_tail(&entry->list, &entry->share->parked);
	share_update_turn(queue, entry->share);
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_queue_park);

/**
 * ipcbox_queue_unpark() - a parked entry waits no longer
 * @queue: the queue
 * @entry: a parked entry
 *
 * The entry leaves no trace. As it may have stood in the way of others,
 * ipcbox_queue_unpark_next() should follow.
 */
void ipcbox_queue_unpark(struct ipcbox_queue *queue,
			 struct ipcbox_queue_entry *entry)
{
	list_del(&entry->list);
	share_update_turn(queue, entry->share);
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_queue_unpark);

static void unpark(struct ipcbox_queue *queue,
		   struct ipcbox_queue_entry *entry)
{
	struct ipcbox_queue_share *share = entry->share;

	list_del(&entry->list);
	list_del_init(&share->turn);
	if (!list_empty(&share->parked))
		list_add_tail(&share->turn, &queue->turns);
}

/* The first for which there is room, past those for which there is none. */
static struct ipcbox_queue_entry *
unpark_next_plain(struct ipcbox_queue *queue)
{
	struct ipcbox_queue_share *share;
	struct ipcbox_queue_entry *entry;

	if (!ipcbox_queue_has_room(queue, 0))
		return NULL;
	list_for_each_entry(share, &queue->turns, turn) {
		list_for_each_entry(entry, &share->parked, list) {
			if (!ipcbox_queue_has_room(queue, entry->length))
				continue;
			unpark(queue, entry);
			return entry;
		}
	}
	return NULL;
}

/**
 * ipcbox_queue_unpark_next() - whose turn is it, now that there may be room?
 * @queue: the queue
 * @freed: the share that has just lost an entry, parked or not; or NULL
 *
 * A share that has nothing left in the queue goes first, as its next message
 * is its first one again. Otherwise the share whose turn it is gets the room;
 * one that needs more than there is keeps its turn, so a long message is not
 * passed over for ever by short ones. In a plain queue whoever fits goes in.
 *
 * Return: an entry that is parked no more and must be numbered and go in
 * before this is called again; NULL when nobody can come in.
 */
struct ipcbox_queue_entry *
ipcbox_queue_unpark_next(struct ipcbox_queue *queue,
			 struct ipcbox_queue_share *freed)
{
	struct ipcbox_queue_share *share;
	struct ipcbox_queue_entry *entry;

	if (queue->limits.plain)
		return unpark_next_plain(queue);
	if (freed && !freed->messages && !list_empty(&freed->parked)) {
		entry = parked_first(freed);
		goto unpark;
	}
	if (freed)
		share_update_turn(queue, freed);
	for (;;) {
		share = list_first_entry_or_null(&queue->turns,
						 struct ipcbox_queue_share,
						 turn);
		if (!share)
			return NULL;
		entry = parked_first(share);
		if (ipcbox_queue_share_has_room(queue, share, entry->length))
			break;
		list_del_init(&share->turn);
	}
	if (!ipcbox_queue_has_room(queue, entry->length))
		return NULL;
unpark:
	unpark(queue, entry);
	return entry;
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_queue_unpark_next);

/**
 * ipcbox_queue_reshare() - a share's own limit changed
 * @queue: the queue
 * @share: a share of it, whose @unlimited was set, or whose queue's limits were
 *
 * ipcbox_queue_unpark_next() should follow, once for all shares.
 */
void ipcbox_queue_reshare(struct ipcbox_queue *queue,
			  struct ipcbox_queue_share *share)
{
	share_update_turn(queue, share);
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_queue_reshare);
