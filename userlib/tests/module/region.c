/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Regions: making, mapping, sealing and passing them on; semaphores. */
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#define SIZE	(64 * 1024)

static struct ipcbox_handle *region(struct ipcbox *box, const char *name,
				    unsigned int semaphores)
{
	struct ipcbox_handle *handle;

	equal(ipcbox_region_create(box, name, 0, SIZE, semaphores, &handle), 0);
	return handle;
}

static void a_region_is_mapped(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *writer = region(box, "memory", 0);
	struct ipcbox_handle *reader = open_object(box, "memory", RECEIVE);
	void *to, *from;
	size_t size;

	equal(ipcbox_handle_kind(writer), IPCBOX_REGION);
	equal(ipcbox_handle_created(writer), 1);
	equal(state_of(writer).mapped_bytes, SIZE);
	equal(ipcbox_region_map(writer, IPCBOX_MAP_WRITE, &to, &size), 0);
	equal(size, SIZE);
	equal(ipcbox_region_map(reader, IPCBOX_MAP_READ, &from, NULL), 0);
	strcpy(to, "shared");
	check(strcmp(from, "shared") == 0);
	equal(state_of(reader).mappings, 2);
	ipcbox_region_unmap(from, size);
	equal(ipcbox_region_map(reader, IPCBOX_MAP_WRITE, &from, NULL),
	      -EACCES);
	equal(ipcbox_region_map(reader, IPCBOX_MAP_WRITE | IPCBOX_MAP_PRIVATE |
				IPCBOX_MAP_POPULATE, &from, NULL), 0);
	strcpy(from, "copied");
	check(strcmp(to, "shared") == 0);
	ipcbox_region_unmap(from, size);
	equal(ipcbox_region_map(reader, 8, &from, NULL), -EINVAL);
	ipcbox_region_unmap(NULL, 0);
	ipcbox_region_unmap(to, size);
	ipcbox_close(reader);

	/* Opened as it is. */
	equal(ipcbox_region_create(box, "memory", 0, 1, 7, &reader), 0);
	equal(ipcbox_handle_created(reader), 0);
	equal(state_of(reader).mapped_bytes, SIZE);
	equal(state_of(reader).semaphores, 0);
	ipcbox_close(reader);
	ipcbox_close(writer);
	equal(ipcbox_region_create(box, NULL, 0, 0, 0, &reader), -EINVAL);
	ipcbox_box_close(box);
}

static void a_region_is_sealed(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *writer = region(box, NULL, 0);
	struct ipcbox_handle *reader = reopen(box, writer, RECEIVE);
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE);
	void *memory;
	size_t size;

	equal(ipcbox_region_sealed(reader), 0);
	equal(ipcbox_region_map(writer, IPCBOX_MAP_WRITE, &memory, &size), 0);
	equal(ipcbox_region_seal(writer), -EBUSY);
	equal(ipcbox_region_sealed(reader), 0);
	strcpy(memory, "final");
	ipcbox_region_unmap(memory, size);
	equal(ipcbox_region_seal(reader), -EACCES);
	equal(ipcbox_region_seal(writer), 0);
	equal(ipcbox_region_sealed(reader), 1);
	equal(ipcbox_region_map(writer, IPCBOX_MAP_WRITE, &memory, &size),
	      -EPERM);
	equal(ipcbox_region_map(reader, IPCBOX_MAP_READ, &memory, &size), 0);
	check(strcmp(memory, "final") == 0);
	ipcbox_region_unmap(memory, size);
	equal(ipcbox_region_seal(queue), -ENOTTY);
	equal(ipcbox_region_sealed(queue), -EINVAL);
	equal(ipcbox_region_map(queue, IPCBOX_MAP_READ, &memory, &size),
	      -EINVAL);
	ipcbox_close(queue);
	ipcbox_close(reader);
	ipcbox_close(writer);
	ipcbox_box_close(box);
}

static void a_region_travels(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE,
					     .max_descriptors = 2);
	struct ipcbox_handle *writer = region(box, NULL, 0);
	struct ipcbox_handle *reader = reopen(box, writer, RECEIVE);
	struct ipcbox_handle *got;
	struct ipcbox_incoming header;
	struct ipcbox_send_options two = { .descriptor_count = 2 };
	char text[16];
	void *memory;
	size_t size;
	int fds[2];

	equal(ipcbox_region_map(writer, IPCBOX_MAP_WRITE, &memory, &size), 0);
	strcpy(memory, "by hand");
	ipcbox_region_unmap(memory, size);

	/* Not sealed, so not accepted where that is asked. */
	equal(ipcbox_send_region(queue, reader, "one", 4, NULL), 0);
	equal(ipcbox_receive_region(queue, text, sizeof(text),
				    IPCBOX_EXPECT_SEALED, &got, NULL, 0),
	      -EPERM);
	equal(ipcbox_region_seal(writer), 0);
	equal(ipcbox_send_region(queue, reader, "two", 4, NULL), 0);
	ipcbox_close(reader);
	ipcbox_close(writer);
	equal(ipcbox_receive_region(queue, text, sizeof(text),
				    IPCBOX_EXPECT_SEALED, &got, &header, 0), 4);
	check(strcmp(text, "two") == 0);
	equal(header.descriptor_count, 1);
	equal(state_of(got).handles, 1);
	equal(ipcbox_region_map(got, IPCBOX_MAP_READ, &memory, &size), 0);
	check(strcmp(memory, "by hand") == 0);
	ipcbox_region_unmap(memory, size);

	/* What is no region, or not alone. */
	equal(ipcbox_send(queue, "x", 1, NULL), 0);
	equal(ipcbox_receive_region(queue, text, sizeof(text), 0, &writer, NULL,
				    0), -ENOMSG);
	equal(pipe(fds), 0);
	two.descriptors = fds;
	equal(ipcbox_send(queue, "x", 1, &two), 0);
	equal(ipcbox_receive_region(queue, text, sizeof(text), 0, &writer, NULL,
				    0), -ENOMSG);
	two.descriptor_count = 1;
	equal(ipcbox_send(queue, "x", 1, &two), 0);
	equal(ipcbox_receive_region(queue, text, sizeof(text), 0, &writer, NULL,
				    0), -ENOMSG);
	equal(ipcbox_send_region(queue, got, "x", 1, &two), -EINVAL);
	equal(ipcbox_send_region(queue, queue, "x", 1, NULL), -EINVAL);
	equal(ipcbox_receive_region(queue, text, sizeof(text), 2, &writer, NULL,
				    0), -EINVAL);
	close(fds[0]);
	close(fds[1]);
	ipcbox_close(got);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

