# kpatch's own commands do their work through livepatchd: files, names, all of them with a bad one among them, packages' order, the service.
# set: all
# timeout: 240
. /opt/lab/lib.sh

INSTALLED=/var/lib/kpatch/$RELEASE
tidy() {
  systemctl disable --quiet --now kpatch.service || true
  systemctl reset-failed kpatch.service 2>/dev/null || true
  rm -rf "${INSTALLED:?}"
}
trap tidy EXIT
refused() { # PART COMMAND...: exit code 1, and the words among what is said
  { local -; set +x; } 2>/dev/null
  local said rc=0
  said=$("${@:2}" 2>&1) || rc=$?
  assert_eq 1 "$rc" "exit code of ${*:2} ($said)"
  assert_contains "$said" "$1" "what ${*:2} says"
}
loaded() { kpatch list | sed -n '2,/^$/s/ \[enabled\]$//p'; }
systemctl daemon-reload

# the command line
assert_eq /usr/sbin/kpatch "$(type -p kpatch)" "where kpatch is"
assert_eq 0.9.11 "$(kpatch version)" "version"
refused "usage: kpatch <command>" kpatch
refused "subcommand force not recognized" kpatch force

# one file
assert_contains "$(kpatch load "$MODULES/lp_good01.ko")" "loading patch module: $MODULES/lp_good01.ko" "load"
klp_active lp_good01 || fail "loaded, but the kernel does not say so"
file_says /proc/execdomains "livepatched: lp_good01" || fail "/proc/execdomains does not show lp_good01"
assert_eq "$(ls "$TREE")" "$(loaded)" "kpatch list and the kernel"
assert_contains "$(kpatch load "$MODULES/lp_good01.ko")" "module named lp_good01 already loaded and enabled" "a second load"
kpatch unload lp_good01
module_absent lp_good01 || fail "unload left lp_good01 in the kernel"
refused "patch module lp_good01 is not loaded" kpatch unload lp_good01
assert_contains "$(kpatch info "$MODULES/lp_good01.ko")" "name:           lp_good01" "info"
if type -p modinfo >/dev/null; then
  assert_eq "$(modinfo "$MODULES/lp_good01.ko")" "$(kpatch info "$MODULES/lp_good01.ko" | tail -n +2)" "info and modinfo"
fi

# installing loads nothing
for name in lp_good02 lp_good03 lp_missing_symbol lp_good04; do kpatch install -k "$RELEASE" "$MODULES/$name.ko"; done
klp_absent lp_good02 || fail "install loaded lp_good02"
assert_contains "$(kpatch list)" "lp_good02 ($RELEASE)" "what is installed"
systemctl is-enabled --quiet kpatch.service || fail "install did not enable kpatch.service"
refused "invalid module version" kpatch install "$MODULES/lp_wrongmagic.ko"
refused "already installed" kpatch install "$MODULES/lp_good02.ko"

# two bad files, one of them the first, stop no good one
install -m 644 "$MODULES/lp_truncated.ko" "$INSTALLED/a_first.ko"
refused "failed to load module $INSTALLED/a_first.ko" kpatch load --all
refused "failed to load module $INSTALLED/lp_missing_symbol.ko" kpatch load --all
for name in lp_good02 lp_good03 lp_good04; do
  klp_active "$name" || fail "$name is not active: a bad file stopped it"
  assert_eq 1 "$(load_count "$name")" "loads of $name"
done
kpatch unload --all
for name in lp_good02 lp_good03 lp_good04; do module_absent "$name" || fail "unload --all left $name"; done

# the service
if systemctl start kpatch.service; then fail "kpatch.service started although a patch is refused"; fi
klp_active lp_good02 || fail "the failed service has loaded nothing"
rm "$INSTALLED/a_first.ko"
kpatch uninstall lp_missing_symbol
kpatch unload --all
systemctl reset-failed kpatch.service
systemctl start kpatch.service
systemctl is-active --quiet kpatch.service || fail "kpatch.service is not active"
for name in lp_good02 lp_good03 lp_good04; do klp_active "$name" || fail "kpatch.service did not load $name"; done
systemctl stop kpatch.service
klp_active lp_good02 || fail "stopping the service took a patch out"
kpatch unload --all
for name in lp_good02 lp_good03 lp_good04; do kpatch uninstall "$name.ko"; done

# an upgrade as rpm does it: the new package's commands, then the old one's
kpatch install "$MODULES/lp_stack1.ko"
kpatch load lp_stack1
file_says /proc/cmdline "livepatched: lp_stack1" || fail "/proc/cmdline does not show lp_stack1"
kpatch install "$MODULES/lp_replace_all.ko"
kpatch load lp_replace_all
kpatch uninstall lp_stack1
wait_until 30 module_absent lp_stack1
klp_active lp_replace_all || fail "the new patch is not active after the upgrade"
file_says /proc/cmdline "livepatched: lp_replace_all" || fail "/proc/cmdline does not show lp_replace_all"
assert_eq lp_replace_all "$(loaded)" "kpatch list after the upgrade"
kpatch unload lp_replace_all
module_absent lp_replace_all || fail "unload left lp_replace_all"
kpatch uninstall lp_replace_all
klp_absent lp_stack1 || fail "the old patch came back"

# what kpatch itself had loaded is not touched, and is taken over where the file is the same build
load_by_hand "$MODULES/lp_good05.ko"
wait_state lp_good05 foreign
refused loaded-by-hand kpatch unload lp_good05
kpatch install "$MODULES/lp_good05.ko"
kpatch load --all
wait_state lp_good05 active
assert_eq 1 "$(load_count lp_good05)" "loads of lp_good05"
kpatch unload lp_good05
module_absent lp_good05 || fail "unload left lp_good05"
kpatch uninstall lp_good05

# where the directory is watched the daemon follows it by itself
install -d -m 755 "$INSTALLED"
configure 'directories: [{path: /var/lib/livepatchd/patches}, {path: /var/lib/kpatch, read-only: true}]'
kpatch install "$MODULES/lp_version.ko"
wait_until 30 klp_active lp_version
kpatch load lp_version
[ ! -e "$PATCHES/lp_version.ko" ] || fail "load made a copy of a file that is watched"
kpatch uninstall lp_version
wait_until 30 module_absent lp_version
