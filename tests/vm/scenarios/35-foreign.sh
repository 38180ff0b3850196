# A patch loaded by hand is foreign: seen, and touched neither on start nor on reload nor on stop; the daemon's own patches stay on stop too.
. /opt/lab/lib.sh

load_by_hand "$MODULES/lp_version.ko"
before=$(fingerprint lp_version)
wait_state lp_version foreign
assert_eq foreign "$(patch_prop lp_version State)" "bus State"
assert_metric 1 livepatchd_patches state=foreign

drop_patch "$MODULES/lp_good01.ko"
wait_state lp_good01 active
own=$(fingerprint lp_good01)

systemctl reload livepatchd
wait_state lp_version foreign
assert_eq "$before" "$(fingerprint lp_version)" "the foreign patch after reload"

systemctl stop livepatchd
assert_eq "$before" "$(fingerprint lp_version)" "the foreign patch after stop"
assert_eq "$own" "$(fingerprint lp_good01)" "the daemon's own patch after stop"
klp_active lp_good01 || fail "stopping the daemon took a patch out"

systemctl start livepatchd
wait_state lp_version foreign
wait_state lp_good01 active
assert_eq "$before" "$(fingerprint lp_version)" "the foreign patch after start"
assert_eq "$own" "$(fingerprint lp_good01)" "the daemon's own patch after start"
assert_eq 0 "$(livepatchctl plan --json | jq '.steps | length')" "steps planned"

unload_by_hand lp_version
wait_until 15 is_unknown lp_version

# an object that no module can be: refused by name before the load; loaded by hand it counts for nothing
drop_patch "$MODULES/lp_vblk.ko"
wait_state lp_vblk rejected
assert_eq object-never-matches "$(patch_reason lp_vblk)" "reason of lp_vblk"
klp_absent lp_vblk || fail "lp_vblk was loaded"
rm "$PATCHES/lp_vblk.ko"
wait_until 15 is_unknown lp_vblk
load_by_hand "$MODULES/lp_vblk.ko"
wait_state lp_vblk foreign
assert_eq virtio-blk:never-matches "$(livepatchctl show lp_vblk --json | jq -r '.patch.objects[] | "\(.name):\(.state)"')" "its object"
install -m 644 /dev/stdin "$PATCHES/lp_vblk.yaml" <<<"cves: [CVE-2026-1234]
sha256: $(sha256sum "$MODULES/lp_vblk.ko" | cut -d' ' -f1)"
drop_patch "$MODULES/lp_vblk.ko" # the same build: it is taken over
wait_state lp_vblk active
rc=0
livepatchctl check --cve CVE-2026-1234 >/tmp/vblk || rc=$?
note "$(cat /tmp/vblk)"
[ "$rc" != 0 ] || fail "a CVE counts as fixed by a patch that is attached to nothing"
assert_contains "$(cat /tmp/vblk)" never-matches "what check says of the CVE"
rm "$PATCHES/lp_vblk.ko" "$PATCHES/lp_vblk.yaml" # it is the daemon's now, which takes it out
wait_until 30 is_gone lp_vblk

# a name with a dot, loaded by hand, its transition held open: shown, and whoever waits says for whom
insmod "$MODULES/lp_target_hold.ko"
systemd-run --quiet --unit lab-blocker cat /proc/lp_target_hold
wait_until 10 kernel_logged "lp_target_hold: held"
insmod "$MODULES/lp_hold.v2.ko"
in_transition() { [ "$(livepatchctl status --json | jq -r .transition.patch)" = lp_hold.v2 ]; }
wait_until 15 in_transition
wait_state lp_hold.v2 foreign
drop_patch "$MODULES/lp_good02.ko"
wait_state lp_good02 staged
assert_eq transition-in-progress "$(patch_reason lp_good02)" "reason of lp_good02"
assert_contains "$(livepatchctl show lp_good02)" "lp_hold.v2" "whom lp_good02 waits for"
echo 1 >/sys/module/lp_target_hold/parameters/release
wait_state lp_good02 active
unload_by_hand lp_hold.v2

# a stranger's cumulative patch replaces ours: pending, and the successor has a name, also where the kernel does not say what replaces what
drop_patch "$MODULES/lp_good01.ko"
wait_state lp_good01 active
load_by_hand "$MODULES/lp_replace_good01.ko"
wait_state lp_good01 superseded
assert_eq replaced-by-foreign "$(patch_reason lp_good01)" "reason of lp_good01"
rc=0
livepatchctl check >/tmp/check || rc=$?
assert_eq 3 "$rc" "exit code of check"
assert_contains "$(cat /tmp/check)" lp_replace_good01 "what check says"
rm "$PATCHES/lp_good01.ko" "$PATCHES/lp_good02.ko"
unload_by_hand lp_replace_good01

# a file that is refused makes the reload job fail, and what is in force stays
mkdir -p "$DROPINS"
echo 'modee: apply' >"$DROPINS/99-refused.yaml"
rc=0
systemctl reload livepatchd || rc=$?
[ "$rc" != 0 ] || fail "systemctl reload is 0 for a refused file"
assert_contains "$(unit_prop livepatchd StatusText)" config-refused "status line"
assert_eq active "$(unit_prop livepatchd ActiveState)" unit
rm "$DROPINS/99-refused.yaml"
systemctl reload livepatchd
