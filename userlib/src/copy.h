/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Copies of payloads that are mostly short. */
#ifndef IPCBOX_COPY_H
#define IPCBOX_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Its first and its last bytes, which may overlap: at least half of it each. */
static inline __attribute__((always_inline)) bool
ipcbox_copy_ends(char *to, const char *from, size_t length, size_t half)
{
	/* In the largest pieces that every machine has instructions for. */
	const size_t piece = half < 16 ? half : 16;

	for (size_t i = 0; i < half; i += piece) {
		memcpy(to + i, from + i, piece);
		memcpy(to + length - half + i, from + length - half + i, piece);
	}
	return true;
}

/*
 * As memcpy(), without a call: what calls nothing need not save registers, which
 * would cost as much as the copy. Returns false, and copies nothing, when that is
 * too long for it.
 */
static inline __attribute__((always_inline)) bool
ipcbox_copy_short(void *to, const void *from, size_t length)
{
	/* One comparison for the most likely, 32 to 64. */
	if (__builtin_expect(length - 32 <= 32, 1))
		return ipcbox_copy_ends(to, from, length, 32);
	if (length > 128)
		return false;
	if (length > 64)
		return ipcbox_copy_ends(to, from, length, 64);
	if (length >= 16)
		return ipcbox_copy_ends(to, from, length, 16);
	if (length >= 8)
		return ipcbox_copy_ends(to, from, length, 8);
	if (length >= 4)
		return ipcbox_copy_ends(to, from, length, 4);
	if (length >= 2)
		return ipcbox_copy_ends(to, from, length, 2);
	if (length)
		*(char *)to = *(const char *)from;
	return true;
}

#endif /* IPCBOX_COPY_H */
