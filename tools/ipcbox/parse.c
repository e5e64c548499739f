/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Sizes, durations, modes and numbers as users type them.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli.h"

/* strtoull takes signs and spaces, which no number here may have. */
static bool parse_digits(const char *text, char **end, int base,
			 uint64_t *number)
{
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, end, base);
	return !errno;
}

bool parse_number(const char *text, uint64_t *number)
{
	char *end;

	return parse_digits(text, &end, 10, number) && !*end;
}

/* 64K, 8M, 1.5MiB: units are powers of 1024. */
static bool parse_size(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	const char *unit;
	char *end;
	uint64_t whole;
	double value;
	int shift = 0;

	if (!parse_digits(text, &end, 10, &whole))
		return false;
	value = (double)whole;
	if (*end == '.') {
		/* Not strtod, whose decimal point is the locale's. */
		double digit = 0.1;

		for (end++; *end >= '0' && *end <= '9'; end++, digit /= 10)
			value += (*end - '0') * digit;
	}
	if (*end && *end != 'B') {
		unit = strchr(units, *end == 'k' ? 'K' : *end);
		if (!unit)
			return false;
		shift = 10 * (int)(unit - units + 1);
		end++;
		if (*end == 'i')
			end++;
	}
	if (*end == 'B')
		end++;
	if (*end || ldexp(value, shift) >= 0x1p63)
		return false;
	*bytes = value == (double)whole ? whole << shift :
					  (uint64_t)ldexp(value, shift);
	return true;
}

/* 500ms, 2s, 1.5m; a number alone is of seconds. */
static bool parse_duration(const char *text, int64_t *nanoseconds)
{
	static const struct {
		const char *name;
		double nanoseconds;
	} units[] = {
		{ "", 1e9 }, { "s", 1e9 }, { "ms", 1e6 }, { "us", 1e3 },
		{ "ns", 1 }, { "m", 60e9 }, { "min", 60e9 }, { "h", 3600e9 },
	};
	uint64_t whole;
	double value;
	char *end;
	size_t i;

	if (!parse_digits(text, &end, 10, &whole))
		return false;
	value = (double)whole;
	if (*end == '.') {
		double digit = 0.1;

		for (end++; *end >= '0' && *end <= '9'; end++, digit /= 10)
			value += (*end - '0') * digit;
	}
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].name))
			continue;
		value *= units[i].nanoseconds;
		if (value >= 0x1p62)
			return false;
		*nanoseconds = (int64_t)value;
		return true;
	}
	return false;
}

bool parse_mode(const char *text, unsigned int *mode)
{
	uint64_t number;
	char *end;

	if (!parse_digits(text, &end, 8, &number) || *end || (number & ~0666ULL))
		return false;
	*mode = (unsigned int)number;
	return true;
}

bool parse_kind(const char *text, unsigned int *kind)
{
	if (!strcasecmp(text, "mailbox"))
		*kind = IPCBOX_MAILBOX;
	else if (!strcasecmp(text, "queue"))
		*kind = IPCBOX_QUEUE;
	else
		return false;
	return true;
}

uint64_t size_argument(const char *option, const char *text)
{
	uint64_t bytes;

	if (!parse_size(text, &bytes))
		usage_error("%s '%s' is not a size: write 4096, 64K or 8M",
			    option, text);
	return bytes;
}

uint64_t number_argument(const char *option, const char *text, uint64_t least,
			 uint64_t most)
{
	uint64_t number;

	if (!parse_number(text, &number) || number < least || number > most) {
		if (most == UINT64_MAX)
			usage_error("%s '%s' is not a number from %llu", option,
				    text, (unsigned long long)least);
		usage_error("%s '%s' is not a number from %llu to %llu", option,
			    text, (unsigned long long)least,
			    (unsigned long long)most);
	}
	return number;
}

int64_t duration_argument(const char *option, const char *text)
{
	int64_t nanoseconds;

	if (!parse_duration(text, &nanoseconds))
		usage_error("%s '%s' is not a duration: write 500ms, 2s or 1m",
			    option, text);
	return nanoseconds;
}

/* Zero stands for no end in the kernel's interface: refuse it here. */
uint64_t lifetime_argument(const char *text)
{
	int64_t nanoseconds = duration_argument("--lifetime", text);

	if (!nanoseconds)
		usage_error("--lifetime must be more than nothing");
	return (uint64_t)nanoseconds;
}

/* Zero stands for the default in the kernel's interface: refuse it here. */
uint64_t positive_size(const char *option, const char *text)
{
	uint64_t size = size_argument(option, text);

	if (!size)
		usage_error("%s must be at least 1", option);
	return size;
}

/* Reads a tag, and has @text point behind it. */
uint64_t tag_argument(const char **text)
{
	const char *begin = *text;
	uint64_t tag;
	char *end;

	if (!parse_digits(begin, &end, 0, &tag))
		usage_error("--tag '%s' is not a number", begin);
	*text = end;
	return tag;
}

uint64_t whole_tag_argument(const char *text)
{
	const char *end = text;
	uint64_t tag = tag_argument(&end);

	if (*end)
		usage_error("--tag '%s' is not a number", text);
	return tag;
}
