# What applying a patch costs a service that syncs all the time, on a host with bursts of I/O: at once, as the kpatch utility does, and by livepatchd.
# boot: impact
# timeout: 1300
. /opt/lab/lib.sh
set +x

RUNS=10
NAME=lp_good03
BURST=6
QUIET=20
clock=/opt/lab/bin/labclock
work=/run/impact
rm -rf "$work"
mkdir -p "$work"
md() { note "md $*"; }
uptime_us() { awk '{ printf "%d", $1 * 1000000 }' /proc/uptime; }
stall_us() { awk '/^some/ { sub(/.*total=/, ""); print }' /proc/pressure/io; }
say_when() { journalctl -b -k -q --no-pager -o short-monotonic | grep -F -- "$1" | tail -n 1 | sed -E 's/^\[ *([0-9]+)\.([0-9]{6}).*/\1\2/'; }

# the service that is measured, and its noisy neighbour
"$clock" probe /var/tmp/probe "$work/stop" >"$work/syncs" &
neighbour() {
  while [ ! -e "$work/stop" ]; do
    echo >"$work/burst"
    fio --name=lab --directory=/var/tmp --rw=randwrite --bs=4k --size=4m --fdatasync=1 --numjobs=6 \
      --time_based --runtime="$BURST" --output=/dev/null
    rm -f "$work/burst"
    sleep "$QUIET"
  done
}
neighbour &
fio --name=lab --directory=/var/tmp --rw=write --bs=4k --size=4m --numjobs=6 --output=/dev/null
while :; do printf '%s %s\n' "$(uptime_us)" "$(stall_us)"; sleep 0.2; done >"$work/stalls" &
sampler=$!

configure 'gates: {load: {max-per-cpu: 1000, reopen-below: 1000}, io-pressure: {some-avg10: 20, full-avg10: 100}, cpu-pressure: {some-avg10: 100}, settle: 1s}'
in_burst() { # two seconds into a burst
  wait_until 60 test ! -e "$work/burst"
  wait_until 60 test -e "$work/burst"
  sleep 2
}
for ((run = 1; run <= RUNS; run++)); do
  in_burst
  asked=$(uptime_us)
  insmod "$MODULES/$NAME.ko"
  wait_until 60 klp_active "$NAME"
  echo "$asked $(say_when "enabling patch '$NAME'") $(say_when "'$NAME': patching complete")" >>"$work/windows.insmod"
  wait_until 60 test ! -e "$work/burst"
  sleep 1
  unload_by_hand "$NAME"

  in_burst
  asked=$(uptime_us)
  drop_patch "$MODULES/$NAME.ko"
  wait_state "$NAME" active 120
  echo "$asked $(say_when "enabling patch '$NAME'") $(say_when "'$NAME': patching complete")" >>"$work/windows.livepatchd"
  remove_patch "$NAME"
  wait_until 120 module_absent "$NAME"
done
touch "$work/stop"
kill "$sampler"

# syncs that were under way, and io stall, from the load to a second after the transition
measure() { # METHOD: p50 p99 max [ms], stall [share], wait [s], number of syncs
  awk -v windows="$work/windows.$1" '
    BEGIN { while ((getline line < windows) > 0) { split(line, w); n++; from[n] = w[2]; to[n] = w[3] + 1000000; wait += (w[2] - w[1]) / 1e6 } }
    FNR == 1 { file++ }
    file == 1 { for (i = 1; i <= n; i++) if ($1 + $2 >= from[i] && $1 <= to[i]) { print $2 > "/dev/stderr"; break } next }
    { for (i = 1; i <= n; i++) { if ($1 <= from[i]) first[i] = $0; if (!(i in last) && $1 >= to[i]) last[i] = $0 } }
    END { for (i = 1; i <= n; i++) { split(first[i], a); split(last[i], b); if (b[1] > a[1]) { stall += b[2] - a[2]; time += b[1] - a[1] } }
          printf "%.3f %.2f\n", stall / time, wait / n }' "$work/syncs" "$work/stalls" 2>"$work/took" >"$work/shares"
  sort -n "$work/took" | awk '{ v[NR] = $1 / 1000 } END { if (NR == 0) exit 1; p = int(NR * 0.99); if (p < 1) p = 1; printf "%.1f %.1f %.1f %d\n", v[int((NR + 1) / 2)], v[p], v[NR], NR }' >"$work/percentiles"
  paste -d ' ' "$work/percentiles" "$work/shares"
}
read -r a50 a99 amax an astall await_ < <(measure insmod)
read -r b50 b99 bmax bn bstall bwait < <(measure livepatchd)
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { if (a > 0) printf "%.2f", b / a; else print "-" }'; }
md "| in the window of the patch, $RUNS runs each | insmod at once | livepatchd | ratio |"
md "|---|---|---|---|"
md "| sync latency p50, ms | $a50 | $b50 | $(ratio "$a50" "$b50") |"
md "| sync latency p99, ms | $a99 | $b99 | $(ratio "$a99" "$b99") |"
md "| sync latency max, ms | $amax | $bmax | $(ratio "$amax" "$bmax") |"
md "| io stall (some), share of the window | $astall | $bstall | $(ratio "$astall" "$bstall") |"
md "| syncs seen | $an | $bn | |"
md "| wait from the request to the load, mean, s | $await_ | $bwait | |"
md ""
md "Kernel $RELEASE. Bursts of ${BURST} s with ${QUIET} s between them; every request was made two seconds into a burst."
