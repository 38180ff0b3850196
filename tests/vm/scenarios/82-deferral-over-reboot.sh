# A wait at the gates goes on while the host is down: the budget is the calendar's, and not the boot's; but a host that comes up has a while of its own first.
# set: all
# stages: 2
# away: 200
# timeout: 150
. /opt/lab/lib.sh

if [ "$LAB_STAGE" -eq 1 ]; then
  # a gate that nothing opens
  configure 'gates: {min-uptime: 7d}' 'deferral: {budget: 160s, then: apply, critical-budget: 60s}'
  drop_patch "$MODULES/lp_good01.ko"
  wait_state lp_good01 held
  assert_eq uptime-too-short "$(patch_reason lp_good01)" "reason"
  assert_eq 0 "$(load_count lp_good01)" "loads before the budget"
  sync
else
  wait_until 120 loaded_times lp_good01 1
  began=$(kernel_moment "enabling patch 'lp_good01'")
  started=$(($(unit_prop livepatchd ExecMainStartTimestampMonotonic) / 1000))
  note "applied $began ms after the boot and $((began - started)) ms after the daemon's start; the budget of 160 s ended while the host was down"
  [ "$began" -ge 40000 ] || fail "applied $began ms after the boot, which is less than a quarter of the budget"
  # a budget that began anew would end 160 s after the daemon's first look at the earliest
  [ $((began - started)) -lt 120000 ] || fail "applied $((began - started)) ms after the daemon's start: the budget began anew"
  wait_until 10 unit_said livepatchd deferral-exhausted
fi
