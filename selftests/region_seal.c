// SPDX-License-Identifier: GPL-2.0
/*
 * A region is sealed when nobody can write to it, and not before; and what was
 * sealed does not change by any way.
 */
#include <linux/io_uring.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "region.h"

#define PAGES	64
#define RW	(PROT_READ | PROT_WRITE)

FIXTURE(seal)
{
	int dev;
	int fd;			/* every right */
	int r;			/* IPCBOX_RIGHT_RECEIVE alone */
	long page;
	size_t size;
};

FIXTURE_SETUP(seal)
{
	char *memory;

	self->page = sysconf(_SC_PAGESIZE);
	self->size = PAGES * self->page;
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = region_make(self->dev, NULL, RWM, self->size, 1);
	ASSERT_LE(0, self->fd);
	self->r = box_open_id(self->dev, box_id(self->fd), R);
	ASSERT_LE(0, self->r);
	memory = region_map(self->fd, self->size, RW);
	ASSERT_NE(NULL, memory);
	box_fill(memory, self->size, 7);
	munmap(memory, self->size);
}

FIXTURE_TEARDOWN(seal)
{
	close(self->r);
	close(self->fd);
	close(self->dev);
}

/* The content is the fixture's, as a new mapping shows it. */
static bool intact(FIXTURE_DATA(seal) * self)
{
	char *memory = region_map(self->r, self->size, PROT_READ);
	bool good = memory && box_filled(memory, self->size, 7);

	munmap(memory, self->size);
	return good;
}

TEST_F(seal, seal_checks_its_values)
{
	struct ipcbox_seal seal = { .size = sizeof(seal), .flags = 1 };
	int queue = box_make(self->dev, IPCBOX_QUEUE, RWM);
	int m = box_open_id(self->dev, box_id(self->fd), M);

	EXPECT_EQ(-1, ioctl(self->fd, IPCBOX_IOC_SEAL, &seal));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-EACCES, region_seal(self->r));
	EXPECT_EQ(-EACCES, region_seal(m));
	EXPECT_EQ(-ENOTTY, region_seal(queue));
	EXPECT_FALSE(region_sealed(self->fd));
	EXPECT_EQ(0, region_map_error(self->fd, self->size, RW, MAP_SHARED, 0));
	close(m);
	close(queue);
}

