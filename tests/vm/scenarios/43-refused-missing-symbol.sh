# A patch of a function that this kernel does not have is refused by name before the kernel is asked, and others are not held up.
. /opt/lab/lib.sh

drop_patch "$MODULES/lp_missing_symbol.ko"
expect_refused lp_missing_symbol rejected symbol-not-found
assert_contains "$(patch_field lp_missing_symbol detail)" lp_no_such_function_anywhere detail
expect_others_apply lp_good03 /proc/softirqs
expect_no_retries lp_missing_symbol 8 "symbol 'lp_no_such_function_anywhere' not found"
assert_eq 0 "$(kernel_count "symbol 'lp_no_such_function_anywhere' not found")" "attempts the kernel saw"
