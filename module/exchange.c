// SPDX-License-Identifier: GPL-2.0
/*
 * Mailboxes and queues as objects: made, attached, changed, ended; and what
 * sending and receiving share.
 */
#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "box.h"
#include "dead_letter.h"
#include "delivery.h"
#include "exchange.h"
#include "limits.h"
#include "locking.h"
#include "message.h"
#include "pool.h"
#include "select.h"
#include "trace.h"

static void exchange_wake(const struct ipcbox_wakes *wakes)
{
	unsigned int i;

	for (i = 0; i < wakes->count; i++)
		wake_up_process(wakes->tasks[i]);
}

static void exchange_tell(struct ipcbox_exchange *exchange, __poll_t readable,
			  __poll_t writable)
{
	/* Who comes later looks under the lock: see "poll" in locking.h. */
	if (readable && waitqueue_active(&exchange->readable))
		wake_up_interruptible_poll(&exchange->readable, readable);
	/* The same. */
	if (writable && waitqueue_active(&exchange->writable))
		wake_up_interruptible_poll(&exchange->writable, writable);
	if (readable & EPOLLIN && exchange->async_readable)
		kill_fasync(&exchange->async_readable, SIGIO, POLL_IN);
	if (writable & EPOLLOUT && exchange->async_writable)
		kill_fasync(&exchange->async_writable, SIGIO, POLL_OUT);
}

/**
 * ipcbox_exchange_unlock_and_tell() - release an exchange's lock, wake, and bury
 * @exchange: the exchange
 * @wakes: whom to wake, and what has died
 * @watched: as ipcbox_exchange_is_watched() had it under the lock
 */
void ipcbox_exchange_unlock_and_tell(struct ipcbox_exchange *exchange,
				     struct ipcbox_wakes *wakes, bool watched)
	__releases(&exchange->lock)
{
	if (wakes->count) {
		rcu_read_lock();
		spin_unlock(&exchange->lock);
		exchange_wake(wakes);
		rcu_read_unlock();
	} else {
		spin_unlock(&exchange->lock);
	}
	if (unlikely(watched))
		exchange_tell(exchange, wakes->readable, wakes->writable);
	if (unlikely(!list_empty(&wakes->dead)))
		ipcbox_dead_letter_bury(exchange, &wakes->dead);
}

/* The ends of plain queues come to light only when they are revoked. */
static bool exchange_is_revoked(u32 state)
{
	return state & IPCBOX_STATE_REVOCABLE && state & IPCBOX_STATE_UNLINKED;
}

/**
 * ipcbox_exchange_end_error() - what tells that nobody will come
 * @exchange: the exchange
 *
 * Return: -EIDRM for a revocable one, else -EPIPE.
 */
int ipcbox_exchange_end_error(const struct ipcbox_exchange *exchange)
{
	return READ_ONCE(exchange->object.state) & IPCBOX_STATE_REVOCABLE ?
		       -EIDRM : -EPIPE;
}

/**
 * ipcbox_exchange_no_receiver_locked() - can no receiver ever come?
 * @exchange: the exchange, locked
 *
 * Return: true if a send would fail with EPIPE.
 */
bool ipcbox_exchange_no_receiver_locked(struct ipcbox_exchange *exchange)
{
	u32 state = READ_ONCE(exchange->object.state);

	if (state & IPCBOX_STATE_PLAIN)
		return exchange_is_revoked(state);
	if (exchange->receive_handles)
		return false;
	return state & IPCBOX_STATE_UNLINKED ||
	       (exchange->abandoned && !(state & IPCBOX_STATE_PERSISTENT));
}

/**
 * ipcbox_exchange_no_sender_locked() - can no sender ever come?
 * @exchange: the exchange, locked
 *
 * Return: true if a receive that finds nothing would fail with EPIPE.
 */
bool ipcbox_exchange_no_sender_locked(struct ipcbox_exchange *exchange)
{
	u32 state = READ_ONCE(exchange->object.state);

	if (state & IPCBOX_STATE_PLAIN)
		return exchange_is_revoked(state);
	if (exchange->send_handles)
		return false;
	/* A pipe ends with its writers; a queue waits for others. */
	return state & IPCBOX_STATE_UNLINKED ||
	       (state & IPCBOX_STATE_STREAM && exchange->deserted &&
		!(state & IPCBOX_STATE_PERSISTENT));
}

/**
 * ipcbox_exchange_check_messages() - does a handle's object take messages?
 * @handle: the handle
 *
 * Return: 0; -EOPNOTSUPP for a stream, which takes bytes.
 */
