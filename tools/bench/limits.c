/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>

#include "limits.h"

static struct limit {
	const char *path;
	unsigned long wanted;
	unsigned long found;
	bool raised;
} limits[] = {
	{ .path = "/proc/sys/fs/mqueue/msg_max", .wanted = 65536 },
	{ .path = "/proc/sys/fs/mqueue/msgsize_max", .wanted = 16 << 20 },
	{ .path = "/proc/sys/fs/mqueue/queues_max", .wanted = 200000 },
	{ .path = "/proc/sys/kernel/msgmax", .wanted = 16 << 20 },
	{ .path = "/proc/sys/kernel/msgmni", .wanted = 32768 },
	{ .path = "/proc/sys/net/unix/max_dgram_qlen", .wanted = 200000 },
	{ .path = "/sys/module/ipcbox/parameters/user_objects",
	  .wanted = 400000 },
	{ .path = "/sys/module/ipcbox/parameters/box_objects",
	  .wanted = 400000 },
	{ .path = "/sys/module/ipcbox/parameters/user_bytes",
	  .wanted = 1 << 30 },
	{ .path = "/sys/module/ipcbox/parameters/user_mapped_bytes",
	  .wanted = 1 << 30 },
	{ .path = "/sys/module/ipcbox/parameters/message_bytes",
	  .wanted = 16 << 20 },
	{ .path = "/sys/module/ipcbox/parameters/pool_message_bytes",
	  .wanted = 16 << 20 },
};

#define LIMITS (sizeof(limits) / sizeof(limits[0]))

static bool set(const char *path, unsigned long value)
{
	FILE *file = fopen(path, "we");
	bool done;

	if (!file)
		return false;
	done = fprintf(file, "%lu", value) > 0;
	return fclose(file) == 0 && done;
}

static bool get(const char *path, unsigned long *value)
{
	FILE *file = fopen(path, "re");
	bool done;

	if (!file)
		return false;
	done = fscanf(file, "%lu", value) == 1;
	fclose(file);
	return done;
}

void limits_raise(void)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	const struct rlimit files = { 4096, 4096 };

	for (unsigned int i = 0; i < LIMITS; i++)
		limits[i].raised = get(limits[i].path, &limits[i].found) &&
				   limits[i].found < limits[i].wanted &&
				   set(limits[i].path, limits[i].wanted);
	setrlimit(RLIMIT_MSGQUEUE, &all);
	setrlimit(RLIMIT_NOFILE, &files);
}

void limits_restore(void)
{
	for (unsigned int i = 0; i < LIMITS; i++)
		if (limits[i].raised)
			set(limits[i].path, limits[i].found);
}
