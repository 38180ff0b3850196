// SPDX-License-Identifier: GPL-2.0
// A livepatch that does harm: at its load, or LP_AFTER seconds later out of a kernel thread of its own.
//
// Built many times, with -DLP_FUNC=name, -DLP_AFTER=seconds and one of -DLP_PANIC, -DLP_OOPS, -DLP_WARN. What it patches is harmless.

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/stringify.h>

static struct task_struct *thread;

static int lp_show(struct seq_file *m, void *v)
{
	seq_puts(m, "livepatched: " KBUILD_MODNAME "\n");
	return 0;
}

static noinline void lp_do_harm(void)
{
#if defined(LP_PANIC)
	panic("%s does its harm", KBUILD_MODNAME);
#elif defined(LP_OOPS)
	/* volatile, and not a constant: the compiler must not see through it */
	int *volatile nowhere = NULL;

	WRITE_ONCE(*nowhere, 1);
#elif defined(LP_WARN)
	WARN(1, "%s does its harm\n", KBUILD_MODNAME);
#else
#error "one of LP_PANIC, LP_OOPS and LP_WARN says what it does"
#endif
}

static int lp_bad_thread(void *unused)
{
	unsigned long end = jiffies + LP_AFTER * HZ;

	while (!kthread_should_stop() && time_before(jiffies, end))
		schedule_timeout_interruptible(HZ / 10);
	if (!kthread_should_stop())
		lp_do_harm();
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ / 10);
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = __stringify(LP_FUNC), .new_func = lp_show },
	{ }
};

static struct klp_object objs[] = {
	{ .funcs = funcs },
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int __init lp_init(void)
{
	int error;

	/* loud enough for the console, whose file outlives the guest: it is how the loads are counted */
	pr_alert("loaded\n");
	if (LP_AFTER == 0)
		lp_do_harm();
	error = klp_enable_patch(&patch);
	if (error)
		return error;
	/* nothing may fail once the patch is enabled, and without the thread the patch is a good one */
	thread = kthread_run(lp_bad_thread, NULL, KBUILD_MODNAME);
	if (!IS_ERR(thread))
		get_task_struct(thread);
	return 0;
}

static void __exit lp_exit(void)
{
	if (IS_ERR_OR_NULL(thread))
		return;
	/* also ends at once when the thread has died of its own harm */
	kthread_stop(thread);
	put_task_struct(thread);
}

module_init(lp_init);
module_exit(lp_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("livepatchd test patch that does harm");
MODULE_INFO(livepatch, "Y");
