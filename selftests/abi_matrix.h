/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What holds for every ioctl, whatever it does: the tests of abi_matrix and
 * abi_mapped, which have the commands.
 *
 * To be included at the end of a program. Its fixture "abi" has dev; on, the
 * descriptor of the variant's command; page, the size of one; and request. Its
 * functions are
 *
 *   good()		a request that is granted
 *   granted()		whether a call did what it was asked to, as the state shows;
 *			puts the state back
 *   spoil()		makes a request that has no padding wrong in what it has
 *			instead
 *   fill_outputs()	fills a request's outputs with what is none
 *   untouched()	whether the state is as it was before the test
 *   intact()		whether the content is what the fixture put in; takes it out
 *   stranger()		a descriptor that does not know the variant's command
 */
#ifndef _ABI_MATRIX_H
#define _ABI_MATRIX_H

#include <sys/ioctl.h>
#include <sys/mman.h>

#include "abi.h"

#define BAD_ADDRESS	((void *)(uintptr_t)(LONG_MAX - 4095))

static int call(FIXTURE_DATA(abi) * self, const FIXTURE_VARIANT(abi) * variant,
		void *request)
{
	int ret = ioctl(self->on, variant->command, request);

	return ret < 0 ? -errno : ret;
}

TEST_F(abi, exact_size_is_granted)
{
	union request *request = good(self, variant);
	int ret = call(self, variant, request);

	EXPECT_TRUE(granted(self, variant, request, ret))
		TH_LOG("returned %d", ret);
	EXPECT_EQ(variant->size, request->size);
}

TEST_F(abi, smaller_size_is_refused)
{
	const unsigned int first = variant->first ?: variant->size;
	const unsigned int sizes[] = {
		0, 1, 3, 4, 5, 8, first / 2, first - 8, first - 4, first - 1,
	};
	union request *request;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (sizes[i] == first)
			continue;
		request = good(self, variant);
		request->size = sizes[i];
		EXPECT_EQ(-EINVAL, call(self, variant, request))
			TH_LOG("size %u", sizes[i]);
	}
	EXPECT_TRUE(untouched(self));
	EXPECT_TRUE(intact(self));
}

/* A program of that time has no more than that, and gets no more. */
TEST_F(abi, the_first_version_is_granted)
{
	const unsigned int first = variant->first ?: variant->size;
	union request *request = good(self, variant);
	unsigned int i;
	int ret;

	memset((char *)request + first, 0x5a, 64);
	request->size = first;
	ret = call(self, variant, request);
	for (i = 0; i < 64; i++) {
		EXPECT_EQ(0x5a, ((char *)request)[first + i])
			TH_LOG("byte %u", first + i);
	}
	EXPECT_TRUE(granted(self, variant, request, ret))
		TH_LOG("returned %d", ret);
}

TEST_F(abi, larger_size_with_zero_tail_is_granted)
{
	const unsigned int sizes[] = {
		variant->size + 1, variant->size + 4, variant->size + 8,
		variant->size + 100, self->page,
	};
	union request *request;
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		request = good(self, variant);
		request->size = sizes[i];
		ret = call(self, variant, request);
		EXPECT_TRUE(granted(self, variant, request, ret))
			TH_LOG("size %u: %d", sizes[i], ret);
	}
}

TEST_F(abi, larger_size_with_other_tail_is_refused)
{
	const unsigned int at[] = {
		variant->size, variant->size + 1, variant->size + 63,
		self->page - 1,
	};
	union request *request;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		request = good(self, variant);
		request->size = self->page;
		((char *)request)[at[i]] = 1;
		EXPECT_EQ(-E2BIG, call(self, variant, request))
			TH_LOG("byte %u", at[i]);

		request = good(self, variant);
		request->size = at[i] + 1;
		((char *)request)[at[i]] = 0x80;
		EXPECT_EQ(-E2BIG, call(self, variant, request))
			TH_LOG("last byte %u", at[i]);
	}
	EXPECT_TRUE(untouched(self));
	EXPECT_TRUE(intact(self));
}

TEST_F(abi, more_than_a_page_is_refused)
{
	const unsigned int sizes[] = {
		self->page + 1, 2 * self->page, INT_MAX, UINT_MAX,
	};
	union request *request;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		request = good(self, variant);
		request->size = sizes[i];
		EXPECT_EQ(-E2BIG, call(self, variant, request))
			TH_LOG("size %u", sizes[i]);
	}
	EXPECT_TRUE(untouched(self));
	EXPECT_TRUE(intact(self));
}

TEST_F(abi, unknown_flags_are_refused)
{
	union request *request;
	int bit;

	for (bit = 0; bit < 32; bit++) {
		if (variant->flags & 1u << bit)
			continue;
		request = good(self, variant);
		request->word[1] = 1u << bit;
		EXPECT_EQ(-EINVAL, call(self, variant, request))
			TH_LOG("flag %#x", 1u << bit);
	}
	EXPECT_TRUE(untouched(self));
	EXPECT_TRUE(intact(self));
}

