# The plug is pulled at random moments of apply and revert: every boot comes up, the journal is readable, no accepted operation is lost, and each patch's state is explained and is what the kernel says.
# kernels: main
# set: all
# stages: 4
# rounds: 3
# timeout: 240
. /opt/lab/lib.sh

NAMES=(lp_good01 lp_good02 lp_good03 lp_good04 lp_good05 lp_good06 lp_good07 lp_good08 lp_good09 lp_good10)

# What may follow from what was accepted before the cut, or was under way when it came.
may_be() { # WORD STATE REASON
  case $1:$2:$3 in
    # accepted and confirmed: it is there again
    active:active: | active:soaking:) ;;
    # accepted, and the cut came in its probation
    soaking:active: | soaking:soaking: | soaking:held:suspected | soaking:quarantined:host-crashed) ;;
    reverted:reverted:*) ;;
    absent::) ;;
    # under way: either side of it, or in the load, which is a crash with that patch
    doing:active: | doing:soaking: | doing:held:suspected | doing:quarantined:host-crashed | doing:reverted:* | doing::) ;;
    *) return 1 ;;
  esac
}
settled() { # nothing left to do, and no state that passes by itself
  local name state
  ask plan && [[ $answer == *'"steps":[]'* ]] && ask list || return 1
  while read -r name state _; do
    case $state in active | soaking | reverted | held | quarantined | rejected | superseded | '') ;; *) return 1 ;; esac
  done <<<"$answer"
}

unit_is multi-user.target active || fail "multi-user.target is not reached"
if [ "$LAB_STAGE" -gt 1 ]; then
  wait_until 30 unit_is livepatchd active
  wait_until 150 settled
  assert_eq "running null" "$(livepatchctl status --json | jq -r '"\(.state) \(.reason)"')" "the daemon's state"
  assert_eq 0 "$(find /var/lib/livepatchd/state -name '*damaged*' | wc -l)" "files that were set aside"
  declare -A was
  for pair in $LAB_KEPT_EXPECT; do was[${pair%%:*}]=${pair##*:}; done
  was[${LAB_KEPT_DOING##* }]=doing
  declare -A is why
  # of no patches the answer is an empty line
  while read -r name state reason; do [ -z "$name" ] || { is[$name]=$state why[$name]=$reason; }; done < <(ask_for list)
  found=
  for name in "${NAMES[@]}"; do
    state=${is[$name]:-} reason=${why[$name]:-}
    may_be "${was[$name]:-absent}" "$state" "$reason" \
      || fail "$name was '${was[$name]:-absent}' (in the middle of: $LAB_KEPT_DOING) and is '$state' ($reason)"
    case $state in
      active | soaking) klp_active "$name" || fail "$name is $state, and the kernel does not say so" ;;
      *) klp_absent "$name" || fail "$name is '$state', and it is in the kernel" ;;
    esac
    if [ -n "$state" ]; then
      found+=" ${name#lp_}: $state${reason:+ ($reason)},"
      [ -f "$PATCHES/$name.ko" ] || fail "$name is $state without a file"
      [ -z "$reason" ] || assert_contains "$(livepatchctl show "$name")" "$reason" "livepatchctl show $name"
    fi
    case $state in held | quarantined) livepatchctl release "$name" ;; esac
    # the cut may have come in its load and have taken its file: then the suspicion shows when the file is there again
    if [ "${was[$name]:-}:$state" = doing: ]; then
      LAB_KEPT_LOST+=" $name" # what is kept is told to the next stage, and this one asks too
      keep LOST "$LAB_KEPT_LOST"
    fi
  done
  for module in /sys/module/lp_*; do
    [ ! -e "$module" ] || [ -e "$TREE/${module##*/}" ] || fail "${module##*/} is loaded and is no patch in force"
  done
  found=${found%,}
  figure power "| $((LAB_STAGE - 1)) | $LAB_KEPT_CUT_MS | ${LAB_KEPT_DOING//lp_/} |${found:- nothing loaded} |"
  [ "$LAB_STAGE" -lt "$LAB_STAGES" ] || exit 0
else
  figure power '| cut | ms after the mark | in the middle of | found by the next boot |'
  figure power '|---|---|---|---|'
  configure 'soak: {duration: 3s}'
  wait_until 30 startup_finished
  sync
fi

# Accepted operations are told to the host after each, and the one under way before it.
declare -A now
tell() {
  local name text=
  for name in "${!now[@]}"; do text+="$name:${now[$name]} "; done
  keep EXPECT "${text% }"
}
doing() { keep DOING "$1 $2"; }
apply() { # NAME
  if livepatchctl apply "$MODULES/$1.ko"; then return 0; fi
  assert_contains " ${LAB_KEPT_LOST:-} " " $1 " "names whose files were lost by a cut"
  [[ "$(patch_state "$1") $(patch_reason "$1")" =~ ^(held suspected|quarantined host-crashed)$ ]] || fail "why is $1 refused?"
  livepatchctl release "$1"
  wait_until 60 klp_active "$1"
}
unstage() { # NAME: until it is out of the kernel, and the disk says so: a cut before that is a crash with the patch
  livepatchctl unstage "$1"
  wait_until 60 eval 'module_absent "'"$1"'" && [[ "$(patch_state "'"$1"'")" =~ ^(reverted)?$ ]]'
  sync
}
settle_word() { # NAME: what an accepted apply has come to; a probation may end at any moment after it
  [ "$(patch_state "$1")" = active ] && now[$1]=active || now[$1]=soaking
  tell
}
for name in "${NAMES[@]}"; do
  case $(patch_state "$name") in
    active) now[$name]=active ;;
    '') ;;
    *) now[$name]=soaking ;;
  esac
done
for name in "${!now[@]}"; do
  doing unstage "$name"
  tell
  unstage "$name"
  now[$name]=absent
done
doing nothing nothing
tell
sync
power_cut_within 9000
for ((i = LAB_STAGE; ; i += 2)); do
  first=${NAMES[i % ${#NAMES[@]}]} second=${NAMES[(i + 1) % ${#NAMES[@]}]}
  doing apply "$first"
  apply "$first"
  settle_word "$first"
  doing apply "$second"
  apply "$second"
  settle_word "$second"
  doing revert "$first"
  livepatchctl revert "$first"
  now[$first]=reverted
  tell
  doing unstage "$second"
  unstage "$second"
  now[$second]=absent
  tell
done
