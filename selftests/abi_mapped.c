// SPDX-License-Identifier: GPL-2.0
/*
 * Every ioctl of regions, semaphores, channels and receive pools checks what it is
 * given, as abi_matrix shows it of the others.
 */
#include "kselftest_harness.h"
#include "abi.h"
#include "channel_end.h"
#include "pool.h"
#include "region.h"

FROZEN_SIZE(pool_record, 48);
FROZEN(pool_record, sequence, 8);
FROZEN(pool_record, pid, 32);
FROZEN_SIZE(pool_page, 80);
FROZEN(pool_page, wake_at, 64);
FROZEN_SIZE(pool_receiver, 16);
FROZEN_SIZE(pool_wait, 16);
FROZEN_SIZE(seal, 8);
FROZEN_SIZE(sem_operation, 16);
FROZEN_SIZE(sem_operate, 32);
FROZEN(sem_operate, deadline, 24);
FROZEN_SIZE(sem_state, 24);
FROZEN_SIZE(sem_get, 32);
FROZEN(sem_get, pad, 28);
FROZEN_SIZE(sem_value, 16);
FROZEN_SIZE(sem_assign, 24);
FROZEN_SIZE(channel_page, 256);
FROZEN(channel_page, attention, 128);
FROZEN(channel_page, wanted, 132);
FROZEN_SIZE(channel_wait, 24);
FROZEN(channel_wait, position, 12);
FROZEN(channel_wait, deadline, 16);
FROZEN_SIZE(channel_wake, 8);

#define SEMS		3
#define RW		(PROT_READ | PROT_WRITE)
#define RING		65536

FIXTURE(abi)
{
	int dev;
	int region;		/* of a page, and semaphores of 1, 2 and 3 */
	int channel;		/* its consumer's end */
	int pool;		/* a mailbox with three messages, not mapped */
	int on;			/* the descriptor of the variant's command */
	long page;
	struct end producer;	/* of the channel, mapped; it sleeps */
	union request request;
	struct ipcbox_sem_operation operations[2];
	struct ipcbox_sem_state states[2];
	struct ipcbox_sem_value values[2];
	struct ipcbox_outgoing out[2];
	struct ipcbox_incoming in[2];
	__u32 received[2];
	__u32 sent[2];
	struct box_snapshot before;
};

FIXTURE_VARIANT(abi)
{
	unsigned int command;
	unsigned int size;
	unsigned int first;	/* size of its first version, if less */
	unsigned int flags;	/* that are known */
	unsigned int pad;	/* offset of the padding, or NO_PAD */
	unsigned int pad2;	/* of more */
	unsigned int kind;	/* of the object that it is called on */
	bool writes;		/* writes its structure back */
};

FIXTURE_VARIANT_ADD(abi, seal)
{
	.kind = IPCBOX_REGION,
	.command = IPCBOX_IOC_SEAL,
	.size = sizeof(struct ipcbox_seal),
};

FIXTURE_VARIANT_ADD(abi, sem)
{
	.kind = IPCBOX_REGION,
	.command = IPCBOX_IOC_SEM,
	.size = sizeof(struct ipcbox_sem_operate),
	.flags = IPCBOX_NOWAIT | IPCBOX_SEM_WATCH | IPCBOX_REALTIME |
		 IPCBOX_NORESTART,
};

FIXTURE_VARIANT_ADD(abi, sem_get)
{
	.kind = IPCBOX_REGION,
	.command = IPCBOX_IOC_SEM_GET,
	.size = sizeof(struct ipcbox_sem_get),
	.pad = offsetof(struct ipcbox_sem_get, pad),
};

FIXTURE_VARIANT_ADD(abi, sem_set)
{
	.kind = IPCBOX_REGION,
	.command = IPCBOX_IOC_SEM_SET,
	.size = sizeof(struct ipcbox_sem_assign),
};

FIXTURE_VARIANT_ADD(abi, region_stat)
{
	.kind = IPCBOX_REGION,
	.command = IPCBOX_IOC_STAT,
	.size = sizeof(struct ipcbox_stat),
	.pad = offsetof(struct ipcbox_stat, pad),
	.writes = true,
};

FIXTURE_VARIANT_ADD(abi, region_set)
{
	.kind = IPCBOX_REGION,
	.command = IPCBOX_IOC_SET,
	.size = sizeof(struct ipcbox_set),
};

