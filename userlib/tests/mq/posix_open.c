/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Names, opening, attributes and unlinking: mq_open(3), mq_unlink(3). */
#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "queues.h"

mqd_t __mq_open_2(const char *name, int flags);

static mqd_t create(const char *name, int flags, mode_t mode,
		    const struct mq_attr *attr)
{
	return mq_open(name, O_CREAT | flags, mode, attr);
}

static void what_is_not_there_is_enoent(void)
{
	fails(mq_open(NAME, O_RDONLY), ENOENT);
	fails(mq_open(NAME, O_RDWR | O_EXCL), ENOENT);
	fails(mq_unlink(NAME), ENOENT);
}

static void created_once_opened_again(void)
{
	mqd_t first = works(create(NAME, O_RDWR, 0600, NULL));
	mqd_t second = works(create(NAME, O_RDWR, 0600, NULL));

	fails(create(NAME, O_RDWR | O_EXCL, 0600, NULL), EEXIST);
	put(first, 7, 3);
	expect_next(second, 7, 3);
	works(mq_close(second));
	second = works(mq_open(NAME, O_RDWR | O_EXCL));
	put(second, 8, 0);
	expect_next(first, 8, 0);
}

static void names(void)
{
	char longest[NAME_MAX + 2] = "/", longer[NAME_MAX + 3] = "/";
	char *endless = malloc(PATH_MAX + 2);

	memset(longest + 1, 'x', NAME_MAX);
	longest[NAME_MAX + 1] = '\0';
	memset(longer + 1, 'x', NAME_MAX + 1);
	longer[NAME_MAX + 2] = '\0';
	memset(endless, 'x', PATH_MAX + 1);
	endless[0] = '/';
	endless[PATH_MAX + 1] = '\0';

	fails(create("", O_RDWR, 0600, NULL), EINVAL);
	fails(create("queue", O_RDWR, 0600, NULL), EINVAL);
	fails(create("/", O_RDWR, 0600, NULL), ENOENT);
	fails(create("/a/b", O_RDWR, 0600, NULL), EACCES);
	fails(create("//a", O_RDWR, 0600, NULL), EACCES);
	fails(create("/a/", O_RDWR, 0600, NULL), EACCES);
	fails(create("/.", O_RDWR, 0600, NULL), EACCES);
	fails(create("/..", O_RDWR, 0600, NULL), EACCES);
	fails(create(longer, O_RDWR, 0600, NULL), ENAMETOOLONG);
	fails(create(endless, O_RDWR, 0600, NULL), ENAMETOOLONG);
	fails(mq_unlink("queue"), EINVAL);
	fails(mq_unlink("/"), ENOENT);
	fails(mq_unlink("/a/b"), EACCES);
	fails(mq_unlink(longer), ENAMETOOLONG);
	works(mq_close(works(create(longest, O_RDWR, 0600, NULL))));
	works(mq_unlink(longest));
	free(endless);
}

/* Each of them is another queue, whatever bytes it has and however long it is. */
static void names_of_any_bytes_and_length(void)
{
	static const char *const odd[] = {
		"/a", "/A", "/a b", "/a%20b", "/a~b", "/%", "/\x01", "/\xff",
		"/\xc3\xa4", "/...", "/ ", "/~", "/a:b", "/#1", "/-",
	};
	enum { ODD = sizeof(odd) / sizeof(*odd), LONG = 24 };
	char names[LONG][220];
	mqd_t queues[ODD + LONG];
	unsigned int i;

	for (i = 0; i < LONG; i++) {
		size_t length = 50 + i / 2 * 10;

		memset(names[i], 'n', length);
		names[i][0] = '/';
		names[i][length - 1] = (char)('a' + i);
		names[i][length] = '\0';
	}
	for (i = 0; i < ODD + LONG; i++) {
		const char *name = i < ODD ? odd[i] : names[i - ODD];
		struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 8 };

		queues[i] = works(create(name, O_RDWR | O_EXCL, 0600, &attr));
		put(queues[i], i, 0);
		works(mq_close(queues[i]));
	}
	for (i = 0; i < ODD + LONG; i++) {
		const char *name = i < ODD ? odd[i] : names[i - ODD];

		queues[i] = works(mq_open(name, O_RDONLY));
		expect_next(queues[i], i, 0);
		works(mq_close(queues[i]));
		works(mq_unlink(name));
	}
}

