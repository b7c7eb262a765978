"""Commands about many agents: `compare`, `report` and `tensorboard`."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any

import tyro

from coordconv_rl.arms import parse_arm
from coordconv_rl.cli.parse import HELP, Command, read_options
from coordconv_rl.comparison import pairs_against
from coordconv_rl.comparison.launch import LaunchOptions
from coordconv_rl.configs import ExperimentConfig, experiment_names, load_experiment
from coordconv_rl.errors import OK, InputError
from coordconv_rl.runs import LEDGER_FILE

FIRST_EXPERIMENT = "quick"
MOST_SEEDS = 10_000  # more is a slip


@dataclass(frozen=True)
class Compare(Command):
    """Compare arms across games and seeds; called again, it does only what is missing.

    Attributes:
        experiment: An experiment's name (`coordconv-rl experiments` lists them), or a YAML file;
            its settings are the defaults of the options below.
        folder: Where it is kept.
        jobs: Runs at a time.
        status: Print the ledger of runs and stop.
        overrides: Set a hyperparameter of one algorithm, as in ppo.n_steps=64; give it again for
            another.
        baseline: Compare all other arms with this one, in place of the pairs that the experiment
            declares; it changes no run, and the folder's experiment.yaml and ledger keep it.
        trust_code: Import the code that a comparison's own experiment.yaml names; a file that you
            wrote needs no such word.
        launch: How to launch it.
        settings: What the experiment compares.
    """

    settings: Annotated[ExperimentConfig, tyro.conf.arg(name="")]
    experiment: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="EXPERIMENT")] = (
        FIRST_EXPERIMENT
    )
    folder: Annotated[Path | None, tyro.conf.arg(help_behavior_hint="(default: runs/NAME)")] = None
    jobs: Annotated[int | None, tyro.conf.arg(help_behavior_hint="(default: one a core)")] = None
    status: tyro.conf.FlagCreatePairsOff[bool] = False
    overrides: Annotated[
        tyro.conf.UseAppendAction[tuple[str, ...]],
        tyro.conf.arg(
            name="set", metavar="ALGO.NAME=VALUE", help_behavior_hint="(default: as the presets)"
        ),
    ] = ()
    baseline: Annotated[
        str | None, tyro.conf.arg(metavar="ARM", help_behavior_hint="(default: as declared)")
    ] = None
    trust_code: tyro.conf.FlagCreatePairsOff[bool] = False
    launch: Annotated[LaunchOptions, tyro.conf.arg(name="")] = field(default_factory=LaunchOptions)

    @classmethod
    def read(cls, words: Sequence[str], prog: str) -> Compare:
        """Make the command; see `Command.read`. What is not typed is the named experiment's."""
        words = _seeds_by_number(words)
        plain = [word for word in words if word not in HELP]
        first = read_options(cls, plain, prog, cls(load_experiment(FIRST_EXPERIMENT)))
        named = cls(load_experiment(first.experiment), first.experiment)
        asked = words if len(plain) == len(words) else ["--help"]  # all of it, whatever is typed
        return read_options(cls, asked, prog, named)

    def run(self) -> int:
        """Run what is missing of the experiment and return the exit code."""
        from coordconv_rl.comparison.launch import print_status, run_comparison

        config = self.config()
        where = Path("runs", config.name) if self.folder is None else self.folder
        if self.status:
            names_one = config != load_experiment(FIRST_EXPERIMENT)
            return print_status(where, config if names_one else None)
        code = self.code_folder()
        return run_comparison(config, where, jobs=self.jobs, options=self.launch, code=code)

    def code_folder(self) -> Path | None:
        """Return the folder of the experiment's file, if code beside it may be imported.

        Whoever names a file that he wrote trusts it; one that lies with results may be anybody's.
        """
        file = Path(self.experiment)
        if self.experiment in experiment_names() or not file.is_file():
            return None
        is_with_results = (file.resolve().parent / LEDGER_FILE).exists()
        return file.resolve().parent if self.trust_code or not is_with_results else None

    def config(self) -> ExperimentConfig:
        """Return the experiment as its file says it, with what was typed in its place."""
        named = dataclasses.asdict(load_experiment(self.experiment))
        typed = dataclasses.asdict(self.settings)
        changes = {name: value for name, value in typed.items() if value != named[name]}
        if "games" in changes:  # instead of the suite, or of the games
            changes.setdefault("suite", None)
        elif "suite" in changes:
            changes["games"] = ()
        for table, names in (("environments", "games"), ("overrides", "algos")):
            if names in changes:  # what the file says of those that are left out is not needed
                said = named[table].items()
                changes[table] = {name: one for name, one in said if name in changes[names]}
        if "arms" in changes:  # those of the file, by their names, and built-in ones
            own = {parse_arm(arm).label: arm for arm in named["arms"]}
            changes["arms"] = [own.get(str(arm), arm) for arm in changes["arms"]]
            there = {parse_arm(arm).label for arm in changes["arms"]}
            pairs = [pair for pair in named["comparisons"] if there.issuperset(pair)]
            changes["comparisons"] = pairs
        if self.overrides:
            overrides = changes.get("overrides", named["overrides"])
            changes["overrides"] = _merge(overrides, self.overrides)
        config = load_experiment(self.experiment, changes)
        if self.baseline is None:
            return config
        return dataclasses.replace(config, comparisons=pairs_against(config, self.baseline))


