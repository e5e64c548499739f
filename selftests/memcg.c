// SPDX-License-Identifier: GPL-2.0
/* What is queued is charged to the memory cgroup of the one who sent it. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "box.h"

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

TEST_HARNESS_MAIN
