"""CoordConv for reinforcement learning agents: layers, SB3 extractors, Atari, comparisons.

Names are imported when first used, so that commands which need no torch start fast.

Rooms, from the ground up:
- `layers`: CoordConv for torch.
- `fast`: the fast computation of the Nature network, with numbers and tensors only.
- `sb3`: both in Stable-Baselines3.
- `envs`: Atari games.
- `configs`: what a run and an experiment are.
- `runs`: what a run's folder is.
- `agents`: one agent, trained, judged, watched and inspected.
- `comparison`: many agents, from a plan to a report.
- `studies`: the paper's supervised tasks.
- `cli`: the command line.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
