# A patch disabled, unloaded or replaced by hand is told within two seconds; it stays out, or comes back where drift says restore.
# set: all
# timeout: 120
. /opt/lab/lib.sh

becomes() { is_in_state lp_cmdline "$1" && is_for_reason lp_cmdline "$2"; } # STATE REASON
# The daemon's first word of the patch after the kernel's, by the journal's clock: asking for it takes an emulated guest too long.
expect_told() { # MOMENT_MS [SINCE_MS]: the daemon may notice what is done by hand before the kernel has logged it
  { local -; set +x; } 2>/dev/null
  local told
  wait_until 10 ask unit-said livepatchd lp_cmdline "${2:-$1}"
  told=$answer
  note "$LAB_LINE: told $((told - $1)) ms after the kernel"
  [ $((told - $1)) -le 2000 ] || fail "told $((told - $1)) ms after the kernel"
}

expect_as_planned "$MODULES/lp_cmdline.ko" loads

# disabled by hand
echo 0 >"$TREE/lp_cmdline/enabled"
wait_until 30 klp_absent lp_cmdline
wait_until 20 becomes held disabled-by-hand
expect_told "$(kernel_moment "'lp_cmdline': unpatching complete")"
assert_eq "held disabled-by-hand" "$(planned lp_cmdline)" "outcome in the plan"
sleep 3
klp_absent lp_cmdline || fail "it came back although drift says report"

# taken out, and another build loaded in its place
wait_until 15 eval 'module_absent lp_cmdline || module_unused lp_cmdline'
module_absent lp_cmdline || rmmod lp_cmdline
since=$(uptime_ms)
insmod "$MODULES/v2/lp_cmdline.ko"
wait_until 30 klp_active lp_cmdline
wait_until 20 becomes held name-in-use
expect_told "$(kernel_moment "enabling patch 'lp_cmdline'")" "$since"
assert_eq differs "$(patch_field lp_cmdline identity)" "identity of what is loaded"
assert_eq "held name-in-use" "$(planned lp_cmdline)" "outcome in the plan"
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
restored() { ask kernel-count "livepatch: enabling patch 'lp_cmdline'" && [ "$answer" -gt "$loads" ] && is_in_state lp_cmdline active; }
wait_until 40 restored
klp_active lp_cmdline || fail "lp_cmdline is not active in the kernel"
