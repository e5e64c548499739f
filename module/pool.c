// SPDX-License-Identifier: GPL-2.0
/*
 * Receive pools: their memory, and what moves in and out of the ring other than
 * by a send. The protocol is in <linux/ipcbox.h>.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <linux/vmalloc.h>

#include "box.h"
#include "exchange.h"
#include "locking.h"
#include "message.h"
#include "pool.h"
#include "trace.h"

/* The memory is charged to the creator's memory cgroup; none is killed for it. */
#define POOL_GFP \
	(GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/* More would need more than one number for what a ring holds. */
#define POOL_SIZE_MAX	SZ_1G

/* What is done under one hold of the lock: records released, bytes cleared. */
#define POOL_RELEASE_BATCH	256
#define POOL_CLEAR_BATCH	SZ_64K

/* How many of these batches STAT does. */
#define POOL_STAT_BATCHES	64

/*
 * Memory
 */

static void pool_free_pages(struct ipcbox_pool *pool)
{
	while (pool->page_count)
		__free_page(pool->pages[--pool->page_count]);
	kvfree(pool->pages);
}

/* All pages of the pool, and after them those of the ring once more. */
static int pool_alloc_pages(struct ipcbox_pool *pool, unsigned int ring_pages)
{
	unsigned int count = IPCBOX_POOL_RING_PAGE + ring_pages;
	unsigned int i;

	pool->pages = kvmalloc_array(count + ring_pages, sizeof(*pool->pages),
				     GFP_KERNEL_ACCOUNT);
	if (!pool->pages)
		return -ENOMEM;
	while (pool->page_count < count) {
		struct page *page = fatal_signal_pending(current) ?
					    NULL : alloc_page(POOL_GFP);

		if (!page)
			return -ENOMEM;
		pool->pages[pool->page_count++] = page;
		cond_resched();
	}
	for (i = 0; i < ring_pages; i++)
		pool->pages[count + i] = pool->pages[IPCBOX_POOL_RING_PAGE + i];
	return 0;
}

static int pool_alloc(struct ipcbox_pool *pool, u64 size)
{
	unsigned int ring_pages = size >> PAGE_SHIFT;
	int error;

	error = pool_alloc_pages(pool, ring_pages);
	if (error)
		return error;
	pool->area = vmap(pool->pages, pool->page_count + ring_pages,
			  VM_MAP, PAGE_KERNEL);
	if (!pool->area)
		return -ENOMEM;
	pool->receiver = pool->area + IPCBOX_POOL_RECEIVER_PAGE * PAGE_SIZE;
	ipcbox_pool_ring_init(&pool->ring,
			      pool->area + IPCBOX_POOL_KERNEL_PAGE * PAGE_SIZE,
			      pool->area + IPCBOX_POOL_RING_PAGE * PAGE_SIZE, size);
	return 0;
}

static void pool_free(struct ipcbox_pool *pool)
{
	vunmap(pool->area);
	pool_free_pages(pool);
	kfree(pool);
}

/**
 * ipcbox_pool_names_get() - how the caller knows processes and users
 *
 * Return: names, held until ipcbox_pool_names_put().
 */
struct ipcbox_pool_names ipcbox_pool_names_get(void)
{
	return (struct ipcbox_pool_names){
		.pid = get_pid(task_tgid(current)),
		.pid_ns = get_pid_ns(task_active_pid_ns(current)),
		.user_ns = get_user_ns(current_user_ns()),
	};
}

/**
 * ipcbox_pool_names_put() - undo ipcbox_pool_names_get()
 * @names: the names
 */
void ipcbox_pool_names_put(const struct ipcbox_pool_names *names)
{
	put_pid(names->pid);
	put_pid_ns(names->pid_ns);
	put_user_ns(names->user_ns);
}

/**
 * ipcbox_pool_create() - make a receive pool
 * @size: bytes of its ring
 *
 * Until somebody maps it, records name processes and users as the caller knows
 * them. Sleeps for memory.
 *
 * Return: the pool, or ERR_PTR: -EINVAL when the size is not a power of two
 * from a page to 1 GiB, -ENOMEM.
 */
struct ipcbox_pool *ipcbox_pool_create(u64 size)
{
	struct ipcbox_pool *pool;
	int error;

	if (size < PAGE_SIZE || size > POOL_SIZE_MAX || !is_power_of_2(size))
		return ERR_PTR(-EINVAL);
	pool = kzalloc(sizeof(*pool), GFP_KERNEL_ACCOUNT);
	if (!pool)
		return ERR_PTR(-ENOMEM);
	error = pool_alloc(pool, size);
	if (error) {
		pool_free(pool);
		return ERR_PTR(error);
	}
	xa_init_flags(&pool->shares, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	pool->due_at = size / 8;
	pool->names = ipcbox_pool_names_get();
	return pool;
}

/**
 * ipcbox_pool_message_max() - the longest payload that a ring can take
 * @size: bytes of the ring
 *
 * Return: bytes.
 */
u64 ipcbox_pool_message_max(u64 size)
{
	return size - IPCBOX_POOL_OVERHEAD;
}

/**
 * ipcbox_pool_number() - give a share the number by which records name it
 * @pool: the pool
 * @share: a share of the pool's mailbox
 *
 * Sleeps for memory.
 *
 * Return: 0, or -ENOMEM.
 */
int ipcbox_pool_number(struct ipcbox_pool *pool, struct ipcbox_share *share)
{
	u32 number;
	int error;

	error = xa_alloc(&pool->shares, &number, share, xa_limit_32b,
			 GFP_KERNEL_ACCOUNT);
	if (error)
		return error;
	/* Another thread of the user may have been faster. */
	if (cmpxchg(&share->number, 0, number))
		xa_erase(&pool->shares, number);
	return 0;
}

/*
 * Records in
 */

static u64 pool_next(const struct ipcbox_pool *pool)
{
	return pool->mappings ?
		       ipcbox_pool_ring_claim(&pool->ring,
					      READ_ONCE(pool->receiver->next)) :
		       pool->ring.tail;
}

/**
 * ipcbox_pool_is_empty_locked() - has the receiver seen all that there is?
 * @exchange: a mailbox with a pool, locked
 *
 * Return: true if it has, as far as it tells.
 */
bool ipcbox_pool_is_empty_locked(struct ipcbox_exchange *exchange)
{
	const struct ipcbox_pool *pool = exchange->pool;

	lockdep_assert_held(&exchange->lock);
	return pool_next(pool) == pool->ring.head;
}

/**
 * ipcbox_pool_readable_locked() - is there something that it has not seen?
 * @exchange: a mailbox with a pool, locked
 *
 * Return: true if there is. It may turn out to be void.
 */
bool ipcbox_pool_readable_locked(struct ipcbox_exchange *exchange)
{
	const struct ipcbox_pool *pool = exchange->pool;

	lockdep_assert_held(&exchange->lock);
	return ipcbox_pool_ring_readable(&pool->ring, pool_next(pool));
}

/**
 * ipcbox_pool_identify_locked() - how records name a sender
 * @exchange: a mailbox with a pool, locked
 * @pid: the process
 * @uid: its effective uid
 * @gid: its effective gid
 * @share: its share, which has its number
 *
 * Return: the names, as the receiver knows them.
 */
struct ipcbox_pool_identity
ipcbox_pool_identify_locked(struct ipcbox_exchange *exchange, struct pid *pid,
			    kuid_t uid, kgid_t gid,
			    const struct ipcbox_share *share)
{
	const struct ipcbox_pool_names *names = &exchange->pool->names;

	lockdep_assert_held(&exchange->lock);
	return (struct ipcbox_pool_identity){
		.pid = pid_nr_ns(pid, names->pid_ns),
		.uid = from_kuid_munged(names->user_ns, uid),
		.gid = from_kgid_munged(names->user_ns, gid),
		.user = share->number,
	};
}

/**
 * ipcbox_pool_notify() - give notice of a record that can be read
 * @exchange: the mailbox, not locked
 * @was_empty: the receiver had seen all before it
 * @pid: the process that sent it
 * @uid: its effective uid
 */
void ipcbox_pool_notify(struct ipcbox_exchange *exchange, bool was_empty,
			struct pid *pid, kuid_t uid)
{
	struct ipcbox_wakes wakes;

	if (likely(list_empty(&exchange->notices)))
		return;
	ipcbox_exchange_lock(exchange, &wakes);
	ipcbox_notify_arrival_locked(exchange, was_empty, pid, uid);
	ipcbox_exchange_unlock(exchange, &wakes);
}

/*
 * Records out
 */

/**
 * struct pool_credit - released records of one user
 * @number: by which records name it
 * @messages: how many
 * @voids: how many of them were none
 * @bytes: their payload
 * @void_bytes: that of those which were none
 */
struct pool_credit {
	u32 number;
	u32 messages;
	u32 voids;
	u64 bytes;
	u64 void_bytes;
};

static void pool_credit_locked(struct ipcbox_exchange *exchange,
			       struct pool_credit *credit,
			       struct ipcbox_wakes *wakes)
{
	u64 messages = credit->messages;
	struct ipcbox_share *share;

	lockdep_assert_held(&exchange->lock);
	if (!messages)
		return;
	share = xa_load(&exchange->pool->shares, credit->number);
	ipcbox_queue_uncount(&exchange->queue, &share->share, messages,
			     credit->bytes);
	ipcbox_user_uncharge(share->user, credit->bytes +
			     messages * IPCBOX_MESSAGE_OVERHEAD);
	exchange->received += messages - credit->voids;
	exchange->bytes_received += credit->bytes - credit->void_bytes;
	exchange->withdrawn += credit->voids;
	ipcbox_room_admit_locked(exchange, share, wakes);
}

static void pool_trace_received(struct ipcbox_exchange *exchange,
				const struct ipcbox_pool_record *record)
{
	const struct ipcbox_queue_entry entry = {
		.sequence = record->sequence,
		.length = record->length,
	};

	trace_ipcbox_receive(&exchange->object, &entry);
}

/**
 * ipcbox_pool_release_locked() - records were received
 * @exchange: a mailbox with a pool, locked
 * @end: those before this position; from ipcbox_pool_ring_claim()
 * @wakes: whom to wake; may be NULL while nobody waits for room
 *
 * Return: true if it stopped so as not to hold the lock for long.
 */
bool ipcbox_pool_release_locked(struct ipcbox_exchange *exchange, u64 end,
				struct ipcbox_wakes *wakes)
{
	struct ipcbox_pool *pool = exchange->pool;
	const struct ipcbox_pool_record *record;
	struct pool_credit credit = {};
	unsigned int count;

	lockdep_assert_held(&exchange->lock);
	for (count = 0; count < POOL_RELEASE_BATCH; count++) {
		record = ipcbox_pool_ring_release(&pool->ring, end);
		if (!record)
			break;
		if (unlikely(credit.number != record->user)) {
			pool_credit_locked(exchange, &credit, wakes);
			credit = (struct pool_credit){ .number = record->user };
		}
		credit.messages++;
		credit.bytes += record->length;
		if (unlikely(record->state == IPCBOX_POOL_VOID)) {
			credit.voids++;
			credit.void_bytes += record->length;
		} else if (trace_ipcbox_receive_enabled()) {
			pool_trace_received(exchange, record);
		}
	}
	pool_credit_locked(exchange, &credit, wakes);
	if (credit.messages > credit.voids)
		ipcbox_exchange_note_receiver_locked(exchange,
						     pool->mappings ?
						     pool->names.pid :
						     task_tgid(current));
	pool->due_at = pool->ring.tail + pool->ring.size / 8;
	if (count && pool->short_of_room) {
		pool->short_of_room = false;
		wakes->writable |= EPOLLOUT | EPOLLWRNORM;
	}
	return count == POOL_RELEASE_BATCH;
}

/**
 * ipcbox_pool_reclaim_locked() - learn what the receiver has released
 * @exchange: a mailbox with a pool, locked
 * @wakes: as for ipcbox_pool_release_locked()
 *
 * Return: as ipcbox_pool_release_locked().
 */
bool ipcbox_pool_reclaim_locked(struct ipcbox_exchange *exchange,
				struct ipcbox_wakes *wakes)
{
	struct ipcbox_pool *pool = exchange->pool;
	u64 tail;

	lockdep_assert_held(&exchange->lock);
	if (!pool->mappings)
		return false;
	/* Pairs with the receiver's release: it reads no more in there. */
	tail = smp_load_acquire(&pool->receiver->tail);
	if (tail == pool->ring.tail)
		return false;
	return ipcbox_pool_release_locked(exchange,
					  ipcbox_pool_ring_claim(&pool->ring,
								 tail), wakes);
}

/*
 * Asks the receiver to call WAIT when it has released a good part, if anybody
 * waits for that. If it has done so by now without being asked, that is released.
 * Returns true if anything was: a receiver that tells now this and now that
 * keeps nobody here for longer than it has records.
 */
static bool pool_ask_locked(struct ipcbox_exchange *exchange,
			    struct ipcbox_wakes *wakes)
{
	struct ipcbox_pool *pool = exchange->pool;
	struct ipcbox_pool_ring *ring = &pool->ring;
	u64 wake_at, before, tail;

	lockdep_assert_held(&exchange->lock);
	if (!pool->mappings ||
	    !(exchange->senders_waiting || pool->short_of_room ||
	      ipcbox_queue_first(&exchange->queue))) {
		WRITE_ONCE(ring->page->wake_at, IPCBOX_POOL_NEVER);
		return false;
	}
	wake_at = ring->tail + max_t(u64, 1, (ring->head - ring->tail) / 4);
	WRITE_ONCE(ring->page->wake_at, wake_at);
	/* Pairs with the receiver's fence: it sees this, or we its tail. */
	smp_mb();
	/* As in ipcbox_pool_reclaim_locked(). */
	tail = smp_load_acquire(&pool->receiver->tail);
	tail = ipcbox_pool_ring_claim(ring, tail);
	before = ring->tail;
	if (tail - before >= wake_at - before)
		ipcbox_pool_release_locked(exchange, tail, wakes);
	return ring->tail != before;
}

/* Puts the header of a message that was queued into the ring. */
static void pool_reserve_locked(struct ipcbox_exchange *exchange,
				const struct ipcbox_message *message,
				struct ipcbox_pool_record *record)
{
	struct ipcbox_share *share = ipcbox_share_of(message->entry.share);
	struct ipcbox_pool_ring *ring = &exchange->pool->ring;
	struct ipcbox_pool_identity identity;
	u32 length = message->entry.length;

	lockdep_assert_held(&exchange->lock);
	identity = ipcbox_pool_identify_locked(exchange, message->pid,
					       message->uid, message->gid,
					       share);
	ipcbox_pool_ring_reserve(ring, record, length);
	ipcbox_pool_sign(record, &identity, message->entry.sequence,
			 message->tag, message->handle);
	ipcbox_queue_count(&exchange->queue, &share->share, length);
	ipcbox_pool_ring_show(ring);
}

/* Takes the first message out of the queue, if the ring has room for it. */
static struct ipcbox_message *
pool_take_queued_locked(struct ipcbox_exchange *exchange,
			struct ipcbox_pool_record **record)
{
	struct ipcbox_queue_entry *entry = ipcbox_queue_first(&exchange->queue);

	lockdep_assert_held(&exchange->lock);
	if (!entry)
		return NULL;
	*record = ipcbox_pool_ring_place(&exchange->pool->ring, entry->length);
	if (!*record)
		return NULL;
	/* In this order, or it would count twice for a moment. */
	ipcbox_exchange_dequeue_locked(exchange, entry);
	pool_reserve_locked(exchange, ipcbox_message_of(entry), *record);
	return ipcbox_message_of(entry);
}

/* Returns true if there may be more to do. */
static bool pool_fill_step(struct ipcbox_exchange *exchange)
{
	struct ipcbox_pool_record *record;
	struct ipcbox_message *message;
	struct ipcbox_wakes wakes;
	bool was_empty, more;

	ipcbox_exchange_lock(exchange, &wakes);
	more = ipcbox_pool_reclaim_locked(exchange, &wakes);
	was_empty = ipcbox_pool_is_empty_locked(exchange);
	message = pool_take_queued_locked(exchange, &record);
	if (!message && !more)
		more = pool_ask_locked(exchange, &wakes);
	/* Nobody shall wait for a record while its writer does not run. */
	preempt_disable();
	ipcbox_exchange_unlock(exchange, &wakes);
	if (message) {
		ipcbox_message_copy(message, record + 1);
		ipcbox_pool_ring_finish(record, IPCBOX_POOL_READY);
	}
	preempt_enable();
	if (!message)
		return more;
	ipcbox_pool_announce(exchange);
	ipcbox_pool_notify(exchange, was_empty, message->pid, message->uid);
	/* The charge is the record's now. */
	message->entry.share = NULL;
	ipcbox_message_free(message);
	return true;
}

/**
 * ipcbox_pool_fill() - bring ring and queue up to date
 * @exchange: a mailbox with a pool, not locked
 *
 * What the receiver has released makes room, senders that wait come in, and
 * messages move from the queue into the ring as far as there is room. Whoever
 * waits for more will be served when the receiver makes it, see "receive pools"
 * in locking.h. May reschedule.
 */
void ipcbox_pool_fill(struct ipcbox_exchange *exchange)
{
	while (pool_fill_step(exchange))
		cond_resched();
}

/**
 * ipcbox_pool_update() - ipcbox_pool_fill() after a try to send
 * @exchange: a mailbox with a pool, not locked
 * @refused: the sender was told that there is no room, and shall be told when
 *	there may be some
 */
void ipcbox_pool_update(struct ipcbox_exchange *exchange, bool refused)
{
	struct ipcbox_wakes wakes;

	if (refused) {
		ipcbox_exchange_lock(exchange, &wakes);
		exchange->pool->short_of_room = true;
		ipcbox_exchange_unlock(exchange, &wakes);
	}
	ipcbox_pool_fill(exchange);
}

/*
 * End
 */

/**
 * ipcbox_pool_fill_stat() - a pool's part of its mailbox's state
 * @exchange: a mailbox with a pool, not locked
 * @stat: its fields are set
 *
 * Looks first at what the receiver has released; but not at any number of
 * records, as others may wait for the box.
 */
void ipcbox_pool_fill_stat(struct ipcbox_exchange *exchange,
			   struct ipcbox_stat *stat)
{
	unsigned int batches = POOL_STAT_BATCHES;
	struct ipcbox_wakes wakes;
	bool more;

	do {
		ipcbox_exchange_lock(exchange, &wakes);
		more = ipcbox_pool_reclaim_locked(exchange, &wakes);
		stat->mappings = exchange->pool->mappings;
		ipcbox_exchange_unlock(exchange, &wakes);
	} while (more && --batches);
}

/* The next receiver shall not see what this one has received. */
static void pool_clear(struct ipcbox_exchange *exchange)
{
	struct ipcbox_pool_ring *ring = &exchange->pool->ring;
	struct ipcbox_wakes wakes;
	u64 position = 0;
	u64 bytes;

	do {
		ipcbox_exchange_lock(exchange, &wakes);
		position = max(position, ring->head);
		bytes = min_t(u64, ring->tail + ring->size - position,
			      POOL_CLEAR_BATCH);
		memset(ipcbox_pool_ring_at(ring, position), 0, bytes);
		ipcbox_exchange_unlock(exchange, &wakes);
		position += bytes;
		cond_resched();
	} while (bytes);
}

/**
 * ipcbox_pool_detach() - a handle is being closed
 * @handle: a handle of a mailbox with a pool; if it could map it, nobody does
 *	any more
 */
void ipcbox_pool_detach(struct ipcbox_handle *handle)
{
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(handle->object);

	ipcbox_pool_sender_free(handle->sender);
	handle->sender = NULL;
	if (!(handle->rights & IPCBOX_RIGHT_RECEIVE) || !exchange->pool->viewed)
		return;
	exchange->pool->viewed = false;
	pool_clear(exchange);
}

/* Discards the oldest record; returns false when there is none. */
static bool pool_discard_one(struct ipcbox_exchange *exchange)
{
	struct ipcbox_pool_ring *ring = &exchange->pool->ring;
	const struct ipcbox_pool_record *record;
	struct ipcbox_queue_entry entry;
	struct ipcbox_share *share;

	record = ipcbox_pool_ring_release(ring, ring->head);
	if (!record)
		return false;
	entry.sequence = record->sequence;
	entry.length = record->length;
	entry.priority = 0;
	share = xa_load(&exchange->pool->shares, record->user);
	ipcbox_user_uncharge(share->user,
			     (u64)record->length + IPCBOX_MESSAGE_OVERHEAD);
	if (record->state == IPCBOX_POOL_VOID)
		return true;
	trace_ipcbox_drop(&exchange->object, &entry);
	atomic64_inc(&exchange->object.box->discarded);
	return true;
}

/**
 * ipcbox_pool_destroy() - free the pool of a mailbox to which nobody refers
 * @exchange: the mailbox
 *
 * What is still in the ring is discarded and counted.
 */
void ipcbox_pool_destroy(struct ipcbox_exchange *exchange)
{
	struct ipcbox_pool *pool = exchange->pool;

	while (pool_discard_one(exchange))
		cond_resched();
	xa_destroy(&pool->shares);
	ipcbox_pool_names_put(&pool->names);
	pool_free(pool);
}
