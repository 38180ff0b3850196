# A BPF program on the function of a patch is foretold to be no hindrance, and goes on seeing the calls.
# set: all
# timeout: 120
. /opt/lab/lib.sh

out=/run/lab/bpftrace
bpftrace -e 'kfunc:cmdline_proc_show { @calls++; printf("call\n"); }' >"$out" 2>&1 &
program=$!
wait_until 90 grep -q 'bpf_trampoline_' /sys/kernel/tracing/enabled_functions
expect_as_planned "$MODULES/lp_cmdline.ko" loads
expect_note bpf-attached bpf_trampoline_
before=$(grep -c '^call' "$out") || true
assert_contains "$(cat /proc/cmdline)" "livepatched" /proc/cmdline
seen_more() { [ "$(grep -c '^call' "$out")" -gt "$before" ]; }
wait_until 10 seen_more
remove_patch lp_cmdline
wait_until 30 module_absent lp_cmdline
kill -INT "$program"
wait "$program" || true
