/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Objects: making, opening, unlinking, their names, rights and life. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

/* Where a failure would leave its mark. */
#define MARK	((void *)&errno)

static struct ipcbox_info info_of(struct ipcbox *box)
{
	struct ipcbox_info info;

	require(ipcbox_info(box, &info) == 0);
	return info;
}

static void zero_options_are_defaults(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_info info = info_of(box);
	struct ipcbox_create_options none = { 0 };
	struct ipcbox_handle *handle = NULL;
	struct ipcbox_stat state;
	int i;

	for (i = 0; i < 2; i++) {
		equal(ipcbox_create(box, i ? &none : NULL, &handle), 0);
		require(handle);
		equal(ipcbox_handle_kind(handle), IPCBOX_QUEUE);
		equal(ipcbox_handle_created(handle), 1);
		state = state_of(handle);
		check(state.id == ipcbox_handle_id(handle));
		equal(state.kind, IPCBOX_QUEUE);
		equal(state.mode, 0600);
		equal(state.state, 0);
		equal(state.name_length, 0);
		equal(state.uid, 0);
		equal(state.gid, 0);
		equal(state.max_messages, info.object_messages);
		equal(state.max_bytes, info.object_bytes);
		equal(state.max_message_bytes, info.message_bytes);
		equal(state.receive_handles, 1);
		equal(state.send_handles, 1);
		ipcbox_close(handle);
	}
	ipcbox_box_close(box);
}

static void options_are_followed(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *handle;
	struct ipcbox_stat state;

	umask(0);
	handle = create(box, .name = "options", .kind = IPCBOX_MAILBOX,
			.mode = 0642, .rights = RECEIVE | MANAGE,
			.flags = IPCBOX_CREATE_EXCLUSIVE |
				 IPCBOX_CREATE_PERSISTENT |
				 IPCBOX_CREATE_NONBLOCK,
			.max_messages = 5, .max_bytes = 1000,
			.max_message_bytes = 100);
	state = state_of(handle);
	equal(ipcbox_handle_kind(handle), IPCBOX_MAILBOX);
	equal(state.kind, IPCBOX_MAILBOX);
	equal(state.mode, 0642);
	equal(state.state, IPCBOX_STATE_PERSISTENT);
	equal(state.name_length, 7);
	check(strcmp((const char *)state.name, "options") == 0);
	equal(state.max_messages, 5);
	equal(state.max_bytes, 1000);
	equal(state.max_message_bytes, 100);
	equal(state.receive_handles, 1);
	equal(state.send_handles, 0);
	check(fcntl(ipcbox_handle_fd(handle), F_GETFL) & O_NONBLOCK);
	equal(fcntl(ipcbox_handle_fd(handle), F_GETFD), FD_CLOEXEC);
	equal(ipcbox_unlink_name(box, "options"), 0);
	ipcbox_close(handle);
	ipcbox_box_close(box);
}

static void the_umask_is_taken_off(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *handle;

	umask(027);
	handle = create(box, .mode = 0666);
	equal(state_of(handle).mode, 0640);
	ipcbox_close(handle);
	ipcbox_box_close(box);
}

static void a_small_object_takes_small_messages(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *handle = create(box, .max_bytes = 10);

	equal(state_of(handle).max_message_bytes, 10);
	ipcbox_close(handle);
	ipcbox_box_close(box);
}

static void names_are_checked(void)
{
	static const char *const bad[] = {
		"", " ", "a b", "a/b", "/", "tab\t", "line\n", "\x7f", "\xc3\xa4",
		/* 64 bytes */
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	};
	static const char *const good[] = {
		"!", "~", ".", "..", "a", "A:b,c;d\\e\"f",
		/* 63 bytes */
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde",
	};
	struct ipcbox *box = open_box();
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		equal(try_create(box, .name = bad[i]), -EINVAL);
		equal(try_open(box, bad[i], RECEIVE), -EINVAL);
		equal(ipcbox_unlink_name(box, bad[i]), -EINVAL);
	}
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		equal(try_create(box, .name = good[i]), 0);
		equal(try_open(box, good[i], RECEIVE), -ENOENT);
		equal(ipcbox_unlink_name(box, good[i]), -ENOENT);
	}
	equal(try_open(box, NULL, RECEIVE), -EINVAL);
	equal(ipcbox_unlink_name(box, NULL), -EINVAL);
	equal(info_of(box).box_objects_used, 0);
	ipcbox_box_close(box);
}

