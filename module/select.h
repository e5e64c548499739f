/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Selective receive: which messages a receiver wants, and which receiver that
 * waits wants a message.
 */
#ifndef IPCBOX_SELECT_H
#define IPCBOX_SELECT_H

#include <linux/ipcbox.h>

#include "selector.h"

struct ipcbox_exchange;
struct ipcbox_message;
struct ipcbox_queue_entry;
struct ipcbox_waiter;

#define IPCBOX_SELECT_ALL \
	(IPCBOX_SELECT_TAG | IPCBOX_SELECT_PID | IPCBOX_SELECT_SEQUENCE | \
	 IPCBOX_SELECT_TAG_NOT | IPCBOX_SELECT_TAG_LOWEST)

int ipcbox_selection_begin(struct ipcbox_selection *selection,
			   const struct ipcbox_receive *request);
void ipcbox_selection_end(struct ipcbox_selection *selection);
struct ipcbox_queue_entry *
ipcbox_selection_next_locked(struct ipcbox_exchange *exchange,
			     const struct ipcbox_selection *selection,
			     struct ipcbox_queue_entry *entry);
struct ipcbox_queue_entry *
ipcbox_selection_first_locked(struct ipcbox_exchange *exchange,
			      const struct ipcbox_selection *selection);
struct ipcbox_queue_entry *
ipcbox_selection_parked_locked(struct ipcbox_exchange *exchange,
			       const struct ipcbox_selection *selection);
struct ipcbox_waiter *
ipcbox_selection_waiter_locked(struct ipcbox_exchange *exchange,
			       const struct ipcbox_message *message);

#endif /* IPCBOX_SELECT_H */
