// SPDX-License-Identifier: GPL-2.0
/*
 * Many senders and receivers, killed at random and started again: at the end
 * every message is accounted for. Nothing is lost, doubled or corrupted, and each
 * sender's messages keep their order at each receiver.
 *
 *	stress_kill [messages [processes [seed]]]
 *
 * How the supervisor knows. A sender says in shared memory which messages it is
 * about to send, and afterwards which were accepted; those between the two when
 * it was killed are in doubt, are not sent again, and may have arrived or not,
 * the first ones before the last ones. A receiver lets RECEIVE write straight
 * into slots of shared memory, whose sequence numbers the supervisor zeroes when
 * it has looked at them; as the kernel writes the payload first and the header
 * then, a slot with a sequence number holds a message received, whether the
 * receiver lived to see it or not.
 *
 * Order. What a receiver of the queue had taken when it was killed, and could not
 * be given any more, goes back to its place; another receiver may have newer ones
 * by then and gets it late. So there may be a batch of late ones for each receiver
 * of the queue that was killed, and not one otherwise. A mailbox has one receiver,
 * whose next incarnation finds everything in order.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "kselftest.h"
#include "box.h"

#define OBJECTS		3	/* a queue and two mailboxes */
#define BATCH		8
#define SLOTS		1024	/* of a receiver, a power of two */
#define PAYLOAD_MAX	64
#define STALLED_MS	180000

struct payload {
	__u32 sender;
	__u32 length;
	__u64 count;
	__u64 check;
	unsigned char more[PAYLOAD_MAX - 24];
};

enum state {
	UNTOUCHED,
	ACCEPTED,
	DOUBT,			/* the first in doubt of one kill */
	DOUBT_TOO,		/* arrived only if the one before did */
};

struct sender {
	int object;
	pid_t pid;
	__u64 quota;
	__u64 trying;		/* up to this, exclusive */
	__u64 accepted;		/* up to this, exclusive */
	unsigned char *state;
	unsigned char *arrived;
	bool done;
};

struct receiver {
	int object;
	pid_t pid;
	__u64 head;		/* slots filled, as the receiver says */
	__u64 tail;		/* slots looked at, as the supervisor says */
	__u64 *next;		/* of each sender, at this receiver */
	__u64 last;		/* sequence number received last */
	struct ipcbox_incoming *in;
	struct payload *payload;
};

static struct {
	int dev;
	int fd[OBJECTS];	/* manage only */
	__u64 id[OBJECTS];
	unsigned char *seen[OBJECTS];	/* by sequence number */
	unsigned int senders, receivers;
	struct sender *sender;
	struct receiver *receiver;
	__u64 messages, drained, seed;
	unsigned long kills, signals, doubts, arrived_in_doubt, untold;
	unsigned long receivers_killed, late;	/* of the queue */
	bool failed;
} s;

#define COMPLAIN(fmt, ...) do { \
	printf("# " fmt "\n", ##__VA_ARGS__); \
	s.failed = true; \
} while (0)

static __u64 check_of(const struct payload *payload)
{
	__u64 state = payload->count * 31 + payload->sender;
	__u32 i;

	for (i = 0; i + sizeof(*payload) - sizeof(payload->more) <
	     payload->length; i++)
		state = state * 1099511628211ull + payload->more[i];
	return box_random(&state) + payload->length;
}

static void make(struct payload *payload, __u32 sender, __u64 count,
		 __u64 *random)
{
	payload->sender = sender;
	payload->count = count;
	payload->length = 24 + box_random(random) % (PAYLOAD_MAX - 24 + 1);
	box_fill(payload->more, sizeof(payload->more), count ^ sender);
	payload->check = check_of(payload);
}

/* How a call waits: for ever, for a moment, not at all. */
static void choose_waiting(__u64 *random, __u32 *flags, __u64 *deadline)
{
	*flags = 0;
	*deadline = IPCBOX_FOREVER;
	switch (box_random(random) % 4) {
	case 0:
		*flags = IPCBOX_NOWAIT;
		break;
	case 1:
		*deadline = box_now() + box_random(random) % 2000000;
		break;
	}
}