int ipcbox_exchange_check_messages(const struct ipcbox_handle *handle)
{
	return READ_ONCE(handle->object->state) & IPCBOX_STATE_STREAM ?
		       -EOPNOTSUPP : 0;
}

/**
 * ipcbox_exchange_check_tokens() - does it take messages that are waited for?
 * @handle: the handle
 *
 * Return: 0; -EOPNOTSUPP for a stream, and for a mailbox with a receive pool,
 * whose messages are the receiver's as soon as they are there.
 */
int ipcbox_exchange_check_tokens(const struct ipcbox_handle *handle)
{
	return ipcbox_exchange_of(handle->object)->pool ?
		       -EOPNOTSUPP : ipcbox_exchange_check_messages(handle);
}

/**
 * ipcbox_exchange_add_receiver_locked() - a receiver waits
 * @exchange: the exchange, locked
 * @waiter: the receiver
 */
void ipcbox_exchange_add_receiver_locked(struct ipcbox_exchange *exchange,
					 struct ipcbox_waiter *waiter)
{
	lockdep_assert_held(&exchange->lock);
	waiter->selector.ticket = ++exchange->tickets;
	if (waiter->selector.selection)
		ipcbox_selector_add(&exchange->selectors, &waiter->selector);
	else
		list_add_tail(&waiter->node, &exchange->receivers);
	exchange->receivers_waiting++;
}

/**
 * ipcbox_exchange_remove_receiver_locked() - a receiver waits no more
 * @exchange: the exchange, locked
 * @waiter: the receiver
 */
void ipcbox_exchange_remove_receiver_locked(struct ipcbox_exchange *exchange,
					    struct ipcbox_waiter *waiter)
{
	lockdep_assert_held(&exchange->lock);
	if (waiter->selector.selection)
		ipcbox_selector_remove(&exchange->selectors, &waiter->selector);
	else
		list_del(&waiter->node);
	exchange->receivers_waiting--;
}

/* Of the receivers that wait for the message, the one that came first. */
static struct ipcbox_waiter *
exchange_find_receiver(struct ipcbox_exchange *exchange,
		       const struct ipcbox_message *message)
{
	struct ipcbox_waiter *plain, *selecting;

	plain = list_first_entry_or_null(&exchange->receivers,
					 struct ipcbox_waiter, node);
	if (likely(RB_EMPTY_ROOT(&exchange->selectors)))
		return plain;
	selecting = ipcbox_selection_waiter_locked(exchange, message);
	if (!plain || (selecting &&
		       selecting->selector.ticket < plain->selector.ticket))
		return selecting;
	return plain;
}

static bool exchange_waiter_takes(const struct ipcbox_waiter *waiter,
				  const struct ipcbox_message *message)
{
	return waiter->capacity >= message->entry.length &&
	       waiter->descriptor_capacity >=
		       ipcbox_delivery_descriptors(message);
}

/**
 * ipcbox_exchange_is_awaited_locked() - does a receiver wait for a message?
 * @exchange: the exchange, locked
 * @message: a new message
 *
 * Such a message needs no room.
 *
 * Return: true if it does, and has room for it in its buffer.
 */
bool ipcbox_exchange_is_awaited_locked(struct ipcbox_exchange *exchange,
				       struct ipcbox_message *message)
{
	const struct ipcbox_waiter *waiter;

	lockdep_assert_held(&exchange->lock);
	if (likely(RB_EMPTY_ROOT(&exchange->selectors)) ||
	    exchange->queue.limits.plain)
		return false;
	message->entry.sequence = exchange->queue.sequence + 1;
	waiter = exchange_find_receiver(exchange, message);
	return waiter && exchange_waiter_takes(waiter, message);
}

static __always_inline void
exchange_deliver_locked(struct ipcbox_exchange *exchange,
			struct ipcbox_message *message,
			struct ipcbox_wakes *wakes)
{
	struct ipcbox_delivery *delivery = ipcbox_message_delivery(message);
	u32 length = message->entry.length;
	struct ipcbox_waiter *waiter;

