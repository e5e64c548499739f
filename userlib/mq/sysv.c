/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* msgget, msgsnd and msgrcv. */
#include <limits.h>
#include <string.h>
#include <sys/msg.h>

#include "mq.h"

/* sys/msg.h leaves it out of what it names for everyone. */
struct message {
	long type;
	char text[];
};

/*
 * Queues by key
 */

/* Which rights one asks for when one finds a queue; as the kernel reads them. */
static unsigned int rights_of(int flags)
{
	unsigned int rights = 0;

	if (flags & 0444)
		rights |= IPCBOX_RIGHT_RECEIVE;
	if (flags & 0222)
		rights |= IPCBOX_RIGHT_SEND;
	return rights;
}

/* Returns 0 and the id. Who asks for no right is not checked. */
static int find_queue(const char *name, int flags, uint64_t *id)
{
	struct ipcbox_open request = {
		.size = sizeof(request),
		.by = IPCBOX_BY_NAME,
		.rights = rights_of(flags),
		.name = ipcbox_address(name),
		.name_length = (uint32_t)strlen(name),
	};
	int fd;

	if (!request.rights) {
		request.flags = IPCBOX_OPEN_REVOCABLE;
		request.rights = IPCBOX_RIGHT_RECEIVE;
	}
	fd = mq_device_open(IPCBOX_IOC_OPEN, &request, false);
	if (fd < 0)
		return fd;
	ipcbox_close_fd(fd);
	*id = request.id;
	return 0;
}

static int remove_queue(uint64_t id)
{
	struct ipcbox_unlink request = {
		.size = sizeof(request),
		.by = IPCBOX_BY_ID,
		.object = id,
	};

	return mq_device_ioctl(IPCBOX_IOC_UNLINK, &request);
}

/* Returns 0 and the id. The new queue's handle is kept: it is soon used. */
static int make_queue(const char *name, int flags, uint64_t *id)
{
	struct ipcbox_info info;
	struct ipcbox_create request = {
		.size = sizeof(request),
		.flags = IPCBOX_CREATE_EXCLUSIVE | IPCBOX_CREATE_PERSISTENT |
			 IPCBOX_CREATE_PLAIN | IPCBOX_CREATE_REVOCABLE,
		.kind = IPCBOX_QUEUE,
		.mode = (uint32_t)flags & 0777,
		.rights = IPCBOX_RIGHT_RECEIVE | IPCBOX_RIGHT_SEND |
			  IPCBOX_RIGHT_MANAGE,
		.name = ipcbox_address(name),
		.name_length = name ? (uint32_t)strlen(name) : 0,
	};
	int fd = mq_device_info(&info);

	if (fd < 0)
		return fd;
	/* Its bytes limit its messages, too: an empty one counts as one byte. */
	request.max_messages = info.object_bytes < info.object_messages_max ?
			       info.object_bytes : info.object_messages_max;
	fd = mq_device_open(IPCBOX_IOC_CREATE, &request, false);
	if (fd < 0)
		return fd == -EDQUOT ? -ENOSPC : fd;
	if (request.id > INT_MAX) {
		ipcbox_close_fd(fd);
		remove_queue(request.id);
		return -ENOSPC;
	}
	mq_queue_keep((int)request.id, mq_keep_high(fd));
	*id = request.id;
	return 0;
}

static int find_or_make(int key, int flags, uint64_t *id)
{
	char name[MQ_NAME_SIZE];
	bool exclusive = flags & IPC_CREAT && flags & IPC_EXCL;
	int error;

	if (key == IPC_PRIVATE)
		return make_queue(NULL, flags, id);
	mq_name_of_key(name, key);
	do {
		error = exclusive ? -ENOENT : find_queue(name, flags, id);
		if (error != -ENOENT || !(flags & IPC_CREAT))
			return error;
		error = make_queue(name, flags, id);
	} while (error == -EEXIST && !exclusive);
	return error;
}

EXPORTED int msgget(key_t key, int flags)
{
	uint64_t id = 0;
	int error = find_or_make(key, flags, &id);

	if (!error && id > INT_MAX)
		error = -ENOSPC;
	return error ? answer(error) : (int)id;
}

/*
 * Messages
 */

static int send_error(int result)
{
	switch (result) {
	case -EMSGSIZE:
		return -EINVAL;
	case -EDQUOT:	/* the user's messages fill all that it may have */
		return -ENOMEM;
	}
	return result < 0 ? result : 0;
}

