"""What guests cost: seconds until the first scenario for each boot, wall and processor seconds for each scenario."""

from dataclasses import dataclass
from pathlib import Path

from . import LAB, OUT

EXPECTED = LAB / "costs.tsv"  # of an earlier run: decides what is begun first and what shares a boot, nothing else
MEASURED = OUT.parent / "test-logs" / "vm-cost.tsv"
HEADER = "line\tboot\twhat\twall_s\tcpu_s\tguest_s\n"


@dataclass(frozen=True)
class Cost:
    line: str
    boot: str
    what: str  # a scenario, "boot" or "resume" (to the first scenario), "end" (from the last scenario to the guest's end)
    wall: float
    cpu: float
    guest: float  # by the guest's own clock, of a scenario alone

    def row(self) -> str:
        return f"{self.line}\t{self.boot}\t{self.what}\t{self.wall:.1f}\t{self.cpu:.1f}\t{self.guest:.1f}\n"


class Meter:
    """Hands out the seconds since it was last asked, of one guest."""

    def __init__(self, guest) -> None:
        self._guest = guest
        self._last = (0.0, 0.0)

    def step(self) -> tuple[float, float]:
        """Wall and processor seconds."""
        now = (self._guest.wall_seconds, self._guest.cpu_seconds)
        step = (now[0] - self._last[0], now[1] - self._last[1])
        self._last = now
        return step


def expected() -> dict[str, float]:
    """Processor seconds of each scenario, all its stages together."""
    rows = EXPECTED.read_text().splitlines()[1:] if EXPECTED.exists() else []
    return {scenario: float(cpu) for scenario, cpu in (row.split("\t") for row in rows)}


def keep(costs: list[Cost], scenarios: set[str], line: str) -> None:
    """Makes what the scenarios have cost on this line what later runs expect; the others stay as they are."""
    new: dict[str, float] = {}
    for cost in costs:
        if cost.line == line and cost.what in scenarios:
            new[cost.what] = new.get(cost.what, 0) + cost.cpu
    EXPECTED.write_text("scenario\tcpu_s\n" + "".join(f"{name}\t{cpu:.1f}\n" for name, cpu in sorted((expected() | new).items())))


def write(costs: list[Cost], target: Path = MEASURED) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(HEADER + "".join(cost.row() for cost in sorted(costs, key=lambda cost: -cost.cpu)))


def table(costs: list[Cost]) -> str:
    """For people: the boots, then the scenarios, the dearest first."""
    starts = [cost for cost in costs if cost.what in ("boot", "resume")]
    scenarios = [cost for cost in costs if cost.what not in ("boot", "resume", "end")]
    rows = ["", f"{'to the first scenario':36} {'wall s':>8} {'CPU s':>8}"]
    rows += [f"{f'{cost.line} {cost.boot} ({cost.what})':36} {cost.wall:8.1f} {cost.cpu:8.1f}" for cost in sorted(starts, key=lambda c: -c.cpu)]
    rows += ["", f"{'scenario':36} {'wall s':>8} {'CPU s':>8} {'guest s':>8}"]
    rows += [f"{f'{cost.line} {cost.what}':36} {cost.wall:8.1f} {cost.cpu:8.1f} {cost.guest:8.1f}"
             for cost in sorted(scenarios, key=lambda c: -c.cpu)]
    rows += [f"{'all guests':36} {sum(c.wall for c in costs):8.1f} {sum(c.cpu for c in costs):8.1f}"]
    return "\n".join(rows)
