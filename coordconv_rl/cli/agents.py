"""Commands about a trained agent: `evaluate`, `watch`, `inspect` and `export-sb3`."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from coordconv_rl.cli.parse import Command
from coordconv_rl.configs import Algo, Evaluation, RunConfig, check_seed, new_run
from coordconv_rl.errors import OK, InputError
from coordconv_rl.runs import by_hand_path, check_folder, write_evaluation

if TYPE_CHECKING:
    from rich.table import Table

    from coordconv_rl.agents import Model

RunFolder = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FOLDER")]
Seed = Annotated[int | None, tyro.conf.arg(help_behavior_hint="(default: the run's seed + 500000)")]
Device = Annotated[
    str | None, tyro.conf.arg(help_behavior_hint="(default: the run's, or cpu where it is missing)")
]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evaluate(Command):
    """Play fresh games with a trained agent: whole games, other seeds than training.

    Attributes:
        folder: The run's folder, or a zip that SB3 saved.
        evaluation: How it is judged.
        seed: Seed of the games.
        best: Take the best checkpoint instead of the newest.
        device: Where the network lives: cpu, cuda or cuda:N.
        game: The game, for a zip.
        algo: The algorithm, for a zip.
        trust_code: Import the code that the folder names: a game or extractor of somebody's own.
        trust_pickle: Open a zip although it holds pickle, which can run code.
    """

    folder: RunFolder
    evaluation: Annotated[Evaluation, tyro.conf.arg(name="")] = field(default_factory=Evaluation)
    seed: Seed = None
    best: tyro.conf.FlagCreatePairsOff[bool] = False
    device: Device = None
    game: Annotated[str | None, tyro.conf.arg(help_behavior_hint="(optional)")] = None
    algo: Algo = "ppo"
    trust_code: tyro.conf.FlagCreatePairsOff[bool] = False
    trust_pickle: tyro.conf.FlagCreatePairsOff[bool] = False

    def run(self) -> int:
        """Judge the agent, print a table and write it as JSON."""
        from coordconv_rl.agents import evaluate_model
        from coordconv_rl.agents.training import Interrupted, stop_on_signals

        if self.evaluation.episodes < 1:
            raise InputError(f"episodes is {self.evaluation.episodes}: play at least 1")
        if self.seed is not None:
            check_seed(self.seed)
        model, config = self._open()
        config = dataclasses.replace(config, evaluation=self.evaluation)
        try:
            with stop_on_signals() as stop:
                result = evaluate_model(model, config, seed=self.seed, on_step=stop.raise_if_asked)
        except Interrupted:
            raise KeyboardInterrupt from None
        path = self._path(result)
        write_evaluation(path, result)
        print_evaluation(result)
        log.info("written to %s", path)
        return OK

    def _path(self, result: Mapping[str, Any]) -> Path:
        """Return where it is written: never to a run's own evaluation, which reports rest on."""
        if self.folder.suffix == ".zip":
            return self.folder.with_suffix(".evaluation.json")
        return by_hand_path(self.folder, result)

    def _open(self) -> tuple[Model, RunConfig]:
        from coordconv_rl.agents import import_sb3, load_agent

        if self.folder.suffix != ".zip":
            check_folder(self.folder)
            model, config, step = load_agent(
                self.folder, best=self.best, device=self.device, trust_code=self.trust_code
            )
            model.num_timesteps = step
            return model, config
        if self.game is None:
            raise InputError(f"{self.folder} does not say which game it plays: add --game")
        config = new_run({"algo": self.algo, "game": self.game}, "evaluate")
        return import_sb3(self.folder, self.algo, trust_pickle=self.trust_pickle), config


def print_evaluation(result: dict[str, Any]) -> None:
    """Print what `evaluation.json` holds as a table."""
    from rich.console import Console

    Console().print(_evaluation_table(result))


def _evaluation_table(result: dict[str, Any]) -> Table:
    from rich.table import Table

    title = f"{result['run']}, {result['episodes']} games, protocol {result['protocol']}"
    table = Table("actions", "mean score", "standard deviation", "human-normalised", title=title)
    for name in ("stochastic", "greedy"):
        found = result[name]
        if found is None:
            continue
        normalised = found["human_normalised"]
        shown = "no reference" if normalised is None else f"{normalised:.3f}"
        table.add_row(name, f"{found['mean']:.2f}", f"{found['std']:.2f}", shown)
    return table


@dataclass(frozen=True)
class Watch(Command):
    """Write a video of one game: real frames, with the score.

    Attributes:
        folder: The run's folder.
        video: An .mp4 or .gif file to write.
        greedy: Play the most likely action instead of a sampled one.
        seed: Seed of the game.
        device: Where the network lives: cpu, cuda or cuda:N.
        trust_code: Import the code that the folder names: a game or extractor of somebody's own.
    """

    folder: RunFolder
    video: Path
    greedy: tyro.conf.FlagCreatePairsOff[bool] = False
    seed: Seed = None
    device: Device = None
    trust_code: tyro.conf.FlagCreatePairsOff[bool] = False

    def run(self) -> int:
        """Play the game and write it."""
        from coordconv_rl.agents import watch_game

        if self.seed is not None:
            check_seed(self.seed)
        score = watch_game(
            self.folder,
            self.video,
            greedy=self.greedy,
            seed=self.seed,
            device=self.device,
            trust_code=self.trust_code,
        )
        print(f"{self.video}: one game, score {score:g}")
        return OK


@dataclass(frozen=True)
class Inspect(Command):
    """Ask whether a trained agent uses its coordinates: as trained, zeroed, permuted.

    Attributes:
        folder: The run's folder, or an experiment's: all its agents that nobody has inspected.
        episodes: Games for each of the three.
        device: Where the network lives: cpu, cuda or cuda:N.
        trust_code: Import the code that the folder names: a game or extractor of somebody's own.
    """

    folder: RunFolder
    episodes: int = 30
    device: Device = None
    trust_code: tyro.conf.FlagCreatePairsOff[bool] = False

    def run(self) -> int:
        """Inspect and print tables."""
        from coordconv_rl.agents.inspect import inspect_command

        return inspect_command(
            self.folder, self.episodes, device=self.device, trust_code=self.trust_code
        )


@dataclass(frozen=True)
class ExportSb3(Command):
    """Write a trained agent as a zip that stock SB3 opens.

    Attributes:
        folder: The run's folder.
        file: The .zip file to write. That of the arm "cnn" opens without this package; the others
            need it, for their layers.
        best: Take the best checkpoint instead of the newest.
        trust_code: Import the code that the folder names: a game or extractor of somebody's own.
    """

    folder: RunFolder
    file: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FILE.zip")]
    best: tyro.conf.FlagCreatePairsOff[bool] = False
    trust_code: tyro.conf.FlagCreatePairsOff[bool] = False

    def run(self) -> int:
        """Write it and print how SB3 opens it."""
        from coordconv_rl.agents import export_sb3

        check_zip(self.file)
        file = export_sb3(self.folder, self.file, best=self.best, trust_code=self.trust_code)
        print(f"SB3 opens {file}")
        return OK


def check_zip(file: Path) -> None:
    """Raise `InputError` unless the file can be a zip of SB3, before anything is trained for it."""
    if file.suffix != ".zip" or not file.parent.is_dir():
        raise InputError(f"{file} must be a .zip file in a folder that exists")
