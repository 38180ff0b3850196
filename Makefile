# Builds, tests, shows and installs livepatchd. Each target installs or names what it lacks.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

PREFIX ?= /usr
DESTDIR ?=
HOST_RID := $(shell uname -m | sed 's/x86_64/linux-x64/; s/aarch64/linux-arm64/')
RID ?= $(HOST_RID)
# Another architecture's build stands beside this machine's.
OUT := $(if $(filter $(HOST_RID),$(RID)),out,out/$(RID))
# The programs that `install` installs: a package takes the symbols out itself.
PROGRAMS ?= $(OUT)
# The release that is in preparation, or that this is; a tag vVERSION marks it.
VERSION := $(shell cat VERSION)
INSTALL_FILES = DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' PROGRAMS='$(PROGRAMS)' OUT='$(OUT)' packaging/install-files
SOURCES := $(shell find src -name '*.cs' -not -path '*/obj/*' -not -path '*/bin/*' 2>/dev/null) \
           $(wildcard src/*/*.csproj src/*/packages.lock.json Directory.*.props global.json VERSION)

.PHONY: build test test-fast test-vm test-full coverage demo publish man install install-kpatch-compat bench lint clean uninstall deb rpm dist

build:
	dotnet build LivePatchd.sln -c Release --nologo -v minimal

# NativeAOT binaries; any trim or AOT warning is an error. Two of each: as a distribution wants them, to take the debug symbols into a
# package of their own, and as they are run.
publish: $(OUT)/livepatchd $(OUT)/livepatchctl

CROSS := $(if $(filter $(HOST_RID),$(RID)),,aarch64-linux-gnu-)
PUBLISH = dotnet publish src/$(1)/$(1).csproj -c Release -r $(RID) -o $(OUT)/publish/$(1) --nologo -v quiet -p:StripSymbols=false \
  -p:ContinuousIntegrationBuild=false $(if $(CROSS),-p:CppCompilerAndLinker=$(CURDIR)/packaging/$(CROSS)gcc)

$(OUT)/unstripped/%: $(SOURCES)
	$(call PUBLISH,$(if $(filter livepatchd,$*),LivePatchd,$*))
	install -D -m 0755 $(OUT)/publish/$(if $(filter livepatchd,$*),LivePatchd,$*)/$* $@

$(OUT)/livepatchd $(OUT)/livepatchctl: $(OUT)/%: $(OUT)/unstripped/%
	$(CROSS)objcopy --strip-debug --strip-unneeded $< $@

.PRECIOUS: $(OUT)/unstripped/%

MAN := $(patsubst docs/man/%.md,$(OUT)/man/%,$(wildcard docs/man/*.md))

# The man pages, from docs/man, and the shim's own.
man: $(MAN) $(OUT)/kpatch-compat/kpatch.8

$(MAN): $(OUT)/man/%: docs/man/%.md VERSION
	$(MAN_PAGE)

$(OUT)/kpatch-compat/kpatch.8: packaging/kpatch-compat/kpatch.8.md VERSION
	$(MAN_PAGE)

define MAN_PAGE
@command -v go-md2man >/dev/null || { echo "make man: go-md2man is not installed; on Debian: apt-get install go-md2man" >&2; exit 1; }
@mkdir -p $(@D)
sed '1s/ "livepatchd" / "livepatchd $(VERSION)" /' $< | go-md2man -out $@
endef

# The scripts for shells, made by the tool itself; another architecture's tool is run by qemu.
$(OUT)/completions/%: $(OUT)/livepatchctl
	@mkdir -p $(@D)
	$(if $(CROSS),qemu-aarch64 -L /usr/aarch64-linux-gnu) $(OUT)/livepatchctl completion $* >$@.new
	mv $@.new $@

# What is linked into the programs: the notices of every library, and an SPDX document.
LINKED := packaging/linked-packages $(wildcard packaging/licenses/* src/*/packages.lock.json) VERSION
$(OUT)/THIRD-PARTY-NOTICES: $(LINKED) $(OUT)/livepatchd
	packaging/linked-packages notices $(RID) >$@.new
	mv $@.new $@

$(OUT)/livepatchd.spdx.json: $(LINKED) $(OUT)/livepatchd
	packaging/linked-packages sbom $(RID) $(VERSION) $$(packaging/source-date) >$@.new
	mv $@.new $@

.PHONY: installable print-unstripped
installable: publish $(addprefix $(OUT)/,completions/bash completions/zsh completions/fish THIRD-PARTY-NOTICES livepatchd.spdx.json) \
  $(if $(shell command -v go-md2man),man)

print-unstripped:
	@echo $(OUT)/unstripped

# Installs nothing on the machine that builds: without go-md2man, and without pages made before, there are no man pages, and it says so.
# What goes where is in packaging/files; it starts nothing and enables nothing.
install: installable
	$(INSTALL_FILES) install packaging/files

# `kpatch` for packages and scripts that call it, in place of the kpatch package; after `install`.
install-kpatch-compat:
	$(INSTALL_FILES) install packaging/kpatch-compat/files
	install -d -m 0755 $(DESTDIR)/var/lib/kpatch

# Removes the files of both; what livepatchd keeps in /var/lib/livepatchd and your configuration stay, and so do loaded patches.
uninstall:
	$(INSTALL_FILES) uninstall packaging/files packaging/kpatch-compat/files

# Packages in out/packages. ARCH=arm64 is cross-built.
ARCH ?= $(if $(filter linux-arm64,$(HOST_RID)),arm64,amd64)
PACKAGE_RID := $(if $(filter arm64,$(ARCH)),linux-arm64,linux-x64)
deb:
	$(MAKE) --no-print-directory RID=$(PACKAGE_RID) installable
	packaging/build-deb $(ARCH)

rpm:
	$(MAKE) --no-print-directory RID=$(PACKAGE_RID) installable
	packaging/build-rpm $(ARCH)

# The sources and every package that they are built with, for a machine without a network.
dist:
	packaging/build-dist

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

test-vm:
	tests/install-needs
	$(MAKE) --no-print-directory package-payload
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

# What guests install: the files as `make install` installs them.
.PHONY: payload
payload: publish
	rm -rf $(OUT)/payload
	$(MAKE) --no-print-directory -s install install-kpatch-compat DESTDIR=$(CURDIR)/$(OUT)/payload

# Or the packages, as the tests do it, with an older one for the scenario that upgrades.
.PHONY: package-payload
package-payload: deb
	packaging/build-older-deb $(ARCH)
	rm -rf $(OUT)/payload
	install -d $(OUT)/payload/opt/lab/packages/older
	install -m 0644 $(OUT)/packages/livepatchd_*_$(ARCH).deb $(OUT)/packages/livepatchd-kpatch-compat_*_all.deb $(OUT)/payload/opt/lab/packages/
	install -m 0644 $(OUT)/packages/older/livepatchd_*_$(ARCH).deb $(OUT)/payload/opt/lab/packages/older/

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
