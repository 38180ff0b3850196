# A program in the place of the daemon finds none of the ways out of its unit, and one in the place of the helper none that changes anything; outside it finds them.
# set: all
# timeout: 180
. /opt/lab/lib.sh

PROGRAM=/usr/libexec/livepatchd/labescape
tried() { # UNIT OUT: the program runs in the unit as shipped, but for what is said of its start
  local unit=$1 out=$2
  mkdir -p "/run/systemd/system/$unit.d"
  printf '%s\n' '[Unit]' 'CollectMode=inactive' '[Service]' Type=oneshot ExecStart= "ExecStart=$PROGRAM" ExecReload= ExecStopPost= WatchdogSec=0 Restart=no \
    RuntimeMaxSec=infinity StandardInput=null "StandardOutput=file:$out" >"/run/systemd/system/$unit.d/escape.conf"
}
refused_of() { # OUT: the names that were refused
  awk '$2 == "refused" { print $1 }' "$1" | xargs
}
done_of() { awk '$2 == "done" { print $1 }' "$1" | xargs; }

cp /opt/lab/bin/labescape "$PROGRAM"
systemctl stop livepatchd
tried livepatchd.service /run/lab/escape-daemon
tried livepatchd-tasks@.service /run/lab/escape-helper
systemctl daemon-reload
"$PROGRAM" >/run/lab/escape-outside || true
systemctl start livepatchd.service
systemctl start livepatchd-tasks@lab.service
cat /run/lab/escape-daemon /run/lab/escape-helper /run/lab/escape-outside
all=$(awk '{ print $1 }' /run/lab/escape-outside | xargs)
# The tries are real: with nothing around it nearly all of them succeed. What this kernel or this root does not have is told.
assert_eq "" "$(refused_of /run/lab/escape-outside)" "refused outside"
# Its own nameless memory is the daemon's to run: it has what the daemon has and no more.
assert_eq "nameless-program" "$(done_of /run/lab/escape-daemon)" "done in the daemon's unit"
assert_eq "$all" "$(awk '{ print $1 }' /run/lab/escape-daemon | xargs)" "tries in the daemon's unit"
# It may look into every process: what that shows it can read. It can change nothing by it.
assert_eq "init-root-read init-environment" "$(done_of /run/lab/escape-helper)" "done in the helper's unit"
assert_eq "$all" "$(awk '{ print $1 }' /run/lab/escape-helper | xargs)" "tries in the helper's unit"
[ ! -e /run/escaped ] && [ ! -e /etc/escaped ] || fail "a file was made outside"

# The socket of the helper is root's.
rm -r /run/systemd/system/livepatchd.service.d/escape.conf /run/systemd/system/livepatchd-tasks@.service.d/escape.conf "$PROGRAM"
systemctl daemon-reload
systemctl start livepatchd.service
assert_eq "600 root" "$(stat -c '%a %U' /run/livepatchd-tasks.sock)" "the socket's mode and owner"
