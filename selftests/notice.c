// SPDX-License-Identifier: GPL-2.0
/*
 * Who asks is told of arrivals: by an eventfd, by one signal that says who sent;
 * and is told no more once it has ended that.
 */
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "notice.h"

#define VALUE	0xfeedc0de12345678ull

/* The eventfd's count, which is then 0. */
static __u64 events(int event)
{
	__u64 count;

	return read(event, &count, sizeof(count)) < 0 ? 0 : count;
}

static int ask(int fd, struct ipcbox_notify *notify)
{
	notify->size = sizeof(*notify);
	return ioctl(fd, IPCBOX_IOC_NOTIFY, notify) ? -errno : 0;
}

static int ask_event(int fd, int event, __u32 flags)
{
	struct ipcbox_notify notify = {
		.flags = flags,
		.how = IPCBOX_NOTIFY_EVENTFD,
		.descriptor = event,
	};

	return ask(fd, &notify);
}

static int ask_signal(int fd, int sig)
{
	struct ipcbox_notify notify = {
		.how = IPCBOX_NOTIFY_SIGNAL,
		.signal = sig,
		.value = VALUE,
	};

	return ask(fd, &notify);
}

static int ask_nothing(int fd)
{
	struct ipcbox_notify notify = { .how = IPCBOX_NOTIFY_NONE };

	return ask(fd, &notify);
}

FIXTURE(notice)
{
	int references;
	int dev;
	int fd;			/* sends and manages */
	int r;			/* receives */
	int event;
};

FIXTURE_VARIANT(notice)
{
	__u32 kind;
};

FIXTURE_VARIANT_ADD(notice, mailbox)
{
	.kind = IPCBOX_MAILBOX,
};

FIXTURE_VARIANT_ADD(notice, queue)
{
	.kind = IPCBOX_QUEUE,
};

FIXTURE_SETUP(notice)
{
	self->references = box_references();
	block_signals();
	signal(SIGPIPE, SIG_IGN);
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	/* Room for four. */
	self->fd = box_make_sized(self->dev, variant->kind, W | M, 4, 0, 0);
	ASSERT_LE(0, self->fd);
	self->r = box_open_id(self->dev, box_id(self->fd), R);
	ASSERT_LE(0, self->r);
	self->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_LE(0, self->event);
}

FIXTURE_TEARDOWN(notice)
{
	EXPECT_EQ(0, pending());
	close(self->r);
	close(self->fd);
	close(self->dev);
	/* Neither an eventfd nor a registration keeps the module. */
	EXPECT_EQ(self->references, box_references());
	close(self->event);
}

/*
 * By eventfd.
 */

TEST_F(notice, an_eventfd_tells_of_an_arrival_into_empty)
{
	__u32 number;

	EXPECT_EQ(0, ask_event(self->r, self->event, 0));
	EXPECT_EQ(0, events(self->event));
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(1, events(self->event));
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(0, events(self->event));
	/* One is left: still not empty. */
	EXPECT_EQ(1, box_get(self->r, &number));
	EXPECT_EQ(1, box_put_priority(self->fd, 3, 9));
	EXPECT_EQ(0, events(self->event));
	empty(self->r);
	EXPECT_EQ(4, write(self->fd, "four", 4));
	EXPECT_EQ(1, events(self->event));
}

TEST_F(notice, what_is_there_when_asking_is_no_arrival)
{
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(0, ask_event(self->r, self->event, IPCBOX_NOTIFY_EVERY));
	EXPECT_EQ(0, events(self->event));
	EXPECT_EQ(0, ask_event(self->r, self->event, 0));
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(0, events(self->event));
}

TEST_F(notice, an_eventfd_tells_of_every_arrival)
{
	__u32 number;
	int i;

	EXPECT_EQ(0, ask_event(self->r, self->event, IPCBOX_NOTIFY_EVERY));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(1, box_put(self->fd, i));
	}
	EXPECT_EQ(4, events(self->event));
	/* What is refused does not arrive. */
	EXPECT_EQ(-EAGAIN, box_put(self->fd, 4));
	EXPECT_EQ(0, events(self->event));
	EXPECT_EQ(1, box_get(self->r, &number));
	EXPECT_EQ(1, box_put(self->fd, 5));
	EXPECT_EQ(1, events(self->event));
}

