/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Errors in plain words. */
#include <limits.h>
#include <string.h>

#include "internal.h"

struct explanation {
	int error;
	const char *text;
};

/* Each table ends with an entry without text. */
#define END { 0, NULL }

static const struct explanation box_open_errors[] = {
	{ ENOENT, "There is no device /dev/ipcbox: load the module with 'modprobe ipcbox'." },
	{ ENXIO, "The device node is there but the module is not: load it with 'modprobe ipcbox'." },
	{ ENODEV, "The device node is there but the module is not: load it with 'modprobe ipcbox'." },
	{ EACCES, "You may not open the device: be root, or join the group that owns /dev/ipcbox." },
	{ EPERM, "A policy of this system forbids opening the device, as for containers: allow /dev/ipcbox there." },
	{ ENOTTY, "This is not the device of the ipcbox module." },
	{ EBADF, "This is not an open descriptor." },
	{ EPROTONOSUPPORT, "The module and the library speak different versions of the interface: install them from the same release." },
	END
};

static const struct explanation create_errors[] = {
	{ EINVAL, "The name, kind, mode, rights or a limit is out of range: a name has 1 to 63 printable characters without space and '/', and limits have a maximum that the module tells." },
	{ EEXIST, "The name is taken: by an object of another kind, or one that had to be new." },
	{ EACCES, "The object exists and does not grant you the rights asked for: its owner can change the mode." },
	{ EBUSY, "The mailbox exists and another handle receives from it: a mailbox has one receiver at a time." },
	{ EDQUOT, "You have as many objects, or as much memory for mapping, as one user may have: remove some, or let root raise the limit user_objects or user_mapped_bytes." },
	{ ENOSPC, "The box has as many objects as it may hold: remove some, or let root raise the limit box_objects." },
	END
};

static const struct explanation open_errors[] = {
	{ EINVAL, "The name, the number of the process or the rights are out of range: a name has 1 to 63 printable characters without space and '/'." },
	{ ENOENT, "There is no such object in this box, which is that of one network namespace, or no such process that has opened the box." },
	{ EACCES, "The object does not grant you the rights asked for: its owner can change the mode." },
	{ EBUSY, "Another handle receives from this mailbox: a mailbox has one receiver at a time." },
	{ EBADF, "This is not a descriptor of a process." },
	{ EDQUOT, "The process's mailbox cannot be made: its user has as many objects as one user may have." },
	{ ENOSPC, "The process's mailbox cannot be made: the box has as many objects as it may hold." },
	END
};

static const struct explanation unlink_errors[] = {
	{ EINVAL, "The name is out of range: it has 1 to 63 printable characters without space and '/'." },
	{ ENOENT, "There is no such object in this box: names and ids are seen only in the network namespace that they were made in." },
	{ EPERM, "Only the owner of an object, or root, may remove it." },
	END
};

static const struct explanation map_errors[] = {
	{ EACCES, "The handle has no right to map the region so: open it with the rights to receive and, for writing, to send." },
	{ EPERM, "The region is sealed: its content is final, and it can be mapped for reading only." },
	{ EINVAL, "The object is no region, or has no memory." },
	{ ENOMEM, "The process has no room for the mapping." },
	END
};

static const struct explanation seal_errors[] = {
	{ EACCES, "The handle has no right to send, which sealing needs." },
	{ EBUSY, "The region is still mapped for writing, here or by another process: end these mappings first." },
	{ EINVAL, "The object is no region, or has no memory." },
	{ ENOTTY, "The object is no region." },
	END
};

static const struct explanation sem_errors[] = {
	{ EOWNERDEAD, "You have the semaphore, but who held it before has died: what it guards may be half done." },
	{ EAGAIN, "It cannot be done now, and the call may not wait." },
	{ ETIMEDOUT, "It could not be done up to the deadline." },
	{ EPIPE, "The region was removed: nobody will come who makes it possible." },
	{ ERANGE, "The semaphore would exceed its maximum." },
	{ EACCES, "The handle lacks a right: to change a semaphore needs that to send, to wait for zero or to look that to receive, to set that to manage." },
	{ EINVAL, "The region has no such semaphore, or the value is out of range." },
	{ ENOTTY, "The object is no region." },
	END
};

static const struct explanation adopt_errors[] = {
	{ EBADF, "This is not an open descriptor." },
	{ ENOTTY, "This descriptor is not a handle of an ipcbox object." },
	END
};

static const struct explanation set_errors[] = {
	{ EOPNOTSUPP, "A mailbox with a receive pool neither has a dead-letter mailbox, or a limit of deliveries, nor is one." },
	{ EINVAL, "A value is out of range: the mode has read and write bits only, and limits are at least 1 and have a maximum that the module tells." },
	{ EACCES, "The handle may not change the object: open it with the right to manage, which its owner has." },
	{ EPERM, "You may not give the object to that user or group: only root may, but for groups of your own." },
	{ ENOENT, "There is no such dead-letter mailbox: it is another mailbox or queue of this box to which you may send." },
	END
};

