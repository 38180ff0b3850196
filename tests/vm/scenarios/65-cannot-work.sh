# A daemon that cannot do its job says so, goes on serving what it can, and does not restart in a loop.
# set: all
# timeout: 180
. /opt/lab/lib.sh

DROPIN=/run/systemd/system/livepatchd.service.d/lab.conf
leave() { # others share this boot
  systemctl stop livepatchd
  if mountpoint -q /var/lib/livepatchd; then umount /var/lib/livepatchd; fi
  rm -rf "$(dirname "$DROPIN")"
  systemctl daemon-reload
}
trap leave EXIT
with() { # LINE...: restarts the unit with these lines in its [Service] section
  { local -; set +x; } 2>/dev/null
  install -d "$(dirname "$DROPIN")"
  printf '[Service]\n' >"$DROPIN"
  printf '%s\n' "$@" >>"$DROPIN"
  systemctl daemon-reload
  systemctl restart livepatchd
}
status_says() { ask unit livepatchd StatusText && [[ $answer == *"$1"* ]]; }
one_start() { # the process that was started is the one that runs
  { local -; set +x; } 2>/dev/null
  assert_eq active "$(unit_prop livepatchd ActiveState)" unit
  assert_eq 0 "$(unit_prop livepatchd NRestarts)" restarts
}
unsupported() { # REASON STATUS
  wait_until 15 status_says "$2"
  drop_patch "$MODULES/lp_good01.ko"
  wait_state lp_good01 unsupported
  assert_eq "$1" "$(patch_reason lp_good01)" "reason of lp_good01"
  assert_eq unsupported "$(livepatchctl status --json | jq -r .state)" "state of the daemon"
  assert_metric 1 livepatchd_patch_state patch=lp_good01 state=unsupported
  rc=0
  livepatchctl check || rc=$?
  assert_eq 4 "$rc" "exit code of check"
  klp_absent lp_good01 || fail "lp_good01 is in $TREE"
  rm -f "$PATCHES/lp_good01.ko"
  one_start
}

# no privilege
with CapabilityBoundingSet= CapabilityBoundingSet=CAP_SYSLOG
unsupported no-privilege "Unsupported: The daemon lacks CAP_SYS_MODULE"

# a kernel without livepatch, as far as the daemon can see
with TemporaryFileSystem=/sys/kernel:ro
unsupported livepatch-absent "Unsupported: "

# no bus: patches are applied all the same
with Environment=DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/lab/no-bus
wait_until 15 status_says "bus"
drop_patch "$MODULES/lp_good01.ko"
wait_until 30 klp_active lp_good01
assert_metric 1 livepatchd_patch_state patch=lp_good01 state=active
remove_patch lp_good01
wait_until 30 module_absent lp_good01
one_start

# the port is taken by somebody else: the socket still answers
systemctl stop livepatchd
systemd-socket-activate -l 127.0.0.1:9817 /bin/cat &
squatter=$!
wait_until 10 file_says /proc/net/tcp 0100007F:2659
with
kill -0 "$squatter" || fail "nobody holds the port"
socket_answers() { ask metric livepatchd_info && [ -n "$answer" ]; }
wait_until 15 socket_answers
drop_patch "$MODULES/lp_good01.ko"
wait_state lp_good01 active
remove_patch lp_good01
wait_until 30 module_absent lp_good01
one_start
kill "$squatter"

# the disk is full: nothing is loaded of which no copy and no record can be kept, and it is loaded once there is room
systemctl stop livepatchd
mount -t tmpfs -o size=32m,mode=700 tmpfs /var/lib/livepatchd
install -d -m 700 /var/lib/livepatchd/{store,state}
install -d -m 755 "$PATCHES"
install -m 644 "$MODULES/lp_good01.ko" "$PATCHES/lp_good01.ko"
head -c 40M /dev/zero >/var/lib/livepatchd/fill 2>/dev/null || true
systemctl start livepatchd
is_unavailable() { [[ "$(patch_state lp_good01) $(patch_reason lp_good01)" == *unavailable* ]]; }
wait_until 15 is_unavailable
note "full disk: $(patch_state lp_good01) $(patch_reason lp_good01); $(unit_prop livepatchd StatusText)"
sleep 2
klp_absent lp_good01 || fail "lp_good01 was loaded without a record"
assert_contains "$(patch_state lp_good01) $(patch_reason lp_good01)" unavailable "state and reason of lp_good01"
one_start
rm /var/lib/livepatchd/fill
wait_state lp_good01 active 40
rm "$PATCHES/lp_good01.ko"
wait_until 30 module_absent lp_good01
leave
trap - EXIT
systemctl start livepatchd
