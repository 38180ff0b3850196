# A user without rights kills its own manager while a patch is on probation: told as a coincidence by show, bus, metrics and journal, the soak begins anew once, and nothing is taken out.
# boot: user
# timeout: 120
. /opt/lab/lib.sh

as_user() { setpriv --reuid=1000 --regid=1000 --clear-groups "$@"; }

useradd --uid 1000 --create-home lab-user
systemctl start user@1000.service
wait_until 30 unit_is user@1000 active
configure 'soak: {duration: 30m}' 'gates: {settle: 0s}'

drop_patch "$MODULES/lp_good01.ko"
wait_state lp_good01 soaking 60
before=$(fingerprint lp_good01) ends=$(patch_prop lp_good01 SoakUntilUsec)
as_user kill -9 "$(main_pid user@1000)"
wait_until 30 unit_is user@1000 failed
wait_until 60 coincided lp_good01
expect_coincidence lp_good01 "units-failed: failed: user@1000.service" "$before" "$ends"
livepatchctl confirm lp_good01
wait_state lp_good01 active
systemctl reset-failed user@1000.service
