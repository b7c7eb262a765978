"""The tables of scores: each game by arm, aggregates with intervals, pairs of arms.

The page, the Markdown file, the terminal at the end of a comparison, `results.csv` and `results.md`
all show what is made here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from coordconv_rl.comparison.report.tables import NONE, Cell, Table, interval, number
from coordconv_rl.comparison.statistics import AlgoAnalysis, Array, Comparison, Scores
from coordconv_rl.envs import TINY_RANGE_GAMES, reference_scores

TINY_RANGE_MARK = (
    "\u2020"  # a dagger, beside the games whose human-normalised scores are hardly comparable
)


@dataclass(frozen=True)
class GameScore:
    """One arm on one game.

    Attributes:
        mean: Mean raw score over the seeds that are done; None if none is.
        std: Standard deviation over seeds (n - 1); None for fewer than two.
        n: Seeds that are done and have a score.
        planned: Seeds of the plan.
        normalised: The mean, human-normalised; None without reference scores.
    """

    mean: float | None
    std: float | None
    n: int
    planned: int
    normalised: float | None

    def cell(self) -> Cell:
        """Return the mean with its spread and, below, the normalised mean and n of N."""
        count = f"n = {self.n} of {self.planned}"
        if self.mean is None:
            return Cell(NONE, count)
        text = number(self.mean, 4).text
        if self.std is not None:
            text += f" \u00b1 {number(self.std).text}"
        share = "" if self.normalised is None else f"{self.normalised:.3f}, "
        return Cell(text, f"{share}{count}", self.mean)


def game_scores(
    games: tuple[str, ...], scores: Mapping[str, Scores]
) -> dict[str, dict[str, GameScore]]:
    """Return each game's score by arm; missing runs are counted and never filled in.

    Args:
        games: The games, in the order of the scores' columns.
        scores: Final scores by arm.
    """
    return {
        game: {
            arm: _game_score(own.raw[:, column], own.normalised[:, column])
            for arm, own in scores.items()
        }
        for column, game in enumerate(games)
    }


def _game_score(raw: Array, normalised: Array) -> GameScore:
    there = raw[np.isfinite(raw)]
    if not len(there):
        return GameScore(None, None, 0, len(raw), None)
    std = float(there.std(ddof=1)) if len(there) > 1 else None
    human = normalised[np.isfinite(normalised)]
    share = float(human.mean()) if len(human) else None
    return GameScore(float(there.mean()), std, len(there), len(raw), share)


def game_scores_table(analysis: AlgoAnalysis) -> Table:
    """Return each game's scores by arm beside the reference scores."""
    references = reference_scores()
    rows = []
    for game, by_arm in game_scores(analysis.games, analysis.scores).items():
        reference = references.get(game)
        zoo = getattr(reference, f"rlzoo_{analysis.algo}_10m", None)
        human = (reference.random, reference.human) if reference else (None, None)
        arms = [score.cell() for score in by_arm.values()]
        rows.append((game_cell(game), *arms, *(number(known, 5) for known in (*human, zoo))))
    columns = ("Game", *analysis.scores, "Random", "Human", f"RL Zoo {analysis.algo.upper()} 10M")
    caption = "Raw score by game, mean \u00b1 standard deviation over seeds; human-normalised; n"
    return Table(caption, columns, tuple(rows))


def aggregates_table(analysis: AlgoAnalysis) -> Table:
    """Return each arm's aggregates of human-normalised scores."""
    marked = any(own.iqm_unmarked for own in analysis.arms.values())
    rows = []
    for arm, scores in analysis.scores.items():
        own = analysis.arms.get(arm)
        names = ("iqm", *(["iqm_unmarked"] if marked else []), "median", "mean", "optimality_gap")
        estimates = [getattr(own, name, None) for name in names]
        runs = Cell(f"{scores.done} of {scores.planned}", value=scores.done)
        rows.append((Cell(arm), runs, *map(interval, estimates)))
    unmarked = (f"IQM without {TINY_RANGE_MARK}",) if marked else ()
    columns = ("Arm", "Runs", "IQM", *unmarked, "Median", "Mean", "Optimality gap")
    return Table("Human-normalised score, 95% intervals", columns, tuple(rows))


def pairs_table(analysis: AlgoAnalysis) -> Table:
    """Return each compared pair of arms."""
    rows = [
        (
            Cell(f"{pair.arm} against {pair.against}"),
            interval(pair.improvement),
            interval(pair.iqm_difference, signed=True),
            Cell(str(len(pair.games)), value=len(pair.games)),
            Cell(str(pair.seeds), value=pair.seeds),
            number(pair.seeds_needed, digits=9),
        )
        for pair in analysis.comparisons
    ]
    columns = ("Arms", "Probability of improvement", "IQM difference", "Games")
    return Table(
        "Pairs of arms, 95% intervals",
        (*columns, "Fewest seeds", "Seeds needed"),
        tuple(rows),
    )


def pair_games_table(pair: Comparison) -> Table:
    """Return a pair of arms game by game."""
    rows = [
        (
            game_cell(game),
            number(pair.improvement_by_game[place]),
            interval(pair.paired_by_game[place], signed=True),
            number(pair.p_values[place], 2),
        )
        for place, game in enumerate(pair.games)
    ]
    columns = ("Game", "Probability of improvement", "Paired difference, raw score", "p (Holm)")
    return Table(f"{pair.arm} against {pair.against}, game by game", columns, tuple(rows))


def game_cell(game: str) -> Cell:
    """Return a game's name, marked where human-normalised scores are hardly comparable."""
    return Cell(f"{game} {TINY_RANGE_MARK}" if game in TINY_RANGE_GAMES else game)
