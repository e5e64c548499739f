/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Receive pools, by the library. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support.h"

#define RING	65536

static struct ipcbox_handle *create_pool(struct ipcbox *box)
{
	return create(box, .kind = IPCBOX_MAILBOX, .mapped_bytes = RING,
		      .rights = RECEIVE | SEND | MANAGE);
}

static struct ipcbox_pool *map_pool(struct ipcbox_handle *mailbox)
{
	struct ipcbox_pool *pool = NULL;

	equal(ipcbox_pool_map(mailbox, &pool), 0);
	require(pool);
	return pool;
}

static const struct ipcbox_pool_record *expect_next(struct ipcbox_pool *pool,
						    const char *text)
{
	const struct ipcbox_pool_record *message = NULL;

	equal(ipcbox_pool_receive(pool, &message, IPCBOX_NOWAIT, 0), 0);
	require(message);
	equal(message->length, strlen(text));
	check(memcmp(ipcbox_pool_payload(message), text, strlen(text)) == 0);
	return message;
}

static void messages_are_received_in_place(void)
{
	const struct ipcbox_pool_record *message;
	struct ipcbox *box = open_box();
	struct ipcbox_handle *mailbox = create_pool(box);
	struct ipcbox_send_options tagged = { .tag = 7 };
	struct ipcbox_pool *pool = map_pool(mailbox);

	equal(ipcbox_pool_receive(pool, &message, IPCBOX_NOWAIT, 0), -EAGAIN);
	equal(send_text(mailbox, "one"), 0);
	equal(ipcbox_send(mailbox, "two", 3, &tagged), 0);
	message = expect_next(pool, "one");
	equal(message->sequence, 1);
	equal(message->pid, getpid());
	equal(ipcbox_pool_release(pool, message), 0);
	message = expect_next(pool, "two");
	equal(message->tag, 7);
	equal(ipcbox_pool_release(pool, message), 0);
	equal(ipcbox_pool_receive(pool, &message, IPCBOX_NOWAIT, 0), -EAGAIN);
	equal(state_of(mailbox).received, 2);
	ipcbox_pool_unmap(pool);
	ipcbox_pool_unmap(NULL);
	ipcbox_close(mailbox);
	ipcbox_box_close(box);
}

static void mistakes_are_found(void)
{
	const struct ipcbox_pool_record *message, *next;
	struct ipcbox *box = open_box();
	struct ipcbox_handle *mailbox = create_pool(box);
	struct ipcbox_handle *plain = create(box, .kind = IPCBOX_MAILBOX);
	struct ipcbox_handle *sender = reopen(box, mailbox, SEND);
	struct ipcbox_pool *pool;

	equal(ipcbox_pool_map(plain, &pool), -EOPNOTSUPP);
	equal(ipcbox_pool_map(sender, &pool), -EACCES);
	pool = map_pool(mailbox);
	equal(ipcbox_pool_receive(pool, &message, IPCBOX_PEEK, 0), -EINVAL);
	equal(send_text(mailbox, "one"), 0);
	equal(send_text(mailbox, "two"), 0);
	equal(ipcbox_pool_receive(pool, &message, IPCBOX_PEEK, 0), -EINVAL);
	message = expect_next(pool, "one");
	next = (const void *)((const char *)message + 64);
	/* Not received yet; no place of a message; not of the pool. */
	equal(ipcbox_pool_release(pool, next), -EINVAL);
	equal(ipcbox_pool_release(pool, (const void *)((const char *)message +
						       8)), -EINVAL);
	equal(ipcbox_pool_release(pool, (const void *)((const char *)message +
						       RING)), -EINVAL);
	equal(ipcbox_pool_release(pool, (const void *)&pool), -EINVAL);
	equal(ipcbox_pool_release(pool, message), 0);
	/* Released already. */
	equal(ipcbox_pool_release(pool, message), -EINVAL);
	equal(ipcbox_receive(mailbox, NULL, 0, NULL, IPCBOX_NOWAIT, 0), -EBUSY);
	ipcbox_pool_unmap(pool);
	expect_text(mailbox, "two");
	ipcbox_close(sender);
	ipcbox_close(plain);
	ipcbox_close(mailbox);
	ipcbox_box_close(box);
}

static void expect_taken(struct ipcbox_pool *pool,
			 const struct ipcbox_pool_record **message,
			 const char *text)
{
	equal(ipcbox_pool_next(pool, message, IPCBOX_NOWAIT, 0), 0);
	require(*message);
	equal((*message)->length, strlen(text));
	check(memcmp(ipcbox_pool_payload(*message), text, strlen(text)) == 0);
}

