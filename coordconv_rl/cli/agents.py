"""Commands about one agent."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro


@dataclass(frozen=True)
class Train:
    """Train one agent on one game, record everything, and judge it at the end.

    Attributes:
        algo: a2c or ppo (default ppo).
        game: A game, as in Breakout (see `coordconv-rl games`; default Breakout).
        arm: cnn, coordconv, coordconv-r, coordconv-all, coordconv-actor or shuffled
            (default coordconv).
        seed: Seed of everything random (default 0).
        steps: Environment steps of four frames each (default 10 million).
        folder: Where the run is kept (default runs/single/ALGO/GAME/ARM/seed-N).
        config: A run's YAML file to start from; options given here replace its values.
        resume: Go on with the run in this folder, exactly where its newest checkpoint is.
        protocol: v4 (no sticky actions, the default) or v5 (sticky actions, no life loss).
        backbone: nature (default) or impala.
        precision: auto (default), float32 or bfloat16.
        device: cpu (default), cuda or cuda:N.
        threads: Threads of torch (default 1).
        workers: Processes that play, this one among them (default 0: this one alone).
        checkpoint_minutes: Minutes between checkpoints (default 5).
        episodes: Games of the closing evaluation, 0 for none (default 30).
        export_sb3: Also write the agent as a zip for stock SB3.
        full_action_space: Offer all 18 actions (protocol v5 only).
    """

    algo: str | None = None
    game: str | None = None
    arm: str | None = None
    seed: int | None = None
    steps: int | None = None
    folder: Path | None = None
    config: Path | None = None
    resume: Path | None = None
    protocol: str | None = None
    backbone: str | None = None
    precision: str | None = None
    device: str | None = None
    threads: int | None = None
    workers: int | None = None
    checkpoint_minutes: float | None = None
    episodes: int | None = None
    export_sb3: Path | None = None
    full_action_space: tyro.conf.FlagCreatePairsOff[bool] = False

    def run(self) -> int:
        """Run the command and return its exit code."""
        from coordconv_rl.cli.agents_run import train_command

        values = dataclasses.asdict(self).items()
        return train_command({k: v for k, v in values if v is not None and v is not False})


@dataclass(frozen=True)
class Evaluate:
    """Play fresh games with a trained agent: whole games, other seeds than training.

    Attributes:
        folder: The run's folder, or a zip that SB3 saved.
        episodes: Games for each way to act: sampled actions and greedy ones.
        seed: Seed of the games (default: the run's seed + 500,000).
        best: Take the best checkpoint instead of the newest.
        game: The game, for a zip.
        algo: The algorithm, for a zip.
        trust_pickle: Open a zip although it holds pickle, which can run code.
    """

    folder: tyro.conf.Positional[Path]
    episodes: int = 30
    seed: int | None = None
    best: tyro.conf.FlagCreatePairsOff[bool] = False
    game: str | None = None
    algo: Literal["a2c", "ppo"] = "ppo"
    trust_pickle: tyro.conf.FlagCreatePairsOff[bool] = False

    def run(self) -> int:
        """Run the command and return its exit code."""
        from coordconv_rl.cli.agents_run import evaluate_command

        return evaluate_command(
            self.folder,
            self.episodes,
            seed=self.seed,
            best=self.best,
            zip_of=(self.algo, self.game),
            trust_pickle=self.trust_pickle,
        )


@dataclass(frozen=True)
class Watch:
    """Write a video of one game: real frames, with the score.

    Attributes:
        folder: The run's folder.
        video: An .mp4 or .gif file to write.
        greedy: Play the most likely action instead of a sampled one.
        seed: Seed of the game (default: the run's seed + 500,000).
    """

    folder: tyro.conf.Positional[Path]
    video: Path
    greedy: tyro.conf.FlagCreatePairsOff[bool] = False
    seed: int | None = None

    def run(self) -> int:
        """Run the command and return its exit code."""
        from coordconv_rl.agents import watch_game as write_video

        score = write_video(self.folder, self.video, greedy=self.greedy, seed=self.seed)
        print(f"{self.video}: one game, score {score:g}")
        return 0


@dataclass(frozen=True)
class Inspect:
    """Ask whether a trained agent uses its coordinates: as trained, zeroed, permuted.

    Attributes:
        folder: The run's folder.
        episodes: Games for each of the three.
    """

    folder: tyro.conf.Positional[Path]
    episodes: int = 30

    def run(self) -> int:
        """Run the command and return its exit code."""
        from coordconv_rl.agents.inspect import inspect_command

        return inspect_command(self.folder, self.episodes)
