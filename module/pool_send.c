// SPDX-License-Identifier: GPL-2.0
/*
 * SEND and write on a mailbox with a receive pool.
 */
#include <linux/cred.h>
#include <linux/pagemap.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "box.h"
#include "exchange.h"
#include "limits.h"
#include "locking.h"
#include "message.h"
#include "pool.h"
#include "trace.h"
#include "usercopy.h"

/* What is copied in under the lock: a few cache lines. */
#define POOL_SEND_SMALL		IPCBOX_USERCOPY_SHORT

/* So many of them may be copied under one hold of it. */
#define POOL_SEND_CHUNK		8

/**
 * struct pool_parcel - a message to be put into a ring
 * @handle: by which it is sent
 * @exchange: the mailbox
 * @data: payload
 * @length: bytes of it
 * @tag: the sender's tag
 */
struct pool_parcel {
	struct ipcbox_handle *handle;
	struct ipcbox_exchange *exchange;
	const void __user *data;
	u32 length;
	u64 tag;
};

static bool pool_is_sender(const struct ipcbox_pool *pool,
			   const struct ipcbox_pool_sender *sender)
{
	return sender && sender->cred == current_cred() &&
	       sender->pid == task_tgid(current) &&
	       sender->mapped_by == pool->mapped_by;
}

/*
 * Is this the ordinary case: somebody receives, nobody is before us, and there
 * is room? Then it is charged, and the place in the ring returned. Anything else
 * is left to the mailbox's own way, which is slower and the same to the user.
 */
static __always_inline struct ipcbox_pool_record *
pool_admit_locked(const struct pool_parcel *parcel)
{
	struct ipcbox_exchange *exchange = parcel->exchange;
	const struct ipcbox_pool_sender *sender = parcel->handle->sender;
	struct ipcbox_queue *queue = &exchange->queue;
	struct ipcbox_pool *pool = exchange->pool;
	struct ipcbox_pool_record *record;

	lockdep_assert_held(&exchange->lock);
	if (unlikely(!exchange->receive_handles || exchange->senders_waiting ||
		     pool->short_of_room || ipcbox_queue_first(queue) ||
		     !pool_is_sender(pool, sender)))
		return NULL;
	if (unlikely(ipcbox_pool_is_due(pool)))
		ipcbox_pool_reclaim_locked(exchange, NULL);
	queue->limits.share_percent = ipcbox_limit(user_share);
	if (unlikely(parcel->length > exchange->max_message_bytes ||
		     !ipcbox_queue_has_room(queue, parcel->length) ||
		     !ipcbox_queue_share_has_room(queue, &sender->share->share,
						  parcel->length)))
		return NULL;
	record = ipcbox_pool_ring_place(&pool->ring, parcel->length);
	if (unlikely(!record ||
		     ipcbox_user_charge(sender->share->user, parcel->length +
					IPCBOX_MESSAGE_OVERHEAD)))
		return NULL;
	return record;
}

/* The message is accepted: nothing that follows can fail. */
static __always_inline void
pool_accept_locked(const struct pool_parcel *parcel,
		   struct ipcbox_pool_record *record)
{
	const struct ipcbox_pool_sender *sender = parcel->handle->sender;
	struct ipcbox_exchange *exchange = parcel->exchange;
	struct ipcbox_queue *queue = &exchange->queue;

	lockdep_assert_held(&exchange->lock);
	ipcbox_pool_ring_reserve(&exchange->pool->ring, record, parcel->length);
	ipcbox_pool_sign(record, &sender->identity, ++queue->sequence,
			 parcel->tag, parcel->handle->id);
	ipcbox_queue_count(queue, &sender->share->share, parcel->length);
	exchange->sent++;
	exchange->bytes_sent += parcel->length;
	ipcbox_exchange_note_sender_locked(exchange, sender->pid);
	if (trace_ipcbox_send_enabled()) {
		const struct ipcbox_queue_entry entry = {
			.sequence = record->sequence,
			.length = record->length,
		};

		trace_ipcbox_send(&exchange->object, &entry);
	}
}

/* Copies in without a page fault. The place was measured by the caller. */
static __always_inline bool pool_copy(struct ipcbox_pool_record *record,
				      const struct pool_parcel *parcel)
{
	int error;

	pagefault_disable();
	error = parcel->length > POOL_SEND_SMALL ?
			ipcbox_copy_in_raw(record + 1, parcel->data,
					   parcel->length) :
			ipcbox_copy_in(record + 1, parcel->data,
				       parcel->length);
	pagefault_enable();
	return !error;
}

