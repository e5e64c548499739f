/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs about the form of ioctls share. */
#ifndef _ABI_H
#define _ABI_H

#include <assert.h>
#include <limits.h>

#include "box.h"

/*
 * The interface is frozen, and the same for 32-bit and 64-bit programs; what
 * is new comes at the end.
 */
#define FROZEN(type, field, offset) \
	static_assert(offsetof(struct ipcbox_##type, field) == (offset), \
		      #type "." #field)
#define FROZEN_SIZE(type, size) \
	static_assert(sizeof(struct ipcbox_##type) == (size), #type)

/*
 * Sizes of the first published version, which are accepted for ever. They are
 * the present ones until a structure grows: then they are numbers here, and in
 * .first of the command's variant.
 */
#define FIRST_STAT	sizeof(struct ipcbox_stat)
#define FIRST_OUTGOING	sizeof(struct ipcbox_outgoing)
#define FIRST_INCOMING	sizeof(struct ipcbox_incoming)

#define NO_PAD		0

union request {
	__u32 size;
	__u32 word[PATH_MAX / 4 * 2];
	struct ipcbox_info info;
	struct ipcbox_create create;
	struct ipcbox_open open;
	struct ipcbox_unlink unlink;
	struct ipcbox_stat stat;
	struct ipcbox_list list;
	struct ipcbox_set set;
	struct ipcbox_send send;
	struct ipcbox_receive receive;
	struct ipcbox_call call;
	struct ipcbox_settle settle;
	struct ipcbox_answer answer;
	struct ipcbox_notify notify;
	struct ipcbox_spin spin;
	struct ipcbox_channel_wait wait;
	struct ipcbox_channel_wake wake;
	struct ipcbox_seal seal;
	struct ipcbox_sem_operate sem_operate;
	struct ipcbox_sem_get sem_get;
	struct ipcbox_sem_assign sem_assign;
	struct ipcbox_pool_wait pool_wait;
};

static const __u64 bad_pointers[] = {
	0, 8, LONG_MAX - 4095, -1ull, -4096ull, 0xffff888000000000ull,
	/* For a 32-bit program: beyond what it can have. */
	sizeof(long) == 4 ? 1ull << 32 : 1ull << 60,
};

#endif /* _ABI_H */
