"""SB3's zip files without their pickle: weights as tensors, and a network that is known.

A zip of SB3's holds `data`, JSON in which whatever is no plain value is pickled, and `policy.pth`,
tensors that torch reads with `weights_only`. What `export_sb3` writes also holds the run's
configuration, from which the network is built; and SB3's own network for images is known by its
weights' names and shapes, if the policy was given no other settings.
"""

from __future__ import annotations

import io
import json
import lzma
import pickle
import re
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import torch

from coordconv_rl.agents.build import Model
from coordconv_rl.agents.loading import blank_model, on_device
from coordconv_rl.configs import (
    Algo,
    Protocol,
    RunConfig,
    check_trust,
    load_run,
    new_run,
    to_yaml,
)
from coordconv_rl.envs import family_of
from coordconv_rl.errors import InputError

CONFIG_MEMBER = "run.yaml"
DATA_MEMBER, POLICY_MEMBER = "data", "policy.pth"  # SB3's `save_to_zip_file`
MOST_BYTES = 2**30  # of one part when unpacked; no agent is as large, and a bomb is larger
# What changes no network: an extractor, hidden layers or images that are not divided by 255 would.
HARMLESS = {"optimizer_class", "optimizer_kwargs", "ortho_init", ":type:", ":serialized:"}


class NeedsPickle(Exception):
    """The zip's network is not known; the text says why."""


def add_config(file: Path, config: RunConfig) -> None:
    """Write a run's configuration into a zip that SB3 saved; SB3 leaves it unread."""
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(CONFIG_MEMBER, to_yaml(config))


def zip_config(
    file: Path,
    *,
    game: str | None,
    algo: Algo | None = None,
    protocol: Protocol = "v4",
    device: str | None = None,
) -> RunConfig:
    """Return the configuration of a zip's agent, with the device that it is to live on.

    A zip of SB3's says its algorithm by the settings that it holds; neither game nor arm.

    Args:
        file: The zip.
        game: The game, where the zip does not say it.
        algo: The algorithm; None for what the zip shows.
        protocol: The Atari protocol, where the zip does not say it.
        device: See `load_agent`.

    Raises:
        InputError: It is no zip, holds another algorithm, or does not say its game and nobody else
            does.
    """
    found = _members(file, CONFIG_MEMBER, DATA_MEMBER)
    if CONFIG_MEMBER in found:
        if game or algo or protocol != "v4":
            raise says_itself(file)
        return on_device(_read_config(file, found[CONFIG_MEMBER]), device)
    if game is None:
        raise InputError(f"{file} does not say which game it plays: add --game")
    shown = _shown_algo(file, found.get(DATA_MEMBER))
    if algo is not None and shown not in (algo, None):
        raise InputError(f"{file} holds an agent of {shown}, not of {algo}: leave out --algo")
    values: dict[str, Any] = {"algo": algo or shown or "ppo", "game": game, "arm": "cnn"}
    values["protocol"] = protocol
    if family_of(game).has_protocols and (side := _shown_side(found.get(DATA_MEMBER))):
        values["screen_size"] = side
    return on_device(new_run(values, str(file)), device)


def says_itself(path: Path) -> InputError:
    """Return the error for being told what a folder or zip knows better."""
    return InputError(
        f"{path} says itself what it plays and how: leave out --game, --algo and --protocol, "
        "which are for zips that SB3 saved"
    )


def _shown_algo(file: Path, data: bytes | None) -> Algo | None:
    """Return the algorithm by the names of the settings that a zip holds; None if unreadable.

    Raises:
        InputError: It is neither A2C nor PPO.
    """
    try:
        settings = json.loads(data or b"null")
    except (ValueError, RecursionError):
        return None  # whoever reads on says what is wrong
    if not isinstance(settings, dict):
        return None
    if "gae_lambda" not in settings:
        raise InputError(f"{file} holds an agent of neither A2C nor PPO, which alone can be opened")
    return "ppo" if "clip_range" in settings else "a2c"


def _shown_side(data: bytes | None) -> int | None:
    """Return the side of the square images that a zip's agent sees; None if it is not shown.

    SB3 writes what a space has beside its pickle, as text: "_shape" is "(4, 84, 84)".
    """
    try:
        shape = json.loads(data or b"null")["observation_space"]["_shape"]
        _, height, width = map(int, re.findall(r"\d+", str(shape)))
    except (ValueError, RecursionError, TypeError, KeyError):
        return None
    return height if height == width else None


def read_zip(file: Path, config: RunConfig, *, trust_code: bool = False) -> Model:
    """Build the agent of a zip without unpickling anything.

    Args:
        file: The zip.
        config: Its configuration, see `zip_config`.
        trust_code: Whether code that the configuration names may be imported.

    Raises:
        InputError: It is no zip of SB3's, or code is not trusted.
        NeedsPickle: Its network is not known.
    """
    check_trust(config, trust_code)
    found = _members(file, CONFIG_MEMBER, DATA_MEMBER, POLICY_MEMBER)
    if not {DATA_MEMBER, POLICY_MEMBER} <= found.keys():
        raise InputError(f"{file} is no zip that SB3 saved: it lacks {DATA_MEMBER} or its policy")
    try:
        data = json.loads(found[DATA_MEMBER])
        weights = torch.load(io.BytesIO(found[POLICY_MEMBER]), "cpu", weights_only=True)
        settings, step = data["policy_kwargs"], int(data["num_timesteps"])
    except (ValueError, TypeError, KeyError, RecursionError, RuntimeError, EOFError) as error:
        raise InputError(f"{file} is no zip that SB3 saved: {_line(error)}") from error
    except pickle.UnpicklingError as error:
        raise NeedsPickle("holds weights that are no plain tensors") from error
    if CONFIG_MEMBER not in found and (others := set(settings) - HARMLESS):
        raise NeedsPickle(f"gives its policy settings of its own ({', '.join(sorted(others))})")
    return _filled(config, weights, step)


def _filled(config: RunConfig, weights: Any, step: int) -> Model:
    """Return the configuration's model with these weights, which must be all of its weights."""
    model = blank_model(config)
    try:
        model.policy.load_state_dict(weights)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise NeedsPickle(f"holds another network than {config.arm_label}'s") from error
    model.num_timesteps = step
    return model


def _read_config(file: Path, text: bytes) -> RunConfig:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, CONFIG_MEMBER)
        path.write_bytes(text)
        try:
            return load_run(path)
        except InputError as error:
            raise InputError(str(error).replace(str(path), f"{file}: {CONFIG_MEMBER}")) from None


def _members(file: Path, *names: str) -> dict[str, bytes]:
    """Return those parts of a zip that it has."""
    try:
        with zipfile.ZipFile(file) as archive:
            infos = {info.filename: info for info in archive.infolist() if info.filename in names}
            if any(info.file_size > MOST_BYTES for info in infos.values()):
                raise InputError(f"{file} is no agent: a part of it has more than 1 GiB")
            return {name: archive.read(name) for name in infos}
    except FileNotFoundError:
        raise InputError(f"there is no {file}") from None
    except (
        OSError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        RuntimeError,
    ) as error:
        # the last: a password is wanted, or the compression is none that zipfile knows
        raise InputError(f"{file} is no zip that SB3 saved: {_line(error)}") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
