/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* What the sources of the library share. */
#ifndef IPCBOX_INTERNAL_H
#define IPCBOX_INTERNAL_H

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ipcbox.h>

struct ipcbox {
	int fd;
};

/*
 * What was learned of the object when the handle was made, and never changes: it
 * need not be asked for again. Nothing is written once a program has the handle,
 * for threads share it.
 */
struct ipcbox_handle {
	int fd;
	unsigned int kind;
	int created;
	int sealed;		/* 1: a sealed region; 0: not known */
	uint64_t id;
	uint64_t mapped_bytes;	/* of a region; 0: not known, or none */
};

/*
 * One system call, with the error in the result and errno as it was: the hot
 * path of sending and receiving, so that it is inline and does nothing else.
 */
static inline int ipcbox_ioctl(int fd, unsigned long command, void *argument)
{
	int saved = errno;
	int result = ioctl(fd, command, argument);

	if (result < 0) {
		result = -errno;
		errno = saved;
	}
	return result;
}

/*
 * pread(2) and pwrite(2), with the error in the result and errno as it was. Not by
 * the C library's functions, which are cancellation points: a thread that is
 * cancelled on its way out of one would lose the message.
 */
#if defined(__x86_64__) && __SIZEOF_LONG__ == 8
/* Beside what such a call costs, errno is a good part. */
static inline ssize_t ipcbox_transfer(long call, int fd, const void *data,
				      size_t size, unsigned int position)
{
	register long at __asm__("r10") = position;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(call), "D"((long)fd), "S"(data), "d"(size),
			   "r"(at)
			 : "rcx", "r11", "memory");
	return result;
}
#elif __SIZEOF_LONG__ == 8 || defined(__i386__)
static inline ssize_t ipcbox_transfer(long call, int fd, const void *data,
				      size_t size, unsigned int position)
{
	int saved = errno;
	ssize_t result = syscall(call, fd, data, size, (long)position, 0L);

	if (result < 0) {
		result = -errno;
		errno = saved;
	}
	return result;
}
#else
/* Here a position takes registers of its own: the ioctl does it. */
static inline ssize_t ipcbox_transfer(long call, int fd, const void *data,
				      size_t size, unsigned int position)
{
	(void)call, (void)fd, (void)data, (void)size, (void)position;
	return -EBADF;
}
#endif

/* Is it for the ioctl to say what is wrong with the handle? */
static inline int ipcbox_transfer_cannot(ssize_t result)
{
	return result == -EBADF || result == -ESPIPE;
}

/* What options of NULL stand for. */
static const struct ipcbox_send_options ipcbox_send_defaults;

/* The library lets 0 stand for IPCBOX_FOREVER, for the sake of initialisers. */
static inline uint64_t ipcbox_deadline_or_forever(uint64_t deadline)
{
	return deadline ? deadline : IPCBOX_FOREVER;
}

/* A message as the caller's arguments describe it. */
static inline struct ipcbox_outgoing
ipcbox_outgoing_of(const void *data, size_t length,
		   const struct ipcbox_send_options *options)
{
	return (struct ipcbox_outgoing){
		.data = ipcbox_address(data),
		.length = (uint32_t)length,
		.priority = options->priority,
		.tag = options->tag,
		.lifetime = options->lifetime,
		.descriptors = ipcbox_address(options->descriptors),
		.descriptor_count = options->descriptor_count,
	};
}

/* Room for a message, as the caller's arguments describe it. */
static inline struct ipcbox_incoming ipcbox_incoming_of(const void *buffer,
							size_t capacity)
{
	return (struct ipcbox_incoming){
		.data = ipcbox_address(buffer),
		/* No message is longer than the field can say. */
		.capacity = capacity < UINT32_MAX ? (uint32_t)capacity
						  : UINT32_MAX,
	};
}

/* calloc and close that leave errno alone. */
void *ipcbox_allocate(size_t size);
void ipcbox_close_fd(int fd);

/* Bytes of a name, or -EINVAL when it cannot be one. */
int ipcbox_name_length(const char *name);

#endif /* IPCBOX_INTERNAL_H */
