// SPDX-License-Identifier: GPL-2.0
// The livepatch of the busy function in lp_target_busy: its transition stays open until that function is released.

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>

static void lp_not_busy(void)
{
	pr_info("patched function called\n");
}

static struct klp_func funcs[] = {
	{ .old_name = "lp_busy_wait_for_release", .new_func = lp_not_busy },
	{ }
};

static struct klp_object objs[] = {
	{ .name = "lp_target_busy", .funcs = funcs },
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
MODULE_DESCRIPTION("livepatchd test patch of a busy function");
MODULE_INFO(livepatch, "Y");
