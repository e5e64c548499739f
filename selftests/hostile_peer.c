// SPDX-License-Identifier: GPL-2.0
/*
 * No peer is trusted: one that holds up the kernel's copy of its own memory, by
 * userfaultfd(2), holds up nobody else, and loses nothing when it is killed or
 * its memory goes away under the copy.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <linux/userfaultfd.h>

#include "kselftest_harness.h"
#include "box.h"

FIXTURE(hostile)
{
	int dev;
	int fd;
	long page;
};

FIXTURE_VARIANT(hostile)
{
	__u32 kind;
};

FIXTURE_VARIANT_ADD(hostile, queue)
{
	.kind = IPCBOX_QUEUE,
};

FIXTURE_VARIANT_ADD(hostile, mailbox)
{
	.kind = IPCBOX_MAILBOX,
};

FIXTURE_SETUP(hostile)
{
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->page = sysconf(_SC_PAGESIZE);
	self->fd = box_make_sized(self->dev, variant->kind, RWM, 4, 0, 0);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(hostile)
{
	struct ipcbox_stat stat;

	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(stat.sent, stat.received + stat.messages);
	EXPECT_EQ(0, stat.senders_waiting);
	EXPECT_EQ(0, stat.receivers_waiting);
	close(self->fd);
	close(self->dev);
}

/* A page whose first use stops the user, until the userfaultfd is served. */
static char *set_trap(int *faults, long page)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	char *trap;

	*faults = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (*faults < 0 || ioctl(*faults, UFFDIO_API, &api))
		return NULL;
	trap = mmap(NULL, page, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	range.range.start = (uintptr_t)trap;
	range.range.len = page;
	if (trap == MAP_FAILED || ioctl(*faults, UFFDIO_REGISTER, &range))
		return NULL;
	return trap;
}

/* Until somebody hangs in the trap. */
static void await_fault(int faults)
{
	struct uffd_msg msg;

	CHECK_EQ(sizeof(msg), read(faults, &msg, sizeof(msg)));
	CHECK_EQ(UFFD_EVENT_PAGEFAULT, msg.event);
}

/* A process of two threads: one hangs in the trap, one watches. */
struct trapped {
	pid_t pid;
	__u32 *flag;
	__s32 *result;		/* what the call returned in the end */
};

/* What @flag says. */
#define HANGS		1
#define TAKE_AWAY	2	/* the memory goes: the copy fails */
#define HEAL		3	/* the memory comes: the copy goes on */

#define NO_TRAP		KSFT_SKIP

enum deed { SEND, RECEIVE };

struct deed_args {
	enum deed deed;
	int fd;
	char *trap;
};

static void *do_deed(void *arg)
{
	struct deed_args *args = arg;
	struct ipcbox_incoming in;
	long ret = 0;

	switch (args->deed) {
	case SEND:
		ret = box_send(args->fd, args->trap, 100, 0, 0, 0,
			       IPCBOX_FOREVER);
		break;
	case RECEIVE:
		ret = box_receive(args->fd, &in, args->trap, 100, 0,
				  IPCBOX_FOREVER);
		break;
	}
	return (void *)ret;
}

static struct trapped start(FIXTURE_DATA(hostile) * self, enum deed deed)
{
	struct trapped trapped = { .flag = box_shared(4096) };

	trapped.result = (__s32 *)trapped.flag + 1;
	trapped.pid = box_fork();
	if (!trapped.pid) {
		struct deed_args args = { .deed = deed, .fd = self->fd };
		struct uffdio_zeropage zero = { };
		pthread_t thread;
		void *ret;
		int faults;

		args.trap = set_trap(&faults, self->page);
		if (!args.trap)
			_exit(NO_TRAP);
		CHECK(!pthread_create(&thread, NULL, do_deed, &args));
		await_fault(faults);
		__atomic_store_n(trapped.flag, HANGS, __ATOMIC_RELEASE);
		while (__atomic_load_n(trapped.flag, __ATOMIC_ACQUIRE) ==
		       HANGS)
			sched_yield();
		if (__atomic_load_n(trapped.flag, __ATOMIC_ACQUIRE) ==
		    TAKE_AWAY) {
			/* The memory goes, and then those who wait go on. */
			munmap(args.trap, self->page);
			close(faults);
		} else {
			zero.range.start = (uintptr_t)args.trap;
			zero.range.len = self->page;
			CHECK_EQ(0, ioctl(faults, UFFDIO_ZEROPAGE, &zero));
		}
		pthread_join(thread, &ret);
		*trapped.result = (long)ret;
		_exit(0);
	}
	for (;;) {
		siginfo_t ended = { };

		if (__atomic_load_n(trapped.flag, __ATOMIC_ACQUIRE) ==
		    HANGS)
			return trapped;
		waitid(P_PID, trapped.pid, &ended, WEXITED | WNOHANG | WNOWAIT);
		if (ended.si_pid) {
			trapped.pid = -box_wait(trapped.pid);
			return trapped;
		}
		sched_yield();
	}
}

static bool hang(struct __test_metadata *_metadata,
		 FIXTURE_DATA(hostile) * self, enum deed deed,
		 struct trapped *trapped)
{
	*trapped = start(self, deed);
	if (trapped->pid == -NO_TRAP)
		SKIP(return false, "no userfaultfd for faults of the kernel");
	EXPECT_LT(0, trapped->pid);
	return trapped->pid > 0;
}

