/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libipcbox: mailboxes and message queues kept by the Linux kernel.
 *
 *	struct ipcbox *box;
 *	struct ipcbox_handle *queue;
 *	int error;
 *
 *	error = ipcbox_box_open(&box);
 *	if (!error)
 *		error = ipcbox_queue_create(box, "jobs", 0600, &queue);
 *	if (!error)
 *		error = ipcbox_send(queue, "hello", 5, NULL);
 *
 * A *box* is the registry of objects of a network namespace. An *object* is a
 * mailbox (many senders, one receive handle) or a queue (many senders, many
 * receivers, each message to exactly one of them). A *handle* is an open
 * descriptor on an object and carries rights. See ipcbox(7) for what is
 * promised, and libipcbox(3) for a page on each function.
 *
 * What holds for every function
 * -----------------------------
 * Results. A function that returns int or ssize_t returns zero or a positive
 * number when it succeeded, and a negative errno (-ENOENT) when it failed.
 * errno itself is neither used nor changed. A call that failed had no effect,
 * and leaves what its output arguments point at as it was, unless said
 * otherwise. ipcbox_explain() turns an error into a sentence.
 *
 * Threads. Every function may be called by several threads at once, on the
 * same box or handle too. Only the functions that end something
 * (ipcbox_box_close, ipcbox_close, ipcbox_list_end) must not run while another
 * thread uses what they end, and a listing belongs to one thread at a time. No
 * function takes a lock. The functions that move messages are one system call
 * each and allocate no memory.
 *
 * Signals. Functions that wait return -EINTR when a signal handler ran first,
 * unless it was installed with SA_RESTART; ipcbox_call() returns -EINTR in
 * either case. No message is lost or doubled. No function raises SIGPIPE.
 *
 * Deadlines. A uint64_t deadline is an absolute time of CLOCK_MONOTONIC in
 * nanoseconds. IPCBOX_FOREVER, and 0 as well, waits without end; other values
 * above 2^63 - 1 are -EINVAL. A deadline that has passed does not fail a call
 * that can be served at once. The functions ipcbox_deadline_...() compute
 * deadlines; the flag IPCBOX_NOWAIT says not to wait at all.
 *
 * fork and exec. Descriptors are close-on-exec. After fork the child shares
 * each handle with its parent: the object counts it once, and it stays open
 * until both have closed it.
 *
 * Objects that are given in structures (struct ipcbox_info, ipcbox_stat,
 * ipcbox_set, ipcbox_outgoing, ipcbox_incoming) are those of <linux/ipcbox.h>,
 * and documented there field by field. Their size fields are filled in by the
 * library. When a structure grows, the functions that take it get a new symbol
 * version, so that programs built before keep working.
 *
 * Errors that any function which calls the kernel may return, besides those
 * listed with it:
 *
 *	-EFAULT	a pointer does not lead to accessible memory
 *	-EINVAL	an argument is out of range, or a flag unknown to the module
 *	-ENOMEM	the process, its memory cgroup or the kernel has no memory
 *	-ENOTTY	the module is older than the library and lacks the operation
 *	-E2BIG	a structure has a non-zero field that the module does not know
 *
 * C++: functions and structures share names (ipcbox_stat), so write "struct
 * ipcbox_stat state;" as in C.
 */
#ifndef IPCBOX_H
#define IPCBOX_H

#include <stdint.h>

#include <linux/ipcbox.h>

#include <ipcbox/channel.h>
#include <ipcbox/exchange.h>
#include <ipcbox/message.h>
#include <ipcbox/object.h>
#include <ipcbox/pool.h>
#include <ipcbox/region.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/*
 * Deadlines: these functions never fail and leave errno alone
 */

/**
 * ipcbox_deadline_after_ns - the deadline that is so many nanoseconds away
 * @nanoseconds: 0 for now; negative for IPCBOX_FOREVER, as with poll(2)
 *
 * A time beyond the clock's end is IPCBOX_FOREVER.
 */
uint64_t ipcbox_deadline_after_ns(int64_t nanoseconds);

