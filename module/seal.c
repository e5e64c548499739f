// SPDX-License-Identifier: GPL-2.0
/*
 * Sealing: the content of a shmem file changes no more, by any way.
 *
 * The file's seals, those of fcntl(2), refuse what comes by write, by holes and
 * by new mappings. What is left are references to its pages that mappings
 * which are gone have lent: to devices that transfer data, to io_uring. memfd
 * waits for such pages and fails when they do not come back. Here a page that
 * somebody else refers to is put away, with a copy in its place: what comes
 * later goes into a page that is not the file's any more.
 */
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pagevec.h>
#include <linux/sched.h>
#include <linux/shmem_fs.h>
#include <linux/swap.h>

#include "compat.h"
#include "region.h"

#define SEAL_SEALS	(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* How often, and how long each time, to wait for what refers to a huge page. */
#define SEAL_WAITS	5
#define SEAL_WAIT_JIFFIES	(HZ / 50 + 1)

/*
 * Is there a reference beside those of the page cache and the caller? What
 * waits to be put on a list of the LRU, or is taken from one, has one more and
 * shows it. Mappings count here too.
 */
static bool seal_is_shared(struct folio *folio)
{
	return folio_ref_count(folio) > folio_nr_pages(folio) + 1 +
					!folio_test_lru(folio);
}

/* Puts a copy in the place of a folio of one page, which is locked. */
static int seal_replace(struct address_space *mapping, struct folio *old)
{
	struct folio *copy = folio_alloc(mapping_gfp_mask(mapping), 0);

	if (!copy)
		return -ENOMEM;
	copy_highpage(&copy->page, &old->page);
	__folio_set_locked(copy);
	__folio_set_swapbacked(copy);
	folio_mark_uptodate(copy);
	ipcbox_replace_folio(old, copy);
	/* It is nowhere else, so it must not be taken for clean. */
	folio_mark_dirty(copy);
	folio_add_lru(copy);
	folio_unlock(copy);
	folio_put(copy);
	return 0;
}

/* A huge page is not copied: its user is given some time to let go. */
static int seal_await(struct folio *folio)
{
	int i;

	for (i = 0; i < SEAL_WAITS && seal_is_shared(folio); i++)
		if (schedule_timeout_killable(SEAL_WAIT_JIFFIES))
			return -EINTR;
	return seal_is_shared(folio) ? -EBUSY : 0;
}

static int seal_folio(struct address_space *mapping, struct folio *folio)
{
	int error = 0;

	/* Nearly all are so. Nobody comes by a new reference to write with. */
	if (likely(!seal_is_shared(folio)))
		return 0;
	folio_lock(folio);
	if (folio->mapping == mapping) {
		/* Readers map it: they will find what is there then. */
		unmap_mapping_pages(mapping, folio->index,
				    folio_nr_pages(folio), false);
		if (!seal_is_shared(folio))
			error = 0;
		else if (folio_test_large(folio))
			error = seal_await(folio);
		else
			error = seal_replace(mapping, folio);
	}
	folio_unlock(folio);
	return error;
}

static int seal_folios(struct address_space *mapping)
{
	struct folio_batch batch;
	pgoff_t next = 0;
	int error = 0;
	unsigned int i;

	folio_batch_init(&batch);
	while (!error && filemap_get_folios(mapping, &next, LONG_MAX, &batch)) {
		for (i = 0; i < folio_batch_count(&batch) && !error; i++)
			error = seal_folio(mapping, batch.folios[i]);
		folio_batch_release(&batch);
		if (fatal_signal_pending(current))
			error = -EINTR;
		cond_resched();
	}
	return error;
}

static void seal_set(struct inode *inode, unsigned int seals)
{
	/* Whoever is writing has the lock and looked at the seals under it. */
	inode_lock(inode);
	SHMEM_I(inode)->seals = seals;
	inode_unlock(inode);
}

/**
 * ipcbox_seal_file() - make the content of a shmem file final
 * @file: the file; the caller keeps new writable mappings away
 *
 * Takes time in proportion to the pages that it has; sleeps for memory and for
 * locks of pages.
 *
 * Return: 0; -EBUSY when a writable shared mapping exists, or a huge page is in
 * use; -ENOMEM; -EINTR when the caller is being killed. Where it fails the
 * file is as it was.
 */
int ipcbox_seal_file(struct file *file)
{
	struct inode *inode = file_inode(file);
	int error;

	error = mapping_deny_writable(file->f_mapping);
	if (error)
		return error;
	seal_set(inode, SEAL_SEALS);
	error = seal_folios(file->f_mapping);
	if (!error)
		return 0;
	seal_set(inode, F_SEAL_SEAL);
	mapping_allow_writable(file->f_mapping);
	return error;
}
