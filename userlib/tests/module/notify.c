/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Notice of arrivals. */
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

/* How often the eventfd was added to since it was last asked. */
static uint64_t count_of(int fd)
{
	uint64_t count;

	return read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

static int make_eventfd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	require(fd >= 0);
	return fd;
}

static void block(int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	require(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
}

/* Takes a blocked signal that is pending, or says 0. */
static int take_signal(int signal, siginfo_t *info)
{
	struct timespec now = { 0 };
	sigset_t set;
	int taken;

	sigemptyset(&set);
	sigaddset(&set, signal);
	taken = sigtimedwait(&set, info, &now);
	return taken < 0 ? 0 : taken;
}

static void an_eventfd_tells_of_the_first(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	int fd = make_eventfd();

	equal(ipcbox_notify_eventfd(queue, fd, 0), 0);
	equal(send_text(queue, "one"), 0);
	equal(send_text(queue, "two"), 0);
	equal(count_of(fd), 1);
	expect_text(queue, "one");
	expect_text(queue, "two");
	equal(send_text(queue, "three"), 0);
	equal(count_of(fd), 1);
	equal(ipcbox_notify_none(queue), 0);
	expect_text(queue, "three");
	equal(send_text(queue, "four"), 0);
	equal(count_of(fd), 0);
	equal(ipcbox_notify_none(queue), 0);
	close(fd);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void an_eventfd_tells_of_each_if_asked(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_handle *other = reopen(box, queue, RECEIVE);
	int fd = make_eventfd();

	equal(ipcbox_notify_eventfd(other, fd, IPCBOX_NOTIFY_EVERY), 0);
	equal(send_text(queue, "one"), 0);
	equal(send_text(queue, "two"), 0);
	equal(send_text(queue, "three"), 0);
	equal(count_of(fd), 3);
	/* The registration is the handle's. */
	ipcbox_close(other);
	equal(send_text(queue, "four"), 0);
	equal(count_of(fd), 0);
	close(fd);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void a_signal_comes_once(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	siginfo_t info = { .si_signo = 0 };

	block(SIGUSR2);
	equal(ipcbox_notify_signal(queue, SIGUSR2, ipcbox_address(&info)),
	      0);
	equal(take_signal(SIGUSR2, &info), 0);
	equal(send_text(queue, "one"), 0);
	equal(take_signal(SIGUSR2, &info), SIGUSR2);
	equal(info.si_code, SI_MESGQ);
	equal(info.si_pid, getpid());
	equal(info.si_uid, 0);
	check(info.si_value.sival_ptr == &info);
	expect_text(queue, "one");
	equal(send_text(queue, "two"), 0);
	equal(take_signal(SIGUSR2, &info), 0);
	/* Again, if asked again; and of no message that is there. */
	equal(ipcbox_notify_signal(queue, SIGUSR2, 77), 0);
	equal(take_signal(SIGUSR2, &info), 0);
	expect_text(queue, "two");
	equal(send_text(queue, "three"), 0);
	equal(take_signal(SIGUSR2, &info), SIGUSR2);
	check(info.si_value.sival_ptr == (void *)77);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void receive_one(void *argument)
{
	char text[8];

	equal(ipcbox_receive(argument, text, sizeof(text), NULL, 0, 0), 3);
}

static void who_waits_needs_no_notice(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	int fd = make_eventfd();
	pid_t child;

	equal(ipcbox_notify_eventfd(queue, fd, IPCBOX_NOTIFY_EVERY), 0);
	child = tap_spawn(receive_one, queue);
	await_receivers(queue, 1);
	equal(send_text(queue, "one"), 0);
	join(child);
	equal(count_of(fd), 0);
	close(fd);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void bad_registrations_are_refused(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_handle *sender = reopen(box, queue, SEND);
	int fd = make_eventfd();

	errno = ECHILD;
	equal(ipcbox_notify_eventfd(queue, -1, 0), -EBADF);
	equal(ipcbox_notify_eventfd(queue, STDOUT_FILENO, 0), -EINVAL);
	equal(ipcbox_notify_eventfd(queue, fd, 0x80), -EINVAL);
	equal(ipcbox_notify_eventfd(sender, fd, 0), -EACCES);
	equal(ipcbox_notify_signal(queue, 0, 0), -EINVAL);
	equal(ipcbox_notify_signal(queue, -1, 0), -EINVAL);
	equal(ipcbox_notify_signal(queue, 1000, 0), -EINVAL);
	equal(ipcbox_notify_signal(sender, SIGUSR2, 0), -EACCES);
	equal(ipcbox_notify_none(sender), -EACCES);
	equal(errno, ECHILD);
	close(fd);
	ipcbox_close(sender);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void a_descriptor_sends_signals_as_a_pipe_does(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct ipcbox_handle *receiver = reopen(box, queue, RECEIVE);
	int fd = ipcbox_handle_fd(receiver);
	siginfo_t info;

	block(SIGUSR2);
	require(fcntl(fd, F_SETOWN, getpid()) == 0);
	require(fcntl(fd, F_SETSIG, SIGUSR2) == 0);
	require(fcntl(fd, F_SETFL, O_ASYNC) == 0);
	equal(send_text(queue, "one"), 0);
	equal(take_signal(SIGUSR2, &info), SIGUSR2);
	equal(info.si_fd, fd);
	ipcbox_close(receiver);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

TAP_MAIN(own_box, TAP_TEST(an_eventfd_tells_of_the_first),
	 TAP_TEST(an_eventfd_tells_of_each_if_asked),
	 TAP_TEST(a_signal_comes_once), TAP_TEST(who_waits_needs_no_notice),
	 TAP_TEST(bad_registrations_are_refused),
	 TAP_TEST(a_descriptor_sends_signals_as_a_pipe_does))
