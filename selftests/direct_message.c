// SPDX-License-Identifier: GPL-2.0
/*
 * A process's own mailbox: others find it by the number of the process, who
 * might send it a signal may send, it alone receives; it ends with the process
 * and is never another's who has got the number.
 */
#include <grp.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/capability.h>

#include "kselftest_harness.h"
#include "peer.h"

#define OWNER	1000
#define OTHER	1001
#define CAP(name)	(1ull << CAP_##name)

static int capabilities(__u64 mask)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {
		{ .effective = mask, .permitted = mask },
		{ .effective = mask >> 32, .permitted = mask >> 32 },
	};

	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

/* Another user for the rest of a child's life, with capabilities. */
static void become(uid_t uid, __u64 mask)
{
	CHECK_EQ(0, prctl(PR_SET_KEEPCAPS, 1));
	CHECK_EQ(0, box_become(uid, uid));
	CHECK_EQ(0, capabilities(mask));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* That user's device, whoever may open it here. */
static int device_as(uid_t uid)
{
	int dev;

	become(uid, CAP(DAC_OVERRIDE));
	dev = box_device();
	CHECK(dev >= 0);
	CHECK_EQ(0, capabilities(0));
	return dev;
}

FIXTURE(direct)
{
	int references;
	int dev;
	struct ipcbox_info info;
};

FIXTURE_SETUP(direct)
{
	if (geteuid())
		SKIP(return, "needs root, to act as several users");
	self->references = box_references();
	signal(SIGPIPE, SIG_IGN);
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, box_info(self->dev, &self->info));
	ASSERT_TRUE(self->info.features & IPCBOX_FEATURE_PROCESS);
}

FIXTURE_TEARDOWN(direct)
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

/*
 * What it is.
 */

TEST_F(direct, a_process_has_a_mailbox_of_its_own)
{
	struct ipcbox_info info;
	struct ipcbox_stat stat;
	int fd, again;

	/* Not before somebody asks. */
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(self->info.box_objects_used, info.box_objects_used);
	fd = open_process(self->dev, getpid(), RWM);
	ASSERT_LE(0, fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(0, box_stat(fd, &stat));
	EXPECT_EQ(IPCBOX_MAILBOX, stat.kind);
	EXPECT_EQ(IPCBOX_STATE_PROCESS, stat.state);
	EXPECT_EQ(getuid(), stat.uid);
	EXPECT_EQ(getgid(), stat.gid);
	EXPECT_EQ(0200, stat.mode);
	EXPECT_EQ(0, stat.name_length);
	EXPECT_EQ(self->info.object_messages, stat.max_messages);
	EXPECT_EQ(self->info.object_bytes, stat.max_bytes);
	EXPECT_EQ(self->info.message_bytes, stat.max_message_bytes);
	EXPECT_EQ(1, stat.handles);
	again = open_process(self->dev, getpid(), W);
	EXPECT_EQ(stat.id, box_id(again));
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(self->info.box_objects_used + 1, info.box_objects_used);
	close(again);
	close(fd);
	/* Without any handle it stays. */
	EXPECT_EQ(stat.id, box_id(again = open_process(self->dev, getpid(), R)));
	close(again);
}

TEST_F(direct, it_receives_from_anyone)
{
	pid_t me = getpid(), child[3];
	struct ipcbox_incoming in;
	__u32 number;
	int fd, i;

	fd = open_process(self->dev, me, R);
	ASSERT_LE(0, fd);
	for (i = 0; i < 3; i++) {
		child[i] = box_fork();
		if (!child[i]) {
			/* Before it is another user. */
			int w = open_process(self->dev, me, W);

			CHECK_EQ(0, box_become(OWNER + i, OWNER));
			CHECK_EQ(1, box_put(w, i));
			_exit(0);
		}
		EXPECT_EQ(0, box_wait(child[i]));
	}
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(1, box_receive(fd, &in, &number, sizeof(number),
					 IPCBOX_NOWAIT, 0));
		EXPECT_EQ(i, number);
		EXPECT_EQ(child[i], in.pid);
		EXPECT_EQ(OWNER + i, in.uid);
	}
	EXPECT_EQ(-EAGAIN, box_get(fd, &number));
	close(fd);
}

/* A child that sends what it is told, a digit at a time. */
static struct peer fork_sender(int dev, pid_t to)
{
	struct peer peer = fork_peer();
	char digit;
	int w;

