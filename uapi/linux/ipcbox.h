/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * ipcbox: mailboxes, message queues and shared memory kept by the kernel.
 *
 * This header is the whole interface between the kernel module and programs.
 * Most programs use libipcbox, which wraps it.
 *
 * How to call
 * -----------
 * Open /dev/ipcbox; its descriptor stands for the *box*, the registry of
 * objects of the network namespace that the opener was in. IPCBOX_IOC_CREATE
 * and IPCBOX_IOC_OPEN return further descriptors, *handles*, each on one
 * object and carrying rights. A handle may be inherited over fork(2), or
 * passed over a UNIX socket, and keeps its rights; close(2) ends it.
 *
 * Every structure begins with its own size in bytes, set by the caller
 * (sizeof). A caller built against a newer header than the kernel's is served
 * as long as the fields that the kernel does not know are zero (else E2BIG);
 * a caller built against an older header gets the fields that it knows.
 * Fields are inputs unless marked "out:"; outputs are written only on success
 * unless said otherwise. Padding and unknown flags must be zero (else EINVAL).
 * Pointers travel as __u64, so 32-bit programs use the same layout.
 *
 * Deadlines are absolute times of CLOCK_MONOTONIC in nanoseconds;
 * IPCBOX_FOREVER waits without end; other values above 2^63 - 1 are EINVAL. A
 * deadline in the past never fails a call that can be served at once.
 *
 * Errors that every operation may return:
 *
 *   ENOTTY   the command is unknown, or is not one of this descriptor
 *   EINVAL   size is smaller than the first published version of the
 *            structure, a flag is unknown, padding is not zero, or a value is
 *            out of its range
 *   E2BIG    size is larger than a page, or bytes that this kernel does not
 *            know are not zero
 *   EFAULT   a pointer does not lead to accessible memory
 *   ENOMEM   the kernel, or the caller's memory cgroup, has no memory
 *
 * Operations that wait may also return EINTR; they are restarted instead when
 * the signal's handler was installed with SA_RESTART (see signal(7)), unless
 * IPCBOX_NORESTART was given. With IPCBOX_REALTIME a deadline is one of
 * CLOCK_REALTIME: when that clock is set, waiting calls follow it.
 *
 * read(2), write(2) and poll(2) on a handle
 * -----------------------------------------
 * read takes one whole message, waiting as RECEIVE does; a buffer smaller than
 * the message fails with EMSGSIZE and leaves the message in place; it returns
 * 0 where RECEIVE would fail with EPIPE. write sends one message of priority 0
 * and tag 0. Both honour O_NONBLOCK, and fail with EBADF on a handle without
 * the right.
 *
 * pread(2) and pwrite(2) do the same, but that pread at position 0 fails with
 * EPIPE where read returns 0, so that 0 is a message of no bytes; and that the
 * position of pwrite is the message's priority. Any other position is EINVAL.
 * On a stream they fail with ESPIPE, as on a pipe; on a mailbox with a receive
 * pool, which knows no priority, pwrite at another position than 0 with
 * EOPNOTSUPP. They are the quickest calls for a message without a header.
 *
 * poll reports
 *
 *   EPOLLIN | EPOLLRDNORM    (handle may receive) a message is there
 *   EPOLLOUT | EPOLLWRNORM   (handle may send) there is room for a message of
 *                            the largest size that the object takes
 *   EPOLLHUP                 the other side is gone: SEND, or a RECEIVE once
 *                            the object is empty, would fail with EPIPE
 *
 * An edge-triggered poller (EPOLLET) that may send is told again when a receiver
 * comes where there was none.
 *
 * What they do on a region says struct ipcbox_sem_operate.
 *
 * O_ASYNC works as on a pipe: SIGIO, or the signal of F_SETSIG, goes to whom
 * F_SETOWN names when EPOLLIN or EPOLLOUT may have become true.
 *
 * What a sender that waits for the outcome sees of its receiver
 * -------------------------------------------------------------
 *   the receiver                     SEND with IPCBOX_SYNC    CALL
 *   receives it                      returns 1                waits: it is held
 *   replies (REPLY)                  -                        the reply
 *   receives it by read or pread     returns 1                EOPNOTSUPP
 *   holds it, and acknowledges it    returns 1                -
 *   gives it back (NACK)             waits for the next receiver; EOWNERDEAD when
 *                                    that was the max_deliveries-th time
 *   dies, or closes its handle,      as if it gave it back,   EOWNERDEAD
 *     with it in its hands             and then as below
 *   does so before it received it,   EPIPE if no receiver can come any more; else
 *     or never comes                   waits, and ETIMEDOUT at the deadline or at
 *                                      the end of the message's lifetime
 *   is late                          ETIMEDOUT at the deadline
 *
 * All of this comes at once but for the deadline and the lifetime. Whatever the
 * error, the message is withdrawn: nobody receives it any more.
 *
 * What a receiver that holds a message sees of its sender
 * -------------------------------------------------------
 *   the sender                       SETTLE                   ANSWER
 *   did not wait, or waits           0                        goes on
 *   gave up: by its deadline, by     EPIPE; the token is      goes on; the token
 *     a signal, or by its death        gone                     is gone
 *   never had the room for so long   EMSGSIZE; the token      EMSGSIZE; nothing
 *     a reply                          stays                    is received
 */
#ifndef _UAPI_LINUX_IPCBOX_H
#define _UAPI_LINUX_IPCBOX_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Version of this interface; raised only by an incompatible change. */
#define IPCBOX_ABI		1

/* A name has 1 to 63 bytes from '!' to '~', without '/'. */
#define IPCBOX_NAME_MAX		63

/* Priorities run from 0, the lowest, to this. */
#define IPCBOX_PRIORITY_MAX	32767

/* Descriptors that one message may carry. */
#define IPCBOX_DESCRIPTORS_MAX	16

/* The deadline that never comes. */
#define IPCBOX_FOREVER		((__u64)-1)

/* Kinds of objects. */
#define IPCBOX_MAILBOX		1	/* many senders, one receive handle */
#define IPCBOX_QUEUE		2	/* many senders, many receivers */
#define IPCBOX_REGION		3	/* shared memory, with semaphores */
#define IPCBOX_CHANNEL		4	/* a ring of one producer, one consumer */

/* Rights of a handle. */
#define IPCBOX_RIGHT_RECEIVE	0x1	/* or map: needs r in the object's mode */
#define IPCBOX_RIGHT_SEND	0x2	/* or map to write: needs w in it */
#define IPCBOX_RIGHT_MANAGE	0x4	/* needs the owner, or CAP_IPC_OWNER */
#define IPCBOX_RIGHT_LOOK	0x8	/* needs r; RECEIVE with PEEK, no more */

/* How IPCBOX_IOC_OPEN and IPCBOX_IOC_UNLINK name an object. */
#define IPCBOX_BY_NAME		1
#define IPCBOX_BY_ID		2
#define IPCBOX_BY_PROCESS	3	/* OPEN only: the process's own mailbox */

/* Bits of struct ipcbox_info.features. */
#define IPCBOX_FEATURE_MESSAGES	0x1	/* mailboxes, queues, SEND, RECEIVE */
#define IPCBOX_FEATURE_EXCHANGES 0x2	/* SYNC, HOLD, CALL, SETTLE, ANSWER */
#define IPCBOX_FEATURE_LIFETIME	0x4	/* lifetimes and dead letters */
#define IPCBOX_FEATURE_SELECT	0x8	/* selective receive, PEEK */
#define IPCBOX_FEATURE_NOTIFY	0x10	/* NOTIFY, O_ASYNC */
#define IPCBOX_FEATURE_PROCESS	0x20	/* OPEN of a process's own mailbox */
#define IPCBOX_FEATURE_STREAM	0x40	/* CREATE of a stream */
#define IPCBOX_FEATURE_DESCRIPTORS 0x80	/* descriptors in messages */
#define IPCBOX_FEATURE_REGION	0x100	/* regions */
#define IPCBOX_FEATURE_CHANNEL	0x200	/* channels */
#define IPCBOX_FEATURE_POOL	0x400	/* mailboxes with a receive pool */
#define IPCBOX_FEATURE_SPIN	0x800	/* SPIN */
#define IPCBOX_FEATURE_LOOK	0x1000	/* IPCBOX_RIGHT_LOOK */
#define IPCBOX_FEATURE_PLAIN	0x2000	/* plain and revocable queues */

/**
 * struct ipcbox_info - IPCBOX_IOC_INFO, on /dev/ipcbox: what is in force
 * @size: sizeof(struct ipcbox_info)
 * @flags: zero
 * @abi: out: IPCBOX_ABI of the module
 * @pad: zero
 * @features: out: IPCBOX_FEATURE_* bits
 * @object_messages: out: messages an object holds unless asked otherwise
 * @object_bytes: out: payload bytes an object holds unless asked otherwise
 * @message_bytes: out: largest payload an object takes unless asked otherwise
 * @object_messages_max: out: most messages that an object may be set to hold
 * @object_bytes_max: out: most payload bytes that an object may be set to hold
 * @message_bytes_max: out: largest payload that an object may be set to take
 * @user_bytes: out: budget of one user in the box: bytes in flight, each
 *	message counted as its payload and 128 bytes more, and each descriptor
 *	in one as 4096 bytes
 * @user_objects: out: objects that one user may have in the box
 * @user_share: out: percent of an object's room that one user other than its
 *	owner may fill
 * @box_objects: out: objects that a box may hold
 * @batch_messages: out: messages that one SEND or RECEIVE may carry
 * @user_bytes_used: out: what the caller's user has used of @user_bytes
 * @user_objects_used: out: what the caller's user has used of @user_objects
 * @box_objects_used: out: objects in the box, whether the caller sees them or
 *	not
 * @discarded: out: messages of this box that ended, since it began, neither
 *	received nor as dead letters: their lifetime or deliveries were used up,
 *	or their object was destroyed, and no dead-letter mailbox took them
 * @user_mapped_bytes: out: budget of one user in the box: bytes of memory that
 *	its objects have for mapping
 * @user_mapped_bytes_used: out: what the caller's user has used of
 *	@user_mapped_bytes
 * @pool_message_bytes: out: largest payload that a mailbox with a receive pool
 *	may be set to take
 * @user_spare_bytes: out: bytes of kernel memory that may be kept at hand for one
 *	user's messages in the box, beyond twice what they are charged
 *
 * Root adjusts the limits under /sys/module/ipcbox/parameters; a change
 * concerns later requests and takes nothing away that exists.
 */
