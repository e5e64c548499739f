// SPDX-License-Identifier: GPL-2.0
/*
 * Channels: a ring that one producer and one consumer map, each its own part for
 * writing. The kernel moves no messages: it decides who maps what, puts to sleep,
 * wakes, and tells when an end is gone. The protocol between the ends is in
 * <linux/ipcbox_ring.h>; what they write in their pages is looked at here, too,
 * and may be anything.
 */
#include <linux/atomic.h>
#include <linux/gfp.h>
#include <linux/hrtimer.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "channel.h"
#include "compat.h"
#include "exchange.h"
#include "locking.h"
#include "mapping.h"
#include "trace.h"

#define CHANNEL_BYTES		SZ_256K
#define CHANNEL_BYTES_MAX	SZ_1G

/* Records are multiples of this. */
#define CHANNEL_GRAIN		8

enum channel_side {
	CHANNEL_CONSUMER,
	CHANNEL_PRODUCER,
	CHANNEL_SIDES
};

static const u32 channel_rights[] = {
	[CHANNEL_CONSUMER] = IPCBOX_RIGHT_RECEIVE,
	[CHANNEL_PRODUCER] = IPCBOX_RIGHT_SEND,
};

static const __poll_t channel_events[] = {
	[CHANNEL_CONSUMER] = EPOLLIN | EPOLLRDNORM,
	[CHANNEL_PRODUCER] = EPOLLOUT | EPOLLWRNORM,
};

/**
 * struct channel_end - what the kernel knows of an end
 * @frame: the page that the end alone can write
 * @page: the same, as the kernel sees it; every read may give another value
 * @handle: the end's handle, or NULL; under box->lock
 * @left: there was a handle before; under box->lock
 * @ended: the end is gone for good; under box->lock, READ_ONCE() without
 * @waiting: threads of the end in WAIT
 * @waiters: they, and those that poll it
 */
struct channel_end {
	struct page *frame;
	struct ipcbox_channel_page *page;
	struct ipcbox_handle *handle;
	bool left;
	bool ended;
	atomic_t waiting;
	wait_queue_head_t waiters;
};

/**
 * struct ipcbox_channel - a channel
 * @object: what all objects have; object.mapped_bytes is the size of the ring
 * @ends: its ends, by side
 * @mappings: memory areas that map it
 * @count: pages of the ring
 * @data: the pages
 */
struct ipcbox_channel {
	struct ipcbox_object object;
	struct channel_end ends[CHANNEL_SIDES];
	atomic_t mappings;
	unsigned long count;
	struct page **data;
};

static struct ipcbox_channel *channel_of(struct ipcbox_object *object)
{
	return container_of(object, struct ipcbox_channel, object);
}

static u32 channel_size(const struct ipcbox_channel *channel)
{
	return channel->object.mapped_bytes;
}

/* The side of a handle's end; -EACCES when it only manages. */
static int channel_side_of(const struct ipcbox_handle *handle)
{
	if (handle->rights & IPCBOX_RIGHT_SEND)
		return CHANNEL_PRODUCER;
	if (handle->rights & IPCBOX_RIGHT_RECEIVE)
		return CHANNEL_CONSUMER;
	return -EACCES;
}

static enum channel_side channel_opposite(enum channel_side side)
{
	return side == CHANNEL_PRODUCER ? CHANNEL_CONSUMER : CHANNEL_PRODUCER;
}

static u32 channel_position(const struct channel_end *end)
{
	/* Pairs with the release by which the end publishes. */
	return smp_load_acquire(&end->page->position);
}

/* The word of its attention, as both the kernel and its owner change it. */
static atomic_t *channel_attention(struct channel_end *end)
{
	return (atomic_t *)&end->page->attention;
}

/*
 * Life
 */

static void channel_free(struct ipcbox_channel *channel)
{
	enum channel_side side;
	unsigned long i;

	for (i = 0; channel->data && i < channel->count; i++)
		if (channel->data[i])
			put_page(channel->data[i]);
	kvfree(channel->data);
	for (side = 0; side < CHANNEL_SIDES; side++)
		if (channel->ends[side].frame)
			put_page(channel->ends[side].frame);
	kfree(channel);
}

