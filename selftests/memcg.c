// SPDX-License-Identifier: GPL-2.0
/*
 * What is queued is charged to the memory cgroup of the one who sent it, what is
 * mapped to that of its creator; and when it goes, nothing stays charged.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "channel_end.h"
#include "pool.h"
#include "region.h"

#define KIB		1024ull
#define MIB		(1024 * KIB)
#define PAYLOAD		(64 * KIB)

FIXTURE(memcg)
{
	int dev;
	int fd;
	char mount[64];
	char group[128];
};

static int group_write(const char *group, const char *file, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", group, file);
	return box_write_file(path, text);
}

static __u64 group_read(const char *group, const char *file, const char *key)
{
	unsigned long long value = 0;
	char path[256], word[64];
	FILE *in;

	snprintf(path, sizeof(path), "%s/%s", group, file);
	in = fopen(path, "re");
	if (!in)
		return 0;
	if (!key) {
		if (fscanf(in, "%llu", &value) != 1)
			value = 0;
	} else {
		while (fscanf(in, "%63s %llu", word, &value) == 2 &&
		       strcmp(word, key))
			value = 0;
	}
	fclose(in);
	return value;
}

FIXTURE_SETUP(memcg)
{
	if (geteuid())
		SKIP(return, "needs root, to make a cgroup");
	/* A mount of its own, so that nothing is left of it. */
	snprintf(self->mount, sizeof(self->mount), "/tmp/ipcbox.memcg.%d",
		 getpid());
	mkdir("/tmp", 01777);
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mkdir(self->mount, 0700) ||
	    mount("none", self->mount, "cgroup2", 0, NULL))
		SKIP(return, "no cgroup2: %s", strerror(errno));
	if (group_write(self->mount, "cgroup.subtree_control", "+memory"))
		SKIP(return, "no memory controller in cgroup2");
	snprintf(self->group, sizeof(self->group), "%s/test.ipcbox.%d",
		 self->mount, getpid());
	if (mkdir(self->group, 0700))
		SKIP(return, "no cgroup can be made: %s", strerror(errno));
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, 0, 64 * MIB,
				  PAYLOAD);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(memcg)
{
	close(self->fd);
	close(self->dev);
	/* Its memory goes with the last page; until then it is busy. */
	while (rmdir(self->group) && errno == EBUSY)
		sched_yield();
	umount2(self->mount, MNT_DETACH);
	rmdir(self->mount);
}

static int join(const char *group)
{
	return group_write(group, "cgroup.procs", "0");
}

TEST_F(memcg, messages_are_charged_to_the_sender)
{
	char *data = malloc(PAYLOAD);
	__u64 empty, full, drained;
	const int count = 64;
	pid_t child;
	int i;

	memset(data, 1, PAYLOAD);
	child = box_fork();
	if (!child) {
		CHECK_EQ(0, join(self->group));
		/* What a first call brings with it is not counted. */
		CHECK_EQ(1, box_send(self->fd, data, 1, 0, 0, IPCBOX_NOWAIT,
				     0));
		empty = group_read(self->group, "memory.current", NULL);
		for (i = 0; i < count; i++)
			CHECK_EQ(1, box_send(self->fd, data, PAYLOAD, 0, 0,
					     IPCBOX_NOWAIT, 0));
		full = group_read(self->group, "memory.current", NULL);
		fprintf(stderr, "# memory.current %llu, then %llu\n", empty,
			full);
		/* Charges come in batches: an eighth of slack. */
		CHECK(full >= empty + count * PAYLOAD * 7 / 8);
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));

	/* The sender has ended: the charge stays with what is queued. */
	full = group_read(self->group, "memory.current", NULL);
	EXPECT_LE(count * PAYLOAD * 7 / 8, full);
	EXPECT_EQ(1, read(self->fd, data, PAYLOAD));
	for (i = 0; i < count; i++) {
		EXPECT_EQ(PAYLOAD, read(self->fd, data, PAYLOAD));
	}
	/* Received, by another: freed. */
	drained = group_read(self->group, "memory.current", NULL);
	EXPECT_LE(drained + count * PAYLOAD * 7 / 8, full)
		TH_LOG("memory.current %llu, then %llu", full, drained);
	free(data);
}

