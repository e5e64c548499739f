/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Sending, receiving, waiting: mq_send(3), mq_receive(3), signal(7). */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/wait.h>

#include "queues.h"

static void by_priority_and_then_in_order(void)
{
	const unsigned int highest = (unsigned int)sysconf(_SC_MQ_PRIO_MAX) - 1;
	mqd_t queue = make_queue(O_RDWR, 10);

	put(queue, 1, 0);
	put(queue, 2, 5);
	put(queue, 3, highest);
	put(queue, 4, 5);
	put(queue, 5, 0);
	expect_next(queue, 3, highest);
	expect_next(queue, 2, 5);
	put(queue, 6, 5);
	expect_next(queue, 4, 5);
	expect_next(queue, 6, 5);
	expect_next(queue, 1, 0);
	expect_next(queue, 5, 0);
	expect_empty(queue);
	fails(mq_send(queue, "", 0, highest + 1), EINVAL);
	fails(mq_send(queue, "", 0, UINT_MAX), EINVAL);
	expect_empty(queue);
}

static void lengths(void)
{
	mqd_t queue = make_queue(O_RDWR | O_NONBLOCK, 4);
	char data[SIZE + 1] = "0123456789abcdef";
	char seen[SIZE + 1];
	unsigned int priority = 99;

	works(mq_send(queue, "", 0, 0));
	works(mq_send(queue, data, SIZE, 0));
	fails(mq_send(queue, data, SIZE + 1, 0), EMSGSIZE);
	fails(mq_send(queue, data, SIZE_MAX, 0), EMSGSIZE);
	equal(count_of(queue), 2);
	/* Room for the largest is asked whatever comes, or does not. */
	fails(mq_receive(queue, seen, SIZE - 1, &priority), EMSGSIZE);
	equal(count_of(queue), 2);
	equal(priority, 99);
	equal(mq_receive(queue, seen, SIZE, NULL), 0);
	memset(seen, '-', sizeof(seen));
	equal(mq_receive(queue, seen, sizeof(seen), &priority), SIZE);
	equal(priority, 0);
	check(!memcmp(seen, data, SIZE) && seen[SIZE] == '-');
	fails(mq_receive(queue, seen, SIZE - 1, NULL), EMSGSIZE);
	fails(mq_receive(queue, seen, SIZE, NULL), EAGAIN);
}

static void bad_memory_is_efault(void)
{
	mqd_t queue = make_queue(O_RDWR | O_NONBLOCK, 1);
	char *volatile nowhere = NULL;

	fails(mq_send(queue, nowhere + 8, 4, 0), EFAULT);
	expect_empty(queue);
	put(queue, 1, 0);
	fails(mq_send(queue, nowhere + 8, 4, 0), EFAULT);
	fails(mq_getattr(queue, (void *)(nowhere + 8)), EFAULT);
	fails(mq_setattr(queue, (void *)(nowhere + 8), NULL), EFAULT);
	fails(mq_open("/none", O_CREAT | O_RDWR, 0600, nowhere + 8), EFAULT);
	fails(mq_open("/none", O_RDWR), ENOENT);
	expect_next(queue, 1, 0);
}

/* Where two things are wrong, they are told in this order. */
static void which_error_goes_first(void)
{
	mqd_t queue = make_queue(O_RDWR | O_NONBLOCK, 1);
	mqd_t reads = works(mq_open(NAME, O_RDONLY));
	mqd_t writes = works(mq_open(NAME, O_WRONLY));
	const struct timespec never = { .tv_nsec = -1 };
	const unsigned int too_high = (unsigned int)sysconf(_SC_MQ_PRIO_MAX);
	char *volatile nowhere = NULL;
	char data[SIZE + 1] = "";

	fails(mq_timedsend(-1, data, 1, too_high, &never), EINVAL);
	fails(mq_send(-1, data, 1, too_high), EINVAL);
	fails(mq_send(reads, data, SIZE + 1, too_high), EINVAL);
	fails(mq_send(reads, data, SIZE + 1, 0), EBADF);
	fails(mq_receive(writes, data, 0, NULL), EBADF);
	fails(mq_send(queue, nowhere + 8, SIZE + 1, 0), EMSGSIZE);
	put(queue, 1, 0);
	fails(mq_send(queue, data, SIZE + 1, 0), EMSGSIZE);
	expect_next(queue, 1, 0);
	fails(mq_receive(queue, nowhere + 8, SIZE - 1, NULL), EMSGSIZE);
	fails(mq_receive(queue, nowhere + 8, SIZE, NULL), EAGAIN);
	fails(mq_timedreceive(-1, data, SIZE, NULL, &never), EINVAL);
}

