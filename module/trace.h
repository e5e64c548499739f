/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: /sys/kernel/tracing/events/ipcbox.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ipcbox

#if !defined(IPCBOX_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define IPCBOX_TRACE_H

#include <linux/tracepoint.h>

#include "compat.h"
#include "object.h"
#include "queue.h"

/* An object was made. */
TRACE_EVENT(ipcbox_create,
	TP_PROTO(const struct ipcbox_object *object),
	TP_ARGS(object),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, kind)
		__string(name, object->name)
	),
	TP_fast_assign(
		__entry->id = object->id;
		__entry->kind = object->kind;
		ipcbox_assign_str(name, object->name);
	),
	TP_printk("id=%llu kind=%u name=%s", __entry->id, __entry->kind,
		  __get_str(name))
);

DECLARE_EVENT_CLASS(ipcbox_message,
	TP_PROTO(const struct ipcbox_object *object,
		 const struct ipcbox_queue_entry *message),
	TP_ARGS(object, message),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, sequence)
		__field(u32, length)
		__field(u16, priority)
	),
	TP_fast_assign(
		__entry->id = object->id;
		__entry->sequence = message->sequence;
		__entry->length = message->length;
		__entry->priority = message->priority;
	),
	TP_printk("id=%llu sequence=%llu length=%u priority=%u", __entry->id,
		  __entry->sequence, __entry->length, __entry->priority)
);

/* A message was accepted. */
DEFINE_EVENT(ipcbox_message, ipcbox_send,
	TP_PROTO(const struct ipcbox_object *object,
		 const struct ipcbox_queue_entry *message),
	TP_ARGS(object, message)
);

/* A message was received. */
DEFINE_EVENT(ipcbox_message, ipcbox_receive,
	TP_PROTO(const struct ipcbox_object *object,
		 const struct ipcbox_queue_entry *message),
	TP_ARGS(object, message)
);

/* A message ended with its object. */
DEFINE_EVENT(ipcbox_message, ipcbox_drop,
	TP_PROTO(const struct ipcbox_object *object,
		 const struct ipcbox_queue_entry *message),
	TP_ARGS(object, message)
);

/* A thread begins to wait to receive (right 1) or to send (right 2). */
TRACE_EVENT(ipcbox_block,
	TP_PROTO(const struct ipcbox_object *object, u32 right),
	TP_ARGS(object, right),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, right)
	),
	TP_fast_assign(
		__entry->id = object->id;
		__entry->right = right;
	),
	TP_printk("id=%llu to %s", __entry->id,
		  __entry->right == IPCBOX_RIGHT_SEND ? "send" : "receive")
);

#endif /* IPCBOX_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
