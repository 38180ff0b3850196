// SPDX-License-Identifier: GPL-2.0
// An ordinary module that does nothing: a file that must not be taken for a livepatch.

#include <linux/module.h>

static int __init lp_init(void)
{
	return 0;
}

static void __exit lp_exit(void)
{
}

module_init(lp_init);
module_exit(lp_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("livepatchd test module that is no livepatch");