static void full_and_empty(void)
{
	mqd_t queue = make_queue(O_RDWR | O_NONBLOCK, 2);
	char data[SIZE];

	put(queue, 1, 0);
	put(queue, 2, 9);
	fails(mq_send(queue, "", 0, 30), EAGAIN);
	expect_next(queue, 2, 9);
	expect_next(queue, 1, 0);
	fails(mq_receive(queue, data, SIZE, NULL), EAGAIN);
}

static void full_for_all_users(void *argument)
{
	mqd_t queue = *(mqd_t *)argument;

	become(BOB);
	fails(mq_send(queue, "", 0, 0), EAGAIN);
}

static void one_user_may_fill_it(void *argument)
{
	mqd_t queue = *(mqd_t *)argument;
	unsigned int i;

	become(ALICE);
	for (i = 0; i < 10; i++)
		put(queue, i, 0);
	fails(mq_send(queue, "", 0, 0), EAGAIN);
}

static void room_is_for_whoever_comes(void)
{
	mqd_t queue = make_queue(O_RDWR | O_NONBLOCK, 10);

	join(tap_spawn(one_user_may_fill_it, &queue));
	join(tap_spawn(full_for_all_users, &queue));
	fails(mq_send(queue, "", 0, 0), EAGAIN);
	equal(count_of(queue), 10);
}

/*
 * Waiting
 */

static void receive_five(void *argument)
{
	unsigned int number, priority;
	char data[SIZE];

	about_to_block();
	equal(mq_receive(*(mqd_t *)argument, data, SIZE, &priority),
	      sizeof(number));
	memcpy(&number, data, sizeof(number));
	equal(number, 5);
	equal(priority, 3);
}

static void a_receiver_waits(void)
{
	mqd_t queue = make_queue(O_RDWR, 2);
	struct blocked child = begin_blocked(receive_five, &queue);

	await_blocked(&child);
	put(queue, 5, 3);
	join(child.pid);
	expect_empty(queue);
}

static void send_six(void *argument)
{
	const unsigned int six = 6;

	about_to_block();
	works(mq_send(*(mqd_t *)argument, (const char *)&six, sizeof(six), 7));
}

static void a_sender_waits(void)
{
	mqd_t queue = make_queue(O_RDWR, 1);
	struct blocked child;

	put(queue, 1, 0);
	child = begin_blocked(send_six, &queue);
	await_blocked(&child);
	equal(count_of(queue), 1);
	expect_next(queue, 1, 0);
	join(child.pid);
	expect_next(queue, 6, 7);
}

static void get_number(void *argument)
{
	mqd_t queue = *(mqd_t *)argument;
	unsigned int number;
	char data[SIZE];

	about_to_block();
	equal(mq_receive(queue, data, SIZE, NULL), sizeof(number));
	memcpy(&number, data, sizeof(number));
	_exit((int)number);
}

static void who_waits_longest_is_first(void)
{
	mqd_t queue = make_queue(O_RDWR, 2);
	struct blocked first, second;
	int status = 0;

	first = begin_blocked(get_number, &queue);
	await_blocked(&first);
	second = begin_blocked(get_number, &queue);
	await_blocked(&second);
	put(queue, 1, 0);
	put(queue, 2, 30);
	check(waitpid(first.pid, &status, 0) == first.pid);
	equal(WEXITSTATUS(status), 1);
	check(waitpid(second.pid, &status, 0) == second.pid);
	equal(WEXITSTATUS(status), 2);
}

static void is_interrupted(void *argument)
{
	mqd_t *queues = argument;
	char data[SIZE];

	count_signals(SIGUSR1, 0);
	about_to_block();
	if (queues[1] < 0)
		fails(mq_receive(queues[0], data, SIZE, NULL), EINTR);
	else
		fails(mq_send(queues[1], "", 0, 0), EINTR);
	equal(handled, 1);
}

static void a_handler_interrupts(void)
{
	mqd_t queues[2] = { make_queue(O_RDWR, 1), -1 };
	struct blocked child = begin_blocked(is_interrupted, queues);

	await_blocked(&child);
	kill(child.pid, SIGUSR1);
	join(child.pid);
	put(queues[0], 1, 0);
	queues[1] = queues[0];
	child = begin_blocked(is_interrupted, queues);
	await_blocked(&child);
	kill(child.pid, SIGUSR1);
	join(child.pid);
	expect_next(queues[0], 1, 0);
	expect_empty(queues[0]);
}

static void is_restarted(void *argument)
{
	count_signals(SIGUSR1, SA_RESTART);
	receive_five(argument);
	equal(handled, 1);
}

static void sends_on(void *argument)
{
	count_signals(SIGUSR1, SA_RESTART);
	send_six(argument);
	equal(handled, 1);
}

