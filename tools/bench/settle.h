/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef SETTLE_H
#define SETTLE_H

/**
 * settle - wait until the host is quiet enough to measure
 *
 * Soon after the boot a kernel still calibrates its clock, which changes what
 * it counts, and tests its ciphers, for the time of which others are measured
 * too. Waits until the final clock source is in use and every processor has
 * been idle for a while, but at most a minute.
 *
 * Returns 0, or -ETIMEDOUT when the host never was quiet.
 */
int settle(void);

#endif /* SETTLE_H */
