# A transition that cannot end is reported with who is in the way, reversed, tried again, and given up; released in time, it succeeds.
# boot: gates
# timeout: 400
. /opt/lab/lib.sh

configure 'transition: {report-after: 3s, reverse-after: 20s, attempts: 2, backoff: {first: 6s, max: 6s}}' 'gates: {settle: 0s}'
insmod "$MODULES/lp_target_hold.ko"
systemd-run --quiet --unit lab-blocker cat /proc/lp_target_hold
wait_until 10 kernel_logged "lp_target_hold: held"
pid=$(main_pid lab-blocker)

drop_patch "$MODULES/lp_hold.ko"
wait_state lp_hold stalled 30
blocker=$(livepatchctl blocking --json | jq -r --argjson pid "$pid" '.blockers[] | select(.pid == $pid) | "\(.unit) \(.comm) \(.function)"')
assert_eq "lab-blocker.service cat lp_hold_wait" "$blocker" "the blocker's unit, its command, and the patched function on its stack"
assert_contains "$(livepatchctl blocking -v)" lab-blocker.service "livepatchctl blocking"
assert_contains "$(livepatchctl show lp_hold)" stalled "livepatchctl show"
[ "$(metric livepatchd_stalled_tasks)" -ge 1 ] || fail "livepatchd_stalled_tasks is $(metric livepatchd_stalled_tasks)"

# the deadline: reversed, nothing left, tried again after the pause, and then no more
wait_until 60 module_absent lp_hold
# by the journal: on a slow machine the pause may be over by now
wait_until 10 unit_said livepatchd "lp_hold: [a-z]+ -> held \(transition-stalled\)"
wait_until 60 loaded_times lp_hold 2
wait_reason lp_hold attempts-exhausted 90
wait_until 30 module_absent lp_hold
assert_eq held "$(patch_state lp_hold)" "state after the last attempt"
sleep 8
assert_eq 2 "$(load_count lp_hold)" "loads"
[ "$(metric livepatchd_transitions_total operation=apply result=reversed)" -ge 2 ] || fail "reversed transitions are not counted"

# an operator asks again; released while it is stalled, it completes
livepatchctl apply --no-wait lp_hold
wait_state lp_hold stalled 30
echo 1 >/sys/module/lp_target_hold/parameters/release
wait_state lp_hold active 30
remove_patch lp_hold
wait_until 30 module_absent lp_hold

# a thread whose own main function is patched can never get out of it
drop_patch "$MODULES/lp_hold_main.ko"
wait_reason lp_hold_main never-completes 60
wait_until 30 module_absent lp_hold_main
sleep 8
assert_eq 1 "$(load_count lp_hold_main)" "loads of the patch that can never complete"
remove_patch lp_hold_main
rmmod lp_target_hold
