// SPDX-License-Identifier: GPL-2.0
/*
 * Each operation with its first, second, third, ... allocation or copy to or from
 * user memory failing, until it gets through: every failure is a clean errno and
 * changes nothing.
 */
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include "kselftest_harness.h"
#include "box.h"

#define LARGE		60000

FIXTURE(fault)
{
	int dev;
	int fd;			/* a queue with three messages */
	int spare;
	__u64 spare_id;
	char name[BOX_NAME_SIZE];
	char fresh[BOX_NAME_SIZE];
	char *large;
	__u32 got[3];
	struct ipcbox_incoming in[3];
	int served;		/* a mailbox, with a server for each call */
	pid_t peer;
	__u64 token;
};

#include "fault.h"

FIXTURE_SETUP(fault)
{
	__u32 i;

	if (!fault_begin())
		SKIP(return, "no failslab under debugfs");
	self->dev = box_device();
	ASSERT_LE(0, self->dev);
	box_name(self->name, "fault");
	box_name(self->fresh, "fresh");
	self->large = malloc(LARGE);
	box_fill(self->large, LARGE, 1);
	self->fd = box_make_named(self->dev, IPCBOX_QUEUE, RWM, 0, self->name);
	ASSERT_LE(0, self->fd);
	self->spare = box_make(self->dev, IPCBOX_MAILBOX, W);
	ASSERT_LE(0, self->spare);
	self->spare_id = box_id(self->spare);
	for (i = 1; i <= 3; i++) {
		ASSERT_EQ(1, box_put(self->fd, i));
	}
}

FIXTURE_TEARDOWN(fault)
{
	close(self->spare);
	close(self->fd);
	close(self->dev);
	fault_end();
}

/* The three messages are there, in order; and put in again. */
static bool whole(FIXTURE_DATA(fault) * self)
{
	__u32 number, i;

	for (i = 1; i <= 3; i++)
		if (box_get(self->fd, &number) != 1 || number != i)
			return false;
	if (box_get(self->fd, &number) != -EAGAIN)
		return false;
	for (i = 1; i <= 3; i++)
		if (box_put(self->fd, i) != 1)
			return false;
	return true;
}

static bool undo_nothing(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 0 && whole(self);
}

static bool undo_descriptor(FIXTURE_DATA(fault) * self, int ret)
{
	box_unlink_name(self->dev, self->fresh);
	return close(ret) == 0 && whole(self) &&
	       box_open_name(self->dev, self->fresh, R) == -ENOENT;
}

static int op_open_device(FIXTURE_DATA(fault) * self)
{
	return box_device();
}

TEST_F(fault, open_device)
{
	sweep(_metadata, self, op_open_device, undo_descriptor);
}

static int op_info(FIXTURE_DATA(fault) * self)
{
	struct ipcbox_info info;

	return box_info(self->dev, &info);
}

TEST_F(fault, info)
{
	sweep(_metadata, self, op_info, undo_nothing);
}

static int op_create(FIXTURE_DATA(fault) * self)
{
	return box_make(self->dev, IPCBOX_QUEUE, RWM);
}

TEST_F(fault, create)
{
	sweep(_metadata, self, op_create, undo_descriptor);
}

static int op_create_named(FIXTURE_DATA(fault) * self)
{
	return box_make_named(self->dev, IPCBOX_MAILBOX, RWM,
			      IPCBOX_CREATE_EXCLUSIVE, self->fresh);
}

TEST_F(fault, create_named)
{
	sweep(_metadata, self, op_create_named, undo_descriptor);
}

static int op_create_persistent(FIXTURE_DATA(fault) * self)
{
	return box_make_named(self->dev, IPCBOX_MAILBOX, RWM,
			      IPCBOX_CREATE_EXCLUSIVE |
			      IPCBOX_CREATE_PERSISTENT, self->fresh);
}

TEST_F(fault, create_persistent)
{
	sweep(_metadata, self, op_create_persistent, undo_descriptor);
}

static int op_create_existing(FIXTURE_DATA(fault) * self)
{
	return box_make_named(self->dev, IPCBOX_QUEUE, R | W, 0, self->name);
}

