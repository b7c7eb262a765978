from .compare import run_comparison
from .options import LaunchOptions
from .status import print_status

__all__ = ["LaunchOptions", "print_status", "run_comparison"]