/*
 * The place in the ring of a short message, which is charged and copied. Else an
 * ERR_PTR: -EFAULT when its memory is not at hand; -EAGAIN for other reasons not to
 * go this way.
 */
static __always_inline struct ipcbox_pool_record *
pool_place_small_locked(const struct pool_parcel *parcel)
{
	struct ipcbox_pool_record *record = pool_admit_locked(parcel);

	if (unlikely(!record))
		return ERR_PTR(-EAGAIN);
	if (likely(pool_copy(record, parcel)))
		return record;
	ipcbox_user_uncharge(parcel->handle->sender->share->user,
			     parcel->length + IPCBOX_MESSAGE_OVERHEAD);
	return ERR_PTR(-EFAULT);
}

/*
 * A short message is copied under the lock, and shown when all of it is there.
 * Returns 0, or an errno as pool_place_small_locked() has it.
 */
static __always_inline int pool_try_small(const struct pool_parcel *parcel)
{
	struct ipcbox_exchange *exchange = parcel->exchange;
	struct ipcbox_pool_record *record;
	bool was_empty;
	bool notify;

	spin_lock(&exchange->lock);
	record = pool_place_small_locked(parcel);
	if (IS_ERR(record)) {
		spin_unlock(&exchange->lock);
		return PTR_ERR(record);
	}
	notify = !list_empty(&exchange->notices);
	was_empty = notify && ipcbox_pool_is_empty_locked(exchange);
	pool_accept_locked(parcel, record);
	ipcbox_pool_ring_finish(record, IPCBOX_POOL_READY);
	ipcbox_pool_ring_show(&exchange->pool->ring);
	spin_unlock(&exchange->lock);
	ipcbox_pool_announce(exchange);
	if (unlikely(notify))
		ipcbox_pool_notify(exchange, was_empty, task_tgid(current),
				   current_euid());
	return 0;
}

/*
 * A longer one is copied without the lock, and without a pause: those who come
 * after wait for its record. A page that is not there is not waited for; the
 * record is then void. It stays charged, so that nobody can fill the ring with
 * such. Returns as pool_try_small() does.
 */
static noinline int pool_try_large(struct pool_parcel copy)
{
	const struct pool_parcel *parcel = &copy;
	struct ipcbox_exchange *exchange = parcel->exchange;
	struct ipcbox_pool_record *record;
	bool was_empty, copied;

	if (fault_in_readable(parcel->data, parcel->length))
		return -EFAULT;
	spin_lock(&exchange->lock);
	record = pool_admit_locked(parcel);
	if (!record) {
		spin_unlock(&exchange->lock);
		return -EAGAIN;
	}
	was_empty = ipcbox_pool_is_empty_locked(exchange);
	pool_accept_locked(parcel, record);
	ipcbox_pool_ring_show(&exchange->pool->ring);
	preempt_disable();
	spin_unlock(&exchange->lock);
	copied = pool_copy(record, parcel);
	ipcbox_pool_ring_finish(record, copied ? IPCBOX_POOL_READY :
						 IPCBOX_POOL_VOID);
	preempt_enable();
	ipcbox_pool_announce(exchange);
	if (!copied)
		return -EFAULT;
	ipcbox_pool_notify(exchange, was_empty, task_tgid(current),
			   current_euid());
	return 0;
}

static __always_inline int pool_try(const struct pool_parcel *parcel)
{
	return likely(parcel->length <= POOL_SEND_SMALL) ?
		       pool_try_small(parcel) : pool_try_large(*parcel);
}

/*
 * Senders
 */

/**
 * ipcbox_pool_sender_free() - forget who sent by a handle
 * @sender: who did, or NULL
 */
void ipcbox_pool_sender_free(struct ipcbox_pool_sender *sender)
{
	if (!sender)
		return;
	put_cred(sender->cred);
	put_pid(sender->pid);
	kfree(sender);
}