static bool in_vain(int ret)
{
	return ret == -EAGAIN || ret == -ETIMEDOUT || ret == -EINTR;
}

static void run_sender(unsigned int number, __u64 random)
{
	struct sender *me = &s.sender[number];
	struct ipcbox_outgoing out[BATCH] = { };
	struct payload payload[BATCH];
	__u64 deadline, i, n;
	__u32 flags;
	int fd, ret;

	fd = box_open_id(s.dev, s.id[me->object], IPCBOX_RIGHT_SEND);
	CHECK(fd >= 0);
	while (me->trying < me->quota) {
		n = 1 + box_random(&random) % BATCH;
		if (n > me->quota - me->trying)
			n = me->quota - me->trying;
		for (i = 0; i < n; i++) {
			make(&payload[i], number, me->trying + i, &random);
			out[i].data = (uintptr_t)&payload[i];
			out[i].length = payload[i].length;
			out[i].tag = number;
		}
		__atomic_store_n(&me->trying, me->trying + n,
				 __ATOMIC_SEQ_CST);
		do {
			choose_waiting(&random, &flags, &deadline);
			ret = box_send_many(fd, out, n, flags, deadline);
			if (ret == -EAGAIN)
				sched_yield();
		} while (in_vain(ret));
		CHECK(ret >= 1 && ret <= (int)n);
		for (i = 0; i < (__u64)ret; i++)
			me->state[me->accepted + i] = ACCEPTED;
		__atomic_store_n(&me->accepted, me->accepted + ret,
				 __ATOMIC_SEQ_CST);
		/* The rest had no effect: it is tried again. */
		__atomic_store_n(&me->trying, me->accepted, __ATOMIC_SEQ_CST);
	}
}

static void run_receiver(unsigned int number, __u64 random)
{
	struct receiver *me = &s.receiver[number];
	struct ipcbox_incoming *in;
	__u64 deadline, i, n;
	__u32 flags;
	int fd, ret;

	fd = box_open_id(s.dev, s.id[me->object], IPCBOX_RIGHT_RECEIVE);
	/* Started again so late that all is over and unlinked. */
	if (fd == -ENOENT)
		return;
	CHECK(fd >= 0);
	for (;;) {
		while (me->head - __atomic_load_n(&me->tail,
						  __ATOMIC_SEQ_CST) >
		       SLOTS - BATCH)
			sched_yield();
		/* An array does not go around the end. */
		n = 1 + box_random(&random) % BATCH;
		if (n > SLOTS - me->head % SLOTS)
			n = SLOTS - me->head % SLOTS;
		in = &me->in[me->head % SLOTS];
		for (i = 0; i < n; i++) {
			in[i].data = (uintptr_t)&me->payload[me->head % SLOTS +
							     i];
			in[i].capacity = sizeof(me->payload[0]);
		}
		choose_waiting(&random, &flags, &deadline);
		ret = box_receive_many(fd, in, n, flags, deadline);
		if (ret == -EPIPE)
			return;
		if (in_vain(ret)) {
			if (ret == -EAGAIN)
				sched_yield();
			continue;
		}
		CHECK(ret >= 1 && ret <= (int)n);
		__atomic_store_n(&me->head, me->head + ret, __ATOMIC_SEQ_CST);
	}
}

static void ignore_signal(int sig)
{
}

static void start_sender(unsigned int i)
{
	__u64 random = box_random(&s.seed);
	pid_t pid = box_fork();

	if (!pid) {
		run_sender(i, random);
		_exit(0);
	}
	s.sender[i].pid = pid;
}

static void start_receiver(unsigned int i)
{
	__u64 random = box_random(&s.seed);
	pid_t pid = box_fork();

	if (!pid) {
		run_receiver(i, random);
		_exit(0);
	}
	s.receiver[i].pid = pid;
}

/* Of the queue only; see above. */
static bool is_late(const struct receiver *receiver,
		    const struct ipcbox_incoming *in)
{
	return receiver->object == 0 && in->sequence < receiver->last;
}

