/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * One line on the terminal that says how far a file has come.
 */
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define BAR_WIDTH	20
#define LABEL_WIDTH	24

static struct {
	bool active;
	bool drawn;
	const char *label;
	uint64_t total;		/* 0: not known */
	double began;
	double drawn_at;
} progress;

void progress_begin(const char *label, uint64_t total)
{
	const char *slash = strrchr(label, '/');

	progress_end();
	if (cli.quiet || cli.json || !isatty(STDERR_FILENO))
		return;
	progress.active = true;
	progress.label = slash && slash[1] ? slash + 1 : label;
	progress.total = total;
	progress.began = progress.drawn_at = now_seconds();
}

static void draw(uint64_t bytes, double now)
{
	double rate = (double)bytes / (now - progress.began);
	char size[SHORT_TEXT], total[SHORT_TEXT], speed[SHORT_TEXT];
	char bar[BAR_WIDTH + 1];
	double part, left;
	int full;

	text_size(size, bytes);
	text_rate(speed, rate);
	if (!progress.total || bytes > progress.total) {
		fprintf(stderr, "\r%.*s  %s  %s\033[K", LABEL_WIDTH,
			progress.label, size, speed);
		return;
	}
	part = (double)bytes / (double)progress.total;
	full = (int)(part * BAR_WIDTH);
	memset(bar, '#', (size_t)full);
	memset(bar + full, '.', (size_t)(BAR_WIDTH - full));
	bar[BAR_WIDTH] = '\0';
	left = rate > 0 ? (double)(progress.total - bytes) / rate : 0;
	fprintf(stderr, "\r%.*s  [%s] %3d%%  %s of %s  %s  %d:%02d left\033[K",
		LABEL_WIDTH, progress.label, bar, (int)(part * 100), size,
		text_size(total, progress.total), speed, (int)left / 60,
		(int)left % 60);
}

void progress_update(uint64_t bytes)
{
	double now;

	if (!progress.active)
		return;
	/* Ten times a second is often enough, and short files need no bar. */
	now = now_seconds();
	if (now - progress.drawn_at < 0.1)
		return;
	draw(bytes, now);
	progress.drawn_at = now;
	progress.drawn = true;
}

void progress_end(void)
{
	if (progress.drawn)
		fputs("\r\033[K", stderr);
	progress.active = false;
	progress.drawn = false;
}
