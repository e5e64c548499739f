/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "team.h"

static void futex_wait(_Atomic uint32_t *word, uint32_t value)
{
	syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

int team_begin(struct team *team)
{
	void *memory = mmap(NULL, sizeof(*team->arena), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory == MAP_FAILED)
		return -ENOMEM;
	*team = (struct team){ .arena = memory };
	/* That of team_end(), so that nobody takes itself for the last before. */
	atomic_store(&team->arena->left, 1);
	return 0;
}

/* Members take the processors in turn. */
static void pin(unsigned int number)
{
	unsigned int processors = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(number % processors, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/*
 * A library may still have to deliver what was sent, and the end of a process is
 * not to be measured with what others do.
 */
static void wait_for_others(struct arena *arena)
{
	uint32_t left = atomic_fetch_sub(&arena->left, 1) - 1;

	if (!left)
		futex_wake(&arena->left);
	for (; left; left = atomic_load(&arena->left))
		futex_wait(&arena->left, left);
}

int team_add(struct team *team, int (*run)(struct arena *arena,
					   unsigned int number, void *argument),
	     void *argument)
{
	struct arena *arena = team->arena;
	unsigned int number = team->count;
	int expected = 0;
	int error;
	pid_t pid;

	if (number == MEMBERS_MAX)
		return -E2BIG;
	atomic_fetch_add(&arena->left, 1);
	pid = fork();
	if (pid < 0)
		return failure();
	if (pid) {
		team->pids[team->count++] = pid;
		return 0;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (settings.pinned)
		pin(number);
	error = run(arena, number, argument);
	if (error)
		atomic_compare_exchange_strong(&arena->error, &expected, error);
	else
		wait_for_others(arena);
	/* Not exit(): what others hold shall not be cleaned up here. */
	_exit(error ? EXIT_FAILURE : EXIT_SUCCESS);
}

static void kill_all(struct team *team)
{
	for (unsigned int i = 0; i < team->count; i++)
		if (team->pids[i])
			kill(team->pids[i], SIGKILL);
}

static uint64_t nanoseconds(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000000 +
	       (uint64_t)time->tv_usec * 1000;
}

/* Returns false for a process of another sort than the team's. */
static bool note_end(struct team *team, pid_t pid, const struct rusage *usage)
{
	for (unsigned int i = 0; i < team->count; i++) {
		if (team->pids[i] != pid)
			continue;
		team->pids[i] = 0;
		team->cpu += nanoseconds(&usage->ru_utime) +
			     nanoseconds(&usage->ru_stime);
		return true;
	}
	return false;
}

static volatile sig_atomic_t late;

static void on_alarm(int signal)
{
	(void)signal;
	late = 1;
}

int team_wait(struct team *team, int error)
{
	struct sigaction action = { .sa_handler = on_alarm };
	unsigned int left = team->count;
	struct rusage usage;
	int result = error;
	int status;
	pid_t pid;

	if (error)
		kill_all(team);
	if (atomic_fetch_sub(&team->arena->left, 1) == 1)
		futex_wake(&team->arena->left);
	late = 0;
	sigaction(SIGALRM, &action, NULL);
	alarm(TEAM_LIMIT);
	while (left) {
		pid = wait4(-1, &status, 0, &usage);
		if (pid < 0) {
			if (errno != EINTR)
				break;
			if (late && !result) {
				result = -ETIMEDOUT;
				kill_all(team);
			}
			continue;
		}
		if (!note_end(team, pid, &usage))
			continue;
		left--;
		if (!status || result)
			continue;
		result = atomic_load(&team->arena->error);
		if (!result)
			result = -ECHILD;
		kill_all(team);
	}
	alarm(0);
	return result;
}

void team_free(struct team *team)
{
	munmap(team->arena, sizeof(*team->arena));
}

int team_end(struct team *team, int error, struct figures *figures)
{
	error = team_wait(team, error);
	if (!error)
		*figures = team->arena->figures;
	team_free(team);
	return error;
}

void baton_wait(struct arena *arena, unsigned int number)
{
	while (!atomic_exchange(&arena->turns[number], 0))
		futex_wait(&arena->turns[number], 0);
}

void baton_pass(struct arena *arena, unsigned int number)
{
	atomic_store(&arena->turns[number], 1);
	futex_wake(&arena->turns[number]);
}

void gate_wait(struct arena *arena)
{
	atomic_fetch_add(&arena->arrived, 1);
	futex_wake(&arena->arrived);
	while (!atomic_load(&arena->gate))
		futex_wait(&arena->gate, 0);
}

void gate_open(struct arena *arena, uint32_t count)
{
	uint32_t arrived;

	while ((arrived = atomic_load(&arena->arrived)) < count)
		futex_wait(&arena->arrived, arrived);
	atomic_store(&arena->gate, 1);
	futex_wake(&arena->gate);
}
