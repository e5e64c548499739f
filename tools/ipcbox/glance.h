/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef IPCBOX_GLANCE_H
#define IPCBOX_GLANCE_H

#include "cli.h"

struct glance;

/*
 * A look at the messages of an object, in the order in which they would be
 * received, from behind the first @skip on. Messages that are taken or come
 * meanwhile move the others, so that one may be seen twice or not at all.
 */
struct glance *glance_new(struct ipcbox *box, struct ipcbox_handle *handle,
			  const struct target *target,
			  const struct ipcbox_selection *selection,
			  unsigned int skip, bool payloads);

/*
 * The next message, or NULL when there is none; @wanted is how many will be
 * asked for. @data, NULL without payloads, holds until the next call.
 */
const struct ipcbox_incoming *glance_next(struct glance *glance,
					  uint64_t wanted, const char **data);
void glance_free(struct glance *glance);

#endif
