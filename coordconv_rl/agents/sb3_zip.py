"""SB3's own zip files: written for anybody, read only on trust, since they hold pickle."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import torch
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.sb2_compat.rmsprop_tf_like import RMSpropTFLike

from coordconv_rl.agents.build import Model
from coordconv_rl.agents.loading import load_agent
from coordconv_rl.agents.zip_reading import add_config
from coordconv_rl.arms import Arm
from coordconv_rl.configs import RunConfig
from coordconv_rl.errors import InputError
from coordconv_rl.files import file_beside
from coordconv_rl.sb3 import ADAM, RMSPROP

SB3S_OWN = Arm(backbone="nature", head="flatten")


def export_sb3(folder: Path, file: Path, *, best: bool = False, trust_code: bool = False) -> Path:
    """Write a run's agent as a zip that stock `PPO.load` or `A2C.load` opens.

    SB3's own network (the arm "cnn" with the Nature backbone) is written as SB3's own classes, and
    opens where this package is not installed; every other needs it, for its layers.

    Args:
        folder: The run's folder.
        file: The zip to write.
        best: Take the checkpoint with the best recent score, not the newest.
        trust_code: Whether code that the folder names may be imported; see `load_agent`.

    Raises:
        InputError: The folder holds no agent, or the file cannot be written.
    """
    if file.suffix != ".zip":
        raise InputError(f"{file} must end in .zip, as SB3's files do")
    if not file.parent.is_dir():
        raise InputError(f"cannot write {file}: {file.parent} is no folder")
    model, config, step = load_agent(folder, best=best, trust_code=trust_code)
    if config.resolved_arm == SB3S_OWN:
        model = _as_stock(model, config)
    model.num_timesteps = step
    try:
        with file_beside(file) as temporary:
            model.save(temporary)
            add_config(temporary, config)
            temporary.replace(file)
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror}") from error
    return file


def _as_stock(model: Model, config: RunConfig) -> Model:
    """Return SB3's own model with the same weights, spaces and settings.

    Schedules are what they are at the start of training: a pickled function of ours would need this
    package.
    """
    settings = config.hyperparameters
    is_a2c = config.algo == "a2c"
    stock_optimizer = {
        "optimizer_class": RMSpropTFLike if is_a2c else torch.optim.Adam,
        "optimizer_kwargs": dict(RMSPROP if is_a2c else ADAM),
    }
    shared: dict[str, Any] = {
        "policy": "CnnPolicy",
        "env": model.get_env(),
        "policy_kwargs": stock_optimizer,
        "learning_rate": settings.learning_rate,
        "n_steps": settings.n_steps,
        "gamma": settings.gamma,
        "gae_lambda": settings.gae_lambda,
        "ent_coef": settings.ent_coef,
        "vf_coef": settings.vf_coef,
        "max_grad_norm": settings.max_grad_norm,
        "seed": config.seed,
        "device": config.device,
    }
    stock: Model
    if is_a2c:
        stock = A2C(**shared)
    else:
        stock = PPO(
            batch_size=settings.batch_size or 0,
            n_epochs=settings.n_epochs,
            clip_range=settings.clip_range or 0.0,
            **shared,
        )
    stock.policy.load_state_dict(model.policy.state_dict())
    return stock


def import_sb3(file: Path, algo: str, *, trust_pickle: bool, device: str = "cpu") -> Model:
    """Open an agent from SB3's zip.

    Args:
        file: The zip.
        algo: "a2c" or "ppo".
        trust_pickle: Must be True: opening the file can run code that its author put there.
        device: Where the network is to live.

    Raises:
        InputError: No trust was given, or the file is no SB3 zip of that algorithm.
    """
    if not trust_pickle:
        raise InputError(
            f"{file} may hold pickle, which can run code: "
            "add --trust-pickle if you trust its author"
        )
    if not zipfile.is_zipfile(file):
        raise InputError(f"{file} is no zip that SB3 saved")
    try:
        if algo == "a2c":
            return A2C.load(file, device=device)
        return PPO.load(file, device=device)
    except (KeyError, ValueError, RuntimeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{file} is no {algo} agent that SB3 saved: {reason}") from error
