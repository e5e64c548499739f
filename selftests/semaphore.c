// SPDX-License-Identifier: GPL-2.0
/*
 * Semaphores of a region: operations are done together or not at all, waiting is
 * in turn and ends as it should, and what a handle did with UNDO is undone.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "region.h"

#define SEMS	8

FIXTURE(sem)
{
	int dev;
	int fd;			/* every right */
	__u32 *flag;
	char name[BOX_NAME_SIZE];
};

FIXTURE_SETUP(sem)
{
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	box_name(self->name, "sem");
	self->fd = region_make(self->dev, self->name, RWM, 0, SEMS);
	ASSERT_LE(0, self->fd);
	self->flag = box_shared(sizeof(*self->flag) * 64);
}

FIXTURE_TEARDOWN(sem)
{
	munmap(self->flag, sizeof(*self->flag) * 64);
	close(self->fd);
	close(self->dev);
}

#define OP(number, by)		{ .semaphore = (number), .change = (by) }
#define OP_UNDO(number, by)	{ .semaphore = (number), .change = (by), \
				  .flags = UNDO }

#define DO(fd, ...) ({							\
	const struct ipcbox_sem_operation _ops[] = { __VA_ARGS__ };	\
	sem_do(fd, _ops, ARRAY_SIZE(_ops), IPCBOX_NOWAIT, 0);		\
})

/* A child that does one operation and says what it returned. */
static pid_t waits(FIXTURE_DATA(sem) * self, __u32 semaphore, __s32 change,
		   __u32 flags, int expected)
{
	struct ipcbox_stat stat;
	pid_t child;

	if (box_stat(self->fd, &stat))
		abort();
	child = box_fork();
	if (!child) {
		CHECK_EQ(expected, sem_wait_for(self->fd, semaphore, change,
						flags));
		_exit(0);
	}
	if (box_await_receivers(self->fd, stat.receivers_waiting + 1))
		abort();
	return child;
}

TEST_F(sem, values_begin_at_zero_and_add_up)
{
	struct ipcbox_sem_state states[SEMS];
	int i;

	ASSERT_EQ(0, sem_get(self->fd, 0, SEMS, states));
	for (i = 0; i < SEMS; i++) {
		EXPECT_EQ(0, states[i].value);
		EXPECT_EQ(SEM_MAX, states[i].maximum);
		EXPECT_EQ(0, states[i].pid);
		EXPECT_EQ(0, states[i].flags);
		EXPECT_EQ(0, states[i].rising + states[i].falling);
	}
	EXPECT_EQ(0, sem_now(self->fd, 3, 5, 0));
	EXPECT_EQ(5, sem_value(self->fd, 3));
	EXPECT_EQ(0, sem_now(self->fd, 3, -2, 0));
	EXPECT_EQ(3, sem_value(self->fd, 3));
	EXPECT_EQ(-EAGAIN, sem_now(self->fd, 3, -4, 0));
	EXPECT_EQ(3, sem_value(self->fd, 3));
	EXPECT_EQ(-EAGAIN, sem_now(self->fd, 3, 0, 0));
	EXPECT_EQ(0, sem_now(self->fd, 3, -3, 0));
	EXPECT_EQ(0, sem_now(self->fd, 3, 0, 0));
	ASSERT_EQ(0, sem_get(self->fd, 2, 2, states));
	EXPECT_EQ(0, states[0].pid);
	EXPECT_EQ(getpid(), states[1].pid);
}

