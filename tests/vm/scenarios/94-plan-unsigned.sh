# Where the kernel takes signed modules only, the plan says so of an unsigned one and of one by a key that nobody enrolled, with the
# kernel's errno.
# boot: enforced
# cmdline: module.sig_enforce=1
# set: all
. /opt/lab/lib.sh

expect_as_planned "$MODULES/lp_good01.ko" refused signature-required
assert_eq EKEYREJECTED "$(jq -r .errno <<<"$prediction")" "errno foretold"
assert_eq 1 "$(kernel_count 'Loading of unsigned module is rejected')" "questions to the kernel, without the one by hand"

# expect_as_planned asks the kernel once by hand: that is the one line
grep -q ' keyring *\.builtin_trusted_keys: ' /proc/keys || fail "the keyrings cannot be seen: $(grep keyring /proc/keys)"
expect_as_planned "$MODULES/trust/lp_good03.ko" refused signature-required
assert_eq EKEYREJECTED "$(jq -r .errno <<<"$prediction")" "errno foretold"
assert_contains "$(jq -r .detail <<<"$prediction")" "a key that the kernel does not have (O=livepatch lab, CN=stranger" "detail foretold"
assert_eq 1 "$(kernel_count 'Loading of module with unavailable key is rejected')" "questions to the kernel, without the one by hand"
