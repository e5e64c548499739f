/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that ipcbox supports. No other file
 * mentions a kernel version.
 */
#ifndef IPCBOX_COMPAT_H
#define IPCBOX_COMPAT_H

#include <linux/export.h>
#include <linux/fcntl.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>
#include <linux/version.h>

/* <kunit/visibility.h> came with 6.2; 6.1 as Debian ships it has no KUnit. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#include <kunit/visibility.h>
#else
#define EXPORT_SYMBOL_IF_KUNIT(symbol)
#endif

/* assign_str() takes its source from the declaration since 6.10. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define ipcbox_assign_str(field, source) __assign_str(field)
#else
#define ipcbox_assign_str(field, source) __assign_str(field, source)
#endif

/* eventfd_signal() always adds one since 6.8. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
#define ipcbox_eventfd_signal(context) eventfd_signal(context)
#else
#define ipcbox_eventfd_signal(context) eventfd_signal(context, 1)
#endif

/*
 * receive_fd() tells the user the number before it installs the descriptor
 * since 6.8. Before, a page that goes while it is written to costs an open
 * descriptor that its process has seen.
 */
static inline int ipcbox_receive_fd(struct file *file, int __user *to)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	return receive_fd(file, to, O_CLOEXEC);
#else
	int descriptor;

	if (put_user(-1, to))
		return -EFAULT;
	descriptor = receive_fd(file, O_CLOEXEC);
	if (descriptor >= 0 && put_user(descriptor, to)) {
		close_fd(descriptor);
		return -EFAULT;
	}
	return descriptor;
#endif
}

/* The flags of a memory area are changed by functions since 6.3. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#define ipcbox_vm_flags_set(area, flags) vm_flags_set(area, flags)
#define ipcbox_vm_flags_clear(area, flags) vm_flags_clear(area, flags)
#else
#define ipcbox_vm_flags_set(area, flags) ((void)((area)->vm_flags |= (flags)))
#define ipcbox_vm_flags_clear(area, flags) \
	((void)((area)->vm_flags &= ~(flags)))
#endif

/* What a page cache holds is a folio by name, too, since 6.3. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#define ipcbox_replace_folio(old, new) replace_page_cache_folio(old, new)
#else
#define ipcbox_replace_folio(old, new) \
	replace_page_cache_page(&(old)->page, &(new)->page)
#endif

/* Where a mapping goes is a function's to say since 6.10, not a pointer's. */
static inline unsigned long
ipcbox_get_unmapped_area(unsigned long address, unsigned long length,
			 unsigned long page, unsigned long flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
	return mm_get_unmapped_area(current->mm, NULL, address, length, page,
				    flags);
#else
	return current->mm->get_unmapped_area(NULL, address, length, page,
					      flags);
#endif
}

/*
 * Where a mapping of huge pages goes: without them, anywhere. For 32-bit programs
 * the kernel looks for no such place since 6.7.
 */
static inline unsigned long
ipcbox_get_huge_area(struct file *file, unsigned long address,
		     unsigned long length, unsigned long page,
		     unsigned long flags)
{
#ifdef CONFIG_TRANSPARENT_HUGEPAGE
	return thp_get_unmapped_area(file, address, length, page, flags);
#else
	return ipcbox_get_unmapped_area(address, length, page, flags);
#endif
}

/**
 * ipcbox_memory_group() - to which memory cgroup is the caller's memory charged?
 *
 * Return: its number, which no other ever had or will have; 0 without cgroups.
 */
static inline u64 ipcbox_memory_group(void)
{
#ifdef CONFIG_MEMCG
	const struct mem_cgroup *group;
	u64 number;

	rcu_read_lock();
	group = mem_cgroup_from_task(current);
	number = group ? group->css.serial_nr : 0;
	rcu_read_unlock();
	return number;
#else
	return 0;
#endif
}

#endif /* IPCBOX_COMPAT_H */
