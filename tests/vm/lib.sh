# Guest helpers of the scenarios; each says on failure what it saw.
# shellcheck shell=bash

MODULES=/opt/lab/modules
RELEASE=$(uname -r)
PATCHES=/var/lib/livepatchd/patches/$RELEASE
METRICS_SOCKET=/run/livepatchd/metrics.sock
TREE=/sys/kernel/livepatch

# The helpers poll: `local -; set +x` keeps their loops out of the trace.

fail() { { local -; set +x; } 2>/dev/null; echo "FAIL: $*" >&2; exit 1; }

assert_eq() { # EXPECTED ACTUAL WHAT
  { local -; set +x; } 2>/dev/null
  [ "$1" = "$2" ] || fail "${3:-value}: expected '$1', got '$2'"
}

assert_contains() { # TEXT PART WHAT
  { local -; set +x; } 2>/dev/null
  [[ $1 == *"$2"* ]] || fail "${3:-text}: '$2' is not in '$1'"
}

assert_not_contains() { # TEXT PART WHAT
  { local -; set +x; } 2>/dev/null
  [[ $1 != *"$2"* ]] || fail "${3:-text}: '$2' is in '$1'"
}

# An emulated guest has one processor's time for both of its own: who asks all the time slows down what he waits for, and a patching
# kernel most of all, as it calls the other processor at every place it writes to. So a question is asked again after a pause of
# several times what it took, and the pause starts no program.
exec {never}<> <(:)
nap_after() { # MICROSECONDS, by EPOCHREALTIME, at which the question was asked
  local pause=$(((${EPOCHREALTIME/[.,]/} - $1) * 3))
  ((pause >= 100000)) || pause=100000
  ((pause <= 1500000)) || pause=1500000
  read -r -t "$((pause / 1000000)).$(printf '%06d' $((pause % 1000000)))" -u "$never" _ || true
}

wait_until() { # SECONDS CMD...
  { local -; set +x; } 2>/dev/null
  local end=$((SECONDS + $1)) asked
  shift
  while asked=${EPOCHREALTIME/[.,]/}; ! "$@"; do
    if [ "$SECONDS" -ge "$end" ]; then
      set -x
      "$@" || fail "not in time: $*"
      return 0
    fi
    nap_after "$asked"
  done
}

# --- the desired state

drop_patch() { # FILE [NAME.ko]: puts the file in place with one rename, as a careful administrator does
  { local -; set +x; } 2>/dev/null
  local name=${2:-$(basename "$1")}
  install -d -m 755 "$PATCHES"
  install -m 644 "$1" "$PATCHES/.$name.new"
  mv -f "$PATCHES/.$name.new" "$PATCHES/$name"
}

remove_patch() { # NAME
  rm -f "$PATCHES/$1.ko" "$PATCHES/$1".ko.{xz,zst,gz}
}

drop_manifest() { # NAME LINE...: before the module, so that both are seen at once
  { local -; set +x; } 2>/dev/null
  install -d -m 755 "$PATCHES"
  printf '%s\n' "${@:2}" >"$PATCHES/.$1.new"
  chmod 644 "$PATCHES/.$1.new"
  mv -f "$PATCHES/.$1.new" "$PATCHES/$1.yaml"
}

# --- configuration and the machine's load

DROPINS=/etc/livepatchd/livepatchd.yaml.d
configure() { # LINE...: these keys on top of the lab's own
  { local -; set +x; } 2>/dev/null
  install -d -m 755 "$DROPINS"
  printf '%s\n' "$@" >"$DROPINS/90-scenario.yaml"
  livepatchctl reload
}

uptime_ms() { awk '{ printf "%d", $1 * 1000 }' /proc/uptime; }
kernel_moment() { # TEXT: milliseconds of uptime at which the kernel last logged it
  { local -; set +x; } 2>/dev/null
  journalctl -b -k -q --no-pager -o short-monotonic | grep -F -- "$1" | tail -n 1 | sed -E 's/^\[ *([0-9]+)\.([0-9]{3}).*/\1\2/'
}

