"""What of a comparison's plan was changed since its first runs were asked for, by its ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from coordconv_rl.comparison.baselines import Pair, declared_pairs, derived_pairs
from coordconv_rl.comparison.entries import UNSAID, RunRequest
from coordconv_rl.comparison.results import Results


def changes_of_plan(found: Results) -> list[str]:
    """Say which pairs or margin are others than those first asked for: who sees results may choose.

    Arms that came later, or are left out by now, change no plan by themselves.
    """
    return [*_pairs(found), *_margin(found)] if found.requests else []


def _pairs(found: Results) -> Iterator[str]:
    """Say which pairs were first asked for, where they are others than those of now."""
    first = found.requests[0]
    known = set(first.arms) & set(found.experiment.arm_labels)

    def among_known(pairs: tuple[Pair, ...]) -> set[Pair]:
        return {pair for pair in pairs if known.issuperset(pair)}

    def of(request: RunRequest) -> set[Pair]:
        derived = derived_pairs(replace(found.experiment, comparisons=()))
        return among_known(request.comparisons or derived)

    now, before = among_known(declared_pairs(found.experiment)), of(first)
    if now != before:
        yield (
            f"The pairs of arms were changed{_when(found, lambda request: of(request) == now)}: "
            f"the experiment began{_on(first)} with {named(tuple(sorted(before)))}. Pairs that are "
            "chosen after results were seen are exploration, whatever their p-values."
        )


def _margin(found: Results) -> Iterator[str]:
    first, now = found.requests[0], found.experiment.equivalence
    if first.equivalence not in (UNSAID, now):
        before = "none" if first.equivalence is None else f"{first.equivalence:g}"
        when = _when(found, lambda request: request.equivalence == now)
        yield (
            f"The margin within which means are called equal was changed{when}: the experiment "
            f"began{_on(first)} with {before}."
        )


def _when(found: Results, is_now: Callable[[RunRequest], Any]) -> str:
    return next((_on(request) for request in found.requests[1:] if is_now(request)), "")


def _on(request: RunRequest) -> str:
    return f" on {request.asked[:10]}" if request.asked else ""


def named(pairs: tuple[Pair, ...]) -> str:
    """Return pairs of arms in words."""
    return ", ".join(f"{arm} against {baseline}" for arm, baseline in pairs) or "nothing"
