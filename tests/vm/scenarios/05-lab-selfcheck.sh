# Every test module behaves with plain insmod as the scenarios of the product expect of it.
# daemon: no
# set: all
# timeout: 180
. /opt/lab/lib.sh

# what the kernel answers: "load FILE" prints "ok" or the errno, and keeps the module's name in $name
try() { # FILE NAME
  local answer
  if answer=$(/opt/lab/bin/labclock load "$1" "$2"); then echo ok; else awk '{ print $3 }' <<<"$answer"; fi
}

before=$(</proc/cmdline)

# the plain patch, its second build, and the same name twice
assert_eq ok "$(try "$MODULES/lp_cmdline.ko" lp_cmdline)" lp_cmdline
assert_contains "$(</proc/cmdline)" "livepatchd demo: this kernel is livepatched"
first=$(sha256sum </sys/module/lp_cmdline/notes/.note.gnu.build-id)
assert_eq EEXIST "$(try "$MODULES/v2/lp_cmdline.ko" lp_cmdline)" "the second build beside the first"
unload_by_hand lp_cmdline
assert_eq "$before" "$(</proc/cmdline)" /proc/cmdline
assert_eq ok "$(try "$MODULES/v2/lp_cmdline.ko" lp_cmdline)" "the second build"
assert_contains "$(</proc/cmdline)" "second build"
[ "$first" != "$(sha256sum </sys/module/lp_cmdline/notes/.note.gnu.build-id)" ] || fail "both builds have one build-id"
unload_by_hand lp_cmdline

# the stack, then the cumulative patch
for name in lp_stack1 lp_stack2 lp_stack3; do
  assert_eq ok "$(try "$MODULES/$name.ko" "$name")" "$name"
  assert_eq "livepatched: $name" "$(</proc/cmdline)" /proc/cmdline
done
assert_eq ok "$(try "$MODULES/lp_replace_all.ko" lp_replace_all)" lp_replace_all
assert_eq "livepatched: lp_replace_all" "$(</proc/cmdline)" /proc/cmdline
for name in lp_stack1 lp_stack2 lp_stack3; do
  wait_until 10 klp_absent "$name"
  wait_until 10 module_unused "$name"
  rmmod "$name"
done
unload_by_hand lp_replace_all
assert_eq "$before" "$(</proc/cmdline)" /proc/cmdline

# every other good patch shows where it should
declare -A shown=(
  [lp_version]=/proc/version [lp_good01]=/proc/execdomains [lp_good02]=/proc/schedstat [lp_good03]=/proc/softirqs
  [lp_good04]=/proc/misc [lp_good05]=/proc/buddyinfo [lp_good06]=/proc/pagetypeinfo [lp_good07]=/proc/zoneinfo
  [lp_good08]=/proc/slabinfo [lp_good09]=/proc/consoles [lp_good10]=/proc/devices
)
for name in $(printf '%s\n' "${!shown[@]}" | sort); do
  assert_eq ok "$(try "$MODULES/$name.ko" "$name")" "$name"
  file_says "${shown[$name]}" "livepatched: $name" || fail "${shown[$name]} does not show $name"
done
for name in "${!shown[@]}"; do echo 0 >"$TREE/$name/enabled"; wait_until 10 klp_absent "$name"; done
for name in "${!shown[@]}"; do unload_by_hand "$name"; done

# compressed files hold what their names say
for file in lp_xz.ko.xz:/proc/key-users lp_zst.ko.zst:/proc/swaps lp_gz.ko.gz:/proc/timer_list; do
  path=$MODULES/${file%%:*} name=${file%%.*}
  case $path in
    *.xz) xz -dc "$path" ;;
    *.zst) zstd -dcq "$path" ;;
    *.gz) gzip -dc "$path" ;;
  esac >"/run/lab/$name.ko"
  assert_eq ok "$(try "/run/lab/$name.ko" "$name")" "$name"
  file_says "${file##*:}" "livepatched: $name" || fail "${file##*:} does not show $name"
  unload_by_hand "$name"
