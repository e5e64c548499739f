/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * mq_timedsend and mq_timedreceive. For 32 bits this is compiled a second time,
 * with a time_t of 64 bits, for which <mqueue.h> renames the functions.
 */
#include <mqueue.h>
#include <time.h>

#include "mq.h"

#define NS_PER_SECOND	1000000000

#if defined(__USE_TIME_BITS64) && __TIMESIZE == 32
#define REAL_SEND ((__typeof__(&mq_timedsend))(uintptr_t) \
		   mq_real("__mq_timedsend_time64"))
#define REAL_RECEIVE ((__typeof__(&mq_timedreceive))(uintptr_t) \
		      mq_real("__mq_timedreceive_time64"))
#else
#define REAL_SEND	REAL(mq_timedsend)
#define REAL_RECEIVE	REAL(mq_timedreceive)
#endif

/*
 * As the kernel's own queues, which look at it whether they would wait or not. They
 * also take none, which the compiler would believe <mqueue.h> that there is not.
 */
static int read_deadline(const struct timespec *volatile given,
			 uint64_t *deadline)
{
	const struct timespec *time = given;
	const uint64_t end = INT64_MAX;
	uint64_t seconds, part;

	*deadline = IPCBOX_FOREVER;
	if (!time)
		return 0;
	if (time->tv_sec < 0 || time->tv_nsec < 0 ||
	    time->tv_nsec >= NS_PER_SECOND)
		return -EINVAL;
	seconds = (uint64_t)time->tv_sec;
	part = (uint64_t)time->tv_nsec;
	if (seconds <= (end - part) / NS_PER_SECOND)
		*deadline = seconds * NS_PER_SECOND + part;
	return 0;
}

EXPORTED int mq_timedsend(mqd_t fd, const char *data, size_t length,
			  unsigned int priority, const struct timespec *time)
{
	uint64_t deadline;
	int result = read_deadline(time, &deadline);

	if (!result)
		result = mq_posix_send(fd, data, length, priority, deadline);
	if (mq_is_foreign(result))
		return REAL_SEND(fd, data, length, priority, time);
	return answer(result);
}

EXPORTED ssize_t mq_timedreceive(mqd_t fd, char *restrict data,
				 size_t capacity,
				 unsigned int *restrict priority,
				 const struct timespec *restrict time)
{
	uint64_t deadline;
	ssize_t result = read_deadline(time, &deadline);

	if (!result)
		result = mq_posix_receive(fd, data, capacity, priority,
					  deadline);
	if (result < 0 && mq_is_foreign((int)result))
		return REAL_RECEIVE(fd, data, capacity, priority, time);
	return result < 0 ? answer((int)result) : result;
}
