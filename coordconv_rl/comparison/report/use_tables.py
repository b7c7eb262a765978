"""How far scores fall without coordinates, by arm and between heads, as tables and sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from coordconv_rl.comparison.report.inspections import Inspection
from coordconv_rl.comparison.report.score_tables import p_cell
from coordconv_rl.comparison.report.tables import Cell, Table, bounds, interval
from coordconv_rl.comparison.report.verdict import LEVEL, p_text
from coordconv_rl.comparison.results import Results
from coordconv_rl.comparison.statistics import AlgoAnalysis, Use, UseComparison, analyse_use


@dataclass(frozen=True)
class AlgoUse:
    """What the inspections of one algorithm's agents say.

    Attributes:
        algo: The algorithm.
        scale: The name of the scale of falls and differences.
        arms: How far scores fall, by arm.
        pairs: Arms that differ in their head.
    """

    algo: str
    scale: str
    arms: tuple[Use, ...]
    pairs: tuple[UseComparison, ...]


def collect_use(
    found: Results, analyses: Sequence[AlgoAnalysis], inspected: Sequence[Inspection]
) -> list[AlgoUse]:
    """Return what the inspections say, by algorithm; nothing for one without any."""
    means = {(one.algo, one.game, one.arm, one.seed): one.means for one in inspected}
    uses = [
        AlgoUse(analysis.algo, analysis.scale.name, *analyse_use(found, analysis, means))
        for analysis in analyses
    ]
    return [use for use in uses if use.arms]


def falls_table(use: AlgoUse) -> Table:
    """Return how far each arm's scores fall."""
    rows = [
        (
            Cell(own.arm),
            Cell(str(own.agents), value=own.agents),
            *(interval(fall, signed=True) for fall in own.falls.values()),
        )
        for own in use.arms
    ]
    names = (name.capitalize() for name in use.arms[0].falls)
    caption = f"{use.algo.upper()}: fall of the {use.scale} score, mean over games, 95% intervals"
    return Table(caption, ("Arm", "Agents", *names), tuple(rows))


def heads_table(use: AlgoUse) -> Table:
    """Return the comparison of falls between heads."""
    rows = [
        (
            Cell(pair.arm, f"against {pair.against}"),
            Cell(pair.treatment),
            interval(pair.further),
            p_cell(pair.p),
            p_cell(pair.p_holm),
            interval(pair.difference, signed=True),
            Cell(str(pair.games), value=pair.games),
            Cell(str(pair.seeds), value=pair.seeds),
        )
        for pair in use.pairs
    ]
    columns = (
        "Arms", "Coordinates", "Probability of a larger fall", "p", "p (Holm)",
        "Difference of falls", "Games", "Fewest seeds",
    )  # fmt: skip
    caption = f"{use.algo.upper()}: falls between heads, 95% intervals; differences {use.scale}"
    return Table(caption, columns, tuple(rows))


def tables(uses: Sequence[AlgoUse]) -> list[Table]:
    """Return the tables of all algorithms."""
    return [
        table
        for use in uses
        for table in (falls_table(use), *([heads_table(use)] if use.pairs else []))
    ]


def sentences(uses: Sequence[AlgoUse]) -> Iterable[str]:
    """Say of each pair of heads whose scores fall further, where there are seeds enough."""
    for use in uses:
        for pair in use.pairs:
            if pair.further.low is not None:
                yield _sentence(use, pair)


def _sentence(use: AlgoUse, pair: UseComparison) -> str:
    """Say how often one arm's agents fall further than the other's, and what that shows."""
    chance = f"{float(pair.further.value):.2f} (95% interval {bounds(pair.further)}"
    if np.isfinite(pair.p):
        chance += f"; p {p_text(pair.p)}, {p_text(pair.p_holm)} corrected"
    text = (
        f"{use.algo.upper()}, coordinates {pair.treatment}: the score of a {pair.arm} agent falls "
        f"further than that of a {pair.against} agent with probability {chance})."
    )
    assert pair.further.low is not None
    assert pair.further.high is not None
    low, high = float(pair.further.low), float(pair.further.high)
    if low <= 0.5 <= high:
        return f"{text} No difference is shown."
    more = "more" if low > 0.5 else "less"
    sure = "" if pair.p_holm < LEVEL else " Chance is not ruled out."
    return f"{text} {pair.arm} depends {more} on its coordinates than {pair.against}.{sure}"
