"""Reads lines.toml, the table of kernel lines."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).resolve().parent.parent / "lines.toml"


@dataclass(frozen=True)
class Line:
    name: str
    suites: tuple[str, ...]
    selftests: str


@dataclass(frozen=True)
class Table:
    lines: dict[str, Line]
    main: str


def read(path: Path = TABLE) -> Table:
    """Stops the program where the table is wrong: a typing error must not become a line that is silently tested in another way."""
    def wrong(what: str):
        raise SystemExit(f"{path}: {what}")

    try:
        document = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as problem:
        wrong(str(problem))
    if unknown := document.keys() - {"main", "lines"}:
        wrong(f"unknown key {', '.join(sorted(unknown))}")
    entries, lines = document.get("lines"), {}
    if not isinstance(entries, dict) or not entries:
        wrong("no line in the table 'lines'")
    for name, entry in entries.items():
        if not re.fullmatch(r"\d+\.\d+", name) or not isinstance(entry, dict):
            wrong(f"'{name}' is not the quoted name of a kernel line, MAJOR.MINOR")
        if unknown := entry.keys() - {"suites", "selftests"}:
            wrong(f"line {name}: unknown key {', '.join(sorted(unknown))}")
        suites, selftests = entry.get("suites"), entry.get("selftests", name)
        if not isinstance(suites, list) or not suites or not all(
                isinstance(suite, str) and re.fullmatch(r"[a-z][a-z0-9-]*", suite) for suite in suites):
            wrong(f"line {name}: 'suites' is not a list of suites of Debian")
        if selftests not in entries:
            wrong(f"line {name}: 'selftests' is not a line of this table")
        lines[name] = Line(name, tuple(suites), selftests)
    main = document.get("main")
    if main not in lines:
        wrong("'main' is not a line of this table")
    return Table(lines, main)
