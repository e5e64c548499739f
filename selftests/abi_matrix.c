// SPDX-License-Identifier: GPL-2.0
/*
 * Every ioctl checks what it is given: size, tail, flags, padding, pointers,
 * counts, strides, the descriptor that it is called on and its rights; refuses
 * with the errno that the header gives; and a refused call changes nothing.
 */
#include <assert.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "box.h"

/*
 * The interface is frozen, and the same for 32-bit and 64-bit programs; what
 * is new comes at the end.
 */
#define FROZEN(type, field, offset) \
	static_assert(offsetof(struct ipcbox_##type, field) == (offset), \
		      #type "." #field)
#define FROZEN_SIZE(type, size) \
	static_assert(sizeof(struct ipcbox_##type) == (size), #type)

FROZEN_SIZE(info, 168);
FROZEN(info, features, 16);
FROZEN(info, discarded, 136);
FROZEN(info, user_mapped_bytes, 144);
FROZEN(info, pool_message_bytes, 160);
FROZEN_SIZE(create, 88);
FROZEN(create, name, 24);
FROZEN(create, id, 56);
FROZEN(create, max_descriptors, 68);
FROZEN(create, mapped_bytes, 72);
FROZEN(create, pad2, 84);
FROZEN_SIZE(open, 48);
FROZEN(open, object, 16);
FROZEN(open, id, 40);
FROZEN_SIZE(unlink, 32);
FROZEN(unlink, name, 24);
FROZEN_SIZE(stat, 336);
FROZEN(stat, name, 40);
FROZEN(stat, max_messages, 104);
FROZEN(stat, handles, 200);
FROZEN(stat, pad, 220);
FROZEN(stat, held, 224);
FROZEN(stat, dead_letter, 264);
FROZEN(stat, max_descriptors, 276);
FROZEN(stat, mapped_bytes, 280);
FROZEN(stat, semaphores, 292);
FROZEN(stat, creator_uid, 296);
FROZEN(stat, sent_at, 312);
FROZEN_SIZE(list, 48);
FROZEN(list, entries, 16);
FROZEN(list, next, 32);
FROZEN_SIZE(set, 64);
FROZEN(set, max_messages, 24);
FROZEN(set, dead_letter, 48);
FROZEN(set, max_descriptors, 60);
FROZEN_SIZE(outgoing, 48);
FROZEN(outgoing, lifetime, 24);
FROZEN(outgoing, descriptors, 32);
FROZEN(outgoing, pad, 44);
FROZEN_SIZE(send, 40);
FROZEN(send, deadline, 24);
FROZEN(send, object, 32);
FROZEN_SIZE(incoming, 112);
FROZEN(incoming, descriptors, 8);
FROZEN(incoming, length, 24);
FROZEN(incoming, pid, 56);
FROZEN(incoming, token, 72);
FROZEN(incoming, origin, 88);
FROZEN(incoming, pad, 108);
FROZEN_SIZE(receive, 72);
FROZEN(receive, deadline, 24);
FROZEN(receive, tag, 32);
FROZEN(receive, pid, 56);
FROZEN(receive, object, 64);
FROZEN_SIZE(call, 40);
FROZEN(call, reply, 16);
FROZEN(call, deadline, 32);
FROZEN_SIZE(pool_record, 48);
FROZEN(pool_record, sequence, 8);
FROZEN(pool_record, pid, 32);
FROZEN_SIZE(pool_page, 80);
FROZEN(pool_page, wake_at, 64);
FROZEN_SIZE(pool_receiver, 16);
FROZEN_SIZE(pool_wait, 16);
FROZEN_SIZE(settle, 56);
FROZEN(settle, data, 16);
FROZEN(settle, tag, 32);
FROZEN(settle, descriptors, 40);
FROZEN(settle, pad, 52);
FROZEN_SIZE(answer, 72);
FROZEN(answer, data, 16);
FROZEN(answer, message, 40);
FROZEN(answer, descriptors, 56);
FROZEN(answer, deadline, 64);
FROZEN_SIZE(notify, 32);
FROZEN(notify, value, 24);
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

/*
 * Sizes of the first published version, which are accepted for ever. They are
 * the present ones until a structure grows: then they are numbers here, and in
 * .first of the command's variant.
 */
#define FIRST_STAT	sizeof(struct ipcbox_stat)
#define FIRST_OUTGOING	sizeof(struct ipcbox_outgoing)
#define FIRST_INCOMING	sizeof(struct ipcbox_incoming)

#define NO_PAD		0
#define BAD_ADDRESS	((void *)(uintptr_t)(LONG_MAX - 4095))

union request {
	__u32 size;
	__u32 word[PATH_MAX / 4 * 2];
	struct ipcbox_info info;
	struct ipcbox_create create;
	struct ipcbox_open open;
	struct ipcbox_unlink unlink;
	struct ipcbox_stat stat;
	struct ipcbox_list list;
	struct ipcbox_set set;
	struct ipcbox_send send;
	struct ipcbox_receive receive;
	struct ipcbox_call call;
	struct ipcbox_settle settle;
	struct ipcbox_answer answer;
	struct ipcbox_channel_wait wait;
	struct ipcbox_channel_wake wake;
};

FIXTURE(abi)
{
	int dev;
	int queue;		/* with three messages in it, and all rights */
	int spare;		/* an object to unlink */
	int served;		/* a mailbox, for calls */
	int channel;		/* an end of a channel, for its commands */
	pid_t server;
	__u64 token;		/* of a fourth message, held by the queue */
	int on;			/* the descriptor of the variant's command */
	long page;
	union request request;
	struct ipcbox_stat entries[4];
	struct ipcbox_outgoing out[2];
	struct ipcbox_incoming in[2];
	__u32 received[2];
	__u32 sent[2];
	char name[BOX_NAME_SIZE];
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
	bool handle;		/* called on a handle, not on the device */
	bool writes;		/* writes its structure back */
};

FIXTURE_VARIANT_ADD(abi, info)
{
	.command = IPCBOX_IOC_INFO,
	.size = sizeof(struct ipcbox_info),
	.pad = offsetof(struct ipcbox_info, pad),
	.writes = true,
};

FIXTURE_VARIANT_ADD(abi, create)
{
	.command = IPCBOX_IOC_CREATE,
	.size = sizeof(struct ipcbox_create),
	.flags = IPCBOX_CREATE_EXCLUSIVE | IPCBOX_CREATE_PERSISTENT |
		 IPCBOX_CREATE_NONBLOCK | IPCBOX_CREATE_STREAM |
		 IPCBOX_CREATE_PLAIN | IPCBOX_CREATE_REVOCABLE,
	.pad = offsetof(struct ipcbox_create, pad2),
	.writes = true,
};

FIXTURE_VARIANT_ADD(abi, open)
{
	.command = IPCBOX_IOC_OPEN,
	.size = sizeof(struct ipcbox_open),
	.flags = IPCBOX_OPEN_NONBLOCK | IPCBOX_OPEN_REVOCABLE,
	.writes = true,
};

FIXTURE_VARIANT_ADD(abi, unlink)
{
	.command = IPCBOX_IOC_UNLINK,
	.size = sizeof(struct ipcbox_unlink),
};

FIXTURE_VARIANT_ADD(abi, list)
{
	.command = IPCBOX_IOC_LIST,
	.size = sizeof(struct ipcbox_list),
	.pad = offsetof(struct ipcbox_list, pad),
	.writes = true,
};

FIXTURE_VARIANT_ADD(abi, stat)
{
	.command = IPCBOX_IOC_STAT,
	.size = sizeof(struct ipcbox_stat),
	.pad = offsetof(struct ipcbox_stat, pad),
	.handle = true,
	.writes = true,
};

FIXTURE_VARIANT_ADD(abi, set)
{
	.command = IPCBOX_IOC_SET,
	.size = sizeof(struct ipcbox_set),
	.handle = true,
};

FIXTURE_VARIANT_ADD(abi, send)
{
	.command = IPCBOX_IOC_SEND,
	.size = sizeof(struct ipcbox_send),
	.flags = IPCBOX_NOWAIT | IPCBOX_SYNC | IPCBOX_REALTIME |
		 IPCBOX_NORESTART,
	.handle = true,
};

FIXTURE_VARIANT_ADD(abi, receive)
{
	.command = IPCBOX_IOC_RECEIVE,
	.size = sizeof(struct ipcbox_receive),
	.flags = IPCBOX_NOWAIT | IPCBOX_HOLD | IPCBOX_PEEK |
		 IPCBOX_SELECT_TAG | IPCBOX_SELECT_PID |
		 IPCBOX_SELECT_SEQUENCE | IPCBOX_REALTIME | IPCBOX_NORESTART |
		 IPCBOX_TRUNCATE | IPCBOX_LARGEST | IPCBOX_SELECT_TAG_NOT |
		 IPCBOX_SELECT_TAG_LOWEST,
	.handle = true,
};

FIXTURE_VARIANT_ADD(abi, call)
{
	.command = IPCBOX_IOC_CALL,
	.size = sizeof(struct ipcbox_call),
	.flags = IPCBOX_NOWAIT,
	.handle = true,
};

FIXTURE_VARIANT_ADD(abi, settle)
{
	.command = IPCBOX_IOC_SETTLE,
	.size = sizeof(struct ipcbox_settle),
	.pad = offsetof(struct ipcbox_settle, pad),
	.handle = true,
};

FIXTURE_VARIANT_ADD(abi, answer)
{
	.command = IPCBOX_IOC_ANSWER,
	.size = sizeof(struct ipcbox_answer),
	.flags = IPCBOX_NOWAIT | IPCBOX_HOLD,
	.handle = true,
};

FIXTURE_VARIANT_ADD(abi, channel_wait)
{
	.command = IPCBOX_IOC_CHANNEL_WAIT,
	.size = sizeof(struct ipcbox_channel_wait),
	.handle = true,
	.writes = true,
};

FIXTURE_VARIANT_ADD(abi, channel_wake)
{
	.command = IPCBOX_IOC_CHANNEL_WAKE,
	.size = sizeof(struct ipcbox_channel_wake),
	.handle = true,
};

/* Replies with one more, again and again. */
static void serve(int fd)
{
	struct ipcbox_incoming in = { };
	struct ipcbox_answer answer = { };
	__u32 number;

	in.data = (uintptr_t)&number;
	in.capacity = sizeof(number);
	answer.message = (uintptr_t)&in;
	answer.deadline = IPCBOX_FOREVER;
	while (box_answer(fd, &answer) == 1) {
		number++;
		answer.token = in.token;
		answer.action = IPCBOX_REPLY;
		answer.data = (uintptr_t)&number;
		answer.length = sizeof(number);
	}
	_exit(1);
}

/* One message more, which is held from now on. */
static void hold_one(FIXTURE_DATA(abi) * self)
{
	struct ipcbox_incoming in;
	__u32 number;

	if (box_put_priority(self->queue, 99, 9) != 1 ||
	    box_hold(self->queue, &in, &number) != 1)
		abort();
	self->token = in.token;
}

FIXTURE_SETUP(abi)
{
	__u32 i;

	self->page = sysconf(_SC_PAGESIZE);
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	box_name(self->name, "abi");
	self->queue = box_make_named(self->dev, IPCBOX_QUEUE, RWM, 0,
				     self->name);
	ASSERT_LE(0, self->queue);
	self->spare = box_make(self->dev, IPCBOX_QUEUE, RWM);
	ASSERT_LE(0, self->spare);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(1, box_put(self->queue, i));
	}
	hold_one(self);
	self->on = variant->handle ? self->queue : self->dev;
	if (variant->command == IPCBOX_IOC_CALL) {
		self->served = box_make(self->dev, IPCBOX_MAILBOX, R | W);
		ASSERT_LE(0, self->served);
		self->server = box_fork();
		if (!self->server)
			serve(self->served);
		self->on = self->served;
		ASSERT_EQ(0, box_await_receivers(self->served, 1));
	}
	if (variant->command == IPCBOX_IOC_CHANNEL_WAIT ||
	    variant->command == IPCBOX_IOC_CHANNEL_WAKE) {
		self->channel = box_make(self->dev, IPCBOX_CHANNEL, R);
		ASSERT_LE(0, self->channel);
		self->on = self->channel;
	}
	box_snapshot(self->dev, self->queue, &self->before);
}

FIXTURE_TEARDOWN(abi)
{
	if (self->channel)
		close(self->channel);
	if (self->server) {
		kill(self->server, SIGKILL);
		EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(self->server));
		close(self->served);
	}
	close(self->spare);
	close(self->queue);
	close(self->dev);
}

/* The messages that the fixture put in, and nothing else, in their order. */
static bool intact(int queue)
{
	__u32 number, i;

	for (i = 0; i < 3; i++)
		if (box_get(queue, &number) != 1 || number != i)
			return false;
	return box_get(queue, &number) == -EAGAIN;
}

/* A request that is granted. */
static union request *good(FIXTURE_DATA(abi) * self,
			   const FIXTURE_VARIANT(abi) * variant)
{
	union request *request = &self->request;
	int i;

	memset(request, 0, sizeof(*request));
	request->size = variant->size;
	memset(self->out, 0, sizeof(self->out));
	memset(self->in, 0, sizeof(self->in));
	for (i = 0; i < 2; i++) {
		self->out[i].data = (uintptr_t)&self->sent[i];
		self->out[i].length = sizeof(self->sent[i]);
		self->in[i].data = (uintptr_t)&self->received[i];
		self->in[i].capacity = sizeof(self->received[i]);
	}
	switch (variant->command) {
	case IPCBOX_IOC_CREATE:
		request->create.kind = IPCBOX_QUEUE;
		request->create.mode = 0600;
		request->create.rights = R | W;
		break;
	case IPCBOX_IOC_OPEN:
		request->open.by = IPCBOX_BY_NAME;
		request->open.rights = W;
		request->open.name = (uintptr_t)self->name;
		request->open.name_length = strlen(self->name);
		break;
	case IPCBOX_IOC_UNLINK:
		request->unlink.by = IPCBOX_BY_ID;
		request->unlink.object = box_id(self->spare);
		break;
	case IPCBOX_IOC_LIST:
		request->list.entries = (uintptr_t)self->entries;
		request->list.count = ARRAY_SIZE(self->entries);
		request->list.entry_size = sizeof(self->entries[0]);
		break;
	case IPCBOX_IOC_SET:
		request->set.mask = IPCBOX_SET_MODE;
		request->set.mode = 0640;
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
	case IPCBOX_IOC_CALL:
		self->sent[0] = 1000;
		request->call.request = (uintptr_t)&self->out[0];
		request->call.reply = (uintptr_t)&self->in[0];
		request->call.request_size = sizeof(self->out[0]);
		request->call.reply_size = sizeof(self->in[0]);
		request->call.deadline = IPCBOX_FOREVER;
		break;
	case IPCBOX_IOC_SETTLE:
		request->settle.token = self->token;
		request->settle.action = IPCBOX_ACK;
		break;
	case IPCBOX_IOC_ANSWER:
		request->answer.token = self->token;
		request->answer.action = IPCBOX_ACK;
		request->answer.message = (uintptr_t)&self->in[0];
		request->answer.message_size = sizeof(self->in[0]);
		request->answer.deadline = IPCBOX_FOREVER;
		break;
	case IPCBOX_IOC_CHANNEL_WAIT:
		/* The other end is there. */
		request->wait.deadline = IPCBOX_FOREVER;
		break;
	}
	return request;
}

static int call(FIXTURE_DATA(abi) * self, const FIXTURE_VARIANT(abi) * variant,
		void *request)
{
	int ret = ioctl(self->on, variant->command, request);

	return ret < 0 ? -errno : ret;
}

/* It did what it was asked to: the state says so, not only the return. */
static bool granted(FIXTURE_DATA(abi) * self,
		    const FIXTURE_VARIANT(abi) * variant,
		    union request *request, int ret)
{
	struct ipcbox_stat stat;
	struct ipcbox_info info;
	__u32 number;

	if (ret < 0)
		return false;
	switch (variant->command) {
	case IPCBOX_IOC_INFO:
		return ret == 0 && request->info.abi == IPCBOX_ABI &&
		       request->info.features & IPCBOX_FEATURE_MESSAGES &&
		       request->info.batch_messages > 0 &&
		       request->info.box_objects_used >= 2;
	case IPCBOX_IOC_CREATE:
		if (box_stat(ret, &stat) || stat.handles != 1 ||
		    stat.id != request->create.id ||
		    request->create.created != 1)
			return false;
		return close(ret) == 0;
	case IPCBOX_IOC_OPEN:
		if (box_stat(ret, &stat) || stat.handles != 2 ||
		    stat.id != box_id(self->queue) ||
		    stat.id != request->open.id ||
		    request->open.kind != IPCBOX_QUEUE)
			return false;
		return close(ret) == 0;
	case IPCBOX_IOC_UNLINK:
		if (ret || box_stat(self->spare, &stat) ||
		    !(stat.state & IPCBOX_STATE_UNLINKED))
			return false;
		close(self->spare);
		self->spare = box_make(self->dev, IPCBOX_QUEUE, RWM);
		return self->spare >= 0;
	case IPCBOX_IOC_LIST:
		return ret == 0 && request->list.returned >= 2 &&
		       self->entries[0].id;
	case IPCBOX_IOC_STAT:
		return ret == 0 && request->stat.id == box_id(self->queue) &&
		       request->stat.messages == self->before.stat.messages;
	case IPCBOX_IOC_SET:
		return ret == 0 && !box_stat(self->queue, &stat) &&
		       stat.mode == 0640 && !box_set_mode(self->queue, 0600);
	case IPCBOX_IOC_SEND:
		if (ret != 2 || box_stat(self->queue, &stat) ||
		    stat.messages != self->before.stat.messages + 2)
			return false;
		/* Back to the three of the fixture. */
		for (;;) {
			if (box_get(self->queue, &number) != 1)
				break;
		}
		for (number = 0; number < 3; number++)
			box_put(self->queue, number);
		return true;
	case IPCBOX_IOC_RECEIVE:
		if (ret != 2 || self->received[0] != 0 ||
		    self->received[1] != 1 || self->in[0].length != 4 ||
		    self->in[1].length != 4 || box_stat(self->queue, &stat) ||
		    stat.messages != self->before.stat.messages - 2)
			return false;
		box_get(self->queue, &number);
		for (number = 0; number < 3; number++)
			box_put(self->queue, number);
		return true;
	case IPCBOX_IOC_CALL:
		return ret == 0 && self->received[0] == 1001 &&
		       self->in[0].length == 4 && self->in[0].sequence;
	case IPCBOX_IOC_SETTLE:
		if (ret || box_stat(self->queue, &stat) || stat.held ||
		    stat.messages != self->before.stat.messages)
			return false;
		hold_one(self);
		return true;
	case IPCBOX_IOC_ANSWER:
		if (ret != 1 || self->received[0] != 0 ||
		    self->in[0].length != 4 || self->in[0].token ||
		    box_stat(self->queue, &stat) || stat.held ||
		    stat.messages != self->before.stat.messages - 1)
			return false;
		while (box_get(self->queue, &number) == 1)
			;
		for (number = 0; number < 3; number++)
			box_put(self->queue, number);
		hold_one(self);
		return true;
	}
	return box_info(self->dev, &info) == 0;
}

TEST_F(abi, exact_size_is_granted)
{
	union request *request = good(self, variant);
	int ret = call(self, variant, request);

	EXPECT_TRUE(granted(self, variant, request, ret))
		TH_LOG("returned %d", ret);
	EXPECT_EQ(variant->size, request->size);
}

TEST_F(abi, smaller_size_is_refused)
{
	const unsigned int first = variant->first ?: variant->size;
	const unsigned int sizes[] = {
		0, 1, 3, 4, 5, 8, first / 2, first - 8, first - 4, first - 1,
	};
	union request *request;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (sizes[i] == first)
			continue;
		request = good(self, variant);
		request->size = sizes[i];
		EXPECT_EQ(-EINVAL, call(self, variant, request))
			TH_LOG("size %u", sizes[i]);
	}
	EXPECT_TRUE(box_unchanged(self->dev, self->queue, &self->before));
	EXPECT_TRUE(intact(self->queue));
}

/* A program of that time has no more than that, and gets no more. */
TEST_F(abi, the_first_version_is_granted)
{
	const unsigned int first = variant->first ?: variant->size;
	union request *request = good(self, variant);
	unsigned int i;
	int ret;

	memset((char *)request + first, 0x5a, 64);
	request->size = first;
	ret = call(self, variant, request);
	for (i = 0; i < 64; i++) {
		EXPECT_EQ(0x5a, ((char *)request)[first + i])
			TH_LOG("byte %u", first + i);
	}
	EXPECT_TRUE(granted(self, variant, request, ret))
		TH_LOG("returned %d", ret);
}

TEST_F(abi, larger_size_with_zero_tail_is_granted)
{
	const unsigned int sizes[] = {
		variant->size + 1, variant->size + 4, variant->size + 8,
		variant->size + 100, self->page,
	};
	union request *request;
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		request = good(self, variant);
		request->size = sizes[i];
		ret = call(self, variant, request);
		EXPECT_TRUE(granted(self, variant, request, ret))
			TH_LOG("size %u: %d", sizes[i], ret);
	}
}

