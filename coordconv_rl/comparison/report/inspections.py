"""What inspections found about trained agents: read from their folders and tabled."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from coordconv_rl.comparison.report.tables import NONE, Cell, Table, counted, number
from coordconv_rl.comparison.results import Results, RunResult
from coordconv_rl.runs import TREATMENTS, weighs_coordinates

HEADINGS = ("As trained", "Zeroed", "Permuted", "Share of the first layer")


@dataclass(frozen=True)
class Inspection:
    """One agent's scores with its coordinate channels as trained, zeroed and permuted.

    Attributes:
        algo: The algorithm.
        game: The game.
        arm: The arm.
        seed: The seed of the training.
        episodes: Games for each treatment.
        frame_cap: Emulator frames after which a game was cut; None for no cut.
        cut: How many games were, of all treatments.
        share: Share of the first layer's output variance that comes from the coordinates, 0 to 1;
            None where that layer has none.
        means: Mean raw score by treatment.
    """

    algo: str
    game: str
    arm: str
    seed: int
    episodes: int
    frame_cap: int | None
    cut: int
    share: float | None
    means: dict[str, float]


def inspectable(found: Results) -> list[RunResult]:
    """Return the finished runs whose agents see coordinates, by their arm or their record."""
    arms = found.experiment.arms_by_label
    return [
        run
        for run in found.runs
        if run.status == "done"
        and (arms[run.arm].coords != "none" or weighs_coordinates(run.record))
    ]


def read_inspections(found: Results) -> list[Inspection]:
    """Return the inspections of an experiment's runs, in the runs' order."""
    inspections = []
    for run in found.runs:
        if run.inspection is not None:
            key = (run.algo, run.game, run.arm, run.seed)
            inspections.append(_parse(key, run.inspection))
    return inspections


def _parse(key: tuple[str, str, str, int], content: dict[str, Any]) -> Inspection:
    """Turn what a run's inspection file holds, which its reader has looked at, into numbers."""
    scores = content["scores"]
    means = {str(name): float(scores[name]["mean"]) for name in TREATMENTS}
    cut = sum(scores[name].get("cut") or 0 for name in TREATMENTS)
    episodes, cap, share = content["episodes"], content.get("frame_cap"), content["share"]
    return Inspection(*key, episodes, cap, cut, share, means)


def coverage(found: Results, inspected: Sequence[Inspection]) -> str:
    """Say how many agents were inspected, over how many games, and where games were cut."""
    agents = len(inspectable(found))
    counts = sorted({one.episodes for one in inspected})
    games = " or ".join([*map(str, counts[:-1]), counted(counts[-1], "game")])
    text = (
        f"{len(inspected)} of {agents} finished agents with coordinates were inspected, over "
        f"{games} for each column of scores, with actions sampled as in the evaluation."
    )
    caps = sorted({one.frame_cap for one in inspected if one.frame_cap is not None})
    if caps:
        cut = sum(one.cut for one in inspected)
        played = sum(one.episodes for one in inspected) * len(TREATMENTS)
        frames = " or ".join(f"{cap:,}" for cap in caps)
        text += f" Games are cut after {frames} frames: {cut} of {played} were."
    return text


def by_arm(inspected: Sequence[Inspection]) -> dict[tuple[str, str, str], list[Inspection]]:
    """Return the inspections of each (algorithm, game, arm), in the order of the runs' games."""
    games = list(dict.fromkeys((one.algo, one.game) for one in inspected))
    cells: dict[tuple[str, str, str], list[Inspection]] = {}
    for one in inspected:
        cells.setdefault((one.algo, one.game, one.arm), []).append(one)
    return dict(sorted(cells.items(), key=lambda item: games.index(item[0][:2])))


def arms_table(inspected: Sequence[Inspection]) -> Table:
    """Return one row for each arm of each game: means over its inspected seeds."""
    rows = [
        (
            Cell(algo.upper()),
            Cell(game),
            Cell(arm),
            Cell(str(len(agents)), value=len(agents)),
            *(number(statistics.fmean(a.means[name] for a in agents), 4) for name in TREATMENTS),
            _share([agent.share for agent in agents]),
        )
        for (algo, game, arm), agents in by_arm(inspected).items()
    ]
    columns = ("Algorithm", "Game", "Arm", "Seeds", *HEADINGS)
    return Table("Mean over seeds of the raw score, by arm", columns, tuple(rows))


def _share(shares: Sequence[float | None]) -> Cell:
    known = [share for share in shares if share is not None]
    if not known:
        return Cell(NONE)
    mean = statistics.fmean(known)
    return Cell(f"{mean:.1%}", value=mean)


def inspection_table(inspected: Sequence[Inspection]) -> Table:
    """Return one row for each inspected agent."""
    rows = [
        (
            Cell(one.algo.upper()),
            Cell(one.game),
            Cell(one.arm),
            Cell(str(one.seed), value=one.seed),
            *(number(one.means[name], 4) for name in TREATMENTS),
            _share([one.share]),
        )
        for one in inspected
    ]
    columns = ("Algorithm", "Game", "Arm", "Seed", *HEADINGS)
    return Table("Mean raw score of each inspected agent", columns, tuple(rows))
