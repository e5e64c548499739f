/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Waiting for the other end of a channel: spinning as long as it is worth it, and
 * then asleep. <linux/ipcbox_ring.h> says why no wake-up is lost.
 */
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "channel.h"

/* From <linux/membarrier.h>, which may be older. */
#define BARRIER			2	/* MEMBARRIER_CMD_GLOBAL_EXPEDITED */
#define REGISTER_BARRIER	4	/* ..._REGISTER_GLOBAL_EXPEDITED */

/* How many looks there are between two looks at the clock. */
#define LOOKS		32
/* Of so many waits one spins up to the cap, whatever was learnt. */
#define PROBE		16
/* After so many waits the CPUs are counted anew. */
#define RECOUNT		64
/* How much one wait weighs in the average. */
#define WEIGHT		8

static int membarrier(int command)
{
	int saved = errno;
	int result = (int)syscall(SYS_membarrier, command, 0, 0);

	if (result < 0) {
		result = -errno;
		errno = saved;
	}
	return result;
}

int ipcbox_channel_register_barrier(void)
{
	return membarrier(REGISTER_BARRIER);
}

int ipcbox_channel_barrier(void)
{
	return membarrier(BARRIER);
}

void ipcbox_channel_wake_other(struct ipcbox_channel *end)
{
	struct ipcbox_channel_wake wake = { .size = sizeof(wake) };

	ipcbox_ioctl(end->handle->fd, IPCBOX_IOC_CHANNEL_WAKE, &wake);
}

static uint64_t now(void)
{
	struct timespec time;

	/* Cannot fail: the clock exists and the pointer is valid. */
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Those that the caller may use; where they cannot be told there are many. */
static int count_cpus(void)
{
	int saved = errno;
	cpu_set_t set;
	int count = CPU_SETSIZE;

	if (!sched_getaffinity(0, sizeof(set), &set))
		count = CPU_COUNT(&set);
	errno = saved;
	return count;
}

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("isb" ::: "memory");
#else
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
#endif
}

/* Nothing to wait for: 1 that it is there or never comes, 0 not yet, or -EIO. */
static int settled(struct ipcbox_channel *end, uint32_t room)
{
	int ended = ipcbox_ring_ended(end->ring);
	int error = ipcbox_ring_look(end->ring);

	if (error)
		return error;
	return ended || ipcbox_ring_room(end->ring) >= room;
}

/* How long the next wait may spin. */
static uint64_t spin_limit(struct ipcbox_channel *end)
{
	if (!end->spin)
		return 0;
	if (end->waits % RECOUNT == 0)
		end->cpus = count_cpus();
	if (end->waits++ % PROBE == 0)
		return end->cpus > 1 ? end->spin : 0;
	if (end->cpus < 2 || end->average > end->spin)
		return 0;
	return 2 * end->average < end->spin ? 2 * end->average : end->spin;
}

/* A wait that was much too long to be spun through counts as twice the cap. */
static void learn(struct ipcbox_channel *end, uint64_t waited)
{
	uint64_t most = 2 * end->spin;

	if (waited > most)
		waited = most;
	end->average += waited / WEIGHT;
	end->average -= end->average / (WEIGHT + 1);
}

/* As settled(), after a while. */
static int spin(struct ipcbox_channel *end, uint32_t room, uint64_t begun,
		uint64_t limit)
{
	int result;
	int i;

	do {
		for (i = 0; i < LOOKS; i++) {
			relax();
			result = settled(end, room);
			if (result)
				return result;
		}
	} while (now() - begun < limit);
	return 0;
}

/* From the wish to be woken on: what the ring says, or what WAIT says. */
static int sleep_armed(struct ipcbox_channel *end, uint32_t room,
		       uint64_t deadline)
{
	struct ipcbox_channel_wait wait = {
		.size = sizeof(wait),
		.wanted = ipcbox_ring_wanted(end->ring, room),
		.deadline = ipcbox_deadline_or_forever(deadline),
	};
	int result = settled(end, room);

	if (result)
		return result < 0 ? result : 0;
	result = ipcbox_ioctl(end->handle->fd, IPCBOX_IOC_CHANNEL_WAIT, &wait);
	if (!result)
		return ipcbox_ring_note(end->ring, wait.position);
	/* The ring knows the end, and what came before it. */
	return result == -EPIPE ? 0 : result;
}

static void arm(struct ipcbox_channel *end, uint32_t room)
{
	ipcbox_ring_sleep(end->ring, ipcbox_ring_wanted(end->ring, room));
	/* An end that is polled has had the other one fence each time. */
	if (end->polled || ipcbox_channel_barrier())
		ipcbox_ring_fence();
}

static int sleep_once(struct ipcbox_channel *end, uint32_t room,
		      uint64_t deadline)
{
	int result;

	arm(end, room);
	result = sleep_armed(end, room, deadline);
	ipcbox_ring_awake(end->ring);
	return result;
}

/* Who polls is told of what comes after this. */
static int refuse(struct ipcbox_channel *end, uint32_t room)
{
	int result;

	if (!end->polled)
		return -EAGAIN;
	arm(end, room);
	result = settled(end, room);
	return result < 0 ? result : result ? 0 : -EAGAIN;
}

int ipcbox_channel_wait(struct ipcbox_channel *end, uint32_t room,
			unsigned int flags, uint64_t deadline)
{
	uint64_t limit;
	uint64_t begun;
	int result;

	if (!ipcbox_ring_published(end->ring))
		ipcbox_channel_publish_inline(end);
	if (end->nowait || flags & IPCBOX_NOWAIT)
		return refuse(end, room);
	limit = spin_limit(end);
	begun = now();
	if (ipcbox_deadline_or_forever(deadline) <= begun)
		limit = 0;
	else if (limit > ipcbox_deadline_or_forever(deadline) - begun)
		limit = ipcbox_deadline_or_forever(deadline) - begun;
	result = limit ? spin(end, room, begun, limit) : 0;
	if (result > 0)
		result = 0;
	else if (!result)
		result = sleep_once(end, room, deadline);
	learn(end, now() - begun);
	return result;
}
