/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Regions: shared memory, and the semaphores that go with it.
 */
#ifndef IPCBOX_REGION_H
#define IPCBOX_REGION_H

#include <linux/atomic.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "exchange.h"
#include "object.h"
#include "sem.h"

struct mem_cgroup;
struct pid;

/* What region->writable is when no such mapping may come. */
#define IPCBOX_REGION_CLOSED	(-1)

/**
 * struct ipcbox_region - a region
 * @object: what all objects have; see there for its own rules
 * @file: the memory, a shmem file; never changes once there are handles
 * @memcg: to which the memory is charged, or NULL; never changes
 * @huge: its mappings ask for huge pages; never changes
 * @mappings: how many there are
 * @writable: mappings that are or may become writable, and shared; or
 *	IPCBOX_REGION_CLOSED; see locking.h
 * @sealing: number 0 in locking.h: those who seal do so one after the other
 * @sealed: the content changes no more; under @sealing, read without
 * @lock: see locking.h; protects all below
 * @set: the semaphores
 * @pids: who last operated on each, or NULL
 * @receive_handles: handles that may receive
 * @send_handles: handles that may send
 * @waiting: threads that wait for semaphores
 * @changed: pollers
 */
struct ipcbox_region {
	struct ipcbox_object object;
	struct file *file;
	struct mem_cgroup *memcg;
	bool huge;
	atomic_t mappings;
	atomic_t writable;
	struct mutex sealing;	/* number 0 in locking.h */
	bool sealed;
	spinlock_t lock;	/* number 2 in locking.h */
	struct ipcbox_sem_set set;
	struct pid **pids;
	u32 receive_handles;
	u32 send_handles;
	u32 waiting;
	wait_queue_head_t changed;
};

static inline struct ipcbox_region *
ipcbox_region_of(struct ipcbox_object *object)
{
	return container_of(object, struct ipcbox_region, object);
}

extern const struct ipcbox_kind ipcbox_region_kind;

/* region.c */
int ipcbox_region_init(void);
void ipcbox_region_exit(void);

/* seal.c */
int ipcbox_seal_file(struct file *file);

/* semaphore.c */
int ipcbox_semaphore_init(struct ipcbox_region *region, u32 count);
void ipcbox_semaphore_destroy(struct ipcbox_region *region);
void ipcbox_semaphore_detach(struct ipcbox_handle *handle);
void ipcbox_semaphore_unlinked(struct ipcbox_region *region);
__poll_t ipcbox_semaphore_poll(struct ipcbox_handle *handle, struct file *file,
			       poll_table *table);
long ipcbox_semaphore_operate(struct ipcbox_invocation *call);
long ipcbox_semaphore_get(struct ipcbox_invocation *call);
long ipcbox_semaphore_assign(struct ipcbox_invocation *call);

#endif /* IPCBOX_REGION_H */
