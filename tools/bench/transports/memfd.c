/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Sealed memfds over a UNIX socket, as ipcbox-region passes sealed regions: the
 * receiver learns size and seals, maps, reads a word, unmaps and closes.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bytes.h"
#include "transports.h"

/* Less is better sent in the message itself. */
#define SIZE_LEAST 4096

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Room for one descriptor beside a message. */
union passport {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

/* Fill @memfd with @size bytes that change no more. */
static int fill(int memfd, size_t size)
{
	void *memory;

	if (ftruncate(memfd, (off_t)size))
		return failure();
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	if (memory == MAP_FAILED)
		return failure();
	memset(memory, 1, size);
	munmap(memory, size);
	return fcntl(memfd, F_ADD_SEALS, SEALS) ? failure() : 0;
}

/* A descriptor, or -errno, of sealed memory that cannot but be read by it. */
static int memory_new(size_t size)
{
	char path[32];
	int memfd = memfd_create("bench", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int reader;

	if (memfd < 0)
		return failure();
	reader = fill(memfd, size);
	if (!reader) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", memfd);
		reader = open(path, O_RDONLY | O_CLOEXEC);
		if (reader < 0)
			reader = failure();
	}
	close(memfd);
	return reader;
}

static void memfd_close(struct link *link)
{
	int *memory = link->state;

	close(*memory);
	free(memory);
	descriptors_close(link);
}

static int memfd_open(struct link *link)
{
	int room = (int)link->shape.depth * 4096;
	int *memory;
	int error;

	if (link->shape.size < SIZE_LEAST)
		return -EOPNOTSUPP;
	memory = malloc(sizeof(*memory));
	if (!memory)
		return -ENOMEM;
	*memory = memory_new(link->shape.size);
	if (*memory < 0) {
		error = *memory;
		free(memory);
		return error;
	}
	link->state = memory;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link->fd)) {
		error = failure();
		close(*memory);
		free(memory);
		return error;
	}
	if (!setsockopt(link->fd[SENDER], SOL_SOCKET, SO_SNDBUFFORCE, &room,
			sizeof(room)))
		return 0;
	error = failure();
	memfd_close(link);
	return error;
}

static int send_memory(int to, int memory, uint64_t number)
{
	union passport passport = { .header = {
		.cmsg_len = CMSG_LEN(sizeof(int)),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
	} };
	struct iovec part = { &number, sizeof(number) };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &passport,
		.msg_controllen = sizeof(passport.room),
	};

	memcpy(CMSG_DATA(&passport.header), &memory, sizeof(memory));
	return sendmsg(to, &message, 0) < 0 ? failure() : 0;
}

static int memfd_send(struct link *link, const struct burst *burst)
{
	int *memory = link->state;
	uint64_t number = 0;
	int error = 0;

	for (unsigned long i = 0; !error && i < burst->count; i++) {
		burst_stamp(burst, &number, i);
		error = send_memory(link->fd[SENDER], *memory, number);
	}
	return error;
}

/* Returns a descriptor or -errno. */
static int receive_memory(int from, uint64_t *number)
{
	union passport passport;
	struct iovec part = { number, sizeof(*number) };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &passport,
		.msg_controllen = sizeof(passport.room),
	};
	struct cmsghdr *header;
	int memory;

	if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) < 0)
		return failure();
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		return -EBADMSG;
	memcpy(&memory, CMSG_DATA(header), sizeof(memory));
	return memory;
}

/* As it is sealed, what is seen of its size stays so. */
static int look_into(int memory, size_t size)
{
	struct stat state;
	void *mapped;
	int error = 0;

	if (fcntl(memory, F_GET_SEALS) != SEALS)
		return -EBADMSG;
	if (fstat(memory, &state))
		return failure();
	mapped = mmap(NULL, (size_t)state.st_size, PROT_READ, MAP_SHARED,
		      memory, 0);
	if (mapped == MAP_FAILED)
		return failure();
	if ((size_t)state.st_size != size || !*(volatile uint64_t *)mapped)
		error = -EBADMSG;
	munmap(mapped, (size_t)state.st_size);
	return error;
}

static int memfd_receive(struct link *link, const struct burst *burst)
{
	uint64_t number;
	int error = 0;
	int memory;

	for (unsigned long i = 0; !error && i < burst->count; i++) {
		memory = receive_memory(link->fd[RECEIVER], &number);
		if (memory < 0)
			return memory;
		error = look_into(memory, burst->size);
		close(memory);
		if (!error && !burst_is(burst, &number, i, burst->size))
			error = -EBADMSG;
	}
	return error;
}

const struct transport transport_memfd = {
	.name = "unix-memfd",
	.family = FAMILY_MEMORY,
	.open = memfd_open,
	.send = memfd_send,
	.receive = memfd_receive,
	.close = memfd_close,
};