TEST_F(abi, larger_size_with_other_tail_is_refused)
{
	const unsigned int at[] = {
		variant->size, variant->size + 1, variant->size + 63,
		self->page - 1,
	};
	union request *request;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		request = good(self, variant);
		request->size = self->page;
		((char *)request)[at[i]] = 1;
		EXPECT_EQ(-E2BIG, call(self, variant, request))
			TH_LOG("byte %u", at[i]);

		request = good(self, variant);
		request->size = at[i] + 1;
		((char *)request)[at[i]] = 0x80;
		EXPECT_EQ(-E2BIG, call(self, variant, request))
			TH_LOG("last byte %u", at[i]);
	}
	EXPECT_TRUE(box_unchanged(self->dev, self->queue, &self->before));
	EXPECT_TRUE(intact(self->queue));
}

TEST_F(abi, more_than_a_page_is_refused)
{
	const unsigned int sizes[] = {
		self->page + 1, 2 * self->page, INT_MAX, UINT_MAX,
	};
	union request *request;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		request = good(self, variant);
		request->size = sizes[i];
		EXPECT_EQ(-E2BIG, call(self, variant, request))
			TH_LOG("size %u", sizes[i]);
	}
	EXPECT_TRUE(box_unchanged(self->dev, self->queue, &self->before));
	EXPECT_TRUE(intact(self->queue));
}

