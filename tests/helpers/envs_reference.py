"""SB3's own Atari stack, and a comparison with ours that lets no difference pass."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from ale_py.env import AtariEnv
from stable_baselines3.common.env_util import make_atari_env
from stable_baselines3.common.vec_env import VecEnv, VecFrameStack, VecTransposeImage

from coordconv_rl.envs.atari import AtariVecEnv
from coordconv_rl.envs.games import ROM_IDS


def sb3_stack(
    game: str,
    n_envs: int,
    seed: int,
    protocol: str,
    training: bool,
    full_action_space: bool,
    screen_size: int = 84,
) -> VecEnv:
    env_id: Any = f"{game}NoFrameskip-v4"
    if env_id not in gym.registry:  # ale-py registers newer games under v5 names only.

        def env_id(**kwargs: Any) -> AtariEnv:
            return AtariEnv(
                game=ROM_IDS[game],
                frameskip=1,
                repeat_action_probability=0.0,
                max_num_frames_per_episode=108_000,
                render_mode="rgb_array",
                **kwargs,
            )

    wrapper_kwargs = {
        "terminal_on_life_loss": training and protocol == "v4",
        "clip_reward": training,
        "action_repeat_probability": 0.25 if protocol == "v5" else 0.0,
        "screen_size": screen_size,
    }
    env = make_atari_env(
        env_id,
        n_envs,
        seed,
        wrapper_kwargs=wrapper_kwargs,
        env_kwargs={"full_action_space": full_action_space},
    )
    return VecTransposeImage(VecFrameStack(env, 4))


def pair(
    game: str,
    n_envs: int = 2,
    *,
    seed: int = 7,
    protocol: str = "v4",
    training: bool = True,
    full_action_space: bool = False,
    workers: int = 0,
    screen_size: int = 84,
) -> tuple[VecEnv, AtariVecEnv]:
    """Return SB3's stack and ours with the same arguments."""
    ours = AtariVecEnv(
        game,
        n_envs,
        seed=seed,
        protocol=protocol,
        training=training,
        full_action_space=full_action_space,
        workers=workers,
        screen_size=screen_size,
    )
    stack = sb3_stack(game, n_envs, seed, protocol, training, full_action_space, screen_size)
    return stack, ours


def assert_same_array(got: Any, wanted: Any) -> None:
    """Compare two arrays, or what is made one, with their types."""
    ours, theirs = np.asarray(got), np.asarray(wanted)
    if ours.dtype != theirs.dtype or not np.array_equal(ours, theirs):  # a quick look first
        np.testing.assert_array_equal(got, wanted, strict=True)


def assert_same_infos(expected: list[dict[str, Any]], got: list[dict[str, Any]]) -> None:
    """Compare all that SB3's infos hold, but for the seconds in "episode"."""
    for ours, theirs in zip(got, expected, strict=True):
        assert set(ours) == set(theirs)
        for key, value in theirs.items():
            if key == "episode":
                assert {**ours[key], "t": 0} == {**value, "t": 0}
            else:
                assert_same_array(ours[key], value)


def assert_same_steps(
    theirs: VecEnv, ours: VecEnv, steps: int, *, rng: np.random.Generator, resets: tuple[int, ...]
) -> dict[str, int]:
    """Play random actions in both; return how many episodes, games and truncations there were."""
    seen = {"episodes": 0, "games": 0, "truncated": 0}
    n_actions = int(ours.action_space.n)  # type: ignore[attr-defined]
    for step in range(steps):
        if step in resets:
            np.testing.assert_array_equal(ours.reset(), theirs.reset(), strict=True)
        actions = rng.integers(n_actions, size=ours.num_envs)
        expected, got = theirs.step(actions), ours.step(actions)
        for wanted, array in zip(expected[:3], got[:3], strict=True):
            assert_same_array(array, wanted)
        assert_same_infos(expected[3], got[3])
        for info in got[3]:
            seen["episodes"] += "terminal_observation" in info
            seen["games"] += "episode" in info
            seen["truncated"] += info["TimeLimit.truncated"]
    return seen
