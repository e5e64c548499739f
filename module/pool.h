/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Receive pools: a mailbox whose receiver maps its messages.
 *
 * A message goes straight into the ring when it finds room there and nobody
 * waits before it. Any other is made and queued as in every mailbox, with the
 * same rules of who may come in and who goes first, and moves from the queue
 * into the ring when there is room. So the ring changes what messages cost, and
 * nothing of what is promised about them.
 */
#ifndef IPCBOX_POOL_H
#define IPCBOX_POOL_H

#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include <linux/ipcbox.h>

#include "exchange.h"
#include "pool_ring.h"

struct cred;
struct page;
struct pid;
struct pid_namespace;
struct user_namespace;
struct vm_area_struct;

/* The pages that a pool consists of, as mmap(2) counts them. */
#define IPCBOX_POOL_RECEIVER_PAGE	0
#define IPCBOX_POOL_KERNEL_PAGE		1
#define IPCBOX_POOL_RING_PAGE		2

/**
 * struct ipcbox_pool_names - how somebody knows processes and users
 * @pid: who that is: a process, held
 * @pid_ns: for pids, held
 * @user_ns: for uids and gids, held
 */
struct ipcbox_pool_names {
	struct pid *pid;
	struct pid_namespace *pid_ns;
	struct user_namespace *user_ns;
};

/**
 * struct ipcbox_pool - a mailbox's receive pool
 * @ring: where the records are
 * @receiver: the receiver's page, in which anything may stand at any time
 * @due_at: when @receiver says that it has released more than this, it is time to
 *	reclaim that
 * @area: the kernel's mapping of all pages
 * @pages: the pages: the receiver's, the kernel's, the ring's
 * @page_count: how many pages there are
 * @shares: those who have sent, by the numbers in the records; its own lock
 * @names: how the records name senders
 * @mapped_by: counts the changes of @names
 * @mappings: how many mappings there are; while there are none the receiver's
 *	page is not looked at
 * @viewed: the present receive handle has mapped the ring
 * @short_of_room: a sender was told that there is none, and may wait for it
 * @busy: a reader without a mapping is copying the oldest message, or the first
 *	mapping is being made; no other begins with either
 *
 * Protected by the exchange's lock, but for what never changes.
 */
struct ipcbox_pool {
	struct ipcbox_pool_ring ring;
	struct ipcbox_pool_receiver *receiver;
	u64 due_at;
	void *area;
	struct page **pages;
	unsigned int page_count;
	struct xarray shares;
	struct ipcbox_pool_names names;
	u64 mapped_by;
	u32 mappings;
	bool viewed;
	bool short_of_room;
	bool busy;
};

/**
 * struct ipcbox_pool_identity - how a record names its sender
 * @pid: as in the record, as are the others
 * @uid: effective uid
 * @gid: effective gid
 * @user: the number of its share
 */
struct ipcbox_pool_identity {
	s32 pid;
	u32 uid;
	u32 gid;
	u32 user;
};

/**
 * struct ipcbox_pool_sender - who sent last by a handle
 * @cred: its credentials, held, so that they are known again
 * @pid: its process, held for the same reason
 * @share: its share
 * @mapped_by: what the pool's was when this was made
 * @identity: how records name it
 *
 * Everything that its next message's header says of the sender, at hand.
 */
struct ipcbox_pool_sender {
	const struct cred *cred;
	struct pid *pid;
	struct ipcbox_share *share;
	u64 mapped_by;
	struct ipcbox_pool_identity identity;
};

/**
 * ipcbox_pool_sign() - write a record's header
 * @record: a reserved record
 * @identity: who sent it
 * @sequence: the message's number
 * @tag: the sender's tag
 * @handle: the number of the sending handle
 */
static inline void
ipcbox_pool_sign(struct ipcbox_pool_record *record,
		 const struct ipcbox_pool_identity *identity, u64 sequence,
		 u64 tag, u64 handle)
{
	record->sequence = sequence;
	record->tag = tag;
	record->handle = handle;
	record->pid = identity->pid;
	record->uid = identity->uid;
	record->gid = identity->gid;
	record->user = identity->user;
}

