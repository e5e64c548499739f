/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Peers as programs see them that are started with libipcbox-mq: the same code, in
 * another process, which is this program again, with that library loaded first.
 */
#ifndef PRELOAD_H
#define PRELOAD_H

#include "bench.h"

/* The library's file; NULL until main() is told. */
extern const char *preload_file;

bool preload_available(void);

/*
 * Has the other process measure a row and print it. Returns false when there is
 * no such process any more, and nothing was printed.
 */
bool preload_row(const struct workload *workload, unsigned long point,
		 const struct transport *transport);

/* Ends the other process, if there is one; returns whether all was well there. */
bool preload_end(void);

/* In the other process: is the library in use? */
bool preload_is_loaded(void);

#endif /* PRELOAD_H */