TEST_F(seal, nothing_writes_to_a_sealed_region)
{
	char *memory, *copy, byte = 1;
	struct iovec local = { &byte, 1 }, remote;
	int mem;

	EXPECT_FALSE(region_sealed(self->r));
	ASSERT_EQ(0, region_seal(self->fd));
	EXPECT_TRUE(region_sealed(self->r));
	EXPECT_TRUE(region_sealed(self->fd));
	/* A second time, nothing is left to do. */
	EXPECT_EQ(0, region_seal(self->fd));

	EXPECT_EQ(EPERM, region_map_error(self->fd, self->size, RW,
					  MAP_SHARED, 0));
	EXPECT_EQ(EPERM, region_map_error(self->fd, self->size, PROT_WRITE,
					  MAP_SHARED, 0));
	memory = region_map(self->fd, self->size, PROT_READ);
	ASSERT_NE(NULL, memory);
	EXPECT_EQ(-1, mprotect(memory, self->size, RW));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, madvise(memory, self->size, MADV_REMOVE));
	EXPECT_EQ(-1, syscall(__NR_remap_file_pages, memory, self->page, 0, 1,
			      0));
	munmap(memory, self->size);

	memory = region_map(self->fd, self->size, PROT_READ);
	ASSERT_NE(NULL, memory);
	mem = open("/proc/self/mem", O_RDWR);
	ASSERT_LE(0, mem);
	EXPECT_EQ(-1, pwrite(mem, &byte, 1, (uintptr_t)memory));
	close(mem);
	remote = (struct iovec){ memory, 1 };
	EXPECT_EQ(-1, process_vm_writev(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_TRUE(box_filled(memory, self->size, 7));
	munmap(memory, self->size);

	/* Copies are one's own. */
	copy = mmap(NULL, self->size, RW, MAP_PRIVATE, self->fd, 0);
	ASSERT_TRUE(copy != MAP_FAILED);
	EXPECT_TRUE(box_filled(copy, self->size, 7));
	memset(copy, 0, self->size);
	munmap(copy, self->size);
	EXPECT_TRUE(intact(self));

	/* Semaphores are not concerned. */
	EXPECT_EQ(0, sem_now(self->fd, 0, 1, 0));
	EXPECT_EQ(1, sem_value(self->fd, 0));
}

TEST_F(seal, a_writable_mapping_is_ebusy)
{
	__u32 *flag = box_shared(sizeof(*flag));
	char *memory, *other;
	pid_t child;

	memory = region_map(self->fd, self->size, RW);
	ASSERT_NE(NULL, memory);
	EXPECT_EQ(-EBUSY, region_seal(self->fd));
	EXPECT_FALSE(region_sealed(self->fd));
	/* Refused is refused: it is as writable as before. */
	memory[0] ^= 1;
	memory[0] ^= 1;
	EXPECT_EQ(0, region_map_error(self->fd, self->size, RW, MAP_SHARED, 0));
	/* Half of it, then none. */
	munmap(memory, self->size / 2);
	EXPECT_EQ(-EBUSY, region_seal(self->fd));
	munmap(memory + self->size / 2, self->size / 2);

	/* For reading only, but it may be made to write. */
	memory = region_map(self->fd, self->size, PROT_READ);
	EXPECT_EQ(-EBUSY, region_seal(self->fd));
	EXPECT_EQ(0, mprotect(memory, self->page, RW));
	munmap(memory, self->size);

	/* A child's, which was inherited. */
	memory = region_map(self->fd, self->page, RW);
	child = box_fork();
	if (!child) {
		box_await_flag(flag, 1);
		_exit(0);
	}
	munmap(memory, self->page);
	EXPECT_EQ(-EBUSY, region_seal(self->fd));
	__atomic_store_n(flag, 1, __ATOMIC_RELEASE);
	EXPECT_EQ(0, box_wait(child));

	/* These do not write. */
	memory = region_map(self->r, self->size, PROT_READ);
	other = mmap(NULL, self->size, RW, MAP_PRIVATE, self->fd, 0);
	ASSERT_TRUE(memory && other != MAP_FAILED);
	EXPECT_TRUE(box_filled(memory, self->size, 7));
	other[self->page] = 1;
	EXPECT_EQ(0, region_seal(self->fd));
	EXPECT_TRUE(box_filled(memory, self->size, 7));
	EXPECT_EQ(1, other[self->page]);
	munmap(memory, self->size);
	munmap(other, self->size);
	munmap(flag, sizeof(*flag));
}

TEST_F(seal, a_killed_writer_is_no_writer)
{
	__u32 *flag = box_shared(sizeof(*flag));
	pid_t child = box_fork();

	if (!child) {
		char *memory = region_map(self->fd, self->size, RW);

		CHECK(memory);
		memory[0] ^= 1;
		memory[0] ^= 1;
		__atomic_store_n(flag, 1, __ATOMIC_RELEASE);
		for (;;)
			pause();
	}
	box_await_flag(flag, 1);
	EXPECT_EQ(-EBUSY, region_seal(self->fd));
	kill(child, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child));
	EXPECT_EQ(0, region_seal(self->fd));
	EXPECT_TRUE(intact(self));
	munmap(flag, sizeof(*flag));
}

/* Through /proc even root does not get at what is sealed. */
TEST_F(seal, map_files_do_not_write_either)
{
	char path[64], byte = 1;
	char *memory = region_map(self->r, self->size, PROT_READ);
	void *mapped;
	int fd;

	ASSERT_NE(NULL, memory);
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx",
		 (long)memory, (long)memory + self->size);
	fd = open(path, O_RDWR);
	if (fd < 0)
		SKIP(return, "%s: %s", path, strerror(errno));
	/* While it is not sealed this is a writer as any. */
	mapped = mmap(NULL, self->page, RW, MAP_SHARED, fd, 0);
	ASSERT_TRUE(mapped != MAP_FAILED);
	EXPECT_EQ(-EBUSY, region_seal(self->fd));
	EXPECT_FALSE(region_sealed(self->fd));
	munmap(mapped, self->page);
	ASSERT_EQ(0, region_seal(self->fd));
	EXPECT_EQ(-1, pwrite(fd, &byte, 1, 0));
	EXPECT_EQ(-1, ftruncate(fd, 0));
	EXPECT_EQ(-1, fallocate(fd, FALLOC_FL_PUNCH_HOLE |
				FALLOC_FL_KEEP_SIZE, 0, self->page));
	EXPECT_TRUE(mmap(NULL, self->page, RW, MAP_SHARED, fd, 0) ==
		    MAP_FAILED);
	EXPECT_TRUE(box_filled(memory, self->size, 7));
	close(fd);
	munmap(memory, self->size);
}