TEST_F(abi, unknown_flags_are_refused)
{
	union request *request;
	int bit;

	for (bit = 0; bit < 32; bit++) {
		if (variant->flags & 1u << bit)
			continue;
		request = good(self, variant);
		request->word[1] = 1u << bit;
		EXPECT_EQ(-EINVAL, call(self, variant, request))
			TH_LOG("flag %#x", 1u << bit);
	}
	EXPECT_TRUE(box_unchanged(self->dev, self->queue, &self->before));
	EXPECT_TRUE(intact(self->queue));
}

TEST_F(abi, padding_must_be_zero)
{
	union request *request;

	if (variant->pad == NO_PAD) {
		/* It has none; what it has instead is what must be zero. */
		request = good(self, variant);
		switch (variant->command) {
		case IPCBOX_IOC_OPEN:
			request->open.object = 1;
			break;
		case IPCBOX_IOC_UNLINK:
			request->unlink.name = (uintptr_t)self->name;
			request->unlink.name_length = strlen(self->name);
			break;
		case IPCBOX_IOC_SET:
			request->set.mask |= 0x200;
			break;
		case IPCBOX_IOC_SETTLE:
			request->settle.data = (uintptr_t)self->sent;
			break;
		default:
			request->word[1] = ~variant->flags;
		}
		EXPECT_EQ(-EINVAL, call(self, variant, request));
	} else {
		request = good(self, variant);
		request->word[variant->pad / 4] = 1;
		EXPECT_EQ(-EINVAL, call(self, variant, request));
		request = good(self, variant);
		request->word[variant->pad / 4] = 0x80000000;
		EXPECT_EQ(-EINVAL, call(self, variant, request));
	}
	if (variant->pad2 != NO_PAD) {
		request = good(self, variant);
		request->word[variant->pad2 / 4] = 1;
		EXPECT_EQ(-EINVAL, call(self, variant, request));
	}
	EXPECT_TRUE(box_unchanged(self->dev, self->queue, &self->before));
	EXPECT_TRUE(intact(self->queue));
}

