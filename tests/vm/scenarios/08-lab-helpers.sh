# What labguest answers is what the programs say that it stands in for, also when the daemon is not there and when the kernel's ring has wrapped.
# set: all
# timeout: 180
. /opt/lab/lib.sh

drop_patch "$MODULES/lp_good01.ko"
wait_state lp_good01 active
is_known lp_good01 || fail "lp_good01 is not listed"
is_unknown lp_good02 || fail "lp_good02 is listed"
assert_eq "" "$(patch_state lp_good02)" "state of a patch that is not there"

# the bus
json=$(livepatchctl show lp_good01 --json)
for field in name state sha256 build_id identity kernel_release origin file signature attempts detail; do
  assert_eq "$(jq -r --arg field "$field" '.patch[$field] // empty' <<<"$json")" "$(patch_field lp_good01 "$field")" "$field"
done
assert_eq "$(jq -r '.patch.objects[] | "\(.name) \(if .patched then "yes" else "no" end)"' <<<"$json")" "$(ask_for members lp_good01 Objects)" "objects"
of_busctl() { # PATH INTERFACE PROPERTY
  local value
  value=$(busctl --system get-property org.livepatchd1 "$@")
  value=${value#* } value=${value#\"}
  printf '%s\n' "${value%\"}"
}
assert_eq "$(bus_path io-pressure_1)" /org/livepatchd1/patch/io_2dpressure_5f1 "an escaped path"
for property in State Attempts StackOrder LoadedSinceUsec Sha256; do
  assert_eq "$(of_busctl "$(bus_path lp_good01)" org.livepatchd1.Patch "$property")" "$(patch_prop lp_good01 "$property")" "$property"
done
gate=/org/livepatchd1/gate/io_2dpressure
for property in Open CloseAt Unit; do
  assert_eq "$(of_busctl "$gate" org.livepatchd1.Gate "$property")" "$(bus_prop "$gate" org.livepatchd1.Gate "$property")" "$property"
done
while read -r name open; do
  gate_is "$name" "$open" || fail "the gate $name is '$answer', and not '$open'"
done < <(livepatchctl gates --json | jq -r '.gates[] | "\(.name) \(.open)"')
if bus_prop /org/livepatchd1 org.livepatchd1.Manager NoSuchProperty; then fail "a property that is not there was answered"; fi
livepatchctl plan --json | jq -e '.steps == []'
[[ $(ask_for plan) == *'"steps":[]'* ]] || fail "the plan is $(ask_for plan)"
for property in MainPID StatusText ActiveState NRestarts; do
  assert_eq "$(systemctl show -P "$property" livepatchd)" "$(unit_prop livepatchd "$property")" "$property"
done
assert_eq "$(systemctl show -P FinishTimestampMonotonic)" "$(ask_for systemd FinishTimestampMonotonic)" "the end of the startup"

# metrics
text=$(curl -sS --max-time 5 --unix-socket /run/livepatchd/metrics.sock http://localhost/metrics)
series=0
while read -r name labels value; do
  IFS=, read -ra labels <<<"${labels//\"/}"
  assert_eq "$value" "$(metric "$name" "${labels[@]}")" "$name ${labels[*]}"
  series=$((series + 1))
done < <(sed -nE 's/^(livepatchd_patches|livepatchd_gate_open|livepatchd_patch_info)\{([^}]*)\} ([^ ]+).*/\1 \2 \3/p' <<<"$text")
[ "$series" -ge 5 ] || fail "only $series series were compared"
assert_eq "$(sed -nE 's/^livepatchd_config_last_reload_successful ([^ ]+).*/\1/p' <<<"$text")" "$(metric livepatchd_config_last_reload_successful)" "a metric without labels"
assert_eq "" "$(metric livepatchd_patches state=nowhere)" "a series that is not there"
assert_eq "" "$(metric livepatchd_patch)" "half a name"

# the kernel's log, which the journal has a moment later
of_journal() { # TEXT
  journalctl -b -k -q --no-pager -o cat | TEXT=$1 awk '/scenario-begins / { n = 0 } index($0, ENVIRON["TEXT"]) { n++ } END { print n + 0 }'
}
same_count() { [ "$(of_journal "$1")" = "$(kernel_count "$1")" ] && [ "$(ask_for journal-kernel-count "$1")" = "$(kernel_count "$1")" ]; }
wait_until 10 same_count livepatch
assert_eq 1 "$(load_count lp_good01)" "loads of lp_good01"
assert_eq 0 "$(kernel_count "the kernel has never said this")" "a text that is not there"
text="'lp_good01': patching complete"
assert_eq "$(journalctl -b -k -q --no-pager -o short-monotonic | grep -F "$text" | tail -n 1 | sed -E 's/^\[ *([0-9]+)\.([0-9]{3}).*/\1\2/')" \
  "$(kernel_moment "$text")" "the moment of the transition's end"
if kernel_moment "the kernel has never said this"; then fail "what was not logged has a moment"; fi
printf 'one livepatch\nnone\nanother livepatch\n' >/run/lab/lines
assert_eq 2 "$(ask_for file-count /run/lab/lines livepatch)" "lines of a file"
file_says /run/lab/lines another || fail "a text in a file was not found"
if file_says /run/lab/lines third; then fail "a text was found that is not in the file"; fi

# the journal
configured=$(journalctl -b -q --no-pager -o cat -u livepatchd | grep -c lp_good01) || true
[ "$configured" -ge 1 ] || fail "the journal has nothing of lp_good01"
unit_said livepatchd 'lp_good0[1]' || fail "the journal's line was not found: $answer"
if unit_said livepatchd 'lp_good0[2]'; then fail "a line was found that the journal does not have"; fi
id=$(journalctl -b -q --no-pager -o json -u livepatchd --output-fields MESSAGE_ID | jq -r '.MESSAGE_ID // empty' | tail -n 1)
assert_eq "$(journalctl -b -q --no-pager -o cat "MESSAGE_ID=$id" | grep -c .)" "$(event_count "$id" "")" "events of $id"

# a daemon that is not there, and is there again
systemctl mask --quiet --runtime --now livepatchd
assert_eq "" "$(patch_state lp_good01)" "state without the daemon"
if is_known lp_good01 || is_unknown lp_good01; then fail "something is known of a list that nobody gave"; fi
if metric_is 1 livepatchd_patches state=active; then fail "a metric is served"; fi
systemctl unmask --quiet --runtime livepatchd
systemctl start livepatchd
wait_state lp_good01 active
before=$(fingerprint lp_good01)

# what the ring has overwritten comes from the journal
echo "lab: a line that nobody has read" >/dev/kmsg
printf -v long '%0900d' 0
for ((line = 0; line < 400; line++)); do echo "lab: $long" >/dev/kmsg; done
assert_eq 1 "$(kernel_count "a line that nobody has read")" "a line that the ring no longer has"
assert_eq 1 "$(load_count lp_good01)" "loads of lp_good01 after the ring has wrapped"
assert_eq "$before" "$(fingerprint lp_good01)" "the fingerprint after the ring has wrapped"
wait_until 10 same_count livepatch

remove_patch lp_good01
wait_until 30 module_absent lp_good01
