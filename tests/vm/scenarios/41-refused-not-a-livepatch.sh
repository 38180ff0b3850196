# An ordinary module is refused before it is ever loaded.
# set: all
. /opt/lab/lib.sh

drop_patch "$MODULES/lp_notlive.ko"
expect_refused lp_notlive rejected not-a-livepatch
expect_others_apply lp_good03 /proc/softirqs
expect_no_retries lp_notlive 5 lp_notlive
