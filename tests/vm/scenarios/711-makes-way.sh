# A patch that must go while another one hangs in transition: the kernel does one at a time, so the other is taken back, and tried again later.
# boot: soak
# set: all
# timeout: 180
. /opt/lab/lib.sh

configure 'soak: {duration: 25s, confirm: manual}' 'gates: {settle: 0s}' 'transition: {report-after: 60s, reverse-after: 600s, backoff: {first: 8s, max: 8s}}'
insmod "$MODULES/lp_target_hold.ko"
systemd-run --quiet --unit lab-blocker cat /proc/lp_target_hold
wait_until 10 kernel_logged "lp_target_hold: held"
drop_patch "$MODULES/lp_good10.ko"
wait_state lp_good10 soaking 60
complete=$(kernel_moment "'lp_good10': patching complete")
drop_patch "$MODULES/lp_hold.ko"
wait_state lp_hold transitioning 20

# nobody confirms it
wait_until 60 module_absent lp_good10
out=$(kernel_moment "'lp_good10': starting unpatching transition")
back=$(kernel_moment "'lp_hold': starting unpatching transition")
note "$LAB_LINE probation of 25000 ms over, lp_hold taken back after $((back - complete - 25000)) ms, lp_good10's own transition began after $((out - complete - 25000)) ms"
[ "$back" -le "$out" ] || fail "lp_hold did not make way"
assert_eq not-confirmed "$(patch_reason lp_good10)" "reason of lp_good10"
wait_until 10 unit_said livepatchd "lp_hold: [a-z]+ -> held \(made-way\)"

# it comes back by itself, and gets in when nothing stands in its way
wait_until 60 loaded_times lp_hold 2
echo 1 >/sys/module/lp_target_hold/parameters/release
wait_state lp_hold soaking 60
livepatchctl confirm lp_hold
wait_state lp_hold active 30
