"""Runs one script in a guest and copies what its terminal shows to this one as it comes."""

import sys
import time
from pathlib import Path

from . import qemu
from .payload import pack
from .prepare import smoke
from .product import install


def run_script(name: str, line: str, script: bytes, payload_tree: Path | None, folder: Path, *, limit: int, fast: bool = False,
               cmdline: str = "", announce: str = "") -> int:
    """The exit code: 0 when the script came to its end and said so. `folder` is the slot it runs in."""
    kind = "terminal" if sys.stdout.isatty() else "plain"
    accel = qemu.accelerator(lambda arguments: smoke(arguments, folder))
    log = folder / f"{line}-{name}"
    product = install(payload_tree, accel, folder)
    payload = pack(qemu.sibling(log, "payload"), line, [], {
        "LAB_STAGE": "1", "LAB_STAGES": "1", "LAB_STREAM": kind, "LAB_FAST": "yes" if fast else "no"},
        installed=product.installed, script=script)
    if announce:
        print(announce, flush=True)
    with qemu.Guest(line, payload, log, product.disk, accel=accel, cmdline=cmdline, stream=kind) as guest:
        finished = _copy(guest, limit)
    payload.unlink()
    if finished and "ok script" in guest.results.read_text(errors="replace"):
        return 0
    for path in (guest.console, guest.results):
        print(path.read_text(errors="replace"), file=sys.stderr)
    if not finished:
        print(f"{name}: the guest did not finish within {limit} s", file=sys.stderr)
    return 1


def _copy(guest: qemu.Guest, limit: float) -> bool:
    with open(guest.stream, "rb") as file:
        while True:
            gone = guest.process.poll() is not None
            if chunk := file.read():
                sys.stdout.buffer.write(chunk)
                sys.stdout.buffer.flush()
            elif gone:
                return True
            elif guest.given_seconds > limit:
                return False
            else:
                time.sleep(0.05)
