# Compressed files of every kind are applied.
# set: all
. /opt/lab/lib.sh

for file in lp_xz.ko.xz:/proc/key-users lp_zst.ko.zst:/proc/swaps lp_gz.ko.gz:/proc/timer_list; do
  name=${file%%.*}
  drop_patch "$MODULES/${file%%:*}"
  wait_state "$name" active
  klp_active "$name" || fail "$name is not active in the kernel"
  file_says "${file##*:}" "livepatched: $name" || fail "${file##*:} does not show $name"
done
for name in lp_xz lp_zst lp_gz; do remove_patch "$name"; done
for name in lp_xz lp_zst lp_gz; do wait_until 30 module_absent "$name"; done
