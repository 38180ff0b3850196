# The Debian packages on a host without them: installed, patched, upgraded and downgraded in mid-transition and in mid-soak, removed, purged, installed again.
# stages: 2
# set: all
# daemon: no
# timeout: 500
. /opt/lab/lib.sh

new=$(compgen -G '/opt/lab/packages/livepatchd_*.deb') || fail "the guest has no packages: the payload is not what 'make payload' makes"
old=$(compgen -G '/opt/lab/packages/older/livepatchd_*.deb') || fail "the guest has no older package"
compat=$(compgen -G '/opt/lab/packages/livepatchd-kpatch-compat_*.deb') || fail "the guest has no package of the shim"
LINK=/etc/systemd/system/multi-user.target.wants/livepatchd.service

package() { DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@" 2>&1; }
version_of() { dpkg-deb -f "$1" Version; } # FILE
installed() { dpkg-query -W -f '${db:Status-Status} ${Version}' livepatchd; }
enabled() { systemctl is-enabled livepatchd.service || true; }

# An upgrade or downgrade restarts the daemon, and the kernel does not notice.
exchange() { # FILE PATCH STATE...: one of these states it is in afterwards
  local file=$1 patch=$2 before pid
  shift 2
  before=$(fingerprint "$patch")
  pid=$(main_pid livepatchd)
  package install --allow-downgrades "$file"
  assert_eq "installed $(version_of "$file")" "$(installed)" "the package"
  wait_until 30 restarted_since "$pid"
  in_one_of() { local state; for state; do ! is_in_state "$patch" "$state" || return 0; done; return 1; }
  wait_until 30 in_one_of "$@"
  assert_eq "$before" "$(fingerprint "$patch")" "$patch in the kernel"
  assert_eq 1 "$(load_count "$patch")" "loads of $patch"
  assert_eq enabled "$(enabled)" "the unit"
  unit_is livepatchd-tasks.socket active || fail "the socket of the helper is not there after the restart"
}

# Nothing of the package is left but what belongs to the administrator.
expect_purged() {
  local left
  for left in /usr/libexec/livepatchd /usr/lib/livepatchd /usr/bin/livepatchctl /var/lib/livepatchd /run/livepatchd /run/livepatchd-tasks.sock "$LINK" \
    /usr/share/dbus-1/system.d/org.livepatchd1.conf /usr/share/polkit-1/actions/org.livepatchd1.policy /usr/lib/systemd/system/livepatchd.service; do
    if [ -e "$left" ] || [ -L "$left" ]; then fail "$left is left"; fi
  done
  assert_eq "" "$(dpkg-query -W -f '${db:Status-Status}' livepatchd 2>/dev/null | grep -v not-installed || true)" "the package"
  assert_eq not-found "$(systemctl show -P LoadState livepatchd.service)" "the unit"
  [ -e /etc/livepatchd/livepatchd.yaml.d/50-lab.yaml ] || fail "the administrator's configuration is gone"
}

case $LAB_STAGE in
  1)
    # the lab's own guest has the packages: they go without a trace
    package purge livepatchd livepatchd-kpatch-compat
    expect_purged

    # nobody has enabled it, and so nobody has started it
    package install "$old"
    assert_eq "installed $(version_of "$old")" "$(installed)" "the package"
    assert_eq disabled "$(enabled)" "the unit"
    unit_is livepatchd inactive || fail "the daemon runs though the preset disables it"
    getent group livepatchd >/dev/null || fail "there is no group livepatchd"
    assert_eq "700 root" "$(stat -c '%a %U' /var/lib/livepatchd/patches)" "the watched directory"
    rc=0
    livepatchctl status >/dev/null 2>&1 || rc=$?
    assert_eq 69 "$rc" "exit code of status without the daemon"
    systemctl enable --quiet --now livepatchd
    assert_contains "$(livepatchctl status)" "livepatchd " "livepatchctl status"

    # in mid-transition; the time for it has no end that a slow guest could reach
    configure 'transition: {report-after: 600s, reverse-after: 7200s}'
    start_busy
    drop_patch "$MODULES/lp_busy.ko"
    wait_state lp_busy transitioning 60
    in_transition lp_busy || fail "the kernel knows no open transition"
    # the kernel shows the transition before the load has returned
    wait_until 60 file_says /sys/module/lp_busy/initstate live
    exchange "$new" lp_busy transitioning stalled
    in_transition lp_busy || fail "the transition is gone"
    release_busy
    wait_state lp_busy active 60
    klp_active lp_busy || fail "active, but the kernel does not say so"
    remove_patch lp_busy
    wait_until 60 module_absent lp_busy

    # in mid-soak, down and up again: the soak ends when it was going to
    configure 'soak: {duration: 6h}'
    drop_patch "$MODULES/lp_good01.ko"
    wait_state lp_good01 soaking 60
    until=$(patch_prop lp_good01 SoakUntilUsec)
    exchange "$old" lp_good01 soaking
    assert_eq "$until" "$(patch_prop lp_good01 SoakUntilUsec)" "the end of the soak after the downgrade"
    exchange "$new" lp_good01 soaking
    assert_eq "$until" "$(patch_prop lp_good01 SoakUntilUsec)" "the end of the soak after the upgrade"

    # a downgrade to a version that does not know the state log: it observes and says so, and loses nothing of it
    before=$(fingerprint lp_good01)
    systemctl stop livepatchd
    sed -i '1s/^livepatchd journal 1$/livepatchd journal 2/' /var/lib/livepatchd/state/journal
    log=$(sha256sum /var/lib/livepatchd/state/journal)
    package install --allow-downgrades "$old"
    # stopped by the administrator, it is enabled: a restart starts it, as with every package
    wait_until 30 unit_is livepatchd active
    newer() { livepatchctl status --json | jq -e '[.conditions[].reason] | index("journal-newer")' >/dev/null; }
    wait_until 30 newer
    assert_contains "$(livepatchctl status)" journal-newer "livepatchctl status"
    rc=0
    livepatchctl check >/dev/null || rc=$?
    [ "$rc" -ne 0 ] || fail "check finds nothing wrong"
    assert_eq "$before" "$(fingerprint lp_good01)" "lp_good01 in the kernel"
    systemctl stop livepatchd
    assert_eq "$log" "$(sha256sum /var/lib/livepatchd/state/journal)" "the state log of the newer version"
    sed -i '1s/^livepatchd journal 2$/livepatchd journal 1/' /var/lib/livepatchd/state/journal
    package install "$new"
    wait_state lp_good01 soaking 30
    assert_eq "$until" "$(patch_prop lp_good01 SoakUntilUsec)" "the end of the soak"
    livepatchctl confirm lp_good01
    wait_state lp_good01 active 30
    sync
    ;;
  2)
    # a host that boots has what it had
    wait_state lp_good01 active 60
    klp_active lp_good01 || fail "active, but the kernel does not say so"
    assert_eq 1 "$(load_count lp_good01)" "loads of lp_good01"
    before=$(fingerprint lp_good01)

    # removed: the kernel keeps the patch, its state stays, and apt's output says both
    said=$(package remove livepatchd)
    assert_contains "$said" "these livepatches stay in the running kernel until it is rebooted: lp_good01" "what removing says"
    unit_is livepatchd inactive || fail "the daemon runs on"
    unit_is livepatchd-tasks.socket inactive || fail "the socket of the helper listens on"
    assert_eq not-found "$(systemctl show -P LoadState livepatchd.service)" "the unit"
    assert_eq "$before" "$(fingerprint lp_good01)" "lp_good01 in the kernel"
    [ -e /var/lib/livepatchd/state/journal ] || fail "removing took the state log"

    # installed again: as it was, enabled and with its patch
    package install "$new"
    assert_eq enabled "$(enabled)" "the unit"
    wait_until 30 unit_is livepatchd active
    wait_state lp_good01 active 30
    assert_eq "$before" "$(fingerprint lp_good01)" "lp_good01 in the kernel"
    assert_eq 1 "$(load_count lp_good01)" "loads of lp_good01"

    # the shim takes the name of kpatch
    package install "$compat"
    assert_contains "$(kpatch list)" lp_good01 "kpatch list"
    package purge livepatchd-kpatch-compat
    [ ! -e /usr/sbin/kpatch ] || fail "the shim is left"

    # purged: the state is gone, the kernel keeps the patch all the same
    package purge livepatchd
    expect_purged
    assert_eq "$before" "$(fingerprint lp_good01)" "lp_good01 in the kernel"

    # the site's preset decides; the patch is now one of which nothing is known, and is left alone
    mkdir -p /etc/systemd/system-preset
    echo 'enable livepatchd.service' >/etc/systemd/system-preset/10-site.preset
    package install "$new"
    assert_eq enabled "$(enabled)" "the unit under the site's preset"
    wait_until 30 unit_is livepatchd active
    wait_state lp_good01 foreign 30
    assert_eq "$before" "$(fingerprint lp_good01)" "lp_good01 in the kernel"
    unload_by_hand lp_good01
    rm /etc/systemd/system-preset/10-site.preset

    # and it works
    drop_patch "$MODULES/lp_good02.ko"
    wait_state lp_good02 active 60
    ;;
esac