	lockdep_assert_held(&exchange->lock);
	while (unlikely(waiter = exchange_find_receiver(exchange, message))) {
		ipcbox_exchange_remove_receiver_locked(exchange, waiter);
		if (!exchange_waiter_takes(waiter, message)) {
			waiter->length = length;
			waiter->descriptors =
				ipcbox_delivery_descriptors(message);
			ipcbox_waiter_finish_locked(waiter, -EMSGSIZE, wakes);
			continue;
		}
		exchange->received++;
		exchange->bytes_received += length;
		ipcbox_exchange_note_receiver_locked(exchange,
						     task_tgid(waiter->task));
		if (delivery)
			delivery->state = IPCBOX_DELIVERY_TRANSIT;
		waiter->message = message;
		ipcbox_waiter_finish_locked(waiter, 0, wakes);
		return;
	}
	ipcbox_queue_insert(&exchange->queue, &message->entry);
	if (delivery) {
		delivery->state = IPCBOX_DELIVERY_QUEUED;
		if (delivery->lifetime.length)
			ipcbox_expiry_add_locked(exchange, delivery);
	}
	/* Who receives from a pool is told when it is in there. */
	if (exchange->pool)
		return;
	wakes->readable |= EPOLLIN | EPOLLRDNORM;
	if (unlikely(!list_empty(&exchange->walks)))
		ipcbox_walk_arrival_locked(exchange, message);
	if (unlikely(!list_empty(&exchange->notices)))
		ipcbox_notify_arrival_locked(exchange,
					     exchange->queue.messages == 1,
					     message->pid, message->uid);
}

/**
 * ipcbox_exchange_deliver_locked() - give a message to a receiver or the queue
 * @exchange: the exchange, locked
 * @message: one that has its number; new, or received and coming back
 * @wakes: whom to wake
 *
 * The receiver that has waited longest gets it. One whose buffer is too small
 * is told so, and the next one is tried.
 */
void ipcbox_exchange_deliver_locked(struct ipcbox_exchange *exchange,
				    struct ipcbox_message *message,
				    struct ipcbox_wakes *wakes)
{
	exchange_deliver_locked(exchange, message, wakes);
}

/**
 * ipcbox_exchange_dequeue_locked() - take a message out of the queue
 * @exchange: the exchange, locked
 * @entry: the message's entry, which is in the queue
 */
void ipcbox_exchange_dequeue_locked(struct ipcbox_exchange *exchange,
				    struct ipcbox_queue_entry *entry)
{
	lockdep_assert_held(&exchange->lock);
	ipcbox_queue_remove(&exchange->queue, entry);
	if (entry->tracked) {
		struct ipcbox_delivery *delivery =
			ipcbox_message_of(entry)->delivery;

		if (delivery->lifetime.length)
			ipcbox_lifetime_remove(&exchange->expiries,
					       &delivery->lifetime);
	}
}

/**
 * ipcbox_exchange_accept_locked() - a message that is admitted goes in
 * @exchange: the exchange, locked
 * @message: a new message; it may be received and freed before this returns
 * @wakes: whom to wake
 */
void ipcbox_exchange_accept_locked(struct ipcbox_exchange *exchange,
				   struct ipcbox_message *message,
				   struct ipcbox_wakes *wakes)
{
	struct ipcbox_delivery *delivery = ipcbox_message_delivery(message);

	lockdep_assert_held(&exchange->lock);
	ipcbox_queue_number(&exchange->queue, &message->entry);
	if (delivery && delivery->lifetime.length)
		ipcbox_lifetime_begin(&delivery->lifetime, ktime_get());
	exchange->sent++;
	exchange->bytes_sent += message->entry.length;
	ipcbox_exchange_note_sender_locked(exchange, message->pid);
	trace_ipcbox_send(&exchange->object, &message->entry);
	exchange_deliver_locked(exchange, message, wakes);
}

static struct ipcbox_share *
exchange_find_share_locked(struct ipcbox_exchange *exchange, kuid_t uid)
{
	struct ipcbox_share *share;

	lockdep_assert_held(&exchange->lock);
	hlist_for_each_entry(share, &exchange->shares, node)
		if (uid_eq(share->user->uid, uid))
			return share;
	return NULL;
}

static void exchange_free_share(struct ipcbox_share *share)
{
	ipcbox_user_put(share->user);
	kfree(share);
}

/**
 * ipcbox_exchange_share_of() - a user's share
 * @exchange: the exchange
 * @user: the user, held by the caller
 *
 * May sleep for memory.
 *
 * Return: the share, which lives as long as the exchange; NULL without memory.
 */
struct ipcbox_share *ipcbox_exchange_share_of(struct ipcbox_exchange *exchange,
					      struct ipcbox_user *user)
{
	struct ipcbox_share *share, *created;
	struct ipcbox_wakes wakes;

	ipcbox_exchange_lock(exchange, &wakes);
	share = exchange_find_share_locked(exchange, user->uid);
	ipcbox_exchange_unlock(exchange, &wakes);
	if (share)
		return share;