TEST_F(fault, create_existing)
{
	sweep(_metadata, self, op_create_existing, undo_descriptor);
}

static int op_open(FIXTURE_DATA(fault) * self)
{
	return box_open_name(self->dev, self->name, R | W);
}

TEST_F(fault, open)
{
	sweep(_metadata, self, op_open, undo_descriptor);
}

/* The place of the one receive handle is not lost by a failure. */
static int op_open_receiver(FIXTURE_DATA(fault) * self)
{
	return box_open_id(self->dev, self->spare_id, R);
}

TEST_F(fault, open_receiver)
{
	sweep(_metadata, self, op_open_receiver, undo_descriptor);
}

static int op_unlink(FIXTURE_DATA(fault) * self)
{
	return box_unlink_name(self->dev, self->name);
}

static bool undo_unlink(FIXTURE_DATA(fault) * self, int ret)
{
	__u32 i;

	close(self->fd);
	self->fd = box_make_named(self->dev, IPCBOX_QUEUE, RWM,
				  IPCBOX_CREATE_EXCLUSIVE, self->name);
	for (i = 1; i <= 3; i++)
		box_put(self->fd, i);
	return ret == 0 && self->fd >= 0;
}

TEST_F(fault, unlink)
{
	sweep(_metadata, self, op_unlink, undo_unlink);
}

static int op_list(FIXTURE_DATA(fault) * self)
{
	struct ipcbox_stat entries[4];
	struct ipcbox_list list = {
		.entries = (uintptr_t)entries,
		.entry_size = sizeof(entries[0]),
		.count = ARRAY_SIZE(entries),
	};
	int ret = box_list(self->dev, &list);

	if (!ret && !list.returned)
		return -EBADMSG;
	return ret;
}

TEST_F(fault, list)
{
	sweep(_metadata, self, op_list, undo_nothing);
}

static int op_stat(FIXTURE_DATA(fault) * self)
{
	struct ipcbox_stat stat;

	return box_stat(self->fd, &stat);
}

TEST_F(fault, stat)
{
	sweep(_metadata, self, op_stat, undo_nothing);
}

static int op_set(FIXTURE_DATA(fault) * self)
{
	struct ipcbox_set set = {
		.mask = IPCBOX_SET_MODE | IPCBOX_SET_MAX_MESSAGES |
			IPCBOX_SET_GID,
		.mode = 0640,
		.max_messages = 99,
		.gid = 5,
	};

	return box_set(self->fd, &set);
}

static bool undo_set(FIXTURE_DATA(fault) * self, int ret)
{
	struct ipcbox_stat stat;
	struct ipcbox_set set = {
		.mask = IPCBOX_SET_MODE | IPCBOX_SET_MAX_MESSAGES |
			IPCBOX_SET_GID,
		.mode = 0600,
		.max_messages = 1024,
	};

	return ret == 0 && !box_stat(self->fd, &stat) && stat.mode == 0640 &&
	       stat.max_messages == 99 && stat.gid == 5 &&
	       !box_set(self->fd, &set);
}

TEST_F(fault, set)
{
	sweep(_metadata, self, op_set, undo_set);
}

static int op_send(FIXTURE_DATA(fault) * self)
{
	return box_put_priority(self->fd, 77, 9);
}

static bool undo_send(FIXTURE_DATA(fault) * self, int ret)
{
	__u32 number;

	return ret == 1 && box_get(self->fd, &number) == 1 && number == 77 &&
	       whole(self);
}

TEST_F(fault, send)
{
	sweep(_metadata, self, op_send, undo_send);
}

static int op_send_large(FIXTURE_DATA(fault) * self)
{
	return box_send(self->fd, self->large, LARGE, 12345, 0, IPCBOX_NOWAIT,
			0);
}

static bool undo_send_large(FIXTURE_DATA(fault) * self, int ret)
{
	char *data = malloc(LARGE);
	struct ipcbox_incoming in;
	bool good;

	good = ret == 1 &&
	       box_receive(self->fd, &in, data, LARGE, IPCBOX_NOWAIT, 0) == 1 &&
	       in.length == LARGE && box_filled(data, LARGE, 1) && whole(self);
	free(data);
	return good;
}

