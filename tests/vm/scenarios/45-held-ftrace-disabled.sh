# With ftrace switched off a patch is held before the kernel is asked, and applied when ftrace is back: by itself, or at once on request.
# Where the kernel does not let ftrace be switched off, the attempt changes nothing.
# timeout: 150
. /opt/lab/lib.sh

if ! switch_ftrace_off; then
  note "$LAB_LINE: this kernel does not support switching ftrace off; patches are applied after the attempt"
  expect_others_apply lp_good01 /proc/execdomains
  exit 0
fi
drop_patch "$MODULES/lp_good01.ko"
drop_patch "$MODULES/lp_good02.ko"
expect_refused lp_good01 held ftrace-disabled
expect_refused lp_good02 held ftrace-disabled
assert_eq ftrace-disabled "$(livepatchctl plan --json | jq -r '.holds[] | select(.patch == "lp_good01") | .reason')" "hold in the plan"
rc=0
livepatchctl check || rc=$?
assert_eq 3 "$rc" "exit code of check"
sleep 5
assert_eq 0 "$(kernel_count 'failed to register ftrace handler')" "loads the kernel refused"

echo 1 >/proc/sys/kernel/ftrace_enabled
livepatchctl apply lp_good01
wait_state lp_good01 active 10
wait_state lp_good02 active 60
assert_eq 0 "$(kernel_count 'failed to register ftrace handler')" "loads the kernel refused"
