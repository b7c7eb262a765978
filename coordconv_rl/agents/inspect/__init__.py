"""Whether a trained agent uses its coordinates.

- `command`: the command `inspect`, for one agent or a comparison's.
- `treatments`: an agent's scores with its coordinates as trained, zeroed and permuted.
- `games`: the games that an inspection plays, and the observations that it looks at.
- `share`: how much of a layer's output comes from coordinates.
- `figure`: the picture of an inspection.
"""

from coordconv_rl.agents.inspect.command import inspect_command
from coordconv_rl.agents.inspect.treatments import inspect

__all__ = ["inspect", "inspect_command"]
