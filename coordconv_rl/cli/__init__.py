"""..."""

from coordconv_rl.cli.main import main

__all__ = [
    "main",
]