struct ipcbox_info {
	__u32 size;
	__u32 flags;
	__u32 abi;
	__u32 pad;
	__u64 features;
	__u64 object_messages;
	__u64 object_bytes;
	__u64 message_bytes;
	__u64 object_messages_max;
	__u64 object_bytes_max;
	__u64 message_bytes_max;
	__u64 user_bytes;
	__u64 user_objects;
	__u64 user_share;
	__u64 box_objects;
	__u64 batch_messages;
	__u64 user_bytes_used;
	__u64 user_objects_used;
	__u64 box_objects_used;
	__u64 discarded;
	__u64 user_mapped_bytes;
	__u64 user_mapped_bytes_used;
	__u64 pool_message_bytes;
	__u64 user_spare_bytes;
};

/* Flags of IPCBOX_IOC_CREATE. */
#define IPCBOX_CREATE_EXCLUSIVE	 0x1	/* fail if the name exists */
#define IPCBOX_CREATE_PERSISTENT 0x2	/* live until UNLINK */
#define IPCBOX_CREATE_NONBLOCK	 0x4	/* set O_NONBLOCK on the handle */
#define IPCBOX_CREATE_STREAM	 0x8	/* a queue of bytes, as a pipe */
#define IPCBOX_CREATE_HUGE	 0x10	/* a region of huge pages, if any */
#define IPCBOX_CREATE_PLAIN	 0x100	/* a queue as mq_overview(7) has it */
#define IPCBOX_CREATE_REVOCABLE	 0x200	/* rights as sysvipc(7) has them */

/**
 * struct ipcbox_create - IPCBOX_IOC_CREATE, on /dev/ipcbox: make an object
 * @size: sizeof(struct ipcbox_create)
 * @flags: IPCBOX_CREATE_* bits
 * @kind: IPCBOX_MAILBOX, IPCBOX_QUEUE or IPCBOX_REGION
 * @mode: permissions, 0 to 0666 without execute bits; the caller's umask is
 *	taken off, as open(2) does
 * @rights: IPCBOX_RIGHT_* that the handle shall carry, at least one. The
 *	creator gets them whatever @mode says
 * @name_length: bytes at @name, 1 to IPCBOX_NAME_MAX; 0 for no name
 * @name: pointer to the name, no terminating zero needed
 * @max_messages: messages that the object holds; 0 for the default. A user's
 *	first message, and messages that come back from a receiver, go in even
 *	when it is full
 * @max_bytes: payload bytes that the object holds; 0 for the default
 * @max_message_bytes: largest payload that it takes, at most @max_bytes; 0
 *	for the default, or for @max_bytes when that is less
 * @id: out: the object's id
 * @created: out: 1 if the object is new, 0 if it existed and was opened
 * @max_descriptors: most descriptors that a message may carry, 0 to
 *	IPCBOX_DESCRIPTORS_MAX; 0 where receivers do not expect any
 * @mapped_bytes: memory that the object shall have for mapping, for kinds that
 *	are mapped: of a channel its ring, a power of two, from a page to 1 GiB,
 *	or 0 for 256 KiB; of a mailbox its receive pool, likewise, or 0 for none;
 *	else zero
 * @semaphores: semaphores of a region; else zero
 * @pad2: zero
 *
 * Without IPCBOX_CREATE_EXCLUSIVE an existing object of the name and kind is
 * opened, as by IPCBOX_IOC_OPEN with its errors, and its limits stay as they
 * are. The caller's fsuid and fsgid become owner and group. The object lives
 * until its last handle is closed, or, when persistent, until UNLINK and then
 * until its last handle is closed. A call that fails leaves nothing behind.
 *
 * A region (IPCBOX_REGION) is mapped_bytes of memory, rounded up to whole pages,
 * all zero, and an array of semaphores of value 0; either may be missing, not
 * both, and the fields that limit messages must be zero. mmap(2) on a handle
 * maps it, for reading with IPCBOX_RIGHT_RECEIVE and for writing with both rights
 * (else EACCES; EINVAL beyond its size; a handle with IPCBOX_RIGHT_SEND alone maps
 * nothing). What is mapped shared through a handle without IPCBOX_RIGHT_SEND can
 * never be made writable; MAP_PRIVATE gives copies that may be written.
 * Mappings live on when the handle is closed, and the region lives on with
 * them. In /proc/PID/maps they are "ipcbox:" and the id. See also
 * struct ipcbox_seal and struct ipcbox_sem_operate.
 *
 * With IPCBOX_CREATE_HUGE its mappings are aligned for huge pages (those of 64-bit
 * programs) and ask for them, as with MADV_HUGEPAGE, whatever shared memory gets
 * otherwise. They are used where the kernel has them, one is free, and root did not
 * deny them to all shared memory
 * (/sys/kernel/mm/transparent_hugepage/shmem_enabled: deny); else the pages are
 * small ones.
 *
 * Memory for mapping is charged to the user's user_mapped_bytes, and goes over
 * to a new owner (IPCBOX_SET_UID) with the object; its pages are charged to the
 * creator's memory cgroup, whoever uses them first. Who touches a page for which
 * that has no room gets SIGBUS, or, when it is its own too, what the kernel does
 * to those who are out of memory.
 *
 * A stream (IPCBOX_CREATE_STREAM) is a queue with the semantics of a pipe: read
 * and write move bytes. What is written in one call of up to PIPE_BUF bytes
 * stays together; a longer write may be mixed with others and may be accepted
 * in part; writev(2) is a write for each of its buffers. read takes what is
 * there, in order, and leaves the rest of a write for the next. It returns 0
 * when there is nothing and no sender will come, which for a stream that is not
 * persistent is so as soon as the last send handle is closed; write fails with
 * EPIPE, and the signal SIGPIPE, when no receiver will come. SEND, RECEIVE,
 * CALL, SETTLE and ANSWER are EOPNOTSUPP.
 *
 * A plain queue (IPCBOX_CREATE_PLAIN) is for programs made for the queues of
 * POSIX. Its room belongs to whoever comes first: no user has a share of it, nor
 * a first message beyond it, and a message that fits passes those that wait and
 * do not. It may take messages larger than @max_bytes, which then wait for room
 * until that is raised. Nobody is told that its other side is gone: no EPIPE, no
 * EPOLLHUP. poll reports EPOLLIN and EPOLLOUT whatever rights the handle has.
 *
 * A plain queue may be revocable (IPCBOX_CREATE_REVOCABLE), which is for programs
 * made for those of System V. @mode may then have execute bits, and the umask is
 * not taken off. Its creator stays like an owner when the owner changes. Rights
 * are those of the caller at each use, not of whom opened the handle: without
 * them operations are EACCES, and when owner, group or mode are changed who waits
 * gets EAGAIN, to try again. UNLINK ends it at once: its messages are discarded,
 * who waits gets EIDRM, and operations on handles that are left are ENOENT.
 *
 * A mailbox with mapped_bytes has a receive pool, see struct ipcbox_pool_record.
 * Its max_messages and max_bytes are by default what goes into the pool, and its
 * max_message_bytes is at most pool_message_bytes and what the pool can take.
 * What max_bytes, and STAT, count as bytes is then the payload and
 * IPCBOX_POOL_OVERHEAD more for each message.
 *
 * Does not block but for memory. Returns the handle, a descriptor with
 * FD_CLOEXEC set, and besides the common errors:
 *
 *   EINVAL   kind, mode, rights, name or limits are out of range; a stream
 *            must be a queue, and take messages of PIPE_BUF bytes; streams and
 *            persistent objects take no descriptors; a handle on a channel
 *            cannot both receive and send, and a channel has no other limits
 *            than mapped_bytes
 *   EEXIST   the name exists, and IPCBOX_CREATE_EXCLUSIVE was given or it is
 *            of another kind, or one of both is a stream, or has a receive
 *            pool, and the other is or has not
 *   EDQUOT   the user has user_objects objects, or mapped_bytes does not fit
 *            into what is left of user_mapped_bytes
 *   ENOSPC   the box has box_objects objects
 *   EMFILE, ENFILE   no descriptor, or no file, is left
 */
struct ipcbox_create {
	__u32 size;
	__u32 flags;
	__u32 kind;
	__u32 mode;
	__u32 rights;
	__u32 name_length;
	__aligned_u64 name;
	__u64 max_messages;
	__u64 max_bytes;
	__u64 max_message_bytes;
	__u64 id;
	__u32 created;
	__u32 max_descriptors;
	__u64 mapped_bytes;
	__u32 semaphores;
	__u32 pad2;
};

/* Flags of IPCBOX_IOC_OPEN. */
#define IPCBOX_OPEN_NONBLOCK	0x4	/* set O_NONBLOCK on the handle */
#define IPCBOX_OPEN_REVOCABLE	0x200	/* only what is revocable, unchecked */

