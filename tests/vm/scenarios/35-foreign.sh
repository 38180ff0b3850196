# A patch loaded by hand is foreign: seen, and touched neither on start nor on reload nor on stop; the daemon's own patches stay on stop too.
. /opt/lab/lib.sh

load_by_hand "$MODULES/lp_version.ko"
before=$(fingerprint lp_version)
wait_state lp_version foreign
assert_eq foreign "$(patch_prop lp_version State)" "bus State"
assert_metric 1 livepatchd_patches state=foreign

drop_patch "$MODULES/lp_good01.ko"
wait_state lp_good01 active
own=$(fingerprint lp_good01)

systemctl reload livepatchd
wait_state lp_version foreign
assert_eq "$before" "$(fingerprint lp_version)" "the foreign patch after reload"

systemctl stop livepatchd
assert_eq "$before" "$(fingerprint lp_version)" "the foreign patch after stop"
assert_eq "$own" "$(fingerprint lp_good01)" "the daemon's own patch after stop"
klp_active lp_good01 || fail "stopping the daemon took a patch out"

systemctl start livepatchd
wait_state lp_version foreign
wait_state lp_good01 active
assert_eq "$before" "$(fingerprint lp_version)" "the foreign patch after start"
assert_eq "$own" "$(fingerprint lp_good01)" "the daemon's own patch after start"
assert_eq 0 "$(livepatchctl plan --json | jq '.steps | length')" "steps planned"

unload_by_hand lp_version
wait_until 15 is_unknown lp_version
