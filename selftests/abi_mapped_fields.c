// SPDX-License-Identifier: GPL-2.0
/*
 * Every ioctl of regions, semaphores, channels and receive pools checks the values
 * that it is given, beside what abi_mapped shows of all: arrays and their strides,
 * deadlines, the kind of the object and the rights of the handle. A refused call
 * changes nothing; and one that waits goes on when its descriptor is closed.
 */
#include <pthread.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "abi.h"
#include "channel_end.h"
#include "pool.h"
#include "region.h"

#define SEMS		3
#define RING		65536

FIXTURE(mapped)
{
	int dev;
	int region;
	int channel;		/* manages */
	int pool;
	int queue;
	__u32 *flag;
	struct box_snapshot before;
};

FIXTURE_SETUP(mapped)
{
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->region = region_make(self->dev, NULL, RWM,
				   sysconf(_SC_PAGESIZE), SEMS);
	ASSERT_LE(0, self->region);
	ASSERT_EQ(0, sem_assign_three(self->region, 1, 2, 3));
	self->channel = end_make(self->dev, M, sysconf(_SC_PAGESIZE));
	ASSERT_LE(0, self->channel);
	self->pool = pool_create(self->dev, RWM, RING, 0, 0);
	ASSERT_LE(0, self->pool);
	self->queue = box_make(self->dev, IPCBOX_QUEUE, RWM);
	ASSERT_LE(0, self->queue);
	self->flag = box_shared(sizeof(*self->flag));
	box_snapshot(self->dev, self->region, &self->before);
}

FIXTURE_TEARDOWN(mapped)
{
	EXPECT_TRUE(box_unchanged(self->dev, self->region, &self->before));
	EXPECT_TRUE(sem_has_three(self->region, 1, 2, 3));
	munmap(self->flag, sizeof(*self->flag));
	close(self->queue);
	close(self->pool);
	close(self->channel);
	close(self->region);
	close(self->dev);
}

/* The three calls that take an array are laid out in nearly the same way. */
static int with_array(int fd, unsigned int command, __u64 array, __u32 count,
		      __u32 stride)
{
	struct ipcbox_sem_operate operate = {
		.size = sizeof(operate),
		.flags = IPCBOX_NOWAIT,
		.operations = array,
		.count = count,
		.operation_size = stride,
	};
	struct ipcbox_sem_assign assign = {
		.size = sizeof(assign),
		.values = array,
		.count = count,
		.value_size = stride,
	};
	struct ipcbox_sem_get get = {
		.size = sizeof(get),
		.states = array,
		.count = count,
		.state_size = stride,
	};
	void *request = command == IPCBOX_IOC_SEM ? (void *)&operate :
			command == IPCBOX_IOC_SEM_SET ? (void *)&assign : &get;

	return ioctl(fd, command, request) ? -errno : 0;
}

static const struct {
	unsigned int command;
	unsigned int stride;
} arrays[] = {
	{ IPCBOX_IOC_SEM, sizeof(struct ipcbox_sem_operation) },
	{ IPCBOX_IOC_SEM_SET, sizeof(struct ipcbox_sem_value) },
	{ IPCBOX_IOC_SEM_GET, sizeof(struct ipcbox_sem_state) },
};

/* An array of two that each of the calls takes, with this stride. */
static void fill_array(unsigned int command, char *array, unsigned int stride)
{
	struct ipcbox_sem_operation operation = { };
	struct ipcbox_sem_value value = { .maximum = SEM_MAX };
	__u32 i;

	memset(array, 0, 2 * stride);
	for (i = 0; i < 2; i++) {
		operation.semaphore = i;
		operation.change = i ? 1 : -1;
		value.semaphore = i;
		value.value = i ? 3 : 0;
		if (command == IPCBOX_IOC_SEM)
			memcpy(array + i * stride, &operation,
			       sizeof(operation));
		else if (command == IPCBOX_IOC_SEM_SET)
			memcpy(array + i * stride, &value, sizeof(value));
	}
}

TEST_F(mapped, small_strides_are_refused)
{
	char array[64] = { };
	unsigned int i, stride;

	for (i = 0; i < ARRAY_SIZE(arrays); i++) {
		for (stride = 0; stride < arrays[i].stride; stride++) {
			fill_array(arrays[i].command, array, arrays[i].stride);
			EXPECT_EQ(-EINVAL, with_array(self->region,
						      arrays[i].command,
						      (uintptr_t)array, 1,
						      stride))
				TH_LOG("array %u, stride %u", i, stride);
		}
	}
}

