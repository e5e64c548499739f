/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Handles as descriptors: adopted, passed on, polled, read and written. */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"

static short poll_now(struct ipcbox_handle *handle)
{
	struct pollfd entry = {
		.fd = ipcbox_handle_fd(handle),
		.events = POLLIN | POLLOUT,
	};

	require(poll(&entry, 1, 0) >= 0);
	return entry.revents;
}

static void a_descriptor_is_adopted(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *mailbox = NULL, *adopted = NULL;
	int fd;

	equal(ipcbox_mailbox_create(box, "adopted", 0600, &mailbox), 0);
	require(mailbox);
	fd = fcntl(ipcbox_handle_fd(mailbox), F_DUPFD_CLOEXEC, 0);
	require(fd >= 0);
	equal(ipcbox_handle_from_fd(fd, &adopted), 0);
	require(adopted);
	equal(ipcbox_handle_fd(adopted), fd);
	check(ipcbox_handle_id(adopted) == ipcbox_handle_id(mailbox));
	equal(ipcbox_handle_kind(adopted), IPCBOX_MAILBOX);
	equal(ipcbox_handle_created(adopted), 0);
	/* Two descriptors, one handle. */
	equal(state_of(adopted).handles, 1);
	equal(send_text(adopted, "x"), -EACCES);
	ipcbox_close(adopted);
	equal(fcntl(fd, F_GETFD), -1);
	equal(state_of(mailbox).handles, 1);
	ipcbox_close(mailbox);
	ipcbox_box_close(box);
}

static void a_box_is_no_handle(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *handle = NULL;

	equal(ipcbox_handle_from_fd(ipcbox_box_fd(box), &handle), -ENOTTY);
	check(!handle);
	check(fcntl(ipcbox_box_fd(box), F_GETFD) >= 0);
	ipcbox_box_close(box);
}

static void send_as_other(void *argument)
{
	struct ipcbox_handle *handle = argument;

	become_other_user();
	/* The rights were checked when the handle was made. */
	equal(send_text(handle, "inherited"), 0);
}

static void a_handle_is_inherited_with_its_rights(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .mode = 0600);

	join(tap_spawn(send_as_other, queue));
	expect_text(queue, "inherited");
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void receive_and_send(void *argument)
{
	const int *ends = argument;
	struct ipcbox_handle *handle = NULL;
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;
	int fd;

	close(ends[0]);
	require(recvmsg(ends[1], &message, MSG_CMSG_CLOEXEC) == 1);
	header = CMSG_FIRSTHDR(&message);
	require(header && header->cmsg_type == SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	equal(ipcbox_handle_from_fd(fd, &handle), 0);
	require(handle);
	equal(send_text(handle, "over a socket"), 0);
	ipcbox_close(handle);
	close(ends[1]);
}

static void a_handle_travels_over_a_socket(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue;
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .bytes = { 0 } };
	struct iovec part = { .iov_base = (char[]){ "x" }, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int ends[2];
	pid_t child;
	int fd;

	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	/* Spawned first, so that the child inherits no handle. */
	child = tap_spawn(receive_and_send, ends);
	close(ends[1]);
	queue = create(box, .mode = 0600);
	fd = ipcbox_handle_fd(queue);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	require(sendmsg(ends[0], &message, 0) == 1);
	join(child);
	expect_text(queue, "over a socket");
	close(ends[0]);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void poll_tells_what_can_be_done(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .max_messages = 1);
	struct ipcbox_handle *sender = reopen(box, queue, SEND);
	struct ipcbox_handle *receiver = reopen(box, queue, RECEIVE);

	equal(poll_now(queue), POLLOUT);
	equal(poll_now(sender), POLLOUT);
	equal(poll_now(receiver), 0);
	equal(send_text(sender, "full"), 0);
	equal(poll_now(queue), POLLIN);
	equal(poll_now(sender), 0);
	equal(poll_now(receiver), POLLIN);
	expect_text(receiver, "full");
	equal(poll_now(queue), POLLOUT);
	ipcbox_close(receiver);
	ipcbox_close(sender);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void poll_tells_that_the_other_side_is_gone(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *receiver = create(box, .rights = RECEIVE);
	struct ipcbox_handle *sender = reopen(box, receiver, SEND);

	equal(poll_now(sender) & POLLHUP, 0);
	ipcbox_close(receiver);
	equal(poll_now(sender) & POLLHUP, POLLHUP);
	equal(send_text(sender, "x"), -EPIPE);
	ipcbox_close(sender);

	receiver = create(box, .rights = RECEIVE);
	sender = reopen(box, receiver, SEND);
	equal(ipcbox_unlink_id(box, ipcbox_handle_id(receiver)), 0);
	equal(poll_now(receiver) & POLLHUP, 0);
	ipcbox_close(sender);
	equal(poll_now(receiver) & POLLHUP, POLLHUP);
	ipcbox_close(receiver);
	ipcbox_box_close(box);
}

static void send_one(void *argument)
{
	equal(send_text(argument, "wake up"), 0);
}

static void epoll_wakes_for_a_message(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 42 };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	pid_t child;

	require(epoll >= 0);
	require(epoll_ctl(epoll, EPOLL_CTL_ADD, ipcbox_handle_fd(queue),
			  &event) == 0);
	equal(epoll_wait(epoll, &event, 1, 0), 0);
	child = tap_spawn(send_one, queue);
	equal(epoll_wait(epoll, &event, 1, -1), 1);
	equal(event.events, EPOLLIN);
	equal(event.data.u32, 42);
	join(child);
	expect_text(queue, "wake up");
	equal(epoll_wait(epoll, &event, 1, 0), 0);
	close(epoll);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void read_and_write_move_whole_messages(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .max_message_bytes = 8);
	int fd = ipcbox_handle_fd(queue);
	char buffer[16] = "";
	struct ipcbox_incoming header;

	equal(write(fd, "one", 3), 3);
	equal(write(fd, "second", 6), 6);
	equal(write(fd, "much too long", 13), -1);
	equal(errno, EMSGSIZE);
	equal(read(fd, buffer, 2), -1);
	equal(errno, EMSGSIZE);
	equal(read(fd, buffer, sizeof(buffer)), 3);
	check(memcmp(buffer, "one", 3) == 0);
	equal(ipcbox_receive(queue, buffer, sizeof(buffer), &header,
			     IPCBOX_NOWAIT, 0), 6);
	check(memcmp(buffer, "second", 6) == 0);
	equal(header.priority, 0);
	check(header.tag == 0);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void closing_one_descriptor_of_two_keeps_the_handle(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .name = "twice");
	int fd = fcntl(ipcbox_handle_fd(queue), F_DUPFD_CLOEXEC, 0);

	require(fd >= 0);
	ipcbox_close(queue);
	equal(try_open(box, "twice", SEND), 0);
	close(fd);
	equal(try_open(box, "twice", SEND), -ENOENT);
	ipcbox_box_close(box);
}

TAP_MAIN(own_box, TAP_TEST(a_descriptor_is_adopted),
	 TAP_TEST(a_box_is_no_handle),
	 TAP_TEST(a_handle_is_inherited_with_its_rights),
	 TAP_TEST(a_handle_travels_over_a_socket),
	 TAP_TEST(poll_tells_what_can_be_done),
	 TAP_TEST(poll_tells_that_the_other_side_is_gone),
	 TAP_TEST(epoll_wakes_for_a_message),
	 TAP_TEST(read_and_write_move_whole_messages),
	 TAP_TEST(closing_one_descriptor_of_two_keeps_the_handle))