TEST_F(abi, outputs_are_not_read)
{
	union request *request = good(self, variant);
	int ret;

	switch (variant->command) {
	case IPCBOX_IOC_INFO:
		memset(&request->info.features, 0xff,
		       sizeof(request->info) -
		       offsetof(struct ipcbox_info, features));
		request->info.abi = 77;
		break;
	case IPCBOX_IOC_CREATE:
		request->create.id = -1;
		request->create.created = -1;
		break;
	case IPCBOX_IOC_OPEN:
		request->open.kind = -1;
		request->open.id = -1;
		break;
	case IPCBOX_IOC_LIST:
		request->list.next = -1;
		request->list.returned = -1;
		memset(self->entries, 0xff, sizeof(self->entries));
		break;
	case IPCBOX_IOC_STAT:
		memset(&request->stat.id, 0xff,
		       offsetof(struct ipcbox_stat, pad) -
		       offsetof(struct ipcbox_stat, id));
		break;
	case IPCBOX_IOC_RECEIVE:
	case IPCBOX_IOC_CALL:
	case IPCBOX_IOC_ANSWER:
		memset(&self->in[0].length, 0xff,
		       sizeof(self->in[0]) -
		       offsetof(struct ipcbox_incoming, length));
		break;
	}
	ret = call(self, variant, request);
	EXPECT_TRUE(granted(self, variant, request, ret))
		TH_LOG("returned %d", ret);
}

TEST_F(abi, pointer_to_nothing_is_efault)
{
	char *edge;
	void *readable;
	union request *request;
	unsigned int part;
	int ret;

	EXPECT_EQ(-EFAULT, call(self, variant, NULL));
	EXPECT_EQ(-EFAULT, call(self, variant, (void *)8));
	EXPECT_EQ(-EFAULT, call(self, variant, (void *)-1L));
	EXPECT_EQ(-EFAULT, call(self, variant, (void *)-4096L));
	EXPECT_EQ(-EFAULT, call(self, variant, BAD_ADDRESS));

	/* The structure goes on in a page that is not there. */
	for (part = 1; part < variant->size; part += 7) {
		request = good(self, variant);
		edge = box_edge(part);
		memcpy(edge, request, part);
		EXPECT_EQ(-EFAULT, call(self, variant, edge))
			TH_LOG("%u bytes of %u", part, variant->size);
		munmap((void *)((uintptr_t)edge & -self->page), self->page);
	}
	/* Its tail does. */
	request = good(self, variant);
	edge = box_edge(variant->size);
	request->size = variant->size + 8;
	memcpy(edge, request, variant->size);
	EXPECT_EQ(-EFAULT, call(self, variant, edge));

	/* It cannot be written back. */
	readable = mmap(NULL, self->page, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(readable != MAP_FAILED);
	request = good(self, variant);
	memcpy(readable, request, variant->size);
	ASSERT_EQ(0, mprotect(readable, self->page, PROT_READ));
	if (variant->writes) {
		EXPECT_EQ(-EFAULT, call(self, variant, readable));
	}
	EXPECT_TRUE(box_unchanged(self->dev, self->queue, &self->before));
	if (!variant->writes) {
		ret = call(self, variant, readable);
		EXPECT_TRUE(granted(self, variant, request, ret));
	}
	EXPECT_TRUE(intact(self->queue));
}

TEST_F(abi, any_alignment_is_granted)
{
	char *memory = malloc(2 * self->page);
	union request *request;
	int shift, ret;

	ASSERT_TRUE(!!memory);
	for (shift = 1; shift < 8; shift++) {
		request = good(self, variant);
		memcpy(memory + shift, request, variant->size);
		ret = call(self, variant, memory + shift);
		memcpy(request, memory + shift, variant->size);
		EXPECT_TRUE(granted(self, variant, request, ret))
			TH_LOG("shift %d: %d", shift, ret);
	}
	/* Up to the very end of what is mapped. */
	request = good(self, variant);
	memory = box_edge(variant->size);
	memcpy(memory, request, variant->size);
	ret = call(self, variant, memory);
	memcpy(request, memory, variant->size);
	EXPECT_TRUE(granted(self, variant, request, ret));
}

TEST_F(abi, wrong_descriptor_is_enotty)
{
	union request *request = good(self, variant);
	int other = variant->handle ? self->dev : self->queue;

	errno = 0;
	EXPECT_EQ(-1, ioctl(other, variant->command, request));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_TRUE(box_unchanged(self->dev, self->queue, &self->before));
	EXPECT_TRUE(intact(self->queue));
}

TEST_F(abi, unknown_command_is_enotty)
{
	union request *request = good(self, variant);
	unsigned int nr = _IOC_NR(variant->command);
	const unsigned int commands[] = {
		_IOWR(IPCBOX_IOC_TYPE, nr, union request),
		_IOC(_IOC_READ | _IOC_WRITE, IPCBOX_IOC_TYPE, nr,
		     variant->size),
		_IOR(IPCBOX_IOC_TYPE, nr, __u64),
		_IO(IPCBOX_IOC_TYPE + 1, nr),
		_IO(IPCBOX_IOC_TYPE, nr + 0x10),
		_IO(IPCBOX_IOC_TYPE, nr + 0x80),
		_IO(IPCBOX_IOC_TYPE, 0xff),
		0, UINT_MAX,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		errno = 0;
		EXPECT_EQ(-1, ioctl(self->on, commands[i], request));
		EXPECT_EQ(ENOTTY, errno)
			TH_LOG("command %#x", commands[i]);
	}
	EXPECT_TRUE(box_unchanged(self->dev, self->queue, &self->before));
	EXPECT_TRUE(intact(self->queue));
}

/* What only some of the calls have. */
FIXTURE(fields)
{
	int dev;
	int queue;
	char name[BOX_NAME_SIZE];
	__u64 batch;
	struct box_snapshot before;
};

FIXTURE_SETUP(fields)
{
	struct ipcbox_info info;
	__u32 i;

	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, box_info(self->dev, &info));
	self->batch = info.batch_messages;
	box_name(self->name, "fields");
	self->queue = box_make_named(self->dev, IPCBOX_QUEUE, RWM, 0,
				     self->name);
	ASSERT_LE(0, self->queue);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(1, box_put(self->queue, i));
	}
	box_snapshot(self->dev, self->queue, &self->before);
}

FIXTURE_TEARDOWN(fields)
{
	EXPECT_TRUE(box_unchanged(self->dev, self->queue, &self->before));
	EXPECT_TRUE(intact(self->queue));
	close(self->queue);
	close(self->dev);
}

static const __u64 bad_pointers[] = {
	0, 8, LONG_MAX - 4095, -1ull, -4096ull, 0xffff888000000000ull,
	/* For a 32-bit program: beyond what it can have. */
	sizeof(long) == 4 ? 1ull << 32 : 1ull << 60,
};

TEST_F(fields, bad_names_are_efault)
{
	struct ipcbox_create create = {
		.kind = IPCBOX_QUEUE,
		.rights = R,
		.name_length = 8,
	};
	struct ipcbox_open open = {
		.by = IPCBOX_BY_NAME,
		.rights = R,
		.name_length = 8,
	};
	struct ipcbox_unlink unlink = {
		.size = sizeof(unlink),
		.by = IPCBOX_BY_NAME,
		.name_length = 8,
	};
	char *edge = box_edge(5);
	unsigned int i;
	__u64 pointer;

	for (i = 0; i < ARRAY_SIZE(bad_pointers); i++) {
		pointer = bad_pointers[i];
		create.name = pointer;
		EXPECT_EQ(-EFAULT, box_create(self->dev, &create))
			TH_LOG("%#llx", pointer);
		open.name = pointer;
		EXPECT_EQ(-EFAULT, box_open(self->dev, &open))
			TH_LOG("%#llx", pointer);
		unlink.name = pointer;
		EXPECT_EQ(-1, ioctl(self->dev, IPCBOX_IOC_UNLINK, &unlink));
		EXPECT_EQ(EFAULT, errno)
			TH_LOG("%#llx", pointer);
	}
	memcpy(edge, "fault", 5);
	create.name = (uintptr_t)edge;
	EXPECT_EQ(-EFAULT, box_create(self->dev, &create));
	open.name = (uintptr_t)edge;
	EXPECT_EQ(-EFAULT, box_open(self->dev, &open));
	unlink.name = (uintptr_t)edge;
	EXPECT_EQ(-1, ioctl(self->dev, IPCBOX_IOC_UNLINK, &unlink));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F(fields, open_takes_a_name_or_an_id)
{
	const __u64 id = box_id(self->queue);
	const struct ipcbox_open wrong[] = {
		{ .by = 0, .rights = R, .object = id },
		{ .by = IPCBOX_BY_PROCESS + 1, .rights = R, .object = id },
		{ .by = IPCBOX_BY_PROCESS, .rights = W, .object = getpid(),
		  .name = (uintptr_t)self->name },
		{ .by = IPCBOX_BY_PROCESS, .rights = W, .object = getpid(),
		  .name_length = 1 },
		{ .by = IPCBOX_BY_PROCESS, .rights = 0, .object = getpid() },
		{ .by = -1, .rights = R, .object = id },
		{ .by = IPCBOX_BY_ID, .rights = 0, .object = id },
		{ .by = IPCBOX_BY_ID, .rights = 16, .object = id },
		{ .by = IPCBOX_BY_ID, .rights = R | 0x80000000, .object = id },
		{ .by = IPCBOX_BY_ID, .rights = R, .object = id,
		  .name = (uintptr_t)self->name },
		{ .by = IPCBOX_BY_ID, .rights = R, .object = id,
		  .name_length = 1 },
		{ .by = IPCBOX_BY_NAME, .rights = R, .object = id,
		  .name = (uintptr_t)self->name,
		  .name_length = strlen(self->name) },
		{ .by = IPCBOX_BY_NAME, .rights = R,
		  .name = (uintptr_t)self->name, .name_length = 0 },
		{ .by = IPCBOX_BY_NAME, .rights = R,
		  .name = (uintptr_t)self->name,
		  .name_length = IPCBOX_NAME_MAX + 1 },
		{ .by = IPCBOX_BY_NAME, .rights = R,
		  .name = (uintptr_t)self->name, .name_length = -1 },
	};
	struct ipcbox_open open;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		open = wrong[i];
		EXPECT_EQ(-EINVAL, box_open(self->dev, &open))
			TH_LOG("case %u", i);
	}
	EXPECT_EQ(-ENOENT, box_open_id(self->dev, 0, R));
	EXPECT_EQ(-ENOENT, box_open_id(self->dev, id + 1000000, R));
	EXPECT_EQ(-ENOENT, box_open_id(self->dev, -1, R));
}