def _seeds_by_number(words: Sequence[str]) -> list[str]:
    """Return the words with `--seeds N` written out: the N seeds from 0.

    It is done before they are read, for what is typed must hold even where the file says the same
    number, which is there a seed.
    """
    parts = (word.split("=", 1) if word.startswith("--seeds=") else [word] for word in words)
    words = [part for several in parts for part in several]
    if "--seeds" not in words:
        return words
    first = words.index("--seeds") + 1
    numbers = list(takewhile(lambda word: re.fullmatch(r"-?\d+", word), words[first:]))
    if len(numbers) != 1:
        return words
    (number,) = map(int, numbers)
    if not 1 <= number <= MOST_SEEDS:
        raise InputError(
            f"--seeds {number}: one number is how many seeds, from 0, so at least 1 (which is seed "
            f"0 alone) and at most {MOST_SEEDS}; two or more numbers are the seeds themselves"
        )
    return [*words[:first], *map(str, range(number)), *words[first + 1 :]]


def _merge(overrides: dict[str, dict[str, Any]], words: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the experiment's hyperparameters with those of `--set` in their place."""
    merged = {algo: dict(values) for algo, values in overrides.items()}
    for word in words:
        name, equals, text = word.partition("=")
        algo, dot, key = name.partition(".")
        if not (equals and dot and algo and key and text):
            raise InputError(f"--set {word}: write ALGO.NAME=VALUE, as in ppo.n_steps=64")
        merged.setdefault(algo, {})[key.replace("-", "_")] = _value(text)
    return merged


def _value(text: str) -> int | float | str:
    """Read a number where there is one: YAML would take 1e-4 for text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


@dataclass(frozen=True)
class Report(Command):
    """Write the report of a comparison: one HTML page, Markdown, CSV and figures.

    Attributes:
        folder: The experiment's folder; it may still be running.
        baseline: Compare all other arms with this one, in place of the pairs that the experiment
            declares; the report says that they were chosen afterwards.
    """

    folder: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FOLDER")]
    baseline: Annotated[
        str | None, tyro.conf.arg(metavar="ARM", help_behavior_hint="(default: as declared)")
    ] = None

    def run(self) -> int:
        """Write it and print where it is."""
        from coordconv_rl.comparison.report import write_report

        print(write_report(self.folder, self.baseline))
        return OK


@dataclass(frozen=True)
class Export(Command):
    """Copy a comparison without its checkpoints, to publish or archive it.

    Attributes:
        folder: The experiment's folder; it may still be running.
        destination: Where to; a folder that does not exist yet.
    """

    folder: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FOLDER")]
    destination: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DEST")]

    def run(self) -> int:
        """Copy it and print how much it is."""
        from coordconv_rl.comparison import export_comparison

        print(export_comparison(self.folder, self.destination))
        return OK


@dataclass(frozen=True)
class Tensorboard(Command):
    """Show a comparison, a study or a run in TensorBoard, on the loopback address.

    Attributes:
        folder: The folder; what is in it may still be running.
        port: The port to listen on; 0 takes any free one.
    """

    folder: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FOLDER")] = Path(
        "runs", FIRST_EXPERIMENT
    )
    port: int = 6006

    def run(self) -> int:
        """Serve until it is interrupted."""
        from coordconv_rl.comparison.tensorboard import serve

        return serve(self.folder, self.port)
