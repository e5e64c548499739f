// SPDX-License-Identifier: GPL-2.0
/*
 * The order in which lifetimes end: the earliest end first, and of those that
 * end at the same time the one that was added first.
 */
#include "compat.h"
#include "lifetime.h"

/**
 * ipcbox_lifetime_init() - make a lifetime without end
 * @lifetime: the lifetime
 */
void ipcbox_lifetime_init(struct ipcbox_lifetime *lifetime)
{
	timerqueue_init(&lifetime->node);
	lifetime->length = 0;
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_lifetime_init);

/**
 * ipcbox_lifetime_begin() - it counts from now on
 * @lifetime: a lifetime with its length, in no order
 * @now: the time
 *
 * What would end after the end of time does so at the end of time.
 */
void ipcbox_lifetime_begin(struct ipcbox_lifetime *lifetime, ktime_t now)
{
	lifetime->node.expires = ktime_add_safe(now, lifetime->length);
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_lifetime_begin);

/**
 * ipcbox_lifetime_is_over() - has it ended?
 * @lifetime: a lifetime that has begun, or one without end
 * @now: the time
 *
 * Return: true from the nanosecond of its end on.
 */
bool ipcbox_lifetime_is_over(const struct ipcbox_lifetime *lifetime,
			     ktime_t now)
{
	return lifetime->length && !ktime_after(lifetime->node.expires, now);
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_lifetime_is_over);

/**
 * ipcbox_lifetime_add() - put a lifetime into the order
 * @order: the order
 * @lifetime: one that has begun and will end
 *
 * Return: true if it is the next to end.
 */
bool ipcbox_lifetime_add(struct timerqueue_head *order,
			 struct ipcbox_lifetime *lifetime)
{
	return timerqueue_add(order, &lifetime->node);
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_lifetime_add);

/**
 * ipcbox_lifetime_remove() - take a lifetime out of the order
 * @order: the order
 * @lifetime: one that is in it
 */
void ipcbox_lifetime_remove(struct timerqueue_head *order,
			    struct ipcbox_lifetime *lifetime)
{
	timerqueue_del(order, &lifetime->node);
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_lifetime_remove);

/**
 * ipcbox_lifetime_next_over() - which has ended?
 * @order: the order
 * @now: the time
 *
 * Return: the first of those that are over, still in the order; or NULL.
 */
struct ipcbox_lifetime *
ipcbox_lifetime_next_over(struct timerqueue_head *order, ktime_t now)
{
	struct timerqueue_node *next = timerqueue_getnext(order);

	if (!next || ktime_after(next->expires, now))
		return NULL;
	return container_of(next, struct ipcbox_lifetime, node);
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_lifetime_next_over);

/**
 * ipcbox_lifetime_remaining() - when must somebody look again?
 * @order: the order
 * @now: the time
 *
 * Return: nanoseconds until the next one ends, 0 when it has;
 * IPCBOX_LIFETIME_NONE when the order is empty.
 */
u64 ipcbox_lifetime_remaining(struct timerqueue_head *order, ktime_t now)
{
	struct timerqueue_node *next = timerqueue_getnext(order);

	if (!next)
		return IPCBOX_LIFETIME_NONE;
	return ktime_after(next->expires, now) ?
		       ktime_to_ns(ktime_sub(next->expires, now)) : 0;
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_lifetime_remaining);