	created = kmalloc(sizeof(*created), GFP_KERNEL_ACCOUNT);
	if (!created)
		return NULL;
	refcount_inc(&user->references);
	created->user = user;
	created->number = 0;
	ipcbox_exchange_lock(exchange, &wakes);
	share = exchange_find_share_locked(exchange, user->uid);
	if (!share) {
		share = created;
		ipcbox_queue_share_init(&share->share, share->user ==
					READ_ONCE(exchange->object.owner));
		hlist_add_head(&share->node, &exchange->shares);
	}
	ipcbox_exchange_unlock(exchange, &wakes);
	if (share != created)
		exchange_free_share(created);
	return share;
}

/**
 * ipcbox_exchange_find_share() - the share of a user who begins to send
 * @handle: the handle by which it sends, which notes it
 * @uid: the user, from ipcbox_user_current()
 *
 * May sleep.
 *
 * Return: the share, which lives as long as the object; NULL without memory.
 */
struct ipcbox_share *ipcbox_exchange_find_share(struct ipcbox_handle *handle,
						kuid_t uid)
{
	struct ipcbox_share *share;
	struct ipcbox_user *user;

	user = ipcbox_user_get(handle->object->box, uid);
	if (!user)
		return NULL;
	share = ipcbox_exchange_share_of(ipcbox_exchange_of(handle->object),
					 user);
	ipcbox_user_put(user);
	if (!share)
		return NULL;
	/* Pairs with the acquire in ipcbox_exchange_share(). */
	smp_store_release(&handle->share, share);
	return share;
}

/*
 * The object's functions
 */

struct exchange_limits {
	u64 messages;
	u64 bytes;
	u64 message_bytes;
	bool plain;
};

static bool exchange_limits_valid(const struct exchange_limits *limits)
{
	/* What is plain may be set to take nothing, as msgctl(2) allows. */
	if (!limits->plain &&
	    (!limits->messages || !limits->bytes ||
	     limits->message_bytes > limits->bytes))
		return false;
	return limits->messages <= ipcbox_limit(object_messages_max) &&
	       limits->bytes <= ipcbox_limit(object_bytes_max) &&
	       limits->message_bytes &&
	       limits->message_bytes <= ipcbox_limit(message_bytes_max);
}

/* What pipe(7) calls atomic goes into a stream in one piece. */
static bool exchange_fits_stream(bool stream,
				 const struct exchange_limits *limits)
{
	return !stream || limits->message_bytes >= PIPE_BUF;
}

/*
 * A stream carries bytes. A persistent object lives as long as its namespace,
 * which a file can hold: a message with such a file would hold its own object.
 */
static bool exchange_descriptors_valid(u32 count, bool never)
{
	return never ? !count : count <= IPCBOX_DESCRIPTORS_MAX;
}

/* A ring holds what it holds; a message shall not take a good part of it. */
static struct exchange_limits
exchange_pool_defaults(const struct ipcbox_create *request)
{
	u64 ring = request->mapped_bytes;

	return (struct exchange_limits){
		.messages = request->max_messages ?:
				    clamp_t(u64, ring / IPCBOX_POOL_OVERHEAD, 1,
					    ipcbox_limit(object_messages_max)),
		.bytes = request->max_bytes ?:
				 min_t(u64, ring, ipcbox_limit(object_bytes_max)),
		.message_bytes = request->max_message_bytes ?:
					 min3(ipcbox_limit(message_bytes),
					      ipcbox_limit(pool_message_bytes),
					      ring / 4),
	};
}

/* Could each message go into the ring, and without a long pause for others? */
static bool exchange_fits_ring(u64 ring, const struct exchange_limits *limits)
{
	return !ring ||
	       (limits->message_bytes <= ipcbox_pool_message_max(ring) &&
		limits->message_bytes <= ipcbox_limit(pool_message_bytes));
}

static bool exchange_pool_valid(const struct ipcbox_create *request,
				const struct exchange_limits *limits)
{
	return !request->mapped_bytes ||
	       (request->kind == IPCBOX_MAILBOX && !request->max_descriptors &&
		exchange_fits_ring(request->mapped_bytes, limits));
}

static int exchange_create_pool(struct ipcbox_exchange *exchange, u64 ring)
{
	struct ipcbox_pool *pool;

	if (!ring)
		return 0;
	pool = ipcbox_pool_create(ring);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	exchange->pool = pool;
	exchange->object.mapped_bytes = ring;
	exchange->object.state = IPCBOX_STATE_POOL;
	return 0;
}

