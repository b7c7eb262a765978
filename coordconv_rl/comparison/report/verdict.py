"""The answer in sentences: for each pair of arms, what is shown and how surely."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from coordconv_rl.comparison.baselines import whole_arms, without_coordinates
from coordconv_rl.comparison.report.floor import hardly_learnt, is_near_random, near_random
from coordconv_rl.comparison.report.tables import bounds, counted, interval, number
from coordconv_rl.comparison.results import Results
from coordconv_rl.comparison.statistics import MIN_SEEDS, AlgoAnalysis, Comparison

LEVEL = 0.05  # of the corrected p-value
WANTING = "for want of finished runs with a score"


@dataclass(frozen=True)
class Verdict:
    """The answer of one algorithm: what was compared, and a text for each pair of arms."""

    heading: str
    texts: tuple[str, ...]

    def __str__(self) -> str:
        """All of it as one paragraph."""
        text = " ".join(self.texts)
        return f"{self.heading}: {text[0].lower()}{text[1:]}"


def answer(found: Results, analysis: AlgoAnalysis) -> Verdict:
    """Answer, for one algorithm, which arm did better than which, and whether geometry helped."""
    name = analysis.algo.upper()
    pairs = analysis.comparisons
    if not analysis.pairs:
        lone = "No verdict, as the experiment has one arm only."
        return Verdict(name, (*hardly_learnt(analysis), lone))
    if not pairs:
        arms = " and ".join(analysis.pairs[0])
        return Verdict(name, (f"No verdict yet, {WANTING}, of {arms}.",))
    games = counted(max(len(pair.games) for pair in pairs), "game")
    seeds = counted(min(pair.seeds for pair in pairs), "seed")
    heading = f"{name}, {games}, at least {seeds} an arm"
    compared = {(pair.arm, pair.against) for pair in pairs}
    missing = [pair for pair in analysis.pairs if pair not in compared]
    return Verdict(
        heading,
        (
            *hardly_learnt(analysis),
            *(sentence(analysis, pair) for pair in pairs),
            *(f"{x} against {y}: no verdict yet, {WANTING}." for x, y in missing),
            *_geometry(found, analysis),
        ),
    )


def sentence(analysis: AlgoAnalysis, pair: Comparison) -> str:
    """Say of one pair what is shown, then by which numbers, and what they do not show."""
    finding = f"{_finding(pair)}: {_chance(analysis, pair)}"
    parts = [finding, _doubt(analysis, pair), _exceptions(pair), _equivalence(analysis, pair)]
    return " ".join(part for part in parts if part)


def _chance(analysis: AlgoAnalysis, pair: Comparison) -> str:
    """Say how often one arm beats the other, how surely, and by how much."""
    chance = f"{float(pair.improvement.value):.2f}"
    sure = [f"95% interval {between}" for between in [bounds(pair.improvement)] if between]
    if np.isfinite(pair.p):
        many = len(analysis.pairs) > 1
        corrected = f", {p_text(pair.p_holm)} corrected for {len(analysis.pairs)} pairs"
        sure.append(f"p {p_text(pair.p)}{corrected if many else ''}")
    text = f"a {pair.arm} agent beats a {pair.against} agent with probability {chance}"
    text += f" ({'; '.join(sure)})" if sure else ""
    if pair.iqm_difference is None:
        return f"{text}."
    difference = interval(pair.iqm_difference, signed=True)
    between = f" ({difference.detail})" if bounds(pair.iqm_difference) else ""
    name = f"the difference of {analysis.scale.name} IQMs{_without(pair)}"
    return f"{text}; {name} is {difference.text}{between}."


def _without(pair: Comparison) -> str:
    return f" without {' and '.join(pair.left_out)}" if pair.left_out else ""


def p_text(p: float) -> str:
    """Return a p-value with two digits, or that it is very small."""
    return "< 0.0001" if p < 0.0001 else number(p, 2).text


def direction(pair: Comparison) -> int:
    """Return 1 where the whole interval is above even chance, -1 where it is below, else 0."""
    low, high = pair.improvement.low, pair.improvement.high
    if low is None or high is None:
        return 0
    return int(low > 0.5) - int(high < 0.5)


def outcome(analysis: AlgoAnalysis, pair: Comparison) -> str:
    """Say in a word or two what is shown of a pair: for tables."""
    if pair.improvement.low is None:
        return "too few seeds"
    found = ("no difference shown", "better", "worse")[direction(pair)]
    if direction(pair) and not pair.p_holm < LEVEL:
        found += ", not after correction"
    margin = analysis.equivalence
    if not margin or not is_equivalent(pair, margin):
        return found
    if is_near_random(analysis, pair, margin):
        return f"{found}; both near random play"
    return f"{found}; equal within {margin:g}"


def is_equivalent(pair: Comparison, margin: float) -> bool:
    """Return whether the interval of the difference of means lies within the margin."""
    found = pair.mean_difference
    if found is None or found.low is None or found.high is None:
        return False
    return bool(-margin < found.low and found.high < margin)


def _finding(pair: Comparison) -> str:
    """Say in words what the interval shows."""
    if pair.improvement.low is None:
        return f"Too few seeds for a verdict on {pair.arm} against {pair.against}"
    found = direction(pair)
    if found == 0:
        return f"No difference is shown between {pair.arm} and {pair.against}"
    return f"{pair.arm} did {'better' if found > 0 else 'worse'} than {pair.against} here"


def _doubt(analysis: AlgoAnalysis, pair: Comparison) -> str:
    """Say why no more is shown: the corrected p-value, or how many seeds would show it."""
    if pair.improvement.low is None:
        return f"At least {MIN_SEEDS} seeds an arm are needed."
    if direction(pair) == 0:
        needed = pair.seeds_needed
        seeds = (
            f" About {needed:,} seeds an arm would show a difference of means of the size "
            f"found{_without(pair)}."
            if needed
            else ""
        )
        return f"The interval holds 0.5, which is even chance.{seeds}"
    if pair.p_holm < LEVEL:
        return ""
    many = f", corrected for {len(analysis.pairs)} pairs," if len(analysis.pairs) > 1 else ""
    return f"But p{many} is above {LEVEL}, so chance is not ruled out."


def _exceptions(pair: Comparison) -> str:
    """Name the games of which something else is shown than of all together.

    An arm that wins one game surely and loses another has even chance over both. The test is one
    of means, so that ranks must point where the means do.
    """
    shown: dict[int, list[str]] = {1: [], -1: []}
    games = zip(
        pair.games, pair.improvement_by_game, pair.difference_by_game, pair.p_by_game, strict=True
    )
    for game, chance, difference, p in games:
        way = int(np.sign(chance - 0.5))
        is_clear = p < LEVEL and way == np.sign(difference)
        if len(pair.games) > 1 and is_clear and way not in (0, direction(pair)):
            shown[way].append(f"{game} (probability {chance:.2f}, p {p_text(float(p))})")
    texts = [
        f"{word} in {' and '.join(named)}"
        for word, named in (("better", shown[1]), ("worse", shown[-1]))
        if named
    ]
    return f"But games differ: it did {', '.join(texts)}." if texts else ""


def _equivalence(analysis: AlgoAnalysis, pair: Comparison) -> str:
    """Say whether two arms are shown to be equal within the experiment's margin."""
    margin, found = analysis.equivalence, pair.mean_difference
    if margin is None or found is None or found.low is None:
        return ""
    difference = f"{interval(found, signed=True).text} ({bounds(found)})"
    text = f"The means{_without(pair)} differ by {difference} on the {analysis.scale.name} scale"
    if is_equivalent(pair, margin):
        return f"{text}: they differ by less than {margin:g}{near_random(analysis, pair, margin)}."
    if float(found.low) > margin or float(found.high or 0) < -margin:
        return f"{text}: by more than {margin:g}."
    return f"{text}: it is not shown that they differ by less than {margin:g}."


def _geometry(found: Results, analysis: AlgoAnalysis) -> Iterator[str]:
    """Say of each arm that beats the one without coordinates whether geometry is the reason."""
    arms = whole_arms(found.experiment)
    by_names = {(pair.arm, pair.against): pair for pair in analysis.comparisons}
    for (name, baseline), main in by_names.items():
        arm = arms[name]
        if arm.shuffled or arms[baseline] != without_coordinates(arm) or not _is_better(main):
            continue
        controls = [pair for (x, y), pair in by_names.items() if x == name and arms[y].shuffled]
        exact = [pair for pair in controls if arms[pair.against] == replace(arm, shuffled=True)]
        if any(map(_is_better, exact)):
            yield f"{name}: the geometry helps, and not only the additional parameters."
        elif controls:
            yield (
                f"{name}: it is not shown that the geometry helps beyond the additional parameters."
            )


def _is_better(pair: Comparison) -> bool:
    """Return whether the first arm is shown to be better, the corrected p-value included."""
    return direction(pair) > 0 and pair.p_holm < LEVEL
