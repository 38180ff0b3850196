# Where the kernel takes signed modules only, an unsigned patch is refused with that reason and the daemon stays at work.
# boot: enforced
# cmdline: module.sig_enforce=1
. /opt/lab/lib.sh

drop_patch "$MODULES/lp_good01.ko"
expect_refused lp_good01 rejected signature-required
expect_no_retries lp_good01 8 "Loading of unsigned module is rejected"
[ "$(kernel_count 'Loading of unsigned module is rejected')" -le 1 ] || fail "the kernel was asked more than once"

# other files still get their own reasons
drop_patch "$MODULES/lp_notlive.ko"
expect_refused lp_notlive rejected not-a-livepatch
unit_is livepatchd active || fail "livepatchd is $answer"
