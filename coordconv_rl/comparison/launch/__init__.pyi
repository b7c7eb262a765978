from .compare import LaunchOptions, run_comparison
from .ledger import Entry, check_planned, read_ledger
from .status import print_status

__all__ = [
    "Entry",
    "LaunchOptions",
    "check_planned",
    "print_status",
    "read_ledger",
    "run_comparison",
]
