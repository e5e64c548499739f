/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* What the transports of ipcbox share. */
#ifndef BOX_H
#define BOX_H

#include <ipcbox.h>

#include "../bench.h"

/* Whether the module is loaded. */
bool box_available(void);

/* The box of this process, or NULL with errno set. */
struct ipcbox *box_here(void);

/* Make an object for @link, whose state is then its struct ipcbox_handle. */
int box_make(struct link *link, const struct ipcbox_create_options *options);

/* The same, without a pool and for what the link's shape asks. */
int box_open(struct link *link);
void box_close(struct link *link);

/* Send by the handle that is the state of @link. */
int box_send(struct link *link, const struct burst *burst);

#endif /* BOX_H */