TEST_F(fields, unlink_takes_a_name_or_an_id)
{
	const __u64 id = box_id(self->queue);
	struct ipcbox_unlink wrong[] = {
		{ .by = 0, .object = id },
		{ .by = 3, .object = id },
		{ .by = IPCBOX_BY_ID, .object = id, .name_length = 1 },
		{ .by = IPCBOX_BY_ID, .object = id,
		  .name = (uintptr_t)self->name },
		{ .by = IPCBOX_BY_NAME, .object = id,
		  .name = (uintptr_t)self->name,
		  .name_length = strlen(self->name) },
		{ .by = IPCBOX_BY_NAME, .name = (uintptr_t)self->name },
		{ .by = IPCBOX_BY_NAME, .name = (uintptr_t)self->name,
		  .name_length = IPCBOX_NAME_MAX + 1 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		wrong[i].size = sizeof(wrong[i]);
		EXPECT_EQ(-1, ioctl(self->dev, IPCBOX_IOC_UNLINK, &wrong[i]));
		EXPECT_EQ(EINVAL, errno)
			TH_LOG("case %u", i);
	}
	EXPECT_EQ(-ENOENT, box_unlink_id(self->dev, id + 1000000));
	EXPECT_EQ(-ENOENT, box_unlink_id(self->dev, 0));
	EXPECT_EQ(-ENOENT, box_unlink_name(self->dev, "test.no.such"));
}

TEST_F(fields, create_checks_its_values)
{
	const struct ipcbox_create wrong[] = {
		{ .kind = 0, .rights = R },
		{ .kind = 5, .rights = R },
		{ .kind = -1, .rights = R },
		{ .kind = IPCBOX_QUEUE, .rights = 0 },
		{ .kind = IPCBOX_QUEUE, .rights = 16 },
		{ .kind = IPCBOX_QUEUE, .rights = -1 },
		{ .kind = IPCBOX_QUEUE, .rights = R, .mode = 0111 },
		{ .kind = IPCBOX_QUEUE, .rights = R, .mode = 0700 },
		{ .kind = IPCBOX_QUEUE, .rights = R, .mode = 01000 },
		{ .kind = IPCBOX_QUEUE, .rights = R, .mode = -1 },
		{ .kind = IPCBOX_QUEUE, .rights = R,
		  .name = (uintptr_t)self->name,
		  .name_length = IPCBOX_NAME_MAX + 1 },
		{ .kind = IPCBOX_QUEUE, .rights = R,
		  .name = (uintptr_t)self->name, .name_length = -1 },
		{ .kind = IPCBOX_QUEUE, .rights = R, .max_messages = -1 },
		{ .kind = IPCBOX_QUEUE, .rights = R, .max_bytes = -1 },
		{ .kind = IPCBOX_QUEUE, .rights = R, .max_message_bytes = -1 },
		{ .kind = IPCBOX_QUEUE, .rights = R, .max_bytes = 100,
		  .max_message_bytes = 101 },
		{ .kind = IPCBOX_QUEUE, .rights = R, .mapped_bytes = 4096 },
		{ .kind = IPCBOX_QUEUE, .rights = R, .semaphores = 1 },
		{ .kind = IPCBOX_MAILBOX, .rights = R, .semaphores = 1 },
	};
	struct ipcbox_create create;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		create = wrong[i];
		EXPECT_EQ(-EINVAL, box_create(self->dev, &create))
			TH_LOG("case %u", i);
	}
}

TEST_F(fields, set_checks_its_values)
{
	const struct ipcbox_set wrong[] = {
		{ .mask = 0 },
		{ .mask = 0x200 },
		{ .mask = -1 },
		{ .mask = IPCBOX_SET_MODE, .mode = 0700 },
		{ .mask = IPCBOX_SET_MODE, .mode = 01000 },
		{ .mask = IPCBOX_SET_MAX_MESSAGES, .max_messages = 0 },
		{ .mask = IPCBOX_SET_MAX_MESSAGES, .max_messages = -1 },
		{ .mask = IPCBOX_SET_MAX_BYTES, .max_bytes = -1 },
		{ .mask = IPCBOX_SET_MAX_MESSAGE_BYTES,
		  .max_message_bytes = 0 },
		{ .mask = IPCBOX_SET_MAX_MESSAGE_BYTES,
		  .max_message_bytes = -1 },
		/* The good half must not be done either. */
		{ .mask = IPCBOX_SET_MODE | IPCBOX_SET_MAX_MESSAGES,
		  .mode = 0666, .max_messages = 0 },
		{ .mask = IPCBOX_SET_MAX_MESSAGES | IPCBOX_SET_MODE,
		  .mode = 0777, .max_messages = 7 },
		{ .mask = IPCBOX_SET_UID, .uid = -1 },
		{ .mask = IPCBOX_SET_GID, .gid = -1 },
	};
	struct ipcbox_set set;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		set = wrong[i];
		EXPECT_EQ(-EINVAL, box_set(self->queue, &set))
			TH_LOG("case %u", i);
	}
	set = (struct ipcbox_set) {
		.mask = IPCBOX_SET_MAX_BYTES | IPCBOX_SET_MAX_MESSAGE_BYTES,
		.max_bytes = 100,
		.max_message_bytes = 101,
	};
	EXPECT_EQ(-EINVAL, box_set(self->queue, &set));
	/* What the mask does not name is not looked at. */
	set = (struct ipcbox_set) {
		.mask = IPCBOX_SET_MODE,
		.mode = 0600,
		.uid = -1,
		.gid = -1,
		.max_messages = -1,
		.max_bytes = -1,
		.max_message_bytes = -1,
	};
	EXPECT_EQ(0, box_set(self->queue, &set));
}

TEST_F(fields, list_checks_its_array)
{
	struct ipcbox_stat entry, *edge;
	struct ipcbox_list list;
	unsigned int i;
	__u64 pointer;

	list = (struct ipcbox_list) {
		.entries = (uintptr_t)&entry,
		.count = 0,
		.entry_size = sizeof(entry),
	};
	EXPECT_EQ(-EINVAL, box_list(self->dev, &list));
	for (i = 0; i < FIRST_STAT; i += 8) {
		list.count = 1;
		list.entry_size = i;
		EXPECT_EQ(-EINVAL, box_list(self->dev, &list))
			TH_LOG("entry_size %u", i);
	}
	list.entry_size = FIRST_STAT - 1;
	EXPECT_EQ(-EINVAL, box_list(self->dev, &list));

	list.entry_size = sizeof(entry);
	for (i = 0; i < ARRAY_SIZE(bad_pointers); i++) {
		pointer = bad_pointers[i];
		list.entries = pointer;
		EXPECT_EQ(-EFAULT, box_list(self->dev, &list))
			TH_LOG("%#llx", pointer);
	}
	/* An array that ends too early. */
	edge = box_edge(sizeof(entry) / 2);
	list.entries = (uintptr_t)edge;
	EXPECT_EQ(-EFAULT, box_list(self->dev, &list));
	/* The largest count is no reason to fail. */
	edge = box_edge(sizeof(entry));
	list.cursor = box_id(self->queue) - 1;
	list.entries = (uintptr_t)edge;
	list.count = 1;
	EXPECT_EQ(0, box_list(self->dev, &list));
	EXPECT_EQ(1, list.returned);
	EXPECT_EQ(box_id(self->queue), edge->id);
}

