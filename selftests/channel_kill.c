// SPDX-License-Identifier: GPL-2.0
/*
 * An end of a channel is killed after each single instruction of what it does: the
 * other one finds whole messages, in order and none that was not sent, and then
 * the end; and another end can take the place of the killed one.
 *
 * As single steps are slow, one run tries one instruction in STRIDE, others each
 * time; with STRIDE=1 in the environment all of them.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "box.h"
#include "channel_end.h"

#define MESSAGE		40	/* bytes */
#define STRIDE		16
/* Longer than any of the deeds, should one never end. */
#define STEPS_MAX	20000

FIXTURE(killed)
{
	int dev;
	int fd;			/* manages; the channel is persistent or not */
	struct end consumer;
	struct end producer;
};

FIXTURE_VARIANT(killed)
{
	bool producer;		/* who is killed */
	unsigned int sent;	/* before */
	bool asleep;		/* the survivor wants to be woken */
	int (*deed)(struct end *end);
};

static int send_two(struct end *end)
{
	unsigned char message[MESSAGE];
	int error;

	memset(message, 2, sizeof(message));
	error = end_send(end, message, sizeof(message), 0);
	memset(message, 3, sizeof(message));
	return error ? error : end_send(end, message, sizeof(message), 0);
}

static int receive_two(struct end *end)
{
	unsigned char message[MESSAGE];
	int ret = end_receive(end, message, sizeof(message), 0);

	if (ret == MESSAGE)
		ret = end_receive(end, message, sizeof(message), 0);
	return ret == MESSAGE ? 0 : -EIO;
}

/* To sleep, and up again, as the deadline has passed. */
static int sleep_a_while(struct end *end)
{
	int error = end_sleep(end, end->ring.bias ? end->size : 8, 1);

	return error == -ETIMEDOUT ? 0 : -EIO;
}

FIXTURE_VARIANT_ADD(killed, sending)
{
	.producer = true,
	.deed = send_two,
};

FIXTURE_VARIANT_ADD(killed, sending_to_a_sleeper)
{
	.producer = true,
	.asleep = true,
	.deed = send_two,
};

FIXTURE_VARIANT_ADD(killed, receiving)
{
	.sent = 2,
	.deed = receive_two,
};

FIXTURE_VARIANT_ADD(killed, receiving_from_a_sleeper)
{
	.sent = 2,
	.asleep = true,
	.deed = receive_two,
};

FIXTURE_VARIANT_ADD(killed, going_to_sleep)
{
	.deed = sleep_a_while,
};

FIXTURE_VARIANT_ADD(killed, going_to_sleep_when_full)
{
	.producer = true,
	.sent = 1,
	.deed = sleep_a_while,
};

