"""The host side of the VM lab: paths that every part of it shares."""

from pathlib import Path

LAB = Path(__file__).resolve().parent.parent
OUT = LAB.parent.parent / "out" / "vm"
LOGS = OUT / "logs"
DISK = OUT / "disk.ext4"  # the guest without the product
LINES = ("6.1", "6.12")
MAIN_LINE = "6.12"
