/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* The C library's own functions, for descriptors that are not ours. */
#include <dlfcn.h>
#include <string.h>

#include "mq.h"

/* Found when the library is loaded: dlsym may allocate, signal handlers not. */
static struct {
	const char *symbol;
	void *function;
} functions[] = {
	{ "__mq_open_2", NULL },
	{ "__mq_timedreceive_time64", NULL },
	{ "__mq_timedsend_time64", NULL },
	{ "mq_close", NULL },
	{ "mq_getattr", NULL },
	{ "mq_notify", NULL },
	{ "mq_receive", NULL },
	{ "mq_send", NULL },
	{ "mq_setattr", NULL },
	{ "mq_timedreceive", NULL },
	{ "mq_timedsend", NULL },
};

#define FUNCTIONS	(sizeof(functions) / sizeof(*functions))

__attribute__((constructor)) static void find_functions(void)
{
	size_t i;

	for (i = 0; i < FUNCTIONS; i++)
		functions[i].function = dlsym(RTLD_NEXT, functions[i].symbol);
}

/* @symbol is one of the above, and the C library has it. */
void *mq_real(const char *symbol)
{
	size_t i;

	for (i = 0; i < FUNCTIONS; i++) {
		if (strcmp(symbol, functions[i].symbol))
			continue;
		/* Another library's constructor may come before ours. */
		if (!functions[i].function)
			find_functions();
		return functions[i].function;
	}
	return NULL;
}