FIXTURE_VARIANT_ADD(abi, channel_wait)
{
	.kind = IPCBOX_CHANNEL,
	.command = IPCBOX_IOC_CHANNEL_WAIT,
	.size = sizeof(struct ipcbox_channel_wait),
	.writes = true,
};

FIXTURE_VARIANT_ADD(abi, channel_wake)
{
	.kind = IPCBOX_CHANNEL,
	.command = IPCBOX_IOC_CHANNEL_WAKE,
	.size = sizeof(struct ipcbox_channel_wake),
};

FIXTURE_VARIANT_ADD(abi, channel_stat)
{
	.kind = IPCBOX_CHANNEL,
	.command = IPCBOX_IOC_STAT,
	.size = sizeof(struct ipcbox_stat),
	.pad = offsetof(struct ipcbox_stat, pad),
	.writes = true,
};

FIXTURE_VARIANT_ADD(abi, channel_set)
{
	.kind = IPCBOX_CHANNEL,
	.command = IPCBOX_IOC_SET,
	.size = sizeof(struct ipcbox_set),
};

FIXTURE_VARIANT_ADD(abi, pool_wait)
{
	.kind = IPCBOX_MAILBOX,
	.command = IPCBOX_IOC_POOL_WAIT,
	.size = sizeof(struct ipcbox_pool_wait),
	.flags = IPCBOX_NOWAIT | IPCBOX_REALTIME | IPCBOX_NORESTART,
};

FIXTURE_VARIANT_ADD(abi, pool_stat)
{
	.kind = IPCBOX_MAILBOX,
	.command = IPCBOX_IOC_STAT,
	.size = sizeof(struct ipcbox_stat),
	.pad = offsetof(struct ipcbox_stat, pad),
	.writes = true,
};

FIXTURE_VARIANT_ADD(abi, pool_set)
{
	.kind = IPCBOX_MAILBOX,
	.command = IPCBOX_IOC_SET,
	.size = sizeof(struct ipcbox_set),
};

FIXTURE_VARIANT_ADD(abi, pool_send)
{
	.kind = IPCBOX_MAILBOX,
	.command = IPCBOX_IOC_SEND,
	.size = sizeof(struct ipcbox_send),
	.flags = IPCBOX_NOWAIT | IPCBOX_SYNC | IPCBOX_REALTIME |
		 IPCBOX_NORESTART,
};

FIXTURE_VARIANT_ADD(abi, pool_receive)
{
	.kind = IPCBOX_MAILBOX,
	.command = IPCBOX_IOC_RECEIVE,
	.size = sizeof(struct ipcbox_receive),
	.flags = IPCBOX_NOWAIT | IPCBOX_HOLD | IPCBOX_PEEK |
		 IPCBOX_SELECT_TAG | IPCBOX_SELECT_PID |
		 IPCBOX_SELECT_SEQUENCE | IPCBOX_REALTIME | IPCBOX_NORESTART |
		 IPCBOX_TRUNCATE | IPCBOX_LARGEST | IPCBOX_SELECT_TAG_NOT |
		 IPCBOX_SELECT_TAG_LOWEST,
};

static int make_region(int dev)
{
	int fd = region_make(dev, NULL, RWM, sysconf(_SC_PAGESIZE), SEMS);

	return sem_assign_three(fd, 1, 2, 3) ? -1 : fd;
}

static int put_three(int fd)
{
	__u32 i;

	for (i = 0; i < 3; i++)
		if (box_put(fd, i) != 1)
			return -1;
	return 0;
}

FIXTURE_SETUP(abi)
{
	int w;

	self->page = sysconf(_SC_PAGESIZE);
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	self->region = make_region(self->dev);
	ASSERT_LE(0, self->region);
	self->channel = end_make(self->dev, R | M, self->page);
	ASSERT_LE(0, self->channel);
	w = box_open_id(self->dev, box_id(self->channel), W);
	ASSERT_EQ(0, end_map(&self->producer, w, 1));
	ipcbox_ring_sleep(&self->producer.ring, 8);
	self->pool = pool_create(self->dev, RWM, RING, 0, 0);
	ASSERT_LE(0, self->pool);
	ASSERT_EQ(0, put_three(self->pool));
	self->on = variant->kind == IPCBOX_REGION ? self->region :
		   variant->kind == IPCBOX_CHANNEL ? self->channel : self->pool;
	box_snapshot(self->dev, self->on, &self->before);
}

