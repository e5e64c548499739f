/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* nng over ipc://: push and pull, with the most room that it gives. */
#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "transports.h"

/* The most messages that a socket keeps by itself. */
#define ROOM 8192

/* How often to look whether the receiver listens, and how often at all. */
#define LOOK_NS		1000000
#define LOOKS_MAX	10000

static int error_of(int result)
{
	switch (result) {
	case 0:
		return 0;
	case NNG_ENOMEM:
		return -ENOMEM;
	case NNG_EMSGSIZE:
	case NNG_ENOTSUP:
		return -EOPNOTSUPP;
	default:
		return result & NNG_ESYSERR ? -(result & ~NNG_ESYSERR) : -EPROTO;
	}
}

/* Each of its processes has a dozen threads, so that many would take for ever. */
#define SENDERS_MAX 8

static int nng_link_open(struct link *link)
{
	const struct shape *shape = &link->shape;

	return shape->depth > ROOM || shape->senders > SENDERS_MAX ?
		       -EOPNOTSUPP : 0;
}

/* The receiver may not listen yet. */
static int dial(nng_socket socket, const char *address)
{
	const struct timespec look = { .tv_nsec = LOOK_NS };
	int result = NNG_ECONNREFUSED;

	for (int i = 0; i < LOOKS_MAX && result; i++) {
		result = nng_dial(socket, address, NULL, 0);
		if (result)
			nanosleep(&look, NULL);
	}
	return result;
}

static int nng_attach(struct link *link, enum side side)
{
	nng_socket *socket = malloc(sizeof(*socket));
	char address[96];
	int result;

	if (!socket)
		return -ENOMEM;
	link->state = socket;
	snprintf(address, sizeof(address), "ipc:///tmp/%s", link->name);
	result = side == SENDER ? nng_push0_open(socket) :
				  nng_pull0_open(socket);
	if (!result && side == SENDER)
		nng_socket_set_int(*socket, NNG_OPT_SENDBUF, ROOM);
	if (!result && side == RECEIVER)
		nng_socket_set_size(*socket, NNG_OPT_RECVMAXSZ, 0);
	if (!result)
		result = side == SENDER ? dial(*socket, address) :
					  nng_listen(*socket, address, NULL, 0);
	return error_of(result);
}

static int nng_link_send(struct link *link, const struct burst *burst)
{
	nng_socket *socket = link->state;
	int result = 0;

	for (unsigned long i = 0; !result && i < burst->count; i++) {
		burst_stamp(burst, burst->buffer, i);
		result = nng_send(*socket, burst->buffer, burst->size, 0);
	}
	return error_of(result);
}

static int nng_receive(struct link *link, const struct burst *burst)
{
	nng_socket *socket = link->state;
	size_t length;
	int result;

	for (unsigned long i = 0; i < burst->count; i++) {
		length = burst->size;
		result = nng_recv(*socket, burst->buffer, &length, 0);
		if (result)
			return error_of(result);
		if (!burst_is(burst, burst->buffer, i, length))
			return -EBADMSG;
	}
	return 0;
}

static void nng_link_close(struct link *link)
{
	char path[80];

	snprintf(path, sizeof(path), "/tmp/%s", link->name);
	unlink(path);
}

const struct transport transport_nng = {
	.name = "nng",
	.family = FAMILY_LIBRARY,
	.can = CAN_MANY_SENDERS,
	.open = nng_link_open,
	.attach = nng_attach,
	.send = nng_link_send,
	.receive = nng_receive,
	.close = nng_link_close,
};
