// SPDX-License-Identifier: GPL-2.0
/*
 * A process that uses a region's semaphores or locks is killed at every step that
 * it takes; who survives finds them in order, and learns of the death where it
 * was told that it would.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "region.h"

#define RW	(PROT_READ | PROT_WRITE)

enum { GUARD, FREE, FULL, SEMS };

#define SLOTS	2

FIXTURE(death)
{
	int dev;
	int fd;
	size_t page;
	__u32 *memory;		/* of the region */
};

FIXTURE_SETUP(death)
{
	self->page = sysconf(_SC_PAGESIZE);
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = region_make(self->dev, NULL, RWM, self->page, SEMS);
	ASSERT_LE(0, self->fd);
	self->memory = region_map(self->fd, self->page, RW);
	ASSERT_NE(NULL, self->memory);
	ASSERT_EQ(0, sem_assign(self->fd, GUARD, 1, 1));
	ASSERT_EQ(0, sem_assign(self->fd, FREE, SLOTS, SLOTS));
	ASSERT_EQ(0, sem_assign(self->fd, FULL, 0, SLOTS));
}

FIXTURE_TEARDOWN(death)
{
	munmap(self->memory, self->page);
	close(self->fd);
	close(self->dev);
}

/*
 * A producer: takes a free slot, then the guard, writes, gives back the guard,
 * then the full slot. Each is a system call, and UNDO keeps all that it has not
 * passed on. memory[0] counts what was written, memory[1] what was begun.
 */
static void produce(int fd, const void *argument)
{
	__u32 *memory = (__u32 *)argument;
	struct ipcbox_sem_operation pass[] = {
		{ .semaphore = GUARD, .change = 1, .flags = UNDO },
		{ .semaphore = FREE, .change = 0 },
		{ .semaphore = FULL, .change = 1 },
	};

	CHECK_EQ(0, sem_wait_for(fd, FREE, -1, UNDO));
	CHECK_EQ(0, sem_wait_for(fd, GUARD, -1, UNDO));
	memory[1]++;
	/* A step to be stopped at, with the work half done. */
	syscall(__NR_getppid);
	memory[0]++;
	/* What is passed on is not to be undone: it is given for good. */
	pass[1].change = 1;
	pass[1].flags = UNDO;
	CHECK_EQ(0, sem_do(fd, pass, 2, 0, IPCBOX_FOREVER));
	pass[1].change = -1;
	pass[1].flags = 0;
	CHECK_EQ(0, sem_do(fd, &pass[1], 2, 0, IPCBOX_FOREVER));
	syscall(__NR_getppid);
	_exit(0);
}

