/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state of a set of semaphores: their values, and who waits for which.
 *
 * It knows nothing of tasks, users, files and user memory, allocates nothing
 * and never sleeps; its caller serialises. KUnit tests it alone.
 */
#ifndef IPCBOX_SEM_H
#define IPCBOX_SEM_H

#include <linux/list.h>
#include <linux/types.h>

#include <linux/ipcbox.h>

/**
 * struct ipcbox_sem - one semaphore
 * @value: 0 to @maximum
 * @maximum: 1, which makes it a binary one, to IPCBOX_SEM_VALUE_MAX
 * @dead: who held it died; the next one to get it is told
 * @era: how often it was assigned: what was noted to be undone in an earlier
 *	one is forgotten
 * @stale: in the set's list of semaphores to be looked at
 * @rising: requests that wait for it to rise, the oldest first
 * @falling: requests that wait for it to become zero, the oldest first
 * @rising_count: how many are in @rising
 * @falling_count: how many are in @falling
 * @node: place in the set's list
 */
struct ipcbox_sem {
	s32 value;
	s32 maximum;
	bool dead;
	bool stale;
	u32 era;
	struct list_head rising;
	struct list_head falling;
	u32 rising_count;
	u32 falling_count;
	struct list_head node;
};

/**
 * struct ipcbox_sem_set - semaphores that are operated on together
 * @sems: the semaphores
 * @count: how many
 * @tickets: how many requests have waited
 * @stale: semaphores at which something has changed since they were settled
 */
struct ipcbox_sem_set {
	struct ipcbox_sem *sems;
	u32 count;
	u64 tickets;
	struct list_head stale;
};

/**
 * struct ipcbox_sem_undo - what takes back what a handle did to one semaphore
 * @adjust: what to add to it
 * @era: the semaphore's, when that was noted
 */
struct ipcbox_sem_undo {
	s32 adjust;
	u32 era;
};

/**
 * struct ipcbox_sem_request - operations that are done together
 * @operations: checked: semaphores that exist, changes within
 *	IPCBOX_SEM_VALUE_MAX
 * @count: how many, at most IPCBOX_SEM_OPERATIONS_MAX
 * @undo: where those with IPCBOX_SEM_UNDO are noted, one for each semaphore of
 *	the set, all zero at first; may be NULL without any
 * @node: place among the requests of @sem, or those that are done
 * @ticket: when it began to wait; U64_MAX before
 * @sem: the semaphore that it waits for
 * @falls: it waits for @sem to become zero, else for it to rise
 * @need: the value of @sem that it waits for: just this, or at least this
 * @result: once it is done: as ipcbox_sem_try() returns
 */
struct ipcbox_sem_request {
	const struct ipcbox_sem_operation *operations;
	u32 count;
	struct ipcbox_sem_undo *undo;
	struct list_head node;
	u64 ticket;
	struct ipcbox_sem *sem;
	bool falls;
	s64 need;
	int result;
};

void ipcbox_sem_init(struct ipcbox_sem_set *set, struct ipcbox_sem *sems,
		     u32 count);
int ipcbox_sem_try(struct ipcbox_sem_set *set,
		   struct ipcbox_sem_request *request);
bool ipcbox_sem_possible(struct ipcbox_sem_set *set,
			 struct ipcbox_sem_request *request);
void ipcbox_sem_wait(struct ipcbox_sem_set *set,
		     struct ipcbox_sem_request *request);
void ipcbox_sem_cancel(struct ipcbox_sem_set *set,
		       struct ipcbox_sem_request *request);
void ipcbox_sem_settle(struct ipcbox_sem_set *set, struct list_head *done);
void ipcbox_sem_assign(struct ipcbox_sem_set *set, u32 index, s32 value,
		       s32 maximum);
void ipcbox_sem_revert(struct ipcbox_sem_set *set,
		       struct ipcbox_sem_undo *undo);

#endif /* IPCBOX_SEM_H */