/**
 * struct ipcbox_open - IPCBOX_IOC_OPEN, on /dev/ipcbox: a handle on an object
 * @size: sizeof(struct ipcbox_open)
 * @flags: IPCBOX_OPEN_* bits
 * @by: IPCBOX_BY_*
 * @rights: IPCBOX_RIGHT_* wanted, at least one; all are given or none
 * @object: the id, by id; the process id as the caller's pid namespace has it,
 *	by process; else zero
 * @name: pointer to the name, by name; else zero
 * @name_length: bytes at @name, by name; else zero
 * @kind: out: IPCBOX_MAILBOX, IPCBOX_QUEUE or IPCBOX_REGION
 * @id: out: the object's id
 *
 * Rights are checked against owner, group and mode as for a file: the class
 * of the caller's fsuid, else of its groups, else others. CAP_IPC_OWNER in
 * the user namespace that owns the box passes every check.
 *
 * IPCBOX_RIGHT_LOOK is the right to see messages and never to take one. A
 * handle with it is no receiver: a mailbox that has its receive handle may be
 * looked into, nobody waits for a looker or is woken by one, and for the end of
 * the other side (EPIPE, EPOLLHUP) it is as if it were not there; but as any
 * handle it keeps the object from being destroyed. poll reports nothing on it.
 *
 * With IPCBOX_OPEN_REVOCABLE only a revocable object is found, and the rights are
 * given without a check, as they are checked at each use.
 *
 * A process's own mailbox is made when somebody first asks for it, with the
 * default limits, mode 0200 and the process's real uid and gid at that time,
 * and charged to that user. It has no name. The process itself gets every
 * right, and it alone, or CAP_IPC_OWNER, IPCBOX_RIGHT_MANAGE; who might
 * send it a signal (the rule of kill(2), or CAP_KILL in the user namespace that
 * owns the box) may send; and anyone else whom its mode allows, once the
 * process has opened it wider with IPCBOX_IOC_SET. It is there while the
 * process has /dev/ipcbox open by an open(2) of its own, and is unlinked when
 * the last such file is closed, as by its death; a later process of the same
 * number is another process.
 *
 * Does not block but for memory. Returns the handle, a descriptor with
 * FD_CLOEXEC set, and besides the common errors:
 *
 *   EINVAL   by, rights or name are out of range; a handle on a channel cannot
 *            both receive and send
 *   ENOENT   the box has no such object; there is no such process, or it does
 *            not have /dev/ipcbox open
 *   EDQUOT, ENOSPC   the process's mailbox could not be made, as
 *            IPCBOX_IOC_CREATE has it
 *   EACCES   the mode refuses a right, or IPCBOX_RIGHT_MANAGE is asked by
 *            another than the owner
 *   EBUSY    IPCBOX_RIGHT_RECEIVE on a mailbox that has its receive handle, or
 *            that right or IPCBOX_RIGHT_SEND on a channel that has such a handle
 *   EMFILE, ENFILE   no descriptor, or no file, is left
 */
struct ipcbox_open {
	__u32 size;
	__u32 flags;
	__u32 by;
	__u32 rights;
	__u64 object;
	__aligned_u64 name;
	__u32 name_length;
	__u32 kind;
	__u64 id;
};

/**
 * struct ipcbox_unlink - IPCBOX_IOC_UNLINK, on /dev/ipcbox: remove name and id
 * @size: sizeof(struct ipcbox_unlink)
 * @flags: zero
 * @by: IPCBOX_BY_NAME or IPCBOX_BY_ID
 * @name_length: bytes at @name, by name; else zero
 * @object: the id, by id; else zero
 * @name: pointer to the name, by name; else zero
 *
 * The object is found no more, and its name may be used again. It goes with
 * its last handle, as unlink(2) has it; messages still in it are then
 * discarded and counted. From now on no one can come: a sender without any
 * receive handle left gets EPIPE, and a receiver that finds the object empty
 * without any send handle left does so too, waiting ones at once.
 *
 * Does not block but for memory. Returns 0, and besides the common errors:
 *
 *   EINVAL   by or name are out of range
 *   ENOENT   the box has no such object
 *   EPERM    the caller is neither the owner nor has CAP_IPC_OWNER
 */
struct ipcbox_unlink {
	__u32 size;
	__u32 flags;
	__u32 by;
	__u32 name_length;
	__u64 object;
	__aligned_u64 name;
};

/* Bits of struct ipcbox_stat.state. */
#define IPCBOX_STATE_PERSISTENT	0x1	/* lives until UNLINK */
#define IPCBOX_STATE_UNLINKED	0x2	/* UNLINK was done */
#define IPCBOX_STATE_PROCESS	0x4	/* a process's own mailbox */
#define IPCBOX_STATE_STREAM	0x8	/* a stream */
#define IPCBOX_STATE_SEALED	0x10	/* a region: SEAL was done */
#define IPCBOX_STATE_POOL	0x40	/* a mailbox with a receive pool */
#define IPCBOX_STATE_PLAIN	0x100	/* a plain queue */
#define IPCBOX_STATE_REVOCABLE	0x200	/* a revocable one */

/**
 * struct ipcbox_stat - IPCBOX_IOC_STAT, on a handle: an object's state
 * @size: sizeof(struct ipcbox_stat)
 * @flags: zero
 * @id: out: the object's id
 * @kind: out: IPCBOX_MAILBOX, IPCBOX_QUEUE or IPCBOX_REGION
 * @state: out: IPCBOX_STATE_* bits
 * @uid: out: owner, in the caller's user namespace
 * @gid: out: group, in the caller's user namespace
 * @mode: out: permissions
 * @name_length: out: bytes of @name in use
 * @name: out: the name, zero-terminated; all zero when there is none
 * @max_messages: out: messages that the object holds
 * @max_bytes: out: payload bytes that the object holds
 * @max_message_bytes: out: largest payload that it takes
 * @messages: out: messages waiting to be received
 * @bytes: out: their payload bytes
 * @messages_peak: out: most messages that ever waited at once
 * @bytes_peak: out: most payload bytes that ever waited at once
 * @sent: out: messages accepted
 * @received: out: messages received, and settled where they were held
 * @bytes_sent: out: payload bytes accepted
 * @bytes_received: out: payload bytes received
 * @refused: out: messages that a send did not get in: no room, no budget, too
 *	long, no receiver, deadline passed or signal came
 * @handles: out: open handles
 * @receive_handles: out: of them, those that may receive
 * @send_handles: out: of them, those that may send
 * @receivers_waiting: out: threads waiting in RECEIVE, read or SEM
 * @senders_waiting: out: threads waiting in SEND, CALL or write for room
 * @pad: zero
 * @held: out: messages that were received with a token and not yet settled
 * @withdrawn: out: messages that their senders took back, or that ended with
 *	an error for a sender that waited for them
 * @expired: out: messages whose lifetime ended
 * @exhausted: out: messages that were held max_deliveries times in vain
 * @buried: out: of these two, those that became dead letters
 * @dead_letter: out: the id of the dead-letter mailbox, or 0
 * @max_deliveries: out: how often a message may be held in vain; 0 for ever
 * @max_descriptors: out: most descriptors that a message may carry
 * @mapped_bytes: out: memory that the object has for mapping
 * @mappings: out: mappings of it that there are
 * @semaphores: out: semaphores of a region
 * @creator_uid: out: who made the object, in the caller's user namespace
 * @creator_gid: out: its group then, in the caller's user namespace
 * @last_sender: out: the process that last sent a message, in the caller's pid
 *	namespace; 0 when there was none, or it cannot be seen from there
 * @last_receiver: out: the process that last received one, likewise
 * @sent_at: out: when a message was last sent, in seconds of CLOCK_REALTIME; 0
 *	for never
 * @received_at: out: when one was last received, likewise
 * @changed_at: out: when the object was made, or changed by SET, likewise
 *
 * Any handle may ask. The figures are of one moment. At each moment
 * sent = received + messages + held + withdrawn + expired + exhausted. Does
 * not block. Returns 0, and no errors but the common ones.
 */
struct ipcbox_stat {
	__u32 size;
	__u32 flags;
	__u64 id;
	__u32 kind;
	__u32 state;
	__u32 uid;
	__u32 gid;
	__u32 mode;
	__u32 name_length;
	__u8  name[IPCBOX_NAME_MAX + 1];
	__u64 max_messages;
	__u64 max_bytes;
	__u64 max_message_bytes;
	__u64 messages;
	__u64 bytes;
	__u64 messages_peak;
	__u64 bytes_peak;
	__u64 sent;
	__u64 received;
	__u64 bytes_sent;
	__u64 bytes_received;
	__u64 refused;
	__u32 handles;
	__u32 receive_handles;
	__u32 send_handles;
	__u32 receivers_waiting;
	__u32 senders_waiting;
	__u32 pad;
	__u64 held;
	__u64 withdrawn;
	__u64 expired;
	__u64 exhausted;
	__u64 buried;
	__u64 dead_letter;
	__u32 max_deliveries;
	__u32 max_descriptors;
	__u64 mapped_bytes;
	__u32 mappings;
	__u32 semaphores;
	__u32 creator_uid;
	__u32 creator_gid;
	__s32 last_sender;
	__s32 last_receiver;
	__u64 sent_at;
	__u64 received_at;
	__u64 changed_at;
};

/**
 * struct ipcbox_list - IPCBOX_IOC_LIST, on /dev/ipcbox: what is in the box
 * @size: sizeof(struct ipcbox_list)
 * @flags: zero
 * @cursor: list objects with ids above this; 0 to begin
 * @entries: pointer to an array of struct ipcbox_stat, to be filled
 * @count: room in @entries, in structures, at least 1
 * @entry_size: sizeof(struct ipcbox_stat); the array's stride
 * @next: out: the cursor for the following page
 * @returned: out: entries filled; 0 when the list is at its end
 * @pad: zero
 *
 * Lists the objects on which the caller could get a right, in the order of
 * their ids. An object made or removed between two pages may be missed or
 * seen; every other one is seen exactly once. A page may be shorter than
 * @count before the end.
 *
 * Does not block but for memory. Returns 0, and besides the common errors:
 *
 *   EINVAL   count is zero, or entry_size less than the first published
 *            struct ipcbox_stat
 */
struct ipcbox_list {
	__u32 size;
	__u32 flags;
	__u64 cursor;
	__aligned_u64 entries;
	__u32 count;
	__u32 entry_size;
	__u64 next;
	__u32 returned;
	__u32 pad;
};

/* Bits of struct ipcbox_set.mask: the fields to change. */
#define IPCBOX_SET_MODE			0x01
#define IPCBOX_SET_UID			0x02
#define IPCBOX_SET_GID			0x04
#define IPCBOX_SET_MAX_MESSAGES		0x08
#define IPCBOX_SET_MAX_BYTES		0x10
#define IPCBOX_SET_MAX_MESSAGE_BYTES	0x20
#define IPCBOX_SET_DEAD_LETTER		0x40
#define IPCBOX_SET_MAX_DELIVERIES	0x80
#define IPCBOX_SET_MAX_DESCRIPTORS	0x100