TEST_F(sem, values_are_checked)
{
	const struct ipcbox_sem_operation wrong[] = {
		OP(SEMS, 1), OP(-1, 1), OP(0, SEM_MAX + 1),
		OP(0, -SEM_MAX - 1), OP(0, INT32_MIN),
		{ .change = 1, .flags = 2 }, { .change = 1, .pad = 1 },
	};
	struct ipcbox_sem_operation many[17] = { };
	struct ipcbox_sem_operate request;
	struct ipcbox_sem_state state;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		EXPECT_EQ(-EINVAL, sem_do(self->fd, &wrong[i], 1, IPCBOX_NOWAIT,
					  0)) {
			TH_LOG("case %u", i);
		}
	}
	EXPECT_EQ(-EINVAL, sem_do(self->fd, many, 0, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(-EINVAL, sem_do(self->fd, many, 17, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(0, sem_do(self->fd, many, 16, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(-EINVAL, sem_do(self->fd, many, 1, IPCBOX_HOLD, 0));
	EXPECT_EQ(-EINVAL, sem_do(self->fd, many, 1, 0, 1ull << 63));
	EXPECT_EQ(-EFAULT, sem_do(self->fd, (void *)8, 1, 0, 0));
	request = (struct ipcbox_sem_operate){
		.size = sizeof(request), .operations = (uintptr_t)many,
		.count = 1, .operation_size = sizeof(many[0]) - 1,
	};
	EXPECT_EQ(-1, ioctl(self->fd, IPCBOX_IOC_SEM, &request));
	EXPECT_EQ(EINVAL, errno);
	request.operation_size = 4097;
	EXPECT_EQ(-1, ioctl(self->fd, IPCBOX_IOC_SEM, &request));
	EXPECT_EQ(E2BIG, errno);

	EXPECT_EQ(-EINVAL, sem_get(self->fd, 0, 0, &state));
	EXPECT_EQ(-EINVAL, sem_get(self->fd, 0, SEMS + 1, &state));
	EXPECT_EQ(-EINVAL, sem_get(self->fd, SEMS, 1, &state));
	EXPECT_EQ(-EINVAL, sem_get(self->fd, -1, 2, &state));
	EXPECT_EQ(-EFAULT, sem_get(self->fd, 0, 1, (void *)8));

	EXPECT_EQ(-EINVAL, sem_assign(self->fd, SEMS, 0, 1));
	EXPECT_EQ(-EINVAL, sem_assign(self->fd, 0, 2, 1));
	EXPECT_EQ(-EINVAL, sem_assign(self->fd, 0, 0, 0));
	EXPECT_EQ(-EINVAL, sem_assign(self->fd, 0, 0, SEM_MAX + 1));
	EXPECT_EQ(0, sem_assign(self->fd, 0, SEM_MAX, SEM_MAX));
	EXPECT_EQ(SEM_MAX, sem_value(self->fd, 0));
	/* Semaphores are regions' own. */
	EXPECT_EQ(-ENOTTY, sem_now(self->dev, 0, 1, 0));
}

TEST_F(sem, each_right_is_needed)
{
	int r = box_open_name(self->dev, self->name, R);
	int w = box_open_name(self->dev, self->name, W);
	int l = box_open_name(self->dev, self->name, IPCBOX_RIGHT_LOOK);

	EXPECT_EQ(0, sem_now(r, 0, 0, 0));
	EXPECT_EQ(-EACCES, sem_now(r, 0, 1, 0));
	EXPECT_EQ(-EACCES, DO(r, OP(0, 0), OP(1, 1)));
	EXPECT_EQ(0, sem_now(w, 0, 1, 0));
	EXPECT_EQ(-EACCES, sem_now(w, 1, 0, 0));
	EXPECT_EQ(-EACCES, DO(w, OP(0, 1), OP(1, 0)));
	EXPECT_EQ(1, sem_value(r, 0));
	EXPECT_EQ(1, sem_value(l, 0));
	EXPECT_EQ(-EACCES, sem_value(w, 0));
	EXPECT_EQ(-EACCES, sem_now(l, 1, 0, 0));
	EXPECT_EQ(-EACCES, sem_assign(r, 0, 0, 1));
	EXPECT_EQ(-EACCES, sem_assign(w, 0, 0, 1));
	EXPECT_EQ(1, sem_value(self->fd, 0));
	close(l);
	close(w);
	close(r);
}

TEST_F(sem, all_is_done_or_nothing)
{
	EXPECT_EQ(0, DO(self->fd, OP(0, 1), OP(1, 2), OP(2, 3)));
	EXPECT_EQ(-EAGAIN, DO(self->fd, OP(0, -1), OP(1, -2), OP(2, -4)));
	EXPECT_EQ(1, sem_value(self->fd, 0));
	EXPECT_EQ(2, sem_value(self->fd, 1));
	EXPECT_EQ(3, sem_value(self->fd, 2));
	/* In their order, at one semaphore too. */
	EXPECT_EQ(0, DO(self->fd, OP(3, 0), OP(3, 1), OP(3, -1), OP(3, 0),
			OP(3, 2)));
	EXPECT_EQ(2, sem_value(self->fd, 3));
	EXPECT_EQ(-EAGAIN, DO(self->fd, OP(3, -1), OP(3, -2), OP(3, 9)));
	EXPECT_EQ(2, sem_value(self->fd, 3));
	EXPECT_EQ(0, DO(self->fd, OP(3, 1), OP(3, -3), OP(3, 0)));
	EXPECT_EQ(0, sem_value(self->fd, 3));
	EXPECT_EQ(-ERANGE, DO(self->fd, OP(0, 1), OP(2, SEM_MAX)));
	EXPECT_EQ(1, sem_value(self->fd, 0));
	/* Not even for a moment. */
	EXPECT_EQ(-ERANGE, DO(self->fd, OP(2, SEM_MAX), OP(2, -SEM_MAX)));
	EXPECT_EQ(3, sem_value(self->fd, 2));
}

TEST_F(sem, a_maximum_is_kept)
{
	struct ipcbox_sem_state state;

	ASSERT_EQ(0, sem_assign(self->fd, 0, 1, 1));
	EXPECT_EQ(-ERANGE, sem_now(self->fd, 0, 1, 0));
	EXPECT_EQ(1, sem_value(self->fd, 0));
	EXPECT_EQ(0, sem_now(self->fd, 0, -1, 0));
	EXPECT_EQ(0, sem_now(self->fd, 0, 1, 0));
	ASSERT_EQ(0, sem_get(self->fd, 0, 1, &state));
	EXPECT_EQ(1, state.maximum);
}

TEST_F(sem, waiting_ends_when_it_can_be_done)
{
	struct ipcbox_sem_state state;
	pid_t child = waits(self, 0, -3, 0, 0);

	ASSERT_EQ(0, sem_get(self->fd, 0, 1, &state));
	EXPECT_EQ(1, state.rising);
	EXPECT_EQ(0, state.falling);
	EXPECT_EQ(0, sem_now(self->fd, 0, 2, 0));
	ASSERT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(2, sem_value(self->fd, 0));
	EXPECT_EQ(0, sem_now(self->fd, 0, 2, 0));
	EXPECT_EQ(0, box_wait(child));
	ASSERT_EQ(0, sem_get(self->fd, 0, 1, &state));
	EXPECT_EQ(1, state.value);
	EXPECT_EQ(0, state.rising);
	EXPECT_EQ(child, state.pid);
}

TEST_F(sem, zero_is_waited_for)
{
	struct ipcbox_sem_state state;
	pid_t children[2];

	EXPECT_EQ(0, sem_now(self->fd, 0, 2, 0));
	children[0] = waits(self, 0, 0, 0, 0);
	children[1] = waits(self, 0, 0, 0, 0);
	ASSERT_EQ(0, sem_get(self->fd, 0, 1, &state));
	EXPECT_EQ(0, state.rising);
	EXPECT_EQ(2, state.falling);
	EXPECT_EQ(0, sem_now(self->fd, 0, -1, 0));
	ASSERT_EQ(0, box_await_receivers(self->fd, 2));
	EXPECT_EQ(0, sem_now(self->fd, 0, -1, 0));
	EXPECT_EQ(0, box_wait(children[0]));
	EXPECT_EQ(0, box_wait(children[1]));
	EXPECT_EQ(0, sem_value(self->fd, 0));
}

/* One who wants more is not passed by those who want less. */
TEST_F(sem, who_came_first_is_served_first)
{
	pid_t first = waits(self, 0, -3, 0, 0);
	pid_t second = waits(self, 0, -1, 0, 0);

	EXPECT_EQ(0, sem_now(self->fd, 0, 2, 0));
	ASSERT_EQ(0, box_await_receivers(self->fd, 2));
	/* Nor by one who comes now. */
	EXPECT_EQ(-EAGAIN, sem_now(self->fd, 0, -1, 0));
	EXPECT_EQ(0, sem_now(self->fd, 0, 1, 0));
	EXPECT_EQ(0, box_wait(first));
	ASSERT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(0, sem_value(self->fd, 0));
	EXPECT_EQ(0, sem_now(self->fd, 0, 1, 0));
	EXPECT_EQ(0, box_wait(second));
}

/* Who is in the way at one semaphore is not at the others. */
TEST_F(sem, who_waits_holds_nothing)
{
	const struct ipcbox_sem_operation both[] = { OP(0, -1), OP(1, -1) };
	pid_t child;

	EXPECT_EQ(0, sem_now(self->fd, 0, 1, 0));
	child = box_fork();
	if (!child) {
		CHECK_EQ(0, sem_do(self->fd, both, 2, 0, IPCBOX_FOREVER));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(0, sem_now(self->fd, 0, -1, 0));
	EXPECT_EQ(0, sem_now(self->fd, 1, 1, 0));
	ASSERT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(1, sem_value(self->fd, 1));
	EXPECT_EQ(0, sem_now(self->fd, 0, 1, 0));
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, sem_value(self->fd, 0));
	EXPECT_EQ(0, sem_value(self->fd, 1));
}

TEST_F(sem, one_who_gives_up_lets_the_next_go)
{
	pid_t first = waits(self, 0, -3, 0, 0);
	pid_t second = waits(self, 0, -1, 0, 0);

	EXPECT_EQ(0, sem_now(self->fd, 0, 1, 0));
	ASSERT_EQ(0, box_await_receivers(self->fd, 2));
	kill(first, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(first));
	EXPECT_EQ(0, box_wait(second));
	EXPECT_EQ(0, sem_value(self->fd, 0));
}

TEST_F(sem, a_deadline_ends_the_wait)
{
	struct ipcbox_sem_operation take = OP(0, -1);
	struct ipcbox_stat stat;
	__u64 until = box_in_ms(50);

	EXPECT_EQ(-ETIMEDOUT, sem_do(self->fd, &take, 1, 0, until));
	EXPECT_LE(until, box_now());
	EXPECT_EQ(-ETIMEDOUT, sem_do(self->fd, &take, 1, 0, 0));
	ASSERT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.receivers_waiting);
	/* What need not wait is done, however late. */
	EXPECT_EQ(0, sem_now(self->fd, 0, 1, 0));
	EXPECT_EQ(0, sem_do(self->fd, &take, 1, 0, 0));
	EXPECT_EQ(0, sem_value(self->fd, 0));
	EXPECT_EQ(-ETIMEDOUT, sem_do(self->fd, &take, 1, IPCBOX_REALTIME,
				     1000));
}

static void on_signal(int number)
{
}

TEST_F(sem, a_signal_ends_the_wait)
{
	struct sigaction action = { .sa_handler = on_signal };
	pid_t child = box_fork();

	if (!child) {
		sigaction(SIGUSR1, &action, NULL);
		CHECK_EQ(-EINTR, sem_wait_for(self->fd, 0, -1, 0));
		/* And goes on where the handler wants that. */
		action.sa_flags = SA_RESTART;
		sigaction(SIGUSR1, &action, NULL);
		__atomic_store_n(self->flag, 1, __ATOMIC_RELEASE);
		CHECK_EQ(0, sem_wait_for(self->fd, 1, -1, 0));
		_exit(0);
	}
	ASSERT_EQ(0, box_await_receivers(self->fd, 1));
	kill(child, SIGUSR1);
	box_await_flag(self->flag, 1);
	ASSERT_EQ(0, box_await_receivers(self->fd, 1));
	kill(child, SIGUSR1);
	EXPECT_EQ(0, sem_now(self->fd, 1, 1, 0));
	EXPECT_EQ(0, box_wait(child));
}

TEST_F(sem, o_nonblock_is_honoured)
{
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL,
			   fcntl(self->fd, F_GETFL) | O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, sem_wait_for(self->fd, 0, -1, 0));
}

TEST_F(sem, unlink_ends_all_waiting)
{
	pid_t children[3];
	int i;

	EXPECT_EQ(0, sem_now(self->fd, 1, 1, 0));
	children[0] = waits(self, 0, -1, 0, -EPIPE);
	children[1] = waits(self, 1, 0, 0, -EPIPE);
	children[2] = waits(self, 0, -2, UNDO, -EPIPE);
	EXPECT_EQ(0, box_unlink_name(self->dev, self->name));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, box_wait(children[i]));
	}
	EXPECT_EQ(-EPIPE, sem_wait_for(self->fd, 0, -1, 0));
	EXPECT_EQ(-EPIPE, sem_now(self->fd, 0, -1, 0));
	/* What need not wait is done. */
	EXPECT_EQ(0, sem_now(self->fd, 1, -1, 0));
	EXPECT_EQ(0, sem_value(self->fd, 1));
	EXPECT_EQ(POLLHUP, box_poll(self->fd) & (POLLIN | POLLHUP));
}

TEST_F(sem, closing_undoes)
{
	int fd = box_open_name(self->dev, self->name, R | W);
	pid_t child;

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, sem_now(self->fd, 0, 10, 0));
	EXPECT_EQ(0, sem_now(fd, 0, -3, UNDO));
	EXPECT_EQ(0, sem_now(fd, 0, -1, 0));
	EXPECT_EQ(0, sem_now(fd, 0, 1, UNDO));
	EXPECT_EQ(0, sem_now(fd, 1, 5, UNDO));
	EXPECT_EQ(7, sem_value(self->fd, 0));
	EXPECT_EQ(5, sem_value(self->fd, 1));
	EXPECT_EQ(0, sem_now(self->fd, 1, -2, 0));
	/* A child's end is not the handle's. */
	child = box_fork();
	if (!child)
		_exit(0);
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(7, sem_value(self->fd, 0));
	close(fd);
	EXPECT_EQ(9, sem_value(self->fd, 0));
	/* As far as it is there. */
	EXPECT_EQ(0, sem_value(self->fd, 1));
}

