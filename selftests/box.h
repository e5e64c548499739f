/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the selftests of ipcbox share: one function for each operation, waiting
 * for a state that STAT shows, and children whose end is checked.
 *
 * Functions that make a system call return what it returned, or minus errno.
 */
#ifndef _BOX_H
#define _BOX_H

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <sys/types.h>

#include <linux/ipcbox.h>

#define BOX_DEVICE	"/dev/ipcbox"

/* Rights by a letter each, as they are asked for again and again. */
#define R		IPCBOX_RIGHT_RECEIVE
#define W		IPCBOX_RIGHT_SEND
#define M		IPCBOX_RIGHT_MANAGE
#define RWM		(R | W | M)
#define L		IPCBOX_RIGHT_LOOK

/*
 * The harness gives a test 30 seconds. That is too short for a kernel with
 * every check in it that runs under emulation.
 */
#ifdef TEST_TIMEOUT_DEFAULT
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	150
#endif

/* A name of the test's own, so that runs side by side do not meet. */
#define BOX_NAME_SIZE		(IPCBOX_NAME_MAX + 1)
const char *box_name(char *name, const char *what);

/* The device and what it does. */
int box_device(void);
int box_info(int dev, struct ipcbox_info *info);
int box_create(int dev, struct ipcbox_create *create);
int box_open(int dev, struct ipcbox_open *open);
int box_list(int dev, struct ipcbox_list *list);

int box_make(int dev, __u32 kind, __u32 rights);
int box_make_sized(int dev, __u32 kind, __u32 rights, __u64 messages,
		   __u64 bytes, __u64 message_bytes);
int box_make_named(int dev, __u32 kind, __u32 rights, __u32 flags,
		   const char *name);
int box_open_name(int dev, const char *name, __u32 rights);
int box_open_id(int dev, __u64 id, __u32 rights);
int box_unlink_name(int dev, const char *name);
int box_unlink_id(int dev, __u64 id);

/* What a handle does. */
int box_stat(int fd, struct ipcbox_stat *stat);
int box_set(int fd, struct ipcbox_set *set);
int box_set_max_messages(int fd, __u64 messages);
int box_set_mode(int fd, __u32 mode);
__u64 box_id(int fd);

int box_send_many(int fd, struct ipcbox_outgoing *messages, __u32 count,
		  __u32 flags, __u64 deadline);
int box_receive_many(int fd, struct ipcbox_incoming *messages, __u32 count,
		     __u32 flags, __u64 deadline);
int box_send(int fd, const void *data, __u32 length, __u32 priority,
	     __u64 tag, __u32 flags, __u64 deadline);
int box_receive(int fd, struct ipcbox_incoming *in, void *data,
		__u32 capacity, __u32 flags, __u64 deadline);

/* Without waiting: a message that is a number, of priority 0, and back. */
int box_put(int fd, __u32 number);
int box_put_priority(int fd, __u32 number, __u32 priority);
int box_get(int fd, __u32 *number);
/* The same, waiting for ever. */
int box_put_wait(int fd, __u32 number);
/* A child that does so, and ends with 0. */
pid_t box_fork_sender(int fd, __u32 number);
int box_get_wait(int fd, __u32 *number);

/* Received with a token, without waiting; and what becomes of it. */
int box_hold(int fd, struct ipcbox_incoming *in, __u32 *number);
int box_settle(int fd, __u64 token, __u32 action);
int box_reply(int fd, __u64 token, const void *data, __u32 length, __u64 tag);
int box_answer(int fd, struct ipcbox_answer *answer);
int box_call(int fd, struct ipcbox_outgoing *out, struct ipcbox_incoming *in,
	     __u32 flags, __u64 deadline);
/* A number as request and reply; waits for ever. */
int box_ask(int fd, __u32 request, __u32 *reply);
/* Waits until it is taken. */
int box_put_sync(int fd, __u32 number, __u64 deadline);
int box_put_living(int fd, __u32 number, __u64 lifetime);
int box_select(int fd, struct ipcbox_receive *receive,
	       struct ipcbox_incoming *in, __u32 count);
