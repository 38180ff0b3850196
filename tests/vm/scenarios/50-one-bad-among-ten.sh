# Ten files come at once and one of them is bad: nine become active.
# set: all
# timeout: 150
. /opt/lab/lib.sh

install -d -m 755 "$PATCHES"
for name in lp_good01 lp_good02 lp_good03 lp_good04 lp_missing_symbol lp_good05 lp_good06 lp_good07 lp_good08 lp_good09; do
  drop_patch "$MODULES/$name.ko"
done
for number in 1 2 3 4 5 6 7 8 9; do wait_state "lp_good0$number" active 80; done
wait_state lp_missing_symbol rejected
json=$(livepatchctl list --json)
assert_eq 9 "$(jq '[.patches[] | select(.state == "active")] | length' <<<"$json")" "active patches in JSON"
assert_metric 9 livepatchd_patches state=active
assert_metric 1 livepatchd_patches state=rejected
assert_eq 9 "$(find "$TREE" -mindepth 1 -maxdepth 1 -name 'lp_good*' | wc -l)" "patches in the kernel"
for number in 1 2 3 4 5 6 7 8 9; do
  klp_active "lp_good0$number" || fail "lp_good0$number is not active in the kernel"
done
