// SPDX-License-Identifier: GPL-2.0
/*
 * A region is mapped as the handle's rights allow, and never otherwise; what is
 * written is there for all; its memory is charged as long as it is in use.
 */
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "region.h"

#define PAGES	4
#define MIB	(1024 * 1024ull)
#define ALICE	53001

FIXTURE(region)
{
	int dev;
	int fd;			/* every right */
	int r;			/* IPCBOX_RIGHT_RECEIVE alone */
	long page;
	size_t size;
	char name[BOX_NAME_SIZE];
};

FIXTURE_SETUP(region)
{
	self->page = sysconf(_SC_PAGESIZE);
	self->size = PAGES * self->page;
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	box_name(self->name, "region");
	self->fd = region_make(self->dev, self->name, RWM, self->size, 1);
	ASSERT_LE(0, self->fd);
	self->r = box_open_name(self->dev, self->name, R);
	ASSERT_LE(0, self->r);
}

FIXTURE_TEARDOWN(region)
{
	close(self->r);
	close(self->fd);
	close(self->dev);
}

static __u64 bytes_used(int dev)
{
	struct ipcbox_info info;

	return box_info(dev, &info) ? -1 : info.user_mapped_bytes_used;
}

static int mappings(int fd)
{
	struct ipcbox_stat stat;

	return box_stat(fd, &stat) ?: (int)stat.mappings;
}

TEST_F(region, stat_tells_what_it_is)
{
	struct ipcbox_stat stat;
	struct ipcbox_info info;

	ASSERT_EQ(0, box_info(self->dev, &info));
	EXPECT_TRUE(info.features & IPCBOX_FEATURE_REGION);
	ASSERT_EQ(0, box_stat(self->fd, &stat));
	EXPECT_EQ(IPCBOX_REGION, stat.kind);
	EXPECT_EQ(self->size, stat.mapped_bytes);
	EXPECT_EQ(0, stat.mappings);
	EXPECT_EQ(1, stat.semaphores);
	EXPECT_EQ(0, stat.max_messages);
	EXPECT_EQ(2, stat.handles);
	EXPECT_EQ(2, stat.receive_handles);
	EXPECT_EQ(1, stat.send_handles);
	EXPECT_FALSE(stat.state & IPCBOX_STATE_SEALED);
}

TEST_F(region, create_checks_its_values)
{
	const struct ipcbox_create wrong[] = {
		{ .mapped_bytes = 0 },
		{ .mapped_bytes = 1, .max_messages = 1 },
		{ .mapped_bytes = 1, .max_bytes = 1 },
		{ .mapped_bytes = 1, .max_message_bytes = 1 },
		{ .mapped_bytes = 1, .flags = IPCBOX_CREATE_STREAM },
		{ .semaphores = IPCBOX_SEMAPHORES_MAX + 1 },
		{ .semaphores = -1 },
	};
	struct ipcbox_create create;
	struct ipcbox_stat stat;
	unsigned int i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		create = wrong[i];
		create.kind = IPCBOX_REGION;
		create.rights = R;
		EXPECT_EQ(-EINVAL, box_create(self->dev, &create))
			TH_LOG("case %u", i);
	}
	create = (struct ipcbox_create){
		.kind = IPCBOX_QUEUE, .rights = R, .flags = IPCBOX_CREATE_HUGE,
	};
	EXPECT_EQ(-EINVAL, box_create(self->dev, &create));

	/* Rounded up, and charged so. */
	fd = region_make(self->dev, NULL, R | W, self->page + 1, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, box_stat(fd, &stat));
	EXPECT_EQ(2 * self->page, stat.mapped_bytes);
	close(fd);
	/* Semaphores alone. */
	fd = region_make(self->dev, NULL, R | W, 0, IPCBOX_SEMAPHORES_MAX);
	ASSERT_LE(0, fd);
	EXPECT_EQ(EINVAL, region_map_error(fd, self->page, PROT_READ,
					   MAP_SHARED, 0));
	EXPECT_EQ(-EINVAL, region_seal(fd));
	close(fd);
}

