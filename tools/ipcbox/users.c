/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Who uses an object: what /proc tells of the descriptors and mappings of those
 * processes that the caller may look at.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* The first line of a file of a process, without its end. */
static void read_line(const char *pid, const char *file, char *line, size_t size)
{
	char path[320];
	FILE *in;

	*line = 0;
	snprintf(path, sizeof(path), "/proc/%s/%s", pid, file);
	in = fopen(path, "re");
	if (!in)
		return;
	if (!fgets(line, (int)size, in))
		*line = 0;
	line[strcspn(line, "\n")] = 0;
	fclose(in);
}

/* Whether a descriptor is a handle on the object, and then its rights. */
static bool is_handle(const char *pid, const char *descriptor, uint64_t id,
		      char rights[8])
{
	char path[576], line[128];
	uint64_t shown = 0;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%s/fdinfo/%s", pid, descriptor);
	in = fopen(path, "re");
	if (!in)
		return false;
	while (fgets(line, sizeof(line), in)) {
		sscanf(line, "ipcbox-id: %" SCNu64, &shown);
		sscanf(line, "ipcbox-rights: %7s", rights);
	}
	fclose(in);
	return shown == id;
}

static unsigned int count_handles(const char *pid, uint64_t id, char rights[8])
{
	unsigned int count = 0;
	struct dirent *entry;
	char path[320], own[8];
	DIR *descriptors;

	snprintf(path, sizeof(path), "/proc/%s/fdinfo", pid);
	descriptors = opendir(path);
	if (!descriptors)
		return 0;
	while ((entry = readdir(descriptors))) {
		if (!is_handle(pid, entry->d_name, id, own))
			continue;
		memcpy(rights, own, sizeof(own));
		count++;
	}
	closedir(descriptors);
	return count;
}

static unsigned int count_mappings(const char *pid, uint64_t id)
{
	char path[320], line[4096], wanted[64];
	unsigned int count = 0;
	FILE *in;

	snprintf(wanted, sizeof(wanted), "/ipcbox:%" PRIu64 " ", id);
	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	in = fopen(path, "re");
	if (!in)
		return 0;
	while (fgets(line, sizeof(line), in))
		count += strstr(line, wanted) != NULL;
	fclose(in);
	return count;
}

void each_user(uint64_t id, void (*found)(const struct object_user *user,
					  void *context), void *context)
{
	struct dirent *entry;
	DIR *processes = opendir("/proc");

	if (!processes)
		return;
	while ((entry = readdir(processes))) {
		struct object_user user = { .pid = atoi(entry->d_name) };

		if (user.pid <= 0)
			continue;
		user.handles = count_handles(entry->d_name, id, user.rights);
		user.mappings = count_mappings(entry->d_name, id);
		if (!user.handles && !user.mappings)
			continue;
		read_line(entry->d_name, "comm", user.command,
			  sizeof(user.command));
		found(&user, context);
	}
	closedir(processes);
}