TEST_F(mapped, large_strides_are_taken_by_their_tail)
{
	const unsigned int more = 40;
	unsigned int i, stride;
	struct ipcbox_sem_state state;
	char array[160];

	for (i = 0; i < ARRAY_SIZE(arrays); i++) {
		stride = arrays[i].stride + more;
		EXPECT_EQ(-E2BIG, with_array(self->region, arrays[i].command,
					     (uintptr_t)array, 2, UINT_MAX));
		EXPECT_EQ(-E2BIG, with_array(self->region, arrays[i].command,
					     (uintptr_t)array, 2,
					     sysconf(_SC_PAGESIZE) + 1));
		fill_array(arrays[i].command, array, stride);
		/* What is only written may be anything. */
		if (arrays[i].command != IPCBOX_IOC_SEM_GET) {
			array[2 * stride - 1] = 1;
			EXPECT_EQ(-E2BIG, with_array(self->region,
						     arrays[i].command,
						     (uintptr_t)array, 2,
						     stride));
			EXPECT_TRUE(sem_has_three(self->region, 1, 2, 3));
			array[2 * stride - 1] = 0;
		} else {
			memset(array, 0xff, sizeof(array));
		}
		EXPECT_EQ(0, with_array(self->region, arrays[i].command,
					(uintptr_t)array, 2, stride));
		if (arrays[i].command != IPCBOX_IOC_SEM_GET) {
			EXPECT_TRUE(sem_has_three(self->region, 0, 3, 3));
			EXPECT_EQ(0, sem_assign_three(self->region, 1, 2, 3));
		}
	}
	/* The rest of an entry that is larger than the kernel's is zero. */
	memcpy(&state, array + stride, sizeof(state));
	EXPECT_EQ(2, state.value);
	for (i = sizeof(state); i < stride; i++) {
		EXPECT_EQ(0, array[stride + i])
			TH_LOG("byte %u", i);
	}
	/* And nothing is written behind the last. */
	for (i = 2 * stride; i < sizeof(array); i++) {
		EXPECT_EQ(-1, array[i])
			TH_LOG("byte %u", i);
	}
}

TEST_F(mapped, bad_arrays_are_efault)
{
	long page = sysconf(_SC_PAGESIZE);
	unsigned int i, j;
	char array[64], *edge;

	for (i = 0; i < ARRAY_SIZE(arrays); i++) {
		for (j = 0; j < ARRAY_SIZE(bad_pointers); j++) {
			EXPECT_EQ(-EFAULT, with_array(self->region,
						      arrays[i].command,
						      bad_pointers[j], 1,
						      arrays[i].stride))
				TH_LOG("array %u, %#llx", i, bad_pointers[j]);
		}
		/* The second of two is not there: nor is the first done. */
		edge = box_edge(arrays[i].stride * 3 / 2);
		fill_array(arrays[i].command, array, arrays[i].stride);
		memcpy(edge, array, arrays[i].stride * 3 / 2);
		EXPECT_EQ(-EFAULT, with_array(self->region, arrays[i].command,
					      (uintptr_t)edge, 2,
					      arrays[i].stride));
		EXPECT_TRUE(sem_has_three(self->region, 1, 2, 3));
	}
	/* What is to be written cannot be. */
	edge = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(edge != MAP_FAILED);
	EXPECT_EQ(-EFAULT, with_array(self->region, IPCBOX_IOC_SEM_GET,
				      (uintptr_t)edge, 1,
				      sizeof(struct ipcbox_sem_state)));
	munmap(edge, page);
}

