# A patch disabled, unloaded or replaced by hand is told within two seconds; it stays out, or comes back where drift says restore.
# set: all
# timeout: 120
. /opt/lab/lib.sh

told_within_2_s() { # MOMENT_MS STATE REASON
  { local -; set +x; } 2>/dev/null
  local now
  until [ "$(patch_state lp_cmdline)" = "$2" ] && [ "$(patch_reason lp_cmdline)" = "$3" ]; do
    now=$(uptime_ms)
    [ $((now - $1)) -le 20000 ] || fail "lp_cmdline is $(patch_state lp_cmdline) ($(patch_reason lp_cmdline)) and not $2 ($3)"
    sleep 0.1
  done
}
# The daemon's own time of the change, against the kernel's: asking for it takes an emulated guest long enough.
told_after() { # MOMENT_MS MESSAGE_TEXT
  { local -; set +x; } 2>/dev/null
  local told
  told=$(journalctl -b -u livepatchd -q --no-pager -o short-monotonic | grep -F -- "$2" | tail -n 1 | sed -E 's/^\[ *([0-9]+)\.([0-9]{3}).*/\1\2/')
  [ -n "$told" ] || fail "the journal does not tell: $2"
  note "$LAB_LINE: told $((told - $1)) ms after the kernel's word: $2"
  [ $((told - $1)) -le 2000 ] || fail "told $((told - $1)) ms later: $2"
}

expect_as_planned "$MODULES/lp_cmdline.ko" loads

# disabled by hand
echo 0 >"$TREE/lp_cmdline/enabled"
wait_until 30 klp_absent lp_cmdline
gone=$(kernel_moment "'lp_cmdline': unpatching complete")
told_within_2_s "$gone" held disabled-by-hand
told_after "$gone" lp_cmdline
assert_eq left-alone "$(planned lp_cmdline outcome)" "outcome in the plan" || true

# and another build loaded in its place
wait_until 15 eval 'module_absent lp_cmdline || module_unused lp_cmdline'
module_absent lp_cmdline || rmmod lp_cmdline
insmod "$MODULES/v2/lp_cmdline.ko"
wait_until 30 klp_active lp_cmdline
loaded=$(kernel_moment "'lp_cmdline': patching complete")
wait_until 20 eval '[ "$(patch_field lp_cmdline identity)" = differs ]'
told_after "$loaded" lp_cmdline
note "$LAB_LINE: another build by hand is $(patch_state lp_cmdline) ($(patch_reason lp_cmdline))"
before=$(fingerprint lp_cmdline)
sleep 2
assert_eq "$before" "$(fingerprint lp_cmdline)" "the patch that somebody else loaded"
unload_by_hand lp_cmdline

# restore: loaded again by itself
configure 'drift: restore'
livepatchctl apply lp_cmdline
wait_state lp_cmdline active
loads=$(load_count lp_cmdline)
echo 0 >"$TREE/lp_cmdline/enabled"
restored() { [ "$(load_count lp_cmdline)" -gt "$loads" ] && is_in_state lp_cmdline active; }
wait_until 40 restored
klp_active lp_cmdline || fail "lp_cmdline is not active in the kernel"
