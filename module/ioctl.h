/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How every ioctl is read, served and answered.
 */
#ifndef IPCBOX_IOCTL_H
#define IPCBOX_IOCTL_H

#include <linux/fs.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include <linux/ipcbox.h>

/**
 * struct ipcbox_invocation - an ioctl under way
 * @file: the descriptor's file
 * @request: the kernel's copy of the structure, outputs to be written there
 * @opened: a file that shall become the result, or NULL
 * @undo: takes back what the operation did, when the answer cannot be given;
 *	called before @opened is closed. NULL when closing does it all
 *
 * A function that sets @opened and returns 0 hands its reference over.
 */
struct ipcbox_invocation {
	struct file *file;
	void *request;
	struct file *opened;
	void (*undo)(struct ipcbox_invocation *call);
};

/**
 * struct ipcbox_ioctl - a row of an ioctl table
 * @command: IPCBOX_IOC_*
 * @size: bytes of its structure, as this module knows it
 * @min_size: bytes of its first published version
 * @answers: the structure is copied back on success
 * @opens: the result is a new descriptor
 * @function: serves the request; returns a result, not negative, or an errno
 */
struct ipcbox_ioctl {
	unsigned int command;
	u16 size;
	u16 min_size;
	bool answers;
	bool opens;
	long (*function)(struct ipcbox_invocation *call);
};

/* A row for a structure whose first version ended with the field @last. */
#define IPCBOX_IOCTL(name, type, last, serve, ...)			\
	{								\
		.command = (name),					\
		.size = sizeof(struct type),				\
		.min_size = offsetofend(struct type, last),		\
		.function = (serve),					\
		__VA_ARGS__						\
	}

long ipcbox_ioctl_serve(struct file *file, const struct ipcbox_ioctl *table,
			size_t rows, unsigned int command,
			void __user *argument);

#endif /* IPCBOX_IOCTL_H */
