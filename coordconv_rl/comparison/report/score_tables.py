"""The tables of scores: each game by arm, aggregates with intervals, pairs of arms.

The page, the Markdown file, the terminal at the end of a comparison, `results.csv` and `results.md`
all show what is made here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from coordconv_rl.comparison.report.tables import NONE, Cell, Table, interval, number
from coordconv_rl.comparison.report.verdict import outcome, p_text
from coordconv_rl.comparison.statistics import (
    AlgoAnalysis,
    Array,
    Comparison,
    Scores,
    tiny_range_games,
)
from coordconv_rl.envs import reference_scores

TINY_RANGE_MARK = (
    "\u2020"  # a dagger, beside the games whose human-normalised scores are hardly comparable
)


_BRIEF = ("Arms", "Finding", "Probability of improvement", "p (Holm)", "IQM difference")


@dataclass(frozen=True)
class GameScore:
    """One arm on one game.

    Attributes:
        mean: Mean raw score over the seeds that are done; None if none is.
        std: Standard deviation over seeds (n - 1); None for fewer than two.
        n: Seeds that are done and have a score.
        planned: Seeds of the plan.
        human: The mean, human-normalised; None without reference scores.
        scaled: The mean on the scale of the aggregates; None where the game has none.
    """

    mean: float | None
    std: float | None
    n: int
    planned: int
    human: float | None
    scaled: float | None

    def cell(self) -> Cell:
        """Return the mean with its spread and, below, the scaled mean and n of N."""
        count = f"n = {self.n} of {self.planned}"
        if self.mean is None:
            return Cell(NONE, count)
        text = number(self.mean, 4).text
        if self.std is not None:
            text += f" \u00b1 {number(self.std).text}"
        share = "" if self.scaled is None else f"{self.scaled:.3f}, "
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
            arm: _game_score(own.raw[:, column], own.human[:, column], own.scaled[:, column])
            for arm, own in scores.items()
        }
        for column, game in enumerate(games)
    }


def _game_score(raw: Array, human: Array, scaled: Array) -> GameScore:
    there = raw[np.isfinite(raw)]
    if not len(there):
        return GameScore(None, None, 0, len(raw), None, None)
    std = float(there.std(ddof=1)) if len(there) > 1 else None
    shares = [float(own[np.isfinite(raw)].mean()) for own in (human, scaled)]
    known = [None if np.isnan(share) else share for share in shares]
    return GameScore(float(there.mean()), std, len(there), len(raw), *known)


def game_scores_table(analysis: AlgoAnalysis) -> Table:
    """Return each game's scores by arm beside the reference scores, where any game has them."""
    references = reference_scores()
    names = ("Random", "Human", f"RL Zoo {analysis.algo.upper()} 10M")
    has_any = any(game in references for game in analysis.games)
    rows = []
    for game, by_arm in game_scores(analysis.games, analysis.scores).items():
        reference = references.get(game)
        zoo = getattr(reference, f"rlzoo_{analysis.algo}_10m", None)
        known = (reference.random, reference.human, zoo) if reference else (None, None, None)
        arms = [score.cell() for score in by_arm.values()]
        others = [number(score, 5) for score in known] if has_any else []
        rows.append((game_cell(analysis, game), *arms, *others))
    columns = ("Game", *analysis.scores, *(names if has_any else ()))
    caption = (
        f"Raw score by game, mean \u00b1 standard deviation over seeds; {analysis.scale.name}; n"
    )
    return Table(caption, columns, tuple(rows))


def aggregates_table(analysis: AlgoAnalysis) -> Table:
    """Return each arm's aggregates on the analysis's scale."""
    marked = any(own.iqm_unmarked for own in analysis.arms.values())
    headings = {"iqm": "IQM", "iqm_unmarked": f"IQM without {TINY_RANGE_MARK}"}
    headings |= {"median": "Median", "mean": "Mean", "optimality_gap": "Optimality gap"}
    if not marked:
        del headings["iqm_unmarked"]
    if analysis.scale.name != "human-normalised":
        del headings["optimality_gap"]
    rows = []
    for arm, scores in analysis.scores.items():
        own = analysis.arms.get(arm)
        estimates = [getattr(own, name, None) for name in headings]
        runs = Cell(f"{scores.done} of {scores.planned}", value=scores.done)
        rows.append((Cell(arm), runs, *map(interval, estimates)))
    columns = ("Arm", "Runs", *headings.values())
    name = analysis.scale.name
    return Table(f"{name[0].upper()}{name[1:]} score, 95% intervals", columns, tuple(rows))


def pairs_table(analysis: AlgoAnalysis, *, brief: bool = False) -> Table:
    """Return each compared pair of arms.

    Args:
        analysis: One algorithm's.
        brief: Whether to leave out what a terminal has no room for.
    """
    columns = {
        "Arms": [Cell(pair.arm, f"against {pair.against}") for pair in analysis.comparisons],
        "Finding": [Cell(outcome(analysis, pair)) for pair in analysis.comparisons],
        "Probability of improvement": [interval(p.improvement) for p in analysis.comparisons],
        "p": [p_cell(pair.p) for pair in analysis.comparisons],
        "p (Holm)": [p_cell(pair.p_holm) for pair in analysis.comparisons],
        "IQM difference": [interval(p.iqm_difference, signed=True) for p in analysis.comparisons],
        "Mean difference": [interval(p.mean_difference, signed=True) for p in analysis.comparisons],
        "Area under curve: probability": [
            interval(pair.area_improvement) for pair in analysis.comparisons
        ],
        "Games": [Cell(str(len(p.games)), value=len(p.games)) for p in analysis.comparisons],
        "Fewest seeds": [Cell(str(pair.seeds), value=pair.seeds) for pair in analysis.comparisons],
        "Seeds needed": [number(pair.seeds_needed, digits=9) for pair in analysis.comparisons],
    }
    shown = {name: cells for name, cells in columns.items() if not brief or name in _BRIEF}
    caption = f"Pairs of arms, 95% intervals; differences are {analysis.scale.name}"
    if any(pair.left_out for pair in analysis.comparisons):
        caption += f", without {TINY_RANGE_MARK}"
    return Table(caption, tuple(shown), tuple(zip(*shown.values(), strict=True)))


def p_cell(p: float) -> Cell:
    """Return a cell with a p-value; a dash where there is none."""
    return Cell(p_text(p), value=p) if np.isfinite(p) else Cell(NONE)


def pair_games_table(analysis: AlgoAnalysis, pair: Comparison) -> Table:
    """Return a pair of arms game by game."""
    rows = [
        (
            game_cell(analysis, game),
            number(pair.improvement_by_game[place]),
            interval(pair.paired_by_game[place], signed=True),
            p_cell(pair.p_by_game[place]),
        )
        for place, game in enumerate(pair.games)
    ]
    columns = ("Game", "Probability of improvement", "Paired difference, raw score", "p (Holm)")
    return Table(f"{pair.arm} against {pair.against}, game by game", columns, tuple(rows))


def game_cell(analysis: AlgoAnalysis, game: str) -> Cell:
    """Return a game's name, marked where human-normalised scores are hardly comparable."""
    is_marked = game in tiny_range_games(analysis.scale)
    return Cell(f"{game} {TINY_RANGE_MARK}" if is_marked else game)