/* A process with a handle of its own, that holds and waits to be killed. */
static pid_t holds(FIXTURE_DATA(sem) * self, __u32 semaphore, __s32 change)
{
	pid_t child = box_fork();

	if (!child) {
		int fd = box_open_name(self->dev, self->name, R | W);

		CHECK_EQ(0, sem_now(fd, semaphore, change, UNDO));
		__atomic_store_n(self->flag, 1, __ATOMIC_RELEASE);
		for (;;)
			pause();
	}
	box_await_flag(self->flag, 1);
	return child;
}

TEST_F(sem, undoing_wakes)
{
	pid_t holder, waiter;

	EXPECT_EQ(0, sem_now(self->fd, 0, 2, 0));
	holder = holds(self, 0, -2);
	waiter = waits(self, 0, -2, 0, 0);
	kill(holder, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(holder));
	EXPECT_EQ(0, box_wait(waiter));
	EXPECT_EQ(0, sem_value(self->fd, 0));
}

TEST_F(sem, setting_forgets_what_was_to_be_undone)
{
	int fd = box_open_name(self->dev, self->name, R | W);

	EXPECT_EQ(0, sem_now(self->fd, 0, 4, 0));
	EXPECT_EQ(0, sem_now(fd, 0, -2, UNDO));
	EXPECT_EQ(0, sem_now(fd, 1, 1, UNDO));
	EXPECT_EQ(0, sem_assign(self->fd, 0, 7, SEM_MAX));
	/* What is done since counts. */
	EXPECT_EQ(0, sem_now(fd, 0, -1, UNDO));
	EXPECT_EQ(6, sem_value(self->fd, 0));
	close(fd);
	EXPECT_EQ(7, sem_value(self->fd, 0));
	EXPECT_EQ(0, sem_value(self->fd, 1));
}

