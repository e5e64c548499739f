/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A queue of jobs, and workers that crash while they hold one: every job is
 * done.
 *
 * Shows: holding a message until its work is done, what the death of a worker
 * does (its job returns to its place, and tells the next worker so), and what
 * that means: a worker that dies after its work and before it has said so has
 * its job done once more.
 *
 *	./work_queue [WORKERS [JOBS]]
 *
 * The workers are processes. One job in ten kills its worker the first time,
 * before or after it is done; the parent starts another. Prints how often that
 * was so, and exits with 0 if each job was done, and came again as often as a
 * worker died of it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ipcbox.h>

#define MOST_WORKERS	64
#define MOST_JOBS	10000

/* A worker ends when it gets one of those, which come after all jobs. */
#define PRIORITY_JOB	1
#define PRIORITY_END	0

/* What became of a job: its number is its index. Shared by the processes. */
struct record {
	unsigned int done;
	unsigned int deliveries;
};

static int report(const char *what, enum ipcbox_operation operation,
		  ssize_t error)
{
	fprintf(stderr, "%s: %s\n", what,
		ipcbox_explain(operation, (int)error));
	return EXIT_FAILURE;
}

static void crash(void)
{
	kill(getpid(), SIGKILL);
}

/* Only one worker at a time has a job, so that its record needs no lock. */
static void do_job(unsigned int job, unsigned int deliveries,
		   struct record *records)
{
	int first = deliveries == 0;

	if (first && job % 20 == 3)
		crash();
	records[job].done++;
	if (first && job % 20 == 13)
		crash();
}

/* Takes jobs until there are none. */
static int work(struct ipcbox_handle *queue, struct record *records)
{
	struct ipcbox_incoming header;
	unsigned int job = 0;
	ssize_t length;
	int error;

	for (;;) {
		length = ipcbox_receive(queue, &job, sizeof(job), &header,
					IPCBOX_HOLD, IPCBOX_FOREVER);
		if (length == -EINTR)
			continue;
		if (length < 0)
			return report("worker", IPCBOX_OPERATION_RECEIVE,
				      length);
		if (header.priority == PRIORITY_JOB) {
			do_job(job, header.deliveries, records);
			records[job].deliveries = header.deliveries;
		}
		error = ipcbox_ack(queue, header.token);
		if (error)
			return report("worker", IPCBOX_OPERATION_SETTLE, error);
		if (header.priority == PRIORITY_END)
			return EXIT_SUCCESS;
	}
}

/*
 * Starts a worker with a handle of its own: what it holds returns when this is
 * closed, and one that is inherited would stay open in the parent.
 */
static pid_t start_worker(struct ipcbox *box, struct ipcbox_handle *queue,
			  struct record *records)
{
	struct ipcbox_handle *own;
	pid_t pid = fork();
	int error;

	if (pid != 0)
		return pid;
	error = ipcbox_open_id(box, ipcbox_handle_id(queue),
			       IPCBOX_RIGHT_RECEIVE, 0, &own);
	if (error)
		_exit(report("worker", IPCBOX_OPERATION_OPEN, error));
	ipcbox_close(queue);
	_exit(work(own, records));
}

/*
 * Runs the workers to their end, with another for each that crashes. Returns
 * how many crashed, or -1.
 */
static int run_workers(struct ipcbox *box, struct ipcbox_handle *queue,
		       struct record *records, unsigned int count)
{
	unsigned int running = 0;
	int crashed = 0;
	int status;

	while (running < count) {
		if (start_worker(box, queue, records) < 0)
			return -1;
		running++;
	}
	while (running > 0) {
		if (wait(&status) < 0)
			return -1;
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
			crashed++;
			if (start_worker(box, queue, records) < 0)
				return -1;
		} else if (status == 0) {
			running--;
		} else {
			return -1;
		}
	}
	return crashed;
}

static int fill(struct ipcbox_handle *queue, unsigned int jobs,
		unsigned int workers)
{
	struct ipcbox_send_options options = {
		.priority = PRIORITY_JOB, .flags = IPCBOX_NOWAIT,
	};
	unsigned int i;
	int error = 0;

	for (i = 0; i < jobs + workers && !error; i++) {
		if (i == jobs)
			options.priority = PRIORITY_END;
		error = ipcbox_send(queue, &i, sizeof(i), &options);
	}
	return error;
}

static int check(struct ipcbox_handle *queue, const struct record *records,
		 unsigned int jobs, unsigned int crashed)
{
	unsigned int undone = 0, again = 0, repeated = 0;
	struct ipcbox_stat state;
	unsigned int i;
	int error;

	for (i = 0; i < jobs; i++) {
		undone += records[i].done == 0;
		again += records[i].deliveries;
		repeated += records[i].done > 1;
	}
	error = ipcbox_stat(queue, &state);
	if (error)
		return report("stat", IPCBOX_OPERATION_STAT, error);
	printf("%u of %u jobs done; %u workers crashed, %u jobs came again, %u of them were done twice\n",
	       jobs - undone, jobs, crashed, again, repeated);
	return undone == 0 && again == crashed && state.messages == 0 &&
	       state.held == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	unsigned long workers = argc > 1 ? strtoul(argv[1], NULL, 0) : 4;
	unsigned long jobs = argc > 2 ? strtoul(argv[2], NULL, 0) : 500;
	struct ipcbox_create_options options = { .kind = IPCBOX_QUEUE };
	struct ipcbox_handle *queue;
	struct record *records;
	struct ipcbox *box;
	int crashed;
	int status;
	int error;

	if (workers < 1 || workers > MOST_WORKERS || jobs > MOST_JOBS) {
		fprintf(stderr, "1 to %d workers, at most %d jobs\n",
			MOST_WORKERS, MOST_JOBS);
		return EXIT_FAILURE;
	}
	records = mmap(NULL, (MOST_JOBS + 1) * sizeof(*records),
		       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		       0);
	if (records == MAP_FAILED) {
		perror("mmap");
		return EXIT_FAILURE;
	}
	error = ipcbox_box_open(&box);
	if (error)
		return report("box", IPCBOX_OPERATION_BOX_OPEN, error);
	/*
	 * Room for everything, as the parent has no time to wait for room: it
	 * has workers to replace.
	 */
	options.max_messages = jobs + workers;
	error = ipcbox_create(box, &options, &queue);
	if (error)
		return report("create", IPCBOX_OPERATION_CREATE, error);
	error = fill(queue, (unsigned int)jobs, (unsigned int)workers);
	if (error)
		return report("fill", IPCBOX_OPERATION_SEND, error);

	crashed = run_workers(box, queue, records, (unsigned int)workers);
	if (crashed < 0) {
		fputs("a worker could not be started, or failed\n", stderr);
		status = EXIT_FAILURE;
	} else {
		status = check(queue, records, (unsigned int)jobs,
			       (unsigned int)crashed);
	}
	/* Workers that are left are waiting: they find that it is removed. */
	ipcbox_unlink_id(box, ipcbox_handle_id(queue));
	ipcbox_close(queue);
	ipcbox_box_close(box);
	puts(status == EXIT_SUCCESS ? "passed" : "failed");
	return status;
}
