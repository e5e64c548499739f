/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Limits of the host that would keep a transport from a workload. */
#ifndef LIMITS_H
#define LIMITS_H

/*
 * Raise them, as root, and put them back. Who is not root measures with the
 * limits that there are.
 */
void limits_raise(void);
void limits_restore(void);

#endif /* LIMITS_H */
