// SPDX-License-Identifier: GPL-2.0
/*
 * Messages: allocation and charge, payload in and out, sender's stamp.
 */
#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "box.h"
#include "delivery.h"
#include "exchange.h"
#include "files.h"
#include "message.h"

/*
 * Memory is charged to the sender's memory cgroup. A cgroup without room makes
 * the send fail; no process is killed for it.
 */
#define MESSAGE_GFP (GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/* What fits into one page together with the head. */
#define MESSAGE_INLINE	(PAGE_SIZE - sizeof(struct ipcbox_message))

/* Long payloads go in blocks of this size, as far as memory has them. */
#define MESSAGE_BLOCK	SZ_32K

/**
 * struct ipcbox_segment - a further part of a payload
 * @next: the part after it, or NULL
 * @size: bytes in it
 * @data: the bytes
 */
struct ipcbox_segment {
	struct ipcbox_segment *next;
	u32 size;
	u8 data[];
};

static u32 message_inline(u32 length)
{
	return min_t(u32, length, MESSAGE_INLINE);
}

static struct ipcbox_segment *segment_create(u32 length)
{
	struct ipcbox_segment *segment;
	u32 size;

	size = min_t(u32, length, MESSAGE_BLOCK - sizeof(*segment));
	segment = kmalloc(sizeof(*segment) + size,
			  GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN);
	if (!segment) {
		size = min_t(u32, length, PAGE_SIZE - sizeof(*segment));
		segment = kmalloc(sizeof(*segment) + size, MESSAGE_GFP);
		if (!segment)
			return NULL;
	}
	segment->next = NULL;
	segment->size = size;
	return segment;
}