FIXTURE_SETUP(killed)
{
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(killed)
{
	close(self->dev);
}

static void open_both(FIXTURE_DATA(killed) * self)
{
	__u64 id;

	self->producer.fd = end_make(self->dev, W, sysconf(_SC_PAGESIZE));
	CHECK(self->producer.fd >= 0);
	id = box_id(self->producer.fd);
	self->consumer.fd = box_open_id(self->dev, id, R);
	CHECK_EQ(0, end_map(&self->producer, self->producer.fd, 1));
	CHECK_EQ(0, end_map(&self->consumer, self->consumer.fd, 0));
	/* So that another end can be opened. */
	self->fd = box_open_id(self->dev, id, M);
	CHECK(self->fd >= 0);
}

/* The message of this number is whole. */
static bool is_message(const unsigned char *message, unsigned int number)
{
	unsigned int i;

	for (i = 0; i < MESSAGE; i++)
		if (message[i] != number)
			return false;
	return true;
}

/* Messages from @number on, and then the end; how many there were. */
static int drain(struct end *end, unsigned int number)
{
	unsigned char message[MESSAGE];
	unsigned int first = number;
	int ret;

	while ((ret = end_receive(end, message, sizeof(message),
				  box_in_ms(60000))) == MESSAGE) {
		CHECK(is_message(message, number));
		number++;
	}
	CHECK_EQ(-EPIPE, ret);
	return number - first;
}

/* Another end in the place of the one that was killed, from the beginning. */
static void replace_end(FIXTURE_DATA(killed) * self,
			const FIXTURE_VARIANT(killed) * variant,
			struct end *survivor)
{
	unsigned char message[MESSAGE];
	struct end end;
	int fd = box_open_id(self->dev, box_id(self->fd),
			     variant->producer ? W : R);

	CHECK(fd >= 0);
	CHECK_EQ(0, end_map(&end, fd, variant->producer));
	CHECK_EQ(0, end.own->attention);
	if (variant->producer) {
		memset(message, 9, sizeof(message));
		CHECK_EQ(0, end_send(&end, message, sizeof(message), 0));
		CHECK_EQ(MESSAGE, end_receive(survivor, message,
					      sizeof(message), 0));
		CHECK(is_message(message, 9));
	} else {
		CHECK_EQ(0, end_send(survivor, message, sizeof(message), 0));
		while (end_receive(&end, message, sizeof(message), 0) >= 0)
			;
		CHECK_EQ(survivor->own->position, end.own->position);
	}
	end_close(&end);
}

/* The child stops itself, and is killed @steps instructions later. */
static bool step_and_kill(pid_t pid, unsigned int steps)
{
	int status;

	CHECK_EQ(pid, waitpid(pid, &status, 0));
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	while (steps--) {
		CHECK_EQ(0, ptrace(PTRACE_SINGLESTEP, pid, 0, 0));
		CHECK_EQ(pid, waitpid(pid, &status, 0));
		if (WIFEXITED(status)) {
			CHECK_EQ(0, WEXITSTATUS(status));
			return false;
		}
	}
	kill(pid, SIGKILL);
	CHECK_EQ(pid, waitpid(pid, &status, 0));
	CHECK(WIFSIGNALED(status));
	return true;
}

static void prepare(FIXTURE_DATA(killed) * self,
		    const FIXTURE_VARIANT(killed) * variant)
{
	unsigned char message[MESSAGE];
	unsigned int i;

	open_both(self);
	for (i = 0; i < variant->sent; i++) {
		memset(message, i, sizeof(message));
		CHECK_EQ(0, end_send(&self->producer, message, MESSAGE, 0));
	}
	if (variant->asleep) {
		struct end *end = variant->producer ? &self->consumer :
						      &self->producer;

		ipcbox_ring_sleep(&end->ring, ipcbox_ring_wanted(&end->ring,
								 8));
	}
}

/* One life and death; whether the deed was not done yet. */
static bool attempt(FIXTURE_DATA(killed) * self,
		    const FIXTURE_VARIANT(killed) * variant, unsigned int steps)
{
	struct end *survivor, *victim;
	bool cut;
	pid_t pid;
	int n;

	prepare(self, variant);
	victim = variant->producer ? &self->producer : &self->consumer;
	survivor = variant->producer ? &self->consumer : &self->producer;
	pid = box_fork();
	if (!pid) {
		end_close(survivor);
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(variant->deed(victim) ? 1 : 0);
	}
	end_close(victim);
	cut = step_and_kill(pid, steps);
	if (variant->producer) {
		n = drain(survivor, variant->sent ? 0 : 2);
		if (variant->deed == send_two)
			CHECK(n <= 2 && (cut || n == 2));
		else
			CHECK_EQ((int)variant->sent, n);
	} else {
		CHECK_EQ(-EPIPE, end_send(survivor, "", 0, 0));
		/* Released are whole messages, from the first. */
		CHECK_EQ(0, survivor->other->position % 48);
		CHECK(survivor->other->position <= 48 * variant->sent);
	}
	CHECK_EQ(POLLHUP, box_poll(survivor->fd));
	replace_end(self, variant, survivor);
	end_close(survivor);
	close(self->fd);
	return cut;
}

TEST_F(killed, after_each_instruction)
{
	const char *text = getenv("STRIDE");
	unsigned int stride = text ? atoi(text) : STRIDE;
	struct ipcbox_info before, after;
	unsigned int steps = box_now() / 1000 % stride;
	pid_t pid;

	ASSERT_EQ(0, box_info(self->dev, &before));
	pid = box_fork();
	if (!pid) {
		while (steps < STEPS_MAX && attempt(self, variant, steps))
			steps += stride;
		printf("# %u instructions\n", steps);
		fflush(stdout);
		/* It was killed on the way, and came to its end as well. */
		CHECK(steps > 100 && steps < STEPS_MAX);
		_exit(0);
	}
	EXPECT_EQ(0, box_wait(pid));
	ASSERT_EQ(0, box_info(self->dev, &after));
	EXPECT_EQ(before.user_mapped_bytes_used, after.user_mapped_bytes_used);
	EXPECT_EQ(before.box_objects_used, after.box_objects_used);
}

TEST_HARNESS_MAIN
