// SPDX-License-Identifier: GPL-2.0
// An ordinary module with a kernel thread that stays inside one function until released: the patch of that function cannot finish before.
//
// Release it with `echo 1 > /sys/module/lp_target_busy/parameters/release`, or remove the module.

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>

static bool release;
module_param(release, bool, 0644);
MODULE_PARM_DESC(release, "let the busy function return");

static struct task_struct *thread;

/* the function that lp_busy patches; it must keep a symbol of its own */
static noinline void lp_busy_wait_for_release(void)
{
	pr_info("busy\n");
	while (!READ_ONCE(release) && !kthread_should_stop())
		msleep_interruptible(20);
	pr_info("released\n");
}

static int lp_busy_thread(void *unused)
{
	lp_busy_wait_for_release();
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static int __init lp_target_busy_init(void)
{
	thread = kthread_run(lp_busy_thread, NULL, "lp_target_busy");
	return PTR_ERR_OR_ZERO(thread);
}

static void __exit lp_target_busy_exit(void)
{
	kthread_stop(thread);
}

module_init(lp_target_busy_init);
module_exit(lp_target_busy_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("livepatchd test target that holds a function busy");
