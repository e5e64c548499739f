/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * The limits of the box, as the module names them.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "cli.h"

#define USED(name)	offsetof(struct ipcbox_info, name)

#define LIMIT(limit, measure, in_use, text) { \
	.name = #limit, .unit = measure, \
	.value = offsetof(struct ipcbox_info, limit), .used = in_use, \
	.meaning = text }

const struct limit limits[] = {
	LIMIT(user_bytes, UNIT_BYTES, USED(user_bytes_used),
	      "what one user may have in flight, 128 bytes more for each message"),
	LIMIT(user_objects, UNIT_OBJECTS, USED(user_objects_used),
	      "objects that one user may have"),
	LIMIT(user_mapped_bytes, UNIT_BYTES, USED(user_mapped_bytes_used),
	      "memory for mapping that one user's objects may have"),
	LIMIT(user_spare_bytes, UNIT_BYTES, 0,
	      "memory kept at hand for one user's messages, beyond twice what they take"),
	LIMIT(user_share, UNIT_PERCENT, 0,
	      "of an object's room that one user who is not its owner may fill"),
	LIMIT(box_objects, UNIT_OBJECTS, USED(box_objects_used),
	      "objects that there may be"),
	LIMIT(object_messages, UNIT_MESSAGES, 0,
	      "messages that an object holds, unless asked otherwise"),
	LIMIT(object_messages_max, UNIT_MESSAGES, 0,
	      "messages that an object may be asked to hold"),
	LIMIT(object_bytes, UNIT_BYTES, 0,
	      "what an object holds, unless asked otherwise"),
	LIMIT(object_bytes_max, UNIT_BYTES, 0,
	      "what an object may be asked to hold"),
	LIMIT(message_bytes, UNIT_BYTES, 0,
	      "largest message that an object takes, unless asked otherwise"),
	LIMIT(message_bytes_max, UNIT_BYTES, 0,
	      "largest message that an object may be asked to take"),
	LIMIT(pool_message_bytes, UNIT_BYTES, 0,
	      "largest message that a mailbox with a receive pool takes"),
	LIMIT(batch_messages, UNIT_MESSAGES, 0,
	      "messages that one call may send or receive"),
};

const size_t limits_count = sizeof(limits) / sizeof(limits[0]);

uint64_t limit_value(const struct ipcbox_info *info, size_t offset)
{
	uint64_t value;

	memcpy(&value, (const char *)info + offset, sizeof(value));
	return value;
}

const char *limits_fault(const struct ipcbox_info *info)
{
	size_t i;

	for (i = 0; i < limits_count; i++)
		if (!limit_value(info, limits[i].value))
			return "one of them is zero";
	if (info->user_share > 100)
		return "user_share is more than 100 percent";
	if (info->object_messages > info->object_messages_max)
		return "object_messages is more than object_messages_max";
	if (info->object_bytes > info->object_bytes_max)
		return "object_bytes is more than object_bytes_max";
	if (info->message_bytes > info->message_bytes_max)
		return "message_bytes is more than message_bytes_max";
	if (info->message_bytes > info->object_bytes)
		return "message_bytes is more than object_bytes: a new object could not hold its largest message";
	if (info->message_bytes > info->user_bytes)
		return "message_bytes is more than user_bytes: no user could send the largest message";
	return NULL;
}

void check_object_limits(struct ipcbox *box, const struct object_limits *wanted,
			 uint64_t holds)
{
	uint64_t bytes = wanted->max_bytes ? wanted->max_bytes : holds;
	struct ipcbox_info info;
	char size[SHORT_TEXT];

	if (ipcbox_info(box, &info))
		return;
	if (wanted->max_messages > info.object_messages_max)
		fail(STATUS_LIMIT, EINVAL,
		     "--max-messages may be %llu at most; 'ipcbox limits' shows the limits",
		     (unsigned long long)info.object_messages_max);
	if (wanted->max_bytes > info.object_bytes_max)
		fail(STATUS_LIMIT, EINVAL,
		     "--max-bytes may be %s at most; 'ipcbox limits' shows the limits",
		     text_size(size, info.object_bytes_max));
	if (wanted->max_message_bytes > info.message_bytes_max)
		fail(STATUS_LIMIT, EINVAL,
		     "--max-message may be %s at most; 'ipcbox limits' shows the limits",
		     text_size(size, info.message_bytes_max));
	if (!bytes)
		bytes = info.object_bytes;
	if (wanted->max_message_bytes > bytes)
		fail(STATUS_LIMIT, EINVAL,
		     "--max-message may not be more than the %s that the object holds; raise --max-bytes too",
		     text_size(size, bytes));
}