int box_set_dead_letter(int fd, __u64 id, __u32 max_deliveries);

/* Time. */
__u64 box_now(void);
__u64 box_in_ms(unsigned int ms);

/*
 * Wait until the object shows this many. They return 0 when it does, -ECHILD
 * when a child has failed; a state that never comes is ended by the time limit of
 * the test.
 */
int box_await_senders(int fd, __u32 waiting);
int box_await_receivers(int fd, __u32 waiting);
int box_await_messages(int fd, __u64 messages);
int box_await_handles(int fd, __u32 handles);
int box_await_held(int fd, __u64 held);
int box_await_sent(int fd, __u64 sent);
int box_await_expired(int fd, __u64 expired);
void box_await_flag(const __u32 *flag, __u32 value);

/*
 * Wait until a process, or a thread by its number, sleeps in this system call:
 * for calls that no object counts, as poll(2). Returns 0; -ECHILD when it, or
 * another child, has ended instead.
 */
int box_await_asleep(pid_t pid, long call);

short box_poll(int fd);

/* Children. They die with their parent, and end with box_exit or CHECK. */
pid_t box_fork(void);
int box_wait(pid_t pid);
/* False as soon as box_wait would not wait. */
bool box_is_running(pid_t pid);
int box_become(uid_t uid, gid_t gid);
void *box_shared(size_t size);

#define BOX_KILLED(sig)		(256 + (sig))

void box_check_true(bool good, const char *file, int line, const char *what);
void box_check_equal(long long expected, long long seen, const char *file,
		     int line, const char *what);

/* For children: says what was not so, and ends the child. */
#define CHECK(condition) \
	box_check_true(condition, __FILE__, __LINE__, #condition)
#define CHECK_EQ(expected, seen) \
	box_check_equal(expected, seen, __FILE__, __LINE__, \
			#seen " is not " #expected)

/* What a refused call must leave as it was. */
struct box_snapshot {
	struct ipcbox_stat stat;
	struct ipcbox_info info;
	int descriptors;
};

void box_snapshot(int dev, int fd, struct box_snapshot *snapshot);
bool box_unchanged(int dev, int fd, const struct box_snapshot *before);
int box_descriptors(void);

/* Bytes that are known from a seed. */
void box_fill(void *data, size_t length, __u64 seed);
bool box_filled(const void *data, size_t length, __u64 seed);
__u64 box_random(__u64 *state);

/* Two pages: @length bytes up to the end of the first; the second is not. */
void *box_edge(size_t length);

/* Every message that was accepted is somewhere. */
bool box_adds_up(int fd);

/*
 * A process of two threads. One does @deed with a page whose first use stops the
 * user, as it is under userfaultfd(2), and hangs; the other watches. The page
 * before it is an ordinary one.
 */
struct box_trapped {
	pid_t pid;
	__u32 *flag;
	__s32 *result;		/* what the deed returned in the end */
};

/* What the flag says: that it hangs, and how box_release ends it. */
#define BOX_HANGS	1
#define BOX_TAKE_AWAY	2	/* the memory goes: the copy fails */
#define BOX_HEAL	3	/* the memory comes: the copy goes on */

/* Its status is KSFT_SKIP without userfaultfd for faults of the kernel. */
void box_trap_begin(struct box_trapped *trapped,
		    long (*deed)(int fd, char *trap), int fd);
bool box_hangs(const struct box_trapped *trapped);
/* 0 when it hangs; its status when it ends instead. */
int box_trap(struct box_trapped *trapped, long (*deed)(int fd, char *trap),
	     int fd);
void box_release(struct box_trapped *trapped, __u32 how);

/* A limit under /sys/module/ipcbox/parameters. */
int box_parameter_get(const char *name, __u64 *value);
int box_parameter_set(const char *name, __u64 value);
/* Has a pipe hold the page of @memory for a moment: 0 or minus errno. */
int box_pin(const void *memory);
int box_write_file(const char *path, const char *text);

/* How often the module is in use, or -1 where nothing tells. */
int box_references(void);

#endif /* _BOX_H */
