"""The environment and the SB3 model that a run's configuration describes."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import torch
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.vec_env import VecEnv

from coordconv_rl.arms import Arm, Backbone, get_arm
from coordconv_rl.configs import Hyperparameters, RunConfig
from coordconv_rl.envs import EnvSettings
from coordconv_rl.errors import InputError
from coordconv_rl.sb3 import (
    ADAM,
    RMSPROP,
    CoordConvExtractor,
    CoordConvPolicy,
    DeviceRolloutBuffer,
    FastA2C,
    FastPPO,
    RMSpropTFLike,
    extractor_settings,
)

Model: TypeAlias = A2C | PPO


def check_device(device: str) -> torch.device:
    """Return the device, or raise `InputError` if this machine does not have it."""
    chosen = torch.device(device)
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        found = torch.cuda.device_count()
        raise InputError(
            f"device is {device}, but torch sees {found} CUDA GPU(s) here: use --device cpu, "
            "or a torch build with CUDA on a machine with a GPU"
        )
    return chosen


def policy_settings(
    arm: Arm,
    *,
    seed: int,
    backbone: Backbone = "nature",
    precision: str = "auto",
    algo: Literal["a2c", "ppo"] = "ppo",
) -> tuple[type[CoordConvPolicy], dict[str, Any]]:
    """Return the policy class and `policy_kwargs` of a run, for SB3's A2C or PPO.

    Args:
        arm: What the run's network sees.
        seed: The run's seed; see `extractor_settings`.
        backbone: The convolutional network.
        precision: Arithmetic of the network.
        algo: Chooses the optimizer: RMSpropTFLike for A2C and Adam for PPO, as RL Zoo's presets.
    """
    optimizer = RMSpropTFLike if algo == "a2c" else torch.optim.Adam
    return CoordConvPolicy, {
        "features_extractor_class": CoordConvExtractor,
        "features_extractor_kwargs": extractor_settings(arm, seed=seed, backbone=backbone),
        "precision": precision,
        "coordinates_for": "actor" if arm.actor_only else "shared",
        "optimizer_class": optimizer,
        "optimizer_kwargs": dict(RMSPROP if algo == "a2c" else ADAM),
    }


def build_env(config: RunConfig) -> VecEnv:
    """Return the training environments of the run."""
    return config.family.build(
        EnvSettings(
            game=config.game,
            environment=config.environment,
            n_envs=config.hyperparameters.n_envs,
            seed=config.seed,
            training=True,
            workers=config.workers,
            protocol=config.protocol,
            full_action_space=config.full_action_space,
        )
    )


def build_model(config: RunConfig, env: VecEnv, precision: str) -> Model:
    """Return the untrained SB3 model of the run; its weights follow from the run's seed.

    Args:
        config: The run.
        env: Its environments, or any with the same spaces.
        precision: "float32" or "bfloat16", as resolved for the device.
    """
    settings = config.hyperparameters
    policy, policy_kwargs = policy_settings(
        get_arm(config.arm),
        seed=config.seed,
        backbone=config.backbone or config.family.backbone,
        precision=precision,
        algo=config.algo,
    )
    shared: dict[str, Any] = {
        "policy": policy,
        "env": env,
        "policy_kwargs": policy_kwargs,
        "learning_rate": _schedule(settings, settings.learning_rate),
        "n_steps": settings.n_steps,
        "gamma": settings.gamma,
        "gae_lambda": settings.gae_lambda,
        "ent_coef": settings.ent_coef,
        "vf_coef": settings.vf_coef,
        "max_grad_norm": settings.max_grad_norm,
        "seed": config.seed,
        "device": config.device,
        "rollout_buffer_class": DeviceRolloutBuffer,
    }
    if config.algo == "a2c":
        return FastA2C(**shared)
    return FastPPO(
        batch_size=settings.batch_size or 0,
        n_epochs=settings.n_epochs,
        clip_range=_schedule(settings, settings.clip_range or 0.0),
        **shared,
    )


class LinearSchedule:
    """A value that falls linearly from `start` to zero over the training."""

    def __init__(self, start: float) -> None:
        self.start = start

    def __call__(self, progress_remaining: float) -> float:
        """Return the value where `progress_remaining` goes from 1 to 0."""
        return progress_remaining * self.start


def _schedule(settings: Hyperparameters, start: float) -> float | LinearSchedule:
    return start if settings.schedule == "constant" else LinearSchedule(start)
