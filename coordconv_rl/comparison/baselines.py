"""Which arm is compared with which: pairs of an arm and its baseline."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from coordconv_rl.arms import Arm
from coordconv_rl.configs import ExperimentConfig
from coordconv_rl.errors import unknown

Pair = tuple[str, str]  # an arm's label and its baseline's


def declared_pairs(experiment: ExperimentConfig) -> tuple[Pair, ...]:
    """Return the pairs that an experiment names, or those that follow from its arms."""
    return experiment.comparisons or derived_pairs(experiment)


def pairs_against(experiment: ExperimentConfig, baseline: str) -> tuple[Pair, ...]:
    """Return every other arm against one.

    Raises:
        InputError: The experiment has no such arm.
    """
    if baseline not in experiment.arm_labels:
        raise unknown("baseline", baseline, experiment.arm_labels)
    return tuple((arm, baseline) for arm in experiment.arm_labels if arm != baseline)


def derived_pairs(experiment: ExperimentConfig) -> tuple[Pair, ...]:
    """Return the pairs that follow from the arms alone.

    Each arm with coordinates stands against the arm without, and against the one with shuffled
    coordinates, of the same backbone and head. The shuffled one is that of the same channels in
    the same convolutions if there is one, else any. An arm that is in no pair, as with an extractor
    of one's own, stands against the first arm.
    """
    arms = whole_arms(experiment)
    pairs: list[Pair] = []
    for label, arm in arms.items():
        if arm.coords != "none" and not arm.shuffled:
            pairs += [(label, other) for other in (*_plain(arm, arms), *_controls(arm, arms))]
    first, *others = arms
    matched = {label for pair in pairs for label in pair}
    return (*pairs, *((label, first) for label in others if label not in matched))


def head_pairs(experiment: ExperimentConfig) -> tuple[Pair, ...]:
    """Return the arms with coordinates that differ in nothing but their head, the later one first.

    The experiment need not compare them: what is compared is how far their scores fall without
    their coordinates.
    """
    arms = whole_arms(experiment)
    return tuple(
        (later, earlier)
        for earlier, later in combinations(arms, 2)
        if arms[earlier].coords != "none"
        and arms[earlier].head != arms[later].head
        and replace(arms[earlier], head=arms[later].head) == arms[later]
    )


def whole_arms(experiment: ExperimentConfig) -> dict[str, Arm]:
    """Return the arms by label, with the experiment's backbone and head where they name none."""
    return {label: _whole(arm, experiment) for label, arm in experiment.arms_by_label.items()}


def _whole(arm: Arm, experiment: ExperimentConfig) -> Arm:
    if arm.extractor is not None:
        return arm
    backbone, head = arm.backbone or experiment.common_backbone, arm.head or experiment.head
    return replace(arm, backbone=backbone, head=head)


def without_coordinates(arm: Arm) -> Arm | None:
    """Return the arm that is the same without coordinates; None where it has none."""
    return None if arm.coords == "none" else Arm(backbone=arm.backbone, head=arm.head)


def _plain(arm: Arm, arms: dict[str, Arm]) -> list[str]:
    return [label for label, other in arms.items() if other == without_coordinates(arm)]


def _controls(arm: Arm, arms: dict[str, Arm]) -> list[str]:
    """Return the arm that is the same with shuffled coordinates, or those like it."""
    exact = [label for label, other in arms.items() if other == replace(arm, shuffled=True)]
    if exact:
        return exact
    return [
        label
        for label, other in arms.items()
        if other.shuffled and (other.backbone, other.head) == (arm.backbone, arm.head)
    ]
