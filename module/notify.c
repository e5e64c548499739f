// SPDX-License-Identifier: GPL-2.0
/*
 * Notice of what happens on an exchange: poll.
 */
#include <linux/poll.h>

#include "exchange.h"
#include "limits.h"
#include "locking.h"

/*
 * Room for the longest message, so that who was told of room never finds too
 * little. A user who has nothing here has room in any case; one whose share
 * this handle has not met yet counts as such.
 */
static bool notify_has_room_locked(struct ipcbox_exchange *exchange,
				   const struct ipcbox_share *share)
{
	lockdep_assert_held(&exchange->lock);
	return !share || ipcbox_queue_admits(&exchange->queue, &share->share,
					     exchange->max_message_bytes);
}

static __poll_t notify_events_locked(struct ipcbox_exchange *exchange,
				     const struct ipcbox_share *share,
				     u32 rights)
{
	__poll_t events = 0;

	lockdep_assert_held(&exchange->lock);
	if (rights & IPCBOX_RIGHT_RECEIVE) {
		if (ipcbox_queue_first(&exchange->queue))
			events |= EPOLLIN | EPOLLRDNORM;
		if (ipcbox_exchange_no_sender_locked(exchange))
			events |= EPOLLHUP;
	}
	if (rights & IPCBOX_RIGHT_SEND) {
		if (ipcbox_exchange_no_receiver_locked(exchange))
			events |= EPOLLHUP;
		else if (notify_has_room_locked(exchange, share))
			events |= EPOLLOUT | EPOLLWRNORM;
	}
	return events;
}

/**
 * ipcbox_notify_poll() - poll(2) on a mailbox or queue
 * @handle: the handle
 * @file: its file
 * @table: where the caller waits, or nothing
 *
 * Return: events as <linux/ipcbox.h> says.
 */
__poll_t ipcbox_notify_poll(struct ipcbox_handle *handle, struct file *file,
			    poll_table *table)
{
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(handle->object);
	const struct ipcbox_share *share = NULL;
	struct ipcbox_wakes wakes;
	__poll_t events;

	if (handle->rights & IPCBOX_RIGHT_RECEIVE)
		poll_wait(file, &exchange->readable, table);
	if (handle->rights & IPCBOX_RIGHT_SEND) {
		poll_wait(file, &exchange->writable, table);
		share = ipcbox_exchange_share(handle);
	}
	ipcbox_exchange_lock(exchange, &wakes);
	events = notify_events_locked(exchange, share, handle->rights);
	ipcbox_exchange_unlock(exchange, &wakes);
	return events;
}
