# A daemon that is killed again and again ends in observe mode: it looks and says so, and changes nothing until a clean restart.
# boot: soak
# set: all
# timeout: 180
. /opt/lab/lib.sh

configure 'gates: {settle: 0s}'
drop_patch "$MODULES/lp_good08.ko"
wait_state lp_good08 active 60
before=$(fingerprint lp_good08)
systemctl reset-failed livepatchd
for kill in 1 2 3 4; do
  old=$(systemctl show -P MainPID livepatchd)
  systemctl kill --signal=KILL --kill-whom=main livepatchd
  wait_until 30 eval 'now=$(systemctl show -P MainPID livepatchd); [ "$now" != 0 ] && [ "$now" != "$old" ] && systemctl is-active --quiet livepatchd'
  sleep 1
done
status=$(livepatchctl status --json)
assert_eq observing "$(jq -r .state <<<"$status")" "state after four kills"
assert_eq crash-loop "$(jq -r .reason <<<"$status")" "reason after four kills"
[ "$(event_count "$EVENT_CRASH_LOOP")" -ge 1 ] || fail "the crash loop is not in the journal"
drop_patch "$MODULES/lp_good09.ko"
wait_until 20 eval '! is_unknown lp_good09'
sleep 4
klp_absent lp_good09 || fail "an observing daemon loaded a patch"
assert_eq 0 "$(load_count lp_good09)" "loads while it observes"
assert_eq "$before" "$(fingerprint lp_good08)" "the patch that was there"

systemctl restart livepatchd
wait_until 15 eval '[ "$(livepatchctl status --json | jq -r .state)" = running ]'
wait_state lp_good09 active 60
assert_eq "$before" "$(fingerprint lp_good08)" "the patch that was there"