/* Lets a child run up to its so manieth entry into or return from the kernel. */
static bool run_to(pid_t child, int steps)
{
	int status, i;

	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		return false;
	ptrace(PTRACE_SETOPTIONS, child, NULL,
	       PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	for (i = 0; i < steps; i++) {
		ptrace(PTRACE_SYSCALL, child, NULL, NULL);
		if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
			return false;
	}
	return true;
}

/* False when the child ended before; otherwise it was killed at that step. */
static bool kill_at(FIXTURE_DATA(death) * self, int step,
		    void (*act)(int fd, const void *argument),
		    const void *argument)
{
	pid_t child;
	int status;

	child = box_fork();
	if (!child) {
		int fd = box_open_id(box_device(), box_id(self->fd), R | W);

		/* Only its own handle is its own. */
		close(self->fd);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		act(fd, argument);
	}
	if (!run_to(child, step))
		return false;
	kill(child, SIGKILL);
	while (waitpid(child, &status, 0) == child && !WIFSIGNALED(status))
		;
	return true;
}

TEST_F(death, at_each_step_of_a_semaphore)
{
	struct ipcbox_sem_state states[SEMS];
	__u32 *memory = self->memory;
	int step, taken, halves = 0, wholes = 0;

	for (step = 0; step < 100; step++) {
		memory[0] = 0;
		memory[1] = 0;
		if (!kill_at(self, step, produce, memory))
			break;
		ASSERT_EQ(0, sem_get(self->fd, 0, SEMS, states));
		/* Nobody holds the guard, and nobody waits. */
		EXPECT_EQ(1, states[GUARD].value);
		EXPECT_EQ(0, states[GUARD].rising);
		/* A slot is either free or full. */
		EXPECT_EQ(SLOTS, states[FREE].value + states[FULL].value);
		/* Half done is told of, by the guard. */
		if (memory[0] != memory[1]) {
			EXPECT_EQ(IPCBOX_SEM_DEAD, states[GUARD].flags);
			halves++;
		}
		/* What is full was written. */
		if (states[FULL].value) {
			EXPECT_EQ(1, memory[0]);
			wholes++;
		}
		/* The survivor takes it all. */
		taken = sem_now(self->fd, GUARD, -1, UNDO);
		EXPECT_EQ(states[GUARD].flags ? -EOWNERDEAD : 0, taken);
		EXPECT_EQ(0, sem_now(self->fd, GUARD, 1, UNDO));
		EXPECT_EQ(0, sem_assign(self->fd, FREE, SLOTS, SLOTS));
		EXPECT_EQ(0, sem_assign(self->fd, FULL, 0, SLOTS));
	}
	TH_LOG("%d steps, %d halves, %d wholes", step, halves, wholes);
	/* Entry and return of each of the six calls, at least. */
	EXPECT_LE(12, step);
	EXPECT_LT(0, halves);
	EXPECT_LT(0, wholes);
}

/*
 * One call each, of one or two operations: what is there when it begins, and what
 * there is of it when the one who did it is dead.
 */
struct deed {
	const char *name;
	struct ipcbox_sem_operation operations[2];
	__u32 count;
	__u32 before[SEMS];
	__u32 after[SEMS];
	bool dead;		/* the guard tells of it */
};

#define TAKE(which)	{ .semaphore = (which), .change = -1 }
#define GIVE(which)	{ .semaphore = (which), .change = 1 }
#define ZERO(which)	{ .semaphore = (which), .change = 0 }
#define TAKE_UNDO(which) { .semaphore = (which), .change = -1, .flags = UNDO }
#define GIVE_UNDO(which) { .semaphore = (which), .change = 1, .flags = UNDO }

static bool begin_deed(FIXTURE_DATA(death) * self, const struct deed *deed)
{
	return !sem_assign(self->fd, GUARD, deed->before[GUARD], 1) &&
	       !sem_assign(self->fd, FREE, deed->before[FREE], SLOTS) &&
	       !sem_assign(self->fd, FULL, deed->before[FULL], SLOTS);
}

/* Nobody waits, and the values are these; the guard tells of a death, or not. */
static bool is_left(FIXTURE_DATA(death) * self, const __u32 *values, bool dead)
{
	struct ipcbox_sem_state states[SEMS];
	int i;

	if (sem_get(self->fd, 0, SEMS, states))
		return false;
	for (i = 0; i < SEMS; i++)
		if (states[i].value != values[i] || states[i].rising ||
		    states[i].falling)
			return false;
	return states[GUARD].flags == (dead ? IPCBOX_SEM_DEAD : 0);
}

/* All that is there can be taken, and the guard tells once of a death. */
static bool can_be_taken(FIXTURE_DATA(death) * self, const __u32 *values,
			 bool dead)
{
	int i, result, expected;

	for (i = 0; i < SEMS; i++) {
		if (!values[i])
			continue;
		expected = i == GUARD && dead ? -EOWNERDEAD : 0;
		result = sem_now(self->fd, i, -(__s32)values[i], UNDO);
		if (result != expected ||
		    sem_now(self->fd, i, values[i], UNDO) ||
		    sem_now(self->fd, i, -(__s32)values[i], UNDO) ||
		    sem_now(self->fd, i, values[i], UNDO))
			return false;
	}
	return true;
}

static void do_deed(int fd, const void *argument)
{
	const struct deed *deed = argument;

	CHECK_EQ(0, sem_do(fd, deed->operations, deed->count, 0,
			   IPCBOX_FOREVER));
	/* A step more: it is done, and seen to be. */
	syscall(__NR_getppid);
	_exit(0);
}

static const struct deed deeds[] = {
	{ "takes", { TAKE(GUARD) }, 1, { 1, 2, 0 }, { 0, 2, 0 } },
	{ "takes, with undo", { TAKE_UNDO(GUARD) }, 1, { 1, 2, 0 }, { 1, 2, 0 },
	  true },
	{ "takes what counts", { TAKE(FREE) }, 1, { 1, 2, 0 }, { 1, 1, 0 } },
	{ "takes what counts, with undo", { TAKE_UNDO(FREE) }, 1, { 1, 2, 0 },
	  { 1, 2, 0 } },
	{ "gives", { GIVE(FULL) }, 1, { 1, 2, 0 }, { 1, 2, 1 } },
	{ "gives, with undo", { GIVE_UNDO(FULL) }, 1, { 1, 2, 0 },
	  { 1, 2, 0 } },
	{ "sees zero", { ZERO(FULL) }, 1, { 1, 2, 0 }, { 1, 2, 0 } },
	{ "takes two", { TAKE(GUARD), TAKE(FREE) }, 2, { 1, 2, 0 },
	  { 0, 1, 0 } },
	{ "takes two, with undo", { TAKE_UNDO(GUARD), TAKE_UNDO(FREE) }, 2,
	  { 1, 2, 0 }, { 1, 2, 0 }, true },
	{ "takes two, the first with undo", { TAKE_UNDO(GUARD), TAKE(FREE) }, 2,
	  { 1, 2, 0 }, { 1, 1, 0 }, true },
	{ "takes two, the second with undo", { TAKE(GUARD), TAKE_UNDO(FREE) },
	  2, { 1, 2, 0 }, { 0, 2, 0 } },
	{ "passes on", { TAKE(FREE), GIVE(FULL) }, 2, { 1, 2, 0 },
	  { 1, 1, 1 } },
	{ "passes on, with undo", { TAKE_UNDO(FREE), GIVE_UNDO(FULL) }, 2,
	  { 1, 2, 0 }, { 1, 2, 0 } },
	{ "takes and gives back", { TAKE_UNDO(GUARD), GIVE_UNDO(GUARD) }, 2,
	  { 1, 2, 0 }, { 1, 2, 0 } },
};

/*
 * Before the call, in it, and after: what is left is what was there or what the
 * call makes of it, and not the one again when it was the other.
 */
TEST_F(death, at_each_step_of_each_deed)
{
	const struct deed *deed;
	int step, dones;
	bool before, after, distinct;

	for (deed = deeds; deed < deeds + ARRAY_SIZE(deeds); deed++) {
		dones = 0;
		distinct = deed->dead || memcmp(deed->before, deed->after,
						sizeof(deed->after));
		for (step = 0; step < 100; step++) {
			ASSERT_TRUE(begin_deed(self, deed));
			if (!kill_at(self, step, do_deed, deed))
				break;
			before = is_left(self, deed->before, false);
			after = is_left(self, deed->after, deed->dead);
			EXPECT_TRUE(dones ? after : before || after)
				TH_LOG("%s: step %d", deed->name, step);
			dones += after;
			EXPECT_TRUE(can_be_taken(self, after ? deed->after :
							       deed->before,
						 after && deed->dead))
				TH_LOG("%s: step %d", deed->name, step);
		}
		/* Entry and return of the call, and of the one after it. */
		EXPECT_LE(4, step)
			TH_LOG("%s: %d steps", deed->name, step);
		EXPECT_LT(0, dones)
			TH_LOG("%s: never done", deed->name);
		EXPECT_TRUE(!distinct || dones < step)
			TH_LOG("%s: done before it began", deed->name);
	}
}

/* Those that have to wait, each for something else. */
static const struct deed waits[] = {
	{ "for the guard", { TAKE(GUARD) }, 1, { 0, 2, 0 } },
	{ "for the guard, with undo", { TAKE_UNDO(GUARD) }, 1, { 0, 2, 0 } },
	{ "for zero", { ZERO(FREE) }, 1, { 1, 2, 0 } },
	{ "at the first of two", { TAKE_UNDO(FULL), TAKE_UNDO(FREE) }, 2,
	  { 1, 2, 0 } },
	/* Between the two: the first could be done. */
	{ "at the second of two", { TAKE(GUARD), TAKE(FULL) }, 2, { 1, 2, 0 } },
	{ "at the second of two, with undo",
	  { TAKE_UNDO(GUARD), TAKE_UNDO(FULL) }, 2, { 1, 2, 0 } },
	{ "for zero, with the guard in hand", { TAKE_UNDO(GUARD), ZERO(FREE) },
	  2, { 1, 2, 0 } },
};

/* A child that waits with a handle of its own. */
static pid_t wait_with(FIXTURE_DATA(death) * self, const struct deed *deed,
		       __u32 number)
{
	pid_t child = box_fork();

	if (!child) {
		int fd = box_open_id(box_device(), box_id(self->fd), R | W);

		close(self->fd);
		do_deed(fd, deed);
	}
	if (box_await_receivers(self->fd, number))
		abort();
	return child;
}

/* Lets every one of @waits through, one who waits with UNDO and ends, too. */
static bool let_through(FIXTURE_DATA(death) * self, const struct deed *deed)
{
	bool zero = !deed->operations[0].change ||
		    (deed->count > 1 && !deed->operations[1].change);

	return !sem_assign(self->fd, GUARD, 1, 1) &&
	       !sem_assign(self->fd, FULL, SLOTS, SLOTS) &&
	       !sem_assign(self->fd, FREE, zero ? 0 : SLOTS, SLOTS);
}

TEST_F(death, in_each_wait)
{
	const struct deed *deed;
	pid_t victim, survivor;

	for (deed = waits; deed < waits + ARRAY_SIZE(waits); deed++) {
		ASSERT_TRUE(begin_deed(self, deed));
		victim = wait_with(self, deed, 1);
		kill(victim, SIGKILL);
		EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(victim));
		EXPECT_TRUE(is_left(self, deed->before, false))
			TH_LOG("waits %s", deed->name);
		/* One behind it goes on as if it had never been there. */
		victim = wait_with(self, deed, 1);
		survivor = wait_with(self, deed, 2);
		kill(victim, SIGKILL);
		EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(victim));
		EXPECT_EQ(0, box_await_receivers(self->fd, 1));
		EXPECT_TRUE(let_through(self, deed));
		EXPECT_EQ(0, box_wait(survivor))
			TH_LOG("waits %s", deed->name);
	}
}

