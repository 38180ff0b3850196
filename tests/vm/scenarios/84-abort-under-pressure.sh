# I/O pressure in mid-transition: reversed at once, held, and tried again later.
# set: all
# boot: gates
# timeout: 300
. /opt/lab/lib.sh

configure 'transition: {abort-pressure: {io-full-avg10: 40}, backoff: {first: 40s, max: 40s}}' \
  'gates: {io-pressure: {some-avg10: 100, full-avg10: 100}, settle: 0s}'
insmod "$MODULES/lp_target_hold.ko"
systemd-run --quiet --unit lab-blocker cat /proc/lp_target_hold
wait_until 10 eval '[ "$(kernel_count "lp_target_hold: held")" = 1 ]'
drop_patch "$MODULES/lp_hold.ko"
wait_state lp_hold transitioning
sleep 3
in_transition lp_hold || fail "the transition ended by itself"

stalled_us() { local line; { read -r _; read -r line; } </proc/pressure/io; echo "${line##*total=}"; } # all tasks at once, since the boot
before=$(stalled_us)
start_io_pressure steady
until [ $(($(stalled_us) - before)) -gt 200000 ]; do sleep 0.05; done
pressed=$(uptime_ms)
wait_until 90 module_absent lp_hold
reversed=$(kernel_moment "'lp_hold': starting unpatching transition")
note "reversed $((reversed - pressed)) ms after all tasks had waited for 200 ms"
[ $((reversed - pressed)) -le 2000 ] || fail "reversed $((reversed - pressed)) ms after the pressure was there"
# by the journal: on a slow machine its pause may be over by now
wait_until 10 eval 'journalctl -b -q --no-pager -o cat -u livepatchd | grep -qE "lp_hold: [a-z]+ -> held \(aborted-under-pressure\)"'
stop_io_pressure
echo 1 >/sys/module/lp_target_hold/parameters/release
wait_state lp_hold active 120
remove_patch lp_hold
wait_until 30 module_absent lp_hold
rmmod lp_target_hold
