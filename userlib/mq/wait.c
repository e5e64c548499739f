/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Operations that may block, which are cancellation points.
 *
 * A thread can be cancelled while it is in a system call only if it lets itself
 * be cancelled at any time, and a message that the call has just taken is then
 * lost. So that is done for calls only that found that they would block, and in
 * programs only that have a second thread.
 */
#include <pthread.h>
#include <sys/single_threaded.h>

#include "mq.h"

/*
 * Nothing on the way holds a lock or memory, so a thread may end anywhere in it.
 */
static int cancellable_ioctl(int fd, unsigned long command, void *request)
{
	int result, state;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &state);
	result = ipcbox_ioctl(fd, command, request);
	pthread_setcanceltype(state, NULL);
	return result;
}

/* @flags are those of the request. Returns as ipcbox_ioctl(). */
int mq_wait_ioctl(int fd, unsigned long command, void *request,
		  __u32 *flags)
{
	int result;

	pthread_testcancel();
	if (__libc_single_threaded || *flags & IPCBOX_NOWAIT)
		return ipcbox_ioctl(fd, command, request);
	*flags |= IPCBOX_NOWAIT;
	result = ipcbox_ioctl(fd, command, request);
	*flags &= ~(__u32)IPCBOX_NOWAIT;
	if (result != -EAGAIN)
		return result;
	return cancellable_ioctl(fd, command, request);
}
