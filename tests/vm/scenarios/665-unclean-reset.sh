# A host that loses its power with a patch on probation: the patch is suspected, held, and tried again after a pause; the second time it stays out until it is released. What is trusted is loaded as always.
# stages: 3
# set: all
# timeout: 150
. /opt/lab/lib.sh

evidence() { livepatchctl show lp_good04 --json | jq -r '.patch | "\(.grade): \(.detail)"'; }
retry_at() { livepatchctl show lp_good04 --json | jq -r '.patch.retry_at // ""'; }

unit_is multi-user.target active || fail "multi-user.target is not reached"
case $LAB_STAGE in
  1)
    configure 'soak: {duration: 1h}' 'transition: {backoff: {first: 20s}}'
    livepatchctl apply "$MODULES/lp_good10.ko"
    livepatchctl confirm lp_good10
    livepatchctl apply "$MODULES/lp_good04.ko"
    assert_eq "soaking active" "$(patch_state lp_good04) $(patch_state lp_good10)" "states before the power fails"
    sync
    power_cut
    ;;
  2)
    wait_state lp_good04 held 60
    assert_eq suspected "$(patch_reason lp_good04)" "reason of lp_good04"
    assert_eq held "$(patch_prop lp_good04 State)" "bus state of lp_good04"
    assert_contains "$(evidence)" "suspect: host-crashed: loaded at" "the evidence against lp_good04"
    wait_until 10 event_seen "$EVENT_CRASH_GUARD" lp_good04
    wait_state lp_good10 active 60
    klp_absent lp_good04 || fail "lp_good04 is in $TREE"
    # it comes back by itself, and the power fails again
    wait_state lp_good04 soaking 90
    sync
    power_cut
    ;;
  3)
    wait_state lp_good04 quarantined 60
    assert_eq host-crashed "$(patch_reason lp_good04)" "reason of lp_good04"
    assert_contains "$(evidence)" "not for the first time" "the evidence against lp_good04"
    assert_eq "" "$(retry_at)" "when lp_good04 is tried again"
    wait_state lp_good10 active 60
    klp_absent lp_good04 || fail "lp_good04 is in $TREE"
    livepatchctl release --all
    wait_state lp_good04 soaking 60
    livepatchctl confirm lp_good04
    ;;
esac