static void options_out_of_range_are_einval(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_info info = info_of(box);

	equal(try_create(box, .kind = 99), -EINVAL);
	equal(try_create(box, .mode = 01000), -EINVAL);
	equal(try_create(box, .mode = 0700), -EINVAL);
	equal(try_create(box, .rights = 0x80), -EINVAL);
	equal(try_create(box, .flags = 0x80000000), -EINVAL);
	equal(try_create(box, .max_messages = info.object_messages_max + 1),
	      -EINVAL);
	equal(try_create(box, .max_bytes = info.object_bytes_max + 1), -EINVAL);
	equal(try_create(box, .max_message_bytes = info.message_bytes_max + 1),
	      -EINVAL);
	equal(try_create(box, .max_bytes = 10, .max_message_bytes = 11),
	      -EINVAL);
	equal(info_of(box).box_objects_used, 0);
	ipcbox_box_close(box);
}

static void failing_leaves_the_handle_as_it_was(void)
{
	struct ipcbox_create_options options = { .kind = 99 };
	struct ipcbox_handle *handle = MARK;
	struct ipcbox *box = open_box();

	equal(ipcbox_create(box, &options, &handle), -EINVAL);
	equal(ipcbox_mailbox_create(box, "", 0600, &handle), -EINVAL);
	equal(ipcbox_queue_create(box, "", 0600, &handle), -EINVAL);
	equal(ipcbox_open_name(box, "nothing", RECEIVE, 0, &handle), -ENOENT);
	equal(ipcbox_open_id(box, 1ull << 60, RECEIVE, 0, &handle), -ENOENT);
	check(handle == MARK);
	ipcbox_box_close(box);
}

static void an_existing_object_is_opened(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *first = create(box, .name = "same",
					     .max_messages = 7);
	struct ipcbox_handle *second = create(box, .name = "same",
					      .max_messages = 9);

	equal(ipcbox_handle_created(first), 1);
	equal(ipcbox_handle_created(second), 0);
	check(ipcbox_handle_id(first) == ipcbox_handle_id(second));
	equal(state_of(second).max_messages, 7);
	equal(state_of(second).handles, 2);
	ipcbox_close(first);
	ipcbox_close(second);
	ipcbox_box_close(box);
}

static void a_taken_name_is_eexist(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *handle = create(box, .name = "taken");

	equal(try_create(box, .name = "taken",
			 .flags = IPCBOX_CREATE_EXCLUSIVE), -EEXIST);
	equal(try_create(box, .name = "taken", .kind = IPCBOX_MAILBOX),
	      -EEXIST);
	equal(state_of(handle).handles, 1);
	ipcbox_close(handle);
	ipcbox_box_close(box);
}

static void a_mailbox_has_one_receiver(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *sender, *receiver, *next = NULL;

	equal(ipcbox_mailbox_create(box, "one", 0600, &receiver), 0);
	equal(try_open(box, "one", RECEIVE), -EBUSY);
	equal(try_open(box, "one", RECEIVE | SEND), -EBUSY);
	equal(try_create(box, .name = "one", .kind = IPCBOX_MAILBOX), -EBUSY);
	sender = open_object(box, "one", SEND);
	equal(state_of(sender).receive_handles, 1);
	ipcbox_close(receiver);
	/* Kept by the sender's handle, it can have another receiver. */
	equal(ipcbox_mailbox_create(box, "one", 0600, &next), 0);
	require(next);
	equal(ipcbox_handle_created(next), 0);
	ipcbox_close(next);
	ipcbox_close(sender);
	ipcbox_box_close(box);
}

static void the_short_forms_make_what_they_say(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *handle = NULL;

	umask(0);
	equal(ipcbox_mailbox_create(box, "letters", 0622, &handle), 0);
	require(handle);
	equal(ipcbox_handle_kind(handle), IPCBOX_MAILBOX);
	equal(state_of(handle).mode, 0622);
	equal(state_of(handle).receive_handles, 1);
	equal(state_of(handle).send_handles, 0);
	equal(send_text(handle, "no"), -EACCES);
	ipcbox_close(handle);

	equal(ipcbox_mailbox_create(box, NULL, 0, &handle), 0);
	equal(state_of(handle).mode, 0600);
	equal(state_of(handle).name_length, 0);
	equal(send_text(handle, "to myself"), 0);
	expect_text(handle, "to myself");
	ipcbox_close(handle);

	equal(ipcbox_queue_create(box, "jobs", 0666, &handle), 0);
	equal(ipcbox_handle_kind(handle), IPCBOX_QUEUE);
	equal(state_of(handle).mode, 0666);
	equal(send_text(handle, "job"), 0);
	expect_text(handle, "job");
	ipcbox_close(handle);
	equal(info_of(box).box_objects_used, 0);
	ipcbox_box_close(box);
}

