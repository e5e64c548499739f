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

#include "block.h"
#include "box.h"
#include "delivery.h"
#include "exchange.h"
#include "files.h"
#include "message.h"
#include "usercopy.h"

/*
 * Memory is charged to the sender's memory cgroup. A cgroup without room makes
 * the send fail; no process is killed for it.
 */
#define MESSAGE_GFP (GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

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

/*
 * Short messages are carved from blocks; where that cannot be, and for those of up to
 * some pages, there are caches. These have a constructor, so that kernels which
 * initialise what they allocate do it once, and not for each message: of a message
 * every byte that is read is written before. Payloads are mostly powers of two, so
 * sizes are, with the head and a pointer of the slab allocator's.
 */
#define MESSAGE_CACHE_SIZE(whole)	((whole) - sizeof(void *))

/* What goes with the head, and a pointer to the rest, into the largest. */
#define MESSAGE_INLINE	(MESSAGE_CACHE_SIZE(4224) - \
			 sizeof(struct ipcbox_message) - \
			 sizeof(struct ipcbox_segment *))

/**
 * struct message_cache - memory for messages
 * @name: as /proc/slabinfo shows it
 * @size: bytes of each, head included
 * @cache: the memory
 */
struct message_cache {
	const char *name;
	u32 size;
	struct kmem_cache *cache;
};

#define MESSAGE_CACHE(whole) \
	{ .name = "ipcbox_message_" #whole, .size = MESSAGE_CACHE_SIZE(whole) }

static struct message_cache message_caches[] = {
	MESSAGE_CACHE(128),
	MESSAGE_CACHE(192),
	MESSAGE_CACHE(256),
	MESSAGE_CACHE(384),
	MESSAGE_CACHE(640),
	MESSAGE_CACHE(1152),
	MESSAGE_CACHE(2176),
	MESSAGE_CACHE(4224),
};

/* The cache for messages of this length, of which the longest have the rest elsewhere. */
static struct kmem_cache *message_cache(u32 length)
{
	u32 size = min_t(u32, length, MESSAGE_INLINE) +
		   sizeof(struct ipcbox_message);
	const struct message_cache *fit = message_caches;

	while (fit->size < size)
		fit++;
	return fit->cache;
}

static void message_construct(void *memory)
{
	memset(memory, 0, sizeof(struct ipcbox_message));
}

/**
 * ipcbox_message_exit() - there are no messages any more
 */
void ipcbox_message_exit(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(message_caches); i++)
		kmem_cache_destroy(message_caches[i].cache);
	ipcbox_block_exit();
}

/**
 * ipcbox_message_init() - make ready for messages
 *
 * Return: 0, or -ENOMEM.
 */
int ipcbox_message_init(void)
{
	const u32 head = sizeof(struct ipcbox_message);
	u32 i;
	int error;

	error = ipcbox_block_init();
	if (error)
		return error;
	for (i = 0; i < ARRAY_SIZE(message_caches); i++) {
		struct message_cache *made = &message_caches[i];

		made->cache = kmem_cache_create_usercopy(made->name, made->size,
							 0, SLAB_ACCOUNT, head,
							 made->size - head,
							 message_construct);
		if (!made->cache) {
			ipcbox_message_exit();
			return -ENOMEM;
		}
	}
	return 0;
}

static struct ipcbox_message *message_allocate(u32 length)
{
	struct ipcbox_message *message;

	message = kmem_cache_alloc(message_cache(length), MESSAGE_GFP);
	if (message)
		message->entry.block = 0;
	return message;
}

static struct ipcbox_message *message_carve(struct ipcbox_share *share,
					    u32 size,
					    struct ipcbox_block **block)
{
	struct ipcbox_message *message;

	if (unlikely(!ipcbox_block_fits(*block, size))) {
		ipcbox_block_renew(block, share);
		if (ipcbox_block_is_none(*block))
			return NULL;
	}
	message = ipcbox_block_carve(*block, size);
	message->entry.block = (*block)->shift;
	return message;
}

/* A short message of a block's, if the caller has one. */
static struct ipcbox_message *
message_obtain(struct ipcbox_share *share, u32 length,
	       struct ipcbox_block **block, u32 extra)
{
	struct ipcbox_message *message = NULL;
	u32 size = round_up(sizeof(*message) + length, sizeof(u64)) + extra;

	if (likely(block && length <= IPCBOX_BLOCK_PIECE &&
		   size <= IPCBOX_BLOCK_PIECE))
		message = message_carve(share, size, block);
	return likely(message) ? message : message_allocate(length);
}

/* Where the rest of a long message is linked. */
static struct ipcbox_segment **message_more(const struct ipcbox_message *message)
{
	return (struct ipcbox_segment **)(message->data + MESSAGE_INLINE);
}

static void segments_free(struct ipcbox_segment *segment)
{
	struct ipcbox_segment *next;

	for (; segment; segment = next) {
		next = segment->next;
		kfree(segment);
	}
}

static noinline void message_deallocate_whole(struct ipcbox_message *message)
{
	if (message->entry.length > MESSAGE_INLINE)
		segments_free(*message_more(message));
	kmem_cache_free(message_cache(message->entry.length), message);
}

