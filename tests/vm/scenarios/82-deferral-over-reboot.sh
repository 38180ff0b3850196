# A wait at the gates goes on while the host is down: the budget is the calendar's, and not the boot's.
# set: all
# stages: 2
# away: 3580
# timeout: 120
. /opt/lab/lib.sh

BUDGET_SECONDS=3600
if [ "$LAB_STAGE" -eq 1 ]; then
  # a gate that nothing opens
  configure 'gates: {min-uptime: 7d}' 'deferral: {budget: 1h, then: apply, critical-budget: 60s}'
  keep DROPPED "$(date +%s)"
  drop_patch "$MODULES/lp_good01.ko"
  wait_state lp_good01 held
  assert_eq uptime-too-short "$(patch_reason lp_good01)" "reason"
  assert_eq 0 "$(load_count lp_good01)" "loads before the budget"
  sync
else
  # the machine comes back an hour later, all but what the reboot itself takes
  wait_until 90 eval '[ "$(load_count lp_good01)" = 1 ]'
  began=$(kernel_moment "enabling patch 'lp_good01'")
  waited=$(($(date +%s) - ($(uptime_ms) - began) / 1000 - LAB_KEPT_DROPPED))
  note "applied $began ms after the boot and $waited s after the file came, of a budget of $BUDGET_SECONDS s"
  [ "$waited" -ge "$BUDGET_SECONDS" ] || fail "applied $waited s after the file came, before its budget of $BUDGET_SECONDS s"
  assert_contains "$(journalctl -u livepatchd -b --no-pager -q -o cat)" deferral-exhausted "the journal"
fi