static void opening_gives_the_rights_asked_for(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .name = "rights");
	struct ipcbox_handle *sender = open_object(box, "rights", SEND);
	struct ipcbox_handle *receiver = reopen(box, queue, RECEIVE);
	struct ipcbox_handle *manager = NULL;
	struct ipcbox_set set = { .mask = IPCBOX_SET_MODE, .mode = 0644 };
	char text[8];

	check(ipcbox_handle_id(sender) == ipcbox_handle_id(queue));
	equal(ipcbox_handle_kind(sender), IPCBOX_QUEUE);
	equal(ipcbox_handle_created(sender), 0);
	equal(ipcbox_receive(sender, text, sizeof(text), NULL, IPCBOX_NOWAIT,
			     0), -EACCES);
	equal(send_text(receiver, "x"), -EACCES);
	equal(ipcbox_set(sender, &set), -EACCES);
	equal(ipcbox_open_name(box, "rights", MANAGE, IPCBOX_OPEN_NONBLOCK,
			       &manager), 0);
	require(manager);
	check(fcntl(ipcbox_handle_fd(manager), F_GETFL) & O_NONBLOCK);
	equal(ipcbox_set(manager, &set), 0);
	equal(send_text(manager, "x"), -EACCES);
	equal(send_text(sender, "through"), 0);
	expect_text(receiver, "through");
	ipcbox_close(manager);
	ipcbox_close(receiver);
	ipcbox_close(sender);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void opening_checks_its_arguments(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .name = "checked");
	struct ipcbox_handle *handle = NULL;

	equal(try_open(box, "checked", 0), -EINVAL);
	equal(try_open(box, "checked", 0x80), -EINVAL);
	equal(ipcbox_open_name(box, "checked", SEND, 0x80, &handle), -EINVAL);
	equal(ipcbox_open_id(box, ipcbox_handle_id(queue), 0, 0, &handle),
	      -EINVAL);
	check(!handle);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void persistent_objects_wait_for_unlink(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *handle;
	uint64_t id;

	handle = create(box, .name = "stays",
			.flags = IPCBOX_CREATE_PERSISTENT);
	id = ipcbox_handle_id(handle);
	equal(send_text(handle, "kept"), 0);
	ipcbox_close(handle);
	handle = open_object(box, "stays", RECEIVE);
	check(ipcbox_handle_id(handle) == id);
	expect_text(handle, "kept");
	equal(ipcbox_unlink_name(box, "stays"), 0);
	equal(state_of(handle).state,
	      IPCBOX_STATE_PERSISTENT | IPCBOX_STATE_UNLINKED);
	equal(info_of(box).box_objects_used, 1);
	ipcbox_close(handle);
	equal(info_of(box).box_objects_used, 0);
	ipcbox_box_close(box);
}

static void other_objects_go_with_their_last_handle(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *first = create(box, .name = "goes");
	struct ipcbox_handle *second = open_object(box, "goes", SEND);

	ipcbox_close(first);
	equal(try_open(box, "goes", SEND), 0);
	ipcbox_close(second);
	equal(try_open(box, "goes", SEND), -ENOENT);
	ipcbox_box_close(box);
}

static void unlinking_frees_the_name_and_the_id(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *old = create(box, .name = "again");
	struct ipcbox_handle *handle = NULL;
	struct ipcbox_handle *new;
	uint64_t id = ipcbox_handle_id(old);

	equal(ipcbox_unlink_id(box, id), 0);
	equal(ipcbox_unlink_id(box, id), -ENOENT);
	equal(ipcbox_unlink_name(box, "again"), -ENOENT);
	equal(ipcbox_open_id(box, id, SEND, 0, &handle), -ENOENT);
	equal(try_open(box, "again", SEND), -ENOENT);
	new = create(box, .name = "again", .flags = IPCBOX_CREATE_EXCLUSIVE);
	check(ipcbox_handle_id(new) > id);
	/* The old one serves those who hold it. */
	equal(send_text(old, "old"), 0);
	expect_text(old, "old");
	equal(state_of(old).state, IPCBOX_STATE_UNLINKED);
	ipcbox_close(new);
	ipcbox_close(old);
	ipcbox_box_close(box);
}