	if (peer.pid)
		return peer;
	w = open_process(dev, to, W);
	CHECK(w >= 0);
	while ((digit = hear(&peer))) {
		CHECK_EQ(1, box_put(w, digit - '0'));
		tell(&peer, digit);
	}
	_exit(0);
}

static char sends(const struct peer *peer, char digit)
{
	return tell(peer, digit) ? hear(peer) : 0;
}

TEST_F(direct, it_receives_from_the_one_it_names)
{
	struct peer one, two, me;
	__u32 number = 0;
	int fd;

	fd = open_process(self->dev, getpid(), R | W);
	ASSERT_LE(0, fd);
	one = fork_sender(self->dev, getpid());
	two = fork_sender(self->dev, getpid());
	EXPECT_EQ('1', sends(&one, '1'));
	EXPECT_EQ(-EAGAIN, get_from(fd, two.pid, &number, IPCBOX_NOWAIT));
	EXPECT_EQ('2', sends(&two, '2'));
	EXPECT_EQ('3', sends(&one, '3'));
	EXPECT_EQ('4', sends(&two, '4'));
	EXPECT_EQ(1, get_from(fd, two.pid, &number, IPCBOX_NOWAIT));
	EXPECT_EQ(2, number);
	EXPECT_EQ(1, get_from(fd, two.pid, &number, IPCBOX_NOWAIT));
	EXPECT_EQ(4, number);
	EXPECT_EQ(-EAGAIN, get_from(fd, two.pid, &number, IPCBOX_NOWAIT));

	/* Waiting for one, another's do not disturb. */
	me = fork_peer();
	if (!me.pid) {
		CHECK_EQ(1, get_from(fd, two.pid, &number, 0));
		CHECK_EQ(6, number);
		_exit(0);
	}
	EXPECT_EQ(0, box_await_receivers(fd, 1));
	EXPECT_EQ('5', sends(&one, '5'));
	EXPECT_EQ('6', sends(&two, '6'));
	EXPECT_EQ(0, end(&me));
	EXPECT_EQ(1, box_get(fd, &number));
	EXPECT_EQ(1, number);
	EXPECT_EQ(1, box_get(fd, &number));
	EXPECT_EQ(3, number);
	EXPECT_EQ(1, box_get(fd, &number));
	EXPECT_EQ(5, number);
	EXPECT_EQ(0, end(&one));
	EXPECT_EQ(0, end(&two));
	close(fd);
}

TEST_F(direct, two_processes_talk_by_their_numbers)
{
	pid_t parent = getpid();
	struct peer peer;
	__u32 number;
	int mine, to;

	mine = open_process(self->dev, parent, R);
	ASSERT_LE(0, mine);
	peer = fork_peer();
	if (!peer.pid) {
		int dev = box_device();

		mine = open_process(dev, getpid(), R);
		to = open_process(dev, parent, W);
		CHECK(mine >= 0 && to >= 0);
		CHECK(box_id(mine) != box_id(to));
		tell(&peer, 'o');
		CHECK_EQ(1, get_from(mine, parent, &number, 0));
		CHECK_EQ(10, number);
		CHECK_EQ(1, box_put(to, 11));
		CHECK_EQ(1, get_from(mine, parent, &number, 0));
		CHECK_EQ(12, number);
		_exit(0);
	}
	EXPECT_EQ('o', hear(&peer));
	to = open_process(self->dev, peer.pid, W);
	ASSERT_LE(0, to);
	EXPECT_EQ(1, box_put(to, 10));
	EXPECT_EQ(1, get_from(mine, peer.pid, &number, 0));
	EXPECT_EQ(11, number);
	EXPECT_EQ(1, box_put(to, 12));
	EXPECT_EQ(0, end(&peer));
	close(to);
	close(mine);
}