static void the_next_message_releases_the_one_before(void)
{
	const struct ipcbox_pool_record *kept, *message = NULL;
	struct ipcbox *box = open_box();
	struct ipcbox_handle *mailbox = create_pool(box);
	struct ipcbox_pool *pool = map_pool(mailbox);

	equal(ipcbox_pool_next(pool, &message, IPCBOX_NOWAIT, 0), -EAGAIN);
	check(message == NULL);
	equal(send_text(mailbox, "one"), 0);
	equal(send_text(mailbox, "two"), 0);
	equal(send_text(mailbox, "three"), 0);
	expect_taken(pool, &message, "one");
	equal(state_of(mailbox).messages, 3);
	expect_taken(pool, &message, "two");
	equal(state_of(mailbox).messages, 2);
	/* One that is kept keeps the room; what is released after it is not lost. */
	kept = message;
	message = NULL;
	expect_taken(pool, &message, "three");
	equal(send_text(mailbox, "four"), 0);
	expect_taken(pool, &message, "four");
	equal(state_of(mailbox).messages, 3);
	equal(ipcbox_pool_release(pool, kept), 0);
	equal(state_of(mailbox).messages, 1);
	/* The last one is released although there is none after it. */
	equal(ipcbox_pool_next(pool, &message, IPCBOX_NOWAIT, 0), -EAGAIN);
	check(message == NULL);
	equal(state_of(mailbox).messages, 0);
	equal(state_of(mailbox).received, 4);
	ipcbox_pool_unmap(pool);
	ipcbox_close(mailbox);
	ipcbox_box_close(box);
}

static void a_mistake_with_the_next_message_does_nothing(void)
{
	const struct ipcbox_pool_record *wrong, *message = NULL;
	struct ipcbox *box = open_box();
	struct ipcbox_handle *mailbox = create_pool(box);
	struct ipcbox_pool *pool = map_pool(mailbox);

	equal(send_text(mailbox, "one"), 0);
	equal(send_text(mailbox, "two"), 0);
	expect_taken(pool, &message, "one");
	wrong = message;
	equal(ipcbox_pool_next(pool, &wrong, IPCBOX_PEEK, 0), -EINVAL);
	check(wrong == message);
	wrong = (const void *)((const char *)message + 8);
	equal(ipcbox_pool_next(pool, &wrong, IPCBOX_NOWAIT, 0), -EINVAL);
	check(wrong == (const void *)((const char *)message + 8));
	equal(state_of(mailbox).messages, 2);
	expect_taken(pool, &message, "two");
	ipcbox_pool_unmap(pool);
	ipcbox_close(mailbox);
	ipcbox_box_close(box);
}

static void messages_are_released_in_any_order(void)
{
	const struct ipcbox_pool_record *messages[50];
	struct ipcbox *box = open_box();
	struct ipcbox_handle *mailbox = create_pool(box);
	struct ipcbox_pool *pool = map_pool(mailbox);
	unsigned int round, i, j;

	srand(1);
	for (round = 0; round < 200; round++) {
		for (i = 0; i < 50; i++)
			equal(send_text(mailbox, "some text"), 0);
		for (i = 0; i < 50; i++)
			messages[i] = expect_next(pool, "some text");
		for (i = 50; i-- > 1;) {
			j = (unsigned int)rand() % (i + 1);
			const struct ipcbox_pool_record *message = messages[i];

			messages[i] = messages[j];
			messages[j] = message;
		}
		for (i = 0; i < 50; i++) {
			equal(state_of(mailbox).messages > 0, 1);
			equal(ipcbox_pool_release(pool, messages[i]), 0);
		}
		equal(state_of(mailbox).messages, 0);
	}
	ipcbox_pool_unmap(pool);
	ipcbox_close(mailbox);
	ipcbox_box_close(box);
}

static void one_that_is_kept_keeps_the_room(void)
{
	const struct ipcbox_pool_record *kept, *later;
	struct ipcbox *box = open_box();
	struct ipcbox_handle *mailbox = create_pool(box);
	struct ipcbox_pool *pool = map_pool(mailbox);

	equal(send_text(mailbox, "kept"), 0);
	equal(send_text(mailbox, "later"), 0);
	kept = expect_next(pool, "kept");
	later = expect_next(pool, "later");
	equal(ipcbox_pool_release(pool, later), 0);
	equal(state_of(mailbox).messages, 2);
	check(memcmp(ipcbox_pool_payload(kept), "kept", 4) == 0);
	equal(ipcbox_pool_release(pool, kept), 0);
	equal(state_of(mailbox).messages, 0);
	ipcbox_pool_unmap(pool);
	ipcbox_close(mailbox);
	ipcbox_box_close(box);
}

