# I/O pressure in mid-transition: reversed at once, held, and tried again later.
# set: all
# boot: gates
# timeout: 300
. /opt/lab/lib.sh

configure 'transition: {abort-pressure: {io-full-avg10: 40}, backoff: {first: 40s, max: 40s}}' \
  'gates: {io-pressure: {some-avg10: 100, full-avg10: 100}, settle: 0s}'
insmod "$MODULES/lp_target_hold.ko"
systemd-run --quiet --unit lab-blocker cat /proc/lp_target_hold
wait_until 10 kernel_logged "lp_target_hold: held"
drop_patch "$MODULES/lp_hold.ko"
wait_state lp_hold transitioning
sleep 3
in_transition lp_hold || fail "the transition ended by itself"

# The moment at which all tasks have waited for the mark's share of a whole window, by readings of its own: [ms since boot, us stalled] pairs.
times=() stalls=()
reading() {
  local up line
  read -r up _ </proc/uptime
  { read -r _; read -r line; } </proc/pressure/io
  times+=($((10 * ${up/./}))) stalls+=("${line##*total=}")
}
pressed_share() { # percent over the last 1.6 s and a little; 0 when there are no readings for so long
  while [ ${#times[@]} -gt 1 ] && [ $((times[-1] - times[1])) -ge 1600 ]; do times=("${times[@]:1}") stalls=("${stalls[@]:1}"); done
  local long=$((times[-1] - times[0]))
  if [ "$long" -lt 1600 ]; then share=0; else share=$(((stalls[-1] - stalls[0]) / long / 10)); fi
}
start_io_pressure steady
{ set +x; } 2>/dev/null
share=0
for ((began = SECONDS; SECONDS - began < 60; )); do
  reading
  pressed_share
  if [ "$share" -gt 40 ]; then break; fi
  read -r -t 0.1 -u "$never" _ || true
done
pressed=${times[-1]}
set -x
[ "$share" -gt 40 ] || fail "the disk did not make all tasks wait for 40 % of a window"
wait_until 90 module_absent lp_hold
reversed=$(kernel_moment "'lp_hold': starting unpatching transition")
note "reversed $((reversed - pressed)) ms after all tasks had waited for $share % of a window of 1.6 s"
[ $((reversed - pressed)) -le 2000 ] || fail "reversed $((reversed - pressed)) ms after the pressure was there"
# by the journal: on a slow machine its pause may be over by now
wait_until 10 unit_said livepatchd "lp_hold: [a-z]+ -> held \(aborted-under-pressure\)"
stop_io_pressure
echo 1 >/sys/module/lp_target_hold/parameters/release
wait_state lp_hold active 120
remove_patch lp_hold
wait_until 30 module_absent lp_hold
rmmod lp_target_hold