TEST_F(fault, send_large)
{
	sweep(_metadata, self, op_send_large, undo_send_large);
}

/* Each of its own priority, so that each level has to be made. */
static int op_send_batch(FIXTURE_DATA(fault) * self)
{
	static const __u32 number[3] = { 11, 12, 13 };
	struct ipcbox_outgoing out[3] = { };
	int i;

	for (i = 0; i < 3; i++) {
		out[i].data = (uintptr_t)&number[i];
		out[i].length = sizeof(number[i]);
		out[i].priority = 30000 - 1000 * i;
	}
	return box_send_many(self->fd, out, 3, IPCBOX_NOWAIT, 0);
}

static bool undo_send_batch(FIXTURE_DATA(fault) * self, int ret)
{
	__u32 number;
	int i;

	/* As many as it said, the first of them. */
	for (i = 0; i < ret; i++)
		if (box_get(self->fd, &number) != 1 ||
		    number != 11u + i)
			return false;
	return ret >= 1 && ret <= 3 && whole(self);
}

TEST_F(fault, send_batch)
{
	sweep(_metadata, self, op_send_batch, undo_send_batch);
}

static int op_write(FIXTURE_DATA(fault) * self)
{
	static const __u32 number = 4;
	int ret = write(self->fd, &number, sizeof(number));

	return ret < 0 ? -errno : ret;
}

static bool undo_write(FIXTURE_DATA(fault) * self, int ret)
{
	__u32 number, i;

	for (i = 1; i <= 4; i++)
		if (box_get(self->fd, &number) != 1 || number != i)
			return false;
	for (i = 1; i <= 3; i++)
		box_put(self->fd, i);
	return ret == 4;
}

TEST_F(fault, write)
{
	sweep(_metadata, self, op_write, undo_write);
}

static int op_receive(FIXTURE_DATA(fault) * self)
{
	return box_receive(self->fd, &self->in[0], &self->got[0], 4,
			   IPCBOX_NOWAIT, 0);
}

/* What was received is put back in front, by a higher priority. */
static bool again(FIXTURE_DATA(fault) * self, int received)
{
	__u32 number, i;

	for (i = 1; i <= (__u32)received; i++)
		if (self->got[i - 1] != i)
			return false;
	for (; i <= 3; i++)
		if (box_get(self->fd, &number) != 1 || number != i)
			return false;
	if (box_get(self->fd, &number) != -EAGAIN)
		return false;
	for (i = 1; i <= 3; i++)
		box_put(self->fd, i);
	return true;
}

static bool undo_receive(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 1 && self->in[0].length == 4 && again(self, 1);
}

TEST_F(fault, receive)
{
	sweep(_metadata, self, op_receive, undo_receive);
}

static int op_receive_batch(FIXTURE_DATA(fault) * self)
{
	int i;

	memset(self->in, 0, sizeof(self->in));
	for (i = 0; i < 3; i++) {
		self->in[i].data = (uintptr_t)&self->got[i];
		self->in[i].capacity = 4;
	}
	return box_receive_many(self->fd, self->in, 3, IPCBOX_NOWAIT, 0);
}

static bool undo_receive_batch(FIXTURE_DATA(fault) * self, int ret)
{
	return ret >= 1 && ret <= 3 && again(self, ret);
}

TEST_F(fault, receive_batch)
{
	sweep(_metadata, self, op_receive_batch, undo_receive_batch);
}

static int op_read(FIXTURE_DATA(fault) * self)
{
	int ret = read(self->fd, &self->got[0], 4);

	return ret < 0 ? -errno : ret;
}

static bool undo_read(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 4 && again(self, 1);
}

TEST_F(fault, read)
{
	sweep(_metadata, self, op_read, undo_read);
}

static int op_receive_large(FIXTURE_DATA(fault) * self)
{
	struct ipcbox_incoming in;

	return box_receive(self->spare, &in, self->large, LARGE, IPCBOX_NOWAIT,
			   0);
}

