// SPDX-License-Identifier: GPL-2.0
/*
 * Anything at all, to every descriptor of the module: it must neither hang nor
 * crash nor make the kernel warn, and must leave nothing behind.
 *
 *	fuzz_ioctl [iterations [seed]]
 *
 * In a network namespace of its own, as it also unlinks whatever it finds. It is
 * linked to run at high addresses: any number is a pointer here, and what the
 * kernel writes by one must not hit the program itself.
 */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "kselftest.h"
#include "box.h"

#define ARENA		(256 * 1024)
#define HANDLES		24
#define PROCESSES	3
#define STALLED_S	120

static __u64 rnd;
static unsigned char *arena;
static int device;
static int handle[HANDLES];
static __u64 *progress;		/* of all processes, in shared memory */

static __u64 below(__u64 n)
{
	return box_random(&rnd) % n;
}

static bool one_in(unsigned int n)
{
	return !below(n);
}

/* Numbers at which something may end. */
static __u64 number(void)
{
	static const __u64 edges[] = {
		0, 1, 2, 3, 4, 7, 8, 63, 64, 127, 128, 255, 256, 1023, 1024,
		1025, 4095, 4096, 4097, 32767, 32768, 65535, 65536, 65537,
		1 << 20, 16 << 20, (16 << 20) + 1, 1u << 31, (1u << 31) - 1,
		-1u, 1ull << 32, 1ull << 63, (1ull << 63) - 1, -1ull, -2ull,
		-4096ull,
	};

	switch (below(4)) {
	case 0:
		return below(16);
	case 1:
		return box_random(&rnd) >> below(64);
	default:
		return edges[below(ARRAY_SIZE(edges))];
	}
}

static __u64 pointer(void)
{
	switch (below(16)) {
	case 0:
		return 0;
	case 1:
		return number();
	case 2:
		return 0xffff888000000000ull + below(1 << 30);
	case 3:
		/* Up to the end of what is mapped, and over it. */
		return (uintptr_t)arena + ARENA - below(300);
	default:
		return (uintptr_t)arena + below(ARENA - 70000);
	}
}

static void scribble(void)
{
	unsigned char *to = arena + below(ARENA - 64);
	unsigned int i;

	for (i = 0; i < 64; i += 8) {
		__u64 value = one_in(3) ? pointer() : number();

		memcpy(to + i, &value, sizeof(value));
	}
}

static unsigned int command(void)
{
	static const unsigned int commands[] = {
		IPCBOX_IOC_INFO, IPCBOX_IOC_CREATE, IPCBOX_IOC_OPEN,
		IPCBOX_IOC_UNLINK, IPCBOX_IOC_LIST, IPCBOX_IOC_STAT,
		IPCBOX_IOC_SET, IPCBOX_IOC_SEND, IPCBOX_IOC_RECEIVE,
	};

	if (one_in(20))
		return _IO(IPCBOX_IOC_TYPE, below(256));
	if (one_in(40))
		return number();
	return commands[below(ARRAY_SIZE(commands))];
}

union request {
	__u32 word[1024];
	struct ipcbox_create create;
	struct ipcbox_open open;
	struct ipcbox_unlink unlink;
	struct ipcbox_list list;
	struct ipcbox_set set;
	struct ipcbox_send send;
	struct ipcbox_receive receive;
};

