/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Threads share boxes and handles; signals interrupt or do not, as asked. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "support.h"

#define SENDERS		4
#define RECEIVERS	4
#define MESSAGES	500

struct shared {
	struct ipcbox *box;
	struct ipcbox_handle *queue;
	atomic_int seen[SENDERS][MESSAGES];
};

struct message {
	int sender;
	int number;
};

struct thread {
	pthread_t id;
	struct shared *shared;
	int number;
};

static void start(struct thread *thread, struct shared *shared, int number,
		  void *(*run)(void *))
{
	thread->shared = shared;
	thread->number = number;
	require(pthread_create(&thread->id, NULL, run, thread) == 0);
}

static void *send_many(void *argument)
{
	struct thread *thread = argument;
	struct message message = { .sender = thread->number };

	for (; message.number < MESSAGES; message.number++)
		equal(ipcbox_send(thread->shared->queue, &message,
				  sizeof(message), NULL), 0);
	return NULL;
}

/* Up to a message of no bytes. */
static void *receive_many(void *argument)
{
	struct thread *thread = argument;
	int last[SENDERS] = { 0 };
	struct message message = { 0 };
	ssize_t length;

	while ((length = ipcbox_receive(thread->shared->queue, &message,
					sizeof(message), NULL, 0, 0)) > 0) {
		require(length == sizeof(message));
		require(message.sender >= 0 && message.sender < SENDERS);
		require(message.number >= 0 && message.number < MESSAGES);
		/* One receiver sees each sender's messages in their order. */
		check(message.number >= last[message.sender]);
		last[message.sender] = message.number;
		atomic_fetch_add(&thread->shared->seen[message.sender]
						      [message.number], 1);
	}
	equal(length, 0);
	return NULL;
}

static void threads_share_a_handle(void)
{
	static struct shared shared;
	struct thread senders[SENDERS], receivers[RECEIVERS];
	int i, j;

	shared.box = open_box();
	shared.queue = create(shared.box, .max_messages = 10);
	for (i = 0; i < RECEIVERS; i++)
		start(&receivers[i], &shared, i, receive_many);
	for (i = 0; i < SENDERS; i++)
		start(&senders[i], &shared, i, send_many);
	for (i = 0; i < SENDERS; i++)
		pthread_join(senders[i].id, NULL);
	for (i = 0; i < RECEIVERS; i++)
		equal(ipcbox_send(shared.queue, NULL, 0, NULL), 0);
	for (i = 0; i < RECEIVERS; i++)
		pthread_join(receivers[i].id, NULL);
	for (i = 0; i < SENDERS; i++)
		for (j = 0; j < MESSAGES; j++)
			equal(atomic_load(&shared.seen[i][j]), 1);
	equal(state_of(shared.queue).messages, 0);
	ipcbox_close(shared.queue);
	ipcbox_box_close(shared.box);
}

static void *make_objects(void *argument)
{
	struct thread *thread = argument;
	struct ipcbox_listing *listing = NULL;
	struct ipcbox_handle *handle;
	struct ipcbox_stat state;
	int i;

	for (i = 0; i < 50; i++) {
		handle = create(thread->shared->box, .kind = IPCBOX_QUEUE);
		equal(send_text(handle, "own"), 0);
		expect_text(handle, "own");
		ipcbox_close(handle);
		equal(ipcbox_list_begin(thread->shared->box, &listing), 0);
		while (ipcbox_list_next(listing, &state) == 1)
			check(state.id != 0);
		ipcbox_list_end(listing);
	}
	return NULL;
}

static void threads_share_a_box(void)
{
	struct shared shared = { .box = open_box() };
	struct thread threads[4];
	struct ipcbox_info info;
	int i;

	for (i = 0; i < 4; i++)
		start(&threads[i], &shared, i, make_objects);
	for (i = 0; i < 4; i++)
		pthread_join(threads[i].id, NULL);
	equal(ipcbox_info(shared.box, &info), 0);
	equal(info.box_objects_used, 0);
	ipcbox_box_close(shared.box);
}

static atomic_int signals;

static void note(int number)
{
	(void)number;
	atomic_fetch_add(&signals, 1);
}

static void *receive_interrupted(void *argument)
{
	struct thread *thread = argument;
	char text[8];

	equal(ipcbox_receive(thread->shared->queue, text, sizeof(text), NULL,
			     0, 0), -EINTR);
	return NULL;
}

static void *receive_restarted(void *argument)
{
	struct thread *thread = argument;
	char text[8];

	equal(ipcbox_receive(thread->shared->queue, text, sizeof(text), NULL,
			     0, 0), 4);
	return NULL;
}

static void *send_interrupted(void *argument)
{
	struct thread *thread = argument;

	equal(ipcbox_send(thread->shared->queue, "x", 1, NULL), -EINTR);
	return NULL;
}

static void handle_signal(int flags)
{
	struct sigaction action = { .sa_handler = note, .sa_flags = flags };

	require(sigaction(SIGUSR1, &action, NULL) == 0);
}

static void a_signal_interrupts_a_receiver(void)
{
	struct shared shared = { .box = open_box() };
	struct thread thread;

	handle_signal(0);
	shared.queue = create(shared.box, .kind = IPCBOX_QUEUE);
	start(&thread, &shared, 0, receive_interrupted);
	await_receivers(shared.queue, 1);
	pthread_kill(thread.id, SIGUSR1);
	pthread_join(thread.id, NULL);
	equal(atomic_load(&signals), 1);
	equal(state_of(shared.queue).receivers_waiting, 0);
	/* No one took what comes now. */
	equal(send_text(shared.queue, "x"), 0);
	expect_text(shared.queue, "x");
	ipcbox_close(shared.queue);
	ipcbox_box_close(shared.box);
}

static void a_signal_interrupts_a_sender(void)
{
	struct shared shared = { .box = open_box() };
	struct thread thread;

	handle_signal(0);
	shared.queue = create(shared.box, .max_messages = 1);
	equal(send_text(shared.queue, "full"), 0);
	start(&thread, &shared, 0, send_interrupted);
	await_senders(shared.queue, 1);
	pthread_kill(thread.id, SIGUSR1);
	pthread_join(thread.id, NULL);
	equal(state_of(shared.queue).sent, 1);
	ipcbox_close(shared.queue);
	ipcbox_box_close(shared.box);
}

static void a_restarted_call_goes_on_waiting(void)
{
	struct shared shared = { .box = open_box() };
	struct thread thread;

	handle_signal(SA_RESTART);
	shared.queue = create(shared.box, .kind = IPCBOX_QUEUE);
	start(&thread, &shared, 0, receive_restarted);
	await_receivers(shared.queue, 1);
	pthread_kill(thread.id, SIGUSR1);
	while (atomic_load(&signals) == 0)
		sched_yield();
	await_receivers(shared.queue, 1);
	equal(send_text(shared.queue, "went"), 0);
	pthread_join(thread.id, NULL);
	ipcbox_close(shared.queue);
	ipcbox_box_close(shared.box);
}

TAP_MAIN(own_box, TAP_TEST(threads_share_a_handle),
	 TAP_TEST(threads_share_a_box),
	 TAP_TEST(a_signal_interrupts_a_receiver),
	 TAP_TEST(a_signal_interrupts_a_sender),
	 TAP_TEST(a_restarted_call_goes_on_waiting))
