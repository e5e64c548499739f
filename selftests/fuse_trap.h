/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A page of a file whose file system does not answer: a FUSE server of the test's
 * own that has just one file, the root of its file system. Who touches the page
 * waits until the server has answered or gone.
 */
#ifndef _FUSE_TRAP_H
#define _FUSE_TRAP_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <linux/fuse.h>

#include "box.h"

#define FUSE_TRAP_PAGE	4096

struct fuse_trap_request {
	struct fuse_in_header header;
	char more[8192 + 4096 - sizeof(struct fuse_in_header)];
};

static inline void fuse_trap_reply(int fuse, __u64 unique, int error,
				   void *data, size_t length)
{
	struct fuse_out_header header = {
		.len = sizeof(header) + length,
		.error = error,
		.unique = unique,
	};
	struct iovec parts[] = {
		{ .iov_base = &header, .iov_len = sizeof(header) },
		{ .iov_base = data, .iov_len = length },
	};

	/* Who waited may be gone by now. */
	if (writev(fuse, parts, 2) < 0)
		CHECK(errno == ENOENT || errno == EINTR);
}

static inline void fuse_trap_read(int fuse, __u64 unique, __u32 *flag)
{
	unsigned char data[FUSE_TRAP_PAGE] = { };
	__u32 now = BOX_HANGS;

	__atomic_store_n(flag, now, __ATOMIC_RELEASE);
	while (now == BOX_HANGS) {
		sched_yield();
		now = __atomic_load_n(flag, __ATOMIC_ACQUIRE);
	}
	if (now == BOX_TAKE_AWAY)
		_exit(0);
	fuse_trap_reply(fuse, unique, 0, data, sizeof(data));
}

static inline void fuse_trap_init(int fuse,
				  const struct fuse_trap_request *request)
{
	const struct fuse_init_in *in = (const void *)request->more;
	struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION,
		.minor = in->minor < FUSE_KERNEL_MINOR_VERSION ?
				 in->minor : FUSE_KERNEL_MINOR_VERSION,
		.max_write = FUSE_TRAP_PAGE,
	};

	fuse_trap_reply(fuse, request->header.unique, 0, &out, sizeof(out));
}

static inline void fuse_trap_getattr(int fuse, __u64 unique)
{
	struct fuse_attr_out out = {
		.attr_valid = 1 << 30,
		.attr = {
			.ino = FUSE_ROOT_ID,
			.size = FUSE_TRAP_PAGE,
			.blocks = FUSE_TRAP_PAGE / 512,
			.mode = S_IFREG | 0644,
			.nlink = 1,
			.blksize = FUSE_TRAP_PAGE,
		},
	};

	fuse_trap_reply(fuse, unique, 0, &out, sizeof(out));
}

/* Until the file system is unmounted. */
static inline void fuse_trap_serve(int fuse, __u32 *flag)
{
	struct fuse_trap_request request;
	struct fuse_open_out opened = { .fh = 1 };
	__u64 unique;

	while (read(fuse, &request, sizeof(request)) > 0) {
		unique = request.header.unique;
		switch (request.header.opcode) {
		case FUSE_INIT:
			fuse_trap_init(fuse, &request);
			break;
		case FUSE_GETATTR:
			fuse_trap_getattr(fuse, unique);
			break;
		case FUSE_OPEN:
			fuse_trap_reply(fuse, unique, 0, &opened,
					sizeof(opened));
			break;
		case FUSE_READ:
			fuse_trap_read(fuse, unique, flag);
			break;
		case FUSE_RELEASE:
			fuse_trap_reply(fuse, unique, 0, NULL, 0);
			break;
		case FUSE_FORGET:
		case FUSE_BATCH_FORGET:
		case FUSE_INTERRUPT:
			/* Want no reply. */
			break;
		default:
			fuse_trap_reply(fuse, unique, -EOPNOTSUPP, NULL, 0);
		}
	}
}

/* Nothing of it is seen, or left, outside of the process. */
static inline int fuse_trap_mount(const char *path)
{
	char options[100];
	int fuse, file;

	fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fuse < 0)
		return -errno;
	CHECK_EQ(0, unshare(CLONE_NEWNS));
	CHECK_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK_EQ(0, mount("trap", "/tmp", "tmpfs", 0, NULL));
	file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	CHECK(file >= 0);
	close(file);
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=100644,user_id=0,group_id=0", fuse);
	CHECK_EQ(0, mount("trap", path, "fuse", MS_NOSUID | MS_NODEV, options));
	return fuse;
}

/* The page, with an ordinary one before it. NULL where there is no FUSE. */
static inline char *fuse_trap_set(__u32 *flag)
{
	const char *path = "/tmp/trap";
	struct stat stat;
	int fuse, file;
	char *memory;

	fuse = fuse_trap_mount(path);
	if (fuse < 0)
		return NULL;
	if (!box_fork()) {
		fuse_trap_serve(fuse, flag);
		_exit(0);
	}
	/* When the server goes nobody shall have its end. */
	close(fuse);
	file = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(file >= 0);
	/* Of its root a file system knows nothing before it is asked. */
	CHECK_EQ(0, fstat(file, &stat));
	CHECK_EQ(FUSE_TRAP_PAGE, stat.st_size);
	memory = mmap(NULL, 2 * FUSE_TRAP_PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	CHECK(mmap(memory + FUSE_TRAP_PAGE, FUSE_TRAP_PAGE, PROT_READ,
		   MAP_SHARED | MAP_FIXED, file, 0) != MAP_FAILED);
	return memory + FUSE_TRAP_PAGE;
}

/*
 * As box_trap_begin(): box_hangs() and box_release() go with it. Its status is
 * KSFT_SKIP without FUSE.
 */
static inline void fuse_trap_begin(struct box_trapped *trapped,
				   long (*deed)(int fd, char *trap), int fd)
{
	char *trap;

	trapped->flag = box_shared(4096);
	trapped->result = (__s32 *)trapped->flag + 1;
	trapped->pid = box_fork();
	if (trapped->pid)
		return;
	trap = fuse_trap_set(trapped->flag);
	if (!trap)
		_exit(KSFT_SKIP);
	*trapped->result = deed(fd, trap);
	_exit(0);
}

#endif /* _FUSE_TRAP_H */
