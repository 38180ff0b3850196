# A wait at the gates goes on after a reboot: the budget is the calendar's, and not the boot's.
# set: all
# stages: 2
# timeout: 240
. /opt/lab/lib.sh

if [ "$LAB_STAGE" -eq 1 ]; then
  # a gate that nothing opens
  configure 'gates: {min-uptime: 7d}' 'deferral: {budget: 160s, then: apply, critical-budget: 60s}'
  drop_patch "$MODULES/lp_good01.ko"
  wait_state lp_good01 held
  assert_eq uptime-too-short "$(patch_reason lp_good01)" "reason"
  sleep 100
  assert_eq 0 "$(load_count lp_good01)" "loads before the budget"
  sync
else
  wait_state lp_good01 active 200
  began=$(kernel_moment "enabling patch 'lp_good01'")
  note "applied $began ms after the boot, of a budget of 160 s of which 100 s were spent before it"
  [ "$began" -ge 40000 ] || fail "applied $began ms after the boot, which is less than a quarter of the budget"
  [ "$began" -lt 160000 ] || fail "applied $began ms after the boot: the budget began anew"
  assert_contains "$(journalctl -u livepatchd -b --no-pager -q -o cat)" deferral-exhausted "the journal"
fi
