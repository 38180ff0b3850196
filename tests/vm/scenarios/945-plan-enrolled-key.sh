# Where the kernel takes signed modules only, one signed by a key of the firmware's signature database is foretold to load, and loads.
# boot: enrolled
# cmdline: module.sig_enforce=1
# firmware: uefi
# set: all
. /opt/lab/lib.sh

grep -q '\.platform: 1' /proc/keys || fail "the kernel has no key of the firmware's: $(grep keyring /proc/keys)"
expect_as_planned "$MODULES/lp_good01.ko" refused signature-required
expect_as_planned "$MODULES/trust/lp_good03.ko" refused signature-required
expect_as_planned "$MODULES/trust/lp_good04.ko" loads
