# What trust.require asks for decides, with certificates, signatures and denials as they are on disk; the plan says it before.
# set: all
# timeout: 240
. /opt/lab/lib.sh

keys=/etc/livepatchd/keys.d denials=/etc/livepatchd/deny.d
trap 'rm -rf "$keys" "$denials"' EXIT
install -d -m 755 "$keys"
install -m 644 "$MODULES/trust/signer.pem" "$keys/"

# the module's own signature
configure 'trust: {require: module-signature}'
expect_as_planned "$MODULES/trust/lp_good01.ko" loads
assert_eq verified "$(patch_field lp_good01 signature)" "signature of lp_good01"
expect_as_planned "$MODULES/trust/lp_good03.ko" refused signature-untrusted
expect_as_planned "$MODULES/lp_good04.ko" refused signature-missing
# one byte of what was signed is another
cp "$MODULES/trust/lp_good02.ko" /run/lab/lp_good02.ko
at=$(grep -abo 'livepatchd test patch of' /run/lab/lp_good02.ko | head -n 1 | cut -d: -f1)
printf L | dd of=/run/lab/lp_good02.ko bs=1 seek="$at" conv=notrunc status=none
expect_as_planned /run/lab/lp_good02.ko refused signature-mismatch

# whose certificate goes loses nothing that is loaded, and gets nothing new in
rm "$keys/signer.pem"
expect_as_planned "$MODULES/trust/lp_good02.ko" refused trust-unavailable
assert_eq active "$(patch_state lp_good01)" "state of lp_good01"
install -m 644 "$MODULES/trust/signer.pem" "$keys/"
livepatchctl apply lp_good02
wait_state lp_good02 active
for name in lp_good01 lp_good02; do remove_patch "$name"; wait_until 30 module_absent "$name"; done

# the manifest's signature
configure 'trust: {require: manifest-signature}'
find "$PATCHES" -mindepth 1 -delete
install -m 644 "$MODULES/trust/lp_good01.yaml" "$PATCHES/"
drop_patch "$MODULES/trust/lp_good01.ko"
wait_state lp_good01 rejected
assert_eq signature-missing "$(patch_reason lp_good01)" "reason without NAME.yaml.p7s"
install -m 644 "$MODULES/trust/lp_good01.yaml.p7s" "$PATCHES/"
wait_state lp_good01 active
remove_patch lp_good01
wait_until 30 module_absent lp_good01
printf '# another line\n' >>"$PATCHES/lp_good01.yaml"
drop_patch "$MODULES/trust/lp_good01.ko"
wait_state lp_good01 rejected
assert_eq signature-mismatch "$(patch_reason lp_good01)" "reason with another manifest"

# a denial wins over everything
find "$PATCHES" -mindepth 1 -delete
configure 'trust: {require: none}'
install -d -m 755 "$denials"
: >"$denials/$(sha256sum <"$MODULES/trust/lp_good02.ko" | cut -d' ' -f1)"
expect_as_planned "$MODULES/trust/lp_good02.ko" refused denied
expect_as_planned "$MODULES/lp_good05.ko" loads
