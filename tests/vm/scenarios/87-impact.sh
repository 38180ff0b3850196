# What a patch did to the machine is measured, kept and shown: on the bus, in JSON, in metrics and on the terminal.
# boot: gates
# set: all
# timeout: 150
. /opt/lab/lib.sh

drop_patch "$MODULES/lp_good01.ko"
wait_state lp_good01 active
wait_until 40 has_impact lp_good01
patch_json lp_good01 | jq -ec .impact
assert_contains "$(livepatchctl show lp_good01)" "io" "livepatchctl show"
[ -n "$(metric livepatchd_impact_io_stall_seconds patch=lp_good01)" ] || fail "no livepatchd_impact_io_stall_seconds"
[ -n "$(metric livepatchd_impact_tcp_retransmits patch=lp_good01)" ] || fail "no livepatchd_impact_tcp_retransmits"
systemctl restart livepatchd
wait_state lp_good01 active
wait_until 40 has_impact lp_good01
remove_patch lp_good01
wait_until 30 module_absent lp_good01
assert_contains "$(livepatchctl history lp_good01)" lp_good01 "livepatchctl history"
