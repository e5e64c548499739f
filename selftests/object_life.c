// SPDX-License-Identifier: GPL-2.0
/*
 * An object lives as long as a handle on it or, when persistent, until UNLINK;
 * its id is never used again; its name is free when it is gone; and a call that
 * fails leaves nothing behind.
 */
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "kselftest_harness.h"
#include "box.h"

FIXTURE(life)
{
	int dev;
	char name[BOX_NAME_SIZE];
};

FIXTURE_SETUP(life)
{
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	box_name(self->name, "life");
}

FIXTURE_TEARDOWN(life)
{
	box_unlink_name(self->dev, self->name);
	close(self->dev);
}

static __u64 objects(int dev)
{
	struct ipcbox_info info;

	return box_info(dev, &info) ? -1 : info.box_objects_used;
}

TEST_F(life, ids_count_up_and_are_never_reused)
{
	__u64 last = 0, before = objects(self->dev);
	struct ipcbox_create create;
	int i, fd;

	for (i = 0; i < 50; i++) {
		create = (struct ipcbox_create) {
			.kind = 1 + i % 2,
			.rights = R,
		};
		fd = box_create(self->dev, &create);
		ASSERT_LE(0, fd);
		EXPECT_LT(last, create.id);
		EXPECT_EQ(1, create.created);
		EXPECT_EQ(create.id, box_id(fd));
		EXPECT_EQ(before + 1, objects(self->dev));
		close(fd);
		EXPECT_EQ(-ENOENT, box_open_id(self->dev, create.id, R));
		last = create.id;
	}
	EXPECT_EQ(before, objects(self->dev));
}

TEST_F(life, names_have_the_bytes_that_are_allowed)
{
	struct ipcbox_create create;
	struct ipcbox_stat stat;
	char name[3] = "x?y";
	int byte, fd;
	bool good;

	for (byte = 0; byte < 256; byte++) {
		name[1] = byte;
		good = byte >= '!' && byte <= '~' && byte != '/';
		create = (struct ipcbox_create) {
			.kind = IPCBOX_QUEUE,
			.rights = R,
			.name = (uintptr_t)name,
			.name_length = sizeof(name),
		};
		fd = box_create(self->dev, &create);
		if (!good) {
			EXPECT_EQ(-EINVAL, fd)
				TH_LOG("byte %#x", byte);
			continue;
		}
		EXPECT_LE(0, fd)
			TH_LOG("byte %#x", byte);
		EXPECT_EQ(0, box_stat(fd, &stat));
		EXPECT_EQ(sizeof(name), stat.name_length);
		EXPECT_EQ(0, memcmp(name, stat.name, sizeof(name)));
		EXPECT_EQ(0, stat.name[sizeof(name)]);
		close(fd);
	}
}

TEST_F(life, names_have_1_to_63_bytes)
{
	char name[100];
	struct ipcbox_create create;
	struct ipcbox_stat stat;
	unsigned int length;
	int fd;

	memset(name, 'n', sizeof(name));
	for (length = 1; length < sizeof(name); length++) {
		create = (struct ipcbox_create) {
			.kind = IPCBOX_MAILBOX,
			.rights = W,
			.name = (uintptr_t)name,
			.name_length = length,
		};
		fd = box_create(self->dev, &create);
		if (length > IPCBOX_NAME_MAX) {
			EXPECT_EQ(-EINVAL, fd)
				TH_LOG("length %u", length);
			continue;
		}
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, box_stat(fd, &stat));
		EXPECT_EQ(length, stat.name_length);
		EXPECT_EQ(length, strnlen((char *)stat.name,
					  sizeof(stat.name)));
		close(fd);
	}
	/* One of the same beginning is another. */
	name[20] = 0;
	fd = box_make_named(self->dev, IPCBOX_QUEUE, R, 0, name);
	ASSERT_LE(0, fd);
	name[19] = 0;
	EXPECT_EQ(-ENOENT, box_open_name(self->dev, name, R));
	close(fd);
}

