# The real polkitd decides for users other than root; when it is dead, stopped or silent, root goes on and everybody else waits a second at most.
# set: all
# timeout: 120
. /opt/lab/lib.sh

RULES=/etc/polkit-1/rules.d/10-lab.rules
as() { setpriv --reuid="$1" --regid="$(id -g "$1")" --clear-groups "${@:2}"; } # USER COMMAND...
refused() { # USER PART COMMAND...: exit code 77 within 3 s, the word in the message, and the patch untouched
  { local -; set +x; } 2>/dev/null
  local said rc=0 started=$SECONDS
  said=$(as "$1" "${@:3}" 2>&1) || rc=$?
  assert_eq 77 "$rc" "exit code of ${*:3} as $1 ($said)"
  assert_contains "$said" "$2" "message of ${*:3} as $1"
  [ $((SECONDS - started)) -le 3 ] || fail "${*:3} as $1 took $((SECONDS - started)) s"
  klp_active lp_good01 || fail "lp_good01 is not active any more"
}

for action in apply revert stage confirm override-gates downgrade force hold reload diagnose; do
  pkaction --action-id "org.livepatchd1.$action" >/dev/null || fail "polkitd does not know org.livepatchd1.$action"
done

drop_patch "$MODULES/lp_good01.ko"
wait_state lp_good01 active

# readers need nothing
assert_contains "$(as nobody livepatchctl list)" lp_good01 "list as nobody"
as nobody livepatchctl check

# no rule: an administrator's password, and nobody is there to give it
refused nobody password livepatchctl revert lp_good01
refused nobody password livepatchctl reload

# the group that is installed allows nothing by itself
usermod -aG livepatchd games
refused games password livepatchctl revert lp_good01

# a rule: its members may revert and apply, and nothing else
cat >"$RULES" <<'EOF'
polkit.addRule(function(action, subject) {
    if (action.id.indexOf("org.livepatchd1.") == 0 && subject.isInGroup("livepatchd"))
        return action.id == "org.livepatchd1.revert" || action.id == "org.livepatchd1.apply" ? polkit.Result.YES : polkit.Result.NO;
});
EOF
chmod 644 "$RULES"
systemctl restart polkit
refused games "says no" livepatchctl unstage lp_good01
refused nobody password livepatchctl revert lp_good01
as games livepatchctl revert lp_good01
wait_state lp_good01 reverted
as games livepatchctl apply lp_good01
wait_state lp_good01 active

# silent
polkitd=$(main_pid polkit)
kill -STOP "$polkitd"
refused games "did not answer in time" livepatchctl revert lp_good01
livepatchctl reload
kill -CONT "$polkitd"

# dead, and not to be started
systemctl mask --runtime --now polkit
refused games "cannot be reached" livepatchctl revert lp_good01
livepatchctl revert lp_good01
wait_state lp_good01 reverted
livepatchctl apply lp_good01
wait_state lp_good01 active
systemctl unmask --runtime polkit

rm "$RULES"
remove_patch lp_good01
wait_until 30 module_absent lp_good01
