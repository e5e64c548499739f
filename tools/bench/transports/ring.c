/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#include <sys/mman.h>

#include "ring.h"

static size_t ring_size(size_t slots, size_t stride)
{
	return sizeof(struct ring) + slots * stride;
}

struct ring *ring_new(const struct shape *shape)
{
	size_t stride = sizeof(size_t) + (shape->size + 7) / 8 * 8;
	struct ring *ring;
	uint32_t slots = 1;

	while (slots < shape->depth)
		slots *= 2;
	ring = mmap(NULL, ring_size(slots, stride), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (ring == MAP_FAILED)
		return NULL;
	ring->slots = slots;
	ring->stride = stride;
	return ring;
}

void ring_free(struct ring *ring)
{
	munmap(ring, ring_size(ring->slots, ring->stride));
}