static inline void message_deallocate(struct ipcbox_message *message)
{
	if (likely(message->entry.block))
		ipcbox_block_drop(message, message->entry.block);
	else
		message_deallocate_whole(message);
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

static int segments_copy_in(struct ipcbox_segment **link,
			    const void __user *from, u32 length)
{
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
	const u32 first = MESSAGE_INLINE;

	if (likely(length <= first))
		return ipcbox_copy_in(message->data, from, length);
	*message_more(message) = NULL;
	if (copy_from_user(message->data, from, first))
		return -EFAULT;
	return segments_copy_in(message_more(message), from + first,
				length - first);
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

static __always_inline void
message_release_charge(struct ipcbox_message *message)
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
 * ipcbox_message_uncharge() - a message's sender is charged for it no more
 * @message: a message that is in no queue and not parked, and will end
 *
 * Before a sender that waits is told, so that it finds its budget free.
 */
void ipcbox_message_uncharge(struct ipcbox_message *message)
{
	message_release_charge(message);
}

/* Who sends it: the running process, whatever process opened the handle. */
static __always_inline void message_stamp(struct ipcbox_message *message,
					  u64 handle)
{
	message->handle = handle;
	message->pid = get_pid(task_tgid(current));
	message->uid = current_euid();
	message->gid = current_egid();
}

/**
 * ipcbox_message_create() - make a message of the caller's
 * @share: the caller's share, whose user is charged; NULL for a reply, whose
 *	room was charged before
 * @handle: the number of the caller's handle
 * @outgoing: payload and header; length and priority were checked
 * @block: what was taken for it, and is put back afterwards; or NULL
 * @extra: bytes to have behind the payload, a multiple of 8, if it comes of a block
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
		      const struct ipcbox_outgoing *outgoing,
		      struct ipcbox_block **block, u32 extra)
{
	u32 length = outgoing->length;
	struct ipcbox_message *message;
	int error;

	error = message_charge(share, length);
	if (error)
		return ERR_PTR(error);
	message = message_obtain(share, length, block, extra);
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
	error = message_copy_in(message, u64_to_user_ptr(outgoing->data),
				length);
	if (error)
		goto free;
	message_stamp(message, handle);
	return message;

free:
	message_deallocate(message);
uncharge:
	message_uncharge(share, length + IPCBOX_MESSAGE_OVERHEAD);
	return ERR_PTR(error);
}

/**
 * ipcbox_message_rewrite() - make one message of another, in its memory
 * @message: a message that is charged to nobody and that nobody else looks at; it keeps
 *	its number
 * @handle: the number of the caller's handle
 * @outgoing: header; priority and length were checked
 * @data: payload, for which there is room
 *
 * The stamp is taken from the running process.
 */
void ipcbox_message_rewrite(struct ipcbox_message *message, u64 handle,
			    const struct ipcbox_outgoing *outgoing,
			    const void *data)
{
	memcpy(message->data, data, outgoing->length);
	message->entry.length = outgoing->length;
	message->entry.priority = outgoing->priority;
	message->tag = outgoing->tag;
	put_pid(message->pid);
	message_stamp(message, handle);
}

static void message_release(struct ipcbox_message *message)
{
	put_pid(message->pid);
	message_deallocate(message);
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
	message_release_charge(message);
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
	if (!delivery->inside)
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
	if (ipcbox_copy_out(*to, data + skip, part))
		return -EFAULT;
	*to += part;
	return 0;
}

/**
 * ipcbox_message_copy_long() - ipcbox_message_copy_out(), of any message
 * @message: the message
 * @to: where to
 * @offset: bytes to leave out at the beginning, at most the length
 * @capacity: room at @to; what does not fit is left out
 *
 * Return: 0, or -EFAULT.
 */
int ipcbox_message_copy_long(const struct ipcbox_message *message,
			     void __user *to, u32 offset, u32 capacity)
{
	u32 length = message->entry.length;
	struct payload_range range = {
		.skip = offset,
		.left = min(length - offset, capacity),
	};
	const struct ipcbox_segment *segment;

	if (length <= MESSAGE_INLINE)
		return ipcbox_copy_out(to, message->data + offset, range.left);
	if (message_copy_part(&range, &to, message->data,
			      MESSAGE_INLINE))
		return -EFAULT;
	for (segment = *message_more(message); segment && range.left;
	     segment = segment->next)
		if (message_copy_part(&range, &to, segment->data,
				      segment->size))
			return -EFAULT;
	return 0;
}

/**
 * ipcbox_message_describe_delivery() - tell what a tracked message has besides
 * @delivery: the message's
 * @incoming: of another message all this is zero
 */
void ipcbox_message_describe_delivery(const struct ipcbox_delivery *delivery,
				      struct ipcbox_incoming *incoming)
{
	incoming->token = delivery->token.number;
	incoming->deliveries = delivery->deliveries;
	if (delivery->files)
		incoming->descriptor_count = delivery->files->count;
	if (delivery->call)
		incoming->flags |= IPCBOX_INCOMING_CALL;
	if (delivery->closed)
		incoming->flags |= IPCBOX_INCOMING_CLOSED;
	incoming->origin = delivery->origin;
	incoming->origin_sequence = delivery->origin_sequence;
	incoming->dead = delivery->dead;
}

/**
 * ipcbox_message_copy() - copy payload to the kernel's own memory
 * @message: the message
 * @to: where to: room for all of it
 */
void ipcbox_message_copy(const struct ipcbox_message *message, void *to)
{
	u32 length = message->entry.length;
	const struct ipcbox_segment *segment;

	memcpy(to, message->data, min_t(u32, length, MESSAGE_INLINE));
	if (length <= MESSAGE_INLINE)
		return;
	to += MESSAGE_INLINE;
	for (segment = *message_more(message); segment;
	     segment = segment->next) {
		memcpy(to, segment->data, segment->size);
		to += segment->size;
	}
}