static void sa_restart_restarts(void)
{
	mqd_t queue = make_queue(O_RDWR, 1);
	struct blocked child = begin_blocked(is_restarted, &queue);

	await_blocked(&child);
	kill(child.pid, SIGUSR1);
	await_sleeping(child.pid);
	put(queue, 5, 3);
	join(child.pid);
	put(queue, 1, 0);
	child = begin_blocked(sends_on, &queue);
	await_blocked(&child);
	kill(child.pid, SIGUSR1);
	await_sleeping(child.pid);
	expect_next(queue, 1, 0);
	join(child.pid);
	expect_next(queue, 6, 7);
}

static void stopped_and_continued_it_waits_on(void)
{
	mqd_t queue = make_queue(O_RDWR, 1);
	struct blocked child = begin_blocked(receive_five, &queue);
	int status;

	await_blocked(&child);
	kill(child.pid, SIGSTOP);
	check(waitpid(child.pid, &status, WUNTRACED) == child.pid);
	kill(child.pid, SIGCONT);
	check(waitpid(child.pid, &status, WCONTINUED) == child.pid);
	await_sleeping(child.pid);
	put(queue, 5, 3);
	join(child.pid);
}

/*
 * poll, epoll
 */

static short events_of(mqd_t queue)
{
	struct pollfd poll_fd = { .fd = queue, .events = POLLIN | POLLOUT };

	require(poll(&poll_fd, 1, 0) >= 0);
	return poll_fd.revents;
}

static void poll_tells(void)
{
	mqd_t queue = make_queue(O_RDWR, 2);
	mqd_t reads = works(mq_open(NAME, O_RDONLY));

	equal(events_of(queue), POLLOUT);
	equal(events_of(reads), POLLOUT);
	put(queue, 1, 0);
	equal(events_of(queue), POLLIN | POLLOUT);
	put(queue, 2, 0);
	equal(events_of(queue), POLLIN);
	expect_next(reads, 1, 0);
	equal(events_of(queue), POLLIN | POLLOUT);
	expect_next(reads, 2, 0);
	equal(events_of(queue), POLLOUT);
	/* No end of the other side is told. */
	works(mq_unlink(NAME));
	works(mq_close(queue));
	equal(events_of(reads), POLLOUT);
}

static void polls(void *argument)
{
	struct pollfd poll_fd = { .fd = *(mqd_t *)argument, .events = POLLIN };

	about_to_block();
	equal(poll(&poll_fd, 1, -1), 1);
	equal(poll_fd.revents, POLLIN);
}

static void poll_wakes(void)
{
	mqd_t queue = make_queue(O_RDWR, 2);
	struct blocked child = begin_blocked(polls, &queue);

	await_blocked(&child);
	put(queue, 1, 0);
	join(child.pid);
}

static void select_tells(void)
{
	mqd_t queue = make_queue(O_RDWR, 1);
	struct timeval now = { 0 };
	fd_set reads, writes;

	FD_ZERO(&reads);
	FD_ZERO(&writes);
	FD_SET(queue, &reads);
	FD_SET(queue, &writes);
	equal(select(queue + 1, &reads, &writes, NULL, &now), 1);
	check(FD_ISSET(queue, &writes) && !FD_ISSET(queue, &reads));
	put(queue, 1, 0);
	FD_SET(queue, &reads);
	equal(select(queue + 1, &reads, &writes, NULL, &now), 1);
	check(!FD_ISSET(queue, &writes) && FD_ISSET(queue, &reads));
}

static void epoll_tells(void)
{
	mqd_t queue = make_queue(O_RDWR, 1);
	struct epoll_event event = { .events = EPOLLIN };
	int fd = works(epoll_create1(0));

	works(epoll_ctl(fd, EPOLL_CTL_ADD, queue, &event));
	equal(epoll_wait(fd, &event, 1, 0), 0);
	put(queue, 1, 0);
	equal(epoll_wait(fd, &event, 1, 0), 1);
	equal(event.events, EPOLLIN);
	expect_next(queue, 1, 0);
	equal(epoll_wait(fd, &event, 1, 0), 0);
}

TAP_MAIN(own_queues,
	 TAP_TEST(by_priority_and_then_in_order),
	 TAP_TEST(lengths),
	 TAP_TEST(bad_memory_is_efault),
	 TAP_TEST(which_error_goes_first),
	 TAP_TEST(full_and_empty),
	 TAP_TEST(room_is_for_whoever_comes),
	 TAP_TEST(a_receiver_waits),
	 TAP_TEST(a_sender_waits),
	 TAP_TEST(who_waits_longest_is_first),
	 TAP_TEST(a_handler_interrupts),
	 TAP_TEST(sa_restart_restarts),
	 TAP_TEST(stopped_and_continued_it_waits_on),
	 TAP_TEST(poll_tells),
	 TAP_TEST(poll_wakes),
	 TAP_TEST(select_tells),
	 TAP_TEST(epoll_tells))