TEST_F(fields, list_honours_the_stride)
{
	const unsigned int stride = sizeof(struct ipcbox_stat) + 40;
	int other = box_make(self->dev, IPCBOX_QUEUE, R);
	struct ipcbox_list list = { };
	struct ipcbox_stat *second;
	char array[2 * stride];

	ASSERT_LE(0, other);
	memset(array, 0, sizeof(array));
	list.cursor = box_id(self->queue) - 1;
	list.entries = (uintptr_t)array;
	list.count = 2;
	list.entry_size = stride;
	EXPECT_EQ(0, box_list(self->dev, &list));
	EXPECT_EQ(2, list.returned);
	EXPECT_EQ(box_id(self->queue), ((struct ipcbox_stat *)array)->id);
	second = (struct ipcbox_stat *)(array + stride);
	EXPECT_EQ(box_id(other), second->id);
	close(other);
}

static int raw(int fd, unsigned int command, const void *array, __u32 count,
	       __u32 stride)
{
	/* struct ipcbox_send is laid out in the same way, as far as it goes. */
	struct ipcbox_receive receive = {
		.size = command == IPCBOX_IOC_SEND ?
				sizeof(struct ipcbox_send) : sizeof(receive),
		.flags = IPCBOX_NOWAIT,
		.messages = (uintptr_t)array,
		.count = count,
		.message_size = stride,
		.deadline = IPCBOX_FOREVER,
	};
	int ret;

	ret = ioctl(fd, command, &receive);
	return ret < 0 ? -errno : ret;
}

TEST_F(fields, counts_out_of_range_are_refused)
{
	const __u32 counts[] = { 0, self->batch + 1, 1u << 31, UINT_MAX };
	struct ipcbox_outgoing *out;
	struct ipcbox_incoming *in;
	unsigned int i;

	out = calloc(self->batch + 1, sizeof(*out));
	in = calloc(self->batch + 1, sizeof(*in));
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		EXPECT_EQ(-EINVAL, raw(self->queue, IPCBOX_IOC_SEND, out,
				       counts[i], sizeof(*out)))
			TH_LOG("count %u", counts[i]);
		EXPECT_EQ(-EINVAL, raw(self->queue, IPCBOX_IOC_RECEIVE, in,
				       counts[i], sizeof(*in)))
			TH_LOG("count %u", counts[i]);
	}
	free(out);
	free(in);
}

TEST_F(fields, small_strides_are_refused)
{
	struct ipcbox_outgoing out = { };
	struct ipcbox_incoming in = { };
	unsigned int i;

	for (i = 0; i < FIRST_OUTGOING; i++) {
		EXPECT_EQ(-EINVAL, raw(self->queue, IPCBOX_IOC_SEND, &out, 1,
				       i))
			TH_LOG("stride %u", i);
	}
	for (i = 0; i < FIRST_INCOMING; i++) {
		EXPECT_EQ(-EINVAL, raw(self->queue, IPCBOX_IOC_RECEIVE, &in, 1,
				       i))
			TH_LOG("stride %u", i);
	}
}

TEST_F(fields, strides_of_the_first_version_are_granted)
{
	char out[2 * FIRST_OUTGOING], in[3 * FIRST_INCOMING];
	struct ipcbox_outgoing one = { };
	struct ipcbox_incoming to = { };
	__u32 sent[2] = { 80, 81 }, received[2] = { };
	int fd, i;

	fd = box_make(self->dev, IPCBOX_QUEUE, RWM);
	ASSERT_LE(0, fd);
	memset(in, 0x5a, sizeof(in));
	for (i = 0; i < 2; i++) {
		one.data = (uintptr_t)&sent[i];
		one.length = sizeof(sent[i]);
		memcpy(out + i * FIRST_OUTGOING, &one, FIRST_OUTGOING);
		to.data = (uintptr_t)&received[i];
		to.capacity = sizeof(received[i]);
		memcpy(in + i * FIRST_INCOMING, &to, FIRST_INCOMING);
	}
	EXPECT_EQ(2, raw(fd, IPCBOX_IOC_SEND, out, 2, FIRST_OUTGOING));
	EXPECT_EQ(2, raw(fd, IPCBOX_IOC_RECEIVE, in, 2, FIRST_INCOMING));
	EXPECT_EQ(80, received[0]);
	EXPECT_EQ(81, received[1]);
	memcpy(&to, in + FIRST_INCOMING, FIRST_INCOMING);
	EXPECT_EQ(2, to.sequence);
	/* Nothing was written behind the last. */
	EXPECT_EQ(0x5a, in[2 * FIRST_INCOMING]);
	close(fd);
}

TEST_F(fields, large_strides_are_taken_by_their_tail)
{
	struct {
		struct ipcbox_outgoing out;
		char tail[40];
	} out[2] = { };
	struct {
		struct ipcbox_incoming in;
		char tail[40];
	} in[2] = { };
	__u32 sent[2] = { 70, 71 }, received[2];
	int copy, i;

	for (i = 0; i < 2; i++) {
		out[i].out.data = (uintptr_t)&sent[i];
		out[i].out.length = sizeof(sent[i]);
		in[i].in.data = (uintptr_t)&received[i];
		in[i].in.capacity = sizeof(received[i]);
	}
	out[0].tail[39] = 1;
	EXPECT_EQ(-E2BIG, raw(self->queue, IPCBOX_IOC_SEND, out, 2,
			      sizeof(out[0])));
	out[0].tail[39] = 0;
	in[0].tail[0] = 1;
	EXPECT_EQ(-E2BIG, raw(self->queue, IPCBOX_IOC_RECEIVE, in, 2,
			      sizeof(in[0])));
	in[0].tail[0] = 0;
	EXPECT_EQ(-E2BIG, raw(self->queue, IPCBOX_IOC_SEND, out, 2, UINT_MAX));
	EXPECT_EQ(-E2BIG, raw(self->queue, IPCBOX_IOC_RECEIVE, in, 2,
			      UINT_MAX));
	EXPECT_TRUE(box_unchanged(self->dev, self->queue, &self->before));

	/* Accepted, on an object of its own. */
	copy = box_make(self->dev, IPCBOX_QUEUE, RWM);
	ASSERT_LE(0, copy);
	EXPECT_EQ(2, raw(copy, IPCBOX_IOC_SEND, out, 2, sizeof(out[0])));
	EXPECT_EQ(2, raw(copy, IPCBOX_IOC_RECEIVE, in, 2, sizeof(in[0])));
	EXPECT_EQ(70, received[0]);
	EXPECT_EQ(71, received[1]);
	EXPECT_EQ(4, in[1].in.length);
	close(copy);
}

TEST_F(fields, bad_arrays_are_efault)
{
	char *edge = box_edge(8);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad_pointers); i++) {
		/* Not a pointer of this program: a field, so by hand. */
		struct ipcbox_send send = {
			.size = sizeof(send),
			.flags = IPCBOX_NOWAIT,
			.messages = bad_pointers[i],
			.count = 1,
			.message_size = sizeof(struct ipcbox_outgoing),
		};
		struct ipcbox_receive receive = {
			.size = sizeof(receive),
			.flags = IPCBOX_NOWAIT,
			.messages = bad_pointers[i],
			.count = 1,
			.message_size = sizeof(struct ipcbox_incoming),
		};

		EXPECT_EQ(-1, ioctl(self->queue, IPCBOX_IOC_SEND, &send));
		EXPECT_EQ(EFAULT, errno)
			TH_LOG("%#llx", bad_pointers[i]);
		EXPECT_EQ(-1, ioctl(self->queue, IPCBOX_IOC_RECEIVE,
				    &receive));
		EXPECT_EQ(EFAULT, errno)
			TH_LOG("%#llx", bad_pointers[i]);
	}
	memset(edge, 0, 8);
	EXPECT_EQ(-EFAULT, raw(self->queue, IPCBOX_IOC_SEND, edge, 1,
			       sizeof(struct ipcbox_outgoing)));
	EXPECT_EQ(-EFAULT, raw(self->queue, IPCBOX_IOC_RECEIVE, edge, 1,
			       sizeof(struct ipcbox_incoming)));
}

