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
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor

from coordconv_rl.agents.build import Model
from coordconv_rl.agents.evaluate import judging_seed, said_of_judging, score_table
from coordconv_rl.agents.inspect.figure import write_figure
from coordconv_rl.agents.inspect.games import GAME_FRAMES, own_observations, play_treated
from coordconv_rl.agents.inspect.share import share_of
from coordconv_rl.agents.loading import load_agent
from coordconv_rl.configs import RunConfig
from coordconv_rl.errors import InputError
from coordconv_rl.files import check_writable, clear_left_behind
from coordconv_rl.layers import CoordConv2d
from coordconv_rl.runs import (
    INSPECTION_FIGURE,
    INSPECTION_FILE,
    TREATMENTS,
    Treatment,
    check_folder,
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
    seed = judging_seed(config.seed)
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
        **said_of_judging(config),
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
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "is not there"
        raise InputError(f"{folder} {what}: name the folder of a run, as `coordconv-rl train` made")
    check_folder(folder)
    check_writable(folder)
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
    seed = judging_seed(config.seed)
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
