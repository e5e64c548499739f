/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Every error that the header documents has words of its own. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include <ipcbox.h>

#include "tap.h"

#define MOST	10

static const struct {
	enum ipcbox_operation operation;
	int errors[MOST];
} documented[] = {
	{ IPCBOX_OPERATION_BOX_OPEN,
	  { ENOENT, EACCES, ENXIO, ENODEV, ENOTTY, EPROTONOSUPPORT, EBADF } },
	{ IPCBOX_OPERATION_INFO, { ENOTTY, EFAULT } },
	{ IPCBOX_OPERATION_CREATE,
	  { EINVAL, EEXIST, EACCES, EBUSY, EDQUOT, ENOSPC, EMFILE, ENFILE } },
	{ IPCBOX_OPERATION_OPEN,
	  { EINVAL, ENOENT, EACCES, EBUSY, EMFILE, ENFILE, EBADF, EDQUOT,
	    ENOSPC } },
	{ IPCBOX_OPERATION_UNLINK, { EINVAL, ENOENT, EPERM } },
	{ IPCBOX_OPERATION_LIST, { ENOMEM } },
	{ IPCBOX_OPERATION_ADOPT, { EBADF, ENOTTY } },
	{ IPCBOX_OPERATION_STAT, { EFAULT } },
	{ IPCBOX_OPERATION_SET, { EINVAL, EACCES, EPERM, ENOENT } },
	{ IPCBOX_OPERATION_SEND,
	  { EACCES, EINVAL, EMSGSIZE, EAGAIN, ETIMEDOUT, EINTR, EDQUOT,
	    EPIPE, EOWNERDEAD } },
	{ IPCBOX_OPERATION_RECEIVE,
	  { EACCES, EINVAL, EMSGSIZE, EAGAIN, ETIMEDOUT, EINTR, EPIPE,
	    ENOENT } },
	{ IPCBOX_OPERATION_CALL,
	  { EACCES, EINVAL, EMSGSIZE, EAGAIN, ETIMEDOUT, EINTR, EDQUOT, EPIPE,
	    EOWNERDEAD, EOPNOTSUPP } },
	{ IPCBOX_OPERATION_SETTLE,
	  { EACCES, EINVAL, ENOENT, EMSGSIZE, EPIPE } },
	{ IPCBOX_OPERATION_ANSWER,
	  { EACCES, EINVAL, ENOENT, EMSGSIZE, EAGAIN, ETIMEDOUT, EINTR,
	    EPIPE } },
	{ IPCBOX_OPERATION_PEEK, { EACCES, EINVAL, ENOENT, EAGAIN } },
	{ IPCBOX_OPERATION_NOTIFY, { EACCES, EINVAL, EBADF } },
	{ IPCBOX_OPERATION_CHANNEL,
	  { EACCES, EINVAL, EBUSY, EMSGSIZE, EAGAIN, ETIMEDOUT, EINTR, EPIPE,
	    EIO } },
	{ IPCBOX_OPERATION_MAP, { EACCES, EPERM, EINVAL, ENOMEM } },
	{ IPCBOX_OPERATION_SEAL, { EACCES, EBUSY, EINVAL, ENOTTY } },
	{ IPCBOX_OPERATION_SEM, { EOWNERDEAD, EAGAIN, ETIMEDOUT, EPIPE, ERANGE,
				  EACCES, EINVAL, ENOTTY } },
	{ IPCBOX_OPERATION_POOL,
	  { EACCES, EINVAL, EBUSY, EAGAIN, ETIMEDOUT, EINTR, EPIPE,
	    EOPNOTSUPP } },
};

#define COUNT	(sizeof(documented) / sizeof(documented[0]))

/* One or more sentences, on one line. */
static int is_sentence(const char *text)
{
	size_t length = text ? strlen(text) : 0;

	return length > 10 && text[0] >= 'A' && text[0] <= 'Z' &&
	       text[length - 1] == '.' && !strchr(text, '\n');
}

static void documented_errors_are_explained(void)
{
	const char *text;
	size_t i, j;

	for (i = 0; i < COUNT; i++) {
		for (j = 0; j < MOST && documented[i].errors[j]; j++) {
			int error = documented[i].errors[j];

			text = ipcbox_explain(documented[i].operation, -error);
			if (!is_sentence(text) ||
			    strcmp(text, strerror(error)) == 0)
				tap_fail(__FILE__, __LINE__, "%zu, %s: '%s'", i,
					 strerror(error), text);
		}
	}
}

static void common_errors_are_explained(void)
{
	static const int common[] = { EFAULT, EINVAL, ENOMEM, ENOTTY, E2BIG };
	const char *text;
	size_t i, j;

	for (i = 0; i < COUNT; i++) {
		for (j = 0; j < sizeof(common) / sizeof(common[0]); j++) {
			text = ipcbox_explain(documented[i].operation,
					      -common[j]);
			check(is_sentence(text));
		}
	}
}

static void the_sign_does_not_matter(void)
{
	check(ipcbox_explain(IPCBOX_OPERATION_SEND, EPIPE) ==
	      ipcbox_explain(IPCBOX_OPERATION_SEND, -EPIPE));
}

static void operations_differ(void)
{
	check(strcmp(ipcbox_explain(IPCBOX_OPERATION_SEND, -EPIPE),
		     ipcbox_explain(IPCBOX_OPERATION_RECEIVE, -EPIPE)) != 0);
}

static void other_errors_are_the_systems(void)
{
	check(strcmp(ipcbox_explain(IPCBOX_OPERATION_SEND, -EIO),
		     strerror(EIO)) == 0);
}

static void nothing_is_unknown(void)
{
	check(ipcbox_explain(IPCBOX_OPERATION_SEND, 0));
	check(ipcbox_explain(IPCBOX_OPERATION_SEND, 123456));
	check(ipcbox_explain(IPCBOX_OPERATION_SEND, INT_MIN));
	check(ipcbox_explain(IPCBOX_OPERATION_SEND, INT_MAX));
	check(ipcbox_explain((enum ipcbox_operation)99, -EPIPE));
}

static void errno_is_left_alone(void)
{
	errno = ECHILD;
	ipcbox_explain(IPCBOX_OPERATION_SEND, -EPIPE);
	ipcbox_explain(IPCBOX_OPERATION_SEND, 123456);
	equal(errno, ECHILD);
}

TAP_MAIN(NULL, TAP_TEST(documented_errors_are_explained),
	 TAP_TEST(common_errors_are_explained),
	 TAP_TEST(the_sign_does_not_matter), TAP_TEST(operations_differ),
	 TAP_TEST(other_errors_are_the_systems), TAP_TEST(nothing_is_unknown),
	 TAP_TEST(errno_is_left_alone))
