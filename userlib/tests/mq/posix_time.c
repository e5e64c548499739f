/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Deadlines of the wall clock: mq_timedsend(3), mq_timedreceive(3). */
#include <fcntl.h>
#include <stdint.h>

#include "queues.h"

#define HOUR	3600

static const struct timespec long_past = { .tv_sec = 1 };

static void a_past_deadline_fails_only_what_would_wait(void)
{
	mqd_t queue = make_queue(O_RDWR, 1);
	char data[SIZE];

	fails(mq_timedreceive(queue, data, SIZE, NULL, &long_past), ETIMEDOUT);
	works(mq_timedsend(queue, "x", 1, 0, &long_past));
	fails(mq_timedsend(queue, "y", 1, 0, &long_past), ETIMEDOUT);
	equal(mq_timedreceive(queue, data, SIZE, NULL, &long_past), 1);
	equal(data[0], 'x');
	expect_empty(queue);
}

static void a_deadline_ahead_is_waited_for(void)
{
	mqd_t queue = make_queue(O_RDWR, 1);
	struct timespec deadline = in_ms(30);
	struct timespec now;
	char data[SIZE];

	fails(mq_timedreceive(queue, data, SIZE, NULL, &deadline), ETIMEDOUT);
	clock_gettime(CLOCK_REALTIME, &now);
	check(now.tv_sec > deadline.tv_sec ||
	      (now.tv_sec == deadline.tv_sec &&
	       now.tv_nsec >= deadline.tv_nsec));
	put(queue, 1, 0);
	deadline = in_ms(30);
	fails(mq_timedsend(queue, "", 0, 0, &deadline), ETIMEDOUT);
	equal(count_of(queue), 1);
}

static void no_deadline_waits_for_ever(void *argument)
{
	/* <mqueue.h> says that there is always one. */
	ssize_t (*volatile receive)(mqd_t, char *, size_t, unsigned int *,
				    const struct timespec *) = mq_timedreceive;
	char data[SIZE];

	about_to_block();
	equal(receive(*(mqd_t *)argument, data, SIZE, NULL, NULL), 4);
}

static void a_far_deadline(void *argument)
{
	struct timespec end_of_time = since_epoch(INT32_MAX, 999999999);
	char data[SIZE];

	about_to_block();
	equal(mq_timedreceive(*(mqd_t *)argument, data, SIZE, NULL,
			      &end_of_time), 4);
}

static void the_far_future_is_waited_for(void)
{
	mqd_t queue = make_queue(O_RDWR, 1);
	struct blocked child = begin_blocked(no_deadline_waits_for_ever,
					     &queue);

	await_blocked(&child);
	put(queue, 1, 0);
	join(child.pid);
	child = begin_blocked(a_far_deadline, &queue);
	await_blocked(&child);
	put(queue, 1, 0);
	join(child.pid);
}

static void nonblock_does_not_wait_for_it(void)
{
	mqd_t queue = make_queue(O_RDWR | O_NONBLOCK, 1);
	struct timespec deadline = in_ms(HOUR * 1000L);
	char data[SIZE];

	fails(mq_timedreceive(queue, data, SIZE, NULL, &deadline), EAGAIN);
	put(queue, 1, 0);
	fails(mq_timedsend(queue, "", 0, 0, &deadline), EAGAIN);
	fails(mq_timedsend(queue, "", 0, 0, &long_past), EAGAIN);
}

static void invalid_times_are_einval(void)
{
	const struct timespec invalid[] = {
		since_epoch(1, -1), since_epoch(1, 1000000000),
		since_epoch(-1, 0), since_epoch(INT32_MAX, 1000000000),
	};
	mqd_t queue = make_queue(O_RDWR, 1);
	char data[SIZE];
	unsigned int i;

	for (i = 0; i < 4; i++)
		fails(mq_timedreceive(queue, data, SIZE, NULL, &invalid[i]),
		      EINVAL);
	put(queue, 1, 0);
	for (i = 0; i < 4; i++)
		fails(mq_timedsend(queue, "", 0, 0, &invalid[i]), EINVAL);
	equal(count_of(queue), 1);
}

static void waits_an_hour(void *argument)
{
	mqd_t queue = *(mqd_t *)argument;
	struct timespec deadline = in_ms(HOUR * 1000L);
	char data[SIZE];

	about_to_block();
	fails(mq_timedreceive(queue, data, SIZE, NULL, &deadline), ETIMEDOUT);
}

static void waits_an_hour_for_room(void *argument)
{
	mqd_t queue = *(mqd_t *)argument;
	struct timespec deadline = in_ms(HOUR * 1000L);

	about_to_block();
	fails(mq_timedsend(queue, "", 0, 0, &deadline), ETIMEDOUT);
}

/* The deadline stays what it was. */
static void waits_on_for_it(void *argument)
{
	count_signals(SIGUSR1, SA_RESTART);
	waits_an_hour(argument);
	equal(handled, 1);
}

static void sa_restart_restarts_with_a_deadline(void)
{
	mqd_t queue = make_queue(O_RDWR, 1);
	struct blocked child = begin_blocked(waits_on_for_it, &queue);

	await_blocked(&child);
	kill(child.pid, SIGUSR1);
	await_sleeping(child.pid);
	shift_clock(2 * HOUR);
	join(child.pid);
	shift_clock(-2 * HOUR);
}

static void is_interrupted(void *argument)
{
	mqd_t queue = *(mqd_t *)argument;
	struct timespec deadline = in_ms(HOUR * 1000L);
	char data[SIZE];

	count_signals(SIGUSR1, 0);
	about_to_block();
	if (count_of(queue))
		fails(mq_timedsend(queue, "", 0, 0, &deadline), EINTR);
	else
		fails(mq_timedreceive(queue, data, SIZE, NULL, &deadline),
		      EINTR);
	equal(handled, 1);
}

static void a_handler_interrupts(void)
{
	mqd_t queue = make_queue(O_RDWR, 1);
	struct blocked child;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		child = begin_blocked(is_interrupted, &queue);
		await_blocked(&child);
		kill(child.pid, SIGUSR1);
		join(child.pid);
		equal(count_of(queue), i);
		if (!i)
			put(queue, 1, 0);
	}
}

static void a_clock_that_jumps_is_followed(void)
{
	mqd_t queue = make_queue(O_RDWR, 1);
	struct blocked child = begin_blocked(waits_an_hour, &queue);

	await_blocked(&child);
	shift_clock(2 * HOUR);
	join(child.pid);
	shift_clock(-2 * HOUR);
	put(queue, 1, 0);
	child = begin_blocked(waits_an_hour_for_room, &queue);
	await_blocked(&child);
	shift_clock(2 * HOUR);
	join(child.pid);
	shift_clock(-2 * HOUR);
	equal(count_of(queue), 1);
}

TAP_MAIN(own_queues,
	 TAP_TEST(a_past_deadline_fails_only_what_would_wait),
	 TAP_TEST(a_deadline_ahead_is_waited_for),
	 TAP_TEST(the_far_future_is_waited_for),
	 TAP_TEST(nonblock_does_not_wait_for_it),
	 TAP_TEST(invalid_times_are_einval),
	 TAP_TEST(sa_restart_restarts_with_a_deadline),
	 TAP_TEST(a_handler_interrupts),
	 TAP_TEST(a_clock_that_jumps_is_followed))
