/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What a system call would answer with EFAULT must not be a fault here: the kernel
 * is asked to look first.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mq.h"

#define KERNEL_SIGSET_SIZE	8

/* As much as a type of a message, or the beginning of a structure. */
bool mq_is_readable(const void *address)
{
	int saved = errno;
	bool readable;

	/* It reads the set, and then finds that it knows no such way to use it. */
	syscall(SYS_rt_sigprocmask, -1, address, NULL, KERNEL_SIGSET_SIZE);
	readable = errno != EFAULT;
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
