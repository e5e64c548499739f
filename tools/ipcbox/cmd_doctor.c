/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Checks in the order in which things are needed: each one presupposes those
 * above it, so the first problem is the one to solve first, and what cannot
 * be judged because of it is said to be skipped.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli.h"

/* Versions of Linux that the module is tested on. */
#define OLDEST_MAJOR	6
#define OLDEST_MINOR	1

enum verdict { FINE, PROBLEM, SKIPPED };

struct check {
	enum verdict verdict;
	char *found;		/* what was seen */
	char *remedy;		/* what to type; NULL when all is well */
};

/* What the checks learn for those below them. */
struct examination {
	struct utsname system;
	bool module_built;
	bool module_loaded;
	bool node_present;
	struct ipcbox *box;
	int box_error;
	struct ipcbox_info info;
};

static void fine(struct check *check, char *found)
{
	*check = (struct check){ FINE, found, NULL };
}

static void problem(struct check *check, char *found, char *remedy)
{
	*check = (struct check){ PROBLEM, found, remedy };
}

static void skip(struct check *check, const char *why)
{
	*check = (struct check){ SKIPPED, format_text("%s", why), NULL };
}

static void check_kernel(struct examination *exam, struct check *check)
{
	const char *release = exam->system.release;
	int major = 0, minor = 0;

	if (sscanf(release, "%d.%d", &major, &minor) != 2 ||
	    major < OLDEST_MAJOR ||
	    (major == OLDEST_MAJOR && minor < OLDEST_MINOR))
		problem(check, format_text("this is Linux %s", release),
			format_text("install Linux %d.%d or later; on Debian: apt install linux-image-amd64, then reboot",
				    OLDEST_MAJOR, OLDEST_MINOR));
	else
		fine(check, format_text("Linux %s", release));
}

static char found_path[4096];

static int is_module(const char *path, const struct stat *status, int type,
		     struct FTW *position)
{
	(void)status;
	if (type != FTW_F ||
	    strncmp(path + position->base, "ipcbox.ko", strlen("ipcbox.ko")))
		return 0;
	snprintf(found_path, sizeof(found_path), "%s", path);
	return 1;
}

static void check_built(struct examination *exam, struct check *check)
{
	const char *release = exam->system.release;
	char *directory;

	/* A module that runs was built for the kernel that runs it. */
	exam->module_built = true;
	if (exam->module_loaded) {
		fine(check, format_text("built for this kernel"));
		return;
	}
	directory = format_text("/lib/modules/%s", release);
	exam->module_built = nftw(directory, is_module, 16, FTW_PHYS) == 1;
	if (exam->module_built)
		fine(check, format_text("%s", found_path));
	else
		problem(check,
			format_text("there is no ipcbox.ko below %s",
				    directory),
			format_text("in the sources of ipcbox: make && sudo make install"));
	free(directory);
}

static char *module_version(void)
{
	char version[64] = "";
	FILE *file = fopen("/sys/module/ipcbox/version", "re");

	if (file) {
		if (!fgets(version, sizeof(version), file))
			version[0] = '\0';
		fclose(file);
	}
	version[strcspn(version, "\n")] = '\0';
	return format_text("loaded%s%s", version[0] ? ", version " : "",
			   version);
}

static void check_loaded(struct examination *exam, struct check *check)
{
	if (exam->module_loaded)
		fine(check, module_version());
	else if (!exam->module_built)
		skip(check, "there is no module to load");
	else
		problem(check, format_text("the module is not loaded"),
			format_text("sudo modprobe ipcbox; to have it at each boot: echo ipcbox | sudo tee /etc/modules-load.d/ipcbox.conf"));
}

/* The device's numbers as the kernel has them, "10:123". */
static bool device_number(unsigned int *major_number,
			  unsigned int *minor_number)
{
	FILE *file = fopen("/sys/class/misc/ipcbox/dev", "re");
	bool found;

	if (!file)
		return false;
	found = fscanf(file, "%u:%u", major_number, minor_number) == 2;
	fclose(file);
	return found;
}

