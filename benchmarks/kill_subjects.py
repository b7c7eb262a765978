"""What is killed at random moments, and what must be the same as without kills."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.victims import Fork
from coordconv_rl.agents.training.checkpoint import list_checkpoints, load_checkpoint
from coordconv_rl.comparison import plan
from coordconv_rl.comparison.launch.ledger import Ledger
from coordconv_rl.configs.load import preset, to_yaml
from coordconv_rl.configs.schema import Evaluation, ExperimentConfig, RunConfig

CHECKPOINT_MINUTES = 0.002  # a checkpoint at the end of most rollouts, so that kills fall into some
SETTINGS: dict[str, dict[str, Any]] = {
    "a2c": {"n_envs": 4},
    "ppo": {"n_envs": 4, "n_steps": 32, "batch_size": 64},
}
GAMES = {"Atari": "Breakout", "MinAtar": "minatar/breakout"}
AFTER = ("evaluate, by hand", "inspect", "report", "export")
# Files of a run that say when, where and how often it was worked on.
OF_THE_TIME = ("log.txt", "run.lock", "ledger.lock", "run.json", "ledger.jsonl", "events.out")


@dataclass(frozen=True)
class Subject:
    """A command that is killed.

    Attributes:
        name: What it is.
        lay: Makes the folder in which it works.
        words: Its command line, for such a folder.
        result: What it leaves, by name: to be the same, byte for byte.
        made: What is there only when its work is done, and is not made twice.
    """

    name: str
    lay: Callable[[Path], None]
    words: Callable[[Path], Sequence[object]]
    result: Callable[[Path], dict[str, bytes]]
    made: str | None = None

    def is_done(self, folder: Path) -> bool:
        """Return whether a process that was killed had done all of its work by then."""
        return self.made is not None and (folder / self.made).exists()


def run_config(algo: str, game: str, steps: int, *, workers: int = 0, games: int = 1) -> RunConfig:
    """Return one of the runs that are killed; `games` is how many its evaluation has."""
    return RunConfig(
        algo="a2c" if algo == "a2c" else "ppo",
        game=game,
        arm="coordconv",
        seed=7,
        steps=steps,
        hyperparameters=preset(algo, SETTINGS[algo]),
        backbone="minatar" if game.startswith("minatar/") else "nature",
        workers=workers,
        checkpoint_minutes=CHECKPOINT_MINUTES,
        evaluation=Evaluation(episodes=games, greedy=False),
    )


def experiment(game: str, steps: int) -> ExperimentConfig:
    """Return a comparison of four runs."""
    return ExperimentConfig(
        name="survival",
        description="Killed again and again",
        algos=("a2c", "ppo"),
        arms=("cnn", "coordconv"),
        games=(game,),
        seeds=(7,),
        steps=steps,
        overrides=SETTINGS,
        checkpoint_minutes=CHECKPOINT_MINUTES,
        evaluation=Evaluation(episodes=1, greedy=False),
    )


def tensors_and_files(folder: Path) -> dict[str, bytes]:
    """Return a finished run's last tensors (weights, optimizer, generators, emulators) and files.

    The files are `episodes.csv`, `evaluation.json` and `config.yaml`.
    """
    checkpoint = list_checkpoints(folder)[0]
    tensors = load_checkpoint(checkpoint).tensors
    found = {f"{checkpoint.name} {name}": t.numpy().tobytes() for name, t in tensors.items()}
    names = ("episodes.csv", "evaluation.json", "config.yaml")
    return found | {name: (folder / name).read_bytes() for name in names}


def all_files(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder but those that say when it was worked on."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(OF_THE_TIME)
    }


def report_files(folder: Path) -> dict[str, bytes]:
    """Return `all_files` without what a report says of the time and of its own place."""
    found = all_files(folder)
    for name in ("report/index.html", "report/report.md"):
        text = found[name].decode().replace(str(folder), "FOLDER")
        found[name] = re.sub(r"Written [-\d]+ [:\d]+ UTC", "Written", text).encode()
    return found


def training(algo: str, family: str, steps: int, workers: int = 0) -> Subject:
    """Return a training; with `workers` environments live in other processes."""
    config = run_config(algo, GAMES[family], steps, workers=workers)
    text = to_yaml(config)

    def lay(folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "config.yaml").write_text(text)

    more = f", {workers} workers" if workers else ""
    return Subject(f"train {algo}, {family}{more}", lay, _resume, tensors_and_files)


def closing_evaluation(family: str, games: int) -> Subject:
    """Return a training whose evaluation is most of it."""
    config = run_config("ppo", GAMES[family], 128, games=games)
    subject = training("ppo", family, 128)

    def lay(folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "config.yaml").write_text(to_yaml(config))

    return dataclasses.replace(subject, name=f"closing evaluation, {family}", lay=lay)


def after_training(folder: Path) -> list[Subject]:
    """Train a small comparison, and return what is done with it later.

    Args:
        folder: Where to.
    """
    config = dataclasses.replace(
        experiment(GAMES["Atari"], 128), algos=("ppo",), overrides={"ppo": SETTINGS["ppo"]}
    )
    base = folder / "base"
    plan.write_experiment(base, config)
    configs = plan.expand(config)
    for run in configs:
        (base / run.run_id).mkdir(parents=True)
        (base / run.run_id / "config.yaml").write_text(to_yaml(run))
        if Fork(_resume(base / run.run_id), folder / "base.txt").finish():
            raise RuntimeError(f"{run.run_id} did not train: {folder / 'base.txt'}")
    with Ledger(base, [run.run_id for run in configs]) as held:
        for run in configs:
            held.update(run.run_id, status="done", attempts=1)
    run = configs[1].run_id
    copy = partial(shutil.copytree, base)

    def begin_destination(place: Path) -> None:
        place.mkdir(parents=True)

    def evaluate(place: Path) -> Sequence[object]:
        return ["evaluate", place / run, "--episodes", 3, "--no-greedy", "--seed", 5]

    def inspect(place: Path) -> Sequence[object]:
        return ["inspect", place / run, "--episodes", 1]

    def report(place: Path) -> Sequence[object]:
        return ["report", place]

    def export(place: Path) -> Sequence[object]:
        return ["export", base, place / "published"]

    lays = (copy, copy, copy, begin_destination)
    words = (evaluate, inspect, report, export)
    results = (all_files, all_files, report_files, all_files)
    made = (None, None, None, "published")
    return [Subject(*one) for one in zip(AFTER, lays, words, results, made, strict=True)]


def _resume(folder: Path) -> Sequence[object]:
    return ["train", "--resume", folder]
