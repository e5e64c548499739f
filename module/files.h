/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The open files that travel in a message.
 */
#ifndef IPCBOX_FILES_H
#define IPCBOX_FILES_H

#include <linux/types.h>

#include <linux/ipcbox.h>

struct file;

/*
 * What one costs its sender's budget while it is in flight: rather more than an
 * open file costs the kernel, and so few that no user can use up the files of
 * the host. <linux/ipcbox.h> promises the figure.
 */
#define IPCBOX_FILES_COST	4096

/**
 * struct ipcbox_files - open files in flight
 * @count: how many, at least 1
 * @file: the files, held
 */
struct ipcbox_files {
	u32 count;
	struct file *file[];
};

/**
 * struct ipcbox_installed - descriptors that a receiver got
 * @count: how many
 * @descriptor: their numbers
 */
struct ipcbox_installed {
	u32 count;
	int descriptor[IPCBOX_DESCRIPTORS_MAX];
};

struct ipcbox_files *ipcbox_files_get(const void __user *from, u32 count);
void ipcbox_files_free(struct ipcbox_files *files);
int ipcbox_files_install(const struct ipcbox_files *files, int __user *to,
			 struct ipcbox_installed *installed);
void ipcbox_files_uninstall(const struct ipcbox_installed *installed);

#endif /* IPCBOX_FILES_H */