static void check_node(struct examination *exam, struct check *check)
{
	unsigned int major_number = 0, minor_number = 0;
	bool known = device_number(&major_number, &minor_number);
	struct stat status;
	char *make_it;

	if (!exam->module_loaded) {
		skip(check, "comes with the module");
		return;
	}
	make_it = known ?
		  format_text("sudo mknod -m 660 %s c %u %u", IPCBOX_DEVICE,
			      major_number, minor_number) :
		  format_text("sudo modprobe -r ipcbox && sudo modprobe ipcbox");
	if (stat(IPCBOX_DEVICE, &status)) {
		problem(check, format_text("%s: %s", IPCBOX_DEVICE,
					   strerror(errno)), make_it);
		return;
	}
	if (!S_ISCHR(status.st_mode) ||
	    (known && (major(status.st_rdev) != major_number ||
		       minor(status.st_rdev) != minor_number))) {
		problem(check, format_text("%s is not the module's device",
					   IPCBOX_DEVICE),
			format_text("sudo rm %s && %s", IPCBOX_DEVICE, make_it));
		free(make_it);
		return;
	}
	exam->node_present = true;
	free(make_it);
	fine(check, format_text("%s", IPCBOX_DEVICE));
}

static void check_rights(struct examination *exam, struct check *check)
{
	char user[SHORT_TEXT], group[SHORT_TEXT];
	struct stat status;

	if (!exam->node_present || stat(IPCBOX_DEVICE, &status)) {
		skip(check, "there is no device to have rights on");
		return;
	}
	exam->box_error = ipcbox_box_open(&exam->box);
	text_user(user, geteuid());
	if (exam->box_error != -EACCES && exam->box_error != -EPERM) {
		fine(check, format_text("%s may use %s", user, IPCBOX_DEVICE));
		return;
	}
	text_group(group, status.st_gid);
	problem(check,
		format_text("%s may not use %s, which is of group %s with mode %04o",
			    user, IPCBOX_DEVICE, group,
			    status.st_mode & 07777),
		status.st_gid && (status.st_mode & 060) == 060 ?
		format_text("sudo usermod -aG %s %s, then log in anew", group,
			    user) :
		format_text("sudo groupadd -f ipcbox; echo 'KERNEL==\"ipcbox\", GROUP=\"ipcbox\"' | sudo tee /etc/udev/rules.d/60-ipcbox.rules; sudo udevadm control --reload; sudo udevadm trigger --name-match=ipcbox; sudo usermod -aG ipcbox %s, then log in anew",
			    user));
}

static void check_abi(struct examination *exam, struct check *check)
{
	int error = exam->box_error;

	if (!exam->node_present || error == -EACCES || error == -EPERM) {
		skip(check, "the device cannot be opened");
		return;
	}
	if (!error)
		error = ipcbox_info(exam->box, &exam->info);
	if (!error) {
		fine(check, format_text("module and library speak ABI %u",
					exam->info.abi));
		return;
	}
	exam->box_error = error;
	problem(check,
		format_text("the module does not speak ABI %d of this library: %s",
			    IPCBOX_ABI,
			    ipcbox_explain(IPCBOX_OPERATION_BOX_OPEN, error)),
		format_text("install module and command of one version, then: sudo modprobe -r ipcbox && sudo modprobe ipcbox"));
}

static void check_limits(struct examination *exam, struct check *check)
{
	const struct ipcbox_info *info = &exam->info;
	char used[SHORT_TEXT], all[SHORT_TEXT];
	const char *fault;

	if (!exam->box || exam->box_error) {
		skip(check, "the module cannot be asked");
		return;
	}
	fault = limits_fault(info);
	if (fault)
		problem(check, format_text("the limits do not fit together: %s",
					   fault),
			format_text("sudo ipcbox limits --set NAME=VALUE; 'sudo modprobe -r ipcbox && sudo modprobe ipcbox' restores the defaults"));
	else if (info->user_bytes_used + (1 << 20) > info->user_bytes)
		problem(check,
			format_text("you have used %s of your %s for messages in flight",
				    text_size(used, info->user_bytes_used),
				    text_size(all, info->user_bytes)),
			format_text("ipcbox ls, then receive or remove what is old; or: sudo ipcbox limits --set user_bytes=%llu",
				    2 * (unsigned long long)info->user_bytes));
	else if (info->user_objects_used >= info->user_objects)
		problem(check,
			format_text("you have all the %llu objects that one user may have",
				    (unsigned long long)info->user_objects),
			format_text("ipcbox ls, then ipcbox rm what is old"));
	else
		fine(check, format_text("you use %llu of %llu objects, %s of %s in flight",
					(unsigned long long)info->user_objects_used,
					(unsigned long long)info->user_objects,
					text_size(used, info->user_bytes_used),
					text_size(all, info->user_bytes)));
}

