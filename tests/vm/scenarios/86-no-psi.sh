# A kernel that keeps no pressure figures is gated by load and the rest, with the shipped settings too, and the gates say so.
# boot: no-psi
# cmdline: psi=0
# set: all
# timeout: 150
. /opt/lab/lib.sh

configure 'gates: {io-pressure: {some-avg10: 20, full-avg10: 5}, settle: 0s, unavailable: hold}'
drop_patch "$MODULES/lp_good01.ko"
wait_state lp_good01 active
assert_eq "available false, open true" "$(livepatchctl gates --json \
  | jq -r '.gates[] | select(.name == "io-pressure") | "available \(.available), open \(.open)"')" "the gate in JSON"
assert_contains "$(livepatchctl gates --json | jq -r '.gates[] | select(.name == "io-pressure") | .detail')" psi=1 "what the gate says"

# the other gates hold all the same
configure 'gates: {load: {max-per-cpu: 0.01, reopen-below: 0.01}, settle: 0s, unavailable: hold}'
drop_patch "$MODULES/lp_good02.ko"
wait_state lp_good02 held
assert_eq load-too-high "$(patch_reason lp_good02)" "reason"
