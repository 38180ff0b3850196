# A patch whose init oopses takes the thread that loads it: the daemon goes on, nothing is tried again, and a reboot leaves it behind.
# set: all
# stages: 2
# traces: expected
# timeout: 120
. /opt/lab/lib.sh

if [ "$LAB_STAGE" -eq 1 ]; then
  echo 0 >/proc/sys/kernel/panic_on_oops
  configure 'soak: {duration: 1h}'
  wait_until 30 startup_finished
  drop_patch "$MODULES/lp_good01.ko"
  wait_state lp_good01 soaking 60
  livepatchctl confirm lp_good01
  wait_state lp_good01 active
  old=$(main_pid livepatchd)
  drop_patch "$MODULES/lp_oops_init.ko"
  wait_reason lp_oops_init reboot-to-leave 60
  assert_eq quarantined "$(patch_state lp_oops_init)" "state of lp_oops_init"
  assert_metric 1 livepatchd_patch_state patch=lp_oops_init state=quarantined
  assert_contains "$(livepatchctl show lp_oops_init)" "NULL pointer" "the evidence"
  # it is stuck in the kernel, which is why
  assert_eq coming "$(</sys/module/lp_oops_init/initstate)" "state of the module"
  klp_absent lp_oops_init || fail "lp_oops_init is in $TREE"
  # who is innocent stays, and the daemon still does its work
  klp_active lp_good01 || fail "lp_good01 was taken out"
  assert_eq "$old" "$(main_pid livepatchd)" "process of the daemon"
  drop_patch "$MODULES/lp_good02.ko"
  wait_state lp_good02 soaking 60
  livepatchctl confirm lp_good02
  rc=0
  livepatchctl apply lp_oops_init || rc=$?
  assert_eq 6 "$rc" "exit code of apply"
  assert_eq 1 "$(kernel_count "lp_oops_init: loaded")" "loads of lp_oops_init"
  figure bad "| $LAB_LINE | oopses in its init | 1 | quarantined (reboot-to-leave); the others stayed, and another was applied |"
  exit 0
fi

# the next boot: it is not loaded again, everything else is
wait_until 60 eval 'klp_active lp_good01 && klp_active lp_good02'
wait_state lp_oops_init quarantined
assert_eq kernel-oops "$(patch_reason lp_oops_init)" "reason of lp_oops_init"
module_absent lp_oops_init || fail "lp_oops_init is loaded"
assert_eq 0 "$(kernel_count "lp_oops_init: loaded")" "loads of lp_oops_init in this boot"
