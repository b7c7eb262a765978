"""Does a trained agent use its coordinates? Its scores with, without and with wrong ones.

The second question, how much of the first layer's output comes from them, is answered on frames of
the agent's own games.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor

from coordconv_rl.agents.build import Model
from coordconv_rl.agents.evaluate import SEED_OFFSET, score_table
from coordconv_rl.agents.inspect.figure import write_figure
from coordconv_rl.agents.inspect.games import GAME_FRAMES, own_observations, play_treated
from coordconv_rl.agents.inspect.share import share_of
from coordconv_rl.agents.loading import load_agent
from coordconv_rl.agents.training import Interrupted, StopRequest, list_checkpoints
from coordconv_rl.configs import RunConfig, load_run
from coordconv_rl.errors import INTERRUPTED, OK, InputError
from coordconv_rl.files import clear_left_behind
from coordconv_rl.layers import CoordConv2d
from coordconv_rl.runs import (
    CONFIG_FILE,
    EXPERIMENT_FILE,
    INSPECTION_FIGURE,
    INSPECTION_FILE,
    TREATMENTS,
    Treatment,
    check_folder,
    find_runs,
    is_inspected_at,
    peek_record,
    read_inspection,
    read_record,
    weighs_coordinates,
    write_inspection,
)

log = logging.getLogger(__name__)

PERMUTATION_OFFSET = 700_000  # the `shuffled` arm permutes by the run's seed, far below this


def inspect(
    folder: Path,
    *,
    episodes: int = 30,
    device: str | None = None,
    trust_code: bool = False,
    on_step: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Inspect one trained agent; write `inspection.json` and `inspection.png` to its folder.

    Games are sampled as in the evaluation, with the same seeds for each treatment, and cut after
    `GAME_FRAMES` emulator frames.

    Args:
        folder: The run's folder.
        episodes: Games for each treatment.
        device: Where the network lives; see `load_agent`.
        trust_code: Whether code that the folder names may be imported; see `load_agent`.
        on_step: Called after every step; if it raises, nothing is written.

    Returns:
        What `inspection.json` holds.

    Raises:
        InputError: The folder holds no agent, the agent has no coordinates, or `episodes` is none.
    """
    _look(folder, episodes)
    model, config, step = load_agent(folder, device=device, trust_code=trust_code)
    if not (layers := coordinate_layers(model)):
        raise _without_coordinates(folder, config.arm_label)
    seed = config.seed + SEED_OFFSET
    share, heat = share_of(model, layers[0], own_observations(model, config, seed))
    result = {
        "format": 1,
        "run": config.run_id,
        "game": config.game,
        "protocol": config.played,
        "step": step,
        "episodes": episodes,
        "frame_cap": GAME_FRAMES,
        "seed": seed,
        "permutation_seed": config.seed + PERMUTATION_OFFSET,
        "share": share,
        "scores": _treated_scores(model, config, episodes, on_step),
    }
    write_figure(folder / INSPECTION_FIGURE, result, heat)
    write_inspection(folder, result)
    return result


def _look(folder: Path, episodes: int) -> None:
    """Look at what is asked for, and clear what a killed inspection left."""
    if episodes < 1:
        raise InputError(f"episodes is {episodes}: play at least 1 game for each treatment")
    check_folder(folder)
    clear_left_behind(folder, (INSPECTION_FILE, INSPECTION_FIGURE))


def _without_coordinates(folder: Path, arm: str) -> InputError:
    return InputError(
        f"{folder} holds an agent of the arm {arm}, which has no coordinates in a CoordConv layer, "
        "and in no other can they be disturbed: inspect one of another arm"
    )


def _treated_scores(
    model: Model, config: RunConfig, episodes: int, on_step: Callable[[], None]
) -> dict[str, dict[str, Any]]:
    """Play the games of all treatments and return their scores, with how many were cut."""
    policies = {
        name: treated_policy(model, name, config.seed + PERMUTATION_OFFSET) for name in TREATMENTS
    }
    seed = config.seed + SEED_OFFSET
    played = play_treated(policies, config, episodes, seed=seed, on_step=on_step)
    return {
        name: score_table(config.game, games) | {"cut": cut}
        for name, (games, cut) in played.items()
    }


def coordinate_layers(model: Model) -> list[CoordConv2d]:
    """Return the layers of an agent that see coordinates, the first one first."""
    return [module for module in model.policy.modules() if isinstance(module, CoordConv2d)]


def treated_policy(model: Model, treatment: Treatment, permutation: int) -> ActorCriticPolicy:
    """Return a copy of an agent's policy that sees its coordinates so; see `coordinates_as`."""
    with coordinates_as(coordinate_layers(model), treatment, permutation):
        return copy.deepcopy(model.policy)


@contextmanager
def coordinates_as(
    layers: list[CoordConv2d], treatment: Treatment, permutation: int
) -> Iterator[None]:
    """Change what the layers see as coordinates inside a `with` block.

    Args:
        layers: The layers.
        treatment: "trained" changes nothing; "zeroed" makes the channels zero, which is the same as
            weights of zero; "permuted" moves their values to other pixels.
        permutation: Seed of the permutation.
    """
    before = [(layer.coord_weight.detach().clone(), layer.shuffle_seed) for layer in layers]
    try:
        for layer, (weight, seed) in zip(layers, before, strict=True):
            zeroed, permuted = treatment == "zeroed", treatment == "permuted"
            _set(layer, weight * (not zeroed), permutation if permuted else seed)
        yield
    finally:
        for layer, (weight, seed) in zip(layers, before, strict=True):
            _set(layer, weight, seed)


def _set(layer: CoordConv2d, weight: Tensor, shuffle_seed: int | None) -> None:
    with torch.no_grad():
        layer.coord_weight.copy_(weight)
    layer.shuffle_seed = shuffle_seed
    layer.to(layer.coord_weight.device)  # the layer makes its coordinates anew when it moves


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
        The exit code: 0, or 130 if the launcher that started this process is gone.

    Raises:
        InputError: There is no agent with coordinates.
    """
    console = Console()
    request = StopRequest()
    for run in _agents(folder):
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
        console.print(_table(result))
        console.print(f"{result['share']:.1%} of the first layer's output variance comes from them")
        console.print(f"Written: {run / INSPECTION_FILE} and .png", soft_wrap=True, markup=False)
    return OK


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


def _agents(folder: Path) -> list[Path]:
    """Return the folder itself, or an experiment's finished agents that nobody has inspected.

    One that still trains is left out: what it can do now says nothing of what it will end as.
    """
    if not (folder / EXPERIMENT_FILE).is_file():
        return [folder]
    runs = {run: peek_record(run) or {} for run in find_runs(folder, CONFIG_FILE)}
    ended = [run for run, record in runs.items() if record.get("status") == "done"]
    agents = [run for run in ended if list_checkpoints(run) and _sees_coordinates(run)]
    if not agents:
        raise InputError(f"{folder} holds no finished agent with coordinates yet: train one first")
    left = [run for run in agents if not is_inspected_at(read_inspection(run), runs[run]["step"])]
    if len(left) < len(agents):
        done = len(agents) - len(left)
        log.info(
            "%d of %d agents are inspected already: name one to do it again", done, len(agents)
        )
    return left
