# A reboot in mid-probation: with manual confirmation it counts as not confirmed, else a new probation begins. What is confirmed is applied before the boot is complete, the rest after it.
# stages: 3
# set: all
# timeout: 200
. /opt/lab/lib.sh

case $LAB_STAGE in
  1)
    # something slow in the boot keeps it incomplete for a while
    cat >/etc/systemd/system/lab-slow.service <<'UNIT'
[Unit]
Description=Something slow
Before=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sleep 30
[Install]
WantedBy=multi-user.target
UNIT
    systemctl enable --quiet lab-slow.service
    configure 'soak: {duration: 1h, confirm: manual}'
    livepatchctl apply "$MODULES/lp_good01.ko"
    livepatchctl apply "$MODULES/lp_good02.ko"
    livepatchctl confirm lp_good02
    wait_state lp_good02 active 60
    assert_eq soaking "$(patch_state lp_good01)" "state before the reboot"
    ;;
  2)
    wait_until 60 startup_finished
    wait_state lp_good02 active 60
    began=$(kernel_moment "enabling patch 'lp_good02'")
    [ "$began" -lt "$(startup_finished_ms)" ] || fail "the confirmed patch was applied at $began ms, after the boot was complete ($(startup_finished_ms) ms)"
    wait_reason lp_good01 not-confirmed 15
    klp_absent lp_good01 || fail "the patch that was not confirmed is loaded"
    assert_eq 0 "$(load_count lp_good01)" "loads of the patch that was not confirmed"
    configure 'soak: {duration: 12s, confirm: automatic}'
    livepatchctl apply "$MODULES/lp_good03.ko"
    assert_eq soaking "$(patch_state lp_good03)" "state before the reboot"
    ;;
  3)
    wait_until 60 startup_finished
    wait_state lp_good02 active 60
    wait_state lp_good03 soaking 60
    first=$(kernel_moment "enabling patch 'lp_good02'")
    later=$(kernel_moment "enabling patch 'lp_good03'")
    finished=$(startup_finished_ms)
    note "$LAB_LINE confirmed applied at $first ms, boot complete at $finished ms, on probation applied at $later ms"
    [ "$first" -lt "$finished" ] || fail "the confirmed patch was applied after the boot was complete"
    [ "$later" -ge "$finished" ] || fail "the patch on probation was applied before the boot was complete"
    wait_state lp_good03 active 40
    assert_eq not-confirmed "$(patch_reason lp_good01)" "reason of the first patch"
    wait_until 10 metric_is "" livepatchd_patches state=quarantined
    ;;
esac
