/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The exchange of messages: what a mailbox and a queue are.
 */
#ifndef IPCBOX_EXCHANGE_H
#define IPCBOX_EXCHANGE_H

#include <linux/errno.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/time.h>
#include <linux/timekeeping.h>
#include <linux/timerqueue.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <linux/ipcbox.h>

#include "object.h"
#include "queue.h"
#include "selector.h"
#include "stream.h"

struct ipcbox_delivery;
struct ipcbox_message;
struct ipcbox_pool;

/**
 * struct ipcbox_share - what one user has in one exchange
 * @share: its part of the queue's room
 * @user: whose it is, held
 * @number: by which the records of a receive pool name it; 0 for none yet
 * @node: place among the exchange's shares
 */
struct ipcbox_share {
	struct ipcbox_queue_share share;
	struct ipcbox_user *user;
	u32 number;
	struct hlist_node node;
};

static inline struct ipcbox_share *
ipcbox_share_of(struct ipcbox_queue_share *share)
{
	return container_of(share, struct ipcbox_share, share);
}

/**
 * struct ipcbox_exchange - a mailbox or a queue
 * @object: what all objects have; see there for its own rules
 * @lock: see locking.h; protects all below
 * @queue: the messages, and the entries of senders that wait
 * @max_message_bytes: longest payload; read without the lock, too
 * @receivers: receivers that wait for any message, in the order in which they
 *	came; while there are any the queue is empty
 * @selectors: receivers that wait for certain messages; see selector.c
 * @walks: receivers that look for certain messages, who may have released the
 *	lock on their way; see select.c
 * @tickets: how many receivers have waited
 * @awaited: deliveries whose senders wait for the outcome
 * @shares: users who have sent something
 * @receive_handles: handles that may receive
 * @send_handles: handles that may send
 * @receivers_waiting: threads in @receivers and @selectors
 * @senders_waiting: threads whose messages are parked
 * @abandoned: there was a receive handle, and the last one was closed
 * @deserted: there was a send handle, and the last one was closed
 * @sent_at: when the last message was accepted: seconds of CLOCK_REALTIME
 * @received_at: when the last one was received
 * @last_sender: the process that sent the last one, held, or NULL
 * @last_receiver: the process that received the last one, held, or NULL
 * @sent: messages accepted
 * @received: messages received
 * @bytes_sent: payload bytes accepted
 * @bytes_received: payload bytes received
 * @refused: messages that a send did not get in
 * @held: messages held
 * @withdrawn: messages that ended, or went back, to their waiting senders
 * @expired: messages whose lifetime ended
 * @exhausted: messages that were held in vain too often
 * @buried: messages that became dead letters
 * @dead_letter: the id of the dead-letter mailbox, or 0
 * @max_deliveries: how often a message may be held in vain; 0 for ever
 * @max_descriptors: most descriptors in a message; read without the lock, too
 * @admitted: senders that waited for room, whose messages are in, and who are to
 *	be told soon; see room.c
 * @tell_admitted: tells them
 * @expiries: queued messages that may expire, the next one first; see
 *	lifetime.c
 * @expire: does so when its time comes
 * @stream: where readers are, if it is a stream; its own lock
 * @pool: the mailbox's receive pool, or NULL; never changes
 * @notices: registrations of NOTIFY
 * @registrant: of them, the exclusive one, or NULL; see locking.h
 * @async_readable: O_ASYNC files that may receive; fasync's own locks
 * @async_writable: O_ASYNC files that may send
 * @sender_processor: where a message was last sent, or -1; a hint, see spin.c
 * @receiver_processor: the same of receiving
 * @readable: pollers that may receive
 * @writable: pollers that may send
 */
