# Guest helpers of the scenarios; each says on failure what it saw.
# shellcheck shell=bash

MODULES=/opt/lab/modules
RELEASE=$(uname -r)
PATCHES=/var/lib/livepatchd/patches/$RELEASE
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
sleep() { # SECONDS: takes the place of the program in scenarios and in what they source
  { local -; set +x; } 2>/dev/null
  read -r -t "$1" -u "$never" _ || true
}
nap_after() { # MICROSECONDS, by EPOCHREALTIME, at which the question was asked
  local pause=$(((${EPOCHREALTIME/[.,]/} - $1) * 3))
  ((pause >= 100000)) || pause=100000
  ((pause <= 1500000)) || pause=1500000
  read -r -t "$((pause / 1000000)).$(printf '%06d' $((pause % 1000000)))" -u "$never" _ || true
}

# Times to wait for a condition are written for a guest that has a processor of the host to itself. Beside others it is as slow as they
# make it, so the end is further away; who waits for what comes goes on as soon as it has come.
PATIENCE=4

wait_until() { # SECONDS CMD...
  { local -; set +x; } 2>/dev/null
  local end=$((SECONDS + $1 * PATIENCE)) asked
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

# --- the helper that stays

# labguest answers over a pipe what livepatchctl, busctl, systemctl, curl, journalctl and jq would be started for. It belongs to one
# scenario, and starts with its first question.
coproc LABGUEST { set +x; IFS= read -r request && exec /opt/lab/bin/labguest "$request"; }
exec {to_guest}>&"${LABGUEST[1]}" {from_guest}<&"${LABGUEST[0]}" {LABGUEST[0]}<&- {LABGUEST[1]}>&-
asked_so_far=0
ask() { # QUESTION ARGUMENT...: the answer in $answer; 1 when there is none, and then $answer says why
  { local -; set +x; } 2>/dev/null
  local IFS=$'\x1f' tag=$BASHPID.$((++asked_so_far)) from code lines line
  printf '%s\n' "$tag$IFS$*" >&"$to_guest"
  while :; do
    IFS=' ' read -r -t "${limit:-120}" -u "$from_guest" from code lines || fail "labguest has not answered: $*"
    answer=
    while ((lines-- > 0)); do
      IFS= read -r -t 10 -u "$from_guest" line || fail "labguest has not ended its answer: $*"
      answer+=$line
      ((lines == 0)) || answer+=$'\n'
    done
    # another tag is of a question whose shell was ended before its answer came
    if [ "$from" = "$tag" ]; then return "$code"; fi
  done
}
ask_for() { # QUESTION ARGUMENT...: prints the answer, or why there is none
  { local -; set +x; } 2>/dev/null
  local answer
  ask "$@" || { echo "$1: $answer" >&2; return 1; }
  printf '%s\n' "$answer"
}
must() { # QUESTION ARGUMENT...
  { local -; set +x; } 2>/dev/null
  ask "$@" || fail "$*: $answer"
}

# --- the desired state

drop_patch() { # FILE [NAME.ko]: puts the file in place with one rename, as a careful administrator does
  { local -; set +x; } 2>/dev/null
  must publish "$1" "$PATCHES" "${2:-${1##*/}}"
}

remove_patch() { # NAME
  { local -; set +x; } 2>/dev/null
  must remove "$PATCHES/$1.ko" "$PATCHES/$1".ko.{xz,zst,gz}
}

drop_manifest() { # NAME LINE...: before the module, so that both are seen at once
  { local -; set +x; } 2>/dev/null
  [ -d "$PATCHES" ] || install -d -m 755 "$PATCHES"
  printf '%s\n' "${@:2}" >"$PATCHES/.$1.new"
  must rename "$PATCHES/.$1.new" "$PATCHES/$1.yaml"
}

# --- configuration and the machine's load

DROPINS=/etc/livepatchd/livepatchd.yaml.d
configure() { # LINE...: these keys on top of the lab's own
  { local -; set +x; } 2>/dev/null
  [ -d "$DROPINS" ] || install -d -m 755 "$DROPINS"
  printf '%s\n' "$@" >"$DROPINS/90-scenario.yaml"
  must reload
}

uptime_ms() {
  { local -; set +x; } 2>/dev/null
  local up
  read -r up _ </proc/uptime
  echo $((10#${up/./} * 10))
}
kernel_moment() { ask_for kernel-moment "$1"; } # TEXT: milliseconds of uptime at which the kernel last logged it

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
# It has a file, because what fails in a unit that somebody has made for the moment is held against no patch.
start_reader() {
  cat >/run/systemd/system/lab-reader.service <<'UNIT'
[Service]
Type=simple
NotifyAccess=all
WatchdogSec=4
LimitCORE=0
TimeoutStopSec=5
ExecStart=/bin/bash -c 'while :; do cat /proc/execdomains >/dev/null; systemd-notify WATCHDOG=1; sleep 0.5; done'
UNIT
  systemctl daemon-reload
  systemctl start lab-reader.service
}

# --- what systemd says

unit_prop() { ask_for unit "$1" "$2"; } # UNIT PROPERTY: of the unit, or of the service that it is
unit_is() { ask unit "$1" ActiveState && [[ $answer == "$2" || $2:$answer == active:reloading ]]; } # UNIT STATE, as `systemctl is-active` sees it
main_pid() { ask_for unit "$1" MainPID; } # UNIT
restarted_since() { ask unit livepatchd MainPID && [ "$answer" != 0 ] && [ "$answer" != "$1" ] && unit_is livepatchd active; } # PID
startup_finished() { ask systemd FinishTimestampMonotonic && [ "$answer" != 0 ]; }
startup_finished_ms() { must systemd FinishTimestampMonotonic; echo $((answer / 1000)); }

gate_is() { ask gate "$1" Open && [ "$answer" = "$2" ]; } # NAME true|false
gate_figure_above() { # RATIO: share of the last ten seconds in which somebody waited for I/O, by the kernel's own average
  { local -; set +x; } 2>/dev/null
  local average least=${1#*.}000
  read -r _ average _ </proc/pressure/io
  average=${average#*=}
  [ $((10#${average/./})) -gt $((10#${least:0:4})) ]
}

# --- what the daemon says

patch_json() { livepatchctl show "$1" --json; }
patch_field() { # NAME FIELD: as in the JSON, which shows the properties of the bus; empty when the daemon knows no such patch
  { local -; set +x; } 2>/dev/null
  local answer word property=
  for word in ${2//_/ }; do property+=${word^}; done
  if ask patch "$1" "$property" && [ -n "$answer" ]; then printf '%s\n' "$answer"; fi
}
patch_state() { ask_for patch "$1" State 2>/dev/null || true; } # NAME; empty when the daemon knows no such patch
patch_reason() { ask_for patch "$1" Reason 2>/dev/null || true; }

is_in_state() { ask patch "$1" State && [ "$answer" = "$2" ]; } # NAME STATE
is_for_reason() { ask patch "$1" Reason && [ "$answer" = "$2" ]; } # NAME REASON
wait_patch() { # NAME PROPERTY VALUE [SECONDS]: labguest waits, for signals, and asks again after each
  { local -; set +x; } 2>/dev/null
  local limit=$((${4:-30} * PATIENCE))
  if limit=$((limit + 60)) ask wait "$1" "$2" "$3" $((limit * 1000)); then return 0; fi
  livepatchctl list >&2 || true
  livepatchctl blocking -v >&2 || true
  fail "$1 has $2 '$answer' (state '$(patch_state "$1")', reason '$(patch_reason "$1")') and not '$3' after $limit s"
}
wait_state() { wait_patch "$1" State "$2" "${3:-30}"; } # NAME STATE [SECONDS]
wait_reason() { wait_patch "$1" Reason "$2" "${3:-30}"; } # NAME REASON [SECONDS]

manager_is() { ask get /org/livepatchd1 org.livepatchd1.Manager "$1" && [ "$answer" = "$2" ]; } # PROPERTY VALUE
has_impact() { ask members "$1" Impact && [ -n "$answer" ]; } # NAME
has_object() { ask members "$1" Objects && [[ $'\n'$answer$'\n' == *$'\n'"$2 $3"$'\n'* ]]; } # NAME OBJECT yes|no|unknown: is it patched?
is_known() { ask listed "$1" && [ "$answer" = yes ]; } # NAME: the daemon lists it
is_unknown() { ask listed "$1" && [ "$answer" = no ]; } # NAME: the daemon does not list it any more

# True when the patch of that name is gone, from the list or as reverted.
is_gone() { is_unknown "$1" || is_in_state "$1" reverted; }

scrape() { ask_for scrape; }
metric() { # NAME [LABEL=VALUE...]: the value of the first series with these labels, empty when there is none
  { local -; set +x; } 2>/dev/null
  local answer
  ask metric "$@" || fail "cannot scrape the metrics socket: $answer"
  printf '%s\n' "$answer"
}
metric_is() { ask metric "${@:2}" && [ "$answer" = "$1" ]; } # VALUE NAME [LABEL=VALUE...]
assert_metric() { # VALUE NAME [LABEL=VALUE...]: the exporter may serve an answer a fraction of a second old
  { local -; set +x; } 2>/dev/null
  local end=$((SECONDS + 3 * PATIENCE)) asked
  while asked=${EPOCHREALTIME/[.,]/}; ! metric_is "$@"; do
    if [ "$SECONDS" -ge "$end" ]; then
      scrape | grep "^$2" >&2 || true
      fail "metric ${*:2}: expected '$1', got '$(metric "${@:2}")'"
    fi
    nap_after "$asked"
  done
}

# What the daemon logs under these ids; they never change.
EVENT_QUARANTINED=b64698f377d747119ed7f2835ff9603d
EVENT_HEALTH_CHECK=b8df321a8c744e4fa0935df25a9abe12
EVENT_CRASH_GUARD=065015ac205c4c00a0a8ee0b99095542
EVENT_CRASH_LOOP=a4aa654c2c8348feb4422d8282b63660
event_count() { ask_for event-count "$1" "${2:-}"; } # MESSAGE_ID [PATCH]: in this boot
event_seen() { ask event-count "$1" "${2:-}" && [ "$answer" -ge 1 ]; } # MESSAGE_ID [PATCH]: the journal is behind what it is told
unit_said() { ask unit-said "$1" "$2" 0; } # UNIT PATTERN: in this boot, by the journal

bus_path() { ask_for path "$1"; } # NAME: the object of a patch, escaped as sd_bus_path_encode does
bus_prop() { ask_for get "$@"; } # PATH INTERFACE PROPERTY: one of a basic type
patch_prop() { ask_for patch "$1" "$2"; } # NAME PROPERTY

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
file_says() { ask file-says "$1" "$2" && [ "$answer" = yes ]; } # FILE TEXT

kernel_count() { ask_for kernel-count "$1"; } # TEXT: how often the kernel has logged it in this scenario, on a later stage since the boot
kernel_logged() { ask kernel-count "$1" && [ "$answer" -ge "${2:-1}" ]; } # TEXT [TIMES]: so often at least
console_count() { ask_for console-count "$1" /opt/lab/consoles; } # TEXT: how often the console shows it over all stages, those that ended in a panic too
kernel_lines() { ask_for kernel-lines; } # what kernel_count counts in
mark_kernel_log() { echo "lab: scenario-begins $1" >/dev/kmsg; } # WORD: kernel_count counts from here on
load_count() { kernel_count "livepatch: enabling patch '$1'"; } # NAME: also counts a load the kernel then refused
loaded_times() { ask kernel-count "livepatch: enabling patch '$1'" && [ "$answer" = "$2" ]; } # NAME TIMES

fingerprint() { ask_for fingerprint "$1"; } # NAME: everything by which a second load or a re-creation would show itself

# Loads lp_target_busy and waits until its thread is inside the function that lp_busy patches.
start_busy() {
  insmod "$MODULES/lp_target_busy.ko"
  wait_until 10 kernel_logged "lp_target_busy: busy"
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
  local name=${1##*/}
  wait_until 30 klp_active "${name%.ko}"
}
unload_by_hand() { # NAME
  { local -; set +x; } 2>/dev/null
  if [ -e "$TREE/$1" ]; then echo 0 >"$TREE/$1/enabled"; wait_until 30 klp_absent "$1"; fi
  if [ -e "/sys/module/$1" ]; then wait_until 15 module_unused "$1"; must unload "$1"; fi
}

# --- shared judgements

# Something coincided with the soak: told by show, bus, metrics and journal, the soak prolonged, and the patch is where it was.
expect_coincidence() { # NAME WORDS FINGERPRINT SOAK_UNTIL_USEC: the last two as they were before
  assert_eq soaking "$(patch_state "$1")" "state of $1"
  assert_eq "$3" "$(fingerprint "$1")" "$1 in the kernel"
  assert_contains "$(livepatchctl show "$1" --json | jq -r '.patch | "\(.grade) \(.detail)"')" "coincidence the soak began anew: $2" "what show says of $1"
  assert_metric 1 livepatchd_patches_under_evidence grade=coincidence
  assert_metric "" livepatchd_patches_under_evidence grade=suspect
  [ "$(patch_prop "$1" SoakUntilUsec)" -gt "$4" ] || fail "the soak of $1 was not prolonged"
  assert_contains "$(journalctl -b -q --no-pager -o cat -u livepatchd)" "$1: a coincidence, its soak is prolonged: ${2#*: }" "the journal of the daemon"
}
coincided() { [ "$(patch_prop "$1" Grade)" = coincidence ]; } # NAME

# A refused file: its state and reason on every surface, and nothing left in the kernel.
expect_refused() { # NAME STATE REASON
  wait_state "$1" "$2"
  assert_eq "$2 $3" "$(patch_json "$1" | jq -r '"\(.patch.state) \(.patch.reason)"')" "state and reason of $1"
  assert_eq "$3" "$(patch_prop "$1" Reason)" "bus reason of $1"
  assert_metric 1 livepatchd_patch_state "patch=$1" "state=$2"
  klp_absent "$1" || fail "$1 is in $TREE"
  module_absent "$1" || fail "$1 is in /sys/module"
}

# A patch that did harm: its revert began within 5 s of the evidence (a text of the kernel's log, or the uptime in ms), and it is
# quarantined, on every surface. How long the kernel then takes is the emulator's affair: it is printed.
expect_emergency_revert() { # NAME EVIDENCE REASON WHAT [STATE]: held, with the reason "suspected", where nothing names the patch
  local evidence writing out state=${5:-quarantined}
  wait_until 60 module_absent "$1"
  wait_state "$1" "$state"
  if [[ $2 =~ ^[0-9]+$ ]]; then evidence=$2; else evidence=$(kernel_moment "$2"); fi
  writing=$(kernel_moment "'$1': starting unpatching transition")
  out=$(kernel_moment "'$1': unpatching complete")
  note "$LAB_LINE $1: the revert began $((writing - evidence)) ms after the evidence, and the kernel was unpatched after $((out - evidence)) ms"
  [ "$writing" -ge "$evidence" ] || fail "the revert began before its evidence: the moment of that is wrong"
  [ $((writing - evidence)) -le 5000 ] || fail "the revert began $((writing - evidence)) ms after the evidence"
  assert_eq "$3" "$(patch_reason "$1")" "reason of $1"
  assert_eq "$state" "$(patch_prop "$1" State)" "bus state of $1"
  assert_metric 1 livepatchd_patch_state "patch=$1" "state=$state"
  [ "$state" != quarantined ] || [ "$(metric livepatchd_patches state=quarantined)" -ge 1 ] || fail "livepatchd_patches{state=quarantined} is $(metric livepatchd_patches state=quarantined)"
  assert_contains "$(livepatchctl status)" "$state" "livepatchctl status"
  wait_until 10 event_seen "$EVENT_QUARANTINED" "$1"
  assert_eq 1 "$(load_count "$1")" "loads of $1"
  figure bad "| $LAB_LINE | $4 | $(load_count "$1") | $state ($3); the revert began $((writing - evidence)) ms after the evidence, and was done after $((out - evidence)) ms |"
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
  { read -r prediction && read -r name errno foretold; } \
    < <(livepatchctl plan "$1" --json | jq -rc '.patches[0] | ., "\(.patch) \(.errno) \(.outcome) \(.reason)"') \
    || fail "livepatchctl has no plan of $1"
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
  local left name asked files deadline=$((SECONDS + 40 * PATIENCE)) dirty=0
  echo 1 >/proc/sys/kernel/ftrace_enabled
  if [ -e /sys/module/lp_target_busy ]; then
    release_busy
  fi
  if [ -e /sys/module/lp_target_hold ]; then
    echo 1 >/sys/module/lp_target_hold/parameters/release
  fi
  must end sleep
  for name in lab-io lab-stress lab-blocker lab-reader; do
    if [ -e "/run/systemd/transient/$name.service" ]; then
      systemctl stop "$name" || true
      systemctl reset-failed "$name" 2>/dev/null || true
    fi
  done
  if [ -e "$DROPINS/90-scenario.yaml" ]; then
    must remove "$DROPINS/90-scenario.yaml"
    systemctl reload livepatchd
  fi
  if [ -d "$PATCHES" ]; then
    files=("$PATCHES"/* "$PATCHES"/.[!.]*)
    if [ -e "${files[0]}" ] || [ -e "${files[-1]}" ]; then find "$PATCHES" -mindepth 1 -delete; fi
  fi
  lab_patches() { # in $left
    left=
    for name in /sys/module/lp_*; do
      if [ -e "$name" ] && [[ $name != */lp_target_* ]]; then left+=" ${name##*/}"; fi
    done
  }
  lab_patches
  if [ -n "$left" ] && [ "$LAB_PRODUCT" = yes ] && unit_is livepatchd active; then
    while asked=${EPOCHREALTIME/[.,]/}; lab_patches; [ -n "$left" ] && [ "$SECONDS" -lt "$deadline" ]; do nap_after "$asked"; done
  fi
  for name in $left; do
    echo "cleanup: $name was left behind" >&2
    dirty=1
    unload_by_hand "$name"
  done
  for name in lp_target_busy lp_target_hold lp_target_probe lp_target_post; do
    if [ -e "/sys/module/$name" ]; then must unload "$name"; fi
  done
  return "$dirty"
}
