/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Queues and fork(2), execve(2), threads and their cancellation. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "queues.h"

static void answers(void *argument)
{
	mqd_t queue = *(mqd_t *)argument;

	expect_next(queue, 1, 0);
	put(queue, 2, 5);
}

static void a_child_inherits(void)
{
	mqd_t queue = make_queue(O_RDWR, 2);

	put(queue, 1, 0);
	join(tap_spawn(answers, &queue));
	expect_next(queue, 2, 5);
}

static void looks_for(void *argument)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", *(int *)argument);
	execl("/bin/sh", "sh", "-c", "test ! -e \"$0\"", path, (char *)NULL);
	_exit(1);
}

static void closed_on_exec(void)
{
	mqd_t queue = make_queue(O_RDWR, 2);

	check(fcntl(queue, F_GETFD) & FD_CLOEXEC);
	join(tap_spawn(looks_for, &queue));
}

static void nonblock_belongs_to_the_open_file(void)
{
	mqd_t queue = make_queue(O_RDWR | O_NONBLOCK, 2);
	struct mq_attr attr;

	require(fcntl(queue, F_SETFL, 0) == 0);
	works(mq_getattr(queue, &attr));
	equal(attr.mq_flags, 0);
	queue = works(mq_open(NAME, O_RDWR));
	require(fcntl(queue, F_SETFL, O_NONBLOCK) == 0);
	works(mq_getattr(queue, &attr));
	equal(attr.mq_flags, O_NONBLOCK);
}

static void sets_nonblock(void *argument)
{
	struct mq_attr attr = { .mq_flags = O_NONBLOCK };

	works(mq_setattr(*(mqd_t *)argument, &attr, NULL));
}

static void a_child_shares_its_flags(void)
{
	mqd_t queue = make_queue(O_RDWR, 2);
	char data[SIZE];

	join(tap_spawn(sets_nonblock, &queue));
	fails(mq_receive(queue, data, SIZE, NULL), EAGAIN);
}

/* Whoever asks for the lowest number gets it, also beside our own opening. */
static void the_descriptor_is_the_lowest(void)
{
	int free = works(dup(0));
	mqd_t queue;

	works(close(free));
	queue = make_queue(O_RDWR, 2);
	equal(queue, free);
	equal(works(dup(0)), free + 1);
}

/*
 * Threads
 */

enum { THREADS = 4, EACH = 200 };

static mqd_t shared;

static void *sends(void *argument)
{
	unsigned int i;

	for (i = 0; i < EACH; i++)
		works(mq_send(shared, (const char *)&i, sizeof(i), 1));
	return argument;
}

static void *adds(void *argument)
{
	unsigned long sum = 0;
	unsigned int number;
	char data[SIZE];
	int i;

	for (i = 0; i < EACH; i++) {
		works((int)mq_receive(shared, data, SIZE, NULL));
		memcpy(&number, data, sizeof(number));
		sum += number;
	}
	*(unsigned long *)argument = sum;
	return NULL;
}

static void threads_share_it(void)
{
	pthread_t senders[THREADS], receivers[THREADS];
	unsigned long sums[THREADS], sum = 0;
	int i;

	shared = make_queue(O_RDWR, 3);
	for (i = 0; i < THREADS; i++) {
		require(!pthread_create(&senders[i], NULL, sends, NULL));
		require(!pthread_create(&receivers[i], NULL, adds, &sums[i]));
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(senders[i], NULL);
		pthread_join(receivers[i], NULL);
		sum += sums[i];
	}
	equal(sum, THREADS * (unsigned long)EACH * (EACH - 1) / 2);
	expect_empty(shared);
}

/* The address sanitizer is not told of the frames that a cancelled thread leaves. */
#ifdef __SANITIZE_ADDRESS__
#define CAN_CANCEL	false
#else
#define CAN_CANCEL	true
#endif

static pid_t tid_of_thread;
static int cleaned;

static void clean(void *argument)
{
	(void)argument;
	cleaned++;
}

static void *waits_in_receive(void *argument)
{
	char data[SIZE];

	pthread_cleanup_push(clean, NULL);
	__atomic_store_n(&tid_of_thread, gettid(), __ATOMIC_RELEASE);
	mq_receive(shared, data, SIZE, NULL);
	pthread_cleanup_pop(0);
	return argument;
}

static void *waits_in_send(void *argument)
{
	pthread_cleanup_push(clean, NULL);
	__atomic_store_n(&tid_of_thread, gettid(), __ATOMIC_RELEASE);
	mq_send(shared, "", 0, 0);
	pthread_cleanup_pop(0);
	return argument;
}

static void *waits_to_a_deadline(void *argument)
{
	struct timespec deadline = in_ms(3600 * 1000);
	char data[SIZE];

	pthread_cleanup_push(clean, NULL);
	__atomic_store_n(&tid_of_thread, gettid(), __ATOMIC_RELEASE);
	if (argument)
		mq_timedreceive(shared, data, SIZE, NULL, &deadline);
	else
		mq_timedsend(shared, "", 0, 0, &deadline);
	pthread_cleanup_pop(0);
	return argument;
}

