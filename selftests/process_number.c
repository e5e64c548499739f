// SPDX-License-Identifier: GPL-2.0
/*
 * The number of a process leads to that process only: not to a later one that has
 * got the number, nor to one that has it in another pid namespace.
 */
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <linux/sched.h>

#include "kselftest_harness.h"
#include "peer.h"

FIXTURE(number)
{
	int references;
	int dev;
	struct ipcbox_info info;
};

FIXTURE_SETUP(number)
{
	if (geteuid())
		SKIP(return, "needs root, to make a namespace");
	self->references = box_references();
	signal(SIGPIPE, SIG_IGN);
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, box_info(self->dev, &self->info));
	ASSERT_TRUE(self->info.features & IPCBOX_FEATURE_PROCESS);
}

FIXTURE_TEARDOWN(number)
{
	struct ipcbox_info info;

	/* The own mailbox goes with the device; what tests leave, too. */
	close(self->dev);
	EXPECT_EQ(self->references, box_references());
	self->dev = box_device();
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(self->info.box_objects_used, info.box_objects_used);
	EXPECT_EQ(self->info.user_objects_used, info.user_objects_used);
	EXPECT_EQ(self->info.user_bytes_used, info.user_bytes_used);
	close(self->dev);
}

/* A child of the number wanted, which must be free. */
static pid_t fork_numbered(pid_t wanted)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&wanted,
		.set_tid_size = 1,
	};
	pid_t pid;

	fflush(NULL);
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* The first of a pid namespace, in a child; the others die with it. */
static pid_t fork_namespace(void)
{
	pid_t child = box_fork(), first;

	if (child)
		return child;
	if (unshare(CLONE_NEWPID))
		_exit(KSFT_SKIP);
	first = box_fork();
	if (first)
		_exit(box_wait(first));
	return 0;
}

static bool namespace_did(struct __test_metadata *_metadata, pid_t child)
{
	int status = box_wait(child);

	if (status == KSFT_SKIP)
		SKIP(return false, "this kernel makes no pid namespaces");
	EXPECT_EQ(0, status);
	return true;
}

#define NUMBER	77

/* A process of that number that does as it is told. */
static struct peer numbered_process(void)
{
	struct peer peer = connected(fork_numbered, NUMBER);
	int dev = -1, r = -1;
	__u32 number;
	char word;

	CHECK(peer.pid >= 0);
	if (peer.pid) {
		CHECK_EQ(NUMBER, peer.pid);
		return peer;
	}
	CHECK_EQ(NUMBER, getpid());
	close_range(3, peer.line - 1, 0);
	close_range(peer.line + 1, -1, 0);
	while ((word = hear(&peer))) {
		switch (word) {
		case 'd':
			dev = box_device();
			CHECK(dev >= 0);
			break;
		case 'r':
			r = open_process(dev, getpid(), R);
			CHECK(r >= 0);
			break;
		case 'n':
			CHECK_EQ(-EAGAIN, box_get(r, &number));
			break;
		case 'f':
			/* The device lives on in another process. */
			if (!fork()) {
				close(peer.line);
				for (;;)
					pause();
			}
			break;
		default:
			CHECK_EQ(1, box_get(r, &number));
			CHECK_EQ(word - '0', number);
		}
		tell(&peer, word);
	}
	_exit(0);
}

static void does(const struct peer *peer, const char *words)
{
	for (; *words; words++) {
		CHECK(tell(peer, *words));
		CHECK_EQ(*words, hear(peer));
	}
}

/*
 * @first is what the first process of the number does before it is sent to and
 * killed.
 */
static void number_is_used_again(const char *first)
{
	struct ipcbox_stat stat;
	struct peer peer;
	int dev, old, new;
	__u64 id;

	dev = box_device();
	CHECK(dev >= 0);
	peer = numbered_process();
	does(&peer, first);
	old = open_process(dev, NUMBER, W);
	CHECK(old >= 0);
	id = box_id(old);
	CHECK_EQ(1, box_put(old, 1));
	CHECK_EQ(1, box_put(old, 2));
	CHECK_EQ(BOX_KILLED(SIGKILL), end_by_kill(&peer));
	CHECK_EQ(-ENOENT, may(dev, NUMBER, W));

	peer = numbered_process();
	/* Without the device it has none, and not its predecessor's. */
	CHECK_EQ(-ENOENT, may(dev, NUMBER, W));
	does(&peer, "d");
	CHECK_EQ(-EPIPE, box_put(old, 3));
	if (!strchr(first, 'f'))
		CHECK_EQ(-ENOENT, box_open_id(dev, id, W));
	new = open_process(dev, NUMBER, W);
	CHECK(new >= 0);
	CHECK(box_id(new) > id);
	CHECK_EQ(0, box_stat(new, &stat));
	CHECK_EQ(0, stat.sent);
	does(&peer, "rn");
	CHECK_EQ(1, box_put(new, 4));
	CHECK_EQ(-EPIPE, box_put(old, 5));
	does(&peer, "4n");
	CHECK_EQ(0, end(&peer));
	CHECK_EQ(-EPIPE, box_put(new, 6));
	_exit(0);
}