TEST_F(life, an_unnamed_object_is_found_by_id_only)
{
	struct ipcbox_stat stat, zero = { };
	int fd, again;

	fd = box_make(self->dev, IPCBOX_QUEUE, R);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, box_stat(fd, &stat));
	EXPECT_EQ(0, stat.name_length);
	EXPECT_EQ(0, memcmp(stat.name, zero.name, sizeof(zero.name)));
	again = box_open_id(self->dev, stat.id, R | W);
	EXPECT_LE(0, again);
	EXPECT_EQ(stat.id, box_id(again));
	close(fd);
	/* The second handle keeps it. */
	fd = box_open_id(self->dev, stat.id, W);
	EXPECT_LE(0, fd);
	close(fd);
	close(again);
	EXPECT_EQ(-ENOENT, box_open_id(self->dev, stat.id, W));
}

TEST_F(life, create_opens_what_exists)
{
	struct ipcbox_create create = {
		.kind = IPCBOX_QUEUE,
		.mode = 0600,
		.rights = RWM,
		.name = (uintptr_t)self->name,
		.name_length = strlen(self->name),
		.max_messages = 7,
		.max_bytes = 700,
		.max_message_bytes = 70,
	};
	struct ipcbox_stat first, second;
	__u64 id;
	int fd, again;

	fd = box_create(self->dev, &create);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, create.created);
	id = create.id;

	create.rights = W;
	create.mode = 0666;
	create.max_messages = 9;
	create.max_bytes = 900;
	create.max_message_bytes = 90;
	again = box_create(self->dev, &create);
	ASSERT_LE(0, again);
	EXPECT_EQ(0, create.created);
	EXPECT_EQ(id, create.id);
	EXPECT_EQ(0, box_stat(fd, &first));
	EXPECT_EQ(0, box_stat(again, &second));
	EXPECT_EQ(0, memcmp(&first, &second, sizeof(first)));
	EXPECT_EQ(7, first.max_messages);
	EXPECT_EQ(700, first.max_bytes);
	EXPECT_EQ(70, first.max_message_bytes);
	EXPECT_EQ(0600, first.mode);
	EXPECT_EQ(2, first.handles);
	EXPECT_EQ(2, first.send_handles);
	EXPECT_EQ(1, first.receive_handles);
	/* The handle has what was asked for, not more. */
	EXPECT_EQ(-EACCES, box_set_max_messages(again, 9));
	close(again);
	close(fd);
}

TEST_F(life, exclusive_create_fails_if_the_name_exists)
{
	struct box_snapshot before;
	int fd;

	fd = box_make_named(self->dev, IPCBOX_QUEUE, R, 0, self->name);
	ASSERT_LE(0, fd);
	box_snapshot(self->dev, fd, &before);
	EXPECT_EQ(-EEXIST, box_make_named(self->dev, IPCBOX_QUEUE, R,
					  IPCBOX_CREATE_EXCLUSIVE,
					  self->name));
	EXPECT_TRUE(box_unchanged(self->dev, fd, &before));
	close(fd);
	fd = box_make_named(self->dev, IPCBOX_QUEUE, R,
			    IPCBOX_CREATE_EXCLUSIVE, self->name);
	EXPECT_LE(0, fd);
	close(fd);
}

TEST_F(life, another_kind_of_the_name_is_eexist)
{
	struct box_snapshot before;
	int fd;

	fd = box_make_named(self->dev, IPCBOX_QUEUE, R, 0, self->name);
	ASSERT_LE(0, fd);
	box_snapshot(self->dev, fd, &before);
	EXPECT_EQ(-EEXIST, box_make_named(self->dev, IPCBOX_MAILBOX, R, 0,
					  self->name));
	EXPECT_TRUE(box_unchanged(self->dev, fd, &before));
	close(fd);
}

TEST_F(life, the_last_close_frees_the_name)
{
	__u64 before = objects(self->dev), id;
	int fd, second;

	fd = box_make_named(self->dev, IPCBOX_QUEUE, RWM, 0, self->name);
	ASSERT_LE(0, fd);
	id = box_id(fd);
	second = box_open_name(self->dev, self->name, W);
	ASSERT_LE(0, second);
	EXPECT_EQ(1, box_put(second, 5));
	close(fd);
	EXPECT_EQ(id, box_id(second));
	close(second);
	EXPECT_EQ(before, objects(self->dev));
	EXPECT_EQ(-ENOENT, box_open_name(self->dev, self->name, R));
	EXPECT_EQ(-ENOENT, box_unlink_name(self->dev, self->name));

	/* The next of the name is another, with nothing in it. */
	fd = box_make_named(self->dev, IPCBOX_MAILBOX, R,
			    IPCBOX_CREATE_EXCLUSIVE, self->name);
	ASSERT_LE(0, fd);
	EXPECT_LT(id, box_id(fd));
	EXPECT_EQ(-EAGAIN, box_get(fd, &(__u32){ 0 }));
	close(fd);
}

