"""`python -m benchmarks.repeats`: what it brings to compute patches that come again once.

For each game, training with plain convolutions, with the first one, two or three convolutions
computed once for each distinct patch, and as `FastPPO` or `FastA2C` choose. All take turns in one
process, each on a rollout of its own, for the model that trains meanwhile.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal
from unittest import mock

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from benchmarks.output import header, number
from benchmarks.specs import PRESET_ENVS, ROLLOUT
from benchmarks.subjects import Training, make_training, use_threads
from coordconv_rl.envs.games import check_game
from coordconv_rl.errors import InputError
from coordconv_rl.fast import Limits, PatchIndex, detect_precision
from coordconv_rl.files import write_json_atomic
from coordconv_rl.sb3 import algorithms

ALL: Limits = (1.0, 1.0, 1.0)
WAYS: dict[str, Limits | None] = {
    "plain": None,
    "1": (1.0, -1.0, -1.0),
    "1, 2": (1.0, 1.0, -1.0),
    "1-3": ALL,
}
CHOSEN = "chosen"
A2C_TURNS = 20  # for each of `rounds`: its updates are short


@dataclass(frozen=True)
class Options:
    """Measure what computing repeated patches once brings to training.

    Attributes:
        games: Games, with commas between them.
        algo: ppo or a2c, with RL Zoo's hyperparameters for Atari.
        precision: auto, float32 or bfloat16.
        threads: Threads that torch may use.
        rounds: Measurements of each way; of A2C 20 times as many, for its updates are short.
        json: A file for the results.
    """

    games: str = "Breakout,Pong,Qbert,KungFuMaster,MsPacman,SpaceInvaders,Seaquest,UpNDown"
    algo: Literal["ppo", "a2c"] = "ppo"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    threads: int = 1
    rounds: int = 5
    json: Path | None = None


def measure(game: str, options: Options) -> dict[str, Any]:
    """Return one game's shares of distinct patches and milliseconds, as JSON-able data."""
    spec = {"kind": "train", "maker": "ours", "algo": options.algo, "arm": "coordconv"}
    spec |= {"precision": options.precision, "game": game, "threads": options.threads}
    training = make_training(
        spec | {"workers": 0, "overrides": {}, "device": "cpu", "agent": "", "plain": False}
    )
    clock = time.process_time if options.threads == 1 else time.perf_counter
    times: dict[str, list[float]] = {name: [] for name in (*WAYS, CHOSEN, "collecting")}
    shares = []
    for turn in range(options.rounds * (A2C_TURNS if options.algo == "a2c" else 1)):
        for name in (*WAYS, CHOSEN) if turn % 2 else reversed((*WAYS, CHOSEN)):
            times["collecting"].append(_seconds(lambda: _collect(training), clock))
            with _limited(name):
                times[name].append(_seconds(training.model.train, clock))
        shares.append(_shares(training))
    training.close()
    spread = {
        name: {"median": 1e3 * median(v), "min": 1e3 * min(v), "max": 1e3 * max(v)}
        for name, v in times.items()
    }
    return {"game": game, "shares": np.median(shares, 0).tolist(), "ms": spread}


def _collect(training: Training) -> None:
    model = training.model
    model.collect_rollouts(model.env, training._callback, model.rollout_buffer, model.n_steps)


def _seconds(work: Callable[[], None], clock: Callable[[], float]) -> float:
    began = clock()
    work()
    return clock() - began


def _limited(name: str) -> Any:
    """Return a context in which training goes one way, or chooses."""
    if name == CHOSEN:
        return nullcontext()
    return mock.patch.multiple(algorithms, _limits=lambda _: WAYS[name], BACKWARD=ALL)


def _shares(training: Training) -> list[float]:
    """Return the share of distinct patches in a minibatch, for each convolution."""
    model = training.model
    frames = model.rollout_buffer.frames()
    count = getattr(model, "batch_size", len(frames))
    inds = np.random.default_rng(0).permutation(len(frames))[:count]
    batch = PatchIndex(frames, inds, ALL).minibatch(inds)
    return [len(layer.first) / (count * layer.shape[0] * layer.shape[1]) for layer in batch.layers]


def table(results: list[dict[str, Any]], options: Options) -> Table:
    """Return the games' medians, and ratios of medians."""
    precision = detect_precision(options.precision, "cpu")
    title = (
        f"{options.algo.upper()}, {PRESET_ENVS[options.algo]} environments, "
        f"{ROLLOUT[options.algo]} steps a rollout, {precision}, {options.threads} thread(s): "
        f"ms of training, {options.rounds} round(s)"
    )
    shown = Table(title=title, title_justify="left")
    shown.add_column("game")
    shown.caption = (
        "shares of distinct patches of the three convolutions; ms with plain ones, with the first, "
        "the first two or all three computed once, and as we choose; how many times as fast "
        "training and a whole iteration then are"
    )
    for heading in ("", "shares", "", *WAYS, "own", "train", "all"):
        shown.add_column(heading, justify="right")
    for result in results:
        ms = {name: spread["median"] for name, spread in result["ms"].items()}
        plain, chosen, rest = ms["plain"], ms[CHOSEN], ms["collecting"]
        values = [number(ms[name]) for name in (*WAYS, CHOSEN)]
        ratios = [f"{plain / chosen:.2f}", f"{(rest + plain) / (rest + chosen):.2f}"]
        shares = [f"{share:.2f}" for share in result["shares"]]
        shown.add_row(result["game"], *shares, *values, *ratios)
    return shown


def main() -> int:
    """Run the command; return 0, or 2 for options that make no sense."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    options = tyro.cli(Options)
    console = Console()
    try:
        if options.rounds < 1 or options.threads < 1:
            raise InputError("rounds and threads must be at least 1")
        games = [check_game(game.strip()) for game in options.games.split(",")]
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    use_threads(options.threads)
    settings = asdict(options) | {"json": str(options.json)}
    report = header(settings, len(os.sched_getaffinity(0))) | {"results": []}
    for game in games:
        report["results"].append(measure(game, options))
        report["load_at_end"] = os.getloadavg()
        if options.json:
            write_json_atomic(options.json, report)
        console.print(table(report["results"][-1:], options))
    if len(games) > 1:
        console.print(table(report["results"], options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