TEST_F(region, what_is_written_is_there_for_all)
{
	unsigned char *to, *from;
	size_t i;
	pid_t child;

	to = region_map(self->fd, self->size, PROT_READ | PROT_WRITE);
	ASSERT_NE(NULL, to);
	from = region_map(self->r, self->size, PROT_READ);
	ASSERT_NE(NULL, from);
	/* New memory is zero. */
	for (i = 0; i < self->size; i++) {
		if (from[i])
			break;
	}
	EXPECT_EQ(self->size, i);
	box_fill(to, self->size, 1);
	EXPECT_TRUE(box_filled(from, self->size, 1));
	child = box_fork();
	if (!child) {
		unsigned char *mine;
		int fd = box_open_name(box_device(), self->name, R | W);

		mine = region_map(fd, self->size, PROT_READ | PROT_WRITE);
		CHECK(mine);
		CHECK(box_filled(mine, self->size, 1));
		box_fill(mine, self->size, 2);
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_TRUE(box_filled(from, self->size, 2));
	EXPECT_TRUE(box_filled(to, self->size, 2));
	munmap(to, self->size);
	munmap(from, self->size);
}

TEST_F(region, protection_is_checked_against_rights)
{
	const int rw = PROT_READ | PROT_WRITE;
	int w = box_open_name(self->dev, self->name, W);
	int m = box_open_name(self->dev, self->name, M);
	int l = box_open_name(self->dev, self->name, IPCBOX_RIGHT_LOOK);

	ASSERT_LE(0, w);
	ASSERT_LE(0, m);
	ASSERT_LE(0, l);
	EXPECT_EQ(0, region_map_error(self->fd, self->size, rw, MAP_SHARED, 0));
	EXPECT_EQ(0, region_map_error(self->r, self->size, PROT_READ,
				      MAP_SHARED, 0));
	EXPECT_EQ(EACCES, region_map_error(self->r, self->size, rw,
					   MAP_SHARED, 0));
	EXPECT_EQ(EACCES, region_map_error(self->r, self->size, PROT_WRITE,
					   MAP_SHARED, 0));
	EXPECT_EQ(EACCES, region_map_error(w, self->size, PROT_READ,
					   MAP_SHARED, 0));
	EXPECT_EQ(EACCES, region_map_error(w, self->size, PROT_WRITE,
					   MAP_SHARED, 0));
	EXPECT_EQ(EACCES, region_map_error(w, self->size, PROT_READ,
					   MAP_PRIVATE, 0));
	EXPECT_EQ(EACCES, region_map_error(m, self->size, PROT_READ,
					   MAP_SHARED, 0));
	EXPECT_EQ(EACCES, region_map_error(l, self->size, PROT_READ,
					   MAP_SHARED, 0));
	EXPECT_EQ(EACCES, region_map_error(l, self->size, PROT_READ,
					   MAP_PRIVATE, 0));
	EXPECT_EQ(0, mappings(self->fd));
	close(l);
	close(m);
	close(w);
}

TEST_F(region, a_mapping_stays_within_the_region)
{
	const size_t more = self->size + self->page;

	EXPECT_EQ(EINVAL, region_map_error(self->fd, more, PROT_READ,
					   MAP_SHARED, 0));
	EXPECT_EQ(EINVAL, region_map_error(self->fd, self->size, PROT_READ,
					   MAP_SHARED, self->page));
	EXPECT_EQ(EINVAL, region_map_error(self->fd, self->page, PROT_READ,
					   MAP_PRIVATE, self->size));
	EXPECT_EQ(0, region_map_error(self->fd, self->page, PROT_READ,
				      MAP_SHARED, self->size - self->page));
	EXPECT_NE(0, region_map_error(self->fd, self->page, PROT_READ,
				      MAP_SHARED, LONG_MAX & -self->page));
	EXPECT_EQ(0, mappings(self->fd));
}

TEST_F(region, other_objects_are_not_mapped)
{
	int queue = box_make(self->dev, IPCBOX_QUEUE, RWM);
	struct ipcbox_set set = {
		.mask = IPCBOX_SET_DEAD_LETTER,
	};

	EXPECT_EQ(ENODEV, region_map_error(queue, self->page, PROT_READ,
					   MAP_SHARED, 0));
	/* Nor is a region what they are. */
	set.dead_letter = box_id(self->fd);
	EXPECT_EQ(-EINVAL, box_set(queue, &set));
	set.dead_letter = 0;
	EXPECT_EQ(-EINVAL, box_set(self->fd, &set));
	EXPECT_EQ(-EINVAL, box_set_max_messages(self->fd, 1));
	EXPECT_EQ(-ENOTTY, box_put(self->fd, 1));
	EXPECT_EQ(-1, read(self->fd, &set, sizeof(set)));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->fd, &set, sizeof(set)));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, box_set_mode(self->fd, 0640));
	close(queue);
}

