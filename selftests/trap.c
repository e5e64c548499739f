// SPDX-License-Identifier: GPL-2.0
/* Processes that hang in the use of their memory. See box.h. */
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <linux/userfaultfd.h>

#include "box.h"

#define SKIPPED		4	/* KSFT_SKIP */

struct deed {
	long (*function)(int fd, char *trap);
	int fd;
	char *trap;
};

static void *do_deed(void *arg)
{
	struct deed *deed = arg;

	return (void *)deed->function(deed->fd, deed->trap);
}

/*
 * A page whose first use stops the user, until the userfaultfd is served. The
 * page before it is an ordinary one.
 */
static char *set_trap(int *faults, long page)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	char *trap;

	*faults = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (*faults < 0 || ioctl(*faults, UFFDIO_API, &api))
		return NULL;
	trap = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (trap == MAP_FAILED)
		return NULL;
	trap += page;
	range.range.start = (uintptr_t)trap;
	range.range.len = page;
	return ioctl(*faults, UFFDIO_REGISTER, &range) ? NULL : trap;
}

/* Until somebody hangs in the trap. */
static void await_fault(int faults)
{
	struct uffd_msg msg;

	CHECK_EQ(sizeof(msg), read(faults, &msg, sizeof(msg)));
	CHECK_EQ(UFFD_EVENT_PAGEFAULT, msg.event);
}

static void be_trapped(struct box_trapped *trapped, struct deed *deed)
{
	long page = sysconf(_SC_PAGESIZE);
	struct uffdio_zeropage zero = { };
	pthread_t thread;
	void *ret;
	int faults;

	deed->trap = set_trap(&faults, page);
	if (!deed->trap)
		_exit(SKIPPED);
	CHECK(!pthread_create(&thread, NULL, do_deed, deed));
	await_fault(faults);
	__atomic_store_n(trapped->flag, BOX_HANGS, __ATOMIC_RELEASE);
	while (__atomic_load_n(trapped->flag, __ATOMIC_ACQUIRE) == BOX_HANGS)
		sched_yield();
	if (__atomic_load_n(trapped->flag, __ATOMIC_ACQUIRE) ==
	    BOX_TAKE_AWAY) {
		/* The memory goes, and then those who wait go on. */
		munmap(deed->trap, page);
		close(faults);
	} else {
		zero.range.start = (uintptr_t)deed->trap;
		zero.range.len = page;
		CHECK_EQ(0, ioctl(faults, UFFDIO_ZEROPAGE, &zero));
	}
	pthread_join(thread, &ret);
	*trapped->result = (long)ret;
	_exit(0);
}

void box_trap_begin(struct box_trapped *trapped,
		    long (*function)(int fd, char *trap), int fd)
{
	struct deed deed = { .function = function, .fd = fd };

	trapped->flag = box_shared(4096);
	trapped->result = (__s32 *)trapped->flag + 1;
	trapped->pid = box_fork();
	if (!trapped->pid)
		be_trapped(trapped, &deed);
}

bool box_hangs(const struct box_trapped *trapped)
{
	return __atomic_load_n(trapped->flag, __ATOMIC_ACQUIRE) == BOX_HANGS;
}

int box_trap(struct box_trapped *trapped, long (*function)(int fd, char *trap),
	     int fd)
{
	box_trap_begin(trapped, function, fd);
	while (!box_hangs(trapped)) {
		if (!box_is_running(trapped->pid))
			return box_wait(trapped->pid);
		sched_yield();
	}
	return 0;
}

void box_release(struct box_trapped *trapped, __u32 how)
{
	__atomic_store_n(trapped->flag, how, __ATOMIC_RELEASE);
}
