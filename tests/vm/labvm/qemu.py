"""Starts one QEMU guest with a hard time limit, and decides once per machine which accelerator really runs it."""

import contextlib
import datetime
import fcntl
import functools
import hashlib
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from . import DISK, OUT
from .payload import compiled

QEMU = "qemu-system-x86_64"
TCG = ["-accel", "tcg,thread=single,tb-size=512", "-cpu", "max"]  # thread=multi loses int3 races in text_poke
KVM = ["-accel", "kvm", "-cpu", "max"]
KERNEL_ARGUMENTS = (
    "console=ttyS0 root=/dev/vda rw quiet panic=-1 oops=panic "
    "systemd.show_status=0 mitigations=off tsc=reliable audit=0"
)
SLOW_IOPS = 25
FIRMWARE = Path("/usr/share/OVMF")  # Debian's package ovmf


def sibling(log: Path, kind: str) -> Path:
    """One file of a boot's log; `with_suffix` would eat the kernel line's own dot."""
    return log.with_name(f"{log.name}.{kind}")


class Guest:
    """A running QEMU process; leaving the `with` block ends it whatever state it is in."""

    def __init__(self, line: str, payload: Path, log: Path, ground: Path, *, accel: list[str], cmdline: str = "",
                 target: str = "lab.target", overlay: Path | None = None, stream: str | None = None,
                 interactive: bool = False, firmware: str = "none", clock_ahead: int = 0):
        self.console, self.results, self.stream = (sibling(log, kind) for kind in ("console", "results", "stream"))
        for path in (self.console, self.results, self.stream):
            path.write_bytes(b"")
        self._must_end_by = float("inf")
        kernel = OUT / "kernels" / line
        disk = (f"file={overlay},if=virtio,format=qcow2,cache=writeback" if overlay
                else f"file={ground},if=virtio,format={image_format(ground)},snapshot=on")
        if accel == TCG:
            cmdline = f"{cmdline} tsc_early_khz={counter_khz()}"
        command = [
            QEMU, *accel, "-m", "1536", "-smp", "2", "-no-reboot", "-display", "none", "-monitor", "none", "-nic", "none",
            "-kernel", str(kernel / "vmlinuz"), "-initrd", str(kernel / "initramfs"),
            "-append", f"{KERNEL_ARGUMENTS} systemd.unit={target} {cmdline}".strip(),
            "-drive", disk,
            "-drive", f"file={payload},if=virtio,format=raw,readonly=on",
            "-drive", f"file={slow_disk()},if=virtio,format=raw,snapshot=on,throttling.iops-total={SLOW_IOPS}",
            "-device", "virtio-serial-pci",
            "-chardev", f"file,id=results,path={self.results}",
            "-device", "virtserialport,chardev=results,name=lab.results",
            "-serial", "stdio" if interactive else f"file:{self.console}",
        ]
        if clock_ahead:
            moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=clock_ahead)
            command += ["-rtc", f"base={moment:%Y-%m-%dT%H:%M:%S}"]
        if firmware == "uefi":
            command += uefi(sibling(log, "vars"))
        if stream:
            device = "virtconsole,chardev=stream" if stream == "terminal" else "virtserialport,chardev=stream,name=lab.stream"
            command += ["-chardev", f"file,id=stream,path={self.stream}", "-device", device]
        self._stderr = open(sibling(log, "qemu"), "wb")
        self.process = subprocess.Popen(
            command, stdin=None if interactive else subprocess.DEVNULL,
            stdout=None if interactive else self._stderr, stderr=self._stderr)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self._stderr.close()

    def kill(self):
        """Ends QEMU as a power cut would: no chance for the guest to write anything more."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def must_end_by(self, moment: float):
        """From now on `lines` raises TimeoutError when the guest is still there at that moment."""
        self._must_end_by = moment

    def lines(self, first: float, deadline: float):
        """Yields the lines the guest reports, until it is gone; raises TimeoutError past either deadline."""
        rest, silent = b"", True
        with open(self.results, "rb") as file:
            while True:
                gone = self.process.poll() is not None
                chunk = file.read()
                if chunk:
                    silent = False
                    *whole, rest = (rest + chunk).split(b"\n")
                    for line in whole:
                        yield line.decode(errors="replace")
                elif gone:
                    return
                else:
                    if time.monotonic() > min(first if silent else deadline, self._must_end_by):
                        raise TimeoutError
                    time.sleep(0.05)


@functools.cache
def counter_khz() -> str:
    """The rate of the host's time stamp counter, which an emulated guest reads as its own. A guest that has to measure it on a busy host
    gets it wrong: its clock has been seen to run more than ten times too fast, so that every timeout in it was too short."""
    return subprocess.run([compiled("labclock"), "tsc"], check=True, capture_output=True, text=True).stdout.strip()


def slow_disk() -> Path:
    """An empty disk that serves few requests a second: who writes to it waits, and costs the guest's processors nothing."""
    path = OUT / "slow.img"
    if not path.exists():
        with open(path, "wb") as file:
            file.truncate(32 << 20)
    return path