FIXTURE_TEARDOWN(abi)
{
	close(self->pool);
	end_close(&self->producer);
	close(self->channel);
	close(self->region);
	close(self->dev);
}

static union request *good(FIXTURE_DATA(abi) * self,
			   const FIXTURE_VARIANT(abi) * variant)
{
	union request *request = &self->request;
	int i;

	memset(request, 0, sizeof(*request));
	request->size = variant->size;
	memset(self->out, 0, sizeof(self->out));
	memset(self->in, 0, sizeof(self->in));
	memset(self->operations, 0, sizeof(self->operations));
	memset(self->values, 0, sizeof(self->values));
	for (i = 0; i < 2; i++) {
		self->operations[i].semaphore = i;
		self->operations[i].change = i ? -2 : 4;
		self->values[i].semaphore = i;
		self->values[i].value = 8 + i;
		self->values[i].maximum = 9;
		self->out[i].data = (uintptr_t)&self->sent[i];
		self->out[i].length = sizeof(self->sent[i]);
		self->in[i].data = (uintptr_t)&self->received[i];
		self->in[i].capacity = sizeof(self->received[i]);
	}
	switch (variant->command) {
	case IPCBOX_IOC_SEM:
		request->sem_operate.operations = (uintptr_t)self->operations;
		request->sem_operate.count = 2;
		request->sem_operate.operation_size =
			sizeof(self->operations[0]);
		request->sem_operate.deadline = IPCBOX_FOREVER;
		break;
	case IPCBOX_IOC_SEM_GET:
		request->sem_get.states = (uintptr_t)self->states;
		request->sem_get.first = 1;
		request->sem_get.count = 2;
		request->sem_get.state_size = sizeof(self->states[0]);
		break;
	case IPCBOX_IOC_SEM_SET:
		request->sem_assign.values = (uintptr_t)self->values;
		request->sem_assign.count = 2;
		request->sem_assign.value_size = sizeof(self->values[0]);
		break;
	case IPCBOX_IOC_SET:
		request->set.mask = IPCBOX_SET_MODE;
		request->set.mode = 0640;
		break;
	case IPCBOX_IOC_CHANNEL_WAIT:
		/* The other end is there. */
		request->wait.deadline = IPCBOX_FOREVER;
		break;
	case IPCBOX_IOC_POOL_WAIT:
		request->pool_wait.deadline = IPCBOX_FOREVER;
		break;
	case IPCBOX_IOC_SEND:
		request->send.messages = (uintptr_t)self->out;
		request->send.count = 2;
		request->send.message_size = sizeof(self->out[0]);
		request->send.deadline = IPCBOX_FOREVER;
		break;
	case IPCBOX_IOC_RECEIVE:
		request->receive.messages = (uintptr_t)self->in;
		request->receive.count = 2;
		request->receive.message_size = sizeof(self->in[0]);
		request->receive.deadline = IPCBOX_FOREVER;
		break;
	}
	return request;
}

static bool is_asleep(const struct end *end)
{
	return __atomic_load_n(&end->own->attention, __ATOMIC_ACQUIRE) &
	       IPCBOX_CHANNEL_SLEEPS;
}

/* The pool has as many as this; and has three again. */
static bool refill(int fd, unsigned int messages)
{
	struct ipcbox_stat stat;
	__u32 number;

	if (box_stat(fd, &stat) || stat.messages != messages)
		return false;
	while (box_get(fd, &number) == 1)
		;
	return !put_three(fd);
}

/* Sealed is for ever: another takes its place. */
static bool is_sealed(FIXTURE_DATA(abi) * self)
{
	bool sealed = region_sealed(self->region);

	close(self->region);
	self->region = make_region(self->dev);
	self->on = self->region;
	return sealed && self->region >= 0;
}

static bool granted(FIXTURE_DATA(abi) * self,
		    const FIXTURE_VARIANT(abi) * variant,
		    union request *request, int ret)
{
	struct ipcbox_stat stat;

