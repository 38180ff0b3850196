# A daemon that is killed from outside again and again goes on as before; one that ends by a fault of its own again and again ends in
# observe mode: it looks and says so, and changes nothing for a while or until a clean restart.
# boot: soak
# set: all
# timeout: 180
. /opt/lab/lib.sh

configure 'gates: {settle: 0s}'
drop_patch "$MODULES/lp_good08.ko"
wait_state lp_good08 active 60
before=$(fingerprint lp_good08)
systemctl reset-failed livepatchd
kill_daemon() { # SIGNAL TIMES
  local old
  for _ in $(seq "$2"); do
    old=$(main_pid livepatchd)
    systemctl kill --signal="$1" --kill-whom=main livepatchd
    wait_until 30 restarted_since "$old"
  done
}
kill_daemon KILL 4
assert_eq "running" "$(livepatchctl status --json | jq -r .state)" "state after four kills from outside"
systemctl reset-failed livepatchd
kill_daemon ABRT 3
systemctl reset-failed livepatchd
kill_daemon ABRT 1
assert_eq "observing crash-loop" "$(livepatchctl status --json | jq -r '"\(.state) \(.reason)"')" "state and reason after four faults"
wait_until 10 event_seen "$EVENT_CRASH_LOOP"
drop_patch "$MODULES/lp_good09.ko"
wait_until 20 is_known lp_good09
sleep 4
klp_absent lp_good09 || fail "an observing daemon loaded a patch"
assert_eq 0 "$(load_count lp_good09)" "loads while it observes"
assert_eq "$before" "$(fingerprint lp_good08)" "the patch that was there"

systemctl restart livepatchd
wait_until 15 manager_is State running
wait_state lp_good09 active 60
assert_eq "$before" "$(fingerprint lp_good08)" "the patch that was there"