TEST_F(memcg, small_messages_are_charged_too)
{
	__u64 empty, full;
	const int count = 1000;
	char data[1000] = { };
	pid_t child;
	int i;

	child = box_fork();
	if (!child) {
		CHECK_EQ(0, join(self->group));
		CHECK_EQ(1, box_send(self->fd, data, 1000, 0, 0, IPCBOX_NOWAIT,
				     0));
		empty = group_read(self->group, "memory.current", NULL);
		for (i = 0; i < count; i++)
			CHECK_EQ(1, box_send(self->fd, data, 1000, 0, 0,
					     IPCBOX_NOWAIT, 0));
		full = group_read(self->group, "memory.current", NULL);
		fprintf(stderr, "# memory.current %llu, then %llu\n", empty,
			full);
		CHECK(full >= empty + count * 1000 * 7 / 8);
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
}

/* What is kept at hand of one who sent by a handle serves nobody else. */
TEST_F(memcg, who_sends_is_charged_whoever_sent_before)
{
	enum { HANDLES = 500, EACH = 20, CHARGE = 132 };
	int handles[HANDLES];
	__u64 spare;
	pid_t child;
	int fd, i;

	ASSERT_EQ(0, box_parameter_get("user_spare_bytes", &spare));
	ASSERT_EQ(0, box_parameter_set("user_spare_bytes", 64 * MIB));
	fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM,
			    HANDLES * (EACH + 1), 0, 0);
	EXPECT_LE(0, fd);
	for (i = 0; i < HANDLES; i++) {
		handles[i] = box_open_id(self->dev, box_id(fd), W);
		EXPECT_EQ(1, box_put(handles[i], i));
	}
	EXPECT_EQ(0, box_parameter_set("user_spare_bytes", spare));
	child = box_fork();
	if (!child) {
		__u64 before, after;

		CHECK_EQ(0, join(self->group));
		before = group_read(self->group, "memory.current", NULL);
		for (i = 0; i < HANDLES * EACH; i++)
			CHECK_EQ(1, box_put(handles[i % HANDLES], i));
		after = group_read(self->group, "memory.current", NULL);
		fprintf(stderr, "# memory.current %llu, then %llu\n", before,
			after);
		CHECK(after >= before + HANDLES * EACH * CHARGE * 7 / 8);
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	for (i = 0; i < HANDLES; i++)
		close(handles[i]);
	close(fd);
}

/* Takes all of a batch of @count but the first: of each neighbourhood one stays. */
static void leave_one(int fd, __u32 count)
{
	struct ipcbox_outgoing out[32] = { };
	struct ipcbox_incoming in[32] = { };
	__u32 i;

	for (i = 1; i < count; i++)
		out[i].priority = 1;
	CHECK_EQ((int)count, box_send_many(fd, out, count, IPCBOX_NOWAIT, 0));
	CHECK_EQ((int)count - 1,
		 box_receive_many(fd, in, count - 1, IPCBOX_NOWAIT, 0));
}

TEST_F(memcg, few_messages_do_not_hold_much_memory)
{
	const int count = 2000;
	__u64 spare;
	pid_t child;

	ASSERT_EQ(0, box_parameter_get("user_spare_bytes", &spare));
	EXPECT_EQ(0, box_parameter_set("user_spare_bytes", 0));
	child = box_fork();
	if (!child) {
		__u64 before, after;
		int fd, i;

		CHECK_EQ(0, join(self->group));
		fd = box_make_sized(self->dev, IPCBOX_QUEUE, RWM, 2 * count, 0,
				    0);
		CHECK(fd >= 0);
		leave_one(fd, 32);
		before = group_read(self->group, "memory.current", NULL);
		for (i = 0; i < count; i++)
			leave_one(fd, 32);
		after = group_read(self->group, "memory.current", NULL);
		fprintf(stderr, "# memory.current %llu, then %llu\n", before,
			after);
		/* Each could keep some thousands. */
		CHECK(after < before + count * 1536);
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(0, box_parameter_set("user_spare_bytes", spare));
}

TEST_F(memcg, a_full_cgroup_is_enomem)
{
	char *data = malloc(PAYLOAD), text[32];
	struct ipcbox_stat stat;
	int accepted = 0, ret = 0;
	pid_t child;

	memset(data, 1, PAYLOAD);
	child = box_fork();
	if (!child) {
		CHECK_EQ(0, join(self->group));
		CHECK_EQ(1, box_send(self->fd, data, PAYLOAD, 0, 0,
				     IPCBOX_NOWAIT, 0));
		mlockall(MCL_CURRENT);
		group_write(self->group, "memory.swap.max", "0");
		snprintf(text, sizeof(text), "%llu",
			 group_read(self->group, "memory.current", NULL) +
			 2 * MIB);
		CHECK_EQ(0, group_write(self->group, "memory.max", text));
		/* 16 MiB, where 2 fit. */
		for (accepted = 1; accepted < 256; accepted++) {
			ret = box_send(self->fd, data, PAYLOAD, 0, 0,
				       IPCBOX_NOWAIT, 0);
			if (ret != 1)
				break;
		}
		CHECK_EQ(-ENOMEM, ret);
		CHECK_EQ(0, box_stat(self->fd, &stat));
		CHECK_EQ(accepted, stat.messages);
		CHECK_EQ(accepted, stat.sent);
		/* Room again, memory again. */
		CHECK_EQ(PAYLOAD, read(self->fd, data, PAYLOAD));
		CHECK_EQ(PAYLOAD, read(self->fd, data, PAYLOAD));
		CHECK_EQ(PAYLOAD, read(self->fd, data, PAYLOAD));
		CHECK_EQ(1, box_send(self->fd, data, 1000, 0, 0, IPCBOX_NOWAIT,
				     0));
		_exit(0);
	}
	/* Not killed for it, either: BOX_KILLED(SIGKILL) is 265. */
	EXPECT_EQ(0, box_wait(child));
	/* Others are not concerned. */
	EXPECT_EQ(1, box_put(self->fd, 1));
	free(data);
}

#define MAPPED		(4 * MIB)
#define MOST_OF(bytes)	((bytes) * 7 / 8)

static __u64 charged(FIXTURE_DATA(memcg) * self)
{
	return group_read(self->group, "memory.current", NULL);
}

/* Of memory that goes when others have let go of it. */
static void await_uncharged(FIXTURE_DATA(memcg) * self, __u64 least)
{
	while (charged(self) > least)
		sched_yield();
}

TEST_F(memcg, memory_for_mapping_is_charged_to_the_creator)
{
	__u32 *flag = box_shared(sizeof(*flag));
	char name[BOX_NAME_SIZE];
	__u64 before, full;
	char *memory;
	pid_t child;
	int fd;

	box_name(name, "memcg");
	child = box_fork();
	if (!child) {
		CHECK_EQ(0, join(self->group));
		CHECK(region_make(self->dev, name, RWM, MAPPED, 0) >= 0);
		before = charged(self);
		CHECK(end_make(self->dev, W, MAPPED) >= 0);
		CHECK(charged(self) >= before + MOST_OF(MAPPED));
		before = charged(self);
		CHECK(pool_create(self->dev, R, MAPPED, 0, 0) >= 0);
		CHECK(charged(self) >= before + MOST_OF(MAPPED));
		__atomic_store_n(flag, 1, __ATOMIC_RELEASE);
		box_await_flag(flag, 2);
		_exit(0);
	}
	while (box_is_running(child) &&
	       __atomic_load_n(flag, __ATOMIC_ACQUIRE) != 1)
		sched_yield();
	/* Who touches the pages first is in another group. */
	before = charged(self);
	fd = box_open_name(self->dev, name, R | W);
	ASSERT_LE(0, fd);
	memory = region_map(fd, MAPPED, PROT_READ | PROT_WRITE);
	ASSERT_NE(NULL, memory);
	memset(memory, 1, MAPPED);
	full = charged(self);
	EXPECT_LE(before + MOST_OF(MAPPED), full);
	__atomic_store_n(flag, 2, __ATOMIC_RELEASE);
	EXPECT_EQ(0, box_wait(child));
	/* The creator has ended: what is in use stays charged to its group. */
	await_uncharged(self, full - MOST_OF(2 * MAPPED));
	EXPECT_LE(MOST_OF(MAPPED), charged(self));
	EXPECT_EQ(1, memory[MAPPED - 1]);
	munmap(memory, MAPPED);
	close(fd);
	await_uncharged(self, full - MOST_OF(3 * MAPPED));
	munmap(flag, sizeof(*flag));
}

#define DEATHS		25
#define ROUNDS		20
#define RING		(64 * KIB)

/* One of each kind, all of it in use. */
static void use_one_of_each(int dev)
{
	static const char data[1000];
	struct end consumer, producer;
	struct pool pool;
	char *memory;
	int fd, w, i;

	fd = region_make(dev, NULL, RWM, RING, 8);
	memory = region_map(fd, RING, PROT_READ | PROT_WRITE);
	CHECK(memory);
	memset(memory, 1, RING);
	CHECK_EQ(0, sem_now(fd, 0, 1, UNDO));
	w = end_make(dev, W, RING);
	CHECK_EQ(0, end_map(&producer, w, 1));
	CHECK_EQ(0, end_map(&consumer, box_open_id(dev, box_id(w), R), 0));
	CHECK_EQ(0, end_send(&producer, data, sizeof(data), 0));
	fd = pool_create(dev, RWM, RING, 0, 0);
	CHECK_EQ(0, pool_map(fd, &pool));
	for (i = 0; i < 10; i++)
		CHECK_EQ(1, box_send(fd, data, sizeof(data), 0, 0,
				     IPCBOX_NOWAIT, 0));
}

/* Dies with all that it has, in the middle of making more. */
static void use_until_killed(int dev, __u32 *rounds)
{
	for (;;) {
		use_one_of_each(dev);
		__atomic_fetch_add(rounds, 1, __ATOMIC_RELEASE);
	}
}

TEST_F(memcg, nothing_stays_of_what_was_mapped)
{
	__u32 *rounds = box_shared(sizeof(*rounds));
	struct ipcbox_info before, after;
	__u64 kernel;
	pid_t child;
	int i;

	ASSERT_EQ(0, box_info(self->dev, &before));
	for (i = 0; i < DEATHS; i++) {
		__atomic_store_n(rounds, 0, __ATOMIC_RELEASE);
		child = box_fork();
		if (!child) {
			CHECK_EQ(0, join(self->group));
			use_until_killed(self->dev, rounds);
		}
		while (box_is_running(child) &&
		       __atomic_load_n(rounds, __ATOMIC_ACQUIRE) < ROUNDS)
			sched_yield();
		kill(child, SIGKILL);
		ASSERT_EQ(BOX_KILLED(SIGKILL), box_wait(child));
	}
	ASSERT_EQ(0, box_info(self->dev, &after));
	EXPECT_EQ(before.user_mapped_bytes_used, after.user_mapped_bytes_used);
	EXPECT_EQ(before.user_bytes_used, after.user_bytes_used);
	EXPECT_EQ(before.box_objects_used, after.box_objects_used);
	/*
	 * What is freed later, is. An object of a few hundred bytes for each, or
	 * two rings, would be more than that.
	 */
	do {
		kernel = group_read(self->group, "memory.stat", "kernel");
	} while (kernel > RING ||
		 group_read(self->group, "memory.stat", "shmem"));
	TH_LOG("%llu bytes are left of %d", kernel, DEATHS * ROUNDS);
	munmap(rounds, sizeof(*rounds));
}

TEST_HARNESS_MAIN
