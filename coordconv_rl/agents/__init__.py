"""One agent, from a configuration to a folder.

- `build`: the environment and the SB3 model of a configuration.
- `train`: training that records, checkpoints, and goes on exactly where it was.
- `training`: what goes on beside SB3's learning.
- `play`: fresh games side by side, one pass of the network a step.
- `evaluate`: a trained agent opened, and judged on fresh games.
- `watch`: one game as a video.
- `inspect`: whether an agent uses its coordinates.
- `sb3_zip`: SB3's own zip files, written for anybody and read only on trust.
"""

from coordconv_rl.agents.build import Model
from coordconv_rl.agents.evaluate import evaluate_model, load_agent
from coordconv_rl.agents.sb3_zip import export_sb3, import_sb3
from coordconv_rl.agents.train import train_agent
from coordconv_rl.agents.watch import watch_game

__all__ = [
    "Model",
    "evaluate_model",
    "export_sb3",
    "import_sb3",
    "load_agent",
    "train_agent",
    "watch_game",
]