/**
 * ipcbox_deadline_after_ms - the deadline that is so many milliseconds away
 * @milliseconds: 0 for now; negative for IPCBOX_FOREVER, as with poll(2)
 *
 * A time beyond the clock's end is IPCBOX_FOREVER.
 */
uint64_t ipcbox_deadline_after_ms(int64_t milliseconds);

/**
 * ipcbox_deadline_at - the deadline at a time of CLOCK_MONOTONIC
 * @seconds: seconds of the clock, tv_sec of a struct timespec
 * @nanoseconds: nanoseconds in addition, tv_nsec of it
 *
 * A time before the clock began has passed, and one beyond the clock's end is
 * IPCBOX_FOREVER. (Two numbers in place of a struct timespec, whose layout
 * depends on how a 32-bit program is built.)
 */
uint64_t ipcbox_deadline_at(int64_t seconds, int64_t nanoseconds);

/**
 * ipcbox_deadline_left_ms - the timeout for poll(2) up to a deadline
 * @deadline: the deadline; 0 or IPCBOX_FOREVER for none
 *
 * Returns the milliseconds left, rounded up, INT_MAX at most; 0 when the
 * deadline has passed, -1 when there is none.
 */
int ipcbox_deadline_left_ms(uint64_t deadline);

/*
 * Help
 */

/* What failed, for ipcbox_explain. */
enum ipcbox_operation {
	IPCBOX_OPERATION_BOX_OPEN,	/* ipcbox_box_open, _path, _from_fd */
	IPCBOX_OPERATION_INFO,		/* ipcbox_info */
	IPCBOX_OPERATION_CREATE,	/* ipcbox_create and its short forms */
	IPCBOX_OPERATION_OPEN,		/* ipcbox_open_name, _id, _process, _pidfd */
	IPCBOX_OPERATION_UNLINK,	/* ipcbox_unlink_name, _id */
	IPCBOX_OPERATION_LIST,		/* ipcbox_list_begin, _next */
	IPCBOX_OPERATION_ADOPT,		/* ipcbox_handle_from_fd */
	IPCBOX_OPERATION_STAT,		/* ipcbox_stat */
	IPCBOX_OPERATION_SET,		/* ipcbox_set */
	IPCBOX_OPERATION_SEND,		/* ipcbox_send, ipcbox_send_batch */
	IPCBOX_OPERATION_RECEIVE,	/* ipcbox_receive, _selected, _batch */
	IPCBOX_OPERATION_CALL,		/* ipcbox_call */
	IPCBOX_OPERATION_SETTLE,	/* ipcbox_ack, ipcbox_nack, _reply */
	IPCBOX_OPERATION_ANSWER,	/* ipcbox_answer */
	IPCBOX_OPERATION_PEEK,		/* ipcbox_peek */
	IPCBOX_OPERATION_NOTIFY,	/* ipcbox_notify_eventfd, _signal, _none */
	IPCBOX_OPERATION_CHANNEL,	/* ipcbox_channel_..., ipcbox_pair */
	IPCBOX_OPERATION_MAP,		/* ipcbox_region_map */
	IPCBOX_OPERATION_SEAL,		/* ipcbox_region_seal, _sealed */
	IPCBOX_OPERATION_SEM,		/* ipcbox_sem_operate and its like */
	IPCBOX_OPERATION_POOL		/* ipcbox_pool_map, _receive, _release */
};

/**
 * ipcbox_explain - what went wrong and what to do about it
 * @operation: what failed
 * @error: the error, as the library returned it or as errno has it
 *
 * Returns one plain English sentence or two, without a line feed, that is
 * never NULL and must not be freed. Makes no system call.
 */
const char *ipcbox_explain(enum ipcbox_operation operation, int error);

/**
 * ipcbox_version - the version of the library, as in "0.1.0"
 *
 * Must not be freed. The version of the interface with the module is
 * IPCBOX_ABI.
 */
const char *ipcbox_version(void);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* IPCBOX_H */
