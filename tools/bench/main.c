/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * The bench: runs each workload over each transport, and writes a line of JSON
 * for each row. tools/bench/run makes tables of them.
 */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench.h"
#include "limits.h"
#include "preload.h"
#include "settle.h"
#include "workloads/workloads.h"

struct settings settings = {
	.repeats = 5,
	.budget = 10000000,
};

/* What to measure; NULL is everything. */
static char *chosen_transports;
static char *chosen_workloads;

/* This is the process with the preload, which measures what it is told. */
static bool only_rows;

static const char usage[] =
"usage: bench [OPTION]...\n"
"\n"
"Measures ipcbox and its peers, and writes a line of JSON for each figure.\n"
"\n"
"  -w, --workloads LIST   of these only: names, with points where not all are\n"
"                         wanted: \"roundtrip:16 oneway:64,65536 depth\"\n"
"  -t, --transports LIST  of these only: \"ipcbox pipe\"\n"
"  -r, --repeats N        of each measurement (5)\n"
"  -b, --budget USEC      how long a repeat shall take (10000)\n"
"      --pin              each process on one processor\n"
"      --histogram        note how long each round trip takes\n"
"      --endless          again and again, for who profiles it\n"
"      --preload FILE     libipcbox-mq.so, to measure its queues, too\n"
"      --rows             measure what standard input says, a row a line:\n"
"                         workload, point, transport; for --preload\n"
"  -l, --list             what there is to measure\n";

/*
 * Whether @name is a word of @list, which may end with ":" and points, of which
 * @point must then be one.
 */
static bool is_chosen(const char *list, const char *name, unsigned long point)
{
	size_t length = strlen(name);
	char *end;

	while (list && *list) {
		list += strspn(list, " ");
		if (!strncmp(list, name, length) &&
		    strchr(" :", list[length])) {
			list += length;
			if (*list != ':')
				return true;
			while (*list == ':' || *list == ',') {
				if (strtoul(list + 1, &end, 10) == point)
					return true;
				list = end;
			}
		}
		list += strcspn(list, " ");
	}
	return !list;
}

/* The code that moves its messages, here or in another process. */
static const struct transport *code_of(const struct transport *transport)
{
	return transport->preloaded ? transport->preloaded : transport;
}

static bool has_row(const struct workload *workload,
		    const struct transport *transport)
{
	const struct transport *code = code_of(transport);

	return is_chosen(chosen_transports, transport->name, 0) &&
	       (code->can & workload->needs) == workload->needs &&
	       (!workload->wants || workload->wants(code));
}

static void print_samples(const struct figures *figures)
{
	printf("\"samples\":[");
	for (unsigned int i = 0; i < figures->repeats; i++)
		printf("%s%.2f", i ? "," : "", figures->samples[i]);
	printf("]");
	if (figures->send > 0)
		printf(",\"send\":%.2f,\"receive\":%.2f", figures->send,
		       figures->receive);
	if (figures->cpu > 0)
		printf(",\"cpu\":%.2f", figures->cpu);
}

/* Pairs of a time, the least of its bucket, and how many took that long. */
static void print_histogram(const struct figures *figures)
{
	const char *separator = "";

	printf(",\"histogram\":[");
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		unsigned int power = i < 2 * HISTOGRAM_STEPS ?
					     0 : i / HISTOGRAM_STEPS - 1;

		if (!figures->histogram[i])
			continue;
		printf("%s[%lu,%lu]", separator,
		       (unsigned long)(i - power * HISTOGRAM_STEPS) << power,
		       (unsigned long)figures->histogram[i]);
		separator = ",";
	}
	printf("]");
}

static int measure(const struct workload *workload, unsigned long point,
		   const struct transport *transport, struct figures *figures)
{
	if (transport->preloaded && !only_rows)
		return preload_available() ? -ECHILD : -ENODEV;
	transport = code_of(transport);
	if (transport->available && !transport->available())
		return -ENODEV;
	return workload->run(transport, point, figures);
}

/* Returns whether the row is as it should be: measured, or not to be had. */
static bool run_row(const struct workload *workload, unsigned long point,
		    const struct transport *transport)
{
	static struct figures figures;
	int error;

	if (transport->preloaded && !only_rows && preload_available() &&
	    preload_row(workload, point, transport)) {
		fflush(stdout);
		return true;
	}
	memset(&figures, 0, sizeof(figures));
	error = measure(workload, point, transport, &figures);
	printf("{\"workload\":\"%s\",\"point\":%lu,\"transport\":\"%s\",",
	       workload->name, point, transport->name);
	if (error)
		printf("\"error\":\"%s\"", strerrorname_np(-error));
	else
		print_samples(&figures);
	if (!error && settings.histogram && workload->histogram)
		print_histogram(&figures);
	printf("}\n");
	fflush(stdout);
	return !error || error == -EOPNOTSUPP || error == -ENODEV;
}

/* Run @each for every row that is wanted; returns how many there were. */
static unsigned int for_each_row(bool (*each)(const struct workload *workload,
					      unsigned long point,
					      const struct transport *transport),
				 bool *all_well)
{
	unsigned int rows = 0;

	for (unsigned int w = 0; workloads[w]; w++) {
		const unsigned long *point = workloads[w]->points;

		for (; *point != POINTS_END; point++) {
			if (!is_chosen(chosen_workloads, workloads[w]->name,
				       *point))
				continue;
			for (unsigned int t = 0; transports[t]; t++) {
				if (!has_row(workloads[w], transports[t]))
					continue;
				rows++;
				if (!each(workloads[w], *point, transports[t]))
					*all_well = false;
			}
		}
	}
	return rows;
}

