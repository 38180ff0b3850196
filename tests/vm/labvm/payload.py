"""Packs the disk that brings the product, the modules and the scenarios into a guest."""

import io
import os
import secrets
import shutil
import subprocess
import tarfile
from pathlib import Path

from . import LAB, OUT
from .scenarios import Scenario

GUEST_FILES = ("agent", "lib.sh", "prepare")


# The clock is static so that it starts quickly; labguest starts once a scenario, and needs the guest's libsystemd.
PROGRAMS = {"labclock": ["-static"], "labguest": ["-lsystemd"], "labescape": [], "labattack": ["-lsystemd"]}


def compiled(name: str) -> Path:
    """A program of the guest side, compiled when its source is newer; whoever needs it at the same time finds the old one or the new."""
    source, program = LAB / f"{name}.c", OUT / name
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        compiler = shutil.which("gcc") or "gcc"
        new = OUT / f"{name}.{os.getpid()}"
        subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(new), str(source), *PROGRAMS[name]], check=True)
        new.rename(program)
    return program


def pack(target: Path, line: str, scenarios: list[Scenario], settings: dict[str, str], *, installed: bool,
         install: Path | None = None, script: bytes | None = None, consoles: str = "", resumed: bool = False) -> Path:
    """Writes the tar to `target`; the settings and the consoles of earlier stages come first, so that a later stage finds them
    without reading the rest. `installed`: the guest's disk holds the product, or will when what is in `install` is unpacked. `resumed`: the
    guest has the modules already."""
    def owned_by_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        return entry

    # every value is one word or a list of words, so quoting them once is enough
    environment = "".join(f"{key}='{value}'\n" for key, value in
                          {"LAB_LINE": line, "LAB_SCENARIOS": " ".join(s.path.name for s in scenarios),
                           "LAB_TIMEOUTS": " ".join(str(s.timeout) for s in scenarios),
                           "LAB_PRODUCT": "yes" if installed else "no",
                           # fresh in every payload: by it a resumed guest sees that its disk was exchanged, and it goes into its entropy
                           "LAB_SEED": secrets.token_hex(32), **settings}.items()).encode()

    def add_text(tar: tarfile.TarFile, name: str, text: bytes) -> None:
        entry = owned_by_root(tarfile.TarInfo(name))
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))

    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as tar:
        add_text(tar, "opt/lab/boot.env", environment)
        add_text(tar, "opt/lab/consoles", consoles.encode())
        if script is not None:
            add_text(tar, "opt/lab/script", script)
        for name in GUEST_FILES:
            tar.add(LAB / name, f"opt/lab/{name}", filter=owned_by_root)
        for name in PROGRAMS:
            tar.add(compiled(name), f"opt/lab/bin/{name}", filter=owned_by_root)
        for scenario in scenarios:
            tar.add(scenario.path, f"opt/lab/scenarios/{scenario.path.name}", filter=owned_by_root)
        # the disk that the product is installed on serves every line, and holds the modules of none
        if install is None and not resumed:
            tar.add(OUT / "kernels" / line / "modules", "usr/lib/modules", filter=owned_by_root)
            tar.add(OUT / "modules" / line, "opt/lab/modules", filter=owned_by_root)
        if install:
            for child in sorted(install.iterdir()):
                tar.add(child, child.name, filter=owned_by_root)
    return target