TEST_F(sem, undo_has_a_range)
{
	int fd = box_open_name(self->dev, self->name, R | W);

	EXPECT_EQ(0, sem_now(fd, 0, SEM_MAX, UNDO));
	EXPECT_EQ(0, sem_now(fd, 0, -SEM_MAX, 0));
	EXPECT_EQ(-ERANGE, sem_now(fd, 0, 1, UNDO));
	EXPECT_EQ(0, sem_value(self->fd, 0));
	EXPECT_EQ(-ERANGE, DO(fd, OP_UNDO(1, SEM_MAX), OP(1, -1),
			      OP_UNDO(1, 1)));
	EXPECT_EQ(0, sem_value(self->fd, 1));
	EXPECT_EQ(0, sem_now(fd, 0, 1, 0));
	close(fd);
	EXPECT_EQ(0, sem_value(self->fd, 0));
}

TEST_F(sem, the_death_of_a_holder_is_told_once)
{
	struct ipcbox_sem_state state;
	int fd = box_open_name(self->dev, self->name, R | W);

	ASSERT_EQ(0, sem_assign(self->fd, 0, 1, 1));
	EXPECT_EQ(0, sem_now(fd, 0, -1, UNDO));
	EXPECT_EQ(-EAGAIN, sem_now(self->fd, 0, -1, UNDO));
	close(fd);
	ASSERT_EQ(0, sem_get(self->fd, 0, 1, &state));
	EXPECT_EQ(1, state.value);
	EXPECT_EQ(IPCBOX_SEM_DEAD, state.flags);
	/* Looking at it is not taking it. */
	EXPECT_EQ(-EAGAIN, sem_now(self->fd, 0, 0, 0));
	EXPECT_EQ(-EOWNERDEAD, sem_now(self->fd, 0, -1, UNDO));
	/* It is held. */
	ASSERT_EQ(0, sem_get(self->fd, 0, 1, &state));
	EXPECT_EQ(0, state.value);
	EXPECT_EQ(0, state.flags);
	EXPECT_EQ(0, sem_now(self->fd, 0, 1, UNDO));
	EXPECT_EQ(0, sem_now(self->fd, 0, -1, 0));
	EXPECT_EQ(0, sem_now(self->fd, 0, 1, 0));

	/* One who has let go does not die holding it. */
	fd = box_open_name(self->dev, self->name, R | W);
	EXPECT_EQ(0, sem_now(fd, 0, -1, UNDO));
	EXPECT_EQ(0, sem_now(fd, 0, 1, UNDO));
	close(fd);
	EXPECT_EQ(0, sem_now(self->fd, 0, -1, UNDO));
	EXPECT_EQ(0, sem_now(self->fd, 0, 1, UNDO));

	/* Nor does the user of one that counts. */
	fd = box_open_name(self->dev, self->name, R | W);
	EXPECT_EQ(0, sem_now(self->fd, 1, 1, 0));
	EXPECT_EQ(0, sem_now(fd, 1, -1, UNDO));
	close(fd);
	EXPECT_EQ(0, sem_now(self->fd, 1, -1, UNDO));
}

