// SPDX-License-Identifier: GPL-2.0
/* What the selftests of ipcbox share. See box.h. */
#include <dirent.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "box.h"

#define SKIPPED		4	/* KSFT_SKIP */
#define CHECK_FAILED	111	/* status of a child whose CHECK failed */

/*
 * Before main: without the device nothing can be shown, and a test that shows
 * nothing must not pass.
 */
static void __attribute__((constructor)) box_need_device(void)
{
	int fd = open(BOX_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		return;
	}
	printf("TAP version 13\n1..0 # SKIP %s: %s\n", BOX_DEVICE,
	       strerror(errno));
	exit(SKIPPED);
}

static int result(int ret)
{
	return ret < 0 ? -errno : ret;
}

const char *box_name(char *name, const char *what)
{
	snprintf(name, BOX_NAME_SIZE, "test.%s.%d", what, getpid());
	return name;
}

int box_device(void)
{
	return result(open(BOX_DEVICE, O_RDWR | O_CLOEXEC));
}

int box_info(int dev, struct ipcbox_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return result(ioctl(dev, IPCBOX_IOC_INFO, info));
}

int box_create(int dev, struct ipcbox_create *create)
{
	create->size = sizeof(*create);
	return result(ioctl(dev, IPCBOX_IOC_CREATE, create));
}

int box_open(int dev, struct ipcbox_open *open)
{
	open->size = sizeof(*open);
	return result(ioctl(dev, IPCBOX_IOC_OPEN, open));
}

int box_list(int dev, struct ipcbox_list *list)
{
	list->size = sizeof(*list);
	return result(ioctl(dev, IPCBOX_IOC_LIST, list));
}

int box_make_sized(int dev, __u32 kind, __u32 rights, __u64 messages,
		   __u64 bytes, __u64 message_bytes)
{
	struct ipcbox_create create = {
		.kind = kind,
		.mode = 0600,
		.rights = rights,
		.max_messages = messages,
		.max_bytes = bytes,
		.max_message_bytes = message_bytes,
	};

	return box_create(dev, &create);
}

int box_make(int dev, __u32 kind, __u32 rights)
{
	return box_make_sized(dev, kind, rights, 0, 0, 0);
}

int box_make_named(int dev, __u32 kind, __u32 rights, __u32 flags,
		   const char *name)
{
	struct ipcbox_create create = {
		.flags = flags,
		.kind = kind,
		.mode = 0600,
		.rights = rights,
		.name = (uintptr_t)name,
		.name_length = strlen(name),
	};

	return box_create(dev, &create);
}

int box_open_name(int dev, const char *name, __u32 rights)
{
	struct ipcbox_open open = {
		.by = IPCBOX_BY_NAME,
		.rights = rights,
		.name = (uintptr_t)name,
		.name_length = strlen(name),
	};

	return box_open(dev, &open);
}

int box_open_id(int dev, __u64 id, __u32 rights)
{
	struct ipcbox_open open = {
		.by = IPCBOX_BY_ID,
		.rights = rights,
		.object = id,
	};

	return box_open(dev, &open);
}

int box_unlink_name(int dev, const char *name)
{
	struct ipcbox_unlink unlink = {
		.size = sizeof(unlink),
		.by = IPCBOX_BY_NAME,
		.name = (uintptr_t)name,
		.name_length = strlen(name),
	};

	return result(ioctl(dev, IPCBOX_IOC_UNLINK, &unlink));
}

int box_unlink_id(int dev, __u64 id)
{
	struct ipcbox_unlink unlink = {
		.size = sizeof(unlink),
		.by = IPCBOX_BY_ID,
		.object = id,
	};

	return result(ioctl(dev, IPCBOX_IOC_UNLINK, &unlink));
}

int box_stat(int fd, struct ipcbox_stat *stat)
{
	memset(stat, 0, sizeof(*stat));
	stat->size = sizeof(*stat);
	return result(ioctl(fd, IPCBOX_IOC_STAT, stat));
}

int box_set(int fd, struct ipcbox_set *set)
{
	set->size = sizeof(*set);
	return result(ioctl(fd, IPCBOX_IOC_SET, set));
}

int box_set_max_messages(int fd, __u64 messages)
{
	struct ipcbox_set set = {
		.mask = IPCBOX_SET_MAX_MESSAGES,
		.max_messages = messages,
	};

	return box_set(fd, &set);
}

int box_set_mode(int fd, __u32 mode)
{
	struct ipcbox_set set = {
		.mask = IPCBOX_SET_MODE,
		.mode = mode,
	};

	return box_set(fd, &set);
}

