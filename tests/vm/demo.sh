#!/bin/bash
# The story told inside the guest: a running kernel is patched, inspected and brought back by the installed product.
set -uo pipefail
. /opt/lab/lib.sh
fast=${LAB_FAST:-no}

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi
pause() { if [ "$fast" = no ]; then sleep "$1"; fi; }

headline() {
  local rule
  printf -v rule '%*s' $((74 - ${#1})) ''
  printf '\n%s── %s %s%s\n' "$bold" "$1" "${rule// /─}" "$plain"
  pause 0.5
}
typed() { printf '%s$%s %s\n' "$dim" "$plain" "$1"; pause 0.4; }
# Shows a command, runs it, and ends the story when it fails.
run() {
  typed "$1"
  eval "$1" || { printf 'demo: this command failed: %s\n' "$1" >&2; exit 1; }
  pause 0.6
}

headline "A running kernel"
run 'uname -r'
run 'livepatchctl --version'
run 'systemctl is-active livepatchd'
run 'cat /proc/cmdline | fold -s -w 79'

headline "A patch is dropped into the directory"
# Piped it says a line for each change; on the terminal it would redraw over what is typed here.
typed 'livepatchctl watch | cat &'
livepatchctl watch > >(cat) 2>&1 &
watcher=$!
trap 'kill "$watcher" 2>/dev/null' EXIT
pause 1
# the same three steps drop_patch takes, written as an administrator would
run 'cd /var/lib/livepatchd/patches/$(uname -r)'
run 'cp /opt/lab/modules/lp_cmdline.ko .new && mv .new lp_cmdline.ko'
wait_state lp_cmdline active 60
pause 1
typed 'kill %1'
kill -INT "$watcher"
for ((tries = 0; tries < 50; tries++)); do kill -0 "$watcher" 2>/dev/null || break; sleep 0.1; done
kill -KILL "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
trap - EXIT

headline "The same kernel, patched"
run 'cat /proc/cmdline'
run 'livepatchctl status'
run 'livepatchctl list'

headline "What machines see"
run 'curl -s http://127.0.0.1:9817/metrics |
  grep -E "^livepatchd_(patch|transition)" |
  grep -v -e _bucket -e " 0$" | cut -c -79'
run 'busctl tree org.livepatchd1'

headline "The file is taken out again"
run 'rm lp_cmdline.ko'
wait_until 60 module_absent lp_cmdline
run 'cat /proc/cmdline | fold -s -w 79'
run 'livepatchctl list'
run 'livepatchctl check; echo "exit code $?"'
