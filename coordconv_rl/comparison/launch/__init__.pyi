from .compare import LaunchOptions, run_comparison
from .ledger import print_status

__all__ = ["LaunchOptions", "print_status", "run_comparison"]