static struct ipcbox_pool_sender *
pool_sender_create(struct ipcbox_handle *handle)
{
	struct ipcbox_pool *pool = ipcbox_exchange_of(handle->object)->pool;
	struct ipcbox_share *share = ipcbox_exchange_share(handle);
	struct ipcbox_pool_sender *sender;

	if (!share || (!share->number && ipcbox_pool_number(pool, share)))
		return NULL;
	sender = kmalloc(sizeof(*sender), GFP_KERNEL_ACCOUNT);
	if (!sender)
		return NULL;
	sender->cred = get_current_cred();
	sender->pid = get_pid(task_tgid(current));
	sender->share = share;
	return sender;
}

/* The caller is who sends by the handle from now on. */
static int pool_become_sender(struct ipcbox_handle *handle)
{
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(handle->object);
	struct ipcbox_pool_sender *sender = pool_sender_create(handle);
	struct ipcbox_wakes wakes;

	if (!sender)
		return -ENOMEM;
	ipcbox_exchange_lock(exchange, &wakes);
	sender->mapped_by = exchange->pool->mapped_by;
	sender->identity =
		ipcbox_pool_identify_locked(exchange, sender->pid,
					    sender->cred->euid,
					    sender->cred->egid, sender->share);
	swap(sender, handle->sender);
	ipcbox_exchange_unlock(exchange, &wakes);
	ipcbox_pool_sender_free(sender);
	return 0;
}

/* Does the handle know its sender? It may know another by the next moment. */
static bool pool_knows_sender(struct ipcbox_handle *handle)
{
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(handle->object);
	struct ipcbox_wakes wakes;
	bool known;

	ipcbox_exchange_lock(exchange, &wakes);
	known = pool_is_sender(exchange->pool, handle->sender);
	ipcbox_exchange_unlock(exchange, &wakes);
	return known;
}

/*
 * Sending
 */

static int pool_check(struct ipcbox_exchange *exchange,
		      const struct ipcbox_outgoing *outgoing)
{
	if (outgoing->priority > IPCBOX_PRIORITY_MAX ||
	    outgoing->lifetime > KTIME_MAX || outgoing->pad ||
	    outgoing->descriptor_count > IPCBOX_DESCRIPTORS_MAX)
		return -EINVAL;
	if (outgoing->priority || outgoing->lifetime ||
	    outgoing->descriptor_count)
		return -EOPNOTSUPP;
	if (outgoing->length > READ_ONCE(exchange->max_message_bytes))
		return -EMSGSIZE;
	return 0;
}

/* What could not be put into the ring at once; @error says why. */
static noinline int pool_send_slowly(const struct pool_parcel *parcel,
				     const struct ipcbox_outgoing *outgoing,
				     const struct ipcbox_patience *patience,
				     int error)
{
	struct ipcbox_handle *handle = parcel->handle;

	/* Messages of a sender without a number could not go into the ring. */
	if (!pool_knows_sender(handle) && pool_become_sender(handle))
		return -ENOMEM;
	if (error == -EAGAIN) {
		ipcbox_pool_fill(parcel->exchange);
		if (!pool_try(parcel))
			return 0;
	}
	return ipcbox_send_one(handle, outgoing, patience);
}

static __always_inline struct pool_parcel
pool_parcel_of(struct ipcbox_handle *handle,
	       const struct ipcbox_outgoing *outgoing)
{
	return (struct pool_parcel){
		.handle = handle,
		.exchange = ipcbox_exchange_of(handle->object),
		.data = u64_to_user_ptr(outgoing->data),
		.length = outgoing->length,
		.tag = outgoing->tag,
	};
}

static int pool_send_one(struct ipcbox_handle *handle,
			 const struct ipcbox_outgoing *outgoing,
			 const struct ipcbox_patience *patience)
{
	const struct pool_parcel parcel = pool_parcel_of(handle, outgoing);
	int error;

	error = pool_check(parcel.exchange, outgoing);
	if (error)
		return error;
	error = pool_try(&parcel);
	if (likely(!error))
		return 0;
	return pool_send_slowly(&parcel, outgoing, patience, error);
}

/*
 * Short messages for which nobody has to be told anything are copied under one hold of
 * the lock, and shown together. Returns how many; what stands in the next one's way is
 * for pool_send_one() to find.
 */
