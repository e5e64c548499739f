/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* pipe(7), as large as the depth asks. */
#include <fcntl.h>
#include <unistd.h>

#include "bytes.h"
#include "transports.h"

static int pipe_open(struct link *link)
{
	const struct shape *shape = &link->shape;
	size_t room = shape->depth * shape->size + 4096;
	int ends[2];

	/* A write of no bytes is no message. */
	if (!shape->size)
		return -EOPNOTSUPP;
	/* Longer ones of several senders, or to several receivers, mix. */
	if ((shape->senders > 1 || shape->receivers > 1) && shape->size > 4096)
		return -EOPNOTSUPP;
	if (pipe2(ends, O_CLOEXEC))
		return failure();
	link->fd[RECEIVER] = ends[0];
	link->fd[SENDER] = ends[1];
	if (room > 65536 && (room > INT32_MAX ||
			     fcntl(ends[1], F_SETPIPE_SZ, (int)room) < 0)) {
		descriptors_close(link);
		return -EOPNOTSUPP;
	}
	return 0;
}

const struct transport transport_pipe = {
	.name = "pipe",
	.family = FAMILY_BYTES,
	.can = CAN_BATCH | CAN_MANY_SENDERS | CAN_MANY_RECEIVERS |
	       CAN_HOLD_BACKLOG,
	.open = pipe_open,
	.send = bytes_send,
	.receive = bytes_receive,
	.close = descriptors_close,
};
