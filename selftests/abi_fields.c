// SPDX-License-Identifier: GPL-2.0
/*
 * Every ioctl on mailboxes and queues, and on the device, checks the values that it
 * is given, beside what abi_matrix shows of all: names, counts, strides, arrays,
 * limits, selections, tokens, and the rights of the handle. A refused call
 * changes nothing.
 */
#include <sys/ioctl.h>

#include "kselftest_harness.h"
#include "abi.h"

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

/* The messages that the fixture put in, and nothing else, in their order. */
static bool intact(int queue)
{
	__u32 number, i;

	for (i = 0; i < 3; i++)
		if (box_get(queue, &number) != 1 || number != i)
			return false;
	return box_get(queue, &number) == -EAGAIN;
}

FIXTURE_TEARDOWN(fields)
{
	EXPECT_TRUE(box_unchanged(self->dev, self->queue, &self->before));
	EXPECT_TRUE(intact(self->queue));
	close(self->queue);
	close(self->dev);
}

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
