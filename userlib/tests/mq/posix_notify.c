/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Notice of arrival: mq_notify(3). */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>

#include "queues.h"

static void block(int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	require(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
}

/* The blocked signal, if it is pending. */
static int take(int signal, siginfo_t *info)
{
	struct timespec now = { 0 };
	sigset_t set;
	int taken;

	sigemptyset(&set);
	sigaddset(&set, signal);
	taken = sigtimedwait(&set, info, &now);
	return taken < 0 ? 0 : taken;
}

static int ask_signal(mqd_t queue, int signal, int value)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = signal,
				  .sigev_value.sival_int = value };

	return mq_notify(queue, &event);
}

static int ask_none(mqd_t queue)
{
	struct sigevent event = { .sigev_notify = SIGEV_NONE };

	return mq_notify(queue, &event);
}

static void one_signal_for_the_first_message(void)
{
	mqd_t queue = make_queue(O_RDWR, 4);
	siginfo_t info = { 0 };

	block(SIGUSR1);
	works(ask_signal(queue, SIGUSR1, 42));
	equal(take(SIGUSR1, &info), 0);
	put(queue, 1, 0);
	equal(take(SIGUSR1, &info), SIGUSR1);
	equal(info.si_code, SI_MESGQ);
	equal(info.si_value.sival_int, 42);
	equal(info.si_pid, getpid());
	equal(info.si_uid, getuid());
	/* It ended with that. */
	put(queue, 2, 0);
	expect_next(queue, 1, 0);
	expect_next(queue, 2, 0);
	put(queue, 3, 0);
	equal(take(SIGUSR1, &info), 0);
}

static void only_when_it_was_empty(void)
{
	mqd_t queue = make_queue(O_RDWR, 4);
	siginfo_t info;

	block(SIGUSR1);
	put(queue, 1, 0);
	works(ask_signal(queue, SIGUSR1, 0));
	put(queue, 2, 0);
	equal(take(SIGUSR1, &info), 0);
	expect_next(queue, 1, 0);
	expect_next(queue, 2, 0);
	put(queue, 3, 0);
	equal(take(SIGUSR1, &info), SIGUSR1);
}

static void send_as_alice(void *argument)
{
	become(ALICE);
	put(*(mqd_t *)argument, 1, 0);
}

static void the_signal_says_who_sent(void)
{
	mqd_t queue = make_queue(O_RDWR, 4);
	siginfo_t info = { 0 };
	pid_t child;

	block(SIGRTMIN);
	works(ask_signal(queue, SIGRTMIN, 1));
	child = tap_spawn(send_as_alice, &queue);
	join(child);
	equal(take(SIGRTMIN, &info), SIGRTMIN);
	equal(info.si_pid, child);
	equal(info.si_uid, ALICE);
}

static void finds_it_busy(void *argument)
{
	mqd_t queue = *(mqd_t *)argument;

	fails(ask_signal(queue, SIGUSR1, 0), EBUSY);
	fails(ask_none(queue), EBUSY);
	/* Nothing of this process's to end, which is no error. */
	works(mq_notify(queue, NULL));
	fails(ask_none(queue), EBUSY);
}

static void one_registrant_at_a_time(void)
{
	mqd_t queue = make_queue(O_RDWR, 4);
	mqd_t other = works(mq_open(NAME, O_WRONLY));

	works(ask_none(queue));
	fails(ask_none(queue), EBUSY);
	fails(ask_signal(other, SIGUSR1, 0), EBUSY);
	join(tap_spawn(finds_it_busy, &queue));
	works(mq_notify(other, NULL));
	works(ask_none(other));
	/* Of this sort nobody is told, but it ends as any. */
	put(queue, 1, 0);
	works(ask_none(queue));
}

static void invalid_ways_are_einval(void)
{
	struct sigevent event = { .sigev_notify = 77 };
	mqd_t queue = make_queue(O_RDWR, 4);

	fails(mq_notify(queue, &event), EINVAL);
	event.sigev_notify = -1;
	fails(mq_notify(queue, &event), EINVAL);
	fails(ask_signal(queue, 65, 0), EINVAL);
	fails(ask_signal(queue, -1, 0), EINVAL);
	works(ask_signal(queue, 0, 0));
}

static void closes_its_copies(void *argument)
{
	works(mq_close(*(mqd_t *)argument));
}

static void closing_any_descriptor_ends_it(void)
{
	mqd_t queue = make_queue(O_RDWR, 4);
	int copy = works(dup(queue));

	works(ask_none(queue));
	join(tap_spawn(closes_its_copies, &queue));
	fails(ask_none(queue), EBUSY);
	works(close(copy));
	works(ask_none(queue));
	works(mq_close(queue));
	queue = works(mq_open(NAME, O_RDONLY));
	works(ask_none(queue));
}

static void registers_and_exits(void *argument)
{
	works(ask_signal(*(mqd_t *)argument, SIGUSR1, 0));
}

static void its_end_ends_it(void)
{
	mqd_t queue = make_queue(O_RDWR, 4);

	join(tap_spawn(registers_and_exits, &queue));
	works(ask_none(queue));
}

static void registers_and_executes(void *argument)
{
	const int *fds = argument;

	works(ask_signal(fds[2], SIGUSR1, 0));
	works(dup2(fds[1], 1));
	execl("/bin/sh", "sh", "-c", "echo; exec sleep 1000", (char *)NULL);
	_exit(1);
}