TEST_F(mapped, a_refused_array_is_not_done_in_part)
{
	const struct ipcbox_sem_operation operations[][2] = {
		{ { .change = 1 }, { .semaphore = SEMS, .change = 1 } },
		{ { .change = 1 }, { .change = SEM_MAX + 1 } },
		{ { .change = 1 }, { .change = -SEM_MAX - 1 } },
		{ { .change = 1 }, { .change = 1, .flags = 2 } },
		{ { .change = 1 }, { .change = 1, .flags = UNDO | 4 } },
		{ { .change = 1 }, { .change = 1, .pad = 1 } },
	};
	const struct ipcbox_sem_value values[][2] = {
		{ { .value = 9, .maximum = 9 },
		  { .semaphore = SEMS, .maximum = 1 } },
		{ { .value = 9, .maximum = 9 },
		  { .semaphore = 1, .value = 2, .maximum = 1 } },
		{ { .value = 9, .maximum = 9 },
		  { .semaphore = 1, .maximum = 0 } },
		{ { .value = 9, .maximum = 9 },
		  { .semaphore = 1, .maximum = SEM_MAX + 1 } },
		{ { .value = 9, .maximum = 9 },
		  { .semaphore = 1, .maximum = 1, .pad = 1 } },
	};
	const struct ipcbox_sem_value many[SEMS + 1] = {
		{ .maximum = 1 }, { .maximum = 1 }, { .maximum = 1 },
		{ .maximum = 1 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(operations); i++) {
		EXPECT_EQ(-EINVAL, sem_do(self->region, operations[i], 2,
					  IPCBOX_NOWAIT, 0))
			TH_LOG("operation %u", i);
		EXPECT_TRUE(sem_has_three(self->region, 1, 2, 3));
	}
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		EXPECT_EQ(-EINVAL, with_array(self->region, IPCBOX_IOC_SEM_SET,
					      (uintptr_t)values[i], 2,
					      sizeof(values[i][0])))
			TH_LOG("value %u", i);
		EXPECT_TRUE(sem_has_three(self->region, 1, 2, 3));
	}
	EXPECT_EQ(-EINVAL, with_array(self->region, IPCBOX_IOC_SEM_SET,
				      (uintptr_t)many, 0, sizeof(many[0])));
	EXPECT_EQ(-EINVAL, with_array(self->region, IPCBOX_IOC_SEM_SET,
				      (uintptr_t)many, SEMS + 1,
				      sizeof(many[0])));
	EXPECT_EQ(-EINVAL, with_array(self->region, IPCBOX_IOC_SEM_SET,
				      (uintptr_t)many, UINT_MAX,
				      sizeof(many[0])));
	EXPECT_EQ(-EINVAL, with_array(self->region, IPCBOX_IOC_SEM_GET,
				      (uintptr_t)many, UINT_MAX,
				      sizeof(struct ipcbox_sem_state)));
}

TEST_F(mapped, deadlines_are_checked)
{
	static const __u64 wrong[] = { 1ull << 63, (1ull << 63) + 1, -2 };
	const struct ipcbox_sem_operation give = { .change = 1 };
	int r = box_open_id(self->dev, box_id(self->channel), R);
	__u32 position;
	unsigned int i;

	ASSERT_LE(0, r);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		EXPECT_EQ(-EINVAL, sem_do(self->region, &give, 1, 0, wrong[i]));
		EXPECT_EQ(-EINVAL, end_wait(r, 0, &position, wrong[i]));
		EXPECT_EQ(-EINVAL, pool_wait(self->pool, 0, wrong[i]));
	}
	close(r);
}

/* Every command on every kind of object: none does what is not its. */
TEST_F(mapped, each_kind_has_its_own_calls)
{
	static const struct {
		unsigned int command;
		/* By the kinds, from IPCBOX_MAILBOX on; 0: it has it. */
		int mailbox, queue, region, channel;
	} calls[] = {
		{ IPCBOX_IOC_SEND, 0, 0, ENOTTY, ENOTTY },
		{ IPCBOX_IOC_RECEIVE, 0, 0, ENOTTY, ENOTTY },
		{ IPCBOX_IOC_CALL, 0, 0, ENOTTY, ENOTTY },
		{ IPCBOX_IOC_SETTLE, 0, 0, ENOTTY, ENOTTY },
		{ IPCBOX_IOC_ANSWER, 0, 0, ENOTTY, ENOTTY },
		{ IPCBOX_IOC_NOTIFY, 0, 0, ENOTTY, ENOTTY },
		{ IPCBOX_IOC_SPIN, 0, 0, ENOTTY, ENOTTY },
		{ IPCBOX_IOC_SEM, ENOTTY, ENOTTY, 0, ENOTTY },
		{ IPCBOX_IOC_SEM_GET, ENOTTY, ENOTTY, 0, ENOTTY },
		{ IPCBOX_IOC_SEM_SET, ENOTTY, ENOTTY, 0, ENOTTY },
		{ IPCBOX_IOC_SEAL, ENOTTY, ENOTTY, 0, ENOTTY },
		{ IPCBOX_IOC_CHANNEL_WAIT, ENOTTY, ENOTTY, ENOTTY, 0 },
		{ IPCBOX_IOC_CHANNEL_WAKE, ENOTTY, ENOTTY, ENOTTY, 0 },
		{ IPCBOX_IOC_POOL_WAIT, 0, 0, ENOTTY, ENOTTY },
		{ IPCBOX_IOC_STAT, 0, 0, 0, 0 },
		{ IPCBOX_IOC_SET, 0, 0, 0, 0 },
		{ IPCBOX_IOC_INFO, ENOTTY, ENOTTY, ENOTTY, ENOTTY },
		{ IPCBOX_IOC_CREATE, ENOTTY, ENOTTY, ENOTTY, ENOTTY },
		{ IPCBOX_IOC_OPEN, ENOTTY, ENOTTY, ENOTTY, ENOTTY },
		{ IPCBOX_IOC_UNLINK, ENOTTY, ENOTTY, ENOTTY, ENOTTY },
		{ IPCBOX_IOC_LIST, ENOTTY, ENOTTY, ENOTTY, ENOTTY },
	};
	union request request = { .size = 0 };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		const int fds[] = {
			self->pool, self->queue, self->region, self->channel,
		};
		const int errors[] = {
			calls[i].mailbox, calls[i].queue, calls[i].region,
			calls[i].channel,
		};

		for (j = 0; j < ARRAY_SIZE(fds); j++) {
			errno = 0;
			EXPECT_EQ(-1, ioctl(fds[j], calls[i].command,
					    &request));
			/* Its size is none that any call has. */
			EXPECT_EQ(errors[j] ?: EINVAL, errno)
				TH_LOG("call %u, kind %u", i, j + 1);
		}
	}
	/* A queue knows of pools, but has none. */
	EXPECT_EQ(-EOPNOTSUPP, pool_wait(self->queue, IPCBOX_NOWAIT, 0));
}

