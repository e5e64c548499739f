// SPDX-License-Identifier: GPL-2.0
/*
 * Spinning: a short wait may cost less than falling asleep and being woken.
 *
 * It is worth a processor's time only while the other side is at work on
 * another one. Where that last was is a hint, kept for each side of an
 * exchange without further care; what bounds the spinning is its time, and the
 * scheduler's wish for the processor.
 */
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>

#include "exchange.h"
#include "ioctl.h"
#include "locking.h"

/**
 * ipcbox_spin_wait() - wait for a waiter's result, awake
 * @waiter: the caller's, where others find it, with its handle's spin time
 *
 * No lock may be held.
 */
void ipcbox_spin_wait(const struct ipcbox_waiter *waiter)
{
	ktime_t end;

	if (num_online_cpus() == 1 ||
	    READ_ONCE(*waiter->peer) == raw_smp_processor_id())
		return;
	end = ktime_add_ns(ktime_get(), waiter->spin);
	while (READ_ONCE(waiter->result) == IPCBOX_WAITING &&
	       !need_resched() && !signal_pending(current) &&
	       ktime_before(ktime_get(), end))
		cpu_relax();
}

/**
 * ipcbox_spin_set() - serve IPCBOX_IOC_SPIN
 * @call: a call on a handle, with a struct ipcbox_spin
 *
 * Return: 0, or an errno as <linux/ipcbox.h> says.
 */
long ipcbox_spin_set(struct ipcbox_invocation *call)
{
	struct ipcbox_handle *handle = ipcbox_handle_of(call);
	const struct ipcbox_spin *request = call->request;

	if (request->flags || request->time > IPCBOX_SPIN_MAX)
		return -EINVAL;
	if (!(handle->rights & (IPCBOX_RIGHT_RECEIVE | IPCBOX_RIGHT_SEND)))
		return -EACCES;
	WRITE_ONCE(handle->spin, request->time);
	return 0;
}