static int segments_copy_in(struct ipcbox_message *message,
			    const void __user *from, u32 length)
{
	struct ipcbox_segment **link = &message->more;

	while (length) {
		struct ipcbox_segment *segment = segment_create(length);

		if (!segment)
			return -ENOMEM;
		*link = segment;
		if (copy_from_user(segment->data, from, segment->size))
			return -EFAULT;
		link = &segment->next;
		from += segment->size;
		length -= segment->size;
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

static int message_copy_in(struct ipcbox_message *message,
			   const void __user *from, u32 length)
{
	u32 first = message_inline(length);

	if (copy_from_user(message->data, from, first))
		return -EFAULT;
	if (likely(first == length))
		return 0;
	return segments_copy_in(message, from + first, length - first);
}

static void segments_free(struct ipcbox_message *message)
{
	while (message->more) {
		struct ipcbox_segment *segment = message->more;

		message->more = segment->next;
		kfree(segment);
	}
}

static int message_charge(struct ipcbox_share *share, u32 length)
{
	if (!share)
		return 0;
	return ipcbox_user_charge(share->user,
				  (u64)length + IPCBOX_MESSAGE_OVERHEAD);
}

static void message_uncharge(struct ipcbox_share *share, u64 bytes)
{
	if (share)
		ipcbox_user_uncharge(share->user, bytes);
}

/**
 * ipcbox_message_uncharge() - a message's sender is charged for it no more
 * @message: a message that is in no queue and not parked, and will end
 *
 * Before a sender that waits is told, so that it finds its budget free.
 */
void ipcbox_message_uncharge(struct ipcbox_message *message)
{
	struct ipcbox_delivery *delivery = ipcbox_message_delivery(message);
	u64 charged = message->entry.length + IPCBOX_MESSAGE_OVERHEAD;

	if (!message->entry.share)
		return;
	if (unlikely(delivery))
		charged += delivery->reserved;
	message_uncharge(ipcbox_share_of(message->entry.share), charged);
	message->entry.share = NULL;
}

/**
 * ipcbox_message_create() - make a message of the caller's
 * @share: the caller's share, whose user is charged; NULL for a reply, whose
 *	room was charged before
 * @handle: the number of the caller's handle
 * @outgoing: payload and header; length and priority were checked
 *
 * Sleeps for memory and for the user's pages. The stamp is taken from the
 * running process, whatever process opened the handle.
 *
 * Return: the message, or ERR_PTR: -EDQUOT the user's budget is used up,
 * -ENOMEM no memory, -EFAULT the payload cannot be read, -EINTR the caller is
 * being killed.
 */
struct ipcbox_message *
ipcbox_message_create(struct ipcbox_share *share, u64 handle,
		      const struct ipcbox_outgoing *outgoing)
{
	u32 length = outgoing->length;
	struct ipcbox_message *message;
	int error;

	error = message_charge(share, length);
	if (error)
		return ERR_PTR(error);
	message = kmalloc(struct_size(message, data, message_inline(length)),
			  MESSAGE_GFP);
	if (!message) {
		error = -ENOMEM;
		goto uncharge;
	}
	message->entry.sequence = 0;
	message->entry.share = share ? &share->share : NULL;
	message->entry.length = length;
	message->entry.priority = outgoing->priority;
	message->entry.tracked = false;
	message->tag = outgoing->tag;
	message->handle = handle;
	message->more = NULL;
	error = message_copy_in(message, u64_to_user_ptr(outgoing->data),
				length);
	if (error)
		goto free;
	message->pid = get_pid(task_tgid(current));
	message->uid = current_euid();
	message->gid = current_egid();
	return message;

free:
	segments_free(message);
	kfree(message);
uncharge:
	message_uncharge(share, length + IPCBOX_MESSAGE_OVERHEAD);
	return ERR_PTR(error);
}

static void message_release(struct ipcbox_message *message)
{
	put_pid(message->pid);
	if (unlikely(message->more))
		segments_free(message);
	kfree(message);
}

/**
 * ipcbox_message_free() - end a message
 * @message: a message that is in no queue and not parked
 *
 * Its sender is charged for it no more; its memory goes when nobody looks at
 * it.
 */
void ipcbox_message_free(struct ipcbox_message *message)
{
	ipcbox_message_uncharge(message);
	if (unlikely(message->entry.tracked))
		ipcbox_message_put(message);
	else
		message_release(message);
}

/**
 * ipcbox_message_get() - hold a message's memory
 * @message: a tracked message that has not ended
 */
void ipcbox_message_get(struct ipcbox_message *message)
{
	refcount_inc(&message->delivery->references);
}

/**
 * ipcbox_message_put() - undo ipcbox_message_get()
 * @message: the message
 */
void ipcbox_message_put(struct ipcbox_message *message)
{
	struct ipcbox_delivery *delivery = message->delivery;

	if (!refcount_dec_and_test(&delivery->references))
		return;
	ipcbox_files_free(delivery->files);
	kfree(delivery);
	message_release(message);
}

/* A part of the payload: what is left of it to skip, and to copy. */
struct payload_range {
	u32 skip;
	u32 left;
};

/* Copies what the range has in common with one stretch of the payload. */
static int message_copy_part(struct payload_range *range, void __user **to,
			     const u8 *data, u32 size)
{
	u32 skip = min(range->skip, size);
	u32 part = min(range->left, size - skip);

	range->skip -= skip;
	range->left -= part;
	if (copy_to_user(*to, data + skip, part))
		return -EFAULT;
	*to += part;
	return 0;
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
int ipcbox_message_copy_out(const struct ipcbox_message *message,
			    void __user *to, u32 offset, u32 capacity)
{
	u32 length = message->entry.length;
	struct payload_range range = {
		.skip = offset,
		.left = min(length - offset, capacity),
	};
	const struct ipcbox_segment *segment;

	if (message_copy_part(&range, &to, message->data,
			      message_inline(length)))
		return -EFAULT;
	for (segment = message->more; segment && range.left;
	     segment = segment->next)
		if (message_copy_part(&range, &to, segment->data,
				      segment->size))
			return -EFAULT;
	return 0;
}

/**
 * ipcbox_message_describe() - tell a receiver what it has got
 * @message: the message
 * @incoming: the outputs are set, translated into the caller's namespaces
 */
void ipcbox_message_describe(const struct ipcbox_message *message,
			     struct ipcbox_incoming *incoming)
{
	const struct ipcbox_delivery *delivery =
		ipcbox_message_delivery(message);
	struct user_namespace *ns = current_user_ns();

	incoming->length = message->entry.length;
	incoming->descriptor_count = ipcbox_delivery_descriptors(message);
	incoming->tag = message->tag;
	incoming->sequence = message->entry.sequence;
	incoming->handle = message->handle;
	incoming->pid = pid_nr_ns(message->pid, task_active_pid_ns(current));
	incoming->uid = from_kuid_munged(ns, message->uid);
	incoming->gid = from_kgid_munged(ns, message->gid);
	incoming->priority = message->entry.priority;
	incoming->token = delivery ? delivery->token.number : 0;
	incoming->deliveries = delivery ? delivery->deliveries : 0;
	incoming->flags = 0;
	if (delivery && delivery->call)
		incoming->flags |= IPCBOX_INCOMING_CALL;
	if (delivery && delivery->closed)
		incoming->flags |= IPCBOX_INCOMING_CLOSED;
	incoming->origin = delivery ? delivery->origin : 0;
	incoming->origin_sequence = delivery ? delivery->origin_sequence : 0;
	incoming->dead = delivery ? delivery->dead : 0;
	incoming->pad = 0;
}
