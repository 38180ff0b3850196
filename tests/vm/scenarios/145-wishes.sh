# What is a wish: a volume that is unmounted or late, a file that is removed and put back or packed, and a refused request change nothing; a file that stays away does.
# set: all
# timeout: 240
. /opt/lab/lib.sh

patches=/var/lib/livepatchd/patches
# What does not happen is not waited for by the clock: another patch goes the whole way meanwhile.
witness() { # NAME: it is dropped and loaded, so the daemon has looked and acted since
  drop_patch "$MODULES/$1.ko"
  wait_state "$1" active
}
grace_is_over() { # NAME: its file is removed and the module leaves, so the grace of everything that went missing earlier is over
  remove_patch "$1"
  wait_until 30 module_absent "$1"
}
unreadable() { livepatchctl show "$1" --json | jq -e '.patch.reason == "directory-unreadable"' >/dev/null; }

# a file removed and installed again within the grace: nothing has happened
drop_patch "$MODULES/lp_good01.ko"
wait_state lp_good01 active
witness lp_good03
file=$(echo "$patches/$RELEASE"/lp_good01.ko*)
rm "$file"
witness lp_good04 # the look that loads it finds the file missing
install -m 600 "$MODULES/lp_good01.ko" "$file"
grace_is_over lp_good03
klp_active lp_good01 || fail "removed and put back within the grace, and out of the kernel"
assert_eq 1 "$(load_count lp_good01)" "loads after rm and install"
journalctl -b -q --no-pager -u livepatchd | grep -i 'by hand\|by-hand' && fail "nobody took anything out by hand"

# the same module, packed: the same patch, and the new file is the one that counts
xz -k "$file"
rm "$file"
file=$file.xz
wait_patch lp_good01 File "$file"
grace_is_over lp_good04
klp_active lp_good01 || fail "packed later, and out of the kernel"
assert_eq 1 "$(load_count lp_good01)" "loads after packing"

# a request that is refused leaves no wish
configure 'mode: observe'
livepatchctl revert lp_good01 && fail "revert in observe mode was accepted"
configure 'mode: apply'
witness lp_good05
klp_active lp_good01 || fail "a refused revert was carried out later"
assert_eq active "$(patch_state lp_good01)" "state after the refused revert"

witness lp_good06

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
grace_is_over lp_good05
klp_active lp_good02 || fail "umount took the patch out"
klp_active lp_good01 || fail "umount took out a patch whose file is there"
assert_eq "active " "$(livepatchctl show lp_good01 --json | jq -r '.patch | "\(.state) \(.reason // "")"')" "the patch whose file is in sight again"

# also for a daemon that starts while the volume is late
systemctl restart livepatchd
wait_until 10 unreadable lp_good02
grace_is_over lp_good06
klp_active lp_good02 || fail "a daemon that started without the volume took the patch out"
assert_eq 1 "$(load_count lp_good02)" "loads of lp_good02"

# a person says what is meant
livepatchctl revert lp_good02
module_absent lp_good02 || fail "reverted, and still there"

# a file that stays away is a wish
rm "$file"
wait_until 30 module_absent lp_good01
assert_eq 1 "$(load_count lp_good01)" "loads of lp_good01"
