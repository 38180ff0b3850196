# The guest can patch its kernel and bring the old code back, with plain insmod.
# daemon: no
. /opt/lab/lib.sh

before=$(</proc/cmdline)
load_by_hand "$MODULES/lp_cmdline.ko"
assert_contains "$(</proc/cmdline)" "this kernel is livepatched"
unload_by_hand lp_cmdline
assert_eq "$before" "$(</proc/cmdline)" "/proc/cmdline"
