/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A message: its memory, its payload in and out, its sender's stamp.
 */
#ifndef IPCBOX_MESSAGE_H
#define IPCBOX_MESSAGE_H

#include <linux/build_bug.h>
#include <linux/cred.h>
#include <linux/minmax.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

#include <linux/ipcbox.h>

#include "queue.h"
#include "usercopy.h"

struct ipcbox_block;
struct ipcbox_delivery;
struct ipcbox_share;
struct ipcbox_waiter;

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
 * @data: payload, or the first part of one that has segments
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
		      struct ipcbox_block **block, u32 extra);
void ipcbox_message_rewrite(struct ipcbox_message *message, u64 handle,
			    const struct ipcbox_outgoing *outgoing,
			    const void *data);
void ipcbox_message_uncharge(struct ipcbox_message *message);
void ipcbox_message_free(struct ipcbox_message *message);
void ipcbox_message_get(struct ipcbox_message *message);
void ipcbox_message_put(struct ipcbox_message *message);
int ipcbox_message_copy_long(const struct ipcbox_message *message,
			     void __user *to, u32 offset, u32 capacity);
void ipcbox_message_copy(const struct ipcbox_message *message, void *to);
void ipcbox_message_describe_delivery(const struct ipcbox_delivery *delivery,
				      struct ipcbox_incoming *incoming);

/**
 * ipcbox_message_ask() - read what a receiver asks
 * @incoming: its inputs are set
 * @from: the user's
 * @user_size: its size, as the user knows it
 *
 * Return: 0, -EFAULT, or -E2BIG as ipcbox_copy_struct_in() has it.
 */
static inline int ipcbox_message_ask(struct ipcbox_incoming *incoming,
				     const void __user *from, size_t user_size)
{
	/* Where it holds all that is known here, outputs are not read. */
	if (likely(user_size == sizeof(*incoming)))
		return ipcbox_copy_in(incoming, from,
				      offsetof(struct ipcbox_incoming, length));
	return copy_struct_from_user(incoming, sizeof(*incoming), from,
				     user_size);
}

/**
 * ipcbox_message_copy_out() - copy payload to the receiver
 * @message: the message
 * @to: where to
 * @offset: bytes to leave out at the beginning, at most the length
 * @capacity: room at @to; what does not fit is left out
 *
 * Return: 0, or -EFAULT.
 */
static inline int ipcbox_message_copy_out(const struct ipcbox_message *message,
					  void __user *to, u32 offset,
					  u32 capacity)
{
	u32 length = message->entry.length;

	if (likely(length <= IPCBOX_USERCOPY_SHORT))
		return ipcbox_copy_out(to, message->data + offset,
				       min(length - offset, capacity));
	return ipcbox_message_copy_long(message, to, offset, capacity);
}

/**
 * ipcbox_message_describe() - tell a receiver what it has got
 * @message: the message
 * @incoming: the outputs are set, translated into the caller's namespaces
 */
static inline void
ipcbox_message_describe(const struct ipcbox_message *message,
			struct ipcbox_incoming *incoming)
{
	const struct ipcbox_delivery *delivery =
		ipcbox_message_delivery(message);
	struct user_namespace *ns = current_user_ns();

	incoming->length = message->entry.length;
	incoming->descriptor_count = 0;
	incoming->tag = message->tag;
	incoming->sequence = message->entry.sequence;
	incoming->handle = message->handle;
	/* In the first namespace a process has its first number. */
	incoming->pid = likely(!task_pid(current)->level) ?
				pid_nr(message->pid) :
				pid_nr_ns(message->pid,
					  task_active_pid_ns(current));
	/* There every id is itself: spare the look-up. */
	if (likely(ns == &init_user_ns)) {
		incoming->uid = __kuid_val(message->uid);
		incoming->gid = __kgid_val(message->gid);
	} else {
		incoming->uid = from_kuid_munged(ns, message->uid);
		incoming->gid = from_kgid_munged(ns, message->gid);
	}
	incoming->priority = message->entry.priority;
	incoming->token = 0;
	incoming->deliveries = 0;
	incoming->flags = 0;
	incoming->origin = 0;
	incoming->origin_sequence = 0;
	incoming->dead = 0;
	incoming->pad = 0;
	if (unlikely(delivery))
		ipcbox_message_describe_delivery(delivery, incoming);
}

#endif /* IPCBOX_MESSAGE_H */
