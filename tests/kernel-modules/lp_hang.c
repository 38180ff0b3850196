// SPDX-License-Identifier: GPL-2.0
// A livepatch that makes a show function of the kernel wait for a signal: whoever reads that file hangs.

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/stringify.h>

static int lp_hang(struct seq_file *m, void *v)
{
	pr_info("a reader hangs\n");
	while (!signal_pending(current))
		schedule_timeout_interruptible(HZ);
	return -EINTR;
}

static struct klp_func funcs[] = {
	{ .old_name = __stringify(LP_FUNC), .new_func = lp_hang },
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
	return klp_enable_patch(&patch);
}

static void __exit lp_exit(void)
{
}

module_init(lp_init);
module_exit(lp_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("livepatchd test patch that hangs who reads a file");
MODULE_INFO(livepatch, "Y");