struct ipcbox_exchange {
	struct ipcbox_object object;
	spinlock_t lock;	/* number 2 in locking.h */
	struct ipcbox_queue queue;
	u64 max_message_bytes;
	struct list_head receivers;
	struct rb_root selectors;
	struct list_head walks;
	u64 tickets;
	struct list_head awaited;
	struct hlist_head shares;
	u32 receive_handles;
	u32 send_handles;
	u32 receivers_waiting;
	u32 senders_waiting;
	bool abandoned;
	bool deserted;
	time64_t sent_at;
	time64_t received_at;
	struct pid *last_sender;
	struct pid *last_receiver;
	u64 sent;
	u64 received;
	u64 bytes_sent;
	u64 bytes_received;
	u64 refused;
	u64 held;
	u64 withdrawn;
	u64 expired;
	u64 exhausted;
	u64 buried;
	u64 dead_letter;
	u32 max_deliveries;
	u32 max_descriptors;
	struct list_head admitted;
	struct delayed_work tell_admitted;
	struct timerqueue_head expiries;
	struct delayed_work expire;
	struct ipcbox_stream stream;
	struct ipcbox_pool *pool;
	struct list_head notices;
	struct ipcbox_notice *registrant;
	struct fasync_struct *async_readable;
	struct fasync_struct *async_writable;
	int sender_processor;
	int receiver_processor;
	wait_queue_head_t readable;
	wait_queue_head_t writable;
};

static inline struct ipcbox_exchange *
ipcbox_exchange_of(struct ipcbox_object *object)
{
	return container_of(object, struct ipcbox_exchange, object);
}

#define IPCBOX_WAKES	8

/**
 * struct ipcbox_wakes - whom to wake when the lock is released
 * @tasks: threads
 * @count: how many
 * @dead: messages that have died, to be buried
 * @readable: what to tell pollers that may receive
 * @writable: what to tell pollers that may send
 */
struct ipcbox_wakes {
	struct task_struct *tasks[IPCBOX_WAKES];
	unsigned int count;
	struct list_head dead;
	__poll_t readable;
	__poll_t writable;
};

/* A reply of up to so many bytes may go where its request was. */
#define IPCBOX_REPLY_SHORT	128

/* The result of a waiter that has none yet. */
#define IPCBOX_WAITING	1

/**
 * struct ipcbox_waiter - a thread that waits, on its own stack
 * @node: for a receiver without a selection: place among the exchange's waiting
 *	receivers; for a sender: place among those who are to be told
 * @selector: for a receiver: place among them with one; its selection is NULL
 *	for a receiver without
 * @task: the thread
 * @message: what a receiver or a caller got
 * @capacity: for a receiver: the longest message that it can take
 * @descriptor_capacity: for a receiver: the most descriptors that it can take
 * @length: for a receiver: how long the message was that it could not take
 * @descriptors: for a receiver: how many descriptors that message had
 * @admitted: for a sender: it has such a place; under the exchange's lock
 * @spin: nanoseconds to wait awake, while @peer is another processor than this
 * @peer: where the other side was last seen; only with @spin
 * @result: IPCBOX_WAITING, then 0 or an errno; see locking.h
 */
struct ipcbox_waiter {
	struct list_head node;
	struct ipcbox_selector selector;
	struct task_struct *task;
	struct ipcbox_message *message;
	u32 capacity;
	u32 descriptor_capacity;
	u32 length;
	u32 descriptors;
	bool admitted;
	u32 spin;
	const int *peer;
	int result;
};

static inline struct ipcbox_waiter *
ipcbox_waiter_of(struct ipcbox_selector *selector)
{
	return container_of(selector, struct ipcbox_waiter, selector);
}

/**
 * struct ipcbox_patience - how long a call may wait
 * @wait: false: not at all
 * @clock: of the deadline: CLOCK_MONOTONIC or CLOCK_REALTIME
 * @deadline: in nanoseconds, or IPCBOX_FOREVER
 */
struct ipcbox_patience {
	bool wait;
	clockid_t clock;
	u64 deadline;
};

/**
 * ipcbox_patience_clock() - which clock is a deadline of?
 * @flags: of a request
 *
 * Return: CLOCK_REALTIME or CLOCK_MONOTONIC.
 */
static inline clockid_t ipcbox_patience_clock(u32 flags)
{
	return flags & IPCBOX_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
}

/**
 * ipcbox_patience_plain() - how long read(2) and write(2) wait
 * @wait: whether at all
 *
 * Return: for ever, or not at all.
 */
static inline struct ipcbox_patience ipcbox_patience_plain(bool wait)
{
	return (struct ipcbox_patience){
		.wait = wait,
		.clock = CLOCK_MONOTONIC,
		.deadline = IPCBOX_FOREVER,
	};
}

/**
 * ipcbox_request_restarts() - the result of a request that may be restarted
 * @result: as it is
 * @flags: of the request
 *
 * Return: the result as the request wants it: with IPCBOX_NORESTART a handler
 * ends the call whatever SA_RESTART says.
 */
