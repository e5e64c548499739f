/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#include "internal.h"

/* Given by the Makefile, which has it from the project's one source of it. */
const char *ipcbox_version(void)
{
	return IPCBOX_VERSION;
}