# Until told to stop, somebody waits for the lab's slow disk about a third of the time, with `steady` nearly all of it: the kernel sees
# pressure, and its processors are free. With `root`, small synchronous writes to the disk on which everybody writes, from two processes,
# which takes most of the processors of an emulated guest as well.
start_io_pressure() { # [steady|root]
  local where=(--filename=/dev/vdc --direct=1 --size=16m)
  case ${1:-} in
    '') where+=(--thinktime=250ms --thinktime_blocks=10) ;;
    root) where=(--directory=/var/tmp --fdatasync=1 --size=4m --numjobs=2) ;;
  esac
  systemd-run --quiet --collect --unit lab-io fio --name=lab --rw=randwrite --bs=4k "${where[@]}" \
    --time_based --runtime=600 --output=/dev/null
}
stop_io_pressure() { systemctl stop lab-io; }

# A service that reads /proc/execdomains all the time under a watchdog of four seconds: who patches that file to hang makes it fail.
start_reader() {
  systemd-run --quiet --unit lab-reader --property Type=simple --property NotifyAccess=all --property WatchdogSec=4 \
    --property LimitCORE=0 --property TimeoutStopSec=5 \
    bash -c 'while :; do cat /proc/execdomains >/dev/null; systemd-notify WATCHDOG=1; sleep 0.5; done'
}

startup_finished() { [ "$(systemctl show -P FinishTimestampMonotonic)" != 0 ]; }
startup_finished_ms() { echo $(($(systemctl show -P FinishTimestampMonotonic) / 1000)); }

gate_is() { # NAME true|false
  { local -; set +x; } 2>/dev/null
  local json
  json=$(livepatchctl gates --json) || return 1
  [ "$(jq --arg name "$1" '.gates[] | select(.name == $name) | .open' <<<"$json")" = "$2" ]
}
gate_figure_above() { # RATIO: share of the last ten seconds in which somebody waited for I/O, by the kernel's own average
  awk -v least="$1" '/^some/ { split($2, a, "="); exit !(a[2] / 100 > least) }' /proc/pressure/io
}

# --- what the daemon says

patch_json() { livepatchctl show "$1" --json; }
patch_field() { # NAME FIELD; empty when the daemon knows no such patch
  { local -; set +x; } 2>/dev/null
  local json
  json=$(patch_json "$1" 2>/dev/null) || return 0
  jq -r --arg field "$2" '.patch[$field] // empty' <<<"$json"
}
# Asked of the bus, which takes a fraction of the time of the tool and of jq.
patch_state() { patch_prop "$1" State 2>/dev/null || true; } # NAME; empty when the daemon knows no such patch
patch_reason() { patch_prop "$1" Reason 2>/dev/null || true; }

is_in_state() { [ "$(patch_state "$1")" = "$2" ]; } # NAME STATE
wait_state() { # NAME STATE [SECONDS]
  { local -; set +x; } 2>/dev/null
  local end=$((SECONDS + ${3:-30})) asked
  while asked=${EPOCHREALTIME/[.,]/}; ! is_in_state "$1" "$2"; do
    if [ "$SECONDS" -ge "$end" ]; then
      livepatchctl list >&2 || true
      livepatchctl blocking -v >&2 || true
      fail "$1 is in state '$(patch_state "$1")' (reason '$(patch_reason "$1")') and not '$2' after ${3:-30} s"
    fi
    nap_after "$asked"
  done
}

is_unknown() { # NAME: the daemon does not list it any more
  { local -; set +x; } 2>/dev/null
  local json
  json=$(livepatchctl list --json) || return 1
  [ "$(jq --arg name "$1" '[.patches[] | select(.name == $name)] | length' <<<"$json")" = 0 ]
}

# True when the patch of that name is gone, from the list or as reverted.
is_gone() { is_unknown "$1" || is_in_state "$1" reverted; }

