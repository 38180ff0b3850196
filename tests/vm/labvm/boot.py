"""Runs the scenarios of one boot in a guest and turns what the guest reports into results."""

import random
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import LOGS, qemu
from .cost import Cost, Meter
from .payload import pack
from .product import Product
from .scenarios import Boot
from .states import State

# Seconds that the host gives the guest, see Guest.given_seconds.
BOOT_SECONDS = 240  # generous: an ordinary boot takes 12 to 20
CLEANUP_SECONDS = 75
DYING_SECONDS = 60  # from the word that the guest will die to its end


@dataclass(frozen=True)
class Result:
    line: str
    scenario: str
    passed: bool
    seconds: float
    output: str = ""


@dataclass(frozen=True)
class Place:
    """Where a boot runs: the folder of its slot, and the state that its first stage begins from, if it need not boot."""

    folder: Path
    state: State | None = None


@dataclass
class Chain:
    """What one stage hands to the next: the disks, the consoles, and what the guest asked the host to keep."""

    log: Path
    ground: Path
    disks: list[Path] = field(default_factory=list)
    consoles: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)

    def add_disk(self) -> Path:
        """Every stage writes to a new overlay over the last one. What it has not flushed is then missing in the image's tables, too."""
        path = qemu.sibling(self.log, f"{len(self.disks) + 1}.qcow2")
        self.disks.append(qemu.overlay(path, self.disks[-1] if self.disks else self.ground))
        return path

    @property
    def crash_memory(self) -> Path:
        return qemu.sibling(self.log, "erst")

    def settings(self) -> dict[str, str]:
        return {f"LAB_KEPT_{key}": value for key, value in self.kept.items()}


def run_boot(boot: Boot, product: Product, accel: list[str], place: Place, report, spent, seconds_to_boot: int = BOOT_SECONDS,
             seed: int = 0) -> None:
    """Boots the guest once for each stage, or resumes it for the first one. Calls `report(result)` and `spent(cost)` as they come; `seed`
    decides the moments of power cuts."""
    log = place.folder / f"{boot.line}-{boot.name}"
    chain = Chain(log, place.state.disk if place.state else product.disk)
    try:
        for stage in range(1, boot.stages + 1):
            if not _run_stage(boot, stage, chain, product, accel, place, report, spent, seconds_to_boot, seed):
                return
    finally:
        for disk in chain.disks:
            disk.unlink(missing_ok=True)
        chain.crash_memory.unlink(missing_ok=True)
        for kind in ("console", "results", "qemu"):
            for path in place.folder.glob(f"{log.name}*.{kind}"):
                shutil.move(path, LOGS / path.name)


def _run_stage(boot: Boot, stage: int, chain: Chain, product: Product, accel: list[str], place: Place, report, spent,
               seconds_to_boot: int, seed: int) -> bool:
    """Says whether the next stage may run: every scenario of this one passed, or ended the guest as it said it would."""
    last = stage == boot.stages
    several = boot.stages > 1
    state = place.state if stage == 1 else None
    log = chain.log.with_name(f"{chain.log.name}-stage{stage}") if several else chain.log
    payload = pack(qemu.sibling(log, "payload"), boot.line, boot.scenarios,
                   {"LAB_STAGE": str(stage), "LAB_STAGES": str(boot.stages), "LAB_ROUNDS": str(boot.rounds),
                    "LAB_TRACES": boot.traces, **chain.settings()}, installed=product.installed, consoles="".join(chain.consoles),
                   resumed=state is not None)
    limit = seconds_to_boot + sum(s.timeout + CLEANUP_SECONDS for s in boot.scenarios)
    waiting = [s.name for s in boot.scenarios] + ["no-call-trace"]
    passed_all, cut, dying, output = True, False, False, []
    overlay = chain.add_disk() if several else None
    with qemu.Guest(boot.line, payload, log, chain.ground, accel=accel, cmdline=boot.cmdline, overlay=overlay,
                    firmware=boot.firmware, clock_ahead=boot.away * (stage - 1), incoming=state.memory if state else None,
                    crash_memory=chain.crash_memory if boot.firmware == "erst" else None) as guest:
        meter = Meter(guest)
        why = "the guest went away"
        try:
            # the first line must come soon, because a guest that hangs in its boot has nothing more to say
            for text in guest.lines(seconds_to_boot, limit):
                kind, _, rest = text.partition(" ")
                if kind == "up":
                    spent(Cost(boot.line, log.name.removeprefix(f"{boot.line}-"), "resume" if state else "boot", *meter.step(), 0))
                elif kind == "|":
                    output.append(rest)
                elif kind == "note":
                    print(f"    {rest}", flush=True)
                elif kind == "keep":
                    key, _, value = rest.partition(" ")
                    chain.kept[key] = value
                elif kind == "cut" and not last:
                    cut = True
                    _pull_the_plug(guest, chain, stage, rest, seed)
                elif kind == "dies" and not last:
                    dying = True
                    guest.must_end_within(DYING_SECONDS)
                elif kind in ("ok", "FAIL"):
                    name, seconds = rest.split()
                    waiting = [other for other in waiting if other != name]
                    passed_all &= kind == "ok"
                    if name != "no-call-trace":
                        spent(Cost(boot.line, log.name.removeprefix(f"{boot.line}-"), name, *meter.step(), float(seconds)))
                    if kind == "FAIL" or last or name == "no-call-trace":
                        shown = name if last else f"{name}-stage{stage}"
                        report(Result(boot.line, shown, kind == "ok", float(seconds), "\n".join(output)))
                    output = []
                    # nobody looks at how a guest goes down that has said all it had to say
                    if last and not waiting:
                        break
        except TimeoutError:
            why = "the guest did not die as it said it would" if dying else f"the guest was still running after its {limit} s"
            dying = False
        spent(Cost(boot.line, log.name.removeprefix(f"{boot.line}-"), "end", *meter.step(), 0))
    payload.unlink()
    console = guest.console.read_text(errors="replace")
    chain.consoles.append(console)
    if cut or (dying and passed_all and "Kernel panic" in console):
        return passed_all
    tail = console.splitlines()[-60:]
    for name in waiting:
        passed_all = False
        report(Result(boot.line, name, False, 0, "\n".join([f"no result: {why}", *output, "--- console", *tail])))
        output = tail = []
    return passed_all


def _pull_the_plug(guest: qemu.Guest, chain: Chain, stage: int, within: str, seed: int) -> None:
    """At once, or at a random moment within so many milliseconds; the moment is kept for the next stage."""
    if within:
        milliseconds = random.Random(f"{seed}/{stage}").randrange(int(within))
        print(f"    power cut {stage} of seed {seed}: {milliseconds} ms after the mark", flush=True)
        chain.kept["CUT_MS"] = str(milliseconds)
        time.sleep(milliseconds / 1000)
    guest.kill()
