/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Waiting for room in the user's budget of bytes in flight, which the kernel
 * does not do: it would be for ever where the waiting program is the receiver.
 * Those here are not.
 */
#include <time.h>

#include "cli.h"

/* How often to look; the kernel cannot tell. */
#define BUDGET_WAIT	20000000

bool wait_for_budget(struct ipcbox *box, uint64_t length, uint64_t deadline,
		     bool *noted)
{
	struct timespec pause = { .tv_nsec = BUDGET_WAIT };
	struct ipcbox_info info;

	if (ipcbox_info(box, &info) || length + 128 > info.user_bytes ||
	    !ipcbox_deadline_left_ms(deadline))
		return false;
	if (!*noted && !cli.json)
		warn("waiting, as your budget of messages in flight is used up (see 'ipcbox limits')");
	*noted = true;
	nanosleep(&pause, NULL);
	return true;
}
