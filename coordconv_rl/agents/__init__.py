"""One agent, from a configuration to a folder.

- `build`: the environment and the SB3 model of a configuration.
- `train`: training that records, checkpoints, and goes on exactly where it was.
- `callbacks`: what happens at each rollout; `record`: `run.json`; `episodes`: `episodes.csv`.
- `checkpoint`: everything that the future depends on, in one file without pickle.
- `evaluate`, `watch`: fresh games of a trained agent, as numbers and as a video.
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
