/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Channels: a ring that one producer and one consumer map.
 */
#ifndef IPCBOX_CHANNEL_H
#define IPCBOX_CHANNEL_H

#include "object.h"

extern const struct ipcbox_kind ipcbox_channel_kind;

#endif /* IPCBOX_CHANNEL_H */
