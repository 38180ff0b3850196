# Under lockdown an unsigned module, and one by a key that nobody enrolled, are foretold to be refused with EPERM, and are.
# boot: lockdown
# cmdline: lockdown=integrity
# set: all
. /opt/lab/lib.sh

assert_contains "$(</sys/kernel/security/lockdown)" '[integrity]' lockdown
expect_as_planned "$MODULES/lp_good01.ko" refused locked-down
assert_eq EPERM "$(jq -r .errno <<<"$prediction")" "errno foretold"
expect_as_planned "$MODULES/trust/lp_good03.ko" refused locked-down
assert_eq EPERM "$(jq -r .errno <<<"$prediction")" "errno foretold"
assert_contains "$(jq -r .detail <<<"$prediction")" "CN=stranger" "detail foretold"