scrape() { curl -sS --max-time 5 --unix-socket "$METRICS_SOCKET" http://localhost/metrics; }
metric() { # NAME [LABEL=VALUE...]: the value of the first series with these labels, empty when there is none
  { local -; set +x; } 2>/dev/null
  local text wanted
  text=$(scrape) || fail "cannot scrape the metrics socket"
  text=$(grep -E "^$1(\{| )" <<<"$text") || return 0
  for wanted in "${@:2}"; do
    text=$(grep -F "${wanted%%=*}=\"${wanted#*=}\"" <<<"$text") || return 0
  done
  head -n 1 <<<"$text" | sed -E 's/^[^{ ]+(\{.*\})? ([^ ]+).*$/\2/'
}
metric_is() { [ "$(metric "${@:2}")" = "$1" ]; } # VALUE NAME [LABEL=VALUE...]
assert_metric() { # VALUE NAME [LABEL=VALUE...]: the exporter may serve an answer a fraction of a second old
  { local -; set +x; } 2>/dev/null
  local end=$((SECONDS + 3))
  until metric_is "$@"; do
    if [ "$SECONDS" -ge "$end" ]; then
      scrape | grep "^$2" >&2 || true
      fail "metric ${*:2}: expected '$1', got '$(metric "${@:2}")'"
    fi
    sleep 0.2
  done
}

# What the daemon logs under these ids; they never change.
EVENT_QUARANTINED=b64698f377d747119ed7f2835ff9603d
EVENT_HEALTH_CHECK=b8df321a8c744e4fa0935df25a9abe12
EVENT_CRASH_GUARD=065015ac205c4c00a0a8ee0b99095542
EVENT_CRASH_LOOP=a4aa654c2c8348feb4422d8282b63660
event_count() { # MESSAGE_ID [PATCH]: in this boot
  journalctl -b -q --no-pager -o cat "MESSAGE_ID=$1" | grep -cF -- "${2:-}" || true
}

bus_path() { # NAME: the object of a patch, escaped as sd_bus_path_encode does
  { local -; set +x; } 2>/dev/null
  local name=$1 out='' i c
  for ((i = 0; i < ${#name}; i++)); do
    c=${name:i:1}
    if [[ $c == [A-Za-z] ]] || { [[ $c == [0-9] ]] && [ "$i" -gt 0 ]; }; then out+=$c; else out+=_$(printf '%02x' "'$c"); fi
  done
  echo "/org/livepatchd1/patch/$out"
}
bus_prop() { # PATH INTERFACE PROPERTY: one of a basic type
  { local -; set +x; } 2>/dev/null
  local value
  value=$(busctl --system get-property org.livepatchd1 "$1" "$2" "$3") || return 1
  value=${value#* } # its type
  case $value in \"*) value=${value#\"} value=${value%\"} ;; esac
  printf '%s\n' "$value"
}
patch_prop() { bus_prop "$(bus_path "$1")" org.livepatchd1.Patch "$2"; } # NAME PROPERTY

# --- what the kernel says

klp_absent() { [ ! -e "$TREE/$1" ]; }
module_absent() { [ ! -e "/sys/module/$1" ]; }
klp_active() { # NAME: patched, and no transition open; the only proof there is
  { local -; set +x; } 2>/dev/null
  local enabled transition
  read -r enabled <"$TREE/$1/enabled" && read -r transition <"$TREE/$1/transition" || return 1
  [ "$enabled$transition" = 10 ]
} 2>/dev/null
in_transition() { # NAME
  { local -; set +x; } 2>/dev/null
  local transition
  read -r transition <"$TREE/$1/transition" && [ "$transition" = 1 ]
} 2>/dev/null
module_unused() { # NAME
  { local -; set +x; } 2>/dev/null
  local users
  read -r users <"/sys/module/$1/refcnt" && [ "$users" = 0 ]
} 2>/dev/null
file_says() { grep -qF -- "$2" "$1"; } # FILE TEXT

kernel_count() { # TEXT: how often the kernel has logged it in this scenario, on a later stage since the boot
  { local -; set +x; } 2>/dev/null
  journalctl -b -k -q --no-pager -o cat \
    | TEXT=$1 awk '/scenario-begins / { n = 0 } index($0, ENVIRON["TEXT"]) { n++ } END { print n + 0 }'
}
console_count() { # TEXT: how often the console shows it over all stages, those that ended in a panic too
  { local -; set +x; } 2>/dev/null
  local before
  before=$(grep -cF -- "$1" /opt/lab/consoles) || true
  journalctl -b -k -q --no-pager -o cat | TEXT=$1 BEFORE=$before awk 'index($0, ENVIRON["TEXT"]) { n++ } END { print n + ENVIRON["BEFORE"] }'
}
load_count() { kernel_count "livepatch: enabling patch '$1'"; } # NAME: also counts a load the kernel then refused

# Everything by which a second load or a re-creation would show itself.
fingerprint() { # NAME
  { local -; set +x; } 2>/dev/null
  stat -c '%i %n' "$TREE/$1" "/sys/module/$1"
  cat "$TREE/$1/enabled" "/sys/module/$1/coresize" "/sys/module/$1/refcnt" "/sys/module/$1/initstate"
  cat "/sys/module/$1"/sections/.text
  sha256sum <"/sys/module/$1/notes/.note.gnu.build-id"
  load_count "$1"
}

# Loads lp_target_busy and waits until its thread is inside the function that lp_busy patches.
start_busy() {
  insmod "$MODULES/lp_target_busy.ko"
  wait_until 10 eval '[ "$(kernel_count "lp_target_busy: busy")" -ge 1 ]'
}
release_busy() { echo 1 >/sys/module/lp_target_busy/parameters/release; }

# Switches ftrace off, or returns 1 where the kernel does not support that: newer ones answer EOPNOTSUPP and leave it on.
switch_ftrace_off() {
  { local -; set +x; } 2>/dev/null
  local said
  if said=$({ LC_ALL=C; echo 0 >/proc/sys/kernel/ftrace_enabled; } 2>&1); then return 0; fi
  assert_contains "$said" "Operation not supported" "the kernel's answer to switching ftrace off"
  assert_eq 1 "$(cat /proc/sys/kernel/ftrace_enabled)" "kernel.ftrace_enabled, which the kernel did not let be changed"
  return 1
}

# --- by hand, as somebody else would

load_by_hand() { # FILE
  insmod "$1"
  wait_until 30 klp_active "$(basename "$1" .ko)"
}
unload_by_hand() { # NAME
  { local -; set +x; } 2>/dev/null
  if [ -e "$TREE/$1" ]; then echo 0 >"$TREE/$1/enabled"; wait_until 30 klp_absent "$1"; fi
  if [ -e "/sys/module/$1" ]; then wait_until 15 module_unused "$1"; rmmod "$1"; fi
}

# --- shared judgements

# A refused file: its state and reason on every surface, and nothing left in the kernel.
expect_refused() { # NAME STATE REASON
  wait_state "$1" "$2"
  assert_eq "$2 $3" "$(patch_json "$1" | jq -r '"\(.patch.state) \(.patch.reason)"')" "state and reason of $1"
  assert_eq "$3" "$(patch_prop "$1" Reason)" "bus reason of $1"
  assert_metric 1 livepatchd_patch_info "patch=$1" "state=$2"
  klp_absent "$1" || fail "$1 is in $TREE"
  module_absent "$1" || fail "$1 is in /sys/module"
}

# A patch that did harm: its revert began within 5 s of the evidence (a text of the kernel's log, or the uptime in ms), and it is
# quarantined, on every surface. How long the kernel then takes is the emulator's affair: it is printed.
expect_emergency_revert() { # NAME EVIDENCE REASON WHAT
  local evidence writing out
  wait_until 60 eval 'module_absent "'"$1"'" && [ "$(patch_state "'"$1"'")" = quarantined ]'
  if [[ $2 =~ ^[0-9]+$ ]]; then evidence=$2; else evidence=$(kernel_moment "$2"); fi
  writing=$(kernel_moment "'$1': starting unpatching transition")
  out=$(kernel_moment "'$1': unpatching complete")
  note "$LAB_LINE $1: the revert began $((writing - evidence)) ms after the evidence, and the kernel was unpatched after $((out - evidence)) ms"
  [ "$writing" -ge "$evidence" ] || fail "the revert began before its evidence: the moment of that is wrong"
  [ $((writing - evidence)) -le 5000 ] || fail "the revert began $((writing - evidence)) ms after the evidence"
  assert_eq "$3" "$(patch_reason "$1")" "reason of $1"
  assert_eq quarantined "$(patch_prop "$1" State)" "bus state of $1"
  assert_metric 1 livepatchd_patch_info "patch=$1" state=quarantined
  [ "$(metric livepatchd_quarantined_patches)" -ge 1 ] || fail "livepatchd_quarantined_patches is $(metric livepatchd_quarantined_patches)"
  assert_contains "$(livepatchctl status)" quarantined "livepatchctl status"
  [ "$(event_count "$EVENT_QUARANTINED" "$1")" -ge 1 ] || fail "the journal has no event of the quarantine of $1"
  assert_eq 1 "$(load_count "$1")" "loads of $1"
  figure bad "| $LAB_LINE | $4 | $(load_count "$1") | quarantined ($3); the revert began $((writing - evidence)) ms after the evidence, and was done after $((out - evidence)) ms |"
}

# Watches for a retry storm: attempts and kernel messages stay as they are.
expect_no_retries() { # NAME SECONDS KERNEL_TEXT
  local attempts before
  attempts=$(patch_field "$1" attempts)
  before=$(kernel_count "$3")
  [ "${attempts:-0}" -le 1 ] || fail "$1 was tried $attempts times"
  sleep "$2"
  assert_eq "$attempts" "$(patch_field "$1" attempts)" "attempts of $1 after $2 s"
  assert_eq "$before" "$(kernel_count "$3")" "kernel messages '$3' after $2 s"
}

# What `plan FILE` foretells is what happens: to the file when it is dropped, and, where an errno is foretold, to whoever asks the kernel.
# The document is in $prediction afterwards.
expect_as_planned() { # FILE OUTCOME [REASON]
  { local -; set +x; } 2>/dev/null
  local name state foretold errno
  prediction=$(livepatchctl plan "$1" --json | jq -c '.patches[0]')
  read -r name errno foretold < <(jq -r '"\(.patch) \(.errno) \(.outcome) \(.reason)"' <<<"$prediction")
  echo "predicted: $prediction" >&2
  assert_eq "$2 ${3:-null}" "$foretold" "outcome and reason foretold for $name"
  if [ "$errno" != null ]; then assert_eq "$errno" "$(kernel_answer "$1")" "the kernel's answer to $name"; fi
  drop_patch "$1"
  case $2 in
    loads) state=active ;;
    held) state=held ;;
    refused) state=rejected ;;
    *) fail "nothing is known to come of '$2'" ;;
  esac
  wait_state "$name" "$state"
  if [ "$2" = loads ]; then
    klp_active "$name" || fail "$name is not active in the kernel"
    assert_eq "loaded null" "$(planned "$name")" "outcome and reason in the plan of $name"
  else
    klp_absent "$name" || fail "$name is in $TREE"
    assert_eq "$3" "$(patch_reason "$name")" "reason of $name"
    assert_eq "$2 $3" "$(planned "$name")" "outcome and reason in the plan of $name"
  fi
}
planned() { livepatchctl plan --json | jq -r --arg name "$1" '.patches[] | select(.patch == $name) | "\(.outcome) \(.reason)"'; } # NAME: outcome and reason
expect_note() { # KIND TEXT: in the last prediction
  { local -; set +x; } 2>/dev/null
  jq -e --arg kind "$1" --arg text "$2" 'any(.notes[]; .kind == $kind and (.text | contains($text)))' <<<"$prediction" >/dev/null \
    || fail "no note '$1' with '$2' in $prediction"
}
kernel_answer() { # FILE: the errno with which the kernel refuses it
  { local -; set +x; } 2>/dev/null
  local said
  if said=$(LC_ALL=C insmod "$1" 2>&1); then unload_by_hand "$(basename "$1" .ko)" >&2; echo none; return; fi
  echo "$said" >&2
  case $said in
    *'Device or resource busy') echo EBUSY ;;
    *'Key was rejected by service') echo EKEYREJECTED ;;
    *'Operation not permitted') echo EPERM ;;
    *'Invalid parameters') echo EINVAL ;;
    *'Invalid argument') echo EINVAL ;;
    *'Invalid module format') echo ENOEXEC ;;
    *'File exists') echo EEXIST ;;
    *'Unknown symbol in module') echo ENOENT ;;
    *) echo "$said" ;;
  esac
}

