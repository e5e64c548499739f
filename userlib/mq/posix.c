/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* <mqueue.h>, but for deadlines (timed.c) and notice (notify.c). */
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mq.h"

/* What the kernel's own queues hold, unless its administrator says otherwise. */
#define DEFAULT_MESSAGES	10
#define DEFAULT_BYTES		8192

/* Is this what an ioctl says that met another file than a handle on messages? */
bool mq_is_foreign(int result)
{
	return result == -ENOTTY || result == -EOPNOTSUPP;
}

/* The errors of operations on messages as <mqueue.h> has them. */
static int message_error(int result)
{
	switch (result) {
	case -EACCES:		/* the descriptor was not opened for this */
		return -EBADF;
	case -EDQUOT:		/* the user's messages fill all that it may have */
		return -ENOMEM;
	}
	return result;
}

int mq_posix_send(int fd, const char *data, size_t length,
		  unsigned int priority, uint64_t deadline)
{
	struct ipcbox_outgoing message = {
		.data = ipcbox_address(data),
		/* What does not fit the field is too long for any queue. */
		.length = length < UINT32_MAX ? (uint32_t)length : UINT32_MAX,
		.priority = priority,
	};
	struct ipcbox_send request = {
		.size = sizeof(request),
		.flags = IPCBOX_REALTIME,
		.messages = ipcbox_address(&message),
		.count = 1,
		.message_size = sizeof(message),
		.deadline = deadline,
	};
	int result;

	/* Before the descriptor is looked at, be it what it may. */
	if (priority > IPCBOX_PRIORITY_MAX)
		return -EINVAL;
	result = mq_wait_ioctl(fd, IPCBOX_IOC_SEND, &request, &request.flags);
	return result < 0 ? message_error(result) : 0;
}

ssize_t mq_posix_receive(int fd, char *data, size_t capacity,
			 unsigned int *priority, uint64_t deadline)
{
	struct ipcbox_incoming message = ipcbox_incoming_of(data, capacity);
	struct ipcbox_receive request = {
		.size = sizeof(request),
		.flags = IPCBOX_REALTIME | IPCBOX_LARGEST,
		.messages = ipcbox_address(&message),
		.count = 1,
		.message_size = sizeof(message),
		.deadline = deadline,
	};
	int result = mq_wait_ioctl(fd, IPCBOX_IOC_RECEIVE, &request,
				   &request.flags);

	if (result < 0)
		return message_error(result);
	if (priority)
		*priority = message.priority;
	return (ssize_t)message.length;
}

/*
 * Opening
 */

static unsigned int rights_of(int flags)
{
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		return IPCBOX_RIGHT_RECEIVE;
	case O_WRONLY:
		return IPCBOX_RIGHT_SEND;
	case O_RDWR:
		return IPCBOX_RIGHT_RECEIVE | IPCBOX_RIGHT_SEND;
	}
	return 0;
}

static int open_queue(const char *name, int flags)
{
	struct ipcbox_open request = {
		.size = sizeof(request),
		.flags = flags & O_NONBLOCK ? IPCBOX_OPEN_NONBLOCK : 0,
		.by = IPCBOX_BY_NAME,
		.rights = rights_of(flags),
		.name = ipcbox_address(name),
		.name_length = (uint32_t)strlen(name),
	};

	return mq_device_open(IPCBOX_IOC_OPEN, &request, true);
}

/* What the kernel's administrator set for its own queues. */
static long setting(const char *path, long otherwise)
{
	char text[24];
	long value = 0;
	ssize_t length;
	int saved = errno;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		length = read(fd, text, sizeof(text) - 1);
		close(fd);
		text[length > 0 ? length : 0] = '\0';
		if (sscanf(text, "%ld", &value) != 1)
			value = 0;
	}
	errno = saved;
	return value > 0 ? value : otherwise;
}

static void default_size(struct mq_attr *attr)
{
	attr->mq_maxmsg = setting("/proc/sys/fs/mqueue/msg_default",
				  DEFAULT_MESSAGES);
	attr->mq_msgsize = setting("/proc/sys/fs/mqueue/msgsize_default",
				   DEFAULT_BYTES);
}