static void *waits_in_msgsnd(void *argument)
{
	struct text_message message = { .type = 1 };

	pthread_cleanup_push(clean, NULL);
	__atomic_store_n(&tid_of_thread, gettid(), __ATOMIC_RELEASE);
	msgsnd(*(int *)argument, &message, 50, 0);
	pthread_cleanup_pop(0);
	return argument;
}

static void *waits_in_msgrcv(void *argument)
{
	struct text_message message;

	pthread_cleanup_push(clean, NULL);
	__atomic_store_n(&tid_of_thread, gettid(), __ATOMIC_RELEASE);
	msgrcv(*(int *)argument, &message, sizeof(message.text), 0, 0);
	pthread_cleanup_pop(0);
	return argument;
}

static void cancel(void *(*run)(void *), void *argument)
{
	pthread_t thread;
	void *result;

	cleaned = 0;
	tid_of_thread = 0;
	require(!pthread_create(&thread, NULL, run, argument));
	while (!__atomic_load_n(&tid_of_thread, __ATOMIC_ACQUIRE))
		sched_yield();
	await_sleeping(tid_of_thread);
	require(!pthread_cancel(thread));
	require(!pthread_join(thread, &result));
	check(result == PTHREAD_CANCELED);
	equal(cleaned, 1);
}

static void who_waits_can_be_cancelled(void)
{
	int queue = make_msg(0600);
	struct msqid_ds state = state_of(queue);

	if (!CAN_CANCEL)
		return;
	shared = make_queue(O_RDWR, 1);
	cancel(waits_in_receive, NULL);
	cancel(waits_to_a_deadline, &shared);
	put(shared, 1, 0);
	cancel(waits_in_send, NULL);
	cancel(waits_to_a_deadline, NULL);
	state.msg_qbytes = 49;
	works(msgctl(queue, IPC_SET, &state));
	cancel(waits_in_msgsnd, &queue);
	cancel(waits_in_msgrcv, &queue);
	/* What they waited for is there, and not what they would have sent. */
	expect_next(shared, 1, 0);
	expect_empty(shared);
	put_msg(queue, 1, "kept");
	expect_msg(queue, 0, 0, 1, "kept");
}

static void *is_cancelled_before(void *argument)
{
	pthread_cleanup_push(clean, NULL);
	pthread_cancel(pthread_self());
	mq_send(shared, "", 0, 0);
	pthread_cleanup_pop(0);
	return argument;
}

static void *is_not_cancelled(void *argument)
{
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	pthread_cancel(pthread_self());
	works(mq_send(shared, "", 0, 0));
	return argument;
}

static void they_are_cancellation_points(void)
{
	pthread_t thread;
	void *result;

	if (!CAN_CANCEL)
		return;
	shared = make_queue(O_RDWR, 2);
	require(!pthread_create(&thread, NULL, is_cancelled_before, NULL));
	pthread_join(thread, &result);
	check(result == PTHREAD_CANCELED);
	expect_empty(shared);
	require(!pthread_create(&thread, NULL, is_not_cancelled, NULL));
	pthread_join(thread, &result);
	check(result == NULL);
	equal(count_of(shared), 1);
}

static int both_msg;

static void *works_all_the_time(void *argument)
{
	struct text_message message;
	const unsigned int one = 1;
	char data[SIZE];

	while (!__atomic_load_n((int *)argument, __ATOMIC_ACQUIRE)) {
		mq_send(shared, (const char *)&one, sizeof(one), 0);
		mq_receive(shared, data, SIZE, NULL);
		put_msg(both_msg, 1, "x");
		msgrcv(both_msg, &message, 1, 1, 0);
	}
	return NULL;
}

static void uses_both(void *argument)
{
	mqd_t queue = works(mq_open(NAME, O_RDWR));
	struct text_message message;
	char data[SIZE];

	(void)argument;
	works(mq_send(queue, "abcd", 4, 30));
	equal(mq_receive(queue, data, SIZE, NULL), 4);
	put_msg(both_msg, 2, "y");
	equal(msgrcv(both_msg, &message, 1, 2, 0), 1);
}

static void forks_of_a_threaded_program_can_use_them(void)
{
	pthread_t threads[3];
	int stop = 0;
	int i;

	shared = make_queue(O_RDWR, 8);
	both_msg = make_msg(0600);
	for (i = 0; i < 3; i++)
		require(!pthread_create(&threads[i], NULL, works_all_the_time,
					&stop));
	for (i = 0; i < 20; i++)
		join(tap_spawn(uses_both, NULL));
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	expect_empty(shared);
	equal(state_of(both_msg).msg_qnum, 0);
}

TAP_MAIN(own_queues,
	 TAP_TEST(a_child_inherits),
	 TAP_TEST(closed_on_exec),
	 TAP_TEST(nonblock_belongs_to_the_open_file),
	 TAP_TEST(a_child_shares_its_flags),
	 TAP_TEST(the_descriptor_is_the_lowest),
	 TAP_TEST(threads_share_it),
	 TAP_TEST(who_waits_can_be_cancelled),
	 TAP_TEST(they_are_cancellation_points),
	 TAP_TEST(forks_of_a_threaded_program_can_use_them))