static bool undo_receive_large(FIXTURE_DATA(fault) * self, int ret)
{
	bool good = ret == 1 && box_filled(self->large, LARGE, 1);

	return box_send(self->spare, self->large, LARGE, 0, 0, IPCBOX_NOWAIT,
			0) == 1 && good;
}

TEST_F(fault, receive_large)
{
	close(self->spare);
	self->spare = box_make(self->dev, IPCBOX_MAILBOX, R | W);
	ASSERT_EQ(1, box_send(self->spare, self->large, LARGE, 0, 0,
			      IPCBOX_NOWAIT, 0));
	sweep(_metadata, self, op_receive_large, undo_receive_large);
}

/* The message gets through, or has not been sent. */
static int op_send_living(FIXTURE_DATA(fault) * self)
{
	return box_put_living(self->fd, 77, 1ull << 60);
}

static bool undo_send_living(FIXTURE_DATA(fault) * self, int ret)
{
	__u32 number, i;

	for (i = 1; i <= 4; i++)
		if (box_get(self->fd, &number) != 1 ||
		    number != (i == 4 ? 77 : i))
			return false;
	for (i = 1; i <= 3; i++)
		box_put(self->fd, i);
	return ret == 1;
}

TEST_F(fault, send_living)
{
	sweep(_metadata, self, op_send_living, undo_send_living);
}

static int op_hold(FIXTURE_DATA(fault) * self)
{
	return box_hold(self->fd, &self->in[0], &self->got[0]);
}

static bool undo_hold(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 1 && self->in[0].token && self->in[0].deliveries == 0 &&
	       !box_settle(self->fd, self->in[0].token, IPCBOX_ACK) &&
	       again(self, 1);
}

TEST_F(fault, hold)
{
	sweep(_metadata, self, op_hold, undo_hold);
}

static int op_peek(FIXTURE_DATA(fault) * self)
{
	struct ipcbox_receive receive = { .flags = IPCBOX_PEEK };
	int i;

	memset(self->in, 0, sizeof(self->in));
	for (i = 0; i < 3; i++) {
		self->in[i].data = (uintptr_t)&self->got[i];
		self->in[i].capacity = 4;
	}
	return box_select(self->fd, &receive, self->in, 3);
}

static bool undo_peek(FIXTURE_DATA(fault) * self, int ret)
{
	int i;

	for (i = 0; i < ret; i++)
		if (self->got[i] != 1u + i)
			return false;
	return ret >= 1 && ret <= 3 && whole(self);
}

TEST_F(fault, peek)
{
	sweep(_metadata, self, op_peek, undo_peek);
}

static int op_settle(FIXTURE_DATA(fault) * self)
{
	return box_settle(self->fd, self->token, IPCBOX_ACK);
}

static void hold_again(FIXTURE_DATA(fault) * self)
{
	struct ipcbox_incoming in;
	__u32 number;

	if (box_put_priority(self->fd, 9, 9) != 1 ||
	    box_hold(self->fd, &in, &number) != 1)
		abort();
	self->token = in.token;
}

static bool undo_settle(FIXTURE_DATA(fault) * self, int ret)
{
	if (ret || !whole(self))
		return false;
	hold_again(self);
	return true;
}

TEST_F(fault, settle)
{
	hold_again(self);
	sweep(_metadata, self, op_settle, undo_settle);
}

/*
 * What fails after the token was settled makes ANSWER return 0; before, the token
 * is what it was.
 */
static int op_answer(FIXTURE_DATA(fault) * self)
{
	struct ipcbox_answer answer = {
		.flags = IPCBOX_NOWAIT | IPCBOX_HOLD,
		.token = self->token,
		.action = IPCBOX_ACK,
		.message = (uintptr_t)&self->in[0],
	};

	self->in[0] = (struct ipcbox_incoming) {
		.data = (uintptr_t)&self->got[0],
		.capacity = 4,
	};
	return box_answer(self->fd, &answer);
}