TEST_F(life, a_persistent_object_lives_until_unlink)
{
	struct ipcbox_info before, after;
	struct ipcbox_stat stat;
	__u32 number;
	__u64 id;
	int fd;

	ASSERT_EQ(0, box_info(self->dev, &before));
	fd = box_make_named(self->dev, IPCBOX_QUEUE, RWM,
			    IPCBOX_CREATE_PERSISTENT, self->name);
	ASSERT_LE(0, fd);
	id = box_id(fd);
	for (number = 0; number < 3; number++) {
		EXPECT_EQ(1, box_put(fd, number));
	}
	close(fd);

	fd = box_open_id(self->dev, id, R);
	ASSERT_LE(0, fd);
	close(fd);
	fd = box_open_name(self->dev, self->name, R);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, box_stat(fd, &stat));
	EXPECT_EQ(IPCBOX_STATE_PERSISTENT, stat.state);
	EXPECT_EQ(3, stat.messages);
	EXPECT_EQ(12, stat.bytes);
	EXPECT_EQ(3, stat.sent);
	EXPECT_EQ(1, stat.handles);
	EXPECT_EQ(1, box_get(fd, &number));
	EXPECT_EQ(0, number);
	close(fd);

	EXPECT_EQ(0, box_unlink_name(self->dev, self->name));
	EXPECT_EQ(-ENOENT, box_open_id(self->dev, id, R));
	ASSERT_EQ(0, box_info(self->dev, &after));
	EXPECT_EQ(before.box_objects_used, after.box_objects_used);
	EXPECT_EQ(before.user_objects_used, after.user_objects_used);
	EXPECT_EQ(before.user_bytes_used, after.user_bytes_used);
	EXPECT_EQ(before.discarded + 2, after.discarded);
}

TEST_F(life, an_unlinked_object_goes_with_its_last_handle)
{
	struct ipcbox_info before, after;
	struct ipcbox_stat stat;
	__u32 number;
	__u64 id;
	int fd, other;

	ASSERT_EQ(0, box_info(self->dev, &before));
	fd = box_make_named(self->dev, IPCBOX_QUEUE, RWM,
			    IPCBOX_CREATE_PERSISTENT, self->name);
	ASSERT_LE(0, fd);
	id = box_id(fd);
	EXPECT_EQ(1, box_put(fd, 1));
	EXPECT_EQ(0, box_unlink_id(self->dev, id));

	/* It is found no more. */
	EXPECT_EQ(-ENOENT, box_unlink_id(self->dev, id));
	EXPECT_EQ(-ENOENT, box_unlink_name(self->dev, self->name));
	EXPECT_EQ(-ENOENT, box_open_id(self->dev, id, R));
	EXPECT_EQ(-ENOENT, box_open_name(self->dev, self->name, R));
	EXPECT_EQ(0, box_stat(fd, &stat));
	EXPECT_EQ(IPCBOX_STATE_PERSISTENT | IPCBOX_STATE_UNLINKED, stat.state);
	EXPECT_EQ(id, stat.id);

	/* The name is free, and the old one works on. */
	other = box_make_named(self->dev, IPCBOX_QUEUE, RWM,
			       IPCBOX_CREATE_EXCLUSIVE, self->name);
	ASSERT_LE(0, other);
	EXPECT_LT(id, box_id(other));
	EXPECT_EQ(1, box_put(fd, 2));
	EXPECT_EQ(-EAGAIN, box_get(other, &number));
	EXPECT_EQ(1, box_get(fd, &number));
	EXPECT_EQ(1, number);
	close(fd);

	/* Its end took nothing from the new one of its name. */
	EXPECT_EQ(box_id(other), ({
		int again = box_open_name(self->dev, self->name, R);
		__u64 found = box_id(again);

		close(again);
		found;
	}));
	close(other);
	ASSERT_EQ(0, box_info(self->dev, &after));
	EXPECT_EQ(before.discarded + 1, after.discarded);
	EXPECT_EQ(before.box_objects_used, after.box_objects_used);
	EXPECT_EQ(before.user_bytes_used, after.user_bytes_used);
}