/**
 * struct ipcbox_set - IPCBOX_IOC_SET, on a handle: change an object
 * @size: sizeof(struct ipcbox_set)
 * @flags: zero
 * @mask: IPCBOX_SET_* bits, at least one; fields not named are ignored
 * @mode: permissions, 0 to 0666; concerns later opens, as chmod(2) does
 * @uid: owner; another than the present one needs CAP_CHOWN in the user
 *	namespace that owns the box, as chown(2)
 * @gid: group; one of the caller's own, or CAP_CHOWN as above
 * @max_messages: messages that the object holds, at least 1
 * @max_bytes: payload bytes that the object holds
 * @max_message_bytes: largest payload that it takes, 1, for a stream PIPE_BUF,
 *	to the object's max_bytes as it stands after this call
 * @dead_letter: the id of another mailbox or queue of the box, on which the
 *	caller could get IPCBOX_RIGHT_SEND; 0 for none. Messages of this object
 *	that end otherwise than by being received go there, see
 *	struct ipcbox_incoming
 * @max_deliveries: how often a message may be held and come back before it
 *	ends; 0 for ever
 * @max_descriptors: most descriptors that a message sent from now on may
 *	carry, 0 to IPCBOX_DESCRIPTORS_MAX; 0 for a stream or a persistent object
 *
 * All is changed or nothing. A limit may be set below what is in the object:
 * nothing is lost, and senders wait until there is room. A limit that is
 * raised admits waiting senders at once.
 *
 * The owner of a revocable object may give it to any user and group; it stays
 * charged to whom it was. Of a plain queue max_message_bytes may exceed max_bytes,
 * and that and max_messages may be 0: then it takes nothing.
 *
 * Does not block. Returns 0, and besides the common errors:
 *
 *   ENOENT   also: the object is revocable and was unlinked
 *   EACCES   the handle has no IPCBOX_RIGHT_MANAGE, or the caller could not get
 *            IPCBOX_RIGHT_SEND on the dead-letter mailbox
 *   EINVAL   also: the dead-letter mailbox is the object itself
 *   EPERM    uid or gid may not be changed so by the caller
 *   ENOENT   there is no such dead-letter mailbox
 */
struct ipcbox_set {
	__u32 size;
	__u32 flags;
	__u32 mask;
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u64 max_messages;
	__u64 max_bytes;
	__u64 max_message_bytes;
	__u64 dead_letter;
	__u32 max_deliveries;
	__u32 max_descriptors;
};

/* Flags of operations that move messages. */
#define IPCBOX_NOWAIT		0x1	/* never wait */
#define IPCBOX_SYNC		0x2	/* SEND: wait until it is taken */
#define IPCBOX_HOLD		0x4	/* RECEIVE, ANSWER: give tokens */
#define IPCBOX_PEEK		0x8	/* RECEIVE: look, do not take */
#define IPCBOX_SELECT_TAG	0x10	/* RECEIVE: by tag and tag_mask */
#define IPCBOX_SELECT_PID	0x20	/* RECEIVE: by pid */
#define IPCBOX_SELECT_SEQUENCE	0x40	/* RECEIVE: by sequence */
#define IPCBOX_SELECT_TAG_NOT	0x80	/* with TAG: all but these */
#define IPCBOX_SELECT_TAG_LOWEST 0x100	/* with TAG: these and lower ones */
#define IPCBOX_REALTIME		0x200	/* the deadline is of CLOCK_REALTIME */
#define IPCBOX_NORESTART	0x400	/* EINTR whatever SA_RESTART says */
#define IPCBOX_TRUNCATE		0x800	/* RECEIVE: cut what is too long */
#define IPCBOX_LARGEST		0x1000	/* RECEIVE: room for the largest */

/* How many messages a PEEK may skip. */
#define IPCBOX_SKIP_MAX		65535

/**
 * struct ipcbox_outgoing - a message to send
 * @data: pointer to the payload
 * @length: bytes of payload, 0 to the object's max_message_bytes
 * @priority: 0 to IPCBOX_PRIORITY_MAX
 * @tag: any value, for the receiver
 * @lifetime: nanoseconds from acceptance after which nobody receives it any
 *	more; 0 for ever. While it is held it does not end
 * @descriptors: pointer to an array of __s32, descriptors that the receiver
 *	shall get; ignored when there are none
 * @descriptor_count: how many, 0 to the object's max_descriptors
 * @pad: zero
 *
 * A descriptor travels as over a UNIX socket: the receiver gets one of its own
 * on the same open file description, and the sender may close its own at once.
 * Descriptors are closed when their message ends otherwise than by being
 * received. Refused are files that can hold files, since in a circle nothing
 * would free them: UNIX sockets, io_uring, /dev/ipcbox, and handles on
 * mailboxes and queues.
 */
struct ipcbox_outgoing {
	__aligned_u64 data;
	__u32 length;
	__u32 priority;
	__u64 tag;
	__u64 lifetime;
	__aligned_u64 descriptors;
	__u32 descriptor_count;
	__u32 pad;
};

/**
 * struct ipcbox_send - IPCBOX_IOC_SEND, on a handle: send messages
 * @size: sizeof(struct ipcbox_send)
 * @flags: IPCBOX_NOWAIT, IPCBOX_SYNC, IPCBOX_REALTIME, IPCBOX_NORESTART
 * @messages: pointer to an array of struct ipcbox_outgoing
 * @count: messages in the array, 1 to batch_messages; with IPCBOX_SYNC 1
 * @message_size: sizeof(struct ipcbox_outgoing); the array's stride
 * @deadline: when to give up waiting, or IPCBOX_FOREVER
 * @object: the id of the object that the handle is meant to be on; 0 for any
 *
 * Sends the messages in their order, waiting for room where the object is
 * full, unless IPCBOX_NOWAIT or O_NONBLOCK says not to. Senders that wait are
 * admitted in turn: those of one user in the order in which they came, users
 * round-robin. A message goes in as soon as there is room for it. Where more than
 * half of the room is taken still, by 16 messages or more, its sender returns when
 * that is so no more, or at the next tick or two of the kernel's clock: not for
 * each message that a busy receiver takes. A user who has nothing in the object
 * may always put one message there, even when it is full. One user other than the
 * object's owner may fill user_share percent of it.
 *
 * With IPCBOX_SYNC the call returns when a receiver has taken the message, or,
 * where the receiver holds it, acknowledged it. In any other case the message
 * is withdrawn, whether it waited for room, was in the object or was held, and
 * the call fails: no receiver can take or acknowledge it any more. There is no
 * third outcome. A receiver that returns the message, or dies while it holds
 * it, does not end the wait. IPCBOX_NOWAIT and O_NONBLOCK concern the wait for
 * room only.
 *
 * Returns the number of messages accepted, at least 1; fewer than asked where
 * the next one met an error, which a further call reports. Messages not
 * accepted had no effect. When none was accepted, besides the common errors:
 *
 *   EACCES     the handle has no IPCBOX_RIGHT_SEND
 *   EINVAL     count, a priority, a lifetime (2^63 - 1) or a number of
 *              descriptors is out of range
 *   ESTALE     the handle is on another object than @object
 *   EMSGSIZE   a payload is longer than the object's max_message_bytes, or
 *              there are more descriptors than its max_descriptors, which is
 *              not 0
 *   EOPNOTSUPP the object takes no descriptors, or not such a one
 *   EBADF      a descriptor is not open
 *   EAGAIN     there is no room, and the call may not wait
 *   ETIMEDOUT  there was no room up to the deadline, or with IPCBOX_SYNC nobody
 *              took the message up to it or within its lifetime
 *   EINTR      a signal came first
 *   EDQUOT     the user's budget of bytes in flight is used up; waiting would
 *              not help, as it is for the user's own messages to be received
 *   EPIPE      no receiver will come: the object has no receive handle, and it
 *              is unlinked, or it had one and is not persistent. With
 *              IPCBOX_SYNC also when that happens during the wait
 *   ENOENT     the object is revocable and was unlinked
 *   EIDRM      the same, but during the wait
 *   EOWNERDEAD with IPCBOX_SYNC: the message was held max_deliveries times in
 *              vain
 */
struct ipcbox_send {
	__u32 size;
	__u32 flags;
	__aligned_u64 messages;
	__u32 count;
	__u32 message_size;
	__u64 deadline;
	__u64 object;
};

/* Bits of struct ipcbox_incoming.flags. */
#define IPCBOX_INCOMING_CALL	0x1	/* the sender waits for a reply */
#define IPCBOX_INCOMING_CLOSED	0x2	/* its descriptors were closed */

/* Why a message is a dead letter. */
#define IPCBOX_DEAD_EXPIRED	1	/* its lifetime ended */
#define IPCBOX_DEAD_EXHAUSTED	2	/* it was held in vain too often */
#define IPCBOX_DEAD_DESTROYED	3	/* its object was destroyed */

/**
 * struct ipcbox_incoming - a message received
 * @data: pointer to a buffer for the payload
 * @descriptors: pointer to an array of __s32 for descriptors
 * @capacity: bytes in the buffer
 * @descriptor_capacity: room for descriptors, in numbers; more than
 *	IPCBOX_DESCRIPTORS_MAX is never needed
 * @length: out: bytes of payload. Written also when the call fails with
 *	EMSGSIZE, in the first structure: the capacity needed
 * @descriptor_count: out: descriptors in the message; written with @length.
 *	They are new in the receiving process, with FD_CLOEXEC set
 * @tag: out: the sender's tag
 * @sequence: out: the message's number in the object, from 1, in the order of
 *	acceptance
 * @handle: out: the number of the sending handle, unique in its box
 * @pid: out: process id of the sender, in the receiver's pid namespace; 0 when
 *	it cannot be seen from there
 * @uid: out: effective uid of the sender, in the receiver's user namespace
 * @gid: out: effective gid of the sender, in the receiver's user namespace
 * @priority: out: the message's priority
 * @token: out: names the message until it is settled; 0 when it is not held
 * @deliveries: out: how often it was held before and came back
 * @flags: out: IPCBOX_INCOMING_* bits
 * @origin: out: for a dead letter, the id of the object where it died; else 0
 * @origin_sequence: out: its sequence there
 * @dead: out: IPCBOX_DEAD_*, or 0 for a message that is no dead letter
 * @pad: out: zero
 *
 * A dead letter keeps payload, tag, priority and the stamp of its sender, who
 * is still charged for it; its lifetime and deliveries begin anew, without
 * end. Where the dead-letter mailbox has no room it is discarded and counted.
 * Where that takes fewer descriptors, those of the letter are closed and
 * IPCBOX_INCOMING_CLOSED says so.
 *
 * pid, uid, gid and handle are written by the kernel when the message is sent;
 * no sender can forge them. A uid or gid that the receiver's user namespace
 * does not map reads as the overflow id, as in credentials of unix(7).
 */
