/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Semaphores of regions. */
#include "internal.h"

int ipcbox_sem_operate(struct ipcbox_handle *handle,
		       const struct ipcbox_sem_operation *operations,
		       unsigned int count, unsigned int flags,
		       uint64_t deadline)
{
	struct ipcbox_sem_operate request = {
		.size = sizeof(request),
		.flags = flags,
		.operations = ipcbox_address(operations),
		.count = count,
		.operation_size = sizeof(*operations),
		.deadline = ipcbox_deadline_or_forever(deadline),
	};

	return ipcbox_ioctl(handle->fd, IPCBOX_IOC_SEM, &request);
}

int ipcbox_sem_take(struct ipcbox_handle *handle, unsigned int semaphore,
		    unsigned int flags, uint64_t deadline)
{
	struct ipcbox_sem_operation take = {
		.semaphore = semaphore, .change = -1, .flags = flags,
	};

	return ipcbox_sem_operate(handle, &take, 1, 0, deadline);
}

int ipcbox_sem_give(struct ipcbox_handle *handle, unsigned int semaphore,
		    unsigned int flags)
{
	struct ipcbox_sem_operation give = {
		.semaphore = semaphore, .change = 1, .flags = flags,
	};

	return ipcbox_sem_operate(handle, &give, 1, IPCBOX_NOWAIT, 0);
}

int ipcbox_sem_watch(struct ipcbox_handle *handle,
		     const struct ipcbox_sem_operation *operations,
		     unsigned int count)
{
	return ipcbox_sem_operate(handle, operations, count, IPCBOX_SEM_WATCH,
				  0);
}

int ipcbox_sem_set(struct ipcbox_handle *handle,
		   const struct ipcbox_sem_value *values, unsigned int count)
{
	struct ipcbox_sem_assign request = {
		.size = sizeof(request),
		.values = ipcbox_address(values),
		.count = count,
		.value_size = sizeof(*values),
	};

	return ipcbox_ioctl(handle->fd, IPCBOX_IOC_SEM_SET, &request);
}

int ipcbox_sem_get(struct ipcbox_handle *handle, unsigned int first,
		   struct ipcbox_sem_state *states, unsigned int count)
{
	struct ipcbox_sem_get request = {
		.size = sizeof(request),
		.states = ipcbox_address(states),
		.first = first,
		.count = count,
		.state_size = sizeof(*states),
	};

	return ipcbox_ioctl(handle->fd, IPCBOX_IOC_SEM_GET, &request);
}
