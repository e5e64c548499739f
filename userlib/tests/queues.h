/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the tests of POSIX and System V queues share. They know of no ipcbox: they
 * are run with the kernel's own queues and with those of libipcbox-mq, and what
 * they say of the ones must be so of the others.
 */
#ifndef QUEUES_H
#define QUEUES_H

#include <errno.h>
#include <mqueue.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

/* Users other than root. */
#define ALICE	1000
#define BOB	1001

#define NAME	"/queue"
#define SIZE	16		/* of the messages of make_queue() */

/* Before each test: queues of its own, which end with it. */
void own_queues(void);

/* A call that returns -1 with this errno. */
#define fails(call, error)						\
	queue_fails(__FILE__, __LINE__, #call, (long)(call), error)
void queue_fails(const char *file, int line, const char *call, long result,
		 int expected);

/* Ends the test unless the call succeeds, and returns what it did. */
#define works(call)	queue_works(__FILE__, __LINE__, #call, (long)(call))
int queue_works(const char *file, int line, const char *call, long result);

/* NAME, opened so, with room for some messages of SIZE bytes. */
mqd_t make_queue(int flags, long messages);

/* A message that is a number, without waiting for it. */
void put(mqd_t queue, unsigned int number, unsigned int priority);
void expect_next(mqd_t queue, unsigned int number, unsigned int priority);
void expect_empty(mqd_t queue);
long count_of(mqd_t queue);

/*
 * A child that blocks in a call: between the two it does nothing else. The parent
 * waits until it does.
 */
struct blocked {
	pid_t pid;
	int *about;
};
struct blocked begin_blocked(void (*run)(void *argument), void *argument);
void about_to_block(void);
void await_blocked(const struct blocked *child);
/* One that the kernel need not tell us of: a thread. */
void await_sleeping(pid_t tid);

/* From now on this process is that user, with no rights of root's. */
void become(unsigned int user);

/* A deadline that lies so far ahead of now. */
struct timespec in_ms(long ms);
struct timespec since_epoch(time_t seconds, long nanoseconds);

/* Everybody's wall clock; turn it back, too. */
void shift_clock(int seconds);

/* A handler that counts, installed with these flags. */
extern volatile sig_atomic_t handled;
void count_signals(int signal, int flags);

/* System V: a queue for all, a message of a type and a text, and back. */
int make_msg(int mode);
void put_msg(int queue, long type, const char *text);
void expect_msg(int queue, long wanted, int flags, long type,
		const char *text);
struct msqid_ds state_of(int queue);

struct text_message {
	long type;
	char text[64];
};

#endif /* QUEUES_H */
