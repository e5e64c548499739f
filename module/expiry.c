// SPDX-License-Identifier: GPL-2.0
/*
 * The end of messages that carry a lifetime.
 *
 * A message is never received after its time: receivers look. The work here
 * makes it leave the queue, and its room, soon after, whether anybody receives
 * or not.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>

#include "delivery.h"
#include "exchange.h"
#include "locking.h"
#include "message.h"

static void expiry_schedule_locked(struct ipcbox_exchange *exchange)
{
	u64 delay = ipcbox_lifetime_remaining(&exchange->expiries, ktime_get());

	if (delay == IPCBOX_LIFETIME_NONE)
		return;
	/* One more, as a jiffy has begun already. */
	mod_delayed_work(system_unbound_wq, &exchange->expire,
			 min_t(u64, nsecs_to_jiffies64(delay) + 1,
			       MAX_JIFFY_OFFSET));
}

/**
 * ipcbox_expiry_add_locked() - a message that may expire was queued
 * @exchange: the exchange, locked
 * @delivery: of the message
 */
void ipcbox_expiry_add_locked(struct ipcbox_exchange *exchange,
			      struct ipcbox_delivery *delivery)
{
	lockdep_assert_held(&exchange->lock);
	if (ipcbox_lifetime_add(&exchange->expiries, &delivery->lifetime))
		expiry_schedule_locked(exchange);
}

/* Returns true if there are more. */
static bool expiry_chunk(struct ipcbox_exchange *exchange)
{
	struct ipcbox_wakes wakes __uninitialized;
	struct ipcbox_lifetime *over;
	unsigned int n;
	bool more;

	ipcbox_exchange_lock(exchange, &wakes);
	for (n = 0; n < IPCBOX_DELIVERY_CHUNK; n++) {
		over = ipcbox_lifetime_next_over(&exchange->expiries,
						 ktime_get());
		if (!over)
			break;
		ipcbox_delivery_expire_locked(exchange,
					      ipcbox_delivery_of_lifetime(over),
					      &wakes);
	}
	more = n == IPCBOX_DELIVERY_CHUNK;
	if (!more)
		expiry_schedule_locked(exchange);
	ipcbox_exchange_unlock(exchange, &wakes);
	return more;
}

/**
 * ipcbox_expiry_work() - end the messages whose time has come
 * @work: an exchange's expire
 */
void ipcbox_expiry_work(struct work_struct *work)
{
	struct ipcbox_exchange *exchange =
		container_of(to_delayed_work(work), struct ipcbox_exchange,
			     expire);

	while (expiry_chunk(exchange))
		cond_resched();
}
