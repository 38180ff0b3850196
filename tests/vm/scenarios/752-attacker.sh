# An account without rights does all it can during a soak, on dbus-daemon and on dbus-broker: the patch stays, the daemon is not restarted and does not grow, root is answered.
# stages: 2
# traces: expected
# set: all
# timeout: 400
. /opt/lab/lib.sh

attack() { setpriv --reuid=nobody --regid=nogroup --clear-groups /opt/lab/bin/labattack "$@"; }
resident_mib() { # The highest it was
  awk '/^VmHWM:/ { print int($2 / 1024) }' "/proc/$(main_pid livepatchd)/status"
}
unharmed() { # WHAT
  assert_eq "$pid" "$(main_pid livepatchd)" "the daemon's process after $1"
  assert_eq soaking "$(patch_state lp_good08)" "state after $1"
  assert_eq "$before" "$(fingerprint lp_good08)" "the patch after $1"
  [ "$(resident_mib)" -le 100 ] || fail "the daemon had $(resident_mib) MiB after $1"
}

case $LAB_STAGE in
  1) assert_eq dbus-daemon "$(basename "$(readlink "/proc/$(main_pid dbus)/exe")")" "the bus" ;;
  2) assert_eq dbus-broker-launch "$(basename "$(readlink "/proc/$(main_pid dbus)/exe")")" "the bus" ;;
esac
wait_until 60 manager_is State running
configure 'gates: {settle: 0s}' 'soak: {duration: 1h}'
drop_patch "$MODULES/lp_good08.ko"
wait_state lp_good08 soaking 60
before=$(fingerprint lp_good08)
pid=$(main_pid livepatchd)
generation=$(livepatchctl status --json | jq -r .config_generation)
counters=$(cat /sys/kernel/oops_count /sys/kernel/warn_count 2>/dev/null | xargs)

for what in "names 2" "forged 2 2" "descriptors 2 2" "flood 2 4" "deaf 3 4" "idle 6 64" "oversized 6 24 12288"; do
  read -r name seconds number size <<<"$what"
  attack "$name" "$seconds" "${number:-1}" ${size:+"$size"} &
  attacker=$!
  # root's calls are answered meanwhile
  asked=0
  while kill -0 "$attacker" 2>/dev/null; do
    livepatchctl list >/dev/null || fail "root's list was refused beside $name"
    asked=$((asked + 1))
  done
  wait "$attacker" || fail "nobody did $name"
  curl -fsS --max-time 60 http://127.0.0.1:9817/metrics >/dev/null || fail "no metrics after $name"
  unharmed "$name"
  note "$name: $asked lists, at most $(resident_mib) MiB so far"
done
# No change that nobody may ask for.
assert_eq "$generation" "$(livepatchctl status --json | jq -r .config_generation)" "configuration"
assert_eq "$counters" "$(cat /sys/kernel/oops_count /sys/kernel/warn_count 2>/dev/null | xargs)" "the kernel's counters"

if [ "$LAB_STAGE" = 1 ]; then
  systemctl enable --quiet dbus-broker.service
  exit 0
fi
# A stopped daemon stays stopped, whoever asks; an administrator's drop-ins of this boot stay too.
mkdir -p /run/livepatchd/livepatchd.yaml.d
echo 'mode: apply' >/run/livepatchd/livepatchd.yaml.d/50-lab.yaml
systemctl stop livepatchd
! setpriv --reuid=nobody --regid=nogroup --clear-groups busctl get-property org.livepatchd1 /org/livepatchd1 org.livepatchd1.Manager Version 2>/dev/null || fail "a stopped daemon answers"
assert_eq inactive "$(systemctl is-active livepatchd || true)" "the stopped daemon"
[ -e /run/livepatchd/livepatchd.yaml.d/50-lab.yaml ] || fail "the drop-in in /run went with the daemon"
rm /run/livepatchd/livepatchd.yaml.d/50-lab.yaml
systemctl start livepatchd