/*
 * io_uring keeps pages of its own to write to, whatever becomes of the mapping.
 */
struct ring {
	int fd;
	struct io_uring_params params;
	char *sq, *cq;
	struct io_uring_sqe *sqes;
};

static int ring_make(struct ring *ring)
{
	memset(ring, 0, sizeof(*ring));
	ring->fd = syscall(__NR_io_uring_setup, 4, &ring->params);
	if (ring->fd < 0)
		return -errno;
	ring->sq = mmap(NULL, 4096, RW, MAP_SHARED, ring->fd,
			IORING_OFF_SQ_RING);
	ring->cq = mmap(NULL, 4096, RW, MAP_SHARED, ring->fd,
			IORING_OFF_CQ_RING);
	ring->sqes = mmap(NULL, 4096, RW, MAP_SHARED, ring->fd,
			  IORING_OFF_SQES);
	return 0;
}

/* Reads from a descriptor into the buffer that was registered. */
static int ring_read(struct ring *ring, int from, void *to, unsigned int length)
{
	unsigned int *tail = (void *)(ring->sq + ring->params.sq_off.tail);
	unsigned int *array = (void *)(ring->sq + ring->params.sq_off.array);
	unsigned int *head = (void *)(ring->cq + ring->params.cq_off.head);
	struct io_uring_cqe *cqe = (void *)(ring->cq +
					    ring->params.cq_off.cqes);
	unsigned int at = *tail & (ring->params.sq_entries - 1);
	int ret;

	memset(&ring->sqes[at], 0, sizeof(ring->sqes[at]));
	ring->sqes[at].opcode = IORING_OP_READ_FIXED;
	ring->sqes[at].fd = from;
	ring->sqes[at].addr = (uintptr_t)to;
	ring->sqes[at].len = length;
	ring->sqes[at].off = -1;
	array[at] = at;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(__NR_io_uring_enter, ring->fd, 1, 1,
		    IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return -errno;
	ret = cqe[*head & (ring->params.cq_entries - 1)].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return ret;
}

TEST_F(seal, pages_that_were_lent_are_not_the_sealed_ones)
{
	char *memory, *reader;
	struct iovec lent;
	struct ring ring;
	int zero, ret;

	ret = ring_make(&ring);
	if (ret)
		SKIP(return, "no io_uring: %s", strerror(-ret));
	zero = open("/dev/zero", O_RDONLY);
	ASSERT_LE(0, zero);
	reader = region_map(self->r, self->size, PROT_READ);
	ASSERT_NE(NULL, reader);
	EXPECT_TRUE(box_filled(reader, self->size, 7));
	memory = region_map(self->fd, self->size, RW);
	ASSERT_NE(NULL, memory);
	lent = (struct iovec){ memory, self->size };
	ret = syscall(__NR_io_uring_register, ring.fd, IORING_REGISTER_BUFFERS,
		      &lent, 1);
	/* 6.1 takes memory of memfd only. */
	if (ret && errno == EOPNOTSUPP)
		SKIP(return, "io_uring does not take such memory here");
	ASSERT_EQ(0, ret);
	/* It does write there. */
	ASSERT_EQ(16, ring_read(&ring, zero, memory, 16));
	EXPECT_EQ(0, memory[0] | memory[7] | memory[15]);
	box_fill(memory, self->size, 7);
	munmap(memory, self->size);

	ASSERT_EQ(0, region_seal(self->fd));
	EXPECT_TRUE(box_filled(reader, self->size, 7));
	EXPECT_EQ(self->size, ring_read(&ring, zero, memory, self->size));
	EXPECT_TRUE(box_filled(reader, self->size, 7));
	EXPECT_TRUE(intact(self));
	close(ring.fd);
	EXPECT_TRUE(intact(self));
	munmap(reader, self->size);
	close(zero);
}

/* A pipe refers to pages, too, which it only reads. */
TEST_F(seal, pages_in_a_pipe_do_not_matter)
{
	char *memory, *reader, piped[16];
	struct iovec lent;
	int ends[2], i;

	ASSERT_EQ(0, pipe(ends));
	reader = region_map(self->r, self->size, PROT_READ);
	memory = region_map(self->fd, self->size, RW);
	ASSERT_TRUE(memory && reader);
	for (i = 0; i < 8; i++) {
		lent = (struct iovec){ memory + i * self->page, 16 };
		ASSERT_EQ(16, vmsplice(ends[1], &lent, 1, 0));
	}
	munmap(memory, self->size);
	ASSERT_EQ(0, region_seal(self->fd));
	EXPECT_TRUE(box_filled(reader, self->size, 7));
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(16, read(ends[0], piped, 16));
		EXPECT_EQ(0, memcmp(piped, reader + i * self->page, 16));
	}
	close(ends[0]);
	close(ends[1]);
	EXPECT_TRUE(intact(self));
	munmap(reader, self->size);
}