/* Every way by which memory that is mapped for reading is written elsewhere. */
TEST_F(region, a_read_only_mapping_is_never_made_writable)
{
	char *memory = region_map(self->r, self->size, PROT_READ);
	const int rw = PROT_READ | PROT_WRITE;
	char path[64], byte = 1;
	struct iovec local = { &byte, 1 }, remote;
	void *moved, *twin;
	pid_t child;
	int fd;

	ASSERT_NE(NULL, memory);
	EXPECT_EQ(-1, mprotect(memory, self->size, rw));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, mprotect(memory + self->page, self->page, PROT_WRITE));
	EXPECT_EQ(EACCES, errno);

	moved = mremap(memory, self->size, 2 * self->size, MREMAP_MAYMOVE);
	ASSERT_TRUE(moved != MAP_FAILED);
	memory = moved;
	EXPECT_EQ(-1, mprotect(memory, self->size, rw));
	EXPECT_EQ(EACCES, errno);
	/* A size of zero makes a second mapping of the same. */
	twin = mremap(memory, 0, self->size, MREMAP_MAYMOVE);
	if (twin != MAP_FAILED) {
		EXPECT_EQ(-1, mprotect(twin, self->size, rw));
		EXPECT_EQ(EACCES, errno);
		munmap(twin, self->size);
	}

	EXPECT_EQ(-1, syscall(__NR_remap_file_pages, memory, self->page, 0, 1,
			      0));

	fd = open("/proc/self/mem", O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, pwrite(fd, &byte, 1, (uintptr_t)memory));
	close(fd);

	remote = (struct iovec){ memory, 1 };
	EXPECT_EQ(-1, process_vm_writev(getpid(), &local, 1, &remote, 1, 0));

	/* The kernel does not write there for its caller either. */
	fd = open("/dev/zero", O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, read(fd, memory, 1));
	EXPECT_EQ(EFAULT, errno);
	close(fd);

	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx",
		 (long)memory, (long)memory + 2 * self->size);
	/* Whoever overrides modes may; others may not. */
	child = box_fork();
	if (!child) {
		CHECK_EQ(0, box_become(ALICE, ALICE));
		CHECK_EQ(-1, open(path, O_RDWR));
		CHECK_EQ(-1, mprotect(memory, self->size, rw));
		CHECK_EQ(EACCES, errno);
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, *memory);
	munmap(memory, 2 * self->size);
}

TEST_F(region, a_child_inherits_no_more_than_there_is)
{
	char *memory = region_map(self->r, self->size, PROT_READ);
	pid_t child = box_fork();

	ASSERT_NE(NULL, memory);
	if (!child) {
		CHECK_EQ(-1, mprotect(memory, self->size,
				      PROT_READ | PROT_WRITE));
		CHECK_EQ(EACCES, errno);
		CHECK_EQ(2, mappings(self->fd));
		__atomic_store_n(memory, 1, __ATOMIC_RELAXED);
		_exit(0);
	}
	EXPECT_EQ(BOX_KILLED(SIGSEGV), box_wait(child));
	EXPECT_EQ(0, *memory);
	EXPECT_EQ(1, mappings(self->fd));
	munmap(memory, self->size);
}

