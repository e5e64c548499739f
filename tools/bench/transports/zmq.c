/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* ZeroMQ over ipc://: PUSH and PULL, without limits of its own. */
#include <stdio.h>
#include <unistd.h>
#include <zmq.h>

#include "transports.h"

static void socket_path(const struct link *link, char *path, size_t size)
{
	snprintf(path, size, "/tmp/%s", link->name);
}

/* Each of its processes has threads of its own, so that more would take long. */
#define SENDERS_MAX 64

static int zmq_link_open(struct link *link)
{
	return link->shape.senders > SENDERS_MAX ? -EOPNOTSUPP : 0;
}

static int zmq_attach(struct link *link, enum side side)
{
	void *context = zmq_ctx_new();
	void *socket = context ? zmq_socket(context, side == SENDER ? ZMQ_PUSH :
								     ZMQ_PULL) :
				 NULL;
	int unlimited = 0;
	char path[80], address[96];

	if (!socket)
		return failure();
	zmq_setsockopt(socket, ZMQ_SNDHWM, &unlimited, sizeof(unlimited));
	zmq_setsockopt(socket, ZMQ_RCVHWM, &unlimited, sizeof(unlimited));
	socket_path(link, path, sizeof(path));
	snprintf(address, sizeof(address), "ipc://%s", path);
	link->state = socket;
	if (side == SENDER ? zmq_connect(socket, address) :
			     zmq_bind(socket, address))
		return failure();
	return 0;
}

static int zmq_link_send(struct link *link, const struct burst *burst)
{
	for (unsigned long i = 0; i < burst->count; i++) {
		burst_stamp(burst, burst->buffer, i);
		if (zmq_send(link->state, burst->buffer, burst->size, 0) < 0)
			return failure();
	}
	return 0;
}

static int zmq_receive(struct link *link, const struct burst *burst)
{
	int length;

	for (unsigned long i = 0; i < burst->count; i++) {
		length = zmq_recv(link->state, burst->buffer, burst->size, 0);
		if (length < 0)
			return failure();
		if (!burst_is(burst, burst->buffer, i, (size_t)length))
			return -EBADMSG;
	}
	return 0;
}

static void zmq_link_close(struct link *link)
{
	char path[80];

	socket_path(link, path, sizeof(path));
	unlink(path);
}

const struct transport transport_zmq = {
	.name = "zeromq",
	.family = FAMILY_LIBRARY,
	.can = CAN_MANY_SENDERS,
	.open = zmq_link_open,
	.attach = zmq_attach,
	.send = zmq_link_send,
	.receive = zmq_receive,
	.close = zmq_link_close,
};