TEST_F(direct, a_sender_may_be_first)
{
	struct peer peer = fork_peer();
	struct ipcbox_info info;
	struct ipcbox_stat stat;
	__u32 number;
	__u64 id;
	int w, r;

	if (!peer.pid) {
		int dev = box_device();

		tell(&peer, 'o');
		await_word(&peer, 's');
		r = open_process(dev, getpid(), RWM);
		CHECK(r >= 0);
		CHECK_EQ(0, box_stat(r, &stat));
		CHECK_EQ(2, stat.sent);
		CHECK_EQ(1, box_get(r, &number));
		CHECK_EQ(1, number);
		CHECK_EQ(1, box_get(r, &number));
		CHECK_EQ(2, number);
		CHECK_EQ(-EAGAIN, box_get(r, &number));
		tell(&peer, 'r');
		await_word(&peer, 'e');
		_exit(0);
	}
	EXPECT_EQ('o', hear(&peer));
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(self->info.box_objects_used, info.box_objects_used);
	w = open_process(self->dev, peer.pid, W);
	ASSERT_LE(0, w);
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(self->info.box_objects_used + 1, info.box_objects_used);
	id = box_id(w);
	EXPECT_EQ(1, box_put(w, 1));
	EXPECT_EQ(1, box_put(w, 2));
	/* What it has sent stays, and so does the mailbox. */
	close(w);
	EXPECT_TRUE(tell(&peer, 's'));
	EXPECT_EQ('r', hear(&peer));
	w = open_process(self->dev, peer.pid, W);
	EXPECT_EQ(id, box_id(w));
	EXPECT_TRUE(tell(&peer, 'e'));
	EXPECT_EQ(0, end(&peer));
	close(w);
}

/*
 * Who has none.
 */

static void *thread_waits(void *arg)
{
	__s32 *tid = arg;

	__atomic_store_n(tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	box_await_flag((__u32 *)tid, 0);
	return NULL;
}

TEST_F(direct, only_a_process_has_one)
{
	struct ipcbox_info info;
	pthread_t thread;
	__s32 tid = 0;
	pid_t child;

	child = box_fork();
	if (!child)
		_exit(0);
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(-ENOENT, may(self->dev, child, W));
	EXPECT_EQ(-ENOENT, may(self->dev, INT_MAX, W));

	/* A thread's number is not one, though its process has the device. */
	ASSERT_EQ(0, pthread_create(&thread, NULL, thread_waits, &tid));
	while (!__atomic_load_n(&tid, __ATOMIC_ACQUIRE))
		sched_yield();
	EXPECT_NE(getpid(), tid);
	EXPECT_EQ(-ENOENT, may(self->dev, tid, W));
	EXPECT_EQ(-ENOENT, may(self->dev, tid, R));
	__atomic_store_n(&tid, 0, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(thread, NULL));

	/* Nothing was made for any of them. */
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(self->info.box_objects_used, info.box_objects_used);
	EXPECT_EQ(0, may(self->dev, getpid(), R));
}

static void *thread_opens(void *arg)
{
	int *dev = arg;

	/* A thread's open is its process's. */
	dev[1] = may(dev[0], getpid(), RWM);
	return NULL;
}

TEST_F(direct, its_threads_are_the_process)
{
	int dev[2] = { self->dev, -1 };
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, thread_opens, dev));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, dev[1]);
}

TEST_F(direct, wrong_arguments)
{
	struct ipcbox_open open = {
		.by = IPCBOX_BY_PROCESS,
		.rights = R,
		.object = getpid(),
		.name = (uintptr_t)"a",
		.name_length = 1,
	};
	struct ipcbox_unlink unlink = {
		.size = sizeof(unlink),
		.by = IPCBOX_BY_PROCESS,
		.object = getpid(),
	};
	struct ipcbox_info info;

	EXPECT_EQ(-EINVAL, box_open(self->dev, &open));
	open.name = 0;
	EXPECT_EQ(-EINVAL, box_open(self->dev, &open));
	open.name_length = 0;
	open.rights = 0;
	EXPECT_EQ(-EINVAL, box_open(self->dev, &open));
	open.rights = 2 * L;
	EXPECT_EQ(-EINVAL, box_open(self->dev, &open));
	open.rights = R;
	open.flags = 1;
	EXPECT_EQ(-EINVAL, box_open(self->dev, &open));
	EXPECT_EQ(-EINVAL, may(self->dev, 0, R));
	EXPECT_EQ(-EINVAL, may(self->dev, -1ull, R));
	EXPECT_EQ(-EINVAL, may(self->dev, (1ull << 32) + getpid(), R));
	EXPECT_EQ(-1, ioctl(self->dev, IPCBOX_IOC_UNLINK, &unlink));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(self->info.box_objects_used, info.box_objects_used);
}

