/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What transports share whose ends are descriptors of bytes: messages of one
 * known size follow one another, and a batch is one write of all of them.
 */
#ifndef BYTES_H
#define BYTES_H

#include "../bench.h"

int bytes_send(struct link *link, const struct burst *burst);
int bytes_receive(struct link *link, const struct burst *burst);

/* Closes both ends. */
void descriptors_close(struct link *link);

#endif /* BYTES_H */
