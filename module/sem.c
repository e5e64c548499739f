// SPDX-License-Identifier: GPL-2.0
/*
 * The state of a set of semaphores.
 *
 * A request waits at one semaphore: the first, in the order of its operations,
 * that does not let it pass. There the oldest goes first: a request passes a
 * semaphore that it lowers only when no older one waits for that semaphore to
 * rise. So the first of those that wait for a semaphore to rise waits for its
 * value, never for its turn, and only two things can let anyone pass: a value
 * that has changed, and a first one that has left. Both make the semaphore
 * stale, and settling looks at nothing but the stale ones.
 *
 * A request that passes where it waited may be stopped at another semaphore and
 * then waits there, at the place that its age gives it. It holds nothing while
 * it waits.
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "compat.h"
#include "sem.h"

/**
 * ipcbox_sem_init() - make a set
 * @set: the set
 * @sems: its semaphores, of value 0
 * @count: how many
 */
void ipcbox_sem_init(struct ipcbox_sem_set *set, struct ipcbox_sem *sems,
		     u32 count)
{
	u32 i;

	set->sems = sems;
	set->count = count;
	set->tickets = 0;
	INIT_LIST_HEAD(&set->stale);
	for (i = 0; i < count; i++) {
		sems[i] = (struct ipcbox_sem){
			.maximum = IPCBOX_SEM_VALUE_MAX,
		};
		INIT_LIST_HEAD(&sems[i].rising);
		INIT_LIST_HEAD(&sems[i].falling);
	}
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_sem_init);

static void sem_mark(struct ipcbox_sem_set *set, struct ipcbox_sem *sem)
{
	if (sem->stale)
		return;
	sem->stale = true;
	list_add_tail(&sem->node, &set->stale);
}

/* Does an older request wait for the semaphore to rise? */
static bool sem_has_older(struct ipcbox_sem *sem,
			  const struct ipcbox_sem_request *request)
{
	const struct ipcbox_sem_request *first =
		list_first_entry_or_null(&sem->rising,
					 struct ipcbox_sem_request, node);

	return first && first->ticket < request->ticket;
}

/* The sum of what the operations before @end change at a semaphore. */
static s64 sem_changed_before(const struct ipcbox_sem_request *request, u32 end)
{
	u32 semaphore = request->operations[end].semaphore;
	s64 sum = 0;
	u32 i;

	for (i = 0; i < end; i++)
		if (request->operations[i].semaphore == semaphore)
			sum += request->operations[i].change;
	return sum;
}

/* One operation, after those before it; changes nothing but the request. */
static int sem_check(struct ipcbox_sem_set *set,
		     struct ipcbox_sem_request *request, u32 index)
{
	const struct ipcbox_sem_operation *operation =
		&request->operations[index];
	struct ipcbox_sem *sem = &set->sems[operation->semaphore];
	s64 before = sem_changed_before(request, index);
	s64 value = sem->value + before + operation->change;

	if (value > sem->maximum)
		return -ERANGE;
	if (operation->change ? value < 0 : value != 0) {
		request->sem = sem;
		request->falls = !operation->change;
		request->need = -before - operation->change;
		return -EAGAIN;
	}
	if (operation->change < 0 && sem_has_older(sem, request)) {
		request->sem = sem;
		request->falls = false;
		request->need = -before - operation->change;
		return -EAGAIN;
	}
	return 0;
}

static s32 sem_undo_of(const struct ipcbox_sem_set *set,
		       const struct ipcbox_sem_undo *undo, u32 index)
{
	return undo[index].era == set->sems[index].era ? undo[index].adjust : 0;
}

