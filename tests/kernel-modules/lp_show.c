// SPDX-License-Identifier: GPL-2.0
// A livepatch that replaces one seq_file show function of the kernel, so that user space can read who patched it.
//
// Built many times, with -DLP_FUNC=name and optionally -DLP_TEXT="text", -DLP_REPLACE, -DLP_VETO, -DLP_SLOW=seconds.

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#ifndef LP_TEXT
#define LP_TEXT "livepatched: " KBUILD_MODNAME
#endif

static int lp_show(struct seq_file *m, void *v)
{
	seq_puts(m, LP_TEXT "\n");
	return 0;
}

#ifdef LP_VETO
/* the only callback whose return value can refuse a patch */
static int lp_pre_patch(struct klp_object *obj)
{
	pr_info("refusing to be applied\n");
	return -ENODEV;
}
#endif

#ifdef LP_SLOW
/* the kernel holds klp_mutex all the while */
static int lp_pre_patch(struct klp_object *obj)
{
	pr_info("sleeping\n");
	ssleep(LP_SLOW);
	pr_info("awake\n");
	return 0;
}
#endif

static struct klp_func funcs[] = {
	{ .old_name = __stringify(LP_FUNC), .new_func = lp_show },
	{ }
};

static struct klp_object objs[] = {
	{
		.funcs = funcs,
#if defined(LP_VETO) || defined(LP_SLOW)
		.callbacks = { .pre_patch = lp_pre_patch },
#endif
	},
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
#ifdef LP_REPLACE
	.replace = true,
#endif
};

static int __init lp_init(void)
{
	return klp_enable_patch(&patch);
}

/* livepatch modules need an exit function to be removable; all the work is done by disabling the patch */
static void __exit lp_exit(void)
{
}

module_init(lp_init);
module_exit(lp_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("livepatchd test patch of " __stringify(LP_FUNC));
MODULE_INFO(livepatch, "Y");
