/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Figures and bytes as people read them.
 */
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"

void *allocate(size_t size)
{
	void *memory = malloc(size ? size : 1);

	if (!memory)
		fail_memory();
	return memory;
}

char *format_text(const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0)
		fail_memory();
	return text;
}

static const char *scale(char buffer[SHORT_TEXT], double value,
			 const char *suffix)
{
	static const char *const units[] = {
		"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB",
	};
	size_t unit = 0;

	/* 1023.95 would be printed as 1024.0 */
	while (value >= 1023.95 && unit < sizeof(units) / sizeof(units[0]) - 1) {
		value /= 1024;
		unit++;
	}
	if (value == (double)(uint64_t)value || unit == 0)
		snprintf(buffer, SHORT_TEXT, "%.0f %s%s", value, units[unit],
			 suffix);
	else
		snprintf(buffer, SHORT_TEXT, "%.1f %s%s", value, units[unit],
			 suffix);
	return buffer;
}

const char *text_size(char buffer[SHORT_TEXT], uint64_t bytes)
{
	return scale(buffer, (double)bytes, "");
}

const char *text_rate(char buffer[SHORT_TEXT], double bytes_per_second)
{
	return scale(buffer, bytes_per_second, "/s");
}

const char *text_duration(char buffer[SHORT_TEXT], int64_t nanoseconds)
{
	double seconds = (double)nanoseconds / 1e9;

	if (nanoseconds < 1000000)
		snprintf(buffer, SHORT_TEXT, "%.3g us", seconds * 1e6);
	else if (nanoseconds < 1000000000)
		snprintf(buffer, SHORT_TEXT, "%.3g ms", seconds * 1e3);
	else
		snprintf(buffer, SHORT_TEXT, "%.4g s", seconds);
	return buffer;
}

const char *text_user(char buffer[SHORT_TEXT], unsigned int uid)
{
	const struct passwd *user = getpwuid(uid);

	if (user && strlen(user->pw_name) < SHORT_TEXT)
		return strcpy(buffer, user->pw_name);
	snprintf(buffer, SHORT_TEXT, "%u", uid);
	return buffer;
}

const char *text_group(char buffer[SHORT_TEXT], unsigned int gid)
{
	const struct group *group = getgrgid(gid);

	if (group && strlen(group->gr_name) < SHORT_TEXT)
		return strcpy(buffer, group->gr_name);
	snprintf(buffer, SHORT_TEXT, "%u", gid);
	return buffer;
}

const char *plural(uint64_t number, const char *one, const char *many)
{
	return number == 1 ? one : many;
}

/*
 * The length of the UTF-8 character at @data if a terminal may have it, or 0
 * if it is malformed or a control character.
 */
static size_t printable_length(const unsigned char *data, size_t length)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t code;
	size_t size, i;

	if (data[0] < 0x80)
		return data[0] == '\t' || data[0] == '\n' ||
		       (data[0] >= ' ' && data[0] != 0x7f);
	if (data[0] >= 0xf0 && data[0] < 0xf8) {
		size = 4;
		code = data[0] & 0x07;
	} else if (data[0] >= 0xe0) {
		size = 3;
		code = data[0] & 0x0f;
	} else if (data[0] >= 0xc0) {
		size = 2;
		code = data[0] & 0x1f;
	} else {
		return 0;
	}
	if (data[0] >= 0xf8 || size > length)
		return 0;
	for (i = 1; i < size; i++) {
		if ((data[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (data[i] & 0x3f);
	}
	/* Overlong forms, surrogates, and the controls from 0x80 to 0x9f. */
	if (code < least[size] || code > 0x10ffff ||
	    (code >= 0xd800 && code < 0xe000) || (code >= 0x80 && code < 0xa0))
		return 0;
	return size;
}

/* A message comes from others: it must not steer the reader's terminal. */
void print_escaped(FILE *stream, const char *data, size_t length)
{
	const unsigned char *byte = (const unsigned char *)data;

	while (length) {
		size_t size = printable_length(byte, length);

		if (size) {
			fwrite(byte, 1, size, stream);
		} else {
			fprintf(stream, "\\x%02x", *byte);
			size = 1;
		}
		byte += size;
		length -= size;
	}
}

double now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