TEST_F(direct, an_inherited_device_is_not_one_s_own)
{
	struct peer peer = fork_peer();
	int dev;

	if (!peer.pid) {
		CHECK_EQ(-ENOENT, may(self->dev, getpid(), R));
		CHECK_EQ(-ENOENT, may(self->dev, getpid(), W));
		tell(&peer, '1');
		await_word(&peer, '1');
		dev = box_device();
		CHECK(dev >= 0);
		/* Then by either of them. */
		CHECK_EQ(0, may(self->dev, getpid(), RWM));
		CHECK_EQ(0, may(dev, getpid(), RWM));
		tell(&peer, '2');
		await_word(&peer, '2');
		close(dev);
		CHECK_EQ(-ENOENT, may(self->dev, getpid(), R));
		tell(&peer, '3');
		await_word(&peer, '3');
		/* The parent's is where it was. */
		CHECK_EQ(0, may(self->dev, getppid(), W));
		_exit(0);
	}
	EXPECT_EQ('1', hear(&peer));
	EXPECT_EQ(-ENOENT, may(self->dev, peer.pid, W));
	EXPECT_TRUE(tell(&peer, '1'));
	EXPECT_EQ('2', hear(&peer));
	EXPECT_EQ(0, may(self->dev, peer.pid, W));
	EXPECT_TRUE(tell(&peer, '2'));
	EXPECT_EQ('3', hear(&peer));
	EXPECT_EQ(-ENOENT, may(self->dev, peer.pid, W));
	EXPECT_TRUE(tell(&peer, '3'));
	EXPECT_EQ(0, end(&peer));
}

TEST_F(direct, a_process_without_the_device_has_none)
{
	struct peer peer = fork_peer();

	if (!peer.pid) {
		close(self->dev);
		tell(&peer, '1');
		await_word(&peer, '1');
		_exit(0);
	}
	EXPECT_EQ('1', hear(&peer));
	EXPECT_EQ(-ENOENT, may(self->dev, peer.pid, W));
	EXPECT_TRUE(tell(&peer, '1'));
	EXPECT_EQ(0, end(&peer));
}

/*
 * Who may.
 */

TEST_F(direct, it_has_one_receive_handle)
{
	int fd, w;
	__u32 number;

	fd = open_process(self->dev, getpid(), R);
	ASSERT_LE(0, fd);
	w = open_process(self->dev, getpid(), W);
	EXPECT_EQ(-EBUSY, may(self->dev, getpid(), R));
	EXPECT_EQ(-EBUSY, may(self->dev, getpid(), RWM));
	EXPECT_EQ(0, may(self->dev, getpid(), W | M));
	EXPECT_EQ(1, box_put(w, 1));
	close(fd);
	EXPECT_EQ(-EPIPE, box_put(w, 2));
	EXPECT_EQ(0, may(self->dev, getpid(), R));
	fd = open_process(self->dev, getpid(), R);
	EXPECT_EQ(1, box_get(fd, &number));
	EXPECT_EQ(1, number);
	EXPECT_EQ(1, box_put(w, 3));
	close(w);
	close(fd);
}

/* An owner that stays until it is told to go, or changes its mode. */
static struct peer fork_owner(uid_t uid)
{
	struct peer peer = fork_peer();
	char word;
	int dev, fd;

	if (peer.pid)
		return peer;
	dev = device_as(uid);
	tell(&peer, 'o');
	while ((word = hear(&peer))) {
		fd = open_process(dev, getpid(), M);
		CHECK(fd >= 0);
		CHECK_EQ(0, box_set_mode(fd, word == 'w' ? 0222 : 0));
		close(fd);
		CHECK_EQ(0, may(dev, getpid(), RWM));
		tell(&peer, word);
	}
	_exit(0);
}

/* Users who ask, and whether they might send a signal to OWNER. */
struct subject {
	const char *what;
	uid_t ruid, euid, suid;
	__u64 capabilities;
	bool signals;
};

static const struct subject subjects[] = {
	{ "same user", OWNER, OWNER, OWNER, 0, true },
	{ "other user", OTHER, OTHER, OTHER, 0, false },
	{ "real uid", OWNER, OTHER, OTHER, 0, true },
	{ "effective uid", OTHER, OWNER, OTHER, 0, true },
	{ "saved uid alone", OTHER, OTHER, OWNER, 0, false },
	{ "root without capabilities", 0, 0, 0, 0, false },
	{ "CAP_KILL", OTHER, OTHER, OTHER, CAP(KILL), true },
	{ "another capability", OTHER, OTHER, OTHER, CAP(SYS_PTRACE), false },
};

