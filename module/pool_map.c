// SPDX-License-Identifier: GPL-2.0
/*
 * Receive pools: who maps them.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/user_namespace.h>

#include "compat.h"
#include "exchange.h"
#include "locking.h"
#include "mapping.h"
#include "pool.h"

static bool pool_names_equal(const struct ipcbox_pool_names *one,
			     const struct ipcbox_pool_names *other)
{
	return one->pid_ns == other->pid_ns && one->user_ns == other->user_ns;
}

/**
 * ipcbox_pool_translate() - name a record's sender as others know it
 * @record: a record or a copy of one; its pid, uid and gid are replaced
 * @from: how it names its sender
 * @to: how it shall
 *
 * Which process it was is not known any more, so that it cannot be seen from
 * another pid namespace.
 */
void ipcbox_pool_translate(struct ipcbox_pool_record *record,
			   const struct ipcbox_pool_names *from,
			   const struct ipcbox_pool_names *to)
{
	if (from->pid_ns != to->pid_ns)
		record->pid = 0;
	if (from->user_ns == to->user_ns)
		return;
	record->uid = from_kuid_munged(to->user_ns,
				       make_kuid(from->user_ns, record->uid));
	record->gid = from_kgid_munged(to->user_ns,
				       make_kgid(from->user_ns, record->gid));
}

/* Records stay where they are meanwhile: nobody has a mapping yet. */
static void pool_translate_all(struct ipcbox_exchange *exchange, u64 position,
			       u64 end, const struct ipcbox_pool_names *from)
{
	struct ipcbox_pool *pool = exchange->pool;
	struct ipcbox_pool_record *record;
	struct ipcbox_wakes wakes;

	while (position != end) {
		ipcbox_exchange_lock(exchange, &wakes);
		record = ipcbox_pool_ring_at(&pool->ring, position);
		ipcbox_pool_translate(record, from, &pool->names);
		ipcbox_exchange_unlock(exchange, &wakes);
		position += ipcbox_pool_ring_bytes(record->length);
		cond_resched();
	}
}

/*
 * The process that makes the first mapping is the receiver: it begins at the
 * oldest record, and records name senders as it knows them. Another that has
 * the handle maps when that is done: it could release what is being translated.
 */
static void pool_become_receiver(struct ipcbox_exchange *exchange)
{
	struct ipcbox_pool_names names = ipcbox_pool_names_get();
	struct ipcbox_pool *pool = exchange->pool;
	struct ipcbox_wakes wakes;
	u64 position, end;

	ipcbox_exchange_lock(exchange, &wakes);
	position = pool->ring.tail;
	end = pool->ring.head;
	swap(names, pool->names);
	pool->mapped_by++;
	ipcbox_exchange_unlock(exchange, &wakes);
	if (!pool_names_equal(&names, &pool->names))
		pool_translate_all(exchange, position, end, &names);
	ipcbox_pool_names_put(&names);

	ipcbox_exchange_lock(exchange, &wakes);
	WRITE_ONCE(pool->receiver->tail, position);
	WRITE_ONCE(pool->receiver->next, position);
	pool->viewed = true;
	pool->mappings = 1;
	pool->busy = false;
	ipcbox_exchange_unlock(exchange, &wakes);
	/* Readers that wait are to find out. */
	wake_up_interruptible(&exchange->readable);
}

static int pool_begin_mapping(struct ipcbox_exchange *exchange)
{
	struct ipcbox_pool *pool = exchange->pool;
	struct ipcbox_wakes wakes;
	bool first = false;
	int error = 0;

	ipcbox_exchange_lock(exchange, &wakes);
	if (pool->mappings)
		pool->mappings++;
	else if (pool->busy)
		error = -EBUSY;
	else
		first = true;
	if (first)
		pool->busy = true;
	ipcbox_exchange_unlock(exchange, &wakes);
	if (first)
		pool_become_receiver(exchange);
	return error;
}

static void pool_mapping_opened(struct vm_area_struct *area)
{
	struct ipcbox_exchange *exchange = area->vm_private_data;
	struct ipcbox_wakes wakes;

	ipcbox_exchange_lock(exchange, &wakes);
	exchange->pool->mappings++;
	ipcbox_exchange_unlock(exchange, &wakes);
}

/* What the receiver has released before the last mapping ends is received. */
static void pool_mapping_closed(struct vm_area_struct *area)
{
	struct ipcbox_exchange *exchange = area->vm_private_data;
	struct ipcbox_wakes wakes;
	bool more;

	do {
		ipcbox_exchange_lock(exchange, &wakes);
		more = ipcbox_pool_reclaim_locked(exchange, &wakes);
		if (!more)
			exchange->pool->mappings--;
		ipcbox_exchange_unlock(exchange, &wakes);
	} while (more);
	ipcbox_pool_fill(exchange);
}

static const struct vm_operations_struct pool_mapping_operations = {
	.open = pool_mapping_opened,
	.close = pool_mapping_closed,
};

/* The receiver writes its own page and nothing else. */
static int pool_check_mapping(const struct ipcbox_pool *pool,
			      struct vm_area_struct *area)
{
	unsigned long pages = IPCBOX_POOL_RING_PAGE +
			      2 * (pool->ring.size >> PAGE_SHIFT);

	if (!(area->vm_flags & VM_SHARED))
		return -EINVAL;
	if (area->vm_flags & VM_EXEC)
		return -EACCES;
	if (area->vm_pgoff == IPCBOX_POOL_RECEIVER_PAGE)
		return vma_pages(area) == 1 ? 0 : -EINVAL;
	if (area->vm_pgoff >= pages || vma_pages(area) > pages - area->vm_pgoff)
		return -EINVAL;
	return area->vm_flags & VM_WRITE ? -EACCES : 0;
}

/**
 * ipcbox_pool_mmap() - mmap(2) on a mailbox
 * @handle: the handle
 * @area: the mapping to be
 *
 * Return: 0, or an errno as <linux/ipcbox.h> says.
 */
int ipcbox_pool_mmap(struct ipcbox_handle *handle, struct vm_area_struct *area)
{
	struct ipcbox_exchange *exchange = ipcbox_exchange_of(handle->object);
	struct ipcbox_pool *pool = exchange->pool;
	int error;

	if (!pool)
		return -ENODEV;
	if (!(handle->rights & IPCBOX_RIGHT_RECEIVE))
		return -EACCES;
	error = pool_check_mapping(pool, area);
	if (!error)
		error = pool_begin_mapping(exchange);
	if (error)
		return error;
	ipcbox_vm_flags_clear(area, VM_MAYEXEC);
	if (area->vm_pgoff != IPCBOX_POOL_RECEIVER_PAGE)
		ipcbox_vm_flags_clear(area, VM_MAYWRITE);
	area->vm_private_data = exchange;
	error = ipcbox_mapping_insert(area, area->vm_start,
				      pool->pages + area->vm_pgoff,
				      vma_pages(area));
	if (error)
		pool_mapping_closed(area);
	else
		area->vm_ops = &pool_mapping_operations;
	return error;
}
