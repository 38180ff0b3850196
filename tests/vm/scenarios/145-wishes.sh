# What is a wish: a volume that is unmounted or late, and a file that is removed and put back, take nothing out; a file that stays away does.
. /opt/lab/lib.sh

patches=/var/lib/livepatchd/patches
unreadable() { livepatchctl show "$1" --json | jq -e '.patch.reason == "directory-unreadable"' >/dev/null; }

# a file removed and installed again within the grace: nothing has happened
drop_patch "$MODULES/lp_good01.ko"
wait_state lp_good01 active
file=$(echo "$patches/$RELEASE"/lp_good01.ko*)
rm "$file"
sleep 1
install -m 600 "$MODULES/lp_good01.ko" "$file"
sleep 5
klp_active lp_good01 || fail "removed and put back within the grace, and out of the kernel"
assert_eq 1 "$(load_count lp_good01)" "loads after rm and install"
journalctl -b -q --no-pager -u livepatchd | grep -i 'by hand\|by-hand' && fail "nobody took anything out by hand"

# a volume over the directory: what is beneath it is out of sight, and stays in the kernel
mount -t tmpfs -o mode=700 tmpfs "$patches"
wait_until 10 unreadable lp_good01
klp_active lp_good01 || fail "a volume that came over the directory took the patch out"
mkdir -m 700 "$patches/$RELEASE"
drop_patch "$MODULES/lp_good02.ko"
wait_state lp_good02 active

# the volume goes: what came from it stays, and so does what was there before
umount "$patches"
wait_until 10 unreadable lp_good02
sleep 5
klp_active lp_good02 || fail "umount took the patch out"
klp_active lp_good01 || fail "umount took out a patch whose file is there"
assert_eq "active " "$(livepatchctl show lp_good01 --json | jq -r '.patch | "\(.state) \(.reason // "")"')" "the patch whose file is in sight again"

# also for a daemon that starts while the volume is late
systemctl restart livepatchd
wait_until 10 unreadable lp_good02
sleep 5
klp_active lp_good02 || fail "a daemon that started without the volume took the patch out"
assert_eq 1 "$(load_count lp_good02)" "loads of lp_good02"

# a person says what is meant
livepatchctl revert lp_good02
module_absent lp_good02 || fail "reverted, and still there"

# a file that stays away is a wish
rm "$file"
wait_until 30 module_absent lp_good01
assert_eq 1 "$(load_count lp_good01)" "loads of lp_good01"