TEST_F(mapped, each_right_is_needed)
{
	struct ipcbox_sem_operation take = { .change = -1 }, zero = { };
	struct ipcbox_set set = { .mask = IPCBOX_SET_MODE, .mode = 0600 };
	struct ipcbox_sem_state state;
	unsigned int rights;
	int fd;

	EXPECT_EQ(0, sem_assign_three(self->region, 0, 2, 3));
	for (rights = 1; rights <= (RWM | L); rights++) {
		fd = box_open_id(self->dev, box_id(self->region), rights);
		ASSERT_LE(0, fd);
		EXPECT_EQ(rights & W ? -EAGAIN : -EACCES,
			  sem_do(fd, &take, 1, IPCBOX_NOWAIT, 0))
			TH_LOG("rights %u", rights);
		EXPECT_EQ(rights & R ? 0 : -EACCES,
			  sem_do(fd, &zero, 1, IPCBOX_NOWAIT, 0))
			TH_LOG("rights %u", rights);
		EXPECT_EQ(rights & R ? 0 : -EACCES,
			  sem_do(fd, &zero, 1, IPCBOX_SEM_WATCH, 0))
			TH_LOG("rights %u", rights);
		EXPECT_EQ(rights & (R | L) ? 0 : -EACCES,
			  sem_get(fd, 0, 1, &state))
			TH_LOG("rights %u", rights);
		EXPECT_EQ(rights & M ? 0 : -EACCES, sem_assign(fd, 0, 0, 1))
			TH_LOG("rights %u", rights);
		EXPECT_EQ(rights & M ? 0 : -EACCES, box_set(fd, &set))
			TH_LOG("rights %u", rights);
		if (!(rights & W)) {
			EXPECT_EQ(-EACCES, region_seal(fd))
				TH_LOG("rights %u", rights);
		}
		close(fd);
	}
	EXPECT_EQ(0, sem_assign_three(self->region, 1, 2, 3));
}

TEST_F(mapped, each_right_is_needed_of_a_channel)
{
	struct ipcbox_set set = { .mask = IPCBOX_SET_MODE, .mode = 0600 };
	unsigned int rights;
	__u32 position;
	int fd;

	for (rights = 1; rights <= (RWM | L); rights++) {
		fd = box_open_id(self->dev, box_id(self->channel), rights);
		if ((rights & (R | W)) == (R | W)) {
			EXPECT_EQ(-EINVAL, fd);
			continue;
		}
		ASSERT_LE(0, fd);
		EXPECT_EQ(rights & (R | W) ? 0 : -EACCES,
			  end_wait(fd, 0, &position, IPCBOX_FOREVER))
			TH_LOG("rights %u", rights);
		EXPECT_EQ(rights & (R | W) ? 0 : -EACCES, end_wake(fd))
			TH_LOG("rights %u", rights);
		EXPECT_EQ(rights & M ? 0 : -EACCES, box_set(fd, &set))
			TH_LOG("rights %u", rights);
		close(fd);
	}
}

