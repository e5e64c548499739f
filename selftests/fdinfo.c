// SPDX-License-Identifier: GPL-2.0
/*
 * What an administrator sees of a handle: its lines in /proc/PID/fdinfo, and the
 * tracepoints.
 */
#include <ctype.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "box.h"

FIXTURE(info)
{
	int dev;
	int fd;
	char name[BOX_NAME_SIZE];
};

FIXTURE_SETUP(info)
{
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	box_name(self->name, "info");
	self->fd = box_make_named(self->dev, IPCBOX_MAILBOX, RWM, 0,
				  self->name);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(info)
{
	close(self->fd);
	close(self->dev);
}

/* The value of a line "ipcbox-KEY:\tVALUE", or "" when there is none. */
static const char *shown(pid_t pid, int fd, const char *key)
{
	static char line[256];
	char path[64], *value;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	in = fopen(path, "re");
	if (!in)
		return "";
	while (fgets(line, sizeof(line), in)) {
		value = strchr(line, ':');
		if (!value || strncmp(line, "ipcbox-", 7))
			continue;
		*value++ = 0;
		if (strcmp(line + 7, key))
			continue;
		fclose(in);
		value += strspn(value, " \t");
		value[strcspn(value, "\n")] = 0;
		return value;
	}
	fclose(in);
	return "";
}

TEST_F(info, fdinfo_tells_of_the_object_and_the_handle)
{
	char id[32];
	int w, l;

	snprintf(id, sizeof(id), "%llu", box_id(self->fd));
	EXPECT_STREQ(id, shown(getpid(), self->fd, "id"));
	EXPECT_STREQ("mailbox", shown(getpid(), self->fd, "kind"));
	EXPECT_STREQ(self->name, shown(getpid(), self->fd, "name"));
	EXPECT_STREQ("rwm-", shown(getpid(), self->fd, "rights"));
	EXPECT_EQ(0, atoi(shown(getpid(), self->fd, "messages")));
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(1, box_put(self->fd, 1));
	EXPECT_EQ(2, atoi(shown(getpid(), self->fd, "messages")));
	EXPECT_EQ(8, atoi(shown(getpid(), self->fd, "bytes")));

	w = box_open_name(self->dev, self->name, W);
	ASSERT_LE(0, w);
	EXPECT_STREQ(id, shown(getpid(), w, "id"));
	EXPECT_STREQ("-w--", shown(getpid(), w, "rights"));
	l = box_open_name(self->dev, self->name, L);
	ASSERT_LE(0, l);
	EXPECT_STREQ("---l", shown(getpid(), l, "rights"));
	close(l);
	EXPECT_STRNE(shown(getpid(), self->fd, "handle"), "");
	close(w);
}

TEST_F(info, fdinfo_of_another_process_is_there)
{
	pid_t child = box_fork();

	if (!child)
		for (;;)
			pause();
	EXPECT_STREQ("mailbox", shown(child, self->fd, "kind"));
	kill(child, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(child));
}

TEST_F(info, fdinfo_hides_no_unlink)
{
	EXPECT_EQ(0, box_unlink_name(self->dev, self->name));
	EXPECT_TRUE(strstr(shown(getpid(), self->fd, "state"), "unlinked") !=
		    NULL);
}

FIXTURE(trace)
{
	int dev;
	char root[64];
	bool mounted;
};

static int trace_write(const char *root, const char *file, const char *text)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/%s", root, file);
	return box_write_file(path, text);
}

