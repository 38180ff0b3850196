# What the README tells a reader to type, typed as it stands there.
# set: all
# timeout: 180
. /opt/lab/lib.sh

export HOME=/root
readme=$MODULES/readme
before=$(</proc/cmdline)

# The product is on this guest already, and there is neither a network nor a compiler: these are stood in for, and nothing else.
sudo() { "$@"; }
apt-get() { :; }
make() {
  case $* in
    install) [ -x /usr/libexec/livepatchd/livepatchd ] && [ -x /usr/bin/livepatchctl ] ;;
    "-C /lib/modules/$RELEASE/build M=$HOME/first-patch modules")
      cmp first_patch.c "$readme/first_patch.c"
      cmp Makefile "$readme/Makefile"
      cp "$readme/first_patch.ko" . ;;
    *) fail "the README asks for make $*, which nobody stands in for here" ;;
  esac
}

systemctl disable --quiet --now livepatchd
(. "$readme/install.sh") >/run/readme-install
assert_contains "$(</run/readme-install)" "State: running" "the last line of the installation"
systemctl is-enabled livepatchd

(. "$readme/first-patch.sh") >/run/readme-first
assert_contains "$(</run/readme-first)" "this kernel has been livepatched" "what the reader sees"
grep -qxF -- "$before" /run/readme-first || fail "the reader does not see the kernel's own command line again"
assert_eq 1 "$(load_count first_patch)" "loads of first_patch"
klp_absent first_patch || fail "first_patch is still patched in"
module_absent first_patch || fail "the module of first_patch is still there"
rm -r "$HOME/first-patch"

# signed by the README's commands: who asks for signatures gets it by the key that was made, and not without
trap 'rm -rf /etc/livepatchd/keys.d' EXIT
install -d -m 755 /etc/livepatchd/keys.d
configure 'trust: {require: module-signature}'
expect_as_planned "$readme/lp_good06.ko" refused trust-unavailable
install -m 644 "$readme/mok.pem" /etc/livepatchd/keys.d/
livepatchctl apply lp_good06
assert_eq verified "$(patch_field lp_good06 signature)" "signature of what the README's commands signed"
