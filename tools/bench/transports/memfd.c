/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Sealed memfds over a UNIX socket, as region.c passes sealed regions, in the same
 * three ways: the receiver learns size and seals, maps, reads a word, unmaps and
 * closes; keeps what it has mapped; or gets a fresh one with each message.
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

struct delivery {
	int memory;
	ino_t kept_inode;	/* the receiver's: what it has mapped */
	const volatile uint64_t *kept;
};

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
	struct delivery *delivery = link->state;

	if (delivery->memory >= 0)
		close(delivery->memory);
	free(delivery);
	descriptors_close(link);
}

static int memfd_open(struct link *link)
{
	int room = (int)link->shape.depth * 4096;
	struct delivery *delivery;
	int error = 0;

	if (link->shape.size < SIZE_LEAST)
		return -EOPNOTSUPP;
	delivery = calloc(1, sizeof(*delivery));
	if (!delivery)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link->fd)) {
		error = failure();
		free(delivery);
		return error;
	}
	link->state = delivery;
	delivery->memory = memory_new(link->shape.size);
	if (delivery->memory < 0)
		error = delivery->memory;
	else if (setsockopt(link->fd[SENDER], SOL_SOCKET, SO_SNDBUFFORCE, &room,
			    sizeof(room)))
		error = failure();
	if (error)
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

static int send_fresh(int to, size_t size, uint64_t number)
{
	int memory = memory_new(size);
	int error;

	if (memory < 0)
		return memory;
	error = send_memory(to, memory, number);
	close(memory);
	return error;
}

static int memfd_send(struct link *link, const struct burst *burst)
{
	bool fresh = link->transport == &transport_memfd_fresh;
	struct delivery *delivery = link->state;
	uint64_t number = 0;
	int error = 0;

	for (unsigned long i = 0; !error && i < burst->count; i++) {
		burst_stamp(burst, &number, i);
		error = fresh ?
			send_fresh(link->fd[SENDER], burst->size, number) :
			send_memory(link->fd[SENDER], delivery->memory, number);
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

static void *map(int memory, size_t size)
{
	void *mapped = mmap(NULL, size, PROT_READ, MAP_SHARED, memory, 0);

	return mapped == MAP_FAILED ? NULL : mapped;
}

/* As it is sealed, what is seen of its size stays so. */
static int look_into(int memory, const struct stat *state, size_t size)
{
	size_t there = (size_t)state->st_size;
	void *mapped = map(memory, there);
	int error = 0;

	if (!mapped)
		return failure();
	if (there != size || !*(volatile uint64_t *)mapped)
		error = -EBADMSG;
	munmap(mapped, there);
	return error;
}

/* Read a word where it is mapped already, or map it for good. */
static int look_again(struct delivery *delivery, int memory,
		      const struct stat *state)
{
	if (!delivery->kept || delivery->kept_inode != state->st_ino) {
		delivery->kept = map(memory, (size_t)state->st_size);
		delivery->kept_inode = state->st_ino;
	}
	if (!delivery->kept)
		return failure();
	return *delivery->kept ? 0 : -EBADMSG;
}

static int memfd_receive(struct link *link, const struct burst *burst)
{
	bool keep = link->transport == &transport_memfd_kept;
	struct delivery *delivery = link->state;
	struct stat state;
	uint64_t number;
	int error = 0;
	int memory;

	for (unsigned long i = 0; !error && i < burst->count; i++) {
		memory = receive_memory(link->fd[RECEIVER], &number);
		if (memory < 0)
			return memory;
		if (fcntl(memory, F_GET_SEALS) != SEALS)
			error = -EBADMSG;
		else if (fstat(memory, &state))
			error = failure();
		else if (keep)
			error = look_again(delivery, memory, &state);
		else
			error = look_into(memory, &state, burst->size);
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

const struct transport transport_memfd_kept = {
	.name = "unix-memfd-kept",
	.family = FAMILY_MEMORY,
	.open = memfd_open,
	.send = memfd_send,
	.receive = memfd_receive,
	.close = memfd_close,
};

const struct transport transport_memfd_fresh = {
	.name = "unix-memfd-fresh",
	.family = FAMILY_MEMORY,
	.open = memfd_open,
	.send = memfd_send,
	.receive = memfd_receive,
	.close = memfd_close,
};
