// SPDX-License-Identifier: GPL-2.0
/*
 * Open files that travel in messages, as by SCM_RIGHTS of unix(7).
 *
 * A message holds its files. A file that could hold a message in turn, by
 * itself or through others, could close a circle that outlives all processes;
 * unix(7) has a garbage collector for that, we refuse such files.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <net/sock.h>

#include "compat.h"
#include "files.h"
#include "object.h"

static bool file_is_unix_socket(struct file *file)
{
	struct socket *socket = sock_from_file(file);

	return socket && socket->sk && socket->sk->sk_family == PF_UNIX;
}

/*
 * Modules cannot ask io_uring whether a file is its own. The name of an
 * anonymous inode's file is given by the kernel alone, and lasts.
 */
static bool file_is_io_uring(const struct file *file)
{
	return file_inode(file)->i_sb->s_magic == ANON_INODE_FS_MAGIC &&
	       !strcmp(file->f_path.dentry->d_name.name, "[io_uring]");
}

static bool file_travels(struct file *file)
{
	if (file->f_op->owner == THIS_MODULE)
		return ipcbox_handle_travels(file);
	return !file_is_unix_socket(file) && !file_is_io_uring(file);
}

/**
 * ipcbox_files_get() - take files that shall travel
 * @from: the caller's array of s32, their descriptors
 * @count: how many, at least 1
 *
 * Sleeps for memory and for the user's pages.
 *
 * Return: the files, for ipcbox_files_free(); or an ERR_PTR: -EINVAL too many,
 * -EFAULT, -EBADF not open, -EOPNOTSUPP may not travel, -ENOMEM.
 */
struct ipcbox_files *ipcbox_files_get(const void __user *from, u32 count)
{
	s32 descriptors[IPCBOX_DESCRIPTORS_MAX];
	struct ipcbox_files *files;
	int error = 0;

	if (count > IPCBOX_DESCRIPTORS_MAX)
		return ERR_PTR(-EINVAL);
	if (copy_from_user(descriptors, from, count * sizeof(s32)))
		return ERR_PTR(-EFAULT);
	files = kmalloc(struct_size(files, file, count), GFP_KERNEL_ACCOUNT);
	if (!files)
		return ERR_PTR(-ENOMEM);
	for (files->count = 0; files->count < count && !error;) {
		struct file *file = fget_raw(descriptors[files->count]);

		if (!file) {
			error = -EBADF;
			break;
		}
		files->file[files->count++] = file;
		if (!file_travels(file))
			error = -EOPNOTSUPP;
	}
	if (!error)
		return files;
	ipcbox_files_free(files);
	return ERR_PTR(error);
}

/**
 * ipcbox_files_free() - let go of files
 * @files: the files; or NULL
 *
 * Does not sleep: files are closed when the running thread returns to its
 * program.
 */
void ipcbox_files_free(struct ipcbox_files *files)
{
	u32 i;

	if (!files)
		return;
	for (i = 0; i < files->count; i++)
		fput(files->file[i]);
	kfree(files);
}

/**
 * ipcbox_files_install() - give the running process descriptors of its own
 * @files: the files, which stay as they are
 * @to: the caller's array, for their numbers
 * @installed: the same for the module, should they be closed again
 *
 * The security module is asked. Sleeps.
 *
 * Return: 0; or, with none installed, -EFAULT, -EMFILE, -ENFILE, -ENOMEM, or
 * what the security module says.
 */
int ipcbox_files_install(const struct ipcbox_files *files, int __user *to,
			 struct ipcbox_installed *installed)
{
	int descriptor;

	for (installed->count = 0; installed->count < files->count;) {
		descriptor = ipcbox_receive_fd(files->file[installed->count],
					       to + installed->count);
		if (descriptor < 0) {
			ipcbox_files_uninstall(installed);
			return descriptor;
		}
		installed->descriptor[installed->count++] = descriptor;
	}
	return 0;
}

/**
 * ipcbox_files_uninstall() - close descriptors, as the receive came to nothing
 * @installed: what ipcbox_files_install() told
 */
void ipcbox_files_uninstall(const struct ipcbox_installed *installed)
{
	u32 i;

	for (i = 0; i < installed->count; i++)
		close_fd(installed->descriptor[i]);
}