TEST_F(sem, a_waiter_learns_of_the_death)
{
	pid_t holder, first, second;

	ASSERT_EQ(0, sem_assign(self->fd, 0, 1, 1));
	holder = holds(self, 0, -1);
	first = waits(self, 0, -1, UNDO, -EOWNERDEAD);
	second = waits(self, 0, -1, UNDO, 0);
	kill(holder, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(holder));
	/* A child's handle is its parent's: it lets go by an operation. */
	EXPECT_EQ(0, box_wait(first));
	ASSERT_EQ(0, box_await_receivers(self->fd, 1));
	EXPECT_EQ(0, sem_now(self->fd, 0, 1, UNDO));
	EXPECT_EQ(0, box_wait(second));
	EXPECT_EQ(0, sem_value(self->fd, 0));
}

TEST_F(sem, setting_wakes)
{
	pid_t first, second;

	EXPECT_EQ(0, sem_now(self->fd, 1, 1, 0));
	first = waits(self, 0, -5, 0, 0);
	second = waits(self, 1, 0, 0, 0);
	EXPECT_EQ(0, sem_assign(self->fd, 0, 6, SEM_MAX));
	EXPECT_EQ(0, box_wait(first));
	EXPECT_EQ(1, sem_value(self->fd, 0));
	EXPECT_EQ(0, sem_assign(self->fd, 1, 0, 1));
	EXPECT_EQ(0, box_wait(second));
}

