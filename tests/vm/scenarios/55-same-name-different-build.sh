# Another build under the same module name is noticed and replaced: taken out, then loaded, once.
. /opt/lab/lib.sh

drop_patch "$MODULES/lp_cmdline.ko"
wait_state lp_cmdline active
first=$(patch_field lp_cmdline sha256)
loads=$(load_count lp_cmdline)

drop_patch "$MODULES/v2/lp_cmdline.ko"
second=$(sha256sum <"$MODULES/v2/lp_cmdline.ko" | cut -d' ' -f1)
replaced() { ask patch lp_cmdline Sha256 && [ "$answer" = "$second" ] && is_in_state lp_cmdline active; }
wait_until 40 replaced
assert_contains "$(</proc/cmdline)" "this kernel is livepatched, second build" /proc/cmdline
[ "$first" != "$second" ] || fail "both builds are one file"
assert_eq "$((loads + 1))" "$(load_count lp_cmdline)" "loads of lp_cmdline"
build_id=$(tail -c 20 /sys/module/lp_cmdline/notes/.note.gnu.build-id | od -An -v -tx1 | tr -d ' \n')
assert_eq "$build_id" "$(patch_json lp_cmdline | jq -r .patch.build_id)" "build_id in JSON"
assert_eq "$build_id" "$(patch_prop lp_cmdline BuildId)" "build id on the bus"
[ "$(kernel_count "'lp_cmdline': unpatching complete")" -ge 1 ] || fail "the first build was never taken out"

# the same bytes once more change nothing
before=$(fingerprint lp_cmdline)
drop_patch "$MODULES/v2/lp_cmdline.ko"
sleep 3
assert_eq active "$(patch_state lp_cmdline)" "state after the same bytes"
assert_eq "$before" "$(fingerprint lp_cmdline)" "the patch after the same bytes"

remove_patch lp_cmdline
wait_until 30 module_absent lp_cmdline
