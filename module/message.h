/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A message: its memory, its payload in and out, its sender's stamp.
 */
#ifndef IPCBOX_MESSAGE_H
#define IPCBOX_MESSAGE_H

#include <linux/build_bug.h>
#include <linux/types.h>
#include <linux/uidgid.h>

#include <linux/ipcbox.h>

#include "queue.h"

struct ipcbox_block;
struct ipcbox_delivery;
struct ipcbox_share;
struct ipcbox_waiter;
struct pid;

/*
 * What a message costs its sender's budget besides its payload: about what it
 * costs the kernel. <linux/ipcbox.h> promises the figure.
 */
#define IPCBOX_MESSAGE_OVERHEAD	128

/**
 * struct ipcbox_message - a message on its way
 * @entry: its place in a queue
 * @tag: the sender's tag
 * @handle: the number of the sending handle
 * @pid: the sending process, held
 * @uid: its effective uid
 * @gid: its effective gid
 * @waiter: the sender that waits for room, while the entry is parked and not
 *	tracked
 * @delivery: what is kept of a message that is tracked
 * @data: payload, or what of it fits into a page with this
 *
 * A payload of up to 16 bytes fits into 128 bytes with it, and a pointer of the
 * slab allocator's, or its part of a block's.
 */
struct ipcbox_message {
	struct ipcbox_queue_entry entry;
	u64 tag;
	u64 handle;
	struct pid *pid;
	kuid_t uid;
	kgid_t gid;
	union {
		struct ipcbox_waiter *waiter;
		struct ipcbox_delivery *delivery;
	};
	u8 data[];
};

static_assert(sizeof(struct ipcbox_message) <= 104);

static inline struct ipcbox_message *
ipcbox_message_of(struct ipcbox_queue_entry *entry)
{
	return container_of(entry, struct ipcbox_message, entry);
}

/**
 * ipcbox_message_delivery() - what is kept of a tracked message
 * @message: the message
 *
 * Return: its delivery, or NULL for a message that is not tracked.
 */
static inline struct ipcbox_delivery *
ipcbox_message_delivery(const struct ipcbox_message *message)
{
	return message->entry.tracked ? message->delivery : NULL;
}

int ipcbox_message_init(void);
void ipcbox_message_exit(void);
struct ipcbox_message *
ipcbox_message_create(struct ipcbox_share *share, u64 handle,
		      const struct ipcbox_outgoing *outgoing,
		      struct ipcbox_block **block);
void ipcbox_message_uncharge(struct ipcbox_message *message);
void ipcbox_message_free(struct ipcbox_message *message);
void ipcbox_message_get(struct ipcbox_message *message);
void ipcbox_message_put(struct ipcbox_message *message);
int ipcbox_message_copy_out(const struct ipcbox_message *message,
			    void __user *to, u32 offset, u32 capacity);
void ipcbox_message_copy(const struct ipcbox_message *message, void *to);
void ipcbox_message_describe(const struct ipcbox_message *message,
			     struct ipcbox_incoming *incoming);

#endif /* IPCBOX_MESSAGE_H */