struct ipcbox_incoming {
	__aligned_u64 data;
	__aligned_u64 descriptors;
	__u32 capacity;
	__u32 descriptor_capacity;
	__u32 length;
	__u32 descriptor_count;
	__u64 tag;
	__u64 sequence;
	__u64 handle;
	__s32 pid;
	__u32 uid;
	__u32 gid;
	__u32 priority;
	__u64 token;
	__u32 deliveries;
	__u32 flags;
	__u64 origin;
	__u64 origin_sequence;
	__u32 dead;
	__u32 pad;
};

/**
 * struct ipcbox_receive - IPCBOX_IOC_RECEIVE, on a handle: receive messages
 * @size: sizeof(struct ipcbox_receive)
 * @flags: IPCBOX_NOWAIT, IPCBOX_HOLD, IPCBOX_PEEK, IPCBOX_SELECT_*,
 *	IPCBOX_REALTIME, IPCBOX_NORESTART, IPCBOX_TRUNCATE, IPCBOX_LARGEST
 * @messages: pointer to an array of struct ipcbox_incoming
 * @count: messages in the array, 1 to batch_messages
 * @message_size: sizeof(struct ipcbox_incoming); the array's stride
 * @deadline: when to give up waiting for the first message, or
 *	IPCBOX_FOREVER
 * @tag: with IPCBOX_SELECT_TAG: only messages whose tag, masked, equals this,
 *	masked; else zero
 * @tag_mask: with IPCBOX_SELECT_TAG: the bits of the tag that count; else zero
 * @sequence: with IPCBOX_SELECT_SEQUENCE: only the message of this number; else
 *	zero
 * @pid: with IPCBOX_SELECT_PID: only messages of this process, named as in the
 *	caller's pid namespace; else zero
 * @skip: with IPCBOX_PEEK: how many of the messages that would be taken to pass
 *	over, at most IPCBOX_SKIP_MAX; else zero
 * @object: the id of the object that the handle is meant to be on; 0 for any
 *
 * Takes messages, the highest priority first and the oldest first within a
 * priority. Waits for the first only, unless IPCBOX_NOWAIT or O_NONBLOCK says
 * not to; takes of the others what is there. Receivers that wait are served in
 * the order in which they came.
 *
 * A receive that fails (EFAULT, the death of the receiver) puts its message
 * back into its place, even if senders have filled the room in the meantime. On
 * a queue other receivers do not wait for that: they may by then have newer
 * messages than the one that comes back.
 *
 * Descriptors are installed before the message counts as received. Where that
 * fails they are closed again, and the message stays in its place.
 *
 * With IPCBOX_HOLD each message comes with a token and stays in flight, charged
 * to its sender, until IPCBOX_IOC_SETTLE or IPCBOX_IOC_ANSWER settles it by
 * this handle. A call (IPCBOX_INCOMING_CALL) comes with a token in any case.
 * When the handle is closed for the last time, as by the death of its
 * processes, what it holds returns to its place, with deliveries raised; but
 * calls end with EOWNERDEAD for their callers.
 *
 * IPCBOX_SELECT_TAG_NOT turns the choice by tag round: only messages whose masked
 * tag is another. With IPCBOX_SELECT_TAG_LOWEST it is the messages whose masked tag
 * is @tag or lower, the lowest tag first and then in the usual order.
 *
 * With IPCBOX_SELECT_* only messages that match all that is asked are seen; the
 * others stay in their places. Finding a message costs time in proportion to
 * those that are passed over; plain receivers, and the sending of messages, do
 * not pay for it, but where receivers wait that want many tags. A message that a
 * waiting receiver selects goes to it even when the object has no room, but not
 * in a plain queue; among receivers that wait for it, the one that came first
 * gets it.
 *
 * With IPCBOX_PEEK, for which IPCBOX_RIGHT_LOOK suffices, messages are copied out
 * and stay where they are, uncounted and without tokens; the call does not wait.
 * A batch is not of one moment: what comes in before the place that was reached,
 * in the order of delivery, is not seen.
 * A buffer that is too small gets what it has room for, and length tells the
 * whole, so headers alone can be had with a capacity of 0. Descriptors are counted
 * but not given.
 *
 * With IPCBOX_TRUNCATE a message that is longer than its buffer is received all
 * the same: the buffer gets its beginning, length tells the whole, and the rest
 * is lost. With IPCBOX_LARGEST a buffer must have room for the largest message
 * that the object takes, whatever comes; as mq_receive(3) has it.
 *
 * Returns the number of messages received, at least 1; fewer than asked where
 * no more was there or the next one met an error, which a further call
 * reports. Messages not received stay where they were, in their places. When
 * none was received, besides the common errors:
 *
 *   EACCES     the handle has no IPCBOX_RIGHT_RECEIVE, nor, with IPCBOX_PEEK,
 *              IPCBOX_RIGHT_LOOK
 *   EINVAL     count or skip is out of range, or flags exclude each other:
 *              IPCBOX_PEEK and IPCBOX_HOLD, IPCBOX_TRUNCATE, IPCBOX_LARGEST or
 *              IPCBOX_SELECT_TAG_LOWEST; this and IPCBOX_SELECT_TAG_NOT
 *   ENOENT     IPCBOX_SELECT_PID names no process
 *   ESTALE     the handle is on another object than @object
 *   EMSGSIZE   the message is longer than the first buffer's capacity, or with
 *              IPCBOX_LARGEST might be, or has more descriptors than there is
 *              room for; the length that it needs and descriptor_count are
 *              written
 *   EMFILE, ENFILE   a descriptor cannot be installed, or, as the security
 *              module has it, EACCES
 *   EAGAIN     nothing is there, and the call may not wait
 *   ETIMEDOUT  nothing came up to the deadline
 *   EINTR      a signal came first
 *   EPIPE      nothing is there and no sender will come: the object is
 *              unlinked and has no send handle
 *   ENOENT     also: the object is revocable and was unlinked
 *   EIDRM      the same, but during the wait
 */
struct ipcbox_receive {
	__u32 size;
	__u32 flags;
	__aligned_u64 messages;
	__u32 count;
	__u32 message_size;
	__u64 deadline;
	__u64 tag;
	__u64 tag_mask;
	__u64 sequence;
	__s32 pid;
	__u32 skip;
	__u64 object;
};

/**
 * struct ipcbox_call - IPCBOX_IOC_CALL, on a handle: send, and wait for a reply
 * @size: sizeof(struct ipcbox_call)
 * @flags: IPCBOX_NOWAIT: do not wait for room
 * @request: pointer to one struct ipcbox_outgoing
 * @reply: pointer to one struct ipcbox_incoming, where the reply goes
 * @request_size: sizeof(struct ipcbox_outgoing)
 * @reply_size: sizeof(struct ipcbox_incoming)
 * @deadline: when to give up, or IPCBOX_FOREVER
 *
 * The caller's budget is charged for the request and for the whole capacity of
 * the reply, descriptors included, so a reply never fails for want of budget.
 * It comes from the handle that received the request, once. Its header tells
 * who replied; its sequence is that of the request, its priority 0.
 *
 * When the call fails the request is withdrawn: if a receiver has it already,
 * its reply fails with EPIPE. Returns 0, and besides the common errors:
 *
 *   EACCES      the handle has no IPCBOX_RIGHT_SEND
 *   EINVAL      the priority, lifetime or number of descriptors is out of
 *               range
 *   EMSGSIZE, EBADF   as for IPCBOX_IOC_SEND
 *   EMFILE, ENFILE    the reply came, but its descriptors cannot be installed;
 *               they are closed, and the reply is lost
 *   EAGAIN      there is no room, and the call may not wait for it
 *   ETIMEDOUT   there was no reply up to the deadline, or nobody received the
 *               request within its lifetime
 *   EINTR       a signal came first; the call is not restarted
 *   EDQUOT      the user's budget of bytes in flight is used up
 *   EPIPE       no receiver will come, as for IPCBOX_IOC_SEND
 *   EOWNERDEAD  the receiver that had the request closed its handle, or died,
 *               without replying, or it was given back max_deliveries times
 *   EOPNOTSUPP  the request was taken by read(2), which cannot reply; or as
 *               for IPCBOX_IOC_SEND
 */
struct ipcbox_call {
	__u32 size;
	__u32 flags;
	__aligned_u64 request;
	__aligned_u64 reply;
	__u32 request_size;
	__u32 reply_size;
	__u64 deadline;
};

/* How a token is settled. */
#define IPCBOX_ACK		1	/* done: the message is received */
#define IPCBOX_NACK		2	/* not done: it returns to its place */
#define IPCBOX_REPLY		3	/* a call's reply */