def uefi(variables: Path) -> list[str]:
    """UEFI firmware whose signature database `db` holds the certificate of the package's own snakeoil key, so that the kernel has it in
    its platform keyring. Secure Boot itself is switched off: the guest's kernel is not signed by that key."""
    stored = bytearray((FIRMWARE / "OVMF_VARS_4M.snakeoil.fd").read_bytes())
    name = "SecureBootEnable\0".encode("utf-16le")
    switch = stored.find(name) + len(name)
    if switch < len(name) or stored[switch] != 1:
        raise SystemExit("OVMF_VARS_4M.snakeoil.fd has no switch for Secure Boot where it was expected")
    stored[switch] = 0
    variables.write_bytes(stored)
    return ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={FIRMWARE / 'OVMF_CODE_4M.fd'}",
            "-drive", f"if=pflash,format=raw,unit=1,file={variables}"]


@contextlib.contextmanager
def one_guest():
    """Waits until no other lab of this tree runs a guest: two on two cores would run into each other's time limits."""
    with open(OUT / "vm.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("lab: waiting for another guest to end", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def accelerator(smoke) -> list[str]:
    """The arguments of the accelerator that works here; `smoke(arguments)` boots a guest and says whether it came through.

    The presence of /dev/kvm proves nothing: nested hosts offer it and then stop at an emulation failure.
    """
    usable = os.access("/dev/kvm", os.R_OK | os.W_OK)
    version = subprocess.run([QEMU, "--version"], capture_output=True, text=True, check=True).stdout
    key = hashlib.sha256(f"{usable} {platform.release()} {version}".encode()).hexdigest()[:16]
    verdict = OUT / "accel"
    known = verdict.read_text().split() if verdict.exists() else []
    if known[:1] != [key]:
        works = usable and smoke(KVM)
        known = [key, "kvm" if works else "tcg"]
        verdict.write_text(" ".join(known) + "\n")
        print(f"lab: guests run under {known[1]}", file=sys.stderr)
    return KVM if known[1] == "kvm" else TCG


def image_format(path: Path) -> str:
    return "qcow2" if path.suffix == ".qcow2" else "raw"


def overlay(path: Path, below: Path = DISK) -> Path:
    """A fresh writable disk over the shared image or over another overlay, for a guest whose changes must survive its reboots.

    QEMU keeps the tables that say which clusters the overlay holds in its own memory until the guest flushes. When it is killed,
    every write to a cluster that is new in the overlay and was not flushed is gone, as with a disk that loses its cache: small
    clusters make that nearly every write.
    """
    path.unlink(missing_ok=True)
    subprocess.run([shutil.which("qemu-img") or "qemu-img", "create", "-q", "-f", "qcow2", "-o", "cluster_size=4096",
                    "-F", image_format(below), "-b", str(below), str(path)], check=True)
    return path


def kills_lose_unflushed_writes() -> bool:
    """Tries what power cuts rest on: of two writes to new clusters, one before and one after a flush, a kill leaves the first only."""
    disk = overlay(OUT / "try-cut.qcow2")
    program = shutil.which("qemu-io") or "qemu-io"

    def holds(pattern: str, at: str) -> bool:
        read = subprocess.run([program, "-r", "-f", "qcow2", "-c", f"read -P {pattern} {at} 4k", str(disk)],
                              capture_output=True, text=True, check=False)
        return "read 4096/4096" in read.stdout and "Pattern verification failed" not in read.stdout

    subprocess.run([program, "-t", "writeback", "-f", "qcow2", "-c", "write -P 0xa5 64M 4k", "-c", "flush",
                    "-c", "write -P 0x5a 65M 4k", "-c", "sigraise 9", str(disk)], capture_output=True, check=False)
    kept, lost = holds("0xa5", "64M"), not holds("0x5a", "65M")
    disk.unlink()
    return kept and lost