TEST_F(region, a_tracer_writes_no_more_than_its_tracee)
{
	char *memory = region_map(self->r, self->size, PROT_READ);
	pid_t child;
	int status;

	ASSERT_NE(NULL, memory);
	child = box_fork();
	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(*memory);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(-1, ptrace(PTRACE_POKEDATA, child, memory, 1));
	ptrace(PTRACE_CONT, child, NULL, NULL);
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, *memory);
	munmap(memory, self->size);
}

TEST_F(region, private_mappings_are_copies)
{
	const int rw = PROT_READ | PROT_WRITE;
	char *shared = region_map(self->fd, self->size, rw);
	char *copy = mmap(NULL, self->size, rw, MAP_PRIVATE, self->r, 0);

	ASSERT_NE(NULL, shared);
	ASSERT_TRUE(copy != MAP_FAILED);
	memcpy(shared, "shared", sizeof("shared"));
	EXPECT_STREQ("shared", copy);
	memcpy(copy, "copy", sizeof("copy"));
	EXPECT_STREQ("shared", shared);
	EXPECT_STREQ("copy", copy);
	EXPECT_EQ(2, mappings(self->fd));
	munmap(shared, self->size);
	munmap(copy, self->size);
}

/* Who made holes would wait for page faults that do not wait for him. */
TEST_F(region, it_has_no_holes)
{
	char *memory = region_map(self->fd, self->size,
				  PROT_READ | PROT_WRITE);

	ASSERT_NE(NULL, memory);
	box_fill(memory, self->size, 3);
	EXPECT_EQ(-1, madvise(memory, self->page, MADV_REMOVE));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_TRUE(box_filled(memory, self->size, 3));
	EXPECT_EQ(-1, fallocate(self->fd, FALLOC_FL_PUNCH_HOLE |
				FALLOC_FL_KEEP_SIZE, 0, self->page));
	EXPECT_TRUE(box_filled(memory, self->size, 3));
	munmap(memory, self->size);
}

TEST_F(region, mappings_are_counted)
{
	char *memory = region_map(self->fd, self->size,
				  PROT_READ | PROT_WRITE);
	pid_t child;

	ASSERT_NE(NULL, memory);
	EXPECT_EQ(1, mappings(self->fd));
	/* A part of its own makes three of it. */
	ASSERT_EQ(0, mprotect(memory + self->page, self->page, PROT_READ));
	EXPECT_EQ(3, mappings(self->fd));
	child = box_fork();
	if (!child) {
		CHECK_EQ(6, mappings(self->fd));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(3, mappings(self->fd));
	ASSERT_EQ(0, munmap(memory + self->page, self->page));
	EXPECT_EQ(2, mappings(self->fd));
	/* Its end is cut off, and its place taken. */
	ASSERT_TRUE(mmap(memory, self->page, PROT_READ,
			 MAP_SHARED | MAP_FIXED, self->r, 0) == memory);
	EXPECT_EQ(2, mappings(self->fd));
	child = box_fork();
	if (!child) {
		if (freopen("/dev/null", "w", stderr))
			execl("/proc/self/exe", "region_mapping", "-h", NULL);
		_exit(1);
	}
	box_wait(child);
	EXPECT_EQ(2, mappings(self->fd));
	munmap(memory, self->size);
	EXPECT_EQ(0, mappings(self->fd));
}

TEST_F(region, a_mapping_keeps_the_region)
{
	struct ipcbox_info info;
	__u64 before = bytes_used(self->dev);
	__u64 objects;
	char *memory;
	int fd = region_make(self->dev, NULL, R | W, MIB, 0);
	__u64 id = box_id(fd);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, box_info(self->dev, &info));
	objects = info.user_objects_used;
	memory = region_map(fd, MIB, PROT_READ | PROT_WRITE);
	ASSERT_NE(NULL, memory);
	memcpy(memory, "here", sizeof("here"));
	close(fd);
	/* In use, so charged, and found. */
	EXPECT_EQ(before + MIB, bytes_used(self->dev));
	fd = box_open_id(self->dev, id, R | W);
	ASSERT_LE(0, fd);
	close(fd);
	EXPECT_STREQ("here", memory);
	munmap(memory, MIB);
	EXPECT_EQ(-ENOENT, box_open_id(self->dev, id, R));
	EXPECT_EQ(before, bytes_used(self->dev));
	ASSERT_EQ(0, box_info(self->dev, &info));
	EXPECT_EQ(objects - 1, info.user_objects_used);
}

