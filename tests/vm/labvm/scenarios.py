"""Reads the header of every scenario script and groups the scenarios that share a boot."""

import os
import re
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import LAB, LINES, MAIN_LINE

KEYS = {"boot", "cmdline", "kernels", "set", "timeout", "stages", "rounds", "traces", "daemon", "firmware", "away"}
SETS = ("main", "all", "long")
PART_SECONDS = 120  # of a processor: about so much shares a guest
PATIENCE = 4  # a header's timeout is for a quiet machine; lib.sh gives its waits as much more, so that they fail first and say why
TIMEOUT_SECONDS = 90


@dataclass(frozen=True)
class Scenario:
    path: Path
    boot: str = "default"
    cmdline: str = ""
    kernels: str = "all"
    set: str = "main"
    timeout: int = TIMEOUT_SECONDS * PATIENCE
    stages: int = 1
    rounds: int = 0
    traces: str = "none"
    daemon: bool = True
    firmware: str = "none"
    away: int = 0

    @property
    def name(self) -> str:
        return self.path.stem

    def runs_on(self, line: str) -> bool:
        return self.kernels == "all" or line == MAIN_LINE

    def with_rounds(self, rounds: int) -> "Scenario":
        """The same with so many rounds, and the time or the stages for them; without rounds it stays as it is."""
        if self.rounds == 0:
            return self
        if self.stages > 1:
            return replace(self, rounds=rounds, stages=rounds + 1)
        return replace(self, rounds=rounds, timeout=max(self.timeout, self.timeout * rounds // self.rounds))


@dataclass
class Boot:
    """What one start of the guest runs; a scenario of several stages has its boots to itself."""

    line: str
    name: str
    cmdline: str
    scenarios: list[Scenario] = field(default_factory=list)
    cost: float = 0

    @property
    def resumes(self) -> bool:
        """Whether its first stage can begin from the saved state of its line."""
        return self.cmdline == "" and self.firmware == "none"

    @property
    def stages(self) -> int:
        return max(s.stages for s in self.scenarios)

    @property
    def rounds(self) -> int:
        return max(s.rounds for s in self.scenarios)

    @property
    def away(self) -> int:
        """Seconds by which the host's clock has gone on from one stage to the next, besides the time it really took."""
        return max(s.away for s in self.scenarios)

    @property
    def traces(self) -> str:
        return self.scenarios[0].traces

    @property
    def firmware(self) -> str:
        return self.scenarios[0].firmware


def read(path: Path) -> Scenario:
    header = {}
    for text in path.read_text().splitlines():
        if not text.startswith("#"):
            break
        if found := re.fullmatch(r"# ([a-z]+): (.+)", text):
            header[found[1]] = found[2].strip()
    if unknown := header.keys() - KEYS:
        raise SystemExit(f"{path}: unknown header key {', '.join(sorted(unknown))}")
    for key, allowed in (("kernels", ("main", "all")), ("set", SETS), ("traces", ("none", "expected")),
                         ("firmware", ("none", "uefi", "erst")), ("daemon", ("yes", "no"))):
        if header.get(key, allowed[0]) not in allowed:
            raise SystemExit(f"{path}: {key} is none of {', '.join(allowed)}")
    for key in ("timeout", "stages", "rounds", "away"):
        if key in header:
            header[key] = int(header[key]) * (PATIENCE if key == "timeout" else 1)
    if "daemon" in header:
        header["daemon"] = header["daemon"] == "yes"
    return Scenario(path, **header)


def all_scenarios() -> list[Scenario]:
    return [read(path) for path in sorted((LAB / "scenarios").glob("*.sh"))]


def boots(line: str, chosen: list[Scenario], expected: dict[str, float] | None = None) -> list[Boot]:
    """One boot for each boot name, in the order of the files; more where they would take long one after the other, by what each is
    expected to cost."""
    grouped: dict[str, Boot] = {}
    for scenario in chosen:
        if not scenario.runs_on(line):
            continue
        key = scenario.name if scenario.stages > 1 else scenario.boot
        boot = grouped.setdefault(key, Boot(line, key, scenario.cmdline))
        if boot.cmdline != scenario.cmdline:
            raise SystemExit(f"{scenario.path}: boot '{scenario.boot}' has another cmdline in {boot.scenarios[0].path}")
        boot.scenarios.append(scenario)
        if boot.traces != scenario.traces:
            raise SystemExit(f"{scenario.path}: boot '{scenario.boot}' expects other traces in {boot.scenarios[0].path}")
        if boot.firmware != scenario.firmware:
            raise SystemExit(f"{scenario.path}: boot '{scenario.boot}' has another firmware in {boot.scenarios[0].path}")
    for boot in grouped.values():
        boot.cost = sum(_cost(s, expected or {}) for s in boot.scenarios)
    return [part for boot in grouped.values() for part in _parts(boot, expected or {})]


def _cost(scenario: Scenario, expected: dict[str, float]) -> float:
    return expected.get(scenario.name, scenario.timeout * scenario.stages / 3)


def _parts(boot: Boot, expected: dict[str, float]) -> list[Boot]:
    """Only what can begin from a saved state is worth cutting, and a boot that must log traces needs all of its scenarios for that."""
    if not boot.resumes or boot.stages > 1 or boot.traces == "expected" or boot.cost <= PART_SECONDS * 1.5:
        return [boot]
    count = round(boot.cost / PART_SECONDS)
    parts: list[Boot] = []
    begun = 0.0
    for scenario in boot.scenarios:
        if len(parts) < count and begun >= boot.cost * len(parts) / count:
            parts.append(Boot(boot.line, f"{boot.name}-{len(parts) + 1}", boot.cmdline))
        cost = _cost(scenario, expected)
        parts[-1].scenarios.append(scenario)
        parts[-1].cost += cost
        begun += cost
    return parts


def lines_of(choice: str) -> tuple[str, ...]:
    return LINES if choice == "all" else (MAIN_LINE if choice == "main" else choice,)


def further_line() -> str | None:
    """The line that `make test` tries beside the main one: each commit another, and for a commit always the same. LAB_FURTHER_LINE names it."""
    others = [line for line in LINES if line != MAIN_LINE]
    if named := os.environ.get("LAB_FURTHER_LINE"):
        if named not in others:
            raise SystemExit(f"LAB_FURTHER_LINE: '{named}' is none of {', '.join(others)}")
        return named
    commit = subprocess.run(["git", "-C", str(LAB), "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    return others[int(commit or "0", 16) % len(others)] if others else None


def tier(name: str) -> list[tuple[str, str]]:
    """Lines, each with the set of scenarios that runs on it: `test` is everything on the main line and the main set on one further line,
    `full` everything on every line."""
    if name == "full":
        return [(line, "long") for line in LINES]
    further = further_line()
    return [(MAIN_LINE, "all"), *([(further, "main")] if further else [])]
