// SPDX-License-Identifier: GPL-2.0
/*
 * Notice as mq_notify(3) has it: one registration for an object, the process's
 * own, which ends when it fires, and when the process closes any descriptor.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include "kselftest_harness.h"
#include "box.h"

FIXTURE(exclusive)
{
	int dev;
	int fd;
	int event;
};

FIXTURE_SETUP(exclusive)
{
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = box_make(self->dev, IPCBOX_QUEUE, RWM);
	ASSERT_LE(0, self->fd);
	self->event = eventfd(0, EFD_NONBLOCK);
	ASSERT_LE(0, self->event);
}

FIXTURE_TEARDOWN(exclusive)
{
	close(self->event);
	close(self->fd);
	close(self->dev);
}

static int ask(int fd, struct ipcbox_notify *notify)
{
	notify->size = sizeof(*notify);
	notify->flags |= IPCBOX_NOTIFY_EXCLUSIVE;
	return ioctl(fd, IPCBOX_IOC_NOTIFY, notify) ? -errno : 0;
}

static int ask_signal(int fd, int signal)
{
	struct ipcbox_notify notify = {
		.how = IPCBOX_NOTIFY_SIGNAL,
		.signal = signal,
		.value = 5,
	};

	return ask(fd, &notify);
}

static int ask_event(int fd, int event)
{
	struct ipcbox_notify notify = {
		.how = IPCBOX_NOTIFY_EVENTFD,
		.descriptor = event,
	};

	return ask(fd, &notify);
}

static int ask_nothing(int fd)
{
	struct ipcbox_notify notify = { .how = IPCBOX_NOTIFY_NONE };

	return ask(fd, &notify);
}

static __u64 events(int event)
{
	__u64 count;

	return read(event, &count, sizeof(count)) < 0 ? 0 : count;
}

static void empty(int fd)
{
	__u32 number;

	while (box_get(fd, &number) == 1)
		;
}

TEST_F(exclusive, there_is_one_and_it_fires_once)
{
	pid_t child;

	EXPECT_EQ(0, ask_event(self->fd, self->event));
	EXPECT_EQ(-EBUSY, ask_event(self->fd, self->event));
	EXPECT_EQ(-EBUSY, ask_signal(self->fd, 0));
	child = box_fork();
	if (!child) {
		CHECK_EQ(-EBUSY, ask_signal(self->fd, SIGUSR1));
		/* It is not this process's to end. */
		CHECK_EQ(0, ask_nothing(self->fd));
		CHECK_EQ(-EBUSY, ask_signal(self->fd, SIGUSR1));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(1, events(self->event));
	empty(self->fd);
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(0, events(self->event));
	empty(self->fd);
	EXPECT_EQ(0, ask_event(self->fd, self->event));
	EXPECT_EQ(0, ask_nothing(self->fd));
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(0, events(self->event));
}

TEST_F(exclusive, one_that_tells_nobody_is_one)
{
	EXPECT_EQ(0, ask_signal(self->fd, 0));
	EXPECT_EQ(-EBUSY, ask_event(self->fd, self->event));
	EXPECT_EQ(1, box_put(self->fd, 1));
	/* It fired, and is no more. */
	EXPECT_EQ(0, ask_event(self->fd, self->event));
}

TEST_F(exclusive, a_receiver_that_waits_goes_first)
{
	__u32 number;
	pid_t child;

	child = box_fork();
	if (!child) {
		CHECK_EQ(1, box_get_wait(self->fd, &number));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(0, ask_event(self->fd, self->event));
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, events(self->event));
	EXPECT_EQ(-EBUSY, ask_event(self->fd, self->event));
}

TEST_F(exclusive, it_needs_no_right)
{
	int w = box_open_id(self->dev, box_id(self->fd), W);

	ASSERT_LE(0, w);
	EXPECT_EQ(0, ask_event(w, self->event));
	close(w);
}

TEST_F(exclusive, closing_any_descriptor_ends_it)
{
	int other = box_open_id(self->dev, box_id(self->fd), W);
	int copy = dup(self->fd);
	pid_t child;

	ASSERT_LE(0, other);
	ASSERT_LE(0, copy);
	EXPECT_EQ(0, ask_event(self->fd, self->event));
	/* But not another process's. */
	child = box_fork();
	if (!child) {
		close(self->fd);
		close(copy);
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(-EBUSY, ask_event(self->fd, self->event));
	close(copy);
	EXPECT_EQ(0, ask_event(self->fd, self->event));
	close(other);
	EXPECT_EQ(0, ask_event(self->fd, self->event));
}

TEST_F(exclusive, it_ends_with_its_process)
{
	pid_t child;

	child = box_fork();
	if (!child) {
		CHECK_EQ(0, ask_signal(self->fd, SIGUSR1));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, ask_event(self->fd, self->event));
}

TEST_F(exclusive, it_ends_with_its_object)
{
	EXPECT_EQ(0, ask_event(self->fd, self->event));
	close(self->fd);
	self->fd = box_make(self->dev, IPCBOX_QUEUE, RWM);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(0, ask_event(self->fd, self->event));
}

/* Takes the signal that the main thread does not. */
static void *take_signal(void *signal)
{
	sigset_t set;
	int taken = 0;

	sigemptyset(&set);
	sigaddset(&set, *(int *)signal);
	sigwait(&set, &taken);
	return (void *)(intptr_t)taken;
}

TEST_F(exclusive, a_signal_goes_to_a_thread_that_takes_it)
{
	int signal = SIGUSR1;
	pthread_t thread;
	sigset_t set;
	void *taken;
	__u32 i;

	sigemptyset(&set);
	sigaddset(&set, signal);
	sigprocmask(SIG_BLOCK, &set, NULL);
	ASSERT_EQ(0, pthread_create(&thread, NULL, take_signal, &signal));
	/* Until the thread waits the signal stays with the main thread. */
	for (i = 0;; i++) {
		const struct timespec moment = { .tv_nsec = 10000000 };

		EXPECT_EQ(0, ask_signal(self->fd, signal));
		EXPECT_EQ(1, box_put(self->fd, i));
		empty(self->fd);
		if (sigtimedwait(&set, NULL, &moment) < 0)
			break;
	}
	EXPECT_EQ(0, pthread_join(thread, &taken));
	EXPECT_EQ(signal, (intptr_t)taken);
}

TEST_F(exclusive, what_excludes_each_other_is_refused)
{
	struct ipcbox_notify notify = {
		.flags = IPCBOX_NOTIFY_EVERY,
		.how = IPCBOX_NOTIFY_EVENTFD,
		.descriptor = self->event,
	};

	EXPECT_EQ(-EINVAL, ask(self->fd, &notify));
	notify = (struct ipcbox_notify) { .how = IPCBOX_NOTIFY_NONE,
					  .signal = 1 };
	EXPECT_EQ(-EINVAL, ask(self->fd, &notify));
	EXPECT_EQ(-EINVAL, ask_signal(self->fd, 65));
	EXPECT_EQ(0, ask_event(self->fd, self->event));
}

TEST_HARNESS_MAIN
