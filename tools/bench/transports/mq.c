/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* POSIX message queues, mq_overview(7). */
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>

#include "transports.h"

static int queue_open(struct link *link)
{
	const struct shape *shape = &link->shape;
	struct mq_attr attributes = {
		.mq_maxmsg = (long)shape->depth,
		.mq_msgsize = shape->size ? (long)shape->size : 1,
	};
	char name[64];
	mqd_t queue;

	snprintf(name, sizeof(name), "/%s", link->name);
	queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
	if (queue < 0)
		return errno == EINVAL ? -EOPNOTSUPP : failure();
	mq_unlink(name);
	link->fd[SENDER] = queue;
	link->fd[RECEIVER] = queue;
	return 0;
}

static int queue_send(struct link *link, const struct burst *burst)
{
	unsigned int priority = 0;

	for (unsigned long i = 0; i < burst->count; i++) {
		burst_stamp(burst, burst->buffer, i);
		if (burst->levels > 1)
			priority = (unsigned int)(i % burst->levels);
		if (mq_send(link->fd[SENDER], burst->buffer, burst->size,
			    priority))
			return failure();
	}
	return 0;
}

static int queue_receive(struct link *link, const struct burst *burst)
{
	/* Less than the longest message of the queue would be refused. */
	size_t capacity = burst->size ? burst->size : 1;
	ssize_t length;

	for (unsigned long i = 0; i < burst->count; i++) {
		length = mq_receive(link->fd[RECEIVER], burst->buffer, capacity,
				    NULL);
		if (length < 0)
			return failure();
		if (!burst_is(burst, burst->buffer, i, (size_t)length))
			return -EBADMSG;
	}
	return 0;
}

static void queue_close(struct link *link)
{
	mq_close(link->fd[SENDER]);
}

static void object_name(char *name, size_t size, unsigned long which)
{
	snprintf(name, size, "/ipcbox-bench-%lu", which);
}

static void queue_depopulate(unsigned long first, unsigned long last)
{
	char name[64];

	for (unsigned long i = first; i < last; i++) {
		object_name(name, sizeof(name), i);
		mq_unlink(name);
	}
}

static int queue_populate(unsigned long first, unsigned long last)
{
	struct mq_attr attributes = { .mq_maxmsg = 10, .mq_msgsize = 64 };
	char name[64];
	mqd_t queue;

	for (unsigned long i = first; i < last; i++) {
		object_name(name, sizeof(name), i);
		queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600,
				&attributes);
		if (queue < 0) {
			queue_depopulate(first, i);
			return failure();
		}
		mq_close(queue);
	}
	return 0;
}

static int queue_look_up(unsigned long which)
{
	char name[64];
	mqd_t queue;

	object_name(name, sizeof(name), which);
	queue = mq_open(name, O_WRONLY);
	if (queue < 0)
		return failure();
	mq_close(queue);
	return 0;
}

const struct transport transport_mq = {
	.name = "posix-mq",
	.family = FAMILY_KERNEL,
	.can = CAN_PRIORITIES | CAN_MANY_SENDERS | CAN_MANY_RECEIVERS |
	       CAN_HOLD_BACKLOG,
	.open = queue_open,
	.send = queue_send,
	.receive = queue_receive,
	.close = queue_close,
	.populate = queue_populate,
	.look_up = queue_look_up,
	.depopulate = queue_depopulate,
};

const struct transport transport_mq_preload = {
	.name = "posix-mq-preload",
	.family = FAMILY_KERNEL,
	.ours = true,
	.preloaded = &transport_mq,
};
