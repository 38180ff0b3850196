# A pre_patch callback that answers ENODEV vetoes the patch: refused once, nothing left behind.
. /opt/lab/lib.sh

drop_patch "$MODULES/lp_veto.ko"
expect_refused lp_veto rejected vetoed-by-callback
expect_others_apply lp_good03 /proc/softirqs
expect_no_retries lp_veto 8 "lp_veto: refusing to be applied"
assert_eq 1 "$(kernel_count "lp_veto: refusing to be applied")" "attempts the kernel saw"
