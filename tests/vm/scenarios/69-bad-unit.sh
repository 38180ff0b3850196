# A patch that hangs a service, so that its watchdog ends it, is out within 5 s of that, long before the next round of checks, and held as a suspect.
# set: all
# boot: bad
# traces: expected
# timeout: 180
. /opt/lab/lib.sh

# units are looked at in every round of checks: at once, after a minute and at the end; what is tested is the time between
configure 'soak: {duration: 120s, checks: {unit-uptime: 0s}}' 'gates: {settle: 0s}'
start_reader
wait_until 10 unit_is lab-reader active
drop_patch "$MODULES/lp_hang_reader.ko"
wait_until 60 test -e "$TREE/lp_hang_reader"
livepatchctl hold "nothing may change"
wait_until 60 unit_is lab-reader failed
assert_eq watchdog "$(unit_prop lab-reader Result)" "how the service failed"
failed=$(($(unit_prop lab-reader StateChangeTimestampMonotonic) / 1000))
wait_until 60 kernel_logged "'lp_hang_reader': starting unpatching"
expect_emergency_revert lp_hang_reader "$failed" suspected "hangs a service, which its watchdog ends" held
assert_contains "$(livepatchctl show lp_hang_reader)" lab-reader.service "the evidence"
livepatchctl unhold
systemctl reset-failed lab-reader