/**
 * struct ipcbox_settle - IPCBOX_IOC_SETTLE, on a handle: settle a token
 * @size: sizeof(struct ipcbox_settle)
 * @flags: zero
 * @token: from a message received by this handle
 * @data: pointer to the reply's payload; else zero
 * @length: bytes of it; else zero
 * @action: IPCBOX_ACK, IPCBOX_NACK or IPCBOX_REPLY
 * @tag: the reply's tag; else zero
 * @descriptors: pointer to an array of __s32, descriptors for the caller;
 *	ignored when there are none
 * @descriptor_count: how many, 0 to IPCBOX_DESCRIPTORS_MAX, whatever the
 *	object's max_descriptors; none unless the action is IPCBOX_REPLY
 * @pad: zero
 *
 * A call is settled by IPCBOX_REPLY, or given back by IPCBOX_NACK; other
 * messages by IPCBOX_ACK or IPCBOX_NACK. Does not block but for memory.
 * Returns 0, and besides the common errors:
 *
 *   EACCES    the handle has no IPCBOX_RIGHT_RECEIVE
 *   EINVAL    the action is unknown, or not one for this message, or there are
 *             too many descriptors
 *   ENOENT    the handle holds no such token
 *   EMSGSIZE  the reply is longer than the caller has room for, or than the
 *             object's max_message_bytes, or has more descriptors than the
 *             caller has room for; the token stays
 *   EBADF, EOPNOTSUPP   a descriptor is not open, or cannot travel; the token
 *             stays
 *   EPIPE     the sender has withdrawn the message; the token is gone
 */
struct ipcbox_settle {
	__u32 size;
	__u32 flags;
	__u64 token;
	__aligned_u64 data;
	__u32 length;
	__u32 action;
	__u64 tag;
	__aligned_u64 descriptors;
	__u32 descriptor_count;
	__u32 pad;
};

/**
 * struct ipcbox_answer - IPCBOX_IOC_ANSWER, on a handle: settle and receive
 * @size: sizeof(struct ipcbox_answer)
 * @flags: IPCBOX_NOWAIT, IPCBOX_HOLD, for the message received
 * @token: the token to settle; 0 for none, as a server's first time
 * @data: pointer to the reply's payload; else zero
 * @length: bytes of it; else zero
 * @action: IPCBOX_ACK, IPCBOX_NACK or IPCBOX_REPLY; without token zero
 * @tag: the reply's tag; else zero
 * @message: pointer to one struct ipcbox_incoming, for the message received
 * @message_size: sizeof(struct ipcbox_incoming)
 * @descriptor_count: descriptors for the caller, as IPCBOX_IOC_SETTLE has it
 * @descriptors: pointer to them
 * @deadline: when to give up waiting for a message, or IPCBOX_FOREVER
 *
 * As IPCBOX_IOC_SETTLE and then IPCBOX_IOC_RECEIVE of one message, in one
 * call. When the token cannot be settled the call fails with the error of
 * IPCBOX_IOC_SETTLE and receives nothing; but a sender who has withdrawn
 * (EPIPE) does not keep the server from its next message.
 *
 * Returns 1 when a message was received. When a token was given, returns 0
 * when it was settled, or found withdrawn, and no message was received for
 * whatever reason; the next call tells. Without token, errors are those of
 * IPCBOX_IOC_RECEIVE.
 */
struct ipcbox_answer {
	__u32 size;
	__u32 flags;
	__u64 token;
	__aligned_u64 data;
	__u32 length;
	__u32 action;
	__u64 tag;
	__aligned_u64 message;
	__u32 message_size;
	__u32 descriptor_count;
	__aligned_u64 descriptors;
	__u64 deadline;
};

/* Ways of notice. */
#define IPCBOX_NOTIFY_NONE	0	/* none any more */
#define IPCBOX_NOTIFY_EVENTFD	1	/* 1 is added to an eventfd */
#define IPCBOX_NOTIFY_SIGNAL	2	/* one signal, as mq_notify(3) */

/* Flags of IPCBOX_IOC_NOTIFY. */
#define IPCBOX_NOTIFY_EVERY	0x1	/* of every arrival */
#define IPCBOX_NOTIFY_EXCLUSIVE	0x2	/* as mq_notify(3) has it */

/**
 * struct ipcbox_notify - IPCBOX_IOC_NOTIFY, on a handle: notice of arrival
 * @size: sizeof(struct ipcbox_notify)
 * @flags: IPCBOX_NOTIFY_EVERY, with IPCBOX_NOTIFY_EVENTFD; or
 *	IPCBOX_NOTIFY_EXCLUSIVE; or zero
 * @how: IPCBOX_NOTIFY_*
 * @descriptor: of an eventfd, for IPCBOX_NOTIFY_EVENTFD; else zero
 * @signal: its number, for IPCBOX_NOTIFY_SIGNAL; else zero
 * @pad: zero
 * @value: for IPCBOX_NOTIFY_SIGNAL: si_value of the signal; else zero
 *
 * Notice is given when a message arrives in the object while it is empty, or,
 * with IPCBOX_NOTIFY_EVERY, when any arrives; but not of a message that goes
 * to a receiver that waits. Each handle has one registration; a new one takes
 * the place of the old one, which also ends when the handle is closed. A
 * signal is sent once, to the process that registered (to a thread that does not
 * block it, or else the main thread), with si_code SI_MESGQ and the sender's pid
 * and uid, and ends the registration; it is not sent when the process has executed
 * another program since.
 *
 * With IPCBOX_NOTIFY_EXCLUSIVE the registration is one of the process, not of the
 * handle, and the object has one such at a time. It ends when notice was given,
 * by whatever way, or when the process closes any descriptor of the object, as it
 * does when it ends; IPCBOX_NOTIFY_NONE ends it if it is the caller's. No right
 * is needed, and signal may be 0: then nobody is told.
 *
 * Does not block but for memory. Returns 0, and besides the common errors:
 *
 *   EACCES   the handle has no IPCBOX_RIGHT_RECEIVE
 *   EINVAL   how or signal is out of range, or the descriptor is no eventfd
 *   EBADF    the descriptor is not open
 *   EBUSY    with IPCBOX_NOTIFY_EXCLUSIVE: there is one
 */
struct ipcbox_notify {
	__u32 size;
	__u32 flags;
	__u32 how;
	__s32 descriptor;
	__u32 signal;
	__u32 pad;
	__u64 value;
};

/*
 * What is where when a channel is mapped, in pages. What would keep a page beyond
 * the mapping, as direct input and output or vmsplice(2), gets an error.
 */
#define IPCBOX_CHANNEL_CONSUMER_PAGE	0	/* struct ipcbox_channel_page */
#define IPCBOX_CHANNEL_PRODUCER_PAGE	1	/* struct ipcbox_channel_page */
#define IPCBOX_CHANNEL_DATA_PAGE	2	/* the ring, twice in a row */

/* Bits of struct ipcbox_channel_page.attention. */
#define IPCBOX_CHANNEL_SLEEPS	0x1	/* wake me when I want it */
#define IPCBOX_CHANNEL_FENCE	0x2	/* fence before you look at SLEEPS */
#define IPCBOX_CHANNEL_ENDED	0x4	/* gone for good, says the kernel */

/**
 * struct ipcbox_channel_page - what an end of a channel tells the other
 * @position: bytes that it has published, or released, modulo 2^32
 * @pad: zero; what follows is in another line of the cache
 * @attention: IPCBOX_CHANNEL_* bits
 * @wanted: with IPCBOX_CHANNEL_SLEEPS: the position of the other end at which it
 *	is to be woken, or further
 * @pad2: zero
 *
 * The beginning of a page that the end alone can write. <linux/ipcbox_ring.h> has
 * the protocol.
 */
struct ipcbox_channel_page {
	__u32 position;
	__u32 pad[31];
	__u32 attention;
	__u32 wanted;
	__u32 pad2[30];
};

/**
 * struct ipcbox_channel_wait - IPCBOX_IOC_CHANNEL_WAIT, on an end of a channel
 * @size: sizeof(struct ipcbox_channel_wait)
 * @flags: zero
 * @wanted: the position of the other end to wait for
 * @position: out: where the other end was; as little to be trusted as its page
 * @deadline: when to give up waiting, or IPCBOX_FOREVER
 *
 * A channel has at most one producer, a handle with IPCBOX_RIGHT_SEND, and one
 * consumer, a handle with IPCBOX_RIGHT_RECEIVE; none has both. Each maps its own
 * page and the other end's, and the data; MAP_SHARED only. Writable are for the
 * consumer its page alone, for the producer its page and the data; asking for
 * more is EACCES, at once or by mprotect(2). A mapping is of the consumer's page
 * alone or of others; it holds the handle as a descriptor does, so that an end is
 * closed when its descriptors and its mappings are gone.
 *
 * When an end is closed, and the channel is not persistent or is unlinked, the
 * kernel sets IPCBOX_CHANNEL_ENDED in its page and wakes the other, for which
 * what was published is still there. Another end may come in its place as long
 * as the channel is found; it goes on at the position where the one before it
 * stopped, and IPCBOX_CHANNEL_ENDED is cleared.
 *
 * Sleeps until the other end's position has come to @wanted: (__s32)(position -
 * wanted) >= 0; and no longer than IPCBOX_CHANNEL_SLEEPS is set in the caller's
 * page, which IPCBOX_IOC_CHANNEL_WAKE clears, whatever the position. Returns 0,
 * and besides the common errors:
 *
 *   EACCES     the handle is no end of the channel
 *   EAGAIN     the position was not reached, and O_NONBLOCK is set
 *   ETIMEDOUT  it was not reached up to the deadline
 *   EINTR      a signal came first
 *   EPIPE      it was not reached, and the other end is gone
 *
 * poll(2) on an end sets IPCBOX_CHANNEL_SLEEPS and IPCBOX_CHANNEL_FENCE in its
 * page when it has nothing to report, and reports EPOLLIN when anything is
 * published that is not released, EPOLLOUT when half the ring is free, or more,
 * and EPOLLHUP when the other end is gone.
 */
struct ipcbox_channel_wait {
	__u32 size;
	__u32 flags;
	__u32 wanted;
	__u32 position;
	__u64 deadline;
};

/**
 * struct ipcbox_channel_wake - IPCBOX_IOC_CHANNEL_WAKE, on an end of a channel
 * @size: sizeof(struct ipcbox_channel_wake)
 * @flags: zero
 *
 * Clears IPCBOX_CHANNEL_SLEEPS in the other end's page, and wakes whoever waits
 * there. Does not block. Returns 0, and besides the common errors:
 *
 *   EACCES   the handle is no end of the channel
 */
struct ipcbox_channel_wake {
	__u32 size;
	__u32 flags;
};

