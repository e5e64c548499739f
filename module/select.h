/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Selective receive: which messages a receiver wants, and which receiver that
 * waits wants a message.
 */
#ifndef IPCBOX_SELECT_H
#define IPCBOX_SELECT_H

#include <linux/list.h>

#include <linux/ipcbox.h>

#include "queue.h"
#include "selector.h"

struct ipcbox_exchange;
struct ipcbox_message;
struct ipcbox_waiter;

#define IPCBOX_SELECT_ALL \
	(IPCBOX_SELECT_TAG | IPCBOX_SELECT_PID | IPCBOX_SELECT_SEQUENCE | \
	 IPCBOX_SELECT_TAG_NOT | IPCBOX_SELECT_TAG_LOWEST)

/**
 * struct ipcbox_walk - a walk through a queue, for what is wanted
 * @node: place among the exchange's walks, for one that must miss nothing
 * @selection: what is wanted
 * @place: where the walk is: what stands here or before was looked at
 * @found: with IPCBOX_SELECT_TAG_LOWEST: something was
 * @best: where it stands, which may be gone
 * @of_best: what is looked at in it
 * @looks: how many more messages may be looked at under this hold of the lock
 */
struct ipcbox_walk {
	struct list_head node;
	const struct ipcbox_selection *selection;
	struct ipcbox_queue_place place;
	bool found;
	struct ipcbox_queue_place best;
	struct ipcbox_traits of_best;
	unsigned int looks;
};

int ipcbox_selection_begin(struct ipcbox_selection *selection,
			   const struct ipcbox_receive *request);
void ipcbox_selection_end(struct ipcbox_selection *selection);
void ipcbox_walk_begin(struct ipcbox_walk *walk,
		       const struct ipcbox_selection *selection);
struct ipcbox_queue_entry *
ipcbox_walk_next_locked(struct ipcbox_exchange *exchange,
			struct ipcbox_walk *walk);
struct ipcbox_queue_entry *
ipcbox_walk_first_locked(struct ipcbox_exchange *exchange,
			 struct ipcbox_walk *walk);
bool ipcbox_walk_goes_on_locked(struct ipcbox_exchange *exchange,
				struct ipcbox_walk *walk);
void ipcbox_walk_arrival_locked(struct ipcbox_exchange *exchange,
				const struct ipcbox_message *message);
struct ipcbox_queue_entry *
ipcbox_selection_parked_locked(struct ipcbox_exchange *exchange,
			       const struct ipcbox_selection *selection);
struct ipcbox_waiter *
ipcbox_selection_waiter_locked(struct ipcbox_exchange *exchange,
			       const struct ipcbox_message *message);

#endif /* IPCBOX_SELECT_H */
