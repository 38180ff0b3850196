"""Builds what a guest needs, and proves an accelerator by patching a kernel under it."""

import subprocess
from pathlib import Path

from . import DISK, LAB, MAIN_LINE
from .boot import Place, Result, run_boot
from .payload import helper
from .product import Product
from .scenarios import Boot, read


def build(lines: tuple[str, ...]) -> None:
    subprocess.run([LAB / "install-needs"], check=True)
    subprocess.run([LAB / "build-image"], check=True)
    for line in sorted({*lines, MAIN_LINE}):  # the accelerator is tried with the main line
        subprocess.run([LAB / "build-modules", line], check=True)
    helper()


def smoke(accel: list[str], folder: Path) -> bool:
    """Whether a guest comes through under it; `folder` is the slot to try it in."""
    results: list[Result] = []
    boot = Boot(MAIN_LINE, "accelerator", "", [read(LAB / "scenarios" / "00-smoke.sh")])
    run_boot(boot, Product(DISK, installed=False), accel, Place(folder), results.append, lambda _: None,
             seconds_to_boot=45)
    return all(result.passed for result in results)