TEST_F(abi, padding_must_be_zero)
{
	union request *request;

	if (variant->pad == NO_PAD) {
		/* It has none; what it has instead is what must be zero. */
		request = good(self, variant);
		spoil(self, variant, request);

		EXPECT_EQ(-EINVAL, call(self, variant, request));
	} else {
		request = good(self, variant);
		request->word[variant->pad / 4] = 1;
		EXPECT_EQ(-EINVAL, call(self, variant, request));
		request = good(self, variant);
		request->word[variant->pad / 4] = 0x80000000;
		EXPECT_EQ(-EINVAL, call(self, variant, request));
	}
	if (variant->pad2 != NO_PAD) {
		request = good(self, variant);
		request->word[variant->pad2 / 4] = 1;
		EXPECT_EQ(-EINVAL, call(self, variant, request));
	}
	EXPECT_TRUE(untouched(self));
	EXPECT_TRUE(intact(self));
}

TEST_F(abi, outputs_are_not_read)
{
	union request *request = good(self, variant);
	int ret;

	fill_outputs(self, variant, request);
	ret = call(self, variant, request);
	EXPECT_TRUE(granted(self, variant, request, ret))
		TH_LOG("returned %d", ret);
}

TEST_F(abi, pointer_to_nothing_is_efault)
{
	char *edge;
	void *readable;
	union request *request;
	unsigned int part;
	int ret;

	EXPECT_EQ(-EFAULT, call(self, variant, NULL));
	EXPECT_EQ(-EFAULT, call(self, variant, (void *)8));
	EXPECT_EQ(-EFAULT, call(self, variant, (void *)-1L));
	EXPECT_EQ(-EFAULT, call(self, variant, (void *)-4096L));
	EXPECT_EQ(-EFAULT, call(self, variant, BAD_ADDRESS));

	/* The structure goes on in a page that is not there. */
	for (part = 1; part < variant->size; part += 7) {
		request = good(self, variant);
		edge = box_edge(part);
		memcpy(edge, request, part);
		EXPECT_EQ(-EFAULT, call(self, variant, edge))
			TH_LOG("%u bytes of %u", part, variant->size);
		munmap((void *)((uintptr_t)edge & -self->page), self->page);
	}
	/* Its tail does. */
	request = good(self, variant);
	edge = box_edge(variant->size);
	request->size = variant->size + 8;
	memcpy(edge, request, variant->size);
	EXPECT_EQ(-EFAULT, call(self, variant, edge));

	/* It cannot be written back. */
	readable = mmap(NULL, self->page, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(readable != MAP_FAILED);
	request = good(self, variant);
	memcpy(readable, request, variant->size);
	ASSERT_EQ(0, mprotect(readable, self->page, PROT_READ));
	if (variant->writes) {
		EXPECT_EQ(-EFAULT, call(self, variant, readable));
	}
	EXPECT_TRUE(untouched(self));
	if (!variant->writes) {
		ret = call(self, variant, readable);
		EXPECT_TRUE(granted(self, variant, request, ret));
	}
	EXPECT_TRUE(intact(self));
}

TEST_F(abi, any_alignment_is_granted)
{
	char *memory = malloc(2 * self->page);
	union request *request;
	int shift, ret;

	ASSERT_TRUE(!!memory);
	for (shift = 1; shift < 8; shift++) {
		request = good(self, variant);
		memcpy(memory + shift, request, variant->size);
		ret = call(self, variant, memory + shift);
		memcpy(request, memory + shift, variant->size);
		EXPECT_TRUE(granted(self, variant, request, ret))
			TH_LOG("shift %d: %d", shift, ret);
	}
	/* Up to the very end of what is mapped. */
	request = good(self, variant);
	memory = box_edge(variant->size);
	memcpy(memory, request, variant->size);
	ret = call(self, variant, memory);
	memcpy(request, memory, variant->size);
	EXPECT_TRUE(granted(self, variant, request, ret));
}

TEST_F(abi, wrong_descriptor_is_enotty)
{
	union request *request = good(self, variant);

	errno = 0;
	EXPECT_EQ(-1, ioctl(stranger(self, variant), variant->command,
			    request));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_TRUE(untouched(self));
	EXPECT_TRUE(intact(self));
}

TEST_F(abi, unknown_command_is_enotty)
{
	union request *request = good(self, variant);
	unsigned int nr = _IOC_NR(variant->command);
	const unsigned int commands[] = {
		_IOWR(IPCBOX_IOC_TYPE, nr, union request),
		_IOC(_IOC_READ | _IOC_WRITE, IPCBOX_IOC_TYPE, nr,
		     variant->size),
		_IOR(IPCBOX_IOC_TYPE, nr, __u64),
		_IO(IPCBOX_IOC_TYPE + 1, nr),
		_IO(IPCBOX_IOC_TYPE, nr + 0x10),
		_IO(IPCBOX_IOC_TYPE, nr + 0x80),
		_IO(IPCBOX_IOC_TYPE, 0xff),
		0, UINT_MAX,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		errno = 0;
		EXPECT_EQ(-1, ioctl(self->on, commands[i], request));
		EXPECT_EQ(ENOTTY, errno)
			TH_LOG("command %#x", commands[i]);
	}
	EXPECT_TRUE(untouched(self));
	EXPECT_TRUE(intact(self));
}

#endif /* _ABI_MATRIX_H */
