/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* See queues.h. */
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "queues.h"

volatile sig_atomic_t handled;

static int *about_flag;

void own_queues(void)
{
	/* The kernel keeps its queues by the one, ipcbox by the other. */
	require(unshare(CLONE_NEWIPC | CLONE_NEWNET) == 0);
	umask(0);
}

void queue_fails(const char *file, int line, const char *call, long result,
		 int expected)
{
	int seen = errno;

	if (result != -1)
		tap_fail(file, line, "%s returned %ld, not -1", call, result);
	else if (seen != expected)
		tap_fail(file, line, "%s failed with %s, not %s", call,
			 strerrorname_np(seen), strerrorname_np(expected));
}

int queue_works(const char *file, int line, const char *call, long result)
{
	if (result >= 0)
		return (int)result;
	tap_fail(file, line, "%s failed with %s", call, strerrorname_np(errno));
	tap_exit();
}

mqd_t make_queue(int flags, long messages)
{
	struct mq_attr attr = { .mq_maxmsg = messages, .mq_msgsize = SIZE };

	return works(mq_open(NAME, O_CREAT | O_EXCL | flags, 0600, &attr));
}

void put(mqd_t queue, unsigned int number, unsigned int priority)
{
	works(mq_send(queue, (const char *)&number, sizeof(number), priority));
}

void expect_next(mqd_t queue, unsigned int number, unsigned int priority)
{
	struct timespec past = { 0 };
	unsigned int seen_priority = ~priority;
	char data[8192];
	unsigned int seen;
	ssize_t length = mq_timedreceive(queue, data, sizeof(data),
					 &seen_priority, &past);

	if (length != sizeof(seen)) {
		tap_fail(__FILE__, __LINE__, "no message %u: %zd, %s", number,
			 length, strerrorname_np(errno));
		return;
	}
	memcpy(&seen, data, sizeof(seen));
	equal(seen, number);
	equal(seen_priority, priority);
}

long count_of(mqd_t queue)
{
	struct mq_attr attr = { .mq_curmsgs = -1 };

	works(mq_getattr(queue, &attr));
	return attr.mq_curmsgs;
}

void expect_empty(mqd_t queue)
{
	equal(count_of(queue), 0);
}

struct start {
	void (*run)(void *argument);
	void *argument;
};

static void run_start(void *argument)
{
	struct start *start = argument;

	start->run(start->argument);
}

struct blocked begin_blocked(void (*run)(void *argument), void *argument)
{
	struct start start = { run, argument };
	struct blocked child = {
		.about = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0),
	};

	require(child.about != MAP_FAILED);
	about_flag = child.about;
	child.pid = tap_spawn(run_start, &start);
	return child;
}

void about_to_block(void)
{
	__atomic_store_n(about_flag, 1, __ATOMIC_RELEASE);
}

static char state_of_task(pid_t tid)
{
	char path[64], line[512] = "";
	const char *end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	file = fopen(path, "re");
	if (!file)
		return 'X';
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	end = strrchr(line, ')');
	return end && end[1] ? end[2] : 'X';
}

void await_sleeping(pid_t tid)
{
	char state;

	while ((state = state_of_task(tid)) != 'S') {
		if (strchr("XZ", state)) {
			tap_fail(__FILE__, __LINE__, "it did not block");
			return;
		}
		sched_yield();
	}
}

void await_blocked(const struct blocked *child)
{
	while (!__atomic_load_n(child->about, __ATOMIC_ACQUIRE) &&
	       !strchr("XZ", state_of_task(child->pid)))
		sched_yield();
	await_sleeping(child->pid);
}

void become(unsigned int user)
{
	require(setgroups(0, NULL) == 0);
	require(setresgid(user, user, user) == 0);
	require(setresuid(user, user, user) == 0);
}

struct timespec in_ms(long ms)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	time.tv_sec += ms / 1000;
	time.tv_nsec += ms % 1000 * 1000000;
	if (time.tv_nsec >= 1000000000) {
		time.tv_nsec -= 1000000000;
		time.tv_sec++;
	}
	return time;
}

struct timespec since_epoch(time_t seconds, long nanoseconds)
{
	return (struct timespec){ .tv_sec = seconds, .tv_nsec = nanoseconds };
}

void shift_clock(int seconds)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += seconds;
	require(clock_settime(CLOCK_REALTIME, &now) == 0);
}

static void on_signal(int signal)
{
	(void)signal;
	handled++;
}

void count_signals(int signal, int flags)
{
	struct sigaction action = { .sa_flags = flags };

	action.sa_handler = on_signal;
	require(sigaction(signal, &action, NULL) == 0);
}

int make_msg(int mode)
{
	return works(msgget(IPC_PRIVATE, IPC_CREAT | mode));
}

void put_msg(int queue, long type, const char *text)
{
	struct text_message message = { .type = type };

	strcpy(message.text, text);
	works(msgsnd(queue, &message, strlen(text), IPC_NOWAIT));
}

void expect_msg(int queue, long wanted, int flags, long type, const char *text)
{
	struct text_message message = { .type = -1 };
	ssize_t length = msgrcv(queue, &message, sizeof(message.text), wanted,
				flags | IPC_NOWAIT);

	if (length != (ssize_t)strlen(text) ||
	    memcmp(message.text, text, strlen(text)))
		tap_fail(__FILE__, __LINE__, "not '%s' but %zd bytes '%.*s', %s",
			 text, length, length > 0 ? (int)length : 0,
			 message.text, strerrorname_np(errno));
	equal(message.type, type);
}

struct msqid_ds state_of(int queue)
{
	struct msqid_ds state;

	works(msgctl(queue, IPC_STAT, &state));
	return state;
}
