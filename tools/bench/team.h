/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * The processes of a measurement: each end of a link is a process of its own,
 * as it is in use. They share an arena, and pass a baton round where they are
 * to act in turn.
 */
#ifndef TEAM_H
#define TEAM_H

#include <sys/types.h>

#include "bench.h"

/* How long a measurement may take, in seconds. */
#define TEAM_LIMIT 60

/**
 * struct arena - what the processes of a team share
 * @turns: for each member, whether it has the baton
 * @stopped: whether those who get the baton are to end
 * @gate: 0 while those who wait at it are to wait
 * @arrived: how many have come to the gate since it was closed
 * @left: how many have not come to their end
 * @error: of the first member that returned something else than 0, or 0
 * @messages: how many the next turn is about
 * @begun: times that members noted
 * @ended: likewise
 * @count: of what members did, all together
 * @cpu: nanoseconds of processors that they used, as they say themselves
 * @figures: what was found
 */
struct arena {
	_Atomic uint32_t turns[MEMBERS_MAX];
	_Atomic bool stopped;
	_Atomic uint32_t gate;
	_Atomic uint32_t arrived;
	_Atomic uint32_t left;
	_Atomic int error;
	unsigned long messages;
	uint64_t begun;
	uint64_t ended;
	_Atomic uint64_t count;
	_Atomic uint64_t cpu;
	struct figures figures;
};

/**
 * struct team - the processes of a measurement
 * @arena: what they share
 * @pids: by number
 * @count: how many there are
 * @cpu: nanoseconds that those that have ended used of the processors
 */
struct team {
	struct arena *arena;
	pid_t pids[MEMBERS_MAX];
	unsigned int count;
	uint64_t cpu;
};

/**
 * team_begin - make a team without members
 * @team: the team
 *
 * Returns 0 or -ENOMEM.
 */
int team_begin(struct team *team);

/**
 * team_add - add a process
 * @team: the team
 * @run: what the process does; it is given its number in the team, from 0, and
 *	@argument, and returns 0 or -errno. The process ends when all have done
 *	so, or one has failed
 * @argument: any pointer, to what there is before the process begins
 *
 * Returns 0, or -errno of fork(2).
 */
int team_add(struct team *team, int (*run)(struct arena *arena,
					   unsigned int number, void *argument),
	     void *argument);

/**
 * team_wait - wait for all members to end
 * @team: the team
 * @error: why the team cannot do its work, so that its members are to be killed,
 *	or 0
 *
 * When one of them fails, or returns 1, the others are killed. Returns @error if there is one;
 * else 0, -errno of the first that failed, -ETIMEDOUT after TEAM_LIMIT seconds,
 * or -ECHILD when one was killed.
 */
int team_wait(struct team *team, int error);

/* Free the arena of a team whose members have ended. */
void team_free(struct team *team);

/* team_wait(), the figures of the arena when all went well, and team_free(). */
int team_end(struct team *team, int error, struct figures *figures);

/* Wait until the baton comes to member @number. */
void baton_wait(struct arena *arena, unsigned int number);

/* Give the baton to member @number. */
void baton_pass(struct arena *arena, unsigned int number);

/* Come to the gate, and wait until it opens. */
void gate_wait(struct arena *arena);

/* Wait until @count members are at the gate, and open it. */
void gate_open(struct arena *arena, uint32_t count);

#endif /* TEAM_H */
