# Builds, tests, shows and installs livepatchd. Each target installs or names what it lacks.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

PREFIX ?= /usr
DESTDIR ?=
RID ?= $(shell uname -m | sed 's/x86_64/linux-x64/; s/aarch64/linux-arm64/')
OUT := out
SOURCES := $(shell find src -name '*.cs' -not -path '*/obj/*' -not -path '*/bin/*' 2>/dev/null) \
           $(wildcard src/*/*.csproj src/*/packages.lock.json Directory.*.props global.json)

.PHONY: build test test-fast test-vm test-full coverage demo publish man install install-kpatch-compat bench lint clean

build:
	dotnet build LivePatchd.sln -c Release --nologo -v minimal

# NativeAOT binaries; any trim or AOT warning is an error.
publish: $(OUT)/livepatchd $(OUT)/livepatchctl

$(OUT)/livepatchd: $(SOURCES)
	dotnet publish src/LivePatchd/LivePatchd.csproj -c Release -r $(RID) -o $(OUT)/publish/daemon --nologo -v quiet
	install -m 0755 $(OUT)/publish/daemon/livepatchd $@

$(OUT)/livepatchctl: $(SOURCES)
	dotnet publish src/livepatchctl/livepatchctl.csproj -c Release -r $(RID) -o $(OUT)/publish/ctl --nologo -v quiet
	install -m 0755 $(OUT)/publish/ctl/livepatchctl $@