/* Every system call but the end of the process is the end of it. */
static void allow_no_system_call(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		.filter = filter,
	};

	require(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	require(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

static void receive_without_a_call(void *argument)
{
	const struct ipcbox_pool_record *message;
	struct ipcbox_pool *pool = argument;
	int i;

	allow_no_system_call();
	for (i = 0; i < 50; i++)
		if (ipcbox_pool_receive(pool, &message, 0, 0) ||
		    ipcbox_pool_release(pool, message))
			syscall(SYS_exit_group, 1);
	message = NULL;
	for (i = 0; i < 50; i++)
		if (ipcbox_pool_next(pool, &message, 0, 0))
			syscall(SYS_exit_group, 1);
	if (ipcbox_pool_release(pool, message))
		syscall(SYS_exit_group, 1);
	syscall(SYS_exit_group, 0);
}

static void waiting_messages_are_received_without_a_system_call(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *mailbox = create_pool(box);
	struct ipcbox_pool *pool = map_pool(mailbox);
	int i;

	for (i = 0; i < 100; i++)
		equal(send_text(mailbox, "text"), 0);
	join(tap_spawn(receive_without_a_call, pool));
	equal(state_of(mailbox).received, 100);
	ipcbox_pool_unmap(pool);
	ipcbox_close(mailbox);
	ipcbox_box_close(box);
}

/* A receiver that hands messages to threads, which release them. */
#define WORKERS		3
#define JOBS		20000
#define SLOTS		16

struct team {
	struct ipcbox_pool *pool;
	const struct ipcbox_pool_record *_Atomic slots[SLOTS];
	atomic_uint done;
	atomic_int failed;
};

static void *work(void *argument)
{
	struct team *team = argument;
	unsigned int i = 0;

	while (atomic_load(&team->done) < JOBS) {
		const struct ipcbox_pool_record *message =
			atomic_exchange(&team->slots[i++ % SLOTS], NULL);

		if (!message)
			continue;
		if (ipcbox_pool_release(team->pool, message))
			atomic_store(&team->failed, 1);
		atomic_fetch_add(&team->done, 1);
	}
	return NULL;
}

static void *send_jobs(void *argument)
{
	struct ipcbox_handle *mailbox = argument;
	unsigned int i;

	for (i = 0; i < JOBS; i++)
		if (ipcbox_send(mailbox, &i, sizeof(i), NULL))
			return argument;
	return NULL;
}

static void give(struct team *team, const struct ipcbox_pool_record *message)
{
	const struct ipcbox_pool_record *none = NULL;
	unsigned int i = 0;

	while (!atomic_compare_exchange_weak(&team->slots[i++ % SLOTS], &none,
					     message))
		none = NULL;
}

static void threads_release_at_once(void)
{
	const struct ipcbox_pool_record *message;
	struct ipcbox *box = open_box();
	struct ipcbox_handle *mailbox = create_pool(box);
	struct team team = { .pool = map_pool(mailbox) };
	pthread_t workers[WORKERS], sender;
	unsigned int i, number;

	require(!pthread_create(&sender, NULL, send_jobs, mailbox));
	for (i = 0; i < WORKERS; i++)
		require(!pthread_create(&workers[i], NULL, work, &team));
	for (i = 0; i < JOBS; i++) {
		equal(ipcbox_pool_receive(team.pool, &message, 0, 0), 0);
		memcpy(&number, ipcbox_pool_payload(message), sizeof(number));
		require(number == i);
		give(&team, message);
	}
	for (i = 0; i < WORKERS; i++)
		pthread_join(workers[i], NULL);
	pthread_join(sender, NULL);
	check(!atomic_load(&team.failed));
	equal(state_of(mailbox).received, JOBS);
	equal(state_of(mailbox).messages, 0);
	ipcbox_pool_unmap(team.pool);
	ipcbox_close(mailbox);
	ipcbox_box_close(box);
}

static void *send_soon(void *argument)
{
	struct ipcbox_handle *mailbox = argument;

	await_receivers(mailbox, 1);
	equal(send_text(mailbox, "late"), 0);
	return NULL;
}

static void a_receiver_waits(void)
{
	const struct ipcbox_pool_record *message;
	struct ipcbox *box = open_box();
	struct ipcbox_handle *mailbox = create_pool(box);
	struct ipcbox_pool *pool = map_pool(mailbox);
	pthread_t sender;

	equal(ipcbox_pool_receive(pool, &message, 0,
				  ipcbox_deadline_after_ms(1)), -ETIMEDOUT);
	require(!pthread_create(&sender, NULL, send_soon, mailbox));
	equal(ipcbox_pool_receive(pool, &message, 0, IPCBOX_FOREVER), 0);
	equal(message->length, 4);
	equal(ipcbox_pool_release(pool, message), 0);
	pthread_join(sender, NULL);
	ipcbox_pool_unmap(pool);
	ipcbox_close(mailbox);
	ipcbox_box_close(box);
}

TAP_MAIN(own_box, TAP_TEST(messages_are_received_in_place),
	 TAP_TEST(mistakes_are_found),
	 TAP_TEST(the_next_message_releases_the_one_before),
	 TAP_TEST(a_mistake_with_the_next_message_does_nothing),
	 TAP_TEST(messages_are_released_in_any_order),
	 TAP_TEST(one_that_is_kept_keeps_the_room),
	 TAP_TEST(waiting_messages_are_received_without_a_system_call),
	 TAP_TEST(threads_release_at_once), TAP_TEST(a_receiver_waits))
