"""`python -m benchmarks.precision`: does bfloat16 learn as float32 does? Two experiments compared.

Train both first, with nothing but the precision between them:
`coordconv-rl compare two-games` and `coordconv-rl compare two-games-float32`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from coordconv_rl.comparison.results import Results, final_scores, read_results
from coordconv_rl.comparison.statistics import bootstrap
from coordconv_rl.comparison.statistics import estimators as statistics
from coordconv_rl.comparison.statistics.estimators import Array
from coordconv_rl.configs.schema import ExperimentConfig
from coordconv_rl.envs.games import human_normalised
from coordconv_rl.errors import InputError
from coordconv_rl.files import write_json_atomic

EQUAL = (
    "algos", "steps", "overrides", "backbone", "protocol", "full_action_space", "screen_size",
    "evaluation",
)  # fmt: skip


@dataclass(frozen=True)
class Options:
    """Compare final scores of two experiments that differ in precision, with intervals.

    Attributes:
        first: The experiment in bfloat16.
        second: The experiment in float32.
        json: A file for the numbers.
    """

    first: Path = Path("runs/two-games")
    second: Path = Path("runs/two-games-float32")
    json: Path | None = None


@dataclass(frozen=True)
class Verdict:
    """One row: a game, or all games together in human-normalised scores.

    Attributes:
        name: The game, or "all, human-normalised".
        first: Scores of shape (seeds, games) of the first experiment.
        second: The same of the second.
        p_value: Welch's test, uncorrected; None for all games together.
    """

    name: str
    first: Array
    second: Array
    p_value: float | None = None

    def difference(self) -> bootstrap.Estimate:
        """Estimate the first's mean minus the second's."""
        return bootstrap.estimate(
            lambda x, y: statistics.mean(x) - statistics.mean(y),
            self.first,
            self.second,
            rng=np.random.default_rng(0),
        )

    def improvement(self) -> bootstrap.Estimate:
        """Estimate the probability that a run of the first beats one of the second."""
        return bootstrap.estimate(
            statistics.probability_of_improvement,
            self.first,
            self.second,
            rng=np.random.default_rng(0),
        )

    def cells(self) -> list[str]:
        """Write the row."""
        return [
            self.name,
            *(_mean_and_spread(scores) for scores in (self.first, self.second)),
            _interval(self.difference()),
            _interval(self.improvement()),
            "" if self.p_value is None else f"{self.p_value:.2f}",
        ]


def _digits(size: float) -> int:
    return 0 if size >= 100 else 3


def _mean_and_spread(scores: Array) -> str:
    mean = float(statistics.mean(scores))
    digits, spread = _digits(abs(mean)), float(np.nanstd(scores, axis=0, ddof=1).mean())
    runs = int(np.isfinite(scores).sum())
    return f"{mean:,.{digits}f} ± {spread:,.{digits}f} ({runs} of {scores.size})"


def _interval(estimate: bootstrap.Estimate) -> str:
    value = float(estimate.value)
    if estimate.low is None or estimate.high is None:
        return f"{value:,.3g} (no interval: under {bootstrap.MIN_SEEDS} seeds)"
    low, high = float(estimate.low), float(estimate.high)
    digits = 0 if max(abs(low), abs(high)) >= 10 else 2
    return f"{value:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def check_alike(first: ExperimentConfig, second: ExperimentConfig) -> None:
    """Raise `InputError` if more than arms, seeds, games and the precision differ."""
    for name in EQUAL:
        ours, theirs = getattr(first, name), getattr(second, name)
        if ours != theirs:
            raise InputError(
                f"{name} is {ours} in the first experiment and {theirs} in the second: they may "
                "differ in precision only"
            )
    if first.precision == second.precision:
        raise InputError(f"both experiments have precision {first.precision}: nothing to compare")


def compare(first: Results, second: Results) -> list[Verdict]:
    """Compare every arm, game and seed that both experiments plan; missing runs count as missing.

    Raises:
        InputError: They differ in more than the precision, or share no arm, game or seed.
    """
    ours, theirs = first.experiment, second.experiment
    check_alike(ours, theirs)
    arms = [arm for arm in ours.arms if arm in theirs.arms]
    games = [game for game in first.games if game in second.games]
    seeds = [seed for seed in ours.seeds if seed in theirs.seeds]
    if not (arms and games and seeds):
        raise InputError("the two experiments share no arm, game or seed: nothing to compare")
    found = []
    for algo in ours.algos:
        for arm in arms:
            raw = [_scores(results, algo, arm, games, seeds) for results in (first, second)]
            p_values = bootstrap.p_values_by_game(*raw)
            for index, game in enumerate(games):
                one = slice(index, index + 1)
                title = f"{algo}, {arm}, {game}"
                x, y = (scores[:, one] for scores in raw)
                found.append(Verdict(title, x, y, float(p_values[index])))
            x, y = (_normalise(scores, games) for scores in raw)
            found.append(Verdict(f"{algo}, {arm}, all, human-normalised", x, y))
    return found


def _scores(results: Results, algo: str, arm: str, games: list[str], seeds: list[int]) -> Array:
    found = final_scores(results, algo)[arm]
    return np.array([[found[game].get(seed, np.nan) for game in games] for seed in seeds])


def _normalise(scores: Array, games: list[str]) -> Array:
    """Return human-normalised scores; NaN for games without reference scores."""
    return np.array(
        [
            [
                np.nan if (h := human_normalised(g, s)) is None else h
                for g, s in zip(games, row, strict=True)
            ]
            for row in scores
        ]
    )


def table(verdicts: list[Verdict], first: str, second: str) -> Table:
    """Return the table for the terminal."""
    shown = Table(title=f"{first} against {second}: mean final score ± sd over seeds")
    for name in ("", first, second, "difference (95%)", f"P({first} better) (95%)", "Welch's p"):
        shown.add_column(name, overflow="fold")
    for verdict in verdicts:
        shown.add_row(*verdict.cells())
    return shown


def main() -> int:
    """Run the command; 2 for folders that cannot be compared."""
    options = tyro.cli(Options)
    try:
        first, second = (read_results(path) for path in (options.first, options.second))
        verdicts = compare(first, second)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    names = first.experiment.precision, second.experiment.precision
    Console(width=150).print(table(verdicts, *names))
    if options.json:
        head = ["name", *names, "difference", "probability", "p"]
        rows = [dict(zip(head, verdict.cells(), strict=True)) for verdict in verdicts]
        write_json_atomic(options.json, {"format": 1, "rows": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
