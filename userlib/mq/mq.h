/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libipcbox-mq: the message queues of POSIX and System V, kept by ipcbox.
 *
 * Loaded before libc (LD_PRELOAD), it defines the functions of <mqueue.h> and
 * <sys/msg.h>. A POSIX queue is a persistent plain queue named "mq:NAME", and its
 * mqd_t a handle on it. A System V queue is a persistent revocable queue, named
 * "sysv:KEY" where it has a key, and its identifier the object's id.
 *
 * Functions here return what the kernel does, or -errno, and leave errno alone;
 * those of the two interfaces, at the end of each file, turn that into -1 and
 * errno.
 */
#ifndef IPCBOX_MQ_H
#define IPCBOX_MQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../src/internal.h"

/* What programs call is exported, all else is the library's own. */
#define EXPORTED __attribute__((visibility("default")))

/* Leaves errno alone on success, as system calls do. */
static inline int answer(int result)
{
	if (result >= 0)
		return result;
	errno = -result;
	return -1;
}

/* box.c: the device, opened for one operation and closed again */
int mq_device(void);
int mq_device_ioctl(unsigned long command, void *request);
int mq_device_open(unsigned long command, void *request, bool low);
int mq_device_info(struct ipcbox_info *info);
int mq_keep_high(int fd);

/* memory.c: is there memory, at least at its beginning? */
bool mq_is_readable(const void *address);
bool mq_is_writable(void *address);

/* names.c */
#define MQ_NAME_SIZE	(IPCBOX_NAME_MAX + 1)

int mq_name_of(char name[MQ_NAME_SIZE], const char *posix);
void mq_name_of_key(char name[MQ_NAME_SIZE], int key);
int mq_key_of_name(const char *name);

/* wait.c: operations that may block, which are cancellation points */
int mq_wait_ioctl(int fd, unsigned long command, void *request,
		  __u32 *flags);

/* real.c: what would be called without this library */
void *mq_real(const char *symbol);

#define REAL(function) ((__typeof__(&(function)))(uintptr_t)mq_real(#function))

/* posix.c: sending and receiving, to a deadline of CLOCK_REALTIME */
int mq_posix_send(int fd, const char *data, size_t length,
		  unsigned int priority, uint64_t deadline);
ssize_t mq_posix_receive(int fd, char *data, size_t capacity,
			 unsigned int *priority, uint64_t deadline);
bool mq_is_foreign(int result);

/* notify.c */
void mq_notify_closed(uint64_t object);

/* queue.c: System V queues by their identifiers */
int mq_queue_ioctl(int id, unsigned long command, void *request,
		   __u32 *flags, __u64 *object);
int mq_queue_stat(int id, struct ipcbox_stat *state);
void mq_queue_keep(int id, int fd);
void mq_queue_forget(int id);

/*
 * control.c: msgctl(2) without the C library's structures, which come in two
 * sizes of time_t.
 */
struct mq_change {
	unsigned int uid, gid, mode;
	unsigned long bytes;
};

struct mq_totals {
	struct ipcbox_info limits;
	uint64_t queues, messages, bytes;
	int last;		/* the greatest index in use, or 0 */
};

int mq_control_stat(int id, bool check, struct ipcbox_stat *state);
int mq_control_at(int position, struct ipcbox_stat *state);
int mq_control_set(int id, const struct mq_change *change);
int mq_control_remove(int id);
int mq_control_totals(struct mq_totals *totals);

#endif /* IPCBOX_MQ_H */