static inline long ipcbox_request_restarts(long result, u32 flags)
{
	return result == -ERESTARTSYS && flags & IPCBOX_NORESTART ?
		       -ERESTARTNOHAND : result;
}

/**
 * ipcbox_request_check_object() - is a handle on the object that is meant?
 * @handle: the handle
 * @id: of the object; 0 for any
 *
 * Return: 0, or -ESTALE.
 */
static inline int
ipcbox_request_check_object(const struct ipcbox_handle *handle, u64 id)
{
	return id && id != handle->object->id ? -ESTALE : 0;
}

/**
 * ipcbox_deadline_valid() - is this a deadline?
 * @deadline: from a request
 *
 * Return: true for IPCBOX_FOREVER and for what CLOCK_MONOTONIC can show.
 */
static inline bool ipcbox_deadline_valid(u64 deadline)
{
	return deadline == IPCBOX_FOREVER || deadline <= KTIME_MAX;
}

/**
 * ipcbox_exchange_lock() - take an exchange's lock
 * @exchange: the exchange
 * @wakes: is made empty
 */
static inline void ipcbox_exchange_lock(struct ipcbox_exchange *exchange,
					struct ipcbox_wakes *wakes)
	__acquires(&exchange->lock)
{
	wakes->count = 0;
	INIT_LIST_HEAD(&wakes->dead);
	wakes->readable = 0;
	wakes->writable = 0;
	spin_lock(&exchange->lock);
}

/**
 * ipcbox_exchange_is_watched() - may there be pollers or O_ASYNC files?
 * @exchange: the exchange, locked; pollers look under the lock as well: see
 *	"poll" in locking.h
 *
 * Return: false if there are none.
 */
static inline bool
ipcbox_exchange_is_watched(const struct ipcbox_exchange *exchange)
{
	return !list_empty(&exchange->readable.head) ||
	       !list_empty(&exchange->writable.head) ||
	       exchange->async_readable || exchange->async_writable;
}

void ipcbox_exchange_unlock_and_tell(struct ipcbox_exchange *exchange,
				     struct ipcbox_wakes *wakes, bool watched)
	__releases(&exchange->lock);

/**
 * ipcbox_exchange_unlock() - release an exchange's lock, wake, and bury
 * @exchange: the exchange
 * @wakes: whom to wake, and what has died. With letters in it this sleeps and
 *	takes box->lock
 */
static inline void ipcbox_exchange_unlock(struct ipcbox_exchange *exchange,
					  struct ipcbox_wakes *wakes)
	__releases(&exchange->lock)
{
	bool watched = (wakes->readable || wakes->writable) &&
		       ipcbox_exchange_is_watched(exchange);

	if (likely(!wakes->count && !watched && list_empty(&wakes->dead)))
		spin_unlock(&exchange->lock);
	else
		ipcbox_exchange_unlock_and_tell(exchange, wakes, watched);
}

static inline void ipcbox_exchange_note(struct pid **last, struct pid *pid)
{
	if (likely(*last == pid))
		return;
	put_pid(*last);
	*last = get_pid(pid);
}

/**
 * ipcbox_exchange_note_sender_locked() - a message is accepted
 * @exchange: the exchange, locked
 * @pid: the process that sent it
 */
static inline void
ipcbox_exchange_note_sender_locked(struct ipcbox_exchange *exchange,
				   struct pid *pid)
{
	lockdep_assert_held(&exchange->lock);
	ipcbox_exchange_note(&exchange->last_sender, pid);
	exchange->sent_at = ktime_get_real_seconds();
}

/**
 * ipcbox_exchange_note_receiver_locked() - a message is received
 * @exchange: the exchange, locked
 * @pid: the process that receives it
 */
static inline void
ipcbox_exchange_note_receiver_locked(struct ipcbox_exchange *exchange,
				     struct pid *pid)
{
	lockdep_assert_held(&exchange->lock);
	ipcbox_exchange_note(&exchange->last_receiver, pid);
	exchange->received_at = ktime_get_real_seconds();
}

extern const struct ipcbox_kind ipcbox_mailbox_kind;
extern const struct ipcbox_kind ipcbox_queue_kind;

