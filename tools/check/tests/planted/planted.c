// SPDX-License-Identifier: GPL-2.0
/*
 * A module full of faults, to see that the debug kernel and the scan of its log
 * report each of them.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(spin);

static noinline void plant_leak(void)
{
	/* More than one, as a stale register or stack slot may hold the last. */
	int i;

	for (i = 0; i < 10; i++) {
		char *lost = kmalloc(100, GFP_KERNEL);

		OPTIMIZER_HIDE_VAR(lost);
	}
}

static noinline void plant_use_after_free(void)
{
	char *freed = kmalloc(100, GFP_KERNEL);

	kfree(freed);
	OPTIMIZER_HIDE_VAR(freed);
	if (freed)
		WRITE_ONCE(freed[1], 1);
}

static noinline void plant_sleep_in_atomic(void)
{
	spin_lock(&spin);
	msleep(20);
	spin_unlock(&spin);
}

static noinline void plant_lock_order(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static int __init planted_init(void)
{
	plant_leak();
	plant_lock_order();
	plant_use_after_free();
	plant_sleep_in_atomic();
	return 0;
}
module_init(planted_init);

static void __exit planted_exit(void)
{
}
module_exit(planted_exit);

MODULE_DESCRIPTION("Faults for the tests of ipcbox's checks");
MODULE_LICENSE("GPL");