static const struct explanation send_errors[] = {
	{ EOPNOTSUPP, "The object is a stream of bytes, to be used by read and write on its descriptor, or a mailbox with a receive pool, whose messages have no priority, lifetime or descriptors and are not waited for." },
	{ EINVAL, "The priority, the lifetime, the number of messages or a flag is out of range: a priority is 0 to 32767, and a synchronous send is of one message." },
	{ EACCES, "The handle may not send: open the object with the right to send." },
	{ EMSGSIZE, "The message is longer than the object takes: send it in parts, or raise the object's limit." },
	{ EAGAIN, "The object is full: try again when messages have been received." },
	{ ETIMEDOUT, "The object stayed full, or with a synchronous send nobody took the message, up to the deadline: nothing was sent." },
	{ EINTR, "A signal came before there was room, or with a synchronous send before the message was taken: nothing was sent." },
	{ EDQUOT, "Your messages that no one has received yet use up your budget: have some received, or let root raise the limit user_bytes." },
	{ EPIPE, "No receiver will come: the receiving side has closed." },
	{ EOWNERDEAD, "Receivers held the message as often as the object allows and did not do it: nothing was sent." },
	END
};

static const struct explanation receive_errors[] = {
	{ EBUSY, "The mailbox's receive pool is mapped: its messages are received there." },
	{ EOPNOTSUPP, "The object is a stream of bytes, to be used by read and write on its descriptor, or a mailbox with a receive pool, whose messages are neither chosen nor held." },
	{ EINVAL, "The number of messages or a flag is out of range, a tag is chosen without a mask, or a message would be held that nobody could settle." },
	{ EACCES, "The handle may not receive: open the object with the right to receive." },
	{ ENOENT, "There is no process of the number whose messages were chosen." },
	{ EMSGSIZE, "The message is longer than the buffer: it stays in its place, for a call with a larger one." },
	{ EAGAIN, "There is no message: try again when one has been sent." },
	{ ETIMEDOUT, "No message came up to the deadline." },
	{ EINTR, "A signal came before a message: none was taken." },
	{ EPIPE, "No message is left and no sender will come: the object was removed." },
	END
};

static const struct explanation call_errors[] = {
	{ EINVAL, "The priority, the lifetime or a flag is out of range: a priority is 0 to 32767." },
	{ EACCES, "The handle may not call: open the object with the right to send." },
	{ EMSGSIZE, "The request is longer than the object takes: raise the object's limit." },
	{ EAGAIN, "The object is full: call again when requests have been received." },
	{ ETIMEDOUT, "No reply came up to the deadline: a server that has the request may still act on it, but its reply is not awaited." },
	{ EINTR, "A signal came before the reply: a server that has the request may still act on it, but its reply is not awaited." },
	{ EDQUOT, "Your messages, and the room for the replies to your calls, use up your budget: offer less room, or let root raise the limit user_bytes." },
	{ EPIPE, "No server will come: the receiving side has closed." },
	{ EOWNERDEAD, "The server died or closed without a reply, or gave the request back as often as the object allows: whether it acted on it is not known." },
	{ EOPNOTSUPP, "The request was taken by a program that reads messages and cannot reply, or the object is a stream of bytes, or a mailbox with a receive pool: there is no server at it." },
	END
};

static const struct explanation settle_errors[] = {
	{ EINVAL, "The message cannot be settled so: a call is replied to or given back, any other message acknowledged or given back." },
	{ EACCES, "The handle may not receive, so that it holds nothing." },
	{ ENOENT, "The handle holds no message of this token: it was settled before, or received by another handle." },
	{ EMSGSIZE, "The reply is longer than the caller has room for: the call can still be replied to, or given back." },
	{ EPIPE, "The sender waits no more: its deadline passed, or it died." },
	END
};

static const struct explanation answer_errors[] = {
	{ EINVAL, "The message cannot be settled so, or a flag is out of range: a call is replied to or given back, any other message acknowledged or given back." },
	{ EACCES, "The handle may not receive: open the object with the right to receive." },
	{ ENOENT, "The handle holds no message of this token: it was settled before, or received by another handle." },
	{ EMSGSIZE, "The reply is longer than the caller has room for, or, when nothing was to be settled, the next message longer than the buffer." },
	{ EAGAIN, "There is no message: try again when one has been sent." },
	{ ETIMEDOUT, "No message came up to the deadline." },
	{ EINTR, "A signal came before a message: none was taken." },
	{ EPIPE, "No message is left and no sender will come: the object was removed." },
	END
};

static const struct explanation peek_errors[] = {
	{ EOPNOTSUPP, "The object is a stream of bytes, or a mailbox with a receive pool: messages there are not looked at." },
	{ EINVAL, "The number of messages, or of those to pass over, is out of range, or a tag is chosen without a mask." },
	{ EACCES, "The handle may not look: open the object with the right to look, or to receive." },
	{ ENOENT, "There is no process of the number whose messages were chosen." },
	{ EAGAIN, "There is no such message." },
	END
};

