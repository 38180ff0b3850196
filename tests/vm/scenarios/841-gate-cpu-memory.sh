# Under cpu pressure, and under memory pressure, a patch is held at that gate with its figure, and applied when the pressure has gone; the io gate stays open meanwhile.
# boot: gates
# set: all
# timeout: 180
. /opt/lab/lib.sh

configure 'gates: {cpu-pressure: {some-avg10: 40}, memory-pressure: {some-avg10: 100, full-avg10: 100}, settle: 2s}' 'deferral: {budget: 1h, then: hold}'
wait_until 60 gate_is cpu-pressure true
systemd-run --quiet --collect --unit lab-stress stress-ng --quiet --cpu 6 --timeout 600
wait_until 60 gate_is cpu-pressure false
drop_patch "$MODULES/lp_good01.ko"
wait_state lp_good01 held
assert_eq cpu-pressure "$(patch_reason lp_good01)" reason
gate_is io-pressure true || fail "the io gate closed"
sleep 5
assert_eq 0 "$(load_count lp_good01)" "loads under cpu pressure"
systemctl stop lab-stress
wait_state lp_good01 active 60

# no swap: what a group holds above its high mark makes the kernel stall it, and nothing else
configure 'gates: {cpu-pressure: {some-avg10: 100}, memory-pressure: {some-avg10: 10, full-avg10: 100}, settle: 2s}' 'deferral: {budget: 1h, then: hold}'
wait_until 60 gate_is memory-pressure true
systemd-run --quiet --collect --unit lab-stress --property MemoryHigh=24M stress-ng --quiet --vm 1 --vm-bytes 96M --timeout 600
wait_until 60 gate_is memory-pressure false
drop_patch "$MODULES/lp_good02.ko"
wait_state lp_good02 held
assert_eq memory-pressure "$(patch_reason lp_good02)" reason
[ "$(livepatchctl gates --json | jq '.gates[] | select(.name == "memory-pressure") | .value > 0.1')" = true ] || fail "the gate's figure: $(livepatchctl gates --json)"
sleep 5
assert_eq 0 "$(load_count lp_good02)" "loads under memory pressure"
systemctl stop lab-stress
wait_state lp_good02 active 60
