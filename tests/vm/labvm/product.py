"""Installs the product once, in a guest of its own, and keeps the disk that this leaves: every other guest starts from it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from . import DISK, LAB, MAIN_LINE, OUT, qemu
from .payload import pack

LIMIT_SECONDS = 240


@dataclass(frozen=True)
class Product:
    """The disk a guest starts from, and whether it holds the product."""

    disk: Path
    installed: bool


def install(tree: Path | None, accel: list[str], folder: Path) -> Product:
    """`tree` is what `make install DESTDIR=tree` wrote. A guest unpacks it, as root and with its own tools, enables the unit and powers off. `folder`
    is the slot it runs in."""
    if tree is None:
        return Product(DISK, installed=False)
    disk, key_file = OUT / "installed.qcow2", OUT / "installed.key"
    with qemu.only_one("installed"):
        key = _key(tree)
        if not (disk.exists() and key_file.exists() and key_file.read_text() == key):
            key_file.unlink(missing_ok=True)
            _install(tree, disk, accel, folder)
            key_file.write_text(key)
    return Product(disk, installed=True)


def _install(tree: Path, disk: Path, accel: list[str], folder: Path) -> None:
    log = folder / f"{MAIN_LINE}-install"
    qemu.overlay(disk)
    payload = pack(qemu.sibling(log, "payload"), MAIN_LINE, [], {"LAB_STAGE": "1", "LAB_STAGES": "1", "LAB_INSTALL": "yes"},
                   installed=True, install=tree)
    with qemu.Guest(MAIN_LINE, payload, log, DISK, accel=accel, overlay=disk) as guest:
        try:
            done = "ok install 0" in list(guest.lines(LIMIT_SECONDS, LIMIT_SECONDS))
        except TimeoutError:
            done = False
    payload.unlink()
    if not done:
        disk.unlink()
        raise SystemExit(f"lab: the product could not be installed in a guest\n{guest.console.read_text(errors='replace')}")


def _key(tree: Path) -> str:
    """Changes with the image, with what is installed and with how it is done."""
    digest = hashlib.sha256((OUT / "image.key").read_bytes())
    for path in (LAB / "agent", *sorted(path for path in tree.rglob("*") if path.is_file())):
        digest.update(f"{path.relative_to(LAB if path.is_relative_to(LAB) else tree)} {path.stat().st_mode:o}".encode())
        with open(path, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
