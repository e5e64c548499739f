/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What becomes of messages that end without being received, as create and set
 * are told it.
 */
#include <string.h>

#include "cli.h"

void dead_letter_argument(struct dead_settings *settings, const char *text)
{
	struct target target;

	/* A fault of the name is better found before anything is done. */
	parse_target(&target, text);
	settings->letters = text;
}

void max_deliveries_argument(struct dead_settings *settings, const char *text)
{
	settings->deliveries_given = true;
	settings->max_deliveries =
		(uint32_t)number_argument("--max-deliveries", text, 0,
					  UINT32_MAX);
}

void dead_changes(struct ipcbox *box, const struct dead_settings *settings,
		  struct ipcbox_set *changes)
{
	struct target target;
	struct ipcbox_stat state;

	if (settings->letters) {
		changes->mask |= IPCBOX_SET_DEAD_LETTER;
		changes->dead_letter = 0;
		if (strcmp(settings->letters, "none") != 0) {
			parse_target(&target, settings->letters);
			find_target(box, &target, &state);
			changes->dead_letter = state.id;
		}
	}
	if (settings->deliveries_given) {
		changes->mask |= IPCBOX_SET_MAX_DELIVERIES;
		changes->max_deliveries = settings->max_deliveries;
	}
}

const char *dead_reason(unsigned int dead)
{
	switch (dead) {
	case IPCBOX_DEAD_EXPIRED:
		return "expired";
	case IPCBOX_DEAD_EXHAUSTED:
		return "exhausted";
	case IPCBOX_DEAD_DESTROYED:
		return "destroyed";
	default:
		return "dead";
	}
}