/* exchange.c */
bool ipcbox_exchange_no_receiver_locked(struct ipcbox_exchange *exchange);
bool ipcbox_exchange_no_sender_locked(struct ipcbox_exchange *exchange);
int ipcbox_exchange_end_error(const struct ipcbox_exchange *exchange);
void ipcbox_exchange_deliver_locked(struct ipcbox_exchange *exchange,
				    struct ipcbox_message *message,
				    struct ipcbox_wakes *wakes);
bool ipcbox_exchange_is_awaited_locked(struct ipcbox_exchange *exchange,
				       struct ipcbox_message *message);
void ipcbox_exchange_add_receiver_locked(struct ipcbox_exchange *exchange,
					 struct ipcbox_waiter *waiter);
void ipcbox_exchange_remove_receiver_locked(struct ipcbox_exchange *exchange,
					    struct ipcbox_waiter *waiter);
void ipcbox_exchange_accept_locked(struct ipcbox_exchange *exchange,
				   struct ipcbox_message *message,
				   struct ipcbox_wakes *wakes);
void ipcbox_exchange_dequeue_locked(struct ipcbox_exchange *exchange,
				    struct ipcbox_queue_entry *entry);
int ipcbox_exchange_check_messages(const struct ipcbox_handle *handle);
int ipcbox_exchange_check_tokens(const struct ipcbox_handle *handle);
struct ipcbox_share *ipcbox_exchange_find_share(struct ipcbox_handle *handle,
						kuid_t uid);
struct ipcbox_share *ipcbox_exchange_share_of(struct ipcbox_exchange *exchange,
					      struct ipcbox_user *user);

/**
 * ipcbox_exchange_share() - the share of the user who is sending
 * @handle: the handle by which it sends
 *
 * May sleep when the user sends by this handle for the first time, or others
 * did since.
 *
 * Return: the share, which lives as long as the object; NULL without memory.
 */
static inline struct ipcbox_share *
ipcbox_exchange_share(struct ipcbox_handle *handle)
{
	kuid_t uid = ipcbox_user_current();
	/* Pairs with the release where it is set: its user can be seen, too. */
	struct ipcbox_share *share = smp_load_acquire(&handle->share);

	if (likely(share && uid_eq(share->user->uid, uid)))
		return share;
	return ipcbox_exchange_find_share(handle, uid);
}

/* room.c */
void ipcbox_room_work(struct work_struct *work);
void ipcbox_room_unpark_locked(struct ipcbox_exchange *exchange,
			       struct ipcbox_message *message,
			       struct ipcbox_wakes *wakes);
void ipcbox_room_admit_waiting_locked(struct ipcbox_exchange *exchange,
				      struct ipcbox_share *freed,
				      struct ipcbox_wakes *wakes);
bool ipcbox_room_withdraw_locked(struct ipcbox_exchange *exchange,
				 struct ipcbox_message *message,
				 struct ipcbox_waiter *waiter);
void ipcbox_room_fail_locked(struct ipcbox_exchange *exchange, int error,
			     struct ipcbox_wakes *wakes);

/**
 * ipcbox_room_admit_locked() - let in whom there is room for now
 * @exchange: the exchange, locked
 * @freed: the share that has just lost an entry, or NULL
 * @wakes: whom to wake
 */
static inline void ipcbox_room_admit_locked(struct ipcbox_exchange *exchange,
					    struct ipcbox_share *freed,
					    struct ipcbox_wakes *wakes)
{
	lockdep_assert_held(&exchange->lock);
	if (unlikely(exchange->senders_waiting ||
		     !list_empty(&exchange->admitted)))
		ipcbox_room_admit_waiting_locked(exchange, freed, wakes);
}

/* expiry.c */
void ipcbox_expiry_add_locked(struct ipcbox_exchange *exchange,
			      struct ipcbox_delivery *delivery);
void ipcbox_expiry_work(struct work_struct *work);

/* waiter.c */
/**
 * ipcbox_waiter_init() - prepare the caller to wait
 * @waiter: on the caller's stack, not yet where others find it
 */
static inline void ipcbox_waiter_init(struct ipcbox_waiter *waiter)
{
	waiter->task = current;
	waiter->message = NULL;
	waiter->admitted = false;
	waiter->spin = 0;
	waiter->result = IPCBOX_WAITING;
}

