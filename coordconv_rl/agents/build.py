"""The environment and the SB3 model that a run's configuration describes."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import torch
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.policies import ActorCriticCnnPolicy
from stable_baselines3.common.sb2_compat.rmsprop_tf_like import RMSpropTFLike as StockRMSprop
from stable_baselines3.common.vec_env import VecEnv

from coordconv_rl.arms import Arm, Backbone, Head
from coordconv_rl.configs import Hyperparameters, RunConfig
from coordconv_rl.envs import EnvSettings
from coordconv_rl.errors import InputError
from coordconv_rl.fast import Resolved, detect_precision
from coordconv_rl.sb3 import (
    ADAM,
    RMSPROP,
    Adam,
    CoordConvPolicy,
    DeviceRolloutBuffer,
    FastA2C,
    FastPPO,
    PlainPolicy,
    RMSpropTFLike,
    extractor_class,
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
    head: Head = "flatten",
    precision: str = "auto",
    algo: Literal["a2c", "ppo"] = "ppo",
) -> tuple[type[CoordConvPolicy], dict[str, Any]]:
    """Return the policy class and `policy_kwargs` of a run, for SB3's A2C or PPO.

    An extractor of the user's own is imported, which runs its code: see `extractor_class`.

    Args:
        arm: What the run's network sees.
        seed: The run's seed; see `extractor_settings`.
        backbone: The convolutions, where the arm has none of its own.
        head: What becomes of the last feature maps, where the arm does not say.
        precision: Arithmetic of the network.
        algo: Chooses the optimizer: RMSpropTFLike for A2C and Adam for PPO, as RL Zoo's presets.
    """
    optimizer = RMSpropTFLike if algo == "a2c" else Adam
    return CoordConvPolicy, {
        "features_extractor_class": extractor_class(arm),
        "features_extractor_kwargs": extractor_settings(
            arm, seed=seed, backbone=backbone, head=head
        ),
        "precision": precision,
        "coordinates_for": "actor" if arm.actor_only else "shared",
        "optimizer_class": optimizer,
        "optimizer_kwargs": dict(RMSPROP if algo == "a2c" else ADAM),
    }


def plain_settings(
    arm: Arm, *, seed: int, algo: Literal["a2c", "ppo"] = "ppo"
) -> tuple[type[ActorCriticCnnPolicy], dict[str, Any]]:
    """Return what `policy_settings` returns for SB3's own path, in float32.

    The policy is `ActorCriticCnnPolicy` without hidden layers behind the extractor, whatever that
    is; where only the actor sees coordinates, which it cannot express, `PlainPolicy`.

    Args:
        arm: What the run's network sees, with its backbone and head.
        seed: The run's seed; see `extractor_settings`.
        algo: As in `policy_settings`.
    """
    _, kwargs = policy_settings(arm, seed=seed, precision="float32", algo=algo)
    kwargs["optimizer_class"] = StockRMSprop if algo == "a2c" else torch.optim.Adam
    if arm.actor_only:
        return PlainPolicy, kwargs
    del kwargs["precision"], kwargs["coordinates_for"]
    return ActorCriticCnnPolicy, kwargs | {"net_arch": []}


def choose_precision(config: RunConfig) -> Resolved:
    """Return the arithmetic of a run's network on its device; SB3's own path has float32."""
    if config.path == "plain":
        return "float32"
    return detect_precision(config.precision, config.device)


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
            screen_size=config.screen_size,
        )
    )


def build_model(config: RunConfig, env: VecEnv, precision: str) -> Model:
    """Return the untrained SB3 model of the run; its weights follow from the run's seed.

    An arm's extractor of the user's own is imported; `check_trust` comes before.

    Args:
        config: The run.
        env: Its environments, or any with the same spaces.
        precision: "float32" or "bfloat16", as resolved for the device.
    """
    settings = config.hyperparameters
    arm, seed, algo = config.resolved_arm, config.seed, config.algo
    is_plain = config.path == "plain"
    policy: type[ActorCriticCnnPolicy]
    if is_plain:
        policy, policy_kwargs = plain_settings(arm, seed=seed, algo=algo)
    else:
        policy, policy_kwargs = policy_settings(arm, seed=seed, precision=precision, algo=algo)
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
        "seed": seed,
        "device": config.device,
        "rollout_buffer_class": RolloutBuffer if is_plain else DeviceRolloutBuffer,
    }
    if algo == "a2c":
        return A2C(**shared) if is_plain else FastA2C(**shared)
    return (PPO if is_plain else FastPPO)(
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
