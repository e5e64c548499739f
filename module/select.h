/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Selective receive: which messages a receiver wants, and which receiver that
 * waits wants a message.
 */
#ifndef IPCBOX_SELECT_H
#define IPCBOX_SELECT_H

#include <linux/types.h>

#include <linux/ipcbox.h>

struct ipcbox_exchange;
struct ipcbox_message;
struct ipcbox_queue_entry;
struct ipcbox_waiter;
struct pid;

#define IPCBOX_SELECT_ALL \
	(IPCBOX_SELECT_TAG | IPCBOX_SELECT_PID | IPCBOX_SELECT_SEQUENCE)

/**
 * struct ipcbox_selection - what a receiver wants
 * @flags: IPCBOX_SELECT_* bits; 0 wants every message
 * @mask: the bits of the tag that count
 * @tag: what they are
 * @pid: the sender, held
 * @sequence: the number
 *
 * Fields that @flags does not name are zero.
 */
struct ipcbox_selection {
	u32 flags;
	u64 mask;
	u64 tag;
	struct pid *pid;
	u64 sequence;
};

int ipcbox_selection_begin(struct ipcbox_selection *selection,
			   const struct ipcbox_receive *request);
void ipcbox_selection_end(struct ipcbox_selection *selection);
struct ipcbox_queue_entry *
ipcbox_selection_next_locked(struct ipcbox_exchange *exchange,
			     const struct ipcbox_selection *selection,
			     struct ipcbox_queue_entry *entry);
struct ipcbox_queue_entry *
ipcbox_selection_parked_locked(struct ipcbox_exchange *exchange,
			       const struct ipcbox_selection *selection);

void ipcbox_selector_add_locked(struct ipcbox_exchange *exchange,
				struct ipcbox_waiter *waiter);
void ipcbox_selector_remove_locked(struct ipcbox_exchange *exchange,
				   struct ipcbox_waiter *waiter);
struct ipcbox_waiter *
ipcbox_selector_find_locked(struct ipcbox_exchange *exchange,
			    const struct ipcbox_message *message);

#endif /* IPCBOX_SELECT_H */
