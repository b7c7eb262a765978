"""..."""

from coordconv_rl.agents.inspect.treatments import inspect_command

__all__ = [
    "inspect_command",
]
