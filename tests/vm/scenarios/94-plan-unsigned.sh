# Where the kernel takes signed modules only, the plan says so of an unsigned one, with the kernel's errno.
# boot: enforced
# cmdline: module.sig_enforce=1
# set: all
. /opt/lab/lib.sh

expect_as_planned "$MODULES/lp_good01.ko" refused signature-required
assert_eq EKEYREJECTED "$(jq -r .errno <<<"$prediction")" "errno foretold"
assert_eq 1 "$(kernel_count 'Loading of unsigned module is rejected')" "questions to the kernel, without the one by hand"
