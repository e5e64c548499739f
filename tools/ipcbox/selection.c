/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Which messages: the options that recv and peek share.
 */
#include <limits.h>

#include "cli.h"

static void parse_tag(const char *text, struct ipcbox_selection *selection)
{
	const char *end = text;

	selection->tag = tag_argument(&end);
	selection->tag_mask = UINT64_MAX;
	if (*end == '/') {
		end++;
		selection->tag_mask = tag_argument(&end);
		if (!selection->tag_mask)
			usage_error("--tag '%s' has a mask of nothing", text);
	}
	if (*end)
		usage_error("--tag '%s' is not a number, or NUMBER/MASK", text);
}

/* Whether @key is one of SELECTION_OPTIONS. */
bool parse_selection(int key, const char *arg,
		     struct ipcbox_selection *selection)
{
	switch (key) {
	case 'g':
		parse_tag(arg, selection);
		return true;
	case KEY_FROM:
		selection->pid = (pid_t)number_argument("--from", arg, 1,
							INT_MAX);
		return true;
	case KEY_SEQUENCE:
		selection->sequence = number_argument("--sequence", arg, 1,
						      UINT64_MAX);
		return true;
	default:
		return false;
	}
}

bool selects(const struct ipcbox_selection *selection)
{
	return selection->tag_mask || selection->pid || selection->sequence;
}