TEST_F(life, a_child_that_inherited_the_handle_keeps_it)
{
	__u32 *flag = box_shared(4096);
	pid_t child;
	int fd, again;

	fd = box_make_named(self->dev, IPCBOX_QUEUE, R | W, 0, self->name);
	ASSERT_LE(0, fd);
	child = box_fork();
	if (!child) {
		box_await_flag(flag, 1);
		CHECK_EQ(1, box_put(fd, 9));
		_exit(0);
	}
	close(fd);
	again = box_open_name(self->dev, self->name, R);
	EXPECT_LE(0, again);
	close(again);
	__atomic_store_n(flag, 1, __ATOMIC_RELEASE);
	EXPECT_EQ(0, box_wait(child));
	EXPECT_EQ(-ENOENT, box_open_name(self->dev, self->name, R));
}

static int pass(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { };
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(socket, &msg, 0) == 1 ? 0 : -errno;
}

static int take(int socket)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	if (recvmsg(socket, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		return -EBADMSG;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

TEST_F(life, a_handle_passed_over_a_socket_keeps_its_rights)
{
	struct ipcbox_stat stat;
	int socket[2], fd, again;
	__u32 number;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socket));
	fd = box_make_named(self->dev, IPCBOX_QUEUE, RWM, 0, self->name);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, box_put(fd, 3));
	again = box_open_name(self->dev, self->name, R);
	ASSERT_LE(0, again);
	close(fd);
	EXPECT_EQ(0, pass(socket[0], again));
	close(again);

	/* While it is on its way the object lives. */
	fd = box_open_name(self->dev, self->name, W);
	EXPECT_LE(0, fd);
	close(fd);

	fd = take(socket[1]);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, box_stat(fd, &stat));
	EXPECT_EQ(1, stat.handles);
	EXPECT_EQ(-EACCES, box_put(fd, 1));
	EXPECT_EQ(-EACCES, box_set_max_messages(fd, 1));
	EXPECT_EQ(1, box_get(fd, &number));
	EXPECT_EQ(3, number);

	/* On its way in a socket that is closed it is closed. */
	EXPECT_EQ(0, pass(socket[0], fd));
	close(fd);
	close(socket[0]);
	close(socket[1]);
	EXPECT_EQ(-ENOENT, box_open_name(self->dev, self->name, R));
}

TEST_F(life, handles_are_closed_on_exec)
{
	int fd, again;

	fd = box_make_named(self->dev, IPCBOX_QUEUE, R, 0, self->name);
	again = box_open_name(self->dev, self->name, R);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(again, F_GETFD));
	close(fd);
	close(again);
}

