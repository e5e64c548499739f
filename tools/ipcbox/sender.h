/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef IPCBOX_SENDER_H
#define IPCBOX_SENDER_H

#include "cli.h"

struct send_how {
	unsigned int priority;
	uint64_t tag;
	int64_t timeout;	/* of each wait; negative: none */
	bool nowait;
	bool sync;
	uint64_t lifetime;	/* nanoseconds; 0: without end */
	unsigned int batch;	/* 0: the default */
};

struct sender;

/* Takes @handle over. All of these end the program when something fails. */
struct sender *sender_new(struct ipcbox *box, struct ipcbox_handle *handle,
			  const struct target *target,
			  const struct send_how *how);
void send_texts(struct sender *sender, char **texts, size_t count);
void send_lines(struct sender *sender, char delimiter);
void check_file(const char *path);
void send_file(struct sender *sender, const char *path);
void sender_report(const struct sender *sender, bool verbose);
void sender_free(struct sender *sender);

#endif
