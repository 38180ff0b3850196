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
gate=$(livepatchctl gates --json | jq -c '.gates[] | select(.name == "io-pressure")')
assert_eq false "$(jq .available <<<"$gate")" "available"
assert_eq false "$(jq .open <<<"$gate")" "open"
sleep 3
assert_eq 0 "$(load_count lp_good01)" "loads"

configure 'gates: {io-pressure: {some-avg10: 20, full-avg10: 5}, settle: 0s, unavailable: apply}'
wait_state lp_good01 active
assert_eq true "$(livepatchctl gates --json | jq '.gates[] | select(.name == "io-pressure") | .open')" "open"
