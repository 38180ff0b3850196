# What the scripts that prepare a kernel line share: its entry in lines.toml, its apt and its build root. Sourced with `here` set.
# shellcheck shell=bash

out=$(cd "$here/../.." && pwd)/out/vm
LEFT_OUT=77 # exit code: the archive does not offer the line now, and nothing else is wrong
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# Sets `suites` and `selftests`, and `private` to yes where this machine's own apt does not have these suites.
read_entry() { # LINE
  local entry suite known
  entry=$("$here/lines" show "$1")
  eval "$entry"
  known=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME)' 'Created-By: Packages')
  private=no
  for suite in "${suites[@]}"; do
    grep -qxF "Debian $suite" <<<"$known" || private=yes
  done
}

# A line of this machine's own suites must be there; one of other suites is left out while the archive does not offer it.
unavailable() { # WHY
  if [ "$private" = yes ]; then
    echo "${0##*/}: line $line is left out: $1 (${suites[*]})" >&2
    exit "$LEFT_OUT"
  fi
  echo "${0##*/}: line $line: $1 (${suites[*]})" >&2
  exit 1
}

# Other suites come from the archive that this machine takes its own from, and from no host that is named here.
source_of() { # SUITE: a line for sources.list
  local own uri
  own=$(. /etc/os-release; echo "$VERSION_CODENAME")
  case $1 in *-security) own+=-security ;; esac
  uri=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' \
    | sort -u | sed -n "s/^Debian $own //p" | head -n 1)
  [ -n "$uri" ] || { echo "${0##*/}: this machine's apt has no Debian suite $own" >&2; return 1; }
  echo "deb [arch=amd64 signed-by=$KEYRING] $uri $1 main"
}

sources_of_suites() {
  local suite
  for suite in "${suites[@]}"; do source_of "$suite" || return 1; done
}

apt_state() { local IFS=+; echo "$out/apt/${suites[*]}"; }

# apt for the line's suites; for those of others it leaves this machine's state and settings alone.
line_apt() { # COMMAND ARGUMENT...
  if [ "$private" = no ]; then "$@"; return; fi
  local state
  state=$(apt_state)
  "$1" -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
    -o Dir::State::Lists="$state/lists" -o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" \
    -o APT::Architecture=amd64 -o APT::Architectures=amd64 -o APT::Sandbox::User=root -o Acquire::Languages=none \
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false "${@:2}"
}

# Brings the package lists of other suites up to date once a day; where that fails, those of the last time serve.
update_lists() {
  [ "$private" = yes ] || return 0
  local state
  state=$(apt_state)
  [ -z "$(find "$state/updated" -mmin -1440 2>/dev/null)" ] || return 0
  mkdir -p "$state"/{lists,cache/archives}/partial
  : >"$state/status"
  if sources_of_suites >"$state/sources.list" \
    && line_apt apt-get -qq -o APT::Update::Error-Mode=any -o Acquire::Retries=2 update >&2; then
    touch "$state/updated"
  else
    echo "${0##*/}: the package lists of ${suites[*]} cannot be updated" >&2
  fi
}

# Where the line's modules are built: with this machine's compiler, or in the line's own root, which sees out/vm under the same path.
# The mounts belong to a namespace that ends with the command, so that nothing can be removed through them afterwards.
in_line() { # COMMAND ARGUMENT...
  if [ "$private" = no ]; then command "$@"; return; fi # the program, whatever a caller has a function for
  unshare --mount --propagation private sh -euc '
    root=$1 out=$2; shift 2
    mkdir -p "$root$out"
    mount --bind "$out" "$root$out"
    mount -t proc proc "$root/proc"
    exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
      sh -euc '\''cd "$1"; shift; exec "$@"'\'' sh "$PWD" "$@"' sh "$out/roots/$line" "$out" "$@"
}
