"""Builds what a guest needs, and proves an accelerator by patching a kernel under it."""

import subprocess
from pathlib import Path

from . import DISK, LAB, MAIN_LINE
from .boot import Place, Result, run_boot
from .payload import PROGRAMS, compiled
from .product import Product
from .scenarios import Boot, read


LEFT_OUT = 77  # exit code of the builders: the archive does not offer the line now


def build(lines: tuple[str, ...]) -> tuple[str, ...]:
    """The lines that are ready; those that the archive does not offer are missing, and the builders have said so."""
    subprocess.run([LAB / "install-needs"], check=True)
    ready = tuple(line for line in lines if _build_line(line))
    # the accelerator is tried with the main line, and the product is installed with it
    if ready and MAIN_LINE not in ready and not _build_line(MAIN_LINE):
        raise SystemExit(f"lab: no guest can run without the main line, {MAIN_LINE}")
    for name in PROGRAMS:
        compiled(name)
    return ready


def _build_line(line: str) -> bool:
    for builder in ("build-image", "build-modules"):
        if (code := subprocess.run([LAB / builder, line], check=False).returncode) == LEFT_OUT:
            return False
        if code:
            raise SystemExit(f"lab: {builder} {line} failed with {code}")
    return True


def smoke(accel: list[str], folder: Path) -> bool:
    """Whether a guest comes through under it; `folder` is the slot to try it in."""
    results: list[Result] = []
    boot = Boot(MAIN_LINE, "accelerator", "", [read(LAB / "scenarios" / "00-smoke.sh")])
    run_boot(boot, Product(DISK, installed=False), accel, Place(folder), results.append, lambda _: None,
             seconds_to_boot=45)
    return all(result.passed for result in results)