static void look_at(unsigned int number, const struct ipcbox_incoming *in,
		    const struct payload *payload)
{
	struct receiver *receiver = &s.receiver[number];
	struct sender *sender;

	s.drained++;
	if (in->length < 24 || in->length > PAYLOAD_MAX ||
	    payload->length != in->length ||
	    payload->sender >= s.senders ||
	    payload->check != check_of(payload) ||
	    in->tag != payload->sender) {
		COMPLAIN("corrupted: receiver %u, sequence %llu, length %u",
			 number, in->sequence, in->length);
		return;
	}
	sender = &s.sender[payload->sender];
	if (payload->count >= sender->quota ||
	    sender->object != receiver->object) {
		COMPLAIN("astray: sender %u, message %llu at receiver %u",
			 payload->sender, payload->count, number);
		return;
	}
	if (sender->arrived[payload->count]++)
		COMPLAIN("doubled: sender %u, message %llu", payload->sender,
			 payload->count);
	if (!in->sequence || in->sequence > s.messages ||
	    s.seen[receiver->object][in->sequence]++)
		COMPLAIN("sequence %llu of object %d comes again or is none",
			 in->sequence, receiver->object);
	if (is_late(receiver, in)) {
		s.late++;
		if (s.late <= s.receivers_killed * BATCH)
			return;
	}
	if (payload->count < receiver->next[payload->sender])
		COMPLAIN("order: message %llu of sender %u after %llu at %u",
			 payload->count, payload->sender,
			 receiver->next[payload->sender] - 1, number);
	receiver->next[payload->sender] = payload->count + 1;
	if (in->sequence <= receiver->last)
		COMPLAIN("order: sequence %llu after %llu at receiver %u",
			 in->sequence, receiver->last, number);
	receiver->last = in->sequence;
}

static void drain(unsigned int i)
{
	struct receiver *receiver = &s.receiver[i];
	__u64 head = __atomic_load_n(&receiver->head, __ATOMIC_SEQ_CST);
	unsigned int slot;

	while (receiver->tail < head) {
		slot = receiver->tail % SLOTS;
		look_at(i, &receiver->in[slot], &receiver->payload[slot]);
		receiver->in[slot].sequence = 0;
		__atomic_store_n(&receiver->tail, receiver->tail + 1,
				 __ATOMIC_SEQ_CST);
	}
}

/* What a receiver that was killed had received without telling. */
static void drain_dead(unsigned int i)
{
	struct receiver *receiver = &s.receiver[i];

	/* There is room for a batch behind the head, and it was zero before. */
	while (receiver->in[receiver->head % SLOTS].sequence &&
	       receiver->head - receiver->tail < SLOTS) {
		receiver->head++;
		s.untold++;
	}
	drain(i);
}

static void doubt(struct sender *sender)
{
	__u64 i;

	for (i = sender->accepted; i < sender->trying; i++) {
		if (sender->state[i] == ACCEPTED)
			continue;
		sender->state[i] = i > sender->accepted &&
				   sender->state[i - 1] >= DOUBT ?
				   DOUBT_TOO : DOUBT;
		s.doubts++;
	}
	sender->accepted = sender->trying;
}

static bool reap(pid_t pid, int expected, const char *who, unsigned int i)
{
	int status = box_wait(pid);

	if (status == expected)
		return true;
	COMPLAIN("%s %u ended with %d", who, i, status);
	return false;
}

static void disturb_one(void)
{
	unsigned int i = box_random(&s.seed) % (s.senders + s.receivers);
	bool deadly = box_random(&s.seed) % 4;
	struct sender *sender;

	if (i >= s.senders) {
		i -= s.senders;
		kill(s.receiver[i].pid, deadly ? SIGKILL : SIGUSR1);
		if (deadly) {
			reap(s.receiver[i].pid, BOX_KILLED(SIGKILL),
			     "receiver", i);
			if (s.receiver[i].object == 0)
				s.receivers_killed++;
			drain_dead(i);
			start_receiver(i);
		}
	} else {
		sender = &s.sender[i];
		if (sender->done)
			return;
		kill(sender->pid, deadly ? SIGKILL : SIGUSR1);
		if (deadly) {
			int status = box_wait(sender->pid);

			/* It may have ended just before. */
			if (status != BOX_KILLED(SIGKILL) && status)
				COMPLAIN("sender %u ended with %d", i, status);
			doubt(sender);
			start_sender(i);
		}
	}
	if (deadly)
		s.kills++;
	else
		s.signals++;
}