/**
 * struct ipcbox_seal - IPCBOX_IOC_SEAL, on a handle: make a region final
 * @size: sizeof(struct ipcbox_seal)
 * @flags: zero
 *
 * From now on the content of the region does not change, by any way: it cannot
 * be mapped shared and writable any more (EPERM), and what devices or io_uring
 * still write through mappings that are gone does not reach it. Who sees
 * IPCBOX_STATE_SEALED in STAT may rely on that. It is for ever. Semaphores are
 * not concerned. A region that is sealed already is left as it is.
 *
 * Every shared mapping made through a handle with IPCBOX_RIGHT_SEND counts as
 * writable, as mprotect(2) may make it so. Takes time in proportion to the
 * memory in use. Returns 0, and besides the common errors:
 *
 *   EACCES   the handle has no IPCBOX_RIGHT_SEND
 *   EINVAL   the region has no memory
 *   EBUSY    a writable shared mapping exists, or a huge page is in use by
 *            a device; nothing has changed
 *   EINTR    a signal came first; nothing has changed
 */
struct ipcbox_seal {
	__u32 size;
	__u32 flags;
};

/* A region has at most this many semaphores. */
#define IPCBOX_SEMAPHORES_MAX	1024

/* Values of semaphores run from 0 to this, or to a lower maximum of their own. */
#define IPCBOX_SEM_VALUE_MAX	0x3fffffff

/* One SEM does at most this many operations. */
#define IPCBOX_SEM_OPERATIONS_MAX 16

/* A flag of struct ipcbox_sem_operation. */
#define IPCBOX_SEM_UNDO		0x1	/* undone when the handle is closed */

/* A flag of IPCBOX_IOC_SEM. */
#define IPCBOX_SEM_WATCH	0x10000	/* for poll: do nothing now */

/**
 * struct ipcbox_sem_operation - what to do with a semaphore
 * @semaphore: its number, from 0
 * @change: what to add to its value: below zero, to take, waits until there is
 *	as much; above zero gives; zero waits until the value is zero
 * @flags: IPCBOX_SEM_UNDO
 * @pad: zero
 */
struct ipcbox_sem_operation {
	__u32 semaphore;
	__s32 change;
	__u32 flags;
	__u32 pad;
};

/**
 * struct ipcbox_sem_operate - IPCBOX_IOC_SEM, on a handle: use semaphores
 * @size: sizeof(struct ipcbox_sem_operate)
 * @flags: IPCBOX_NOWAIT, IPCBOX_SEM_WATCH, IPCBOX_REALTIME, IPCBOX_NORESTART
 * @operations: pointer to an array of struct ipcbox_sem_operation
 * @count: operations in the array, 1 to IPCBOX_SEM_OPERATIONS_MAX
 * @operation_size: sizeof(struct ipcbox_sem_operation); the array's stride
 * @deadline: when to give up waiting, or IPCBOX_FOREVER
 *
 * Does all of the operations, in their order, at one moment, or none, as
 * semop(2): waits until all can be done, unless IPCBOX_NOWAIT or O_NONBLOCK
 * says not to. Nothing is held while it waits.
 *
 * Those who wait are served in the order in which they came: who takes from a
 * semaphore does not overtake one who waits to take from it, not even one who
 * wants more. (Who waits for several waits at the first that does not let it
 * pass, and is not in the way at the others.)
 *
 * What was done with IPCBOX_SEM_UNDO is undone when the handle is closed for
 * the last time, as by the death of its processes: what it has taken in all is
 * given back, what it has given is taken, as far as it is there. A handle that
 * was inherited or passed on is one handle; processes that want undoing each for
 * themselves open each their own.
 *
 * A binary semaphore, one whose maximum is 1 (see struct ipcbox_sem_value), that
 * was given back so was held by somebody who died. The next who takes it holds
 * it and is told, once, by EOWNERDEAD: what it guards may be half done.
 *
 * poll(2) on a region's handle reports EPOLLIN | EPOLLRDNORM when the operations
 * that the handle was last given with IPCBOX_SEM_WATCH need not wait, or, before
 * that, when 1 can be taken from semaphore 0; and EPOLLHUP when the region is
 * unlinked. With IPCBOX_SEM_WATCH the operations, without IPCBOX_SEM_UNDO, are
 * checked and kept, not done, and deadline has no meaning. read(2) and write(2)
 * are EINVAL, and O_ASYNC EOPNOTSUPP.
 *
 * UNLINK ends all waiting: there is nobody who could come. What need not wait is
 * still done.
 *
 * Returns 0, and besides the common errors, having done nothing but for
 * EOWNERDEAD:
 *
 *   EACCES      a change needs IPCBOX_RIGHT_SEND, waiting for zero
 *               IPCBOX_RIGHT_RECEIVE
 *   EINVAL      a semaphore is not there, count or deadline is out of range,
 *               or a change above IPCBOX_SEM_VALUE_MAX
 *   ERANGE      a value would exceed its maximum, or what is to be undone
 *               IPCBOX_SEM_VALUE_MAX
 *   EAGAIN      it would have to wait, and may not
 *   ETIMEDOUT   it could not be done up to the deadline
 *   EINTR       a signal came first
 *   EPIPE       it would have to wait, and the region is unlinked
 *   EOWNERDEAD  it was done, and who held a binary semaphore that it took had
 *               died
 */
struct ipcbox_sem_operate {
	__u32 size;
	__u32 flags;
	__aligned_u64 operations;
	__u32 count;
	__u32 operation_size;
	__u64 deadline;
};

/* A bit of struct ipcbox_sem_state.flags. */
#define IPCBOX_SEM_DEAD		0x1	/* its holder died; nobody was told yet */

/**
 * struct ipcbox_sem_state - a semaphore as it is
 * @value: out: its value
 * @maximum: out: the greatest value that it takes; 1 for a binary one
 * @rising: out: threads that wait for it to rise
 * @falling: out: threads that wait for it to become zero
 * @pid: out: the process that last operated on it or set it, in the caller's
 *	pid namespace; 0 for none, or when it cannot be seen from there
 * @flags: out: IPCBOX_SEM_DEAD
 *
 * Who waits for several semaphores is counted at the first, in the order of its
 * operations, that does not let it pass.
 */
struct ipcbox_sem_state {
	__u32 value;
	__u32 maximum;
	__u32 rising;
	__u32 falling;
	__s32 pid;
	__u32 flags;
};

/**
 * struct ipcbox_sem_get - IPCBOX_IOC_SEM_GET, on a handle: look at semaphores
 * @size: sizeof(struct ipcbox_sem_get)
 * @flags: zero
 * @states: pointer to an array of struct ipcbox_sem_state, to be filled
 * @first: the first semaphore
 * @count: how many, at least 1
 * @state_size: sizeof(struct ipcbox_sem_state); the array's stride
 * @pad: zero
 *
 * The states are of one moment. Does not block but for memory. Returns 0, and
 * besides the common errors:
 *
 *   EACCES   the handle has neither IPCBOX_RIGHT_RECEIVE nor IPCBOX_RIGHT_LOOK
 *   EINVAL   there are not so many semaphores
 */
struct ipcbox_sem_get {
	__u32 size;
	__u32 flags;
	__aligned_u64 states;
	__u32 first;
	__u32 count;
	__u32 state_size;
	__u32 pad;
};

/**
 * struct ipcbox_sem_value - what a semaphore shall be
 * @semaphore: its number, from 0
 * @value: 0 to @maximum
 * @maximum: 1, for a binary semaphore, to IPCBOX_SEM_VALUE_MAX
 * @pad: zero
 */
struct ipcbox_sem_value {
	__u32 semaphore;
	__u32 value;
	__u32 maximum;
	__u32 pad;
};

/**
 * struct ipcbox_sem_assign - IPCBOX_IOC_SEM_SET, on a handle: set semaphores
 * @size: sizeof(struct ipcbox_sem_assign)
 * @flags: zero
 * @values: pointer to an array of struct ipcbox_sem_value
 * @count: values in the array, 1 to the region's semaphores
 * @value_size: sizeof(struct ipcbox_sem_value); the array's stride
 *
 * Sets all at one moment, or none. Those who can go on are woken; nothing is
 * undone any more that was done at these semaphores before, and no death of a
 * holder is told. Does not block but for memory. Returns 0, and besides the
 * common errors:
 *
 *   EACCES   the handle has no IPCBOX_RIGHT_MANAGE
 *   EINVAL   count, a semaphore, a value or a maximum is out of range
 */
struct ipcbox_sem_assign {
	__u32 size;
	__u32 flags;
	__aligned_u64 values;
	__u32 count;
	__u32 value_size;
};

/* The longest time to spin, in nanoseconds. */
#define IPCBOX_SPIN_MAX		1000000

/**
 * struct ipcbox_spin - IPCBOX_IOC_SPIN, on a handle: wait awake for a while
 * @size: sizeof(struct ipcbox_spin)
 * @flags: zero
 * @time: nanoseconds, 0 to IPCBOX_SPIN_MAX; 0, as it is at first, for none
 *
 * Calls by this handle that wait for a message or for a reply stay awake for so
 * long before they sleep, if the other side was last seen on another processor,
 * nothing else wants this one, and no signal comes. It saves the time of going
 * to sleep and of being woken where both sides run at once, and costs
 * processor time where they do not. A deadline may be met so much later.
 *
 * Does not block. Returns 0, and besides the common errors:
 *
 *   EACCES   the handle has neither IPCBOX_RIGHT_RECEIVE nor
 *            IPCBOX_RIGHT_SEND
 *   EINVAL   the time is out of range
 */
struct ipcbox_spin {
	__u32 size;
	__u32 flags;
	__u64 time;
};