TEST_F(sem, poll_tells_when_it_can_be_done)
{
	const struct ipcbox_sem_operation watched[] = { OP(1, -2), OP(2, 0) };
	const struct ipcbox_sem_operation undo = OP_UNDO(1, -1);
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(0);
	pid_t child;

	/* Unless told otherwise, when 1 can be taken from the first. */
	EXPECT_EQ(0, box_poll(self->fd));
	EXPECT_EQ(0, sem_now(self->fd, 0, 1, 0));
	EXPECT_EQ(POLLIN, box_poll(self->fd) & POLLIN);
	EXPECT_EQ(0, sem_now(self->fd, 0, -1, 0));
	EXPECT_EQ(0, box_poll(self->fd));

	EXPECT_EQ(-EINVAL, sem_do(self->fd, &undo, 1, IPCBOX_SEM_WATCH, 0));
	ASSERT_EQ(0, sem_do(self->fd, watched, 2, IPCBOX_SEM_WATCH, 0));
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->fd, &event));
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	EXPECT_EQ(0, sem_now(self->fd, 0, 1, 0));
	EXPECT_EQ(0, box_poll(self->fd));
	EXPECT_EQ(0, sem_now(self->fd, 2, 1, 0));
	EXPECT_EQ(0, sem_now(self->fd, 1, 2, 0));
	EXPECT_EQ(0, box_poll(self->fd));
	child = box_fork();
	if (!child) {
		CHECK_EQ(0, sem_now(self->fd, 2, -1, 0));
		_exit(0);
	}
	EXPECT_EQ(1, epoll_wait(epoll, &event, 1, -1));
	EXPECT_EQ(EPOLLIN, event.events & EPOLLIN);
	EXPECT_EQ(0, box_wait(child));
	/* It was not done. */
	EXPECT_EQ(2, sem_value(self->fd, 1));
	EXPECT_EQ(0, sem_do(self->fd, watched, 2, IPCBOX_NOWAIT, 0));
	EXPECT_EQ(0, box_poll(self->fd));
	close(epoll);
}