static struct ipcbox_object *
exchange_create(const struct ipcbox_create *request)
{
	struct exchange_limits limits = {
		.messages = request->max_messages ?:
				    ipcbox_limit(object_messages),
		.bytes = request->max_bytes ?: ipcbox_limit(object_bytes),
		.message_bytes = request->max_message_bytes,
		.plain = request->flags & IPCBOX_CREATE_PLAIN,
	};
	struct ipcbox_queue_limits queue_limits;
	struct ipcbox_exchange *exchange;
	int error;

	if (request->mapped_bytes)
		limits = exchange_pool_defaults(request);
	if (!limits.message_bytes)
		limits.message_bytes = min(ipcbox_limit(message_bytes),
					   limits.bytes);
	if (!exchange_limits_valid(&limits) || request->semaphores ||
	    !exchange_fits_stream(request->flags & IPCBOX_CREATE_STREAM,
				  &limits) ||
	    request->flags & IPCBOX_CREATE_HUGE ||
	    !exchange_pool_valid(request, &limits) ||
	    !exchange_descriptors_valid(request->max_descriptors, request->flags &
					(IPCBOX_CREATE_STREAM |
					 IPCBOX_CREATE_PERSISTENT)))
		return ERR_PTR(-EINVAL);
	if (request->flags & IPCBOX_CREATE_STREAM &&
	    request->kind != IPCBOX_QUEUE)
		return ERR_PTR(-EINVAL);
	exchange = kzalloc(sizeof(*exchange), GFP_KERNEL_ACCOUNT);
	if (!exchange)
		return ERR_PTR(-ENOMEM);
	error = exchange_create_pool(exchange, request->mapped_bytes);
	if (error) {
		kfree(exchange);
		return ERR_PTR(error);
	}
	queue_limits = (struct ipcbox_queue_limits){
		.messages = limits.messages,
		.bytes = limits.bytes,
		.overhead = request->mapped_bytes ? IPCBOX_POOL_OVERHEAD : 0,
		.share_percent = ipcbox_limit(user_share),
		.plain = limits.plain,
	};
	spin_lock_init(&exchange->lock);
	ipcbox_queue_init(&exchange->queue, &queue_limits);
	exchange->max_message_bytes = limits.message_bytes;
	exchange->max_descriptors = request->max_descriptors;
	exchange->sender_processor = -1;
	exchange->receiver_processor = -1;
	INIT_LIST_HEAD(&exchange->receivers);
	INIT_LIST_HEAD(&exchange->walks);
	INIT_LIST_HEAD(&exchange->awaited);
	INIT_LIST_HEAD(&exchange->notices);
	ipcbox_stream_init(&exchange->stream);
	INIT_HLIST_HEAD(&exchange->shares);
	INIT_LIST_HEAD(&exchange->admitted);
	INIT_DELAYED_WORK(&exchange->tell_admitted, ipcbox_room_work);
	timerqueue_init_head(&exchange->expiries);
	INIT_DELAYED_WORK(&exchange->expire, ipcbox_expiry_work);
	init_waitqueue_head(&exchange->readable);
	init_waitqueue_head(&exchange->writable);
	return &exchange->object;
}

/* What is left in it goes to the dead-letter mailbox. */
static void exchange_empty(struct ipcbox_exchange *exchange)
{
	struct ipcbox_queue_entry *entry;
	struct ipcbox_message *message;
	struct ipcbox_wakes wakes;

	do {
		ipcbox_exchange_lock(exchange, &wakes);
		entry = ipcbox_queue_first(&exchange->queue);
		if (entry)
			ipcbox_exchange_dequeue_locked(exchange, entry);
		ipcbox_exchange_unlock(exchange, &wakes);
		if (entry) {
			message = ipcbox_message_of(entry);
			ipcbox_dead_letter_end(exchange, message,
					       IPCBOX_DEAD_DESTROYED);
		}
		cond_resched();
	} while (entry);
}

static void exchange_destroy(struct ipcbox_object *object)
{
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(object);
	struct ipcbox_share *share;
	struct hlist_node *next;

	ipcbox_stream_destroy(&exchange->stream);
	ipcbox_notify_destroy(exchange);
	exchange_empty(exchange);
	if (exchange->pool)
		ipcbox_pool_destroy(exchange);
	cancel_delayed_work_sync(&exchange->expire);
	cancel_delayed_work_sync(&exchange->tell_admitted);
	put_pid(exchange->last_sender);
	put_pid(exchange->last_receiver);
	hlist_for_each_entry_safe(share, next, &exchange->shares, node)
		exchange_free_share(share);
	kfree_rcu(exchange, object.rcu);
}

