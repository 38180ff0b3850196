# Kprobes on the function of a patch: one that shares it is no hindrance, one with a post handler is foretold to be one, one in the old code falls silent.
# set: all
# timeout: 120
. /opt/lab/lib.sh

# at the entry, without a post handler: both go on working
insmod "$MODULES/lp_target_probe.ko"
expect_as_planned "$MODULES/lp_cmdline.ko" loads
expect_note traced cmdline_proc_show
before=$(</sys/module/lp_target_probe/parameters/hits)
assert_contains "$(</proc/cmdline)" "livepatched" /proc/cmdline
[ "$(</sys/module/lp_target_probe/parameters/hits)" -gt "$before" ] || fail "the probe does not fire any more"
remove_patch lp_cmdline
wait_until 30 module_absent lp_cmdline
rmmod lp_target_probe

# with a post handler: held before the kernel is asked, and loaded once the probe is gone
loads=$(load_count lp_cmdline)
insmod "$MODULES/lp_target_post.ko"
expect_as_planned "$MODULES/lp_cmdline.ko" held ftrace-conflict
assert_eq EBUSY "$(jq -r .errno <<<"$prediction")" "errno foretold"
assert_contains "$(patch_field lp_cmdline detail)" "cmdline_proc_show" "detail of lp_cmdline"
assert_eq $((loads + 1)) "$(load_count lp_cmdline)" "loads of lp_cmdline, of which one by hand"
rmmod lp_target_post
livepatchctl apply lp_cmdline
wait_state lp_cmdline active
remove_patch lp_cmdline
wait_until 30 module_absent lp_cmdline

# inside of the old code, which is not run any more
events=/sys/kernel/tracing/kprobe_events
mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing
address=$(awk '$3 == "cmdline_proc_show" { print $1 }' /proc/kallsyms)
[ -n "$address" ] || fail "no cmdline_proc_show in kallsyms"
clear_probes() {
  if [ -e /sys/kernel/tracing/events/lab/inside/enable ]; then echo 0 >/sys/kernel/tracing/events/lab/inside/enable; fi
  echo >"$events"
}
trap clear_probes EXIT
offset=
for try in $(seq 9 40); do
  if echo "p:lab/inside cmdline_proc_show+$try" >"$events" 2>/dev/null && echo 1 >/sys/kernel/tracing/events/lab/inside/enable 2>/dev/null; then
    offset=$try
    break
  fi
  echo >"$events" 2>/dev/null || true
done
[ -n "$offset" ] || fail "no place for a probe inside of cmdline_proc_show"
fired() { awk '$1 == "inside" { print $2 }' /sys/kernel/tracing/kprobe_profile; }
cat /proc/cmdline >/dev/null
before=$(fired)
note "$LAB_LINE: the probe at cmdline_proc_show+$offset fired $before times before the patch"
[ "$before" -ge 1 ] || fail "the probe inside of cmdline_proc_show never fired"
expect_as_planned "$MODULES/lp_cmdline.ko" loads
expect_note probe-stops lab/inside
cat /proc/cmdline >/dev/null
assert_eq "$before" "$(fired)" "calls that the probe in the old code has seen"
remove_patch lp_cmdline
wait_until 30 module_absent lp_cmdline