# A good patch dropped now must become active: the daemon still does its work.
expect_others_apply() { # NAME FILE
  drop_patch "$MODULES/$1.ko"
  wait_state "$1" active
  klp_active "$1" || fail "$1 is not active in the kernel"
  file_says "$2" "livepatched: $1" || fail "$2 does not show $1"
}

# --- the runner

note() { printf 'note %s\n' "$*" >&3; } # shown on the host even when the scenario passes
figure() { # SECTION TEXT: a line of that section of docs/reliability.md
  note "md-$1 ${*:2}"
}
keep() { printf 'keep %s %s\n' "$1" "$2" >&3; } # KEY VALUE: the next stage finds it in LAB_KEPT_KEY; the value holds no quotes
power_cut() { # ends this stage as if the plug were pulled
  echo cut >&3
  sleep 60
  fail "nobody pulled the plug"
}
power_cut_within() { printf 'cut %s\n' "$1" >&3; } # MILLISECONDS: the same at a random moment, while the script goes on
dies() { # CMD...: the kernel panics of it, which ends this stage
  sync
  echo dies >&3
  "$@"
  sleep 50
  fail "the kernel survived: $*"
}

# Takes out every file and waits until the daemon has brought the old code back. Between scenarios.
cleanup_all() {
  local left name asked deadline=$((SECONDS + 40)) dirty=0
  echo 1 >/proc/sys/kernel/ftrace_enabled
  if [ -e /sys/module/lp_target_busy ]; then
    release_busy
  fi
  if [ -e /sys/module/lp_target_hold ]; then
    echo 1 >/sys/module/lp_target_hold/parameters/release
  fi
  pkill -KILL -x sleep || true
  for name in lab-io lab-stress lab-blocker lab-reader; do
    if [ -e "/run/systemd/transient/$name.service" ]; then
      systemctl stop "$name" || true
      systemctl reset-failed "$name" 2>/dev/null || true
    fi
  done
  if [ -e "$DROPINS/90-scenario.yaml" ]; then
    rm "$DROPINS/90-scenario.yaml"
    systemctl reload livepatchd
  fi
  if [ -d "$PATCHES" ]; then find "$PATCHES" -mindepth 1 -delete; fi
  lab_patches() { (cd /sys/module && for name in lp_*; do if [ -e "$name" ] && [[ $name != lp_target_* ]]; then echo "$name"; fi; done); }
  if [ "$LAB_PRODUCT" = yes ] && systemctl is-active --quiet livepatchd; then
    while asked=${EPOCHREALTIME/[.,]/} left=$(lab_patches) && [ -n "$left" ] && [ "$SECONDS" -lt "$deadline" ]; do nap_after "$asked"; done
  fi
  for name in $(lab_patches); do
    echo "cleanup: $name was left behind" >&2
    dirty=1
    unload_by_hand "$name"
  done
  for name in lp_target_busy lp_target_hold lp_target_probe lp_target_post; do
    if [ -e "/sys/module/$name" ]; then rmmod "$name"; fi
  done
  return "$dirty"
}
