"""`python -m benchmarks.throughput`: measure, show tables, write JSON."""

from __future__ import annotations

import dataclasses
import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import tyro
from rich.console import Console

from benchmarks.contest import Contest, expected_seconds, run_contest
from benchmarks.output import header, mean_over_games, table
from benchmarks.parts import PARTS
from benchmarks.quick import ROUNDS, SECONDS, main_table
from benchmarks.specs import Choice, left_out
from benchmarks.stopping import Stopped, ignore_signals, stop_on_signals
from coordconv_rl.configs.load import load_run
from coordconv_rl.envs.games import SCREEN_SIZE, check_game
from coordconv_rl.errors import InputError
from coordconv_rl.files import write_json_atomic
from coordconv_rl.processor import has_bfloat16_instructions

log = logging.getLogger(__name__)
CPU_ENVS, GPU_ENVS = "8,16,32,64,128", "8,32,128,512"


@dataclass(frozen=True)
class Options:
    """Measure coordconv_rl against stock SB3, RL Zoo and others, alternating, side by side.

    Attributes:
        quick: The main table in ten minutes (part q, with fewer and shorter rounds).
        parts: Letters: a environment, b one run, c two runs, d layers, e memory, f scaling,
            g GPU (default a,b,c,d,e,f, and d,g on cuda).
        rounds: Measurements of each contestant (default 5, quick 3).
        seconds: The least length of one measurement (default 10, quick 3).
        cores: Cores to use (default all that this process may use).
        games: Games of part a; the other parts take the first.
        envs: Numbers of environments of parts f and g.
        arms: Arms to train in part b.
        precisions: Arithmetics of our side: auto, float32 or bfloat16 (default bfloat16,float32;
            quick without bfloat16 where the processor lacks it).
        device: cpu or cuda.
        only: Measure only what has this text in its heading, as in "one process".
        agent: A cnn run's folder: part b (only) measures its game and algorithm from nothing,
            and again with everybody playing as that agent does.
        json: A file for the results.
    """

    quick: bool = False
    parts: str | None = None
    rounds: int | None = None
    seconds: float | None = None
    cores: int | None = None
    games: str = "Breakout,Pong,Qbert"
    envs: str | None = None
    arms: str = "cnn,coordconv-all,coordconv"
    precisions: str | None = None
    device: Literal["cpu", "cuda"] = "cpu"
    only: str = ""
    agent: Path | None = None
    json: Path | None = None

    def lengths(self) -> tuple[int, float]:
        """Return rounds, and seconds of a measurement.

        Raises:
            InputError: They make no sense.
        """
        rounds, seconds = (ROUNDS, SECONDS) if self.quick else (5, 10.0)
        rounds = rounds if self.rounds is None else self.rounds
        seconds = seconds if self.seconds is None else self.seconds
        if rounds < 1 or seconds <= 0:
            raise InputError("rounds must be at least 1, and seconds more than 0")
        return rounds, seconds


def use_cores(cores: int | None) -> int:
    """Keep this process and its children on so many cores; return how many there are.

    Raises:
        InputError: There are fewer.
    """
    allowed = sorted(os.sched_getaffinity(0))
    if cores is None:
        return len(allowed)
    if not 1 <= cores <= len(allowed):
        raise InputError(f"cores is {cores}: use 1 to {len(allowed)}, what this process may use")
    os.sched_setaffinity(0, allowed[:cores])
    return cores


