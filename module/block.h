/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Blocks: memory for short messages, several to an allocation.
 *
 * To take a piece of memory from the slab allocator and to give it back is a good
 * part of what a short message costs. So a handle keeps a block, and carves from it
 * what is sent by it.
 */
#ifndef IPCBOX_BLOCK_H
#define IPCBOX_BLOCK_H

#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/types.h>

#include "compat.h"

struct ipcbox_share;
struct ipcbox_user;

/* The most that is carved as one piece: what the smallest block has room for. */
#define IPCBOX_BLOCK_PIECE	472

/**
 * struct ipcbox_block - memory that is given out in pieces
 * @pieces: those that are in use, and one more while a handle carves
 * @used: bytes given out, with this; only who carves
 * @size: bytes, with this
 * @shift: its address is a multiple of 2 to the power of this, and its size less
 * @user: for whom it counts; see locking.h
 * @group: the memory cgroup that it is charged to
 */
struct ipcbox_block {
	atomic_t pieces;
	u16 used;
	u16 size;
	u8 shift;
	struct ipcbox_user *user;
	u64 group;
};

static_assert(sizeof(struct ipcbox_block) % sizeof(u64) == 0);

/* In the place of a block which is taken. */
#define IPCBOX_BLOCK_TAKEN	((struct ipcbox_block *)1)

int ipcbox_block_init(void);
void ipcbox_block_exit(void);
void ipcbox_block_renew(struct ipcbox_block **block,
			const struct ipcbox_share *share);
void ipcbox_block_free(struct ipcbox_block *block);

/* Is there nothing to carve from? */
static inline bool ipcbox_block_is_none(const struct ipcbox_block *block)
{
	return (uintptr_t)block <= (uintptr_t)IPCBOX_BLOCK_TAKEN;
}

/**
 * ipcbox_block_end() - a handle carves no more
 * @block: what it kept, or NULL
 */
static inline void ipcbox_block_end(struct ipcbox_block *block)
{
	if (block && atomic_dec_and_test(&block->pieces))
		ipcbox_block_free(block);
}

/**
 * ipcbox_block_take() - have a handle's block for oneself
 * @place: where the handle keeps it
 * @user: for whom
 *
 * Return: for ipcbox_block_carve(), and then ipcbox_block_put(): a block of that user
 * and of the caller's memory cgroup, NULL when there is none, IPCBOX_BLOCK_TAKEN when
 * somebody else has it.
 */
static inline struct ipcbox_block *
ipcbox_block_take(struct ipcbox_block **place, const struct ipcbox_user *user)
{
	struct ipcbox_block *block = xchg_acquire(place, IPCBOX_BLOCK_TAKEN);

	if (likely(ipcbox_block_is_none(block) ||
		   (block->user == user &&
		    block->group == ipcbox_memory_group())))
		return block;
	ipcbox_block_end(block);
	return NULL;
}

/**
 * ipcbox_block_put() - undo ipcbox_block_take()
 * @place: where the handle keeps it
 * @block: what was taken, or what carving made of it
 */
static inline void ipcbox_block_put(struct ipcbox_block **place,
				    struct ipcbox_block *block)
{
	if (unlikely(block == IPCBOX_BLOCK_TAKEN))
		return;
	/* Pairs with the acquire in ipcbox_block_take(). */
	smp_store_release(place, block);
}

/**
 * ipcbox_block_fits() - can a piece be carved?
 * @block: what was taken
 * @size: bytes, at most IPCBOX_BLOCK_PIECE
 *
 * Return: true if it is a block and has room.
 */
static inline bool ipcbox_block_fits(struct ipcbox_block *block, u32 size)
{
	if (unlikely(ipcbox_block_is_none(block)))
		return false;
	/* Nobody has a piece any more: pairs with ipcbox_block_drop(). */
	if (atomic_read_acquire(&block->pieces) == 1)
		block->used = sizeof(*block);
	return block->used + size <= block->size;
}

/**
 * ipcbox_block_carve() - take a piece of memory
 * @block: a block in which it fits, taken
 * @size: bytes, a multiple of 8
 *
 * Return: the piece, whose content is anything; for ipcbox_block_drop().
 */
static inline void *ipcbox_block_carve(struct ipcbox_block *block, u32 size)
{
	void *piece = (void *)block + block->used;

	block->used += size;
	atomic_inc(&block->pieces);
	return piece;
}

/**
 * ipcbox_block_drop() - a piece is not used any more
 * @piece: the piece
 * @shift: its block's
 *
 * Whoever does so was concerned with an object where the block's user has a
 * share.
 */
static inline void ipcbox_block_drop(void *piece, u8 shift)
{
	struct ipcbox_block *block =
		(void *)((uintptr_t)piece & ~((1UL << shift) - 1));

	if (unlikely(atomic_dec_and_test(&block->pieces)))
		ipcbox_block_free(block);
}

#endif /* IPCBOX_BLOCK_H */
