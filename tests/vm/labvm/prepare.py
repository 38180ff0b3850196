"""Builds what a guest needs, and proves an accelerator by patching a kernel under it."""

import subprocess

from . import DISK, LAB, MAIN_LINE
from .boot import Result, run_boot
from .product import Product
from .scenarios import Boot, read


def build(lines: tuple[str, ...]) -> None:
    subprocess.run([LAB / "install-needs"], check=True)
    subprocess.run([LAB / "build-image"], check=True)
    for line in sorted({*lines, MAIN_LINE}):  # the accelerator is tried with the main line
        subprocess.run([LAB / "build-modules", line], check=True)


def smoke(accel: list[str]) -> bool:
    results: list[Result] = []
    boot = Boot(MAIN_LINE, "accelerator", "", [read(LAB / "scenarios" / "00-smoke.sh")])
    run_boot(boot, Product(DISK, installed=False), accel, results.append, seconds_to_boot=45)
    return all(result.passed for result in results)