def plan(options: Options, cores: int) -> list[Contest]:
    """Return the contests of the chosen parts.

    Raises:
        InputError: A part, game or number makes no sense.
    """
    on_gpu = options.device == "cuda"
    usual = "q" if options.quick else "d,g" if on_gpu else "a,b,c,d,e,f"
    slow = options.quick and not has_bfloat16_instructions()
    letters = split(options.parts or ("b" if options.agent else usual))
    for letter in letters:
        if letter not in PARTS:
            raise InputError(f"part {letter!r} does not exist: choose from {', '.join(PARTS)}")
    if "g" in letters and not on_gpu:
        raise InputError("part g needs --device cuda")
    if "q" in letters and on_gpu:
        raise InputError("the quick table is of the processor: leave --device cuda out")
    if options.agent and letters != ("b",):
        raise InputError("an agent is for part b alone: leave the other parts out")
    choice = Choice(
        cores=cores,
        games=tuple(map(check_game, split(options.games))),
        envs=tuple(map(int, split(options.envs or (GPU_ENVS if on_gpu else CPU_ENVS)))),
        device=options.device,
        arms=split(options.arms),
        precisions=split(options.precisions or ("float32" if slow else "bfloat16,float32")),
    )
    if options.agent:
        choice = with_agent(choice, options.agent)
    contests = [contest for letter in letters for contest in PARTS[letter](choice)]
    chosen = [contest for contest in contests if options.only in contest.title]
    if not chosen:
        titles = "; ".join(contest.title for contest in contests)
        raise InputError(f"no heading has {options.only!r} in it: {titles}")
    return chosen


def with_agent(choice: Choice, folder: Path) -> Choice:
    """Return the choice for one agent: its algorithm, its game, and the arm that SB3 has, too.

    Raises:
        InputError: The folder holds no run, or one that stock SB3 could not train.
    """
    if not (folder / "config.yaml").is_file():
        raise InputError(f"{folder} holds no run: name a folder that has a config.yaml")
    config = load_run(folder / "config.yaml")
    kind = config.arm, config.backbone, config.protocol, config.screen_size
    if kind != ("cnn", "nature", "v4", SCREEN_SIZE):
        raise InputError(
            f"{folder} holds {', '.join(map(str, kind))}: stock SB3 trains cnn, nature, v4, "
            f"{SCREEN_SIZE} here"
        )
    algos, games = (config.algo,), (config.game,)
    agent = str(folder.resolve())
    return dataclasses.replace(choice, algos=algos, games=games, arms=("cnn",), agent=agent)


def split(text: str) -> tuple[str, ...]:
    """Return the words between commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def measure(options: Options, console: Console) -> dict[str, Any]:
    """Measure everything; the JSON file grows with every contest."""
    rounds, seconds = options.lengths()
    cores = use_cores(options.cores)
    contests = plan(options, cores)
    plain = {
        k: str(v) if isinstance(v, Path) else v for k, v in dataclasses.asdict(options).items()
    }
    report = header(plain, cores) | {"left_out": left_out(), "results": []}
    for name, reason in left_out().items():
        console.print(f"{name} is left out: {reason}")
    for contest in contests:
        expected = expected_seconds(contest, rounds, seconds)
        console.print(
            f"({contest.part}) {contest.title}: {len(contest.contestants)} contestant(s), "
            f"{rounds} round(s) of {seconds:g} s and warm-up: "
            f"about {max(1, round(expected / 60))} min on an idle machine"
        )
        with console.status(contest.title) as status:
            tell = status.update if console.is_terminal else log.info
            result = run_contest(contest, rounds, seconds, tell)
        report["results"].append(result)
        report["mean_over_games"] = mean_over_games(report["results"])
        report["load_at_end"] = os.getloadavg()
        if options.json:
            write_json_atomic(options.json, report)
        console.print(table(result))
    if options.quick:
        console.print(main_table(report["results"]))
    for name, ratio in report.get("mean_over_games", {}).items():
        console.print(f"(a) mean over the games, {name}: {ratio:.2f}")
    return report


def main() -> int:
    """Run the command.

    Returns:
        0; 1 if a contestant failed, 2 for options that make no sense, 130 or 143 if stopped.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    log.setLevel(logging.INFO)
    stop_on_signals()
    console = Console()
    try:
        report = measure(tyro.cli(Options), console)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except Stopped as stopped:
        ignore_signals()
        print("stopped: what was measured before is in the tables and the JSON", file=sys.stderr)
        return stopped.code
    return int(any(result["failures"] for result in report["results"]))


if __name__ == "__main__":
    sys.exit(main())
