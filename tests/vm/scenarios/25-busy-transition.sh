# A busy kernel function keeps the transition open: it is reported with its age, other work goes on, and it completes when released.
. /opt/lab/lib.sh

start_busy
drop_patch "$MODULES/lp_busy.ko"
wait_state lp_busy transitioning
in_transition lp_busy || fail "the kernel knows no open transition"

read -r patch age < <(livepatchctl status --json | jq -r '.transition | "\(.patch) \(.age_seconds)"')
assert_eq lp_busy "$patch" "patch in status"
assert_eq transitioning "$(patch_prop lp_busy State)" "bus State"
assert_contains "$(bus_prop /org/livepatchd1 org.livepatchd1.Manager TransitionPatch)" lp_busy TransitionPatch
[ -n "$(metric livepatchd_transition_started_timestamp_seconds)" ] || fail "no transition is shown"
assert_metric 1 livepatchd_patches state=transitioning

# other work goes on: the loop, the surfaces, other modules, and a patch that has to wait for its turn
drop_patch "$MODULES/lp_good01.ko"
insmod "$MODULES/lp_notlive.ko"
rmmod lp_notlive
wait_until 15 is_known lp_good01
sleep 2
read -r older later < <(livepatchctl status --json | jq -r --argjson age "$age" '.transition.age_seconds | "\(. >= $age + 1.5) \(.)"')
[ "$older" = true ] || fail "the age went from $age to $later in over 2 s"
in_transition lp_busy || fail "the transition ended by itself"
klp_absent lp_good01 || fail "a second patch got into the kernel"
case $(patch_state lp_good01) in
  staged | held) ;;
  *) fail "the second patch is in state $(patch_state lp_good01)" ;;
esac
assert_eq 0 "$(kernel_count "failed to enable patch 'lp_good01'")" "refused loads of the second patch"
rc=0
livepatchctl check || rc=$?
assert_eq 3 "$rc" "exit code of check"

release_busy
wait_state lp_busy active
klp_active lp_busy || fail "active, but the kernel does not say so"
wait_state lp_good01 active
assert_eq 1 "$(load_count lp_busy)" "loads of lp_busy"
assert_eq 1 "$(load_count lp_good01)" "loads of lp_good01"
assert_metric "" livepatchd_transition_started_timestamp_seconds
