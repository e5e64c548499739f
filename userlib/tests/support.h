/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* What tests that use the module share. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include <ipcbox.h>

#include "tap.h"

/* A user and group other than root, with no rights of its own. */
#define OTHER_USER	1000
#define OTHER_GROUP	1000

#define RECEIVE		IPCBOX_RIGHT_RECEIVE
#define SEND		IPCBOX_RIGHT_SEND
#define MANAGE		IPCBOX_RIGHT_MANAGE

/*
 * Before each test: a network namespace of its own, so that its box is empty
 * and what it leaves concerns no other. Needs root and the module; fails
 * without, as a test that did not run did not pass.
 */
void own_box(void);

struct ipcbox *open_box(void);

/* Makes an object of the options given as designated initialisers. */
#define create(box, ...)						\
	create_object(box, &(struct ipcbox_create_options){ __VA_ARGS__ })
struct ipcbox_handle *
create_object(struct ipcbox *box, const struct ipcbox_create_options *options);

/* What ipcbox_create says to these options; a handle is closed again. */
#define try_create(box, ...)						\
	try_create_object(box,						\
			  &(struct ipcbox_create_options){ __VA_ARGS__ })
int try_create_object(struct ipcbox *box,
		      const struct ipcbox_create_options *options);

/* Opens an object by its name, or says what ipcbox_open_name does. */
struct ipcbox_handle *open_object(struct ipcbox *box, const char *name,
				  unsigned int rights);
int try_open(struct ipcbox *box, const char *name, unsigned int rights);

/* Opens the object of a handle once more, with other rights. */
struct ipcbox_handle *reopen(struct ipcbox *box, struct ipcbox_handle *handle,
			     unsigned int rights);

struct ipcbox_stat state_of(struct ipcbox_handle *handle);

/* Sends and receives a text, without waiting. */
int send_text(struct ipcbox_handle *handle, const char *text);
void expect_text(struct ipcbox_handle *handle, const char *text);

/* Receives with IPCBOX_HOLD, must get this text, and returns its header. */
struct ipcbox_incoming hold_text(struct ipcbox_handle *handle,
				 const char *text);

/* Wait until so many threads wait on the object. */
void await_receivers(struct ipcbox_handle *handle, unsigned int count);
void await_senders(struct ipcbox_handle *handle, unsigned int count);

/* Wait until so many messages are there to be received, or held. */
void await_messages(struct ipcbox_handle *handle, unsigned int count);
void await_held(struct ipcbox_handle *handle, unsigned int count);

/* A synchronous send or a call, in a thread of its own. */
struct exchange {
	pthread_t thread;
	struct ipcbox_handle *handle;
	const char *text;
	struct ipcbox_send_options options;
	atomic_int ended;
	ssize_t result;
	char reply[64];
	struct ipcbox_incoming header;
};

/* Begin to send a text; a deadline of 0 does not pass. */
void begin_send(struct exchange *exchange, struct ipcbox_handle *handle,
		const char *text, uint64_t deadline);
void begin_call(struct exchange *exchange, struct ipcbox_handle *handle,
		const char *text, uint64_t deadline);

/* Whether it has its result, which end_exchange waits for and returns. */
int has_ended(struct exchange *exchange);
ssize_t end_exchange(struct exchange *exchange);

/* Kills the child, which needs not have ended well. */
void kill_child(pid_t child);

/* From now on, this process is the other user, for good. */
void become_other_user(void);

#endif /* SUPPORT_H */
