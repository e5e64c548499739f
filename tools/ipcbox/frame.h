/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * How a file travels: as messages whose payloads are its pieces, in order,
 * and whose tags say which piece it is. Payloads stay pure file contents, so
 * a program that knows nothing of this can put them one after the other.
 *
 *	bits 63..48	FRAME_MARK
 *	bits 47..46	enum frame_type
 *	bits 45..0	DATA: offset of this piece in the file
 *			END: length of the file
 *			ABANDONED: bytes sent before the sender gave up
 *
 * DATA has a payload of at least one byte, the others have none. Each sending
 * handle sends one file after the other; the kernel's number of the handle
 * tells the pieces of one sender from those of another.
 */
#ifndef IPCBOX_FRAME_H
#define IPCBOX_FRAME_H

#include <stdbool.h>
#include <stdint.h>

enum frame_type {
	FRAME_DATA = 0,
	FRAME_END = 1,
	FRAME_ABANDONED = 2,
};

#define FRAME_MARK	0x1bcfULL
#define FRAME_VALUE_MAX	((1ULL << 46) - 1)

static inline uint64_t frame_tag(enum frame_type type, uint64_t value)
{
	return FRAME_MARK << 48 | (uint64_t)type << 46 | value;
}

/* Whether a message with this tag and length is a part of a file. */
static inline bool frame_parse(uint64_t tag, uint32_t length,
			       enum frame_type *type, uint64_t *value)
{
	if (tag >> 48 != FRAME_MARK)
		return false;
	*type = (enum frame_type)(tag >> 46 & 3);
	*value = tag & FRAME_VALUE_MAX;
	switch (*type) {
	case FRAME_DATA:
		return length > 0;
	case FRAME_END:
	case FRAME_ABANDONED:
		return length == 0;
	default:
		return false;
	}
}

#endif
