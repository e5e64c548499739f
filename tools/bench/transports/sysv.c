/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * System V message queues, msgop(2). Types stand for priorities, lowest first,
 * and for tags. Payloads are written and read where msgsnd() and msgrcv() want
 * them, behind the type, as a program that is written for them does.
 */
#include <stdlib.h>
#include <sys/msg.h>

#include "../preload.h"
#include "transports.h"

/* Keys of queues that populate the host. */
#define FIRST_KEY 0x69706300

struct typed {
	long type;
	char payload[];
};

static int set_limits(const struct link *link)
{
	const struct shape *shape = &link->shape;
	struct msqid_ds state;

	if (msgctl(link->fd[0], IPC_STAT, &state))
		return failure();
	/* Ours takes no longer message than a queue holds when it is made. */
	if (preload_is_loaded() && shape->size > state.msg_qbytes)
		return -EOPNOTSUPP;
	/* It limits bytes and the number of messages alike. */
	state.msg_qbytes = shape->depth * (shape->size ? shape->size : 1);
	if (state.msg_qbytes > INT32_MAX)
		return -EOPNOTSUPP;
	return msgctl(link->fd[0], IPC_SET, &state) ? failure() : 0;
}

static int queue_open(struct link *link)
{
	int error;

	link->fd[0] = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
	if (link->fd[0] < 0)
		return failure();
	error = set_limits(link);
	/* It would stay for ever, and the module with it. */
	if (error)
		msgctl(link->fd[0], IPC_RMID, NULL);
	return error;
}

static int queue_attach(struct link *link, enum side side)
{
	(void)side;
	link->state = calloc(1, sizeof(struct typed) + link->shape.size +
				     sizeof(uint64_t));
	return link->state ? 0 : -ENOMEM;
}

static int queue_send(struct link *link, const struct burst *burst)
{
	struct typed *message = link->state;

	message->type = link->shape.tags ? (long)burst->tag + 1 : 1;
	for (unsigned long i = 0; i < burst->count; i++) {
		burst_stamp(burst, message->payload, i);
		if (burst->levels > 1)
			message->type =
				(long)(burst->levels - i % burst->levels);
		if (msgsnd(link->fd[0], message, burst->size, 0))
			return failure();
	}
	return 0;
}

static int queue_receive(struct link *link, const struct burst *burst)
{
	struct typed *message = link->state;
	long type = 0;
	ssize_t length;

	if (link->shape.tags)
		type = (long)burst->tag + 1;
	else if (burst->levels > 1)
		type = -(long)burst->levels;
	for (unsigned long i = 0; i < burst->count; i++) {
		length = msgrcv(link->fd[0], message, burst->size, type, 0);
		if (length < 0)
			return failure();
		if (!burst_is(burst, message->payload, i, (size_t)length))
			return -EBADMSG;
	}
	return 0;
}

static void queue_close(struct link *link)
{
	msgctl(link->fd[0], IPC_RMID, NULL);
}

static void queue_depopulate(unsigned long first, unsigned long last)
{
	for (unsigned long i = first; i < last; i++)
		msgctl(msgget(FIRST_KEY + (key_t)i, 0), IPC_RMID, NULL);
}

static int queue_populate(unsigned long first, unsigned long last)
{
	for (unsigned long i = first; i < last; i++)
		if (msgget(FIRST_KEY + (key_t)i,
			   IPC_CREAT | IPC_EXCL | 0600) < 0) {
			int error = errno == ENOSPC ? -EOPNOTSUPP : failure();

			queue_depopulate(first, i);
			return error;
		}
	return 0;
}

static int queue_look_up(unsigned long which)
{
	return msgget(FIRST_KEY + (key_t)which, 0) < 0 ? failure() : 0;
}

const struct transport transport_sysv = {
	.name = "sysv-msg",
	.family = FAMILY_KERNEL,
	.can = CAN_PRIORITIES | CAN_MANY_SENDERS | CAN_MANY_RECEIVERS |
	       CAN_SELECT | CAN_HOLD_BACKLOG,
	.open = queue_open,
	.attach = queue_attach,
	.send = queue_send,
	.receive = queue_receive,
	.close = queue_close,
	.populate = queue_populate,
	.look_up = queue_look_up,
	.depopulate = queue_depopulate,
};

const struct transport transport_sysv_preload = {
	.name = "sysv-msg-preload",
	.family = FAMILY_KERNEL,
	.ours = true,
	.preloaded = &transport_sysv,
};