static bool undo_answer(FIXTURE_DATA(fault) * self, int ret)
{
	if (box_settle(self->fd, self->token, IPCBOX_ACK) != -ENOENT)
		return false;
	if (ret == 0 ? !whole(self) : !undo_hold(self, ret))
		return false;
	hold_again(self);
	return true;
}

TEST_F(fault, answer)
{
	hold_again(self);
	sweep(_metadata, self, op_answer, undo_answer);
}

/* Of another handle: this one can be waited for while the queue stays. */
static void begin_served(struct __test_metadata *_metadata,
			 FIXTURE_DATA(fault) * self)
{
	self->served = box_make(self->dev, IPCBOX_MAILBOX, R | W);
	ASSERT_LE(0, self->served);
	self->peer = box_fork();
	if (!self->peer) {
		struct ipcbox_incoming in;
		__u32 number;

		for (;;) {
			CHECK_EQ(1, box_receive(self->served, &in, &number, 4,
						0, IPCBOX_FOREVER));
			number++;
			if (in.token)
				box_reply(self->served, in.token, &number, 4,
					  0);
		}
	}
}

static void end_served(struct __test_metadata *_metadata,
		       FIXTURE_DATA(fault) * self)
{
	kill(self->peer, SIGKILL);
	EXPECT_EQ(BOX_KILLED(SIGKILL), box_wait(self->peer));
	EXPECT_TRUE(box_adds_up(self->served));
	close(self->served);
}

static int op_sync(FIXTURE_DATA(fault) * self)
{
	return box_put_sync(self->served, 5, IPCBOX_FOREVER);
}

static bool undo_sync(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 1 && whole(self);
}

TEST_F(fault, sync)
{
	begin_served(_metadata, self);
	sweep(_metadata, self, op_sync, undo_sync);
	end_served(_metadata, self);
}

static int op_call(FIXTURE_DATA(fault) * self)
{
	return box_ask(self->served, 5, &self->got[0]);
}

static bool undo_call(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 0 && self->got[0] == 6 && whole(self);
}

TEST_F(fault, call)
{
	begin_served(_metadata, self);
	sweep(_metadata, self, op_call, undo_call);
	end_served(_metadata, self);
}

/* The caller waits in the end; until then the token is what it was. */
static int op_reply(FIXTURE_DATA(fault) * self)
{
	static const __u32 number = 6;

	return box_reply(self->served, self->token, &number, 4, 0);
}

static bool call_anew(FIXTURE_DATA(fault) * self)
{
	struct ipcbox_incoming in;
	__u32 number;

	self->peer = box_fork();
	if (!self->peer) {
		CHECK_EQ(0, box_ask(self->served, 5, &number));
		CHECK_EQ(6, number);
		_exit(0);
	}
	if (box_receive(self->served, &in, &number, 4, 0, IPCBOX_FOREVER) != 1)
		return false;
	self->token = in.token;
	return true;
}

static bool undo_reply(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 0 && box_wait(self->peer) == 0 && whole(self) &&
	       call_anew(self);
}

TEST_F(fault, reply)
{
	self->served = box_make(self->dev, IPCBOX_MAILBOX, R | W);
	ASSERT_LE(0, self->served);
	ASSERT_TRUE(call_anew(self));
	sweep(_metadata, self, op_reply, undo_reply);
	EXPECT_EQ(0, op_reply(self));
	EXPECT_EQ(0, box_wait(self->peer));
	close(self->served);
}

/* One that carries two files; it goes before all others. */
static int op_send_files(FIXTURE_DATA(fault) * self)
{
	static const __u32 number = 77;
	int files[2] = { fault.nth, fault.nth };
	struct ipcbox_outgoing out = {
		.data = (uintptr_t)&number,
		.length = sizeof(number),
		.priority = 9,
		.descriptors = (uintptr_t)files,
		.descriptor_count = 2,
	};

	return box_send_many(self->fd, &out, 1, IPCBOX_NOWAIT, 0);
}

static int op_receive_files(FIXTURE_DATA(fault) * self)
{
	memset(self->in, 0, sizeof(self->in));
	self->in[0].data = (uintptr_t)&self->got[0];
	self->in[0].capacity = sizeof(self->got[0]);
	self->in[0].descriptors = (uintptr_t)&self->got[1];
	self->in[0].descriptor_capacity = 2;
	return box_receive_many(self->fd, self->in, 1, IPCBOX_NOWAIT, 0);
}