/*
 * Killed while it is being served: it has got the guard, which then comes back and
 * tells of it, or it has not.
 */
TEST_F(death, of_one_who_is_being_served)
{
	const struct deed take = {
		"the guard", { TAKE_UNDO(GUARD) }, 1, { 0, 2, 0 }, { 1, 2, 0 },
	};
	__u64 seed = 7;
	int i, told = 0;
	pid_t victim;
	__u64 until;

	for (i = 0; i < 100; i++) {
		ASSERT_TRUE(begin_deed(self, &take));
		victim = wait_with(self, &take, 1);
		if (i % 2) {
			kill(victim, SIGKILL);
			EXPECT_EQ(0, sem_now(self->fd, GUARD, 1, 0));
		} else {
			EXPECT_EQ(0, sem_now(self->fd, GUARD, 1, 0));
			until = box_random(&seed) % 8;
			while (until--)
				sched_yield();
			kill(victim, SIGKILL);
		}
		/* It may have come to its end before. */
		box_wait(victim);
		EXPECT_EQ(1, sem_value(self->fd, GUARD));
		EXPECT_TRUE(is_left(self, take.after, false) ||
			    is_left(self, take.after, true));
		told += is_left(self, take.after, true);
		EXPECT_TRUE(can_be_taken(self, take.after,
					 is_left(self, take.after, true)));
	}
	TH_LOG("%d of %d had it", told, i);
}

