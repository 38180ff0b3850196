"""Saves a guest that has booted and waits for its scenarios, once for each line, and begins other guests from there.

The guest is stopped with everything up but livepatchd, which has never run in it; its memory, its devices and its disk are kept. A guest that
is resumed finds another payload disk, sets its clock by the machine's, feeds fresh randomness to the kernel and unpacks the payload; from
there on it is a guest like any other. What is about the boot boots: later stages of a scenario, other kernel arguments, firmware.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from . import LAB, OUT, qemu
from .payload import GUEST_FILES, PROGRAMS, compiled, pack
from .product import Product

BOOT_SECONDS = 240


@dataclass(frozen=True)
class State:
    """A disk, and the memory of the guest that had mounted it."""

    disk: Path
    memory: Path


def saved(line: str, product: Product, accel: list[str], folder: Path) -> State:
    """The state of that line, made when there is none of this product, image and machine; `folder` is the slot to make it in."""
    place = OUT / "states" / line
    state, key_file = State(place / "disk.qcow2", place / "memory"), place / "key"
    with qemu.only_one(f"state-{line}"):
        key = _key(line, product, accel)
        if not key_file.exists() or key_file.read_text() != key:
            place.mkdir(parents=True, exist_ok=True)
            key_file.unlink(missing_ok=True)
            _save(line, product, accel, folder, state)
            key_file.write_text(key)
    return state


def _save(line: str, product: Product, accel: list[str], folder: Path, state: State) -> None:
    log = folder / f"{line}-state"
    qemu.overlay(state.disk, product.disk)
    state.memory.unlink(missing_ok=True)
    payload = pack(qemu.sibling(log, "payload"), line, [], {"LAB_STAGE": "1", "LAB_STAGES": "1", "LAB_SAVE": "yes"},
                   installed=product.installed)
    monitor = qemu.sibling(log, "qmp")
    monitor.unlink(missing_ok=True)
    with qemu.Guest(line, payload, log, product.disk, accel=accel, overlay=state.disk, monitor=monitor) as guest:
        try:
            ready = any(text == "ok ready 0" for text in guest.lines(BOOT_SECONDS, BOOT_SECONDS))
        except TimeoutError:
            ready = False
        if not ready:
            raise SystemExit(f"lab: no state of a guest of line {line} could be saved\n{guest.console.read_text(errors='replace')}")
        guest.save(state.memory)
    payload.unlink()
    monitor.unlink(missing_ok=True)


def _key(line: str, product: Product, accel: list[str]) -> str:
    """Changes with everything that the guest has read by then, and with the machine that would go on with it."""
    digest = hashlib.sha256(" ".join([*accel, qemu.KERNEL_ARGUMENTS, os.uname().release, str(product.installed)]).encode())
    kept = OUT / "installed.key"
    for path in (OUT / "image.key", *([kept] if product.installed else []), OUT / "kernels" / line / "key",
                 OUT / "modules" / line / "key", *(compiled(name) for name in PROGRAMS),
                 LAB / "labvm" / "qemu.py", LAB / "labvm" / "states.py", *(LAB / name for name in GUEST_FILES)):
        digest.update(path.read_bytes())
    return digest.hexdigest()