COMPLETIONS := bash:bash-completion/completions/livepatchctl zsh:zsh/site-functions/_livepatchctl fish:fish/vendor_completions.d/livepatchctl.fish
MAN := $(patsubst docs/man/%.md,$(OUT)/man/%,$(wildcard docs/man/*.md))

# The man pages, from docs/man.
man: $(MAN)

$(OUT)/man/%: docs/man/%.md
	@command -v go-md2man >/dev/null || { echo "make man: go-md2man is not installed; on Debian: apt-get install go-md2man" >&2; exit 1; }
	@mkdir -p $(OUT)/man
	go-md2man -in $< -out $@

# Installs nothing on the machine that builds: without go-md2man, and without pages made before, there are no man pages, and it says so.
install: publish $(if $(shell command -v go-md2man),man)
	install -D -m 0755 $(OUT)/livepatchd $(DESTDIR)$(PREFIX)/libexec/livepatchd/livepatchd
	install -D -m 0755 $(OUT)/livepatchctl $(DESTDIR)$(PREFIX)/bin/livepatchctl
	install -D -m 0644 config/livepatchd.yaml $(DESTDIR)$(PREFIX)/lib/livepatchd/livepatchd.yaml
	install -d -m 0755 $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|/usr/libexec/|$(PREFIX)/libexec/|; s|/usr/bin/|$(PREFIX)/bin/|' systemd/livepatchd.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/livepatchd.service
	chmod 0644 $(DESTDIR)$(PREFIX)/lib/systemd/system/livepatchd.service
	install -D -m 0644 systemd/livepatchd-early.service $(DESTDIR)$(PREFIX)/lib/systemd/system/livepatchd-early.service
	install -D -m 0644 systemd/livepatchd-tasks.socket $(DESTDIR)$(PREFIX)/lib/systemd/system/livepatchd-tasks.socket
	sed 's|/usr/libexec/|$(PREFIX)/libexec/|' systemd/livepatchd-tasks@.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/livepatchd-tasks@.service
	chmod 0644 $(DESTDIR)$(PREFIX)/lib/systemd/system/livepatchd-tasks@.service
	install -D -m 0644 systemd/dbus-1/system.d/org.livepatchd1.conf $(DESTDIR)$(PREFIX)/share/dbus-1/system.d/org.livepatchd1.conf
	install -D -m 0644 systemd/polkit-1/actions/org.livepatchd1.policy $(DESTDIR)$(PREFIX)/share/polkit-1/actions/org.livepatchd1.policy
	install -D -m 0644 systemd/sysusers.d/livepatchd.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/livepatchd.conf
	install -D -m 0644 systemd/tmpfiles.d/livepatchd.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/livepatchd.conf
	for each in $(COMPLETIONS); do \
	  $(OUT)/livepatchctl completion $${each%%:*} | install -D -m 0644 /dev/stdin $(DESTDIR)$(PREFIX)/share/$${each#*:}; \
	done
	for page in $(notdir $(MAN)); do \
	  [ -e $(OUT)/man/$$page ] || { echo "install: no man page $$page: go-md2man is not installed" >&2; continue; }; \
	  install -D -m 0644 $(OUT)/man/$$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$$page; \
	done

# `kpatch` for packages and scripts that call it, in place of the kpatch package; after `install`.
install-kpatch-compat:
	install -d -m 0755 $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)/var/lib/kpatch
	sed 's|/usr/bin/|$(PREFIX)/bin/|' packaging/kpatch-compat/kpatch > $(DESTDIR)$(PREFIX)/sbin/kpatch
	chmod 0755 $(DESTDIR)$(PREFIX)/sbin/kpatch
	sed 's|/usr/sbin/|$(PREFIX)/sbin/|' packaging/kpatch-compat/kpatch.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/kpatch.service
	chmod 0644 $(DESTDIR)$(PREFIX)/lib/systemd/system/kpatch.service

# What CI runs: unit and integration tests, then the VM: every scenario on one kernel line, the main set on one more.
test:
	tests/run all

# Everything that needs no VM.
test-fast:
	tests/run fast

# Branch coverage of the core's decisions by its own tests, per folder; fails below 98 %.
coverage:
	tests/coverage

# All of it, and every scenario on every kernel line.
test-full:
	tests/run full

test-vm: payload
	tests/vm/install-needs
	tests/vm/run --kernel all --set all --payload $(OUT)/payload

# A real kernel in a disposable VM is patched, inspected and reverted by the installed product.
demo: payload
	tests/vm/install-needs
	tests/vm/demo --payload $(OUT)/payload

# Sizes and times of the programs on this machine, then ratios taken in one VM run.
bench: payload
	tests/vm/install-needs
	dotnet build tests/LivePatchd.Linux.Tests -c Release --nologo -v quiet
	tests/bench-host
	tests/vm/run --bench --kernel main --payload $(OUT)/payload

.PHONY: payload
payload: publish
	rm -rf $(OUT)/payload
	$(MAKE) --no-print-directory -s install install-kpatch-compat DESTDIR=$(CURDIR)/$(OUT)/payload

# Mutated inputs for every parser of untrusted text and files, FUZZ_SECONDS (60) each.
.PHONY: fuzz
fuzz:
	tests/fuzz

# After a change of Directory.Packages.props or of a project's references: the lock files are written anew, for a commit that says why.
.PHONY: lock
lock:
	dotnet restore LivePatchd.sln --force-evaluate -p:RestoreLockedMode=false

lint:
	tests/install-needs fast
	dotnet format LivePatchd.sln --verify-no-changes --no-restore
	tests/check-house
	tests/lint-units

clean:
	rm -rf $(OUT) artifacts
	find src tests -type d \( -name bin -o -name obj \) -prune -exec rm -rf {} +

# The cost of a patch to a busy host, at once and by livepatchd, in one VM run: writes the table of docs/impact.md.
.PHONY: impact
impact: payload
	tests/vm/install-needs
	tests/vm/run --bench impact --kernel main --payload $(OUT)/payload | tee $(OUT)/impact.log
	tests/write-impact $(OUT)/impact.log docs/impact.md

# The daemon killed at every failpoint, 1,000 times and more, then every system call failing once: writes its tables of docs/reliability.md.
.PHONY: test-crash
test-crash:
	tests/install-needs fast
	tests/crash

# Peers that flood the bus, send nonsense or go away in mid-call: prints how long a dropped file then takes to become a patched kernel.
.PHONY: test-abuse
test-abuse:
	tests/install-needs fast
	dotnet build tests/LivePatchd.EndToEnd.Tests -c Release --nologo -v quiet
	dotnet tests/LivePatchd.EndToEnd.Tests/bin/Release/net10.0/LivePatchd.EndToEnd.Tests.dll -noColor -class '*BusAbuseTests' -showLiveOutput

# Alerts, runbooks and dashboards, against a real Prometheus that scrapes a real daemon on a root of its own.
.PHONY: test-monitoring
test-monitoring:
	tests/install-needs fast
	tests/monitoring/check
	dotnet build tests/LivePatchd.EndToEnd.Tests -c Release --nologo -v quiet
	dotnet tests/LivePatchd.EndToEnd.Tests/bin/Release/net10.0/LivePatchd.EndToEnd.Tests.dll -noColor -class '*.MonitoringTests' -class '*.FleetTests'

# Reliability on real kernels; each prints its figures and writes them into docs/reliability.md.
.PHONY: test-vm-crash test-vm-bad test-vm-cycles

# The plug is pulled 20 times at random moments of apply and revert.
test-vm-crash: payload
	tests/vm/install-needs
	tests/vm/run --kernel main --set all --filter power-cuts --rounds 20 --payload $(OUT)/payload | tee $(OUT)/power-cuts.log
	tests/write-figures $(OUT)/power-cuts.log power

# Patches that panic, oops, warn and hang a service, on every kernel line.
test-vm-bad: payload
	tests/vm/install-needs
	tests/vm/run --kernel all --set all --filter '(66-panic|6[0-9]+-bad-)' --payload $(OUT)/payload | tee $(OUT)/bad-patches.log
	tests/write-figures $(OUT)/bad-patches.log bad

# 200 times apply and revert.
test-vm-cycles: payload
	tests/vm/install-needs
	tests/vm/run --kernel main --set long --filter 77-cycles --rounds 200 --payload $(OUT)/payload | tee $(OUT)/cycles.log
	tests/write-figures $(OUT)/cycles.log cycles