/* A handle that several processes have is one: it goes with the last. */
TEST_F(death, of_all_but_one_who_share_a_handle)
{
	const __u32 taken[SEMS] = { 0, SLOTS, 0 }, back[SEMS] = { 1, SLOTS, 0 };
	int fd = box_open_id(self->dev, box_id(self->fd), R | W);
	__u32 *flag = box_shared(sizeof(*flag));
	pid_t taker, sharer;

	taker = box_fork();
	if (!taker) {
		CHECK_EQ(0, sem_now(fd, GUARD, -1, UNDO));
		__atomic_store_n(flag, 1, __ATOMIC_RELEASE);
		for (;;)
			pause();
	}
	sharer = box_fork();
	if (!sharer) {
		for (;;)
			pause();
	}
	close(fd);
	box_await_flag(flag, 1);
	kill(taker, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(taker));
	EXPECT_TRUE(is_left(self, taken, false));
	kill(sharer, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(sharer));
	EXPECT_TRUE(is_left(self, back, true));
	munmap(flag, sizeof(*flag));
}

/* One that waits is killed; one behind it is not kept. */
TEST_F(death, of_one_who_waits)
{
	pid_t first, second;

	ASSERT_EQ(0, sem_now(self->fd, GUARD, -1, 0));
	first = box_fork();
	if (!first) {
		sem_wait_for(self->fd, GUARD, -1, UNDO);
		_exit(1);
	}
	ASSERT_EQ(0, box_await_receivers(self->fd, 1));
	second = box_fork();
	if (!second) {
		CHECK_EQ(0, sem_wait_for(self->fd, GUARD, -1, UNDO));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_receivers(self->fd, 2));
	kill(first, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(first));
	EXPECT_EQ(0, sem_now(self->fd, GUARD, 1, 0));
	EXPECT_EQ(0, box_wait(second));
}