TEST_F(number, a_number_used_again_is_another_process)
{
	pid_t child = fork_namespace();

	if (!child)
		number_is_used_again("dr");
	namespace_did(_metadata, child);
}

TEST_F(number, also_when_the_first_had_never_received)
{
	pid_t child = fork_namespace();

	if (!child)
		number_is_used_again("d");
	namespace_did(_metadata, child);
}

TEST_F(number, also_when_the_first_s_device_is_still_open)
{
	pid_t child = fork_namespace();

	if (!child)
		number_is_used_again("dfr");
	namespace_did(_metadata, child);
}

TEST_F(number, also_for_a_receiver_that_names_the_sender)
{
	pid_t child = fork_namespace();
	struct peer peer;
	__u32 number;
	int dev, fd, i;

	if (child) {
		namespace_did(_metadata, child);
		return;
	}
	dev = box_device();
	fd = open_process(dev, getpid(), R | W);
	CHECK(fd >= 0);
	for (i = 1; i < 3; i++) {
		peer = connected(fork_numbered, NUMBER);
		CHECK(peer.pid >= 0);
		if (!peer.pid) {
			CHECK_EQ(NUMBER, getpid());
			CHECK_EQ(1, box_put(fd, i));
			tell(&peer, 's');
			await_word(&peer, 'e');
			_exit(0);
		}
		CHECK_EQ('s', hear(&peer));
		if (i == 2) {
			CHECK_EQ(1, get_from(fd, NUMBER, &number,
					     IPCBOX_NOWAIT));
			CHECK_EQ(2, number);
			CHECK_EQ(-EAGAIN, get_from(fd, NUMBER, &number,
						   IPCBOX_NOWAIT));
		}
		CHECK(tell(&peer, 'e'));
		CHECK_EQ(0, end(&peer));
	}
	CHECK_EQ(-ENOENT, get_from(fd, NUMBER, &number, IPCBOX_NOWAIT));
	CHECK_EQ(1, box_get(fd, &number));
	CHECK_EQ(1, number);
	_exit(0);
}

TEST_F(number, numbers_are_those_of_the_opener_s_namespace)
{
	__u64 *id = box_shared(2 * sizeof(*id));
	pid_t outside = getpid();
	struct peer outer;
	int fd;

	ASSERT_NE(NULL, id);
	outer = fork_peer();
	if (!outer.pid) {
		struct peer inner;

		if (unshare(CLONE_NEWPID))
			_exit(KSFT_SKIP);
		inner = fork_peer();
		if (inner.pid) {
			close(inner.line);
			id[1] = inner.pid;
			tell(&outer, 'p');
			_exit(box_wait(inner.pid));
		}
		CHECK_EQ(1, getpid());
		fd = open_process(box_device(), 1, R);
		CHECK(fd >= 0);
		id[0] = box_id(fd);
		/* Also by a device that was opened outside. */
		CHECK_EQ(0, may(self->dev, 1, W));
		fd = open_process(self->dev, 1, W);
		CHECK_EQ(id[0], box_id(fd));
		/* Who is outside has no number here. */
		CHECK_EQ(-ENOENT, may(self->dev, outside, W));
		tell(&outer, 'o');
		await_word(&outer, 'e');
		_exit(0);
	}
	if (!hear(&outer)) {
		EXPECT_EQ(KSFT_SKIP, end(&outer));
		SKIP(return, "this kernel makes no pid namespaces");
	}
	EXPECT_NE(0, hear(&outer));
	fd = open_process(self->dev, id[1], W);
	EXPECT_LE(0, fd);
	EXPECT_EQ(id[0], box_id(fd));
	EXPECT_EQ(0, may(self->dev, outside, W));
	close(fd);
	EXPECT_TRUE(tell(&outer, 'e'));
	EXPECT_EQ(0, end(&outer));
}

TEST_HARNESS_MAIN
