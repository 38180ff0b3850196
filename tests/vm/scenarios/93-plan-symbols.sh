# Functions that the kernel does not have, has several times, or cannot redirect are named before the kernel is asked; it says the same when
# it is.
# set: all
. /opt/lab/lib.sh

expect_as_planned "$MODULES/lp_missing_symbol.ko" refused symbol-not-found
assert_eq EINVAL "$(jq -r .errno <<<"$prediction")" "errno foretold"
assert_contains "$(jq -r .detail <<<"$prediction")" lp_no_such_function_anywhere "detail foretold"
assert_eq 1 "$(kernel_count "symbol 'lp_no_such_function_anywhere' not found")" "questions to the kernel, without the one by hand"
expect_as_planned "$MODULES/lp_ambiguous.ko" refused symbol-ambiguous
assert_contains "$(jq -r .detail <<<"$prediction")" s_show "detail foretold"

# a function that is there, and that ftrace may not touch
grep -qE ' [tT] exc_divide_error$' /proc/kallsyms || fail "the kernel has no function exc_divide_error"
grep -qx exc_divide_error /sys/kernel/tracing/available_filter_functions && fail "ftrace may touch exc_divide_error"
expect_as_planned "$MODULES/lp_notrace.ko" refused function-not-traceable
assert_eq EINVAL "$(jq -r .errno <<<"$prediction")" "errno foretold"
assert_contains "$(jq -r .detail <<<"$prediction")" exc_divide_error "detail foretold"
assert_eq 1 "$(kernel_count "failed to find location for function 'exc_divide_error'")" "questions to the kernel, without the one by hand"

# one that is
expect_as_planned "$MODULES/lp_good03.ko" loads
