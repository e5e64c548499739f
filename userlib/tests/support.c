/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#include "support.h"

#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void own_box(void)
{
	require(unshare(CLONE_NEWNET) == 0);
}

struct ipcbox *open_box(void)
{
	struct ipcbox *box = NULL;

	equal(ipcbox_box_open(&box), 0);
	require(box);
	return box;
}

struct ipcbox_handle *
create_object(struct ipcbox *box, const struct ipcbox_create_options *options)
{
	struct ipcbox_handle *handle = NULL;

	equal(ipcbox_create(box, options, &handle), 0);
	require(handle);
	return handle;
}

int try_create_object(struct ipcbox *box,
		      const struct ipcbox_create_options *options)
{
	struct ipcbox_handle *handle = NULL;
	int result = ipcbox_create(box, options, &handle);

	check(result <= 0);
	check((result == 0) == (handle != NULL));
	ipcbox_close(handle);
	return result;
}

struct ipcbox_handle *open_object(struct ipcbox *box, const char *name,
				  unsigned int rights)
{
	struct ipcbox_handle *handle = NULL;

	equal(ipcbox_open_name(box, name, rights, 0, &handle), 0);
	require(handle);
	return handle;
}

int try_open(struct ipcbox *box, const char *name, unsigned int rights)
{
	struct ipcbox_handle *handle = NULL;
	int result = ipcbox_open_name(box, name, rights, 0, &handle);

	check(result <= 0);
	check((result == 0) == (handle != NULL));
	ipcbox_close(handle);
	return result;
}

struct ipcbox_handle *reopen(struct ipcbox *box, struct ipcbox_handle *handle,
			     unsigned int rights)
{
	struct ipcbox_handle *again = NULL;

	equal(ipcbox_open_id(box, ipcbox_handle_id(handle), rights, 0, &again),
	      0);
	require(again);
	return again;
}

struct ipcbox_stat state_of(struct ipcbox_handle *handle)
{
	struct ipcbox_stat state;

	memset(&state, 0xff, sizeof(state));
	require(ipcbox_stat(handle, &state) == 0);
	return state;
}

int send_text(struct ipcbox_handle *handle, const char *text)
{
	struct ipcbox_send_options options = { .flags = IPCBOX_NOWAIT };

	return ipcbox_send(handle, text, strlen(text), &options);
}

void expect_text(struct ipcbox_handle *handle, const char *text)
{
	char buffer[64] = "";
	ssize_t length = ipcbox_receive(handle, buffer, sizeof(buffer) - 1,
					NULL, IPCBOX_NOWAIT, 0);

	if (length != (ssize_t)strlen(text) || strcmp(buffer, text) != 0)
		tap_fail(__FILE__, __LINE__,
			 "received '%s' (%zd), not '%s'", buffer, length, text);
}

struct ipcbox_incoming hold_text(struct ipcbox_handle *handle,
				 const char *text)
{
	struct ipcbox_incoming header = { .token = 0 };
	char buffer[64] = "";
	ssize_t length = ipcbox_receive(handle, buffer, sizeof(buffer) - 1,
					&header, IPCBOX_HOLD | IPCBOX_NOWAIT,
					0);

	if (length != (ssize_t)strlen(text) || strcmp(buffer, text) != 0)
		tap_fail(__FILE__, __LINE__,
			 "held '%s' (%zd), not '%s'", buffer, length, text);
	check(header.token != 0);
	return header;
}

void await_receivers(struct ipcbox_handle *handle, unsigned int count)
{
	while (state_of(handle).receivers_waiting != count)
		sched_yield();
}

void await_senders(struct ipcbox_handle *handle, unsigned int count)
{
	while (state_of(handle).senders_waiting != count)
		sched_yield();
}

void await_messages(struct ipcbox_handle *handle, unsigned int count)
{
	while (state_of(handle).messages != count)
		sched_yield();
}

void await_held(struct ipcbox_handle *handle, unsigned int count)
{
	while (state_of(handle).held != count)
		sched_yield();
}

static void *run_send(void *argument)
{
	struct exchange *exchange = argument;

	exchange->result = ipcbox_send(exchange->handle, exchange->text,
				       strlen(exchange->text),
				       &exchange->options);
	atomic_store(&exchange->ended, 1);
	return NULL;
}

static void *run_call(void *argument)
{
	struct exchange *exchange = argument;

	exchange->result = ipcbox_call(exchange->handle, exchange->text,
				       strlen(exchange->text), exchange->reply,
				       sizeof(exchange->reply) - 1,
				       &exchange->options, &exchange->header);
	atomic_store(&exchange->ended, 1);
	return NULL;
}

static void begin(struct exchange *exchange, void *(*run)(void *))
{
	require(pthread_create(&exchange->thread, NULL, run, exchange) == 0);
}

void begin_send(struct exchange *exchange, struct ipcbox_handle *handle,
		const char *text, uint64_t deadline)
{
	*exchange = (struct exchange){
		.handle = handle, .text = text,
		.options = { .flags = IPCBOX_SYNC, .deadline = deadline },
	};
	begin(exchange, run_send);
}

void begin_call(struct exchange *exchange, struct ipcbox_handle *handle,
		const char *text, uint64_t deadline)
{
	*exchange = (struct exchange){
		.handle = handle, .text = text,
		.options = { .deadline = deadline },
	};
	begin(exchange, run_call);
}

int has_ended(struct exchange *exchange)
{
	return atomic_load(&exchange->ended);
}

ssize_t end_exchange(struct exchange *exchange)
{
	require(pthread_join(exchange->thread, NULL) == 0);
	return exchange->result;
}

void kill_child(pid_t child)
{
	require(kill(child, SIGKILL) == 0);
	require(waitpid(child, NULL, 0) == child);
}

void become_other_user(void)
{
	require(setgroups(0, NULL) == 0);
	require(setresgid(OTHER_GROUP, OTHER_GROUP, OTHER_GROUP) == 0);
	require(setresuid(OTHER_USER, OTHER_USER, OTHER_USER) == 0);
}
