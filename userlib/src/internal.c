/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Helpers that the sources of the library share. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

void *ipcbox_allocate(size_t size)
{
	int saved = errno;
	void *memory = calloc(1, size);

	errno = saved;
	return memory;
}

void ipcbox_close_fd(int fd)
{
	int saved = errno;

	/* Linux closes the descriptor whatever close returns: never repeat. */
	close(fd);
	errno = saved;
}

/*
 * Which bytes a name may have is for the kernel to say. Its length is checked
 * here because the interface carries it in 32 bits, and because a length of
 * zero means an object without a name to it.
 */
int ipcbox_name_length(const char *name)
{
	size_t length;

	if (!name)
		return -EINVAL;
	length = strnlen(name, IPCBOX_NAME_MAX + 1);
	if (length == 0 || length > IPCBOX_NAME_MAX)
		return -EINVAL;
	return (int)length;
}
