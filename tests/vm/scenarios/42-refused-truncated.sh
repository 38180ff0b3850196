# Half a file is refused as such, and a file that is no ELF file at all with its own reason.
# set: all
. /opt/lab/lib.sh

drop_patch "$MODULES/lp_truncated.ko"
expect_refused lp_truncated rejected truncated-file
expect_others_apply lp_good03 /proc/softirqs
expect_no_retries lp_truncated 5 "Invalid ELF"
assert_eq 0 "$(kernel_count 'Invalid ELF')" "attempts the kernel saw"

head -c 3000 /dev/zero >/run/lab/lp_zeros.ko
drop_patch /run/lab/lp_zeros.ko
expect_refused lp_zeros rejected not-an-elf-file
