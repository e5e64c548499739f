/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the selftests of regions share, as box.h has it for all.
 */
#ifndef _REGION_H
#define _REGION_H

#include <sys/ioctl.h>
#include <sys/mman.h>

#include "box.h"

#define UNDO		IPCBOX_SEM_UNDO
#define SEM_MAX		IPCBOX_SEM_VALUE_MAX

/* A name for none. */
static inline int region_make(int dev, const char *name, __u32 rights,
			      __u64 bytes, __u32 semaphores)
{
	struct ipcbox_create create = {
		.kind = IPCBOX_REGION,
		.mode = 0600,
		.rights = rights,
		.name = (uintptr_t)name,
		.name_length = name ? strlen(name) : 0,
		.mapped_bytes = bytes,
		.semaphores = semaphores,
	};

	return box_create(dev, &create);
}

static inline int region_seal(int fd)
{
	struct ipcbox_seal seal = { .size = sizeof(seal) };

	return ioctl(fd, IPCBOX_IOC_SEAL, &seal) ? -errno : 0;
}

static inline bool region_sealed(int fd)
{
	struct ipcbox_stat stat;

	return !box_stat(fd, &stat) && stat.state & IPCBOX_STATE_SEALED;
}

/* Memory, or NULL with errno. */
static inline void *region_map(int fd, size_t size, int protection)
{
	void *memory = mmap(NULL, size, protection, MAP_SHARED, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* mmap's errno, or 0 when it succeeds; nothing stays mapped. */
static inline int region_map_error(int fd, size_t size, int protection,
				   int flags, off_t offset)
{
	void *memory = mmap(NULL, size, protection, flags, fd, offset);

	if (memory == MAP_FAILED)
		return errno;
	munmap(memory, size);
	return 0;
}

static inline int sem_do(int fd, const struct ipcbox_sem_operation *operations,
			 __u32 count, __u32 flags, __u64 deadline)
{
	struct ipcbox_sem_operate request = {
		.size = sizeof(request),
		.flags = flags,
		.operations = (uintptr_t)operations,
		.count = count,
		.operation_size = sizeof(*operations),
		.deadline = deadline,
	};

	return ioctl(fd, IPCBOX_IOC_SEM, &request) ? -errno : 0;
}

/* One operation, that does not wait, and one that does. */
static inline int sem_now(int fd, __u32 semaphore, __s32 change, __u32 flags)
{
	struct ipcbox_sem_operation operation = {
		.semaphore = semaphore, .change = change, .flags = flags,
	};

	return sem_do(fd, &operation, 1, IPCBOX_NOWAIT, 0);
}

static inline int sem_wait_for(int fd, __u32 semaphore, __s32 change,
			       __u32 flags)
{
	struct ipcbox_sem_operation operation = {
		.semaphore = semaphore, .change = change, .flags = flags,
	};

	return sem_do(fd, &operation, 1, 0, IPCBOX_FOREVER);
}

static inline int sem_get(int fd, __u32 first, __u32 count,
			  struct ipcbox_sem_state *states)
{
	struct ipcbox_sem_get request = {
		.size = sizeof(request),
		.states = (uintptr_t)states,
		.first = first,
		.count = count,
		.state_size = sizeof(*states),
	};

	return ioctl(fd, IPCBOX_IOC_SEM_GET, &request) ? -errno : 0;
}

static inline int sem_value(int fd, __u32 semaphore)
{
	struct ipcbox_sem_state state;
	int error = sem_get(fd, semaphore, 1, &state);

	return error ?: (int)state.value;
}

static inline int sem_assign(int fd, __u32 semaphore, __u32 value,
			     __u32 maximum)
{
	struct ipcbox_sem_value to = {
		.semaphore = semaphore, .value = value, .maximum = maximum,
	};
	struct ipcbox_sem_assign request = {
		.size = sizeof(request),
		.values = (uintptr_t)&to,
		.count = 1,
		.value_size = sizeof(to),
	};

	return ioctl(fd, IPCBOX_IOC_SEM_SET, &request) ? -errno : 0;
}

/* The first three of a region, without other maximum than that of all. */
static inline int sem_assign_three(int fd, __u32 first, __u32 second,
				   __u32 third)
{
	return sem_assign(fd, 0, first, SEM_MAX) ?:
	       sem_assign(fd, 1, second, SEM_MAX) ?:
	       sem_assign(fd, 2, third, SEM_MAX);
}

static inline bool sem_has_three(int fd, __u32 first, __u32 second, __u32 third)
{
	struct ipcbox_sem_state states[3];

	return !sem_get(fd, 0, 3, states) && states[0].value == first &&
	       states[1].value == second && states[2].value == third;
}

#endif /* _REGION_H */
