/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

static uint64_t read_clock(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

uint64_t now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t cpu_used(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

void *buffer_new(size_t size, unsigned int batch)
{
	size_t length = size * batch + sizeof(uint64_t);
	void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

int link_open(struct link *link, const struct transport *transport,
	      const struct shape *shape)
{
	static unsigned int opened;

	*link = (struct link){ .transport = transport, .shape = *shape,
			       .fd = { -1, -1 } };
	if ((shape->senders > 1 && !(transport->can & CAN_MANY_SENDERS)) ||
	    (shape->receivers > 1 && !(transport->can & CAN_MANY_RECEIVERS)) ||
	    (shape->levels > 1 && !(transport->can & CAN_PRIORITIES)) ||
	    (shape->tags && !(transport->can & CAN_SELECT)))
		return -EOPNOTSUPP;
	snprintf(link->name, sizeof(link->name), "ipcbox-bench-%d-%u",
		 (int)getpid(), opened++);
	return transport->open(link);
}

void link_close(struct link *link)
{
	if (link->transport->close)
		link->transport->close(link);
}

int link_attach(struct link *link, enum side side)
{
	return link->transport->attach ? link->transport->attach(link, side) : 0;
}
