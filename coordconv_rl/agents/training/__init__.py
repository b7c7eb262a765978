"""What goes on beside SB3's learning: records, checkpoints, stopping, progress.

- `callbacks`: what happens at each rollout: rows, logs, checkpoints, a stop.
- `checkpoint`: one safetensors file each, tensors and JSON, no pickle.
- `state`: everything that a run's future depends on, as a checkpoint and back.
- `start`: what a folder holds to go on from, looked at before anything is changed.
- `progress`: what a person sees of training and of games.
- `stopping`: asking a run to stop at its next safe point.
- `tensorboard`: a run's events, one continuous line.
- `tracking`: the same events on Weights & Biases, if that is asked for.
- `threads`: who computes on how many threads.
"""

from coordconv_rl.agents.training.callbacks import RunCallback
from coordconv_rl.agents.training.checkpoint import (
    Checkpoint,
    best_step,
    checkpoint_path,
    list_checkpoints,
    load_checkpoint,
    prune,
)
from coordconv_rl.agents.training.progress import GamesProgress, Progress
from coordconv_rl.agents.training.start import Start, facts_of, look_at_start
from coordconv_rl.agents.training.state import episodes_kept, restore, restore_weights
from coordconv_rl.agents.training.stopping import Interrupted, StopRequest, stop_on_signals
from coordconv_rl.agents.training.tensorboard import TensorBoardLog, hyperparameters
from coordconv_rl.agents.training.threads import thread_callbacks, use_threads
from coordconv_rl.agents.training.tracking import tracked

__all__ = [
    "Checkpoint",
    "GamesProgress",
    "Interrupted",
    "Progress",
    "RunCallback",
    "Start",
    "StopRequest",
    "TensorBoardLog",
    "best_step",
    "checkpoint_path",
    "episodes_kept",
    "facts_of",
    "hyperparameters",
    "list_checkpoints",
    "load_checkpoint",
    "look_at_start",
    "prune",
    "restore",
    "restore_weights",
    "stop_on_signals",
    "thread_callbacks",
    "tracked",
    "use_threads",
]