	switch (variant->command) {
	case IPCBOX_IOC_SEAL:
		return ret == 0 && is_sealed(self);
	case IPCBOX_IOC_SEM:
		return ret == 0 && sem_has_three(self->region, 5, 0, 3) &&
		       !sem_assign_three(self->region, 1, 2, 3);
	case IPCBOX_IOC_SEM_GET:
		return ret == 0 && self->states[0].value == 2 &&
		       self->states[1].value == 3 &&
		       self->states[1].maximum == SEM_MAX &&
		       self->states[1].rising == 0 &&
		       self->states[1].falling == 0 &&
		       self->states[1].pid == getpid() &&
		       self->states[1].flags == 0;
	case IPCBOX_IOC_SEM_SET:
		return ret == 0 && sem_has_three(self->region, 8, 9, 3) &&
		       sem_now(self->region, 0, 2, 0) == -ERANGE &&
		       !sem_assign_three(self->region, 1, 2, 3);
	case IPCBOX_IOC_STAT:
		return ret == 0 && request->stat.kind == variant->kind &&
		       request->stat.id == self->before.stat.id &&
		       request->stat.mapped_bytes ==
			       self->before.stat.mapped_bytes;
	case IPCBOX_IOC_SET:
		return ret == 0 && !box_stat(self->on, &stat) &&
		       stat.mode == 0640 && !box_set_mode(self->on, 0600);
	case IPCBOX_IOC_CHANNEL_WAIT:
		return ret == 0 && request->wait.position == 0;
	case IPCBOX_IOC_CHANNEL_WAKE:
		if (ret || is_asleep(&self->producer))
			return false;
		ipcbox_ring_sleep(&self->producer.ring, 8);
		return true;
	case IPCBOX_IOC_POOL_WAIT:
		return ret == 0 && !box_stat(self->pool, &stat) &&
		       stat.messages == 3;
	case IPCBOX_IOC_SEND:
		return ret == 2 && refill(self->pool, 5);
	case IPCBOX_IOC_RECEIVE:
		return ret == 2 && self->received[0] == 0 &&
		       self->received[1] == 1 && self->in[0].length == 4 &&
		       self->in[1].pid == getpid() && refill(self->pool, 1);
	}
	return false;
}

static void spoil(FIXTURE_DATA(abi) * self,
		  const FIXTURE_VARIANT(abi) * variant, union request *request)
{
	switch (variant->command) {
	case IPCBOX_IOC_SEM:
		self->operations[1].pad = 1;
		break;
	case IPCBOX_IOC_SEM_SET:
		self->values[1].pad = 1;
		break;
	case IPCBOX_IOC_SET:
		request->set.mask |= 0x200;
		break;
	case IPCBOX_IOC_SEND:
		self->out[0].pad = 1;
		break;
	default:
		request->word[1] = ~variant->flags;
	}
}

static void fill_outputs(FIXTURE_DATA(abi) * self,
			 const FIXTURE_VARIANT(abi) * variant,
			 union request *request)
{
	switch (variant->command) {
	case IPCBOX_IOC_SEM_GET:
		memset(self->states, 0xff, sizeof(self->states));
		break;
	case IPCBOX_IOC_STAT:
		memset(&request->stat.id, 0xff,
		       offsetof(struct ipcbox_stat, pad) -
		       offsetof(struct ipcbox_stat, id));
		break;
	case IPCBOX_IOC_CHANNEL_WAIT:
		request->wait.position = -1;
		break;
	case IPCBOX_IOC_RECEIVE:
		memset(&self->in[0].length, 0xff,
		       sizeof(self->in[0]) -
		       offsetof(struct ipcbox_incoming, length));
		break;
	}
}

static bool untouched(FIXTURE_DATA(abi) * self)
{
	return box_unchanged(self->dev, self->on, &self->before) &&
	       sem_has_three(self->region, 1, 2, 3) && is_asleep(&self->producer);
}

static bool intact(FIXTURE_DATA(abi) * self)
{
	__u32 number, i;

	for (i = 0; i < 3; i++)
		if (box_get(self->pool, &number) != 1 || number != i)
			return false;
	return box_get(self->pool, &number) == -EAGAIN &&
	       sem_has_three(self->region, 1, 2, 3) &&
	       !region_map_error(self->region, self->page, RW, MAP_SHARED, 0);
}

static int stranger(FIXTURE_DATA(abi) * self,
		    const FIXTURE_VARIANT(abi) * variant)
{
	switch (variant->command) {
	case IPCBOX_IOC_STAT:
	case IPCBOX_IOC_SET:
		return self->dev;
	}
	return variant->kind == IPCBOX_REGION ? self->channel : self->region;
}

#include "abi_matrix.h"

TEST_HARNESS_MAIN
