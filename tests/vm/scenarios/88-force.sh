# Only an operator who has seen the blockers can force a transition; it marks the boot: the patch is `forced`, nothing else is loaded until a reboot.
# set: all
# stages: 2
# timeout: 150
. /opt/lab/lib.sh

if [ "$LAB_STAGE" -eq 1 ]; then
  insmod "$MODULES/lp_target_hold.ko"
  systemd-run --quiet --unit lab-blocker cat /proc/lp_target_hold
  wait_until 10 kernel_logged "lp_target_hold: held"
  drop_patch "$MODULES/lp_hold.ko"
  wait_state lp_hold transitioning

  # without the token: who is in the way, and what to type
  rc=0
  said=$(livepatchctl force lp_hold 2>&1) || rc=$?
  assert_eq 2 "$rc" "exit code of force without a token"
  assert_contains "$said" lab-blocker.service "force without a token"
  rc=0
  livepatchctl force lp_hold --token 000000000000 || rc=$?
  [ "$rc" -ne 0 ] || fail "a wrong token was taken"
  in_transition lp_hold || fail "the transition ended without the token"

  livepatchctl force lp_hold --token "$(livepatchctl blocking --json | jq -r .token)"
  wait_until 30 eval '! in_transition lp_hold'
  wait_state lp_hold forced
  drop_patch "$MODULES/lp_good01.ko"
  wait_state lp_good01 held
  assert_eq forced-until-reboot "$(patch_reason lp_good01)" "reason of the next patch"
  systemctl restart livepatchd
  wait_state lp_hold forced
  sleep 2
  klp_absent lp_good01 || fail "a patch was loaded after a force"
  rm -f "$PATCHES/lp_hold.ko"
  sync
  power_cut
fi

wait_state lp_good01 active 60
klp_absent lp_hold || fail "lp_hold is back"