static bool undo_receive_files(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 1 && self->got[0] == 77 &&
	       self->in[0].descriptor_count == 2 && !close(self->got[1]) &&
	       !close(self->got[2]) && whole(self) && op_send_files(self) == 1;
}

static bool undo_send_files(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 1 && op_receive_files(self) == 1 &&
	       self->got[0] == 77 && !close(self->got[1]) &&
	       !close(self->got[2]) && whole(self);
}

static int take_files(int fd)
{
	struct ipcbox_set set = {
		.mask = IPCBOX_SET_MAX_DESCRIPTORS,
		.max_descriptors = 2,
	};

	return box_set(fd, &set);
}

TEST_F(fault, send_files)
{
	ASSERT_EQ(0, take_files(self->fd));
	sweep(_metadata, self, op_send_files, undo_send_files);
}

TEST_F(fault, receive_files)
{
	ASSERT_EQ(0, take_files(self->fd));
	ASSERT_EQ(1, op_send_files(self));
	sweep(_metadata, self, op_receive_files, undo_receive_files);
}

static int notify(FIXTURE_DATA(fault) * self, __u32 how, int descriptor)
{
	struct ipcbox_notify request = {
		.size = sizeof(request),
		.how = how,
		.descriptor = descriptor,
	};

	return ioctl(self->fd, IPCBOX_IOC_NOTIFY, &request) ? -errno : 0;
}

static int op_notify(FIXTURE_DATA(fault) * self)
{
	return notify(self, IPCBOX_NOTIFY_EVENTFD, self->served);
}

static bool undo_notify(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 0 && notify(self, IPCBOX_NOTIFY_NONE, 0) == 0 &&
	       whole(self);
}

TEST_F(fault, notify)
{
	self->served = eventfd(0, EFD_CLOEXEC);
	ASSERT_LE(0, self->served);
	sweep(_metadata, self, op_notify, undo_notify);
	close(self->served);
}

static int op_stream_write(FIXTURE_DATA(fault) * self)
{
	int ret = write(self->spare, "abcd", 4);

	return ret < 0 ? -errno : ret;
}

static int op_stream_read(FIXTURE_DATA(fault) * self)
{
	int ret = read(self->spare, self->large, 4);

	return ret < 0 ? -errno : ret;
}

static bool undo_stream_write(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 4 && op_stream_read(self) == 4 &&
	       !memcmp(self->large, "abcd", 4) && whole(self);
}

static bool undo_stream_read(FIXTURE_DATA(fault) * self, int ret)
{
	return ret == 4 && !memcmp(self->large, "abcd", 4) &&
	       op_stream_write(self) == 4 && whole(self);
}

static int make_stream(int dev)
{
	struct ipcbox_create create = {
		.kind = IPCBOX_QUEUE,
		.flags = IPCBOX_CREATE_STREAM,
		.mode = 0600,
		.rights = R | W,
	};

	return box_create(dev, &create);
}

TEST_F(fault, stream_write)
{
	close(self->spare);
	self->spare = make_stream(self->dev);
	ASSERT_LE(0, self->spare);
	sweep(_metadata, self, op_stream_write, undo_stream_write);
}

TEST_F(fault, stream_read)
{
	close(self->spare);
	self->spare = make_stream(self->dev);
	ASSERT_EQ(4, op_stream_write(self));
	sweep(_metadata, self, op_stream_read, undo_stream_read);
}

/* The mailbox itself is made by the first success, and stays. */
static int op_open_process(FIXTURE_DATA(fault) * self)
{
	struct ipcbox_open open = {
		.by = IPCBOX_BY_PROCESS,
		.object = getpid(),
		.rights = R | W,
	};

	return box_open(self->dev, &open);
}

TEST_F(fault, open_process)
{
	sweep(_metadata, self, op_open_process, undo_descriptor);
}

int main(int argc, char **argv)
{
	return fault_main(argc, argv);
}