static int send_message(int id, const struct message *from, size_t length,
			int flags)
{
	struct ipcbox_outgoing message = {
		.data = ipcbox_address(from->text),
		.length = (uint32_t)length,
		.tag = (unsigned long)from->type,
	};
	struct ipcbox_send request = {
		.size = sizeof(request),
		.flags = IPCBOX_NORESTART,
		.messages = ipcbox_address(&message),
		.count = 1,
		.message_size = sizeof(message),
		.deadline = IPCBOX_FOREVER,
	};
	int result;

	if (flags & IPC_NOWAIT)
		request.flags |= IPCBOX_NOWAIT;
	do {
		result = mq_queue_ioctl(id, IPCBOX_IOC_SEND, &request,
					&request.flags, &request.object);
		/* The rights have changed: look at them again. */
	} while (result == -EAGAIN && !(flags & IPC_NOWAIT));
	return send_error(result);
}

EXPORTED int msgsnd(int id, const void *from, size_t length, int flags)
{
	const struct message *message = from;

	if (!mq_is_readable(from))
		return answer(-EFAULT);
	if (length > UINT32_MAX || id < 0 || message->type < 1)
		return answer(-EINVAL);
	return answer(send_message(id, message, length, flags));
}

/* What is wanted: see msgop(2). */
static void choose(struct ipcbox_receive *request, long type, int flags)
{
	if (!type)
		return;
	request->flags |= IPCBOX_SELECT_TAG;
	request->tag_mask = UINT64_MAX;
	request->tag = (unsigned long)type;
	if (type < 0) {
		request->flags |= IPCBOX_SELECT_TAG_LOWEST;
		request->tag = type == LONG_MIN ? LONG_MAX :
						  (unsigned long)-type;
	} else if (flags & MSG_EXCEPT) {
		request->flags |= IPCBOX_SELECT_TAG_NOT;
	}
}

static int receive_error(int result, int flags)
{
	switch (result) {
	case -EMSGSIZE:
		return -E2BIG;
	case -EAGAIN:
		return flags & IPC_NOWAIT ? -ENOMSG : -EAGAIN;
	}
	return result;
}

static int receive_message(int id, struct ipcbox_incoming *message, long type,
			   int flags)
{
	struct ipcbox_receive request = {
		.size = sizeof(request),
		.flags = IPCBOX_NORESTART,
		.messages = ipcbox_address(message),
		.count = 1,
		.message_size = sizeof(*message),
		.deadline = IPCBOX_FOREVER,
	};
	int result;

	if (flags & IPC_NOWAIT)
		request.flags |= IPCBOX_NOWAIT;
	if (flags & MSG_NOERROR)
		request.flags |= IPCBOX_TRUNCATE;
	choose(&request, type, flags);
	do {
		result = mq_queue_ioctl(id, IPCBOX_IOC_RECEIVE, &request,
					&request.flags, &request.object);
		result = receive_error(result, flags);
	} while (result == -EAGAIN);
	return result;
}

/* MSG_COPY: the message in this place, which stays there. */
static int copy_message(int id, struct ipcbox_incoming *message, long place,
			int flags)
{
	struct ipcbox_receive request = {
		.size = sizeof(request),
		.flags = IPCBOX_PEEK,
		.messages = ipcbox_address(message),
		.count = 1,
		.message_size = sizeof(*message),
		.deadline = IPCBOX_FOREVER,
	};
	int result;

	if (flags & MSG_EXCEPT || !(flags & IPC_NOWAIT))
		return -EINVAL;
	if (place >= 0 && place <= IPCBOX_SKIP_MAX)
		request.skip = (uint32_t)place;
	else
		message->capacity = 0;
	result = mq_queue_ioctl(id, IPCBOX_IOC_RECEIVE, &request,
				&request.flags, &request.object);
	if (result == -EAGAIN)
		return -ENOMSG;
	if (result < 0)
		return result;
	if (place < 0 || place > IPCBOX_SKIP_MAX)
		return -ENOMSG;
	if (message->length <= message->capacity)
		return result;
	return flags & MSG_NOERROR ? -EINVAL : -E2BIG;
}

EXPORTED ssize_t msgrcv(int id, void *to, size_t capacity, long type, int flags)
{
	struct message *message = to;
	struct ipcbox_incoming incoming = ipcbox_incoming_of(message->text,
							     capacity);
	int result;

	if (capacity > SSIZE_MAX || id < 0)
		return answer(-EINVAL);
	if (flags & MSG_COPY)
		result = copy_message(id, &incoming, type, flags);
	else
		result = receive_message(id, &incoming, type, flags);
	if (result < 0)
		return answer(result);
	/* The kernel has written what is behind it, if anything. */
	if (!incoming.length && !mq_is_writable(to))
		return answer(-EFAULT);
	message->type = (long)incoming.tag;
	return (ssize_t)(incoming.length < incoming.capacity ?
				 incoming.length : incoming.capacity);
}
