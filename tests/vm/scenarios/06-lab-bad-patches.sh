# The harmful test patches do with plain insmod what the scenarios of the product expect of them, and can be taken out afterwards.
# boot: lab-bad
# daemon: no
# set: long
# traces: expected
# timeout: 120
. /opt/lab/lib.sh

echo 0 >/proc/sys/kernel/panic_on_oops
load_by_hand "$MODULES/lp_warn_later.ko"
load_by_hand "$MODULES/lp_oops_later.ko"
wait_until 30 kernel_logged "BUG: kernel NULL pointer dereference"
klp_active lp_oops_later || fail "the oops took the patch out"
unload_by_hand lp_oops_later
wait_until 40 kernel_logged "lp_warn_later does its harm"
note "$LAB_LINE the WARN came $(($(kernel_moment "lp_warn_later does its harm") - $(kernel_moment "'lp_warn_later': starting patching transition"))) ms after the load"
unload_by_hand lp_warn_later

load_by_hand "$MODULES/lp_hang_reader.ko"
start_reader
wait_until 30 unit_is lab-reader failed
assert_eq watchdog "$(unit_prop lab-reader Result)" "how the reader failed"
unload_by_hand lp_hang_reader
systemctl reset-failed lab-reader

# the word that startup has finished, which the daemon waits for, comes while the agent is still at work
wait_until 30 startup_finished
