"""..."""

from coordconv_rl.studies.report.terminal import ProgressWatcher, close

__all__ = [
    "ProgressWatcher",
    "close",
]
