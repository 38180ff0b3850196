# An operator's hold and a client's inhibitor keep patches out; the inhibitor goes with the client, however it ends; both are seen.
# boot: gates
# set: all
# timeout: 150
. /opt/lab/lib.sh

trap 'livepatchctl unhold || true' EXIT

configure 'gates: {settle: 0s}'
livepatchctl hold "quarterly figures" --for 1h
drop_patch "$MODULES/lp_good01.ko"
wait_state lp_good01 held
assert_eq operator-hold "$(patch_reason lp_good01)" "reason"
assert_contains "$(livepatchctl gates)" "quarterly figures" "livepatchctl gates"
systemctl restart livepatchd
wait_reason lp_good01 operator-hold 30
livepatchctl unhold
wait_state lp_good01 active

livepatchctl inhibit --who backup --why "snapshot is running" sleep 600 &
client=$!
wait_until 30 gate_is inhibitor false
drop_patch "$MODULES/lp_good02.ko"
wait_state lp_good02 held
assert_eq inhibited "$(patch_reason lp_good02)" "reason"
assert_contains "$(livepatchctl gates)" "snapshot is running" "livepatchctl gates"
sleep 2
assert_eq 0 "$(load_count lp_good02)" "loads while inhibited"
kill -KILL "$client"
wait_state lp_good02 active 30