/* POSIX threads' mutexes lie in the region, and are told by the kernel. */
TEST_F(death, of_the_holder_of_a_robust_mutex)
{
	pthread_mutex_t *mutex = (void *)(self->memory + 16);
	pthread_mutexattr_t attributes;
	__u32 *flag = self->memory;
	pid_t child;
	int i;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	ASSERT_EQ(0, pthread_mutex_init(mutex, &attributes));
	for (i = 0; i < 10; i++) {
		*flag = 0;
		child = box_fork();
		if (!child) {
			/* By a mapping of its own. */
			char *own = region_map(self->fd, self->page, RW);

			mutex = (void *)(own + 64);
			CHECK_EQ(0, pthread_mutex_lock(mutex));
			__atomic_store_n(flag, 1, __ATOMIC_RELEASE);
			for (;;)
				pause();
		}
		box_await_flag(flag, 1);
		EXPECT_EQ(EBUSY, pthread_mutex_trylock(mutex));
		kill(child, SIGKILL);
		EXPECT_EQ(EOWNERDEAD, pthread_mutex_lock(mutex));
		EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child));
		EXPECT_EQ(0, pthread_mutex_consistent(mutex));
		EXPECT_EQ(0, pthread_mutex_unlock(mutex));
		EXPECT_EQ(0, pthread_mutex_lock(mutex));
		EXPECT_EQ(0, pthread_mutex_unlock(mutex));
	}
	pthread_mutex_destroy(mutex);
}

static long futex(__u32 *word, int operation, __u32 value)
{
	return syscall(__NR_futex, word, operation, value, NULL, NULL, 0);
}

/* Woken by another mapping of the same word. */
TEST_F(death, futexes_work)
{
	__u32 *word = self->memory + 100;
	pid_t child = box_fork();

	if (!child) {
		__u32 *own = region_map(self->fd, self->page, RW);

		while (!__atomic_load_n(&own[100], __ATOMIC_ACQUIRE))
			futex(&own[100], FUTEX_WAIT, 0);
		_exit(0);
	}
	/* Until it sleeps there. */
	while (!futex(word, FUTEX_WAKE, 1))
		sched_yield();
	__atomic_store_n(word, 1, __ATOMIC_RELEASE);
	futex(word, FUTEX_WAKE, 1);
	EXPECT_EQ(0, box_wait(child));
}

/*
 * Killed at any time: workers lock, count in two places, unlock. Whoever finds
 * that the holder died repairs what it left.
 */
static void count_on(int dev, __u64 id, size_t page)
{
	int fd = box_open_id(dev, id, R | W);
	__u32 *memory = region_map(fd, page, RW);
	int taken;

	for (;;) {
		taken = sem_wait_for(fd, GUARD, -1, UNDO);
		if (taken == -EOWNERDEAD)
			memory[1] = memory[0];
		else
			CHECK_EQ(0, taken);
		CHECK_EQ(memory[0], memory[1]);
		__atomic_store_n(&memory[0], memory[0] + 1, __ATOMIC_RELAXED);
		__atomic_store_n(&memory[1], memory[1] + 1, __ATOMIC_RELAXED);
		CHECK_EQ(0, sem_wait_for(fd, GUARD, 1, UNDO));
	}
}

#define WORKERS	4

TEST_F(death, at_any_time)
{
	__u64 seed = 99, until;
	pid_t workers[WORKERS] = { };
	int i, kills, taken;

	for (kills = 0; kills < 100; kills++) {
		i = box_random(&seed) % WORKERS;
		if (workers[i]) {
			/* Some more counting first. */
			until = __atomic_load_n(self->memory, __ATOMIC_RELAXED) +
				box_random(&seed) % 20;
			while (__atomic_load_n(self->memory, __ATOMIC_RELAXED) <
			       until)
				sched_yield();
			kill(workers[i], SIGKILL);
			ASSERT_EQ(BOX_KILLED(SIGKILL), box_wait(workers[i]));
		}
		workers[i] = box_fork();
		if (!workers[i])
			count_on(self->dev, box_id(self->fd), self->page);
	}
	for (i = 0; i < WORKERS; i++) {
		if (workers[i]) {
			kill(workers[i], SIGKILL);
			EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(workers[i]));
		}
	}
	taken = sem_now(self->fd, GUARD, -1, UNDO);
	EXPECT_TRUE(taken == 0 || taken == -EOWNERDEAD);
	EXPECT_TRUE(taken || self->memory[0] == self->memory[1]);
	EXPECT_EQ(0, sem_value(self->fd, GUARD));
}

TEST_HARNESS_MAIN
