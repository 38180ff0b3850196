# Two patches of one function stack; the first can go while the second stays, and a patch of another function is not touched.
. /opt/lab/lib.sh

before=$(</proc/cmdline)
drop_patch "$MODULES/lp_version.ko"
drop_patch "$MODULES/lp_stack1.ko"
wait_state lp_stack1 active
assert_eq "livepatched: lp_stack1" "$(</proc/cmdline)" /proc/cmdline
drop_patch "$MODULES/lp_stack2.ko"
wait_state lp_stack2 active
assert_eq "livepatched: lp_stack2" "$(</proc/cmdline)" /proc/cmdline
wait_state lp_version active
other=$(fingerprint lp_version)
second=$(fingerprint lp_stack2)

remove_patch lp_stack1
wait_until 30 module_absent lp_stack1
assert_eq "livepatched: lp_stack2" "$(</proc/cmdline)" "/proc/cmdline without the first"
assert_eq active "$(patch_state lp_stack2)" "state of the second"
assert_eq "$second" "$(fingerprint lp_stack2)" "the second patch"
assert_eq "$other" "$(fingerprint lp_version)" "the patch of the other function"

remove_patch lp_stack2
wait_until 30 module_absent lp_stack2
assert_eq "$before" "$(</proc/cmdline)" /proc/cmdline
file_says /proc/version "livepatched: lp_version" || fail "lp_version is gone"
