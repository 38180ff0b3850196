# A patch that nobody confirms in time is taken out again; one that is confirmed stays; one on automatic probation is confirmed by its end.
# boot: soak
# set: all
# timeout: 180
. /opt/lab/lib.sh

configure 'soak: {duration: 10s, confirm: manual}' 'gates: {settle: 0s}'
drop_patch "$MODULES/lp_good01.ko"
wait_state lp_good01 soaking 60
complete=$(kernel_moment "'lp_good01': patching complete")
assert_metric 1 livepatchd_patches state=soaking
[ "$(patch_prop lp_good01 SoakUntilUsec)" -gt 0 ] || fail "SoakUntilUsec is not set"
drop_patch "$MODULES/lp_good02.ko"
wait_state lp_good02 soaking 60
livepatchctl confirm lp_good02
wait_state lp_good02 active 60

wait_until 60 module_absent lp_good01
out=$(kernel_moment "'lp_good01': starting unpatching transition")
note "$LAB_LINE reverted $((out - complete)) ms after it was active, for a probation of 10000 ms"
[ $((out - complete)) -ge 9500 ] || fail "reverted before its time"
wait_state lp_good01 reverted
assert_eq not-confirmed "$(patch_reason lp_good01)" "reason"
sleep 3
klp_active lp_good02 || fail "the confirmed patch is gone"
assert_eq active "$(patch_state lp_good02)" "state of the confirmed patch"
assert_eq 1 "$(load_count lp_good01)" "loads of the patch that was not confirmed"

# asked for with --confirm, although the host confirms by itself
configure 'soak: {duration: 8s, confirm: automatic}' 'gates: {settle: 0s}'
drop_patch "$MODULES/lp_good03.ko"
wait_state lp_good03 soaking 60
wait_state lp_good03 active 30
livepatchctl apply --confirm "$MODULES/lp_good04.ko"
wait_until 60 module_absent lp_good04
wait_reason lp_good04 not-confirmed 10
klp_active lp_good03 || fail "the patch that was confirmed by time is gone"
