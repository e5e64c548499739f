/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Names and keys as names of objects.
 *
 * A POSIX name has up to 255 bytes of any value, an object's up to 63 printable
 * ones. So bytes that an object's name cannot have, and '%' and '~', are written
 * %XX; and what is then too long is cut, and ends with '~' and a number made of the
 * whole name.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>

#include "mq.h"

#define POSIX_PREFIX	"mq:"
#define KEY_PREFIX	"sysv:0x"
#define HASH_LENGTH	17	/* '~' and 16 digits */

/* FNV-1a: two names of one number are not met by chance. */
static uint64_t hash(const char *text)
{
	uint64_t value = 0xcbf29ce484222325;

	for (; *text; text++)
		value = (value ^ (unsigned char)*text) * 0x100000001b3;
	return value;
}

static bool is_plain(char byte)
{
	return byte > ' ' && byte <= '~' && !strchr("%~/", byte);
}

static void put_hex(char *to, uint64_t value, int digits)
{
	while (digits--) {
		to[digits] = "0123456789abcdef"[value & 15];
		value >>= 4;
	}
}

/* Writes as much of the name as there is room for; returns what is left. */
static const char *escape(char *to, size_t room, const char *from)
{
	for (; *from; from++) {
		size_t size = is_plain(*from) ? 1 : 3;

		if (size > room)
			break;
		*to = size == 1 ? *from : '%';
		if (size == 3)
			put_hex(to + 1, (unsigned char)*from, 2);
		to += size;
		room -= size;
	}
	*to = '\0';
	return from;
}

/* The errors are those of the kernel's own queues, in their order. */
static int check(const char *posix)
{
	size_t length;

	if (posix[0] != '/')
		return -EINVAL;
	posix++;
	length = strnlen(posix, PATH_MAX);
	if (!length)
		return -ENOENT;
	if (length == PATH_MAX)
		return -ENAMETOOLONG;
	if (!strcmp(posix, ".") || !strcmp(posix, "..") || strchr(posix, '/'))
		return -EACCES;
	return length > NAME_MAX ? -ENAMETOOLONG : 0;
}

int mq_name_of(char name[MQ_NAME_SIZE], const char *posix)
{
	char *begin = name + strlen(POSIX_PREFIX);
	const size_t room = IPCBOX_NAME_MAX - strlen(POSIX_PREFIX);
	int error = check(posix);

	if (error)
		return error;
	posix++;
	memcpy(name, POSIX_PREFIX, strlen(POSIX_PREFIX));
	if (!*escape(begin, room, posix))
		return 0;
	escape(begin, room - HASH_LENGTH, posix);
	begin += strlen(begin);
	*begin = '~';
	put_hex(begin + 1, hash(posix), HASH_LENGTH - 1);
	begin[HASH_LENGTH] = '\0';
	return 0;
}

void mq_name_of_key(char name[MQ_NAME_SIZE], int key)
{
	char *digits = stpcpy(name, KEY_PREFIX);

	put_hex(digits, (unsigned int)key, 8);
	digits[8] = '\0';
}

/* The key that a System V queue's name tells, or IPC_PRIVATE. */
int mq_key_of_name(const char *name)
{
	unsigned int key;

	if (strncmp(name, KEY_PREFIX, strlen(KEY_PREFIX)) ||
	    sscanf(name + strlen(KEY_PREFIX), "%8x", &key) != 1)
		return IPC_PRIVATE;
	return (int)key;
}