__u64 box_id(int fd)
{
	struct ipcbox_stat stat;

	return box_stat(fd, &stat) ? 0 : stat.id;
}

int box_send_many(int fd, struct ipcbox_outgoing *messages, __u32 count,
		  __u32 flags, __u64 deadline)
{
	struct ipcbox_send send = {
		.size = sizeof(send),
		.flags = flags,
		.messages = (uintptr_t)messages,
		.count = count,
		.message_size = sizeof(*messages),
		.deadline = deadline,
	};

	return result(ioctl(fd, IPCBOX_IOC_SEND, &send));
}

int box_receive_many(int fd, struct ipcbox_incoming *messages, __u32 count,
		     __u32 flags, __u64 deadline)
{
	struct ipcbox_receive receive = {
		.size = sizeof(receive),
		.flags = flags,
		.messages = (uintptr_t)messages,
		.count = count,
		.message_size = sizeof(*messages),
		.deadline = deadline,
	};

	return result(ioctl(fd, IPCBOX_IOC_RECEIVE, &receive));
}

int box_send(int fd, const void *data, __u32 length, __u32 priority,
	     __u64 tag, __u32 flags, __u64 deadline)
{
	struct ipcbox_outgoing out = {
		.data = (uintptr_t)data,
		.length = length,
		.priority = priority,
		.tag = tag,
	};

	return box_send_many(fd, &out, 1, flags, deadline);
}

int box_receive(int fd, struct ipcbox_incoming *in, void *data,
		__u32 capacity, __u32 flags, __u64 deadline)
{
	memset(in, 0, sizeof(*in));
	in->data = (uintptr_t)data;
	in->capacity = capacity;
	return box_receive_many(fd, in, 1, flags, deadline);
}

int box_put_priority(int fd, __u32 number, __u32 priority)
{
	return box_send(fd, &number, sizeof(number), priority, number,
			IPCBOX_NOWAIT, IPCBOX_FOREVER);
}

int box_put(int fd, __u32 number)
{
	return box_put_priority(fd, number, 0);
}

int box_put_wait(int fd, __u32 number)
{
	return box_send(fd, &number, sizeof(number), 0, number, 0,
			IPCBOX_FOREVER);
}

pid_t box_fork_sender(int fd, __u32 number)
{
	pid_t child = box_fork();

	if (!child) {
		CHECK_EQ(1, box_put_wait(fd, number));
		_exit(0);
	}
	return child;
}

static int get_number(int fd, __u32 *number, __u32 flags)
{
	struct ipcbox_incoming in;
	int ret;

	ret = box_receive(fd, &in, number, sizeof(*number), flags,
			  IPCBOX_FOREVER);
	if (ret == 1 && in.length != sizeof(*number))
		return -EBADMSG;
	return ret;
}

int box_get(int fd, __u32 *number)
{
	return get_number(fd, number, IPCBOX_NOWAIT);
}

int box_get_wait(int fd, __u32 *number)
{
	return get_number(fd, number, 0);
}

int box_hold(int fd, struct ipcbox_incoming *in, __u32 *number)
{
	return box_receive(fd, in, number, sizeof(*number),
			   IPCBOX_HOLD | IPCBOX_NOWAIT, 0);
}

int box_reply(int fd, __u64 token, const void *data, __u32 length, __u64 tag)
{
	struct ipcbox_settle settle = {
		.size = sizeof(settle),
		.token = token,
		.data = (uintptr_t)data,
		.length = length,
		.action = IPCBOX_REPLY,
		.tag = tag,
	};

	return result(ioctl(fd, IPCBOX_IOC_SETTLE, &settle));
}

int box_settle(int fd, __u64 token, __u32 action)
{
	struct ipcbox_settle settle = {
		.size = sizeof(settle),
		.token = token,
		.action = action,
	};

	return result(ioctl(fd, IPCBOX_IOC_SETTLE, &settle));
}

int box_answer(int fd, struct ipcbox_answer *answer)
{
	answer->size = sizeof(*answer);
	answer->message_size = sizeof(struct ipcbox_incoming);
	return result(ioctl(fd, IPCBOX_IOC_ANSWER, answer));
}

int box_call(int fd, struct ipcbox_outgoing *out, struct ipcbox_incoming *in,
	     __u32 flags, __u64 deadline)
{
	struct ipcbox_call call = {
		.size = sizeof(call),
		.flags = flags,
		.request = (uintptr_t)out,
		.reply = (uintptr_t)in,
		.request_size = sizeof(*out),
		.reply_size = sizeof(*in),
		.deadline = deadline,
	};

	return result(ioctl(fd, IPCBOX_IOC_CALL, &call));
}