/* In a child for each of them. */
static int as_each(int dev, pid_t owner, bool all)
{
	const struct subject *subject;
	unsigned int i;
	pid_t child;
	int status;

	for (i = 0; i < ARRAY_SIZE(subjects); i++) {
		subject = &subjects[i];
		child = box_fork();
		if (!child) {
			CHECK_EQ(0, prctl(PR_SET_KEEPCAPS, 1));
			CHECK_EQ(0, setgroups(0, NULL));
			CHECK_EQ(0, setresgid(3000, 3000, 3000));
			CHECK_EQ(0, setresuid(subject->ruid, subject->euid,
					      subject->suid));
			CHECK_EQ(0, capabilities(subject->capabilities));
			/* As the kernel itself has it. */
			CHECK_EQ(subject->signals, !kill(owner, 0));
			CHECK_EQ(subject->signals || all ? 0 : -EACCES,
				 may(dev, owner, W));
			CHECK_EQ(-EACCES, may(dev, owner, R));
			CHECK_EQ(-EACCES, may(dev, owner, R | W));
			CHECK_EQ(-EACCES, may(dev, owner, M));
			CHECK_EQ(-EACCES, may(dev, owner, RWM));
			_exit(0);
		}
		status = box_wait(child);
		if (status) {
			fprintf(stderr, "# %s\n", subject->what);
			return status;
		}
	}
	return 0;
}

TEST_F(direct, who_might_send_a_signal_may_send)
{
	struct peer owner = fork_owner(OWNER);

	EXPECT_EQ('o', hear(&owner));
	EXPECT_EQ(0, as_each(self->dev, owner.pid, false));
	/* Whatever the mode. */
	EXPECT_TRUE(tell(&owner, '0'));
	EXPECT_EQ('0', hear(&owner));
	EXPECT_EQ(0, as_each(self->dev, owner.pid, false));
	/* All may, once the process has said so. */
	EXPECT_TRUE(tell(&owner, 'w'));
	EXPECT_EQ('w', hear(&owner));
	EXPECT_EQ(0, as_each(self->dev, owner.pid, true));
	/* This test's process has CAP_IPC_OWNER. */
	EXPECT_EQ(0, may(self->dev, owner.pid, RWM));
	EXPECT_EQ(0, end(&owner));
}

TEST_F(direct, who_is_refused_makes_nothing)
{
	struct peer owner = fork_owner(OWNER);
	struct ipcbox_open open = {
		.flags = IPCBOX_OPEN_REVOCABLE,
		.by = IPCBOX_BY_PROCESS,
		.rights = W,
		.object = owner.pid,
	};
	struct ipcbox_info info;
	struct peer stranger;

	EXPECT_EQ('o', hear(&owner));
	stranger = fork_peer();
	if (!stranger.pid) {
		become(OTHER, 0);
		CHECK_EQ(-EACCES, may(self->dev, owner.pid, W));
		CHECK_EQ(-EACCES, may(self->dev, owner.pid, R));
		CHECK_EQ(-EACCES, may(self->dev, owner.pid, M));
		CHECK_EQ(-EACCES, may(self->dev, owner.pid, L));
		_exit(0);
	}
	EXPECT_EQ(0, end(&stranger));
	/* Nor does who may, and wants what it cannot be. */
	EXPECT_EQ(-ENOENT, box_open(self->dev, &open));
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(self->info.box_objects_used, info.box_objects_used);
	EXPECT_EQ(0, may(self->dev, owner.pid, W));
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(self->info.box_objects_used + 1, info.box_objects_used);
	EXPECT_EQ(0, end(&owner));
}

TEST_F(direct, the_saved_uid_of_the_process_counts_too)
{
	struct peer owner = fork_peer();
	struct peer sender;

	if (!owner.pid) {
		int dev;

		CHECK_EQ(0, prctl(PR_SET_KEEPCAPS, 1));
		CHECK_EQ(0, setresuid(OWNER, OWNER, OTHER));
		CHECK_EQ(0, capabilities(CAP(DAC_OVERRIDE)));
		dev = box_device();
		CHECK(dev >= 0);
		tell(&owner, 'o');
		await_word(&owner, 'e');
		_exit(0);
	}
	EXPECT_EQ('o', hear(&owner));
	sender = fork_peer();
	if (!sender.pid) {
		become(OTHER, 0);
		CHECK_EQ(0, kill(owner.pid, 0));
		CHECK_EQ(0, may(self->dev, owner.pid, W));
		_exit(0);
	}
	EXPECT_EQ(0, end(&sender));
	EXPECT_TRUE(tell(&owner, 'e'));
	EXPECT_EQ(0, end(&owner));
}

