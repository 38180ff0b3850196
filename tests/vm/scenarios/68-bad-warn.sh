# A patch that makes the kernel warn 20 s after its load is out within 5 s of the warning, and quarantined.
# boot: bad
# traces: expected
# timeout: 180
. /opt/lab/lib.sh

configure 'soak: {duration: 1h}' 'gates: {settle: 0s}'
drop_patch "$MODULES/lp_warn_later.ko"
wait_state lp_warn_later soaking 60
livepatchctl hold "nothing may change"
expect_emergency_revert lp_warn_later "lp_warn_later does its harm" kernel-warning "warns 20 s after the load"
livepatchctl unhold
