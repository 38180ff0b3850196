# A patch of a module that is not there is foretold to load and to wait for it; a module that the patch cannot be applied to is told as kept out.
# set: all
# timeout: 120
. /opt/lab/lib.sh

object_patched() { # PATCH OBJECT 0|1
  local patched
  read -r patched <"$TREE/$1/$2/patched" && [ "$patched" = "$3" ]
} 2>/dev/null

expect_as_planned "$MODULES/lp_busy.ko" loads
expect_note target-not-loaded lp_target_busy
object_patched lp_busy lp_target_busy 0 || fail "lp_target_busy is patched before it is there"
insmod "$MODULES/lp_target_busy.ko" release=1
wait_until 20 object_patched lp_busy lp_target_busy 1
wait_until 20 has_object lp_busy lp_target_busy yes
assert_eq active "$(patch_state lp_busy)" "state of lp_busy"
rmmod lp_target_busy
wait_until 20 object_patched lp_busy lp_target_busy 0
remove_patch lp_busy
wait_until 30 module_absent lp_busy

# the later surprise
expect_as_planned "$MODULES/lp_later.ko" loads
expect_note target-not-loaded lp_target_hold
if insmod "$MODULES/lp_target_hold.ko" 2>/run/lab/insmod; then fail "lp_target_hold came in"; fi
cat /run/lab/insmod
wait_reason lp_later target-module-refused 20
assert_contains "$(patch_field lp_later detail)" lp_target_hold "detail of lp_later"
assert_eq active "$(patch_state lp_later)" "state of lp_later"
wait_until 10 event_seen 43f7e1c1b9be4442ba701282609145e9 lp_later
# taken out, the module is welcome again
remove_patch lp_later
wait_until 30 module_absent lp_later
insmod "$MODULES/lp_target_hold.ko"
