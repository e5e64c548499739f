/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * mq_notify. The kernel keeps the registration and sends the signal. For a
 * thread, one is started when the process registers: it waits on an eventfd, and
 * goes on as the user's function when the kernel adds to that, or ends when the
 * process gives the registration up.
 */
#include <mqueue.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "mq.h"

/* What is added to an eventfd to say that there will be no notice any more. */
#define GIVEN_UP	(UINT64_C(1) << 32)

/**
 * struct expecting - a thread that waits for notice
 * @next: the one that began before it
 * @object: the queue's id
 * @event: the eventfd
 * @function: the user's
 * @value: its argument
 */
struct expecting {
	struct expecting *next;
	uint64_t object;
	int event;
	void (*function)(union sigval value);
	union sigval value;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct expecting *all;
/* How many: looked at without the lock, which is not for signal handlers. */
static atomic_int count_of_all;

/* Threads are not inherited, nor is the registration. */
static void forget_all(void)
{
	struct expecting *one;

	while ((one = all)) {
		all = one->next;
		ipcbox_close_fd(one->event);
		free(one);
	}
	atomic_store(&count_of_all, 0);
	pthread_mutex_init(&lock, NULL);
}

__attribute__((constructor)) static void watch_forks(void)
{
	pthread_atfork(NULL, NULL, forget_all);
}

static void add(struct expecting *one)
{
	pthread_mutex_lock(&lock);
	one->next = all;
	all = one;
	atomic_fetch_add(&count_of_all, 1);
	pthread_mutex_unlock(&lock);
}

static void take_away(struct expecting *one)
{
	struct expecting **link = &all;

	pthread_mutex_lock(&lock);
	while (*link != one)
		link = &(*link)->next;
	*link = one->next;
	atomic_fetch_sub(&count_of_all, 1);
	pthread_mutex_unlock(&lock);
}

/* Of one that had notice before, the count says so: it is not held up. */
static void give_up(uint64_t object)
{
	const uint64_t given_up = GIVEN_UP;
	struct expecting *one;
	int saved = errno;

	if (!atomic_load(&count_of_all))
		return;
	pthread_mutex_lock(&lock);
	for (one = all; one; one = one->next)
		if (one->object == object &&
		    write(one->event, &given_up, sizeof(given_up)) < 0)
			continue;
	pthread_mutex_unlock(&lock);
	errno = saved;
}

void mq_notify_closed(uint64_t object)
{
	give_up(object);
}

static void *expect(void *argument)
{
	struct expecting *one = argument;
	void (*function)(union sigval value) = one->function;
	union sigval value = one->value;
	uint64_t count = GIVEN_UP;
	sigset_t none;

	pthread_detach(pthread_self());
	/* A descriptor that the program closed tells nothing any more. */
	if (read(one->event, &count, sizeof(count)) != sizeof(count))
		count = GIVEN_UP;
	take_away(one);
	close(one->event);
	free(one);
	/* It may be given up more than once; below is what the kernel added. */
	if (!(count % GIVEN_UP))
		return NULL;
	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
	function(value);
	return NULL;
}

static int start(struct expecting *one, const pthread_attr_t *attributes)
{
	sigset_t every, before;
	pthread_t thread;
	int error;

	/* The thread inherits the mask: no signal is for it until it is called. */
	sigfillset(&every);
	pthread_sigmask(SIG_SETMASK, &every, &before);
	error = pthread_create(&thread, attributes, expect, one);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

static int ask(int fd, struct ipcbox_notify *request)
{
	request->size = sizeof(*request);
	request->flags = IPCBOX_NOTIFY_EXCLUSIVE;
	return ipcbox_ioctl(fd, IPCBOX_IOC_NOTIFY, request);
}

static int ask_nothing(int fd)
{
	struct ipcbox_notify request = { .how = IPCBOX_NOTIFY_NONE };

	return ask(fd, &request);
}

static int ask_signal(int fd, int number, union sigval value)
{
	struct ipcbox_notify request = {
		.how = IPCBOX_NOTIFY_SIGNAL,
		.signal = (uint32_t)number,
		.value = (uintptr_t)value.sival_ptr,
	};

	return ask(fd, &request);
}

static struct expecting *make_expecting(int fd, const struct sigevent *event)
{
	struct ipcbox_stat state = { .size = sizeof(state) };
	struct expecting *one = ipcbox_allocate(sizeof(*one));

	if (!one)
		return NULL;
	one->event = eventfd(0, EFD_CLOEXEC);
	if (one->event < 0 || ipcbox_ioctl(fd, IPCBOX_IOC_STAT, &state)) {
		if (one->event >= 0)
			ipcbox_close_fd(one->event);
		free(one);
		return NULL;
	}
	one->event = mq_keep_high(one->event);
	one->object = state.id;
	one->function = event->sigev_notify_function;
	one->value = event->sigev_value;
	return one;
}

static int ask_thread(int fd, const struct sigevent *event)
{
	struct ipcbox_notify request = { .how = IPCBOX_NOTIFY_EVENTFD };
	struct expecting *one = make_expecting(fd, event);
	int result;

	if (!one)
		return -ENOMEM;
	request.descriptor = one->event;
	result = ask(fd, &request);
	if (result) {
		ipcbox_close_fd(one->event);
		free(one);
		return result;
	}
	/* What was registered before has fired, or ended when it was closed. */
	give_up(one->object);
	add(one);
	result = start(one, event->sigev_notify_attributes);
	if (!result)
		return 0;
	ask_nothing(fd);
	take_away(one);
	ipcbox_close_fd(one->event);
	free(one);
	return result;
}

static int ask_as(int fd, const struct sigevent *event)
{
	const union sigval nothing = { .sival_ptr = NULL };

	switch (event->sigev_notify) {
	case SIGEV_NONE:
		return ask_signal(fd, 0, nothing);
	case SIGEV_SIGNAL:
		return ask_signal(fd, event->sigev_signo, event->sigev_value);
	case SIGEV_THREAD:
		return ask_thread(fd, event);
	}
	return -EINVAL;
}

static int end(int fd)
{
	struct ipcbox_stat state = { .size = sizeof(state) };
	int result = ask_nothing(fd);

	if (result)
		return result;
	if (atomic_load(&count_of_all) &&
	    !ipcbox_ioctl(fd, IPCBOX_IOC_STAT, &state))
		give_up(state.id);
	return 0;
}

/* Not a handle on messages: seen before anything is made for it. */
static bool is_foreign(int fd)
{
	struct ipcbox_stat state = { .size = sizeof(state) };
	int result = ipcbox_ioctl(fd, IPCBOX_IOC_STAT, &state);

	return mq_is_foreign(result) || result == -EBADF;
}

EXPORTED int mq_notify(mqd_t fd, const struct sigevent *event)
{
	if (is_foreign(fd))
		return REAL(mq_notify)(fd, event);
	return answer(event ? ask_as(fd, event) : end(fd));
}