/*
 * Receive pools
 *
 * A mailbox made with mapped_bytes has a ring in memory. A sender's data is
 * copied once, into the ring, and the receiver, who maps it, reads it there:
 * with messages waiting it makes no system call. Nobody but the kernel can
 * write the ring; and the only page that the receiver writes holds what it says
 * about itself, with which it can harm nobody else.
 *
 * Such a mailbox is first-in first-out. Its messages have no priority and no
 * lifetime, and there is no IPCBOX_SYNC, CALL, IPCBOX_HOLD, IPCBOX_PEEK or
 * selection, nor a dead-letter mailbox: EOPNOTSUPP. All else is as in every
 * mailbox: who may send how much and who waits for whom; poll, NOTIFY and
 * O_ASYNC; the sender's charge, which ends when the receiver has released the
 * message and the kernel has looked, as it does when the receiver waits and now
 * and then as others send. A message for which the ring has no room, but the
 * mailbox has, waits in the kernel, in its turn. Number and bytes of messages,
 * as STAT tells, include those that are read and not yet released.
 *
 * mmap(2)
 * -------
 * The handle with IPCBOX_RIGHT_RECEIVE may be mapped, MAP_SHARED, by pages:
 *
 *   0		struct ipcbox_pool_receiver, for reading and writing
 *   1		struct ipcbox_pool_page, for reading
 *   2 and on	the ring, twice in a row, for reading: no message wraps
 *
 * A mapping keeps the handle open. While there is one, RECEIVE and read fail
 * with EBUSY; without one they work, copying from the ring, and mmap fails with
 * EBUSY while one of them is copying, or another process makes the first mapping.
 * The pages are the mapping's alone: what would keep them beyond it, as direct
 * input and output, vmsplice(2), or a debugger, gets an error, such as EFAULT.
 * When the last mapping goes, what was released is received; all other messages
 * stay for the next receiver, those that were read among them. Errors: ENODEV no
 * pool; EACCES no right, or to write or execute what is only read; EINVAL not
 * shared, or pages that the pool does not have.
 *
 * Positions
 * ---------
 * A position counts the bytes that ever went into the ring: it only grows, and
 * what is at it is found at (position % size) of the ring. A record begins at a
 * multiple of IPCBOX_POOL_ALIGN: struct ipcbox_pool_record, the payload, and
 * padding up to the next.
 *
 *	receiver.tail <= receiver.next <= page.head <= receiver.tail + page.size
 *
 *   who writes		what		when		who reads
 *   ----------		----		----		---------
 *   kernel		page.head	a record is there	receiver
 *   kernel		record.state	its payload is there	receiver
 *   kernel		page.wake_at	somebody waits for room	receiver
 *   receiver		receiver.next	it has read a record	kernel: poll, WAIT
 *   receiver		receiver.tail	it has released records	kernel: room
 *
 * Each pair of accesses, and what it is for (A acquires what R released):
 *
 *   1. kernel: header, then page.head (R). receiver: page.head (A), then header.
 *   2. kernel: payload, then record.state (R). receiver: record.state (A), then
 *	payload. Records are finished out of order: one with the state
 *	IPCBOX_POOL_WRITING is waited for, for no longer than a copy takes, as
 *	the kernel copies without pause and without page faults.
 *   3. receiver: its last look at a record, then receiver.tail (R). kernel:
 *	receiver.tail (A), then writes into that memory.
 *   4. kernel: record.state, full barrier, is a thread waiting? receiver, in
 *	WAIT or poll: now waiting, full barrier, record.state. One of them sees
 *	the other: no message lies there while the receiver sleeps.
 *   5. kernel: page.wake_at, full barrier, receiver.tail. receiver:
 *	receiver.tail, full barrier, page.wake_at. When tail has reached wake_at
 *	the receiver calls WAIT, with IPCBOX_NOWAIT if it has more to read. One of
 *	them sees the other: nobody waits for room that is there.
 *
 * To receive: if next == page.head (1), or the record at next is being written
 * (2), call WAIT. Otherwise read it, unless it is IPCBOX_POOL_VOID, and move
 * next behind it. To release: records may be done with in any order; tail moves
 * past those at the beginning that all are (3), and then (5).
 *
 * The kernel believes a tail or next only between the positions that it knows,
 * and releases only whole records; a receiver that writes nonsense harms itself.
 */

/* Records begin at multiples of this. */
#define IPCBOX_POOL_ALIGN	16

/* What a record takes at most of the ring besides its payload. */
#define IPCBOX_POOL_OVERHEAD	64

/* The page.wake_at for which there is no need to call. */
#define IPCBOX_POOL_NEVER	((__u64)-1)

/* States of a record. */
#define IPCBOX_POOL_WRITING	0	/* its payload is being written */
#define IPCBOX_POOL_READY	1	/* a message */
#define IPCBOX_POOL_VOID	2	/* none: its sender's memory was gone */

/**
 * struct ipcbox_pool_record - a message in a receive pool
 * @state: IPCBOX_POOL_WRITING, IPCBOX_POOL_READY or IPCBOX_POOL_VOID
 * @length: bytes of payload, which follows
 * @sequence: the message's number in the object; one that is missing was the
 *	number of a void record
 * @tag: the sender's tag
 * @handle: the number of the sending handle, unique in its box
 * @pid: process id of the sender, in the pid namespace of the process that made
 *	the first mapping; 0 when it cannot be seen from there, or when the
 *	message is older than that and that namespace is another than before
 * @uid: effective uid of the sender, in the user namespace of that process
 * @gid: effective gid of the sender, in the user namespace of that process
 * @user: for the kernel
 *
 * As no sender can write it, no sender can forge it. Before the first mapping
 * the namespaces are those of the mailbox's creator.
 */
struct ipcbox_pool_record {
	__u32 state;
	__u32 length;
	__aligned_u64 sequence;
	__aligned_u64 tag;
	__aligned_u64 handle;
	__s32 pid;
	__u32 uid;
	__u32 gid;
	__u32 user;
};

/**
 * struct ipcbox_pool_page - what the kernel tells the receiver
 * @head: the position behind the newest record
 * @pad: so that senders do not disturb the receiver's reading of the rest
 * @wake_at: the position of tail at which to call WAIT, or IPCBOX_POOL_NEVER
 * @size: bytes of the ring
 */
struct ipcbox_pool_page {
	__aligned_u64 head;
	__aligned_u64 pad[7];
	__aligned_u64 wake_at;
	__aligned_u64 size;
};

/**
 * struct ipcbox_pool_receiver - what the receiver tells the kernel
 * @tail: it is done with all records before this position
 * @next: it has read all records before this position
 *
 * The kernel sets both to the oldest record when the first mapping is made.
 */
struct ipcbox_pool_receiver {
	__aligned_u64 tail;
	__aligned_u64 next;
};

/**
 * struct ipcbox_pool_wait - IPCBOX_IOC_POOL_WAIT, on a handle: wait for messages
 * @size: sizeof(struct ipcbox_pool_wait)
 * @flags: IPCBOX_NOWAIT, IPCBOX_REALTIME, IPCBOX_NORESTART
 * @deadline: when to give up waiting, or IPCBOX_FOREVER
 *
 * Takes notice of what the receiver has released, lets in whom there is room
 * for now, and waits until there is a record at receiver.next that is not being
 * written. It may be void. Returns 0, and besides the common errors:
 *
 *   EACCES     the handle has no IPCBOX_RIGHT_RECEIVE
 *   EOPNOTSUPP the object has no receive pool
 *   EAGAIN     nothing is there, and the call may not wait
 *   ETIMEDOUT  nothing came up to the deadline
 *   EINTR      a signal came first
 *   EPIPE      nothing is there and no sender will come, as for
 *              IPCBOX_IOC_RECEIVE
 */
struct ipcbox_pool_wait {
	__u32 size;
	__u32 flags;
	__u64 deadline;
};

/*
 * The commands carry no size: each structure says its own.
 */
#define IPCBOX_IOC_TYPE		0xBC

/* On /dev/ipcbox. */
#define IPCBOX_IOC_INFO		_IO(IPCBOX_IOC_TYPE, 0x00)
#define IPCBOX_IOC_CREATE	_IO(IPCBOX_IOC_TYPE, 0x01)
#define IPCBOX_IOC_OPEN		_IO(IPCBOX_IOC_TYPE, 0x02)
#define IPCBOX_IOC_UNLINK	_IO(IPCBOX_IOC_TYPE, 0x03)
#define IPCBOX_IOC_LIST		_IO(IPCBOX_IOC_TYPE, 0x04)

/* On a handle. */
#define IPCBOX_IOC_STAT		_IO(IPCBOX_IOC_TYPE, 0x20)
#define IPCBOX_IOC_SET		_IO(IPCBOX_IOC_TYPE, 0x21)
#define IPCBOX_IOC_SEND		_IO(IPCBOX_IOC_TYPE, 0x22)
#define IPCBOX_IOC_RECEIVE	_IO(IPCBOX_IOC_TYPE, 0x23)
#define IPCBOX_IOC_CALL		_IO(IPCBOX_IOC_TYPE, 0x24)
#define IPCBOX_IOC_SETTLE	_IO(IPCBOX_IOC_TYPE, 0x25)
#define IPCBOX_IOC_ANSWER	_IO(IPCBOX_IOC_TYPE, 0x26)
#define IPCBOX_IOC_NOTIFY	_IO(IPCBOX_IOC_TYPE, 0x27)
#define IPCBOX_IOC_SPIN		_IO(IPCBOX_IOC_TYPE, 0x28)

/* On an end of a channel. */
#define IPCBOX_IOC_CHANNEL_WAIT	_IO(IPCBOX_IOC_TYPE, 0x48)
#define IPCBOX_IOC_CHANNEL_WAKE	_IO(IPCBOX_IOC_TYPE, 0x49)

/* On a handle on a region, and STAT and SET. */
#define IPCBOX_IOC_SEM		_IO(IPCBOX_IOC_TYPE, 0x40)
#define IPCBOX_IOC_SEAL		_IO(IPCBOX_IOC_TYPE, 0x41)
#define IPCBOX_IOC_SEM_GET	_IO(IPCBOX_IOC_TYPE, 0x42)
#define IPCBOX_IOC_SEM_SET	_IO(IPCBOX_IOC_TYPE, 0x43)

/* On a handle of a mailbox with a receive pool. */
#define IPCBOX_IOC_POOL_WAIT	_IO(IPCBOX_IOC_TYPE, 0x50)

#endif /* _UAPI_LINUX_IPCBOX_H */
