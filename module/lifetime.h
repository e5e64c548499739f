/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lifetimes, and the order in which they end: pure state.
 *
 * It knows nothing of messages, has no clock of its own, never sleeps and takes
 * no lock: whoever owns the order serialises every call and says what time it
 * is. KUnit tests it alone.
 */
#ifndef IPCBOX_LIFETIME_H
#define IPCBOX_LIFETIME_H

#include <linux/ktime.h>
#include <linux/timerqueue.h>
#include <linux/types.h>

/* Nothing ends. */
#define IPCBOX_LIFETIME_NONE	U64_MAX

/**
 * struct ipcbox_lifetime - how long a message may wait
 * @node: its place in the order, and when it ends
 * @length: nanoseconds from its beginning, at most KTIME_MAX; 0 for ever
 */
struct ipcbox_lifetime {
	struct timerqueue_node node;
	u64 length;
};

void ipcbox_lifetime_init(struct ipcbox_lifetime *lifetime);
void ipcbox_lifetime_begin(struct ipcbox_lifetime *lifetime, ktime_t now);
bool ipcbox_lifetime_is_over(const struct ipcbox_lifetime *lifetime,
			     ktime_t now);
bool ipcbox_lifetime_add(struct timerqueue_head *order,
			 struct ipcbox_lifetime *lifetime);
void ipcbox_lifetime_remove(struct timerqueue_head *order,
			    struct ipcbox_lifetime *lifetime);
struct ipcbox_lifetime *
ipcbox_lifetime_next_over(struct timerqueue_head *order, ktime_t now);
u64 ipcbox_lifetime_remaining(struct timerqueue_head *order, ktime_t now);

#endif /* IPCBOX_LIFETIME_H */
