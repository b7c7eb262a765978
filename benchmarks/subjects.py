"""What can be timed in a worker: environments and training, ours and stock SB3's."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_atari_env
from stable_baselines3.common.sb2_compat.rmsprop_tf_like import RMSpropTFLike
from stable_baselines3.common.vec_env import (
    DummyVecEnv,
    SubprocVecEnv,
    VecEnv,
    VecFrameStack,
    VecTransposeImage,
)

from benchmarks.opponents import AleVecEnv, EnvPool
from coordconv_rl.agents.build import LinearSchedule, build_env, build_model
from coordconv_rl.agents.loading import load_agent
from coordconv_rl.agents.training.threads import thread_callbacks
from coordconv_rl.configs import Hyperparameters, RunConfig
from coordconv_rl.configs.load import preset
from coordconv_rl.envs.atari import AtariVecEnv
from coordconv_rl.fast.precision import detect_precision

ENDLESS = 1_000_000_000  # environment steps: the schedules stand still while we measure
WARM_UP_STEPS = 1_000  # environment steps before the first measurement
MAKERS = {"dummy": DummyVecEnv, "subproc": SubprocVecEnv}


class Stepping:
    """Environments that play random actions.

    Args:
        env: The environments.
    """

    def __init__(self, env: VecEnv | EnvPool) -> None:
        self.env = env
        rng = np.random.default_rng(0)
        self._actions = rng.integers(env.action_space.n, size=(512, env.num_envs))
        env.reset()
        self._step(max(8, WARM_UP_STEPS // env.num_envs))

    def _step(self, times: int) -> None:
        for actions in self._actions[np.arange(times) % len(self._actions)]:
            self.env.step(actions)

    def measure(self, seconds: float) -> float:
        """Return environment steps a second over at least that many seconds."""
        return _rate(lambda: self._step(16), 16 * self.env.num_envs, seconds)

    def close(self) -> None:
        """Close the environments."""
        self.env.close()


class Training:
    """A model that trains as in SB3's `learn`, iteration by iteration.

    Args:
        model: An untrained model with its environments.
        callbacks: What it calls while it trains.
    """

    def __init__(self, model: A2C | PPO, callbacks: Sequence[BaseCallback] = ()) -> None:
        self.model = model
        self._total, self._callback = model._setup_learn(ENDLESS, list(callbacks))
        self._callback.on_training_start(locals(), globals())
        self.steps = model.n_steps * model.n_envs
        for _ in range(-(-WARM_UP_STEPS // self.steps)):
            self._iterate()

    def _iterate(self) -> None:
        model = self.model
        model.collect_rollouts(
            model.env, self._callback, model.rollout_buffer, n_rollout_steps=model.n_steps
        )
        model._update_current_progress_remaining(model.num_timesteps, self._total)
        model.train()
        if model.device.type == "cuda":
            torch.cuda.synchronize(model.device)

    def measure(self, seconds: float) -> float:
        """Return environment steps a second over whole iterations, at least one."""
        return _rate(self._iterate, self.steps, seconds)

    def close(self) -> None:
        """Close the environments."""
        self.model.env.close()


def _rate(work: Callable[[], None], steps: int, seconds: float) -> float:
    done, began = 0, time.perf_counter()
    while True:
        work()
        done += steps
        elapsed = time.perf_counter() - began
        if elapsed >= seconds:
            return done / elapsed


def stock_env(game: str, n_envs: int, maker: str, threads: int) -> VecEnv:
    """Return SB3's own stack of wrappers, in this process or one process each; or ale_py's."""
    if maker == "ale":
        return AleVecEnv(game, n_envs, threads)
    env = make_atari_env(f"{game}NoFrameskip-v4", n_envs=n_envs, seed=0, vec_env_cls=MAKERS[maker])
    return VecTransposeImage(VecFrameStack(env, 4))


def stock_model(algo: str, env: VecEnv, settings: Hyperparameters, device: str) -> A2C | PPO:
    """Return stock SB3 with RL Zoo's hyperparameters for Atari (hyperparams/{a2c,ppo}.yml)."""
    shared: dict[str, Any] = {
        "n_steps": settings.n_steps,
        "gamma": settings.gamma,
        "gae_lambda": settings.gae_lambda,
        "ent_coef": settings.ent_coef,
        "vf_coef": settings.vf_coef,
        "max_grad_norm": settings.max_grad_norm,
        "seed": 0,
        "device": device,
    }
    if algo == "a2c":
        optimizer = {"optimizer_class": RMSpropTFLike, "optimizer_kwargs": {"eps": 1e-5}}
        rate = settings.learning_rate
        return A2C("CnnPolicy", env, learning_rate=rate, policy_kwargs=optimizer, **shared)
    return PPO(
        "CnnPolicy",
        env,
        learning_rate=LinearSchedule(settings.learning_rate),
        clip_range=LinearSchedule(settings.clip_range),
        n_epochs=settings.n_epochs,
        batch_size=settings.batch_size,
        **shared,
    )


def make_stepping(spec: dict[str, Any]) -> Stepping:
    """Return environments as the specification says; see `specs.env_spec`."""
    game, n_envs = spec["game"], spec["n_envs"]
    if spec["maker"] == "ours":
        return Stepping(AtariVecEnv(game, n_envs, seed=0, workers=spec["workers"]))
    if spec["maker"] == "envpool":
        return Stepping(EnvPool(game, n_envs, spec["emulating"]))
    return Stepping(stock_env(game, n_envs, spec["maker"], spec["emulating"]))


def make_training(spec: dict[str, Any]) -> Training:
    """Return a training as the specification says; see `specs.train_spec`."""
    settings = preset(spec["algo"], spec["overrides"])
    if spec["maker"] != "ours":
        env = stock_env(spec["game"], settings.n_envs, spec["maker"], spec["threads"])
        return Training(_as_agent(stock_model(spec["algo"], env, settings, spec["device"]), spec))
    config = RunConfig(
        algo=spec["algo"],
        game=spec["game"],
        arm=spec["arm"],
        seed=0,
        steps=ENDLESS,
        hyperparameters=settings,
        precision=spec["precision"],
        device=spec["device"],
        threads=spec["threads"],
        workers=spec["workers"],
    )
    precision = detect_precision(config.precision, config.device)
    model = build_model(config, build_env(config), precision)
    if spec["plain"]:
        model.train = partial(PPO.train, model)
    return Training(_as_agent(model, spec), thread_callbacks(config))


def _as_agent(model: A2C | PPO, spec: dict[str, Any]) -> A2C | PPO:
    """Give a model the weights of the agent that the specification names, if any, for good.

    The learning rate becomes zero: the same work, and every contestant plays alike to the end.
    """
    if spec["agent"]:
        agent, _, _ = load_agent(Path(spec["agent"]))
        model.policy.load_state_dict(agent.policy.state_dict())
        agent.env.close()
        model.lr_schedule = lambda _: 0.0
        use_threads(spec["threads"])
    return model


def use_threads(threads: int) -> None:
    """Limit torch and, where one thread is wanted, OpenCV, ours and opponents alike."""
    torch.set_num_threads(threads)
    if threads == 1:
        cv2.setNumThreads(1)