FIXTURE_SETUP(trace)
{
	char path[128];

	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	if (geteuid())
		SKIP(return, "needs root, to trace");
	snprintf(self->root, sizeof(self->root), "/sys/kernel/tracing");
	snprintf(path, sizeof(path), "%s/events", self->root);
	if (access(path, F_OK)) {
		snprintf(self->root, sizeof(self->root), "/tmp/ipcbox.trace.%d",
			 getpid());
		mkdir("/tmp", 01777);
		mkdir(self->root, 0700);
		if (unshare(CLONE_NEWNS) ||
		    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("none", self->root, "tracefs", 0, NULL)) {
			rmdir(self->root);
			SKIP(return, "no tracefs: %s", strerror(errno));
		}
		self->mounted = true;
	}
	snprintf(path, sizeof(path), "%s/events/ipcbox", self->root);
	ASSERT_EQ(0, access(path, F_OK))
		TH_LOG("no %s", path);
	ASSERT_EQ(0, trace_write(self->root, "tracing_on", "1"));
	ASSERT_EQ(0, trace_write(self->root, "trace", "\n"));
	ASSERT_EQ(0, trace_write(self->root, "events/ipcbox/enable", "1"));
}

FIXTURE_TEARDOWN(trace)
{
	if (geteuid())
		return;
	trace_write(self->root, "events/ipcbox/enable", "0");
	if (self->mounted) {
		umount2(self->root, MNT_DETACH);
		rmdir(self->root);
	}
	close(self->dev);
}

/* How many lines of the trace have all three. */
static int traced(const char *root, const char *event, const char *first,
		  const char *second)
{
	char path[128], line[512];
	FILE *in;
	int n = 0;

	snprintf(path, sizeof(path), "%s/trace", root);
	in = fopen(path, "re");
	if (!in)
		return -1;
	while (fgets(line, sizeof(line), in))
		if (line[0] != '#' && strstr(line, event) &&
		    strstr(line, first) && strstr(line, second))
			n++;
	fclose(in);
	return n;
}

TEST_F(trace, each_event_fires)
{
	char id[32], name[BOX_NAME_SIZE], text[BOX_NAME_SIZE + 8];
	pid_t child;
	int fd;

	box_name(name, "trace");
	snprintf(text, sizeof(text), "name=%s", name);
	fd = box_make_named(self->dev, IPCBOX_QUEUE, RWM, 0, name);
	ASSERT_LE(0, fd);
	snprintf(id, sizeof(id), "id=%llu ", box_id(fd));
	EXPECT_EQ(1, traced(self->root, "ipcbox_create:", id, text));

	EXPECT_EQ(1, box_put_priority(fd, 1, 5));
	EXPECT_EQ(1, box_put_priority(fd, 2, 5));
	EXPECT_EQ(1, traced(self->root, "ipcbox_send:", id, "sequence=1 "));
	EXPECT_EQ(2, traced(self->root, "ipcbox_send:", id, "length=4 "));
	EXPECT_EQ(2, traced(self->root, "ipcbox_send:", id, "priority=5"));
	EXPECT_EQ(0, traced(self->root, "ipcbox_receive:", id, ""));
	EXPECT_EQ(1, box_get(fd, &(__u32){ 0 }));
	EXPECT_EQ(1, traced(self->root, "ipcbox_receive:", id, "sequence=1 "));
	EXPECT_EQ(1, box_get(fd, &(__u32){ 0 }));

	EXPECT_EQ(0, traced(self->root, "ipcbox_block:", id, ""));
	child = box_fork();
	if (!child) {
		CHECK_EQ(1, box_get_wait(fd, &(__u32){ 0 }));
		_exit(0);
	}
	EXPECT_EQ(0, box_await_receivers(fd, 1));
	EXPECT_EQ(1, box_put(fd, 3));
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(1, traced(self->root, "ipcbox_block:", id, "receive"));
	EXPECT_EQ(3, traced(self->root, "ipcbox_receive:", id, ""));

	EXPECT_EQ(1, box_put(fd, 4));
	EXPECT_EQ(0, traced(self->root, "ipcbox_drop:", id, ""));
	close(fd);
	EXPECT_EQ(1, traced(self->root, "ipcbox_drop:", id, "sequence=4 "));
}

TEST_HARNESS_MAIN
