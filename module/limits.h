/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every cap, one line each: name, default, least and greatest value that root
 * may set, what it says.
 *
 * A line makes a field of struct ipcbox_limits, which IPCBOX_IOC_INFO shows
 * under the same name, and a parameter under /sys/module/ipcbox/parameters.
 */
#ifndef IPCBOX_LIMITS_H
#define IPCBOX_LIMITS_H

#include <linux/sizes.h>
#include <linux/types.h>

#define IPCBOX_LIMITS(LIMIT)						\
	LIMIT(object_messages, 1024, 1, SZ_1M,				\
	      "messages an object holds unless asked otherwise")	\
	LIMIT(object_bytes, SZ_8M, SZ_4K, SZ_1G,			\
	      "payload bytes an object holds unless asked otherwise")	\
	LIMIT(message_bytes, SZ_64K, 1, SZ_16M,				\
	      "largest payload an object takes unless asked otherwise")	\
	LIMIT(object_messages_max, SZ_1M, 1, SZ_16M,			\
	      "most messages an object may be set to hold")		\
	LIMIT(object_bytes_max, SZ_1G, SZ_4K, (1ULL << 36),			\
	      "most payload bytes an object may be set to hold")	\
	LIMIT(message_bytes_max, SZ_16M, 1, SZ_64M,			\
	      "largest payload an object may be set to take")		\
	LIMIT(user_bytes, SZ_64M, SZ_4K, (1ULL << 36),			\
	      "bytes a user may have in flight in a box")		\
	LIMIT(user_objects, 1024, 1, SZ_16M,				\
	      "objects a user may have in a box")			\
	LIMIT(user_share, 50, 1, 100,					\
	      "percent of an object a user other than its owner may fill") \
	LIMIT(box_objects, SZ_128K, 1, SZ_16M,				\
	      "objects a box may hold")					\
	LIMIT(batch_messages, 1024, 1, SZ_64K,				\
	      "messages one call may send or receive")			\
	LIMIT(pool_message_bytes, SZ_256K, SZ_4K, SZ_16M,			\
	      "largest payload a mailbox with a receive pool takes")	\
	LIMIT(user_mapped_bytes, SZ_256M, SZ_4K, (1ULL << 40),		\
	      "bytes for mapping a user's objects may have in a box")	\
	LIMIT(user_spare_bytes, SZ_1M, 0, SZ_1G,			\
	      "memory kept at hand for a user's messages, beyond twice what they take")

#define IPCBOX_LIMIT_FIELD(name, initial, least, greatest, text) u64 name;

/**
 * struct ipcbox_limits - the limits in force
 *
 * Root may change them at any time, so read each with ipcbox_limit(), once.
 */
struct ipcbox_limits {
	IPCBOX_LIMITS(IPCBOX_LIMIT_FIELD)
};

#undef IPCBOX_LIMIT_FIELD

struct ipcbox_info;

extern struct ipcbox_limits ipcbox_limits;

void ipcbox_limits_tell(struct ipcbox_info *info);

#define ipcbox_limit(name) READ_ONCE(ipcbox_limits.name)

#endif /* IPCBOX_LIMITS_H */