/* Mostly right, so that it gets far; then some of it is spoilt. */
static void fill(union request *request, unsigned int nr, __u32 *size)
{
	unsigned int i;

	memset(request, 0, sizeof(*request));
	switch (nr) {
	case IPCBOX_IOC_CREATE:
		*size = sizeof(request->create);
		request->create.flags = below(8);
		request->create.kind = 1 + below(2);
		request->create.mode = below(0667);
		request->create.rights = 1 + below(7);
		request->create.name = (uintptr_t)"fuzzfuzz";
		request->create.name_length = below(9);
		request->create.max_messages = one_in(2) ? 0 : number();
		request->create.max_bytes = one_in(2) ? 0 : number();
		request->create.max_message_bytes = one_in(2) ? 0 : number();
		break;
	case IPCBOX_IOC_OPEN:
		*size = sizeof(request->open);
		request->open.by = 1 + below(2);
		request->open.rights = 1 + below(7);
		if (request->open.by == IPCBOX_BY_ID) {
			request->open.object = box_id(handle[below(HANDLES)]);
		} else {
			request->open.name = (uintptr_t)"fuzzfuzz";
			request->open.name_length = 1 + below(8);
		}
		break;
	case IPCBOX_IOC_UNLINK:
		*size = sizeof(request->unlink);
		request->unlink.by = 1 + below(2);
		if (request->unlink.by == IPCBOX_BY_ID) {
			request->unlink.object = box_id(handle[below(HANDLES)]);
		} else {
			request->unlink.name = (uintptr_t)"fuzzfuzz";
			request->unlink.name_length = 1 + below(8);
		}
		break;
	case IPCBOX_IOC_LIST:
		*size = sizeof(request->list);
		request->list.entries = pointer();
		request->list.count = number();
		request->list.entry_size = sizeof(struct ipcbox_stat);
		break;
	case IPCBOX_IOC_SET:
		*size = sizeof(request->set);
		request->set.mask = below(64);
		request->set.mode = below(0667);
		request->set.uid = one_in(2) ? 0 : number();
		request->set.gid = one_in(2) ? 0 : number();
		request->set.max_messages = number();
		request->set.max_bytes = number();
		request->set.max_message_bytes = number();
		break;
	case IPCBOX_IOC_SEND:
	case IPCBOX_IOC_RECEIVE:
		*size = sizeof(request->send);
		request->send.flags = !one_in(8);
		request->send.messages = (uintptr_t)arena + below(ARENA / 2);
		request->send.count = 1 + below(one_in(8) ? 2000 : 8);
		request->send.message_size = nr == IPCBOX_IOC_SEND ?
			sizeof(struct ipcbox_outgoing) :
			sizeof(struct ipcbox_incoming);
		request->send.deadline = number();
		for (i = 0; i < request->send.count && i < 8; i++) {
			struct ipcbox_incoming in = {
				.data = pointer(),
				.capacity = one_in(4) ? number() : below(5000),
				.length = one_in(8) ? number() : below(32768),
			};

			/* The same beginning as struct ipcbox_outgoing. */
			memcpy((void *)(uintptr_t)(request->send.messages +
			       i * request->send.message_size), &in,
			       request->send.message_size);
		}
		break;
	default:
		*size = one_in(2) ? sizeof(struct ipcbox_stat) :
				    sizeof(struct ipcbox_info);
	}
	request->word[0] = *size;
	while (one_in(3)) {
		i = below(*size / 4);
		request->word[i] = number();
		if (one_in(4))
			request->word[0] = number();
	}
}

static void remember(int fd)
{
	unsigned int i = below(HANDLES);

	if (handle[i] > 2)
		close(handle[i]);
	handle[i] = fd;
}

static void one_ioctl(int fd)
{
	static union request request;
	unsigned int nr = command();
	__u32 size = 0;
	void *at;
	int ret;

	fill(&request, nr, &size);
	at = &request;
	if (one_in(4)) {
		/* In the arena, where the other thread writes too. */
		at = arena + below(ARENA - sizeof(request));
		memcpy(at, &request, size);
	} else if (one_in(6)) {
		at = (void *)(uintptr_t)pointer();
	}
	ret = ioctl(fd, nr, at);
	if (ret > 2 && (nr == IPCBOX_IOC_CREATE || nr == IPCBOX_IOC_OPEN))
		remember(ret);
}

static void one_call(void)
{
	int fd = one_in(3) ? device : handle[below(HANDLES)];
	struct iovec iov[2];
	struct pollfd pollfd;
	void *memory;

	switch (below(16)) {
	case 0:
		read(fd, (void *)(uintptr_t)pointer(), below(70000));
		break;
	case 1:
		write(fd, (void *)(uintptr_t)pointer(), below(70000));
		break;
	case 2:
		pollfd.fd = fd;
		pollfd.events = number();
		poll(&pollfd, 1, below(2));
		break;
	case 3:
		fcntl(fd, F_SETFL, below(2) * O_NONBLOCK | below(2) * O_ASYNC);
		break;
	case 4:
		remember(dup(fd));
		break;
	case 5:
		iov[0].iov_base = (void *)(uintptr_t)pointer();
		iov[0].iov_len = below(5000);
		iov[1].iov_base = (void *)(uintptr_t)pointer();
		iov[1].iov_len = below(5000);
		if (one_in(2))
			readv(fd, iov, 2);
		else
			writev(fd, iov, 2);
		break;
	case 6:
		memory = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
		if (memory != MAP_FAILED)
			munmap(memory, 4096);
		lseek(fd, number(), SEEK_SET);
		break;
	case 7:
		remember(-1);
		break;
	case 8:
		scribble();
		break;
	default:
		one_ioctl(fd);
	}
}

static void *scribbler(void *unused)
{
	__u64 *word = (void *)arena;
	__u64 state = rnd + 1;

	for (;;) {
		__u64 value = box_random(&state);

		__atomic_store_n(&word[value % (ARENA / 8)],
				 value >> (value % 64), __ATOMIC_RELAXED);
		if (!(value & 1023))
			sched_yield();
	}
	return NULL;
}

static void interrupt(int sig)
{
}

