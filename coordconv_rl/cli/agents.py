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
from coordconv_rl.configs import Algo, Evaluation, Protocol, check_seed
from coordconv_rl.errors import OK, InputError
from coordconv_rl.files import check_writable
from coordconv_rl.runs import by_hand_path, write_evaluation

if TYPE_CHECKING:
    from rich.table import Table

    from coordconv_rl.agents import Opening

RunFolder = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FOLDER")]
Seed = Annotated[
    int | None, tyro.conf.arg(help_behavior_hint="(default: 500000 + 1000 times the run's)")
]
Device = Annotated[
    str | None, tyro.conf.arg(help_behavior_hint="(default: the run's, or cpu where it is missing)")
]
ZipGame = Annotated[str | None, tyro.conf.arg(help_behavior_hint="(optional)")]
ZipAlgo = Annotated[Algo | None, tyro.conf.arg(help_behavior_hint="(optional)")]

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
        game: The game of a zip that does not say it.
        algo: The algorithm of such a zip; what it holds shows it.
        protocol: The Atari protocol of such a zip.
        trust_code: Import the code that the folder names: a game or extractor of somebody's own.
        trust_pickle: Read a zip's pickle too, which can run code. Zips that export-sb3 wrote and
            those of SB3's own network do not need it; any other does.
    """

    folder: RunFolder
    evaluation: Annotated[Evaluation, tyro.conf.arg(name="")] = field(default_factory=Evaluation)
    seed: Seed = None
    best: tyro.conf.FlagCreatePairsOff[bool] = False
    device: Device = None
    game: ZipGame = None
    algo: ZipAlgo = None
    protocol: Protocol = "v4"
    trust_code: tyro.conf.FlagCreatePairsOff[bool] = False
    trust_pickle: tyro.conf.FlagCreatePairsOff[bool] = False

    def run(self) -> int:
        """Judge the agent, print a table and write it as JSON."""
        from coordconv_rl.agents import evaluate_model, open_agent
        from coordconv_rl.agents.training import Interrupted, stop_on_signals

        if self.evaluation.episodes < 1:
            raise InputError(f"episodes is {self.evaluation.episodes}: play at least 1")
        if self.seed is not None:
            check_seed(self.seed)
        model, config = open_agent(self.folder, _opening(self))
        check_writable(self.folder.parent if self.folder.suffix == ".zip" else self.folder)
        config = dataclasses.replace(config, evaluation=self.evaluation)
        try:
            with stop_on_signals() as stop:
                result = evaluate_model(model, config, seed=self.seed, on_step=stop.raise_if_asked)
        except Interrupted:
            raise KeyboardInterrupt from None
        path = self._path(result)
        print_evaluation(result)
        write_evaluation(path, result)
        log.info("written to %s", path)
        return OK

    def _path(self, result: Mapping[str, Any]) -> Path:
        """Return where it is written: never to a run's own evaluation, which reports rest on."""
        if self.folder.suffix == ".zip":
            return self.folder.with_suffix(".evaluation.json")
        return by_hand_path(self.folder, result)


def print_evaluation(result: dict[str, Any]) -> None:
    """Print what `evaluation.json` holds as a table."""
    from rich.console import Console

    Console().print(_evaluation_table(result))


def _evaluation_table(result: dict[str, Any]) -> Table:
    from rich.table import Table

    title = f"{result['run']}, {result['episodes']} games, protocol {result['protocol']}"
    others = result.get("evaluation_kwargs") or {}
    title += "".join(f", {name} {value}" for name, value in others.items())
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
    """Write a video of games: real frames, with the score, and where the agent looks.

    Attributes:
        folder: The run's folder, or a zip that SB3 saved.
        video: A .webm, .gif or .mp4 file to write; browsers play all of them, and an .mp4 needs the
            extra "video".
        episodes: Games in the video: the first ones of an evaluation with that seed.
        side_by_side: Show the games at once in one picture, instead of one after another.
        grad_cam: Lay a heat map over the screen: what speaks for the chosen action (Grad-CAM).
        greedy: Play the most likely action instead of a sampled one.
        seed: Seed of the first game.
        best: Take the best checkpoint instead of the newest.
        device: Where the network lives: cpu, cuda or cuda:N.
        game: The game of a zip that does not say it.
        algo: The algorithm of such a zip; what it holds shows it.
        protocol: The Atari protocol of such a zip.
        trust_code: Import the code that the folder names: a game or extractor of somebody's own.
        trust_pickle: Read a zip's pickle too, which can run code; see evaluate.
    """

    folder: RunFolder
    video: Path
    episodes: int = 1
    side_by_side: tyro.conf.FlagCreatePairsOff[bool] = False
    grad_cam: tyro.conf.FlagCreatePairsOff[bool] = False
    greedy: tyro.conf.FlagCreatePairsOff[bool] = False
    seed: Seed = None
    best: tyro.conf.FlagCreatePairsOff[bool] = False
    device: Device = None
    game: ZipGame = None
    algo: ZipAlgo = None
    protocol: Protocol = "v4"
    trust_code: tyro.conf.FlagCreatePairsOff[bool] = False
    trust_pickle: tyro.conf.FlagCreatePairsOff[bool] = False

    def run(self) -> int:
        """Play the games and write them."""
        from coordconv_rl.agents import Film, check_film, open_agent, watch_games

        if self.seed is not None:
            check_seed(self.seed)
        film = Film(self.episodes, self.side_by_side, self.greedy, self.grad_cam, self.seed)
        check_film(film, self.video)
        model, config = open_agent(self.folder, _opening(self))
        scores = watch_games(model, config, self.video, film)
        words = "one game, score" if len(scores) == 1 else f"{len(scores)} games, scores"
        print(f"{self.video}: {words} {', '.join(f'{score:g}' for score in scores)}")
        return OK


def _opening(command: Evaluate | Watch) -> Opening:
    """Return how a command's agent is opened."""
    from coordconv_rl.agents import Opening

    names = [field.name for field in dataclasses.fields(Opening)]
    return Opening(**{name: getattr(command, name) for name in names})


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
