# A patch whose code oopses, on a kernel that goes on, is out within 5 s although all gates are closed; a revert that nobody needs waits at them.
# boot: bad
# traces: expected
# timeout: 180
. /opt/lab/lib.sh

echo 0 >/proc/sys/kernel/panic_on_oops
configure 'soak: {duration: 1h}' 'gates: {settle: 0s}'
drop_patch "$MODULES/lp_good01.ko"
wait_state lp_good01 soaking 60
livepatchctl confirm lp_good01
wait_state lp_good01 active 60
drop_patch "$MODULES/lp_oops_later.ko"
wait_until 30 klp_active lp_oops_later

# from here on the gates let nothing through
livepatchctl hold "nothing may change"
remove_patch lp_good01
expect_emergency_revert lp_oops_later "BUG: kernel NULL pointer dereference" kernel-oops "oopses 5 s after the load"
wait_reason lp_good01 operator-hold 10
klp_active lp_good01 || fail "the hold did not keep an ordinary revert"
assert_contains "$(livepatchctl show lp_oops_later)" "NULL pointer" "the evidence"
livepatchctl unhold
wait_until 30 module_absent lp_good01

# not again, by itself or on request, until somebody lets it in
rc=0
livepatchctl apply lp_oops_later || rc=$?
assert_eq 6 "$rc" "exit code of apply"
systemctl restart livepatchd
wait_state lp_oops_later quarantined
sleep 2
assert_eq 1 "$(load_count lp_oops_later)" "loads of lp_oops_later"