/* A mailbox's receive handle is one at a time, however often it is dup'ed. */
static int exchange_attach(struct ipcbox_handle *handle)
{
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(handle->object);
	struct ipcbox_wakes wakes;
	int error = 0;

	ipcbox_exchange_lock(exchange, &wakes);
	if (handle->rights & IPCBOX_RIGHT_RECEIVE) {
		if (exchange->object.kind == IPCBOX_MAILBOX &&
		    exchange->receive_handles)
			error = -EBUSY;
		else if (!exchange->receive_handles++)
			wakes.writable |= EPOLLOUT | EPOLLWRNORM;
	}
	if (!error && handle->rights & IPCBOX_RIGHT_SEND)
		exchange->send_handles++;
	ipcbox_exchange_unlock(exchange, &wakes);
	return error;
}

static void exchange_fail_receivers_locked(struct ipcbox_exchange *exchange,
					   int error,
					   struct ipcbox_wakes *wakes)
{
	struct ipcbox_waiter *waiter, *next;
	struct ipcbox_selector *selector;

	list_for_each_entry_safe(waiter, next, &exchange->receivers, node) {
		ipcbox_exchange_remove_receiver_locked(exchange, waiter);
		ipcbox_waiter_finish_locked(waiter, error, wakes);
	}
	while ((selector = ipcbox_selector_first(&exchange->selectors))) {
		waiter = ipcbox_waiter_of(selector);
		ipcbox_exchange_remove_receiver_locked(exchange, waiter);
		ipcbox_waiter_finish_locked(waiter, error, wakes);
	}
}

/* Someone went, or can come no more: tell those who wait in vain. */
static void exchange_notice_ends_locked(struct ipcbox_exchange *exchange,
					struct ipcbox_wakes *wakes)
{
	int error = ipcbox_exchange_end_error(exchange);

	lockdep_assert_held(&exchange->lock);
	if (ipcbox_exchange_no_receiver_locked(exchange)) {
		ipcbox_delivery_fail_queued_locked(exchange, error, wakes);
		ipcbox_room_fail_locked(exchange, error, wakes);
		wakes->writable |= EPOLLHUP;
	}
	if (ipcbox_exchange_no_sender_locked(exchange)) {
		exchange_fail_receivers_locked(exchange, error, wakes);
		wakes->readable |= EPOLLHUP;
	}
}

/* Returns true if the handle holds more. */
static bool exchange_abandon_some(struct ipcbox_handle *handle)
{
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(handle->object);
	struct ipcbox_wakes wakes;
	bool more;

	ipcbox_exchange_lock(exchange, &wakes);
	more = ipcbox_delivery_abandon_locked(exchange, handle, &wakes);
	ipcbox_exchange_unlock(exchange, &wakes);
	return more;
}

static void exchange_detach(struct ipcbox_handle *handle)
{
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(handle->object);
	struct ipcbox_wakes wakes;

	ipcbox_notify_detach(handle);
	if (exchange->pool)
		ipcbox_pool_detach(handle);
	while (exchange_abandon_some(handle))
		cond_resched();
	ipcbox_exchange_lock(exchange, &wakes);
	if (handle->rights & IPCBOX_RIGHT_RECEIVE) {
		exchange->receive_handles--;
		if (!exchange->receive_handles)
			exchange->abandoned = true;
	}
	if (handle->rights & IPCBOX_RIGHT_SEND) {
		exchange->send_handles--;
		if (!exchange->send_handles)
			exchange->deserted = true;
	}
	exchange_notice_ends_locked(exchange, &wakes);
	ipcbox_exchange_unlock(exchange, &wakes);
}

static void exchange_unlinked(struct ipcbox_object *object)
{
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(object);
	struct ipcbox_wakes wakes;

	ipcbox_exchange_lock(exchange, &wakes);
	exchange_notice_ends_locked(exchange, &wakes);
	ipcbox_exchange_unlock(exchange, &wakes);
}

static void exchange_stat(struct ipcbox_object *object,
			  struct ipcbox_stat *stat)
{
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(object);
	struct pid_namespace *ns = task_active_pid_ns(current);
	const struct ipcbox_queue *queue = &exchange->queue;
	struct ipcbox_wakes wakes;

