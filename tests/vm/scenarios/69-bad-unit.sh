# A patch that hangs a service, so that its watchdog ends it, is out within 5 s of the check that finds the unit failed, and quarantined.
# set: all
# boot: bad
# traces: expected
# timeout: 180
. /opt/lab/lib.sh

configure 'soak: {duration: 15s}' 'gates: {settle: 0s}'
start_reader
wait_until 10 systemctl is-active --quiet lab-reader
drop_patch "$MODULES/lp_hang_reader.ko"
wait_until 60 test -e "$TREE/lp_hang_reader"
livepatchctl hold "nothing may change"
wait_until 60 systemctl is-failed --quiet lab-reader
assert_eq watchdog "$(systemctl show -P Result lab-reader)" "how the service failed"
failed=$(($(systemctl show -P StateChangeTimestampMonotonic lab-reader) / 1000))
# units are looked at in every round of checks: at once, and here at the end of the probation; the first one after the failure finds it
wait_until 60 eval '[ "$(kernel_count "'"'lp_hang_reader': starting unpatching"'")" = 1 ]'
complete=$(kernel_moment "'lp_hang_reader': patching complete")
began=$(kernel_moment "'lp_hang_reader': starting unpatching")
evidence=$failed
for round in "$complete" $((complete + 15000)); do
  if [ "$round" -ge "$failed" ] && [ "$round" -le "$began" ]; then evidence=$round; fi
done
[ "$began" -ge "$evidence" ] || fail "the revert began $((evidence - began)) ms before anything spoke for it"
expect_emergency_revert lp_hang_reader "$evidence" units-failed "hangs a service, which its watchdog ends"
assert_contains "$(livepatchctl show lp_hang_reader)" lab-reader.service "the evidence"
livepatchctl unhold
systemctl reset-failed lab-reader