static void ids_are_never_used_again(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *handle;
	uint64_t last = 0;
	int i;

	for (i = 0; i < 100; i++) {
		handle = create(box, .kind = IPCBOX_QUEUE);
		check(ipcbox_handle_id(handle) > last);
		last = ipcbox_handle_id(handle);
		ipcbox_close(handle);
	}
	ipcbox_box_close(box);
}

/* What another user may do, in the order receive, send. */
static void try_as_other(void *argument)
{
	struct ipcbox *box = argument;

	become_other_user();
	equal(try_open(box, "closed", RECEIVE), -EACCES);
	equal(try_open(box, "closed", SEND), -EACCES);
	equal(try_open(box, "drop", SEND), 0);
	equal(try_open(box, "drop", RECEIVE), -EACCES);
	equal(try_open(box, "drop", RECEIVE | SEND), -EACCES);
	equal(try_open(box, "public", RECEIVE | SEND), 0);
	equal(try_open(box, "public", MANAGE), -EACCES);
	equal(try_create(box, .name = "public", .rights = MANAGE), -EACCES);
	equal(try_create(box, .name = "closed"), -EACCES);
	equal(ipcbox_unlink_name(box, "public"), -EPERM);
	/* What is its own it may manage, and remove. */
	equal(try_create(box, .name = "mine", .mode = 0600,
			 .rights = RECEIVE | SEND | MANAGE,
			 .flags = IPCBOX_CREATE_PERSISTENT), 0);
	equal(try_open(box, "mine", MANAGE), 0);
	equal(ipcbox_unlink_name(box, "mine"), 0);
}

static void other_users_get_what_the_mode_says(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *closed, *drop, *public;

	umask(0);
	closed = create(box, .name = "closed", .mode = 0600);
	drop = create(box, .name = "drop", .mode = 0602);
	public = create(box, .name = "public", .mode = 0666);
	join(tap_spawn(try_as_other, box));
	ipcbox_close(closed);
	ipcbox_close(drop);
	ipcbox_close(public);
	ipcbox_box_close(box);
}

static void use_up_objects(void *argument)
{
	struct ipcbox *box = argument;
	uint64_t most = info_of(box).user_objects;
	struct ipcbox_handle *handle;
	uint64_t i;

	become_other_user();
	for (i = 0; i < most; i++) {
		handle = create(box, .flags = IPCBOX_CREATE_PERSISTENT);
		ipcbox_close(handle);
	}
	equal(try_create(box, .kind = IPCBOX_QUEUE), -EDQUOT);
	equal(info_of(box).user_objects_used, most);
}

static void a_users_objects_are_limited(void)
{
	struct ipcbox *box = open_box();

	join(tap_spawn(use_up_objects, box));
	/* Others are not concerned. */
	equal(try_create(box, .kind = IPCBOX_QUEUE), 0);
	ipcbox_box_close(box);
}

static void without_descriptors_is_emfile(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *handle = NULL;
	int highest = ipcbox_box_fd(box);
	int fd;

	while ((fd = dup(ipcbox_box_fd(box))) >= 0)
		highest = fd;
	equal(ipcbox_create(box, NULL, &handle), -EMFILE);
	check(!handle);
	close(highest);
	equal(info_of(box).box_objects_used, 0);
	equal(ipcbox_create(box, NULL, &handle), 0);
	ipcbox_close(handle);
	ipcbox_box_close(box);
}

TAP_MAIN(own_box, TAP_TEST(zero_options_are_defaults),
	 TAP_TEST(options_are_followed), TAP_TEST(the_umask_is_taken_off),
	 TAP_TEST(a_small_object_takes_small_messages),
	 TAP_TEST(names_are_checked), TAP_TEST(options_out_of_range_are_einval),
	 TAP_TEST(failing_leaves_the_handle_as_it_was),
	 TAP_TEST(an_existing_object_is_opened),
	 TAP_TEST(a_taken_name_is_eexist), TAP_TEST(a_mailbox_has_one_receiver),
	 TAP_TEST(the_short_forms_make_what_they_say),
	 TAP_TEST(opening_gives_the_rights_asked_for),
	 TAP_TEST(opening_checks_its_arguments),
	 TAP_TEST(persistent_objects_wait_for_unlink),
	 TAP_TEST(other_objects_go_with_their_last_handle),
	 TAP_TEST(unlinking_frees_the_name_and_the_id),
	 TAP_TEST(ids_are_never_used_again),
	 TAP_TEST(other_users_get_what_the_mode_says),
	 TAP_TEST(a_users_objects_are_limited),
	 TAP_TEST(without_descriptors_is_emfile))