/* Can what the operations add up to be noted to be undone? */
static bool sem_undo_fits(const struct ipcbox_sem_set *set,
			  const struct ipcbox_sem_request *request)
{
	const struct ipcbox_sem_operation *operation;
	u32 semaphore;
	s64 adjust;
	u32 i, j;

	for (i = 0; i < request->count; i++) {
		if (!(request->operations[i].flags & IPCBOX_SEM_UNDO))
			continue;
		semaphore = request->operations[i].semaphore;
		adjust = sem_undo_of(set, request->undo, semaphore);
		for (j = 0; j <= i; j++) {
			operation = &request->operations[j];
			if (operation->flags & IPCBOX_SEM_UNDO &&
			    operation->semaphore == semaphore)
				adjust -= operation->change;
		}
		if (adjust > IPCBOX_SEM_VALUE_MAX ||
		    adjust < -IPCBOX_SEM_VALUE_MAX)
			return false;
	}
	return true;
}

static int sem_check_all(struct ipcbox_sem_set *set,
			 struct ipcbox_sem_request *request)
{
	int error;
	u32 i;

	for (i = 0; i < request->count; i++) {
		error = sem_check(set, request, i);
		if (error)
			return error;
	}
	return sem_undo_fits(set, request) ? 0 : -ERANGE;
}

static void sem_note(struct ipcbox_sem_set *set, struct ipcbox_sem_undo *undo,
		     const struct ipcbox_sem_operation *operation)
{
	u32 index = operation->semaphore;

	undo[index].adjust = sem_undo_of(set, undo, index) - operation->change;
	undo[index].era = set->sems[index].era;
}

static int sem_apply(struct ipcbox_sem_set *set,
		     const struct ipcbox_sem_request *request)
{
	const struct ipcbox_sem_operation *operation;
	struct ipcbox_sem *sem;
	int result = 0;
	u32 i;

	for (i = 0; i < request->count; i++) {
		operation = &request->operations[i];
		if (!operation->change)
			continue;
		sem = &set->sems[operation->semaphore];
		sem->value += operation->change;
		sem_mark(set, sem);
		if (operation->flags & IPCBOX_SEM_UNDO)
			sem_note(set, request->undo, operation);
		if (operation->change < 0 && sem->dead) {
			sem->dead = false;
			result = -EOWNERDEAD;
		}
	}
	return result;
}

/**
 * ipcbox_sem_try() - do all operations of a request, or none
 * @set: the set
 * @request: the request, which waits nowhere
 *
 * Return: 0 when all was done; -EOWNERDEAD when all was done, and who held a
 * binary semaphore among those that were lowered had died; -ERANGE when a value
 * would exceed its maximum, or an undo its range; -EAGAIN when it would have
 * to wait.
 */
int ipcbox_sem_try(struct ipcbox_sem_set *set,
		   struct ipcbox_sem_request *request)
{
	int error = sem_check_all(set, request);

	return error ?: sem_apply(set, request);
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_sem_try);

/**
 * ipcbox_sem_possible() - would a request not have to wait?
 * @set: the set
 * @request: the request, which waits nowhere, without IPCBOX_SEM_UNDO
 *
 * Return: true if ipcbox_sem_try() would not return -EAGAIN. Changes nothing.
 */
bool ipcbox_sem_possible(struct ipcbox_sem_set *set,
			 struct ipcbox_sem_request *request)
{
	return sem_check_all(set, request) != -EAGAIN;
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_sem_possible);

/* Puts a request where it waits, among older and younger ones. */
static void sem_park(struct ipcbox_sem_request *request)
{
	struct ipcbox_sem *sem = request->sem;
	struct list_head *queue = request->falls ? &sem->falling : &sem->rising;
	struct ipcbox_sem_request *older;

	list_for_each_entry_reverse(older, queue, node)
		if (older->ticket < request->ticket)
			break;
	list_add(&request->node, &older->node);
	if (request->falls)
		sem->falling_count++;
	else
		sem->rising_count++;
}

static void sem_unpark(struct ipcbox_sem_set *set,
		       struct ipcbox_sem_request *request)
{
	struct ipcbox_sem *sem = request->sem;

	if (request->falls) {
		sem->falling_count--;
	} else {
		sem->rising_count--;
		if (list_is_first(&request->node, &sem->rising))
			sem_mark(set, sem);
	}
	list_del(&request->node);
}