static int check_size(const struct mq_attr *attr)
{
	if (attr->mq_maxmsg <= 0 || attr->mq_msgsize <= 0)
		return -EINVAL;
	if ((unsigned long)attr->mq_msgsize >
	    ULONG_MAX / (unsigned long)attr->mq_maxmsg)
		return -EOVERFLOW;
	return 0;
}

/* Was a size refused on its own, or what both come to? */
static int size_error(const struct mq_attr *attr)
{
	struct ipcbox_info info;
	int error = mq_device_info(&info);

	if (error)
		return error;
	if ((uint64_t)attr->mq_maxmsg > info.object_messages_max ||
	    (uint64_t)attr->mq_msgsize > info.message_bytes_max)
		return -EINVAL;
	return -ENOSPC;
}

static int create_queue(const char *name, int flags, mode_t mode,
			const struct mq_attr *attr)
{
	struct ipcbox_create request = {
		.size = sizeof(request),
		.flags = IPCBOX_CREATE_EXCLUSIVE | IPCBOX_CREATE_PERSISTENT |
			 IPCBOX_CREATE_PLAIN,
		.kind = IPCBOX_QUEUE,
		.mode = mode & 0666,
		.rights = rights_of(flags),
		.name = ipcbox_address(name),
		.name_length = (uint32_t)strlen(name),
	};
	struct mq_attr size;
	int result;

	if (flags & O_NONBLOCK)
		request.flags |= IPCBOX_CREATE_NONBLOCK;
	if (attr)
		size = *attr;
	else
		default_size(&size);
	result = check_size(&size);
	if (result)
		return result;
	request.max_messages = (uint64_t)size.mq_maxmsg;
	request.max_message_bytes = (uint64_t)size.mq_msgsize;
	request.max_bytes = request.max_messages * request.max_message_bytes;
	result = mq_device_open(IPCBOX_IOC_CREATE, &request, true);
	if (result == -EINVAL)
		return size_error(&size);
	return result == -EDQUOT ? -ENOSPC : result;
}

/* An existing queue goes before the sizes for a new one, be they wrong or not. */
static int open_or_create(const char *name, int flags, mode_t mode,
			  const struct mq_attr *attr)
{
	int result;

	do {
		result = open_queue(name, flags);
		if (result >= 0 && flags & O_CREAT && flags & O_EXCL) {
			ipcbox_close_fd(result);
			return -EEXIST;
		}
		if (result == -EACCES && flags & O_CREAT && flags & O_EXCL)
			return -EEXIST;
		if (result != -ENOENT || !(flags & O_CREAT))
			return result;
		result = create_queue(name, flags, mode, attr);
	} while (result == -EEXIST);
	return result;
}

static mqd_t do_open(const char *posix, int flags, mode_t mode,
		     const struct mq_attr *attr)
{
	char name[MQ_NAME_SIZE];
	int error = mq_name_of(name, posix);

	if (!error && !rights_of(flags))
		error = -EINVAL;
	return answer(error ? error :
			      open_or_create(name, flags, mode, attr));
}

EXPORTED mqd_t mq_open(const char *name, int flags, ...)
{
	const struct mq_attr *attr = NULL;
	mode_t mode = 0;
	va_list arguments;

	if (flags & O_CREAT) {
		va_start(arguments, flags);
		mode = va_arg(arguments, mode_t);
		attr = va_arg(arguments, const struct mq_attr *);
		va_end(arguments);
	}
	if (attr && !mq_is_readable(attr))
		return answer(-EFAULT);
	return do_open(name, flags, mode, attr);
}

/* What <mqueue.h> calls, with _FORTIFY_SOURCE, where it sees two arguments. */
mqd_t __mq_open_2(const char *name, int flags);
EXPORTED mqd_t __mq_open_2(const char *name, int flags)
{
	/* The C library ends the program, and says why. */
	if (flags & O_CREAT)
		return REAL(__mq_open_2)(name, flags);
	return do_open(name, flags, 0, NULL);
}

