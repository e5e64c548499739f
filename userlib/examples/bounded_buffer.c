/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * The textbook's bounded buffer: producers and consumers share a ring of slots in
 * a region, and three semaphores count the free slots, count the full ones, and
 * guard the ring.
 *
 * Shows: two semaphores taken at once, so that nobody holds one while waiting
 * for the other; and what becomes of it when a process is killed that holds
 * the guard: the next one learns of it.
 *
 *	./bounded_buffer [ITEMS]
 *
 * Exits with 0 if what was consumed adds up.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ipcbox.h>

#define SLOTS		8
#define PRODUCERS	2
#define CONSUMERS	2

enum { FREE, FULL, GUARD, SEMAPHORES };

struct ring {
	unsigned long in;
	unsigned long out;
	unsigned long sum;
	unsigned long consumed;
	unsigned long slots[SLOTS];
};

static void stop(const char *what, int error)
{
	if (!error)
		return;
	fprintf(stderr, "%s: %s\n", what,
		ipcbox_explain(IPCBOX_OPERATION_SEM, error));
	exit(EXIT_FAILURE);
}

/* A slot of the kind that is wanted, and the guard, or neither. */
static void enter(struct ipcbox_handle *region, unsigned int kind)
{
	const struct ipcbox_sem_operation both[] = {
		{ .semaphore = kind, .change = -1 },
		{ .semaphore = GUARD, .change = -1, .flags = IPCBOX_SEM_UNDO },
	};
	int error;

	do {
		error = ipcbox_sem_operate(region, both, 2, 0, 0);
	} while (error == -EINTR);
	/* Who died here has not moved in or out: see leave(). */
	if (error != -EOWNERDEAD)
		stop("enter", error);
}

static void leave(struct ipcbox_handle *region, unsigned int kind)
{
	const struct ipcbox_sem_operation both[] = {
		{ .semaphore = kind, .change = 1 },
		{ .semaphore = GUARD, .change = 1, .flags = IPCBOX_SEM_UNDO },
	};

	stop("leave", ipcbox_sem_operate(region, both, 2, IPCBOX_NOWAIT, 0));
}

static void produce(struct ipcbox_handle *region, struct ring *ring,
		    unsigned long count)
{
	unsigned long i;

	for (i = 1; i <= count; i++) {
		enter(region, FREE);
		ring->slots[ring->in++ % SLOTS] = i;
		leave(region, FULL);
	}
}

static void consume(struct ipcbox_handle *region, struct ring *ring,
		    unsigned long count)
{
	unsigned long i;

	for (i = 0; i < count; i++) {
		enter(region, FULL);
		ring->sum += ring->slots[ring->out++ % SLOTS];
		ring->consumed++;
		leave(region, FREE);
	}
}

/* A process with a handle of its own, so that its death is noticed. */
static pid_t start(uint64_t id, unsigned int role, unsigned long count)
{
	struct ipcbox_handle *region;
	struct ipcbox *box;
	void *memory;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child)
		return child;
	stop("box", ipcbox_box_open(&box));
	stop("open", ipcbox_open_id(box, id, IPCBOX_RIGHT_RECEIVE |
				    IPCBOX_RIGHT_SEND, 0, &region));
	stop("map", ipcbox_region_map(region, IPCBOX_MAP_WRITE, &memory, NULL));
	if (role == 0) {
		produce(region, memory, count);
	} else if (role == 1) {
		consume(region, memory, count);
	} else {
		stop("take", ipcbox_sem_take(region, GUARD, IPCBOX_SEM_UNDO, 0));
		raise(SIGKILL);
	}
	exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 0) : 5000;
	const struct ipcbox_sem_value values[] = {
		{ .semaphore = FREE, .value = SLOTS, .maximum = SLOTS },
		{ .semaphore = FULL, .value = 0, .maximum = SLOTS },
		{ .semaphore = GUARD, .value = 1, .maximum = 1 },
	};
	unsigned long wanted = PRODUCERS * (count * (count + 1) / 2);
	struct ipcbox_sem_state states[SEMAPHORES];
	pid_t children[PRODUCERS + CONSUMERS];
	struct ipcbox_handle *region;
	struct ipcbox *box;
	struct ring *ring;
	int i, status, good = 1;
	void *memory;
	pid_t victim;
	uint64_t id;

	stop("box", ipcbox_box_open(&box));
	stop("create", ipcbox_region_create(box, NULL, 0, sizeof(*ring),
					    SEMAPHORES, &region));
	stop("set", ipcbox_sem_set(region, values, SEMAPHORES));
	stop("map", ipcbox_region_map(region, IPCBOX_MAP_READ, &memory, NULL));
	ring = memory;
	id = ipcbox_handle_id(region);

	/* One that dies holding the guard keeps nobody. */
	victim = start(id, 2, 0);
	waitpid(victim, &status, 0);
	stop("get", ipcbox_sem_get(region, 0, states, SEMAPHORES));
	good &= states[GUARD].flags == IPCBOX_SEM_DEAD;
	printf("process %d died and gave back what it held\n", (int)victim);

	for (i = 0; i < PRODUCERS + CONSUMERS; i++)
		children[i] = start(id, i >= PRODUCERS, count);
	for (i = 0; i < PRODUCERS + CONSUMERS; i++)
		good &= waitpid(children[i], &status, 0) == children[i] &&
			status == 0;
	printf("%lu items consumed, which add up to %lu of %lu\n",
	       ring->consumed, ring->sum, wanted);
	good &= ring->sum == wanted;
	ipcbox_close(region);
	ipcbox_box_close(box);
	puts(good ? "passed" : "failed");
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