TEST_F(notice, of_each_message_of_a_batch)
{
	struct ipcbox_outgoing out[3] = { };

	EXPECT_EQ(0, ask_event(self->r, self->event, IPCBOX_NOTIFY_EVERY));
	EXPECT_EQ(3, box_send_many(self->fd, out, 3, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(3, events(self->event));
	empty(self->r);
	EXPECT_EQ(0, ask_event(self->r, self->event, 0));
	EXPECT_EQ(3, box_send_many(self->fd, out, 3, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(1, events(self->event));
}

TEST_F(notice, of_what_a_sender_waited_to_put_in)
{
	pid_t child;
	__u32 number;
	int i;

	for (i = 0; i < 4; i++) {
		EXPECT_EQ(1, box_put(self->fd, i));
	}
	EXPECT_EQ(0, ask_event(self->r, self->event, IPCBOX_NOTIFY_EVERY));
	child = box_fork();
	if (!child) {
		CHECK_EQ(1, box_put_wait(self->fd, 4));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_senders(self->fd, 1));
	EXPECT_EQ(0, events(self->event));
	EXPECT_EQ(1, box_get(self->r, &number));
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(1, events(self->event));
}

TEST_F(notice, of_requests_and_synchronous_messages)
{
	__u32 number, reply = 0, flags;
	struct ipcbox_incoming in;
	pid_t child;

	for (flags = 0; flags <= IPCBOX_NOTIFY_EVERY; flags++) {
		EXPECT_EQ(0, ask_event(self->r, self->event, flags));
		child = box_fork();
		if (!child) {
			CHECK_EQ(0, box_ask(self->fd, 7, &reply));
			CHECK_EQ(8, reply);
			CHECK_EQ(1, box_put_sync(self->fd, 9, IPCBOX_FOREVER));
			_exit(0);
		}
		EXPECT_EQ(0, box_await_messages(self->fd, 1));
		EXPECT_EQ(1, events(self->event));
		EXPECT_EQ(1, box_hold(self->r, &in, &number));
		reply = 8;
		EXPECT_EQ(0, box_reply(self->r, in.token, &reply,
				       sizeof(reply), 0));
		EXPECT_EQ(0, box_await_messages(self->fd, 1));
		EXPECT_EQ(1, events(self->event));
		EXPECT_EQ(1, box_get(self->r, &number));
		EXPECT_EQ(9, number);
		EXPECT_EQ(0, box_wait(child));
	}
}

TEST_F(notice, not_of_what_a_waiting_receiver_gets)
{
	pid_t child;
	int how;

	for (how = 0; how < 3; how++) {
		if (how < 2) {
			EXPECT_EQ(0, ask_event(self->r, self->event, how));
		} else {
			EXPECT_EQ(0, ask_signal(self->r, SIGUSR1));
		}
		child = box_fork();
		if (!child) {
			__u32 number;

			CHECK_EQ(1, box_get_wait(self->r, &number));
			CHECK_EQ(how, number);
			_exit(0);
		}
		EXPECT_EQ(0, box_await_receivers(self->fd, 1));
		EXPECT_EQ(1, box_put(self->fd, how));
		EXPECT_EQ(0, box_wait(child));
		EXPECT_EQ(0, events(self->event));
		EXPECT_EQ(0, pending());
		/* The registration is there yet. */
		EXPECT_EQ(1, box_put(self->fd, 10));
		EXPECT_EQ(how < 2 ? 1 : 0, events(self->event));
		EXPECT_EQ(how < 2 ? 0 : SIGUSR1, pending());
		empty(self->r);
	}
}

TEST_F(notice, of_what_a_waiting_receiver_does_not_select)
{
	struct ipcbox_receive receive = {
		.flags = IPCBOX_SELECT_TAG,
		.deadline = IPCBOX_FOREVER,
		.tag = 5,
		.tag_mask = -1ull,
	};
	pid_t child;
	__u32 number;

	EXPECT_EQ(0, ask_event(self->r, self->event, IPCBOX_NOTIFY_EVERY));
	child = box_fork();
	if (!child) {
		struct ipcbox_incoming in = {
			.data = (uintptr_t)&number,
			.capacity = sizeof(number),
		};

		CHECK_EQ(1, box_select(self->r, &receive, &in, 1));
		CHECK_EQ(5, number);
		_exit(0);
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(1, box_put(self->fd, 4));
	EXPECT_EQ(1, events(self->event));
	EXPECT_EQ(1, box_put(self->fd, 5));
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, events(self->event));
}

/* Of a queue, as a mailbox has one handle that may receive. */
TEST(each_handle_has_its_own)
{
	int dev = box_device(), fd, other, event[2], i;

	block_signals();
	fd = box_make(dev, IPCBOX_QUEUE, R | W);
	ASSERT_LE(0, fd);
	other = box_open_id(dev, box_id(fd), R);
	ASSERT_LE(0, other);
	for (i = 0; i < 2; i++)
		event[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	EXPECT_EQ(0, ask_event(fd, event[0], 0));
	EXPECT_EQ(0, ask_event(other, event[1], IPCBOX_NOTIFY_EVERY));
	EXPECT_EQ(1, box_put(fd, 1));
	EXPECT_EQ(1, box_put(fd, 2));
	EXPECT_EQ(1, events(event[0]));
	EXPECT_EQ(2, events(event[1]));
	empty(fd);

	/* The same arrival is told by both. */
	EXPECT_EQ(0, ask_signal(fd, SIGUSR1));
	EXPECT_EQ(0, ask_signal(other, SIGUSR2));
	EXPECT_EQ(1, box_put(fd, 3));
	EXPECT_EQ(SIGUSR1, pending());
	EXPECT_EQ(SIGUSR2, pending());
	EXPECT_EQ(0, pending());
	empty(fd);

	/* One ends, the other does not. */
	EXPECT_EQ(0, ask_event(fd, event[0], 0));
	EXPECT_EQ(0, ask_event(other, event[1], 0));
	close(other);
	EXPECT_EQ(1, box_put(fd, 4));
	EXPECT_EQ(1, events(event[0]));
	EXPECT_EQ(0, events(event[1]));
	close(fd);
	close(dev);
}

TEST_F(notice, the_descriptor_of_the_eventfd_may_be_closed)
{
	int copy = dup(self->event);

	EXPECT_EQ(0, ask_event(self->r, copy, 0));
	close(copy);
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(1, events(self->event));
	/* And the eventfd itself: nobody is told, nothing breaks. */
	copy = eventfd(0, EFD_CLOEXEC);
	EXPECT_EQ(0, ask_event(self->r, copy, IPCBOX_NOTIFY_EVERY));
	close(copy);
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(0, events(self->event));
}

TEST_F(notice, a_full_eventfd_holds_up_nobody)
{
	__u64 most = -2ull;

	EXPECT_EQ(8, write(self->event, &most, sizeof(most)));
	EXPECT_EQ(0, ask_event(self->r, self->event, IPCBOX_NOTIFY_EVERY));
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_LE(most, events(self->event));
	EXPECT_EQ(1, box_put(self->fd, 3));
	EXPECT_EQ(1, events(self->event));
}

/*
 * By one signal.
 */

TEST_F(notice, a_signal_says_who_sent_and_what_was_asked)
{
	siginfo_t info;

	EXPECT_EQ(0, ask_signal(self->r, SIGUSR1));
	EXPECT_EQ(0, pending());
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(SIGUSR1, took(&info));
	EXPECT_EQ(SI_MESGQ, info.si_code);
	EXPECT_EQ((void *)VALUE, info.si_value.sival_ptr);
	EXPECT_EQ(getpid(), info.si_pid);
	EXPECT_EQ(geteuid(), info.si_uid);
}

TEST_F(notice, the_sender_may_be_another_process_and_user)
{
	siginfo_t info;
	pid_t child;

	if (geteuid())
		SKIP(return, "needs root, to act as another user");
	EXPECT_EQ(0, ask_signal(self->r, SIGRTMIN));
	child = box_fork();
	if (!child) {
		/* Who might not send it a signal. */
		CHECK_EQ(0, box_become(1234, 1235));
		CHECK_EQ(-1, kill(getppid(), 0));
		CHECK_EQ(1, box_put(self->fd, 1));
		CHECK_EQ(0, pending());
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(SIGRTMIN, took(&info));
	EXPECT_EQ(SI_MESGQ, info.si_code);
	EXPECT_EQ((void *)VALUE, info.si_value.sival_ptr);
	EXPECT_EQ(child, info.si_pid);
	EXPECT_EQ(1234, info.si_uid);
}

/* The first process of a pid namespace, or an end with KSFT_SKIP. */
static pid_t fork_inside(void)
{
	fflush(NULL);
	if (unshare(CLONE_NEWPID))
		_exit(KSFT_SKIP);
	return box_fork();
}

TEST_F(notice, the_sender_is_named_as_the_receiver_sees_it)
{
	pid_t child, inner, *inside = box_shared(sizeof(*inside));
	siginfo_t info;
	int status;

	if (geteuid())
		SKIP(return, "needs root, to make a namespace");
	EXPECT_EQ(0, ask_signal(self->r, SIGUSR1));
	child = box_fork();
	if (!child) {
		inner = fork_inside();
		if (!inner) {
			CHECK_EQ(1, getpid());
			CHECK_EQ(1, box_put(self->fd, 1));
			_exit(0);
		}
		*inside = inner;
		_exit(box_wait(inner));
	}
	status = box_wait(child);
	if (status == KSFT_SKIP)
		SKIP(return, "this kernel makes no pid namespaces");
	EXPECT_EQ(0, status);
	EXPECT_EQ(SIGUSR1, took(&info));
	EXPECT_EQ(*inside, info.si_pid);
	empty(self->r);

	/* From inside, a sender outside has no number. */
	child = box_fork();
	if (!child) {
		inner = fork_inside();
		if (!inner) {
			CHECK_EQ(0, getppid());
			CHECK_EQ(0, ask_signal(self->r, SIGUSR1));
			CHECK_EQ(1, box_put(self->fd, 2));
			CHECK_EQ(SIGUSR1, took(&info));
			CHECK_EQ(1, info.si_pid);
			empty(self->r);
			CHECK_EQ(0, ask_signal(self->r, SIGUSR1));
			__atomic_store_n(inside, 0, __ATOMIC_RELEASE);
			CHECK_EQ(0, box_await_messages(self->fd, 1));
			while (!took(&info))
				sched_yield();
			CHECK_EQ(SI_MESGQ, info.si_code);
			CHECK_EQ(0, info.si_pid);
			_exit(0);
		}
		box_await_flag((__u32 *)inside, 0);
		CHECK_EQ(1, box_put(self->fd, 3));
		_exit(box_wait(inner));
	}
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(notice, a_signal_is_sent_once)
{
	int i;

	EXPECT_EQ(0, ask_signal(self->r, SIGRTMIN));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(1, box_put(self->fd, i));
		EXPECT_EQ(i ? 0 : SIGRTMIN, pending());
		EXPECT_EQ(0, pending());
		empty(self->r);
	}
	EXPECT_EQ(0, ask_signal(self->r, SIGRTMIN));
	EXPECT_EQ(1, box_put(self->fd, i));
	EXPECT_EQ(SIGRTMIN, pending());
}

TEST_F(notice, no_signal_of_an_arrival_where_messages_are)
{
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(0, ask_signal(self->r, SIGUSR1));
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(0, pending());
	empty(self->r);
	EXPECT_EQ(1, box_put(self->fd, 3));
	EXPECT_EQ(SIGUSR1, pending());
}

TEST_F(notice, none_ends_it)
{
	/* Also where there is none. */
	EXPECT_EQ(0, ask_nothing(self->r));
	EXPECT_EQ(0, ask_signal(self->r, SIGUSR1));
	EXPECT_EQ(0, ask_nothing(self->r));
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(0, pending());
	EXPECT_EQ(0, ask_event(self->r, self->event, IPCBOX_NOTIFY_EVERY));
	EXPECT_EQ(0, ask_nothing(self->r));
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(0, events(self->event));
}

TEST_F(notice, a_new_registration_takes_the_place_of_the_old)
{
	siginfo_t info;
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct ipcbox_notify notify = {
		.how = IPCBOX_NOTIFY_SIGNAL,
		.signal = SIGUSR2,
		.value = 5,
	};

	EXPECT_EQ(0, ask_signal(self->r, SIGUSR1));
	EXPECT_EQ(0, ask(self->r, &notify));
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(SIGUSR2, took(&info));
	EXPECT_EQ((void *)5, info.si_value.sival_ptr);
	EXPECT_EQ(0, pending());
	empty(self->r);

	EXPECT_EQ(0, ask_signal(self->r, SIGUSR1));
	EXPECT_EQ(0, ask_event(self->r, self->event, IPCBOX_NOTIFY_EVERY));
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(0, pending());
	EXPECT_EQ(1, events(self->event));

	EXPECT_EQ(0, ask_event(self->r, event, 0));
	EXPECT_EQ(1, box_put(self->fd, 3));
	empty(self->r);
	EXPECT_EQ(1, box_put(self->fd, 4));
	EXPECT_EQ(0, events(self->event));
	EXPECT_EQ(1, events(event));
	empty(self->r);

	EXPECT_EQ(0, ask_signal(self->r, SIGUSR1));
	EXPECT_EQ(1, box_put(self->fd, 5));
	EXPECT_EQ(0, events(event));
	EXPECT_EQ(SIGUSR1, pending());
	close(event);
}

TEST_F(notice, closing_the_handle_ends_it)
{
	int copy = dup(self->r), w;

	EXPECT_EQ(0, ask_signal(self->r, SIGUSR1));
	close(self->r);
	/* Not while another descriptor of the handle is open. */
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(SIGUSR1, pending());
	empty(copy);
	EXPECT_EQ(0, ask_event(copy, self->event, IPCBOX_NOTIFY_EVERY));
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(1, events(self->event));
	empty(copy);
	close(copy);

	/* The next receive handle has nothing of it. */
	self->r = box_open_id(self->dev, box_id(self->fd), R);
	ASSERT_LE(0, self->r);
	EXPECT_EQ(1, box_put(self->fd, 3));
	EXPECT_EQ(0, events(self->event));
	empty(self->r);
	EXPECT_EQ(0, ask_signal(self->r, SIGUSR1));
	close(self->r);
	self->r = box_open_id(self->dev, box_id(self->fd), R);
	w = box_open_id(self->dev, box_id(self->fd), W);
	EXPECT_EQ(1, box_put(w, 4));
	EXPECT_EQ(0, pending());
	close(w);
}

TEST_F(notice, the_death_of_the_only_holder_ends_it)
{
	pid_t child;

	close(self->r);
	child = box_fork();
	if (!child) {
		self->r = box_open_id(self->dev, box_id(self->fd), R);
		CHECK_EQ(0, ask_event(self->r, self->event,
				      IPCBOX_NOTIFY_EVERY));
		CHECK_EQ(1, box_put(self->fd, 1));
		raise(SIGKILL);
	}
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child));
	EXPECT_EQ(1, events(self->event));
	self->r = box_open_id(self->dev, box_id(self->fd), R);
	ASSERT_LE(0, self->r);
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(0, events(self->event));
}

TEST_F(notice, the_registration_is_the_handle_s)
{
	int copy = dup(self->r);
	pid_t child;

	/* By one descriptor, replaced and ended by another. */
	EXPECT_EQ(0, ask_signal(self->r, SIGUSR1));
	EXPECT_EQ(0, ask_signal(copy, SIGUSR2));
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(SIGUSR2, pending());
	EXPECT_EQ(0, pending());
	empty(self->r);
	EXPECT_EQ(0, ask_signal(self->r, SIGUSR1));
	EXPECT_EQ(0, ask_nothing(copy));
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(0, pending());
	empty(self->r);
	close(copy);

	/* And by another process. */
	EXPECT_EQ(0, ask_signal(self->r, SIGUSR1));
	child = box_fork();
	if (!child) {
		CHECK_EQ(0, ask_nothing(self->r));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(1, box_put(self->fd, 3));
	EXPECT_EQ(0, pending());
	empty(self->r);
}

TEST_F(notice, a_signal_goes_to_the_process_that_asked)
{
	pid_t child;

	EXPECT_EQ(0, ask_signal(self->r, SIGUSR1));
	child = box_fork();
	if (!child) {
		CHECK_EQ(0, ask_signal(self->r, SIGUSR2));
		CHECK_EQ(1, box_put(self->fd, 1));
		CHECK_EQ(SIGUSR2, pending());
		CHECK_EQ(0, pending());
		empty(self->r);
		/* Left behind. */
		CHECK_EQ(0, ask_signal(self->r, SIGUSR1));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	/* It has died; nobody is told in its place. */
	EXPECT_EQ(0, pending());
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(0, pending());
	empty(self->r);

	/* Asked by the parent, it is not the child's. */
	EXPECT_EQ(0, ask_signal(self->r, SIGUSR1));
	child = box_fork();
	if (!child) {
		CHECK_EQ(1, box_put(self->fd, 3));
		CHECK_EQ(0, pending());
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(SIGUSR1, pending());
}

static void *thread_asks(void *arg)
{
	FIXTURE_DATA(notice) * self = arg;
	long bad;

	bad = ask_signal(self->r, SIGUSR1) != 0;
	bad |= box_put(self->fd, 1) != 1;
	/* Not this thread's. */
	bad |= pending() != 0;
	return (void *)bad;
}

TEST_F(notice, a_signal_goes_to_the_main_thread)
{
	pthread_t thread;
	void *bad = self;

	ASSERT_EQ(0, pthread_create(&thread, NULL, thread_asks, self));
	ASSERT_EQ(0, pthread_join(thread, &bad));
	EXPECT_EQ(NULL, bad);
	EXPECT_EQ(SIGUSR1, pending());
}

/* A child that asks for a signal which ends it, and runs cat, or not. */
static pid_t asks_and_runs(FIXTURE_DATA(notice) * self, int *line, bool runs)
{
	sigset_t set;
	int pair[2];
	pid_t child;
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -1;
	child = box_fork();
	if (child) {
		close(pair[1]);
		*line = pair[0];
		return child;
	}
	close(pair[0]);
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	signal(SIGUSR1, SIG_DFL);
	CHECK_EQ(0, ask_signal(self->r, SIGUSR1));
	if (runs) {
		CHECK_EQ(0, dup2(pair[1], 0));
		CHECK_EQ(1, dup2(pair[1], 1));
		execlp("cat", "cat", NULL);
		_exit(KSFT_SKIP);
	}
	while (read(pair[1], &byte, 1) == 1)
		CHECK_EQ(1, write(pair[1], &byte, 1));
	_exit(0);
}

static bool echoes(int line)
{
	char byte = 'e';

	return write(line, &byte, 1) == 1 && read(line, &byte, 1) == 1;
}

TEST_F(notice, no_signal_once_another_program_was_executed)
{
	int line = -1, status;
	pid_t child;

	/* The same without, to know that the signal would show. */
	child = asks_and_runs(self, &line, false);
	EXPECT_TRUE(echoes(line));
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(BOX_KILLED(SIGUSR1), box_wait(child));
	close(line);
	empty(self->r);

	child = asks_and_runs(self, &line, true);
	if (echoes(line)) {
		EXPECT_EQ(1, box_put(self->fd, 2));
		EXPECT_TRUE(echoes(line));
		close(line);
		EXPECT_EQ(0, box_wait(child));
	} else {
		status = box_wait(child);
		close(line);
		if (status == KSFT_SKIP)
			SKIP(return, "there is no cat to execute");
		EXPECT_EQ(0, status);
	}
}

/*
 * Wrong arguments.
 */

TEST_F(notice, wrong_arguments_change_nothing)
{
	const struct ipcbox_notify good = {
		.flags = IPCBOX_NOTIFY_EVERY,
		.how = IPCBOX_NOTIFY_EVENTFD,
		.descriptor = self->event,
	};
	const struct ipcbox_notify sig = {
		.how = IPCBOX_NOTIFY_SIGNAL,
		.signal = SIGUSR1,
		.value = VALUE,
	};
	struct ipcbox_notify wrong[] = {
		/* Event. */
		good, good, good, good, good, good, good,
		/* Signal. */
		sig, sig, sig, sig, sig, sig, sig,
		/* None. */
		{ .flags = IPCBOX_NOTIFY_EVERY }, { .signal = SIGUSR1 },
		{ .value = 1 }, { .descriptor = self->event },
		{ .descriptor = -1 }, { .pad = 1 }, { .flags = 4 },
		{ .how = 3 }, { .how = -1u },
	};
	unsigned int i;

	wrong[0].flags |= 4;
	wrong[1].flags |= 1u << 31;
	wrong[2].pad = 1;
	wrong[3].signal = SIGUSR1;
	wrong[4].value = 1;
	wrong[5].descriptor = self->dev;
	wrong[6].descriptor = self->r;
	wrong[7].flags = IPCBOX_NOTIFY_EVERY;
	wrong[8].flags = 4;
	wrong[9].pad = 1;
	wrong[10].signal = 0;
	wrong[11].signal = 65;
	wrong[12].signal = -1u;
	wrong[13].descriptor = self->event;

	EXPECT_EQ(0, ask_event(self->r, self->event, IPCBOX_NOTIFY_EVERY));
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		EXPECT_EQ(-EINVAL, ask(self->r, &wrong[i]))
			TH_LOG("wrong[%u]", i);
	}
	EXPECT_EQ(-EBADF, ask_event(self->r, -1, 0));
	EXPECT_EQ(-EBADF, ask_event(self->r, 1000000, 0));
	EXPECT_EQ(-ENOTTY, ask_signal(self->dev, SIGUSR1));
	/* The old one is there, and nothing else. */
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(2, events(self->event));
	EXPECT_EQ(0, pending());
}

TEST_F(notice, signals_of_the_whole_range_are_taken)
{
	EXPECT_EQ(0, ask_signal(self->r, 1));
	EXPECT_EQ(0, ask_signal(self->r, 64));
	EXPECT_EQ(0, ask_nothing(self->r));
}

TEST_F(notice, needs_the_right_to_receive)
{
	int m = box_open_id(self->dev, box_id(self->fd), M);

	EXPECT_EQ(-EACCES, ask_event(self->fd, self->event, 0));
	EXPECT_EQ(-EACCES, ask_signal(self->fd, SIGUSR1));
	EXPECT_EQ(-EACCES, ask_signal(m, SIGUSR1));
	EXPECT_EQ(-EACCES, ask_nothing(m));
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(0, events(self->event));
	EXPECT_EQ(0, pending());
	close(m);
}

TEST_F(notice, everything_at_once)
{
	EXPECT_EQ(0, async(self->r, getpid(), SIGRTMIN));
	EXPECT_EQ(0, ask_signal(self->r, SIGUSR1));
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(SIGUSR1, pending());
	EXPECT_EQ(SIGRTMIN, pending());
	EXPECT_EQ(POLLIN, box_poll(self->r) & POLLIN);
	EXPECT_EQ(0, ask_event(self->r, self->event, IPCBOX_NOTIFY_EVERY));
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(1, events(self->event));
	EXPECT_EQ(SIGRTMIN, pending());
}

TEST_HARNESS_MAIN
