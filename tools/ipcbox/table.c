/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A table with columns as wide as their contents. Cells are ASCII.
 */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

struct table {
	size_t columns;
	size_t cells;
	size_t room;
	char **text;
	const char *const *headings;
};

struct table *table_new(const char *const *headings, size_t columns)
{
	struct table *table = allocate(sizeof(*table));

	*table = (struct table){ .columns = columns, .headings = headings };
	return table;
}

void table_cell(struct table *table, char *text)
{
	if (table->cells == table->room) {
		table->room = table->room ? 2 * table->room : 64;
		table->text = reallocarray(table->text, table->room,
					   sizeof(*table->text));
		if (!table->text)
			fail_memory();
	}
	table->text[table->cells++] = text;
}

static bool aligns_right(const struct table *table, size_t column)
{
	return table->headings[column][0] == '>';
}

static const char *heading(const struct table *table, size_t column)
{
	return table->headings[column] + aligns_right(table, column);
}

static void print_cell(const struct table *table, FILE *stream, size_t column,
		       const char *text, int width)
{
	const char *gap = column ? "  " : "";

	if (aligns_right(table, column))
		fprintf(stream, "%s%*s", gap, width, text);
	else if (column == table->columns - 1)
		fprintf(stream, "%s%s", gap, text);
	else
		fprintf(stream, "%s%-*s", gap, width, text);
}

void table_print(const struct table *table, FILE *stream)
{
	int *width = allocate(table->columns * sizeof(*width));
	size_t i;

	for (i = 0; i < table->columns; i++)
		width[i] = (int)strlen(heading(table, i));
	for (i = 0; i < table->cells; i++) {
		int length = (int)strlen(table->text[i]);

		if (width[i % table->columns] < length)
			width[i % table->columns] = length;
	}

	for (i = 0; i < table->columns; i++)
		print_cell(table, stream, i, heading(table, i), width[i]);
	fputc('\n', stream);
	for (i = 0; i < table->cells; i++) {
		size_t column = i % table->columns;

		print_cell(table, stream, column, table->text[i],
			   width[column]);
		if (column == table->columns - 1)
			fputc('\n', stream);
	}
	free(width);
}

void table_free(struct table *table)
{
	size_t i;

	for (i = 0; i < table->cells; i++)
		free(table->text[i]);
	free(table->text);
	free(table);
}
