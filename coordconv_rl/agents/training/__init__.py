"""..."""

from coordconv_rl.agents.training.callbacks import RunCallback
from coordconv_rl.agents.training.checkpoint import (
    Checkpoint,
    best_step,
    checkpoint_path,
    list_checkpoints,
    load_checkpoint,
    prune,
)
from coordconv_rl.agents.training.progress import Progress
from coordconv_rl.agents.training.state import episodes_bytes, restore, restore_weights
from coordconv_rl.agents.training.stopping import Interrupted, StopRequest, stop_on_signals
from coordconv_rl.agents.training.tensorboard import TensorBoardLog, hyperparameters
from coordconv_rl.agents.training.threads import thread_callbacks, use_threads

__all__ = [
    "Checkpoint",
    "Interrupted",
    "Progress",
    "RunCallback",
    "StopRequest",
    "TensorBoardLog",
    "best_step",
    "checkpoint_path",
    "episodes_bytes",
    "hyperparameters",
    "list_checkpoints",
    "load_checkpoint",
    "prune",
    "restore",
    "restore_weights",
    "stop_on_signals",
    "thread_callbacks",
    "use_threads",
]
