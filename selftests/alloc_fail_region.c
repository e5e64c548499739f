// SPDX-License-Identifier: GPL-2.0
/*
 * What alloc_fail shows of messages, for regions and semaphores: each operation
 * with its first, second, third, ... allocation or copy to or from user memory
 * failing, until it gets through. Every failure is a clean errno and changes
 * nothing.
 */
#include <signal.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "region.h"

#define SEMS		4
#define RW		(PROT_READ | PROT_WRITE)
/* One for each fault that may be tried, and none of them twice. */
#define PAGES		512
#define LENT		4	/* pages */

FIXTURE(fault)
{
	int dev;
	int fd;			/* a region */
	__u64 id;
	int other;
	pid_t peer;
	size_t page;
	char name[BOX_NAME_SIZE];
	char fresh[BOX_NAME_SIZE];
	void *memory;
	size_t next;		/* page of @memory */
	size_t pages;		/* to map */
	int flags;
	int pipe[2];
};

#include "fault.h"

FIXTURE_SETUP(fault)
{
	if (!fault_begin())
		SKIP(return, "no failslab under debugfs");
	self->page = sysconf(_SC_PAGESIZE);
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	box_name(self->name, "fault");
	box_name(self->fresh, "fresh");
	self->fd = region_make(self->dev, self->name, RWM, PAGES * self->page,
			       SEMS);
	ASSERT_LE(0, self->fd);
	self->id = box_id(self->fd);
	ASSERT_EQ(0, sem_now(self->fd, 1, 5, 0));
	self->pages = PAGES;
	self->flags = MAP_SHARED;
}

FIXTURE_TEARDOWN(fault)
{
	if (self->peer) {
		kill(self->peer, SIGKILL);
		EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(self->peer));
	}
	close(self->fd);
	close(self->dev);
	fault_end();
}

/* The semaphores are as the fixture has set them. */
static bool settled(FIXTURE_DATA(fault) * self)
{
	struct ipcbox_sem_state states[SEMS];

	return !sem_get(self->fd, 0, SEMS, states) && states[0].value == 0 &&
	       states[1].value == 5 && states[2].value == 0 &&
	       states[3].value == 0;
}

static bool undo_nothing(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 0;
}

/* A new object, and nothing of it stays. */
static bool undo_handle(FIXTURE_DATA(fault) * self, int ret)
{
	struct ipcbox_stat stat;

	if (box_stat(ret, &stat) || !stat.handles || stat.mappings)
		return false;
	box_unlink_name(self->dev, self->fresh);
	return close(ret) == 0 &&
	       box_open_name(self->dev, self->fresh, M) == -ENOENT;
}

/*
 * Regions
 */

static int op_create_region(FIXTURE_DATA(fault) * self)
{
	return region_make(self->dev, NULL, RWM, 3 * self->page, SEMS);
}

TEST_F(fault, create_region)
{
	sweep(_metadata, self, op_create_region, undo_handle);
}

static int op_create_semaphores(FIXTURE_DATA(fault) * self)
{
	return region_make(self->dev, NULL, RWM, 0, IPCBOX_SEMAPHORES_MAX);
}

TEST_F(fault, create_semaphores)
{
	sweep(_metadata, self, op_create_semaphores, undo_handle);
}

static int op_create_persistent_region(FIXTURE_DATA(fault) * self)
{
	struct ipcbox_create create = {
		.kind = IPCBOX_REGION,
		.flags = IPCBOX_CREATE_EXCLUSIVE | IPCBOX_CREATE_HUGE |
			 IPCBOX_CREATE_PERSISTENT,
		.mode = 0600,
		.rights = RWM,
		.name = (uintptr_t)self->fresh,
		.name_length = strlen(self->fresh),
		.mapped_bytes = 4 * self->page,
	};

	return box_create(self->dev, &create);
}

TEST_F(fault, create_persistent_region)
{
	sweep(_metadata, self, op_create_persistent_region, undo_handle);
}

static int op_open_region(FIXTURE_DATA(fault) * self)
{
	return box_open_name(self->dev, self->name, R | W);
}

TEST_F(fault, open_region)
{
	sweep(_metadata, self, op_open_region, undo_handle);
}

static int op_map(FIXTURE_DATA(fault) * self)
{
	self->memory = mmap(NULL, self->pages * self->page, RW,
			    self->flags, self->fd, 0);
	return self->memory == MAP_FAILED ? -errno : 0;
}

