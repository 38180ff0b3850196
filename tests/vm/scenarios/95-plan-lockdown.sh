# Under lockdown an unsigned module is foretold to be refused with EPERM, and is.
# boot: lockdown
# cmdline: lockdown=integrity
# set: all
. /opt/lab/lib.sh

assert_contains "$(cat /sys/kernel/security/lockdown)" '[integrity]' lockdown
expect_as_planned "$MODULES/lp_good01.ko" refused locked-down
assert_eq EPERM "$(jq -r .errno <<<"$prediction")" "errno foretold"
