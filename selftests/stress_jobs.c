// SPDX-License-Identifier: GPL-2.0
/*
 * A queue of jobs, and workers that hold a job, do it and acknowledge it, and are
 * killed at random: every job is done, and done again only where the queue says
 * that it was delivered before.
 *
 *	stress_jobs [jobs [workers [seed]]]
 *
 * How the supervisor knows. A worker lets RECEIVE write into shared memory, and
 * notes there that this delivery of this job was begun; for one that was killed
 * in between the supervisor notes it, as a header that is there says that the
 * worker had the job. Then each job was begun at each of its deliveries, from the
 * first to the one that was acknowledged, and at no other: the repeats are the
 * deliveries that were reported.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>

#include "kselftest.h"
#include "box.h"

#define WORKERS_MAX	64
#define STALLED_MS	180000

struct job {
	__u64 begun;		/* a bit for each delivery */
	__u32 reported;		/* deliveries, at the last */
	__u32 acknowledged;	/* a worker was told so */
};

struct worker {
	pid_t pid;
	struct ipcbox_incoming in;
	__u32 number;		/* of the job */
};

static struct {
	int dev;
	int fd;			/* to manage */
	__u64 id;
	__u64 jobs, seed;
	unsigned int workers;
	struct worker *worker;
	struct job *job;
	unsigned long kills, at_work;
	bool failed;
} s;

#define COMPLAIN(fmt, ...) do { \
	printf("# " fmt "\n", ##__VA_ARGS__); \
	s.failed = true; \
} while (0)

static void note(const struct worker *worker)
{
	struct job *job = &s.job[worker->number];
	__u32 deliveries = worker->in.deliveries;

	__atomic_fetch_or(&job->begun, 1ull << deliveries, __ATOMIC_SEQ_CST);
}

static void run_worker(struct worker *me)
{
	struct ipcbox_incoming *in = &me->in;
	struct job *job;
	int fd, ret;

	fd = box_open_id(s.dev, s.id, R);
	/* Started again so late that all is over and unlinked. */
	if (fd == -ENOENT)
		_exit(0);
	CHECK(fd >= 0);
	for (;;) {
		ret = box_receive(fd, in, &me->number, sizeof(me->number),
				  IPCBOX_HOLD, IPCBOX_FOREVER);
		if (ret == -EPIPE)
			_exit(0);
		CHECK_EQ(1, ret);
		CHECK(in->token && in->length == sizeof(me->number));
		CHECK(me->number < s.jobs && in->tag == me->number);
		CHECK(in->deliveries < 64);
		note(me);
		/* Nobody else has it: no other worker writes here. */
		job = &s.job[me->number];
		CHECK(in->deliveries >= job->reported);
		CHECK(!job->acknowledged);
		job->reported = in->deliveries;
		if (me->number % 7 == 0)
			sched_yield();
		/* Given back for once, now and then. */
		if (me->number % 101 == 0 && !in->deliveries) {
			CHECK_EQ(0, box_settle(fd, in->token, IPCBOX_NACK));
		} else {
			CHECK_EQ(0, box_settle(fd, in->token, IPCBOX_ACK));
			job->acknowledged = 1;
		}
	}
}

static void start_worker(unsigned int i)
{
	pid_t pid = box_fork();

	if (!pid)
		run_worker(&s.worker[i]);
	s.worker[i].pid = pid;
}

static pid_t start_sender(void)
{
	pid_t pid = box_fork();
	__u32 i;
	int fd;

	if (pid)
		return pid;
	fd = box_open_id(s.dev, s.id, W);
	CHECK(fd >= 0);
	for (i = 0; i < s.jobs; i++)
		CHECK_EQ(1, box_put_wait(fd, i));
	_exit(0);
}

static void kill_one(void)
{
	unsigned int i = box_random(&s.seed) % s.workers;
	struct worker *worker = &s.worker[i];
	int status;

	kill(worker->pid, SIGKILL);
	status = box_wait(worker->pid);
	if (status != BOX_KILLED(SIGKILL))
		COMPLAIN("worker %u ended with %d", i, status);
	s.kills++;
	if (worker->in.sequence) {
		note(worker);
		s.at_work++;
	}
	worker->in.sequence = 0;
	start_worker(i);
}