/* All of it can be read, and goes again. */
static bool undo_map(FIXTURE_DATA(fault) * self, int ret)
{
	struct ipcbox_stat stat;
	size_t i;

	if (ret || box_stat(self->fd, &stat) || !stat.mappings)
		return false;
	for (i = 0; i < self->pages; i++)
		__atomic_load_n((__u32 *)((char *)self->memory +
					  i * self->page), __ATOMIC_RELAXED);
	return munmap(self->memory, self->pages * self->page) == 0;
}

TEST_F(fault, map_region)
{
	sweep(_metadata, self, op_map, undo_map);
}

TEST_F(fault, map_region_privately)
{
	self->flags = MAP_PRIVATE;
	sweep(_metadata, self, op_map, undo_map);
}

TEST_F(fault, map_huge_region)
{
	close(self->fd);
	self->fd = op_create_persistent_region(self);
	ASSERT_LE(0, self->fd);
	self->pages = 4;
	sweep(_metadata, self, op_map, undo_map);
	EXPECT_EQ(0, box_unlink_name(self->dev, self->fresh));
}

/* A mapping that is cut in three, each of which counts. */
static int op_split(FIXTURE_DATA(fault) * self)
{
	return mprotect((char *)self->memory + self->page, self->page,
			PROT_READ) ? -errno : 0;
}

/*
 * One that failed may have been cut, too, as far as it got: what matters is that
 * all parts are counted, and go.
 */
static bool undo_split(FIXTURE_DATA(fault) * self, int ret)
{
	struct ipcbox_stat stat;

	return ret == 0 && !box_stat(self->fd, &stat) && stat.mappings == 3 &&
	       munmap(self->memory, self->pages * self->page) == 0 &&
	       !box_stat(self->fd, &stat) && stat.mappings == 0 &&
	       op_map(self) == 0;
}

static int op_split_anew(FIXTURE_DATA(fault) * self)
{
	int ret = op_split(self);

	if (ret && (munmap(self->memory, self->pages * self->page) ||
		    op_map(self)))
		return -EBADMSG;
	return ret;
}

TEST_F(fault, split_a_mapping)
{
	ASSERT_EQ(0, op_map(self));
	sweep(_metadata, self, op_split_anew, undo_split);
}

static int op_fork(FIXTURE_DATA(fault) * self)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return pid < 0 ? -errno : pid;
}

static bool undo_fork(FIXTURE_DATA(fault) * self, int ret)
{
	struct ipcbox_stat stat;

	return box_wait(ret) == 0 && !box_stat(self->fd, &stat) &&
	       stat.mappings == 1 && region_seal(self->fd) == -EBUSY;
}

/* A child that cannot be made leaves no mapping. */
TEST_F(fault, inherit_a_mapping)
{
	ASSERT_EQ(0, op_map(self));
	sweep(_metadata, self, op_fork, undo_fork);
	EXPECT_EQ(0, munmap(self->memory, self->pages * self->page));
	EXPECT_EQ(0, region_seal(self->fd));
}

/* By the kernel, who is told where a process would be killed. */
static int op_touch(FIXTURE_DATA(fault) * self)
{
	char *place = (char *)self->memory + self->next++ * self->page;
	ssize_t ret = read(self->other, place, 1);

	return ret < 0 ? -errno : ret;
}

static bool undo_touch(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 1;
}

TEST_F(fault, touch_a_page)
{
	self->other = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->other);
	ASSERT_EQ(0, op_map(self));
	sweep(_metadata, self, op_touch, undo_touch);
	/* What failed is there as well, when it is asked for again. */
	for (self->next = 0; self->next < PAGES;) {
		ASSERT_EQ(1, op_touch(self));
	}
	EXPECT_EQ(0, munmap(self->memory, self->pages * self->page));
}

/* A region, of whose pages some are in a pipe: sealing must copy these. */
static int lend(FIXTURE_DATA(fault) * self)
{
	char *memory;
	struct iovec lent;
	int i;

	close(self->fd);
	self->fd = region_make(self->dev, NULL, RWM, LENT * self->page, SEMS);
	memory = region_map(self->fd, LENT * self->page, RW);
	if (!memory || pipe(self->pipe))
		return -1;
	box_fill(memory, LENT * self->page, 7);
	for (i = 0; i < LENT; i++) {
		lent = (struct iovec){ memory + i * self->page, 16 };
		if (vmsplice(self->pipe[1], &lent, 1, 0) != 16)
			return -1;
	}
	return munmap(memory, LENT * self->page);
}

