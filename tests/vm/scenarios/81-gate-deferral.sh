# Gates may hold a patch as long as the budget says; then it is applied or kept, by policy. Critical patches and an operator's word go before.
# boot: gates
# set: all
# timeout: 300
. /opt/lab/lib.sh

gates='gates: {io-pressure: {some-avg10: 10, full-avg10: 100}, settle: 2s}'
configure "$gates" 'deferral: {budget: 10s, then: apply, critical-budget: 2s}'
start_io_pressure
wait_until 90 gate_is io-pressure false

# then: apply
dropped=$(uptime_ms)
drop_patch "$MODULES/lp_good01.ko"
wait_state lp_good01 held
wait_state lp_good01 active 90
began=$(kernel_moment "enabling patch 'lp_good01'")
[ $((began - dropped)) -ge 10000 ] || fail "applied $((began - dropped)) ms after it was dropped, before its budget of 10 s"
gate_is io-pressure false || fail "the gate is open"
wait_until 10 unit_said livepatchd deferral-exhausted
[ "$(metric livepatchd_deferral_exhausted_total)" -ge 1 ] || fail "the metric does not tell of it"

# severity critical has a budget of its own
drop_manifest lp_good02 'schema: 1' 'severity: critical'
drop_patch "$MODULES/lp_good02.ko"
wait_state lp_good02 active 90

# then: hold
configure "$gates" 'deferral: {budget: 5s, then: hold, critical-budget: 2s}'
wait_until 90 gate_is io-pressure false
told=$(metric livepatchd_deferral_exhausted_total)
drop_manifest lp_good03 'schema: 1' 'severity: critical'
drop_patch "$MODULES/lp_good03.ko"
wait_state lp_good03 held
wait_reason lp_good03 deferral-exhausted 30
sleep 4
[ "$(metric livepatchd_deferral_exhausted_total)" -gt "$told" ] || fail "the metric does not tell of the patch that is kept"
assert_eq held "$(patch_state lp_good03)" "state after the budget"
assert_eq 0 "$(load_count lp_good03)" "loads after the budget"

# with an operator's override the critical patch goes at once
livepatchctl apply --override-gates lp_good03
gate_is io-pressure false || fail "the gate is open"
wait_state lp_good03 active 30
livepatchctl revert --override-gates lp_good03
module_absent lp_good03 || fail "an emergency revert waited"
stop_io_pressure
rm -f "$PATCHES"/lp_good0[23].yaml