static int channel_allocate(struct ipcbox_channel *channel)
{
	const gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO;
	enum channel_side side;
	unsigned long i;

	for (side = 0; side < CHANNEL_SIDES; side++) {
		struct channel_end *end = &channel->ends[side];

		init_waitqueue_head(&end->waiters);
		end->frame = alloc_page(gfp);
		if (!end->frame)
			return -ENOMEM;
		end->page = page_address(end->frame);
	}
	channel->data = kvcalloc(channel->count, sizeof(*channel->data),
				 GFP_KERNEL_ACCOUNT);
	if (!channel->data)
		return -ENOMEM;
	for (i = 0; i < channel->count; i++) {
		channel->data[i] = alloc_page(gfp | __GFP_HIGHMEM);
		if (!channel->data[i])
			return -ENOMEM;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static struct ipcbox_object *channel_create(const struct ipcbox_create *request)
{
	const u32 flags = IPCBOX_CREATE_EXCLUSIVE | IPCBOX_CREATE_PERSISTENT |
			  IPCBOX_CREATE_NONBLOCK;
	const u32 both = IPCBOX_RIGHT_RECEIVE | IPCBOX_RIGHT_SEND;
	u64 size = request->mapped_bytes ?: CHANNEL_BYTES;
	struct ipcbox_channel *channel;
	int error;

	if (!is_power_of_2(size) || size < PAGE_SIZE ||
	    size > CHANNEL_BYTES_MAX || (request->rights & both) == both ||
	    request->flags & ~flags || request->semaphores ||
	    request->max_messages || request->max_bytes ||
	    request->max_message_bytes || request->max_descriptors)
		return ERR_PTR(-EINVAL);
	channel = kzalloc(sizeof(*channel), GFP_KERNEL_ACCOUNT);
	if (!channel)
		return ERR_PTR(-ENOMEM);
	channel->object.mapped_bytes = size;
	channel->count = size >> PAGE_SHIFT;
	error = channel_allocate(channel);
	if (error) {
		channel_free(channel);
		return ERR_PTR(error);
	}
	return &channel->object;
}

static void channel_destroy(struct ipcbox_object *object)
{
	channel_free(channel_of(object));
}

static void channel_wake(struct ipcbox_channel *channel, enum channel_side side,
			 __poll_t more)
{
	wake_up_interruptible_poll(&channel->ends[side].waiters,
				   channel_events[side] | more);
}

/*
 * Who is gone for good, and tell. Nobody maps the page of such an end any more,
 * so what is said there is true.
 */
static void channel_update_ends_locked(struct ipcbox_channel *channel)
{
	u32 state = READ_ONCE(channel->object.state);
	enum channel_side side;

	lockdep_assert_held(&channel->object.box->lock);
	for (side = 0; side < CHANNEL_SIDES; side++) {
		struct channel_end *end = &channel->ends[side];

		if (end->ended || end->handle)
			continue;
		if (!(state & IPCBOX_STATE_UNLINKED) &&
		    (!end->left || state & IPCBOX_STATE_PERSISTENT))
			continue;
		atomic_or(IPCBOX_CHANNEL_ENDED, channel_attention(end));
		/* Pairs with the acquire in channel_sleep(). */
		smp_store_release(&end->ended, true);
		channel_wake(channel, channel_opposite(side), EPOLLHUP);
	}
}

/*
 * Without ends there is nobody who could tell where they really were, so what
 * cannot be, as a hostile end left it, is made good.
 */
static void channel_repair_locked(struct ipcbox_channel *channel)
{
	struct channel_end *consumer = &channel->ends[CHANNEL_CONSUMER];
	struct channel_end *producer = &channel->ends[CHANNEL_PRODUCER];
	u32 read = channel_position(consumer);
	u32 written = channel_position(producer);

	lockdep_assert_held(&channel->object.box->lock);
	if (consumer->handle || producer->handle)
		return;
	if (written - read <= channel_size(channel) &&
	    !(read % CHANNEL_GRAIN) && !(written % CHANNEL_GRAIN))
		return;
	WRITE_ONCE(consumer->page->position, 0);
	WRITE_ONCE(producer->page->position, 0);
}

static int channel_attach(struct ipcbox_handle *handle)
{
	const u32 both = IPCBOX_RIGHT_RECEIVE | IPCBOX_RIGHT_SEND;
	struct ipcbox_channel *channel = channel_of(handle->object);
	int side = channel_side_of(handle);
	struct channel_end *end;

	lockdep_assert_held(&handle->object->box->lock);
	if ((handle->rights & both) == both)
		return -EINVAL;
	if (side < 0)
		return 0;
	end = &channel->ends[side];
	if (end->handle)
		return -EBUSY;
	channel_repair_locked(channel);
	WRITE_ONCE(end->handle, handle);
	end->left = true;
	WRITE_ONCE(end->ended, false);
	WRITE_ONCE(end->page->wanted, 0);
	atomic_set(channel_attention(end), 0);
	return 0;
}

static void channel_detach(struct ipcbox_handle *handle)
{
	struct ipcbox_channel *channel = channel_of(handle->object);
	struct ipcbox_box *box = handle->object->box;
	int side = channel_side_of(handle);

	if (side < 0)
		return;
	mutex_lock(&box->lock);
	WRITE_ONCE(channel->ends[side].handle, NULL);
	channel_update_ends_locked(channel);
	mutex_unlock(&box->lock);
}

static void channel_unlinked(struct ipcbox_object *object)
{
	channel_update_ends_locked(channel_of(object));
}

static void channel_stat(struct ipcbox_object *object, struct ipcbox_stat *stat)
{
	struct ipcbox_channel *channel = channel_of(object);
	struct channel_end *consumer = &channel->ends[CHANNEL_CONSUMER];
	struct channel_end *producer = &channel->ends[CHANNEL_PRODUCER];
	u32 bytes = channel_position(producer) - channel_position(consumer);

	stat->max_bytes = channel_size(channel);
	stat->max_message_bytes = channel_size(channel) - CHANNEL_GRAIN;
	if (bytes <= channel_size(channel))
		stat->bytes = bytes;
	stat->receive_handles = !!READ_ONCE(consumer->handle);
	stat->send_handles = !!READ_ONCE(producer->handle);
	stat->receivers_waiting = atomic_read(&consumer->waiting);
	stat->senders_waiting = atomic_read(&producer->waiting);
	stat->mappings = atomic_read(&channel->mappings);
}

static int channel_set_check(struct ipcbox_object *object,
			     const struct ipcbox_set *request)
{
	const u32 mask = IPCBOX_SET_MODE | IPCBOX_SET_UID | IPCBOX_SET_GID;

	return request->mask & ~mask ? -EOPNOTSUPP : 0;
}

static void channel_set(struct ipcbox_object *object,
			const struct ipcbox_set *request)
{
	/* Mode and owner are all there is to set. */
}

/*
 * Mapping
 */

static void channel_area_open(struct vm_area_struct *area)
{
	struct ipcbox_channel *channel = area->vm_private_data;

	atomic_inc(&channel->mappings);
}

static void channel_area_close(struct vm_area_struct *area)
{
	struct ipcbox_channel *channel = area->vm_private_data;

	atomic_dec(&channel->mappings);
}

/* Everything is there from the beginning: there is no fault to serve. */
static const struct vm_operations_struct channel_area_operations = {
	.open = channel_area_open,
	.close = channel_area_close,
};

/* Pages of the ring from the first on, as often as it takes. */
static int channel_insert_data(struct ipcbox_channel *channel,
			       struct vm_area_struct *area,
			       unsigned long address, unsigned long first)
{
	while (address < area->vm_end) {
		unsigned long i = first % channel->count;
		unsigned long n = min(channel->count - i,
				      (area->vm_end - address) >> PAGE_SHIFT);
		int error;

		error = ipcbox_mapping_insert(area, address, &channel->data[i],
					      n);
		if (error)
			return error;
		address += n << PAGE_SHIFT;
		first += n;
	}
	return 0;
}

static int channel_insert_page(struct ipcbox_channel *channel,
			       struct vm_area_struct *area, unsigned int side)
{
	return ipcbox_mapping_insert(area, area->vm_start,
				     &channel->ends[side].frame, 1);
}

static int channel_insert(struct ipcbox_channel *channel,
			  struct vm_area_struct *area)
{
	unsigned long address = area->vm_start;
	unsigned long page = area->vm_pgoff;
	int error;

	if (page == IPCBOX_CHANNEL_CONSUMER_PAGE)
		return channel_insert_page(channel, area, CHANNEL_CONSUMER);
	if (page == IPCBOX_CHANNEL_PRODUCER_PAGE) {
		error = channel_insert_page(channel, area, CHANNEL_PRODUCER);
		if (error)
			return error;
		address += PAGE_SIZE;
		page++;
	}
	return channel_insert_data(channel, area, address,
				   page - IPCBOX_CHANNEL_DATA_PAGE);
}

/* Whose part is it all? -EINVAL when it is not all of one side. */
static int channel_area_side(const struct ipcbox_channel *channel,
			     struct vm_area_struct *area)
{
	unsigned long last = IPCBOX_CHANNEL_DATA_PAGE + 2 * channel->count;
	unsigned long pages = vma_pages(area);

	if (area->vm_pgoff == IPCBOX_CHANNEL_CONSUMER_PAGE)
		return pages == 1 ? CHANNEL_CONSUMER : -EINVAL;
	if (area->vm_pgoff >= last || pages > last - area->vm_pgoff)
		return -EINVAL;
	return CHANNEL_PRODUCER;
}

/*
 * An area holds the handle's file. So an end is not gone, and no other takes its
 * place, while anyone can still write its part.
 */
static int channel_mmap(struct ipcbox_handle *handle,
			struct vm_area_struct *area)
{
	struct ipcbox_channel *channel = channel_of(handle->object);
	int side = channel_side_of(handle);
	int owner = channel_area_side(channel, area);
	int error;

	if (side < 0)
		return side;
	if (owner < 0)
		return owner;
	if (!(area->vm_flags & VM_SHARED))
		return -EINVAL;
	if (owner != side) {
		if (area->vm_flags & VM_WRITE)
			return -EACCES;
		/* Nothing can make it writable later. */
		ipcbox_vm_flags_clear(area, VM_MAYWRITE);
	}
	ipcbox_vm_flags_clear(area, VM_MAYEXEC);
	if (area->vm_flags & VM_EXEC)
		return -EACCES;
	error = channel_insert(channel, area);
	if (error)
		return error;
	area->vm_private_data = channel;
	area->vm_ops = &channel_area_operations;
	atomic_inc(&channel->mappings);
	return 0;
}

/*
 * Sleeping and waking
 */

static bool channel_reached(u32 position, u32 wanted)
{
	return (s32)(position - wanted) >= 0;
}

/**
 * channel_sleep() - sleep until the other end is somewhere
 * @channel: the channel
 * @side: whose end sleeps
 * @request: where that is, and until when; gets where it was
 * @wait: false: do not sleep
 *
 * Whoever moves the other end sees the sleeper's wish, or the sleeper sees the
 * move: see <linux/ipcbox_ring.h>. From the wish to the wake-up the wait queue's
 * lock orders them: a WAKE comes after the caller is in the queue, and wakes it,
 * or before, and the move before it is seen.
 *
 * A WAKE ends the sleep even when the position was not reached: it has cleared
 * the wish, and only its owner can make it anew in the right order. One that
 * comes before the caller is in the queue is known by that.
 *
 * Return: 0 when it was reached or there was a WAKE; -EPIPE when the other end is
 * gone and that was not reached; -EAGAIN, -ETIMEDOUT, -ERESTARTSYS.
 */
static int channel_sleep(struct ipcbox_channel *channel, enum channel_side side,
			 struct ipcbox_channel_wait *request, bool wait)
{
	struct channel_end *other = &channel->ends[channel_opposite(side)];
	struct channel_end *end = &channel->ends[side];
	bool forever = request->deadline == IPCBOX_FOREVER;
	ktime_t expires = ns_to_ktime(request->deadline);
	bool late = !forever && ktime_get() >= expires;
	DEFINE_WAIT(entry);
	int result;
	bool ended;

	atomic_inc(&end->waiting);
	do {
		prepare_to_wait(&end->waiters, &entry, TASK_INTERRUPTIBLE);
		/* First: what was published before the end counts. */
		ended = smp_load_acquire(&other->ended);
		request->position = channel_position(other);
		result = 0;
		if (channel_reached(request->position, request->wanted))
			break;
		result = -EPIPE;
		if (ended)
			break;
		result = -EAGAIN;
		if (!wait)
			break;
		result = -ETIMEDOUT;
		if (late)
			break;
		result = -ERESTARTSYS;
		if (signal_pending(current))
			break;
		result = 0;
		if (!(atomic_read(channel_attention(end)) &
		      IPCBOX_CHANNEL_SLEEPS))
			break;
		late = !schedule_hrtimeout_range(forever ? NULL : &expires,
						 current->timer_slack_ns,
						 HRTIMER_MODE_ABS);
		/* Whoever wakes takes the entry off the queue. */
	} while (!list_empty_careful(&entry.entry));
	finish_wait(&end->waiters, &entry);
	atomic_dec(&end->waiting);
	if (!result)
		request->position = channel_position(other);
	return result;
}

static long channel_ioctl_wait(struct ipcbox_invocation *call)
{
	struct ipcbox_handle *handle = ipcbox_handle_of(call);
	struct ipcbox_channel_wait *request = call->request;
	int side = channel_side_of(handle);

	if (request->flags || !ipcbox_deadline_valid(request->deadline))
		return -EINVAL;
	if (side < 0)
		return side;
	trace_ipcbox_block(handle->object, channel_rights[side]);
	return channel_sleep(channel_of(handle->object), side, request,
			     !(call->file->f_flags & O_NONBLOCK));
}

static long channel_ioctl_wake(struct ipcbox_invocation *call)
{
	struct ipcbox_handle *handle = ipcbox_handle_of(call);
	struct ipcbox_channel *channel = channel_of(handle->object);
	const struct ipcbox_channel_wake *request = call->request;
	int side = channel_side_of(handle);

	if (request->flags)
		return -EINVAL;
	if (side < 0)
		return side;
	side = channel_opposite(side);
	atomic_andnot(IPCBOX_CHANNEL_SLEEPS,
		      channel_attention(&channel->ends[side]));
	channel_wake(channel, side, 0);
	return 0;
}

/* What is there to read, or how much room is taken; may be any number. */
static u32 channel_used(const struct ipcbox_channel *channel)
{
	return channel_position(&channel->ends[CHANNEL_PRODUCER]) -
	       channel_position(&channel->ends[CHANNEL_CONSUMER]);
}

/* A ring that is broken is ready: who tries is told. */
static bool channel_ready(const struct ipcbox_channel *channel,
			  enum channel_side side)
{
	u32 used = channel_used(channel);

	if (side == CHANNEL_CONSUMER)
		return used;
	return used <= channel_size(channel) / 2 ||
	       used > channel_size(channel);
}

/* Whom the other end wakes when the end is ready. */
static void channel_arm(struct ipcbox_channel *channel, enum channel_side side)
{
	struct channel_end *other = &channel->ends[channel_opposite(side)];
	struct channel_end *end = &channel->ends[side];
	u32 wanted = side == CHANNEL_CONSUMER ?
			     READ_ONCE(end->page->position) + CHANNEL_GRAIN :
			     channel_position(end) - channel_size(channel) / 2;

	/* What is reached already would be missed when it wraps. */
	if (channel_reached(channel_position(other), wanted))
		return;
	WRITE_ONCE(end->page->wanted, wanted);
	atomic_or(IPCBOX_CHANNEL_SLEEPS | IPCBOX_CHANNEL_FENCE,
		  channel_attention(end));
	/*
	 * The other end, which sees FENCE, moves, has its fence and looks at
	 * SLEEPS; see <linux/ipcbox_ring.h>.
	 */
	smp_mb__after_atomic();
}

static __poll_t channel_poll(struct ipcbox_handle *handle, struct file *file,
			     poll_table *table)
{
	struct ipcbox_channel *channel = channel_of(handle->object);
	int side = channel_side_of(handle);
	struct channel_end *other;
	__poll_t events = 0;

	if (side < 0)
		return 0;
	poll_wait(file, &channel->ends[side].waiters, table);
	other = &channel->ends[channel_opposite(side)];
	channel_arm(channel, side);
	/* Pairs with the release in channel_update_ends_locked(). */
	if (smp_load_acquire(&other->ended))
		events |= EPOLLHUP;
	if (channel_ready(channel, side) &&
	    !(side == CHANNEL_PRODUCER && events & EPOLLHUP))
		events |= channel_events[side];
	return events;
}

static const struct ipcbox_ioctl channel_ioctls[] = {
	IPCBOX_IOCTL(IPCBOX_IOC_CHANNEL_WAIT, ipcbox_channel_wait, deadline,
		     channel_ioctl_wait, .answers = true),
	IPCBOX_IOCTL(IPCBOX_IOC_CHANNEL_WAKE, ipcbox_channel_wake, flags,
		     channel_ioctl_wake),
	IPCBOX_IOCTL(IPCBOX_IOC_STAT, ipcbox_stat, changed_at,
		     ipcbox_object_stat, .answers = true),
	IPCBOX_IOCTL(IPCBOX_IOC_SET, ipcbox_set, max_descriptors,
		     ipcbox_object_set),
};

const struct ipcbox_kind ipcbox_channel_kind = {
	.name = "channel",
	.ioctls = channel_ioctls,
	.ioctl_count = ARRAY_SIZE(channel_ioctls),
	.travels = true,
	.maps_both = true,
	.create = channel_create,
	.destroy = channel_destroy,
	.attach = channel_attach,
	.detach = channel_detach,
	.unlinked = channel_unlinked,
	.stat = channel_stat,
	.set_check = channel_set_check,
	.set = channel_set,
	.poll = channel_poll,
	.mmap = channel_mmap,
};