static void take_back(FIXTURE_DATA(fault) * self)
{
	close(self->pipe[0]);
	close(self->pipe[1]);
}

static bool has_content(FIXTURE_DATA(fault) * self)
{
	char *memory = region_map(self->fd, LENT * self->page, PROT_READ);
	bool good = memory && box_filled(memory, LENT * self->page, 7);

	munmap(memory, LENT * self->page);
	return good;
}

static int op_seal(FIXTURE_DATA(fault) * self)
{
	int ret = region_seal(self->fd);

	/* Refused is refused: who may write still does. */
	if (ret && (region_map_error(self->fd, self->page, RW, MAP_SHARED, 0) ||
		    !has_content(self)))
		return -EBADMSG;
	return ret;
}

static bool undo_seal(FIXTURE_DATA(fault) * self, int ret)
{
	if (ret || !region_sealed(self->fd) || !has_content(self) ||
	    region_map_error(self->fd, self->page, RW, MAP_SHARED, 0) != EPERM)
		return false;
	take_back(self);
	return lend(self) == 0;
}

TEST_F(fault, seal)
{
	ASSERT_EQ(0, lend(self));
	sweep(_metadata, self, op_seal, undo_seal);
	take_back(self);
}

static int op_stat(FIXTURE_DATA(fault) * self)
{
	struct ipcbox_stat stat;

	return box_stat(self->fd, &stat);
}

TEST_F(fault, stat)
{
	sweep(_metadata, self, op_stat, undo_nothing);
}

static int op_set(FIXTURE_DATA(fault) * self)
{
	return box_set_mode(self->fd, 0640);
}

static bool undo_set(FIXTURE_DATA(fault) * self, int ret)
{
	struct ipcbox_stat stat;

	return ret == 0 && !box_stat(self->fd, &stat) && stat.mode == 0640 &&
	       !box_set_mode(self->fd, 0600);
}

TEST_F(fault, set)
{
	sweep(_metadata, self, op_set, undo_set);
}

static int op_list(FIXTURE_DATA(fault) * self)
{
	struct ipcbox_stat entry = { };
	struct ipcbox_list list = {
		.cursor = self->id - 1,
		.entries = (uintptr_t)&entry,
		.entry_size = sizeof(entry),
		.count = 1,
	};
	int ret = box_list(self->dev, &list);

	if (!ret && (list.returned != 1 || entry.kind != IPCBOX_REGION ||
		     entry.semaphores != SEMS))
		return -EBADMSG;
	return ret;
}

TEST_F(fault, list)
{
	sweep(_metadata, self, op_list, undo_nothing);
}

/*
 * Semaphores
 */

static const struct ipcbox_sem_operation three[] = {
	{ .semaphore = 0, .change = 2 },
	{ .semaphore = 1, .change = -3 },
	{ .semaphore = 2, .change = 0 },
};

static int op_operate(FIXTURE_DATA(fault) * self)
{
	return sem_do(self->fd, three, 3, IPCBOX_NOWAIT, 0);
}

static bool undo_operate(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 0 && sem_value(self->fd, 0) == 2 &&
	       sem_value(self->fd, 1) == 2 && !sem_now(self->fd, 0, -2, 0) &&
	       !sem_now(self->fd, 1, 3, 0) && settled(self);
}

TEST_F(fault, operate)
{
	sweep(_metadata, self, op_operate, undo_operate);
}

/* By a handle that has not done so before. */
static int op_operate_with_undo(FIXTURE_DATA(fault) * self)
{
	struct ipcbox_sem_operation operations[2] = {
		{ .semaphore = 0, .change = 1, .flags = UNDO },
		{ .semaphore = 1, .change = -1, .flags = UNDO },
	};

	return sem_do(self->other, operations, 2, IPCBOX_NOWAIT, 0);
}

static bool undo_operate_with_undo(FIXTURE_DATA(fault) * self, int ret)
{
	if (ret || sem_value(self->fd, 0) != 1 || sem_value(self->fd, 1) != 4)
		return false;
	close(self->other);
	if (!settled(self))
		return false;
	self->other = box_open_name(self->dev, self->name, R | W);
	return self->other >= 0;
}

TEST_F(fault, operate_with_undo)
{
	self->other = box_open_name(self->dev, self->name, R | W);
	ASSERT_LE(0, self->other);
	sweep(_metadata, self, op_operate_with_undo, undo_operate_with_undo);
	close(self->other);
	EXPECT_TRUE(settled(self));
}

