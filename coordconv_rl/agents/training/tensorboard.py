"""TensorBoard events of a run: one continuous line, also after a resume."""

from __future__ import annotations

from pathlib import Path

from stable_baselines3.common.logger import TensorBoardOutputFormat
from torch.utils.tensorboard import SummaryWriter

from coordconv_rl.configs import RunConfig


class TensorBoardLog(TensorBoardOutputFormat):
    """SB3's TensorBoard output, which hides what a killed attempt wrote past its checkpoint.

    Args:
        folder: Where the events go.
        first_step: The first step of this attempt: TensorBoard drops earlier attempts' points
            from there on. None for a fresh run.
    """

    def __init__(self, folder: Path, first_step: int | None = None) -> None:
        self.writer = SummaryWriter(str(folder), purge_step=first_step)
        self._is_closed = False


def hyperparameters(config: RunConfig) -> dict[str, bool | str | float | int | None]:
    """Return what TensorBoard's HParams tab compares runs by."""
    settings = config.hyperparameters
    return {
        "algo": config.algo,
        "game": config.game,
        "arm": config.arm_label,
        "seed": config.seed,
        "backbone": config.backbone,
        "head": config.head,
        "path": config.path,
        "protocol": config.played,
        "precision": config.precision,
        "n_envs": settings.n_envs,
        "n_steps": settings.n_steps,
        "learning_rate": settings.learning_rate,
        "ent_coef": settings.ent_coef,
    }
