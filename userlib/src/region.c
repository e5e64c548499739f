/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Regions: making, mapping, sealing and passing them on. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

int ipcbox_region_create(struct ipcbox *box, const char *name,
			 unsigned int mode, uint64_t size,
			 unsigned int semaphores,
			 struct ipcbox_handle **handle)
{
	struct ipcbox_create_options options = {
		.name = name,
		.kind = IPCBOX_REGION,
		.mode = mode,
		.rights = IPCBOX_RIGHT_RECEIVE | IPCBOX_RIGHT_SEND |
			  IPCBOX_RIGHT_MANAGE,
		.mapped_bytes = size,
		.semaphores = semaphores,
	};
	int error = ipcbox_create(box, &options, handle);

	/* Another's, perhaps, which is not for the caller to manage. */
	if (error != -EACCES)
		return error;
	options.rights &= ~(unsigned int)IPCBOX_RIGHT_MANAGE;
	return ipcbox_create(box, &options, handle);
}

/* The bytes of a region's memory, which never change. */
static int region_size(struct ipcbox_handle *handle, size_t *size)
{
	uint64_t bytes = handle->mapped_bytes;
	struct ipcbox_stat state;
	int error;

	if (!bytes) {
		error = ipcbox_stat(handle, &state);
		if (error)
			return error;
		bytes = state.mapped_bytes;
	}
	if (bytes > SIZE_MAX)
		return -ENOMEM;
	*size = (size_t)bytes;
	return 0;
}

int ipcbox_region_map(struct ipcbox_handle *handle, unsigned int flags,
		      void **memory, size_t *size)
{
	const unsigned int known = IPCBOX_MAP_WRITE | IPCBOX_MAP_PRIVATE |
				   IPCBOX_MAP_POPULATE;
	int sharing = flags & IPCBOX_MAP_PRIVATE ? MAP_PRIVATE : MAP_SHARED;
	int protection = PROT_READ;
	int saved = errno;
	size_t bytes;
	void *mapped;
	int error;

	if (flags & ~known || handle->kind != IPCBOX_REGION)
		return -EINVAL;
	error = region_size(handle, &bytes);
	if (error)
		return error;
	if (flags & IPCBOX_MAP_WRITE)
		protection |= PROT_WRITE;
	if (flags & IPCBOX_MAP_POPULATE)
		sharing |= MAP_POPULATE;
	mapped = mmap(NULL, bytes, protection, sharing, handle->fd, 0);
	if (mapped == MAP_FAILED) {
		error = -errno;
		errno = saved;
		return error;
	}
	*memory = mapped;
	if (size)
		*size = bytes;
	return 0;
}

void ipcbox_region_unmap(void *memory, size_t size)
{
	int saved = errno;

	if (memory)
		munmap(memory, size);
	errno = saved;
}

int ipcbox_region_seal(struct ipcbox_handle *handle)
{
	struct ipcbox_seal request = { .size = sizeof(request) };

	return ipcbox_ioctl(handle->fd, IPCBOX_IOC_SEAL, &request);
}

int ipcbox_region_sealed(struct ipcbox_handle *handle)
{
	struct ipcbox_stat state;
	int error;

	if (handle->kind != IPCBOX_REGION)
		return -EINVAL;
	/* It stays so. */
	if (handle->sealed)
		return 1;
	error = ipcbox_stat(handle, &state);
	return error ? error : !!(state.state & IPCBOX_STATE_SEALED);
}

int ipcbox_send_region(struct ipcbox_handle *to, struct ipcbox_handle *region,
		       const void *data, size_t length,
		       const struct ipcbox_send_options *options)
{
	struct ipcbox_send_options with = options ? *options :
						    ipcbox_send_defaults;

	if (region->kind != IPCBOX_REGION || with.descriptor_count)
		return -EINVAL;
	with.descriptors = &region->fd;
	with.descriptor_count = 1;
	return ipcbox_send(to, data, length, &with);
}

/* Takes the descriptor over, whatever it returns. */
static int adopt_region(int fd, unsigned int flags,
			struct ipcbox_handle **region)
{
	struct ipcbox_handle *made;
	int result = ipcbox_handle_from_fd(fd, &made);

	if (result) {
		ipcbox_close_fd(fd);
		return result == -ENOTTY ? -ENOMSG : result;
	}
	if (made->kind != IPCBOX_REGION)
		result = -ENOMSG;
	else if (flags & IPCBOX_EXPECT_SEALED && !made->sealed)
		result = -EPERM;
	if (result) {
		ipcbox_close(made);
		return result;
	}
	*region = made;
	return 0;
}

ssize_t ipcbox_receive_region(struct ipcbox_handle *from, void *buffer,
			      size_t capacity, unsigned int flags,
			      struct ipcbox_handle **region,
			      struct ipcbox_incoming *header, uint64_t deadline)
{
	int descriptors[IPCBOX_DESCRIPTORS_MAX];
	struct ipcbox_incoming received;
	ssize_t length;
	uint32_t i;
	int error;

	if (flags & ~(unsigned int)IPCBOX_EXPECT_SEALED)
		return -EINVAL;
	if (!header)
		header = &received;
	length = ipcbox_receive_descriptors(from, buffer, capacity, descriptors,
					    IPCBOX_DESCRIPTORS_MAX, header, 0,
					    deadline);
	if (length < 0)
		return length;
	if (header->descriptor_count != 1) {
		for (i = 0; i < header->descriptor_count; i++)
			ipcbox_close_fd(descriptors[i]);
		return -ENOMSG;
	}
	error = adopt_region(descriptors[0], flags, region);
	return error ? error : length;
}
