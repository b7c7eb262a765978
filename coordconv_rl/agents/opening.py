"""An agent from what somebody names: a run's folder, or a zip of SB3's."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stable_baselines3.common.utils import check_for_correct_spaces

from coordconv_rl.agents.build import Model
from coordconv_rl.agents.evaluate import evaluation_env
from coordconv_rl.agents.loading import load_agent
from coordconv_rl.agents.sb3_zip import import_sb3
from coordconv_rl.agents.zip_reading import NeedsPickle, read_zip, says_itself, zip_config
from coordconv_rl.arms import Arm, arm_value
from coordconv_rl.configs import Algo, Protocol, RunConfig
from coordconv_rl.errors import InputError
from coordconv_rl.runs import check_folder


@dataclass(frozen=True)
class Opening:
    """How an agent is opened, and what its user trusts.

    Attributes:
        best: Take the checkpoint with the best recent score, not the newest; a zip has one.
        device: Where the network lives; see `load_agent`.
        game: The game of a zip that does not say it.
        algo: The algorithm of such a zip; None for what its settings show.
        protocol: The Atari protocol of such a zip.
        trust_code: Whether code that folder or zip names may be imported; see `load_agent`.
        trust_pickle: Whether a zip's pickle may be read, which can run code.
    """

    best: bool = False
    device: str | None = None
    game: str | None = None
    algo: Algo | None = None
    protocol: Protocol = "v4"
    trust_code: bool = False
    trust_pickle: bool = False


def open_agent(path: Path, how: Opening) -> tuple[Model, RunConfig]:
    """Open an agent; `num_timesteps` is its checkpoint's step.

    A zip is read without pickle where its network is known: one that `export_sb3` wrote, or SB3's
    own for images with what its weights are called. Any other takes `trust_pickle`.

    Args:
        path: A run's folder, or a .zip file.
        how: How.

    Returns:
        The model and its configuration, with the device that it lives on.

    Raises:
        InputError: As `load_agent`; or the zip does not say its game, or needs trust.
    """
    if path.suffix != ".zip":
        if how.game or how.algo or how.protocol != "v4":
            raise says_itself(path)
        check_folder(path)
        model, config, step = load_agent(
            path, best=how.best, device=how.device, trust_code=how.trust_code
        )
        model.num_timesteps = step
        return model, config
    config = zip_config(
        path, game=how.game, algo=how.algo, protocol=how.protocol, device=how.device
    )
    try:
        return read_zip(path, config, trust_code=how.trust_code), config
    except NeedsPickle as reason:
        if not how.trust_pickle:
            raise InputError(
                f"{path} {reason}, and only its pickle can say what it is, which can run code: "
                "add --trust-pickle if you trust its author"
            ) from reason
    model = import_sb3(path, config.algo, trust_pickle=True, device=config.device)
    _check_game(path, model, config)
    return model, replace(config, arm=_named_after(path))


def _check_game(path: Path, model: Model, config: RunConfig) -> None:
    """Raise `InputError` unless the agent is one of the game's images and actions."""
    env = evaluation_env(config, 1)
    try:
        check_for_correct_spaces(env, model.observation_space, model.action_space)
    except ValueError as error:
        raise InputError(f"{path} holds no agent of {config.game}: {error}") from error
    finally:
        env.close()


def _named_after(path: Path) -> str | dict[str, Any]:
    """Return an arm for a network that is somebody's own: it says a file's name, and no more."""
    name = re.sub(r"[^A-Za-z0-9._-]", "-", path.name).lstrip("._-")
    return arm_value(Arm(name=name[-64:].lstrip("._-")))
