from .compare import run_comparison
from .ledger import Entry, check_planned, read_ledger
from .options import LaunchOptions
from .status import print_status

__all__ = [
    "Entry",
    "LaunchOptions",
    "check_planned",
    "print_status",
    "read_ledger",
    "run_comparison",
]
