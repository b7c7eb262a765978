"""The command `train`: one agent, from options and files to a folder."""

from __future__ import annotations

import logging
import os
import shlex
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from coordconv_rl.cli.agents import check_zip, print_evaluation
from coordconv_rl.cli.parse import HELP, Command, read_known, read_options
from coordconv_rl.configs import (
    DEFAULT_RUN,
    Algo,
    RunConfig,
    check_offers,
    check_run,
    check_trust,
    load_run,
    needs_trust,
    new_run,
    read_yaml,
)
from coordconv_rl.envs import family_of
from coordconv_rl.errors import DISK_FULL, INTERRUPTED, OK, InputError
from coordconv_rl.files import is_no_room, note_full_disk_in_thread
from coordconv_rl.runs import (
    CONFIG_FILE,
    EVALUATION_FILE,
    WANDB_VARIABLE,
    lengthen_run,
    longer_run,
    read_evaluation,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """What decides on the defaults of `train`; see there."""

    algo: Algo | None = None
    game: str | None = None
    config: Path | None = None
    resume: Path | None = None
    export_sb3: Path | None = None
    wandb: str | None = None
    steps: int | None = None
    trust_code: tyro.conf.FlagCreatePairsOff[bool] = False


@dataclass(frozen=True)
class Train(Command):
    """Train one agent on one game, record everything, and judge it at the end.

    Attributes:
        settings: The run.
        folder: Where the run is kept.
        config: A run's YAML file to start from: its values are the defaults of what is not given.
        resume: Go on with the run in this folder, exactly where its newest checkpoint is; with
            --steps, to more steps than it was made for.
        export_sb3: Also write the agent as a zip for stock SB3.
        wandb: Also send what TensorBoard gets to this project of Weights & Biases (needs the extra
            "wandb"; WANDB_MODE=offline keeps it in ./wandb).
        trust_code: With --resume or --config: import the code that the file names, a game or an
            extractor of somebody's own.
    """

    settings: Annotated[RunConfig, tyro.conf.arg(name="")]
    folder: Annotated[
        Path | None,
        tyro.conf.arg(help_behavior_hint="(default: runs/single/ALGO/GAME/ARM/seed-N)"),
    ] = None
    config: Annotated[Path | None, tyro.conf.arg(help_behavior_hint="(optional)")] = None
    resume: Annotated[Path | None, tyro.conf.arg(help_behavior_hint="(optional)")] = None
    export_sb3: Annotated[Path | None, tyro.conf.arg(help_behavior_hint="(optional)")] = None
    wandb: Annotated[
        str | None, tyro.conf.arg(metavar="PROJECT", help_behavior_hint="(optional)")
    ] = None
    trust_code: tyro.conf.FlagCreatePairsOff[bool] = False

    @classmethod
    def read(cls, words: Sequence[str], prog: str) -> Train:
        """Make the command; see `Command.read`. What is not typed is the file's or the preset's."""
        plain = [word for word in words if word not in HELP]
        source, rest = read_known(Source, plain, prog)
        if source.resume is None or len(plain) < len(words):
            start = _start(source)
            if source.config is not None:
                check_trust(start, source.trust_code)
            return read_options(cls, words, prog, cls(start, config=source.config))
        given = ("--algo", source.algo), ("--game", source.game), ("--config", source.config)
        names = [name for name, value in given if value is not None]
        if names or rest:
            names += [word.partition("=")[0] for word in rest if word.startswith("--")]
            raise InputError(
                f"--resume takes all settings from its folder: leave out {', '.join(names or rest)}"
            )
        config = _resumed(source.resume)
        check_trust(config, source.trust_code)
        if source.steps is not None:
            config = longer_run(config, source.steps)
        return cls(
            config,
            source.resume,
            None,
            source.resume,
            source.export_sb3,
            source.wandb,
            source.trust_code,
        )

    def run(self) -> int:
        """Train, print what came out, and return the exit code."""
        from coordconv_rl.agents import export_sb3, train_agent
        from coordconv_rl.agents.training import Interrupted

        check_run(self.settings)
        if self.resume is None:
            check_offers(self.settings, [self.settings.family])
        folder = self.folder or Path("runs", "single", self.settings.run_id)
        if self.export_sb3 is not None:
            check_zip(self.export_sb3)
        if self.resume is not None and self.settings.steps > _resumed(self.resume).steps:
            lengthen_run(folder, self.settings)
        threading.excepthook = note_full_disk_in_thread
        try:
            record = train_agent(
                self.settings,
                folder,
                show_progress=True,
                wandb=self.wandb or os.environ.get(WANDB_VARIABLE),
            )
        except Interrupted as reason:
            log.info("stopped (%s); go on with: %s", reason, self._again(folder))
            return INTERRUPTED
        except OSError as error:
            if not is_no_room(error):
                raise
            run, how = self.settings.run_id, f"make room, then: {self._again(folder)}"
            log.error("%s stopped: %s; %s", run, error.strerror, how)
            return DISK_FULL  # which is no failure of the run
        _print_end(record, folder)
        if self.export_sb3 is not None:
            log.info("SB3 opens %s", export_sb3(folder, self.export_sb3, trust_code=True))
        return OK

    def _again(self, folder: Path) -> str:
        """Return the command that goes on with the run, with all that has to be said again."""
        words = ["coordconv-rl", "train", "--resume", str(folder)]
        if needs_trust(self.settings):
            words.append("--trust-code")
        if self.wandb is not None:
            words += ["--wandb", self.wandb]
        return shlex.join(words)


def _start(source: Source) -> RunConfig:
    """Make the run that options replace values of; another algorithm brings its own preset."""
    values = read_yaml(source.config) if source.config else {}
    if source.algo is not None and source.algo != values.get("algo", DEFAULT_RUN["algo"]):
        values.pop("hyperparameters", None)
    if source.game is not None and source.game != values.get("game", source.game):
        made = values.pop("environment", None)
        before = "gymnasium" if made else family_of(str(values["game"])).name
        if family_of(source.game).name != before:
            values.pop("backbone", None)
            values.pop("hyperparameters", None)
    typed = {"algo": source.algo, "game": source.game}
    values |= {name: value for name, value in typed.items() if value is not None}
    return new_run(values, str(source.config or "train"))


def _resumed(folder: Path) -> RunConfig:
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise InputError(f"{folder} holds no run to go on with: there is no {path.name}")
    return load_run(path)


def _print_end(record: dict[str, Any], folder: Path) -> None:
    log.info(
        "%s: %s steps in %.0f s, %s parameters, %s; kept in %s",
        record["run"],
        f"{record['step']:,}",
        record["seconds"],
        f"{record['parameters']:,}",
        record["precision"],
        folder,
    )
    if (found := read_evaluation(folder / EVALUATION_FILE)) is not None:
        print_evaluation(found)
