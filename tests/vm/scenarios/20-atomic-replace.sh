# A cumulative patch takes the place of three: one stays active, the others are collected, and no reader sees an unpatched instant.
. /opt/lab/lib.sh

before=$(</proc/cmdline)
for name in lp_stack1 lp_stack2 lp_stack3; do
  drop_patch "$MODULES/$name.ko"
  wait_state "$name" active
done

rm -f /run/lab/stop
/opt/lab/bin/labclock watch /proc/cmdline livepatched /run/lab/stop >/run/lab/watched &
reader=$!
drop_patch "$MODULES/lp_replace_all.ko"
wait_state lp_replace_all active
for name in lp_stack1 lp_stack2 lp_stack3; do
  wait_until 30 module_absent "$name"
  klp_absent "$name" || fail "$name is still in $TREE"
done
sleep 2 # a loop that loads the replaced ones again would show itself now
touch /run/lab/stop
wait "$reader"
read -r reads lacking </run/lab/watched
note "$LAB_LINE reads of /proc/cmdline during the replacement: $reads"
[ "$reads" -ge 100 ] || fail "the reader came to read only $reads times"
assert_eq 0 "$lacking" "reads without a patch in force"

assert_eq "livepatched: lp_replace_all" "$(</proc/cmdline)" /proc/cmdline
assert_eq lp_replace_all "$(ls "$TREE")" "patches in the kernel"
assert_metric 1 livepatchd_patches state=active
for name in lp_stack1 lp_stack2 lp_stack3; do
  assert_eq superseded "$(patch_state "$name")" "state of $name"
  assert_eq superseded "$(patch_prop "$name" State)" "bus state of $name"
  assert_eq 1 "$(load_count "$name")" "loads of $name"
done
assert_eq 0 "$(livepatchctl plan --json | jq '.steps | length')" "steps still planned"

for name in lp_stack1 lp_stack2 lp_stack3; do remove_patch "$name"; done
sleep 1
assert_eq "livepatched: lp_replace_all" "$(</proc/cmdline)" "/proc/cmdline without the replaced files"
remove_patch lp_replace_all
wait_until 30 module_absent lp_replace_all
assert_eq "$before" "$(</proc/cmdline)" /proc/cmdline
