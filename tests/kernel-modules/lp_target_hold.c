// SPDX-License-Identifier: GPL-2.0
// An ordinary module that keeps user processes inside one function of its own, and a kernel thread inside another for good.
//
// A process that reads /proc/lp_target_hold stays until `echo 1 > /sys/module/lp_target_hold/parameters/release`. The thread's main
// function is a loop: no patch of that function can ever complete.

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/freezer.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>

static bool release;
module_param(release, bool, 0644);
MODULE_PARM_DESC(release, "let the readers return");

static struct task_struct *thread;

/* the function that lp_hold patches; signals do not end it, and as it idles it is no hung task either */
static noinline void lp_hold_wait(void)
{
	while (!READ_ONCE(release)) {
		schedule_timeout_idle(HZ / 50);
		/* it stays on this function's stack while the machine sleeps */
		try_to_freeze();
	}
}

static ssize_t lp_hold_read(struct file *file, char __user *buffer, size_t count, loff_t *at)
{
	pr_info("held\n");
	lp_hold_wait();
	pr_info("let go\n");
	return 0;
}

static const struct proc_ops lp_hold_ops = {
	.proc_read = lp_hold_read,
};

/* the function that lp_hold_main patches */
static noinline int lp_hold_main_loop(void *unused)
{
	while (!kthread_should_stop())
		msleep_interruptible(20);
	return 0;
}

static int __init lp_target_hold_init(void)
{
	if (!proc_create("lp_target_hold", 0400, NULL, &lp_hold_ops))
		return -ENOMEM;
	thread = kthread_run(lp_hold_main_loop, NULL, "lp_target_hold");
	if (IS_ERR(thread)) {
		remove_proc_entry("lp_target_hold", NULL);
		return PTR_ERR(thread);
	}
	return 0;
}

static void __exit lp_target_hold_exit(void)
{
	kthread_stop(thread);
	remove_proc_entry("lp_target_hold", NULL);
}

module_init(lp_target_hold_init);
module_exit(lp_target_hold_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("livepatch test target that holds processes and a thread");