EXPORTED int mq_unlink(const char *posix)
{
	char name[MQ_NAME_SIZE];
	struct ipcbox_unlink request = {
		.size = sizeof(request),
		.by = IPCBOX_BY_NAME,
		.name = ipcbox_address(name),
	};
	int error = mq_name_of(name, posix);

	if (!error) {
		request.name_length = (uint32_t)strlen(name);
		error = mq_device_ioctl(IPCBOX_IOC_UNLINK, &request);
	}
	return answer(error == -EPERM ? -EACCES : error);
}

/* As close(2), but that a thread that waits for notice is let go. */
EXPORTED int mq_close(mqd_t fd)
{
	struct ipcbox_stat state = { .size = sizeof(state) };
	int foreign = ipcbox_ioctl(fd, IPCBOX_IOC_STAT, &state);
	int result = REAL(mq_close)(fd);

	if (!foreign)
		mq_notify_closed(state.id);
	return result;
}

/*
 * Attributes
 */

static int get_attr(mqd_t fd, struct mq_attr *attr)
{
	struct ipcbox_stat state = { .size = sizeof(state) };
	int result = ipcbox_ioctl(fd, IPCBOX_IOC_STAT, &state);

	if (result)
		return result;
	if (state.kind != IPCBOX_QUEUE && state.kind != IPCBOX_MAILBOX)
		return -ENOTTY;
	if (!mq_is_writable(attr))
		return -EFAULT;
	*attr = (struct mq_attr){
		.mq_flags = fcntl(fd, F_GETFL) & O_NONBLOCK,
		.mq_maxmsg = (long)state.max_messages,
		.mq_msgsize = (long)state.max_message_bytes,
		.mq_curmsgs = (long)state.messages,
	};
	return 0;
}

EXPORTED int mq_getattr(mqd_t fd, struct mq_attr *attr)
{
	int result = get_attr(fd, attr);

	if (mq_is_foreign(result))
		return REAL(mq_getattr)(fd, attr);
	return answer(result);
}

/* What can be wrong with new attributes, looked at before the descriptor is. */
static int check_attr(const struct mq_attr *attr)
{
	if (!mq_is_readable(attr))
		return -EFAULT;
	return attr->mq_flags & ~O_NONBLOCK ? -EINVAL : 0;
}

/* As the kernel's, it also takes none, which <mqueue.h> says that there is not. */
EXPORTED int mq_setattr(mqd_t fd, const struct mq_attr *volatile given,
			struct mq_attr *old)
{
	const struct mq_attr *attr = given;
	struct mq_attr now;
	int result = get_attr(fd, &now);
	int error = attr ? check_attr(attr) : 0;

	if (mq_is_foreign(result))
		return REAL(mq_setattr)(fd, attr, old);
	if (error || result)
		return answer(error ? error : result);
	if (attr && fcntl(fd, F_SETFL, (fcntl(fd, F_GETFL) & ~O_NONBLOCK) |
				       (int)attr->mq_flags))
		return -1;
	if (!old)
		return 0;
	if (!mq_is_writable(old))
		return answer(-EFAULT);
	*old = now;
	return 0;
}

/*
 * Messages
 */

EXPORTED int mq_send(mqd_t fd, const char *data, size_t length,
		     unsigned int priority)
{
	int result = mq_posix_send(fd, data, length, priority, IPCBOX_FOREVER);

	if (mq_is_foreign(result))
		return REAL(mq_send)(fd, data, length, priority);
	return answer(result);
}

EXPORTED ssize_t mq_receive(mqd_t fd, char *data, size_t capacity,
			    unsigned int *priority)
{
	ssize_t result = mq_posix_receive(fd, data, capacity, priority,
					  IPCBOX_FOREVER);

	if (result < 0 && mq_is_foreign((int)result))
		return REAL(mq_receive)(fd, data, capacity, priority);
	return result < 0 ? answer((int)result) : result;
}