/* Readers see the same before, while and after. */
static void read_on(int fd, size_t size, const __u32 *flag)
{
	char *memory = region_map(fd, size, PROT_READ);

	CHECK(memory);
	do {
		CHECK(box_filled(memory, size, 7));
	} while (!__atomic_load_n(flag, __ATOMIC_ACQUIRE));
	CHECK(box_filled(memory, size, 7));
	_exit(0);
}

/* Maps as a writer, as often as it can. */
static void write_on(int fd, long page, const __u32 *flag)
{
	char *memory;

	while (!__atomic_load_n(flag, __ATOMIC_ACQUIRE)) {
		memory = region_map(fd, page, RW);
		if (!memory) {
			CHECK_EQ(EPERM, errno);
			continue;
		}
		/* Not sealed, then, or this would be a lie. */
		CHECK(!region_sealed(fd));
		__atomic_fetch_xor(memory, 0, __ATOMIC_RELAXED);
		CHECK(!region_sealed(fd));
		munmap(memory, page);
	}
	_exit(0);
}

TEST_F(seal, of_writers_and_a_sealer_one_gets_its_way)
{
	__u32 *flag = box_shared(sizeof(*flag));
	pid_t children[4];
	unsigned int i;
	int ret;

	for (i = 0; i < 4; i++) {
		children[i] = box_fork();
		if (!children[i] && i < 2)
			read_on(self->r, self->size, flag);
		if (!children[i])
			write_on(self->fd, self->page, flag);
	}
	do {
		ret = region_seal(self->fd);
	} while (ret == -EBUSY);
	EXPECT_EQ(0, ret);
	EXPECT_TRUE(region_sealed(self->fd));
	EXPECT_EQ(EPERM, region_map_error(self->fd, self->page, RW, MAP_SHARED,
					  0));
	__atomic_store_n(flag, 1, __ATOMIC_RELEASE);
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(0, box_wait(children[i]));
	}
	EXPECT_TRUE(intact(self));
	munmap(flag, sizeof(*flag));
}

struct sealer {
	int fd;
	int result;
};

static void *seal_it(void *argument)
{
	struct sealer *sealer = argument;

	sealer->result = region_seal(sealer->fd);
	return NULL;
}

TEST_F(seal, many_may_seal_at_once)
{
	struct sealer sealers[8];
	pthread_t threads[8];
	unsigned int i;

	for (i = 0; i < 8; i++) {
		sealers[i].fd = self->fd;
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, seal_it,
					    &sealers[i]));
	}
	for (i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_EQ(0, sealers[i].result);
	}
	EXPECT_TRUE(region_sealed(self->fd));
	EXPECT_TRUE(intact(self));
}

TEST_F(seal, an_empty_region_is_sealed_as_zeroes)
{
	int fd = region_make(self->dev, NULL, R | W, self->size, 0);
	char *memory;
	size_t i;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, region_seal(fd));
	memory = region_map(fd, self->size, PROT_READ);
	ASSERT_NE(NULL, memory);
	for (i = 0; i < self->size && !memory[i]; i++)
		;
	EXPECT_EQ(self->size, i);
	munmap(memory, self->size);
	close(fd);
}

TEST_HARNESS_MAIN
