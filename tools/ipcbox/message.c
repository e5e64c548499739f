/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * The line that tells of a message, for recv and peek.
 */
#include <inttypes.h>

#include "cli.h"

void print_header(const struct ipcbox_incoming *message)
{
	printf("# message %" PRIu64 " from pid %d uid %u gid %u handle %" PRIu64
	       " priority %u tag %" PRIu64 " length %u",
	       (uint64_t)message->sequence, message->pid, message->uid,
	       message->gid, (uint64_t)message->handle, message->priority,
	       (uint64_t)message->tag, message->length);
	if (message->deliveries)
		printf(" deliveries %u", message->deliveries);
	if (message->flags & IPCBOX_INCOMING_CALL)
		printf(" call");
	if (message->dead)
		printf(" %s in #%" PRIu64 " as message %" PRIu64,
		       dead_reason(message->dead), (uint64_t)message->origin,
		       (uint64_t)message->origin_sequence);
	putchar('\n');
}