TEST_F(sem, a_sleeping_poller_is_woken)
{
	struct pollfd poller = { .fd = self->fd, .events = POLLIN };
	pid_t child = box_fork();

	if (!child) {
		CHECK_EQ(1, poll(&poller, 1, -1));
		CHECK_EQ(POLLIN, poller.revents & POLLIN);
		_exit(0);
	}
	ASSERT_EQ(0, box_await_asleep(child, SYS_poll));
	EXPECT_EQ(0, sem_now(self->fd, 0, 1, 0));
	EXPECT_EQ(0, box_wait(child));
}

struct trader {
	int fd;
	int rounds;
	int errors;
};

/* Takes two of its neighbours' at once, and gives them back. */
static void *trade(void *argument)
{
	struct trader *trader = argument;
	struct ipcbox_sem_operation take[2] = { OP(0, -1), OP(0, -1) };
	struct ipcbox_sem_operation give[2];
	__u64 seed = (uintptr_t)trader;
	int i;

	for (i = 0; i < trader->rounds; i++) {
		take[0].semaphore = box_random(&seed) % SEMS;
		take[1].semaphore = (take[0].semaphore + 1 +
				     box_random(&seed) % (SEMS - 1)) % SEMS;
		memcpy(give, take, sizeof(give));
		give[0].change = 1;
		give[1].change = 1;
		trader->errors += sem_do(trader->fd, take, 2, 0,
					 IPCBOX_FOREVER) != 0;
		trader->errors += sem_do(trader->fd, give, 2, 0,
					 IPCBOX_FOREVER) != 0;
	}
	return NULL;
}

TEST_F(sem, many_who_want_several_all_get_them)
{
	struct trader traders[8];
	pthread_t threads[8];
	struct ipcbox_stat stat;
	int i;

	for (i = 0; i < SEMS; i++) {
		ASSERT_EQ(0, sem_assign(self->fd, i, 1, 1));
	}
	for (i = 0; i < 8; i++) {
		traders[i] = (struct trader){ .fd = self->fd, .rounds = 1000 };
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, trade,
					    &traders[i]));
	}
	for (i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_EQ(0, traders[i].errors);
	}
	for (i = 0; i < SEMS; i++) {
		EXPECT_EQ(1, sem_value(self->fd, i));
	}
	ASSERT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(0, stat.receivers_waiting);
}

TEST_HARNESS_MAIN
