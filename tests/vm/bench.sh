# What the daemon costs beside the bare kernel, both measured in turns in one guest.
# boot: bench
# timeout: 420
. /opt/lab/lib.sh
set +x

ROUNDS=10
NAME=lp_good03
clock=/opt/lab/bin/labclock
median() { sort -n | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
ms() { awk '{ printf "%.1f", $1 / 1000 }'; }
unit_stamp() { systemctl show -P "$1" livepatchd; } # microseconds since boot

rm -rf /run/bench
mkdir -p /run/bench
# Nobody listens on the bus while it is measured: in an emulated guest a listener costs more than the daemon.

# A resident daemon is what a host has: it runs throughout, and is only stopped in mid-air while the other side is measured.
systemctl start livepatchd
echo $(($(unit_stamp ActiveEnterTimestampMonotonic) - $(unit_stamp ExecMainStartTimestampMonotonic))) >/run/bench/ready
pid=$(unit_stamp MainPID)
for ((round = 1; round <= ROUNDS; round++)); do
  kill -STOP "$pid"
  sleep 1
  "$clock" insmod "$MODULES/$NAME.ko" "$NAME" >>/run/bench/bare
  unload_by_hand "$NAME"
  kill -CONT "$pid"
  sleep 2
  install -d -m 755 "$PATCHES"
  cp "$MODULES/$NAME.ko" "$PATCHES/.$NAME.new"
  sync
  read -r published kernel < <("$clock" publish "$PATCHES/.$NAME.new" "$PATCHES/$NAME.ko" "$NAME")
  echo "$kernel" >>/run/bench/kernel
  # The daemon notes the moment itself, and nothing else runs until it has had the time to.
  sleep 2
  wait_state "$NAME" active
  echo $(($(patch_prop "$NAME" StateSinceUsec) - published)) >>/run/bench/active
  remove_patch "$NAME"
  wait_until 30 module_absent "$NAME"
done

bare=$(median </run/bench/bare)
kernel=$(median </run/bench/kernel)
active=$(median </run/bench/active)
note "kernel $RELEASE, $ROUNDS rounds in turns, medians"
note "insmod, to transition 0:                         $(ms <<<"$bare") ms"
note "renamed into the directory, to transition 0:     $(ms <<<"$kernel") ms"
note "renamed into the directory, to state active:     $(ms <<<"$active") ms"
note "ratio of state active to insmod:                 $(awk -v a="$active" -v b="$bare" 'BEGIN { printf "%.3f", a / b }')"
note "rounds, insmod / active in ms:                   $(paste /run/bench/bare /run/bench/active | awk '{ printf "%d/%d ", $1 / 1000, $2 / 1000 }')"
note "exec to READY:                                   $(median </run/bench/ready | ms) ms"

# idle: nothing to do, nobody asking
switches() { cat "/proc/$pid"/task/*/status | awk '/^voluntary_ctxt_switches/ { n += $2 } END { print n }'; }
sleep 10
before=$(switches)
sleep 30
after=$(switches)
note "resident when idle:                              $(awk '/^VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/$pid/status") MiB in $(ls "/proc/$pid/task" | wc -l) threads"
note "wake-ups when idle:                              $(awk -v n=$((after - before)) 'BEGIN { printf "%.2f", n / 30 }') a second"

calls=20
time_of() { # CMD...: mean microseconds of so many calls
  local start=$EPOCHREALTIME call
  for ((call = 0; call < calls; call++)); do "$@" >/dev/null; done
  awk -v a="$start" -v b="$EPOCHREALTIME" -v n="$calls" 'BEGIN { print (b - a) * 1000000 / n }'
}
time_of livepatchctl status >/run/bench/cli
time_of /bin/true >/run/bench/true
note "livepatchctl status, mean of $calls:                 $(ms </run/bench/cli) ms (an empty program: $(ms </run/bench/true) ms)"
