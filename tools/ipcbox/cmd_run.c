/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Programs made for the queues of POSIX and System V, with ipcbox's: see
 * userlib/mq, which is loaded before the C library.
 */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cli.h"

#define LIBRARY		"libipcbox-mq.so"

/* Where the library is, seen from the command's directory: as the linker looks. */
static const char *const directories[] = { RELATIVE_USERLIB, RELATIVE_LIBDIR };

struct run_request {
	char **command;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct run_request *request = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_ARG:
		request->command = &state->argv[state->next - 1];
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		if (!request->command)
			usage_error("give the PROGRAM to run: ipcbox run -- PROGRAM [ARGUMENT...]");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp run_argp = {
	.options = NULL, .parser = parse,
	.args_doc = "[--] PROGRAM [ARGUMENT...]", .children = common_children,
	.doc = "Run PROGRAM with its POSIX and System V message queues kept by ipcbox: mq_open(3) and "
	       "msgget(2) make objects that 'ipcbox ls' shows, named mq:NAME and sysv:KEY, with "
	       "ipcbox's limits and all that its commands do.\v"
	       "What follows PROGRAM is its own. The program needs no change. ipcbox-run(1) lists what is not as with the kernel's own "
	       "queues. Example:\n\n"
	       "  ipcbox run -- stress-ng --mq 2 --timeout 5",
};

/*
 * The library's path, for free(); or its name alone, where the linker finds it by
 * that. A program whose preload is not found would run all the same.
 */
static char *find_library(void)
{
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	size_t i;

	self[length > 0 ? length : 0] = '\0';
	if (strrchr(self, '/'))
		*strrchr(self, '/') = '\0';
	for (i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		char *path = format_text("%s/%s/%s", self, directories[i],
					 LIBRARY);
		char *real = realpath(path, NULL);

		free(path);
		if (real)
			return real;
	}
	if (!dlopen(LIBRARY, RTLD_LAZY))
		fail(STATUS_FAILED, 0, "cannot find " LIBRARY ": %s", dlerror());
	return format_text("%s", LIBRARY);
}

/* The file that execvp will find, for free(); or NULL. */
static char *find_program(const char *name)
{
	const char *path = getenv("PATH");
	const char *end;

	if (strchr(name, '/') || !path)
		return format_text("%s", name);
	for (;; path = end + 1) {
		char *file;

		end = strchrnul(path, ':');
		file = format_text("%.*s%s%s", (int)(end - path), path,
				   end == path ? "" : "/", name);
		if (!access(file, X_OK))
			return file;
		free(file);
		if (!*end)
			return NULL;
	}
}

/* Why nothing can be loaded before a program of this ELF file, or NULL. */
static const char *elf_fault(int fd)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	int i;

	if (pread(fd, &header, sizeof(header), 0) != sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG))
		return NULL;
	if (header.e_ident[EI_CLASS] != ELFCLASS64)
		return sizeof(void *) == 8 ?
		       "is a 32-bit program: build " LIBRARY " for 32 bits, and set LD_PRELOAD, as ipcbox-run(1) says" :
		       NULL;
	for (i = 0; i < header.e_phnum; i++) {
		off_t at = (off_t)header.e_phoff + i * header.e_phentsize;

		if (pread(fd, &segment, sizeof(segment), at) != sizeof(segment))
			return NULL;
		if (segment.p_type == PT_INTERP)
			return NULL;
	}
	return "is linked statically: nothing can be loaded before its C library";
}

/* Does the system start it with other rights than ours? */
static bool changes_rights(const char *path)
{
	struct stat status;

	if (stat(path, &status))
		return false;
	return (status.st_mode & S_ISUID && status.st_uid != getuid()) ||
	       (status.st_mode & S_ISGID && status.st_gid != getgid()) ||
	       (getuid() &&
		getxattr(path, "security.capability", NULL, 0) > 0);
}

/* Says why the program would run as without us, where that can be seen. */
static void check_program(const char *name)
{
	char *path = find_program(name);
	const char *fault = NULL;
	int fd;

	if (!path)
		return;		/* execvp will tell */
	if (changes_rights(path))
		fault = "runs with other rights than yours: the system loads nothing before such programs";
	fd = open(path, O_RDONLY | O_CLOEXEC);
	free(path);
	if (!fault && fd >= 0)
		fault = elf_fault(fd);
	if (fd >= 0)
		close(fd);
	if (fault)
		fail(STATUS_FAILED, 0, "'%s' %s", name, fault);
}

static void preload(const char *library)
{
	const char *others = getenv("LD_PRELOAD");
	char *value;

	value = format_text("%s%s%s", library, others && *others ? ":" : "",
			    others ? others : "");
	if (setenv("LD_PRELOAD", value, 1))
		fail_memory();
	free(value);
}

int run_run(int argc, char **argv)
{
	struct run_request request = { .command = NULL };
	char *library;

	parse_in_order(argc, argv, &request);
	/* What is wrong here the program could only tell as ENOSYS or EACCES. */
	ipcbox_box_close(open_box());
	check_program(request.command[0]);
	library = find_library();
	preload(library);
	free(library);
	execvp(request.command[0], request.command);
	fail(STATUS_FAILED, -errno, "cannot run '%s': %s", request.command[0],
	     strerror(errno));
}