	if (exchange->pool)
		ipcbox_pool_fill_stat(exchange, stat);
	ipcbox_exchange_lock(exchange, &wakes);
	stat->max_messages = queue->limits.messages;
	stat->max_bytes = queue->limits.bytes;
	stat->max_message_bytes = exchange->max_message_bytes;
	stat->messages = queue->messages;
	stat->bytes = queue->bytes;
	stat->messages_peak = queue->messages_peak;
	stat->bytes_peak = queue->bytes_peak;
	stat->sent = exchange->sent;
	stat->received = exchange->received;
	stat->bytes_sent = exchange->bytes_sent;
	stat->bytes_received = exchange->bytes_received;
	stat->refused = exchange->refused;
	stat->held = exchange->held;
	stat->withdrawn = exchange->withdrawn;
	stat->expired = exchange->expired;
	stat->exhausted = exchange->exhausted;
	stat->buried = exchange->buried;
	stat->dead_letter = exchange->dead_letter;
	stat->max_deliveries = exchange->max_deliveries;
	stat->max_descriptors = exchange->max_descriptors;
	stat->sent_at = exchange->sent_at;
	stat->received_at = exchange->received_at;
	stat->last_sender = pid_nr_ns(exchange->last_sender, ns);
	stat->last_receiver = pid_nr_ns(exchange->last_receiver, ns);
	stat->receive_handles = exchange->receive_handles;
	stat->send_handles = exchange->send_handles;
	stat->receivers_waiting = exchange->receivers_waiting;
	stat->senders_waiting = exchange->senders_waiting;
	ipcbox_exchange_unlock(exchange, &wakes);
}

/* The limits as they would stand; box->lock keeps other changes away. */
static struct exchange_limits
exchange_limits_after(struct ipcbox_exchange *exchange,
		      const struct ipcbox_set *request)
{
	struct exchange_limits limits = {
		.messages = exchange->queue.limits.messages,
		.bytes = exchange->queue.limits.bytes,
		.message_bytes = exchange->max_message_bytes,
		.plain = exchange->queue.limits.plain,
	};

	if (request->mask & IPCBOX_SET_MAX_MESSAGES)
		limits.messages = request->max_messages;
	if (request->mask & IPCBOX_SET_MAX_BYTES)
		limits.bytes = request->max_bytes;
	if (request->mask & IPCBOX_SET_MAX_MESSAGE_BYTES)
		limits.message_bytes = request->max_message_bytes;
	return limits;
}

/* Letters go where the caller itself could send. */
static int exchange_check_dead_letter(struct ipcbox_object *object, u64 id)
{
	struct ipcbox_object *target = ipcbox_box_find_id_locked(object->box,
								 id);

	if (!target)
		return -ENOENT;
	if (target == object || target->ops->create != exchange_create)
		return -EINVAL;
	/* A record has no room for what a dead letter tells. */
	if (target->state & IPCBOX_STATE_POOL)
		return -EOPNOTSUPP;
	return ipcbox_object_grants(target, IPCBOX_RIGHT_SEND) ? 0 : -EACCES;
}

static int exchange_set_check(struct ipcbox_object *object,
			      const struct ipcbox_set *request)
{
	const u32 mask = IPCBOX_SET_MAX_MESSAGES | IPCBOX_SET_MAX_BYTES |
			 IPCBOX_SET_MAX_MESSAGE_BYTES;
	struct exchange_limits limits;
	int error;

	if (ipcbox_exchange_of(object)->pool &&
	    ((request->mask & IPCBOX_SET_DEAD_LETTER && request->dead_letter) ||
	     (request->mask & IPCBOX_SET_MAX_DELIVERIES &&
	      request->max_deliveries)))
		return -EOPNOTSUPP;
	if (request->mask & IPCBOX_SET_DEAD_LETTER && request->dead_letter) {
		error = exchange_check_dead_letter(object,
						   request->dead_letter);
		if (error)
			return error;
	}
	if (request->mask & IPCBOX_SET_MAX_DESCRIPTORS &&
	    !exchange_descriptors_valid(request->max_descriptors, object->state &
					(IPCBOX_STATE_STREAM |
					 IPCBOX_STATE_PERSISTENT)))
		return -EINVAL;
	/* Limits that exceed what root has set since may stay. */
	if (!(request->mask & mask))
		return 0;
	limits = exchange_limits_after(ipcbox_exchange_of(object), request);
	return exchange_limits_valid(&limits) &&
	       exchange_fits_stream(object->state & IPCBOX_STATE_STREAM,
				    &limits) &&
	       exchange_fits_ring(object->mapped_bytes, &limits) ? 0 : -EINVAL;
}