/* A handle that was received knows of the seal, or finds out. */
static void a_seal_is_noticed_when_it_comes(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *queue = create(box, .kind = IPCBOX_QUEUE,
					     .max_descriptors = 1);
	struct ipcbox_handle *writer = region(box, NULL, 0);
	struct ipcbox_handle *open, *sealed;
	void *memory;
	size_t size;

	equal(ipcbox_send_region(queue, writer, "x", 1, NULL), 0);
	equal(ipcbox_receive_region(queue, NULL, 0, 0, &open, NULL, 0),
	      -EMSGSIZE);
	equal(ipcbox_receive_region(queue, &size, sizeof(size), 0, &open, NULL,
				    0), 1);
	equal(ipcbox_region_sealed(open), 0);
	equal(ipcbox_region_map(open, IPCBOX_MAP_WRITE, &memory, &size), 0);
	equal(size, SIZE);
	ipcbox_region_unmap(memory, size);
	equal(ipcbox_region_seal(writer), 0);
	equal(ipcbox_region_sealed(open), 1);

	equal(ipcbox_send_region(queue, writer, "x", 1, NULL), 0);
	equal(ipcbox_receive_region(queue, &size, sizeof(size),
				    IPCBOX_EXPECT_SEALED, &sealed, NULL, 0), 1);
	equal(ipcbox_region_sealed(sealed), 1);
	equal(ipcbox_region_map(sealed, IPCBOX_MAP_READ, &memory, &size), 0);
	equal(size, SIZE);
	ipcbox_region_unmap(memory, size);
	ipcbox_close(sealed);
	ipcbox_close(open);
	ipcbox_close(writer);
	ipcbox_close(queue);
	ipcbox_box_close(box);
}

static void semaphores_are_used(void)
{
	struct ipcbox *box = open_box();
	struct ipcbox_handle *sems = region(box, NULL, 3);
	const struct ipcbox_sem_value values[] = {
		{ .semaphore = 0, .value = 2, .maximum = 5 },
		{ .semaphore = 1, .value = 1, .maximum = 1 },
	};
	const struct ipcbox_sem_operation both[] = {
		{ .semaphore = 0, .change = -2 },
		{ .semaphore = 2, .change = 1 },
	};
	struct ipcbox_handle *other = reopen(box, sems, RECEIVE | SEND);
	struct ipcbox_sem_state states[3];

	equal(ipcbox_sem_set(other, values, 2), -EACCES);
	equal(ipcbox_sem_set(sems, values, 2), 0);
	equal(ipcbox_sem_take(other, 0, 0, 0), 0);
	equal(ipcbox_sem_operate(other, both, 2, IPCBOX_NOWAIT, 0), -EAGAIN);
	equal(ipcbox_sem_give(other, 0, 0), 0);
	equal(ipcbox_sem_operate(other, both, 2, IPCBOX_NOWAIT, 0), 0);
	equal(ipcbox_sem_take(other, 0, 0, ipcbox_deadline_after_ms(1)),
	      -ETIMEDOUT);
	equal(ipcbox_sem_get(sems, 0, states, 3), 0);
	equal(states[0].value, 0);
	equal(states[0].maximum, 5);
	equal(states[0].pid, getpid());
	equal(states[1].value, 1);
	equal(states[2].value, 1);
	equal(ipcbox_sem_get(sems, 3, states, 1), -EINVAL);
	equal(ipcbox_sem_give(other, 1, 0), -ERANGE);

	/* Told of the death of who held it. */
	equal(ipcbox_sem_take(other, 1, IPCBOX_SEM_UNDO, 0), 0);
	ipcbox_close(other);
	equal(ipcbox_sem_get(sems, 1, states, 1), 0);
	equal(states[0].flags, IPCBOX_SEM_DEAD);
	equal(ipcbox_sem_take(sems, 1, IPCBOX_SEM_UNDO, 0), -EOWNERDEAD);
	equal(ipcbox_sem_give(sems, 1, IPCBOX_SEM_UNDO), 0);
	equal(ipcbox_sem_take(sems, 1, IPCBOX_SEM_UNDO, 0), 0);

	equal(ipcbox_sem_watch(sems, &both[1], 1), 0);
	equal(ipcbox_sem_take(sems, 2, 0, 0), 0);
	ipcbox_close(sems);
	ipcbox_box_close(box);
}

TAP_MAIN(own_box, TAP_TEST(a_region_is_mapped), TAP_TEST(a_region_is_sealed),
	 TAP_TEST(a_region_travels), TAP_TEST(a_seal_is_noticed_when_it_comes),
	 TAP_TEST(semaphores_are_used))
