/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Short copies from and to the user.
 *
 * copy_from_user() and copy_to_user() look up, for each copy whose size is not
 * constant, which allocation the kernel's side lies in: for what is a few words
 * long that costs many times the copy. Here sizes are those of structures, or
 * of a payload whose memory was allocated for it, so they are bounded already.
 */
#ifndef IPCBOX_USERCOPY_H
#define IPCBOX_USERCOPY_H

#include <linux/fault-inject-usercopy.h>
#include <linux/kernel.h>
#include <linux/types.h>
#include <linux/uaccess.h>

/* Up to here copying word by word is the cheaper way. */
#define IPCBOX_USERCOPY_SHORT	256

/**
 * ipcbox_copy_in() - copy from the user
 * @to: where to; has room for @size bytes
 * @from: the user's memory
 * @size: bytes
 *
 * Sleeps for the user's pages.
 *
 * Return: 0, or -EFAULT, after which @to holds anything.
 */
static inline int ipcbox_copy_in(void *to, const void __user *from, size_t size)
{
	if (unlikely(size > IPCBOX_USERCOPY_SHORT))
		return copy_from_user(to, from, size) ? -EFAULT : 0;
	might_fault();
	if (should_fail_usercopy() || !user_access_begin(from, size))
		return -EFAULT;
	for (; size >= 4 * sizeof(u64); size -= 4 * sizeof(u64)) {
		const u64 __user *words = from;

		unsafe_get_user(((u64 *)to)[0], words, fault);
		unsafe_get_user(((u64 *)to)[1], words + 1, fault);
		unsafe_get_user(((u64 *)to)[2], words + 2, fault);
		unsafe_get_user(((u64 *)to)[3], words + 3, fault);
		to += 4 * sizeof(u64);
		from += 4 * sizeof(u64);
	}
	for (; size >= sizeof(u64); size -= sizeof(u64)) {
		unsafe_get_user(*(u64 *)to, (const u64 __user *)from, fault);
		to += sizeof(u64);
		from += sizeof(u64);
	}
	for (; size; size--) {
		unsafe_get_user(*(u8 *)to, (const u8 __user *)from, fault);
		to++;
		from++;
	}
	user_access_end();
	return 0;

fault:
	user_access_end();
	return -EFAULT;
}

/**
 * ipcbox_copy_out() - copy to the user
 * @to: the user's memory
 * @from: what to copy
 * @size: bytes
 *
 * Sleeps for the user's pages.
 *
 * Return: 0, or -EFAULT, after which a part may have been copied.
 */
static inline int ipcbox_copy_out(void __user *to, const void *from,
				  size_t size)
{
	if (unlikely(size > IPCBOX_USERCOPY_SHORT))
		return copy_to_user(to, from, size) ? -EFAULT : 0;
	might_fault();
	if (should_fail_usercopy() || !user_access_begin(to, size))
		return -EFAULT;
	for (; size >= 4 * sizeof(u64); size -= 4 * sizeof(u64)) {
		u64 __user *words = to;

		unsafe_put_user(((const u64 *)from)[0], words, fault);
		unsafe_put_user(((const u64 *)from)[1], words + 1, fault);
		unsafe_put_user(((const u64 *)from)[2], words + 2, fault);
		unsafe_put_user(((const u64 *)from)[3], words + 3, fault);
		to += 4 * sizeof(u64);
		from += 4 * sizeof(u64);
	}
	for (; size >= sizeof(u64); size -= sizeof(u64)) {
		unsafe_put_user(*(const u64 *)from, (u64 __user *)to, fault);
		to += sizeof(u64);
		from += sizeof(u64);
	}
	for (; size; size--) {
		unsafe_put_user(*(const u8 *)from, (u8 __user *)to, fault);
		to++;
		from++;
	}
	user_access_end();
	return 0;

fault:
	user_access_end();
	return -EFAULT;
}

/**
 * ipcbox_copy_struct_in() - copy a structure that may be of another version
 * @to: where to
 * @size: sizeof it, as this module knows it
 * @from: the user's
 * @user_size: its size, as the user knows it
 *
 * As copy_struct_from_user(), quicker where both know the same.
 *
 * Return: 0, -EFAULT, or -E2BIG when the user says what is not known here.
 */
static inline int ipcbox_copy_struct_in(void *to, size_t size,
					const void __user *from,
					size_t user_size)
{
	if (likely(size == user_size))
		return ipcbox_copy_in(to, from, size);
	return copy_struct_from_user(to, size, from, user_size);
}

#endif /* IPCBOX_USERCOPY_H */
