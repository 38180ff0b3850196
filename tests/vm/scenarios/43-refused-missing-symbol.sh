# A patch of a function that this kernel does not have is refused by foresight: the kernel, which says no when it is asked, is not asked.
. /opt/lab/lib.sh

drop_patch "$MODULES/lp_missing_symbol.ko"
expect_refused lp_missing_symbol rejected symbol-not-found
expect_others_apply lp_good03 /proc/softirqs
expect_no_retries lp_missing_symbol 8 "symbol 'lp_no_such_function_anywhere' not found"
assert_eq 0 "$(kernel_count "symbol 'lp_no_such_function_anywhere' not found")" "attempts the kernel saw"
said=$(insmod "$MODULES/lp_missing_symbol.ko" 2>&1) && fail "the kernel took it"
assert_eq 1 "$(kernel_count "symbol 'lp_no_such_function_anywhere' not found")" "attempts the kernel saw by hand"
note "the kernel: $said"
