"""What happens while SB3 trains: records, logs, checkpoints, stopping.

All of it between rollouts or beside them, so that none of it changes what is learned.
"""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import torch
from stable_baselines3.common.callbacks import BaseCallback

from coordconv_rl.agents.build import Model
from coordconv_rl.agents.training.checkpoint import (
    best_score,
    checkpoint_path,
    mark_best,
    prune,
    save_checkpoint,
)
from coordconv_rl.agents.training.progress import Progress
from coordconv_rl.agents.training.state import capture
from coordconv_rl.agents.training.stopping import Interrupted, StopRequest
from coordconv_rl.configs import RunConfig
from coordconv_rl.envs import human_normalised
from coordconv_rl.runs import EPISODES_FILE, REFRESH_SECONDS, EpisodeLog, RunRecord

LOG_STEPS = 8_000  # environment steps between two points in TensorBoard: SB3's A2C preset
KEPT_CHECKPOINTS = 2


class Diverged(RuntimeError):
    """The weights are no longer finite numbers."""


class RunCallback(BaseCallback):
    """Records one run into its folder and stops it when asked.

    Args:
        config: The run.
        folder: Its folder.
        episodes: Its log of full games.
        record: Its `run.json`.
        progress: What a person watches.
        stop: Whether to stop.
    """

    model: Model

    def __init__(
        self,
        config: RunConfig,
        folder: Path,
        *,
        episodes: EpisodeLog,
        record: RunRecord,
        progress: Progress,
        stop: StopRequest,
    ) -> None:
        """Work out from the settings how often there is a rollout's point in TensorBoard."""
        super().__init__()
        self.config = config
        self.folder = folder
        self.episodes = episodes
        self.record = record
        self.progress = progress
        self.stop = stop
        settings = config.hyperparameters
        self._rollout = settings.n_envs * settings.n_steps
        self._log_every = max(1, LOG_STEPS // self._rollout) if config.algo == "a2c" else 1
        self._life_loss = config.ends_with_life
        self._best = -math.inf

    def _on_training_start(self) -> None:
        self._best = best_score(self.folder, self.model.num_timesteps)
        self._began = self._refreshed = self._saved = time.monotonic()
        self._first_step = self._logged = self.model.num_timesteps

    @property
    def seconds(self) -> float:
        """Seconds of training so far, over all attempts."""
        return self.record.seconds_before + time.monotonic() - self._began

    @property
    def speed(self) -> float:
        """Environment steps a second of this attempt."""
        elapsed = max(time.monotonic() - self._began, 1e-9)
        return (self.model.num_timesteps - self._first_step) / elapsed

    def _on_step(self) -> bool:
        for info in self.locals["infos"]:
            episode = info.get("episode")
            if episode is not None:
                self.episodes.add(self.num_timesteps, episode["r"], episode["l"], self._life_loss)
        if time.monotonic() - self._refreshed >= REFRESH_SECONDS:
            self.refresh()
        return True

    def refresh(self) -> None:
        """Write `run.json` and move the progress bar."""
        self._refreshed = time.monotonic()
        self.stop.check()
        score = self.episodes.recent_score
        self.progress.update(self.model.num_timesteps, self.speed, score)
        self.record.write(
            step=self.model.num_timesteps,
            seconds=round(self.seconds, 3),
            steps_per_second=round(self.speed, 1),
            recent_score=score,
            episodes=self.episodes.count,
        )

    def _on_rollout_start(self) -> None:
        step = self.model.num_timesteps
        if step // self._rollout % self._log_every == 0:
            self.log()
        waited = time.monotonic() - self._saved
        if self.stop.check() is not None:
            self.save()
            raise Interrupted(self.stop.reason)
        if step > self._first_step and waited >= 60 * self.config.checkpoint_minutes:
            self.save()

    def log(self) -> None:
        """Write one point of every scalar to TensorBoard, once for each step count."""
        if self.model.num_timesteps == self._logged:
            return
        self._logged = self.model.num_timesteps
        score = self.episodes.recent_score
        if score is not None:
            self.logger.record("score/raw", score)
            self.logger.record("score/frames", self.episodes.recent_frames)
            normalised = human_normalised(self.config.game, score)
            if normalised is not None:
                self.logger.record("score/human_normalised", normalised)
        self.model.dump_logs(self._logged // self._rollout)

    def save(self) -> None:
        """Write a checkpoint; keep the last two and the best.

        Raises:
            Diverged: The weights are not finite; nothing is written.
        """
        step = self.model.num_timesteps
        parameters = self.model.policy.parameters()
        if not all(bool(torch.isfinite(value).all()) for value in parameters):
            raise Diverged(f"the weights are not finite at step {step}: lower the learning rate")
        self.episodes.sync()
        env = self.model.get_env()
        assert env is not None
        found = self.episodes.sum
        extra: dict[str, Any] = {
            "run": self.config.run_id,
            "episodes_bytes": found.bytes,
            "episodes_sha256": found.sha256,
        }
        save_checkpoint(checkpoint_path(self.folder, step), capture(self.model, env, extra))
        self._mark_best(step)
        prune(self.folder, KEPT_CHECKPOINTS)
        self.record.write(sums={EPISODES_FILE: found}, step=step)
        self._saved = time.monotonic()

    def _mark_best(self, step: int) -> None:
        score = self.episodes.recent_score
        if score is not None and score > self._best:
            self._best = score
            mark_best(self.folder, step, score)
