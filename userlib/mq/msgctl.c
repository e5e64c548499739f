/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * msgctl. For 32 bits this is compiled a second time, with a time_t of 64 bits,
 * for which <sys/msg.h> renames it.
 */
#include <limits.h>
#include <string.h>
#include <sys/msg.h>

#include "mq.h"

/* Values that the kernel tells for compatibility, and uses nowhere. */
#define SEGMENT_BYTES	16
#define SEGMENTS	65535

static void fill(struct msqid_ds *to, const struct ipcbox_stat *state)
{
	memset(to, 0, sizeof(*to));
	to->msg_perm.__key = mq_key_of_name((const char *)state->name);
	to->msg_perm.uid = state->uid;
	to->msg_perm.gid = state->gid;
	to->msg_perm.cuid = state->creator_uid;
	to->msg_perm.cgid = state->creator_gid;
	to->msg_perm.mode = (unsigned short)state->mode;
	to->msg_stime = (time_t)state->sent_at;
	to->msg_rtime = (time_t)state->received_at;
	to->msg_ctime = (time_t)state->changed_at;
	to->__msg_cbytes = (unsigned long)state->bytes;
	to->msg_qnum = (msgqnum_t)state->messages;
	to->msg_qbytes = (msglen_t)state->max_bytes;
	to->msg_lspid = state->last_sender;
	to->msg_lrpid = state->last_receiver;
}

static int to_int(uint64_t value)
{
	return value < INT_MAX ? (int)value : INT_MAX;
}

static int tell_totals(int command, struct msginfo *to)
{
	struct mq_totals totals;
	int error = mq_control_totals(&totals);

	if (error)
		return error;
	if (!mq_is_writable(to))
		return -EFAULT;
	*to = (struct msginfo){
		.msgmax = to_int(totals.limits.message_bytes),
		.msgmnb = to_int(totals.limits.object_bytes),
		.msgmni = to_int(totals.limits.user_objects),
		.msgssz = SEGMENT_BYTES,
		.msgseg = SEGMENTS,
	};
	if (command == MSG_INFO) {
		to->msgpool = to_int(totals.queues);
		to->msgmap = to_int(totals.messages);
		to->msgtql = to_int(totals.bytes);
	} else {
		to->msgpool = to_int(totals.limits.user_bytes / 1024);
		to->msgmap = to->msgmnb;
		to->msgtql = to->msgmnb;
	}
	return totals.last;
}

static int stat_queue(int id, int command, struct msqid_ds *to)
{
	struct ipcbox_stat state;
	int result = id;

	if (command != IPC_STAT)
		result = mq_control_at(id, &state);
	if (result < 0)
		return result;
	id = result;
	result = mq_control_stat(id, command != MSG_STAT_ANY, &state);
	if (result)
		return result;
	if (!mq_is_writable(to))
		return -EFAULT;
	fill(to, &state);
	return command == IPC_STAT ? 0 : id;
}

static int set_queue(int id, const struct msqid_ds *from)
{
	const struct mq_change change = {
		.uid = from->msg_perm.uid,
		.gid = from->msg_perm.gid,
		.mode = from->msg_perm.mode,
		.bytes = from->msg_qbytes,
	};

	return mq_control_set(id, &change);
}

static int control(int id, int command, void *argument)
{
	if (id < 0 || command < 0)
		return -EINVAL;
	switch (command) {
	case IPC_INFO:
	case MSG_INFO:
		return tell_totals(command, argument);
	case IPC_STAT:
	case MSG_STAT:
	case MSG_STAT_ANY:
		return stat_queue(id, command, argument);
	case IPC_SET:
		if (!mq_is_readable(argument))
			return -EFAULT;
		return set_queue(id, argument);
	case IPC_RMID:
		return mq_control_remove(id);
	}
	return -EINVAL;
}

EXPORTED int msgctl(int id, int command, struct msqid_ds *argument)
{
	return answer(control(id, command, argument));
}