/**
 * ipcbox_sem_wait() - a request begins to wait
 * @set: the set
 * @request: ipcbox_sem_try() has returned -EAGAIN for it, and nothing has
 *	changed since
 */
void ipcbox_sem_wait(struct ipcbox_sem_set *set,
		     struct ipcbox_sem_request *request)
{
	request->ticket = ++set->tickets;
	sem_park(request);
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_sem_wait);

/**
 * ipcbox_sem_cancel() - a request waits no more
 * @set: the set, to be settled
 * @request: the request, which waits and was not done
 */
void ipcbox_sem_cancel(struct ipcbox_sem_set *set,
		       struct ipcbox_sem_request *request)
{
	sem_unpark(set, request);
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_sem_cancel);

/* A request that passes where it waited: it is done, or waits elsewhere. */
static void sem_retry(struct ipcbox_sem_set *set,
		      struct ipcbox_sem_request *request,
		      struct list_head *done)
{
	int result;

	sem_unpark(set, request);
	result = ipcbox_sem_try(set, request);
	if (result == -EAGAIN) {
		sem_park(request);
		return;
	}
	request->result = result;
	list_add_tail(&request->node, done);
}

static void sem_settle_one(struct ipcbox_sem_set *set, struct ipcbox_sem *sem,
			   struct list_head *done)
{
	struct ipcbox_sem_request *request, *next;

	list_for_each_entry_safe(request, next, &sem->falling, node)
		if (sem->value == request->need)
			sem_retry(set, request, done);
	request = list_first_entry_or_null(&sem->rising,
					   struct ipcbox_sem_request, node);
	if (request && sem->value >= request->need)
		sem_retry(set, request, done);
}

/**
 * ipcbox_sem_settle() - do what has become possible
 * @set: the set
 * @done: requests that waited and wait no more are put here, with their
 *	results, in the order in which they were done
 */
void ipcbox_sem_settle(struct ipcbox_sem_set *set, struct list_head *done)
{
	struct ipcbox_sem *sem;

	while ((sem = list_first_entry_or_null(&set->stale, struct ipcbox_sem,
					       node))) {
		list_del(&sem->node);
		sem->stale = false;
		sem_settle_one(set, sem, done);
	}
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_sem_settle);

/**
 * ipcbox_sem_assign() - give a semaphore a value
 * @set: the set, to be settled
 * @index: which
 * @value: 0 to @maximum
 * @maximum: 1 to IPCBOX_SEM_VALUE_MAX
 *
 * No death of a holder is told any more, and nothing is undone that was done
 * before.
 */
void ipcbox_sem_assign(struct ipcbox_sem_set *set, u32 index, s32 value,
		       s32 maximum)
{
	struct ipcbox_sem *sem = &set->sems[index];

	sem->value = value;
	sem->maximum = maximum;
	sem->dead = false;
	sem->era++;
	sem_mark(set, sem);
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_sem_assign);

/**
 * ipcbox_sem_revert() - undo what is noted
 * @set: the set, to be settled
 * @undo: what to undo, one for each semaphore; of no use after this
 *
 * A value stops at 0 and at its maximum. A binary semaphore that rises was held,
 * and is marked so that the next holder learns of it.
 */
void ipcbox_sem_revert(struct ipcbox_sem_set *set, struct ipcbox_sem_undo *undo)
{
	struct ipcbox_sem *sem;
	s32 adjust;
	s64 value;
	u32 i;

	for (i = 0; i < set->count; i++) {
		adjust = sem_undo_of(set, undo, i);
		if (!adjust)
			continue;
		sem = &set->sems[i];
		value = clamp_t(s64, (s64)sem->value + adjust, 0, sem->maximum);
		if (value > sem->value && sem->maximum == 1)
			sem->dead = true;
		sem->value = value;
		sem_mark(set, sem);
	}
}
EXPORT_SYMBOL_IF_KUNIT(ipcbox_sem_revert);