/* Somebody gives when it is waited for. */
static void begin_giving(FIXTURE_DATA(fault) * self)
{
	self->peer = box_fork();
	if (self->peer)
		return;
	for (;;) {
		CHECK_EQ(0, box_await_receivers(self->fd, 1));
		CHECK_EQ(0, sem_now(self->fd, 0, 1, 0));
	}
}

static int op_operate_after_a_wait(FIXTURE_DATA(fault) * self)
{
	struct ipcbox_sem_operation operations[2] = {
		{ .semaphore = 0, .change = -1, .flags = UNDO },
		{ .semaphore = 3, .change = 1, .flags = UNDO },
	};

	return sem_do(self->other, operations, 2, 0, IPCBOX_FOREVER);
}

static bool undo_operate_after_a_wait(FIXTURE_DATA(fault) * self, int ret)
{
	if (ret || sem_value(self->fd, 0) != 0 || sem_value(self->fd, 3) != 1)
		return false;
	/* What was taken comes back; there it was put from outside. */
	close(self->other);
	if (sem_now(self->fd, 0, -1, 0) || !settled(self))
		return false;
	self->other = box_open_name(self->dev, self->name, R | W);
	return self->other >= 0;
}

TEST_F(fault, operate_after_a_wait)
{
	/* First: who gives must not have the handle, too. */
	begin_giving(self);
	self->other = box_open_name(self->dev, self->name, R | W);
	ASSERT_LE(0, self->other);
	sweep(_metadata, self, op_operate_after_a_wait,
	      undo_operate_after_a_wait);
	close(self->other);
}

static const struct ipcbox_sem_operation possible = {
	.semaphore = 1, .change = -5,
};

static const struct ipcbox_sem_operation impossible = {
	.semaphore = 1, .change = -6,
};

/* As long as it fails poll tells of what was to be watched before. */
static int op_watch(FIXTURE_DATA(fault) * self)
{
	int ret = sem_do(self->fd, &impossible, 1, IPCBOX_SEM_WATCH, 0);

	return ret && !(box_poll(self->fd) & POLLIN) ? -EBADMSG : ret;
}

static bool undo_watch(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 0 && !(box_poll(self->fd) & POLLIN) &&
	       !sem_do(self->fd, &possible, 1, IPCBOX_SEM_WATCH, 0);
}

TEST_F(fault, watch)
{
	ASSERT_EQ(0, sem_do(self->fd, &possible, 1, IPCBOX_SEM_WATCH, 0));
	sweep(_metadata, self, op_watch, undo_watch);
}

static int op_get_semaphores(FIXTURE_DATA(fault) * self)
{
	struct ipcbox_sem_state states[SEMS];
	int ret = sem_get(self->fd, 0, SEMS, states);

	return !ret && states[1].value != 5 ? -EBADMSG : ret;
}

TEST_F(fault, get_semaphores)
{
	sweep(_metadata, self, op_get_semaphores, undo_nothing);
}

static int assign_three(FIXTURE_DATA(fault) * self, __u32 first, __u32 second,
			__u32 third)
{
	const struct ipcbox_sem_value values[] = {
		{ .semaphore = 0, .value = first, .maximum = SEM_MAX },
		{ .semaphore = 1, .value = second, .maximum = SEM_MAX },
		{ .semaphore = 2, .value = third, .maximum = SEM_MAX },
	};
	struct ipcbox_sem_assign request = {
		.size = sizeof(request),
		.values = (uintptr_t)values,
		.count = 3,
		.value_size = sizeof(values[0]),
	};
	int ret;

	ret = ioctl(self->fd, IPCBOX_IOC_SEM_SET, &request) ? -errno : 0;
	return ret && !settled(self) ? -EBADMSG : ret;
}

static int op_set_semaphores(FIXTURE_DATA(fault) * self)
{
	return assign_three(self, 7, 8, 9);
}

static bool undo_set_semaphores(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 0 && sem_value(self->fd, 0) == 7 &&
	       sem_value(self->fd, 1) == 8 && sem_value(self->fd, 2) == 9 &&
	       assign_three(self, 0, 5, 0) == 0 && settled(self);
}

TEST_F(fault, set_semaphores)
{
	sweep(_metadata, self, op_set_semaphores, undo_set_semaphores);
}

int main(int argc, char **argv)
{
	return fault_main(argc, argv);
}
