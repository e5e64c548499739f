/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Failing the first, second, third, ... allocation or copy to or from user memory
 * of an operation, for the selftests that do so.
 *
 * Needs a kernel with fault injection: /proc/self/fail-nth, failslab,
 * fail_page_alloc and fail_usercopy.
 *
 * To be included behind the declaration of the fixture "fault", which has dev, a
 * descriptor of the device, and fd, the object whose state is looked at.
 */
#ifndef _FAULT_H
#define _FAULT_H

#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "box.h"

#define FAULT_ROUNDS_MAX	300

/* Of the test that runs: each is a process. */
static struct {
	int nth;		/* /proc/thread-self/fail-nth */
	char debugfs[64];
	bool mounted;
} fault;

static inline int fault_setting(const char *root, const char *name,
				const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	return box_write_file(path, value);
}

/* Every allocation may fail, those that may wait too; and quietly. */
static inline int fault_configure(const char *root)
{
	if (fault_setting(root, "failslab/ignore-gfp-wait", "N"))
		return -1;
	fault_setting(root, "failslab/verbose", "0");
	fault_setting(root, "failslab/cache-filter", "N");
	fault_setting(root, "fail_page_alloc/ignore-gfp-wait", "N");
	fault_setting(root, "fail_page_alloc/ignore-gfp-highmem", "N");
	fault_setting(root, "fail_page_alloc/min-order", "0");
	fault_setting(root, "fail_page_alloc/verbose", "0");
	fault_setting(root, "fail_usercopy/verbose", "0");
	return 0;
}

/* False where there is no failslab under debugfs. */
static inline bool fault_begin(void)
{
	fault.nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fault.nth < 0)
		return false;
	snprintf(fault.debugfs, sizeof(fault.debugfs), "/sys/kernel/debug");
	if (!fault_configure(fault.debugfs))
		return true;
	snprintf(fault.debugfs, sizeof(fault.debugfs),
		 "/tmp/ipcbox.debug.%d", getpid());
	mkdir("/tmp", 01777);
	mkdir(fault.debugfs, 0700);
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", fault.debugfs, "debugfs", 0, NULL) ||
	    fault_configure(fault.debugfs)) {
		rmdir(fault.debugfs);
		return false;
	}
	fault.mounted = true;
	return true;
}

static inline void fault_end(void)
{
	close(fault.nth);
	if (fault.mounted) {
		umount2(fault.debugfs, MNT_DETACH);
		rmdir(fault.debugfs);
	}
}

/* Reading and writing the number may be what fails: then it was the n-th. */
static inline void fault_arm(unsigned int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", n);

	while (pwrite(fault.nth, text, length, 0) != length)
		;
}

/* Whether the fault was injected before this. */
static inline bool fault_disarm(void)
{
	char text[16] = "";
	bool fired;

	fired = pread(fault.nth, text, sizeof(text) - 1, 0) < 0 ||
		atoi(text) == 0;
	while (pwrite(fault.nth, "0", 1, 0) != 1)
		;
	return fired;
}

/*
 * Every failure is a clean errno and changes nothing.
 *
 * @undo: puts back what a successful call did, and says whether it had done
 * what it should.
 */
static void sweep(struct __test_metadata *_metadata,
		  FIXTURE_DATA(fault) * self,
		  int (*call)(FIXTURE_DATA(fault) * self),
		  bool (*undo)(FIXTURE_DATA(fault) * self, int ret))
{
	struct box_snapshot before;
	unsigned int n, failed = 0;
	bool fired;
	int ret;

	for (n = 1; n < FAULT_ROUNDS_MAX; n++) {
		box_snapshot(self->dev, self->fd, &before);
		fault_arm(n);
		ret = call(self);
		fired = fault_disarm();
		if (ret < 0) {
			failed++;
			EXPECT_TRUE(ret == -ENOMEM || ret == -EFAULT)
				TH_LOG("fault %u: errno %d", n, -ret);
			EXPECT_TRUE(box_unchanged(self->dev, self->fd,
						  &before))
				TH_LOG("fault %u: errno %d", n, -ret);
			EXPECT_TRUE(fired)
				TH_LOG("failed without fault %u", n);
			continue;
		}
		EXPECT_TRUE(undo(self, ret))
			TH_LOG("fault %u, returned %d", n, ret);
		if (!fired)
			break;
	}
	EXPECT_LT(n, FAULT_ROUNDS_MAX);
	/* At least the copy of the structure can fail. */
	EXPECT_LT(0, failed);
	TH_LOG("%u faults, %u of them made the call fail", n - 1, failed);
}

/* In the place of TEST_HARNESS_MAIN. */
static int fault_main(int argc, char **argv)
{
	if (access("/proc/thread-self/fail-nth", W_OK)) {
		ksft_print_header();
		ksft_exit_skip("no /proc/thread-self/fail-nth: %s\n",
			       geteuid() ? "needs root" :
			       "this kernel has no fault injection");
	}
	return test_harness_run(argc, argv);
}

#endif /* _FAULT_H */
