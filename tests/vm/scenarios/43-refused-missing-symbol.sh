# A patch of a function that this kernel does not have is refused once, with the kernel's own reason.
. /opt/lab/lib.sh

drop_patch "$MODULES/lp_missing_symbol.ko"
expect_refused lp_missing_symbol rejected symbol-not-found
expect_others_apply lp_good03 /proc/softirqs
expect_no_retries lp_missing_symbol 8 "symbol 'lp_no_such_function_anywhere' not found"
assert_eq 1 "$(kernel_count "symbol 'lp_no_such_function_anywhere' not found")" "attempts the kernel saw"