TEST_F(region, memory_has_a_budget)
{
	struct ipcbox_info info;
	struct ipcbox_stat stat;
	__u64 limit, used;
	char *memory;
	int fds[3];

	if (geteuid())
		SKIP(return, "needs root, to set a limit");
	ASSERT_EQ(0, box_parameter_get("user_mapped_bytes", &limit));
	ASSERT_EQ(0, box_info(self->dev, &info));
	used = info.user_mapped_bytes_used;
	EXPECT_EQ(self->size, used);
	ASSERT_EQ(0, box_parameter_set("user_mapped_bytes", used + 2 * MIB));
	fds[0] = region_make(self->dev, NULL, R | W, MIB, 0);
	EXPECT_LE(0, fds[0]);
	EXPECT_EQ(-EDQUOT, region_make(self->dev, NULL, R | W, MIB + 1, 0));
	EXPECT_EQ(-EDQUOT, region_make(self->dev, NULL, R | W, 100 * MIB, 0));
	EXPECT_EQ(-EDQUOT, region_make(self->dev, NULL, R | W, -1, 0));
	fds[1] = region_make(self->dev, NULL, R | W, MIB, 0);
	EXPECT_LE(0, fds[1]);
	EXPECT_EQ(-EDQUOT, region_make(self->dev, NULL, R | W, 1, 0));
	/* What is there is opened, and other kinds are made. */
	fds[2] = region_make(self->dev, self->name, R | W, self->size, 0);
	EXPECT_LE(0, fds[2]);
	ASSERT_EQ(0, box_stat(fds[2], &stat));
	EXPECT_EQ(1, stat.semaphores);
	close(fds[2]);
	fds[2] = box_make(self->dev, IPCBOX_QUEUE, R);
	EXPECT_LE(0, fds[2]);
	close(fds[2]);
	/* What is mapped is not given back by closing. */
	memory = region_map(fds[1], MIB, PROT_READ);
	close(fds[1]);
	EXPECT_EQ(-EDQUOT, region_make(self->dev, NULL, R | W, 1, 0));
	munmap(memory, MIB);
	fds[1] = region_make(self->dev, NULL, R | W, MIB, 0);
	EXPECT_LE(0, fds[1]);
	close(fds[1]);
	close(fds[0]);
	EXPECT_EQ(used, bytes_used(self->dev));
	EXPECT_EQ(0, box_parameter_set("user_mapped_bytes", limit));
}