static bool lists(int dev, __u64 id)
{
	struct ipcbox_stat entry;
	struct ipcbox_list list = {
		.cursor = id - 1,
		.entries = (uintptr_t)&entry,
		.entry_size = sizeof(entry),
		.count = 1,
	};

	CHECK_EQ(0, box_list(dev, &list));
	return list.returned == 1 && entry.id == id &&
	       entry.state & IPCBOX_STATE_PROCESS;
}

static int listed_by(int dev, uid_t uid, __u64 mask, __u64 id)
{
	pid_t child = box_fork();

	if (!child) {
		become(uid, mask);
		_exit(lists(dev, id));
	}
	return box_wait(child);
}

TEST_F(direct, list_shows_it_to_those_who_may_send)
{
	struct peer owner = fork_owner(OWNER);
	__u64 id;
	int w;

	EXPECT_EQ('o', hear(&owner));
	w = open_process(self->dev, owner.pid, W);
	ASSERT_LE(0, w);
	id = box_id(w);
	close(w);
	EXPECT_TRUE(tell(&owner, '0'));
	EXPECT_EQ('0', hear(&owner));
	EXPECT_EQ(1, listed_by(self->dev, OWNER, 0, id));
	EXPECT_EQ(1, listed_by(self->dev, OTHER, CAP(KILL), id));
	EXPECT_EQ(0, listed_by(self->dev, OTHER, 0, id));
	EXPECT_TRUE(tell(&owner, 'w'));
	EXPECT_EQ('w', hear(&owner));
	EXPECT_EQ(1, listed_by(self->dev, OTHER, 0, id));
	EXPECT_EQ(0, end(&owner));
	EXPECT_EQ(0, listed_by(self->dev, OWNER, 0, id));
	EXPECT_EQ(0, listed_by(self->dev, OTHER, CAP(KILL), id));
}

TEST_F(direct, it_is_charged_to_the_user_of_the_process)
{
	struct peer owner = fork_peer();
	struct ipcbox_info info;
	struct ipcbox_stat stat;
	int w;

	if (!owner.pid) {
		int dev = device_as(OWNER);

		CHECK_EQ(0, box_info(dev, &info));
		CHECK_EQ(0, info.user_objects_used);
		tell(&owner, 'o');
		await_word(&owner, 'w');
		CHECK_EQ(0, box_info(dev, &info));
		CHECK_EQ(1, info.user_objects_used);
		/* But what others send there is not. */
		CHECK_EQ(0, info.user_bytes_used);
		tell(&owner, 'c');
		await_word(&owner, 'e');
		_exit(0);
	}
	EXPECT_EQ('o', hear(&owner));
	w = open_process(self->dev, owner.pid, W);
	ASSERT_LE(0, w);
	EXPECT_EQ(0, box_stat(w, &stat));
	EXPECT_EQ(OWNER, stat.uid);
	EXPECT_EQ(OWNER, stat.gid);
	EXPECT_EQ(1, box_put(w, 1));
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(self->info.user_objects_used, info.user_objects_used);
	EXPECT_LT(self->info.user_bytes_used, info.user_bytes_used);
	EXPECT_TRUE(tell(&owner, 'w'));
	EXPECT_EQ('c', hear(&owner));
	EXPECT_TRUE(tell(&owner, 'e'));
	EXPECT_EQ(0, end(&owner));
	close(w);
}