static void release(struct trapped *trapped, __u32 how)
{
	__atomic_store_n(trapped->flag, how, __ATOMIC_RELEASE);
}

TEST_F(hostile, a_sender_that_hangs_holds_up_nobody)
{
	struct trapped trapped;
	struct ipcbox_stat stat;
	__u32 number, i;

	if (!hang(_metadata, self, SEND, &trapped))
		return;
	/* It has taken no room, either. */
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.sent);
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(1, box_put(self->fd, i));
	}
	EXPECT_EQ(-EAGAIN, box_put(self->fd, i));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(1, box_get(self->fd, &number));
		EXPECT_EQ(i, number);
	}
	/* Its message comes when its memory does. */
	release(&trapped, HEAL);
	EXPECT_EQ(0, box_wait(trapped.pid));
	EXPECT_EQ(1, *trapped.result);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(1, stat.messages);
	EXPECT_EQ(100, stat.bytes);
}

TEST_F(hostile, a_sender_whose_memory_goes_has_sent_nothing)
{
	struct trapped trapped;
	struct ipcbox_stat stat;

	if (!hang(_metadata, self, SEND, &trapped))
		return;
	release(&trapped, TAKE_AWAY);
	EXPECT_EQ(0, box_wait(trapped.pid));
	EXPECT_EQ(-EFAULT, *trapped.result);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.sent);
}

TEST_F(hostile, a_sender_killed_while_it_hangs_has_sent_nothing)
{
	struct box_snapshot before;
	struct trapped trapped;

	box_snapshot(self->dev, self->fd, &before);
	if (!hang(_metadata, self, SEND, &trapped))
		return;
	kill(trapped.pid, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(trapped.pid));
	/* Counted or not, as the signal or the memory came first. */
	before.stat.refused = ({
		struct ipcbox_stat stat;

		box_stat(self->fd, &stat);
		stat.refused;
	});
	EXPECT_TRUE(box_unchanged(self->dev, self->fd, &before));
}

TEST_F(hostile, a_receiver_that_hangs_holds_up_nobody)
{
	struct trapped trapped;
	struct ipcbox_stat stat;
	__u32 number, i;

	EXPECT_EQ(1, box_put(self->fd, 100));
	if (!hang(_metadata, self, RECEIVE, &trapped))
		return;
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(1, box_put(self->fd, i));
		EXPECT_EQ(1, box_get(self->fd, &number));
		EXPECT_EQ(i, number);
	}
	release(&trapped, HEAL);
	EXPECT_EQ(0, box_wait(trapped.pid));
	EXPECT_EQ(1, *trapped.result);
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(11, stat.sent);
	EXPECT_EQ(11, stat.received);
}

TEST_F(hostile, a_receiver_whose_memory_goes_leaves_the_message)
{
	struct trapped trapped;
	__u32 number;

	EXPECT_EQ(1, box_put(self->fd, 1));
	if (!hang(_metadata, self, RECEIVE, &trapped))
		return;
	EXPECT_EQ(1, box_put(self->fd, 2));
	EXPECT_EQ(1, box_put(self->fd, 3));
	release(&trapped, TAKE_AWAY);
	EXPECT_EQ(0, box_wait(trapped.pid));
	EXPECT_EQ(-EFAULT, *trapped.result);
	/* In its place: before those that came after it. */
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(1, number);
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(2, number);
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(3, number);
}

TEST_F(hostile, a_receiver_killed_while_it_hangs_leaves_the_message)
{
	struct trapped trapped;
	__u32 number;

	EXPECT_EQ(1, box_put(self->fd, 1));
	if (!hang(_metadata, self, RECEIVE, &trapped))
		return;
	EXPECT_EQ(1, box_put(self->fd, 2));
	kill(trapped.pid, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(trapped.pid));
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(1, number);
	EXPECT_EQ(1, box_get(self->fd, &number));
	EXPECT_EQ(2, number);
	EXPECT_EQ(-EAGAIN, box_get(self->fd, &number));
}

/* The room of a message that is on its way out is not given away. */
TEST_F(hostile, what_comes_back_does_not_overfill_the_object)
{
	struct trapped trapped;
	struct ipcbox_stat stat;
	__u32 i;

	for (i = 0; i < 4; i++) {
		EXPECT_EQ(1, box_put(self->fd, i));
	}
	if (!hang(_metadata, self, RECEIVE, &trapped))
		return;
	while (box_put(self->fd, i) == 1)
		i++;
	release(&trapped, TAKE_AWAY);
	EXPECT_EQ(0, box_wait(trapped.pid));
	EXPECT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_LE(stat.messages, 4);
	EXPECT_EQ(stat.sent, stat.messages);
}

/* One who waits is not told that none will come while one may come back. */
TEST_F(hostile, what_comes_back_goes_to_one_who_waits)
{
	struct trapped trapped;
	pid_t child;

	EXPECT_EQ(1, box_put(self->fd, 7));
	if (!hang(_metadata, self, RECEIVE, &trapped))
		return;
	child = box_fork();
	if (!child) {
		__u32 number;

		CHECK_EQ(1, box_get_wait(self->fd, &number));
		_exit(number);
	}
	EXPECT_EQ(0, box_await_receivers(self->fd, 1));
	release(&trapped, TAKE_AWAY);
	EXPECT_EQ(0, box_wait(trapped.pid));
	EXPECT_EQ(7, box_wait(child));
}

TEST_HARNESS_MAIN
