# On a kernel without pressure figures the gates say so, and follow the policy.
# boot: no-psi
# cmdline: psi=0
# set: all
# timeout: 150
. /opt/lab/lib.sh

configure 'gates: {io-pressure: {some-avg10: 20, full-avg10: 5}, settle: 0s, unavailable: hold}'
drop_patch "$MODULES/lp_good01.ko"
wait_state lp_good01 held
assert_eq gate-unavailable "$(patch_reason lp_good01)" "reason"
assert_eq "available false, open false" "$(livepatchctl gates --json \
  | jq -r '.gates[] | select(.name == "io-pressure") | "available \(.available), open \(.open)"')" "the gate in JSON"
sleep 3
assert_eq 0 "$(load_count lp_good01)" "loads"

configure 'gates: {io-pressure: {some-avg10: 20, full-avg10: 5}, settle: 0s, unavailable: apply}'
wait_state lp_good01 active
gate_is io-pressure true || fail "the gate is closed"