static void attributes_as_asked_and_by_default(void)
{
	struct mq_attr asked = { .mq_flags = O_NONBLOCK, .mq_maxmsg = 3,
				 .mq_msgsize = 100, .mq_curmsgs = 77 };
	struct mq_attr seen;
	mqd_t queue = works(create("/asked", O_RDWR, 0600, &asked));

	works(mq_getattr(queue, &seen));
	/* Of what is asked, only the sizes count. */
	equal(seen.mq_flags, 0);
	equal(seen.mq_maxmsg, 3);
	equal(seen.mq_msgsize, 100);
	equal(seen.mq_curmsgs, 0);
	queue = works(create("/default", O_WRONLY | O_NONBLOCK, 0600, NULL));
	works(mq_getattr(queue, &seen));
	equal(seen.mq_flags, O_NONBLOCK);
	equal(seen.mq_maxmsg, 10);
	equal(seen.mq_msgsize, 8192);
}

static void wrong_sizes_are_einval(void)
{
	static const struct mq_attr wrong[] = {
		{ .mq_maxmsg = 0, .mq_msgsize = 8 },
		{ .mq_maxmsg = 1, .mq_msgsize = 0 },
		{ .mq_maxmsg = -1, .mq_msgsize = 8 },
		{ .mq_maxmsg = 1, .mq_msgsize = -8 },
		{ .mq_maxmsg = INT_MAX, .mq_msgsize = 1 },
		{ .mq_maxmsg = 1, .mq_msgsize = INT_MAX },
	};
	unsigned int i;

	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		fails(create(NAME, O_RDWR, 0600, &wrong[i]), EINVAL);
	fails(mq_open(NAME, O_RDONLY), ENOENT);
	works(create(NAME, O_RDWR, 0600, NULL));
	/* What exists is opened whatever sizes come with it. */
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		works(create(NAME, O_RDWR, 0600, &wrong[i]));
		fails(create(NAME, O_RDWR | O_EXCL, 0600, &wrong[i]), EEXIST);
	}
}

static void access_is_as_opened(void)
{
	mqd_t both = make_queue(O_RDWR, 2);
	mqd_t reads = works(mq_open(NAME, O_RDONLY));
	mqd_t writes = works(mq_open(NAME, O_WRONLY));
	char data[SIZE];

	fails(mq_open(NAME, O_RDWR | O_WRONLY), EINVAL);
	fails(mq_send(reads, "", 0, 0), EBADF);
	fails(mq_receive(writes, data, sizeof(data), NULL), EBADF);
	put(writes, 1, 0);
	expect_next(reads, 1, 0);
	equal(fcntl(both, F_GETFL) & O_ACCMODE, O_RDWR);
	equal(fcntl(reads, F_GETFL) & O_ACCMODE, O_RDONLY);
	equal(fcntl(writes, F_GETFL) & O_ACCMODE, O_WRONLY);
}

static void as_alice(void *argument)
{
	(void)argument;
	become(ALICE);
	fails(mq_open("/none", O_RDONLY), EACCES);
	fails(mq_open("/none", O_CREAT | O_WRONLY, 0600, NULL), EACCES);
	fails(mq_open("/none", O_CREAT | O_EXCL | O_RDWR, 0600, NULL), EEXIST);
	works(mq_open("/read", O_RDONLY));
	fails(mq_open("/read", O_WRONLY), EACCES);
	fails(mq_open("/read", O_RDWR), EACCES);
	works(mq_open("/write", O_WRONLY));
	fails(mq_open("/write", O_RDONLY), EACCES);
	works(mq_open("/both", O_RDWR));
	fails(mq_unlink("/both"), EACCES);
	works(create("/own", O_RDWR, 0600, NULL));
	works(mq_unlink("/own"));
	/* Who makes it gets what is asked, whatever the mode. */
	works(create("/own", O_RDWR, 0, NULL));
	fails(mq_open("/own", O_RDONLY), EACCES);
	works(mq_unlink("/own"));
}

static void modes_are_checked(void)
{
	works(create("/none", O_RDWR, 0700, NULL));
	works(create("/read", O_RDWR, 0604, NULL));
	works(create("/write", O_RDWR, 0602, NULL));
	works(create("/both", O_RDWR, 0666, NULL));
	join(tap_spawn(as_alice, NULL));
	works(mq_unlink("/both"));
}

static void behind_a_umask(void *argument)
{
	(void)argument;
	become(ALICE);
	works(mq_open("/masked", O_WRONLY));
	fails(mq_open("/masked", O_RDONLY), EACCES);
}

static void the_umask_is_taken_off(void)
{
	umask(04);
	works(create("/masked", O_RDWR, 0666, NULL));
	join(tap_spawn(behind_a_umask, NULL));
}