static const struct explanation notify_errors[] = {
	{ EINVAL, "The descriptor is not that of an eventfd, or there is no signal of that number." },
	{ EACCES, "The handle may not receive: open the object with the right to receive." },
	{ EBADF, "This is not an open descriptor." },
	END
};

static const struct explanation channel_errors[] = {
	{ EINVAL, "The size, a flag or the deadline is out of range, the object is no channel, or nothing was reserved or looked at: a size is a power of two, from a page to 1 GiB." },
	{ EACCES, "This is the other end of the channel, or a handle that is none: a producer sends, a consumer receives." },
	{ EBUSY, "The channel has this end already: it has one producer and one consumer at a time." },
	{ EMSGSIZE, "The message is longer than the channel's ring takes, or than the buffer: nothing was sent or received." },
	{ EAGAIN, "There is no message, or no room for one: try again later." },
	{ ETIMEDOUT, "No message, or no room for one, came up to the deadline." },
	{ EINTR, "A signal came first: nothing was sent or received." },
	{ EPIPE, "The other end of the channel is gone, and nothing is left to receive." },
	{ EIO, "The other end broke the rules of the channel: close this end and open another channel." },
	END
};

static const struct explanation pool_errors[] = {
	{ EOPNOTSUPP, "The object has no receive pool: it is given one when it is made." },
	{ EINVAL, "A flag or the deadline is out of range, or what is to be released is no message that was received from the pool." },
	{ EACCES, "The handle may not receive: open the object with the right to receive." },
	{ EBUSY, "Another thread is receiving by the handle: map the pool before." },
	{ EAGAIN, "There is no message: try again when one has been sent." },
	{ ETIMEDOUT, "No message came up to the deadline." },
	{ EINTR, "A signal came before a message." },
	{ EPIPE, "No message is left and no sender will come: the object was removed." },
	END
};

static const struct explanation common_errors[] = {
	{ 0, "Nothing went wrong." },
	{ EFAULT, "A pointer does not lead to memory of the program: this is a fault in the program." },
	{ EINVAL, "An argument is out of range." },
	{ ENOMEM, "The program, its memory control group or the system has no memory left." },
	{ ENOTTY, "The module does not know this operation: it is older than the library." },
	{ E2BIG, "The module does not know a field that was used: it is older than the library." },
	{ EMFILE, "The program has as many open files as it may have: close some, or raise 'ulimit -n'." },
	{ ENFILE, "The system has as many open files as it may have: root can raise the sysctl fs.file-max." },
	END
};

static const struct explanation no_errors[] = { END };

static const struct explanation *const tables[] = {
	[IPCBOX_OPERATION_BOX_OPEN] = box_open_errors,
	[IPCBOX_OPERATION_INFO] = no_errors,
	[IPCBOX_OPERATION_CREATE] = create_errors,
	[IPCBOX_OPERATION_OPEN] = open_errors,
	[IPCBOX_OPERATION_UNLINK] = unlink_errors,
	[IPCBOX_OPERATION_LIST] = no_errors,
	[IPCBOX_OPERATION_ADOPT] = adopt_errors,
	[IPCBOX_OPERATION_STAT] = no_errors,
	[IPCBOX_OPERATION_SET] = set_errors,
	[IPCBOX_OPERATION_SEND] = send_errors,
	[IPCBOX_OPERATION_RECEIVE] = receive_errors,
	[IPCBOX_OPERATION_CALL] = call_errors,
	[IPCBOX_OPERATION_SETTLE] = settle_errors,
	[IPCBOX_OPERATION_ANSWER] = answer_errors,
	[IPCBOX_OPERATION_PEEK] = peek_errors,
	[IPCBOX_OPERATION_NOTIFY] = notify_errors,
	[IPCBOX_OPERATION_CHANNEL] = channel_errors,
	[IPCBOX_OPERATION_MAP] = map_errors,
	[IPCBOX_OPERATION_SEAL] = seal_errors,
	[IPCBOX_OPERATION_SEM] = sem_errors,
	[IPCBOX_OPERATION_POOL] = pool_errors,
};

static const char *find(const struct explanation *table, int error)
{
	for (; table->text; table++)
		if (table->error == error)
			return table->text;
	return NULL;
}

const char *ipcbox_explain(enum ipcbox_operation operation, int error)
{
	size_t index = (size_t)operation;
	const char *text = NULL;

	/* INT_MIN has no opposite; neither number is an error. */
	if (error < 0)
		error = error == INT_MIN ? INT_MAX : -error;
	if (index < sizeof(tables) / sizeof(tables[0]))
		text = find(tables[index], error);
	if (!text)
		text = find(common_errors, error);
#ifdef __GLIBC__
	if (!text)
		text = strerrordesc_np(error);
#else
	if (!text)
		text = strerror(error);
#endif
	return text ? text : "The kernel gave an error that is not known here.";
}
