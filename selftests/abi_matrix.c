// SPDX-License-Identifier: GPL-2.0
/*
 * Every ioctl of the device, and of mailboxes and queues, checks what it is given:
 * size, tail, flags, padding, pointers, the descriptor that it is called on;
 * refuses with the errno that the header gives; and a refused call changes
 * nothing.
 */
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include "kselftest_harness.h"
#include "abi.h"

FROZEN_SIZE(info, 176);
FROZEN(info, features, 16);
FROZEN(info, discarded, 136);
FROZEN(info, user_mapped_bytes, 144);
FROZEN(info, pool_message_bytes, 160);
FROZEN(info, user_spare_bytes, 168);
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
FROZEN_SIZE(spin, 16);

FIXTURE(abi)
{
	int dev;
	int queue;		/* with three messages in it, and all rights */
	int spare;		/* an object to unlink */
	int served;		/* a mailbox, for calls */
	int event;		/* an eventfd, for NOTIFY */
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

FIXTURE_VARIANT_ADD(abi, notify)
{
	.command = IPCBOX_IOC_NOTIFY,
	.size = sizeof(struct ipcbox_notify),
	.flags = IPCBOX_NOTIFY_EVERY | IPCBOX_NOTIFY_EXCLUSIVE,
	.pad = offsetof(struct ipcbox_notify, pad),
	.handle = true,
};

FIXTURE_VARIANT_ADD(abi, spin)
{
	.command = IPCBOX_IOC_SPIN,
	.size = sizeof(struct ipcbox_spin),
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
	if (variant->command == IPCBOX_IOC_NOTIFY) {
		self->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		ASSERT_LE(0, self->event);
	}
	box_snapshot(self->dev, self->queue, &self->before);
}

FIXTURE_TEARDOWN(abi)
{
	if (self->event)
		close(self->event);
	if (self->server) {
		kill(self->server, SIGKILL);
		EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(self->server));
		close(self->served);
	}
	close(self->spare);
	close(self->queue);
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
	case IPCBOX_IOC_NOTIFY:
		request->notify.how = IPCBOX_NOTIFY_EVENTFD;
		request->notify.flags = IPCBOX_NOTIFY_EVERY;
		request->notify.descriptor = self->event;
		break;
	case IPCBOX_IOC_SPIN:
		request->spin.time = 1;
		break;
	}
	return request;
}

/* An arrival is noticed; what has arrived and the registration go again. */
static bool notices(FIXTURE_DATA(abi) * self)
{
	struct ipcbox_notify none = { .size = sizeof(none) };
	__u64 count = 0;
	__u32 number;

	if (box_put_priority(self->queue, 99, 9) != 1 ||
	    box_get(self->queue, &number) != 1 || number != 99 ||
	    read(self->event, &count, sizeof(count)) != sizeof(count))
		return false;
	return count == 1 && !ioctl(self->queue, IPCBOX_IOC_NOTIFY, &none);
}

static bool granted(FIXTURE_DATA(abi) * self,
		    const FIXTURE_VARIANT(abi) * variant,
		    union request *request, int ret)
{
	struct ipcbox_stat stat;
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
	case IPCBOX_IOC_NOTIFY:
		return ret == 0 && notices(self);
	case IPCBOX_IOC_SPIN:
		return ret == 0;
	}
	return false;
}

static void spoil(FIXTURE_DATA(abi) * self,
		  const FIXTURE_VARIANT(abi) * variant, union request *request)
{
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
}

static void fill_outputs(FIXTURE_DATA(abi) * self,
			 const FIXTURE_VARIANT(abi) * variant,
			 union request *request)
{
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
}

static bool untouched(FIXTURE_DATA(abi) * self)
{
	return box_unchanged(self->dev, self->queue, &self->before);
}

static bool intact(FIXTURE_DATA(abi) * self)
{
	__u32 number, i;

	for (i = 0; i < 3; i++)
		if (box_get(self->queue, &number) != 1 || number != i)
			return false;
	return box_get(self->queue, &number) == -EAGAIN;
}

static int stranger(FIXTURE_DATA(abi) * self,
		    const FIXTURE_VARIANT(abi) * variant)
{
	return variant->handle ? self->dev : self->queue;
}

#include "abi_matrix.h"

TEST_HARNESS_MAIN