static void exchange_set(struct ipcbox_object *object,
			 const struct ipcbox_set *request)
{
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(object);
	struct exchange_limits limits = exchange_limits_after(exchange,
							      request);
	struct ipcbox_share *share;
	struct ipcbox_wakes wakes;

	ipcbox_exchange_lock(exchange, &wakes);
	exchange->queue.limits.messages = limits.messages;
	exchange->queue.limits.bytes = limits.bytes;
	WRITE_ONCE(exchange->max_message_bytes, limits.message_bytes);
	if (request->mask & IPCBOX_SET_DEAD_LETTER)
		WRITE_ONCE(exchange->dead_letter, request->dead_letter);
	if (request->mask & IPCBOX_SET_MAX_DELIVERIES)
		exchange->max_deliveries = request->max_deliveries;
	if (request->mask & IPCBOX_SET_MAX_DESCRIPTORS)
		WRITE_ONCE(exchange->max_descriptors, request->max_descriptors);
	hlist_for_each_entry(share, &exchange->shares, node) {
		share->share.unlimited = share->user == object->owner;
		ipcbox_queue_reshare(&exchange->queue, &share->share);
	}
	if (object->state & IPCBOX_STATE_REVOCABLE) {
		/* They look at their rights again, and wait again. */
		ipcbox_room_fail_locked(exchange, -EAGAIN, &wakes);
		exchange_fail_receivers_locked(exchange, -EAGAIN, &wakes);
	}
	ipcbox_room_admit_locked(exchange, NULL, &wakes);
	wakes.writable |= EPOLLOUT | EPOLLWRNORM;
	ipcbox_exchange_unlock(exchange, &wakes);
}

static void exchange_revoke(struct ipcbox_object *object)
{
	exchange_empty(ipcbox_exchange_of(object));
}

static const struct ipcbox_ioctl exchange_ioctls[] = {
	IPCBOX_IOCTL(IPCBOX_IOC_SEND, ipcbox_send, object,
		     ipcbox_exchange_send),
	IPCBOX_IOCTL(IPCBOX_IOC_RECEIVE, ipcbox_receive, object,
		     ipcbox_exchange_receive),
	IPCBOX_IOCTL(IPCBOX_IOC_ANSWER, ipcbox_answer, deadline,
		     ipcbox_exchange_answer),
	IPCBOX_IOCTL(IPCBOX_IOC_CALL, ipcbox_call, deadline,
		     ipcbox_exchange_call),
	IPCBOX_IOCTL(IPCBOX_IOC_NOTIFY, ipcbox_notify, value,
		     ipcbox_notify_set),
	IPCBOX_IOCTL(IPCBOX_IOC_SPIN, ipcbox_spin, time, ipcbox_spin_set),
	IPCBOX_IOCTL(IPCBOX_IOC_SETTLE, ipcbox_settle, pad,
		     ipcbox_exchange_settle),
	IPCBOX_IOCTL(IPCBOX_IOC_POOL_WAIT, ipcbox_pool_wait, deadline,
		     ipcbox_pool_wait),
	IPCBOX_IOCTL(IPCBOX_IOC_STAT, ipcbox_stat, changed_at,
		     ipcbox_object_stat, .answers = true),
	IPCBOX_IOCTL(IPCBOX_IOC_SET, ipcbox_set, max_descriptors,
		     ipcbox_object_set),
};

#define EXCHANGE_KIND(text) {						\
	.name = (text),							\
	.ioctls = exchange_ioctls,					\
	.ioctl_count = ARRAY_SIZE(exchange_ioctls),			\
	.create = exchange_create,					\
	.destroy = exchange_destroy,					\
	.attach = exchange_attach,					\
	.detach = exchange_detach,					\
	.unlinked = exchange_unlinked,					\
	.stat = exchange_stat,						\
	.set_check = exchange_set_check,				\
	.set = exchange_set,						\
	.revoke = exchange_revoke,					\
	.read = ipcbox_exchange_read,					\
	.write = ipcbox_exchange_write,					\
	.poll = ipcbox_notify_poll,					\
	.async = ipcbox_notify_async,					\
	.flush = ipcbox_notify_flush,					\
	.mmap = ipcbox_pool_mmap,					\
	.maps_both = true,						\
}

const struct ipcbox_kind ipcbox_mailbox_kind = EXCHANGE_KIND("mailbox");
const struct ipcbox_kind ipcbox_queue_kind = EXCHANGE_KIND("queue");
