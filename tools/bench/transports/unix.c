/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* unix(7): streams, sequenced packets and datagrams, by socketpair(2). */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "bytes.h"
#include "transports.h"

/*
 * Each packet is charged to the sender with its socket buffer, which is far
 * larger than a short message. Root may ask for any room.
 */
static int give_room(const struct link *link)
{
	size_t room = link->shape.depth * (2 * link->shape.size + 2048);
	int value = room > (1 << 29) ? 1 << 29 : (int)room;

	return setsockopt(link->fd[SENDER], SOL_SOCKET, SO_SNDBUFFORCE, &value,
			  sizeof(value)) ? -errno : 0;
}

static int socket_open(struct link *link, int type)
{
	int error;

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, link->fd))
		return failure();
	error = give_room(link);
	if (error)
		descriptors_close(link);
	return error;
}

static int stream_open(struct link *link)
{
	/* A write of no bytes is no message, and readers get parts. */
	if (!link->shape.size || link->shape.receivers > 1)
		return -EOPNOTSUPP;
	return socket_open(link, SOCK_STREAM);
}

static int seqpacket_open(struct link *link)
{
	return socket_open(link, SOCK_SEQPACKET);
}

static int datagram_open(struct link *link)
{
	return socket_open(link, SOCK_DGRAM);
}

/* What the kernel says of a packet that it could never take. */
static bool is_too_long(void)
{
	return errno == EMSGSIZE || errno == ENOBUFS;
}

static int send_singly(int fd, const struct burst *burst)
{
	for (unsigned long i = 0; i < burst->count; i++) {
		burst_stamp(burst, burst->buffer, i);
		if (send(fd, burst->buffer, burst->size, 0) < 0)
			return is_too_long() ? -EOPNOTSUPP : failure();
	}
	return 0;
}

static int receive_singly(int fd, const struct burst *burst)
{
	ssize_t length;

	for (unsigned long i = 0; i < burst->count; i++) {
		length = recv(fd, burst->buffer, burst->size, 0);
		if (length < 0)
			return failure();
		if (!burst_is(burst, burst->buffer, i, (size_t)length))
			return -EBADMSG;
	}
	return 0;
}

/* The headers of a batch, for sendmmsg(2) and recvmmsg(2). */
static struct mmsghdr *headers_new(const struct burst *burst)
{
	struct mmsghdr *headers =
		calloc(burst->batch, sizeof(*headers) + sizeof(struct iovec));
	struct iovec *parts;

	if (!headers)
		return NULL;
	parts = (struct iovec *)(headers + burst->batch);
	for (unsigned int j = 0; j < burst->batch; j++) {
		parts[j].iov_base = burst_payload(burst, j);
		parts[j].iov_len = burst->size;
		headers[j].msg_hdr.msg_iov = &parts[j];
		headers[j].msg_hdr.msg_iovlen = 1;
	}
	return headers;
}

static int send_batches(int fd, const struct burst *burst)
{
	struct mmsghdr *headers = headers_new(burst);
	unsigned long i = 0;
	int result = 0;

	if (!headers)
		return -ENOMEM;
	while (result >= 0 && i < burst->count) {
		for (unsigned int j = 0; j < burst->batch; j++)
			burst_stamp(burst, burst_payload(burst, j), i++);
		for (unsigned int sent = 0; sent < burst->batch;
		     sent += (unsigned int)result) {
			result = sendmmsg(fd, headers + sent,
					  burst->batch - sent, 0);
			if (result < 0)
				break;
		}
	}
	free(headers);
	return result < 0 ? failure() : 0;
}

static int receive_batches(int fd, const struct burst *burst)
{
	struct mmsghdr *headers = headers_new(burst);
	unsigned long i = 0;
	bool same = true;
	int result = 0;

	if (!headers)
		return -ENOMEM;
	while (result >= 0 && same && i < burst->count) {
		unsigned long left = burst->count - i;

		result = recvmmsg(fd, headers,
				  left < burst->batch ? (unsigned int)left :
							burst->batch,
				  MSG_WAITFORONE, NULL);
		for (int j = 0; j < result; j++)
			same = same &&
			       burst_is(burst,
					burst_payload(burst, (unsigned int)j),
					i++, headers[j].msg_len);
	}
	free(headers);
	if (result < 0)
		return failure();
	return same ? 0 : -EBADMSG;
}

static int packets_send(struct link *link, const struct burst *burst)
{
	return burst->batch > 1 ? send_batches(link->fd[SENDER], burst) :
				  send_singly(link->fd[SENDER], burst);
}

static int packets_receive(struct link *link, const struct burst *burst)
{
	return burst->batch > 1 ? receive_batches(link->fd[RECEIVER], burst) :
				  receive_singly(link->fd[RECEIVER], burst);
}

const struct transport transport_stream = {
	.name = "unix-stream",
	.family = FAMILY_BYTES,
	.can = CAN_BATCH | CAN_MANY_SENDERS | CAN_HOLD_BACKLOG,
	.open = stream_open,
	.send = bytes_send,
	.receive = bytes_receive,
	.close = descriptors_close,
};

const struct transport transport_seqpacket = {
	.name = "unix-seqpacket",
	.family = FAMILY_KERNEL,
	.can = CAN_BATCH | CAN_MANY_SENDERS | CAN_MANY_RECEIVERS |
	       CAN_HOLD_BACKLOG,
	.open = seqpacket_open,
	.send = packets_send,
	.receive = packets_receive,
	.close = descriptors_close,
};

const struct transport transport_datagram = {
	.name = "unix-datagram",
	.family = FAMILY_KERNEL,
	.can = CAN_BATCH | CAN_MANY_SENDERS | CAN_MANY_RECEIVERS |
	       CAN_HOLD_BACKLOG,
	.open = datagram_open,
	.send = packets_send,
	.receive = packets_receive,
	.close = descriptors_close,
};
