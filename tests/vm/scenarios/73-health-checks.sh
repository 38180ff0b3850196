# The operator's checks: a required one that fails takes the patch out, a wanted one is only reported, and a service of the configuration counts as required.
# boot: soak
# set: all
# timeout: 180
. /opt/lab/lib.sh

check_unit() { # NAME COMMAND
  printf '[Unit]\nDescription=Check\n[Service]\nType=oneshot\nExecStart=%s\n' "$2" >"/run/systemd/system/$1.service"
  systemctl daemon-reload
}
checks=/etc/livepatchd/health.d
install -d -m 755 "$checks/required.d" "$checks/wanted.d"
check_unit lab-check-fails /bin/false
check_unit lab-check-passes '/bin/touch /run/lab-check-passed'
rm -f /run/lab-check-passed

# a wanted one that fails: reported, and the patch stays
ln -s /run/systemd/system/lab-check-fails.service "$checks/wanted.d/lab-check-fails.service"
: >"$checks/required.d/lab-check-passes.service"
configure 'soak: {duration: 6s}' 'gates: {settle: 0s}'
drop_patch "$MODULES/lp_good05.ko"
wait_state lp_good05 active 40
klp_active lp_good05 || fail "a wanted check took the patch out"
[ -e /run/lab-check-passed ] || fail "the required check was not started"
wait_until 10 event_seen "$EVENT_HEALTH_CHECK"
wait_until 10 unit_said livepatchd 'lab-check-fails\.service'

# the same as a required one
mv "$checks/wanted.d/lab-check-fails.service" "$checks/required.d/"
configure 'soak: {duration: 1h}' 'gates: {settle: 0s}'
drop_patch "$MODULES/lp_good06.ko"
wait_state lp_good06 quarantined 60
assert_eq health-check-failed "$(patch_reason lp_good06)" reason
wait_until 10 module_absent lp_good06
assert_contains "$(livepatchctl show lp_good06)" lab-check-fails.service "the evidence"
klp_active lp_good05 || fail "the confirmed patch was blamed"
rm "$checks/required.d/lab-check-fails.service"

# let in again, it is judged again
livepatchctl release lp_good06
wait_state lp_good06 soaking 40

# a service that the configuration names
configure 'soak: {duration: 1h, checks: {commands: [lab-check-fails.service]}}' 'gates: {settle: 0s}'
drop_patch "$MODULES/lp_good07.ko"
wait_state lp_good07 quarantined 60
assert_eq health-check-failed "$(patch_reason lp_good07)" reason
rm -r "$checks"