int box_ask(int fd, __u32 request, __u32 *reply)
{
	struct ipcbox_outgoing out = {
		.data = (uintptr_t)&request,
		.length = sizeof(request),
		.tag = request,
	};
	struct ipcbox_incoming in = {
		.data = (uintptr_t)reply,
		.capacity = sizeof(*reply),
	};

	return box_call(fd, &out, &in, 0, IPCBOX_FOREVER);
}

int box_put_sync(int fd, __u32 number, __u64 deadline)
{
	return box_send(fd, &number, sizeof(number), 0, number, IPCBOX_SYNC,
			deadline);
}

int box_put_living(int fd, __u32 number, __u64 lifetime)
{
	struct ipcbox_outgoing out = {
		.data = (uintptr_t)&number,
		.length = sizeof(number),
		.tag = number,
		.lifetime = lifetime,
	};

	return box_send_many(fd, &out, 1, IPCBOX_NOWAIT, 0);
}

int box_select(int fd, struct ipcbox_receive *receive,
	       struct ipcbox_incoming *in, __u32 count)
{
	receive->size = sizeof(*receive);
	receive->messages = (uintptr_t)in;
	receive->count = count;
	receive->message_size = sizeof(*in);
	return result(ioctl(fd, IPCBOX_IOC_RECEIVE, receive));
}

int box_set_dead_letter(int fd, __u64 id, __u32 max_deliveries)
{
	struct ipcbox_set set = {
		.mask = IPCBOX_SET_DEAD_LETTER | IPCBOX_SET_MAX_DELIVERIES,
		.dead_letter = id,
		.max_deliveries = max_deliveries,
	};

	return box_set(fd, &set);
}

__u64 box_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

__u64 box_in_ms(unsigned int ms)
{
	return box_now() + ms * 1000000ull;
}

/* A child failed, so that the state waited for may never come. */
static bool child_failed(void)
{
	siginfo_t ended = { };

	/* Left to box_wait to report. */
	waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT);
	return ended.si_pid && ended.si_code == CLD_EXITED &&
	       ended.si_status == CHECK_FAILED;
}

enum shown {
	SENDERS, RECEIVERS, MESSAGES, HANDLES, HELD, SENT, EXPIRED,
};

static int await(int fd, enum shown what, __u64 wanted)
{
	struct ipcbox_stat stat;
	__u64 seen = 0;
	int ret;

	for (;;) {
		ret = box_stat(fd, &stat);
		if (ret)
			return ret;
		switch (what) {
		case SENDERS:
			seen = stat.senders_waiting;
			break;
		case RECEIVERS:
			seen = stat.receivers_waiting;
			break;
		case MESSAGES:
			seen = stat.messages;
			break;
		case HANDLES:
			seen = stat.handles;
			break;
		case HELD:
			seen = stat.held;
			break;
		case SENT:
			seen = stat.sent;
			break;
		case EXPIRED:
			seen = stat.expired;
			break;
		}
		if (seen == wanted)
			return 0;
		if (child_failed())
			return -ECHILD;
		sched_yield();
	}
}

int box_await_senders(int fd, __u32 waiting)
{
	return await(fd, SENDERS, waiting);
}

int box_await_receivers(int fd, __u32 waiting)
{
	return await(fd, RECEIVERS, waiting);
}

int box_await_messages(int fd, __u64 messages)
{
	return await(fd, MESSAGES, messages);
}

int box_await_handles(int fd, __u32 handles)
{
	return await(fd, HANDLES, handles);
}

int box_await_held(int fd, __u64 held)
{
	return await(fd, HELD, held);
}

int box_await_sent(int fd, __u64 sent)
{
	return await(fd, SENT, sent);
}

int box_await_expired(int fd, __u64 expired)
{
	return await(fd, EXPIRED, expired);
}

void box_await_flag(const __u32 *flag, __u32 value)
{
	while (__atomic_load_n(flag, __ATOMIC_ACQUIRE) != value)
		sched_yield();
}

/* The first word of a file of /proc is the number of the call, or "running". */
static long sleeps_in(pid_t pid)
{
	char path[64];
	long call = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	file = fopen(path, "re");
	if (!file)
		return -1;
	if (fscanf(file, "%ld", &call) != 1)
		call = -1;
	fclose(file);
	return call;
}