/**
 * ipcbox_pool_announce() - a record is finished: wake who waits for it
 * @exchange: the mailbox, not locked
 */
static inline void ipcbox_pool_announce(struct ipcbox_exchange *exchange)
{
	/* Has a barrier, see "receive pools" in locking.h. */
	if (wq_has_sleeper(&exchange->readable))
		wake_up_interruptible_poll(&exchange->readable,
					   EPOLLIN | EPOLLRDNORM);
	if (unlikely(READ_ONCE(exchange->async_readable)))
		kill_fasync(&exchange->async_readable, SIGIO, POLL_IN);
}

/**
 * ipcbox_pool_is_due() - has the receiver released a good part of the ring?
 * @pool: the pool, locked
 *
 * Senders look now and then, so that who fills the ring does not find all of it
 * to be reclaimed at once.
 *
 * Return: true if it says so.
 */
static inline bool ipcbox_pool_is_due(const struct ipcbox_pool *pool)
{
	return READ_ONCE(pool->receiver->tail) > pool->due_at;
}

/* pool.c */
struct ipcbox_pool_names ipcbox_pool_names_get(void);
void ipcbox_pool_names_put(const struct ipcbox_pool_names *names);
struct ipcbox_pool *ipcbox_pool_create(u64 size);
void ipcbox_pool_destroy(struct ipcbox_exchange *exchange);
u64 ipcbox_pool_message_max(u64 size);
void ipcbox_pool_detach(struct ipcbox_handle *handle);
bool ipcbox_pool_readable_locked(struct ipcbox_exchange *exchange);
struct ipcbox_pool_identity
ipcbox_pool_identify_locked(struct ipcbox_exchange *exchange, struct pid *pid,
			    kuid_t uid, kgid_t gid,
			    const struct ipcbox_share *share);
void ipcbox_pool_notify(struct ipcbox_exchange *exchange, bool was_empty,
			struct pid *pid, kuid_t uid);
bool ipcbox_pool_release_locked(struct ipcbox_exchange *exchange, u64 end,
				struct ipcbox_wakes *wakes);
bool ipcbox_pool_reclaim_locked(struct ipcbox_exchange *exchange,
				struct ipcbox_wakes *wakes);
bool ipcbox_pool_is_empty_locked(struct ipcbox_exchange *exchange);
void ipcbox_pool_fill(struct ipcbox_exchange *exchange);
void ipcbox_pool_fill_stat(struct ipcbox_exchange *exchange,
			   struct ipcbox_stat *stat);
void ipcbox_pool_update(struct ipcbox_exchange *exchange, bool refused);
int ipcbox_pool_number(struct ipcbox_pool *pool, struct ipcbox_share *share);

/* pool_map.c */
void ipcbox_pool_translate(struct ipcbox_pool_record *record,
			   const struct ipcbox_pool_names *from,
			   const struct ipcbox_pool_names *to);
int ipcbox_pool_mmap(struct ipcbox_handle *handle, struct vm_area_struct *area);

/* pool_send.c */
void ipcbox_pool_sender_free(struct ipcbox_pool_sender *sender);
long ipcbox_pool_send(struct ipcbox_handle *handle,
		      const struct ipcbox_send *request,
		      const struct ipcbox_patience *patience);
ssize_t ipcbox_pool_write(struct ipcbox_handle *handle,
			  const char __user *buffer, size_t size, bool wait);

/* pool_receive.c */
long ipcbox_pool_wait(struct ipcbox_invocation *call);
long ipcbox_pool_receive(struct ipcbox_handle *handle,
			 const struct ipcbox_receive *request, bool nonblock);
ssize_t ipcbox_pool_read(struct ipcbox_handle *handle, char __user *buffer,
			 size_t size, bool wait, bool exact);

#endif /* IPCBOX_POOL_H */
