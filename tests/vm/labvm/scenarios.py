"""Reads the header of every scenario script and groups the scenarios that share a boot."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from . import LAB, LINES, MAIN_LINE

KEYS = {"boot", "cmdline", "kernels", "set", "timeout", "stages", "daemon"}


@dataclass(frozen=True)
class Scenario:
    path: Path
    boot: str = "default"
    cmdline: str = ""
    kernels: str = "both"
    set: str = "main"
    timeout: int = 90
    stages: int = 1
    daemon: bool = True

    @property
    def name(self) -> str:
        return self.path.stem

    def runs_on(self, line: str) -> bool:
        return self.kernels == "both" or line == MAIN_LINE


@dataclass
class Boot:
    """What one start of the guest runs; a scenario of several stages has its boots to itself."""

    line: str
    name: str
    cmdline: str
    scenarios: list[Scenario] = field(default_factory=list)

    @property
    def stages(self) -> int:
        return max(s.stages for s in self.scenarios)


def read(path: Path) -> Scenario:
    header = {}
    for text in path.read_text().splitlines():
        if not text.startswith("#"):
            break
        if found := re.fullmatch(r"# ([a-z]+): (.+)", text):
            header[found[1]] = found[2].strip()
    if unknown := header.keys() - KEYS:
        raise SystemExit(f"{path}: unknown header key {', '.join(sorted(unknown))}")
    for key, allowed in (("kernels", ("main", "both")), ("set", ("main", "all")), ("daemon", ("yes", "no"))):
        if header.get(key, allowed[0]) not in allowed:
            raise SystemExit(f"{path}: {key} is none of {', '.join(allowed)}")
    for key in ("timeout", "stages"):
        if key in header:
            header[key] = int(header[key])
    if "daemon" in header:
        header["daemon"] = header["daemon"] == "yes"
    return Scenario(path, **header)


def all_scenarios() -> list[Scenario]:
    return [read(path) for path in sorted((LAB / "scenarios").glob("*.sh"))]


def boots(line: str, chosen: list[Scenario]) -> list[Boot]:
    """One boot for each boot name, in the order of the files."""
    grouped: dict[str, Boot] = {}
    for scenario in chosen:
        if not scenario.runs_on(line):
            continue
        key = scenario.name if scenario.stages > 1 else scenario.boot
        boot = grouped.setdefault(key, Boot(line, key, scenario.cmdline))
        if boot.cmdline != scenario.cmdline:
            raise SystemExit(f"{scenario.path}: boot '{scenario.boot}' has another cmdline in {boot.scenarios[0].path}")
        boot.scenarios.append(scenario)
    return list(grouped.values())


def lines_of(choice: str) -> tuple[str, ...]:
    return LINES if choice == "all" else (choice,)