/* A letter; 0 when there is no such task. */
static char state_of(pid_t pid)
{
	char path[64], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(file);
	return state;
}

int box_await_asleep(pid_t pid, long call)
{
	char state;

	for (;;) {
		/* In a page fault it sleeps in the call, too, but as 'D'. */
		if (sleeps_in(pid) == call && state_of(pid) == 'S')
			return 0;
		state = state_of(pid);
		if (!state || state == 'Z' || state == 'X' || child_failed())
			return -ECHILD;
		sched_yield();
	}
}

short box_poll(int fd)
{
	struct pollfd pollfd = {
		.fd = fd,
		.events = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM,
	};

	return poll(&pollfd, 1, 0) < 0 ? -1 : pollfd.revents;
}

pid_t box_fork(void)
{
	pid_t parent = getpid();
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* A parent in an outer pid namespace is seen as 0. */
	if (getppid() != parent && getppid() != 0)
		_exit(1);
	return 0;
}

int box_wait(pid_t pid)
{
	int status;

	if (pid < 0)
		return -ECHILD;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFSIGNALED(status))
		return BOX_KILLED(WTERMSIG(status));
	return WEXITSTATUS(status);
}

bool box_is_running(pid_t pid)
{
	siginfo_t ended = { };

	waitid(P_PID, pid, &ended, WEXITED | WNOHANG | WNOWAIT);
	return !ended.si_pid;
}

/* For a child of root: another user, without any capability. */
int box_become(uid_t uid, gid_t gid)
{
	if (setgroups(0, NULL) || setresgid(gid, gid, gid) ||
	    setresuid(uid, uid, uid))
		return -errno;
	return 0;
}

void *box_shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void box_check_true(bool good, const char *file, int line, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "# %s:%d: child: not so: %s (errno %d)\n", file, line,
		what, errno);
	_exit(CHECK_FAILED);
}

void box_check_equal(long long expected, long long seen, const char *file,
		     int line, const char *what)
{
	if (expected == seen)
		return;
	fprintf(stderr, "# %s:%d: child: %s: expected %lld, seen %lld\n", file,
		line, what, expected, seen);
	_exit(CHECK_FAILED);
}

int box_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	if (!dir)
		return -1;
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

void box_snapshot(int dev, int fd, struct box_snapshot *snapshot)
{
	memset(snapshot, 0, sizeof(*snapshot));
	if (box_info(dev, &snapshot->info) ||
	    (fd >= 0 && box_stat(fd, &snapshot->stat)))
		abort();
	snapshot->descriptors = box_descriptors();
}

static bool is_same(const char *what, __u64 before, __u64 now)
{
	if (before != now)
		fprintf(stderr, "# %s was %llu, is %llu\n", what, before, now);
	return before == now;
}

bool box_unchanged(int dev, int fd, const struct box_snapshot *before)
{
	struct box_snapshot now;
	bool same = true;

	box_snapshot(dev, fd, &now);
	same &= is_same("descriptors", before->descriptors,
			now.descriptors);
	same &= is_same("user_bytes_used", before->info.user_bytes_used,
			now.info.user_bytes_used);
	same &= is_same("user_objects_used", before->info.user_objects_used,
			now.info.user_objects_used);
	same &= is_same("box_objects_used", before->info.box_objects_used,
			now.info.box_objects_used);
	same &= is_same("user_mapped_bytes_used",
			before->info.user_mapped_bytes_used,
			now.info.user_mapped_bytes_used);
	same &= is_same("discarded", before->info.discarded,
			now.info.discarded);
	same &= is_same("state", before->stat.state,
			now.stat.state);
	same &= is_same("uid", before->stat.uid,
			now.stat.uid);
	same &= is_same("gid", before->stat.gid,
			now.stat.gid);
	same &= is_same("mode", before->stat.mode,
			now.stat.mode);
	same &= is_same("max_messages", before->stat.max_messages,
			now.stat.max_messages);
	same &= is_same("max_bytes", before->stat.max_bytes,
			now.stat.max_bytes);
	same &= is_same("max_message_bytes", before->stat.max_message_bytes,
			now.stat.max_message_bytes);
	same &= is_same("messages", before->stat.messages,
			now.stat.messages);
	same &= is_same("bytes", before->stat.bytes,
			now.stat.bytes);
	same &= is_same("messages_peak", before->stat.messages_peak,
			now.stat.messages_peak);
	same &= is_same("bytes_peak", before->stat.bytes_peak,
			now.stat.bytes_peak);
	same &= is_same("sent", before->stat.sent,
			now.stat.sent);
	same &= is_same("received", before->stat.received,
			now.stat.received);
	same &= is_same("bytes_sent", before->stat.bytes_sent,
			now.stat.bytes_sent);
	same &= is_same("bytes_received", before->stat.bytes_received,
			now.stat.bytes_received);
	same &= is_same("refused", before->stat.refused,
			now.stat.refused);
	same &= is_same("handles", before->stat.handles,
			now.stat.handles);
	same &= is_same("receive_handles", before->stat.receive_handles,
			now.stat.receive_handles);
	same &= is_same("send_handles", before->stat.send_handles,
			now.stat.send_handles);
	same &= is_same("receivers_waiting", before->stat.receivers_waiting,
			now.stat.receivers_waiting);
	same &= is_same("senders_waiting", before->stat.senders_waiting,
			now.stat.senders_waiting);
	same &= is_same("held", before->stat.held,
			now.stat.held);
	same &= is_same("withdrawn", before->stat.withdrawn,
			now.stat.withdrawn);
	same &= is_same("expired", before->stat.expired,
			now.stat.expired);
	same &= is_same("exhausted", before->stat.exhausted,
			now.stat.exhausted);
	same &= is_same("buried", before->stat.buried,
			now.stat.buried);
	same &= is_same("dead_letter", before->stat.dead_letter,
			now.stat.dead_letter);
	same &= is_same("max_deliveries", before->stat.max_deliveries,
			now.stat.max_deliveries);
	same &= is_same("mapped_bytes", before->stat.mapped_bytes,
			now.stat.mapped_bytes);
	same &= is_same("mappings", before->stat.mappings,
			now.stat.mappings);
	same &= is_same("semaphores", before->stat.semaphores,
			now.stat.semaphores);
	return same;
}

