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
#include <linux/instrumented.h>
#include <linux/kernel.h>
#include <linux/nospec.h>
#include <linux/types.h>
#include <linux/uaccess.h>

/* Up to here what copy_from_user() looks up costs more than the copy. */
#define IPCBOX_USERCOPY_SHORT	256

/* Up to here copying word by word costs less than a string instruction. */
#define IPCBOX_USERCOPY_WORDS	63

static inline int ipcbox_copy_in_words(void *to, const void __user *from,
				       size_t size)
{
	might_fault();
	if (should_fail_usercopy() || !user_access_begin(from, size))
		return -EFAULT;
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
 * ipcbox_copy_in_raw() - copy from the user, by what the processor has for it
 * @to: where to; has room for @size bytes
 * @from: the user's memory
 * @size: bytes
 *
 * Sleeps for the user's pages, unless they are disabled. No fault is injected: for
 * what was seen to be there a moment ago.
 *
 * Return: 0, or -EFAULT, after which @to holds anything.
 */
static inline int ipcbox_copy_in_raw(void *to, const void __user *from,
				     size_t size)
{
	unsigned long left;

	might_fault();
	if (!access_ok(from, size))
		return -EFAULT;
	barrier_nospec();
	instrument_copy_from_user_before(to, from, size);
	left = raw_copy_from_user(to, from, size);
	instrument_copy_from_user_after(to, from, size, left);
	return left ? -EFAULT : 0;
}

/**
 * ipcbox_copy_in_whole() - ipcbox_copy_in_raw(), into which faults may be injected
 * @to: where to; has room for @size bytes
 * @from: the user's memory
 * @size: bytes
 *
 * Return: as there.
 */
static inline int ipcbox_copy_in_whole(void *to, const void __user *from,
				       size_t size)
{
	return should_fail_usercopy() ? -EFAULT :
					ipcbox_copy_in_raw(to, from, size);
}

/**
 * ipcbox_copy_in() - copy from the user
 * @to: where to; has room for @size bytes
 * @from: the user's memory
 * @size: bytes
 *
 * Sleeps for the user's pages, unless they are disabled.
 *
 * Return: 0, or -EFAULT, after which @to holds anything.
 */
static inline int ipcbox_copy_in(void *to, const void __user *from, size_t size)
{
	if (unlikely(size > IPCBOX_USERCOPY_SHORT))
		return copy_from_user(to, from, size) ? -EFAULT : 0;
	return size > IPCBOX_USERCOPY_WORDS ?
		       ipcbox_copy_in_whole(to, from, size) :
		       ipcbox_copy_in_words(to, from, size);
}

static inline int ipcbox_copy_out_words(void __user *to, const void *from,
					size_t size)
{
	might_fault();
	if (should_fail_usercopy() || !user_access_begin(to, size))
		return -EFAULT;
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

static inline int ipcbox_copy_out_whole(void __user *to, const void *from,
					size_t size)
{
	might_fault();
	if (should_fail_usercopy() || !access_ok(to, size))
		return -EFAULT;
	instrument_copy_to_user(to, from, size);
	return raw_copy_to_user(to, from, size) ? -EFAULT : 0;
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
	return size > IPCBOX_USERCOPY_WORDS ?
		       ipcbox_copy_out_whole(to, from, size) :
		       ipcbox_copy_out_words(to, from, size);
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
