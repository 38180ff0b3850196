# After a reboot the wanted patches come back by themselves.
# stages: 2
. /opt/lab/lib.sh

if [ "$LAB_STAGE" -eq 1 ]; then
  drop_patch "$MODULES/lp_cmdline.ko"
  drop_patch "$MODULES/lp_good01.ko"
  wait_state lp_cmdline active
  wait_state lp_good01 active
  # and one that somebody took out by hand must stay out
  drop_patch "$MODULES/lp_good02.ko"
  wait_state lp_good02 active
  livepatchctl revert lp_good02
  wait_until 30 module_absent lp_good02
  wait_state lp_good02 reverted
  sync
else
  wait_state lp_cmdline active 60
  wait_state lp_good01 active
  assert_contains "$(</proc/cmdline)" "this kernel is livepatched" /proc/cmdline
  assert_eq 1 "$(load_count lp_cmdline)" "loads of lp_cmdline"
  assert_eq 1 "$(load_count lp_good01)" "loads of lp_good01"
  assert_eq reverted "$(patch_state lp_good02)" "the reverted patch"
  assert_eq 0 "$(load_count lp_good02)" "loads of lp_good02"
fi