static void run(void)
{
	__u64 interval = s.jobs / 200 + 5, next = interval, seen = 0;
	__u64 progress = box_now();
	struct ipcbox_stat stat;
	unsigned int i;
	pid_t sender;

	for (i = 0; i < s.workers; i++)
		start_worker(i);
	sender = start_sender();
	for (;;) {
		if (box_stat(s.fd, &stat))
			abort();
		if (stat.sent != stat.received + stat.messages + stat.held)
			COMPLAIN("sums: sent %llu, received %llu, messages %llu, held %llu",
				 stat.sent, stat.received, stat.messages,
				 stat.held);
		if (stat.received == s.jobs && !stat.held && !stat.messages)
			break;
		if (s.failed)
			break;
		if (stat.received >= next) {
			kill_one();
			next = stat.received +
			       box_random(&s.seed) % (2 * interval);
		}
		if (stat.received != seen) {
			seen = stat.received;
			progress = box_now();
		} else if (box_now() - progress > STALLED_MS * 1000000ull) {
			COMPLAIN("stalled: %llu of %llu done, %llu held", seen,
				 s.jobs, stat.held);
			break;
		}
		sched_yield();
	}
	if (s.failed)
		kill(sender, SIGKILL);
	if (box_wait(sender) && !s.failed)
		COMPLAIN("the sender failed");
}

static void settle(void)
{
	__u64 begun = 0, reported = 0, last, i;
	struct ipcbox_stat stat;

	/* No sender is left, and with UNLINK none will come: EPIPE. */
	box_unlink_id(s.dev, s.id);
	for (i = 0; i < s.workers; i++) {
		int status = s.failed ? 0 : box_wait(s.worker[i].pid);

		if (status)
			COMPLAIN("worker %llu ended with %d", i, status);
	}
	for (i = 0; i < s.jobs; i++) {
		const struct job *job = &s.job[i];

		if (!job->begun)
			COMPLAIN("never done: job %llu", i);
		/* The last one may have been acknowledged and then killed. */
		last = 64 - __builtin_clzll(job->begun | 1);
		if (job->begun != ~0ull >> (64 - last) ||
		    job->reported >= last)
			COMPLAIN("job %llu was begun at deliveries %#llx, reported %u",
				 i, job->begun, job->reported);
		begun += __builtin_popcountll(job->begun);
		reported += last - 1;
	}
	if (box_stat(s.fd, &stat))
		abort();
	if (stat.sent != s.jobs || stat.received != s.jobs ||
	    stat.withdrawn || stat.exhausted || stat.expired)
		COMPLAIN("sent %llu, received %llu of %llu", stat.sent,
			 stat.received, s.jobs);
	if (begun - s.jobs != reported)
		COMPLAIN("%llu repeats, %llu deliveries reported",
			 begun - s.jobs, reported);
	printf("# %llu jobs, %llu repeats, %llu deliveries reported\n", s.jobs,
	       begun - s.jobs, reported);
	printf("# %lu killed, %lu of them at work\n", s.kills, s.at_work);
}

int main(int argc, char **argv)
{
	struct ipcbox_create create = {
		.flags = IPCBOX_CREATE_PERSISTENT,
		.kind = IPCBOX_QUEUE,
		.mode = 0600,
		.rights = M,
		.max_messages = 64,
	};
	struct ipcbox_info before, after;

	s.jobs = argc > 1 ? strtoull(argv[1], NULL, 0) : 5000;
	s.workers = argc > 2 ? strtoul(argv[2], NULL, 0) : 8;
	s.seed = argc > 3 ? strtoull(argv[3], NULL, 0) : box_now();
	ksft_print_header();
	ksft_set_plan(1);
	if (!s.jobs || !s.workers || s.workers > WORKERS_MAX)
		ksft_exit_fail_msg("at least 1 job, 1 to %d workers\n",
				   WORKERS_MAX);
	printf("# seed %llu\n", s.seed);
	s.dev = box_device();
	s.fd = box_create(s.dev, &create);
	s.worker = box_shared(s.workers * sizeof(*s.worker));
	s.job = box_shared(s.jobs * sizeof(*s.job));
	if (s.fd < 0 || !s.worker || !s.job)
		ksft_exit_fail_msg("cannot begin\n");
	s.id = create.id;
	box_info(s.dev, &before);
	run();
	settle();
	box_info(s.dev, &after);
	if (before.user_bytes_used != after.user_bytes_used)
		COMPLAIN("user_bytes_used was %llu, is %llu",
			 before.user_bytes_used, after.user_bytes_used);
	if (!s.kills && s.jobs >= 1000)
		COMPLAIN("nobody was killed");
	ksft_test_result(!s.failed,
			 "every job is done, whoever is killed at it\n");
	ksft_finished();
}