TEST_F(region, a_new_owner_takes_the_charge)
{
	struct ipcbox_set set = { .mask = IPCBOX_SET_UID, .uid = ALICE };
	__u64 used = bytes_used(self->dev);
	pid_t child;

	if (geteuid())
		SKIP(return, "needs root, to give away");
	ASSERT_EQ(0, box_set(self->fd, &set));
	EXPECT_EQ(used - self->size, bytes_used(self->dev));
	child = box_fork();
	if (!child) {
		CHECK_EQ(0, box_become(ALICE, ALICE));
		CHECK_EQ(self->size, bytes_used(self->dev));
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	set.uid = 0;
	ASSERT_EQ(0, box_set(self->fd, &set));
	EXPECT_EQ(used, bytes_used(self->dev));
}

TEST_F(region, maps_tells_which_region_it_is)
{
	char *memory = region_map(self->r, self->size, PROT_READ);
	char wanted[64], line[PATH_MAX];
	bool found = false;
	FILE *in;

	ASSERT_NE(NULL, memory);
	snprintf(wanted, sizeof(wanted), "/ipcbox:%llu ", box_id(self->fd));
	in = fopen("/proc/self/maps", "re");
	ASSERT_NE(NULL, in);
	while (fgets(line, sizeof(line), in))
		found |= !!strstr(line, wanted);
	fclose(in);
	EXPECT_TRUE(found);
	munmap(memory, self->size);
}

TEST_F(region, a_killed_process_leaves_nothing)
{
	__u64 used = bytes_used(self->dev);
	__u32 *flag = box_shared(sizeof(*flag));
	pid_t child = box_fork();

	if (!child) {
		int fd = region_make(self->dev, NULL, RWM, 8 * MIB, 8);
		char *memory = region_map(fd, 8 * MIB,
					  PROT_READ | PROT_WRITE);

		CHECK(memory);
		memset(memory, 1, 8 * MIB);
		__atomic_store_n(flag, 1, __ATOMIC_RELEASE);
		for (;;)
			pause();
	}
	box_await_flag(flag, 1);
	EXPECT_EQ(used + 8 * MIB, bytes_used(self->dev));
	kill(child, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child));
	EXPECT_EQ(used, bytes_used(self->dev));
	munmap(flag, sizeof(*flag));
}

TEST_F(region, a_persistent_region_keeps_its_content)
{
	struct ipcbox_create create = {
		.kind = IPCBOX_REGION,
		.flags = IPCBOX_CREATE_PERSISTENT,
		.mode = 0600,
		.rights = RWM,
		.mapped_bytes = self->page,
	};
	int fd = box_create(self->dev, &create);
	char *memory;

	ASSERT_LE(0, fd);
	memory = region_map(fd, self->page, PROT_READ | PROT_WRITE);
	ASSERT_NE(NULL, memory);
	memcpy(memory, "kept", sizeof("kept"));
	munmap(memory, self->page);
	close(fd);
	fd = box_open_id(self->dev, create.id, R);
	ASSERT_LE(0, fd);
	memory = region_map(fd, self->page, PROT_READ);
	ASSERT_NE(NULL, memory);
	EXPECT_STREQ("kept", memory);
	/* The mapping alone, of an unlinked region. */
	EXPECT_EQ(0, box_unlink_id(self->dev, create.id));
	close(fd);
	EXPECT_STREQ("kept", memory);
	EXPECT_EQ(self->size + self->page,
		  bytes_used(self->dev));
	munmap(memory, self->page);
	EXPECT_EQ(self->size, bytes_used(self->dev));
}

static int smaps_huge(const void *memory)
{
	char line[PATH_MAX];
	unsigned long begin, end, kib, most = 0;
	bool here = false;
	FILE *in = fopen("/proc/self/smaps", "re");

	while (fgets(line, sizeof(line), in)) {
		if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
			here = begin == (unsigned long)memory;
		else if (here && (sscanf(line, "ShmemPmdMapped: %lu", &kib) == 1 ||
				  sscanf(line, "FilePmdMapped: %lu", &kib) == 1) &&
			 kib > most)
			most = kib;
	}
	fclose(in);
	return most;
}

#define SHMEM_ENABLED	"/sys/kernel/mm/transparent_hugepage/shmem_enabled"

static int huge_make(int dev)
{
	struct ipcbox_create create = {
		.kind = IPCBOX_REGION,
		.flags = IPCBOX_CREATE_HUGE,
		.rights = RWM,
		.mapped_bytes = 8 * MIB,
	};

	return box_create(dev, &create);
}

/* How much of a new region is huge pages when all of it was written. */
static unsigned long huge_of(struct __test_metadata *_metadata, int fd)
{
	char *memory = region_map(fd, 8 * MIB, PROT_READ | PROT_WRITE);
	unsigned long huge;

	ASSERT_NE(NULL, memory);
	memset(memory, 1, 8 * MIB);
	huge = smaps_huge(memory);
	munmap(memory, 8 * MIB);
	return huge;
}