TEST_F(fields, bad_payload_pointers_are_efault)
{
	struct ipcbox_outgoing out = { .length = 8 };
	struct ipcbox_incoming in = { .capacity = 8 };
	unsigned int i;
	__u64 pointer;

	for (i = 0; i < ARRAY_SIZE(bad_pointers); i++) {
		pointer = bad_pointers[i];
		out.data = pointer;
		EXPECT_EQ(-EFAULT, box_send_many(self->queue, &out, 1,
						 IPCBOX_NOWAIT, 0))
			TH_LOG("%#llx", pointer);
		in.data = pointer;
		EXPECT_EQ(-EFAULT, box_receive_many(self->queue, &in, 1,
						    IPCBOX_NOWAIT, 0))
			TH_LOG("%#llx", pointer);
	}
}

TEST_F(fields, priorities_out_of_range_are_refused)
{
	const __u32 priorities[] = {
		IPCBOX_PRIORITY_MAX + 1, 1u << 31, UINT_MAX,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(priorities); i++) {
		EXPECT_EQ(-EINVAL, box_put_priority(self->queue, 1,
						    priorities[i]))
			TH_LOG("priority %u", priorities[i]);
	}
}

TEST_F(fields, each_right_is_needed)
{
	const struct ipcbox_set mode = {
		.mask = IPCBOX_SET_MODE, .mode = 0666,
	};
	struct ipcbox_set set;
	struct ipcbox_stat stat;
	unsigned int rights;
	__u32 number;
	int fd;

	for (rights = 1; rights <= (RWM | L); rights++) {
		fd = box_open_name(self->dev, self->name, rights);
		ASSERT_LE(0, fd);
		if (!(rights & R)) {
			EXPECT_EQ(-EACCES, box_get(fd, &number))
				TH_LOG("rights %u", rights);
		}
		if (!(rights & W)) {
			EXPECT_EQ(-EACCES, box_put(fd, 1))
				TH_LOG("rights %u", rights);
		}
		if (!(rights & M)) {
			set = mode;
			EXPECT_EQ(-EACCES, box_set(fd, &set))
				TH_LOG("rights %u", rights);
		}
		EXPECT_EQ(0, box_stat(fd, &stat))
			TH_LOG("rights %u", rights);
		EXPECT_EQ(2, stat.handles);
		close(fd);
	}
}

TEST_F(fields, lifetimes_and_sync_are_checked)
{
	static const __u64 lifetimes[] = {
		1ull << 63, (1ull << 63) + 1, -1,
	};
	struct ipcbox_outgoing out[2] = { };
	unsigned int i;
	__u32 number;
	int fd;

	for (i = 0; i < ARRAY_SIZE(lifetimes); i++) {
		EXPECT_EQ(-EINVAL, box_put_living(self->queue, 1,
						  lifetimes[i]))
			TH_LOG("lifetime %#llx", lifetimes[i]);
		out[0].lifetime = lifetimes[i];
		EXPECT_EQ(-EINVAL, box_send_many(self->queue, out, 1,
						 IPCBOX_SYNC, 0));
	}
	memset(out, 0, sizeof(out));
	EXPECT_EQ(-EINVAL, box_send_many(self->queue, out, 2, IPCBOX_SYNC, 0));
	EXPECT_EQ(-EINVAL, box_send_many(self->queue, out, 0, IPCBOX_SYNC, 0));
	out[0].priority = IPCBOX_PRIORITY_MAX + 1;
	EXPECT_EQ(-EINVAL, box_send_many(self->queue, out, 1, IPCBOX_SYNC, 0));

	/* The longest is for ever, nearly. */
	fd = box_make(self->dev, IPCBOX_QUEUE, RWM);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, box_put_living(fd, 5, (1ull << 63) - 1));
	EXPECT_EQ(1, box_get(fd, &number));
	EXPECT_EQ(5, number);
	close(fd);
}

TEST_F(fields, receive_checks_its_selection)
{
	const struct ipcbox_receive wrong[] = {
		{ .tag = 1 },
		{ .tag_mask = 1 },
		{ .tag_mask = 1ull << 63 },
		{ .sequence = 1 },
		{ .pid = 1 },
		{ .pid = -1 },
		{ .skip = 1 },
		{ .flags = IPCBOX_SELECT_PID, .pid = getpid(), .tag = 1 },
		{ .flags = IPCBOX_SELECT_TAG, .sequence = 1 },
		{ .flags = IPCBOX_SELECT_TAG, .pid = 1 },
		{ .flags = IPCBOX_SELECT_SEQUENCE, .sequence = 1,
		  .tag_mask = 1 },
		{ .flags = IPCBOX_SELECT_TAG, .skip = 1 },
		{ .flags = IPCBOX_HOLD, .skip = 1 },
		{ .flags = IPCBOX_PEEK, .skip = IPCBOX_SKIP_MAX + 1 },
		{ .flags = IPCBOX_PEEK, .skip = -1 },
		{ .flags = IPCBOX_PEEK | IPCBOX_HOLD },
		{ .flags = IPCBOX_PEEK | IPCBOX_TRUNCATE },
		{ .flags = IPCBOX_SELECT_TAG_NOT },
		{ .flags = IPCBOX_SELECT_TAG_LOWEST },
		{ .flags = IPCBOX_SELECT_TAG | IPCBOX_SELECT_TAG_LOWEST |
			   IPCBOX_SELECT_TAG_NOT },
		{ .flags = IPCBOX_SELECT_TAG | IPCBOX_SELECT_TAG_LOWEST |
			   IPCBOX_PEEK },
		{ .flags = IPCBOX_PEEK | IPCBOX_LARGEST },
		{ .flags = IPCBOX_PEEK | IPCBOX_HOLD | IPCBOX_SELECT_TAG },
		{ .flags = IPCBOX_PEEK, .tag = 1 },
		{ .flags = IPCBOX_PEEK, .deadline = 1ull << 63 },
	};
	struct ipcbox_receive receive;
	struct ipcbox_incoming in;
	unsigned int i;
	__u32 number;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		memset(&in, 0, sizeof(in));
		in.data = (uintptr_t)&number;
		in.capacity = sizeof(number);
		receive = wrong[i];
		receive.flags |= IPCBOX_NOWAIT;
		EXPECT_EQ(-EINVAL, box_select(self->queue, &receive, &in, 1))
			TH_LOG("case %u", i);
	}
	memset(&in, 0, sizeof(in));
	receive = (struct ipcbox_receive) {
		.flags = IPCBOX_PEEK,
		.skip = IPCBOX_SKIP_MAX,
	};
	EXPECT_EQ(-EAGAIN, box_select(self->queue, &receive, &in, 1));
	/* No process has these. */
	receive = (struct ipcbox_receive) { .flags = IPCBOX_SELECT_PID };
	EXPECT_EQ(-ENOENT, box_select(self->queue, &receive, &in, 1));
	receive.pid = -1;
	EXPECT_EQ(-ENOENT, box_select(self->queue, &receive, &in, 1));
	receive.pid = INT_MAX;
	EXPECT_EQ(-ENOENT, box_select(self->queue, &receive, &in, 1));
}

TEST_F(fields, set_checks_the_dead_letter_mailbox)
{
	struct ipcbox_set set = { .mask = IPCBOX_SET_DEAD_LETTER };
	struct ipcbox_stat stat;
	int fd;

	fd = box_make(self->dev, IPCBOX_MAILBOX, RWM);
	ASSERT_LE(0, fd);
	set.dead_letter = box_id(fd) + 1000000;
	EXPECT_EQ(-ENOENT, box_set(self->queue, &set));
	set.dead_letter = -1;
	EXPECT_EQ(-ENOENT, box_set(self->queue, &set));
	/* Another one, not itself. */
	set.dead_letter = box_id(self->queue);
	EXPECT_EQ(-EINVAL, box_set(self->queue, &set));
	/* The good half is not done, either. */
	set.mask |= IPCBOX_SET_MAX_DELIVERIES;
	set.max_deliveries = 3;
	EXPECT_EQ(-EINVAL, box_set(self->queue, &set));
	/* What the mask does not name is not looked at. */
	set.mask = IPCBOX_SET_MODE;
	set.mode = 0600;
	EXPECT_EQ(0, box_set(self->queue, &set));
	EXPECT_EQ(0, box_stat(self->queue, &stat));
	EXPECT_EQ(0, stat.dead_letter);
	EXPECT_EQ(0, stat.max_deliveries);

	EXPECT_EQ(0, box_set_dead_letter(self->queue, box_id(fd), -1));
	EXPECT_EQ(0, box_stat(self->queue, &stat));
	EXPECT_EQ(box_id(fd), stat.dead_letter);
	EXPECT_EQ(UINT_MAX, stat.max_deliveries);
	EXPECT_EQ(0, box_set_dead_letter(self->queue, 0, 0));
	close(fd);
}

