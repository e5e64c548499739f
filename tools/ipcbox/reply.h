/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * How serve tells call that the server's command failed: by the reply's tag.
 * Replies of other programs have other tags, and are no failures.
 *
 *	bits 63..48	REPLY_MARK
 *	bits 47..16	zero
 *	bits 15..8	enum reply_failure
 *	bits 7..0	the exit status, or the signal
 */
#ifndef IPCBOX_REPLY_H
#define IPCBOX_REPLY_H

#include <stdbool.h>
#include <stdint.h>

enum reply_failure {
	REPLY_EXITED = 1,	/* with a status other than 0 */
	REPLY_KILLED = 2,	/* by a signal */
	REPLY_TOO_LONG = 3,	/* for the caller, or for the object */
};

#define REPLY_MARK	0x1bceULL

static inline uint64_t reply_tag(enum reply_failure failure, unsigned int value)
{
	return REPLY_MARK << 48 | (uint64_t)failure << 8 | (value & 0xff);
}

/* Whether a reply with this tag tells of a failure. */
static inline bool reply_parse(uint64_t tag, enum reply_failure *failure,
			       unsigned int *value)
{
	if (tag >> 16 != REPLY_MARK << 32)
		return false;
	*failure = (enum reply_failure)(tag >> 8 & 0xff);
	*value = tag & 0xff;
	return *failure >= REPLY_EXITED && *failure <= REPLY_TOO_LONG;
}

#endif
