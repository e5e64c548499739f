/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages of a channel and of a receive pool, as processes map them.
 */
#ifndef IPCBOX_MAPPING_H
#define IPCBOX_MAPPING_H

#include <linux/mm.h>

/**
 * ipcbox_mapping_insert() - map pages that nobody can hold
 * @area: the mapping that is being made; locked, as in mmap
 * @address: where in it
 * @pages: the pages, which live as long as the area's file
 * @count: how many; the area has room for them
 *
 * To the memory management these are no pages: neither direct input and output
 * nor vmsplice(2) nor a registered buffer can hold one beyond the mapping, to
 * read or write what others have there afterwards. vm_insert_pages() would let
 * them.
 *
 * Return: 0; -ENOMEM.
 */
static inline int ipcbox_mapping_insert(struct vm_area_struct *area,
					unsigned long address,
					struct page *const *pages,
					unsigned long count)
{
	int error = 0;

	for (; !error && count; count--, pages++, address += PAGE_SIZE)
		error = remap_pfn_range(area, address, page_to_pfn(*pages),
					PAGE_SIZE, area->vm_page_prot);
	return error;
}

#endif /* IPCBOX_MAPPING_H */