/* NULL, or what went wrong with a message to oneself. */
static char *round_trip(struct ipcbox *box)
{
	static const char text[] = "How do you do?";
	struct ipcbox_create_options options = { .kind = IPCBOX_MAILBOX };
	struct ipcbox_send_options how = {
		.priority = 7, .tag = 0x1234567890abcdef, .flags = IPCBOX_NOWAIT,
	};
	struct ipcbox_incoming header = { .length = 0 };
	struct ipcbox_handle *mailbox;
	char buffer[sizeof(text)];
	char *fault = NULL;
	ssize_t length;
	int error;

	error = ipcbox_create(box, &options, &mailbox);
	if (error)
		return format_text("cannot make a mailbox: %s",
				   ipcbox_explain(IPCBOX_OPERATION_CREATE,
						  error));
	error = ipcbox_send(mailbox, text, sizeof(text), &how);
	length = error ? 0 : ipcbox_receive(mailbox, buffer, sizeof(buffer),
					    &header, IPCBOX_NOWAIT, 0);
	if (error)
		fault = format_text("cannot send: %s",
				    ipcbox_explain(IPCBOX_OPERATION_SEND,
						   error));
	else if (length < 0)
		fault = format_text("cannot receive: %s",
				    ipcbox_explain(IPCBOX_OPERATION_RECEIVE,
						   (int)length));
	else if (length != sizeof(text) || memcmp(buffer, text, sizeof(text)) ||
		 header.tag != how.tag || header.priority != how.priority)
		fault = format_text("the message came back altered");
	else if (header.pid != getpid() || header.uid != geteuid())
		fault = format_text("the message came back with process %d and user %u as its sender, instead of %d and %u",
				    header.pid, header.uid, getpid(),
				    geteuid());
	ipcbox_close(mailbox);
	return fault;
}

static void check_round_trip(struct examination *exam, struct check *check)
{
	char *fault;

	if (!exam->box || exam->box_error) {
		skip(check, "the module cannot be asked");
		return;
	}
	fault = round_trip(exam->box);
	if (fault)
		problem(check, fault,
			format_text("dmesg | tail; then report what it says with the output of: ipcbox doctor --json"));
	else
		fine(check, format_text("a message went through a mailbox and came back whole"));
}

static const struct {
	const char *name;
	const char *title;
	void (*run)(struct examination *exam, struct check *check);
} checks[] = {
	{ "kernel", "kernel", check_kernel },
	{ "built", "module file", check_built },
	{ "loaded", "module", check_loaded },
	{ "node", "device", check_node },
	{ "rights", "your rights", check_rights },
	{ "abi", "interface", check_abi },
	{ "limits", "limits", check_limits },
	{ "round_trip", "self-test", check_round_trip },
};

#define CHECKS	(sizeof(checks) / sizeof(checks[0]))

static error_t parse(int key, char *arg, struct argp_state *state)
{
	(void)state;
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	usage_error("unexpected argument '%s'", arg);
}

const struct argp doctor_argp = {
	.parser = parse, .args_doc = "", .children = common_children,
	.doc = "Check what ipcbox needs, from the kernel to a message there and back, and say what "
	       "to type where something is missing. The status is 0 only when all is well.",
};

static void print_check(size_t i, const struct check *check)
{
	static const char *const words[] = { "ok", "PROBLEM", "skipped" };

	printf("%-8s %-12s %s\n", words[check->verdict], checks[i].title,
	       check->found);
	if (check->remedy)
		printf("%21s -> %s\n", "", check->remedy);
}

static json_t *json_of_check(size_t i, const struct check *check)
{
	static const char *const words[] = { "ok", "problem", "skipped" };

	return json_pack("{s:s, s:s, s:s, s:s?}", "check", checks[i].name,
			 "result", words[check->verdict],
			 "found", check->found, "remedy", check->remedy);
}

int doctor_run(int argc, char **argv)
{
	struct examination exam = { .box = NULL };
	json_t *list = json_array();
	bool healthy = true;
	size_t i;

	parse_arguments(argc, argv, NULL);
	uname(&exam.system);
	exam.module_loaded = !access("/sys/module/ipcbox", F_OK);

	for (i = 0; i < CHECKS; i++) {
		struct check check;

		checks[i].run(&exam, &check);
		if (check.verdict != FINE)
			healthy = false;
		if (cli.json)
			json_array_append_new(list, json_of_check(i, &check));
		else if (!cli.quiet || check.verdict == PROBLEM)
			print_check(i, &check);
		free(check.found);
		free(check.remedy);
	}
	if (cli.json)
		print_json(stdout, json_pack("{s:b, s:O}", "ok", healthy,
					     "checks", list), true);
	else if (!cli.quiet)
		printf("\n%s\n", healthy ? "ipcbox works here." :
		       "Do what the first line with -> says, then ask again.");
	json_decref(list);
	ipcbox_box_close(exam.box);
	return healthy ? STATUS_OK : STATUS_FAILED;
}