static unsigned int reap_senders(void)
{
	unsigned int i, left = 0;
	int status;

	for (i = 0; i < s.senders; i++) {
		struct sender *sender = &s.sender[i];

		if (sender->done)
			continue;
		if (waitpid(sender->pid, &status, WNOHANG) != sender->pid) {
			left++;
			continue;
		}
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			COMPLAIN("sender %u ended with status %#x", i, status);
		sender->done = true;
	}
	return left;
}

static __u64 accepted_by_kernel(void)
{
	struct ipcbox_stat stat;
	__u64 sum = 0;
	int i;

	for (i = 0; i < OBJECTS; i++) {
		if (box_stat(s.fd[i], &stat))
			abort();
		sum += stat.sent;
	}
	return sum;
}

static void show_stall(void)
{
	struct ipcbox_stat stat;
	int i;

	for (i = 0; i < OBJECTS; i++) {
		box_stat(s.fd[i], &stat);
		COMPLAIN("stalled: object %d: sent %llu, received %llu", i,
			 stat.sent, stat.received);
		COMPLAIN("messages %llu, waiting %u senders, %u receivers",
			 stat.messages, stat.senders_waiting,
			 stat.receivers_waiting);
	}
}

static void run(void)
{
	__u64 interval = s.messages / 400 + 20, next = interval, seen = 0;
	__u64 progress = box_now();
	unsigned int i, left;

	for (i = 0; i < s.receivers; i++)
		start_receiver(i);
	for (i = 0; i < s.senders; i++)
		start_sender(i);
	for (;;) {
		for (i = 0; i < s.receivers; i++)
			drain(i);
		if (s.drained >= next && !s.failed) {
			disturb_one();
			next += box_random(&s.seed) % (2 * interval);
		}
		left = reap_senders();
		if (!left && s.drained >= accepted_by_kernel())
			return;
		if (s.drained != seen) {
			seen = s.drained;
			progress = box_now();
		} else if (box_now() - progress > STALLED_MS * 1000000ull) {
			show_stall();
			return;
		}
		sched_yield();
	}
}

static void settle(void)
{
	struct ipcbox_stat stat;
	__u64 sum = 0, k;
	unsigned int i;

	/* No sender is left, and with UNLINK none will come: EPIPE. */
	for (i = 0; i < OBJECTS; i++)
		box_unlink_id(s.dev, s.id[i]);
	for (i = 0; i < s.receivers && !s.failed; i++) {
		reap(s.receiver[i].pid, 0, "receiver", i);
		drain(i);
	}
	for (i = 0; i < OBJECTS; i++) {
		if (box_stat(s.fd[i], &stat))
			abort();
		printf("# object %u: sent %llu, received %llu, peak %llu, refused %llu\n",
		       i, stat.sent, stat.received, stat.messages_peak,
		       stat.refused);
		if (stat.sent != stat.received || stat.messages ||
		    stat.handles != 1 || stat.senders_waiting ||
		    stat.receivers_waiting)
			COMPLAIN("object %u is not at rest: %llu messages, %u handles",
				 i, stat.messages, stat.handles);
		for (k = 1; k <= stat.sent; k++)
			if (s.seen[i][k] != 1)
				COMPLAIN("lost: sequence %llu of object %u", k,
					 i);
		sum += stat.sent;
	}
	if (sum != s.drained)
		COMPLAIN("%llu accepted, %llu delivered", sum, s.drained);
	for (i = 0; i < s.senders; i++) {
		struct sender *sender = &s.sender[i];

		for (k = 0; k < sender->quota; k++) {
			switch (sender->state[k]) {
			case ACCEPTED:
				if (sender->arrived[k] != 1)
					COMPLAIN("lost: sender %u, message %llu",
						 i, k);
				break;
			case DOUBT_TOO:
				if (sender->arrived[k] &&
				    !sender->arrived[k - 1])
					COMPLAIN("half a batch: sender %u, no message %llu",
						 i, k - 1);
				s.arrived_in_doubt += sender->arrived[k];
				break;
			case DOUBT:
				s.arrived_in_doubt += sender->arrived[k];
				break;
			default:
				COMPLAIN("never sent: sender %u, message %llu",
					 i, k);
			}
		}
	}
}