TEST_F(direct, none_is_made_beyond_the_user_s_limit)
{
	struct peer owner;
	__u64 limit;

	if (box_parameter_get("user_objects", &limit))
		SKIP(return, "needs /sys/module/ipcbox/parameters");
	owner = fork_peer();
	if (!owner.pid) {
		int dev = device_as(OWNER);
		int fd = box_make(dev, IPCBOX_QUEUE, R);

		CHECK(fd >= 0);
		tell(&owner, 'o');
		await_word(&owner, 'c');
		close(fd);
		tell(&owner, 'c');
		await_word(&owner, 'e');
		_exit(0);
	}
	EXPECT_EQ('o', hear(&owner));
	EXPECT_EQ(0, box_parameter_set("user_objects", 1));
	EXPECT_EQ(-EDQUOT, may(self->dev, owner.pid, W));
	EXPECT_TRUE(tell(&owner, 'c'));
	EXPECT_EQ('c', hear(&owner));
	EXPECT_EQ(0, may(self->dev, owner.pid, W));
	EXPECT_EQ(0, box_parameter_set("user_objects", limit));
	EXPECT_TRUE(tell(&owner, 'e'));
	EXPECT_EQ(0, end(&owner));
}

/*
 * Its end.
 */

TEST_F(direct, it_goes_with_the_last_device_file)
{
	struct peer owner = fork_peer();
	struct ipcbox_stat stat;
	__u32 number;
	__u64 id;
	int w;

	if (!owner.pid) {
		int dev[2] = { box_device(), box_device() };
		int r = open_process(dev[0], getpid(), R);

		CHECK(r >= 0);
		tell(&owner, '0');
		await_word(&owner, '1');
		close(dev[0]);
		tell(&owner, '1');
		await_word(&owner, '2');
		close(dev[1]);
		tell(&owner, '2');
		await_word(&owner, '3');
		CHECK_EQ(1, box_get(r, &number));
		CHECK_EQ(1, number);
		CHECK_EQ(1, box_get(r, &number));
		CHECK_EQ(2, number);
		close(r);
		tell(&owner, '3');
		await_word(&owner, '4');
		/* It may begin anew. */
		dev[0] = box_device();
		r = open_process(dev[0], getpid(), R);
		CHECK(r >= 0);
		CHECK_EQ(-EAGAIN, box_get(r, &number));
		tell(&owner, '4');
		await_word(&owner, '5');
		_exit(0);
	}
	EXPECT_EQ('0', hear(&owner));
	w = open_process(self->dev, owner.pid, W);
	ASSERT_LE(0, w);
	id = box_id(w);
	EXPECT_TRUE(tell(&owner, '1'));
	EXPECT_EQ('1', hear(&owner));
	EXPECT_EQ(0, may(self->dev, owner.pid, W));
	EXPECT_EQ(1, box_put(w, 1));
	EXPECT_TRUE(tell(&owner, '2'));
	EXPECT_EQ('2', hear(&owner));
	EXPECT_EQ(-ENOENT, may(self->dev, owner.pid, W));
	EXPECT_EQ(-ENOENT, box_open_id(self->dev, id, W));
	EXPECT_EQ(0, box_stat(w, &stat));
	EXPECT_EQ(IPCBOX_STATE_UNLINKED, stat.state & IPCBOX_STATE_UNLINKED);
	/* As long as it receives there, it is as any unlinked object. */
	EXPECT_EQ(0, box_poll(w) & POLLHUP);
	EXPECT_EQ(1, box_put(w, 2));
	EXPECT_TRUE(tell(&owner, '3'));
	EXPECT_EQ('3', hear(&owner));
	EXPECT_EQ(-EPIPE, box_put(w, 3));
	EXPECT_EQ(POLLHUP, box_poll(w) & POLLHUP);
	EXPECT_TRUE(tell(&owner, '4'));
	EXPECT_EQ('4', hear(&owner));
	EXPECT_EQ(-EPIPE, box_put(w, 4));
	close(w);
	w = open_process(self->dev, owner.pid, W);
	ASSERT_LE(0, w);
	EXPECT_LT(id, box_id(w));
	EXPECT_EQ(1, box_put(w, 5));
	EXPECT_TRUE(tell(&owner, '5'));
	EXPECT_EQ(0, end(&owner));
	EXPECT_EQ(-EPIPE, box_put(w, 6));
	close(w);
}

TEST_F(direct, messages_that_nobody_received_are_counted)
{
	struct peer owner = fork_owner(OWNER);
	struct ipcbox_info info;
	int w;

	EXPECT_EQ('o', hear(&owner));
	w = open_process(self->dev, owner.pid, W);
	ASSERT_LE(0, w);
	EXPECT_EQ(1, box_put(w, 1));
	EXPECT_EQ(1, box_put(w, 2));
	EXPECT_EQ(0, end(&owner));
	/* No receiver was there, and none can come. */
	EXPECT_EQ(-EPIPE, box_put(w, 3));
	EXPECT_EQ(POLLHUP, box_poll(w) & POLLHUP);
	close(w);
	EXPECT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(self->info.discarded + 2, info.discarded);
	EXPECT_EQ(self->info.user_bytes_used, info.user_bytes_used);
}