static void the_owner_is_who_makes_it(void *argument)
{
	(void)argument;
	become(ALICE);
	works(create("/alices", O_RDWR, 0400, NULL));
	works(mq_open("/alices", O_RDONLY));
	fails(mq_open("/alices", O_WRONLY), EACCES);
}

static void root_may_all(void)
{
	join(tap_spawn(the_owner_is_who_makes_it, NULL));
	works(mq_open("/alices", O_RDWR));
	works(mq_unlink("/alices"));
}

static void persists_until_it_is_unlinked(void)
{
	mqd_t queue = make_queue(O_RDWR, 2);

	put(queue, 5, 1);
	works(mq_close(queue));
	queue = works(mq_open(NAME, O_RDONLY));
	equal(count_of(queue), 1);
	works(mq_unlink(NAME));
	fails(mq_open(NAME, O_RDONLY), ENOENT);
	/* Who has it open goes on with it; the name is free. */
	expect_next(queue, 5, 1);
	queue = make_queue(O_RDWR, 2);
	expect_empty(queue);
}

static void unlinked_it_works_on(void)
{
	mqd_t writes = make_queue(O_WRONLY, 2);
	char data[SIZE];
	struct timespec past = { 0 };
	mqd_t reads;

	works(mq_unlink(NAME));
	/* There is nobody who could receive. */
	put(writes, 1, 0);
	put(writes, 2, 0);
	fails(mq_timedsend(writes, "", 0, 0, &past), ETIMEDOUT);
	reads = make_queue(O_RDONLY, 2);
	works(mq_unlink(NAME));
	fails(mq_timedreceive(reads, data, sizeof(data), NULL, &past),
	      ETIMEDOUT);
}

static void closed_is_ebadf(void)
{
	mqd_t queue = make_queue(O_RDWR, 2);
	struct mq_attr attr = { 0 };
	char data[SIZE];

	works(mq_close(queue));
	fails(mq_close(queue), EBADF);
	fails(mq_send(queue, "", 0, 0), EBADF);
	fails(mq_receive(queue, data, sizeof(data), NULL), EBADF);
	fails(mq_getattr(queue, &attr), EBADF);
	fails(mq_setattr(queue, &attr, NULL), EBADF);
	fails(mq_notify(queue, NULL), EBADF);
	fails(mq_getattr(-1, &attr), EBADF);
}

static void what_is_no_queue_is_ebadf(void)
{
	const struct timespec past = { 0 };
	struct mq_attr attr = { 0 };
	char data[SIZE];
	int fds[3];
	int i;

	require(pipe(fds) == 0);
	fds[2] = open("/dev/null", O_RDWR);
	for (i = 0; i < 3; i++) {
		fails(mq_send(fds[i], "", 0, 0), EBADF);
		fails(mq_receive(fds[i], data, sizeof(data), NULL), EBADF);
		fails(mq_timedsend(fds[i], "", 0, 0, &past), EBADF);
		fails(mq_getattr(fds[i], &attr), EBADF);
		fails(mq_setattr(fds[i], &attr, NULL), EBADF);
		fails(mq_notify(fds[i], NULL), EBADF);
	}
	/* It is close(2), and does not ask. */
	works(mq_close(fds[0]));
	fails(close(fds[0]), EBADF);
}

/* One that is the kernel's in any case, as who inherits it may have one. */
static void what_is_the_kernels_stays_so(void)
{
	struct mq_attr attr = { .mq_maxmsg = 2, .mq_msgsize = SIZE };
	struct sigevent none = { .sigev_notify = SIGEV_NONE };
	const struct timespec past = { 0 };
	mqd_t queue = works((int)syscall(SYS_mq_open, "kernel", O_CREAT | O_RDWR,
					 0600, &attr));
	char data[SIZE];

	works(mq_notify(queue, &none));
	works(mq_send(queue, "first", 5, 1));
	works(mq_notify(queue, &none));
	works(mq_notify(queue, NULL));
	works(mq_timedsend(queue, "second", 6, 2, &past));
	fails(mq_timedsend(queue, "third", 5, 3, &past), ETIMEDOUT);
	attr.mq_flags = O_NONBLOCK;
	works(mq_setattr(queue, &attr, NULL));
	works(mq_getattr(queue, &attr));
	equal(attr.mq_flags, O_NONBLOCK);
	equal(attr.mq_curmsgs, 2);
	equal(mq_receive(queue, data, SIZE, NULL), 6);
	equal(mq_timedreceive(queue, data, SIZE, NULL, &past), 5);
	fails(mq_receive(queue, data, SIZE, NULL), EAGAIN);
	works(mq_close(queue));
	fails(mq_getattr(queue, &attr), EBADF);
	works((int)syscall(SYS_mq_unlink, "kernel"));
}

