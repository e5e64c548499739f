/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that ipcbox supports. No other file
 * mentions a kernel version.
 */
#ifndef IPCBOX_COMPAT_H
#define IPCBOX_COMPAT_H

#include <linux/export.h>
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

#endif /* IPCBOX_COMPAT_H */
