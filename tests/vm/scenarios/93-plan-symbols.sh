# Functions that the kernel does not have, or has several times, are named before the kernel is asked; it says the same when it is.
# set: all
. /opt/lab/lib.sh

expect_as_planned "$MODULES/lp_missing_symbol.ko" refused symbol-not-found
assert_eq EINVAL "$(jq -r .errno <<<"$prediction")" "errno foretold"
assert_contains "$(jq -r .detail <<<"$prediction")" lp_no_such_function_anywhere "detail foretold"
assert_eq 1 "$(kernel_count "symbol 'lp_no_such_function_anywhere' not found")" "questions to the kernel, without the one by hand"
expect_as_planned "$MODULES/lp_ambiguous.ko" refused symbol-ambiguous
assert_contains "$(jq -r .detail <<<"$prediction")" s_show "detail foretold"
expect_as_planned "$MODULES/lp_good03.ko" loads