TEST_F(mapped, each_right_is_needed_of_a_pool)
{
	unsigned int rights;
	__u64 id = box_id(self->pool);
	int w = box_open_id(self->dev, id, W);
	int fd;

	/* The place of the receiver is free, and the mailbox stays. */
	ASSERT_LE(0, w);
	close(self->pool);
	for (rights = 1; rights <= (RWM | L); rights++) {
		fd = box_open_id(self->dev, id, rights);
		ASSERT_LE(0, fd);
		EXPECT_EQ(rights & R ? -EAGAIN : -EACCES,
			  pool_wait(fd, IPCBOX_NOWAIT, 0))
			TH_LOG("rights %u", rights);
		close(fd);
	}
	self->pool = box_open_id(self->dev, id, RWM);
	ASSERT_LE(0, self->pool);
	close(w);
}

/*
 * A descriptor that is closed under a call that waits does not end the call, nor
 * is anything freed under it: it ends as it would have.
 */
struct waiter {
	int fd;
	int (*wait)(int fd);
	int result;
	pid_t tid;
};

static int wait_for_semaphore(int fd)
{
	return sem_wait_for(fd, 2, -4, UNDO);
}

static int wait_for_pool(int fd)
{
	return pool_wait(fd, 0, IPCBOX_FOREVER);
}

static int wait_for_channel(int fd)
{
	__u32 position;

	return end_wait(fd, 8, &position, IPCBOX_FOREVER);
}

static void *wait_there(void *argument)
{
	struct waiter *waiter = argument;

	__atomic_store_n(&waiter->tid, (pid_t)syscall(SYS_gettid),
			 __ATOMIC_RELEASE);
	waiter->result = waiter->wait(waiter->fd);
	return NULL;
}

static bool begin_waiting(struct waiter *waiter, pthread_t *thread, int watch)
{
	return !pthread_create(thread, NULL, wait_there, waiter) &&
	       !box_await_receivers(watch, 1);
}

TEST_F(mapped, closing_the_descriptor_does_not_end_a_wait_for_a_semaphore)
{
	struct waiter waiter = { .wait = wait_for_semaphore };
	struct ipcbox_stat stat;
	pthread_t thread;

	waiter.fd = box_open_id(self->dev, box_id(self->region), R | W);
	ASSERT_TRUE(begin_waiting(&waiter, &thread, self->region));
	close(waiter.fd);
	ASSERT_EQ(0, box_stat(self->region, &stat));
	EXPECT_EQ(1, stat.receivers_waiting);
	EXPECT_EQ(0, sem_now(self->region, 2, 1, 0));
	pthread_join(thread, NULL);
	EXPECT_EQ(0, waiter.result);
	/* The handle went with the call, and what it took came back. */
	ASSERT_EQ(0, box_await_handles(self->region, 1));
	EXPECT_TRUE(sem_has_three(self->region, 1, 2, 4));
	EXPECT_EQ(0, sem_now(self->region, 2, -1, 0));
}

TEST_F(mapped, closing_the_descriptor_does_not_end_a_wait_for_a_channel)
{
	struct waiter waiter = { .wait = wait_for_channel };
	int w = box_open_id(self->dev, box_id(self->channel), W);
	struct end end;
	pthread_t thread;

	waiter.fd = box_open_id(self->dev, box_id(self->channel), R);
	ASSERT_EQ(0, end_map(&end, waiter.fd, 0));
	ipcbox_ring_sleep(&end.ring, 8);
	ASSERT_TRUE(begin_waiting(&waiter, &thread, self->channel));
	end_close(&end);
	EXPECT_EQ(0, box_await_receivers(self->channel, 1));
	/* Its place is not free before. */
	EXPECT_EQ(-EBUSY, box_open_id(self->dev, box_id(self->channel), R));
	EXPECT_EQ(0, end_wake(w));
	pthread_join(thread, NULL);
	EXPECT_EQ(0, waiter.result);
	close(w);
	EXPECT_EQ(0, box_await_handles(self->channel, 1));
}

TEST_F(mapped, closing_the_descriptor_does_not_end_a_wait_for_a_pool)
{
	struct waiter waiter = { .wait = wait_for_pool };
	int r = pool_create(self->dev, R, RING, 0, 0);
	int w = box_open_id(self->dev, box_id(r), W);
	pthread_t thread;

	waiter.fd = r;
	ASSERT_LE(0, w);
	ASSERT_TRUE(begin_waiting(&waiter, &thread, w));
	close(r);
	EXPECT_EQ(1, box_put(w, 1));
	pthread_join(thread, NULL);
	EXPECT_EQ(0, waiter.result);
	/* That was the last of the receiver. */
	EXPECT_EQ(0, box_await_handles(w, 1));
	EXPECT_EQ(-EPIPE, box_put(w, 1));
	close(w);
	/* Which has not read the message. */
	self->before.info.discarded++;
}

TEST_HARNESS_MAIN