bool box_adds_up(int fd)
{
	struct ipcbox_stat stat;

	if (box_stat(fd, &stat))
		return false;
	if (stat.sent == stat.received + stat.messages + stat.held +
	    stat.withdrawn + stat.expired + stat.exhausted)
		return true;
	fprintf(stderr, "# sent %llu, received %llu, messages %llu, held %llu\n",
		stat.sent, stat.received, stat.messages, stat.held);
	fprintf(stderr, "# withdrawn %llu, expired %llu, exhausted %llu\n",
		stat.withdrawn, stat.expired, stat.exhausted);
	return false;
}

__u64 box_random(__u64 *state)
{
	/* splitmix64 */
	__u64 z = (*state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

void box_fill(void *data, size_t length, __u64 seed)
{
	__u64 state = seed, word;
	unsigned char *to = data;
	size_t n;

	for (; length; length -= n, to += n) {
		n = length < sizeof(word) ? length : sizeof(word);
		word = box_random(&state);
		memcpy(to, &word, n);
	}
}

bool box_filled(const void *data, size_t length, __u64 seed)
{
	__u64 state = seed, word;
	const unsigned char *from = data;
	size_t n;

	for (; length; length -= n, from += n) {
		n = length < sizeof(word) ? length : sizeof(word);
		word = box_random(&state);
		if (memcmp(from, &word, n))
			return false;
	}
	return true;
}

void *box_edge(size_t length)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *memory;

	memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || munmap(memory + page, page))
		abort();
	return memory + page - length;
}

int box_pin(const void *memory)
{
	struct iovec part = { .iov_base = (void *)memory, .iov_len = 100 };
	int fds[2];
	int ret;

	if (pipe(fds))
		return -errno;
	ret = vmsplice(fds[1], &part, 1, 0) < 0 ? -errno : 0;
	close(fds[0]);
	close(fds[1]);
	return ret;
}

int box_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static void parameter_path(char *path, size_t size, const char *name)
{
	snprintf(path, size, "/sys/module/ipcbox/parameters/%s", name);
}

int box_parameter_get(const char *name, __u64 *value)
{
	unsigned long long seen;
	char path[128];
	FILE *file;
	int ret;

	parameter_path(path, sizeof(path), name);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	ret = fscanf(file, "%llu", &seen) == 1 ? 0 : -EINVAL;
	fclose(file);
	*value = ret ? 0 : seen;
	return ret;
}

int box_parameter_set(const char *name, __u64 value)
{
	char path[128], text[32];

	parameter_path(path, sizeof(path), name);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return box_write_file(path, text);
}

int box_references(void)
{
	FILE *file = fopen("/sys/module/ipcbox/refcnt", "re");
	int count = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%d", &count) != 1)
		count = -1;
	fclose(file);
	return count;
}