static bool count_row(const struct workload *workload, unsigned long point,
		      const struct transport *transport)
{
	(void)workload;
	(void)point;
	(void)transport;
	return true;
}

static const char *const families[] = {
	[FAMILY_KERNEL] = "kernel",
	[FAMILY_BYTES] = "bytes",
	[FAMILY_MEMORY] = "memory",
	[FAMILY_SHARED] = "shared",
	[FAMILY_LIBRARY] = "library",
};

/* What readers of the rows need to know of them. */
static void print_header(unsigned int rows)
{
	const char *separator = "";
	struct utsname host;

	uname(&host);
	printf("{\"bench\":1,\"kernel\":\"%s\",\"rows\":%u,\"repeats\":%u,",
	       host.release, rows, settings.repeats);
	printf("\"processors\":%ld,\"transports\":[",
	       sysconf(_SC_NPROCESSORS_ONLN));
	for (unsigned int t = 0; transports[t]; t++) {
		printf("%s{\"name\":\"%s\",\"family\":\"%s\",\"ours\":%s",
		       separator, transports[t]->name,
		       families[transports[t]->family],
		       transports[t]->ours ? "true" : "false");
		if (transports[t]->preloaded)
			printf(",\"preloaded\":\"%s\"",
			       transports[t]->preloaded->name);
		printf("}");
		separator = ",";
	}
	separator = "";
	printf("],\"workloads\":[");
	for (unsigned int w = 0; workloads[w]; w++) {
		printf("%s{\"name\":\"%s\",\"what\":\"%s\",\"unit\":\"%s\"}",
		       separator, workloads[w]->name, workloads[w]->what,
		       workloads[w]->unit);
		separator = ",";
	}
	printf("]}\n");
	fflush(stdout);
}

static int list(void)
{
	printf("workloads:\n");
	for (unsigned int w = 0; workloads[w]; w++) {
		printf("  %s:", workloads[w]->name);
		for (const unsigned long *point = workloads[w]->points;
		     *point != POINTS_END; point++)
			printf(" %lu", *point);
		printf("  (%s)\n", workloads[w]->what);
	}
	printf("transports:\n");
	for (unsigned int t = 0; transports[t]; t++)
		printf("  %s\n", transports[t]->name);
	return EXIT_SUCCESS;
}

static unsigned long number(const char *text, unsigned long most)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || end == text || !value || value > most) {
		fprintf(stderr, "bench: '%s' is not a number from 1 to %lu\n",
			text, most);
		exit(2);
	}
	return value;
}

static void parse(int argc, char **argv)
{
	enum { PIN = 256, HISTOGRAM, ENDLESS, PRELOAD, ROWS };
	static const struct option options[] = {
		{ "workloads", required_argument, NULL, 'w' },
		{ "transports", required_argument, NULL, 't' },
		{ "repeats", required_argument, NULL, 'r' },
		{ "budget", required_argument, NULL, 'b' },
		{ "pin", no_argument, NULL, PIN },
		{ "histogram", no_argument, NULL, HISTOGRAM },
		{ "endless", no_argument, NULL, ENDLESS },
		{ "preload", required_argument, NULL, PRELOAD },
		{ "rows", no_argument, NULL, ROWS },
		{ "list", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	int option;

	while ((option = getopt_long(argc, argv, "w:t:r:b:lh", options,
				     NULL)) != -1) {
		switch (option) {
		case 'w':
			chosen_workloads = *optarg ? optarg : NULL;
			break;
		case 't':
			chosen_transports = *optarg ? optarg : NULL;
			break;
		case 'r':
			settings.repeats =
				(unsigned int)number(optarg, REPEATS_MAX);
			break;
		case 'b':
			settings.budget = number(optarg, 1000000000) * 1000;
			break;
		case PIN:
			settings.pinned = true;
			break;
		case HISTOGRAM:
			settings.histogram = true;
			break;
		case ENDLESS:
			settings.endless = true;
			break;
		case PRELOAD:
			preload_file = optarg;
			break;
		case ROWS:
			only_rows = true;
			break;
		case 'l':
			exit(list());
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (optind < argc) {
		fputs(usage, stderr);
		exit(2);
	}
}

static bool run_named(const char *workload, unsigned long point,
		      const char *transport)
{
	for (unsigned int w = 0; workloads[w]; w++)
		for (unsigned int t = 0; transports[t]; t++)
			if (!strcmp(workloads[w]->name, workload) &&
			    !strcmp(transports[t]->name, transport))
				return run_row(workloads[w], point,
					       transports[t]);
	return false;
}

static int run_rows(void)
{
	char workload[64], transport[64];
	bool all_well = true;
	unsigned long point;

	if (!preload_is_loaded())
		return EXIT_FAILURE;
	while (scanf("%63s %lu %63s", workload, &point, transport) == 3)
		all_well &= run_named(workload, point, transport);
	objects_remove();
	return all_well ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	bool all_well = true;
	unsigned int rows;

	parse(argc, argv);
	if (only_rows)
		return run_rows();
	rows = for_each_row(count_row, &all_well);
	if (!rows) {
		fprintf(stderr, "bench: nothing to measure: see --list\n");
		return 2;
	}
	limits_raise();
	if (settle())
		fprintf(stderr, "bench: this host is busy: the figures will be too high\n");
	print_header(rows);
	/* What reads the header, through a slow line, has it before we go on. */
	if (settings.endless)
		sleep(1);
	do {
		for_each_row(run_row, &all_well);
	} while (settings.endless);
	objects_remove();
	all_well &= preload_end();
	limits_restore();
	return all_well ? EXIT_SUCCESS : EXIT_FAILURE;
}
