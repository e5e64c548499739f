// SPDX-License-Identifier: GPL-2.0
/*
 * The limits as module parameters.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include <linux/ipcbox.h>

#include "limits.h"

#define IPCBOX_LIMIT_INITIAL(name, initial, least, greatest, text) \
	.name = (initial),

struct ipcbox_limits ipcbox_limits = {
	IPCBOX_LIMITS(IPCBOX_LIMIT_INITIAL)
};

struct limit_parameter {
	u64 *value;
	u64 least;
	u64 greatest;
};

static int limit_set(const char *text, const struct kernel_param *param)
{
	const struct limit_parameter *limit = param->arg;
	u64 value;
	int error;

	error = kstrtoull(text, 0, &value);
	if (error)
		return error;
	if (value < limit->least || value > limit->greatest)
		return -ERANGE;
	WRITE_ONCE(*limit->value, value);
	return 0;
}

static int limit_get(char *text, const struct kernel_param *param)
{
	const struct limit_parameter *limit = param->arg;

	return sysfs_emit(text, "%llu\n", READ_ONCE(*limit->value));
}

static const struct kernel_param_ops limit_ops = {
	.set = limit_set,
	.get = limit_get,
};

#define IPCBOX_LIMIT_PARAMETER(name, initial, least, greatest, text)	\
	static struct limit_parameter limit_##name = {			\
		&ipcbox_limits.name, (least), (greatest)		\
	};								\
	module_param_cb(name, &limit_ops, &limit_##name, 0644);	\
	MODULE_PARM_DESC(name, text);

IPCBOX_LIMITS(IPCBOX_LIMIT_PARAMETER)

#define IPCBOX_LIMIT_TELL(name, initial, least, greatest, text) \
	info->name = ipcbox_limit(name);

/**
 * ipcbox_limits_tell() - write down the limits in force
 * @info: the fields named after limits are set
 */
void ipcbox_limits_tell(struct ipcbox_info *info)
{
	IPCBOX_LIMITS(IPCBOX_LIMIT_TELL)
}
