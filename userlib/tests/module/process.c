/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* The mailboxes of processes: who may, whom they reach, when they go. */
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

static int pidfd_of(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	require(fd >= 0);
	return fd;
}

static int try_process(struct ipcbox *box, pid_t pid, unsigned int rights)
{
	struct ipcbox_handle *handle = NULL;
	int result = ipcbox_open_process(box, pid, rights, 0, &handle);

	check((result == 0) == (handle != NULL));
	ipcbox_close(handle);
	return result;
}

static int try_pidfd(struct ipcbox *box, int pidfd)
{
	struct ipcbox_handle *handle = NULL;
	int result = ipcbox_open_pidfd(box, pidfd, SEND, 0, &handle);

	check((result == 0) == (handle != NULL));
	ipcbox_close(handle);
	return result;
}

static struct ipcbox_handle *open_process(struct ipcbox *box, pid_t pid,
					  unsigned int rights)
{
	struct ipcbox_handle *handle = NULL;

	equal(ipcbox_open_process(box, pid, rights, 0, &handle), 0);
	require(handle);
	return handle;
}

/* As fork, but that the child has a number of the caller's choice, if not 0. */
static pid_t fork_numbered(pid_t number)
{
	struct clone_args arguments = {
		.exit_signal = SIGCHLD,
		.set_tid = ipcbox_address(&number),
		.set_tid_size = 1,
	};

	if (!number)
		return fork();
	return (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
}

/* A child that has the device open; its mailbox may be asked for after this. */
static pid_t spawn_peer(void (*run)(struct ipcbox *), pid_t number)
{
	int ready[2];
	pid_t child;
	char byte;

	require(pipe(ready) == 0);
	child = fork_numbered(number);
	require(child >= 0);
	if (child == 0) {
		struct ipcbox *box = open_box();

		close(ready[0]);
		require(write(ready[1], "", 1) == 1);
		close(ready[1]);
		run(box);
		ipcbox_box_close(box);
		tap_exit();
	}
	close(ready[1]);
	equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return child;
}

static void stay(struct ipcbox *box)
{
	(void)box;
	for (;;)
		pause();
}

/* Replies to who asks, and to no other. */
static void serve_parent(struct ipcbox *box)
{
	struct ipcbox_selection selection = { .pid = getppid() };
	struct ipcbox_handle *mine = open_process(box, getpid(), RECEIVE);
	struct ipcbox_handle *parent = open_process(box, getppid(), SEND);
	struct ipcbox_incoming header;
	char text[16];

	equal(ipcbox_receive_selected(mine, &selection, text, sizeof(text),
				      &header, 0, 0), 8);
	equal(header.pid, getppid());
	equal(ipcbox_send(parent, "answer", 6, NULL), 0);
	ipcbox_close(parent);
	ipcbox_close(mine);
}

static void two_processes_talk(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *mine = open_process(box, getpid(), RECEIVE);
	pid_t child = spawn_peer(serve_parent, 0);
	struct ipcbox_handle *peer = open_process(box, child, SEND);
	struct ipcbox_incoming header;
	char text[16];

	equal(ipcbox_handle_kind(peer), IPCBOX_MAILBOX);
	check(state_of(peer).state & IPCBOX_STATE_PROCESS);
	equal(ipcbox_send(peer, "question", 8, NULL), 0);
	equal(ipcbox_receive(mine, text, sizeof(text), &header, 0, 0), 6);
	equal(header.pid, child);
	join(child);
	/* Its mailbox went with it. */
	equal(send_text(peer, "late"), -EPIPE);
	equal(try_process(box, child, SEND), -ENOENT);
	ipcbox_close(peer);
	ipcbox_close(mine);
	ipcbox_box_close(box);
}

static void a_process_has_one_mailbox(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox *again = open_box();
	struct ipcbox_handle *mine = open_process(box, getpid(), RECEIVE);
	struct ipcbox_handle *other = open_process(again, getpid(), SEND);

	check(ipcbox_handle_id(mine) == ipcbox_handle_id(other));
	equal(try_process(box, getpid(), RECEIVE), -EBUSY);
	equal(send_text(other, "self"), 0);
	/* It is there as long as one of them is open. */
	ipcbox_box_close(box);
	equal(try_process(again, getpid(), SEND), 0);
	expect_text(mine, "self");
	ipcbox_box_close(again);
	ipcbox_close(other);
	ipcbox_close(mine);
}

static void a_process_without_the_device_is_enoent(void)
{
	struct ipcbox *box = open_box();
	pid_t child = fork();

	require(child >= 0);
	/* What it inherits does not count. */
	if (child == 0)
		for (;;)
			pause();
	equal(try_process(box, child, SEND), -ENOENT);
	equal(try_process(box, 4000000, SEND), -ENOENT);
	equal(try_process(box, 0, SEND), -EINVAL);
	equal(try_process(box, -1, SEND), -EINVAL);
	equal(try_process(box, getpid(), 0), -EINVAL);
	kill_child(child);
	ipcbox_box_close(box);
}

static void call_root_in_vain(void *box)
{
	struct ipcbox_handle *handle = NULL;

	become_other_user();
	equal(try_process(box, getppid(), SEND), -EACCES);
	equal(try_process(box, getppid(), RECEIVE), -EACCES);
	equal(ipcbox_open_process(box, getppid(), MANAGE, 0, &handle), -EACCES);
}

static void call_root_as_allowed(void *box)
{
	become_other_user();
	equal(try_process(box, getppid(), SEND), 0);
	equal(try_process(box, getppid(), RECEIVE), -EACCES);
}

static void who_may_signal_may_send(void)
{
	struct ipcbox_set open_wide = {
		.mask = IPCBOX_SET_MODE, .mode = 0222,
	};
	struct ipcbox *box = open_box();
	struct ipcbox_handle *mine =
		open_process(box, getpid(), RECEIVE | MANAGE);

	join(tap_spawn(call_root_in_vain, box));
	equal(ipcbox_set(mine, &open_wide), 0);
	join(tap_spawn(call_root_as_allowed, box));
	ipcbox_close(mine);
	ipcbox_box_close(box);
}

static void a_pidfd_leads_to_its_process(void)
{
	struct ipcbox *box = open_box();
	pid_t child = spawn_peer(stay, 0);
	int pidfd = pidfd_of(child);
	struct ipcbox_handle *first = NULL, *second;

	equal(ipcbox_open_pidfd(box, pidfd, SEND, 0, &first), 0);
	require(first);
	second = open_process(box, child, SEND);
	check(ipcbox_handle_id(first) == ipcbox_handle_id(second));
	errno = ECHILD;
	equal(try_pidfd(box, -1), -EBADF);
	equal(try_pidfd(box, ipcbox_box_fd(box)), -EBADF);
	equal(try_pidfd(box, 1000), -EBADF);
	kill_child(child);
	equal(try_pidfd(box, pidfd), -ENOENT);
	equal(errno, ECHILD);
	close(pidfd);
	ipcbox_close(second);
	ipcbox_close(first);
	ipcbox_box_close(box);
}

/* In a namespace of few processes, a number can be had again at once. */
static void use_a_number_again(void *unused)
{
	struct ipcbox *box = open_box();
	pid_t first = spawn_peer(stay, 0);
	struct ipcbox_handle *handle = open_process(box, first, SEND);
	int pidfd = pidfd_of(first);
	pid_t second;

	(void)unused;
	kill_child(first);
	second = spawn_peer(stay, first);
	equal(second, first);
	/* What was opened leads to the first, and never to the second. */
	equal(send_text(handle, "for the first"), -EPIPE);
	equal(try_pidfd(box, pidfd), -ENOENT);
	equal(try_process(box, second, SEND), 0);
	kill_child(second);
	close(pidfd);
	ipcbox_close(handle);
	ipcbox_box_close(box);
}

/* The first process of the namespace, which makes /proc that of it. */
static void be_first(void)
{
	int status = EXIT_FAILURE;
	pid_t child;

	require(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	require(mount("proc", "/proc", "proc", 0, NULL) == 0);
	child = tap_spawn(use_a_number_again, NULL);
	waitpid(child, &status, 0);
	_exit(status ? EXIT_FAILURE : EXIT_SUCCESS);
}

/*
 * The leak checker can look neither at the first process of a namespace nor at
 * one whose children are in another: these end without it.
 */
static void a_number_used_again_is_another_process(void)
{
	pid_t outer, first;
	int status;

	outer = fork();
	require(outer >= 0);
	if (outer == 0) {
		require(unshare(CLONE_NEWPID | CLONE_NEWNS) == 0);
		first = fork();
		if (first == 0)
			be_first();
		waitpid(first, &status, 0);
		_exit(status ? EXIT_FAILURE : EXIT_SUCCESS);
	}
	require(waitpid(outer, &status, 0) == outer);
	equal(status, 0);
}

TAP_MAIN(own_box, TAP_TEST(two_processes_talk),
	 TAP_TEST(a_process_has_one_mailbox),
	 TAP_TEST(a_process_without_the_device_is_enoent),
	 TAP_TEST(who_may_signal_may_send),
	 TAP_TEST(a_pidfd_leads_to_its_process),
	 TAP_TEST(a_number_used_again_is_another_process))
