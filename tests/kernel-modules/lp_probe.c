// SPDX-License-Identifier: GPL-2.0
// A kprobe at the entry of a function, with a post handler or without: with one it needs the function for itself, and no patch gets in.

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/stringify.h>

static unsigned long hits;
module_param(hits, ulong, 0444);
MODULE_PARM_DESC(hits, "how often the probe has fired");

static int lp_before(struct kprobe *probe, struct pt_regs *regs)
{
	hits++;
	return 0;
}

#ifdef LP_POST
static void lp_after(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}
#endif

static struct kprobe probe = {
	.symbol_name = __stringify(LP_FUNC),
	.pre_handler = lp_before,
#ifdef LP_POST
	.post_handler = lp_after,
#endif
};

static int __init lp_probe_init(void)
{
	return register_kprobe(&probe);
}

static void __exit lp_probe_exit(void)
{
	unregister_kprobe(&probe);
}

module_init(lp_probe_init);
module_exit(lp_probe_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("livepatchd test probe of " __stringify(LP_FUNC));