TEST_F(direct, senders_learn_that_it_was_killed)
{
	struct peer owner = fork_peer(), full, sync, call;
	int w, r;

	if (!owner.pid) {
		int dev = box_device();

		r = open_process(dev, getpid(), R | M);
		CHECK(r >= 0);
		CHECK_EQ(0, box_set_max_messages(r, 3));
		tell(&owner, 'o');
		for (;;)
			pause();
	}
	EXPECT_EQ('o', hear(&owner));
	w = open_process(self->dev, owner.pid, W);
	ASSERT_LE(0, w);
	sync = fork_peer();
	if (!sync.pid) {
		CHECK_EQ(-EPIPE, box_put_sync(w, 1, IPCBOX_FOREVER));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_messages(w, 1));
	call = fork_peer();
	if (!call.pid) {
		__u32 reply;

		CHECK_EQ(-EPIPE, box_ask(w, 1, &reply));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_messages(w, 2));
	EXPECT_EQ(1, box_put(w, 3));
	full = fork_peer();
	if (!full.pid) {
		CHECK_EQ(-EPIPE, box_put_wait(w, 4));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_senders(w, 1));
	EXPECT_EQ(0, kill(owner.pid, SIGKILL));
	EXPECT_EQ(0, end(&full));
	EXPECT_EQ(0, end(&sync));
	EXPECT_EQ(0, end(&call));
	/* It is there yet, for its parent; its mailbox is not. */
	EXPECT_EQ(0, hear(&owner));
	EXPECT_EQ(0, waitid(P_PID, owner.pid, &(siginfo_t){ },
			    WEXITED | WNOWAIT));
	EXPECT_EQ(0, kill(owner.pid, 0));
	EXPECT_EQ(-ENOENT, may(self->dev, owner.pid, W));
	EXPECT_EQ(BOX_KILLED(SIGKILL), end(&owner));
	EXPECT_EQ(-ENOENT, may(self->dev, owner.pid, W));
	EXPECT_EQ(-EPIPE, box_put(w, 5));
	close(w);
}

TEST_F(direct, the_owner_may_unlink_it_and_begin_anew)
{
	struct peer other;
	__u32 number;
	__u64 id;
	int r, w;

	r = open_process(self->dev, getpid(), R);
	w = open_process(self->dev, getpid(), W);
	ASSERT_LE(0, w);
	id = box_id(r);
	other = fork_peer();
	if (!other.pid) {
		become(OTHER, CAP(KILL));
		CHECK_EQ(0, may(self->dev, getppid(), W));
		CHECK_EQ(-EPERM, box_unlink_id(self->dev, id));
		_exit(0);
	}
	EXPECT_EQ(0, end(&other));
	EXPECT_EQ(1, box_put(w, 1));
	EXPECT_EQ(0, box_unlink_id(self->dev, id));
	EXPECT_EQ(-ENOENT, box_unlink_id(self->dev, id));
	EXPECT_EQ(-ENOENT, box_open_id(self->dev, id, W));
	/* Whoever has handles goes on. */
	EXPECT_EQ(1, box_put(w, 2));
	EXPECT_EQ(1, box_get(r, &number));
	EXPECT_EQ(1, number);
	/* The new one may have its receive handle besides. */
	EXPECT_EQ(0, may(self->dev, getpid(), RWM));
	close(w);
	w = open_process(self->dev, getpid(), R | W);
	ASSERT_LE(0, w);
	EXPECT_LT(id, box_id(w));
	EXPECT_EQ(-EAGAIN, box_get(w, &number));
	EXPECT_EQ(1, box_put(w, 3));
	EXPECT_EQ(1, box_get(r, &number));
	EXPECT_EQ(2, number);
	EXPECT_EQ(-EPIPE, box_get(r, &number));
	EXPECT_EQ(1, box_get(w, &number));
	EXPECT_EQ(3, number);
	close(r);
	close(w);
}

TEST_HARNESS_MAIN
