# The wall clock jumps ten years back and forth, the daemon is stopped for a while, and the machine sleeps (ACPI S3): deadlines, pauses and states hold.
# boot: clocks
# set: all
# timeout: 400
. /opt/lab/lib.sh

configure 'transition: {report-after: 4s, reverse-after: 40s, attempts: 3, backoff: {first: 8s, max: 8s}}' 'gates: {settle: 0s}'
insmod "$MODULES/lp_target_hold.ko"
systemd-run --quiet --unit lab-blocker cat /proc/lp_target_hold
wait_until 10 kernel_logged "lp_target_hold: held"
now=$(date +%s)
ten_years=315576000

drop_patch "$MODULES/lp_hold.ko"
wait_state lp_hold transitioning
date -s "@$((now + ten_years))" >/dev/null
sleep 1
in_transition lp_hold || fail "ten years forward ended the transition"
wait_state lp_hold stalled 30
date -s "@$((now - ten_years))" >/dev/null
sleep 1
in_transition lp_hold || fail "ten years back ended the transition"
wait_until 90 module_absent lp_hold
assert_eq transition-stalled "$(patch_reason lp_hold)" reason
date -s "@$((now + 60))" >/dev/null
wait_until 60 loaded_times lp_hold 2

# stopped for a while: it goes on where it is
pid=$(main_pid livepatchd)
kill -STOP "$pid"
sleep 6
kill -CONT "$pid"
wait_state lp_hold stalled 30

# asleep for longer than a transition may last: the time asleep is not the transition's
asleep_from=$(date +%s)
echo +45 >/sys/class/rtc/rtc0/wakealarm
echo mem >/sys/power/state
[ $(($(date +%s) - asleep_from)) -ge 40 ] || fail "the machine did not sleep"
wait_until 10 kernel_logged "suspend exit"
sleep 2
in_transition lp_hold || fail "the time asleep ended the transition"
assert_eq stalled "$(patch_state lp_hold)" "state after the sleep"
assert_eq 2 "$(load_count lp_hold)" "loads after the sleep"
echo 1 >/sys/module/lp_target_hold/parameters/release
wait_state lp_hold active 60
assert_eq "$pid" "$(main_pid livepatchd)" "the daemon's pid"
remove_patch lp_hold
wait_until 30 module_absent lp_hold
rmmod lp_target_hold
