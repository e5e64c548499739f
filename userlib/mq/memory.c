/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What a system call would answer with EFAULT must not be a fault here: the kernel
 * is asked to look first.
 */
#include <limits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mq.h"

#define KERNEL_SIGSET_SIZE	8

/* No process has it. */
#define NO_PROCESS		INT_MAX

/*
 * Both calls read what is there, and then find that they know no such way to use
 * it, or nobody to use it for.
 */
static long read_long(const void *address)
{
	if (sizeof(long) == KERNEL_SIGSET_SIZE)
		return syscall(SYS_rt_sigprocmask, -1, address, NULL,
			       KERNEL_SIGSET_SIZE);
	return syscall(SYS_sched_setparam, NO_PROCESS, address);
}

/* As much as a type of a message, or the beginning of a structure. */
bool mq_is_readable(const void *address)
{
	int saved = errno;
	bool readable;

	errno = 0;
	/* For some calls no address is not a wrong one. */
	readable = address && (!read_long(address) || errno != EFAULT);
	errno = saved;
	return readable;
}

/* What is there is overwritten. */
bool mq_is_writable(void *address)
{
	int saved = errno;
	bool writable = prctl(PR_GET_PDEATHSIG, address) == 0;

	errno = saved;
	return writable;
}
