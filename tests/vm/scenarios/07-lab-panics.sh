# A panic ends a stage as it should, the next one finds the disk as it was synced, and the consoles count loads over all boots.
# daemon: no
# set: long
# stages: 3
# timeout: 60
. /opt/lab/lib.sh

case $LAB_STAGE in
  1)
    echo kept >/var/tmp/lab-kept
    keep ONE "a word and another"
    dies insmod "$MODULES/lp_panic_init.ko"
    ;;
  2)
    assert_eq kept "$(cat /var/tmp/lab-kept)" "a file that was synced"
    assert_eq "a word and another" "$LAB_KEPT_ONE" "what the host kept"
    assert_eq 1 "$(console_count "lp_panic_init: loaded")" "loads of lp_panic_init"
    dies insmod "$MODULES/lp_panic_later.ko"
    ;;
  3)
    assert_eq 1 "$(console_count "lp_panic_init: loaded")" "loads of lp_panic_init"
    assert_eq 1 "$(console_count "lp_panic_later: loaded")" "loads of lp_panic_later"
    assert_eq 2 "$(console_count "Kernel panic")" panics
    ;;
esac
