# A patch made for another release is refused by the daemon itself: with symbol versions in the module the kernel would take it.
. /opt/lab/lib.sh

drop_patch "$MODULES/lp_wrongmagic.ko"
expect_refused lp_wrongmagic rejected wrong-kernel
expect_others_apply lp_good03 /proc/softirqs
expect_no_retries lp_wrongmagic 5 lp_wrongmagic
assert_eq 0 "$(load_count lp_wrongmagic)" "loads of lp_wrongmagic"
rc=0
livepatchctl check || rc=$?
assert_eq 6 "$rc" "exit code of check"
