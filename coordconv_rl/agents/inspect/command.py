"""The command `inspect`: one agent, or what a comparison has of uninspected ones."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from coordconv_rl.agents.inspect.treatments import inspect
from coordconv_rl.agents.training import Interrupted, StopRequest, list_checkpoints
from coordconv_rl.configs import load_run
from coordconv_rl.errors import FAILED, INTERRUPTED, OK, InputError
from coordconv_rl.runs import (
    CONFIG_FILE,
    EXPERIMENT_FILE,
    INSPECTION_FILE,
    find_runs,
    is_inspected_at,
    peek_record,
    read_inspection,
    read_record,
    weighs_coordinates,
)

log = logging.getLogger(__name__)


def inspect_command(
    folder: Path, episodes: int = 30, *, device: str | None = None, trust_code: bool = False
) -> int:
    """Inspect an agent, or what an experiment has of uninspected ones, and print tables.

    Args:
        folder: A run's folder, or an experiment's.
        episodes: Games for each treatment.
        device: Where the network lives; see `load_agent`.
        trust_code: Whether code that the folder names may be imported; see `load_agent`.

    Returns:
        The exit code: 0; 1 if an agent of an experiment cannot be inspected, which is named while
        the others are; or 130 if the launcher that started this process is gone.

    Raises:
        InputError: There is no agent with coordinates, or that which is named cannot be looked at.
    """
    console = Console()
    request = StopRequest()
    several = (folder / EXPERIMENT_FILE).is_file()
    agents, failed = _agents(folder)
    for run in agents:
        if not several:
            _say_what_is_replaced(run, episodes)
        try:
            result = inspect(
                run,
                episodes=episodes,
                device=device,
                trust_code=trust_code,
                on_step=request.raise_if_asked,
            )
        except Interrupted as stop:
            log.warning("not inspected, as %s", stop)
            return INTERRUPTED
        except InputError as error:
            if not several:
                raise
            log.error("%s is not inspected: %s", run, error)
            failed = True
            continue
        console.print(_table(result))
        console.print(f"{result['share']:.1%} of the first layer's output variance comes from them")
        console.print(f"Written: {run / INSPECTION_FILE} and .png", soft_wrap=True, markup=False)
    return FAILED if failed else OK


def _say_what_is_replaced(run: Path, episodes: int) -> None:
    """Warn where an inspection of a comparison's agent becomes one of another number of games."""
    if not any((parent / EXPERIMENT_FILE).is_file() for parent in run.resolve().parents):
        return
    try:
        games = (read_inspection(run) or {}).get("episodes", episodes)
    except InputError:
        return
    if games != episodes:
        log.warning(
            "%s was inspected over %s games a treatment: that is replaced by %d, and a report "
            "compares it with others as it is; --episodes %s would do the same again",
            run, games, episodes, games,
        )  # fmt: skip


def _table(result: dict[str, Any]) -> Table:
    columns = ("coordinates", "mean score", "standard deviation", "games cut")
    table = Table(*columns, title=result["run"])
    for treatment, found in result["scores"].items():
        spread = f"{found['std']:,.1f}"
        table.add_row(treatment, f"{found['mean']:,.1f}", spread, str(found["cut"]))
    return table


def _sees_coordinates(run: Path) -> bool:
    """Return whether a run's network has weights for coordinates, by its arm or its record."""
    arm = load_run(run / CONFIG_FILE).resolved_arm
    return arm.coords != "none" or weighs_coordinates(read_record(run))


def _agents(folder: Path) -> tuple[list[Path], bool]:
    """Return the folder itself, or an experiment's finished agents that nobody has inspected.

    One that still trains is left out: what it can do now says nothing of what it will end as. With
    them comes whether an inspection cannot be read, which is named.
    """
    if not (folder / EXPERIMENT_FILE).is_file():
        return [folder], False
    runs = {run: peek_record(run) or {} for run in find_runs(folder, CONFIG_FILE)}
    ended = [run for run, record in runs.items() if record.get("status") == "done"]
    agents = [run for run in ended if list_checkpoints(run) and _sees_coordinates(run)]
    if not agents:
        raise InputError(f"{folder} holds no finished agent with coordinates yet: train one first")
    left, broken = [], 0
    for run in agents:
        try:
            if not is_inspected_at(read_inspection(run), runs[run]["step"]):
                left.append(run)
        except InputError as error:
            log.error("%s", error)
            broken += 1
    if done := len(agents) - len(left) - broken:
        log.info(
            "%d of %d agents are inspected already: name one to do it again", done, len(agents)
        )
    return left, bool(broken)
