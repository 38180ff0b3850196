# Two patches of one function: the plan says that the second goes on top of the first, and it does; a cumulative one is foretold to replace both.
# set: all
. /opt/lab/lib.sh

expect_as_planned "$MODULES/lp_stack1.ko" loads
assert_eq '[]' "$(jq -c .notes <<<"$prediction")" "notes for the first"
expect_as_planned "$MODULES/lp_stack2.ko" loads
expect_note stacks-on lp_stack1
assert_eq "livepatched: lp_stack2" "$(</proc/cmdline)" /proc/cmdline
expect_as_planned "$MODULES/lp_replace_all.ko" loads
expect_note replaces lp_stack1
wait_until 30 klp_absent lp_stack1
wait_until 30 klp_absent lp_stack2
assert_eq "livepatched: lp_replace_all" "$(</proc/cmdline)" /proc/cmdline