static void *need(size_t size)
{
	void *memory = box_shared(size);

	if (!memory)
		ksft_exit_fail_msg("no memory for %zu bytes\n", size);
	return memory;
}

static void prepare(unsigned int processes)
{
	static const __u64 room[OBJECTS] = { 16, 100, 7 };
	unsigned int i;

	s.dev = box_device();
	if (s.dev < 0)
		ksft_exit_fail_msg("no device: %s\n", strerror(-s.dev));
	for (i = 0; i < OBJECTS; i++) {
		struct ipcbox_create create = {
			.flags = IPCBOX_CREATE_PERSISTENT,
			.kind = i ? IPCBOX_MAILBOX : IPCBOX_QUEUE,
			.mode = 0600,
			.rights = IPCBOX_RIGHT_MANAGE,
			.max_messages = room[i],
		};

		s.fd[i] = box_create(s.dev, &create);
		if (s.fd[i] < 0)
			ksft_exit_fail_msg("create: %s\n", strerror(-s.fd[i]));
		s.id[i] = create.id;
		s.seen[i] = need(s.messages + 1);
	}
	/* One for each mailbox, the others for the queue. */
	s.receivers = OBJECTS - 1 + processes / 4;
	s.senders = processes - s.receivers;
	s.sender = need(s.senders * sizeof(*s.sender));
	s.receiver = need(s.receivers * sizeof(*s.receiver));
	for (i = 0; i < s.senders; i++) {
		s.sender[i].object = i % OBJECTS;
		s.sender[i].quota = s.messages / s.senders +
				    (i < s.messages % s.senders);
		s.sender[i].state = need(s.sender[i].quota + 1);
		s.sender[i].arrived = need(s.sender[i].quota + 1);
	}
	for (i = 0; i < s.receivers; i++) {
		s.receiver[i].object = i + 1 < OBJECTS ? i + 1 : 0;
		s.receiver[i].next = need(s.senders * sizeof(__u64));
		s.receiver[i].in = need(SLOTS * sizeof(*s.receiver[i].in));
		s.receiver[i].payload = need(SLOTS *
					     sizeof(*s.receiver[i].payload));
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = ignore_signal };
	unsigned int processes = argc > 2 ? strtoul(argv[2], NULL, 0) : 16;
	struct ipcbox_info before, after;
	__u64 start = box_now();

	s.messages = argc > 1 ? strtoull(argv[1], NULL, 0) : 20000;
	s.seed = argc > 3 ? strtoull(argv[3], NULL, 0) : box_now();
	ksft_print_header();
	ksft_set_plan(1);
	if (processes < 6 || !s.messages)
		ksft_exit_fail_msg("at least 1 message and 6 processes\n");
	printf("# seed %llu\n", s.seed);
	/* SIGUSR1 interrupts; without SA_RESTART, so calls end with EINTR. */
	sigaction(SIGUSR1, &action, NULL);
	prepare(processes);
	box_info(s.dev, &before);
	run();
	settle();
	box_info(s.dev, &after);
	if (before.user_bytes_used != after.user_bytes_used)
		COMPLAIN("user_bytes_used was %llu, is %llu",
			 before.user_bytes_used, after.user_bytes_used);
	printf("# %llu messages, %u senders, %u receivers, %lu killed, %lu interrupted\n",
	       s.messages, s.senders, s.receivers, s.kills, s.signals);
	printf("# %lu were in doubt, of which %lu arrived; %lu received by the dead; %llu ms\n",
	       s.doubts, s.arrived_in_doubt, s.untold,
	       (box_now() - start) / 1000000);
	printf("# %lu came late at a receiver of the queue; %lu of those were killed\n",
	       s.late, s.receivers_killed);
	if (!s.kills && s.messages >= 1000)
		COMPLAIN("nobody was killed");
	ksft_test_result(!s.failed,
			 "every message is accounted for, whoever is killed\n");
	ksft_finished();
}
