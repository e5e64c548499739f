/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Dead letters: messages that end otherwise than by being received.
 */
#ifndef IPCBOX_DEAD_LETTER_H
#define IPCBOX_DEAD_LETTER_H

#include <linux/list.h>
#include <linux/types.h>

struct ipcbox_exchange;
struct ipcbox_message;
struct ipcbox_wakes;

void ipcbox_dead_letter_add(struct ipcbox_wakes *wakes,
			    struct ipcbox_message *message, u32 reason);
void ipcbox_dead_letter_end(struct ipcbox_exchange *exchange,
			    struct ipcbox_message *message, u32 reason);
void ipcbox_dead_letter_bury(struct ipcbox_exchange *exchange,
			     struct list_head *letters);

#endif /* IPCBOX_DEAD_LETTER_H */
