"""The report's tables of scores: aggregates, pairs of arms, and games."""

from __future__ import annotations

import numpy as np

from coordconv_rl.comparison.report.tables import NONE, Cell, Table, interval, number
from coordconv_rl.comparison.statistics import AlgoAnalysis, Array, Comparison
from coordconv_rl.envs import TINY_RANGE_GAMES, reference_scores

MARK = "\u2020"  # a dagger, beside the games whose human-normalised scores are hardly comparable


def aggregates(analysis: AlgoAnalysis) -> Table:
    """Return each arm's aggregates of human-normalised scores."""
    marked = any(own.iqm_unmarked for own in analysis.arms.values())
    rows = []
    for arm, scores in analysis.scores.items():
        own = analysis.arms.get(arm)
        names = ("iqm", *(["iqm_unmarked"] if marked else []), "median", "mean", "optimality_gap")
        estimates = [getattr(own, name, None) for name in names]
        runs = Cell(f"{scores.done} of {scores.planned}", value=scores.done)
        rows.append((Cell(arm), runs, *map(interval, estimates)))
    unmarked = (f"IQM without {MARK}",) if marked else ()
    columns = ("Arm", "Runs", "IQM", *unmarked, "Median", "Mean", "Optimality gap")
    return Table("Human-normalised score, 95% intervals", columns, tuple(rows))


def comparisons(analysis: AlgoAnalysis) -> Table:
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


def games(analysis: AlgoAnalysis) -> Table:
    """Return each game's scores by arm beside the reference scores."""
    references = reference_scores()
    rows = []
    for column, game in enumerate(analysis.games):
        reference = references.get(game)
        zoo = getattr(reference, f"rlzoo_{analysis.algo}_10m", None)
        human = (reference.random, reference.human) if reference else (None, None)
        arms = [
            _game_score(own.raw[:, column], own.normalised[:, column])
            for own in analysis.scores.values()
        ]
        rows.append((game_cell(game), *arms, *(number(known, 5) for known in (*human, zoo))))
    columns = ("Game", *analysis.scores, "Random", "Human", f"RL Zoo {analysis.algo.upper()} 10M")
    caption = "Raw score by game, mean \u00b1 standard deviation over seeds; human-normalised; n"
    return Table(caption, columns, tuple(rows))


def _game_score(raw: Array, normalised: Array) -> Cell:
    there = raw[np.isfinite(raw)]
    if not len(there):
        return Cell(NONE, "n = 0")
    text = number(there.mean(), 4).text
    if len(there) > 1:
        text += f" \u00b1 {number(there.std(ddof=1)).text}"
    human = normalised[np.isfinite(normalised)]
    share = f"{human.mean():.3f}, " if len(human) else ""
    return Cell(text, f"{share}n = {len(there)}", float(there.mean()))


def pair_games(pair: Comparison) -> Table:
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
    return Cell(f"{game} {MARK}" if game in TINY_RANGE_GAMES else game)
