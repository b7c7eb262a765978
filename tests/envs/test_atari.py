"""SB3's vector environment interface, as SB3's own tools use it."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from open_games import atari
from stable_baselines3 import A2C
from stable_baselines3.common.atari_wrappers import (
    ClipRewardEnv,
    EpisodicLifeEnv,
    FireResetEnv,
    StickyActionEnv,
)
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecNormalize, VecVideoRecorder
from stable_baselines3.common.vec_env.vec_transpose import VecTransposeImage

from coordconv_rl.envs.atari import AtariVecEnv
from coordconv_rl.errors import InputError


def test_evaluate_policy_counts_whole_games_without_a_warning() -> None:
    env = atari("Breakout", 2, training=False)
    model = A2C("CnnPolicy", env, seed=0, device="cpu")
    assert model.get_env() is env
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores, lengths = evaluate_policy(
            model, env, n_eval_episodes=2, deterministic=False, return_episode_rewards=True
        )
    assert len(scores) == len(lengths) == 2
    assert all(score >= 0 and float(score).is_integer() for score in scores)
    assert all(length > 400 for length in lengths)  # frames


def test_sb3_learns_on_it() -> None:
    env = atari("Breakout", 2, workers=2)
    model = A2C("CnnPolicy", env, seed=0, device="cpu", n_steps=4).learn(16)
    assert model.num_timesteps == 16
    env.close()


def test_videos_are_recorded(tmp_path: Path) -> None:
    pytest.importorskip("moviepy")
    env = VecVideoRecorder(
        AtariVecEnv("Pong", 2), str(tmp_path), lambda step: step == 0, video_length=5
    )
    env.reset()
    for _ in range(7):
        env.step(np.zeros(2, int))
    env.close()
    (video,) = tmp_path.glob("*.mp4")
    assert video.stat().st_size > 1000


def test_vec_normalize() -> None:
    env = VecNormalize(AtariVecEnv("Pong", 2), norm_obs=False)
    env.reset()
    for _ in range(60):
        _, rewards, _, _ = env.step(np.zeros(2, int))
    assert rewards.dtype == np.float32
    assert env.ret_rms.count > 60


@pytest.mark.parametrize("workers", [0, 2])
def test_attributes_and_methods(workers: int) -> None:
    env = atari("Breakout", 2, workers=workers)
    env.reset()
    assert env.render_mode == "rgb_array"
    assert [image.shape for image in env.get_images()] == [(210, 160, 3)] * 2
    assert env.render().shape == (420, 160, 3)
    assert env.env_method("get_action_meanings", indices=1) == [["NOOP", "FIRE", "RIGHT", "LEFT"]]
    assert env.get_attr("lives", indices=[0]) == [5]
    assert env.has_attr("fires")
    assert not env.has_attr("nonsense")
    env.set_attr("note", "mine", indices=[1])
    assert env.get_attr("note", indices=-1) == ["mine"]
    for some in (np.array([1]), np.array([0, 1]), torch.tensor([0, 1]), np.array([], int)):
        assert env.get_attr("lives", indices=some) == [5] * len(some)
    assert env.env_is_wrapped(Monitor) == [True, True]
    env.close()


def test_wrappers_that_it_stands_for() -> None:
    training, evaluation = atari("Breakout", 1), atari("Freeway", 1, training=False)
    sticky = atari("Breakout", 1, protocol="v5")
    answers = {
        wrapper: [env.env_is_wrapped(wrapper)[0] for env in (training, evaluation, sticky)]
        for wrapper in (EpisodicLifeEnv, ClipRewardEnv, FireResetEnv, StickyActionEnv)
    }
    assert answers == {
        EpisodicLifeEnv: [True, False, False],
        ClipRewardEnv: [True, False, True],
        FireResetEnv: [True, False, True],
        StickyActionEnv: [False, False, True],
    }
    assert training.env_is_wrapped(VecTransposeImage) == [False]  # type: ignore[arg-type]


def test_observations_are_the_callers_to_keep() -> None:
    env = atari("Breakout", 1)
    first = env.reset()
    kept = first.copy()
    second = env.step(np.array([2]))[0]
    first[:] = 255
    np.testing.assert_array_equal(second[:, 2], kept[:, 3])
    np.testing.assert_array_equal(env.step(np.array([2]))[0][:, 1], kept[:, 3])


def test_evaluation_rewards_are_raw() -> None:
    env = atari("Qbert", 1, training=False)
    env.reset()
    rng = np.random.default_rng(0)
    rewards = {float(env.step(rng.integers(6, size=1))[1][0]) for _ in range(150)}
    assert max(rewards) >= 25


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"game": "Brekout"}, "did you mean Breakout"),
        ({"game": "Backgammon"}, "NOOP"),
        ({"n_envs": 0}, "n_envs is 0: use at least 1"),
        ({"workers": 3}, "workers is 3: use 0 to n_envs, here 2"),
        ({"workers": -1}, "workers is -1"),
        ({"protocol": "v6"}, "unknown protocol 'v6'"),
        ({"full_action_space": True}, "protocol v5"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        AtariVecEnv(**{"game": "Pong", "n_envs": 2, **arguments})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (np.zeros(3, int), "shape"),
        (np.zeros((2, 1), int), "shape"),
        (np.zeros(2), "float64"),
        (np.array([0, 6]), "0 to 5"),
        (np.array([-1, 0]), "0 to 5"),
    ],
)
def test_bad_actions(actions: np.ndarray, message: str) -> None:
    env = atari("Pong", 2)
    env.reset()
    with pytest.raises(InputError, match=message):
        env.step(actions)


@pytest.mark.parametrize("workers", [0, 2])
def test_numpy_integers_are_integers(workers: int) -> None:
    plain = atari("Pong", 2, seed=5)
    numpy = atari(
        "Pong",
        np.int64(2),  # type: ignore[arg-type]
        seed=np.uint32(5),  # type: ignore[arg-type]
        workers=np.int8(workers),  # type: ignore[arg-type]
        training=np.bool_(True),  # type: ignore[arg-type]
    )
    np.testing.assert_array_equal(numpy.reset(), plain.reset())
    plain.seed(7)
    numpy.seed(np.int64(7))  # type: ignore[arg-type]
    assert json.dumps(numpy.snapshot()["json"]["seeds"]) == "[7, 8]"
    np.testing.assert_array_equal(numpy.reset(), plain.reset())
    numpy.close()


@pytest.mark.parametrize("name", ["n_envs", "seed", "workers", "screen_size"])
def test_what_is_no_integer_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} is 1.5: use an integer"):
        AtariVecEnv("Pong", **{name: 1.5})
