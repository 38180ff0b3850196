# The daemon is killed in mid-transition and started again: it adopts what it finds and finishes, without a second load.
. /opt/lab/lib.sh

start_busy
drop_patch "$MODULES/lp_busy.ko"
wait_state lp_busy transitioning
in_transition lp_busy || fail "the kernel knows no open transition"
# the kernel shows the transition before the load has returned
wait_until 30 file_says /sys/module/lp_busy/initstate live
before=$(fingerprint lp_busy)
old=$(main_pid livepatchd)

systemctl kill --signal=KILL --kill-whom=main livepatchd
wait_until 30 restarted_since "$old"
# by now the transition may be old enough to be called stalled
still_open() { is_in_state lp_busy transitioning || is_in_state lp_busy stalled; }
wait_until 30 still_open
in_transition lp_busy || fail "the transition is gone"
assert_eq "$before" "$(fingerprint lp_busy)" "the patch after the restart"
assert_not_contains "$(journalctl -b -q -o cat "_PID=$(main_pid livepatchd)")" revers "journal since the restart"
[ "$(patch_field lp_busy origin)" != foreign ] || fail "the daemon took its own patch for a foreign one"

release_busy
wait_state lp_busy active
klp_active lp_busy || fail "active, but the kernel does not say so"
assert_eq 1 "$(load_count lp_busy)" "loads of lp_busy"
remove_patch lp_busy
wait_until 30 module_absent lp_busy
