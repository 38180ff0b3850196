"""Runs the scenarios of one boot in a guest and turns what the guest reports into results."""

import time
from dataclasses import dataclass
from pathlib import Path

from . import LOGS, qemu
from .payload import pack
from .scenarios import Boot

BOOT_SECONDS = 150  # generous: software emulation on a busy machine; an ordinary boot takes 12 to 20
CLEANUP_SECONDS = 75


@dataclass(frozen=True)
class Result:
    line: str
    scenario: str
    passed: bool
    seconds: float
    output: str = ""


def run_boot(boot: Boot, product: Path | None, accel: list[str], report, seconds_to_boot: int = BOOT_SECONDS) -> None:
    """Boots the guest once for each stage and calls `report(result)` as results arrive."""
    log = LOGS / f"{boot.line}-{boot.name}"
    overlay = qemu.overlay(qemu.sibling(log, "qcow2")) if boot.stages > 1 else None
    try:
        for stage in range(1, boot.stages + 1):
            last = stage == boot.stages
            if not _run_stage(boot, stage, last, log, overlay, product, accel, report,
                              seconds_to_boot):
                return
    finally:
        if overlay:
            overlay.unlink()


def _run_stage(boot: Boot, stage: int, last: bool, log: Path, overlay: Path | None, product: Path | None,
               accel: list[str], report, seconds_to_boot: int) -> bool:
    """Says whether the next stage may run: every scenario of this one passed."""
    if boot.stages > 1:
        log = log.with_name(f"{log.name}-stage{stage}")
    payload = pack(qemu.sibling(log, "payload"), boot.line, boot.scenarios, product,
                   {"LAB_STAGE": str(stage), "LAB_STAGES": str(boot.stages)})
    limit = seconds_to_boot + sum(s.timeout + CLEANUP_SECONDS for s in boot.scenarios)
    waiting = [s.name for s in boot.scenarios] + ["no-call-trace"]
    passed_all, cut, output = True, False, []
    with qemu.Guest(boot.line, payload, log, accel=accel, cmdline=boot.cmdline, overlay=overlay) as guest:
        why = "the guest went away"
        try:
            # the first line must come soon, because a guest that hangs in its boot has nothing more to say
            for text in guest.lines(time.monotonic() + seconds_to_boot, time.monotonic() + limit):
                kind, _, rest = text.partition(" ")
                if kind == "|":
                    output.append(rest)
                elif kind == "note":
                    print(f"    {rest}", flush=True)
                elif kind == "cut" and not last:
                    cut = True
                    guest.kill()
                elif kind in ("ok", "FAIL"):
                    name, seconds = rest.split()
                    waiting = [other for other in waiting if other != name]
                    passed_all &= kind == "ok"
                    if kind == "FAIL" or last or name == "no-call-trace":
                        shown = name if last else f"{name}-stage{stage}"
                        report(Result(boot.line, shown, kind == "ok", float(seconds), "\n".join(output)))
                    output = []
        except TimeoutError:
            why = f"the guest was still running after its {limit} s"
    payload.unlink()
    if cut:
        return passed_all
    tail = guest.console.read_text(errors="replace").splitlines()[-60:]
    for name in waiting:
        passed_all = False
        report(Result(boot.line, name, False, 0, "\n".join([f"no result: {why}", *output, "--- console", *tail])))
        output = tail = []
    return passed_all
