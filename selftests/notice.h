/* SPDX-License-Identifier: GPL-2.0 */
/* What the selftests of notice share, as box.h has it for all. */
#ifndef _NOTICE_H
#define _NOTICE_H

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>

#include "box.h"

static inline void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGIO);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* The number of a pending signal, which is then pending no more; or 0. */
static inline int took(siginfo_t *info)
{
	const struct timespec now = { };
	sigset_t set;
	int sig;

	memset(info, 0, sizeof(*info));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGIO);
	sigaddset(&set, SIGRTMIN);
	sig = sigtimedwait(&set, info, &now);
	return sig < 0 ? 0 : sig;
}

static inline int pending(void)
{
	siginfo_t info;

	return took(&info);
}

static inline void empty(int fd)
{
	struct ipcbox_incoming in;
	__u32 number;

	while (box_receive(fd, &in, &number, sizeof(number), IPCBOX_NOWAIT,
			   0) == 1)
		;
}

/* An eventfd(2) tells of arrivals. */
static inline int notify_eventfd(int fd, int descriptor, __u32 flags)
{
	struct ipcbox_notify notify = {
		.size = sizeof(notify),
		.flags = flags,
		.how = IPCBOX_NOTIFY_EVENTFD,
		.descriptor = descriptor,
	};

	return ioctl(fd, IPCBOX_IOC_NOTIFY, &notify) ? -errno : 0;
}

/* Signals of what happens on a descriptor, as fcntl(2) has it. */
static inline int async(int fd, pid_t owner, int sig)
{
	if (fcntl(fd, F_SETOWN, owner) || fcntl(fd, F_SETSIG, sig) ||
	    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC))
		return -errno;
	return 0;
}

static inline int not_async(int fd)
{
	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_ASYNC);
}

#endif /* _NOTICE_H */