/**
 * ipcbox_waiter_finish_locked() - give a waiter its result
 * @waiter: a waiter that others can find no more; gone after this
 * @result: 0 or an errno
 * @wakes: where its thread is noted
 */
static inline void ipcbox_waiter_finish_locked(struct ipcbox_waiter *waiter,
					       int result,
					       struct ipcbox_wakes *wakes)
{
	struct task_struct *task = waiter->task;

	/* Pairs with the acquire in ipcbox_waiter_wait(). */
	smp_store_release(&waiter->result, result);
	if (likely(wakes->count < IPCBOX_WAKES))
		wakes->tasks[wakes->count++] = task;
	else
		wake_up_process(task);
}

int ipcbox_waiter_wait(struct ipcbox_waiter *waiter,
		       const struct ipcbox_patience *patience);

/* spin.c */
void ipcbox_spin_wait(const struct ipcbox_waiter *waiter);
long ipcbox_spin_set(struct ipcbox_invocation *call);

/* send.c */
struct ipcbox_message *
ipcbox_send_make_tracked(struct ipcbox_handle *handle,
			 const struct ipcbox_outgoing *outgoing, u32 reply);
int ipcbox_send_offer_locked(struct ipcbox_exchange *exchange,
			     struct ipcbox_message *message,
			     struct ipcbox_wakes *wakes);
void ipcbox_send_park_locked(struct ipcbox_exchange *exchange,
			     struct ipcbox_message *message);
int ipcbox_send_read(struct ipcbox_outgoing *outgoing, const void __user *from,
		     u32 stride, u32 *count);
void ipcbox_send_count_refusal(struct ipcbox_exchange *exchange, int error);
int ipcbox_send_one(struct ipcbox_handle *handle,
		    const struct ipcbox_outgoing *outgoing,
		    const struct ipcbox_patience *patience);
long ipcbox_exchange_send(struct ipcbox_invocation *call);
ssize_t ipcbox_exchange_write_message(struct ipcbox_handle *handle,
				      const char __user *buffer, size_t size,
				      bool wait, u32 priority);
ssize_t ipcbox_exchange_write(struct ipcbox_handle *handle,
			      const char __user *buffer, size_t size,
			      bool wait, u32 priority);

/* call.c */
int ipcbox_exchange_send_sync(struct ipcbox_handle *handle,
			      const struct ipcbox_outgoing *outgoing,
			      const struct ipcbox_patience *patience);
long ipcbox_exchange_call(struct ipcbox_invocation *call);

/* settle.c */
long ipcbox_exchange_settle(struct ipcbox_invocation *call);
long ipcbox_exchange_answer(struct ipcbox_invocation *call);

/* peek.c */
long ipcbox_exchange_peek(struct ipcbox_exchange *exchange,
			  const struct ipcbox_receive *request,
			  const struct ipcbox_selection *selection);

/* receive.c */
long ipcbox_receive_messages(struct ipcbox_handle *handle,
			     const struct ipcbox_receive *request,
			     const struct ipcbox_selection *selection,
			     bool nonblock);
int ipcbox_receive_reply(struct ipcbox_message *message,
			 struct ipcbox_incoming *incoming,
			 struct ipcbox_incoming __user *to);
long ipcbox_exchange_receive(struct ipcbox_invocation *call);
struct ipcbox_message *ipcbox_receive_next(struct ipcbox_handle *handle,
					   bool wait);
ssize_t ipcbox_exchange_read(struct ipcbox_handle *handle, char __user *buffer,
			     size_t size, bool wait, bool exact);

/* notify.c */
void ipcbox_notify_arrival_locked(struct ipcbox_exchange *exchange,
				  bool was_empty, struct pid *pid, kuid_t uid);
void ipcbox_notify_detach(struct ipcbox_handle *handle);
void ipcbox_notify_flush(struct ipcbox_handle *handle);
void ipcbox_notify_destroy(struct ipcbox_exchange *exchange);
long ipcbox_notify_set(struct ipcbox_invocation *call);
int ipcbox_notify_async(struct ipcbox_handle *handle, int descriptor,
			struct file *file, int on);
__poll_t ipcbox_notify_poll(struct ipcbox_handle *handle, struct file *file,
			    poll_table *table);

#endif /* IPCBOX_EXCHANGE_H */
