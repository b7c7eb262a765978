"""(q) The main table: what most readers ask, in ten minutes on two cores."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from benchmarks.contest import Contest
from benchmarks.specs import (
    ALE,
    CLEANRL,
    PRESET_ENVS,
    SB3,
    STEPS,
    Choice,
    env_spec,
    other_envs,
    other_trainings,
    train_spec,
)

ROUNDS, SECONDS = 3, 3.0  # of each contestant and measurement, unless others are asked for
TRAININGS = (("ppo", "Breakout"), ("ppo", "UpNDown"), ("a2c", "Breakout"))
ENVIRONMENTS = ("Breakout", "Pong")


def quick(choice: Choice) -> list[Contest]:
    """Compare trainings on one thread, one on all cores, and environments alone.

    UpNDown is the game in which the most of the screen moves; everybody else is asked in Breakout.
    """
    found = [_one_thread(choice, algo, game) for algo, game in TRAININGS]
    if choice.cores > 1:
        found.append(_all_cores(choice))
    return found + [_alone(game) for game in ENVIRONMENTS]


def _one_thread(choice: Choice, algo: str, game: str) -> Contest:
    changes: dict[str, Any] = {"algo": algo, "game": game}
    specs = {
        f"ours, {precision}": train_spec("ours", choice, precision=precision, **changes)
        for precision in choice.precisions
    }
    specs[SB3] = train_spec("dummy", choice, **changes)
    if game == "Breakout":
        specs |= other_trainings(choice, **changes)
    title = f"{algo.upper()}, {game}, {PRESET_ENVS[algo]} environments, one thread"
    return Contest("q", title, STEPS, (SB3,), specs)


def _all_cores(choice: Choice) -> Contest:
    changes: dict[str, Any] = {"algo": "ppo", "game": "Breakout", "threads": choice.cores}
    workers = min(choice.cores, PRESET_ENVS["ppo"])
    precision = choice.precisions[0]
    specs = {
        f"ours, {precision}": train_spec(
            "ours", choice, precision=precision, workers=workers, **changes
        ),
        SB3: train_spec("dummy", choice, **changes),
        **other_trainings(choice, **changes),
    }
    title = f"PPO, Breakout, all {choice.cores} cores, workers={workers}"
    return Contest("q", title, STEPS, (SB3,), specs)


def _alone(game: str) -> Contest:
    specs = {"ours": env_spec("ours", game, 8), SB3: env_spec("dummy", game, 8)}
    title = f"{game} alone, 8 environments, one thread"
    return Contest("q", title, STEPS, (SB3,), specs | other_envs(game, 1))


def main_table(results: list[dict[str, Any]]) -> Table:
    """Return one row for each contest: medians, and our best row's ratio to stock SB3.

    Under ale_py stands stock SB3 on its environments, or where nothing is trained, these alone.
    """
    shown = Table(title="Steps a second, medians; ratios with min and max", title_justify="left")
    shown.add_column("")
    for heading in ("ours", "SB3", "CleanRL", "ale_py", "ours / SB3"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for result in results:
        rows = {row["name"]: row for row in result["rows"]}
        names = [name for name in rows if name.startswith("ours")]
        best = max(names, key=lambda name: rows[name]["median"], default="")
        others = (best, SB3, CLEANRL, f"SB3 on {ALE}" if f"SB3 on {ALE}" in rows else ALE)
        values = [f"{rows[name]['median']:,.0f}" if name in rows else "" for name in others]
        ratio = rows[best].get("ratio") if best else None
        shown.add_row(result["title"], *values, ratio_text(ratio) if ratio else "")
    return shown


def ratio_text(ratio: dict[str, float]) -> str:
    """Write a ratio with its spread, as in 3.43 (3.38-3.50)."""
    return f"{ratio['median']:.2f} ({ratio['min']:.2f}-{ratio['max']:.2f})"
