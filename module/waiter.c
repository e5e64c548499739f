// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that wait, and how they are served. The rules are in locking.h.
 */
#include <linux/hrtimer.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "exchange.h"
#include "locking.h"

/**
 * ipcbox_waiter_wait() - sleep until there is a result
 * @waiter: the caller's waiter, where others find it
 * @patience: until when
 *
 * Sleeps, after the time to spin; no lock may be held.
 *
 * Return: 0 when @waiter has its result; -ETIMEDOUT or -ERESTARTSYS when the
 * deadline or a signal came first, and others may still find it.
 */
int ipcbox_waiter_wait(struct ipcbox_waiter *waiter,
		       const struct ipcbox_patience *patience)
{
	ktime_t expires = ns_to_ktime(patience->deadline);
	bool forever = patience->deadline == IPCBOX_FOREVER;
	bool late = false;
	int error = 0;

	if (unlikely(waiter->spin))
		ipcbox_spin_wait(waiter);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		/* Pairs with the release in ipcbox_waiter_finish_locked(). */
		if (smp_load_acquire(&waiter->result) != IPCBOX_WAITING)
			break;
		error = -ETIMEDOUT;
		if (late)
			break;
		error = -ERESTARTSYS;
		if (signal_pending(current))
			break;
		error = 0;
		if (likely(forever)) {
			schedule();
			continue;
		}
		late = !schedule_hrtimeout_range_clock(&expires,
						       current->timer_slack_ns,
						       HRTIMER_MODE_ABS,
						       patience->clock);
	}
	__set_current_state(TASK_RUNNING);
	return error;
}
