"""Starts QEMU guests, each within limits counted in the time that the host gave it, and decides once per machine which accelerator works."""

import contextlib
import datetime
import fcntl
import hashlib
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from . import DISK, OUT

QEMU = "qemu-system-x86_64"
# thread=multi loses int3 races in text_poke. With icount the guest's clock counts executed instructions, 2 ns each, and follows the host's
# clock only while the guest is idle. A starved host makes a guest slow, but not late: its limits, watchdogs and timers wait with it, and
# it measures the rate of its time stamp counter right, which without icount ran ten times too fast on a busy host. icount also bounds how
# long one processor spins for the other, which was most of the cost of a load beside work.
TCG = ["-accel", "tcg,thread=single,tb-size=512", "-cpu", "max", "-icount", "shift=1"]
KVM = ["-accel", "kvm", "-cpu", "max"]
# maxcpus: the first program of the guest starts the second processor. Kernels before 6.5 start it while no timer runs and spin for its
# answer, which with icount never ends.
KERNEL_ARGUMENTS = (
    "console=ttyS0 root=/dev/vda rw quiet panic=-1 oops=panic "
    "systemd.show_status=0 mitigations=off tsc=reliable audit=0 no_timer_check maxcpus=1"
)
CRASH_BYTES = 128 * 1024
SLOW_IOPS = 25
HARD_SECONDS = 7200  # of the host's clock: no guest outlives it
PAYLOAD_BYTES = 64 << 20  # every payload disk has this size: a guest that is resumed with another one keeps the capacity it knows
FIRMWARE = Path("/usr/share/OVMF")  # Debian's package ovmf


def sibling(log: Path, kind: str) -> Path:
    """One file of a boot's log; `with_suffix` would eat the kernel line's own dot."""
    return log.with_name(f"{log.name}.{kind}")


_running: set[subprocess.Popen] = set()


def end_all() -> None:
    """Ends the guests of this process: when it is told to end, the threads that hold them do not come to the end of their blocks."""
    for process in list(_running):
        process.kill()


