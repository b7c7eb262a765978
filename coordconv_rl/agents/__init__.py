"""One agent, from a configuration to a folder.

- `build`: the environment and the SB3 model of a configuration.
- `train`: training that records, checkpoints, and goes on exactly where it was.
- `training`: what goes on beside SB3's learning.
- `choosing`: actions, each from its own observation and draw alone.
- `play`: fresh games side by side, one pass of the network a step.
- `evaluate`: a trained agent judged on fresh games.
- `loading`: a trained agent from its run folder.
- `opening`: a trained agent from what somebody names: a run's folder, or a zip of SB3's.
- `watch`: games as a video, with a heat map of where the agent looks.
- `inspect`: whether an agent uses its coordinates.
- `hub`: agents on the Hugging Face Hub.
- `sb3_zip`: SB3's own zip files, written for anybody and read only on trust.
- `zip_reading`: such files without their pickle, where the network is known.
"""

from coordconv_rl.agents.build import Model
from coordconv_rl.agents.evaluate import evaluate_model
from coordconv_rl.agents.loading import load_agent
from coordconv_rl.agents.opening import Opening, open_agent
from coordconv_rl.agents.sb3_zip import export_sb3, import_sb3
from coordconv_rl.agents.train import train_agent
from coordconv_rl.agents.watch import Film, check_film, watch_games

__all__ = [
    "Film",
    "Model",
    "Opening",
    "check_film",
    "evaluate_model",
    "export_sb3",
    "import_sb3",
    "load_agent",
    "open_agent",
    "train_agent",
    "watch_games",
]
