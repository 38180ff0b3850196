# A BPF program on the function of a patch is foretold to be no hindrance, and goes on seeing the calls.
# set: all
# timeout: 180
. /opt/lab/lib.sh

mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing
out=/run/lab/bpftrace
stdbuf -oL bpftrace -e 'kfunc:cmdline_proc_show { @calls++; printf("call\n"); }' >"$out" 2>&1 &
program=$!
trap 'kill -KILL "$program" 2>/dev/null || true' EXIT
wait_until 90 file_says /sys/kernel/tracing/enabled_functions bpf_trampoline_
expect_as_planned "$MODULES/lp_cmdline.ko" loads
expect_note bpf-attached cmdline_proc_show
before=$(ask_for file-count "$out" call)
assert_contains "$(</proc/cmdline)" "livepatched" /proc/cmdline
seen_more() { must file-count "$out" call && [ "$answer" -gt "$before" ]; }
wait_until 10 seen_more
remove_patch lp_cmdline
wait_until 30 module_absent lp_cmdline
# Not asked: bpftrace has been seen to sit on an interrupt for minutes. The kernel takes its program off all the same.
kill -KILL "$program"
wait "$program" || true
