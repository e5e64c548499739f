/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Looking at messages a page at a time.
 */
#include <errno.h>
#include <stdlib.h>

#include "glance.h"

/* What one page takes: of payloads, and of messages. */
#define PAGE_BYTES	(1U << 20)
#define PAGE_MESSAGES	64

struct glance {
	struct ipcbox_handle *handle;
	struct target target;
	struct ipcbox_selection selection;
	unsigned int skip;	/* of those on no page so far */
	unsigned int page;	/* messages that a page has room for */
	unsigned int page_max;
	unsigned int filled;
	unsigned int next;
	size_t buffer_size;	/* of each message; 0: no payloads */
	char *buffers;
	struct ipcbox_incoming messages[PAGE_MESSAGES];
};

static void make_buffers(struct glance *glance, size_t size)
{
	size_t fit = PAGE_BYTES / size;

	glance->page = !fit ? 1 : fit < glance->page_max ? (unsigned int)fit :
							   glance->page_max;
	glance->buffer_size = size;
	free(glance->buffers);
	glance->buffers = allocate(size * glance->page);
}

struct glance *glance_new(struct ipcbox *box, struct ipcbox_handle *handle,
			  const struct target *target,
			  const struct ipcbox_selection *selection,
			  unsigned int skip, bool payloads)
{
	struct glance *glance = allocate(sizeof(*glance));
	struct ipcbox_stat state;
	struct ipcbox_info info;
	int error = ipcbox_info(box, &info);

	if (error)
		fail_box(error);
	handle_state(handle, target, &state);
	refuse_stream(&state);
	*glance = (struct glance){
		.handle = handle, .target = *target, .selection = *selection,
		.skip = skip,
		.page_max = info.batch_messages < PAGE_MESSAGES ?
			    (unsigned int)info.batch_messages : PAGE_MESSAGES,
	};
	glance->page = glance->page_max;
	if (payloads)
		make_buffers(glance, (size_t)state.max_message_bytes);
	return glance;
}

void glance_free(struct glance *glance)
{
	free(glance->buffers);
	free(glance);
}

/* The longest of the messages that their buffers had no room for, or 0. */
static size_t too_long(const struct glance *glance)
{
	size_t longest = 0;
	unsigned int i;

	for (i = 0; glance->buffer_size && i < glance->filled; i++)
		if (glance->messages[i].length > glance->buffer_size &&
		    glance->messages[i].length > longest)
			longest = glance->messages[i].length;
	return longest;
}

static char *buffer_of(const struct glance *glance, unsigned int i)
{
	return glance->buffers + i * glance->buffer_size;
}

static int peek_page(struct glance *glance, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		glance->messages[i] = (struct ipcbox_incoming){
			.data = glance->buffers ?
				ipcbox_address(buffer_of(glance, i)) : 0,
			.capacity = (uint32_t)glance->buffer_size,
		};
	return ipcbox_peek(glance->handle, &glance->selection, glance->skip,
			   glance->messages, count);
}

static void fill_page(struct glance *glance, uint64_t wanted)
{
	unsigned int count = wanted < glance->page ? (unsigned int)wanted :
						     glance->page;
	int result;

	glance->next = glance->filled = 0;
	if (glance->skip > IPCBOX_SKIP_MAX) {
		warn("only the first %d messages of %s can be looked at",
		     IPCBOX_SKIP_MAX, glance->target.label);
		return;
	}
	for (;;) {
		size_t longest;

		result = peek_page(glance, count);
		if (result == -EAGAIN)
			return;
		if (result == -ENOENT)
			fail(STATUS_NO_OBJECT, result,
			     "there is no process %d (any more)",
			     (int)glance->selection.pid);
		if (result < 0)
			fail_target(&glance->target, IPCBOX_OPERATION_PEEK,
				    result);
		glance->filled = (unsigned int)result;
		/* The limit was raised since the buffers were made. */
		longest = too_long(glance);
		if (!longest)
			break;
		make_buffers(glance, longest);
		count = count < glance->page ? count : glance->page;
	}
	glance->skip += glance->filled;
}

const struct ipcbox_incoming *glance_next(struct glance *glance,
					  uint64_t wanted, const char **data)
{
	if (glance->next == glance->filled)
		fill_page(glance, wanted);
	if (glance->next == glance->filled)
		return NULL;
	*data = glance->buffers ? buffer_of(glance, glance->next) : NULL;
	return &glance->messages[glance->next++];
}