TEST_F(life, the_nonblock_flag_is_the_files)
{
	struct ipcbox_create create = {
		.flags = IPCBOX_CREATE_NONBLOCK,
		.kind = IPCBOX_QUEUE,
		.mode = 0600,
		.rights = R | W,
		.name = (uintptr_t)self->name,
		.name_length = strlen(self->name),
	};
	struct ipcbox_open open = {
		.flags = IPCBOX_OPEN_NONBLOCK,
		.by = IPCBOX_BY_NAME,
		.rights = R | W,
		.name = (uintptr_t)self->name,
		.name_length = strlen(self->name),
	};
	int fd, again, plain;

	fd = box_create(self->dev, &create);
	again = box_open(self->dev, &open);
	plain = box_open_name(self->dev, self->name, R | W);
	ASSERT_LE(0, fd);
	ASSERT_LE(0, again);
	ASSERT_LE(0, plain);
	EXPECT_EQ(O_NONBLOCK, fcntl(fd, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(O_NONBLOCK, fcntl(again, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(0, fcntl(plain, F_GETFL) & O_NONBLOCK);
	/* Without IPCBOX_NOWAIT, and for ever: these would hang. */
	EXPECT_EQ(-EAGAIN, box_get_wait(fd, &(__u32){ 0 }));
	EXPECT_EQ(-EAGAIN, box_get_wait(again, &(__u32){ 0 }));
	EXPECT_EQ(0, fcntl(plain, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, box_get_wait(plain, &(__u32){ 0 }));
	close(fd);
	close(again);
	close(plain);
}

/* A mailbox without its receive handle, so that one left behind would show. */
FIXTURE(failing)
{
	int dev;
	int fd;
	char name[BOX_NAME_SIZE];
	char fresh[BOX_NAME_SIZE];
	struct box_snapshot before;
};

FIXTURE_SETUP(failing)
{
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	box_name(self->name, "failing");
	box_name(self->fresh, "fresh");
	self->fd = box_make_named(self->dev, IPCBOX_MAILBOX, W | M, 0,
				  self->name);
	ASSERT_LE(0, self->fd);
	box_snapshot(self->dev, self->fd, &self->before);
}

FIXTURE_TEARDOWN(failing)
{
	int fd;

	EXPECT_TRUE(box_unchanged(self->dev, self->fd, &self->before));
	EXPECT_EQ(-ENOENT, box_open_name(self->dev, self->fresh, R));
	EXPECT_EQ(-ENOENT, box_unlink_name(self->dev, self->fresh));
	/* The place of the one receive handle is free. */
	fd = box_open_name(self->dev, self->name, R);
	EXPECT_LE(0, fd);
	close(fd);
	close(self->fd);
	close(self->dev);
}

TEST_F(failing, no_descriptor_left_is_emfile)
{
	struct rlimit limit, old;
	int i;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	limit = old;
	/* The lowest descriptor that is free is the first that is not allowed. */
	limit.rlim_cur = dup(self->dev);
	close(limit.rlim_cur);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(-EMFILE, box_make_named(self->dev, IPCBOX_MAILBOX,
						  R, 0, self->fresh));
		EXPECT_EQ(-EMFILE, box_make_named(self->dev, IPCBOX_MAILBOX, R,
						  IPCBOX_CREATE_PERSISTENT,
						  self->fresh));
		EXPECT_EQ(-EMFILE, box_make(self->dev, IPCBOX_QUEUE, R));
		EXPECT_EQ(-EMFILE, box_open_name(self->dev, self->name, R));
		EXPECT_EQ(-EMFILE, box_make_named(self->dev, IPCBOX_MAILBOX, R,
						  0, self->name));
	}
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
}

/* The structure in a page that can be read, so that all is done but the end. */
TEST_F(failing, a_result_that_cannot_be_written_is_efault)
{
	long page = sysconf(_SC_PAGESIZE);
	union {
		struct ipcbox_create create;
		struct ipcbox_open open;
	} *request;
	unsigned int flags;

	request = mmap(NULL, page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(request != MAP_FAILED);
	for (flags = 0; flags <= IPCBOX_CREATE_PERSISTENT; flags++) {
		ASSERT_EQ(0, mprotect(request, page, PROT_READ | PROT_WRITE));
		request->create = (struct ipcbox_create) {
			.size = sizeof(request->create),
			.flags = flags,
			.kind = IPCBOX_MAILBOX,
			.mode = 0600,
			.rights = R,
			.name = (uintptr_t)self->fresh,
			.name_length = strlen(self->fresh),
		};
		ASSERT_EQ(0, mprotect(request, page, PROT_READ));
		EXPECT_EQ(-1, ioctl(self->dev, IPCBOX_IOC_CREATE, request));
		EXPECT_EQ(EFAULT, errno)
			TH_LOG("flags %#x", flags);
	}

	/* One that exists, through CREATE and through OPEN. */
	ASSERT_EQ(0, mprotect(request, page, PROT_READ | PROT_WRITE));
	request->create.flags = 0;
	request->create.name = (uintptr_t)self->name;
	request->create.name_length = strlen(self->name);
	ASSERT_EQ(0, mprotect(request, page, PROT_READ));
	EXPECT_EQ(-1, ioctl(self->dev, IPCBOX_IOC_CREATE, request));
	EXPECT_EQ(EFAULT, errno);

	ASSERT_EQ(0, mprotect(request, page, PROT_READ | PROT_WRITE));
	request->open = (struct ipcbox_open) {
		.size = sizeof(request->open),
		.by = IPCBOX_BY_NAME,
		.rights = R,
		.name = (uintptr_t)self->name,
		.name_length = strlen(self->name),
	};
	ASSERT_EQ(0, mprotect(request, page, PROT_READ));
	EXPECT_EQ(-1, ioctl(self->dev, IPCBOX_IOC_OPEN, request));
	EXPECT_EQ(EFAULT, errno);
	munmap(request, page);
}

TEST_F(failing, a_refused_create_leaves_nothing)
{
	struct ipcbox_create create = {
		.kind = IPCBOX_MAILBOX,
		.rights = R,
		.name = (uintptr_t)self->fresh,
		.name_length = strlen(self->fresh),
		.max_bytes = 10,
		.max_message_bytes = 11,
	};

	EXPECT_EQ(-EINVAL, box_create(self->dev, &create));
	create.flags = IPCBOX_CREATE_PERSISTENT;
	EXPECT_EQ(-EINVAL, box_create(self->dev, &create));
	create.max_message_bytes = 0;
	create.mode = 01777;
	EXPECT_EQ(-EINVAL, box_create(self->dev, &create));
}

#define LISTED	13

/* LIST by pages of each size shows every object once, in the order of ids. */
TEST_F(life, list_shows_each_object_once_in_order)
{
	struct ipcbox_stat entries[LISTED + 1], stat;
	unsigned int page, seen, i;
	struct ipcbox_list list;
	int fd[LISTED], fresh;
	__u64 first, last;

	for (i = 0; i < LISTED; i++) {
		fd[i] = box_make(self->dev, 1 + i % 2, R | W);
		ASSERT_LE(0, fd[i]);
	}
	EXPECT_EQ(1, box_put(fd[3], 1));
	first = box_id(fd[0]);
	last = box_id(fd[LISTED - 1]);
	for (page = 1; page <= LISTED + 1; page++) {
		list = (struct ipcbox_list) {
			.cursor = first - 1,
			.entries = (uintptr_t)entries,
			.entry_size = sizeof(entries[0]),
			.count = page,
		};
		for (seen = 0; seen <= LISTED;) {
			memset(entries, 0xee, sizeof(entries));
			ASSERT_EQ(0, box_list(self->dev, &list));
			ASSERT_LE(list.returned, page);
			if (!list.returned)
				break;
			for (i = 0; i < list.returned && seen < LISTED; i++) {
				ASSERT_EQ(0, box_stat(fd[seen], &stat));
				EXPECT_EQ(stat.id, entries[i].id);
				EXPECT_EQ(stat.kind, entries[i].kind);
				EXPECT_EQ(stat.messages, entries[i].messages);
				EXPECT_EQ(stat.handles, entries[i].handles);
				seen++;
			}
			EXPECT_EQ(list.returned, i);
			EXPECT_LT(list.cursor, list.next);
			list.cursor = list.next;
		}
		EXPECT_EQ(LISTED, seen)
			TH_LOG("pages of %u", page);
	}
	EXPECT_EQ(LISTED, last - first + 1);

	/* What goes between two pages is missed, and nothing else. */
	list.cursor = first - 1;
	list.count = 1;
	ASSERT_EQ(0, box_list(self->dev, &list));
	EXPECT_EQ(1, list.returned);
	EXPECT_EQ(first, entries[0].id);
	close(fd[1]);
	close(fd[0]);
	list.cursor = list.next;
	ASSERT_EQ(0, box_list(self->dev, &list));
	EXPECT_EQ(1, list.returned);
	EXPECT_EQ(box_id(fd[2]), entries[0].id);

	/* What comes at the end is seen. */
	list.cursor = last;
	ASSERT_EQ(0, box_list(self->dev, &list));
	EXPECT_EQ(0, list.returned);
	fresh = box_make(self->dev, IPCBOX_QUEUE, R);
	list.cursor = last;
	ASSERT_EQ(0, box_list(self->dev, &list));
	EXPECT_EQ(1, list.returned);
	EXPECT_EQ(box_id(fresh), entries[0].id);
	close(fresh);
	for (i = 2; i < LISTED; i++)
		close(fd[i]);
}

TEST_HARNESS_MAIN