/* Nothing waits for longer than this, as a signal comes. */
static void interrupt_again_and_again(void)
{
	struct sigaction action = { .sa_handler = interrupt };
	struct itimerval timer = {
		.it_interval.tv_usec = 5000,
		.it_value.tv_usec = 5000,
	};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void run(unsigned long iterations, unsigned int who)
{
	struct rlimit files = { 256, 256 };
	sigset_t set;
	pthread_t thread;
	unsigned int i;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGIO, SIG_IGN);
	setrlimit(RLIMIT_NOFILE, &files);
	arena = mmap(NULL, ARENA + 4096, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (arena == MAP_FAILED || mprotect(arena + ARENA, 4096, PROT_NONE))
		_exit(1);
	device = box_device();
	if (device < 0)
		_exit(1);
	for (i = 0; i < HANDLES; i++)
		handle[i] = -1;
	/* The signal is for the thread that may wait. */
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (pthread_create(&thread, NULL, scribbler, NULL))
		_exit(1);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	interrupt_again_and_again();
	while (iterations--) {
		one_call();
		__atomic_add_fetch(&progress[who], 1, __ATOMIC_RELAXED);
	}
	_exit(0);
}

static unsigned long taint(void)
{
	unsigned long value = 0;
	FILE *file = fopen("/proc/sys/kernel/tainted", "re");

	if (!file)
		return 0;
	if (fscanf(file, "%lu", &value) != 1)
		value = 0;
	fclose(file);
	return value;
}

/* A machine check, a bad page, an oops, a warning, a soft lockup. */
#define TAINTED_BY_FAULTS	0x42b0

static bool nothing_left(int dev)
{
	struct ipcbox_stat entries[16];
	struct ipcbox_list list = {
		.entries = (uintptr_t)entries,
		.entry_size = sizeof(entries[0]),
		.count = ARRAY_SIZE(entries),
	};
	struct ipcbox_info info;
	unsigned int i;

	/* The persistent ones; no process is there that could hold others. */
	for (;;) {
		if (box_list(dev, &list) || !list.returned)
			break;
		for (i = 0; i < list.returned; i++) {
			if (entries[i].handles)
				printf("# object %llu has %u handles\n",
				       entries[i].id, entries[i].handles);
			box_unlink_id(dev, entries[i].id);
		}
		list.cursor = list.next;
	}
	if (box_info(dev, &info))
		return false;
	if (info.box_objects_used || info.user_bytes_used ||
	    info.user_objects_used)
		printf("# left: %llu objects, %llu of the user, %llu bytes\n",
		       info.box_objects_used, info.user_objects_used,
		       info.user_bytes_used);
	return !info.box_objects_used && !info.user_bytes_used &&
	       !info.user_objects_used;
}

int main(int argc, char **argv)
{
	unsigned long iterations = argc > 1 ? strtoul(argv[1], NULL, 0) : 60000;
	__u64 seed = argc > 2 ? strtoull(argv[2], NULL, 0) : box_now();
	unsigned long tainted = taint();
	__u64 sum, seen = 0, since = box_now();
	bool hung = false, died = false;
	unsigned int i, left = PROCESSES;
	pid_t pid[PROCESSES];
	int dev, status;

	ksft_print_header();
	if (geteuid() || unshare(CLONE_NEWNET))
		ksft_exit_skip("needs root, to make a network namespace\n");
	ksft_set_plan(4);
	printf("# seed %llu\n", seed);
	progress = box_shared(4096);
	dev = box_device();
	for (i = 0; i < PROCESSES; i++) {
		rnd = seed + i;
		pid[i] = box_fork();
		if (!pid[i])
			run(iterations / PROCESSES, i);
	}
	while (left && !hung) {
		sum = 0;
		for (i = 0; i < PROCESSES; i++) {
			sum += __atomic_load_n(&progress[i], __ATOMIC_RELAXED);
			if (!pid[i] || waitpid(pid[i], &status, WNOHANG) <= 0)
				continue;
			if (status) {
				printf("# process %u ended with %#x\n", i,
				       status);
				died = true;
			}
			pid[i] = 0;
			left--;
		}
		if (sum != seen) {
			seen = sum;
			since = box_now();
		} else if (box_now() - since > STALLED_S * 1000000000ull) {
			printf("# no call has ended for %d s\n", STALLED_S);
			hung = true;
		}
		poll(NULL, 0, 20);
	}
	printf("# %llu calls\n", seen);
	for (i = 0; i < PROCESSES; i++) {
		if (pid[i]) {
			kill(pid[i], SIGKILL);
			waitpid(pid[i], NULL, 0);
		}
	}
	ksft_test_result(!hung, "no call hangs\n");
	ksft_test_result(!died, "no caller dies\n");
	ksft_test_result(nothing_left(dev), "nothing is left behind\n");
	ksft_test_result(!((taint() & ~tainted) & TAINTED_BY_FAULTS),
			 "the kernel does not warn\n");
	ksft_finished();
}
