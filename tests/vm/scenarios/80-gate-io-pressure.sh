# Under I/O pressure a patch is held with the gate and its figure; when the pressure has gone it is applied after the settle time, never before. So is a revert.
# boot: gates
# timeout: 300
. /opt/lab/lib.sh

configure 'gates: {io-pressure: {some-avg10: 10, full-avg10: 100}, settle: 4s}' \
  'deferral: {budget: 1h, then: hold}'
wait_until 60 gate_is io-pressure true
start_io_pressure
wait_until 90 gate_figure_above 0.15

drop_patch "$MODULES/lp_good01.ko"
wait_state lp_good01 held
wait_reason lp_good01 io-pressure 30
read -r open above gate < <(livepatchctl gates --json | jq -r '.gates[] | select(.name == "io-pressure") | "\(.open) \(.value > 0.1 and .close_at == 0.1) \(.)"')
assert_eq false "$open" "the gate in JSON"
assert_eq true "$above" "the figures of the gate are right in $gate"
assert_eq false "$(bus_prop /org/livepatchd1/gate/io_2dpressure org.livepatchd1.Gate Open)" "the gate on the bus"
assert_eq false "$(bus_prop /org/livepatchd1 org.livepatchd1.Manager GateOpen)" GateOpen
assert_metric 0 livepatchd_gate_open gate=io-pressure
assert_contains "$(livepatchctl gates)" io-pressure "livepatchctl gates"
rc=0
livepatchctl check || rc=$?
assert_eq 3 "$rc" "exit code of check"
rc=0
livepatchctl apply lp_good01 || rc=$?
assert_eq 75 "$rc" "exit code of apply"

# as long as the pressure lasts
sleep 6
assert_eq 0 "$(load_count lp_good01)" "loads under pressure"
assert_eq held "$(patch_state lp_good01)" "state under pressure"

# read before it: a slow systemctl may return long after the pressure has gone
stopped=$(uptime_ms)
stop_io_pressure
wait_state lp_good01 active 90
began=$(kernel_moment "enabling patch 'lp_good01'")
[ $((began - stopped)) -ge 4000 ] || fail "loaded $((began - stopped)) ms after the pressure ended, before it had settled"
note "loaded $((began - stopped)) ms after the pressure ended (settle time 4000 ms)"

# a revert waits at the same gate, and the patch stays as it is; this time it is the disk of all that is busy
start_io_pressure root
wait_until 90 gate_is io-pressure false
remove_patch lp_good01
wait_reason lp_good01 io-pressure 20
sleep 3
klp_active lp_good01 || fail "reverted under pressure"
stop_io_pressure
wait_until 90 module_absent lp_good01
wait_until 15 is_gone lp_good01
