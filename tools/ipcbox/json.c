/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * JSON as the manual page promises it: keys are added, never renamed or
 * removed.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "cli.h"

/* Ids and counters stay below 2^63, which is as far as JSON libraries go. */
static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

json_t *json_of_object(const struct ipcbox_stat *state)
{
	json_t *name = state->name_length ?
		       json_string((const char *)state->name) : json_null();
	char mode[8];

	snprintf(mode, sizeof(mode), "%04o", state->mode & 07777);
	return json_pack("{s:o, s:o, s:s, s:b, s:o, s:o, s:s, s:b, s:b,"
			 " s:o, s:o, s:o, s:o, s:o, s:o, s:o,"
			 " s:o, s:o, s:o, s:o, s:o,"
			 " s:o, s:o, s:o, s:o, s:o,"
			 " s:o, s:o, s:o, s:o, s:o, s:o, s:o,"
			 " s:o, s:o, s:o, s:o, s:b}",
			 "id", number(state->id), "name", name,
			 "kind", kind_name(state->kind),
			 "stream", !!(state->state & IPCBOX_STATE_STREAM),
			 "uid", number(state->uid), "gid", number(state->gid),
			 "mode", mode,
			 "persistent", !!(state->state & IPCBOX_STATE_PERSISTENT),
			 "unlinked", !!(state->state & IPCBOX_STATE_UNLINKED),
			 "messages", number(state->messages),
			 "bytes", number(state->bytes),
			 "max_messages", number(state->max_messages),
			 "max_bytes", number(state->max_bytes),
			 "max_message_bytes", number(state->max_message_bytes),
			 "messages_peak", number(state->messages_peak),
			 "bytes_peak", number(state->bytes_peak),
			 "sent", number(state->sent),
			 "received", number(state->received),
			 "bytes_sent", number(state->bytes_sent),
			 "bytes_received", number(state->bytes_received),
			 "refused", number(state->refused),
			 "handles", number(state->handles),
			 "receive_handles", number(state->receive_handles),
			 "send_handles", number(state->send_handles),
			 "receivers_waiting", number(state->receivers_waiting),
			 "senders_waiting", number(state->senders_waiting),
			 "held", number(state->held),
			 "withdrawn", number(state->withdrawn),
			 "expired", number(state->expired),
			 "exhausted", number(state->exhausted),
			 "buried", number(state->buried),
			 "dead_letter", state->dead_letter ?
			 number(state->dead_letter) : json_null(),
			 "max_deliveries", number(state->max_deliveries),
			 "max_descriptors", number(state->max_descriptors),
			 "mapped_bytes", number(state->mapped_bytes),
			 "mappings", number(state->mappings),
			 "semaphores", number(state->semaphores),
			 "sealed", !!(state->state & IPCBOX_STATE_SEALED));
}

static json_t *base64(const unsigned char *data, size_t length)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *text = allocate((length + 2) / 3 * 4 + 1);
	char *end = text;
	json_t *value;
	size_t i;

	for (i = 0; i < length; i += 3) {
		uint32_t bits = (uint32_t)data[i] << 16;

		if (i + 1 < length)
			bits |= (uint32_t)data[i + 1] << 8;
		if (i + 2 < length)
			bits |= data[i + 2];
		*end++ = digits[bits >> 18];
		*end++ = digits[bits >> 12 & 63];
		*end++ = i + 1 < length ? digits[bits >> 6 & 63] : '=';
		*end++ = i + 2 < length ? digits[bits & 63] : '=';
	}
	value = json_stringn(text, (size_t)(end - text));
	free(text);
	return value;
}

/* JSON strings are text: what is not goes as base64. */
json_t *json_of_bytes(const char *data, size_t length, const char **encoding)
{
	json_t *text = json_stringn(data, length);

	*encoding = "utf-8";
	if (text)
		return text;
	*encoding = "base64";
	return base64((const unsigned char *)data, length);
}

/* @data is NULL where only the header is to be told. */
json_t *json_of_message(const struct ipcbox_incoming *message,
			const char *data)
{
	const char *encoding;
	char tag[24];
	json_t *value;

	/* JSON's numbers end before those of tags do. */
	snprintf(tag, sizeof(tag), "%" PRIu64, (uint64_t)message->tag);
	value = json_pack("{s:o, s:o, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:b,"
			  " s:s?, s:o, s:o}",
			  "sequence", number(message->sequence),
			  "priority", number(message->priority), "tag", tag,
			  "pid", (int)message->pid,
			  "uid", number(message->uid),
			  "gid", number(message->gid),
			  "handle", number(message->handle),
			  "length", number(message->length),
			  "deliveries", number(message->deliveries),
			  "call", !!(message->flags & IPCBOX_INCOMING_CALL),
			  "dead", message->dead ? dead_reason(message->dead) :
						  NULL,
			  "origin", message->origin ?
			  number(message->origin) : json_null(),
			  "origin_sequence", message->origin ?
			  number(message->origin_sequence) : json_null());
	if (data) {
		json_t *text = json_of_bytes(data, message->length, &encoding);

		json_object_set_new(value, "encoding", json_string(encoding));
		json_object_set_new(value, "data", text);
	}
	return value;
}

void print_json(FILE *stream, json_t *value, bool indent)
{
	size_t flags = indent ? JSON_INDENT(2) : 0;

	if (!value)
		fail_memory();
	json_dumpf(value, stream, flags);
	fputc('\n', stream);
	json_decref(value);
}