done

# refused ones, with what the kernel says about each
refused() { # NAME ERRNO KERNEL_TEXT
  mark_kernel_log "$1"
  assert_eq "$2" "$(try "$MODULES/$1.ko" "$1")" "$1"
  module_absent "$1" || fail "$1 stayed in /sys/module"
  klp_absent "$1" || fail "$1 stayed in $TREE"
  kernel_lines | while read -r text; do note "$LAB_LINE $1 $2: $text"; done
  assert_contains "$(kernel_lines)" "$3" "kernel log of $1"
}
refused lp_missing_symbol EINVAL "symbol 'lp_no_such_function_anywhere' not found in symbol table"
refused lp_ambiguous EINVAL "unresolvable ambiguity for symbol 's_show'"
refused lp_notrace EINVAL "failed to find location for function 'exc_divide_error'"
refused lp_veto ENODEV "pre-patch callback failed for object 'vmlinux'"
refused lp_wrongflags ENOEXEC "version magic"
refused lp_truncated ENOEXEC ""
if switch_ftrace_off; then
  refused lp_good01 EBUSY "failed to register ftrace handler"
  echo 1 >/proc/sys/kernel/ftrace_enabled
fi
assert_eq ok "$(try "$MODULES/lp_good01.ko" lp_good01)" "lp_good01 with ftrace back"
unload_by_hand lp_good01

# with symbol versions in the module the kernel does not look at the release in the version magic: livepatchd must
if [[ $(modinfo -F vermagic "$MODULES/lp_wrongmagic.ko") == *modversions* ]]; then
  mark_kernel_log lp_wrongmagic
  assert_eq ok "$(try "$MODULES/lp_wrongmagic.ko" lp_wrongmagic)" "lp_wrongmagic"
  kernel_lines | while read -r text; do note "$LAB_LINE lp_wrongmagic loads: $text"; done
  unload_by_hand lp_wrongmagic
else
  refused lp_wrongmagic ENOEXEC "version magic"
fi
insmod "$MODULES/lp_notlive.ko"
klp_absent lp_notlive || fail "lp_notlive is a livepatch"
rmmod lp_notlive

# the busy function keeps the transition open, a cancelled one leaves nothing, a released one completes
start_busy
insmod "$MODULES/lp_busy.ko"
in_transition lp_busy || fail "the transition of lp_busy is not open"
assert_eq EBUSY "$(try "$MODULES/lp_good01.ko" lp_good01)" "another patch during the transition"
for second in 1 2 3; do
  sleep 1
  in_transition lp_busy || fail "the transition of lp_busy ended by itself after $second s"
done
unload_by_hand lp_busy
insmod "$MODULES/lp_busy.ko"
sleep 1
in_transition lp_busy || fail "the transition of lp_busy is not open the second time"
release_busy
wait_until 20 klp_active lp_busy
unload_by_hand lp_busy
rmmod lp_target_busy

# a reader that loops sees no instant without the patch
rm -f /run/lab/stop
/opt/lab/bin/labclock load "$MODULES/lp_stack1.ko" lp_stack1
/opt/lab/bin/labclock watch /proc/cmdline livepatched /run/lab/stop >/run/lab/watched &
/opt/lab/bin/labclock load "$MODULES/lp_replace_all.ko" lp_replace_all
touch /run/lab/stop
wait $!
read -r reads lacking </run/lab/watched
[ "$reads" -gt 10 ] || fail "the reader came to read only $reads times"
assert_eq 0 "$lacking" "reads without the patch"
unload_by_hand lp_replace_all
unload_by_hand lp_stack1

# the kernel's own test modules were built for this line
load_by_hand "$MODULES/selftests/test_klp_livepatch.ko"
file_says /proc/cmdline "test_klp_livepatch: this has been live patched" || fail "/proc/cmdline does not show test_klp_livepatch"
unload_by_hand test_klp_livepatch