/* The number is another file's now: that goes by what it is, not by what it was. */
static void a_number_that_is_used_again(void)
{
	mqd_t queue = make_queue(O_RDWR, 2);
	struct mq_attr attr;
	int fds[2];

	require(pipe(fds) == 0);
	works(dup2(fds[1], queue));
	fails(mq_send(queue, "", 0, 0), EBADF);
	fails(mq_getattr(queue, &attr), EBADF);
	works(mq_close(queue));
	queue = works(mq_open(NAME, O_RDWR));
	works(dup2(queue, fds[0]));
	works(close(queue));
	put(fds[0], 1, 0);
	expect_next(fds[0], 1, 0);
}

static void without_descriptors_it_is_emfile(void)
{
	struct rlimit none = { .rlim_cur = 3, .rlim_max = 3 };

	works(mq_close(make_queue(O_RDWR, 2)));
	require(!close_range(3, ~0U, 0) && !setrlimit(RLIMIT_NOFILE, &none));
	fails(mq_open(NAME, O_RDWR), EMFILE);
	fails(mq_open("/none", O_RDWR | O_CREAT, 0600, NULL), EMFILE);
	none.rlim_cur = none.rlim_max = 20;
	require(!setrlimit(RLIMIT_NOFILE, &none));
	works(mq_open(NAME, O_RDWR | O_CLOEXEC));
	fails(mq_open("/none", O_RDWR), ENOENT);
}

static void nonblock_is_all_that_can_be_set(void)
{
	struct mq_attr attr = { .mq_flags = O_NONBLOCK, .mq_maxmsg = 9,
				.mq_msgsize = 9 };
	mqd_t queue = make_queue(O_RDWR, 2);
	struct mq_attr old;
	/* <mqueue.h> says that there is always something new. */
	int (*volatile get)(mqd_t, const struct mq_attr *,
			    struct mq_attr *) = mq_setattr;
	char data[SIZE];

	put(queue, 1, 0);
	works(mq_setattr(queue, &attr, &old));
	equal(old.mq_flags, 0);
	equal(old.mq_maxmsg, 2);
	equal(old.mq_msgsize, SIZE);
	equal(old.mq_curmsgs, 1);
	works(mq_getattr(queue, &old));
	equal(old.mq_flags, O_NONBLOCK);
	equal(old.mq_maxmsg, 2);
	check(fcntl(queue, F_GETFL) & O_NONBLOCK);
	expect_next(queue, 1, 0);
	fails(mq_receive(queue, data, sizeof(data), NULL), EAGAIN);
	attr.mq_flags = O_NONBLOCK | O_APPEND;
	fails(mq_setattr(queue, &attr, NULL), EINVAL);
	attr.mq_flags = 0;
	works(mq_setattr(queue, &attr, NULL));
	old.mq_flags = 77;
	works(get(queue, NULL, &old));
	equal(old.mq_flags, 0);
	check(!(fcntl(queue, F_GETFL) & O_NONBLOCK));
}

static void fortified(void)
{
	mqd_t queue = make_queue(O_RDWR, 2);

	put(queue, 1, 0);
	queue = works(__mq_open_2(NAME, O_RDONLY));
	expect_next(queue, 1, 0);
	fails(__mq_open_2("/none", O_RDONLY), ENOENT);
}

TAP_MAIN(own_queues,
	 TAP_TEST(what_is_not_there_is_enoent),
	 TAP_TEST(created_once_opened_again),
	 TAP_TEST(names),
	 TAP_TEST(names_of_any_bytes_and_length),
	 TAP_TEST(attributes_as_asked_and_by_default),
	 TAP_TEST(wrong_sizes_are_einval),
	 TAP_TEST(access_is_as_opened),
	 TAP_TEST(modes_are_checked),
	 TAP_TEST(the_umask_is_taken_off),
	 TAP_TEST(root_may_all),
	 TAP_TEST(persists_until_it_is_unlinked),
	 TAP_TEST(unlinked_it_works_on),
	 TAP_TEST(closed_is_ebadf),
	 TAP_TEST(what_is_no_queue_is_ebadf),
	 TAP_TEST(what_is_the_kernels_stays_so),
	 TAP_TEST(a_number_that_is_used_again),
	 TAP_TEST(without_descriptors_it_is_emfile),
	 TAP_TEST(nonblock_is_all_that_can_be_set),
	 TAP_TEST(fortified))
