"""The host side of the VM lab: paths and the kernel lines that every part of it shares."""

from pathlib import Path

from .lines import read as _read_table

LAB = Path(__file__).resolve().parent.parent
OUT = LAB.parent.parent / "out" / "vm"
LOGS = OUT / "logs"
DISK = OUT / "disk.ext4"  # the guest without the product
_table = _read_table()
LINES = tuple(_table.lines)
MAIN_LINE = _table.main
