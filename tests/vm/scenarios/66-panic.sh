# A patch that panics the kernel is loaded once, over any number of boots, where the kernel's record of the panic outlives it: it names the patch, which is quarantined, seen everywhere, and frees whatever else was on probation.
# stages: 6
# firmware: erst
# set: all
# timeout: 150
. /opt/lab/lib.sh

quarantined_for_crash() { # NAME: on every surface, and loaded once over all boots
  wait_state "$1" quarantined 60
  assert_eq host-crashed "$(patch_reason "$1")" "reason of $1"
  assert_eq quarantined "$(patch_prop "$1" State)" "bus state of $1"
  assert_metric 1 livepatchd_patch_state "patch=$1" state=quarantined
  assert_contains "$(livepatchctl status)" quarantined "livepatchctl status"
  klp_absent "$1" || fail "$1 is in $TREE"
  module_absent "$1" || fail "$1 is in /sys/module"
  assert_eq 1 "$(console_count "$1: loaded")" "loads of $1 over all boots"
  [ -e "$PATCHES/$1.ko" ] || fail "the file of $1 is gone, so that nothing is proved"
}

unit_is multi-user.target active || fail "multi-user.target is not reached"
case $LAB_STAGE in
  1)
    figure bad '| kernel | patch | loads | what came of it |'
    figure bad '|---|---|---|---|'
    configure 'soak: {duration: 1h}'
    livepatchctl apply "$MODULES/lp_good10.ko"
    livepatchctl confirm lp_good10
    wait_state lp_good10 active
    livepatchctl apply "$MODULES/lp_good09.ko" # on probation when the host goes down
    assert_eq soaking "$(patch_state lp_good09)" "state of lp_good09"
    dies livepatchctl apply "$MODULES/lp_panic_init.ko"
    ;;
  2)
    quarantined_for_crash lp_panic_init
    evidence=$(livepatchctl show lp_panic_init --json | jq -r '.patch | "\(.grade): \(.detail)"')
    note "$evidence"
    assert_contains "$evidence" "names the patch; Kernel panic - not syncing" "the evidence against lp_panic_init"
    assert_contains "$evidence" "attributed: " "the grade of the evidence"
    # which is not held against its neighbour
    wait_state lp_good09 soaking 60
    assert_eq 1 "$(load_count lp_good09)" "loads of lp_good09 in this boot"
    livepatchctl confirm lp_good09
    # said in the boot that found it
    wait_until 10 event_seen "$EVENT_CRASH_GUARD" lp_panic_init
    wait_until 15 metric_is 1 livepatchd_patches state=quarantined
    wait_state lp_good10 active 60
    livepatchctl apply "$MODULES/lp_good02.ko"
    livepatchctl confirm lp_good02
    wait_state lp_good02 active
    rc=0
    livepatchctl check || rc=$?
    assert_eq 6 "$rc" "exit code of check"
    dies livepatchctl apply "$MODULES/lp_panic_later.ko"
    ;;
  *)
    quarantined_for_crash lp_panic_init
    quarantined_for_crash lp_panic_later
    wait_until 15 metric_is 2 livepatchd_patches state=quarantined
    wait_state lp_good10 active 60
    wait_state lp_good02 active 60
    livepatchctl apply "$MODULES/lp_good0$LAB_STAGE.ko"
    klp_active "lp_good0$LAB_STAGE" || fail "a good patch is not applied in boot $LAB_STAGE"
    livepatchctl confirm "lp_good0$LAB_STAGE"
    assert_eq 2 "$(console_count "Kernel panic")" "panics over all boots"
    ;;
esac
if [ "$LAB_STAGE" = "$LAB_STAGES" ]; then
  figure bad "| $LAB_LINE | panics in its init | $(console_count 'lp_panic_init: loaded') in $LAB_STAGES boots | quarantined (host-crashed); every later boot came to multi-user and applied the good patches |"
  figure bad "| $LAB_LINE | panics 5 s after the load | $(console_count 'lp_panic_later: loaded') in $((LAB_STAGES - 1)) boots | quarantined (host-crashed); every later boot came to multi-user and applied the good patches |"
  # taking the files away is all there is to clean up
  remove_patch lp_panic_init
  remove_patch lp_panic_later
fi
