# Apply and revert many times: the daemon's descriptors and memory do not grow, its journal stays small, and the kernel logs no trace.
# boot: cycles
# kernels: main
# set: long
# rounds: 20
# timeout: 240
. /opt/lab/lib.sh
set +x

WARM_UP=20
NAME=lp_good03
pid=$(main_pid livepatchd)
descriptors() { ls "/proc/$pid/fd" | wc -l; }
resident_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"; }
state_bytes() { find /var/lib/livepatchd/state -type f -printf '%s\n' | awk '{ n += $1 } END { print n + 0 }'; }
cycle() {
  livepatchctl apply "$NAME" >/dev/null
  klp_active "$NAME" || fail "not active after apply"
  livepatchctl revert "$NAME" >/dev/null
  module_absent "$NAME" || fail "still there after revert"
}
# The impact of the last operation is measured for some seconds after it, and what the work has used is given back five seconds after the
# last look. On a busy host that takes longer: at rest is a daemon whose figures have not fallen for ten seconds.
quiet() {
  local fds kib least_fds=1000000 least_kib=1000000000 since
  sleep 15
  since=$SECONDS
  while [ $((SECONDS - since)) -lt 10 ]; do
    fds=$(descriptors) kib=$(resident_kib)
    if [ "$fds" -lt "$least_fds" ] || [ "$kib" -lt "$least_kib" ]; then since=$SECONDS; fi
    least_fds=$((fds < least_fds ? fds : least_fds)) least_kib=$((kib < least_kib ? kib : least_kib))
    sleep 2
  done
}

livepatchctl stage "$MODULES/$NAME.ko"
for ((i = 0; i < WARM_UP; i++)); do cycle; done
quiet
before_fds=$(descriptors) before_kib=$(resident_kib) before_state=$(state_bytes)
largest=0
started=$(uptime_ms)
for ((i = 1; i <= LAB_ROUNDS; i++)); do
  cycle
  size=$(state_bytes)
  [ "$size" -le "$largest" ] || largest=$size
done
ended=$(uptime_ms)
quiet
after_fds=$(descriptors) after_kib=$(resident_kib)
assert_eq "$pid" "$(main_pid livepatchd)" "the daemon's pid"

figure cycles "| kernel $RELEASE | before | after |"
figure cycles '|---|---|---|'
figure cycles "| file descriptors | $before_fds | $after_fds |"
figure cycles "| resident memory, KiB | $before_kib | $after_kib |"
figure cycles "| state directory, bytes (largest seen: $largest) | $before_state | $(state_bytes) |"
figure cycles ""
figure cycles "$LAB_ROUNDS cycles of apply and revert after $WARM_UP to warm up, $(((ended - started) / LAB_ROUNDS)) ms each, in an emulated guest; call traces in the kernel's log: $(kernel_count 'Call Trace:')."
[ "$after_fds" -le "$before_fds" ] || fail "descriptors grew from $before_fds to $after_fds: $(ls -l "/proc/$pid/fd")"
[ $((after_kib - before_kib)) -le 3072 ] || fail "resident memory grew from $before_kib to $after_kib KiB"
[ "$largest" -le 1048576 ] || fail "the state directory grew to $largest bytes"
assert_eq 0 "$(kernel_count 'Call Trace:')" "call traces"
assert_eq "$((LAB_ROUNDS + WARM_UP))" "$(load_count "$NAME")" "loads"
