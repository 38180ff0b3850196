# While a patch's own callback sleeps in the kernel's livepatch lock, the daemon decides and answers, and its watchdog stays quiet.
# timeout: 150
. /opt/lab/lib.sh

watchdog=/run/systemd/system/livepatchd.service.d/watchdog.conf
mkdir -p "${watchdog%/*}"
printf '[Service]\nWatchdogSec=8\n' >"$watchdog"
systemctl daemon-reload
systemctl restart livepatchd
pid=$(main_pid livepatchd)

drop_patch "$MODULES/lp_good02.ko"
wait_state lp_good02 active
drop_patch "$MODULES/lp_slow.ko"
wait_until 20 kernel_logged "lp_slow: sleeping"
# each is answered after a look at the kernel
answered=0
until kernel_logged "lp_slow: awake"; do
  timeout 30 livepatchctl reload
  answered=$((answered + 1))
done
[ "$answered" -ge 3 ] || fail "only $answered questions were answered before the callback was over"
wait_state lp_slow active 60
assert_eq "$pid" "$(main_pid livepatchd)" "the daemon's process"
assert_eq 0 "$(unit_prop livepatchd NRestarts)" "restarts"
if [ -e "$TREE/lp_slow/stack_order" ]; then
  wait_patch lp_slow StackOrder 2
  wait_patch lp_good02 StackOrder 1
else
  assert_eq -1 "$(patch_prop lp_slow StackOrder)" "stack order of a kernel that tells none"
fi

rm "$watchdog"
systemctl daemon-reload
systemctl restart livepatchd
