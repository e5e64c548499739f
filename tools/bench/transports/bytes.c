/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#include <unistd.h>

#include "bytes.h"

static int write_all(int fd, const char *data, size_t length)
{
	ssize_t written;

	while (length) {
		written = write(fd, data, length);
		if (written < 0)
			return failure();
		data += written;
		length -= (size_t)written;
	}
	return 0;
}

static int read_all(int fd, char *data, size_t length)
{
	ssize_t got;

	while (length) {
		got = read(fd, data, length);
		if (got <= 0)
			return got ? failure() : -EPIPE;
		data += got;
		length -= (size_t)got;
	}
	return 0;
}

int bytes_send(struct link *link, const struct burst *burst)
{
	unsigned long i = 0;
	int error = 0;

	while (!error && i < burst->count) {
		for (unsigned int j = 0; j < burst->batch; j++)
			burst_stamp(burst, burst_payload(burst, j), i++);
		error = write_all(link->fd[SENDER], burst->buffer,
				  burst->size * burst->batch);
	}
	return error;
}

int bytes_receive(struct link *link, const struct burst *burst)
{
	unsigned long i = 0;
	int error = 0;

	while (!error && i < burst->count) {
		error = read_all(link->fd[RECEIVER], burst->buffer,
				 burst->size * burst->batch);
		for (unsigned int j = 0; !error && j < burst->batch; j++)
			if (!burst_is(burst, burst_payload(burst, j), i++,
				      burst->size))
				error = -EBADMSG;
	}
	return error;
}

void descriptors_close(struct link *link)
{
	close(link->fd[SENDER]);
	close(link->fd[RECEIVER]);
}
