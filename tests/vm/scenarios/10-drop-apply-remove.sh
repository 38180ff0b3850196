# A file dropped into the directory becomes a patched kernel, every surface agrees, and taking it out brings the old code back.
. /opt/lab/lib.sh

before=$(</proc/cmdline)
klp_absent lp_cmdline || fail "lp_cmdline is there before the start"

drop_patch "$MODULES/lp_cmdline.ko"
wait_state lp_cmdline active
klp_active lp_cmdline || fail "active, but the kernel does not say so"
assert_contains "$(</proc/cmdline)" "livepatchd demo: this kernel is livepatched" /proc/cmdline
assert_eq 1 "$(load_count lp_cmdline)" "loads of lp_cmdline"

# JSON, bus and metrics tell one story
sha256=$(sha256sum <"$MODULES/lp_cmdline.ko" | cut -d' ' -f1)
json=$(livepatchctl list --json)
assert_eq 1 "$(jq .schema <<<"$json")" "schema of list"
assert_eq "active null $sha256 $RELEASE" \
  "$(jq -r '.patches[] | select(.name == "lp_cmdline") | "\(.state) \(.reason) \(.sha256) \(.kernel_release)"' <<<"$json")" "list --json"
shown=$(livepatchctl show lp_cmdline --json)
assert_eq "$(jq -Sc '.patches[] | select(.name == "lp_cmdline")' <<<"$json")" "$(jq -Sc .patch <<<"$shown")" "list and show"
build_id=$(tail -c 20 /sys/module/lp_cmdline/notes/.note.gnu.build-id | od -An -v -tx1 | tr -d ' \n')
assert_eq "$build_id" "$(jq -r .patch.build_id <<<"$shown")" "build_id in JSON"

assert_eq active "$(patch_prop lp_cmdline State)" "bus State"
assert_eq "$sha256" "$(patch_prop lp_cmdline Sha256)" "bus Sha256"
assert_eq "$build_id" "$(patch_prop lp_cmdline BuildId)" "bus BuildId"
assert_eq "$RELEASE" "$(patch_prop lp_cmdline KernelRelease)" "bus KernelRelease"
assert_eq "$RELEASE" "$(bus_prop /org/livepatchd1 org.livepatchd1.Manager KernelRelease)" "bus KernelRelease of the manager"
assert_contains "$(busctl --system tree --list org.livepatchd1)" "$(bus_path lp_cmdline)" "busctl tree"
assert_contains "$(busctl --system --json=short call org.livepatchd1 /org/livepatchd1 org.freedesktop.DBus.ObjectManager GetManagedObjects)" \
  "$(bus_path lp_cmdline)" GetManagedObjects
assert_contains "$(busctl --system --json=short call org.livepatchd1 /org/livepatchd1 org.livepatchd1.Manager ListPatches)" lp_cmdline ListPatches

assert_metric 1 livepatchd_patch_info patch=lp_cmdline "sha256=${sha256:0:12}"
assert_metric 1 livepatchd_patch_state patch=lp_cmdline state=active
assert_metric 1 livepatchd_info "kernel=$RELEASE"
assert_metric 1 livepatchd_patches state=active
assert_metric "" livepatchd_transition_started_timestamp_seconds
[ -n "$(metric livepatchd_info)" ] || fail "no livepatchd_info"
assert_contains "$(curl -sS --max-time 5 http://127.0.0.1:9817/metrics)" livepatchd_patch_info "metrics over TCP"

livepatchctl check
assert_eq 0 "$(livepatchctl plan --json | jq '.steps | length')" "steps still planned"
assert_eq "" "$(livepatchctl status --json | jq -r '.transition // empty')" "transition in status"

remove_patch lp_cmdline
wait_until 30 module_absent lp_cmdline
klp_absent lp_cmdline || fail "lp_cmdline is still in $TREE"
assert_eq "$before" "$(</proc/cmdline)" /proc/cmdline
wait_until 10 is_gone lp_cmdline
wait_until 10 metric_is "" livepatchd_patch_state patch=lp_cmdline state=active