TEST_F(fields, call_checks_its_values)
{
	struct ipcbox_incoming in = { };
	struct ipcbox_outgoing out = { };
	const struct ipcbox_call good = {
		.size = sizeof(good),
		.request = (uintptr_t)&out,
		.reply = (uintptr_t)&in,
		.request_size = sizeof(out),
		.reply_size = sizeof(in),
	};
	struct ipcbox_call call;
	unsigned int i;

#define REFUSED(error) do { \
	EXPECT_EQ(-1, ioctl(self->queue, IPCBOX_IOC_CALL, &call)); \
	EXPECT_EQ(error, errno); \
} while (0)
	for (i = 0; i < FIRST_OUTGOING; i++) {
		call = good;
		call.request_size = i;
		REFUSED(EINVAL);
	}
	for (i = 0; i < FIRST_INCOMING; i++) {
		call = good;
		call.reply_size = i;
		REFUSED(EINVAL);
	}
	call = good;
	call.request_size = UINT_MAX;
	REFUSED(E2BIG);
	call = good;
	call.reply_size = sysconf(_SC_PAGESIZE) + 1;
	REFUSED(E2BIG);
	for (i = 0; i < ARRAY_SIZE(bad_pointers); i++) {
		call = good;
		call.request = bad_pointers[i];
		REFUSED(EFAULT);
		call = good;
		call.reply = bad_pointers[i];
		REFUSED(EFAULT);
		call = good;
		out.data = bad_pointers[i];
		out.length = 8;
		REFUSED(EFAULT);
		memset(&out, 0, sizeof(out));
	}
	call = good;
	call.deadline = 1ull << 63;
	REFUSED(EINVAL);
	call = good;
	out.priority = IPCBOX_PRIORITY_MAX + 1;
	REFUSED(EINVAL);
	out.priority = 0;
	out.lifetime = 1ull << 63;
	REFUSED(EINVAL);
#undef REFUSED
}

TEST_F(fields, settle_and_answer_check_their_values)
{
	const struct ipcbox_settle wrong[] = {
		{ .action = 0 },
		{ .action = IPCBOX_REPLY + 1 },
		{ .action = -1 },
		{ .action = IPCBOX_REPLY },	/* it is no call */
		{ .action = IPCBOX_ACK, .data = 8 },
		{ .action = IPCBOX_ACK, .length = 1 },
		{ .action = IPCBOX_ACK, .tag = 1 },
		{ .action = IPCBOX_NACK, .data = 8 },
		{ .action = IPCBOX_NACK, .length = 1 },
		{ .action = IPCBOX_NACK, .tag = 1 },
	};
	struct ipcbox_incoming in, got = { };
	struct box_snapshot before;
	struct ipcbox_settle settle;
	struct ipcbox_answer answer;
	unsigned int i;
	__u64 token;
	__u32 number;
	int fd;

	fd = box_make(self->dev, IPCBOX_QUEUE, R | W);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, box_put(fd, 1));
	EXPECT_EQ(1, box_put(fd, 2));
	EXPECT_EQ(1, box_hold(fd, &in, &number));
	token = in.token;
	EXPECT_NE(0, token);
	box_snapshot(self->dev, fd, &before);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		settle = wrong[i];
		settle.size = sizeof(settle);
		settle.token = token;
		EXPECT_EQ(-1, ioctl(fd, IPCBOX_IOC_SETTLE, &settle));
		EXPECT_EQ(EINVAL, errno)
			TH_LOG("case %u", i);
		answer = (struct ipcbox_answer) {
			.flags = IPCBOX_NOWAIT,
			.token = token,
			.action = settle.action,
			.data = settle.data,
			.length = settle.length,
			.tag = settle.tag,
			.message = (uintptr_t)&got,
		};
		EXPECT_EQ(-EINVAL, box_answer(fd, &answer))
			TH_LOG("case %u", i);
	}
	/* Without token nothing is to be settled. */
	for (i = 0; i < 5; i++) {
		answer = (struct ipcbox_answer) {
			.flags = IPCBOX_NOWAIT,
			.action = i == 0 ? IPCBOX_ACK :
				  i == 1 ? IPCBOX_REPLY : 0,
			.data = i == 2 ? 8 : 0,
			.length = i == 3,
			.tag = i == 4,
			.message = (uintptr_t)&got,
		};
		EXPECT_EQ(-EINVAL, box_answer(fd, &answer))
			TH_LOG("case %u", i);
	}
	/* A reply is read before it is known whether it is asked for. */
	for (i = 0; i < ARRAY_SIZE(bad_pointers); i++) {
		settle = (struct ipcbox_settle) {
			.size = sizeof(settle),
			.token = token,
			.data = bad_pointers[i],
			.length = 8,
			.action = IPCBOX_REPLY,
		};
		EXPECT_EQ(-1, ioctl(fd, IPCBOX_IOC_SETTLE, &settle));
		EXPECT_EQ(EFAULT, errno);
	}
	EXPECT_EQ(-ENOENT, box_settle(fd, 0, IPCBOX_ACK));
	EXPECT_EQ(-ENOENT, box_settle(fd, token + 1, IPCBOX_ACK));
	EXPECT_EQ(-ENOENT, box_settle(fd, -1, IPCBOX_NACK));
	EXPECT_EQ(-ENOENT, box_reply(fd, token + 1, NULL, 0, 0));
	answer = (struct ipcbox_answer) {
		.flags = IPCBOX_NOWAIT,
		.token = token + 1,
		.action = IPCBOX_ACK,
		.message = (uintptr_t)&got,
	};
	EXPECT_EQ(-ENOENT, box_answer(fd, &answer));
	answer.token = token;
	answer.deadline = 1ull << 63;
	EXPECT_EQ(-EINVAL, box_answer(fd, &answer));
	for (i = 0; i < FIRST_INCOMING; i++) {
		answer.size = sizeof(answer);
		answer.deadline = 0;
		answer.message_size = i;
		EXPECT_EQ(-1, ioctl(fd, IPCBOX_IOC_ANSWER, &answer));
		EXPECT_EQ(EINVAL, errno);
	}
	answer.message_size = UINT_MAX;
	EXPECT_EQ(-1, ioctl(fd, IPCBOX_IOC_ANSWER, &answer));
	EXPECT_EQ(E2BIG, errno);
	/* The token is what it was. */
	EXPECT_TRUE(box_unchanged(self->dev, fd, &before));
	EXPECT_EQ(0, box_settle(fd, token, IPCBOX_ACK));
	EXPECT_EQ(1, box_get(fd, &number));
	EXPECT_EQ(2, number);
	close(fd);
}

TEST_F(fields, each_right_is_needed_for_exchanges)
{
	struct ipcbox_incoming in = { };
	struct ipcbox_outgoing out = { };
	struct ipcbox_answer answer;
	struct ipcbox_receive peek;
	unsigned int rights;
	int fd;

	for (rights = 1; rights <= (RWM | L); rights++) {
		fd = box_open_name(self->dev, self->name, rights);
		ASSERT_LE(0, fd);
		answer = (struct ipcbox_answer) {
			.flags = IPCBOX_NOWAIT,
			.message = (uintptr_t)&in,
		};
		peek = (struct ipcbox_receive) { .flags = IPCBOX_PEEK };
		if (!(rights & R)) {
			EXPECT_EQ(-EACCES, box_settle(fd, 1, IPCBOX_ACK));
			EXPECT_EQ(-EACCES, box_answer(fd, &answer));
		} else {
			EXPECT_EQ(-ENOENT, box_settle(fd, 1, IPCBOX_ACK));
			EXPECT_EQ(-EMSGSIZE, box_answer(fd, &answer));
		}
		EXPECT_EQ(rights & (R | L) ? 1 : -EACCES,
			  box_select(fd, &peek, &in, 1))
			TH_LOG("rights %u", rights);
		if (!(rights & W)) {
			EXPECT_EQ(-EACCES, box_call(fd, &out, &in, 0, 0))
				TH_LOG("rights %u", rights);
			EXPECT_EQ(-EACCES, box_put_sync(fd, 1, 0))
				TH_LOG("rights %u", rights);
		}
		close(fd);
	}
}

TEST_HARNESS_MAIN