class Guest:
    """A running QEMU process; leaving the `with` block ends it whatever state it is in."""

    def __init__(self, line: str, payload: Path, log: Path, ground: Path, *, accel: list[str], cmdline: str = "",
                 target: str = "lab.target", overlay: Path | None = None, stream: str | None = None,
                 interactive: bool = False, firmware: str = "none", clock_ahead: int = 0, incoming: Path | None = None,
                 monitor: Path | None = None, crash_memory: Path | None = None):
        """`crash_memory`: the file with which the firmware's error record table outlives the guest; `incoming`: memory and devices of a guest that `save` put there; `monitor`: the socket over which `save` talks to QEMU."""
        self.console, self.results, self.stream = (sibling(log, kind) for kind in ("console", "results", "stream"))
        for path in (self.console, self.results, self.stream):
            path.write_bytes(b"")
        self._must_end_by = float("inf")
        self._monitor = monitor
        os.truncate(payload, PAYLOAD_BYTES)
        kernel = OUT / "kernels" / line
        disk = (f"file={overlay},if=virtio,format=qcow2,cache=writeback" if overlay
                else f"file={ground},if=virtio,format={image_format(ground)},snapshot=on")
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
        if crash_memory:
            command += ["-object", f"memory-backend-file,id=erst,mem-path={crash_memory},size={CRASH_BYTES},share=on",
                        "-device", "acpi-erst,memdev=erst"]
        if stream:
            device = "virtconsole,chardev=stream" if stream == "terminal" else "virtserialport,chardev=stream,name=lab.stream"
            command += ["-chardev", f"file,id=stream,path={self.stream}", "-device", device]
        if incoming:
            command += ["-incoming", f"exec:cat '{incoming}'"]
        if monitor:
            command += ["-qmp", f"unix:{monitor},server=on,wait=off"]
        self._stderr = open(sibling(log, "qemu"), "wb")
        self.process = subprocess.Popen(
            command, stdin=None if interactive else subprocess.DEVNULL,
            stdout=None if interactive else self._stderr, stderr=self._stderr)
        _running.add(self.process)
        self._started = time.monotonic()
        self._spent = (0.0, 0.0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self._stderr.close()

    def kill(self):
        """Ends QEMU as a power cut would: no chance for the guest to write anything more."""
        if self.process.poll() is None:
            self._look()
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        _running.discard(self.process)

    @property
    def wall_seconds(self) -> float:
        return time.monotonic() - self._started

    @property
    def cpu_seconds(self) -> float:
        """What QEMU has used of the host's processors."""
        self._look()
        return self._spent[0]

    @property
    def given_seconds(self) -> float:
        """Seconds since the start, without those in which the guest could have run and the host had no processor for it."""
        self._look()
        return self.wall_seconds - self._spent[1]

    def _look(self):
        """Keeps the last figures of a process that is gone."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
            cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            # of all its threads, one runs the guest; a guest that waits for a processor waits there
            threads = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
            waited = max((int(path.read_text().split()[1]) for path in threads), default=0) / 1e9
        except (OSError, IndexError, ValueError):
            return
        self._spent = (max(cpu, self._spent[0]), max(waited, self._spent[1]))

    def must_end_within(self, seconds: float):
        """From now on `lines` raises TimeoutError when the guest is still there after so many seconds that it was given."""
        self._must_end_by = self.given_seconds + seconds

    def lines(self, first: float, deadline: float):
        """Yields the lines the guest reports, until it is gone; raises TimeoutError when it was given more seconds than either limit."""
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
                    if self.given_seconds > min(first if silent else deadline, self._must_end_by) or self.wall_seconds > HARD_SECONDS:
                        raise TimeoutError
                    time.sleep(0.05)

    def save(self, target: Path):
        """Writes memory and devices of the guest, stopped at the end, to `target` and ends QEMU; its disk then belongs to that state."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._monitor))
            stream = connection.makefile("rw")

            def ask(command: str, **arguments) -> dict:
                stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
                stream.flush()
                while True:  # events come in between
                    answer = json.loads(stream.readline())
                    if "error" in answer:
                        raise OSError(f"QEMU refused {command}: {answer['error']}")
                    if "return" in answer:
                        return answer["return"]

            stream.readline()  # the greeting
            ask("qmp_capabilities")
            ask("migrate-set-parameters", **{"max-bandwidth": 10 << 30})
            ask("migrate", uri=f"exec:cat >'{target}'")
            end = time.monotonic() + 120
            while (status := ask("query-migrate").get("status")) != "completed":
                if status == "failed" or time.monotonic() > end:
                    raise OSError(f"the state of a guest could not be saved: {status}")
                time.sleep(0.1)
            ask("quit")
        self.process.wait()


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


def guests() -> int:
    """How many guests run at once: a guest waits for about a third of its time, so three of them fill two processors."""
    return max(1, len(os.sched_getaffinity(0)) * 3 // 2)


@contextlib.contextmanager
def slot():
    """The folder of one of the guests that may run at once: everything a running guest writes is in there, so neither the guests of this
    run nor another run of the same tree disturb it. Waits for a free one."""
    count, told = guests(), False
    with contextlib.ExitStack() as stack:
        while True:
            for number in range(1, count + 1):
                folder = OUT / f"slot{number}"
                folder.mkdir(parents=True, exist_ok=True)
                lock = open(folder / "lock", "w")
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    lock.close()
                    continue
                stack.enter_context(lock)
                yield folder
                return
            if not told:
                print("lab: waiting for another guest to end", file=sys.stderr, flush=True)
                told = True
            time.sleep(0.5)


@contextlib.contextmanager
def only_one(name: str):
    """Holds the lock of something that is made once and kept, between threads and between runs."""
    with open(OUT / f"{name}.lock", "w") as lock:
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