TEST_F(region, huge_pages_are_used_where_they_are_asked_for)
{
	int ordinary = region_make(self->dev, NULL, RWM, 8 * MIB, 0);
	int fd = huge_make(self->dev);
	unsigned long huge;
	char *memory;

	if (access(SHMEM_ENABLED, F_OK))
		SKIP(return, "this kernel has no huge pages");
	ASSERT_LE(0, ordinary);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, huge_of(_metadata, ordinary));
	/* For a 32-bit program newer kernels find no place that fits. */
	huge = huge_of(_metadata, fd);
	if (sizeof(long) == 8)
		EXPECT_LT(0, huge);
	/* It is sealed as any. */
	EXPECT_EQ(0, region_seal(fd));
	memory = region_map(fd, 8 * MIB, PROT_READ);
	ASSERT_NE(NULL, memory);
	if (sizeof(long) == 8)
		EXPECT_EQ(0, (uintptr_t)memory % (2 * MIB));
	EXPECT_EQ(1, memory[5 * MIB]);
	munmap(memory, 8 * MIB);
	close(fd);
	close(ordinary);
}

TEST_F(region, huge_pages_that_are_denied_are_small_ones)
{
	int fd;

	if (access(SHMEM_ENABLED, W_OK))
		SKIP(return, "no huge pages here, or not root, who denies them");
	ASSERT_EQ(0, box_write_file(SHMEM_ENABLED, "deny"));
	fd = huge_make(self->dev);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, huge_of(_metadata, fd));
	EXPECT_EQ(0, box_write_file(SHMEM_ENABLED, "never"));
	close(fd);
}

/* How many faults it takes to find a 1 in each page of a range; or -1. */
static long faults_of(const char *memory, size_t from, size_t to, long page)
{
	struct rusage before, after;
	size_t i;

	getrusage(RUSAGE_THREAD, &before);
	for (i = from; i < to; i++)
		if (memory[i * page] != 1)
			return -1;
	getrusage(RUSAGE_THREAD, &after);
	return after.ru_minflt - before.ru_minflt;
}

/* Neighbours are mapped with a page only where others of them are already. */
TEST_F(region, who_looks_at_one_page_maps_one)
{
	const size_t size = 8 * MIB, pages = size / self->page;
	const size_t around = 64 * 1024 / self->page;
	int fd = region_make(self->dev, NULL, RWM, size, 0);
	long faults = 0;
	size_t first;
	char *memory;

	ASSERT_LE(0, fd);
	memory = region_map(fd, size, PROT_READ | PROT_WRITE);
	ASSERT_NE(NULL, memory);
	memset(memory, 1, size);
	munmap(memory, size);
	memory = region_map(fd, size, PROT_READ);
	ASSERT_NE(NULL, memory);

	/* Neighbours are those of the same 64 KiB of addresses. */
	first = around - (uintptr_t)memory / self->page % around;
	EXPECT_EQ(1, faults_of(memory, first + 4, first + 5, self->page));
	EXPECT_EQ(1, faults_of(memory, first + 6, first + 7, self->page));
	EXPECT_EQ(0, faults_of(memory, first, first + around, self->page));
	munmap(memory, size);

	/* Who reads all, forwards or backwards, hardly notices. */
	memory = region_map(fd, size, PROT_READ);
	ASSERT_NE(NULL, memory);
	faults = faults_of(memory, 0, pages, self->page);
	EXPECT_LT(0, faults);
	EXPECT_GE(pages / around + 16, faults);
	munmap(memory, size);
	memory = region_map(fd, size, PROT_READ);
	ASSERT_NE(NULL, memory);
	for (first = pages, faults = 0; first; first--)
		faults += faults_of(memory, first - 1, first, self->page);
	EXPECT_LT(0, faults);
	EXPECT_GE(pages / around + 16, faults);
	munmap(memory, size);
	close(fd);
}

TEST_HARNESS_MAIN
