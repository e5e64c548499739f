// SPDX-License-Identifier: GPL-2.0
/*
 * Spinning before sleep: off unless asked, for as long as asked, only while the
 * other side is elsewhere; and whatever ends a sleep ends it too.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <time.h>

#include "kselftest_harness.h"
#include "box.h"

#define TRIALS	50

FIXTURE(spin)
{
	int dev;
	int fd;
};

FIXTURE_SETUP(spin)
{
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = box_make(self->dev, IPCBOX_QUEUE, RWM);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(spin)
{
	EXPECT_TRUE(box_adds_up(self->fd));
	close(self->fd);
	close(self->dev);
}

static int spin(int fd, __u64 time)
{
	struct ipcbox_spin request = { .size = sizeof(request), .time = time };

	return ioctl(fd, IPCBOX_IOC_SPIN, &request) ? -errno : 0;
}

TEST_F(spin, its_time_is_bounded_and_needs_a_right)
{
	struct ipcbox_spin request = { .size = sizeof(request), .flags = 1 };
	struct {
		struct ipcbox_spin known;
		__u64 tail;
	} longer = { .known.size = sizeof(longer) };
	int look = box_open_id(self->dev, box_id(self->fd), IPCBOX_RIGHT_LOOK);

	EXPECT_EQ(0, spin(self->fd, IPCBOX_SPIN_MAX));
	EXPECT_EQ(-EINVAL, spin(self->fd, IPCBOX_SPIN_MAX + 1));
	EXPECT_EQ(-EINVAL, spin(self->fd, -1));
	EXPECT_EQ(0, spin(self->fd, 0));
	EXPECT_LE(0, look);
	EXPECT_EQ(-EACCES, spin(look, 0));
	EXPECT_EQ(-1, ioctl(self->fd, IPCBOX_IOC_SPIN, &request));
	EXPECT_EQ(EINVAL, errno);
	request.flags = 0;
	request.size--;
	EXPECT_EQ(-1, ioctl(self->fd, IPCBOX_IOC_SPIN, &request));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, ioctl(self->fd, IPCBOX_IOC_SPIN, &longer));
	longer.tail = 1;
	EXPECT_EQ(-1, ioctl(self->fd, IPCBOX_IOC_SPIN, &longer));
	EXPECT_EQ(E2BIG, errno);
	EXPECT_EQ(-1, ioctl(self->fd, IPCBOX_IOC_SPIN, box_edge(0)));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, ioctl(self->dev, IPCBOX_IOC_SPIN, &request));
	EXPECT_EQ(ENOTTY, errno);
	close(look);
}

static int compare(const void *a, const void *b)
{
	__u64 left = *(const __u64 *)a, right = *(const __u64 *)b;

	return left < right ? -1 : left > right;
}

static __u64 processor_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* The processor time of a wait that ends in vain, the median of TRIALS. */
static __u64 cost_of_waiting(struct __test_metadata *_metadata, int fd)
{
	struct ipcbox_incoming in;
	__u64 costs[TRIALS];
	int i;

	for (i = 0; i < TRIALS; i++) {
		costs[i] = processor_time();
		EXPECT_EQ(-ETIMEDOUT, box_receive(fd, &in, NULL, 0, 0,
						  box_in_ms(3)));
		costs[i] = processor_time() - costs[i];
	}
	qsort(costs, TRIALS, sizeof(costs[0]), compare);
	return costs[TRIALS / 2];
}

TEST_F(spin, a_wait_stays_awake_only_when_asked_and_for_another_processor)
{
	__u64 asleep, awake, same;
	cpu_set_t one;
	__u32 number;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs two processors");
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	asleep = cost_of_waiting(_metadata, self->fd);
	EXPECT_EQ(0, spin(self->fd, IPCBOX_SPIN_MAX));
	awake = cost_of_waiting(_metadata, self->fd);
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(1, box_get(self->fd, &number));
	same = cost_of_waiting(_metadata, self->fd);
	/* Half of the time, as something else may want the processor. */
	EXPECT_LT(asleep + IPCBOX_SPIN_MAX / 2, awake);
	EXPECT_LT(same + IPCBOX_SPIN_MAX / 2, awake);
}

TEST_F(spin, a_wait_stays_awake_no_longer_than_asked)
{
	struct ipcbox_incoming in;
	__u64 awake, all;
	int i;

	EXPECT_EQ(0, spin(self->fd, IPCBOX_SPIN_MAX));
	awake = processor_time();
	all = box_now();
	/* Long ones, as the clock may be as coarse as a tick. */
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(-ETIMEDOUT, box_receive(self->fd, &in, NULL, 0, 0,
						  box_in_ms(100)));
	}
	awake = processor_time() - awake;
	all = box_now() - all;
	EXPECT_LT(awake, all / 2);
}

static int signals;

static void count_signal(int sig)
{
	__atomic_fetch_add(&signals, 1, __ATOMIC_RELAXED);
}

TEST_F(spin, a_signal_ends_it)
{
	struct itimerval often = { .it_interval.tv_usec = 2000,
				   .it_value.tv_usec = 2000 };
	struct sigaction action = { .sa_handler = count_signal };
	struct ipcbox_incoming in;

	sigaction(SIGALRM, &action, NULL);
	EXPECT_EQ(0, spin(self->fd, IPCBOX_SPIN_MAX));
	setitimer(ITIMER_REAL, &often, NULL);
	EXPECT_EQ(-EINTR, box_receive(self->fd, &in, NULL, 0, 0,
				      IPCBOX_FOREVER));
	EXPECT_LT(0, __atomic_load_n(&signals, __ATOMIC_RELAXED));
}

TEST_F(spin, calls_are_answered_and_the_end_of_a_server_is_told)
{
	struct ipcbox_answer answer = { .deadline = IPCBOX_FOREVER };
	struct ipcbox_incoming in = { };
	int server = box_open_id(self->dev, box_id(self->fd), R);
	__u32 number, reply, i;
	pid_t child;

	EXPECT_EQ(0, spin(self->fd, 100000));
	EXPECT_EQ(0, spin(server, 100000));
	child = box_fork();
	if (!child) {
		close(self->fd);
		in.data = (uintptr_t)&number;
		in.capacity = sizeof(number);
		answer.message = (uintptr_t)&in;
		for (i = 0; i < 500; i++) {
			CHECK_EQ(1, box_answer(server, &answer));
			CHECK_EQ(i, number);
			answer.token = in.token;
			answer.action = IPCBOX_REPLY;
			answer.data = (uintptr_t)&number;
			answer.length = sizeof(number);
		}
		CHECK_EQ(1, box_answer(server, &answer));
		_exit(0);
	}
	close(server);
	for (i = 0; i < 500; i++) {
		reply = ~i;
		EXPECT_EQ(0, box_ask(self->fd, i, &reply));
		EXPECT_EQ(i, reply);
	}
	EXPECT_EQ(-EOWNERDEAD, box_ask(self->fd, i, &reply));
	EXPECT_EQ(0, box_wait(child));
}

TEST_HARNESS_MAIN
