// SPDX-License-Identifier: GPL-2.0
/*
 * Blocks: memory for short messages, several to an allocation.
 *
 * A block lives while a handle carves from it, or a piece of it is in use, so a
 * message that stays keeps its whole block. That is bounded: a user's blocks take
 * at most twice what its messages are charged in the box, and a little more. One
 * who has reached that gets each message's memory by itself.
 */
#include <linux/slab.h>

#include "block.h"
#include "box.h"
#include "exchange.h"
#include "limits.h"

/* Those who send now and then have a small one. */
#define BLOCK_SMALL_SHIFT	9
#define BLOCK_LARGE_SHIFT	12

/* Messages a user has waiting in an object from which on its blocks are large. */
#define BLOCK_LARGE_FROM	4

/* A constructor adds a pointer of the slab allocator's. */
#define BLOCK_BYTES(shift)	((1U << (shift)) - (u32)sizeof(void *))

#define BLOCK_GFP (GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

static_assert(IPCBOX_BLOCK_PIECE + sizeof(struct ipcbox_block) <=
	      BLOCK_BYTES(BLOCK_SMALL_SHIFT));

static struct kmem_cache *block_small;
static struct kmem_cache *block_large;

static struct kmem_cache *block_cache(u8 shift)
{
	return shift == BLOCK_SMALL_SHIFT ? block_small : block_large;
}

/*
 * Kernels that initialise what they allocate do not do so where there is a
 * constructor: of a message every byte that is read is written before.
 */
static void block_construct(void *memory)
{
	memset(memory, 0, sizeof(struct ipcbox_block));
}

static struct kmem_cache *block_create_cache(const char *name, u8 shift)
{
	const u32 head = sizeof(struct ipcbox_block);

	return kmem_cache_create_usercopy(name, BLOCK_BYTES(shift), 1U << shift,
					  SLAB_ACCOUNT, head,
					  BLOCK_BYTES(shift) - head,
					  block_construct);
}

/**
 * ipcbox_block_exit() - there are no blocks any more
 */
void ipcbox_block_exit(void)
{
	kmem_cache_destroy(block_small);
	kmem_cache_destroy(block_large);
}

/**
 * ipcbox_block_init() - make ready for blocks
 *
 * Return: 0, or -ENOMEM.
 */
int ipcbox_block_init(void)
{
	block_small = block_create_cache("ipcbox_block_512", BLOCK_SMALL_SHIFT);
	block_large = block_create_cache("ipcbox_block_4096",
					 BLOCK_LARGE_SHIFT);
	if (block_small && block_large)
		return 0;
	ipcbox_block_exit();
	return -ENOMEM;
}

static bool block_count(struct ipcbox_user *user, u32 size, u64 spare)
{
	u64 most = 2 * (u64)atomic64_read(&user->bytes) + spare;

	if (atomic64_add_return(size, &user->block_bytes) <= most)
		return true;
	atomic64_sub(size, &user->block_bytes);
	return false;
}

static struct ipcbox_block *block_create(struct ipcbox_user *user, u8 shift,
					 u64 spare)
{
	struct ipcbox_block *block;

	if (!block_count(user, 1U << shift, spare))
		return NULL;
	block = kmem_cache_alloc(block_cache(shift), BLOCK_GFP);
	if (!block) {
		atomic64_sub(1U << shift, &user->block_bytes);
		return NULL;
	}
	atomic_set(&block->pieces, 1);
	block->used = sizeof(*block);
	block->size = BLOCK_BYTES(shift);
	block->shift = shift;
	block->user = user;
	block->group = ipcbox_memory_group();
	return block;
}

/**
 * ipcbox_block_renew() - get a block in which a piece fits
 * @block: what was taken, and what comes instead: NULL without memory, or when the
 *	user has enough
 * @share: of the user for whom it is
 *
 * Sleeps for memory, which is charged to the caller's memory cgroup.
 */
void ipcbox_block_renew(struct ipcbox_block **block,
			const struct ipcbox_share *share)
{
	u64 spare = ipcbox_limit(user_spare_bytes);
	struct ipcbox_block *renewed = NULL;

	if (*block == IPCBOX_BLOCK_TAKEN)
		return;
	ipcbox_block_end(*block);
	/* The last half of what there is to spare is for small ones. */
	if (READ_ONCE(share->share.messages) >= BLOCK_LARGE_FROM)
		renewed = block_create(share->user, BLOCK_LARGE_SHIFT,
				       spare / 2);
	*block = renewed ?: block_create(share->user, BLOCK_SMALL_SHIFT, spare);
}

/**
 * ipcbox_block_free() - free a block
 * @block: one that nobody uses
 */
void ipcbox_block_free(struct ipcbox_block *block)
{
	atomic64_sub(1U << block->shift, &block->user->block_bytes);
	kmem_cache_free(block_cache(block->shift), block);
}
