/* SPDX-License-Identifier: GPL-2.0 */
/* Processes that talk by their own mailboxes, as box.h has it for all. */
#ifndef _PEER_H
#define _PEER_H

#include <signal.h>
#include <sys/socket.h>

#include "box.h"

/*
 * Another process and the line to it, one byte a word. A process that has ended
 * says 0.
 */
struct peer {
	pid_t pid;
	int line;
};

static inline bool tell(const struct peer *peer, char word)
{
	return send(peer->line, &word, 1, MSG_NOSIGNAL) == 1;
}

static inline char hear(const struct peer *peer)
{
	char word;

	return read(peer->line, &word, 1) == 1 ? word : 0;
}

/* In the child, pid is 0 and the line leads to the parent. */
static inline struct peer connected(pid_t (*make)(pid_t wanted), pid_t wanted)
{
	struct peer peer = { .pid = -1, .line = -1 };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return peer;
	peer.pid = make(wanted);
	peer.line = pair[peer.pid ? 0 : 1];
	close(pair[peer.pid ? 1 : 0]);
	return peer;
}

static inline pid_t any(pid_t wanted)
{
	return box_fork();
}

static inline struct peer fork_peer(void)
{
	return connected(any, 0);
}

/* For the child: what the parent says next must be this. */
static inline void await_word(const struct peer *peer, char word)
{
	CHECK_EQ(word, hear(peer));
}

static inline int end(struct peer *peer)
{
	/* Later children have it too. */
	shutdown(peer->line, SHUT_WR);
	close(peer->line);
	return box_wait(peer->pid);
}

static inline int end_by_kill(struct peer *peer)
{
	kill(peer->pid, SIGKILL);
	return end(peer);
}

static inline int open_process(int dev, __u64 pid, __u32 rights)
{
	struct ipcbox_open open = {
		.by = IPCBOX_BY_PROCESS,
		.rights = rights,
		.object = pid,
	};
	int fd = box_open(dev, &open);

	if (fd >= 0 && (open.kind != IPCBOX_MAILBOX || open.id != box_id(fd)))
		return -EBADMSG;
	return fd;
}

/* Only whether one would get them. */
static inline int may(int dev, __u64 pid, __u32 rights)
{
	int fd = open_process(dev, pid, rights);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static inline int get_from(int fd, pid_t pid, __u32 *number, __u32 flags)
{
	struct ipcbox_receive receive = {
		.flags = IPCBOX_SELECT_PID | flags,
		.pid = pid,
		.deadline = IPCBOX_FOREVER,
	};
	struct ipcbox_incoming in = {
		.data = (uintptr_t)number,
		.capacity = sizeof(*number),
	};
	int ret = box_select(fd, &receive, &in, 1);

	return ret == 1 && in.pid != pid ? -EBADMSG : ret;
}

#endif /* _PEER_H */