/* As that closes its descriptors. */
static void another_program_in_its_place_ends_it(void)
{
	int fds[3];
	pid_t child;
	char byte;

	require(pipe(fds) == 0);
	fds[2] = make_queue(O_RDWR, 4);
	child = tap_spawn(registers_and_executes, fds);
	equal(read(fds[0], &byte, 1), 1);
	works(ask_none(fds[2]));
	kill(child, SIGKILL);
}

static void receives(void *argument)
{
	char data[SIZE];

	about_to_block();
	equal(mq_receive(*(mqd_t *)argument, data, SIZE, NULL), 4);
}

static void a_receiver_that_waits_goes_first(void)
{
	mqd_t queue = make_queue(O_RDWR, 4);
	struct blocked child = begin_blocked(receives, &queue);
	siginfo_t info;

	await_blocked(&child);
	block(SIGUSR1);
	works(ask_signal(queue, SIGUSR1, 0));
	put(queue, 1, 0);
	join(child.pid);
	equal(take(SIGUSR1, &info), 0);
	fails(ask_none(queue), EBUSY);
	put(queue, 2, 0);
	equal(take(SIGUSR1, &info), SIGUSR1);
}

/*
 * Threads
 */

static sem_t called;
static pthread_t caller;
static int value_seen;
static size_t stack_seen;
static int blocked_seen;

static void on_notice(union sigval value)
{
	pthread_attr_t attributes;
	sigset_t set;

	caller = pthread_self();
	value_seen = value.sival_int;
	pthread_getattr_np(caller, &attributes);
	pthread_attr_getstacksize(&attributes, &stack_seen);
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	blocked_seen = sigismember(&set, SIGUSR2);
	sem_post(&called);
}

static int ask_thread(mqd_t queue, pthread_attr_t *attributes, int value)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD,
				  .sigev_notify_function = on_notice,
				  .sigev_notify_attributes = attributes,
				  .sigev_value.sival_int = value };

	return mq_notify(queue, &event);
}

static int was_called(void)
{
	return sem_trywait(&called) == 0;
}

static void await_call(void)
{
	while (sem_wait(&called))
		;
}

static void a_thread_is_called(void)
{
	mqd_t queue = make_queue(O_RDWR, 4);
	pthread_attr_t attributes;

	require(sem_init(&called, 0, 0) == 0);
	works(ask_thread(queue, NULL, 11));
	fails(ask_thread(queue, NULL, 11), EBUSY);
	fails(ask_none(queue), EBUSY);
	check(!was_called());
	put(queue, 1, 0);
	await_call();
	equal(value_seen, 11);
	equal(blocked_seen, 0);
	check(!pthread_equal(caller, pthread_self()));
	/* Once, and then again when asked again; with these attributes. */
	expect_next(queue, 1, 0);
	put(queue, 2, 0);
	expect_next(queue, 2, 0);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 1 << 20);
	works(ask_thread(queue, &attributes, 12));
	pthread_attr_destroy(&attributes);
	put(queue, 3, 0);
	await_call();
	equal(value_seen, 12);
	equal(stack_seen, 1 << 20);
	check(!was_called());
}

static void a_thread_given_up_is_not_called(void)
{
	mqd_t queue = make_queue(O_RDWR, 4);
	int i;

	require(sem_init(&called, 0, 0) == 0);
	works(ask_thread(queue, NULL, 1));
	works(mq_notify(queue, NULL));
	put(queue, 1, 0);
	expect_next(queue, 1, 0);
	works(ask_thread(queue, NULL, 2));
	works(mq_close(queue));
	queue = works(mq_open(NAME, O_RDWR));
	put(queue, 2, 0);
	expect_next(queue, 2, 0);
	/* Those that went before would be called before this one. */
	for (i = 3; i < 6; i++) {
		works(ask_thread(queue, NULL, i));
		put(queue, 3, 0);
		expect_next(queue, 3, 0);
		await_call();
		equal(value_seen, i);
	}
}

/*
 * It asks for no thread itself: the C library's own, made for that, would take the
 * parent's notice.
 */
static void has_no_part_in_it(void *argument)
{
	mqd_t queue = *(mqd_t *)argument;

	fails(ask_none(queue), EBUSY);
	put(queue, 1, 0);
}

static void forked_with_it(void)
{
	mqd_t queue = make_queue(O_RDWR, 4);

	require(sem_init(&called, 0, 0) == 0);
	works(ask_thread(queue, NULL, 5));
	join(tap_spawn(has_no_part_in_it, &queue));
	await_call();
	equal(value_seen, 5);
}

TAP_MAIN(own_queues,
	 TAP_TEST(one_signal_for_the_first_message),
	 TAP_TEST(only_when_it_was_empty),
	 TAP_TEST(the_signal_says_who_sent),
	 TAP_TEST(one_registrant_at_a_time),
	 TAP_TEST(invalid_ways_are_einval),
	 TAP_TEST(closing_any_descriptor_ends_it),
	 TAP_TEST(its_end_ends_it),
	 TAP_TEST(another_program_in_its_place_ends_it),
	 TAP_TEST(a_receiver_that_waits_goes_first),
	 TAP_TEST(a_thread_is_called),
	 TAP_TEST(a_thread_given_up_is_not_called),
	 TAP_TEST(forked_with_it))