static u32 pool_send_short(struct ipcbox_handle *handle,
			   const struct ipcbox_outgoing *outgoing, u32 count)
{
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(handle->object);
	struct ipcbox_pool_record *record;
	u32 sent = 0;

	spin_lock(&exchange->lock);
	if (unlikely(!list_empty(&exchange->notices)))
		count = 0;
	for (; sent < count; sent++, outgoing++) {
		const struct pool_parcel parcel = pool_parcel_of(handle,
								 outgoing);

		if (outgoing->length > POOL_SEND_SMALL ||
		    pool_check(exchange, outgoing))
			break;
		record = pool_place_small_locked(&parcel);
		if (IS_ERR(record))
			break;
		pool_accept_locked(&parcel, record);
		ipcbox_pool_ring_finish(record, IPCBOX_POOL_READY);
	}
	if (likely(sent))
		ipcbox_pool_ring_show(&exchange->pool->ring);
	spin_unlock(&exchange->lock);
	if (likely(sent))
		ipcbox_pool_announce(exchange);
	return sent;
}

/* Returns 0, or an errno, after which @sent of them were accepted. */
static int pool_send_several(struct ipcbox_handle *handle,
			     const struct ipcbox_outgoing *outgoing, u32 count,
			     const struct ipcbox_patience *patience, u32 *sent)
{
	int error;

	for (*sent = 0; *sent < count; ++*sent) {
		if (count > 1)
			*sent += pool_send_short(handle, outgoing + *sent,
						 count - *sent);
		if (*sent == count)
			break;
		error = pool_send_one(handle, outgoing + *sent, patience);
		if (error)
			return error;
		cond_resched();
	}
	return 0;
}

/**
 * ipcbox_pool_send() - SEND on a mailbox with a pool
 * @handle: a handle that may send
 * @request: what is asked, checked
 * @patience: how long to wait for room
 *
 * Return: the number of messages accepted, or an errno as <linux/ipcbox.h>
 * says.
 */
long ipcbox_pool_send(struct ipcbox_handle *handle,
		      const struct ipcbox_send *request,
		      const struct ipcbox_patience *patience)
{
	const void __user *from = u64_to_user_ptr(request->messages);
	struct ipcbox_outgoing outgoing[POOL_SEND_CHUNK] __uninitialized;
	u32 stride = request->message_size;
	u32 total = 0;
	u32 read, sent;
	int error = 0;

	if (request->flags & IPCBOX_SYNC)
		return -EOPNOTSUPP;
	while (!error && total < request->count) {
		read = min_t(u32, request->count - total, POOL_SEND_CHUNK);
		error = ipcbox_send_read(outgoing, from, stride, &read);
		error = pool_send_several(handle, outgoing, read, patience,
					  &sent) ?: error;
		from += (size_t)read * stride;
		total += sent;
		cond_resched();
	}
	if (total)
		return total;
	ipcbox_send_count_refusal(ipcbox_exchange_of(handle->object), error);
	return error;
}

static noinline ssize_t pool_write_slowly(struct ipcbox_handle *handle,
					  const char __user *buffer,
					  size_t size, bool wait, int error)
{
	const struct ipcbox_patience patience = ipcbox_patience_plain(wait);
	const struct ipcbox_outgoing outgoing = {
		.data = (uintptr_t)buffer,
		.length = min_t(size_t, size, U32_MAX),
	};
	const struct pool_parcel parcel = {
		.handle = handle,
		.exchange = ipcbox_exchange_of(handle->object),
		.data = buffer,
		.length = outgoing.length,
	};

	error = pool_send_slowly(&parcel, &outgoing, &patience, error);
	if (!error)
		return size;
	ipcbox_send_count_refusal(parcel.exchange, error);
	return error;
}

/**
 * ipcbox_pool_write() - write(2) on a mailbox with a pool
 * @handle: a handle that may send
 * @buffer: the payload
 * @size: its length
 * @wait: wait for room
 *
 * Return: @size, or an errno as SEND has it.
 */
ssize_t ipcbox_pool_write(struct ipcbox_handle *handle,
			  const char __user *buffer, size_t size, bool wait)
{
	const struct pool_parcel parcel = {
		.handle = handle,
		.exchange = ipcbox_exchange_of(handle->object),
		.data = buffer,
		.length = min_t(size_t, size, U32_MAX),
	};
	int error;

	error = pool_try(&parcel);
	if (likely(!error))
		return size;
	return pool_write_slowly(handle, buffer, size, wait, error);
}
