/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A server of images: each is 8 MB in a region of its own, which is sealed and
 * sent. The viewer gets the region itself: no byte is copied, and no byte can
 * change while it looks.
 *
 * Shows: a region that is filled, unmapped and sealed, a handle on it that
 * may only read, which travels in a message, and a receiver that accepts nothing
 * that is not sealed.
 *
 *	./frame_server [FRAMES]
 *
 * Exits with 0 if every frame came as it was made.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ipcbox.h>

#define FRAME_BYTES	(8u * 1024 * 1024)
#define STEP		4096	/* looking at each page is enough here */

struct caption {
	unsigned long number;
	unsigned int width;
	unsigned int height;
};

static int report(const char *what, enum ipcbox_operation operation,
		  ssize_t error)
{
	fprintf(stderr, "%s: %s\n", what,
		ipcbox_explain(operation, (int)error));
	return EXIT_FAILURE;
}

static void draw(unsigned char *frame, unsigned long number)
{
	size_t i;

	for (i = 0; i < FRAME_BYTES; i += STEP)
		frame[i] = (unsigned char)(number + i / STEP);
}

static int is_drawn(const unsigned char *frame, unsigned long number)
{
	size_t i;

	for (i = 0; i < FRAME_BYTES; i += STEP)
		if (frame[i] != (unsigned char)(number + i / STEP))
			return 0;
	return 1;
}

/* A frame that nobody changes any more, and a handle to read it. */
static int make_frame(struct ipcbox *box, unsigned long number,
		      struct ipcbox_handle **reader)
{
	struct ipcbox_handle *region;
	void *memory;
	size_t size;
	int error;

	error = ipcbox_region_create(box, NULL, 0, FRAME_BYTES, 0, &region);
	if (error)
		return error;
	error = ipcbox_region_map(region, IPCBOX_MAP_WRITE, &memory, &size);
	if (!error) {
		draw(memory, number);
		ipcbox_region_unmap(memory, size);
		error = ipcbox_region_seal(region);
	}
	if (!error)
		error = ipcbox_open_id(box, ipcbox_handle_id(region),
				       IPCBOX_RIGHT_RECEIVE, 0, reader);
	ipcbox_close(region);
	return error;
}

static int serve(struct ipcbox *box, struct ipcbox_handle *queue,
		 unsigned long count)
{
	struct caption caption = { .width = 2048, .height = 1024 };
	struct ipcbox_handle *frame;
	int error;

	for (caption.number = 0; caption.number < count; caption.number++) {
		error = make_frame(box, caption.number, &frame);
		if (error)
			return report("frame", IPCBOX_OPERATION_SEAL, error);
		error = ipcbox_send_region(queue, frame, &caption,
					   sizeof(caption), NULL);
		ipcbox_close(frame);
		if (error)
			return report("server", IPCBOX_OPERATION_SEND, error);
	}
	return EXIT_SUCCESS;
}

static int view(struct ipcbox_handle *queue, unsigned long count)
{
	struct ipcbox_handle *frame;
	struct caption caption;
	unsigned long good = 0;
	void *memory;
	ssize_t length;
	size_t size;
	int error;

	while (good < count) {
		length = ipcbox_receive_region(queue, &caption, sizeof(caption),
					       IPCBOX_EXPECT_SEALED, &frame,
					       NULL, 0);
		if (length == -EINTR)
			continue;
		if (length < 0)
			return report("viewer", IPCBOX_OPERATION_RECEIVE,
				      length);
		error = ipcbox_region_map(frame, IPCBOX_MAP_READ, &memory,
					  &size);
		ipcbox_close(frame);
		if (error)
			return report("viewer", IPCBOX_OPERATION_MAP, error);
		if (size != FRAME_BYTES || !is_drawn(memory, caption.number))
			return EXIT_FAILURE;
		ipcbox_region_unmap(memory, size);
		good++;
	}
	printf("%lu frames of %u bytes, each as it was made\n", good,
	       FRAME_BYTES);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 0) : 20;
	struct ipcbox_create_options options = {
		.kind = IPCBOX_QUEUE,
		/* Four frames are on their way at most. */
		.max_messages = 4,
		.max_descriptors = 1,
	};
	struct ipcbox_handle *queue;
	struct ipcbox *box;
	int status, error;
	pid_t child;

	error = ipcbox_box_open(&box);
	if (error)
		return report("box", IPCBOX_OPERATION_BOX_OPEN, error);
	error = ipcbox_create(box, &options, &queue);
	if (error)
		return report("queue", IPCBOX_OPERATION_CREATE, error);
	child = fork();
	if (child < 0) {
		perror("fork");
		return EXIT_FAILURE;
	}
	if (child == 0)
		exit(serve(box, queue, count));
	error = view(queue, count);
	if (waitpid(child, &status, 0) != child || status)
		error = EXIT_FAILURE;
	ipcbox_close(queue);
	ipcbox_box_close(box);
	puts(error ? "failed" : "passed");
	return error;
}
